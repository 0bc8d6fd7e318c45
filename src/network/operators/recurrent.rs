//! `LSTM`, `GRU` and `RNN` behind the layer that weighs their inputs: step by step, and back through all steps.

use super::work::{Inputs, Output, ParameterGradients, Work, copy};
use crate::model::{Cell, Model, Recurrent};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};

/// A recurrent layer of known shape. What is kept of each step is `[gates + 2, hidden]`: the gates; the state of an LSTM's cell or what
/// a GRU's reset multiplies; the output.
pub struct RecurrentPlan {
    layer: Recurrent,
    steps: usize,
    hidden: usize,
    weights: Vec<f32>,
    biases: Vec<f32>,
}

impl RecurrentPlan {
    /// For shapes that `Graph::shapes` has proved.
    pub fn new(layer: &Recurrent, output: &[usize]) -> Self {
        let [steps, hidden] = output.try_into().unwrap_or_default();
        RecurrentPlan { layer: layer.clone(), steps, hidden, weights: Vec::new(), biases: Vec::new() }
    }

    fn gates(&self) -> usize {
        self.layer.cell.gates() * self.hidden
    }

    /// The steps in the order in which they run, each with the one before it.
    fn order(&self) -> impl DoubleEndedIterator<Item = (usize, Option<usize>)> + use<> {
        let (steps, reverse) = (self.steps, self.layer.reverse);
        (0..steps).map(move |at| match reverse {
            false => (at, at.checked_sub(1)),
            true => (steps - 1 - at, (at > 0).then(|| steps - at)),
        })
    }

    /// The rows of the weights that belong to some gates.
    fn rows(&self, rows: std::ops::Range<usize>) -> ArrayView2<'_, f32> {
        view(&self.weights, self.gates(), self.hidden).slice_move(s![rows, ..])
    }
}

impl Work for RecurrentPlan {
    fn prepare(&mut self, model: &Model, _training: bool) {
        copy(model, Some(self.layer.weight), &mut self.weights);
        copy(model, self.layer.bias, &mut self.biases);
    }

    fn kept(&self) -> usize {
        self.steps * (self.gates() + 2 * self.hidden)
    }

    /// `x` is `[steps, gates x hidden, n]`, `y` `[steps, hidden, n]`.
    fn forward(&self, x: &Inputs, kept: &mut [f32], y: &mut [f32]) {
        let (n, gates, wide) = (x.n, self.gates(), self.hidden * x.n);
        let block = gates * n + 2 * wide;
        let zeros = vec![0.0; wide];
        let mut recurrent = vec![0.0; gates * n];
        for (step, before) in self.order() {
            let (h_before, c_before) = match before {
                Some(before) => {
                    (y[before * wide..][..wide].to_vec(), kept[before * block + gates * n..][..wide].to_vec())
                }
                None => (zeros.clone(), zeros.clone()),
            };
            let (a, rest) = kept[step * block..][..block].split_at_mut(gates * n);
            let (state, output) = rest.split_at_mut(wide);
            a.copy_from_slice(&x[0][step * gates * n..][..gates * n]);
            recurrent.fill(0.0);
            recurrent.chunks_exact_mut(n).zip(&self.biases).for_each(|(row, &bias)| row.fill(bias));
            // The reset of a GRU goes before its last gate's weights, or behind them.
            let late = if self.layer.cell == Cell::Gru { 2 * self.hidden } else { gates };
            let to = &mut recurrent[..late * n];
            general_mat_mul(
                1.0,
                &self.rows(0..late),
                &view(&h_before, self.hidden, n),
                1.0,
                &mut view_mut(to, late, n),
            );
            match self.layer.cell {
                Cell::Rnn => {
                    a.iter_mut().zip(&recurrent).for_each(|(a, u)| *a = (*a + u).tanh());
                    output.copy_from_slice(a);
                }
                Cell::Lstm => {
                    a.iter_mut().zip(&recurrent).for_each(|(a, u)| *a += u);
                    a[..3 * wide].iter_mut().for_each(|a| *a = sigmoid(*a));
                    a[3 * wide..].iter_mut().for_each(|a| *a = a.tanh());
                    for at in 0..wide {
                        let [i, o, f, g] = [0, 1, 2, 3].map(|gate| a[gate * wide + at]);
                        state[at] = f * c_before[at] + i * g;
                        output[at] = o * state[at].tanh();
                    }
                }
                Cell::Gru | Cell::GruReset => {
                    a[..2 * wide].iter_mut().zip(&recurrent).for_each(|(a, u)| *a = sigmoid(*a + u));
                    if self.layer.cell == Cell::Gru {
                        state.iter_mut().zip(&a[wide..2 * wide]).zip(&h_before).for_each(|((s, r), h)| *s = r * h);
                        let to = &mut view_mut(&mut recurrent[2 * wide..], self.hidden, n);
                        general_mat_mul(1.0, &self.rows(late..gates), &view(state, self.hidden, n), 1.0, to);
                    } else {
                        state.copy_from_slice(&recurrent[2 * wide..]);
                    }
                    for at in 0..wide {
                        let (z, r, u) = (a[at], a[wide + at], recurrent[2 * wide + at]);
                        let c = (a[2 * wide + at] + if late < gates { u } else { r * u }).tanh();
                        a[2 * wide + at] = c;
                        output[at] = c + z * (h_before[at] - c);
                    }
                }
            }
            y[step * wide..][..wide].copy_from_slice(output);
        }
    }

    /// What the gradients of the parameters left in `kept` is that to the input.
    fn backward(&self, _index: usize, x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        let gates = self.gates() * x.n;
        let block = gates + 2 * self.hidden * x.n;
        dx.chunks_exact_mut(gates)
            .zip(output.kept.chunks_exact(block))
            .for_each(|(dx, kept)| dx.copy_from_slice(&kept[..gates]));
    }

    /// Back through the steps; the gates become the gradients of what they were made of.
    fn parameter_gradients(&self, x: &Inputs, kept: &mut [f32], dy: &[f32], gradients: &mut ParameterGradients) {
        let (n, gates, hidden, wide) = (x.n, self.gates(), self.hidden, self.hidden * x.n);
        let block = gates * n + 2 * wide;
        let (mut dh, mut dc) = (vec![0.0; wide], vec![0.0; wide]);
        // The gradient of what the weights made of the output before.
        let mut du = vec![0.0; gates * n];
        let late = if self.layer.cell == Cell::Gru { 2 * hidden } else { gates };
        let mut total = vec![0.0; self.weights.len()];
        let mut biases = vec![0.0; gates];
        for (step, before) in self.order().rev() {
            dh.iter_mut().zip(&dy[step * wide..]).for_each(|(dh, dy)| *dh += dy);
            let (h_before, c_before) = match before {
                Some(before) => {
                    let kept = &kept[before * block + gates * n..][..2 * wide];
                    (kept[wide..].to_vec(), kept[..wide].to_vec())
                }
                None => (vec![0.0; wide], vec![0.0; wide]),
            };
            let (a, rest) = kept[step * block..][..block].split_at_mut(gates * n);
            let state = &rest[..wide];
            // What goes back beside the weights.
            let mut direct = vec![0.0; wide];
            match self.layer.cell {
                Cell::Rnn => {
                    a.iter_mut().zip(&dh).for_each(|(a, dh)| *a = dh * (1.0 - *a * *a));
                    du.copy_from_slice(a);
                }
                Cell::Lstm => {
                    for at in 0..wide {
                        let [i, o, f, g] = [0, 1, 2, 3].map(|gate| a[gate * wide + at]);
                        let t = state[at].tanh();
                        let d = dc[at] + dh[at] * o * (1.0 - t * t);
                        a[at] = d * g * i * (1.0 - i);
                        a[wide + at] = dh[at] * t * o * (1.0 - o);
                        a[2 * wide + at] = d * c_before[at] * f * (1.0 - f);
                        a[3 * wide + at] = d * i * (1.0 - g * g);
                        dc[at] = d * f;
                    }
                    du.copy_from_slice(a);
                }
                Cell::Gru | Cell::GruReset => {
                    for at in 0..wide {
                        let [z, r, c] = [0, 1, 2].map(|gate| a[gate * wide + at]);
                        let d = dh[at] * (1.0 - z) * (1.0 - c * c);
                        direct[at] = dh[at] * z;
                        a[at] = dh[at] * (h_before[at] - c) * z * (1.0 - z);
                        a[wide + at] = d * state[at] * r * (1.0 - r);
                        a[2 * wide + at] = d;
                        du[2 * wide + at] = d * r;
                        // Kept for the reset that goes before the weights.
                        dc[at] = r;
                    }
                    if self.layer.cell == Cell::Gru {
                        let mut ds = vec![0.0; wide];
                        let d = view(&a[2 * wide..], hidden, n);
                        general_mat_mul(1.0, &self.rows(late..gates).t(), &d, 0.0, &mut view_mut(&mut ds, hidden, n));
                        let last = &mut view_mut(&mut total[late * hidden..], gates - late, hidden);
                        general_mat_mul(1.0, &d, &view(state, hidden, n).t(), 1.0, last);
                        for at in 0..wide {
                            let r = dc[at];
                            a[wide + at] = ds[at] * h_before[at] * r * (1.0 - r);
                            direct[at] += ds[at] * r;
                        }
                        du[2 * wide..].copy_from_slice(&a[2 * wide..]);
                    }
                    du[..2 * wide].copy_from_slice(&a[..2 * wide]);
                }
            }
            biases.iter_mut().zip(du.chunks_exact(n)).for_each(|(bias, du)| *bias += du.iter().sum::<f32>());
            let d = view(&du[..late * n], late, n);
            let first = &mut view_mut(&mut total[..late * hidden], late, hidden);
            general_mat_mul(1.0, &d, &view(&h_before, hidden, n).t(), 1.0, first);
            general_mat_mul(1.0, &self.rows(0..late).t(), &d, 1.0, &mut view_mut(&mut direct, hidden, n));
            dh = direct;
        }
        for (id, sum) in [(Some(self.layer.weight), total), (self.layer.bias, biases)] {
            let Some(id) = id else { continue };
            let (add, gradient) = gradients.of(id);
            gradient.iter_mut().zip(sum).for_each(|(to, sum)| *to = if add { *to + sum } else { sum });
        }
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn view(values: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), values).expect("slices have the lengths of their plan")
}

fn view_mut(values: &mut [f32], rows: usize, columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("slices have the lengths of their plan")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::Chain;
    use crate::model::{Node, Op, ParamId, ValueId};
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn gradients_agree_with_central_differences() {
        for (cell, reverse) in
            [(Cell::Lstm, false), (Cell::Lstm, true), (Cell::Gru, false), (Cell::GruReset, true), (Cell::Rnn, false)]
        {
            let gates = cell.gates();
            let mut model = Chain::new(vec![6]).linear("in", [4 * gates * 3, 6]).linear("r", [gates * 3, 3]).build();
            let last = Chain::new(vec![12]).linear("out", [2, 12]).build();
            let (weight, bias) = (ParamId(2), Some(ParamId(3)).filter(|_| cell == Cell::GruReset));
            let node = |op, input| Node { name: "n".into(), op, inputs: vec![ValueId(input)] };
            model.graph.nodes[1] = node(Op::Reshape(vec![4, gates * 3]), 1);
            model.graph.nodes.push(node(Op::Recurrent(Recurrent { weight, bias, cell, reverse }), 2));
            model.graph.nodes.push(node(Op::Flatten, 3));
            model.parameters.extend(last.parameters);
            let linear = crate::model::Linear { weight: ParamId(4), bias: Some(ParamId(5)) };
            model.graph.nodes.push(node(Op::Linear(linear), 4));
            assert_gradients(model);
        }
    }
}
