//! HDF5 (<https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>) as h5py and Keras write it, and Keras' archives with such a file:
//! the arrays by their paths. Of a model of Keras these are its weights; its graph is not read.

mod data;
mod object;

use super::collect::Collector;
use super::cursor::{malformed, unsupported};
use super::zip;
use super::{Opened, Reader};
use crate::error::LoadError;
use crate::model::{Network, Source};
use object::{FORMAT, File, MAGIC, is_group};
use std::collections::HashSet;

/// The file with the weights in an archive of Keras.
const WEIGHTS: &str = "model.weights.h5";

/// The group that a whole model has its weights in, and those that have the state of its training.
const MODEL: &str = "model_weights";
const TRAINING: [&str; 2] = ["optimizer", "optimizer_weights"];

/// The group in which Keras 3 has the arrays of a layer; its name is told beside.
const VARIABLES: &str = "vars";

/// The deepest that groups may nest.
const MAX_DEPTH: usize = 32;

/// Files of HDF5, and Keras' archives.
pub const READER: Reader = Reader {
    name: "hdf5",
    title: "HDF5 (Keras)",
    sniff: |bytes| bytes.starts_with(&MAGIC) || is_archive(bytes),
    read: |bytes, cap| Ok(Opened::new("hdf5", read(bytes, cap)?)),
    graph: None,
    model: None,
};

/// Whether it is an archive of Keras.
fn is_archive(bytes: &[u8]) -> bool {
    zip::entries(bytes).is_ok_and(|entries| entries.iter().any(|entry| entry.name == WEIGHTS))
}

/// Reads the arrays of a file or an archive. They may take `cap` bytes. The state of an optimizer is left out.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read(bytes: &[u8], cap: u64) -> Result<Network, LoadError> {
    if !bytes.starts_with(&zip::MAGIC) {
        return read_file(bytes, cap);
    }
    let entries = zip::entries(bytes)?;
    let weights = entries.iter().find(|entry| entry.name == WEIGHTS);
    let weights = weights.ok_or_else(|| malformed(FORMAT, "archive", format!("the entry '{WEIGHTS}'"), "others"))?;
    read_file(&weights.unpack(cap)?, cap)
}

fn read_file(bytes: &[u8], cap: u64) -> Result<Network, LoadError> {
    let mut walk = Walk { file: File::new(bytes, cap), tensors: Collector::new(FORMAT, cap), seen: HashSet::new() };
    let root = walk.file.root()?;
    let messages = walk.file.messages(root)?;
    let mut links = walk.file.links(&messages)?;
    links.retain(|(name, _)| !TRAINING.contains(&name.as_str()));
    match links.iter().find(|(name, _)| name == MODEL) {
        Some(&(_, model)) => walk.object(String::new(), model, 0)?,
        None => walk.children("", links, 0)?,
    }
    Ok(walk.tensors.network(Source::Hdf5, Vec::new()))
}

/// The arrays so far.
struct Walk<'a> {
    file: File<'a>,
    tensors: Collector,
    /// Groups that were looked at.
    seen: HashSet<u64>,
}

impl Walk<'_> {
    fn object(&mut self, path: String, address: u64, depth: usize) -> Result<(), LoadError> {
        let messages = self.file.messages(address)?;
        if !is_group(&messages) {
            return data::read(&mut self.file, &messages, path, &mut self.tensors);
        }
        let place = format!("group '{path}'");
        if depth > MAX_DEPTH {
            return Err(malformed(FORMAT, place, format!("at most {MAX_DEPTH} nested groups"), "more"));
        }
        if !self.seen.insert(address) {
            return Err(unsupported(FORMAT, place, "a group with a second name", "groups with one"));
        }
        let links = self.file.links(&messages)?;
        // Keras 3 counts the layers of a kind, and has the name that the layer was given in an attribute.
        let named = path
            .strip_suffix(VARIABLES)
            .and_then(|layer| layer.strip_suffix('/'))
            .and_then(|layer| layer.rsplit_once('/'));
        if let Some((folder, _)) = named
            && let Some(name) = self.file.attribute(&messages, "name")?
        {
            return self.children(&format!("{folder}/{name}/{VARIABLES}"), links, depth);
        }
        self.children(&path, links, depth)
    }

    fn children(&mut self, path: &str, links: Vec<(String, u64)>, depth: usize) -> Result<(), LoadError> {
        for (name, address) in links {
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            self.object(path, address, depth + 1)?;
        }
        Ok(())
    }
}
