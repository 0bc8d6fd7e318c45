//! Networks as files hold them: named tensors, and where they came from.

use super::expand::expand;
use super::{Dtype, Model, Parameter, Steps};
use crate::error::{GraphError, LoadError};
use ndarray::{ArrayViewD, IxDyn, ShapeBuilder};
use strum::{IntoStaticStr, VariantArray};

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
    /// If every element is a multiple of a step, as in a `.nut` file: the steps.
    pub steps: Option<Steps>,
    /// Whether these are the elements that a sparse tensor gives.
    pub sparse: bool,
    /// Where the elements are, if they are those of another tensor.
    pub view: Option<View>,
}

/// The elements of another tensor of the same type that a tensor shows: the one at `place` is `offset + place . strides`, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Index of the other tensor, which is no view.
    pub of: usize,
    /// In elements.
    pub offset: usize,
    /// In elements, as many as the view has sides.
    pub strides: Vec<usize>,
}

impl Tensor {
    /// A tensor whose elements are as they are in its file.
    pub fn new(name: String, shape: Vec<usize>, dtype: Dtype, bytes: Vec<u8>) -> Self {
        Tensor { name, shape, dtype, bytes, dequantized: false, steps: None, sparse: false, view: None }
    }

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

/// Elements of `size` bytes that lie `strides` elements apart, from element `offset` on, row-major. `None` if some are not in `bytes`.
pub fn strided(bytes: &[u8], size: usize, shape: &[usize], strides: &[usize], offset: usize) -> Option<Vec<u8>> {
    if shape.contains(&0) {
        return Some(Vec::new());
    }
    // Each element is an axis of bytes.
    let steps = strides.iter().map(|stride| stride.checked_mul(size)).chain([Some(1)]).collect::<Option<Vec<_>>>()?;
    let sides = [shape, &[size]].concat();
    let bytes = bytes.get(offset.checked_mul(size)?..)?;
    let array = ArrayViewD::from_shape(IxDyn(&sides).strides(IxDyn(&steps)), bytes).ok()?;
    Some(array.as_slice().map_or_else(|| array.iter().copied().collect(), <[u8]>::to_vec))
}

/// Strides of a whole tensor, row-major.
pub fn row_major(shape: &[usize]) -> Vec<usize> {
    (1..=shape.len()).map(|axis| shape[axis..].iter().product()).collect()
}

/// Bytes that a tensor of this shape takes; `None` if they overflow.
pub fn byte_count(shape: &[usize], dtype: Dtype) -> Option<usize> {
    shape.iter().try_fold(dtype.size(), |product, &side| product.checked_mul(side))
}

/// The kind of file that weights came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
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
    /// HDF5.
    Hdf5,
}

impl Source {
    /// All of them. Their places are their numbers in a `.nut` file.
    pub const ALL: &[Source] = Self::VARIANTS;

    /// In lower case, as on the command line.
    pub fn name(self) -> &'static str {
        self.into()
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

/// A network as a file holds it: named tensors, where they came from, and how to run it if that is known.
///
/// The tensors keep their elements' types and every bit, also those of integers, so that a file of the original's kind can
/// be made of them again. What prunes, trains and runs works on the [`Model`], whose parameters may differ from the tensors:
/// normalisations are folded in, matrices transposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// In the order of the file. No two have the same name.
    pub tensors: Vec<Tensor>,
    /// Where they came from; nothing for a network that was trained here, or that a `.nut` file has with its graph.
    pub origin: Option<Origin>,
    /// The network that can be run, if there is one.
    pub model: Option<Model>,
    /// Why there is none, if the file has a graph.
    pub obstacle: Option<LoadError>,
    /// What was left out of the file, or is not as it was there.
    pub notes: Vec<String>,
    /// The shape of one sample, for a graph that leaves sides of it open; nothing if it is not told.
    pub sample: Vec<usize>,
}

impl Network {
    /// Tensors of a file, without a graph so far.
    pub fn new(tensors: Vec<Tensor>, origin: Origin) -> Self {
        Network { tensors, origin: Some(origin), model: None, obstacle: None, notes: Vec::new(), sample: Vec::new() }
    }

    /// A network in floats that came from no file.
    pub fn of_model(model: Model) -> Self {
        let tensor = |parameter: &Parameter| {
            let bytes = parameter.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Tensor::new(parameter.name.clone(), parameter.values.shape().to_vec(), Dtype::F32, bytes)
        };
        let tensors = model.parameters.iter().map(tensor).collect();
        Network { tensors, ..Network::without_tensors(model) }
    }

    /// A network that is only run: its tensors are left out.
    pub fn without_tensors(model: Model) -> Self {
        Network {
            tensors: Vec::new(),
            origin: None,
            model: Some(model),
            obstacle: None,
            notes: Vec::new(),
            sample: Vec::new(),
        }
    }

    /// The network that can be run.
    ///
    /// # Errors
    /// [`LoadError::NotRunnable`] says why there is none.
    pub fn runnable(&self) -> Result<&Model, LoadError> {
        self.model.as_ref().ok_or_else(|| self.not_runnable())
    }

    /// Why there is no network that can be run.
    pub fn not_runnable(&self) -> LoadError {
        let obstacle = self.obstacle.clone().unwrap_or_else(|| LoadError::Unsupported {
            format: self.source_name(),
            place: "graph".into(),
            feature: "running it (there are weights, and no graph)".into(),
            supported:
                "ONNX; TFLite; the names and shapes of LeNet, VGG, ResNet, MobileNetV2, MobileNetV3 and EfficientNet"
                    .into(),
        });
        LoadError::NotRunnable(Box::new(obstacle))
    }

    /// What is needed beside the tensors to write a file of this kind again, if they came from one.
    pub fn skeleton(&self, source: Source) -> Option<&[u8]> {
        self.origin.as_ref().filter(|origin| origin.source == source).map(|origin| origin.skeleton.as_slice())
    }

    /// Name of the format that the tensors came from; `nut` if from none.
    pub fn source_name(&self) -> &'static str {
        self.origin.as_ref().map_or("nut", |origin| origin.source.name())
    }

    /// The network that can be run, in the shapes of the tensors: a `.nut` file's is more compact than those.
    ///
    /// # Errors
    /// [`GraphError`] if the shapes do not fit.
    pub fn original_model(&self) -> Result<Option<Model>, GraphError> {
        match (&self.model, &self.origin) {
            (Some(model), None) => {
                let shapes: Vec<Vec<usize>> = self.tensors.iter().map(|tensor| tensor.shape.clone()).collect();
                expand(model, &shapes).map(Some)
            }
            (model, _) => Ok(model.clone()),
        }
    }

    /// Number of elements; what tensors share counts once.
    pub fn count(&self) -> usize {
        self.own().map(Tensor::len).sum()
    }

    /// Bytes of all elements in their own types, what tensors share once: the baseline of every ratio.
    pub fn bytes(&self) -> usize {
        self.own().map(|tensor| tensor.bytes.len()).sum()
    }

    /// Tensors that have elements of their own.
    fn own(&self) -> impl Iterator<Item = &Tensor> {
        self.tensors.iter().filter(|tensor| tensor.view.is_none())
    }
}
