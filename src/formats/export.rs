//! Networks as files of other programs' formats.

use super::onnx::{self, Fill};
use super::{numpy, safetensors, tflite};
use crate::error::{self, LoadError, too_large};
use crate::model::{Dtype, Model, Network, Origin, Source, Tensor};
use flate2::Compression;
use flate2::bufread::DeflateEncoder;
use std::collections::HashMap;
use std::io::Read;

/// A form in which networks are written.
pub struct Writer {
    /// Its name on the command line and in JavaScript.
    pub name: &'static str,
    /// What is in such a file, in a sentence.
    pub about: &'static str,
    /// The ending of a file's name that asks for it, if there is one.
    pub extension: Option<&'static str>,
    /// Whether a network can be written so, as far as is known without writing it.
    pub suits: fn(&Network) -> bool,
    /// Writes a network.
    pub write: fn(&Network) -> Result<Vec<u8>, LoadError>,
}

/// The forms that are written.
pub static WRITERS: [Writer; 6] = [
    Writer {
        name: "onnx",
        about: "The original's graph with its numbers",
        extension: Some("onnx"),
        suits: has_graph,
        write: |network| write_onnx(network, |tensor| Fill::Plain(tensor.bytes.clone())),
    },
    Writer {
        name: "onnx-shared",
        about: "ONNX; a tensor of at most 256 different 32-bit floats is a list and an index of 8 bits an element (Gather)",
        extension: None,
        suits: has_graph,
        write: |network| write_onnx(network, shared),
    },
    Writer {
        name: "onnx-scaled",
        about: "ONNX; multiples of a step are integers of 8 bits, if they fit (DequantizeLinear)",
        extension: None,
        suits: has_graph,
        write: |network| write_onnx(network, scaled),
    },
    Writer {
        name: "tflite",
        about: "The original's TFLite file with its numbers",
        extension: Some("tflite"),
        suits: |network| network.skeleton(Source::Tflite).is_some() && tflite::write(network).is_ok(),
        write: write_tflite,
    },
    Writer {
        name: "safetensors",
        about: "Named tensors",
        extension: Some("safetensors"),
        suits: |_| true,
        write: |network| Ok(safetensors::write(network)),
    },
    Writer {
        name: "npz",
        about: "An archive of numpy arrays",
        extension: Some("npz"),
        suits: |_| true,
        write: write_npz,
    },
];

/// The writer of a name.
pub fn writer(name: &str) -> Option<&'static Writer> {
    WRITERS.iter().find(|writer| writer.name == name)
}

/// Writes a network in the form of a name.
///
/// ```
/// use nutshell::formats::{self, export::export};
/// # let file = formats::onnx::write(&nutshell::model::presets::lenet300([6, 5, 2])).unwrap();
/// let network = formats::open(&file, 1 << 20)?.network;
/// let safetensors = export(&network, "safetensors")?;
/// assert_eq!(formats::read(&safetensors, 1 << 20)?.network.tensors, network.tensors);
/// # Ok::<(), nutshell::Error>(())
/// ```
///
/// # Errors
/// [`LoadError::Unsupported`] if there is no such form, or the network has no graph that it asks for; [`LoadError::TooLarge`] if the format
/// cannot hold so much.
pub fn export(network: &Network, name: &str) -> Result<Vec<u8>, LoadError> {
    let writer = writer(name).ok_or_else(|| {
        let names: Vec<&str> = WRITERS.iter().map(|writer| writer.name).collect();
        unsupported(network, &format!("writing it as '{name}'"), &names.join(", "))
    })?;
    (writer.write)(network)
}

fn unsupported(network: &Network, feature: &str, supported: &str) -> LoadError {
    error::unsupported(network.source_name(), "graph", feature, supported)
}

/// Whether it is an ONNX file's, or can be run.
fn has_graph(network: &Network) -> bool {
    network.skeleton(Source::Onnx).is_some() || network.model.is_some()
}

/// Writes the original's ONNX file with the tensors in this form; one of the graph, if the tensors came from elsewhere.
fn write_onnx(network: &Network, form: fn(&Tensor) -> Fill) -> Result<Vec<u8>, LoadError> {
    if network.skeleton(Source::Onnx).is_some() {
        return onnx::with_numbers(network, form);
    }
    let mut steps = steps(network);
    Ok(onnx::write_in(&graph_of(network)?, &mut |tensor| form(&steps(tensor)))?)
}

/// A network that did not come from an ONNX file, as if it had, and that origin.
///
/// # Errors
/// [`LoadError::Unsupported`] if it cannot be run.
pub fn as_onnx(network: &Network) -> Result<(Network, Origin), LoadError> {
    let (tensors, skeleton) = onnx::apart(&graph_of(network)?)?;
    let origin = Origin { source: Source::Onnx, skeleton };
    let tensors = tensors.into_iter().map(steps(network)).collect();
    Ok((Network::new(tensors, origin.clone()), origin))
}

/// The graph that is written, in the shapes of the tensors.
fn graph_of(network: &Network) -> Result<Model, LoadError> {
    let what = "writing it as ONNX, since the file has weights and no graph,";
    network
        .original_model()?
        .ok_or_else(|| network.obstacle.clone().unwrap_or_else(|| unsupported(network, what, "safetensors and npz")))
}

/// Gives tensors of a graph the steps that those of the file have. One that is not as it was, because a normalisation is folded into it, is no
/// multiple of its step any more: it is stored as it is then.
fn steps(network: &Network) -> impl FnMut(Tensor) -> Tensor {
    let steps: HashMap<&str, Option<f32>> =
        network.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.step)).collect();
    move |tensor| Tensor { step: steps.get(tensor.name.as_str()).copied().flatten(), ..tensor }
}

fn write_tflite(network: &Network) -> Result<Vec<u8>, LoadError> {
    match network.skeleton(Source::Tflite) {
        Some(_) => tflite::write(network),
        None => {
            let what = "writing it as TFLite, which it did not come from,";
            Err(unsupported(network, what, "ONNX, safetensors and npz"))
        }
    }
}

fn write_npz(network: &Network) -> Result<Vec<u8>, LoadError> {
    numpy::write_npz(network).ok_or_else(|| too_large("npz", "archive", network.bytes(), u32::MAX.into()))
}

/// The different values and an index an element, where that is smaller.
fn shared(tensor: &Tensor) -> Fill {
    let plain = Fill::Plain(tensor.bytes.clone());
    if tensor.dtype != Dtype::F32 {
        return plain;
    }
    let elements = tensor.bytes.as_chunks::<4>().0;
    let mut codebook: Vec<u32> = Vec::new();
    let mut indices = Vec::with_capacity(elements.len());
    for &element in elements {
        // In the order of their bits, so that each is found by halving.
        let bits = u32::from_le_bytes(element);
        if let Err(place) = codebook.binary_search(&bits) {
            if codebook.len() == 256 {
                return plain;
            }
            codebook.insert(place, bits);
        }
    }
    for &element in elements {
        indices.push(codebook.binary_search(&u32::from_le_bytes(element)).unwrap_or(0) as u8);
    }
    // Codebook, indices and names have to be worth it.
    if 4 * codebook.len() + indices.len() + 256 >= tensor.bytes.len() {
        return plain;
    }
    Fill::Shared(codebook.into_iter().map(f32::from_bits).collect(), indices)
}

/// Integers of 8 bits, where the values are exactly those times the step.
fn scaled(tensor: &Tensor) -> Fill {
    let step = tensor.step;
    let integer = |value: f32, step: f32| {
        let integer = (value / step).round();
        let fits = (f32::from(i8::MIN)..=f32::from(i8::MAX)).contains(&integer);
        (fits && (integer * step).to_bits() == value.to_bits()).then_some(integer as i8)
    };
    let integers = match step {
        Some(step) if tensor.dtype == Dtype::F32 => {
            tensor.values().iter().map(|&value| integer(value, step)).collect::<Option<Vec<i8>>>()
        }
        _ => None,
    };
    match (integers, step) {
        (Some(integers), Some(step)) if integers.len() > 16 => Fill::Scaled(step, integers),
        _ => Fill::Plain(tensor.bytes.clone()),
    }
}

/// Size of a file once it is compressed as ZIP and gzip do it (DEFLATE), in bytes, without their headers.
pub fn zipped_bytes(file: &[u8]) -> usize {
    let mut packed = Vec::new();
    // Reading from memory does not fail.
    let _ = DeflateEncoder::new(file, Compression::default()).read_to_end(&mut packed);
    packed.len()
}
