//! The one in-memory model: a graph of operators over named parameters.

pub mod channels;
mod dtype;
pub mod expand;
mod fixed;
mod function;
mod graph;
pub mod histogram;
pub mod network;
mod number;
mod op;
pub mod presets;
pub mod recognise;
mod scaling;
mod steps;

pub use dtype::Dtype;
pub use fixed::{ActivationFormat, Codebook, FixedParameter, FixedPoint};
pub use function::{Binary, Function, Unary};
pub use graph::{Graph, Node, ValueId};
pub use network::{Network, Origin, Source, Tensor};
pub use number::Number;
pub use op::*;
pub use scaling::Scaling;
pub use steps::{RowSteps, Steps, code_of, factor};

use crate::error::GraphError;
use ndarray::ArrayD;

/// A named array of 32-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name in the file that it came from.
    pub name: String,
    /// `[out, in, kh, kw]`, `[out, in]` or `[out]`, in standard (row-major) layout.
    pub values: ArrayD<f32>,
}

/// A network: what it computes, and with which numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// What is computed.
    pub graph: Graph,
    /// Indexed by [`ParamId`].
    pub parameters: Vec<Parameter>,
}

impl Model {
    /// The values of one parameter.
    pub fn values(&self, id: ParamId) -> &ArrayD<f32> {
        &self.parameters[id.0].values
    }

    /// The values of one parameter, to change.
    pub fn values_mut(&mut self, id: ParamId) -> &mut ArrayD<f32> {
        &mut self.parameters[id.0].values
    }

    /// Number of weights and biases.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.values.len()).sum()
    }

    /// Bytes of the parameters as 32-bit floats: the baseline of every ratio.
    pub fn parameter_bytes(&self) -> usize {
        4 * self.parameter_count()
    }

    /// Shape of each parameter, indexed by [`ParamId`].
    pub fn parameter_shapes(&self) -> Vec<Vec<usize>> {
        self.parameters.iter().map(|parameter| parameter.values.shape().to_vec()).collect()
    }

    /// Shape of every value for one sample, indexed by [`ValueId`].
    ///
    /// # Errors
    /// [`GraphError`] where the shapes do not fit.
    pub fn shapes(&self) -> Result<Vec<Vec<usize>>, GraphError> {
        self.graph.shapes(&self.parameter_shapes())
    }

    /// Multiply-accumulate operations for one sample, as a dense network computes them.
    ///
    /// # Errors
    /// [`GraphError`] where the shapes do not fit.
    pub fn macs(&self) -> Result<u64, GraphError> {
        let shapes = self.shapes()?;
        Ok(self
            .graph
            .layers()
            .map(|(node, weight, _)| {
                let weights = self.values(weight);
                (weights.len() * self.graph.nodes[node].op.uses(&shapes[node + 1], weights.shape()[0])) as u64
            })
            .sum())
    }
}
