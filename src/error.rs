//! Typed errors. Each names what was wrong, where, what was expected and what was found.

use strum::IntoStaticStr;
use thiserror::Error;

/// What is wrong with a text in JSON, without the place in it: for texts that the user has not seen as such.
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}

/// What bytes say in JSON. All of it is read as text, since a reader of bytes beside it would double the module.
pub(crate) fn of_json<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    // What is no text is no JSON either.
    serde_json::from_str(std::str::from_utf8(bytes).unwrap_or("\u{fffd}"))
}

/// Anything that can go wrong in Nutshell.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// A model or data file could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A `.nut` file could not be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A network cannot be written as a `.nut` file.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A graph's shapes do not fit.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Samples do not fit the network or the task.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The recipe or its target cannot be met.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// One of several files is to blame.
    #[error("{place}: {error}")]
    In {
        /// Its name.
        place: String,
        /// What is wrong with it.
        #[source]
        error: Box<Error>,
    },
    /// The caller asked the run to stop.
    #[error("the run was cancelled")]
    Cancelled,
}

/// What kind of error it is: enough to decide what to do about it. In JavaScript it is the `name` of the `Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
pub enum Kind {
    /// The bytes are of no format that is known.
    UnknownFormat,
    /// The file is damaged, or breaks its format's rules.
    Malformed,
    /// The file is sound, but uses something that is not supported.
    Unsupported,
    /// The file declares more than the caller's cap allows.
    TooLarge,
    /// A file or folder cannot be read or written.
    File,
    /// A network whose shapes or fields do not fit together.
    Network,
    /// Samples do not fit the network or the task.
    Samples,
    /// A setting is out of its range.
    Setting,
    /// The target cannot be reached.
    Unreachable,
    /// The caller asked the run to stop.
    Cancelled,
}

impl Kind {
    /// Its name, as in the code.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Error {
    /// What kind of error it is, however deep the fault lies.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Load(LoadError::UnknownFormat { .. }) | Error::Decode(DecodeError::Magic { .. }) => {
                Kind::UnknownFormat
            }
            Error::Load(LoadError::Malformed { .. })
            | Error::Decode(
                DecodeError::Checksum { .. } | DecodeError::Truncated { .. } | DecodeError::Malformed { .. },
            ) => Kind::Malformed,
            Error::Load(LoadError::Unsupported { .. } | LoadError::NotRunnable(_))
            | Error::Decode(DecodeError::Version { .. }) => Kind::Unsupported,
            Error::Load(LoadError::TooLarge { .. }) | Error::Decode(DecodeError::TooLarge { .. }) => Kind::TooLarge,
            Error::Load(LoadError::File { .. }) => Kind::File,
            Error::Load(LoadError::Graph(_)) | Error::Decode(DecodeError::Graph(_)) => Kind::Network,
            Error::Encode(_) | Error::Graph(_) => Kind::Network,
            Error::Data(_) => Kind::Samples,
            Error::Recipe(RecipeError::Invalid { .. }) => Kind::Setting,
            Error::Recipe(RecipeError::Unreachable { .. }) => Kind::Unreachable,
            Error::In { error, .. } => error.kind(),
            Error::Cancelled => Kind::Cancelled,
        }
    }
}

/// A node whose inputs, parameters or attributes do not fit.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{op} node '{node}': {what}: expected {expected}, got {got}")]
pub struct GraphError {
    /// The node's name.
    pub node: String,
    /// Its operator.
    pub op: &'static str,
    /// What does not fit.
    pub what: &'static str,
    /// What would fit.
    pub expected: String,
    /// What is there.
    pub got: String,
}

impl GraphError {
    pub(crate) fn new(
        node: &str,
        op: &'static str,
        what: &'static str,
        expected: impl ToString,
        got: impl ToString,
    ) -> Self {
        GraphError { node: node.to_owned(), op, what, expected: expected.to_string(), got: got.to_string() }
    }
}

/// A file that cannot be read as what it claims to be.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LoadError {
    /// The bytes are not of a format that is known.
    #[error("not a file that Nutshell can open: {got}; expected {expected}")]
    UnknownFormat {
        /// The formats that are known.
        expected: String,
        /// What it is instead, and what helps, where that is known.
        got: String,
    },
    /// The file is damaged or breaks its format's rules.
    #[error("{format} file, {place}: expected {expected}, got {got}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// Where in the file: a section, tensor or node, with the byte offset if known.
        place: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The file is sound, but uses something that is not supported.
    #[error("{format} file, {place}: {feature} is not supported; supported: {supported}")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// The node or tensor.
        place: String,
        /// The operator, version, type or attribute.
        feature: String,
        /// What would be.
        supported: String,
    },
    /// The file declares more than the caller's cap allows.
    #[error("{format} file, {place}: {bytes} bytes are more than the limit of {cap}")]
    TooLarge {
        /// The format.
        format: &'static str,
        /// The tensor or section.
        place: String,
        /// Declared size in bytes.
        bytes: u64,
        /// The cap in bytes.
        cap: u64,
    },
    /// A file or directory could not be read.
    #[error("{path}: expected {expected}, got {got}")]
    File {
        /// Its path.
        path: String,
        /// What was looked for.
        expected: String,
        /// What is there, or what the system said.
        got: String,
    },
    /// The graph's shapes do not fit.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The weights of a file can be used, and its graph cannot.
    #[error("{0}. Its weights can be compressed as they are, without samples (leave out --data)")]
    NotRunnable(Box<LoadError>),
}

/// The error for a broken rule of a format.
pub(crate) fn malformed(
    format: &'static str,
    place: impl ToString,
    expected: impl ToString,
    got: impl ToString,
) -> LoadError {
    LoadError::Malformed { format, place: place.to_string(), expected: expected.to_string(), got: got.to_string() }
}

/// The error for what is sound and not known.
pub(crate) fn unsupported(
    format: &'static str,
    place: impl ToString,
    feature: impl ToString,
    supported: impl ToString,
) -> LoadError {
    let (place, feature, supported) = (place.to_string(), feature.to_string(), supported.to_string());
    LoadError::Unsupported { format, place, feature, supported }
}

/// The error for what takes more than the caller's cap.
pub(crate) fn too_large(format: &'static str, place: impl ToString, bytes: impl TryInto<u64>, cap: u64) -> LoadError {
    LoadError::TooLarge { format, place: place.to_string(), bytes: bytes.try_into().unwrap_or(u64::MAX), cap }
}

/// The error for a file or a folder that cannot be read, or is not what was looked for.
pub(crate) fn bad_file(path: impl ToString, expected: impl ToString, got: impl ToString) -> LoadError {
    LoadError::File { path: path.to_string(), expected: expected.to_string(), got: got.to_string() }
}

/// A network that breaks the rules of its own types, so that no file can hold it.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EncodeError {
    /// A field has a value that the types do not allow.
    #[error("writing a .nut file, {place}: expected {expected}, got {got}")]
    Invalid {
        /// The parameter, or the part of the network.
        place: String,
        /// What is allowed.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The graph's shapes do not fit.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// A `.nut` file that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DecodeError {
    /// The first bytes are not those of a `.nut` file.
    #[error("not a .nut file: expected the bytes {expected:02x?}, got {got:02x?}")]
    Magic {
        /// The magic.
        expected: Vec<u8>,
        /// The first bytes.
        got: Vec<u8>,
    },
    /// Written by a newer version.
    #[error(".nut file: version {got} is newer than {supported}, the newest that this build reads")]
    Version {
        /// The newest version that is read.
        supported: u8,
        /// The file's.
        got: u8,
    },
    /// The stored checksum is not that of the bytes.
    #[error(".nut file: checksum {stored:08x} is stored, {computed:08x} was computed: the file is damaged")]
    Checksum {
        /// In the file.
        stored: u32,
        /// Over the bytes.
        computed: u32,
    },
    /// The file ends too early.
    #[error(".nut file, {place}: expected {expected} more bytes, got {got}")]
    Truncated {
        /// The part that was being read.
        place: &'static str,
        /// Bytes wanted.
        expected: usize,
        /// Bytes left.
        got: usize,
    },
    /// A field has a value that the format does not allow.
    #[error(".nut file, {place}: expected {expected}, got {got}")]
    Malformed {
        /// The field.
        place: &'static str,
        /// What is allowed.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The file declares more than the caller's cap allows.
    #[error(".nut file, {place}: {bytes} bytes are more than the limit of {cap}")]
    TooLarge {
        /// What is too large.
        place: &'static str,
        /// Declared size in bytes.
        bytes: u64,
        /// The cap in bytes.
        cap: u64,
    },
    /// The graph's shapes do not fit.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Samples that do not fit the network, or too few of them.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("samples, {what}: expected {expected}, got {got}")]
pub struct DataError {
    /// What does not fit.
    pub what: &'static str,
    /// What would fit.
    pub expected: String,
    /// What is there.
    pub got: String,
}

impl DataError {
    pub(crate) fn new(what: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        DataError { what, expected: expected.to_string(), got: got.to_string() }
    }
}

/// A recipe that is not valid, or whose target was not reached.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RecipeError {
    /// A setting is out of its range.
    #[error("recipe, {field}: expected {expected}, got {got}")]
    Invalid {
        /// The setting, by its place in the recipe.
        field: String,
        /// Its range.
        expected: String,
        /// Its value.
        got: String,
    },
    /// No result within the tolerance or budget was found.
    #[error("the target was not reached: {what}: wanted {expected}, the best was {got}")]
    Unreachable {
        /// What was to be reached.
        what: &'static str,
        /// The target.
        expected: String,
        /// The best that was found.
        got: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn a_file_among_several_has_the_kind_and_the_source_of_its_own_fault() {
        let inner = Error::from(LoadError::TooLarge { format: "CSV", place: "table".into(), bytes: 2, cap: 1 });
        assert_eq!((inner.kind(), inner.kind().name()), (Kind::TooLarge, "TooLarge"));
        let outer = Error::In { place: "a.csv".into(), error: Box::new(inner.clone()) };
        assert_eq!(outer.kind(), Kind::TooLarge);
        assert_eq!(outer.source().map(ToString::to_string), Some(inner.to_string()));
    }
}
