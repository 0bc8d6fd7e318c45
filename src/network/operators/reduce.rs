//! `Reduce`: one number for all along some axes.

use super::work::{Inputs, Output, Work};
use crate::model::{Reduction, expand};

/// Where each element of the input goes.
#[derive(Clone)]
pub struct ReducePlan {
    kind: Reduction,
    places: Vec<u32>,
    /// 1 over the number of elements that come together, for a mean.
    factor: f32,
}

impl ReducePlan {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(kind: Reduction, input: &[usize], output: &[usize]) -> Option<Self> {
        let elements = |shape: &[usize]| shape.iter().product::<usize>();
        let factor = if kind == Reduction::Mean { elements(output) as f32 / elements(input) as f32 } else { 1.0 };
        // What broadcasting takes from a place, a reduction brings there.
        Some(ReducePlan { kind, places: expand(output, input)?, factor })
    }

    fn join(&self, n: usize, x: &[f32], start: f32, y: &mut [f32], join: impl Fn(f32, f32) -> f32) {
        y.fill(start);
        for (x, &place) in x.chunks_exact(n).zip(&self.places) {
            y[place as usize * n..][..n].iter_mut().zip(x).for_each(|(y, &x)| *y = join(*y, x));
        }
    }
}

impl Work for ReducePlan {
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        let (n, x) = (x.n, &x[0]);
        match self.kind {
            Reduction::Max => self.join(n, x, f32::NEG_INFINITY, y, f32::max),
            Reduction::Min => self.join(n, x, f32::INFINITY, y, f32::min),
            Reduction::Mean | Reduction::Sum => {
                self.join(n, x, 0.0, y, |sum, x| sum + x);
                y.iter_mut().for_each(|y| *y *= self.factor);
            }
        }
    }

    /// Each element gets the gradient of the place that it went to; of a maximum or minimum only where it is that.
    fn backward(&self, _index: usize, x: &Inputs, Output { y, dy, .. }: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        let (n, x) = (x.n, &x[0]);
        let extreme = matches!(self.kind, Reduction::Max | Reduction::Min);
        for ((dx, x), &place) in dx.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(&self.places) {
            let at = place as usize * n..;
            let results = y[at.clone()].iter().zip(&dy[at]);
            for ((dx, x), (y, dy)) in dx.iter_mut().zip(x).zip(results) {
                *dx = if !extreme || x == y { dy * self.factor } else { 0.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LANES;
    use crate::model::presets::Chain;
    use crate::model::{Node, Op, Reduce, ValueId};
    use crate::network::operators::work::tests::forward;
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn sums_and_means() {
        let x: Vec<f32> = (0..6).flat_map(|i| [i as f32; LANES]).collect();
        for (kind, output, expected) in [
            (Reduction::Sum, [1, 3], &[3.0, 5.0, 7.0][..]),
            (Reduction::Mean, [2, 1], &[1.0, 4.0]),
            (Reduction::Mean, [1, 1], &[2.5]),
            (Reduction::Max, [2, 1], &[2.0, 5.0]),
            (Reduction::Min, [1, 3], &[0.0, 1.0, 2.0]),
        ] {
            let plan = ReducePlan::new(kind, &[2, 3], &output).unwrap();
            let y = forward(&plan, std::slice::from_ref(&x), expected.len());
            assert!(y.iter().step_by(LANES).eq(expected), "{y:?}");
        }
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for (kind, axes, outputs) in [
            (Reduction::Mean, vec![1], 6),
            (Reduction::Sum, vec![0, 2], 2),
            (Reduction::Mean, vec![0, 1, 2], 1),
            (Reduction::Max, vec![0, 1], 2),
            (Reduction::Min, vec![2], 6),
        ] {
            let mut model = Chain::new(vec![4]).linear("a", [12, 4]).flatten().linear("b", [3, outputs]).build();
            let node = |op, input| Node { name: "n".into(), op, inputs: vec![ValueId(input)] };
            let reduce = node(Op::Reduce(Reduce { kind, axes }), 2);
            model.graph.nodes.splice(1..1, [node(Op::Reshape(vec![3, 2, 2]), 1), reduce]);
            model.graph.nodes[3].inputs = vec![ValueId(3)];
            model.graph.nodes[4].inputs = vec![ValueId(4)];
            assert_gradients(model);
        }
    }
}
