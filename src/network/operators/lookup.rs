//! `Lookup`: a column of a table for each place that is named.

use super::work::{Inputs, Output, ParameterGradients, Work, copy};
use crate::model::{Model, ParamId};

/// A table `[width, count]`.
pub struct LookupPlan {
    weight: ParamId,
    width: usize,
    numbers: Vec<f32>,
}

impl LookupPlan {
    /// For shapes that `Graph::shapes` has proved.
    pub fn new(weight: ParamId, output: &[usize]) -> Self {
        LookupPlan { weight, width: output.last().copied().unwrap_or(1), numbers: Vec::new() }
    }
}

/// The column that a number names: a negative one counts from the end, and one beyond the table is the nearest.
fn column(number: f32, count: usize) -> usize {
    let from_end = if number < 0.0 { count as f32 } else { 0.0 };
    ((number + from_end) as usize).min(count.saturating_sub(1))
}

impl Work for LookupPlan {
    fn prepare(&mut self, model: &Model, _training: bool) {
        copy(model, Some(self.weight), &mut self.numbers);
    }

    /// `x` is `[.., n]`, `y` `[.., width, n]`.
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        let (n, count) = (x.n, self.numbers.len() / self.width);
        for (places, y) in x[0].chunks_exact(n).zip(y.chunks_exact_mut(self.width * n)) {
            for (sample, &place) in places.iter().enumerate() {
                let column = column(place, count);
                let numbers = self.numbers.iter().skip(column).step_by(count);
                y.iter_mut().skip(sample).step_by(n).zip(numbers).for_each(|(y, &number)| *y = number);
            }
        }
    }

    /// A place has no slope.
    fn backward(&self, _index: usize, _x: &Inputs, _output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        dx.fill(0.0);
    }

    fn parameter_gradients(&self, x: &Inputs, _kept: &mut [f32], dy: &[f32], gradients: &mut ParameterGradients) {
        let (n, (add, gradient)) = (x.n, gradients.of(self.weight));
        if !add {
            gradient.fill(0.0);
        }
        let count = gradient.len() / self.width;
        for (places, dy) in x[0].chunks_exact(n).zip(dy.chunks_exact(self.width * n)) {
            for (sample, &place) in places.iter().enumerate() {
                let to = gradient.iter_mut().skip(column(place, count)).step_by(count);
                to.zip(dy.iter().skip(sample).step_by(n)).for_each(|(to, dy)| *to += dy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LANES;
    use crate::model::presets::Chain;
    use crate::model::{Node, Op, ValueId};
    use crate::network::operators::work::tests::forward;
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn each_place_takes_its_column() {
        let plan = LookupPlan { weight: ParamId(0), width: 2, numbers: vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0] };
        let x: Vec<f32> = [1.0, -1.0, 7.0].iter().flat_map(|&place| [place; LANES]).collect();
        let y = forward(&plan, &[x], 6);
        assert!(y.iter().step_by(LANES).eq(&[1.0, 11.0, 2.0, 12.0, 2.0, 12.0]), "{y:?}");
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        let mut model = Chain::new(vec![3]).linear("table", [2, 4]).flatten().linear("b", [3, 6]).build();
        model.graph.nodes[0] = Node { name: "table".into(), op: Op::Lookup(ParamId(0)), inputs: vec![ValueId(0)] };
        assert_gradients(model);
    }
}
