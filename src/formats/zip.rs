//! ZIP archives (APPNOTE 6.3.10), as numpy and PyTorch write them: stored or deflated entries.

use super::cursor::{Cursor, MAX_NAME, malformed, too_large, unsupported};
use crate::error::LoadError;
use crc32fast::hash as crc32;
use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ErrorKind, ZipArchive};
use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;

const FORMAT: &str = "ZIP";

/// The first bytes of an archive that is not empty.
pub const MAGIC: [u8; 4] = *b"PK\x03\x04";

/// The most entries of an archive: each takes some hundred bytes of memory.
const MAX_ENTRIES: usize = u16::MAX as usize;

/// Its letters from 128 on.
const CODE_PAGE_437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A file in an archive.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its path.
    pub name: String,
    spot: Spot,
    packed: &'a [u8],
}

/// The entries in the order of the directory.
///
/// # Errors
/// [`LoadError`] if the directory or a header is damaged, or of a kind that is not known.
pub fn entries(file: &[u8]) -> Result<Vec<Entry<'_>>, LoadError> {
    let fault = |error| malformed(FORMAT, "directory", "a sound one at the end of the file", words(&error));
    let directory = ZipArchive::from_slice(file).map_err(fault)?;
    let count = directory.entries_hint();
    if count > MAX_ENTRIES as u64 {
        return Err(malformed(FORMAT, "directory", format!("at most {MAX_ENTRIES} entries"), count));
    }
    let mut entries = Vec::new();
    for found in directory.entries() {
        let found = found.map_err(fault)?;
        let path = found.file_path();
        if path.len() > MAX_NAME {
            return Err(malformed(FORMAT, "entry", format!("a name of at most {MAX_NAME} bytes"), path.len()));
        }
        let name = name_of(path.as_bytes());
        let place = || format!("entry '{name}'");
        if found.flags().is_encrypted() {
            return Err(unsupported(FORMAT, place(), "encryption", "plain entries"));
        }
        let mut local = Cursor::new(FORMAT, file, usize::try_from(found.local_header_offset()).unwrap_or(usize::MAX))?;
        match local.array()? {
            MAGIC => {}
            _ => {
                return Err(malformed(FORMAT, place(), "the header of an entry", "other bytes"));
            }
        }
        // Sizes and checksum may be left to the directory; the lengths of name and extra field are the header's own.
        let _fields = local.take(22)?;
        let lengths = usize::from(local.u16()?) + usize::from(local.u16()?);
        local.take(lengths)?;
        let start = local.position();
        let packed = local.take(usize::try_from(found.compressed_size_hint()).unwrap_or(usize::MAX))?;
        let (size, method, checksum) = (found.uncompressed_size_hint(), found.compression_method(), found.crc32());
        let spot = Spot { size, method, checksum, packed: start..local.position() };
        entries.push(Entry { name, spot, packed });
    }
    let found = entries.len() as u64;
    match found == count && counted_alike(file, directory.eocd_offset()) {
        true => Ok(entries),
        false => Err(malformed(FORMAT, "directory", format!("{count} entries, as its end says"), found)),
    }
}

/// Whether a ZIP64 archive says the same number of entries in both places: on its disk, and in all. `end` is where the end record of others is.
fn counted_alike(file: &[u8], end: u64) -> bool {
    let record = || {
        let end = usize::try_from(end).ok()?;
        let locator = file.get(end.checked_sub(20)?..end)?.strip_prefix(b"PK\x06\x07")?;
        let (_, place) = locator.split_first_chunk::<4>()?;
        let start = usize::try_from(u64::from_le_bytes(*place.first_chunk()?)).ok()?;
        file.get(start.checked_add(24)?..)?.first_chunk::<16>()
    };
    record().is_none_or(|counts| counts[..8] == counts[8..])
}

/// A name in UTF-8, or else in code page 437, as the format has it.
fn name_of(bytes: &[u8]) -> String {
    let letter = |byte: u8| match byte {
        0..0x80 => Some(char::from(byte)),
        _ => CODE_PAGE_437.chars().nth(usize::from(byte - 0x80)),
    };
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().filter_map(|&byte| letter(byte)).collect())
}

/// What is there instead of a sound directory.
fn words(error: &rawzip::Error) -> String {
    match error.kind() {
        ErrorKind::MissingEndOfCentralDirectory => "none".to_owned(),
        ErrorKind::InvalidSignature { .. } => "other bytes where an entry begins".to_owned(),
        ErrorKind::Eof => "one that is cut off".to_owned(),
        other => other.to_string(),
    }
}

/// Where an entry is in its archive, to find it again without the directory.
#[derive(Debug, Clone)]
pub struct Spot {
    /// Its size once it is unpacked, by the directory; not proved.
    size: u64,
    method: CompressionMethod,
    checksum: u32,
    packed: Range<usize>,
}

impl Spot {
    /// The entry, of this name, in the archive that it was found in.
    ///
    /// # Errors
    /// [`LoadError::Malformed`] if the archive is another, which ends before it.
    pub fn entry<'a>(&self, archive: &'a [u8], name: &str) -> Result<Entry<'a>, LoadError> {
        let packed = archive.get(self.packed.clone());
        let packed = packed.ok_or_else(|| malformed(FORMAT, format!("entry '{name}'"), "its bytes", "an end"))?;
        Ok(Entry { name: name.to_owned(), spot: self.clone(), packed })
    }
}

impl<'a> Entry<'a> {
    /// Where it is.
    pub fn spot(&self) -> Spot {
        self.spot.clone()
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
        let Spot { size, method, checksum, .. } = self.spot;
        if size > cap {
            return Err(too_large(FORMAT, place(), size, cap));
        }
        let plain = match method {
            CompressionMethod::STORE => Cow::Borrowed(self.packed),
            CompressionMethod::DEFLATE => {
                let mut plain = Vec::new();
                // One byte more than was announced is enough to know that it was not true.
                let unpacked = DeflateDecoder::new(self.packed).take(size.saturating_add(1)).read_to_end(&mut plain);
                unpacked.map_err(|error| malformed(FORMAT, place(), "a sound compressed stream", error))?;
                Cow::Owned(plain)
            }
            other => {
                let got = format!("compression {}", other.as_u16());
                return Err(unsupported(FORMAT, place(), got, "0 and 8 (deflate)"));
            }
        };
        if plain.len() as u64 != size {
            return Err(malformed(FORMAT, place(), format!("{size} bytes"), plain.len()));
        }
        let computed = crc32(&plain);
        if computed != checksum {
            let expected = format!("bytes of the checksum {checksum:08x}");
            return Err(malformed(FORMAT, place(), expected, format!("{computed:08x}")));
        }
        Ok(plain)
    }
}

/// Writes an archive of stored entries, in their order. `None` if two have the same name, or one a name of 64 KiB, or if it takes 4 GiB.
pub fn write(entries: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    let mut names = HashSet::new();
    for (name, bytes) in entries {
        if !names.insert(name) {
            return None;
        }
        let start = u32::try_from(archive.len()).ok()?;
        let (size, length) = (u32::try_from(bytes.len()).ok()?, u16::try_from(name.len()).ok()?);
        // Version 2.0; names in UTF-8; stored; on the first day of 1980, so that the same entries make the same bytes.
        let mut fields = vec![20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0];
        fields.extend(crc32(bytes).to_le_bytes());
        fields.extend(size.to_le_bytes());
        fields.extend(size.to_le_bytes());
        fields.extend(length.to_le_bytes());
        // No extra field.
        fields.extend([0; 2]);
        archive.extend(MAGIC);
        archive.extend(&fields);
        archive.extend(name.as_bytes());
        archive.extend(bytes);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&fields);
        // No comment; the first disk; no attributes.
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (count, place) = (u16::try_from(entries.len()).ok()?, u32::try_from(archive.len()).ok()?);
    let size = u32::try_from(directory.len()).ok()?;
    archive.append(&mut directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(size.to_le_bytes());
    archive.extend(place.to_le_bytes());
    archive.extend([0; 2]);
    Some(archive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CAP: u64 = 1 << 10;

    /// An archive of one stored file whose directory says sizes, place and number of entries in 64 bits.
    fn zip64(name: &str, plain: &[u8]) -> Vec<u8> {
        let long = |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
        let (size, length) = (plain.len() as u64, name.len() as u8);
        let checksum = crc32(plain).to_le_bytes();
        let mut file = write(&[(name.to_owned(), plain.to_vec())]).unwrap();
        file.truncate(30 + name.len() + plain.len());
        let directory = file.len() as u64;
        file.extend(b"PK\x01\x02\x2d\0\x2d\0\0\0\0\0\0\0\x21\0");
        file.extend(checksum);
        file.extend([0xff; 8]);
        file.extend([length, 0, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        file.extend(name.as_bytes());
        file.extend([1, 0, 24, 0]);
        file.extend(long(&[size, size, 0]));
        let end = file.len() as u64;
        file.extend(b"PK\x06\x06");
        file.extend(long(&[44]));
        file.extend([0x2d, 0, 0x2d, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file.extend(long(&[1, 1, end - directory, directory]));
        file.extend(b"PK\x06\x07\0\0\0\0");
        file.extend(long(&[end]));
        file.extend([1, 0, 0, 0]);
        file.extend(b"PK\x05\x06\0\0\0\0");
        file.extend([0xff; 12]);
        file.extend([0, 0]);
        file
    }

    #[test]
    fn zip64_is_read() {
        let file = zip64("a.npy", b"nutshell");
        let entries = entries(&file).unwrap();
        assert_eq!((entries.len(), entries[0].name.as_str()), (1, "a.npy"));
        assert_eq!(entries[0].unpack(CAP).unwrap().as_ref(), b"nutshell");
    }

    #[test]
    fn what_zip64_declares_is_proved() {
        let whole = zip64("a.npy", b"nutshell");
        let at = |wanted: &[u8]| whole.windows(4).position(|window| window == wanted).unwrap();
        let (directory, end) = (at(b"PK\x01\x02"), at(b"PK\x06\x06"));
        // The sizes and the place of the entry, and the numbers of entries and the place of the directory.
        let sizes = directory + 46 + 5 + 4;
        for place in [sizes + 8, sizes + 16, end + 24, end + 32, end + 48] {
            for value in [u64::MAX, 1 << 63, u64::from(u32::MAX), 1 << 20] {
                let mut file = whole.clone();
                file[place..place + 8].copy_from_slice(&value.to_le_bytes());
                assert!(entries(&file).is_err(), "byte {place}: {value}");
            }
        }
        let mut file = whole.clone();
        file[sizes..sizes + 8].fill(0xff);
        let error = entries(&file).unwrap()[0].unpack(CAP).unwrap_err();
        assert!(matches!(error, LoadError::TooLarge { bytes: u64::MAX, cap: CAP, .. }), "{error}");
    }

    #[test]
    fn names_in_code_page_437_are_read() {
        let mut file = write(&[("caf..npy".into(), b"x".to_vec())]).unwrap();
        let places: Vec<_> = (0..file.len()).filter(|&at| file[at..].starts_with(b"caf.")).collect();
        places.iter().for_each(|at| file[at + 3] = 0x82);
        assert_eq!(entries(&file).unwrap()[0].name, "caf\u{e9}.npy");
    }

    proptest! {
        #[test]
        fn changed_archives_are_refused_or_read(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut file = zip64("a.npy", b"nutshell");
            for (place, value) in changes {
                let place = place.index(file.len());
                file[place] = value;
            }
            let read = |file: &[u8]| entries(file).map(|all| all.iter().for_each(|entry| drop(entry.unpack(CAP))));
            let _ = read(&file);
            let cut = cut.index(file.len());
            prop_assert!(read(&zip64("a.npy", b"nutshell")[..cut]).is_err());
        }
    }
}
