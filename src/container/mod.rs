//! The `.nut` file: a complete network in fixed point, as small as it gets.
//!
//! [`layout`] describes the bytes, and `docs/FORMAT.md` specifies them in full.

use crate::model::{ActivationFormat, FixedPoint, Scaling};

mod apart;
mod attributes;
mod bytes;
mod graph;
pub mod layout;
pub mod packed;
mod read;
mod sections;
mod topology;
mod write;

pub(crate) use graph::{read as read_graph, write as write_graph};
pub use packed::Packed;
pub use read::read;
pub use topology::Topology;
pub use write::{Encoded, Items, WriteOptions, write};

/// What a `.nut` file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Nut {
    /// Size of the file.
    pub bytes: usize,
    /// The network.
    pub network: FixedPoint,
    /// How its graph is told.
    pub topology: Topology,
    /// Whether the names are the original's; otherwise they are made up.
    pub named: bool,
    /// How bytes of an image become what the network reads.
    pub scaling: Scaling,
    /// Format of each value of the graph, by [`ValueId`](crate::model::ValueId), if the file gives any.
    pub activations: Option<Vec<ActivationFormat>>,
}

impl Nut {
    /// The options by which the file is written as it was.
    pub fn write_options(&self) -> WriteOptions {
        WriteOptions {
            names: self.named,
            stored_graph: self.topology == Topology::Stored,
            scaling: self.scaling.clone(),
            activations: self.activations.clone(),
        }
    }
}
