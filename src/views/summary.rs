//! What is to be said of an opened file before anything is done with it.

pub mod samples;
pub mod weights;

use crate::container::{self, Nut};
use crate::error::Error;
use crate::formats::{self, Opened};
use crate::model::{Model, Scaling};
use crate::pipeline::{LayerState, Stage, describe_layers};
use serde::Serialize;

/// An opened file in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// `model` for a network in floats, `nut` for one that is compressed.
    pub format: &'static str,
    /// Size of the file.
    pub file_bytes: usize,
    /// Bytes of the original's parameters as 32-bit floats.
    pub baseline_bytes: usize,
    /// Weights and biases, in the shapes that the file holds.
    pub parameters: usize,
    /// Multiply-accumulates of the dense network, for one sample.
    pub macs: u64,
    /// Shape of one sample.
    pub input_shape: Vec<usize>,
    /// How pixels become numbers, if the file says so.
    pub scaling: Option<Scaling>,
    /// In the order in which they run.
    pub nodes: Vec<NodeSummary>,
    /// The nodes that have weights, with what the viewer draws of them.
    pub layers: Vec<LayerState>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeSummary {
    /// Its name in the file.
    pub name: String,
    /// Its operator.
    pub op: &'static str,
    /// Shape of its output for one sample.
    pub shape: Vec<usize>,
    /// Weights and biases.
    pub parameters: usize,
    /// What it reads: 0 is the network's input, and `n` the output of the node at place `n - 1`.
    pub inputs: Vec<usize>,
}

impl Summary {
    /// Sums up a network that can be run, of a file of `file_bytes`.
    ///
    /// # Errors
    /// [`Error::Load`] if it cannot be run, [`Error::Graph`] where the shapes do not fit.
    pub fn new(opened: &Opened, file_bytes: usize) -> Result<Self, Error> {
        match &opened.nut {
            Some(formats::Nut::Network(nut)) => compressed(nut, file_bytes),
            Some(formats::Nut::Tensors(_)) | None => {
                let model = opened.network.runnable()?;
                let layers = describe_layers(model, Stage::Original, None)?;
                Ok(Summary { file_bytes, ..plain(model, layers)? })
            }
        }
    }
}

fn plain(model: &Model, layers: Vec<LayerState>) -> Result<Summary, Error> {
    let shapes = model.shapes()?;
    let nodes = model.graph.nodes.iter().zip(&shapes[1..]).map(|(node, shape)| {
        let parameters = node
            .op
            .layer()
            .map_or(0, |(weight, bias)| model.values(weight).len() + bias.map_or(0, |bias| model.values(bias).len()));
        let inputs = node.inputs.iter().map(|value| value.0).collect();
        NodeSummary { name: node.name.clone(), op: node.op.name(), shape: shape.clone(), parameters, inputs }
    });
    Ok(Summary {
        format: "model",
        file_bytes: 0,
        baseline_bytes: model.parameter_bytes(),
        parameters: model.parameter_count(),
        macs: model.macs()?,
        input_shape: model.graph.input_shape.clone(),
        scaling: None,
        nodes: nodes.collect(),
        layers,
    })
}

fn compressed(nut: &Nut, file_bytes: usize) -> Result<Summary, Error> {
    // Written again as it was, the file tells what the coder spent on each parameter.
    let encoded = container::write(&nut.network, &nut.write_options())?;
    let coded: Vec<_> = encoded.items.parameters.iter().map(|(_, bits)| *bits).collect();
    let model = nut.network.to_model();
    let layers = describe_layers(&model, Stage::Code, Some(&coded))?;
    let original: usize = nut.network.original_shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
    Ok(Summary {
        format: "nut",
        file_bytes,
        baseline_bytes: 4 * original,
        scaling: Some(nut.scaling.clone()),
        ..plain(&model, layers)?
    })
}
