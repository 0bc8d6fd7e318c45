//! Nutshell puts a neural network in a nutshell: as small, or as fast, as it can be inside an accuracy tolerance.
//!
//! ```text
//! bytes -> formats -> Model -> structure -> Compact -> prune -> Pruned -> share -> Shared
//!       -> quantize -> FixedPoint -> refine -> FixedPoint -> code -> .nut bytes
//! .nut bytes -> container -> FixedPoint -> Model -> run | export
//! ```
//!
//! The method is that of Frickenstein, Unger and Stechele, "Resource-aware optimization of DNNs for embedded
//! applications", CRV 2019. Only the paper's abstract is public: the details here are our own.

pub mod bench;
pub mod coding;
pub mod container;
pub mod data;
pub mod error;
pub mod formats;
pub mod kernels;
pub mod model;
pub mod network;
pub mod parallel;
pub mod pipeline;
pub mod resources;
pub mod search;
pub mod stages;
pub mod views;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use error::Error;
pub use model::Model;
