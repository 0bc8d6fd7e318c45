//! When a probe is accepted: on the rise of the mean loss over a reference, on the same validation samples.
//!
//! The loss is far less noisy than the accuracy, and the difference to the reference, sample by sample, less noisy than
//! the loss. The probe ends as soon as its outcome is statistically decided.

use crate::data::Samples;
use crate::error::Error;
use crate::model::Model;
use crate::network::{cross_entropies, logits, predictions};

/// Samples between two looks at the outcome.
const BLOCK: usize = 250;
/// Standard errors from the limit at which the outcome counts as decided.
const DECIDED: f64 = 2.5;

/// Validation samples with the losses of a reference network on them.
#[derive(Debug, Clone)]
pub struct Judge {
    samples: Samples,
    reference: Vec<f64>,
}

/// What a probe came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Mean loss of the candidate less that of the reference, in nats.
    pub rise: f64,
    /// Standard error of `rise`.
    pub standard_error: f64,
    /// Accuracy of the candidate on the samples that were used, 0 to 1.
    pub accuracy: f64,
    /// Samples that were used.
    pub samples: usize,
    /// Whether `rise` is within the limit.
    pub accepted: bool,
}

impl Judge {
    /// Judges on the first `count` of these labelled samples, against `reference`.
    ///
    /// # Errors
    /// If the network does not run on them.
    pub fn new(validation: &Samples, count: usize, reference: &Model) -> Result<Self, Error> {
        let samples = validation.range(0, count);
        let reference = losses(reference, &samples)?.0;
        Ok(Judge { samples, reference })
    }

    /// Whether the candidate's loss rises by at most `limit`.
    ///
    /// # Errors
    /// If the network does not run on the samples.
    pub fn judge(&self, candidate: &Model, limit: f64) -> Result<Verdict, Error> {
        let (mut sum, mut squares, mut correct, mut done) = (0.0, 0.0, 0, 0);
        loop {
            let block = self.samples.range(done, done + BLOCK);
            let (candidate, right) = losses(candidate, &block)?;
            for (loss, reference) in candidate.iter().zip(&self.reference[done..]) {
                let difference = loss - reference;
                sum += difference;
                squares += difference * difference;
            }
            correct += right;
            done += block.len();
            let count = done.max(1) as f64;
            let rise = sum / count;
            let variance = (squares / count - rise * rise).max(0.0);
            let standard_error = (variance / count).sqrt();
            let decided = (rise - limit).abs() > DECIDED * standard_error;
            if decided || block.is_empty() || done == self.samples.len() {
                // A loss that is not a number is refused.
                let accepted = rise <= limit;
                return Ok(Verdict { rise, standard_error, accuracy: correct as f64 / count, samples: done, accepted });
            }
        }
    }
}

/// Each sample's loss, and how many answers are right.
fn losses(model: &Model, samples: &Samples) -> Result<(Vec<f64>, usize), Error> {
    let logits = logits(model, samples)?;
    let labels: Vec<usize> = (0..samples.len()).filter_map(|index| samples.label(index)).collect();
    let correct = predictions(&logits).iter().zip(&labels).filter(|(answer, label)| answer == label).count();
    Ok((cross_entropies(&logits, &labels)?, correct))
}
