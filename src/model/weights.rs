//! Named weights: what a model file holds when no graph that can be run is known of it.
//!
//! It is a type of its own, not a [`Model`](super::Model) without nodes: the tensors keep their elements' types and every
//! bit, also those of integers, and a file of any format can be made of them again. What prunes, trains and
//! runs a network works on a `Model`; what only looks at numbers works on these.

use super::Dtype;

/// A named array in its own type.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its name in the file. No two tensors of a file have the same.
    pub name: String,
    /// Its sides; none for a scalar. A side may be 0.
    pub shape: Vec<usize>,
    /// Type of the elements.
    pub dtype: Dtype,
    /// Row-major, little-endian. Invariant: as many as `shape` and `dtype` ask for.
    pub bytes: Vec<u8>,
    /// Whether the file holds integers with a scale, of which these are the values.
    pub dequantized: bool,
}

impl Tensor {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.dtype.size()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements as 32-bit floats; rounded if they are wider.
    pub fn values(&self) -> Vec<f32> {
        self.dtype.to_floats(&self.bytes)
    }
}

/// Bytes that a tensor of this shape takes; `None` if they overflow.
pub fn byte_count(shape: &[usize], dtype: Dtype) -> Option<usize> {
    shape.iter().try_fold(dtype.size(), |product, &side| product.checked_mul(side))
}

/// The kind of file that weights came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// ONNX.
    Onnx,
    /// safetensors.
    Safetensors,
    /// An archive of numpy arrays.
    Npz,
    /// One numpy array.
    Npy,
    /// PyTorch.
    Torch,
    /// TensorFlow Lite.
    Tflite,
}

impl Source {
    /// All of them. Their places are their numbers in a `.nut` file.
    pub const ALL: [Source; 6] =
        [Source::Onnx, Source::Safetensors, Source::Npz, Source::Npy, Source::Torch, Source::Tflite];

    /// In lower case, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Source::Onnx => "onnx",
            Source::Safetensors => "safetensors",
            Source::Npz => "npz",
            Source::Npy => "npy",
            Source::Torch => "torch",
            Source::Tflite => "tflite",
        }
    }
}

/// What is needed beside the tensors to write a file of the original's kind again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The original's kind.
    pub source: Source,
    /// Of ONNX and TFLite the whole file without the numbers of its tensors, of safetensors its metadata as JSON text, of others nothing.
    pub skeleton: Vec<u8>,
}

/// All tensors of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// In the order of the file.
    pub tensors: Vec<Tensor>,
    /// Where they came from.
    pub origin: Origin,
    /// Why they are not a network that can be run, in words, if the file has a graph.
    pub obstacle: Option<String>,
}

impl Weights {
    /// Number of elements.
    pub fn count(&self) -> usize {
        self.tensors.iter().map(Tensor::len).sum()
    }

    /// Bytes of all elements in their own types: the baseline of every ratio.
    pub fn bytes(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.bytes.len()).sum()
    }
}
