//! The model of a file, or of the weights that were taken out of one.

use super::forms::Replaced;
use super::functions::inline;
use super::schema::{Network as Weights, parse};
use super::weights::{copy_model, next_of};
use super::{FORMAT, malformed};
use crate::error::LoadError;
use crate::formats::import;
use crate::model::{Model, Network, Source};
use std::collections::HashMap;

/// Reads a file. Names of nodes and parameters are kept; parameters come in the order in which they are used. `cap` is the most bytes that
/// the file, the parameters, or one value for one sample may take.
///
/// # Errors
/// [`LoadError`] names the byte, tensor or node that breaks a rule or is not supported.
pub fn read(bytes: &[u8], cap: u64) -> Result<Model, LoadError> {
    check_cap(bytes, cap)?;
    import::model(&graph(bytes, &HashMap::new())?, cap)
}

/// The network that the weights of a file make with its graph, which is in their origin: what [`read`] gives of the whole file.
///
/// # Errors
/// As [`read`]; and if the skeleton is of other weights.
pub fn model(weights: &Network, cap: u64) -> Result<Model, LoadError> {
    let skeleton = weights.skeleton(Source::Onnx).unwrap_or_default();
    check_cap(skeleton, cap)?;
    // The weight of each tensor's message, by its place in the skeleton.
    let (mut tensors, mut by_place) = (weights.tensors.iter(), HashMap::new());
    copy_model(skeleton, &mut |found| {
        if let Some(tensor) = next_of(&mut tensors, &found)? {
            by_place.insert(found.span.start(), tensor);
        }
        Ok(Replaced::default())
    })?;
    match tensors.next() {
        None => {
            let mut graph = graph(skeleton, &by_place)?;
            graph.fit(&weights.sample)?;
            import::model(&graph, cap)
        }
        Some(_) => Err(malformed("skeleton", "as many weights as there are tensors", "fewer".into())),
    }
}

/// The graph of a file, with its functions in it.
fn graph<'a>(file: &'a [u8], weights: &Weights<'a>) -> Result<import::Graph<'a>, LoadError> {
    let (mut graph, functions) = parse(file, weights)?;
    inline(&mut graph, &functions)?;
    Ok(graph)
}

fn check_cap(bytes: &[u8], cap: u64) -> Result<(), LoadError> {
    let bytes = bytes.len() as u64;
    if bytes > cap {
        return Err(LoadError::TooLarge { format: FORMAT, place: "file".into(), bytes, cap });
    }
    Ok(())
}
