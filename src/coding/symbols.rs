//! The coding of a parameter's symbols: significance, sign and magnitude, one after the other in row-major order.
//!
//! The initial weights here and the strengths in `evidence.rs` were rounded by hand from what suited several small
//! trained networks; to fit them any closer is worth less than half a percent of a file.

use super::adaptive::Counts;
use super::evidence::{Evidence, Here, MAGNITUDE_INPUTS, POSITION_INPUTS, SIGN_INPUTS, UNARY};
use super::layout::{Form, Layout};
use super::mixer::{Mixer, WHOLE};
use super::neighbours::Place;
use super::number::Number;
use super::range::{BitCoder, Kind};

/// The symbols that a codebook has a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Largest symbol.
    pub positive: u16,
    /// Largest magnitude of a negative symbol.
    pub negative: u16,
}

impl Bounds {
    /// All symbols of 16 bits.
    pub const ALL: Bounds = Bounds { positive: i16::MAX as u16, negative: i16::MIN.unsigned_abs() };
}

/// What carries over from one parameter to the next.
#[derive(Debug, Clone)]
pub struct SymbolModel {
    /// By form: kernels, flattened images, features.
    positions: [Mixer<POSITION_INPUTS>; 3],
    /// Of what has several taps, and of what has one.
    signs: [Mixer<SIGN_INPUTS>; 2],
    /// Of the first step, and of all others.
    magnitudes: [Mixer<MAGNITUDE_INPUTS>; 2],
    /// Magnitudes beyond [`UNARY`].
    large: Number,
    /// Of matrices, and of vectors.
    empty: [Counts; 2],
    vector: VectorModel,
}

impl Default for SymbolModel {
    fn default() -> Self {
        let spatial = Mixer::new([WHOLE, 24, 16, 32, 44, 0, 0, 48, 20, -8, 8, 0, 12, 8], 640);
        let plain = Mixer::new([WHOLE, 32, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 640);
        let magnitude = Mixer::new([WHOLE, 32, 32, 16, 8, 32, 48, 16, 0, 0, 0], 160);
        SymbolModel {
            positions: [spatial.clone(), spatial, plain],
            signs: [
                Mixer::new([WHOLE, 0, 0, 64, 144, 96, -16, 32, 0, 0, -24, -48, -24, 80, -64], 4800),
                Mixer::new([WHOLE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 80, 0], 4800),
            ],
            magnitudes: [magnitude.clone(), magnitude],
            large: Number::default(),
            empty: Default::default(),
            vector: VectorModel::default(),
        }
    }
}

impl SymbolModel {
    /// Codes one parameter. A decoder passes zeros of the right number in, and gets the symbols back.
    /// Stops early when the coder runs past its end; the caller checks that.
    pub fn code(&mut self, coder: &mut impl BitCoder, layout: &Layout, bounds: Bounds, symbols: &mut [i16]) {
        let vector = layout.form == Form::Vector;
        let empty = symbols.iter().all(|&symbol| symbol == 0);
        if self.empty[usize::from(vector)].code(coder, empty, Kind::Position) {
            return;
        }
        if vector {
            self.vector.code(coder, bounds, symbols);
            return;
        }
        let taps = layout.taps();
        let mut evidence = Evidence::new(layout);
        let mut index = 0;
        for row in 0..layout.rows {
            evidence.start_row();
            for channel in 0..layout.channels {
                evidence.start_kernel();
                for tap in 0..taps {
                    if coder.overrun() {
                        return;
                    }
                    let here = evidence.look(symbols, Place { row, channel, tap, column: channel * taps + tap });
                    if self.code_significance(coder, layout.form, &mut evidence, &here, symbols[index] != 0) {
                        let negative = self.code_sign(coder, bounds, &mut evidence, &here, symbols, symbols[index] < 0);
                        let limit = if negative { bounds.negative } else { bounds.positive };
                        let magnitude = symbols[index].unsigned_abs();
                        let magnitude = self.code_magnitude(coder, limit, &mut evidence, &here, negative, magnitude);
                        symbols[index] = signed(negative, magnitude);
                        evidence.record_symbol(symbols, &here, symbols[index]);
                    }
                    index += 1;
                }
            }
        }
    }

    fn code_significance(
        &mut self,
        coder: &mut impl BitCoder,
        form: Form,
        evidence: &mut Evidence,
        here: &Here,
        nonzero: bool,
    ) -> bool {
        let mixer = &mut self.positions[form.index()];
        let nonzero = mixer.code(coder, nonzero, Kind::Position, &evidence.of_position(here));
        evidence.record_position(here, nonzero);
        nonzero
    }

    /// Codes a sign, unless the codebook has values of one sign only.
    fn code_sign(
        &mut self,
        coder: &mut impl BitCoder,
        bounds: Bounds,
        evidence: &mut Evidence,
        here: &Here,
        symbols: &[i16],
        negative: bool,
    ) -> bool {
        if bounds.positive == 0 || bounds.negative == 0 {
            return bounds.positive == 0;
        }
        let mixer = &mut self.signs[usize::from(!evidence.spatial())];
        let negative = mixer.code(coder, negative, Kind::Sign, &evidence.of_sign(symbols, here));
        evidence.record_sign(here, negative);
        negative
    }

    /// Codes whether the magnitude exceeds 1, 2 and so on, up to `limit`.
    fn code_magnitude(
        &mut self,
        coder: &mut impl BitCoder,
        limit: u16,
        evidence: &mut Evidence,
        here: &Here,
        negative: bool,
        magnitude: u16,
    ) -> u16 {
        for step in 1..=UNARY {
            if step >= usize::from(limit) {
                return limit;
            }
            let mixer = &mut self.magnitudes[usize::from(step > 1)];
            let inputs = evidence.of_magnitude(here, negative, step);
            let larger = mixer.code(coder, usize::from(magnitude) > step, Kind::Magnitude, &inputs);
            evidence.record_magnitude(here, negative, step, larger);
            if !larger {
                return step as u16;
            }
        }
        let first = UNARY as u32 + 1;
        let more = self.large.code(coder, u32::from(magnitude).saturating_sub(first), Kind::Magnitude);
        // What no encoder writes is cut.
        first.saturating_add(more).min(u32::from(limit)) as u16
    }
}

/// The model of vectors: they are short, and their numbers large, so that few contexts serve them best.
#[derive(Debug, Clone, Default)]
struct VectorModel {
    zero: Counts,
    sign: Counts,
    magnitude: Number,
}

impl VectorModel {
    fn code(&mut self, coder: &mut impl BitCoder, bounds: Bounds, symbols: &mut [i16]) {
        for symbol in symbols {
            if coder.overrun() {
                return;
            }
            if !self.zero.code(coder, *symbol != 0, Kind::Position) {
                *symbol = 0;
                continue;
            }
            let mut negative = bounds.positive == 0;
            if bounds.positive > 0 && bounds.negative > 0 {
                negative = self.sign.code(coder, *symbol < 0, Kind::Sign);
            }
            let limit = if negative { bounds.negative } else { bounds.positive };
            let less_one = u32::from(symbol.unsigned_abs().saturating_sub(1));
            let magnitude = self.magnitude.code(coder, less_one, Kind::Magnitude).saturating_add(1);
            // What no encoder writes is cut.
            *symbol = signed(negative, magnitude.min(u32::from(limit)) as u16);
        }
    }
}

/// A magnitude with its sign; at most 32767 if positive, 32768 if negative.
fn signed(negative: bool, magnitude: u16) -> i16 {
    let magnitude = i32::from(magnitude);
    (if negative { -magnitude } else { magnitude }) as i16
}
