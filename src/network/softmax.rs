//! `Softmax` inside a network. As the last node it is left out: the loss is a function of its input, the logits.

use crate::kernels::elementwise;

pub fn forward(x: &[f32], n: usize, y: &mut [f32]) {
    elementwise::softmax(x, n, y);
}

pub fn backward(y: &[f32], dy: &[f32], n: usize, dx: &mut [f32]) {
    elementwise::softmax_gradient(y, dy, n, dx);
}

#[cfg(test)]
mod tests {
    use crate::model::presets::Chain;
    use crate::model::{Node, Op, ValueId};
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn gradients_agree_with_central_differences_inside_and_at_the_end() {
        let mut model = Chain::new(vec![6]).linear("a", [5, 6]).linear("b", [4, 5]).build();
        let softmax = |input| Node { name: "softmax".into(), op: Op::Softmax, inputs: vec![ValueId(input)] };
        model.graph.nodes.insert(1, softmax(1));
        model.graph.nodes[2].inputs = vec![ValueId(2)];
        model.graph.nodes.push(softmax(3));
        assert_gradients(model);
    }
}
