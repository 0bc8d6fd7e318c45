//! Refine: quantization-aware training with a price on what the code will cost, in rounds that each start from the integers of the one before.

mod refiner;
mod steer;

pub use refiner::Refiner;

use super::settings::{Effort, Setting, TRAINING, Target, Training};
use super::{Costs, Meta, Tools, structure};
use crate::data::Samples;
use crate::error::Error;
use crate::model::{FixedPoint, Model};
use crate::network::{Evaluation, Gradients, Learner, Look, Progress, evaluate};
use crate::resources::Objective;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use steer::{Steering, caution, far_beyond, next_price};

/// Quantization-aware training that pays for each bit that the coder will spend.
pub const META: Meta = Meta {
    name: "refine",
    sentence: "retrains with a penalty on every bit",
    settings: &[
        Setting::count("rounds", "trainings, each from the integers of the one before; 0 leaves the stage out", 0),
        Setting::count("levels", "weights are integers from minus this to this", 1).at_most(127.0),
        Setting::positive("unit", "a layer's step, in root mean squares of its nonzero weights"),
        Setting::positive("price", "price of a bit at the start, in nats of mean loss; the target steers it"),
        Setting::real("freeze_from", "share of a training after which oscillating weights are frozen").at_most(1.0),
        TRAINING[0],
        TRAINING[1],
        TRAINING[2],
        TRAINING[3],
    ],
};

/// The numbers of this stage; [`META`] says what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "RefineSettings"))]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Settings {
    pub rounds: usize,
    pub levels: i16,
    /// The nearest power of two is taken.
    pub unit: f32,
    pub price: f64,
    pub freeze_from: f64,
    pub training: Training,
}

impl Settings {
    /// Those of an effort. The grids, of 9 to 15 values, are the coarsest on which LeNet-5 loses nothing.
    pub fn of(effort: Effort) -> Self {
        let usual = Settings {
            rounds: 4,
            levels: 5,
            unit: 0.5,
            price: 1e-5,
            freeze_from: 0.7,
            training: Training::new(400_000, 32, 4e-2, 0.4),
        };
        match effort {
            Effort::Calibrate => Settings { rounds: 0, ..usual },
            Effort::Quick => {
                Settings { rounds: 1, levels: 7, price: 5e-6, training: Training::new(90_000, 32, 2e-2, 0.3), ..usual }
            }
            Effort::Balanced => usual,
            Effort::Thorough => Settings { levels: 4, training: Training::new(1_500_000, 128, 4e-2, 0.4), ..usual },
        }
    }

    /// Estimated seconds, without what a missed target adds.
    pub fn work(&self, costs: &Costs) -> f64 {
        (self.rounds * self.training.samples) as f64 * costs.train
    }
}

// How a run goes about its trainings. These were found on LeNet-5; all are shares and factors, none depends on a network's size.

/// The share of a training from which on its networks are candidates for the result: the learning rate is low then.
const LATE: f64 = 0.8;
/// Validations judge candidates at every so many parts of a training, once it is late.
const VALIDATIONS: f64 = 25.0;
/// Before that they only show how the training goes: one in so many is enough.
const SHOWN: f64 = 5.0;
/// Trainings after the first start from a good network: so much lower is their learning rate.
const RESTART: f32 = 0.6;
/// Trainings beyond the recipe's rounds for a target that none of them has met.
const EXTRA_ROUNDS: usize = 3;
/// For a budget they are shorter than the others, by this factor: it was missed by a little.
const EXTRA_SHARE: f64 = 0.4;
/// A training ends a little above the size that it is steered to, the more the shorter it is: the first one is steered to
/// this share of what it should end at, each later one by how the one before it ended.
const FIRST_AIM: f64 = 0.93;
/// The shares that a training may be steered to.
const AIMS: (f64, f64) = (0.85, 1.05);
/// The last round is to shrink the network by this factor, the one before by its square, and so on: a network that shrinks too
/// fast loses units that it needs, the more so the fewer it has.
const ROUND_STEP: f64 = 1.1;
/// A network may still be so much above the budget: the order of the units, searched later, saves about as much, and what is
/// then left of it is trimmed.
const MARGIN: f64 = 1.02;

/// Trains with the bits' price, in rounds that each start from the integers of the one before.
///
/// `None` if the first one took far more than a tolerance allows: what it and the stages before it took is missing for
/// good, and they are to be done again with the caution that the run now has.
///
/// # Errors
/// Those of [`Tools`].
pub fn run(tools: &mut dyn Tools, mut fixed: FixedPoint, settings: &Settings) -> Result<Option<FixedPoint>, Error> {
    let aim_of = tools.target();
    let (objective, validation) = (tools.objective(), tools.validation().clone());
    let before = evaluate(tools.original(), &validation)?;
    let mut price = settings.price * tools.caution();
    let mut aim = FIRST_AIM;
    let mut best = Best { target: aim_of, before, candidate: None };
    for round in 0..settings.rounds + EXTRA_ROUNDS {
        if round >= settings.rounds && best.within_target() {
            break;
        }
        fixed = structure::drop_dead_fixed(&fixed)?;
        let later = settings.rounds.saturating_sub(round + 1) as i32;
        let target = match aim_of {
            Target::Budget(budget) => {
                Target::Budget((budget as f64 * ROUND_STEP.powi(later * (later + 1) / 2)) as usize)
            }
            other => other,
        };
        let mut training = settings.training;
        if round > 0 {
            training.learning_rate *= RESTART;
        }
        if round >= settings.rounds && matches!(target, Target::Budget(_)) {
            training.samples = (EXTRA_SHARE * training.samples as f64) as usize;
        }
        let steering = match target {
            Target::Budget(budget) => {
                Some(Steering::new(price, (aim * budget as f64) as usize, training.learning_rate))
            }
            _ => None,
        };
        let mut steered = Steered {
            refiner: Refiner::new(&fixed, settings.levels, price, &*objective)?,
            steering,
            freeze_from: settings.freeze_from,
            objective: objective.clone(),
            validation: validation.clone(),
            validated: 0.0,
            best: Best { target, before, candidate: None },
            last_cost: 0,
        };
        tools.train(&mut steered, &training)?;
        price = steered.refiner.price;
        if let Target::Budget(budget) = target {
            aim = (aim * budget as f64 / steered.last_cost.max(1) as f64).clamp(AIMS.0, AIMS.1);
        }
        let Some(candidate) = steered.best.candidate else { break };
        fixed = candidate.network.clone();
        if let Target::Tolerance(points) = aim_of {
            let (drop, clear) = accuracy_drop(&before, &candidate.measured, points);
            if round == 0 && tools.caution() == 1.0 && far_beyond(drop, points) {
                tools.be_cautious(caution(drop, points));
                return Ok(None);
            }
            price = next_price(price, drop, points - clear);
        }
        best.offer(candidate);
    }
    let fixed = best.candidate.map_or(fixed, |best| best.network);
    Ok(Some(structure::drop_dead_fixed(&fixed)?))
}

/// A training whose price is steered, and which keeps the best of its late networks.
struct Steered {
    refiner: Refiner,
    /// Only towards a budget.
    steering: Option<Steering>,
    freeze_from: f64,
    objective: Arc<dyn Objective>,
    validation: Samples,
    /// The share of the training at which its network was validated last.
    validated: f64,
    best: Best,
    last_cost: usize,
}

impl Learner for Steered {
    fn model(&self) -> &Model {
        self.refiner.model()
    }

    fn learn(&mut self, gradients: &Gradients, step: &Progress) {
        self.refiner.learn(gradients, step);
    }

    fn look(&mut self, share: f64) -> Result<Look, Error> {
        let network = self.refiner.fixed_point();
        let cost = self.objective.cost(&network)?;
        self.last_cost = cost;
        let mut accuracy = None;
        let every = if share >= LATE { VALIDATIONS } else { VALIDATIONS / SHOWN };
        if (share * every).floor() / every > self.validated || share == 1.0 {
            self.validated = (share * every).floor() / every;
            let measured = evaluate(self.refiner.model(), &self.validation)?;
            accuracy = Some(measured.accuracy());
            if share >= LATE {
                self.best.offer(Candidate { network, cost, measured });
            }
        }
        if let Some(steering) = &mut self.steering {
            self.refiner.price = steering.observe(share, cost);
        }
        if share >= self.freeze_from {
            self.refiner.freezing = Some(((share - self.freeze_from) / (1.0 - self.freeze_from)) as f32);
        }
        Ok(Look { cost: Some(cost), accuracy })
    }
}

/// A network that a training came by.
struct Candidate {
    network: FixedPoint,
    cost: usize,
    /// On all validation samples.
    measured: Evaluation,
}

/// The best network so far, by the target: of those within it the most accurate or the smallest; else the one that misses
/// it by the least.
struct Best {
    target: Target,
    /// Of the original, on the same samples as the candidates.
    before: Evaluation,
    candidate: Option<Candidate>,
}

impl Best {
    fn offer(&mut self, candidate: Candidate) {
        if self.candidate.as_ref().is_none_or(|best| self.rank(&candidate) < self.rank(best)) {
            self.candidate = Some(candidate);
        }
    }

    /// Lower is better: first by how far the target is missed, then by what is to be as small as it can be.
    fn rank(&self, candidate: &Candidate) -> (f64, f64) {
        let Candidate { cost, measured, .. } = candidate;
        match self.target {
            Target::Tolerance(points) => {
                let (drop, clear) = accuracy_drop(&self.before, measured, points);
                ((drop + clear - points).max(0.0), *cost as f64)
            }
            Target::Budget(budget) => (cost.saturating_sub((MARGIN * budget as f64) as usize) as f64, measured.loss),
            Target::Snr(_) | Target::Lossless => (0.0, measured.loss),
        }
    }

    /// Whether the target is met, with what is kept clear.
    fn within_target(&self) -> bool {
        self.candidate.as_ref().is_some_and(|best| self.rank(best).0 == 0.0)
    }
}

/// By how much an accuracy is lower than another on as many samples, and how much of the tolerance is to be kept clear, in
/// percentage points.
fn accuracy_drop(before: &Evaluation, after: &Evaluation, tolerance: f64) -> (f64, f64) {
    let (from, to) = (before.accuracy(), after.accuracy());
    (100.0 * (from - to), kept_clear([from, to], after.samples, tolerance))
}

/// How much of a tolerance is to be kept clear, in percentage points, between two accuracies on so many samples. Of many candidates the one that seems best is
/// not as good as it seems: one standard error is kept clear, but no more than all of the tolerance, since no network has to be better than the original.
pub fn kept_clear(accuracies: [f64; 2], samples: usize, tolerance: f64) -> f64 {
    let variance = |accuracy: &f64| accuracy * (1.0 - accuracy) / samples.max(1) as f64;
    (100.0 * accuracies.iter().map(variance).sum::<f64>().sqrt()).min(tolerance)
}
