//! The operators that only move elements or give another shape: their shapes, and tables of where each element comes from.

use super::Op;
use super::operands::{Operands, broadcast, elements};
use crate::error::GraphError;
use crate::model::Number;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// The place of an element that comes from no input: of constant padding.
pub const NOWHERE: u32 = u32::MAX;

/// A part of a value; one number an axis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slice {
    /// The first place.
    pub starts: Vec<usize>,
    /// From one place to the next; not 0.
    pub steps: Vec<isize>,
    /// How many places.
    pub lengths: Vec<usize>,
}

/// Places along one axis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gather {
    /// Which axis.
    pub axis: usize,
    /// The places, in the order of the output.
    pub indices: Vec<usize>,
}

/// Padding; one number an axis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pad {
    /// Places before the first.
    pub before: Vec<usize>,
    /// Places after the last.
    pub after: Vec<usize>,
    /// What they hold.
    pub mode: PadMode,
    /// The number that they hold, if that is a constant.
    pub value: Number,
}

/// What padding holds, in the order of their numbers in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum PadMode {
    /// A number.
    #[default]
    Constant,
    /// The outermost place again.
    Edge,
    /// What is behind the outermost place, mirrored at it.
    Reflect,
    /// What is at the other end.
    Wrap,
}

/// An input of several; see [`Op::Input`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// The place of its first element in the network's input, which is all of them, one after the other.
    pub start: usize,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether its file has an axis of samples before this shape.
    pub batched: bool,
}

impl Slice {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        operands.check_rank([self.starts.len(), self.steps.len(), self.lengths.len()])?;
        for (axis, &side) in operands.input().iter().enumerate() {
            let (start, step, length) = (self.starts[axis], self.steps[axis], self.lengths[axis]);
            let way = isize::try_from(length.saturating_sub(1)).ok().and_then(|last| last.checked_mul(step));
            let last = way.and_then(|way| start.checked_add_signed(way));
            if start >= side || last.is_none_or(|last| last >= side) {
                let got = format!("{length} from {start} by {step}");
                return Err(operands.fault("slice", format!("places below {side}"), got));
            }
        }
        Ok(self.lengths.clone())
    }
}

impl Gather {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        operands.check_axes(&[self.axis])?;
        let mut shape = operands.input().to_vec();
        let side = std::mem::replace(&mut shape[self.axis], self.indices.len());
        match self.indices.iter().find(|&&index| index >= side) {
            Some(bad) => Err(operands.fault("index", format!("below {side}"), bad)),
            None => Ok(shape),
        }
    }
}

impl Pad {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        operands.check_rank([self.before.len(), self.after.len()])?;
        let pads = self.before.iter().zip(&self.after);
        let sides = operands
            .input()
            .iter()
            .zip(pads)
            .map(|(side, (before, &after))| side.checked_add(*before)?.checked_add(after));
        sides
            .collect::<Option<_>>()
            .ok_or_else(|| operands.fault("pads", "sides that fit", format!("{:?}", self.before)))
    }
}

impl Input {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        let (input, end) = (operands.input(), elements(&self.shape).and_then(|length| length.checked_add(self.start)));
        if end.is_none_or(|end| end > input.iter().product()) {
            let got = format!("{:?} at {}", self.shape, self.start);
            return Err(operands.fault("shape", format!("a part of {input:?}"), got));
        }
        Ok(self.shape.clone())
    }
}

/// The shape of an [`Op::Reshape`].
pub(super) fn reshape(shape: &[usize], operands: &Operands) -> Result<Vec<usize>, GraphError> {
    let input = operands.input();
    if elements(shape) != elements(input) {
        return Err(operands.fault("shape", format!("as many elements as {input:?}"), format!("{shape:?}")));
    }
    Ok(shape.to_vec())
}

/// The shape of an [`Op::Transpose`].
pub(super) fn transpose(order: &[usize], operands: &Operands) -> Result<Vec<usize>, GraphError> {
    let (input, rank) = (operands.input(), operands.input().len());
    if order.len() != rank || !(0..rank).all(|axis| order.contains(&axis)) {
        return Err(operands.fault("order of the axes", format!("each axis below {rank}"), format!("{order:?}")));
    }
    Ok(order.iter().map(|&axis| input[axis]).collect())
}

/// The shape of an [`Op::Concat`].
pub(super) fn joined(along: usize, operands: &Operands) -> Result<Vec<usize>, GraphError> {
    operands.check_axes(&[along])?;
    let input = operands.input();
    let mut shape = input.to_vec();
    for other in &operands.inputs[1..] {
        let fits =
            other.len() == input.len() && (0..input.len()).all(|axis| axis == along || other[axis] == input[axis]);
        let side = if fits { shape[along].checked_add(other[along]) } else { None };
        shape[along] = side.ok_or_else(|| operands.apart(input, other))?;
    }
    Ok(shape)
}

/// The shape of an [`Op::Expand`].
pub(super) fn expanded(shape: &[usize], operands: &Operands) -> Result<Vec<usize>, GraphError> {
    match broadcast(operands.input(), shape) {
        Some(broadcast) if broadcast == *shape => Ok(broadcast),
        _ => Err(operands.apart(operands.input(), shape)),
    }
}

/// The shape of an [`Op::Outputs`].
pub(super) fn outputs(operands: &Operands) -> Result<Vec<usize>, GraphError> {
    let total = operands.inputs.iter().try_fold(0usize, |sum, shape| sum.checked_add(elements(shape)?));
    total.map(|total| vec![total]).ok_or_else(|| operands.fault("outputs", "sizes that fit", "more"))
}

/// Distance of neighbours along each axis.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

impl Op {
    /// Where the elements of an operator that only moves them come from: for each element of the output, row-major, the place of an
    /// element of the inputs, one after the other, or [`NOWHERE`]. The shapes are those that it has.
    /// `None` for an operator of another kind, and if memory does not suffice.
    pub fn places(&self, inputs: &[&[usize]], output: &[usize]) -> Option<Vec<u32>> {
        let &input = inputs.first()?;
        let steps = strides(input);
        let axis = |length: usize, place: &dyn Fn(usize) -> Option<usize>| -> Vec<u32> {
            (0..length).map(|at| place(at).map_or(NOWHERE, |place| place as u32)).collect()
        };
        let each = |place: &dyn Fn(usize, usize) -> Option<usize>| -> Vec<Vec<u32>> {
            (0..output.len()).map(|k| axis(output[k], &|at| place(k, at).map(|place| place * steps[k]))).collect()
        };
        let axes = match self {
            Op::Transpose(order) => order.iter().map(|&from| axis(input[from], &|at| Some(at * steps[from]))).collect(),
            Op::Slice(slice) => each(&|k, at| slice.starts[k].checked_add_signed(slice.steps[k] * at as isize)),
            Op::Gather(gather) => each(&|k, at| Some(if k == gather.axis { gather.indices[at] } else { at })),
            Op::Pad(pad) => each(&|k, at| padded(pad.mode, at, pad.before[k], input[k])),
            Op::Expand(_) => return expand(input, output),
            Op::Input(from) => vec![axis(output.iter().product(), &|at| Some(from.start + at))],
            Op::Concat(along) => return concat(inputs, *along),
            Op::Outputs => {
                let flat: Vec<[usize; 1]> = inputs.iter().map(|shape| [shape.iter().product()]).collect();
                return concat(&flat.iter().map(|shape| &shape[..]).collect::<Vec<_>>(), 0);
            }
            _ => return None,
        };
        sum(&axes)
    }
}

/// The place in an axis of `side` that padding by `before` puts at `at`.
fn padded(mode: PadMode, at: usize, before: usize, side: usize) -> Option<usize> {
    let (at, side) = (at as isize - before as isize, side as isize);
    let inside = match mode {
        PadMode::Constant => at,
        PadMode::Edge => at.clamp(0, side - 1),
        PadMode::Wrap => at.rem_euclid(side),
        // There and back again takes twice the way between the ends.
        PadMode::Reflect if side == 1 => 0,
        PadMode::Reflect => {
            let at = at.rem_euclid(2 * (side - 1));
            at.min(2 * (side - 1) - at)
        }
    };
    (0..side).contains(&inside).then_some(inside as usize)
}

/// The table of broadcasting to a shape: axes are aligned at the last.
pub fn expand(from: &[usize], to: &[usize]) -> Option<Vec<u32>> {
    let steps = strides(from);
    let lead = to.len().checked_sub(from.len())?;
    let axes: Vec<Vec<u32>> = to
        .iter()
        .enumerate()
        .map(|(k, &side)| match k.checked_sub(lead) {
            Some(axis) if from[axis] != 1 => (0..side).map(|at| (at * steps[axis]) as u32).collect(),
            _ => vec![0; side],
        })
        .collect();
    sum(&axes)
}

fn concat(inputs: &[&[usize]], along: usize) -> Option<Vec<u32>> {
    let total: usize = inputs.iter().map(|shape| shape.iter().product::<usize>()).sum();
    let mut table = Vec::new();
    table.try_reserve_exact(total).ok()?;
    let outer: usize = inputs[0][..along].iter().product();
    for block in 0..outer {
        let mut start = 0;
        for shape in inputs {
            let length: usize = shape[along..].iter().product();
            table.extend((start + block * length..start + (block + 1) * length).map(|place| place as u32));
            start += outer * length;
        }
    }
    Some(table)
}

/// For each combination of one place of each axis their sum, the last axis first to change.
fn sum(axes: &[Vec<u32>]) -> Option<Vec<u32>> {
    let total = axes.iter().try_fold(1usize, |total, axis| total.checked_mul(axis.len()))?;
    let mut table = Vec::new();
    table.try_reserve_exact(total).ok()?;
    if total == 0 {
        return Some(table);
    }
    table.push(0u32);
    // Grown axis by axis from the last, in place: what is there is the block of the axes behind.
    for axis in axes.iter().rev() {
        let block = table.len();
        for &place in axis.iter().skip(1) {
            for at in 0..block {
                table.push(join(table[at], place));
            }
        }
        let first = axis.first().copied()?;
        table[..block].iter_mut().for_each(|entry| *entry = join(*entry, first));
    }
    Some(table)
}

fn join(a: u32, b: u32) -> u32 {
    if a == NOWHERE || b == NOWHERE { NOWHERE } else { a + b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_those_of_the_definitions() {
        let input = [2, 3];
        let none = NOWHERE;
        let pad = |mode| Op::Pad(Pad { before: vec![0, 2], after: vec![0, 1], mode, value: Number::new(0.0) });
        let cases = [
            (Op::Transpose(vec![1, 0]), vec![3, 2], vec![0, 3, 1, 4, 2, 5]),
            (
                Op::Slice(Slice { starts: vec![1, 2], steps: vec![-1, -2], lengths: vec![2, 2] }),
                vec![2, 2],
                vec![5, 3, 2, 0],
            ),
            (Op::Gather(Gather { axis: 1, indices: vec![2, 2, 0] }), vec![2, 3], vec![2, 2, 0, 5, 5, 3]),
            (pad(PadMode::Constant), vec![2, 6], vec![none, none, 0, 1, 2, none, none, none, 3, 4, 5, none]),
            (pad(PadMode::Edge), vec![2, 6], vec![0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 5]),
            (pad(PadMode::Reflect), vec![2, 6], vec![2, 1, 0, 1, 2, 1, 5, 4, 3, 4, 5, 4]),
            (pad(PadMode::Wrap), vec![2, 6], vec![1, 2, 0, 1, 2, 0, 4, 5, 3, 4, 5, 3]),
            (Op::Concat(1), vec![2, 6], vec![0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]),
            (Op::Outputs, vec![12], (0..12).collect()),
        ];
        for (op, output, expected) in cases {
            let inputs: &[&[usize]] = if op.arity() == (1..=1) { &[&input] } else { &[&input, &input] };
            assert_eq!(op.places(inputs, &output), Some(expected), "{op:?}");
        }
        assert_eq!(expand(&[2, 1], &[2, 2, 2]), Some(vec![0, 0, 1, 1, 0, 0, 1, 1]));
        assert_eq!(expand(&[], &[2]), Some(vec![0, 0]));
        assert_eq!(Op::Relu.places(&[&input], &input), None);
    }
}
