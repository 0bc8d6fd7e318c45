//! A [`Model`] to ONNX: IR version 8 or more, 32-bit floats as raw bytes, a batch of any size. Operator set 13, or as much
//! newer as the model's operators need.

use super::build;
use super::wire::Message;
use crate::error::GraphError;
use crate::formats::import;
use crate::model::Model;

/// Writes an ONNX file, which has the model's names. A name that is taken gets a number behind it, since values and
/// parameters have one space of names there.
///
/// # Errors
/// [`GraphError`] if the model's shapes do not fit, or ONNX has no operator for a node's: a window over an image with axes
/// before it, or samples beside what has none.
pub fn write(model: &Model) -> Result<Vec<u8>, GraphError> {
    let (made, outputs) = import::of_model(model)?;
    let mut graph = Message::default();
    made.nodes.iter().for_each(|node| graph.message(1, build::node(node)));
    graph.text(2, "nutshell");
    made.constants.iter().for_each(|constant| graph.message(5, build::constant(constant)));
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
