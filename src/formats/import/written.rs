//! How an operator of a model is written: what a node of a file has beside the values and parameters that it reads.

use super::graph::Attribute;
use super::tensor::{FLOAT, INT64, Numbers};
use crate::model::{Model, Node};

/// A further input that is a constant: what it is, its type, shape and numbers.
pub type Constant = (&'static str, i64, Vec<usize>, Numbers<'static>);

/// Attributes, by their names.
pub type Attributes = Vec<(&'static str, Attribute<'static>)>;

/// An operator of a file.
#[derive(Debug)]
pub struct Written {
    /// Its name.
    pub op: &'static str,
    /// The operator set that brought it in this form.
    pub opset: i64,
    pub attributes: Attributes,
    /// `None` is an input that is left out.
    pub constants: Vec<Option<Constant>>,
}

impl Written {
    pub fn new(op: &'static str) -> Self {
        Written { op, opset: 13, attributes: Vec::new(), constants: Vec::new() }
    }

    pub fn since(self, opset: i64) -> Self {
        Written { opset, ..self }
    }

    fn with(mut self, name: &'static str, attribute: Attribute<'static>) -> Self {
        self.attributes.push((name, attribute));
        self
    }

    pub fn int(self, name: &'static str, value: impl Into<i64>) -> Self {
        self.with(name, Attribute::Int(value.into()))
    }

    pub fn float(self, name: &'static str, value: f32) -> Self {
        self.with(name, Attribute::Float(value))
    }

    pub fn text(self, name: &'static str, value: &'static str) -> Self {
        self.with(name, Attribute::Text(value.as_bytes()))
    }

    pub fn sizes(self, name: &'static str, sizes: &[usize]) -> Self {
        self.with(name, Attribute::sizes(sizes))
    }

    pub fn no_input(mut self) -> Self {
        self.constants.push(None);
        self
    }

    pub fn input(mut self, what: &'static str, shape: &[usize], numbers: Vec<f32>) -> Self {
        self.constants.push(Some((what, FLOAT, shape.to_vec(), Numbers::Floats(numbers))));
        self
    }

    /// One number.
    pub fn number_input(self, what: &'static str, number: f32) -> Self {
        self.input(what, &[], vec![number])
    }

    pub fn int_input(mut self, what: &'static str, ints: impl IntoIterator<Item = i64>) -> Self {
        let ints: Vec<i64> = ints.into_iter().collect();
        self.constants.push(Some((what, INT64, vec![ints.len()], Numbers::Ints(ints))));
        self
    }

    pub fn size_input(self, what: &'static str, sizes: &[usize]) -> Self {
        self.int_input(what, sizes.iter().map(|&size| size as i64))
    }
}

/// A node that is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub node: &'a Node,
    pub model: &'a Model,
    /// Of all values.
    pub shapes: &'a [Vec<usize>],
    /// The operator set of the file.
    pub opset: i64,
    /// Number of axes that the file has before those of the model.
    pub lead: usize,
}

impl Context<'_> {
    /// Shape of the first input.
    pub fn shape(&self) -> &[usize] {
        &self.shapes[self.node.inputs[0].0]
    }

    /// An axis as the file counts it.
    pub fn axis(&self, axis: usize) -> i64 {
        (axis + self.lead) as i64
    }

    pub fn axes(&self, axes: &[usize]) -> Vec<usize> {
        axes.iter().map(|axis| axis + self.lead).collect()
    }

    /// One number for each axis of the file; `first` is that of the samples.
    pub fn whole(&self, numbers: &[usize], first: usize) -> Vec<usize> {
        [&vec![first; self.lead][..], numbers].concat()
    }
}
