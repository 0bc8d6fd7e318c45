//! Well-known graphs, which a file names by a number.

use crate::model::{Graph, Model, presets};

/// How a file tells its graph. A number means a graph, whatever its widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// The graph is stored in a section.
    Stored,
    /// [`presets::lenet5`].
    LeNet5,
    /// [`presets::lenet300`].
    LeNet300,
}

/// Those with a number other than 0.
const KNOWN: [Topology; 2] = [Topology::LeNet5, Topology::LeNet300];

impl Topology {
    /// Its number in a file, below 16.
    pub fn number(self) -> u8 {
        match self {
            Topology::Stored => 0,
            Topology::LeNet5 => 1,
            Topology::LeNet300 => 2,
        }
    }

    /// The topology of a number.
    pub fn of_number(number: u8) -> Option<Self> {
        [Topology::Stored].into_iter().chain(KNOWN).find(|topology| topology.number() == number)
    }

    /// The topology whose graph this is, names aside, and in any widths.
    pub fn of_graph(graph: &Graph, parameter_shapes: &[Vec<usize>]) -> Self {
        KNOWN
            .into_iter()
            .find(|topology| {
                let same_graph = topology.smallest().is_some_and(|model| same(&model.graph, graph));
                same_graph && topology.widths(parameter_shapes).is_some()
            })
            .unwrap_or(Topology::Stored)
    }

    /// Its network with widths of 1: its graph and its names.
    pub fn smallest(self) -> Option<Model> {
        match self {
            Topology::Stored => None,
            Topology::LeNet5 => Some(presets::lenet5([1; 4])),
            Topology::LeNet300 => Some(presets::lenet300([1; 3])),
        }
    }

    /// Outputs of the layers of the network that it is named after.
    pub fn standard_widths(self) -> &'static [usize] {
        match self {
            Topology::Stored => &[],
            Topology::LeNet5 => &presets::LENET5_WIDTHS,
            Topology::LeNet300 => &presets::LENET300_WIDTHS,
        }
    }

    /// Shapes of the parameters: a weight and a bias for each width.
    pub fn parameter_shapes(self, widths: &[usize]) -> Vec<Vec<usize>> {
        let mut shapes = Vec::with_capacity(2 * widths.len());
        for (layer, &width) in widths.iter().enumerate() {
            let before = if layer == 0 { 1 } else { widths[layer - 1] };
            let weight = match (self, layer) {
                (Topology::LeNet5, 0 | 1) => vec![width, before, 5, 5],
                (Topology::LeNet5, 2) => vec![width, before.saturating_mul(16)],
                (Topology::LeNet300, 0) => vec![width, 784],
                (Topology::LeNet5 | Topology::LeNet300 | Topology::Stored, _) => vec![width, before],
            };
            shapes.push(weight);
            shapes.push(vec![width]);
        }
        shapes
    }

    /// The widths for which these are the parameters' shapes.
    pub fn widths(self, parameter_shapes: &[Vec<usize>]) -> Option<Vec<usize>> {
        let widths: Vec<usize> =
            parameter_shapes.iter().skip(1).step_by(2).filter_map(|shape| shape.first().copied()).collect();
        let fits = widths.len() == self.standard_widths().len() && self.parameter_shapes(&widths) == parameter_shapes;
        fits.then_some(widths)
    }
}

fn same(a: &Graph, b: &Graph) -> bool {
    a.input_shape == b.input_shape
        && a.nodes.len() == b.nodes.len()
        && a.nodes.iter().zip(&b.nodes).all(|(a, b)| a.op == b.op && a.inputs == b.inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_recognised_in_any_widths() {
        for widths in [[20, 50, 500, 10], [1, 2, 3, 4]] {
            let model = presets::lenet5(widths);
            let shapes = model.parameter_shapes();
            assert_eq!(Topology::of_graph(&model.graph, &shapes), Topology::LeNet5);
            assert_eq!(Topology::LeNet5.widths(&shapes), Some(widths.to_vec()));
            assert_eq!(Topology::LeNet5.parameter_shapes(&widths), shapes);
        }
        let mut model = presets::lenet300([5, 6, 7]);
        let shapes = model.parameter_shapes();
        assert_eq!(Topology::LeNet300.parameter_shapes(&[5, 6, 7]), shapes);
        model.graph.nodes[0].name = "other".into();
        assert_eq!(Topology::of_graph(&model.graph, &shapes), Topology::LeNet300);
        model.graph.nodes.pop();
        assert_eq!(Topology::of_graph(&model.graph, &shapes), Topology::Stored);
    }

    #[test]
    fn numbers_come_back() {
        for topology in [Topology::Stored, Topology::LeNet5, Topology::LeNet300] {
            assert_eq!(Topology::of_number(topology.number()), Some(topology));
        }
        assert_eq!(Topology::of_number(15), None);
    }
}
