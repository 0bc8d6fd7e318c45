//! What is to be said of an opened model file before anything is done with it.

use crate::coding::ParameterBits;
use crate::container;
use crate::error::Error;
use crate::formats::{Nut, Opened};
use crate::model::recognise::usual_scaling;
use crate::model::{Codebook, FixedParameter, Model, Scaling};
use crate::pipeline::{LayerState, Stage, classifies, describe_layers};
use crate::resources;
use crate::stages::prune::nonzeros;
use serde::Serialize;
use std::collections::BTreeSet;

/// A file in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Summary {
    /// Such as `onnx`, `safetensors` or `nut`.
    pub format: &'static str,
    /// The format that the tensors came from.
    pub source: &'static str,
    /// Size of the file.
    pub file_bytes: usize,
    /// Elements of all tensors.
    pub elements: usize,
    /// Bytes of all tensors in their own types.
    pub tensor_bytes: usize,
    /// In the order of the file.
    pub tensors: Vec<TensorSummary>,
    /// The network, if it can be run.
    pub graph: Option<GraphSummary>,
    /// How pixels become numbers in networks of this kind, where that is known: it holds if neither the file nor labels tell.
    pub usual_scaling: Option<Scaling>,
    /// Why it cannot, if the file has a graph.
    pub obstacle: Option<String>,
    /// What was left out of the file, or is not as it was there.
    pub notes: Vec<String>,
    /// What only a `.nut` file has.
    pub nut: Option<NutSummary>,
}

/// A tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TensorSummary {
    /// Its name.
    pub name: String,
    /// Its sides.
    pub shape: Vec<usize>,
    /// Its type, as numpy calls it.
    pub dtype: &'static str,
    /// Whether the file held integers with a scale.
    pub dequantized: bool,
    /// Elements that are not zero.
    pub nonzeros: usize,
    /// Of a `.nut` file, whose numbers are multiples of it; none if they are kept as they are.
    pub step: Option<f32>,
}

/// A network that can be run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GraphSummary {
    /// Whether its weights are integers with codebooks.
    pub compressed: bool,
    /// Whether the graph is not the file's: it is that of an architecture that was recognised by the tensors.
    pub recognised: bool,
    /// Whether its answers are classes.
    pub classifies: bool,
    /// Bytes of the original's parameters as 32-bit floats.
    pub baseline_bytes: usize,
    /// Weights and biases, in the shapes in which it runs.
    pub parameters: usize,
    /// Those that are not zero.
    pub nonzeros: usize,
    /// Multiply-accumulates of the dense network, for one sample.
    pub macs: u64,
    /// Those with a weight that is not zero.
    pub nonzero_macs: u64,
    /// Bytes of activations that have to be held at once, one sample, as 32-bit floats.
    pub peak_activation_bytes: usize,
    /// Name of the input.
    pub input_name: String,
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
#[cfg_attr(test, derive(ts_rs::TS))]
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

/// What only a `.nut` file has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NutSummary {
    /// Number of its topology: 0 is a graph that is stored, 15 none.
    pub topology: u8,
    /// Whether names are stored.
    pub named: bool,
    /// Bytes of the original divided by the size of the file.
    pub ratio: f64,
    /// Where the bytes go, each kind with its bytes; fractions, since the coded stream is rounded up once. Empty if the file is not as this
    /// version writes it.
    pub items: Vec<(&'static str, f64)>,
    /// The fixed-point format of each parameter of a network with its graph.
    pub formats: Vec<FormatSummary>,
}

/// The fixed-point format of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FormatSummary {
    /// Its name.
    pub parameter: String,
    /// `uniform` steps, or `free` centroids.
    pub codebook: &'static str,
    /// The m of Qm.n, without the sign: the largest magnitude is below `2^m`.
    pub integer_bits: i32,
    /// The n of Qm.n.
    pub fraction_bits: i32,
    /// Distinct values, zero among them if it occurs.
    pub values: usize,
}

impl Summary {
    /// Sums up a file of `file_bytes`.
    ///
    /// # Errors
    /// [`Error::Graph`] where the shapes do not fit.
    pub fn new(opened: &Opened, file_bytes: usize) -> Result<Self, Error> {
        let Opened { network, format, nut } = opened;
        let tensors = network.tensors.iter().map(|tensor| TensorSummary {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            dtype: tensor.dtype.name(),
            dequantized: tensor.dequantized,
            nonzeros: tensor.values().iter().filter(|&&value| value != 0.0).count(),
            step: tensor.steps.as_ref().map(|steps| steps.step),
        });
        let (graph, nut) = match nut {
            Some(Nut::Network(nut)) => {
                let (graph, nut) = compressed(nut, file_bytes)?;
                (Some(graph), Some(nut))
            }
            Some(Nut::Tensors(items)) => {
                let mut kinds = vec![("head", items.head_bytes as f64)];
                kinds.extend(items.sections.iter().map(|&(name, bytes)| (name, bytes as f64)));
                kinds.push(("coded numbers", items.payload_bytes as f64));
                kinds.push(("checksum", items.checksum_bytes as f64));
                let ratio = network.bytes() as f64 / file_bytes as f64;
                let topology = container::layout::WEIGHTS;
                (None, Some(NutSummary { topology, named: true, ratio, items: kinds, formats: Vec::new() }))
            }
            None => (None, None),
        };
        let own_graph = || {
            network.model.as_ref().map(|model| {
                floats(model, ![format, network.source_name()].iter().any(|name| matches!(*name, "onnx" | "tflite")))
            })
        };
        Ok(Summary {
            format,
            source: network.source_name(),
            file_bytes,
            elements: network.count(),
            tensor_bytes: network.bytes(),
            tensors: tensors.collect(),
            graph: graph.map(Ok).or_else(own_graph).transpose()?,
            usual_scaling: usual_scaling(network),
            obstacle: network.obstacle.as_ref().map(|obstacle| match &network.model {
                Some(_) => obstacle.to_string(),
                None => network.not_runnable().to_string(),
            }),
            notes: network.notes.clone(),
            nut,
        })
    }
}

fn floats(model: &Model, recognised: bool) -> Result<GraphSummary, Error> {
    let layers = describe_layers(model, Stage::Original, None)?;
    graph(model, layers, recognised)
}

fn graph(model: &Model, layers: Vec<LayerState>, recognised: bool) -> Result<GraphSummary, Error> {
    let shapes = model.shapes()?;
    let nodes = model.graph.nodes.iter().zip(&shapes[1..]).map(|(node, shape)| {
        let parameters = node
            .op
            .layer()
            .map_or(0, |(weight, bias)| model.values(weight).len() + bias.map_or(0, |bias| model.values(bias).len()));
        let inputs = node.inputs.iter().map(|value| value.0).collect();
        NodeSummary { name: node.name.clone(), op: node.op.name(), shape: shape.clone(), parameters, inputs }
    });
    Ok(GraphSummary {
        compressed: false,
        recognised,
        classifies: classifies(model)?,
        baseline_bytes: model.parameter_bytes(),
        parameters: model.parameter_count(),
        nonzeros: nonzeros(model),
        macs: layers.iter().map(|layer| layer.dense_macs).sum(),
        nonzero_macs: layers.iter().map(|layer| layer.macs).sum(),
        peak_activation_bytes: resources::peak_activation_bytes(model)?,
        input_name: model.graph.input_name.clone(),
        input_shape: model.graph.input_shape.clone(),
        scaling: None,
        nodes: nodes.collect(),
        layers,
    })
}

fn compressed(nut: &container::Nut, file_bytes: usize) -> Result<(GraphSummary, NutSummary), Error> {
    // Written again as it was, the file tells what the coder spent on each parameter.
    let encoded = container::write(&nut.network, &nut.write_options())?;
    let coded: Vec<_> = encoded.items.parameters.iter().map(|(_, bits)| *bits).collect();
    let model = nut.network.to_model();
    let layers = describe_layers(&model, Stage::Code, Some(&coded))?;
    let original: usize = nut.network.original_shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
    let graph = graph(&model, layers, false)?;
    let graph =
        GraphSummary { compressed: true, baseline_bytes: 4 * original, scaling: Some(nut.scaling.clone()), ..graph };
    let bytes_of = |bits: fn(&ParameterBits) -> f64| coded.iter().map(bits).sum::<f64>() / 8.0;
    let items = &encoded.items;
    let mut kinds = vec![("head", items.head_bytes as f64)];
    kinds.extend(items.sections.iter().map(|&(name, bytes)| (name, bytes as f64)));
    kinds.extend([
        ("widths", items.width_bits / 8.0),
        ("positions", bytes_of(|bits| bits.positions)),
        ("signs", bytes_of(|bits| bits.signs)),
        ("magnitudes", bytes_of(|bits| bits.magnitudes)),
        ("codebooks", bytes_of(|bits| bits.codebook)),
        ("checksum", items.checksum_bytes as f64),
    ]);
    let same = encoded.bytes.len() == nut.bytes;
    let summary = NutSummary {
        topology: nut.topology.number(),
        named: nut.named,
        ratio: (4 * original) as f64 / file_bytes as f64,
        items: if same { kinds } else { Vec::new() },
        formats: nut.network.parameters.iter().map(FormatSummary::new).collect(),
    };
    Ok((graph, summary))
}

impl FormatSummary {
    fn new(parameter: &FixedParameter) -> Self {
        let fraction_bits = i32::from(parameter.codebook.fraction_bits());
        let mut values = BTreeSet::new();
        values.extend(parameter.integers());
        let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
        FormatSummary {
            parameter: parameter.name.clone(),
            codebook: match parameter.codebook {
                Codebook::Uniform { .. } => "uniform",
                Codebook::Free { .. } => "free",
            },
            integer_bits: (u32::BITS - largest.leading_zeros()) as i32 - fraction_bits,
            fraction_bits,
            values: values.len(),
        }
    }
}
