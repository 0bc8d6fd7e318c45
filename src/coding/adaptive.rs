//! Adaptive decisions: how often each way was gone in a context.

use super::logistic::PROBABILITY_BITS;
use super::logistic::log2;
use super::range::{BitCoder, Kind};

/// An even chance, as a probability of 16 bits.
pub const EVEN: u32 = 1 << (PROBABILITY_BITS - 1);

/// Counts are halved when their sum reaches this, so that their weights fit 32 bits.
const FULL: u16 = 16000;

/// How often a decision went either way in one context. Invariant: the sum is below [`FULL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    zeros: u16,
    ones: u16,
}

impl Counts {
    /// How much speaks for a 0 and for a 1, after `strength / 2` imagined decisions at the probability `prior`.
    /// In units of 2^-17 decisions. Both are at least 1 if `strength` is.
    fn weights(self, prior: u32, strength: u32) -> (u32, u32) {
        let certain = 1 << PROBABILITY_BITS;
        let ones = (u32::from(self.ones) << (PROBABILITY_BITS + 1)) + prior * strength;
        let zeros = (u32::from(self.zeros) << (PROBABILITY_BITS + 1)) + (certain - prior) * strength;
        (zeros, ones)
    }

    /// Log-odds of a 1; see [`Counts::weights`].
    pub fn odds(self, prior: u32, strength: u32) -> i32 {
        let (zeros, ones) = self.weights(prior, strength);
        log2(ones) - log2(zeros)
    }

    /// Probability of a 1, in `1..65536`; see [`Counts::weights`].
    pub fn probability(self, prior: u32, strength: u32) -> u32 {
        let (zeros, ones) = self.weights(prior, strength);
        let share = (u64::from(ones) << PROBABILITY_BITS) / (u64::from(ones) + u64::from(zeros));
        (share as u32).clamp(1, (1 << PROBABILITY_BITS) - 1)
    }

    /// Takes one more decision into account.
    pub fn record(&mut self, bit: bool) {
        if bit {
            self.ones += 1;
        } else {
            self.zeros += 1;
        }
        if self.ones + self.zeros >= FULL {
            self.ones /= 2;
            self.zeros /= 2;
        }
    }

    /// Codes a decision in this context alone: the estimate of Krichevsky and Trofimov.
    pub fn code(&mut self, coder: &mut impl BitCoder, bit: bool, kind: Kind) -> bool {
        let bit = coder.code(bit, self.probability(EVEN, 2), kind);
        self.record(bit);
        bit
    }
}
