//! PyTorch's files (`.pt`, `.pth`, `.bin`): what `torch.save` writes, as a ZIP archive or in the older format, and archives of TorchScript.
//!
//! All are a pickle, a program for a stack machine that can call any function of Python. It is read by an
//! interpreter ([`pickle`]) that knows what tensors are made of: no name in it is ever looked up, called or imported, and what is
//! not known is kept as a value that means nothing. [`state`] finds the weights in what comes of it.

mod pickle;
mod state;
mod value;

use super::collect::{Collector, listed};
use super::cursor::{Cursor, malformed, unsupported};
use super::zip::{self, Entry};
use super::{Opened, Reader};
use crate::error::LoadError;
use crate::model::network::{View, row_major, strided};
use crate::model::{Dtype, Network, Source, Tensor};
use pickle::Pickle;
use state::State;
use std::borrow::Cow;
use std::collections::HashMap;
use value::{FORMAT, Form, Scale, Strided, Value};

/// What every file of the older format begins with: a pickle of a magic number.
pub const LEGACY_MAGIC: [u8; 15] = *b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";

/// The version of the older format.
const LEGACY_VERSION: i64 = 1001;

/// The name of the pickle in an archive, in a directory of any name.
const PICKLE: &str = "/data.pkl";

/// The name of a second one, in an archive of TorchScript.
const CONSTANTS: &str = "/constants.pkl";

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
    let archive = entries.iter().find_map(|entry| entry.name.strip_suffix(PICKLE));
    let root = archive.ok_or_else(|| malformed(FORMAT, "archive", format!("an entry *{PICKLE}"), "none"))?;
    let inside: HashMap<&str, &Entry> =
        entries.iter().filter_map(|entry| Some((entry.name.strip_prefix(root)?, entry))).collect();
    if let Some(order) = inside.get("/byteorder") {
        let order = order.unpack(64)?;
        if order.as_ref() != b"little" {
            let got = format!("byte order {}", String::from_utf8_lossy(&order));
            return Err(unsupported(FORMAT, "archive", got, "little"));
        }
    }
    let mut tensors = Collector::new(FORMAT, cap);
    // The second is what the code of a TorchScript archive has written down.
    for (place, folder, name) in [(PICKLE, "/data/", ""), (CONSTANTS, "/constants/", "constants")] {
        let Some(entry) = inside.get(place) else { continue };
        let bytes = entry.unpack(cap)?;
        let mut pickle = Pickle::new(Cursor::new(FORMAT, &bytes, 0)?, cap);
        let root = pickle.run()?;
        let mut storage = |storage: usize| {
            let path = format!("{folder}{}", pickle.storages[storage].key);
            let entry = inside.get(path.as_str());
            entry.ok_or_else(|| malformed(FORMAT, "archive", format!("an entry *{path}"), "none"))?.unpack(cap)
        };
        add_all(&pickle, root, name, &mut storage, &mut tensors)?;
    }
    if inside.contains_key(CONSTANTS) {
        tensors.note("a TorchScript archive: its tensors are read, its code is not".into());
    }
    found(tensors)
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
        let bytes = storage.count.checked_mul(storage.element.size());
        data[index] = cursor.take(bytes.unwrap_or(usize::MAX))?;
    }
    let mut tensors = Collector::new(FORMAT, cap);
    add_all(&pickle, root, "", &mut |storage| Ok(Cow::Borrowed(data[storage])), &mut tensors)?;
    found(tensors)
}

/// Tells which of the tensors from `first` on, each with what it shows if that is known, show elements of another one: of the largest in their storage
/// that lies in it as it is.
fn share(tensors: &mut [Tensor], first: usize, views: &[Option<&Strided>]) {
    let count = |view: &Strided| view.shape.iter().product::<usize>();
    let mut bases: HashMap<usize, (usize, &Strided)> = HashMap::new();
    let known = || views.iter().enumerate().filter_map(|(index, view)| Some((index, (*view)?)));
    for (index, view) in known() {
        let strides = row_major(&view.shape);
        let whole = view.shape.iter().zip(&view.strides).zip(&strides).all(|((&side, a), b)| side == 1 || a == b);
        if whole && count(view) > 0 && bases.get(&view.storage).is_none_or(|(_, base)| count(view) > count(base)) {
            bases.insert(view.storage, (index, view));
        }
    }
    for (index, view) in known() {
        let Some(&(of, base)) = bases.get(&view.storage).filter(|(of, _)| *of != index && count(view) > 0) else {
            continue;
        };
        // Every element was found in the storage: nothing overflows.
        let last =
            view.offset + view.shape.iter().zip(&view.strides).map(|(side, stride)| (side - 1) * stride).sum::<usize>();
        if view.offset >= base.offset && last < base.offset + count(base) {
            let (offset, strides) = (view.offset - base.offset, view.strides.clone());
            tensors[first + index].view = Some(View { of: first + of, offset, strides });
        }
    }
}

/// The tensors, if there are some.
fn found(tensors: Collector) -> Result<Network, LoadError> {
    let network = tensors.network(Source::Torch, Vec::new());
    if network.tensors.is_empty() {
        let expected = "tensors; torch.save(model.state_dict(), 'model.pt') writes them";
        let got = network.notes.iter().fold("none".to_owned(), |got, note| got + "; " + note);
        return Err(malformed(FORMAT, "pickle", expected, got));
    }
    Ok(network)
}

/// Adds the weights in what a pickle made; `bytes_of` gives the bytes of a storage.
fn add_all<'a>(
    pickle: &Pickle,
    root: Value,
    name: &str,
    bytes_of: &mut dyn FnMut(usize) -> Result<Cow<'a, [u8]>, LoadError>,
    tensors: &mut Collector,
) -> Result<(), LoadError> {
    let State { tensors: names, notes } = state::weights(pickle, root, name)?;
    notes.into_iter().for_each(|note| tensors.note(note));
    let mut held = Held { bytes_of, open: None };
    let [mut pairs, mut unknown, mut copies] = [const { Vec::new() }; 3];
    let first = tensors.tensors_mut().len();
    let mut views = Vec::new();
    for (name, index) in names {
        let view = &pickle.tensors[index];
        let name = tensors.free_name(&name);
        let Strided { element, shape, .. } = view;
        let mut shape = shape.clone();
        match element.form {
            Form::Plain => {}
            Form::Pair => {
                shape.push(2);
                pairs.push(name.clone());
            }
            Form::Bytes => unknown.push(name.clone()),
        }
        let dtype = if view.scale.is_some() { Dtype::F32 } else { element.dtype };
        tensors.reserve(&name, &shape, dtype)?;
        let bytes = held.show(&name, view)?;
        if bytes.len() / element.size() > pickle.storages[view.storage].count {
            copies.push(name.clone());
        }
        views.push((element.form == Form::Plain && view.scale.is_none()).then_some(view));
        let mut tensor = Tensor::new(name, shape, dtype, bytes);
        if let Some(scale) = view.scale {
            let integers = element.dtype.integers(&tensor.bytes).collect::<Vec<_>>();
            tensor.bytes = dequantized(pickle, &integers, scale, &tensor, &mut held)?;
            tensor.dequantized = true;
        }
        tensors.push(tensor)?;
    }
    share(tensors.tensors_mut(), first, &views);
    let said = [
        (pairs, "complex numbers, kept as pairs"),
        (unknown, "kept as bytes, since their type is not known"),
        (copies, "more numbers than the file has, since some are shown more than once"),
    ];
    for (names, words) in said.into_iter().filter(|(names, _): &(Vec<String>, _)| !names.is_empty()) {
        tensors.note(format!("{words}: {}", listed(names.iter().map(String::as_str))));
    }
    Ok(())
}

/// The storages of a file. They are held one at a time: views of one storage mostly follow each other.
struct Held<'a, 'b> {
    bytes_of: &'b mut dyn FnMut(usize) -> Result<Cow<'a, [u8]>, LoadError>,
    open: Option<(usize, Cow<'a, [u8]>)>,
}

impl Held<'_, '_> {
    /// What a view shows of a storage's bytes, row-major.
    fn show(&mut self, name: &str, view: &Strided) -> Result<Vec<u8>, LoadError> {
        let Strided { storage, element, shape, strides, offset, .. } = view;
        if self.open.as_ref().is_none_or(|(open, _)| open != storage) {
            // What was open is let go first.
            drop(self.open.take());
            self.open = Some((*storage, (self.bytes_of)(*storage)?));
        }
        let bytes: &[u8] = self.open.as_ref().map_or(&[], |(_, bytes)| bytes);
        strided(bytes, element.size(), shape, strides, *offset).ok_or_else(|| {
            let expected = format!("a view within {} elements", bytes.len() / element.size());
            let got = format!("offset {offset}, shape {shape:?}, strides {strides:?}");
            malformed(FORMAT, Collector::place(name), expected, got)
        })
    }
}

/// The numbers that integers of a quantized tensor stand for, as the bytes of 32-bit floats.
fn dequantized(
    pickle: &Pickle,
    integers: &[i64],
    scale: Scale,
    tensor: &Tensor,
    held: &mut Held,
) -> Result<Vec<u8>, LoadError> {
    let Tensor { name, shape, .. } = tensor;
    let (scales, zeros, axis) = match scale {
        Scale::Whole(scale, zero) => (vec![scale as f32], vec![zero as f32], None),
        _ if integers.is_empty() => return Ok(Vec::new()),
        Scale::Along(scales, zeros, axis) => {
            let mut numbers = |index: usize| {
                let view = &pickle.tensors[index];
                if view.shape.len() != 1 || shape.get(axis) != view.shape.first() || view.element.form != Form::Plain {
                    let expected = format!("a scale and a zero point for each place along axis {axis}");
                    return Err(malformed(FORMAT, Collector::place(name), expected, format!("{:?}", view.shape)));
                }
                Ok(view.element.dtype.to_floats(&held.show(name, view)?))
            };
            (numbers(scales)?, numbers(zeros)?, Some(axis))
        }
    };
    // Elements behind one place along the axis.
    let behind = axis.map_or(usize::MAX, |axis| shape[axis + 1..].iter().product::<usize>().max(1));
    let value = |(place, &integer): (usize, &i64)| {
        let at = place / behind % scales.len();
        ((integer as f32 - zeros[at]) * scales[at]).to_le_bytes()
    };
    Ok(integers.iter().enumerate().flat_map(value).collect())
}
