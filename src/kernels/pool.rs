//! Maxima and means over windows of an image `[channels, h, w, n]`.

use super::lanes::{Kernel, LANES, Lanes, dispatch};
use std::ops::Range;

/// The shape of a pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    /// Channels.
    pub channels: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Vertical and horizontal step, at least 1.
    pub stride: [usize; 2],
    /// Padding at the top, left, bottom and right.
    pub pads: [usize; 4],
    /// Whether a mean counts the padding. What lies beyond the padding (the last window of `ceil_mode`) never counts.
    pub count_pads: bool,
}

impl Pooling {
    /// The rows (axis 0) or columns (axis 1) of the input in the window of an output position.
    #[inline(always)]
    pub(super) fn window(&self, axis: usize, position: usize) -> Range<usize> {
        let start = position * self.stride[axis];
        let pad = self.pads[axis];
        let end = (start + self.kernel[axis]).saturating_sub(pad).min(self.input[axis]);
        start.saturating_sub(pad).min(end)..end
    }

    /// By how much a sum over the window is divided.
    pub(super) fn divisor(&self, y: usize, x: usize) -> usize {
        let side = |axis: usize, position: usize| {
            if !self.count_pads {
                return self.window(axis, position).len();
            }
            let start = position * self.stride[axis];
            (self.input[axis] + self.pads[axis] + self.pads[axis + 2] - start).min(self.kernel[axis])
        };
        (side(0, y) * side(1, x)).max(1)
    }

    /// Whether each pixel is in exactly one window.
    pub(super) fn tiles(&self) -> bool {
        (0..2).all(|axis| {
            self.kernel[axis] == self.stride[axis] && self.output[axis] * self.kernel[axis] == self.input[axis]
        }) && self.pads == [0; 4]
    }

    pub(super) fn input_len(&self) -> usize {
        self.channels * self.input[0] * self.input[1]
    }

    pub(super) fn output_len(&self) -> usize {
        self.channels * self.output[0] * self.output[1]
    }
}

/// The maximum of each window; padding never wins.
///
/// # Panics
/// If the lengths do not fit (as for all of this module).
pub fn maximum(pooling: &Pooling, n: usize, input: &[f32], output: &mut [f32]) {
    check(pooling, n, input.len(), output.len());
    dispatch(Pool { pooling, n, task: Maximum { input, output } });
}

/// The gradient of [`maximum`] to its input: each output's goes to the first pixel, row by row, that was the maximum.
pub fn maximum_gradient(
    pooling: &Pooling,
    n: usize,
    input: &[f32],
    output: &[f32],
    gradient: &[f32],
    input_gradient: &mut [f32],
) {
    check(pooling, n, input.len(), output.len());
    check(pooling, n, input_gradient.len(), gradient.len());
    let apart = pooling.tiles();
    if !apart {
        input_gradient.fill(0.0);
    }
    dispatch(Pool { pooling, n, task: MaximumGradient { input, output, gradient, input_gradient, apart } });
}

/// The mean of each window.
pub fn mean(pooling: &Pooling, n: usize, input: &[f32], output: &mut [f32]) {
    check(pooling, n, input.len(), output.len());
    dispatch(Pool { pooling, n, task: Mean { input, output } });
}

/// The gradient of [`mean`] to its input.
pub fn mean_gradient(pooling: &Pooling, n: usize, gradient: &[f32], input_gradient: &mut [f32]) {
    check(pooling, n, input_gradient.len(), gradient.len());
    input_gradient.fill(0.0);
    dispatch(Pool { pooling, n, task: MeanGradient { gradient, input_gradient } });
}

fn check(pooling: &Pooling, n: usize, input: usize, output: usize) {
    assert_eq!(n % LANES, 0);
    assert_eq!(input, pooling.input_len() * n);
    assert_eq!(output, pooling.output_len() * n);
}

struct Pool<'a, T> {
    pooling: &'a Pooling,
    n: usize,
    task: T,
}

/// The pixels of one window: offsets into the input of eight samples of each.
struct Pixels {
    first: usize,
    rows: usize,
    columns: usize,
    /// From one row of the image to the next.
    line: usize,
    /// From one pixel to the next.
    n: usize,
}

impl Pixels {
    #[inline(always)]
    fn offset(&self, row: usize, column: usize) -> usize {
        self.first + row * self.line + column * self.n
    }
}

/// What is done with a window.
trait Task {
    /// Does it for eight samples; `output` is their offset in the output, `factor` 1 over the number of pixels that count.
    ///
    /// # Safety
    /// All offsets must lie at least eight floats before the ends of the task's slices.
    unsafe fn window<V: Lanes>(&mut self, pixels: &Pixels, output: usize, factor: f32);
}

impl<T: Task> Kernel for Pool<'_, T> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        let (pooling, n) = (self.pooling, self.n);
        let line = pooling.input[1] * n;
        let mut output = 0;
        for channel in 0..pooling.channels {
            for y in 0..pooling.output[0] {
                let rows = pooling.window(0, y);
                let row = (channel * pooling.input[0] + rows.start) * line;
                for x in 0..pooling.output[1] {
                    let columns = pooling.window(1, x);
                    let factor = 1.0 / pooling.divisor(y, x) as f32;
                    for at in (0..n).step_by(LANES) {
                        let first = row + columns.start * n + at;
                        let pixels = Pixels { first, rows: rows.len(), columns: columns.len(), line, n };
                        // SAFETY: `Pooling::window` stays inside the input, `output` counts up to the output's length,
                        // and `check` has compared both with the slices.
                        unsafe { self.task.window::<V>(&pixels, output, factor) };
                        output += LANES;
                    }
                }
            }
        }
    }
}

struct Maximum<'a> {
    input: &'a [f32],
    output: &'a mut [f32],
}

impl Task for Maximum<'_> {
    #[inline(always)]
    unsafe fn window<V: Lanes>(&mut self, pixels: &Pixels, output: usize, _factor: f32) {
        let mut best = V::splat(f32::NEG_INFINITY);
        for row in 0..pixels.rows {
            for column in 0..pixels.columns {
                // SAFETY: the caller's promise.
                best = unsafe { V::load(self.input.as_ptr().add(pixels.offset(row, column))) }.max(best);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { best.store(self.output.as_mut_ptr().add(output)) };
    }
}

struct MaximumGradient<'a> {
    input: &'a [f32],
    output: &'a [f32],
    gradient: &'a [f32],
    input_gradient: &'a mut [f32],
    /// Whether each pixel is in exactly one window, so that nothing has to be added up.
    apart: bool,
}

impl Task for MaximumGradient<'_> {
    #[inline(always)]
    unsafe fn window<V: Lanes>(&mut self, pixels: &Pixels, output: usize, _factor: f32) {
        // SAFETY: the caller's promise, here and below.
        let best = unsafe { V::load(self.output.as_ptr().add(output)) };
        // What is left of the gradient: all, until the maximum has been met.
        let mut left = unsafe { V::load(self.gradient.as_ptr().add(output)) };
        for row in 0..pixels.rows {
            for column in 0..pixels.columns {
                let offset = pixels.offset(row, column);
                unsafe {
                    let taken = V::load(self.input.as_ptr().add(offset)).where_equal(best, left);
                    let to = self.input_gradient.as_mut_ptr().add(offset);
                    if self.apart {
                        taken.store(to)
                    } else {
                        V::load(to).add(taken).store(to)
                    }
                    left = left.sub(taken);
                }
            }
        }
    }
}

struct Mean<'a> {
    input: &'a [f32],
    output: &'a mut [f32],
}

impl Task for Mean<'_> {
    #[inline(always)]
    unsafe fn window<V: Lanes>(&mut self, pixels: &Pixels, output: usize, factor: f32) {
        let mut sum = V::splat(0.0);
        for row in 0..pixels.rows {
            for column in 0..pixels.columns {
                // SAFETY: the caller's promise.
                sum = sum.add(unsafe { V::load(self.input.as_ptr().add(pixels.offset(row, column))) });
            }
        }
        // SAFETY: the caller's promise.
        unsafe { sum.mul_add(V::splat(factor), V::splat(0.0)).store(self.output.as_mut_ptr().add(output)) };
    }
}

struct MeanGradient<'a> {
    gradient: &'a [f32],
    input_gradient: &'a mut [f32],
}

impl Task for MeanGradient<'_> {
    #[inline(always)]
    unsafe fn window<V: Lanes>(&mut self, pixels: &Pixels, output: usize, factor: f32) {
        // SAFETY: the caller's promise.
        let share = unsafe { V::load(self.gradient.as_ptr().add(output)) };
        for row in 0..pixels.rows {
            for column in 0..pixels.columns {
                // SAFETY: the caller's promise.
                unsafe {
                    let to = self.input_gradient.as_mut_ptr().add(pixels.offset(row, column));
                    share.mul_add(V::splat(factor), V::load(to)).store(to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{assert_close, noise};
    use super::*;

    struct Case {
        pooling: Pooling,
    }

    fn cases() -> Vec<Case> {
        let case = |input, output, kernel, stride, pads, count_pads| Case {
            pooling: Pooling { channels: 2, input, output, kernel, stride, pads, count_pads },
        };
        vec![
            case([4, 6], [2, 3], [2, 2], [2, 2], [0; 4], false),
            case([5, 5], [3, 3], [3, 3], [1, 1], [0; 4], false),
            case([5, 5], [3, 3], [3, 3], [2, 2], [1; 4], true),
            case([5, 5], [3, 3], [3, 3], [2, 2], [1; 4], false),
            // ceil_mode: the last window is partly outside.
            case([5, 5], [3, 3], [2, 2], [2, 2], [0; 4], true),
            case([6, 6], [3, 3], [3, 3], [2, 2], [0, 0, 1, 1], true),
            case([4, 4], [1, 1], [4, 4], [1, 1], [0; 4], false),
        ]
    }

    /// The formulas, one output at a time, for `n` samples; answers maximum and mean.
    fn plain(pooling: &Pooling, n: usize, input: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let [height, width] = pooling.input.map(|side| side as isize);
        let [top, left, bottom, right] = pooling.pads.map(|pad| pad as isize);
        let (mut maxima, mut means) = (Vec::new(), Vec::new());
        for channel in 0..pooling.channels {
            for position in 0..pooling.output[0] * pooling.output[1] {
                let y = (position / pooling.output[1] * pooling.stride[0]) as isize - top;
                let x = (position % pooling.output[1] * pooling.stride[1]) as isize - left;
                for sample in 0..n {
                    let (mut best, mut sum, mut count) = (f32::NEG_INFINITY, 0.0, 0);
                    for row in y..y + pooling.kernel[0] as isize {
                        for column in x..x + pooling.kernel[1] as isize {
                            let inside = (0..height).contains(&row) && (0..width).contains(&column);
                            let padded = row < height + bottom && column < width + right;
                            count += usize::from(inside || (padded && pooling.count_pads));
                            if inside {
                                let pixel = (channel as isize * height + row) * width + column;
                                let value = input[pixel as usize * n + sample];
                                best = best.max(value);
                                sum += value;
                            }
                        }
                    }
                    maxima.push(best);
                    means.push(sum / count as f32);
                }
            }
        }
        (maxima, means)
    }

    #[test]
    fn agree_with_the_formulas() {
        for Case { pooling } in cases() {
            for n in [8, 24] {
                let input = noise(pooling.input_len() * n, 1);
                let (maxima, means) = plain(&pooling, n, &input);
                let mut output = vec![f32::NAN; maxima.len()];
                maximum(&pooling, n, &input, &mut output);
                assert_eq!(output, maxima, "{pooling:?}");
                mean(&pooling, n, &input, &mut output);
                assert_close(&output, &means, &format!("{pooling:?}"));
            }
        }
    }

    /// Both poolings are (piecewise) linear: `sum(dy * f(x)) == sum(dx * x)`.
    #[test]
    fn gradients_are_the_transposed_maps() {
        for Case { pooling } in cases() {
            let n = 16;
            let input = noise(pooling.input_len() * n, 2);
            let gradient = noise(pooling.output_len() * n, 3);
            let mut output = vec![0.0; gradient.len()];
            let mut input_gradient = vec![f32::NAN; input.len()];
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            maximum(&pooling, n, &input, &mut output);
            maximum_gradient(&pooling, n, &input, &output, &gradient, &mut input_gradient);
            assert!((dot(&gradient, &output) - dot(&input_gradient, &input)).abs() < 1e-4, "maximum {pooling:?}");
            mean(&pooling, n, &input, &mut output);
            mean_gradient(&pooling, n, &gradient, &mut input_gradient);
            assert!((dot(&gradient, &output) - dot(&input_gradient, &input)).abs() < 1e-4, "mean {pooling:?}");
        }
    }

    #[test]
    fn of_equal_maxima_the_first_gets_the_gradient() {
        let pooling = Pooling {
            channels: 1,
            input: [2, 2],
            output: [1, 1],
            kernel: [2, 2],
            stride: [2, 2],
            pads: [0; 4],
            count_pads: false,
        };
        let mut input_gradient = [0.0; 32];
        maximum_gradient(&pooling, 8, &[0.5; 32], &[0.5; 8], &[1.0; 8], &mut input_gradient);
        assert_eq!(input_gradient[..8], [1.0; 8]);
        assert_eq!(input_gradient[8..], [0.0; 24]);
    }
}
