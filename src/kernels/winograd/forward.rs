//! From pixels of the input to the frequencies of its tiles.

use super::lines::{Four, Lines, Two};
use super::tiles::{Tile, Tiling};
use crate::lanes::{Kernel, Lanes, WIDEST, widest};
use std::ops::Range;

/// A call of its own, as of `lists`.
#[inline(never)]
pub(super) fn forward(task: Forward) {
    widest(task);
}

/// Transforms some tiles of one channel of the input.
pub(super) struct Forward<'a> {
    pub of: &'a Tiling,
    pub image: &'a [f32],
    pub padded: &'a mut [f32],
    pub tiles: Range<usize>,
    pub to: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        self.pad::<V>();
        match self.of.tile {
            Tile::Two => self.transform::<V, Two, 4, 2>(),
            _ => self.transform::<V, Four, 6, 4>(),
        }
    }
}

impl Forward<'_> {
    /// Copies the rows that the tiles look at, with their padding.
    #[inline(always)]
    fn pad<V: Lanes>(&mut self) {
        let (of, side) = (self.of, self.of.tile.side());
        let first = self.tiles.start / of.across * side;
        let end = (self.tiles.end - 1) / of.across * side + of.tile.points();
        for row in first..end {
            let to = &mut self.padded[row * of.line..][..of.line];
            let y = row as isize - of.window.lead[0];
            // SAFETY: the rows have the lengths that the copy was made for.
            unsafe { of.copy.row::<V>(self.image, of.window.input[1], y, to) };
        }
    }

    /// `P` points a side.
    #[inline(always)]
    fn transform<V: Lanes, T: Lines<P, S>, const P: usize, const S: usize>(self) {
        let of = self.of;
        let distance = of.distance(of.window.channels);
        assert!(self.padded.len() >= of.padded_len() && of.pitch.is_multiple_of(V::COUNT));
        assert!(self.to.len() >= (P * P - 1) * distance + of.pitch);
        let mut tile = self.tiles.start;
        while tile < self.tiles.end {
            let next = of.vector(self.tiles.start, tile, V::COUNT);
            tile = next.tile;
            let rows = match next.beside {
                // SAFETY: `S` vectors lie behind each column of the last tile, or in what follows the image.
                true => unsafe { self.beside::<V, P>(tile) },
                false => self.apart::<V, P>(tile),
            };
            let columns = columns_of::<V, T, P, S>(&rows);
            // SAFETY: the lengths were checked; the last vector ends at the pitch or before.
            unsafe {
                let to = self.to.as_mut_ptr().add(tile - self.tiles.start);
                for y in 0..P {
                    let mut values = [V::splat(0.0); P];
                    for (value, column) in values.iter_mut().zip(&columns) {
                        *value = column[y];
                    }
                    for (x, value) in T::inward(values).into_iter().enumerate() {
                        value.store(to.add((y * P + x) * distance));
                    }
                }
            }
            tile += V::COUNT;
        }
    }

    /// The pixels of tiles that are neighbours in a row.
    #[inline(always)]
    unsafe fn beside<V: Lanes, const P: usize>(&self, tile: usize) -> [[V; P]; P] {
        let mut rows = [[V::splat(0.0); P]; P];
        let (y, x, side) = (tile / self.of.across, tile % self.of.across, self.of.tile.side());
        for (at, row) in rows.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                let from = self.padded.as_ptr().add((y * side + at) * self.of.line + x * side);
                for first in (0..P).step_by(2) {
                    let from = from.add(first);
                    let (even, odd) = V::load(from).unzip(V::load(from.add(V::COUNT)));
                    (row[first], row[first + 1]) = match side {
                        2 => (even, odd),
                        // Every fourth.
                        _ => {
                            let from = from.add(2 * V::COUNT);
                            let (even_next, odd_next) = V::load(from).unzip(V::load(from.add(V::COUNT)));
                            (even.unzip(even_next).0, odd.unzip(odd_next).0)
                        }
                    };
                }
            }
        }
        rows
    }

    /// The pixels of tiles wherever they are.
    #[inline(always)]
    fn apart<V: Lanes, const P: usize>(&self, tile: usize) -> [[V; P]; P] {
        let side = self.of.tile.side();
        let mut pixels = [[[0.0; WIDEST]; P]; P];
        for lane in 0..V::COUNT.min(self.tiles.end.saturating_sub(tile)) {
            let (y, x) = ((tile + lane) / self.of.across, (tile + lane) % self.of.across);
            for (at, pixels) in pixels.iter_mut().enumerate() {
                let from = &self.padded[(y * side + at) * self.of.line + x * side..][..P];
                for (pixels, &from) in pixels.iter_mut().zip(from) {
                    pixels[lane] = from;
                }
            }
        }
        let mut rows = [[V::splat(0.0); P]; P];
        for (row, pixels) in rows.iter_mut().zip(&pixels) {
            for (value, pixel) in row.iter_mut().zip(pixels) {
                // SAFETY: any vector fits.
                *value = unsafe { V::load(pixel.as_ptr()) };
            }
        }
        rows
    }
}

#[inline(always)]
fn columns_of<V: Lanes, T: Lines<P, S>, const P: usize, const S: usize>(rows: &[[V; P]; P]) -> [[V; P]; P] {
    let mut columns = [[V::splat(0.0); P]; P];
    for (x, column) in columns.iter_mut().enumerate() {
        let mut values = [V::splat(0.0); P];
        for (value, row) in values.iter_mut().zip(rows) {
            *value = row[x];
        }
        *column = T::inward(values);
    }
    columns
}
