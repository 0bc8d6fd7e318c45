//! The operators that only move elements, or give another shape. A transposition moves nothing: its tensor is the same value in another order.

use super::graph::Operator;
use super::layout::{channels_first, elements, keeps, permuted, plain, position};
use super::translate::{Arranged, Translator, Value};
use crate::error::LoadError;
use crate::formats::import::Attribute;

/// A part along an axis: the first place, from one to the next, how many.
#[derive(Clone, Copy)]
struct Part {
    axis: usize,
    start: i64,
    step: i64,
    length: usize,
}

impl Translator<'_> {
    /// Another shape: that of the tensor that is made.
    pub fn reshaped(&mut self, op: &Operator) -> Result<(), LoadError> {
        let mut value = self.value(op, 0)?;
        let to = self.target(op, elements(&value.shape))?;
        if to == value.seen() {
            return self.define(op, 0, value);
        }
        if value.flat && to == value.shape {
            value.flat = false;
            return self.define(op, 0, value);
        }
        if !value.flat {
            let orders = [channels_first(to.len()), plain(to.len())];
            if let Some(order) = orders.into_iter().find(|order| keeps(&value.shape, &value.order, &to, order)) {
                let name = self.reshape(&value.name, &permuted(&to, &order), self.stem(op))?;
                return self.define(op, 0, Value { name, shape: to, order, flat: false });
            }
            if to.len() == 2 && value.order[0] == 0 && to[0] == value.shape[0] {
                value.flat = true;
                return self.define(op, 0, value);
            }
        }
        let order = plain(value.seen().len());
        let name = self.ordered(value, &order)?;
        let name = self.reshape(&name, &to, self.stem(op))?;
        self.define(op, 0, Value::plain(name, to))
    }

    /// The shape of the tensor that an operator makes, of so many elements. A side that can vary is found from the others.
    fn target(&self, op: &Operator, count: usize) -> Result<Vec<usize>, LoadError> {
        let place = &self.graph.places[op.outputs[0]];
        let mut shape = place.shape.clone();
        if elements(&shape) != count
            && let Some(axis) = (1..shape.len()).find(|&axis| place.open[axis])
        {
            shape[axis] = 1;
            shape[axis] = count.checked_div(elements(&shape)).unwrap_or(0);
        }
        if elements(&shape) != count {
            let feature = format!("{count} elements in the shape {:?}", place.shape);
            return Err(self.unsupported(op, &feature, "shapes that are known"));
        }
        Ok(shape)
    }

    pub fn transpose(&mut self, op: &Operator) -> Result<(), LoadError> {
        let value = self.shaped(op, 0)?;
        let rank = value.shape.len();
        let axes = self.list(op, 1)?;
        let axes = axes.into_iter().map(|axis| self.axis(op, axis, rank)).collect::<Result<Vec<_>, _>>()?;
        if axes.len() != rank || !(0..rank).all(|axis| axes.contains(&axis)) {
            return Err(self.malformed(op, &format_args!("each axis of {rank}"), &format_args!("{axes:?}")));
        }
        let order = value.order.iter().map(|&axis| position(&axes, axis)).collect();
        self.define(op, 0, Value { order, shape: permuted(&value.shape, &axes), ..value })
    }

    /// More places at both ends of each axis.
    pub fn pad(&mut self, op: &Operator, name: &str) -> Result<(), LoadError> {
        const MIRROR_PAD_OPTIONS: u8 = 77;
        let mirrored = name == "MIRROR_PAD";
        if mirrored && op.options(MIRROR_PAD_OPTIONS).byte(0)? != 0 {
            return Err(self.unsupported(op, &"the mode SYMMETRIC", "REFLECT"));
        }
        let value = self.shaped(op, 0)?;
        let rank = value.shape.len();
        let listed = self.list(op, 1)?;
        let pads = listed.iter().filter_map(|&pad| u32::try_from(pad).ok()).map(|pad| pad as usize);
        let pads: Vec<usize> = pads.collect();
        let (pads, []) = pads.as_chunks::<2>() else {
            return Err(self.malformed(op, &"pads of at least 0 before and after", &format_args!("{listed:?}")));
        };
        if pads.len() != rank || listed.len() != 2 * rank {
            return Err(self.malformed(op, &format_args!("pads for {rank} axes"), &format_args!("{listed:?}")));
        }
        let filled = if name == "PADV2" { self.scalar(op, 2)? } else { 0.0 };
        let shape = value
            .shape
            .iter()
            .zip(pads)
            .map(|(&side, [before, after])| side.saturating_add(*before).saturating_add(*after));
        let shape: Vec<usize> = shape.collect();
        if let &[[0, 0], [top, bottom], [left, right], [0, 0]] = pads
            && !mirrored
            && filled == 0.0
        {
            self.padded[op.outputs[0]] = Some((value.clone(), [top, left, bottom, right]));
        }
        // In the order of the value.
        let end = |end: usize| value.order.iter().map(move |&axis| pads[axis][end] as i64);
        let all: Vec<i64> = end(0).chain(end(1)).collect();
        let all = self.integers(&all)?;
        let number = self.number(filled)?;
        let mode = Attribute::Text(if mirrored { b"reflect" } else { b"constant" });
        let name = self.node("Pad", &[&value.name, &all, &number], vec![("mode", mode)], self.stem(op))?;
        self.define(op, 0, Value { name, shape, ..value })
    }

    /// Several tensors, one after the other along an axis.
    pub fn concatenation(&mut self, op: &Operator) -> Result<(), LoadError> {
        const CONCATENATION_OPTIONS: u8 = 10;
        let options = op.options(CONCATENATION_OPTIONS);
        let arranged = self.arrange(op)?;
        let Some(mut shape) = arranged.shapes.first().cloned() else {
            return Err(self.malformed(op, &"an input", &"none"));
        };
        let axis = self.axis(op, options.int(0, 0)?.into(), shape.len())?;
        for next in &arranged.shapes[1..] {
            if next.len() != shape.len() {
                return Err(self.malformed(op, &format_args!("{} dimensions", shape.len()), &next.len()));
            }
            shape[axis] = shape[axis].saturating_add(next[axis]);
        }
        let names: Vec<&str> = arranged.names.iter().map(String::as_str).collect();
        let at = Attribute::Int(position(&arranged.order, axis) as i64);
        let name = self.node("Concat", &names, vec![("axis", at)], self.stem(op))?;
        let name = self.activated(op, name, options.byte(1)?)?;
        self.define(op, 0, Value { name, shape, order: arranged.order, flat: false })
    }

    /// Several tensors along an axis of their own.
    pub fn pack(&mut self, op: &Operator) -> Result<(), LoadError> {
        const PACK_OPTIONS: u8 = 59;
        let Arranged { names, order, shapes } = self.arrange(op)?;
        let Some(mut shape) = shapes.first().cloned() else {
            return Err(self.malformed(op, &"an input", &"none"));
        };
        let rank = shape.len();
        let axis = self.axis(op, op.options(PACK_OPTIONS).int(1, 0)?.into(), rank + 1)?;
        shape.insert(axis, 1);
        // The new axis is the last of the values.
        let mut order: Vec<usize> = order.iter().map(|&of| if of < axis { of } else { of + 1 }).collect();
        order.push(axis);
        let sides = permuted(&shape, &order);
        let names = names.iter().map(|name| self.reshape(name, &sides, "part")).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let name = self.node("Concat", &names, vec![("axis", Attribute::Int(rank as i64))], self.stem(op))?;
        shape[axis] = names.len();
        self.define(op, 0, Value { name, shape, order, flat: false })
    }

    /// Parts of a value, one for each place along an axis, which is left out.
    pub fn unpack(&mut self, op: &Operator) -> Result<(), LoadError> {
        const UNPACK_OPTIONS: u8 = 64;
        let value = self.shaped(op, 0)?;
        let axis = self.axis(op, op.options(UNPACK_OPTIONS).int(1, 0)?.into(), value.shape.len())?;
        for index in 0..op.outputs.len() {
            let part = Part { axis, start: index as i64, step: 1, length: 1 };
            let value = self.part(op, value.clone(), &[part])?;
            let value = self.without(op, value, &[axis])?;
            self.define(op, index, value)?;
        }
        Ok(())
    }

    /// Parts of a value along an axis: equal ones, or of lengths that are listed. The operands are in the places `data` and `axis`.
    pub fn split(&mut self, op: &Operator, data: usize, axis: usize) -> Result<(), LoadError> {
        let value = self.shaped(op, data)?;
        let &[axis] = self.list(op, axis)?.as_slice() else {
            return Err(self.malformed(op, &"an axis", &"others"));
        };
        let axis = self.axis(op, axis, value.shape.len())?;
        let (side, count) = (value.shape[axis], op.outputs.len());
        let mut lengths = vec![(side / count) as i64; count];
        if data == 0 {
            lengths = self.list(op, 1)?;
            let known: i64 =
                lengths.iter().filter(|&&length| length > 0).fold(0, |sum, length| sum.saturating_add(*length));
            lengths.iter_mut().filter(|length| **length == -1).for_each(|length| *length = side as i64 - known);
        }
        let mut start = 0i64;
        for (index, &length) in lengths.iter().enumerate().take(count) {
            let part = Part { axis, start, step: 1, length: usize::try_from(length).unwrap_or(0) };
            let value = self.part(op, value.clone(), &[part])?;
            self.define(op, index, value)?;
            start = start.saturating_add(length);
        }
        Ok(())
    }

    /// A part of a value: where it begins and how large it is; a size of -1 is all that is left.
    pub fn slice(&mut self, op: &Operator) -> Result<(), LoadError> {
        let value = self.shaped(op, 0)?;
        let (starts, sizes) = (self.list(op, 1)?, self.list(op, 2)?);
        let rank = value.shape.len();
        if [starts.len(), sizes.len()] != [rank; 2] {
            return Err(self.malformed(
                op,
                &format_args!("{rank} starts and sizes"),
                &format_args!("{starts:?} {sizes:?}"),
            ));
        }
        let mut parts = Vec::new();
        for (axis, (&start, &size)) in starts.iter().zip(&sizes).enumerate() {
            let length = if size == -1 { (value.shape[axis] as i64).saturating_sub(start) } else { size };
            parts.push(Part { axis, start, step: 1, length: usize::try_from(length).unwrap_or(0) });
        }
        let value = self.part(op, value, &parts)?;
        self.define(op, 0, value)
    }

    /// A part of a value in steps. A bit of a mask is for an axis: of the first two, that it begins or ends with the value; of the last,
    /// that it is one place, and left out.
    pub fn strided_slice(&mut self, op: &Operator) -> Result<(), LoadError> {
        const STRIDED_SLICE_OPTIONS: u8 = 32;
        let options = op.options(STRIDED_SLICE_OPTIONS);
        let value = self.shaped(op, 0)?;
        let masks = [0, 1, 2, 3, 4].map(|field| options.int(field, 0));
        let [begin_mask, end_mask, ellipsis, added, single] = masks;
        if ellipsis? != 0 || added? != 0 || options.byte(5)? != 0 {
            return Err(self.unsupported(op, &"an ellipsis, a new axis or an offset", "begin, end and strides"));
        }
        let (begin_mask, end_mask, single) = (begin_mask?, end_mask?, single?);
        let (starts, ends, steps) = (self.list(op, 1)?, self.list(op, 2)?, self.list(op, 3)?);
        let rank = value.shape.len();
        if starts.len() > rank || [ends.len(), steps.len()] != [starts.len(); 2] {
            return Err(self.malformed(op, &format_args!("at most {rank} begins, ends and strides"), &starts.len()));
        }
        let (mut parts, mut gone) = (Vec::new(), Vec::new());
        for axis in 0..starts.len() {
            let is_in = |mask: i32| mask >> axis & 1 == 1;
            let side = value.shape[axis] as i64;
            let from_end = |at: i64| if at < 0 { at.saturating_add(side) } else { at };
            let (start, step) = (from_end(starts[axis]), steps[axis]);
            if is_in(single) {
                parts.push(Part { axis, start, step: 1, length: 1 });
                gone.push(axis);
                continue;
            }
            // Backwards the first place is the last one, and the end is before the first.
            let (low, high) = if step > 0 { (0, side) } else { (-1, side - 1) };
            let (first, last) = if step > 0 { (low, high) } else { (high, low) };
            let start = if is_in(begin_mask) { first } else { start.max(low).min(high) };
            let end = if is_in(end_mask) { last } else { from_end(ends[axis]).max(low).min(high) };
            let way = if step > 0 { end - start } else { start - end };
            // A step of 0 leaves no place, which is an error.
            let length = if step == 0 { 0 } else { (way.max(0) as u64).div_ceil(step.unsigned_abs()) };
            parts.push(Part { axis, start, step, length: length as usize });
        }
        let value = self.part(op, value, &parts)?;
        let value = self.without(op, value, &gone)?;
        self.define(op, 0, value)
    }

    /// Parts of a value along some axes.
    fn part(&mut self, op: &Operator, mut value: Value, parts: &[Part]) -> Result<Value, LoadError> {
        let [mut starts, mut ends, mut axes, mut steps] = [const { Vec::new() }; 4];
        for &Part { axis, start, step, length } in parts {
            let last = (length as i64 - 1).checked_mul(step).and_then(|way| way.checked_add(start));
            let inside = |at: i64| (0..value.shape[axis] as i64).contains(&at);
            if length == 0 || !inside(start) || !last.is_some_and(inside) {
                let got = format!("{length} from {start} by {step} of {}", value.shape[axis]);
                return Err(self.malformed(op, &"places that there are", &got));
            }
            // Before the first place there is no index that does not count from the end.
            let end = start.saturating_add((length as i64).saturating_mul(step));
            starts.push(start);
            ends.push(if end < 0 { i64::MIN } else { end });
            axes.push(position(&value.order, axis) as i64);
            steps.push(step);
            value.shape[axis] = length;
        }
        let mut operands = Vec::new();
        for list in [starts, ends, axes, steps] {
            operands.push(self.integers(&list)?);
        }
        let [starts, ends, axes, steps] = &operands[..] else { return Ok(value) };
        value.name = self.node("Slice", &[&value.name, starts, ends, axes, steps], vec![], self.stem(op))?;
        Ok(value)
    }

    /// A value without some axes of one place.
    fn without(&mut self, op: &Operator, value: Value, gone: &[usize]) -> Result<Value, LoadError> {
        if gone.is_empty() {
            return Ok(value);
        }
        let kept: Vec<usize> = (0..value.shape.len()).filter(|axis| !gone.contains(axis)).collect();
        let order = value.order.iter().filter(|axis| !gone.contains(axis));
        let order: Vec<usize> = order.map(|&axis| position(&kept, axis)).collect();
        let shape = permuted(&value.shape, &kept);
        let name = self.reshape(&value.name, &permuted(&shape, &order), self.stem(op))?;
        Ok(Value { name, shape, order, flat: false })
    }

    /// Constant places along an axis.
    pub fn gather(&mut self, op: &Operator) -> Result<(), LoadError> {
        const GATHER_OPTIONS: u8 = 23;
        let options = op.options(GATHER_OPTIONS);
        if options.int(1, 0)? != 0 {
            return Err(self.unsupported(op, &"batch_dims", "0"));
        }
        let value = self.shaped(op, 0)?;
        let axis = self.axis(op, options.int(0, 0)?.into(), value.shape.len())?;
        let indices = self.list(op, 1)?;
        let (_, tensor) = self.constant_input(op, 1)?;
        let places = self.integers(&indices)?;
        let at = Attribute::Int(position(&value.order, axis) as i64);
        let name = self.node("Gather", &[&value.name, &places], vec![("axis", at)], self.stem(op))?;
        let mut shape = value.shape;
        shape[axis] = indices.len();
        let value = Value { name, shape, ..value };
        match tensor.shape.len() {
            1 => self.define(op, 0, value),
            0 => {
                let value = self.without(op, value, &[axis])?;
                self.define(op, 0, value)
            }
            other => Err(self.unsupported(op, &format_args!("places in {other} axes"), "at most one")),
        }
    }
}
