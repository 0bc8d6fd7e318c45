//! Models that lie in several files: an ONNX file with its numbers in others, and the index of shards as Hugging Face has it
//! (`model.safetensors.index.json`, `pytorch_model.bin.index.json`).

use super::{foreign, onnx, read, reader_of, safetensors};
use crate::error::{Error, LoadError, malformed, of_json, without_place};
use crate::ranking::ranked_texts;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

/// What of an index is needed.
#[derive(Deserialize)]
struct Index {
    /// The file that each tensor is in.
    weight_map: HashMap<Cow<'static, str>, Cow<'static, str>>,
}

/// The files that a model has its numbers in beside this one, each once; none of most.
///
/// # Errors
/// [`LoadError`], if that is damaged.
pub fn other_files(bytes: &[u8]) -> Result<Vec<String>, LoadError> {
    if foreign::is_index(bytes) {
        let index: Index = of_json(bytes).map_err(|error| {
            malformed("index", "JSON", "weight_map, with a file for each tensor", without_place(&error))
        })?;
        let all: Vec<String> = index.weight_map.into_values().map(Cow::into_owned).collect();
        let mut files: Vec<String> =
            ranked_texts(all.len(), &|at| all[at].clone()).into_iter().map(|at| all[at].clone()).collect();
        files.dedup();
        return Ok(files);
    }
    match reader_of(bytes) {
        Some(reader) if reader.name == onnx::READER.name => onnx::external_files(bytes),
        _ => Ok(Vec::new()),
    }
}

/// One file in place of several; the others are given with their names. Shards become a safetensors file, of at most `cap` bytes.
///
/// # Errors
/// As their readers, with the name of the shard.
pub fn joined(bytes: &[u8], others: &[(&str, &[u8])], cap: u64) -> Result<Vec<u8>, Error> {
    if !foreign::is_index(bytes) {
        return Ok(onnx::embed(bytes, others, cap)?);
    }
    let missing = other_files(bytes)?.into_iter().find(|name| !others.iter().any(|(other, _)| other == name));
    if let Some(missing) = missing {
        return Err(malformed("index", "weight_map", format!("{missing} beside it"), "no such file").into());
    }
    let shards = others.iter().map(|&(name, shard)| plain(name, shard, cap)).collect::<Result<Vec<_>, Error>>()?;
    Ok(safetensors::join(&shards)?)
}

/// A shard as safetensors.
fn plain<'a>(name: &str, shard: &'a [u8], cap: u64) -> Result<Cow<'a, [u8]>, Error> {
    if reader_of(shard).is_some_and(|reader| reader.name == safetensors::READER.name) {
        return Ok(Cow::Borrowed(shard));
    }
    let opened = read(shard, cap).map_err(|error| Error::In { place: name.into(), error: Box::new(error) })?;
    Ok(Cow::Owned(safetensors::write(&opened.network)))
}
