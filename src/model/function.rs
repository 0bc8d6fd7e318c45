//! Functions of one number or two, which an operator applies to each element.

use super::Number;
use strum::{IntoStaticStr, VariantArray};

/// A function of one number and up to two constants, `a` and `b`; those that it does not have are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unary {
    /// Which.
    pub function: Function,
    /// Its first constant.
    pub a: Number,
    /// Its second constant.
    pub b: Number,
}

impl Unary {
    /// A function with its constants.
    pub const fn new(function: Function, a: f32, b: f32) -> Self {
        Unary { function, a: Number::new(a), b: Number::new(b) }
    }
}

/// Functions of one number `x`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Function {
    /// `|x|`.
    #[default]
    Abs,
    /// The next whole number upwards.
    Ceil,
    /// At least `a`, at most `b`.
    Clip,
    /// `x` above 0, else `a (exp(x) - 1)`.
    Elu,
    /// 1 where `x` is `a`, else 0.
    #[strum(serialize = "Equal")]
    Equals,
    /// The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`.
    Erf,
    /// `e^x`.
    Exp,
    /// The next whole number downwards.
    Floor,
    /// `x (1 + erf(x / sqrt(2))) / 2` (Hendrycks and Gimpel 2016).
    Gelu,
    /// Its approximation `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`.
    #[strum(serialize = "Gelu")]
    GeluTanh,
    /// `a x + b`, at least 0 and at most 1.
    HardSigmoid,
    /// `x` times the hard sigmoid of `x` with `a = 1/6`, `b = 1/2`.
    HardSwish,
    /// `x` above 0, else `a x`.
    LeakyRelu,
    /// The natural logarithm.
    Log,
    /// `-x`.
    Neg,
    /// `x / a`.
    #[strum(serialize = "Div")]
    Over,
    /// `x + a`.
    #[strum(serialize = "Add")]
    Plus,
    /// `x^a`.
    #[strum(serialize = "Pow")]
    Power,
    /// `1 / x`.
    Reciprocal,
    /// The nearest whole number, halves to the even one.
    Round,
    /// `b x` above 0, else `b a (exp(x) - 1)`.
    Selu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// The square root.
    Sqrt,
    /// The hyperbolic tangent.
    Tanh,
    /// `x a`.
    #[strum(serialize = "Mul")]
    Times,
}

impl Function {
    /// All, in the order of their numbers in a file.
    pub const ALL: &[Function] = Self::VARIANTS;

    /// How many constants it has.
    pub fn constants(self) -> usize {
        match self {
            Function::Clip | Function::HardSigmoid | Function::Selu => 2,
            Function::Elu
            | Function::Equals
            | Function::LeakyRelu
            | Function::Over
            | Function::Plus
            | Function::Power
            | Function::Times => 1,
            _ => 0,
        }
    }

    /// Name of the operator in ONNX.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Functions of two numbers `x` and `y`. Their sum is an operator of its own, [`Op::Add`](super::Op::Add).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Binary {
    /// `x / y`.
    #[default]
    Div,
    /// 1 where they are equal, else 0.
    Equal,
    /// `y` where `x` is not 0, else 0.
    #[strum(serialize = "Where")]
    Mask,
    /// `y` where `x` is 0, else 0.
    #[strum(serialize = "Where")]
    MaskNot,
    /// The larger.
    Max,
    /// The smaller.
    Min,
    /// `x y`.
    Mul,
    /// `x^y`.
    Pow,
    /// `x` above 0, else `x y`.
    PRelu,
    /// `x - y`.
    Sub,
}

impl Binary {
    /// All, in the order of their numbers in a file.
    pub const ALL: &[Binary] = Self::VARIANTS;

    /// Name of the operator in ONNX.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
