//! What reads sequences: tables that are looked up in (Gather of a constant), and the recurrent layers LSTM, GRU and RNN.

use super::graph::Node;
use super::importer::{Importer, Known, Readers};
use super::layers::{named, turned};
use crate::error::LoadError;
use crate::model::{Cell, Linear, Op, Recurrent, Slice, ValueId};

/// The operators that are read here.
pub const READERS: Readers = &[(&["LSTM", "GRU", "RNN"], |importer, node| importer.recurrent(node))];

/// The most samples that may be written out one after the other, where they are no axis of their own.
const MAX_SEQUENCES: usize = 256;

/// The most operators of a network that has some.
const MAX_NODES: usize = 1 << 16;

impl<'a> Importer<'a> {
    /// Gather of a constant by places that depend on the input: an embedding.
    pub fn lookup(&mut self, node: &'a Node<'a>, places: ValueId) -> Result<(), LoadError> {
        node.allow_attributes(&["axis"])?;
        let (tensor, shape) = self.constant(node, 0)?.ok_or_else(|| node.malformed("a table", "none"))?;
        let axis = self.axis(node, node.int("axis", 0)?, shape.len())?;
        if axis != 0 || !self.integers.contains_key(&*node.inputs[1]) {
            return Err(node.unsupported(
                "computed places along another axis, or in floats",
                "integers of the input, along axis 0",
            ));
        }
        // As many as the shape asks for: its product fits.
        let numbers = tensor.floats()?;
        let width: usize = shape[1..].iter().product();
        let numbers = turned(&numbers, shape[0], width);
        let weight = self.parameter(&named(node, &tensor, "weight"), &[width, shape[0]], numbers)?;
        let mut id = self.emit(node, Op::Lookup(weight), vec![places])?;
        if shape.len() != 2 {
            let whole = [self.shape_of(places), &shape[1..]].concat();
            id = self.emit(node, Op::Reshape(whole), vec![id])?;
        }
        self.define(node, Known::Value(id))
    }

    /// A recurrent layer: one that weighs the inputs of all steps, and one that goes from step to step; twice in two directions.
    fn recurrent(&mut self, node: &'a Node<'a>) -> Result<(), LoadError> {
        node.allow_attributes(&[
            "activations",
            "direction",
            "hidden_size",
            "input_forget",
            "layout",
            "linear_before_reset",
            "output_sequence",
        ])?;
        let (cell, usual): (_, &[&[u8]]) = match node.op {
            "LSTM" => (Cell::Lstm, &[b"sigmoid", b"tanh", b"tanh"]),
            "GRU" if node.int("linear_before_reset", 0)? != 0 => (Cell::GruReset, &[b"sigmoid", b"tanh"]),
            "GRU" => (Cell::Gru, &[b"sigmoid", b"tanh"]),
            _ => (Cell::Rnn, &[b"tanh"]),
        };
        let texts = node.texts("activations")?;
        if texts.iter().zip(usual.iter().cycle()).any(|(text, usual)| !text.eq_ignore_ascii_case(usual)) {
            let names: Vec<_> = texts.iter().map(|text| String::from_utf8_lossy(text)).collect();
            return Err(node.unsupported(format!("activations {}", names.join(", ")), "Sigmoid and Tanh, as usual"));
        }
        if node.int("input_forget", 0)? != 0 {
            return Err(node.unsupported("input_forget", "gates of their own"));
        }
        // Whether each direction runs from the last step.
        let reverse: &[bool] = match node.text("direction", "forward")? {
            "forward" => &[false],
            "reverse" => &[true],
            "bidirectional" => &[false, true],
            other => return Err(node.malformed("a direction of forward, reverse or bidirectional", other)),
        };
        let id = self.value(node, 0)?;
        let [weights, recurrent] = [1, 2].map(|index| self.constant(node, index));
        let (Some((weights, of)), Some((recurrent, _))) = (weights?, recurrent?) else {
            return Err(node.malformed("two weights", "fewer"));
        };
        let &[directions, rows, features] = of.as_slice() else {
            return Err(node.malformed("weights [directions, gates x hidden, in]", format!("{of:?}")));
        };
        let hidden = rows / cell.gates();
        let (weights, recurrent) = (weights.floats()?, recurrent.floats()?);
        let whole = self.whole_shape(id);
        let sound = directions == reverse.len() && hidden > 0 && features > 0 && whole.len() == 3;
        let biases = match self.constant(node, 3)? {
            Some((biases, _)) => biases.floats()?,
            // As many as weights at most.
            None if sound => vec![0.0; 2 * rows * directions],
            None => Vec::new(),
        };
        if !sound || (recurrent.len(), biases.len()) != (directions * rows * hidden, 2 * rows * directions) {
            let got = format!("{of:?}, {} and {} numbers, and an input of {whole:?}", recurrent.len(), biases.len());
            return Err(node.malformed("weights and biases for all gates and directions, and three axes", got));
        }
        let first = node.int("layout", 0)? != 0;
        let (steps, samples) = if first { (whole[1], whole[0]) } else { (whole[0], whole[1]) };
        if self.batched && self.batch_axes[id.0] != usize::from(!first) {
            return Err(self.no_batch(node, "steps along the axis of samples"));
        }
        // Lengths of all steps, states of zeros, and no peepholes.
        for (index, usual) in [(4, steps as f64), (5, 0.0), (6, 0.0), (7, 0.0)] {
            if let Some((tensor, _)) = self.constant(node, index)?
                && tensor.numbers()?.iter().any(|&number| number != usual)
            {
                let words = ["shorter sequences", "a first state", "a first state of the cell", "peepholes"][index - 4];
                return Err(node.unsupported(words, "all steps, from a state of zeros, without peepholes"));
            }
        }
        let mut layers = Vec::new();
        for (at, &reverse) in reverse.iter().enumerate() {
            let part = |numbers: &[f32], length: usize, start: usize| numbers[start..][..length].to_vec();
            let name = |importer: &Self, index: usize, what| match importer.constant(node, index) {
                Ok(Some((tensor, _))) => named(node, &tensor, what),
                _ => format!("{}.{what}", node.label()),
            };
            let [weight_name, recurrent_name, bias_name] =
                [(1, "weight"), (2, "recurrence"), (3, "bias")].map(|(index, what)| name(self, index, what));
            let weight = part(&weights, rows * features, at * rows * features);
            let weight = self.parameter(&weight_name, &[rows, features], weight)?;
            let mut bias = part(&biases, rows, 2 * at * rows);
            let second = part(&biases, rows, (2 * at + 1) * rows);
            if cell != Cell::GruReset {
                bias.iter_mut().zip(&second).for_each(|(bias, second)| *bias += second);
            }
            let given = self.constant(node, 3)?.is_some();
            let bias = if given { Some(self.parameter(&bias_name, &[rows], bias)?) } else { None };
            let weighed = Linear { weight, bias };
            let weight = part(&recurrent, rows * hidden, at * rows * hidden);
            let weight = self.parameter(&recurrent_name, &[rows, hidden], weight)?;
            let late = given && cell == Cell::GruReset;
            let bias =
                if late { Some(self.parameter(&format!("{bias_name}.recurrence"), &[rows], second)?) } else { None };
            layers.push((weighed, Recurrent { weight, bias, cell, reverse }));
        }
        // Samples that are no axis of their own go one after the other.
        let count = if self.batched { 1 } else { samples };
        if count > MAX_SEQUENCES || self.model.graph.nodes.len() > MAX_NODES {
            return Err(
                node.unsupported(format!("{count} sequences in one sample"), &format!("at most {MAX_SEQUENCES}"))
            );
        }
        let (mut all, mut last) = (Vec::new(), Vec::new());
        let wanted = |index: usize, importer: &Self| {
            node.outputs.get(index).is_some_and(|name| importer.uses.contains_key(&**name))
        };
        for sample in 0..count {
            let mut x = id;
            if !self.batched {
                let mut slice = Slice { starts: vec![0; 3], steps: vec![1; 3], lengths: whole.clone() };
                let axis = usize::from(!first);
                (slice.starts[axis], slice.lengths[axis]) = (sample, 1);
                if count > 1 {
                    x = self.emit(node, Op::Slice(slice), vec![x])?;
                }
                x = self.emit(node, Op::Reshape(vec![steps, features]), vec![x])?;
            }
            let (mut each, mut ends) = (Vec::new(), Vec::new());
            for (weighed, layer) in &layers {
                let gates = self.emit(node, Op::Linear(weighed.clone()), vec![x])?;
                let h = self.emit(node, Op::Recurrent(layer.clone()), vec![gates])?;
                if wanted(1, self) {
                    let starts = vec![if layer.reverse { 0 } else { steps - 1 }, 0];
                    let slice = Slice { starts, steps: vec![1; 2], lengths: vec![1, hidden] };
                    ends.push(self.emit(node, Op::Slice(slice), vec![h])?);
                }
                if wanted(0, self) {
                    each.push(self.emit(node, Op::Reshape(vec![steps, 1, hidden]), vec![h])?);
                }
            }
            // The samples' axis, where it is left out, is put in its place by its number.
            let axis_of = |full: usize| if first { 0 } else { full };
            let one = |mut shape: Vec<usize>, full: usize| {
                shape.insert(axis_of(full), 1);
                shape
            };
            for (parts, along, shape, full, to) in [
                (each, 1, vec![steps, directions, hidden], 2, &mut all),
                (ends, 0, vec![directions, hidden], 1, &mut last),
            ] {
                let Some(&only) = parts.first() else { continue };
                let mut joined = if parts.len() > 1 { self.emit(node, Op::Concat(along), parts)? } else { only };
                if !self.batched {
                    joined = self.emit(node, Op::Reshape(one(shape, full)), vec![joined])?;
                }
                to.push(joined);
            }
        }
        for (index, parts, full) in [(0, all, 2), (1, last, 1)] {
            let Some(&only) = parts.first() else { continue };
            let axis = if first { 0 } else { full };
            let joined = if parts.len() > 1 { self.emit(node, Op::Concat(axis), parts)? } else { only };
            if self.batched {
                self.batch_axes[joined.0] = axis;
            }
            self.define_at(node, index, Known::Value(joined))?;
        }
        Ok(())
    }
}
