//! The operators that a [`Graph`](super::Graph) is made of.

use serde::{Deserialize, Serialize};

/// Index of a parameter in [`Model::parameters`](super::Model::parameters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ParamId(pub usize);

/// One operator. Shapes leave the batch out: an image is `[channels, height, width]`, a vector is `[features]`.
///
/// There is no default arm where an `Op` is matched: whoever adds one is led by the compiler to each place
/// that has to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// 2-D cross-correlation: `[in, h, w]` to `[out, h', w']`.
    Conv(Conv),
    /// Fully connected layer: `[in]` to `[out]`.
    Linear(Linear),
    /// Sum of two values of the same shape.
    Add,
    /// `max(x, 0)`.
    Relu,
    /// Maximum over a window; padding never wins.
    MaxPool(Pool),
    /// Mean over a window.
    AveragePool(Pool),
    /// Mean over all positions: `[c, h, w]` to `[c, 1, 1]`.
    GlobalAveragePool,
    /// Any shape to one dimension, row-major.
    Flatten,
    /// `exp(x) / sum exp(x)` over the features of a vector.
    Softmax,
}

/// A 2-D convolution, as ONNX means it (cross-correlation, dilation 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// `[out, in / groups, kernel height, kernel width]`.
    pub weight: ParamId,
    /// `[out]`.
    pub bias: Option<ParamId>,
    /// Vertical and horizontal step in pixels, each at least 1.
    pub stride: [usize; 2],
    /// Zeros added at the top, left, bottom and right, in pixels.
    pub pads: [usize; 4],
    /// Number of groups; divides both channel counts.
    pub groups: usize,
}

/// A fully connected layer: `y = weight x + bias`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: ParamId,
    /// `[out]`.
    pub bias: Option<ParamId>,
}

/// The window of a pooling operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Window height and width in pixels.
    pub kernel: [usize; 2],
    /// Vertical and horizontal step in pixels, each at least 1.
    pub stride: [usize; 2],
    /// Padding at the top, left, bottom and right, in pixels; each less than the kernel's side.
    pub pads: [usize; 4],
    /// Whether the last, partly covered window counts (ONNX `ceil_mode`).
    pub ceil: bool,
    /// Whether a mean counts padded zeros (ONNX `count_include_pad`); means nothing to a maximum.
    pub count_pads: bool,
}

impl Op {
    /// Name of the operator in ONNX.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Conv(_) => "Conv",
            Op::Linear(_) => "Gemm",
            Op::Add => "Add",
            Op::Relu => "Relu",
            Op::MaxPool(_) => "MaxPool",
            Op::AveragePool(_) => "AveragePool",
            Op::GlobalAveragePool => "GlobalAveragePool",
            Op::Flatten => "Flatten",
            Op::Softmax => "Softmax",
        }
    }

    /// Weight and bias of the operators that have them.
    pub fn layer(&self) -> Option<(ParamId, Option<ParamId>)> {
        match self {
            Op::Conv(conv) => Some((conv.weight, conv.bias)),
            Op::Linear(linear) => Some((linear.weight, linear.bias)),
            Op::Add
            | Op::Relu
            | Op::MaxPool(_)
            | Op::AveragePool(_)
            | Op::GlobalAveragePool
            | Op::Flatten
            | Op::Softmax => None,
        }
    }
}
