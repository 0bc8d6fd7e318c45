//! Operators of the stored graph: their numbers, and what is stored of each beside its inputs and parameters.

use super::bytes::{MOST_SIDES, Reader, put_varint};
use crate::error::DecodeError;
use crate::model::{
    Binary, Cell, Conv, Coordinates, Function, Gather, Input, Interpolation, Linear, Normalize, Number, Op, Pad,
    PadMode, ParamId, Pool, Recurrent, Reduce, Reduction, Resize, Rounding, Slice, Unary,
};
use std::mem::discriminant;
use strum::VariantArray;

/// The flag of a node whose stride, padding and groups (of a pool: kernel, stride, padding and modes) are listed.
pub const ATTRIBUTES: u8 = 0x80;
/// The number of a convolution with dilation.
const DILATED: u8 = 25;

/// The operator of a number, as it is if no attributes are listed; `None` for a number that no operator has.
pub fn operator(code: u8, weight: ParamId, bias: Option<ParamId>) -> Option<Op> {
    let conv = Op::Conv(Conv { weight, bias, stride: [1; 2], pads: [0; 4], groups: 1, dilation: [1; 2] });
    let pool = Pool { kernel: [2; 2], stride: [2; 2], pads: [0; 4], ceil: false, count_pads: false };
    Some(match code {
        0 | DILATED => conv,
        1 => Op::Linear(Linear { weight, bias }),
        2 => Op::Add,
        3 => Op::Relu,
        4 => Op::MaxPool(pool),
        5 => Op::AveragePool(pool),
        6 => Op::GlobalAveragePool,
        7 => Op::Flatten,
        8 => Op::Softmax,
        9 => Op::Unary(Unary::default()),
        10 => Op::Binary(Binary::default()),
        11 => Op::MatMul,
        12 => Op::Parameter(weight),
        13 => Op::Reshape(Vec::new()),
        14 => Op::Concat(0),
        15 => Op::Transpose(Vec::new()),
        16 => Op::Slice(Slice::default()),
        17 => Op::Gather(Gather::default()),
        18 => Op::Pad(Pad::default()),
        19 => Op::Expand(Vec::new()),
        20 => Op::Normalize(Normalize::default()),
        21 => Op::Reduce(Reduce::default()),
        22 => Op::LogSoftmax,
        23 => Op::Input(Input::default()),
        24 => Op::Outputs,
        26 => Op::Resize(Resize::default()),
        27 => Op::Recurrent(Recurrent { weight, bias, cell: Cell::Lstm, reverse: false }),
        28 => Op::Lookup(weight),
        _ => return None,
    })
}

/// What is stored of an operator, in the order of the file: read into it, or written from it.
fn fields(op: &mut Op, code: u8, bytes: &mut Bytes) -> Result<(), DecodeError> {
    match op {
        Op::Conv(conv) => {
            bytes.sizes(&mut conv.stride)?;
            bytes.sizes(&mut conv.pads)?;
            bytes.size(&mut conv.groups, SIZE)?;
            if code == DILATED { bytes.sizes(&mut conv.dilation) } else { Ok(()) }
        }
        Op::MaxPool(pool) | Op::AveragePool(pool) => {
            bytes.sizes(&mut pool.kernel)?;
            bytes.sizes(&mut pool.stride)?;
            bytes.sizes(&mut pool.pads)?;
            bytes.flags("modes of a pool, 0 to 3", [&mut pool.ceil, &mut pool.count_pads])
        }
        Op::Unary(unary) => {
            bytes.one_of(Function::ALL, &mut unary.function)?;
            let constants = [&mut unary.a, &mut unary.b].into_iter().take(unary.function.constants());
            constants.into_iter().try_for_each(|constant| bytes.number(constant))
        }
        Op::Binary(function) => bytes.one_of(Binary::ALL, function),
        Op::Reshape(shape) | Op::Expand(shape) | Op::Transpose(shape) => bytes.shape(shape),
        Op::Concat(axis) => bytes.size(axis, MOST_SIDES),
        Op::Slice(slice) => {
            bytes.shape(&mut slice.starts)?;
            // Zigzag: 0, -1, 1, -2 ...
            slice.steps.resize(slice.starts.len(), 0);
            for step in &mut slice.steps {
                let mut coded = (*step << 1 ^ *step >> (isize::BITS - 1)) as usize;
                bytes.size(&mut coded, u32::MAX as usize)?;
                *step = (coded >> 1) as isize ^ -((coded & 1) as isize);
            }
            slice.lengths.resize(slice.starts.len(), 0);
            bytes.sizes(&mut slice.lengths)
        }
        Op::Gather(gather) => {
            bytes.size(&mut gather.axis, MOST_SIDES)?;
            let most = bytes.most();
            bytes.list(&mut gather.indices, most)
        }
        Op::Pad(pad) => {
            bytes.shape(&mut pad.before)?;
            pad.after.resize(pad.before.len(), 0);
            bytes.sizes(&mut pad.after)?;
            bytes.one_of(PadMode::VARIANTS, &mut pad.mode)?;
            bytes.number(&mut pad.value)
        }
        Op::Normalize(normalize) => {
            bytes.size(&mut normalize.axis, MOST_SIDES)?;
            bytes.number(&mut normalize.epsilon)
        }
        Op::Reduce(reduce) => {
            bytes.one_of(Reduction::VARIANTS, &mut reduce.kind)?;
            bytes.shape(&mut reduce.axes)
        }
        Op::Resize(resize) => {
            bytes.one_of(Interpolation::VARIANTS, &mut resize.mode)?;
            bytes.one_of(Coordinates::VARIANTS, &mut resize.coordinates)?;
            bytes.one_of(Rounding::VARIANTS, &mut resize.nearest)?;
            bytes.number(&mut resize.cubic)?;
            bytes.flags("modes of a resize, 0 to 3", [&mut resize.exclude_outside, &mut resize.antialias])?;
            bytes.shape(&mut resize.sides)?;
            let mut count = resize.factors.len();
            bytes.size(&mut count, MOST_SIDES)?;
            resize.factors.resize(count, Number::default());
            resize.factors.iter_mut().try_for_each(|factor| bytes.number(factor))
        }
        Op::Recurrent(recurrent) => {
            bytes.one_of(Cell::VARIANTS, &mut recurrent.cell)?;
            bytes.one_of(&[false, true], &mut recurrent.reverse)
        }
        Op::Input(input) => {
            bytes.one_of(&[false, true], &mut input.batched)?;
            bytes.size(&mut input.start, SIZE)?;
            bytes.shape(&mut input.shape)
        }
        Op::Linear(_) | Op::Add | Op::Relu | Op::GlobalAveragePool | Op::Flatten | Op::Softmax => Ok(()),
        Op::LogSoftmax | Op::MatMul | Op::Parameter(_) | Op::Lookup(_) | Op::Outputs => Ok(()),
    }
}

/// Whether a flag says that the attributes are listed. Those of the later operators always are.
pub fn optional(code: u8) -> bool {
    matches!(code, 0 | 4 | 5)
}

/// Appends what is stored of an operator, and gives its number.
pub fn write(op: &Op, flags: &mut u8, body: &mut Vec<u8>) -> u8 {
    let (weight, bias) = op.layer().unwrap_or((ParamId(0), None));
    let same = |code: &u8| operator(*code, weight, bias).is_some_and(|usual| discriminant(&usual) == discriminant(op));
    let code = match op {
        Op::Conv(conv) if conv.dilation != [1; 2] => DILATED,
        _ => (0..=u8::MAX).find(same).unwrap_or_default(),
    };
    let listed = operator(code, weight, bias).as_ref() != Some(op);
    if listed || !optional(code) {
        *flags |= if optional(code) { ATTRIBUTES } else { 0 };
        // Writing does not fail.
        let _ = fields(&mut op.clone(), code, &mut Bytes::Write(body));
    }
    code
}

/// Reads what is stored of an operator of a number that [`operator`] knows. `listed` says that the attributes of a convolution or pool are.
pub fn read(reader: &mut Reader, code: u8, listed: bool, mut op: Op) -> Result<Op, DecodeError> {
    if listed || !optional(code) {
        fields(&mut op, code, &mut Bytes::Read(reader))?;
    }
    Ok(op)
}

/// The largest number but for those with a limit of their own.
const SIZE: usize = i32::MAX as usize;

/// Where fields are read from, or written to.
enum Bytes<'a, 'b> {
    Read(&'a mut Reader<'b>),
    Write(&'a mut Vec<u8>),
}

impl Bytes<'_, '_> {
    /// A varint.
    fn size(&mut self, size: &mut usize, most: usize) -> Result<(), DecodeError> {
        match self {
            Bytes::Read(reader) => *size = reader.size(most)?,
            Bytes::Write(bytes) => put_varint(bytes, *size as u64),
        }
        Ok(())
    }

    fn sizes(&mut self, sizes: &mut [usize]) -> Result<(), DecodeError> {
        sizes.iter_mut().try_for_each(|size| self.size(size, SIZE))
    }

    /// How many numbers there can be: each takes a byte at least.
    fn most(&self) -> usize {
        if let Bytes::Read(reader) = self { reader.len() } else { usize::MAX }
    }

    /// How many, and each.
    fn list(&mut self, list: &mut Vec<usize>, most: usize) -> Result<(), DecodeError> {
        let mut count = list.len();
        self.size(&mut count, most)?;
        list.resize(count, 0);
        self.sizes(list)
    }

    fn shape(&mut self, shape: &mut Vec<usize>) -> Result<(), DecodeError> {
        self.list(shape, MOST_SIDES)
    }

    /// The place of one in a list, in a byte.
    fn one_of<T: Copy + PartialEq>(&mut self, all: &[T], one: &mut T) -> Result<(), DecodeError> {
        match self {
            Bytes::Read(reader) => {
                let number = reader.byte()?;
                let found = all.get(usize::from(number)).copied();
                *one = found.ok_or_else(|| reader.malformed(format!("a number below {}", all.len()), number))?;
            }
            Bytes::Write(bytes) => {
                bytes.push(all.iter().position(|candidate| candidate == one).unwrap_or_default() as u8)
            }
        }
        Ok(())
    }

    /// Two truths in a byte.
    fn flags(&mut self, what: &str, [low, high]: [&mut bool; 2]) -> Result<(), DecodeError> {
        match self {
            Bytes::Read(reader) => {
                let bits = reader.byte()?;
                if bits > 3 {
                    return Err(reader.malformed(what, bits));
                }
                (*low, *high) = (bits & 1 != 0, bits & 2 != 0);
            }
            Bytes::Write(bytes) => bytes.push(u8::from(*low) | u8::from(*high) << 1),
        }
        Ok(())
    }

    /// A little-endian 32-bit float.
    fn number(&mut self, number: &mut Number) -> Result<(), DecodeError> {
        match self {
            Bytes::Read(reader) => {
                let bytes = reader.take(4)?.try_into().unwrap_or_default();
                *number = Number::new(f32::from_le_bytes(bytes));
            }
            Bytes::Write(bytes) => bytes.extend_from_slice(&number.get().to_le_bytes()),
        }
        Ok(())
    }
}
