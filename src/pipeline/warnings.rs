//! What is suspicious about a run, in words for the report. The page and the command line only show it.

use super::event::Accuracy;
use super::report::Accuracies;

/// Standard errors of a difference that is taken for real.
const SURE: f64 = 4.0;

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
             layout and the order of the classes",
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
