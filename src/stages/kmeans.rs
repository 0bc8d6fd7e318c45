//! Optimal one-dimensional k-means: exact by dynamic programming, for every k up to a limit at once.

use crate::ranking::{key_of, ranked};

/// Above this many distinct values, neighbours are merged first: exactness would cost gigabytes, and gain nothing
/// that 32-bit weights could show.
const MAX_POINTS: usize = 1 << 16;

/// The best clusterings of sorted, weighted values into 1, 2, ... clusters.
///
/// Clusters of an optimal 1-D clustering are runs of the sorted values, so that the best split of the first `i` values
/// into `k` clusters extends the best split of fewer values into `k - 1` (Wang and Song 2011). Where the last cluster
/// starts never moves left when a value is added, which divide and conquer uses: `O(k n log n)`.
#[derive(Debug, Clone)]
pub struct Clusterings {
    /// Number of distinct values.
    points: usize,
    /// Weighted mean of all values; `sums` are of the distances to it.
    center: f64,
    sums: PrefixSums,
    /// `starts[k - 1][i]`: where the last of `k` clusters of the first `i + 1` points begins.
    starts: Vec<Vec<u32>>,
    /// `costs[k - 1]`: weighted sum of squared distances with `k` clusters.
    costs: Vec<f64>,
}

/// Sums over the first `i` points of weight, weight x value, and weight x value squared.
#[derive(Debug, Clone)]
struct PrefixSums(Vec<[f64; 3]>);

impl PrefixSums {
    /// Weighted sum of squared distances of the points `start..end` to their mean.
    fn cost(&self, start: usize, end: usize) -> f64 {
        let [weight, first, second] = self.between(start, end);
        if weight > 0.0 { (second - first * first / weight).max(0.0) } else { 0.0 }
    }

    fn mean(&self, start: usize, end: usize) -> f64 {
        let [weight, first, _] = self.between(start, end);
        first / weight
    }

    fn between(&self, start: usize, end: usize) -> [f64; 3] {
        let (low, high) = (self.0[start], self.0[end]);
        std::array::from_fn(|moment| high[moment] - low[moment])
    }
}

impl Clusterings {
    /// Clusters `values` with non-negative `weights` (all 1 if empty) for every k up to `most`.
    /// Values that are not finite, or weigh nothing, are left out.
    pub fn new(values: &[f32], weights: &[f32], most: usize) -> Self {
        let mut points = weighted_points(values, weights);
        if points.len() > MAX_POINTS {
            points = merge_neighbours(&points);
        }
        // Moments around the mean: differences of sums of squares lose less to rounding there.
        let total: f64 = points.iter().map(|point| point.1).sum();
        let center = points.iter().map(|(value, weight)| value * weight).sum::<f64>() / total.max(f64::MIN_POSITIVE);
        let mut sums = vec![[0.0; 3]];
        for &(value, weight) in &points {
            let [zeroth, first, second] = *sums.last().expect("starts with one");
            let value = value - center;
            sums.push([zeroth + weight, first + weight * value, second + weight * value * value]);
        }
        let sums = PrefixSums(sums);
        let count = points.len();
        let mut cost: Vec<f64> = (1..=count).map(|end| sums.cost(0, end)).collect();
        let mut starts = vec![vec![0u32; count]];
        let mut costs = vec![cost.last().copied().unwrap_or(0.0)];
        for k in 2..=most.min(count) {
            let mut next = vec![0.0; count];
            let mut start = vec![0u32; count];
            let row = Row { previous: &cost, sums: &sums };
            // With k clusters at least k points are needed: shorter prefixes cost nothing, each point by itself.
            start.iter_mut().take(k - 1).zip(0..).for_each(|(start, end)| *start = end);
            row.fill(&mut next, &mut start, (k - 1, count), (k - 1, count - 1));
            costs.push(next[count - 1]);
            starts.push(start);
            cost = next;
        }
        Clusterings { points: points.len(), center, sums, starts, costs }
    }

    /// The largest k: what was asked for, or the number of distinct values.
    pub fn most(&self) -> usize {
        if self.points == 0 { 0 } else { self.costs.len() }
    }

    /// Weighted sum of squared distances with `k` clusters, `1 <= k <= most()`.
    pub fn cost(&self, k: usize) -> f64 {
        self.costs[k - 1]
    }

    /// Centroids with the weight of their clusters, rising, `1 <= k <= most()`.
    pub fn centroids(&self, k: usize) -> Vec<(f32, f64)> {
        let mut centroids = Vec::with_capacity(k);
        let mut end = self.points;
        for clusters in (1..=k).rev() {
            let start = self.starts[clusters - 1][end - 1] as usize;
            centroids.push(((self.center + self.sums.mean(start, end)) as f32, self.sums.between(start, end)[0]));
            end = start;
        }
        centroids.reverse();
        centroids
    }
}

/// One row of the dynamic programme: the best costs with one cluster fewer are known.
struct Row<'a> {
    previous: &'a [f64],
    sums: &'a PrefixSums,
}

impl Row<'_> {
    /// Fills the ends `from..to`, whose last clusters begin in `lowest..=highest`.
    fn fill(&self, next: &mut [f64], start: &mut [u32], (from, to): (usize, usize), (lowest, highest): (usize, usize)) {
        if from >= to {
            return;
        }
        let middle = from + (to - from) / 2;
        let (mut best, mut best_start) = (f64::INFINITY, lowest);
        for candidate in lowest..=highest.min(middle) {
            let cost = self.previous[candidate - 1] + self.sums.cost(candidate, middle + 1);
            if cost < best {
                (best, best_start) = (cost, candidate);
            }
        }
        next[middle] = best;
        start[middle] = best_start as u32;
        self.fill(next, start, (from, middle), (lowest, best_start));
        self.fill(next, start, (middle + 1, to), (best_start, highest));
    }
}

/// Distinct finite values with the sum of their weights, rising.
fn weighted_points(values: &[f32], weights: &[f32]) -> Vec<(f64, f64)> {
    let unordered: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .map(|(index, &value)| (f64::from(value), weights.get(index).map_or(1.0, |&weight| f64::from(weight))))
        .filter(|&(value, weight)| value.is_finite() && weight > 0.0 && weight.is_finite())
        .collect();
    let order = ranked(unordered.len(), &|place| key_of(unordered[place].0));
    let mut points: Vec<(f64, f64)> = order.into_iter().map(|place| unordered[place]).collect();
    points.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    points
}

/// Merges runs of neighbours, equal in number, into their weighted means.
fn merge_neighbours(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points
        .chunks(points.len().div_ceil(MAX_POINTS))
        .map(|run| {
            let weight: f64 = run.iter().map(|point| point.1).sum();
            (run.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight, weight)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tries every way to cut the sorted values into `k` runs.
    fn brute_force(points: &[(f64, f64)], k: usize) -> f64 {
        let run_cost = |run: &[(f64, f64)]| {
            let weight: f64 = run.iter().map(|point| point.1).sum();
            let mean = run.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight;
            run.iter().map(|(value, weight)| weight * (value - mean).powi(2)).sum::<f64>()
        };
        if k == 1 {
            return run_cost(points);
        }
        (k - 1..points.len())
            .map(|start| brute_force(&points[..start], k - 1) + run_cost(&points[start..]))
            .fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn as_good_as_brute_force(
            values in prop::collection::vec((-8i32..8, 1u32..4), 1..12),
            k in 1usize..5,
        ) {
            let (values, weights): (Vec<f32>, Vec<f32>) =
                values.into_iter().map(|(value, weight)| (value as f32 / 4.0, weight as f32)).unzip();
            let clusterings = Clusterings::new(&values, &weights, k);
            let k = k.min(clusterings.most());
            let best = brute_force(&weighted_points(&values, &weights), k);
            prop_assert!((clusterings.cost(k) - best).abs() < 1e-9, "{} {best}", clusterings.cost(k));
            // The centroids reach that cost.
            let centroids = clusterings.centroids(k);
            let reached: f64 = values.iter().zip(&weights).map(|(&value, &weight)| {
                let nearest = centroids.iter().map(|c| (c.0 - value).powi(2)).fold(f32::INFINITY, f32::min);
                f64::from(weight * nearest)
            }).sum();
            prop_assert!((reached - best).abs() < 1e-5);
        }

        #[cfg(not(target_arch = "wasm32"))]
        #[test]
        fn as_good_as_ckmeans(values in prop::collection::vec(-1.0f32..1.0, 30..200), k in 1u8..10) {
            let clusterings = Clusterings::new(&values, &[], usize::from(k));
            let theirs: f64 = ckmeans::ckmeans(&values, k).unwrap().iter().map(|cluster| {
                let mean = cluster.iter().map(|&v| f64::from(v)).sum::<f64>() / cluster.len() as f64;
                cluster.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>()
            }).sum();
            let ours = clusterings.cost(usize::from(k).min(clusterings.most()));
            prop_assert!(ours <= theirs + 1e-6, "{ours} {theirs}");
        }
    }

    #[test]
    fn nothing_to_cluster() {
        assert_eq!(Clusterings::new(&[], &[], 4).most(), 0);
        assert_eq!(Clusterings::new(&[f32::NAN, f32::INFINITY], &[], 4).most(), 0);
        assert_eq!(Clusterings::new(&[2.0, 2.0], &[], 4).centroids(1), [(2.0, 2.0)]);
    }

    #[test]
    fn many_values_are_merged_and_stay_close() {
        let values: Vec<f32> = (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e7).collect();
        let clusterings = Clusterings::new(&values, &[], 4);
        let spacing = clusterings.centroids(4).windows(2).map(|pair| pair[1].0 - pair[0].0).collect::<Vec<_>>();
        assert!(spacing.iter().all(|gap| (gap / spacing[0] - 1.0).abs() < 0.01), "{spacing:?}");
    }
}
