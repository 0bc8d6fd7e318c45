//! What a run by the weights alone changes of a network's answers, on pictures that are drawn: decibels of weights do not say it.

use super::criterion::classifies;
use crate::data::synthetic;
use crate::formats::add_model;
use crate::model::recognise::usual_scaling;
use crate::model::{Model, Network, Scaling};
use crate::network::{logits, predictions, relative_distance};
use crate::resources::macs;
use serde::{Deserialize, Serialize};

/// Multiply-accumulates of all looks together: some seconds; and what the fewest pictures may take.
const MACS: [u64; 2] = [20_000_000_000, 60_000_000_000];
/// Pictures that are drawn, at least and at most.
const PICTURES: (u64, u64) = (4, synthetic::COUNT as u64);
/// Bytes of tensors up to which a network and what was made of it may be held beside each other once more.
const LARGEST: usize = 200 << 20;

/// How far answers to drawn pictures are from the original's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Drawn {
    /// How many pictures were drawn.
    pub pictures: usize,
    /// Share of the same answers, in `[0, 1]`, if they are classes.
    pub agreement: Option<f64>,
    /// Distance of the outputs, `|y - y0| / |y0|`.
    pub distance: f64,
}

impl Drawn {
    /// Compares a network with what was made of its tensors. `None` if it does not read pictures, cannot be run, or is too large to be looked at.
    pub fn compare(original: &Network, decoded: impl FnOnce() -> Network, seed: u64, cap: u64) -> Option<Self> {
        if original.bytes() > LARGEST {
            return None;
        }
        let mut decoded = decoded();
        add_model(&mut decoded, cap);
        let to = decoded.model.as_ref()?;
        let made;
        let (from, scaling) = match &original.model {
            Some(model) => (model, usual_scaling(original)),
            None => {
                let mut network = original.clone();
                add_model(&mut network, cap);
                made = network;
                (made.model.as_ref()?, usual_scaling(&made))
            }
        };
        Self::of_models(from, to, scaling.unwrap_or_default(), seed)
    }

    fn of_models(from: &Model, to: &Model, scaling: Scaling, seed: u64) -> Option<Self> {
        let work: u64 = macs(from).ok()?.iter().map(|layer| layer.dense).sum();
        let most = |macs: u64| macs / (2 * work).max(1);
        if most(MACS[1]) < PICTURES.0 {
            return None;
        }
        let pictures = most(MACS[0]).clamp(PICTURES.0, PICTURES.1) as usize;
        let samples = synthetic::for_input(&from.graph.input_shape, pictures, seed, scaling).ok()?;
        let (from, to, classes) = (logits(from, &samples).ok()?, logits(to, &samples).ok()?, classifies(from).ok()?);
        let same = predictions(&from).iter().zip(predictions(&to)).filter(|(from, to)| **from == *to).count();
        let agreement = classes.then_some(same as f64 / pictures as f64);
        Some(Drawn { pictures, agreement, distance: relative_distance(&from, &to) })
    }
}
