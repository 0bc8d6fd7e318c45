//! Convolutions of small planes, for one sample: output channels lie in vectors.
//!
//! Positions that look at the same taps are computed together, each tap that lies in the padding is skipped; of a plane of 2 x 2
//! with kernels of 3 x 3 these are five of nine. The input is read as it is.

use super::correlate::Window;
use super::lanes::{Kernel, Lanes, WIDEST, widest, width};
use super::lists::Limits;

/// Vectors of output channels whose weights lie beside each other.
const VECTORS: usize = 4;

/// A convolution of known shape with its weights.
#[derive(Debug, Clone)]
pub struct Narrow {
    window: Window,
    rows: usize,
    groups: Vec<Group>,
    /// `[blocks, taps, channels, vectors x lanes]`.
    weights: Vec<f32>,
}

/// Positions that look at the same taps.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    /// One, two or four positions, and where their windows start, in pixels of the input modulo the range of `usize`.
    positions: Vec<(usize, usize)>,
    /// Each tap's number, and its distance from the window's start.
    taps: Vec<(usize, usize)>,
}

impl Narrow {
    /// Weights `[rows, channels, kh, kw]` of a convolution without groups; `dilation` is the distance of its taps.
    pub fn new(window: Window, dilation: [usize; 2], weights: &[f32], rows: usize) -> Self {
        let (area, channels) = (window.kernel[0] * window.kernel[1], window.channels);
        assert_eq!(weights.len(), rows * area * channels);
        let lanes = VECTORS * width();
        let mut packed = vec![0.0; rows.div_ceil(lanes) * area * channels * lanes];
        for (block, packed) in packed.chunks_exact_mut((area * channels * lanes).max(1)).enumerate() {
            for (at, packed) in packed.chunks_exact_mut(lanes).enumerate() {
                let (tap, channel) = (at / channels, at % channels);
                for (row, value) in (block * lanes..rows).zip(packed) {
                    *value = weights[(row * channels + channel) * area + tap];
                }
            }
        }
        Narrow { window, rows, groups: groups(&window, dilation), weights: packed }
    }

    /// The share of taps, over all positions, that do not lie in the padding.
    pub fn share(window: &Window, dilation: [usize; 2]) -> f64 {
        let axis = |axis: usize| {
            let inside = |position: usize| {
                (0..window.kernel[axis]).filter(move |&tap| place(window, dilation, axis, position, tap).is_some())
            };
            let all = window.output[axis] * window.kernel[axis];
            (0..window.output[axis]).flat_map(inside).count() as f64 / all as f64
        };
        axis(0) * axis(1)
    }

    /// Correlates `[channels, h, w]` into `[rows, h', w']`. `bias` is `[rows]`, or empty for none.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn run(&self, input: &[f32], bias: &[f32], limits: Limits, output: &mut [f32]) {
        assert_eq!(input.len(), self.window.input_len());
        assert_eq!(output.len(), self.rows * self.window.positions());
        assert!(bias.is_empty() || bias.len() == self.rows);
        let block = self.window.taps() * VECTORS * width();
        for (index, weights) in self.weights.chunks_exact(block.max(1)).enumerate() {
            let first = index * VECTORS * width();
            for group in &self.groups {
                sum(Sum { of: self, group, weights, input, first, bias, limits, output });
            }
        }
    }
}

/// Where a tap of a position looks along an axis; nothing in the padding.
fn place(window: &Window, dilation: [usize; 2], axis: usize, position: usize, tap: usize) -> Option<usize> {
    let place = (position * window.stride[axis] + tap * dilation[axis]) as isize - window.lead[axis];
    usize::try_from(place).ok().filter(|&place| place < window.input[axis])
}

fn groups(window: &Window, dilation: [usize; 2]) -> Vec<Group> {
    let inside = |axis: usize, position: usize| -> Vec<usize> {
        (0..window.kernel[axis]).filter(|&tap| place(window, dilation, axis, position, tap).is_some()).collect()
    };
    let width = window.input[1];
    let mut groups: Vec<(Vec<usize>, Vec<usize>, Group)> = Vec::new();
    for position in 0..window.positions() {
        let (y, x) = (position / window.output[1], position % window.output[1]);
        let (down, across) = (inside(0, y), inside(1, x));
        let start = |axis: usize, at: usize| ((at * window.stride[axis]) as isize - window.lead[axis]) as usize;
        let start = start(0, y).wrapping_mul(width).wrapping_add(start(1, x));
        let same = groups
            .iter_mut()
            .find(|(rows, columns, group)| (rows, columns) == (&down, &across) && group.positions.len() < 4);
        if let Some((.., group)) = same {
            group.positions.push((position, start));
            continue;
        }
        let tap = |ky: usize, kx: usize| {
            let distance = (ky * dilation[0]).wrapping_mul(width).wrapping_add(kx * dilation[1]);
            (ky * window.kernel[1] + kx, distance)
        };
        let taps = down.iter().flat_map(|&ky| across.iter().map(move |&kx| tap(ky, kx))).collect();
        groups.push((down, across, Group { positions: vec![(position, start)], taps }));
    }
    // Of three, one is by itself.
    let apart = |(.., mut group): (Vec<usize>, Vec<usize>, Group)| {
        let last = if group.positions.len() == 3 { group.positions.split_off(2) } else { Vec::new() };
        let last = (!last.is_empty()).then(|| Group { positions: last, taps: group.taps.clone() });
        std::iter::once(group).chain(last)
    };
    groups.into_iter().flat_map(apart).collect()
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn sum(task: Sum) {
    widest(task);
}

/// The output channels of one block at the positions of one group.
struct Sum<'a> {
    of: &'a Narrow,
    group: &'a Group,
    weights: &'a [f32],
    input: &'a [f32],
    /// The first channel.
    first: usize,
    bias: &'a [f32],
    limits: Limits,
    output: &'a mut [f32],
}

impl Kernel for Sum<'_> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        // As many sums in registers for two positions as for four.
        let vectors = (self.of.rows - self.first).div_ceil(V::COUNT).min(VECTORS);
        match self.group.positions.len() {
            1 => self.tile::<V, 1, 4>(0),
            2 => self.tile::<V, 2, 4>(0),
            _ => (0..vectors).step_by(2).for_each(|vector| self.tile::<V, 4, 2>(vector)),
        }
    }
}

impl Sum<'_> {
    /// `P` positions times `N` vectors of channels.
    #[inline(always)]
    fn tile<V: Lanes, const P: usize, const N: usize>(&mut self, vector: usize) {
        let (channels, plane) = (self.of.window.channels, self.of.window.input[0] * self.of.window.input[1]);
        let lanes = VECTORS * V::COUNT;
        let mut sums = [[V::splat(0.0); N]; P];
        for &(tap, distance) in &self.group.taps {
            let mut starts = [0; P];
            for (start, position) in starts.iter_mut().zip(&self.group.positions) {
                *start = position.1.wrapping_add(distance);
                assert!(*start < plane);
            }
            assert!(self.weights.len() >= (tap + 1) * channels * lanes && self.input.len() >= channels * plane);
            // SAFETY: both lengths were checked, and that the first place lies in the first plane.
            unsafe {
                let mut weights = self.weights.as_ptr().add(tap * channels * lanes + vector * V::COUNT);
                let mut input = self.input.as_ptr();
                for _ in 0..channels {
                    let mut vectors = [V::splat(0.0); N];
                    for (n, vector) in vectors.iter_mut().enumerate() {
                        *vector = V::load(weights.add(n * V::COUNT));
                    }
                    for (sums, start) in sums.iter_mut().zip(starts) {
                        let value = V::splat(*input.add(start));
                        for (sum, vector) in sums.iter_mut().zip(vectors) {
                            *sum = value.mul_add(vector, *sum);
                        }
                    }
                    weights = weights.add(lanes);
                    input = input.add(plane);
                }
            }
        }
        for (at, sums) in sums.into_iter().enumerate() {
            for (n, sum) in sums.into_iter().enumerate() {
                let mut values = [0.0; WIDEST];
                // SAFETY: any vector fits.
                unsafe { sum.store(values.as_mut_ptr()) };
                self.store(at, self.first + (vector + n) * V::COUNT, &values[..V::COUNT]);
            }
        }
    }

    /// Stores the sums of a position for channels from `first` on.
    #[inline(never)]
    fn store(&mut self, position: usize, first: usize, sums: &[f32]) {
        let (positions, place) = (self.of.window.positions(), self.group.positions[position].0);
        for (row, &sum) in (first..self.of.rows).zip(sums) {
            let value = sum + self.bias.get(row).copied().unwrap_or(0.0);
            // As vectors do: what is no number becomes the limit.
            let value = if value > self.limits.lowest { value } else { self.limits.lowest };
            let value = if value < self.limits.highest { value } else { self.limits.highest };
            self.output[row * positions + place] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{assert_close, noise, windows};
    use super::super::plain;
    use super::*;

    #[test]
    fn agrees_with_the_plain_correlation() {
        for window in windows() {
            for rows in [1, 13, 70] {
                let (weights, bias) = (noise(rows * window.taps(), 1), noise(rows, 2));
                let input = noise(window.input_len(), 3);
                let blocks: Vec<f32> = input.iter().flat_map(|&value| [value; 8]).collect();
                let mut expected = vec![0.0; rows * window.positions() * 8];
                plain::correlate(&window, 8, &blocks, &weights, &bias, &mut expected);
                let expected: Vec<f32> = expected.into_iter().step_by(8).map(|value| value.max(-0.25)).collect();
                let narrow = Narrow::new(window, [1, 1], &weights, rows);
                let mut output = vec![f32::NAN; expected.len()];
                let limits = Limits { lowest: -0.25, highest: f32::INFINITY };
                narrow.run(&input, &bias, limits, &mut output);
                assert_close(&output, &expected, &format!("{window:?} {rows} rows"));
            }
        }
    }

    #[test]
    fn what_lies_in_the_padding_is_skipped() {
        let window = |side: usize| Window {
            channels: 1,
            input: [side; 2],
            output: [side; 2],
            kernel: [3, 3],
            stride: [1, 1],
            lead: [1, 1],
        };
        assert!((Narrow::share(&window(2), [1, 1]) - 4.0 / 9.0).abs() < 1e-12);
        assert!((Narrow::share(&window(4), [1, 1]) - 100.0 / 144.0).abs() < 1e-12);
        assert_eq!(groups(&window(4), [1, 1]).len(), 9);
    }
}
