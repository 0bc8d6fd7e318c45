//! Logistic mixing: the log-odds of a decision as a weighted sum, whose weights learn from each decision.

use super::logistic::PROBABILITY_BITS;
use super::logistic::{squash, squash_table};
use super::range::{BitCoder, Kind};

/// Fraction bits of a weight.
const WEIGHT_BITS: u32 = 24;

/// Fraction bits of the initial weights in the tables of `symbols.rs`.
const INITIAL_BITS: u32 = 6;

/// Fraction bits that a step along the gradient has more than a weight.
const STEP_BITS: u32 = 20;

/// After this many decisions the rate is half of what it was at first; it goes down to a [`FLOOR`]th.
const HALF: i64 = 16384;

/// See [`HALF`].
const FLOOR: i64 = 16;

/// The rate is looked at again after so many decisions, for speed.
const INTERVAL: i64 = 256;

/// Weights stay within +-16.
const LIMIT: i64 = 16 << WEIGHT_BITS;

/// A weight that takes its input as it is.
pub const WHOLE: i16 = 1 << INITIAL_BITS;

/// Mixes `N` inputs in log-odds, as Mahoney's PAQ coders do: the gradient of a decision's code length with respect to a
/// weight is the error of the probability times the input.
#[derive(Debug, Clone)]
pub struct Mixer<const N: usize> {
    weights: [i32; N],
    /// How far a weight goes along the gradient: in 2^-16 for an error of 1 (certain, and wrong) and an input of one bit.
    rate: i64,
    /// The rate at first.
    initial_rate: i64,
    decisions: i64,
    squash: &'static [u16],
}

impl<const N: usize> Mixer<N> {
    /// Starts from weights in 64ths.
    pub fn new(initial: [i16; N], rate: i64) -> Self {
        let weights = initial.map(|weight| i32::from(weight) << (WEIGHT_BITS - INITIAL_BITS));
        Mixer { weights, rate, initial_rate: rate, decisions: 0, squash: squash_table() }
    }

    /// Codes a decision, and learns from it.
    pub fn code(&mut self, coder: &mut impl BitCoder, bit: bool, kind: Kind, inputs: &[i32; N]) -> bool {
        let products = inputs.iter().zip(&self.weights).map(|(&input, &weight)| i64::from(input) * i64::from(weight));
        let odds = (products.sum::<i64>() >> WEIGHT_BITS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        let probability = squash(self.squash, odds);
        let bit = coder.code(bit, probability, kind);
        if self.decisions % INTERVAL == 0 {
            self.rate = (self.initial_rate * HALF / (HALF + self.decisions)).max(self.initial_rate / FLOOR);
        }
        self.decisions += 1;
        let error = (i64::from(bit) << PROBABILITY_BITS) - i64::from(probability);
        for (weight, &input) in self.weights.iter_mut().zip(inputs) {
            // Rounded to the nearest: rounding down adds up over millions of decisions.
            let step = (error * i64::from(input) * self.rate + (1 << (STEP_BITS - 1))) >> STEP_BITS;
            *weight = (i64::from(*weight) + step).clamp(-LIMIT, LIMIT) as i32;
        }
        bit
    }
}

#[cfg(test)]
mod tests {
    use super::super::range::{Decoder, Encoder};
    use super::*;

    #[test]
    fn weights_find_the_input_that_tells() {
        let code = |coder: &mut dyn FnMut(bool, [i32; 3]) -> bool| {
            let mut state = 1u32;
            for _ in 0..3000 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let told = state >> 31 != 0;
                let noise = state >> 30 & 1 != 0;
                let way = |bit: bool| if bit { 4096 } else { -4096 };
                assert_eq!(coder(told, [way(noise), way(told), 4096]), told);
            }
        };
        let mut encoder = Encoder::default();
        let mut mixer = Mixer::new([16, 0, 0], 640);
        code(&mut |bit, inputs| mixer.code(&mut encoder, bit, Kind::Position, &inputs));
        let bytes = encoder.finish();
        assert!(bytes.len() < 120, "{}", bytes.len());
        let mut decoder = Decoder::new(&bytes);
        let mut mixer = Mixer::new([16, 0, 0], 640);
        code(&mut |_, inputs| mixer.code(&mut decoder, false, Kind::Position, &inputs));
        assert!(decoder.complete());
    }
}
