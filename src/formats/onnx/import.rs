//! ONNX to a [`Model`]: names become values, and each node becomes an operator, or part of the one before it.

use super::schema::{InputProto, ModelProto, NodeProto, is_standard};
use super::tensor::{FLOAT, Tensor};
use super::{FORMAT, malformed, unsupported};
use crate::error::LoadError;
use crate::model::{Graph, Model, Node, Op, ParamId, Parameter, ValueId};
use ndarray::{ArrayD, IxDyn};
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::rc::Rc;

/// The operator sets whose operators mean what is assumed here.
const OPSETS: RangeInclusive<i64> = 7..=23;

const OPERATORS: &str = "Conv, Gemm, MatMul and Add with constants, Add, Relu, MaxPool, AveragePool, \
     GlobalAveragePool, Flatten, Reshape that flattens, Softmax, BatchNormalization, Dropout, Identity, Constant, and \
     Shape, Gather, Unsqueeze, Concat and Cast where they compute a shape";

/// Reads an ONNX file. Names of nodes and parameters are kept; parameters come in the order in which they are used.
/// `cap` is the most bytes that the file, the parameters, or one value for one sample may take.
///
/// # Errors
/// [`LoadError`] names the byte, tensor or node that breaks a rule or is not supported.
pub fn read(bytes: &[u8], cap: u64) -> Result<Model, LoadError> {
    check_cap("file", bytes.len(), cap)?;
    let file = ModelProto::parse(bytes)?;
    if !OPSETS.contains(&file.opset) {
        let feature = format!("operator set {}", file.opset);
        return Err(unsupported("model", feature, &format!("{} to {}", OPSETS.start(), OPSETS.end())));
    }
    let graph = file.graph;
    let &[output] = graph.outputs.as_slice() else {
        return Err(unsupported("graph", format!("{} outputs", graph.outputs.len()), "one output"));
    };
    let live = live_nodes(&graph.nodes, output);
    let mut constants: HashMap<&str, Known> = HashMap::new();
    for tensor in graph.initializers {
        let (name, shape) = (tensor.name, tensor.shape()?);
        if constants.insert(name, Known::Constant(Rc::new(tensor), shape)).is_some() {
            return Err(malformed("graph", "initializers with different names", format!("'{name}' twice")));
        }
    }
    let inputs: Vec<&InputProto> = graph.inputs.iter().filter(|input| !constants.contains_key(input.name)).collect();
    let &[input] = inputs.as_slice() else {
        return Err(unsupported("graph", format!("{} inputs", inputs.len()), "one input"));
    };
    let (batch, input_shape) = input_shape(input)?;
    let mut uses: HashMap<&str, usize> = HashMap::from([(output, 1)]);
    for node in live.iter() {
        for &name in &node.inputs {
            *uses.entry(name).or_default() += 1;
        }
    }
    let graph = Graph { input_name: input.name.to_owned(), input_shape: input_shape.clone(), nodes: Vec::new() };
    let mut importer = Importer {
        opset: file.opset,
        batch,
        readers: vec![uses.get(input.name).copied().unwrap_or(0)],
        shapes: vec![input_shape],
        known: constants,
        uses,
        model: Model { graph, parameters: Vec::new() },
        parameter_shapes: Vec::new(),
        parameter_names: HashSet::new(),
        parameter_bytes: 0,
        cap,
    };
    importer.known.insert(input.name, Known::Value(ValueId(0)));
    for node in live {
        importer.import(node)?;
    }
    importer.finish(output)
}

/// Nodes that the output depends on, in order. Others, such as exporters leave behind, may be of any kind.
fn live_nodes<'f, 'a>(nodes: &'f [NodeProto<'a>], output: &'a str) -> Vec<&'f NodeProto<'a>> {
    let mut needed = HashSet::from([output]);
    let mut live = Vec::new();
    for node in nodes.iter().rev() {
        if node.outputs.iter().any(|name| needed.contains(name)) {
            needed.extend(&node.inputs);
            live.push(node);
        }
    }
    live.reverse();
    live
}

/// The batch, if it is fixed, and the shape of one sample.
fn input_shape(input: &InputProto) -> Result<(Option<i64>, Vec<usize>), LoadError> {
    let place = format!("input '{}'", input.name);
    if input.element != FLOAT {
        return Err(unsupported(place, format!("element type {}", input.element), "float (1)"));
    }
    let Some((batch, sample)) = input.dimensions.split_first().filter(|(_, sample)| !sample.is_empty()) else {
        return Err(unsupported(place, format!("shape {:?}", input.dimensions), "a batch, and at least one dimension"));
    };
    let shape = sample.iter().map(|side| side.and_then(|side| usize::try_from(side).ok()).filter(|&side| side > 0));
    let shape: Option<Vec<usize>> = shape.collect();
    let shape = shape.ok_or_else(|| {
        unsupported(place, format!("shape {:?}", input.dimensions), "dimensions that are known, except for the batch")
    })?;
    Ok((batch.filter(|&batch| batch > 0), shape))
}

pub(super) fn check_cap(place: &str, bytes: usize, cap: u64) -> Result<(), LoadError> {
    let bytes = bytes as u64;
    if bytes > cap {
        return Err(LoadError::TooLarge { format: FORMAT, place: place.to_owned(), bytes, cap });
    }
    Ok(())
}

/// A constant, and its shape; a Reshape may have given it another one than it is stored with.
pub(super) type Constant<'a> = (Rc<Tensor<'a>>, Vec<usize>);

/// What a name in the file stands for.
#[derive(Debug, Clone)]
pub(super) enum Known<'a> {
    /// Something that depends on the input.
    Value(ValueId),
    /// Something that does not.
    Constant(Rc<Tensor<'a>>, Vec<usize>),
}

/// The model so far.
pub(super) struct Importer<'a> {
    /// Version of the operator set.
    pub opset: i64,
    /// The batch that the file is made for, if it is fixed.
    pub batch: Option<i64>,
    /// Shape of each value for one sample, indexed by [`ValueId`].
    pub shapes: Vec<Vec<usize>>,
    pub model: Model,
    known: HashMap<&'a str, Known<'a>>,
    /// How often each name is read, and whether it is the output.
    uses: HashMap<&'a str, usize>,
    /// How often each value will still be read under its names, indexed by [`ValueId`].
    readers: Vec<usize>,
    parameter_shapes: Vec<Vec<usize>>,
    parameter_names: HashSet<String>,
    parameter_bytes: usize,
    cap: u64,
}

impl<'a> Importer<'a> {
    /// No default arm hides a gap here: an operator that is not listed is an error.
    fn import(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        if !is_standard(node.domain) {
            return Err(node.unsupported(format!("domain '{}'", node.domain), "the standard operators"));
        }
        match node.op {
            "Conv" => self.conv(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.matmul(node),
            "Add" => self.add(node),
            "BatchNormalization" => self.batch_normalization(node),
            "Relu" => self.unary(node, Op::Relu),
            "GlobalAveragePool" => self.unary(node, Op::GlobalAveragePool),
            "MaxPool" => self.max_pool(node),
            "AveragePool" => self.average_pool(node),
            "Flatten" => self.flatten(node),
            "Reshape" => self.reshape(node),
            "Softmax" => self.softmax(node),
            "Identity" => self.identity(node),
            "Dropout" => self.dropout(node),
            "Constant" => self.constant_node(node),
            "Shape" => self.shape(node),
            "Gather" => self.gather(node),
            "Concat" => self.concat(node),
            "Unsqueeze" | "Cast" => self.same_integers(node),
            other => Err(node.unsupported(format!("operator {other}"), OPERATORS)),
        }
    }

    /// The finished model, once its last node is proved to make the output.
    fn finish(self, output: &str) -> Result<Model, LoadError> {
        match self.known.get(output) {
            Some(Known::Value(id)) if *id == self.model.graph.output() && id.0 > 0 => {}
            Some(_) => {
                return Err(unsupported("graph", format!("output '{output}'"), "an output that a node makes last"));
            }
            None => return Err(malformed("graph", "an output that a node makes", format!("'{output}'"))),
        }
        let nodes = &self.model.graph.nodes;
        if let Some(node) = nodes[..nodes.len() - 1].iter().find(|node| node.op == Op::Softmax) {
            let place = format!("Softmax node '{}'", node.name);
            return Err(unsupported(place, "a softmax inside the network", "one that makes the output"));
        }
        for parameter in &self.model.parameters {
            // Folding can overflow even where every factor is finite.
            if let Some(value) = parameter.values.iter().find(|value| !value.is_finite()) {
                let place = format!("tensor '{}'", parameter.name);
                return Err(malformed(place, "finite numbers once factors are folded in", value.to_string()));
            }
        }
        self.model.shapes()?;
        Ok(self.model)
    }

    /// What input `index` of a node stands for; `None` if it is optional and left out.
    pub fn input(&self, node: &NodeProto<'a>, index: usize) -> Result<Option<Known<'a>>, LoadError> {
        match node.inputs.get(index) {
            None | Some(&"") => Ok(None),
            Some(name) => match self.known.get(name) {
                Some(known) => Ok(Some(known.clone())),
                None => Err(node.malformed("inputs that an earlier node makes", format!("'{name}'"))),
            },
        }
    }

    /// Input `index`, which has to depend on the network's input.
    pub fn value(&self, node: &NodeProto<'a>, index: usize) -> Result<ValueId, LoadError> {
        match self.input(node, index)? {
            Some(Known::Value(id)) => Ok(id),
            Some(Known::Constant(..)) => {
                Err(node.unsupported(format!("a constant as input {index}"), "the network's values"))
            }
            None => Err(node.malformed(&format!("an input {index}"), "none")),
        }
    }

    /// Input `index`, which has to be a constant if it is there.
    pub fn constant(&self, node: &NodeProto<'a>, index: usize) -> Result<Option<Constant<'a>>, LoadError> {
        match self.input(node, index)? {
            Some(Known::Constant(tensor, shape)) => Ok(Some((tensor, shape))),
            Some(Known::Value(_)) => Err(node.unsupported(format!("a computed input {index}"), "a constant")),
            None => Ok(None),
        }
    }

    /// Shape of a value for one sample.
    pub fn shape_of(&self, id: ValueId) -> &[usize] {
        &self.shapes[id.0]
    }

    /// Gives the first output of a node its meaning.
    pub fn define(&mut self, node: &NodeProto<'a>, known: Known<'a>) -> Result<(), LoadError> {
        let Some(&name) = node.outputs.first() else { return Err(node.malformed("an output", "none")) };
        if let Known::Value(id) = known {
            // The name that this node read is replaced by the one that it makes.
            self.readers[id.0] = self.readers[id.0].saturating_sub(1) + self.uses.get(name).copied().unwrap_or(0);
        }
        if self.known.insert(name, known).is_some() {
            return Err(node.malformed("outputs with names of their own", format!("'{name}' again")));
        }
        Ok(())
    }

    /// Appends an operator, and gives its value to the node's first output.
    pub fn push(&mut self, node: &NodeProto<'a>, op: Op, inputs: Vec<ValueId>) -> Result<(), LoadError> {
        let made = Node { name: node.label().to_owned(), op, inputs };
        let shapes: Vec<&[usize]> = made.inputs.iter().map(|id| self.shape_of(*id)).collect();
        let shape = made.output_shape(&shapes, &self.parameter_shapes)?;
        check_cap(&node.place(), shape.iter().product::<usize>().saturating_mul(4), self.cap)?;
        self.shapes.push(shape);
        self.model.graph.nodes.push(made);
        // One reader is this very definition, which `define` takes away again.
        self.readers.push(1);
        self.define(node, Known::Value(self.model.graph.output()))
    }

    /// An operator with one input and no attributes.
    fn unary(&mut self, node: &NodeProto<'a>, op: Op) -> Result<(), LoadError> {
        node.allow_attributes(&[])?;
        let input = self.value(node, 0)?;
        self.push(node, op, vec![input])
    }

    /// A node that passes its first input on.
    pub fn identity(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        let known = self.input(node, 0)?.ok_or_else(|| node.malformed("an input 0", "none"))?;
        self.define(node, known)
    }

    /// Dropout does nothing at inference.
    fn dropout(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["ratio", "seed"])?;
        // Since operator set 12, an optional flag asks for training.
        if node.inputs.get(2).is_some_and(|name| !name.is_empty()) {
            return Err(node.unsupported("the input training_mode", "inference"));
        }
        self.identity(node)
    }

    /// Softmax over the features of a vector.
    fn softmax(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis"])?;
        let input = self.value(node, 0)?;
        // The default was 1 before operator set 13, and is the last one since: the same for a vector.
        let axis = node.int("axis", if self.opset < 13 { 1 } else { -1 })?;
        if self.shape_of(input).len() != 1 || !matches!(axis, 1 | -1) {
            let feature = format!("axis {axis} of {:?}", self.shape_of(input));
            return Err(node.unsupported(feature, "the features of a vector"));
        }
        self.push(node, Op::Softmax, vec![input])
    }

    /// A constant in an attribute.
    fn constant_node(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["value", "value_int", "value_ints", "value_float", "value_floats"])?;
        let tensor = if let Some(tensor) = node.tensor("value")? {
            tensor
        } else if let Some(ints) = node.ints("value_ints")? {
            Tensor::of_ints(ints)
        } else if let Some(floats) = node.floats("value_floats")? {
            let length = floats.len() as i64;
            Tensor::of_floats(floats, vec![length])
        } else if node.has("value_int") {
            Tensor::of_ints(vec![node.int("value_int", 0)?])
        } else if node.has("value_float") {
            Tensor::of_floats(vec![node.float("value_float", 0.0)?], Vec::new())
        } else {
            return Err(node.malformed("a value", "none"));
        };
        let shape = tensor.shape()?;
        self.define(node, Known::Constant(Rc::new(tensor), shape))
    }

    /// How often a value is still to be read, under any of its names.
    pub fn reads_of(&self, id: ValueId) -> usize {
        self.readers[id.0]
    }

    /// Gives the input another shape of the same size, before anything has read it.
    pub fn reshape_input(&mut self, shape: Vec<usize>) {
        self.shapes[0].clone_from(&shape);
        self.model.graph.input_shape = shape;
    }

    /// Adds a parameter. Its name becomes `stem.index` if an earlier one has it: two layers may share one tensor in the
    /// file, and are separate here.
    pub fn parameter(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> Result<ParamId, LoadError> {
        if shape.contains(&0) {
            return Err(malformed(format!("tensor '{name}'"), "dimensions of at least 1", format!("{shape:?}")));
        }
        self.parameter_bytes = self.parameter_bytes.saturating_add(values.len().saturating_mul(4));
        check_cap("parameters", self.parameter_bytes, self.cap)?;
        let id = ParamId(self.model.parameters.len());
        let mut unique = name.to_owned();
        let mut index = id.0;
        while !self.parameter_names.insert(unique.clone()) {
            unique = format!("{name}.{index}");
            index += 1;
        }
        let count = values.len();
        let values = ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|_| {
            malformed(format!("tensor '{name}'"), &format!("values for the shape {shape:?}"), count.to_string())
        })?;
        self.model.parameters.push(Parameter { name: unique, values });
        self.parameter_shapes.push(shape.to_vec());
        Ok(id)
    }
}
