//! `ConvTranspose`: a convolution of the image with zeros between its pixels, by the same kernels turned round.

use super::graph::Node;
use super::importer::{Importer, Readers};
use super::layers::named;
use crate::error::LoadError;
use crate::model::{Conv, Number, Op, Pad, PadMode, Slice};

/// The operators that are read here.
pub const READERS: Readers = &[(&["ConvTranspose"], |importer, node| importer.conv_transpose(node))];

/// The largest kernel, and the root of the largest side of an image.
const MAX_SIDE: usize = 1 << 15;

impl<'a> Importer<'a> {
    fn conv_transpose(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[
            "auto_pad",
            "dilations",
            "group",
            "kernel_shape",
            "output_padding",
            "output_shape",
            "pads",
            "strides",
        ])?;
        let (tensor, of) = self.constant(node, 1)?.ok_or_else(|| node.malformed("a weight", "none"))?;
        // As many as the shape asks for: its product fits.
        let values = tensor.floats()?;
        let (inputs, per_group, kernel) = match of[..] {
            [inputs, out, width] => (inputs, out, [1, width]),
            [inputs, out, height, width] => (inputs, out, [height, width]),
            _ => return Err(node.unsupported(format!("a weight of shape {of:?}"), "[in, out, (height,) width]")),
        };
        let axes = of.len() - 2;
        let group = node.int("group", 1)?;
        let groups = usize::try_from(group).ok().filter(|&groups| groups > 0 && inputs > 0 && inputs % groups == 0);
        let groups = groups
            .ok_or_else(|| node.malformed(&format!("groups that divide {inputs} channels"), group.to_string()))?;
        let input = self.value(node, 0)?;
        let mut id = self.image(node, input, axes)?;
        let Some((lead, &[height, width])) =
            self.shape_of(id).to_vec().split_last_chunk::<2>().map(|(lead, size)| (lead.to_vec(), size))
        else {
            return Err(node.unsupported("an input that is no image", "[batch, channels, height, width]"));
        };
        let size = [height, width];
        let dilation = self.sides(node, "dilations", axes, 1)?;
        let stride = self.sides(node, "strides", axes, 1)?;
        if stride.contains(&0) || dilation.contains(&0) || kernel.contains(&0) {
            return Err(node.malformed(
                "strides, dilations and kernels of at least 1",
                format!("{stride:?}, {dilation:?}, {kernel:?}"),
            ));
        }
        let small = |side: &usize| *side <= MAX_SIDE;
        if !kernel.iter().all(small) || !(0..2).all(|axis| size[axis] <= MAX_SIDE * MAX_SIDE / stride[axis]) {
            return Err(node.unsupported(format!("{kernel:?} over {size:?} by {stride:?}"), "smaller images"));
        }
        let [tall, wide] = self.sides(node, "output_padding", axes, 0)?;
        let more = [if axes == 1 { 0 } else { tall }, wide];
        let reach = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
        let auto = node.text("auto_pad", "NOTSET")?;
        let asked = match node.has("output_shape") {
            // Some files have the batch and the channels before the sides.
            true => {
                let sides = node.ints("output_shape")?.unwrap_or_default();
                let sides: Vec<usize> = sides
                    .iter()
                    .rev()
                    .take(axes)
                    .rev()
                    .filter_map(|&side| usize::try_from(side).ok())
                    .filter(|&side| side <= MAX_SIDE * MAX_SIDE)
                    .collect();
                match sides[..] {
                    [wide] if axes == 1 => Some([1, wide]),
                    [tall, wide] => Some([tall, wide]),
                    _ => return Err(node.malformed("an output_shape of the sides", format!("{sides:?}"))),
                }
            }
            false if auto.starts_with("SAME") => Some([0, 1].map(|axis| size[axis] * stride[axis])),
            false => None,
        };
        let mut pads = match self.list(node, "pads", 2 * axes, 0)?[..] {
            [left, right] => [0, left, 0, right],
            [top, left, bottom, right] => [top, left, bottom, right],
            _ => [0; 4],
        }
        .map(|pad| pad as isize);
        if let Some(asked) = asked {
            for axis in 0..2 {
                let all = stride[axis] * (size[axis] - 1) + more[axis] + reach[axis];
                let total = all as isize - asked[axis] as isize;
                // What is missing comes behind.
                let (less, more) = (total.max(0) / 2, total.max(0) - total.max(0) / 2);
                (pads[axis], pads[axis + 2]) = if auto == "SAME_UPPER" { (less, more) } else { (more, less) };
                pads[axis + 2] += total.min(0);
            }
        }
        // Each pixel gets zeros behind it, also the last: they are part of what is padded.
        for axis in 0..2 {
            pads[axis] = reach[axis] as isize - 1 - pads[axis];
            pads[axis + 2] =
                reach[axis] as isize - 1 - pads[axis + 2] + more[axis] as isize - (stride[axis] as isize - 1);
        }
        if stride != [1, 1] {
            let apart = [&lead[..], &[height, 1, width, 1]].concat();
            let (before, mut after) = (vec![0; apart.len()], vec![0; apart.len()]);
            (after[lead.len() + 1], after[lead.len() + 3]) = (stride[0] - 1, stride[1] - 1);
            id = self.emit(node, Op::Reshape(apart), vec![id])?;
            let pad = Pad { before, after, mode: PadMode::Constant, value: Number::default() };
            id = self.emit(node, Op::Pad(pad), vec![id])?;
            let wide = [&lead[..], &[height * stride[0], width * stride[1]]].concat();
            id = self.emit(node, Op::Reshape(wide), vec![id])?;
        }
        if pads.iter().any(|&pad| pad < 0) {
            let mut slice = Slice { starts: vec![0; lead.len() + 2], ..Slice::default() };
            slice.lengths = self.shape_of(id).to_vec();
            slice.steps = vec![1; lead.len() + 2];
            for axis in 0..2 {
                let [before, after] = [pads[axis], pads[axis + 2]].map(|pad| pad.min(0).unsigned_abs());
                let (length, start) = (&mut slice.lengths[lead.len() + axis], &mut slice.starts[lead.len() + axis]);
                *start = before;
                *length = length
                    .checked_sub(before + after)
                    .filter(|&left| left > 0)
                    .ok_or_else(|| node.malformed("pads that leave something", format!("{pads:?}")))?;
            }
            id = self.emit(node, Op::Slice(slice), vec![id])?;
        }
        let taps = kernel[0] * kernel[1];
        let of_group = inputs / groups;
        let mut turned = Vec::with_capacity(values.len());
        for out in 0..per_group * groups {
            for channel in 0..of_group {
                let from = (out / per_group * of_group + channel) * per_group + out % per_group;
                turned.extend(values[from * taps..][..taps].iter().rev());
            }
        }
        let out = per_group * groups;
        let weight = self.parameter(&named(node, &tensor, "weight"), &[out, of_group, kernel[0], kernel[1]], turned)?;
        let bias = self.bias(node, 2, out, 1.0)?;
        let pads = pads.map(|pad| pad.max(0) as usize);
        let conv = Conv { weight, bias, stride: [1, 1], pads, groups, dilation };
        id = self.emit(node, Op::Conv(conv), vec![id])?;
        self.define_image(node, id, axes)
    }
}
