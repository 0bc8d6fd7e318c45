//! What a run did, and what came of it.

use super::event::{Accuracy, Probe, StageState};
use super::recipe::Recipe;
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

/// Another coding of the same symbols.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// What it is.
    pub name: String,
    /// Complete, with headers.
    pub bytes: usize,
}
