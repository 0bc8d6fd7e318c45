//! A file's graph to a [`Model`]: names become values, and each node becomes an operator or several, or part of the one before it.
//!
//! Axis 0 is taken for the samples of a batch, which the model leaves out. Where a graph does something else with it, or its
//! inputs have no such axis, the whole tensors are one sample.

use super::graph::{Graph, Input, Node};
use super::labels::scores;
use super::tensor::{Tensor, is_float, range, type_name};
use super::tie::tie;
use crate::error::LoadError;
use crate::formats::cursor::{malformed, unsupported};
use crate::model::{self, Model, Op, ValueId};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::rc::Rc;

/// The operator sets whose operators mean what is assumed here. Those read here have only got new types since 23, and
/// attributes that are refused.
const OPSETS: RangeInclusive<i64> = 6..=28;

/// What the number of samples is among the integers of a shape. It can be moved, but not be calculated with.
pub(super) const BATCH: i64 = -(1 << 62);

/// The model that a graph is. Names of nodes and parameters are kept; parameters come in the order in which they are used.
/// `cap` is the most bytes that the parameters, or one value for one sample, may take.
///
/// # Errors
/// [`LoadError`] names the tensor or node that breaks a rule or is not supported.
pub fn model(graph: &Graph, cap: u64) -> Result<Model, LoadError> {
    check_opset(graph.format, graph.opset)?;
    let mut axis_0_is_no_batch = false;
    match import(graph, cap, true, &mut axis_0_is_no_batch) {
        Err(_) if axis_0_is_no_batch => import(graph, cap, false, &mut axis_0_is_no_batch),
        imported => imported,
    }
}

fn check_opset(format: &'static str, opset: i64) -> Result<i64, LoadError> {
    if OPSETS.contains(&opset) {
        return Ok(opset);
    }
    let supported = format!("{} to {}", OPSETS.start(), OPSETS.end());
    Err(unsupported(format, "model", format!("operator set {opset}"), supported))
}

/// Imports the graph, with axis 0 as the samples or as any other axis. `no_batch` is set if an error is due to the former.
fn import<'a>(graph: &'a Graph<'a>, cap: u64, batched: bool, no_batch: &mut bool) -> Result<Model, LoadError> {
    let format = graph.format;
    if graph.outputs.is_empty() {
        return Err(unsupported(format, "graph", "no output", "at least one output"));
    }
    let outputs = scores(graph);
    let live = live_nodes(graph, &outputs);
    let mut known: HashMap<&str, Known> = HashMap::new();
    for tensor in &graph.constants {
        let constant = Known::Constant(tensor.clone(), tensor.shape.clone());
        if known.insert(&tensor.name, constant).is_some() {
            let got = format!("'{}' twice", tensor.name);
            return Err(malformed(format, "graph", "initializers with different names", got));
        }
    }
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for name in live.iter().flat_map(|node| &node.inputs).chain(outputs.iter().copied()) {
        *uses.entry(name).or_default() += 1;
    }
    let inputs: Vec<&Input> = graph.inputs.iter().filter(|input| !known.contains_key(&*input.name)).collect();
    let mut importer = Importer { format, opset: graph.opset, batched, known, uses, cap, ..Importer::default() };
    let imported = importer.run(graph, &inputs, &live, &outputs);
    *no_batch = importer.no_batch;
    imported.and_then(|()| importer.finish())
}

/// Nodes that the outputs depend on, in order. Others, such as exporters leave behind, may be of any kind.
fn live_nodes<'a>(graph: &'a Graph<'a>, outputs: &[&'a Cow<'a, str>]) -> Vec<&'a Node<'a>> {
    let mut needed: HashSet<&str> = outputs.iter().map(|name| &***name).collect();
    let mut live = Vec::new();
    for node in graph.nodes.iter().rev() {
        if node.outputs.iter().any(|name| needed.contains(&**name)) {
            needed.extend(node.inputs.iter().map(|name| &**name));
            live.push(node);
        }
    }
    live.reverse();
    live
}

/// A constant, and its shape; a Reshape may have given it another one than it is stored with.
pub(super) type Constant<'a> = (Rc<Tensor<'a>>, Vec<usize>);

/// A constant that has become a value.
pub(super) type Brought<'a> = (Rc<Tensor<'a>>, ValueId);

/// What a name in the file stands for.
#[derive(Debug, Clone)]
pub(super) enum Known<'a> {
    /// Something that depends on the input.
    Value(ValueId),
    /// Something that does not.
    Constant(Rc<Tensor<'a>>, Vec<usize>),
}

/// Names of operators, and what reads a node of one of them.
pub type Readers = &'static [(&'static [&'static str], Read)];

/// Reads a node.
pub type Read = for<'a> fn(&mut Importer<'a>, &'a Node<'a>) -> Result<(), LoadError>;

/// The model so far.
#[derive(Default)]
pub(super) struct Importer<'a> {
    /// The format of the file, for errors.
    pub format: &'static str,
    /// Version of the operator set.
    pub opset: i64,
    /// Whether axis 0 of the file is left out, as that of the samples.
    pub batched: bool,
    /// The batch that the file is made for, if it is fixed.
    pub batch: Option<usize>,
    /// Whether axis 0 has turned out to be no axis of samples.
    pub(super) no_batch: bool,
    /// Shape of each value for one sample, indexed by [`ValueId`].
    pub shapes: Vec<Vec<usize>>,
    /// Which axis of the file is that of the samples, of each value.
    pub(super) batch_axes: Vec<usize>,
    pub model: Model,
    pub(super) known: HashMap<&'a str, Known<'a>>,
    /// How often each name is read, and whether it is an output.
    pub(super) uses: HashMap<&'a str, usize>,
    /// The names of values that are integers in the file, with their types.
    pub(super) integers: HashMap<&'a str, i64>,
    /// How often each value will still be read under its names, indexed by [`ValueId`].
    pub(super) readers: Vec<usize>,
    /// The value of each constant that has become a parameter, by its name and shape.
    pub(super) parameter_values: HashMap<(Cow<'a, str>, Vec<usize>), Brought<'a>>,
    pub(super) parameter_shapes: Vec<Vec<usize>>,
    pub(super) parameter_names: HashSet<String>,
    /// The tensor of the file that each parameter is made of, and each constant that was computed.
    pub(super) parameter_roots: Vec<String>,
    pub(super) roots: HashMap<String, String>,
    pub(super) parameter_bytes: usize,
    pub(super) folded_bytes: usize,
    /// Operators that the present node has become so far.
    pub(super) emitted: usize,
    pub(super) cap: u64,
}

impl<'a> Importer<'a> {
    fn run(
        &mut self,
        graph: &'a Graph<'a>,
        inputs: &[&'a Input<'a>],
        live: &[&'a Node<'a>],
        outputs: &[&'a Cow<'a, str>],
    ) -> Result<(), LoadError> {
        self.inputs(inputs)?;
        for node in live {
            self.emitted = 0;
            self.opset = if node.opset == 0 { graph.opset } else { check_opset(graph.format, node.opset)? };
            let made = self.integers_of(node)?;
            self.check_batch_axes(node)?;
            self.import(node)?;
            if let Some(kind) = made {
                self.integers.extend(node.outputs.iter().map(|name| (&**name, kind)));
            }
            // Masks, indices and statistics are not made here.
            let read = |name: &str| self.uses.contains_key(name) && !self.known.contains_key(name);
            if let Some(missing) = node.outputs.iter().find(|name| read(name)) {
                return Err(node.unsupported(format!("the output '{missing}'"), "the first output"));
            }
        }
        self.outputs(outputs)
    }

    /// The inputs' values. One with an axis of samples is the network's input; otherwise each is a part of that.
    fn inputs(&mut self, inputs: &[&'a Input<'a>]) -> Result<(), LoadError> {
        let Some(first) = inputs.first() else {
            return Err(unsupported(self.format, "graph", "0 inputs", "at least one input"));
        };
        let mut shapes = Vec::new();
        for input in inputs {
            if !is_float(input.kind) {
                self.integers.insert(&input.name, input.kind);
            }
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
            self.check_cap(&format!("input '{}'", input.name), end.saturating_mul(4))?;
            total = end;
        }
        self.model.graph.input_name = first.name.clone().into_owned();
        self.model.graph.input_shape = if inputs.len() == 1 { shapes[0].clone() } else { vec![total] };
        self.shapes.push(self.model.graph.input_shape.clone());
        self.batch_axes.push(0);
        self.readers.push(self.uses.get(&*first.name).copied().unwrap_or(0));
        if single {
            self.known.insert(&first.name, Known::Value(ValueId(0)));
            return Ok(());
        }
        for ((input, shape), start) in inputs.iter().zip(shapes).zip(starts) {
            let op = Op::Input(model::Input { start, shape, batched: self.batched });
            let place = format!("input '{}'", input.name);
            let id = self.append(input.name.clone().into_owned(), op, vec![ValueId(0)], &place)?;
            self.readers[id.0] = self.uses.get(&*input.name).copied().unwrap_or(0);
            if self.known.insert(&input.name, Known::Value(id)).is_some() {
                let got = format!("'{}' twice", input.name);
                return Err(malformed(self.format, "graph", "inputs with different names", got));
            }
        }
        Ok(())
    }

    /// The shape of one sample of an input; of the whole input where axis 0 is as any other: then it is 1 if it is not known.
    fn input_shape(&mut self, input: &Input, batch: Option<i64>) -> Result<Vec<usize>, LoadError> {
        let place = format!("input '{}'", input.name);
        let format = self.format;
        if range(input.kind).is_none() {
            let feature = format!("numbers of the type {}", type_name(input.kind));
            return Err(unsupported(format, place, feature, "floats of 16 to 64 bits, and integers"));
        }
        let free: Vec<String> = (1..input.dimensions.len())
            .filter(|&axis| input.dimensions[axis].is_none())
            .map(|axis| axis.to_string())
            .collect();
        if !free.is_empty() || input.unranked {
            let axes = if free.is_empty() { "all".to_owned() } else { free.join(", ") };
            let feature = format!("an input whose sizes are not all known (axes: {axes})");
            let supported = "a batch of any size only: --input-shape with the shape of one sample, or samples (--data) of that shape, \
                             give the others";
            return Err(unsupported(format, place, feature, supported));
        }
        let wrong = |supported: &str| unsupported(format, &place, format!("shape {:?}", input.dimensions), supported);
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
        shape.collect::<Option<_>>().ok_or_else(|| wrong("dimensions that are known, except for the batch"))
    }

    /// Makes the outputs the last node's value.
    fn outputs(&mut self, names: &[&'a Cow<'a, str>]) -> Result<(), LoadError> {
        let mut values = Vec::new();
        for name in names {
            match self.known.get(&***name).cloned() {
                Some(Known::Value(id)) => values.push(id),
                Some(Known::Constant(tensor, shape)) => values.push(self.constant_value(tensor, shape, false)?),
                None => {
                    let got = format!("'{name}'");
                    return Err(malformed(self.format, "graph", "an output that a node makes", got));
                }
            }
        }
        // What is made up is no name of the file's.
        if names.iter().any(|name| **name != *"output") {
            self.model.graph.output_names = names.iter().map(|name| name.to_string()).collect();
        }
        let place = format!("output '{}'", names[0]);
        if values.iter().any(|id: &ValueId| self.batch_axes[id.0] > 0) {
            self.no_batch = true;
            return Err(unsupported(self.format, place, "samples along another axis than the first", "the first"));
        }
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
    fn finish(mut self) -> Result<Model, LoadError> {
        for parameter in &self.model.parameters {
            // Folding can overflow even where every factor is finite.
            if let Some(value) = parameter.values.iter().find(|value| !value.is_finite()) {
                let place = format!("tensor '{}'", parameter.name);
                return Err(malformed(self.format, place, "finite numbers once factors are folded in", value));
            }
        }
        self.model.shapes()?;
        tie(&mut self.model, &self.parameter_roots, self.batched);
        Ok(self.model)
    }
}
