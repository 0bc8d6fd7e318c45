//! The stages, one file each: plain functions from one typed result to the next.

pub mod quantize;
