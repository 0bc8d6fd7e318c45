//! File bytes to and from a [`Model`](crate::Model).

pub mod gzip;
pub mod onnx;
