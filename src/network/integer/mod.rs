//! Runs a [`FixedPoint`] network with integers only: integer weights, activations of 8 bits or fewer, 32-bit sums.
//!
//! A value of the graph is `integer * 2^-n`, with an n of its own, and so is a parameter; a layer's sums have the n of its
//! input and its weights together. Biases are brought to that n beforehand, sums to the output's n by a shift that
//! rounds to the nearest, halves upwards, and saturates. So do the means over a window, which divide before they round.
//! Operands of an addition are shifted to a common n.
//!
//! There is no zero point: a value is unsigned where it cannot be negative (behind a ReLU, or the input if its
//! scaling has no negative numbers) or where all that is done with it leads through maxima into a ReLU; else a signed one.
//!
//! Samples are bytes, and become integers through a table: each byte's scaled number, rounded to the input's format. With
//! [`Scaling::Unit`] and units of 1/256 that is `byte / 255 * 256`: the byte up to 127, one more above, and 255 itself at
//! the end, where 256 saturates.

mod formats;
mod step;
mod values;

pub use formats::search_formats;

use super::block::Entry;
use super::evaluate::Evaluation;
use super::loss::{labels, predictions};
use crate::data::{Row, Samples};
use crate::error::{DataError, Error, GraphError};
use crate::kernels::fixed::{BLOCK, Block, Sums};
use crate::model::{ActivationFormat, FixedPoint, Graph, Op, Scaling};
use crate::parallel;
use ndarray::Array2;
use step::{Made, Maker, Step, filled};
use values::Values;

/// A network made ready to run with integers. It was proved that no sum of any input overflows.
#[derive(Debug, Clone)]
pub struct IntegerNetwork {
    input_shape: Vec<usize>,
    scaling: Scaling,
    /// The integer of each byte, in each channel that the scaling knows apart.
    input: Vec<Vec<i16>>,
    steps: Vec<Step>,
    /// Numbers of one sample, of each value.
    lengths: Vec<usize>,
    /// The value with the logits.
    logits: usize,
    fraction_bits: i8,
}

impl IntegerNetwork {
    /// Makes a network ready for samples of this scaling, with a format for each value: see [`search_formats`].
    ///
    /// # Errors
    /// [`GraphError`] if the shapes do not fit; if there are not as many formats as values, or one is of another width than
    /// `bits` (the input's: than 8 bits; that of logits that a layer makes: than 32 bits at the scale of its sums); if a weight
    /// does not fit 16 bits, or a sum of some input might not fit 32; and for a softmax that is not at the end.
    pub fn new(fixed: &FixedPoint, formats: &[ActivationFormat], scaling: &Scaling, bits: u8) -> Result<Self, Error> {
        check_bits(&fixed.graph, bits)?;
        let parameter_shapes: Vec<_> = fixed.parameters.iter().map(|parameter| parameter.shape.clone()).collect();
        let shapes = fixed.graph.shapes(&parameter_shapes)?;
        check_operators(&fixed.graph, &shapes)?;
        let fault = |what, expected: usize, got: usize| fault(&fixed.graph, what, expected, got);
        if formats.len() != shapes.len() {
            return Err(fault("formats of activations", shapes.len(), formats.len()).into());
        }
        if formats[0].bits != 8 {
            return Err(fault("bits of the input", 8, formats[0].bits.into()).into());
        }
        let values = Values::new(&fixed.graph, &shapes, scaling, bits);
        let steps = Maker { fixed, values: &values, formats, shapes: &shapes }.steps()?;
        let unit = 2f64.powi(-i32::from(formats[0].fraction_bits));
        let (lowest, highest) = (f64::from(*values.range(0).start()), f64::from(*values.range(0).end()));
        let integer = |channel: usize, byte: u8| {
            let (factor, offset) = scaling.affine(channel);
            let number = f64::from(factor) * f64::from(byte) + f64::from(offset);
            (number / unit).round().clamp(lowest, highest) as i16
        };
        Ok(IntegerNetwork {
            input_shape: fixed.graph.input_shape.clone(),
            scaling: scaling.clone(),
            input: (0..scaling.channels().unwrap_or(1))
                .map(|channel| (0..=255).map(|byte| integer(channel, byte)).collect())
                .collect(),
            steps,
            lengths: shapes.iter().map(|shape| shape.iter().product()).collect(),
            logits: values.logits,
            fraction_bits: formats[values.logits].fraction_bits,
        })
    }

    /// The n of the logits, whose unit is `2^-n`.
    pub fn fraction_bits(&self) -> i8 {
        self.fraction_bits
    }

    /// The logits `[samples, classes]` in units of `2^-n`: the network's answers before a softmax that ends it.
    ///
    /// # Errors
    /// If the samples are not bytes, or not of the network's shape and scaling, or memory does not suffice.
    pub fn logits(&self, samples: &Samples) -> Result<Array2<i32>, Error> {
        let entry = Entry::new(samples, &self.input_shape)?;
        if !samples.are_bytes() {
            let (expected, got) = ("bytes, for a network of integers".into(), "floats".into());
            return Err(DataError { what: "numbers", expected, got }.into());
        }
        if samples.scaling != self.scaling {
            let (expected, got) = (format!("{:?}", self.scaling), format!("{:?}", samples.scaling));
            return Err(DataError { what: "scaling", expected, got }.into());
        }
        struct Job {
            first: usize,
            sums: Result<Vec<Sums>, GraphError>,
        }
        let mut jobs: Vec<Job> =
            (0..samples.len()).step_by(BLOCK).map(|first| Job { first, sums: Ok(Vec::new()) }).collect();
        parallel::for_each(&mut jobs, |job| job.sums = self.block(samples, &entry, job.first));
        let mut logits = Array2::zeros((samples.len(), self.lengths[self.logits]));
        for Job { first, sums } in jobs {
            for (class, sums) in sums?.into_iter().enumerate() {
                for (sample, sum) in (first..samples.len()).zip(sums) {
                    logits[(sample, class)] = sum;
                }
            }
        }
        Ok(logits)
    }

    /// The logits of up to [`BLOCK`] samples.
    fn block(&self, samples: &Samples, entry: &Entry, first: usize) -> Result<Vec<Sums>, GraphError> {
        let mut values: Vec<Vec<Block>> = vec![Vec::new(); self.lengths.len()];
        values[0] = filled(self.lengths[0], Block::default())?;
        for (column, sample) in (first..samples.len().min(first + BLOCK)).enumerate() {
            let Row::Bytes(row) = samples.row(sample) else { continue };
            let row = entry.sized(row);
            let of_channel = row.len().div_ceil(self.input.len());
            for (value, place) in values[0].iter_mut().zip(entry.places()) {
                value[column] = self.input[place / of_channel][usize::from(row[place])];
            }
        }
        for step in &self.steps {
            match step.run(&values, self.lengths[step.output])? {
                Made::Activations(made) => values[step.output] = made,
                Made::Sums(sums) => return Ok(sums),
            }
            step.frees.iter().for_each(|&value| values[value] = Vec::new());
        }
        Ok(values[self.logits].iter().map(|value| value.map(i32::from)).collect())
    }

    /// The class with the largest logit for each sample; among equal ones the first.
    ///
    /// # Errors
    /// As [`Self::logits`].
    pub fn predict(&self, samples: &Samples) -> Result<Vec<usize>, Error> {
        Ok(predictions(&self.logits(samples)?))
    }

    /// Compares the answers to labelled samples with their labels. The loss is that of the logits as numbers, in floating
    /// point.
    ///
    /// # Errors
    /// As [`Self::logits`]; and [`DataError`] if there are no samples, no labels, or a label that the network has no
    /// output for.
    pub fn evaluate(&self, samples: &Samples) -> Result<Evaluation, Error> {
        let logits = self.logits(samples)?;
        let unit = 2f64.powi(-i32::from(self.fraction_bits));
        let evaluation = Evaluation::of_outputs(&logits.mapv(|logit| (f64::from(logit) * unit) as f32), samples)?;
        if evaluation.correct.is_none() {
            return Ok(evaluation);
        }
        // Integers that differ may be the same as 32-bit floats.
        let labels = labels(samples)?;
        let correct = predictions(&logits).iter().zip(&labels).filter(|(answer, label)| answer == label).count();
        Ok(Evaluation { correct: Some(correct), ..evaluation })
    }
}

/// Refuses activations of fewer than 2 bits, or of more than 8.
fn check_bits(graph: &Graph, bits: u8) -> Result<(), GraphError> {
    match bits {
        2..=8 => Ok(()),
        _ => Err(fault(graph, "bits of the activations", "2 to 8", bits.into())),
    }
}

/// Refuses what is not known in integers: all but the operators on one image or vector a sample, undilated and not broadcast.
fn check_operators(graph: &Graph, shapes: &[Vec<usize>]) -> Result<(), GraphError> {
    for node in &graph.nodes {
        let rank = |index: usize| shapes[node.inputs[index].0].len();
        let known = match &node.op {
            Op::Conv(conv) => rank(0) == 3 && conv.dilation == [1, 1],
            Op::Linear(_) | Op::Softmax => rank(0) == 1,
            Op::Add => shapes[node.inputs[0].0] == shapes[node.inputs[1].0],
            Op::MaxPool(_) | Op::AveragePool(_) | Op::GlobalAveragePool => rank(0) == 3,
            Op::Relu | Op::Flatten | Op::Reshape(_) => true,
            _ => false,
        };
        if !known {
            let expected = "Conv, Gemm, Add, Relu, pools, Flatten, of one image or vector a sample";
            let got = format!("one on {:?}", node.inputs.first().map(|input| &shapes[input.0]));
            return Err(node.fault("operator in a network of integers", expected, got));
        }
    }
    Ok(())
}

fn fault(graph: &Graph, what: &'static str, expected: impl ToString, got: usize) -> GraphError {
    GraphError::new(&graph.input_name, "", what, expected, got)
}
