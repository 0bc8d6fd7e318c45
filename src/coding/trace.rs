//! What each symbol costs, one by one.

use super::codebook::bounds;
use super::layout::layouts;
use super::range::Encoder;
use super::{ParameterModel, tables};
use crate::error::GraphError;
use crate::model::FixedPoint;

/// For each parameter, what its coder spends on each symbol, in bits, and on the codebook and the remark whether
/// all is zero together. A symbol that such a remark spares costs nothing.
///
/// # Errors
/// [`GraphError`] if the network's shapes do not fit.
pub fn symbol_costs(network: &FixedPoint) -> Result<Vec<(Vec<f32>, f32)>, GraphError> {
    let shapes: Vec<Vec<usize>> = network.parameters.iter().map(|parameter| parameter.shape.clone()).collect();
    let layouts = layouts(&network.graph, &shapes, &network.graph.shapes(&shapes)?);
    let mut model = ParameterModel::default();
    let mut encoder = Encoder::remembering();
    let mut before = 0.0;
    let traced = network.parameters.iter().zip(layouts).map(|(parameter, layout)| {
        let bounds = bounds(&parameter.codebook);
        if let Some(coded) = tables::worthwhile(&parameter.symbols, &layout, bounds) {
            let codebook = model.encode_codebook(&mut encoder, &layout, &parameter.codebook).total();
            let _ = encoder.take_positions();
            before += codebook;
            return (coded.costs(), (codebook + coded.all_bits().codebook) as f32);
        }
        model.encode(&mut encoder, &layout, parameter);
        // The first decision about positions is whether there are any; each later one begins a symbol.
        let marks = encoder.take_positions();
        let (start, first) = (before, marks.get(1).or(marks.last()).copied().unwrap_or(before));
        before = marks.last().copied().unwrap_or(before);
        let mut costs: Vec<f32> = marks.windows(2).skip(1).map(|pair| (pair[1] - pair[0]) as f32).collect();
        costs.resize(parameter.symbols.len(), 0.0);
        (costs, (first - start) as f32)
    });
    Ok(traced.collect())
}
