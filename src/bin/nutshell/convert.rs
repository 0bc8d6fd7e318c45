//! `nutshell convert`, and the writing of exports.

use crate::{Answer, files};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use nutshell::Error;
use nutshell::error::LoadError;
use nutshell::formats;
use nutshell::formats::export::{self, WRITERS, Writer, zipped_bytes};
use nutshell::model::{Network, Source};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write a model file in another format, or a compressed one in its own again.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The model, in any format that is known; - is standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write; - is standard output.
    #[arg(short, long, value_name = "OUT.onnx|safetensors|npz|tflite")]
    output: PathBuf,
    #[command(flatten)]
    form: Form,
}

/// How an export is written.
#[derive(Debug, Args)]
pub struct Form {
    /// The format, where the name of the output does not tell.
    #[arg(long, value_name = "FORMAT", value_parser = names())]
    to: Option<String>,
}

/// What can be written, each with a sentence for the help.
fn names() -> PossibleValuesParser {
    WRITERS.iter().map(|writer| PossibleValue::new(writer.name).help(writer.about)).collect::<Vec<_>>().into()
}

impl Form {
    /// The form to write, by the option or else by the output's name.
    pub fn writer(&self, output: &Path) -> Result<&'static Writer, LoadError> {
        let extension = output.extension().and_then(|extension| extension.to_str());
        let named = |writer: &&Writer| extension.is_some() && writer.extension == extension;
        let found = match &self.to {
            Some(name) => export::writer(name),
            None => WRITERS.iter().find(named),
        };
        found.ok_or_else(|| {
            let endings: Vec<String> =
                WRITERS.iter().filter_map(|writer| writer.extension).map(|extension| format!(".{extension}")).collect();
            let expected = format!("a name that ends in {}, or --to", endings.join(", "));
            LoadError::File { path: output.display().to_string(), expected, got: "neither".into() }
        })
    }
}

impl Arguments {
    /// The files that are written.
    pub fn outputs(&self) -> Vec<&Path> {
        vec![&self.output]
    }

    /// Writes the file.
    pub fn run(&self) -> Result<Answer, Error> {
        let writer = self.form.writer(&self.output)?;
        let (input, size) = files::model(&self.input)?;
        let mut opened = formats::read(&input, files::CAP)?;
        if opened.network.skeleton(Source::Onnx).is_none() {
            // Of an ONNX file the graph is kept as it is, whether it can be run or not.
            opened.add_graph(files::CAP)?;
        }
        write(&opened.network, writer, size, &self.output)
    }
}

/// Writes a network from a file of `input_bytes`, and says how large it became.
pub fn write(network: &Network, writer: &Writer, input_bytes: usize, output: &Path) -> Result<Answer, Error> {
    let bytes = (writer.write)(network)?;
    files::write(output, &bytes)?;
    let (file, tensors, elements) = (output.display().to_string(), network.tensors.len(), network.count());
    let zipped = zipped_bytes(&bytes);
    let text = format!(
        "{file}: {} bytes ({zipped} zipped), {tensors} tensors, {elements} elements; from {input_bytes} bytes",
        bytes.len()
    );
    let json = json!({
        "file": file,
        "bytes": bytes.len(),
        "zipped_bytes": zipped,
        "input_bytes": input_bytes,
        "source": network.source_name(),
        "tensors": tensors,
        "elements": elements,
    });
    Ok(Answer::new(text, &json))
}
