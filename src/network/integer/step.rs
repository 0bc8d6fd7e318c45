//! The operators in integers: made for a graph's shapes and formats, and proved not to overflow.

use super::values::Values;
use crate::error::GraphError;
use crate::kernels::correlate::Window;
use crate::kernels::fixed::{self, Addition, Block, Rescale, Row, Sums, WINDOW_LIMIT};
use crate::kernels::pool::Pooling;
use crate::model::{ActivationFormat, FixedParameter, FixedPoint, Node, Op, ParamId};
use crate::network::operators::pool;

/// A node that has to run.
#[derive(Debug, Clone)]
pub struct Step {
    pub work: Work,
    /// Values that it reads.
    pub inputs: Vec<usize>,
    /// The value that it makes.
    pub output: usize,
    /// Values that nothing reads after it.
    pub frees: Vec<usize>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Work {
    /// A convolution or a linear layer.
    Layer(Window, Vec<Row>, Rescale),
    /// A layer whose sums are the answer.
    Logits(Window, Vec<Row>),
    Add(Addition),
    Maximum(Pooling, Rescale),
    Mean(Pooling, Rescale),
    /// A ReLU or another shape: another format or none.
    Rescale(Rescale),
}

/// What all nodes are made from.
pub struct Maker<'a> {
    pub fixed: &'a FixedPoint,
    pub values: &'a Values,
    pub formats: &'a [ActivationFormat],
    /// Of every value.
    pub shapes: &'a [Vec<usize>],
}

impl Maker<'_> {
    /// The steps that the logits need, in order.
    ///
    /// # Errors
    /// [`GraphError`] names a node whose format is not one that it can have, whose weights do not fit 16 bits, or whose sums
    /// might not fit 32.
    pub fn steps(&self) -> Result<Vec<Step>, GraphError> {
        let nodes = self.fixed.graph.nodes.iter().enumerate().filter(|(index, _)| self.values.needed[index + 1]);
        let mut steps = nodes.map(|(index, node)| self.step(index + 1, node)).collect::<Result<Vec<_>, _>>()?;
        let mut met = vec![false; self.shapes.len()];
        for step in steps.iter_mut().rev() {
            step.inputs
                .iter()
                .filter(|&&input| !std::mem::replace(&mut met[input], true))
                .for_each(|&input| step.frees.push(input));
        }
        Ok(steps)
    }

    fn step(&self, output: usize, node: &Node) -> Result<Step, GraphError> {
        let inputs: Vec<usize> = node.inputs.iter().map(|input| input.0).collect();
        let (from, to) = (&self.shapes[inputs[0]], &self.shapes[output]);
        let fraction = |value: usize| i32::from(self.formats[value].fraction_bits);
        let rescale = || self.check_format(output, node).map(|()| self.rescale(fraction(inputs[0]), output));
        let work = match &node.op {
            Op::Conv(conv) => {
                let shape = &self.fixed.parameters[conv.weight.0].shape;
                let window = Window {
                    channels: from[0],
                    input: [from[1], from[2]],
                    output: [to[1], to[2]],
                    kernel: [shape[2], shape[3]],
                    stride: conv.stride,
                    lead: [conv.pads[0] as isize, conv.pads[1] as isize],
                };
                let channel = |row: usize| row / (shape[0] / conv.groups) * shape[1];
                self.layer(output, node, window, channel, (conv.weight, conv.bias))?
            }
            Op::Linear(linear) => {
                self.layer(output, node, Window::linear(from[0]), |_| 0, (linear.weight, linear.bias))?
            }
            Op::Add => {
                self.check_format(output, node)?;
                let operands = [fraction(inputs[0]), fraction(inputs[1])];
                Work::Add(Addition::new(operands, fraction(output), self.values.range(output)))
            }
            Op::MaxPool(window) => Work::Maximum(pool::pooling(window, from, to), rescale()?),
            Op::AveragePool(window) => self.mean(node, pool::pooling(window, from, to), rescale()?)?,
            Op::GlobalAveragePool => self.mean(node, pool::global(from), rescale()?)?,
            Op::Relu | Op::Flatten | Op::Reshape(_) => Work::Rescale(rescale()?),
            // A softmax; `check_operators` has refused all others.
            _ => {
                let got = format!("node {output} of {}", self.fixed.graph.nodes.len());
                return Err(node.fault("place in a network of integers", "the end", got));
            }
        };
        Ok(Step { work, inputs, output, frees: Vec::new() })
    }

    fn rescale(&self, from: i32, output: usize) -> Rescale {
        Rescale::new(from, self.formats[output].fraction_bits.into(), self.values.range(output))
    }

    fn layer(
        &self,
        output: usize,
        node: &Node,
        window: Window,
        channel: impl Fn(usize) -> usize,
        (weight, bias): (ParamId, Option<ParamId>),
    ) -> Result<Work, GraphError> {
        let input = node.inputs[0].0;
        let weight = &self.fixed.parameters[weight.0];
        let scale = sum_fraction_bits(self.formats[input], weight);
        let weights = weight
            .integers()
            .into_iter()
            .map(|weight| i16::try_from(weight).map_err(|_| node.fault("weight", "a 16-bit integer", weight)));
        let weights = weights.collect::<Result<Vec<i16>, _>>()?;
        let bias = bias.map(|id| &self.fixed.parameters[id.0]);
        let biases = bias.map(FixedParameter::integers).unwrap_or_default();
        let shift = bias.map_or(0, |bias| scale - i32::from(bias.codebook.fraction_bits()));
        let range = self.values.range(input);
        let largest = range.end().max(&-range.start()).to_owned();
        let mut rows = Vec::new();
        let per_row = weight.shape.iter().skip(1).product::<usize>().max(1);
        for (index, weights) in weights.chunks_exact(per_row).enumerate() {
            let bias = align(biases.get(index).copied().unwrap_or(0), shift);
            let too_large =
                |bound: i64| node.fault("magnitude of a sum, in 32 bits", format!("at most {}", i32::MAX), bound);
            let row = Row::new(&window, channel(index), weights, i32::try_from(bias).map_err(|_| too_large(bias))?);
            // Rounding and shifting are done in 64 bits.
            let bound = row.bound(largest);
            if bound > i64::from(i32::MAX) {
                return Err(too_large(bound));
            }
            rows.push(row);
        }
        if output != self.values.logits {
            self.check_format(output, node)?;
            return Ok(Work::Layer(window, rows, self.rescale(scale, output)));
        }
        let expected = wide_format(node, scale)?;
        if self.formats[output] != expected {
            return Err(node.fault("format", format!("{expected:?}"), format!("{:?}", self.formats[output])));
        }
        Ok(Work::Logits(window, rows))
    }

    fn mean(&self, node: &Node, pooling: Pooling, rescale: Rescale) -> Result<Work, GraphError> {
        let [height, width] = pooling.kernel;
        if height.checked_mul(width).is_none_or(|pixels| pixels > WINDOW_LIMIT) {
            let expected = format!("at most {WINDOW_LIMIT} pixels");
            return Err(node.fault("window of a mean, in 32 bits", expected, format!("{height} x {width}")));
        }
        Ok(Work::Mean(pooling, rescale))
    }

    fn check_format(&self, value: usize, node: &Node) -> Result<(), GraphError> {
        let (expected, got) = (self.values.bits(value), self.formats[value].bits);
        if expected == got {
            return Ok(());
        }
        Err(node.fault("bits of the activations", expected, got))
    }
}

/// The n of a layer's sums, whose unit is `2^-n`.
pub fn sum_fraction_bits(input: ActivationFormat, weight: &FixedParameter) -> i32 {
    i32::from(input.fraction_bits) + i32::from(weight.codebook.fraction_bits())
}

/// The format of sums that are the answer.
///
/// # Errors
/// [`GraphError`] if their unit is too small or too large for a format.
pub fn wide_format(node: &Node, fraction_bits: i32) -> Result<ActivationFormat, GraphError> {
    match i8::try_from(fraction_bits) {
        Ok(fraction_bits) => Ok(ActivationFormat { bits: 32, fraction_bits }),
        Err(_) => Err(node.fault("fraction bits of the sums", "-128 to 127", fraction_bits)),
    }
}

/// A bias shifted to the left to the scale of the sums; to the right, rounded to the nearest, if that is coarser.
fn align(bias: i32, shift: i32) -> i64 {
    let bias = i64::from(bias);
    match shift {
        // Whatever is shifted so far does not fit 32 bits, unless it is 0.
        0.. => bias << shift.min(32),
        _ => {
            let right = (-shift).min(62);
            (bias + (1 << (right - 1))) >> right
        }
    }
}

/// What a step makes.
#[derive(Debug)]
pub enum Made {
    Activations(Vec<Block>),
    /// The logits of a layer.
    Sums(Vec<Sums>),
}

impl Step {
    /// Computes `length` numbers of each sample from earlier values.
    ///
    /// # Errors
    /// [`GraphError`] if memory does not suffice.
    pub fn run(&self, values: &[Vec<Block>], length: usize) -> Result<Made, GraphError> {
        let input = &values[self.inputs[0]];
        let narrow = |kernel: &dyn Fn(&mut [Block])| {
            let mut output = filled(length, Block::default())?;
            kernel(&mut output);
            Ok(Made::Activations(output))
        };
        match &self.work {
            Work::Layer(window, rows, rescale) => {
                narrow(&|output| fixed::correlate(window, rows, *rescale, input, output))
            }
            Work::Logits(window, rows) => {
                let mut sums = filled(length, Sums::default())?;
                fixed::correlate_wide(window, rows, input, &mut sums);
                Ok(Made::Sums(sums))
            }
            Work::Add(addition) => narrow(&|output| fixed::add(*addition, input, &values[self.inputs[1]], output)),
            Work::Maximum(pooling, rescale) => narrow(&|output| fixed::maximum(pooling, *rescale, input, output)),
            Work::Mean(pooling, rescale) => narrow(&|output| fixed::mean(pooling, *rescale, input, output)),
            Work::Rescale(rescale) => narrow(&|output| fixed::rescale(*rescale, input, output)),
        }
    }
}

/// So many times the same.
///
/// # Errors
/// [`GraphError`] if memory does not suffice.
pub fn filled<T: Copy>(length: usize, value: T) -> Result<Vec<T>, GraphError> {
    let mut values = Vec::new();
    if values.try_reserve_exact(length).is_err() {
        let expected = format!("{} bytes", length.saturating_mul(size_of::<T>()));
        return Err(GraphError::new("activations", "", "memory", expected, "less"));
    }
    values.resize(length, value);
    Ok(values)
}
