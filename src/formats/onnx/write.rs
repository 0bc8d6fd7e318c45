//! A [`Model`] to ONNX: IR version 8 or more, 32-bit floats as raw bytes, a batch of any size. Operator set 13, or as much
//! newer as the model's operators need.

use super::build;
use super::wire::Message;
use crate::error::GraphError;
use crate::formats::import;
use crate::model::{Dtype, Model, Tensor};

/// Writes an ONNX file, which has the model's names. A name that is taken gets a number behind it, since values and
/// parameters have one space of names there.
///
/// # Errors
/// [`GraphError`] if the model's shapes do not fit, or ONNX has no operator for a node's: a window over an image with axes
/// before it, or samples beside what has none.
pub fn write(model: &Model) -> Result<Vec<u8>, GraphError> {
    file(model, &mut |constant| build::constant(constant))
}

/// The tensors that [`write`] would write, in their order, and the file without their numbers.
///
/// # Errors
/// As [`write`].
pub fn apart(model: &Model) -> Result<(Vec<Tensor>, Vec<u8>), GraphError> {
    let mut tensors = Vec::new();
    let skeleton = file(model, &mut |constant| {
        tensors.push(tensor_of(constant));
        build::blank(&constant.name, constant.kind, &constant.shape)
    })?;
    Ok((tensors, skeleton))
}

fn tensor_of(constant: &import::Tensor) -> Tensor {
    // What a model makes has a type, and its numbers with it.
    let dtype = constant.dtype().unwrap_or(Dtype::F32);
    let bytes = constant.bytes(dtype).unwrap_or_default();
    Tensor::new(constant.name.to_string(), constant.shape.clone(), dtype, bytes)
}

/// The file of a model, with what is put in the place of each constant.
fn file(model: &Model, place: &mut dyn FnMut(&import::Tensor) -> Message) -> Result<Vec<u8>, GraphError> {
    let (made, outputs) = import::of_model(model)?;
    let (mut graph, mut initializers) = (Message::default(), Message::default());
    for constant in &made.constants {
        initializers.message(5, place(constant));
    }
    made.nodes.iter().for_each(|node| graph.message(1, build::node(node)));
    graph.text(2, "nutshell");
    graph.raw(&initializers.into_bytes());
    made.inputs.iter().for_each(|input| graph.message(11, build::value_info(input)));
    outputs.iter().for_each(|output| graph.message(12, build::value_info(output)));
    let mut opset = Message::default();
    opset.text(1, "");
    opset.int(2, made.opset);
    let mut file = Message::default();
    // Operator sets 19 and 20 came with version 9 of the format.
    file.int(1, if made.opset > 18 { 9 } else { 8 });
    file.text(2, "nutshell");
    file.text(3, env!("CARGO_PKG_VERSION"));
    file.message(7, graph);
    file.message(8, opset);
    Ok(file.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::{fill, weights};
    use super::*;
    use crate::model::{Source, presets};
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn what_is_told_apart_is_what_would_be_cut_out_of_the_file() {
        let mut model = presets::lenet5([3, 4, 30, 10]);
        presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
        let cut = weights(&write(&model).unwrap(), 1 << 20).unwrap();
        let (tensors, skeleton) = apart(&model).unwrap();
        assert_eq!((&tensors, skeleton.as_slice()), (&cut.tensors, cut.skeleton(Source::Onnx).unwrap()));
        let mut kept = Vec::new();
        assert_eq!(fill(&skeleton, &tensors, |_| Err(""), &mut kept), Ok(write(&model).unwrap()));
        assert!(kept.is_empty());
    }
}
