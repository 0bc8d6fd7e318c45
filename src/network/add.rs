//! `Add`: the sum of two values. Each input's gradient is the output's.

use crate::kernels::elementwise;

pub fn forward(a: &[f32], b: &[f32], y: &mut [f32]) {
    elementwise::add(a, b, y);
}

pub fn backward(dy: &[f32], dx: &mut [f32]) {
    dx.copy_from_slice(dy);
}

#[cfg(test)]
mod tests {
    use crate::model::{Node, Op, ValueId, presets};
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn gradients_agree_with_central_differences() {
        // A residual block, and a value added to itself.
        let mut model = presets::Chain::new(vec![2, 4, 4])
            .conv("first", [3, 2, 1, 1], 0)
            .conv("second", [3, 3, 3, 3], 1)
            .flatten()
            .linear("last", [3, 48])
            .build();
        let nodes = &mut model.graph.nodes;
        let add = |name: &str, a, b| Node { name: name.into(), op: Op::Add, inputs: vec![ValueId(a), ValueId(b)] };
        nodes.insert(2, add("residual", 1, 2));
        nodes.insert(3, add("twice", 3, 3));
        nodes[4].inputs = vec![ValueId(4)];
        nodes[5].inputs = vec![ValueId(5)];
        assert_gradients(model);
    }
}
