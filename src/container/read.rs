//! Reading a `.nut` file.

use super::apart::Job;
use super::bytes::Reader;
use super::layout::{
    ACTIVATIONS, APART, CHECKSUM_BYTES, ENDS, FACTORS, GRAPH, MAGIC, NAMES, ORIGIN, SCALING, TENSORS, VERSION,
};
use super::sections::{read_activations, read_ends, read_names, read_scaling};
use super::topology::Topology;
use super::{Nut, apart, graph};
use crate::coding::codebook::bounds;
use crate::coding::layout::{Layout, layouts};
use crate::coding::range::Decoder;
use crate::coding::{ParameterModel, shapes};
use crate::error::DecodeError;
use crate::model::{Codebook, FixedParameter, FixedPoint, Scaling};
use crc32fast::hash as crc32;

/// Reads a file. The network, in its original shapes and as 32-bit floats, must not exceed `cap_bytes`; reading takes
/// at most six times that much memory, and time in proportion to the length of the file and to the symbols of parameters that are
/// coded by tables, which the cap bounds: of the models no decision is so probable that a byte could hold more than 363,408 of them.
///
/// # Errors
/// [`DecodeError`], whatever the bytes are.
pub fn read(bytes: &[u8], cap_bytes: u64) -> Result<Nut, DecodeError> {
    let (body, head) = split(bytes)?;
    let mut reader = Reader::new("sections", body);
    let sections = if head & 1 != 0 { read_sections(&mut reader)? } else { Vec::new() };
    let section = |tag: u64| sections.iter().find(|(found, _)| *found == tag).map(|&(_, body)| body);
    if section(TENSORS).is_some() {
        return Err(malformed("section tag", "none of named weights beside a graph", TENSORS));
    }
    let number = head >> 1 & 0x0f;
    let topology =
        Topology::of_number(number).ok_or_else(|| malformed("topology", "the number of a known graph", number))?;

    let mut payload = reader.take(reader.len())?;
    let streams = section(APART).map(|body| apart::split(body, &mut payload)).transpose()?;
    let mut decoder = Decoder::new(payload);
    let (mut graph, parameter_names, shapes, original_shapes) = match (topology.smallest(), section(GRAPH)) {
        (Some(model), None) => {
            let standard = topology.standard_widths();
            let (originals, widths) = shapes::code_widths(&mut decoder, standard, standard, standard);
            let names = model.parameters.into_iter().map(|parameter| parameter.name).collect();
            let (shapes, originals) = (topology.parameter_shapes(&widths), topology.parameter_shapes(&originals));
            (model.graph, names, shapes, originals)
        }
        (None, Some(body)) => {
            let (graph, shapes) = graph::read(body, cap_bytes)?;
            let names = graph::parameter_names(&graph, shapes.len());
            let originals = shapes::code_originals(&mut decoder, &shapes, &shapes);
            (graph, names, shapes, originals)
        }
        (known, _) => {
            let expected = if known.is_some() { "none for a known topology" } else { "one for topology 0" };
            return Err(malformed("graph section", expected, if known.is_some() { "one" } else { "none" }));
        }
    };
    check_size(&original_shapes, cap_bytes)?;
    check_size(&shapes, cap_bytes)?;
    let parameter_names = match section(NAMES) {
        Some(body) => read_names(body, &mut graph, shapes.len())?,
        None => parameter_names,
    };
    if let Some(body) = section(ENDS) {
        read_ends(body, &mut graph)?;
    }
    let value_shapes = graph.shapes(&shapes)?;
    let scaling = section(SCALING).map_or(Ok(Scaling::Unit), read_scaling)?;
    let activations = section(ACTIVATIONS).map(|body| read_activations(body, graph.nodes.len() + 1)).transpose()?;
    let streams = streams.unwrap_or_else(|| vec![None; shapes.len()]);
    apart::check(&streams, shapes.len())?;
    let layouts = layouts(&graph, &shapes, &value_shapes);
    let mut parameters = read_parameters(&mut decoder, shapes, &layouts, &streams, parameter_names)?;
    if !decoder.complete() {
        return Err(malformed("coded stream", "its end with the last parameter", "more bytes"));
    }
    read_apart(&mut parameters, &layouts, &streams)?;
    if let Some(body) = section(FACTORS) {
        read_factors(&mut parameters, body)?;
    }
    let network = FixedPoint { graph, parameters, original_shapes };
    Ok(Nut { bytes: bytes.len(), network, topology, named: section(NAMES).is_some(), scaling, activations })
}

/// Checks magic, version and checksum; returns what lies between head and checksum, and the byte of the head.
pub(super) fn split(bytes: &[u8]) -> Result<(&[u8], u8), DecodeError> {
    if !bytes.starts_with(&MAGIC) {
        let got = bytes[..bytes.len().min(MAGIC.len())].to_vec();
        return Err(DecodeError::Magic { expected: MAGIC.to_vec(), got });
    }
    let mut reader = Reader::new("head", &bytes[MAGIC.len()..]);
    let head = reader.byte()?;
    if head >> 5 > VERSION {
        return Err(DecodeError::Version { supported: VERSION, got: head >> 5 });
    }
    if head >> 5 < VERSION {
        return Err(malformed("version", VERSION, head >> 5));
    }
    let rest = reader.len();
    let Some(body) = rest.checked_sub(CHECKSUM_BYTES) else {
        return Err(DecodeError::Truncated { place: "checksum", expected: CHECKSUM_BYTES, got: rest });
    };
    let body = reader.take(body)?;
    let stored = u32::from_le_bytes(reader.take(CHECKSUM_BYTES)?.try_into().unwrap_or_default());
    let computed = crc32(&bytes[..bytes.len() - CHECKSUM_BYTES]);
    if stored != computed {
        return Err(DecodeError::Checksum { stored, computed });
    }
    Ok((body, head))
}

/// The sections that this version knows.
pub(super) fn read_sections<'a>(reader: &mut Reader<'a>) -> Result<Vec<(u64, &'a [u8])>, DecodeError> {
    // Each takes two bytes at least.
    let count = reader.size(reader.len() / 2)?;
    let mut sections = Vec::new();
    let mut last = 0;
    for _ in 0..count {
        let tag = reader.varint()?;
        if tag <= last {
            return Err(malformed("section tag", format!("a tag above {last}"), tag));
        }
        last = tag;
        let length = reader.size(reader.len())?;
        let body = reader.take(length)?;
        match tag {
            GRAPH | NAMES | SCALING | ACTIVATIONS | TENSORS | ORIGIN | APART | ENDS | FACTORS => {
                sections.push((tag, body));
            }
            _ if tag % 2 == 0 => {}
            _ => return Err(malformed("section tag", "1, 3, 5, 7 or 9, or an even one", tag)),
        }
    }
    Ok(sections)
}

fn check_size(shapes: &[Vec<usize>], cap_bytes: u64) -> Result<(), DecodeError> {
    if let Some(shape) = shapes.iter().find(|shape| shape.contains(&0)) {
        return Err(malformed("shape of a parameter", "sides of at least 1", format!("{shape:?}")));
    }
    let count = shapes::weight_count(shapes).unwrap_or(u64::MAX);
    let bytes = count.saturating_mul(4);
    let cap = cap_bytes.min(4 * shapes::MOST_WEIGHTS);
    if bytes > cap { Err(DecodeError::TooLarge { place: "parameters", bytes, cap }) } else { Ok(()) }
}

/// Reads the coded stream: of each parameter the codebook, and the symbols unless they are coded apart.
fn read_parameters(
    decoder: &mut Decoder,
    shapes: Vec<Vec<usize>>,
    layouts: &[Layout],
    streams: &[Option<&[u8]>],
    names: Vec<String>,
) -> Result<Vec<FixedParameter>, DecodeError> {
    let mut model = ParameterModel::default();
    let mut parameters = Vec::with_capacity(shapes.len());
    for (((shape, layout), stream), name) in shapes.into_iter().zip(layouts).zip(streams).zip(names) {
        let (codebook, symbols) = match stream {
            None => model.decode(decoder, layout)?,
            Some(_) => (model.decode_codebook(decoder, layout)?, Vec::new()),
        };
        parameters.push(FixedParameter { name, shape, symbols, codebook });
    }
    Ok(parameters)
}

/// Reads the symbols that are coded apart.
fn read_apart(
    parameters: &mut [FixedParameter],
    layouts: &[Layout],
    streams: &[Option<&[u8]>],
) -> Result<(), DecodeError> {
    let all = parameters.iter_mut().zip(layouts).zip(streams);
    let (mut jobs, mut places) = (Vec::new(), Vec::new());
    for ((parameter, &layout), stream) in all {
        if let Some(stream) = *stream {
            jobs.push(Job { stream, layout, bounds: bounds(&parameter.codebook), symbols: Ok(Vec::new()) });
            places.push(parameter);
        }
    }
    apart::read(&mut jobs);
    places.into_iter().zip(jobs).try_for_each(|(parameter, job)| job.symbols.map(|symbols| parameter.symbols = symbols))
}

/// Puts the factors of uniform codebooks into them.
fn read_factors(parameters: &mut [FixedParameter], body: &[u8]) -> Result<(), DecodeError> {
    if body.len() != parameters.len() {
        return Err(malformed("factors", format!("one for each of {} parameters", parameters.len()), body.len()));
    }
    for (parameter, &read) in parameters.iter_mut().zip(body) {
        match &mut parameter.codebook {
            Codebook::Uniform { factor, .. } if read > 0 => *factor = read,
            Codebook::Free { .. } if read == 1 => {}
            Codebook::Uniform { .. } => return Err(malformed("factors", "at least 1", read)),
            Codebook::Free { .. } => return Err(malformed("factors", "1 for a parameter with centroids", read)),
        }
    }
    Ok(())
}

fn malformed(place: &'static str, expected: impl ToString, got: impl ToString) -> DecodeError {
    DecodeError::Malformed { place, expected: expected.to_string(), got: got.to_string() }
}
