//! safetensors (<https://github.com/huggingface/safetensors>): the length of a header, the header as JSON, the numbers.

use super::collect::{Collector, listed};
use super::cursor::{Cursor, malformed};
use super::{Opened, Reader};
use crate::error::{LoadError, of_json, without_place};
use crate::model::network::byte_count;
use crate::model::{Dtype, Network, Source, Tensor};
use crate::ranking::ranked;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

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
struct Entry<'a> {
    name: String,
    info: Info<'a>,
}

/// Type and shape of each tensor that is kept as bytes, since Nutshell does not have its type.
type Kept<'a> = BTreeMap<Cow<'a, str>, (Cow<'a, str>, Vec<usize>)>;

/// What stands between the metadata and [`Kept`] as JSON, in the skeleton.
const KEPT: u8 = 0;

/// Reads a file. Its tensors may take `cap` bytes.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read(bytes: &[u8], cap: u64) -> Result<Network, LoadError> {
    let (header, numbers) = parts(bytes)?;
    let (entries, metadata) = parse(header)?;
    let order = ranked(entries.len(), &|place| {
        let [start, end] = entries[place].info.data_offsets;
        (start as u128) << 64 | end as u128
    });
    let mut entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    let mut tensors = Collector::new(FORMAT, cap);
    let (mut end, mut kept) = (0, Kept::new());
    for Entry { name, info } in order.into_iter().filter_map(|place| entries[place].take()) {
        let Info { dtype, mut shape, data_offsets: [start, stop] } = info;
        // No holes and no overlaps, as the format asks for.
        let data = numbers.get(start..stop).filter(|_| start == end);
        let data = data.ok_or_else(|| {
            let expected = format!("bytes of its own from {end} on, within {}", numbers.len());
            malformed(FORMAT, Collector::place(&name), expected, format!("{start}..{stop}"))
        })?;
        end = stop;
        let known = dtype.parse();
        if known.is_err() {
            kept.insert(name.clone().into(), (dtype, shape.clone()));
            // Of elements that are no bytes, the shape is not that of the bytes.
            if byte_count(&shape, Dtype::U8) != Some(data.len()) {
                shape = vec![data.len()];
            }
        }
        tensors.copy(&name, shape, known.unwrap_or(Dtype::U8), data)?;
    }
    let mut skeleton = metadata.as_bytes().to_vec();
    if !kept.is_empty() {
        let mut types: Vec<&str> = Vec::new();
        for (dtype, _) in kept.values() {
            if !types.contains(&dtype.as_ref()) {
                types.push(dtype);
            }
        }
        let types = types.join(", ");
        let names = kept.keys().map(|name| name.as_ref());
        tensors.note(format!("kept as bytes, since their type is not known ({types}): {}", listed(names)));
        skeleton.push(KEPT);
        skeleton.extend(json(&kept).into_bytes());
    }
    if end != numbers.len() {
        return Err(malformed(FORMAT, "end", format!("{end} bytes of numbers"), numbers.len()));
    }
    Ok(tensors.network(Source::Safetensors, skeleton))
}

/// The header, and the bytes of the numbers.
fn parts(bytes: &[u8]) -> Result<(&str, &[u8]), LoadError> {
    let mut cursor = Cursor::new(FORMAT, bytes, 0)?;
    let length = cursor.u64()?;
    if length > MAX_HEADER {
        return Err(malformed(FORMAT, "header", format!("at most {MAX_HEADER} bytes"), length));
    }
    let header = cursor.take(length as usize)?;
    let header = std::str::from_utf8(header).map_err(|error| malformed(FORMAT, "header", "text in UTF-8", error))?;
    Ok((header, cursor.take(cursor.left())?))
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
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Info<'a> {
    #[serde(borrow)]
    dtype: Cow<'a, str>,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// The tensors, and the text of the metadata.
fn parse(header: &str) -> Result<(Vec<Entry<'_>>, &str), LoadError> {
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
        entries.push(Entry { name, info });
    }
    Ok((entries, metadata))
}

/// Writes a file with the tensors in their order, and the original's metadata if it was of this format.
pub fn write(weights: &Network) -> Vec<u8> {
    let skeleton = weights.skeleton(Source::Safetensors).unwrap_or_default();
    let mut sections = skeleton.split(|&byte| byte == KEPT);
    let metadata = sections.next().unwrap_or_default();
    let kept: Kept = sections.next().and_then(|kept| of_json(kept).ok()).unwrap_or_default();
    let mut end = 0;
    let infos = weights.tensors.iter().map(|Tensor { name, shape, dtype, bytes, .. }| {
        let start = end;
        end += bytes.len();
        let (dtype, shape) = kept.get(name.as_str()).cloned().unwrap_or((<&str>::from(dtype).into(), shape.clone()));
        (name.as_str(), Info { dtype, shape, data_offsets: [start, end] })
    });
    let mut file = head(&String::from_utf8_lossy(metadata), infos);
    file.reserve_exact(end);
    weights.tensors.iter().for_each(|tensor| file.extend_from_slice(&tensor.bytes));
    file
}

/// One file with the tensors of several.
///
/// # Errors
/// [`LoadError`], if one is damaged.
pub fn join(files: &[Cow<[u8]>]) -> Result<Vec<u8>, LoadError> {
    let (mut metadata, mut infos, mut end) = ("", Vec::new(), 0);
    for file in files {
        let (header, numbers) = parts(file)?;
        let (entries, own) = parse(header)?;
        metadata = if metadata.is_empty() { own } else { metadata };
        for Entry { name, mut info } in entries {
            info.data_offsets = info.data_offsets.map(|place| place.saturating_add(end));
            infos.push((name, info));
        }
        end += numbers.len();
    }
    let mut joined = head(metadata, infos);
    joined.reserve_exact(end);
    for file in files {
        joined.extend_from_slice(parts(file)?.1);
    }
    Ok(joined)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("every text and number has a JSON form")
}

/// The length of a header, and the header.
fn head<'a>(metadata: &str, infos: impl IntoIterator<Item = (impl Serialize, Info<'a>)>) -> Vec<u8> {
    let mut header = String::from("{");
    if !metadata.is_empty() {
        header += &format!("\"{METADATA}\":{metadata},");
    }
    for (name, info) in infos {
        header += &format!("{}:{},", json(&name), json(&info));
    }
    if header.ends_with(',') {
        header.pop();
    }
    header.push('}');
    // The numbers are to start at a multiple of 8.
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
}
