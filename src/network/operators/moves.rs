//! The operators that only move elements: `Transpose`, `Slice`, `Gather`, `Concat`, `Pad`, `Expand`, and several inputs and
//! outputs. One copy by a table does for all.

use super::work::{Inputs, Output, Work};
use crate::model::{NOWHERE, Op, Pad};

/// For each element of the output where it comes from.
#[derive(Clone)]
pub struct MovePlan {
    /// Places in all inputs, one after the other.
    places: Vec<u32>,
    /// Where each input ends.
    ends: Vec<usize>,
    /// What comes from nowhere.
    value: f32,
}

impl MovePlan {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(op: &Op, inputs: &[&[usize]], output: &[usize]) -> Option<Self> {
        let value = if let Op::Pad(Pad { value, .. }) = op { value.get() } else { 0.0 };
        let ends = inputs.iter().scan(0, |end, shape| {
            *end += shape.iter().product::<usize>();
            Some(*end)
        });
        Some(MovePlan { places: op.places(inputs, output)?, ends: ends.collect(), value })
    }
}

impl Work for MovePlan {
    fn forward(&self, inputs: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        let (n, mut index, mut start, mut x) = (inputs.n, 0, 0, &inputs[0]);
        for (y, &place) in y.chunks_exact_mut(n).zip(&self.places) {
            if place == NOWHERE {
                y.fill(self.value);
                continue;
            }
            let place = place as usize;
            if !(start..self.ends[index]).contains(&place) {
                index = self.ends.partition_point(|&end| end <= place);
                start = if index == 0 { 0 } else { self.ends[index - 1] };
                x = &inputs[index];
            }
            y.copy_from_slice(&x[(place - start) * n..][..n]);
        }
    }

    /// The gradient to input `index`: the sum of those of the places that its elements went to.
    fn backward(&self, index: usize, x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        let n = x.n;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        dx.fill(0.0);
        for (dy, &place) in output.dy.chunks_exact(n).zip(&self.places) {
            if place != NOWHERE && (start..self.ends[index]).contains(&(place as usize)) {
                let dx = &mut dx[(place as usize - start) * n..][..n];
                dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += dy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::Chain;
    use crate::model::{Gather, Input, Model, Node, Number, PadMode, Slice, ValueId};
    use crate::network::trainer::tests::assert_gradients;

    /// A linear layer, its 12 values as `[3, 4]`, the operator (twice on the same value if it reads two), and a layer.
    fn model(op: Op, outputs: usize) -> Model {
        let mut model = Chain::new(vec![4]).linear("a", [12, 4]).flatten().linear("b", [3, outputs]).build();
        let inputs = vec![ValueId(2); if op.arity().contains(&2) { 2 } else { 1 }];
        model.graph.nodes.splice(
            1..1,
            [
                Node { name: "matrix".into(), op: Op::Reshape(vec![3, 4]), inputs: vec![ValueId(1)] },
                Node { name: "move".into(), op, inputs },
            ],
        );
        model.graph.nodes[3].inputs = vec![ValueId(3)];
        model.graph.nodes[4].inputs = vec![ValueId(4)];
        model
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        assert_gradients(model(Op::Transpose(vec![1, 0]), 12));
        assert_gradients(model(Op::Slice(Slice { starts: vec![2, 0], steps: vec![-2, 3], lengths: vec![2, 2] }), 4));
        assert_gradients(model(Op::Gather(Gather { axis: 0, indices: vec![2, 2, 0, 1] }), 16));
        assert_gradients(model(Op::Concat(1), 24));
        assert_gradients(model(Op::Outputs, 24));
        for mode in [PadMode::Constant, PadMode::Edge, PadMode::Reflect, PadMode::Wrap] {
            let pad = Pad { before: vec![1, 2], after: vec![0, 1], mode, value: Number::new(0.5) };
            assert_gradients(model(Op::Pad(pad), 28));
        }
    }

    #[test]
    fn what_is_expanded_sums_its_gradients() {
        let mut model = model(Op::Expand(vec![2, 3, 4]), 24);
        assert_gradients(model.clone());
        model.graph.nodes[1].op = Op::Reshape(vec![3, 4, 1]);
        model.graph.nodes[2].op = Op::Expand(vec![3, 4, 2]);
        assert_gradients(model);
    }

    #[test]
    fn inputs_are_parts_of_the_input() {
        let mut model = Chain::new(vec![7]).linear("a", [3, 4]).linear("b", [3, 3]).build();
        let part = |start, shape| Op::Input(Input { start, shape, batched: true });
        let node = |op, inputs: Vec<ValueId>| Node { name: "n".into(), op, inputs };
        let second = node(part(4, vec![3]), vec![ValueId(0)]);
        model.graph.nodes.splice(0..0, [node(part(0, vec![4]), vec![ValueId(0)]), second]);
        model.graph.nodes[2].inputs = vec![ValueId(1)];
        model.graph.nodes[3].inputs = vec![ValueId(3)];
        model.graph.nodes.push(node(Op::Add, vec![ValueId(4), ValueId(2)]));
        assert_gradients(model);
    }
}
