//! The operators on windows of an image, and products with matrices.

use super::graph::{Operator, Options};
use super::layout::{channels_first, elements, permuted, plain};
use super::translate::{Translator, Value};
use crate::error::LoadError;
use crate::formats::import::Attribute;
use crate::model::broadcast;

/// The largest kernel and step, in pixels.
const MAX_SIDE: i32 = 1 << 15;

/// How a window moves over an image.
struct Window {
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Zeros at the top, left, bottom and right; `None` for as many as make one output for each step (SAME).
    pads: Option<[usize; 4]>,
    /// Sides of the output.
    out: [usize; 2],
}

impl Window {
    fn attributes(&self) -> Vec<(&'static str, Attribute<'static>)> {
        let pads = match &self.pads {
            Some(pads) => ("pads", Attribute::sizes(pads)),
            None => ("auto_pad", Attribute::Text(b"SAME_UPPER")),
        };
        vec![("strides", Attribute::sizes(&self.stride)), pads]
    }
}

impl Translator<'_> {
    /// A height and a width from two options, each 1 if it is left out and `default` says so.
    fn sides(&self, op: &Operator, options: &Options, at: [usize; 2], default: i32) -> Result<[usize; 2], LoadError> {
        let mut sides = [0; 2];
        for (side, at) in sides.iter_mut().zip(at) {
            let value = options.int(at, default)?;
            if !(1..=MAX_SIDE).contains(&value) {
                return Err(self.malformed(op, &format_args!("kernels and steps of 1 to {MAX_SIDE}"), &value));
            }
            *side = value as usize;
        }
        Ok(sides)
    }

    /// The window of an operator on an image of so many pixels, which is padded by zeros already where `padded` says so.
    fn window(
        &self,
        op: &Operator,
        options: &Options,
        image: [usize; 2],
        kernel: [usize; 2],
        dilation: [usize; 2],
        padded: [usize; 4],
    ) -> Result<Window, LoadError> {
        let stride = self.sides(op, options, [2, 1], 0)?;
        let same = match options.byte(0)? {
            0 => true,
            1 => false,
            other => return Err(self.malformed(op, &"a padding of SAME (0) or VALID (1)", &other)),
        };
        let mut out = [0; 2];
        for axis in 0..2 {
            let reach = kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]).saturating_add(1);
            let side = image[axis].saturating_add(padded[axis]).saturating_add(padded[axis + 2]);
            let steps = if same { side.checked_sub(1) } else { side.checked_sub(reach) };
            let steps = steps.ok_or_else(|| self.malformed(op, &"an image that has room for its window", &side))?;
            out[axis] = steps / stride[axis] + 1;
        }
        Ok(Window { stride, dilation, pads: (!same).then_some(padded), out })
    }

    /// An image, and its shape `[samples, height, width, channels]`.
    fn image(&mut self, op: &Operator) -> Result<(Value, [usize; 4]), LoadError> {
        let value = self.shaped(op, 0)?;
        match value.shape[..] {
            [samples, height, width, channels] => Ok((value, [samples, height, width, channels])),
            _ => Err(self.unsupported(op, &format_args!("an input of {:?}", value.shape), "four dimensions")),
        }
    }

    /// A constant vector, such as a bias; `None` if it is left out.
    fn vector(&mut self, op: &Operator, index: usize) -> Result<Option<String>, LoadError> {
        if Self::optional(op, index).is_none() {
            return Ok(None);
        }
        let (at, tensor) = self.constant_input(op, index)?;
        let length = tensor.len();
        self.constant(tensor, at, &[length], &[0], &[length]).map(Some)
    }

    /// A convolution. Its weights are `[outputs, height, width, inputs of a group]`, if each channel is by itself `[1, height, width, outputs]`.
    pub fn conv(&mut self, op: &Operator, depthwise: bool) -> Result<(), LoadError> {
        let later = usize::from(depthwise);
        let options = op.options(1 + later as u8);
        let (mut value, [samples, mut height, mut width, channels]) = self.image(op)?;
        let (at, weight) = self.constant_input(op, 1)?;
        let &[first, tall, wide, last] = weight.shape.as_slice() else {
            return Err(self.malformed(op, &"a weight of four dimensions", &format_args!("{:?}", weight.shape)));
        };
        let (order, outputs, inputs) =
            if depthwise { ([3, 0, 1, 2], last, first) } else { ([0, 3, 1, 2], first, last) };
        if inputs == 0 || !channels.is_multiple_of(inputs) || (depthwise && inputs != 1) {
            let expected = format!("a weight for {channels} channels");
            return Err(self.malformed(op, &expected, &format_args!("{:?}", weight.shape)));
        }
        let groups = channels / inputs;
        let mut padded = [0; 4];
        // Zeros around the image are those of the window, if it adds none itself.
        if let Some((inner, pads)) = &self.padded[self.input(op, 0)?]
            && options.byte(0)? == 1
        {
            (value, padded) = (inner.clone(), *pads);
            (height, width) = (value.shape[1], value.shape[2]);
        }
        let dilation = self.sides(op, &options, [5 + later, 4 + later], 1)?;
        let window = self.window(op, &options, [height, width], [tall, wide], dilation, padded)?;
        let image = self.ordered(value, &channels_first(4))?;
        let weight = self.constant(weight, at, &weight.shape, &order, &permuted(&weight.shape, &order))?;
        let bias = self.vector(op, 2)?;
        let inputs: Vec<&str> = [&image, &weight].into_iter().chain(&bias).map(String::as_str).collect();
        let mut attributes = window.attributes();
        attributes.push(("dilations", Attribute::sizes(&window.dilation)));
        attributes.push(("group", Attribute::Int(groups as i64)));
        let name = self.node("Conv", &inputs, attributes, self.stem(op))?;
        let name = self.activated(op, name, options.byte(3 + later)?)?;
        let shape = vec![samples, window.out[0], window.out[1], outputs];
        self.define(op, 0, Value { name, shape, order: channels_first(4), flat: false })
    }

    /// The maximum or the mean over a window; zeros that are added do not count.
    pub fn pool(&mut self, op: &Operator, function: &'static str) -> Result<(), LoadError> {
        const POOL_2D_OPTIONS: u8 = 5;
        let options = op.options(POOL_2D_OPTIONS);
        let (value, [samples, height, width, channels]) = self.image(op)?;
        let kernel = self.sides(op, &options, [4, 3], 0)?;
        let window = self.window(op, &options, [height, width], kernel, [1, 1], [0; 4])?;
        let image = self.ordered(value, &channels_first(4))?;
        let mut attributes = window.attributes();
        attributes.push(("kernel_shape", Attribute::sizes(&kernel)));
        let name = self.node(function, &[&image], attributes, self.stem(op))?;
        let name = self.activated(op, name, options.byte(5)?)?;
        let shape = vec![samples, window.out[0], window.out[1], channels];
        self.define(op, 0, Value { name, shape, order: channels_first(4), flat: false })
    }

    /// A product with a constant matrix `[outputs, inputs]`. What is multiplied is all of a sample, or the last axis.
    pub fn fully_connected(&mut self, op: &Operator) -> Result<(), LoadError> {
        const FULLY_CONNECTED_OPTIONS: u8 = 8;
        let options = op.options(FULLY_CONNECTED_OPTIONS);
        let (activation, shuffled, keep) = (options.byte(0)?, options.byte(1)? != 0, options.byte(2)? != 0);
        if shuffled {
            return Err(self.unsupported(op, &"shuffled weights", "weights in their order"));
        }
        let mut value = self.value(op, 0)?;
        let (at, weight) = self.constant_input(op, 1)?;
        let &[outputs, inputs] = weight.shape.as_slice() else {
            return Err(self.malformed(op, &"a weight of two dimensions", &format_args!("{:?}", weight.shape)));
        };
        let bias = self.vector(op, 2)?;
        let seen = value.seen();
        let stem = self.stem(op);
        let whole = seen.len() > 1 && elements(&seen[1..]) == inputs && value.order[0] == 0;
        if whole && (seen.len() == 2 || !keep) {
            let samples = seen[0];
            // The sample as it lies: its elements are in other places than the file has them, and so are the columns.
            let view = [&[outputs], &value.shape[1..]].concat();
            let weight = self.constant(weight, at, &view, &value.order, &[outputs, inputs])?;
            if value.shape.len() > 2 {
                value.name = self.node("Flatten", &[&value.name], vec![], stem)?;
            }
            let operands: Vec<&str> = [&value.name, &weight].into_iter().chain(&bias).map(String::as_str).collect();
            let name = self.node("Gemm", &operands, vec![("transB", Attribute::Int(1))], stem)?;
            let name = self.activated(op, name, activation)?;
            return self.define(op, 0, Value::plain(name, vec![samples, outputs]));
        }
        let total = elements(&seen);
        if !total.is_multiple_of(inputs) || inputs == 0 || (keep && seen.last() != Some(&inputs)) {
            return Err(self.malformed(op, &format_args!("vectors of {inputs}"), &format_args!("{seen:?}")));
        }
        let mut name = self.ordered(value, &plain(seen.len()))?;
        let mut shape = seen;
        if !keep {
            shape = vec![total / inputs, inputs];
            name = self.reshape(&name, &shape, stem)?;
        }
        let weight = self.constant(weight, at, &[outputs, inputs], &[1, 0], &[inputs, outputs])?;
        let mut name = self.node("MatMul", &[&name, &weight], vec![], stem)?;
        if let Some(bias) = bias {
            name = self.node("Add", &[&name, &bias], vec![], stem)?;
        }
        let name = self.activated(op, name, activation)?;
        shape.pop();
        shape.push(outputs);
        self.define(op, 0, Value::plain(name, shape))
    }

    /// A product of matrices, each turned first or not.
    pub fn matmul(&mut self, op: &Operator) -> Result<(), LoadError> {
        const BATCH_MATMUL_OPTIONS: u8 = 101;
        let options = op.options(BATCH_MATMUL_OPTIONS);
        let mut names = Vec::new();
        let mut shapes = Vec::new();
        for index in 0..2 {
            let value = self.shaped(op, index)?;
            let rank = value.shape.len();
            if rank < 2 {
                return Err(self.malformed(op, &"matrices", &format_args!("{:?}", value.shape)));
            }
            let mut order = plain(rank);
            if options.byte(index)? != 0 {
                order.swap(rank - 1, rank - 2);
            }
            shapes.push(permuted(&value.shape, &order));
            names.push(self.ordered(value, &order)?);
        }
        let (one, other) = (&shapes[0], &shapes[1]);
        let (Some((lead, &[rows, inner])), Some((next, &[also_inner, columns]))) =
            (one.split_last_chunk(), other.split_last_chunk())
        else {
            return Err(self.malformed(op, &"matrices", &format_args!("{shapes:?}")));
        };
        let lead = broadcast(lead, next).filter(|_| inner == also_inner);
        let Some(lead) = lead else {
            return Err(self.malformed(op, &"matrices that fit", &format_args!("{shapes:?}")));
        };
        let shape = [&lead[..], &[rows, columns]].concat();
        let name = self.node("MatMul", &[&names[0], &names[1]], vec![], self.stem(op))?;
        self.define(op, 0, Value::plain(name, shape))
    }
}
