//! `Parameter`: a value that is the same for every sample.

use super::work::{Inputs, Output, ParameterGradients, Work, copy};
use crate::model::{Model, ParamId};

pub struct Value {
    id: ParamId,
    numbers: Vec<f32>,
}

impl Value {
    pub fn new(id: ParamId) -> Self {
        Value { id, numbers: Vec::new() }
    }
}

impl Work for Value {
    fn prepare(&mut self, model: &Model, _training: bool) {
        copy(model, Some(self.id), &mut self.numbers);
    }

    fn forward(&self, x: &Inputs, _kept: &mut [f32], y: &mut [f32]) {
        y.chunks_exact_mut(x.n).zip(&self.numbers).for_each(|(y, &number)| y.fill(number));
    }

    fn backward(&self, _index: usize, _x: &Inputs, _output: Output, _scratch: &mut [f32], _dx: &mut [f32]) {}

    fn parameter_gradients(&self, _x: &Inputs, _kept: &mut [f32], dy: &[f32], gradients: &mut ParameterGradients) {
        gradients.add_rows(self.id, dy);
    }
}
