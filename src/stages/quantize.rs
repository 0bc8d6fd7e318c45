//! Fixed point: every parameter as small integers and a codebook of Qm.n numbers.

use super::Meta;
use super::share::Shared;
use crate::model::{Codebook, FixedParameter, FixedPoint, Model, Parameter};
use crate::ranking::ranked;
use ndarray::ArrayD;

/// Rounding to fixed point. It has no numbers of its own: the step and the levels are those that *refine* trains on.
pub const META: Meta = Meta { name: "quantize", sentence: "rounds the shared values to fixed point", settings: &[] };

/// Centroids and biases are rounded to integers of at most this magnitude: 8 bits with the sign.
const LARGEST_INTEGER: i16 = 127;
/// More values than this are no codebook.
const LARGEST_CODEBOOK: usize = 255;
/// Bits of weights that are not shared, where nothing trains them any more.
const UNSHARED_BITS: u8 = 8;
/// Biases that will be trained on are coarser, so that they cost few bits: 5 with the sign, before training.
const LARGEST_TRAINED_BIAS: i16 = 15;
/// Formats from Q120.-113 to: what a 32-bit float can say without rounding, and to spare.
pub const FRACTION_BITS: std::ops::RangeInclusive<f32> = -113.0..=120.0;

/// Rounds a network whose weights are shared: to a grid of so many levels in a step of so many root mean squares, which is what *refine* trains
/// on, or without one the centroids themselves.
pub fn run(model: &Model, grid: Option<(i16, f32)>, original_shapes: Vec<Vec<usize>>) -> FixedPoint {
    match grid {
        Some((levels, unit)) => quantize_uniform(model, levels, unit, original_shapes),
        None => {
            let shared = Shared::of_model(model);
            match shared.codebooks.iter().flatten().all(|codebook| codebook.len() <= LARGEST_CODEBOOK) {
                true => quantize_shared(&shared, original_shapes),
                false => round(model, UNSHARED_BITS, original_shapes),
            }
        }
    }
}

/// Rounds every parameter to so many bits (2 to 16), vectors to 16; the n of each Qm.n is chosen so that the largest number just fits.
pub fn round(model: &Model, bits: u8, original_shapes: Vec<Vec<usize>>) -> FixedPoint {
    let largest = |bits: u8| ((1u32 << (bits - 1)) - 1) as i16;
    let parameters = model.parameters.iter().map(|parameter| {
        let bits = if parameter.values.ndim() < 2 { 16 } else { bits };
        uniform(parameter, fitting(&parameter.values, largest(bits)))
    });
    FixedPoint { graph: model.graph.clone(), parameters: parameters.collect(), original_shapes }
}

/// Rounds the centroids of shared weights to 8-bit Qm.n numbers, and the biases too; the n of each is chosen so that the
/// largest just fits. Centroids that become equal are merged; one that becomes 0 is pruned.
pub fn quantize_shared(shared: &Shared, original_shapes: Vec<Vec<usize>>) -> FixedPoint {
    let parameters = shared
        .model
        .parameters
        .iter()
        .zip(&shared.codebooks)
        .map(|(parameter, centroids)| {
            let Some(centroids) = centroids else {
                return uniform(parameter, fitting(&parameter.values, LARGEST_INTEGER));
            };
            let fraction_bits = fitting(&parameter.values, LARGEST_INTEGER);
            let scale = f32::from(fraction_bits).exp2();
            let side = |sign: f32| {
                let integer = |&centroid: &f32| (sign * centroid * scale).round() as u16;
                let unordered: Vec<u16> = centroids.iter().map(integer).filter(|&i| i > 0).collect();
                let order = ranked(unordered.len(), &|place| unordered[place].into());
                let mut integers: Vec<u16> = order.into_iter().map(|place| unordered[place]).collect();
                integers.dedup();
                integers
            };
            let (positive, negative) = (side(1.0), side(-1.0));
            let rank = |integers: &[u16], magnitude: f32| {
                integers.binary_search(&(magnitude.round() as u16)).map_or(0, |rank| rank as i16 + 1)
            };
            let symbols = parameter
                .values
                .iter()
                .map(|&value| value * scale)
                .map(|value| if value > 0.0 { rank(&positive, value) } else { -rank(&negative, -value) })
                .collect();
            FixedParameter {
                name: parameter.name.clone(),
                shape: parameter.values.shape().to_vec(),
                symbols,
                codebook: Codebook::Free { fraction_bits, positive, negative },
            }
        })
        .collect();
    FixedPoint { graph: shared.model.graph.clone(), parameters, original_shapes }
}

/// Rounds weights to integers from `-levels` to `levels` in a power-of-two step near `unit` times the root mean square of
/// the layer's nonzero weights, and biases to 5 bits: where quantization-aware training starts from.
pub fn quantize_uniform(model: &Model, levels: i16, unit: f32, original_shapes: Vec<Vec<usize>>) -> FixedPoint {
    let parameters = model
        .parameters
        .iter()
        .map(|parameter| {
            if parameter.values.ndim() < 2 {
                return uniform(parameter, fitting(&parameter.values, LARGEST_TRAINED_BIAS));
            }
            let (sum, count) = parameter
                .values
                .iter()
                .filter(|&&value| value != 0.0)
                .fold((0.0f64, 0usize), |(sum, count), &value| (sum + f64::from(value).powi(2), count + 1));
            let root_mean_square = (sum / count.max(1) as f64).sqrt() as f32;
            let mut fixed = uniform(parameter, fraction_bits_of_step(unit * root_mean_square));
            for symbol in &mut fixed.symbols {
                *symbol = (*symbol).clamp(-levels, levels);
            }
            fixed
        })
        .collect();
    FixedPoint { graph: model.graph.clone(), parameters, original_shapes }
}

/// A parameter in units of `2^-fraction_bits`.
pub fn uniform(parameter: &Parameter, fraction_bits: i8) -> FixedParameter {
    let scale = f32::from(fraction_bits).exp2();
    FixedParameter {
        name: parameter.name.clone(),
        shape: parameter.values.shape().to_vec(),
        symbols: parameter.values.iter().map(|value| (value * scale).round() as i16).collect(),
        codebook: Codebook::integers(fraction_bits),
    }
}

/// The n of the finest Qm.n in which no value rounds to more than `largest` units.
pub fn fitting(values: &ArrayD<f32>, largest: i16) -> i8 {
    fitting_fraction_bits(values.iter().fold(0.0f32, |magnitude, value| magnitude.max(value.abs())), largest)
}

/// The n of the finest Qm.n in which `magnitude` rounds to at most `largest` units; 0 for a magnitude of 0.
pub fn fitting_fraction_bits(magnitude: f32, largest: i16) -> i8 {
    if magnitude == 0.0 {
        return 0;
    }
    let exponent = ((f32::from(largest) + 0.49) / magnitude).log2().floor();
    exponent.clamp(*FRACTION_BITS.start(), *FRACTION_BITS.end()) as i8
}

/// The n of the Qm.n whose unit is nearest to `step`, on a logarithmic scale.
fn fraction_bits_of_step(step: f32) -> i8 {
    if step == 0.0 { 0 } else { (-step.log2()).round().clamp(*FRACTION_BITS.start(), *FRACTION_BITS.end()) as i8 }
}
