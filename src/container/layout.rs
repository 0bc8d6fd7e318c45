//! The layout of a `.nut` file. `docs/FORMAT.md` is the complete specification; this is its summary.
//!
//! | bytes | what |
//! |---|---|
//! | 2 | [`MAGIC`] |
//! | 1 | version (bits 5-7), topology (bits 1-4), whether sections follow (bit 0) |
//! | any | the sections, if there are any: their number, then each as tag, length, bytes; tags rise |
//! | any | the coded stream: widths, then each parameter's codebook and symbols, by the range coder of [`crate::coding`] |
//! | 4 | CRC-32 (that of zlib) of everything before it, little-endian |
//!
//! Numbers in sections are varints (LEB128: seven bits a byte, the lowest first, the top bit of a byte says that more
//! follow). A section with an odd tag changes what the weights mean, so that a reader that does not know it must refuse
//! the file; one with an even tag may be skipped.
//!
//! The topology tells the graph but not its widths, see [`Topology`](super::Topology); 0 means that a section holds the
//! graph, [`WEIGHTS`] that there is none: see [`packed`](super::packed).

/// The first bytes of every `.nut` file.
pub const MAGIC: [u8; 2] = *b"Nu";

/// The version that is written, and the only one that is read: version 0 was never published.
pub const VERSION: u8 = 1;

/// Bytes of the checksum at the end.
pub const CHECKSUM_BYTES: usize = 4;

/// Bytes before the sections: the magic, and one of version, topology and flag.
pub const HEAD_BYTES: usize = MAGIC.len() + 1;

/// The stored graph, present if and only if the topology is 0.
pub const GRAPH: u64 = 1;
/// Names of the input, the nodes and the parameters.
pub const NAMES: u64 = 2;
/// Scaling of the input, if it is not the unit scaling.
pub const SCALING: u64 = 3;
/// Formats of activations.
pub const ACTIVATIONS: u64 = 4;
/// The tensors of a file without a graph, present if and only if the topology is [`WEIGHTS`].
pub const TENSORS: u64 = 5;
/// The names of such tensors, and what they were made from.
pub const ORIGIN: u64 = 6;
/// Parameters that are coded by tables: the lengths of their streams, which follow the coded stream.
pub const APART: u64 = 7;
/// Names of the inputs and outputs, if they are not made up.
pub const ENDS: u64 = 8;
/// What the symbols of each parameter are multiplied by, if that is not always 1.
pub const FACTORS: u64 = 9;

/// The topology of a file without a graph.
pub const WEIGHTS: u8 = 15;
