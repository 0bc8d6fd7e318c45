//! The operators that files have, by the families that they are read and written in.

use super::graph::{Node, is_standard};
use super::importer::{Importer, Known, Readers};
use super::written::{Context, Written};
use super::{elementwise, layers, moves, sequences, shapes, transposed};
use crate::error::LoadError;
use std::borrow::Cow;

const READERS: [Readers; 6] =
    [layers::READERS, shapes::READERS, moves::READERS, elementwise::READERS, sequences::READERS, transposed::READERS];

/// The domain of operators of classical machine learning.
const LEARNED: &str = "ai.onnx.ml";

impl<'a> Importer<'a> {
    /// Reads a node. An operator that is in no list is an error.
    pub fn import(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        if !is_standard(node.domain) && (node.domain, node.op) != (LEARNED, "Scaler") {
            let feature =
                format!("operator {} of the domain '{}', which the file does not define,", node.op, node.domain);
            return Err(node.unsupported(feature, &self.way_out(node)));
        }
        if self.fold(node)? {
            return Ok(());
        }
        match READERS.into_iter().flatten().find(|(names, _)| names.contains(&node.op)) {
            Some((_, read)) => read(self, node),
            None if elementwise::function(node.op).is_some() => self.unary(node),
            None => Err(node.unsupported(format!("operator {}", node.op), &self.way_out(node))),
        }
    }

    /// What helps where an operator is not known.
    fn way_out(&self, node: &'a Node<'a>) -> String {
        if ["QLinear", "Integer", "DynamicQuantize"].iter().any(|part| node.op.contains(part)) {
            return "the float model that this one was quantized from".to_owned();
        }
        if node.domain == "com.microsoft" {
            return "the model before onnxruntime optimized or quantized it".to_owned();
        }
        let computed = |name: &&Cow<str>| matches!(self.known.get(&***name), Some(Known::Value(id)) if id.0 > 0);
        let cut = match node.inputs.iter().find(computed) {
            Some(name) => format!("the graph cut before this node, at '{name}' (onnx.utils.extract_model)"),
            None => "a graph without this node".to_owned(),
        };
        if node.domain == LEARNED { format!("skl2onnx's export with zipmap=False, or {cut}") } else { cut }
    }
}

/// How a node is written; `None` for those that are no operator of a file.
pub fn written(context: &Context) -> Option<Written> {
    [layers::written, shapes::written, moves::written, elementwise::written].iter().find_map(|family| family(context))
}
