//! The operators with weights of their own: convolutions and fully connected layers.

use super::operands::{Operands, ParamId, elements};
use crate::error::GraphError;

/// The most pixels that the kernels of a dilated convolution may cover.
const MAX_DILATED: usize = 1 << 26;

/// A 2-D convolution, as ONNX means it (cross-correlation).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conv {
    /// `[out, in / groups, kernel height, kernel width]`.
    pub weight: ParamId,
    /// `[out]`.
    pub bias: Option<ParamId>,
    /// Vertical and horizontal step in pixels, each at least 1.
    pub stride: [usize; 2],
    /// Zeros added at the top, left, bottom and right, in pixels.
    pub pads: [usize; 4],
    /// Number of groups; divides both channel counts.
    pub groups: usize,
    /// Vertical and horizontal distance of the kernel's taps in pixels, each at least 1.
    pub dilation: [usize; 2],
}

/// A fully connected layer: `y = weight x + bias`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: ParamId,
    /// `[out]`.
    pub bias: Option<ParamId>,
}

impl Conv {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        let (lead, [channels, height, width]) = operands.image()?;
        let [out, per_group, kernel @ ..] = operands.weight::<4>(self.weight, "[out, in, kh, kw]")?;
        if self.groups == 0 || out % self.groups != 0 || per_group.checked_mul(self.groups) != Some(channels) {
            let expected = format!("{per_group} x {} groups, and outputs that the groups divide", self.groups);
            return Err(operands.fault("channels", expected, format!("{channels} in, {out} out")));
        }
        operands.check_bias(self.bias, out)?;
        let side = |axis: usize| kernel[axis].checked_sub(1)?.checked_mul(self.dilation[axis])?.checked_add(1);
        let (Some(tall), Some(wide), false) = (side(0), side(1), self.dilation.contains(&0)) else {
            let got = format!("{:?} of {kernel:?}", self.dilation);
            return Err(operands.fault("dilation", "at least 1, and taps", got));
        };
        let taps = elements(&[tall, wide, out, per_group]);
        if self.dilation != [1, 1] && taps.is_none_or(|taps| taps > MAX_DILATED) {
            // A layer holds its kernels with the zeros between the taps.
            let expected = format!("kernels of at most {MAX_DILATED} pixels");
            return Err(operands.fault("dilation", expected, format!("{:?}", self.dilation)));
        }
        let [height, width] = operands.windows([height, width], [tall, wide], self.stride, self.pads, false)?;
        Ok([lead, &[out, height, width]].concat())
    }
}

impl Linear {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        let [out, features] = operands.weight(self.weight, "[out, in]")?;
        let Some((_, lead)) = operands.input().split_last().filter(|(last, _)| **last == features) else {
            let got = format!("{:?}", operands.input());
            return Err(operands.fault("shape of the input", format!("[{features}]"), got));
        };
        operands.check_bias(self.bias, out)?;
        Ok([lead, &[out]].concat())
    }
}
