//! What a symbol's table depends on in the fast coding ([`tables`](super::tables)): nothing, its neighbours, or predictions; and the quantizer of a trellis.

use super::frequencies::{Counts, malformed, truncated};
use super::layout::Layout;
use super::prediction::{Here, Kernels, Walk};
use super::trellis;
use crate::error::DecodeError;
use std::borrow::Cow;

/// Contexts of neighbours: the magnitudes of two of them, each counted up to 2.
pub const CONTEXTS: usize = 9;
/// What a stream begins with where symbols are predicted; else with the number of its tables.
const PREDICTED: u8 = 2;
/// Added to that where levels of a trellis are coded.
const TRELLIS: u8 = 128;

/// What decides about a symbol's table.
#[derive(Debug, Clone, PartialEq)]
pub enum Contexts {
    /// Nothing.
    One,
    /// The symbol before it in its row, and the one above it.
    Near,
    /// Predictions.
    Kernels(Kernels),
}

impl Contexts {
    /// How many tables there are for one quantizer.
    pub fn tables(&self) -> usize {
        match self {
            Contexts::One => 1,
            Contexts::Near => CONTEXTS,
            Contexts::Kernels(kernels) => kernels.tables(),
        }
    }

    /// Appends what a stream begins with.
    pub fn put(&self, trellis: bool, bytes: &mut Vec<u8>) {
        let form = if matches!(self, Contexts::Kernels(_)) { PREDICTED } else { self.tables() as u8 };
        bytes.push(form | if trellis { TRELLIS } else { 0 });
        if let Contexts::Kernels(kernels) = self {
            kernels.put(bytes);
        }
    }

    /// Reads them, and whether there is a trellis.
    pub fn take(bytes: &mut &[u8], layout: &Layout) -> Result<(Self, bool), DecodeError> {
        let form = *bytes.split_off_first().ok_or_else(truncated)?;
        let own = match form & !TRELLIS {
            1 => Contexts::One,
            PREDICTED => {
                let wrong = || malformed("predictions", "too few bytes, or others");
                Contexts::Kernels(Kernels::take(bytes, layout).ok_or_else(wrong)?)
            }
            other if usize::from(other) == CONTEXTS => Contexts::Near,
            _ => return Err(malformed(format!("1 or {CONTEXTS} tables, or predictions"), form.to_string())),
        };
        Ok((own, form & TRELLIS != 0))
    }

    /// Symbols that are looked at together, from the first one on.
    pub fn group(&self) -> usize {
        if let Contexts::Kernels(kernels) = self { kernels.taps() } else { 1 }
    }

    /// Tells how symbols `from..to` are coded; both are between groups.
    pub fn each(&self, symbols: &Symbols, row_len: usize, from: usize, to: usize, see: &mut impl FnMut(usize, Here)) {
        if let Contexts::Kernels(kernels) = self {
            let mut walk = Walk::new(kernels, from / kernels.taps(), symbols.sets() == 2);
            for (index, &multiple) in (from..to).zip(&symbols.multiples[from..to]) {
                let here = walk.look(symbols.quantizer(index));
                see(index, here);
                walk.record(&here, multiple);
            }
            return;
        }
        for index in from..to {
            see(index, self.near(&symbols.levels, row_len, index, index % row_len, symbols.quantizer(index)));
        }
    }

    /// How a symbol is coded that is not predicted, from those before it in its row and above it.
    #[inline]
    pub fn near(&self, levels: &[i16], row_len: usize, index: usize, place: usize, quantizer: usize) -> Here {
        let near = |there: bool, back: usize| match there {
            true => usize::from(levels[index - back].unsigned_abs().min(2)),
            false => 0,
        };
        match self {
            Contexts::Near => {
                Here::plain(CONTEXTS * quantizer + 3 * near(place > 0, 1) + near(index >= row_len, row_len))
            }
            _ => Here::plain(quantizer),
        }
    }
}

/// What is coded: symbols, or the levels that they have in a trellis.
#[derive(Debug, Clone)]
pub struct Symbols<'a> {
    /// The symbols themselves.
    pub multiples: &'a [i16],
    /// What the tables code.
    pub levels: Cow<'a, [i16]>,
    /// The quantizer of each level; nothing without a trellis.
    pub quantizers: Vec<u8>,
}

impl<'a> Symbols<'a> {
    /// Symbols without a trellis.
    pub fn plain(symbols: &'a [i16]) -> Self {
        Symbols { multiples: symbols, levels: Cow::Borrowed(symbols), quantizers: Vec::new() }
    }

    /// Their levels, if they are multiples that a trellis has; else themselves.
    pub fn of(symbols: &'a [i16], columns: usize) -> Self {
        match trellis::levels(symbols, columns) {
            // Where the second quantizer never comes, as for zeros, its tables would cost more than nothing.
            Some((levels, quantizers)) if quantizers.contains(&1) => {
                Symbols { multiples: symbols, levels: Cow::Owned(levels), quantizers }
            }
            _ => Symbols::plain(symbols),
        }
    }

    /// How often each place of each table occurs.
    pub fn counts(&self, contexts: &Contexts, row_len: usize) -> Vec<Counts> {
        let mut counts = Counts::none(self.sets() * contexts.tables());
        let mut see = |index: usize, here: Here| counts[here.table].count(here.place(self.levels[index]));
        contexts.each(self, row_len, 0, self.levels.len(), &mut see);
        counts
    }

    /// Sets of tables: one for each quantizer.
    pub fn sets(&self) -> usize {
        if self.quantizers.is_empty() { 1 } else { 2 }
    }

    /// The quantizer of a symbol: 0 or 1.
    #[inline]
    pub fn quantizer(&self, index: usize) -> usize {
        self.quantizers.get(index).map_or(0, |&quantizer| quantizer.into())
    }
}
