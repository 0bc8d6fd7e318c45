//! ONNX to a [`Model`]: names become values, and each node becomes an operator or several, or part of the one before it.
//!
//! Axis 0 is taken for the samples of a batch, which the model leaves out. Where a graph does something else with it, or its
//! inputs have no such axis, the whole tensors are one sample.

use super::schema::{GraphProto, InputProto, ModelProto, NodeProto, is_standard};
use super::tensor::{BOOL, DOUBLE, FLOAT, FLOAT16, Tensor};
use super::{FORMAT, malformed, unsupported};
use crate::error::LoadError;
use crate::model::{Binary, Function, Graph, Input, Model, Node, Op, ParamId, Parameter, ValueId};
use ndarray::{ArrayD, IxDyn};
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::rc::Rc;

/// The operator sets whose operators mean what is assumed here. Those read here have only got new types since 23, and
/// attributes that are refused.
const OPSETS: RangeInclusive<i64> = 6..=28;

const OPERATORS: &str = "Conv, Gemm, MatMul, BatchNormalization, InstanceNormalization, LayerNormalization, MaxPool, \
     AveragePool, GlobalAveragePool, ReduceMax, ReduceMean, ReduceMin, ReduceSum, Softmax, LogSoftmax, Add, Sub, Mul, Div, Pow, Min, Max, Sum, \
     PRelu, Equal, Where, functions of each element such as Relu, Sigmoid, Clip and Gelu, Reshape, Flatten, Squeeze, Unsqueeze, \
     Transpose, Slice, Split, Gather, Concat, Pad, Expand, QuantizeLinear, DequantizeLinear, Cast, Dropout, Identity, and \
     constant arithmetic";

/// The side of axis 0 where the number of samples is not known: a prime that no file has, so that it is found again in a
/// product.
const ANY_BATCH: usize = 1_048_583;

/// What the number of samples is among the integers of a shape. It can be moved, but not be calculated with.
pub(super) const BATCH: i64 = -(1 << 62);

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
    let mut axis_0_is_no_batch = false;
    let first = match import(&file, cap, true, &mut axis_0_is_no_batch) {
        Ok(model) => return Ok(model),
        Err(error) => error,
    };
    if !axis_0_is_no_batch {
        return Err(first);
    }
    import(&file, cap, false, &mut axis_0_is_no_batch)
}

/// Reads the graph, with axis 0 as the samples or as any other axis. `no_batch` is set if an error is due to the former.
fn import(file: &ModelProto, cap: u64, batched: bool, no_batch: &mut bool) -> Result<Model, LoadError> {
    let graph = &file.graph;
    if graph.outputs.is_empty() {
        return Err(unsupported("graph", "no output", "at least one output"));
    }
    let live = live_nodes(&graph.nodes, &graph.outputs);
    let mut known: HashMap<&str, Known> = HashMap::new();
    for tensor in &graph.initializers {
        let (name, shape) = (tensor.name, tensor.shape()?);
        if known.insert(name, Known::Constant(tensor.clone(), shape)).is_some() {
            return Err(malformed("graph", "initializers with different names", format!("'{name}' twice")));
        }
    }
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for &name in live.iter().flat_map(|node| &node.inputs).chain(&graph.outputs) {
        *uses.entry(name).or_default() += 1;
    }
    let inputs: Vec<&InputProto> = graph.inputs.iter().filter(|input| !known.contains_key(input.name)).collect();
    let mut importer = Importer {
        opset: file.opset,
        batched,
        batch: None,
        no_batch: false,
        shapes: Vec::new(),
        readers: Vec::new(),
        known,
        uses,
        model: Model {
            graph: Graph { input_name: String::new(), input_shape: Vec::new(), nodes: Vec::new() },
            parameters: Vec::new(),
        },
        parameter_values: HashMap::new(),
        parameter_shapes: Vec::new(),
        parameter_names: HashSet::new(),
        parameter_bytes: 0,
        folded_bytes: 0,
        emitted: 0,
        cap,
    };
    let imported = importer.run(graph, &inputs, &live);
    *no_batch = importer.no_batch;
    imported.and_then(|()| importer.finish())
}

/// Nodes that the outputs depend on, in order. Others, such as exporters leave behind, may be of any kind.
fn live_nodes<'f, 'a>(nodes: &'f [NodeProto<'a>], outputs: &[&'a str]) -> Vec<&'f NodeProto<'a>> {
    let mut needed: HashSet<&str> = outputs.iter().copied().collect();
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
    /// Whether axis 0 of the file is left out, as that of the samples.
    pub batched: bool,
    /// The batch that the file is made for, if it is fixed.
    pub batch: Option<usize>,
    /// Whether axis 0 has turned out to be no axis of samples.
    no_batch: bool,
    /// Shape of each value for one sample, indexed by [`ValueId`].
    pub shapes: Vec<Vec<usize>>,
    pub model: Model,
    known: HashMap<&'a str, Known<'a>>,
    /// How often each name is read, and whether it is an output.
    uses: HashMap<&'a str, usize>,
    /// How often each value will still be read under its names, indexed by [`ValueId`].
    readers: Vec<usize>,
    /// The value of each constant that has become a parameter, by its name and shape.
    parameter_values: HashMap<(&'a str, Vec<usize>), ValueId>,
    parameter_shapes: Vec<Vec<usize>>,
    parameter_names: HashSet<String>,
    parameter_bytes: usize,
    folded_bytes: usize,
    /// Operators that the present node has become so far.
    emitted: usize,
    cap: u64,
}

impl<'a> Importer<'a> {
    fn run(
        &mut self,
        graph: &GraphProto<'a>,
        inputs: &[&InputProto<'a>],
        live: &[&NodeProto<'a>],
    ) -> Result<(), LoadError> {
        self.inputs(inputs)?;
        for node in live {
            self.emitted = 0;
            self.import(node)?;
            // Masks, indices and statistics are not made here.
            let read = |name: &&&str| self.uses.contains_key(**name) && !self.known.contains_key(**name);
            if let Some(missing) = node.outputs.iter().find(read) {
                return Err(node.unsupported(format!("the output '{missing}'"), "the first output"));
            }
        }
        self.outputs(&graph.outputs)
    }

    /// The inputs' values. One with an axis of samples is the network's input; otherwise each is a part of that.
    fn inputs(&mut self, inputs: &[&InputProto<'a>]) -> Result<(), LoadError> {
        let Some(first) = inputs.first() else {
            return Err(unsupported("graph", "0 inputs", "at least one input"));
        };
        let mut shapes = Vec::new();
        for input in inputs {
            shapes.push(self.input_shape(input, first.dimensions.first().copied().flatten())?);
        }
        if self.batched {
            self.batch = first.dimensions.first().copied().flatten().and_then(|batch| usize::try_from(batch).ok());
        }
        let single = self.batched && inputs.len() == 1;
        let size = |shape: &Vec<usize>| shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        let mut total = 0usize;
        let mut starts = Vec::new();
        for (input, shape) in inputs.iter().zip(&shapes) {
            starts.push(total);
            let end = size(shape).and_then(|size| total.checked_add(size)).unwrap_or(usize::MAX);
            check_cap(&format!("input '{}'", input.name), end.saturating_mul(4), self.cap)?;
            total = end;
        }
        self.model.graph.input_name = first.name.to_owned();
        self.model.graph.input_shape = if inputs.len() == 1 { shapes[0].clone() } else { vec![total] };
        self.shapes.push(self.model.graph.input_shape.clone());
        self.readers.push(self.uses.get(first.name).copied().unwrap_or(0));
        if single {
            self.known.insert(first.name, Known::Value(ValueId(0)));
            return Ok(());
        }
        for ((input, shape), start) in inputs.iter().zip(shapes).zip(starts) {
            let op = Op::Input(Input { start, shape, batched: self.batched });
            let id = self.append(input.name.to_owned(), op, vec![ValueId(0)], &format!("input '{}'", input.name))?;
            self.readers[id.0] = self.uses.get(input.name).copied().unwrap_or(0);
            if self.known.insert(input.name, Known::Value(id)).is_some() {
                return Err(malformed("graph", "inputs with different names", format!("'{}' twice", input.name)));
            }
        }
        Ok(())
    }

    /// The shape of one sample of an input; of the whole input where axis 0 is as any other: then what is not known is 1.
    fn input_shape(&mut self, input: &InputProto, batch: Option<i64>) -> Result<Vec<usize>, LoadError> {
        let place = format!("input '{}'", input.name);
        if input.element != FLOAT {
            return Err(unsupported(place, format!("element type {}", input.element), "float (1)"));
        }
        let wrong = |supported: &str| unsupported(&place, format!("shape {:?}", input.dimensions), supported);
        let side = |side: &i64| usize::try_from(*side).ok().filter(|&side| side > 0);
        if !self.batched {
            let sides = input.dimensions.iter().map(|dimension| dimension.as_ref().map_or(Some(1), side));
            return sides.collect::<Option<_>>().ok_or_else(|| wrong("dimensions of at least 1"));
        }
        let sample = input.dimensions.split_first().filter(|(_, sample)| !sample.is_empty());
        let Some((_, sample)) = sample.filter(|(samples, _)| **samples == batch && batch.is_none_or(|batch| batch > 0))
        else {
            self.no_batch = true;
            return Err(wrong("a batch, the same for all inputs, and at least one dimension"));
        };
        let shape = sample.iter().map(|dimension| dimension.as_ref().and_then(side));
        let shape = shape.collect::<Option<_>>();
        self.no_batch |= shape.is_none() && sample.contains(&None);
        shape.ok_or_else(|| wrong("dimensions that are known, except for the batch"))
    }

    /// No default arm hides a gap here: an operator that is not listed is an error.
    fn import(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        if !is_standard(node.domain) {
            return Err(node.unsupported(format!("domain '{}'", node.domain), "the standard operators"));
        }
        if self.fold(node)? {
            return Ok(());
        }
        match node.op {
            "Conv" => self.conv(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.matmul(node),
            "BatchNormalization" => self.batch_normalization(node),
            "InstanceNormalization" => self.instance_normalization(node),
            "LayerNormalization" => self.layer_normalization(node),
            "GlobalAveragePool" => self.global_average_pool(node),
            "MaxPool" => self.max_pool(node),
            "AveragePool" => self.average_pool(node),
            "ReduceMax" | "ReduceMean" | "ReduceMin" | "ReduceSum" => self.reduce(node),
            "Softmax" | "LogSoftmax" => self.softmax(node),
            "Add" | "Sub" | "Mul" | "Div" | "Pow" | "PRelu" | "Equal" => self.binary(node),
            "Where" => self.choose(node),
            "Sum" | "Min" | "Max" => self.several(node),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Transpose" | "Slice" | "Gather" | "Pad" | "Expand" => {
                self.moved(node)
            }
            "Concat" => self.concat(node),
            "Split" => self.split(node),
            "Identity" => self.identity(node),
            "Dropout" => self.dropout(node),
            "Cast" => self.cast(node),
            "Shape" => self.shape(node),
            "QuantizeLinear" | "DequantizeLinear" => self.quantization(node),
            _ => self.unary(node, OPERATORS),
        }
    }

    /// Makes the outputs the last node's value.
    fn outputs(&mut self, names: &[&'a str]) -> Result<(), LoadError> {
        let mut values = Vec::new();
        for name in names {
            match self.known.get(name).cloned() {
                Some(Known::Value(id)) => values.push(id),
                Some(Known::Constant(tensor, shape)) => values.push(self.constant_value(tensor, shape, false)?),
                None => return Err(malformed("graph", "an output that a node makes", format!("'{name}'"))),
            }
        }
        let place = format!("output '{}'", names[0]);
        match values[..] {
            [id] if id == self.model.graph.output() && id.0 > 0 => Ok(()),
            [id] => {
                let same = Op::Reshape(self.shapes[id.0].clone());
                let graph = &self.model.graph;
                let maker = id.0.checked_sub(1).map_or(&graph.input_name, |index| &graph.nodes[index].name);
                self.append(format!("{maker}.output"), same, vec![id], &place).map(|_| ())
            }
            _ => self.append("outputs".to_owned(), Op::Outputs, values, &place).map(|_| ()),
        }
    }

    /// The finished model.
    fn finish(self) -> Result<Model, LoadError> {
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

    /// The error where a node does something with axis 0 that samples do not allow; the whole tensors are tried then.
    pub fn no_batch(&mut self, node: &NodeProto<'a>, feature: impl Into<String>) -> LoadError {
        self.no_batch |= self.batched;
        node.unsupported(feature, "operators that leave the samples of a batch apart")
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

    /// Input `index`, which has to be there.
    pub fn required(&self, node: &NodeProto<'a>, index: usize) -> Result<Known<'a>, LoadError> {
        self.input(node, index)?.ok_or_else(|| node.malformed(&format!("an input {index}"), "none"))
    }

    /// Input `index` as a value. A constant has no axis of samples: it becomes one where values have none either.
    pub fn value(&mut self, node: &NodeProto<'a>, index: usize) -> Result<ValueId, LoadError> {
        match self.required(node, index)? {
            Known::Constant(..) if self.batched => Err(self.no_batch(node, format!("a constant as input {index}"))),
            _ => self.any_value(node, index),
        }
    }

    /// Input `index` as a value; a constant becomes a parameter.
    pub fn any_value(&mut self, node: &NodeProto<'a>, index: usize) -> Result<ValueId, LoadError> {
        match self.required(node, index)? {
            Known::Value(id) => Ok(id),
            Known::Constant(tensor, shape) => self.constant_value(tensor, shape, false),
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

    /// A constant as a value. `compact` leaves sides of 1 out of the parameter, and puts them back by another shape: what
    /// is broadcast over channels is then a vector, as biases are.
    pub fn constant_value(
        &mut self,
        tensor: Rc<Tensor<'a>>,
        shape: Vec<usize>,
        compact: bool,
    ) -> Result<ValueId, LoadError> {
        let key = (tensor.name, shape);
        if let Some(&id) = self.parameter_values.get(&key).filter(|_| !tensor.name.is_empty()) {
            return Ok(id);
        }
        let (_, shape) = &key;
        let stored: Vec<usize> = shape.iter().copied().filter(|&side| !compact || side != 1).collect();
        let values = tensor.numbers()?.into_iter().map(|number| number as f32).collect();
        let name = if tensor.name.is_empty() { "constant" } else { tensor.name };
        let parameter = self.parameter(name, &stored, values)?;
        let name = self.model.parameters[parameter.0].name.clone();
        let mut id = self.append(name.clone(), Op::Parameter(parameter), Vec::new(), &name)?;
        if stored != *shape {
            id = self.append(format!("{name}.shape"), Op::Reshape(shape.clone()), vec![id], &name)?;
        }
        self.parameter_values.insert(key, id);
        Ok(id)
    }

    /// Shape of a value for one sample.
    pub fn shape_of(&self, id: ValueId) -> &[usize] {
        &self.shapes[id.0]
    }

    /// Shape of a value as the file has it.
    pub fn whole_shape(&self, id: ValueId) -> Vec<usize> {
        let batch = self.batched.then(|| self.batch_side());
        batch.into_iter().chain(self.shape_of(id).iter().copied()).collect()
    }

    /// The side of axis 0, if that is left out.
    pub fn batch_side(&self) -> usize {
        self.batch.unwrap_or(ANY_BATCH)
    }

    /// An axis as the file counts it, to one of a value with so many.
    pub fn axis(&self, node: &NodeProto<'a>, axis: i64, rank: usize) -> Result<usize, LoadError> {
        let counted = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
        let axis_of = usize::try_from(counted).ok().filter(|&axis| axis < rank);
        axis_of.ok_or_else(|| node.malformed(&format!("an axis of {rank}"), axis.to_string()))
    }

    /// Gives an output of a node its meaning.
    pub fn define_at(&mut self, node: &NodeProto<'a>, index: usize, known: Known<'a>) -> Result<(), LoadError> {
        let Some(&name) = node.outputs.get(index) else { return Err(node.malformed("an output", "none")) };
        if let Known::Value(id) = known {
            // The name that this node read is replaced by the one that it makes.
            self.readers[id.0] = self.readers[id.0].saturating_sub(1) + self.uses.get(name).copied().unwrap_or(0);
        }
        if self.known.insert(name, known).is_some() {
            return Err(node.malformed("outputs with names of their own", format!("'{name}' again")));
        }
        Ok(())
    }

    /// Gives the first output of a node its meaning.
    pub fn define(&mut self, node: &NodeProto<'a>, known: Known<'a>) -> Result<(), LoadError> {
        self.define_at(node, 0, known)
    }

    /// Appends an operator that is one of several for a node.
    pub fn emit(&mut self, node: &NodeProto<'a>, op: Op, inputs: Vec<ValueId>) -> Result<ValueId, LoadError> {
        let label = node.label();
        let name = if self.emitted == 0 { label.to_owned() } else { format!("{label}.{}", self.emitted) };
        self.emitted += 1;
        self.append(name, op, inputs, &node.place())
    }

    /// Appends an operator, and gives its value to the node's first output.
    pub fn push(&mut self, node: &NodeProto<'a>, op: Op, inputs: Vec<ValueId>) -> Result<(), LoadError> {
        let id = self.emit(node, op, inputs)?;
        self.define(node, Known::Value(id))
    }

    fn append(&mut self, name: String, op: Op, inputs: Vec<ValueId>, place: &str) -> Result<ValueId, LoadError> {
        let op = match op {
            // What flattens a sample is one operator, whatever the file has for it.
            Op::Reshape(shape) if self.batched && shape.len() == 1 => Op::Flatten,
            other => other,
        };
        let made = Node { name, op, inputs };
        let shapes: Vec<&[usize]> = made.inputs.iter().map(|id| self.shape_of(*id)).collect();
        let shape = made.output_shape(&shapes, &self.parameter_shapes)?;
        check_cap(place, shape.iter().product::<usize>().saturating_mul(4), self.cap)?;
        self.shapes.push(shape);
        self.model.graph.nodes.push(made);
        // One reader is the next operator of the node, or the definition of its output, which takes it away again.
        self.readers.push(1);
        Ok(self.model.graph.output())
    }

    /// A node that passes its first input on.
    pub fn identity(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        let known = self.required(node, 0)?;
        self.define(node, known)
    }

    /// Dropout does nothing at inference.
    fn dropout(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["ratio", "seed", "is_test"])?;
        // Since operator set 12, an optional flag asks for training.
        if let Some((tensor, _)) = self.constant(node, 2)?
            && tensor.numbers()?.iter().any(|&training| training != 0.0)
        {
            return Err(node.unsupported("the input training_mode", "inference"));
        }
        self.identity(node)
    }

    /// A conversion of a value, which has 32 bits here where the file has 16 or 64.
    fn cast(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["to", "saturate"])?;
        let to = node.int("to", 0)?;
        let truth = match self.required(node, 0)? {
            Known::Value(id) => to == BOOL && self.is_truth(id),
            Known::Constant(..) => false,
        };
        if !truth && !matches!(to, FLOAT | FLOAT16 | DOUBLE) {
            let supported = "to float (1), float16 (10) and double (11)";
            return Err(node.unsupported(format!("a conversion of a value to type {to}"), supported));
        }
        self.identity(node)
    }

    /// Whether a value is 0 or 1, as the truths of a comparison are here.
    fn is_truth(&self, mut id: ValueId) -> bool {
        while let Some(index) = id.0.checked_sub(1) {
            let node = &self.model.graph.nodes[index];
            match &node.op {
                Op::Binary(Binary::Equal) => return true,
                Op::Unary(unary) => return unary.function == Function::Equals,
                Op::Reshape(_) | Op::Flatten | Op::Transpose(_) | Op::Slice(_) | Op::Gather(_) | Op::Expand(_) => {
                    id = node.inputs[0];
                }
                _ => return false,
            }
        }
        false
    }

    /// How often a value is still to be read, under any of its names.
    pub fn reads_of(&self, id: ValueId) -> usize {
        self.readers[id.0]
    }

    /// Counts bytes of constants that were computed against the cap.
    pub fn count_folded(&mut self, numbers: usize) -> Result<(), LoadError> {
        self.folded_bytes = self.folded_bytes.saturating_add(numbers.saturating_mul(8));
        check_cap("computed constants", self.folded_bytes, self.cap)
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
