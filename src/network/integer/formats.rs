//! The formats of activations, searched on samples.

use super::step::{sum_fraction_bits, wide_format};
use super::values::Values;
use super::{check_bits, check_operators};
use crate::data::Samples;
use crate::error::{DataError, Error};
use crate::model::{ActivationFormat, FixedPoint, Model, ValueId};
use crate::network::evaluate::activations;
use std::ops::RangeInclusive;

/// Formats that are tried: the finest in which the largest number just fits, and so many finer ones, which saturate.
const FINER: i32 = 2;
/// Formats of numbers so large or small that 32-bit floats hardly hold them are cut to these.
const FRACTION_BITS: (f32, f32) = (-113.0, 120.0);
/// Activations that are looked at together, unless one sample has more.
const CHUNK: usize = 4 << 20;
/// The most samples that are looked at together.
const CHUNK_SAMPLES: usize = 256;

/// A format of `bits` bits (2 to 8) for each value of the graph, of 8 for the input: that with the least squared error of the numbers that the network in floating
/// point has there, on these samples. A maximum, a flattening and a ReLU whose input is needed nowhere else share their
/// input's format. Which values are unsigned is said at [`IntegerNetwork`](super::IntegerNetwork).
///
/// The logits, if a layer makes them, have 32 bits, at the scale of its sums. What the logits do not need (a softmax at the
/// end) has their format.
///
/// # Errors
/// If the network does not run on these samples, there are none, or the scale of the logits is no format; and for other bits.
pub fn search_formats(fixed: &FixedPoint, samples: &Samples, bits: u8) -> Result<Vec<ActivationFormat>, Error> {
    if samples.is_empty() {
        let (expected, got) = ("at least 1".into(), "none".into());
        return Err(DataError { what: "samples to choose formats by", expected, got }.into());
    }
    check_bits(&fixed.graph, bits)?;
    let model = fixed.to_model();
    let shapes = model.shapes()?;
    check_operators(&fixed.graph, &shapes)?;
    let values = Values::new(&fixed.graph, &shapes, &samples.scaling, bits);
    let mut observed: Vec<Observed> = Vec::new();
    for value in (0..shapes.len()).filter(|&value| values.read[value] && !(values.wide && value == values.logits)) {
        let (source, range, length) = (values.source[value], values.range(value), shapes[value].iter().product());
        observed.push(Observed { value: ValueId(value), source, range, length });
    }

    // The unit with which the largest number would just round to the end of the range.
    let mut units = vec![0.0f32; shapes.len()];
    for_each_number(&model, samples, &observed, |Observed { source, range, .. }, numbers| {
        let (lowest, highest) = (f32::from(*range.start()) - 0.49, f32::from(*range.end()) + 0.49);
        let unit = |number: f32| (number / lowest).max(number / highest);
        units[*source] = numbers.iter().fold(units[*source], |largest, &number| largest.max(unit(number)));
    })?;
    let fitting = |unit: f32| match unit {
        0.0 => 0,
        _ => (-unit.log2()).floor().clamp(FRACTION_BITS.0, FRACTION_BITS.1) as i32,
    };
    let fitting: Vec<i32> = units.into_iter().map(fitting).collect();

    let mut errors = vec![[0.0f64; FINER as usize + 1]; shapes.len()];
    for_each_number(&model, samples, &observed, |Observed { source, range, .. }, numbers| {
        for (finer, error) in errors[*source].iter_mut().enumerate() {
            *error += squared_error(numbers, fitting[*source] + finer as i32, range);
        }
    })?;
    let best = |source: usize| {
        let finer = errors[source].iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(finer, _)| finer);
        ActivationFormat { bits: values.bits(source), fraction_bits: (fitting[source] + finer as i32) as i8 }
    };
    let logits = match fixed.graph.nodes.get(values.logits.wrapping_sub(1)) {
        Some(node) if values.wide => {
            let input = best(values.source[node.inputs[0].0]);
            let scale = node.op.layer().map_or(0, |(weight, _)| sum_fraction_bits(input, &fixed.parameters[weight.0]));
            wide_format(node, scale)?
        }
        _ => best(values.source[values.logits]),
    };
    let format = |value: usize| match value != values.logits && values.needed[value] {
        true => best(values.source[value]),
        false => logits,
    };
    Ok((0..shapes.len()).map(format).collect())
}

/// A value that is looked at.
struct Observed {
    value: ValueId,
    /// The value whose format it has.
    source: usize,
    /// The integers that it may have.
    range: RangeInclusive<i16>,
    /// Numbers of one sample.
    length: usize,
}

/// Runs the network in floating point and shows the numbers of each observed value, some samples at a time.
fn for_each_number(
    model: &Model,
    samples: &Samples,
    observed: &[Observed],
    mut visit: impl FnMut(&Observed, &[f32]),
) -> Result<(), Error> {
    let ids: Vec<ValueId> = observed.iter().map(|observed| observed.value).collect();
    let length: usize = observed.iter().map(|observed| observed.length).sum();
    let chunk = (CHUNK / length.max(1)).clamp(1, CHUNK_SAMPLES);
    for first in (0..samples.len()).step_by(chunk) {
        let numbers = activations(model, &ids, &samples.range(first, first + chunk))?;
        for (observed, numbers) in observed.iter().zip(&numbers) {
            visit(observed, numbers.as_slice().unwrap_or_default());
        }
    }
    Ok(())
}

/// What rounding to integers of `range` in units of `2^-fraction_bits` does to these numbers.
fn squared_error(numbers: &[f32], fraction_bits: i32, range: &RangeInclusive<i16>) -> f64 {
    let (scale, unit) = ((fraction_bits as f32).exp2(), (-fraction_bits as f32).exp2());
    let (lowest, highest) = (f32::from(*range.start()), f32::from(*range.end()));
    let error = |number: f32| f64::from((number * scale).round().clamp(lowest, highest) * unit - number).powi(2);
    numbers.iter().map(|&number| error(number)).sum()
}
