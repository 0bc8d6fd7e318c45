//! `nutshell inspect`.

use crate::files::{self, ModelFile};
use crate::preview;
use crate::samples::{Reading, Ways};
use crate::{Answer, Task, dataset};
use clap::Args;
use nutshell::Error;
use nutshell::data::{Dataset, is_dataset};
use nutshell::error::LoadError;
use nutshell::formats::gzip;
use nutshell::pipeline::LayerState;
use nutshell::views::summary::{FormatSummary, GraphSummary, NodeSummary, NutSummary, Summary, TensorSummary};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What else can be looked at.
const SAMPLES: &str = "samples as IDX, npz, CSV, or a ZIP archive of pictures";

/// Show what is in a model file, or in a data set.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A network, in floats or as .nut, or samples: a folder, or a file of IDX, npz, CSV, or pictures in a ZIP archive; - is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Samples for the model: five of them as it will see them, and how many it answers correctly under each plausible reading of all.
    #[arg(long, value_name = "DATA")]
    data: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    ways: Ways,
    #[command(flatten)]
    sizes: files::Sizes,
}

/// What is in a model file.
#[derive(Serialize)]
struct Inspection {
    file: String,
    #[serde(flatten)]
    summary: Summary,
}

impl Task for Arguments {
    fn run(&self) -> Result<Answer, Error> {
        if let Some(data) = &self.data {
            let ModelFile { mut opened, .. } = files::open(&self.file)?;
            let shape = self.reading.shape_for(&opened.network, data)?;
            self.sizes.apply(&mut opened, &shape, &self.file)?;
            return preview::of(self.file.display().to_string(), opened, data, &self.reading, &self.ways);
        }
        if !self.file.is_dir() {
            return self.inspect(&self.file);
        }
        // Samples, or else the model in it.
        match (self.reading.open(&self.file, None), files::model_in(&self.file)) {
            (Ok(dataset), _) => Ok(of_dataset(self.file.display().to_string(), dataset)),
            (Err(_), Ok(model)) => self.inspect(&model),
            (Err(error), Err(_)) => Err(error),
        }
    }
}

impl Arguments {
    fn inspect(&self, path: &Path) -> Result<Answer, Error> {
        let file = path.display().to_string();
        let bytes = files::read(path)?;
        if is_dataset(&gzip::decompress(&bytes, files::CAP, "file")?) {
            // From its path, if it has one: labels may lie beside it.
            let dataset = match files::is_standard(path) {
                true => self.reading.read(&bytes),
                false => self.reading.open(path, None),
            };
            return Ok(of_dataset(file, dataset.map_err(|error| files::of_file(path, error))?));
        }
        let ModelFile { mut opened, size, .. } = files::opened(bytes, path).map_err(with_samples)?;
        self.sizes.apply(&mut opened, &[], path)?;
        let inspection = Inspection { file, summary: Summary::new(&opened, size)? };
        Ok(Answer::new(inspection.describe(), &inspection))
    }
}

/// An error about a format that is not known, with what else could have been looked at.
fn with_samples(error: Error) -> Error {
    match error {
        Error::In { place, error } => Error::In { place, error: Box::new(with_samples(*error)) },
        Error::Load(LoadError::UnknownFormat { expected, got }) => {
            LoadError::UnknownFormat { expected: format!("{expected}, or {SAMPLES}"), got }.into()
        }
        other => other,
    }
}

fn of_dataset(file: String, dataset: Dataset) -> Answer {
    let inspection = dataset::Inspection::new(file, &dataset);
    Answer::new(inspection.describe(), &inspection)
}

impl Inspection {
    fn describe(&self) -> String {
        let Summary {
            format, source, file_bytes, elements, tensor_bytes, tensors, graph, obstacle, notes, nut, ..
        } = &self.summary;
        let mut lines = vec![format!("{}: {format} file of {file_bytes} bytes", self.file)];
        match graph {
            Some(graph) => lines.extend(describe_graph(graph)),
            None => lines.push("named weights without a graph that can be run".into()),
        }
        lines.extend(obstacle.iter().map(|obstacle| format!("why it cannot be run: {obstacle}")));
        lines.extend(notes.iter().map(|note| format!("note: {note}")));
        if format != source {
            lines.push(format!("made from a file of the kind {source}"));
        }
        lines.push(format!("{} tensors, {elements} elements, {tensor_bytes} bytes in their own types:", tensors.len()));
        for TensorSummary { name, shape, dtype, dequantized, nonzeros, step } in tensors {
            let quantized = if *dequantized { ", was quantized already" } else { "" };
            let step = step.map_or(String::new(), |step| format!(", in steps of {step}"));
            lines.push(format!("  {name}: {dtype} {shape:?}, {nonzeros} nonzero{quantized}{step}"));
        }
        lines.extend(nut.iter().flat_map(describe_nut));
        lines.join("\n")
    }
}

fn describe_graph(graph: &GraphSummary) -> Vec<String> {
    let GraphSummary { parameters, nonzeros, macs, nonzero_macs, peak_activation_bytes, nodes, layers, .. } = graph;
    let mut lines = vec![
        format!("{parameters} parameters, {nonzeros} of them not zero"),
        format!("{macs} MACs for one sample, {nonzero_macs} with a nonzero weight"),
        format!("{peak_activation_bytes} bytes of activations at once for one sample, at most"),
    ];
    if graph.recognised {
        let words = "recognised by its weights: the graph and the size of a sample are taken to be the architecture's";
        lines.push(words.into());
    }
    if let Some(scaling) = &graph.scaling {
        lines.push(format!("scaling {scaling:?}"));
    }
    lines.push(format!("graph, from {:?}:", graph.input_shape));
    for NodeSummary { name, op, inputs, shape, .. } in nodes {
        let name_of = |value: &usize| match value.checked_sub(1) {
            None => graph.input_name.as_str(),
            Some(node) => nodes[node].name.as_str(),
        };
        let inputs: Vec<&str> = inputs.iter().map(name_of).collect();
        lines.push(format!("  {name}: {op} of {} gives {shape:?}", inputs.join(" and ")));
    }
    lines.push("layers:".into());
    for LayerState { name, op, shape, parameters, nonzeros, macs, dense_macs, .. } in layers {
        lines.push(format!(
            "  {name}: {op} {shape:?}, {parameters} parameters, {nonzeros} nonzero, {dense_macs} MACs, {macs} nonzero"
        ));
    }
    lines
}

fn describe_nut(nut: &NutSummary) -> Vec<String> {
    let NutSummary { topology, named, ratio, items, formats } = nut;
    let names = if *named { "with names" } else { "without names" };
    let mut lines = vec![format!("{ratio:.1} times smaller than the original; topology {topology}, {names}")];
    lines.push(match items.is_empty() {
        true => "bytes by kind: unknown, this version would write the network in other bytes".into(),
        false => "bytes by kind:".into(),
    });
    lines.extend(items.iter().map(|(name, bytes)| format!("  {name}: {}", (10.0 * bytes).round() / 10.0)));
    for FormatSummary { parameter, codebook, integer_bits, fraction_bits, values } in formats {
        lines.push(format!("  {parameter}: Q{integer_bits}.{fraction_bits}, {codebook}, {values} values"));
    }
    lines
}
