//! The operators that files have, by the families that they are read and written in.

use super::graph::{Node, is_standard};
use super::importer::{Importer, Readers};
use super::written::{Context, Written};
use super::{elementwise, layers, moves, shapes};
use crate::error::LoadError;

const READERS: [Readers; 4] = [layers::READERS, shapes::READERS, moves::READERS, elementwise::READERS];

impl<'a> Importer<'a> {
    /// Reads a node. An operator that is in no list is an error.
    pub fn import(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        if !is_standard(node.domain) {
            return Err(node.unsupported(format!("domain '{}'", node.domain), "the standard operators"));
        }
        if self.fold(node)? {
            self.remember_root(node);
            return Ok(());
        }
        match READERS.into_iter().flatten().find(|(names, _)| names.contains(&node.op)) {
            Some((_, read)) => read(self, node),
            None if elementwise::function(node.op).is_some() => self.unary(node),
            None => {
                let names: Vec<&str> = READERS.into_iter().flatten().flat_map(|(names, _)| *names).copied().collect();
                let functions = "functions of each element such as Sigmoid, Clip and Gelu";
                let supported = format!("{}, {functions}, and constant arithmetic", names.join(", "));
                Err(node.unsupported(format!("operator {}", node.op), &supported))
            }
        }
    }
}

/// How a node is written; `None` for those that are no operator of a file.
pub fn written(context: &Context) -> Option<Written> {
    [layers::written, shapes::written, moves::written, elementwise::written].iter().find_map(|family| family(context))
}
