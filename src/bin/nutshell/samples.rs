//! The options that say what samples are, and how a network is to see them.

use crate::{files, units};
use clap::{Args, ValueEnum};
use nutshell::data::arrays::Layout;
use nutshell::data::csv::LabelColumn;
use nutshell::data::order::ClassOrder;
use nutshell::data::resample::scaled_sides;
use nutshell::data::scalings::named;
use nutshell::data::{Dataset, Options, Samples, open};
use nutshell::model::{Model, Scaling};
use nutshell::pipeline::{Data, Readings, Said, Split};
use nutshell::{Error, Network};
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
    fn options(&self, inputs: Option<usize>) -> Options {
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
        Options { label, layout, shape: self.shape.clone(), inputs, ..Options::default() }
    }

    /// Opens a file, a folder, or standard input; `inputs` are the numbers of one sample, where a network says them.
    pub fn open(&self, path: &Path, inputs: Option<usize>) -> Result<Dataset, Error> {
        match files::is_standard(path) {
            true => open::read(&files::read(path)?, &self.options(inputs)),
            false => open::open(path, &self.options(inputs)),
        }
    }

    /// The shape of the samples, where a network leaves sizes open that it can be run with.
    pub fn shape_for(&self, network: &Network, path: &Path) -> Result<Vec<usize>, Error> {
        if network.model.is_some() || files::is_standard(path) {
            return Ok(Vec::new());
        }
        let dataset = self.open(path, None)?;
        Ok(dataset.training.or(dataset.test).map_or_else(Vec::new, |samples| samples.shape))
    }

    /// Reads the bytes of a file.
    pub fn read(&self, bytes: &[u8]) -> Result<Dataset, Error> {
        open::read(bytes, &self.options(None))
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
    #[command(flatten)]
    ways: Ways,
}

/// How samples become what a network sees; what is not said is tried on the labels, where the samples have some.
#[derive(Debug, Args)]
pub struct Ways {
    /// How numbers become what the network sees, instead of the recipe's way [default: what fits the network].
    #[arg(long, value_enum)]
    scaling: Option<ScalingName>,
    /// The network's order of the classes: given (as the data set has them), text (0, 1, 10, 11, 2, as torchvision and Keras sort folders), dense
    /// (without gaps, from 0), or the network's number of each class, such as 1,0,2 [default: what fits the network].
    #[arg(long, value_name = "ORDER", value_parser = ClassOrder::of_name)]
    class_order: Option<ClassOrder>,
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
    /// To mean 0 and deviation 1, each channel by itself.
    Standardised,
    /// From -1 to 1: (byte / 255 - 0.5) / 0.5.
    Symmetric,
    /// Floats from 0 to 1 times 255.
    Times255,
    /// (byte / 255 - 0.1307) / 0.3081.
    Mnist,
    /// Each colour by ImageNet's mean and deviation, as torchvision does.
    Imagenet,
}

/// What samples are read for. The split and the scaling are put in place of what is there.
pub struct Purpose<'a> {
    /// The network that is to read them, if there is one.
    pub model: Option<&'a Model>,
    /// Which samples are held out.
    pub split: &'a mut Split,
    /// How numbers become what the network sees.
    pub scaling: &'a mut Scaling,
    /// Whether a recipe says the split.
    pub split_is_said: bool,
    /// Whether a recipe, or the network's file, says the scaling.
    pub scaling_is_said: bool,
    /// The scaling that networks of this kind have, which holds where no labels tell.
    pub usual: Option<Scaling>,
}

impl Use {
    /// As [`Reading::shape_for`].
    pub fn shape_for(&self, network: &Network, path: &Path) -> Result<Vec<usize>, Error> {
        self.reading.shape_for(network, path)
    }

    /// Whether anything is said.
    pub fn is_given(&self) -> bool {
        self.is_given_beside_scaling() || self.ways.scaling.is_some()
    }

    /// Whether anything is said but the scaling.
    pub fn is_given_beside_scaling(&self) -> bool {
        let Reading { label_column, layout, shape } = &self.reading;
        let reading = label_column.is_some() || layout.is_some() || shape.is_some();
        let split = self.split_test.is_some() || self.validation.is_some() || self.split_seed.is_some();
        reading || split || self.ways.class_order.is_some()
    }

    /// The scaling that was said, for these samples.
    pub fn scaling_of(&self, samples: &Samples) -> Option<Scaling> {
        self.ways.scaling_of(samples)
    }

    /// Opens the samples as they are to be read for a network. A split that nobody said adapts to the samples (see [`Split::for_samples`]), a scaling
    /// and an order of the classes to the network (see [`Readings`]).
    pub fn open(&self, path: &Path, purpose: Purpose) -> Result<Dataset, Error> {
        let Purpose { model, split, scaling, split_is_said, scaling_is_said, usual } = purpose;
        let mut dataset = self.reading.open(path, model.map(inputs))?;
        for ignored in &dataset.ignored {
            say(&format!("not used: {ignored}"));
        }
        let known = scaling_is_said.then(|| scaling.clone()).or(usual.filter(|_| !dataset.labelled()));
        let said = self.ways.said(&dataset, known);
        let order = match model {
            Some(model) => {
                let readings = Readings::of(model, &dataset, &said)?;
                readings.note().iter().for_each(|note| say(note));
                *scaling = readings.likely().numbers.clone();
                readings.likely().order.clone()
            }
            None => {
                *scaling = said.scaling.unwrap_or_else(|| scaling.clone());
                said.order.unwrap_or_default()
            }
        };
        dataset = dataset.numbered(&order)?;
        if let (Some(model), Some(samples)) = (model, dataset.training.as_ref().or(dataset.test.as_ref()))
            && let Some((from, to)) = scaled_sides(samples, &model.graph.input_shape)
        {
            say(&format!(
                "the middle of each picture, of {} x {} pixels, is scaled to {} x {}",
                from[0], from[1], to[0], to[1]
            ));
        }
        if let Some(training) = dataset.training.as_ref().filter(|_| !split_is_said) {
            *split = split.for_samples(training.len(), dataset.format == "idx");
        }
        split.validation = self.validation.unwrap_or(split.validation);
        split.seed = self.split_seed.unwrap_or(split.seed);
        match self.split_test {
            Some(share) => Ok(dataset.hold_out_test(share, split.seed)?),
            None => Ok(dataset),
        }
    }
}

impl Ways {
    fn scaling_of(&self, samples: &Samples) -> Option<Scaling> {
        named(self.scaling?.to_possible_value()?.get_name(), samples)
    }

    /// What is said of samples; `known` is a scaling that something else says.
    pub fn said(&self, dataset: &Dataset, known: Option<Scaling>) -> Said {
        let samples = dataset.training.as_ref().or(dataset.test.as_ref());
        let scaling = samples.and_then(|samples| self.scaling_of(samples));
        Said { scaling: scaling.or(known), order: self.class_order.clone() }
    }
}

/// The numbers of one sample that a network reads.
pub fn inputs(model: &Model) -> usize {
    model.graph.input_shape.iter().product()
}

/// A line for who watches. Nobody is left to tell that nobody listens.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// What a run works on.
pub fn data(dataset: Dataset) -> Result<Data, Error> {
    Ok(Data { training: dataset.training()?.clone(), test: dataset.test })
}
