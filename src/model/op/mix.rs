//! The operators that bring elements together: normalisations, reductions and products of matrices.

use super::operands::{Operands, broadcast};
use crate::error::GraphError;
use crate::model::Number;
use strum::{IntoStaticStr, VariantArray};

/// A normalisation; see [`Op::Normalize`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Normalize {
    /// The first axis of those that are normalised together.
    pub axis: usize,
    /// Added to the variance.
    pub epsilon: Number,
}

/// A reduction; see [`Op::Reduce`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reduce {
    /// Which number.
    pub kind: Reduction,
    /// Which axes, rising.
    pub axes: Vec<usize>,
}

/// What a reduction makes of several numbers, in the order of their numbers in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(prefix = "Reduce")]
pub enum Reduction {
    /// The largest.
    #[default]
    Max,
    /// The mean.
    Mean,
    /// The smallest.
    Min,
    /// The sum.
    Sum,
}

impl Normalize {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        operands.check_axes(&[self.axis])?;
        Ok(operands.input().to_vec())
    }
}

impl Reduce {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        operands.check_axes(&self.axes)?;
        let side = |(axis, &side): (usize, &usize)| if self.axes.contains(&axis) { 1 } else { side };
        Ok(operands.input().iter().enumerate().map(side).collect())
    }
}

/// The shape of a softmax along the last axis.
pub(super) fn softmax(operands: &Operands) -> Result<Vec<usize>, GraphError> {
    match operands.input() {
        [] => Err(operands.fault("shape of the input", "at least one axis", "none")),
        shape => Ok(shape.to_vec()),
    }
}

/// The shape of a product of matrices.
pub(super) fn product(operands: &Operands) -> Result<Vec<usize>, GraphError> {
    let (a, b) = (operands.inputs[0], operands.inputs[1]);
    let (Some((lead_a, &[m, k])), Some((lead_b, &[inner, n]))) = (a.split_last_chunk::<2>(), b.split_last_chunk::<2>())
    else {
        return Err(operands.fault("shapes", "two axes at least", format!("{a:?} and {b:?}")));
    };
    let lead = broadcast(lead_a, lead_b).filter(|_| k == inner).ok_or_else(|| operands.apart(a, b))?;
    Ok([&lead[..], &[m, n]].concat())
}
