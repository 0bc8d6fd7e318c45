//! `Normalize`: to mean 0 and variance 1, over some axes at the end.

use super::work::{Inputs, Output, Work};
use crate::model::Normalize;

/// A normalisation of `features` numbers each.
pub struct NormalizePlan {
    features: usize,
    epsilon: f32,
}

impl NormalizePlan {
    /// For a shape that `Graph::shapes` has proved.
    pub fn new(normalize: &Normalize, input: &[usize]) -> Self {
        NormalizePlan { features: input[normalize.axis..].iter().product(), epsilon: normalize.epsilon.get() }
    }
}

impl Work for NormalizePlan {
    /// `y = (x - mean) / sqrt(variance + epsilon)` for each of the `[features, n]` that `x` is made of.
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        let (features, epsilon, n, x) = (self.features, self.epsilon, x.n, &x[0]);
        for (x, y) in x.chunks_exact(features * n).zip(y.chunks_exact_mut(features * n)) {
            for sample in 0..n {
                let places = || (sample..features * n).step_by(n);
                let (mean, deviation) = moments(features, epsilon, || places().map(|at| x[at]));
                places().for_each(|at| y[at] = ((f64::from(x[at]) - mean) / deviation) as f32);
            }
        }
    }

    /// `dx = (dy - mean(dy) - y mean(dy y)) / sqrt(variance + epsilon)`.
    fn backward(&self, _index: usize, x: &Inputs, Output { y, dy, .. }: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        let (features, epsilon, n, x) = (self.features, self.epsilon, x.n, &x[0]);
        let length = features * n;
        for (block, dx) in dx.chunks_exact_mut(length).enumerate() {
            let [x, y, dy] = [x, y, dy].map(|values| &values[block * length..][..length]);
            for sample in 0..n {
                let places = || (sample..length).step_by(n);
                let (_, deviation) = moments(features, epsilon, || places().map(|at| x[at]));
                let mean = places().map(|at| dy[at]).sum::<f32>() / features as f32;
                let along = places().map(|at| dy[at] * y[at]).sum::<f32>() / features as f32;
                places().for_each(|at| dx[at] = (dy[at] - mean - y[at] * along) / deviation as f32);
            }
        }
    }
}

/// Mean, and the root of variance and epsilon.
fn moments<I: Iterator<Item = f32>>(features: usize, epsilon: f32, values: impl Fn() -> I) -> (f64, f64) {
    let mean = values().map(f64::from).sum::<f64>() / features as f64;
    let variance = values().map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / features as f64;
    (mean, (variance + f64::from(epsilon)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LANES;
    use crate::model::presets::Chain;
    use crate::model::{Node, Number, Op, ValueId};
    use crate::network::operators::work::tests::forward;
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn a_large_mean_does_no_harm() {
        let x: Vec<f32> = [10_000.0, 10_001.0, 10_002.0].into_iter().flat_map(|x| [x; LANES]).collect();
        let y = forward(&NormalizePlan { features: 3, epsilon: 0.0 }, &[x], 3);
        assert!((y[0] + 1.5f32.sqrt()).abs() < 1e-6 && y[LANES] == 0.0, "{y:?}");
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for axis in [0, 1] {
            let mut model = Chain::new(vec![4]).linear("a", [12, 4]).flatten().linear("b", [3, 12]).build();
            let node = |op, input| Node { name: "n".into(), op, inputs: vec![ValueId(input)] };
            let normalize = node(Op::Normalize(Normalize { axis, epsilon: Number::new(0.1) }), 2);
            model.graph.nodes.splice(1..1, [node(Op::Reshape(vec![3, 4]), 1), normalize]);
            model.graph.nodes[3].inputs = vec![ValueId(3)];
            model.graph.nodes[4].inputs = vec![ValueId(4)];
            assert_gradients(model);
        }
    }
}
