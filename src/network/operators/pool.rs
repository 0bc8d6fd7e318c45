//! `MaxPool`, `AveragePool` and `GlobalAveragePool`.

use super::work::{Inputs, Output, Work};
use crate::kernels::pool::{self, Pooling};
use crate::model::Pool;

/// The maximum of each window.
pub struct Maximum(pub Pooling);

impl Work for Maximum {
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        pool::maximum(&self.0, x.n, &x[0], y);
    }

    fn backward(&self, _index: usize, x: &Inputs, Output { y, dy, .. }: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        pool::maximum_gradient(&self.0, x.n, &x[0], y, dy, dx);
    }
}

/// The mean of each window.
pub struct Mean(pub Pooling);

impl Work for Mean {
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        pool::mean(&self.0, x.n, &x[0], y);
    }

    fn backward(&self, _index: usize, x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        pool::mean_gradient(&self.0, x.n, output.dy, dx);
    }
}

/// All channels of all images of a sample, and an image's height and width.
fn planes(shape: &[usize]) -> (usize, [usize; 2]) {
    let (lead, &side) = shape.split_last_chunk::<2>().expect("shapes that Graph::shapes has proved");
    (lead.iter().product(), side)
}

/// The shape of a pooling of `[.., c, h, w]` into `[.., c, h', w']`; shapes that `Graph::shapes` has proved.
pub fn pooling(pool: &Pool, input: &[usize], output: &[usize]) -> Pooling {
    let (channels, input) = planes(input);
    Pooling {
        channels,
        input,
        output: planes(output).1,
        kernel: pool.kernel,
        stride: pool.stride,
        pads: pool.pads,
        count_pads: pool.count_pads,
    }
}

/// The mean over all positions, as a pooling whose window is the image.
pub fn global(input: &[usize]) -> Pooling {
    let (channels, size) = planes(input);
    Pooling { channels, input: size, output: [1, 1], kernel: size, stride: [1, 1], pads: [0; 4], count_pads: false }
}

#[cfg(test)]
mod tests {
    use crate::model::presets::Chain;
    use crate::model::{Model, Node, Op, Pool, ValueId};
    use crate::network::trainer::tests::assert_gradients;

    /// `conv, <op>, flatten, linear` on `[1, 6, 6]`; the op makes `outputs` values.
    fn model(op: Op, outputs: usize) -> Model {
        let mut model =
            Chain::new(vec![1, 6, 6]).conv("conv", [2, 1, 2, 2], 0).flatten().linear("linear", [3, outputs]).build();
        model.graph.nodes.insert(1, Node { name: "pool".into(), op, inputs: vec![ValueId(1)] });
        model.graph.nodes[2].inputs = vec![ValueId(2)];
        model.graph.nodes[3].inputs = vec![ValueId(3)];
        model
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        let pool = |kernel, stride, pads, ceil, count_pads| Pool { kernel, stride, pads, ceil, count_pads };
        assert_gradients(model(Op::MaxPool(pool([2, 2], [2, 2], [0; 4], false, false)), 8));
        assert_gradients(model(Op::MaxPool(pool([3, 3], [2, 2], [1; 4], false, false)), 18));
        assert_gradients(model(Op::AveragePool(pool([2, 2], [2, 2], [0; 4], true, true)), 18));
        assert_gradients(model(Op::AveragePool(pool([3, 3], [2, 2], [1; 4], false, false)), 18));
        assert_gradients(model(Op::GlobalAveragePool, 2));
    }
}
