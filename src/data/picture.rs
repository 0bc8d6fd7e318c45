//! PNG and JPEG files as pixels: the only place that knows the library that decodes them.

use crate::error::LoadError;
use image::{ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The most bytes of one pixel, as the decoder has them.
const PIXEL: u64 = 8;

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// `[channels, height, width]`: 1 channel of grey, or 3 of red, green and blue.
    pub shape: [usize; 3],
    /// In the order of `shape`.
    pub pixels: Vec<u8>,
}

/// The format that the first bytes announce, if it is one that is read.
fn format(bytes: &[u8]) -> Option<ImageFormat> {
    image::guess_format(bytes).ok().filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg))
}

/// Whether these are the first bytes of a picture.
pub fn is_picture(bytes: &[u8]) -> bool {
    format(bytes).is_some()
}

/// Decodes a picture that takes at most `cap` bytes meanwhile. Transparency is left out, 16 bits become 8.
///
/// # Errors
/// [`LoadError`] names `place`, if the picture is damaged, too large, or none.
pub fn read(bytes: &[u8], place: &str, cap: u64) -> Result<Picture, LoadError> {
    let fault = |expected: &str, got: String| {
        Err(LoadError::Malformed { format: "picture", place: place.to_owned(), expected: expected.to_owned(), got })
    };
    let Some(format) = format(bytes) else {
        return fault("PNG or JPEG", format!("the bytes {:02x?}", &bytes[..bytes.len().min(4)]));
    };
    let reader = || ImageReader::with_format(Cursor::new(bytes), format);
    let (width, height) = match reader().into_dimensions() {
        Ok(sides) => sides,
        Err(error) => return fault("a sound header", error.to_string()),
    };
    let size = u64::from(width) * u64::from(height) * PIXEL;
    if size > cap {
        return Err(LoadError::TooLarge { format: "picture", place: place.to_owned(), bytes: size, cap });
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(cap);
    let mut reader = reader();
    reader.limits(limits);
    let picture = match reader.decode() {
        Ok(picture) => picture,
        Err(error) => return fault("a sound picture", error.to_string()),
    };
    let (width, height) = (width as usize, height as usize);
    if !picture.color().has_color() {
        return Ok(Picture { shape: [1, height, width], pixels: picture.into_luma8().into_raw() });
    }
    let pixels = picture.into_rgb8().into_raw();
    let planes = (0..3).flat_map(|channel| pixels.iter().skip(channel).step_by(3).copied()).collect();
    Ok(Picture { shape: [3, height, width], pixels: planes })
}

impl Picture {
    /// The same in three equal channels, if it is grey.
    pub fn into_colour(self) -> Picture {
        let [channels, height, width] = self.shape;
        if channels == 3 {
            return self;
        }
        Picture { shape: [3, height, width], pixels: self.pixels.repeat(3) }
    }
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
        let error = read(b"GIF89a", "a.gif", 1000).unwrap_err().to_string();
        assert_eq!(error, "picture file, a.gif: expected PNG or JPEG, got the bytes [47, 49, 46, 38]");
    }
}
