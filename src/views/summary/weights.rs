//! What is to be said of the tensors of a file, whether its graph can be run or not.

use crate::formats::{Nut, Opened};
use serde::Serialize;

/// The tensors of a file in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightsSummary {
    /// Such as `safetensors` or `nut`.
    pub format: &'static str,
    /// Size of the file.
    pub bytes: usize,
    /// The format that the weights came from.
    pub source: &'static str,
    /// Whether there is a graph that can be run.
    pub runnable: bool,
    /// Why there is none, if the file has a graph.
    pub obstacle: Option<String>,
    /// Elements of all tensors.
    pub elements: usize,
    /// Bytes of all tensors in their own types.
    pub tensor_bytes: usize,
    /// In the order of the file.
    pub tensors: Vec<TensorSummary>,
    /// What only a `.nut` file of named weights has.
    pub nut: Option<NutBytes>,
}

/// A tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorSummary {
    /// Its name.
    pub name: String,
    /// Its sides.
    pub shape: Vec<usize>,
    /// Its type, as numpy calls it.
    pub dtype: &'static str,
    /// Whether the file held integers with a scale.
    pub dequantized: bool,
    /// Elements that are not zero.
    pub nonzeros: usize,
    /// Of a `.nut` file, whose numbers are multiples of it; none if they are kept as they are.
    pub step: Option<f32>,
}

/// Where the bytes of a `.nut` file of named weights go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NutBytes {
    /// Magic, version and number of sections.
    pub head: usize,
    /// Each section with its tag and length.
    pub sections: Vec<(&'static str, usize)>,
    /// Coded numbers.
    pub payload: usize,
    /// Checksum.
    pub checksum: usize,
    /// Bytes of all tensors divided by the size of the file.
    pub ratio: f64,
}

impl WeightsSummary {
    /// Sums up a file of so many bytes.
    pub fn new(opened: &Opened, bytes: usize) -> Self {
        let Opened { network, format, nut } = opened;
        let tensors = network.tensors.iter().map(|tensor| TensorSummary {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            dtype: tensor.dtype.name(),
            dequantized: tensor.dequantized,
            nonzeros: tensor.values().iter().filter(|&&value| value != 0.0).count(),
            step: tensor.step,
        });
        let nut = match nut {
            Some(Nut::Tensors(items)) => Some(NutBytes {
                head: items.head_bytes,
                sections: items.sections.clone(),
                payload: items.payload_bytes,
                checksum: items.checksum_bytes,
                ratio: network.bytes() as f64 / bytes as f64,
            }),
            Some(Nut::Network(_)) | None => None,
        };
        WeightsSummary {
            format,
            bytes,
            source: network.source_name(),
            runnable: network.model.is_some(),
            obstacle: network.obstacle.as_ref().map(ToString::to_string),
            elements: network.count(),
            tensor_bytes: network.bytes(),
            tensors: tensors.collect(),
            nut,
        }
    }
}
