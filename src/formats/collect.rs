//! Tensors as a reader gathers them: names that differ, sizes that are proved, a cap on all of them together.

use super::cursor::{MAX_NAME, MAX_SIDES, MAX_TENSORS, malformed, too_large};
use crate::error::LoadError;
use crate::model::network::byte_count;
use crate::model::{Dtype, Network, Origin, Source, Tensor};
use std::collections::HashSet;

/// The name, or `fallback` for an empty one, with a number behind it if it is taken.
pub fn unique(taken: &mut HashSet<String>, name: &str, fallback: &str) -> String {
    let name = if name.is_empty() { fallback } else { name };
    let mut candidate = name.to_owned();
    let mut number = taken.len();
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}.{number}");
        number += 1;
    }
    candidate
}

/// The first of some names, for a note.
pub fn listed<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let first = names.by_ref().take(12).collect::<Vec<_>>().join(", ");
    match names.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The tensors of a file so far.
#[derive(Debug)]
pub struct Collector {
    format: &'static str,
    cap: u64,
    bytes: u64,
    names: HashSet<String>,
    tensors: Vec<Tensor>,
    notes: Vec<String>,
}

impl Collector {
    /// None yet. All together may take `cap` bytes.
    pub fn new(format: &'static str, cap: u64) -> Self {
        Collector { format, cap, bytes: 0, names: HashSet::new(), tensors: Vec::new(), notes: Vec::new() }
    }

    /// Those so far, to be told more of.
    pub fn tensors_mut(&mut self) -> &mut [Tensor] {
        &mut self.tensors
    }

    /// How a tensor is named in errors.
    pub fn place(name: &str) -> String {
        format!("tensor '{name}'")
    }

    /// Bytes of a tensor that is about to be made, once it is proved that they are within the cap, with those before.
    pub fn reserve(&mut self, name: &str, shape: &[usize], dtype: Dtype) -> Result<usize, LoadError> {
        if name.len() > MAX_NAME {
            return Err(malformed(self.format, "tensor", format!("a name of at most {MAX_NAME} bytes"), name.len()));
        }
        if shape.len() > MAX_SIDES {
            let expected = format!("at most {MAX_SIDES} dimensions");
            return Err(malformed(self.format, Self::place(name), expected, shape.len()));
        }
        let Some(bytes) = byte_count(shape, dtype) else {
            let expected = "dimensions whose product fits";
            return Err(malformed(self.format, Self::place(name), expected, format!("{shape:?}")));
        };
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes > self.cap {
            return Err(too_large(self.format, Self::place(name), self.bytes, self.cap));
        }
        Ok(bytes)
    }

    /// Adds a tensor for which bytes were reserved.
    pub fn push(&mut self, tensor: Tensor) -> Result<(), LoadError> {
        if self.tensors.len() == MAX_TENSORS {
            return Err(malformed(self.format, "file", format!("at most {MAX_TENSORS} tensors"), "more"));
        }
        if !self.names.insert(tensor.name.clone()) {
            let got = format!("'{}' twice", tensor.name);
            return Err(malformed(self.format, "file", "tensors with different names", got));
        }
        self.tensors.push(tensor);
        Ok(())
    }

    /// Adds a tensor whose bytes lie in the file.
    pub fn copy(&mut self, name: &str, shape: Vec<usize>, dtype: Dtype, bytes: &[u8]) -> Result<(), LoadError> {
        let expected = self.reserve(name, &shape, dtype)?;
        if bytes.len() != expected {
            let expected = format!("{expected} bytes for the shape {shape:?}");
            return Err(malformed(self.format, Self::place(name), expected, bytes.len()));
        }
        self.push(Tensor::new(name.to_owned(), shape, dtype, bytes.to_vec()))
    }

    /// The name, or one with a number behind it if it is taken.
    pub fn free_name(&self, name: &str) -> String {
        let mut candidate = name.to_owned();
        let mut number = self.tensors.len();
        while self.names.contains(&candidate) {
            candidate = format!("{name}.{number}");
            number += 1;
        }
        candidate
    }

    /// Adds something that the user is to know of the file.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// All of them, as what a file of this kind holds.
    pub fn network(self, source: Source, skeleton: Vec<u8>) -> Network {
        Network { notes: self.notes, ..Network::new(self.tensors, Origin { source, skeleton }) }
    }
}
