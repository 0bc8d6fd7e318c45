//! Structure: the fewest channels and neurons whose activations explain the rest.
//!
//! What is dropped is replaced by its least-squares fit on what is kept, folded into the layer that reads it: the network
//! becomes physically smaller, and stays close to what it computed.

use super::explain::{Explanation, Moments, Order};
use super::settings::{Effort, LOSS_RISE, PROBE_SAMPLES, PROBES, ROUNDS, Setting, TRAINING, Target, Training};
use super::{Costs, Limit, Meta, Question, Tools};
use crate::data::Samples;
use crate::error::{Error, GraphError};
use crate::model::channels::{ChannelGroup, Consumer, channel_groups, constant_response, keep};
use crate::model::{FixedPoint, Model, Op, Parameter};
use crate::network::{Retrain, activations, unary_value};
use crate::search::Interval;
use ndarray::{Array2, ArrayD, Axis, IxDyn};
use serde::{Deserialize, Serialize};

pub use crate::model::channels::fold_biases;

/// Removal of channels and neurons: the fewest whose activations explain the others within epsilon.
pub const META: Meta = Meta {
    name: "structure",
    sentence: "removes channels and neurons",
    settings: &[
        ROUNDS,
        PROBES,
        Setting::count("activation_samples", "samples whose activations are looked at", 1),
        PROBE_SAMPLES,
        LOSS_RISE,
        Setting::positive("parameters_per_byte", "parameters a byte of the budget to come down to"),
        TRAINING[0],
        TRAINING[1],
        TRAINING[2],
        TRAINING[3],
    ],
};

/// The numbers of this stage; [`META`] says what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "StructureSettings"))]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Settings {
    pub rounds: usize,
    pub probes: usize,
    pub activation_samples: usize,
    pub probe_samples: usize,
    pub loss_rise: f64,
    /// With a byte budget the search goes on past `loss_rise`, to this many weights and biases a byte.
    pub parameters_per_byte: f64,
    pub training: Training,
}

/// The range of epsilon: the share of a layer's variance that may stay unexplained.
const EPSILONS: Interval = Interval::Geometric { lo: 1e-4, hi: 0.9 };

impl Settings {
    /// Those of an effort. The parameters a byte are those of networks that are coded in well under a bit a weight: LeNet-5 ends with 8 to 14.
    pub fn of(effort: Effort) -> Self {
        let usual = Settings {
            rounds: 2,
            probes: 8,
            activation_samples: 500,
            probe_samples: 1_000,
            loss_rise: 0.05,
            parameters_per_byte: 9.0,
            training: Training::new(110_000, 64, 3e-3, 1.0),
        };
        match effort {
            Effort::Calibrate => Settings { rounds: 0, ..usual },
            Effort::Quick => Settings { rounds: 1, training: Training::new(6_000, 32, 2e-3, 0.0), ..usual },
            Effort::Balanced => usual,
            Effort::Thorough => {
                Settings { parameters_per_byte: 14.0, training: Training::new(550_000, 64, 3e-3, 0.4), ..usual }
            }
        }
    }

    /// Estimated seconds.
    pub fn work(&self, costs: &Costs) -> f64 {
        let looking = costs.forward * self.activation_samples as f64;
        self.rounds as f64 * (looking + costs.round(self.probes, self.probe_samples, &self.training))
    }
}

/// Removes channels and neurons, in rounds of a search and a training.
///
/// # Errors
/// Those of [`Tools`].
pub fn run(tools: &mut dyn Tools, mut model: Model, settings: &Settings) -> Result<Model, Error> {
    fold_biases(&mut model)?;
    let before = model.parameter_count() as f64;
    for round in 1..=settings.rounds {
        let analysis = analyse(&model, &tools.training().range(0, settings.activation_samples))?;
        // With a byte budget the network comes down to so many parameters, by equal factors in each round.
        let goal = match tools.target() {
            Target::Budget(bytes) => {
                let goal = (settings.parameters_per_byte * bytes as f64).min(before);
                before * (goal / before).powf(round as f64 / settings.rounds as f64)
            }
            _ => f64::INFINITY,
        };
        let question = Question {
            variable: "epsilon",
            interval: EPSILONS,
            probes: settings.probes,
            samples: settings.probe_samples,
            limit: Limit::Rise(settings.loss_rise),
        };
        let candidate = |epsilon| Ok(compact(&model, &analysis, epsilon)?);
        let too_large = |model: &Model| model.parameter_count() as f64 > goal;
        // A search that accepts nothing changes nothing.
        let Some(epsilon) = tools.search(&question, &model, &candidate, &too_large)? else { break };
        let mut learner = Retrain::new(compact(&model, &analysis, epsilon)?);
        tools.train(&mut learner, &settings.training)?;
        model = learner.into_model();
        fold_biases(&mut model)?;
    }
    Ok(model)
}

/// What the activations say of each group of channels.
#[derive(Debug, Clone)]
pub struct Analysis {
    groups: Vec<(ChannelGroup, Moments, Order)>,
}

/// Looks at the activations that each group's consumer reads.
///
/// # Errors
/// If the model does not run on the samples.
pub fn analyse(model: &Model, samples: &Samples) -> Result<Analysis, Error> {
    let groups = removable_groups(model)?;
    let values: Vec<_> = groups.iter().map(|group| only_consumer(group).input).collect();
    let observed = activations(model, &values, samples)?;
    let analyse = |(group, activations): (ChannelGroup, Array2<f32>)| {
        // `[channels x places, samples]` is `[channels, places x samples]`.
        let observations = activations.len() / group.channels;
        let activations = activations
            .into_shape_with_order((group.channels, observations))
            .expect("a value's features are a multiple of its channels");
        let consumer = only_consumer(&group);
        // An intercept needs a bias that takes it exactly; without one the fit goes through zero.
        let moments = Moments::new(activations.view(), takes_constants(model, consumer));
        let order = Order::new(&moments, &squared_column_norms(model, consumer));
        (group, moments, order)
    };
    Ok(Analysis { groups: groups.into_iter().zip(observed).map(analyse).collect() })
}

/// The groups that may be removed and that one layer reads: with several readers there would be several fits.
fn removable_groups(model: &Model) -> Result<Vec<ChannelGroup>, GraphError> {
    let groups = channel_groups(model)?;
    Ok(groups.into_iter().filter(|group| group.removable && group.consumers.len() == 1).collect())
}

fn only_consumer(group: &ChannelGroup) -> &Consumer {
    &group.consumers[0]
}

/// Whether a constant on a channel that the layer reads is the same as a constant in its bias.
fn takes_constants(model: &Model, consumer: &Consumer) -> bool {
    let padded = match &model.graph.nodes[consumer.node].op {
        Op::Conv(conv) => conv.pads != [0; 4],
        _ => false,
    };
    consumer.bias.is_some() && !padded
}

/// Adds to the consumer's bias what constants on the channels come to.
fn fold_constants(model: &mut Model, consumer: &Consumer, constants: &[f64]) {
    let Some(bias) = consumer.bias else { return };
    let added = constant_response(model.values(consumer.weight), constants, consumer.columns);
    for (value, added) in model.values_mut(bias).iter_mut().zip(added) {
        *value = (f64::from(*value) + added) as f32;
    }
}

/// Squared norm of the weights that read each channel.
fn squared_column_norms(model: &Model, consumer: &Consumer) -> Vec<f64> {
    let columns = model.values(consumer.weight).axis_chunks_iter(Axis(1), consumer.columns);
    columns.map(|block| block.iter().map(|&value| f64::from(value).powi(2)).sum()).collect()
}

/// The model with the fewest channels that leave at most `epsilon` (a share, 0 to 1) of each group's variance
/// unexplained, the others folded into what reads them.
///
/// # Errors
/// [`GraphError`] if the analysis is of another model.
pub fn compact(model: &Model, analysis: &Analysis, epsilon: f64) -> Result<Model, GraphError> {
    let mut model = model.clone();
    for (group, moments, order) in &analysis.groups {
        let kept = order.keep(epsilon);
        if kept.len() < group.channels {
            fold(&mut model, group, &Explanation::new(moments, &kept), &kept);
            model = keep(&model, group, &kept)?;
        }
    }
    Ok(model)
}

/// Adds to the consumer's weights and bias what the dropped channels would have brought.
fn fold(model: &mut Model, group: &ChannelGroup, explanation: &Explanation, kept: &[usize]) {
    let consumer = only_consumer(group);
    if takes_constants(model, consumer) {
        let mut constants = vec![0.0; group.channels];
        for (&channel, &intercept) in explanation.dropped.iter().zip(&explanation.intercepts) {
            constants[channel] = intercept;
        }
        fold_constants(model, consumer, &constants);
    }
    let weights = model.values_mut(consumer.weight);
    for (row, &dropped) in explanation.coefficients.outer_iter().zip(&explanation.dropped) {
        for column in 0..consumer.columns {
            let from = weights.index_axis(Axis(1), dropped * consumer.columns + column).to_owned();
            for (&coefficient, &kept) in row.iter().zip(kept) {
                let mut to = weights.index_axis_mut(Axis(1), kept * consumer.columns + column);
                to.scaled_add(coefficient as f32, &from);
            }
        }
    }
}

/// Removes units that have died: nothing reads them, or nothing feeds them and the constant that they are folds into
/// the next layer. The network's function is unchanged. At least one unit of each layer stays.
///
/// # Errors
/// [`GraphError`] where the model's shapes do not fit.
pub fn drop_dead(model: &Model) -> Result<Model, GraphError> {
    let mut model = model.clone();
    // A unit's death may be another's: the layers before and after it are looked at again.
    while let Some((group, kept)) = first_with_dead(&model, true)? {
        let consumer = only_consumer(&group);
        if takes_constants(&model, consumer) {
            let mut constants = constants(&model, &group);
            kept.iter().for_each(|&channel| constants[channel] = 0.0);
            fold_constants(&mut model, consumer, &constants);
        }
        model = keep(&model, &group, &kept)?;
    }
    Ok(model)
}

/// Removes units of a fixed-point network that have died and leave no constant: that would not be an integer.
///
/// # Errors
/// [`GraphError`] where the network's shapes do not fit.
pub fn drop_dead_fixed(fixed: &FixedPoint) -> Result<FixedPoint, GraphError> {
    let mut fixed = fixed.clone();
    while let Some((group, kept)) = first_with_dead(&fixed.to_model(), false)? {
        let symbols = keep(&symbols_as_floats(&fixed), &group, &kept)?;
        for (parameter, symbols) in fixed.parameters.iter_mut().zip(symbols.parameters) {
            parameter.shape = symbols.values.shape().to_vec();
            parameter.symbols = symbols.values.iter().map(|&symbol| symbol as i16).collect();
        }
    }
    Ok(fixed)
}

/// The network with its symbols in place of its weights; floats hold 16 bits exactly.
fn symbols_as_floats(fixed: &FixedPoint) -> Model {
    let parameters = fixed.parameters.iter().map(|parameter| {
        let symbols = parameter.symbols.iter().map(|&symbol| f32::from(symbol)).collect();
        let values =
            ArrayD::from_shape_vec(IxDyn(&parameter.shape), symbols).expect("as many symbols as the shape says");
        Parameter { name: parameter.name.clone(), values }
    });
    Model { graph: fixed.graph.clone(), parameters: parameters.collect() }
}

/// The first group that has dead channels, with those that live. A dead channel that still says something (a constant
/// that somebody reads) lives on, unless constants `fold`.
fn first_with_dead(model: &Model, fold: bool) -> Result<Option<(ChannelGroup, Vec<usize>)>, GraphError> {
    Ok(removable_groups(model)?.into_iter().find_map(|group| {
        let consumer = only_consumer(&group);
        let read = squared_column_norms(model, consumer);
        let fed = fed(model, &group);
        let constants = constants(model, &group);
        let folds = fold && takes_constants(model, consumer);
        let lives = |channel: &usize| {
            let channel = *channel;
            read[channel] != 0.0 && (fed[channel] || (constants[channel] != 0.0 && !folds))
        };
        let mut kept: Vec<usize> = (0..group.channels).filter(lives).collect();
        if kept.is_empty() {
            kept.push(0);
        }
        (kept.len() < group.channels).then_some((group, kept))
    }))
}

/// Whether any weight feeds each channel.
fn fed(model: &Model, group: &ChannelGroup) -> Vec<bool> {
    model.values(group.weight).outer_iter().map(|row| row.iter().any(|&value| value != 0.0)).collect()
}

/// What each channel says where nothing feeds it: its bias, through the functions on the way.
fn constants(model: &Model, group: &ChannelGroup) -> Vec<f64> {
    let mut functions = Vec::new();
    let mut value = only_consumer(group).input.0;
    while value > group.producer + 1 {
        let node = &model.graph.nodes[value - 1];
        functions.extend(matches!(node.op, Op::Relu | Op::Unary(_)).then_some(&node.op));
        value = node.inputs[0].0;
    }
    let through = |constant: f64| {
        functions.iter().rev().fold(constant, |constant, op| match op {
            Op::Unary(unary) => unary_value(unary, constant),
            _ => constant.max(0.0),
        })
    };
    let bias = |channel: usize| group.bias.map_or(0.0, |bias| f64::from(model.values(bias)[[channel]]));
    let constant = |(channel, fed): (usize, bool)| match (fed, bias(channel)) {
        (true, _) => 0.0,
        (false, bias) => through(bias),
    };
    fed(model, group).into_iter().enumerate().map(constant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scaling;
    use crate::model::presets::{self, Chain};
    use crate::network::logits;
    use crate::stages::quantize::quantize_uniform;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn random(mut model: Model) -> Model {
        let mut rng = Pcg64Mcg::seed_from_u64(5);
        presets::initialize(&mut model, &mut rng);
        for parameter in &mut model.parameters {
            if parameter.values.ndim() == 1 {
                parameter.values.mapv_inplace(|_| rng.random::<f32>() - 0.5);
            }
        }
        model
    }

    fn samples(count: usize) -> Samples {
        let mut rng = Pcg64Mcg::seed_from_u64(6);
        let bytes = (0..count * 784).map(|_| rng.random()).collect();
        Samples::new(vec![1, 28, 28], bytes, Vec::new(), Scaling::Unit).unwrap()
    }

    fn assert_close(before: &Model, after: &Model, tolerance: f32) {
        let (before, after) = (logits(before, &samples(20)).unwrap(), logits(after, &samples(20)).unwrap());
        let worst = (&before - &after).iter().fold(0.0f32, |worst, error| worst.max(error.abs()));
        assert!(worst <= tolerance, "{worst}");
    }

    /// Makes channel 0 of a layer a combination of 1 and 2, so that dropping it is exact.
    fn with_redundancy(mut model: Model, weight: usize) -> Model {
        for id in [weight, weight + 1] {
            let values = &mut model.parameters[id].values;
            let combined = 0.5 * &values.index_axis(Axis(0), 1) - 0.25 * &values.index_axis(Axis(0), 2);
            values.index_axis_mut(Axis(0), 0).assign(&combined);
        }
        model
    }

    #[test]
    fn what_the_others_explain_is_dropped_without_a_trace() {
        // Without a ReLU or a maximum between, a combination of weights is one of activations.
        let linear = Chain::new(vec![1, 28, 28]).conv("a", [4, 1, 5, 5], 0).conv("b", [3, 4, 5, 5], 0).flatten();
        let model = with_redundancy(random(linear.linear("c", [5, 1200]).build()), 0);
        let analysis = analyse(&model, &samples(50)).unwrap();
        let small = compact(&model, &analysis, 1e-4).unwrap();
        assert!(small.parameters[0].values.shape()[0] < 4, "{:?}", small.parameter_shapes());
        assert_close(&model, &small, 0.02);
    }

    #[test]
    fn every_channel_stays_at_epsilon_zero_and_one_at_epsilon_one() {
        let model = random(presets::lenet5([4, 5, 6, 10]));
        let analysis = analyse(&model, &samples(50)).unwrap();
        // What never says anything may go even then.
        assert_close(&model, &compact(&model, &analysis, 0.0).unwrap(), 1e-3);
        let least = compact(&model, &analysis, 1.0).unwrap();
        let rows: Vec<_> = least.parameter_shapes().iter().map(|shape| shape[0]).collect();
        assert_eq!(rows, [1, 1, 1, 1, 1, 1, 10, 10]);
    }

    #[test]
    fn the_dead_go_and_the_function_stays() {
        let mut model = random(presets::lenet5([4, 5, 6, 10]));
        model.parameters[0].values.index_axis_mut(Axis(0), 1).fill(0.0);
        model.parameters[4].values.index_axis_mut(Axis(0), 2).fill(0.0);
        model.parameters[6].values.index_axis_mut(Axis(1), 3).fill(0.0);
        let small = drop_dead(&model).unwrap();
        assert_eq!(small.parameters[0].values.shape(), [3, 1, 5, 5]);
        assert_eq!(small.parameters[4].values.shape(), [4, 80]);
        assert_close(&model, &small, 1e-4);
        assert_eq!(drop_dead(&small).unwrap(), small);
    }

    #[test]
    fn death_spreads_and_spares_one_unit_of_each_layer() {
        let mut model = random(presets::lenet5([4, 5, 6, 10]));
        // Nobody reads the neurons of fc1 but the first, which reads a single channel of conv2.
        model.parameters[6].values.slice_axis_mut(Axis(1), (1..).into()).fill(0.0);
        model.parameters[4].values.slice_axis_mut(Axis(1), (16..).into()).fill(0.0);
        let rows = |model: &Model| model.parameter_shapes().iter().map(|shape| shape[0]).collect::<Vec<_>>();
        assert_eq!(rows(&drop_dead(&model).unwrap()), [4, 4, 1, 1, 1, 1, 10, 10]);
        model.parameters[6].values.fill(0.0);
        assert_eq!(rows(&drop_dead(&model).unwrap()), [4, 4, 1, 1, 1, 1, 10, 10]);
    }

    #[test]
    fn the_dead_of_a_fixed_point_network_go_and_its_constants_stay() {
        let model = random(presets::lenet5([4, 5, 6, 10]));
        let mut fixed = quantize_uniform(&model, 3, 1.0, model.parameter_shapes());
        fixed.parameters[0].symbols[..25].fill(0);
        fixed.parameters[0].symbols[25..50].fill(0);
        fixed.parameters[1].symbols[..2].copy_from_slice(&[0, 3]);
        let small = drop_dead_fixed(&fixed).unwrap();
        assert_eq!(small.parameters[0].shape, [3, 1, 5, 5], "the unit with a bias stays");
        assert_eq!(small.original_shapes, fixed.original_shapes);
        assert_close(&fixed.to_model(), &small.to_model(), 1e-4);
    }
}
