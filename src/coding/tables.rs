//! The fast coding of a large parameter: one table of frequencies a context, and asymmetric numeral systems in place of decisions (Duda 2009; with
//! several states in turns, Giesen 2014, "Interleaved entropy coders").
//!
//! It stands by itself: nothing carries over from one parameter to the next, so that they can be coded at the same time. Large dense parameters
//! take about as many bytes as by the models of [`SymbolModel`](super::symbols::SymbolModel), at many times the speed.

use super::ParameterBits;
use super::layout::{Form, Layout};
use super::range::Encoder;
use super::symbols::{Bounds, SymbolModel};
use crate::error::DecodeError;

/// Frequencies of a table sum to `2^SCALE`.
const SCALE: u32 = 14;
const TOTAL: u32 = 1 << SCALE;
/// A state is at least this between two symbols.
const LEAST: u32 = 1 << 16;
/// States that take turns.
const STATES: usize = 4;
/// The largest magnitude that a table has an entry for; others are escaped.
const LARGEST: i16 = 127;
/// Bits of one part of an escaped symbol.
const RAW_BITS: u32 = 8;
/// Contexts, if there is more than one: the magnitudes of two neighbours, each counted up to 2.
const CONTEXTS: usize = 9;

/// Parameters of fewer symbols are coded by the models: their tables would cost too much, and the time does not count.
const FEWEST: usize = 1 << 15;
/// From so many symbols on the time counts: up to [`MORE`] times the bytes are worth it.
const MANY: usize = 1 << 20;
const MORE: f64 = 1.012;
/// Symbols on which the models are tried.
const TRIED: usize = 1 << 15;

/// The symbols, row after row.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// How many symbols there are.
    pub count: usize,
    /// How many a row has.
    pub row_len: usize,
}

impl Rows {
    /// The context of a symbol, from those before it in its row and above it.
    #[inline]
    fn context(&self, symbols: &[i16], index: usize, place: usize) -> usize {
        let near = |there: bool, back: usize| match there {
            true => usize::from(symbols[index - back].unsigned_abs().min(2)),
            false => 0,
        };
        3 * near(place > 0, 1) + near(index >= self.row_len, self.row_len)
    }
}

/// How often each symbol occurs in a context, of 2^14; entry 0 is the escape.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    /// The symbol of entry 1.
    first: i16,
    frequencies: Vec<u32>,
    /// What comes before each.
    starts: Vec<u32>,
}

impl Table {
    fn new(first: i16, frequencies: Vec<u32>) -> Self {
        let starts = frequencies.iter().scan(0, |sum, &own| Some(std::mem::replace(sum, *sum + own))).collect();
        Table { first, frequencies, starts }
    }

    /// For so many of each symbol from `-LARGEST` on, and of those that are escaped.
    fn of_counts(counts: &[u32], escaped: u32) -> Self {
        let Some(first) = counts.iter().position(|&count| count > 0) else {
            return Table::new(0, vec![TOTAL]);
        };
        let last = counts.iter().rposition(|&count| count > 0).unwrap_or(first);
        let counts: Vec<u32> = [escaped].iter().chain(&counts[first..=last]).copied().collect();
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

    /// The entry of a symbol; 0 if it has none.
    #[inline]
    fn entry(&self, symbol: i16) -> usize {
        let index = i32::from(symbol) - i32::from(self.first) + 1;
        let entry = usize::try_from(index).unwrap_or(0);
        if entry < self.frequencies.len() && self.frequencies[entry] > 0 { entry } else { 0 }
    }

    /// Bits of an entry.
    fn bits(&self, entry: usize) -> f64 {
        f64::from(SCALE) - f64::from(self.frequencies[entry]).log2()
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put(bytes, (i32::from(self.first) << 1 ^ i32::from(self.first) >> 31) as u32);
        put(bytes, self.frequencies.len() as u32);
        self.frequencies.iter().for_each(|&frequency| put(bytes, frequency));
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
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
    fn slots(&self) -> Vec<u8> {
        let mut slots = Vec::with_capacity(TOTAL as usize);
        for (entry, &frequency) in self.frequencies.iter().enumerate() {
            slots.resize(slots.len() + frequency as usize, entry as u8);
        }
        slots
    }
}

/// A parameter that is to be coded.
#[derive(Debug)]
pub struct Coded<'a> {
    symbols: &'a [i16],
    rows: Rows,
    /// One, or as many as there are contexts.
    tables: Vec<Table>,
}

impl<'a> Coded<'a> {
    /// Counts the symbols of a parameter whose rows are this long.
    pub fn new(symbols: &'a [i16], row_len: usize) -> Self {
        let rows = Rows { count: symbols.len(), row_len: row_len.max(1) };
        let side = 2 * LARGEST as usize + 1;
        let mut counts = vec![(vec![0u32; side], 0u32); CONTEXTS];
        for (index, &symbol) in symbols.iter().enumerate() {
            let (table, escaped) = &mut counts[rows.context(symbols, index, index % rows.row_len)];
            match symbol.unsigned_abs() <= LARGEST.unsigned_abs() {
                true => table[(symbol + LARGEST) as usize] += 1,
                false => *escaped += 1,
            }
        }
        let mut all = (vec![0u32; side], 0u32);
        for (table, escaped) in &counts {
            all.0.iter_mut().zip(table).for_each(|(sum, own)| *sum += own);
            all.1 += escaped;
        }
        let one = vec![Table::of_counts(&all.0, all.1)];
        let several: Vec<Table> = counts.iter().map(|(table, escaped)| Table::of_counts(table, *escaped)).collect();
        let size = |tables: &[Table], counts: &[(Vec<u32>, u32)]| {
            let mut bytes = Vec::new();
            tables.iter().for_each(|table| table.put(&mut bytes));
            let bits = |(table, (counts, _)): (&Table, &(Vec<u32>, u32))| -> f64 {
                let own = |(place, &count): (usize, &u32)| match count {
                    0 => 0.0,
                    _ => f64::from(count) * table.bits(table.entry(place as i16 - LARGEST)),
                };
                counts.iter().enumerate().map(own).sum()
            };
            8.0 * bytes.len() as f64 + tables.iter().zip(counts).map(bits).sum::<f64>()
        };
        let tables = if size(&several, &counts) < size(&one, &[all]) { several } else { one };
        Coded { symbols, rows, tables }
    }

    fn context(&self, index: usize) -> usize {
        if self.tables.len() == 1 { 0 } else { self.rows.context(self.symbols, index, index % self.rows.row_len) }
    }

    /// What everything takes, in bits; the tables as the codebook.
    pub fn all_bits(&self) -> ParameterBits {
        let mut bytes = Vec::new();
        self.tables.iter().for_each(|table| table.put(&mut bytes));
        let codebook = 8.0 * (1 + bytes.len() + 4 * STATES) as f64;
        ParameterBits { codebook, ..self.bits(0, self.symbols.len()) }
    }

    /// What symbols `from..to` take, in bits, without the tables.
    pub fn bits(&self, from: usize, to: usize) -> ParameterBits {
        let mut spent = ParameterBits::default();
        for index in from..to {
            let (table, symbol) = (&self.tables[self.context(index)], self.symbols[index]);
            let entry = table.entry(symbol);
            let whole = table.bits(entry) + if entry == 0 { f64::from(2 * RAW_BITS) } else { 0.0 };
            let zero = f64::from(table.frequencies[table.entry(0)]) / f64::from(TOTAL);
            if symbol == 0 {
                spent.positions += whole;
                continue;
            }
            let position = -(1.0 - zero).max(f64::from(TOTAL).recip()).log2();
            spent.positions += position;
            spent.signs += 1.0;
            spent.magnitudes += (whole - position - 1.0).max(0.0);
        }
        spent
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.push(self.tables.len() as u8);
        self.tables.iter().for_each(|table| table.put(&mut bytes));
        let mut states = [LEAST; STATES];
        let mut words: Vec<u16> = Vec::new();
        let mut push = |state: &mut u32, start: u32, frequency: u32| {
            if u64::from(*state) >= u64::from(frequency) << (32 - SCALE) {
                words.push(*state as u16);
                *state >>= 16;
            }
            *state = ((*state / frequency) << SCALE) + *state % frequency + start;
        };
        // Backwards, since the last that is written is the first that is read.
        for index in (0..self.symbols.len()).rev() {
            let (table, state) = (&self.tables[self.context(index)], &mut states[index % STATES]);
            let entry = table.entry(self.symbols[index]);
            if entry == 0 {
                let raw = self.symbols[index] as u16;
                for part in [raw >> RAW_BITS, raw & 0xff] {
                    let width = SCALE - RAW_BITS;
                    push(state, u32::from(part) << width, 1 << width);
                }
            }
            push(state, table.starts[entry], table.frequencies[entry]);
        }
        states.iter().for_each(|state| bytes.extend(state.to_le_bytes()));
        bytes.extend(words.iter().rev().flat_map(|word| word.to_le_bytes()));
        bytes
    }
}

/// The coding by tables, where a parameter is large, and rows in its middle take no more bits so than by the models; a little more, if it is very large.
pub fn worthwhile<'a>(symbols: &'a [i16], layout: &Layout, bounds: Bounds) -> Option<Coded<'a>> {
    if symbols.len() < FEWEST || layout.form == Form::Vector {
        return None;
    }
    let coded = Coded::new(symbols, layout.row_len());
    let rows = TRIED.div_ceil(layout.row_len()).min(layout.rows);
    let from = (layout.rows - rows) / 2 * layout.row_len();
    let to = from + rows * layout.row_len();
    let (mut encoder, mut tried) = (Encoder::default(), symbols[from..to].to_vec());
    SymbolModel::default().code(&mut encoder, &Layout { rows, ..*layout }, bounds, &mut tried);
    let models: f64 = encoder.bits().iter().sum();
    let most = if symbols.len() < MANY { models } else { MORE * models };
    (coded.bits(from, to).total() <= most).then_some(coded)
}

/// Reads so many symbols, of those that the bounds allow.
///
/// # Errors
/// [`DecodeError`], whatever the bytes are.
pub fn decode(mut bytes: &[u8], rows: Rows, bounds: Bounds) -> Result<Vec<i16>, DecodeError> {
    let count = usize::from(*bytes.split_off_first().ok_or_else(truncated)?);
    if count != 1 && count != CONTEXTS {
        return Err(malformed(format!("1 or {CONTEXTS} tables"), count.to_string()));
    }
    let tables = (0..count).map(|_| Table::take(&mut bytes)).collect::<Result<Vec<Table>, _>>()?;
    let slots: Vec<Vec<u8>> = tables.iter().map(Table::slots).collect();
    let (heads, words) = bytes.split_at_checked(4 * STATES).ok_or_else(truncated)?;
    let (heads, (words, rest)) = (heads.as_chunks::<4>().0, words.as_chunks::<2>());
    let mut states = [0; STATES];
    states.iter_mut().zip(heads).for_each(|(state, head)| *state = u32::from_le_bytes(*head));
    let mut words = words.iter();
    let mut symbols: Vec<i16> = Vec::new();
    let too_large = |_| DecodeError::TooLarge {
        place: "symbols, for which there is no memory",
        bytes: 2 * rows.count as u64,
        cap: 0,
    };
    symbols.try_reserve_exact(rows.count).map_err(too_large)?;
    symbols.resize(rows.count, 0);
    // After a symbol a state is made large enough again.
    let mut more = |state: &mut u32| -> Result<(), DecodeError> {
        if *state < LEAST {
            *state = *state << 16 | u32::from(u16::from_le_bytes(*words.next().ok_or_else(truncated)?));
        }
        Ok(())
    };
    let mut place = 0;
    for index in 0..rows.count {
        let context = if count == 1 { 0 } else { rows.context(&symbols, index, place) };
        place = if place + 1 == rows.row_len { 0 } else { place + 1 };
        let (table, state) = (&tables[context], &mut states[index % STATES]);
        let low = *state & (TOTAL - 1);
        let entry = usize::from(slots[context][low as usize]);
        *state = table.frequencies[entry] * (*state >> SCALE) + low - table.starts[entry];
        more(state)?;
        symbols[index] = match entry {
            0 => {
                let mut raw = 0;
                for shift in [0, RAW_BITS] {
                    let width = SCALE - RAW_BITS;
                    let part = (*state & (TOTAL - 1)) >> width;
                    *state = (*state >> SCALE << width) + (*state & ((1 << width) - 1));
                    more(state)?;
                    raw |= (part as u16) << shift;
                }
                raw as i16
            }
            _ => table.first + entry as i16 - 1,
        };
    }
    if states != [LEAST; STATES] || words.next().is_some() || !rest.is_empty() {
        return Err(malformed("its end with the last symbol", "another end"));
    }
    let within = |&symbol: &i16| match symbol {
        0.. => symbol as u16 <= bounds.positive,
        _ => symbol.unsigned_abs() <= bounds.negative,
    };
    match symbols.iter().find(|symbol| !within(symbol)) {
        None => Ok(symbols),
        Some(symbol) => Err(malformed(format!("symbols that have a value: {bounds:?}"), symbol.to_string())),
    }
}

fn malformed(expected: impl Into<String>, got: impl Into<String>) -> DecodeError {
    DecodeError::Malformed { place: "tables of symbols", expected: expected.into(), got: got.into() }
}

fn truncated() -> DecodeError {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    const ALL: Bounds = Bounds { positive: i16::MAX as u16, negative: 32_768 };

    fn come_back(symbols: &[i16], row_len: usize) -> usize {
        let bytes = Coded::new(symbols, row_len).encode();
        let rows = Rows { count: symbols.len(), row_len: row_len.max(1) };
        assert_eq!(decode(&bytes, rows, ALL).as_deref(), Ok(symbols));
        bytes.len()
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(
            symbols in prop::collection::vec(prop_oneof![4 => -3i16..=3, 2 => -127i16..=127, 1 => any::<i16>()], 0..400),
            row_len in 0usize..50,
        ) {
            come_back(&symbols, row_len);
        }

        #[test]
        fn any_bytes_are_symbols_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            count in 0usize..300,
            (place, to) in (any::<prop::sample::Index>(), any::<u8>()),
        ) {
            let rows = Rows { count, row_len: 7 };
            let _ = decode(&bytes, rows, ALL);
            let symbols: Vec<i16> = bytes.iter().map(|&byte| i16::from(byte as i8) / 20).collect();
            let mut damaged = Coded::new(&symbols, 7).encode();
            let at = place.index(damaged.len());
            damaged[at] = to;
            if let Ok(read) = decode(&damaged, Rows { count: symbols.len(), row_len: 7 }, ALL) {
                assert_eq!(read.len(), symbols.len());
            }
        }
    }

    #[test]
    fn a_symbol_takes_what_its_frequency_says() {
        let mut rng = Pcg64Mcg::seed_from_u64(3);
        let mut normal = || (0..8).map(|_| rng.random::<f32>()).sum::<f32>() - 4.0;
        let symbols: Vec<i16> = (0..100_000).map(|_| (4.0 * normal()).round() as i16).collect();
        let bytes = come_back(&symbols, 250);
        let mut counts = std::collections::BTreeMap::new();
        symbols.iter().for_each(|symbol| *counts.entry(symbol).or_insert(0.0) += 1.0);
        let entropy: f64 = counts.values().map(|count: &f64| count * (1e5 / count).log2()).sum();
        assert!((bytes as f64) < 1.003 * entropy / 8.0, "{bytes} {}", entropy / 8.0);
        let coded = Coded::new(&symbols, 250);
        let said = coded.bits(0, symbols.len()).total() / 8.0;
        assert!((said / bytes as f64 - 1.0).abs() < 0.003, "{said} {bytes}");
    }

    #[test]
    fn rows_that_are_empty_cost_little() {
        // Every other row is empty.
        let mut rng = Pcg64Mcg::seed_from_u64(4);
        let mut symbols: Vec<i16> =
            (0..200 * 200).map(|index| if index / 200 % 2 == 0 { 0 } else { rng.random_range(-2..=2) }).collect();
        let in_rows = come_back(&symbols, 200);
        crate::data::shuffle(&mut symbols, &mut rng);
        let mixed = come_back(&symbols, 200);
        assert!(10 * in_rows < 9 * mixed, "{in_rows} {mixed}");
    }

    #[test]
    fn symbols_without_a_value_are_refused() {
        let bytes = Coded::new(&[1, 2, 3], 3).encode();
        let rows = Rows { count: 3, row_len: 3 };
        assert!(decode(&bytes, rows, Bounds { positive: 2, negative: 5 }).is_err());
        assert!(decode(&bytes, rows, Bounds { positive: 3, negative: 0 }).is_ok());
        assert!(decode(&bytes, Rows { count: 2, row_len: 3 }, ALL).is_err());
        assert!(decode(&bytes[..bytes.len() - 1], rows, ALL).is_err());
    }
}
