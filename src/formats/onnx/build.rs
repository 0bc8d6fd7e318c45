//! The messages that an ONNX file is built of: attributes, tensors, descriptions of values.

use super::schema::{A_FLOAT, A_INT, A_INTS, A_TEXT};
use super::wire::Message;
use crate::formats::import::tensor::FLOAT;

/// Name of the dimension that counts samples.
const BATCH: &str = "N";

/// `TensorProto` of raw bytes.
pub fn tensor(name: &str, kind: i64, shape: &[usize], raw: &[u8]) -> Message {
    let mut tensor = Message::default();
    shape.iter().for_each(|&side| tensor.int(1, side as i64));
    tensor.int(2, kind);
    tensor.text(8, name);
    tensor.bytes(9, raw);
    tensor
}

/// `ValueInfoProto` of a tensor of floats, of one sample or a batch of them.
pub fn value_info(name: &str, shape: &[usize], batched: bool) -> Message {
    let mut dimensions = Message::default();
    if batched {
        let mut batch = Message::default();
        batch.text(2, BATCH);
        dimensions.message(1, batch);
    }
    for &side in shape {
        let mut dimension = Message::default();
        dimension.int(1, side as i64);
        dimensions.message(1, dimension);
    }
    let mut tensor = Message::default();
    tensor.int(1, FLOAT);
    tensor.message(2, dimensions);
    let mut kind = Message::default();
    kind.message(1, tensor);
    let mut info = Message::default();
    info.text(1, name);
    info.message(2, kind);
    info
}

fn attribute(node: &mut Message, name: &str, kind: i64, value: impl FnOnce(&mut Message)) {
    let mut attribute = Message::default();
    attribute.text(1, name);
    value(&mut attribute);
    attribute.int(20, kind);
    node.message(5, attribute);
}

pub fn int(node: &mut Message, name: &str, value: i64) {
    attribute(node, name, A_INT, |attribute| attribute.int(3, value));
}

pub fn float(node: &mut Message, name: &str, value: f32) {
    attribute(node, name, A_FLOAT, |attribute| attribute.float(2, value));
}

pub fn text(node: &mut Message, name: &str, value: &str) {
    attribute(node, name, A_TEXT, |attribute| attribute.text(4, value));
}

pub fn ints(node: &mut Message, name: &str, values: &[usize]) {
    attribute(node, name, A_INTS, |attribute| values.iter().for_each(|&value| attribute.int(8, value as i64)));
}
