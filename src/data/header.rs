//! What the beginning of a PNG or JPEG file tells before anything is decoded (ISO/IEC 15948, ITU-T T.81), so that who decodes with a
//! library and who decodes with a browser decide alike.

use crate::error::{LoadError, malformed, too_large};
use std::ops::Range;

const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];
/// The most bytes of one pixel, as decoders have them.
const PIXEL: u64 = 8;

/// A picture before it is decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// In pixels, as they are stored.
    pub height: u32,
    /// In pixels, as they are stored.
    pub width: u32,
    /// Whether it is stored in grey.
    pub grey: bool,
    /// The bytes of the file that hold Exif, by which a browser turns a picture.
    pub exif: Vec<Range<usize>>,
}

/// Whether these are the first bytes of a picture.
pub fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(&PNG) || bytes.starts_with(&JPEG)
}

/// Looks at a picture that may take `cap` bytes while it is decoded.
///
/// # Errors
/// [`LoadError`] names `place`, if it is none, if its header is damaged, or if it is too large.
pub fn read(bytes: &[u8], place: &str, cap: u64) -> Result<Header, LoadError> {
    let fault = |expected: &str, got: String| Err(malformed("picture", place, expected, got));
    if !is_picture(bytes) {
        return fault("PNG or JPEG", format!("the bytes {:02x?}", &bytes[..bytes.len().min(4)]));
    }
    let header = if bytes.starts_with(&PNG) { png(bytes) } else { jpeg(bytes) };
    let Some(header) = header.filter(|header| header.width > 0 && header.height > 0) else {
        return fault("a sound header", "none".into());
    };
    let size = u64::from(header.width).saturating_mul(header.height.into()).saturating_mul(PIXEL);
    if size > cap {
        return Err(too_large("picture", place, size, cap));
    }
    Ok(header)
}

fn big(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// Chunks of a length, a type, data and a checksum; the first is IHDR.
fn png(bytes: &[u8]) -> Option<Header> {
    const FRAME: usize = 12;
    let head = bytes.get(PNG.len()..)?;
    if head.get(4..8)? != b"IHDR" {
        return None;
    }
    let (width, height) = (big(head.get(8..12)?)?, big(head.get(12..16)?)?);
    // Grey, with transparency or without.
    let grey = matches!(head.get(17)?, 0 | 4);
    let (mut exif, mut at) = (Vec::new(), PNG.len());
    while let Some(length) = bytes.get(at..at.saturating_add(4)).and_then(big) {
        let end = at.checked_add(FRAME)?.checked_add(length as usize)?;
        if bytes.get(at + 4..at + 8) == Some(b"eXIf") && end <= bytes.len() {
            exif.push(at..end);
        }
        at = end;
    }
    Some(Header { height, width, grey, exif })
}

/// Segments of a marker, a length and data, up to the one that begins the frame.
fn jpeg(bytes: &[u8]) -> Option<Header> {
    let (mut exif, mut at) = (Vec::new(), 2);
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        if marker == 0xff {
            at += 1;
            continue;
        }
        // Markers that stand alone.
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            at += 2;
            continue;
        }
        let length = usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().ok()?));
        let end = at + 2 + length;
        let data = bytes.get(at + 4..end)?;
        match marker {
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let &[_, h1, h0, w1, w0, components, ..] = data else { return None };
                let (height, width) = (u16::from_be_bytes([h1, h0]).into(), u16::from_be_bytes([w1, w0]).into());
                return Some(Header { height, width, grey: components == 1, exif });
            }
            0xe1 if data.starts_with(b"Exif\0") => exif.push(at..end),
            // The data of a picture, or its end, before its frame.
            0xd9 | 0xda => return None,
            _ => {}
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk without its checksum, which nothing here looks at.
    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat()
    }

    fn png(colour: u8, more: &[Vec<u8>]) -> Vec<u8> {
        let size = [0, 0, 0, 5, 0, 0, 0, 7, 8, colour, 0, 0, 0];
        [vec![PNG.to_vec(), chunk(b"IHDR", &size)], more.to_vec()].concat().concat()
    }

    fn jpeg(components: u8, before: &[u8]) -> Vec<u8> {
        [&[0xff, 0xd8], before, &[0xff, 0xff, 0xc2, 0, 11, 8, 0, 7, 0, 5, components, 1, 0x11, 0]].concat()
    }

    #[test]
    fn size_and_colour_are_told() {
        for (colour, grey) in [(0, true), (2, false), (3, false), (4, true), (6, false)] {
            let header = read(&png(colour, &[]), "a", 1000).unwrap();
            assert_eq!(header, Header { height: 7, width: 5, grey, exif: Vec::new() });
        }
        for (components, grey) in [(1, true), (3, false), (4, false)] {
            let header = read(&jpeg(components, &[0xff, 0xe0, 0, 3, 9]), "a", 1000).unwrap();
            assert_eq!(header, Header { height: 7, width: 5, grey, exif: Vec::new() });
        }
    }

    #[test]
    fn what_would_turn_it_is_found() {
        let file = png(0, &[chunk(b"eXIf", b"MM"), chunk(b"IDAT", &[1, 2, 3])]);
        assert_eq!(read(&file, "a", 1000).unwrap().exif, vec![Range { start: 33, end: 47 }]);
        let file = jpeg(3, b"\xff\xe1\0\x08Exif\0\0\xff\xe1\0\x05xmp");
        assert_eq!(read(&file, "a", 1000).unwrap().exif, vec![Range { start: 2, end: 12 }]);
    }

    #[test]
    fn damage_and_size_are_errors() {
        for whole in [png(0, &[]), jpeg(1, b"\xff\xe1\0\x08Exif\0\0")] {
            assert!(matches!(read(&whole, "a", 279), Err(LoadError::TooLarge { bytes: 280, .. })));
            for length in 0..whole.len() - 7 {
                assert!(read(&whole[..length], "a", 1000).is_err(), "{length}");
            }
            for bit in 0..whole.len() * 8 {
                let mut changed = whole.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let _ = read(&changed, "a", 1000);
            }
        }
        let error = read(b"GIF89a", "a.gif", 1000).unwrap_err().to_string();
        assert_eq!(error, "picture file, a.gif: expected PNG or JPEG, got the bytes [47, 49, 46, 38]");
        let ended = read(b"\xff\xd8\xff\xd9\0\0\0\0", "a", 1000).unwrap_err().to_string();
        assert_eq!(ended, "picture file, a: expected a sound header, got none");
    }
}
