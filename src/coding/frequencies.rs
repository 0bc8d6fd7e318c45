//! How often each symbol occurs: what the fast coding's tables are made of, and how a file has them.

use crate::error::DecodeError;

/// Frequencies of a table sum to `2^SCALE`.
pub const SCALE: u32 = 14;
/// See [`SCALE`].
pub const TOTAL: u32 = 1 << SCALE;
/// The largest magnitude that a table has an entry for; others are escaped.
pub const LARGEST: i16 = 127;
/// Bits of one part of an escaped symbol.
pub const RAW_BITS: u32 = 8;

/// How often each place of a table is needed, from `-LARGEST` on, and how often none of them.
#[derive(Debug, Clone)]
pub struct Counts {
    places: Vec<u32>,
    escaped: u32,
}

impl Counts {
    /// None yet, for so many tables.
    pub fn none(tables: usize) -> Vec<Self> {
        vec![Counts { places: vec![0; 2 * LARGEST as usize + 1], escaped: 0 }; tables]
    }

    /// Counts a place.
    pub fn count(&mut self, place: i32) {
        match usize::try_from(place + i32::from(LARGEST)).ok().and_then(|index| self.places.get_mut(index)) {
            Some(count) => *count += 1,
            None => self.escaped += 1,
        }
    }

    /// Adds those of another table.
    pub fn add(&mut self, other: &Counts) {
        self.places.iter_mut().zip(&other.places).for_each(|(sum, own)| *sum += own);
        self.escaped += other.escaped;
    }
}

/// How often each place occurs in a context, of [`TOTAL`]; entry 0 is the escape.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The place of entry 1.
    pub first: i16,
    /// Of each entry.
    pub frequencies: Vec<u32>,
    /// What comes before each.
    pub starts: Vec<u32>,
}

impl Table {
    fn new(first: i16, frequencies: Vec<u32>) -> Self {
        let starts = frequencies.iter().scan(0, |sum, &own| Some(std::mem::replace(sum, *sum + own))).collect();
        Table { first, frequencies, starts }
    }

    /// As often as they were counted, each at least once.
    pub fn of_counts(counts: &Counts) -> Self {
        let Counts { places, escaped } = counts;
        let Some(first) = places.iter().position(|&count| count > 0) else {
            return Table::new(0, vec![TOTAL]);
        };
        let last = places.iter().rposition(|&count| count > 0).unwrap_or(first);
        let counts: Vec<u32> = [*escaped].iter().chain(&places[first..=last]).copied().collect();
        let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let scaled = |&count: &u32| match count {
            0 => 0,
            _ => ((u64::from(count) * u64::from(TOTAL) + total / 2) / total).max(1) as u32,
        };
        let mut frequencies: Vec<u32> = counts.iter().map(scaled).collect();
        // What rounding has made too many, or too few, the largest take.
        loop {
            let sum: u32 = frequencies.iter().sum();
            let Some(largest) = frequencies.iter_mut().max() else { break };
            match sum {
                _ if sum > TOTAL => *largest -= (sum - TOTAL).min((*largest).div_ceil(2)).min(*largest - 1),
                _ if sum < TOTAL => *largest += TOTAL - sum,
                _ => break,
            }
        }
        Table::new(first as i16 - LARGEST, frequencies)
    }

    /// The entry of a place; 0 if it has none.
    #[inline]
    pub fn entry(&self, place: i32) -> usize {
        let index = place.saturating_sub(i32::from(self.first)).saturating_add(1);
        let entry = usize::try_from(index).unwrap_or(0);
        if entry < self.frequencies.len() && self.frequencies[entry] > 0 { entry } else { 0 }
    }

    /// Bits of an entry.
    fn bits(&self, entry: usize) -> f64 {
        f64::from(SCALE) - f64::from(self.frequencies[entry]).log2()
    }

    /// Bits of a place.
    pub fn cost(&self, place: i32) -> f64 {
        let entry = self.entry(place);
        self.bits(entry) + if entry == 0 { f64::from(2 * RAW_BITS) } else { 0.0 }
    }

    /// Bits of all that were counted.
    pub fn all_bits(&self, counts: &Counts) -> f64 {
        let escaped = match counts.escaped {
            0 => 0.0,
            count => f64::from(count) * (self.bits(0) + f64::from(2 * RAW_BITS)),
        };
        let own = |(place, &count): (usize, &u32)| match count {
            0 => 0.0,
            _ => f64::from(count) * self.cost(place as i32 - i32::from(LARGEST)),
        };
        escaped + counts.places.iter().enumerate().map(own).sum::<f64>()
    }

    /// Appends it.
    pub fn put(&self, bytes: &mut Vec<u8>) {
        put(bytes, (i32::from(self.first) << 1 ^ i32::from(self.first) >> 31) as u32);
        put(bytes, self.frequencies.len() as u32);
        self.frequencies.iter().for_each(|&frequency| put(bytes, frequency));
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are none.
    pub fn take(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        let folded = take(bytes)?;
        let first = (folded >> 1) as i32 ^ -((folded & 1) as i32);
        let entries = take(bytes)? as usize;
        let wanted = 1..=2 * LARGEST as usize + 2;
        if !wanted.contains(&entries) || first.unsigned_abs() > LARGEST.unsigned_abs().into() {
            return Err(malformed(format!("{wanted:?} entries"), format!("{entries} from {first} on")));
        }
        let frequencies = (0..entries).map(|_| take(bytes)).collect::<Result<Vec<u32>, _>>()?;
        let sum = frequencies.iter().try_fold(0u32, |sum, &own| sum.checked_add(own));
        if sum != Some(TOTAL) {
            return Err(malformed(format!("frequencies that sum to {TOTAL}"), format!("{sum:?}")));
        }
        Ok(Table::new(first as i16, frequencies))
    }

    /// The entry of each number below 2^14.
    pub fn slots(&self) -> Vec<u8> {
        let mut slots = Vec::with_capacity(TOTAL as usize);
        for (entry, &frequency) in self.frequencies.iter().enumerate() {
            slots.resize(slots.len() + frequency as usize, entry as u8);
        }
        slots
    }
}

/// Bytes that are no stream of symbols.
pub fn malformed(expected: impl Into<String>, got: impl Into<String>) -> DecodeError {
    DecodeError::Malformed { place: "tables of symbols", expected: expected.into(), got: got.into() }
}

/// An end that comes too early.
pub fn truncated() -> DecodeError {
    DecodeError::Truncated { place: "tables of symbols", expected: 1, got: 0 }
}

/// A number in seven bits a byte, the lowest first.
fn put(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Result<u32, DecodeError> {
    let mut number = 0u32;
    for shift in [0, 7, 14, 21] {
        let byte = *bytes.split_off_first().ok_or_else(truncated)?;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(malformed("a number below 2^28", "a larger one"))
}
