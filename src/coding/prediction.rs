//! What the symbols of a kernel tell of its next one: where it lies in the mean, and how far from there.
//!
//! Weights side by side are alike: in VGG16's kernels the taps before one explain half of its variance. Each tap is predicted from how far those before it were
//! from their own predictions (linear prediction by innovations: the factors are those of the Cholesky decomposition of the taps' moments). How far a
//! symbol will be from its prediction follows from its row, channel and tap, and from how far those before it in the kernel were.

use super::layout::Layout;
use super::logistic::log2;

/// Means and errors are in 64ths of a symbol.
const BITS: u32 = 6;
/// Half a symbol.
const HALF: i32 = 1 << (BITS - 1);
/// Kernels of more taps have no predictions: each would take a factor for each one before it.
const MOST_TAPS: usize = 64;
/// Errors count up to this, so that the sums of products fit 32 bits.
const MOST_ERROR: i32 = (1 << 17) - 1;
/// Means go up to this, the largest symbol.
const MOST_MEAN: i32 = 1 << 21;
/// `2^15 2^(-k/8)`.
const OCTAVE: [u64; 8] = [32_768, 30_048, 27_554, 25_268, 23_170, 21_247, 19_484, 17_867];
/// What the errors before a kernel's first count for, in 16ths of the usual error.
const BEFORE: u32 = 64;
/// The most that one error counts, and all of them together, in 16ths of the usual one.
const MOST_SEEN: [u32; 2] = [255, 4_095];
/// Levels that the tables are made for, at first, and parts of a step between two symbols.
pub const LEVELS: usize = 8;
/// See [`LEVELS`].
pub const PARTS: usize = 3;

/// How a symbol is coded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Here {
    /// By which table.
    pub table: usize,
    /// The symbol that its table counts from.
    centre: i32,
    /// Whether it counts downwards.
    mirrored: bool,
    /// In 64ths.
    mean: i32,
    /// Of the usual error, in eighths of an octave.
    base: i32,
}

impl Here {
    /// In a table that counts from 0 upwards.
    #[inline]
    pub fn plain(table: usize) -> Self {
        Here { table, ..Here::default() }
    }

    /// What the table has for a symbol.
    #[inline]
    pub fn place(&self, symbol: i16) -> i32 {
        let distance = i32::from(symbol) - self.centre;
        if self.mirrored { -distance } else { distance }
    }

    /// The symbol that has this place in the table.
    #[inline]
    pub fn symbol(&self, place: i32) -> i32 {
        if self.mirrored { self.centre - place } else { self.centre + place }
    }
}

/// The predictions of a parameter's kernels.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernels {
    taps: usize,
    /// Of each tap, one for each before it; in 64ths. None if there are too many taps.
    factors: Vec<i8>,
    /// The usual error in eighths of an octave: of each tap, and what is added for each row and each channel.
    places: Vec<u8>,
    rows: Vec<i8>,
    channels: Vec<i8>,
    /// Where each level but the first begins.
    thresholds: Vec<u8>,
    /// 1 or [`PARTS`].
    parts: usize,
}

/// Sums of errors, and of how many.
#[derive(Clone, Copy, Default)]
struct Sum {
    errors: u64,
    count: u64,
}

impl Sum {
    fn add(&mut self, error: i32) {
        self.errors += u64::from(error.unsigned_abs());
        self.count += 1;
    }

    /// The mean in eighths of an octave.
    fn eighths(self) -> i32 {
        let sixteenths = (16 * self.errors / self.count.max(1)).clamp(16, u64::from(u32::MAX));
        (log2(sixteenths as u32) - log2(16) + 256) >> 9
    }
}

impl Kernels {
    /// Those that suit the symbols of a parameter, with all levels and parts.
    ///
    /// Of multiples that a trellis has, the quantizers are those of their levels; else there are none.
    pub fn of(symbols: &[i16], quantizers: &[u8], layout: &Layout) -> Self {
        let quantizer = |index: usize| quantizers.get(index).map_or(0, |&quantizer| quantizer.into());
        let trellis = !quantizers.is_empty();
        let taps = layout.taps();
        let mut own = Kernels {
            taps,
            factors: factors(symbols, taps),
            places: vec![0; taps],
            rows: vec![0; layout.rows],
            channels: vec![0; layout.channels],
            thresholds: Vec::new(),
            parts: PARTS,
        };
        let (mut all, mut places) = (Sum::default(), vec![Sum::default(); taps]);
        let (mut rows, mut channels) = (vec![Sum::default(); layout.rows], vec![Sum::default(); layout.channels]);
        let mut walk = Walk::new(&own, 0, trellis);
        for (index, &symbol) in symbols.iter().enumerate() {
            let here = walk.look(quantizer(index));
            let error = walk.error(&here, symbol);
            for sum in [&mut all, &mut places[walk.tap], &mut rows[walk.row], &mut channels[walk.channel]] {
                sum.add(error);
            }
            walk.record(&here, symbol);
        }
        let beside = |sum: &Sum| (sum.eighths() - all.eighths()).clamp(-127, 127) as i8;
        own.places = places.iter().map(|sum| sum.eighths().clamp(0, 255) as u8).collect();
        own.rows = rows.iter().map(beside).collect();
        own.channels = channels.iter().map(beside).collect();
        let mut counts = [0usize; 256];
        let mut walk = Walk::new(&own, 0, trellis);
        for (index, &symbol) in symbols.iter().enumerate() {
            let here = walk.look(quantizer(index));
            counts[walk.level(&here)] += 1;
            walk.record(&here, symbol);
        }
        let mut below = 0;
        for (level, count) in counts.into_iter().enumerate() {
            let next = own.thresholds.len() + 1;
            if next < LEVELS && level > 0 && below * LEVELS >= next * symbols.len() {
                own.thresholds.push(level as u8);
            }
            below += count;
        }
        own
    }

    /// With so many levels and parts of those that it has, and for each table of the old ones the new one.
    pub fn with(&self, levels: usize, parts: usize) -> (Self, Vec<usize>) {
        let every = self.levels().div_ceil(levels);
        let thresholds = self.thresholds.iter().skip(every - 1).step_by(every).copied().collect();
        let own = Kernels { thresholds, parts, ..self.clone() };
        let table = |old: usize| old / self.parts / every * parts + if parts == 1 { 0 } else { old % self.parts };
        (own, (0..self.tables()).map(table).collect())
    }

    /// Levels of errors.
    pub fn levels(&self) -> usize {
        self.thresholds.len() + 1
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.levels() * self.parts
    }

    /// Symbols of a kernel.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// Appends it.
    pub fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend([self.parts as u8, self.thresholds.len() as u8]);
        bytes.extend(&self.thresholds);
        bytes.extend(&self.places);
        for numbers in [&self.factors, &self.rows, &self.channels] {
            bytes.extend(numbers.iter().map(|&number| number as u8));
        }
    }

    /// Reads it; `None` if there are too few bytes, or not such ones.
    pub fn take(bytes: &mut &[u8], layout: &Layout) -> Option<Self> {
        let taps = layout.taps();
        let [parts, levels] = *bytes.split_off(..2)? else { return None };
        let parts = usize::from(parts);
        if (parts != 1 && parts != PARTS) || usize::from(levels) >= LEVELS {
            return None;
        }
        let thresholds = bytes.split_off(..levels.into())?.to_vec();
        let places = bytes.split_off(..taps)?.to_vec();
        let mut signed = |count: usize| Some(bytes.split_off(..count)?.iter().map(|&byte| byte as i8).collect());
        let factors = signed(if taps <= MOST_TAPS { taps * taps.saturating_sub(1) / 2 } else { 0 })?;
        let (rows, channels) = (signed(layout.rows)?, signed(layout.channels)?);
        Some(Kernels { taps, factors, places, rows, channels, thresholds, parts })
    }
}

/// `L` in `L D L^T`, the moments of the taps, in 64ths.
fn factors(symbols: &[i16], taps: usize) -> Vec<i8> {
    if taps > MOST_TAPS {
        return Vec::new();
    }
    let mut moments = vec![0.0f64; taps * taps];
    for kernel in symbols.chunks_exact(taps) {
        for (tap, &own) in kernel.iter().enumerate() {
            let own = f64::from(own);
            for (moment, &other) in moments[tap * taps..].iter_mut().zip(&kernel[..=tap]) {
                *moment += own * f64::from(other);
            }
        }
    }
    // L in the lower half, D on the diagonal.
    let mut factors = Vec::new();
    for row in 0..taps {
        for column in 0..=row {
            let known = |k: usize| moments[row * taps + k] * moments[column * taps + k] * moments[k * taps + k];
            let rest = moments[row * taps + column] - (0..column).map(known).sum::<f64>();
            let one = moments[column * taps + column];
            moments[row * taps + column] = match row == column {
                true => rest.max(0.0),
                false if one > 0.0 => rest / one,
                false => 0.0,
            };
        }
        let row = &moments[row * taps..][..row];
        factors.extend(row.iter().map(|factor| (factor * f64::from(1 << BITS)).round().clamp(-127.0, 127.0) as i8));
    }
    factors
}

/// Goes through the symbols, one after the other.
pub struct Walk<'a> {
    kernels: &'a Kernels,
    /// What a symbol is shifted by to be in 64ths of a level: a multiple of a trellis is half a level.
    shift: u32,
    /// The level of each usual error.
    levels: [u8; 256],
    row: usize,
    channel: usize,
    tap: usize,
    /// Of the taps before, in 64ths.
    errors: [i32; MOST_TAPS],
    /// The first factor of the tap.
    first: usize,
    /// How large they were together, beside what is usual; in 16ths.
    seen: u32,
}

impl<'a> Walk<'a> {
    /// From the first symbol of a kernel on, which is counted row after row.
    pub fn new(kernels: &'a Kernels, kernel: usize, trellis: bool) -> Self {
        let channels = kernels.channels.len().max(1);
        let mut levels = [0; 256];
        for &threshold in &kernels.thresholds {
            levels[usize::from(threshold)..].iter_mut().for_each(|level| *level += 1);
        }
        let (row, channel) = (kernel / channels, kernel % channels);
        let shift = BITS - u32::from(trellis);
        Walk { kernels, shift, levels, row, channel, tap: 0, errors: [0; MOST_TAPS], first: 0, seen: 0 }
    }

    /// How the next symbol is coded, by one of the two quantizers of a trellis; else by the first.
    #[inline]
    pub fn look(&self, quantizer: usize) -> Here {
        let Kernels { factors, places, rows, channels, parts, .. } = self.kernels;
        let mut mean = 0;
        if !factors.is_empty() {
            let factors = &factors[self.first..][..self.tap];
            let sum: i32 = factors.iter().zip(&self.errors).map(|(&factor, error)| i32::from(factor) * error).sum();
            mean = (sum >> BITS).clamp(-MOST_MEAN, MOST_MEAN);
        }
        let base = i32::from(places[self.tap]) + i32::from(rows[self.row]) + i32::from(channels[self.channel]);
        // Levels of the second quantizer lie half a step nearer to 0 than those of the first.
        let wanted = if quantizer == 1 { mean + mean.clamp(-HALF, HALF) } else { mean };
        let centre = (wanted + HALF) >> BITS;
        let rest = wanted - (centre << BITS);
        let mut here = Here { table: 0, centre, mirrored: rest < 0, mean, base: base.clamp(0, 255) };
        let level = usize::from(self.levels[self.level(&here)]);
        here.table = quantizer * self.kernels.tables()
            + match parts {
                1 => level,
                _ => level * PARTS + rest.unsigned_abs() as usize * PARTS / 33,
            };
        here
    }

    /// How large the error of the next symbol will be, in eighths of an octave.
    #[inline]
    fn level(&self, here: &Here) -> usize {
        let ratio = log2(BEFORE + self.seen) - log2(BEFORE + 16 * self.tap as u32);
        (here.base + ((3 * ratio) >> 11)).clamp(0, 255) as usize
    }

    /// How far a symbol is from its prediction, in 64ths.
    #[inline]
    fn error(&self, here: &Here, symbol: i16) -> i32 {
        (i32::from(symbol) << self.shift) - here.mean
    }

    /// Goes on to the next one.
    #[inline]
    pub fn record(&mut self, here: &Here, symbol: i16) {
        let error = self.error(here, symbol);
        let count = (16 * u64::from(error.unsigned_abs()) * OCTAVE[here.base as usize % 8]) >> (15 + here.base / 8);
        self.seen = (self.seen + count.min(MOST_SEEN[0].into()) as u32).min(MOST_SEEN[1]);
        if let Some(place) = self.errors.get_mut(self.tap) {
            *place = error.clamp(-MOST_ERROR, MOST_ERROR);
        }
        self.first += self.tap;
        self.tap += 1;
        if self.tap == self.kernels.taps {
            (self.tap, self.first, self.seen) = (0, 0, 0);
            self.channel += 1;
            if self.channel == self.kernels.channels.len() {
                (self.channel, self.row) = (0, self.row + 1);
            }
        }
    }
}
