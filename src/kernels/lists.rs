//! Sums over lists of taps, for one sample: a convolution over shifted copies of its input ([`super::copies`]), a pointwise one,
//! and the products that Winograd's transforms leave.
//!
//! `output[m, p] = bias[m] + sum over taps t of weight[m, t] * input[offset(t) + p]`: a tap is one offset, the same for all
//! positions `p`, which lie in vectors. Rows of the output (its channels) come in blocks that share one list: up to six or eight of a
//! dense layer, where the list has all taps; two, or one, of a sparse one, where it has those with a weight that is not zero.
//! A tile of a block's rows times some vectors of positions is summed in registers; each weight is broadcast, each vector of
//! the input loaded once for all rows of the block.

use super::lanes::{Kernel, Lanes, WIDEST, widest, width};
use std::ops::Range;

/// The most rows of a block.
const ROWS: usize = 8;

/// Rows of the output that share a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    /// The first of them.
    row: usize,
    /// How many.
    rows: usize,
    /// Its taps, in [`Lists::offsets`].
    taps: Range<usize>,
    /// Where its weights start, `[taps, rows]`.
    weights: usize,
}

/// The weights of a layer, in blocks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lists {
    blocks: Vec<Block>,
    offsets: Vec<u32>,
    weights: Vec<f32>,
    /// The largest offset.
    reach: usize,
}

/// What becomes of a sum before it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Whatever is below becomes this.
    pub lowest: f32,
    /// Whatever is above becomes this.
    pub highest: f32,
}

impl Limits {
    /// Sums stay as they are.
    pub const NONE: Limits = Limits { lowest: f32::NEG_INFINITY, highest: f32::INFINITY };
}

impl Lists {
    /// Weights `[rows, taps]` all of whose taps are multiplied; `offsets` are those of the taps.
    pub fn dense(weights: &[f32], rows: usize, offsets: &[u32]) -> Self {
        let mut lists = Lists::empty(weights, rows, offsets);
        lists.offsets.extend_from_slice(offsets);
        let mut row = 0;
        for count in dense_blocks(rows) {
            let start = lists.weights.len();
            for tap in 0..offsets.len() {
                lists.weights.extend((row..row + count).map(|row| weights[row * offsets.len() + tap]));
            }
            lists.blocks.push(Block { row, rows: count, taps: 0..offsets.len(), weights: start });
            row += count;
        }
        lists
    }

    /// As [`Lists::dense`] for blocks of `together` rows (1, 2 or 4), each with the taps at which one of its weights is not zero.
    pub fn sparse(weights: &[f32], rows: usize, offsets: &[u32], together: usize) -> Self {
        let mut lists = Lists::empty(weights, rows, offsets);
        let mut row = 0;
        while row < rows {
            let count = [4, 2, 1].into_iter().find(|&count| count <= together.min(rows - row)).unwrap_or(1);
            let (first, start) = (lists.offsets.len(), lists.weights.len());
            for (tap, &offset) in offsets.iter().enumerate() {
                let of_tap = || (row..row + count).map(|row| weights[row * offsets.len() + tap]);
                if of_tap().any(|weight| weight != 0.0) {
                    lists.offsets.push(offset);
                    lists.weights.extend(of_tap());
                }
            }
            lists.blocks.push(Block { row, rows: count, taps: first..lists.offsets.len(), weights: start });
            row += count;
        }
        lists
    }

    fn empty(weights: &[f32], rows: usize, offsets: &[u32]) -> Self {
        assert_eq!(weights.len(), rows * offsets.len());
        let reach = offsets.iter().max().map_or(0, |&offset| offset as usize);
        Lists { reach, ..Lists::default() }
    }

    /// How many blocks there are.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The rows of a block.
    pub fn rows_of(&self, block: usize) -> Range<usize> {
        let Block { row, rows, .. } = self.blocks[block];
        row..row + rows
    }

    /// Floats that [`run`] reads of an input for so many positions.
    pub fn input_len(&self, positions: usize) -> usize {
        self.reach + positions.max(width())
    }
}

/// The rows of the blocks of a dense layer: as many as registers allow, then fewer.
fn dense_blocks(rows: usize) -> impl Iterator<Item = usize> {
    let sizes: &[usize] = match width() {
        16 => &[8, 4, 2, 1],
        8 => &[6, 4, 2, 1],
        _ => &[4, 2, 1],
    };
    let mut left = rows;
    std::iter::from_fn(move || {
        let count = sizes.iter().copied().find(|&count| count <= left)?;
        left -= count;
        Some(count)
    })
}

/// Computes the rows of one block for `positions` positions, into the first floats of every `plane` of `output`.
///
/// # Panics
/// If there are fewer biases than rows (none is none), or slices are too short.
#[expect(clippy::too_many_arguments, reason = "what a sum is made of, and where it goes")]
pub fn run(
    lists: &Lists,
    block: usize,
    input: &[f32],
    positions: usize,
    bias: &[f32],
    limits: Limits,
    output: &mut [f32],
    plane: usize,
) {
    let Block { row, rows, ref taps, weights } = lists.blocks[block];
    assert!(input.len() >= lists.input_len(positions));
    assert!(output.len() >= (rows - 1) * plane + positions && (rows == 1 || plane >= positions));
    let mut biases = [0.0; ROWS];
    if !bias.is_empty() {
        biases[..rows].copy_from_slice(&bias[row..row + rows]);
    }
    let taps = &lists.offsets[taps.clone()];
    let weights = &lists.weights[weights..][..taps.len() * rows];
    sum(Sum { taps, weights, input, positions, biases, limits, output, plane, rows });
}

/// A call of its own: browsers replace the slow code of a function that runs by fast one only when it is called again.
#[inline(never)]
fn sum(sum: Sum) {
    widest(sum);
}

struct Sum<'a> {
    taps: &'a [u32],
    /// `[taps, rows]`.
    weights: &'a [f32],
    input: &'a [f32],
    positions: usize,
    biases: [f32; ROWS],
    limits: Limits,
    output: &'a mut [f32],
    plane: usize,
    rows: usize,
}

impl Kernel for Sum<'_> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        // SAFETY: `run` has checked the lengths.
        unsafe {
            match (self.rows, V::COUNT) {
                (1, 4) => self.block::<V, 1, 6>(),
                (1, _) => self.block::<V, 1, 8>(),
                (2, _) => self.block::<V, 2, 4>(),
                (4, 16) => self.block::<V, 4, 4>(),
                (4, _) => self.block::<V, 4, 2>(),
                (6, 8) => self.block::<V, 6, 2>(),
                (8, 16) => self.block::<V, 8, 3>(),
                _ => unreachable!("blocks have these sizes"),
            }
        }
    }
}

impl Sum<'_> {
    #[inline(always)]
    unsafe fn block<V: Lanes, const M: usize, const N: usize>(&mut self) {
        let mut few = [[0.0; WIDEST]; M];
        let (to, plane) = match self.positions >= V::COUNT {
            true => (self.output.as_mut_ptr(), self.plane),
            false => (few.as_mut_ptr().cast(), WIDEST),
        };
        let mut at = 0;
        // SAFETY (of all): the caller's promise; a last vector that would end behind the positions begins earlier, and fewer
        // positions than a vector has go to a place that holds any.
        unsafe {
            while at + N * V::COUNT <= self.positions {
                self.tile::<V, M, N>(at, to, plane);
                at += N * V::COUNT;
            }
            while N > 2 && at + 2 * V::COUNT <= self.positions {
                self.tile::<V, M, 2>(at, to, plane);
                at += 2 * V::COUNT;
            }
            while at < self.positions {
                let first = at.min(self.positions.saturating_sub(V::COUNT));
                self.tile::<V, M, 1>(first, to, plane);
                at = first + V::COUNT;
            }
        }
        if self.positions < V::COUNT {
            for (m, few) in few.iter().enumerate() {
                self.output[m * self.plane..][..self.positions].copy_from_slice(&few[..self.positions]);
            }
        }
    }

    /// Stores `M` rows, `plane` apart, times `N` vectors.
    #[inline(always)]
    unsafe fn tile<V: Lanes, const M: usize, const N: usize>(&self, at: usize, to: *mut f32, plane: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let sums = self.sums::<V, M, N>(at);
            for (m, row) in sums.into_iter().enumerate() {
                for (n, sum) in row.into_iter().enumerate() {
                    sum.store(to.add(at + m * plane + n * V::COUNT));
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn sums<V: Lanes, const M: usize, const N: usize>(&self, at: usize) -> [[V; N]; M] {
        let mut sums = [[V::splat(0.0); N]; M];
        for (row, bias) in sums.iter_mut().zip(self.biases) {
            *row = [V::splat(bias); N];
        }
        // SAFETY: the caller's promise.
        unsafe {
            let input = self.input.as_ptr().add(at);
            let mut weights = self.weights.as_ptr();
            for &offset in self.taps {
                let from = input.add(offset as usize);
                let mut vectors = [V::splat(0.0); N];
                for (n, vector) in vectors.iter_mut().enumerate() {
                    *vector = V::load(from.add(n * V::COUNT));
                }
                for (m, row) in sums.iter_mut().enumerate() {
                    let weight = V::splat(*weights.add(m));
                    for (sum, vector) in row.iter_mut().zip(vectors) {
                        *sum = weight.mul_add(vector, *sum);
                    }
                }
                weights = weights.add(M);
            }
        }
        if self.limits != Limits::NONE {
            let (lowest, highest) = (V::splat(self.limits.lowest), V::splat(self.limits.highest));
            for row in &mut sums {
                for sum in row {
                    *sum = sum.max(lowest).min(highest);
                }
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{assert_close, noise};
    use super::*;

    #[test]
    fn agrees_with_sums_one_by_one() {
        for (rows, positions) in [(1, 1), (3, 5), (7, 16), (13, 37), (22, 49), (8, 200)] {
            for (kind, density) in [(0, 1.0), (1, 0.3), (2, 0.3), (4, 0.2)] {
                let taps = 11;
                let offsets: Vec<u32> = (0..taps as u32).map(|tap| tap * 17 % 53).collect();
                let mut weights = noise(rows * taps, 1);
                let keep = noise(rows * taps, 2);
                weights.iter_mut().zip(&keep).for_each(|(weight, keep)| *weight *= f32::from(keep.abs() < density));
                let lists = match kind {
                    0 => Lists::dense(&weights, rows, &offsets),
                    together => Lists::sparse(&weights, rows, &offsets, together),
                };
                let input = noise(lists.input_len(positions), 3);
                let bias = noise(rows, 4);
                let limits = if rows % 2 == 0 { Limits { lowest: 0.0, highest: 0.5 } } else { Limits::NONE };
                let plane = positions + 3;
                let mut output = vec![f32::NAN; rows * plane];
                for block in 0..lists.blocks() {
                    let to = &mut output[lists.rows_of(block).start * plane..];
                    run(&lists, block, &input, positions, &bias, limits, to, plane);
                }
                for row in 0..rows {
                    let sum = |position: usize| {
                        let taps =
                            (0..taps).map(|tap| weights[row * taps + tap] * input[offsets[tap] as usize + position]);
                        (bias[row] + taps.sum::<f32>()).max(limits.lowest).min(limits.highest)
                    };
                    let expected: Vec<f32> = (0..positions).map(sum).collect();
                    let what = format!("{rows} rows, {positions} positions, kind {kind}, row {row}");
                    assert_close(&output[row * plane..][..positions], &expected, &what);
                    assert!(output[row * plane + positions..][..3].iter().all(|value| value.is_nan()), "{what}");
                }
            }
        }
    }
}
