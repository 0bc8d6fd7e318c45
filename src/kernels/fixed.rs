//! Integers only: sums of 8-bit activations times integer weights in 32 bits, and what makes 8-bit activations of them.
//!
//! An element of a slice holds [`BLOCK`] samples side by side, so that every loop vectorises over samples. Both signed and
//! unsigned bytes fit its 16 bits. A number is `integer * 2^-n`, and changes its `n` by a shift that rounds to the nearest,
//! halves upwards, and saturates at the ends of the range.
//!
//! No sum overflows where the caller has proved [`Row::bound`] and [`WINDOW_LIMIT`].

use super::correlate::Window;
use super::pool::Pooling;
use std::ops::RangeInclusive;

/// Samples side by side.
pub const BLOCK: usize = 16;
/// One activation of each sample.
pub type Block = [i16; BLOCK];
/// One sum of each sample.
pub type Sums = [i32; BLOCK];

/// The most pixels in the window of a [`mean`]: so many unsigned bytes fit a 32-bit sum.
pub const WINDOW_LIMIT: usize = i32::MAX as usize / 255;

/// From one fixed-point format to a narrower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescale {
    /// To the right; to the left if negative. Invariant: -31 to 32. What lies beyond is no different: it makes 0 of every
    /// number in 32 bits, or saturates all but 0.
    shift: i32,
    lowest: i32,
    highest: i32,
}

impl Rescale {
    /// From units of `2^-from` to units of `2^-to`, saturating at the ends of `range`, which lies in -256 to 255.
    pub fn new(from: i32, to: i32, range: RangeInclusive<i16>) -> Self {
        let shift = from.saturating_sub(to).clamp(-31, 32);
        Rescale { shift, lowest: i32::from(*range.start()), highest: i32::from(*range.end()) }
    }

    /// The numbers in the new format.
    #[inline]
    pub fn apply(self, values: Sums) -> Block {
        match self.shift {
            0 => self.saturate(values),
            right @ 1.. => self.saturate(shift_right(values, right)),
            // 256 saturates already, and so does 1 when it is shifted by 8 or more.
            left => self.saturate(values.map(|value| value.clamp(-256, 256) << (-left).min(8))),
        }
    }

    /// `sums / count` in the new format, where `|sum|` is at most `255 * count`, and `count` 1 to [`WINDOW_LIMIT`].
    #[inline]
    pub fn divide(self, sums: Sums, count: usize) -> Block {
        let count = (count as i64) << self.shift.max(0);
        let divide = |sum: i32| ((i64::from(sum) << (-self.shift).max(0)) + count / 2).div_euclid(count);
        sums.map(|sum| divide(sum).clamp(self.lowest.into(), self.highest.into()) as i16)
    }

    #[inline]
    fn saturate(self, values: Sums) -> Block {
        values.map(|value| value.clamp(self.lowest, self.highest) as i16)
    }
}

/// Divides by `2^shift`, rounding to the nearest, halves upwards; the shift is 1 to 32.
#[inline]
fn shift_right(values: Sums, shift: i32) -> Sums {
    // Half a unit is added to what is left in half units, where it cannot overflow.
    values.map(|value| value >> (shift - 1)).map(|halves| (halves >> 1) + (halves & 1))
}

/// A weight that is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tap {
    /// Its pixel's distance from the first pixel of the window, modulo the range of `usize`: where a window starts outside
    /// the image, the sum with the start is right all the same for each pixel inside.
    offset: usize,
    /// Its place in the kernel.
    line: usize,
    column: usize,
    weight: i16,
}

/// What one output channel or neuron sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// At the scale of the sums.
    bias: i32,
    taps: Vec<Tap>,
}

impl Row {
    /// The row of `weights` `[channels, kernel height, kernel width]`, whose channels are those of the input from `channel`.
    pub fn new(window: &Window, channel: usize, weights: &[i16], bias: i32) -> Self {
        let [height, width] = window.input;
        let [lines, columns] = window.kernel;
        let taps = weights.iter().enumerate().filter(|(_, weight)| **weight != 0).map(|(index, &weight)| {
            let (line, column) = (index / columns % lines, index % columns);
            let image = (channel + index / (lines * columns)) * height * width;
            Tap { offset: line.wrapping_mul(width).wrapping_add(column).wrapping_add(image), line, column, weight }
        });
        Row { bias, taps: taps.collect() }
    }

    /// No sum of the row, finished or not, is of a larger magnitude if no input's is above `largest`.
    pub fn bound(&self, largest: i16) -> i64 {
        let weights: i64 = self.taps.iter().map(|tap| i64::from(tap.weight).abs()).sum();
        i64::from(self.bias).abs() + weights * i64::from(largest)
    }
}

/// The correlation of [`super::correlate`], or a linear layer: `output` is `[rows, height, width]`.
pub fn correlate(window: &Window, rows: &[Row], rescale: Rescale, input: &[Block], output: &mut [Block]) {
    for_each_sum(window, rows, input, output, |sums| rescale.apply(sums));
}

/// The same with all 32 bits.
pub fn correlate_wide(window: &Window, rows: &[Row], input: &[Block], output: &mut [Sums]) {
    for_each_sum(window, rows, input, output, |sums| sums);
}

fn for_each_sum<T>(window: &Window, rows: &[Row], input: &[Block], output: &mut [T], finish: impl Fn(Sums) -> T) {
    let width = window.input[1] as isize;
    for (row, output) in rows.iter().zip(output.chunks_exact_mut(window.positions().max(1))) {
        for (position, output) in output.iter_mut().enumerate() {
            let (y, x) = (position / window.output[1], position % window.output[1]);
            let (lines, columns) = (window.valid(0, y), window.valid(1, x));
            let inside = [lines.len(), columns.len()] == window.kernel;
            let start = window.start(0, y).wrapping_mul(width).wrapping_add(window.start(1, x)) as usize;
            let mut sums = [row.bias; BLOCK];
            for tap in &row.taps {
                if inside || (lines.contains(&tap.line) && columns.contains(&tap.column)) {
                    let values = &input[start.wrapping_add(tap.offset)];
                    for (sum, &value) in sums.iter_mut().zip(values) {
                        *sum += i32::from(value) * i32::from(tap.weight);
                    }
                }
            }
            *output = finish(sums);
        }
    }
}

/// The maximum of each window; padding never wins.
pub fn maximum(pooling: &Pooling, rescale: Rescale, input: &[Block], output: &mut [Block]) {
    for_each_window(pooling, input, output, i16::MIN.into(), i32::max, |best, _| rescale.apply(best));
}

/// The mean of each window. Its pixels, padding included, must not be more than [`WINDOW_LIMIT`].
pub fn mean(pooling: &Pooling, rescale: Rescale, input: &[Block], output: &mut [Block]) {
    for_each_window(pooling, input, output, 0, |sum, value| sum + value, |sums, count| rescale.divide(sums, count));
}

fn for_each_window(
    pooling: &Pooling,
    input: &[Block],
    output: &mut [Block],
    start: i32,
    fold: impl Fn(i32, i32) -> i32,
    finish: impl Fn(Sums, usize) -> Block,
) {
    let [height, width] = pooling.input;
    let [lines, columns] = pooling.output;
    for (index, output) in output.iter_mut().enumerate() {
        let (channel, y, x) = (index / (lines * columns), index / columns % lines, index % columns);
        let mut folded = [start; BLOCK];
        for line in pooling.window(0, y) {
            for column in pooling.window(1, x) {
                let values = &input[(channel * height + line) * width + column];
                folded.iter_mut().zip(values).for_each(|(folded, &value)| *folded = fold(*folded, value.into()));
            }
        }
        *output = finish(folded, pooling.divisor(y, x));
    }
}

/// By how many bits more than the coarser one the finer operand of an addition may be resolved: what is finer still is
/// rounded, to less than a hundredth of the coarser one's unit in all.
const EXTRA_BITS: i32 = 16;

/// The sum of two values in units of `2^-n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addition {
    /// Of each operand, to the common unit; to the right. Invariant: `-EXTRA_BITS` to 32.
    shifts: [i32; 2],
    rescale: Rescale,
}

impl Addition {
    /// From operands in units of `2^-from[i]` to units of `2^-to`, saturating at the ends of `range` (as in [`Rescale`]).
    pub fn new(from: [i32; 2], to: i32, range: RangeInclusive<i16>) -> Self {
        let common = from[0].max(from[1]).min(from[0].min(from[1]) + EXTRA_BITS);
        let shifts = from.map(|from| (from - common).min(32));
        Addition { shifts, rescale: Rescale::new(common, to, range) }
    }
}

/// `a + b`.
pub fn add(addition: Addition, a: &[Block], b: &[Block], output: &mut [Block]) {
    let align = |values: &Block, shift: i32| match values.map(i32::from) {
        values if shift > 0 => shift_right(values, shift),
        values => values.map(|value| value << -shift),
    };
    for ((output, a), b) in output.iter_mut().zip(a).zip(b) {
        let mut sums = align(a, addition.shifts[0]);
        sums.iter_mut().zip(align(b, addition.shifts[1])).for_each(|(sum, b)| *sum += b);
        *output = addition.rescale.apply(sums);
    }
}

/// Another format; with a range that starts at 0, this is a ReLU.
pub fn rescale(rescale: Rescale, input: &[Block], output: &mut [Block]) {
    for (output, input) in output.iter_mut().zip(input) {
        *output = rescale.apply(input.map(i32::from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plain, pool};
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn rescaling_rounds_halves_up_and_saturates() {
        struct Case {
            from: i32,
            to: i32,
            value: i32,
            expected: i16,
        }
        let case = |from, to, value, expected| Case { from, to, value, expected };
        for Case { from, to, value, expected } in [
            case(3, 3, -128, -128),
            case(4, 3, 5, 3),
            case(4, 3, -5, -2),
            case(4, 3, -6, -3),
            case(5, 3, 5, 1),
            case(5, 3, 6, 2),
            case(3, 5, 31, 124),
            case(3, 5, 32, 127),
            case(3, 5, -33, -128),
            case(40, 0, i32::MAX, 0),
            case(200, -100, i32::MIN, 0),
            case(0, 31, 1, 127),
            case(-100, 200, -1, -128),
            case(-100, 200, 0, 0),
            case(24, 0, i32::MAX, 127),
        ] {
            let answer = Rescale::new(from, to, -128..=127).apply([value; BLOCK]);
            assert_eq!(answer, [expected; BLOCK], "{value} from {from} to {to}");
        }
        let unsigned = Rescale::new(2, 2, 0..=255);
        assert_eq!([-1, 256].map(|value| unsigned.apply([value; BLOCK])[0]), [0, 255]);
    }

    proptest! {
        #[test]
        fn any_shift_is_that_of_the_formula(value: i32, from in -20..40i32, to in -20..40i32) {
            let exact = f64::from(value) * f64::from(to - from).exp2();
            let expected = (exact + 0.5).floor().clamp(-128.0, 127.0);
            prop_assert_eq!(f64::from(Rescale::new(from, to, -128..=127).apply([value; BLOCK])[0]), expected);
        }

        #[test]
        fn any_division_is_that_of_the_formula(count in 1..3000i32, share in -1.0..1.0f64, from in -9..40i32, to in -9..40i32) {
            let sum = (share * 128.0 * f64::from(count)) as i32;
            let exact = f64::from(sum) * f64::from(to - from).exp2() / f64::from(count);
            let expected = (exact + 0.5).floor().clamp(-128.0, 127.0);
            let answer = Rescale::new(from, to, -128..=127).divide([sum; BLOCK], count as usize);
            prop_assert_eq!(f64::from(answer[0]), expected);
        }

        #[test]
        fn any_addition_is_near_the_formula(a in -128..128i16, b in 0..256i16, from: [i8; 2], to: i8) {
            let from = from.map(i32::from);
            let addition = Addition::new(from, to.into(), -128..=127);
            let mut output = [[0; BLOCK]];
            add(addition, &[[a; BLOCK]], &[[b; BLOCK]], &mut output);
            let exact = (f64::from(a) * f64::from(-from[0]).exp2() + f64::from(b) * f64::from(-from[1]).exp2())
                * f64::from(to).exp2();
            let error = f64::from(output[0][0]) - exact.clamp(-128.0, 127.0);
            // The finer operand was rounded to 2^-16 of the coarser one's unit.
            let unit = f64::from(i32::from(to) - from[0].min(from[1])).exp2();
            prop_assert!(error.abs() <= 0.5 + unit * f64::from(-17).exp2(), "{output:?} for {exact}");
        }
    }

    fn random(count: usize, rng: &mut Pcg64Mcg) -> Vec<Block> {
        (0..count).map(|_| std::array::from_fn(|_| rng.random_range(-128..128))).collect()
    }

    fn floats(blocks: &[Block]) -> Vec<f32> {
        blocks.as_flattened().iter().map(|&value| value.into()).collect()
    }

    #[test]
    fn correlations_agree_with_the_plain_kernel() {
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let window = |input, output, kernel, stride, lead| Window { channels: 2, input, output, kernel, stride, lead };
        for window in [
            window([5, 6], [3, 4], [3, 3], [1, 1], [0, 0]),
            window([5, 6], [3, 3], [3, 3], [2, 2], [1, 1]),
            // Kernels larger than the image, and windows that touch nothing.
            window([2, 3], [3, 4], [4, 6], [1, 1], [2, 3]),
            window([2, 2], [7, 7], [2, 2], [1, 1], [3, 3]),
            Window::linear(9),
        ] {
            let input = random(window.input_len(), &mut rng);
            let weights: Vec<i16> = (0..3 * window.taps()).map(|_| rng.random_range(-3..4)).collect();
            let row = |(row, weights): (usize, &[i16])| Row::new(&window, 0, weights, 7 * row as i32 - 5);
            let rows: Vec<Row> = weights.chunks_exact(window.taps()).enumerate().map(row).collect();
            let mut expected = vec![0.0; 3 * window.positions() * BLOCK];
            let float_weights: Vec<f32> = weights.iter().map(|&weight| weight.into()).collect();
            plain::correlate(&window, BLOCK, &floats(&input), &float_weights, &[-5.0, 2.0, 9.0], &mut expected);
            let mut sums = vec![[0; BLOCK]; 3 * window.positions()];
            correlate_wide(&window, &rows, &input, &mut sums);
            let expected: Vec<i32> = expected.iter().map(|&value| value as i32).collect();
            assert_eq!(sums.as_flattened(), expected);
            let bound = rows.iter().map(|row| row.bound(128)).max().unwrap();
            assert!(expected.iter().all(|&sum| i64::from(sum).abs() <= bound));
            let rescale = Rescale::new(4, 2, -128..=127);
            let mut narrow = vec![[0; BLOCK]; sums.len()];
            correlate(&window, &rows, rescale, &input, &mut narrow);
            let expected: Vec<Block> = sums.iter().map(|&sums| rescale.apply(sums)).collect();
            assert_eq!(narrow, expected);
        }
    }

    #[test]
    fn pools_agree_with_those_of_floats() {
        let mut rng = Pcg64Mcg::seed_from_u64(2);
        let pooling = |input, output, kernel, pads, count_pads| Pooling {
            channels: 3,
            input,
            output,
            kernel,
            stride: [2, 2],
            pads,
            count_pads,
        };
        for pooling in [
            pooling([4, 6], [2, 3], [2, 2], [0; 4], false),
            pooling([5, 5], [3, 3], [3, 3], [1; 4], true),
            pooling([5, 5], [3, 3], [3, 3], [1; 4], false),
            pooling([5, 5], [3, 3], [2, 2], [0; 4], true),
        ] {
            let input = random(3 * pooling.input[0] * pooling.input[1], &mut rng);
            let mut output = vec![[0; BLOCK]; 3 * pooling.output[0] * pooling.output[1]];
            let mut expected = vec![0.0; output.len() * BLOCK];
            let rescale = Rescale::new(0, 0, -128..=127);
            pool::maximum(&pooling, BLOCK, &floats(&input), &mut expected);
            maximum(&pooling, rescale, &input, &mut output);
            assert_eq!(floats(&output), expected);
            pool::mean(&pooling, BLOCK, &floats(&input), &mut expected);
            mean(&pooling, rescale, &input, &mut output);
            for (&value, &expected) in output.as_flattened().iter().zip(&expected) {
                assert!((f32::from(value) - expected).abs() <= 0.5001, "{value} for {expected}");
            }
        }
    }
}
