//! The stored graph: any graph in a few bytes a node.
//!
//! A node is a byte, whose low four bits are the operator (15: a second byte is added), and what its flags announce. The usual
//! is free: an operator that reads the value before it, parameters numbered in the order of their use, stride 1, no padding.

use super::attributes::{self, ATTRIBUTES};
use super::bytes::{Reader, put_sizes, put_varint};
use crate::error::DecodeError;
use crate::model::{Graph, Node, Op, ParamId, ValueId};

/// The node's inputs are listed, as distances back; otherwise it reads the value before it.
const INPUTS: u8 = 0x10;
/// The layer has a bias.
const BIAS: u8 = 0x20;
/// The ids of the parameters are listed; otherwise they are the next.
const PARAMETERS: u8 = 0x40;
/// The number of an operator from which on it takes a second byte.
const MORE: u8 = 0x0f;

/// What a node or a parameter takes in memory without its values, at most, in bytes, used against the caller's cap:
/// most of it is for a codebook of more centroids than the parameter has weights.
const ENTRY_BYTES: u64 = 2048;

/// Writes a graph and the shapes of its parameters. The graph has passed [`Graph::shapes`].
pub fn write(graph: &Graph, parameter_shapes: &[Vec<usize>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, graph.input_shape.len() as u64);
    put_sizes(&mut bytes, &graph.input_shape);
    put_varint(&mut bytes, graph.nodes.len() as u64);
    let mut next = 0;
    for (index, node) in graph.nodes.iter().enumerate() {
        write_node(&mut bytes, index, node, &mut next);
    }
    put_varint(&mut bytes, parameter_shapes.len() as u64);
    let roles = roles(graph, parameter_shapes.len());
    for (shape, role) in parameter_shapes.iter().zip(roles) {
        match role {
            Role::Bias(_) => {}
            Role::Weight => put_sizes(&mut bytes, shape),
            Role::Unused => {
                put_varint(&mut bytes, shape.len() as u64);
                put_sizes(&mut bytes, shape);
            }
        }
    }
    bytes
}

/// Reads a graph and the shapes of its parameters, with made-up names. Whether the shapes fit is for
/// [`Graph::shapes`] to say. No more than `cap_bytes` are allocated.
pub fn read(bytes: &[u8], cap_bytes: u64) -> Result<(Graph, Vec<Vec<usize>>), DecodeError> {
    let mut reader = Reader::new("stored graph", bytes);
    let input_shape = reader.shape()?;
    // Each node takes a byte at least.
    let count = reader.size(reader.len())?;
    check_entries(count, cap_bytes)?;
    let mut nodes = Vec::with_capacity(count);
    let mut next = 0;
    for index in 0..count {
        nodes.push(read_node(&mut reader, index, &mut next)?);
    }
    let graph = Graph { input_name: "input".into(), input_shape, nodes, ..Graph::default() };
    // Each parameter that is not a bias takes two bytes, and each bias needs a node.
    let count = reader.size(reader.len() + graph.nodes.len())?;
    check_entries(count.saturating_add(graph.nodes.len()), cap_bytes)?;
    let roles = roles(&graph, count);
    let mut shapes = vec![Vec::new(); count];
    let weights = weight_ranks(&graph, count);
    for (index, role) in roles.iter().enumerate() {
        shapes[index] = match role {
            Role::Bias(_) => continue,
            Role::Weight => (0..weights[index]).map(|_| reader.size(i32::MAX as usize)).collect::<Result<_, _>>()?,
            Role::Unused => reader.shape()?,
        };
    }
    for (index, role) in roles.iter().enumerate() {
        if let Role::Bias(weight) = role {
            shapes[index] = shapes[*weight].iter().take(1).copied().collect();
        }
    }
    reader.finish()?;
    Ok((graph, shapes))
}

fn check_entries(count: usize, cap: u64) -> Result<(), DecodeError> {
    let bytes = (count as u64).saturating_mul(ENTRY_BYTES);
    if bytes > cap { Err(DecodeError::TooLarge { place: "stored graph", bytes, cap }) } else { Ok(()) }
}

/// Made-up names of a graph's parameters: those of their first nodes.
pub fn parameter_names(graph: &Graph, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|index| format!("parameter{index}")).collect();
    let mut named = vec![false; count];
    for (node, made) in graph.nodes.iter().enumerate() {
        let suffixes = if made.op.layer().is_some() { ["weight", "bias"] } else { ["value"; 2] };
        for (ParamId(id), suffix) in made.op.parameters().zip(suffixes) {
            if id < count && !std::mem::replace(&mut named[id], true) {
                names[id] = format!("node{node}.{suffix}");
            }
        }
    }
    names
}

/// What a parameter's shape follows from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    /// The weight of a layer: its number of sides is known.
    Weight,
    /// The bias of a layer whose weight this is, and not itself a weight: its shape is the weight's number of outputs.
    Bias(usize),
    /// Nothing is known of it.
    Unused,
}

fn roles(graph: &Graph, count: usize) -> Vec<Role> {
    let mut roles = vec![Role::Unused; count];
    for (_, ParamId(weight), bias) in graph.layers() {
        if let Some(ParamId(bias)) = bias
            && bias < count
            && weight < count
        {
            roles[bias] = Role::Bias(weight);
        }
    }
    for (_, ParamId(weight), _) in graph.layers() {
        if weight < count {
            roles[weight] = Role::Weight;
        }
    }
    roles
}

fn weight_ranks(graph: &Graph, count: usize) -> Vec<usize> {
    let mut ranks = vec![0; count];
    for node in &graph.nodes {
        let Some((ParamId(id), _)) = node.op.layer() else { continue };
        let rank = if matches!(node.op, Op::Conv(_)) { 4 } else { 2 };
        if id < count {
            ranks[id] = rank;
        }
    }
    ranks
}

fn write_node(bytes: &mut Vec<u8>, index: usize, node: &Node, next: &mut usize) {
    let mut flags = 0;
    let mut body = Vec::new();
    let arity = node.op.arity();
    if node.inputs != [ValueId(index)] && *arity.end() > 0 {
        flags |= INPUTS;
        if arity.start() != arity.end() {
            put_varint(&mut body, node.inputs.len() as u64);
        }
        for input in &node.inputs {
            put_varint(&mut body, (index - input.0) as u64);
        }
    }
    let mut parameters = node.op.parameters();
    if let Some(weight) = parameters.next() {
        let bias = parameters.next();
        let usual = weight.0 == *next && bias.is_none_or(|bias| bias.0 == *next + 1);
        if !usual {
            flags |= PARAMETERS;
            put_varint(&mut body, weight.0 as u64);
        }
        if let Some(bias) = bias {
            flags |= BIAS;
            if !usual {
                put_varint(&mut body, bias.0 as u64);
            }
        }
        advance(next, weight, bias);
    }
    let code = attributes::write(&node.op, &mut flags, &mut body);
    bytes.push(code.min(MORE) | flags);
    if code >= MORE {
        bytes.push(code - MORE);
    }
    bytes.extend(body);
}

/// The first parameter that no node up to here has used, as far as ids rise.
fn advance(next: &mut usize, weight: ParamId, bias: Option<ParamId>) {
    let last = bias.map_or(weight.0, |bias| bias.0.max(weight.0));
    *next = (*next).max(last.saturating_add(1));
}

fn read_node(reader: &mut Reader, index: usize, next: &mut usize) -> Result<Node, DecodeError> {
    let head = reader.byte()?;
    let has = |flag: u8| head & flag != 0;
    let mut code = head & MORE;
    if code == MORE {
        code = code.saturating_add(reader.byte()?);
    }
    let allowed = |op: &Op| {
        (op.parameters().next().is_some() || !has(PARAMETERS))
            && (op.layer().is_some() || !has(BIAS))
            && (attributes::optional(code) || !has(ATTRIBUTES))
    };
    let usual = attributes::operator(code, ParamId(0), None).filter(allowed);
    let usual = usual.ok_or_else(|| reader.malformed("an operator and its flags", format!("{head:#04x}")))?;
    let arity = usual.arity();
    let mut inputs = vec![ValueId(index)];
    if has(INPUTS) || *arity.end() == 0 {
        inputs.clear();
        let count = if arity.start() == arity.end() { *arity.end() } else { reader.size(reader.len())? };
        for _ in 0..count {
            inputs.push(ValueId(index - reader.size(index)?));
        }
    }
    let (mut weight, mut bias) = (ParamId(*next), has(BIAS).then_some(ParamId(next.saturating_add(1))));
    if has(PARAMETERS) {
        weight = ParamId(reader.size(i32::MAX as usize)?);
        if let Some(bias) = &mut bias {
            *bias = ParamId(reader.size(i32::MAX as usize)?);
        }
    }
    if usual.parameters().next().is_some() {
        advance(next, weight, bias);
    }
    let op = attributes::operator(code, weight, bias).unwrap_or(usual);
    let op = attributes::read(reader, code, has(ATTRIBUTES), op)?;
    Ok(Node { name: format!("node{index}"), op, inputs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Binary, Cell, Conv, Function, Gather, Input, Linear, Normalize, Number, Pad, PadMode, Pool, Recurrent, Reduce,
        Reduction, Slice, Unary,
    };

    fn node(op: Op, inputs: &[usize]) -> Node {
        Node { name: String::new(), op, inputs: inputs.iter().map(|&value| ValueId(value)).collect() }
    }

    fn unnamed(mut graph: Graph) -> Graph {
        graph.nodes.iter_mut().for_each(|node| node.name.clear());
        graph
    }

    #[test]
    fn every_operator_comes_back() {
        let conv = |weight, bias: Option<usize>, stride, pads, groups| {
            Op::Conv(Conv { weight: ParamId(weight), bias: bias.map(ParamId), stride, pads, groups, dilation: [1; 2] })
        };
        let pool = |kernel| Pool { kernel, stride: [1, 2], pads: [0, 1, 0, 1], ceil: true, count_pads: true };
        let nodes = vec![
            node(conv(0, Some(1), [1, 1], [1; 4], 1), &[0]),
            node(conv(4, Some(2), [1, 1], [1, 1, 1, 1], 2), &[1]),
            node(Op::Add, &[1, 2]),
            node(Op::Relu, &[3]),
            node(conv(6, None, [2, 1], [0; 4], 1), &[1]),
            node(Op::MaxPool(pool([1, 2])), &[4]),
            node(
                Op::AveragePool(Pool { kernel: [2; 2], stride: [2; 2], pads: [0; 4], ceil: false, count_pads: false }),
                &[6],
            ),
            node(Op::GlobalAveragePool, &[7]),
            node(Op::Flatten, &[8]),
            node(Op::Linear(Linear { weight: ParamId(7), bias: Some(ParamId(5)) }), &[9]),
            node(Op::Softmax, &[10]),
        ];
        let graph = Graph { input_name: "input".into(), input_shape: vec![1, 8, 8], nodes, ..Graph::default() };
        let shapes = [
            vec![4, 1, 3, 3],
            vec![4],
            vec![4],
            vec![7, 0, 2],
            vec![4, 2, 3, 3],
            vec![3],
            vec![2, 4, 1, 1],
            vec![3, 4],
        ];
        let bytes = write(&graph, &shapes);
        let (read_graph, read_shapes) = read(&bytes, 1 << 20).unwrap();
        assert_eq!(unnamed(read_graph.clone()), graph);
        assert_eq!(read_shapes, shapes);
        assert_eq!(
            parameter_names(&read_graph, 8)[..6],
            ["node0.weight", "node0.bias", "node1.bias", "parameter3", "node1.weight", "node9.bias"]
        );
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], 1 << 20).is_err());
        }
    }

    #[test]
    fn every_later_operator_comes_back() {
        let dilated =
            Conv { weight: ParamId(0), bias: None, stride: [1, 1], pads: [2; 4], groups: 1, dilation: [2, 300] };
        let recurrent = |cell, bias| Op::Recurrent(Recurrent { weight: ParamId(3), bias, cell, reverse: true });
        let mut nodes = vec![
            node(Op::Conv(dilated), &[0]),
            node(Op::Parameter(ParamId(1)), &[]),
            node(Op::Parameter(ParamId(0)), &[]),
            node(Op::MatMul, &[1, 2]),
            node(Op::Concat(2), &[1, 2, 3]),
            node(Op::Reshape(vec![2, 300]), &[5]),
            node(Op::Transpose(vec![1, 0, 2]), &[3]),
            node(Op::Slice(Slice { starts: vec![5, 0], steps: vec![-1, 200], lengths: vec![6, 2] }), &[7]),
            node(Op::Gather(Gather { axis: 1, indices: vec![3, 0, 300] }), &[8]),
            node(Op::Expand(vec![2, 3, 4]), &[9]),
            node(Op::Normalize(Normalize { axis: 1, epsilon: Number::new(1e-5) }), &[10]),
            node(Op::Reduce(Reduce { kind: Reduction::Mean, axes: vec![0, 2] }), &[11]),
            node(Op::Reduce(Reduce { kind: Reduction::Min, axes: vec![] }), &[12]),
            node(Op::LogSoftmax, &[13]),
            node(Op::Input(Input { start: 400, shape: vec![2, 2], batched: true }), &[0]),
            node(Op::Reshape(Vec::new()), &[15]),
            node(Op::Lookup(ParamId(3)), &[3]),
            node(recurrent(Cell::GruReset, Some(ParamId(2))), &[5]),
            node(recurrent(Cell::Rnn, None), &[6]),
        ];
        let number = nodes.len();
        let add = |nodes: &mut Vec<Node>, op| {
            let last = nodes.len();
            nodes.push(node(op, &[last]));
        };
        for &function in Function::ALL {
            let constant = |index| if function.constants() > index { -0.5 - index as f32 } else { 0.0 };
            add(&mut nodes, Op::Unary(Unary::new(function, constant(0), constant(1))));
        }
        for mode in [PadMode::Constant, PadMode::Edge, PadMode::Reflect, PadMode::Wrap] {
            add(&mut nodes, Op::Pad(Pad { before: vec![1], after: vec![2], mode, value: Number::new(f32::INFINITY) }));
        }
        nodes.extend(Binary::ALL.iter().map(|&binary| node(Op::Binary(binary), &[number, number + 1])));
        nodes.push(node(Op::Outputs, &[number, 1]));
        let graph = Graph { input_name: "input".into(), input_shape: vec![404], nodes, ..Graph::default() };
        let shapes = [vec![4, 1, 3, 3], vec![7, 1], vec![6], vec![6, 2]];
        let bytes = write(&graph, &shapes);
        let (read_graph, read_shapes) = read(&bytes, 1 << 20).unwrap();
        assert_eq!(unnamed(read_graph.clone()), graph);
        assert_eq!(read_shapes, shapes);
        assert_eq!(parameter_names(&read_graph, 2), ["node0.weight", "node1.value"]);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], 1 << 20).is_err());
        }
        // A number that no operator has.
        assert!(read(&[1, 1, 1, 0x0f, 11, 0], 1 << 20).is_err());
    }
}
