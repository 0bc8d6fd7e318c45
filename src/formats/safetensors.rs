//! safetensors (<https://github.com/huggingface/safetensors>): the length of a header, the header as JSON, the numbers.

use super::collect::Collector;
use super::cursor::{Cursor, malformed, unsupported};
use super::json::Json;
use crate::error::LoadError;
use crate::model::{Dtype, Origin, Source, Tensor, Weights};
use std::ops::Range;

const FORMAT: &str = "safetensors";

/// The longest header, in bytes: that of the reference implementation.
const MAX_HEADER: u64 = 100_000_000;

/// The key that is no tensor.
const METADATA: &str = "__metadata__";

/// Whether these look like the first bytes of such a file.
pub fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((&length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(length);
    (2..=MAX_HEADER).contains(&length) && rest.first() == Some(&b'{')
}

/// A tensor as the header has it.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    dtype: Dtype,
    /// In the numbers.
    range: Range<usize>,
}

/// Reads a file. Its tensors may take `cap` bytes.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read(bytes: &[u8], cap: u64) -> Result<Weights, LoadError> {
    let mut cursor = Cursor::new(FORMAT, bytes, 0)?;
    let length = cursor.u64()?;
    if length > MAX_HEADER {
        return Err(malformed(FORMAT, "header", format!("at most {MAX_HEADER} bytes"), length));
    }
    let header = cursor.take(length as usize)?;
    let header = std::str::from_utf8(header).map_err(|error| malformed(FORMAT, "header", "text in UTF-8", error))?;
    let (mut entries, metadata) = parse(header)?;
    entries.sort_by_key(|entry| (entry.range.start, entry.range.end));
    let numbers = cursor.take(cursor.left())?;
    let mut tensors = Collector::new(FORMAT, cap);
    let mut end = 0;
    for Entry { name, shape, dtype, range } in entries {
        // No holes and no overlaps, as the format asks for.
        let (start, got) = (range.start, format!("{range:?}"));
        let data = numbers.get(range).filter(|_| start == end);
        let data = data.ok_or_else(|| {
            let expected = format!("bytes of its own from {end} on, within {}", numbers.len());
            malformed(FORMAT, Collector::place(&name), expected, got)
        })?;
        end += data.len();
        tensors.copy(&name, shape, dtype, data)?;
    }
    if end != numbers.len() {
        return Err(malformed(FORMAT, "end", format!("{end} bytes of numbers"), numbers.len()));
    }
    let origin = Origin { source: Source::Safetensors, skeleton: metadata.as_bytes().to_vec() };
    Ok(Weights { tensors: tensors.finish(), origin, obstacle: None })
}

/// The tensors, and the text of the metadata.
fn parse(header: &str) -> Result<(Vec<Entry>, &str), LoadError> {
    let mut json = Json::new(FORMAT, "header", header);
    let (mut entries, mut metadata) = (Vec::new(), "");
    let mut more = json.open('{')?;
    while more {
        let name = json.key()?;
        if name == METADATA {
            let start = json.position();
            let mut pairs = json.open('{')?;
            while pairs {
                json.key()?;
                json.string()?;
                pairs = json.next('}')?;
            }
            metadata = &header[start..json.position()];
        } else {
            entries.push(entry(&mut json, name)?);
        }
        more = json.next('}')?;
    }
    json.finish()?;
    Ok((entries, metadata))
}

fn entry(json: &mut Json, name: String) -> Result<Entry, LoadError> {
    let place = Collector::place(&name);
    let (mut shape, mut dtype, mut offsets) = (None, None, None);
    let mut more = json.open('{')?;
    while more {
        match json.key()?.as_str() {
            "dtype" => dtype = Some(dtype_of(&json.string()?, &place)?),
            "shape" => shape = Some(json.sizes()?),
            "data_offsets" => offsets = Some(json.sizes()?),
            other => return Err(malformed(FORMAT, place, "dtype, shape and data_offsets", format!("'{other}'"))),
        }
        more = json.next('}')?;
    }
    match (shape, dtype, offsets.as_deref()) {
        (Some(shape), Some(dtype), Some(&[start, end])) => Ok(Entry { name, shape, dtype, range: start..end }),
        (_, _, Some(offsets)) if offsets.len() != 2 => Err(malformed(FORMAT, place, "two data_offsets", offsets.len())),
        _ => Err(malformed(FORMAT, place, "dtype, shape and data_offsets", "less")),
    }
}

/// The type of a name.
fn dtype_of(name: &str, place: &str) -> Result<Dtype, LoadError> {
    Dtype::ALL.into_iter().find(|&dtype| dtype_name(dtype) == name).ok_or_else(|| {
        let supported = "F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8 and BOOL";
        unsupported(FORMAT, place, format!("type {name}"), supported)
    })
}

/// The name of a type.
fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F64 => "F64",
        Dtype::F32 => "F32",
        Dtype::F16 => "F16",
        Dtype::Bf16 => "BF16",
        Dtype::I64 => "I64",
        Dtype::I32 => "I32",
        Dtype::I16 => "I16",
        Dtype::I8 => "I8",
        Dtype::U64 => "U64",
        Dtype::U32 => "U32",
        Dtype::U16 => "U16",
        Dtype::U8 => "U8",
        Dtype::Bool => "BOOL",
    }
}

/// Writes a file with the tensors in their order, and the original's metadata if it was of this format.
pub fn write(weights: &Weights) -> Vec<u8> {
    let mut header = String::from("{");
    if weights.origin.source == Source::Safetensors && !weights.origin.skeleton.is_empty() {
        header += &format!("\"{METADATA}\":{},", String::from_utf8_lossy(&weights.origin.skeleton));
    }
    let mut end = 0;
    for Tensor { name, shape, dtype, bytes, .. } in &weights.tensors {
        let start = end;
        end += bytes.len();
        let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
        header += &format!(
            "{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{start},{end}]}},",
            super::json::quote(name),
            dtype_name(*dtype),
            sides.join(",")
        );
    }
    if header.ends_with(',') {
        header.pop();
    }
    header.push('}');
    // The numbers are to start at a multiple of 8.
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.reserve_exact(header.len() + end);
    file.extend_from_slice(header.as_bytes());
    weights.tensors.iter().for_each(|tensor| file.extend_from_slice(&tensor.bytes));
    file
}
