//! What a step of a plan does, whatever its operator.

use crate::network::operators::work::{Inputs, Work};

/// An operator, with what was fused to it, for known shapes and weights.
pub trait Run: Send + Sync {
    /// Floats that it needs for itself.
    fn scratch(&self) -> usize {
        0
    }

    /// Computes the output of one sample.
    fn run(&self, x: &Inputs, scratch: &mut [f32], y: &mut [f32]);

    /// Which kernel runs.
    fn kernel(&self) -> &'static str;
}

/// An operator on the kernels of training, with one sample in a batch.
pub struct Batched(pub Box<dyn Work>);

impl Run for Batched {
    fn scratch(&self) -> usize {
        self.0.kept()
    }

    fn run(&self, x: &Inputs, scratch: &mut [f32], y: &mut [f32]) {
        self.0.forward(x, &mut scratch[..self.0.kept()], y);
    }

    fn kernel(&self) -> &'static str {
        "plain"
    }
}
