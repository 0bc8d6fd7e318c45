//! Gzip (RFC 1952), decompressed up to a cap.

use crate::checksum::crc32;
use crate::error::LoadError;
use flate2::bufread::DeflateDecoder;
use std::borrow::Cow;
use std::io::Read;

/// The first bytes of every gzip file.
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The bytes themselves, or what they decompress to if they are gzipped. `place` names the file in errors.
///
/// # Errors
/// [`LoadError::Malformed`] if the stream is damaged or ends early; [`LoadError::TooLarge`] as soon as it has given
/// more than `cap` bytes, so that a small file cannot fill the memory.
pub fn decompress<'a>(bytes: &'a [u8], cap: u64, place: &str) -> Result<Cow<'a, [u8]>, LoadError> {
    if !bytes.starts_with(&MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut plain = Vec::new();
    let mut rest = bytes;
    // A file may have several members; together they are one stream.
    while !rest.is_empty() {
        rest = member(rest, cap, &mut plain).map_err(|got| LoadError::Malformed {
            format: "gzip",
            place: place.to_owned(),
            expected: "a sound compressed stream".into(),
            got,
        })?;
    }
    if plain.len() as u64 > cap {
        return Err(LoadError::TooLarge { format: "gzip", place: place.to_owned(), bytes: plain.len() as u64, cap });
    }
    Ok(Cow::Owned(plain))
}

/// Adds what the first member holds to `plain`, and gives what follows that member, or what is wrong with it. Nothing
/// follows once `plain` holds more than `cap` bytes; it never holds more than one above.
fn member<'a>(bytes: &'a [u8], cap: u64, plain: &mut Vec<u8>) -> Result<&'a [u8], String> {
    let start = plain.len();
    let mut decoder = DeflateDecoder::new(skip_header(bytes)?);
    let most = cap.saturating_add(1).saturating_sub(start as u64);
    decoder.by_ref().take(most).read_to_end(plain).map_err(|error| error.to_string())?;
    if plain.len() as u64 > cap {
        return Ok(&[]);
    }
    let (&trailer, rest) = decoder.into_inner().split_first_chunk().ok_or("a checksum that is cut off")?;
    let length = (plain.len() - start) as u32;
    let computed = u64::from(length) << 32 | u64::from(crc32(&plain[start..]));
    if u64::from_le_bytes(trailer) == computed { Ok(rest) } else { Err("a checksum or a length of other data".into()) }
}

/// The bytes after a member's header (RFC 1952, section 2.3).
fn skip_header(bytes: &[u8]) -> Result<&[u8], String> {
    const DEFLATE: u8 = 8;
    const HEADER_CRC: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    const RESERVED: u8 = 0xe0;
    let cut = "a header that is cut off";
    let (&[first, second, method, flags, ..], mut rest) = bytes.split_first_chunk::<10>().ok_or(cut)?;
    if [first, second] != MAGIC || method != DEFLATE || flags & RESERVED != 0 {
        return Err(format!("a header that begins with {:02x?}", &bytes[..4]));
    }
    if flags & EXTRA != 0 {
        let (&length, after) = rest.split_first_chunk().ok_or(cut)?;
        rest = after.get(usize::from(u16::from_le_bytes(length))..).ok_or(cut)?;
    }
    // Each ends with a zero.
    for _ in 0..(flags & (NAME | COMMENT)).count_ones() {
        let end = rest.iter().position(|&byte| byte == 0).ok_or(cut)?;
        rest = &rest[end + 1..];
    }
    if flags & HEADER_CRC != 0 {
        let header = &bytes[..bytes.len() - rest.len()];
        let (&stored, after) = rest.split_first_chunk().ok_or(cut)?;
        if u16::from_le_bytes(stored) != crc32(header) as u16 {
            return Err("a header that does not fit its checksum".into());
        }
        rest = after;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gives_back_what_was_compressed_and_passes_the_rest_through() {
        let plain = b"nutshell".repeat(100);
        assert_eq!(decompress(&gzip(&plain), 800, "x").unwrap(), plain);
        assert_eq!(decompress(&plain, 0, "x").unwrap(), plain);
        // Members one after the other are one stream.
        assert_eq!(decompress(&[gzip(b"ab"), gzip(b"cd")].concat(), 9, "x").unwrap().as_ref(), b"abcd");
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        let bomb = gzip(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert_eq!(
            decompress(&bomb, 1000, "images"),
            Err(LoadError::TooLarge { format: "gzip", place: "images".into(), bytes: 1001, cap: 1000 })
        );
    }

    #[test]
    fn a_cut_stream_is_an_error_at_every_length() {
        let whole = gzip(b"a stream that is cut");
        for length in 2..whole.len() {
            let error = decompress(&whole[..length], 1000, "labels").unwrap_err();
            assert!(matches!(error, LoadError::Malformed { format: "gzip", .. }), "{length}: {error}");
        }
    }

    #[test]
    fn headers_may_hold_names_and_extra_fields() {
        let header = GzBuilder::new().filename("train-images").comment("of digits").extra([1, 2, 3]);
        let mut encoder = header.write(Vec::new(), Compression::fast());
        encoder.write_all(b"nutshell").unwrap();
        let mut whole = encoder.finish().unwrap();
        assert_eq!(decompress(&whole, 8, "x").unwrap().as_ref(), b"nutshell");
        // With a checksum of the header: the lower half of its CRC-32.
        whole[3] |= 2;
        let end = 10 + 2 + 3 + "train-images\0of digits\0".len();
        let checksum = crc32fast::hash(&whole[..end]) as u16;
        whole.splice(end..end, checksum.to_le_bytes());
        assert_eq!(decompress(&whole, 8, "x").unwrap().as_ref(), b"nutshell");
        whole[end] ^= 1;
        assert!(decompress(&whole, 8, "x").is_err());
    }

    #[test]
    fn damage_is_noticed() {
        let plain = b"a stream of which one bit is changed";
        let whole = gzip(plain);
        // The header says when and where it was written: that may be anything. Some bits before stored data mean nothing.
        for bit in 10 * 8..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let read = decompress(&bytes, 1000, "x");
            assert!(read.is_err() || read.unwrap().as_ref() == plain, "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(flags in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decompress(&[&MAGIC[..], &[8, flags], &bytes[..]].concat(), 1000, "x");
        }
    }
}
