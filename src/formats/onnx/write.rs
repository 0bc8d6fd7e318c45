//! A [`Model`] to ONNX: IR version 8 or more, 32-bit floats as raw bytes, a batch of any size. Operator set 13, or as much
//! newer as the model's operators need.

use super::tensor::{BOOL, FLOAT, INT64};
use super::wire::Message;
use crate::error::GraphError;
use crate::model::{Binary, Conv, Function, Model, Node, Op, PadMode, ParamId, Pool, Reduction, ValueId};
use std::collections::{HashMap, HashSet};

/// Name of the dimension that counts samples.
const BATCH: &str = "N";

/// `AttributeProto.AttributeType`.
const A_FLOAT: i64 = 1;
const INT: i64 = 2;
const TEXT: i64 = 3;
const INTS: i64 = 7;

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

/// The file so far.
struct Writer<'a> {
    model: &'a Model,
    shapes: &'a [Vec<usize>],
    opset: i64,
    graph: Message,
    initializers: Message,
    /// The inputs, if the graph has nodes for them.
    inputs: Vec<usize>,
    taken: HashSet<String>,
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
        Err(GraphError {
            node: node.name.clone(),
            op: node.op.name(),
            what: "operands in an ONNX file",
            expected: "an image of four dimensions with the batch, or operands with the batch in the same place".into(),
            got: format!("{ranks:?} dimensions"),
        })
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

    /// Appends an input that is a constant of its own.
    fn constant(&mut self, node: &mut Message, name: &str, what: &str, kind: i64, shape: &[usize], raw: &[u8]) {
        let name = unique(&mut self.taken, &format!("{name}_{what}"), "constant");
        self.initializers.message(5, tensor(&name, kind, shape, raw));
        node.text(1, &name);
    }

    fn int_input(&mut self, node: &mut Message, name: &str, what: &str, values: &[i64]) {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(node, name, what, INT64, &[values.len()], &raw);
    }

    fn sizes_input(&mut self, node: &mut Message, name: &str, what: &str, sizes: &[usize]) {
        let sizes: Vec<i64> = sizes.iter().map(|&size| size as i64).collect();
        self.int_input(node, name, what, &sizes);
    }

    fn number_input(&mut self, node: &mut Message, name: &str, what: &str, number: f32) {
        self.constant(node, name, what, FLOAT, &[], &number.to_le_bytes());
    }

    /// Writes what a node has beside its values and parameters, and gives its operator. `lead` is the number of axes that the
    /// file has before those of the model.
    fn attributes(&mut self, message: &mut Message, node: &Node, name: &str, lead: usize) -> &'static str {
        let shifted = |axes: &[usize]| -> Vec<usize> { axes.iter().map(|axis| axis + lead).collect() };
        // In a shape, 0 in the first place leaves that side as it is.
        let whole = |shape: &[usize], batch: usize| [&vec![batch; lead][..], shape].concat();
        match &node.op {
            Op::Conv(Conv { weight, stride, pads, groups, dilation, .. }) => {
                ints(message, "kernel_shape", &self.model.values(*weight).shape()[2..]);
                ints(message, "strides", stride);
                ints(message, "pads", pads);
                int(message, "group", *groups as i64);
                if *dilation != [1, 1] {
                    ints(message, "dilations", dilation);
                }
            }
            // The weight is [out, in].
            Op::Linear(_) => int(message, "transB", 1),
            Op::MaxPool(pool) => window(message, pool),
            Op::AveragePool(pool) => {
                window(message, pool);
                int(message, "count_include_pad", pool.count_pads.into());
            }
            Op::Flatten if lead == 1 => int(message, "axis", 1),
            Op::Flatten => {
                self.int_input(message, name, "shape", &[-1]);
                return "Reshape";
            }
            Op::Softmax | Op::LogSoftmax => int(message, "axis", -1),
            Op::Unary(unary) => {
                let (a, b) = (unary.a.get(), unary.b.get());
                match unary.function {
                    Function::Clip => {
                        for (limit, what) in [(a, "min"), (b, "max")] {
                            if limit.is_finite() {
                                self.number_input(message, name, what, limit);
                            } else {
                                message.text(1, "");
                            }
                        }
                    }
                    Function::Over | Function::Plus | Function::Power | Function::Times => {
                        self.number_input(message, name, "constant", a);
                    }
                    Function::Elu | Function::LeakyRelu => float(message, "alpha", a),
                    Function::HardSigmoid => {
                        float(message, "alpha", a);
                        float(message, "beta", b);
                    }
                    Function::Selu => {
                        float(message, "alpha", a);
                        float(message, "gamma", b);
                    }
                    Function::GeluTanh => text(message, "approximate", "tanh"),
                    _ => {}
                }
            }
            Op::Normalize(normalize) => {
                let shape = &self.shapes[node.inputs[0].0][normalize.axis..];
                let ones = 1f32.to_le_bytes().repeat(shape.iter().product());
                self.constant(message, name, "scale", FLOAT, shape, &ones);
                int(message, "axis", (normalize.axis + lead) as i64);
                float(message, "epsilon", normalize.epsilon.get());
            }
            Op::Reduce(reduce) => {
                let axes = shifted(&reduce.axes);
                // All but the sum took their axes from an attribute up to operator set 17.
                if reduce.kind != Reduction::Sum && self.opset < 18 {
                    ints(message, "axes", &axes);
                } else {
                    self.sizes_input(message, name, "axes", &axes);
                }
                if reduce.axes.is_empty() {
                    int(message, "noop_with_empty_axes", 1);
                }
                int(message, "keepdims", 1);
            }
            Op::Reshape(shape) => self.sizes_input(message, name, "shape", &whole(shape, 0)),
            Op::Expand(shape) => self.sizes_input(message, name, "shape", &whole(shape, 1)),
            Op::Transpose(order) => ints(message, "perm", &[&vec![0; lead][..], &shifted(order)].concat()),
            Op::Slice(slice) => {
                let of =
                    |axis: usize| (slice.starts[axis] as i64, slice.steps[axis] as i64, slice.lengths[axis] as i64);
                let axes: Vec<usize> = (0..slice.starts.len()).collect();
                // Before the first place there is no index that does not count from the end.
                let end = |(start, step, length): (i64, i64, i64)| {
                    let end = start + step * length;
                    if end < 0 { i64::MIN } else { end }
                };
                let list = |number: &dyn Fn(usize) -> i64| axes.iter().map(|&axis| number(axis)).collect::<Vec<i64>>();
                self.int_input(message, name, "starts", &list(&|axis| of(axis).0));
                self.int_input(message, name, "ends", &list(&|axis| end(of(axis))));
                self.sizes_input(message, name, "axes", &shifted(&axes));
                self.int_input(message, name, "steps", &list(&|axis| of(axis).1));
            }
            Op::Gather(gather) => {
                self.sizes_input(message, name, "indices", &gather.indices);
                int(message, "axis", (gather.axis + lead) as i64);
            }
            Op::Concat(axis) => int(message, "axis", (axis + lead) as i64),
            Op::Pad(pad) => {
                let pads = [whole(&pad.before, 0), whole(&pad.after, 0)].concat();
                self.sizes_input(message, name, "pads", &pads);
                let mode = match pad.mode {
                    PadMode::Constant => "constant",
                    PadMode::Edge => "edge",
                    PadMode::Reflect => "reflect",
                    PadMode::Wrap => "wrap",
                };
                if pad.mode == PadMode::Constant {
                    self.number_input(message, name, "value", pad.value.get());
                }
                text(message, "mode", mode);
            }
            Op::Add
            | Op::Relu
            | Op::GlobalAveragePool
            | Op::MatMul
            | Op::Binary(_)
            | Op::Parameter(_)
            | Op::Input(_)
            | Op::Outputs => {}
        }
        node.op.name()
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

fn window(node: &mut Message, pool: &Pool) {
    ints(node, "kernel_shape", &pool.kernel);
    ints(node, "strides", &pool.stride);
    ints(node, "pads", &pool.pads);
    int(node, "ceil_mode", pool.ceil.into());
}

fn attribute(node: &mut Message, name: &str, kind: i64, value: impl FnOnce(&mut Message)) {
    let mut attribute = Message::default();
    attribute.text(1, name);
    value(&mut attribute);
    attribute.int(20, kind);
    node.message(5, attribute);
}

fn int(node: &mut Message, name: &str, value: i64) {
    attribute(node, name, INT, |attribute| attribute.int(3, value));
}

fn float(node: &mut Message, name: &str, value: f32) {
    attribute(node, name, A_FLOAT, |attribute| attribute.float(2, value));
}

fn text(node: &mut Message, name: &str, value: &str) {
    attribute(node, name, TEXT, |attribute| attribute.text(4, value));
}

fn ints(node: &mut Message, name: &str, values: &[usize]) {
    attribute(node, name, INTS, |attribute| values.iter().for_each(|&value| attribute.int(8, value as i64)));
}

/// `TensorProto` of raw bytes.
fn tensor(name: &str, kind: i64, shape: &[usize], raw: &[u8]) -> Message {
    let mut tensor = Message::default();
    shape.iter().for_each(|&side| tensor.int(1, side as i64));
    tensor.int(2, kind);
    tensor.text(8, name);
    tensor.bytes(9, raw);
    tensor
}

/// `ValueInfoProto` of a tensor of floats, of one sample or a batch of them.
fn value_info(name: &str, shape: &[usize], batched: bool) -> Message {
    let mut dimensions = Message::default();
    if batched {
        let mut batch = Message::default();
        batch.text(2, BATCH);
        dimensions.message(1, batch);
    }
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
