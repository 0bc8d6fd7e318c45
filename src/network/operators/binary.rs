//! `Add` and `Binary`, with broadcasting.

use super::work::{Inputs, Output, Work};
use crate::kernels::elementwise;
use crate::model::{Binary, expand};

/// The sum of two values of one shape, which is faster than by [`BinaryPlan`]. Each input's gradient is the output's.
pub struct Sum;

impl Work for Sum {
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        elementwise::add(&x[0], &x[1], y);
    }

    fn backward(&self, _index: usize, _x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        dx.copy_from_slice(output.dy);
    }
}

/// Where an output's element finds its operands, in elements of a sample; `None` is its own place.
#[derive(Clone)]
pub struct BinaryPlan {
    /// `None` is the sum.
    function: Option<Binary>,
    places: [Option<Vec<u32>>; 2],
}

impl BinaryPlan {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(function: Option<Binary>, inputs: &[&[usize]], output: &[usize]) -> Option<Self> {
        let of = |input: &[usize]| {
            if input == output { Some(None) } else { expand(input, output).map(Some) }
        };
        Some(BinaryPlan { function, places: [of(inputs[0])?, of(inputs[1])?] })
    }

    /// Calls `visit` with each row of the output and the rows of both operands.
    fn rows(&self, count: usize, mut visit: impl FnMut(usize, [usize; 2])) {
        let place =
            |operand: usize, row: usize| self.places[operand].as_ref().map_or(row, |places| places[row] as usize);
        (0..count).for_each(|row| visit(row, [place(0, row), place(1, row)]));
    }

    /// As [`BinaryPlan::map`], for the rarer functions: a loop for each would take up the wasm.
    #[inline(never)]
    fn each(&self, x: &Inputs, y: &mut [f32], function: &dyn Fn(f32, f32) -> f32) {
        self.map(x, y, function);
    }

    fn map(&self, x: &Inputs, y: &mut [f32], function: impl Fn(f32, f32) -> f32) {
        let (n, a, b) = (x.n, &x[0], &x[1]);
        self.rows(y.len() / n, |row, [at_a, at_b]| {
            let operands = a[at_a * n..][..n].iter().zip(&b[at_b * n..][..n]);
            y[row * n..][..n].iter_mut().zip(operands).for_each(|(y, (&a, &b))| *y = function(a, b));
        });
    }
}

impl Work for BinaryPlan {
    /// `y = f(a, b)`; all are `[elements, n]`.
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        match self.function {
            None => self.map(x, y, |a, b| a + b),
            Some(Binary::Div) => self.map(x, y, |a, b| a / b),
            Some(Binary::Equal) => self.each(x, y, &|a, b| f32::from(a == b)),
            Some(Binary::Mask) => self.each(x, y, &|a, b| if a != 0.0 { b } else { 0.0 }),
            Some(Binary::MaskNot) => self.each(x, y, &|a, b| if a != 0.0 { 0.0 } else { b }),
            Some(Binary::Max) => self.each(x, y, &f32::max),
            Some(Binary::Min) => self.each(x, y, &f32::min),
            Some(Binary::Mul) => self.map(x, y, |a, b| a * b),
            Some(Binary::Pow) => self.each(x, y, &f32::powf),
            Some(Binary::PRelu) => self.each(x, y, &|a, b| if a > 0.0 { a } else { a * b }),
            Some(Binary::Sub) => self.map(x, y, |a, b| a - b),
        }
    }

    /// The gradient to one operand: the slope of the function there, times `dy`, summed over what was broadcast.
    fn backward(&self, operand: usize, x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        let (n, a, b, dy) = (x.n, &x[0], &x[1], output.dy);
        let slope: fn(f32, f32) -> f32 = match (self.function, operand) {
            (None, _) | (Some(Binary::Sub), 0) => |_, _| 1.0,
            (Some(Binary::Sub), _) => |_, _| -1.0,
            (Some(Binary::Mul), 0) => |_, b| b,
            (Some(Binary::Mul), _) => |a, _| a,
            (Some(Binary::Div), 0) => |_, b| 1.0 / b,
            (Some(Binary::Div), _) => |a, b| -a / (b * b),
            (Some(Binary::Equal), _) | (Some(Binary::Mask | Binary::MaskNot), 0) => |_, _| 0.0,
            (Some(Binary::Mask), _) => |a, _| f32::from(a != 0.0),
            (Some(Binary::MaskNot), _) => |a, _| f32::from(a == 0.0),
            (Some(Binary::Max), 0) | (Some(Binary::Min), 1) => |a, b| f32::from(a > b),
            (Some(Binary::Max), _) | (Some(Binary::Min), _) => |a, b| f32::from(a <= b),
            (Some(Binary::Pow), 0) => |a, b| b * a.powf(b - 1.0),
            (Some(Binary::Pow), _) => |a, b| a.powf(b) * a.ln(),
            (Some(Binary::PRelu), 0) => |a, b| if a > 0.0 { 1.0 } else { b },
            (Some(Binary::PRelu), _) => |a, _| a.min(0.0),
        };
        dx.fill(0.0);
        self.rows(dy.len() / n, |row, places| {
            let operands = a[places[0] * n..][..n].iter().zip(&b[places[1] * n..][..n]);
            let gradients = dx[places[operand] * n..][..n].iter_mut().zip(&dy[row * n..][..n]);
            gradients.zip(operands).for_each(|((dx, dy), (&a, &b))| *dx += slope(a, b) * dy);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LANES;
    use crate::model::presets::Chain;
    use crate::model::{Function, Model, Node, Op, ParamId, Parameter, Unary, ValueId};
    use crate::network::operators::work::tests::forward;
    use crate::network::trainer::tests::{assert_gradients, assert_gradients_as_is, random};
    use ndarray::{ArrayD, IxDyn};

    #[test]
    fn values_are_those_of_the_formulas() {
        let a: Vec<f32> = (0..6 * LANES).map(|i| (i as f32 * 0.7).sin() + 1.5).collect();
        let b: Vec<f32> = (0..3 * LANES).map(|i| (i as f32 * 0.3).cos() + 1.5).collect();
        let formula = |function, x: f32, y: f32| match function {
            None => x + y,
            Some(Binary::Div) => x / y,
            Some(Binary::Max) => {
                if x > y {
                    x
                } else {
                    y
                }
            }
            Some(Binary::Min) => {
                if x > y {
                    y
                } else {
                    x
                }
            }
            Some(Binary::Equal) => f32::from(x == y),
            Some(Binary::Mask) => y,
            Some(Binary::MaskNot) => 0.0,
            Some(Binary::Mul) => x * y,
            Some(Binary::Pow) => (y * x.ln()).exp(),
            Some(Binary::PRelu) => x,
            Some(Binary::Sub) => x - y,
        };
        for function in std::iter::once(None).chain(Binary::ALL.iter().copied().map(Some)) {
            // [2, 3] and [3], either way round.
            for swap in [false, true] {
                let shapes: [&[usize]; 2] = if swap { [&[3], &[2, 3]] } else { [&[2, 3], &[3]] };
                let values = if swap { [b.clone(), a.clone()] } else { [a.clone(), b.clone()] };
                let y = forward(&BinaryPlan::new(function, &shapes, &[2, 3]).unwrap(), &values, 6);
                for (i, &y) in y.iter().enumerate() {
                    let (x, z) = (a[i], b[i % (3 * LANES)]);
                    let expected = if swap { formula(function, z, x) } else { formula(function, x, z) };
                    assert!((y - expected).abs() <= 1e-5 * expected.abs(), "{function:?}: {y} is not {expected}");
                }
            }
        }
    }

    /// A linear layer, its exponential, and a parameter on `[2, 3]` and `[3]`; a linear layer at the end.
    fn model(op: Op, swap: bool) -> Model {
        let mut model = random(Chain::new(vec![4]).linear("a", [6, 4]).linear("b", [3, 6]).build());
        let slopes = ArrayD::from_shape_vec(IxDyn(&[3]), vec![0.4, 1.3, 2.2]).unwrap();
        model.parameters.push(Parameter { name: "c".into(), values: slopes });
        let node = |op, inputs: &[usize]| Node {
            name: "n".into(),
            op,
            inputs: inputs.iter().map(|&value| ValueId(value)).collect(),
        };
        let operands = if swap { [4, 3] } else { [3, 4] };
        model.graph.nodes.splice(
            1..1,
            [
                node(Op::Unary(Unary::new(Function::Exp, 0.0, 0.0)), &[1]),
                node(Op::Reshape(vec![2, 3]), &[2]),
                node(Op::Parameter(ParamId(4)), &[]),
                node(op, &operands),
                node(Op::Flatten, &[5]),
            ],
        );
        model.graph.nodes[6].inputs = vec![ValueId(6)];
        model
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for op in std::iter::once(Op::Add).chain(Binary::ALL.iter().copied().map(Op::Binary)) {
            assert_gradients_as_is(model(op.clone(), false));
            assert_gradients_as_is(model(op, true));
        }
        // PRelu below 0, too.
        let mut below = model(Op::Binary(Binary::PRelu), false);
        below.graph.nodes[1].op = Op::Unary(Unary::new(Function::Neg, 0.0, 0.0));
        assert_gradients_as_is(below);
    }

    #[test]
    fn gradients_of_sums_agree_with_central_differences() {
        // A residual block, and a value added to itself.
        let mut model = Chain::new(vec![2, 4, 4])
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
