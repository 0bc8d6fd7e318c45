//! The operators on windows of an image.

use super::operands::Operands;
use crate::error::GraphError;

/// The window of a pooling operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Window height and width in pixels.
    pub kernel: [usize; 2],
    /// Vertical and horizontal step in pixels, each at least 1.
    pub stride: [usize; 2],
    /// Padding at the top, left, bottom and right, in pixels; each less than the kernel's side.
    pub pads: [usize; 4],
    /// Whether the last, partly covered window counts (ONNX `ceil_mode`).
    pub ceil: bool,
    /// Whether a mean counts padded zeros (ONNX `count_include_pad`); means nothing to a maximum.
    pub count_pads: bool,
}

impl Pool {
    pub(super) fn shape(&self, operands: &Operands) -> Result<Vec<usize>, GraphError> {
        let (lead, [channels, height, width]) = operands.image()?;
        if (0..4).any(|side| self.pads[side] >= self.kernel[side % 2]) {
            let expected = format!("less than the kernel {:?}", self.kernel);
            return Err(operands.fault("pads", expected, format!("{:?}", self.pads)));
        }
        let [height, width] = operands.windows([height, width], self.kernel, self.stride, self.pads, self.ceil)?;
        Ok([lead, &[channels, height, width]].concat())
    }
}

/// The shape of a mean over all positions.
pub(super) fn global(operands: &Operands) -> Result<Vec<usize>, GraphError> {
    let (lead, [channels, ..]) = operands.image()?;
    Ok([lead, &[channels, 1, 1]].concat())
}
