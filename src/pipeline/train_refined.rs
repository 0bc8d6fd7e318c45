//! The refine stage: one steered training a round.

use super::compress::{finish_fixed, write_options};
use super::event::{Accuracy, Stage};
use super::recipe::Target;
use super::run::{Run, Watched, measure};
use super::steer::Steering;
use crate::container;
use crate::error::Error;
use crate::pipeline::SplitName;
use crate::stages::quantize::FixedPoint;
use crate::stages::refine::Refiner;
use crate::stages::structure;

/// The share of a training from which on its networks are candidates for the result: the learning rate is low then.
const LATE: f64 = 0.8;
/// Validations in the whole of a training, evenly spread; the late ones judge candidates.
const VALIDATIONS: f64 = 25.0;

/// Trains with the bits' price, in rounds that each start from the integers of the one before.
pub fn refine(run: &mut Run<'_>, mut fixed: FixedPoint) -> Result<FixedPoint, Error> {
    let recipe = run.recipe.refine;
    let options = write_options(run.recipe);
    let before = run.validate(run.original)?.accuracy;
    let validation = run.validation.clone();
    let mut price = recipe.price;
    for _ in 0..recipe.rounds {
        fixed = structure::drop_dead_fixed(&fixed)?;
        let mut refiner = Refiner::new(&fixed, recipe.levels, price)?;
        let mut steering = Steering::new(price, run.recipe.target);
        let mut best = Best::new(run.recipe.target, before);
        let mut validated = 0.0;
        run.train(Stage::Refine, &mut refiner, &recipe.training, |refiner, progress| {
            let now = refiner.fixed_point();
            let bytes = container::write(&now, &options)?.bytes.len();
            let accuracy = if (progress * VALIDATIONS).floor() > validated || progress == 1.0 {
                validated = (progress * VALIDATIONS).floor();
                let accuracy = measure(refiner.network(), &validation, SplitName::Validation)?;
                if progress >= LATE {
                    best.offer(now, bytes, accuracy);
                }
                Some(accuracy.accuracy)
            } else {
                None
            };
            refiner.price = steering.observe(progress, bytes, accuracy.map(|accuracy| 100.0 * (before - accuracy)));
            if progress >= recipe.freeze_from {
                refiner.freezing = Some(((progress - recipe.freeze_from) / (1.0 - recipe.freeze_from)) as f32);
            }
            Ok(Watched { bytes: Some(bytes), accuracy })
        })?;
        price = steering.price();
        fixed = best.network.map_or_else(|| refiner.fixed_point(), |best| best.0);
    }
    fixed = structure::drop_dead_fixed(&fixed)?;
    finish_fixed(run, Stage::Refine, &fixed)?;
    Ok(fixed)
}

/// The best network of a training, by the target: of those within it the most accurate or the smallest; else the one that
/// misses it by the least.
struct Best {
    target: Target,
    /// Validation accuracy of the original.
    before: f64,
    network: Option<(FixedPoint, usize, Accuracy)>,
}

impl Best {
    fn new(target: Target, before: f64) -> Self {
        Best { target, before, network: None }
    }

    fn offer(&mut self, network: FixedPoint, bytes: usize, accuracy: Accuracy) {
        let better = match &self.network {
            None => true,
            Some((_, other_bytes, other)) => self.rank(bytes, &accuracy) < self.rank(*other_bytes, other),
        };
        if better {
            self.network = Some((network, bytes, accuracy));
        }
    }

    /// Lower is better: first by how far the target is missed, then by what is to be as small as it can be.
    fn rank(&self, bytes: usize, accuracy: &Accuracy) -> (f64, f64) {
        match self.target {
            Target::Budget(budget) => (bytes.saturating_sub(budget) as f64, accuracy.loss),
            Target::Tolerance(points) => {
                let drop = 100.0 * (self.before - accuracy.accuracy);
                ((drop - points - 1e-9).max(0.0), bytes as f64)
            }
        }
    }
}
