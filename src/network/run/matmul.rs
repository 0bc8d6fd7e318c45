//! `MatMul` of two values.

use super::step::Run;
use crate::network::operators::matmul::MatMulPlan;
use crate::network::operators::work::Inputs;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

impl Run for MatMulPlan {
    fn run(&self, x: &Inputs, _scratch: &mut [f32], y: &mut [f32]) {
        let MatMulPlan { m, k, p, pairs } = self;
        for (y, &[a, b]) in y.chunks_exact_mut(m * p).zip(pairs) {
            let a = ArrayView2::from_shape((*m, *k), &x[0][a as usize * m * k..][..m * k]);
            let b = ArrayView2::from_shape((*k, *p), &x[1][b as usize * k * p..][..k * p]);
            if let (Ok(a), Ok(b), Ok(mut y)) = (a, b, ArrayViewMut2::from_shape((*m, *p), y)) {
                general_mat_mul(1.0, &a, &b, 0.0, &mut y);
            }
        }
    }

    fn kernel(&self) -> &'static str {
        "matrices"
    }
}
