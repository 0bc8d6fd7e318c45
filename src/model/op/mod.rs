//! The operators that a [`Graph`](super::Graph) is made of.

mod layers;
mod mix;
mod moves;
mod operands;
mod pool;
mod resize;

pub use layers::{Cell, Conv, Linear, Recurrent};
pub use mix::{Normalize, Reduce, Reduction};
pub use moves::{Gather, Input, Pad, PadMode, Slice};
pub(crate) use moves::{NOWHERE, expand};
pub use operands::ParamId;
pub(crate) use operands::{broadcast, check_size};
pub use pool::Pool;
pub(crate) use resize::multiplied;
pub use resize::{Coordinates, Interpolation, Resize, Rounding};

use super::{Binary, Unary};
use crate::error::GraphError;
use operands::Operands;
use std::ops::RangeInclusive;
use strum::IntoStaticStr;

/// One operator. Shapes leave the batch out: an image is `[channels, height, width]`, a vector is `[features]`. Axes count
/// from 0 in such a shape. What works on an image or a vector works on several, in axes before it. Names are those of ONNX.
///
/// There is no default arm where an operator's [`Class`], shape or bytes are matched: whoever adds one is led by the compiler to
/// each place that has to know it. The rest goes by the class, or has an arm for those that need one.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
pub enum Op {
    /// 2-D cross-correlation: `[.., in, h, w]` to `[.., out, h', w']`.
    Conv(Conv),
    /// Fully connected layer: `[.., in]` to `[.., out]`.
    #[strum(serialize = "Gemm")]
    Linear(Linear),
    /// A recurrent layer.
    Recurrent(Recurrent),
    /// For each number, which names a place, the column of a table `[width, count]`: `[..]` to `[.., width]`.
    #[strum(serialize = "Gather")]
    Lookup(ParamId),
    /// Sum of two values, broadcast to one shape: axes are aligned at the last, and an axis of 1, or one that is not there,
    /// is repeated.
    Add,
    /// `max(x, 0)`.
    Relu,
    /// Maximum over a window; padding never wins.
    MaxPool(Pool),
    /// Mean over a window.
    AveragePool(Pool),
    /// Mean over all positions: `[.., c, h, w]` to `[.., c, 1, 1]`.
    GlobalAveragePool,
    /// Any shape to one dimension, row-major.
    Flatten,
    /// `exp(x) / sum exp(x)` along the last axis.
    Softmax,
    /// The logarithm of the softmax along the last axis.
    LogSoftmax,
    /// A function of each element.
    Unary(Unary),
    /// A function of the elements of two values, broadcast to one shape.
    Binary(Binary),
    /// Product of matrices: `[.., m, k]` and `[.., k, n]` to `[.., m, n]`; the axes before are broadcast.
    MatMul,
    /// `(x - mean) / sqrt(variance + epsilon)`, with mean and variance over all axes from `axis` on.
    #[strum(serialize = "LayerNormalization")]
    Normalize(Normalize),
    /// One number for all along some axes, which stay as axes of 1.
    Reduce(Reduce),
    /// Other sides by interpolation.
    Resize(Resize),
    /// The same elements in another shape, row-major.
    Reshape(Vec<usize>),
    /// Axis `i` of the output is axis `order[i]` of the input.
    Transpose(Vec<usize>),
    /// Some places along each axis.
    Slice(Slice),
    /// The places `indices` along one axis.
    Gather(Gather),
    /// Several values, one after the other along an axis.
    Concat(usize),
    /// More places at both ends of each axis.
    Pad(Pad),
    /// Broadcast to a shape.
    Expand(Vec<usize>),
    /// A parameter as a value, the same for every sample.
    #[strum(serialize = "Constant")]
    Parameter(ParamId),
    /// One of the inputs of a network that has several, or whose first axis is none of samples.
    Input(Input),
    /// The answers of a network that has several, one after the other, each flattened.
    Outputs,
}

/// What operators have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Its outputs are sums over its inputs, by a weight and a bias of its own.
    Layer,
    /// Each element by itself, in the same shape.
    Elementwise,
    /// The elements of two values, broadcast to one shape.
    Broadcast,
    /// One number for the places of a window, each channel by itself.
    Pool,
    /// Elements along some axes together, in the same shape.
    Normalization,
    /// Other sums and reductions.
    Mix,
    /// The same elements in the same order, in another shape.
    Reshape,
    /// Elements go to other places, by a table (`model/places.rs`).
    Move,
    /// It makes a value of no other.
    Source,
}

impl Op {
    /// Name of the operator in ONNX.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Unary(unary) => unary.function.name(),
            Op::Binary(binary) => binary.name(),
            Op::Reduce(reduce) => reduce.kind.into(),
            Op::Recurrent(recurrent) => recurrent.cell.into(),
            other => other.into(),
        }
    }

    /// Its class.
    pub fn class(&self) -> Class {
        match self {
            Op::Conv(_) | Op::Linear(_) | Op::Recurrent(_) | Op::Lookup(_) => Class::Layer,
            Op::Relu | Op::Unary(_) => Class::Elementwise,
            Op::Add | Op::Binary(_) => Class::Broadcast,
            Op::MaxPool(_) | Op::AveragePool(_) | Op::GlobalAveragePool => Class::Pool,
            Op::Softmax | Op::LogSoftmax | Op::Normalize(_) => Class::Normalization,
            Op::MatMul | Op::Reduce(_) | Op::Resize(_) => Class::Mix,
            Op::Flatten | Op::Reshape(_) => Class::Reshape,
            Op::Transpose(_)
            | Op::Slice(_)
            | Op::Gather(_)
            | Op::Concat(_)
            | Op::Pad(_)
            | Op::Expand(_)
            | Op::Input(_)
            | Op::Outputs => Class::Move,
            Op::Parameter(_) => Class::Source,
        }
    }

    /// How many values it reads.
    pub fn arity(&self) -> RangeInclusive<usize> {
        match (self, self.class()) {
            (_, Class::Source) => 0..=0,
            (Op::MatMul, _) | (_, Class::Broadcast) => 2..=2,
            (Op::Concat(_) | Op::Outputs, _) => 1..=usize::MAX,
            _ => 1..=1,
        }
    }

    /// Weight and bias of the operators that have them.
    pub fn layer(&self) -> Option<(ParamId, Option<ParamId>)> {
        match self {
            Op::Conv(conv) => Some((conv.weight, conv.bias)),
            Op::Linear(linear) => Some((linear.weight, linear.bias)),
            Op::Recurrent(recurrent) => Some((recurrent.weight, recurrent.bias)),
            Op::Lookup(weight) => Some((*weight, None)),
            _ => None,
        }
    }

    /// How often a layer uses each of its weights for one sample, from the shape of its output and its weight's first side.
    pub fn uses(&self, output: &[usize], rows: usize) -> usize {
        match self {
            Op::Recurrent(_) => output.first().copied().unwrap_or(0),
            Op::Lookup(_) => 0,
            _ => output.iter().product::<usize>() / rows,
        }
    }

    /// All parameters that it reads.
    pub fn parameters(&self) -> impl Iterator<Item = ParamId> + use<> {
        let (first, second) = match self {
            Op::Parameter(id) => (Some(*id), None),
            other => other.layer().map_or((None, None), |(weight, bias)| (Some(weight), bias)),
        };
        first.into_iter().chain(second)
    }

    /// All parameters that it reads, to change.
    pub fn parameters_mut(&mut self) -> Vec<&mut ParamId> {
        match self {
            Op::Conv(Conv { weight, bias, .. })
            | Op::Linear(Linear { weight, bias })
            | Op::Recurrent(Recurrent { weight, bias, .. }) => {
                [Some(weight), bias.as_mut()].into_iter().flatten().collect()
            }
            Op::Parameter(id) | Op::Lookup(id) => vec![id],
            _ => Vec::new(),
        }
    }

    /// Whether the output is the input's elements, in the same order.
    pub fn is_alias(&self, input: &[usize]) -> bool {
        match self {
            Op::Input(Input { start: 0, shape, .. }) => {
                shape.iter().product::<usize>() == input.iter().product::<usize>()
            }
            _ => self.class() == Class::Reshape,
        }
    }

    /// Shape of the output, one sample of it, from those of the inputs, each of which was proved to be of a size that is allowed, and of
    /// the parameters.
    ///
    /// # Errors
    /// [`GraphError`] if they do not fit; it names `node`.
    pub fn shape(&self, node: &str, inputs: &[&[usize]], parameters: &[Vec<usize>]) -> Result<Vec<usize>, GraphError> {
        let operands = &Operands { node, op: self.name(), inputs, parameters };
        let arity = self.arity();
        if !arity.contains(&inputs.len()) {
            return Err(operands.fault("inputs", arity.start(), inputs.len()));
        }
        let shape = match self {
            Op::Conv(conv) => conv.shape(operands),
            Op::Linear(linear) => linear.shape(operands),
            Op::Recurrent(recurrent) => recurrent.shape(operands),
            Op::Lookup(weight) => layers::looked_up(*weight, operands),
            Op::Add | Op::Binary(_) => operands.broadcast(),
            Op::Relu | Op::Unary(_) => Ok(operands.input().to_vec()),
            Op::MaxPool(pool) | Op::AveragePool(pool) => pool.shape(operands),
            Op::GlobalAveragePool => pool::global(operands),
            Op::Flatten => Ok(vec![operands.input().iter().product()]),
            Op::Softmax | Op::LogSoftmax => mix::softmax(operands),
            Op::MatMul => mix::product(operands),
            Op::Normalize(normalize) => normalize.shape(operands),
            Op::Reduce(reduce) => reduce.shape(operands),
            Op::Resize(resize) => resize.shape(operands),
            Op::Reshape(shape) => moves::reshape(shape, operands),
            Op::Transpose(order) => moves::transpose(order, operands),
            Op::Slice(slice) => slice.shape(operands),
            Op::Gather(gather) => gather.shape(operands),
            Op::Concat(axis) => moves::joined(*axis, operands),
            Op::Pad(pad) => pad.shape(operands),
            Op::Expand(shape) => moves::expanded(shape, operands),
            Op::Parameter(id) => operands.parameter(*id).map(<[usize]>::to_vec),
            Op::Input(part) => part.shape(operands),
            Op::Outputs => moves::outputs(operands),
        }?;
        check_size(node, &shape)?;
        Ok(shape)
    }
}
