//! What a run says while it works.

use super::recipe::Stage;
use serde::{Deserialize, Serialize};

/// Which samples an accuracy was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SplitName {
    /// Samples that are trained on.
    Train,
    /// Samples that search and select.
    Validation,
    /// Samples that only report.
    Test,
    /// All there are.
    All,
}

/// An accuracy with what it was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Accuracy {
    /// Which samples.
    pub split: SplitName,
    /// How many.
    pub samples: usize,
    /// How many were answered correctly; none where there are numbers to answer with.
    pub correct: Option<usize>,
    /// `correct / samples`, 0 to 1; where there are numbers to answer with R2, which is at most 1.
    pub accuracy: f64,
    /// Mean loss: the cross-entropy in nats, or 1 - R2.
    pub loss: f64,
}

/// Where one layer's bits go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LayerBits {
    /// Which weights are not zero.
    pub positions: f64,
    /// Signs.
    pub signs: f64,
    /// Magnitudes, or indices into the codebook.
    pub magnitudes: f64,
    /// Centroids and formats.
    pub codebook: f64,
    /// Biases.
    pub biases: f64,
}

/// One layer after a stage: its numbers, and what the viewer draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LayerState {
    /// The layer's name.
    pub name: String,
    /// Operator.
    pub op: String,
    /// Shape of the weight at this stage: `[out, in, kh, kw]` or `[out, in]`.
    pub shape: Vec<usize>,
    /// Weights and biases.
    pub parameters: usize,
    /// Weights and biases that are not zero.
    pub nonzeros: usize,
    /// Multiplications by nonzero weights, for one sample.
    pub macs: u64,
    /// Multiplications by all weights, for one sample.
    #[serde(default)]
    pub dense_macs: u64,
    /// Counts of nonzero weights in equal bins over `range`.
    pub histogram: Vec<u32>,
    /// Lowest and highest weight.
    pub range: [f32; 2],
    /// The codebook's values with their populations, rising; empty before sharing.
    pub centroids: Vec<(f32, u32)>,
    /// Where its bits go: by the coder's own count, or before there is a file as a file of the stage would hold them.
    pub bits: LayerBits,
    /// The step of which its weights are multiples, once they are integers.
    #[serde(default)]
    pub step: Option<f32>,
    /// After the stage *round*: how far the outputs on eight validation samples move, over their size, if this layer alone is rounded with a
    /// signal-to-noise ratio of 25 dB. `None` where that was not measured.
    #[serde(default)]
    pub sensitivity: Option<f64>,
}

/// The network after a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StageState {
    /// Which stage.
    pub stage: Stage,
    /// Bytes as a file of this stage would hold them: 4 a parameter for dense floats; from quantize on, of a `.nut`.
    pub bytes: usize,
    /// The original's parameter bytes divided by `bytes`.
    pub ratio: f64,
    /// On validation samples.
    pub validation: Accuracy,
    /// Weights and biases that are not zero.
    pub nonzeros: usize,
    /// Multiply-accumulates of the dense, compact network, for one sample.
    pub macs: u64,
    /// Its layers, in order.
    pub layers: Vec<LayerState>,
}

/// One step of a half-interval search; or a trial of a budget, whose interval is its value alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Probe {
    /// The stage that searches.
    pub stage: Stage,
    /// The searched scalar's name.
    pub variable: String,
    /// Lower end of the interval.
    pub lo: f64,
    /// The probed value.
    pub mid: f64,
    /// Upper end of the interval.
    pub hi: f64,
    /// What is judged.
    pub criterion: String,
    /// Its value at `mid`.
    pub value: f64,
    /// What it may be at most.
    pub limit: f64,
    /// Standard error of `value`.
    pub standard_error: f64,
    /// Validation accuracy on the same samples, 0 to 1.
    pub accuracy: f64,
    /// Samples that were used.
    pub samples: usize,
    /// Whether `mid` was accepted.
    pub accepted: bool,
    /// How far the outputs are from the original's, over their size; only where the run is held to these.
    #[serde(default)]
    pub distance: Option<f64>,
}

/// What a run says while it works. A progress bar, the page and the log draw the same ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "RunEvent"))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A stage begins.
    Started {
        /// Which one.
        stage: Stage,
    },
    /// So much of the run is done. Both are estimates for a usual machine; `of` grows if a target takes more rounds than were planned.
    Progress {
        /// Seconds' work that is done.
        done: f64,
        /// Seconds' work in all.
        of: f64,
    },
    /// A layer was rounded alone.
    Tried {
        /// Which layer, counted from 0.
        layer: usize,
        /// What came of it: see [`LayerState`].
        sensitivity: f64,
    },
    /// A search took a step.
    Probed(Probe),
    /// Training goes on.
    Training {
        /// The stage that trains.
        stage: Stage,
        /// Samples seen in this training.
        done: usize,
        /// Samples that it will see.
        total: usize,
        /// Mean training loss since the last of these events, in nats.
        loss: f64,
        /// Size of the `.nut` if it were written now, once that is known.
        bytes: Option<usize>,
        /// Validation accuracy, 0 to 1, once that is known.
        accuracy: Option<f64>,
    },
    /// Something about the run is suspicious; the report has it too.
    Warned {
        /// A sentence.
        warning: String,
    },
    /// A stage is done.
    Finished(StageState),
}
