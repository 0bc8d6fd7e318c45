//! `MaxPool`, `AveragePool` and `GlobalAveragePool`.

use super::step::Run;
use crate::kernels::planar;
use crate::kernels::pool::Pooling;
use crate::network::operators::work::Inputs;

/// The maximum of each window.
pub struct Maximum(pub Pooling);

impl Run for Maximum {
    fn scratch(&self) -> usize {
        self.0.input[1]
    }

    fn run(&self, x: &Inputs, scratch: &mut [f32], y: &mut [f32]) {
        planar::maximum(&self.0, &x[0], scratch, y);
    }

    fn kernel(&self) -> &'static str {
        "maximum"
    }
}

/// The mean of each window.
pub struct Mean(pub Pooling);

impl Run for Mean {
    fn run(&self, x: &Inputs, _scratch: &mut [f32], y: &mut [f32]) {
        planar::mean(&self.0, &x[0], y);
    }

    fn kernel(&self) -> &'static str {
        "mean"
    }
}
