//! What a node of an ONNX file has beside its values and parameters: attributes, and inputs that are constants.

use super::build::{float, int, ints, tensor, text};
use super::wire::Message;
use super::write::Writer;
use crate::formats::collect::unique;
use crate::formats::import::tensor::{FLOAT, INT64};
use crate::model::{Conv, Function, Node, Op, PadMode, Pool, Reduction};

impl Writer<'_> {
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

    pub fn number_input(&mut self, node: &mut Message, name: &str, what: &str, number: f32) {
        self.constant(node, name, what, FLOAT, &[], &number.to_le_bytes());
    }

    /// Writes what a node has beside its values and parameters, and gives its operator. `lead` is the number of axes that the
    /// file has before those of the model.
    pub fn attributes(&mut self, message: &mut Message, node: &Node, name: &str, lead: usize) -> &'static str {
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
}

fn window(node: &mut Message, pool: &Pool) {
    ints(node, "kernel_shape", &pool.kernel);
    ints(node, "strides", &pool.stride);
    ints(node, "pads", &pool.pads);
    int(node, "ceil_mode", pool.ceil.into());
}
