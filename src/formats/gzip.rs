//! Gzip (RFC 1952), decompressed up to a cap.

use crate::error::{LoadError, malformed, too_large};
use flate2::bufread::MultiGzDecoder;
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
    // A file may have several members; together they are one stream. One byte above the cap tells that it is exceeded.
    let read = MultiGzDecoder::new(bytes).take(cap.saturating_add(1)).read_to_end(&mut plain);
    if plain.len() as u64 > cap {
        return Err(too_large("gzip", place, plain.len(), cap));
    }
    read.map_err(|error| malformed("gzip", place, "a sound compressed stream", error))?;
    Ok(Cow::Owned(plain))
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
