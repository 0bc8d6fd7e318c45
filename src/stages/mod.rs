//! The stages, a room each: its function, its numbers with their meaning, and how it is run.
//!
//! A stage is given a network and its settings, and asks the run that it is part of for searches and trainings ([`Tools`]). Which stages
//! there are, and in which order, is said in `pipeline/recipe.rs`.

pub mod alone;
pub mod code;
pub mod dependent;
pub mod expected;
pub mod explain;
pub mod feedback;
pub mod grid;
pub mod kmeans;
pub mod noise;
pub mod normalized;
pub mod plan;
pub mod prune;
pub mod quantize;
pub mod refine;
pub mod round;
pub mod settings;
pub mod share;
pub mod sparse;
pub mod structure;

use crate::data::Samples;
use crate::error::Error;
use crate::model::{FixedPoint, Model, ParamId};
use crate::network::Learner;
use crate::resources::Objective;
use crate::search::Interval;
use expected::Normal;
use settings::{Setting, Target, Training};
use std::collections::HashMap;
use std::sync::Arc;

/// What is to be said of a stage.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    /// Its name, as in a recipe.
    pub name: &'static str,
    /// What it does to a network: a sentence that begins with "it".
    pub sentence: &'static str,
    /// Its numbers, in the order of the recipe.
    pub settings: &'static [Setting],
}

/// The network between two stages.
#[derive(Debug, Clone, PartialEq)]
pub enum StageNetwork {
    /// 32-bit floats.
    Float(Model),
    /// Integers and codebooks.
    Fixed(FixedPoint),
}

impl StageNetwork {
    /// The network in floats.
    pub fn to_model(&self) -> Model {
        match self {
            StageNetwork::Float(model) => model.clone(),
            StageNetwork::Fixed(fixed) => fixed.to_model(),
        }
    }
}

/// What the run lends to a stage.
pub trait Tools {
    /// The network as it was given.
    fn original(&self) -> &Model;

    /// Samples to fit on.
    fn training(&self) -> &Samples;

    /// Samples to search and select on, with the labels that count.
    fn validation(&self) -> &Samples;

    /// What normalisations tell of the outputs of layers, by their weights, where nothing else does.
    fn expected(&self) -> &HashMap<ParamId, Normal>;

    /// What is to be reached.
    fn target(&self) -> Target;

    /// What a network costs.
    fn objective(&self) -> Arc<dyn Objective>;

    /// Factor on each rise of the loss that a search allows, and on the first price of a bit: 1, until a first refining
    /// training has cost far more than the tolerance.
    fn caution(&self) -> f64;

    /// Changes that factor.
    fn be_cautious(&mut self, caution: f64);

    /// The half-interval search of the largest value whose network's mean loss rises by at most the question's limit, times the
    /// caution, over that of `reference`; `None` if none does. `exempt` networks are accepted without looking at their loss: they are still too
    /// large for the budget.
    ///
    /// # Errors
    /// If a network cannot be made or run, or the run is cancelled.
    fn search(
        &mut self,
        question: &Question<'_>,
        reference: &Model,
        candidate: &dyn Fn(f64) -> Result<Model, Error>,
        exempt: &dyn Fn(&Model) -> bool,
    ) -> Result<Option<f64>, Error>;

    /// Tells what a network answers on the validation samples, that was made for a budget: `at` is the value of the variable, the cost what it takes.
    ///
    /// # Errors
    /// If the network cannot be run, or the run is cancelled.
    fn looked(&mut self, variable: &str, at: f64, model: &Model, cost: usize) -> Result<(), Error>;

    /// Tells how sensitive a layer is, by its number in [`Graph::layers`](crate::model::Graph::layers): see `LayerState::sensitivity`.
    ///
    /// # Errors
    /// If the run is cancelled.
    fn tried(&mut self, layer: usize, sensitivity: f64) -> Result<(), Error>;

    /// As much work is done as running so many samples.
    ///
    /// # Errors
    /// If the run is cancelled.
    fn worked(&mut self, samples: usize) -> Result<(), Error>;

    /// Trains; the learner looks up from time to time.
    ///
    /// # Errors
    /// If the learner does not run on the samples, or the run is cancelled.
    fn train(&mut self, learner: &mut dyn Learner, training: &Training) -> Result<(), Error>;
}

/// What a half-interval search is to find.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Name of the searched scalar.
    pub variable: &'a str,
    /// Where it may lie.
    pub interval: Interval,
    /// How often the interval is halved.
    pub probes: usize,
    /// Validation samples that a probe is judged on.
    pub samples: usize,
    /// What is accepted.
    pub limit: Limit,
}

/// What a probe has to keep.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// The mean loss rises by at most this much, in nats, if the run need not be cautious.
    Rise(f64),
    /// The run's tolerance: so many percentage points less than the original has, on all validation samples.
    Tolerance,
}

/// What the work of a stage is estimated from, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// Running one sample forward.
    pub forward: f64,
    /// Training on one sample.
    pub train: f64,
    /// Coding one symbol.
    pub symbol: f64,
}

impl Costs {
    /// A search, and the training after it.
    pub fn round(&self, probes: usize, samples: usize, training: &Training) -> f64 {
        self.forward * (probes * samples) as f64 + self.train * training.samples as f64
    }
}
