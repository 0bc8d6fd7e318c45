//! The buffers of one shard, and the passes over them. Nothing is allocated while they run.

use super::operators::work::{Inputs, Output, ParameterGradients};
use super::plan::Plan;
use crate::error::{Error, GraphError};
use crate::kernels::elementwise;
use std::mem::take;

/// Memory for up to `capacity` samples.
#[derive(Debug)]
pub struct Workspace {
    /// `[features, n]` of each buffer of the plan.
    pub values: Vec<Vec<f32>>,
    /// Their gradients.
    pub gradients: Vec<Vec<f32>>,
    /// Whether each has been written in this backward pass.
    written: Vec<bool>,
    /// What each step's forward pass leaves for its backward pass.
    kept: Vec<Vec<f32>>,
    scratch: Vec<f32>,
    /// A second gradient of a value that several steps read.
    second: Vec<f32>,
    /// The gradient of each parameter.
    pub parameters: ParameterGradients,
}

impl Workspace {
    /// # Errors
    /// If there is not enough memory.
    pub fn new(plan: &Plan, capacity: usize) -> Result<Self, Error> {
        let zeros = |length: usize| zeros(length, capacity);
        let all = || plan.buffers.iter().map(|&length| zeros(length)).collect::<Result<Vec<_>, _>>();
        let mut reads = vec![0; plan.buffers.len()];
        plan.steps.iter().flat_map(|step| &step.inputs).for_each(|input| reads[input.buffer] += 1);
        let shared = reads.iter().zip(&plan.buffers).filter(|(reads, _)| **reads > 1).map(|(_, &length)| length);
        let lengths = plan.parameter_shapes().iter().map(|shape| shape.iter().product());
        Ok(Workspace {
            values: all()?,
            gradients: all()?,
            written: vec![false; plan.buffers.len()],
            kept: plan.steps.iter().map(|step| zeros(step.work.kept())).collect::<Result<_, _>>()?,
            scratch: zeros(plan.steps.iter().map(|step| step.work.scratch()).max().unwrap_or(0))?,
            second: zeros(shared.max().unwrap_or(0))?,
            parameters: ParameterGradients::new(lengths),
        })
    }

    /// Computes all values from those of buffer 0, for `n` samples (a multiple of the lanes).
    pub fn forward(&mut self, plan: &Plan, n: usize) {
        for (step, kept) in plan.steps.iter().zip(&mut self.kept) {
            let mut output = take(&mut self.values[step.output.buffer]);
            let x = Inputs { values: &self.values, operands: &step.inputs, n };
            step.work.forward(&x, kept, &mut output[..step.output.length * n]);
            self.values[step.output.buffer] = output;
        }
    }

    /// Computes the gradients of all parameters from that of the plan's first output, which must be in its buffer's gradient.
    /// What does not lead to the output gets the gradient 0.
    pub fn backward(&mut self, plan: &Plan, n: usize) {
        self.written.fill(false);
        self.parameters.begin();
        for (step, kept) in plan.steps.iter().zip(&mut self.kept).rev() {
            let gradient = take(&mut self.gradients[step.output.buffer]);
            let length = step.output.length * n;
            let x = Inputs { values: &self.values, operands: &step.inputs, n };
            step.work.parameter_gradients(&x, kept, &gradient[..length], &mut self.parameters);
            let output = Output { y: &self.values[step.output.buffer][..length], dy: &gradient[..length], kept };
            for (index, input) in step.inputs.iter().enumerate().filter(|(_, input)| input.trains) {
                // A gradient is written, or added to what another step that reads the same value has written.
                let again = std::mem::replace(&mut self.written[input.buffer], true);
                let mut buffer = take(if again { &mut self.second } else { &mut self.gradients[input.buffer] });
                let dx = &mut buffer[..input.length * n];
                step.work.backward(index, &x, output, &mut self.scratch, dx);
                if again {
                    elementwise::add_to(dx, &mut self.gradients[input.buffer][..input.length * n]);
                    self.second = buffer;
                } else {
                    self.gradients[input.buffer] = buffer;
                }
            }
            self.gradients[step.output.buffer] = gradient;
        }
        self.parameters.finish();
    }
}

/// Zeros for `capacity` samples of `length` floats.
fn zeros(length: usize, capacity: usize) -> Result<Vec<f32>, Error> {
    let mut values = Vec::new();
    let total = length.checked_mul(capacity);
    match total.map(|total| (total, values.try_reserve_exact(total))) {
        Some((total, Ok(()))) => {
            values.resize(total, 0.0);
            Ok(values)
        }
        _ => {
            let expected = format!("{capacity} samples of {length} floats");
            Err(GraphError::new("activations", "", "memory", expected, "not enough").into())
        }
    }
}
