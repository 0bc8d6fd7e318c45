//! How what is in a file becomes the numbers that a network sees.

use serde::{Deserialize, Serialize};

/// How a number of a sample becomes the number that the network sees. Bytes count as `byte / 255`, in `[0, 1]`; floats as they are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scaling {
    /// `byte / 255`, in `[0, 1]`; a float as it is.
    #[default]
    Unit,
    /// `(number - mean) / deviation`.
    Standardised {
        /// Of the numbers.
        mean: f32,
        /// Of the numbers; above 0.
        deviation: f32,
    },
    /// The byte itself, 0 to 255; a float as it is.
    Raw,
    /// `(number - mean) / deviation`, each channel (the first axis of a sample) by its own. As many of both as there are channels.
    PerChannel {
        /// Of each channel.
        means: Vec<f32>,
        /// Of each channel; above 0.
        deviations: Vec<f32>,
    },
}

impl Scaling {
    /// By the mean and deviation of ImageNet's training pictures, red, green and blue: torchvision's values.
    pub fn imagenet() -> Self {
        Scaling::PerChannel { means: vec![0.485, 0.456, 0.406], deviations: vec![0.229, 0.224, 0.225] }
    }

    /// The factor and the offset of `factor * byte + offset`, in a channel.
    pub fn affine(&self, channel: usize) -> (f32, f32) {
        match self.standard(channel) {
            Some((mean, deviation)) => (1.0 / (255.0 * deviation), -mean / deviation),
            None if *self == Scaling::Raw => (1.0, 0.0),
            None => (1.0 / 255.0, 0.0),
        }
    }

    /// The factor and the offset of `factor * float + offset`, in a channel.
    pub fn affine_of_floats(&self, channel: usize) -> (f32, f32) {
        self.standard(channel).map_or((1.0, 0.0), |(mean, deviation)| (1.0 / deviation, -mean / deviation))
    }

    /// Mean and deviation of a channel, where there are any.
    fn standard(&self, channel: usize) -> Option<(f32, f32)> {
        match self {
            Scaling::Unit | Scaling::Raw => None,
            Scaling::Standardised { mean, deviation } => Some((*mean, *deviation)),
            Scaling::PerChannel { means, deviations } => {
                Some((means.get(channel).copied()?, deviations.get(channel).copied()?))
            }
        }
    }

    /// The channels that it knows apart; none if it does not look at them.
    pub fn channels(&self) -> Option<usize> {
        match self {
            Scaling::PerChannel { means, .. } => Some(means.len()),
            Scaling::Unit | Scaling::Standardised { .. } | Scaling::Raw => None,
        }
    }

    /// Whether every mean is finite, every deviation finite and above 0, and as many of both.
    pub fn is_sound(&self) -> bool {
        let channels = self.channels();
        let paired = match self {
            Scaling::PerChannel { means, deviations } => !means.is_empty() && means.len() == deviations.len(),
            Scaling::Unit | Scaling::Standardised { .. } | Scaling::Raw => true,
        };
        let sound = |(mean, deviation): (f32, f32)| mean.is_finite() && deviation.is_finite() && deviation > 0.0;
        paired && (0..channels.unwrap_or(1)).all(|channel| self.standard(channel).is_none_or(sound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_as_shares_and_floats_as_themselves() {
        let own = Scaling::PerChannel { means: vec![0.5, 0.25], deviations: vec![0.5, 2.0] };
        let at = |(factor, offset): (f32, f32), number: f32| factor * number + offset;
        for (scaling, channel, byte, float) in [
            (Scaling::Unit, 0, 0.2, 51.0),
            (Scaling::Raw, 0, 51.0, 51.0),
            (Scaling::Standardised { mean: 0.1, deviation: 0.5 }, 3, 0.2, 101.8),
            (own.clone(), 0, -0.6, 101.0),
            (own, 1, -0.025, 25.375),
        ] {
            assert!((at(scaling.affine(channel), 51.0) - byte).abs() < 1e-6, "{scaling:?}");
            assert!((at(scaling.affine_of_floats(channel), 51.0) - float).abs() < 1e-4, "{scaling:?}");
        }
    }

    #[test]
    fn json_is_as_it_was_and_numbers_are_as_they_are_written() {
        for (scaling, json) in [
            (Scaling::Unit, r#""unit""#),
            (Scaling::Raw, r#""raw""#),
            (
                Scaling::Standardised { mean: 0.1307, deviation: 0.3081 },
                r#"{"standardised":{"mean":0.1307,"deviation":0.3081}}"#,
            ),
            (
                Scaling::PerChannel { means: vec![0.1, 0.2], deviations: vec![1.0, 0.3] },
                r#"{"per_channel":{"means":[0.1,0.2],"deviations":[1.0,0.3]}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&scaling).unwrap(), json);
            assert_eq!(serde_json::from_str::<Scaling>(json).unwrap(), scaling);
        }
    }

    #[test]
    fn what_cannot_be_divided_by_is_not_sound() {
        let own = |means: &[f32], deviations: &[f32]| Scaling::PerChannel {
            means: means.to_vec(),
            deviations: deviations.to_vec(),
        };
        assert!(own(&[0.0, 1.0], &[1.0, 2.0]).is_sound() && Scaling::Unit.is_sound());
        for bad in [own(&[], &[]), own(&[0.0], &[1.0, 1.0]), own(&[0.0, 0.0], &[1.0, 0.0]), own(&[f32::NAN], &[1.0])] {
            assert!(!bad.is_sound(), "{bad:?}");
        }
        assert!(!Scaling::Standardised { mean: 0.0, deviation: -1.0 }.is_sound());
    }
}
