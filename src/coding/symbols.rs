//! The model of a parameter's symbols: significance, sign and magnitude, each mixed from what lies around.

use super::adaptive::{Context, Counts, EVEN, Mixer};
use super::layout::Layout;
use super::number::Number;
use super::range::{BitCoder, Kind};

/// Magnitudes up to this are coded in unary, larger ones as this and a number.
const UNARY: usize = 14;

/// The symbols that a codebook has a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Largest symbol.
    pub positive: u16,
    /// Largest magnitude of a negative symbol.
    pub negative: u16,
}

/// What carries over from one parameter to the next.
#[derive(Debug, Clone)]
pub struct SymbolModel {
    positions: [Mixer; 2],
    signs: Mixer,
    magnitudes: Mixer,
    empty: [Counts; 2],
    large: Number,
    vector: VectorModel,
}

/// Vectors are short, their numbers large: few contexts.
#[derive(Debug, Clone, Default)]
struct VectorModel {
    zero: Counts,
    sign: Counts,
    magnitude: Number,
}

impl Default for SymbolModel {
    fn default() -> Self {
        SymbolModel {
            positions: [Mixer::new(20000), Mixer::new(26000)],
            signs: Mixer::new(26000),
            magnitudes: Mixer::new(26000),
            empty: [Counts::default(); 2],
            large: Number::default(),
            vector: VectorModel::default(),
        }
    }
}

/// What is known of the neighbourhood of a position when its turn comes.
struct Neighbours {
    left: i16,
    up: i16,
    up_left: i16,
    up_right: i16,
    /// Same place, one and two rows before.
    row: i16,
    row2: i16,
    /// Same place in the channel before.
    channel: i16,
    /// Same place, two channels before.
    channel2: i16,
}

fn set(symbol: i16) -> usize {
    usize::from(symbol != 0)
}

fn ternary(symbol: i16) -> usize {
    (i32::from(symbol).signum() + 1) as usize
}

impl SymbolModel {
    /// Codes one parameter. A decoder passes zeros of the right number in, and gets the symbols back.
    /// Stops early when the coder runs past its end; the caller checks that.
    pub fn code(&mut self, coder: &mut impl BitCoder, layout: &Layout, bounds: Bounds, symbols: &mut [i16]) {
        let empty = symbols.iter().all(|&symbol| symbol == 0);
        if self.empty[usize::from(layout.vector)].code(coder, empty, Kind::Position) {
            return;
        }
        if layout.vector {
            self.code_vector(coder, bounds, symbols);
        } else {
            self.code_matrix(coder, layout, bounds, symbols);
        }
    }

    fn code_vector(&mut self, coder: &mut impl BitCoder, bounds: Bounds, symbols: &mut [i16]) {
        let VectorModel { zero, sign, magnitude } = &mut self.vector;
        for symbol in symbols {
            if coder.overrun() {
                return;
            }
            let nonzero = zero.code(coder, *symbol != 0, Kind::Position);
            if !nonzero {
                *symbol = 0;
                continue;
            }
            let negative = code_sign(coder, *symbol < 0, bounds, |coder, bit| sign.code(coder, bit, Kind::Sign));
            let limit = if negative { bounds.negative } else { bounds.positive };
            let more = magnitude.code(coder, u32::from(symbol.unsigned_abs().saturating_sub(1)), Kind::Magnitude);
            *symbol = signed(negative, more + 1, limit);
        }
    }

    fn code_matrix(&mut self, coder: &mut impl BitCoder, layout: &Layout, bounds: Bounds, symbols: &mut [i16]) {
        let taps = layout.taps();
        let width = layout.width;
        let row_len = layout.row_len();
        let mut positions = Positions::new(layout);
        let mut signs = Signs::new(layout);
        let mut magnitudes = Magnitudes::new(layout);
        let mixer = &mut self.positions[usize::from(taps == 1)];
        for row in 0..layout.rows {
            positions.start_row();
            signs.start_row();
            magnitudes.start_row();
            for channel in 0..layout.channels {
                positions.start_kernel();
                for tap in 0..taps {
                    if coder.overrun() {
                        return;
                    }
                    let column = channel * taps + tap;
                    let index = row * row_len + column;
                    let (y, x) = (tap / width, tap % width);
                    let back = |steps: usize, there: bool| if there { symbols[index - steps] } else { 0 };
                    let near = Neighbours {
                        left: if taps == 1 { back(1, channel > 0) } else { back(1, x > 0) },
                        up: back(width, y > 0),
                        up_left: back(width + 1, y > 0 && x > 0),
                        up_right: back(width.saturating_sub(1), y > 0 && x + 1 < width),
                        row: back(row_len, row > 0),
                        row2: back(2 * row_len, row > 1),
                        channel: back(taps, channel > 0),
                        channel2: back(2 * taps, channel > 1),
                    };
                    let symbol = symbols[index];
                    let nonzero = positions.code(coder, symbol != 0, mixer, &near, channel, tap, column);
                    if !nonzero {
                        symbols[index] = 0;
                        continue;
                    }
                    let negative = code_sign(coder, symbol < 0, bounds, |coder, bit| {
                        signs.code(coder, bit, &mut self.signs, &near, channel, tap, column)
                    });
                    let limit = if negative { bounds.negative } else { bounds.positive };
                    let magnitude = magnitudes.code(
                        coder,
                        u32::from(symbol.unsigned_abs()),
                        u32::from(limit),
                        &mut self.magnitudes,
                        &mut self.large,
                        &near,
                        negative,
                        column,
                    );
                    symbols[index] = signed(negative, magnitude, limit);
                }
            }
        }
    }
}

/// Codes a sign, unless the codebook has values of one sign only.
fn code_sign<C: BitCoder>(
    coder: &mut C,
    negative: bool,
    bounds: Bounds,
    code: impl FnOnce(&mut C, bool) -> bool,
) -> bool {
    if bounds.negative == 0 || bounds.positive == 0 { bounds.positive == 0 } else { code(coder, negative) }
}

/// A magnitude with its sign; what no encoder writes is cut to the bounds.
fn signed(negative: bool, magnitude: u32, limit: u16) -> i16 {
    let magnitude = magnitude.min(u32::from(limit)) as i32;
    (if negative { -magnitude } else { magnitude }) as i16
}

/// Counts of one parameter's decisions, and where each group of contexts starts.
struct Positions {
    counts: Vec<Counts>,
    channels: usize,
    taps: usize,
    columns: usize,
}

const LAYER: usize = 0;
const ROW: usize = 1;
const KERNEL: usize = 2;
const SPATIAL: usize = 3;
const ROWS_ABOVE: usize = SPATIAL + 16;
const CROSS: usize = ROWS_ABOVE + 8;
const FIXED: usize = CROSS + 16;

impl Positions {
    fn new(layout: &Layout) -> Self {
        let channels = FIXED;
        let taps = channels + layout.channels;
        let columns = taps + layout.taps();
        Positions { counts: vec![Counts::default(); columns + layout.row_len()], channels, taps, columns }
    }

    fn start_row(&mut self) {
        self.counts[ROW] = Counts::default();
    }

    fn start_kernel(&mut self) {
        self.counts[KERNEL] = Counts::default();
    }

    #[allow(clippy::too_many_arguments)]
    fn code(
        &mut self,
        coder: &mut impl BitCoder,
        nonzero: bool,
        mixer: &mut Mixer,
        near: &Neighbours,
        channel: usize,
        tap: usize,
        column: usize,
    ) -> bool {
        let spatial = set(near.left) | set(near.up) << 1 | set(near.up_left) << 2 | set(near.up_right) << 3;
        let rows = set(near.row) | set(near.row2) << 1 | set(near.left) << 2;
        let cross = set(near.channel) | set(near.channel2) << 1 | set(near.up) << 2 | set(near.row) << 3;
        let contexts = [
            Context { index: LAYER, strength: 4 },
            Context { index: ROW, strength: 16 },
            Context { index: self.columns + column, strength: 8 },
            Context { index: self.channels + channel, strength: 16 },
            Context { index: self.taps + tap, strength: 16 },
            Context { index: KERNEL, strength: 8 },
            Context { index: SPATIAL + spatial, strength: 8 },
            Context { index: ROWS_ABOVE + rows, strength: 8 },
            Context { index: CROSS + cross, strength: 8 },
        ];
        mixer.code(coder, nonzero, Kind::Position, &mut self.counts, EVEN / 4, &contexts)
    }
}

/// As [`Positions`], for signs: a 1 is negative.
struct Signs {
    counts: Vec<Counts>,
    channels: usize,
    taps: usize,
    columns: usize,
}

const SIGN_SPATIAL: usize = 3;
const SIGN_ABOVE: usize = SIGN_SPATIAL + 9;
const SIGN_CHANNEL: usize = SIGN_ABOVE + 9;
const SIGN_FIXED: usize = SIGN_CHANNEL + 3;

impl Signs {
    fn new(layout: &Layout) -> Self {
        let channels = SIGN_FIXED;
        let taps = channels + layout.channels;
        let columns = taps + layout.taps();
        Signs { counts: vec![Counts::default(); columns + layout.row_len()], channels, taps, columns }
    }

    fn start_row(&mut self) {
        self.counts[ROW] = Counts::default();
    }

    #[allow(clippy::too_many_arguments)]
    fn code(
        &mut self,
        coder: &mut impl BitCoder,
        negative: bool,
        mixer: &mut Mixer,
        near: &Neighbours,
        channel: usize,
        tap: usize,
        column: usize,
    ) -> bool {
        let contexts = [
            Context { index: LAYER, strength: 16 },
            Context { index: ROW, strength: 8 },
            Context { index: self.columns + column, strength: 4 },
            Context { index: self.channels + channel, strength: 8 },
            Context { index: self.taps + tap, strength: 16 },
            Context { index: SIGN_SPATIAL + ternary(near.left) * 3 + ternary(near.up), strength: 8 },
            Context { index: SIGN_ABOVE + ternary(near.row) * 3 + ternary(near.row2), strength: 8 },
            Context { index: SIGN_CHANNEL + ternary(near.channel), strength: 8 },
        ];
        mixer.code(coder, negative, Kind::Sign, &mut self.counts, EVEN, &contexts)
    }
}

/// As [`Positions`], for whether a magnitude is larger than 1, 2 and so on: each with its own contexts.
struct Magnitudes {
    counts: Vec<Counts>,
    columns: usize,
}

const STEP: usize = 1 + 1 + 2 + 4 + 4 + 4;

impl Magnitudes {
    fn new(layout: &Layout) -> Self {
        let columns = STEP * UNARY;
        Magnitudes { counts: vec![Counts::default(); columns + layout.row_len()], columns }
    }

    fn start_row(&mut self) {
        for step in 0..UNARY {
            self.counts[step * STEP + ROW] = Counts::default();
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn code(
        &mut self,
        coder: &mut impl BitCoder,
        magnitude: u32,
        limit: u32,
        mixer: &mut Mixer,
        large: &mut Number,
        near: &Neighbours,
        negative: bool,
        column: usize,
    ) -> u32 {
        let level = |a: i16, b: i16, step: usize| {
            let larger = |symbol: i16| usize::from(usize::from(symbol.unsigned_abs()) > step);
            larger(a) | larger(b) << 1
        };
        for step in 1..=UNARY {
            if step as u32 >= limit {
                return limit;
            }
            let start = (step - 1) * STEP;
            let mut contexts = [
                Context { index: start + LAYER, strength: 4 },
                Context { index: start + ROW, strength: 8 },
                Context { index: start + 2 + usize::from(negative), strength: 8 },
                Context { index: start + 4 + level(near.left, near.up, step), strength: 8 },
                Context { index: start + 8 + level(near.row, near.row2, step), strength: 8 },
                Context { index: start + 12 + level(near.channel, near.channel2, step), strength: 8 },
                Context { index: self.columns + column, strength: 4 },
            ];
            let used = if step == 1 { &mut contexts[..] } else { &mut contexts[..6] };
            let more = mixer.code(coder, magnitude > step as u32, Kind::Magnitude, &mut self.counts, EVEN, used);
            if !more {
                return step as u32;
            }
        }
        let first = UNARY as u32 + 1;
        first + large.code(coder, magnitude.saturating_sub(first), Kind::Magnitude)
    }
}
