//! What is suspicious about a run, in words for the report. The page and the command line only show it.

use super::event::Accuracy;
use super::report::{Accuracies, SplitCounts, Splits};
use crate::data::Samples;
use crate::data::copies::near_copies;
use crate::stages::settings::Target;

/// Standard errors of a difference that is taken for real.
const SURE: f64 = 4.0;

/// What is suspicious about the samples themselves, before anything is done: classes that are missing in a part, and too few samples to tell a
/// tolerance.
pub fn of_samples(splits: &Splits, target: Target) -> Vec<String> {
    let (training, validation) = (&splits.training, &splits.validation);
    let mut warnings = Vec::new();
    let classes = training.classes.len().max(validation.classes.len());
    let has = |counts: &SplitCounts, class: usize| counts.classes.get(class).is_some_and(|&count| count > 0);
    for (name, own, other) in [("training", training, validation), ("validation", validation, training)] {
        let missing: Vec<String> = (0..classes)
            .filter(|&class| !has(own, class) && has(other, class))
            .map(|class| class.to_string())
            .collect();
        if !missing.is_empty() {
            let classes = missing.join(", ");
            warnings.push(format!(
                "no {name} sample is of class {classes}, which the other samples have: draw the validation samples with a split seed other than 0, \
                 or hold out more"
            ));
        }
    }
    let sample = 100.0 / validation.samples.max(1) as f64;
    if let Target::Tolerance(points) = target
        && points < sample
        && !validation.classes.is_empty()
    {
        warnings.push(format!(
            "a tolerance of {points} percentage points is less than one of the {} validation samples, {sample:.2} points: none may be lost",
            validation.samples
        ));
    }
    warnings
}

/// The share of validation samples with a copy among the training samples from which on it is suspicious.
const COPIED: f64 = 0.01;

/// A warning if validation samples are nearly the same as training samples.
pub fn of_copies(training: &Samples, validation: &Samples) -> Option<String> {
    let copies = near_copies(validation, training);
    (copies as f64 > COPIED * validation.len() as f64).then(|| {
        format!(
            "{copies} of {} validation samples are nearly the same as training samples, as copies or augmented pictures are: what is measured on them is \
             too good; give samples without copies, or hold out other ones",
            validation.len()
        )
    })
}

/// A warning if the original answers validation samples far better than test samples: a drop from there says little.
pub fn known_validation(before: &Accuracies) -> Option<String> {
    let (validation, test) = (before.validation, before.test?);
    let variance = |it: &Accuracy| it.accuracy * (1.0 - it.accuracy) / it.samples.max(1) as f64;
    let error = (variance(&validation) + variance(&test)).sqrt();
    (validation.accuracy - test.accuracy > SURE * error).then(|| {
        format!(
            "the original answers {:.2} % of the validation samples correctly and {:.2} % of the test samples, as if it had been trained on \
             the validation samples: set a budget in bytes, or samples that it was not trained on",
            100.0 * validation.accuracy,
            100.0 * test.accuracy
        )
    })
}

/// A warning if the original answers no better than one that always gives the same answer.
pub fn at_chance(before: &Accuracy, chance: f64) -> Option<String> {
    let error = (chance * (1.0 - chance) / before.samples.max(1) as f64).sqrt();
    (before.accuracy <= chance + 2.0 * error).then(|| {
        format!(
            "the original scores {:.2} % on the validation samples, where always the same answer would score {:.2} %: look at the scaling, the \
             layout and the order of the classes; what is made of it is held to its own answers, not to the labels",
            100.0 * before.accuracy,
            100.0 * chance
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::SplitName;

    #[test]
    fn missing_classes_and_too_few_samples_are_said() {
        let of =
            |classes: &[usize]| SplitCounts { samples: classes.iter().sum(), classes: classes.to_vec(), outputs: 0 };
        let splits = |training: &[usize], validation: &[usize]| Splits {
            training: of(training),
            validation: of(validation),
            test: None,
        };
        let said = of_samples(&splits(&[50, 0, 50], &[0, 20, 20]), Target::Tolerance(0.3));
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("no training sample is of class 1,"), "{said:?}");
        assert!(said[1].starts_with("no validation sample is of class 0,"), "{said:?}");
        assert!(said[2].contains("less than one of the 40 validation samples, 2.50 points"), "{said:?}");
        assert!(of_samples(&splits(&[50, 50], &[500, 500]), Target::Tolerance(0.3)).is_empty());
        // Without labels there are no classes to miss.
        assert!(of_samples(&splits(&[], &[]), Target::Budget(9)).is_empty());
    }

    #[test]
    fn an_original_that_knows_its_validation_samples_is_suspected() {
        let accuracies = |validation: usize, test: Option<usize>| {
            let of = |split, samples, correct: usize| {
                let accuracy = correct as f64 / samples as f64;
                Accuracy { split, samples, correct: Some(correct), accuracy, loss: 0.1 }
            };
            let validation = of(SplitName::Validation, 5_000, validation);
            Accuracies { validation, test: test.map(|correct| of(SplitName::Test, 10_000, correct)) }
        };
        let said = known_validation(&accuracies(4_993, Some(9_905))).unwrap();
        assert!(said.contains("99.86 % of the validation samples correctly and 99.05 % of the test samples"), "{said}");
        assert_eq!(known_validation(&accuracies(4_964, Some(9_939))), None);
        assert_eq!(known_validation(&accuracies(4_993, None)), None);
    }
}
