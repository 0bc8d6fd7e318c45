//! The operators whose attributes are sizes: pools and their windows, and what only changes a shape.
//!
//! Exporters compute the target of a Reshape in the graph, from the shape of a value. Such integers are constants here,
//! with 0 in place of the batch: in a Reshape, 0 at the front means the batch.

use super::import::{Importer, Known};
use super::schema::NodeProto;
use super::tensor::Tensor;
use crate::error::LoadError;
use crate::model::{Op, Pool, ValueId};
use std::rc::Rc;

/// The largest kernel, stride or padding, in pixels: no image is larger, and products of two fit.
const MAX_SIDE: i64 = 1 << 15;

impl<'a> Importer<'a> {
    /// `N` sizes from an attribute, or `N` times the default.
    pub fn sides<const N: usize>(
        &self,
        node: &NodeProto<'a>,
        name: &str,
        default: usize,
    ) -> Result<[usize; N], LoadError> {
        let Some(sides) = node.ints(name)? else { return Ok([default; N]) };
        if sides.len() != N {
            return Err(node.unsupported(format!("{name} of {} numbers", sides.len()), &format!("{N}")));
        }
        if sides.iter().any(|side| !(0..=MAX_SIDE).contains(side)) {
            return Err(node.malformed(&format!("{name} of 0 to {MAX_SIDE}"), format!("{sides:?}")));
        }
        let mut result = [0; N];
        result.iter_mut().zip(sides).for_each(|(to, side)| *to = side as usize);
        Ok(result)
    }

    /// Strides and pads of a window, explicit or automatic. Dilation has to be 1.
    pub fn stride_and_pads(
        &self,
        node: &NodeProto<'a>,
        input: ValueId,
        kernel: [usize; 2],
    ) -> Result<([usize; 2], [usize; 4]), LoadError> {
        let dilations = self.sides::<2>(node, "dilations", 1)?;
        if dilations != [1, 1] {
            return Err(node.unsupported(format!("dilations {dilations:?}"), "[1, 1]"));
        }
        let stride = self.sides::<2>(node, "strides", 1)?;
        if stride.contains(&0) {
            return Err(node.malformed("strides of at least 1", format!("{stride:?}")));
        }
        let upper = match node.text("auto_pad", "NOTSET")? {
            "NOTSET" | "" => return Ok((stride, self.sides::<4>(node, "pads", 0)?)),
            "VALID" => return Ok((stride, [0; 4])),
            "SAME_UPPER" => true,
            "SAME_LOWER" => false,
            other => return Err(node.malformed("auto_pad of NOTSET, VALID, SAME_UPPER or SAME_LOWER", other)),
        };
        let &[_, height, width] = self.shape_of(input) else {
            return Err(
                node.unsupported(format!("an input of {:?}", self.shape_of(input)), "[channels, height, width]")
            );
        };
        let mut pads = [0; 4];
        for (axis, size) in [height, width].into_iter().enumerate() {
            // As many outputs as strides start inside the image; the odd pixel goes below, or above.
            let covered = (size.div_ceil(stride[axis]) - 1) * stride[axis] + kernel[axis];
            let total = covered.saturating_sub(size);
            let (less, more) = (total / 2, total - total / 2);
            (pads[axis], pads[axis + 2]) = if upper { (less, more) } else { (more, less) };
        }
        Ok((stride, pads))
    }

    fn pool(&self, node: &NodeProto<'a>, input: ValueId) -> Result<Pool, LoadError> {
        if !node.has("kernel_shape") {
            return Err(node.malformed("a kernel_shape", "none"));
        }
        let kernel = self.sides::<2>(node, "kernel_shape", 1)?;
        let (stride, pads) = self.stride_and_pads(node, input, kernel)?;
        let ceil = node.int("ceil_mode", 0)? != 0;
        let count_pads = node.int("count_include_pad", 0)? != 0;
        Ok(Pool { kernel, stride, pads, ceil, count_pads })
    }

    pub fn max_pool(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        // The order of storage only concerns the second output, which nothing here can read.
        node.allow_attributes(&[
            "auto_pad",
            "ceil_mode",
            "dilations",
            "kernel_shape",
            "pads",
            "storage_order",
            "strides",
        ])?;
        let input = self.value(node, 0)?;
        let pool = self.pool(node, input)?;
        self.push(node, Op::MaxPool(pool), vec![input])
    }

    pub fn average_pool(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[
            "auto_pad",
            "ceil_mode",
            "count_include_pad",
            "dilations",
            "kernel_shape",
            "pads",
            "strides",
        ])?;
        let input = self.value(node, 0)?;
        let pool = self.pool(node, input)?;
        self.push(node, Op::AveragePool(pool), vec![input])
    }

    pub fn flatten(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis"])?;
        let input = self.value(node, 0)?;
        let axis = node.int("axis", 1)?;
        let rank = self.shape_of(input).len() as i64 + 1;
        if axis != 1 && axis != 1 - rank {
            return Err(node.unsupported(format!("axis {axis}"), "axis 1: everything but the batch"));
        }
        self.push(node, Op::Flatten, vec![input])
    }

    /// Reshape of a constant; of a value to one vector a sample; to the shape that it has; or of the input.
    pub fn reshape(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["allowzero"])?;
        let target = self.ints(node, 1)?;
        if node.int("allowzero", 0)? != 0 && target.contains(&0) {
            return Err(node.unsupported("allowzero with a dimension of 0", "allowzero = 0"));
        }
        let id = match self.input(node, 0)? {
            Some(Known::Value(id)) => id,
            Some(Known::Constant(tensor, shape)) => {
                let shape = resolve(&shape, &target).ok_or_else(|| wrong_target(node, &shape, &target))?;
                return self.define(node, Known::Constant(tensor, shape));
            }
            None => return Err(node.malformed("an input 0", "none")),
        };
        let sample = self.shape_of(id).to_vec();
        let Some((&batch, rest)) = target.split_first() else { return Err(wrong_target(node, &sample, &target)) };
        // With a -1 behind, the batch has to be written out; -1 in front leaves only the batch to be found.
        let keeps_batch = match batch {
            0 => true,
            -1 => !rest.contains(&-1),
            fixed => fixed == self.batch.unwrap_or(1),
        };
        let of_batch = |side: i64| if side == 0 { None } else { Some(side) };
        let rest: Option<Vec<i64>> = rest.iter().map(|&side| of_batch(side)).collect();
        let resolved = rest.filter(|_| keeps_batch).and_then(|rest| resolve(&sample, &rest));
        match resolved {
            Some(shape) if shape.len() == 1 => self.push(node, Op::Flatten, vec![id]),
            Some(shape) if shape == sample => self.define(node, Known::Value(id)),
            Some(shape) if id == ValueId(0) && self.reads_of(id) == 1 => {
                self.reshape_input(shape);
                self.define(node, Known::Value(id))
            }
            _ => Err(wrong_target(node, &sample, &target)),
        }
    }

    /// The shape of a value, with 0 for the batch.
    pub fn shape(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["start", "end"])?;
        let id = self.value(node, 0)?;
        let sides = self.shape_of(id).iter().map(|&side| side as i64);
        let sides: Vec<i64> = std::iter::once(0).chain(sides).collect();
        let rank = sides.len() as i64;
        let index = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
        let (start, end) = (index(node.int("start", 0)?), index(node.int("end", rank)?));
        let part = sides.get(start..end).unwrap_or(&[]).to_vec();
        self.define_ints(node, part)
    }

    /// Some of several integers.
    pub fn gather(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis"])?;
        let from = self.ints(node, 0)?;
        let picked = self.ints(node, 1)?.into_iter().map(|at| {
            let index = if at < 0 { at.saturating_add(from.len() as i64) } else { at };
            let value = usize::try_from(index).ok().and_then(|index| from.get(index));
            value
                .copied()
                .ok_or_else(|| node.malformed(&format!("an index into {} numbers", from.len()), at.to_string()))
        });
        let picked = picked.collect::<Result<Vec<i64>, _>>()?;
        self.define_ints(node, picked)
    }

    /// Several integers, one after the other.
    pub fn concat(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis"])?;
        let mut all = Vec::new();
        for index in 0..node.inputs.len() {
            all.extend(self.ints(node, index)?);
            if all.len() > MAX_INTEGERS {
                return Err(node.unsupported("a long list", &format!("at most {MAX_INTEGERS} integers")));
            }
        }
        self.define_ints(node, all)
    }

    /// What makes a vector of a number, or another type of integers: nothing to do here.
    pub fn same_integers(&mut self, node: &NodeProto<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axes", "to", "saturate"])?;
        const INT64: i64 = 7;
        if node.op == "Cast" && node.int("to", INT64)? != INT64 {
            return Err(node.unsupported("a conversion to another type", "int64"));
        }
        let ints = self.ints(node, 0)?;
        self.define_ints(node, ints)
    }

    /// Constant integers that belong to a shape.
    fn ints(&self, node: &NodeProto<'a>, index: usize) -> Result<Vec<i64>, LoadError> {
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

    fn define_ints(&mut self, node: &NodeProto<'a>, ints: Vec<i64>) -> Result<(), LoadError> {
        let shape = vec![ints.len()];
        self.define(node, Known::Constant(Rc::new(Tensor::of_ints(ints)), shape))
    }
}

/// The most integers in a computed shape.
const MAX_INTEGERS: usize = 64;

/// The shape that a target asks for: 0 keeps a dimension, one -1 is found from the others.
fn resolve(shape: &[usize], target: &[i64]) -> Option<Vec<usize>> {
    let total = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))?;
    let mut resolved = Vec::new();
    let mut free = None;
    for (axis, &side) in target.iter().enumerate() {
        resolved.push(match side {
            -1 if free.is_none() => {
                free = Some(axis);
                1
            }
            0 => *shape.get(axis)?,
            side => usize::try_from(side).ok()?,
        });
    }
    let product = resolved.iter().try_fold(1usize, |product, &side| product.checked_mul(side))?;
    if let Some(axis) = free {
        resolved[axis] = total.checked_div(product)?;
    }
    let product = resolved.iter().try_fold(1usize, |product, &side| product.checked_mul(side))?;
    (product == total).then_some(resolved)
}

fn wrong_target(node: &NodeProto, shape: &[usize], target: &[i64]) -> LoadError {
    node.unsupported(
        format!("a reshape of {shape:?} to {target:?}"),
        "a constant, a sample to one dimension, or the input to another shape",
    )
}
