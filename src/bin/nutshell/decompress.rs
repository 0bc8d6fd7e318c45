//! `nutshell decompress`.

use crate::{Answer, files};
use clap::Args;
use nutshell::Error;
use nutshell::error::LoadError;
use nutshell::formats::{Opened, onnx};
use nutshell::model::expand::expand;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write the network of a .nut file as ONNX, in its original shapes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The .nut file; - is standard input.
    #[arg(value_name = "IN.nut")]
    input: PathBuf,
    /// The ONNX file to write; - is standard output.
    #[arg(short, long, value_name = "OUT.onnx")]
    output: PathBuf,
    /// Leave out the hidden units that were removed, instead of writing zeros in their place.
    #[arg(long)]
    compact: bool,
}

impl Arguments {
    /// The files that are written.
    pub fn outputs(&self) -> Vec<&Path> {
        vec![&self.output]
    }

    /// Writes the network.
    pub fn run(&self) -> Result<Answer, Error> {
        let Opened::Nut(nut) = files::open(&self.input)?.opened else {
            let path = self.input.display().to_string();
            return Err(
                LoadError::File { path, expected: "a .nut file".into(), got: "a network in floats".into() }.into()
            );
        };
        let compact = nut.network.to_model();
        let model = if self.compact { compact } else { expand(&compact, &nut.network.original_shapes)? };
        let bytes = onnx::write(&model)?;
        files::write(&self.output, &bytes)?;
        let (file, parameters) = (self.output.display().to_string(), model.parameter_count());
        let text = format!("{file}: {} bytes, {parameters} parameters", bytes.len());
        let json = json!({
            "file": file,
            "bytes": bytes.len(),
            "parameters": parameters,
            "compact": self.compact,
            "scaling": nut.scaling,
        });
        Ok(Answer::new(text, &json))
    }
}
