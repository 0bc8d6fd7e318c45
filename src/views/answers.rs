//! Answers of two networks to the same samples.

use crate::error::DataError;
use serde::Serialize;

/// The most classes of a confusion matrix.
const MOST_CLASSES: usize = 2048;

/// The most samples with changed answers that are listed.
const MOST_CHANGED: usize = 200;

/// How two networks answer the same samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Comparison {
    /// Number of classes.
    pub classes: usize,
    /// For each class, a row: how often each class was answered by the first network.
    pub before: Vec<u32>,
    /// The same of the second network.
    pub after: Vec<u32>,
    /// How many answers differ.
    pub changes: usize,
    /// The first of the samples whose answers differ.
    pub changed: Vec<Changed>,
}

/// A sample that two networks answer differently.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Changed {
    /// Which sample.
    pub index: usize,
    /// Its class.
    pub label: u32,
    /// The first network's answer.
    pub before: u32,
    /// The second network's answer.
    pub after: u32,
}

/// Compares two networks' answers, each a class a sample, with the labels.
///
/// # Errors
/// [`DataError`] if there are not as many answers as labels, or one of them is not below `classes`, or those are more than 2,048.
pub fn compare(labels: &[u32], before: &[u32], after: &[u32], classes: usize) -> Result<Comparison, DataError> {
    let fault = |what, expected: String, got: String| DataError { what, expected, got };
    if classes > MOST_CLASSES {
        return Err(fault("classes", format!("at most {MOST_CLASSES}"), classes.to_string()));
    }
    for answers in [before, after] {
        if answers.len() != labels.len() {
            return Err(fault("answers", labels.len().to_string(), answers.len().to_string()));
        }
    }
    if let Some(class) = labels.iter().chain(before).chain(after).find(|&&class| class as usize >= classes) {
        return Err(fault("class", format!("below {classes}"), class.to_string()));
    }
    let confusion = |answers: &[u32]| {
        let mut counts = vec![0; classes * classes];
        for (&label, &answer) in labels.iter().zip(answers) {
            counts[label as usize * classes + answer as usize] += 1;
        }
        counts
    };
    let answers = labels.iter().zip(before).zip(after).enumerate();
    let changed = answers.filter(|(_, ((_, before), after))| before != after);
    let changed = changed.map(|(index, ((&label, &before), &after))| Changed { index, label, before, after });
    Ok(Comparison {
        classes,
        before: confusion(before),
        after: confusion(after),
        changes: changed.clone().count(),
        changed: changed.take(MOST_CHANGED).collect(),
    })
}

/// Probabilities from logits: their softmax.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_classes_and_columns_answers() {
        let comparison = compare(&[0, 0, 1, 1], &[0, 1, 1, 1], &[0, 0, 0, 1], 2).unwrap();
        assert_eq!(comparison.before, [1, 1, 0, 2]);
        assert_eq!(comparison.after, [2, 0, 1, 1]);
        assert_eq!(comparison.changes, 2);
        assert_eq!(comparison.changed[1], Changed { index: 2, label: 1, before: 1, after: 0 });
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(compare(&[0, 1], &[0], &[0, 1], 2).is_err());
        assert!(compare(&[0, 2], &[0, 1], &[0, 1], 2).is_err());
        assert!(compare(&[0], &[0], &[0], MOST_CLASSES + 1).is_err());
    }

    #[test]
    fn softmax_of_two() {
        let got = softmax(&[1000.0, 1000.0 + 3f32.ln()]);
        assert!((got[0] - 0.25).abs() < 1e-4 && (got[1] - 0.75).abs() < 1e-4, "{got:?}");
    }
}
