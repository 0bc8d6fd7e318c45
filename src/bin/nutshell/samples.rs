//! The options that say what samples are, and how a network is to see them.

use crate::{files, units};
use clap::{Args, ValueEnum};
use nutshell::Error;
use nutshell::data::arrays::Layout;
use nutshell::data::csv::LabelColumn;
use nutshell::data::moments::moments;
use nutshell::data::{Dataset, Options, Samples, open};
use nutshell::model::{Graph, Scaling};
use nutshell::pipeline::{Data, Split};
use std::io::{self, Write};
use std::path::Path;

/// How samples are read.
#[derive(Debug, Args)]
pub struct Reading {
    /// Of a CSV file: the column with the class, by its name or its number from 1, or none [default: the one named label, class, target, y or
    /// species, else the first or the last, if just one of them looks like classes].
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,
    /// Of arrays: where the channels are [default: last, if that axis has 1, 3 or 4].
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    /// The shape of one sample, such as 1,28,28, instead of the one that the file has.
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    shape: Option<Vec<usize>>,
}

/// Where the channels are.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LayoutName {
    /// [n, channels, height, width].
    ChannelsFirst,
    /// [n, height, width, channels].
    ChannelsLast,
}

impl Reading {
    fn options(&self) -> Options {
        let label = match self.label_column.as_deref() {
            None => LabelColumn::Guess,
            Some("none") => LabelColumn::None,
            Some(name) => LabelColumn::Named(name.to_owned()),
        };
        let layout = match self.layout {
            None => Layout::Guess,
            Some(LayoutName::ChannelsFirst) => Layout::ChannelsFirst,
            Some(LayoutName::ChannelsLast) => Layout::ChannelsLast,
        };
        Options { label, layout, shape: self.shape.clone(), ..Options::default() }
    }

    /// Opens a file, a folder, or standard input.
    pub fn open(&self, path: &Path) -> Result<Dataset, Error> {
        match files::is_standard(path) {
            true => self.read(&files::read(path)?),
            false => open::open(path, &self.options()),
        }
    }

    /// Reads the bytes of a file.
    pub fn read(&self, bytes: &[u8]) -> Result<Dataset, Error> {
        open::read(bytes, &self.options())
    }
}

/// How samples are read, split and scaled.
#[derive(Debug, Args)]
pub struct Use {
    #[command(flatten)]
    reading: Reading,
    /// If the data have no test samples: the share of all, above 0 and below 1, that is held out as such, each class in its share. The same
    /// seed of the split gives the same ones.
    #[arg(long, value_name = "SHARE", value_parser = units::share, allow_negative_numbers = true)]
    split_test: Option<f64>,
    /// Number of validation samples [default: the recipe's; else 5000, or a fifth of the samples if that is less].
    #[arg(long, value_name = "N")]
    validation: Option<usize>,
    /// Seed of the split: 0 holds out the last samples, another draws them, each class in its share [default: the recipe's; else 0 for IDX files, as
    /// is the custom with MNIST, and 1 for others].
    #[arg(long, value_name = "N")]
    split_seed: Option<u64>,
    /// How numbers become what the network sees, instead of the recipe's way.
    #[arg(long, value_enum)]
    scaling: Option<ScalingName>,
}

/// How numbers become what the network sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScalingName {
    /// Bytes divided by 255; floats as they are.
    Unit,
    /// As they are.
    Raw,
    /// What suits the training samples: as `inspect` says.
    Auto,
}

impl Use {
    /// Whether anything is said.
    pub fn is_given(&self) -> bool {
        let Reading { label_column, layout, shape } = &self.reading;
        let reading = label_column.is_some() || layout.is_some() || shape.is_some();
        let split = self.split_test.is_some() || self.validation.is_some() || self.split_seed.is_some();
        reading || split || self.scaling.is_some()
    }

    /// The scaling for a network: integers that it reads stay as they are, unless something else was `chosen`.
    pub fn for_integers(&self, chosen: bool, graph: &Graph, scaling: Scaling) -> Scaling {
        let raw = self.scaling.is_none() && !chosen && graph.integers(true)[0];
        if raw { Scaling::Raw } else { scaling }
    }

    /// Opens the samples, and puts what was said of split and scaling in place of what was there. A split that nobody `chose` adapts to the samples:
    /// see [`Split::for_samples`].
    pub fn open(&self, path: &Path, split: &mut Split, chosen: bool, scaling: &mut Scaling) -> Result<Dataset, Error> {
        let mut dataset = self.reading.open(path)?;
        if let Some(training) = dataset.training.as_ref().filter(|_| !chosen) {
            *split = split.for_samples(training.len(), dataset.format == "idx");
        }
        split.validation = self.validation.unwrap_or(split.validation);
        split.seed = self.split_seed.unwrap_or(split.seed);
        for ignored in &dataset.ignored {
            // Nobody is left to tell that nobody listens.
            let _ = writeln!(io::stderr(), "not used: {ignored}");
        }
        if let Some(share) = self.split_test {
            dataset = dataset.hold_out_test(share, split.seed)?;
        }
        match self.scaling {
            None => {}
            Some(ScalingName::Unit) => *scaling = Scaling::Unit,
            Some(ScalingName::Raw) => *scaling = Scaling::Raw,
            Some(ScalingName::Auto) => *scaling = suggested(dataset.training()?),
        }
        Ok(dataset)
    }
}

/// The scaling that suits samples.
pub fn suggested(samples: &Samples) -> Scaling {
    moments(samples).suggest(samples)
}

/// What a run works on.
pub fn data(dataset: Dataset) -> Result<Data, Error> {
    Ok(Data { training: dataset.training()?.clone(), test: dataset.test })
}
