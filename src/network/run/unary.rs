//! Functions of each element.

use super::step::{Batched, Run};
use crate::kernels::function::{self, Function};
use crate::model::{Function as Name, Op};
use crate::network::operators::work::{Inputs, Work};

/// A function that vectors compute.
pub struct Each(pub Function);

/// The function of an operator, if vectors compute it.
pub fn function_of(op: &Op) -> Option<Function> {
    let Op::Unary(unary) = op else { return (*op == Op::Relu).then_some(Function::Clip(0.0, f32::INFINITY)) };
    let (a, b) = (unary.a.get(), unary.b.get());
    match unary.function {
        Name::Clip => Some(Function::Clip(a, b)),
        Name::HardSigmoid => Some(Function::HardSigmoid(a, b)),
        Name::HardSwish => Some(Function::HardSwish),
        Name::Sigmoid => Some(Function::Sigmoid),
        _ => None,
    }
}

/// What an elementwise operator does.
pub fn each(op: &Op, work: Box<dyn Work>) -> Box<dyn Run> {
    match function_of(op) {
        Some(function) => Box::new(Each(function)),
        None => Box::new(Batched(work)),
    }
}

impl Run for Each {
    fn run(&self, x: &Inputs, _scratch: &mut [f32], y: &mut [f32]) {
        y.copy_from_slice(&x[0]);
        function::apply(self.0, y);
    }

    fn kernel(&self) -> &'static str {
        "elements"
    }
}
