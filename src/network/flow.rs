//! Which values of a graph have to be made, and what reads them.

use crate::error::{DataError, Error};
use crate::model::{Model, ValueId};

/// What values are made of and read by, for the values that are asked for.
#[derive(Debug)]
pub struct Flow {
    /// Shape of each parameter.
    pub parameter_shapes: Vec<Vec<usize>>,
    /// Shape of each value.
    pub shapes: Vec<Vec<usize>>,
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
    /// # Errors
    /// If the model's shapes do not fit, or a value does not exist.
    pub fn new(model: &Model, values: &[ValueId]) -> Result<Self, Error> {
        let graph = &model.graph;
        let parameter_shapes = model.parameter_shapes();
        let shapes = graph.shapes(&parameter_shapes)?;
        if let Some(bad) = values.iter().find(|value| value.0 >= shapes.len()) {
            let expected = format!("0 to {}", shapes.len() - 1);
            return Err(DataError { what: "value asked for", expected, got: bad.0.to_string() }.into());
        }
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
        Ok(Flow { parameter_shapes, shapes, source, needed, readers, asked })
    }

    /// Elements of a value.
    pub fn size(&self, value: usize) -> usize {
        self.shapes[value].iter().product()
    }
}
