//! `Linear`: forward on the same kernels as a convolution, which need the weights packed once for all shards; the gradients by
//! ndarray's matrix product, or the sparse kernel where most weights are zero.

use super::weights::Form;
use super::work::{Inputs, Output, ParameterGradients, Work, copy, with_slice};
use crate::kernels::correlate::{Window, flip};
use crate::kernels::sparse::{self, Taps};
use crate::model::{Linear, Model, ParamId};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// A linear layer of known shape, and its weights in the kernels' order: for the gradient to the data they are `[out, in]`, or listed
/// if most are zero.
pub struct LinearPlan {
    weight: ParamId,
    bias: Option<ParamId>,
    outputs: usize,
    inputs: usize,
    biases: Vec<f32>,
    forward: Form,
    dense: Vec<f32>,
    sparse: Taps,
    transposed: Vec<f32>,
}

impl LinearPlan {
    /// For shapes that `Graph::shapes` has proved.
    pub fn new(linear: &Linear, input: &[usize], output: &[usize]) -> Self {
        let last = |shape: &[usize]| shape.last().copied().unwrap_or(1);
        LinearPlan {
            weight: linear.weight,
            bias: linear.bias,
            outputs: last(output),
            inputs: last(input),
            biases: Vec::new(),
            forward: Form::default(),
            dense: Vec::new(),
            sparse: Taps::default(),
            transposed: Vec::new(),
        }
    }
}

impl Work for LinearPlan {
    fn prepare(&mut self, model: &Model, training: bool) {
        copy(model, self.bias, &mut self.biases);
        with_slice(model, self.weight, |weights| {
            self.forward.set(weights, self.outputs, &Window::linear(self.inputs));
            if training && self.forward.sparse() {
                flip(weights, self.outputs, [1, 1], &mut self.transposed);
                self.sparse.list(&Window::linear(self.outputs), &self.transposed);
            } else if training {
                self.dense.clear();
                self.dense.extend_from_slice(weights);
            }
        });
    }

    /// `y = weight x + bias`; `x` is `[.., in, n]`, `y` `[.., out, n]`.
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        let (n, window) = (x.n, Window::linear(self.inputs));
        for (x, y) in x[0].chunks_exact(self.inputs * n).zip(y.chunks_exact_mut(self.outputs * n)) {
            self.forward.correlate(&window, &window, n, x, x, &self.biases, y);
        }
    }

    /// `dx = weight^T dy`.
    fn backward(&self, _index: usize, x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        let n = x.n;
        for (dx, dy) in dx.chunks_exact_mut(self.inputs * n).zip(output.dy.chunks_exact(self.outputs * n)) {
            if self.forward.sparse() {
                sparse::correlate(&Window::linear(self.outputs), n, dy, &self.sparse, &[], dx);
                continue;
            }
            let w = view(&self.dense, self.outputs, self.inputs);
            general_mat_mul(1.0, &w.t(), &view(dy, self.outputs, n), 0.0, &mut view_mut(dx, self.inputs, n));
        }
    }

    /// `dw = dy x^T`.
    fn parameter_gradients(&self, x: &Inputs, _kept: &mut [f32], dy: &[f32], gradients: &mut ParameterGradients) {
        self.bias.into_iter().for_each(|bias| gradients.add_rows(bias, dy));
        let (n, (add, dw)) = (x.n, gradients.of(self.weight));
        for (index, (x, dy)) in x[0].chunks_exact(self.inputs * n).zip(dy.chunks_exact(self.outputs * n)).enumerate() {
            let beta = if add || index > 0 { 1.0 } else { 0.0 };
            let (dy, x) = (view(dy, self.outputs, n), view(x, self.inputs, n));
            general_mat_mul(1.0, &dy, &x.t(), beta, &mut view_mut(dw, self.outputs, self.inputs));
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
