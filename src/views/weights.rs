//! A layer's weights in a few numbers.

use serde::Serialize;

/// Moments of the finite weights that are not zero; all 0 if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Moments {
    /// Weights, zeros included.
    pub weights: usize,
    /// Weights that are zero.
    pub zeros: usize,
    /// Lowest.
    pub low: f64,
    /// Highest.
    pub high: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation, of the population.
    pub deviation: f64,
    /// Fourth central moment over the squared variance: 3 for a normal distribution, more with heavier tails; 0 if the
    /// weights do not vary.
    pub kurtosis: f64,
}

/// The moments of some weights, in two passes, so that a large mean does not cost digits.
pub fn moments(values: &[f32]) -> Moments {
    let zeros = values.iter().filter(|&&value| value == 0.0).count();
    let present = || values.iter().copied().filter(|value| *value != 0.0 && value.is_finite()).map(f64::from);
    let count = present().count();
    if count == 0 {
        return Moments { weights: values.len(), zeros, ..Moments::default() };
    }
    let mean = present().sum::<f64>() / count as f64;
    let central = |power: i32| present().map(|value| (value - mean).powi(power)).sum::<f64>() / count as f64;
    let variance = central(2);
    Moments {
        weights: values.len(),
        zeros,
        low: present().fold(f64::INFINITY, f64::min),
        high: present().fold(f64::NEG_INFINITY, f64::max),
        mean,
        deviation: variance.sqrt(),
        kurtosis: if variance > 0.0 { central(4) / (variance * variance) } else { 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_few_weights() {
        // Of -1, 1, 3 and 5: mean 2, variance (9 + 1 + 1 + 9) / 4 = 5, fourth moment (81 + 1 + 1 + 81) / 4 = 41.
        let got = moments(&[-1.0, 0.0, 1.0, 3.0, 0.0, 5.0, f32::NAN]);
        assert_eq!((got.weights, got.zeros, got.low, got.high, got.mean), (7, 2, -1.0, 5.0, 2.0));
        assert!((got.deviation - 5f64.sqrt()).abs() < 1e-12 && (got.kurtosis - 41.0 / 25.0).abs() < 1e-12, "{got:?}");
    }

    #[test]
    fn nothing_and_a_constant_have_no_kurtosis() {
        assert_eq!(moments(&[0.0, 0.0]), Moments { weights: 2, zeros: 2, ..Moments::default() });
        let constant = moments(&[0.5, 0.5]);
        assert_eq!((constant.mean, constant.deviation, constant.kurtosis), (0.5, 0.0, 0.0));
    }
}
