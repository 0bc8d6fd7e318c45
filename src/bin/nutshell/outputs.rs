//! What is looked at before a file is written: a long run is not to end in harm.

use crate::files;
use nutshell::error::LoadError;
use nutshell::formats::{self, export::WRITERS};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file that is going to be written.
pub struct Output<'a> {
    /// Where.
    pub path: &'a Path,
    /// What will be in it.
    pub kind: Kind,
}

/// What is in a file, as far as writing over it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A model of the format of this name, such as `nut` or `onnx`.
    Model(&'static str),
    /// JSON.
    Json,
    /// What a run goes on from.
    Checkpoint,
    /// Lines of text.
    Text,
    /// Something else.
    Other,
}

/// Checks every file that is going to be written.
pub fn check_all(outputs: &[Output], inputs: &[&Path], force: bool) -> Result<(), LoadError> {
    for (index, output) in outputs.iter().enumerate() {
        check(output, inputs, force)?;
        if let Some(other) = outputs[..index].iter().find(|other| other.path == output.path) {
            let (path, expected) =
                (other.path.display().to_string(), "a name of its own for each file to write".into());
            return Err(LoadError::File { path, expected, got: "the same twice".into() });
        }
    }
    Ok(())
}

/// Checks that a file can be written and nothing is lost by it: its folder exists, it is none of the files that are read, and what is there, if
/// anything, is of the same kind or may be replaced by `force`.
fn check(output: &Output, inputs: &[&Path], force: bool) -> Result<(), LoadError> {
    let Output { path, kind } = output;
    files::check_place(path)?;
    if files::is_standard(path) {
        return Ok(());
    }
    let refused =
        |expected: String, got: String| Err(LoadError::File { path: path.display().to_string(), expected, got });
    // A run may go on from a checkpoint and keep its next ones in the same place.
    let goes_on = *kind == Kind::Checkpoint && kind_of(path) == Some(Kind::Checkpoint);
    if let Some(input) = inputs.iter().find(|input| !goes_on && same_file(path, input)) {
        let got = format!("{}, which is read: choose another name", input.display());
        return refused("a file to write that is none of those that are read".into(), got);
    }
    if force || !path.is_file() {
        return Ok(());
    }
    match kind_of(path) {
        // An empty file holds nothing that could be lost.
        Some(there) if there != *kind => refused(
            format!("no file, or one of the same kind ({})", kind.name()),
            format!("{}: --force replaces it", there.name()),
        ),
        _ => Ok(()),
    }
}

/// Checks that the ending of a name says what will be in the file, if it says anything: `wanted` are the endings of that format.
pub fn check_ending(path: &Path, wanted: &[&str], advice: &str) -> Result<(), LoadError> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    // A device or a pipe has no ending that means anything.
    let special = path.exists() && !path.is_file();
    if files::is_standard(path) || special || ending.as_deref().is_some_and(|ending| wanted.contains(&ending)) {
        return Ok(());
    }
    let endings: Vec<String> = wanted.iter().map(|ending| format!(".{ending}")).collect();
    let got = ending.map_or("none".into(), |ending| format!(".{ending}"));
    let expected = format!("a name that ends in {}", endings.join(" or "));
    Err(LoadError::File { path: path.display().to_string(), expected, got: format!("{got}: {advice}") })
}

/// Whether two paths lead to one file, through links too.
fn same_file(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| -> Option<PathBuf> { fs::canonicalize(path).ok() };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let of = |path: &Path| fs::metadata(path).ok().filter(|it| it.is_file()).map(|it| (it.dev(), it.ino()));
        if of(one).is_some() && of(one) == of(other) {
            return true;
        }
    }
    whole(one).is_some() && whole(one) == whole(other)
}

/// What is in a file; nothing if that is nothing, or cannot be read.
fn kind_of(path: &Path) -> Option<Kind> {
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut start)).ok().filter(|&read| read > 0)?;
    Some(match formats::reader_of(&start) {
        Some(reader) => Kind::Model(reader.name),
        None if start.starts_with(b"NUTCKPT") => Kind::Checkpoint,
        None if start.trim_ascii_start().starts_with(b"{") => Kind::Json,
        None if std::str::from_utf8(&start).is_ok() => Kind::Text,
        // An archive whose list of files lies behind what was read.
        None if start.starts_with(b"PK") => of_ending(path),
        None => Kind::Other,
    })
}

fn of_ending(path: &Path) -> Kind {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let writer = WRITERS.iter().find(|writer| ending.is_some() && writer.extension == ending);
    writer.map_or(Kind::Other, |writer| Kind::Model(writer.name))
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Model(name) => name,
            Kind::Json => "JSON",
            Kind::Checkpoint => "checkpoint",
            Kind::Text => "text",
            Kind::Other => "another kind of file",
        }
    }
}
