//! What a layer's symbols cost: Huffman's codes, the entropy, and the adaptive range coder, for the same symbols.

use super::picture::{self, Picture};
use crate::coding::huffman::{SymbolCode, entropy_bits, symbol_codes};
use crate::coding::trace::symbol_costs;
use crate::error::GraphError;
use crate::model::{FixedParameter, FixedPoint, ParamId};
use serde::Serialize;

/// The symbols of a layer's weights, and what they cost in bits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LayerCode {
    /// Number of weights.
    pub weights: usize,
    /// The n of Qm.n.
    pub fraction_bits: i8,
    /// Each symbol with its value, how often it occurs, and the length of its Huffman code.
    pub symbols: Vec<CodedSymbol>,
    /// The bound for any code of independent symbols.
    pub entropy_bits: f64,
    /// Huffman's codes, without their table.
    pub huffman_bits: f64,
    /// The adaptive coder, which predicts each symbol from those before it, codebook included.
    pub coder_bits: f64,
}

/// One symbol.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CodedSymbol {
    /// What it stands for.
    pub value: f32,
    /// How often it occurs.
    pub count: u64,
    /// Bits of its Huffman code.
    pub huffman: u8,
    /// Its share of the entropy: `-log2` of its frequency.
    pub ideal: f64,
    /// What the adaptive coder spent on it, on average.
    pub coder: f64,
}

/// What each symbol of a network costs, computed once for all layers.
#[derive(Debug, Clone)]
pub struct Costs(Vec<(Vec<f32>, f32)>);

impl Costs {
    /// Codes the network.
    ///
    /// # Errors
    /// [`GraphError`] if its shapes do not fit.
    pub fn new(network: &FixedPoint) -> Result<Self, GraphError> {
        symbol_costs(network).map(Costs)
    }

    /// Bits of each of a parameter's weights, a pixel a weight.
    pub fn picture(&self, parameter: &FixedParameter, id: ParamId, most: [usize; 2]) -> Picture {
        picture::costs(&self.0[id.0].0, &parameter.shape, most)
    }

    /// The codes of one parameter.
    pub fn layer(&self, parameter: &FixedParameter, id: ParamId) -> LayerCode {
        let unit = (-f32::from(parameter.codebook.fraction_bits())).exp2();
        let codes = symbol_codes(&parameter.symbols);
        let counts: Vec<u64> = codes.iter().map(|code| code.count).collect();
        let total = parameter.symbols.len() as f64;
        let (costs, head) = &self.0[id.0];
        // For each symbol from the most negative on.
        let mut spent = vec![0.0; 1 << 16];
        let place = |symbol: i16| (i32::from(symbol) - i32::from(i16::MIN)) as usize;
        for (&symbol, &cost) in parameter.symbols.iter().zip(costs) {
            spent[place(symbol)] += f64::from(cost);
        }
        let coded = |code: &SymbolCode| CodedSymbol {
            value: parameter.codebook.integer(code.symbol).unwrap_or(0) as f32 * unit,
            count: code.count,
            huffman: code.length,
            ideal: (total / code.count as f64).log2(),
            coder: spent[place(code.symbol)] / code.count as f64,
        };
        LayerCode {
            weights: parameter.symbols.len(),
            fraction_bits: parameter.codebook.fraction_bits(),
            symbols: codes.iter().map(coded).collect(),
            entropy_bits: entropy_bits(&counts),
            huffman_bits: codes.iter().map(|code| code.count as f64 * f64::from(code.length)).sum(),
            coder_bits: costs.iter().copied().map(f64::from).sum::<f64>() + f64::from(*head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Codebook;
    use crate::model::presets::Chain;

    #[test]
    fn a_layer_of_four_kinds_of_symbols() {
        let graph = Chain::new(vec![8]).linear("a", [1, 8]).build().graph;
        let parameter = |shape: Vec<usize>, symbols: Vec<i16>| FixedParameter {
            name: String::new(),
            shape,
            symbols,
            codebook: Codebook::integers(2),
        };
        let parameters = vec![parameter(vec![1, 8], vec![0, 0, 0, 0, 1, 1, -1, 3]), parameter(vec![1], vec![1])];
        let original_shapes = vec![vec![1, 8], vec![1]];
        let network = FixedPoint { graph, parameters, original_shapes };
        let costs = Costs::new(&network).unwrap();
        let layer = costs.layer(&network.parameters[0], ParamId(0));
        // Counts 1 (-1), 4 (0), 2 (1), 1 (3): codes of 3, 1, 2 and 3 bits, and so is the entropy.
        let symbols: Vec<_> = layer.symbols.iter().map(|s| (s.value, s.count, s.huffman, s.ideal)).collect();
        assert_eq!(symbols, [(-0.25, 1, 3, 3.0), (0.0, 4, 1, 1.0), (0.25, 2, 2, 2.0), (0.75, 1, 3, 3.0)]);
        assert_eq!((layer.entropy_bits, layer.huffman_bits, layer.weights), (14.0, 14.0, 8));
        let (costs, head) = &costs.0[0];
        let spent: f64 = layer.symbols.iter().map(|s| s.coder * s.count as f64).sum();
        assert!((spent - f64::from(costs.iter().sum::<f32>())).abs() < 1e-4 && spent > 0.0, "{spent}");
        assert!((layer.coder_bits - spent - f64::from(*head)).abs() < 1e-4);
        let picture = Costs::new(&network).unwrap().picture(&network.parameters[0], ParamId(0), [8, 8]);
        assert_eq!((picture.width, picture.height), (8, 1));
        assert_eq!(picture.pixels.iter().max(), Some(&255));
    }
}
