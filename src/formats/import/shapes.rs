//! The operators on windows of an image and along axes: pools, reductions, softmax.

use super::graph::Node;
use super::importer::{BATCH, Importer, Known, Readers};
use super::written::{Context, Written};
use crate::error::LoadError;
use crate::model::{
    Coordinates, Interpolation, Number, Op, Pool, Reduce, Reduction, Resize, Rounding, ValueId, multiplied,
};
use std::str::FromStr;
use strum::VariantArray;

/// The largest kernel, stride or padding, in pixels: no image is larger, and products of two fit.
const MAX_SIDE: i64 = 1 << 15;

/// The operators that are read here.
pub const READERS: Readers = &[
    (&["MaxPool", "AveragePool"], |importer, node| importer.pool(node)),
    (&["GlobalAveragePool"], |importer, node| importer.global_average_pool(node)),
    (&["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"], |importer, node| importer.reduce(node)),
    (&["Softmax", "LogSoftmax"], |importer, node| importer.softmax(node)),
    (&["Resize", "Upsample"], |importer, node| importer.resize(node)),
];

/// How the operators of this file are written; others are `None`.
pub fn written(context: &Context) -> Option<Written> {
    let made = Written::new(context.node.op.name());
    let window = |made: Written, pool: &Pool| {
        let made = made.sizes("kernel_shape", &pool.kernel).sizes("strides", &pool.stride).sizes("pads", &pool.pads);
        made.int("ceil_mode", pool.ceil)
    };
    Some(match &context.node.op {
        Op::MaxPool(pool) => window(made, pool),
        Op::AveragePool(pool) => window(made, pool).int("count_include_pad", pool.count_pads),
        Op::GlobalAveragePool => made,
        Op::Reduce(reduce) => {
            let axes = context.axes(&reduce.axes);
            // All but the sum took their axes from an attribute up to operator set 17.
            let made = if reduce.kind != Reduction::Sum && context.opset < 18 {
                made.sizes("axes", &axes)
            } else {
                made.size_input("axes", &axes)
            };
            let made = if axes.is_empty() { made.int("noop_with_empty_axes", 1) } else { made };
            made.int("keepdims", 1)
        }
        Op::Softmax | Op::LogSoftmax => made.int("axis", -1),
        Op::Resize(resize) => resized(made.no_input(), context.lead, resize),
        _ => return None,
    })
}

fn resized(made: Written, lead: usize, resize: &Resize) -> Written {
    let made = if resize.factors.is_empty() {
        // The number of samples is not known, and no side.
        let made = made.no_input().size_input("sizes", &resize.sides);
        let axes: Vec<usize> = (lead..lead + resize.sides.len()).collect();
        if lead == 0 { made } else { made.sizes("axes", &axes).since(18) }
    } else {
        let factors = resize.factors.iter().map(|factor| factor.get());
        let factors: Vec<f32> = std::iter::repeat_n(1.0, lead).chain(factors).collect();
        made.input("scales", &[factors.len()], factors)
    };
    let made = made.text("mode", resize.mode.into());
    let made = made.text("coordinate_transformation_mode", resize.coordinates.into());
    let made = match resize.mode {
        Interpolation::Nearest => made.text("nearest_mode", resize.nearest.into()),
        Interpolation::Linear => made,
        Interpolation::Cubic => made.float("cubic_coeff_a", resize.cubic.get()),
    };
    let made = if resize.exclude_outside { made.int("exclude_outside", 1) } else { made };
    let made = if resize.antialias { made.int("antialias", 1).since(18) } else { made };
    if resize.coordinates == Coordinates::HalfPixelSymmetric { made.since(19) } else { made }
}

/// How a window moves over an image.
pub struct Window {
    pub stride: [usize; 2],
    pub pads: [usize; 4],
    pub dilation: [usize; 2],
}

impl<'a> Importer<'a> {
    /// `count` sizes from an attribute, or as many times the default.
    pub fn list(&self, node: &'a Node<'a>, name: &str, count: usize, default: usize) -> Result<Vec<usize>, LoadError> {
        let Some(sides) = node.ints(name)? else { return Ok(vec![default; count]) };
        if sides.len() != count {
            return Err(node.unsupported(format!("{name} of {} numbers", sides.len()), &format!("{count}")));
        }
        if sides.iter().any(|side| !(0..=MAX_SIDE).contains(side)) {
            return Err(node.malformed(&format!("{name} of 0 to {MAX_SIDE}"), format!("{sides:?}")));
        }
        Ok(sides.into_iter().map(|side| side as usize).collect())
    }

    /// A height and a width from an attribute that has both, or of a window over one axis, whose height is 1.
    pub fn sides(&self, node: &'a Node<'a>, name: &str, axes: usize, default: usize) -> Result<[usize; 2], LoadError> {
        match self.list(node, name, axes, default)?[..] {
            [width] => Ok([1, width]),
            [height, width] => Ok([height, width]),
            _ => Err(node.unsupported(format!("a window over {axes} axes"), "one or two")),
        }
    }

    /// The value that a window over one or two axes looks at, `[.., channels, height, width]`.
    pub fn image(&mut self, node: &'a Node<'a>, id: ValueId, axes: usize) -> Result<ValueId, LoadError> {
        let whole = self.whole_shape(id);
        if whole.len() != axes + 2 {
            return Err(node.unsupported(format!("an input of {whole:?}"), &format!("{} dimensions", axes + 2)));
        }
        if axes == 2 {
            return Ok(id);
        }
        let mut shape = self.shape_of(id).to_vec();
        shape.insert(shape.len() - 1, 1);
        self.emit(node, Op::Reshape(shape), vec![id])
    }

    /// Gives a node's output the image that a window over one or two axes makes.
    pub fn define_image(&mut self, node: &'a Node<'a>, mut id: ValueId, axes: usize) -> Result<(), LoadError> {
        if axes == 1 {
            let mut shape = self.shape_of(id).to_vec();
            shape.remove(shape.len() - 2);
            id = self.emit(node, Op::Reshape(shape), vec![id])?;
        }
        self.define(node, Known::Value(id))
    }

    /// Strides, dilations and pads of a window, explicit or automatic.
    pub fn window(
        &self,
        node: &'a Node<'a>,
        input: ValueId,
        axes: usize,
        kernel: [usize; 2],
    ) -> Result<Window, LoadError> {
        let dilation = self.sides(node, "dilations", axes, 1)?;
        let stride = self.sides(node, "strides", axes, 1)?;
        if stride.contains(&0) || dilation.contains(&0) {
            return Err(node.malformed("strides and dilations of at least 1", format!("{stride:?}, {dilation:?}")));
        }
        let upper = match node.text("auto_pad", "NOTSET")? {
            "NOTSET" | "" => {
                let pads = match self.list(node, "pads", 2 * axes, 0)?[..] {
                    [left, right] => [0, left, 0, right],
                    [top, left, bottom, right] => [top, left, bottom, right],
                    _ => [0; 4],
                };
                return Ok(Window { stride, pads, dilation });
            }
            "VALID" => return Ok(Window { stride, pads: [0; 4], dilation }),
            "SAME_UPPER" => true,
            "SAME_LOWER" => false,
            other => return Err(node.malformed("auto_pad of NOTSET, VALID, SAME_UPPER or SAME_LOWER", other)),
        };
        let Some((_, size)) = self.shape_of(input).split_last_chunk::<2>() else {
            return Err(
                node.unsupported(format!("an input of {:?}", self.shape_of(input)), "[channels, height, width]")
            );
        };
        let mut pads = [0; 4];
        for axis in 0..2 {
            // As many outputs as strides start inside the image; the odd pixel goes below, or above.
            let reach = kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]) + 1;
            let covered = (size[axis].div_ceil(stride[axis]) - 1) * stride[axis] + reach;
            let total = covered.saturating_sub(size[axis]);
            let (less, more) = (total / 2, total - total / 2);
            (pads[axis], pads[axis + 2]) = if upper { (less, more) } else { (more, less) };
        }
        Ok(Window { stride, pads, dilation })
    }

    /// The maximum or the mean over a window.
    pub fn pool(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        let maximum = node.op == "MaxPool";
        // The order of storage only concerns the second output, which nothing here can read.
        let own = if maximum { "storage_order" } else { "count_include_pad" };
        node.allow_attributes(&["auto_pad", "ceil_mode", own, "dilations", "kernel_shape", "pads", "strides"])?;
        let kernel = node.ints("kernel_shape")?.ok_or_else(|| node.malformed("a kernel_shape", "none"))?;
        let axes = kernel.len();
        let kernel = self.sides(node, "kernel_shape", axes, 1)?;
        let input = self.value(node, 0)?;
        let input = self.image(node, input, axes)?;
        let Window { stride, pads, dilation } = self.window(node, input, axes, kernel)?;
        if dilation != [1, 1] {
            return Err(node.unsupported(format!("dilations {dilation:?}"), "[1, 1]"));
        }
        let ceil = node.int("ceil_mode", 0)? != 0;
        let count_pads = node.int("count_include_pad", 0)? != 0;
        let pool = Pool { kernel, stride, pads, ceil, count_pads };
        let op = if maximum { Op::MaxPool(pool) } else { Op::AveragePool(pool) };
        let id = self.emit(node, op, vec![input])?;
        self.define_image(node, id, axes)
    }

    /// The mean over all axes behind the channels.
    pub fn global_average_pool(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[])?;
        let id = self.value(node, 0)?;
        let (whole, rank) = (self.whole_shape(id).len(), self.shape_of(id).len());
        match whole {
            0..=2 => Err(node.unsupported(format!("an input of {whole} dimensions"), "[batch, channels, ..]")),
            4 => self.push(node, Op::GlobalAveragePool, vec![id]),
            _ => self.push(
                node,
                Op::Reduce(Reduce { kind: Reduction::Mean, axes: (rank + 2 - whole..rank).collect() }),
                vec![id],
            ),
        }
    }

    /// One number for all along some axes.
    pub fn reduce(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axes", "keepdims", "noop_with_empty_axes"])?;
        let id = self.value(node, 0)?;
        let rank = self.whole_shape(id).len();
        let listed = self.listed(node, "axes", 1)?.unwrap_or_default();
        if listed.is_empty() && node.int("noop_with_empty_axes", 0)? != 0 {
            return self.define(node, Known::Value(id));
        }
        let mut axes: Vec<usize> = if listed.is_empty() { (0..rank).collect() } else { Vec::new() };
        for axis in listed {
            axes.push(self.axis(node, axis, rank)?);
        }
        let keep = node.int("keepdims", 1)? != 0;
        let lead = usize::from(self.batched);
        if self.batched && axes.contains(&0) {
            return Err(self.no_batch(node, "a reduction over the samples"));
        }
        let axes: Vec<usize> = (0..rank - lead).filter(|axis| axes.contains(&(axis + lead))).collect();
        let dropped = self.shape_of(id).iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
        let shape: Vec<usize> = dropped.map(|(_, &side)| side).collect();
        let kind = *Reduction::VARIANTS.iter().find(|&kind| <&str>::from(kind) == node.op).unwrap_or(&Reduction::Mean);
        let mut id = self.emit(node, Op::Reduce(Reduce { kind, axes }), vec![id])?;
        if !keep && shape.len() != self.shape_of(id).len() {
            id = self.emit(node, Op::Reshape(shape), vec![id])?;
        }
        self.define(node, Known::Value(id))
    }

    /// Softmax, or its logarithm, along one axis; before operator set 13 over all from an axis on.
    pub fn softmax(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&["axis"])?;
        let id = self.value(node, 0)?;
        let whole = self.whole_shape(id).len();
        let axis = self.axis(node, node.int("axis", if self.opset < 13 { 1 } else { -1 })?, whole)?;
        let Some(axis) = axis.checked_sub(self.batched.into()) else {
            return Err(self.no_batch(node, "a softmax over the samples"));
        };
        let op = if node.op == "Softmax" { Op::Softmax } else { Op::LogSoftmax };
        let shape = self.shape_of(id).to_vec();
        let last = shape.len() - 1;
        if axis == last {
            return self.push(node, op, vec![id]);
        }
        let (before, after) = if self.opset < 13 {
            let flat = [&shape[..axis], &[shape[axis..].iter().product()]].concat();
            (Op::Reshape(flat), Op::Reshape(shape))
        } else {
            // The axis changes places with the last one, and back.
            let mut order: Vec<usize> = (0..=last).collect();
            order.swap(axis, last);
            (Op::Transpose(order.clone()), Op::Transpose(order))
        };
        let id = self.emit(node, before, vec![id])?;
        let id = self.emit(node, op, vec![id])?;
        self.push(node, after, vec![id])
    }

    /// Other sides by interpolation. Up to operator set 10 the factors are the second input (of the first Upsample an attribute), and
    /// places are counted from the first one.
    pub fn resize(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[
            "antialias",
            "axes",
            "coordinate_transformation_mode",
            "cubic_coeff_a",
            "exclude_outside",
            "extrapolation_value",
            "keep_aspect_ratio_policy",
            "mode",
            "nearest_mode",
            "scales",
        ])?;
        let old = node.op == "Upsample" || self.opset < 11;
        let mode = choice(node, "mode", Interpolation::Nearest)?;
        let coordinates = if old { Coordinates::Asymmetric } else { Coordinates::HalfPixel };
        let nearest = if old { Rounding::Floor } else { Rounding::RoundPreferFloor };
        let mut resize = Resize {
            mode,
            coordinates: choice(node, "coordinate_transformation_mode", coordinates)?,
            nearest: choice(node, "nearest_mode", nearest)?,
            cubic: Number::new(node.float("cubic_coeff_a", -0.75)?),
            exclude_outside: node.int("exclude_outside", 0)? != 0,
            antialias: node.int("antialias", 0)? != 0,
            ..Resize::default()
        };
        // What means nothing to a mode is left as it is.
        match mode {
            Interpolation::Nearest => (resize.exclude_outside, resize.antialias) = (false, false),
            _ => resize.nearest = Rounding::default(),
        }
        if mode != Interpolation::Cubic {
            resize.cubic = Number::default();
        }
        let id = self.value(node, 0)?;
        let shape = self.whole_shape(id);
        let axes = match node.ints("axes")? {
            Some(axes) => axes.into_iter().map(|axis| self.axis(node, axis, shape.len())).collect::<Result<_, _>>()?,
            None => (0..shape.len()).collect::<Vec<usize>>(),
        };
        let input = |index| Ok::<_, LoadError>(self.constant(node, index)?.filter(|(_, shape)| !shape.contains(&0)));
        let factors = match (node.floats("scales")?, input(if old { 1 } else { 2 })?) {
            (Some(factors), _) => Some(factors),
            (None, Some((factors, _))) => Some(factors.floats()?),
            (None, None) => None,
        };
        let (mut sides, mut whole) = (shape.clone(), vec![1.0; shape.len()]);
        let listed = match (factors, if old { None } else { input(3)? }) {
            (Some(factors), None) => {
                axes.iter().zip(&factors).for_each(|(&axis, &factor)| whole[axis] = factor);
                sides.iter_mut().zip(&whole).for_each(|(side, &factor)| *side = multiplied(*side, factor.into()));
                factors.len()
            }
            (None, Some((asked, _))) => {
                let asked = asked.ints()?;
                for (&axis, &side) in axes.iter().zip(&asked) {
                    // A file that was traced with one sample may say 1 for any number of them.
                    let samples = axis == 0 && self.batched && (side == BATCH || (side == 1 && self.batch.is_none()));
                    sides[axis] = if samples { shape[0] } else { usize::try_from(side).unwrap_or(0) };
                }
                self.keep_aspect(node, &axes, &shape, &mut sides, &mut whole)?;
                asked.len()
            }
            _ => return Err(node.malformed("either factors or sides", "none or both")),
        };
        if old && mode == Interpolation::Nearest && whole.iter().any(|&factor| factor < 1.0) {
            // Up to operator set 10 places of what shrinks are rounded up, of what grows down.
            if whole.iter().any(|&factor| factor > 1.0) {
                return Err(node.unsupported("growing and shrinking together", "either, or operator set 11"));
            }
            resize.nearest = Rounding::Ceil;
        }
        if listed != axes.len() {
            return Err(node.malformed(&format!("a number for each of {} axes", axes.len()), listed.to_string()));
        }
        let lead = usize::from(self.batched);
        if self.batched && (sides[0], whole[0]) != (shape[0], 1.0) {
            return Err(self.no_batch(node, "other sides of the samples"));
        }
        let (sides, mut whole) = (sides[lead..].to_vec(), whole[lead..].to_vec());
        if whole.iter().all(|&factor| factor == 1.0) {
            // Sides are factors, too, if these are exact.
            whole = sides.iter().zip(&shape[lead..]).map(|(&to, &from)| (to as f64 / from as f64) as f32).collect();
            let exact = |((&to, &from), &factor): ((&usize, &usize), &f32)| {
                f64::from(factor) * from as f64 == to as f64 && f64::from(factor) == to as f64 / from as f64
            };
            if !sides.iter().zip(&shape[lead..]).zip(&whole).all(exact) {
                return self.push(node, Op::Resize(Resize { sides, ..resize }), vec![id]);
            }
        }
        resize.factors = whole.into_iter().map(Number::new).collect();
        self.push(node, Op::Resize(resize), vec![id])
    }

    /// One factor for all axes, so that the sides are at most, or at least, those that were asked for.
    fn keep_aspect(
        &self,
        node: &'a Node<'a>,
        axes: &[usize],
        shape: &[usize],
        sides: &mut [usize],
        factors: &mut [f32],
    ) -> Result<(), LoadError> {
        let asked = axes.iter().map(|&axis| sides[axis] as f64 / shape[axis] as f64);
        let factor = match node.text("keep_aspect_ratio_policy", "stretch")? {
            "stretch" => return Ok(()),
            "not_larger" => asked.fold(f64::INFINITY, f64::min),
            "not_smaller" => asked.fold(0.0, f64::max),
            other => return Err(node.malformed("a policy of stretch, not_larger or not_smaller", other)),
        };
        for &axis in axes {
            factors[axis] = factor as f32;
            sides[axis] = multiplied(shape[axis], f64::from(factors[axis]));
            if sides[axis] as f64 != (factor * shape[axis] as f64 + 0.5).floor() {
                return Err(node.unsupported("keep_aspect_ratio_policy with sides that are rounded", "whole sides"));
            }
        }
        Ok(())
    }
}

/// One of several names in an attribute.
fn choice<T>(node: &Node, name: &str, default: T) -> Result<T, LoadError>
where
    T: Copy + FromStr + VariantArray + Into<&'static str>,
{
    if !node.has(name) {
        return Ok(default);
    }
    let text = node.text(name, "")?;
    let known = || T::VARIANTS.iter().map(|&known| known.into()).collect::<Vec<&str>>().join(", ");
    text.parse().map_err(|_| node.unsupported(format!("{name} {text}"), &known()))
}
