//! Tied weights: layers that read one tensor of the file share one parameter, which is counted, trained and stored once.

use crate::model::{Model, Node, Op, ParamId, Parameter, ValueId};
use ndarray::ArrayView;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Elements from which on parameters of the same numbers are one, wherever they come from: exporters store a tied weight again for each reader
/// that wants it transposed.
const COPIED: usize = 64;
/// Values that tell most parameters apart.
const HASHED: usize = 256;

/// What a parameter is instead of itself.
#[derive(Clone, Copy, PartialEq)]
enum Tied {
    Not,
    /// The same as an earlier one.
    Same(usize),
    /// The transpose of an earlier one; all of its readers are linear layers.
    Turned(usize),
}

/// Makes parameters one that have the same numbers, if they come from the same tensor of the file (`roots` has its name for each), or are large.
/// Of a linear layer whose weight is another's transposed it makes a product with that. `batched` says that values lack the axis of samples.
pub fn tie(model: &mut Model, roots: &[String], batched: bool) {
    let all_known = |node: &mut Node| node.op.parameters().count() == node.op.parameters_mut().len();
    if !model.graph.nodes.iter_mut().all(all_known) {
        return;
    }
    let Ok(shapes) = model.shapes() else { return };
    let tied = find(model, roots);
    if tied.iter().all(|tied| *tied == Tied::Not) {
        return;
    }
    rewrite(model, &tied, &shapes, batched);
    // Parameters that nothing reads any more are left out.
    let mut places = Vec::new();
    let mut kept = Vec::new();
    for (parameter, tied) in std::mem::take(&mut model.parameters).into_iter().zip(&tied) {
        let place = match *tied {
            Tied::Not => kept.len(),
            Tied::Same(of) | Tied::Turned(of) => places[of],
        };
        places.push(place);
        if *tied == Tied::Not {
            kept.push(parameter);
        }
    }
    model.parameters = kept;
    for id in model.graph.nodes.iter_mut().flat_map(|node| node.op.parameters_mut()) {
        *id = ParamId(places[id.0]);
    }
}

/// Finds out which parameters are others.
fn find(model: &Model, roots: &[String]) -> Vec<Tied> {
    // Only the weights of linear layers can be read the other way round.
    let mut turnable = vec![true; model.parameters.len()];
    for node in &model.graph.nodes {
        let weight = if let Op::Linear(linear) = &node.op { Some(linear.weight) } else { None };
        node.op.parameters().filter(|id| Some(*id) != weight).for_each(|id| turnable[id.0] = false);
    }
    let mut tied: Vec<Tied> = Vec::new();
    let mut seen: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, parameter) in model.parameters.iter().enumerate() {
        let values = parameter.values.view();
        let same_source = |&&other: &&usize| {
            let varied = values.iter().any(|value| Some(value) != values.first());
            (!roots[index].is_empty() && roots[index] == roots[other]) || (values.len() >= COPIED && varied)
        };
        let earlier = |turned: bool| {
            let wanted = if turned { values.clone().reversed_axes() } else { values.clone() };
            let candidates = seen.get(&hash(&wanted))?.iter();
            candidates.filter(same_source).find(|&&other| same(&model.parameters[other], &wanted)).copied()
        };
        tied.push(match earlier(false) {
            Some(other) => Tied::Same(other),
            None if turnable[index] && values.ndim() == 2 => earlier(true).map_or(Tied::Not, Tied::Turned),
            None => Tied::Not,
        });
        if tied[index] == Tied::Not {
            seen.entry(hash(&values)).or_default().push(index);
        }
    }
    tied
}

type View<'a> = ArrayView<'a, f32, ndarray::IxDyn>;

/// Of the shape and some of the values, spread over all: those of the same hash are compared.
fn hash(values: &View) -> u64 {
    let mut hasher = DefaultHasher::new();
    values.shape().hash(&mut hasher);
    let count = values.len().min(HASHED);
    for sample in 0..count {
        let mut rest = (sample as u64 * values.len() as u64 / count as u64) as usize;
        let mut place = vec![0; values.ndim()];
        for (place, side) in place.iter_mut().zip(values.shape()).rev() {
            (*place, rest) = (rest % side, rest / side);
        }
        values[&place[..]].to_bits().hash(&mut hasher);
    }
    hasher.finish()
}

fn same(parameter: &Parameter, values: &View) -> bool {
    let bits = parameter.values.iter().map(|value| value.to_bits());
    parameter.values.shape() == values.shape() && bits.eq(values.iter().map(|value| value.to_bits()))
}

/// Makes products of the linear layers whose weights are others transposed.
fn rewrite(model: &mut Model, tied: &[Tied], shapes: &[Vec<usize>], batched: bool) {
    let mut nodes: Vec<Node> = Vec::new();
    let mut values = vec![ValueId(0)];
    for (index, mut node) in std::mem::take(&mut model.graph.nodes).into_iter().enumerate() {
        node.inputs.iter_mut().for_each(|input| *input = values[input.0]);
        let turned = match &node.op {
            Op::Linear(linear) => match tied[linear.weight.0] {
                Tied::Turned(of) => Some((ParamId(of), linear.bias)),
                Tied::Same(_) | Tied::Not => None,
            },
            _ => None,
        };
        let Some((weight, bias)) = turned else {
            nodes.push(node);
            values.push(ValueId(nodes.len()));
            continue;
        };
        let Node { name, inputs, .. } = node;
        let start = nodes.len();
        let mut push = |op: Op, inputs: Vec<ValueId>| {
            let part = nodes.len() - start;
            let name = if part == 0 { name.clone() } else { format!("{name}.{part}") };
            nodes.push(Node { name, op, inputs });
            ValueId(nodes.len())
        };
        let shape = &shapes[index + 1];
        let mut value = inputs[0];
        // A vector is a matrix of one row for the product.
        let vector = shape.len() == 1;
        if vector {
            let features = model.parameters[weight.0].values.shape()[0];
            value = push(Op::Reshape(vec![1, features]), vec![value]);
        }
        let weight = push(Op::Parameter(weight), Vec::new());
        value = push(Op::MatMul, vec![value, weight]);
        if vector {
            let back = if batched { Op::Flatten } else { Op::Reshape(shape.clone()) };
            value = push(back, vec![value]);
        }
        if let Some(bias) = bias {
            let bias = push(Op::Parameter(bias), Vec::new());
            value = push(Op::Add, vec![value, bias]);
        }
        values.push(value);
    }
    model.graph.nodes = nodes;
}
