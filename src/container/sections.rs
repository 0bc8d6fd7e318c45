//! The sections but for the graph: names, input scaling, formats of activations.

use super::bytes::{Reader, put_varint};
use crate::error::DecodeError;
use crate::model::{ActivationFormat, Graph, Op, Scaling};

/// Names of the input, the nodes and the parameters, each as length and UTF-8.
pub fn write_names<'a>(graph: &'a Graph, parameters: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let nodes = graph.nodes.iter().map(|node| node.name.as_str());
    for name in [graph.input_name.as_str()].into_iter().chain(nodes).chain(parameters) {
        put_name(&mut bytes, name);
    }
    bytes
}

/// Names of the inputs, and of the outputs if they are not made up; nothing if a reader makes up the same. `named` says that the names of nodes
/// are stored anyway.
pub fn write_ends(graph: &Graph, named: bool) -> Option<Vec<u8>> {
    let inputs = graph.input_names();
    if graph.output_names.is_empty() && (named || inputs == ["input"]) {
        return None;
    }
    let mut bytes = Vec::new();
    inputs.into_iter().chain(graph.output_names.iter().map(String::as_str)).for_each(|name| put_name(&mut bytes, name));
    Some(bytes)
}

/// Puts stored names of inputs and outputs into a graph.
pub fn read_ends(bytes: &[u8], graph: &mut Graph) -> Result<(), DecodeError> {
    let mut reader = Reader::new("names of inputs and outputs", bytes);
    let parts = graph.input_names().len();
    let inputs = (0..parts).map(|_| read_name(&mut reader)).collect::<Result<Vec<String>, _>>()?;
    while reader.len() > 0 {
        graph.output_names.push(read_name(&mut reader)?);
    }
    let (expected, got) = (graph.outputs().len(), graph.output_names.len());
    if got > 0 && got != expected {
        return Err(reader.malformed(format!("{expected} outputs"), got));
    }
    graph.input_name.clone_from(&inputs[0]);
    let nodes = graph.nodes.iter_mut().filter(|node| matches!(node.op, Op::Input(_)));
    nodes.zip(inputs).for_each(|(node, name)| node.name = name);
    Ok(())
}

/// Appends a name: its length, and UTF-8.
pub fn put_name(bytes: &mut Vec<u8>, name: &str) {
    put_varint(bytes, name.len() as u64);
    bytes.extend_from_slice(name.as_bytes());
}

/// Puts stored names into a graph; returns those of its parameters.
pub fn read_names(bytes: &[u8], graph: &mut Graph, parameters: usize) -> Result<Vec<String>, DecodeError> {
    let mut reader = Reader::new("names", bytes);
    graph.input_name = read_name(&mut reader)?;
    for node in &mut graph.nodes {
        node.name = read_name(&mut reader)?;
    }
    let names = (0..parameters).map(|_| read_name(&mut reader)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(names)
}

/// The next name.
pub fn read_name(reader: &mut Reader) -> Result<String, DecodeError> {
    let length = reader.size(reader.len())?;
    let bytes = reader.take(length)?.to_vec();
    String::from_utf8(bytes).map_err(|error| reader.malformed("UTF-8", error))
}

/// A kind, and for a standardising scaling each mean with its deviation as 32-bit floats. Nothing for the unit scaling.
pub fn write_scaling(scaling: &Scaling) -> Option<Vec<u8>> {
    match scaling {
        Scaling::Unit => None,
        Scaling::Standardised { mean, deviation } => {
            let mut bytes = vec![1];
            bytes.extend_from_slice(&mean.to_le_bytes());
            bytes.extend_from_slice(&deviation.to_le_bytes());
            Some(bytes)
        }
        Scaling::PerChannel { means, deviations } => {
            let pairs = means.iter().zip(deviations).flat_map(|(mean, deviation)| [mean, deviation]);
            Some([3].into_iter().chain(pairs.flat_map(|number| number.to_le_bytes())).collect())
        }
        Scaling::Raw => Some(vec![2]),
    }
}

/// The scaling of a section.
pub fn read_scaling(bytes: &[u8]) -> Result<Scaling, DecodeError> {
    let mut reader = Reader::new("input scaling", bytes);
    let scaling = match reader.byte()? {
        1 => Scaling::Standardised { mean: float(&mut reader)?, deviation: float(&mut reader)? },
        2 => Scaling::Raw,
        3 => {
            let (mut means, mut deviations) = (Vec::new(), Vec::new());
            while reader.len() > 0 {
                means.push(float(&mut reader)?);
                deviations.push(float(&mut reader)?);
            }
            Scaling::PerChannel { means, deviations }
        }
        other => return Err(reader.malformed("1 to 3", other)),
    };
    if !scaling.is_sound() {
        return Err(reader.malformed("finite means, and deviations above 0", format!("{scaling:?}")));
    }
    reader.finish()?;
    Ok(scaling)
}

fn float(reader: &mut Reader) -> Result<f32, DecodeError> {
    Ok(f32::from_le_bytes(reader.take(4)?.try_into().unwrap_or_default()))
}

/// Two bytes for each value of the graph: its width, and its fraction bits.
pub fn write_activations(formats: &[ActivationFormat]) -> Vec<u8> {
    formats.iter().flat_map(|format| [format.bits, format.fraction_bits as u8]).collect()
}

/// The formats of a graph's `values` values.
pub fn read_activations(bytes: &[u8], values: usize) -> Result<Vec<ActivationFormat>, DecodeError> {
    let mut reader = Reader::new("activation formats", bytes);
    let formats = (0..values)
        .map(|_| Ok(ActivationFormat { bits: reader.byte()?, fraction_bits: reader.byte()? as i8 }))
        .collect::<Result<_, DecodeError>>()?;
    reader.finish()?;
    Ok(formats)
}
