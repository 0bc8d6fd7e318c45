//! The ways of scaling that networks of others are trained with.

use super::moments::moments;
use super::{Samples, Values};
use crate::model::Scaling;

/// Of MNIST's training images.
const MNIST: (f32, f32) = (0.1307, 0.3081);

/// The scaling of this name, for these samples.
pub fn named(name: &str, samples: &Samples) -> Option<Scaling> {
    let one = |mean, deviation| Scaling::Standardised { mean, deviation };
    Some(match name {
        "unit" => Scaling::Unit,
        "raw" => Scaling::Raw,
        "auto" => moments(samples).suggest(samples),
        "standardised" => moments(samples).standardise(samples),
        "symmetric" => one(0.5, 0.5),
        "times255" => one(0.0, 1.0 / 255.0),
        "mnist" => one(MNIST.0, MNIST.1),
        "imagenet" => Scaling::imagenet(),
        _ => return None,
    })
}

/// The names of the scalings that samples may have been trained with; the first is the usual one.
pub fn plausible(samples: &Samples) -> Vec<&'static str> {
    let shares = match &samples.values {
        Values::Bytes(_) => true,
        Values::Floats(floats) => floats.iter().all(|number| (0.0..=1.0).contains(number)),
    };
    let mut names = vec!["unit"];
    names.extend(samples.are_bytes().then_some("raw"));
    if shares {
        names.extend((!samples.are_bytes()).then_some("times255"));
        names.push("symmetric");
        match samples.shape.as_slice() {
            [1, 28, 28] => names.push("mnist"),
            [3, _, _] => names.push("imagenet"),
            _ => {}
        }
    }
    names.push("standardised");
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_is_plausible_has_a_scaling() {
        let bytes = Samples::new(vec![3, 1, 1], vec![1, 2, 3], Vec::new(), Scaling::Unit).unwrap();
        let floats = Values::Floats(Arc::new(vec![0.5; 784]));
        let floats = Samples::of_values(vec![1, 28, 28], floats, Vec::new(), Scaling::Unit).unwrap();
        assert_eq!(plausible(&bytes), ["unit", "raw", "symmetric", "imagenet", "standardised"]);
        assert_eq!(plausible(&floats), ["unit", "times255", "symmetric", "mnist", "standardised"]);
        for samples in [bytes, floats] {
            assert!(plausible(&samples).iter().all(|name| named(name, &samples).is_some_and(|it| it.is_sound())));
        }
    }
}
