//! A [`Model`] to ONNX: operator set 13, IR version 8, 32-bit floats as raw bytes, a batch of any size.

use super::tensor::FLOAT;
use super::wire::Message;
use crate::error::GraphError;
use crate::model::{Conv, Model, Op, ParamId, Parameter, Pool, ValueId};
use std::collections::HashSet;

const IR_VERSION: i64 = 8;
const OPSET: i64 = 13;
/// Name of the dimension that counts samples.
const BATCH: &str = "N";

/// `AttributeProto.AttributeType`.
const INT: i64 = 2;
const INTS: i64 = 7;

/// Writes an ONNX file, which has the model's names. A name that is taken gets a number behind it, since values and
/// parameters have one space of names there.
///
/// # Errors
/// [`GraphError`] if the model's shapes do not fit.
pub fn write(model: &Model) -> Result<Vec<u8>, GraphError> {
    let shapes = model.shapes()?;
    let mut taken = HashSet::new();
    let input = unique(&mut taken, &model.graph.input_name, "input");
    let parameters: Vec<String> =
        model.parameters.iter().map(|parameter| unique(&mut taken, &parameter.name, "parameter")).collect();
    let mut values = vec![input];
    let mut node_names = HashSet::new();
    let mut graph = Message::default();
    let last = model.graph.nodes.len();
    for (index, node) in model.graph.nodes.iter().enumerate() {
        let name = unique(&mut node_names, &node.name, node.op.name());
        let output = if index + 1 == last { "output".to_owned() } else { format!("{name}_output") };
        values.push(unique(&mut taken, &output, "value"));
        let mut message = Message::default();
        for ValueId(input) in &node.inputs {
            message.text(1, &values[*input]);
        }
        let layer = node.op.layer();
        for ParamId(parameter) in layer.into_iter().flat_map(|(weight, bias)| [Some(weight), bias]).flatten() {
            message.text(1, &parameters[parameter]);
        }
        message.text(2, &values[index + 1]);
        message.text(3, &name);
        message.text(4, node.op.name());
        attributes(&mut message, &node.op, model);
        graph.message(1, message);
    }
    graph.text(2, "nutshell");
    for (name, parameter) in parameters.iter().zip(&model.parameters) {
        graph.message(5, tensor(name, parameter));
    }
    graph.message(11, value_info(&values[0], &shapes[0]));
    graph.message(12, value_info(&values[last], &shapes[last]));

    let mut opset = Message::default();
    opset.text(1, "");
    opset.int(2, OPSET);
    let mut file = Message::default();
    file.int(1, IR_VERSION);
    file.text(2, "nutshell");
    file.text(3, env!("CARGO_PKG_VERSION"));
    file.message(7, graph);
    file.message(8, opset);
    Ok(file.into_bytes())
}

/// The name, or `fallback` for an empty one, with a number behind it if it is taken.
fn unique(taken: &mut HashSet<String>, name: &str, fallback: &str) -> String {
    let name = if name.is_empty() { fallback } else { name };
    let mut candidate = name.to_owned();
    let mut number = taken.len();
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}.{number}");
        number += 1;
    }
    candidate
}

fn attributes(node: &mut Message, op: &Op, model: &Model) {
    match op {
        Op::Conv(Conv { weight, stride, pads, groups, .. }) => {
            ints(node, "kernel_shape", &model.values(*weight).shape()[2..]);
            ints(node, "strides", stride);
            ints(node, "pads", pads);
            int(node, "group", *groups as i64);
        }
        // The weight is [out, in].
        Op::Linear(_) => int(node, "transB", 1),
        Op::MaxPool(pool) => window(node, pool),
        Op::AveragePool(pool) => {
            window(node, pool);
            int(node, "count_include_pad", pool.count_pads.into());
        }
        Op::Flatten => int(node, "axis", 1),
        Op::Softmax => int(node, "axis", -1),
        Op::Add | Op::Relu | Op::GlobalAveragePool => {}
    }
}

fn window(node: &mut Message, pool: &Pool) {
    ints(node, "kernel_shape", &pool.kernel);
    ints(node, "strides", &pool.stride);
    ints(node, "pads", &pool.pads);
    int(node, "ceil_mode", pool.ceil.into());
}

fn int(node: &mut Message, name: &str, value: i64) {
    let mut attribute = Message::default();
    attribute.text(1, name);
    attribute.int(3, value);
    attribute.int(20, INT);
    node.message(5, attribute);
}

fn ints(node: &mut Message, name: &str, values: &[usize]) {
    let mut attribute = Message::default();
    attribute.text(1, name);
    values.iter().for_each(|&value| attribute.int(8, value as i64));
    attribute.int(20, INTS);
    node.message(5, attribute);
}

fn tensor(name: &str, parameter: &Parameter) -> Message {
    let mut tensor = Message::default();
    parameter.values.shape().iter().for_each(|&side| tensor.int(1, side as i64));
    tensor.int(2, FLOAT);
    tensor.text(8, name);
    let raw: Vec<u8> = parameter.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor.bytes(9, &raw);
    tensor
}

/// `ValueInfoProto` of a tensor of floats, a batch of the given shape.
fn value_info(name: &str, shape: &[usize]) -> Message {
    let mut dimensions = Message::default();
    let mut batch = Message::default();
    batch.text(2, BATCH);
    dimensions.message(1, batch);
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
