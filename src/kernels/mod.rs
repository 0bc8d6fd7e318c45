//! Loops over slices: they know shapes and numbers, nothing above them. Every fast one has a plain twin.
//!
//! In training, activations are batch-innermost: `[channels, height, width, n]` or `[features, n]`, where `n` samples side by side
//! fill vector registers. So a convolution vectorises over samples, whatever its shape, and needs no im2col.
//! `n` is a multiple of [`LANES`]; a batch that is not is padded with samples whose gradient is zero.
//!
//! A network that only runs has one sample at a time, and planes `[channels, height, width]`: neighbouring positions fill the
//! registers ([`lists`], [`winograd`], [`depthwise`], [`planar`]), or output channels where there are few positions ([`narrow`],
//! [`product`]).

pub mod adam;
pub mod copies;
pub mod correlate;
pub mod depthwise;
pub mod elementwise;
pub mod fixed;
pub mod function;
pub mod lanes;
pub mod lists;
pub mod narrow;
pub mod pairwise;
pub mod plain;
pub mod planar;
pub mod pool;
pub mod product;
pub mod sparse;
pub mod warp;
pub mod weight_gradient;
pub mod winograd;

pub use lanes::LANES;
