//! What has to be computed, in which order and in which buffers: made once for a model's shapes.

use super::operators;
use super::operators::work::{Operand, Work};
use crate::error::{DataError, Error};
use crate::model::{Function, Graph, Model, Op, ValueId};

/// A node that has to run. One that only gives another shape needs not: its output is its input's buffer.
#[derive(Debug)]
pub struct Step {
    pub work: Box<dyn Work>,
    pub inputs: Vec<Operand>,
    pub output: Operand,
    /// Index of the node that it runs.
    pub node: usize,
}

/// The steps and buffers that a model needs for some of its values.
#[derive(Debug)]
pub struct Plan {
    graph: Graph,
    parameter_shapes: Vec<Vec<usize>>,
    pub steps: Vec<Step>,
    /// Elements of each buffer, for one sample.
    pub buffers: Vec<usize>,
    /// Buffer and elements of each value that was asked for.
    pub outputs: Vec<(usize, usize)>,
    /// Whether gradients will be asked for: then all that the forward pass makes is kept.
    pub training: bool,
}

/// The value whose softmax, or for one output whose sigmoid, the network answers with: the output, or what that is made of. `shapes` are those
/// of all values.
pub fn logits_of(graph: &Graph, shapes: &[Vec<usize>]) -> ValueId {
    let output = graph.output();
    let one = shapes.get(output.0).is_some_and(|shape| shape.iter().product::<usize>() == 1);
    match graph.nodes.last() {
        Some(node) if node.op == Op::Softmax || (one && is_sigmoid(&node.op)) => {
            node.inputs.first().copied().unwrap_or(output)
        }
        _ => output,
    }
}

fn is_sigmoid(op: &Op) -> bool {
    matches!(op, Op::Unary(unary) if unary.function == Function::Sigmoid)
}

impl Plan {
    /// # Errors
    /// If the model's shapes do not fit, or a value does not exist.
    pub fn new(model: &Model, values: &[ValueId], training: bool) -> Result<Self, Error> {
        let graph = &model.graph;
        let parameter_shapes = model.parameter_shapes();
        let shapes = graph.shapes(&parameter_shapes)?;
        if let Some(bad) = values.iter().find(|value| value.0 >= shapes.len()) {
            let expected = format!("0 to {}", shapes.len() - 1);
            return Err(DataError { what: "value asked for", expected, got: bad.0.to_string() }.into());
        }
        let size = |value: usize| shapes[value].iter().product::<usize>();

        // A value that was only given another shape is the value itself: `source` is where it comes from.
        let mut source: Vec<usize> = vec![0];
        for (index, node) in graph.nodes.iter().enumerate() {
            let same = node.inputs.first().filter(|input| node.op.is_alias(&shapes[input.0]));
            source.push(same.map_or(index + 1, |input| source[input.0]));
        }
        // What the values asked for need, and what has parameters behind it.
        let mut needed = vec![false; shapes.len()];
        values.iter().for_each(|value| needed[source[value.0]] = true);
        for (index, node) in graph.nodes.iter().enumerate().rev() {
            if needed[index + 1] && source[index + 1] == index + 1 {
                node.inputs.iter().for_each(|input| needed[source[input.0]] = true);
            }
        }
        let mut trains = vec![false; shapes.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            trains[index + 1] =
                node.op.parameters().next().is_some() || node.inputs.iter().any(|input| trains[source[input.0]]);
        }

        let buffer_of = assign(graph, &source, &needed, values, training);
        let mut buffers = Vec::new();
        for (value, buffer) in buffer_of.iter().enumerate() {
            if let Some(buffer) = *buffer {
                buffers.resize(buffers.len().max(buffer + 1), 0);
                buffers[buffer] = buffers[buffer].max(size(value));
            }
        }
        let mut steps = Vec::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            let operand = |value: usize| {
                let buffer = buffer_of[value]?;
                Some(Operand { buffer, length: size(value), trains: trains[value] })
            };
            let Some(output) = operand(index + 1).filter(|_| needed[index + 1]) else { continue };
            let inputs: Vec<&[usize]> = node.inputs.iter().map(|input| shapes[input.0].as_slice()).collect();
            let to = &shapes[index + 1];
            let work = operators::work(&node.op, &inputs, to, &parameter_shapes)
                .ok_or_else(|| node.fault("memory", format!("a table for {to:?}"), "not enough"))?;
            let inputs = node.inputs.iter().filter_map(|input| operand(source[input.0])).collect();
            steps.push(Step { work, inputs, output, node: index });
        }
        let outputs = values.iter().filter_map(|value| Some((buffer_of[source[value.0]]?, size(value.0)))).collect();
        Ok(Plan { graph: graph.clone(), parameter_shapes, steps, buffers, outputs, training })
    }

    /// Takes over the parameters of a model, which [fits](Plan::fits).
    pub fn prepare(&mut self, model: &Model) {
        self.steps.iter_mut().for_each(|step| step.work.prepare(model, self.training));
    }

    /// Whether the model is still of the shapes that this was made for.
    pub fn fits(&self, model: &Model) -> bool {
        let shapes = model.parameters.iter().map(|parameter| parameter.values.shape());
        model.parameters.len() == self.parameter_shapes.len()
            && shapes.zip(&self.parameter_shapes).all(|(shape, expected)| shape == expected.as_slice())
            && model.graph == self.graph
    }

    /// Shape of each parameter.
    pub fn parameter_shapes(&self) -> &[Vec<usize>] {
        &self.parameter_shapes
    }

    /// Floats that one sample takes up in a workspace.
    pub fn floats_per_sample(&self) -> usize {
        let values: usize = self.buffers.iter().sum();
        let scratch =
            self.steps.iter().map(|step| step.work.kept() + if self.training { step.work.scratch() } else { 0 });
        values * if self.training { 2 } else { 1 } + scratch.sum::<usize>()
    }
}

/// The buffer of each needed value (that is not merely a flattened one). In training each has one for itself; otherwise one
/// is used again as soon as nothing needs what is in it.
fn assign(graph: &Graph, source: &[usize], needed: &[bool], values: &[ValueId], training: bool) -> Vec<Option<usize>> {
    let mut last_use: Vec<usize> = (0..source.len()).collect();
    for (index, node) in graph.nodes.iter().enumerate() {
        if needed[index + 1] {
            node.inputs.iter().for_each(|input| last_use[source[input.0]] = index + 1);
        }
    }
    values.iter().for_each(|value| last_use[source[value.0]] = usize::MAX);
    let mut buffers = vec![None; source.len()];
    let mut free: Vec<usize> = Vec::new();
    let mut count = 0;
    for value in 0..source.len() {
        // The samples are copied into buffer 0 even if nothing needs them.
        if (needed[value] && source[value] == value) || value == 0 {
            buffers[value] = Some(free.pop().unwrap_or_else(|| {
                count += 1;
                count - 1
            }));
        }
        if !training {
            let over = (0..=value).filter(|&earlier| last_use[earlier] == value);
            free.extend(over.filter_map(|earlier| buffers[earlier]));
        }
    }
    buffers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::lenet5;

    #[test]
    fn inference_reuses_buffers_and_training_keeps_them() {
        let model = lenet5([6, 12, 16, 10]);
        let logits = [logits_of(&model.graph, &model.shapes().unwrap())];
        let inference = Plan::new(&model, &logits, false).unwrap();
        let training = Plan::new(&model, &logits, true).unwrap();
        assert_eq!(inference.buffers.len(), 2);
        // Input, two convolutions, two pools, two linear layers and a ReLU; flattening makes none.
        assert_eq!(training.buffers.len(), 8);
        assert_eq!(training.steps.len(), 7);
        assert!(!training.steps[0].inputs[0].trains, "the input's gradient is never needed");
    }

    #[test]
    fn a_value_that_does_not_exist_is_an_error() {
        let model = lenet5([6, 12, 16, 10]);
        assert!(matches!(Plan::new(&model, &[ValueId(9)], false), Err(Error::Data(_))));
    }
}
