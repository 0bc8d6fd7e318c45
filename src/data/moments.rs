//! What samples are like: their range, mean and deviation by channel, and the scaling that suits them.

use super::{Row, Samples};
use crate::model::Scaling;
use serde::Serialize;

/// Bytes up to this one are no pixels of the usual kind, which use the whole range.
const DARK: f32 = 127.0;

/// What the numbers of samples are like, as they are in the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SampleMoments"))]
pub struct Moments {
    /// The least number.
    pub low: f32,
    /// The greatest.
    pub high: f32,
    /// The mean of each channel.
    pub means: Vec<f64>,
    /// The standard deviation of each channel.
    pub deviations: Vec<f64>,
}

/// Looks at all numbers of all samples.
pub fn moments(samples: &Samples) -> Moments {
    let channels = samples.shape.first().copied().unwrap_or(1).max(1);
    let of_channel = (samples.shape.iter().product::<usize>() / channels).max(1);
    let (mut sums, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    // About the first sample's numbers: squares of large numbers that hardly differ would cancel.
    let mut pivots: Vec<f64> = Vec::new();
    for index in 0..samples.len() {
        let row: Vec<f32> = match samples.row(index) {
            Row::Bytes(bytes) => bytes.iter().map(|&byte| f32::from(byte)).collect(),
            Row::Floats(floats) => floats.to_vec(),
        };
        if pivots.is_empty() {
            pivots = row.chunks(of_channel).map(|channel| f64::from(channel[0])).collect();
        }
        for (channel, numbers) in row.chunks(of_channel).enumerate() {
            for &number in numbers {
                (low, high) = (low.min(number), high.max(number));
                let centred = f64::from(number) - pivots[channel];
                sums[channel] += centred;
                squares[channel] += centred * centred;
            }
        }
    }
    let count = (samples.len() * of_channel).max(1) as f64;
    let means: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
    let variance = |(square, mean): (&f64, &f64)| (square / count - mean * mean).max(0.0);
    let deviations = squares.iter().zip(&means).map(|pair| variance(pair).sqrt()).collect();
    Moments { low, high, means: means.iter().zip(&pivots).map(|(mean, pivot)| mean + pivot).collect(), deviations }
}

impl Moments {
    /// The scaling that suits such samples: bytes that use the whole range are pixels, and go to `[0, 1]`; floats in `[-1, 1]` have been
    /// scaled; anything else is standardised, each channel by itself.
    pub fn suggest(&self, samples: &Samples) -> Scaling {
        if samples.are_bytes() && self.high > DARK {
            return Scaling::Unit;
        }
        if !samples.are_bytes() && self.low >= -1.0 && self.high <= 1.0 {
            return Scaling::Raw;
        }
        self.standardise(samples)
    }

    /// The scaling after which each channel has mean 0 and deviation 1.
    pub fn standardise(&self, samples: &Samples) -> Scaling {
        // A byte counts as its share of 255.
        let unit = if samples.are_bytes() { 255.0 } else { 1.0 };
        let deviation = |&deviation: &f64| match (deviation / unit) as f32 {
            deviation if deviation.is_normal() => deviation,
            // What never changes is moved to 0.
            _ => 1.0,
        };
        let means = self.means.iter().map(|mean| (mean / unit) as f32).collect();
        Scaling::PerChannel { means, deviations: self.deviations.iter().map(deviation).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Values;
    use std::sync::Arc;

    fn floats(shape: Vec<usize>, floats: &[f32]) -> Samples {
        Samples::of_values(shape, Values::Floats(Arc::new(floats.to_vec())), Vec::new(), Scaling::Unit).unwrap()
    }

    #[test]
    fn channels_are_told_apart() {
        let got = moments(&floats(vec![2, 1, 2], &[1.0, 3.0, 1e6, 1e6 + 2.0, 1.0, 3.0, 1e6, 1e6 + 2.0]));
        assert_eq!((got.low, got.high), (1.0, 1e6 + 2.0));
        assert_eq!((got.means, got.deviations), (vec![2.0, 1e6 + 1.0], vec![1.0, 1.0]));
    }

    #[test]
    fn what_is_suggested_has_mean_0_and_deviation_1() {
        let samples = floats(vec![3], &[1.0, 5.0, 7.0, 4.0, 5.5, 7.0]);
        let scaling = moments(&samples).suggest(&samples);
        assert!(scaling.is_sound());
        let affine = Samples { scaling, ..samples.clone() }.affine();
        let seen: Vec<f32> =
            [1.0, 5.0, 7.0].iter().zip(affine).map(|(x, (factor, offset))| factor * x + offset).collect();
        assert!((seen[0] + 1.0).abs() < 1e-6 && (seen[1] + 1.0).abs() < 1e-5 && seen[2].abs() < 1e-6, "{seen:?}");
    }

    #[test]
    fn pixels_and_what_is_scaled_already_are_known() {
        let bytes = |high| Samples::new(vec![2], vec![0, high], Vec::new(), Scaling::Unit).unwrap();
        assert_eq!(moments(&bytes(255)).suggest(&bytes(255)), Scaling::Unit);
        assert_eq!(moments(&bytes(16)).suggest(&bytes(16)).channels(), Some(2));
        let scaled = floats(vec![2], &[-1.0, 0.5]);
        assert_eq!(moments(&scaled).suggest(&scaled), Scaling::Raw);
    }
}
