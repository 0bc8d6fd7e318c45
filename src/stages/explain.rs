//! Which channels explain the others: greedy selection, and least squares for those that are dropped.

use ndarray::{Array1, Array2, ArrayView2, Axis};

/// Added to each variance, relative to the mean variance, so that channels that say the same can be told apart from
/// rounding.
const RIDGE: f64 = 1e-5;

/// Means and covariances of the channels of one value.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Mean of each channel.
    pub mean: Array1<f64>,
    /// `[channels, channels]`.
    pub covariance: Array2<f64>,
}

impl Moments {
    /// Of activations `[channels, observations]`; around zero instead of the mean if they are not `centered`, so that
    /// what is fitted has no intercept.
    pub fn new(activations: ArrayView2<'_, f32>, centered: bool) -> Self {
        let observations = activations.ncols().max(1) as f32;
        let mean = match centered {
            true => activations.sum_axis(Axis(1)) / observations,
            false => Array1::zeros(activations.nrows()),
        };
        let centered = &activations - &mean.view().insert_axis(Axis(1));
        let covariance = (centered.dot(&centered.t()) / observations).mapv(f64::from);
        Moments { mean: mean.mapv(f64::from), covariance }
    }
}

/// Channels in the order in which they should be kept.
#[derive(Debug, Clone)]
pub struct Order {
    /// All channels; each explains the most of what those before it leave unexplained.
    pub channels: Vec<usize>,
    /// `unexplained[k]`: share of the weighted variance that the first `k` channels leave unexplained, from 1 falling
    /// to 0; one longer than `channels`.
    pub unexplained: Vec<f64>,
}

impl Order {
    /// Forward selection: a pivoted Cholesky decomposition whose pivot is the channel that explains the most of all
    /// channels' remaining variances, where `importance` weighs the channels (squared gain of what reads them).
    pub fn new(moments: &Moments, importance: &[f64]) -> Self {
        let count = importance.len();
        let scales: Vec<f64> = importance.iter().map(|value| value.sqrt()).collect();
        let mut left =
            Array2::from_shape_fn((count, count), |(i, j)| moments.covariance[[i, j]] * scales[i] * scales[j]);
        let total = left.diag().sum();
        let negligible = RIDGE * total / count as f64;
        let mut order = Order { channels: Vec::with_capacity(count), unexplained: vec![1.0] };
        let mut waiting: Vec<usize> = (0..count).collect();
        while !waiting.is_empty() {
            let explained = |channel: usize| {
                let variance = left[[channel, channel]];
                if variance <= negligible {
                    return 0.0;
                }
                waiting.iter().map(|&other| left[[other, channel]].powi(2)).sum::<f64>() / variance
            };
            let gains: Vec<f64> = waiting.iter().map(|&channel| explained(channel)).collect();
            // Ties, such as channels that are silent, keep their order.
            let best = (0..gains.len()).fold(0, |best, index| if gains[index] > gains[best] { index } else { best });
            let channel = waiting.remove(best);
            if gains[best] > 0.0 {
                let column = left.column(channel).to_owned();
                let variance = column[channel];
                for (i, mut row) in left.outer_iter_mut().enumerate() {
                    row.scaled_add(-column[i] / variance, &column);
                }
            }
            let remaining: f64 = waiting.iter().map(|&other| left[[other, other]].max(0.0)).sum();
            order.channels.push(channel);
            order.unexplained.push(if total > 0.0 { remaining / total } else { 0.0 });
        }
        order
    }

    /// The fewest first channels, at least one, that leave at most `epsilon` unexplained; rising.
    pub fn keep(&self, epsilon: f64) -> Vec<usize> {
        let enough = self.unexplained.iter().position(|&share| share <= epsilon).unwrap_or(self.channels.len());
        let kept = &self.channels[..enough.max(1).min(self.channels.len())];
        let mut keeps = vec![false; self.channels.iter().max().map_or(0, |&last| last + 1)];
        kept.iter().for_each(|&channel| keeps[channel] = true);
        (0..keeps.len()).filter(|&channel| keeps[channel]).collect()
    }
}

/// Dropped channels as linear functions of the kept ones.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The channels that are not kept, rising.
    pub dropped: Vec<usize>,
    /// `[dropped, kept]`.
    pub coefficients: Array2<f64>,
    /// `[dropped]`.
    pub intercepts: Array1<f64>,
}

impl Explanation {
    /// Least squares with intercept, from the moments.
    pub fn new(moments: &Moments, kept: &[usize]) -> Self {
        let dropped: Vec<usize> = (0..moments.mean.len()).filter(|channel| !kept.contains(channel)).collect();
        let covariances = |rows: &[usize]| {
            Array2::from_shape_fn((rows.len(), kept.len()), |(row, column)| {
                moments.covariance[[rows[row], kept[column]]]
            })
        };
        let means = |channels: &[usize]| Array1::from_shape_fn(channels.len(), |place| moments.mean[channels[place]]);
        let mut normal = covariances(kept);
        let ridge = RIDGE * (normal.diag().sum() / kept.len().max(1) as f64).max(f64::MIN_POSITIVE);
        normal.diag_mut().mapv_inplace(|variance| variance + ridge);
        let coefficients = solve(normal, covariances(&dropped));
        let intercepts = means(&dropped) - coefficients.dot(&means(kept));
        Explanation { dropped, coefficients, intercepts }
    }
}

/// Rows `x` with `x normal = right`, for a symmetric positive definite `normal`, by Cholesky decomposition.
fn solve(mut normal: Array2<f64>, right: Array2<f64>) -> Array2<f64> {
    let count = normal.nrows();
    for column in 0..count {
        for earlier in 0..column {
            let factor = normal[[column, earlier]];
            for row in column..count {
                normal[[row, column]] -= normal[[row, earlier]] * factor;
            }
        }
        // The ridge keeps the pivots above 0 but for rounding.
        let pivot = normal[[column, column]].max(f64::MIN_POSITIVE).sqrt();
        for row in column..count {
            normal[[row, column]] /= pivot;
        }
    }
    let mut solution = right;
    for mut x in solution.outer_iter_mut() {
        for i in 0..count {
            let known: f64 = (0..i).map(|j| normal[[i, j]] * x[j]).sum();
            x[i] = (x[i] - known) / normal[[i, i]];
        }
        for i in (0..count).rev() {
            let known: f64 = (i + 1..count).map(|j| normal[[j, i]] * x[j]).sum();
            x[i] = (x[i] - known) / normal[[i, i]];
        }
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn solutions_solve(values in prop::collection::vec(-1.0f64..1.0, 16), right in prop::collection::vec(-1.0f64..1.0, 8)) {
            let factor = Array2::from_shape_vec((4, 4), values).unwrap();
            let normal = factor.dot(&factor.t()) + Array2::<f64>::eye(4);
            let right = Array2::from_shape_vec((2, 4), right).unwrap();
            let error = solve(normal.clone(), right.clone()).dot(&normal) - right;
            prop_assert!(error.iter().all(|e| e.abs() < 1e-9), "{error}");
        }
    }

    #[test]
    fn a_channel_made_of_others_goes_first_and_is_explained_exactly() {
        // Channel 2 is twice channel 0 minus channel 1 plus 3.
        let (a, b) = ([0.5, 1.0, -2.0, 0.25, 1.5, -0.5], [1.0, -1.0, 0.5, 2.0, 0.0, -2.5]);
        let activations = Array2::from_shape_fn((3, 6), |(channel, i)| match channel {
            0 => a[i],
            1 => b[i],
            _ => 2.0 * a[i] - b[i] + 3.0,
        });
        let moments = Moments::new(activations.view(), true);
        let order = Order::new(&moments, &[1.0; 3]);
        assert!(order.unexplained[2] < 1e-5, "{order:?}");
        let explanation = Explanation::new(&moments, &[0, 1]);
        assert_eq!(explanation.dropped, [2]);
        assert!((&explanation.coefficients - &array![[2.0, -1.0]]).iter().all(|e| e.abs() < 1e-3));
        assert!((explanation.intercepts[0] - 3.0).abs() < 1e-3);
    }

    #[test]
    fn what_nobody_reads_is_dropped_first_and_silence_is_no_reason_to_keep() {
        let activations = array![[0.0f32, 0.0, 0.0, 0.0], [1.0, -1.0, 1.0, -1.0], [9.0, 9.0, -9.0, -9.0]];
        let order = Order::new(&Moments::new(activations.view(), true), &[1.0, 1.0, 0.0]);
        assert_eq!(order.channels[0], 1);
        assert_eq!(order.keep(1e-6), [1]);
        let silent = Order::new(&Moments::new(array![[0.0f32, 0.0]].view(), true), &[1.0]);
        assert_eq!(silent.keep(0.1), [0], "at least one channel stays");
    }
}
