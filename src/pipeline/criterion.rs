//! What holds a run to the original, and when a probe is accepted: on the rise of the mean loss over a reference, on the same validation samples.
//!
//! The loss is far less noisy than the accuracy, and the difference to the reference, sample by sample, less noisy than
//! the loss. The probe ends as soon as its outcome is statistically decided.

use crate::data::Samples;
use crate::error::Error;
use crate::model::{Function, Model, Op};
use crate::network::{Judgement, judge, logits, predictions, relative_distance};
use serde::{Deserialize, Serialize};

/// What a compressed network is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The samples' labels.
    #[default]
    Labels,
    /// The classes that the original network answers with, since the samples have no labels: an "accuracy" is then the share of samples whose
    /// largest output is the original's, and a "loss" the cross-entropy to that class.
    Agreement,
    /// The numbers that the samples are to be answered with: an "accuracy" is then R2, the share of their variance that the answers explain, and
    /// a "loss" is 1 - R2.
    Targets,
    /// The numbers that the original network answers with, since the samples have none, and its answers are no classes. As [`Criterion::Targets`].
    Outputs,
    /// The original's weights, since there are no samples: their energy over the noise of rounding them.
    Snr,
    /// Nothing, since nothing was lost.
    None,
}

impl Criterion {
    /// What is measured, in few words.
    pub fn word(self) -> &'static str {
        match self {
            Criterion::Labels => "accuracy",
            Criterion::Agreement => "agreement",
            Criterion::Targets => "R2",
            Criterion::Outputs => "R2 to the original's outputs",
            Criterion::Snr => "signal-to-quantization-noise ratio",
            Criterion::None => "equality",
        }
    }

    /// What fits a network and the samples that it is judged on: their labels or numbers; without any, whether its answers are
    /// classes, and whether these tell anything. Answers that are nearly always the same class would be in agreement however the
    /// network is ruined.
    ///
    /// # Errors
    /// If the network does not run on the samples.
    pub fn of(original: &Model, samples: &Samples) -> Result<Self, Error> {
        if samples.targets.is_some() {
            return Ok(Criterion::Targets);
        }
        if samples.labelled() {
            return Ok(Criterion::Labels);
        }
        if !classifies(original)? {
            return Ok(Criterion::Outputs);
        }
        let answers = answered_by(original, &samples.range(0, LOOKED_AT))?;
        Ok(if chance(&answers) > MOST_ALIKE { Criterion::Outputs } else { Criterion::Agreement })
    }

    /// The samples with what their answers are compared with.
    ///
    /// # Errors
    /// If the network does not run on the samples.
    pub fn answered(self, original: &Model, samples: Samples) -> Result<Samples, Error> {
        match self {
            Criterion::Agreement => answered_by(original, &samples),
            Criterion::Outputs => Ok(samples.with_targets(logits(original, &samples)?)?),
            _ => Ok(samples),
        }
    }
}

/// Samples whose answers show whether classes tell anything.
const LOOKED_AT: usize = 2_000;
/// The share of one class among the answers up to which they do.
const MOST_ALIKE: f64 = 0.95;

/// Whether a network's answers are classes, by its graph: a vector of several numbers that is not as long as the input, or one sigmoid. Images,
/// several heads, and one number that is no probability are something else.
///
/// # Errors
/// [`GraphError`](crate::error::GraphError) if the shapes do not fit.
pub fn classifies(model: &Model) -> Result<bool, Error> {
    let shapes = model.shapes()?;
    let output = &shapes[model.graph.output().0];
    let (outputs, inputs): (usize, usize) = (output.iter().product(), model.graph.input_shape.iter().product());
    let last = model.graph.nodes.last().map(|node| &node.op);
    let probability = matches!(last, Some(Op::Unary(unary)) if unary.function == Function::Sigmoid);
    let vector = output.iter().filter(|&&side| side > 1).count() == 1;
    let heads = matches!(last, Some(Op::Outputs));
    Ok(if outputs == 1 { probability } else { vector && !heads && !probability && outputs != inputs })
}

/// What a network scores that always gives the same answer: the share of the most frequent class, or an R2 of 0.
pub fn chance(samples: &Samples) -> f64 {
    let most = samples.class_counts().into_iter().max().unwrap_or(0);
    most as f64 / samples.len().max(1) as f64
}

/// The samples, labelled with the class of the network's answer to each.
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
    Ok(relative_distance(&logits(original, samples)?, &logits(model, samples)?))
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
    /// What is compared with the limit: mean loss of the candidate less that of the reference.
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
        let reference = judged(reference, &samples)?.losses;
        Ok(Judge { samples, reference })
    }

    /// Whether the candidate's loss rises by at most `limit`.
    ///
    /// # Errors
    /// If the network does not run on the samples.
    pub fn judge(&self, candidate: &Model, limit: f64) -> Result<Verdict, Error> {
        let (mut sum, mut squares, mut all, mut correct, mut done) = (0.0, 0.0, 0.0, Some(0), 0);
        loop {
            let block = self.samples.range(done, done + BLOCK);
            let Judgement { losses, correct: right } = judged(candidate, &block)?;
            for (loss, reference) in losses.iter().zip(&self.reference[done..]) {
                all += loss;
                let difference = loss - reference;
                sum += difference;
                squares += difference * difference;
            }
            correct = correct.zip(right).map(|(sum, right)| sum + right);
            done += block.len();
            let count = done.max(1) as f64;
            let rise = sum / count;
            let variance = (squares / count - rise * rise).max(0.0);
            let standard_error = (variance / count).sqrt();
            let decided = (rise - limit).abs() > DECIDED * standard_error;
            if decided || done == self.samples.len() {
                // A loss that is not a number is refused.
                let accepted = rise <= limit;
                let accuracy = correct.map_or(1.0 - all / count, |correct| correct as f64 / count);
                return Ok(Verdict { rise, standard_error, accuracy, samples: done, accepted });
            }
        }
    }
}

/// What each sample's answer is worth.
fn judged(model: &Model, samples: &Samples) -> Result<Judgement, Error> {
    Ok(judge(&logits(model, samples)?, samples)?)
}
