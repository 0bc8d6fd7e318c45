//! `nutshell decompress`.

use crate::convert::{self, Form};
use crate::files::{self, ModelFile};
use crate::outputs::Output;
use crate::{Answer, Task};
use clap::Args;
use nutshell::Error;
use nutshell::error::LoadError;
use nutshell::formats::{Nut, nut};
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
    #[arg(long)]
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
        let Some(nut) = &opened.nut else { return Err(self.fault("a .nut file", "a network in floats")) };
        let Nut::Network(nut) = nut else {
            if self.compact {
                return Err(self.fault("a network with a graph, with --compact", "named weights"));
            }
            return convert::write(&opened.network, writer, size, &self.output, json!({}));
        };
        let network = if self.compact { nut::compact(&nut.network) } else { opened.network };
        let json = json!({ "parameters": network.count(), "compact": self.compact, "scaling": nut.scaling });
        convert::write(&network, writer, size, &self.output, json)
    }
}

impl Arguments {
    fn fault(&self, expected: &str, got: &str) -> Error {
        let path = self.input.display().to_string();
        LoadError::File { path, expected: expected.into(), got: got.into() }.into()
    }
}
