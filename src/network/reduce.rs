//! `Reduce`: the mean or the sum along some axes.

use crate::model::places;

/// Where each element of the input goes.
#[derive(Debug, Clone)]
pub struct ReducePlan {
    places: Vec<u32>,
    /// 1 over the number of elements that come together, for a mean.
    factor: f32,
}

impl ReducePlan {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(mean: bool, input: &[usize], output: &[usize]) -> Option<Self> {
        let elements = |shape: &[usize]| shape.iter().product::<usize>();
        let factor = if mean { elements(output) as f32 / elements(input) as f32 } else { 1.0 };
        // What broadcasting takes from a place, a reduction brings there.
        Some(ReducePlan { places: places::expand(output, input)?, factor })
    }

    /// `x` is `[elements, n]`, and so is `y`, with fewer.
    pub fn forward(&self, n: usize, x: &[f32], y: &mut [f32]) {
        y.fill(0.0);
        for (x, &place) in x.chunks_exact(n).zip(&self.places) {
            y[place as usize * n..][..n].iter_mut().zip(x).for_each(|(y, x)| *y += x);
        }
        y.iter_mut().for_each(|y| *y *= self.factor);
    }

    /// Each element gets the gradient of the place that it went to.
    pub fn backward(&self, n: usize, dy: &[f32], dx: &mut [f32]) {
        for (dx, &place) in dx.chunks_exact_mut(n).zip(&self.places) {
            dx.iter_mut().zip(&dy[place as usize * n..]).for_each(|(dx, dy)| *dx = dy * self.factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LANES;
    use crate::model::presets::Chain;
    use crate::model::{Node, Op, Reduce, ValueId};
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn sums_and_means() {
        let x: Vec<f32> = (0..6).flat_map(|i| [i as f32; LANES]).collect();
        for (mean, output, expected) in
            [(false, [1, 3], &[3.0, 5.0, 7.0][..]), (true, [2, 1], &[1.0, 4.0]), (true, [1, 1], &[2.5])]
        {
            let mut y = vec![f32::NAN; expected.len() * LANES];
            ReducePlan::new(mean, &[2, 3], &output).unwrap().forward(LANES, &x, &mut y);
            assert!(y.iter().step_by(LANES).eq(expected), "{y:?}");
        }
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for (mean, axes, outputs) in [(true, vec![1], 6), (false, vec![0, 2], 2), (true, vec![0, 1, 2], 1)] {
            let mut model = Chain::new(vec![4]).linear("a", [12, 4]).flatten().linear("b", [3, outputs]).build();
            let node = |op, input| Node { name: "n".into(), op, inputs: vec![ValueId(input)] };
            let reduce = node(Op::Reduce(Reduce { mean, axes }), 2);
            model.graph.nodes.splice(1..1, [node(Op::Reshape(vec![3, 2, 2]), 1), reduce]);
            model.graph.nodes[3].inputs = vec![ValueId(3)];
            model.graph.nodes[4].inputs = vec![ValueId(4)];
            assert_gradients(model);
        }
    }
}
