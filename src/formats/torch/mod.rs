//! PyTorch's files (`.pt`, `.pth`, `.bin`): what `torch.save` writes of a state dictionary, as a ZIP archive or in the older format.
//!
//! Both are a pickle, a program for a stack machine that can call any function of Python. It is read by an
//! interpreter ([`pickle`]) that knows what a state dictionary needs and nothing more: no name in it is ever looked up, called or
//! imported.

mod pickle;
mod state;
mod value;

use super::collect::Collector;
use super::cursor::{Cursor, malformed, unsupported};
use super::zip::{self, Entry};
use super::{Opened, Reader};
use crate::error::LoadError;
use crate::model::network::{View, row_major, strided};
use crate::model::{Dtype, Network, Source, Tensor};
use pickle::Pickle;
use std::borrow::Cow;
use std::collections::HashMap;
use value::{FORMAT, Strided, Value};

/// What every file of the older format begins with: a pickle of a magic number.
pub const LEGACY_MAGIC: [u8; 15] = *b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";

/// The version of the older format.
const LEGACY_VERSION: i64 = 1001;

/// The name of the pickle in an archive, in a directory of any name.
const PICKLE: &str = "/data.pkl";

/// Archives of `torch.save`.
pub const ARCHIVE: Reader = Reader {
    name: "torch",
    title: "PyTorch state dictionary",
    sniff: |bytes| zip::entries(bytes).is_ok_and(|entries| is_torch(&entries)),
    read: |bytes, cap| Ok(Opened::new("torch", read_archive(&zip::entries(bytes)?, cap)?)),
    graph: None,
    model: None,
};

/// What `torch.save` wrote before it wrote archives.
pub const LEGACY: Reader = Reader {
    sniff: |bytes| bytes.starts_with(&LEGACY_MAGIC),
    read: |bytes, cap| Ok(Opened::new("torch", read_legacy(bytes, cap)?)),
    ..ARCHIVE
};

/// Whether the entries of an archive are such a file.
fn is_torch(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.name.ends_with(PICKLE))
}

/// Reads an archive.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read_archive(entries: &[Entry], cap: u64) -> Result<Network, LoadError> {
    let found = entries.iter().find_map(|entry| Some((entry, entry.name.strip_suffix(PICKLE)?)));
    let (entry, root) = found.ok_or_else(|| malformed(FORMAT, "archive", format!("an entry *{PICKLE}"), "none"))?;
    let inside: HashMap<&str, &Entry> =
        entries.iter().filter_map(|entry| Some((entry.name.strip_prefix(root)?, entry))).collect();
    if let Some(order) = inside.get("/byteorder") {
        let order = order.unpack(64)?;
        if order.as_ref() != b"little" {
            let got = format!("byte order {}", String::from_utf8_lossy(&order));
            return Err(unsupported(FORMAT, "archive", got, "little"));
        }
    }
    let bytes = entry.unpack(cap)?;
    let mut pickle = Pickle::new(Cursor::new(FORMAT, &bytes, 0)?, cap);
    let root = pickle.run()?;
    let views = state::views(&pickle, root)?;
    // Unpacked storages are held one at a time: views of one storage mostly follow each other.
    let mut open: Option<(&str, Cow<[u8]>)> = None;
    let mut tensors = Collector::new(FORMAT, cap);
    for (name, view) in &views {
        let storage = &pickle.storages[view.storage];
        if open.as_ref().is_none_or(|(key, _)| *key != storage.key) {
            let path = format!("/data/{}", storage.key);
            let entry = inside.get(path.as_str());
            let entry = entry.ok_or_else(|| malformed(FORMAT, "archive", format!("an entry *{path}"), "none"))?;
            // What was open is let go first.
            drop(open.take());
            open = Some((&storage.key, entry.unpack(cap)?));
        }
        if let Some((_, bytes)) = &open {
            add(name, view, storage.dtype, bytes, &mut tensors)?;
        }
    }
    Ok(shared(tensors.network(Source::Torch, Vec::new()), &views))
}

/// Reads a file of the older format: pickles of the magic number, the version, the system, the state and the storages' keys,
/// and then the storages.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read_legacy(file: &[u8], cap: u64) -> Result<Network, LoadError> {
    let mut pickle = Pickle::new(Cursor::new(FORMAT, file, LEGACY_MAGIC.len())?, cap);
    match pickle.run()? {
        Value::Int(LEGACY_VERSION) => {}
        other => return Err(malformed(FORMAT, "version", LEGACY_VERSION, format!("{other:?}"))),
    }
    let _system = pickle.run()?;
    let root = pickle.run()?;
    let keys = pickle.run()?;
    let views = state::views(&pickle, root)?;
    let Value::List(keys) = keys else { return Err(malformed(FORMAT, "storages", "a list of keys", "something else")) };
    let mut cursor = pickle.cursor.clone();
    let mut data: Vec<&[u8]> = vec![&[]; pickle.storages.len()];
    for key in &pickle.sequences[keys] {
        let stored = match key {
            Value::Text(text) => pickle.keys.get(&pickle.texts[*text]).copied(),
            _ => None,
        };
        let index = stored.ok_or_else(|| cursor.malformed("the key of a storage", format!("{key:?}")))?;
        let storage = &pickle.storages[index];
        let place = cursor.clone();
        let count = cursor.u64()?;
        if count != storage.count as u64 {
            return Err(place.malformed(format!("{} elements in a storage", storage.count), count));
        }
        let bytes = storage.count.checked_mul(storage.dtype.size());
        data[index] = cursor.take(bytes.unwrap_or(usize::MAX))?;
    }
    let mut tensors = Collector::new(FORMAT, cap);
    for (name, view) in &views {
        add(name, view, pickle.storages[view.storage].dtype, data[view.storage], &mut tensors)?;
    }
    Ok(shared(tensors.network(Source::Torch, Vec::new()), &views))
}

/// Tells which of the tensors show elements of another one: of the largest in their storage that lies in it as it is.
fn shared(mut network: Network, views: &[(String, &Strided)]) -> Network {
    let count = |view: &Strided| view.shape.iter().product::<usize>();
    let mut bases: HashMap<usize, usize> = HashMap::new();
    for (index, (_, view)) in views.iter().enumerate() {
        let strides = row_major(&view.shape);
        let whole = view.shape.iter().zip(&view.strides).zip(&strides).all(|((&side, a), b)| side == 1 || a == b);
        let larger = |&base: &usize| count(view) > count(views[base].1);
        if whole && count(view) > 0 && bases.get(&view.storage).is_none_or(larger) {
            bases.insert(view.storage, index);
        }
    }
    for (index, (tensor, (_, view))) in network.tensors.iter_mut().zip(views).enumerate() {
        let Some(&of) = bases.get(&view.storage).filter(|&&of| of != index && count(view) > 0) else { continue };
        let base = views[of].1;
        // Every element was found in the storage: nothing overflows.
        let last =
            view.offset + view.shape.iter().zip(&view.strides).map(|(side, stride)| (side - 1) * stride).sum::<usize>();
        if view.offset >= base.offset && last < base.offset + count(base) {
            tensor.view = Some(View { of, offset: view.offset - base.offset, strides: view.strides.clone() });
        }
    }
    network
}

/// Copies what a view shows of a storage's bytes, row-major.
fn add(name: &str, view: &Strided, dtype: Dtype, storage: &[u8], tensors: &mut Collector) -> Result<(), LoadError> {
    let Strided { shape, strides, offset, .. } = view;
    tensors.reserve(name, shape, dtype)?;
    let bytes = strided(storage, dtype.size(), shape, strides, *offset).ok_or_else(|| {
        let expected = format!("a view within {} elements", storage.len() / dtype.size());
        let got = format!("offset {offset}, shape {shape:?}, strides {strides:?}");
        malformed(FORMAT, Collector::place(name), expected, got)
    })?;
    tensors.push(Tensor::new(name.to_owned(), shape.clone(), dtype, bytes))
}
