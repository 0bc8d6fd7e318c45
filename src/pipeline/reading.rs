//! How samples are to be read for a network, where neither says it: the scaling and the order of the classes are tried, on labels;
//! on numbers to answer with, the scaling.

use crate::data::order::ClassOrder;
use crate::data::scalings::{named, plausible};
use crate::data::{Dataset, Samples};
use crate::error::Error;
use crate::model::{Function, Model, Op, Scaling};
use crate::network::{Evaluation, logits, predictions};
use crate::ranking::distinct;
use crate::resources::macs;
use ndarray::Array2;
use serde::Serialize;

/// One way to read samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reading {
    /// The scaling's name, or what it is where it has none.
    pub scaling: String,
    /// The scaling.
    #[serde(skip)]
    pub numbers: Scaling,
    /// The order of the classes, as [`ClassOrder::name`] writes it.
    pub classes: String,
    /// The order of the classes.
    #[serde(skip)]
    pub order: ClassOrder,
    /// The share of samples that the network answers correctly so, or R2 to their numbers; none if these do not fit its outputs, or there are none.
    pub accuracy: Option<f64>,
}

/// The ways that were tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Readings {
    /// How many samples they were tried on.
    pub samples: usize,
    /// The first is what the data set and the recipe say.
    pub readings: Vec<Reading>,
    /// The place of the likely one.
    pub likely: usize,
    /// Whether the samples have numbers to answer with: what is told of each reading is then R2.
    pub by_r2: bool,
}

/// What was said of the reading, and is not tried.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// The scaling.
    pub scaling: Option<Scaling>,
    /// The order of the classes.
    pub order: Option<ClassOrder>,
}

/// Samples that are tried, and the multiplications that a scaling may take: large networks are tried on fewer.
const MOST_SAMPLES: usize = 512;
const LEAST_SAMPLES: usize = 48;
const MOST_MACS: u64 = 20_000_000_000;
/// What reads that well is taken as it is.
const GOOD: f64 = 0.9;
/// Standard errors that another reading has to be better by.
const SURE: f64 = 3.0;
/// The share of samples that a network's classes have to explain, each by one of its own, to be taken for the same classes in another order.
const PURE: f64 = 0.8;
/// Samples of a class that are enough to tell its answer.
const LEAST_OF_CLASS: usize = 3;
/// A factor that the graph divides its input by, or a number that it subtracts, which bytes alone need.
const OF_BYTES: f32 = 32.0;

impl Readings {
    /// Tries what is plausible, and was not said.
    ///
    /// # Errors
    /// If the network does not run on the samples.
    pub fn of(model: &Model, dataset: &Dataset, said: &Said) -> Result<Self, Error> {
        let training = dataset.training.as_ref().or(dataset.test.as_ref());
        let Some(all) = training else { return Err(dataset.training().unwrap_err().into()) };
        let work: u64 = macs(model)?.iter().map(|layer| layer.dense).sum();
        let most = (MOST_MACS / work.max(1)).clamp(LEAST_SAMPLES as u64, MOST_SAMPLES as u64) as usize;
        let some = all.at_most(most.min(all.len()), 1)?;

        // Numbers of words, or bytes that the graph takes as such, are never scaled.
        let integers = model.graph.integers(true)[0].then_some(Scaling::Raw);
        let said = &Said { scaling: said.scaling.clone().or(integers), order: said.order.clone() };
        let usual = match (&said.scaling, divides_bytes(model) && some.are_bytes()) {
            (Some(scaling), _) => (named_as(scaling, all), scaling.clone()),
            (None, true) => ("raw".to_owned(), Scaling::Raw),
            (None, false) => ("unit".to_owned(), Scaling::Unit),
        };
        let mut tried = Tried { dataset, some: &some, readings: Vec::new() };
        let first_logits = tried.scaled(model, usual.clone(), &[said.order.clone().unwrap_or_default()])?;
        let good = tried.readings[0].accuracy.is_some_and(|accuracy| accuracy >= GOOD);
        if (some.labelled() || some.targets.is_some()) && !good {
            tried.try_others(model, said, usual, first_logits)?;
        }
        let likely = tried.likely();
        let by_r2 = some.targets.is_some();
        Ok(Readings { samples: some.len(), readings: tried.readings, likely, by_r2 })
    }

    /// The likely one.
    pub fn likely(&self) -> &Reading {
        &self.readings[self.likely]
    }

    /// What is to be said, if it is another than what was given.
    pub fn note(&self) -> Option<String> {
        let (likely, given) = (self.likely(), &self.readings[0]);
        let options = |of: &Reading| {
            let scaling = (likely.scaling != given.scaling).then(|| format!(" --scaling {}", of.scaling));
            let order = (likely.classes != given.classes).then(|| format!(" --class-order {}", of.classes));
            scaling.unwrap_or_default() + &order.unwrap_or_default()
        };
        let percent = |accuracy: Option<f64>| match accuracy {
            Some(r2) if self.by_r2 => format!("an R2 of {r2:.4}"),
            Some(accuracy) => format!("{:.2} %", 100.0 * accuracy),
            None => "none, since the labels do not fit the network's outputs,".to_owned(),
        };
        let (read, given_words) = (options(likely), options(given));
        let (better, worse) = (percent(likely.accuracy), percent(given.accuracy));
        (self.likely > 0).then(|| match self.by_r2 {
            true => format!(
                "the samples are read with{read}: so the network answers {} samples with {better}, and with {worse} as they are given (which{given_words} would keep)",
                self.samples
            ),
            false => format!(
                "the samples are read with{read}: so {better} of {} samples are answered correctly, and {worse} as they are given (which{given_words} would keep)",
                self.samples
            ),
        })
    }
}

/// Whether a graph brings its input to a small range itself, so that it reads bytes as they are.
fn divides_bytes(model: &Model) -> bool {
    model.graph.nodes.iter().filter(|node| node.inputs.first().is_some_and(|value| value.0 == 0)).any(
        |node| match &node.op {
            Op::Unary(unary) => match unary.function {
                Function::Times => unary.a.get().abs() * OF_BYTES <= 1.0,
                Function::Over => unary.a.get().abs() >= OF_BYTES,
                Function::Plus => unary.a.get().abs() >= OF_BYTES,
                _ => false,
            },
            _ => false,
        },
    )
}

/// The name of a scaling, if it has one.
fn named_as(scaling: &Scaling, samples: &Samples) -> String {
    let name = plausible(samples).into_iter().find(|name| named(name, samples).as_ref() == Some(scaling));
    name.map_or_else(|| "of the recipe".to_owned(), str::to_owned)
}

/// What was tried so far.
struct Tried<'a> {
    dataset: &'a Dataset,
    some: &'a Samples,
    readings: Vec<Reading>,
}

impl Tried<'_> {
    /// Answers the samples, scaled so, and compares with their classes in each order.
    fn scaled(
        &mut self,
        model: &Model,
        scaling: (String, Scaling),
        orders: &[ClassOrder],
    ) -> Result<Array2<f32>, Error> {
        let samples = Samples { scaling: scaling.1.clone(), ..self.some.clone() };
        let logits = logits(model, &samples)?;
        for order in orders {
            self.ordered(&scaling, order.clone(), &logits)?;
        }
        Ok(logits)
    }

    fn ordered(&mut self, scaling: &(String, Scaling), order: ClassOrder, logits: &Array2<f32>) -> Result<(), Error> {
        let labels = self.labels(&order)?;
        // Two orders that number the samples' classes alike are one.
        let known = |it: &&Reading| {
            it.numbers == scaling.1 && self.labels(&it.order).is_ok_and(|other| other.labels == labels.labels)
        };
        if self.readings.iter().find(known).is_some() {
            return Ok(());
        }
        let outputs = logits.ncols();
        let fits = match &labels.targets {
            Some(targets) => targets.ncols() == outputs,
            None => labels.labelled() && labels.classes() <= if outputs == 1 { 2 } else { outputs },
        };
        let accuracy = match fits {
            true => Some(Evaluation::of_outputs(logits, &labels)?.accuracy()),
            false => None,
        };
        let (scaling, numbers) = scaling.clone();
        self.readings.push(Reading { scaling, numbers, classes: order.name(), order, accuracy });
        Ok(())
    }

    /// The samples with their classes in another order, which is that of the whole data set.
    fn labels(&self, order: &ClassOrder) -> Result<Samples, Error> {
        let dataset = self.dataset.clone().numbered(order)?;
        let all = dataset.training.or(dataset.test).unwrap_or_else(|| self.some.clone());
        Ok(Samples { labels: all.labels, ..self.some.clone() })
    }

    fn try_others(
        &mut self,
        model: &Model,
        said: &Said,
        usual: (String, Scaling),
        first: Array2<f32>,
    ) -> Result<(), Error> {
        let orders = match &said.order {
            Some(order) => vec![order.clone()],
            None => vec![ClassOrder::Given, ClassOrder::Text, ClassOrder::Dense],
        };
        for order in &orders {
            self.ordered(&usual, order.clone(), &first)?;
        }
        let mut answered = vec![(usual.clone(), first)];
        if said.scaling.is_none() {
            for name in plausible(self.some) {
                let Some(scaling) = named(name, self.some).filter(|scaling| *scaling != usual.1) else { continue };
                let scaling = (name.to_owned(), scaling);
                let logits = self.scaled(model, scaling.clone(), &orders)?;
                answered.push((scaling, logits));
            }
        }
        let best = self.readings.iter().filter_map(|reading| reading.accuracy).fold(0.0, f64::max);
        if said.order.is_none() && self.some.labelled() && best < PURE {
            let other =
                answered.iter().find_map(|(scaling, logits)| Some((scaling, self.permutation(logits)?, logits)));
            if let Some((scaling, order, logits)) = other {
                self.ordered(&scaling.clone(), order, &logits.clone())?;
            }
        }
        Ok(())
    }

    /// The order in which the network numbers the classes, if each has an answer of its own that most of its samples get.
    fn permutation(&self, logits: &Array2<f32>) -> Option<ClassOrder> {
        let (outputs, classes) = (logits.ncols(), self.some.classes());
        if outputs < 2 || classes > outputs {
            return None;
        }
        let mut counts = Array2::<usize>::zeros((classes, outputs));
        for (index, answer) in predictions(logits).into_iter().enumerate() {
            counts[(self.some.label(index)?, answer)] += 1;
        }
        let most = counts.rows().into_iter().map(|row| (0..outputs).max_by_key(|&answer| row[answer]).unwrap_or(0));
        let answers: Vec<usize> = most.collect();
        let explained: usize = answers.iter().enumerate().map(|(class, &answer)| counts[(class, answer)]).sum();
        let enough = counts.rows().into_iter().all(|row| row.sum() >= LEAST_OF_CLASS);
        let sure = enough && distinct(&answers).len() == classes && explained as f64 >= PURE * self.some.len() as f64;
        sure.then(|| ClassOrder::Listed(answers.iter().map(|&answer| answer as u32).collect()))
    }

    /// What was given, unless another is better beyond doubt.
    fn likely(&self) -> usize {
        let accuracy = |reading: &Reading| reading.accuracy.unwrap_or(f64::NEG_INFINITY);
        let best = (0..self.readings.len())
            .fold(0, |best, at| if accuracy(&self.readings[at]) > accuracy(&self.readings[best]) { at } else { best });
        let (given, better) = (self.readings[0].accuracy, self.readings[best].accuracy.unwrap_or(0.0));
        let Some(given) = given else { return best };
        if better <= 0.0 {
            // The network explains nothing of the numbers, however they are read.
            return 0;
        }
        let variance = |share: f64| (share * (1.0 - share)).max(1e-9) / self.some.len() as f64;
        let error = (variance(given) + variance(better)).sqrt();
        if better - given > SURE * error { best } else { 0 }
    }
}
