//! ONNX (<https://onnx.ai>): operator sets 6 to 28 are read, 13 or newer is written.
//!
//! Reading parses the messages into an import graph, which `formats/import` maps to a model. The weights of any file are taken out of it and
//! put back by copying its fields, whether its graph is understood or not.

mod build;
mod external;
mod forms;
mod functions;
mod read;
mod schema;
mod weights;
mod wire;
mod write;

pub use external::{embed, external_files};
pub use forms::Form;
pub use read::{model, read};
pub use weights::{Kept, fill, weights};
pub use write::{apart, write};

use super::foreign::is_message_of;
use super::{Opened, Reader};
use crate::error::LoadError;

const FORMAT: &str = "ONNX";

/// Files of ONNX.
pub const READER: Reader = Reader {
    name: "onnx",
    title: "ONNX",
    sniff: is_onnx,
    read: |bytes, cap| Ok(Opened::new("onnx", weights(bytes, cap)?)),
    graph: Some(model),
    model: Some(read),
};

/// Whether these look like the first bytes of an ONNX file: a message that starts with a small version of the format
/// (`ir_version`), and goes on with another field of `ModelProto`.
fn is_onnx(bytes: &[u8]) -> bool {
    // The tags of producer_name, producer_version, domain, model_version, doc_string, graph, opset_import.
    matches!(bytes, [0x08, 1..=0x1f, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..])
        && !is_message_of(bytes, |_| true)
}

fn malformed(place: impl Into<String>, expected: &str, got: String) -> LoadError {
    LoadError::Malformed { format: FORMAT, place: place.into(), expected: expected.to_owned(), got }
}

fn unsupported(place: impl Into<String>, feature: impl Into<String>, supported: &str) -> LoadError {
    LoadError::Unsupported {
        format: FORMAT,
        place: place.into(),
        feature: feature.into(),
        supported: supported.to_owned(),
    }
}
