//! Writing a `.nut` file.

use super::apart::Apart;
use super::layout::{ACTIVATIONS, APART, CHECKSUM_BYTES, ENDS, FACTORS, GRAPH, MAGIC, NAMES, SCALING, VERSION};
use super::sections::{write_activations, write_ends, write_names, write_scaling};
use super::topology::Topology;
use super::{apart, bytes::put_varint, graph};
use crate::coding::codebook::{LEAST_FRACTION_BITS, bounds, most_centroids};
use crate::coding::layout::{Layout, layouts};
use crate::coding::range::{Encoder, Kind};
use crate::coding::{ParameterBits, ParameterModel, shapes};
use crate::error::EncodeError;
use crate::model::{ActivationFormat, Codebook, FixedParameter, FixedPoint, Scaling};
use crc32fast::hash as crc32;

/// What goes into the file beside the network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteOptions {
    /// Keep the names of the input, the nodes and the parameters.
    pub names: bool,
    /// Store the graph even if it is one that has a number.
    pub stored_graph: bool,
    /// How bytes of an image become what the network reads.
    pub scaling: Scaling,
    /// Format of each value of the graph, the input first.
    pub activations: Option<Vec<ActivationFormat>>,
}

/// A `.nut` file, and where its bytes went.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The file.
    pub bytes: Vec<u8>,
    /// What each part of it takes.
    pub items: Items,
}

/// What each part of a file takes. The bits of the coded stream are fractions: it is rounded up to bytes once, at its end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Items {
    /// Magic, version, topology, and the number of sections, in bytes.
    pub head_bytes: usize,
    /// Each section with its tag and length, in bytes.
    pub sections: Vec<(&'static str, usize)>,
    /// Widths and original widths, in bits.
    pub width_bits: f64,
    /// Each parameter or tensor by its name, in bits; none of a file that was read.
    pub parameters: Vec<(String, ParameterBits)>,
    /// Coded stream (widths and parameters), in bytes.
    pub payload_bytes: usize,
    /// Checksum, in bytes.
    pub checksum_bytes: usize,
}

/// Writes a network.
///
/// # Errors
/// [`EncodeError`] if the network breaks an invariant of its types, or its shapes do not fit.
pub fn write(network: &FixedPoint, options: &WriteOptions) -> Result<Encoded, EncodeError> {
    let shapes: Vec<Vec<usize>> = network.parameters.iter().map(|parameter| parameter.shape.clone()).collect();
    let value_shapes = network.graph.shapes(&shapes)?;
    check(network, options)?;
    let mut topology = Topology::of_graph(&network.graph, &shapes);
    if options.stored_graph || topology.widths(&network.original_shapes).is_none() {
        topology = Topology::Stored;
    }
    let mut sections = Vec::new();
    if topology == Topology::Stored {
        sections.push(("graph", GRAPH, graph::write(&network.graph, &shapes)));
    }
    if options.names {
        let parameters = network.parameters.iter().map(|parameter| parameter.name.as_str());
        sections.push(("names", NAMES, write_names(&network.graph, parameters)));
    }
    if let Some(scaling) = write_scaling(&options.scaling) {
        sections.push(("input scaling", SCALING, scaling));
    }
    if let Some(formats) = &options.activations {
        sections.push(("activation formats", ACTIVATIONS, write_activations(formats)));
    }
    let layouts = layouts(&network.graph, &shapes, &value_shapes);
    let parts = network.parameters.iter().zip(&layouts);
    let parts = parts.map(|(own, layout)| (own.symbols.as_slice(), *layout, bounds(&own.codebook)));
    let apart = apart::code(&parts.collect::<Vec<_>>());
    if let Some(lengths) = apart::lengths(&apart) {
        sections.push(("lengths of streams", APART, lengths));
    }
    if let Some(ends) = write_ends(&network.graph, options.names) {
        sections.push(("names of inputs and outputs", ENDS, ends));
    }
    let factors: Vec<u8> = network.parameters.iter().map(|parameter| parameter.codebook.factor()).collect();
    if factors.iter().any(|&factor| factor != 1) {
        sections.push(("factors", FACTORS, factors));
    }

    let mut encoder = Encoder::default();
    match (topology.widths(&shapes), topology.widths(&network.original_shapes)) {
        (Some(widths), Some(originals)) => {
            shapes::code_widths(&mut encoder, topology.standard_widths(), &originals, &widths);
        }
        _ => {
            shapes::code_originals(&mut encoder, &shapes, &network.original_shapes);
        }
    }
    let width_bits = encoder.bits()[Kind::Head as usize];
    let mut model = ParameterModel::default();
    let code = |((parameter, layout), apart): ((&FixedParameter, &Layout), &Apart)| {
        let bits = match apart {
            None => model.encode(&mut encoder, layout, parameter),
            Some((_, symbols)) => model.encode_codebook(&mut encoder, layout, &parameter.codebook).and(symbols),
        };
        (parameter.name.clone(), bits)
    };
    let parameters = network.parameters.iter().zip(&layouts).zip(&apart).map(code).collect();
    let mut bytes = encoder.finish();
    apart.into_iter().flatten().for_each(|(stream, _)| bytes.extend(stream));
    let payload = Payload { bytes, width_bits, parameters };
    Ok(assemble(topology.number(), sections, payload))
}

/// The coded stream of a file, and what was spent in it, in bits.
pub(super) struct Payload {
    pub bytes: Vec<u8>,
    pub width_bits: f64,
    pub parameters: Vec<(String, ParameterBits)>,
}

/// Puts a file together: the head, the sections (each with its name and tag), the coded stream, the checksum.
pub(super) fn assemble(topology: u8, sections: Vec<(&'static str, u64, Vec<u8>)>, payload: Payload) -> Encoded {
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION << 5 | topology << 1 | u8::from(!sections.is_empty()));
    if !sections.is_empty() {
        put_varint(&mut bytes, sections.len() as u64);
    }
    let head_bytes = bytes.len();
    let put_section = |(name, tag, body): (&'static str, u64, Vec<u8>)| {
        let before = bytes.len();
        put_varint(&mut bytes, tag);
        put_varint(&mut bytes, body.len() as u64);
        bytes.extend(body);
        (name, bytes.len() - before)
    };
    let sections = sections.into_iter().map(put_section).collect();
    let Payload { bytes: coded, width_bits, parameters } = payload;
    let payload_bytes = coded.len();
    bytes.extend(coded);
    let checksum = crc32(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    let items = Items { head_bytes, sections, width_bits, parameters, payload_bytes, checksum_bytes: CHECKSUM_BYTES };
    Encoded { bytes, items }
}

/// Checks the invariants of a network's types.
fn check(network: &FixedPoint, options: &WriteOptions) -> Result<(), EncodeError> {
    if network.original_shapes.len() != network.parameters.len() {
        let expected = format!("one for each of {} parameters", network.parameters.len());
        return Err(invalid("original shapes", expected, network.original_shapes.len()));
    }
    for (parameter, original) in network.parameters.iter().zip(&network.original_shapes) {
        check_parameter(parameter)?;
        let grown = original.len() == parameter.shape.len()
            && original.iter().zip(&parameter.shape).all(|(original, side)| original >= side);
        if !grown {
            let expected = format!("an original shape of at least {:?} on every axis", parameter.shape);
            return Err(invalid(&parameter.name, expected, format!("{original:?}")));
        }
    }
    shapes::weight_count(&network.original_shapes)
        .filter(|&count| count <= shapes::MOST_WEIGHTS)
        .ok_or_else(|| invalid("original shapes", format!("at most {} weights", shapes::MOST_WEIGHTS), "more"))?;
    if !options.scaling.is_sound() {
        let got = format!("{:?}", options.scaling);
        return Err(invalid("input scaling", "finite means, and deviations above 0", got));
    }
    let values = network.graph.nodes.len() + 1;
    if let Some(formats) = &options.activations
        && formats.len() != values
    {
        return Err(invalid("activation formats", format!("one for each of {values} values"), formats.len()));
    }
    Ok(())
}

fn check_parameter(parameter: &FixedParameter) -> Result<(), EncodeError> {
    if parameter.shape.contains(&0) {
        return Err(invalid(&parameter.name, "sides of at least 1", format!("{:?}", parameter.shape)));
    }
    if parameter.codebook.fraction_bits() < LEAST_FRACTION_BITS {
        let expected = format!("fraction bits of {LEAST_FRACTION_BITS} or more");
        return Err(invalid(&parameter.name, expected, parameter.codebook.fraction_bits()));
    }
    if parameter.codebook.factor() == 0 {
        return Err(invalid(&parameter.name, "a factor of at least 1", 0));
    }
    let count = parameter.shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    if count != Some(parameter.symbols.len()) {
        let expected = format!("as many symbols as the shape {:?} has positions", parameter.shape);
        return Err(invalid(&parameter.name, expected, parameter.symbols.len()));
    }
    if let Codebook::Free { positive, negative, .. } = &parameter.codebook {
        for side in [positive, negative] {
            let rising = side.first() != Some(&0) && side.windows(2).all(|pair| pair[0] < pair[1]);
            let most = most_centroids(parameter.symbols.len());
            if side.len() > most {
                return Err(invalid(&parameter.name, format!("at most {most} centroids of one sign"), side.len()));
            }
            if !rising {
                return Err(invalid(&parameter.name, "centroids that rise from 1 on", format!("{side:?}")));
            }
        }
    }
    match parameter.symbols.iter().find(|&&symbol| parameter.codebook.integer(symbol).is_none()) {
        Some(symbol) => Err(invalid(&parameter.name, "symbols that the codebook knows", symbol)),
        None => Ok(()),
    }
}

fn invalid(place: &str, expected: impl ToString, got: impl ToString) -> EncodeError {
    EncodeError::Invalid { place: place.to_owned(), expected: expected.to_string(), got: got.to_string() }
}
