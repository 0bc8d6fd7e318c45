//! The refine stage: one steered training a round.

use super::event::{Accuracy, Stage};
use super::recipe::Target;
use super::run::{Run, Watched, measure};
use super::steer::{Steering, caution, far_beyond, next_price};
use crate::container;
use crate::error::Error;
use crate::model::FixedPoint;
use crate::pipeline::SplitName;
use crate::stages::refine::Refiner;
use crate::stages::structure;

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
pub fn refine(run: &mut Run<'_>, mut fixed: FixedPoint) -> Result<Option<FixedPoint>, Error> {
    let recipe = run.recipe.refine;
    let options = run.recipe.write_options();
    let before = run.validate(run.original)?;
    let validation = run.validation.clone();
    let mut price = recipe.price * run.caution;
    let mut aim = FIRST_AIM;
    let mut best = Best { target: run.recipe.target, before, candidate: None };
    for round in 0..recipe.rounds + EXTRA_ROUNDS {
        if round >= recipe.rounds && best.within_target() {
            break;
        }
        fixed = structure::drop_dead_fixed(&fixed)?;
        let mut refiner = Refiner::new(&fixed, recipe.levels, price)?;
        let later = recipe.rounds.saturating_sub(round + 1) as i32;
        let target = match run.recipe.target {
            Target::Budget(bytes) => Target::Budget((bytes as f64 * ROUND_STEP.powi(later * (later + 1) / 2)) as usize),
            tolerance => tolerance,
        };
        let mut of_round = Best { target, before, candidate: None };
        let mut validated = 0.0;
        let mut training = recipe.training;
        if round > 0 {
            training.learning_rate *= RESTART;
        }
        if round >= recipe.rounds && matches!(target, Target::Budget(_)) {
            training.samples = (EXTRA_SHARE * training.samples as f64) as usize;
        }
        let mut steering = match target {
            Target::Budget(bytes) => Some(Steering::new(price, (aim * bytes as f64) as usize, training.learning_rate)),
            Target::Tolerance(_) => None,
        };
        let mut last_bytes = 0;
        run.train(Stage::Refine, &mut refiner, &training, |refiner, progress| {
            let now = refiner.fixed_point();
            let bytes = container::write(&now, &options)?.bytes.len();
            last_bytes = bytes;
            let mut accuracy = None;
            let every = if progress >= LATE { VALIDATIONS } else { VALIDATIONS / SHOWN };
            if (progress * every).floor() / every > validated || progress == 1.0 {
                validated = (progress * every).floor() / every;
                let measured = measure(refiner.network(), &validation, SplitName::Validation)?;
                if progress >= LATE {
                    of_round.offer(Candidate { network: now, bytes, accuracy: measured });
                }
                accuracy = Some(measured.accuracy);
            }
            if let Some(steering) = &mut steering {
                refiner.price = steering.observe(progress, bytes);
            }
            if progress >= recipe.freeze_from {
                refiner.freezing = Some(((progress - recipe.freeze_from) / (1.0 - recipe.freeze_from)) as f32);
            }
            Ok(Watched { bytes: Some(bytes), accuracy })
        })?;
        price = refiner.price;
        if let Target::Budget(bytes) = target {
            aim = (aim * bytes as f64 / last_bytes.max(1) as f64).clamp(AIMS.0, AIMS.1);
        }
        let Some(candidate) = of_round.candidate else { break };
        fixed = candidate.network.clone();
        if let Target::Tolerance(points) = run.recipe.target {
            let (drop, clear) = accuracy_drop(&before, &candidate.accuracy, points);
            if round == 0 && run.caution == 1.0 && far_beyond(drop, points) {
                run.caution = caution(drop, points);
                return Ok(None);
            }
            price = next_price(price, drop, points - clear);
        }
        best.offer(candidate);
    }
    let fixed = structure::drop_dead_fixed(&best.candidate.map_or(fixed, |best| best.network))?;
    run.finish_fixed(Stage::Refine, &fixed)?;
    Ok(Some(fixed))
}

/// A network that a training came by.
struct Candidate {
    network: FixedPoint,
    bytes: usize,
    /// On all validation samples.
    accuracy: Accuracy,
}

/// The best network so far, by the target: of those within it the most accurate or the smallest; else the one that misses
/// it by the least.
struct Best {
    target: Target,
    /// Of the original, on the same samples as the candidates.
    before: Accuracy,
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
        let Candidate { bytes, accuracy, .. } = candidate;
        match self.target {
            Target::Budget(budget) => (bytes.saturating_sub((MARGIN * budget as f64) as usize) as f64, accuracy.loss),
            Target::Tolerance(points) => {
                let (drop, clear) = accuracy_drop(&self.before, accuracy, points);
                ((drop + clear - points).max(0.0), *bytes as f64)
            }
        }
    }

    /// Whether the target is met, with what is kept clear.
    fn within_target(&self) -> bool {
        self.candidate.as_ref().is_some_and(|best| self.rank(best).0 == 0.0)
    }
}

/// By how much an accuracy is lower than another on as many samples, and how much of the tolerance is to be kept clear, in
/// percentage points. Of many candidates the one that seems best is not as good as it seems: one standard error is kept
/// clear, but no more than all of the tolerance, since no network has to be better than the original.
fn accuracy_drop(before: &Accuracy, after: &Accuracy, tolerance: f64) -> (f64, f64) {
    let variance = |accuracy: &Accuracy| accuracy.accuracy * (1.0 - accuracy.accuracy) / accuracy.samples.max(1) as f64;
    let error = 100.0 * (variance(before) + variance(after)).sqrt();
    (100.0 * (before.accuracy - after.accuracy), error.min(tolerance))
}
