//! The numbers of a data set: their type and shape, where they lie, and the chunks and filters that they may be in.

use super::object::{DATASPACE, DATATYPE, FILL_VALUE, FILTERS, FORMAT, File, LAYOUT, Message, NOWHERE, find, number};
use crate::error::LoadError;
use crate::formats::collect::Collector;
use crate::formats::cursor::{Cursor, MAX_SIDES, malformed, unsupported};
use crate::model::{Dtype, Tensor};
use flate2::bufread::ZlibDecoder;
use std::io::Read;

/// The most filters of a data set.
const MAX_FILTERS: usize = 32;

/// What is done to the bytes of a chunk before they are stored.
enum Filter {
    /// zlib's.
    Deflate,
    /// The bytes of elements of this size are sorted by their places in them.
    Shuffle(usize),
}

/// A part of the array, as all of them are: its sides in elements, what is done to it, and the bytes of it and of an element.
struct Chunks<'b> {
    sides: Vec<usize>,
    filters: Vec<Filter>,
    bytes: usize,
    size: usize,
    place: &'b str,
}

/// Adds the array of a data set.
pub fn read<'a>(
    file: &mut File<'a>,
    messages: &[Message<'a>],
    name: String,
    tensors: &mut Collector,
) -> Result<(), LoadError> {
    let place = Collector::place(&name);
    let needed = |kind: u16, what: &str| {
        find(messages, kind, &place)?.ok_or_else(|| malformed(FORMAT, &place, what, "an object without"))
    };
    let shape = shape_of(needed(DATASPACE, "a shape")?, &place)?;
    let (dtype, swapped) = type_of(needed(DATATYPE, "a type")?, &place)?;
    let expected = tensors.reserve(&name, &shape, dtype)?;
    let fill = find(messages, FILL_VALUE, &place)?.map(fill_of).transpose()?.flatten();
    let blank = || match fill.filter(|value| value.len() == dtype.size()) {
        Some(value) => value.repeat(expected / dtype.size()),
        None => vec![0; expected],
    };
    let filters = match find(messages, FILTERS, &place)? {
        Some(body) => filters_of(body, dtype.size(), &place)?,
        None => Vec::new(),
    };
    let exact = |mut found: Cursor<'a>| match found.left() {
        left if left == expected => Ok(found.take(left)?.to_vec()),
        left => Err(malformed(FORMAT, &place, format!("{expected} bytes for the shape {shape:?}"), left)),
    };
    let mut layout = needed(LAYOUT, "a layout")?;
    let version = layout.byte()?;
    if !(3..=5).contains(&version) {
        return Err(unsupported(FORMAT, place, format!("version {version} of the layout"), "3 to 5"));
    }
    let mut bytes = match layout.byte()? {
        0 => {
            let size = layout.u16()?;
            exact(file.part(layout.position() as u64, size.into())?)?
        }
        1 => match (layout.u64()?, layout.u64()?) {
            (NOWHERE, _) => blank(),
            (address, size) => exact(file.part(address, size)?)?,
        },
        2 => {
            let (sides, index) = chunks_of(&mut layout, version, &place)?;
            let (size, sides) = sides.split_last().map_or((0, &[][..]), |(&size, sides)| (size, sides));
            let bytes = sides.iter().try_fold(size, |bytes, &side| bytes.checked_mul(side)).unwrap_or(0);
            if size != dtype.size() || sides.len() != shape.len() || bytes == 0 {
                let expected = format!("chunks of {} bytes an element for the shape {shape:?}", dtype.size());
                return Err(malformed(FORMAT, place, expected, format!("{sides:?} of {size} bytes")));
            }
            let chunks = Chunks { sides: sides.to_vec(), filters, bytes, size, place: &place };
            let mut array = blank();
            match index {
                _ if expected == 0 => {}
                Index::Tree(NOWHERE) | Index::Single { address: NOWHERE, .. } => {}
                Index::Tree(root) => {
                    let most = shape.iter().zip(sides).map(|(whole, &side)| whole.div_ceil(side)).product();
                    for (mut key, address) in file.leaves(root, 1, 16 + 8 * shape.len(), most)? {
                        let (size, mask) = (key.u32()?, key.u32()?);
                        let corner = shape.iter().map(|_| key.u64()).collect::<Result<Vec<_>, _>>()?;
                        chunks.add(file, (address, size.into(), mask), &corner, &shape, &mut array)?;
                    }
                }
                Index::Single { address, stored } => {
                    let (size, mask) = stored.unwrap_or((bytes as u64, 0));
                    chunks.add(file, (address, size, mask), &vec![0; shape.len()], &shape, &mut array)?;
                }
            }
            array
        }
        other => return Err(unsupported(FORMAT, place, format!("layout {other}"), "compact, contiguous and chunked")),
    };
    if swapped {
        bytes.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
    }
    tensors.push(Tensor::new(name, shape, dtype, bytes))
}

fn shape_of(mut body: Cursor, place: &str) -> Result<Vec<usize>, LoadError> {
    let version = body.byte()?;
    let (rank, _flags, kind) = (body.byte()?, body.byte()?, body.byte()?);
    match version {
        1 => drop(body.take(4)?),
        2 if kind == 2 => return Err(unsupported(FORMAT, place, "an empty value", "arrays")),
        2 => {}
        other => return Err(unsupported(FORMAT, place, format!("version {other} of the shape"), "1 and 2")),
    }
    if usize::from(rank) > MAX_SIDES {
        return Err(malformed(FORMAT, place, format!("at most {MAX_SIDES} dimensions"), rank));
    }
    let side = |_| {
        let side = body.u64()?;
        usize::try_from(side).map_err(|_| malformed(FORMAT, place, "sides that fit", side))
    };
    (0..rank).map(side).collect()
}

/// The type of an element, and whether its bytes are in the other order.
fn type_of(mut body: Cursor, place: &str) -> Result<(Dtype, bool), LoadError> {
    const CLASSES: [&str; 11] = [
        "integers",
        "floats",
        "times",
        "texts",
        "bit fields",
        "opaque bytes",
        "compounds",
        "references",
        "enumerations",
        "lists or texts of any length",
        "arrays as elements",
    ];
    let class = body.byte()? & 15;
    let [low, high, _] = body.array()?;
    let size = body.u32()?;
    let words = CLASSES.get(usize::from(class)).copied().unwrap_or("elements of an unknown class");
    let refused =
        || unsupported(FORMAT, place, format!("{words} of {size} bytes"), "f2 to f8, i1 to i8, u1 to u8 and bool");
    let dtype = match (class, size) {
        (0, _) => {
            let (offset, bits) = (body.u16()?, body.u16()?);
            let dtypes = match low & 8 {
                0 => [Dtype::U8, Dtype::U16, Dtype::U32, Dtype::U64],
                _ => [Dtype::I8, Dtype::I16, Dtype::I32, Dtype::I64],
            };
            let whole = offset == 0 && u32::from(bits) == size.saturating_mul(8);
            dtypes.into_iter().find(|dtype| whole && dtype.size() == size as usize)
        }
        (1, _) if low & 0x40 == 0 => {
            body.take(4)?;
            // Places and lengths of the exponent and the mantissa.
            match (size, body.array()?) {
                (8, [52, 11, 0, 52]) => Some(Dtype::F64),
                (4, [23, 8, 0, 23]) => Some(Dtype::F32),
                (2, [10, 5, 0, 10]) => Some(Dtype::F16),
                (2, [7, 8, 0, 7]) => Some(Dtype::Bf16),
                _ => None,
            }
        }
        // As numpy's truths are stored: two names for one byte.
        (8, 1) if [low, high] == [2, 0] => Some(Dtype::Bool),
        _ => None,
    };
    Ok((dtype.ok_or_else(refused)?, low & 1 != 0 && class != 8))
}

/// The bytes of an element that was never written, if the file says.
fn fill_of(mut body: Cursor<'_>) -> Result<Option<&[u8]>, LoadError> {
    let version = body.byte()?;
    let told = if version < 3 { body.array::<3>()?[2] != 0 } else { body.byte()? & 0x20 != 0 };
    if !told {
        return Ok(None);
    }
    let size = body.u32()? as usize;
    body.take(size).map(Some)
}

fn filters_of(mut body: Cursor, size: usize, place: &str) -> Result<Vec<Filter>, LoadError> {
    let version = body.byte()?;
    let count = usize::from(body.byte()?);
    if count > MAX_FILTERS {
        return Err(malformed(FORMAT, place, format!("at most {MAX_FILTERS} filters"), count));
    }
    body.take(if version == 1 { 6 } else { 0 })?;
    let mut filters = Vec::with_capacity(count);
    for _ in 0..count {
        let id = body.u16()?;
        let name = if version == 1 || id >= 256 { usize::from(body.u16()?) } else { 0 };
        let (_flags, values) = (body.u16()?, usize::from(body.u16()?));
        body.take(if version == 1 { name.next_multiple_of(8) } else { name })?;
        let values = body.take(4 * (values + if version == 1 { values % 2 } else { 0 }))?;
        filters.push(match id {
            1 => Filter::Deflate,
            2 => Filter::Shuffle(values.first().map_or(size, |&size| usize::from(size)).max(1)),
            other => {
                let known = ["checksums", "szip", "nbit", "scale-offset"];
                let name = known.get(usize::from(other).wrapping_sub(3)).copied().unwrap_or("");
                return Err(unsupported(
                    FORMAT,
                    place,
                    format!("filter {other} {name}").trim_end(),
                    "gzip and shuffle",
                ));
            }
        });
    }
    Ok(filters)
}

/// Where the chunks are.
enum Index {
    Tree(u64),
    /// There is one; with its size and the filters that were left out, if it is filtered.
    Single {
        address: u64,
        stored: Option<(u64, u32)>,
    },
}

/// The sides of a chunk, of which the last is that of an element in bytes, and where the chunks are.
fn chunks_of(layout: &mut Cursor, version: u8, place: &str) -> Result<(Vec<usize>, Index), LoadError> {
    const FILTERED: u8 = 2;
    let flags = if version == 3 { 0 } else { layout.byte()? };
    let count = layout.byte()?;
    if usize::from(count) > MAX_SIDES + 1 {
        return Err(malformed(FORMAT, place, format!("at most {MAX_SIDES} dimensions"), count.saturating_sub(1)));
    }
    let root = if version == 3 { layout.u64()? } else { NOWHERE };
    let width = if version == 3 { 4 } else { usize::from(layout.byte()?).min(8) };
    let side = |_| number(layout, width).map(|side| usize::try_from(side).unwrap_or(usize::MAX));
    let sides = (0..count).map(side).collect::<Result<_, _>>()?;
    if version == 3 {
        return Ok((sides, Index::Tree(root)));
    }
    match layout.byte()? {
        1 => {
            let stored = if flags & FILTERED == 0 { None } else { Some((layout.u64()?, layout.u32()?)) };
            Ok((sides, Index::Single { address: layout.u64()?, stored }))
        }
        other => {
            let feature = format!("an index of chunks of kind {other}, as libver='latest' writes it,");
            Err(unsupported(FORMAT, place, feature, "libver='earliest', the default"))
        }
    }
}

impl Chunks<'_> {
    /// Copies a chunk, which is at an address and has so many bytes there, to its place in the array.
    fn add(
        &self,
        file: &mut File,
        (address, stored, mask): (u64, u64, u32),
        corner: &[u64],
        shape: &[usize],
        array: &mut [u8],
    ) -> Result<(), LoadError> {
        let Chunks { sides, size, place, .. } = self;
        let left = file.chunks.checked_sub(self.bytes as u64).ok_or_else(|| LoadError::TooLarge {
            format: FORMAT,
            place: format!("{place}, its chunks"),
            bytes: self.bytes as u64,
            cap: file.chunks,
        });
        file.chunks = left?;
        // What does not compress takes a little more.
        if stored > 2 * self.bytes as u64 + 1024 {
            return Err(malformed(
                FORMAT,
                *place,
                format!("chunks of {} bytes", self.bytes),
                format!("{stored} for one"),
            ));
        }
        let bytes = self.unpack(file.part(address, stored)?, mask)?;
        let corner: Vec<usize> = corner.iter().map(|&at| usize::try_from(at).unwrap_or(usize::MAX)).collect();
        if corner.iter().zip(sides).zip(shape).any(|((&at, &side), &whole)| at % side != 0 || at >= whole) {
            return Err(malformed(
                FORMAT,
                *place,
                format!("chunks in the shape {shape:?}"),
                format!("one at {corner:?}"),
            ));
        }
        // Chunks at the edges reach beyond them.
        let here: Vec<usize> = (0..shape.len()).map(|axis| sides[axis].min(shape[axis] - corner[axis])).collect();
        let row = here.last().map_or(1, |&last| last) * size;
        let rows: usize = here.iter().rev().skip(1).product();
        for number in 0..rows {
            let (mut left, mut from, mut to, mut steps) = (number, 0, 0, (1, 1));
            for axis in (0..shape.len()).rev() {
                let mut at = 0;
                if axis + 1 < shape.len() {
                    (at, left) = (left % here[axis], left / here[axis]);
                }
                from += at * steps.0;
                to += (at + corner[axis]) * steps.1;
                steps = (steps.0 * sides[axis], steps.1 * shape[axis]);
            }
            array[to * size..][..row].copy_from_slice(&bytes[from * size..][..row]);
        }
        Ok(())
    }

    /// The bytes of a chunk, of which those filters were left out that the mask names.
    fn unpack(&self, mut stored: Cursor, mask: u32) -> Result<Vec<u8>, LoadError> {
        let mut bytes = stored.take(stored.left())?.to_vec();
        for (index, filter) in self.filters.iter().enumerate().rev() {
            if mask >> index & 1 != 0 {
                continue;
            }
            bytes = match filter {
                Filter::Deflate => {
                    let mut plain = Vec::new();
                    let read = ZlibDecoder::new(&bytes[..]).take(self.bytes as u64 + 1).read_to_end(&mut plain);
                    read.map_err(|error| malformed(FORMAT, self.place, "a sound compressed stream", error))?;
                    plain
                }
                Filter::Shuffle(size) => {
                    let count = bytes.len() / size;
                    let mut plain = bytes.clone();
                    for (at, byte) in plain[..count * size].iter_mut().enumerate() {
                        *byte = bytes[at % size * count + at / size];
                    }
                    plain
                }
            };
        }
        if bytes.len() != self.bytes {
            return Err(malformed(FORMAT, self.place, format!("chunks of {} bytes", self.bytes), bytes.len()));
        }
        Ok(bytes)
    }
}
