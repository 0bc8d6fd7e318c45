//! What a pickle of a state dictionary is made of.

use crate::model::Dtype;

/// The format's name in errors.
pub const FORMAT: &str = "PyTorch";

/// What an instruction makes. Indices are into the tables of [`Pickle`](super::pickle::Pickle).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Python's `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number that nothing here needs the value of.
    Float,
    /// A string: an index into `texts`.
    Text(usize),
    /// A tuple: an index into `sequences`.
    Tuple(usize),
    /// A list: an index into `sequences`.
    List(usize),
    /// A dictionary, ordered or not: an index into `dictionaries`.
    Dictionary(usize),
    /// One of the functions and types that are known.
    Global(Global),
    /// An index into `storages`.
    Storage(usize),
    /// An index into `tensors`.
    Tensor(usize),
}

/// The names that a pickle may use, and what they stand for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`.
    RebuildParameter,
    /// `torch.Size`.
    Size,
    /// `torch.FloatStorage` and its like.
    StorageOf(Dtype),
}

/// Those names, in words.
pub const GLOBALS: &str = "collections.OrderedDict, torch.Size, torch._utils._rebuild_tensor, _rebuild_tensor_v2 and \
     _rebuild_parameter, and torch.*Storage of numbers: a state dictionary";

/// The types that a storage may have by its name.
pub const STORAGES: [(&str, Dtype); 10] = [
    ("DoubleStorage", Dtype::F64),
    ("FloatStorage", Dtype::F32),
    ("HalfStorage", Dtype::F16),
    ("BFloat16Storage", Dtype::Bf16),
    ("LongStorage", Dtype::I64),
    ("IntStorage", Dtype::I32),
    ("ShortStorage", Dtype::I16),
    ("CharStorage", Dtype::I8),
    ("ByteStorage", Dtype::U8),
    ("BoolStorage", Dtype::Bool),
];

/// Numbers in the file that tensors show.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Type of its elements.
    pub dtype: Dtype,
    /// Its name in the file.
    pub key: String,
    /// Number of its elements.
    pub count: usize,
}

/// What a tensor shows of a storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Strided {
    /// An index into `storages`.
    pub storage: usize,
    /// In elements.
    pub offset: usize,
    /// Its sides.
    pub shape: Vec<usize>,
    /// In elements, as many as there are sides.
    pub strides: Vec<usize>,
}
