//! Convolutions with step 1 by fewer multiplications, for one sample (Winograd, 1980; Lavin and Gray, 2016).
//!
//! Tiles of the output are computed from overlapping tiles of the input, each transformed into as many frequencies as it has
//! pixels. In each frequency the channels are mixed by a product of matrices ([`super::lists`]) over all tiles, which
//! lie in vectors. Kernels of 3 x 3 make tiles of 4 x 4 (36 multiplications where there were 144) or 2 x 2 (16 where
//! there were 36), such of 5 x 5 tiles of 2 x 2 (36 where there were 100). Six points are 0, 1, -1, 2, -2 and infinity,
//! four are 0, 1, -1 and infinity.

mod backward;
mod forward;
mod lines;
mod tiles;

pub use tiles::Tile;

use super::correlate::Window;
use super::lists::{self, Limits, Lists};
use backward::{Backward, backward};
use forward::{Forward, forward};
use tiles::Tiling;

/// A convolution of known shape with its transformed weights.
#[derive(Debug, Clone)]
pub struct Winograd {
    tiling: Tiling,
    rows: usize,
    /// The products of each frequency.
    products: Vec<Lists>,
}

impl Winograd {
    /// Weights `[rows, channels, k, k]` of a convolution with step 1, without groups and dilation.
    ///
    /// # Panics
    /// If the window is another.
    pub fn new(tile: Tile, window: Window, weights: &[f32], rows: usize) -> Self {
        let (points, kernel, channels) = (tile.points(), tile.kernel(), window.channels);
        assert_eq!((window.stride, window.kernel), ([1, 1], [kernel, kernel]));
        assert_eq!(weights.len(), rows * window.taps());
        let tiling = Tiling::new(tile, window, rows);
        let mut frequencies = vec![vec![0.0f32; rows * channels]; points * points];
        for (pair, weights) in weights.chunks_exact(kernel * kernel).enumerate() {
            // Along rows, then along columns.
            let mut kernel_values = [0.0; 25];
            for (value, &weight) in kernel_values.iter_mut().zip(weights) {
                *value = weight.into();
            }
            let mut lines = [0.0; 30];
            for row in 0..kernel {
                lines[row * 6..][..6].copy_from_slice(&tile.of_weights(&kernel_values[row * kernel..], 1));
            }
            for column in 0..points {
                for (row, value) in tile.of_weights(&lines[column..], 6).into_iter().enumerate().take(points) {
                    frequencies[row * points + column][pair] = value as f32;
                }
            }
        }
        let offsets: Vec<u32> = (0..channels).map(|channel| (channel * tiling.pitch) as u32).collect();
        let products = frequencies.iter().map(|weights| Lists::dense(weights, rows, &offsets)).collect();
        Winograd { tiling, rows, products }
    }

    /// Floats that [`Winograd::run`] needs for itself.
    pub fn scratch(&self) -> usize {
        let of = &self.tiling;
        of.tiles_len(of.window.channels) + of.padded_len() + of.tiles_len(self.rows)
    }

    /// Correlates `[channels, h, w]` into `[rows, h', w']`. `bias` is `[rows]`, or empty for none.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn run(&self, input: &[f32], bias: &[f32], limits: Limits, scratch: &mut [f32], output: &mut [f32]) {
        let Winograd { tiling: of, rows, products } = self;
        let (channels, plane, pitch) = (of.window.channels, of.window.positions(), of.pitch);
        assert_eq!(input.len(), of.window.input_len());
        assert_eq!(output.len(), rows * plane);
        assert!(bias.is_empty() || bias.len() == *rows);
        let (inputs, rest) = scratch[..self.scratch()].split_at_mut(of.tiles_len(channels));
        let (padded, outputs) = rest.split_at_mut(of.padded_len());
        let image = of.window.input[0] * of.window.input[1];
        for tiles in of.strips() {
            for (channel, image) in input.chunks_exact(image).enumerate() {
                forward(Forward { of, image, padded, tiles: tiles.clone(), to: &mut inputs[channel * pitch..] });
            }
            for (frequency, lists) in products.iter().enumerate() {
                let from = &inputs[frequency * of.distance(channels)..];
                let to = &mut outputs[frequency * of.distance(*rows)..];
                for block in 0..lists.blocks() {
                    let to = &mut to[lists.rows_of(block).start * pitch..];
                    lists::run(lists, block, from, tiles.len(), &[], Limits::NONE, to, pitch);
                }
            }
            for (row, output) in output.chunks_exact_mut(plane).enumerate() {
                let bias = bias.get(row).copied().unwrap_or(0.0);
                let (from, distance) = (&outputs[row * pitch..], of.distance(*rows));
                backward(Backward { of, tiles: tiles.clone(), from, distance, bias, limits, output });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::noise;
    use super::super::plain;
    use super::*;

    #[test]
    fn agrees_with_the_plain_correlation() {
        for tile in [Tile::Two, Tile::Four, Tile::TwoOfFive] {
            for (channels, rows, output, pads) in [
                (1, 1, [1, 1], 0),
                (3, 5, [8, 8], 1),
                (4, 6, [7, 9], 2),
                (30, 17, [33, 31], 1),
                (2, 3, [2, 13], 3),
                (190, 180, [14, 14], 1),
                (130, 120, [6, 140], 1),
            ] {
                let kernel = tile.kernel();
                let pads = pads.min(kernel / 2);
                let input = output.map(|side: usize| side + kernel - 1 - 2 * pads);
                let lead = [pads as isize; 2];
                let window = Window { channels, input, output, kernel: [kernel; 2], stride: [1, 1], lead };
                let (weights, bias) = (noise(rows * window.taps(), 1), noise(rows, 2));
                let input = noise(window.input_len(), 3);
                // The plain one has samples side by side.
                let blocks: Vec<f32> = input.iter().flat_map(|&value| [value; 8]).collect();
                let mut expected = vec![0.0; rows * window.positions() * 8];
                plain::correlate(&window, 8, &blocks, &weights, &bias, &mut expected);
                let winograd = Winograd::new(tile, window, &weights, rows);
                let mut scratch = vec![f32::NAN; winograd.scratch()];
                let mut output = vec![f32::NAN; rows * window.positions()];
                winograd.run(&input, &bias, Limits::NONE, &mut scratch, &mut output);
                let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
                for (got, expected) in output.iter().zip(expected.iter().step_by(8)) {
                    assert!((got - expected).abs() <= 1e-5 * largest.max(1.0), "{tile:?} {window:?}: {got} {expected}");
                }
                let limits = Limits { lowest: 0.0, highest: 0.25 };
                let mut limited = vec![f32::NAN; output.len()];
                winograd.run(&input, &bias, limits, &mut scratch, &mut limited);
                let clamped: Vec<f32> = output.iter().map(|value| value.clamp(0.0, 0.25)).collect();
                assert_eq!(limited, clamped);
            }
        }
    }
}
