//! What holds a run to the original, and when a probe is accepted: on the rise of the mean loss over a reference, on the same validation samples.
//!
//! The loss is far less noisy than the accuracy, and the difference to the reference, sample by sample, less noisy than
//! the loss. The probe ends as soon as its outcome is statistically decided.

use crate::data::Samples;
use crate::error::Error;
use crate::model::Model;
use crate::network::{cross_entropies, logits, predictions};
use serde::{Deserialize, Serialize};

/// What the answers of a compressed network are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The samples' labels.
    #[default]
    Labels,
    /// The answers of the original network, since the samples have no labels: an "accuracy" is then the share of samples whose
    /// largest output is the original's, and a "loss" the cross-entropy to that class.
    Agreement,
    /// The original's weights, since there are no samples: their energy over the noise of rounding them.
    Snr,
    /// Nothing, since nothing was lost.
    None,
}

impl Criterion {
    /// What is measured, in a word.
    pub fn word(self) -> &'static str {
        match self {
            Criterion::Labels => "accuracy",
            Criterion::Agreement => "agreement",
            Criterion::Snr => "signal-to-quantization-noise ratio",
            Criterion::None => "equality",
        }
    }
}

/// The samples, labelled with the class of the network's largest output for each.
///
/// # Errors
/// If the network does not run on them.
pub fn answered_by(model: &Model, samples: &Samples) -> Result<Samples, Error> {
    Ok(samples.with_labels(&predictions(&logits(model, samples)?))?)
}

/// How far a network's outputs are from the original's: `|y - y0| / |y0|`, Euclidean, over all outputs of all samples. The outputs
/// are those before a softmax that ends the network.
///
/// # Errors
/// If a network does not run on the samples.
pub fn output_distance(original: &Model, model: &Model, samples: &Samples) -> Result<f64, Error> {
    let (from, to) = (logits(original, samples)?, logits(model, samples)?);
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let distance = norm(&mut from.iter().zip(&to).map(|(from, to)| f64::from(*to) - f64::from(*from)));
    Ok(distance / norm(&mut from.iter().map(|&value| f64::from(value))).max(f64::MIN_POSITIVE))
}

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
