//! The functions that a file defines: each node that calls one becomes the nodes of its body, so that nobody else has to know them.

use super::malformed;
use super::schema::{Function, count_operands, push};
use crate::error::LoadError;
use crate::formats::collect::unique;
use crate::formats::import::{Attribute, Graph, Node};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// How deep functions may call others.
const MAX_DEPTH: usize = 32;

/// The most numbers in attributes that calls may copy: a file could grow without end.
const MAX_COPIED: usize = 1 << 24;

/// Puts the nodes of functions in the place of their calls.
///
/// # Errors
/// [`LoadError`] if that takes too many nodes, or does not end.
pub fn inline<'a>(graph: &mut Graph<'a>, functions: &[Function<'a>]) -> Result<(), LoadError> {
    let known = functions.iter().map(|function| ((function.domain, function.name, function.overload), function));
    let known: HashMap<_, _> = known.collect();
    let called = |node: &Node<'a>| known.get(&(node.domain, node.op, node.overload)).copied();
    let (mut labels, mut copied) = (HashSet::new(), 0);
    for _ in 0..MAX_DEPTH {
        if !graph.nodes.iter().any(|node| called(node).is_some()) {
            return Ok(());
        }
        let mut operands = 0;
        for node in std::mem::take(&mut graph.nodes) {
            let nodes = match called(&node) {
                Some(function) => {
                    copied += function.nodes.iter().flat_map(|node| &node.attributes).map(numbers).sum::<usize>();
                    if copied > MAX_COPIED {
                        let expected = format!("at most {MAX_COPIED} numbers in attributes of functions");
                        return Err(malformed("functions", &expected, "more".into()));
                    }
                    body(function, &node, &unique(&mut labels, node.label(), "call"), graph.opset)
                }
                None => vec![node],
            };
            for node in nodes {
                count_operands(&node, &mut operands)?;
                push(&mut graph.nodes, node, "nodes, those of functions among them")?;
            }
        }
    }
    Err(malformed("functions", &format!("calls that are at most {MAX_DEPTH} deep"), "deeper ones".into()))
}

/// How many numbers a copy of an attribute copies.
fn numbers((_, attribute): &(&str, Attribute)) -> usize {
    match attribute {
        Attribute::Floats(floats) => floats.len(),
        Attribute::Ints(ints) => ints.len(),
        _ => 1,
    }
}

/// The nodes of a function, with the names and attributes of a call. What is its own is named after the call.
fn body<'a>(function: &Function<'a>, call: &Node<'a>, label: &str, opset: i64) -> Vec<Node<'a>> {
    let mut names: HashMap<&str, Cow<'a, str>> = HashMap::new();
    let mut nodes = Vec::new();
    for (at, &output) in function.outputs.iter().enumerate() {
        names.extend(call.outputs.get(at).filter(|name| !name.is_empty()).map(|name| (output, name.clone())));
    }
    for (at, &input) in function.inputs.iter().enumerate() {
        let given = call.inputs.get(at).cloned().unwrap_or_default();
        // What goes through untouched has two names.
        if let Some(output) = names.insert(input, given.clone()) {
            let (inputs, outputs) = (vec![given], vec![output]);
            nodes.push(Node { format: call.format, op: "Identity", inputs, outputs, ..Node::default() });
        }
    }
    let named = |name: &Cow<'a, str>| match names.get(&**name) {
        Some(outer) => outer.clone(),
        None if name.is_empty() => name.clone(),
        None => format!("{label}/{name}").into(),
    };
    for node in &function.nodes {
        let mut node = node.clone();
        node.inputs.iter_mut().chain(&mut node.outputs).for_each(|name| *name = named(name));
        if !node.name.is_empty() {
            node.name = format!("{label}/{}", node.name).into();
        }
        let default = |name: &str| function.defaults.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        // One that neither has is left out.
        let given = |(name, value)| match value {
            Attribute::Reference(outer) => Some((name, call.attribute(outer).or(default(outer))?.clone())),
            other => Some((name, other)),
        };
        node.attributes = std::mem::take(&mut node.attributes).into_iter().filter_map(given).collect();
        node.name_constant();
        if node.opset == 0 && function.opset != opset {
            node.opset = function.opset;
        }
        nodes.push(node);
    }
    nodes
}
