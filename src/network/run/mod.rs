//! Runs a network forward on one sample at a time, as whoever deploys it does.
//!
//! A value is `[elements]`, row-major, as in the file that the network came from; an image is planar, `[channels, height,
//! width]`, with neighbouring positions in vectors. What follows a layer (an activation, a residual, a maximum over 2 x 2) is done
//! while the layer's output is still in the cache. Operators that no kernel of one sample is worth run on the kernels of training,
//! with one sample in a batch.

mod binary;
mod conv;
mod cost;
mod depthwise;
mod finish;
mod fuse;
mod linear;
mod matmul;
mod moves;
mod plan;
mod pool;
mod step;
mod unary;

pub use plan::{Plan, Workspace};

#[cfg(test)]
mod tests;
