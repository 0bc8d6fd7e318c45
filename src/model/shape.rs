//! The shape that an operator makes of those that it reads.

use super::{Graph, Node, Op, ParamId, Slice};
use crate::error::GraphError;

/// The most elements that one value may have (2^31): far above what a tab can hold, low enough that products fit.
const MAX_ELEMENTS: usize = 1 << 31;

/// The most pixels that the kernels of a dilated convolution may cover.
const MAX_DILATED: usize = 1 << 26;

/// The shape that two are broadcast to; `None` if an axis has two different sides, neither of them 1.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let side = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let sides = (0..rank).map(|axis| match (side(a, axis), side(b, axis)) {
        (1, side) | (side, 1) => Some(side),
        (a, b) => (a == b).then_some(a),
    });
    sides.collect()
}

/// Proves that a shape has at least one element, and not too many.
fn check_size(name: &str, shape: &[usize]) -> Result<(), GraphError> {
    let elements = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    match elements {
        Some(1..=MAX_ELEMENTS) => Ok(()),
        _ => Err(GraphError {
            node: name.to_owned(),
            op: "",
            what: "number of elements",
            expected: format!("1 to {MAX_ELEMENTS}"),
            got: format!("{shape:?}"),
        }),
    }
}

impl Graph {
    /// Shape of every value, indexed by [`ValueId`], from the shapes of the parameters.
    ///
    /// # Errors
    /// [`GraphError`] names the node at which the shapes do not fit.
    pub fn shapes(&self, parameter_shapes: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, GraphError> {
        let mut shapes = vec![self.input_shape.clone()];
        check_size("input", &self.input_shape)?;
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(bad) = node.inputs.iter().find(|value| value.0 > index) {
                return Err(node.fault(
                    "an input made by an earlier node",
                    format!("value 0 to {index}"),
                    format!("value {}", bad.0),
                ));
            }
            let inputs: Vec<&[usize]> = node.inputs.iter().map(|value| shapes[value.0].as_slice()).collect();
            let shape = node.output_shape(&inputs, parameter_shapes)?;
            shapes.push(shape);
        }
        Ok(shapes)
    }
}

impl Node {
    fn fault(&self, what: &'static str, expected: String, got: String) -> GraphError {
        GraphError { node: self.name.clone(), op: self.op.name(), what, expected, got }
    }

    fn parameter<'a>(&self, id: ParamId, shapes: &'a [Vec<usize>]) -> Result<&'a [usize], GraphError> {
        shapes
            .get(id.0)
            .map(Vec::as_slice)
            .ok_or_else(|| self.fault("parameter", format!("an index below {}", shapes.len()), id.0.to_string()))
    }

    fn check_bias(&self, bias: Option<ParamId>, out: usize, shapes: &[Vec<usize>]) -> Result<(), GraphError> {
        let Some(bias) = bias else { return Ok(()) };
        let shape = self.parameter(bias, shapes)?;
        if shape != [out] {
            return Err(self.fault("shape of the bias", format!("[{out}]"), format!("{shape:?}")));
        }
        Ok(())
    }

    /// The axes before an image, and the image.
    fn image<'a>(&self, shape: &'a [usize]) -> Result<(&'a [usize], [usize; 3]), GraphError> {
        shape
            .split_last_chunk::<3>()
            .map(|(lead, image)| (lead, *image))
            .ok_or_else(|| self.fault("shape of the input", "[channels, height, width]".into(), format!("{shape:?}")))
    }

    /// Shape of the output, one sample of it. There are as many `inputs` as the operator reads, and each was proved to
    /// be of a size that is allowed.
    pub(crate) fn output_shape(
        &self,
        inputs: &[&[usize]],
        parameters: &[Vec<usize>],
    ) -> Result<Vec<usize>, GraphError> {
        let shape = self.unchecked_shape(inputs, parameters)?;
        check_size(&self.name, &shape)?;
        Ok(shape)
    }

    fn unchecked_shape(&self, inputs: &[&[usize]], parameters: &[Vec<usize>]) -> Result<Vec<usize>, GraphError> {
        if !self.op.arity().contains(&inputs.len()) {
            let arity = self.op.arity();
            return Err(self.fault("inputs", arity.start().to_string(), inputs.len().to_string()));
        }
        let input = inputs.first().copied().unwrap_or_default();
        let rank = input.len();
        let elements = |shape: &[usize]| shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        match &self.op {
            Op::Conv(conv) => {
                let (lead, [channels, height, width]) = self.image(input)?;
                let weight = self.parameter(conv.weight, parameters)?;
                let &[out, per_group, kernel_height, kernel_width] = weight else {
                    return Err(self.fault("shape of the weight", "[out, in, kh, kw]".into(), format!("{weight:?}")));
                };
                if conv.groups == 0 || out % conv.groups != 0 || per_group.checked_mul(conv.groups) != Some(channels) {
                    return Err(self.fault(
                        "channels",
                        format!("{per_group} x {} groups, and outputs that the groups divide", conv.groups),
                        format!("{channels} in, {out} out"),
                    ));
                }
                self.check_bias(conv.bias, out, parameters)?;
                let kernel = self.dilated([kernel_height, kernel_width], conv.dilation)?;
                let taps = kernel[0].checked_mul(kernel[1]).and_then(|area| elements(&[out, per_group, area]));
                if conv.dilation != [1, 1] && taps.is_none_or(|taps| taps > MAX_DILATED) {
                    // A layer holds its kernels with the zeros between the taps.
                    let expected = format!("kernels of at most {MAX_DILATED} pixels");
                    return Err(self.fault("dilation", expected, format!("{:?}", conv.dilation)));
                }
                let [height, width] = self.windows([height, width], kernel, conv.stride, conv.pads, false)?;
                Ok([lead, &[out, height, width]].concat())
            }
            Op::Linear(linear) => {
                let weight = self.parameter(linear.weight, parameters)?;
                let &[out, features] = weight else {
                    return Err(self.fault("shape of the weight", "[out, in]".into(), format!("{weight:?}")));
                };
                let Some((_, lead)) = input.split_last().filter(|(last, _)| **last == features) else {
                    return Err(self.fault("shape of the input", format!("[{features}]"), format!("{input:?}")));
                };
                self.check_bias(linear.bias, out, parameters)?;
                Ok([lead, &[out]].concat())
            }
            Op::Add | Op::Binary(_) => broadcast(input, inputs[1]).ok_or_else(|| self.apart(input, inputs[1])),
            Op::Relu | Op::Unary(_) => Ok(input.to_vec()),
            Op::MaxPool(pool) | Op::AveragePool(pool) => {
                let (lead, [channels, height, width]) = self.image(input)?;
                let fits = |pad: usize, kernel: usize| pad < kernel;
                let [top, left, bottom, right] = pool.pads;
                let [kernel_height, kernel_width] = pool.kernel;
                if !(fits(top, kernel_height)
                    && fits(bottom, kernel_height)
                    && fits(left, kernel_width)
                    && fits(right, kernel_width))
                {
                    return Err(self.fault(
                        "pads",
                        format!("less than the kernel {:?}", pool.kernel),
                        format!("{:?}", pool.pads),
                    ));
                }
                let [height, width] = self.windows([height, width], pool.kernel, pool.stride, pool.pads, pool.ceil)?;
                Ok([lead, &[channels, height, width]].concat())
            }
            Op::GlobalAveragePool => {
                let (lead, [channels, ..]) = self.image(input)?;
                Ok([lead, &[channels, 1, 1]].concat())
            }
            Op::Flatten => Ok(vec![input.iter().product()]),
            Op::Softmax | Op::LogSoftmax => match input {
                [] => Err(self.fault("shape of the input", "at least one axis".into(), "none".into())),
                shape => Ok(shape.to_vec()),
            },
            Op::MatMul => {
                let (a, b) = (input, inputs[1]);
                let (Some((lead_a, &[m, k])), Some((lead_b, &[inner, n]))) =
                    (a.split_last_chunk::<2>(), b.split_last_chunk::<2>())
                else {
                    return Err(self.fault("shapes", "two axes at least".into(), format!("{a:?} and {b:?}")));
                };
                let lead = broadcast(lead_a, lead_b).filter(|_| k == inner).ok_or_else(|| self.apart(a, b))?;
                Ok([&lead[..], &[m, n]].concat())
            }
            Op::Normalize(normalize) => {
                self.check_axes(&[normalize.axis], rank)?;
                Ok(input.to_vec())
            }
            Op::Reduce(reduce) => {
                self.check_axes(&reduce.axes, rank)?;
                let side = |(axis, &side): (usize, &usize)| if reduce.axes.contains(&axis) { 1 } else { side };
                Ok(input.iter().enumerate().map(side).collect())
            }
            Op::Reshape(shape) => {
                if elements(shape) != elements(input) {
                    return Err(self.fault("shape", format!("as many elements as {input:?}"), format!("{shape:?}")));
                }
                Ok(shape.clone())
            }
            Op::Transpose(order) => {
                if order.len() != rank || !(0..rank).all(|axis| order.contains(&axis)) {
                    return Err(self.fault(
                        "order of the axes",
                        format!("each axis below {rank}"),
                        format!("{order:?}"),
                    ));
                }
                Ok(order.iter().map(|&axis| input[axis]).collect())
            }
            Op::Slice(slice) => self.slice(slice, input),
            Op::Gather(gather) => {
                self.check_axes(&[gather.axis], rank)?;
                if let Some(bad) = gather.indices.iter().find(|&&index| index >= input[gather.axis]) {
                    return Err(self.fault("index", format!("below {}", input[gather.axis]), bad.to_string()));
                }
                let mut shape = input.to_vec();
                shape[gather.axis] = gather.indices.len();
                Ok(shape)
            }
            Op::Concat(axis) => {
                self.check_axes(&[*axis], rank)?;
                let mut shape = input.to_vec();
                for other in &inputs[1..] {
                    let fits = other.len() == rank && (0..rank).all(|at| at == *axis || other[at] == input[at]);
                    let side = if fits { shape[*axis].checked_add(other[*axis]) } else { None };
                    shape[*axis] = side.ok_or_else(|| self.apart(input, other))?;
                }
                Ok(shape)
            }
            Op::Pad(pad) => {
                self.check_rank([pad.before.len(), pad.after.len()], rank)?;
                let sides =
                    (0..rank).map(|axis| input[axis].checked_add(pad.before[axis])?.checked_add(pad.after[axis]));
                let sides: Option<Vec<usize>> = sides.collect();
                sides.ok_or_else(|| self.fault("pads", "sides that fit".into(), format!("{:?}", pad.before)))
            }
            Op::Expand(shape) => match broadcast(input, shape) {
                Some(broadcast) if broadcast == *shape => Ok(broadcast),
                _ => Err(self.apart(input, shape)),
            },
            Op::Parameter(id) => Ok(self.parameter(*id, parameters)?.to_vec()),
            Op::Input(part) => {
                let end = elements(&part.shape).and_then(|length| length.checked_add(part.start));
                if end.is_none_or(|end| end > input.iter().product()) {
                    let got = format!("{:?} at {}", part.shape, part.start);
                    return Err(self.fault("shape", format!("a part of {input:?}"), got));
                }
                Ok(part.shape.clone())
            }
            Op::Outputs => {
                let sum = |sum: usize, shape: &&[usize]| sum.checked_add(elements(shape)?);
                let total = inputs.iter().try_fold(0, sum);
                total
                    .map(|total| vec![total])
                    .ok_or_else(|| self.fault("outputs", "sizes that fit".into(), "more".into()))
            }
        }
    }

    fn apart(&self, a: &[usize], b: &[usize]) -> GraphError {
        self.fault("shapes", format!("one that fits {a:?}"), format!("{b:?}"))
    }

    fn check_axes(&self, axes: &[usize], rank: usize) -> Result<(), GraphError> {
        if axes.windows(2).all(|pair| pair[0] < pair[1]) && axes.iter().all(|&axis| axis < rank) {
            return Ok(());
        }
        Err(self.fault("axes", format!("rising, below {rank}"), format!("{axes:?}")))
    }

    fn check_rank<const N: usize>(&self, lengths: [usize; N], rank: usize) -> Result<(), GraphError> {
        if lengths.iter().all(|&length| length == rank) {
            return Ok(());
        }
        Err(self.fault("numbers", format!("one for each of {rank} axes"), format!("{lengths:?}")))
    }

    fn slice(&self, slice: &Slice, input: &[usize]) -> Result<Vec<usize>, GraphError> {
        self.check_rank([slice.starts.len(), slice.steps.len(), slice.lengths.len()], input.len())?;
        for (axis, &side) in input.iter().enumerate() {
            let (start, step, length) = (slice.starts[axis], slice.steps[axis], slice.lengths[axis]);
            let way = isize::try_from(length.saturating_sub(1)).ok().and_then(|last| last.checked_mul(step));
            let last = way.and_then(|way| start.checked_add_signed(way));
            if start >= side || last.is_none_or(|last| last >= side) {
                let got = format!("{length} from {start} by {step}");
                return Err(self.fault("slice", format!("places below {side}"), got));
            }
        }
        Ok(slice.lengths.clone())
    }

    /// Sides of a kernel whose taps are some pixels apart.
    fn dilated(&self, kernel: [usize; 2], dilation: [usize; 2]) -> Result<[usize; 2], GraphError> {
        let side = |axis: usize| kernel[axis].checked_sub(1)?.checked_mul(dilation[axis])?.checked_add(1);
        match (side(0), side(1)) {
            (Some(height), Some(width)) if !dilation.contains(&0) => Ok([height, width]),
            _ => Err(self.fault("dilation", "at least 1, and taps".into(), format!("{dilation:?} of {kernel:?}"))),
        }
    }

    /// How many windows fit, vertically and horizontally.
    fn windows(
        &self,
        size: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        pads: [usize; 4],
        ceil: bool,
    ) -> Result<[usize; 2], GraphError> {
        let mut windows = [0; 2];
        for axis in 0..2 {
            let padded = pads[axis].checked_add(pads[axis + 2]).and_then(|pad| pad.checked_add(size[axis]));
            let room = padded.and_then(|padded| padded.checked_sub(kernel[axis]));
            let (Some(room), true) = (room, kernel[axis] > 0 && stride[axis] > 0) else {
                return Err(self.fault(
                    "window",
                    format!("a kernel and stride of at least 1 inside {size:?} padded by {pads:?}"),
                    format!("kernel {kernel:?}, stride {stride:?}"),
                ));
            };
            windows[axis] = room / stride[axis] + 1;
            // A last, partly covered window counts if it starts inside the image or its leading padding.
            if ceil && room % stride[axis] != 0 && windows[axis] * stride[axis] < size[axis] + pads[axis] {
                windows[axis] += 1;
            }
        }
        Ok(windows)
    }
}
