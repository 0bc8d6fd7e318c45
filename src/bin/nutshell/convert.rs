//! `nutshell convert`, and the writing of exports.

use crate::outputs::{Kind, Output};
use crate::{Answer, Task, files};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use nutshell::Error;
use nutshell::error::LoadError;
use nutshell::formats;
use nutshell::formats::export::{self, WRITERS, Writer, zipped_bytes};
use nutshell::model::{Network, Source};
use serde_json::json;
use std::collections::BTreeSet;
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
    #[command(flatten)]
    sizes: files::Sizes,
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
    /// The form to write, by the option or else by the output's name; `usual` is that of a stream or a device, whose name says nothing.
    pub fn writer(&self, output: &Path, usual: Option<&str>) -> Result<&'static Writer, LoadError> {
        let extension = output.extension().and_then(|extension| extension.to_str());
        let by_name = WRITERS.iter().find(|writer| extension.is_some() && writer.extension == extension);
        let nameless = files::is_standard(output) || (output.exists() && !output.is_file());
        let found = match (&self.to, by_name) {
            (Some(name), _) => export::writer(name),
            (None, None) if nameless => usual.and_then(export::writer),
            (None, by_name) => by_name,
        };
        let fault = |expected: String, got: &str| LoadError::File {
            path: output.display().to_string(),
            expected,
            got: got.to_owned(),
        };
        let endings = || {
            let endings = WRITERS.iter().filter_map(|writer| writer.extension).map(|extension| format!(".{extension}"));
            endings.collect::<Vec<_>>().join(", ")
        };
        let found = found.ok_or_else(|| fault(format!("a name that ends in {}, or --to", endings()), "neither"))?;
        match by_name {
            Some(named) if ending(named) != ending(found) => {
                Err(fault(format!("a name that ends in .{}, since --to says so", ending(found)), ending(named)))
            }
            _ => Ok(found),
        }
    }

    /// The output as a file to write; ONNX, unless it is known.
    pub fn output<'a>(&self, path: &'a Path) -> Output<'a> {
        Output { path, kind: Kind::Model(self.writer(path, Some("onnx")).map_or("onnx", ending)) }
    }
}

/// The ending of a form: those without one of their own are written as ONNX.
fn ending(writer: &Writer) -> &'static str {
    writer.extension.unwrap_or("onnx")
}

impl Task for Arguments {
    fn inputs(&self) -> Vec<&Path> {
        vec![&self.input]
    }

    fn outputs(&self) -> Vec<Output<'_>> {
        vec![self.form.output(&self.output)]
    }

    fn check(&self) -> Result<(), Error> {
        Ok(self.form.writer(&self.output, None).map(drop)?)
    }

    fn run(&self) -> Result<Answer, Error> {
        let writer = self.form.writer(&self.output, None)?;
        let (input, size) = files::model(&self.input)?;
        let mut opened = formats::read(&input, files::CAP).map_err(|error| files::of_file(&self.input, error))?;
        if opened.network.skeleton(Source::Onnx).is_none() {
            // Of an ONNX file the graph is kept as it is, whether it can be run or not.
            formats::add_model(&mut opened.network, files::CAP);
        }
        self.sizes.apply(&mut opened, &[], &self.input)?;
        write(&opened.network, writer, size, &self.output, json!({}))
    }
}

/// Tensors of one reason that are named, at most, and the bytes that each has at least: less could not become smaller.
const NAMED: usize = 8;
const WORTH_NAMING: usize = 256;

/// Writes a network from a file of `input_bytes`, and says how large it became, which tensors did not become smaller, and what else is known.
pub fn write(
    network: &Network,
    writer: &Writer,
    input_bytes: usize,
    output: &Path,
    mut json: serde_json::Value,
) -> Result<Answer, Error> {
    let mut kept = Vec::new();
    let bytes = (writer.write)(network, &mut kept)?;
    files::write(output, &bytes)?;
    let (file, tensors, elements) = (output.display().to_string(), network.tensors.len(), network.count());
    let zipped = zipped_bytes(&bytes);
    let mut text = format!(
        "{file}: {} bytes ({zipped} zipped), {tensors} tensors, {elements} elements; from {input_bytes} bytes",
        bytes.len()
    );
    network.notes.iter().for_each(|note| text += &format!("\nnote: {note}"));
    let large = || kept.iter().filter(|tensor| tensor.bytes >= WORTH_NAMING);
    let reasons: BTreeSet<&str> = large().map(|tensor| tensor.reason).collect();
    for reason in reasons {
        let of_reason = large().filter(|tensor| tensor.reason == reason);
        let names: Vec<&str> = of_reason.map(|tensor| tensor.name.as_str()).collect();
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text += &format!("\nas before, {reason}: {}{more}", names[..names.len().min(NAMED)].join(", "));
    }
    let written = json!({
        "file": file,
        "bytes": bytes.len(),
        "zipped_bytes": zipped,
        "input_bytes": input_bytes,
        "source": network.source_name(),
        "tensors": tensors,
        "elements": elements,
        "notes": network.notes,
        "as_before": kept.iter().map(|tensor| json!({ "name": tensor.name, "reason": tensor.reason })).collect::<Vec<_>>(),
    });
    if let (Some(all), serde_json::Value::Object(written)) = (json.as_object_mut(), written) {
        all.extend(written);
    }
    Ok(Answer::new(text, &json))
}
