//! Dense 2-D cross-correlation: the forward pass of a convolution, its gradient to the data, and a linear layer.
//!
//! `output[m, oy, ox] = bias[m] + sum over c, ky, kx of w[m, c, ky, kx] * input[c, oy * sy + ky - top, ox * sx + kx - left]`,
//! where positions outside the input count as 0 and are skipped, not multiplied. Each element is a vector of `n` samples.
//!
//! This is an implicit matrix product, blocked for registers: up to six output channels (four in a tab) times two
//! vectors (one in a tab) are summed in registers; each weight is broadcast, each vector of the input loaded once for all the channels of the block.

use super::lanes::{Kernel, LANES, Lanes, dispatch};
use std::ops::Range;

/// The shape of a correlation. See the module's formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Input channels.
    pub channels: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal step, at least 1.
    pub stride: [usize; 2],
    /// How far the first window starts above and left of the input; may be negative.
    pub lead: [isize; 2],
}

impl Window {
    /// A linear layer: the taps of one row of a kernel are its features.
    pub fn linear(features: usize) -> Self {
        Window {
            channels: 1,
            input: [1, features],
            output: [1, 1],
            kernel: [1, features],
            stride: [1, 1],
            lead: [0, 0],
        }
    }

    /// The correlation, with flipped weights ([`flip`]), that leads the gradient of this one's `rows` outputs back to its
    /// input. Only for stride 1.
    pub fn transposed(&self, rows: usize) -> Self {
        Window {
            channels: rows,
            input: self.output,
            output: self.input,
            kernel: self.kernel,
            stride: [1, 1],
            lead: [0, 1].map(|axis| self.kernel[axis] as isize - 1 - self.lead[axis]),
        }
    }

    /// Elements of the input of one sample.
    pub fn input_len(&self) -> usize {
        self.channels * self.input[0] * self.input[1]
    }

    /// Weights of one output channel.
    pub fn taps(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// Positions of one output channel.
    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// The taps of axis 0 or 1 that touch the input at an output position.
    #[inline(always)]
    pub(super) fn valid(&self, axis: usize, position: usize) -> Range<usize> {
        let start = self.start(axis, position);
        let kernel = self.kernel[axis] as isize;
        let first = (-start).clamp(0, kernel);
        let end = (self.input[axis] as isize - start).clamp(first, kernel);
        first as usize..end as usize
    }

    /// Where in the input the window of an output position starts.
    #[inline(always)]
    pub(super) fn start(&self, axis: usize, position: usize) -> isize {
        (position * self.stride[axis]) as isize - self.lead[axis]
    }
}

/// The most output channels that one block of registers holds: with fewer in a tab, none has to wait in memory.
const ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 6 };

/// Weights in the order in which the kernel reads them: blocks of up to six output channels, in each the channels of one
/// tap side by side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Packed {
    rows: usize,
    taps: usize,
    values: Vec<f32>,
}

impl Packed {
    /// Packs `[rows, taps]`, reusing the memory of an earlier packing.
    pub fn pack(&mut self, weights: &[f32], rows: usize) {
        self.rows = rows;
        self.taps = weights.len() / rows.max(1);
        self.values.resize(weights.len(), 0.0);
        for block in self.blocks() {
            let range = block.start * self.taps..block.end * self.taps;
            let rows = &weights[range.clone()];
            let packed = self.values[range].chunks_exact_mut(block.len());
            // Written in order: each block reads as many streams as it has rows.
            for (tap, packed) in packed.enumerate() {
                for (row, value) in packed.iter_mut().enumerate() {
                    *value = rows[row * self.taps + tap];
                }
            }
        }
    }

    /// Output channels of each block: as even as can be, so that no block is left with one or two.
    fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let count = self.rows.div_ceil(ROWS);
        let rows = self.rows;
        (0..count).map(move |block| block * rows / count..(block + 1) * rows / count)
    }
}

/// Correlates `input` `[channels, h, w, n]` into `output` `[rows, h', w', n]`. `bias` is `[rows]`, or empty for none.
///
/// # Panics
/// If the lengths do not fit `window`.
pub fn correlate(window: &Window, n: usize, input: &[f32], weights: &Packed, bias: &[f32], output: &mut [f32]) {
    assert_eq!(n % LANES, 0);
    assert_eq!(input.len(), window.input_len() * n);
    assert_eq!(output.len(), weights.rows * window.positions() * n);
    assert_eq!(weights.taps, window.taps());
    assert!(bias.is_empty() || bias.len() == weights.rows);
    dispatch(Correlate { window, n, input, weights, bias, output });
}

struct Correlate<'a> {
    window: &'a Window,
    n: usize,
    input: &'a [f32],
    weights: &'a Packed,
    bias: &'a [f32],
    output: &'a mut [f32],
}

impl Kernel for Correlate<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        for block in self.weights.blocks() {
            let packed = &self.weights.values[block.start * self.weights.taps..block.end * self.weights.taps];
            let mut bias = [0.0; ROWS];
            if !self.bias.is_empty() {
                bias[..block.len()].copy_from_slice(&self.bias[block.clone()]);
            }
            let plane = self.window.positions() * self.n;
            let output = &mut self.output[block.start * plane..block.end * plane];
            let band = Band { window: self.window, n: self.n, input: self.input, weights: packed, bias, output };
            match block.len() {
                1 => band.run::<V, 1>(),
                2 => band.run::<V, 2>(),
                3 => band.run::<V, 3>(),
                // There are no more in a tab.
                rows if rows == 4 || ROWS == 4 => band.run::<V, 4>(),
                5 => band.run::<V, 5>(),
                _ => band.run::<V, 6>(),
            }
        }
    }
}

/// The output channels of one block.
struct Band<'a> {
    window: &'a Window,
    n: usize,
    input: &'a [f32],
    weights: &'a [f32],
    bias: [f32; ROWS],
    output: &'a mut [f32],
}

impl Band<'_> {
    #[inline(always)]
    fn run<V: Lanes, const M: usize>(mut self) {
        let [height, width] = self.window.output;
        for y in 0..height {
            let rows = self.window.valid(0, y);
            let mut x = 0;
            while x < width {
                // With stride 1, neighbouring positions with the same taps are one long vector.
                let columns = self.window.valid(1, x);
                let mut end = x + 1;
                while self.window.stride[1] == 1 && end < width && self.window.valid(1, end) == columns {
                    end += 1;
                }
                self.span::<V, M>(y, x..end, &rows, &columns);
                x = end;
            }
        }
    }

    #[inline(always)]
    fn span<V: Lanes, const M: usize>(
        &mut self,
        y: usize,
        xs: Range<usize>,
        rows: &Range<usize>,
        columns: &Range<usize>,
    ) {
        let [height, width] = self.window.output;
        let stride = self.window.input[1] as isize;
        let first = self.window.start(0, y) * stride + self.window.start(1, xs.start);
        let output = (y * width + xs.start) * self.n;
        let length = xs.len() * self.n;
        assert!(output + length + (M - 1) * height * width * self.n <= self.output.len());
        let mut at = 0;
        while at < length {
            // SAFETY: `valid` cuts the taps to those that lie inside the input, whose length was checked, for every
            // position of the span; the end of the output was checked above.
            unsafe {
                let input = self.input.as_ptr().wrapping_offset(first * self.n as isize).wrapping_add(at);
                let output = self.output.as_mut_ptr().add(output + at);
                if V::WIDE && length - at >= 2 * LANES {
                    self.tile::<V, M, 2>(input, rows, columns, output);
                    at += 2 * LANES;
                } else {
                    self.tile::<V, M, 1>(input, rows, columns, output);
                    at += LANES;
                }
            }
        }
    }

    /// `M` output channels times `N` vectors.
    #[inline(always)]
    unsafe fn tile<V: Lanes, const M: usize, const N: usize>(
        &self,
        input: *const f32,
        rows: &Range<usize>,
        columns: &Range<usize>,
        output: *mut f32,
    ) {
        let [height, width] = self.window.input;
        let [kernel_height, kernel_width] = self.window.kernel;
        let mut sums = [[V::splat(0.0); N]; M];
        for (row, bias) in sums.iter_mut().zip(self.bias) {
            *row = [V::splat(bias); N];
        }
        for channel in 0..self.window.channels {
            for row in rows.clone() {
                let mut x = input.wrapping_add(((channel * height + row) * width + columns.start) * self.n);
                let first = (channel * kernel_height + row) * kernel_width + columns.start;
                let mut w = self.weights.as_ptr().wrapping_add(first * M);
                for _ in columns.clone() {
                    // SAFETY: `span` has checked the ends.
                    unsafe {
                        let mut xs = [V::splat(0.0); N];
                        for (j, x_j) in xs.iter_mut().enumerate() {
                            *x_j = V::load(x.add(j * LANES));
                        }
                        for (m, row) in sums.iter_mut().enumerate() {
                            let weight = V::splat(*w.add(m));
                            for (sum, x) in row.iter_mut().zip(xs) {
                                *sum = weight.mul_add(x, *sum);
                            }
                        }
                    }
                    x = x.wrapping_add(self.n);
                    w = w.wrapping_add(M);
                }
            }
        }
        let plane = self.window.positions() * self.n;
        for (m, row) in sums.iter().enumerate() {
            for (j, sum) in row.iter().enumerate() {
                // SAFETY: as above.
                unsafe { sum.store(output.add(m * plane + j * LANES)) };
            }
        }
    }
}

/// `[rows, channels, h, w]` to `[channels, rows, h, w]` with each kernel turned by 180 degrees: the weights with which a
/// correlation's gradient is correlated.
pub fn flip(weights: &[f32], rows: usize, kernel: [usize; 2], flipped: &mut Vec<f32>) {
    let area = kernel[0] * kernel[1];
    let channels = weights.len() / (rows * area).max(1);
    flipped.clear();
    flipped.reserve(weights.len());
    for channel in 0..channels {
        for row in 0..rows {
            let first = (row * channels + channel) * area;
            flipped.extend(weights[first..first + area].iter().rev());
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::plain;
    use super::*;

    /// Windows of many kinds: plain, padded on all or single sides, strided, negative leads, larger kernels than inputs.
    pub fn windows() -> Vec<Window> {
        let mut windows = Vec::new();
        for (channels, input, kernel, stride, lead, trail) in [
            (1, [28, 28], [5, 5], [1, 1], [0, 0], [0, 0]),
            (3, [12, 12], [5, 5], [1, 1], [0, 0], [0, 0]),
            (2, [8, 8], [5, 5], [1, 1], [4, 4], [4, 4]),
            (4, [7, 9], [3, 3], [1, 1], [1, 1], [1, 1]),
            (2, [6, 5], [3, 2], [1, 1], [2, 0], [0, 1]),
            (3, [9, 9], [3, 3], [2, 2], [1, 1], [1, 1]),
            (2, [9, 7], [2, 3], [3, 1], [0, 2], [1, 0]),
            (5, [1, 1], [1, 1], [1, 1], [0, 0], [0, 0]),
            (2, [2, 2], [5, 5], [1, 1], [3, 2], [2, 3]),
            (2, [6, 6], [3, 3], [1, 1], [-1, 0], [0, -1]),
        ] {
            let output = [0, 1].map(|axis| {
                let size = input[axis] as isize + lead[axis] + trail[axis] - kernel[axis] as isize;
                size as usize / stride[axis] + 1
            });
            windows.push(Window { channels, input, output, kernel, stride, lead });
        }
        windows.push(Window::linear(37));
        windows
    }

    /// Numbers in [-1, 1) that look random.
    pub fn noise(length: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    pub fn assert_close(fast: &[f32], plain: &[f32], what: &str) {
        assert_eq!(fast.len(), plain.len(), "{what}");
        for (i, (a, b)) in fast.iter().zip(plain).enumerate() {
            assert!((a - b).abs() <= 2e-4 * b.abs().max(1.0), "{what}: [{i}] {a} instead of {b}");
        }
    }

    #[test]
    fn agrees_with_the_plain_correlation() {
        for window in windows() {
            for (rows, n) in [(1, 8), (4, 16), (7, 24), (13, 8)] {
                let input = noise(window.input_len() * n, 1);
                let weights = noise(rows * window.taps(), 2);
                let bias = noise(rows, 3);
                let mut packed = Packed::default();
                packed.pack(&weights, rows);
                let mut expected = vec![0.0; rows * window.positions() * n];
                plain::correlate(&window, n, &input, &weights, &bias, &mut expected);
                let mut fast = vec![f32::NAN; expected.len()];
                correlate(&window, n, &input, &packed, &bias, &mut fast);
                assert_close(&fast, &expected, &format!("{window:?} {rows} rows, n = {n}"));
            }
        }
    }

    #[test]
    fn the_gradient_to_the_data_is_the_correlation_with_flipped_weights() {
        for window in windows().into_iter().filter(|window| window.stride == [1, 1]) {
            let (rows, n) = (5, 16);
            let weights = noise(rows * window.taps(), 4);
            let gradient = noise(rows * window.positions() * n, 5);
            let mut expected = vec![0.0; window.input_len() * n];
            plain::data_gradient(&window, n, &gradient, &weights, &mut expected);

            let mut flipped = Vec::new();
            flip(&weights, rows, window.kernel, &mut flipped);
            let mut packed = Packed::default();
            packed.pack(&flipped, window.channels);
            let mut fast = vec![f32::NAN; expected.len()];
            correlate(&window.transposed(rows), n, &gradient, &packed, &[], &mut fast);
            assert_close(&fast, &expected, &format!("{window:?}"));
        }
    }
}
