//! The messages of ONNX (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>), as far as they are understood.
//! Everything borrows from the file. Fields that cannot change a result, such as documentation, are skipped.

use super::tensor::Tensor;
use super::wire::Span;
use super::{malformed, unsupported};
use crate::error::LoadError;
use std::rc::Rc;

/// The most nodes, tensors, inputs and outputs that a graph may have. An empty one takes two bytes of a file and some
/// hundred of memory: without a limit a file could grow by that factor.
const MAX_ITEMS: usize = 1 << 14;

/// `ModelProto`.
#[derive(Debug)]
pub struct ModelProto<'a> {
    /// Version of the standard operator set.
    pub opset: i64,
    /// The graph.
    pub graph: GraphProto<'a>,
}

/// `GraphProto`.
#[derive(Debug, Default)]
pub struct GraphProto<'a> {
    /// In the order in which they run.
    pub nodes: Vec<NodeProto<'a>>,
    /// Constants.
    pub initializers: Vec<Rc<Tensor<'a>>>,
    /// Inputs; before IR version 4 the initializers are among them.
    pub inputs: Vec<InputProto<'a>>,
    /// Names of the outputs.
    pub outputs: Vec<&'a str>,
}

/// `ValueInfoProto` of an input.
#[derive(Debug, Default)]
pub struct InputProto<'a> {
    /// Its name.
    pub name: &'a str,
    /// Type of an element, as in `TensorProto.DataType`; 0 if it is not a tensor.
    pub element: i64,
    /// Its dimensions; `None` where one is a symbol or missing.
    pub dimensions: Vec<Option<i64>>,
}

/// `NodeProto`.
#[derive(Debug, Default)]
pub struct NodeProto<'a> {
    /// Its name; may be empty.
    pub name: &'a str,
    /// Its operator.
    pub op: &'a str,
    /// The operator set; empty is the standard one.
    pub domain: &'a str,
    /// Names of what it reads; an empty name is an optional input that is left out.
    pub inputs: Vec<&'a str>,
    /// Names of what it makes.
    pub outputs: Vec<&'a str>,
    attributes: Vec<(&'a str, Span<'a>)>,
}

/// `AttributeProto`, once it is asked for.
#[derive(Debug, Default)]
struct Attribute<'a> {
    kind: i64,
    float: f32,
    int: i64,
    text: &'a str,
    tensor: Option<Tensor<'a>>,
    floats: Vec<f32>,
    ints: Vec<i64>,
}

fn push<T>(items: &mut Vec<T>, item: T, what: &str) -> Result<(), LoadError> {
    if items.len() == MAX_ITEMS {
        return Err(malformed("graph", &format!("at most {MAX_ITEMS} {what}"), "more".into()));
    }
    items.push(item);
    Ok(())
}

impl<'a> ModelProto<'a> {
    /// Parses a whole file.
    pub fn parse(file: &'a [u8]) -> Result<Self, LoadError> {
        let (mut graph, mut opset) = (None, None);
        let mut span = Span::new(file);
        while let Some(field) = span.next_field()? {
            match field.number {
                7 if graph.is_none() => graph = Some(GraphProto::parse(field.span()?)?),
                7 => return Err(malformed("model", "one graph", "a second one".into())),
                8 => {
                    let (domain, version) = parse_opset(field.span()?)?;
                    if is_standard(domain) {
                        opset = Some(version);
                    }
                }
                _ => {}
            }
        }
        let graph = graph.ok_or_else(|| malformed("model", "a graph", "none".into()))?;
        let opset = opset.ok_or_else(|| malformed("model", "a version of the operator set", "none".into()))?;
        Ok(ModelProto { opset, graph })
    }
}

/// Whether a domain is that of the standard operators.
pub fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

fn parse_opset(mut span: Span<'_>) -> Result<(&str, i64), LoadError> {
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

impl<'a> GraphProto<'a> {
    fn parse(mut span: Span<'a>) -> Result<Self, LoadError> {
        let mut graph = GraphProto::default();
        while let Some(field) = span.next_field()? {
            match field.number {
                1 => push(&mut graph.nodes, NodeProto::parse(field.span()?)?, "nodes")?,
                5 => push(&mut graph.initializers, Rc::new(Tensor::parse(field.span()?)?), "initializers")?,
                11 => push(&mut graph.inputs, InputProto::parse(field.span()?)?, "inputs")?,
                12 => push(&mut graph.outputs, InputProto::parse(field.span()?)?.name, "outputs")?,
                15 => return Err(unsupported("graph", "a sparse initializer", "dense initializers")),
                _ => {}
            }
        }
        Ok(graph)
    }
}

impl<'a> InputProto<'a> {
    fn parse(mut span: Span<'a>) -> Result<Self, LoadError> {
        let mut input = InputProto::default();
        while let Some(field) = span.next_field()? {
            match field.number {
                1 => input.name = field.text()?,
                2 => input.parse_type(field.span()?)?,
                _ => {}
            }
        }
        Ok(input)
    }

    /// `TypeProto`, of which only a tensor is known.
    fn parse_type(&mut self, mut span: Span<'a>) -> Result<(), LoadError> {
        while let Some(field) = span.next_field()? {
            if field.number != 1 {
                continue;
            }
            let mut tensor = field.span()?;
            while let Some(field) = tensor.next_field()? {
                match field.number {
                    1 => self.element = field.int()?,
                    2 => self.dimensions = parse_shape(field.span()?)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }
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
                1 => value = Some(field.int()?),
                2 => value = None,
                _ => {}
            }
        }
        push(&mut dimensions, value, "dimensions")?;
    }
    Ok(dimensions)
}

impl<'a> NodeProto<'a> {
    fn parse(mut span: Span<'a>) -> Result<Self, LoadError> {
        let mut node = NodeProto::default();
        while let Some(field) = span.next_field()? {
            match field.number {
                1 => node.inputs.push(field.text()?),
                2 => node.outputs.push(field.text()?),
                3 => node.name = field.text()?,
                4 => node.op = field.text()?,
                5 => {
                    let body = field.span()?;
                    node.attributes.push((attribute_name(body)?, body));
                }
                7 => node.domain = field.text()?,
                _ => {}
            }
        }
        Ok(node)
    }

    /// Where an error is: the node's name, or else its first output, and its operator.
    pub fn place(&self) -> String {
        format!("{} node '{}'", self.op, self.label())
    }

    /// Its name, or else that of its first output.
    pub fn label(&self) -> &'a str {
        if self.name.is_empty() { self.outputs.first().unwrap_or(&"") } else { self.name }
    }

    /// The error for a feature of this node.
    pub fn unsupported(&self, feature: impl Into<String>, supported: &str) -> LoadError {
        unsupported(self.place(), feature, supported)
    }

    /// The error for a broken rule in this node.
    pub fn malformed(&self, expected: &str, got: impl Into<String>) -> LoadError {
        malformed(self.place(), expected, got.into())
    }

    /// Proves that there are no attributes but these, and none twice: one that is ignored could change the result.
    pub fn allow_attributes(&self, names: &[&str]) -> Result<(), LoadError> {
        for (index, (name, _)) in self.attributes.iter().enumerate() {
            if !names.contains(name) {
                return Err(self.unsupported(format!("attribute '{name}'"), &format!("{names:?}")));
            }
            if self.attributes[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(self.malformed("each attribute once", format!("'{name}' twice")));
            }
        }
        Ok(())
    }

    /// Whether the attribute is there.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(candidate, _)| *candidate == name)
    }

    /// An attribute of one kind (`AttributeProto.AttributeType`), if it is there. Early files do not store the kind.
    fn attribute(&self, name: &str, kind: i64) -> Result<Option<Attribute<'a>>, LoadError> {
        let Some((_, body)) = self.attributes.iter().find(|(candidate, _)| *candidate == name) else {
            return Ok(None);
        };
        let attribute = Attribute::parse(*body)?;
        if attribute.kind != 0 && attribute.kind != kind {
            let expected = format!("attribute '{name}' of type {kind}");
            return Err(self.malformed(&expected, format!("type {}", attribute.kind)));
        }
        Ok(Some(attribute))
    }

    /// An integer.
    pub fn int(&self, name: &str, default: i64) -> Result<i64, LoadError> {
        Ok(self.attribute(name, 2)?.map_or(default, |attribute| attribute.int))
    }

    /// A number.
    pub fn float(&self, name: &str, default: f32) -> Result<f32, LoadError> {
        let value = self.attribute(name, 1)?.map_or(default, |attribute| attribute.float);
        if value.is_finite() { Ok(value) } else { Err(self.malformed("finite numbers", format!("{name} = {value}"))) }
    }

    /// A string.
    pub fn text(&self, name: &str, default: &'static str) -> Result<&'a str, LoadError> {
        Ok(self.attribute(name, 3)?.map_or(default, |attribute| attribute.text))
    }

    /// Integers.
    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>, LoadError> {
        Ok(self.attribute(name, 7)?.map(|attribute| attribute.ints))
    }

    /// A tensor.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor<'a>>, LoadError> {
        Ok(self.attribute(name, 4)?.and_then(|attribute| attribute.tensor))
    }

    /// Numbers.
    pub fn floats(&self, name: &str) -> Result<Option<Vec<f32>>, LoadError> {
        Ok(self.attribute(name, 6)?.map(|attribute| attribute.floats))
    }
}

fn attribute_name(mut body: Span<'_>) -> Result<&str, LoadError> {
    let mut name = "";
    while let Some(field) = body.next_field()? {
        if field.number == 1 {
            name = field.text()?;
        }
    }
    Ok(name)
}

impl<'a> Attribute<'a> {
    fn parse(mut span: Span<'a>) -> Result<Self, LoadError> {
        let mut attribute = Attribute::default();
        while let Some(field) = span.next_field()? {
            match field.number {
                2 => attribute.float = field.float()?,
                3 => attribute.int = field.int()?,
                4 => attribute.text = field.text()?,
                5 => attribute.tensor = Some(Tensor::parse(field.span()?)?),
                7 => field.append_floats(&mut attribute.floats)?,
                8 => field.append_ints(&mut attribute.ints)?,
                20 => attribute.kind = field.int()?,
                _ => {}
            }
        }
        Ok(attribute)
    }
}
