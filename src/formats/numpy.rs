//! Arrays of numpy: `.npy` (NEP 1), one array, and `.npz`, a ZIP archive of them.

use super::collect::Collector;
use super::cursor::{Cursor, malformed, unsupported};
use super::zip::{self, Entry};
use super::{Opened, Reader};
use crate::error::LoadError;
use crate::model::network::strided;
use crate::model::{Dtype, Network, Source, Tensor};

const FORMAT: &str = "numpy";

/// The first bytes of every `.npy` file.
pub const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// The longest header, in bytes.
const MAX_HEADER: usize = 1 << 16;

/// The name of the array in a file that holds one, and has no name for it.
const ONLY: &str = "array";

/// What is read, and what helps if it is something else.
const NUMBERS: &str =
    "real numbers of 8 to 64 bits, which numpy.savez('weights.npz', w=w, b=b) writes with an array for each name";

/// What ends the name of an entry.
const SUFFIX: &str = ".npy";

/// Archives of arrays.
pub const ARCHIVE: Reader = Reader {
    name: "npz",
    title: "npz",
    sniff: |bytes| zip::entries(bytes).is_ok_and(|entries| is_npz(&entries)),
    read: |bytes, cap| Ok(Opened::new("npz", read_npz(&zip::entries(bytes)?, cap)?)),
    graph: None,
    model: None,
};

/// Files of one array.
pub const ARRAY: Reader = Reader {
    name: "npy",
    title: "npy",
    sniff: |bytes| bytes.starts_with(&MAGIC),
    read: |bytes, cap| Ok(Opened::new("npy", read_npy(bytes, cap)?)),
    graph: None,
    model: None,
};

/// Reads one array.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read_npy(bytes: &[u8], cap: u64) -> Result<Network, LoadError> {
    let mut tensors = Collector::new(FORMAT, cap);
    array(ONLY, bytes, &mut tensors)?;
    Ok(tensors.network(Source::Npy, Vec::new()))
}

/// Whether the entries of an archive are arrays.
pub fn is_npz(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.name.ends_with(SUFFIX))
}

/// Reads the arrays of an archive.
///
/// # Errors
/// [`LoadError`], whatever the bytes are.
pub fn read_npz(entries: &[Entry], cap: u64) -> Result<Network, LoadError> {
    let (mut network, left_out) = arrays(entries, cap)?;
    match left_out.first() {
        Some((_, error)) if network.tensors.is_empty() => return Err(error.clone()),
        _ => {}
    }
    for (name, error) in left_out {
        let LoadError::Unsupported { feature, .. } = error else { continue };
        network.notes.push(format!("left out: {name}, {feature}"));
    }
    Ok(network)
}

/// The arrays of an archive that are numbers; and the others, with what is wrong with each.
///
/// # Errors
/// [`LoadError`], if an array is damaged or too large.
pub fn arrays(entries: &[Entry], cap: u64) -> Result<(Network, Vec<(String, LoadError)>), LoadError> {
    let (mut tensors, mut left_out) = (Collector::new(FORMAT, cap), Vec::new());
    for entry in entries {
        let (name, read) = match entry.name.strip_suffix(SUFFIX) {
            Some(name) => (name, array(name, &entry.unpack(cap)?, &mut tensors)),
            None => {
                let place = format!("entry '{}'", entry.name);
                (entry.name.as_str(), Err(unsupported(FORMAT, place, "a file that is no array", "*.npy")))
            }
        };
        match read {
            Err(error @ LoadError::Unsupported { .. }) => left_out.push((name.to_owned(), error)),
            other => other?,
        }
    }
    Ok((tensors.network(Source::Npz, Vec::new()), left_out))
}

/// Adds the array of a `.npy` file.
fn array(name: &str, bytes: &[u8], tensors: &mut Collector) -> Result<(), LoadError> {
    let place = Collector::place(name);
    let mut cursor = Cursor::new(FORMAT, bytes, 0)?;
    if cursor.take(MAGIC.len())? != MAGIC {
        return Err(malformed(FORMAT, place, "the first bytes of a numpy file", "others"));
    }
    let [major, _] = cursor.array()?;
    let length = match major {
        1 => usize::from(cursor.u16()?),
        2 | 3 => cursor.u32()? as usize,
        other => return Err(unsupported(FORMAT, place, format!("version {other}"), "1 to 3")),
    };
    if length > MAX_HEADER {
        return Err(malformed(FORMAT, place, format!("a header of at most {MAX_HEADER} bytes"), length));
    }
    let header = String::from_utf8_lossy(cursor.take(length)?);
    let (descr, fortran, shape) = Header { text: &header, place: &place }.parse()?;
    let (dtype, swapped) = dtype_of(descr, &place)?;
    let data = cursor.take(cursor.left())?;
    let turned = fortran && shape.len() > 1;
    if !(swapped || turned) {
        return tensors.copy(name, shape, dtype, data);
    }
    let expected = tensors.reserve(name, &shape, dtype)?;
    if data.len() != expected {
        return Err(malformed(FORMAT, place, format!("{expected} bytes for the shape {shape:?}"), data.len()));
    }
    // The first index runs fastest.
    let strides: Vec<usize> = shape.iter().scan(1, |step, side| Some(std::mem::replace(step, *step * side))).collect();
    let turned = if turned { strided(data, dtype.size(), &shape, &strides, 0) } else { None };
    let mut bytes = turned.unwrap_or_else(|| data.to_vec());
    if swapped {
        bytes.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
    }
    tensors.push(Tensor::new(name.to_owned(), shape, dtype, bytes))
}

/// The header: a dictionary as Python writes it.
struct Header<'a> {
    text: &'a str,
    place: &'a str,
}

impl<'a> Header<'a> {
    fn fault(&self, expected: &str) -> LoadError {
        malformed(FORMAT, self.place, expected, format!("'{}'", self.text.trim_end()))
    }

    /// What follows a key and its colon.
    fn value(&self, key: &str) -> Result<&'a str, LoadError> {
        let quotes = [format!("'{key}':"), format!("\"{key}\":")];
        let mut found = quotes.iter().filter_map(|quoted| self.text.split_once(quoted.as_str()));
        let (_, value) = found.next().ok_or_else(|| self.fault(&format!("a header with the key '{key}'")))?;
        Ok(value.trim_start())
    }

    /// The type's code, whether the first index runs fastest, and the sides.
    fn parse(&self) -> Result<(&'a str, bool, Vec<usize>), LoadError> {
        let descr = self.value("descr")?;
        let quote = descr.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let Some((descr, _)) = quote.and_then(|quote| descr[1..].split_once(quote)) else {
            return Err(unsupported(FORMAT, self.place, "a type of several fields", NUMBERS));
        };
        let fortran = match self.value("fortran_order")? {
            value if value.starts_with("False") => false,
            value if value.starts_with("True") => true,
            _ => return Err(self.fault("fortran_order to be True or False")),
        };
        let sides = self.value("shape")?.strip_prefix('(').and_then(|value| value.split_once(')'));
        let (sides, _) = sides.ok_or_else(|| self.fault("a shape in parentheses"))?;
        let shape = sides.split(',').map(str::trim).filter(|side| !side.is_empty()).map(str::parse);
        let shape: Result<_, _> = shape.collect();
        Ok((
            descr,
            fortran,
            shape.map_err(|_: std::num::ParseIntError| self.fault("sides that are whole numbers and fit"))?,
        ))
    }
}

/// The code of a type, without its byte order. There is none for bfloat16.
fn code_of(dtype: Dtype) -> String {
    format!("{}{}", &dtype.name()[..1], dtype.size())
}

/// The type of a code, and whether its bytes are in the other order.
fn dtype_of(descr: &str, place: &str) -> Result<(Dtype, bool), LoadError> {
    let code = descr.strip_prefix(['<', '>', '|', '=']);
    let known = |dtype: &&Dtype| **dtype != Dtype::Bf16 && code.is_some_and(|code| code_of(**dtype) == code);
    match Dtype::ALL.iter().find(known) {
        Some(&dtype) => Ok((dtype, descr.starts_with('>'))),
        None => {
            let kind = match code.and_then(|code| code.chars().next()) {
                Some('O') => "Python objects",
                Some('U' | 'S' | 'a') => "words",
                Some('M' | 'm') => "dates or times",
                Some('c') => "complex numbers",
                _ => "numbers that are not known",
            };
            Err(unsupported(FORMAT, place, format!("an array of {kind} (type {descr})"), NUMBERS))
        }
    }
}

/// Writes an archive of arrays. numpy has no bfloat16: such tensors become 32-bit floats, of the same values. `None` if two
/// have the same name.
pub fn write_npz(weights: &Network) -> Option<Vec<u8>> {
    let entries: Vec<_> =
        weights.tensors.iter().map(|tensor| (format!("{}{SUFFIX}", tensor.name), npy(tensor))).collect();
    zip::write(&entries)
}

/// A `.npy` file, version 1, whose numbers start at a multiple of 64 bytes.
fn npy(tensor: &Tensor) -> Vec<u8> {
    let widened = tensor.dtype == Dtype::Bf16;
    let dtype = if widened { Dtype::F32 } else { tensor.dtype };
    let code = code_of(dtype);
    let order = if dtype.size() == 1 { '|' } else { '<' };
    let sides: String = tensor.shape.iter().map(|side| format!("{side}, ")).collect();
    // A tuple of one keeps its comma.
    let sides = if tensor.shape.len() == 1 { sides.trim_end() } else { sides.trim_end_matches(", ") };
    let mut header = format!("{{'descr': '{order}{code}', 'fortran_order': False, 'shape': ({sides}), }}");
    while !(MAGIC.len() + 4 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&[1, 0]);
    file.extend_from_slice(&(header.len() as u16).to_le_bytes());
    file.extend_from_slice(header.as_bytes());
    if widened {
        file.extend(tensor.values().iter().flat_map(|value| value.to_le_bytes()));
    } else {
        file.extend_from_slice(&tensor.bytes);
    }
    file
}
