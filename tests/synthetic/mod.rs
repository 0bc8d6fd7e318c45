//! Networks whose weights have the structure of pruned ones, without training: densities that vary by filter, input and
//! place, clusters in kernels, Laplacian magnitudes.

use nutshell::model::{Codebook, FixedParameter, FixedPoint, Model};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// A network with the graph and shapes of `model`, made smaller from `original`.
pub fn fixed_point(
    model: &Model,
    original: Option<&Model>,
    density: f64,
    codebook: fn(usize, &mut Pcg64Mcg) -> Codebook,
    rng: &mut Pcg64Mcg,
) -> FixedPoint {
    let parameters = model
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| {
            let shape = parameter.values.shape().to_vec();
            let codebook = codebook(index, rng);
            let mut symbols =
                if shape.len() == 1 { vector(shape[0], density, rng) } else { matrix(&shape, density, rng) };
            for symbol in &mut symbols {
                while codebook.integer(*symbol).is_none() {
                    *symbol -= symbol.signum();
                }
            }
            FixedParameter { name: parameter.name.clone(), shape, symbols, codebook }
        })
        .collect();
    let original_shapes = original.unwrap_or(model).parameter_shapes();
    FixedPoint { graph: model.graph.clone(), parameters, original_shapes }
}

/// A step that is a power of two.
pub fn uniform(index: usize, rng: &mut Pcg64Mcg) -> Codebook {
    Codebook::integers(if index.is_multiple_of(2) { rng.random_range(-2..6) } else { 4 })
}

/// A few centroids of either sign.
pub fn free(_: usize, rng: &mut Pcg64Mcg) -> Codebook {
    let mut side = || {
        let mut last = 0;
        let count = rng.random_range(0..8);
        (0..count)
            .map(|_| {
                last += rng.random_range(1..40u16);
                last
            })
            .collect()
    };
    let (positive, negative) = (side(), side());
    Codebook::Free { fraction_bits: 6, positive, negative }
}

fn vector(length: usize, density: f64, rng: &mut Pcg64Mcg) -> Vec<i16> {
    (0..length).map(|_| if rng.random_bool(density) { rng.random_range(-60..60) } else { 0 }).collect()
}

fn normal(rng: &mut Pcg64Mcg) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// Log-odds of being set add up over row, channel, column and place, and rise beside set neighbours; rows and channels
/// come in the order of their density, as they may be permuted for nothing.
fn matrix(shape: &[usize], density: f64, rng: &mut Pcg64Mcg) -> Vec<i16> {
    let (rows, channels, taps) = match *shape {
        [rows, channels, height, width] => (rows, channels, [height, width]),
        [rows, columns] if columns.is_multiple_of(16) => (rows, columns / 16, [4, 4]),
        [rows, columns] => (rows, columns, [1, 1]),
        _ => (1, shape.iter().product(), [1, 1]),
    };
    if density == 0.0 || density == 1.0 {
        let all = usize::from(density == 1.0) as i16;
        return vec![all; rows * channels * taps[0] * taps[1]];
    }
    let mut effects = |count: usize, deviation: f64, sorted: bool| {
        let mut effects: Vec<f64> = (0..count).map(|_| deviation * normal(rng)).collect();
        if sorted {
            effects.sort_by(|a, b| b.total_cmp(a));
        }
        effects
    };
    let row_effects = effects(rows, 0.7, true);
    let channel_effects = effects(channels, 0.7, true);
    let tap_effects = effects(taps[0] * taps[1], 0.4, false);
    let column_effects = effects(channels * taps[0] * taps[1], 0.5, false);
    let kernel_effects = effects(rows * channels, 0.6, false);
    let base = (density / (1.0 - density)).ln() - 0.6;
    let mut symbols: Vec<i16> = Vec::with_capacity(rows * channels * taps[0] * taps[1]);
    for row in 0..rows {
        for channel in 0..channels {
            for y in 0..taps[0] {
                for x in 0..taps[1] {
                    let tap = y * taps[1] + x;
                    let at = |back: usize, there: bool| if there { symbols[symbols.len() - back] } else { 0 };
                    let near = [at(1, x > 0), at(taps[1], y > 0)];
                    let set = near.iter().filter(|&&symbol| symbol != 0).count() as f64;
                    let odds = base
                        + row_effects[row]
                        + channel_effects[channel]
                        + tap_effects[tap]
                        + column_effects[channel * taps[0] * taps[1] + tap]
                        + kernel_effects[row * channels + channel]
                        + 0.5 * set;
                    if !rng.random_bool(1.0 / (1.0 + (-odds).exp())) {
                        symbols.push(0);
                        continue;
                    }
                    let magnitude = 1 + (rng.random_bool(0.3) as i16) + (rng.random_bool(0.12) as i16);
                    let lean: i16 = near.iter().map(|symbol| symbol.signum()).sum();
                    let negative = rng.random_bool(1.0 / (1.0 + (0.6 * f64::from(lean)).exp()));
                    symbols.push(if negative { -magnitude } else { magnitude });
                }
            }
        }
    }
    symbols
}
