//! `MatMul` of two values: each sample has matrices of its own, so that the samples side by side are the vectors.

use super::work::{Inputs, Output, Work};
use crate::model::expand;

/// Products of matrices `[m, k]` and `[k, p]`.
#[derive(Clone)]
pub struct MatMulPlan {
    pub m: usize,
    pub k: usize,
    pub p: usize,
    /// For each product its two matrices.
    pub pairs: Vec<[u32; 2]>,
}

impl MatMulPlan {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(inputs: &[&[usize]], output: &[usize]) -> Option<Self> {
        let (lead_a, &[m, k]) = inputs[0].split_last_chunk::<2>()?;
        let (lead_b, &[_, p]) = inputs[1].split_last_chunk::<2>()?;
        let lead = &output[..output.len() - 2];
        let pairs = expand(lead_a, lead)?.into_iter().zip(expand(lead_b, lead)?);
        Some(MatMulPlan { m, k, p, pairs: pairs.map(|(a, b)| [a, b]).collect() })
    }
}

impl Work for MatMulPlan {
    /// `y = a b`; all are `[.., rows, columns, n]`.
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        let (m, k, p, n) = (self.m, self.k, self.p, x.n);
        y.fill(0.0);
        for (y, &[at_a, at_b]) in y.chunks_exact_mut(m * p * n).zip(&self.pairs) {
            let (a, b) = (matrix(&x[0], at_a, m * k * n), matrix(&x[1], at_b, k * p * n));
            add_product([m, k, p], n, (a, [k, 1]), (b, [p, 1]), y);
        }
    }

    /// The gradient to one operand: `dy b^T` or `a^T dy`, summed over what was broadcast.
    fn backward(&self, operand: usize, x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        let (m, k, p, n) = (self.m, self.k, self.p, x.n);
        dx.fill(0.0);
        for (dy, &[at_a, at_b]) in output.dy.chunks_exact(m * p * n).zip(&self.pairs) {
            if operand == 0 {
                let dx = &mut dx[at_a as usize * m * k * n..][..m * k * n];
                add_product([m, p, k], n, (dy, [p, 1]), (matrix(&x[1], at_b, k * p * n), [1, p]), dx);
            } else {
                let dx = &mut dx[at_b as usize * k * p * n..][..k * p * n];
                add_product([k, m, p], n, (matrix(&x[0], at_a, m * k * n), [1, k]), (dy, [p, 1]), dx);
            }
        }
    }
}

fn matrix(values: &[f32], index: u32, length: usize) -> &[f32] {
    &values[index as usize * length..][..length]
}

/// `y += a b` for matrices `[rows, inner]` and `[inner, columns]`, each with the distances of its rows and columns, in vectors
/// of `n`.
fn add_product(
    [rows, inner, columns]: [usize; 3],
    n: usize,
    (a, a_steps): (&[f32], [usize; 2]),
    (b, b_steps): (&[f32], [usize; 2]),
    y: &mut [f32],
) {
    for row in 0..rows {
        for at in 0..inner {
            let a = &a[(row * a_steps[0] + at * a_steps[1]) * n..][..n];
            for column in 0..columns {
                let b = &b[(at * b_steps[0] + column * b_steps[1]) * n..][..n];
                let y = &mut y[(row * columns + column) * n..][..n];
                y.iter_mut().zip(a.iter().zip(b)).for_each(|(y, (a, b))| *y += a * b);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LANES;
    use crate::model::presets::Chain;
    use crate::model::{Model, Node, Op, ValueId};
    use crate::network::operators::work::tests::forward;
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn products_are_broadcast() {
        // [2, 1, 2] and [2, 1]: the second matrix serves both.
        let lanes = |values: &[f32]| values.iter().flat_map(|&value| [value; LANES]).collect::<Vec<f32>>();
        let (a, b) = (lanes(&[1.0, 2.0, 3.0, 4.0]), lanes(&[10.0, 1.0]));
        let product = MatMulPlan::new(&[&[2, 1, 2], &[2, 1]], &[2, 1, 1]).unwrap();
        assert_eq!(forward(&product, &[a, b], 2), lanes(&[12.0, 34.0]));
    }

    /// A linear layer, its 12 values in both shapes, and their product.
    fn model(a: &[usize], b: &[usize], outputs: usize) -> Model {
        let mut model = Chain::new(vec![4]).linear("a", [12, 4]).flatten().linear("b", [3, outputs]).build();
        let node = |op, inputs: &[usize]| Node {
            name: "n".into(),
            op,
            inputs: inputs.iter().map(|&value| ValueId(value)).collect(),
        };
        let shapes = [node(Op::Reshape(a.to_vec()), &[1]), node(Op::Reshape(b.to_vec()), &[1])];
        model.graph.nodes.splice(1..1, shapes.into_iter().chain([node(Op::MatMul, &[2, 3])]));
        model.graph.nodes[4].inputs = vec![ValueId(4)];
        model.graph.nodes[5].inputs = vec![ValueId(5)];
        model
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        assert_gradients(model(&[3, 4], &[4, 3], 9));
        assert_gradients(model(&[2, 3, 2], &[1, 2, 6], 36));
        assert_gradients(model(&[6, 2], &[3, 2, 2], 36));
    }
}
