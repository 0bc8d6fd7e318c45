//! The gradient of a correlation to its weights: `dw[m, tap] = sum over positions and samples of dy[m, position] * x[pixel]`.
//!
//! Up to four output channels times three taps are summed in registers, a vector of samples each, over all positions; only
//! then are the lanes of a vector added up. Zero weights get their gradient like all others: they may come back.

use super::correlate::Window;
use super::lanes::{Kernel, LANES, Lanes, dispatch};

/// Writes (or adds, if `accumulate`) the gradient `[rows, taps]`. The input must be padded already: `window.lead` is `[0, 0]` and
/// every window lies inside it.
///
/// # Panics
/// If the lengths do not fit `window`, or a window sticks out.
pub fn weight_gradient(
    window: &Window,
    n: usize,
    input: &[f32],
    gradient: &[f32],
    accumulate: bool,
    weight_gradient: &mut [f32],
) {
    let rows = weight_gradient.len() / window.taps();
    assert_eq!(n % LANES, 0);
    assert_eq!(input.len(), window.input_len() * n);
    assert_eq!(gradient.len(), rows * window.positions() * n);
    assert_eq!(weight_gradient.len(), rows * window.taps());
    assert_eq!(window.lead, [0, 0]);
    for axis in 0..2 {
        assert!((window.output[axis] - 1) * window.stride[axis] + window.kernel[axis] <= window.input[axis]);
    }
    dispatch(WeightGradient { window, n, input, gradient, accumulate, weight_gradient });
}

struct WeightGradient<'a> {
    window: &'a Window,
    n: usize,
    input: &'a [f32],
    gradient: &'a [f32],
    accumulate: bool,
    weight_gradient: &'a mut [f32],
}

/// Output channels of a block; half as many where registers are few.
const ROWS: usize = 4;
/// Taps of a block.
const COLUMNS: usize = 3;

impl Kernel for WeightGradient<'_> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        let taps = self.window.taps();
        let rows = self.weight_gradient.len() / taps;
        let mut row = 0;
        while row < rows {
            let height = (rows - row).min(if V::WIDE { ROWS } else { ROWS / 2 });
            let mut tap = 0;
            while tap < taps {
                let width = (taps - tap).min(COLUMNS);
                match (height, width) {
                    (1, 1) => self.block::<V, 1, 1>(row, tap),
                    (1, 2) => self.block::<V, 1, 2>(row, tap),
                    (1, _) => self.block::<V, 1, 3>(row, tap),
                    // There are no more where registers are few.
                    (height, 1) if height == 2 || !V::WIDE => self.block::<V, 2, 1>(row, tap),
                    (height, 2) if height == 2 || !V::WIDE => self.block::<V, 2, 2>(row, tap),
                    (height, _) if height == 2 || !V::WIDE => self.block::<V, 2, 3>(row, tap),
                    (3, 1) => self.block::<V, 3, 1>(row, tap),
                    (3, 2) => self.block::<V, 3, 2>(row, tap),
                    (3, _) => self.block::<V, 3, 3>(row, tap),
                    (_, 1) => self.block::<V, 4, 1>(row, tap),
                    (_, 2) => self.block::<V, 4, 2>(row, tap),
                    _ => self.block::<V, 4, 3>(row, tap),
                }
                tap += width;
            }
            row += height;
        }
    }
}

impl WeightGradient<'_> {
    #[inline(always)]
    fn block<V: Lanes, const M: usize, const K: usize>(&mut self, row: usize, tap: usize) {
        let window = self.window;
        let (n, plane) = (self.n, window.positions() * self.n);
        let [height, width] = window.output;
        let [kernel_height, kernel_width] = window.kernel;
        let mut offsets = [0; K];
        for (k, offset) in offsets.iter_mut().enumerate() {
            let (line, kx) = ((tap + k) / kernel_width, (tap + k) % kernel_width);
            let (channel, ky) = (line / kernel_height, line % kernel_height);
            *offset = ((channel * window.input[0] + ky) * window.input[1] + kx) * n;
        }
        // With stride 1 a whole row of positions is one long vector.
        let (runs, length) = if window.stride[1] == 1 { (1, width * n) } else { (width, n) };
        let mut sums = [[V::splat(0.0); K]; M];
        for y in 0..height {
            for run in 0..runs {
                let x = (y * window.stride[0] * window.input[1] + run * window.stride[1]) * n;
                let dy = row * plane + y * width * n + run * length;
                // SAFETY: `weight_gradient` has checked that all windows lie inside the input, and all lengths.
                unsafe {
                    let x = self.input.as_ptr().add(x);
                    let dy = self.gradient.as_ptr().add(dy);
                    let mut at = 0;
                    while at < length {
                        let mut xs = [V::splat(0.0); K];
                        for (x_k, offset) in xs.iter_mut().zip(offsets) {
                            *x_k = V::load(x.add(offset + at));
                        }
                        for (m, sums) in sums.iter_mut().enumerate() {
                            let dy = V::load(dy.add(m * plane + at));
                            for (sum, x) in sums.iter_mut().zip(xs) {
                                *sum = dy.mul_add(x, *sum);
                            }
                        }
                        at += LANES;
                    }
                }
            }
        }
        for (m, sums) in sums.iter().enumerate() {
            let to = &mut self.weight_gradient[(row + m) * window.taps() + tap..][..K];
            for (to, sum) in to.iter_mut().zip(sums) {
                *to = if self.accumulate { *to + sum.sum() } else { sum.sum() };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{assert_close, noise, windows};
    use super::super::plain;
    use super::*;

    #[test]
    fn agrees_with_the_plain_gradient() {
        let inside = windows().into_iter().filter(|window| {
            (0..2).all(|axis| {
                let reach = (window.output[axis] - 1) * window.stride[axis] + window.kernel[axis];
                window.lead[axis] == 0 && reach <= window.input[axis]
            })
        });
        for window in inside {
            for (rows, n) in [(1, 8), (4, 16), (6, 24), (7, 8)] {
                let input = noise(window.input_len() * n, 1);
                let gradient = noise(rows * window.positions() * n, 2);
                let mut expected = vec![0.0; rows * window.taps()];
                plain::weight_gradient(&window, n, &input, &gradient, &mut expected);
                let mut fast = vec![f32::NAN; expected.len()];
                weight_gradient(&window, n, &input, &gradient, false, &mut fast);
                assert_close(&fast, &expected, &format!("{window:?} {rows} rows, n = {n}"));
                weight_gradient(&window, n, &input, &gradient, true, &mut fast);
                let doubled: Vec<f32> = expected.iter().map(|value| 2.0 * value).collect();
                assert_close(&fast, &doubled, "added to itself");
            }
        }
    }
}
