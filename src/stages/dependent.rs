//! Rounding to the multiples that a trellis has ([`trellis`](crate::coding::trellis)): of all ways through its states the one with the least noise and
//! price, by the Viterbi algorithm.

use super::feedback::Columns;
use super::noise::{CLASSES, Counts, Layer, class};
use crate::coding::layout::Layout;
use crate::coding::symbols::Bounds;
use crate::coding::tables::nearly_worthwhile;
use crate::coding::trellis::{NEXT, STATES, STRIP, multiple, quantizer};
use ndarray::ArrayView2;

/// The price of a bit in squared steps of a quantizer.
const PRICE: f32 = 0.115;
/// The step of the multiples, over the one that rounding each by itself has at the same price of a bit.
pub const STEP: f32 = 0.551_7;
/// Numbers that tell how often each level will occur, about.
const SAMPLE: usize = 1 << 15;
/// How often they are rounded, by what they tell, to tell it better.
const ROUNDS: usize = 2;

/// Bits of a symbol from which on there is something to gain: sparse layers are coded in fewer bytes by the models, whose contexts tell where zeros are.
const FEWEST_BITS: f64 = 1.5;
/// Bits of a symbol that are won, at least.
const GAIN: f64 = 0.1;
/// Rows from which on there are enough ways.
const FEWEST_ROWS: usize = 16;

/// From which state, by an even or an odd level, each state is come to.
const FROM: [[(usize, usize); 2]; STATES] = ways_in();

const fn ways_in() -> [[(usize, usize); 2]; STATES] {
    let mut from = [[(0, 0); 2]; STATES];
    let mut found = [0; STATES];
    let mut way = 0;
    while way < 2 * STATES {
        let next = NEXT[way / 2][way % 2] as usize;
        from[next][found[next]] = (way / 2, way % 2);
        found[next] += 1;
        way += 1;
    }
    from
}

/// How the weights of a layer are rounded, column after column.
#[derive(Debug, Clone)]
pub struct Dependent {
    /// Price of each class of levels, in squared steps, of both quantizers.
    costs: [[f32; CLASSES]; 2],
    /// The largest level.
    most: f32,
}

/// What is best of a quantizer's even or odd levels.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    level: i16,
    loss: f32,
}

/// Whether a layer in steps of its own at a price is better rounded so: if its symbols are coded nearly as well by tables as by the models, which know no
/// trellis, and its rows, in groups, are enough for many ways.
pub fn worthwhile(layer: &Layer, price: f64, layout: &Layout, groups: usize) -> bool {
    let aligned = groups <= 1 || layout.rows.div_ceil(groups).is_multiple_of(STRIP);
    if layout.rows < FEWEST_ROWS || !aligned || !pays(layer, price) {
        return false;
    }
    let quantized = layer.quantize(price);
    quantized.is_some_and(|own| nearly_worthwhile(&own.symbols, layout, Bounds::ALL, GAIN))
}

/// Whether a layer takes enough bits at a price.
pub fn pays(layer: &Layer, price: f64) -> bool {
    layer.bits_at(price) >= FEWEST_BITS * layer.count() as f64
}

impl Dependent {
    /// From how often each level occurs in some of the columns of `weights`, `[rows, columns]`; multiples of the step go up to `most`.
    pub fn new(weights: ArrayView2<f32>, step: f32, most: i16) -> Self {
        let most = f32::from(most / 2);
        let mut counts = [Counts::default(), Counts::default()];
        let (rows, columns) = weights.dim();
        let every = columns.div_ceil(SAMPLE.div_ceil(rows.max(1))).max(1);
        let of_column = |column: usize| weights.column(column).iter().map(|weight| weight / step).collect();
        let sample: Vec<Vec<f32>> = (0..columns).step_by(every).map(of_column).collect();
        for &weight in sample.iter().flatten() {
            counts[0].add((0.5 * weight).round() as i16);
            counts[1].add(if weight.abs() < 0.5 { 0 } else { (0.5 * weight).abs().ceil() as i16 });
        }
        let of = |counts: [Counts; 2]| Dependent {
            costs: counts.map(|counts| counts.costs().map(|cost| PRICE * cost)),
            most,
        };
        let mut own = of(counts);
        for _ in 0..ROUNDS {
            let mut counts = [Counts::default(), Counts::default()];
            for column in &sample {
                for strip in column.chunks(STRIP) {
                    own.way(strip, |_, state, level| counts[quantizer(state)].add(level));
                }
            }
            own = of(counts);
        }
        own
    }

    /// Tells the states and levels of the best way, from the last one to the first.
    fn way(&self, column: &[f32], mut tell: impl FnMut(usize, u8, i16)) {
        let mut losses = [f32::INFINITY; STATES];
        losses[0] = 0.0;
        let mut taken: Vec<[u8; STATES]> = Vec::with_capacity(column.len());
        let mut levels: Vec<[i16; 4]> = Vec::with_capacity(column.len());
        for &wanted in column {
            let [even, odd] = [0, 1].map(|quantizer| self.candidates(0.5 * wanted.abs(), quantizer));
            let candidates = [even[0], even[1], odd[0], odd[1]];
            let mut here = [0u8; STATES];
            let before = losses;
            for (state, [first, second]) in FROM.iter().enumerate() {
                let loss = |&(from, parity): &(usize, usize)| {
                    before[from] + candidates[2 * quantizer(from as u8) + parity].loss
                };
                let (first, second) = (loss(first), loss(second));
                here[state] = u8::from(second < first);
                losses[state] = if second < first { second } else { first };
            }
            taken.push(here);
            levels.push(candidates.map(|candidate| candidate.level));
        }
        let mut state = (0..STATES).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0);
        for (row, wanted) in column.iter().enumerate().rev() {
            let (from, parity) = FROM[state][usize::from(taken[row][state])];
            let level = levels[row][2 * quantizer(from as u8) + parity];
            tell(row, from as u8, if *wanted < 0.0 { -level } else { level });
            state = from;
        }
    }

    /// The best even and the best odd level of a quantizer for a magnitude in units of its steps.
    #[inline]
    fn candidates(&self, magnitude: f32, quantizer: usize) -> [Candidate; 2] {
        let nearer = 0.5 * quantizer as f32;
        let below = (magnitude + nearer).floor().min(self.most);
        let of = |level: f32| {
            let error = magnitude - if level > 0.0 { level - nearer } else { 0.0 };
            Candidate { level: level as i16, loss: error * error + self.costs[quantizer][class(level as usize)] }
        };
        let or = |a: Candidate, b: Candidate| if b.loss < a.loss { b } else { a };
        let none = Candidate { level: 0, loss: f32::INFINITY };
        let own = of(below);
        let mut other = if below < self.most { of(below + 1.0) } else { none };
        if below >= 1.0 {
            other = or(other, of(below - 1.0));
        }
        match below as i16 & 1 {
            0 => [or(own, of(0.0)), other],
            _ => [or(other, of(0.0)), own],
        }
    }
}

impl Columns for Dependent {
    fn rows(&self) -> usize {
        STRIP
    }

    fn round(&self, _first: usize, _column: usize, weights: &[f32], multiples: &mut [i16]) {
        self.way(weights, |row, state, level| multiples[row] = multiple(state, level) as i16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::tables::Coded;
    use crate::coding::trellis::levels;
    use crate::stages::feedback::{Feedback, round};
    use crate::stages::noise::Rounding;
    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn normal(rows: usize, columns: usize, size: f32) -> Array2<f32> {
        let mut rng = Pcg64Mcg::seed_from_u64(11);
        let mut one = || (0..8).map(|_| rng.random::<f32>()).sum::<f32>() - 4.0;
        Array2::from_shape_simple_fn((rows, columns), || size * one())
    }

    /// Noise and price of levels, from state 0 on.
    fn loss(own: &Dependent, column: &[f32], levels: &[i16]) -> f32 {
        let (mut state, mut sum) = (0, 0.0);
        for (wanted, &level) in column.iter().zip(levels) {
            let error = 0.5 * (wanted - multiple(state, level) as f32);
            sum += error * error + own.costs[quantizer(state)][class(level.unsigned_abs().into())];
            state = NEXT[usize::from(state)][usize::from(level & 1 != 0)];
        }
        sum
    }

    #[test]
    fn no_other_way_has_less_noise_and_price() {
        let weights = normal(6, 40, 1.5);
        let own = Dependent::new(weights.view(), 1.0, 8);
        for column in weights.columns() {
            let column = column.to_vec();
            let mut least = f32::INFINITY;
            // Five levels in each of six rows.
            for way in 0..5usize.pow(6) {
                let level = |row: u32| (way / 5usize.pow(row) % 5) as i16 - 2;
                least = least.min(loss(&own, &column, &[0, 1, 2, 3, 4, 5].map(level)));
            }
            let mut found = vec![0; 6];
            own.round(0, 0, &column, &mut found);
            let (found, _) = levels(&found, 1).unwrap();
            assert!(loss(&own, &column, &found) <= least + 1e-4, "{column:?}: {found:?} {least}");
        }
    }

    #[test]
    fn fewer_bytes_with_less_noise_than_rounding_each_by_itself() {
        let layout = Layout::of_shape(&[600, 200]);
        for size in [2.0, 5.0, 20.0] {
            let weights = normal(600, 200, size);
            let coded = |symbols: &[i16], step: f32| {
                let errors = weights.iter().zip(symbols).map(|(weight, &own)| weight - step * f32::from(own));
                (Coded::new(symbols, &layout).encode().len(), errors.map(|error| error * error).sum::<f32>())
            };
            let flat: Vec<f32> = weights.iter().copied().collect();
            let rounding = Rounding::new(&flat, 1.0);
            let alone: Vec<i16> = flat.iter().map(|&weight| rounding.symbol(weight)).collect();
            let own = Dependent::new(weights.view(), STEP, i16::MAX);
            let dependent = round(weights.view(), STEP, &[Feedback::None], &own);
            assert!(levels(&dependent, 200).is_some());
            let ((plain, noise), (bytes, less)) = (coded(&alone, 1.0), coded(&dependent, STEP));
            // A bit of each of 120,000 weights is 6 dB.
            let won = (plain as f32 - bytes as f32) * 8.0 / 120_000.0 * 6.02 + 10.0 * (noise / less).log10();
            assert!(won > 0.75 && less < 1.02 * noise, "{size}: {won} dB; {plain} {bytes}, {noise} {less}");
        }
    }

    #[test]
    fn levels_stay_within_the_largest() {
        let weights = normal(300, 3, 40.0);
        let own = Dependent::new(weights.view(), 1.0, 21);
        let symbols = round(weights.view(), 1.0, &[Feedback::None], &own);
        assert_eq!(symbols.iter().map(|symbol| symbol.unsigned_abs()).max(), Some(20));
        assert!(levels(&symbols, 3).is_some());
    }
}
