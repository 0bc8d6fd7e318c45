//! `nutshell convert`, and the writing of exports.

use crate::{Answer, files};
use clap::{Args, ValueEnum};
use nutshell::Error;
use nutshell::error::LoadError;

use nutshell::formats::export::{Kind, export, zipped_bytes};
use nutshell::formats::{self, Loaded};
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
    #[arg(long, value_enum)]
    to: Option<Target>,
}

/// What can be written.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Target {
    /// The original's graph with its numbers.
    Onnx,
    /// The same; few different numbers are stored as a list and an index of 8 bits each.
    OnnxShared,
    /// The same; multiples of a step are stored as integers of 8 bits, if they fit (DequantizeLinear).
    OnnxScaled,
    /// Named weights.
    Safetensors,
    /// An archive of numpy arrays.
    Npz,
    /// The original's TFLite file with its numbers.
    Tflite,
}

impl Form {
    /// The kind of file to write, by the option or else by the name.
    pub fn kind(&self, output: &Path) -> Result<Kind, LoadError> {
        let named = || match output.extension().and_then(|extension| extension.to_str()) {
            Some("onnx") => Some(Target::Onnx),
            Some("safetensors") => Some(Target::Safetensors),
            Some("npz") => Some(Target::Npz),
            Some("tflite") => Some(Target::Tflite),
            _ => None,
        };
        Ok(match self.to.or_else(named) {
            Some(Target::Onnx) => Kind::Onnx,
            Some(Target::OnnxShared) => Kind::OnnxShared,
            Some(Target::OnnxScaled) => Kind::OnnxScaled,
            Some(Target::Safetensors) => Kind::Safetensors,
            Some(Target::Npz) => Kind::Npz,
            Some(Target::Tflite) => Kind::Tflite,
            None => {
                let expected = "a name that ends in .onnx, .safetensors, .npz or .tflite, or --to".into();
                return Err(LoadError::File { path: output.display().to_string(), expected, got: "neither".into() });
            }
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
        let kind = self.form.kind(&self.output)?;
        let (input, size) = files::model(&self.input)?;
        write(&formats::load_weights(&input, files::CAP)?, kind, size, &self.output)
    }
}

/// Writes weights from a file of `input_bytes`, and says how large they became.
pub fn write(loaded: &Loaded, kind: Kind, input_bytes: usize, output: &Path) -> Result<Answer, Error> {
    let bytes = export(loaded, kind)?;
    files::write(output, &bytes)?;
    let (file, tensors, elements) =
        (output.display().to_string(), loaded.weights.tensors.len(), loaded.weights.count());
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
        "source": loaded.weights.origin.source.name(),
        "tensors": tensors,
        "elements": elements,
    });
    Ok(Answer::new(text, &json))
}
