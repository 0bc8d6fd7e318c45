//! The model of a file, or of the weights that were taken out of one.

use super::FORMAT;
use super::schema::parse;
use super::weights::{Replaced, visit_with};
use crate::error::{LoadError, too_large};
use crate::formats::import;
use crate::model::{Model, Network, Source, Tensor};
use std::collections::HashMap;

/// Reads a file. Names of nodes and parameters are kept; parameters come in the order in which they are used. `cap` is the most bytes that
/// the file, the parameters, or one value for one sample may take.
///
/// # Errors
/// [`LoadError`] names the byte, tensor or node that breaks a rule or is not supported.
pub fn read(bytes: &[u8], cap: u64) -> Result<Model, LoadError> {
    check_cap(bytes, cap)?;
    import::model(&parse(bytes, &HashMap::new())?, cap)
}

/// The network that the weights of a file make with its graph, which is in their origin: what [`read`] gives of the whole file.
///
/// # Errors
/// As [`read`]; and if the skeleton is of other weights.
pub fn model(weights: &Network, cap: u64) -> Result<Model, LoadError> {
    let skeleton = weights.skeleton(Source::Onnx).unwrap_or_default();
    check_cap(skeleton, cap)?;
    // The weight of each tensor's message, by its place in the skeleton.
    let mut numbers: HashMap<usize, &Tensor> = HashMap::new();
    visit_with(skeleton, &weights.tensors, &mut |weight, tensor| {
        weight.check(tensor.bytes.len())?;
        numbers.insert(weight.span.start(), tensor);
        Ok(Replaced::default())
    })?;
    import::model(&parse(skeleton, &numbers)?, cap)
}

fn check_cap(bytes: &[u8], cap: u64) -> Result<(), LoadError> {
    if bytes.len() as u64 > cap { Err(too_large(FORMAT, "file", bytes.len(), cap)) } else { Ok(()) }
}
