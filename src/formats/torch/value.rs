//! What a pickle of PyTorch is made of.

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
    /// A floating-point number.
    Float(f64),
    /// What nothing here needs the value of, such as a whole number of more than 64 bits.
    Other,
    /// A string: an index into `texts`.
    Text(usize),
    /// A tuple: an index into `sequences`.
    Tuple(usize),
    /// A list: an index into `sequences`.
    List(usize),
    /// A dictionary, ordered or not: an index into `dictionaries`.
    Dictionary(usize),
    /// A function or a class.
    Global(Global),
    /// An index into `storages`.
    Storage(usize),
    /// An index into `tensors`.
    Tensor(usize),
    /// What a function or a class that is not known would have made: an index into `objects`.
    Object(usize),
}

/// The functions and classes that mean something here. None is ever looked up or called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Global {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`.
    RebuildTensor,
    /// `torch._utils._rebuild_tensor_v3`, which names the type of the elements.
    RebuildTyped,
    /// `torch._utils._rebuild_qtensor`.
    RebuildQuantized,
    /// `torch._tensor._rebuild_from_type_v2`, which is given another function and what to call it with.
    RebuildFromType,
    /// What its first argument stands for: `torch._utils._rebuild_parameter`, `torch.Size`, and their like.
    First,
    /// `torch.FloatStorage` and its like.
    StorageOf(Element),
    /// Any other: its name is an index into `texts`.
    Other(usize),
}

/// The functions that give their first argument, or the same numbers with another type around them.
pub const FIRST: [&str; 9] = [
    "_rebuild_parameter",
    "_rebuild_parameter_with_state",
    "_rebuild_device_tensor_from_cpu_tensor",
    "Size",
    "restore_type_tag",
    "build_tensorlist",
    "build_intlist",
    "build_doublelist",
    "build_boollist",
];

/// How the numbers of a type are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As numbers.
    Plain,
    /// A complex number as two: the real part and the imaginary one.
    Pair,
    /// As bytes, since Nutshell does not have the type.
    Bytes,
}

/// The type of the elements of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// The numbers that they are kept as.
    pub dtype: Dtype,
    /// What these mean.
    pub form: Form,
}

impl Element {
    /// The type of an attribute of `torch`, such as `float32` or `float8_e4m3fn`.
    pub fn named(name: &str) -> Option<Element> {
        let (dtype, form) = match name {
            "complex32" => (Dtype::F16, Form::Pair),
            "complex64" => (Dtype::F32, Form::Pair),
            "complex128" => (Dtype::F64, Form::Pair),
            _ if name.starts_with("float8_") => (Dtype::U8, Form::Bytes),
            _ => (*Dtype::ALL.iter().find(|dtype| dtype.name() == name)?, Form::Plain),
        };
        Some(Element { dtype, form })
    }

    /// The type of a class of storages, such as `FloatStorage`.
    pub fn of_storage(class: &str) -> Option<Element> {
        let name = match class.strip_suffix("Storage")? {
            "Double" => "float64",
            "Float" => "float32",
            "Half" => "float16",
            "BFloat16" => "bfloat16",
            "Long" => "int64",
            "Int" | "QInt32" => "int32",
            "Short" => "int16",
            "Char" | "QInt8" => "int8",
            "Byte" | "QUInt8" | "Untyped" => "uint8",
            "Bool" => "bool",
            "ComplexFloat" => "complex64",
            "ComplexDouble" => "complex128",
            _ => return None,
        };
        Element::named(name)
    }

    /// Bytes of an element.
    pub fn size(self) -> usize {
        self.dtype.size() * if self.form == Form::Pair { 2 } else { 1 }
    }
}

/// Numbers in the file that tensors show.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Type of its elements.
    pub element: Element,
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
    /// Type of its elements.
    pub element: Element,
    /// In elements.
    pub offset: usize,
    /// Its sides.
    pub shape: Vec<usize>,
    /// In elements, as many as there are sides.
    pub strides: Vec<usize>,
    /// Of integers: the numbers that they stand for.
    pub scale: Option<Scale>,
}

/// What quantized integers stand for: each minus the zero point, times the scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Scale and zero point of the whole tensor.
    Whole(f64, i64),
    /// Tensors of scales and of zero points, and the axis that they run along.
    Along(usize, usize, usize),
}

/// What a function or a class that is not known was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The function or the class.
    pub called: Value,
    /// What it was called with.
    pub arguments: Value,
    /// What was set in it, or appended to it.
    pub items: Vec<(Value, Value)>,
    /// Its attributes.
    pub state: Value,
}
