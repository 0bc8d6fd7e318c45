//! `Relu`, and `Unary`: a function of each element.

use super::work::{Inputs, Output, Work};
use crate::kernels::elementwise;
use crate::model::{Function, Unary};
use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

/// `max(x, 0)`.
pub struct Relu;

impl Work for Relu {
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        elementwise::relu(&x[0], y);
    }

    fn backward(&self, _index: usize, _x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        elementwise::relu_gradient(output.y, output.dy, dx);
    }
}

impl Work for Unary {
    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        forward(self, &x[0], y);
    }

    fn backward(&self, _index: usize, x: &Inputs, output: Output, _scratch: &mut [f32], dx: &mut [f32]) {
        backward(self, &x[0], output, dx);
    }
}

/// `y = f(x)`.
fn forward(unary: &Unary, x: &[f32], y: &mut [f32]) {
    let (a, b) = (unary.a.get(), unary.b.get());
    match unary.function {
        Function::Abs => map(x, y, f32::abs),
        Function::Ceil => each(x, y, &f32::ceil),
        // Not `clamp`, which panics where the limits are the wrong way round.
        Function::Clip => map(x, y, |x| x.max(a).min(b)),
        Function::Elu => each(x, y, &|x| if x > 0.0 { x } else { a * x.exp_m1() }),
        Function::Equals => each(x, y, &|x| f32::from(x == a)),
        Function::Erf => each(x, y, &erf),
        Function::Exp => each(x, y, &f32::exp),
        Function::Floor => each(x, y, &f32::floor),
        Function::Gelu => each(x, y, &|x| x * normal(x)),
        Function::GeluTanh => each(x, y, &|x| 0.5 * x * (1.0 + gelu_angle(x).tanh())),
        Function::HardSigmoid => each(x, y, &|x| hard_sigmoid(x, a, b)),
        Function::HardSwish => each(x, y, &|x| x * hard_sigmoid(x, 1.0 / 6.0, 0.5)),
        Function::LeakyRelu => map(x, y, |x| if x > 0.0 { x } else { a * x }),
        Function::Log => each(x, y, &f32::ln),
        Function::Neg => map(x, y, |x| -x),
        Function::Over => map(x, y, |x| x / a),
        Function::Plus => map(x, y, |x| x + a),
        Function::Power => each(x, y, &|x| x.powf(a)),
        Function::Reciprocal => each(x, y, &|x| 1.0 / x),
        Function::Round => each(x, y, &f32::round_ties_even),
        Function::Selu => each(x, y, &|x| b * if x > 0.0 { x } else { a * x.exp_m1() }),
        Function::Sigmoid => each(x, y, &sigmoid),
        // ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), which does not overflow.
        Function::Softplus => each(x, y, &|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        Function::Softsign => each(x, y, &|x| x / (1.0 + x.abs())),
        Function::Sqrt => each(x, y, &f32::sqrt),
        Function::Tanh => each(x, y, &f32::tanh),
        Function::Times => map(x, y, |x| x * a),
    }
}

/// The function of one number, which is rounded to 32 bits.
pub fn value(unary: &Unary, x: f64) -> f64 {
    let mut y = [0.0];
    forward(unary, &[x as f32], &mut y);
    y[0].into()
}

/// `dx = f'(x) dy`; at a kink one of the slopes beside it, and 0 where the function is a staircase.
fn backward(unary: &Unary, x: &[f32], Output { y, dy, .. }: Output, dx: &mut [f32]) {
    let (a, b) = (unary.a.get(), unary.b.get());
    let slope = |slope: &dyn Fn(f32, f32) -> f32, dx: &mut [f32]| each_slope(x, y, dy, dx, slope);
    match unary.function {
        Function::Abs => slope(&|x, _| if x > 0.0 { 1.0 } else { -1.0 }, dx),
        Function::Ceil | Function::Equals | Function::Floor => dx.fill(0.0),
        // Files of quantised networks round activations: training goes straight through, so that these learn as the reals that they stand for
        // (Bengio et al., 2013, arXiv:1308.3432).
        Function::Round => dx.copy_from_slice(dy),
        Function::Clip => slope(&|x, _| f32::from(x > a && x < b), dx),
        Function::Elu => slope(&|x, y| if x > 0.0 { 1.0 } else { y + a }, dx),
        Function::Erf => slope(&|x, _| FRAC_2_SQRT_PI * (-x * x).exp(), dx),
        Function::Exp => slope(&|_, y| y, dx),
        Function::Gelu => {
            slope(&|x, _| normal(x) + x * (-0.5 * x * x).exp() * (0.5 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI), dx);
        }
        Function::GeluTanh => {
            let slope_of = |x: f32| {
                let tanh = gelu_angle(x).tanh();
                let angle = (2.0 / PI).sqrt() * (1.0 + 3.0 * 0.044715 * x * x);
                0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * angle
            };
            slope(&|x, _| slope_of(x), dx);
        }
        Function::HardSigmoid => slope(&|_, y| if y > 0.0 && y < 1.0 { a } else { 0.0 }, dx),
        Function::HardSwish => {
            slope(&|x, _| if x.abs() >= 3.0 { f32::from(x > 0.0) } else { x / 3.0 + 0.5 }, dx);
        }
        Function::LeakyRelu => slope(&|x, _| if x > 0.0 { 1.0 } else { a }, dx),
        Function::Log => slope(&|x, _| 1.0 / x, dx),
        Function::Neg => slope(&|_, _| -1.0, dx),
        Function::Over => slope(&|_, _| 1.0 / a, dx),
        Function::Plus => dx.copy_from_slice(dy),
        Function::Power => slope(&|x, _| a * x.powf(a - 1.0), dx),
        Function::Reciprocal => slope(&|_, y| -y * y, dx),
        Function::Selu => slope(&|x, y| if x > 0.0 { b } else { y + a * b }, dx),
        Function::Sigmoid => slope(&|_, y| y * (1.0 - y), dx),
        Function::Softplus => slope(&|x, _| sigmoid(x), dx),
        Function::Softsign => slope(&|x, _| (1.0 + x.abs()).powi(-2), dx),
        Function::Sqrt => slope(&|_, y| 0.5 / y, dx),
        Function::Tanh => slope(&|_, y| 1.0 - y * y, dx),
        Function::Times => slope(&|_, _| a, dx),
    }
}

/// As [`map`], for functions that take long beside a call, or are rare: a loop for each would take up the wasm.
#[inline(never)]
fn each(x: &[f32], y: &mut [f32], function: &dyn Fn(f32) -> f32) {
    map(x, y, function);
}

/// `dx = slope(x, y) dy`.
#[inline(never)]
fn each_slope(x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32], slope: &dyn Fn(f32, f32) -> f32) {
    for (((dx, &x), &y), &dy) in dx.iter_mut().zip(x).zip(y).zip(dy) {
        *dx = slope(x, y) * dy;
    }
}

fn map(x: &[f32], y: &mut [f32], function: impl Fn(f32) -> f32) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = function(x));
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn hard_sigmoid(x: f32, a: f32, b: f32) -> f32 {
    (a * x + b).clamp(0.0, 1.0)
}

/// The distribution function of the standard normal distribution.
fn normal(x: f32) -> f32 {
    0.5 * (1.0 + erf(x * FRAC_1_SQRT_2))
}

fn gelu_angle(x: f32) -> f32 {
    (2.0 / PI).sqrt() * (x + 0.044715 * x * x * x)
}

/// The error function: its Taylor series up to 2 (all terms that matter there), 1 minus Chebyshev's approximation of the
/// complement (Press et al., Numerical Recipes, `erfcc`, relative error below 1.2e-7) above.
fn erf(x: f32) -> f32 {
    let z = f64::from(x.abs());
    if z < 2.0 {
        let (mut power, mut sum) = (z, z);
        for k in 1..32 {
            power *= -z * z / f64::from(k);
            sum += power / f64::from(2 * k + 1);
        }
        return (std::f64::consts::FRAC_2_SQRT_PI * sum).min(1.0) as f32 * x.signum();
    }
    const CHEBYSHEV: [f64; 10] = [
        -1.26551223,
        1.00002368,
        0.37409196,
        0.09678418,
        -0.18628806,
        0.27886807,
        -1.13520398,
        1.48851587,
        -0.82215223,
        0.17087277,
    ];
    let t = 1.0 / (1.0 + 0.5 * z);
    let polynomial = CHEBYSHEV.iter().rev().fold(0.0, |sum, coefficient| sum * t + coefficient);
    (1.0 - t * (polynomial - z * z).exp()) as f32 * x.signum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::Chain;
    use crate::model::{Node, Op, ValueId};
    use crate::network::trainer::tests::assert_gradients;

    #[test]
    fn values_are_those_of_tables() {
        // erf from Abramowitz and Stegun, table 7.1; the others by their formulas, to ten digits by bc.
        let cases = [
            (Function::Equals, 0.5, 0.0, 0.5, 1.0),
            (Function::Equals, 0.5, 0.0, 0.6, 0.0),
            (Function::Erf, 0.0, 0.0, 0.02, 0.022_564_575),
            (Function::Erf, 0.0, 0.0, -0.5, -0.520_499_9),
            (Function::Erf, 0.0, 0.0, 1.0, 0.842_700_8),
            (Function::Erf, 0.0, 0.0, 1.99, 0.995_111_4),
            (Function::Erf, 0.0, 0.0, 2.0, 0.995_322_3),
            (Function::Erf, 0.0, 0.0, 30.0, 1.0),
            (Function::Gelu, 0.0, 0.0, 1.0, 0.841_344_8),
            (Function::GeluTanh, 0.0, 0.0, 1.0, 0.841_192),
            (Function::Clip, -1.0, 2.0, 3.0, 2.0),
            (Function::Clip, 2.0, -1.0, 3.0, -1.0),
            (Function::Softplus, 0.0, 0.0, 100.0, 100.0),
            (Function::Softplus, 0.0, 0.0, -1.0, 0.313_261_7),
            (Function::Sigmoid, 0.0, 0.0, -200.0, 0.0),
            (Function::Round, 0.0, 0.0, 2.5, 2.0),
            (Function::Round, 0.0, 0.0, -1.5, -2.0),
            (Function::HardSwish, 0.0, 0.0, 1.0, 2.0 / 3.0),
            (Function::HardSigmoid, 0.2, 0.5, 1.0, 0.7),
            (Function::Selu, 1.6732632, 1.050701, -1.0, -1.111_330_7),
            (Function::Elu, 0.5, 0.0, -1.0, -0.316_060_3),
            (Function::Softsign, 0.0, 0.0, -3.0, -0.75),
            (Function::Power, 3.0, 0.0, -2.0, -8.0),
            (Function::Over, 3.0, 0.0, 1.0, 1.0 / 3.0),
        ];
        for (function, a, b, x, expected) in cases {
            let got = value(&Unary::new(function, a, b), x) as f32;
            assert!((got - expected).abs() <= 2e-7 * expected.abs().max(1.0), "{function:?}({x}) = {got}");
        }
    }

    #[test]
    fn gradients_agree_with_central_differences() {
        for &function in Function::ALL {
            let (a, b) = match function {
                Function::Clip => (-0.4, 0.6),
                Function::Selu => (1.67, 1.05),
                Function::HardSigmoid => (0.7, 0.4),
                Function::Power => (3.0, 0.0),
                _ => (0.3, 0.0),
            };
            let mut model = Chain::new(vec![6]).linear("a", [9, 6]).linear("b", [4, 9]).build();
            let mut nodes = vec![Unary::new(function, a, b)];
            // These want numbers away from 0.
            if matches!(function, Function::Log | Function::Sqrt | Function::Reciprocal) {
                nodes.splice(0..0, [Unary::new(Function::Exp, 0.0, 0.0), Unary::new(Function::Plus, 1.0, 0.0)]);
            }
            for (index, unary) in nodes.into_iter().enumerate() {
                let node = Node { name: "f".into(), op: Op::Unary(unary), inputs: vec![ValueId(index + 1)] };
                model.graph.nodes.insert(index + 1, node);
            }
            let last = model.graph.nodes.len() - 1;
            model.graph.nodes[last].inputs = vec![ValueId(last)];
            // A staircase: between its steps nothing changes, and at one no slope is right.
            if !matches!(function, Function::Ceil | Function::Equals | Function::Floor | Function::Round) {
                assert_gradients(model);
            }
        }
    }

    #[test]
    fn gradients_of_relu_agree_with_central_differences() {
        assert_gradients(Chain::new(vec![6]).linear("a", [9, 6]).relu().linear("b", [4, 9]).build());
    }
}
