//! A file's first graph, as far as it is understood.

use super::table::Table;
use super::weights::{Stored, parts};
use super::{malformed, unsupported};
use crate::error::LoadError;
use crate::formats::collect::Collector;
use crate::formats::cursor::{MAX_SIDES, MAX_TENSORS};
use crate::model::Tensor;

/// The most operands of all operators together: each may be some bytes in the file that many share.
const MAX_OPERANDS: usize = 1 << 18;

/// `TensorType` of 32-bit floats, of floats of 16 bits, and of truths.
pub const FLOAT32: u8 = 0;
const FLOAT16: u8 = 1;
const BOOL: u8 = 6;

/// A tensor: a constant, or what an operator makes.
#[derive(Debug)]
pub struct Place<'a> {
    pub name: &'a str,
    /// Its sides; 1 for one that can vary.
    pub shape: Vec<usize>,
    /// Which sides can vary.
    pub open: Vec<bool>,
    pub kind: u8,
    /// Whether its elements are floats, truths, or integers that stand for numbers.
    pub numeric: bool,
    /// Its numbers, if it is a constant.
    pub constant: Option<&'a Tensor>,
}

/// An operator.
#[derive(Debug)]
pub struct Operator<'a> {
    /// `BuiltinOperator`.
    pub code: u32,
    /// The name of one that TensorFlow does not know.
    pub custom: &'a str,
    /// Indices of tensors; `None` where an optional one is left out.
    pub inputs: Vec<Option<usize>>,
    /// Indices of tensors; at least one.
    pub outputs: Vec<usize>,
    /// `BuiltinOptions`, and the table.
    options: (u8, Option<Table<'a>>),
}

/// The graph.
#[derive(Debug)]
pub struct Graph<'a> {
    pub places: Vec<Place<'a>>,
    pub inputs: Vec<usize>,
    pub outputs: Vec<usize>,
    pub operators: Vec<Operator<'a>>,
}

impl<'a> Graph<'a> {
    /// Reads a file's graph. `weights` are all tensors that have numbers in it, in their order.
    pub fn read(file: &'a [u8], weights: &'a [Tensor]) -> Result<Self, LoadError> {
        const OPERATOR_CODES: usize = 1;
        const TENSORS: usize = 0;
        const INPUTS: usize = 1;
        const OUTPUTS: usize = 2;
        const OPERATORS: usize = 3;
        let (subgraphs, buffers) = parts(file)?;
        let Some(subgraph) = subgraphs.first() else { return Err(malformed("model", "a subgraph", "none")) };
        let mut weights = weights.iter();
        let mut places = Vec::new();
        for table in subgraph.tables(TENSORS)? {
            let constant = match Stored::find(&table, &buffers)? {
                Some(_) => {
                    Some(weights.next().ok_or_else(|| malformed("model", "the weights of its tensors", "fewer"))?)
                }
                None => None,
            };
            places.push(Place::read(&table, constant)?);
        }
        let index = |index: i32, place: &str| {
            let found = usize::try_from(index).ok().filter(|&index| index < places.len());
            found.ok_or_else(|| malformed(place, format!("a tensor below {}", places.len()), index))
        };
        let ends = |field: usize, place: &str| -> Result<Vec<usize>, LoadError> {
            let ints = subgraph.ints(field)?;
            if ints.len() > MAX_TENSORS {
                return Err(malformed(place, format!("at most {MAX_TENSORS} tensors"), ints.len()));
            }
            ints.map(|tensor| index(tensor, place)).collect()
        };
        let (inputs, outputs) = (ends(INPUTS, "inputs")?, ends(OUTPUTS, "outputs")?);
        let codes = Table::root(file)?.tables(OPERATOR_CODES)?;
        let mut operators = Vec::new();
        let mut left = MAX_OPERANDS;
        for (number, table) in subgraph.tables(OPERATORS)?.iter().enumerate() {
            let place = format!("operator {number}");
            let (reads, makes) = (table.ints(1)?, table.ints(2)?);
            left = left
                .checked_sub(reads.len().saturating_add(makes.len()))
                .ok_or_else(|| malformed("graph", format!("at most {MAX_OPERANDS} operands"), "more"))?;
            let read = |tensor: i32| if tensor == -1 { Ok(None) } else { index(tensor, &place).map(Some) };
            let inputs = reads.map(read).collect::<Result<_, _>>()?;
            let outputs = makes.map(|tensor| index(tensor, &place)).collect::<Result<Vec<_>, _>>()?;
            if outputs.is_empty() {
                return Err(malformed(place, "an output", "none"));
            }
            let code = table.u32(0)? as usize;
            let code =
                codes.get(code).ok_or_else(|| malformed(&place, format!("a code below {}", codes.len()), code))?;
            // The first field is of a byte: the newer one is for numbers that it does not hold.
            let number = u32::from(code.byte(0)?).max(code.u32(3)?);
            let options = (table.byte(3)?, table.table(4)?);
            operators.push(Operator { code: number, custom: code.text(1)?, inputs, outputs, options });
        }
        Ok(Graph { places, inputs, outputs, operators })
    }
}

impl<'a> Place<'a> {
    fn read(table: &Table<'a>, constant: Option<&'a Tensor>) -> Result<Self, LoadError> {
        const SHAPE: usize = 0;
        const TYPE: usize = 1;
        const NAME: usize = 3;
        const QUANTIZATION: usize = 4;
        const SIGNATURE: usize = 7;
        const SCALE: usize = 2;
        let name = table.text(NAME)?;
        let (sides, signature) = (table.ints(SHAPE)?, table.ints(SIGNATURE)?);
        if sides.len() > MAX_SIDES {
            let place = Collector::place(name);
            return Err(malformed(place, format!("at most {MAX_SIDES} dimensions"), sides.len()));
        }
        let mut open = vec![false; sides.len()];
        if signature.len() == open.len() {
            open = signature.map(|side| side < 0).collect();
        }
        let shape = sides.map(usize::try_from).collect::<Result<_, _>>();
        let shape = shape.map_err(|_| unsupported(Collector::place(name), "a side below 0", "sides of at least 0"))?;
        let kind = table.byte(TYPE)?;
        let scaled = match table.table(QUANTIZATION)? {
            Some(quantization) => !quantization.vector(SCALE, 4)?.is_empty(),
            None => false,
        };
        let numeric = scaled || matches!(kind, FLOAT32 | FLOAT16 | BOOL);
        Ok(Place { name, shape, open, kind, numeric, constant })
    }
}

impl<'a> Operator<'a> {
    /// Its options, if they are those of the kind; without them, each is 0.
    pub fn options(&self, kind: u8) -> Options<'a> {
        Options(self.options.1.filter(|_| self.options.0 == kind))
    }
}

/// The options of an operator.
pub struct Options<'a>(Option<Table<'a>>);

impl Options<'_> {
    pub fn byte(&self, field: usize) -> Result<u8, LoadError> {
        self.0.map_or(Ok(0), |table| table.byte(field))
    }

    /// A whole number, or the default.
    pub fn int(&self, field: usize, default: i32) -> Result<i32, LoadError> {
        match self.0.map(|table| table.field(field)).transpose()?.flatten() {
            Some(mut field) => Ok(field.u32()? as i32),
            None => Ok(default),
        }
    }

    pub fn float(&self, field: usize) -> Result<f32, LoadError> {
        Ok(f32::from_bits(self.int(field, 0)? as u32))
    }
}
