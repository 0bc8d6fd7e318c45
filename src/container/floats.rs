//! A network in 32-bit floats as bytes: how the module that reads other programs' files hands a network to the one that runs it.
//!
//! Not a format to keep: a build reads what the same build wrote. Magic, size of the file that the network came from, graph and names as in a
//! `.nut` file, each with its length, then the numbers of all parameters, little-endian.

use super::bytes::{Reader, put_varint};
use super::graph;
use super::sections::{read_names, write_names};
use crate::error::DecodeError;
use crate::model::{Model, Parameter};
use ndarray::{ArrayD, IxDyn};

/// The first bytes.
pub const MAGIC: [u8; 8] = *b"NUTFLOAT";

/// A network, and the size in bytes of the file that it came from.
///
/// # Errors
/// [`GraphError`](crate::error::GraphError) where the shapes do not fit.
pub fn write(model: &Model, file_bytes: usize) -> Result<Vec<u8>, crate::error::GraphError> {
    let shapes = model.parameter_shapes();
    model.graph.shapes(&shapes)?;
    let mut bytes = MAGIC.to_vec();
    put_varint(&mut bytes, file_bytes as u64);
    let names = write_names(&model.graph, model.parameters.iter().map(|parameter| parameter.name.as_str()));
    for part in [graph::write(&model.graph, &shapes), names] {
        put_varint(&mut bytes, part.len() as u64);
        bytes.extend(part);
    }
    bytes.reserve_exact(model.parameter_bytes());
    for parameter in &model.parameters {
        bytes.extend(parameter.values.iter().flat_map(|value| value.to_le_bytes()));
    }
    Ok(bytes)
}

/// Reads what [`write`] wrote: the network, and the size in bytes of the file that it came from.
///
/// # Errors
/// [`DecodeError`], whatever the bytes are.
pub fn read(bytes: &[u8], cap_bytes: u64) -> Result<(Model, usize), DecodeError> {
    const PLACE: &str = "network in floats";
    let Some(rest) = bytes.strip_prefix(&MAGIC) else {
        let got = bytes[..bytes.len().min(MAGIC.len())].to_vec();
        return Err(DecodeError::Magic { expected: MAGIC.to_vec(), got });
    };
    let mut reader = Reader::new(PLACE, rest);
    let file_bytes = reader.size(usize::MAX)?;
    let mut part = || {
        let length = reader.size(reader.len())?;
        reader.take(length)
    };
    let (stored, names) = (part()?, part()?);
    let (mut graph, shapes) = graph::read(stored, cap_bytes)?;
    let names = read_names(names, &mut graph, shapes.len())?;
    let mut parameters = Vec::with_capacity(shapes.len());
    for (name, shape) in names.into_iter().zip(&shapes) {
        let count = shape.iter().try_fold(4usize, |product, &side| product.checked_mul(side));
        // What is there bounds what is allocated.
        let taken = reader.take(count.unwrap_or(usize::MAX))?;
        let values = taken.as_chunks::<4>().0.iter().map(|&quad| f32::from_le_bytes(quad)).collect();
        let values = ArrayD::from_shape_vec(IxDyn(shape), values)
            .map_err(|error| reader.malformed("the numbers of a parameter", error))?;
        parameters.push(Parameter { name, values });
    }
    reader.finish()?;
    graph.shapes(&shapes)?;
    Ok((Model { graph, parameters }, file_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    fn model() -> Model {
        let mut model = presets::lenet5([2, 3, 4, 10]);
        presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
        model.graph.nodes[0].name = "first".into();
        model
    }

    #[test]
    fn comes_back_with_its_names() {
        let bytes = write(&model(), 12_345).unwrap();
        assert_eq!(read(&bytes, 1 << 20), Ok((model(), 12_345)));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = write(&model(), 12_345).unwrap();
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], 1 << 20).is_err(), "{length}");
        }
        assert!(read(&[bytes.as_slice(), b"\0"].concat(), 1 << 20).is_err());
    }
}
