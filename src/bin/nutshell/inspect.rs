//! `nutshell inspect`.

use crate::files::{self, ModelFile};
use crate::samples::Reading;
use crate::{Answer, dataset, nut, weights};
use clap::Args;
use nutshell::data::{Dataset, is_dataset};
use nutshell::error::{GraphError, LoadError};
use nutshell::formats::{Nut, gzip};
use nutshell::stages::prune::nonzeros;
use nutshell::views::summary::weights::WeightsSummary;
use nutshell::{Error, Model, resources};
use serde::Serialize;
use std::path::PathBuf;

/// What else can be looked at.
const SAMPLES: &str = "samples as IDX, npz, CSV, or a ZIP archive of pictures";

/// Show what is in a model file, or in a data set.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A network, in floats or as .nut, or samples: a folder, or a file of IDX, npz, CSV, or pictures in a ZIP archive; - is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    reading: Reading,
}

/// What is in a model file.
#[derive(Serialize)]
struct Inspection {
    file: String,
    /// Such as `onnx` or `nut`.
    format: &'static str,
    /// Size of the file.
    bytes: usize,
    /// Weights and biases.
    parameters: usize,
    /// Those that are not zero.
    nonzeros: usize,
    /// Multiply-accumulates for one sample, of the dense network.
    macs: u64,
    /// Those with a weight that is not zero.
    nonzero_macs: u64,
    /// Bytes of activations that have to be held at once, one sample, as 32-bit floats.
    peak_activation_bytes: usize,
    /// Shape of one sample.
    input_shape: Vec<usize>,
    /// In the order in which they run.
    nodes: Vec<NodeRow>,
    /// The nodes that have weights.
    layers: Vec<LayerRow>,
    /// What only a .nut file has.
    nut: Option<nut::Contents>,
}

#[derive(Serialize)]
struct NodeRow {
    name: String,
    op: &'static str,
    /// Names of what it reads.
    inputs: Vec<String>,
    /// Shape of what it makes, one sample.
    shape: Vec<usize>,
}

#[derive(Serialize)]
struct LayerRow {
    name: String,
    op: &'static str,
    /// Of the weight.
    shape: Vec<usize>,
    parameters: usize,
    nonzeros: usize,
    macs: u64,
    nonzero_macs: u64,
}

impl Arguments {
    /// Opens the file, and answers with what is in it.
    pub fn run(&self) -> Result<Answer, Error> {
        let file = self.file.display().to_string();
        if self.file.is_dir() {
            return Ok(of_dataset(file, self.reading.open(&self.file)?));
        }
        let bytes = files::read(&self.file)?;
        if is_dataset(&gzip::decompress(&bytes, files::CAP, "file")?) {
            // From its path, if it has one: labels may lie beside it.
            let dataset = match files::is_standard(&self.file) {
                true => self.reading.read(&bytes)?,
                false => self.reading.open(&self.file)?,
            };
            return Ok(of_dataset(file, dataset));
        }
        let ModelFile { opened, plain, size } = files::opened(bytes, &self.file).map_err(|error| match error {
            Error::Load(LoadError::UnknownFormat { expected, got }) => {
                LoadError::UnknownFormat { expected: format!("{expected}, or {SAMPLES}"), got }.into()
            }
            other => other,
        })?;
        let nut = match &opened.nut {
            Some(Nut::Network(nut)) => Some(nut::Contents::new(nut, &plain, size)?),
            Some(Nut::Tensors(_)) => return Ok(named(file, WeightsSummary::new(&opened, size))),
            None if opened.network.model.is_none() => return Ok(named(file, WeightsSummary::new(&opened, size))),
            None => None,
        };
        let format = opened.format;
        let model = opened.into_model()?;
        let layers = layers(&model)?;
        let inspection = Inspection {
            file,
            format,
            bytes: size,
            parameters: model.parameter_count(),
            nonzeros: nonzeros(&model),
            macs: layers.iter().map(|layer| layer.macs).sum(),
            nonzero_macs: layers.iter().map(|layer| layer.nonzero_macs).sum(),
            peak_activation_bytes: resources::peak_activation_bytes(&model)?,
            input_shape: model.graph.input_shape.clone(),
            nodes: nodes(&model)?,
            layers,
            nut,
        };
        Ok(Answer::new(inspection.describe(), &inspection))
    }
}

fn of_dataset(file: String, dataset: Dataset) -> Answer {
    let inspection = dataset::Inspection::new(file, &dataset);
    Answer::new(inspection.describe(), &inspection)
}

fn nodes(model: &Model) -> Result<Vec<NodeRow>, GraphError> {
    let shapes = model.shapes()?;
    let nodes = &model.graph.nodes;
    let name = |value: usize| match value.checked_sub(1) {
        None => model.graph.input_name.clone(),
        Some(node) => nodes[node].name.clone(),
    };
    let row = |(node, shape): (&nutshell::model::Node, &Vec<usize>)| NodeRow {
        name: node.name.clone(),
        op: node.op.name(),
        inputs: node.inputs.iter().map(|value| name(value.0)).collect(),
        shape: shape.clone(),
    };
    Ok(nodes.iter().zip(&shapes[1..]).map(row).collect())
}

fn layers(model: &Model) -> Result<Vec<LayerRow>, GraphError> {
    let macs = resources::macs(model)?;
    let rows = model.graph.layers().zip(macs).map(|((node, weight, bias), macs)| {
        let node = &model.graph.nodes[node];
        let own = [Some(weight), bias].into_iter().flatten().map(|id| model.values(id));
        LayerRow {
            name: node.name.clone(),
            op: node.op.name(),
            shape: model.values(weight).shape().to_vec(),
            parameters: own.clone().map(|values| values.len()).sum(),
            nonzeros: own.map(|values| values.iter().filter(|&&value| value != 0.0).count()).sum(),
            macs: macs.dense,
            nonzero_macs: macs.nonzero,
        }
    });
    Ok(rows.collect())
}

/// What is in a file without a graph that can be run.
fn named(file: String, summary: WeightsSummary) -> Answer {
    let inspection = weights::Inspection { file, summary };
    Answer::new(inspection.describe(), &inspection)
}

impl Inspection {
    fn describe(&self) -> String {
        let mut lines = vec![
            format!("{}: {} file of {} bytes", self.file, self.format, self.bytes),
            format!("{} parameters, {} of them not zero", self.parameters, self.nonzeros),
            format!("{} MACs for one sample, {} with a nonzero weight", self.macs, self.nonzero_macs),
            format!("{} bytes of activations at once for one sample, at most", self.peak_activation_bytes),
        ];
        if !matches!(self.format, "onnx" | "tflite" | "nut") {
            lines.push(
                "recognised by its weights: the graph and the size of a sample are taken to be the architecture's"
                    .into(),
            );
        }
        lines.push(format!("graph, from {:?}:", self.input_shape));
        for NodeRow { name, op, inputs, shape } in &self.nodes {
            lines.push(format!("  {name}: {op} of {} gives {shape:?}", inputs.join(" and ")));
        }
        lines.push("layers:".into());
        for LayerRow { name, op, shape, parameters, nonzeros, macs, nonzero_macs } in &self.layers {
            lines.push(format!(
                "  {name}: {op} {shape:?}, {parameters} parameters, {nonzeros} nonzero, {macs} MACs, {nonzero_macs} nonzero"
            ));
        }
        if let Some(nut) = &self.nut {
            lines.extend(nut.describe());
        }
        lines.join("\n")
    }
}
