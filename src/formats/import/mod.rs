//! Graphs of files to [`Model`](crate::model::Model)s, and back. What each format's reader parses or builds is a [`Graph`], in ONNX's vocabulary;
//! [`model`] maps its operators to those of the model, exactly: a bias that is added after a layer, a batch normalisation and Gemm's
//! factors are folded into the layer's own parameters, what does nothing at inference is left out, and anything else is an error that
//! names the node and its operator. [`of_model`] is the way back.

mod elementwise;
mod exporter;
mod fold;
mod graph;
mod importer;
mod labels;
mod layers;
mod moves;
mod operands;
mod operators;
mod sequences;
mod shapes;
pub mod tensor;
mod tie;
mod transposed;
mod written;

pub use exporter::graph as of_model;
pub use graph::{Attribute, Graph, Input, Node, is_standard};
pub use importer::model;
pub use tensor::{Numbers, Tensor};
