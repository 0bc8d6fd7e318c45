//! Files and standard streams.

use clap::Args;
use nutshell::Error;
use nutshell::data::is_dataset;
use nutshell::error::LoadError;
use nutshell::formats::{self, Opened, gzip};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

/// The most bytes of a file, and of the network in it: 2 GiB, as much as an ONNX file can hold.
pub const CAP: u64 = 1 << 31;

/// Whether a path stands for standard input or output.
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A whole file, or all of standard input.
pub fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    if path.is_dir() {
        return Err(fault(path, "a readable file", "a folder".into()));
    }
    let mut bytes = Vec::new();
    let input: io::Result<Box<dyn Read>> = match is_standard(path) {
        true => Ok(Box::new(io::stdin())),
        false => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
    };
    input
        .and_then(|input| input.take(CAP + 1).read_to_end(&mut bytes))
        .map_err(|error| fault(path, "a readable file", error.to_string()))?;
    if bytes.len() as u64 > CAP {
        return Err(fault(path, &format!("at most {CAP} bytes"), "more".into()));
    }
    Ok(bytes)
}

/// What is said of a network's input.
#[derive(Debug, Args)]
pub struct Sizes {
    /// The shape of one sample, such as 3,224,224, for a graph that leaves sizes open [default: that of the samples, if there are some].
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    input_shape: Option<Vec<usize>>,
}

impl Sizes {
    /// Gives an opened network its graph for samples of the shape that was said, or else of `usual`.
    pub fn apply(&self, opened: &mut Opened, usual: &[usize], path: &Path) -> Result<(), LoadError> {
        let elements = |shape: &[usize]| shape.iter().fold(1usize, |product, &side| product.saturating_mul(side));
        let sample = self.input_shape.as_deref().unwrap_or(usual);
        if !sample.is_empty() {
            opened.add_graph_for(sample, CAP);
        }
        match (&opened.network.model, &self.input_shape) {
            (Some(model), Some(said)) if elements(&model.graph.input_shape) != elements(said) => {
                let expected = format!("an --input-shape like {:?}, the graph's", model.graph.input_shape);
                Err(fault(path, &expected, format!("{said:?}")))
            }
            _ => Ok(()),
        }
    }
}

/// A model file.
pub struct ModelFile {
    /// What it holds.
    pub opened: Opened,
    /// Its bytes, once they are decompressed.
    pub plain: Vec<u8>,
    /// Its size in bytes, as it is.
    pub size: usize,
}

/// Opens a model file of any known format.
pub fn open(path: &Path) -> Result<ModelFile, Error> {
    let path = &model_in(path)?;
    opened(read(path)?, path)
}

/// The endings of models, in the order in which one is looked for in a folder.
const ENDINGS: [&str; 13] = [
    ".safetensors.index.json",
    ".bin.index.json",
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".onnx",
    ".tflite",
    ".keras",
    ".h5",
    ".gguf",
    ".nut",
];

/// Models that are folders, by a file in them which tells what they are.
const INSIDE: [&str; 3] = ["saved_model.pb", "Data/com.apple.CoreML/model.mlmodel", "model.json"];

/// The file itself; or of a folder, as models are published, the one model in it.
pub fn model_in(path: &Path) -> Result<PathBuf, LoadError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let entries = fs::read_dir(path).map_err(|error| fault(path, "a readable folder", error.to_string()))?;
    let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into()).collect();
    names.sort_unstable();
    let expected = "a model, or a folder with one";
    for ending in ENDINGS {
        let found: Vec<&String> = names.iter().filter(|name| name.ends_with(ending)).collect();
        // Beside others, such as the arguments of the training, the model has its usual name.
        let usual = |name: &&&String| [format!("model{ending}"), format!("pytorch_model{ending}")].contains(name);
        match (&found[..], found.iter().find(usual)) {
            ([name], _) | (_, Some(name)) => return Ok(path.join(name)),
            ([], _) => {}
            _ => {
                let found = found.iter().map(|name| name.as_str()).take(8).collect::<Vec<_>>().join(", ");
                return Err(fault(path, expected, format!("several: name one of {found}")));
            }
        }
    }
    let inside = INSIDE.iter().map(|name| path.join(name)).find(|inside| inside.is_file());
    inside.ok_or_else(|| fault(path, expected, "a folder without a file of a known ending: name the file".into()))
}

/// Opens the bytes of a model file; `path` is where they came from.
pub fn opened(bytes: Vec<u8>, path: &Path) -> Result<ModelFile, Error> {
    let (plain, size) = whole(bytes, path)?;
    check_model(&plain, path)?;
    let opened = formats::open(&plain, CAP).map_err(|error| of_file(path, error))?;
    Ok(ModelFile { opened, plain, size })
}

/// An error with the name of the file that it is about.
pub fn of_file(path: &Path, error: Error) -> Error {
    match error {
        // A path that could not be read is named already.
        Error::Load(LoadError::File { .. }) | Error::In { .. } => error,
        error => Error::In { place: path.display().to_string(), error: Box::new(error) },
    }
}

/// That a file is a model, and not samples.
fn check_model(plain: &[u8], path: &Path) -> Result<(), LoadError> {
    if !is_dataset(plain) {
        return Ok(());
    }
    Err(fault(path, "a model", "samples: name the model first, and give the samples as --data".into()))
}

/// A model file, decompressed and with the numbers that it has in other files; and the size of all those files.
pub fn model(path: &Path) -> Result<(Vec<u8>, usize), Error> {
    let path = &model_in(path)?;
    let (plain, size) = whole(read(path)?, path)?;
    check_model(&plain, path)?;
    Ok((plain, size))
}

/// As [`model`], of bytes that came from `path`.
fn whole(bytes: Vec<u8>, path: &Path) -> Result<(Vec<u8>, usize), Error> {
    let mut size = bytes.len();
    let plain = gzip::decompress(&bytes, CAP, "model").map_err(|error| of_file(path, error.into()))?.into_owned();
    let names = formats::other_files(&plain).map_err(|error| of_file(path, error.into()))?;
    if names.is_empty() {
        return Ok((plain, size));
    }
    let mut others = Vec::new();
    for name in &names {
        // Only files beside the model, or below: a model is not to read what its user did not mean.
        let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let beside = path.parent().filter(|_| inside && !is_standard(path)).map(|folder| folder.join(name));
        let other = beside.ok_or_else(|| fault(path, "its numbers in a file beside it", format!("in '{name}'")))?;
        others.push(read(&other).map_err(|error| match error {
            LoadError::File { path: other, got, .. } => {
                let expected = format!("a file that belongs to {}", path.display());
                LoadError::File { path: other, expected, got }
            }
            error => error,
        })?);
    }
    size += others.iter().map(Vec::len).sum::<usize>();
    let named: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(others.iter().map(Vec::as_slice)).collect();
    Ok((formats::joined(&plain, &named, CAP).map_err(|error| of_file(path, error))?, size))
}

/// Writes a file as a whole, or not at all: a reader sees the old one or the new one, never a part.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
    let written = if is_standard(path) {
        let mut output = io::stdout().lock();
        output.write_all(bytes).and_then(|()| output.flush())
    } else {
        // What a link points to is replaced, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        // A device or a pipe is written into: a file in its place is not what is meant.
        if target.exists() && !target.is_file() { fs::write(&target, bytes) } else { replace(&target, bytes) }
    };
    written.map_err(|error| fault(path, "a place to write to", error.to_string()))
}

fn replace(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temporary = target.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, target));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Checks that a file's directory exists: better now than after a long run.
pub fn check_place(path: &Path) -> Result<(), LoadError> {
    // The parent of a bare name is the empty path.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(".".into(), PathBuf::from);
    if is_standard(path) || directory.is_dir() {
        return Ok(());
    }
    Err(fault(path, "a place to write to", format!("no directory '{}'", directory.display())))
}

fn fault(path: &Path, expected: &str, got: String) -> LoadError {
    let path = if is_standard(path) { "standard stream".into() } else { path.display().to_string() };
    LoadError::File { path, expected: expected.to_owned(), got }
}
