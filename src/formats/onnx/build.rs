//! The messages that an ONNX file is built of: nodes, tensors, descriptions of values.

use super::wire::Message;
use crate::formats::import::{Attribute, Input, Node, Tensor};

/// Name of the dimension that counts samples.
const BATCH: &str = "N";

/// `TensorProto` without its numbers.
pub fn blank(name: &str, kind: i64, shape: &[usize]) -> Message {
    let mut tensor = Message::default();
    shape.iter().for_each(|&side| tensor.int(1, side as i64));
    tensor.int(2, kind);
    tensor.text(8, name);
    tensor
}

/// `TensorProto` of raw bytes.
pub fn tensor(name: &str, kind: i64, shape: &[usize], raw: &[u8]) -> Message {
    let mut tensor = blank(name, kind, shape);
    tensor.bytes(9, raw);
    tensor
}

/// `TensorProto` of a constant that is not in another file.
pub fn constant(constant: &Tensor) -> Message {
    let bytes = constant.dtype().and_then(|dtype| constant.bytes(dtype).ok());
    tensor(&constant.name, constant.kind, &constant.shape, &bytes.unwrap_or_default())
}

/// `ValueInfoProto` of a tensor; a dimension that is not known is that of the samples.
pub fn value_info(value: &Input) -> Message {
    let mut dimensions = Message::default();
    for side in &value.dimensions {
        let mut dimension = Message::default();
        match side {
            Some(side) => dimension.int(1, *side),
            None => dimension.text(2, BATCH),
        }
        dimensions.message(1, dimension);
    }
    let mut tensor = Message::default();
    tensor.int(1, value.kind);
    tensor.message(2, dimensions);
    let mut kind = Message::default();
    kind.message(1, tensor);
    let mut info = Message::default();
    info.text(1, &value.name);
    info.message(2, kind);
    info
}

/// `NodeProto`.
pub fn node(node: &Node) -> Message {
    let mut message = Message::default();
    node.inputs.iter().for_each(|input| message.text(1, input));
    for (name, value) in &node.attributes {
        message.message(5, attribute(name, value));
    }
    node.outputs.iter().for_each(|output| message.text(2, output));
    message.text(3, &node.name);
    message.text(4, node.op);
    message
}

/// `AttributeProto`.
fn attribute(name: &str, value: &Attribute) -> Message {
    let mut message = Message::default();
    message.text(1, name);
    match value {
        Attribute::Float(float) => message.float(2, *float),
        Attribute::Int(int) => message.int(3, *int),
        Attribute::Text(text) => message.bytes(4, text),
        Attribute::Tensor(tensor) => message.message(5, constant(tensor)),
        Attribute::Floats(floats) => floats.iter().for_each(|&float| message.float(7, float)),
        Attribute::Ints(ints) => ints.iter().for_each(|&int| message.int(8, int)),
        Attribute::Texts(texts) => texts.iter().for_each(|text| message.bytes(9, text)),
        Attribute::Reference(_) | Attribute::Other(_) => {}
    }
    message.int(20, value.kind());
    message
}
