//! Magnitude pruning under one global threshold.
//!
//! The saliency of a weight is its magnitude times the norm of the paths that lead from its output to the network's:
//! a large weight into a neuron that hardly anything listens to matters little.

use super::settings::{Effort, LOSS_RISE, PROBE_SAMPLES, PROBES, ROUNDS, TRAINING, Training};
use super::{Costs, Limit, Meta, Question, Tools, structure};
use crate::error::{Error, GraphError};
use crate::model::{Class, FixedPoint, Model, Op, ParamId, ValueId};
use crate::network::Retrain;
use crate::search::Interval;
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

/// Removal of single weights below one global threshold of saliency.
pub const META: Meta = Meta {
    name: "prune",
    sentence: "removes single weights",
    settings: &[ROUNDS, PROBES, PROBE_SAMPLES, LOSS_RISE, TRAINING[0], TRAINING[1], TRAINING[2], TRAINING[3]],
};

/// The numbers of this stage; [`META`] says what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "PruneSettings"))]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Settings {
    pub rounds: usize,
    pub probes: usize,
    pub probe_samples: usize,
    pub loss_rise: f64,
    pub training: Training,
}

impl Settings {
    /// Those of an effort.
    pub fn of(effort: Effort) -> Self {
        let usual = Settings {
            rounds: 1,
            probes: 6,
            probe_samples: 1_000,
            loss_rise: 0.05,
            training: Training::new(55_000, 64, 2e-3, 1.0),
        };
        match effort {
            Effort::Calibrate => Settings { rounds: 0, ..usual },
            Effort::Quick => {
                Settings { rounds: 4, loss_rise: 0.08, training: Training::new(8_000, 32, 2e-3, 0.0), ..usual }
            }
            Effort::Balanced | Effort::Thorough => usual,
        }
    }

    /// Estimated seconds.
    pub fn work(&self, costs: &Costs) -> f64 {
        self.rounds as f64 * costs.round(self.probes, self.probe_samples, &self.training)
    }
}

/// Removes single weights, in rounds of a search and a training; units that have died go.
///
/// # Errors
/// Those of [`Tools`].
pub fn run(tools: &mut dyn Tools, mut model: Model, settings: &Settings) -> Result<Model, Error> {
    for _ in 0..settings.rounds {
        let saliency = path_saliency(&model)?;
        let Some((lo, hi)) = saliency_range(&saliency) else { break };
        let question = Question {
            variable: "threshold",
            interval: Interval::Geometric { lo, hi },
            probes: settings.probes,
            samples: settings.probe_samples,
            limit: Limit::Rise(settings.loss_rise),
        };
        let candidate = |threshold| Ok(cut(&model, &saliency, threshold));
        // A search that accepts nothing changes nothing.
        let Some(threshold) = tools.search(&question, &model, &candidate, &|_| false)? else { break };
        let mut learner = Retrain::new(cut(&model, &saliency, threshold)).with_zeros_held();
        tools.train(&mut learner, &settings.training)?;
        model = structure::drop_dead(&learner.into_model())?;
        structure::fold_biases(&mut model)?;
    }
    Ok(model)
}

/// Saliency of every parameter's elements; `None` for vectors, which are not pruned.
///
/// # Errors
/// [`GraphError`] where the model's shapes do not fit.
pub fn path_saliency(model: &Model) -> Result<Vec<Option<ArrayD<f32>>>, GraphError> {
    let shapes = model.shapes()?;
    let gains = path_gains(model, &shapes);
    let mut saliency: Vec<Option<ArrayD<f32>>> = vec![None; model.parameters.len()];
    for (node, weight, _) in model.graph.layers() {
        let out_gains = &gains[node + 1];
        let mut scores = model.values(weight).mapv(f32::abs);
        // Where several vectors or images go through a layer, the gains are theirs, and not those of its outputs.
        let by_output = out_gains.len() == scores.shape()[0];
        for (index, mut row) in scores.outer_iter_mut().enumerate() {
            row *= if by_output { out_gains[index] } else { mean(out_gains) }.sqrt();
        }
        // A weight of several layers counts as it does in the one that needs it most.
        if let Some(other) = &saliency[weight.0] {
            scores.zip_mut_with(other, |score, &other| *score = score.max(other));
        }
        saliency[weight.0] = Some(scores);
    }
    Ok(saliency)
}

/// Zeroes every weight whose saliency is below the threshold.
pub fn cut(model: &Model, saliency: &[Option<ArrayD<f32>>], threshold: f64) -> Model {
    let mut model = model.clone();
    for (parameter, scores) in model.parameters.iter_mut().zip(saliency) {
        let Some(scores) = scores else { continue };
        for (value, &score) in parameter.values.iter_mut().zip(scores) {
            if f64::from(score) < threshold {
                *value = 0.0;
            }
        }
    }
    model
}

/// Zeroes every symbol whose weight's saliency is below the threshold.
pub fn cut_fixed(fixed: &FixedPoint, saliency: &[Option<ArrayD<f32>>], threshold: f64) -> FixedPoint {
    let mut fixed = fixed.clone();
    for (parameter, scores) in fixed.parameters.iter_mut().zip(saliency) {
        let Some(scores) = scores else { continue };
        for (symbol, &score) in parameter.symbols.iter_mut().zip(scores) {
            if f64::from(score) < threshold {
                *symbol = 0;
            }
        }
    }
    fixed
}

/// Lowest and highest saliency of weights that are not zero; `None` if all are.
pub fn saliency_range(saliency: &[Option<ArrayD<f32>>]) -> Option<(f64, f64)> {
    let scores = saliency.iter().flatten().flatten().copied().filter(|&score| score > 0.0 && score.is_finite());
    let (low, high) = scores.fold((f32::INFINITY, 0.0f32), |(low, high), score| (low.min(score), high.max(score)));
    (high > 0.0).then_some((f64::from(low), f64::from(high)))
}

fn mean(gains: &[f32]) -> f32 {
    gains.iter().sum::<f32>() / gains.len().max(1) as f32
}

/// For every value and each of its channels (first axis), the squared norm of the paths from it to the output.
fn path_gains(model: &Model, shapes: &[Vec<usize>]) -> Vec<Vec<f32>> {
    let mut gains: Vec<Vec<f32>> = shapes.iter().map(|shape| vec![0.0; channels(shape)]).collect();
    let ValueId(output) = model.graph.output();
    gains[output].fill(1.0);
    for (index, node) in model.graph.nodes.iter().enumerate().rev() {
        let out = std::mem::take(&mut gains[index + 1]);
        for &ValueId(input) in &node.inputs {
            let back = gains_through(&node.op, model, &out, &shapes[input]);
            for (gain, back) in gains[input].iter_mut().zip(back) {
                *gain += back;
            }
        }
        gains[index + 1] = out;
    }
    gains
}

fn channels(shape: &[usize]) -> usize {
    shape.first().copied().unwrap_or(1)
}

/// Squared gains before an operator from those after it. Where it does not keep channels apart, each gets their mean.
fn gains_through(op: &Op, model: &Model, out: &[f32], input_shape: &[usize]) -> Vec<f32> {
    let channels = channels(input_shape);
    let weighted = |weight: ParamId, groups: usize| {
        let mut gains = vec![0.0; channels];
        let values = model.values(weight);
        let (outputs, per_group) = (values.shape()[0], channels / groups);
        for (row, (filter, &gain)) in values.outer_iter().zip(out).enumerate() {
            let group = row * groups / outputs;
            for (channel, kernel) in filter.outer_iter().enumerate() {
                gains[group * per_group + channel] += gain * kernel.iter().map(|value| value * value).sum::<f32>();
            }
        }
        gains
    };
    let keeps_channels =
        matches!(op.class(), Class::Elementwise | Class::Broadcast | Class::Pool | Class::Normalization);
    match op {
        Op::Conv(conv) if input_shape.len() == 3 => weighted(conv.weight, conv.groups),
        Op::Linear(linear) if input_shape.len() == 1 => weighted(linear.weight, 1),
        Op::Flatten => out.chunks(out.len() / channels).map(|features| features.iter().sum()).collect(),
        _ if out.len() == channels && keeps_channels => out.to_vec(),
        _ => vec![mean(out); channels],
    }
}

/// Number of weights and biases that are not zero.
pub fn nonzeros(model: &Model) -> usize {
    model.parameters.iter().map(|parameter| parameter.values.iter().filter(|&&value| value != 0.0).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets;
    use ndarray::Array2;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    fn random(mut model: Model) -> Model {
        presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(3));
        model
    }

    fn matrix(model: &Model, id: usize) -> Array2<f32> {
        model.parameters[id].values.clone().into_dimensionality().unwrap()
    }

    #[test]
    fn saliency_of_linear_layers_is_magnitude_times_the_norm_of_the_product() {
        let model = random(presets::lenet300([4, 3, 2]));
        let saliency = path_saliency(&model).unwrap();
        let (w1, w2, w3) = (matrix(&model, 0), matrix(&model, 2), matrix(&model, 4));
        for ((neuron, pixel), &weight) in w1.indexed_iter() {
            // Squared norms over the paths, not the norm of their sum: signs do not cancel.
            let squared: f32 = (0..3)
                .map(|hidden| {
                    let onward: f32 = (0..2).map(|out| w3[[out, hidden]].powi(2)).sum();
                    w2[[hidden, neuron]].powi(2) * onward
                })
                .sum();
            let expected = weight.abs() * squared.sqrt();
            let got = saliency[0].as_ref().unwrap()[[neuron, pixel]];
            assert!((got - expected).abs() <= 1e-5 * expected.max(1e-3), "{got} {expected}");
        }
        assert!(saliency[1].is_none(), "biases are not pruned");
    }

    #[test]
    fn flattening_sums_the_places_of_a_channel() {
        let model = random(presets::lenet5([2, 3, 4, 5]));
        let gains = path_gains(&model, &model.shapes().unwrap());
        // conv2's output (value 3) has 3 channels; fc1 reads each through 16 columns.
        let w1 = matrix(&model, 4);
        let w2 = matrix(&model, 6);
        for channel in 0..3 {
            let mut expected = 0.0;
            for neuron in 0..4 {
                let onward: f32 = (0..5).map(|out| w2[[out, neuron]].powi(2)).sum();
                expected += onward * (0..16).map(|place| w1[[neuron, channel * 16 + place]].powi(2)).sum::<f32>();
            }
            assert!((gains[3][channel] / expected - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn the_cut_is_where_the_threshold_is() {
        let model = random(presets::lenet5([2, 3, 4, 5]));
        let saliency = path_saliency(&model).unwrap();
        let (low, high) = saliency_range(&saliency).unwrap();
        assert_eq!(nonzeros(&cut(&model, &saliency, low)), nonzeros(&model));
        assert_eq!(nonzeros(&cut(&model, &saliency, high)), 1);
    }
}
