//! 32-bit numbers in objects and JSON: 0.1 is to cross as 0.1, not as the 0.10000000149011612 that its bits say.

use serde::{Serialize, Serializer};

/// Powers of ten up to this one are exact.
const EXACT: i32 = 22;

/// The number of the fewest decimal digits that rounds to `value`; `value` itself where its digits end further from the point
/// than 22 places.
pub fn shortest(value: f32) -> f64 {
    let exact = f64::from(value);
    let rounded = (-EXACT..=EXACT).map(|places| {
        // The digits are an integer without error: one product or quotient more gives the number nearest to the decimal.
        let scale = 10f64.powi(places.abs());
        if places < 0 { (exact / scale).round() * scale } else { (exact * scale).round() / scale }
    });
    rounded.into_iter().find(|&number| number as f32 == value).unwrap_or(exact)
}

/// For `serialize_with` on a number.
pub fn number<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(shortest(*value))
}

/// For `serialize_with` on numbers.
pub fn numbers<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|&value| shortest(value)))
}

/// For `serialize_with` on an interval.
pub fn interval<S: Serializer>(ends: &[f32; 2], serializer: S) -> Result<S::Ok, S::Error> {
    ends.map(shortest).serialize(serializer)
}

/// For `serialize_with` on values with their counts.
pub fn counted<S: Serializer>(values: &[(f32, u32)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|&(value, count)| (shortest(value), count)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Rust prints the fewest digits that tell a float from its neighbours.
        #[test]
        fn it_is_the_number_that_is_printed(bits in any::<u32>()) {
            let value = f32::from_bits(bits);
            prop_assume!((1e-13..1e22).contains(&value.abs()));
            prop_assert_eq!(shortest(value), value.to_string().parse::<f64>().unwrap());
        }

        #[test]
        fn nothing_is_lost(bits in any::<u32>()) {
            let value = f32::from_bits(bits);
            let back = shortest(value) as f32;
            prop_assert!(back == value || back.is_nan() && value.is_nan());
        }
    }

    #[test]
    fn settings_cross_as_they_are_written() {
        let written = [0.1307, 0.3081, 0.7, 2e-3, 1e-8, 3e-3, 12.0, -0.5, 0.0, 16_777_216.0, 1e22];
        assert_eq!(written.map(|number| shortest(number as f32)), written);
    }
}
