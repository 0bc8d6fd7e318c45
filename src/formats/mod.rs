//! File bytes to and from a [`Model`]. What a file is, is told by its bytes, never by its name.

pub mod gzip;
pub mod onnx;

use crate::container::{self, Nut, layout};
use crate::data::idx;
use crate::error::{Error, LoadError};
use crate::model::Model;

/// The formats that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A network in ONNX.
    Onnx,
    /// A network that Nutshell made small.
    Nut,
    /// Images or labels as MNIST has them.
    Idx,
    /// Any of them, compressed.
    Gzip,
}

/// A model file that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// A network in floats.
    Model(Model),
    /// A `.nut` file.
    Nut(Box<Nut>),
}

/// The format that the first bytes announce; whether the file is sound is for its reader to say.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(&gzip::MAGIC) {
        Some(Format::Gzip)
    } else if bytes.starts_with(&layout::MAGIC) {
        Some(Format::Nut)
    } else if idx::is_idx(bytes) {
        Some(Format::Idx)
    } else if onnx::is_onnx(bytes) {
        Some(Format::Onnx)
    } else {
        None
    }
}

/// Opens a model file, gzipped or not. `cap` is the most bytes that it may take once it is decompressed.
///
/// # Errors
/// [`Error::Load`] or [`Error::Decode`] as the format's reader; [`LoadError::UnknownFormat`] if it is not a model.
pub fn load_model(bytes: &[u8], cap: u64) -> Result<Opened, Error> {
    let bytes = gzip::decompress(bytes, cap, "model")?;
    let unknown = |got: String| Error::Load(LoadError::UnknownFormat { expected: "a model as ONNX or .nut", got });
    match sniff(&bytes) {
        Some(Format::Onnx) => Ok(Opened::Model(onnx::read(&bytes, cap)?)),
        Some(Format::Nut) => Ok(Opened::Nut(Box::new(container::read(&bytes, cap)?))),
        Some(Format::Idx) => Err(unknown("images or labels (IDX)".into())),
        Some(Format::Gzip) => Err(unknown("a file that is compressed twice".into())),
        None => Err(unknown(format!("the bytes {:02x?}", &bytes[..bytes.len().min(8)]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn tells_formats_by_their_bytes() {
        let model = presets::lenet300([5, 4, 3]);
        let bytes = onnx::write(&model).unwrap();
        assert_eq!(sniff(&bytes), Some(Format::Onnx));
        assert_eq!(load_model(&bytes, 1 << 20), Ok(Opened::Model(model.clone())));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        let gzipped = encoder.finish().unwrap();
        assert_eq!(sniff(&gzipped), Some(Format::Gzip));
        assert_eq!(load_model(&gzipped, 1 << 20), Ok(Opened::Model(model)));
        assert!(matches!(load_model(&gzipped, 1000), Err(Error::Load(LoadError::TooLarge { cap: 1000, .. }))));
        assert_eq!(sniff(b"Nu\0"), Some(Format::Nut));
        assert!(matches!(load_model(b"Nu\0", 1000), Err(Error::Decode(_))));
    }

    #[test]
    fn says_what_it_cannot_open() {
        let cases: [(&[u8], &str); 3] = [
            (b"", "the bytes []"),
            (b"\x89PNG\r\n\x1a\n...", "the bytes [89, 50, 4e, 47, 0d, 0a, 1a, 0a]"),
            (&[0, 0, 8, 1, 0, 0, 0, 1, 7], "images or labels (IDX)"),
        ];
        for (bytes, got) in cases {
            let message = format!("not a file that Nutshell can open: expected a model as ONNX or .nut, got {got}");
            assert_eq!(load_model(bytes, 1000).unwrap_err().to_string(), message);
        }
    }
}
