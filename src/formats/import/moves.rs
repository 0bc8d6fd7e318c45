//! The operators that only move elements or give another shape. Each becomes operators of the model for the shape that the
//! file has; on a constant these are carried out, on a value the axis of samples is left out of them.

use super::graph::Node;
use super::importer::{BATCH, Importer, Known, Readers};
use super::written::{Context, Written};
use crate::error::LoadError;
use crate::model::{Gather, Number, Op, Pad, PadMode, Slice, ValueId, broadcast};

/// What moves the elements of its first input by constants.
pub const MOVES: &[&str] =
    &["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Gather", "Pad", "Expand"];

/// The operators that are read here.
pub const READERS: Readers = &[
    (MOVES, |importer, node| importer.moved(node)),
    (&["Concat"], |importer, node| importer.concat(node)),
    (&["Split"], |importer, node| importer.split(node)),
    (&["Shape"], |importer, node| importer.shape(node)),
];

/// How the operators of this file are written; others are `None`.
pub fn written(context: &Context) -> Option<Written> {
    let made = Written::new(context.node.op.name());
    Some(match &context.node.op {
        Op::Flatten if context.lead == 1 => made.int("axis", 1),
        Op::Flatten => Written::new("Reshape").int_input("shape", [-1]),
        // In a shape, 0 leaves that side as it is.
        Op::Reshape(shape) => made.size_input("shape", &context.whole(shape, 0)),
        Op::Expand(shape) => made.size_input("shape", &context.whole(shape, 1)),
        Op::Transpose(order) => made.sizes("perm", &context.whole(&context.axes(order), 0)),
        Op::Slice(Slice { starts, steps, lengths }) => {
            let axes: Vec<usize> = (0..starts.len()).collect();
            // Before the first place there is no index that does not count from the end.
            let end = |axis: usize| {
                let end = starts[axis] as i64 + steps[axis] as i64 * lengths[axis] as i64;
                if end < 0 { i64::MIN } else { end }
            };
            made.size_input("starts", starts)
                .int_input("ends", axes.iter().map(|&axis| end(axis)))
                .size_input("axes", &context.axes(&axes))
                .int_input("steps", steps.iter().map(|&step| step as i64))
        }
        Op::Gather(gather) => made.size_input("indices", &gather.indices).int("axis", context.axis(gather.axis)),
        Op::Concat(axis) => made.int("axis", context.axis(*axis)),
        Op::Pad(pad) => {
            let pads = [context.whole(&pad.before, 0), context.whole(&pad.after, 0)].concat();
            let made = made.size_input("pads", &pads);
            let constant = pad.mode == PadMode::Constant;
            let made = if constant { made.number_input("value", pad.value.get()) } else { made };
            made.text("mode", pad.mode.into()).since(if pad.mode == PadMode::Wrap { 19 } else { 13 })
        }
        _ => return None,
    })
}

impl<'a> Importer<'a> {
    /// A move of a value.
    pub fn moved(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        if node.op == "Gather"
            && let (Known::Constant(..), Known::Value(places)) = (self.required(node, 0)?, self.required(node, 1)?)
        {
            return self.lookup(node, places);
        }
        let mut id = self.value(node, 0)?;
        for op in self.moves(node, &self.whole_shape(id))? {
            id = self.emit_move(node, op, id)?;
        }
        self.define(node, Known::Value(id))
    }

    /// Appends a move that is meant for the shape that the file has, unless it changes nothing.
    fn emit_move(&mut self, node: &'a Node<'a>, op: Op, id: ValueId) -> Result<ValueId, LoadError> {
        let from = self.batch_axes[id.0];
        let (op, axis) =
            if self.batched { self.without_batch(node, op, &self.whole_shape(id), from)? } else { (op, from) };
        // A vector that is flattened is so in the file, too, and stays it in the next.
        let flattens = self.batched && self.shape_of(id).len() == 1 && matches!(node.op, "Flatten" | "Reshape");
        match &op {
            Op::Reshape(shape) if shape == self.shape_of(id) && !flattens && axis == from => Ok(id),
            _ => {
                let id = self.emit(node, op, vec![id])?;
                self.batch_axes[id.0] = axis;
                Ok(id)
            }
        }
    }

    /// A move without the axis of samples, which is axis `at` of a value, and where that goes: it must keep them apart.
    fn without_batch(
        &mut self,
        node: &'a Node<'a>,
        op: Op,
        from: &[usize],
        at: usize,
    ) -> Result<(Op, usize), LoadError> {
        let batch = self.batch_side();
        let stays = match op {
            Op::Reshape(mut shape) => {
                // As many places before the samples as there were.
                let before = |sides: &[usize]| sides.iter().fold(1usize, |product, &side| product.saturating_mul(side));
                let places = before(&from[..at]);
                let to = (0..shape.len()).find(|&to| shape[to] == batch && before(&shape[..to]) == places);
                to.map(|to| {
                    shape.remove(to);
                    (Op::Reshape(shape), to)
                })
            }
            // Any number of samples is broadcast to itself.
            Op::Expand(mut shape) if at == 0 && shape.first().is_some_and(|&side| side == batch || side == 1) => {
                shape.remove(0);
                Some((Op::Expand(shape), 0))
            }
            Op::Transpose(mut order) => order.iter().position(|&axis| axis == at).map(|to| {
                order.remove(to);
                order.iter_mut().for_each(|axis| *axis -= usize::from(*axis > at));
                let stays = order.iter().copied().eq(0..order.len());
                (if stays { Op::Reshape([&from[..at], &from[at + 1..]].concat()) } else { Op::Transpose(order) }, to)
            }),
            Op::Slice(mut slice) if (slice.starts[at], slice.steps[at], slice.lengths[at]) == (0, 1, batch) => {
                slice.starts.remove(at);
                slice.steps.remove(at);
                slice.lengths.remove(at);
                Some((Op::Slice(slice), at))
            }
            Op::Gather(Gather { axis, indices }) if axis != at => {
                Some((Op::Gather(Gather { axis: axis - usize::from(axis > at), indices }), at))
            }
            Op::Pad(mut pad) if pad.before[at] == 0 && pad.after[at] == 0 => {
                pad.before.remove(at);
                pad.after.remove(at);
                Some((Op::Pad(pad), at))
            }
            _ => None,
        };
        stays.ok_or_else(|| self.no_batch(node, format!("{} of the axis of samples", node.op)))
    }

    /// What a node does to the first input, in the model's operators, for the shape that the file has.
    pub fn moves(&mut self, node: &'a Node<'a>, shape: &[usize]) -> Result<Vec<Op>, LoadError> {
        let rank = shape.len();
        match node.op {
            "Reshape" => {
                node.allow_attributes(&["allowzero"])?;
                let target = self.ints(node, 1)?;
                if node.int("allowzero", 0)? != 0 && target.contains(&0) {
                    return Err(node.unsupported("allowzero with a dimension of 0", "allowzero = 0"));
                }
                match self.resolve(shape, &target) {
                    Some(resolved) => Ok(vec![Op::Reshape(resolved)]),
                    None if self.batched && shape.first() == Some(&self.batch_side()) => {
                        Err(self.no_batch(node, format!("a reshape of {:?} to {target:?}", &shape[1..])))
                    }
                    None => Err(wrong_target(node, shape, &target)),
                }
            }
            "Flatten" => {
                node.allow_attributes(&["axis"])?;
                // The axis may be the number of axes: then the second side is 1.
                let axis = node.int("axis", 1)?;
                let axis = self.axis(node, axis, if axis < 0 { rank } else { rank + 1 })?;
                let (rows, columns) = shape.split_at(axis);
                let side = |sides: &[usize]| sides.iter().fold(1usize, |product, &side| product.saturating_mul(side));
                Ok(vec![Op::Reshape(vec![side(rows), side(columns)])])
            }
            "Squeeze" => {
                node.allow_attributes(&["axes"])?;
                let axes = self.axes(node, rank)?;
                let dropped = |axis: usize| match &axes {
                    Some(axes) => axes.contains(&axis),
                    None => shape[axis] == 1,
                };
                if let Some(axis) = (0..rank).find(|&axis| dropped(axis) && shape[axis] != 1) {
                    return Err(node.malformed("axes of one place", format!("{} places", shape[axis])));
                }
                Ok(vec![Op::Reshape((0..rank).filter(|&axis| !dropped(axis)).map(|axis| shape[axis]).collect())])
            }
            "Unsqueeze" => {
                node.allow_attributes(&["axes"])?;
                let listed = match node.ints("axes")? {
                    Some(axes) => axes,
                    None => self.ints(node, 1)?,
                };
                let rank = rank + listed.len();
                let mut added = vec![false; rank];
                for axis in listed {
                    let axis = self.axis(node, axis, rank)?;
                    if std::mem::replace(&mut added[axis], true) {
                        return Err(node.malformed("each axis once", format!("{axis} twice")));
                    }
                }
                let mut sides = shape.iter();
                let side = |added: &bool| if *added { 1 } else { sides.next().copied().unwrap_or(1) };
                Ok(vec![Op::Reshape(added.iter().map(side).collect())])
            }
            "Transpose" => {
                node.allow_attributes(&["perm"])?;
                let order = match node.ints("perm")? {
                    Some(order) => {
                        order.into_iter().map(|axis| self.axis(node, axis, rank)).collect::<Result<_, _>>()?
                    }
                    None => (0..rank).rev().collect(),
                };
                Ok(vec![Op::Transpose(order)])
            }
            "Slice" => self.slice(node, shape).map(|slice| vec![slice]),
            "Gather" => self.gather(node, shape),
            "Pad" => self.pad(node, shape),
            _ => {
                node.allow_attributes(&[])?;
                let target = self.ints(node, 1)?;
                // A constant is the same for all samples: once is enough.
                let batch = self.batch_side();
                let batch = if self.batched && !shape.contains(&batch) { 1 } else { batch };
                let side = |&side: &i64| if side == BATCH { Some(batch) } else { usize::try_from(side).ok() };
                let target = target.iter().map(side).collect::<Option<Vec<usize>>>();
                let target = target.ok_or_else(|| node.malformed("sides of at least 1", "others"))?;
                // The shape asked for is broadcast, too.
                let wide = broadcast(shape, &target).ok_or_else(|| {
                    node.malformed(&format!("a shape that {shape:?} can be broadcast with"), format!("{target:?}"))
                })?;
                Ok(vec![Op::Expand(wide)])
            }
        }
    }

    /// Axes in an attribute or in the second input.
    fn axes(&self, node: &'a Node<'a>, rank: usize) -> Result<Option<Vec<usize>>, LoadError> {
        let axes = self.listed(node, "axes", 1)?;
        axes.map(|axes| axes.into_iter().map(|axis| self.axis(node, axis, rank)).collect()).transpose()
    }

    /// Slice: starts, ends, axes and steps in attributes before operator set 10, in inputs since.
    fn slice(&self, node: &'a Node<'a>, shape: &[usize]) -> Result<Op, LoadError> {
        node.allow_attributes(&["starts", "ends", "axes"])?;
        let missing = || node.malformed("starts and ends", "none");
        let starts = self.listed(node, "starts", 1)?.ok_or_else(missing)?;
        let ends = self.listed(node, "ends", 2)?.ok_or_else(missing)?;
        let axes = self.listed(node, "axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.listed(node, "steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err(node.malformed("as many ends, axes and steps as starts", "others"));
        }
        let mut slice = Slice { starts: vec![0; shape.len()], steps: vec![1; shape.len()], lengths: shape.to_vec() };
        for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
            let axis = self.axis(node, axis, shape.len())?;
            let side = shape[axis] as i64;
            if step == 0 || [start, end].contains(&BATCH) {
                return Err(node.malformed("steps other than 0, and numbers as ends", step.to_string()));
            }
            let from_end = |at: i64| if at < 0 { at.saturating_add(side) } else { at };
            // Backwards the first place may be the last one, and the end one before the first.
            let (low, high) = if step > 0 { (0, side) } else { (-1, side - 1) };
            // Not `clamp`, which panics where there is no place at all.
            let start = from_end(start).max(low.max(0)).min(high);
            let end = from_end(end).max(low).min(high);
            let way = if step > 0 { end - start } else { start - end };
            let length = way.max(0) as u64;
            let length = length.div_ceil(step.unsigned_abs());
            slice.starts[axis] = start.max(0) as usize;
            // With one place there is no step, and a step beyond the side leaves one place.
            slice.steps[axis] = if length > 1 { step as isize } else { 1 };
            slice.lengths[axis] = length as usize;
        }
        Ok(Op::Slice(slice))
    }

    /// Gather of constant places. A number leaves the axis out, an array of several axes puts them there.
    fn gather(&self, node: &'a Node<'a>, shape: &[usize]) -> Result<Vec<Op>, LoadError> {
        node.allow_attributes(&["axis"])?;
        let axis = self.axis(node, node.int("axis", 0)?, shape.len())?;
        let (tensor, of) = self.constant(node, 1)?.ok_or_else(|| node.malformed("an input 1", "none"))?;
        let side = shape[axis];
        let place = |at: i64| {
            let index = if at < 0 { at.saturating_add(side as i64) } else { at };
            let index = usize::try_from(index).ok().filter(|&index| index < side);
            index.ok_or_else(|| node.malformed(&format!("an index into {side} numbers"), at.to_string()))
        };
        let indices = tensor.ints()?.into_iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let mut ops = vec![Op::Gather(Gather { axis, indices })];
        if of.len() != 1 {
            ops.push(Op::Reshape([&shape[..axis], &of, &shape[axis + 1..]].concat()));
        }
        Ok(ops)
    }

    /// Pad: in attributes before operator set 11, in inputs since. Negative pads cut off.
    fn pad(&self, node: &'a Node<'a>, shape: &[usize]) -> Result<Vec<Op>, LoadError> {
        node.allow_attributes(&["mode", "pads", "value"])?;
        let rank = shape.len();
        let mode = node.text("mode", "constant")?;
        let mode = mode.parse().map_err(|_| node.malformed("mode of constant, edge, reflect or wrap", mode))?;
        let listed = match node.ints("pads")? {
            Some(pads) => pads,
            None => self.ints(node, 1)?,
        };
        let value = match self.constant(node, 2)? {
            Some((tensor, _)) => tensor.numbers()?.first().map_or(0.0, |&value| value as f32),
            None => node.float("value", 0.0)?,
        };
        let axes = match self.constant(node, 3)? {
            Some((axes, _)) => {
                axes.ints()?.into_iter().map(|axis| self.axis(node, axis, rank)).collect::<Result<Vec<_>, _>>()?
            }
            None => (0..rank).collect(),
        };
        if listed.len() != 2 * axes.len() || listed.iter().any(|pad| pad.unsigned_abs() > 1 << 31) {
            return Err(node.malformed(&format!("{} pads that fit", 2 * axes.len()), format!("{listed:?}")));
        }
        let mut pads = [vec![0i64; rank], vec![0i64; rank]];
        for (index, &pad) in listed.iter().enumerate() {
            pads[index / axes.len().max(1)][axes[index % axes.len().max(1)]] = pad;
        }
        let [before, after] = pads;
        let mut ops = Vec::new();
        if listed.iter().any(|&pad| pad < 0) {
            let cut = |pad: i64| pad.min(0).unsigned_abs() as usize;
            let kept =
                (0..rank).map(|axis| shape[axis].checked_sub(cut(before[axis]).saturating_add(cut(after[axis]))));
            let lengths = kept.map(|side| side.filter(|&side| side > 0)).collect::<Option<Vec<usize>>>();
            let lengths = lengths.ok_or_else(|| node.malformed("pads that leave something", format!("{listed:?}")))?;
            let starts = before.iter().map(|&pad| cut(pad)).collect();
            ops.push(Op::Slice(Slice { starts, steps: vec![1; rank], lengths }));
        }
        let added = |pads: Vec<i64>| pads.into_iter().map(|pad| pad.max(0) as usize).collect();
        ops.push(Op::Pad(Pad { before: added(before), after: added(after), mode, value: Number::new(value) }));
        Ok(ops)
    }

    /// Several values, one after the other along an axis.
    pub fn concat(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis"])?;
        let mut values = Vec::new();
        for index in 0..node.inputs.len() {
            if self.batched && matches!(self.required(node, index)?, Known::Constant(..)) {
                return Err(self.no_batch(node, "a constant beside values"));
            }
            values.push(self.value(node, index)?);
        }
        let Some(&first) = values.first() else { return Err(node.malformed("an input", "none")) };
        let axis = self.axis(node, node.int("axis", 1)?, self.whole_shape(first).len())?;
        let Some(axis) = axis.checked_sub(self.batched.into()) else {
            return Err(self.no_batch(node, "a concatenation of samples"));
        };
        self.push(node, Op::Concat(axis), values)
    }

    /// Parts of a value along an axis: of lengths that are listed, or equal ones (the last may be shorter).
    pub fn split(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis", "num_outputs", "split"])?;
        let id = self.value(node, 0)?;
        let shape = self.whole_shape(id);
        let axis = self.axis(node, node.int("axis", 0)?, shape.len())?;
        let count = node.outputs.len();
        let listed = self.listed(node, "split", 1)?;
        let length = shape[axis].div_ceil(count.max(1)) as i64;
        let lengths = listed.unwrap_or_else(|| vec![length; count]);
        let mut start = 0usize;
        for index in 0..count {
            let asked = lengths.get(index).and_then(|&length| usize::try_from(length).ok()).unwrap_or(0);
            let length = asked.min(shape[axis] - start);
            let mut slice = Slice { starts: vec![0; shape.len()], steps: vec![1; shape.len()], lengths: shape.clone() };
            (slice.starts[axis], slice.lengths[axis]) = (start, length);
            if length == 0 {
                return Err(
                    node.malformed(&format!("{count} parts of at least 1 of {}", shape[axis]), format!("{lengths:?}"))
                );
            }
            start += length;
            let part = self.emit_move(node, Op::Slice(slice), id)?;
            self.define_at(node, index, Known::Value(part))?;
        }
        Ok(())
    }

    /// Integers in an attribute, or in newer operator sets in an input.
    pub fn listed(&self, node: &'a Node<'a>, name: &str, index: usize) -> Result<Option<Vec<i64>>, LoadError> {
        match node.ints(name)? {
            Some(ints) => Ok(Some(ints)),
            None => self.constant(node, index)?.map(|(ints, _)| ints.ints()).transpose(),
        }
    }

    /// Constant integers that belong to a shape.
    pub fn ints(&self, node: &'a Node<'a>, index: usize) -> Result<Vec<i64>, LoadError> {
        let (tensor, shape) =
            self.constant(node, index)?.ok_or_else(|| node.malformed(&format!("an input {index}"), "none"))?;
        if shape.len() > 1 {
            return Err(node.unsupported(format!("integers of shape {shape:?}"), "one dimension"));
        }
        let ints = tensor.ints()?;
        if ints.len() > MAX_INTEGERS {
            return Err(node.unsupported("a long list", &format!("at most {MAX_INTEGERS} integers")));
        }
        Ok(ints)
    }

    /// The shape that a target asks for: 0 keeps a dimension, one -1 is found from the others.
    fn resolve(&self, shape: &[usize], target: &[i64]) -> Option<Vec<usize>> {
        let batch = self.batch_side() as u64;
        let product = |sides: &[u64]| sides.iter().try_fold(1u64, |product, &side| product.checked_mul(side));
        let sides: Vec<u64> = shape.iter().map(|&side| side as u64).collect();
        let total = product(&sides)?;
        let mut resolved = Vec::new();
        let mut free = None;
        for (axis, &side) in target.iter().enumerate() {
            resolved.push(match side {
                -1 if free.is_none() => {
                    free = Some(axis);
                    1
                }
                0 => *sides.get(axis)?,
                BATCH => batch,
                side => u64::try_from(side).ok()?,
            });
        }
        if let Some(axis) = free {
            resolved[axis] = total.checked_div(product(&resolved)?)?;
        }
        // A file that was traced with one sample may say 1 for any number of them.
        if self.batch.is_none() && sides.first() == Some(&batch) && resolved.first() == Some(&1) {
            resolved[0] = batch;
        }
        let fits = product(&resolved)? == total;
        fits.then(|| resolved.into_iter().map(usize::try_from).collect::<Result<_, _>>().ok())?
    }
}

/// The most integers in a shape.
const MAX_INTEGERS: usize = 64;

fn wrong_target(node: &Node, shape: &[usize], target: &[i64]) -> LoadError {
    node.malformed(&format!("a shape of as many elements as {shape:?}"), format!("{target:?}"))
}
