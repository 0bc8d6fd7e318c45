//! Adaptive decisions: counts of what was seen, and a logistic mixture of several of them.

use super::logistic::{FRACTION_BITS, log2, squash, squash_table};
use super::range::{BitCoder, Kind, PROBABILITY_BITS};

/// An even chance, as a probability of 16 bits.
pub const EVEN: u32 = 1 << (PROBABILITY_BITS - 1);

/// Counts are halved when their sum reaches this, so that old decisions fade.
const FULL: u16 = 1020;

/// How often a decision went either way in one context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    zeros: u16,
    ones: u16,
}

impl Counts {
    /// Twice the weight in parts of 65536 of each way, after `strength / 2` imagined decisions at the probability
    /// `prior`. Both are at least 1 if `strength` is at least 2.
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

    /// How many decisions it remembers.
    pub fn total(self) -> u16 {
        self.zeros + self.ones
    }

    /// Codes a decision in this context alone: the estimate of Krichevsky and Trofimov.
    pub fn code(&mut self, coder: &mut impl BitCoder, bit: bool, kind: Kind) -> bool {
        let bit = coder.code(bit, self.probability(EVEN, 2), kind);
        self.record(bit);
        bit
    }
}

/// Most contexts that one decision is mixed from.
pub const MOST_CONTEXTS: usize = 16;

/// Fraction bits of a mixer's weights.
const WEIGHT_BITS: u32 = 16;

/// Log-odds as a weighted sum, whose weights follow the gradient of the code length.
///
/// The first context is the base; each other one adds its weight times by how much its log-odds differ from the base's.
/// With all weights 1 that is the naive Bayes estimate.
#[derive(Debug, Clone)]
pub struct Mixer {
    weights: [i32; MOST_CONTEXTS],
    squash: &'static [u16],
    decisions: u32,
}

/// One context of a decision.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Index of its [`Counts`].
    pub index: usize,
    /// Twice the imagined decisions at the base's probability that it starts from.
    pub strength: u32,
}

impl Mixer {
    /// `weight` is that of every context but the base, in parts of 65536.
    pub fn new(weight: i32) -> Self {
        let mut weights = [weight; MOST_CONTEXTS];
        weights[0] = 1 << WEIGHT_BITS;
        Mixer { weights, squash: squash_table(), decisions: 0 }
    }

    /// Codes a decision from the counts at `contexts`, the first of which is the base, and updates all of them.
    pub fn code(
        &mut self,
        coder: &mut impl BitCoder,
        bit: bool,
        kind: Kind,
        counts: &mut [Counts],
        prior: u32,
        contexts: &[Context],
    ) -> bool {
        let mut inputs = [0i32; MOST_CONTEXTS];
        let base = counts[contexts[0].index];
        let base_probability = base.probability(prior, contexts[0].strength);
        let base_odds = base.odds(prior, contexts[0].strength);
        inputs[0] = base_odds;
        for (input, context) in inputs[1..].iter_mut().zip(&contexts[1..]) {
            *input = counts[context.index].odds(base_probability, context.strength) - base_odds;
        }
        let sum: i64 =
            inputs.iter().zip(&self.weights).map(|(&input, &weight)| i64::from(input) * i64::from(weight)).sum();
        let odds = (sum >> WEIGHT_BITS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        let probability = squash(self.squash, odds);
        let bit = coder.code(bit, probability, kind);
        let error = (i64::from(bit) << PROBABILITY_BITS) - i64::from(probability);
        let rate = 2 + 48 / (2 + self.decisions / 64);
        self.decisions = self.decisions.saturating_add(1);
        for (weight, &input) in self.weights.iter_mut().zip(&inputs) {
            let step = (error * i64::from(input) * i64::from(rate)) >> (FRACTION_BITS + 12);
            *weight = (i64::from(*weight) + step).clamp(-1 << 20, 1 << 20) as i32;
        }
        for context in contexts {
            counts[context.index].record(bit);
        }
        bit
    }
}
