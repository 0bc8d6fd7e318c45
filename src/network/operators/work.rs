//! What a step of a plan does, whatever its operator.

use crate::kernels::elementwise;
use crate::model::{Model, ParamId};
use std::ops::Index;

/// An operator for known shapes. All slices are `[elements, n]` for `n` samples.
pub trait Work: Send + Sync {
    /// Takes the parameters over from a model, in the kernels' order; again whenever they have changed.
    fn prepare(&mut self, _model: &Model, _training: bool) {}

    /// Floats for one sample that the forward pass leaves for the backward pass.
    fn kept(&self) -> usize {
        0
    }

    /// Floats for one sample that the backward pass needs for itself.
    fn scratch(&self) -> usize {
        0
    }

    /// Computes the output.
    fn forward(&self, x: &Inputs, kept: &mut [f32], y: &mut [f32]);

    /// Writes the gradient to input `index`, from the output and its gradient.
    fn backward(&self, index: usize, x: &Inputs, output: Output, scratch: &mut [f32], dx: &mut [f32]);

    /// Adds to the gradients of the parameters, from the gradient of the output; comes before [`Work::backward`], and may leave what that
    /// needs in what is kept.
    fn parameter_gradients(&self, _x: &Inputs, _kept: &mut [f32], _dy: &[f32], _gradients: &mut ParameterGradients) {}
}

/// An output and its gradient.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    pub y: &'a [f32],
    pub dy: &'a [f32],
    pub kept: &'a [f32],
}

/// A value that a step reads or writes.
#[derive(Debug, Clone, Copy)]
pub struct Operand {
    pub buffer: usize,
    /// Elements of one sample; the buffer may be larger.
    pub length: usize,
    /// Whether there are parameters behind it, so that its gradient is needed.
    pub trains: bool,
}

/// What a step reads.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub values: &'a [Vec<f32>],
    pub operands: &'a [Operand],
    /// Number of samples.
    pub n: usize,
}

impl Index<usize> for Inputs<'_> {
    type Output = [f32];

    fn index(&self, index: usize) -> &[f32] {
        let input = self.operands[index];
        &self.values[input.buffer][..input.length * self.n]
    }
}

/// The gradients of all parameters. Several steps may share one: then theirs are summed.
#[derive(Debug, Default)]
pub struct ParameterGradients {
    pub values: Vec<Vec<f32>>,
    written: Vec<bool>,
}

impl ParameterGradients {
    pub fn new(lengths: impl Iterator<Item = usize>) -> Self {
        let values: Vec<Vec<f32>> = lengths.map(|length| vec![0.0; length]).collect();
        ParameterGradients { written: vec![false; values.len()], values }
    }

    /// Begins a backward pass.
    pub fn begin(&mut self) {
        self.written.fill(false);
    }

    /// The gradient of a parameter, and whether it has to be added to what is there.
    pub fn of(&mut self, id: ParamId) -> (bool, &mut [f32]) {
        (std::mem::replace(&mut self.written[id.0], true), &mut self.values[id.0])
    }

    /// Adds what a parameter gets that has one number for each row of the output.
    pub fn add_rows(&mut self, id: ParamId, dy: &[f32]) {
        let (add, gradient) = self.of(id);
        elementwise::row_sums(dy, add, gradient);
    }

    /// Ends a backward pass: what no step has written is 0.
    pub fn finish(&mut self) {
        for (gradient, _) in self.values.iter_mut().zip(&self.written).filter(|(_, written)| !**written) {
            gradient.fill(0.0);
        }
    }
}

/// Replaces numbers by those of a parameter, row-major.
pub fn copy(model: &Model, id: Option<ParamId>, numbers: &mut Vec<f32>) {
    numbers.clear();
    numbers.extend(id.into_iter().flat_map(|id| model.values(id)));
}

/// Hands over a parameter in row-major order, which it is in already unless somebody has transposed it.
pub fn with_slice(model: &Model, id: ParamId, work: impl FnOnce(&[f32])) {
    let values = model.values(id);
    match values.as_slice() {
        Some(slice) => work(slice),
        None => work(&values.iter().copied().collect::<Vec<f32>>()),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::kernels::LANES;

    /// The output, of `outputs` elements, for inputs `[elements, LANES]`.
    pub fn forward(work: &dyn Work, inputs: &[Vec<f32>], outputs: usize) -> Vec<f32> {
        let operand =
            |(buffer, input): (usize, &Vec<f32>)| Operand { buffer, length: input.len() / LANES, trains: false };
        let operands: Vec<Operand> = inputs.iter().enumerate().map(operand).collect();
        let mut y = vec![f32::NAN; outputs * LANES];
        let mut kept = vec![0.0; work.kept() * LANES];
        work.forward(&Inputs { values: inputs, operands: &operands, n: LANES }, &mut kept, &mut y);
        y
    }
}
