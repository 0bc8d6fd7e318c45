//! Whole numbers as binary decisions.

use super::adaptive::{Counts, EVEN};
use super::logistic::PROBABILITY_BITS;
use super::range::{BitCoder, Kind};

/// Most bits of a number.
const WIDTH: usize = 32;

/// Exp-Golomb codes whose length and leading bit adapt: a number `n` is the length `k` of `n + 1` in bits, less one, in
/// unary, and then its `k` bits below the leading one.
#[derive(Debug, Clone, Default)]
pub struct Number {
    longer: [Counts; WIDTH],
    leading: [Counts; WIDTH],
}

impl Number {
    /// Codes a number up to `u32::MAX - 1`.
    pub fn code(&mut self, coder: &mut impl BitCoder, number: u32, kind: Kind) -> u32 {
        let number = number.saturating_add(1);
        let mut length = 0;
        while length < WIDTH - 1 && self.longer[length].code(coder, number >> (length + 1) != 0, kind) {
            length += 1;
        }
        let mut read = 1u32;
        for place in (0..length).rev() {
            let bit = number >> place & 1 != 0;
            let bit = if place + 1 == length {
                self.leading[length].code(coder, bit, kind)
            } else {
                coder.code(bit, EVEN, kind)
            };
            read = read << 1 | u32::from(bit);
        }
        read - 1
    }

    /// Codes a number of either sign: 0, -1, 1, -2 ... are 0, 1, 2, 3 ...
    pub fn code_signed(&mut self, coder: &mut impl BitCoder, number: i32, kind: Kind) -> i32 {
        let folded = (number << 1 ^ number >> 31) as u32;
        let folded = self.code(coder, folded, kind);
        (folded >> 1) as i32 ^ -((folded & 1) as i32)
    }
}

/// Codes one of `0..count`, each as likely as the others, by halving; `number` is less than `count`, and so is what is read.
pub fn code_uniform(coder: &mut impl BitCoder, number: u32, count: u32, kind: Kind) -> u32 {
    let (mut low, mut high) = (0, count.max(1));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let above = (u64::from(high - middle) << PROBABILITY_BITS) / u64::from(high - low);
        if coder.code(number >= middle, above.clamp(1, (1 << PROBABILITY_BITS) - 1) as u32, kind) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::super::range::{Decoder, Encoder};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decodes_what_was_encoded(
            numbers in prop::collection::vec(prop_oneof![any::<u32>(), 0u32..20, Just(u32::MAX - 1)], 0..50),
            signed in prop::collection::vec(-70000i32..70000, 0..50),
            counts in prop::collection::vec((any::<u32>(), 1u32..), 0..50),
        ) {
            let mut encoder = Encoder::default();
            let mut model = Number::default();
            for &number in &numbers {
                model.code(&mut encoder, number.min(u32::MAX - 1), Kind::Head);
            }
            for &number in &signed {
                model.code_signed(&mut encoder, number, Kind::Head);
            }
            for &(number, count) in &counts {
                code_uniform(&mut encoder, number % count, count, Kind::Head);
            }
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            let mut model = Number::default();
            for &number in &numbers {
                prop_assert_eq!(model.code(&mut decoder, 0, Kind::Head), number.min(u32::MAX - 1));
            }
            for &number in &signed {
                prop_assert_eq!(model.code_signed(&mut decoder, 0, Kind::Head), number);
            }
            for &(number, count) in &counts {
                prop_assert_eq!(code_uniform(&mut decoder, 0, count, Kind::Head), number % count);
            }
            prop_assert!(decoder.complete());
        }
    }

    #[test]
    fn uniform_numbers_cost_their_logarithm() {
        let mut encoder = Encoder::default();
        code_uniform(&mut encoder, 13, 20, Kind::Head);
        assert!((encoder.bits()[0] - 20f64.log2()).abs() < 0.01);
    }
}
