//! The order of hidden units. A network computes the same in any order, but is not coded in equally few bytes: what is
//! alike should be near, and what is dense should come first.

use super::ParameterModel;
use super::layout::{Layout, layouts};
use super::range::{BitCoder, Kind, cost};
use crate::error::GraphError;
use crate::model::channels::{ChannelGroup, channel_groups};
use crate::model::{FixedParameter, FixedPoint, ParamId};
use crate::ranking::ranked;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// The network with its hidden units in an order that is coded in fewer bytes: by density, and then by hill climbing, a
/// random unit being moved to a random place and left there if that helps. `budget` bounds the work: how many symbols are
/// coded in trials; a network of more stays as it is.
///
/// A sum of floats depends on its order: evaluate the network that this returns.
///
/// # Errors
/// [`GraphError`] if the network's shapes do not fit.
pub fn reorder(network: &FixedPoint, budget: u64, rng: &mut Pcg64Mcg) -> Result<FixedPoint, GraphError> {
    let symbols: usize = network.parameters.iter().map(|parameter| parameter.symbols.len()).sum();
    if symbols as u64 > budget {
        return Ok(network.clone());
    }
    let shapes: Vec<Vec<usize>> = network.parameters.iter().map(|parameter| parameter.shape.clone()).collect();
    let layouts = layouts(&network.graph, &shapes, &network.graph.shapes(&shapes)?);
    let groups = channel_groups(&network.to_model())?;
    let groups: Vec<&ChannelGroup> = groups.iter().filter(|group| group.removable && group.channels > 1).collect();
    let mut best = network.clone();
    let mut costs = Costs::new(&layouts, &best.parameters);
    let mut left = budget;
    for group in &groups {
        let density = density(group, &best.parameters);
        let order = ranked(group.channels, &|row| u128::MAX - density[row] as u128);
        costs.try_order(&layouts, group, &order, &mut best.parameters, &mut left);
    }
    while left > 0 && !groups.is_empty() {
        let group = groups[rng.random_range(0..groups.len())];
        let mut order: Vec<usize> = (0..group.channels).collect();
        let channel = order.remove(rng.random_range(0..group.channels));
        order.insert(rng.random_range(0..group.channels), channel);
        costs.try_order(&layouts, group, &order, &mut best.parameters, &mut left);
    }
    Ok(best)
}

/// Cost of coding, and the state of the model before each parameter: what lies before a change need not be coded again.
struct Costs {
    /// Before each parameter, and after the last.
    states: Vec<(ParameterModel, Meter)>,
}

impl Costs {
    fn new(layouts: &[Layout], parameters: &[FixedParameter]) -> Self {
        let mut costs = Costs { states: vec![(ParameterModel::default(), Meter::default())] };
        costs.extend(layouts, parameters);
        costs
    }

    /// Codes all parameters for which there is no state yet.
    fn extend(&mut self, layouts: &[Layout], parameters: &[FixedParameter]) {
        for index in self.states.len() - 1..parameters.len() {
            let (mut model, mut meter) = self.states[index].clone();
            model.code(&mut meter, &layouts[index], &parameters[index]);
            self.states.push((model, meter));
        }
    }

    fn total(&self) -> u64 {
        self.states.last().map_or(0, |(_, meter)| meter.spent)
    }

    /// Puts the channels of a group in an order if that is cheaper; takes what was coded off the budget.
    fn try_order(
        &mut self,
        layouts: &[Layout],
        group: &ChannelGroup,
        order: &[usize],
        parameters: &mut Vec<FixedParameter>,
        budget: &mut u64,
    ) {
        let mut trial = parameters.clone();
        let first = permute(group, order, &mut trial);
        let coded: usize = trial[first..].iter().map(|parameter| parameter.symbols.len()).sum();
        *budget = budget.saturating_sub(coded.max(1) as u64);
        let mut costs = Costs { states: self.states[..=first].to_vec() };
        costs.extend(layouts, &trial);
        if costs.total() < self.total() {
            (*self, *parameters) = (costs, trial);
        }
    }
}

/// Adds up what decisions cost, and writes nothing.
#[derive(Debug, Clone, Default)]
struct Meter {
    /// In 2^-12 bits.
    spent: u64,
}

impl BitCoder for Meter {
    fn code(&mut self, bit: bool, one: u32, _kind: Kind) -> bool {
        self.spent += u64::from(cost(bit, one));
        bit
    }

    fn overrun(&self) -> bool {
        false
    }
}

/// The parameters that have the channels of a group, each with how many consecutive symbols one channel has there; after
/// the last channel comes the first again, in the next row.
fn blocks(group: &ChannelGroup, parameters: &[FixedParameter]) -> Vec<(usize, usize)> {
    let shape = |id: ParamId| parameters[id.0].shape.as_slice();
    let mut blocks = vec![(group.weight.0, shape(group.weight)[1..].iter().product())];
    blocks.extend(group.bias.map(|bias| (bias.0, 1)));
    for consumer in &group.consumers {
        let taps: usize = shape(consumer.weight)[2..].iter().product();
        blocks.push((consumer.weight.0, consumer.columns * taps));
    }
    blocks
}

/// Number of weights of each channel that are not zero.
fn density(group: &ChannelGroup, parameters: &[FixedParameter]) -> Vec<usize> {
    let mut density = vec![0; group.channels];
    for (id, length) in blocks(group, parameters) {
        for (index, block) in parameters[id].symbols.chunks_exact(length).enumerate() {
            density[index % group.channels] += block.iter().filter(|&&symbol| symbol != 0).count();
        }
    }
    density
}

/// Puts channel `order[i]` of a group at place `i`; returns the first parameter that this changes.
fn permute(group: &ChannelGroup, order: &[usize], parameters: &mut [FixedParameter]) -> usize {
    let blocks = blocks(group, parameters);
    for &(id, length) in &blocks {
        let symbols = &mut parameters[id].symbols;
        let old = symbols.clone();
        let row = length * order.len();
        for (new, old) in symbols.chunks_exact_mut(row).zip(old.chunks_exact(row)) {
            for (place, &channel) in order.iter().enumerate() {
                new[place * length..][..length].copy_from_slice(&old[channel * length..][..length]);
            }
        }
    }
    blocks.iter().map(|&(id, _)| id).min().unwrap_or(parameters.len())
}
