//! Pooling for one sample: maxima and means over windows of planes `[channels, h, w]`.

use super::lanes::{Kernel, Lanes, WIDEST, widest};
use super::pool::Pooling;

/// The maximum of each 2 x 2, of rows of an even length, an even number in each plane.
///
/// # Panics
/// If the lengths do not fit, as for all of this module.
pub fn halved(width: usize, input: &[f32], output: &mut [f32]) {
    assert!(width.is_multiple_of(2) && input.len() == 4 * output.len() && input.len().is_multiple_of(2 * width));
    pairs(Pairs { width, input, output });
}

/// The maximum of each window; padding never wins. `columns` is memory for a row of the input.
pub fn maximum(pooling: &Pooling, input: &[f32], columns: &mut [f32], output: &mut [f32]) {
    check(pooling, input.len(), output.len());
    let [height, width] = pooling.input;
    if [pooling.kernel, pooling.stride] == [[2, 2]; 2] && pooling.tiles() {
        return halved(width, input, output);
    }
    let (plane, place) = (height * width, pooling.output[0] * pooling.output[1]);
    // The maximum of a window's rows in each column first.
    let columns = &mut columns[..width];
    for (input, output) in input.chunks_exact(plane).zip(output.chunks_exact_mut(place)) {
        for (y, line) in output.chunks_exact_mut(pooling.output[1]).enumerate() {
            columns.fill(f32::NEG_INFINITY);
            for row in pooling.window(0, y) {
                raise(Raise { from: &input[row * width..][..width], to: columns });
            }
            for (x, value) in line.iter_mut().enumerate() {
                let mut best = f32::NEG_INFINITY;
                for &column in &columns[pooling.window(1, x)] {
                    best = if column > best { column } else { best };
                }
                *value = best;
            }
        }
    }
}

/// The mean of each window.
pub fn mean(pooling: &Pooling, input: &[f32], output: &mut [f32]) {
    check(pooling, input.len(), output.len());
    let [height, width] = pooling.input;
    let (plane, place) = (height * width, pooling.output[0] * pooling.output[1]);
    let whole = pooling.kernel == pooling.input && place == 1 && pooling.pads == [0; 4];
    for (input, output) in input.chunks_exact(plane).zip(output.chunks_exact_mut(place)) {
        if whole {
            output[0] = sum(input) / plane as f32;
            continue;
        }
        for (at, value) in output.iter_mut().enumerate() {
            let (y, x) = (at / pooling.output[1], at % pooling.output[1]);
            let columns = pooling.window(1, x);
            let mut sum = 0.0;
            for row in pooling.window(0, y) {
                for &pixel in &input[row * width..][columns.clone()] {
                    sum += pixel;
                }
            }
            *value = sum / pooling.divisor(y, x) as f32;
        }
    }
}

fn check(pooling: &Pooling, input: usize, output: usize) {
    assert_eq!(input, pooling.input_len());
    assert_eq!(output, pooling.output_len());
}

fn sum(values: &[f32]) -> f32 {
    let mut total = 0.0;
    widest(Total { values, total: &mut total });
    total
}

struct Total<'a> {
    values: &'a [f32],
    total: &'a mut f32,
}

impl Kernel for Total<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        // Sums of every sixteenth value, however many a vector has: the order does not depend on the machine.
        let mut sums = [0.0; WIDEST];
        let whole = self.values.len() / WIDEST * WIDEST;
        for first in (0..WIDEST).step_by(V::COUNT) {
            let (mut sum, mut at) = (V::splat(0.0), first);
            // SAFETY: whole vectors lie there.
            unsafe {
                while at < whole {
                    sum = sum.add(V::load(self.values.as_ptr().add(at)));
                    at += WIDEST;
                }
                sum.store(sums.as_mut_ptr().add(first));
            }
        }
        let rest = &self.values[whole..];
        *self.total = sums.iter().sum::<f32>() + rest.iter().sum::<f32>();
    }
}

/// `to = max(from, to)`.
struct Raise<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

#[inline(never)]
fn raise(task: Raise) {
    widest(task);
}

impl Kernel for Raise<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let whole = self.to.len() / V::COUNT * V::COUNT;
        for at in (0..whole).step_by(V::COUNT) {
            // SAFETY: a whole vector lies there in both, which are of one length.
            unsafe {
                let to = self.to.as_mut_ptr().add(at);
                V::load(self.from.as_ptr().add(at)).max(V::load(to)).store(to);
            }
        }
        for (to, &from) in self.to[whole..].iter_mut().zip(&self.from[whole..]) {
            *to = if from > *to { from } else { *to };
        }
    }
}

/// Windows of 2 x 2 beside each other. A plane's height is even: planes need not be told apart.
struct Pairs<'a> {
    width: usize,
    input: &'a [f32],
    output: &'a mut [f32],
}

#[inline(never)]
fn pairs(task: Pairs) {
    widest(task);
}

impl Kernel for Pairs<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let half = self.width / 2;
        let whole = half / V::COUNT * V::COUNT;
        let max = |a: f32, b: f32| if a > b { a } else { b };
        for (rows, line) in self.input.chunks_exact(2 * self.width).zip(self.output.chunks_exact_mut(half)) {
            let (above, below) = rows.split_at(self.width);
            for at in (0..whole).step_by(V::COUNT) {
                // SAFETY: two whole vectors lie there in both rows, and one in the output's.
                unsafe {
                    let (above, below) = (above.as_ptr().add(2 * at), below.as_ptr().add(2 * at));
                    let first = V::load(above).max(V::load(below));
                    let second = V::load(above.add(V::COUNT)).max(V::load(below.add(V::COUNT)));
                    let (even, odd) = first.unzip(second);
                    even.max(odd).store(line.as_mut_ptr().add(at));
                }
            }
            for at in whole..half {
                line[at] = max(max(above[2 * at], above[2 * at + 1]), max(below[2 * at], below[2 * at + 1]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{assert_close, noise};
    use super::super::pool;
    use super::*;

    #[test]
    fn agree_with_those_of_samples_side_by_side() {
        for (input, kernel, stride, pads) in [
            ([8, 8], [2, 2], [2, 2], [0; 4]),
            ([6, 70], [2, 2], [2, 2], [0; 4]),
            ([7, 9], [2, 2], [2, 2], [0; 4]),
            ([11, 13], [3, 3], [2, 2], [1; 4]),
            ([9, 5], [3, 2], [1, 3], [1, 0, 2, 1]),
            ([7, 7], [7, 7], [1, 1], [0; 4]),
        ] {
            let output =
                [0, 1].map(|axis| (input[axis] + pads[axis] + pads[axis + 2] - kernel[axis]) / stride[axis] + 1);
            for count_pads in [false, true] {
                let pooling = Pooling { channels: 3, input, output, kernel, stride, pads, count_pads };
                let image = noise(pooling.input_len(), 1);
                let blocks: Vec<f32> = image.iter().flat_map(|&value| [value; 8]).collect();
                let mut expected = vec![0.0; pooling.output_len() * 8];
                let mut got = vec![f32::NAN; pooling.output_len()];
                let what = format!("{pooling:?}");
                pool::maximum(&pooling, 8, &blocks, &mut expected);
                maximum(&pooling, &image, &mut vec![0.0; input[1]], &mut got);
                assert_eq!(got, expected.iter().copied().step_by(8).collect::<Vec<_>>(), "{what}");
                pool::mean(&pooling, 8, &blocks, &mut expected);
                mean(&pooling, &image, &mut got);
                assert_close(&got, &expected.iter().copied().step_by(8).collect::<Vec<_>>(), &what);
            }
        }
    }
}
