//! What is to be said of a data set.

use crate::data::moments::{Moments, moments};
use crate::data::{Dataset, Samples};
use crate::model::Scaling;
use crate::pipeline::SplitCounts;
use serde::Serialize;

/// A data set in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SamplesSummary"))]
pub struct DatasetSummary {
    /// Such as `idx`, `npz`, `csv` or `pictures`.
    pub format: &'static str,
    /// The classes' names, if they have some.
    pub class_names: Vec<String>,
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
        let (class_names, ignored) = (dataset.class_names.clone(), dataset.ignored.clone());
        DatasetSummary { format: dataset.format, class_names, training, test, scaling, standardised, ignored }
    }
}
