//! Weights as a file of another program's format.

use super::onnx::{self, Fill};
use super::{Loaded, numpy, safetensors, tflite};
use crate::error::LoadError;
use crate::model::recognise::recognise;
use crate::model::{Dtype, Model, Source, Tensor, Weights};
use flate2::Compression;
use flate2::bufread::DeflateEncoder;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Read;

/// The most bytes that a network may take on its way to another format: as many as a file that the command line opens.
const CAP: u64 = 1 << 31;

/// What weights can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// ONNX: the original's graph, names and types.
    Onnx,
    /// The same, but a tensor of at most 256 different 32-bit floats is stored as those and an index of 8 bits an element, which the graph
    /// gathers.
    OnnxShared,
    /// The same, but a tensor of multiples of a step is stored as integers of 8 bits if they fit, which the graph multiplies with the step
    /// (DequantizeLinear).
    OnnxScaled,
    /// safetensors.
    Safetensors,
    /// An archive of numpy arrays.
    Npz,
    /// TensorFlow Lite: the original's file with these numbers.
    Tflite,
}

/// What such weights can be written as; `runnable`: they are known to make a network, by their graph or by their names and shapes.
pub fn kinds(weights: &Weights, runnable: bool) -> Vec<Kind> {
    let mut kinds = Vec::new();
    if weights.origin.source == Source::Onnx || runnable {
        kinds.extend([Kind::Onnx, Kind::OnnxShared, Kind::OnnxScaled]);
    }
    if weights.origin.source == Source::Tflite && tflite::write(weights).is_ok() {
        kinds.push(Kind::Tflite);
    }
    kinds.extend([Kind::Safetensors, Kind::Npz]);
    kinds
}

/// Writes weights as a file.
///
/// # Errors
/// [`LoadError::Unsupported`] for ONNX if they are no network that can be run, and for TFLite if they did not come from such a file, or a tensor
/// of integers has to hold other numbers than it can; [`LoadError::TooLarge`] if the format cannot hold so much.
pub fn export(loaded: &Loaded, kind: Kind) -> Result<Vec<u8>, LoadError> {
    let Loaded { weights, steps } = loaded;
    match kind {
        Kind::Onnx | Kind::OnnxShared | Kind::OnnxScaled if weights.origin.source != Source::Onnx => {
            let file = onnx::write(&network(weights)?)?;
            // In the order of the graph's parameters. One that is not as it was, because a normalisation is folded into it, is no multiple of
            // its step any more: it is stored as it is then.
            let weights_of_graph = onnx::weights(&file, file.len() as u64)?;
            let known: HashMap<&str, Option<f32>> =
                weights.tensors.iter().zip(steps).map(|(tensor, &step)| (tensor.name.as_str(), step)).collect();
            let step = |tensor: &Tensor| known.get(tensor.name.as_str()).copied().flatten();
            let steps = weights_of_graph.tensors.iter().map(step).collect();
            export(&Loaded { weights: weights_of_graph, steps }, kind)
        }
        Kind::Safetensors => Ok(safetensors::write(weights)),
        Kind::Npz => numpy::write_npz(weights).ok_or(LoadError::TooLarge {
            format: "npz",
            place: "archive".into(),
            bytes: weights.bytes() as u64,
            cap: u32::MAX.into(),
        }),
        Kind::Tflite if weights.origin.source == Source::Tflite => tflite::write(weights),
        Kind::Tflite => Err(LoadError::Unsupported {
            format: weights.origin.source.name(),
            place: "graph".into(),
            feature: "writing it as TFLite, which it did not come from,".into(),
            supported: "ONNX, safetensors and npz".into(),
        }),
        Kind::Onnx => fill(weights, |tensor, _| Fill::Plain(tensor.bytes.clone()), steps),
        Kind::OnnxShared => fill(weights, |tensor, _| shared(tensor), steps),
        Kind::OnnxScaled => fill(weights, scaled, steps),
    }
}

/// The network that weights of another format than ONNX make.
fn network(weights: &Weights) -> Result<Model, LoadError> {
    if weights.origin.source == Source::Tflite {
        return tflite::model(weights, CAP);
    }
    recognise(weights).ok_or_else(|| LoadError::Unsupported {
        format: weights.origin.source.name(),
        place: "graph".into(),
        feature: "writing it as ONNX, since the file has weights and no graph,".into(),
        supported: "safetensors and npz".into(),
    })
}

fn fill(
    weights: &Weights,
    form: impl Fn(&Tensor, Option<f32>) -> Fill,
    steps: &[Option<f32>],
) -> Result<Vec<u8>, LoadError> {
    onnx::fill(
        &weights.origin.skeleton,
        weights.tensors.iter().zip(steps).map(|(tensor, &step)| form(tensor, step)).collect(),
    )
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
fn scaled(tensor: &Tensor, step: Option<f32>) -> Fill {
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
