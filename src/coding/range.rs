//! A binary range coder: 32 bits, carries propagated, probabilities of 16 bits given by the caller at each decision.
//!
//! It is the coder of Martin (1979) for two symbols. The interval `[low, low + range)` is cut in proportion to the
//! probability, and a byte leaves whenever its 24 low bits would be too few to cut on. What is written is the shortest
//! byte string whose value, continued by zeros, lies in the last interval.

use super::logistic::{FRACTION_BITS, PROBABILITY_BITS, information};

/// The range is kept at this or above, so that every probability gets at least one value of it.
const MINIMUM_RANGE: u32 = 1 << 24;

/// How many bytes past its end a decoder may read: the four of its window. An encoder drops at most these.
const READ_AHEAD: usize = 4;

/// What a decision is about: the encoder adds its cost up by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Widths and other fields of the head.
    Head,
    /// Codebooks and formats.
    Codebook,
    /// Whether a weight is zero.
    Position,
    /// Positive or negative.
    Sign,
    /// How large.
    Magnitude,
}

/// Number of [`Kind`]s.
pub const KINDS: usize = 5;

/// Either end of the channel. The model is written once, and drives the encoder and the decoder alike.
pub trait BitCoder {
    /// Codes one decision: an encoder writes `bit` and returns it, a decoder ignores `bit` and returns what was written.
    /// `one` is the probability of a 1, in `1..65536` of 65536.
    fn code(&mut self, bit: bool, one: u32, kind: Kind) -> bool;

    /// Whether more was read than was ever written: the file is damaged.
    fn overrun(&self) -> bool;
}

/// Part of `range` that a 1 of probability `one` gets: at least 1, less than `range`.
fn share(range: u32, one: u32) -> u32 {
    ((u64::from(range) * u64::from(one)) >> PROBABILITY_BITS) as u32
}

/// What a decision costs, in 2^-12 bits.
pub fn cost(bit: bool, one: u32) -> u32 {
    information(if bit { one } else { (1 << PROBABILITY_BITS) - one })
}

/// From 2^-12 bits.
fn bits(units: u64) -> f64 {
    units as f64 / f64::from(1 << FRACTION_BITS)
}

/// Writes decisions.
#[derive(Debug)]
pub struct Encoder {
    bytes: Vec<u8>,
    low: u32,
    range: u32,
    /// Cost by [`Kind`], in 2^-12 bits.
    spent: [u64; KINDS],
    /// What had been spent before each decision about a position, if that is asked for.
    positions: Option<Vec<u64>>,
}

impl Default for Encoder {
    fn default() -> Self {
        Encoder { bytes: Vec::new(), low: 0, range: u32::MAX, spent: [0; KINDS], positions: None }
    }
}

impl BitCoder for Encoder {
    fn code(&mut self, bit: bool, one: u32, kind: Kind) -> bool {
        if kind == Kind::Position
            && let Some(positions) = &mut self.positions
        {
            positions.push(self.spent.iter().sum());
        }
        self.spent[kind as usize] += u64::from(cost(bit, one));
        let bound = share(self.range, one);
        if bit {
            self.range = bound;
        } else {
            self.add(bound);
            self.range -= bound;
        }
        while self.range < MINIMUM_RANGE {
            self.bytes.push((self.low >> 24) as u8);
            self.low <<= 8;
            self.range <<= 8;
        }
        bit
    }

    fn overrun(&self) -> bool {
        false
    }
}

impl Encoder {
    /// An encoder that remembers what had been spent before each decision about a position.
    pub fn remembering() -> Self {
        Encoder { positions: Some(Vec::new()), ..Encoder::default() }
    }

    /// What had been spent before each decision about a position since this was last asked, and what has been spent now;
    /// in bits. Only the last if the encoder does not remember.
    pub fn take_positions(&mut self) -> Vec<f64> {
        let now = self.spent.iter().sum();
        let before = self.positions.as_mut().map(std::mem::take).unwrap_or_default();
        before.into_iter().chain([now]).map(bits).collect()
    }

    /// What the decisions have cost so far, by [`Kind`], in bits.
    pub fn bits(&self) -> [f64; KINDS] {
        self.spent.map(bits)
    }

    /// The bytes, without those at the end that the decoder assumes to be zero.
    pub fn finish(mut self) -> Vec<u8> {
        for kept in 0..READ_AHEAD {
            // The first value from `low` on whose bytes after the first `kept` are zero.
            let unit = 1u64 << (32 - 8 * kept);
            let rounded = u64::from(self.low).next_multiple_of(unit);
            if rounded - u64::from(self.low) < u64::from(self.range) {
                self.add((rounded - u64::from(self.low)) as u32);
                self.bytes.extend_from_slice(&self.low.to_be_bytes()[..kept]);
                return self.bytes;
            }
        }
        self.bytes.extend_from_slice(&self.low.to_be_bytes());
        self.bytes
    }

    /// Adds to the number that has been written; a carry runs back through the bytes. The whole number stays below 1,
    /// so that there is always a byte to take it.
    fn add(&mut self, amount: u32) {
        let (low, carry) = self.low.overflowing_add(amount);
        self.low = low;
        if carry {
            for byte in self.bytes.iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
    }
}

/// Reads decisions.
#[derive(Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    /// Bytes taken so far, of which the last may lie past the end.
    taken: usize,
    /// Invariant: less than `range`, unless the bytes are not those of an encoder.
    offset: u32,
    range: u32,
}

impl<'a> Decoder<'a> {
    /// Reads from the start of `bytes`, which are all that an [`Encoder`] wrote.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Decoder { bytes, taken: 0, offset: 0, range: u32::MAX };
        for _ in 0..READ_AHEAD {
            decoder.take();
        }
        decoder
    }

    /// Whether the decisions read so far account for all bytes, and for no more than were written.
    pub fn complete(&self) -> bool {
        self.taken >= self.bytes.len() && !self.overrun()
    }

    fn take(&mut self) {
        let byte = self.bytes.get(self.taken).copied().unwrap_or(0);
        self.taken = self.taken.saturating_add(1);
        self.offset = self.offset << 8 | u32::from(byte);
    }
}

impl BitCoder for Decoder<'_> {
    fn code(&mut self, _bit: bool, one: u32, _kind: Kind) -> bool {
        let bound = share(self.range, one);
        let bit = self.offset < bound;
        if bit {
            self.range = bound;
        } else {
            self.offset -= bound;
            self.range -= bound;
        }
        while self.range < MINIMUM_RANGE {
            self.take();
            self.range <<= 8;
        }
        bit
    }

    fn overrun(&self) -> bool {
        self.taken > self.bytes.len().saturating_add(READ_AHEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(decisions: &[(bool, u32)]) -> Vec<u8> {
        let mut encoder = Encoder::default();
        for &(bit, one) in decisions {
            encoder.code(bit, one, Kind::Head);
        }
        let bits = encoder.bits()[Kind::Head as usize];
        let bytes = encoder.finish();
        assert!((bytes.len() as f64) < bits / 8.0 + 1.01 + 1e-4 * decisions.len() as f64, "{} for {bits}", bytes.len());
        let mut decoder = Decoder::new(&bytes);
        for &(bit, one) in decisions {
            assert_eq!(decoder.code(!bit, one, Kind::Head), bit);
        }
        assert!(decoder.complete());
        bytes
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(
            decisions in prop::collection::vec((any::<bool>(), prop_oneof![1u32..65536, Just(1), Just(65535)]), 0..2000)
        ) {
            round_trip(&decisions);
        }

        #[test]
        fn probable_decisions_are_cheap(ones in prop::collection::vec(1u32..65536, 0..2000)) {
            round_trip(&ones.iter().map(|&one| (one >= 32768, one)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn carries_run_through_many_bytes() {
        // Improbable zeros keep `low` just under a power of two, until the last decision carries.
        for last in [1, 2, 300, 32768, 65535] {
            let mut decisions = vec![(false, 65535); 40];
            decisions.extend([(true, 1), (false, 65535), (false, last)]);
            round_trip(&decisions);
        }
    }

    #[test]
    fn nothing_takes_no_byte() {
        assert!(round_trip(&[]).is_empty());
    }

    #[test]
    fn reading_on_is_noticed() {
        let mut decoder = Decoder::new(&[1, 2, 3]);
        let mut decisions = 0;
        while !decoder.overrun() {
            decoder.code(false, 65535, Kind::Head);
            decisions += 1;
        }
        // Eight bits a byte, at no less than log2(65536 / 65535) bits a decision.
        assert!(decisions < 8 * 46_000 * 8, "{decisions}");
    }
}
