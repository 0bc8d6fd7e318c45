//! A network after a stage, as the viewer and the report show it.

use super::event::{Accuracy, LayerBits, LayerState, StageState};
use super::recipe::Stage;
use crate::coding::ParameterBits;
use crate::error::GraphError;
use crate::model::histogram;
use crate::model::{Model, ParamId};
use crate::resources;
use crate::stages::prune::nonzeros;

/// Bins of the histograms that go with a stage.
const BINS: usize = 121;
/// More distinct values than this are no codebook.
const LARGEST_CODEBOOK: usize = 256;

/// What is known of a stage's result beside its weights.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Which stage.
    pub stage: Stage,
    /// Bytes of the original's parameters.
    pub baseline_bytes: usize,
    /// Size on disk, as a file of this stage would hold the network.
    pub bytes: usize,
    /// On validation samples.
    pub validation: Accuracy,
    /// What the coder spent on each parameter, once there is a file.
    pub coded: Option<&'a [ParameterBits]>,
}

/// Describes the network after a stage.
///
/// # Errors
/// [`GraphError`] where the shapes do not fit.
pub fn describe(model: &Model, facts: Facts<'_>) -> Result<StageState, GraphError> {
    let macs = resources::macs(model)?;
    Ok(StageState {
        stage: facts.stage,
        bytes: facts.bytes,
        ratio: facts.baseline_bytes as f64 / facts.bytes.max(1) as f64,
        validation: facts.validation,
        nonzeros: nonzeros(model),
        macs: macs.iter().map(|layer| layer.dense).sum(),
        layers: describe_layers(model, facts.stage, facts.coded)?,
    })
}

/// Describes the layers of a network, in order; `coded` is what the coder spent on each parameter.
///
/// # Errors
/// [`GraphError`] where the shapes do not fit.
pub fn describe_layers(
    model: &Model,
    stage: Stage,
    coded: Option<&[ParameterBits]>,
) -> Result<Vec<LayerState>, GraphError> {
    let layers = model
        .graph
        .layers()
        .zip(resources::macs(model)?)
        .map(|((node, weight, bias), macs)| {
            let values = model.values(weight);
            let biases = bias.map(|bias| model.values(bias));
            let flat = values.as_standard_layout();
            let flat = flat.as_slice().unwrap_or_default();
            let count = |values: &ndarray::ArrayD<f32>| values.iter().filter(|&&value| value != 0.0).count();
            let range = histogram::range(flat);
            let nonzeros = histogram::nonzeros(flat);
            let centroids = if stage >= Stage::Share { distinct(values) } else { Vec::new() };
            LayerState {
                name: model.graph.nodes[node].name.clone(),
                op: model.graph.nodes[node].op.name().to_owned(),
                shape: values.shape().to_vec(),
                parameters: values.len() + biases.map_or(0, |biases| biases.len()),
                nonzeros: nonzeros + biases.map_or(0, count),
                macs: macs.nonzero,
                dense_macs: macs.dense,
                histogram: histogram::nonzero_histogram(flat, BINS, range),
                range,
                bits: match coded {
                    Some(coded) => coded_bits(coded, weight, bias),
                    None => LayerBits {
                        biases: 32.0 * biases.map_or(0, |biases| biases.len()) as f64,
                        ..float_bits(stage, values.len(), nonzeros, centroids.len())
                    },
                },
                centroids,
                step: None,
                sensitivity: None,
            }
        })
        .collect();
    Ok(layers)
}

fn coded_bits(coded: &[ParameterBits], weight: ParamId, bias: Option<ParamId>) -> LayerBits {
    let spent = &coded[weight.0];
    LayerBits {
        positions: spent.positions,
        signs: spent.signs,
        magnitudes: spent.magnitudes,
        codebook: spent.codebook,
        biases: bias.map_or(0.0, |bias| coded[bias.0].total()),
    }
}

/// What a layer's weights take before there is a file, as [`resources`] counts a whole network.
fn float_bits(stage: Stage, weights: usize, nonzeros: usize, centroids: usize) -> LayerBits {
    let (positions, magnitudes, codebook) = match stage {
        Stage::Original | Stage::Structure => (0, 32 * weights, 0),
        Stage::Share if centroids > 0 => {
            let index_bits = centroids.next_power_of_two().trailing_zeros() as usize;
            (weights, index_bits * nonzeros, 32 * centroids)
        }
        _ => (weights, 32 * nonzeros, 0),
    };
    let (positions, magnitudes, codebook) = (positions as f64, magnitudes as f64, codebook as f64);
    LayerBits { positions, magnitudes, codebook, ..LayerBits::default() }
}

/// The distinct values but zero with their counts, rising; empty if there are too many for a codebook.
fn distinct(values: &ndarray::ArrayD<f32>) -> Vec<(f32, u32)> {
    // The bits of floats are ordered as they are, once those of negative ones are turned round.
    let turned = |bits: u32| if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    let back = |key: u32| f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key });
    // Rising.
    let mut counts: Vec<(u32, u32)> = Vec::new();
    for &value in values.iter().filter(|&&value| value != 0.0) {
        let key = turned(value.to_bits());
        match counts.binary_search_by_key(&key, |known| known.0) {
            Ok(at) => counts[at].1 += 1,
            Err(_) if counts.len() == LARGEST_CODEBOOK => return Vec::new(),
            Err(at) => counts.insert(at, (key, 1)),
        }
    }
    counts.into_iter().map(|(key, count)| (back(key), count)).collect()
}
