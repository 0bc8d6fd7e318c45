//! Small forms of a weight in an ONNX file: nodes that make it of fewer bytes.

use super::build;
use super::wire::Message;
use crate::formats::import::tensor::{FLOAT, INT8, INT16, INT32, UINT8};
use crate::formats::import::{self, Attribute};
use crate::model::{Dtype, Steps, Tensor};

/// The first operator set with DequantizeLinear.
const DEQUANTIZE_OPSET: i64 = 10;
/// The first one in which it takes a scale a row.
const DEQUANTIZE_ROWS_OPSET: i64 = 13;

/// The first operator set in which arithmetic broadcasts by itself.
const BROADCAST_OPSET: i64 = 7;

/// What a weight's numbers are made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// The different elements, at most 256, one after the other in the weight's own type, and for each element its place among them. The
    /// graph gathers them.
    Shared(Vec<u8>, Vec<u8>),
    /// Integers, and what one unit is worth: the product is a 32-bit float, and the element that rounded to the weight's type. The graph
    /// multiplies, by DequantizeLinear if they have 8 bits.
    Scaled(Steps, Vec<i16>),
}

impl Form {
    /// The form of a whole tensor of `sides`, of which this is the form of the values that a sparse one gives, and `places` theirs; `None` if that
    /// takes more bytes, or cannot be.
    pub fn spread(self, sides: &[usize], places: &Tensor, dtype: Dtype) -> Option<Form> {
        let count = sides.iter().try_fold(1usize, |product, &side| product.checked_mul(side))?;
        let given = match &self {
            Form::Shared(_, indices) => indices.len(),
            Form::Scaled(_, integers) => integers.len(),
        };
        if count >= given.checked_mul(dtype.size() + 8)? || places.dtype != Dtype::I64 {
            return None;
        }
        // Either one number an element, or one for each side.
        let numbers: Vec<usize> =
            places.dtype.integers(&places.bytes).map(|place| usize::try_from(place).ok()).collect::<Option<_>>()?;
        let flat = if places.shape.len() == 2 {
            let at = |place: &[usize]| {
                place.iter().zip(sides).try_fold(0, |at, (place, side)| (place < side).then(|| at * side + place))
            };
            numbers.chunks(sides.len().max(1)).map(at).collect::<Option<Vec<usize>>>()?
        } else {
            numbers
        };
        fn put<T: Copy>(to: &mut [T], flat: &[usize], values: &[T]) -> Option<()> {
            (flat.len() == values.len()).then_some(())?;
            flat.iter().zip(values).try_for_each(|(&at, &value)| to.get_mut(at).map(|place| *place = value))
        }
        match self {
            Form::Shared(mut codebook, indices) => {
                let zero = vec![0; dtype.size()];
                let found = codebook.chunks(dtype.size()).position(|element| element == zero);
                let place = found.unwrap_or(codebook.len() / dtype.size());
                if found.is_none() {
                    codebook.extend(zero);
                }
                let mut all = vec![u8::try_from(place).ok()?; count];
                put(&mut all, &flat, &indices)?;
                Some(Form::Shared(codebook, all))
            }
            Form::Scaled(steps, integers) if steps.rows.is_none() => {
                let mut all = vec![0; count];
                put(&mut all, &flat, &integers)?;
                Some(Form::Scaled(steps, all))
            }
            // Rows of the values that are given are none of the whole.
            Form::Scaled(..) => None,
        }
    }
}

/// What takes the place of a weight.
#[derive(Default)]
pub struct Replaced {
    /// Tensors: none or several only where the place is free.
    pub tensors: Vec<Message>,
    /// Nodes of the same graph, which have to come before the others; some only where the place is free.
    pub nodes: Vec<Message>,
}

impl Replaced {
    /// One tensor.
    pub fn by(tensor: Message) -> Self {
        Replaced { tensors: vec![tensor], nodes: Vec::new() }
    }

    /// Size of all of it, in bytes.
    pub fn bytes(&self) -> usize {
        self.tensors.iter().chain(&self.nodes).map(Message::len).sum()
    }
}

/// Endings of the names that are new in a file.
const ENDINGS: [&str; 12] = [
    "/codebook",
    "/indices",
    "/indices_int32",
    "/integers",
    "/scale",
    "/zero_point",
    "/float",
    "/product",
    "/Cast",
    "/Gather",
    "/DequantizeLinear",
    "/Mul",
];

/// New names that are none of a file's.
pub struct Names {
    /// What they all end with.
    mark: String,
}

impl Names {
    /// Names for what is added to a file.
    pub fn new(file: &[u8]) -> Self {
        let taken = |mark: &str| {
            ENDINGS.iter().any(|ending| {
                let name = format!("{ending}{mark}");
                file.windows(name.len()).any(|bytes| bytes == name.as_bytes())
            })
        };
        // A name that occurs nowhere in the file is nobody's. Only a file that is made for it has all of these.
        let mut mark = String::new();
        for number in 1..20 {
            if !taken(&mark) {
                break;
            }
            mark = format!(".{number}");
        }
        Names { mark }
    }

    fn name(&self, of: &str, ending: &str) -> String {
        format!("{of}{ending}{}", self.mark)
    }
}

/// A weight that nodes are to make.
pub struct Target<'a> {
    pub name: &'a str,
    /// Its type, by ONNX's number, and bytes of an element.
    pub kind: i64,
    pub size: usize,
    pub shape: &'a [usize],
    /// The operator set.
    pub opset: i64,
}

/// The tensors and nodes that make a weight; `None` if the operator set is too old.
pub fn made(form: &Form, names: &Names, target: &Target) -> Option<Replaced> {
    let Target { name, kind, size, shape, opset } = *target;
    if opset < BROADCAST_OPSET {
        return None;
    }
    let part = |ending: &str| names.name(name, ending);
    let mut nodes: Vec<Message> = Vec::new();
    let mut node = |op: &str, inputs: &[&str], output: &str, attribute: Option<(&'static str, i64)>| {
        let attributes = attribute.into_iter().map(|(name, value)| (name, Attribute::Int(value))).collect();
        let inputs = inputs.iter().map(|&input| input.into()).collect();
        let name = names.name(output, &format!("/{op}")).into();
        let outputs = vec![output.into()];
        nodes.push(build::node(&import::Node { op, name, inputs, outputs, attributes, ..import::Node::default() }));
    };
    let tensors = match form {
        Form::Shared(codebook, indices) => {
            let [all, small, wide] = [part("/codebook"), part("/indices"), part("/indices_int32")];
            node("Cast", &[&small], &wide, Some(("to", INT32)));
            node("Gather", &[&all, &wide], name, Some(("axis", 0)));
            vec![
                build::tensor(&all, kind, &[codebook.len() / size], codebook),
                build::tensor(&small, UINT8, shape, indices),
            ]
        }
        Form::Scaled(steps, integers) => {
            let [small, unit] = [part("/integers"), part("/scale")];
            let product = if kind == FLOAT { name.to_owned() } else { part("/product") };
            let narrow: Option<Vec<u8>> =
                integers.iter().map(|&integer| i8::try_from(integer).ok().map(|integer| integer as u8)).collect();
            let wide = || integers.iter().flat_map(|integer| integer.to_le_bytes()).collect();
            let since = if steps.rows.is_some() { DEQUANTIZE_ROWS_OPSET } else { DEQUANTIZE_OPSET };
            let dequantized = narrow.is_some() && opset >= since;
            let (bits, bytes) = narrow.map_or_else(|| (INT16, wide()), |bytes| (INT8, bytes));
            let scales: Vec<u8> = steps.of_rows().iter().flat_map(|step| step.to_le_bytes()).collect();
            let axis = steps.rows.as_ref().map(|rows| rows.axis);
            // One for each row: DequantizeLinear takes a vector and its axis, arithmetic lets sides of 1 grow.
            let sides: Vec<usize> = match axis {
                None => Vec::new(),
                Some(axis) if dequantized => vec![shape[axis]],
                Some(axis) => {
                    shape[axis..].iter().enumerate().map(|(at, &side)| if at == 0 { side } else { 1 }).collect()
                }
            };
            let mut tensors =
                vec![build::tensor(&small, bits, shape, &bytes), build::tensor(&unit, FLOAT, &sides, &scales)];
            if dequantized {
                let zero = part("/zero_point");
                tensors.push(build::tensor(&zero, INT8, &sides, &vec![0; sides.iter().product()]));
                let axis = axis.map(|axis| ("axis", axis as i64));
                node("DequantizeLinear", &[&small, &unit, &zero], &product, axis);
            } else {
                let float = part("/float");
                node("Cast", &[&small], &float, Some(("to", FLOAT)));
                node("Mul", &[&float, &unit], &product, None);
            }
            if kind != FLOAT {
                node("Cast", &[&product], name, Some(("to", kind)));
            }
            tensors
        }
    };
    Some(Replaced { tensors, nodes })
}
