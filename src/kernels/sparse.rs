//! The correlation of [`super::correlate`] when most weights are zero: only the others are multiplied.
//!
//! Each output channel has a list of its taps, ordered by kernel row, so that the taps of the rows that touch the input are
//! one range of the list. Sums of up to eight vectors (several neighbouring positions; four where registers are few) stay in registers while a list is
//! walked.

use super::correlate::Window;
use super::lanes::{Kernel, LANES, Lanes, dispatch};

/// One weight that is not zero.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tap {
    /// Where it looks, in positions after the window's start.
    offset: u32,
    weight: f32,
}

/// The nonzero weights of a correlation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taps {
    taps: Vec<Tap>,
    /// Where the taps of output channel `m` and kernel row `ky` start: at index `m * kernel height + ky`. One longer, to end.
    starts: Vec<u32>,
    /// Channels, input and kernel of the window that they were listed for: the offsets depend on them.
    shape: (usize, [usize; 2], [usize; 2]),
}

impl Taps {
    /// Lists the weights `[rows, channels, kh, kw]` that are not zero, for an input of the window's shape, reusing the
    /// memory of an earlier list.
    pub fn list(&mut self, window: &Window, weights: &[f32]) {
        let [height, width] = window.input;
        let [kernel_height, kernel_width] = window.kernel;
        self.starts.clear();
        self.shape = (window.channels, window.input, window.kernel);
        // Each weight is written behind the last one that counts: which are zero cannot be guessed, and a branch for each would
        // mostly be guessed wrong.
        self.taps.resize(weights.len(), Tap { offset: 0, weight: 0.0 });
        let mut count = 0;
        for row in weights.chunks_exact(window.taps()) {
            for ky in 0..kernel_height {
                self.starts.push(count as u32);
                for channel in 0..window.channels {
                    let first = (channel * kernel_height + ky) * kernel_width;
                    let offset = (channel * height + ky) * width;
                    for (kx, &weight) in row[first..first + kernel_width].iter().enumerate() {
                        self.taps[count] = Tap { offset: (offset + kx) as u32, weight };
                        count += usize::from(weight != 0.0);
                    }
                }
            }
        }
        self.starts.push(count as u32);
        self.taps.truncate(count);
    }
}

/// Correlates as [`super::correlate::correlate`] does. The input must be padded already at the left and right: `window.lead[1]`
/// is 0 and every window lies inside the input's width.
///
/// # Panics
/// If the lengths do not fit `window`, or a window sticks out.
pub fn correlate(window: &Window, n: usize, input: &[f32], weights: &Taps, bias: &[f32], output: &mut [f32]) {
    let [kernel_height, kernel_width] = window.kernel;
    let rows = (weights.starts.len() - 1) / kernel_height;
    assert_eq!(n % LANES, 0);
    assert_eq!(input.len(), window.input_len() * n);
    assert_eq!(output.len(), rows * window.positions() * n);
    assert!(bias.is_empty() || bias.len() == rows);
    assert_eq!(window.lead[1], 0);
    assert!((window.output[1] - 1) * window.stride[1] + kernel_width <= window.input[1]);
    assert_eq!(weights.shape, (window.channels, window.input, window.kernel));
    dispatch(Correlate { window, n, input, weights, bias, output });
}

struct Correlate<'a> {
    window: &'a Window,
    n: usize,
    input: &'a [f32],
    weights: &'a Taps,
    bias: &'a [f32],
    output: &'a mut [f32],
}

impl Kernel for Correlate<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Correlate { window, n, input, weights, bias, output } = self;
        let [height, width] = window.output;
        let kernel_height = window.kernel[0];
        let rows = (weights.starts.len() - 1) / kernel_height;
        // With stride 1 a whole row of positions is one long vector.
        let (runs, length) = if window.stride[1] == 1 { (1, width * n) } else { (width, n) };
        for y in 0..height {
            let valid = window.valid(0, y);
            let start = window.start(0, y) * window.input[1] as isize * n as isize;
            for row in 0..rows {
                let starts = &weights.starts[row * kernel_height..=(row + 1) * kernel_height];
                let taps = &weights.taps[starts[valid.start] as usize..starts[valid.end] as usize];
                let bias = bias.get(row).copied().unwrap_or(0.0);
                let line = &mut output[(row * height + y) * width * n..][..width * n];
                for (run, line) in line.chunks_exact_mut(length).enumerate().take(runs) {
                    let input = input.as_ptr().wrapping_offset(start).wrapping_add(run * window.stride[1] * n);
                    let mut at = 0;
                    while at < length {
                        // SAFETY: the taps are those of rows inside the input; `correlate` has checked the width and
                        // the lengths; `line` has `length - at` floats left.
                        unsafe {
                            let (input, output) = (input.wrapping_add(at), line.as_mut_ptr().add(at));
                            let width = match (length - at) / LANES {
                                8.. if V::WIDE => tile::<V, 8>(input, n, taps, bias, output),
                                4.. => tile::<V, 4>(input, n, taps, bias, output),
                                2.. => tile::<V, 2>(input, n, taps, bias, output),
                                _ => tile::<V, 1>(input, n, taps, bias, output),
                            };
                            at += width * LANES;
                        }
                    }
                }
            }
        }
    }
}

/// One output channel times `N` vectors; answers `N`.
#[inline(always)]
unsafe fn tile<V: Lanes, const N: usize>(
    input: *const f32,
    n: usize,
    taps: &[Tap],
    bias: f32,
    output: *mut f32,
) -> usize {
    let mut sums = [V::splat(bias); N];
    for tap in taps {
        let weight = V::splat(tap.weight);
        let x = input.wrapping_add(tap.offset as usize * n);
        for (j, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *sum = unsafe { V::load(x.add(j * LANES)) }.mul_add(weight, *sum);
        }
    }
    for (j, sum) in sums.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { sum.store(output.add(j * LANES)) };
    }
    N
}

/// Copies `[planes, h, w, n]` into `[planes, h + top + bottom, w + left + right, n]` with zeros around;
/// `pads` are top, left, bottom and right.
pub fn pad(input: &[f32], [height, width]: [usize; 2], pads: [usize; 4], n: usize, padded: &mut [f32]) {
    let [top, left, bottom, right] = pads;
    let padded_width = (left + width + right) * n;
    let planes = padded.chunks_exact_mut((top + height + bottom) * padded_width);
    for (plane, padded) in input.chunks_exact(height * width * n).zip(planes) {
        let (above, rest) = padded.split_at_mut(top * padded_width);
        let (inside, below) = rest.split_at_mut(height * padded_width);
        above.fill(0.0);
        below.fill(0.0);
        for (row, padded) in plane.chunks_exact(width * n).zip(inside.chunks_exact_mut(padded_width)) {
            padded[..left * n].fill(0.0);
            padded[left * n..][..width * n].copy_from_slice(row);
            padded[(left + width) * n..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{assert_close, noise, windows};
    use super::super::plain;
    use super::*;

    #[test]
    fn agrees_with_the_plain_correlation_at_any_density() {
        for window in windows() {
            // What the window lacks at the left and right is padded first.
            let reach = (window.output[1] - 1) * window.stride[1] + window.kernel[1];
            let left = window.lead[1].max(0) as usize;
            let right = reach.saturating_sub(window.input[1] + left);
            if window.lead[1] < 0 {
                continue;
            }
            let width = window.input[1] + left + right;
            let wide = Window { input: [window.input[0], width], lead: [window.lead[0], 0], ..window };
            for (rows, n, zeros) in [(3, 8, 0.0), (4, 16, 0.5), (2, 40, 0.95), (1, 8, 1.0)] {
                let input = noise(window.input_len() * n, 1);
                let mut weights = noise(rows * window.taps(), 2);
                let gone = (zeros * weights.len() as f64) as usize;
                let length = weights.len();
                (0..gone).for_each(|i| weights[i * 7 % length] = 0.0);
                let bias = noise(rows, 3);
                let mut expected = vec![0.0; rows * window.positions() * n];
                plain::correlate(&window, n, &input, &weights, &bias, &mut expected);

                let mut padded = vec![f32::NAN; wide.input_len() * n];
                pad(&input, window.input, [0, left, 0, right], n, &mut padded);
                let mut taps = Taps::default();
                taps.list(&wide, &weights);
                let mut fast = vec![f32::NAN; expected.len()];
                correlate(&wide, n, &padded, &taps, &bias, &mut fast);
                assert_close(&fast, &expected, &format!("{window:?} {rows} rows, n = {n}, {zeros}"));
            }
        }
    }
}
