//! What the viewer draws of a layer: histograms.

/// Counts the values in `bins` equal bins over `range`, lowest first. The highest bin holds its upper
/// end too; values outside, and NaN, are not counted. Empty if `bins` is 0.
pub fn histogram(values: impl IntoIterator<Item = f32>, bins: usize, range: [f32; 2]) -> Vec<u32> {
    let mut counts = vec![0; bins];
    let [low, high] = range;
    let width = high - low;
    if bins == 0 {
        return counts;
    }
    for value in values {
        if !(low..=high).contains(&value) {
            continue;
        }
        // A range of one point puts everything in the middle.
        let place = if width > 0.0 { (value - low) / width * bins as f32 } else { bins as f32 / 2.0 };
        counts[(place as usize).min(bins - 1)] += 1;
    }
    counts
}

/// As [`histogram`], without the values that are zero: in a pruned layer they would dwarf all others.
pub fn nonzero_histogram(values: impl IntoIterator<Item = f32>, bins: usize, range: [f32; 2]) -> Vec<u32> {
    histogram(values.into_iter().filter(|&value| value != 0.0), bins, range)
}

/// Lowest and highest finite value; `[0, 0]` if there is none.
pub fn range(values: impl IntoIterator<Item = f32>) -> [f32; 2] {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let ends = finite.map(|value| [value, value]).reduce(|[low, high], [value, _]| [value.min(low), value.max(high)]);
    ends.unwrap_or([0.0, 0.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_the_range_are_counted() {
        assert_eq!(nonzero_histogram([-1.0, 0.0, -0.5, 0.5, 1.0], 4, [-1.0, 1.0]), [1, 1, 0, 2]);
        assert_eq!(histogram([-1.0, 0.0, -0.5, 0.5, 1.0], 4, [-1.0, 1.0]), [1, 1, 1, 2]);
    }

    #[test]
    fn odd_values_and_ranges_are_no_fault() {
        assert_eq!(histogram([f32::NAN, f32::INFINITY, 2.0], 2, [-1.0, 1.0]), [0, 0]);
        assert_eq!(histogram([0.5, 0.5], 3, [0.5, 0.5]), [0, 2, 0]);
        assert_eq!(histogram([0.5], 2, [1.0, -1.0]), [0, 0]);
        assert_eq!(histogram([0.5], 2, [f32::NAN, 1.0]), [0, 0]);
        assert!(histogram([0.5], 0, [0.0, 1.0]).is_empty());
    }

    #[test]
    fn the_range_leaves_out_what_is_not_finite() {
        assert_eq!(range([0.25, f32::NAN, -3.0, f32::INFINITY]), [-3.0, 0.25]);
        assert_eq!(range([]), [0.0, 0.0]);
    }
}
