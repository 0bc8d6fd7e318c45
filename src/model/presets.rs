//! Networks that everybody knows, as functions of their widths.

use super::{Conv, Graph, Linear, Model, Node, Op, ParamId, Parameter, Pool, ValueId};
use crate::error::GraphError;
use ndarray::{ArrayD, IxDyn};
use rand::{Rng, RngExt};

/// LeNet-5 as Caffe has it: `conv 5x5, pool, conv 5x5, pool, linear, ReLU, linear` on `[1, 28, 28]`.
/// `widths` are the outputs of the four layers; the original's are [`LENET5_WIDTHS`]: 431,080 parameters.
pub fn lenet5(widths: [usize; 4]) -> Model {
    let [conv1, conv2, fc1, fc2] = widths;
    Chain::new(vec![1, 28, 28])
        .conv("conv1", [conv1, 1, 5, 5], 0)
        .max_pool()
        .conv("conv2", [conv2, conv1, 5, 5], 0)
        .max_pool()
        .flatten()
        .linear("fc1", [fc1, conv2 * 16])
        .relu()
        .linear("fc2", [fc2, fc1])
        .build()
}

/// Outputs of the layers of LeNet-5-Caffe.
pub const LENET5_WIDTHS: [usize; 4] = [20, 50, 500, 10];

/// The most outputs of a layer of a [`Lenet`]: more would not fit a tab.
pub const MAX_WIDTH: usize = 4096;

/// A relative of LeNet-5: `conv 5x5, pool` for each convolution, then linear layers with ReLU between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lenet {
    /// `[channels, height, width]` of an image.
    pub input_shape: [usize; 3],
    /// Outputs of each convolution, such as `[6, 16]` or `[32, 64]`.
    pub convolutions: Vec<usize>,
    /// Zeros on each side of what a convolution reads, in pixels: 2 keeps the size of the image.
    pub padding: usize,
    /// Whether a ReLU follows each convolution.
    pub relu: bool,
    /// Outputs of each linear layer, such as `[120, 84, 10]` or `[256, 10]`; the last are the classes.
    pub linears: Vec<usize>,
}

impl Lenet {
    /// The network. Layers are named `conv1`, `conv2` and so on, and `fc1`, `fc2` and so on; parameters are zero.
    ///
    /// # Errors
    /// [`GraphError`] if a width is 0 or above [`MAX_WIDTH`], or the image becomes smaller than a window.
    pub fn build(&self) -> Result<Model, GraphError> {
        check_widths(self.convolutions.iter().chain(&self.linears))?;
        let mut chain = Chain::new(self.input_shape.to_vec());
        for (index, &out) in self.convolutions.iter().enumerate() {
            let channels = if index == 0 { self.input_shape[0] } else { self.convolutions[index - 1] };
            chain = chain.conv(&format!("conv{}", index + 1), [out, channels, 5, 5], self.padding);
            if self.relu {
                chain = chain.relu();
            }
            chain = chain.max_pool();
        }
        chain.classifier(&self.linears, |index| format!("fc{}", index + 1))
    }
}

/// A small network in the manner of VGG (Simonyan and Zisserman 2015): blocks of convolutions 3x3 that keep the size of the image, each with a
/// ReLU; a maximum over 2x2 after each block; then linear layers with ReLU between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vgg {
    /// `[channels, height, width]` of an image.
    pub input_shape: [usize; 3],
    /// Outputs of each convolution of each block, such as `[[32, 32], [64, 64]]`.
    pub blocks: Vec<Vec<usize>>,
    /// Outputs of each linear layer, such as `[256, 10]`; the last are the classes.
    pub linears: Vec<usize>,
}

/// Outputs of the layers of a small [`Vgg`] for images of 32 x 32, but for the last: three blocks of two convolutions, and a linear layer.
pub const VGG_WIDTHS: [usize; 7] = [32, 32, 64, 64, 128, 128, 256];

impl Vgg {
    /// The network. Layers are named as torchvision's: `features.0`, `features.2` and so on, and `classifier.0`, `classifier.2` and so on;
    /// parameters are zero.
    ///
    /// # Errors
    /// As [`Lenet::build`].
    pub fn build(&self) -> Result<Model, GraphError> {
        check_widths(self.blocks.iter().flatten().chain(&self.linears))?;
        let mut chain = Chain::new(self.input_shape.to_vec());
        let (mut channels, mut place) = (self.input_shape[0], 0);
        for block in &self.blocks {
            for &out in block {
                chain = chain.conv(&format!("features.{place}"), [out, channels, 3, 3], 1).relu();
                (channels, place) = (out, place + 2);
            }
            chain = chain.max_pool();
            place += 1;
        }
        chain.classifier(&self.linears, |index| format!("classifier.{}", 2 * index))
    }
}

fn check_widths<'a>(mut widths: impl Iterator<Item = &'a usize>) -> Result<(), GraphError> {
    match widths.find(|width| !(1..=MAX_WIDTH).contains(*width)) {
        None => Ok(()),
        Some(width) => Err(GraphError::new("of the preset", "", "width", format!("1 to {MAX_WIDTH}"), width)),
    }
}

/// LeNet-300-100: three linear layers with ReLU between, on `[1, 28, 28]`; originally 266,610 parameters.
pub fn lenet300(widths: [usize; 3]) -> Model {
    let [fc1, fc2, fc3] = widths;
    Chain::new(vec![1, 28, 28])
        .flatten()
        .linear("fc1", [fc1, 784])
        .relu()
        .linear("fc2", [fc2, fc1])
        .relu()
        .linear("fc3", [fc3, fc2])
        .build()
}

/// Outputs of the layers of LeNet-300-100.
pub const LENET300_WIDTHS: [usize; 3] = [300, 100, 10];

/// Builds a chain of operators, each reading the one before. Parameters start at zero: see [`initialize`].
pub struct Chain {
    model: Model,
}

impl Chain {
    /// A chain that starts at an input of this shape (without the batch).
    pub fn new(input_shape: Vec<usize>) -> Self {
        let graph = Graph { input_name: "input".into(), input_shape, ..Graph::default() };
        Chain { model: Model { graph, parameters: Vec::new() } }
    }

    /// Appends a convolution with bias, stride 1 and the same padding on all sides; `shape` is `[out, in, kh, kw]`.
    pub fn conv(mut self, name: &str, shape: [usize; 4], pad: usize) -> Self {
        let (weight, bias) = self.parameters(name, &shape);
        let conv = Conv { weight, bias: Some(bias), stride: [1, 1], pads: [pad; 4], groups: 1, dilation: [1, 1] };
        self.node(name, Op::Conv(conv))
    }

    /// Appends a linear layer with bias; `shape` is `[out, in]`.
    pub fn linear(mut self, name: &str, shape: [usize; 2]) -> Self {
        let (weight, bias) = self.parameters(name, &shape);
        self.node(name, Op::Linear(Linear { weight, bias: Some(bias) }))
    }

    /// Appends the maximum of 2x2 windows, stride 2.
    pub fn max_pool(self) -> Self {
        let pool = Pool { kernel: [2, 2], stride: [2, 2], pads: [0; 4], ceil: false, count_pads: false };
        let name = format!("pool{}", self.model.graph.nodes.len());
        self.node(&name, Op::MaxPool(pool))
    }

    /// Appends a ReLU.
    pub fn relu(self) -> Self {
        let name = format!("relu{}", self.model.graph.nodes.len());
        self.node(&name, Op::Relu)
    }

    /// Appends a flattening to one dimension.
    pub fn flatten(self) -> Self {
        self.node("flatten", Op::Flatten)
    }

    /// Appends a flattening, and linear layers with ReLU between; the model is then finished.
    fn classifier(self, linears: &[usize], name: impl Fn(usize) -> String) -> Result<Model, GraphError> {
        let mut chain = self.flatten();
        let shapes = chain.model.shapes()?;
        let mut features = shapes.last().and_then(|shape| shape.first()).copied().unwrap_or(0);
        for (index, &out) in linears.iter().enumerate() {
            if index > 0 {
                chain = chain.relu();
            }
            chain = chain.linear(&name(index), [out, features]);
            features = out;
        }
        let model = chain.build();
        model.shapes()?;
        Ok(model)
    }

    /// The finished model.
    pub fn build(self) -> Model {
        self.model
    }

    fn parameters(&mut self, name: &str, shape: &[usize]) -> (ParamId, ParamId) {
        let id = self.model.parameters.len();
        for (suffix, shape) in [("weight", shape), ("bias", &shape[..1])] {
            self.model
                .parameters
                .push(Parameter { name: format!("{name}.{suffix}"), values: ArrayD::zeros(IxDyn(shape)) });
        }
        (ParamId(id), ParamId(id + 1))
    }

    fn node(mut self, name: &str, op: Op) -> Self {
        let input = ValueId(self.model.graph.nodes.len());
        self.model.graph.nodes.push(Node { name: name.to_owned(), op, inputs: vec![input] });
        self
    }
}

/// Draws every weight from a uniform distribution of variance `2 / fan-in` (He et al. 2015), and zeroes the biases.
pub fn initialize(model: &mut Model, rng: &mut impl Rng) {
    for parameter in &mut model.parameters {
        let fan_in: usize = parameter.values.shape().iter().skip(1).product();
        let bias = parameter.values.ndim() == 1;
        let bound = if bias { 0.0 } else { (6.0 / fan_in.max(1) as f32).sqrt() };
        parameter.values.mapv_inplace(|_| bound * (2.0 * rng.random::<f32>() - 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_originals_have_their_numbers_of_parameters() {
        assert_eq!(lenet5(LENET5_WIDTHS).parameter_count(), 431_080);
        assert_eq!(lenet300(LENET300_WIDTHS).parameter_count(), 266_610);
    }

    #[test]
    fn relatives_are_built_and_include_the_original() {
        let original = Lenet {
            input_shape: [1, 28, 28],
            convolutions: vec![20, 50],
            padding: 0,
            relu: false,
            linears: vec![500, 10],
        };
        assert_eq!(original.build(), Ok(lenet5(LENET5_WIDTHS)));
        let padded = Lenet { padding: 2, relu: true, convolutions: vec![32, 64], linears: vec![256, 10], ..original };
        let model = padded.build().unwrap();
        assert_eq!(model.shapes().unwrap()[6], [64, 7, 7]);
        assert_eq!(model.parameter_count(), 832 + 51_264 + 64 * 49 * 256 + 256 + 2570);
        let classic = Lenet { padding: 0, convolutions: vec![6, 16], linears: vec![120, 84, 10], ..padded.clone() };
        assert_eq!(classic.build().unwrap().parameter_count(), 44_426);
        let deep = Lenet { padding: 0, convolutions: vec![1, 1, 1], ..padded.clone() };
        assert_eq!(deep.build().unwrap_err().what, "window");
        assert!(Lenet { linears: vec![0], ..padded }.build().is_err());
    }

    #[test]
    fn a_window_larger_than_its_image_is_an_error() {
        let shallow = Vgg { input_shape: [3, 32, 32], blocks: vec![vec![4]; 6], linears: vec![8, 10] };
        assert_eq!(shallow.build().unwrap_err().what, "window");
    }
}
