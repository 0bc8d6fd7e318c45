//! Puts a graph together around named weights.

use crate::model::{
    Conv, Function, Graph, Linear, Model, Network, Node, Op, ParamId, Parameter, Pool, Tensor, Unary, ValueId,
};
use ndarray::{ArrayD, IxDyn};
use std::collections::BTreeMap;

/// The suffix of what counts batches in PyTorch's normalisation; a network that runs does not need it.
const BATCHES: &str = "num_batches_tracked";

/// How a framework names the tensors of a layer, and in which order their axes are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Naming {
    /// `LAYER.weight`: kernels `[out, in, kh, kw]`, matrices `[out, in]`.
    Torch,
    /// `LAYER/kernel`: kernels `[kh, kw, in, out]`, depthwise `[kh, kw, in, multiplier]`, matrices `[in, out]`; images have their channels last.
    Keras,
}

impl Naming {
    /// The tensors by names that begin with that of their layer, of a file that may put them into folders and may number them.
    fn canonical(self, weights: &Network) -> impl Iterator<Item = (String, &Tensor)> {
        let fourth = weights.tensors.iter().filter_map(|tensor| tensor.name.strip_suffix("/3"));
        let normed: Vec<&str> = fourth.collect();
        weights.tensors.iter().map(move |tensor| match tensor.name.rsplit_once('/') {
            // Keras 3 counts the tensors of a layer.
            Some((layer, number)) if self != Naming::Torch && layer.ends_with("/vars") => {
                let parts: &[&str] = if normed.contains(&layer) {
                    &["gamma", "beta", "moving_mean", "moving_variance"]
                } else {
                    &["kernel", "bias"]
                };
                let part = number.parse().ok().and_then(|number: usize| parts.get(number).copied()).unwrap_or(number);
                (self.canonical_name(&format!("{}/{part}", layer.trim_end_matches("/vars"))), tensor)
            }
            _ => (self.canonical_name(&tensor.name), tensor),
        })
    }

    fn canonical_name(self, name: &str) -> String {
        if self == Naming::Torch {
            return name.to_owned();
        }
        let parts: Vec<&str> = name.strip_suffix(":0").unwrap_or(name).split(['/', '.']).collect();
        let Some((&part, folders)) = parts.split_last().filter(|(_, folders)| !folders.is_empty()) else {
            return name.to_owned();
        };
        // A layer is a folder in a folder of its name, which itself may have several parts.
        let twice = |&count: &usize| {
            let (before, layer) = folders.split_at(folders.len() - count);
            before.ends_with(layer)
        };
        let count = (1..=folders.len() / 2).rev().find(twice).unwrap_or(1);
        let layer = folders[folders.len() - count..].join("/");
        let part = match part {
            // Keras 2 has a name of its own for these, Keras 3 has not.
            "depthwise_kernel" => "kernel",
            // As Keras 1 named them, and still has them in the weights of VGG.
            _ if part.ends_with("_W_1") => "kernel",
            _ if part.ends_with("_b_1") => "bias",
            _ => part,
        };
        format!("{layer}/{part}")
    }

    fn kernel(self, layer: &str) -> String {
        match self {
            Naming::Torch => format!("{layer}.weight"),
            Naming::Keras => format!("{layer}/kernel"),
        }
    }

    fn bias(self, layer: &str) -> String {
        match self {
            Naming::Torch => format!("{layer}.bias"),
            Naming::Keras => format!("{layer}/bias"),
        }
    }

    /// Gain, offset, mean and variance of a normalisation.
    fn norm(self, layer: &str) -> [String; 4] {
        match self {
            Naming::Torch => ["weight", "bias", "running_mean", "running_var"].map(|part| format!("{layer}.{part}")),
            Naming::Keras => ["gamma", "beta", "moving_mean", "moving_variance"].map(|part| format!("{layer}/{part}")),
        }
    }

    /// What a normalisation adds to a variance before it takes the root, unless the network says otherwise.
    fn epsilon(self) -> f32 {
        match self {
            Naming::Torch => 1e-5,
            Naming::Keras => 1e-3,
        }
    }
}

/// What a layer's kernel multiplies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kernel {
    Window,
    /// A window of each channel by itself.
    Depthwise,
    /// A vector; one that is an image `[channels, height, width]` flattened, if there are any.
    Vector([usize; 3]),
}

/// The numbers of a Keras kernel in the order `[out, in, kh, kw]`, or `[out, in]`, and that shape.
fn reorder(values: Vec<f32>, shape: &[usize], kernel: Kernel) -> Option<(Vec<f32>, Vec<usize>)> {
    let (spread, order) = match (kernel, shape) {
        (Kernel::Window, &[kh, kw, inputs, outputs]) => ([kh, kw, inputs, outputs], [3, 2, 0, 1]),
        (Kernel::Depthwise, &[kh, kw, inputs, multiplier]) => ([kh, kw, inputs, multiplier], [2, 3, 0, 1]),
        (Kernel::Vector([channels, height, width]), &[inputs, outputs]) if channels * height * width == inputs => {
            ([height, width, channels, outputs], [3, 2, 0, 1])
        }
        _ => return None,
    };
    let array = ArrayD::from_shape_vec(IxDyn(&spread), values).ok()?.permuted_axes(IxDyn(&order));
    let sides = array.shape().to_vec();
    let shape = match kernel {
        Kernel::Window => sides,
        Kernel::Depthwise => vec![sides[0] * sides[1], 1, sides[2], sides[3]],
        Kernel::Vector(_) => vec![sides[0], shape[0]],
    };
    Some((array.iter().copied().collect(), shape))
}

/// How a convolution moves.
#[derive(Debug, Clone, Copy)]
pub struct Moves {
    /// Step in pixels, both ways.
    pub stride: usize,
    /// Zeros above, left, below and right, in pixels.
    pub pads: [usize; 4],
    /// Number of groups.
    pub groups: usize,
}

/// A graph on its way. Whatever does not fit is `None`: then the weights are those of another network.
pub struct Build<'a> {
    naming: Naming,
    /// What a normalisation adds to a variance before it takes the root.
    epsilon: f32,
    /// What all names begin with in the file, as wrappers of a network add it.
    prefix: &'a str,
    tensors: BTreeMap<String, &'a Tensor>,
    /// How many of the tensors the graph has.
    used: usize,
    model: Model,
}

impl<'a> Build<'a> {
    /// Begins with an input that has no shape so far. `None` if two layers have one name, or some name does not begin with `prefix`.
    pub fn new(weights: &'a Network, naming: Naming, prefix: &'a str) -> Option<Self> {
        let short = |(name, tensor): (String, &'a Tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor));
        let mut tensors = BTreeMap::new();
        tensors.extend(naming.canonical(weights).filter_map(short));
        let graph = Graph { input_name: "input".into(), ..Graph::default() };
        let model = Model { graph, parameters: Vec::new() };
        let epsilon = naming.epsilon();
        (tensors.len() == weights.tensors.len()).then_some(Build { naming, epsilon, prefix, tensors, used: 0, model })
    }

    /// Sets what a normalisation adds to a variance before it takes the root.
    pub fn epsilon(&mut self, epsilon: f32) {
        self.epsilon = epsilon;
    }

    /// Gives the input its shape.
    pub fn input(&mut self, shape: [usize; 3]) {
        self.model.graph.input_shape = shape.to_vec();
    }

    /// The shape of a layer's kernel or matrix, as it is stored; `None` if there is no such layer.
    pub fn sides(&self, layer: &str) -> Option<&'a [usize]> {
        self.tensors.get(&self.naming.kernel(layer)).map(|tensor| tensor.shape.as_slice())
    }

    /// Whether a layer is a normalisation.
    pub fn is_norm(&self, layer: &str) -> bool {
        self.tensors.contains_key(&self.naming.norm(layer)[2])
    }

    /// Whether a layer has a bias.
    pub fn is_biased(&self, layer: &str) -> bool {
        self.tensors.contains_key(&self.naming.bias(layer))
    }

    /// Side `index` of a layer's kernel or matrix.
    pub fn side(&self, layer: &str, index: usize) -> Option<usize> {
        self.sides(layer)?.get(index).copied()
    }

    /// Outputs, inputs and window of a convolution.
    pub fn window(&self, layer: &str) -> Option<[usize; 3]> {
        match (self.naming, self.sides(layer)?) {
            (Naming::Torch, &[outputs, inputs, window, _]) | (Naming::Keras, &[window, _, inputs, outputs]) => {
                Some([outputs, inputs, window])
            }
            _ => None,
        }
    }

    /// Leaves the tensors of a layer aside, by the begin of its name.
    pub fn leave(&mut self, begin: &str) {
        self.used += self.tensors.keys().filter(|name| name.starts_with(begin)).count();
    }

    /// The names of the tensors, and their shapes.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &'a [usize])> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()))
    }

    /// The tensors, without those that no network needs.
    pub fn count(&self) -> usize {
        self.tensors.keys().filter(|name| !name.ends_with(BATCHES)).count()
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

    /// The numbers of a tensor with one for each output.
    fn vector(&mut self, name: &str, outputs: usize) -> Option<Vec<f32>> {
        self.take(name).filter(|(_, shape)| *shape == [outputs]).map(|(values, _)| values)
    }

    fn parameter(&mut self, name: String, shape: &[usize], values: Vec<f32>) -> Option<ParamId> {
        let values = ArrayD::from_shape_vec(IxDyn(shape), values).ok()?;
        self.model.parameters.push(Parameter { name: format!("{}{name}", self.prefix), values });
        Some(ParamId(self.model.parameters.len() - 1))
    }

    /// Weight and bias of a layer with its normalisation folded into them.
    fn layer(
        &mut self,
        name: &str,
        norm: Option<&str>,
        kernel: Kernel,
    ) -> Option<(Vec<usize>, ParamId, Option<ParamId>)> {
        let weight_name = self.naming.kernel(name);
        let (weight, shape) = self.take(&weight_name)?;
        let (mut weight, shape) = match self.naming {
            Naming::Torch => (weight, shape.to_vec()),
            Naming::Keras => reorder(weight, shape, kernel)?,
        };
        let outputs = *shape.first().filter(|&&outputs| outputs > 0)?;
        let bias_name = self.naming.bias(name);
        let mut bias =
            if self.tensors.contains_key(&bias_name) { Some(self.vector(&bias_name, outputs)?) } else { None };
        if let Some(norm) = norm {
            let parts = self.naming.norm(norm);
            let mut part = |index: usize| self.vector(&parts[index], outputs);
            let (gain, offset, mean, variance) = (part(0)?, part(1)?, part(2)?, part(3)?);
            let mut shifts = bias.unwrap_or_else(|| vec![0.0; outputs]);
            let size = weight.len() / outputs;
            for index in 0..outputs {
                let factor = gain[index] / (variance[index].max(0.0) + self.epsilon).sqrt();
                weight[index * size..][..size].iter_mut().for_each(|weight| *weight *= factor);
                shifts[index] = (shifts[index] - mean[index]) * factor + offset[index];
            }
            bias = Some(shifts);
        }
        let weight = self.parameter(weight_name, &shape, weight)?;
        let bias = match bias {
            Some(values) => Some(self.parameter(bias_name, &[outputs], values)?),
            None => None,
        };
        Some((shape, weight, bias))
    }

    /// Appends a square convolution, with its normalisation if it has one.
    pub fn conv(&mut self, from: ValueId, name: &str, norm: Option<&str>, moves: Moves) -> Option<ValueId> {
        let Moves { stride, pads, groups } = moves;
        let kernel = if groups > 1 { Kernel::Depthwise } else { Kernel::Window };
        let (shape, weight, bias) = self.layer(name, norm, kernel)?;
        let square = shape.len() == 4 && shape[2] == shape[3];
        let conv = Conv { weight, bias, stride: [stride; 2], pads, groups, dilation: [1, 1] };
        square.then(|| self.node(name, Op::Conv(conv), &[from]))
    }

    /// Appends a fully connected layer.
    pub fn linear(&mut self, from: ValueId, name: &str) -> Option<ValueId> {
        let kernel = Kernel::Vector(self.flattened()?);
        let (shape, weight, bias) = self.layer(name, None, kernel)?;
        (shape.len() == 2).then(|| self.node(name, Op::Linear(Linear { weight, bias }), &[from]))
    }

    /// Appends a flattening and linear layers, with ReLU between, whose names are those of `relu` for the layer before and its place.
    pub fn classifier(&mut self, names: &[String], relu: impl Fn(&str, usize) -> String) -> Option<()> {
        let last = self.last();
        self.node("flatten", Op::Flatten, &[last]);
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                self.relu(&relu(&names[index - 1], self.model.graph.nodes.len()));
            }
            self.linear(self.last(), name)?;
        }
        Some(())
    }

    /// What the last value was before it was flattened, as `[channels, height, width]`.
    fn flattened(&self) -> Option<[usize; 3]> {
        let shapes = self.model.shapes().ok()?;
        let before = match self.model.graph.nodes.last() {
            Some(Node { op: Op::Flatten, inputs, .. }) => inputs.first()?.0,
            _ => self.last().0,
        };
        match shapes.get(before)?[..] {
            [channels, height, width] => Some([channels, height, width]),
            [features] => Some([features, 1, 1]),
            _ => None,
        }
    }

    /// Appends `max(x, 0)`.
    pub fn relu(&mut self, name: &str) -> ValueId {
        let last = self.last();
        self.node(name, Op::Relu, &[last])
    }

    /// Appends a function of each element, with its constants.
    pub fn unary(&mut self, name: &str, function: Function, a: f32, b: f32) -> ValueId {
        let last = self.last();
        self.node(name, Op::Unary(Unary::new(function, a, b)), &[last])
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
        (self.used == self.count() && self.model.shapes().is_ok()).then_some(self.model)
    }
}
