//! Rounding of layers of which nothing is known but their weights, and whether their inputs have a mean.

use super::dependent::{self, Dependent};
use super::feedback::{Feedback, round};
use super::noise::{Layer, Quantized, Rounding};
use ndarray::{Array2, ArrayView2};

/// How much the mean of a layer's inputs counts where nothing is known of them, beside their variances.
const STRENGTH: f64 = 1.0;
/// Where more of the symbols are 0, most errors are those of weights that are left out, and what goes on of them does harm.
const MOST_ZEROS: f64 = 0.5;

/// The symbols of a layer at a price, of which nothing is known but its weights; `axis` is the one of its outputs. If its inputs have a mean, the errors of
/// a row have a sum near 0, unless most of it is 0. `None` where [`Layer::step`] is.
///
/// `trellis` asks for multiples that a trellis has, whose outputs are along axis 0.
pub fn round_alone(
    layer: &Layer,
    price: f64,
    (shape, axis): (&[usize], usize),
    means: bool,
    trellis: bool,
) -> Option<Quantized> {
    let step = layer.step(price)?;
    let outputs = shape.get(axis).copied().unwrap_or(1);
    let finer = (trellis && axis == 0).then_some(step * dependent::STEP);
    let finer = finer.filter(|&step| layer.largest() / step < f32::from(i16::MAX));
    let rounding = Rounding::new(&layer.values, step).in_steps();
    let zeros = || layer.values.iter().filter(|&&value| rounding.symbol(value / step) == 0).count();
    let means = means && zeros() as f64 <= MOST_ZEROS * layer.values.len() as f64;
    let feedback = [if means { Feedback::Sums { strength: STRENGTH } } else { Feedback::None }];
    if finer.is_none() && !means {
        return layer.quantize(price);
    }
    // Row after row, whatever the axis of the outputs is.
    let inner: usize = shape.get(axis + 1..).unwrap_or_default().iter().product();
    let inputs = layer.values.len() / outputs.max(1);
    let place = |output: usize, input: usize| (input / inner * outputs + output) * inner + input % inner;
    let gathered;
    let rows = match axis {
        0 => ArrayView2::from_shape((outputs, inputs), &layer.values).ok()?,
        _ => {
            gathered = Array2::from_shape_fn((outputs, inputs), |(row, input)| layer.values[place(row, input)]);
            gathered.view()
        }
    };
    if let Some(step) = finer {
        let rounding = Dependent::new(rows, step, i16::MAX);
        return Some(Quantized { step, symbols: round(rows, step, &feedback, &rounding) });
    }
    let rounded = round(rows, step, &feedback, &rounding);
    if axis == 0 {
        return Some(Quantized { step, symbols: rounded });
    }
    let mut symbols = vec![0; rounded.len()];
    for (index, symbol) in rounded.into_iter().enumerate() {
        symbols[place(index / inputs, index % inputs)] = symbol;
    }
    Some(Quantized { step, symbols })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// Outputs last, as Keras has them, and the same weights with the outputs first.
    #[test]
    fn rows_are_found_along_any_axis() {
        let mut rng = Pcg64Mcg::seed_from_u64(12);
        let last = Array2::from_shape_simple_fn((30, 40), || 4.0 * rng.random::<f32>() - 2.0);
        let first = last.t().as_standard_layout().into_owned();
        let rounded = |weights: &Array2<f32>, axis: usize| {
            let layer = Layer::new(weights.iter().copied().collect());
            let symbols = round_alone(&layer, 1e-5, (weights.shape(), axis), true, false).unwrap().symbols;
            Array2::from_shape_vec(weights.dim(), symbols).unwrap()
        };
        assert_eq!(rounded(&last, 1), rounded(&first, 0).t());
    }
}
