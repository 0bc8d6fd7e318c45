//! Model files to and from [`Network`]. What a file is, is told by its bytes, never by its name.
//!
//! A format is a file here, which describes itself as a [`Reader`], and a line in [`READERS`]; one that is written too, a line in
//! [`export::WRITERS`]. The lists of the command line and of the page come from these.

mod collect;
mod cursor;
pub mod export;
pub mod foreign;
pub mod gzip;
pub mod hdf5;
mod import;
pub mod numpy;
pub mod nut;
pub mod onnx;
pub mod safetensors;
mod shards;
pub mod tflite;
pub mod torch;
pub mod zip;

pub use nut::Nut;
pub use shards::{joined, other_files};

use crate::error::{Error, LoadError};
use crate::model::recognise::recognise;
use crate::model::{Model, Network};

/// How files of one format are recognised and read.
pub struct Reader {
    /// The format's name in lower case, as on the command line.
    pub name: &'static str,
    /// Its name in messages.
    pub title: &'static str,
    /// Whether the first bytes, or the entries of an archive, announce the format. Whether the file is sound is for `read` to say.
    pub sniff: fn(&[u8]) -> bool,
    /// Reads all tensors. They may take so many bytes at most.
    pub read: fn(&[u8], u64) -> Result<Opened, Error>,
    /// Reads the graph, if files of this format have one, from the tensors and where they came from. It may take so many bytes at most.
    pub graph: Option<ReadGraph>,
    /// Reads the graph straight from a file, where that takes less memory than by way of the tensors.
    pub model: Option<ReadModel>,
}

/// See [`Reader::graph`].
pub type ReadGraph = fn(&Network, u64) -> Result<Model, LoadError>;

/// See [`Reader::model`].
pub type ReadModel = fn(&[u8], u64) -> Result<Model, LoadError>;

/// The formats that are read, in the order in which a file is held against them: those that are told by more bytes come first.
pub static READERS: [Reader; 9] = [
    nut::READER,
    numpy::ARCHIVE,
    numpy::ARRAY,
    torch::ARCHIVE,
    torch::LEGACY,
    tflite::READER,
    hdf5::READER,
    safetensors::READER,
    onnx::READER,
];

/// The reader of a file, which is not gzipped.
pub fn reader_of(bytes: &[u8]) -> Option<&'static Reader> {
    READERS.iter().find(|reader| (reader.sniff)(bytes))
}

/// Whether these are the first bytes of an IDX file of any type.
pub fn is_idx(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=4, ..])
}

/// A model file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// What is in it.
    pub network: Network,
    /// Name of its format.
    pub format: &'static str,
    /// What only a `.nut` file has.
    pub nut: Option<Nut>,
}

impl Opened {
    /// What is in a file that is no `.nut`.
    pub fn new(format: &'static str, network: Network) -> Self {
        Opened { network, format, nut: None }
    }

    /// Reads the graph, if one is known, as [`add_model`] does.
    ///
    /// # Errors
    /// As [`add_model`], for samples of a shape: a graph may leave sides of them open.
    pub fn add_graph_for(&mut self, sample: &[usize], cap: u64) {
        if self.network.model.is_none() {
            self.network.sample = sample.to_vec();
            add_model(&mut self.network, cap);
        }
    }

    /// The network in floats that can be run; of a `.nut` file the decoded one, in its compact shapes.
    ///
    /// # Errors
    /// [`LoadError`] says why there is none.
    pub fn into_model(mut self) -> Result<Model, LoadError> {
        match self.network.model.take() {
            Some(model) => Ok(model),
            None => Err(self.network.not_runnable()),
        }
    }
}

/// Reads the tensors of a model file, gzipped or not, and leaves its graph alone; of a `.nut` file the decoded tensors, in the
/// original's shapes. `cap` is the most bytes that it may take once it is decompressed.
///
/// # Errors
/// As the format's reader; [`LoadError::UnknownFormat`] if there is none.
pub fn read(bytes: &[u8], cap: u64) -> Result<Opened, Error> {
    let bytes = gzip::decompress(bytes, cap, "model")?;
    (known(&bytes)?.read)(&bytes, cap)
}

/// Opens a model file, gzipped or not: its tensors, and its graph if that can be run, or if the architecture is recognised. `cap` is
/// the most bytes that it may take once it is decompressed.
///
/// ```
/// use nutshell::formats;
/// # let file = formats::onnx::write(&nutshell::model::presets::lenet300([6, 5, 2])).unwrap();
/// let opened = formats::open(&file, 1 << 20)?;
/// assert_eq!((opened.format, opened.network.tensors.len()), ("onnx", 6));
/// assert!(opened.network.runnable().is_ok());
/// # Ok::<(), nutshell::Error>(())
/// ```
///
/// # Errors
/// As [`read`]. A graph that cannot be run is no error: [`Network::runnable`] says why.
pub fn open(bytes: &[u8], cap: u64) -> Result<Opened, Error> {
    let bytes = gzip::decompress(bytes, cap, "model")?;
    let mut opened = (known(&bytes)?.read)(&bytes, cap)?;
    add_model(&mut opened.network, cap);
    Ok(opened)
}

/// Opens a model file whose graph can be run, as [`open`] does, but may leave out the tensors: whoever only runs the network saves their
/// memory.
///
/// # Errors
/// As [`open`]; and if the graph cannot be run.
pub fn open_runnable(bytes: Vec<u8>, cap: u64) -> Result<Opened, Error> {
    let plain = gzip::decompress(&bytes, cap, "model")?;
    let reader = known(&plain)?;
    // Where that fails, its weights may still be recognised.
    if let Some(model) = reader.model.and_then(|read| read(&plain, cap).ok()) {
        return Ok(Opened::new(reader.name, Network::without_tensors(model)));
    }
    let mut opened = (reader.read)(&plain, cap)?;
    // The graph is read from the tensors: it takes the room of the file.
    drop(plain);
    drop(bytes);
    add_model(&mut opened.network, cap);
    opened.network.runnable()?;
    Ok(opened)
}

/// Gives a network that was read its graph, if it has none yet and one is known. Why one cannot be run becomes the network's obstacle:
/// its tensors were read by themselves.
pub fn add_model(network: &mut Network, cap: u64) {
    if network.model.is_some() {
        return;
    }
    let reader = READERS.iter().find(|reader| reader.name == network.source_name());
    if let Some(graph) = reader.and_then(|reader| reader.graph) {
        match graph(network, cap) {
            Ok(model) => (network.model, network.obstacle) = (Some(model), None),
            Err(error) => network.obstacle = Some(error),
        }
    }
    if network.model.is_none() {
        network.model = recognise(network);
    }
}

fn known(bytes: &[u8]) -> Result<&'static Reader, LoadError> {
    if let Some(reader) = reader_of(bytes) {
        return Ok(reader);
    }
    let got = match () {
        () if is_idx(bytes) => "images or labels (IDX)".into(),
        () if bytes.starts_with(&gzip::MAGIC) => "a file that is compressed twice".into(),
        () => {
            if bytes.starts_with(&zip::MAGIC) {
                // What is wrong with a damaged archive is more to the point.
                zip::entries(bytes)?;
            }
            foreign::named(bytes)
        }
    };
    let titles: Vec<&str> = READERS.iter().map(|reader| reader.title).collect();
    Err(LoadError::UnknownFormat { expected: format!("a model as {}", in_words(&titles)), got })
}

/// Names in a row, each once: "a, b or c".
fn in_words(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.dedup();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn tells_formats_by_their_bytes() {
        let model = presets::lenet300([5, 4, 3]);
        let bytes = onnx::write(&model).unwrap();
        assert_eq!(reader_of(&bytes).map(|reader| reader.name), Some("onnx"));
        assert_eq!(open(&bytes, 1 << 20).unwrap().into_model(), Ok(model.clone()));
        assert_eq!(open_runnable(bytes.clone(), 1 << 20).unwrap().into_model(), Ok(model.clone()));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        let gzipped = encoder.finish().unwrap();
        assert!(reader_of(&gzipped).is_none());
        assert_eq!(open(&gzipped, 1 << 20).unwrap().into_model(), Ok(model));
        assert!(matches!(open(&gzipped, 1000), Err(Error::Load(LoadError::TooLarge { cap: 1000, .. }))));
        assert_eq!(reader_of(b"Nu\0").map(|reader| reader.name), Some("nut"));
        assert!(matches!(open(b"Nu\0", 1000), Err(Error::Decode(_))));
    }

    #[test]
    fn says_what_it_cannot_open() {
        let cases: [(&[u8], &str); 3] = [
            (b"", "an empty file: download or export it again"),
            (b"\x89PNG\r\n\x1a\n...", "a picture: open it as a sample, with the model beside it"),
            (&[0, 0, 8, 1, 0, 0, 0, 1, 7], "images or labels (IDX)"),
        ];
        for (bytes, got) in cases {
            let known =
                "a model as .nut, npz, npy, PyTorch state dictionary, TFLite, HDF5 (Keras), safetensors or ONNX";
            let message = format!("not a file that Nutshell can open: {got}; expected {known}");
            assert_eq!(open(bytes, 1000).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn every_source_has_a_reader_of_its_name() {
        for &source in crate::model::Source::ALL {
            assert!(READERS.iter().any(|reader| reader.name == source.name()), "{}", source.name());
        }
    }
}
