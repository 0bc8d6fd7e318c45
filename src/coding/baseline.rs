//! Coders to compare with, on the same symbols and complete with their headers: what they write, they can read.

use super::bits::{BitReader, BitWriter};
use super::huffman::Code;
use crate::model::{Codebook, FixedParameter};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use std::io::{Read, Write};

/// Deep Compression's last stage (Han, Mao and Dally 2016): the nonzero weights as pairs of the number of zeros before
/// each, in 4 to 8 bits with a zero put in where that is not enough, and the symbol; both in Huffman codes. The index's
/// width, and whether parameters share their tables, are chosen for the smallest file.
pub fn relative_index_huffman(parameters: &[FixedParameter]) -> Vec<u8> {
    let mut best: Option<Vec<u8>> = None;
    for index_bits in 4..=8 {
        for shared in [false, true] {
            let file = write_relative(parameters, index_bits, shared);
            if best.as_ref().is_none_or(|best| file.len() < best.len()) {
                best = Some(file);
            }
        }
    }
    best.unwrap_or_default()
}

/// Reads [`relative_index_huffman`]; names are empty. `None` if the bytes are damaged, or hold more than `most` weights.
pub fn read_relative_index_huffman(bytes: &[u8], most: usize) -> Option<Vec<FixedParameter>> {
    let mut reader = BitReader::new(bytes);
    let mut parameters = read_headers(&mut reader, most)?;
    let index_bits = reader.take(4)? as u32;
    let shared = reader.bit()?;
    let mut tables = None;
    for parameter in &mut parameters {
        let count = reader.number()?;
        if count == 0 {
            continue;
        }
        if tables.is_none() || !shared {
            tables = Some(read_tables(&mut reader, index_bits)?);
        }
        let (lowest, gaps, values) = tables.as_ref()?;
        let mut next = 0usize;
        for _ in 0..count {
            next = next.checked_add(gaps.read(&mut reader)?)?;
            *parameter.symbols.get_mut(next)? = i16::try_from(lowest + values.read(&mut reader)? as i64).ok()?;
            next += 1;
        }
    }
    Some(parameters)
}

/// DEFLATE (zlib, level 9) of the index matrix: each symbol a byte, or two bytes if one needs that.
pub fn deflate(parameters: &[FixedParameter]) -> Vec<u8> {
    let symbols = || parameters.iter().flat_map(|parameter| parameter.symbols.iter().copied());
    let wide = symbols().any(|symbol| i8::try_from(symbol).is_err());
    let mut writer = BitWriter::default();
    write_headers(&mut writer, parameters);
    let mut plain = writer.finish();
    let header = plain.len() as u64;
    plain.extend(symbols().flat_map(|symbol| symbol.to_le_bytes().into_iter().take(if wide { 2 } else { 1 })));
    let mut file = vec![u8::from(wide)];
    file.extend_from_slice(&(header as u32).to_le_bytes());
    let mut encoder = ZlibEncoder::new(file, Compression::best());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(&plain);
    encoder.finish().unwrap_or_default()
}

/// Reads [`deflate`]; names are empty. `None` if the bytes are damaged, or hold more than `most` weights.
pub fn read_deflate(bytes: &[u8], most: usize) -> Option<Vec<FixedParameter>> {
    let (&wide, rest) = bytes.split_first()?;
    let (header, packed) = rest.split_first_chunk::<4>()?;
    let mut decoder = ZlibDecoder::new(packed);
    let mut headers = Vec::new();
    decoder.by_ref().take(u64::from(u32::from_le_bytes(*header))).read_to_end(&mut headers).ok()?;
    let mut parameters = read_headers(&mut BitReader::new(&headers), most)?;
    for symbol in parameters.iter_mut().flat_map(|parameter| &mut parameter.symbols) {
        let mut pair = [0; 2];
        let width = 1 + usize::from(wide & 1);
        decoder.read_exact(&mut pair[..width]).ok()?;
        *symbol = if width == 2 { i16::from_le_bytes(pair) } else { i16::from(pair[0] as i8) };
    }
    Some(parameters)
}

/// The pairs of gap and symbol of one parameter; gaps of more than `longest` are broken up by zeros.
fn pairs(symbols: &[i16], longest: usize) -> Vec<(usize, i16)> {
    let mut pairs = Vec::new();
    let mut gap = 0;
    for &symbol in symbols {
        if symbol != 0 || gap == longest {
            pairs.push((gap, symbol));
            gap = 0;
        } else {
            gap += 1;
        }
    }
    // Zeros put in after the last weight say nothing.
    while pairs.last().is_some_and(|&(_, symbol)| symbol == 0) {
        pairs.pop();
    }
    pairs
}

fn write_relative(parameters: &[FixedParameter], index_bits: u32, shared: bool) -> Vec<u8> {
    let longest = (1 << index_bits) - 1;
    let pairs: Vec<_> = parameters.iter().map(|parameter| pairs(&parameter.symbols, longest)).collect();
    let mut writer = BitWriter::default();
    write_headers(&mut writer, parameters);
    writer.put(u64::from(index_bits), 4);
    writer.put(u64::from(shared), 1);
    let mut tables = None;
    for own in &pairs {
        writer.put_number(own.len() as u64);
        if own.is_empty() {
            continue;
        }
        if tables.is_none() || !shared {
            let all: Vec<(usize, i16)> = if shared { pairs.iter().flatten().copied().collect() } else { own.clone() };
            tables = Some(write_tables(&mut writer, &all, index_bits));
        }
        let Some((lowest, gaps, values)) = &tables else { continue };
        for &(gap, symbol) in own {
            gaps.write(&mut writer, gap);
            values.write(&mut writer, (i64::from(symbol) - lowest) as usize);
        }
    }
    writer.finish()
}

type Tables = (i64, Code, Code);

/// Writes the tables of gaps and of symbols for these pairs, of which there is one at least.
fn write_tables(writer: &mut BitWriter, pairs: &[(usize, i16)], index_bits: u32) -> Tables {
    let symbols = || pairs.iter().map(|&(_, symbol)| i64::from(symbol));
    let lowest = symbols().min().unwrap_or(0);
    let highest = symbols().max().unwrap_or(0);
    let mut gap_counts = vec![0; 1 << index_bits];
    let mut value_counts = vec![0; (highest - lowest) as usize + 1];
    for &(gap, symbol) in pairs {
        gap_counts[gap] += 1;
        value_counts[(i64::from(symbol) - lowest) as usize] += 1;
    }
    let (gaps, values) = (Code::for_counts(&gap_counts), Code::for_counts(&value_counts));
    gaps.write_table(writer);
    writer.put_number((-lowest).max(0) as u64);
    writer.put_number(lowest.max(0) as u64);
    writer.put_number(value_counts.len() as u64);
    values.write_table(writer);
    (lowest, gaps, values)
}

fn read_tables(reader: &mut BitReader, index_bits: u32) -> Option<Tables> {
    let gaps = Code::read_table(reader, 1 << index_bits)?;
    let (below, above) = (reader.number()?, reader.number()?);
    let lowest = i64::try_from(above).ok()?.checked_sub(i64::try_from(below).ok()?)?;
    let count = reader.number()?;
    if count > 1 << 16 || lowest.unsigned_abs() > 1 << 16 {
        return None;
    }
    let values = Code::read_table(reader, count as usize)?;
    Some((lowest, gaps, values))
}

/// Shapes and codebooks.
fn write_headers(writer: &mut BitWriter, parameters: &[FixedParameter]) {
    writer.put_number(parameters.len() as u64);
    for parameter in parameters {
        writer.put_number(parameter.shape.len() as u64);
        parameter.shape.iter().for_each(|&side| writer.put_number(side as u64));
        writer.put(u64::from(parameter.codebook.fraction_bits() as u8), 8);
        let (positive, negative, factor): (&[u16], &[u16], u8) = match &parameter.codebook {
            Codebook::Uniform { factor: 1, .. } => {
                writer.put(0, 1);
                continue;
            }
            Codebook::Uniform { factor, .. } => (&[], &[], *factor),
            Codebook::Free { positive, negative, .. } => (positive, negative, 0),
        };
        writer.put(1, 1);
        for side in [positive, negative] {
            writer.put_number(side.len() as u64);
            side.iter().for_each(|&centroid| writer.put_number(u64::from(centroid)));
        }
        if positive.is_empty() && negative.is_empty() {
            writer.put_number(u64::from(factor));
        }
    }
}

/// Parameters whose symbols are all 0.
fn read_headers(reader: &mut BitReader, most: usize) -> Option<Vec<FixedParameter>> {
    let mut parameters = Vec::new();
    let mut total = 0usize;
    for _ in 0..reader.number()? {
        let sides = reader.number()?;
        let shape: Vec<usize> =
            (0..sides).map(|_| reader.number().and_then(|side| usize::try_from(side).ok())).collect::<Option<_>>()?;
        let fraction_bits = reader.take(8)? as u8 as i8;
        let codebook = if reader.bit()? {
            let mut side = || {
                let count = reader.number()?;
                let centroid = |_| reader.number().and_then(|centroid| u16::try_from(centroid).ok());
                (0..count).map(centroid).collect::<Option<Vec<u16>>>()
            };
            let (positive, negative) = (side()?, side()?);
            let listed = !(positive.is_empty() && negative.is_empty());
            match if listed { 0 } else { reader.number()? } {
                0 => Codebook::Free { fraction_bits, positive, negative },
                factor => Codebook::Uniform { fraction_bits, factor: u8::try_from(factor).ok()? },
            }
        } else {
            Codebook::integers(fraction_bits)
        };
        let count = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))?;
        total = total.checked_add(count).filter(|&total| total <= most)?;
        let mut symbols = Vec::new();
        symbols.try_reserve_exact(count).ok()?;
        symbols.resize(count, 0);
        parameters.push(FixedParameter { name: String::new(), shape, symbols, codebook });
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameter(symbols: Vec<i16>, free: bool) -> FixedParameter {
        let codebook = if free {
            Codebook::Free { fraction_bits: -3, positive: (1..100).collect(), negative: (5..200).collect() }
        } else {
            Codebook::integers(7)
        };
        FixedParameter { name: String::new(), shape: vec![1, symbols.len()], symbols, codebook }
    }

    #[test]
    fn long_gaps_are_broken_up() {
        let mut symbols = vec![0; 40];
        symbols[0] = 1;
        symbols[17] = 2;
        symbols[35] = 3;
        assert_eq!(pairs(&symbols, 15), [(0, 1), (15, 0), (0, 2), (15, 0), (1, 3)]);
        assert_eq!(pairs(&[0; 40], 15), []);
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(
            symbols in prop::collection::vec(
                (prop::collection::vec(prop_oneof![9 => Just(0i16), 3 => -5i16..6, 1 => any::<i16>()], 0..400), any::<bool>()),
                0..5,
            )
        ) {
            let parameters: Vec<_> = symbols.into_iter().map(|(symbols, free)| parameter(symbols, free)).collect();
            let file = relative_index_huffman(&parameters);
            let read = read_relative_index_huffman(&file, 4000);
            prop_assert_eq!(read.as_ref(), Some(&parameters));
            prop_assert_eq!(read_deflate(&deflate(&parameters), 4000), Some(parameters));
        }

        #[test]
        fn damaged_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_relative_index_huffman(&bytes, 4000);
            let _ = read_deflate(&bytes, 4000);
        }
    }
}
