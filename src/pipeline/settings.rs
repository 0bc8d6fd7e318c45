//! Every number of a recipe with its range and what it means: `Recipe::check` and the page read the same table.

use super::recipe::{Recipe, Target, Training};
use crate::error::RecipeError;
use serde::Serialize;

/// A number of a recipe.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Setting {
    /// Where it stands in a recipe's JSON, joined by dots.
    pub path: &'static str,
    /// What it means, in a few words.
    pub words: &'static str,
    /// The lowest value.
    pub low: f64,
    /// The highest value, if there is one.
    pub high: Option<f64>,
    /// Whether `low` itself is too low.
    pub above: bool,
    /// Whether it counts something.
    pub integer: bool,
    #[serde(skip)]
    get: fn(&Recipe) -> f64,
}

impl Setting {
    /// Its value in a recipe.
    pub fn value(&self, recipe: &Recipe) -> f64 {
        (self.get)(recipe)
    }

    /// Whether a value is in range; NaN is not.
    pub fn allows(&self, value: f64) -> bool {
        let low = if self.above { value > self.low } else { value >= self.low };
        low && value.is_finite() && self.high.is_none_or(|high| value <= high)
    }

    /// The range in words.
    pub fn range(&self) -> String {
        match (self.above, self.high) {
            (true, None) => format!("above {}", self.low),
            (true, Some(high)) => format!("above {}, at most {high}", self.low),
            (false, None) => format!("{} or more", self.low),
            (false, Some(high)) => format!("{} to {high}", self.low),
        }
    }
}

type Get = fn(&Recipe) -> f64;

const fn whole(path: &'static str, words: &'static str, low: u32, high: Option<f64>, get: Get) -> Setting {
    Setting { path, words, low: low as f64, high, above: false, integer: true, get }
}

const fn real(path: &'static str, words: &'static str, high: Option<f64>, get: Get) -> Setting {
    Setting { path, words, low: 0.0, high, above: false, integer: false, get }
}

const fn positive(path: &'static str, words: &'static str, get: Get) -> Setting {
    Setting { path, words, low: 0.0, high: None, above: true, integer: false, get }
}

/// The four numbers of a training.
const fn training(paths: [&'static str; 4], get: [Get; 4]) -> [Setting; 4] {
    let [samples, batch, learning_rate, augmentation] = paths;
    [
        whole(samples, "training samples seen, forward and backward", 0, None, get[0]),
        whole(batch, "samples a step", 1, None, get[1]),
        positive(learning_rate, "peak step size of Adam; a cosine takes it to zero", get[2]),
        real(augmentation, "strength of random rotations, shears and elastic maps; 0 is none", None, get[3]),
    ]
}

fn samples(training: &Training) -> f64 {
    training.samples as f64
}

fn batch(training: &Training) -> f64 {
    training.batch as f64
}

fn learning_rate(training: &Training) -> f64 {
    f64::from(training.learning_rate)
}

fn augmentation(training: &Training) -> f64 {
    f64::from(training.augmentation)
}

const PROBES: &str = "halvings of a search's interval";
const ROUNDS: &str = "rounds of a search and a training";
const PROBE_SAMPLES: &str = "validation samples that a probe is judged on";
const LOSS_RISE: &str = "rise of the mean loss up to which a probe is accepted, in nats";

/// One kind of target; NaN in a recipe that has the other.
pub const TOLERANCE: Setting =
    real("target.tolerance", "percentage points of validation accuracy that may be lost", Some(100.0), |r| {
        match r.target {
            Target::Tolerance(points) => points,
            Target::Budget(_) => f64::NAN,
        }
    });

/// The other kind of target.
pub const BUDGET: Setting = whole("target.budget", "bytes on disk, at most", 1, None, |r| match r.target {
    Target::Budget(bytes) => bytes as f64,
    Target::Tolerance(_) => f64::NAN,
});

/// In the order of a recipe, but for its target.
pub const SETTINGS: &[Setting] = &[
    whole("seed", "seed of every random choice: the same seed gives the same file", 0, None, |r| r.seed as f64),
    whole("split.validation", "samples held out of the training file to validate", 1, None, |r| {
        r.split.validation as f64
    }),
    whole("split.training", "the most other samples that are trained on; 0 for all", 0, None, |r| {
        r.split.training as f64
    }),
    whole(
        "split.seed",
        "0 holds out the file's last samples; another number draws them, each class in its share",
        0,
        None,
        |r| r.split.seed as f64,
    ),
    real(
        "mirror",
        "share of images that trainings mirror left to right: 0 for digits, 0.5 for most photos",
        Some(1.0),
        |r| f64::from(r.mirror),
    ),
    real("distillation.weight", "share of the original network's answers in what is trained for", Some(1.0), |r| {
        f64::from(r.distillation.weight)
    }),
    positive("distillation.temperature", "above 1 softens the original network's answers", |r| {
        f64::from(r.distillation.temperature)
    }),
    whole("structure.rounds", ROUNDS, 0, None, |r| r.structure.rounds as f64),
    whole("structure.probes", PROBES, 0, None, |r| r.structure.probes as f64),
    whole("structure.activation_samples", "samples whose activations are looked at", 1, None, |r| {
        r.structure.activation_samples as f64
    }),
    whole("structure.probe_samples", PROBE_SAMPLES, 1, None, |r| r.structure.probe_samples as f64),
    real("structure.loss_rise", LOSS_RISE, None, |r| r.structure.loss_rise),
    positive("structure.parameters_per_byte", "parameters a byte of the budget to come down to", |r| {
        r.structure.parameters_per_byte
    }),
    STRUCTURE[0],
    STRUCTURE[1],
    STRUCTURE[2],
    STRUCTURE[3],
    whole("prune.rounds", ROUNDS, 0, None, |r| r.prune.rounds as f64),
    whole("prune.probes", PROBES, 0, None, |r| r.prune.probes as f64),
    whole("prune.probe_samples", PROBE_SAMPLES, 1, None, |r| r.prune.probe_samples as f64),
    real("prune.loss_rise", LOSS_RISE, None, |r| r.prune.loss_rise),
    PRUNE[0],
    PRUNE[1],
    PRUNE[2],
    PRUNE[3],
    whole("share.centroids", "the most centroids of a layer, zero aside", 1, Some(255.0), |r| r.share.centroids as f64),
    whole("share.probes", PROBES, 0, None, |r| r.share.probes as f64),
    whole("share.probe_samples", PROBE_SAMPLES, 1, None, |r| r.share.probe_samples as f64),
    real("share.loss_rise", LOSS_RISE, None, |r| r.share.loss_rise),
    SHARE[0],
    SHARE[1],
    SHARE[2],
    SHARE[3],
    whole(
        "refine.rounds",
        "trainings, each from the integers of the one before; 0 leaves the stage out",
        0,
        None,
        |r| r.refine.rounds as f64,
    ),
    whole("refine.levels", "weights are integers from minus this to this", 1, Some(127.0), |r| {
        f64::from(r.refine.levels)
    }),
    positive("refine.unit", "a layer's step, in root mean squares of its nonzero weights", |r| {
        f64::from(r.refine.unit)
    }),
    positive("refine.price", "price of a bit at the start, in nats of mean loss; the target steers it", |r| {
        r.refine.price
    }),
    real("refine.freeze_from", "share of a training after which oscillating weights are frozen", Some(1.0), |r| {
        r.refine.freeze_from
    }),
    REFINE[0],
    REFINE[1],
    REFINE[2],
    REFINE[3],
    whole("code.trial_symbols", "symbols coded in trials while a good order of units is searched", 0, None, |r| {
        r.code.trial_symbols as f64
    }),
];

const STRUCTURE: [Setting; 4] = training(
    [
        "structure.training.samples",
        "structure.training.batch",
        "structure.training.learning_rate",
        "structure.training.augmentation",
    ],
    [
        |r| samples(&r.structure.training),
        |r| batch(&r.structure.training),
        |r| learning_rate(&r.structure.training),
        |r| augmentation(&r.structure.training),
    ],
);

const PRUNE: [Setting; 4] = training(
    ["prune.training.samples", "prune.training.batch", "prune.training.learning_rate", "prune.training.augmentation"],
    [
        |r| samples(&r.prune.training),
        |r| batch(&r.prune.training),
        |r| learning_rate(&r.prune.training),
        |r| augmentation(&r.prune.training),
    ],
);

const SHARE: [Setting; 4] = training(
    ["share.training.samples", "share.training.batch", "share.training.learning_rate", "share.training.augmentation"],
    [
        |r| samples(&r.share.training),
        |r| batch(&r.share.training),
        |r| learning_rate(&r.share.training),
        |r| augmentation(&r.share.training),
    ],
);

const REFINE: [Setting; 4] = training(
    [
        "refine.training.samples",
        "refine.training.batch",
        "refine.training.learning_rate",
        "refine.training.augmentation",
    ],
    [
        |r| samples(&r.refine.training),
        |r| batch(&r.refine.training),
        |r| learning_rate(&r.refine.training),
        |r| augmentation(&r.refine.training),
    ],
);

impl Recipe {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// [`RecipeError::Invalid`] names the first setting that is out of range.
    pub fn check(&self) -> Result<(), RecipeError> {
        if !self.scaling.is_sound() {
            let expected = "finite means, deviations above 0, as many of both".to_owned();
            return Err(RecipeError::Invalid { field: "scaling", expected, got: format!("{:?}", self.scaling) });
        }
        let target = match self.target {
            Target::Tolerance(_) => &TOLERANCE,
            Target::Budget(_) => &BUDGET,
        };
        for setting in std::iter::once(target).chain(SETTINGS) {
            let value = setting.value(self);
            check(setting.path, setting.allows(value), &setting.range(), value)?;
        }
        Ok(())
    }
}

/// NaN fails every comparison, and so is refused too.
fn check(field: &'static str, sound: bool, expected: &str, got: f64) -> Result<(), RecipeError> {
    if sound {
        return Ok(());
    }
    Err(RecipeError::Invalid { field, expected: expected.to_owned(), got: got.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Effort;
    use serde_json::Value;

    /// The paths of all numbers of an object.
    fn numbers(value: &Value, path: &str, found: &mut Vec<(String, f64)>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    numbers(value, &path, found);
                }
            }
            Value::Number(number) => found.push((path.to_owned(), number.as_f64().unwrap())),
            _ => {}
        }
    }

    #[test]
    fn every_number_of_a_recipe_is_in_the_table_and_in_its_range() {
        for effort in [Effort::Quick, Effort::Balanced, Effort::Thorough] {
            let recipe = Recipe::new(effort);
            let mut found = Vec::new();
            numbers(&serde_json::to_value(&recipe).unwrap(), "", &mut found);
            // The target is one of two kinds, each with a setting of its own.
            assert!(TOLERANCE.allows(TOLERANCE.value(&recipe)) && BUDGET.value(&recipe).is_nan());
            found.retain(|(path, _)| !path.starts_with("target."));
            assert_eq!(found.len(), SETTINGS.len());
            for (path, value) in found {
                let setting = SETTINGS.iter().find(|setting| setting.path == path).unwrap_or_else(|| panic!("{path}"));
                assert!((setting.value(&recipe) - value).abs() <= 1e-6 * value.abs(), "{path}");
                assert!(setting.allows(value), "{path}");
            }
        }
    }

    #[test]
    fn ranges_are_kept_at_both_ends() {
        let find = |path: &str| SETTINGS.iter().find(|setting| setting.path == path).unwrap();
        let centroids = find("share.centroids");
        assert!(centroids.allows(1.0) && centroids.allows(255.0) && !centroids.allows(0.0) && !centroids.allows(256.0));
        assert_eq!(centroids.range(), "1 to 255");
        let price = find("refine.price");
        assert!(price.allows(1e-9) && !price.allows(0.0) && !price.allows(f64::INFINITY) && !price.allows(f64::NAN));
        assert_eq!(price.range(), "above 0");
    }
}
