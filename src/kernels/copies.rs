//! Shifted copies of an image, for one sample: what makes each tap of a convolution one offset.
//!
//! Where the taps of a kernel's column `kx` look is copied side by side for all positions of a strip of the output:
//! `[channel][kx][phase][row][x]` with `x` from 0 to the strip's width. A row of the input, padding included, is in the phase of its
//! number modulo the vertical step; then the tap `(channel, ky, kx)` of the position `(y, x)` is at `offset(channel, ky, kx) + y *
//! width + x`, whatever the steps, the dilation and the padding.

use super::correlate::Window;
use super::lanes::{Kernel, Lanes, widest};
use std::ops::Range;

/// The copies for a strip of the output of a convolution without groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies {
    /// The convolution; its kernel without the gaps of a dilation.
    pub window: Window,
    /// Vertical and horizontal distance of its taps, at least 1.
    pub dilation: [usize; 2],
    /// Rows and columns of the output that one strip has at most.
    pub strip: [usize; 2],
}

impl Copies {
    /// Rows of the padded input from the first tap of a kernel to its last.
    fn reach(&self) -> usize {
        (self.window.kernel[0] - 1) * self.dilation[0]
    }

    /// Whether each row of taps has copies of its own: where they are so far apart that sharing them would take more.
    fn apart(&self) -> bool {
        let [rows, taps] = [self.strip[0], self.window.kernel[0]];
        let phases = self.window.stride[0].min(self.reach() + 1);
        phases * (rows + self.reach() / self.window.stride[0]) > rows * taps
    }

    /// Phases that taps look at, and the rows of each: as many as the step, fewer where the kernel is smaller.
    fn phases(&self) -> [usize; 2] {
        match self.apart() {
            true => [self.window.kernel[0], self.strip[0]],
            false => {
                let step = self.window.stride[0];
                [step.min(self.reach() + 1), self.strip[0] + self.reach() / step]
            }
        }
    }

    /// Floats of the copies of one kernel column of one channel.
    fn column_len(&self) -> usize {
        self.phases().iter().product::<usize>() * self.strip[1]
    }

    /// Floats that [`Copies::fill`] writes.
    pub fn len(&self) -> usize {
        self.window.channels * self.window.kernel[1] * self.column_len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The offset of each tap, in the order of the weights `[channels, kh, kw]`.
    pub fn offsets(&self) -> Vec<u32> {
        let [kernel_height, kernel_width] = self.window.kernel;
        let rows = self.phases()[1];
        let mut offsets = Vec::with_capacity(self.window.taps());
        for channel in 0..self.window.channels {
            for ky in 0..kernel_height {
                let down = ky * self.dilation[0];
                let line = match self.apart() {
                    true => ky * rows,
                    false => down % self.window.stride[0] * rows + down / self.window.stride[0],
                };
                for kx in 0..kernel_width {
                    let column = (channel * kernel_width + kx) * self.column_len();
                    offsets.push((column + line * self.strip[1]) as u32);
                }
            }
        }
        offsets
    }

    /// Copies what the strip from this row and column of the output on looks at, of an image `[channels, h, w]`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn fill(&self, first: [usize; 2], input: &[f32], copies: &mut [f32]) {
        assert_eq!(input.len(), self.window.input_len());
        assert!(copies.len() >= self.len());
        strip(Strip { of: self, first, input, copies });
    }
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn strip(task: Strip) {
    widest(task);
}

struct Strip<'a> {
    of: &'a Copies,
    first: [usize; 2],
    input: &'a [f32],
    copies: &'a mut [f32],
}

impl Kernel for Strip<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Strip { of, first, input, copies } = self;
        let ([height, width], [down, across]) = (of.window.input, of.window.stride);
        let ([phases, rows], apart) = (of.phases(), of.apart());
        let mut lines = copies.chunks_exact_mut(of.strip[1]);
        for image in input.chunks_exact(height * width) {
            for kx in 0..of.window.kernel[1] {
                let start = (first[1] * across + kx * of.dilation[1]) as isize - of.window.lead[1];
                let copy = RowCopy::new(width, start, across, of.strip[1]);
                for phase in 0..phases {
                    let shift = if apart { phase * of.dilation[0] } else { phase };
                    for row in 0..rows {
                        let Some(to) = lines.next() else { return };
                        let y = ((first[0] + row) * down + shift) as isize - of.window.lead[0];
                        // SAFETY: the rows have the lengths that the copy was made for.
                        unsafe { copy.row::<V>(image, width, y, to) };
                    }
                }
            }
        }
    }
}

/// Copies neighbouring positions of each plane of `[planes, positions]` to the first floats of every `pitch`.
///
/// # Panics
/// If the lengths do not fit.
pub fn stretch(input: &[f32], positions: usize, range: Range<usize>, copies: &mut [f32], pitch: usize) {
    assert!(range.end <= positions && range.len() <= pitch);
    assert!(copies.len() >= input.len() / positions * pitch);
    stretches(Stretch { input, positions, range, copies, pitch });
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn stretches(task: Stretch) {
    widest(task);
}

struct Stretch<'a> {
    input: &'a [f32],
    positions: usize,
    range: Range<usize>,
    copies: &'a mut [f32],
    pitch: usize,
}

impl Kernel for Stretch<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let copy = RowCopy { before: 0, inside: self.range.len(), first: 0, step: 1 };
        let planes = self.input.chunks_exact(self.positions);
        for (plane, to) in planes.zip(self.copies.chunks_exact_mut(self.pitch)) {
            // SAFETY: both have so many floats.
            unsafe { copy.copy::<V>(&plane[self.range.clone()], &mut to[..self.range.len()]) };
        }
    }
}

/// How each row is copied: `to[i] = from[start + step * i]`, or 0 outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowCopy {
    /// Places before those that lie inside.
    before: usize,
    /// Places that lie inside, and the first of them in the row.
    inside: usize,
    first: usize,
    step: usize,
}

impl RowCopy {
    /// From rows of `width` to such of `length`.
    pub(super) fn new(width: usize, start: isize, step: usize, length: usize) -> Self {
        let before = if start >= 0 { 0 } else { start.unsigned_abs().div_ceil(step) }.min(length);
        let left = width as isize - start;
        let end = if left <= 0 { before } else { (left as usize).div_ceil(step).clamp(before, length) };
        let first = if end > before { (start + (before * step) as isize) as usize } else { 0 };
        RowCopy { before, inside: end - before, first, step }
    }

    /// Copies row `y` of an image; zeros where that lies outside.
    ///
    /// # Safety
    /// The rows must have the lengths that this was made for.
    #[inline(always)]
    pub(super) unsafe fn row<V: Lanes>(&self, image: &[f32], width: usize, y: isize, to: &mut [f32]) {
        // SAFETY: the caller's promise.
        unsafe {
            match usize::try_from(y).ok().and_then(|y| image.get(y * width..(y + 1) * width)) {
                Some(from) => self.copy::<V>(from, to),
                None => fill::<V>(to.as_mut_ptr(), to.len()),
            }
        }
    }

    /// Copies one row.
    ///
    /// # Safety
    /// The rows must have the lengths that this was made for.
    #[inline(always)]
    unsafe fn copy<V: Lanes>(&self, from: &[f32], to: &mut [f32]) {
        let count = self.inside;
        // SAFETY: the caller's promise; places inside the row were counted.
        unsafe {
            fill::<V>(to.as_mut_ptr(), self.before);
            fill::<V>(to.as_mut_ptr().add(self.before + count), to.len() - self.before - count);
            let (from, to) = (from.as_ptr().add(self.first), to.as_mut_ptr().add(self.before));
            let mut at = 0;
            if self.step == 1 {
                while at + V::COUNT <= count {
                    V::load(from.add(at)).store(to.add(at));
                    at += V::COUNT;
                }
                if count >= V::COUNT && at < count {
                    V::load(from.add(count - V::COUNT)).store(to.add(count - V::COUNT));
                    return;
                }
            }
            if self.step == 2 {
                // The last float of the second vector lies behind what is wanted.
                while at + V::COUNT < count {
                    let from = from.add(2 * at);
                    V::load(from).unzip(V::load(from.add(V::COUNT))).0.store(to.add(at));
                    at += V::COUNT;
                }
            }
            while at < count {
                *to.add(at) = *from.add(at * self.step);
                at += 1;
            }
        }
    }
}

/// Zeros.
///
/// # Safety
/// `to` must be valid for writing so many.
#[inline(always)]
unsafe fn fill<V: Lanes>(to: *mut f32, count: usize) {
    let mut at = 0;
    // SAFETY: the caller's promise.
    unsafe {
        while at + V::COUNT <= count {
            V::splat(0.0).store(to.add(at));
            at += V::COUNT;
        }
        while at < count {
            *to.add(at) = 0.0;
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{noise, windows};
    use super::*;

    #[test]
    fn every_tap_is_where_its_offset_says() {
        for window in windows() {
            for dilation in [[1, 1], [2, 3], [7, 1]] {
                // As many positions as fit.
                let side = |axis: usize| {
                    let reach = (window.kernel[axis] - 1) * (dilation[axis] - 1);
                    (window.output[axis] * window.stride[axis]).saturating_sub(reach).div_ceil(window.stride[axis])
                };
                let window = Window { output: [side(0), side(1)], ..window };
                if window.positions() == 0 {
                    continue;
                }
                for strip in [[1, 1], [1, 3], [2, window.output[1]], window.output] {
                    check(&Copies { window, dilation, strip });
                }
            }
        }
    }

    fn check(copies: &Copies) {
        let Window { input: [height, width], output, kernel, stride, lead, .. } = copies.window;
        let input = noise(copies.window.input_len(), 1);
        let (offsets, mut copied) = (copies.offsets(), vec![f32::NAN; copies.len()]);
        let strips = |axis: usize| (0..output[axis]).step_by(copies.strip[axis]);
        for first in strips(0).flat_map(|row| strips(1).map(move |column| [row, column])) {
            copies.fill(first, &input, &mut copied);
            for (tap, &offset) in offsets.iter().enumerate() {
                let (channel, ky, kx) = (tap / (kernel[0] * kernel[1]), tap / kernel[1] % kernel[0], tap % kernel[1]);
                for position in 0..copies.strip[0] * copies.strip[1] {
                    let (y, x) = (first[0] + position / copies.strip[1], first[1] + position % copies.strip[1]);
                    let row = (y * stride[0] + ky * copies.dilation[0]) as isize - lead[0];
                    let column = (x * stride[1] + kx * copies.dilation[1]) as isize - lead[1];
                    let inside = (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
                    let expected = match inside {
                        true => input[(channel * height + row as usize) * width + column as usize],
                        false => 0.0,
                    };
                    assert_eq!(
                        copied[offset as usize + position],
                        expected,
                        "{copies:?}, tap {tap}, position {position}"
                    );
                }
            }
        }
    }
}
