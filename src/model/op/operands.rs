//! What an operator reads, as its shape is made of that, and the checks that several operators share.

use crate::error::GraphError;

/// The most elements that one value may have (2^31): far above what a tab can hold, low enough that products fit.
const MAX_ELEMENTS: usize = 1 << 31;

/// Index of a parameter in [`Model::parameters`](crate::model::Model::parameters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(pub usize);

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

/// Number of elements, if it fits.
pub fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))
}

/// Proves that a shape has at least one element, and not too many.
pub fn check_size(name: &str, shape: &[usize]) -> Result<(), GraphError> {
    match elements(shape) {
        Some(1..=MAX_ELEMENTS) => Ok(()),
        _ => {
            let got = format!("{shape:?}");
            Err(GraphError::new(name, "", "number of elements", format!("1 to {MAX_ELEMENTS}"), got))
        }
    }
}

/// The shapes that an operator reads, with its name for errors.
pub struct Operands<'a> {
    /// Name of the node.
    pub node: &'a str,
    /// Name of the operator.
    pub op: &'static str,
    /// As many as the operator reads, each proved to be of a size that is allowed.
    pub inputs: &'a [&'a [usize]],
    /// Shapes of all parameters.
    pub parameters: &'a [Vec<usize>],
}

impl<'a> Operands<'a> {
    pub fn fault(&self, what: &'static str, expected: impl ToString, got: impl ToString) -> GraphError {
        GraphError::new(self.node, self.op, what, expected, got)
    }

    /// Two shapes that should fit and do not.
    pub fn apart(&self, a: &[usize], b: &[usize]) -> GraphError {
        self.fault("shapes", format!("one that fits {a:?}"), format!("{b:?}"))
    }

    /// The first input; empty if there is none.
    pub fn input(&self) -> &'a [usize] {
        self.inputs.first().copied().unwrap_or_default()
    }

    /// The shape that both inputs are broadcast to.
    pub fn broadcast(&self) -> Result<Vec<usize>, GraphError> {
        broadcast(self.inputs[0], self.inputs[1]).ok_or_else(|| self.apart(self.inputs[0], self.inputs[1]))
    }

    /// The shape of a parameter.
    pub fn parameter(&self, id: ParamId) -> Result<&'a [usize], GraphError> {
        let shape = self.parameters.get(id.0).map(Vec::as_slice);
        shape.ok_or_else(|| self.fault("parameter", format!("an index below {}", self.parameters.len()), id.0))
    }

    /// The shape of a weight, whose sides have names.
    pub fn weight<const N: usize>(&self, id: ParamId, sides: &str) -> Result<[usize; N], GraphError> {
        let shape = self.parameter(id)?;
        shape.try_into().map_err(|_| self.fault("shape of the weight", sides, format!("{shape:?}")))
    }

    pub fn check_bias(&self, bias: Option<ParamId>, out: usize) -> Result<(), GraphError> {
        match bias.map(|bias| self.parameter(bias)).transpose()? {
            Some(shape) if shape != [out] => {
                Err(self.fault("shape of the bias", format!("[{out}]"), format!("{shape:?}")))
            }
            _ => Ok(()),
        }
    }

    /// The axes before an image, and the image `[channels, height, width]`.
    pub fn image(&self) -> Result<(&'a [usize], [usize; 3]), GraphError> {
        let input = self.input();
        let image = input.split_last_chunk::<3>().map(|(lead, image)| (lead, *image));
        image.ok_or_else(|| self.fault("shape of the input", "[channels, height, width]", format!("{input:?}")))
    }

    pub fn check_axes(&self, axes: &[usize]) -> Result<(), GraphError> {
        let rank = self.input().len();
        if axes.windows(2).all(|pair| pair[0] < pair[1]) && axes.iter().all(|&axis| axis < rank) {
            return Ok(());
        }
        Err(self.fault("axes", format!("rising, below {rank}"), format!("{axes:?}")))
    }

    /// Proves that lists have one number for each axis.
    pub fn check_rank<const N: usize>(&self, lengths: [usize; N]) -> Result<(), GraphError> {
        let rank = self.input().len();
        if lengths.iter().all(|&length| length == rank) {
            return Ok(());
        }
        Err(self.fault("numbers", format!("one for each of {rank} axes"), format!("{lengths:?}")))
    }

    /// How many windows fit, vertically and horizontally. With `ceil`, a last one that is partly covered counts.
    pub fn windows(
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
                let expected = format!("a kernel and stride of at least 1 inside {size:?} padded by {pads:?}");
                return Err(self.fault("window", expected, format!("kernel {kernel:?}, stride {stride:?}")));
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
