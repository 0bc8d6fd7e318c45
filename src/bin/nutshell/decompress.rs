//! `nutshell decompress`.

use crate::convert::{self, Form};
use crate::files::{self, ModelFile};
use crate::outputs::Output;
use crate::{Answer, Task};
use clap::Args;
use nutshell::Error;
use nutshell::container;
use nutshell::error::LoadError;
use nutshell::formats::export::zipped_bytes;
use nutshell::formats::{Nut, onnx};
use nutshell::model::expand::expand;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write the network of a .nut file as ONNX in its original shapes, or its weights as safetensors or npz.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The .nut file; - is standard input.
    #[arg(value_name = "IN.nut")]
    input: PathBuf,
    /// The file to write; its ending, or --to, says in which format; - is standard output, as ONNX unless --to says otherwise.
    #[arg(short, long, value_name = "OUT.onnx|safetensors|npz|tflite")]
    output: PathBuf,
    /// Leave out the hidden units that were removed, instead of writing zeros in their place.
    #[arg(long, conflicts_with = "to")]
    compact: bool,
    #[command(flatten)]
    form: Form,
}

impl Task for Arguments {
    fn inputs(&self) -> Vec<&Path> {
        vec![&self.input]
    }

    fn outputs(&self) -> Vec<Output<'_>> {
        vec![self.form.output(&self.output)]
    }

    fn check(&self) -> Result<(), Error> {
        Ok(self.form.writer(&self.output, Some("onnx")).map(drop)?)
    }

    fn run(&self) -> Result<Answer, Error> {
        let ModelFile { opened, size, .. } = files::open(&self.input)?;
        let writer = self.form.writer(&self.output, Some("onnx"))?;
        let plain_onnx = writer.name == "onnx";
        match &opened.nut {
            Some(Nut::Network(nut)) if plain_onnx => self.network(nut, size),
            Some(Nut::Network(_)) if self.compact => {
                Err(self.fault("an ONNX file to write, with --compact", "another kind"))
            }
            Some(Nut::Tensors(_)) if self.compact => {
                Err(self.fault("a network with a graph, with --compact", "named weights"))
            }
            Some(_) => convert::write(&opened.network, writer, size, &self.output),
            None => Err(self.fault("a .nut file", "a network in floats")),
        }
    }
}

impl Arguments {
    fn fault(&self, expected: &str, got: &str) -> Error {
        let path = self.input.display().to_string();
        LoadError::File { path, expected: expected.into(), got: got.into() }.into()
    }

    /// Writes a network with a graph as ONNX.
    fn network(&self, nut: &container::Nut, size: usize) -> Result<Answer, Error> {
        let compact = nut.network.to_model();
        let model = if self.compact { compact } else { expand(&compact, &nut.network.original_shapes)? };
        let bytes = onnx::write(&model)?;
        files::write(&self.output, &bytes)?;
        let (file, parameters) = (self.output.display().to_string(), model.parameter_count());
        let text = format!("{file}: {} bytes, {parameters} parameters", bytes.len());
        let json = json!({
            "file": file,
            "bytes": bytes.len(),
            "zipped_bytes": zipped_bytes(&bytes),
            "input_bytes": size,
            "parameters": parameters,
            "compact": self.compact,
            "scaling": nut.scaling,
        });
        Ok(Answer::new(text, &json))
    }
}
