//! Convolutions with step 1 by fewer multiplications, for one sample (Winograd, 1980; Lavin and Gray, 2016).
//!
//! Tiles of the output are computed from overlapping tiles of the input, each transformed into as many frequencies as it has
//! pixels. In each frequency the channels are mixed by a product of matrices ([`super::lists`]) over all tiles, which
//! lie in vectors. Kernels of 3 x 3 make tiles of 4 x 4 (36 multiplications where there were 144) or 2 x 2 (16 where
//! there were 36), such of 5 x 5 tiles of 2 x 2 (36 where there were 100). Six points are 0, 1, -1, 2, -2 and infinity,
//! four are 0, 1, -1 and infinity.

use super::copies::{RowCopy, fill};
use super::correlate::Window;
use super::lanes::{Kernel, Lanes, WIDEST, widest, width};
use super::lists::{self, Limits, Lists};
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

    fn kernel(self) -> usize {
        self.points() + 1 - self.side()
    }

    /// What one row or column of a kernel is in each frequency: `weights[at]`, `step` apart.
    fn of_weights(self, weights: &[f64], step: usize) -> [f64; 6] {
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

/// A convolution of known shape with its transformed weights.
#[derive(Debug, Clone)]
pub struct Winograd {
    tile: Tile,
    window: Window,
    rows: usize,
    /// Tiles across the output.
    across: usize,
    /// Tiles of the output.
    tiles: usize,
    /// Tiles of a strip: some rows, or a part of one.
    strip: usize,
    /// The distance of channels: as many in whole vectors.
    pitch: usize,
    /// Floats of a row of an image with all that tiles look at, and of the whole.
    line: usize,
    padded: usize,
    /// How its rows are copied.
    copy: RowCopy,
    /// The products of each frequency.
    products: Vec<Lists>,
}

impl Winograd {
    /// Weights `[rows, channels, k, k]` of a convolution with step 1, without groups and dilation.
    ///
    /// # Panics
    /// If the window is another.
    pub fn new(tile: Tile, window: Window, weights: &[f32], rows: usize) -> Self {
        let (points, kernel, channels) = (tile.points(), tile.kernel(), window.channels);
        assert_eq!((window.stride, window.kernel), ([1, 1], [kernel, kernel]));
        assert_eq!(weights.len(), rows * window.taps());
        let [down, across] = window.output.map(|side| side.div_ceil(tile.side()));
        let tiles = down * across;
        let fitting = (STRIP_FLOATS / (points * points * (channels + rows))).max(STRIP_TILES);
        // Whole rows of tiles, if one fits; else parts of rows.
        let strip = match fitting / across {
            0 => (across.div_ceil(across.div_ceil(fitting))).next_multiple_of(width()).min(across),
            rows => (rows * across).min(tiles),
        };
        let pitch = strip.next_multiple_of(width());
        let mut frequencies = vec![vec![0.0f32; rows * channels]; points * points];
        for (pair, weights) in weights.chunks_exact(kernel * kernel).enumerate() {
            // Along rows, then along columns.
            let mut kernel_values = [0.0; 25];
            for (value, &weight) in kernel_values.iter_mut().zip(weights) {
                *value = weight.into();
            }
            let mut lines = [0.0; 30];
            for row in 0..kernel {
                lines[row * 6..][..6].copy_from_slice(&tile.of_weights(&kernel_values[row * kernel..], 1));
            }
            for column in 0..points {
                for (row, value) in tile.of_weights(&lines[column..], 6).into_iter().enumerate().take(points) {
                    frequencies[row * points + column][pair] = value as f32;
                }
            }
        }
        let offsets: Vec<u32> = (0..channels).map(|channel| (channel * pitch) as u32).collect();
        let products = frequencies.iter().map(|weights| Lists::dense(weights, rows, &offsets)).collect();
        let line = across * tile.side() + points - tile.side();
        let padded = line * (down * tile.side() + points - tile.side());
        let copy = RowCopy::new(window.input[1], -window.lead[1], 1, line);
        Winograd { tile, window, rows, across, tiles, strip, pitch, line, padded, copy, products }
    }

    /// From one frequency to the next of so many channels: not a power of two, which would put all into one place of the cache. Vectors
    /// read a little behind the last.
    fn distance(&self, channels: usize) -> usize {
        channels * self.pitch + WIDEST
    }

    /// Floats of transformed tiles of so many channels.
    fn tiles_len(&self, channels: usize) -> usize {
        self.tile.points().pow(2) * self.distance(channels)
    }

    /// Floats of an image with all that tiles look at, and of what vectors read behind it.
    fn padded_len(&self) -> usize {
        self.padded + WIDEST
    }

    /// Floats that [`Winograd::run`] needs for itself.
    pub fn scratch(&self) -> usize {
        self.tiles_len(self.window.channels) + self.padded_len() + self.tiles_len(self.rows)
    }

    /// Bytes of weights and offsets.
    pub fn bytes(&self) -> usize {
        self.products.iter().map(Lists::bytes).sum()
    }

    /// Correlates `[channels, h, w]` into `[rows, h', w']`. `bias` is `[rows]`, or empty for none.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn run(&self, input: &[f32], bias: &[f32], limits: Limits, scratch: &mut [f32], output: &mut [f32]) {
        let (channels, plane) = (self.window.channels, self.window.positions());
        assert_eq!(input.len(), self.window.input_len());
        assert_eq!(output.len(), self.rows * plane);
        assert!(bias.is_empty() || bias.len() == self.rows);
        let (inputs, rest) = scratch[..self.scratch()].split_at_mut(self.tiles_len(channels));
        let (padded, outputs) = rest.split_at_mut(self.padded_len());
        let image = self.window.input[0] * self.window.input[1];
        for tiles in self.strips() {
            for (channel, image) in input.chunks_exact(image).enumerate() {
                let to = &mut inputs[channel * self.pitch..];
                forward(Forward { of: self, image, padded, tiles: tiles.clone(), to });
            }
            for (frequency, lists) in self.products.iter().enumerate() {
                let from = &inputs[frequency * self.distance(channels)..];
                let to = &mut outputs[frequency * self.distance(self.rows)..];
                for block in 0..lists.blocks() {
                    let to = &mut to[lists.rows_of(block).start * self.pitch..];
                    lists::run(lists, block, from, tiles.len(), &[], Limits::NONE, to, self.pitch);
                }
            }
            for (row, output) in output.chunks_exact_mut(plane).enumerate() {
                let bias = bias.get(row).copied().unwrap_or(0.0);
                let from = &outputs[row * self.pitch..];
                let distance = self.distance(self.rows);
                backward(Backward { of: self, tiles: tiles.clone(), from, distance, bias, limits, output });
            }
        }
    }
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn forward(task: Forward) {
    widest(task);
}

/// Transforms some tiles of one channel of the input.
struct Forward<'a> {
    of: &'a Winograd,
    image: &'a [f32],
    padded: &'a mut [f32],
    tiles: Range<usize>,
    to: &'a mut [f32],
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
        let (of, [height, width], side) = (self.of, self.of.window.input, self.of.tile.side());
        let first = self.tiles.start / of.across * side;
        let end = (self.tiles.end - 1) / of.across * side + of.tile.points();
        for row in first..end {
            let to = &mut self.padded[row * of.line..][..of.line];
            let y = row as isize - of.window.lead[0];
            // SAFETY: the rows have the lengths that the copy was made for.
            unsafe {
                if y < 0 || y >= height as isize {
                    fill::<V>(to.as_mut_ptr(), to.len());
                } else {
                    of.copy.copy::<V>(&self.image[y as usize * width..][..width], to);
                }
            }
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

impl Winograd {
    /// The strips, in order. The last part of a row begins earlier, if it would be shorter than the others.
    fn strips(&self) -> impl Iterator<Item = Range<usize>> + use<> {
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
}

/// Tiles that fill a vector.
struct Vector {
    /// The first of them.
    tile: usize,
    /// Whether they are neighbours in a row.
    beside: bool,
}

impl Winograd {
    /// The vector of a strip with `tile` and perhaps some before it: one that would go on behind its row begins earlier, if there are so
    /// many tiles.
    #[inline(always)]
    fn vector(&self, first: usize, tile: usize, count: usize) -> Vector {
        let x = tile % self.across;
        let earlier = tile - x + x.min(self.across.saturating_sub(count));
        let beside = self.across >= count && earlier >= first;
        Vector { tile: if beside { earlier } else { tile }, beside }
    }
}

/// A call of its own, as of `lists`.
#[inline(never)]
fn backward(task: Backward) {
    widest(task);
}

/// Makes pixels of the tiles of one channel of the output.
struct Backward<'a> {
    of: &'a Winograd,
    tiles: Range<usize>,
    from: &'a [f32],
    /// From one frequency to the next.
    distance: usize,
    bias: f32,
    limits: Limits,
    output: &'a mut [f32],
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

/// What is done to each line of `P` points, of a tile of `S` pixels.
trait Lines<const P: usize, const S: usize> {
    /// Pixels of the input to points; the same for all tiles of as many points.
    fn inward<V: Lanes>(pixels: [V; P]) -> [V; P];

    /// Points to pixels of the output.
    fn outward<V: Lanes>(points: [V; P]) -> [V; S];
}

struct Two;

impl Lines<4, 2> for Two {
    #[inline(always)]
    fn inward<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 4] {
        [a.sub(c), b.add(c), c.sub(b), b.sub(d)]
    }

    #[inline(always)]
    fn outward<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 2] {
        [a.add(b).add(c), b.sub(c).sub(d)]
    }
}

struct Four;

impl Lines<6, 4> for Four {
    #[inline(always)]
    fn inward<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 6] {
        let (two, four, minus_four, minus_five) = (V::splat(2.0), V::splat(4.0), V::splat(-4.0), V::splat(-5.0));
        let (odd, even) = (minus_four.mul_add(b, d), minus_four.mul_add(c, e));
        let (twice, rest) = (two.mul(d.sub(b)), e.sub(c));
        [
            four.mul_add(a, minus_five.mul_add(c, e)),
            even.add(odd),
            even.sub(odd),
            rest.add(twice),
            rest.sub(twice),
            four.mul_add(b, minus_five.mul_add(d, f)),
        ]
    }

    #[inline(always)]
    fn outward<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 4] {
        let (two, four, eight) = (V::splat(2.0), V::splat(4.0), V::splat(8.0));
        let (sum, difference, far, apart) = (b.add(c), b.sub(c), d.add(e), d.sub(e));
        [
            a.add(sum).add(far),
            two.mul_add(apart, difference),
            four.mul_add(far, sum),
            eight.mul_add(apart, difference).add(f),
        ]
    }
}

struct TwoOfFive;

impl Lines<6, 2> for TwoOfFive {
    #[inline(always)]
    fn inward<V: Lanes>(pixels: [V; 6]) -> [V; 6] {
        Four::inward(pixels)
    }

    #[inline(always)]
    fn outward<V: Lanes>([a, b, c, d, e, f]: [V; 6]) -> [V; 2] {
        [a.add(b).add(c).add(d).add(e), V::splat(2.0).mul_add(d.sub(e), b.sub(c)).add(f)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::correlate::tests::noise;
    use super::super::plain;
    use super::*;

    #[test]
    fn agrees_with_the_plain_correlation() {
        for tile in [Tile::Two, Tile::Four, Tile::TwoOfFive] {
            for (channels, rows, output, pads) in [
                (1, 1, [1, 1], 0),
                (3, 5, [8, 8], 1),
                (4, 6, [7, 9], 2),
                (30, 17, [33, 31], 1),
                (2, 3, [2, 13], 3),
                (190, 180, [14, 14], 1),
                (130, 120, [6, 140], 1),
            ] {
                let kernel = tile.kernel();
                let pads = pads.min(kernel / 2);
                let input = output.map(|side: usize| side + kernel - 1 - 2 * pads);
                let lead = [pads as isize; 2];
                let window = Window { channels, input, output, kernel: [kernel; 2], stride: [1, 1], lead };
                let (weights, bias) = (noise(rows * window.taps(), 1), noise(rows, 2));
                let input = noise(window.input_len(), 3);
                // The plain one has samples side by side.
                let blocks: Vec<f32> = input.iter().flat_map(|&value| [value; 8]).collect();
                let mut expected = vec![0.0; rows * window.positions() * 8];
                plain::correlate(&window, 8, &blocks, &weights, &bias, &mut expected);
                let winograd = Winograd::new(tile, window, &weights, rows);
                let mut scratch = vec![f32::NAN; winograd.scratch()];
                let mut output = vec![f32::NAN; rows * window.positions()];
                winograd.run(&input, &bias, Limits::NONE, &mut scratch, &mut output);
                let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
                for (got, expected) in output.iter().zip(expected.iter().step_by(8)) {
                    assert!((got - expected).abs() <= 1e-5 * largest.max(1.0), "{tile:?} {window:?}: {got} {expected}");
                }
                let limits = Limits { lowest: 0.0, highest: 0.25 };
                let mut limited = vec![f32::NAN; output.len()];
                winograd.run(&input, &bias, limits, &mut scratch, &mut limited);
                let clamped: Vec<f32> = output.iter().map(|value| value.clamp(0.0, 0.25)).collect();
                assert_eq!(limited, clamped);
            }
        }
    }
}
