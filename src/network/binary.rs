//! `Add` and `Binary` with broadcasting. Where both operands have the shape of the output, `add.rs` is the faster sum.

use crate::model::{Binary, expand};

/// Where an output's element finds its operands, in elements of a sample; `None` is its own place.
#[derive(Debug, Clone)]
pub struct BinaryPlan {
    /// `None` is the sum.
    function: Option<Binary>,
    places: [Option<Vec<u32>>; 2],
}

impl BinaryPlan {
    /// For shapes that `Graph::shapes` has proved; `None` if memory does not suffice.
    pub fn new(function: Option<Binary>, inputs: [&[usize]; 2], output: &[usize]) -> Option<Self> {
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

    /// `y = f(a, b)`; all are `[elements, n]`.
    pub fn forward(&self, n: usize, [a, b]: [&[f32]; 2], y: &mut [f32]) {
        match self.function {
            None => self.map(n, [a, b], y, |a, b| a + b),
            Some(Binary::Div) => self.map(n, [a, b], y, |a, b| a / b),
            Some(Binary::Equal) => self.each(n, [a, b], y, &|a, b| f32::from(a == b)),
            Some(Binary::Mask) => self.each(n, [a, b], y, &|a, b| if a != 0.0 { b } else { 0.0 }),
            Some(Binary::MaskNot) => self.each(n, [a, b], y, &|a, b| if a != 0.0 { 0.0 } else { b }),
            Some(Binary::Max) => self.each(n, [a, b], y, &f32::max),
            Some(Binary::Min) => self.each(n, [a, b], y, &f32::min),
            Some(Binary::Mul) => self.map(n, [a, b], y, |a, b| a * b),
            Some(Binary::Pow) => self.each(n, [a, b], y, &f32::powf),
            Some(Binary::PRelu) => self.each(n, [a, b], y, &|a, b| if a > 0.0 { a } else { a * b }),
            Some(Binary::Sub) => self.map(n, [a, b], y, |a, b| a - b),
        }
    }

    /// As [`BinaryPlan::map`], for the rarer functions: a loop for each would take up the wasm.
    #[inline(never)]
    fn each(&self, n: usize, operands: [&[f32]; 2], y: &mut [f32], function: &dyn Fn(f32, f32) -> f32) {
        self.map(n, operands, y, function);
    }

    fn map(&self, n: usize, [a, b]: [&[f32]; 2], y: &mut [f32], function: impl Fn(f32, f32) -> f32) {
        self.rows(y.len() / n, |row, [at_a, at_b]| {
            let operands = a[at_a * n..][..n].iter().zip(&b[at_b * n..][..n]);
            y[row * n..][..n].iter_mut().zip(operands).for_each(|(y, (&a, &b))| *y = function(a, b));
        });
    }

    /// The gradient to one operand: the slope of the function there, times `dy`, summed over what was broadcast.
    pub fn backward(&self, n: usize, operand: usize, [a, b]: [&[f32]; 2], dy: &[f32], dx: &mut [f32]) {
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
    use crate::network::trainer::tests::{assert_gradients_as_is, random};
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
        for function in std::iter::once(None).chain(Binary::ALL.map(Some)) {
            // [2, 3] and [3], either way round.
            for swap in [false, true] {
                let shapes: [&[usize]; 2] = if swap { [&[3], &[2, 3]] } else { [&[2, 3], &[3]] };
                let operands = if swap { [&b[..], &a] } else { [&a[..], &b] };
                let plan = BinaryPlan::new(function, shapes, &[2, 3]).unwrap();
                let mut y = vec![f32::NAN; 6 * LANES];
                plan.forward(LANES, operands, &mut y);
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
        for op in std::iter::once(Op::Add).chain(Binary::ALL.map(Op::Binary)) {
            assert_gradients_as_is(model(op.clone(), false));
            assert_gradients_as_is(model(op, true));
        }
        // PRelu below 0, too.
        let mut below = model(Op::Binary(Binary::PRelu), false);
        below.graph.nodes[1].op = Op::Unary(Unary::new(Function::Neg, 0.0, 0.0));
        assert_gradients_as_is(below);
    }
}
