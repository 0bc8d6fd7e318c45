//! What is to be said of a data set.

use crate::data::moments::{Moments, moments};
use crate::data::{Dataset, Samples};
use crate::error::Error;
use crate::model::{Model, Scaling};
use crate::pipeline::{Readings, Said, SplitCounts};
use serde::Serialize;

/// A data set in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SamplesSummary"))]
pub struct DatasetSummary {
    /// Such as `idx`, `npz`, `csv` or `pictures`.
    pub format: &'static str,
    /// The classes' names, if they have some.
    pub class_names: Vec<String>,
    /// The column of a table that has what samples are answered with.
    pub label_column: Option<String>,
    /// Samples to train and validate with.
    pub training: Option<PartSummary>,
    /// Samples to report with.
    pub test: Option<PartSummary>,
    /// The scaling that suits the samples.
    pub scaling: Scaling,
    /// The one after which each channel has mean 0 and deviation 1.
    pub standardised: Scaling,
    /// What was found and not used.
    pub ignored: Vec<String>,
}

/// The samples of one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SamplesPart"))]
pub struct PartSummary {
    /// Shape of one sample.
    pub shape: Vec<usize>,
    /// `bytes` or `floats`.
    pub numbers: &'static str,
    /// How many there are.
    #[serde(flatten)]
    pub counts: SplitCounts,
    /// What they are like.
    #[serde(flatten)]
    pub moments: Moments,
}

impl PartSummary {
    fn new(samples: &Samples) -> Self {
        PartSummary {
            shape: samples.shape.clone(),
            numbers: if samples.are_bytes() { "bytes" } else { "floats" },
            counts: SplitCounts::of(samples),
            moments: moments(samples),
        }
    }
}

impl DatasetSummary {
    /// Looks at a data set; its training samples decide on the scaling, if there are some.
    pub fn new(dataset: &Dataset) -> Self {
        let part = |samples: &Option<Samples>| samples.as_ref().map(PartSummary::new);
        let (training, test) = (part(&dataset.training), part(&dataset.test));
        let of_training = dataset.training.as_ref().zip(training.as_ref());
        let any = of_training.or(dataset.test.as_ref().zip(test.as_ref()));
        let (scaling, standardised) = any.map_or_else(Default::default, |(samples, PartSummary { moments, .. })| {
            (moments.suggest(samples), moments.standardise(samples))
        });
        let Dataset { format, class_names, label_column, ignored, .. } = dataset.clone();
        DatasetSummary { format, class_names, label_column, training, test, scaling, standardised, ignored }
    }
}

/// How samples are read for a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SamplesReading {
    /// How their numbers are scaled.
    pub scaling: Scaling,
    /// The network's number of each class, at the place of the data set's.
    pub numbers: Vec<u32>,
    /// The classes' names, in the network's order.
    pub class_names: Vec<String>,
    /// What is to be said, if it is another reading than the usual one.
    pub note: Option<String>,
    /// What was tried.
    #[serde(flatten)]
    pub readings: Readings,
}

impl SamplesReading {
    /// Tries what is plausible, and was not said.
    ///
    /// # Errors
    /// If the network does not run on the samples.
    pub fn new(model: &Model, dataset: &Dataset, said: &Said) -> Result<Self, Error> {
        let readings = Readings::of(model, dataset, said)?;
        let (order, scaling) = (&readings.likely().order, readings.likely().numbers.clone());
        let numbers = dataset.numbering(order)?;
        let class_names = dataset.clone().numbered(order)?.class_names;
        Ok(SamplesReading { scaling, numbers, class_names, note: readings.note(), readings })
    }
}
