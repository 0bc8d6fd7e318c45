//! From the frequencies of tiles to the pixels of the output.

use super::lines::{Four, Lines, Two, TwoOfFive};
use super::tiles::{Tile, Tiling};
use crate::lanes::{Kernel, Lanes, WIDEST, widest};
use crate::lists::Limits;
use std::ops::Range;

/// A call of its own, as of `lists`.
#[inline(never)]
pub(super) fn backward(task: Backward) {
    widest(task);
}

/// Makes pixels of the tiles of one channel of the output.
pub(super) struct Backward<'a> {
    pub of: &'a Tiling,
    pub tiles: Range<usize>,
    pub from: &'a [f32],
    /// From one frequency to the next.
    pub distance: usize,
    pub bias: f32,
    pub limits: Limits,
    pub output: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        match self.of.tile {
            Tile::Two => self.transform::<V, Two, 4, 2>(),
            Tile::Four => self.transform::<V, Four, 6, 4>(),
            Tile::TwoOfFive => self.transform::<V, TwoOfFive, 6, 2>(),
        }
    }
}

impl Backward<'_> {
    #[inline(always)]
    fn transform<V: Lanes, T: Lines<P, S>, const P: usize, const S: usize>(mut self) {
        let pitch = self.of.pitch;
        assert!(self.from.len() >= (P * P - 1) * self.distance + pitch && pitch.is_multiple_of(V::COUNT));
        let (bias, lowest, highest) =
            (V::splat(self.bias), V::splat(self.limits.lowest), V::splat(self.limits.highest));
        let [height, width] = self.of.window.output;
        let mut tile = self.tiles.start;
        while tile < self.tiles.end {
            let next = self.of.vector(self.tiles.start, tile, V::COUNT);
            tile = next.tile;
            let mut pixels = [[V::splat(0.0); S]; S];
            // SAFETY: the lengths were checked.
            unsafe {
                let from = self.from.as_ptr().add(tile - self.tiles.start);
                let mut columns = [[V::splat(0.0); S]; P];
                for (x, column) in columns.iter_mut().enumerate() {
                    let mut values = [V::splat(0.0); P];
                    for (y, value) in values.iter_mut().enumerate() {
                        *value = V::load(from.add((y * P + x) * self.distance));
                    }
                    *column = T::outward(values);
                }
                for (y, pixels) in pixels.iter_mut().enumerate() {
                    let mut values = [V::splat(0.0); P];
                    for (value, column) in values.iter_mut().zip(&columns) {
                        *value = column[y];
                    }
                    for (pixel, value) in pixels.iter_mut().zip(T::outward(values)) {
                        *pixel = value.add(bias).max(lowest).min(highest);
                    }
                }
            }
            let (top, left) = (tile / self.of.across * S, tile % self.of.across * S);
            if next.beside && top + S <= height && left + V::COUNT * S <= width {
                for (y, pixels) in pixels.iter().enumerate() {
                    let to = &mut self.output[(top + y) * width + left..][..V::COUNT * S];
                    // SAFETY: so many floats lie there.
                    unsafe { store_in_turn::<V, S>(pixels, to.as_mut_ptr()) };
                }
            } else {
                self.store_apart::<V, S>(tile, &pixels);
            }
            tile += V::COUNT;
        }
    }

    /// Stores tiles wherever they are, those of them that there are, and of those what lies in the image.
    #[inline(always)]
    fn store_apart<V: Lanes, const S: usize>(&mut self, tile: usize, pixels: &[[V; S]; S]) {
        let [height, width] = self.of.window.output;
        let mut values = [[[0.0; WIDEST]; S]; S];
        for (values, pixels) in values.iter_mut().zip(pixels) {
            for (value, pixel) in values.iter_mut().zip(pixels) {
                // SAFETY: any vector fits.
                unsafe { pixel.store(value.as_mut_ptr()) };
            }
        }
        for lane in 0..V::COUNT.min(self.tiles.end.saturating_sub(tile)) {
            let (top, left) = ((tile + lane) / self.of.across * S, (tile + lane) % self.of.across * S);
            let count = S.min(width - left);
            for (y, values) in values.iter().enumerate().take(S.min(height - top)) {
                let line = &mut self.output[(top + y) * width + left..][..count];
                for (pixel, values) in line.iter_mut().zip(values) {
                    *pixel = values[lane];
                }
            }
        }
    }
}

/// Stores the first float of each vector, then the second of each, and so on.
#[inline(always)]
unsafe fn store_in_turn<V: Lanes, const S: usize>(vectors: &[V; S], to: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe {
        if S == 2 {
            let (first, second) = vectors[0].zip(vectors[1]);
            first.store(to);
            second.store(to.add(V::COUNT));
            return;
        }
        let ((a, b), (c, d)) = (vectors[0].zip(vectors[2]), vectors[1].zip(vectors[3]));
        let ((first, second), (third, fourth)) = (a.zip(c), b.zip(d));
        for (at, vector) in [first, second, third, fourth].into_iter().enumerate() {
            vector.store(to.add(at * V::COUNT));
        }
    }
}
