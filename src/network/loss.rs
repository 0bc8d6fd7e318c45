//! What a network's answers are compared by: classes, or numbers.

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

/// The label of each sample.
///
/// # Errors
/// [`DataError`] if they are unlabelled.
pub(super) fn labels(samples: &Samples) -> Result<Vec<usize>, DataError> {
    let labels = (0..samples.len()).map(|index| samples.label(index)).collect::<Option<Vec<_>>>();
    labels.ok_or_else(|| DataError { what: "labels", expected: "one a sample".into(), got: "none".into() })
}

/// The cross-entropy in nats of each row of logits `[n, classes]`, whose softmax are the probabilities.
///
/// # Errors
/// [`DataError`] if there are not as many labels as rows, or one is not a column.
pub fn cross_entropies(logits: &Array2<f32>, labels: &[usize]) -> Result<Vec<f64>, DataError> {
    let (samples, classes) = logits.dim();
    if labels.len() != samples {
        return Err(DataError { what: "labels", expected: samples.to_string(), got: labels.len().to_string() });
    }
    // One logit tells two classes apart.
    let known = classes.max(2);
    if let Some(label) = labels.iter().find(|&&label| label >= known) {
        let expected = if classes == 1 {
            "0 or 1, for one output".into()
        } else {
            format!("below {classes}, the network's outputs")
        };
        return Err(DataError { what: "label", expected, got: label.to_string() });
    }
    let losses = logits.rows().into_iter().zip(labels).map(|(row, &label)| {
        if classes == 1 {
            return binary_cross_entropy(f64::from(row[0]), label as f64);
        }
        let largest = row.iter().fold(f32::NEG_INFINITY, |largest, &logit| largest.max(logit));
        let sum: f64 = row.iter().map(|&logit| f64::from(logit - largest).exp()).sum();
        sum.ln() - f64::from(row[label] - largest)
    });
    Ok(losses.collect())
}

/// The cross-entropy in nats of the sigmoid of a logit to a probability: `ln(1 + exp(z)) - p z`.
pub fn binary_cross_entropy(logit: f64, probability: f64) -> f64 {
    logit.max(0.0) + (-logit.abs()).exp().ln_1p() - probability * logit
}

/// The column of the largest logit in each row; of equal ones the first. Of one column: 1 where it is above 0, else 0.
pub fn predictions<T: Copy + PartialOrd + Default>(logits: &Array2<T>) -> Vec<usize> {
    if logits.ncols() == 1 {
        return logits.iter().map(|&logit| usize::from(logit > T::default())).collect();
    }
    let first_largest = |row: ndarray::ArrayView1<T>| {
        let mut best = 0;
        for (column, &logit) in row.iter().enumerate() {
            if logit > row[best] {
                best = column;
            }
        }
        best
    };
    logits.rows().into_iter().map(first_largest).collect()
}
