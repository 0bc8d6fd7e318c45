//! What operators read beside values, and how they are named in errors.

use super::graph::Operator;
use super::names::name_of;
use super::translate::Translator;
use crate::error::LoadError;
use crate::model::{Dtype, Tensor};
use std::fmt::Display;

/// The most integers of an operand that is no number of the network, such as axes.
const MAX_INTEGERS: usize = 1 << 12;

impl<'a> Translator<'a> {
    /// Where an error is: the operator, and the first tensor that it makes.
    pub fn place(&self, operator: &Operator) -> String {
        let name = match name_of(operator.code) {
            "" => format!("operator {}", operator.code),
            "CUSTOM" => format!("CUSTOM {}", operator.custom),
            name => name.to_owned(),
        };
        format!("{name} '{}'", self.stem(operator))
    }

    /// The name of the first tensor that an operator makes.
    pub fn stem(&self, operator: &Operator) -> &'a str {
        self.graph.places[operator.outputs[0]].name
    }

    /// The error for a broken rule in an operator.
    #[cold]
    #[inline(never)]
    pub fn malformed(&self, operator: &Operator, expected: &dyn Display, got: &dyn Display) -> LoadError {
        super::malformed(self.place(operator), expected, got)
    }

    /// The error for a feature of an operator.
    #[cold]
    #[inline(never)]
    pub fn unsupported(&self, operator: &Operator, feature: &dyn Display, supported: &str) -> LoadError {
        super::unsupported(self.place(operator), feature, supported)
    }

    /// The tensor that an operator reads, if it is not left out.
    pub fn optional(operator: &Operator, index: usize) -> Option<usize> {
        operator.inputs.get(index).copied().flatten()
    }

    /// The tensor that an operator reads.
    pub fn input(&self, operator: &Operator, index: usize) -> Result<usize, LoadError> {
        let missing = || self.malformed(operator, &format_args!("an input {index}"), &"none");
        Self::optional(operator, index).ok_or_else(missing)
    }

    /// A constant that an operator reads, and its tensor.
    pub fn constant_input(&self, operator: &Operator, index: usize) -> Result<(usize, &'a Tensor), LoadError> {
        let tensor = self.input(operator, index)?;
        let computed = || self.unsupported(operator, &format_args!("a computed input {index}"), "a constant");
        Ok((tensor, self.constants[tensor].ok_or_else(computed)?))
    }

    /// Constant integers that an operator reads.
    pub fn list(&self, operator: &Operator, index: usize) -> Result<Vec<i64>, LoadError> {
        let (_, tensor) = self.constant_input(operator, index)?;
        if tensor.len() > MAX_INTEGERS {
            let feature = format!("{} integers", tensor.len());
            return Err(self.unsupported(operator, &feature, &format!("at most {MAX_INTEGERS}")));
        }
        if !matches!(tensor.dtype, Dtype::I32 | Dtype::I64) {
            let feature = format!("{} as input {index}", tensor.dtype.name());
            return Err(self.unsupported(operator, &feature, "integers of 32 and 64 bits"));
        }
        Ok(tensor.dtype.integers(&tensor.bytes).collect())
    }

    /// The one number that a constant is.
    pub fn scalar(&self, operator: &Operator, index: usize) -> Result<f32, LoadError> {
        let (_, tensor) = self.constant_input(operator, index)?;
        match tensor.len() {
            1 => Ok(tensor.values()[0]),
            other => Err(self.malformed(operator, &"one number", &other)),
        }
    }

    /// An axis as the file counts it.
    pub fn axis(&self, operator: &Operator, axis: i64, rank: usize) -> Result<usize, LoadError> {
        let counted = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
        let found = usize::try_from(counted).ok().filter(|&axis| axis < rank);
        found.ok_or_else(|| self.malformed(operator, &format_args!("an axis of {rank}"), &axis))
    }
}
