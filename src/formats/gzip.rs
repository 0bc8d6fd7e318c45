//! Gzip (RFC 1952), decompressed up to a cap.

use crate::error::LoadError;
use flate2::read::MultiGzDecoder;
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
    MultiGzDecoder::new(bytes).take(cap.saturating_add(1)).read_to_end(&mut plain).map_err(|error| {
        LoadError::Malformed {
            format: "gzip",
            place: place.to_owned(),
            expected: "a sound compressed stream".into(),
            got: error.to_string(),
        }
    })?;
    if plain.len() as u64 > cap {
        return Err(LoadError::TooLarge { format: "gzip", place: place.to_owned(), bytes: plain.len() as u64, cap });
    }
    Ok(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
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
}
