//! `.nut` files: a network with its graph in fixed point, or the named tensors of a file of another format.

use super::{Opened, Reader};
use crate::container::packed::{self, Packed};
use crate::container::{self, Items, layout};
use crate::error::Error;
use crate::model::expand::expand;
use crate::model::{FixedPoint, Network, Steps, Tensor};

/// `.nut` files.
pub const READER: Reader = Reader {
    name: "nut",
    title: ".nut",
    sniff: |bytes| bytes.starts_with(&layout::MAGIC),
    read: |bytes, cap| read(bytes, cap, None),
    // It comes with the tensors.
    graph: None,
    model: None,
};

/// What only a `.nut` file has.
#[derive(Debug, Clone, PartialEq)]
pub enum Nut {
    /// Of a network with its graph: the network in fixed point.
    Network(Box<container::Nut>),
    /// Of named tensors: where the bytes of the file go.
    Tensors(Items),
}

/// Reads a file. With `tell`, named tensors are decoded one after the other, and it hears after each what share of the elements is decoded.
///
/// # Errors
/// [`Error::Decode`], whatever the bytes are.
pub fn read(bytes: &[u8], cap: u64, tell: Option<&mut dyn FnMut(f64)>) -> Result<Opened, Error> {
    if packed::is_packed(bytes) {
        let packed = match tell {
            Some(tell) => packed::read_telling(bytes, cap, tell)?,
            None => packed::read(bytes, cap)?,
        };
        let tensors = packed.to_tensors();
        let Packed { origin, items, .. } = packed;
        return Ok(Opened { nut: Some(Nut::Tensors(items)), ..Opened::new("nut", Network::new(tensors, origin)) });
    }
    let nut = container::read(bytes, cap)?;
    let model = nut.network.to_model();
    let original = Network::of_model(expand(&model, &nut.network.original_shapes)?);
    let network = Network { tensors: stepped(original.tensors, &nut.network), model: Some(model), ..original };
    Ok(Opened { nut: Some(Nut::Network(Box::new(nut))), ..Opened::new("nut", network) })
}

/// A network in its compact shapes, without the hidden units that were removed.
pub fn compact(network: &FixedPoint) -> Network {
    let made = Network::of_model(network.to_model());
    Network { tensors: stepped(made.tensors, network), ..made }
}

/// Tensors with the steps that their elements are multiples of.
fn stepped(tensors: Vec<Tensor>, network: &FixedPoint) -> Vec<Tensor> {
    let steps = network.parameters.iter().map(|parameter| parameter.codebook.step());
    tensors.into_iter().zip(steps).map(|(tensor, step)| Tensor { steps: Some(Steps::whole(step)), ..tensor }).collect()
}
