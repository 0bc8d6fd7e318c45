//! `Linear`: forward on the same kernels as a convolution, which need the weights packed once for all shards; the gradients by
//! ndarray's matrix product, or the sparse kernel where most weights are zero.

use super::weights::Form;
use crate::kernels::correlate::{Window, flip};
use crate::kernels::sparse::{self, Taps};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// A linear layer of known shape.
#[derive(Debug, Clone, Copy)]
pub struct LinearPlan {
    pub outputs: usize,
    pub inputs: usize,
}

/// The weights of a linear layer in the kernels' order; for the gradient to the data they are `[out, in]`, or listed if most are
/// zero.
#[derive(Debug, Clone, Default)]
pub struct LinearWeights {
    forward: Form,
    dense: Vec<f32>,
    sparse: Taps,
    transposed: Vec<f32>,
}

impl LinearPlan {
    /// Brings weights `[out, in]` into the kernels' order.
    pub fn prepare(&self, weights: &[f32], training: bool, prepared: &mut LinearWeights) {
        prepared.forward.set(weights, self.outputs, &Window::linear(self.inputs));
        if training && prepared.forward.sparse() {
            flip(weights, self.outputs, [1, 1], &mut prepared.transposed);
            prepared.sparse.list(&Window::linear(self.outputs), &prepared.transposed);
        } else if training {
            prepared.dense.clear();
            prepared.dense.extend_from_slice(weights);
        }
    }

    /// `y = weight x + bias`; `x` is `[.., in, n]`, `y` `[.., out, n]`.
    pub fn forward(&self, n: usize, weights: &LinearWeights, bias: &[f32], x: &[f32], y: &mut [f32]) {
        let window = Window::linear(self.inputs);
        for (x, y) in x.chunks_exact(self.inputs * n).zip(y.chunks_exact_mut(self.outputs * n)) {
            weights.forward.correlate(&window, &window, n, x, x, bias, y);
        }
    }

    /// `dw = dy x^T`, or added to `dw`.
    pub fn weight_gradient(&self, n: usize, x: &[f32], dy: &[f32], add: bool, dw: &mut [f32]) {
        for (index, (x, dy)) in x.chunks_exact(self.inputs * n).zip(dy.chunks_exact(self.outputs * n)).enumerate() {
            let beta = if add || index > 0 { 1.0 } else { 0.0 };
            let (dy, x) = (view(dy, self.outputs, n), view(x, self.inputs, n));
            general_mat_mul(1.0, &dy, &x.t(), beta, &mut view_mut(dw, self.outputs, self.inputs));
        }
    }

    /// `dx = weight^T dy`.
    pub fn data_gradient(&self, n: usize, weights: &LinearWeights, dy: &[f32], dx: &mut [f32]) {
        for (dx, dy) in dx.chunks_exact_mut(self.inputs * n).zip(dy.chunks_exact(self.outputs * n)) {
            if weights.forward.sparse() {
                sparse::correlate(&Window::linear(self.outputs), n, dy, &weights.sparse, &[], dx);
                continue;
            }
            let w = view(&weights.dense, self.outputs, self.inputs);
            general_mat_mul(1.0, &w.t(), &view(dy, self.outputs, n), 0.0, &mut view_mut(dx, self.inputs, n));
        }
    }
}

fn view(values: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), values).expect("slices have the lengths of their plan")
}

fn view_mut(values: &mut [f32], rows: usize, columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("slices have the lengths of their plan")
}

#[cfg(test)]
mod tests {
    use crate::model::presets::Chain;
    use crate::network::trainer::tests::{assert_gradients, assert_gradients_as_is, random};

    #[test]
    fn gradients_agree_with_central_differences() {
        let model = Chain::new(vec![7]).linear("a", [9, 7]).linear("b", [4, 9]).build();
        assert_gradients(model.clone());
        let mut sparse = random(model);
        for parameter in [0, 2] {
            let weights = sparse.parameters[parameter].values.iter_mut();
            weights.enumerate().filter(|(i, _)| i % 4 != 1).for_each(|(_, weight)| *weight = 0.0);
        }
        assert_gradients_as_is(sparse);
    }
}
