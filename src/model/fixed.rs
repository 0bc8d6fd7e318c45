//! Networks in fixed point: small integers, and the Qm.n numbers that they stand for.

use super::{Graph, Model, Parameter};
use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};

/// What a symbol stands for. A symbol is a signed integer whose sign is the weight's sign and whose magnitude ranks the
/// weight's magnitude; symbol 0 is the weight 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Codebook {
    /// `symbol * factor * 2^-fraction_bits`.
    Uniform {
        /// The n of Qm.n; may be negative.
        fraction_bits: i8,
        /// At least 1.
        #[serde(default = "one")]
        factor: u8,
    },
    /// Any centroids: `positive[symbol - 1] * 2^-fraction_bits`, `0`, or `-negative[-symbol - 1] * 2^-fraction_bits`.
    Free {
        /// The n of Qm.n; may be negative.
        fraction_bits: i8,
        /// Positive centroids, strictly rising, each at least 1.
        positive: Vec<u16>,
        /// Magnitudes of the negative centroids, strictly rising, each at least 1.
        negative: Vec<u16>,
    },
}

/// The factor of what was written before there were any.
fn one() -> u8 {
    1
}

impl Codebook {
    /// `symbol * 2^-fraction_bits`.
    pub fn integers(fraction_bits: i8) -> Self {
        Codebook::Uniform { fraction_bits, factor: 1 }
    }

    /// What a symbol is multiplied by before its unit; 1 for centroids.
    pub fn factor(&self) -> u8 {
        match self {
            Codebook::Uniform { factor, .. } => *factor,
            Codebook::Free { .. } => 1,
        }
    }

    /// The n of Qm.n: one unit is `2^-n`.
    pub fn fraction_bits(&self) -> i8 {
        match self {
            Codebook::Uniform { fraction_bits, .. } | Codebook::Free { fraction_bits, .. } => *fraction_bits,
        }
    }

    /// The step of the grid on which all values lie: the largest number that divides them.
    pub fn step(&self) -> f32 {
        let units = match self {
            Codebook::Uniform { factor, .. } => u16::from(*factor),
            Codebook::Free { positive, negative, .. } => {
                positive.iter().chain(negative).fold(0, |divisor, &value| common_divisor(divisor, value)).max(1)
            }
        };
        f32::from(units) * (-f32::from(self.fraction_bits())).exp2()
    }

    /// The integer, in units of `2^-fraction_bits`, that a symbol stands for; `None` if it stands for nothing.
    pub fn integer(&self, symbol: i16) -> Option<i32> {
        match self {
            Codebook::Uniform { factor, .. } => Some(i32::from(symbol) * i32::from(*factor)),
            Codebook::Free { positive, negative, .. } => {
                let rank = usize::from(symbol.unsigned_abs());
                match symbol {
                    0 => Some(0),
                    1.. => positive.get(rank - 1).map(|&value| i32::from(value)),
                    _ => negative.get(rank - 1).map(|&value| -i32::from(value)),
                }
            }
        }
    }
}

/// The greatest common divisor.
fn common_divisor(mut a: u16, mut b: u16) -> u16 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A parameter in fixed point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedParameter {
    /// Its name; not part of a small `.nut` file.
    pub name: String,
    /// As [`Parameter::values`].
    pub shape: Vec<usize>,
    /// Row-major. `symbols.len()` is the product of `shape`. Invariant: `codebook.integer` knows each of them.
    pub symbols: Vec<i16>,
    /// What they stand for.
    pub codebook: Codebook,
}

impl FixedParameter {
    /// The integers in units of `2^-fraction_bits`, row-major.
    pub fn integers(&self) -> Vec<i32> {
        self.symbols.iter().map(|&symbol| self.codebook.integer(symbol).unwrap_or(0)).collect()
    }

    /// The exact values; every one is a float without rounding, since 24 bits hold each integer.
    pub fn values(&self) -> ArrayD<f32> {
        let unit = (-f32::from(self.codebook.fraction_bits())).exp2();
        let values = self.integers().into_iter().map(|integer| integer as f32 * unit).collect();
        ArrayD::from_shape_vec(IxDyn(&self.shape), values).expect("symbols.len() is the product of shape")
    }

    /// Number of weights that are not zero.
    pub fn nonzeros(&self) -> usize {
        self.symbols.iter().filter(|&&symbol| symbol != 0).count()
    }
}

/// A network in fixed point: what a `.nut` file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedPoint {
    /// The compact network's graph. Its parameter ids index `parameters`.
    pub graph: Graph,
    /// Indexed by [`ParamId`](super::ParamId).
    pub parameters: Vec<FixedParameter>,
    /// Shapes of the original network's parameters, indexed like `parameters`. Each is at least as large on every axis:
    /// the original's hidden units that are not kept come last, and are zero.
    pub original_shapes: Vec<Vec<usize>>,
}

impl FixedPoint {
    /// The network with its decoded weights, in the compact shapes.
    pub fn to_model(&self) -> Model {
        let parameters = self
            .parameters
            .iter()
            .map(|parameter| Parameter { name: parameter.name.clone(), values: parameter.values() })
            .collect();
        Model { graph: self.graph.clone(), parameters }
    }
}

/// The fixed-point format of an activation: a signed integer of `bits`, in units of `2^-fraction_bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationFormat {
    /// Width, sign included.
    pub bits: u8,
    /// The n of Qm.n; may be negative.
    pub fraction_bits: i8,
}
