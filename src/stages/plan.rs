//! A network that is to be rounded: how each of its layers is, at one price of a bit.

use super::dependent::{self, Dependent};
use super::feedback::{self, Feedback};
use super::grid::Grid;
use super::noise::{Layer, Rounding, price_of_noise};
use super::quantize::{fitting, uniform};
use super::sparse::Sparse;
use crate::coding::layout::Layout;
use crate::data::Samples;
use crate::error::{Error, RecipeError};
use crate::model::{FixedParameter, FixedPoint, Graph, Model, ParamId, Parameter};
use crate::network::{InputMoments, logits, relative_distance};
use crate::parallel::{for_each, threads};
use crate::resources::macs;
use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis};

/// The noise over energy at which layers are tried: 25 dB. That of the budget instead made no difference.
const TRIED: f64 = 3e-3;
/// Layers that each thread tries before it is told what came of them.
const AT_ONCE: usize = 4;
/// The most multiply-accumulates of all tries together.
const TRY_MACS: u64 = 400_000_000_000;
/// How far what a layer counts may be from the mean, either way.
const WEIGHTS: f64 = 30.0;
/// Observations of one sample that do not depend on each other, at most.
const OF_A_SAMPLE: usize = 8;
/// A layer with a larger share of zeros makes its outputs smaller.
const COARSE: f64 = 0.15;
/// A layer with a larger share of zeros has rows and columns with more of them than others.
const SPARSE: f64 = 0.1;
/// The largest magnitude of a bias, in units: an error of a 4,000th of the largest is far below that of the weights.
const LARGEST_BIAS: i16 = 2_047;
/// The largest magnitude of other vectors, such as the factors of a normalisation, and of layers that keep 16 bits.
pub const LARGEST_VECTOR: i16 = i16::MAX;
/// Layers that an error lists.
const LISTED: usize = 12;

/// A network that is to be rounded.
pub struct Plan<'a> {
    model: &'a Model,
    /// Of each parameter, if it is a matrix or a kernel.
    layers: Vec<Option<Layer>>,
    feedbacks: Vec<Vec<Feedback>>,
    /// Those that they are made from.
    covariances: Vec<Vec<Vec<Array2<f32>>>>,
    /// The mean of what each weight multiplies; nothing where that is not known.
    means: Vec<Vec<f32>>,
    /// Of each parameter, whether it keeps 16 bits.
    locked: Vec<bool>,
    /// Of each parameter, whether it is rounded to multiples that a trellis has.
    trellises: Vec<bool>,
    original_shapes: Vec<Vec<usize>>,
}

/// The parameters of layers with these names.
///
/// # Errors
/// [`RecipeError::Invalid`] lists layers with names that begin alike, where one is of no layer.
pub fn locked(graph: &Graph, names: &[String]) -> Result<Vec<ParamId>, RecipeError> {
    let own = |node: usize| graph.nodes[node].name.as_str();
    let mut parameters = Vec::new();
    for name in names {
        let before = parameters.len();
        for (_, weight, bias) in graph.layers().filter(|&(node, ..)| own(node) == name) {
            parameters.extend([Some(weight), bias].into_iter().flatten());
        }
        if parameters.len() > before {
            continue;
        }
        let alike = |own: &str| own.bytes().zip(name.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        let most = graph.layers().map(|(node, ..)| alike(own(node))).max().unwrap_or(0);
        let near: Vec<&str> = graph.layers().map(|(node, ..)| own(node)).filter(|own| alike(own) == most).collect();
        let mut expected = format!("names of layers, such as {}", near[..near.len().min(LISTED)].join(", "));
        if near.len() > LISTED {
            expected += &format!(" and {} more", near.len() - LISTED);
        }
        return Err(RecipeError::Invalid { field: "round.locked".into(), expected, got: name.clone() });
    }
    Ok(parameters)
}

/// A parameter that is rounded by the price.
pub fn layer(parameter: &Parameter) -> Option<Layer> {
    (parameter.values.ndim() >= 2).then(|| Layer::new(parameter.values.iter().copied().collect()))
}

impl<'a> Plan<'a> {
    /// From the moments of what its layers multiply, over so many samples.
    pub fn new(model: &'a Model, moments: Vec<InputMoments>, samples: usize, original_shapes: Vec<Vec<usize>>) -> Self {
        let mut plan = Plan {
            model,
            layers: model.parameters.iter().map(layer).collect(),
            feedbacks: vec![vec![Feedback::None]; model.parameters.len()],
            covariances: vec![Vec::new(); model.parameters.len()],
            means: vec![Vec::new(); model.parameters.len()],
            locked: vec![false; model.parameters.len()],
            trellises: vec![false; model.parameters.len()],
            original_shapes,
        };
        for InputMoments { weight, mean, covariances, places } in moments {
            let observations = places.min(OF_A_SAMPLE * samples) as f64;
            let feedback = |blocks: &Vec<Array2<f32>>| Feedback::of_covariances(blocks, observations);
            plan.feedbacks[weight.0] = covariances.iter().map(feedback).collect();
            plan.means[weight.0] = mean;
            plan.covariances[weight.0] = covariances;
        }
        plan
    }

    /// The network as it is.
    pub fn model(&self) -> &Model {
        self.model
    }

    /// Keeps the numbers of layers with these names in 16 bits.
    ///
    /// # Errors
    /// As [`locked`].
    pub fn lock(&mut self, names: &[String]) -> Result<(), RecipeError> {
        locked(&self.model.graph, names)?.into_iter().for_each(|parameter| self.locked[parameter.0] = true);
        Ok(())
    }

    /// Layers to be rounded, or those that keep 16 bits.
    pub fn chosen(&self, locked: bool) -> Vec<Layer> {
        let layers = self.layers.iter().zip(&self.locked).filter(|&(_, own)| *own == locked);
        layers.filter_map(|(layer, _)| layer.clone()).collect()
    }

    /// Rounds each layer alone, and lets it count by what that changes of the outputs. Large networks are left as they are.
    ///
    /// `tell` is given each layer's number in the graph and its sensitivity: how far the outputs move, over their size, if this layer alone has
    /// the noise [`TRIED`].
    pub fn weigh(
        &mut self,
        samples: &Samples,
        tell: &mut dyn FnMut(usize, f64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let of_sample: u64 = macs(self.model)?.iter().map(|layer| layer.dense).sum();
        let chosen: Vec<usize> = (0..self.layers.len()).filter(|&index| self.layers[index].is_some()).collect();
        if of_sample.saturating_mul((samples.len() * chosen.len()) as u64) > TRY_MACS {
            return Ok(());
        }
        // Also of locked ones, so that what is told does not depend on what is locked.
        let mut all: Vec<Layer> = self.layers.iter().flatten().cloned().collect();
        let price = price_of_noise(&mut all, TRIED, &mut |_| ());
        let before = logits(self.model, samples)?;
        struct Try {
            index: usize,
            weight: Result<f64, Error>,
        }
        let mut tries: Vec<Try> = chosen.iter().map(|&index| Try { index, weight: Ok(1.0) }).collect();
        let (plan, before) = (&*self, &before);
        let mut weights: Vec<f64> = Vec::new();
        for part in tries.chunks_mut(AT_ONCE * threads()) {
            for_each(part, |own| own.weight = plan.weight_of(own.index, price, before, samples));
            for own in part {
                let weight = own.weight.clone()?;
                weights.push(weight);
                for (layer, (_, parameter, _)) in plan.model.graph.layers().enumerate() {
                    if parameter.0 == own.index {
                        tell(layer, (weight * TRIED).sqrt())?;
                    }
                }
            }
        }
        let free = chosen.iter().zip(&weights).filter(|&(&index, weight)| !self.locked[index] && weight.is_normal());
        let known: Vec<f64> = free.map(|(_, weight)| weight.ln()).collect();
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        for (index, weight) in chosen.into_iter().zip(weights) {
            let times = (weight / mean.exp()).clamp(1.0 / WEIGHTS, WEIGHTS);
            if let Some(layer) = self.layers[index].as_mut() {
                layer.weigh(times);
            }
        }
        Ok(())
    }

    /// Chooses the layers that are rounded to multiples that a trellis has.
    pub fn choose_trellises(&mut self) {
        let price = self.price_of(TRIED);
        let mut jobs: Vec<(&mut bool, usize)> = self.trellises.iter_mut().zip(0..).collect();
        for_each(&mut jobs, |(trellis, index)| {
            let (layer, groups) = (&self.layers[*index], self.feedbacks[*index].len());
            let layout = Layout::of_shape(self.model.parameters[*index].values.shape());
            **trellis = layer.as_ref().is_some_and(|layer| dependent::worthwhile(layer, price, &layout, groups));
        });
    }

    /// The squared distance of the outputs when one layer alone is rounded, over its noise when each weight is rounded by itself.
    fn weight_of(&self, index: usize, price: f64, before: &Array2<f32>, samples: &Samples) -> Result<f64, Error> {
        let Some(layer) = &self.layers[index] else { return Ok(0.0) };
        let rounded = self.round_layer(index, layer, price).values();
        let mut model = self.model.clone();
        for (_, weight, bias) in self.model.graph.layers().filter(|(_, weight, _)| weight.0 == index) {
            if let Some(bias) = bias.filter(|_| !self.means[index].is_empty()) {
                let shift = self.shift(weight, &rounded);
                model.values_mut(bias).iter_mut().zip(&shift).for_each(|(value, shift)| *value -= shift);
                break;
            }
        }
        model.parameters[index].values = rounded;
        let after = logits(&model, samples)?;
        Ok(relative_distance(before, &after).powi(2) / layer.plain_noise(price).max(f64::MIN_POSITIVE))
    }

    /// The network rounded at a price of a bit.
    pub fn round(&self, price: f64) -> FixedPoint {
        let mut parameters: Vec<Option<FixedParameter>> = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let layer = layer.as_ref().filter(|_| !self.locked[index]);
            parameters.push(layer.map(|layer| self.round_layer(index, layer, price)));
        }
        // What rounding changes of the outputs' means goes into the biases.
        let mut shifts: Vec<Option<Array1<f32>>> = vec![None; parameters.len()];
        for (_, weight, bias) in self.model.graph.layers() {
            let (Some(bias), Some(rounded)) = (bias, &parameters[weight.0]) else { continue };
            if !self.means[weight.0].is_empty() {
                shifts[bias.0] = Some(self.shift(weight, &rounded.values()));
            }
        }
        let biases: Vec<ParamId> = self.model.graph.layers().filter_map(|(_, _, bias)| bias).collect();
        let vector = |(index, parameter): (usize, &Parameter)| {
            let mut vector = parameter.clone();
            if let Some(shift) = &shifts[index] {
                vector.values.iter_mut().zip(shift).for_each(|(value, shift)| *value -= shift);
            }
            let short = biases.contains(&ParamId(index)) && !self.locked[index];
            let most = if short { LARGEST_BIAS } else { LARGEST_VECTOR };
            uniform(&vector, fitting(&vector.values, most))
        };
        let parameters = self.model.parameters.iter().enumerate().zip(parameters);
        FixedPoint {
            graph: self.model.graph.clone(),
            parameters: parameters.map(|(own, rounded)| rounded.unwrap_or_else(|| vector(own))).collect(),
            original_shapes: self.original_shapes.clone(),
        }
    }

    fn round_layer(&self, index: usize, layer: &Layer, price: f64) -> FixedParameter {
        let parameter = &self.model.parameters[index];
        let rows = parameter.values.shape()[0].max(1);
        let trellis = self.trellises[index] && dependent::pays(layer, price);
        let (finer, coarse) =
            if trellis { (dependent::STEP, f64::from(dependent::STEP) * COARSE) } else { (1.0, COARSE) };
        let mut grid = Grid::near(finer * layer.step_at(price), layer.largest());
        let mut symbols = vec![0; layer.values.len()];
        if let Ok(weights) = ArrayView2::from_shape((rows, layer.values.len() / rows), &layer.values) {
            symbols = self.symbols_of(index, weights, grid, trellis);
            let zeros = symbols.iter().filter(|&&symbol| symbol == 0).count();
            if zeros as f64 > coarse * symbols.len() as f64 {
                grid = grid.scaled(feedback::scale(weights, grid.step(), &symbols, &self.covariances[index]));
            }
        }
        let codebook = grid.codebook();
        FixedParameter { name: parameter.name.clone(), shape: parameter.values.shape().to_vec(), symbols, codebook }
    }

    /// The symbols of a layer's weights, `[rows, inputs]`, on a grid.
    fn symbols_of(&self, index: usize, weights: ArrayView2<f32>, grid: Grid, trellis: bool) -> Vec<i16> {
        let (step, feedbacks) = (grid.step(), &self.feedbacks[index]);
        if trellis {
            return feedback::round(weights, step, feedbacks, &Dependent::new(weights, step, i16::MAX));
        }
        let rounding = Rounding::new(weights.iter(), step).in_steps();
        let zeros = weights.iter().filter(|&weight| rounding.symbol(weight / step) == 0).count();
        match zeros as f64 > SPARSE * weights.len() as f64 {
            true => feedback::round(weights, step, feedbacks, &Sparse::new(weights, step)),
            false => feedback::round(weights, step, feedbacks, &rounding),
        }
    }

    /// By how much the mean of each output of a layer rises when its weight is replaced.
    fn shift(&self, weight: ParamId, rounded: &ArrayD<f32>) -> Array1<f32> {
        let (means, before) = (&self.means[weight.0], self.model.values(weight));
        let outputs = before.shape()[0];
        let inputs = before.len() / outputs.max(1);
        let groups = means.len() / inputs.max(1);
        let of_group = outputs.div_ceil(groups.max(1)).max(1);
        let rows = before.axis_iter(Axis(0)).zip(rounded.axis_iter(Axis(0))).enumerate();
        rows.map(|(row, (before, after))| {
            let means = &means[row / of_group * inputs..][..inputs];
            after.iter().zip(before).zip(means).map(|((after, before), mean)| (after - before) * mean).sum::<f32>()
        })
        .collect()
    }

    /// The highest price at which the layers that are not locked have so little noise over their energy, in the mean.
    pub fn price_of(&self, noise: f64) -> f64 {
        price_of_noise(&mut self.chosen(false), noise, &mut |_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise::price_of_bits;
    use super::*;
    use crate::data::{Samples, Values};
    use crate::model::presets::{Chain, initialize};
    use crate::model::{Conv, Node, Scaling, ValueId};
    use crate::network::{input_moments, logits};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;
    use std::sync::Arc;

    /// Images whose pixels have much in common with their neighbours.
    fn images(count: usize, seed: u64) -> Samples {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut values = Vec::new();
        for _ in 0..count {
            let waves: Vec<[f32; 4]> = (0..3).map(|_| [(); 4].map(|()| rng.random::<f32>())).collect();
            for place in 0..2 * 64 {
                let (x, y, channel) = ((place % 8) as f32, (place / 8 % 8) as f32, (place / 64) as f32);
                values
                    .push(waves.iter().map(|[a, b, c, d]| (a * x + b * y + 6.0 * c + d * channel).sin()).sum::<f32>());
            }
        }
        let values = Values::Floats(Arc::new(values));
        Samples::of_values(vec![2, 8, 8], values, Vec::new(), Scaling::Raw).unwrap()
    }

    /// A residual network with a depthwise convolution.
    fn residual(seed: u64) -> Model {
        let mut model =
            Chain::new(vec![2, 8, 8]).conv("a", [6, 2, 3, 3], 1).relu().flatten().linear("b", [5, 384]).build();
        let depthwise = Parameter { name: "d".into(), values: ArrayD::zeros(vec![6, 1, 3, 3]) };
        let bias = Parameter { name: "d.bias".into(), values: ArrayD::zeros(vec![6]) };
        model.parameters.splice(2..2, [depthwise, bias]);
        let conv = Conv {
            weight: ParamId(2),
            bias: Some(ParamId(3)),
            stride: [1; 2],
            pads: [1; 4],
            groups: 6,
            dilation: [1; 2],
        };
        let node = |name: &str, op, inputs: &[usize]| Node {
            name: name.into(),
            op,
            inputs: inputs.iter().map(|&value| ValueId(value)).collect(),
        };
        let [first, relu, flatten, mut last] = std::mem::take(&mut model.graph.nodes).try_into().unwrap();
        if let crate::model::Op::Linear(linear) = &mut last.op {
            (linear.weight, linear.bias) = (ParamId(4), Some(ParamId(5)));
        }
        let (mut flatten, mut relu): (Node, Node) = (flatten, relu);
        relu.inputs = vec![ValueId(1)];
        flatten.inputs = vec![ValueId(4)];
        last.inputs = vec![ValueId(5)];
        let depthwise = node("d", crate::model::Op::Conv(conv), &[2]);
        let add = node("add", crate::model::Op::Add, &[2, 3]);
        model.graph.nodes = vec![first, relu, depthwise, add, flatten, last];
        initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(seed));
        model
    }

    fn chain(seed: u64) -> Model {
        let mut model =
            Chain::new(vec![2, 8, 8]).conv("a", [4, 2, 3, 3], 1).relu().flatten().linear("b", [1, 256]).build();
        initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(seed));
        model
    }

    /// The squared distance of the outputs from the original's, over the original's squares.
    fn noise(model: &Model, rounded: &FixedPoint, samples: &Samples) -> f32 {
        let (from, to) = (logits(model, samples).unwrap(), logits(&rounded.to_model(), samples).unwrap());
        (&from - &to).mapv(|error| error * error).sum() / from.mapv(|value| value * value).sum()
    }

    #[test]
    fn feedback_and_bias_correction_beat_plain_rounding_on_samples_not_seen() {
        let (seen, held_out) = (images(64, 1), images(100, 2));
        for make in [residual, chain] {
            let (mut plain, mut better) = (0.0, 0.0);
            for seed in 0..5 {
                let model = make(seed);
                let shapes = model.parameter_shapes();
                let moments = input_moments(&model, &seen).unwrap();
                let with = Plan::new(&model, moments, seen.len(), shapes.clone());
                let without = Plan::new(&model, Vec::new(), 0, shapes);
                let price = with.price_of(0.01);
                plain += noise(&model, &without.round(price), &held_out);
                better += noise(&model, &with.round(price), &held_out);
            }
            assert!(better < 0.6 * plain, "{better} {plain}");
        }
    }

    /// Two layers of one size whose outputs are added; those of the second are a tenth.
    fn branches(seed: u64) -> Model {
        let mut model = Chain::new(vec![2, 8, 8]).flatten().linear("b", [40, 128]).build();
        let (mut linear, parameters) = (model.graph.nodes[1].clone(), model.parameters.clone());
        if let crate::model::Op::Linear(own) = &mut linear.op {
            (own.weight, own.bias) = (ParamId(2), Some(ParamId(3)));
        }
        linear.name = "c".into();
        let add = Node { name: "add".into(), op: crate::model::Op::Add, inputs: vec![ValueId(2), ValueId(3)] };
        model.graph.nodes.extend([linear, add]);
        model
            .parameters
            .extend(parameters.into_iter().map(|own| Parameter { name: own.name.replace('b', "c"), ..own }));
        initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(seed));
        model.parameters[2].values.mapv_inplace(|weight| 0.1 * weight);
        model
    }

    /// As many bits by their frequencies, spent where they change the outputs most.
    #[test]
    fn layers_that_change_the_outputs_more_are_finer() {
        let (seen, tried, held_out) = (images(64, 1), images(8, 4), images(100, 2));
        let ratio = |make: fn(u64) -> Model, bits: f64, seeds: u64| {
            let (mut alike, mut weighed) = (0.0, 0.0);
            for seed in 0..seeds {
                let model = make(seed);
                let moments = input_moments(&model, &seen).unwrap();
                let mut plan = Plan::new(&model, moments, seen.len(), model.parameter_shapes());
                let within = |plan: &Plan| {
                    let mut layers: Vec<Layer> = plan.layers.iter().flatten().cloned().collect();
                    price_of_bits(&mut layers, bits, &mut |_| ())
                };
                alike += noise(&model, &plan.round(within(&plan)), &held_out);
                plan.weigh(&tried, &mut |_, _| Ok(())).unwrap();
                weighed += noise(&model, &plan.round(within(&plan)), &held_out);
            }
            weighed / alike
        };
        // By the geometric mean of both layers' noise in place of the mean, a fifth of it would be left.
        let apart = ratio(branches, 30_000.0, 5);
        assert!(apart < 0.5, "{apart}");
        // Layers that count as much as their energy says.
        let near = ratio(residual, 8_000.0, 30);
        assert!(near < 1.0, "{near}");
    }

    #[test]
    fn locked_layers_keep_16_bits_and_others_stay_as_they_are() {
        let (model, samples) = (residual(7), images(20, 3));
        let plan = || Plan::new(&model, input_moments(&model, &samples).unwrap(), 20, model.parameter_shapes());
        let (free, mut bound) = (plan(), plan());
        bound.lock(&["d".to_owned()]).unwrap();
        let price = free.price_of(0.05);
        let (free, locked) = (free.round(price), bound.round(price));
        for (index, original) in model.parameters.iter().enumerate() {
            if !original.name.starts_with('d') {
                assert_eq!(locked.parameters[index], free.parameters[index], "{}", original.name);
                continue;
            }
            let largest = original.values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            let errors = &locked.parameters[index].values() - &original.values;
            // Rounding's own mean is in the bias.
            let most = if original.values.ndim() > 1 { largest / 32_767.0 } else { 1e-4 };
            assert!(errors.iter().all(|error| error.abs() <= most), "{}: {errors}", original.name);
        }
        // Noise is that of the layers that are rounded.
        let all: Vec<String> = ["a", "d", "b"].map(str::to_owned).into();
        bound.lock(&all).unwrap();
        assert!(noise(&model, &bound.round(bound.price_of(0.5)), &samples) < 1e-6);
    }

    #[test]
    fn a_name_of_no_layer_is_refused_with_those_that_begin_like_it() {
        let graph = residual(1).graph;
        let refused = |name: &str| locked(&graph, &[name.to_owned()]).unwrap_err().to_string();
        assert_eq!(refused("d.weight"), "recipe, round.locked: expected names of layers, such as d, got d.weight");
        assert_eq!(refused(""), "recipe, round.locked: expected names of layers, such as a, d, b, got ");
        assert_eq!(locked(&graph, &["b".to_owned()]).unwrap(), [ParamId(4), ParamId(5)]);
    }

    /// By rounding each layer alone in the step in which it has that noise itself, where the run takes one price for all.
    #[test]
    fn sensitivities_are_distances_of_the_outputs_at_25_db() {
        let (model, samples) = (residual(5), images(64, 1));
        let mut plan = Plan::new(&model, input_moments(&model, &samples).unwrap(), 64, model.parameter_shapes());
        let looked_at = samples.range(0, 8);
        let before = logits(&model, &looked_at).unwrap();
        let expected = [0, 2, 4].map(|index| {
            let layer = plan.layers[index].clone().unwrap();
            let price = price_of_noise(&mut [layer.clone()], TRIED, &mut |_| ());
            let mut rounded = model.clone();
            rounded.parameters[index].values = plan.round_layer(index, &layer, price).values();
            relative_distance(&before, &logits(&rounded, &looked_at).unwrap())
        });
        let mut told = Vec::new();
        plan.weigh(&looked_at, &mut |layer, sensitivity| {
            told.push((layer, sensitivity));
            Ok(())
        })
        .unwrap();
        assert_eq!(told.iter().map(|(layer, _)| *layer).collect::<Vec<_>>(), [0, 1, 2]);
        for ((_, told), expected) in told.iter().zip(expected) {
            assert!((0.5..2.0).contains(&(told / expected)), "{told} {expected}");
        }
    }

    #[test]
    fn less_noise_is_a_lower_price_and_the_finest_steps_change_nothing_that_matters() {
        let (model, samples) = (residual(7), images(20, 3));
        let plan = Plan::new(&model, input_moments(&model, &samples).unwrap(), 20, model.parameter_shapes());
        let noises: Vec<f32> =
            [1e-1, 1e-2, 1e-3, 1e-7].map(|wanted| noise(&model, &plan.round(plan.price_of(wanted)), &samples)).into();
        assert!(noises.is_sorted_by(|a, b| a > b), "{noises:?}");
        assert!(noises[3] < 1e-6, "{noises:?}");
    }
}
