//! Convolutions of one channel each, for one sample.
//!
//! The image is first copied with its padding, the columns of each row sorted by their number modulo the horizontal step: then a tap
//! looks at neighbouring places for neighbouring positions of the output.

use super::copies::RowCopy;
use super::correlate::Window;
use super::lanes::{Kernel, Lanes, WIDEST, widest, width};
use super::lists::Limits;

/// A convolution of known shape of one channel by several kernels.
#[derive(Debug, Clone)]
pub struct Depthwise {
    /// Of one channel; its kernel without the gaps of a dilation.
    window: Window,
    /// Rows of the padded image.
    lines: usize,
    /// Columns of one phase.
    columns: usize,
    phases: usize,
    /// Where each tap of a kernel looks, for the first position.
    offsets: Vec<usize>,
}

impl Depthwise {
    /// For a window of one channel and the vertical and horizontal distance of its taps; `None` if its copy could not be counted.
    pub fn new(window: Window, dilation: [usize; 2]) -> Option<Self> {
        let [reach_y, reach_x] = [0, 1].map(|axis| (window.kernel[axis] - 1) * dilation[axis]);
        let step = window.stride[1];
        let (columns, phases) = (window.output[1] + reach_x / step, step.min(reach_x + 1));
        let mut offsets = Vec::new();
        for ky in 0..window.kernel[0] {
            for kx in 0..window.kernel[1] {
                let across = kx * dilation[1];
                offsets.push((ky * dilation[0] * phases + across % step) * columns + across / step);
            }
        }
        let lines = (window.output[0] - 1).checked_mul(window.stride[0])?.checked_add(reach_y + 1)?;
        lines.checked_mul(phases)?.checked_mul(columns)?.checked_add(WIDEST)?;
        Some(Depthwise { window, lines, columns, phases, offsets })
    }

    /// Floats that [`Depthwise::fill`] and [`Depthwise::run`] need.
    pub fn scratch(&self) -> usize {
        self.lines * self.phases * self.columns + width()
    }

    /// Copies an image `[h, w]` with its padding.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn fill(&self, image: &[f32], padded: &mut [f32]) {
        assert_eq!(image.len(), self.window.input_len());
        assert!(padded.len() >= self.scratch());
        pad(Pad { of: self, image, padded });
    }

    /// Correlates what [`Depthwise::fill`] has copied with one kernel `[kh, kw]` into `[h', w']`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn run(&self, padded: &[f32], weights: &[f32], bias: f32, limits: Limits, output: &mut [f32]) {
        assert!(padded.len() >= self.scratch());
        assert_eq!(weights.len(), self.offsets.len());
        assert_eq!(output.len(), self.window.positions());
        image(Image { of: self, padded, weights, bias, limits, output });
    }
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn image(task: Image) {
    widest(task);
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn pad(task: Pad) {
    widest(task);
}

struct Pad<'a> {
    of: &'a Depthwise,
    image: &'a [f32],
    padded: &'a mut [f32],
}

impl Kernel for Pad<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Depthwise { window, lines, columns, phases, .. } = self.of;
        let width = window.input[1];
        // The phases of a row are beside each other.
        for phase in 0..*phases {
            let copy = RowCopy::new(width, phase as isize - window.lead[1], window.stride[1], *columns);
            for line in 0..*lines {
                let to = &mut self.padded[(line * phases + phase) * columns..][..*columns];
                let y = line as isize - window.lead[0];
                // SAFETY: the rows have the lengths that the copy was made for.
                unsafe { copy.row::<V>(self.image, width, y, to) };
            }
        }
    }
}

struct Image<'a> {
    of: &'a Depthwise,
    padded: &'a [f32],
    weights: &'a [f32],
    bias: f32,
    limits: Limits,
    output: &'a mut [f32],
}

impl Kernel for Image<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let (of, width) = (self.of, self.of.window.output[1]);
        let step = of.window.stride[0] * of.phases * of.columns;
        let height = of.window.output[0];
        let nine = <[f32; 9]>::try_from(self.weights).ok().filter(|_| of.window.kernel == [3, 3]);
        let mut y = 0;
        // SAFETY (of all): `run` has checked the lengths: the largest offset is that of the last column's last position.
        let Some(nine) = nine else {
            let taps = Any { weights: self.weights, step };
            while y < height {
                let rows = if y + 4 <= height { 4 } else { 1 };
                unsafe {
                    match rows {
                        4 => self.rows::<V, _, 4, 1>(&taps, y * step, y * width),
                        _ => self.rows::<V, _, 1, 1>(&taps, y * step, y * width),
                    }
                }
                y += rows;
            }
            return;
        };
        let mut weights = [V::splat(0.0); 9];
        for (vector, weight) in weights.iter_mut().zip(nine) {
            *vector = V::splat(weight);
        }
        let (columns, line) = ([of.offsets[0], of.offsets[1], of.offsets[2]], of.offsets[3]);
        let nine = Nine { weights, columns, line };
        while y < height {
            let rows = if step == line && y + 2 <= height { 2 } else { 1 };
            unsafe {
                match rows {
                    2 => self.rows::<V, _, 2, 2>(&nine, y * step, y * width),
                    _ => self.rows::<V, _, 1, 2>(&nine, y * step, y * width),
                }
            }
            y += rows;
        }
    }
}

impl Image<'_> {
    /// `R` neighbouring rows of the output, `N` vectors at a time.
    #[inline(always)]
    unsafe fn rows<V: Lanes, T: Taps<V>, const R: usize, const N: usize>(&self, taps: &T, from: usize, to: usize) {
        let width = self.of.window.output[1];
        // SAFETY: the caller's promise.
        unsafe {
            let (from, to) = (self.padded.as_ptr().add(from), self.output.as_ptr().cast_mut().add(to));
            // Fewer positions than a vector has go to a place that holds any.
            let mut few = [[0.0; WIDEST]; R];
            let (place, line) = match width >= V::COUNT {
                true => (to, width),
                false => (few.as_mut_ptr().cast(), WIDEST),
            };
            let mut at = 0;
            while N > 1 && at + N * V::COUNT <= width {
                self.tile::<V, T, R, N>(taps, from.add(at), place.add(at), line);
                at += N * V::COUNT;
            }
            while at < width {
                // The last one begins earlier.
                let first = at.min(width.saturating_sub(V::COUNT));
                self.tile::<V, T, R, 1>(taps, from.add(first), place.add(first), line);
                at = first + V::COUNT;
            }
            if width < V::COUNT {
                for (row, values) in few.iter().enumerate() {
                    std::ptr::copy_nonoverlapping(values.as_ptr(), to.add(row * width), width);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<V: Lanes, T: Taps<V>, const R: usize, const N: usize>(
        &self,
        taps: &T,
        from: *const f32,
        to: *mut f32,
        width: usize,
    ) {
        let (lowest, highest) = (V::splat(self.limits.lowest), V::splat(self.limits.highest));
        // SAFETY: the caller's promise.
        unsafe {
            let sums = taps.sums::<R, N>(&self.of.offsets, from, V::splat(self.bias));
            for (row, sums) in sums.into_iter().enumerate() {
                for (n, sum) in sums.into_iter().enumerate() {
                    sum.max(lowest).min(highest).store(to.add(row * width + n * V::COUNT));
                }
            }
        }
    }
}

/// The weights of a kernel.
trait Taps<V: Lanes> {
    /// The sums of `N` vectors of positions in each of `R` neighbouring rows.
    ///
    /// # Safety
    /// At each offset behind `from`, and in the rows behind it, so many vectors must be valid for reading.
    unsafe fn sums<const R: usize, const N: usize>(&self, offsets: &[usize], from: *const f32, bias: V) -> [[V; N]; R];
}

/// Those of 3 x 3, which stay in registers.
struct Nine<V> {
    weights: [V; 9],
    /// Where the taps of a row look.
    columns: [usize; 3],
    /// From one row to the next, also of the output if there are several.
    line: usize,
}

impl<V: Lanes> Taps<V> for Nine<V> {
    #[inline(always)]
    unsafe fn sums<const R: usize, const N: usize>(
        &self,
        _offsets: &[usize],
        from: *const f32,
        bias: V,
    ) -> [[V; N]; R] {
        let mut sums = [[bias; N]; R];
        for row in 0..2 + R {
            for column in 0..3 {
                for n in 0..N {
                    // SAFETY: the caller's promise.
                    let x = unsafe { V::load(from.add(row * self.line + self.columns[column] + n * V::COUNT)) };
                    for (above, sums) in sums.iter_mut().enumerate() {
                        if row >= above && row < above + 3 {
                            sums[n] = self.weights[(row - above) * 3 + column].mul_add(x, sums[n]);
                        }
                    }
                }
            }
        }
        sums
    }
}

/// As many as there are.
struct Any<'a> {
    weights: &'a [f32],
    /// From one row of the output to the next.
    step: usize,
}

impl<V: Lanes> Taps<V> for Any<'_> {
    #[inline(always)]
    unsafe fn sums<const R: usize, const N: usize>(&self, offsets: &[usize], from: *const f32, bias: V) -> [[V; N]; R] {
        let mut sums = [[bias; N]; R];
        for (&offset, &weight) in offsets.iter().zip(self.weights) {
            let (weight, mut from) = (V::splat(weight), from.wrapping_add(offset));
            for sums in &mut sums {
                for (n, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller's promise.
                    *sum = weight.mul_add(unsafe { V::load(from.wrapping_add(n * V::COUNT)) }, *sum);
                }
                from = from.wrapping_add(self.step);
            }
        }
        sums
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
            let window = Window { channels: 1, ..window };
            let (weights, image) = (noise(window.taps(), 1), noise(window.input_len(), 2));
            let blocks: Vec<f32> = image.iter().flat_map(|&value| [value; 8]).collect();
            let mut expected = vec![0.0; window.positions() * 8];
            plain::correlate(&window, 8, &blocks, &weights, &[0.25], &mut expected);
            let expected: Vec<f32> = expected.into_iter().step_by(8).map(|value| value.clamp(-0.5, 1.0)).collect();
            let depthwise = Depthwise::new(window, [1, 1]).unwrap();
            let mut padded = vec![f32::NAN; depthwise.scratch()];
            let mut output = vec![f32::NAN; window.positions()];
            depthwise.fill(&image, &mut padded);
            depthwise.run(&padded, &weights, 0.25, Limits { lowest: -0.5, highest: 1.0 }, &mut output);
            assert_close(&output, &expected, &format!("{window:?}"));
        }
    }

    #[test]
    fn dilated_taps_are_apart() {
        let window =
            Window { channels: 1, input: [9, 11], output: [3, 5], kernel: [2, 3], stride: [2, 2], lead: [0, 1] };
        let depthwise = Depthwise::new(window, [3, 2]).unwrap();
        let image = noise(99, 3);
        let mut padded = vec![f32::NAN; depthwise.scratch()];
        let mut output = vec![f32::NAN; 15];
        depthwise.fill(&image, &mut padded);
        for tap in 0..6 {
            let weights: Vec<f32> = (0..6).map(|at| f32::from(at == tap)).collect();
            depthwise.run(&padded, &weights, 0.0, Limits::NONE, &mut output);
            for (place, &got) in output.iter().enumerate() {
                let (y, x) = (place / 5 * 2 + tap / 3 * 3, (place % 5 * 2 + tap % 3 * 2).wrapping_sub(1));
                assert_eq!(got, if x < 11 { image[y * 11 + x] } else { 0.0 });
            }
        }
    }
}
