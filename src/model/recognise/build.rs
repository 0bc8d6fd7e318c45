//! Puts a graph together around named weights.

use crate::model::{
    Conv, Function, Graph, Linear, Model, Node, Op, ParamId, Parameter, Pool, Tensor, Unary, ValueId, Weights,
};
use ndarray::{ArrayD, IxDyn};
use std::collections::BTreeMap;

/// What PyTorch adds to a variance before its root is taken, unless it is told otherwise.
const EPSILON: f32 = 1e-5;

/// The suffix of what counts batches in PyTorch's normalisation; a network that runs does not need it.
const BATCHES: &str = "num_batches_tracked";

/// How a convolution moves.
#[derive(Debug, Clone, Copy)]
pub struct Moves {
    /// Step in pixels, both ways.
    pub stride: usize,
    /// Zeros on each side, in pixels.
    pub pad: usize,
    /// Number of groups.
    pub groups: usize,
}

/// A graph on its way. Whatever does not fit is `None`: then the weights are those of another network.
pub struct Build<'a> {
    tensors: BTreeMap<&'a str, &'a Tensor>,
    /// How many of the tensors the graph has.
    used: usize,
    model: Model,
}

impl<'a> Build<'a> {
    /// Begins with an input of this shape.
    pub fn new(weights: &'a Weights, input_shape: [usize; 3]) -> Self {
        let tensors = weights.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let graph = Graph { input_name: "input".into(), input_shape: input_shape.to_vec(), nodes: Vec::new() };
        Build { tensors, used: 0, model: Model { graph, parameters: Vec::new() } }
    }

    /// The value that was made last; at first the input.
    pub fn last(&self) -> ValueId {
        self.model.graph.output()
    }

    /// Appends an operator.
    pub fn node(&mut self, name: &str, op: Op, inputs: &[ValueId]) -> ValueId {
        self.model.graph.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec() });
        self.last()
    }

    /// The numbers of a tensor of a floating-point type, and its shape.
    fn take(&mut self, name: &str) -> Option<(Vec<f32>, &'a [usize])> {
        let tensor = *self.tensors.get(name)?;
        let values = tensor.values();
        let sound = tensor.dtype.is_float() && values.iter().all(|value| value.is_finite());
        self.used += 1;
        sound.then_some((values, &tensor.shape))
    }

    fn parameter(&mut self, name: String, shape: &[usize], values: Vec<f32>) -> Option<ParamId> {
        let values = ArrayD::from_shape_vec(IxDyn(shape), values).ok()?;
        self.model.parameters.push(Parameter { name, values });
        Some(ParamId(self.model.parameters.len() - 1))
    }

    /// Weight and bias of a layer with its normalisation folded into them.
    fn layer(&mut self, name: &str, norm: Option<&str>) -> Option<(Vec<usize>, ParamId, Option<ParamId>)> {
        let (mut weight, shape) = self.take(&format!("{name}.weight"))?;
        let bias_name = format!("{name}.bias");
        let mut bias = match self.tensors.contains_key(bias_name.as_str()) {
            true => Some(self.take(&bias_name)?.0),
            false => None,
        };
        let outputs = *shape.first()?;
        if outputs == 0 || bias.as_ref().is_some_and(|bias| bias.len() != outputs) {
            return None;
        }
        if let Some(norm) = norm {
            let mut part =
                |part: &str| Some(self.take(&format!("{norm}.{part}"))?.0).filter(|part| part.len() == outputs);
            let (gain, offset) = (part("weight")?, part("bias")?);
            let (mean, variance) = (part("running_mean")?, part("running_var")?);
            let mut shifts = bias.unwrap_or_else(|| vec![0.0; outputs]);
            let size = weight.len() / outputs;
            for index in 0..outputs {
                let factor = gain[index] / (variance[index].max(0.0) + EPSILON).sqrt();
                weight[index * size..][..size].iter_mut().for_each(|weight| *weight *= factor);
                shifts[index] = (shifts[index] - mean[index]) * factor + offset[index];
            }
            bias = Some(shifts);
        }
        let weight = self.parameter(format!("{name}.weight"), shape, weight)?;
        let bias = match bias {
            Some(values) => Some(self.parameter(bias_name, &[outputs], values)?),
            None => None,
        };
        Some((shape.to_vec(), weight, bias))
    }

    /// Appends a square convolution, with its normalisation if it has one.
    pub fn conv(&mut self, from: ValueId, name: &str, norm: Option<&str>, moves: Moves) -> Option<ValueId> {
        let (shape, weight, bias) = self.layer(name, norm)?;
        let Moves { stride, pad, groups } = moves;
        let square = shape.len() == 4 && shape[2] == shape[3];
        let conv = Conv { weight, bias, stride: [stride; 2], pads: [pad; 4], groups, dilation: [1, 1] };
        square.then(|| self.node(name, Op::Conv(conv), &[from]))
    }

    /// Appends a fully connected layer.
    pub fn linear(&mut self, from: ValueId, name: &str) -> Option<ValueId> {
        let (shape, weight, bias) = self.layer(name, None)?;
        (shape.len() == 2).then(|| self.node(name, Op::Linear(Linear { weight, bias }), &[from]))
    }

    /// Appends `max(x, 0)`.
    pub fn relu(&mut self, name: &str) -> ValueId {
        let last = self.last();
        self.node(name, Op::Relu, &[last])
    }

    /// Appends `min(max(x, 0), 6)`.
    pub fn relu6(&mut self, name: &str) -> ValueId {
        let last = self.last();
        self.node(name, Op::Unary(Unary::new(Function::Clip, 0.0, 6.0)), &[last])
    }

    /// Appends the maximum over squares.
    pub fn max_pool(&mut self, name: &str, kernel: usize, stride: usize, pad: usize) -> ValueId {
        let last = self.last();
        let (kernel, stride, pads) = ([kernel; 2], [stride; 2], [pad; 4]);
        self.node(name, Op::MaxPool(Pool { kernel, stride, pads, ceil: false, count_pads: false }), &[last])
    }

    /// Appends the mean over all positions, as a vector.
    pub fn mean(&mut self) -> ValueId {
        let last = self.last();
        let mean = self.node("avgpool", Op::GlobalAveragePool, &[last]);
        self.node("flatten", Op::Flatten, &[mean])
    }

    /// The network, if its shapes fit and no weight is left over.
    pub fn finish(self) -> Option<Model> {
        let counted = self.tensors.keys().filter(|name| !name.ends_with(BATCHES)).count();
        (self.used == counted && self.model.shapes().is_ok()).then_some(self.model)
    }
}
