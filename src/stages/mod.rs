//! The stages, one file each: plain functions from one typed result to the next.

pub mod explain;
pub mod kmeans;
pub mod noise;
pub mod prune;
pub mod quantize;
pub mod refine;
pub mod share;
pub mod structure;
