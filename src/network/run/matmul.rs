//! `MatMul` of two values.

use super::step::Run;
use crate::model::expand;
use crate::network::operators::work::Inputs;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// Products of matrices `[m, k]` and `[k, n]`.
pub struct Products {
    sides: [usize; 3],
    /// For each product its two matrices.
    pairs: Vec<[u32; 2]>,
}

impl Products {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(inputs: &[&[usize]], output: &[usize]) -> Option<Self> {
        let (lead_a, &[m, k]) = inputs[0].split_last_chunk::<2>()?;
        let (lead_b, &[_, n]) = inputs[1].split_last_chunk::<2>()?;
        let lead = &output[..output.len() - 2];
        let pairs = expand(lead_a, lead)?.into_iter().zip(expand(lead_b, lead)?);
        Some(Products { sides: [m, k, n], pairs: pairs.map(|(a, b)| [a, b]).collect() })
    }
}

impl Run for Products {
    fn run(&self, x: &Inputs, _scratch: &mut [f32], y: &mut [f32]) {
        let [m, k, n] = self.sides;
        for (y, &[a, b]) in y.chunks_exact_mut(m * n).zip(&self.pairs) {
            let a = ArrayView2::from_shape((m, k), &x[0][a as usize * m * k..][..m * k]);
            let b = ArrayView2::from_shape((k, n), &x[1][b as usize * k * n..][..k * n]);
            if let (Ok(a), Ok(b), Ok(mut y)) = (a, b, ArrayViewMut2::from_shape((m, n), y)) {
                general_mat_mul(1.0, &a, &b, 0.0, &mut y);
            }
        }
    }

    fn kernel(&self) -> &'static str {
        "matrices"
    }
}
