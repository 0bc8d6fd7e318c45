//! The training loop, shared by all that learn: plain retraining, shared weights, quantization-aware training.

use super::loader::Loader;
use super::trainer::{Gradients, Trainer};
use crate::circle::annealed;
use crate::error::Error;
use crate::model::Model;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// How long to train, and at which learning rates. Bounded by samples, never by a clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Samples to see, repetitions counted; the last batch is whole, so it may be a few more.
    pub samples: u64,
    /// Samples of each batch, at least 1.
    pub batch: usize,
    /// The highest learning rate.
    pub rate: f32,
    /// Share of the steps over which the rate rises linearly from 0, in `[0, 1]`.
    pub warm_up: f32,
    /// Share of the steps, at the end, over which the rate falls to 0 by half a cosine, in `[0, 1]`.
    pub decay: f32,
}

impl Schedule {
    /// Number of batches.
    pub fn steps(&self) -> u64 {
        self.samples.div_ceil(self.batch.max(1) as u64)
    }

    /// The learning rate of a step, counted from 0.
    pub fn rate_at(&self, step: u64) -> f32 {
        let steps = self.steps().max(1) as f32;
        let at = step as f32 + 0.5;
        let rise = (at / (self.warm_up * steps).max(f32::MIN_POSITIVE)).min(1.0);
        let fall = ((steps - at) / (self.decay * steps).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
        self.rate * rise * annealed(f64::from(1.0 - fall)) as f32
    }
}

/// Something that learns from gradients: it owns the numbers that change, and shows the network that they make.
pub trait Learner {
    /// The network whose gradients are computed next. Its shapes stay the same while it learns.
    fn model(&self) -> &Model;

    /// Learns from the gradients of [`Learner::model`] over one batch.
    fn learn(&mut self, gradients: &Gradients, step: &Progress);

    /// Looks up after a share of the training, 0 to 1: measures itself, and changes how it goes on.
    ///
    /// # Errors
    /// If it cannot be measured; that ends the training.
    fn look(&mut self, _share: f64) -> Result<Look, Error> {
        Ok(Look::default())
    }
}

/// What a learner knows of itself in the middle of a training.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// What its network would cost if it were finished now, in units of the objective.
    pub cost: Option<usize>,
    /// Validation accuracy, 0 to 1.
    pub accuracy: Option<f64>,
}

/// Where a training is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The step that was made, counted from 0.
    pub step: u64,
    /// Number of steps.
    pub steps: u64,
    /// Mean loss over its batch, in nats.
    pub loss: f64,
    /// Share of its batch answered with the largest target.
    pub accuracy: f64,
    /// Its learning rate.
    pub rate: f32,
}

/// Trains from step `first` (0, or where an earlier training was stopped) to the schedule's end. `observe` is told of each step after it
/// was made; it may change the learner, or break off.
///
/// # Errors
/// [`Error::Cancelled`] if `observe` broke off; else if the learner's shapes do not fit, or the loader's samples do not fit it.
pub fn fit(
    learner: &mut dyn Learner,
    loader: &mut Loader,
    schedule: &Schedule,
    first: u64,
    observe: &mut dyn FnMut(&mut dyn Learner, &Progress) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut trainer = Trainer::new(learner.model(), schedule.batch)?;
    let mut batch = loader.empty_batch(schedule.batch);
    let steps = schedule.steps();
    for step in first..steps {
        loader.fill(step, &mut batch);
        let gradients = trainer.gradients(learner.model(), &batch)?;
        let accuracy = gradients.correct as f64 / batch.len() as f64;
        let progress = Progress { step, steps, loss: gradients.loss, accuracy, rate: schedule.rate_at(step) };
        learner.learn(gradients, &progress);
        if observe(learner, &progress).is_break() {
            return Err(Error::Cancelled);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Samples;
    use crate::model::Scaling;
    use crate::model::presets::{Chain, initialize};
    use crate::network::{Augmentation, Retrain, evaluate, one_hot};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;
    use std::sync::Arc;

    const SCHEDULE: Schedule = Schedule { samples: 3200, batch: 16, rate: 0.01, warm_up: 0.05, decay: 0.8 };

    /// Images of a bright row or a bright column, in noise.
    fn lines() -> Samples {
        let mut rng = Pcg64Mcg::seed_from_u64(2);
        let (mut bytes, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            let (label, line) = (rng.random_range(0..2u8), rng.random_range(0..8));
            for pixel in 0..64 {
                let bright = if label == 0 { pixel / 8 == line } else { pixel % 8 == line };
                bytes.push(rng.random_range(0..100) + if bright { 100 } else { 0 });
            }
            labels.push(label);
        }
        Samples::new(vec![1, 8, 8], bytes, labels, Scaling::Unit).unwrap()
    }

    fn learner() -> Retrain {
        let mut model = Chain::new(vec![1, 8, 8])
            .conv("conv", [4, 1, 3, 3], 1)
            .relu()
            .max_pool()
            .flatten()
            .linear("linear", [2, 64])
            .build();
        initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
        Retrain::new(model)
    }

    fn loader() -> Loader {
        let samples = lines();
        let targets = Arc::new(one_hot(&samples, 2).unwrap());
        Loader::new(samples, &[1, 8, 8], targets, 9).unwrap().with_augmentation(Augmentation::default())
    }

    #[test]
    fn training_learns() {
        let mut learner = learner();
        let before = evaluate(learner.model(), &lines()).unwrap();
        let mut losses = Vec::new();
        fit(&mut learner, &mut loader(), &SCHEDULE, 0, &mut |_, progress| {
            losses.push(progress.loss);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(losses.len(), 200);
        let after = evaluate(learner.model(), &lines()).unwrap();
        assert!(after.loss < 0.5 * before.loss, "{before:?} {after:?}");
        assert!(after.accuracy() > 0.9);
    }

    #[test]
    fn resuming_equals_not_stopping() {
        let mut whole = learner();
        fit(&mut whole, &mut loader(), &SCHEDULE, 0, &mut |_, _| ControlFlow::Continue(())).unwrap();
        let mut parts = learner();
        let stopped = fit(&mut parts, &mut loader(), &SCHEDULE, 0, &mut |_, progress| match progress.step {
            76 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        assert_eq!(stopped, Err(Error::Cancelled));
        let mut resumed = parts.clone();
        fit(&mut resumed, &mut loader(), &SCHEDULE, 77, &mut |_, _| ControlFlow::Continue(())).unwrap();
        assert_eq!(whole, resumed);
    }

    #[test]
    fn rates_rise_stay_and_fall() {
        let schedule = Schedule { samples: 1000, batch: 10, rate: 2.0, warm_up: 0.1, decay: 0.5 };
        assert_eq!(schedule.steps(), 100);
        assert!((schedule.rate_at(0) - 0.1).abs() < 1e-6);
        assert_eq!(schedule.rate_at(20), 2.0);
        assert!((schedule.rate_at(75) - 1.0).abs() < 0.05);
        assert!(schedule.rate_at(99) < 1e-2);
        let constant = Schedule { warm_up: 0.0, decay: 0.0, ..schedule };
        assert!((0..100).all(|step| constant.rate_at(step) == 2.0));
    }
}
