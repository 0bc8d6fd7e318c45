//! The graph: nodes in the order in which they run.

use super::op::check_size;
use super::{Class, Function, Op, ParamId};
use crate::error::GraphError;

/// A value that flows through the graph: `ValueId(0)` is the network's input, and node `i` makes `ValueId(i + 1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub usize);

/// One operator applied to values that were made before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The node's name in the file that it came from; only for messages and exports.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// What it reads; each is the input or made by an earlier node.
    pub inputs: Vec<ValueId>,
}

impl Node {
    /// The error for what does not fit in this node.
    pub(crate) fn fault(&self, what: &'static str, expected: impl ToString, got: impl ToString) -> GraphError {
        GraphError::new(&self.name, self.op.name(), what, expected, got)
    }
}

/// Nodes in topological order; the last one makes the output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// Name of the input in the file.
    pub input_name: String,
    /// Shape of one sample: `[channels, height, width]` or `[features]`.
    pub input_shape: Vec<usize>,
    /// In the order in which they run.
    pub nodes: Vec<Node>,
    /// Names of the outputs in the file, in its order; none if they are made up: a single one is `output`.
    pub output_names: Vec<String>,
}

impl Graph {
    /// Names of the inputs: of those that are parts of the network's input, or of that itself.
    pub fn input_names(&self) -> Vec<&str> {
        let parts = self.nodes.iter().filter(|node| matches!(node.op, Op::Input(_))).map(|node| node.name.as_str());
        let parts: Vec<&str> = parts.collect();
        if parts.is_empty() { vec![&self.input_name] } else { parts }
    }

    /// The values that the network answers with, in their order.
    pub fn outputs(&self) -> Vec<ValueId> {
        match self.nodes.last() {
            Some(Node { op: Op::Outputs, inputs, .. }) => inputs.clone(),
            _ => vec![self.output()],
        }
    }

    /// The value that the network answers with.
    pub fn output(&self) -> ValueId {
        ValueId(self.nodes.len())
    }

    /// Nodes that have weights, in order, with their weight and bias.
    pub fn layers(&self) -> impl Iterator<Item = (usize, ParamId, Option<ParamId>)> + '_ {
        self.nodes
            .iter()
            .enumerate()
            .filter_map(|(index, node)| node.op.layer().map(|(weight, bias)| (index, weight, bias)))
    }

    /// Which values only name places of tables, moves aside; with `floors`, also those that are only rounded down: they are integers.
    pub fn integers(&self, floors: bool) -> Vec<bool> {
        let mut integers = vec![None; self.nodes.len() + 1];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let whole = match (&node.op, node.op.class()) {
                (Op::Lookup(_), _) => true,
                (Op::Unary(unary), _) => floors && unary.function == Function::Floor,
                (Op::Pad(_), _) => false,
                (_, Class::Reshape | Class::Move) => integers[index + 1] == Some(true),
                _ => false,
            };
            node.inputs.iter().for_each(|input| integers[input.0] = Some(whole && integers[input.0] != Some(false)));
        }
        integers.into_iter().map(|whole| whole == Some(true)).collect()
    }

    /// Shape of every value, indexed by [`ValueId`], from the shapes of the parameters.
    ///
    /// # Errors
    /// [`GraphError`] names the node at which the shapes do not fit.
    pub fn shapes(&self, parameter_shapes: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, GraphError> {
        let mut shapes = vec![self.input_shape.clone()];
        check_size("input", &self.input_shape)?;
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(bad) = node.inputs.iter().find(|value| value.0 > index) {
                let (expected, got) = (format!("value 0 to {index}"), format!("value {}", bad.0));
                return Err(node.fault("an input made by an earlier node", expected, got));
            }
            let inputs: Vec<&[usize]> = node.inputs.iter().map(|value| shapes[value.0].as_slice()).collect();
            let shape = node.op.shape(&node.name, &inputs, parameter_shapes)?;
            shapes.push(shape);
        }
        Ok(shapes)
    }
}
