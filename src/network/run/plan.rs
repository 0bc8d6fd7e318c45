//! What has to be computed for some values of a sample, in which order and in which buffers.

use super::binary::Stretched;
use super::conv::{Convolution, Layer};
use super::cost::Reading;
use super::depthwise::PerChannel;
use super::finish::Finish;
use super::fuse::{Fusion, fuse};
use super::linear::LinearStep;
use super::moves::Stretches;
use super::pool::{Maximum, Mean};
use super::step::{Batched, Run};
use super::unary::each;
use crate::error::{Error, GraphError};
use crate::model::{Class, Conv, Model, Op, ParamId, ValueId};
use crate::network::flow::Flow;
use crate::network::operators::matmul::MatMulPlan;
use crate::network::operators::work::{Inputs, Operand};
use crate::network::operators::{self, pool};
use std::fmt;
use std::mem::take;

/// The steps and buffers that a network needs for some of its values.
pub struct Plan {
    steps: Vec<Step>,
    /// Elements of each buffer; the first is the input's.
    buffers: Vec<usize>,
    /// Buffer and elements of each value that was asked for.
    outputs: Vec<(usize, usize)>,
    scratch: usize,
}

struct Step {
    run: Box<dyn Run>,
    inputs: Vec<Operand>,
    output: Operand,
    /// The nodes whose operators it does, in order.
    nodes: Vec<usize>,
}

impl Step {
    fn run(&self, workspace: &mut Workspace, watch: &mut dyn FnMut(usize, &[f32])) {
        let mut output = take(&mut workspace.values[self.output.buffer]);
        let x = Inputs { values: &workspace.values, operands: &self.inputs, n: 1 };
        if let (Some(node), false) = (self.nodes.first(), self.inputs.is_empty()) {
            watch(*node, &x[0]);
        }
        self.run.run(&x, &mut workspace.scratch, &mut output[..self.output.length]);
        workspace.values[self.output.buffer] = output;
    }
}

/// Memory for one sample at a time.
#[derive(Debug)]
pub struct Workspace {
    values: Vec<Vec<f32>>,
    scratch: Vec<f32>,
}

/// What its steps do is not for print, and each would bring its own words into the wasm.
impl fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Plan")
    }
}

impl Plan {
    /// For the weights that the model has now.
    ///
    /// # Errors
    /// If the model's shapes do not fit, or a value does not exist.
    pub fn new(model: &Model, values: &[ValueId]) -> Result<Self, Error> {
        let graph = &model.graph;
        let flow = Flow::new(model, values)?;
        let mut done = vec![false; graph.nodes.len()];
        let mut parts: Vec<Fusion> = Vec::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            if !flow.needed[index + 1] || flow.source[index + 1] != index + 1 || done[index] {
                continue;
            }
            let fusion = match &node.op {
                Op::Conv(_) | Op::Linear(_) => fuse(graph, &flow, index),
                _ => Fusion::none(index),
            };
            fusion.nodes.iter().for_each(|&node| done[node] = true);
            parts.push(fusion);
        }
        let reads = |fusion: &Fusion| {
            let inputs = graph.nodes[fusion.nodes[0]].inputs.iter().map(|input| input.0);
            inputs.chain(fusion.addend).map(|value| flow.source[value]).collect::<Vec<usize>>()
        };
        let asked: Vec<usize> = values.iter().map(|value| flow.source[value.0]).collect();
        let made: Vec<(usize, Vec<usize>)> = parts.iter().map(|fusion| (fusion.value, reads(fusion))).collect();
        let (buffer_of, buffers) = assign(&made, &asked, &flow);
        let operand = |value: usize| Operand { buffer: buffer_of[value], length: flow.size(value), trains: false };
        let weights = model.parameters.iter().map(|parameter| parameter.values.len()).sum();
        let maker = Maker { model, flow: &flow, reading: Reading::new(weights) };
        let mut steps = Vec::new();
        for (fusion, (value, inputs)) in parts.into_iter().zip(&made) {
            let run = maker.step(&fusion).ok_or_else(|| {
                let expected = format!("a table for {:?}", flow.shapes[*value]);
                graph.nodes[fusion.nodes[0]].fault("memory", expected, "not enough")
            })?;
            let inputs = inputs.iter().map(|&input| operand(input)).collect();
            steps.push(Step { run, inputs, output: operand(*value), nodes: fusion.nodes });
        }
        let outputs = values.iter().map(|value| (buffer_of[flow.source[value.0]], flow.size(value.0))).collect();
        let scratch = steps.iter().map(|step| step.run.scratch()).max().unwrap_or(0);
        Ok(Plan { steps, buffers, outputs, scratch })
    }

    /// Elements of each value that was asked for.
    pub fn output_lengths(&self) -> impl Iterator<Item = usize> {
        self.outputs.iter().map(|output| output.1)
    }

    /// Computes the values that were asked for from the input that was written to [`Workspace::input`].
    pub fn run(&self, workspace: &mut Workspace) {
        self.run_watched(workspace, &mut |_, _| ());
    }

    /// As [`Plan::run`]; `watch` is shown the first input of each node that a step begins with, before it runs. All layers are among them.
    pub fn run_watched(&self, workspace: &mut Workspace, watch: &mut dyn FnMut(usize, &[f32])) {
        self.steps.iter().for_each(|step| step.run(workspace, watch));
    }

    /// The steps in their order: the nodes that each does, and the kernel that runs.
    pub fn steps(&self) -> impl Iterator<Item = (&[usize], &'static str)> {
        self.steps.iter().map(|step| (step.nodes.as_slice(), step.run.kernel()))
    }

    /// Seconds of each step, by `time`, which calls what it is given as often as it likes: a step changes none of its inputs.
    ///
    /// # Errors
    /// Those of `time`.
    pub fn time_steps<E>(
        &self,
        workspace: &mut Workspace,
        mut time: impl FnMut(&mut dyn FnMut()) -> Result<f64, E>,
    ) -> Result<Vec<f64>, E> {
        self.steps.iter().map(|step| time(&mut || step.run(workspace, &mut |_, _| ()))).collect()
    }

    /// The values that were asked for, once they are computed.
    pub fn outputs<'a>(&self, workspace: &'a Workspace) -> impl Iterator<Item = &'a [f32]> {
        self.outputs.iter().map(|&(buffer, length)| &workspace.values[buffer][..length])
    }
}

impl Workspace {
    /// # Errors
    /// If there is not enough memory.
    pub fn new(plan: &Plan) -> Result<Self, Error> {
        let values = plan.buffers.iter().map(|&length| zeros(length)).collect::<Result<_, _>>()?;
        Ok(Workspace { values, scratch: zeros(plan.scratch)? })
    }

    /// Where the sample is written.
    pub fn input(&mut self) -> &mut [f32] {
        &mut self.values[0]
    }
}

fn zeros(length: usize) -> Result<Vec<f32>, GraphError> {
    let mut values = Vec::new();
    if values.try_reserve_exact(length).is_err() {
        let expected = format!("{} bytes", length.saturating_mul(4));
        return Err(GraphError::new("activations", "", "memory", expected, "not enough"));
    }
    values.resize(length, 0.0);
    Ok(values)
}

/// The buffer of each value, and the elements of each buffer: one is used again as soon as nothing needs what is in it. `made` has for
/// each step what it makes, and of what.
fn assign(made: &[(usize, Vec<usize>)], asked: &[usize], flow: &Flow) -> (Vec<usize>, Vec<usize>) {
    let count = made.iter().map(|(value, _)| value + 1).max().unwrap_or(1);
    let mut last_use = vec![0; count];
    for (step, (_, reads)) in made.iter().enumerate() {
        reads.iter().for_each(|&value| last_use[value] = step);
    }
    asked.iter().for_each(|&value| last_use[value] = usize::MAX);
    // The sample is in buffer 0, which stays its own: it may be run again.
    let mut buffer_of = vec![0; count];
    let mut buffers = vec![flow.size(0)];
    let mut free: Vec<usize> = Vec::new();
    for (step, (value, reads)) in made.iter().enumerate() {
        let wanted = flow.size(*value);
        // The smallest that is large enough, else the largest, which grows.
        let best = (0..free.len()).min_by_key(|&at| match buffers[free[at]] {
            held if held >= wanted => (0, held),
            held => (1, usize::MAX - held),
        });
        let buffer = match best {
            Some(at) => free.swap_remove(at),
            None => {
                buffers.push(0);
                buffers.len() - 1
            }
        };
        buffers[buffer] = buffers[buffer].max(wanted);
        buffer_of[*value] = buffer;
        for &read in reads {
            // Once, also where a step reads it twice.
            if read != 0 && last_use[read] == step && !free.contains(&buffer_of[read]) {
                free.push(buffer_of[read]);
            }
        }
    }
    (buffer_of, buffers)
}

/// What steps are made from.
struct Maker<'a> {
    model: &'a Model,
    flow: &'a Flow,
    /// What reading weights takes.
    reading: Reading,
}

impl Maker<'_> {
    /// What runs a node and what follows it; `None` if memory does not suffice.
    fn step(&self, fusion: &Fusion) -> Option<Box<dyn Run>> {
        let node = &self.model.graph.nodes[fusion.nodes[0]];
        let inputs: Vec<&[usize]> = node.inputs.iter().map(|input| self.flow.shapes[input.0].as_slice()).collect();
        let to = self.flow.shapes[fusion.nodes[0] + 1].as_slice();
        let from = inputs.first().copied().unwrap_or_default();
        let work = || {
            operators::work(&node.op, &inputs, to, &self.flow.parameter_shapes).map(|mut work| {
                work.prepare(self.model, false);
                work
            })
        };
        Some(match &node.op {
            Op::Conv(conv) => self.conv(conv, from, to, fusion.finish),
            Op::Linear(linear) => {
                let (weights, bias) = (self.numbers(linear.weight), self.bias(linear.bias));
                let (outputs, lead) = to.split_last()?;
                Box::new(LinearStep::new(&weights, *outputs, &bias, lead.iter().product(), fusion.finish))
            }
            Op::Add => Box::new(Stretched::new(None, &inputs, to)?),
            Op::Binary(function) => match Stretched::new(Some(*function), &inputs, to) {
                Some(stretched) => Box::new(stretched),
                None => Box::new(Batched(work()?)),
            },
            Op::MaxPool(window) => Box::new(Maximum(pool::pooling(window, from, to))),
            Op::AveragePool(window) => Box::new(Mean(pool::pooling(window, from, to))),
            Op::GlobalAveragePool => Box::new(Mean(pool::global(from))),
            Op::MatMul => Box::new(MatMulPlan::new(&inputs, to)?),
            op => match op.class() {
                Class::Elementwise => each(op, work()?),
                Class::Move => Box::new(Stretches::new(op, &inputs, to)?),
                _ => Box::new(Batched(work()?)),
            },
        })
    }

    fn conv(&self, conv: &Conv, from: &[usize], to: &[usize], finish: Finish) -> Box<dyn Run> {
        let (weights, bias) = (self.numbers(conv.weight), self.bias(conv.bias));
        let (weight, reading) = (&self.flow.parameter_shapes[conv.weight.0], self.reading);
        let layer = Layer { conv, input: from, output: to, weight, weights: &weights, bias: &bias, finish, reading };
        let window = layer.window();
        let one = window.input == [1, 1] && window.kernel == [1, 1] && conv.pads == [0; 4];
        if layer.images() == 1 && conv.groups == 1 && one {
            return Box::new(LinearStep::new(&weights, weight[0], &bias, 1, finish));
        }
        match PerChannel::new(&layer) {
            Some(step) => Box::new(step),
            None => Box::new(Convolution::new(&layer)),
        }
    }

    /// A parameter, row-major.
    fn numbers(&self, id: ParamId) -> Vec<f32> {
        self.model.values(id).iter().copied().collect()
    }

    fn bias(&self, id: Option<ParamId>) -> Vec<f32> {
        id.map(|id| self.numbers(id)).unwrap_or_default()
    }
}
