//! How an image is made of tiles: their sides, their places, and the strips in which they are computed.

use crate::copies::RowCopy;
use crate::correlate::Window;
use crate::lanes::{WIDEST, width};
use std::ops::Range;

/// Floats of one strip's transformed tiles, unless [`STRIP_TILES`] have more: they stay in the second cache.
const STRIP_FLOATS: usize = 1 << 18;

/// Tiles of a strip, if there are so many: all weights are read for each strip.
const STRIP_TILES: usize = 16;

/// Sides of the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tile {
    /// 2 x 2 for kernels of 3 x 3.
    Two,
    /// 4 x 4 for kernels of 3 x 3.
    Four,
    /// 2 x 2 for kernels of 5 x 5.
    TwoOfFive,
}

impl Tile {
    /// The tiles that there are for a kernel.
    pub fn of_kernel(kernel: [usize; 2]) -> &'static [Tile] {
        match kernel {
            [3, 3] => &[Tile::Two, Tile::Four],
            [5, 5] => &[Tile::TwoOfFive],
            _ => &[],
        }
    }

    /// The side of a tile of the output.
    pub fn side(self) -> usize {
        if self == Tile::Four { 4 } else { 2 }
    }

    /// The side of a tile of the input, and of the transformed ones.
    pub fn points(self) -> usize {
        if self == Tile::Two { 4 } else { 6 }
    }

    pub(super) fn kernel(self) -> usize {
        self.points() + 1 - self.side()
    }

    /// What one row or column of a kernel is in each frequency: `weights[at]`, `step` apart.
    pub(super) fn of_weights(self, weights: &[f64], step: usize) -> [f64; 6] {
        let mut sums = [0.0; 5];
        for (sum, point) in sums.iter_mut().zip([0.0, 1.0, -1.0, 2.0, -2.0]) {
            for at in (0..self.kernel()).rev() {
                *sum = *sum * point + weights[at * step];
            }
        }
        let last = weights[(self.kernel() - 1) * step];
        match self {
            Tile::Two => [sums[0], sums[1] / 2.0, sums[2] / 2.0, last, 0.0, 0.0],
            _ => [sums[0] / 4.0, sums[1] / -6.0, sums[2] / -6.0, sums[3] / 24.0, sums[4] / 24.0, last],
        }
    }
}

/// The tiles of a convolution of known shape.
#[derive(Debug, Clone)]
pub(super) struct Tiling {
    pub tile: Tile,
    pub window: Window,
    /// Tiles across the output.
    pub across: usize,
    /// Tiles of the output.
    tiles: usize,
    /// Tiles of a strip: some rows, or a part of one.
    strip: usize,
    /// The distance of channels: as many in whole vectors.
    pub pitch: usize,
    /// Floats of a row of an image with all that tiles look at, and of the whole.
    pub line: usize,
    padded: usize,
    /// How its rows are copied.
    pub copy: RowCopy,
}

impl Tiling {
    /// For so many output channels.
    pub fn new(tile: Tile, window: Window, rows: usize) -> Self {
        let (points, side) = (tile.points(), tile.side());
        let [down, across] = window.output.map(|length| length.div_ceil(side));
        let tiles = down * across;
        let fitting = (STRIP_FLOATS / (points * points * (window.channels + rows))).max(STRIP_TILES);
        // Whole rows of tiles, if one fits; else parts of rows.
        let strip = match fitting / across {
            0 => (across.div_ceil(across.div_ceil(fitting))).next_multiple_of(width()).min(across),
            rows => (rows * across).min(tiles),
        };
        let pitch = strip.next_multiple_of(width());
        let line = across * side + points - side;
        let padded = line * (down * side + points - side);
        let copy = RowCopy::new(window.input[1], -window.lead[1], 1, line);
        Tiling { tile, window, across, tiles, strip, pitch, line, padded, copy }
    }

    /// From one frequency to the next of so many channels: not a power of two, which would put all into one place of the cache. Vectors
    /// read a little behind the last.
    pub fn distance(&self, channels: usize) -> usize {
        channels * self.pitch + WIDEST
    }

    /// Floats of transformed tiles of so many channels.
    pub fn tiles_len(&self, channels: usize) -> usize {
        self.tile.points().pow(2) * self.distance(channels)
    }

    /// Floats of an image with all that tiles look at, and of what vectors read behind it.
    pub fn padded_len(&self) -> usize {
        self.padded + WIDEST
    }

    /// The strips, in order. The last part of a row begins earlier, if it would be shorter than the others.
    pub fn strips(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (strip, across, tiles) = (self.strip, self.across, self.tiles);
        let parts = across.div_ceil(strip);
        let count = if parts > 1 { tiles / across * parts } else { tiles.div_ceil(strip) };
        (0..count).map(move |index| match parts {
            1 => index * strip..tiles.min((index + 1) * strip),
            _ => {
                let first = index / parts * across + (index % parts * strip).min(across - strip);
                first..first + strip
            }
        })
    }

    /// The vector of a strip with `tile` and perhaps some before it: one that would go on behind its row begins earlier, if there are so
    /// many tiles.
    #[inline(always)]
    pub fn vector(&self, first: usize, tile: usize, count: usize) -> Vector {
        let x = tile % self.across;
        let earlier = tile - x + x.min(self.across.saturating_sub(count));
        let beside = self.across >= count && earlier >= first;
        Vector { tile: if beside { earlier } else { tile }, beside }
    }
}

/// Tiles that fill a vector.
pub(super) struct Vector {
    /// The first of them.
    pub tile: usize,
    /// Whether they are neighbours in a row.
    pub beside: bool,
}
