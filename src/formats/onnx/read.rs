//! The model of a file, or of the weights that were taken out of one.

use super::schema::parse;
use super::weights::{Place, Replaced, Visitor, copy_model};
use super::wire::Span;
use super::{FORMAT, malformed};
use crate::error::LoadError;
use crate::formats::collect::Collector;
use crate::formats::import;
use crate::model::network::byte_count;
use crate::model::{Dtype, Model, Network, Source, Tensor};
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
    let mut numbers = Numbers { tensors: weights.tensors.iter(), by_place: HashMap::new() };
    copy_model(skeleton, &mut numbers)?;
    match numbers.tensors.next() {
        None => import::model(&parse(skeleton, &numbers.by_place)?, cap),
        Some(_) => Err(malformed("skeleton", "as many weights as there are tensors", "fewer".into())),
    }
}

fn check_cap(bytes: &[u8], cap: u64) -> Result<(), LoadError> {
    let bytes = bytes.len() as u64;
    if bytes > cap {
        return Err(LoadError::TooLarge { format: FORMAT, place: "file".into(), bytes, cap });
    }
    Ok(())
}

/// Finds the weight of each tensor's message, by its place in the skeleton.
struct Numbers<'a> {
    tensors: std::slice::Iter<'a, Tensor>,
    by_place: HashMap<usize, &'a Tensor>,
}

impl Visitor for Numbers<'_> {
    fn weight(&mut self, span: Span, of: &import::Tensor, dtype: Dtype, place: Place) -> Result<Replaced, LoadError> {
        let tensor = self.tensors.next();
        let tensor =
            tensor.ok_or_else(|| malformed("skeleton", "as many weights as there are tensors", "more".into()))?;
        if byte_count(&of.shape, dtype) != Some(tensor.bytes.len()) {
            let expected = format!("bytes for the shape {:?}", of.shape);
            return Err(malformed(Collector::place(place.name), &expected, tensor.bytes.len().to_string()));
        }
        self.by_place.insert(span.start(), tensor);
        Ok(Replaced::default())
    }
}
