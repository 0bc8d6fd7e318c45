//! Logarithms and log-odds in integers, the same on every machine.
//!
//! The unit is 2^-12 bits: a log-odds of 4096 means odds of 2 to 1.

use std::sync::LazyLock;

/// Bits of a probability: 2^16 is certainty, which no decision may have.
pub const PROBABILITY_BITS: u32 = 16;

/// Fraction bits of a logarithm.
pub const FRACTION_BITS: u32 = 12;

/// Certainty, as a probability of 16 bits.
const ONE: u32 = 1 << PROBABILITY_BITS;

/// Log-odds are kept within +-this, that of a probability of about 2^-16.
pub const LIMIT: i32 = (PROBABILITY_BITS << FRACTION_BITS) as i32 - 1;

/// Log-odds that share an entry of [`SQUASH`], as a power of two.
const SQUASH_SHIFT: u32 = 5;

/// `4096 log2(1 + i / 4096)`, rounded, by squaring: each square doubles the logarithm, and shows one more bit of it.
/// Built when it is first needed, since it would take 6 KB of the wasm.
static LOG2: LazyLock<Vec<u16>> = LazyLock::new(|| {
    (0..1u64 << FRACTION_BITS)
        .map(|index| {
            // In 30 fraction bits, from 1 to below 2.
            let mut mantissa: u64 = (1 << 30) + (index << (30 - FRACTION_BITS));
            let mut logarithm = 0u16;
            for _ in 0..=FRACTION_BITS {
                mantissa = (mantissa * mantissa) >> 30;
                logarithm <<= 1;
                if mantissa >= 2 << 30 {
                    mantissa >>= 1;
                    logarithm |= 1;
                }
            }
            (logarithm + 1) >> 1
        })
        .collect()
});

/// `SQUASH[i]`: the least probability whose log-odds are at least those at the middle of the `i`-th piece.
static SQUASH: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut probability = 1;
    (-LIMIT - 1..=LIMIT)
        .step_by(1 << SQUASH_SHIFT)
        .map(|start| {
            while probability < ONE - 1 && stretch(probability) < start + (1 << (SQUASH_SHIFT - 1)) {
                probability += 1;
            }
            probability as u16
        })
        .collect()
});

/// `4096 log2(value)`, for `value` at least 1.
pub fn log2(value: u32) -> i32 {
    let exponent = value.max(1).ilog2();
    let normalised = (u64::from(value) << FRACTION_BITS) >> exponent;
    let mantissa = normalised as usize & ((1 << FRACTION_BITS) - 1);
    (exponent << FRACTION_BITS) as i32 + i32::from(LOG2[mantissa])
}

/// What an event of this probability (16 bits) costs, in 2^-12 bits.
pub fn information(probability: u32) -> u32 {
    ((PROBABILITY_BITS << FRACTION_BITS) as i32 - log2(probability)).max(0) as u32
}

/// Log-odds of a probability in `1..65536`.
pub fn stretch(probability: u32) -> i32 {
    log2(probability) - log2(ONE - probability)
}

/// The table of probabilities by log-odds; fetched once, so that no decision has to ask whether it is built.
pub fn squash_table() -> &'static [u16] {
    &SQUASH
}

/// The probability, in `2..65536`, of log-odds; they are cut to +-[`LIMIT`].
pub fn squash(table: &[u16], odds: i32) -> u32 {
    let index = (odds.clamp(-LIMIT, LIMIT) + LIMIT + 1) >> SQUASH_SHIFT;
    u32::from(table[index as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right() {
        for value in (1..5000).chain([65535, 65536, 1 << 20, u32::MAX]) {
            let exact = 4096.0 * f64::from(value).log2();
            assert!((f64::from(log2(value)) - exact).abs() < 2.0, "{value}");
        }
    }

    #[test]
    fn squash_undoes_stretch() {
        let table = squash_table();
        assert_eq!(table.len(), 4096);
        for probability in 1..65536 {
            let back = squash(table, stretch(probability));
            let smaller = f64::from(probability.min(ONE - probability));
            assert!((f64::from(back) - f64::from(probability)).abs() <= 1.0 + smaller * 0.005, "{probability} {back}");
        }
        assert_eq!((squash(table, i32::MIN), squash(table, i32::MAX)), (2, 65535));
    }
}
