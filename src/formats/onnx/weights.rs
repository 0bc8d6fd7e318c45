//! The weights of any ONNX file, whatever its graph: taken out of it, and put back.
//!
//! A *skeleton* is the file without the numbers of its weights: every field stays as it was, byte for byte, but the data of these
//! tensors is cut out. Weights are all initializers, sparse ones and those of subgraphs too, and the tensors of Constant nodes, in functions
//! too, unless they are so small that they are operands, such as axes. All are found in the order of the file.

use super::forms::{Form, Names, Replaced, Target, made};
use super::schema::{parse_opset, parse_tensor};
use super::wire::{Message, Span, first_text};
use super::{FORMAT, build, malformed};
use crate::error::LoadError;
use crate::formats::collect::Collector;
use crate::formats::import::{self, Attribute, is_standard};
use crate::model::network::byte_count;
use crate::model::{Dtype, Network, Source, Tensor};
use std::collections::HashSet;
use std::rc::Rc;

/// Subgraphs lie in attributes of nodes: the deepest that they may nest.
const MAX_DEPTH: usize = 16;

/// The fewest elements of a Constant node's tensor that count as weights.
const FEWEST: usize = 16;

/// The first version of the form in which an initializer need not be an input.
const FREE_VERSION: i64 = 4;

/// `TensorProto`: the numbers as raw bytes.
pub(super) const RAW_DATA: u64 = 9;

/// `GraphProto`.
const NODE: u64 = 1;
const INITIALIZER: u64 = 5;
const INPUT: u64 = 11;
const SPARSE_INITIALIZER: u64 = 15;

/// Opens the weights of a file. They may take `cap` bytes.
///
/// # Errors
/// [`LoadError`] if the file is damaged, or a weight has its numbers elsewhere. Operators are not looked at.
pub fn weights(file: &[u8], cap: u64) -> Result<Network, LoadError> {
    let mut tensors = Collector::new(FORMAT, cap);
    let skeleton = copy_model(file, &mut |found| {
        let Found { dtype, shape, sparse, .. } = found;
        // Subgraphs have names of their own.
        let name = tensors.free_name(found.name);
        // Only what was proved to be within the cap is copied out of the message.
        let expected = tensors.reserve(&name, &shape, dtype)?;
        let bytes = found.tensor.bytes(dtype)?;
        if bytes.len() != expected {
            let expected = format!("{expected} bytes for the shape {shape:?}");
            return Err(malformed(Collector::place(&name), &expected, bytes.len().to_string()));
        }
        tensors.push(Tensor { sparse: sparse == Some(Part::Values), ..Tensor::new(name, shape, dtype, bytes) })?;
        Ok(Replaced::by(without_numbers(found.span)?))
    })?;
    Ok(tensors.network(Source::Onnx, skeleton))
}

/// A tensor that an export leaves as it is though another form was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Bytes of its numbers.
    pub bytes: usize,
    /// Why, in a few words.
    pub reason: &'static str,
}

/// The file of a skeleton with these weights, in their order, each in the form that is chosen for it where that is smaller; in subgraphs
/// and functions too. `kept` gets those that stay as they are.
///
/// # Errors
/// [`LoadError`] if the skeleton is none of [`weights`], or of other weights.
pub fn fill(
    skeleton: &[u8],
    tensors: &[Tensor],
    form: fn(&Tensor) -> Result<Form, &'static str>,
    kept: &mut Vec<Kept>,
) -> Result<Vec<u8>, LoadError> {
    // Once every initializer had to be listed as an input: then none is added.
    let listed = (1..FREE_VERSION).contains(&versions(skeleton, 1, 8)?.0);
    let names = Names::new(skeleton);
    let mut tensors = tensors.iter();
    let mut keep = |tensor: &Tensor, reason| {
        kept.push(Kept { name: tensor.name.clone(), bytes: tensor.bytes.len(), reason });
    };
    // The form that the values of a sparse tensor may take, until their places are known.
    let mut values: Option<(&Tensor, Form)> = None;
    let file = copy_model(skeleton, &mut |found| {
        let tensor = match next_of(&mut tensors, &found)? {
            Some(tensor) => tensor,
            None => return Ok(as_it_was(&found)),
        };
        let mut plain = without_numbers(found.span)?;
        plain.bytes(RAW_DATA, &tensor.bytes);
        let plain = Replaced::by(plain);
        let Found { name, opset, place, .. } = found;
        let (form, of, bytes, target) = match (place, found.sparse) {
            (_, Some(Part::Indices(sides))) => {
                let Some((of, form)) = values.take() else { return Ok(plain) };
                match form.spread(sides, tensor, of.dtype) {
                    // A sparse tensor takes the place of both.
                    Some(form) => {
                        let target =
                            Target { name: found.of, kind: found.kind, size: of.dtype.size(), shape: sides, opset };
                        (form, of, of.bytes.len() + tensor.bytes.len(), target)
                    }
                    None => {
                        keep(of, "which would not be smaller so");
                        return Ok(plain);
                    }
                }
            }
            (Place::Input, _) => {
                keep(tensor, "an input of the graph too");
                return Ok(plain);
            }
            _ if listed => {
                keep(tensor, "in a file of version 3 or older, where all of them are inputs");
                return Ok(plain);
            }
            (Place::Free, sparse) => {
                let form = match form(tensor) {
                    Ok(form) => form,
                    Err("") => return Ok(plain),
                    Err(reason) => {
                        keep(tensor, reason);
                        return Ok(plain);
                    }
                };
                if sparse.is_some() {
                    values = Some((tensor, form));
                    return Ok(plain);
                }
                let target = Target { name, kind: found.kind, size: tensor.dtype.size(), shape: &found.shape, opset };
                (form, tensor, tensor.bytes.len(), target)
            }
        };
        match made(&form, &names, &target) {
            Some(replaced) if replaced.bytes() < bytes => Ok(replaced),
            _ => {
                keep(of, "which would not be smaller so");
                Ok(plain)
            }
        }
    })?;
    match tensors.next() {
        None => Ok(file),
        Some(_) => Err(malformed("skeleton", "as many weights as there are tensors", "fewer".into())),
    }
}

/// The next tensor, which is the weight that was found in a skeleton; nothing for a tensor whose numbers the skeleton has: files of an earlier
/// version left those of functions and of 4 bits in it.
///
/// # Errors
/// [`LoadError`] if there is none, or one of another size.
pub(super) fn next_of<'t>(
    tensors: &mut std::slice::Iter<'t, Tensor>,
    found: &Found,
) -> Result<Option<&'t Tensor>, LoadError> {
    if found.tensor.is_filled() {
        return Ok(None);
    }
    let tensor = tensors.next();
    let tensor = tensor.ok_or_else(|| malformed("skeleton", "as many weights as there are tensors", "more".into()))?;
    if byte_count(&found.shape, found.dtype) != Some(tensor.bytes.len()) {
        let expected = format!("bytes for the shape {:?}", found.shape);
        return Err(malformed(Collector::place(found.name), &expected, tensor.bytes.len().to_string()));
    }
    Ok(Some(tensor))
}

/// The number in a field of a message, and the version of the standard operator set in another; 0 where it does not say.
fn versions(message: &[u8], number: u64, opsets: u64) -> Result<(i64, i64), LoadError> {
    let (mut form, mut opset, mut span) = (0, 0, Span::new(message));
    while let Some(field) = span.next_field()? {
        if field.number == number {
            form = field.int()?;
        } else if field.number == opsets {
            let (domain, version) = parse_opset(field.span()?)?;
            opset = if is_standard(domain) { version } else { opset };
        }
    }
    Ok((form, opset))
}

/// A weight that was found.
pub(super) struct Found<'a> {
    /// Its message.
    pub span: Span<'a>,
    pub tensor: &'a import::Tensor<'a>,
    /// The type and the sides that its numbers are kept in: elements of 4 bits as bytes that hold two.
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Its name, or that of what its node makes.
    pub name: &'a str,
    pub place: Place,
    /// Which part of a sparse tensor it is.
    pub sparse: Option<Part<'a>>,
    /// Name of the sparse tensor, and the type of its elements, or its own.
    pub of: &'a str,
    pub kind: i64,
    /// The standard operator set of its graph or function.
    pub opset: i64,
}

/// What may make a weight.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// Other nodes may.
    Free,
    /// It is an input of its graph, or has no name.
    Input,
}

/// The two tensors of a sparse one.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part<'a> {
    /// The elements that are given.
    Values,
    /// Their places in a tensor of these sides.
    Indices(&'a [usize]),
}

/// What is done with each weight: it answers what takes its place.
pub(super) type Visit<'v> = dyn FnMut(Found) -> Result<Replaced, LoadError> + 'v;

/// A tensor as it was found.
fn as_it_was(found: &Found) -> Replaced {
    let mut message = Message::default();
    message.raw(found.span.bytes());
    Replaced::by(message)
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
    const FUNCTIONS: u64 = 25;
    let mut message = Message::default();
    let mut graphs = 0;
    let scope = Scope { depth: 0, opset: versions(file, 1, 8)?.1 };
    let mut span = Span::new(file);
    while let Some(field) = span.next_field()? {
        match field.number {
            GRAPH => {
                graphs += 1;
                message.message(GRAPH, copy_graph(field.span()?, scope, visit)?);
            }
            FUNCTIONS => message.message(FUNCTIONS, copy_function(field.span()?, visit)?),
            _ => message.raw(field.encoded()),
        }
    }
    if graphs != 1 {
        return Err(malformed("model", "one graph", graphs.to_string()));
    }
    Ok(message.into_bytes())
}

/// Where nodes lie.
#[derive(Clone, Copy)]
struct Scope {
    /// How deep in other graphs.
    depth: usize,
    /// The standard operator set.
    opset: i64,
}

fn copy_graph(span: Span, scope: Scope, visit: &mut Visit) -> Result<Message, LoadError> {
    if scope.depth > MAX_DEPTH {
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
    let mut put = |body: &mut Message, weight: Replaced| {
        weight.tensors.into_iter().for_each(|message| body.message(INITIALIZER, message));
        nodes.extend(weight.nodes);
    };
    let mut fields = span;
    while let Some(field) = fields.next_field()? {
        match field.number {
            NODE => match copy_node(field.span()?, scope, visit)? {
                Copied::Message(node) => body.message(NODE, node),
                Copied::Weight(weight) => put(&mut body, weight),
            },
            INITIALIZER => {
                let tensor = parse_tensor(field.span()?)?;
                let place = if inputs.contains(&*tensor.name) { Place::Input } else { Place::Free };
                match visited(field.span()?, &tensor, &tensor.name, place, scope, visit)? {
                    Some(weight) => put(&mut body, weight),
                    // Text stays as it is.
                    None => body.raw(field.encoded()),
                }
            }
            SPARSE_INITIALIZER => match copy_sparse(field.span()?, None, scope, visit)? {
                Copied::Message(sparse) => body.message(SPARSE_INITIALIZER, sparse),
                Copied::Weight(weight) => put(&mut body, weight),
            },
            _ => body.raw(field.encoded()),
        }
    }
    let mut graph = Message::default();
    nodes.into_iter().for_each(|node| graph.message(NODE, node));
    graph.raw(&body.into_bytes());
    Ok(graph)
}

/// `FunctionProto`. It has no initializers: what takes the place of its weights lies in Constant nodes.
fn copy_function(span: Span, visit: &mut Visit) -> Result<Message, LoadError> {
    const NODE: u64 = 7;
    const OPSET_IMPORT: u64 = 9;
    let scope = Scope { depth: 0, opset: versions(span.bytes(), 0, OPSET_IMPORT)?.1 };
    let (mut body, mut function) = (Message::default(), Message::default());
    let mut fields = span;
    while let Some(field) = fields.next_field()? {
        match field.number {
            NODE => match copy_node(field.span()?, scope, visit)? {
                Copied::Message(node) => body.message(NODE, node),
                Copied::Weight(weight) => {
                    for tensor in weight.tensors {
                        function.message(NODE, constant_node(&tensor.into_bytes())?);
                    }
                    weight.nodes.into_iter().for_each(|node| function.message(NODE, node));
                }
            },
            _ => body.raw(field.encoded()),
        }
    }
    function.raw(&body.into_bytes());
    Ok(function)
}

/// The Constant node of a tensor, whose name is that of what it makes.
fn constant_node(tensor: &[u8]) -> Result<Message, LoadError> {
    let tensor = parse_tensor(Span::new(tensor))?;
    let (name, outputs) = (tensor.name.clone(), vec![tensor.name.clone()]);
    let attributes = vec![("value", Attribute::Tensor(Rc::new(tensor)))];
    Ok(build::node(&import::Node { op: "Constant", name, outputs, attributes, ..import::Node::default() }))
}

/// What became of a message.
enum Copied {
    Message(Message),
    /// It was a weight, in whose place other tensors and nodes come.
    Weight(Replaced),
}

/// What takes the place of a tensor, if it is of numbers.
fn visited(
    span: Span,
    tensor: &import::Tensor,
    name: &str,
    place: Place,
    scope: Scope,
    visit: &mut Visit,
) -> Result<Option<Replaced>, LoadError> {
    let Some((dtype, shape)) = stored(tensor) else { return Ok(None) };
    let (kind, opset) = (tensor.kind, scope.opset);
    visit(Found { span, tensor, dtype, shape, name, place, sparse: None, of: name, kind, opset }).map(Some)
}

/// The type and the sides that a tensor's numbers are kept in. Types that are none here are bytes: floats of 8 bits, and two elements of 4 bits.
fn stored(tensor: &import::Tensor) -> Option<(Dtype, Vec<usize>)> {
    match tensor.kind {
        // FLOAT8E4M3FN, FLOAT8E4M3FNUZ, FLOAT8E5M2, FLOAT8E5M2FNUZ, FLOAT8E8M0.
        17..=20 | 24 => Some((Dtype::U8, tensor.shape.clone())),
        // UINT4, INT4, FLOAT4E2M1.
        21..=23 => Some((Dtype::U8, vec![elements(&tensor.shape).div_ceil(2)])),
        _ => tensor.dtype().map(|dtype| (dtype, tensor.shape.clone())),
    }
}

fn elements(shape: &[usize]) -> usize {
    shape.iter().fold(1usize, |product, &side| product.saturating_mul(side))
}

/// `SparseTensorProto`, an initializer, or of a Constant that makes the value of this name.
fn copy_sparse(span: Span, constant: Option<&str>, scope: Scope, visit: &mut Visit) -> Result<Copied, LoadError> {
    let (mut values, mut indices, mut sides) = (None, None, Vec::new());
    let (mut message, mut fields) = (Message::default(), span);
    while let Some(field) = fields.next_field()? {
        match field.number {
            1 => values = Some(field.span()?),
            2 => indices = Some(field.span()?),
            _ => {
                message.raw(field.encoded());
                if field.number == 3 {
                    field.append_ints(&mut sides)?;
                }
            }
        }
    }
    let sides = sides.into_iter().map(usize::try_from).collect::<Result<Vec<usize>, _>>();
    let (Some(value_span), Some(index_span), Ok(sides)) = (values, indices, sides) else {
        let expected = "values, indices and dimensions of at least 0";
        return Err(malformed("sparse tensor", expected, "another".into()));
    };
    let (values, indices) = (parse_tensor(value_span)?, parse_tensor(index_span)?);
    let (Some((value_type, value_shape)), Some((index_type, index_shape))) = (stored(&values), stored(&indices)) else {
        let mut message = Message::default();
        message.raw(span.bytes());
        return Ok(Copied::Message(message));
    };
    let name = constant.unwrap_or(&values.name);
    let index_name = if indices.name.is_empty() { format!("{name}/indices") } else { indices.name.to_string() };
    let (kind, opset) = (values.kind, scope.opset);
    let place = if name.is_empty() { Place::Input } else { Place::Free };
    let found = |span, tensor, dtype, shape, name, part| Found {
        span,
        tensor,
        dtype,
        shape,
        name,
        place,
        sparse: Some(part),
        of: constant.unwrap_or(&values.name),
        kind,
        opset,
    };
    let first = visit(found(value_span, &values, value_type, value_shape, name, Part::Values))?;
    let second = visit(found(index_span, &indices, index_type, index_shape, &index_name, Part::Indices(&sides)))?;
    if !second.nodes.is_empty() {
        return Ok(Copied::Weight(second));
    }
    let mut sparse = Message::default();
    first.tensors.into_iter().for_each(|values| sparse.message(1, values));
    second.tensors.into_iter().for_each(|indices| sparse.message(2, indices));
    sparse.raw(&message.into_bytes());
    Ok(Copied::Message(sparse))
}

fn copy_node(span: Span, scope: Scope, visit: &mut Visit) -> Result<Copied, LoadError> {
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
        match copy_attribute(field.span()?, constant.then_some(name), scope, visit)? {
            Copied::Message(attribute) => node.message(ATTRIBUTE, attribute),
            weight => return Ok(weight),
        }
    }
    Ok(Copied::Message(node))
}

/// Copies an attribute; `constant` is the name of what its node makes, if that is a Constant, which has one.
fn copy_attribute(span: Span, constant: Option<&str>, scope: Scope, visit: &mut Visit) -> Result<Copied, LoadError> {
    const TENSOR: u64 = 5;
    const GRAPH: u64 = 6;
    const GRAPHS: u64 = 11;
    const SPARSE_TENSOR: u64 = 22;
    let mut attribute = Message::default();
    let mut fields = span;
    while let Some(field) = fields.next_field()? {
        match (field.number, constant) {
            (GRAPH | GRAPHS, _) => {
                let inner = Scope { depth: scope.depth + 1, ..scope };
                attribute.message(field.number, copy_graph(field.span()?, inner, visit)?);
            }
            (TENSOR, Some(name)) => {
                let tensor = parse_tensor(field.span()?)?;
                let place = if name.is_empty() { Place::Input } else { Place::Free };
                let large = elements(&tensor.shape) >= FEWEST;
                let weight = if large { visited(field.span()?, &tensor, name, place, scope, visit)? } else { None };
                match weight {
                    Some(weight) if !weight.nodes.is_empty() => return Ok(Copied::Weight(weight)),
                    Some(weight) => {
                        weight.tensors.into_iter().for_each(|message| attribute.message(TENSOR, message));
                    }
                    None => attribute.raw(field.encoded()),
                }
            }
            (SPARSE_TENSOR, Some(_)) => match copy_sparse(field.span()?, constant, scope, visit)? {
                Copied::Message(sparse) => attribute.message(SPARSE_TENSOR, sparse),
                weight => return Ok(weight),
            },
            _ => attribute.raw(field.encoded()),
        }
    }
    Ok(Copied::Message(attribute))
}
