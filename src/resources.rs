//! Cost models: what a network takes in memory and in multiplications, and what a run makes small.

use crate::container::{self, WriteOptions};
use crate::error::{Error, GraphError};
use crate::model::histogram;
use crate::model::{FixedParameter, FixedPoint, Model, ParamId, ValueId};
use std::fmt::Debug;

/// What a run makes small.
pub trait Objective: Debug {
    /// What a cost counts, such as `bytes`.
    fn unit(&self) -> &'static str;

    /// What a network costs.
    ///
    /// # Errors
    /// If the network breaks a rule of its types.
    fn cost(&self, network: &FixedPoint) -> Result<usize, Error>;

    /// How much a bit of a parameter's code counts in training, as a factor on the recipe's price of a bit.
    fn price(&self, parameter: &FixedParameter) -> f32;
}

/// Memory: the size of the `.nut` file.
#[derive(Debug, Clone, Default)]
pub struct Bytes {
    /// How the file is written.
    pub options: WriteOptions,
}

impl Objective for Bytes {
    fn unit(&self) -> &'static str {
        "bytes"
    }

    fn cost(&self, network: &FixedPoint) -> Result<usize, Error> {
        Ok(container::write(network, &self.options)?.bytes.len())
    }

    fn price(&self, _parameter: &FixedParameter) -> f32 {
        1.0
    }
}

/// Multiplications of one layer for one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerMacs {
    /// Multiply-accumulates as a dense network computes them.
    pub dense: u64,
    /// Those with a weight that is not zero.
    pub nonzero: u64,
}

/// Multiplications of each layer, in the order of [`Graph::layers`](crate::model::Graph::layers).
///
/// A convolution uses each weight once a position of its output; padding counts as if it were pixels.
///
/// # Errors
/// [`GraphError`] where the shapes do not fit.
pub fn macs(model: &Model) -> Result<Vec<LayerMacs>, GraphError> {
    let shapes = model.shapes()?;
    let layer = |(node, weight, _): (usize, ParamId, Option<ParamId>)| {
        let values = model.values(weight);
        let positions = model.graph.nodes[node].op.uses(&shapes[node + 1], values.shape()[0]);
        let nonzeros = histogram::nonzeros(values.as_standard_layout().as_slice().unwrap_or_default());
        LayerMacs { dense: (values.len() * positions) as u64, nonzero: (nonzeros * positions) as u64 }
    };
    Ok(model.graph.layers().map(layer).collect())
}

/// Bytes of the activations that have to be held at once, at the worst node, for one sample of 32-bit floats: its output
/// and every value that it or a later node still reads.
///
/// # Errors
/// [`GraphError`] where the shapes do not fit.
pub fn peak_activation_bytes(model: &Model) -> Result<usize, GraphError> {
    let shapes = model.shapes()?;
    let nodes = &model.graph.nodes;
    let last_reader = |value: usize| nodes.iter().rposition(|node| node.inputs.contains(&ValueId(value))).unwrap_or(0);
    let held = |index: usize| {
        let output: usize = shapes[index + 1].iter().product();
        let alive = (0..=index).filter(|&value| last_reader(value) >= index);
        output + alive.map(|value| shapes[value].iter().product::<usize>()).sum::<usize>()
    };
    Ok(4 * (0..nodes.len()).map(held).max().unwrap_or(0))
}

/// Bytes of a pruned network: a bit for each weight says whether it is there, and each that is takes a 32-bit float.
/// Vectors are dense.
pub fn pruned_bytes(model: &Model) -> usize {
    stored_bytes(model, |_, nonzeros| 32 * nonzeros)
}

/// Bytes of a network whose weights are shared: a bit for each weight says whether it is there, each that is takes an
/// index of whole bits, and a layer's centroids are 32-bit floats.
pub fn shared_bytes(model: &Model, codebooks: &[Option<Vec<f32>>]) -> usize {
    stored_bytes(model, |id, nonzeros| {
        let centroids = codebooks[id].as_ref().map_or(0, Vec::len);
        let index_bits = centroids.next_power_of_two().trailing_zeros() as usize;
        32 * centroids + index_bits * nonzeros
    })
}

fn stored_bytes(model: &Model, weight_bits: impl Fn(usize, usize) -> usize) -> usize {
    let bits = |(id, parameter): (usize, &crate::model::Parameter)| {
        let values = &parameter.values;
        if values.ndim() < 2 {
            return 32 * values.len();
        }
        values.len() + weight_bits(id, values.iter().filter(|&&value| value != 0.0).count())
    };
    model.parameters.iter().enumerate().map(bits).sum::<usize>().div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets;

    #[test]
    fn lenet5_costs_what_is_known() {
        let mut model = presets::lenet5(presets::LENET5_WIDTHS);
        let layers = macs(&model).unwrap();
        assert_eq!(layers.iter().map(|layer| layer.dense).collect::<Vec<_>>(), [288_000, 1_600_000, 400_000, 5_000]);
        assert!(layers.iter().all(|layer| layer.nonzero == 0));
        // conv1's output beside the pooled one.
        assert_eq!(peak_activation_bytes(&model).unwrap(), 4 * (20 * 24 * 24 + 20 * 12 * 12));
        model.parameters[0].values[[0, 0, 2, 2]] = 0.5;
        assert_eq!(macs(&model).unwrap()[0].nonzero, 576);
        let bias_bytes = 4 * (20 + 50 + 500 + 10);
        assert_eq!(pruned_bytes(&model), (431_080usize - 580).div_ceil(8) + 4 + bias_bytes);
        let codebooks = [Some(vec![0.5]), None, Some(vec![]), None, Some(vec![]), None, Some(vec![]), None];
        assert_eq!(shared_bytes(&model, &codebooks), pruned_bytes(&model));
    }
}
