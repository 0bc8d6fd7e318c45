//! How much of a run is done, in estimated seconds.

use super::event::Event;
use super::recipe::{Recipe, Stage};
use crate::error::GraphError;
use crate::model::Model;
use crate::stages::Costs;
use crate::stages::settings::Effort;

/// What a usual machine does in a second; who shows the progress compares it with a clock.
struct Machine {
    /// Multiply-accumulates of a network that runs or is trained.
    macs: f64,
    /// Samples that are drawn, mapped and moved.
    samples: f64,
    /// Symbols that are coded in trials.
    symbols: f64,
}

/// As measured: docs/BENCHMARKS.md.
const MACHINE: Machine = if cfg!(target_arch = "wasm32") {
    Machine { macs: 20e9, samples: 20e3, symbols: 3e6 }
} else {
    Machine { macs: 90e9, samples: 50e3, symbols: 10e6 }
};

/// Multiply-accumulates of training on a sample, over those of running it.
const TRAINING: f64 = 3.0;

/// The work of a run.
pub struct Work {
    done: f64,
    /// What will be done at the end of the stage.
    stage: f64,
    /// What will be done at the end of the run.
    of: f64,
    /// What the network of this stage costs.
    pub costs: Costs,
    validation: usize,
}

impl Work {
    /// The work of all stages: first the original answers all samples, which trainings aim at.
    pub fn new(recipe: &Recipe, original: &Model, training: usize, validation: usize) -> Result<Self, GraphError> {
        let costs = costs_of(original)?;
        let mut work = Work { done: 0.0, stage: 0.0, of: 0.0, costs, validation };
        work.stage = costs.forward * (training + validation) as f64;
        work.of = work.stage + work.after(recipe, Stage::Original);
        Ok(work)
    }

    /// The work after a stage, with the network as it is.
    fn after(&self, recipe: &Recipe, stage: Stage) -> f64 {
        let later = Stage::ALL.into_iter().filter(|&other| other > stage && recipe.includes(other));
        later.map(|stage| self.of_stage(recipe, stage)).sum()
    }

    /// The work of a stage, and of measuring what it made.
    fn of_stage(&self, recipe: &Recipe, stage: Stage) -> f64 {
        recipe.work(stage, &self.costs) + self.costs.forward * self.validation as f64
    }

    /// A stage begins, on a network that may be smaller than the one before, and perhaps for a second time.
    pub fn start(&mut self, recipe: &Recipe, stage: Stage, model: &Model) -> Result<(), GraphError> {
        self.costs = costs_of(model)?;
        self.stage = self.done + self.of_stage(recipe, stage);
        self.of = self.stage + self.after(recipe, stage);
        Ok(())
    }

    /// The stages up to one were done before this run was resumed.
    pub fn skip(&mut self, recipe: &Recipe, last: Stage) {
        self.done = self.of - self.after(recipe, last);
        self.stage = self.done;
    }

    /// So many seconds are needed at least before the stage ends.
    pub fn needs(&mut self, seconds: f64) {
        let more = (self.done + seconds - self.stage).max(0.0);
        self.stage += more;
        self.of += more;
    }

    /// So many seconds' work is done.
    pub fn worked(&mut self, seconds: f64) {
        self.done = (self.done + seconds).min(self.stage);
    }

    /// The stage is over.
    pub fn finish(&mut self) {
        self.done = self.stage;
    }

    /// How it stands.
    pub fn event(&self) -> Event {
        Event::Progress { done: self.done, of: self.of }
    }
}

/// Estimated seconds from which on a training is too long to be what nobody asked for.
const PATIENCE: f64 = 900.0;

/// The effort for a network and so many samples where none is asked for: the usual one, or [`Effort::Calibrate`] if its trainings would take too long;
/// and the estimated seconds of the usual one.
///
/// # Errors
/// If the model's shapes do not fit.
pub fn suited_effort(usual: Effort, model: &Model, samples: usize) -> Result<(Effort, f64), GraphError> {
    let recipe = Recipe::new(usual);
    let validation = recipe.split.validation.min(samples / 5);
    let seconds = Work::new(&recipe, model, samples - validation, validation)?.of;
    Ok((if seconds > PATIENCE { Effort::Calibrate } else { usual }, seconds))
}

fn costs_of(model: &Model) -> Result<Costs, GraphError> {
    let (macs, sample) = (model.macs()? as f64 / MACHINE.macs, 1.0 / MACHINE.samples);
    Ok(Costs { forward: macs + 0.1 * sample, train: TRAINING * macs + sample, symbol: 1.0 / MACHINE.symbols })
}
