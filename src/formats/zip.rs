//! ZIP archives (APPNOTE 6.3.10), as numpy and PyTorch write them: stored or deflated entries, below 4 GiB.

use super::cursor::{Cursor, malformed, unsupported};
use crate::error::LoadError;
use crc32fast::hash as crc32;
use flate2::bufread::DeflateDecoder;
use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

const FORMAT: &str = "ZIP";

/// The first bytes of an archive that is not empty.
pub const MAGIC: [u8; 4] = *b"PK\x03\x04";

const DIRECTORY_ENTRY: u32 = 0x0201_4b50;
const LOCAL_HEADER: u32 = 0x0403_4b50;
const END: [u8; 4] = *b"PK\x05\x06";
/// Bytes of the record at the end, without its comment.
const END_BYTES: usize = 22;
/// The most entries, each of which takes some bytes of memory beside what it holds.
const MAX_ENTRIES: usize = u16::MAX as usize;

/// A file in an archive.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its path.
    pub name: &'a str,
    /// Its size once it is unpacked, by the directory; not proved.
    size: u32,
    method: u16,
    checksum: u32,
    /// Where `packed` starts in the archive.
    start: usize,
    packed: &'a [u8],
}

/// The entries in the order of the directory.
///
/// # Errors
/// [`LoadError`] if the directory or a header is damaged, or of a kind that is not known.
pub fn entries(file: &[u8]) -> Result<Vec<Entry<'_>>, LoadError> {
    // The record at the end may have a comment of up to 64 KiB behind it.
    let first = file.len().saturating_sub(END_BYTES + usize::from(u16::MAX));
    let end = file[first..].windows(END.len()).rposition(|window| window == END);
    let end = end.ok_or_else(|| malformed(FORMAT, "end", "the record of the directory", "none"))?;
    let mut record = Cursor::new(FORMAT, file, first + end + 8)?;
    let _on_this_disk = record.u16()?;
    let count = usize::from(record.u16()?);
    let _size = record.u32()?;
    let offset = record.u32()?;
    let comment = usize::from(record.u16()?);
    if comment != record.left() {
        return Err(record.malformed(format!("a comment of {comment} bytes at the end"), record.left()));
    }
    if count == MAX_ENTRIES || offset == u32::MAX {
        return Err(unsupported(FORMAT, "end", "ZIP64", "archives below 4 GiB of less than 65535 files"));
    }
    let mut directory = Cursor::new(FORMAT, file, offset as usize)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(entry(file, &mut directory)?);
    }
    Ok(entries)
}

fn entry<'a>(file: &'a [u8], directory: &mut Cursor<'a>) -> Result<Entry<'a>, LoadError> {
    const ENCRYPTED: u16 = 1;
    expect_signature(directory, DIRECTORY_ENTRY)?;
    let _versions = directory.take(4)?;
    let flags = directory.u16()?;
    let method = directory.u16()?;
    let _time = directory.take(4)?;
    let checksum = directory.u32()?;
    let packed = directory.u32()?;
    let size = directory.u32()?;
    let name_length = directory.u16()?;
    let (extra, comment) = (directory.u16()?, directory.u16()?);
    let _disk_and_attributes = directory.take(8)?;
    let offset = directory.u32()?;
    let name = directory.text(name_length.into())?;
    let _extra_and_comment = directory.take(usize::from(extra) + usize::from(comment))?;
    let place = format!("entry '{name}'");
    if [packed, size, offset].contains(&u32::MAX) {
        return Err(unsupported(FORMAT, place, "ZIP64", "entries below 4 GiB"));
    }
    if flags & ENCRYPTED != 0 {
        return Err(unsupported(FORMAT, place, "encryption", "plain entries"));
    }
    let mut local = Cursor::new(FORMAT, file, offset as usize)?;
    expect_signature(&mut local, LOCAL_HEADER)?;
    // Sizes and checksum may be left to the directory; the lengths of name and extra field are the header's own.
    let _fields = local.take(22)?;
    let lengths = usize::from(local.u16()?) + usize::from(local.u16()?);
    local.take(lengths)?;
    let start = local.position();
    Ok(Entry { name, size, method, checksum, start, packed: local.take(packed as usize)? })
}

fn expect_signature(cursor: &mut Cursor, signature: u32) -> Result<(), LoadError> {
    let place = cursor.clone();
    match cursor.u32()? {
        found if found == signature => Ok(()),
        found => Err(place.malformed(format!("the signature {signature:08x}"), format!("{found:08x}"))),
    }
}

/// Where an entry is in its archive, to find it again without the directory.
#[derive(Debug, Clone)]
pub struct Spot {
    size: u32,
    method: u16,
    checksum: u32,
    packed: Range<usize>,
}

impl Spot {
    /// The entry, of this name, in the archive that it was found in.
    ///
    /// # Errors
    /// [`LoadError::Malformed`] if the archive is another, which ends before it.
    pub fn entry<'a>(&self, archive: &'a [u8], name: &'a str) -> Result<Entry<'a>, LoadError> {
        let Spot { size, method, checksum, ref packed } = *self;
        let start = packed.start;
        let packed = archive.get(packed.clone());
        let packed = packed.ok_or_else(|| malformed(FORMAT, format!("entry '{name}'"), "its bytes", "an end"))?;
        Ok(Entry { name, size, method, checksum, start, packed })
    }
}

impl<'a> Entry<'a> {
    /// Where it is.
    pub fn spot(&self) -> Spot {
        let Entry { size, method, checksum, start, packed, .. } = *self;
        Spot { size, method, checksum, packed: start..start + packed.len() }
    }

    /// Whether it stands for a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with(['/', '\\'])
    }

    /// The folders that it is in, and its name.
    pub fn path(&self) -> Vec<String> {
        self.name.split(['/', '\\']).map(str::to_owned).collect()
    }

    /// What it holds; borrowed if it is stored as it is.
    ///
    /// # Errors
    /// [`LoadError::TooLarge`] as soon as it gives more than `cap` bytes; [`LoadError::Malformed`] if it is damaged.
    pub fn unpack(&self, cap: u64) -> Result<Cow<'a, [u8]>, LoadError> {
        let place = || format!("entry '{}'", self.name);
        let size = u64::from(self.size);
        if size > cap {
            return Err(LoadError::TooLarge { format: FORMAT, place: place(), bytes: size, cap });
        }
        let plain = match self.method {
            0 => Cow::Borrowed(self.packed),
            8 => {
                let mut plain = Vec::new();
                // One byte more than was announced is enough to know that it was not true.
                let unpacked = DeflateDecoder::new(self.packed).take(size + 1).read_to_end(&mut plain);
                unpacked.map_err(|error| malformed(FORMAT, place(), "a sound compressed stream", error))?;
                Cow::Owned(plain)
            }
            other => return Err(unsupported(FORMAT, place(), format!("compression {other}"), "0 and 8 (deflate)")),
        };
        if plain.len() as u64 != size {
            return Err(malformed(FORMAT, place(), format!("{size} bytes"), plain.len()));
        }
        let computed = crc32(&plain);
        if computed != self.checksum {
            let expected = format!("bytes of the checksum {:08x}", self.checksum);
            return Err(malformed(FORMAT, place(), expected, format!("{computed:08x}")));
        }
        Ok(plain)
    }
}

/// Writes an archive of stored entries, in their order. `None` if it would reach 4 GiB, or have 65,535 entries.
pub fn write(entries: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    if entries.len() >= MAX_ENTRIES {
        return None;
    }
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let offset = u32::try_from(file.len()).ok()?;
        let size = u32::try_from(bytes.len()).ok()?.to_le_bytes();
        let length = u16::try_from(name.len()).ok()?.to_le_bytes();
        // Version 2.0, a name in UTF-8, stored, on the first day of 1980.
        let mut fields = vec![20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0];
        for part in [crc32(bytes).to_le_bytes(), size, size] {
            fields.extend_from_slice(&part);
        }
        fields.extend_from_slice(&length);
        fields.extend_from_slice(&[0, 0]);
        file.extend_from_slice(&LOCAL_HEADER.to_le_bytes());
        file.extend_from_slice(&fields);
        file.extend_from_slice(name.as_bytes());
        file.extend_from_slice(bytes);
        directory.extend_from_slice(&DIRECTORY_ENTRY.to_le_bytes());
        directory.extend_from_slice(&[20, 0]);
        directory.extend_from_slice(&fields);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let offset = u32::try_from(file.len()).ok()?.to_le_bytes();
    let size = u32::try_from(directory.len()).ok()?.to_le_bytes();
    let count = (entries.len() as u16).to_le_bytes();
    file.extend(directory);
    file.extend_from_slice(&END);
    for part in [&[0; 4][..], &count, &count, &size, &offset, &[0; 2]] {
        file.extend_from_slice(part);
    }
    Some(file)
}
