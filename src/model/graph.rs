//! The graph: nodes in the order in which they run.

use super::{Op, ParamId};
use crate::error::GraphError;
use serde::{Deserialize, Serialize};

/// A value that flows through the graph: `ValueId(0)` is the network's input, and node `i` makes `ValueId(i + 1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ValueId(pub usize);

/// One operator applied to values that were made before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The node's name in the file that it came from; only for messages and exports.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// What it reads; each is the input or made by an earlier node.
    pub inputs: Vec<ValueId>,
}

/// Nodes in topological order; the last one makes the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// Name of the input in the file.
    pub input_name: String,
    /// Shape of one sample: `[channels, height, width]` or `[features]`.
    pub input_shape: Vec<usize>,
    /// In the order in which they run.
    pub nodes: Vec<Node>,
}

/// The most elements that one value may have (2^31): far above what a tab can hold, low enough that products fit.
const MAX_ELEMENTS: usize = 1 << 31;

impl Graph {
    /// The value that the network answers with.
    pub fn output(&self) -> ValueId {
        ValueId(self.nodes.len())
    }

    /// Shape of every value, indexed by [`ValueId`], from the shapes of the parameters.
    ///
    /// # Errors
    /// [`GraphError`] names the node at which the shapes do not fit.
    pub fn shapes(&self, parameter_shapes: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, GraphError> {
        let mut shapes = vec![self.input_shape.clone()];
        check_size("input", &self.input_shape)?;
        for (index, node) in self.nodes.iter().enumerate() {
            let arity = if node.op == Op::Add { 2 } else { 1 };
            if node.inputs.len() != arity {
                return Err(node.fault("inputs", arity.to_string(), node.inputs.len().to_string()));
            }
            if let Some(bad) = node.inputs.iter().find(|value| value.0 > index) {
                return Err(node.fault(
                    "an input made by an earlier node",
                    format!("value 0 to {index}"),
                    format!("value {}", bad.0),
                ));
            }
            let inputs: Vec<&[usize]> = node.inputs.iter().map(|value| shapes[value.0].as_slice()).collect();
            let shape = node.output_shape(&inputs, parameter_shapes)?;
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// Nodes that have weights, in order, with their weight and bias.
    pub fn layers(&self) -> impl Iterator<Item = (usize, ParamId, Option<ParamId>)> + '_ {
        self.nodes
            .iter()
            .enumerate()
            .filter_map(|(index, node)| node.op.layer().map(|(weight, bias)| (index, weight, bias)))
    }
}

impl Node {
    fn fault(&self, what: &'static str, expected: String, got: String) -> GraphError {
        GraphError { node: self.name.clone(), op: self.op.name(), what, expected, got }
    }

    fn parameter<'a>(&self, id: ParamId, shapes: &'a [Vec<usize>]) -> Result<&'a [usize], GraphError> {
        shapes
            .get(id.0)
            .map(Vec::as_slice)
            .ok_or_else(|| self.fault("parameter", format!("an index below {}", shapes.len()), id.0.to_string()))
    }

    fn check_bias(&self, bias: Option<ParamId>, out: usize, shapes: &[Vec<usize>]) -> Result<(), GraphError> {
        let Some(bias) = bias else { return Ok(()) };
        let shape = self.parameter(bias, shapes)?;
        if shape != [out] {
            return Err(self.fault("shape of the bias", format!("[{out}]"), format!("{shape:?}")));
        }
        Ok(())
    }

    fn image(&self, shape: &[usize]) -> Result<[usize; 3], GraphError> {
        <[usize; 3]>::try_from(shape)
            .map_err(|_| self.fault("shape of the input", "[channels, height, width]".into(), format!("{shape:?}")))
    }

    /// Shape of the output, one sample of it. There are as many `inputs` as the operator reads, and each was proved to
    /// be of a size that is allowed.
    pub(crate) fn output_shape(
        &self,
        inputs: &[&[usize]],
        parameters: &[Vec<usize>],
    ) -> Result<Vec<usize>, GraphError> {
        let shape = self.unchecked_shape(inputs, parameters)?;
        check_size(&self.name, &shape)?;
        Ok(shape)
    }

    fn unchecked_shape(&self, inputs: &[&[usize]], parameters: &[Vec<usize>]) -> Result<Vec<usize>, GraphError> {
        match &self.op {
            Op::Conv(conv) => {
                let [channels, height, width] = self.image(inputs[0])?;
                let weight = self.parameter(conv.weight, parameters)?;
                let &[out, per_group, kernel_height, kernel_width] = weight else {
                    return Err(self.fault("shape of the weight", "[out, in, kh, kw]".into(), format!("{weight:?}")));
                };
                if conv.groups == 0 || out % conv.groups != 0 || per_group.checked_mul(conv.groups) != Some(channels) {
                    return Err(self.fault(
                        "channels",
                        format!("{per_group} x {} groups, and outputs that the groups divide", conv.groups),
                        format!("{channels} in, {out} out"),
                    ));
                }
                self.check_bias(conv.bias, out, parameters)?;
                let kernel = [kernel_height, kernel_width];
                let [height, width] = self.windows([height, width], kernel, conv.stride, conv.pads, false)?;
                Ok(vec![out, height, width])
            }
            Op::Linear(linear) => {
                let weight = self.parameter(linear.weight, parameters)?;
                let &[out, features] = weight else {
                    return Err(self.fault("shape of the weight", "[out, in]".into(), format!("{weight:?}")));
                };
                if inputs[0] != [features] {
                    return Err(self.fault("shape of the input", format!("[{features}]"), format!("{:?}", inputs[0])));
                }
                self.check_bias(linear.bias, out, parameters)?;
                Ok(vec![out])
            }
            Op::Add => {
                if inputs[0] != inputs[1] {
                    return Err(self.fault("shapes", format!("{:?}", inputs[0]), format!("{:?}", inputs[1])));
                }
                Ok(inputs[0].to_vec())
            }
            Op::Relu => Ok(inputs[0].to_vec()),
            Op::MaxPool(pool) | Op::AveragePool(pool) => {
                let [channels, height, width] = self.image(inputs[0])?;
                let fits = |pad: usize, kernel: usize| pad < kernel;
                let [top, left, bottom, right] = pool.pads;
                let [kernel_height, kernel_width] = pool.kernel;
                if !(fits(top, kernel_height)
                    && fits(bottom, kernel_height)
                    && fits(left, kernel_width)
                    && fits(right, kernel_width))
                {
                    return Err(self.fault(
                        "pads",
                        format!("less than the kernel {:?}", pool.kernel),
                        format!("{:?}", pool.pads),
                    ));
                }
                let [height, width] = self.windows([height, width], pool.kernel, pool.stride, pool.pads, pool.ceil)?;
                Ok(vec![channels, height, width])
            }
            Op::GlobalAveragePool => {
                let [channels, ..] = self.image(inputs[0])?;
                Ok(vec![channels, 1, 1])
            }
            Op::Flatten => Ok(vec![inputs[0].iter().product()]),
            Op::Softmax => match inputs[0] {
                [features] => Ok(vec![*features]),
                other => Err(self.fault("shape of the input", "[features]".into(), format!("{other:?}"))),
            },
        }
    }

    /// How many windows fit, vertically and horizontally.
    fn windows(
        &self,
        size: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        pads: [usize; 4],
        ceil: bool,
    ) -> Result<[usize; 2], GraphError> {
        let mut windows = [0; 2];
        for axis in 0..2 {
            let padded = pads[axis].checked_add(pads[axis + 2]).and_then(|pad| pad.checked_add(size[axis]));
            let room = padded.and_then(|padded| padded.checked_sub(kernel[axis]));
            let (Some(room), true) = (room, kernel[axis] > 0 && stride[axis] > 0) else {
                return Err(self.fault(
                    "window",
                    format!("a kernel and stride of at least 1 inside {size:?} padded by {pads:?}"),
                    format!("kernel {kernel:?}, stride {stride:?}"),
                ));
            };
            windows[axis] = room / stride[axis] + 1;
            // A last, partly covered window counts if it starts inside the image or its leading padding.
            if ceil && room % stride[axis] != 0 && windows[axis] * stride[axis] < size[axis] + pads[axis] {
                windows[axis] += 1;
            }
        }
        Ok(windows)
    }
}

fn check_size(name: &str, shape: &[usize]) -> Result<(), GraphError> {
    let elements = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    match elements {
        Some(1..=MAX_ELEMENTS) => Ok(()),
        _ => Err(GraphError {
            node: name.to_owned(),
            op: "",
            what: "number of elements",
            expected: format!("1 to {MAX_ELEMENTS}"),
            got: format!("{shape:?}"),
        }),
    }
}
