//! The runner against the forward pass of training, on drawn networks: of many shapes, steps, groups, densities and tails.

use super::{Plan, Workspace};
use crate::kernels::LANES;
use crate::model::{Binary, Conv, Function, Graph, Linear, Model, Node, Op, ParamId, Parameter, Pool, Unary, ValueId};
use crate::network::{plan, workspace};
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A network that is drawn layer by layer; what does not fit is left out.
struct Drawn {
    rng: Pcg64Mcg,
    model: Model,
    shapes: Vec<Vec<usize>>,
    /// Values have fewer elements.
    limit: usize,
}

impl Drawn {
    fn new(seed: u64, shape: Vec<usize>) -> Self {
        let graph = Graph { input_name: "x".into(), input_shape: shape.clone(), ..Graph::default() };
        let model = Model { graph, parameters: Vec::new() };
        Drawn { rng: Pcg64Mcg::seed_from_u64(seed), model, shapes: vec![shape], limit: 20_000 }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.random_range(0..of.len())]
    }

    fn parameter(&mut self, shape: &[usize]) -> ParamId {
        let (density, pairs) = (self.pick(&[1.0, 1.0, 0.5, 0.2, 0.05, 0.0]), self.pick(&[false, true]));
        let row: usize = shape[1..].iter().product::<usize>().max(1);
        let keep: Vec<bool> = (0..shape.iter().product()).map(|_| self.rng.random::<f64>() < density).collect();
        let values = (0..keep.len()).map(|at| {
            // Of pairs, both rows have what the first has.
            let of = if pairs && at / row % 2 == 1 { at - row } else { at };
            if keep[of] { self.rng.random::<f32>() - 0.5 } else { 0.0 }
        });
        let values = ArrayD::from_shape_vec(IxDyn(shape), values.collect()).unwrap();
        self.model.parameters.push(Parameter { name: format!("p{}", self.model.parameters.len()), values });
        ParamId(self.model.parameters.len() - 1)
    }

    /// Adds a node if its shapes fit, and are not large; answers whether they do.
    fn add(&mut self, op: Op, inputs: Vec<usize>) -> bool {
        let of: Vec<&[usize]> = inputs.iter().map(|&input| self.shapes[input].as_slice()).collect();
        let shape = op.shape("n", &of, &self.model.parameter_shapes());
        let Some(shape) = shape.ok().filter(|shape| shape.iter().product::<usize>() < self.limit) else { return false };
        self.shapes.push(shape);
        let inputs = inputs.into_iter().map(ValueId).collect();
        self.model.graph.nodes.push(Node { name: "n".into(), op, inputs });
        true
    }

    fn layer(&mut self) {
        let last = self.shapes.len() - 1;
        let shape = self.shapes[last].clone();
        match shape.as_slice() {
            &[channels, _, _] => {
                let groups = self.pick(&[1, 1, 1, 2, channels]);
                let groups = if channels % groups == 0 { groups } else { 1 };
                let out = groups * self.rng.random_range(1..=40usize.div_ceil(groups));
                let kernel = self.pick(&[[1, 1], [1, 1], [3, 3], [3, 3], [5, 5], [2, 3], [7, 7], [1, 4]]);
                let (stride, dilation) =
                    (self.pick(&[[1, 1], [1, 1], [2, 2], [3, 1]]), self.pick(&[[1, 1], [1, 1], [2, 3]]));
                let pads = self.pick(&[[0; 4], [1; 4], [2; 4], [1, 0, 2, 3]]);
                let weight = self.parameter(&[out, channels / groups, kernel[0], kernel[1]]);
                let bias = self.pick(&[true, false]).then(|| self.parameter(&[out]));
                self.add(Op::Conv(Conv { weight, bias, stride, pads, groups, dilation }), vec![last]);
            }
            &[.., features] => {
                let out = self.rng.random_range(1..100);
                let weight = self.parameter(&[out, features]);
                let bias = self.pick(&[true, false]).then(|| self.parameter(&[out]));
                self.add(Op::Linear(Linear { weight, bias }), vec![last]);
            }
            [] => {}
        }
    }

    fn what_follows(&mut self) {
        let last = self.shapes.len() - 1;
        let unary = |function, a, b| Op::Unary(Unary::new(function, a, b));
        let pool = |side: usize, step: usize, pads| Pool {
            kernel: [side; 2],
            stride: [step; 2],
            pads,
            ceil: false,
            count_pads: false,
        };
        match self.rng.random_range(0..14) {
            0 | 1 => drop(self.add(Op::Relu, vec![last])),
            2 => drop(self.add(unary(Function::Clip, 0.0, 0.4), vec![last])),
            3 => drop(self.add(unary(Function::HardSwish, 0.0, 0.0), vec![last])),
            4 => drop(self.add(unary(Function::LeakyRelu, 0.1, 0.0), vec![last])),
            5 => {
                if self.add(unary(Function::Sigmoid, 0.0, 0.0), vec![last]) {
                    self.add(Op::Binary(Binary::Mul), vec![last, last + 1]);
                }
            }
            6 | 7 => {
                // A value of the same shape from anywhere before.
                let same: Vec<usize> = (0..=last).filter(|&value| self.shapes[value] == self.shapes[last]).collect();
                let other = self.pick(&same);
                self.add(Op::Add, vec![last, other]);
            }
            8 | 9 => drop(self.add(Op::MaxPool(pool(2, 2, [0; 4])), vec![last])),
            10 => drop(self.add(Op::MaxPool(pool(3, 2, [1; 4])), vec![last])),
            11 => drop(self.add(Op::AveragePool(pool(2, 1, [0; 4])), vec![last])),
            12 => {
                // A squeeze: each channel times a number.
                if self.shapes[last].len() == 3 && self.add(Op::GlobalAveragePool, vec![last]) {
                    self.add(Op::Binary(Binary::Mul), vec![last, last + 1]);
                }
            }
            _ => drop(self.add(unary(Function::Tanh, 0.0, 0.0), vec![last])),
        }
    }
}

/// All values of a sample by the kernels of training.
fn by_training(model: &Model, values: &[ValueId], input: &[f32]) -> Vec<Vec<f32>> {
    let mut plan = plan::Plan::new(model, values).unwrap();
    plan.prepare(model);
    let mut workspace = workspace::Workspace::new(&plan, LANES).unwrap();
    let block: Vec<f32> = input.iter().flat_map(|&value| [value; LANES]).collect();
    workspace.values[0][..block.len()].copy_from_slice(&block);
    workspace.forward(&plan, LANES);
    let of = |&(buffer, length): &(usize, usize)| {
        workspace.values[buffer][..length * LANES].iter().copied().step_by(LANES).collect()
    };
    plan.outputs.iter().map(of).collect()
}

fn check(model: &Model, values: &[ValueId], input: &[f32]) {
    let expected = by_training(model, values, input);
    let plan = Plan::new(model, values).unwrap();
    let mut workspace = Workspace::new(&plan).unwrap();
    // A second run finds what the first has left.
    for _ in 0..2 {
        workspace.input().copy_from_slice(input);
        plan.run(&mut workspace);
    }
    for (value, (got, expected)) in plan.outputs(&workspace).zip(&expected).enumerate() {
        assert_eq!(got.len(), expected.len());
        let largest = expected.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
        for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
            assert!(
                (got - expected).abs() <= 1e-4 * largest,
                "value {value}, [{at}]: {got}, not {expected}: {model:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn drawn_networks_answer_as_in_training(
        seed in any::<u64>(),
        channels in 1usize..20,
        height in 1usize..24,
        width in 1usize..40,
        layers in 1usize..7,
    ) {
        let mut drawn = Drawn::new(seed, vec![channels, height, width]);
        for _ in 0..layers {
            drawn.layer();
            for _ in 0..drawn.rng.random_range(0..3) {
                drawn.what_follows();
            }
        }
        if drawn.rng.random::<bool>() {
            let last = drawn.shapes.len() - 1;
            drawn.add(Op::Flatten, vec![last]);
            drawn.layer();
            drawn.what_follows();
        }
        let input: Vec<f32> = (0..channels * height * width).map(|_| drawn.rng.random::<f32>() - 0.3).collect();
        let last = ValueId(drawn.shapes.len() - 1);
        // The answer alone, so that all that can be is fused, and all values.
        check(&drawn.model, &[last], &input);
        let all: Vec<ValueId> = (0..drawn.shapes.len()).map(ValueId).collect();
        check(&drawn.model, &all, &input);
    }
}

#[test]
fn large_and_odd_convolutions_answer_as_in_training() {
    for (shape, weight, stride, pads, dilation) in [
        // Strips of rows, and of columns.
        (vec![3, 70, 90], [5, 3, 3, 3], [1, 1], [1; 4], [1, 1]),
        (vec![30, 1, 3000], [4, 30, 1, 9], [1, 1], [0, 4, 0, 4], [1, 1]),
        (vec![64, 1, 1500], [3, 64, 1, 5], [1, 2], [0, 2, 0, 2], [1, 1]),
        // Winograd's tiles: many, few, and such that hang over.
        (vec![40, 30, 31], [33, 40, 3, 3], [1, 1], [1; 4], [1, 1]),
        (vec![40, 4, 4], [33, 40, 3, 3], [1, 1], [1; 4], [1, 1]),
        (vec![24, 9, 9], [26, 24, 5, 5], [1, 1], [2; 4], [1, 1]),
        // Taps far apart, windows that touch nothing, and pads that no memory could hold.
        (vec![2, 40, 3], [3, 2, 2, 1], [1, 1], [0; 4], [30, 1]),
        (vec![2, 2, 2], [2, 2, 2, 2], [1, 1], [3, 2, 2, 3], [1, 1]),
        (vec![2, 2, 2], [2, 2, 2, 2], [(1 << 20) + 1; 2], [1 << 20, 0, 0, 1 << 20], [1, 1]),
    ] {
        let mut drawn = Drawn::new(7, shape.clone());
        drawn.limit = usize::MAX;
        let mut draw = |shape: &[usize]| {
            let values = (0..shape.iter().product()).map(|_| drawn.rng.random::<f32>() - 0.5).collect();
            ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
        };
        let parameters = [("w", draw(&weight)), ("b", draw(&[weight[0]]))];
        let parameters = parameters.map(|(name, values)| Parameter { name: name.into(), values });
        drawn.model.parameters = parameters.into();
        let bias = Some(ParamId(1));
        assert!(drawn.add(Op::Conv(Conv { weight: ParamId(0), bias, stride, pads, groups: 1, dilation }), vec![0]));
        drawn.add(Op::Relu, vec![1]);
        let input: Vec<f32> = (0..shape.iter().product()).map(|_| drawn.rng.random::<f32>() - 0.3).collect();
        check(&drawn.model, &[ValueId(2)], &input);
    }
}
