//! Pictures at other sizes: their middle part, with the wanted ratio of the sides, on another grid.

use super::Samples;

/// Channels of a coloured picture.
pub const COLOURS: usize = 3;

/// The sides, `[height, width]`, of coloured pictures (bytes), and those of the pictures that a network reads for whose `input` they are, if they differ.
pub fn scaled_sides(samples: &Samples, input: &[usize]) -> Option<([usize; 2], [usize; 2])> {
    let (&[COLOURS, height, width], true) = (samples.shape.as_slice(), samples.are_bytes()) else { return None };
    let to = match *input {
        [COLOURS, rows, columns] | [rows, columns, COLOURS] => [rows, columns],
        _ => return None,
    };
    ([height, width] != to).then_some(([height, width], to))
}

/// What a new line of pixels is a weighted mean of.
#[derive(Debug, Clone)]
struct Taps {
    first: usize,
    /// Their sum is 1.
    weights: Vec<f32>,
}

impl Taps {
    /// Of pixels from the first on.
    fn mean<T: Copy + Into<f32>>(&self, pixels: &[T]) -> f32 {
        self.weights.iter().zip(pixels).map(|(weight, &pixel)| weight * pixel.into()).sum()
    }
}

/// From pictures of one size to another: each new pixel is a mean, weighted by a triangle of twice the width of the larger of an old and a new pixel
/// (as libraries do that call it bilinear with antialiasing).
#[derive(Debug, Clone)]
pub struct Resample {
    width: usize,
    rows: Vec<Taps>,
    columns: Vec<Taps>,
}

impl Resample {
    /// From and to pictures of `[height, width]` pixels; all sides are at least 1.
    pub fn new(from: [usize; 2], to: [usize; 2]) -> Self {
        let scale = (from[0] as f64 / to[0] as f64).min(from[1] as f64 / to[1] as f64);
        Resample { width: from[1], rows: taps(from[0], to[0], scale), columns: taps(from[1], to[1], scale) }
    }

    /// A picture of one channel, `[height, width]`, at its new size.
    pub fn apply<T: Copy + Into<f32>>(&self, pixels: &[T]) -> Vec<f32> {
        let narrowed: Vec<f32> = pixels
            .chunks_exact(self.width)
            .flat_map(|line| self.columns.iter().map(|taps| taps.mean(&line[taps.first..])))
            .collect();
        let width = self.columns.len();
        let mut scaled = Vec::with_capacity(self.rows.len() * width);
        for taps in &self.rows {
            let lines = &narrowed[taps.first * width..];
            let mut line = vec![0.0; width];
            for (weight, from) in taps.weights.iter().zip(lines.chunks_exact(width)) {
                line.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
            }
            scaled.extend(line);
        }
        scaled
    }
}

/// For `to` pixels, of `scale` old ones each, in the middle of a line of `from`.
fn taps(from: usize, to: usize, scale: f64) -> Vec<Taps> {
    let (start, reach) = (0.5 * (from as f64 - scale * to as f64), scale.max(1.0));
    (0..to)
        .map(|place| {
            let middle = start + scale * (place as f64 + 0.5);
            let first = (middle - reach).max(0.0) as usize;
            let end = ((middle + reach).ceil() as usize).clamp(first + 1, from);
            let weight = |old: usize| (1.0 - (old as f64 + 0.5 - middle).abs() / reach).max(0.0);
            let sum: f64 = (first..end).map(weight).sum();
            Taps { first, weights: (first..end).map(|old| (weight(old) / sum) as f32).collect() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_middle_part_keeps_its_ratio() {
        // Two columns at each side are left out.
        let wide: Vec<f32> =
            (0..8).flat_map(|_| [9.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 9.0]).collect();
        let half = Resample::new([8, 12], [4, 4]).apply(&wide);
        assert_eq!(half.len(), 16);
        assert!((half[5] - 1.0).abs() < 1e-6 && half[4] < 3.0, "{half:?}");
    }

    /// `PIL.Image.fromarray(numpy.arange(0, 60, 10, dtype=numpy.uint8)[None]).resize((3, 1), PIL.Image.BILINEAR)`, and `resize((9, 1))`.
    #[test]
    fn lines_are_as_a_known_library_scales_them() {
        let line: Vec<u8> = (0..6).map(|place| 10 * place).collect();
        let scaled = |to: usize| {
            let taps = taps(6, to, 6.0 / to as f64);
            taps.iter().map(|taps| taps.mean(&line[taps.first..]).round()).collect::<Vec<_>>()
        };
        assert_eq!(scaled(3), [7.0, 25.0, 43.0]);
        assert_eq!(scaled(9), [0.0, 5.0, 12.0, 18.0, 25.0, 32.0, 38.0, 45.0, 50.0]);
    }

    proptest! {
        #[test]
        fn equal_pixels_stay_as_they_are(height in 1usize..40, width in 1usize..40, rows in 1usize..40, columns in 1usize..40) {
            let scaled = Resample::new([height, width], [rows, columns]).apply(&vec![7u8; height * width]);
            prop_assert_eq!(scaled.len(), rows * columns);
            prop_assert!(scaled.iter().all(|pixel| (pixel - 7.0).abs() < 1e-4));
        }
    }
}
