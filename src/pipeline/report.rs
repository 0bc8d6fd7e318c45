//! What a run did, and what came of it.

use super::criterion::Criterion;
use super::event::{Accuracy, Probe, StageState};
use super::recipe::Recipe;
use crate::data::Samples;
use serde::{Deserialize, Serialize};

/// The result of a run, as the page shows it and `--report` writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of Nutshell that made it.
    pub version: String,
    /// Where it ran: architecture and instruction set.
    pub platform: String,
    /// What was asked for.
    pub recipe: Recipe,
    /// The recipe's seed.
    pub seed: u64,
    /// What held the result to the original: the samples' labels, or the original's answers. All accuracies here are by it.
    #[serde(default)]
    pub criterion: Criterion,
    /// The samples that the run was given.
    #[serde(default)]
    pub splits: Splits,
    /// How far the decoded network's outputs are from the original's; only where there are no labels.
    #[serde(default)]
    pub output_distance: Option<Distances>,
    /// What is suspicious about the run, a sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Bytes of the original's parameters as 32-bit floats.
    pub baseline_bytes: usize,
    /// Size of the `.nut` on disk.
    pub file_bytes: usize,
    /// `baseline_bytes / file_bytes`.
    pub ratio: f64,
    /// Size of the `.nut` if its graph is stored instead of named by a number.
    pub file_bytes_with_graph: usize,
    /// Bytes of the `.nut` that are not coded parameters: magic, topology, widths, checksum.
    pub head_bytes: usize,
    /// The original network.
    pub before: Accuracies,
    /// The network decoded again from the file's bytes.
    pub after: Accuracies,
    /// The same weights, run with integers only (8-bit activations).
    pub integer: Option<Accuracies>,
    /// Other codings of the same symbols, complete with their headers.
    pub baselines: Vec<Baseline>,
    /// Largest sum of the bytes of two neighbouring activations, one sample, 32-bit floats.
    pub peak_activation_bytes: usize,
    /// The network after each stage.
    pub stages: Vec<StageState>,
    /// Every step of every search.
    pub probes: Vec<Probe>,
    /// Wall-clock seconds of the run, filled in by whoever has a clock.
    pub seconds: f64,
}

/// Accuracy on validation samples, and on test samples if there are some.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracies {
    /// On validation samples, which the run searched and selected on.
    pub validation: Accuracy,
    /// On test samples, looked at once, at the end.
    pub test: Option<Accuracy>,
}

/// How many samples a run had, for what.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
pub struct SplitCounts {
    /// In all.
    pub samples: usize,
    /// Of each class; empty if they are unlabelled.
    pub classes: Vec<usize>,
}

impl SplitCounts {
    /// Counts samples.
    pub fn of(samples: &Samples) -> Self {
        SplitCounts { samples: samples.len(), classes: samples.class_counts() }
    }
}

/// Relative distances of outputs, `|y - y0| / |y0|`; see [`output_distance`](super::output_distance).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// On validation samples.
    pub validation: f64,
    /// On test samples, if there are some.
    pub test: Option<f64>,
}

/// Another coding of the same symbols.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// What it is.
    pub name: String,
    /// Complete, with headers.
    pub bytes: usize,
}
