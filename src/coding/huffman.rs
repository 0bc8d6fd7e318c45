//! Canonical Huffman codes (Huffman 1952; Schwartz and Kallick 1964), for the baselines and the viewer.

use super::bits::{BitReader, BitWriter};
use crate::ranking::ranked;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Longest code; a table that would have a longer one is made from flatter counts.
const LONGEST: u32 = 31;

/// Length of each symbol's code, 0 for those that do not occur; a single symbol gets a code of one bit.
pub fn code_lengths(counts: &[u64]) -> Vec<u8> {
    let mut counts = counts.to_vec();
    loop {
        let lengths = unlimited_lengths(&counts);
        if lengths.iter().all(|&length| u32::from(length) <= LONGEST) {
            return lengths;
        }
        for count in counts.iter_mut().filter(|count| **count > 0) {
            *count = count.div_ceil(4);
        }
    }
}

/// What the best possible code of independent symbols takes, in bits: `sum of -n log2(n / total)`.
pub fn entropy_bits(counts: &[u64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    counts.iter().filter(|&&count| count > 0).map(|&count| -(count as f64) * (count as f64 / total).log2()).sum()
}

/// A symbol, and what a Huffman code of all symbols of a parameter spends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolCode {
    /// The symbol.
    pub symbol: i16,
    /// How often it occurs.
    pub count: u64,
    /// Length of its code, in bits.
    pub length: u8,
}

/// The symbols that occur, rising, each with its code; [`entropy_bits`] of their counts is the bound for any code of
/// independent symbols.
pub fn symbol_codes(symbols: &[i16]) -> Vec<SymbolCode> {
    let mut all = vec![0u64; 1 << 16];
    for &symbol in symbols {
        all[(i32::from(symbol) - i32::from(i16::MIN)) as usize] += 1;
    }
    let (mut occurring, mut counts) = (Vec::new(), Vec::new());
    for (symbol, count) in (i16::MIN..=i16::MAX).zip(all).filter(|(_, count)| *count > 0) {
        occurring.push(symbol);
        counts.push(count);
    }
    let lengths = code_lengths(&counts);
    let code = |((symbol, count), length)| SymbolCode { symbol, count, length };
    occurring.into_iter().zip(counts).zip(lengths).map(code).collect()
}

fn unlimited_lengths(counts: &[u64]) -> Vec<u8> {
    // Leaves come first, then the inner nodes in the order in which they are made; ties go by that order.
    let mut heap: BinaryHeap<Reverse<(u64, usize)>> = counts
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
        .map(|(leaf, &count)| Reverse((count, leaf)))
        .collect();
    let mut parents = vec![usize::MAX; counts.len()];
    while heap.len() > 1 {
        let (Some(Reverse(first)), Some(Reverse(second))) = (heap.pop(), heap.pop()) else { break };
        let parent = parents.len();
        parents.push(usize::MAX);
        parents[first.1] = parent;
        parents[second.1] = parent;
        heap.push(Reverse((first.0.saturating_add(second.0), parent)));
    }
    let mut depths = vec![0u8; parents.len()];
    for node in (0..parents.len()).rev() {
        if let Some(&depth) = depths.get(parents[node]) {
            depths[node] = depth.saturating_add(1);
        }
    }
    depths.truncate(counts.len());
    if let (true, Some(only)) =
        (counts.iter().filter(|&&count| count > 0).count() == 1, counts.iter().position(|&count| count > 0))
    {
        depths[only] = 1;
    }
    depths
}

/// A code table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    lengths: Vec<u8>,
    /// Symbols by the length of their code, then by themselves: the order of the codes.
    order: Vec<usize>,
    /// By symbol.
    codes: Vec<u64>,
}

impl Code {
    /// The best code for symbols of these counts.
    pub fn for_counts(counts: &[u64]) -> Self {
        Code::of_lengths(code_lengths(counts))
    }

    fn of_lengths(lengths: Vec<u8>) -> Self {
        let mut order = ranked(lengths.len(), &|symbol| lengths[symbol].into());
        order.retain(|&symbol| lengths[symbol] > 0);
        let mut codes = vec![0; lengths.len()];
        let (mut code, mut last) = (0u64, 0);
        for &symbol in &order {
            code <<= lengths[symbol] - last;
            last = lengths[symbol];
            codes[symbol] = code;
            code += 1;
        }
        Code { lengths, order, codes }
    }

    /// Writes the table: the bits of a length, then each length.
    pub fn write_table(&self, writer: &mut BitWriter) {
        let longest = self.lengths.iter().copied().max().unwrap_or(0);
        let bits = u8::BITS - longest.leading_zeros();
        writer.put(u64::from(bits), 3);
        for &length in &self.lengths {
            writer.put(u64::from(length), bits);
        }
    }

    /// Reads the table of `symbols` symbols.
    pub fn read_table(reader: &mut BitReader, symbols: usize) -> Option<Self> {
        let bits = reader.take(3)? as u32;
        let lengths: Vec<u8> =
            (0..symbols).map(|_| reader.take(bits).map(|length| length as u8)).collect::<Option<_>>()?;
        // Kraft's sum: more would make the codes ambiguous.
        let kraft: u64 = lengths
            .iter()
            .filter(|&&length| length > 0)
            .map(|&length| 1 << (63 - u64::from(length.min(63))) >> 16)
            .sum();
        let valid = lengths.iter().all(|&length| u32::from(length) <= LONGEST) && kraft <= 1 << 47;
        valid.then(|| Code::of_lengths(lengths))
    }

    /// Writes a symbol that has a code.
    pub fn write(&self, writer: &mut BitWriter, symbol: usize) {
        writer.put(self.codes[symbol], u32::from(self.lengths[symbol]));
    }

    /// Reads a symbol.
    pub fn read(&self, reader: &mut BitReader) -> Option<usize> {
        let (mut code, mut length) = (0u64, 0u8);
        let mut next = 0;
        loop {
            code = code << 1 | u64::from(reader.bit()?);
            length += 1;
            // Symbols of this length have consecutive codes.
            let same = self.order[next..].iter().take_while(|&&symbol| self.lengths[symbol] == length).count();
            let first = self.order.get(next).map(|&symbol| self.codes[symbol]);
            if let (Some(first), true) = (first, same > 0)
                && code >= first
                && code - first < same as u64
            {
                return Some(self.order[next + (code - first) as usize]);
            }
            next += same;
            if next >= self.order.len() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_those_of_the_textbook() {
        // Cormen et al., "Introduction to Algorithms": a to f.
        let counts = [45, 13, 12, 16, 9, 5];
        let lengths = code_lengths(&counts);
        let total: u64 = counts.iter().zip(&lengths).map(|(&count, &length)| count * u64::from(length)).sum();
        assert_eq!(total, 224);
        assert_eq!(lengths[0], 1);
        assert_eq!(code_lengths(&[0, 7, 0]), [0, 1, 0]);
        assert_eq!(code_lengths(&[]), [0; 0]);
        let codes = symbol_codes(&[0, 0, 0, -2, 5]);
        let found: Vec<_> = codes.iter().map(|code| (code.symbol, code.count, code.length)).collect();
        assert_eq!(found, [(-2, 1, 2), (0, 3, 1), (5, 1, 2)]);
        assert!((entropy_bits(&[8, 4, 4]) - 24.0).abs() < 1e-9);
    }

    #[test]
    fn codes_that_would_be_too_long_are_shortened() {
        let mut counts = vec![1u64, 1];
        for index in 2..60 {
            counts.push(counts[index - 1] + counts[index - 2]);
        }
        assert!(code_lengths(&counts).iter().all(|&length| (1..=31).contains(&length)));
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(symbols in prop::collection::vec(0usize..40, 1..300)) {
            let mut counts = vec![0; 40];
            symbols.iter().for_each(|&symbol| counts[symbol] += 1);
            let code = Code::for_counts(&counts);
            let mut writer = BitWriter::default();
            code.write_table(&mut writer);
            symbols.iter().for_each(|&symbol| code.write(&mut writer, symbol));
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            let read = Code::read_table(&mut reader, 40).unwrap();
            prop_assert_eq!(&read, &code);
            for &symbol in &symbols {
                prop_assert_eq!(read.read(&mut reader), Some(symbol));
            }
            let lengths = code_lengths(&counts);
            let bits: u64 = counts.iter().zip(&lengths).map(|(&count, &length)| count * u64::from(length)).sum();
            let entropy = entropy_bits(&counts);
            prop_assert!(bits as f64 >= entropy - 1e-6 && bits as f64 <= entropy + symbols.len() as f64);
        }
    }
}
