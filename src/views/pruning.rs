//! What a threshold of saliency would prune, before it is done.

use crate::model::{Model, ParamId, histogram};
use crate::stages::prune::cut;
use crate::stages::structure::drop_dead;
use ndarray::ArrayD;
use serde::Serialize;

/// One layer's weights about a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PrunedLayer {
    /// Weights that would stay, in equal bins over the range that was asked for, lowest first.
    pub kept: Vec<u32>,
    /// Weights that would go, in the same bins.
    pub pruned: Vec<u32>,
    /// Saliencies of the nonzero weights, in equal bins of their logarithms; what is below the first bin is in it.
    pub saliency: Vec<u32>,
    /// The ends of those bins: the highest saliency of all layers, and the one below which a thousandth of the network's nonzero
    /// weights lie, since the very lowest would leave most bins empty; `[0, 0]` if every weight is zero.
    pub saliency_range: [f64; 2],
    /// The threshold below which half of the network's nonzero weights lie; 0 if there is none.
    pub half: f64,
    /// For each layer, its weights, and those that would stay.
    pub layers: Vec<[usize; 2]>,
    /// For each layer, its units (outputs), and those that would be left once the dead ones are gone.
    pub units: Vec<[usize; 2]>,
}

/// Looks at layer `layer` of a model about `threshold`; `saliency` is indexed like its parameters. `None` if there is no
/// such layer, or the model's shapes do not fit.
pub fn look(
    model: &Model,
    saliency: &[Option<ArrayD<f32>>],
    layer: usize,
    threshold: f64,
    bins: usize,
    range: [f32; 2],
) -> Option<PrunedLayer> {
    let weights: Vec<_> = model.graph.layers().map(|(_, weight, _)| weight).collect();
    let stays = |value: f32, score: f32| value != 0.0 && f64::from(score) >= threshold;
    let layers = weights.iter().map(|&id| {
        let values = model.values(id);
        let kept = saliency[id.0].as_ref().map_or(values.len(), |scores| {
            values.iter().zip(scores).filter(|&(&value, &score)| stays(value, score)).count()
        });
        [values.len(), kept]
    });
    let layers = layers.collect();
    let &id = weights.get(layer)?;
    let scores = saliency[id.0].as_ref()?;
    let pairs = || model.values(id).iter().copied().zip(scores.iter().copied());
    let side = |kept: bool| {
        let chosen = pairs().filter(|&(value, score)| stays(value, score) == kept).map(|(value, _)| value);
        histogram::nonzero_histogram(&chosen.collect::<Vec<f32>>(), bins, range)
    };
    let mut scores: Vec<f32> = saliency.iter().flatten().flatten().copied().filter(|&score| score > 0.0).collect();
    scores.sort_unstable_by(f32::total_cmp);
    let [low, half, high] = [scores.len() / 1000, scores.len() / 2, scores.len().saturating_sub(1)]
        .map(|place| scores.get(place).copied().unwrap_or(0.0));
    let logarithms = pairs().filter(|&(value, score)| value != 0.0 && score > 0.0);
    let logarithms: Vec<f32> = logarithms.map(|(_, score)| score.max(low).ln()).collect();
    let smaller = drop_dead(&cut(model, saliency, threshold)).ok()?;
    let units = |model: &Model, id: ParamId| model.values(id).shape()[0];
    Some(PrunedLayer {
        kept: side(true),
        pruned: side(false),
        saliency: histogram::histogram(&logarithms, bins, [low.ln(), high.ln()]),
        saliency_range: [f64::from(low), f64::from(high)],
        half: f64::from(half),
        layers,
        units: weights.iter().map(|&id| [units(model, id), units(&smaller, id)]).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::Chain;
    use crate::stages::prune::{nonzeros, path_saliency};
    use ndarray::array;

    fn model() -> Model {
        let mut model = Chain::new(vec![2]).linear("a", [2, 2]).relu().linear("b", [2, 2]).build();
        model.parameters[0].values = array![[1.0, -2.0], [0.0, 4.0]].into_dyn();
        model.parameters[2].values = array![[1.0, 0.5], [0.25, -8.0]].into_dyn();
        model
    }

    #[test]
    fn what_is_counted_is_what_the_cut_leaves() {
        let model = model();
        let saliency = path_saliency(&model).unwrap();
        for threshold in [0.0, 0.3, 0.6, 2.5, 100.0] {
            let view = look(&model, &saliency, 0, threshold, 4, [-8.0, 8.0]).unwrap();
            let left: usize = view.layers.iter().map(|layer| layer[1]).sum();
            assert_eq!(left, nonzeros(&cut(&model, &saliency, threshold)), "{threshold}");
            let shown = view.kept.iter().chain(&view.pruned).sum::<u32>();
            assert_eq!(shown, 3, "the layer's nonzero weights");
            assert_eq!(view.kept.iter().sum::<u32>() as usize, view.layers[0][1]);
            assert_eq!(view.saliency.iter().sum::<u32>(), 3);
            // Both units of the first layer live until their last weight is cut; the outputs always stay.
            assert_eq!(view.units, [[2, if threshold > 2.0 { 1 } else { 2 }], [2, 2]], "{threshold}");
            // Seven weights are not zero: four stay at the middle one's saliency.
            assert_eq!(nonzeros(&cut(&model, &saliency, view.half)), 4);
        }
    }

    #[test]
    fn a_layer_that_is_not_there_is_none() {
        let model = model();
        assert!(look(&model, &path_saliency(&model).unwrap(), 2, 1.0, 4, [-1.0, 1.0]).is_none());
    }
}
