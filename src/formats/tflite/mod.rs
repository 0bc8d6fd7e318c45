//! TensorFlow Lite: the weights of any model, and the graph where it is made of operators that are known.
//!
//! The numbers of fields and operators are those of TensorFlow's `schema.fbs`. The graph is translated to an import graph, in
//! whose operators images have their channels first; in TFLite they have them last.

mod graph;
mod layers;
mod layout;
mod moves;
mod names;
mod operands;
mod operators;
mod skeleton;
mod table;
mod translate;
mod weights;

pub use weights::{read, write};

use super::{Opened, Reader, cursor, import};
use crate::error::LoadError;
use crate::model::{Model, Network};

const FORMAT: &str = "TFLite";

/// Files of TensorFlow Lite.
pub const READER: Reader = Reader {
    name: "tflite",
    title: "TFLite",
    sniff: is_tflite,
    read: |bytes, cap| Ok(Opened::new("tflite", read(bytes, cap)?)),
    graph: Some(model),
    model: None,
};

/// Whether these look like the first bytes of such a file: the identifier follows the offset of the root table.
fn is_tflite(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(b"TFL3")
}

/// The network that the weights of a file make with its graph, which is in their origin. `cap` is the most bytes that it may take.
///
/// # Errors
/// [`LoadError`] names the operator or tensor that breaks a rule or is not supported.
pub fn model(weights: &Network, cap: u64) -> Result<Model, LoadError> {
    let file = skeleton::whole(weights)?;
    let graph = graph::Graph::read(&file, &weights.tensors)?;
    import::model(&translate::translate(&graph, cap)?, cap)
}

fn malformed(place: impl ToString, expected: impl ToString, got: impl ToString) -> LoadError {
    cursor::malformed(FORMAT, place, expected, got)
}

fn unsupported(place: impl ToString, feature: impl ToString, supported: &str) -> LoadError {
    cursor::unsupported(FORMAT, place, feature, supported)
}
