//! What the viewer draws: plain functions of weights, symbols and answers, whose results are small whatever the network is.

pub mod answers;
pub mod coded;
pub mod drawing;
pub mod picture;
pub mod pruning;
pub mod rounding;
pub mod samples;
pub mod sharing;
pub mod summary;
pub mod weights;
