//! `Softmax` and `LogSoftmax` along the last axis. A softmax as the last node is left out: the loss is a function of its input,
//! the logits.

use super::work::{Inputs, Output, Work};
use crate::kernels::elementwise;

/// A softmax, or its logarithm, of `length` numbers each.
#[derive(Clone, Copy)]
pub struct SoftmaxPlan {
    pub length: usize,
    pub logarithm: bool,
}

impl Work for SoftmaxPlan {
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        let (n, x) = (x.n, &x[0]);
        let kernel = if self.logarithm { elementwise::log_softmax } else { elementwise::softmax };
        for (x, y) in x.chunks_exact(self.length * n).zip(y.chunks_exact_mut(self.length * n)) {
            kernel(x, n, y);
        }
    }

    fn backward(&self, _index: usize, x: &Inputs, Output { y, dy, .. }: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        let kernel = if self.logarithm { elementwise::log_softmax_gradient } else { elementwise::softmax_gradient };
        let (n, length) = (x.n, self.length * x.n);
        for (index, dx) in dx.chunks_exact_mut(length).enumerate() {
            kernel(&y[index * length..][..length], &dy[index * length..][..length], n, dx);
        }
    }
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

    #[test]
    fn gradients_of_several_at_once_agree_with_central_differences() {
        for op in [Op::Softmax, Op::LogSoftmax] {
            let mut model = Chain::new(vec![4]).linear("a", [12, 4]).flatten().linear("b", [3, 12]).build();
            let node = |op, input| Node { name: "n".into(), op, inputs: vec![ValueId(input)] };
            model.graph.nodes.splice(1..1, [node(Op::Reshape(vec![3, 4]), 1), node(op, 2)]);
            model.graph.nodes[3].inputs = vec![ValueId(3)];
            model.graph.nodes[4].inputs = vec![ValueId(4)];
            assert_gradients(model);
        }
    }
}
