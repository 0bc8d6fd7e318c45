//! How many values a layer needs: codebooks of every size, and what they cost.

use crate::coding::huffman::entropy_bits;
use crate::stages::kmeans::Clusterings;
use serde::Serialize;

/// Bits of a centroid, as the container stores it.
const CENTROID_BITS: f64 = 8.0;

/// A layer's codebooks of every size.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SharingCurve"))]
pub struct Curve {
    /// For 1, 2, ... centroids.
    pub points: Vec<CurvePoint>,
    /// The number of centroids at the knee; 0 if there is no point.
    pub knee: usize,
}

/// A codebook's distortion and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CurvePoint {
    /// Mean squared distance of the nonzero weights to their centroids, over their mean square: 0 to 1.
    pub distortion: f64,
    /// Entropy of the indices, in bits a nonzero weight.
    pub index_bits: f64,
    /// Indices at their entropy, and 8 bits a centroid.
    pub bytes: f64,
}

/// The codebook of `k` centroids, each with its population: of 1 at least, of as many as there are at most.
pub fn codebook(clusterings: &Clusterings, k: usize) -> Vec<(f32, f64)> {
    clusterings.centroids(k.max(1).min(clusterings.most()))
}

/// The curve of a layer's weights, whose nonzero ones were clustered.
pub fn curve(clusterings: &Clusterings, values: &[f32]) -> Curve {
    let energy: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
    let points = (1..=clusterings.most()).map(|k| {
        let populations: Vec<u64> = clusterings.centroids(k).iter().map(|&(_, weight)| weight as u64).collect();
        let bits = entropy_bits(&populations);
        let count = populations.iter().sum::<u64>().max(1) as f64;
        CurvePoint {
            distortion: if energy > 0.0 { clusterings.cost(k) / energy } else { 0.0 },
            index_bits: bits / count,
            bytes: (bits + CENTROID_BITS * k as f64) / 8.0,
        }
    });
    let points: Vec<CurvePoint> = points.collect();
    let knee = knee(&points.iter().map(|point| point.distortion).collect::<Vec<_>>());
    Curve { points, knee }
}

/// The place, counted from 1, where a falling curve bends most: the largest distance below the line between its ends, both
/// axes scaled to 0 to 1 (Satopaa et al. 2011, "Finding a 'kneedle' in a haystack"). 0 for an empty curve.
pub fn knee(values: &[f64]) -> usize {
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return 0 };
    let (fall, length) = (first - last, (values.len() - 1) as f64);
    if fall <= 0.0 {
        return 1;
    }
    let below = |index: usize| 1.0 - index as f64 / length - (values[index] - last) / fall;
    (0..values.len()).max_by(|&a, &b| below(a).total_cmp(&below(b)).then(b.cmp(&a))).map_or(0, |index| index + 1)
}

/// The place of the centroid that is nearest to a value; `centroids` rise. `None` if there is none.
pub fn nearest(centroids: &[f32], value: f32) -> Option<usize> {
    let above = centroids.partition_point(|centroid| *centroid < value);
    let near = [above.checked_sub(1), Some(above)].into_iter().flatten().filter(|&index| index < centroids.len());
    near.min_by(|&a, &b| (centroids[a] - value).abs().total_cmp(&(centroids[b] - value).abs()))
}

/// Each nonzero value as its nearest centroid; `centroids` rise. Zeros stay, and so does everything if there is no
/// centroid.
pub fn share_values(values: &mut [f32], centroids: &[f32]) {
    for value in values.iter_mut().filter(|value| **value != 0.0) {
        if let Some(index) = nearest(centroids, *value) {
            *value = centroids[index];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_of_three_heaps() {
        let values = [-1.0, -1.0, 0.5, 0.5, 2.0, 2.0, 2.0, 2.0f32];
        let clusterings = Clusterings::new(&values, &[], 8);
        assert_eq!(codebook(&clusterings, 0).len(), 1);
        assert_eq!(codebook(&clusterings, 9).len(), 3);
        let curve = curve(&clusterings, &values);
        assert_eq!(curve.points.len(), 3, "three distinct values");
        let last = curve.points[2];
        // 1.5 bits a weight: half of them 1 bit, a quarter each 2 bits.
        assert!(last.distortion < 1e-12 && (last.index_bits - 1.5).abs() < 1e-12, "{last:?}");
        assert!((last.bytes - (8.0 * 1.5 + 24.0) / 8.0).abs() < 1e-12);
        // One centroid: their mean is 0.875, and 18.5 - 8 * 0.875^2 is left.
        assert!((curve.points[0].distortion - (18.5 - 6.125) / 18.5).abs() < 1e-9);
        assert_eq!(curve.points[0].index_bits, 0.0);
    }

    #[test]
    fn the_knee_is_where_the_curve_bends() {
        assert_eq!(knee(&[1.0, 0.5, 0.1, 0.08, 0.06, 0.04]), 3);
        assert_eq!(knee(&[]), 0);
        assert_eq!(knee(&[0.3]), 1);
        assert_eq!(knee(&[0.3, 0.3]), 1);
    }

    #[test]
    fn values_go_to_their_nearest_centroid() {
        let mut values = [-3.0, -0.4, 0.0, 0.2, 0.9, 7.0];
        share_values(&mut values, &[-1.0, 0.5, 1.0]);
        assert_eq!(values, [-1.0, -1.0, 0.0, 0.5, 1.0, 1.0]);
        share_values(&mut values, &[]);
        assert_eq!(values[0], -1.0);
    }
}
