//! The operators that files have, by the families that they are read and written in.

use super::elementwise::function;
use super::graph::{Node, is_standard};
use super::importer::{Importer, Known, Readers};
use super::moves::MOVES;
use super::tensor::{INT32, INT64, is_float, type_name};
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
            self.remember_root(node);
            return Ok(());
        }
        match READERS.into_iter().flatten().find(|(names, _)| names.contains(&node.op)) {
            Some((_, read)) => read(self, node),
            None if function(node.op).is_some() => self.unary(node),
            None => Err(node.unsupported(format!("operator {}", node.op), &self.way_out(node))),
        }
    }

    /// Proves that a node knows what to do with samples along another axis than the first, if it is given such.
    pub fn check_batch_axes(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        let elsewhere = |name: &Cow<str>| match self.known.get(&**name) {
            Some(Known::Value(id)) => self.batch_axes[id.0] > 0,
            _ => false,
        };
        let known = MOVES.contains(&node.op)
            || function(node.op).is_some()
            || matches!(node.op, "LSTM" | "GRU" | "RNN" | "Identity" | "Cast" | "Dropout" | "Shape" | "Split" | "Relu");
        if !known && node.inputs.iter().any(elsewhere) {
            return Err(self.no_batch(node, "samples along another axis than the first"));
        }
        Ok(())
    }

    /// The type of integers that a node makes of integers that depend on the input, which have no fractions and go by other rules than
    /// floats: what only moves, compares or converts them is known, and sums.
    pub fn integers_of(&self, node: &'a Node<'a>) -> Result<Option<i64>, LoadError> {
        let Some(&kind) = node.inputs.iter().find_map(|name| self.integers.get(&**name)) else { return Ok(None) };
        let first = node.inputs.first().is_some_and(|name| self.integers.contains_key(&**name));
        match node.op {
            "Cast" => Ok(Some(node.int("to", 0)?).filter(|&to| !is_float(to))),
            "Shape" | "Equal" | "DequantizeLinear" => Ok(None),
            "Gather" if !first => Ok(None),
            "Identity" | "Concat" | "Split" => Ok(Some(kind)),
            moved if MOVES.contains(&moved) => Ok(Some(kind)),
            "Add" | "Sub" | "Mul" | "Min" | "Max" if matches!(kind, INT32 | INT64) => Ok(Some(kind)),
            _ => Err(node.unsupported(
                format!("{} of {} that depend on the input", node.op, type_name(kind)),
                "floats, after a Cast",
            )),
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
