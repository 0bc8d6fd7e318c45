//! `Resize`: the same values on a grid of other sides.

use super::operands::Operands;
use crate::error::GraphError;
use crate::model::Number;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// Interpolation to other sides, along one axis after the other, as ONNX means it. The sides are given by themselves or by factors; the
/// list that is not used is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resize {
    /// The side of each axis.
    pub sides: Vec<usize>,
    /// What the side of each axis is multiplied by, and rounded down.
    pub factors: Vec<Number>,
    /// How values between places are found.
    pub mode: Interpolation,
    /// Where a place of the output lies among those of the input.
    pub coordinates: Coordinates,
    /// Which place is the nearest; means nothing to the other modes.
    pub nearest: Rounding,
    /// The coefficient of cubic interpolation, -0.5 or -0.75 mostly; 0 for the other modes.
    pub cubic: Number,
    /// Whether places outside the input have no weight, where otherwise they count as the outermost one.
    pub exclude_outside: bool,
    /// Whether what becomes smaller is a mean over all places that become one.
    pub antialias: bool,
}

/// How values between places are found, in the order of their numbers in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Interpolation {
    /// That of the nearest place.
    #[default]
    Nearest,
    /// By a straight line between two places.
    Linear,
    /// By a cubic polynomial of four places (Keys 1981).
    Cubic,
}

/// Where place `x` of an output lies in the input, if that is multiplied by a factor; in the order of their numbers in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Coordinates {
    /// `(x + 1/2) / factor - 1/2`.
    #[default]
    HalfPixel,
    /// The same about the centre, also where the output's side was rounded down.
    HalfPixelSymmetric,
    /// The same; 0 if the output has one place.
    PytorchHalfPixel,
    /// The first and last places of both lie on each other.
    AlignCorners,
    /// `x / factor`.
    Asymmetric,
}

/// Which place is the nearest, in the order of their numbers in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Rounding {
    /// Of two that are as near the lower.
    #[default]
    RoundPreferFloor,
    /// Of two that are as near the upper.
    RoundPreferCeil,
    /// The lower.
    Floor,
    /// The upper.
    Ceil,
}

impl Resize {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        let input = operands.input();
        if self.factors.is_empty() {
            operands.check_rank([self.sides.len()])?;
            return Ok(self.sides.clone());
        }
        operands.check_rank([self.factors.len(), input.len() + self.sides.len()])?;
        // What is no number, or too large a one, is no side.
        Ok(input.iter().zip(&self.factors).map(|(&side, factor)| multiplied(side, factor.get().into())).collect())
    }

    /// What an axis of `side` is multiplied by.
    pub(crate) fn factor(&self, axis: usize, side: usize) -> f64 {
        match self.factors.get(axis) {
            Some(factor) => factor.get().into(),
            None => self.sides[axis] as f64 / side as f64,
        }
    }
}

/// A side times a factor, rounded down.
pub(crate) fn multiplied(side: usize, factor: f64) -> usize {
    (side as f64 * factor) as usize
}
