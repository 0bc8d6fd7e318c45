//! Pictures that are drawn, for networks that come without any: noise whose octaves are equally strong, as in photographs, with discs and rectangles in it.

use super::Samples;
use crate::error::DataError;
use crate::model::Scaling;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// How many pictures are drawn to calibrate with.
pub const COUNT: usize = 60;
/// What is to be said of a run on them.
pub const SAID: &str =
    "no samples were given, so pictures were drawn to calibrate and to judge with: on real ones more answers change";

/// Discs and rectangles of a picture, at most.
const MOST_SHAPES: usize = 8;
/// How much of a shape covers what is behind it.
const COVERING: f32 = 0.7;
/// What the channels of a picture have in common, and what each has by itself, in deviations.
const SHARES: [f32; 2] = [0.8, 0.35];

/// Draws pictures for a network whose input has this shape, with its channels first or last.
///
/// # Errors
/// [`DataError`] if the network does not read pictures.
pub fn for_input(shape: &[usize], count: usize, seed: u64, scaling: Scaling) -> Result<Samples, DataError> {
    let shape = match *shape {
        [channels @ 1..=4, height, width] | [height, width, channels @ 1..=4] => [channels, height, width],
        _ => {
            let (expected, got) =
                ("a network of pictures, or samples: --data DATA".into(), format!("inputs of {shape:?}"));
            return Err(DataError { what: "effort calibrate without samples", expected, got });
        }
    };
    pictures(shape, count, seed, scaling)
}

/// Draws unlabelled pictures `[channels, height, width]` of bytes.
///
/// # Errors
/// [`DataError`] if the shape has no pixels, or is too large.
pub fn pictures(shape: [usize; 3], count: usize, seed: u64, scaling: Scaling) -> Result<Samples, DataError> {
    let [channels, height, width] = shape;
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut bytes = Vec::new();
    for _ in 0..count {
        let common = noise(height, width, &mut rng);
        let (mean, deviation) = (rng.random_range(90.0..150.0f32), rng.random_range(30.0..60.0f32));
        let mut picture: Vec<f32> = Vec::with_capacity(channels * height * width);
        for _ in 0..channels {
            let own = noise(height, width, &mut rng);
            let pixels = common.iter().zip(&own);
            picture.extend(pixels.map(|(common, own)| mean + deviation * (SHARES[0] * common + SHARES[1] * own)));
        }
        for _ in 0..rng.random_range(3..=MOST_SHAPES) {
            draw_shape(&mut picture, shape, &mut rng);
        }
        bytes.extend(picture.into_iter().map(|value| value.clamp(0.0, 255.0) as u8));
    }
    Samples::new(shape.to_vec(), bytes, Vec::new(), scaling)
}

/// Noise of mean 0 and deviation 1: the sum of octaves, each drawn on a grid twice as fine as the one before, and interpolated.
fn noise(height: usize, width: usize, rng: &mut Pcg64Mcg) -> Vec<f32> {
    let mut sum = vec![0.0; height * width];
    let mut cells = 1;
    while cells <= height.max(width) {
        let side = cells + 1;
        let grid: Vec<f32> = (0..side * side).map(|_| rng.random::<f32>() - 0.5).collect();
        for (place, value) in sum.iter_mut().enumerate() {
            let at = |place: usize, of: usize| {
                let exact = (place * cells) as f32 / of as f32;
                (exact as usize, exact.fract())
            };
            let ((row, down), (column, across)) = (at(place / width, height), at(place % width, width));
            let corner = |row: usize, column: usize| grid[row * side + column];
            let [above, below] =
                [row, row + 1].map(|row| corner(row, column) * (1.0 - across) + corner(row, column + 1) * across);
            *value += above * (1.0 - down) + below * down;
        }
        cells *= 2;
    }
    let count = sum.len().max(1) as f32;
    let mean = sum.iter().sum::<f32>() / count;
    let deviation = (sum.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt().max(1e-6);
    sum.into_iter().map(|value| (value - mean) / deviation).collect()
}

/// Draws a disc or a rectangle of some colour.
fn draw_shape(picture: &mut [f32], [channels, height, width]: [usize; 3], rng: &mut Pcg64Mcg) {
    let colour: Vec<f32> = (0..channels).map(|_| rng.random_range(0.0..255.0)).collect();
    let side = height.max(width) as f32;
    let [y, x] = [height, width].map(|side| rng.random_range(0.0..side as f32));
    let [tall, wide] = [(); 2].map(|()| rng.random_range(0.04..0.32f32) * side);
    let disc: bool = rng.random();
    for (channel, colour) in picture.chunks_exact_mut(height * width).zip(&colour) {
        for (place, value) in channel.iter_mut().enumerate() {
            let [down, across] = [(place / width) as f32 - y, (place % width) as f32 - x];
            let inside = match disc {
                true => down * down + across * across < tall * tall,
                false => down.abs() < tall && across.abs() < wide,
            };
            if inside {
                *value += COVERING * (colour - *value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;

    #[test]
    fn neighbours_are_alike_and_a_seed_draws_the_same() {
        let draw = |seed| pictures([3, 40, 56], 4, seed, Scaling::Unit).unwrap();
        let samples = draw(1);
        assert_eq!((samples.len(), samples.shape.as_slice()), (4, &[3, 40, 56][..]));
        assert_eq!(samples, draw(1));
        assert_ne!(samples, draw(2));
        let Row::Bytes(pixels) = samples.row(0) else { panic!("bytes") };
        let distance = |apart: usize| {
            let pairs = pixels.iter().zip(&pixels[apart..]);
            pairs.map(|(&a, &b)| f32::from(a.abs_diff(b))).sum::<f32>() / (pixels.len() - apart) as f32
        };
        assert!(2.0 * distance(1) < distance(20), "{} {}", distance(1), distance(20));
    }

    #[test]
    fn a_picture_may_be_a_pixel() {
        assert_eq!(pictures([1, 1, 1], 2, 1, Scaling::Unit).unwrap().len(), 2);
        assert_eq!(pictures([1, 1, 9], 2, 1, Scaling::Unit).unwrap().len(), 2);
    }
}
