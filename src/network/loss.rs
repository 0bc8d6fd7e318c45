//! What a network's answers are compared by: classes, or numbers.

use super::evaluate::{cross_entropies, labels, predictions};
use crate::data::Samples;
use crate::error::DataError;
use ndarray::{Array2, ArrayView1, Axis};

/// The loss of a training.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Loss {
    /// The cross-entropy in nats of the softmax of the logits to a distribution; of one logit, of its sigmoid to a probability.
    #[default]
    CrossEntropy,
    /// The squared distance of the outputs to the targets over this spread: 1 - R2, in the mean.
    Squared {
        /// See [`spread`].
        spread: f32,
    },
}

/// The mean squared distance of the rows of `[samples, outputs]` from their mean, summed over the outputs; 1 if that is 0.
pub fn spread(targets: &Array2<f32>) -> f64 {
    let Some(mean) = targets.map(|&value| f64::from(value)).mean_axis(Axis(0)) else { return 1.0 };
    let distance = |row: ArrayView1<f32>| {
        row.iter().zip(&mean).map(|(&value, mean)| (f64::from(value) - mean).powi(2)).sum::<f64>()
    };
    let spread = targets.rows().into_iter().map(distance).sum::<f64>() / targets.nrows().max(1) as f64;
    if spread > 0.0 { spread } else { 1.0 }
}

/// What each sample's answer is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The loss of each sample.
    pub losses: Vec<f64>,
    /// How many were answered with their class; none where there are numbers to answer with.
    pub correct: Option<usize>,
}

/// Compares outputs `[samples, outputs]` with the samples' targets or, if they have none, with their labels.
///
/// # Errors
/// [`DataError`] if there are no samples, neither labels nor targets, or they do not fit the outputs.
pub fn judge(outputs: &Array2<f32>, samples: &Samples) -> Result<Judgement, DataError> {
    if samples.is_empty() {
        return Err(DataError { what: "number of samples", expected: "at least 1".into(), got: "0".into() });
    }
    let Some(targets) = samples.selected_targets() else {
        let labels = labels(samples)?;
        let losses = cross_entropies(outputs, &labels)?;
        let correct = predictions(outputs).iter().zip(&labels).filter(|(answer, label)| answer == label).count();
        return Ok(Judgement { losses, correct: Some(correct) });
    };
    if targets.dim() != outputs.dim() {
        let expected = format!("{}, as many as the network's outputs", outputs.ncols());
        return Err(DataError { what: "numbers to answer with", expected, got: targets.ncols().to_string() });
    }
    // By the spread of all of them, so that a part is judged as the whole is.
    let spread = samples.targets.as_deref().map_or(1.0, spread);
    let distance = |(output, target): (ArrayView1<f32>, ArrayView1<f32>)| {
        output.iter().zip(target).map(|(&y, &t)| (f64::from(y) - f64::from(t)).powi(2)).sum::<f64>() / spread
    };
    let losses = outputs.rows().into_iter().zip(targets.rows()).map(distance).collect();
    Ok(Judgement { losses, correct: None })
}
