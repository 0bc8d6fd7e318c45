//! Weights in the order that the kernels want, dense or sparse: made once a step, shared by all shards.

use crate::kernels::correlate::{self, Packed, Window};
use crate::kernels::sparse::{self, Taps};

/// The share of nonzero weights from which on the dense kernel is faster, measured natively on the layers of LeNet-5 with 16 and
/// 32 samples: where they meet is at 0.5 to 0.6 for convolutions.
const DENSE: f64 = 0.5;

/// As [`DENSE`], where there is one position only (a linear layer), so that the sparse kernel has few sums at a time.
const DENSE_LINEAR: f64 = 0.3;

/// One correlation's weights, in whichever form is the faster. Both keep their memory.
#[derive(Clone, Default)]
pub struct Form {
    sparse: bool,
    packed: Packed,
    taps: Taps,
}

impl Form {
    /// Weights `[rows, taps]`; `window` is that of the sparse kernel, padded at its sides.
    pub fn set(&mut self, weights: &[f32], rows: usize, window: &Window) {
        let dense = if window.positions() == 1 { DENSE_LINEAR } else { DENSE };
        let nonzero = weights.iter().filter(|&&weight| weight != 0.0).count();
        if (nonzero as f64) < dense * weights.len() as f64 {
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
