//! What nodes read and make: constants and values by their names, and the operators and parameters of the model so far.

use super::graph::Node;
use super::importer::{Constant, Importer, Known};
use super::tensor::Tensor;
use crate::error::LoadError;
use crate::formats::collect::unique;
use crate::formats::cursor::malformed;
use crate::model::{self, Op, ParamId, Parameter, ValueId};
use ndarray::{ArrayD, IxDyn};
use std::rc::Rc;

/// The side of axis 0 where the number of samples is not known: a prime that no file has, so that it is found again in a
/// product.
const ANY_BATCH: usize = 1_048_583;

impl<'a> Importer<'a> {
    /// The error where a node does something with axis 0 that samples do not allow; the whole tensors are tried then.
    pub fn no_batch(&mut self, node: &'a Node<'a>, feature: impl Into<String>) -> LoadError {
        self.no_batch |= self.batched;
        node.unsupported(feature, "operators that leave the samples of a batch apart")
    }

    /// What input `index` of a node stands for; `None` if it is optional and left out.
    pub fn input(&self, node: &'a Node<'a>, index: usize) -> Result<Option<Known<'a>>, LoadError> {
        match node.inputs.get(index) {
            Some(name) if !name.is_empty() => match self.known.get(&**name) {
                Some(known) => Ok(Some(known.clone())),
                None => Err(node.malformed("inputs that an earlier node makes", format!("'{name}'"))),
            },
            _ => Ok(None),
        }
    }

    /// Input `index`, which has to be there.
    pub fn required(&self, node: &'a Node<'a>, index: usize) -> Result<Known<'a>, LoadError> {
        self.input(node, index)?.ok_or_else(|| node.malformed(&format!("an input {index}"), "none"))
    }

    /// Input `index` as a value. A constant has no axis of samples: it becomes one where values have none either.
    pub fn value(&mut self, node: &'a Node<'a>, index: usize) -> Result<ValueId, LoadError> {
        match self.required(node, index)? {
            Known::Constant(..) if self.batched => Err(self.no_batch(node, format!("a constant as input {index}"))),
            _ => self.any_value(node, index),
        }
    }

    /// Input `index` as a value; a constant becomes a parameter.
    pub fn any_value(&mut self, node: &'a Node<'a>, index: usize) -> Result<ValueId, LoadError> {
        match self.required(node, index)? {
            Known::Value(id) => Ok(id),
            Known::Constant(tensor, shape) => self.constant_value(tensor, shape, false),
        }
    }

    /// Input `index`, which has to be a constant if it is there.
    pub fn constant(&self, node: &'a Node<'a>, index: usize) -> Result<Option<Constant<'a>>, LoadError> {
        match self.input(node, index)? {
            Some(Known::Constant(tensor, shape)) => Ok(Some((tensor, shape))),
            Some(Known::Value(_)) => Err(node.unsupported(format!("a computed input {index}"), "a constant")),
            None => Ok(None),
        }
    }

    /// A constant as a value. `compact` leaves sides of 1 out of the parameter, and puts them back by another shape: what
    /// is broadcast over channels is then a vector, as biases are.
    pub fn constant_value(
        &mut self,
        tensor: Rc<Tensor<'a>>,
        shape: Vec<usize>,
        compact: bool,
    ) -> Result<ValueId, LoadError> {
        let key = (tensor.name.clone(), shape);
        if let Some((known, id)) = self.parameter_values.get(&key).filter(|_| !tensor.name.is_empty())
            // Constants of nodes may have one name and other numbers.
            && (Rc::ptr_eq(known, &tensor) || known.numbers()? == tensor.numbers()?)
        {
            return Ok(*id);
        }
        let (_, shape) = &key;
        let stored: Vec<usize> = shape.iter().copied().filter(|&side| !compact || side != 1).collect();
        let values = tensor.numbers()?.into_iter().map(|number| number as f32).collect();
        let name = if tensor.name.is_empty() { "constant" } else { &tensor.name };
        let parameter = self.parameter(name, &stored, values)?;
        let name = self.model.parameters[parameter.0].name.clone();
        let mut id = self.append(name.clone(), Op::Parameter(parameter), Vec::new(), &name)?;
        if stored != *shape {
            id = self.append(format!("{name}.shape"), Op::Reshape(shape.clone()), vec![id], &name)?;
        }
        self.parameter_values.insert(key, (tensor, id));
        Ok(id)
    }

    /// Shape of a value for one sample.
    pub fn shape_of(&self, id: ValueId) -> &[usize] {
        &self.shapes[id.0]
    }

    /// Shape of a value as the file has it.
    pub fn whole_shape(&self, id: ValueId) -> Vec<usize> {
        let mut shape = self.shape_of(id).to_vec();
        if self.batched {
            shape.insert(self.batch_axes[id.0], self.batch_side());
        }
        shape
    }

    /// The side of axis 0, if that is left out.
    pub fn batch_side(&self) -> usize {
        self.batch.unwrap_or(ANY_BATCH)
    }

    /// An axis as the file counts it, to one of a value with so many.
    pub fn axis(&self, node: &'a Node<'a>, axis: i64, rank: usize) -> Result<usize, LoadError> {
        let counted = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
        let axis_of = usize::try_from(counted).ok().filter(|&axis| axis < rank);
        axis_of.ok_or_else(|| node.malformed(&format!("an axis of {rank}"), axis.to_string()))
    }

    /// Gives an output of a node its meaning.
    pub fn define_at(&mut self, node: &'a Node<'a>, index: usize, known: Known<'a>) -> Result<(), LoadError> {
        let Some(name) = node.outputs.get(index) else { return Err(node.malformed("an output", "none")) };
        if let Known::Value(id) = known {
            // The name that this node read is replaced by the one that it makes.
            self.readers[id.0] = self.readers[id.0].saturating_sub(1) + self.uses.get(&**name).copied().unwrap_or(0);
        }
        if self.known.insert(name, known).is_some() {
            return Err(node.malformed("outputs with names of their own", format!("'{name}' again")));
        }
        Ok(())
    }

    /// Gives the first output of a node its meaning.
    pub fn define(&mut self, node: &'a Node<'a>, known: Known<'a>) -> Result<(), LoadError> {
        self.define_at(node, 0, known)
    }

    /// Appends an operator that is one of several for a node.
    pub fn emit(&mut self, node: &'a Node<'a>, op: Op, inputs: Vec<ValueId>) -> Result<ValueId, LoadError> {
        let label = node.label();
        let name = if self.emitted == 0 { label.to_owned() } else { format!("{label}.{}", self.emitted) };
        self.emitted += 1;
        self.append(name, op, inputs, &node.place())
    }

    /// Appends an operator, and gives its value to the node's first output.
    pub fn push(&mut self, node: &'a Node<'a>, op: Op, inputs: Vec<ValueId>) -> Result<(), LoadError> {
        let id = self.emit(node, op, inputs)?;
        self.define(node, Known::Value(id))
    }

    pub fn append(&mut self, name: String, op: Op, inputs: Vec<ValueId>, place: &str) -> Result<ValueId, LoadError> {
        let op = match op {
            // What flattens a sample is one operator, whatever the file has for it.
            Op::Reshape(shape) if self.batched && shape.len() == 1 => Op::Flatten,
            other => other,
        };
        let shapes: Vec<&[usize]> = inputs.iter().map(|id| self.shape_of(*id)).collect();
        let shape = op.shape(&name, &shapes, &self.parameter_shapes)?;
        self.check_cap(place, shape.iter().product::<usize>().saturating_mul(4))?;
        self.shapes.push(shape);
        self.batch_axes.push(inputs.first().map_or(0, |id| self.batch_axes[id.0]));
        self.model.graph.nodes.push(model::Node { name, op, inputs });
        // One reader is the next operator of the node, or the definition of its output, which takes it away again.
        self.readers.push(1);
        Ok(self.model.graph.output())
    }

    /// How often a value is still to be read, under any of its names.
    pub fn reads_of(&self, id: ValueId) -> usize {
        self.readers[id.0]
    }

    /// Holds bytes that are needed against the cap.
    pub fn check_cap(&self, place: &str, bytes: usize) -> Result<(), LoadError> {
        let bytes = bytes as u64;
        if bytes > self.cap {
            return Err(LoadError::TooLarge { format: self.format, place: place.to_owned(), bytes, cap: self.cap });
        }
        Ok(())
    }

    /// Counts the bytes of a constant that is computed against the cap.
    pub fn count_folded(&mut self, shape: &[usize]) -> Result<(), LoadError> {
        let numbers = shape.iter().fold(1usize, |total, &side| total.saturating_mul(side));
        self.folded_bytes = self.folded_bytes.saturating_add(numbers.saturating_mul(8));
        self.check_cap("computed constants", self.folded_bytes)
    }

    /// Remembers which tensor of the file a node that was computed is made of: the first that it reads.
    pub fn remember_root(&mut self, node: &'a Node<'a>) {
        if let (Some(output), Some(input)) = (node.outputs.first(), node.inputs.first()) {
            self.roots.insert(output.clone().into_owned(), self.root(input));
        }
    }

    fn root(&self, name: &str) -> String {
        self.roots.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// Adds a parameter. Its name becomes `stem.index` if an earlier one has it: two layers may share one tensor in the
    /// file, and are separate until all factors are folded in.
    pub fn parameter(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> Result<ParamId, LoadError> {
        if shape.contains(&0) {
            let place = format!("tensor '{name}'");
            return Err(malformed(self.format, place, "dimensions of at least 1", format!("{shape:?}")));
        }
        self.parameter_bytes = self.parameter_bytes.saturating_add(values.len().saturating_mul(4));
        self.check_cap("parameters", self.parameter_bytes)?;
        let id = ParamId(self.model.parameters.len());
        let count = values.len();
        let values = ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|_| {
            malformed(self.format, format!("tensor '{name}'"), format!("values for the shape {shape:?}"), count)
        })?;
        self.parameter_roots.push(self.root(name));
        let name = unique(&mut self.parameter_names, name, "");
        self.model.parameters.push(Parameter { name, values });
        self.parameter_shapes.push(shape.to_vec());
        Ok(id)
    }
}
