//! Where each element of a value comes from: the operators that only move elements, and broadcasting, as tables.
//!
//! A table has, for each element of the output in row-major order, the place of an element of the input, or [`NOWHERE`].

use super::{Op, PadMode};

/// The place of an element that comes from no input: of constant padding.
pub const NOWHERE: u32 = u32::MAX;

/// Distance of neighbours along each axis.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// The table of an operator that only moves elements, for shapes that it has; a place counts all inputs, one after the other.
/// `None` for an operator of another kind, and if memory does not suffice.
pub fn of_op(op: &Op, inputs: &[&[usize]], output: &[usize]) -> Option<Vec<u32>> {
    let &input = inputs.first()?;
    let steps = strides(input);
    let axis = |length: usize, place: &dyn Fn(usize) -> Option<usize>| -> Vec<u32> {
        (0..length).map(|at| place(at).map_or(NOWHERE, |place| place as u32)).collect()
    };
    let each = |place: &dyn Fn(usize, usize) -> Option<usize>| -> Vec<Vec<u32>> {
        (0..output.len()).map(|k| axis(output[k], &|at| place(k, at).map(|place| place * steps[k]))).collect()
    };
    let axes = match op {
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
    use crate::model::{Gather, Number, Pad, Slice};

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
            assert_eq!(of_op(&op, inputs, &output), Some(expected), "{op:?}");
        }
        assert_eq!(expand(&[2, 1], &[2, 2, 2]), Some(vec![0, 0, 1, 1, 0, 0, 1, 1]));
        assert_eq!(expand(&[], &[2]), Some(vec![0, 0]));
        assert_eq!(of_op(&Op::Relu, &[&input], &input), None);
    }
}
