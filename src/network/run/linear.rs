//! `Gemm`, and convolutions of one position.

use super::cost::sparse_linear;
use super::finish::Finish;
use super::step::Run;
use crate::kernels::function::{self, Function};
use crate::kernels::product::Matrix;
use crate::network::operators::work::Inputs;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// Vectors from which on a product of two matrices is faster than one by one.
const TOGETHER: usize = 4;

/// A linear layer of known shape and weights.
pub struct LinearStep {
    inputs: usize,
    outputs: usize,
    bias: Vec<f32>,
    finish: Finish,
    weights: Weights,
}

enum Weights {
    Each(Matrix),
    /// `[out, in]`, multiplied by all vectors of a sample together.
    Together(Vec<f32>),
}

impl LinearStep {
    /// `weights` is `[out, in]`; a sample has so many vectors.
    pub fn new(weights: &[f32], outputs: usize, bias: &[f32], vectors: usize, finish: Finish) -> Self {
        let inputs = weights.len() / outputs.max(1);
        let nonzero = weights.iter().filter(|weight| **weight != 0.0).count();
        let weights = match () {
            () if sparse_linear(nonzero, weights.len()) => Weights::Each(Matrix::rows(weights, outputs)),
            () if vectors >= TOGETHER => Weights::Together(weights.to_vec()),
            () => Weights::Each(Matrix::dense(weights, outputs)),
        };
        LinearStep { inputs, outputs, bias: bias.to_vec(), finish, weights }
    }
}

impl Run for LinearStep {
    fn run(&self, x: &Inputs, _scratch: &mut [f32], y: &mut [f32]) {
        let limits = self.finish.limits();
        match &self.weights {
            Weights::Each(matrix) => {
                for (x, y) in x[0].chunks_exact(self.inputs).zip(y.chunks_exact_mut(self.outputs)) {
                    matrix.run(x, &self.bias, limits, y);
                }
            }
            Weights::Together(weights) => {
                for y in y.chunks_exact_mut(self.outputs) {
                    match self.bias.is_empty() {
                        true => y.fill(0.0),
                        false => y.copy_from_slice(&self.bias),
                    }
                }
                let vectors = y.len() / self.outputs;
                let w = ArrayView2::from_shape((self.outputs, self.inputs), weights);
                let x = ArrayView2::from_shape((vectors, self.inputs), &x[0]);
                let to = ArrayViewMut2::from_shape((vectors, self.outputs), y);
                if let (Ok(w), Ok(x), Ok(mut to)) = (w, x, to) {
                    general_mat_mul(1.0, &x, &w.t(), 1.0, &mut to);
                }
                // What the other kernel does itself.
                if let (Some(limits @ Function::Clip(..)), false) = (self.finish.function, self.finish.add) {
                    function::apply(limits, y);
                }
            }
        }
        self.finish.apply(self.finish.add.then(|| &x[1]), y);
    }

    fn kernel(&self) -> &'static str {
        match &self.weights {
            Weights::Each(Matrix::Dense { .. }) => "product",
            Weights::Each(Matrix::Rows { .. }) => "rows",
            Weights::Together(_) => "matrices",
        }
    }
}
