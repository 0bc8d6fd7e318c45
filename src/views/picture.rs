//! Weights as pictures, a byte a pixel.

use super::sharing::nearest;

/// The byte of what is no weight: the gaps between kernels.
pub const GAP: u8 = 0;
/// The byte of a weight that is zero.
pub const ZERO: u8 = 1;
/// The byte of the most negative weight; the others rise from here to 255.
const LOWEST: f32 = 2.0;

/// A picture, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// [`GAP`], [`ZERO`], or 2 to 255 for numbers from `-reach` to `reach` (of costs: from 0 to `reach`).
    pub pixels: Vec<u8>,
    /// The magnitude of the strongest colours; larger ones have the same.
    pub reach: f32,
}

/// A pixel a weight: a matrix as it is written, kernels as tiles with the outputs from left to right and the inputs
/// downwards (a single input: in rows). Where more than `most` pixels would be needed in a direction, a pixel shows
/// the largest weight of several, so that what is left of a sparse layer can be seen.
///
/// `shape` is `[out, in]` or `[out, in, kh, kw]`, and `values.len()` its product; other shapes become one row.
pub fn weights(values: &[f32], shape: &[usize], most: [usize; 2]) -> Picture {
    let squares: f64 = values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value).powi(2)).sum();
    let present = values.iter().filter(|&&value| value != 0.0).count().max(1);
    let largest = largest_magnitude(values);
    // Three root mean squares: a single large weight would otherwise leave all the others pale.
    let reach = largest.min(3.0 * (squares / present as f64).sqrt() as f32);
    let half = (f32::from(u8::MAX) - LOWEST) / 2.0;
    let byte = |value: f32| {
        if value == 0.0 || value.is_nan() || reach == 0.0 {
            return ZERO;
        }
        (LOWEST + half * (1.0 + (value / reach).clamp(-1.0, 1.0))).round() as u8
    };
    paint(values, shape, most, reach, byte)
}

/// As [`weights`], for numbers that are not negative: what each weight costs, in bits.
pub fn costs(costs: &[f32], shape: &[usize], most: [usize; 2]) -> Picture {
    let reach = largest_magnitude(costs);
    let byte = |cost: f32| {
        let share = if reach > 0.0 { (cost / reach).clamp(0.0, 1.0) } else { 0.0 };
        (LOWEST + (f32::from(u8::MAX) - LOWEST) * share).round() as u8
    };
    paint(costs, shape, most, reach, byte)
}

/// As [`weights`], but the byte of a nonzero weight is 2 and the index of its nearest centroid; `centroids` rise, 253 of them at
/// most count. `reach` is the number of centroids.
pub fn indices(values: &[f32], shape: &[usize], centroids: &[f32], most: [usize; 2]) -> Picture {
    let byte = |value: f32| match nearest(centroids, value) {
        Some(index) if value != 0.0 => (LOWEST as usize + index).min(usize::from(u8::MAX)) as u8,
        _ => ZERO,
    };
    paint(values, shape, most, centroids.len() as f32, byte)
}

fn largest_magnitude(values: &[f32]) -> f32 {
    values.iter().filter(|value| value.is_finite()).fold(0.0, |largest, value| largest.max(value.abs()))
}

fn paint(values: &[f32], shape: &[usize], most: [usize; 2], reach: f32, byte: impl Fn(f32) -> u8) -> Picture {
    let grid = Grid::of_shape(shape, values.len());
    let (full_width, full_height) = (grid.width(), grid.height());
    let shrink = |full: usize, most: usize| full.div_ceil(most.max(1)).max(1);
    let (across, down) = (shrink(full_width, most[0]), shrink(full_height, most[1]));
    let (width, height) = (full_width.div_ceil(across), full_height.div_ceil(down));
    // NaN is where no weight lies.
    let mut shown = vec![f32::NAN; width * height];
    for (index, &value) in values.iter().enumerate() {
        let (x, y) = grid.place(index);
        let pixel = &mut shown[y / down * width + x / across];
        if pixel.is_nan() || value.abs() > pixel.abs() {
            *pixel = value;
        }
    }
    let pixels = shown.into_iter().map(|value| if value.is_nan() { GAP } else { byte(value) }).collect();
    Picture { width, height, pixels, reach }
}

/// Where each weight lies.
struct Grid {
    /// Tiles from left to right.
    columns: usize,
    /// Tiles downwards.
    rows: usize,
    /// Height and width of a tile.
    tile: [usize; 2],
    /// Tiles of one output follow each other downwards, not from left to right.
    transposed: bool,
    /// Pixels between tiles.
    gap: usize,
}

impl Grid {
    fn of_shape(shape: &[usize], count: usize) -> Self {
        match *shape {
            [rows, columns] => Grid { columns, rows, tile: [1, 1], transposed: false, gap: 0 },
            [outputs, 1, height, width] => {
                // Wider than high, as screens are.
                let columns = ((outputs as f64 * 2.0).sqrt().ceil() as usize).clamp(1, outputs.max(1));
                let rows = outputs.div_ceil(columns);
                Grid { columns, rows, tile: [height, width], transposed: false, gap: 1 }
            }
            [outputs, inputs, height, width] => {
                let gap = usize::from(height * width > 1);
                Grid { columns: outputs, rows: inputs, tile: [height, width], transposed: true, gap }
            }
            _ => Grid { columns: count, rows: 1, tile: [1, 1], transposed: false, gap: 0 },
        }
    }

    fn width(&self) -> usize {
        (self.columns * (self.tile[1] + self.gap)).saturating_sub(self.gap)
    }

    fn height(&self) -> usize {
        (self.rows * (self.tile[0] + self.gap)).saturating_sub(self.gap)
    }

    /// Column and row of a weight's pixel.
    fn place(&self, index: usize) -> (usize, usize) {
        let taps = self.tile[0] * self.tile[1];
        let (tile, tap) = (index / taps, index % taps);
        let (row, column) = if self.transposed {
            (tile % self.rows, tile / self.rows)
        } else {
            (tile / self.columns, tile % self.columns)
        };
        let (y, x) = (tap / self.tile[1], tap % self.tile[1]);
        (column * (self.tile[1] + self.gap) + x, row * (self.tile[0] + self.gap) + y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_drawn_as_it_is_written() {
        let picture = weights(&[1.0, 0.0, -1.0, 0.0, 1.0, -1.0], &[2, 3], [10, 10]);
        assert_eq!((picture.width, picture.height, picture.reach), (3, 2, 1.0));
        assert_eq!(picture.pixels, [255, ZERO, 2, ZERO, 255, 2]);
    }

    #[test]
    fn a_pixel_of_several_weights_shows_the_largest() {
        let picture = weights(&[0.1, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0], &[2, 4], [2, 1]);
        assert_eq!((picture.width, picture.height), (2, 1));
        assert!(picture.pixels[0] > 128 && picture.pixels[1] == 2, "{:?}", picture.pixels);
    }

    #[test]
    fn kernels_are_tiles_with_gaps() {
        let ones = [1.0; 2 * 3 * 4];
        let picture = weights(&ones, &[2, 3, 2, 2], [100, 100]);
        assert_eq!((picture.width, picture.height), (5, 8));
        assert_eq!(picture.pixels[..5], [255, 255, GAP, 255, 255]);
        assert_eq!(picture.pixels[10..15], [GAP; 5]);
        // Output 1, input 0 is the second tile of the first row.
        let mut one = [0.0; 24];
        one[12] = 1.0;
        assert_eq!(weights(&one, &[2, 3, 2, 2], [100, 100]).pixels[3], 255);
    }

    #[test]
    fn kernels_of_one_input_fill_rows() {
        let picture = weights(&[1.0; 8 * 9], &[8, 1, 3, 3], [100, 100]);
        assert_eq!((picture.width, picture.height), (15, 7));
        // Five tiles would leave one place empty.
        let picture = weights(&[1.0; 5], &[5, 1, 1, 1], [100, 100]);
        assert_eq!((picture.width, picture.height), (7, 3));
        assert_eq!(picture.pixels.iter().filter(|&&pixel| pixel == 255).count(), 5);
    }

    #[test]
    fn costs_rise_from_nothing() {
        let picture = costs(&[0.0, 2.0, 4.0], &[1, 3], [10, 10]);
        assert_eq!(picture.pixels, [2, 129, 255]);
        assert_eq!(costs(&[0.0], &[1, 1], [10, 10]).pixels, [2]);
    }

    #[test]
    fn indices_are_those_of_the_nearest_centroids() {
        let picture = indices(&[-0.9, 0.0, 0.1, 0.6, 2.0, -0.4], &[2, 3], &[-1.0, 0.5, 1.0], [10, 10]);
        assert_eq!((picture.width, picture.height, picture.reach), (3, 2, 3.0));
        assert_eq!(picture.pixels, [2, ZERO, 3, 3, 4, 2]);
        assert_eq!(indices(&[0.3], &[1, 1], &[], [2, 2]).pixels, [ZERO]);
    }

    #[test]
    fn odd_values_are_no_fault() {
        assert_eq!(weights(&[f32::NAN, 0.0], &[1, 2], [2, 2]).pixels, [GAP, ZERO]);
        assert!(weights(&[], &[0, 0], [2, 2]).pixels.is_empty());
        assert_eq!(weights(&[0.0], &[1, 1], [0, 0]).pixels, [ZERO]);
    }
}
