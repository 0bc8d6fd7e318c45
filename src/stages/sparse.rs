//! Rounding of sparse layers, by what the coder makes of them: zeros are cheap in rows and columns that have few other numbers, and numbers are in
//! those that have many.

use super::feedback::Columns;
use super::noise::PRICE;
use crate::coding::layout::Layout;
use crate::coding::rate::Rate;
use ndarray::ArrayView2;

/// How often weights are rounded to tell what they cost.
const ROUNDS: usize = 2;
/// The largest magnitude that is counted by itself.
const LEVELS: i16 = 127;

/// How the weights of a layer are rounded.
#[derive(Debug, Clone)]
pub struct Sparse {
    rate: Rate,
}

impl Sparse {
    /// From how often weights of `[rows, columns]` become 0 in each row and column.
    pub fn new(weights: ArrayView2<f32>, step: f32) -> Self {
        let (rows, columns) = weights.dim();
        let layout = Layout::of_shape(&[rows, columns]);
        let mut symbols: Vec<i16> = weights.iter().map(|weight| (weight / step).round() as i16).collect();
        let mut own = Sparse { rate: Rate::new(layout, &symbols, LEVELS) };
        for _ in 1..ROUNDS {
            symbols = weights
                .indexed_iter()
                .map(|((row, column), &weight)| own.symbol(weight / step, own.rate.odds(row, column)))
                .collect();
            own = Sparse { rate: Rate::new(layout, &symbols, LEVELS) };
        }
        own
    }

    /// The symbol with the least noise and price where the log-odds of a number beside 0 are known: the nearest, the one below it, or 0.
    fn symbol(&self, weight: f32, odds: f32) -> i16 {
        let exact = weight.abs();
        let nearest = exact.round();
        if nearest == 0.0 {
            return 0;
        }
        let (zero, other) = self.rate.zero_and_other(odds);
        let price = PRICE as f32;
        let of = |magnitude: f32| {
            let error = exact - magnitude;
            error * error + price * (other + self.rate.magnitude(magnitude as usize))
        };
        let (mut best, mut least) = (0.0, exact * exact + price * zero);
        for magnitude in [nearest - 1.0, nearest] {
            if magnitude > 0.0 && of(magnitude) < least {
                (best, least) = (magnitude, of(magnitude));
            }
        }
        if weight < 0.0 { -best as i16 } else { best as i16 }
    }
}

impl Columns for Sparse {
    fn round(&self, first: usize, column: usize, weights: &[f32], symbols: &mut [i16]) {
        for ((row, &weight), symbol) in weights.iter().enumerate().zip(symbols) {
            *symbol = self.symbol(weight, self.rate.odds(first + row, column));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::range::Encoder;
    use crate::coding::symbols::{Bounds, SymbolModel};
    use crate::stages::feedback::{Feedback, round};
    use crate::stages::noise::Rounding;
    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// By the coder itself, where columns are of different sizes.
    #[test]
    fn noise_and_price_are_less_than_where_places_do_not_count() {
        let mut rng = Pcg64Mcg::seed_from_u64(3);
        let mut one = || (0..8).map(|_| rng.random::<f32>()).sum::<f32>() - 4.0;
        let weights = Array2::from_shape_fn((100, 150), |(_, column)| one() * [0.3, 0.6, 1.5][column % 3]);
        let loss = |symbols: &[i16]| {
            let errors = weights.iter().zip(symbols).map(|(weight, &own)| f64::from(weight - f32::from(own)));
            let noise: f64 = errors.map(|error| error * error).sum();
            let mut encoder = Encoder::default();
            let layout = Layout::of_shape(&[100, 150]);
            SymbolModel::default().code(&mut encoder, &layout, Bounds::ALL, &mut symbols.to_vec());
            noise + PRICE * encoder.bits().iter().sum::<f64>()
        };
        let flat: Vec<f32> = weights.iter().copied().collect();
        let plain = loss(&round(weights.view(), 1.0, &[Feedback::None], &Rounding::new(&flat, 1.0)));
        let placed = loss(&round(weights.view(), 1.0, &[Feedback::None], &Sparse::new(weights.view(), 1.0)));
        assert!(placed < 0.985 * plain, "{placed} {plain}");
    }
}
