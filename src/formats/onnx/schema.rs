//! The messages of ONNX (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>), as far as they are understood, to a [`Graph`] that
//! borrows from the file. Fields that cannot change a result, such as documentation, are skipped.

use super::wire::{Span, first_text};
use super::{FORMAT, malformed, unsupported};
use crate::error::LoadError;
use crate::formats::collect::Collector;
use crate::formats::cursor::MAX_SIDES;
use crate::formats::import::tensor::{DOUBLE, Elsewhere, FLOAT, INT64, Numbers, UINT32, UINT64};
use crate::formats::import::{Attribute, Graph, Input, Node, Tensor, is_standard};
use crate::model;
use std::collections::HashMap;
use std::rc::Rc;

/// The most nodes, tensors, inputs and outputs that a graph may have. An empty one takes two bytes of a file and some
/// hundred of memory: without a limit a file could grow by that factor.
const MAX_ITEMS: usize = 1 << 14;

/// The most operands and attributes that all nodes may have together, for the same reason.
const MAX_OPERANDS: usize = 1 << 18;

/// Weights that are kept beside a file, by the places of their messages in it.
pub type Network<'a> = HashMap<usize, &'a model::Tensor>;

/// A function (`FunctionProto`).
#[derive(Debug, Default)]
pub struct Function<'a> {
    pub domain: &'a str,
    pub name: &'a str,
    pub overload: &'a str,
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub nodes: Vec<Node<'a>>,
    /// Attributes that a call may leave out.
    pub defaults: Vec<(&'a str, Attribute<'a>)>,
    /// Version of the standard operator set; 0 if it has none.
    pub opset: i64,
}

/// Parses a whole file (`ModelProto`): its graph and the functions that it defines.
pub fn parse<'a>(file: &'a [u8], weights: &Network<'a>) -> Result<(Graph<'a>, Vec<Function<'a>>), LoadError> {
    let (mut graph, mut opset, mut functions) = (None, None, Vec::new());
    let mut span = Span::new(file);
    while let Some(field) = span.next_field()? {
        match field.number {
            7 if graph.is_none() => graph = Some(parse_graph(field.span()?, weights)?),
            7 => return Err(malformed("model", "one graph", "a second one".into())),
            8 => opset = standard_opset(field.span()?)?.or(opset),
            25 => push(&mut functions, parse_function(field.span()?, weights)?, "functions")?,
            _ => {}
        }
    }
    let mut graph = graph.ok_or_else(|| malformed("model", "a graph", "none".into()))?;
    // Where all nodes are calls, only the functions may say it.
    let opset = opset.or(functions.first().map(|function| function.opset).filter(|&opset| opset > 0));
    graph.opset = opset.ok_or_else(|| malformed("model", "a version of the operator set", "none".into()))?;
    Ok((graph, functions))
}

/// The version of the standard operator set, if an `OperatorSetIdProto` is of that.
fn standard_opset(span: Span) -> Result<Option<i64>, LoadError> {
    let (domain, version) = parse_opset(span)?;
    Ok(is_standard(domain).then_some(version))
}

/// `FunctionProto`.
fn parse_function<'a>(mut span: Span<'a>, weights: &Network<'a>) -> Result<Function<'a>, LoadError> {
    let mut function = Function::default();
    while let Some(field) = span.next_field()? {
        match field.number {
            1 => function.name = field.text()?,
            4 => push(&mut function.inputs, field.text()?, "inputs of a function")?,
            5 => push(&mut function.outputs, field.text()?, "outputs of a function")?,
            7 => push(&mut function.nodes, parse_node(field.span()?, weights)?, "nodes of a function")?,
            9 => function.opset = standard_opset(field.span()?)?.unwrap_or(function.opset),
            10 => function.domain = field.text()?,
            11 => push(&mut function.defaults, parse_attribute(field.span()?, weights)?, "attributes of a function")?,
            13 => function.overload = field.text()?,
            _ => {}
        }
    }
    Ok(function)
}

/// `OperatorSetIdProto`: its domain and version.
pub fn parse_opset(mut span: Span<'_>) -> Result<(&str, i64), LoadError> {
    let (mut domain, mut version) = ("", 0);
    while let Some(field) = span.next_field()? {
        match field.number {
            1 => domain = field.text()?,
            2 => version = field.int()?,
            _ => {}
        }
    }
    Ok((domain, version))
}

pub fn push<T>(items: &mut Vec<T>, item: T, what: &str) -> Result<(), LoadError> {
    if items.len() == MAX_ITEMS {
        return Err(malformed("graph", &format!("at most {MAX_ITEMS} {what}"), "more".into()));
    }
    items.push(item);
    Ok(())
}

/// Counts what a node has against the most that all may have together.
pub fn count_operands(node: &Node, operands: &mut usize) -> Result<(), LoadError> {
    *operands += node.inputs.len() + node.outputs.len() + node.attributes.len();
    if *operands > MAX_OPERANDS {
        let expected = format!("at most {MAX_OPERANDS} inputs, outputs and attributes of nodes");
        return Err(malformed("graph", &expected, "more".into()));
    }
    Ok(())
}

/// `GraphProto`.
fn parse_graph<'a>(mut span: Span<'a>, weights: &Network<'a>) -> Result<Graph<'a>, LoadError> {
    let mut graph = Graph { format: FORMAT, ..Graph::default() };
    let mut operands = 0;
    while let Some(field) = span.next_field()? {
        match field.number {
            1 => {
                let node = parse_node(field.span()?, weights)?;
                count_operands(&node, &mut operands)?;
                push(&mut graph.nodes, node, "nodes")?;
            }
            5 => push(&mut graph.constants, Rc::new(constant(field.span()?, weights)?), "initializers")?,
            11 => push(&mut graph.inputs, parse_input(field.span()?)?, "inputs")?,
            12 => push(&mut graph.outputs, parse_input(field.span()?)?.name, "outputs")?,
            15 => return Err(unsupported("graph", "a sparse initializer", "dense initializers")),
            _ => {}
        }
    }
    Ok(graph)
}

/// `ValueInfoProto` of an input.
fn parse_input(mut span: Span<'_>) -> Result<Input<'_>, LoadError> {
    let mut input = Input::default();
    while let Some(field) = span.next_field()? {
        match field.number {
            1 => input.name = field.text()?.into(),
            2 => parse_type(field.span()?, &mut input)?,
            _ => {}
        }
    }
    Ok(input)
}

/// `TypeProto`, of which only a tensor is known.
fn parse_type(mut span: Span, input: &mut Input) -> Result<(), LoadError> {
    while let Some(field) = span.next_field()? {
        if field.number != 1 {
            continue;
        }
        let mut tensor = field.span()?;
        input.unranked = true;
        while let Some(field) = tensor.next_field()? {
            match field.number {
                1 => input.kind = field.int()?,
                2 => (input.dimensions, input.unranked) = (parse_shape(field.span()?)?, false),
                _ => {}
            }
        }
    }
    Ok(())
}

/// `TensorShapeProto`.
fn parse_shape(mut span: Span) -> Result<Vec<Option<i64>>, LoadError> {
    let mut dimensions = Vec::new();
    while let Some(field) = span.next_field()? {
        if field.number != 1 {
            continue;
        }
        let (mut dimension, mut value) = (field.span()?, None);
        while let Some(field) = dimension.next_field()? {
            match field.number {
                // Some exporters write what is not known as 0 or -1.
                1 => value = Some(field.int()?).filter(|&side| side > 0),
                2 => value = None,
                _ => {}
            }
        }
        push(&mut dimensions, value, "dimensions")?;
    }
    Ok(dimensions)
}

/// `NodeProto`.
fn parse_node<'a>(mut span: Span<'a>, weights: &Network<'a>) -> Result<Node<'a>, LoadError> {
    let mut node = Node { format: FORMAT, ..Node::default() };
    while let Some(field) = span.next_field()? {
        match field.number {
            1 => node.inputs.push(field.text()?.into()),
            2 => node.outputs.push(field.text()?.into()),
            3 => node.name = field.text()?.into(),
            4 => node.op = field.text()?,
            5 => push(&mut node.attributes, parse_attribute(field.span()?, weights)?, "attributes of a node")?,
            7 => node.domain = field.text()?,
            8 => node.overload = field.text()?,
            _ => {}
        }
    }
    node.name_constant();
    Ok(node)
}

/// `AttributeProto`: its name and value. Early files do not store the type, but for the field that has the value.
fn parse_attribute<'a>(mut span: Span<'a>, weights: &Network<'a>) -> Result<(&'a str, Attribute<'a>), LoadError> {
    let (mut name, mut kind, mut stored) = ("", 0, 0);
    let (mut float, mut int, mut text, mut tensor) = (0.0, 0, &[][..], None);
    let (mut floats, mut ints, mut texts, mut reference) = (Vec::new(), Vec::new(), Vec::new(), "");
    while let Some(field) = span.next_field()? {
        match field.number {
            1 => name = field.text()?,
            2 => (float, stored) = (field.float()?, A_FLOAT),
            3 => (int, stored) = (field.int()?, A_INT),
            4 => (text, stored) = (field.span()?.bytes(), A_TEXT),
            5 => (tensor, stored) = (Some(constant(field.span()?, weights)?), A_TENSOR),
            7 => {
                field.append(&mut floats, f32::from_le_bytes)?;
                stored = A_FLOATS;
            }
            8 => {
                field.append_ints(&mut ints)?;
                stored = A_INTS;
            }
            9 => {
                push(&mut texts, field.span()?.bytes(), "texts")?;
                stored = A_TEXTS;
            }
            20 => kind = field.int()?,
            21 => reference = field.text()?,
            _ => {}
        }
    }
    let value = match if kind == 0 { stored } else { kind } {
        _ if !reference.is_empty() => Attribute::Reference(reference),
        A_FLOAT => Attribute::Float(float),
        A_INT => Attribute::Int(int),
        A_TEXT => Attribute::Text(text),
        A_TENSOR => tensor.map_or(Attribute::Other(0), |tensor| Attribute::Tensor(Rc::new(tensor))),
        A_FLOATS => Attribute::Floats(floats),
        A_INTS => Attribute::Ints(ints),
        A_TEXTS => Attribute::Texts(texts),
        other => Attribute::Other(other),
    };
    Ok((name, value))
}

/// A tensor, with the numbers that are kept beside the file if there are any.
fn constant<'a>(span: Span<'a>, weights: &Network<'a>) -> Result<Tensor<'a>, LoadError> {
    let tensor = parse_tensor(span)?;
    Ok(match weights.get(&span.start()) {
        Some(weight) => Tensor { numbers: Numbers::Raw(weight.bytes.as_slice().into()), ..tensor },
        None => tensor,
    })
}

/// `TensorProto`; the values are only borrowed if they are raw bytes, as they mostly are.
pub fn parse_tensor(mut span: Span<'_>) -> Result<Tensor<'_>, LoadError> {
    let (mut name, mut kind, mut dimensions) = ("", 0, Vec::new());
    let (mut raw, mut floats, mut doubles) = (None, Vec::new(), Vec::new());
    let (mut ints32, mut ints64) = (Vec::new(), Vec::new());
    let (mut external, mut entries) = (false, Vec::new());
    while let Some(field) = span.next_field()? {
        match field.number {
            1 => field.append_ints(&mut dimensions)?,
            2 => kind = field.int()?,
            3 => return Err(unsupported("tensor", "a segmented tensor", "whole tensors")),
            4 => field.append(&mut floats, f32::from_le_bytes)?,
            5 => field.append_ints(&mut ints32)?,
            // uint64_data is of types that int64_data is not of.
            7 | 11 => field.append_ints(&mut ints64)?,
            8 => name = field.text()?,
            9 => raw = Some(field.span()?.bytes()),
            10 => field.append(&mut doubles, f64::from_le_bytes)?,
            13 => entries.push((first_text(field.span()?, 1)?, first_text(field.span()?, 2)?)),
            14 => external = field.int()? == 1,
            _ => {}
        }
    }
    let fault = |expected: &str, got: String| malformed(Collector::place(name), expected, got);
    if dimensions.len() > MAX_SIDES {
        return Err(fault(&format!("at most {MAX_SIDES} dimensions"), dimensions.len().to_string()));
    }
    let shape = dimensions.iter().map(|&side| usize::try_from(side)).collect::<Result<_, _>>();
    let shape = shape.map_err(|_| fault("dimensions of at least 0", format!("{dimensions:?}")))?;
    let numbers = match (raw, kind) {
        _ if external => {
            let entry = |key: &str| entries.iter().find(|(found, _)| *found == key).map(|&(_, value)| value);
            let parse =
                |key: &str, value: &str| value.parse().map_err(|_| fault("a number", format!("{key} '{value}'")));
            let number = |key: &str| entry(key).map(|value| parse(key, value)).transpose();
            let file = entry("location").unwrap_or("");
            Numbers::Elsewhere(Elsewhere { file, offset: number("offset")?.unwrap_or(0), length: number("length")? })
        }
        (Some(raw), _) => Numbers::Raw(raw.into()),
        (None, FLOAT) => Numbers::Floats(floats),
        (None, DOUBLE) => Numbers::Doubles(doubles),
        (None, INT64 | UINT32 | UINT64) => Numbers::Ints(ints64),
        (None, _) => Numbers::Ints(ints32),
    };
    Ok(Tensor { format: FORMAT, name: name.into(), kind, shape, numbers })
}

/// `AttributeProto.AttributeType`.
pub const A_FLOAT: i64 = 1;
pub const A_INT: i64 = 2;
pub const A_TEXT: i64 = 3;
const A_TENSOR: i64 = 4;
const A_FLOATS: i64 = 6;
pub const A_INTS: i64 = 7;
const A_TEXTS: i64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_has_dimensions() {
        let message = |bytes: &[u8]| parse_tensor(Span::new(bytes)).unwrap_err().to_string();
        let place = "ONNX file, tensor 't': expected";
        let negative = [0x42, 1, b't', 0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert_eq!(message(&negative), format!("{place} dimensions of at least 0, got [-1]"));
        let many = [&[0x42, 1, b't', 0x0a, 9][..], &[1; 9]].concat();
        assert_eq!(message(&many), format!("{place} at most 8 dimensions, got 9"));
    }
}
