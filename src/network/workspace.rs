//! The buffers of one shard, and the passes over them. Nothing is allocated while they run.

use super::plan::{Plan, Step, StepWeights, Weights, Work};
use super::{add, normalize, relu, unary};
use crate::error::{Error, GraphError};
use crate::kernels::{elementwise, pool};
use crate::model::ParamId;
use std::mem::take;

/// Memory for up to `capacity` samples.
#[derive(Debug)]
pub struct Workspace {
    /// `[features, n]` of each buffer of the plan.
    pub values: Vec<Vec<f32>>,
    /// Their gradients, in training.
    pub gradients: Vec<Vec<f32>>,
    /// Whether each has been written in this backward pass.
    written: Vec<bool>,
    /// The padded inputs of convolutions, by step.
    padded: Vec<Vec<f32>>,
    scratch: Vec<f32>,
    /// A second gradient of a value that several steps read.
    second: Vec<f32>,
    /// The gradient of each parameter, in training.
    pub parameters: Vec<Vec<f32>>,
    parameter_written: Vec<bool>,
}

impl Workspace {
    /// # Errors
    /// If there is not enough memory.
    pub fn new(plan: &Plan, capacity: usize) -> Result<Self, Error> {
        let zeros = |length: usize| zeros(length, capacity);
        let values = plan.buffers.iter().map(|&length| zeros(length)).collect::<Result<Vec<_>, _>>()?;
        let mut padded = Vec::new();
        let mut scratch = 0;
        for step in &plan.steps {
            padded.push(match &step.work {
                Work::Conv { plan, .. } => {
                    scratch = scratch.max(plan.scratch_len());
                    zeros(plan.padded_len())?
                }
                _ => Vec::new(),
            });
        }
        let mut workspace = Workspace {
            values,
            gradients: Vec::new(),
            written: Vec::new(),
            padded,
            scratch: Vec::new(),
            second: Vec::new(),
            parameters: Vec::new(),
            parameter_written: Vec::new(),
        };
        if plan.training {
            workspace.gradients = plan.buffers.iter().map(|&length| zeros(length)).collect::<Result<_, _>>()?;
            workspace.written = vec![false; plan.buffers.len()];
            workspace.scratch = zeros(scratch)?;
            let mut reads = vec![0; plan.buffers.len()];
            plan.steps.iter().flat_map(|step| &step.inputs).for_each(|input| reads[input.buffer] += 1);
            let shared = reads.iter().zip(&plan.buffers).filter(|(reads, _)| **reads > 1).map(|(_, &length)| length);
            workspace.second = zeros(shared.max().unwrap_or(0))?;
            let lengths = plan.parameter_shapes().iter().map(|shape| shape.iter().product());
            workspace.parameters = lengths.map(|length| vec![0.0; length]).collect();
            workspace.parameter_written = vec![false; workspace.parameters.len()];
        }
        Ok(workspace)
    }

    /// Computes all values from those of buffer 0, for `n` samples (a multiple of the lanes).
    pub fn forward(&mut self, plan: &Plan, weights: &Weights, n: usize) {
        for (index, (step, weights)) in plan.steps.iter().zip(&weights.steps).enumerate() {
            let mut output = take(&mut self.values[step.output.buffer]);
            let y = &mut output[..step.output.length * n];
            let x = |index: usize| operand(&self.values, step, index, n);
            match &step.work {
                Work::Conv { plan, .. } => {
                    plan.forward(n, &weights.conv, &weights.bias, x(0), &mut self.padded[index], y);
                }
                Work::Linear { plan, .. } => plan.forward(n, &weights.linear, &weights.bias, x(0), y),
                Work::Add => add::forward(x(0), x(1), y),
                Work::Relu => relu::forward(x(0), y),
                Work::MaxPool(pooling) => pool::maximum(pooling, n, x(0), y),
                Work::MeanPool(pooling) => pool::mean(pooling, n, x(0), y),
                Work::Softmax(plan) => plan.forward(n, x(0), y),
                Work::Unary(function) => unary::forward(function, x(0), y),
                Work::Binary(plan) => plan.forward(n, [x(0), x(1)], y),
                Work::MatMul(plan) => plan.forward(n, [x(0), x(1)], y),
                Work::Normalize { features, epsilon } => normalize::forward(*features, *epsilon, n, x(0), y),
                Work::Reduce(plan) => plan.forward(n, x(0), y),
                Work::Move(plan) => plan.forward(n, x, y),
                Work::Parameter(_) => {
                    y.chunks_exact_mut(n).zip(&weights.bias).for_each(|(y, &value)| y.fill(value));
                }
            }
            self.values[step.output.buffer] = output;
        }
    }

    /// Computes the gradients of all parameters from that of the plan's first output, which must be in its buffer's gradient.
    /// What does not lead to the output gets the gradient 0.
    pub fn backward(&mut self, plan: &Plan, weights: &Weights, n: usize) {
        self.written.fill(false);
        self.parameter_written.fill(false);
        for (index, (step, weights)) in plan.steps.iter().zip(&weights.steps).enumerate().rev() {
            let gradient = take(&mut self.gradients[step.output.buffer]);
            let dy = &gradient[..step.output.length * n];
            self.parameter_gradients(index, step, n, dy);
            for index in (0..step.inputs.len()).filter(|&index| step.inputs[index].trains) {
                self.input_gradient(step, weights, index, n, dy);
            }
            self.gradients[step.output.buffer] = gradient;
        }
        for (gradient, written) in self.parameters.iter_mut().zip(&self.parameter_written) {
            if !written {
                gradient.fill(0.0);
            }
        }
    }

    fn parameter_gradients(&mut self, index: usize, step: &Step, n: usize, dy: &[f32]) {
        // Several layers may share a parameter: then their gradients are summed.
        let mut first_use = |id: ParamId| !std::mem::replace(&mut self.parameter_written[id.0], true);
        let (weight, bias) = match &step.work {
            Work::Conv { weight, bias, .. } | Work::Linear { weight, bias, .. } => (*weight, *bias),
            Work::Parameter(id) => {
                let add = !first_use(*id);
                return elementwise::row_sums(dy, add, &mut self.parameters[id.0]);
            }
            _ => return,
        };
        let (add_weight, add_bias) = (!first_use(weight), bias.map(|bias| !first_use(bias)));
        if let (Some(bias), Some(add)) = (bias, add_bias) {
            elementwise::row_sums(dy, add, &mut self.parameters[bias.0]);
        }
        let x = operand(&self.values, step, 0, n);
        let dw = &mut self.parameters[weight.0];
        match &step.work {
            Work::Conv { plan, .. } => plan.weight_gradient(n, x, &self.padded[index], dy, add_weight, dw),
            Work::Linear { plan, .. } => plan.weight_gradient(n, x, dy, add_weight, dw),
            _ => {}
        }
    }

    /// Writes the gradient to one input, or adds it to what another step that reads the same value has written.
    fn input_gradient(&mut self, step: &Step, weights: &StepWeights, index: usize, n: usize, dy: &[f32]) {
        let input = step.inputs[index];
        let length = input.length * n;
        let again = self.written[input.buffer];
        let mut buffer = take(if again { &mut self.second } else { &mut self.gradients[input.buffer] });
        let dx = &mut buffer[..length];
        let x = |index: usize| operand(&self.values, step, index, n);
        let y = &self.values[step.output.buffer][..dy.len()];
        match &step.work {
            Work::Conv { plan, .. } => plan.data_gradient(n, &weights.conv, dy, &mut self.scratch, dx),
            Work::Linear { plan, .. } => plan.data_gradient(n, &weights.linear, dy, dx),
            Work::Add => add::backward(dy, dx),
            Work::Relu => relu::backward(y, dy, dx),
            Work::MaxPool(pooling) => pool::maximum_gradient(pooling, n, x(0), y, dy, dx),
            Work::MeanPool(pooling) => pool::mean_gradient(pooling, n, dy, dx),
            Work::Softmax(plan) => plan.backward(n, y, dy, dx),
            Work::Unary(function) => unary::backward(function, x(0), y, dy, dx),
            Work::Binary(plan) => plan.backward(n, index, [x(0), x(1)], dy, dx),
            Work::MatMul(plan) => plan.backward(n, index, [x(0), x(1)], dy, dx),
            Work::Normalize { features, epsilon } => {
                normalize::backward(*features, *epsilon, n, [x(0), y, dy], dx);
            }
            Work::Reduce(plan) => plan.backward(n, [x(0), y, dy], dx),
            Work::Move(plan) => plan.backward(n, index, dy, dx),
            Work::Parameter(_) => {}
        }
        if again {
            elementwise::add_to(dx, &mut self.gradients[input.buffer][..length]);
            self.second = buffer;
        } else {
            self.gradients[input.buffer] = buffer;
            self.written[input.buffer] = true;
        }
    }
}

/// What a step reads.
fn operand<'a>(values: &'a [Vec<f32>], step: &Step, index: usize, n: usize) -> &'a [f32] {
    let input = step.inputs[index];
    &values[input.buffer][..input.length * n]
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
        _ => Err(GraphError {
            node: "activations".into(),
            op: "",
            what: "memory",
            expected: format!("{capacity} samples of {length} floats"),
            got: "not enough".into(),
        }
        .into()),
    }
}
