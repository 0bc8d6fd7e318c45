//! What a run did, and what came of it.

use super::criterion::Criterion;
use super::drawn::Drawn;
use super::event::{Accuracy, Probe, StageState};
use super::recipe::Recipe;
use crate::container::Encoded;
use crate::data::Samples;
use serde::{Deserialize, Serialize};

/// What a run makes.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The `.nut` file.
    pub nut: Vec<u8>,
    /// What was done, and what came of it.
    pub report: Report,
}

/// The result of a run, as the page shows it and `--report` writes it. What only samples tell, or only a run by the weights alone, is missing
/// from the other's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Report {
    /// Version of Nutshell that made it.
    pub version: String,
    /// Where it ran: architecture and instruction set.
    pub platform: String,
    /// What was asked for.
    pub recipe: Recipe,
    /// The recipe's seed.
    pub seed: u64,
    /// What held the result to the original. All accuracies here are by it.
    #[serde(default)]
    pub criterion: Criterion,
    /// What is suspicious about the run, a sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Bytes of the original: its parameters as 32-bit floats; by the weights alone its tensors in their own types.
    pub baseline_bytes: usize,
    /// Size of the `.nut` on disk.
    pub file_bytes: usize,
    /// `baseline_bytes / file_bytes`.
    pub ratio: f64,
    /// Bytes of the `.nut` that are not coded parameters: magic, topology, sections, checksum.
    pub head_bytes: usize,
    /// The sections among them, each with its tag and length.
    pub sections: Vec<(String, usize)>,
    /// Wall-clock seconds of the run, filled in by whoever has a clock.
    pub seconds: f64,

    /// The samples that the run was given.
    #[serde(default)]
    pub splits: Option<Splits>,
    /// The original network.
    pub before: Option<Accuracies>,
    /// The network decoded again from the file's bytes.
    pub after: Option<Accuracies>,
    /// The same weights, run with integers only (8-bit activations).
    pub integer: Option<Accuracies>,
    /// How far the decoded network's outputs are from the original's; only where there are no labels.
    #[serde(default)]
    pub output_distance: Option<Distances>,
    /// Size of the `.nut` if its graph is stored instead of named by a number.
    pub file_bytes_with_graph: Option<usize>,
    /// Largest sum of the bytes of two neighbouring activations, one sample, 32-bit floats.
    pub peak_activation_bytes: Option<usize>,
    /// Other codings of the same symbols, complete with their headers.
    pub baselines: Vec<Baseline>,
    /// The network after each stage.
    pub stages: Vec<StageState>,
    /// Every step of every search.
    pub probes: Vec<Probe>,

    /// Signal-to-quantization-noise ratio in dB of the layers that were rounded: energy over noise, where the noise over the energy is
    /// the mean over the layers. `None` if nothing was lost, or samples judged.
    #[serde(default)]
    pub snr: Option<f64>,
    /// The same of all rounded weights taken together.
    #[serde(default)]
    pub snr_of_all: Option<f64>,
    /// What it changes of the answers to drawn pictures, if the network reads pictures and can be run.
    #[serde(default)]
    pub drawn: Option<Drawn>,
    /// Each tensor of a run by the weights alone.
    #[serde(default)]
    pub tensors: Vec<TensorReport>,
}

/// What became of a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TensorReport {
    /// Its name.
    pub name: String,
    /// Its sides.
    pub shape: Vec<usize>,
    /// Its type, as numpy calls it.
    pub dtype: String,
    /// Whether the original held integers with a scale.
    pub dequantized: bool,
    /// Whether any number is another one than in the original.
    #[serde(default)]
    pub changed: bool,
    /// The step of its symbols, where rows have their own that of a row in the middle; `None` if they are kept as floats.
    pub step: Option<f32>,
    /// Elements that are not zero.
    pub nonzeros: usize,
    /// Signal-to-quantization-noise ratio in dB, where its rows have steps of their own weighed by those; `None` if nothing was lost, or it is no layer.
    pub snr: Option<f64>,
    /// Bytes in the coded stream; a fraction, since the stream is rounded up once.
    pub bytes: f64,
}

impl Report {
    /// What every report has, of a file and where its bytes went.
    pub fn new(recipe: &Recipe, criterion: Criterion, baseline_bytes: usize, encoded: &Encoded) -> Self {
        let file_bytes = encoded.bytes.len();
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: platform(),
            recipe: recipe.clone(),
            seed: recipe.seed,
            criterion,
            baseline_bytes,
            file_bytes,
            ratio: baseline_bytes as f64 / file_bytes as f64,
            head_bytes: file_bytes - encoded.items.payload_bytes,
            sections: encoded.items.sections.iter().map(|&(name, bytes)| (name.to_owned(), bytes)).collect(),
            ..Report::default()
        }
    }
}

/// Architecture, and the instruction set that the kernels use.
fn platform() -> String {
    #[cfg(target_arch = "x86_64")]
    let instructions = if std::arch::is_x86_feature_detected!("fma") { "AVX2 and FMA" } else { "SSE2" };
    #[cfg(target_arch = "wasm32")]
    let instructions = "simd128";
    #[cfg(not(any(target_arch = "x86_64", target_arch = "wasm32")))]
    let instructions = "plain";
    format!("{}, {instructions}", std::env::consts::ARCH)
}

/// Accuracy on validation samples, and on test samples if there are some.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Accuracies {
    /// On validation samples, which the run searched and selected on.
    pub validation: Accuracy,
    /// On test samples, looked at once, at the end.
    pub test: Option<Accuracy>,
}

/// How many samples a run had, for what.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Splits {
    /// To train on.
    pub training: SplitCounts,
    /// To search and select on.
    pub validation: SplitCounts,
    /// To report on, if there are some.
    pub test: Option<SplitCounts>,
}

/// How many samples a split has.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SplitCounts {
    /// In all.
    pub samples: usize,
    /// Of each class; empty if they are unlabelled.
    pub classes: Vec<usize>,
    /// How many numbers each is to be answered with; 0 where there are classes, or nothing.
    #[serde(default)]
    pub outputs: usize,
}

impl SplitCounts {
    /// Counts samples.
    pub fn of(samples: &Samples) -> Self {
        let outputs = samples.targets.as_ref().map_or(0, |targets| targets.ncols());
        SplitCounts { samples: samples.len(), classes: samples.class_counts(), outputs }
    }
}

/// Relative distances of outputs, `|y - y0| / |y0|`; see [`output_distance`](super::output_distance).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Distances {
    /// On validation samples.
    pub validation: f64,
    /// On test samples, if there are some.
    pub test: Option<f64>,
}

/// Another coding of the same symbols.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Baseline {
    /// What it is.
    pub name: String,
    /// Complete, with headers.
    pub bytes: usize,
}
