//! Which values of a graph have to be made, and what reads them.

use crate::model::{Graph, ValueId};

/// What values are made of and read by, for the values that are asked for.
#[derive(Debug)]
pub struct Flow {
    /// The value that it is under another shape; itself if it is made.
    pub source: Vec<usize>,
    /// Whether it has to be made.
    pub needed: Vec<bool>,
    /// The nodes that read it, whatever its shape.
    pub readers: Vec<Vec<usize>>,
    /// Whether it is asked for.
    pub asked: Vec<bool>,
}

impl Flow {
    /// For a graph whose values have these shapes.
    pub fn new(graph: &Graph, shapes: &[Vec<usize>], values: &[ValueId]) -> Self {
        let mut source: Vec<usize> = vec![0];
        for (index, node) in graph.nodes.iter().enumerate() {
            let same = node.inputs.first().filter(|input| node.op.is_alias(&shapes[input.0]));
            source.push(same.map_or(index + 1, |input| source[input.0]));
        }
        let [mut needed, mut asked] = [vec![false; shapes.len()], vec![false; shapes.len()]];
        for value in values {
            needed[source[value.0]] = true;
            asked[source[value.0]] = true;
        }
        let mut readers = vec![Vec::new(); shapes.len()];
        for (index, node) in graph.nodes.iter().enumerate().rev() {
            if needed[index + 1] && source[index + 1] == index + 1 {
                for input in &node.inputs {
                    needed[source[input.0]] = true;
                    readers[source[input.0]].push(index);
                }
            }
        }
        Flow { source, needed, readers, asked }
    }
}
