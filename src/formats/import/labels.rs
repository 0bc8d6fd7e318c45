//! Outputs that name a class: they are cut off behind the scores that they are made of, which say the same and can be trained.

use super::graph::{Graph, Node};
use std::borrow::Cow;
use std::collections::HashMap;

/// The most nodes between scores and a label, and outputs of a graph with labels.
const MOST: usize = 64;

/// The outputs of a graph, with the scores in the place of labels and of dictionaries of scores; each once.
pub fn scores<'a>(graph: &'a Graph<'a>) -> Vec<&'a Cow<'a, str>> {
    if graph.outputs.len() > MOST {
        return graph.outputs.iter().collect();
    }
    let makers: HashMap<&str, &Node> =
        graph.nodes.iter().flat_map(|node| node.outputs.iter().map(move |name| (&**name, node))).collect();
    let cut: Vec<Option<&Cow<str>>> = graph.outputs.iter().map(|name| behind(&makers, name)).collect();
    let kept: Vec<&Cow<str>> =
        graph.outputs.iter().zip(&cut).filter(|(_, cut)| cut.is_none()).map(|(name, _)| name).collect();
    // Probabilities beside the label are the scores already.
    let answered = |score: &Cow<str>| {
        kept.iter().any(|&name| {
            let maker =
                makers.get(&**name).filter(|node| matches!(node.op, "Softmax" | "LogSoftmax" | "Sigmoid" | "Identity"));
            name == score || maker.is_some_and(|node| node.inputs.first() == Some(score))
        })
    };
    let mut outputs: Vec<&Cow<str>> = Vec::new();
    for (name, cut) in graph.outputs.iter().zip(&cut) {
        let output = cut.unwrap_or(name);
        if (cut.is_none() || !answered(output)) && !outputs.contains(&output) {
            outputs.push(output);
        }
    }
    outputs
}

/// The scores behind a label, if it is one.
fn behind<'a>(makers: &HashMap<&str, &'a Node<'a>>, name: &str) -> Option<&'a Cow<'a, str>> {
    let mut name = name;
    for _ in 0..MOST {
        let node = makers.get(name)?;
        let read = match node.op {
            "ArgMax" | "ZipMap" => return node.inputs.first(),
            "Cast" | "Reshape" | "Identity" | "Squeeze" | "Unsqueeze" | "Flatten" | "LabelEncoder" => {
                node.inputs.first()
            }
            "ArrayFeatureExtractor" | "Gather" => node.inputs.get(1),
            _ => None,
        };
        name = read?;
    }
    None
}
