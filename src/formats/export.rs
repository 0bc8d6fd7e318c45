//! Networks as files of other programs' formats.

use super::onnx::{self, Form, Kept};
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
    /// Writes a network; adds the tensors that stay as they are, though the form is a smaller one.
    pub write: fn(&Network, &mut Vec<Kept>) -> Result<Vec<u8>, LoadError>,
}

/// The forms that are written.
pub static WRITERS: [Writer; 6] = [
    Writer {
        name: "onnx",
        about: "The original's graph with its numbers",
        extension: Some("onnx"),
        suits: has_graph,
        write: |network, kept| write_onnx(network, |_| Err(""), kept),
    },
    Writer {
        name: "onnx-shared",
        about: "ONNX; a tensor of at most 256 different floats is a list and an index of 8 bits an element (Gather)",
        extension: None,
        suits: has_graph,
        write: |network, kept| write_onnx(network, shared, kept),
    },
    Writer {
        name: "onnx-scaled",
        about: "ONNX; multiples of a step are integers of 8 bits (DequantizeLinear), or of 16 (Cast, Mul)",
        extension: None,
        suits: has_graph,
        write: |network, kept| write_onnx(network, scaled, kept),
    },
    Writer {
        name: "tflite",
        about: "The original's TFLite file with its numbers",
        extension: Some("tflite"),
        suits: |network| network.skeleton(Source::Tflite).is_some() && tflite::write(network).is_ok(),
        write: |network, _| write_tflite(network),
    },
    Writer {
        name: "safetensors",
        about: "Named tensors",
        extension: Some("safetensors"),
        suits: |_| true,
        write: |network, _| Ok(safetensors::write(network)),
    },
    Writer {
        name: "npz",
        about: "An archive of numpy arrays",
        extension: Some("npz"),
        suits: |_| true,
        write: |network, _| write_npz(network),
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
    (writer.write)(network, &mut Vec::new())
}

fn unsupported(network: &Network, feature: &str, supported: &str) -> LoadError {
    error::unsupported(network.source_name(), "graph", feature, supported)
}

/// Whether it is an ONNX file's, or can be run.
fn has_graph(network: &Network) -> bool {
    network.skeleton(Source::Onnx).is_some() || network.model.is_some()
}

/// Writes the original's ONNX file with the tensors in this form; one of the graph, if the tensors came from elsewhere.
fn write_onnx(
    network: &Network,
    form: fn(&Tensor) -> Result<Form, &'static str>,
    kept: &mut Vec<Kept>,
) -> Result<Vec<u8>, LoadError> {
    if let Some(skeleton) = network.skeleton(Source::Onnx) {
        return onnx::fill(skeleton, &network.tensors, form, kept);
    }
    let (network, origin) = as_onnx(network)?;
    onnx::fill(&origin.skeleton, &network.tensors, form, kept)
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
    let own: HashMap<&str, &Tensor> = network.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    move |tensor| {
        let own = own.get(tensor.name.as_str());
        // Rows of a matrix that is transposed are elsewhere.
        let of = |own: &&Tensor| own.steps.clone().filter(|steps| steps.rows.is_none() || own.shape == tensor.shape);
        Tensor { steps: own.and_then(of), ..tensor }
    }
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

/// Types that no small form is of, and why.
fn of_floats(tensor: &Tensor) -> Result<(), &'static str> {
    match tensor.dtype {
        Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::Bf16 => Ok(()),
        Dtype::I8 | Dtype::U8 | Dtype::Bool => Err("of 8 bits an element or fewer already"),
        Dtype::I64 | Dtype::I32 | Dtype::I16 | Dtype::U64 | Dtype::U32 | Dtype::U16 => Err("integers"),
    }
}

/// The different elements, in the order of their bits, and an index an element.
fn shared(tensor: &Tensor) -> Result<Form, &'static str> {
    of_floats(tensor)?;
    let elements = || tensor.dtype.integers(&tensor.bytes);
    let mut codebook: Vec<i64> = Vec::new();
    for bits in elements() {
        if let Err(place) = codebook.binary_search(&bits) {
            if codebook.len() == 256 {
                return Err("of more than 256 different elements");
            }
            codebook.insert(place, bits);
        }
    }
    let indices = elements().map(|bits| codebook.binary_search(&bits).unwrap_or(0) as u8).collect();
    let size = tensor.dtype.size();
    let codebook = codebook.into_iter().flat_map(|bits| bits.to_le_bytes().into_iter().take(size)).collect();
    Ok(Form::Shared(codebook, indices))
}

/// Integers of 16 bits, where the elements are exactly those times the step.
fn scaled(tensor: &Tensor) -> Result<Form, &'static str> {
    of_floats(tensor)?;
    let steps = tensor.steps.as_ref().ok_or("no multiples of a step")?;
    let each = || steps.of_elements(&tensor.shape);
    let integers: Vec<f32> = tensor.values().iter().zip(each()).map(|(&value, step)| (value / step).round()).collect();
    let products: Vec<f32> = integers.iter().zip(each()).map(|(&integer, step)| integer * step).collect();
    if tensor.dtype.size() == 2 && products != tensor.values() {
        // The products are rounded to 16 bits, which a runtime may leave out that calculates in 32.
        return shared(tensor);
    }
    let fits = |&integer: &f32| (f32::from(i16::MIN)..=f32::from(i16::MAX)).contains(&integer);
    if !integers.iter().all(fits) || tensor.dtype.of_floats(&products).as_ref() != Some(&tensor.bytes) {
        return Err("no multiples of a step in 16 bits");
    }
    Ok(Form::Scaled(steps.clone(), integers.into_iter().map(|integer| integer as i16).collect()))
}

/// Size of a file once it is compressed as ZIP and gzip do it (DEFLATE), in bytes, without their headers.
pub fn zipped_bytes(file: &[u8]) -> usize {
    let mut packed = Vec::new();
    // Reading from memory does not fail.
    let _ = DeflateEncoder::new(file, Compression::default()).read_to_end(&mut packed);
    packed.len()
}
