//! What is left of a run when it is stopped after a finished stage: enough to go on from there.
//!
//! Two parts: a [`CheckpointHeader`], and the numbers of all parameters, little-endian: 32-bit floats before the network is fixed
//! point, 16-bit symbols after. JavaScript is given them as an object. In a file: `NUTCKPT1`, the length of the header as
//! JSON (u64, little-endian), the header, then the numbers.

use super::event::{Probe, StageState};
use super::recipe::{Recipe, Stage};
use crate::container::{read_graph, write_graph};
use crate::error::LoadError;
use crate::model::{Codebook, FixedParameter, FixedPoint, Graph, Model, Parameter};
use crate::stages::StageNetwork;
use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};

#[cfg(not(target_arch = "wasm32"))]
const MAGIC: &[u8; 8] = b"NUTCKPT1";
const FORMAT: &str = "checkpoint";

/// A run after a finished stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What was asked for.
    pub recipe: Recipe,
    /// The last finished stage.
    pub stage: Stage,
    /// The network as that stage left it.
    pub network: StageNetwork,
    /// Shapes of the original's parameters.
    pub original_shapes: Vec<Vec<usize>>,
    /// The stages so far.
    pub stages: Vec<StageState>,
    /// The probes so far.
    pub probes: Vec<Probe>,
    /// Factor on what the searches allow, 1 unless a first pass through the stages lost too much.
    pub caution: f64,
}

/// A checkpoint without its numbers. What is in it is of no use outside: whoever keeps it gives it back as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointHeader {
    recipe: Recipe,
    stage: Stage,
    /// As the section of a `.nut` file that holds a graph.
    graph: Vec<u8>,
    /// Names of the graph's input and nodes, and then of its outputs if they have any.
    names: Vec<String>,
    parameters: Vec<ParameterHeader>,
    original_shapes: Vec<Vec<usize>>,
    stages: Vec<StageState>,
    probes: Vec<Probe>,
    caution: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ParameterHeader {
    name: String,
    shape: Vec<usize>,
    codebook: Option<Codebook>,
}

fn fault(place: &str, expected: &str, got: String) -> LoadError {
    LoadError::Malformed { format: FORMAT, place: place.to_owned(), expected: expected.to_owned(), got }
}

/// As a file.
#[cfg(not(target_arch = "wasm32"))]
impl Checkpoint {
    /// The checkpoint as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (header, numbers) = self.to_parts();
        let header = serde_json::to_vec(&header).expect("every field has a JSON form");
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        bytes.extend(numbers);
        bytes
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`LoadError`] if the bytes are not a whole checkpoint.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| fault("start", "NUTCKPT1", format!("{:02x?}", &bytes[..bytes.len().min(8)])))?;
        let (length, rest) = rest
            .split_first_chunk()
            .ok_or_else(|| fault("header length", "8 bytes", format!("{} bytes", rest.len())))?;
        let (header, numbers) = usize::try_from(u64::from_le_bytes(*length))
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| fault("header", "a header inside the file", format!("{} bytes left", rest.len())))?;
        let header = crate::error::of_json(header)
            .map_err(|error| fault("header", "a header that this version wrote", error.to_string()))?;
        Checkpoint::from_parts(header, numbers)
    }
}

impl Checkpoint {
    /// The checkpoint as a header and the bytes of its numbers.
    pub fn to_parts(&self) -> (CheckpointHeader, Vec<u8>) {
        let mut numbers = Vec::new();
        let (graph, parameters) = match &self.network {
            StageNetwork::Float(model) => {
                let headers = model.parameters.iter().map(|parameter| {
                    numbers.extend(parameter.values.iter().flat_map(|value| value.to_le_bytes()));
                    let shape = parameter.values.shape().to_vec();
                    ParameterHeader { name: parameter.name.clone(), shape, codebook: None }
                });
                (&model.graph, headers.collect())
            }
            StageNetwork::Fixed(fixed) => {
                let headers = fixed.parameters.iter().map(|parameter| {
                    numbers.extend(parameter.symbols.iter().flat_map(|symbol| symbol.to_le_bytes()));
                    ParameterHeader {
                        name: parameter.name.clone(),
                        shape: parameter.shape.clone(),
                        codebook: Some(parameter.codebook.clone()),
                    }
                });
                (&fixed.graph, headers.collect())
            }
        };
        let graph: &Graph = graph;
        let parameters: Vec<ParameterHeader> = parameters;
        let shapes: Vec<Vec<usize>> = parameters.iter().map(|parameter| parameter.shape.clone()).collect();
        let nodes = graph.nodes.iter().map(|node| &node.name);
        let header = CheckpointHeader {
            recipe: self.recipe.clone(),
            stage: self.stage,
            graph: write_graph(graph, &shapes),
            names: std::iter::once(&graph.input_name).chain(nodes).chain(&graph.output_names).cloned().collect(),
            parameters,
            original_shapes: self.original_shapes.clone(),
            stages: self.stages.clone(),
            probes: self.probes.clone(),
            caution: self.caution,
        };
        (header, numbers)
    }

    /// Puts a checkpoint together again.
    ///
    /// # Errors
    /// [`LoadError`] if the parts do not belong together.
    pub fn from_parts(header: CheckpointHeader, numbers: &[u8]) -> Result<Self, LoadError> {
        let count = |shape: &[usize]| shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        let counts: Option<Vec<usize>> = header.parameters.iter().map(|parameter| count(&parameter.shape)).collect();
        let fixed = header.stage >= Stage::Quantize;
        let width = if fixed { 2 } else { 4 };
        let expected = counts.as_ref().and_then(|counts| {
            counts.iter().try_fold(0usize, |sum, &count| sum.checked_add(count.checked_mul(width)?))
        });
        let (Some(counts), true) = (counts, expected == Some(numbers.len())) else {
            return Err(fault("numbers", &format!("{expected:?} bytes"), format!("{} bytes", numbers.len())));
        };
        let graph = graph_of(&header.graph, &header.names)?;
        let mut taken = numbers;
        let mut take = |count: usize| {
            let (own, left) = taken.split_at(count * width);
            taken = left;
            own
        };
        let parameters = header.parameters.into_iter().zip(counts);
        let shapes: Vec<Vec<usize>>;
        let network = if fixed {
            let mut fixed = Vec::new();
            for (parameter, count) in parameters {
                let ParameterHeader { name, shape, codebook } = parameter;
                let codebook =
                    codebook.ok_or_else(|| fault("parameter", "a codebook", format!("none for '{name}'")))?;
                let symbols: Vec<i16> =
                    take(count).chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
                if let Some(symbol) = symbols.iter().find(|&&symbol| codebook.integer(symbol).is_none()) {
                    return Err(fault("symbols", "symbols of the codebook", format!("{symbol} in '{name}'")));
                }
                fixed.push(FixedParameter { name, shape, symbols, codebook });
            }
            shapes = fixed.iter().map(|parameter| parameter.shape.clone()).collect();
            let original_shapes = header.original_shapes.clone();
            StageNetwork::Fixed(FixedPoint { graph, parameters: fixed, original_shapes })
        } else {
            let parameters: Vec<Parameter> = parameters
                .map(|(parameter, count)| {
                    let values = take(count)
                        .chunks_exact(4)
                        .map(|quad| f32::from_le_bytes([quad[0], quad[1], quad[2], quad[3]]))
                        .collect();
                    let values = ArrayD::from_shape_vec(IxDyn(&parameter.shape), values).expect("counted above");
                    Parameter { name: parameter.name, values }
                })
                .collect();
            shapes = parameters.iter().map(|parameter| parameter.values.shape().to_vec()).collect();
            StageNetwork::Float(Model { graph, parameters })
        };
        match &network {
            StageNetwork::Float(model) => model.graph.shapes(&shapes)?,
            StageNetwork::Fixed(fixed) => fixed.graph.shapes(&shapes)?,
        };
        Ok(Checkpoint {
            recipe: header.recipe,
            stage: header.stage,
            network,
            original_shapes: header.original_shapes,
            stages: header.stages,
            probes: header.probes,
            caution: header.caution,
        })
    }
}

/// The most bytes that the nodes of a graph may take.
const GRAPH_CAP: u64 = 1 << 28;

/// A graph from its bytes and names.
fn graph_of(bytes: &[u8], names: &[String]) -> Result<Graph, LoadError> {
    let (mut graph, _) =
        read_graph(bytes, GRAPH_CAP).map_err(|error| fault("graph", "a graph as in a .nut file", error.to_string()))?;
    // Those of the outputs come last, if there are any.
    let split =
        names.split_first().and_then(|(input, names)| Some((input, names.split_at_checked(graph.nodes.len())?)));
    let fits = |outputs: &[String]| outputs.is_empty() || outputs.len() == graph.outputs().len();
    let Some((input, (nodes, outputs))) = split.filter(|(_, (_, outputs))| fits(outputs)) else {
        return Err(fault("names", &format!("{} of them", graph.nodes.len() + 1), names.len().to_string()));
    };
    graph.input_name.clone_from(input);
    graph.output_names = outputs.to_vec();
    graph.nodes.iter_mut().zip(nodes).for_each(|(node, name)| node.name.clone_from(name));
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets;
    use crate::pipeline::Effort;
    use crate::stages::quantize::quantize_uniform;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    fn checkpoints() -> [Checkpoint; 2] {
        let mut model = presets::lenet5([2, 3, 4, 10]);
        presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
        let original_shapes = model.parameter_shapes();
        let fixed = quantize_uniform(&model, 3, 1.0, original_shapes.clone());
        [(Stage::Prune, StageNetwork::Float(model)), (Stage::Refine, StageNetwork::Fixed(fixed))].map(
            |(stage, network)| {
                let (stages, probes) = (Vec::new(), Vec::new());
                let recipe = Recipe::new(Effort::Quick);
                let original_shapes = original_shapes.clone();
                Checkpoint { recipe, stage, network, original_shapes, stages, probes, caution: 0.25 }
            },
        )
    }

    #[test]
    fn what_is_written_is_read() {
        for checkpoint in checkpoints() {
            let bytes = checkpoint.to_bytes();
            assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), checkpoint);
            for length in 0..bytes.len() {
                assert!(Checkpoint::from_bytes(&bytes[..length]).is_err(), "{length} bytes were enough");
            }
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(position in any::<prop::sample::Index>(), byte in any::<u8>()) {
            for checkpoint in checkpoints() {
                let mut bytes = checkpoint.to_bytes();
                let position = position.index(bytes.len());
                bytes[position] = byte;
                let _ = Checkpoint::from_bytes(&bytes);
            }
        }
    }
}
