//! Lossless coding of symbols, and the baselines to compare it with.
//!
//! A parameter's symbols are cut into binary decisions (zero or not, sign, magnitude); a model of small adaptive
//! counts, mixed, gives each decision a probability; a range coder turns decisions into bytes. Everything is done in
//! integers. `docs/FORMAT.md` specifies it for other implementations.

pub mod adaptive;
pub mod baseline;
pub mod bits;
pub mod codebook;
pub mod contexts;
pub mod evidence;
pub mod frequencies;
pub mod huffman;
pub mod layout;
pub mod logistic;
pub mod marginals;
pub mod mixer;
pub mod neighbours;
pub mod number;
pub mod order;
pub mod prediction;
pub mod range;
pub mod rate;
pub mod shapes;
pub mod symbols;
pub mod tables;
pub mod trace;
pub mod trellis;
pub mod verbatim;

use crate::error::DecodeError;
use crate::model::{Codebook, FixedParameter};
use codebook::{CodebookModel, LEAST_FRACTION_BITS};
use layout::Layout;
use range::{BitCoder, Decoder, Encoder, KINDS, Kind};
use symbols::SymbolModel;

/// What a parameter costs in the coded stream, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ParameterBits {
    /// Which weights are not zero.
    pub positions: f64,
    /// Their signs.
    pub signs: f64,
    /// Their magnitudes.
    pub magnitudes: f64,
    /// What the symbols stand for.
    pub codebook: f64,
}

impl ParameterBits {
    /// Everything together.
    pub fn total(&self) -> f64 {
        self.positions + self.signs + self.magnitudes + self.codebook
    }

    /// Both together.
    pub fn and(self, other: &Self) -> Self {
        ParameterBits {
            positions: self.positions + other.positions,
            signs: self.signs + other.signs,
            magnitudes: self.magnitudes + other.magnitudes,
            codebook: self.codebook + other.codebook,
        }
    }

    /// What was spent between two counts of [`Encoder::bits`].
    pub fn between(before: [f64; KINDS], after: [f64; KINDS]) -> Self {
        let spent = |kind: Kind| after[kind as usize] - before[kind as usize];
        ParameterBits {
            positions: spent(Kind::Position),
            signs: spent(Kind::Sign),
            magnitudes: spent(Kind::Magnitude),
            codebook: spent(Kind::Codebook),
        }
    }
}

/// Codes parameters one after the other: each is coded with what was learned from those before it.
#[derive(Debug, Clone, Default)]
pub struct ParameterModel {
    codebooks: CodebookModel,
    symbols: SymbolModel,
}

impl ParameterModel {
    /// Writes a parameter and says what it cost.
    pub fn encode(&mut self, encoder: &mut Encoder, layout: &Layout, parameter: &FixedParameter) -> ParameterBits {
        let before = encoder.bits();
        self.code(encoder, layout, parameter);
        ParameterBits::between(before, encoder.bits())
    }

    /// Writes the codebook of a parameter whose symbols are coded by [`tables`], and says what it cost.
    pub fn encode_codebook(&mut self, encoder: &mut Encoder, layout: &Layout, codebook: &Codebook) -> ParameterBits {
        let before = encoder.bits();
        self.codebooks.code(encoder, layout, codebook);
        ParameterBits::between(before, encoder.bits())
    }

    /// Codes a parameter that is known.
    fn code(&mut self, coder: &mut impl BitCoder, layout: &Layout, parameter: &FixedParameter) {
        let mut symbols = parameter.symbols.clone();
        let codebook = self.codebooks.code(coder, layout, &parameter.codebook);
        self.symbols.code(coder, layout, codebook::bounds(&codebook), &mut symbols);
    }

    /// Reads the codebook and the symbols of a parameter.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when the bytes end before the symbols do, and [`DecodeError::Malformed`] for a codebook
    /// whose values would be too large.
    pub fn decode(&mut self, decoder: &mut Decoder, layout: &Layout) -> Result<(Codebook, Vec<i16>), DecodeError> {
        let codebook = self.decode_codebook(decoder, layout)?;
        let count = layout.rows * layout.row_len();
        let mut symbols = Vec::new();
        let too_large = |_| DecodeError::TooLarge {
            place: "symbols, for which there is no memory",
            bytes: 2 * count as u64,
            cap: 0,
        };
        symbols.try_reserve_exact(count).map_err(too_large)?;
        symbols.resize(count, 0);
        self.symbols.code(decoder, layout, codebook::bounds(&codebook), &mut symbols);
        if decoder.overrun() {
            return Err(DecodeError::Truncated { place: "symbols", expected: 1, got: 0 });
        }
        Ok((codebook, symbols))
    }

    /// Reads the codebook of a parameter.
    ///
    /// # Errors
    /// [`DecodeError`] for one whose values would be too large, or if the bytes have ended.
    pub fn decode_codebook(&mut self, decoder: &mut Decoder, layout: &Layout) -> Result<Codebook, DecodeError> {
        let nothing = Codebook::integers(0);
        let codebook = self.codebooks.code(decoder, layout, &nothing);
        if codebook.fraction_bits() < LEAST_FRACTION_BITS {
            let expected = format!("{LEAST_FRACTION_BITS} or more");
            let got = codebook.fraction_bits().to_string();
            return Err(DecodeError::Malformed { place: "fraction bits", expected, got });
        }
        if decoder.overrun() {
            return Err(DecodeError::Truncated { place: "codebook", expected: 1, got: 0 });
        }
        Ok(codebook)
    }
}
