//! What layers read in the mean, as batch normalisations tell it: of whatever a network was trained on, the outputs of a normalisation have the mean that it
//! adds and the deviation that it multiplies by (Nagel et al. 2019, "Data-free quantization", section 4.2).

use super::normalized::normalizations;
use crate::error::GraphError;
use crate::model::{Conv, Model, Network, Op, ParamId};
use crate::network::unary_value;
use std::collections::HashMap;

/// A normal distribution of each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Normal {
    /// Means, `[channels]`.
    pub mean: Vec<f64>,
    /// Deviations, `[channels]`.
    pub deviation: Vec<f64>,
}

/// Places of a normal distribution, within four deviations either way, that a function is looked at.
const PLACES: usize = 65;

impl Normal {
    /// Mean and deviation of a function of each channel.
    fn through(&self, function: impl Fn(f64) -> f64) -> Normal {
        let places: Vec<(f64, f64)> = (0..PLACES)
            .map(|place| 8.0 * (place as f64 / (PLACES - 1) as f64) - 4.0)
            .map(|place| (place, (-0.5 * place * place).exp()))
            .collect();
        let all: f64 = places.iter().map(|(_, share)| share).sum();
        let of = |(&mean, &deviation): (&f64, &f64)| {
            let moment = |power: i32| {
                let terms = places.iter().map(|(place, share)| share * function(mean + deviation * place).powi(power));
                terms.sum::<f64>() / all
            };
            let first = moment(1);
            (first, (moment(2) - first * first).max(0.0).sqrt())
        };
        let (mean, deviation) = self.mean.iter().zip(&self.deviation).map(of).unzip();
        Normal { mean, deviation }
    }

    /// Of sums of independent numbers.
    fn plus(&self, other: &Normal) -> Normal {
        let sum = |(a, b): (&f64, &f64)| a + b;
        Normal {
            mean: self.mean.iter().zip(&other.mean).map(sum).collect(),
            deviation: self.deviation.iter().zip(&other.deviation).map(|(a, b)| a.hypot(*b)).collect(),
        }
    }

    /// Each channel so many times, one after the other.
    fn repeated(&self, times: usize) -> Normal {
        let repeat = |values: &[f64]| values.iter().flat_map(|&value| std::iter::repeat_n(value, times)).collect();
        Normal { mean: repeat(&self.mean), deviation: repeat(&self.deviation) }
    }
}

/// What the outputs of layers are like, with the normalisations behind them folded in: by the layers' weights.
pub fn known(network: &Network, model: &Model) -> HashMap<ParamId, Normal> {
    let tensors = &network.tensors;
    let layers: Vec<usize> = (0..tensors.len()).filter(|&index| tensors[index].shape.len() > 1).collect();
    let floats = |index: usize| tensors[index].values().into_iter().map(f64::from);
    normalizations(tensors, &layers)
        .into_iter()
        .filter_map(|found| {
            let (mean, deviation) = (floats(found.offset?).collect(), floats(found.gain?).map(f64::abs).collect());
            let name = &tensors[found.layer].name;
            let index = model.parameters.iter().position(|parameter| parameter.name == *name)?;
            let normal = Normal { mean, deviation };
            (model.parameters[index].values.shape().first() == Some(&normal.mean.len()))
                .then_some((ParamId(index), normal))
        })
        .collect()
}

/// The mean of what each weight of a layer multiplies, `[in, kernel height, kernel width]` (of all groups), where it is known: for a weight as [`known`] has them.
///
/// # Errors
/// [`GraphError`] if the model's shapes do not fit.
pub fn input_means(model: &Model, known: &HashMap<ParamId, Normal>) -> Result<HashMap<ParamId, Vec<f32>>, GraphError> {
    let shapes = model.shapes()?;
    let mut values: Vec<Option<Normal>> = vec![None; shapes.len()];
    let (mut means, mut seen): (HashMap<ParamId, Vec<f32>>, Vec<ParamId>) = (HashMap::new(), Vec::new());
    for (index, node) in model.graph.nodes.iter().enumerate() {
        let Some(&from) = node.inputs.first() else { continue };
        let (read, shape, to) = (values[from.0].clone(), &shapes[from.0], &shapes[index + 1]);
        values[index + 1] = match (&node.op, &read) {
            (Op::Conv(_) | Op::Linear(_), _) => node.op.layer().and_then(|(weight, _)| known.get(&weight)).cloned(),
            (Op::Relu, Some(read)) => Some(read.through(|x| x.max(0.0))),
            (Op::Unary(unary), Some(read)) => Some(read.through(|x| unary_value(unary, x))),
            (Op::Add, Some(read)) => {
                let other = node.inputs.get(1).filter(|other| shapes[other.0] == *shape);
                other.and_then(|other| values[other.0].as_ref()).map(|other| read.plus(other))
            }
            (Op::AveragePool(pool), Some(read)) if !pool.count_pads => Some(read.clone()),
            (Op::GlobalAveragePool, Some(read)) => {
                Some(Normal { deviation: vec![0.0; read.mean.len()], ..read.clone() })
            }
            (Op::Flatten | Op::Reshape(_), Some(read)) => match to[..] {
                [features] => Some(read.repeated(features / read.mean.len().max(1))),
                _ => None,
            },
            _ => None,
        };
        let Some((weight, _)) = node.op.layer() else { continue };
        let mean = read.and_then(|read| match (&node.op, &shape[..], &to[..]) {
            (Op::Conv(conv), &[_, height, width], &[_, rows, columns]) => {
                let sides = &model.values(weight).shape()[2..];
                let inside = inside(conv, [sides[0], sides[1]], [height, width], [rows, columns]);
                Some(read.mean.iter().flat_map(|mean| inside.iter().map(move |share| (mean * share) as f32)).collect())
            }
            (Op::Linear(_), &[_], _) => Some(read.mean.iter().map(|&mean| mean as f32).collect()),
            _ => None,
        });
        match mean {
            Some(mean) if !seen.contains(&weight) => drop(means.insert(weight, mean)),
            // Of layers that share a weight nothing is known.
            _ => drop(means.remove(&weight)),
        }
        seen.push(weight);
    }
    Ok(means)
}

/// For each tap of a kernel of these sides, how many of the places it is multiplied at lie in the picture; in the padding there are zeros.
fn inside(conv: &Conv, kernel: [usize; 2], from: [usize; 2], to: [usize; 2]) -> Vec<f64> {
    let of_side = |side: usize, tap: usize| {
        let place = |at: usize| (at * conv.stride[side] + tap * conv.dilation[side]).wrapping_sub(conv.pads[side]);
        (0..to[side]).filter(|&at| place(at) < from[side]).count() as f64 / to[side].max(1) as f64
    };
    (0..kernel[0]).flat_map(|down| (0..kernel[1]).map(move |across| of_side(0, down) * of_side(1, across))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Samples;
    use crate::model::presets::Chain;
    use crate::model::{Dtype, Scaling, Tensor};
    use crate::network::input_moments;

    fn normal(mean: &[f64], deviation: &[f64]) -> Normal {
        Normal { mean: mean.to_vec(), deviation: deviation.to_vec() }
    }

    #[test]
    fn a_rectified_normal_distribution_has_its_moments() {
        let made = normal(&[0.0, 1.0, -3.0, 2.0], &[1.0, 2.0, 1.0, 0.0]).through(|x| x.max(0.0));
        // By m P(m / d) + d p(m / d), and the like.
        for (got, expected) in made.mean.iter().zip([0.398_94, 1.395_6, 0.000_382, 2.0]) {
            assert!((got - expected).abs() < 2e-3, "{made:?}");
        }
        assert!((made.deviation[0] - 0.583_8).abs() < 2e-3 && made.deviation[3].abs() < 1e-6, "{made:?}");
    }

    /// Layers whose outputs are always the same: then the means are exactly those of any samples.
    #[test]
    fn means_are_those_of_samples_where_these_do_not_vary() {
        let mut model = Chain::new(vec![1, 9, 7])
            .conv("a", [4, 1, 3, 3], 1)
            .relu()
            .conv("b", [3, 4, 3, 3], 1)
            .max_pool()
            .conv("c", [2, 3, 1, 1], 0)
            .flatten()
            .linear("d", [2, 24])
            .build();
        let outputs = [vec![0.5, -1.0, 2.0, 0.25], vec![1.0, -2.0, 3.0], vec![0.75, -0.5]];
        for (layer, outputs) in outputs.iter().enumerate() {
            model.parameters[2 * layer].values.fill(0.0);
            model.parameters[2 * layer + 1].values.iter_mut().zip(outputs).for_each(|(to, &from)| *to = from);
        }
        let of = |outputs: &[f32]| {
            let mean: Vec<f64> = outputs.iter().copied().map(f64::from).collect();
            Normal { deviation: vec![0.0; mean.len()], mean }
        };
        let known = outputs.iter().enumerate().map(|(layer, outputs)| (ParamId(2 * layer), of(outputs))).collect();
        let means = input_means(&model, &known).unwrap();
        let samples = Samples::new(vec![1, 9, 7], vec![77; 3 * 63], Vec::new(), Scaling::Unit).unwrap();
        for moments in input_moments(&model, &samples).unwrap() {
            // Nothing is known of the input, and of a maximum.
            let expected = ![0, 4].contains(&moments.weight.0);
            assert_eq!(means.contains_key(&moments.weight), expected, "{:?}", moments.weight);
            for (got, expected) in means.get(&moments.weight).into_iter().flatten().zip(&moments.mean) {
                assert!((got - expected).abs() < 1e-6, "{:?}: {got} {expected}", moments.weight);
            }
        }
        assert_eq!(means[&ParamId(2)].len(), 36);
        assert_eq!(means[&ParamId(6)].len(), 24);
    }

    #[test]
    fn normalisations_are_found_by_their_names() {
        let model = Chain::new(vec![1, 4, 4]).conv("conv1", [2, 1, 3, 3], 0).build();
        let tensor = |name: &str, shape: &[usize], values: &[f32]| {
            Tensor::new(name.into(), shape.to_vec(), Dtype::F32, Dtype::F32.of_floats(values).unwrap())
        };
        let tensors = vec![
            tensor("conv1.weight", &[2, 1, 3, 3], &[0.1; 18]),
            tensor("bn1.weight", &[2], &[-0.5, 2.0]),
            tensor("bn1.bias", &[2], &[1.0, -1.0]),
            tensor("bn1.running_mean", &[2], &[9.0; 2]),
            tensor("bn1.running_var", &[2], &[9.0; 2]),
        ];
        let network = Network { tensors, ..Network::without_tensors(model.clone()) };
        let name = &model.parameters[0].name;
        assert_eq!(name, "conv1.weight");
        assert_eq!(known(&network, &model), HashMap::from([(ParamId(0), normal(&[1.0, -1.0], &[0.5, 2.0]))]));
        assert!(known(&Network::of_model(model.clone()), &model).is_empty());
    }
}
