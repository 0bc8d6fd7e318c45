//! What the viewer draws of a layer: histograms.
//!
//! Plain loops over slices: these look at every weight whenever a network is opened, and a module that is built for size calls a function for each step of an iterator.

/// Counts the values in `bins` equal bins over `range`, lowest first. The highest bin holds its upper
/// end too; values outside, and NaN, are not counted. Empty if `bins` is 0.
pub fn histogram(values: &[f32], bins: usize, range: [f32; 2]) -> Vec<u32> {
    counts(values, bins, range, false)
}

/// As [`histogram`], without the values that are zero: in a pruned layer they would dwarf all others.
pub fn nonzero_histogram(values: &[f32], bins: usize, range: [f32; 2]) -> Vec<u32> {
    counts(values, bins, range, true)
}

fn counts(values: &[f32], bins: usize, [low, high]: [f32; 2], without_zeros: bool) -> Vec<u32> {
    let mut counts = vec![0; bins];
    let width = high - low;
    if bins == 0 {
        return counts;
    }
    for &value in values {
        let inside = value >= low && value <= high;
        if !inside || (without_zeros && value == 0.0) {
            continue;
        }
        // A range of one point puts everything in the middle.
        let place = if width > 0.0 { (value - low) / width * bins as f32 } else { bins as f32 / 2.0 };
        let place = place as usize;
        counts[if place < bins { place } else { bins - 1 }] += 1;
    }
    counts
}

/// Lowest and highest finite value; `[0, 0]` if there is none.
pub fn range(values: &[f32]) -> [f32; 2] {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for &value in values {
        // Neither holds of what is no number.
        if value < low && value > f32::NEG_INFINITY {
            low = value;
        }
        if value > high && value < f32::INFINITY {
            high = value;
        }
    }
    if low > high { [0.0, 0.0] } else { [low, high] }
}

/// How many values are not zero.
pub fn nonzeros(values: &[f32]) -> usize {
    let mut count = 0;
    for &value in values {
        if value != 0.0 {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_the_range_are_counted() {
        assert_eq!(nonzero_histogram(&[-1.0, 0.0, -0.5, 0.5, 1.0], 4, [-1.0, 1.0]), [1, 1, 0, 2]);
        assert_eq!(histogram(&[-1.0, 0.0, -0.5, 0.5, 1.0], 4, [-1.0, 1.0]), [1, 1, 1, 2]);
    }

    #[test]
    fn odd_values_and_ranges_are_no_fault() {
        assert_eq!(histogram(&[f32::NAN, f32::INFINITY, 2.0], 2, [-1.0, 1.0]), [0, 0]);
        assert_eq!(histogram(&[0.5, 0.5], 3, [0.5, 0.5]), [0, 2, 0]);
        assert_eq!(histogram(&[0.5], 2, [1.0, -1.0]), [0, 0]);
        assert_eq!(histogram(&[0.5], 2, [f32::NAN, 1.0]), [0, 0]);
        assert!(histogram(&[0.5], 0, [0.0, 1.0]).is_empty());
    }

    #[test]
    fn the_range_leaves_out_what_is_not_finite() {
        assert_eq!(range(&[0.25, f32::NAN, -3.0, f32::INFINITY]), [-3.0, 0.25]);
        assert_eq!(range(&[]), [0.0, 0.0]);
        assert_eq!(range(&[f32::NEG_INFINITY, 7.0]), [7.0, 7.0]);
        assert_eq!(nonzeros(&[0.0, -0.0, 1.0, f32::NAN]), 2);
    }
}
