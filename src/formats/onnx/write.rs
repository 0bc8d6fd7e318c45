//! A [`Model`] to ONNX: IR version 8 or more, 32-bit floats as raw bytes, a batch of any size. Operator set 13, or as much
//! newer as the model's operators need.

use super::build::{int, tensor, value_info};
use super::wire::Message;
use crate::error::GraphError;
use crate::formats::collect::unique;
use crate::formats::import::tensor::{BOOL, FLOAT};
use crate::model::{Binary, Function, Model, Node, Op, PadMode, ParamId, ValueId};
use std::collections::{HashMap, HashSet};

/// Writes an ONNX file, which has the model's names. A name that is taken gets a number behind it, since values and
/// parameters have one space of names there.
///
/// # Errors
/// [`GraphError`] if the model's shapes do not fit, or ONNX has no operator for a node's: a window over an image with axes
/// before it, or samples beside what has none.
pub fn write(model: &Model) -> Result<Vec<u8>, GraphError> {
    let shapes = model.shapes()?;
    let opset = model.graph.nodes.iter().map(|node| opset_of(&node.op)).max().unwrap_or(0).max(13);
    let mut taken = HashSet::new();
    let input = unique(&mut taken, &model.graph.input_name, "input");
    let parameters: Vec<String> =
        model.parameters.iter().map(|parameter| unique(&mut taken, &parameter.name, "parameter")).collect();
    let mut writer = Writer {
        model,
        shapes: &shapes,
        opset,
        graph: Message::default(),
        initializers: Message::default(),
        inputs: Vec::new(),
        taken,
        node_names: HashSet::new(),
        values: vec![input],
        batched: vec![true],
        parameters,
        written: HashMap::new(),
    };
    for (index, node) in model.graph.nodes.iter().enumerate() {
        writer.node(index, node)?;
    }
    Ok(writer.finish())
}

/// The operator set that brought an operator in the form in which it is written here.
fn opset_of(op: &Op) -> i64 {
    match op {
        Op::Unary(unary) => match unary.function {
            Function::HardSwish => 14,
            Function::Gelu | Function::GeluTanh => 20,
            _ => 13,
        },
        Op::Normalize(_) => 17,
        Op::Pad(pad) if pad.mode == PadMode::Wrap => 19,
        _ => 13,
    }
}

/// The file so far.
pub(super) struct Writer<'a> {
    pub(super) model: &'a Model,
    pub(super) shapes: &'a [Vec<usize>],
    pub(super) opset: i64,
    graph: Message,
    pub(super) initializers: Message,
    /// The inputs, if the graph has nodes for them.
    inputs: Vec<usize>,
    pub(super) taken: HashSet<String>,
    node_names: HashSet<String>,
    /// Name of each value.
    values: Vec<String>,
    /// Whether each value has an axis of samples before its shape.
    batched: Vec<bool>,
    /// Name of each parameter.
    parameters: Vec<String>,
    /// Names of the parameters that were written, as they are or turned.
    written: HashMap<(ParamId, bool), String>,
}

impl Writer<'_> {
    fn node(&mut self, index: usize, node: &Node) -> Result<(), GraphError> {
        let value = index + 1;
        let batched = match &node.op {
            Op::Input(input) => input.batched,
            _ => node.inputs.iter().any(|input| self.batched[input.0]),
        };
        self.batched.push(batched);
        match &node.op {
            Op::Input(_) => {
                // The first input has the name already that it is written by.
                let first = self.inputs.is_empty() && node.name == self.model.graph.input_name;
                let name = if first { self.values[0].clone() } else { unique(&mut self.taken, &node.name, "input") };
                self.values.push(name);
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
            _ => {}
        }
        self.check(node, batched)?;
        let name = unique(&mut self.node_names, &node.name, node.op.name());
        let last = value == self.model.graph.nodes.len();
        let output = if last { "output".to_owned() } else { format!("{name}_output") };
        let output = unique(&mut self.taken, &output, "value");
        let mut message = Message::default();
        for ValueId(input) in &node.inputs {
            message.text(1, &self.values[*input]);
        }
        self.values.push(output.clone());
        if let Op::Linear(linear) = &node.op
            && self.rank(node.inputs[0].0) != 2
        {
            // Gemm has matrices only; a product of more axes has no bias.
            message.text(1, &self.parameter(linear.weight, true));
            let Some(bias) = linear.bias else { return self.close(message, "MatMul", &name, &output) };
            let product = unique(&mut self.taken, &format!("{name}_product"), "value");
            self.close(message, "MatMul", &name, &product)?;
            let mut sum = Message::default();
            sum.text(1, &product);
            sum.text(1, &self.parameter(bias, false));
            let name = unique(&mut self.node_names, &format!("{name}.bias"), "Add");
            return self.close(sum, "Add", &name, &output);
        }
        match &node.op {
            // Truths are 0 and 1 here, and a type of their own there.
            Op::Binary(Binary::Equal) => return self.truths(message, &name, &output),
            Op::Unary(unary) if unary.function == Function::Equals => {
                self.number_input(&mut message, &name, "constant", unary.a.get());
                return self.truths(message, &name, &output);
            }
            Op::Binary(binary @ (Binary::Mask | Binary::MaskNot)) => {
                let [condition, operand] = [0, 1].map(|index| self.values[node.inputs[index].0].clone());
                let truth = self.cast(&condition, &name, BOOL);
                let mut chosen = Message::default();
                chosen.text(1, &truth);
                if *binary == Binary::Mask {
                    chosen.text(1, &operand);
                }
                self.number_input(&mut chosen, &name, "zero", 0.0);
                if *binary == Binary::MaskNot {
                    chosen.text(1, &operand);
                }
                return self.close(chosen, "Where", &name, &output);
            }
            _ => {}
        }
        let layer = node.op.layer();
        for id in layer.into_iter().flat_map(|(weight, bias)| [Some(weight), bias]).flatten() {
            message.text(1, &self.parameter(id, false));
        }
        let lead = usize::from(batched);
        let op = self.attributes(&mut message, node, &name, lead);
        self.close(message, op, &name, &output)
    }

    /// Appends a comparison, whose truths become numbers.
    fn truths(&mut self, comparison: Message, name: &str, output: &str) -> Result<(), GraphError> {
        let truths = unique(&mut self.taken, &format!("{name}_truths"), "value");
        self.close(comparison, "Equal", name, &truths)?;
        let cast = unique(&mut self.node_names, &format!("{name}_cast"), "Cast");
        let mut message = Message::default();
        message.text(1, &truths);
        int(&mut message, "to", FLOAT);
        self.close(message, "Cast", &cast, output)
    }

    /// Appends a conversion of a value, and gives the name of what it makes.
    fn cast(&mut self, value: &str, name: &str, kind: i64) -> String {
        let node = unique(&mut self.node_names, &format!("{name}_cast"), "Cast");
        let output = unique(&mut self.taken, &format!("{node}_output"), "value");
        let mut message = Message::default();
        message.text(1, value);
        int(&mut message, "to", kind);
        message.text(2, &output);
        message.text(3, &node);
        message.text(4, "Cast");
        self.graph.message(1, message);
        output
    }

    /// Appends a node.
    fn close(&mut self, mut message: Message, op: &str, name: &str, output: &str) -> Result<(), GraphError> {
        message.text(2, output);
        message.text(3, name);
        message.text(4, op);
        self.graph.message(1, message);
        Ok(())
    }

    /// Number of axes that a value has in the file.
    fn rank(&self, value: usize) -> usize {
        self.shapes[value].len() + usize::from(self.batched[value])
    }

    /// Proves that ONNX means the same by a node's operator on the values as they are in the file.
    fn check(&self, node: &Node, batched: bool) -> Result<(), GraphError> {
        let ranks: Vec<usize> = node.inputs.iter().map(|input| self.rank(input.0)).collect();
        let sound = match &node.op {
            Op::Conv(_) | Op::MaxPool(_) | Op::AveragePool(_) | Op::GlobalAveragePool => ranks == [4],
            // With an axis of samples, the other axes have to be aligned behind it.
            Op::Add | Op::Binary(_) | Op::MatMul => {
                let most = ranks.iter().max().copied().unwrap_or(0);
                let aligned = |input: &ValueId| {
                    if self.batched[input.0] { self.rank(input.0) == most } else { self.rank(input.0) < most }
                };
                !batched || node.inputs.iter().all(aligned)
            }
            Op::Concat(_) => node.inputs.iter().all(|input| self.batched[input.0] == batched),
            _ => true,
        };
        if sound {
            return Ok(());
        }
        let expected = "an image of four dimensions with the batch, or operands with the batch in the same place";
        Err(node.fault("operands in an ONNX file", expected, format!("{ranks:?} dimensions")))
    }

    /// Writes a parameter, or its transpose, and gives its name.
    fn parameter(&mut self, id: ParamId, transposed: bool) -> String {
        if let Some(name) = self.written.get(&(id, transposed)) {
            return name.clone();
        }
        let plain = self.parameters[id.0].clone();
        let other = self.written.contains_key(&(id, !transposed));
        let name = if other { unique(&mut self.taken, &plain, "parameter") } else { plain };
        let values = self.model.values(id).view();
        let values = if transposed { values.reversed_axes() } else { values };
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializers.message(5, tensor(&name, FLOAT, values.shape(), &raw));
        self.written.insert((id, transposed), name.clone());
        name
    }

    fn finish(mut self) -> Vec<u8> {
        self.graph.text(2, "nutshell");
        // Those that nothing reads stay, too.
        for index in 0..self.parameters.len() {
            let id = ParamId(index);
            if !self.written.contains_key(&(id, true)) {
                self.parameter(id, false);
            }
        }
        self.graph.append(self.initializers);
        let inputs = if self.inputs.is_empty() { vec![0] } else { self.inputs };
        for value in inputs {
            self.graph.message(11, value_info(&self.values[value], &self.shapes[value], self.batched[value]));
        }
        let last = self.model.graph.nodes.len();
        let outputs = match self.model.graph.nodes.last() {
            Some(Node { op: Op::Outputs, inputs, .. }) => inputs.iter().map(|input| input.0).collect(),
            _ => vec![last],
        };
        for value in outputs {
            self.graph.message(12, value_info(&self.values[value], &self.shapes[value], self.batched[value]));
        }
        let mut opset = Message::default();
        opset.text(1, "");
        opset.int(2, self.opset);
        let mut file = Message::default();
        // Operator sets 19 and 20 came with version 9 of the format.
        file.int(1, if self.opset > 18 { 9 } else { 8 });
        file.text(2, "nutshell");
        file.text(3, env!("CARGO_PKG_VERSION"));
        file.message(7, self.graph);
        file.message(8, opset);
        file.into_bytes()
    }
}
