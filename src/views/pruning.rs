//! What a threshold of saliency would prune, before it is done.

use crate::model::Model;
use ndarray::ArrayD;
use serde::Serialize;

/// One layer's weights about a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrunedLayer {
    /// Weights that would stay, in equal bins over the range that was asked for, lowest first.
    pub kept: Vec<u32>,
    /// Weights that would go, in the same bins.
    pub pruned: Vec<u32>,
    /// Saliencies of the nonzero weights, in equal bins of their logarithms.
    pub saliency: Vec<u32>,
    /// Lowest and highest saliency of all layers, the ends of those bins; `[0, 0]` if every weight is zero.
    pub saliency_range: [f64; 2],
    /// The threshold below which half of the network's nonzero weights lie; 0 if there is none.
    pub half: f64,
    /// For each layer, its weights, and those that would stay.
    pub layers: Vec<[usize; 2]>,
}

/// Looks at layer `layer` of a model about `threshold`; `saliency` is indexed like its parameters. `None` if there is no
/// such layer.
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
        crate::stats::nonzero_histogram(chosen, bins, range)
    };
    let ends = crate::stages::prune::saliency_range(saliency).unwrap_or((0.0, 0.0));
    let logarithms = pairs().filter(|&(value, score)| value != 0.0 && score > 0.0).map(|(_, score)| score.ln());
    // Every logarithm inside is counted: the ends are floats of the same scores.
    let log_range = [(ends.0 as f32).ln(), (ends.1 as f32).ln()];
    Some(PrunedLayer {
        kept: side(true),
        pruned: side(false),
        saliency: crate::stats::histogram(logarithms, bins, log_range),
        saliency_range: [ends.0, ends.1],
        half: median(saliency),
        layers,
    })
}

/// Of what is above 0, the value that is in the middle.
fn median(saliency: &[Option<ArrayD<f32>>]) -> f64 {
    let mut scores: Vec<f32> = saliency.iter().flatten().flatten().copied().filter(|&score| score > 0.0).collect();
    scores.sort_unstable_by(f32::total_cmp);
    scores.get(scores.len() / 2).copied().map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::Chain;
    use crate::stages::prune::{cut, nonzeros, path_saliency};
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
