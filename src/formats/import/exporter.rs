//! A [`Model`] to a file's graph: the way back. Each operator is written beside where it is read (`layers.rs` and the files beside it); here
//! are the names, the samples' axis, and the operators that take several nodes.

use super::graph::{Attribute, Graph, Input, Node};
use super::operators::written;
use super::tensor::{BOOL, FLOAT, INT64, Numbers, Tensor};
use super::written::{Attributes, Context, Written};
use crate::error::GraphError;
use crate::formats::collect::unique;
use crate::model::{self, Binary, Cell, Class, Function, Linear, Model, Op, ParamId, Recurrent, ValueId};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The graph of a model, and its outputs. It has the model's names; one that is taken gets a number behind it, since values and
/// parameters have one space of names there. Where there are samples, axis 0 of its values has no known side. The operator set is 13, or
/// as much newer as the model's operators need.
///
/// # Errors
/// [`GraphError`] if the model's shapes do not fit, or a file has no operator for a node's: a window over an image with axes
/// before it, or samples beside what has none.
pub fn graph(model: &Model) -> Result<(Graph<'static>, Vec<Input<'static>>), GraphError> {
    let shapes = model.shapes()?;
    let needed = |node| written(&Context { node, model, shapes: &shapes, opset: 0, lead: 1 }).map(|node| node.opset);
    let opset = model.graph.nodes.iter().filter_map(needed).max().unwrap_or(0).max(13);
    let mut taken = HashSet::new();
    let graph = &model.graph;
    let mut inputs = graph.input_names().into_iter().map(|name| unique(&mut taken, name, "input")).collect::<Vec<_>>();
    inputs.reverse();
    // Names that outputs are to have, by their values; one that has a name already gets another by a node that does nothing.
    let usual = if let Some(Op::Outputs) = graph.nodes.last().map(|node| &node.op) { None } else { Some("output") };
    let names = graph.output_names.iter().map(String::as_str).chain(usual.filter(|_| graph.output_names.is_empty()));
    let mut named = |(id, name): (ValueId, &str)| {
        // A constant that is an output has its own name.
        let constant = match id.0.checked_sub(1).map(|index| &graph.nodes[index].op) {
            Some(Op::Parameter(id)) => model.parameters[id.0].name == name,
            _ => false,
        };
        (id, if constant { name.to_owned() } else { unique(&mut taken, name, "output") })
    };
    let outputs = graph.outputs().into_iter().zip(names).map(&mut named).collect();
    let parameters: Vec<String> =
        model.parameters.iter().map(|parameter| unique(&mut taken, &parameter.name, "parameter")).collect();
    let mut exporter = Exporter {
        model,
        shapes: &shapes,
        graph: Graph { opset, ..Graph::default() },
        inputs: Vec::new(),
        taken,
        node_names: HashSet::new(),
        values: vec![inputs.last().cloned().unwrap_or_default()],
        input_names: inputs,
        outputs,
        batched: vec![true],
        parameters,
        written: HashMap::new(),
        integers: model.graph.integers(false),
        weighs: weighs(model),
    };
    for (index, node) in model.graph.nodes.iter().enumerate() {
        exporter.node(index, node)?;
    }
    Ok(exporter.finish())
}

/// The graph so far.
struct Exporter<'a> {
    model: &'a Model,
    shapes: &'a [Vec<usize>],
    graph: Graph<'static>,
    /// The inputs, if the graph has nodes for them.
    inputs: Vec<usize>,
    taken: HashSet<String>,
    node_names: HashSet<String>,
    /// Name of each value.
    values: Vec<String>,
    /// Names of the inputs that are still to come, the last first.
    input_names: Vec<String>,
    /// Names of the outputs, by their values.
    outputs: Vec<(ValueId, String)>,
    /// Whether each value has an axis of samples before its shape.
    batched: Vec<bool>,
    /// Name of each parameter.
    parameters: Vec<String>,
    /// Names of the parameters that were written, as they are or turned.
    written: HashMap<(ParamId, bool), String>,
    /// Which values are integers.
    integers: Vec<bool>,
    /// Which values are those of a layer that is part of the recurrent one behind it.
    weighs: Vec<bool>,
}

/// For each value whether it is what a linear layer makes for recurrent ones, and nothing else reads it.
fn weighs(model: &Model) -> Vec<bool> {
    let mut weighs = vec![false];
    weighs.extend(model.graph.nodes.iter().map(|node| matches!(node.op, Op::Linear(_))));
    for node in &model.graph.nodes {
        let recurrent = matches!(node.op, Op::Recurrent(_));
        node.inputs.iter().for_each(|input| weighs[input.0] &= recurrent);
    }
    if let Some(last) = weighs.last_mut() {
        *last = false;
    }
    weighs
}

impl Exporter<'_> {
    fn node(&mut self, index: usize, node: &model::Node) -> Result<(), GraphError> {
        let value = index + 1;
        let batched = match &node.op {
            Op::Input(input) => input.batched,
            _ => node.inputs.iter().any(|input| self.batched[input.0]),
        };
        self.batched.push(batched);
        match &node.op {
            Op::Input(_) => {
                self.values.push(self.input_names.pop().unwrap_or_default());
                self.inputs.push(value);
                return Ok(());
            }
            Op::Parameter(id) => {
                let name = self.parameter(*id, false);
                self.values.push(name);
                return Ok(());
            }
            Op::Outputs => {
                self.values.push(String::new());
                return Ok(());
            }
            Op::Linear(_) if self.weighs[value] => {
                self.values.push(self.values[node.inputs[0].0].clone());
                return Ok(());
            }
            _ => {}
        }
        self.check(node, batched)?;
        let name = unique(&mut self.node_names, &node.name, node.op.name());
        let named = self.outputs.iter().find(|(id, _)| id.0 == value).map(|(_, name)| name.clone());
        let output = named.unwrap_or_else(|| unique(&mut self.taken, &format!("{name}_output"), "value"));
        let mut inputs: Vec<String> = node.inputs.iter().map(|input| self.values[input.0].clone()).collect();
        self.values.push(output.clone());
        match &node.op {
            // Gemm has matrices only; a product of more axes has no bias.
            Op::Linear(linear) if self.rank(node.inputs[0].0) != 2 => {
                inputs.push(self.parameter(linear.weight, true));
                let Some(bias) = linear.bias else {
                    self.push("MatMul", name, inputs, Vec::new(), output);
                    return Ok(());
                };
                let product = unique(&mut self.taken, &format!("{name}_product"), "value");
                self.push("MatMul", name.clone(), inputs, Vec::new(), product.clone());
                let name = unique(&mut self.node_names, &format!("{name}.bias"), "Add");
                let bias = self.parameter(bias, false);
                self.push("Add", name, vec![product, bias], Vec::new(), output);
                return Ok(());
            }
            Op::Lookup(table) => {
                let places = std::mem::take(&mut inputs[0]);
                let known = self.integers[node.inputs[0].0];
                let places = if known { places } else { self.cast(&places, &name, INT64, None) };
                let inputs = vec![self.parameter(*table, true), places];
                self.push("Gather", name, inputs, vec![("axis", Attribute::Int(0))], output);
                return Ok(());
            }
            Op::Recurrent(recurrent) => {
                let made = node.inputs[0].0.checked_sub(1).filter(|_| self.weighs[node.inputs[0].0]);
                let Some(Op::Linear(linear)) = made.map(|made| &self.model.graph.nodes[made].op) else {
                    return Err(node.fault("input in a file", "that of a layer which nothing else reads", "another"));
                };
                let x = std::mem::take(&mut inputs[0]);
                self.recurrent(recurrent, linear, x, batched, &name, output);
                return Ok(());
            }
            // Truths are 0 and 1 here, and a type of their own there.
            Op::Binary(binary @ (Binary::Mask | Binary::MaskNot)) => {
                let truth = self.cast(&inputs[0], &name, BOOL, None);
                let zero = self.constant(&name, "zero", FLOAT, Vec::new(), Numbers::Floats(vec![0.0]));
                let operand = inputs.swap_remove(1);
                let choices = if *binary == Binary::Mask { [operand, zero] } else { [zero, operand] };
                self.push("Where", name, [vec![truth], choices.into()].concat(), Vec::new(), output);
                return Ok(());
            }
            _ => {}
        }
        let layer = node.op.layer();
        for id in layer.into_iter().flat_map(|(weight, bias)| [Some(weight), bias]).flatten() {
            inputs.push(self.parameter(id, false));
        }
        let (shapes, opset, lead) = (self.shapes, self.graph.opset, usize::from(batched));
        let written = written(&Context { node, model: self.model, shapes, opset, lead });
        let Written { op, attributes, constants, .. } =
            written.ok_or_else(|| node.fault("operator in a file", "one that files have", node.op.name()))?;
        for constant in constants {
            inputs.push(match constant {
                Some((what, kind, shape, numbers)) => self.constant(&name, what, kind, shape, numbers),
                None => String::new(),
            });
        }
        if matches!(&node.op, Op::Binary(Binary::Equal))
            || matches!(&node.op, Op::Unary(unary) if unary.function == Function::Equals)
        {
            let truths = unique(&mut self.taken, &format!("{name}_truths"), "value");
            self.push(op, name.clone(), inputs, attributes, truths.clone());
            self.cast(&truths, &name, FLOAT, Some(output));
            return Ok(());
        }
        self.push(op, name, inputs, attributes, output);
        Ok(())
    }

    /// A recurrent layer together with the one before it, from `[samples, steps, in]` or `[steps, in]`.
    fn recurrent(
        &mut self,
        recurrent: &Recurrent,
        linear: &Linear,
        x: String,
        batched: bool,
        name: &str,
        output: String,
    ) {
        let swapped = || vec![("perm", Attribute::Ints(vec![1, 0, 2]))];
        let x = match batched {
            true => self.step("Transpose", name, vec![x], swapped(), None, None),
            false => self.step("Unsqueeze", name, vec![x], Vec::new(), Some(&[1]), None),
        };
        let mut inputs = vec![x];
        for id in [linear.weight, recurrent.weight] {
            let weight = self.parameter(id, false);
            inputs.push(self.step("Unsqueeze", name, vec![weight], Vec::new(), Some(&[0]), None));
        }
        let biases = [linear.bias, recurrent.bias];
        if biases != [None, None] {
            let rows = self.model.values(recurrent.weight).shape()[0];
            let biases = biases.map(|bias| match bias {
                Some(bias) => self.parameter(bias, false),
                None => self.constant(name, "zeros", FLOAT, vec![rows], Numbers::Floats(vec![0.0; rows])),
            });
            let both = self.step("Concat", name, biases.into(), vec![("axis", Attribute::Int(0))], None, None);
            inputs.push(self.step("Unsqueeze", name, vec![both], Vec::new(), Some(&[0]), None));
        }
        let hidden = self.model.values(recurrent.weight).shape()[1];
        let mut attributes = vec![("hidden_size", Attribute::Int(hidden as i64))];
        if recurrent.reverse {
            attributes.push(("direction", Attribute::Text(b"reverse")));
        }
        if recurrent.cell == Cell::GruReset {
            attributes.push(("linear_before_reset", Attribute::Int(1)));
        }
        let all = unique(&mut self.taken, &format!("{name}_steps"), "value");
        self.push(recurrent.cell.into(), name.to_owned(), inputs, attributes, all.clone());
        if batched {
            let steps = self.step("Squeeze", name, vec![all], Vec::new(), Some(&[1]), None);
            self.step("Transpose", name, vec![steps], swapped(), None, Some(output));
        } else {
            self.step("Squeeze", name, vec![all], Vec::new(), Some(&[1, 2]), Some(output));
        }
    }

    /// Appends a node that is one of several for one of the model's, maybe with axes as its last input, and gives the name of what it makes.
    fn step(
        &mut self,
        op: &'static str,
        name: &str,
        mut inputs: Vec<String>,
        attributes: Attributes,
        axes: Option<&[i64]>,
        output: Option<String>,
    ) -> String {
        if let Some(axes) = axes {
            inputs.push(self.constant(name, "axes", INT64, vec![axes.len()], Numbers::Ints(axes.to_vec())));
        }
        let node = unique(&mut self.node_names, &format!("{name}.{op}"), op);
        let output = output.unwrap_or_else(|| unique(&mut self.taken, &format!("{node}_output"), "value"));
        self.push(op, node, inputs, attributes, output.clone());
        output
    }

    fn push(&mut self, op: &'static str, name: String, inputs: Vec<String>, attributes: Attributes, output: String) {
        let inputs = inputs.into_iter().map(Into::into).collect();
        let outputs = vec![output.into()];
        self.graph.nodes.push(Node { op, name: name.into(), inputs, outputs, attributes, ..Node::default() });
    }

    /// Appends a conversion of a value, and gives the name of what it makes.
    fn cast(&mut self, value: &str, name: &str, kind: i64, output: Option<String>) -> String {
        let node = unique(&mut self.node_names, &format!("{name}_cast"), "Cast");
        let output = output.unwrap_or_else(|| unique(&mut self.taken, &format!("{node}_output"), "value"));
        self.push("Cast", node, vec![value.to_owned()], vec![("to", Attribute::Int(kind))], output.clone());
        output
    }

    /// Adds a constant of a node, and gives its name.
    fn constant(&mut self, node: &str, what: &str, kind: i64, shape: Vec<usize>, numbers: Numbers<'static>) -> String {
        let name = unique(&mut self.taken, &format!("{node}_{what}"), "constant");
        self.add(name, kind, shape, numbers)
    }

    fn add(&mut self, name: String, kind: i64, shape: Vec<usize>, numbers: Numbers<'static>) -> String {
        self.graph.constants.push(Rc::new(Tensor { format: "", name: name.clone().into(), kind, shape, numbers }));
        name
    }

    /// Number of axes that a value has in the file.
    fn rank(&self, value: usize) -> usize {
        self.shapes[value].len() + usize::from(self.batched[value])
    }

    /// Proves that a file means the same by a node's operator on the values as they are in it.
    fn check(&self, node: &model::Node, batched: bool) -> Result<(), GraphError> {
        let ranks: Vec<usize> = node.inputs.iter().map(|input| self.rank(input.0)).collect();
        let sound = match (&node.op, node.op.class()) {
            (Op::Conv(_), _) | (_, Class::Pool) => ranks == [4],
            // With an axis of samples, the other axes have to be aligned behind it.
            (Op::MatMul, _) | (_, Class::Broadcast) => {
                let most = ranks.iter().max().copied().unwrap_or(0);
                let aligned = |input: &ValueId| {
                    if self.batched[input.0] { self.rank(input.0) == most } else { self.rank(input.0) < most }
                };
                !batched || node.inputs.iter().all(aligned)
            }
            (Op::Concat(_), _) => node.inputs.iter().all(|input| self.batched[input.0] == batched),
            _ => true,
        };
        if sound {
            return Ok(());
        }
        let expected = "an image of four dimensions with the batch, or operands with the batch in the same place";
        Err(node.fault("operands in an ONNX file", expected, format!("{ranks:?} dimensions")))
    }

    /// Adds a parameter, or its transpose, and gives its name.
    fn parameter(&mut self, id: ParamId, transposed: bool) -> String {
        if let Some(name) = self.written.get(&(id, transposed)) {
            return name.clone();
        }
        let plain = self.parameters[id.0].clone();
        let other = self.written.contains_key(&(id, !transposed));
        let name = if other { unique(&mut self.taken, &plain, "parameter") } else { plain };
        let values = self.model.values(id).view();
        let values = if transposed { values.reversed_axes() } else { values };
        let numbers = Numbers::Floats(values.iter().copied().collect());
        self.written.insert((id, transposed), name.clone());
        self.add(name, FLOAT, values.shape().to_vec(), numbers)
    }

    /// A value as an input or output.
    fn described(&self, value: usize) -> Input<'static> {
        let sides = self.shapes[value].iter().map(|&side| Some(side as i64));
        let dimensions = self.batched[value].then_some(None).into_iter().chain(sides).collect();
        let kind = if self.integers[value] { INT64 } else { FLOAT };
        Input { name: self.values[value].clone().into(), kind, dimensions, unranked: false }
    }

    fn finish(mut self) -> (Graph<'static>, Vec<Input<'static>>) {
        // Parameters that nothing reads stay, too.
        for id in (0..self.parameters.len()).map(ParamId) {
            if !self.written.contains_key(&(id, true)) {
                self.parameter(id, false);
            }
        }
        let inputs = if self.inputs.is_empty() { &vec![0] } else { &self.inputs };
        self.graph.inputs = inputs.iter().map(|&value| self.described(value)).collect();
        let mut outputs = Vec::new();
        for (place, id) in self.model.graph.outputs().into_iter().enumerate() {
            let mut output = self.described(id.0);
            if let Some((_, name)) = self.outputs.get(place).cloned()
                && name != output.name
            {
                let node = unique(&mut self.node_names, &format!("{name}_output"), "Identity");
                self.push("Identity", node, vec![output.name.into_owned()], Vec::new(), name.clone());
                output.name = name.into();
            }
            outputs.push(output);
        }
        (self.graph, outputs)
    }
}
