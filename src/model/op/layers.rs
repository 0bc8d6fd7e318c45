//! The operators with weights of their own: convolutions, fully connected and recurrent layers, tables.

use super::operands::{Operands, ParamId, elements};
use crate::error::GraphError;
use strum::{IntoStaticStr, VariantArray};

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

/// A recurrent layer, behind the [`Linear`] one that weighs its inputs for all gates: `[steps, gates x hidden]` to `[steps, hidden]`, its
/// output at each step. It starts from zeros. Gates are in the order of ONNX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrent {
    /// What weighs the output before, `[gates x hidden, hidden]`.
    pub weight: ParamId,
    /// `[gates x hidden]`.
    pub bias: Option<ParamId>,
    /// What a step computes.
    pub cell: Cell,
    /// Whether the last step comes first.
    pub reverse: bool,
}

/// What a step of a recurrent layer computes, in the order of their numbers in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Cell {
    /// Input, output and forget gates, and a cell.
    #[default]
    #[strum(serialize = "LSTM")]
    Lstm,
    /// Update and reset gates, the reset before the last gate's weights.
    #[strum(serialize = "GRU")]
    Gru,
    /// The same with the reset behind the weights and the bias (ONNX `linear_before_reset`).
    #[strum(serialize = "GRU")]
    GruReset,
    /// A hyperbolic tangent.
    #[strum(serialize = "RNN")]
    Rnn,
}

impl Cell {
    /// How many numbers of a step make one of the output.
    pub fn gates(self) -> usize {
        match self {
            Cell::Lstm => 4,
            Cell::Gru | Cell::GruReset => 3,
            Cell::Rnn => 1,
        }
    }
}

impl Recurrent {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        let [rows, hidden] = operands.weight(self.weight, "[gates x hidden, hidden]")?;
        let input = operands.input();
        if input.len() != 2 || input[1] != rows || hidden.checked_mul(self.cell.gates()) != Some(rows) {
            let got = format!("{input:?}, and a weight of [{rows}, {hidden}]");
            return Err(operands.fault("shape of the input", "[steps, gates x hidden]", got));
        }
        operands.check_bias(self.bias, rows)?;
        Ok(vec![input[0], hidden])
    }
}

/// The shape of an [`Op::Lookup`](super::Op::Lookup).
pub(super) fn looked_up(weight: ParamId, operands: &Operands) -> Result<Vec<usize>, GraphError> {
    let [width, _] = operands.weight(weight, "[width, count]")?;
    Ok([operands.input(), &[width]].concat())
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
