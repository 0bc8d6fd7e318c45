//! The numbers that a stage is given, with their ranges and what they mean.

use serde::{Deserialize, Serialize};

/// How much work a run may do: sets of numbers, never other code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// No training: weights are rounded. For networks that would train for hours, and for a handful of samples.
    Calibrate,
    /// Seconds in a browser tab.
    Quick,
    /// Minutes in a browser tab.
    Balanced,
    /// As small as we know how to.
    Thorough,
}

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// With samples: as cheap as it can be while validation accuracy drops by at most so many percentage points.
    Tolerance(f64),
    /// As good as it can be at a cost of at most so many units of the objective: bytes on disk.
    Budget(usize),
    /// By the weights alone: the smallest file with this signal-to-quantization-noise ratio, in dB, of the layers in the mean.
    Snr(f64),
    /// By the weights alone: every tensor as it is.
    Lossless,
}

/// Settings of one training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Samples seen, forward and backward; the only bound on the work.
    pub samples: usize,
    /// Samples a step.
    pub batch: usize,
    /// Adam's peak step size; a cosine takes it to zero.
    pub learning_rate: f32,
    /// Strength of random affine and elastic maps of the images: 0 none, 1 about 12 degrees, 12 % and 1.5 pixels.
    pub augmentation: f32,
}

impl Training {
    /// All four numbers.
    pub const fn new(samples: usize, batch: usize, learning_rate: f32, augmentation: f32) -> Self {
        Training { samples, batch, learning_rate, augmentation }
    }
}

/// A number of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SettingRange"))]
pub struct Setting {
    /// Its name among those of its stage; a dot leads into a group.
    #[serde(skip)]
    pub name: &'static str,
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
}

impl Setting {
    /// A number of things, at least `low`.
    pub const fn count(name: &'static str, words: &'static str, low: u32) -> Self {
        Setting { name, words, low: low as f64, high: None, above: false, integer: true }
    }

    /// 0 or more.
    pub const fn real(name: &'static str, words: &'static str) -> Self {
        Setting { name, words, low: 0.0, high: None, above: false, integer: false }
    }

    /// Above 0.
    pub const fn positive(name: &'static str, words: &'static str) -> Self {
        Setting { above: true, ..Setting::real(name, words) }
    }

    /// With a highest value.
    pub const fn at_most(self, high: f64) -> Self {
        Setting { high: Some(high), ..self }
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

/// Rounds of a stage that searches and trains.
pub const ROUNDS: Setting = Setting::count("rounds", "rounds of a search and a training", 0);
/// Steps of a search.
pub const PROBES: Setting = Setting::count("probes", "halvings of a search's interval", 0);
/// Samples of a probe.
pub const PROBE_SAMPLES: Setting = Setting::count("probe_samples", "validation samples that a probe is judged on", 1);
/// What a probe may cost.
pub const LOSS_RISE: Setting =
    Setting::real("loss_rise", "rise of the mean loss up to which a probe is accepted, in nats");
/// The numbers of a training.
pub const TRAINING: [Setting; 4] = [
    Setting::count("training.samples", "training samples seen, forward and backward", 0),
    Setting::count("training.batch", "samples a step", 1),
    Setting::positive("training.learning_rate", "peak step size of Adam; a cosine takes it to zero"),
    Setting::real("training.augmentation", "strength of random rotations, shears and elastic maps; 0 is none"),
];
