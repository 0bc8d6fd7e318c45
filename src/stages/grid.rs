//! Grids of steps that a codebook can say.

use super::quantize::{FRACTION_BITS, fitting_fraction_bits};
use crate::coding::codebook::most_centroids;
use crate::model::Codebook;

/// Weights for each value of a list, at least: for fewer, steps that are powers of two cost less than the list.
const OF_A_VALUE: usize = 40;
/// The mantissas of steps: 0.8 % from any step at most.
const MANTISSA: f32 = 64.0;

/// Multiples of a step that a codebook can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    fraction_bits: i8,
    /// The step in units of `2^-fraction_bits`.
    mantissa: u16,
}

impl Grid {
    /// The grid whose step is nearest, for so many values up to `largest`.
    pub fn near(step: f32, largest: f32, weights: usize) -> Self {
        let octave = (MANTISSA / step).log2().ceil();
        let fraction_bits = octave.clamp(*FRACTION_BITS.start(), *FRACTION_BITS.end());
        let mantissa = (step * fraction_bits.exp2()).round();
        // An error that is answered may lead a little further.
        let levels = 1.25 * largest / step + 2.0;
        let listed = mantissa.is_normal() && levels * mantissa <= f32::from(u16::MAX);
        if !listed || levels * OF_A_VALUE as f32 > weights as f32 {
            // More levels than a list of values may have, or is worth: a power of two.
            let fraction_bits = fitting_fraction_bits(largest, i16::MAX).min((-step.log2()).round() as i8);
            return Grid { fraction_bits, mantissa: 1 };
        }
        Grid { fraction_bits: fraction_bits as i8, mantissa: mantissa as u16 }
    }

    /// Steps that are `times` as large, as near as the mantissa allows; powers of two stay.
    pub fn scaled(self, times: f32) -> Self {
        match self.mantissa {
            1 => self,
            mantissa => {
                Grid { mantissa: (f32::from(mantissa) * times).round().clamp(2.0, f32::from(u16::MAX)) as u16, ..self }
            }
        }
    }

    /// The largest magnitude that a parameter of so many weights may have.
    pub fn most(&self, weights: usize) -> i16 {
        match self.mantissa {
            1 => i16::MAX,
            mantissa => usize::from(u16::MAX / mantissa).min(most_centroids(weights)).min(i16::MAX as usize) as i16,
        }
    }

    /// What one level is worth.
    pub fn step(&self) -> f32 {
        f32::from(self.mantissa) * (-f32::from(self.fraction_bits)).exp2()
    }

    /// The values up to the largest that is used, on either side.
    pub fn codebook(&self, symbols: &[i16]) -> Codebook {
        let Grid { fraction_bits, mantissa } = *self;
        if mantissa == 1 {
            return Codebook::Uniform { fraction_bits };
        }
        let side = |largest: u16| (1..=largest).map(|level| level * mantissa).collect();
        let positive = symbols.iter().copied().max().unwrap_or(0).max(0) as u16;
        let negative = symbols.iter().copied().min().unwrap_or(0).min(0).unsigned_abs();
        Codebook::Free { fraction_bits, positive: side(positive), negative: side(negative) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_within_one_percent_and_every_symbol_has_a_value() {
        for step in [3e-5f32, 0.011, 0.7, 5.0, 1300.0] {
            let grid = Grid::near(step, 40.0 * step, 10_000);
            assert!((grid.step() / step - 1.0).abs() < 0.009, "{step}: {grid:?}");
            let codebook = grid.codebook(&[-3, 0, 40]);
            for symbol in [-3, 0, 1, 40] {
                let value = codebook.integer(symbol).unwrap() as f32 * (-f32::from(codebook.fraction_bits())).exp2();
                assert!((value - f32::from(symbol) * grid.step()).abs() < 1e-3 * step, "{symbol}: {value}");
            }
            let largest = grid.most(1_000_000);
            assert!(matches!(grid.codebook(&[largest, -largest]), Codebook::Free { .. }));
            // More levels than a list may have, and than it is worth.
            assert_eq!(Grid::near(step, 20_000.0 * step, 1_000_000).mantissa, 1);
            assert_eq!(Grid::near(step, 40.0 * step, 1000).mantissa, 1);
        }
    }
}
