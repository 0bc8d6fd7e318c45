//! What follows a layer and is done with it.

use crate::kernels::function::{self, Function};
use crate::kernels::lists::Limits;

/// What is done to each sum of a layer, in this order: an addend, a function, a maximum over 2 x 2.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Finish {
    /// Whether the step's second input, of the shape of the layer's output, is added.
    pub add: bool,
    /// The function of each element.
    pub function: Option<Function>,
    /// Whether the maximum of each 2 x 2 is what remains.
    pub pool: bool,
}

impl Finish {
    /// Limits that the layer's kernel can keep itself.
    pub fn limits(&self) -> Limits {
        match self.function {
            Some(Function::Clip(lowest, highest)) if !self.add => Limits { lowest, highest },
            _ => Limits::NONE,
        }
    }

    /// Does to the kernel's sums what the kernel has not; `addend` is what belongs to them.
    pub fn apply(&self, addend: Option<&[f32]>, sums: &mut [f32]) {
        if let Some(addend) = addend {
            function::add(addend, sums);
        }
        match self.function {
            Some(Function::Clip(..)) if !self.add => {}
            Some(function) => function::apply(function, sums),
            None => {}
        }
    }
}
