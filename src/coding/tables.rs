//! The fast coding of a large parameter: one table of frequencies a context, and asymmetric numeral systems in place of decisions (Duda 2009; with
//! several states in turns, Giesen 2014, "Interleaved entropy coders").
//!
//! Symbols that are multiples of a trellis ([`trellis`](super::trellis)) are coded as its levels, with tables for each of its two quantizers; whether they are such is seen from
//! them alone.
//!
//! It stands by itself: nothing carries over from one parameter to the next, so that they can be coded at the same time. Large dense parameters
//! take about as many bytes as by the models of [`SymbolModel`](super::symbols::SymbolModel), or less where kernels are predicted, in a fraction of the
//! time (`docs/RESULTS.md`).

use super::ParameterBits;
use super::contexts::{CONTEXTS, Contexts, Symbols};
use super::frequencies::{Counts, RAW_BITS, SCALE, TOTAL, Table, malformed, truncated};
use super::layout::{Form, Layout};
use super::prediction::{Here, Kernels, LEVELS, PARTS, Walk};
use super::range::Encoder;
use super::symbols::{Bounds, SymbolModel};
use super::trellis;
use crate::error::DecodeError;

/// A state is at least this between two symbols.
const LEAST: u32 = 1 << 16;
/// States that take turns.
const STATES: usize = 4;
/// Parameters of fewer symbols are coded by the models: their tables would cost too much, and the time does not count.
const FEWEST: usize = 1 << 15;
/// From so many symbols on the time counts: up to [`MORE`] times the bytes are worth it.
const MANY: usize = 1 << 20;
const MORE: f64 = 1.012;
/// Symbols on which the models are tried.
const TRIED: usize = 1 << 15;

/// Contexts and their tables.
#[derive(Debug)]
struct Choice {
    contexts: Contexts,
    /// Those of the first quantizer, and then those of the second.
    tables: Vec<Table>,
    /// What comes before the states.
    head: Vec<u8>,
    /// Bits of everything.
    size: f64,
}

impl Choice {
    fn new(contexts: Contexts, trellis: bool, counts: &[Counts]) -> Self {
        let tables: Vec<Table> = counts.iter().map(Table::of_counts).collect();
        let mut head = Vec::new();
        contexts.put(trellis, &mut head);
        tables.iter().for_each(|table| table.put(&mut head));
        let symbols: f64 = tables.iter().zip(counts).map(|(table, counts)| table.all_bits(counts)).sum();
        let size = 8.0 * (head.len() + 4 * STATES) as f64 + symbols;
        Choice { contexts, tables, head, size }
    }

    /// The smaller one.
    fn or(self, other: Choice) -> Self {
        if other.size < self.size { other } else { self }
    }
}

/// A parameter that is to be coded.
#[derive(Debug)]
pub struct Coded<'a> {
    symbols: Symbols<'a>,
    row_len: usize,
    choice: Choice,
}

impl<'a> Coded<'a> {
    /// In the contexts that take the fewest bits.
    pub fn new(symbols: &'a [i16], layout: &Layout) -> Self {
        let row_len = layout.row_len().max(1);
        let symbols = Symbols::of(symbols, row_len);
        let (sets, trellis) = (symbols.sets(), symbols.sets() == 2);
        let near = symbols.counts(&Contexts::Near, row_len);
        let mut one = Counts::none(sets);
        near.iter().enumerate().for_each(|(table, counts)| one[table / CONTEXTS].add(counts));
        let mut choice = Choice::new(Contexts::One, trellis, &one).or(Choice::new(Contexts::Near, trellis, &near));
        if layout.taps() > 1 {
            let whole = Kernels::of(symbols.multiples, &symbols.quantizers, layout);
            let counts = symbols.counts(&Contexts::Kernels(whole.clone()), row_len);
            for (levels, parts) in [(LEVELS, PARTS), (LEVELS / 2, PARTS), (LEVELS / 2, 1), (2, 1)] {
                let (kernels, places) = whole.with(levels, parts);
                let mut merged = Counts::none(sets * kernels.tables());
                for (old, counts) in counts.iter().enumerate() {
                    let first = old / places.len() * kernels.tables();
                    merged[first + places[old % places.len()]].add(counts);
                }
                choice = choice.or(Choice::new(Contexts::Kernels(kernels), trellis, &merged));
            }
        }
        Coded { symbols, row_len, choice }
    }

    /// Bits of what comes before the symbols.
    fn head_bits(&self) -> f64 {
        8.0 * (self.choice.head.len() + 4 * STATES) as f64
    }

    /// Tells how symbols `from..to` are coded, and by which table; both are between groups.
    fn each(&self, from: usize, to: usize, see: &mut impl FnMut(usize, Here)) {
        self.choice.contexts.each(&self.symbols, self.row_len, from, to, see);
    }

    /// What everything takes, in bits; the tables as the codebook.
    pub fn all_bits(&self) -> ParameterBits {
        ParameterBits { codebook: self.head_bits(), ..self.bits(0, self.symbols.levels.len()) }
    }

    /// What symbols `from..to` take, in bits, without the tables; both are at the begin of a row.
    pub fn bits(&self, from: usize, to: usize) -> ParameterBits {
        let mut spent = ParameterBits::default();
        self.each(from, to, &mut |index, here| {
            let (table, symbol) = (&self.choice.tables[here.table], self.symbols.levels[index]);
            let whole = table.cost(here.place(symbol));
            let zero = f64::from(table.frequencies[table.entry(here.place(0))]) / f64::from(TOTAL);
            if symbol == 0 {
                spent.positions += whole;
                return;
            }
            // Where the sign is foreseen, it takes less than a bit.
            let position = (-(1.0 - zero).max(f64::from(TOTAL).recip()).log2()).min(whole);
            let sign = (whole - position).min(1.0);
            spent.positions += position;
            spent.signs += sign;
            spent.magnitudes += whole - position - sign;
        });
        spent
    }

    /// What each symbol takes, in bits, without the tables.
    pub fn costs(&self) -> Vec<f32> {
        let mut costs = Vec::with_capacity(self.symbols.levels.len());
        self.each(0, self.symbols.levels.len(), &mut |index, here| {
            costs.push(self.choice.tables[here.table].cost(here.place(self.symbols.levels[index])) as f32);
        });
        costs
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.choice.head.clone();
        let mut states = [LEAST; STATES];
        let mut words: Vec<u16> = Vec::new();
        let mut push = |state: &mut u32, start: u32, frequency: u32| {
            if u64::from(*state) >= u64::from(frequency) << (32 - SCALE) {
                words.push(*state as u16);
                *state >>= 16;
            }
            *state = ((*state / frequency) << SCALE) + *state % frequency + start;
        };
        // Backwards, since the last that is written is the first that is read; what decides about a symbol comes before it.
        let group = self.choice.contexts.group();
        let mut heres = Vec::new();
        for first in (0..self.symbols.levels.len()).step_by(group).rev() {
            heres.clear();
            let see = &mut |index, here| heres.push((index, here));
            self.each(first, first + group, see);
            for (index, here) in heres.iter().rev() {
                let (table, state) = (&self.choice.tables[here.table], &mut states[index % STATES]);
                let entry = table.entry(here.place(self.symbols.levels[*index]));
                if entry == 0 {
                    let raw = self.symbols.levels[*index] as u16;
                    for part in [raw >> RAW_BITS, raw & 0xff] {
                        let width = SCALE - RAW_BITS;
                        push(state, u32::from(part) << width, 1 << width);
                    }
                }
                push(state, table.starts[entry], table.frequencies[entry]);
            }
        }
        states.iter().for_each(|state| bytes.extend(state.to_le_bytes()));
        bytes.extend(words.iter().rev().flat_map(|word| word.to_le_bytes()));
        bytes
    }
}

/// The coding by tables, where a parameter is large, and rows in its middle take no more bits so than by the models; a little more, if it is very large.
pub fn worthwhile<'a>(symbols: &'a [i16], layout: &Layout, bounds: Bounds) -> Option<Coded<'a>> {
    let (coded, tables, models) = compared(symbols, layout, bounds)?;
    let most = if symbols.len() < MANY { models } else { MORE * models };
    (tables <= most).then_some(coded)
}

/// Whether a parameter takes at most so many bits a symbol more by tables than by the models.
pub fn nearly_worthwhile(symbols: &[i16], layout: &Layout, bounds: Bounds, more: f64) -> bool {
    compared(symbols, layout, bounds).is_some_and(|(_, tables, models)| tables <= models + more)
}

/// The coding of a large parameter by tables, and what symbols in its middle take so and by the models, in bits.
fn compared<'a>(symbols: &'a [i16], layout: &Layout, bounds: Bounds) -> Option<(Coded<'a>, f64, f64)> {
    if symbols.len() < FEWEST || layout.form == Form::Vector {
        return None;
    }
    let coded = Coded::new(symbols, layout);
    let rows = TRIED.div_ceil(layout.row_len()).min(layout.rows);
    let from = (layout.rows - rows) / 2 * layout.row_len();
    let to = from + rows * layout.row_len();
    let (mut encoder, mut tried) = (Encoder::default(), symbols[from..to].to_vec());
    SymbolModel::default().code(&mut encoder, &Layout { rows, ..*layout }, bounds, &mut tried);
    let models: f64 = encoder.bits().iter().sum();
    let count = (to - from) as f64;
    let tables = coded.bits(from, to).total() / count + coded.head_bits() / symbols.len() as f64;
    Some((coded, tables, models / count))
}

/// Reads the symbols of a parameter, of those that the bounds allow.
///
/// # Errors
/// [`DecodeError`], whatever the bytes are.
pub fn decode(mut bytes: &[u8], layout: &Layout, bounds: Bounds) -> Result<Vec<i16>, DecodeError> {
    let (contexts, trellis) = Contexts::take(&mut bytes, layout)?;
    let sets = if trellis { 2 } else { 1 };
    let tables = (0..sets * contexts.tables()).map(|_| Table::take(&mut bytes)).collect::<Result<Vec<Table>, _>>()?;
    let mut reader = Reader::new(bytes, &tables)?;
    let (count, row_len) = (layout.rows * layout.row_len(), layout.row_len());
    let mut symbols: Vec<i16> = Vec::new();
    let too_large =
        |_| DecodeError::TooLarge { place: "symbols, for which there is no memory", bytes: 2 * count as u64, cap: 0 };
    symbols.try_reserve_exact(count).map_err(too_large)?;
    symbols.resize(count, 0);
    let mut states = trellis::States::new(if trellis { row_len } else { 0 });
    match &contexts {
        Contexts::Kernels(kernels) => {
            let mut walk = Walk::new(kernels, 0, trellis);
            for (index, symbol) in symbols.iter_mut().enumerate() {
                let state = if trellis { states.here() } else { 0 };
                let here = walk.look(trellis::quantizer(state));
                *symbol = reader.symbol(index, &here)?;
                let multiple = if trellis {
                    states.record(*symbol);
                    trellis::multiple(state, *symbol)
                } else {
                    (*symbol).into()
                };
                walk.record(&here, multiple.clamp(-32_768, 32_767) as i16);
            }
        }
        _ => {
            let mut place = 0;
            for index in 0..count {
                let quantizer = if trellis { trellis::quantizer(states.here()) } else { 0 };
                let here = contexts.near(&symbols, row_len, index, place, quantizer);
                place = if place + 1 == row_len { 0 } else { place + 1 };
                symbols[index] = reader.symbol(index, &here)?;
                if trellis {
                    states.record(symbols[index]);
                }
            }
        }
    }
    if trellis {
        let wide = |multiple: i32| malformed("multiples of 16 bits", multiple.to_string());
        trellis::multiples(&mut symbols, row_len).map_err(wide)?;
    }
    reader.end()?;
    let within = |&symbol: &i16| match symbol {
        0.. => symbol as u16 <= bounds.positive,
        _ => symbol.unsigned_abs() <= bounds.negative,
    };
    match symbols.iter().find(|symbol| !within(symbol)) {
        None => Ok(symbols),
        Some(symbol) => Err(malformed(format!("symbols that have a value: {bounds:?}"), symbol.to_string())),
    }
}

/// Takes symbols from a stream.
struct Reader<'a> {
    tables: &'a [Table],
    slots: Vec<Vec<u8>>,
    states: [u32; STATES],
    words: std::slice::Iter<'a, [u8; 2]>,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], tables: &'a [Table]) -> Result<Self, DecodeError> {
        let (heads, words) = bytes.split_at_checked(4 * STATES).ok_or_else(truncated)?;
        let (heads, (words, rest)) = (heads.as_chunks::<4>().0, words.as_chunks::<2>());
        let mut states = [0; STATES];
        states.iter_mut().zip(heads).for_each(|(state, head)| *state = u32::from_le_bytes(*head));
        Ok(Reader { tables, slots: tables.iter().map(Table::slots).collect(), states, words: words.iter(), rest })
    }

    #[inline]
    fn symbol(&mut self, index: usize, here: &Here) -> Result<i16, DecodeError> {
        let table = &self.tables[here.table];
        let low = self.states[index % STATES] & (TOTAL - 1);
        let entry = usize::from(self.slots[here.table][low as usize]);
        self.take(index, SCALE, table.frequencies[entry], table.starts[entry])?;
        if entry == 0 {
            return self.escaped(index);
        }
        let symbol = here.symbol(i32::from(table.first) + entry as i32 - 1);
        i16::try_from(symbol).map_err(|_| malformed("symbols of 16 bits", symbol.to_string()))
    }

    /// A symbol that no table has.
    fn escaped(&mut self, index: usize) -> Result<i16, DecodeError> {
        let mut raw = 0;
        for shift in [0, RAW_BITS] {
            let width = SCALE - RAW_BITS;
            let part = (self.states[index % STATES] & (TOTAL - 1)) >> width;
            self.take(index, SCALE, 1 << width, part << width)?;
            raw |= (part as u16) << shift;
        }
        Ok(raw as i16)
    }

    /// Takes an entry off the symbol's state, which is made large enough again.
    #[inline]
    fn take(&mut self, index: usize, scale: u32, frequency: u32, start: u32) -> Result<(), DecodeError> {
        let state = &mut self.states[index % STATES];
        *state = frequency * (*state >> scale) + (*state & ((1 << scale) - 1)) - start;
        if *state < LEAST {
            *state = *state << 16 | u32::from(u16::from_le_bytes(*self.words.next().ok_or_else(truncated)?));
        }
        Ok(())
    }

    /// That nothing is left.
    fn end(mut self) -> Result<(), DecodeError> {
        if self.states != [LEAST; STATES] || self.words.next().is_some() || !self.rest.is_empty() {
            return Err(malformed("its end with the last symbol", "another end"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn layout(rows: usize, channels: usize, taps: usize) -> Layout {
        let form = if taps > 1 { Form::Kernels } else { Form::Features };
        Layout { rows, channels, height: 1, width: taps, form }
    }

    fn come_back(symbols: &[i16], layout: &Layout) -> usize {
        let bytes = Coded::new(symbols, layout).encode();
        assert_eq!(decode(&bytes, layout, Bounds::ALL).as_deref(), Ok(symbols));
        bytes.len()
    }

    /// As many bytes as when they are predicted, whether that is worth it or not.
    fn predicted<'a>(symbols: &'a [i16], layout: &Layout) -> Coded<'a> {
        let (symbols, row_len) = (Symbols::of(symbols, layout.row_len()), layout.row_len());
        let contexts = Contexts::Kernels(Kernels::of(symbols.multiples, &symbols.quantizers, layout));
        let counts = symbols.counts(&contexts, row_len);
        let choice = Choice::new(contexts, symbols.sets() == 2, &counts);
        Coded { symbols, row_len, choice }
    }

    fn symbols() -> impl Strategy<Value = Vec<i16>> {
        let symbol = prop_oneof![4 => -3i16..=3, 2 => -127i16..=127, 1 => any::<i16>()];
        prop::collection::vec(symbol, 400)
    }

    /// Kernels whose taps have much in common, of normal numbers.
    fn kernels(layout: &Layout, size: f32, seed: u64) -> Vec<i16> {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut normal = || (0..8).map(|_| rng.random::<f32>()).sum::<f32>() - 4.0;
        let mut symbols = Vec::new();
        for kernel in 0..layout.rows * layout.channels {
            // Rows are of different sizes.
            let size = size * (0.5 + (kernel / layout.channels % 5) as f32);
            let common = normal();
            symbols.extend((0..layout.taps()).map(|_| (size * (common + 0.5 * normal())).round() as i16));
        }
        symbols
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(symbols in symbols(), rows in 1usize..20, channels in 1usize..5, taps in 1usize..10) {
            let layout = layout(rows, channels, taps);
            let symbols = &symbols[..(rows * layout.row_len()).min(400) / layout.row_len() * layout.row_len()];
            let layout = Layout { rows: symbols.len() / layout.row_len(), ..layout };
            let mut multiples: Vec<i16> = symbols.iter().map(|symbol| symbol / 2).collect();
            trellis::multiples(&mut multiples, layout.row_len()).unwrap();
            for symbols in [symbols, &multiples] {
                come_back(symbols, &layout);
                let coded = predicted(symbols, &layout);
                assert_eq!(decode(&coded.encode(), &layout, Bounds::ALL).as_deref(), Ok(symbols));
            }
        }

        #[test]
        fn any_bytes_are_symbols_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            start in prop::sample::select(vec![vec![], vec![2, 1, 0], vec![2, 3, 7], vec![130, 1, 0], vec![129], vec![137]]),
            symbols in symbols(),
            (place, to) in (any::<prop::sample::Index>(), any::<u8>()),
        ) {
            let _ = decode(&[start, bytes].concat(), &layout(20, 2, 3), Bounds::ALL);
            let layout = layout(10, 5, 8);
            for coded in [Coded::new(&symbols, &layout), predicted(&symbols, &layout)] {
                let mut damaged = coded.encode();
                let at = place.index(damaged.len());
                damaged[at] = to;
                if let Ok(read) = decode(&damaged, &layout, Bounds::ALL) {
                    prop_assert_eq!(read.len(), symbols.len());
                }
            }
        }
    }

    #[test]
    fn a_symbol_takes_what_its_frequency_says() {
        let mut rng = Pcg64Mcg::seed_from_u64(3);
        let mut normal = || (0..8).map(|_| rng.random::<f32>()).sum::<f32>() - 4.0;
        let symbols: Vec<i16> = (0..100_000).map(|_| (4.0 * normal()).round() as i16).collect();
        let layout = layout(400, 250, 1);
        let bytes = come_back(&symbols, &layout);
        let mut counts = std::collections::BTreeMap::new();
        symbols.iter().for_each(|symbol| *counts.entry(symbol).or_insert(0.0) += 1.0);
        let entropy: f64 = counts.values().map(|count: &f64| count * (1e5 / count).log2()).sum();
        assert!((bytes as f64) < 1.003 * entropy / 8.0, "{bytes} {}", entropy / 8.0);
    }

    #[test]
    fn what_is_said_to_be_taken_is_taken() {
        for (layout, size) in [(layout(60, 50, 9), 3.0), (layout(60, 50, 25), 0.4), (layout(20, 10, 100), 30.0)] {
            let symbols = kernels(&layout, size, 6);
            let bytes = come_back(&symbols, &layout) as f64;
            let coded = Coded::new(&symbols, &layout);
            let said = coded.all_bits().total() / 8.0;
            assert!((said / bytes - 1.0).abs() < 0.003, "{said} {bytes}");
            let costs: f32 = coded.costs().iter().sum();
            assert!((f64::from(costs) + coded.head_bits() - 8.0 * said).abs() < 1e-3 * 8.0 * said, "{costs} {said}");
        }
    }

    #[test]
    fn taps_that_have_much_in_common_cost_less() {
        let layout = layout(64, 64, 9);
        let symbols = kernels(&layout, 4.0, 5);
        let coded = Coded::new(&symbols, &layout);
        assert!(matches!(coded.choice.contexts, Contexts::Kernels(_)));
        let predicted = coded.encode().len();
        // As if they were not kernels.
        let alone = come_back(&symbols, &super::tests::layout(64, 64 * 9, 1));
        let (mut encoder, mut tried) = (Encoder::default(), symbols.clone());
        SymbolModel::default().code(&mut encoder, &layout, Bounds::ALL, &mut tried);
        let models = encoder.bits().iter().sum::<f64>() / 8.0;
        assert!(5 * predicted < 4 * alone, "{predicted} {alone}");
        assert!((predicted as f64) < 0.97 * models, "{predicted} {models}");
    }

    #[test]
    fn multiples_of_a_trellis_cost_what_their_levels_do() {
        for layout in [layout(400, 250, 1), layout(64, 64, 9)] {
            let levels = kernels(&layout, 3.0, 7);
            let mut multiples = levels.clone();
            trellis::multiples(&mut multiples, layout.row_len()).unwrap();
            let plain = Coded::new(&levels, &layout).encode().len();
            let coded = Coded::new(&multiples, &layout);
            assert_eq!(coded.symbols.sets(), 2);
            let own = come_back(&multiples, &layout);
            // Tables of two quantizers, and predictions from numbers that are a little off.
            assert!((own as f64) < 1.02 * plain as f64, "{own} {plain}");
        }
    }

    #[test]
    fn rows_that_are_empty_cost_little() {
        // Every other row is empty.
        let mut rng = Pcg64Mcg::seed_from_u64(4);
        let mut symbols: Vec<i16> =
            (0..200 * 200).map(|index| if index / 200 % 2 == 0 { 0 } else { rng.random_range(-2..=2) }).collect();
        let layout = layout(200, 200, 1);
        let in_rows = come_back(&symbols, &layout);
        crate::data::shuffle(&mut symbols, &mut rng);
        let mixed = come_back(&symbols, &layout);
        assert!(10 * in_rows < 9 * mixed, "{in_rows} {mixed}");
    }

    #[test]
    fn symbols_without_a_value_are_refused() {
        let layout = layout(1, 3, 1);
        let bytes = Coded::new(&[1, 2, 3], &layout).encode();
        assert!(decode(&bytes, &layout, Bounds { positive: 2, negative: 5 }).is_err());
        assert!(decode(&bytes, &layout, Bounds { positive: 3, negative: 0 }).is_ok());
        assert!(decode(&bytes, &super::tests::layout(1, 2, 1), Bounds::ALL).is_err());
        assert!(decode(&bytes[..bytes.len() - 1], &layout, Bounds::ALL).is_err());
    }
}
