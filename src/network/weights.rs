//! Weights in the order that the kernels want, dense or sparse: made once a step, shared by all shards.

use crate::kernels::correlate::{self, Packed, Window};
use crate::kernels::sparse::{self, Taps};

/// The share of nonzero weights from which on the dense kernel is faster (measured on both of LeNet-5's convolutions).
const DENSE: f64 = 0.5;

/// One correlation's weights, in whichever form is the faster. Both keep their memory.
#[derive(Debug, Clone, Default)]
pub struct Form {
    sparse: bool,
    packed: Packed,
    taps: Taps,
}

impl Form {
    /// Weights `[rows, taps]`; `window` is that of the sparse kernel, padded at its sides.
    pub fn set(&mut self, weights: &[f32], rows: usize, window: &Window) {
        if is_sparse(weights) {
            self.sparse = true;
            self.taps.list(window, weights);
        } else {
            self.set_dense(weights, rows);
        }
    }

    /// Weights `[rows, taps]`, for the dense kernel.
    pub fn set_dense(&mut self, weights: &[f32], rows: usize) {
        self.sparse = false;
        self.packed.pack(weights, rows);
    }

    /// Whether the sparse kernel will run.
    pub fn sparse(&self) -> bool {
        self.sparse
    }

    /// Correlates `input` by the dense kernel or `padded`, of shape `wide`, by the sparse one.
    #[expect(clippy::too_many_arguments, reason = "two shapes of one input, and what every correlation takes")]
    pub fn correlate(
        &self,
        window: &Window,
        wide: &Window,
        n: usize,
        input: &[f32],
        padded: &[f32],
        bias: &[f32],
        output: &mut [f32],
    ) {
        if self.sparse {
            sparse::correlate(wide, n, padded, &self.taps, bias, output);
        } else {
            correlate::correlate(window, n, input, &self.packed, bias, output);
        }
    }
}

/// Whether so many weights are zero that skipping them pays.
fn is_sparse(weights: &[f32]) -> bool {
    let nonzero = weights.iter().filter(|&&weight| weight != 0.0).count();
    (nonzero as f64) < DENSE * weights.len() as f64
}
