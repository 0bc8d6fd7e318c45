//! The operators, for known shapes: forward, backward, and the gradients of their parameters.

mod binary;
mod conv;
mod linear;
mod lookup;
pub mod matmul;
mod moves;
mod normalize;
mod parameter;
pub mod pool;
mod recurrent;
mod reduce;
mod resize;
mod softmax;
mod unary;
mod weights;
pub mod work;

pub use unary::value as unary_value;

use crate::model::Op;
use binary::{BinaryPlan, Sum};
use conv::Convolution;
use linear::LinearPlan;
use lookup::LookupPlan;
use matmul::MatMulPlan;
use moves::MovePlan;
use normalize::NormalizePlan;
use parameter::Value;
use pool::{Maximum, Mean};
use recurrent::RecurrentPlan;
use reduce::ReducePlan;
use resize::ResizePlan;
use softmax::SoftmaxPlan;
use unary::Relu;
use work::Work;

/// What an operator does for shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
pub fn work(op: &Op, inputs: &[&[usize]], to: &[usize], parameters: &[Vec<usize>]) -> Option<Box<dyn Work>> {
    let from = inputs.first().copied().unwrap_or_default();
    let last = to.last().copied().unwrap_or(1);
    Some(match op {
        Op::Conv(conv) => Box::new(Convolution::new(conv, from, to, &parameters[conv.weight.0])),
        Op::Linear(linear) => Box::new(LinearPlan::new(linear, from, to)),
        Op::Lookup(weight) => Box::new(LookupPlan::new(*weight, to)),
        Op::Recurrent(recurrent) => Box::new(RecurrentPlan::new(recurrent, to)),
        Op::Add if inputs[0] == inputs[1] => Box::new(Sum),
        Op::Add => Box::new(BinaryPlan::new(None, inputs, to)?),
        Op::Binary(function) => Box::new(BinaryPlan::new(Some(*function), inputs, to)?),
        Op::Relu => Box::new(Relu),
        Op::Unary(unary) => Box::new(*unary),
        Op::MaxPool(window) => Box::new(Maximum(pool::pooling(window, from, to))),
        Op::AveragePool(window) => Box::new(Mean(pool::pooling(window, from, to))),
        Op::GlobalAveragePool => Box::new(Mean(pool::global(from))),
        Op::Softmax => Box::new(SoftmaxPlan { length: last, logarithm: false }),
        Op::LogSoftmax => Box::new(SoftmaxPlan { length: last, logarithm: true }),
        Op::MatMul => Box::new(MatMulPlan::new(inputs, to)?),
        Op::Normalize(normalize) => Box::new(NormalizePlan::new(normalize, from)),
        Op::Reduce(reduce) => Box::new(ReducePlan::new(reduce.kind, from, to)?),
        Op::Resize(resize) => Box::new(ResizePlan::new(resize, from, to)?),
        Op::Parameter(id) => Box::new(Value::new(*id)),
        // All others move elements. One that does not has no table, which is an error.
        moves => Box::new(MovePlan::new(moves, inputs, to)?),
    })
}
