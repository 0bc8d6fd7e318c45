//! What is done to each element by itself, or along one axis.

use super::lanes::{Kernel, LANES, Lanes, dispatch};

/// `output = max(input, 0)`. The slices are of one length (as for all of this module).
pub fn relu(input: &[f32], output: &mut [f32]) {
    dispatch(Elementwise::Relu { input, output });
}

/// `input_gradient = gradient` where the ReLU's output is above 0, else 0.
pub fn relu_gradient(output: &[f32], gradient: &[f32], input_gradient: &mut [f32]) {
    dispatch(Elementwise::ReluGradient { output, gradient, input_gradient });
}

/// `output = a + b`.
pub fn add(a: &[f32], b: &[f32], output: &mut [f32]) {
    dispatch(Elementwise::Add { a, b, output });
}

/// `to += from`.
pub fn add_to(from: &[f32], to: &mut [f32]) {
    dispatch(Elementwise::AddTo { from, to });
}

/// Writes (or adds, if `accumulate`) the sum of each row of `values` `[sums.len(), length]` to `sums`; the gradient to a bias.
/// `length` is a multiple of [`LANES`].
pub fn row_sums(values: &[f32], accumulate: bool, sums: &mut [f32]) {
    dispatch(Elementwise::RowSums { values, accumulate, sums });
}

enum Elementwise<'a> {
    Relu { input: &'a [f32], output: &'a mut [f32] },
    ReluGradient { output: &'a [f32], gradient: &'a [f32], input_gradient: &'a mut [f32] },
    Add { a: &'a [f32], b: &'a [f32], output: &'a mut [f32] },
    AddTo { from: &'a [f32], to: &'a mut [f32] },
    RowSums { values: &'a [f32], accumulate: bool, sums: &'a mut [f32] },
}

impl Kernel for Elementwise<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        match self {
            Elementwise::Relu { input, output } => {
                for (y, &x) in output.iter_mut().zip(input) {
                    *y = if x > 0.0 { x } else { 0.0 };
                }
            }
            Elementwise::ReluGradient { output, gradient, input_gradient } => {
                for ((dx, &y), &dy) in input_gradient.iter_mut().zip(output).zip(gradient) {
                    *dx = if y > 0.0 { dy } else { 0.0 };
                }
            }
            Elementwise::Add { a, b, output } => {
                for ((y, a), b) in output.iter_mut().zip(a).zip(b) {
                    *y = a + b;
                }
            }
            Elementwise::AddTo { from, to } => {
                for (to, from) in to.iter_mut().zip(from) {
                    *to += from;
                }
            }
            Elementwise::RowSums { values, accumulate, sums } => {
                let length = values.len() / sums.len().max(1);
                for (row, sum) in values.chunks_exact(length.max(1)).zip(sums) {
                    let mut total = V::splat(0.0);
                    for vector in row.as_chunks::<LANES>().0 {
                        // SAFETY: a vector has eight floats.
                        total = total.add(unsafe { V::load(vector.as_ptr()) });
                    }
                    *sum = if accumulate { *sum + total.sum() } else { total.sum() };
                }
            }
        }
    }
}

/// `output = exp(input) / sum exp(input)` along the features of `[features, n]`.
pub fn softmax(input: &[f32], n: usize, output: &mut [f32]) {
    for sample in 0..n {
        let features = || (sample..input.len()).step_by(n);
        // Less the maximum, no exponential overflows.
        let largest = features().fold(f32::NEG_INFINITY, |largest, i| largest.max(input[i]));
        let mut sum = 0.0;
        for i in features() {
            output[i] = (input[i] - largest).exp();
            sum += output[i];
        }
        features().for_each(|i| output[i] /= sum);
    }
}

/// The gradient of [`softmax`]: `dx = y * (dy - sum(y * dy))`.
pub fn softmax_gradient(output: &[f32], gradient: &[f32], n: usize, input_gradient: &mut [f32]) {
    for sample in 0..n {
        let features = || (sample..output.len()).step_by(n);
        let dot: f32 = features().map(|i| output[i] * gradient[i]).sum();
        features().for_each(|i| input_gradient[i] = output[i] * (gradient[i] - dot));
    }
}

/// `output = input - ln(sum exp(input))` along the features of `[features, n]`.
pub fn log_softmax(input: &[f32], n: usize, output: &mut [f32]) {
    softmax(input, n, output);
    for sample in 0..n {
        let features = || (sample..input.len()).step_by(n);
        // The largest has a softmax that is not small, so that its logarithm is exact; the others differ from it by their inputs.
        let largest = features().fold(sample, |largest, i| if input[i] > input[largest] { i } else { largest });
        let logarithm = output[largest].ln();
        features().for_each(|i| output[i] = input[i] - input[largest] + logarithm);
    }
}

/// The gradient of [`log_softmax`]: `dx = dy - exp(y) * sum(dy)`.
pub fn log_softmax_gradient(output: &[f32], gradient: &[f32], n: usize, input_gradient: &mut [f32]) {
    for sample in 0..n {
        let features = || (sample..output.len()).step_by(n);
        let sum: f32 = features().map(|i| gradient[i]).sum();
        features().for_each(|i| input_gradient[i] = gradient[i] - output[i].exp() * sum);
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::{assert_close, noise};
    use super::*;

    #[test]
    fn agree_with_the_formulas() {
        let (a, b, n) = (noise(48, 1), noise(48, 2), 16);
        let mut output = vec![f32::NAN; 48];
        relu(&a, &mut output);
        assert!(output.iter().zip(&a).all(|(y, x)| *y == x.max(0.0)));
        let mut gradient = vec![f32::NAN; 48];
        relu_gradient(&output, &b, &mut gradient);
        assert!((0..48).all(|i| gradient[i] == if a[i] > 0.0 { b[i] } else { 0.0 }));
        add(&a, &b, &mut output);
        assert!((0..48).all(|i| output[i] == a[i] + b[i]));
        add_to(&a, &mut output);
        assert!((0..48).all(|i| output[i] == a[i] + b[i] + a[i]));
        let mut sums = [1.0; 3];
        row_sums(&a, true, &mut sums);
        let expected: Vec<f32> = a.chunks(n).map(|row| 1.0 + row.iter().sum::<f32>()).collect();
        assert_close(&sums, &expected, "row sums");
    }

    #[test]
    fn the_logarithm_of_a_softmax_is_exact_where_the_inputs_are_large() {
        let input: Vec<f32> = [10_000.0, 10_001.0, 9_000.0].into_iter().flat_map(|x| [x; 8]).collect();
        let mut output = vec![f32::NAN; 24];
        log_softmax(&input, 8, &mut output);
        // -ln(1 + e) and -ln(1 + 1 / e), by bc.
        assert!((output[0] + 1.313_261_7).abs() < 1e-6 && (output[8] + 0.313_261_7).abs() < 1e-6, "{output:?}");
        assert!((output[16] + 1_001.313_3).abs() < 1e-3);
    }

    #[test]
    fn softmax_sums_to_one_and_does_not_overflow() {
        let mut input = noise(24, 3);
        input[0] = 500.0;
        let mut output = vec![f32::NAN; 24];
        softmax(&input, 8, &mut output);
        for sample in 0..8 {
            let sum: f32 = (0..3).map(|feature| output[feature * 8 + sample]).sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
        assert_eq!(output[0], 1.0);
    }
}
