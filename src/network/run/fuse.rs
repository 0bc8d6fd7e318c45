//! Which operators are done by the step of the layer before them.

use super::finish::Finish;
use super::unary::function_of;
use crate::kernels::function::Function;
use crate::model::{Binary, Function as Name, Graph, Op, Pool, Unary};
use crate::network::flow::Flow;

/// What a step does: a node, with what follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fusion {
    /// The value that it makes.
    pub value: usize,
    /// What is done to get there.
    pub finish: Finish,
    /// The value that is added.
    pub addend: Option<usize>,
    /// The nodes that it does, in order.
    pub nodes: Vec<usize>,
}

/// What can be done with node `index`, a layer.
pub fn fuse(graph: &Graph, flow: &Flow, index: usize) -> Fusion {
    let (mut fusion, shapes) = (Fusion::none(index), &flow.shapes);
    let pools = matches!(&graph.nodes[index].op, Op::Conv(conv) if conv.groups == 1);
    while !flow.asked[fusion.value] && !fusion.finish.pool {
        let value = fusion.value;
        match *flow.readers[value] {
            [reader] if fusion.finish.function.is_none() && function_of(&graph.nodes[reader].op).is_some() => {
                fusion.finish.function = function_of(&graph.nodes[reader].op);
                fusion.goes_on(reader);
            }
            [reader] if fusion.finish == Finish::default() && graph.nodes[reader].op == Op::Add => {
                let inputs = &graph.nodes[reader].inputs;
                let other = if flow.source[inputs[0].0] == value { inputs[1].0 } else { inputs[0].0 };
                // It has to be there already, and not to be repeated.
                if flow.source[other] > index || shapes[inputs[0].0] != shapes[inputs[1].0] {
                    break;
                }
                fusion.finish.add = true;
                fusion.addend = Some(other);
                fusion.goes_on(reader);
            }
            [reader] if pools => match &graph.nodes[reader].op {
                Op::MaxPool(pool) if halves(pool, &shapes[graph.nodes[reader].inputs[0].0]) => {
                    fusion.finish.pool = true;
                    fusion.goes_on(reader);
                }
                _ => break,
            },
            // A value times its own sigmoid.
            [a, b] if fusion.finish.function.is_none() => match silu(graph, flow, value, [a, b]) {
                Some((sigmoid, product)) => {
                    fusion.finish.function = Some(Function::Silu);
                    fusion.goes_on(sigmoid);
                    fusion.goes_on(product);
                }
                None => break,
            },
            _ => break,
        }
    }
    fusion
}

impl Fusion {
    /// Node `index` alone.
    pub fn none(index: usize) -> Self {
        Fusion { value: index + 1, finish: Finish::default(), addend: None, nodes: vec![index] }
    }

    fn goes_on(&mut self, node: usize) {
        self.nodes.push(node);
        self.value = node + 1;
    }
}

/// Whether a pooling makes one of each 2 x 2, and nothing is left over.
fn halves(pool: &Pool, shape: &[usize]) -> bool {
    let even = shape.iter().rev().take(2).all(|side| side % 2 == 0);
    pool.kernel == [2, 2] && pool.stride == [2, 2] && pool.pads == [0; 4] && even
}

/// The nodes of `x sigmoid(x)` among the two readers of `x`.
fn silu(graph: &Graph, flow: &Flow, value: usize, readers: [usize; 2]) -> Option<(usize, usize)> {
    let is_sigmoid = |node: usize| matches!(graph.nodes[node].op, Op::Unary(Unary { function: Name::Sigmoid, .. }));
    let sigmoid = readers.into_iter().find(|&node| is_sigmoid(node))?;
    let product = readers.into_iter().find(|&node| graph.nodes[node].op == Op::Binary(Binary::Mul))?;
    let of_product = &graph.nodes[product].inputs;
    let reads = |made: usize| of_product.iter().any(|input| flow.source[input.0] == made);
    let fits = reads(value) && reads(sigmoid + 1) && *flow.readers[sigmoid + 1] == [product];
    (fits && !flow.asked[sigmoid + 1]).then_some((sigmoid, product))
}
