//! Grids of steps that a codebook can say.

use super::quantize::{FRACTION_BITS, fitting_fraction_bits};
use crate::model::Codebook;

/// The factors of steps go up to this: 0.8 % from any step at most.
const FINEST: f32 = 128.0;

/// Multiples of a step that a codebook can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    fraction_bits: i8,
    /// The step in units of `2^-fraction_bits`.
    factor: u8,
}

impl Grid {
    /// The grid whose step is nearest, for values up to `largest`.
    pub fn near(step: f32, largest: f32) -> Self {
        // An error that is answered may lead a little further.
        if 1.25 * largest / step + 2.0 > f32::from(i16::MAX) {
            return Grid { fraction_bits: fitting_fraction_bits(largest, i16::MAX), factor: 1 };
        }
        let octave = (FINEST / step).log2().floor();
        let fraction_bits = octave.clamp(*FRACTION_BITS.start(), *FRACTION_BITS.end());
        let factor = (step * fraction_bits.exp2()).round().clamp(1.0, f32::from(u8::MAX));
        Grid { fraction_bits: fraction_bits as i8, factor: factor as u8 }
    }

    /// Steps that are `times` as large, as near as the factor allows.
    pub fn scaled(self, times: f32) -> Self {
        Grid { factor: (f32::from(self.factor) * times).round().clamp(1.0, f32::from(u8::MAX)) as u8, ..self }
    }

    /// What one level is worth.
    pub fn step(&self) -> f32 {
        f32::from(self.factor) * (-f32::from(self.fraction_bits)).exp2()
    }

    /// Its codebook.
    pub fn codebook(&self) -> Codebook {
        Codebook::Uniform { fraction_bits: self.fraction_bits, factor: self.factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_within_one_percent() {
        for step in [3e-5f32, 0.011, 0.7, 5.0, 1300.0] {
            let grid = Grid::near(step, 20_000.0 * step);
            assert!((grid.step() / step - 1.0).abs() < 0.009, "{step}: {grid:?}");
            assert_eq!(grid.codebook().step(), grid.step());
            assert!((grid.scaled(1.1).step() / grid.step() - 1.1).abs() < 0.009);
            // More levels than symbols have.
            let coarser = Grid::near(step, 40_000.0 * step);
            assert!(40_000.0 * step / coarser.step() < f32::from(i16::MAX), "{coarser:?}");
        }
    }
}
