//! Operators of the stored graph: their numbers, and what is stored of each beside its inputs and parameters.

use super::bytes::{MOST_SIDES, Reader, put_sizes, put_varint};
use crate::error::DecodeError;
use crate::model::{
    Binary, Conv, Function, Gather, Input, Linear, Normalize, Number, Op, Pad, PadMode, ParamId, Pool, Reduce,
    Reduction, Slice, Unary,
};
use std::ops::RangeInclusive;

/// The flag of a node whose stride, padding and groups (of a pool: kernel, stride, padding and modes) are listed.
pub const ATTRIBUTES: u8 = 0x80;
/// The modes of padding, by their numbers.
const PAD_MODES: [PadMode; 4] = [PadMode::Constant, PadMode::Edge, PadMode::Reflect, PadMode::Wrap];

/// How many values and parameters an operator reads; `None` for a number that no operator has.
pub fn reads(code: u8) -> Option<(RangeInclusive<usize>, usize)> {
    match code {
        0 | 1 | 25 => Some((1..=1, 2)),
        2 | 10 | 11 => Some((2..=2, 0)),
        12 => Some((0..=0, 1)),
        14 | 24 => Some((1..=usize::MAX, 0)),
        3..=25 => Some((1..=1, 0)),
        _ => None,
    }
}

/// Whether a flag says that the attributes are listed. Those of the later operators always are.
pub fn optional(code: u8) -> bool {
    matches!(code, 0 | 4 | 5)
}

/// Appends what is stored of an operator, and gives its number.
pub fn write(op: &Op, flags: &mut u8, body: &mut Vec<u8>) -> u8 {
    match op {
        Op::Conv(conv) => {
            let dilated = conv.dilation != [1; 2];
            if dilated || (conv.stride, conv.pads, conv.groups) != ([1; 2], [0; 4], 1) {
                put_sizes(body, &conv.stride);
                put_sizes(body, &conv.pads);
                put_varint(body, conv.groups as u64);
                if dilated {
                    put_sizes(body, &conv.dilation);
                    return 25;
                }
                *flags |= ATTRIBUTES;
            }
            0
        }
        Op::Linear(_) => 1,
        Op::Add => 2,
        Op::Relu => 3,
        Op::MaxPool(pool) => {
            write_pool(pool, flags, body);
            4
        }
        Op::AveragePool(pool) => {
            write_pool(pool, flags, body);
            5
        }
        Op::GlobalAveragePool => 6,
        Op::Flatten => 7,
        Op::Softmax => 8,
        Op::Unary(unary) => {
            body.push(number_in(&Function::ALL, &unary.function));
            let constants = [unary.a, unary.b].into_iter().take(unary.function.constants());
            constants.for_each(|constant| put_number(body, constant));
            9
        }
        Op::Binary(function) => {
            body.push(number_in(&Binary::ALL, function));
            10
        }
        Op::MatMul => 11,
        Op::Parameter(_) => 12,
        Op::Reshape(shape) => {
            put_shape(body, shape);
            13
        }
        Op::Concat(axis) => {
            put_varint(body, *axis as u64);
            14
        }
        Op::Transpose(order) => {
            put_shape(body, order);
            15
        }
        Op::Slice(slice) => {
            put_shape(body, &slice.starts);
            // Zigzag: 0, -1, 1, -2 ...
            slice
                .steps
                .iter()
                .for_each(|&step| put_varint(body, (step << 1 ^ step >> (isize::BITS - 1)) as usize as u64));
            put_sizes(body, &slice.lengths);
            16
        }
        Op::Gather(gather) => {
            put_varint(body, gather.axis as u64);
            put_shape(body, &gather.indices);
            17
        }
        Op::Pad(pad) => {
            put_shape(body, &pad.before);
            put_sizes(body, &pad.after);
            body.push(number_in(&PAD_MODES, &pad.mode));
            put_number(body, pad.value);
            18
        }
        Op::Expand(shape) => {
            put_shape(body, shape);
            19
        }
        Op::Normalize(normalize) => {
            put_varint(body, normalize.axis as u64);
            put_number(body, normalize.epsilon);
            20
        }
        Op::Reduce(reduce) => {
            body.push(number_in(&Reduction::ALL, &reduce.kind));
            put_shape(body, &reduce.axes);
            21
        }
        Op::LogSoftmax => 22,
        Op::Input(input) => {
            body.push(input.batched.into());
            put_varint(body, input.start as u64);
            put_shape(body, &input.shape);
            23
        }
        Op::Outputs => 24,
    }
}

/// Reads an operator of a number that [`reads`] knows. `listed` says that the attributes of a convolution or pool are.
pub fn read(
    reader: &mut Reader,
    code: u8,
    listed: bool,
    weight: ParamId,
    bias: Option<ParamId>,
) -> Result<Op, DecodeError> {
    Ok(match code {
        0 | 25 => {
            let mut conv = Conv { weight, bias, stride: [1; 2], pads: [0; 4], groups: 1, dilation: [1; 2] };
            if listed || code == 25 {
                conv.stride = reader.sizes()?;
                conv.pads = reader.sizes()?;
                [conv.groups] = reader.sizes()?;
            }
            if code == 25 {
                conv.dilation = reader.sizes()?;
            }
            Op::Conv(conv)
        }
        1 => Op::Linear(Linear { weight, bias }),
        2 => Op::Add,
        3 => Op::Relu,
        4 => Op::MaxPool(read_pool(reader, listed)?),
        5 => Op::AveragePool(read_pool(reader, listed)?),
        6 => Op::GlobalAveragePool,
        7 => Op::Flatten,
        8 => Op::Softmax,
        9 => {
            let function = one_of(reader, &Function::ALL)?;
            let mut constants = [Number::default(); 2];
            for constant in &mut constants[..function.constants()] {
                *constant = number(reader)?;
            }
            let [a, b] = constants;
            Op::Unary(Unary { function, a, b })
        }
        10 => Op::Binary(one_of(reader, &Binary::ALL)?),
        11 => Op::MatMul,
        12 => Op::Parameter(weight),
        13 => Op::Reshape(reader.shape()?),
        14 => Op::Concat(reader.size(MOST_SIDES)?),
        15 => Op::Transpose(reader.shape()?),
        16 => {
            let starts = reader.shape()?;
            let steps = starts.iter().map(|_| reader.size(u32::MAX as usize));
            let steps = steps.collect::<Result<Vec<_>, _>>()?;
            let steps = steps.into_iter().map(|step| (step >> 1) as isize ^ -((step & 1) as isize)).collect();
            let lengths = sizes(reader, starts.len())?;
            Op::Slice(Slice { starts, steps, lengths })
        }
        17 => {
            let axis = reader.size(MOST_SIDES)?;
            let count = reader.size(reader.len())?;
            Op::Gather(Gather { axis, indices: sizes(reader, count)? })
        }
        18 => {
            let before = reader.shape()?;
            let after = sizes(reader, before.len())?;
            Op::Pad(Pad { before, after, mode: one_of(reader, &PAD_MODES)?, value: number(reader)? })
        }
        19 => Op::Expand(reader.shape()?),
        20 => Op::Normalize(Normalize { axis: reader.size(MOST_SIDES)?, epsilon: number(reader)? }),
        21 => Op::Reduce(Reduce { kind: one_of(reader, &Reduction::ALL)?, axes: reader.shape()? }),
        22 => Op::LogSoftmax,
        23 => {
            let batched = one_of(reader, &[false, true])?;
            Op::Input(Input { start: reader.size(i32::MAX as usize)?, shape: reader.shape()?, batched })
        }
        _ => Op::Outputs,
    })
}

fn write_pool(pool: &Pool, flags: &mut u8, body: &mut Vec<u8>) {
    if *pool != usual_pool() {
        *flags |= ATTRIBUTES;
        put_sizes(body, &pool.kernel);
        put_sizes(body, &pool.stride);
        put_sizes(body, &pool.pads);
        body.push(u8::from(pool.ceil) | u8::from(pool.count_pads) << 1);
    }
}

fn usual_pool() -> Pool {
    Pool { kernel: [2; 2], stride: [2; 2], pads: [0; 4], ceil: false, count_pads: false }
}

fn read_pool(reader: &mut Reader, listed: bool) -> Result<Pool, DecodeError> {
    let mut pool = usual_pool();
    if listed {
        pool.kernel = reader.sizes()?;
        pool.stride = reader.sizes()?;
        pool.pads = reader.sizes()?;
        let modes = reader.byte()?;
        if modes > 3 {
            return Err(reader.malformed("modes of a pool, 0 to 3", modes));
        }
        pool.ceil = modes & 1 != 0;
        pool.count_pads = modes & 2 != 0;
    }
    Ok(pool)
}

/// The number of sides, and each side.
fn put_shape(body: &mut Vec<u8>, shape: &[usize]) {
    put_varint(body, shape.len() as u64);
    put_sizes(body, shape);
}

fn sizes(reader: &mut Reader, count: usize) -> Result<Vec<usize>, DecodeError> {
    (0..count).map(|_| reader.size(i32::MAX as usize)).collect()
}

/// A little-endian 32-bit float.
fn put_number(body: &mut Vec<u8>, number: Number) {
    body.extend_from_slice(&number.get().to_le_bytes());
}

fn number(reader: &mut Reader) -> Result<Number, DecodeError> {
    let bytes = reader.take(4)?.try_into().unwrap_or_default();
    Ok(Number::new(f32::from_le_bytes(bytes)))
}

fn number_in<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|candidate| candidate == one).unwrap_or_default() as u8
}

fn one_of<T: Copy>(reader: &mut Reader, all: &[T]) -> Result<T, DecodeError> {
    let number = reader.byte()?;
    let one = all.get(usize::from(number)).copied();
    one.ok_or_else(|| reader.malformed(format!("a number below {}", all.len()), number))
}
