//! What has to be computed, in which order and in which buffers: made once for a model's shapes.

use super::flow::Flow;
use super::operators;
use super::operators::work::{Operand, Work};
use crate::error::Error;
use crate::model::{Function, Graph, Model, Op, ValueId};
use std::fmt;

/// A node that has to run. One that only gives another shape needs not: its output is its input's buffer.
pub struct Step {
    pub work: Box<dyn Work>,
    pub inputs: Vec<Operand>,
    pub output: Operand,
}

/// The steps and buffers that training needs for some of a model's values: each has a buffer for itself.
pub struct Plan {
    graph: Graph,
    parameter_shapes: Vec<Vec<usize>>,
    pub steps: Vec<Step>,
    /// Elements of each buffer, for one sample.
    pub buffers: Vec<usize>,
    /// Buffer and elements of each value that was asked for.
    pub outputs: Vec<(usize, usize)>,
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

/// What its steps do is not for print, and each would bring its own words into the wasm.
impl fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Plan")
    }
}

impl Plan {
    /// # Errors
    /// If the model's shapes do not fit, or a value does not exist.
    pub fn new(model: &Model, values: &[ValueId]) -> Result<Self, Error> {
        let graph = &model.graph;
        let flow = Flow::new(model, values)?;
        let Flow { parameter_shapes, shapes, source, needed, .. } = &flow;
        let mut trains = vec![false; shapes.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            trains[index + 1] =
                node.op.parameters().next().is_some() || node.inputs.iter().any(|input| trains[source[input.0]]);
        }

        let mut buffers = Vec::new();
        let buffer_of: Vec<Option<usize>> = (0..shapes.len())
            .map(|value| {
                // The samples are copied into buffer 0 even if nothing needs them.
                (value == 0 || (needed[value] && source[value] == value)).then(|| {
                    buffers.push(flow.size(value));
                    buffers.len() - 1
                })
            })
            .collect();
        let mut steps = Vec::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            let operand = |value: usize| {
                let buffer = buffer_of[value]?;
                Some(Operand { buffer, length: flow.size(value), trains: trains[value] })
            };
            let Some(output) = operand(index + 1).filter(|_| needed[index + 1]) else { continue };
            let inputs: Vec<&[usize]> = node.inputs.iter().map(|input| shapes[input.0].as_slice()).collect();
            let to = &shapes[index + 1];
            let work = operators::work(&node.op, &inputs, to, parameter_shapes)
                .ok_or_else(|| node.fault("memory", format!("a table for {to:?}"), "not enough"))?;
            let inputs = node.inputs.iter().filter_map(|input| operand(source[input.0])).collect();
            steps.push(Step { work, inputs, output });
        }
        let outputs =
            values.iter().filter_map(|value| Some((buffer_of[source[value.0]]?, flow.size(value.0)))).collect();
        Ok(Plan { graph: graph.clone(), parameter_shapes: flow.parameter_shapes, steps, buffers, outputs })
    }

    /// Takes over the parameters of a model, which [fits](Plan::fits).
    pub fn prepare(&mut self, model: &Model) {
        self.steps.iter_mut().for_each(|step| step.work.prepare(model, true));
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::lenet5;

    #[test]
    fn each_value_has_a_buffer_for_itself() {
        let model = lenet5([6, 12, 16, 10]);
        let logits = [logits_of(&model.graph, &model.shapes().unwrap())];
        let training = Plan::new(&model, &logits).unwrap();
        // Input, two convolutions, two pools, two linear layers and a ReLU; flattening makes none.
        assert_eq!(training.buffers.len(), 8);
        assert_eq!(training.steps.len(), 7);
        assert!(!training.steps[0].inputs[0].trains, "the input's gradient is never needed");
    }

    #[test]
    fn a_value_that_does_not_exist_is_an_error() {
        let model = lenet5([6, 12, 16, 10]);
        assert!(matches!(Plan::new(&model, &[ValueId(9)]), Err(Error::Data(_))));
    }
}
