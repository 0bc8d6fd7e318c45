//! What a graph says of its values before any number is known: which are computed, and which can be negative.

use crate::model::{Graph, Op, Scaling, ValueId};
use crate::network::plan::logits_of;
use std::ops::RangeInclusive;

/// Indexed by [`ValueId`], but for the logits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// The value with the logits. Another shape changes no number, and is not looked at.
    pub logits: usize,
    /// Whether the logits are a layer's sums: these keep their 32 bits.
    pub wide: bool,
    /// Whether the logits need it. Nothing else is computed.
    pub needed: Vec<bool>,
    /// Whether it is unsigned: it is never negative, or a ReLU makes 0 of whatever is.
    pub unsigned: Vec<bool>,
    /// The value whose format it takes over, since it has only numbers of that value; itself if it makes new ones.
    pub source: Vec<usize>,
    /// Whether arithmetic is done with it, or it is the answer: then its rounding matters.
    pub read: Vec<bool>,
    /// Bits of each value but the input, which has 8.
    bits: u8,
}

impl Values {
    /// For a graph that [`Graph::shapes`] has proved, and values of so many bits (2 to 8).
    pub fn new(graph: &Graph, shapes: &[Vec<usize>], scaling: &Scaling, bits: u8) -> Self {
        let count = graph.nodes.len() + 1;
        let op = |value: usize| value.checked_sub(1).map(|index| &graph.nodes[index].op);
        let ValueId(mut logits) = logits_of(graph, shapes);
        while matches!(op(logits), Some(Op::Flatten | Op::Reshape(_))) {
            logits = graph.nodes[logits - 1].inputs[0].0;
        }
        let mut needed = vec![false; count];
        needed[logits] = true;
        for (index, node) in graph.nodes.iter().enumerate().rev() {
            if needed[index + 1] {
                node.inputs.iter().for_each(|input| needed[input.0] = true);
            }
        }
        let computed = || graph.nodes.iter().enumerate().filter(|(index, _)| needed[index + 1]);

        // Maxima and ReLU may change places: what goes nowhere but through maxima into a ReLU may lose its sign before.
        let mut rectified = vec![true; count];
        rectified[logits] = false;
        let (mut negative, mut source): (Vec<bool>, Vec<usize>) = (vec![true; count], (0..count).collect());
        let mut read = vec![false; count];
        read[logits] = true;
        for (index, node) in computed().rev() {
            let passes = match &node.op {
                Op::Relu => true,
                Op::MaxPool(_) | Op::Flatten | Op::Reshape(_) => rectified[index + 1],
                Op::Conv(_) | Op::Linear(_) | Op::Add => false,
                // Averages and softmax; `check_operators` has refused all others.
                _ => false,
            };
            node.inputs.iter().for_each(|input| rectified[input.0] &= passes);
        }

        let below = |channel| matches!(scaling.affine(channel), (factor, offset) if factor < 0.0 || offset < 0.0);
        negative[0] = (0..scaling.channels().unwrap_or(1)).any(below);
        for (index, node) in computed() {
            let first = node.inputs[0].0;
            let (is_negative, takes_over) = match &node.op {
                Op::Add => (node.inputs.iter().any(|input| negative[input.0]), false),
                Op::Relu => (false, rectified[first] || !negative[first]),
                Op::MaxPool(_) | Op::Flatten | Op::Reshape(_) => (negative[first], true),
                Op::AveragePool(_) | Op::GlobalAveragePool => (negative[first], false),
                // Layers and softmax.
                _ => (true, false),
            };
            negative[index + 1] = is_negative;
            if takes_over {
                source[index + 1] = source[first];
            } else {
                node.inputs.iter().for_each(|input| read[input.0] = true);
            }
        }
        let unsigned = negative.iter().zip(&rectified).map(|(negative, rectified)| !negative || *rectified).collect();
        let wide = op(logits).is_some_and(|op| op.layer().is_some());
        Values { logits, wide, needed, unsigned, source, read, bits }
    }

    /// Bits of a value. The input has 8: it is bytes.
    pub fn bits(&self, value: usize) -> u8 {
        if self.source[value] == 0 { 8 } else { self.bits }
    }

    /// The integers that a value may have.
    pub fn range(&self, value: usize) -> RangeInclusive<i16> {
        let count = 1i16 << self.bits(value);
        if self.unsigned[value] { 0..=count - 1 } else { -count / 2..=count / 2 - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::Chain;
    use crate::model::{Node, Pool};

    const STANDARDISED: Scaling = Scaling::Standardised { mean: 0.1, deviation: 0.3 };

    #[test]
    fn signs_and_formats_of_a_lenet() {
        let model = crate::model::presets::lenet5([2, 3, 4, 5]);
        let values = Values::new(&model.graph, &model.shapes().unwrap(), &Scaling::Unit, 8);
        // Input; convolution and maxima twice; flattened; linear, ReLU, linear.
        assert_eq!(values.unsigned, [true, false, false, false, false, false, true, true, false]);
        assert_eq!(values.source, [0, 1, 1, 3, 3, 3, 6, 6, 8]);
        assert_eq!(values.read, [true, false, true, false, false, true, false, true, true]);
        assert_eq!((values.logits, values.wide), (8, true));
        assert!(!Values::new(&model.graph, &model.shapes().unwrap(), &STANDARDISED, 8).unsigned[0]);
    }

    #[test]
    fn a_relu_behind_maxima_takes_the_sign_unless_somebody_else_needs_it() {
        let chain = Chain::new(vec![1, 6, 6]).conv("a", [2, 1, 3, 3], 0).max_pool().relu().flatten();
        let mut model = chain.linear("b", [3, 8]).build();
        let values = Values::new(&model.graph, &model.shapes().unwrap(), &STANDARDISED, 8);
        assert_eq!(values.unsigned, [false, true, true, true, true, false]);
        assert_eq!(values.source, [0, 1, 1, 1, 1, 5]);
        assert_eq!(values.read, [true, false, false, false, true, true]);
        // The pooled values are now needed with their sign, too.
        model.graph.nodes.insert(3, Node { name: "sum".into(), op: Op::Add, inputs: vec![ValueId(2), ValueId(3)] });
        model.graph.nodes[4].inputs = vec![ValueId(4)];
        model.graph.nodes[5].inputs = vec![ValueId(5)];
        let values = Values::new(&model.graph, &model.shapes().unwrap(), &STANDARDISED, 8);
        assert_eq!(values.unsigned, [false, false, false, true, false, false, false]);
        assert_eq!(values.source, [0, 1, 1, 3, 4, 4, 6]);
    }

    #[test]
    fn fewer_bits_are_smaller_ranges_of_all_but_the_input() {
        let model = crate::model::presets::lenet5([2, 3, 4, 5]);
        let values = Values::new(&model.graph, &model.shapes().unwrap(), &Scaling::Unit, 3);
        assert_eq!([0, 1, 2, 6].map(|value| values.range(value)), [0..=255, -4..=3, -4..=3, 0..=7]);
        assert_eq!([0, 1].map(|value| values.bits(value)), [8, 3]);
    }

    #[test]
    fn only_what_the_logits_need_is_computed() {
        let mut model = Chain::new(vec![4]).linear("a", [3, 4]).relu().flatten().build();
        model.graph.nodes[2].inputs = vec![ValueId(1)];
        model.graph.nodes.push(Node { name: "softmax".into(), op: Op::Softmax, inputs: vec![ValueId(3)] });
        let values = Values::new(&model.graph, &model.shapes().unwrap(), &Scaling::Unit, 8);
        assert_eq!((values.logits, values.wide), (1, true));
        assert_eq!(values.needed, [true, true, false, false, false]);
        assert!(!values.unsigned[1]);
    }

    #[test]
    fn means_keep_the_sign_and_make_new_numbers() {
        let mut model = Chain::new(vec![1, 4, 4]).max_pool().relu().build();
        let pool = Pool { kernel: [2, 2], stride: [1, 1], pads: [0; 4], ceil: false, count_pads: false };
        model.graph.nodes[0].op = Op::AveragePool(pool);
        let values = Values::new(&model.graph, &model.shapes().unwrap(), &STANDARDISED, 8);
        assert_eq!(values.unsigned, [false, true, true]);
        assert_eq!(values.source, [0, 1, 1]);
        assert!(!values.wide);
    }
}
