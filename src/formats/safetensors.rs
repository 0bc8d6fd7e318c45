//! safetensors (<https://github.com/huggingface/safetensors>): the length of a header, the header as JSON, the numbers.

use super::collect::Collector;
use super::cursor::{Cursor, malformed, unsupported};
use super::{Opened, Reader};
use crate::error::{LoadError, without_place};
use crate::model::{Dtype, Network, Source, Tensor};
use crate::ranking::ranked;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

const FORMAT: &str = "safetensors";

/// The longest header, in bytes: that of the reference implementation.
const MAX_HEADER: u64 = 100_000_000;

/// The key that is no tensor.
const METADATA: &str = "__metadata__";

/// Files of safetensors.
pub const READER: Reader = Reader {
    name: "safetensors",
    title: "safetensors",
    sniff: is_safetensors,
    read: |bytes, cap| Ok(Opened::new("safetensors", read(bytes, cap)?)),
    graph: None,
    model: None,
};

/// Whether these look like the first bytes of such a file.
fn is_safetensors(bytes: &[u8]) -> bool {
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
pub fn read(bytes: &[u8], cap: u64) -> Result<Network, LoadError> {
    let mut cursor = Cursor::new(FORMAT, bytes, 0)?;
    let length = cursor.u64()?;
    if length > MAX_HEADER {
        return Err(malformed(FORMAT, "header", format!("at most {MAX_HEADER} bytes"), length));
    }
    let header = cursor.take(length as usize)?;
    let header = std::str::from_utf8(header).map_err(|error| malformed(FORMAT, "header", "text in UTF-8", error))?;
    let (entries, metadata) = parse(header)?;
    let order = ranked(entries.len(), &|place| {
        let Range { start, end } = entries[place].range;
        (start as u128) << 64 | end as u128
    });
    let mut entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    let numbers = cursor.take(cursor.left())?;
    let mut tensors = Collector::new(FORMAT, cap);
    let mut end = 0;
    for Entry { name, shape, dtype, range } in order.into_iter().filter_map(|place| entries[place].take()) {
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
    Ok(tensors.network(Source::Safetensors, metadata.as_bytes().to_vec()))
}

/// The header's members in their order, one by one, so that a name that occurs twice is noticed.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// A tensor's member of the header.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Info<'a> {
    #[serde(borrow)]
    dtype: Cow<'a, str>,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// The tensors, and the text of the metadata.
fn parse(header: &str) -> Result<(Vec<Entry>, &str), LoadError> {
    let Members(members) =
        serde_json::from_str(header).map_err(|error| malformed(FORMAT, "header", "a JSON object", error))?;
    let (mut entries, mut metadata) = (Vec::with_capacity(members.len()), "");
    for (name, value) in members {
        if name == METADATA {
            // Kept as it is written, so that a file is written with it as it was.
            metadata = value.get();
            serde_json::from_str::<HashMap<Cow<str>, Cow<str>>>(metadata)
                .map_err(|error| malformed(FORMAT, METADATA, "an object of texts", without_place(&error)))?;
            continue;
        }
        let place = Collector::place(&name);
        let info: Info = serde_json::from_str(value.get())
            .map_err(|error| malformed(FORMAT, &place, "dtype, shape and data_offsets", without_place(&error)))?;
        let [start, end] = info.data_offsets;
        entries.push(Entry { name, shape: info.shape, dtype: dtype_of(&info.dtype, &place)?, range: start..end });
    }
    Ok((entries, metadata))
}

/// The type of a name.
fn dtype_of(name: &str, place: &str) -> Result<Dtype, LoadError> {
    let supported = "F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8 and BOOL";
    name.parse().map_err(|_| unsupported(FORMAT, place, format!("type {name}"), supported))
}

/// Writes a file with the tensors in their order, and the original's metadata if it was of this format.
pub fn write(weights: &Network) -> Vec<u8> {
    let mut header = String::from("{");
    if let Some(metadata) = weights.skeleton(Source::Safetensors).filter(|metadata| !metadata.is_empty()) {
        header += &format!("\"{METADATA}\":{},", String::from_utf8_lossy(metadata));
    }
    let mut end = 0;
    for Tensor { name, shape, dtype, bytes, .. } in &weights.tensors {
        let start = end;
        end += bytes.len();
        let info = Info { dtype: <&str>::from(dtype).into(), shape: shape.clone(), data_offsets: [start, end] };
        let json = |json: serde_json::Result<String>| json.expect("every text and number has a JSON form");
        header += &format!("{}:{},", json(serde_json::to_string(name)), json(serde_json::to_string(&info)));
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
