//! Which outputs of a layer feed which inputs of the next: what may be removed or reordered together, and where it
//! folds.
//!
//! A channel is one output of a layer: a plane of a convolution, or a neuron. It flows through operators that keep
//! channels apart (functions of each element, pooling, flattening) to the layers that consume it, where it is a slice along axis 1 of their
//! weights. Removing a channel means removing the row of the weight that makes it and the slices that read it.

use super::{Class, Linear, Model, Op, ParamId, Parameter, ValueId};
use crate::error::GraphError;
use ndarray::{ArrayD, IxDyn};

/// The channels that one layer makes, and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelGroup {
    /// Index of the node that makes them.
    pub producer: usize,
    /// Its weight: channel `c` is row `c` along axis 0.
    pub weight: ParamId,
    /// Its bias: channel `c` is element `c`.
    pub bias: Option<ParamId>,
    /// How many there are.
    pub channels: usize,
    /// The layers that read them, in the order of their nodes.
    pub consumers: Vec<Consumer>,
    /// Whether channels may be removed and reordered: they reach consumers, and nothing but consumers, which with the
    /// producer are ungrouped and share no parameter with other layers.
    pub removable: bool,
    /// Whether every path to a consumer is linear: neither a function of each element nor a maximum is on it.
    pub linear: bool,
    /// Whether a constant in each channel can be moved into the consumers' biases exactly: on the paths are only
    /// pooling that no padding dilutes and flattening, and the consumers do not pad. A maximum is allowed:
    /// `max(x + b) = max(x) + b`.
    pub bias_folds: bool,
}

/// A layer that reads the channels of a [`ChannelGroup`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Index of its node.
    pub node: usize,
    /// What it reads.
    pub input: ValueId,
    /// Its weight.
    pub weight: ParamId,
    /// Its bias.
    pub bias: Option<ParamId>,
    /// How many consecutive indices along axis 1 of the weight read one channel: channel `c` is
    /// `c * columns .. (c + 1) * columns`. It is 1 unless height x width positions were flattened in between.
    pub columns: usize,
}

/// One group for each layer, in the order of the nodes. The groups of layers whose channels cannot be removed are among
/// them, with `removable: false`.
///
/// # Errors
/// [`GraphError`] if the model's shapes do not fit.
pub fn channel_groups(model: &Model) -> Result<Vec<ChannelGroup>, GraphError> {
    let shapes = model.shapes()?;
    let mut readers = vec![Vec::new(); shapes.len()];
    for (index, node) in model.graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|input| readers[input.0].push(index));
    }
    let mut uses = vec![0; model.parameters.len()];
    model.graph.nodes.iter().flat_map(|node| node.op.parameters()).for_each(|parameter| uses[parameter.0] += 1);
    let shared: Vec<bool> = uses.into_iter().map(|uses: usize| uses > 1).collect();
    let walk = Walk { model, shapes: &shapes, readers: &readers, shared: &shared };
    Ok(model.graph.layers().map(|(producer, weight, bias)| walk.group(producer, weight, bias)).collect())
}

/// What is known of the graph while channels are followed.
struct Walk<'a> {
    model: &'a Model,
    /// Shape of each value.
    shapes: &'a [Vec<usize>],
    /// Nodes that read each value.
    readers: &'a [Vec<usize>],
    /// Whether more than one node has a parameter.
    shared: &'a [bool],
}

impl Walk<'_> {
    fn group(&self, producer: usize, weight: ParamId, bias: Option<ParamId>) -> ChannelGroup {
        let own = |id: ParamId| !self.shared[id.0];
        let mut group = ChannelGroup {
            producer,
            weight,
            bias,
            channels: self.model.values(weight).shape()[0],
            consumers: Vec::new(),
            removable: own(weight) && bias.is_none_or(own),
            linear: true,
            bias_folds: true,
        };
        // Channels along the first axis are what is followed here.
        let rank = match &self.model.graph.nodes[producer].op {
            Op::Conv(conv) => {
                group.removable &= conv.groups == 1;
                3
            }
            _ => 1,
        };
        group.removable &= self.shapes[producer + 1].len() == rank;
        // Values that carry the channels, with the columns of each.
        let mut open = vec![(ValueId(producer + 1), 1)];
        while let Some((value, columns)) = open.pop() {
            if value == self.model.graph.output() {
                group.removable = false;
            }
            for &reader in &self.readers[value.0] {
                if let Some(columns) = self.pass(&mut group, reader, value, columns) {
                    open.push((ValueId(reader + 1), columns));
                }
            }
        }
        group.removable &= !group.consumers.is_empty();
        group.linear &= group.removable;
        group.bias_folds &= group.removable;
        group
    }

    /// Takes a reader of the channels into account; gives the columns of each channel behind it, if they go on.
    fn pass(&self, group: &mut ChannelGroup, reader: usize, input: ValueId, columns: usize) -> Option<usize> {
        let mut consume = |weight: ParamId, bias: Option<ParamId>| {
            group.removable &= !self.shared[weight.0];
            group.bias_folds &= bias.is_none_or(|bias| !self.shared[bias.0]);
            // In the order of the graph.
            let place = group.consumers.partition_point(|consumer| consumer.node <= reader);
            group.consumers.insert(place, Consumer { node: reader, input, weight, bias, columns });
            None
        };
        match &self.model.graph.nodes[reader].op {
            Op::Conv(conv) => {
                consume(conv.weight, conv.bias);
                group.removable &= conv.groups == 1;
                group.bias_folds &= conv.pads == [0; 4];
                None
            }
            Op::Linear(linear) => consume(linear.weight, linear.bias),
            Op::MaxPool(_) => {
                group.linear = false;
                Some(columns)
            }
            Op::AveragePool(pool) => {
                // A mean that counts padded zeros, or what a last window lacks, does not pass a constant on.
                group.bias_folds &= !(pool.count_pads && (pool.pads != [0; 4] || pool.ceil));
                Some(columns)
            }
            Op::GlobalAveragePool => Some(columns),
            Op::Flatten => Some(columns * self.shapes[input.0].iter().skip(1).product::<usize>()),
            other if other.class() == Class::Elementwise => {
                group.linear = false;
                group.bias_folds = false;
                Some(columns)
            }
            // Where channels are not known to stay apart, they stay.
            _ => {
                group.removable = false;
                None
            }
        }
    }
}

/// The model with only the channels `kept` of a group, in that order; the rest is as it was. Whether the function stays
/// the same is for the caller to know: it does if what is dropped is zero wherever it is read.
///
/// # Errors
/// [`GraphError`] if the group is not removable, or `kept` is empty, or has an index twice or out of range.
pub fn keep(model: &Model, group: &ChannelGroup, kept: &[usize]) -> Result<Model, GraphError> {
    let node = &model.graph.nodes[group.producer];
    if !group.removable {
        return Err(node.fault("channels", "a group whose channels may be removed", "one that has to stay"));
    }
    let mut seen = vec![false; group.channels];
    let mut is_new = |channel: usize| seen.get_mut(channel).is_some_and(|seen| !std::mem::replace(seen, true));
    if kept.is_empty() || !kept.iter().all(|&channel| is_new(channel)) {
        let expected = format!("at least one of the {} channels, each at most once", group.channels);
        return Err(node.fault("kept channels", expected, format!("{kept:?}")));
    }
    let mut model = model.clone();
    let mut select = |id: ParamId, axis: usize, columns: usize| {
        let indices: Vec<usize> = kept.iter().flat_map(|&channel| channel * columns..(channel + 1) * columns).collect();
        let values = model.values_mut(id);
        let mut shape = values.raw_dim();
        shape[axis] = indices.len();
        *values = ArrayD::from_shape_fn(shape, |mut place| {
            place[axis] = indices[place[axis]];
            values[place]
        });
    };
    select(group.weight, 0, 1);
    if let Some(bias) = group.bias {
        select(bias, 0, 1);
    }
    for consumer in &group.consumers {
        select(consumer.weight, 1, consumer.columns);
    }
    Ok(model)
}

/// Moves biases forward into the next layers' biases, wherever that is exact (up to rounding), and leaves zeros behind.
/// A consumer without a bias gets one.
///
/// # Errors
/// [`GraphError`] if the model's shapes do not fit.
pub fn fold_biases(model: &mut Model) -> Result<(), GraphError> {
    // In the order of the nodes, so that a bias that was moved can move on. A bias that is added on the way is found by
    // looking the consumer up again.
    for group in channel_groups(model)? {
        let producer_bias = model.graph.nodes[group.producer].op.layer().and_then(|(_, bias)| bias);
        let Some(bias) = producer_bias.filter(|_| group.bias_folds) else { continue };
        let constants: Vec<f64> = model.values(bias).iter().map(|&value| f64::from(value)).collect();
        if constants.iter().all(|&constant| constant == 0.0) {
            continue;
        }
        for consumer in &group.consumers {
            let added = constant_response(model.values(consumer.weight), &constants, consumer.columns);
            let target = bias_of(model, consumer.node, added.len());
            for (value, added) in model.values_mut(target).iter_mut().zip(added) {
                *value = (f64::from(*value) + added) as f32;
            }
        }
        model.values_mut(bias).fill(0.0);
    }
    Ok(())
}

/// What each output of a layer answers to a constant in each of its input channels.
pub fn constant_response(weight: &ArrayD<f32>, constants: &[f64], columns: usize) -> Vec<f64> {
    let rows = weight.outer_iter();
    rows.map(|row| {
        let slices = row.outer_iter().enumerate();
        slices
            .map(|(index, slice)| constants[index / columns] * slice.iter().map(|&value| f64::from(value)).sum::<f64>())
            .sum()
    })
    .collect()
}

/// The bias of a layer; one of zeros is added if it has none.
fn bias_of(model: &mut Model, node: usize, out: usize) -> ParamId {
    let added = ParamId(model.parameters.len());
    let made = &mut model.graph.nodes[node];
    let bias = match &mut made.op {
        Op::Conv(super::Conv { bias, .. }) | Op::Linear(Linear { bias, .. }) => bias,
        _ => unreachable!("a consumer is a layer"),
    };
    if let Some(bias) = *bias {
        return bias;
    }
    *bias = Some(added);
    let name = format!("{}.bias", made.name);
    model.parameters.push(Parameter { name, values: ArrayD::zeros(IxDyn(&[out])) });
    added
}
