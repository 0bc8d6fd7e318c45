//! PNG and JPEG files as pixels: the only place that knows the library that decodes them.

use super::gather::{Picture, planes};
use super::header;
use crate::error::{LoadError, malformed};
use image::{ImageReader, Limits};
use std::io::Cursor;

/// Decodes a picture that takes at most `cap` bytes meanwhile. Transparency is left out, 16 bits become 8.
///
/// # Errors
/// [`LoadError`] names `place`, if the picture is damaged, too large, or none.
pub fn read(bytes: &[u8], place: &str, cap: u64) -> Result<Picture, LoadError> {
    let fault = |expected: &str, got: String| Err(malformed("picture", place, expected, got));
    let header = header::read(bytes, place, cap)?;
    let mut reader = match ImageReader::new(Cursor::new(bytes)).with_guessed_format() {
        Ok(reader) => reader,
        Err(error) => return fault("PNG or JPEG", error.to_string()),
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(cap);
    reader.limits(limits);
    let picture = match reader.decode() {
        Ok(picture) => picture,
        Err(error) => return fault("a sound picture", error.to_string()),
    };
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if header.grey {
        return Ok(Picture { shape: [1, height, width], pixels: picture.into_luma8().into_raw() });
    }
    Ok(Picture { shape: [3, height, width], pixels: planes(&picture.into_rgb8(), 3) })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};

    /// A PNG file of these pixels, row-major, with 1 or 3 channels last.
    pub fn png(pixels: &[u8], [channels, height, width]: [usize; 3]) -> Vec<u8> {
        let mut file = Vec::new();
        let kind = if channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
        PngEncoder::new(&mut file).write_image(pixels, width as u32, height as u32, kind).unwrap();
        file
    }

    #[test]
    fn grey_stays_grey_and_colours_become_planes() {
        let grey = read(&png(&[0, 50, 200, 255, 7, 9], [1, 2, 3]), "a", 1000).unwrap();
        assert_eq!(grey, Picture { shape: [1, 2, 3], pixels: vec![0, 50, 200, 255, 7, 9] });
        let colour = read(&png(&[1, 2, 3, 4, 5, 6], [3, 1, 2]), "a", 1000).unwrap();
        assert_eq!(colour, Picture { shape: [3, 1, 2], pixels: vec![1, 4, 2, 5, 3, 6] });
        assert_eq!(Picture { shape: [1, 1, 2], pixels: vec![8, 9] }.into_colour().pixels, [8, 9, 8, 9, 8, 9]);
    }

    #[test]
    fn a_photograph_is_read_nearly_as_it_was() {
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, 100).write_image(&[120; 64], 8, 8, ExtendedColorType::L8).unwrap();
        let Picture { shape, pixels } = read(&file, "a", 10_000).unwrap();
        assert_eq!(shape, [1, 8, 8]);
        assert!(pixels.iter().all(|&pixel| pixel.abs_diff(120) < 3), "{pixels:?}");
    }

    #[test]
    fn damage_and_size_are_errors() {
        let whole = png(&[9; 400], [1, 20, 20]);
        for length in 0..whole.len() - 12 {
            assert!(read(&whole[..length], "a", 1 << 20).is_err(), "{length}");
        }
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let _ = read(&changed, "a", 1 << 20);
        }
        assert!(matches!(read(&whole, "a", 1000), Err(LoadError::TooLarge { bytes: 3200, cap: 1000, .. })));
    }
}
