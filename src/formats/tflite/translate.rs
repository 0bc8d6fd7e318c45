//! The graph as an import graph, piece by piece: values in whatever order suits, constants turned where they are used.

use super::graph::{FLOAT32, Graph, Operator};
use super::layout::{channels_first, elements, permuted, plain, position, same};
use super::names::name_of;
use super::{FORMAT, malformed, unsupported};
use crate::error::{LoadError, too_large};
use crate::formats::collect::{Collector, unique};
use crate::formats::import::tensor::{FLOAT, INT64};
use crate::formats::import::{self, Attribute, Input, Node, Numbers};
use crate::model::{Dtype, Op, Tensor};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The operator set of what is made.
const OPSET: i64 = 20;

/// What a tensor of the file is in the import graph.
#[derive(Debug, Clone)]
pub struct Value {
    pub name: String,
    /// Sides in the order of the file.
    pub shape: Vec<usize>,
    /// Axis `i` of the value is axis `order[i]` of the tensor.
    pub order: Vec<usize>,
    /// Whether the tensor is this one with all axes but the first made one, in the order of the file: the value is not, since that would
    /// move its elements, and perhaps nothing has to know.
    pub flat: bool,
}

impl Value {
    /// A value that lies as the tensor does.
    pub fn plain(name: String, shape: Vec<usize>) -> Self {
        Value { name, order: plain(shape.len()), shape, flat: false }
    }

    /// The shape of the tensor.
    pub fn seen(&self) -> Vec<usize> {
        if self.flat { vec![self.shape[0], elements(&self.shape[1..])] } else { self.shape.clone() }
    }
}

/// Operands of an operator in one order.
pub struct Arranged {
    pub names: Vec<String>,
    pub order: Vec<usize>,
    pub shapes: Vec<Vec<usize>>,
}

/// The import graph so far.
pub struct Translator<'a> {
    pub graph: &'a Graph<'a>,
    /// Constants by their tensors.
    pub constants: Vec<Option<&'a Tensor>>,
    /// Values by their tensors.
    known: Vec<Option<Value>>,
    /// Values that are padded with zeros at the top, left, bottom and right to make a tensor.
    pub padded: Vec<Option<(Value, [usize; 4])>>,
    /// Values in other orders, and constants in the orders and with the sides that they were stored in: what is in the key, in words.
    turned: HashMap<String, String>,
    taken: HashSet<String>,
    made: import::Graph<'a>,
    /// Bytes that the graph may still take.
    left: u64,
    cap: u64,
}

/// Translates the graph of a file. What is made may take `cap` bytes.
///
/// # Errors
/// [`LoadError`] names the operator or tensor that breaks a rule or is not supported.
pub fn translate<'a>(graph: &'a Graph<'a>, cap: u64) -> Result<import::Graph<'a>, LoadError> {
    if graph.outputs.is_empty() {
        return Err(unsupported("graph", "no output", "at least one output"));
    }
    let count = graph.places.len();
    let mut translator = Translator {
        graph,
        constants: graph.places.iter().map(|place| place.constant).collect(),
        known: vec![None; count],
        padded: vec![None; count],
        turned: HashMap::new(),
        taken: HashSet::new(),
        made: import::Graph { format: FORMAT, opset: OPSET, ..import::Graph::default() },
        left: cap,
        cap,
    };
    translator.inputs()?;
    for operator in live(graph) {
        translator.operator(operator)?;
    }
    translator.finish()
}

/// Operators that the outputs depend on, in order. Of those that give another shape only the first operand is needed: the shape is that of the
/// tensor that they make.
fn live<'a>(graph: &'a Graph<'a>) -> Vec<&'a Operator<'a>> {
    let mut needed = vec![false; graph.places.len()];
    graph.outputs.iter().for_each(|&tensor| needed[tensor] = true);
    let mut live = Vec::new();
    for operator in graph.operators.iter().rev() {
        if operator.outputs.iter().any(|&tensor| needed[tensor]) {
            let reshapes = matches!(name_of(operator.code), "RESHAPE" | "EXPAND_DIMS" | "SQUEEZE");
            let read = if reshapes { 1 } else { operator.inputs.len() };
            operator.inputs.iter().take(read).flatten().for_each(|&tensor| needed[tensor] = true);
            live.push(operator);
        }
    }
    live.reverse();
    live
}

impl<'a> Translator<'a> {
    /// Images have their channels first in the network's inputs, too.
    fn inputs(&mut self) -> Result<(), LoadError> {
        for &index in &self.graph.inputs {
            let found = &self.graph.places[index];
            let place = format!("input '{}'", found.name);
            if !found.numeric {
                let supported = "floats, and integers with a scale";
                return Err(unsupported(place, format!("type {}", found.kind), supported));
            }
            if found.open.iter().skip(1).any(|&open| open) {
                return Err(unsupported(place, "a side that can vary", "sides that are known, except for the batch"));
            }
            let shape = found.shape.clone();
            let order = if shape.len() == 4 { channels_first(4) } else { plain(shape.len()) };
            let name = unique(&mut self.taken, found.name, "input");
            let sides = permuted(&shape, &order);
            let mut dimensions: Vec<Option<i64>> = sides.iter().map(|&side| Some(side as i64)).collect();
            if sides.first() == Some(&1) || found.open.first() == Some(&true) {
                dimensions[0] = None;
            }
            self.made.inputs.push(Input { name: name.clone().into(), kind: FLOAT, dimensions, unranked: false });
            if self.known[index].replace(Value { name, shape, order, flat: false }).is_some() {
                return Err(malformed(place, "each input once", "it again"));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<import::Graph<'a>, LoadError> {
        for &index in &self.graph.outputs {
            let value = self.value_of(index, "outputs")?;
            let order = plain(value.seen().len());
            let name = self.ordered(value, &order)?;
            self.made.outputs.push(name.into());
        }
        Ok(self.made)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), LoadError> {
        let left = self.left.checked_sub(bytes as u64);
        let bytes = (self.cap - self.left).saturating_add(bytes as u64);
        self.left = left.ok_or_else(|| too_large(FORMAT, "graph", bytes, self.cap))?;
        Ok(())
    }

    /// Appends a node, and gives the name of its value.
    pub fn node(
        &mut self,
        op: &'static str,
        inputs: &[&str],
        attributes: Vec<(&'static str, Attribute<'a>)>,
        stem: &str,
    ) -> Result<String, LoadError> {
        let output = unique(&mut self.taken, stem, "value");
        // The names are kept twice here, and once more by the importer.
        let names = inputs.iter().map(|name| name.len()).sum::<usize>() + 2 * output.len();
        let slots = (inputs.len() + 1) * size_of::<Cow<str>>() + attributes.len() * size_of::<(&str, Attribute)>();
        self.spend(size_of::<Node>() + slots + names)?;
        let inputs = inputs.iter().map(|&input| Cow::Owned(input.to_owned())).collect();
        let outputs = vec![output.clone().into()];
        self.made.nodes.push(Node { format: FORMAT, op, inputs, outputs, attributes, ..Node::default() });
        Ok(output)
    }

    /// Adds a constant, of which so many bytes are not those of a weight.
    fn add(
        &mut self,
        stem: &str,
        kind: i64,
        shape: &[usize],
        numbers: Numbers<'a>,
        bytes: usize,
    ) -> Result<String, LoadError> {
        let name = unique(&mut self.taken, stem, "constant");
        self.spend(size_of::<import::Tensor>() + bytes + 2 * name.len())?;
        let (shape, of_graph) = (shape.to_vec(), name.clone().into());
        self.made.constants.push(Rc::new(import::Tensor { format: FORMAT, name: of_graph, kind, shape, numbers }));
        Ok(name)
    }

    /// Integers as a constant.
    pub fn integers(&mut self, values: &[i64]) -> Result<String, LoadError> {
        self.add("integers", INT64, &[values.len()], Numbers::Ints(values.to_vec()), 8 * values.len())
    }

    /// A number as a constant.
    pub fn number(&mut self, value: f32) -> Result<String, LoadError> {
        self.add("number", FLOAT, &[], Numbers::Floats(vec![value]), 4)
    }

    /// A constant's elements, as those of a tensor of shape `view`, in an order, with the sides `sides`.
    pub fn constant(
        &mut self,
        tensor: &'a Tensor,
        index: usize,
        view: &[usize],
        order: &[usize],
        sides: &[usize],
    ) -> Result<String, LoadError> {
        let key = format!("{index} {order:?} {sides:?}");
        if let Some(name) = self.turned.get(&key) {
            return Ok(name.clone());
        }
        let place = Collector::place(&tensor.name);
        if !tensor.dtype.is_float() {
            let feature = format!("numbers of type {} without a scale", tensor.dtype.name());
            return Err(unsupported(place, feature, "floats, and integers with a scale"));
        }
        if tensor.len() != elements(view) {
            return Err(malformed(place, format!("elements for {view:?}"), tensor.len()));
        }
        let lies = *order == *plain(view.len());
        let name = if lies && tensor.dtype == Dtype::F32 {
            self.add(&tensor.name, FLOAT, sides, Numbers::Raw(tensor.bytes.as_slice().into()), 0)?
        } else {
            // The numbers, and where each of them goes.
            self.spend(8 * tensor.len())?;
            let mut values = tensor.values();
            if !lies {
                let table = Op::Transpose(order.to_vec()).places(&[view], &permuted(view, order));
                let table = table.ok_or_else(|| malformed(place, "fewer elements", tensor.len()))?;
                values = table.into_iter().map(|at| values[at as usize]).collect();
            }
            self.add(&tensor.name, FLOAT, sides, Numbers::Floats(values), 0)?
        };
        self.turned.insert(key, name.clone());
        Ok(name)
    }

    /// A tensor as a value.
    fn value_of(&mut self, index: usize, place: &str) -> Result<Value, LoadError> {
        if let Some(value) = &self.known[index] {
            return Ok(value.clone());
        }
        let Some(tensor) = self.constants[index] else {
            let name = self.graph.places[index].name;
            return Err(malformed(place, "tensors that an earlier operator makes", format!("'{name}'")));
        };
        let shape = tensor.shape.clone();
        let name = self.constant(tensor, index, &shape, &plain(shape.len()), &shape)?;
        Ok(Value::plain(name, shape))
    }

    /// What an operator reads, as a value.
    pub fn value(&mut self, operator: &Operator, index: usize) -> Result<Value, LoadError> {
        let tensor = self.input(operator, index)?;
        let place = self.place(operator);
        self.value_of(tensor, &place)
    }

    /// What an operator reads, as a value of the shape of its tensor.
    pub fn shaped(&mut self, operator: &Operator, index: usize) -> Result<Value, LoadError> {
        let value = self.value(operator, index)?;
        if !value.flat {
            return Ok(value);
        }
        let seen = value.seen();
        let name = self.ordered(value, &plain(2))?;
        Ok(Value::plain(name, seen))
    }

    /// The name of a value's elements in another order.
    pub fn ordered(&mut self, value: Value, order: &[usize]) -> Result<String, LoadError> {
        let mut value = value;
        if value.flat {
            let seen = value.seen();
            let lying = plain(value.shape.len());
            let name = self.ordered(Value { flat: false, ..value }, &lying)?;
            let name = self.reshape(&name, &seen, "flattened")?;
            value = Value::plain(name, seen);
        }
        if value.order == order {
            return Ok(value.name);
        }
        let key = format!("[{order:?} {}", value.name);
        if let Some(name) = self.turned.get(&key) {
            return Ok(name.clone());
        }
        let name = if same(&value.shape, &value.order, order) {
            self.reshape(&value.name, &permuted(&value.shape, order), "reshaped")?
        } else {
            let places: Vec<usize> = order.iter().map(|&axis| position(&value.order, axis)).collect();
            self.node("Transpose", &[&value.name], vec![("perm", Attribute::sizes(&places))], "transposed")?
        };
        self.turned.insert(key, name.clone());
        Ok(name)
    }

    /// A value with other sides.
    pub fn reshape(&mut self, name: &str, shape: &[usize], stem: &str) -> Result<String, LoadError> {
        let sides: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
        let sides = self.integers(&sides)?;
        self.node("Reshape", &[name, &sides], vec![], stem)
    }

    /// All that an operator reads, in one order: channels first, if one is. Constants get axes of 1 in front.
    pub fn arrange(&mut self, operator: &Operator) -> Result<Arranged, LoadError> {
        let mut shapes = Vec::new();
        for index in 0..operator.inputs.len() {
            let tensor = self.input(operator, index)?;
            let value = self.known[tensor].as_ref().map(Value::seen);
            shapes
                .push(value.or_else(|| self.constants[tensor].map(|tensor| tensor.shape.clone())).unwrap_or_default());
        }
        let rank = shapes.iter().map(Vec::len).max().unwrap_or(0);
        let values = || operator.inputs.iter().flatten().filter_map(|&tensor| self.known[tensor].as_ref());
        let mut order = plain(rank);
        if values().all(|value| value.shape.len() == rank && !value.flat) {
            let orders = || values().map(|value| &value.order);
            let first = channels_first(rank);
            order = orders().find(|&order| *order == first).or(orders().next()).unwrap_or(&order).clone();
        }
        let mut names = Vec::new();
        for (index, shape) in shapes.iter().enumerate() {
            let tensor = self.input(operator, index)?;
            names.push(match (&self.known[tensor], self.constants[tensor]) {
                (None, Some(constant)) if order != plain(rank) => {
                    let view = [&vec![1; rank - shape.len()][..], shape].concat();
                    let sides = permuted(&view, &order);
                    self.constant(constant, tensor, &view, &order, &sides)?
                }
                _ => {
                    let value = self.value(operator, index)?;
                    let order = if shape.len() == rank { order.clone() } else { plain(shape.len()) };
                    self.ordered(value, &order)?
                }
            });
        }
        Ok(Arranged { names, order, shapes })
    }

    /// Gives a tensor that an operator makes its meaning.
    pub fn define(&mut self, operator: &Operator, index: usize, value: Value) -> Result<(), LoadError> {
        let tensor = operator.outputs[index];
        let (seen, place) = (value.seen(), &self.graph.places[tensor]);
        if !place.numeric {
            let supported = "floats, and integers with a scale";
            return Err(self.unsupported(operator, &format_args!("an output of type {}", place.kind), supported));
        }
        let agree = |(axis, side): (usize, &usize)| place.open[axis] || place.shape[axis] == *side;
        if seen.len() != place.shape.len() || !seen.iter().enumerate().all(agree) {
            let feature = format!("an output of {seen:?} where the file says {:?}", place.shape);
            return Err(self.unsupported(operator, &feature, "shapes that agree"));
        }
        if self.constants[tensor].is_some() || self.known[tensor].replace(value).is_some() {
            return Err(self.malformed(operator, &"each tensor made once", &format_args!("'{}' again", place.name)));
        }
        Ok(())
    }

    /// Whether a tensor is of floats.
    pub fn is_float(&self, tensor: usize) -> bool {
        self.graph.places[tensor].kind == FLOAT32
    }
}
