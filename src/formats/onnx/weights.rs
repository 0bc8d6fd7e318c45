//! The weights of any ONNX file, whatever its graph: taken out of it, and put back.
//!
//! A *skeleton* is the file without the numbers of its weights: every field stays as it was, byte for byte, but the data of these
//! tensors is cut out. Weights are all initializers, of subgraphs too, and the tensors of Constant nodes, unless they are so small that
//! they are operands, such as axes. Both are found in the order of the file.

use super::build;
use super::schema::{parse_opset, parse_tensor};
use super::wire::{Message, Span, first_text};
use super::{FORMAT, malformed, unsupported};
use crate::error::LoadError;
use crate::formats::collect::Collector;
use crate::formats::import::tensor::{FLOAT, INT8, INT32, UINT8};
use crate::formats::import::{self, Attribute, is_standard};
use crate::model::network::byte_count;
use crate::model::{Dtype, Network, Source, Tensor};
use std::collections::HashSet;

/// Subgraphs lie in attributes of nodes: the deepest that they may nest.
const MAX_DEPTH: usize = 16;

/// The fewest elements of a Constant node's tensor that count as weights.
const FEWEST: usize = 16;

/// The first operator set with DequantizeLinear.
const DEQUANTIZE_OPSET: i64 = 10;

/// The first version of the form in which an initializer need not be an input.
const FREE_VERSION: i64 = 4;

/// `TensorProto`: the numbers as raw bytes.
pub(super) const RAW_DATA: u64 = 9;

/// `GraphProto`.
const NODE: u64 = 1;
const INITIALIZER: u64 = 5;
const INPUT: u64 = 11;

/// Opens the weights of a file. They may take `cap` bytes.
///
/// # Errors
/// [`LoadError`] if the file is damaged, or a weight has its numbers elsewhere. Operators are not looked at.
pub fn weights(file: &[u8], cap: u64) -> Result<Network, LoadError> {
    let mut tensors = Collector::new(FORMAT, cap);
    let skeleton = copy_model(file, &mut |found| {
        let shape = found.tensor.shape.clone();
        // Subgraphs have names of their own.
        let name = tensors.free_name(found.name);
        // Only what was proved to be within the cap is copied out of the message.
        let expected = tensors.reserve(&name, &shape, found.dtype)?;
        let bytes = found.tensor.bytes(found.dtype)?;
        if bytes.len() != expected {
            let expected = format!("{expected} bytes for the shape {shape:?}");
            return Err(malformed(Collector::place(&name), &expected, bytes.len().to_string()));
        }
        tensors.push(Tensor::new(name, shape, found.dtype, bytes))?;
        Ok(Replaced::by(without_numbers(found.span)?))
    })?;
    Ok(tensors.network(Source::Onnx, skeleton))
}

/// The numbers of a weight as they go into a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Fill {
    /// In the weight's own type.
    Plain(Vec<u8>),
    /// 32-bit floats of which at most 256 are different: those, and for each element its place among them. The graph gathers them.
    Shared(Vec<f32>, Vec<u8>),
    /// 32-bit floats as integers, and what one unit is worth. The graph multiplies them, by DequantizeLinear.
    Scaled(f32, Vec<i8>),
}

/// The file of a skeleton with these weights, in their order; in subgraphs too. What is an input too gets its numbers as they are.
///
/// # Errors
/// [`LoadError`] if the skeleton is none of [`weights`], or of other weights; or if it has an operator set below 10 and `fills` ask for
/// DequantizeLinear.
pub fn fill(skeleton: &[u8], fills: Vec<Fill>) -> Result<Vec<u8>, LoadError> {
    let (form, opset) = versions(skeleton)?;
    if opset < DEQUANTIZE_OPSET && fills.iter().any(|fill| matches!(fill, Fill::Scaled(..))) {
        return Err(unsupported("model", format!("DequantizeLinear in operator set {opset}"), "10 or newer"));
    }
    // Once every initializer had to be listed as an input: then none is added.
    let listed = (1..FREE_VERSION).contains(&form);
    let mut fills = fills.into_iter();
    let file = copy_model(skeleton, &mut |Found { span, tensor, dtype, name, free }| {
        let fill = fills.next();
        let fill = fill.ok_or_else(|| malformed("skeleton", "as many weights as there are tensors", "more".into()))?;
        let bytes = match filled(fill, free && !listed, name, &tensor.shape) {
            Filled::Made(replaced) => return Ok(replaced),
            Filled::Numbers(bytes) => bytes,
        };
        if byte_count(&tensor.shape, dtype) != Some(bytes.len()) {
            let expected = format!("bytes for the shape {:?}", tensor.shape);
            return Err(malformed(Collector::place(name), &expected, bytes.len().to_string()));
        }
        let mut message = without_numbers(span)?;
        message.bytes(RAW_DATA, &bytes);
        Ok(Replaced::by(message))
    })?;
    match fills.next() {
        None => Ok(file),
        Some(_) => Err(malformed("skeleton", "as many weights as there are tensors", "fewer".into())),
    }
}

/// The version of the file's form, and of the standard operator set; 0 where it does not say.
fn versions(file: &[u8]) -> Result<(i64, i64), LoadError> {
    const IR_VERSION: u64 = 1;
    const OPSET_IMPORT: u64 = 8;
    let (mut form, mut opset, mut span) = (0, 0, Span::new(file));
    while let Some(field) = span.next_field()? {
        match field.number {
            IR_VERSION => form = field.int()?,
            OPSET_IMPORT => {
                let (domain, version) = parse_opset(field.span()?)?;
                opset = if is_standard(domain) { version } else { opset };
            }
            _ => {}
        }
    }
    Ok((form, opset))
}

/// A weight that was found.
pub(super) struct Found<'a> {
    /// Its message.
    pub span: Span<'a>,
    pub tensor: &'a import::Tensor<'a>,
    pub dtype: Dtype,
    /// Its name, or that of what its node makes.
    pub name: &'a str,
    /// Whether other nodes may make it instead: it is no input of its graph.
    pub free: bool,
}

/// What is done with each weight: it answers what takes its place.
pub(super) type Visit<'v> = dyn FnMut(Found) -> Result<Replaced, LoadError> + 'v;

/// What takes the place of a weight.
#[derive(Default)]
pub(super) struct Replaced {
    /// Tensors: none or several only where the place is free.
    pub tensors: Vec<Message>,
    /// Nodes of the same graph, which have to come before the others; some only where the place is free.
    pub nodes: Vec<Message>,
}

impl Replaced {
    /// One tensor.
    pub fn by(tensor: Message) -> Self {
        Replaced { tensors: vec![tensor], nodes: Vec::new() }
    }
}

/// What a form of a weight's numbers makes of it.
pub(super) enum Filled {
    /// Tensors and nodes that make it.
    Made(Replaced),
    /// Its numbers as they are.
    Numbers(Vec<u8>),
}

/// A weight in a form; where nothing else may make it, with its numbers as they are.
pub(super) fn filled(fill: Fill, free: bool, name: &str, shape: &[usize]) -> Filled {
    let part = |suffix: &str| format!("{name}/{suffix}");
    match fill {
        Fill::Plain(bytes) => Filled::Numbers(bytes),
        Fill::Shared(codebook, indices) if free => {
            let [all, small, wide] = [part("codebook"), part("indices"), part("indices_int32")];
            let cast = node("Cast", &[&small], &wide, Some(("to", INT32)));
            let floats: Vec<u8> = codebook.iter().flat_map(|value| value.to_le_bytes()).collect();
            Filled::Made(Replaced {
                tensors: vec![
                    build::tensor(&all, FLOAT, &[codebook.len()], &floats),
                    build::tensor(&small, UINT8, shape, &indices),
                ],
                nodes: vec![cast, node("Gather", &[&all, &wide], name, Some(("axis", 0)))],
            })
        }
        Fill::Scaled(scale, integers) if free => {
            let [small, unit, zero] = [part("integers"), part("scale"), part("zero_point")];
            let bytes: Vec<u8> = integers.iter().map(|&integer| integer as u8).collect();
            Filled::Made(Replaced {
                tensors: vec![
                    build::tensor(&small, INT8, shape, &bytes),
                    build::tensor(&unit, FLOAT, &[], &scale.to_le_bytes()),
                    build::tensor(&zero, INT8, &[], &[0]),
                ],
                nodes: vec![node("DequantizeLinear", &[&small, &unit, &zero], name, None)],
            })
        }
        Fill::Shared(codebook, indices) => {
            let value = |index: u8| codebook.get(usize::from(index)).copied().unwrap_or(0.0);
            Filled::Numbers(indices.iter().flat_map(|&index| value(index).to_le_bytes()).collect())
        }
        Fill::Scaled(scale, integers) => {
            Filled::Numbers(integers.iter().flat_map(|&integer| (f32::from(integer) * scale).to_le_bytes()).collect())
        }
    }
}

/// `NodeProto`, with one integer attribute at most.
fn node(op: &str, inputs: &[&str], output: &str, attribute: Option<(&str, i64)>) -> Message {
    let attributes = attribute.into_iter().map(|(name, value)| (name, Attribute::Int(value))).collect();
    let inputs = inputs.iter().map(|&input| input.into()).collect();
    let name = format!("{output}/{op}").into();
    build::node(&import::Node { op, name, inputs, outputs: vec![output.into()], attributes, ..import::Node::default() })
}

/// A tensor's message without its numbers, in whichever field they are.
pub(super) fn without_numbers(mut span: Span) -> Result<Message, LoadError> {
    let mut message = Message::default();
    while let Some(field) = span.next_field()? {
        // float_data, int32_data, string_data, int64_data, raw_data, double_data, uint64_data.
        if !matches!(field.number, 4 | 5 | 6 | 7 | RAW_DATA | 10 | 11) {
            message.raw(field.encoded());
        }
    }
    Ok(message)
}

/// A file with what takes the place of its weights.
pub(super) fn copy_model(file: &[u8], visit: &mut Visit) -> Result<Vec<u8>, LoadError> {
    const GRAPH: u64 = 7;
    let mut message = Message::default();
    let mut graphs = 0;
    let mut span = Span::new(file);
    while let Some(field) = span.next_field()? {
        if field.number == GRAPH {
            graphs += 1;
            message.message(GRAPH, copy_graph(field.span()?, 0, visit)?);
        } else {
            message.raw(field.encoded());
        }
    }
    if graphs != 1 {
        return Err(malformed("model", "one graph", graphs.to_string()));
    }
    Ok(message.into_bytes())
}

fn copy_graph(span: Span, depth: usize, visit: &mut Visit) -> Result<Message, LoadError> {
    if depth > MAX_DEPTH {
        return Err(malformed("graph", &format!("at most {MAX_DEPTH} nested graphs"), "more".into()));
    }
    let mut inputs = HashSet::new();
    let mut fields = span;
    while let Some(field) = fields.next_field()? {
        if field.number == INPUT {
            inputs.insert(first_text(field.span()?, 1)?);
        }
    }
    let (mut body, mut nodes) = (Message::default(), Vec::new());
    let mut fields = span;
    while let Some(field) = fields.next_field()? {
        match field.number {
            NODE => match copy_node(field.span()?, depth, visit)? {
                Copied::Node(node) => body.message(NODE, node),
                Copied::Weight(weight) => {
                    weight.tensors.into_iter().for_each(|message| body.message(INITIALIZER, message));
                    nodes.extend(weight.nodes);
                }
            },
            INITIALIZER => {
                let tensor = parse_tensor(field.span()?)?;
                match tensor.dtype() {
                    Some(dtype) => {
                        let (span, name, free) = (field.span()?, &*tensor.name, !inputs.contains(&*tensor.name));
                        let weight = visit(Found { span, tensor: &tensor, dtype, name, free })?;
                        weight.tensors.into_iter().for_each(|message| body.message(INITIALIZER, message));
                        nodes.extend(weight.nodes);
                    }
                    // Text, and types of which a byte holds several numbers, stay as they are.
                    None => body.raw(field.encoded()),
                }
            }
            _ => body.raw(field.encoded()),
        }
    }
    let mut graph = Message::default();
    nodes.into_iter().for_each(|node| graph.message(NODE, node));
    graph.raw(&body.into_bytes());
    Ok(graph)
}

/// What became of a node.
enum Copied {
    Node(Message),
    /// It was a Constant, in whose place other tensors and nodes come.
    Weight(Replaced),
}

fn copy_node(span: Span, depth: usize, visit: &mut Visit) -> Result<Copied, LoadError> {
    const OUTPUT: u64 = 2;
    const OPERATOR: u64 = 4;
    const ATTRIBUTE: u64 = 5;
    let name = first_text(span, OUTPUT)?;
    let constant = first_text(span, OPERATOR)? == "Constant";
    let mut node = Message::default();
    let mut fields = span;
    while let Some(field) = fields.next_field()? {
        if field.number != ATTRIBUTE {
            node.raw(field.encoded());
            continue;
        }
        match copy_attribute(field.span()?, constant.then_some(name), depth, visit)? {
            Copied::Node(attribute) => node.message(ATTRIBUTE, attribute),
            weight => return Ok(weight),
        }
    }
    Ok(Copied::Node(node))
}

/// Copies an attribute; `constant` is the name of what its node makes, if that is a Constant, which has one.
fn copy_attribute(span: Span, constant: Option<&str>, depth: usize, visit: &mut Visit) -> Result<Copied, LoadError> {
    const TENSOR: u64 = 5;
    const GRAPH: u64 = 6;
    const GRAPHS: u64 = 11;
    let mut attribute = Message::default();
    let mut fields = span;
    while let Some(field) = fields.next_field()? {
        match (field.number, constant) {
            (GRAPH | GRAPHS, _) => attribute.message(field.number, copy_graph(field.span()?, depth + 1, visit)?),
            (TENSOR, Some(name)) => {
                let tensor = parse_tensor(field.span()?)?;
                let count = tensor.shape.iter().fold(1usize, |product, &side| product.saturating_mul(side));
                match tensor.dtype().filter(|_| count >= FEWEST) {
                    Some(dtype) => {
                        let (span, free) = (field.span()?, !name.is_empty());
                        let weight = visit(Found { span, tensor: &tensor, dtype, name, free })?;
                        if !weight.nodes.is_empty() {
                            return Ok(Copied::Weight(weight));
                        }
                        weight.tensors.into_iter().for_each(|message| attribute.message(TENSOR, message));
                    }
                    None => attribute.raw(field.encoded()),
                }
            }
            _ => attribute.raw(field.encoded()),
        }
    }
    Ok(Copied::Node(attribute))
}
