//! File bytes to and from a [`Model`], or [`Weights`] where there is no graph that can be run. What a file is, is told by its bytes, never by its name.

mod collect;
mod cursor;
pub mod export;
pub mod gzip;
mod import;
mod json;
pub mod numpy;
pub mod onnx;
pub mod safetensors;
pub mod tflite;
pub mod torch;
pub mod zip;

use crate::container::packed::{self, Coding, Packed};
use crate::container::{self, Nut, layout};
use crate::error::{Error, LoadError};
use crate::model::expand::expand;
use crate::model::recognise::{KNOWN, recognise};
use crate::model::{Model, Source, Weights};

/// The formats that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A network in ONNX.
    Onnx,
    /// Named weights.
    Safetensors,
    /// An archive: of arrays (npz), or of what `torch.save` writes.
    Zip,
    /// What `torch.save` wrote before it wrote archives.
    TorchLegacy,
    /// An array.
    Npy,
    /// A network in TensorFlow Lite.
    Tflite,
    /// A network that Nutshell made small.
    Nut,
    /// Images or labels as MNIST has them.
    Idx,
    /// Any of them, compressed.
    Gzip,
}

/// A network that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// A network in floats.
    Model(Model),
    /// A `.nut` file.
    Nut(Box<Nut>),
}

/// What a model file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Contents {
    /// A network that can be run.
    Network(Opened),
    /// Weights without a graph that can be run.
    Weights(Box<Weights>),
    /// A `.nut` file of such.
    Packed(Box<Packed>),
}

/// The format that the first bytes announce; whether the file is sound is for its reader to say.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(&gzip::MAGIC) {
        Some(Format::Gzip)
    } else if bytes.starts_with(&layout::MAGIC) {
        Some(Format::Nut)
    } else if bytes.starts_with(&zip::MAGIC) {
        Some(Format::Zip)
    } else if bytes.starts_with(&numpy::MAGIC) {
        Some(Format::Npy)
    } else if bytes.starts_with(&torch::LEGACY_MAGIC) {
        Some(Format::TorchLegacy)
    } else if is_idx(bytes) {
        Some(Format::Idx)
    } else if tflite::is_tflite(bytes) {
        Some(Format::Tflite)
    } else if safetensors::is_safetensors(bytes) {
        Some(Format::Safetensors)
    } else if onnx::is_onnx(bytes) {
        Some(Format::Onnx)
    } else {
        None
    }
}

/// Whether these are the first bytes of an IDX file of any type.
pub fn is_idx(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=4, ..])
}

/// The name of a file's format in lower case, of an archive by its entries; empty if it is not known.
pub fn format_name(bytes: &[u8]) -> &'static str {
    match sniff(bytes) {
        Some(Format::Onnx) => Source::Onnx.name(),
        Some(Format::Safetensors) => Source::Safetensors.name(),
        Some(Format::TorchLegacy) => Source::Torch.name(),
        Some(Format::Npy) => Source::Npy.name(),
        Some(Format::Tflite) => Source::Tflite.name(),
        Some(Format::Zip) if torch::is_torch(&zip::entries(bytes).unwrap_or_default()) => Source::Torch.name(),
        Some(Format::Zip) => Source::Npz.name(),
        Some(Format::Nut) => "nut",
        Some(Format::Idx) => "idx",
        Some(Format::Gzip) => "gzip",
        None => "",
    }
}

fn unknown(expected: &'static str, bytes: &[u8]) -> Error {
    let got = match sniff(bytes) {
        Some(Format::Idx) => "images or labels (IDX)".into(),
        Some(Format::Gzip) => "a file that is compressed twice".into(),
        Some(Format::Zip) => "an archive (ZIP) of other files".into(),
        Some(_) | None => format!("the bytes {:02x?}", &bytes[..bytes.len().min(8)]),
    };
    LoadError::UnknownFormat { expected, got }.into()
}

/// Opens a network that can be run, gzipped or not. `cap` is the most bytes that it may take once it is decompressed.
///
/// # Errors
/// [`Error::Load`] or [`Error::Decode`] as the format's reader; [`LoadError::UnknownFormat`] if it is not such a network.
pub fn load_model(bytes: &[u8], cap: u64) -> Result<Opened, Error> {
    let bytes = gzip::decompress(bytes, cap, "model")?;
    match sniff(&bytes) {
        Some(Format::Onnx) => Ok(Opened::Model(onnx::read(&bytes, cap)?)),
        Some(Format::Nut) => Ok(Opened::Nut(Box::new(container::read(&bytes, cap)?))),
        _ => Err(unknown("a model as ONNX or .nut", &bytes)),
    }
}

/// Opens a model file of any kind, gzipped or not: as a network if it can be run, else as the weights that are in it. `cap` is the most bytes
/// that it may take once it is decompressed.
///
/// # Errors
/// As [`load_model`].
pub fn open(bytes: &[u8], cap: u64) -> Result<Contents, Error> {
    let bytes = gzip::decompress(bytes, cap, "model")?;
    if packed::is_packed(&bytes) {
        return Ok(Contents::Packed(Box::new(packed::read(&bytes, cap)?)));
    }
    let weights = match sniff(&bytes) {
        Some(Format::Nut) => return load_model(&bytes, cap).map(Contents::Network),
        Some(Format::Onnx) => match onnx::read(&bytes, cap) {
            Ok(model) => return Ok(Contents::Network(Opened::Model(model))),
            Err(error @ LoadError::Unsupported { .. }) => {
                Weights { obstacle: Some(error.to_string()), ..onnx::weights(&bytes, cap)? }
            }
            Err(error) => return Err(error.into()),
        },
        Some(Format::Tflite) => {
            let weights = tflite::read(&bytes, cap)?;
            match tflite::model_of(&bytes, &weights, cap) {
                Ok(model) => return Ok(Contents::Network(Opened::Model(model))),
                Err(error @ LoadError::Unsupported { .. }) => Weights { obstacle: Some(error.to_string()), ..weights },
                Err(error) => return Err(error.into()),
            }
        }
        _ => read_weights(&bytes, cap)?,
    };
    Ok(match recognise(&weights) {
        Some(model) => Contents::Network(Opened::Model(model)),
        None => Contents::Weights(Box::new(weights)),
    })
}

/// Every tensor of a file, in its own type, and for those that are multiples of a step, the step.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The tensors, and what is needed to write the file again.
    pub weights: Weights,
    /// As many as there are tensors.
    pub steps: Vec<Option<f32>>,
}

impl Loaded {
    /// Weights as they are in a file that is not a `.nut`.
    pub fn of_weights(weights: Weights) -> Self {
        Loaded { steps: vec![None; weights.tensors.len()], weights }
    }

    /// The decoded weights of a `.nut` file of such.
    pub fn of_packed(packed: &Packed) -> Self {
        let step = |coding: &Coding| match coding {
            Coding::Steps { step, .. } => Some(*step),
            Coding::Verbatim(_) => None,
        };
        let steps = packed.tensors.iter().map(|tensor| step(&tensor.coding)).collect();
        Loaded { weights: packed.to_weights(), steps }
    }
}

/// Opens the weights of a model file, gzipped or not, whether its graph can be run or not; of a `.nut` the decoded ones, in the original's
/// shapes.
///
/// # Errors
/// As [`open`].
pub fn load_weights(bytes: &[u8], cap: u64) -> Result<Loaded, Error> {
    let bytes = gzip::decompress(bytes, cap, "model")?;
    if packed::is_packed(&bytes) {
        return Ok(Loaded::of_packed(&packed::read(&bytes, cap)?));
    }
    if sniff(&bytes) == Some(Format::Nut) {
        let network = container::read(&bytes, cap)?.network;
        let model = expand(&network.to_model(), &network.original_shapes)?;
        let units = network.parameters.iter().map(|parameter| -f32::from(parameter.codebook.fraction_bits()));
        let steps = units.map(|exponent| Some(exponent.exp2())).collect();
        // The writer keeps the parameters in their order.
        return Ok(Loaded { weights: onnx::weights(&onnx::write(&model)?, cap)?, steps });
    }
    Ok(Loaded::of_weights(read_weights(&bytes, cap)?))
}

/// The weights of a file of any format but `.nut`.
fn read_weights(bytes: &[u8], cap: u64) -> Result<Weights, Error> {
    const EXPECTED: &str = "a model as ONNX, safetensors, npz, npy, PyTorch state dictionary, TFLite or .nut";
    Ok(match sniff(bytes) {
        Some(Format::Onnx) => onnx::weights(bytes, cap)?,
        Some(Format::Safetensors) => safetensors::read(bytes, cap)?,
        Some(Format::TorchLegacy) => torch::read_legacy(bytes, cap)?,
        Some(Format::Npy) => numpy::read_npy(bytes, cap)?,
        Some(Format::Tflite) => tflite::read(bytes, cap)?,
        Some(Format::Zip) => {
            let entries = zip::entries(bytes)?;
            if torch::is_torch(&entries) {
                torch::read_archive(&entries, cap)?
            } else if numpy::is_npz(&entries) {
                numpy::read_npz(&entries, cap)?
            } else {
                return Err(unknown(EXPECTED, bytes));
            }
        }
        Some(Format::Nut | Format::Idx | Format::Gzip) | None => return Err(unknown(EXPECTED, bytes)),
    })
}

/// The network that weights make: by the graph of the file that they came from, or because they are recognised.
///
/// # Errors
/// [`LoadError`] says why they make none.
pub fn to_model(weights: &Weights, cap: u64) -> Result<Model, LoadError> {
    if let Some(model) = recognise(weights) {
        return Ok(model);
    }
    match weights.origin.source {
        Source::Onnx => return onnx::model(weights, cap),
        Source::Tflite => return tflite::model(weights, cap),
        Source::Safetensors | Source::Npz | Source::Npy | Source::Torch => {}
    }
    let obstacle = weights.obstacle.clone().unwrap_or_else(|| "there are weights, and no graph".into());
    Err(LoadError::Unsupported {
        format: weights.origin.source.name(),
        place: "graph".into(),
        feature: format!("running it ({obstacle})"),
        supported: format!("ONNX; TFLite; the names and shapes of {KNOWN}"),
    })
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
