//! Products of a matrix and a vector, for one sample: dense or sparse linear layers.
//!
//! `output[m] = bias[m] + sum over k of weight[m, k] * input[k]`. Rows of the output lie in vectors, several of which share each
//! broadcast element of the input; or each row is a list of its weights that are not zero.

use super::lanes::{Kernel, Lanes, WIDEST, widest, width};
use super::lists::Limits;

/// The most vectors of rows that are summed together.
const VECTORS: usize = 4;

/// Weights in the order in which they are read.
#[derive(Debug, Clone)]
pub enum Matrix {
    /// Groups of up to [`VECTORS`] vectors of rows.
    Dense {
        /// `[inputs, vectors, lanes]` of each group.
        weights: Vec<f32>,
        /// Elements of the input.
        inputs: usize,
        /// Rows of the output.
        rows: usize,
    },
    /// Each row by itself.
    Rows {
        /// Weights that are not zero.
        weights: Vec<f32>,
        /// Their elements of the input.
        places: Vec<u32>,
        /// Where each row's end.
        ends: Vec<usize>,
        /// Elements of the input.
        inputs: usize,
    },
}

impl Matrix {
    /// Weights `[rows, inputs]`, all multiplied.
    pub fn dense(weights: &[f32], rows: usize) -> Self {
        let inputs = weights.len() / rows.max(1);
        let mut packed = Vec::with_capacity(inputs * rows.next_multiple_of(width()));
        for (row, vectors) in groups(rows) {
            for input in 0..inputs {
                for row in row..row + vectors * width() {
                    packed.push(if row < rows { weights[row * inputs + input] } else { 0.0 });
                }
            }
        }
        Matrix::Dense { weights: packed, inputs, rows }
    }

    /// The same, row by row.
    pub fn rows(weights: &[f32], rows: usize) -> Self {
        let inputs = weights.len() / rows.max(1);
        let (mut packed, mut places, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for row in weights.chunks_exact(inputs.max(1)) {
            for (place, &weight) in row.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
                packed.push(weight);
                places.push(place as u32);
            }
            ends.push(places.len());
        }
        Matrix::Rows { weights: packed, places, ends, inputs }
    }

    /// Computes the output. `bias` has a number for each row, or none.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn run(&self, input: &[f32], bias: &[f32], limits: Limits, output: &mut [f32]) {
        let (inputs, rows) = match self {
            Matrix::Dense { inputs, rows, .. } => (*inputs, *rows),
            Matrix::Rows { inputs, ends, .. } => (*inputs, ends.len()),
        };
        assert_eq!((input.len(), output.len()), (inputs, rows));
        assert!(bias.is_empty() || bias.len() == rows);
        product(Product { of: self, input, bias, limits, output });
    }
}

/// The first row of each group, and its vectors.
fn groups(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let (mut row, width) = (0, width());
    std::iter::from_fn(move || {
        let left = rows.saturating_sub(row).div_ceil(width);
        let vectors = [VECTORS, 1].into_iter().find(|&vectors| vectors <= left)?;
        row += vectors * width;
        Some((row - vectors * width, vectors))
    })
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn product(task: Product) {
    widest(task);
}

struct Product<'a> {
    of: &'a Matrix,
    input: &'a [f32],
    bias: &'a [f32],
    limits: Limits,
    output: &'a mut [f32],
}

impl Kernel for Product<'_> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        match self.of {
            Matrix::Dense { weights, inputs, rows } => {
                let mut weights = &weights[..];
                for (row, vectors) in groups(*rows) {
                    let (of_group, rest) = weights.split_at(inputs * vectors * V::COUNT);
                    weights = rest;
                    match vectors {
                        VECTORS => self.group::<V, VECTORS>(row, of_group),
                        _ => self.group::<V, 1>(row, of_group),
                    }
                }
            }
            Matrix::Rows { weights, places, ends, .. } => {
                let mut start = 0;
                for (row, &end) in ends.iter().enumerate() {
                    let sum = row_sum(&places[start..end], &weights[start..end], self.input);
                    let sum = sum + self.bias.get(row).copied().unwrap_or(0.0);
                    // As vectors do: what is no number becomes the limit.
                    let sum = if sum > self.limits.lowest { sum } else { self.limits.lowest };
                    self.output[row] = if sum < self.limits.highest { sum } else { self.limits.highest };
                    start = end;
                }
            }
        }
    }
}

impl Product<'_> {
    /// The rows of one group; its weights are `[inputs, N, lanes]`.
    #[inline(always)]
    fn group<V: Lanes, const N: usize>(&mut self, row: usize, weights: &[f32]) {
        assert!(weights.len() >= self.input.len() * N * V::COUNT);
        // Two sums each, of every second element, so that none waits for the one before.
        let mut sums = [[V::splat(0.0); N]; 2];
        let mut from = weights.as_ptr();
        let (pairs, last) = self.input.as_chunks::<2>();
        // SAFETY: the length was checked.
        unsafe {
            for pair in pairs {
                for (&value, sums) in pair.iter().zip(&mut sums) {
                    let value = V::splat(value);
                    for (n, sum) in sums.iter_mut().enumerate() {
                        *sum = value.mul_add(V::load(from.add(n * V::COUNT)), *sum);
                    }
                    from = from.add(N * V::COUNT);
                }
            }
            for &value in last {
                let value = V::splat(value);
                for (n, sum) in sums[0].iter_mut().enumerate() {
                    *sum = value.mul_add(V::load(from.add(n * V::COUNT)), *sum);
                }
            }
        }
        let [a, b] = sums;
        for (n, (a, b)) in a.into_iter().zip(b).enumerate() {
            self.store(row + n * V::COUNT, a.add(b));
        }
    }

    /// Stores the sums of the rows from `row` on that there are.
    #[inline(always)]
    fn store<V: Lanes>(&mut self, row: usize, sum: V) {
        let count = V::COUNT.min(self.output.len().saturating_sub(row));
        if count == 0 {
            return;
        }
        let mut values = [0.0; WIDEST];
        if !self.bias.is_empty() {
            values[..count].copy_from_slice(&self.bias[row..row + count]);
        }
        let (lowest, highest) = (V::splat(self.limits.lowest), V::splat(self.limits.highest));
        // SAFETY: any vector fits.
        unsafe {
            sum.add(V::load(values.as_ptr())).max(lowest).min(highest).store(values.as_mut_ptr());
        }
        self.output[row..row + count].copy_from_slice(&values[..count]);
    }
}

#[inline(always)]
fn row_sum(places: &[u32], weights: &[f32], input: &[f32]) -> f32 {
    let mut sums = [0.0; 4];
    let (places, rest) = places.as_chunks::<4>();
    let (weights, weights_rest) = weights.as_chunks::<4>();
    for (places, weights) in places.iter().zip(weights) {
        for lane in 0..4 {
            sums[lane] += weights[lane] * input[places[lane] as usize];
        }
    }
    for (&place, weight) in rest.iter().zip(weights_rest) {
        sums[0] += weight * input[place as usize];
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{assert_close, noise};
    use super::*;

    #[test]
    fn all_kinds_agree_with_sums_one_by_one() {
        for (rows, inputs) in [(1, 1), (10, 500), (7, 3), (130, 33), (64, 0), (33, 8)] {
            let mut weights = noise(rows * inputs, 1);
            weights.iter_mut().enumerate().filter(|(at, _)| at % 7 > 1).for_each(|(_, weight)| *weight = 0.0);
            let (input, bias) = (noise(inputs, 2), noise(rows, 3));
            let limits = Limits { lowest: -0.5, highest: 2.0 };
            let sum = |row: usize| {
                let products = (0..inputs).map(|at| weights[row * inputs + at] * input[at]);
                (bias[row] + products.sum::<f32>()).clamp(limits.lowest, limits.highest)
            };
            let expected: Vec<f32> = (0..rows).map(sum).collect();
            for matrix in [Matrix::dense(&weights, rows), Matrix::rows(&weights, rows)] {
                if inputs == 0 {
                    continue;
                }
                let mut output = vec![f32::NAN; rows];
                matrix.run(&input, &bias, limits, &mut output);
                assert_close(&output, &expected, &format!("{rows} x {inputs}"));
            }
        }
    }
}
