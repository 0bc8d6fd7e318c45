//! Objects as JSON text.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{Result, Write};

/// Writes numbers as Rust does, in as few digits as tell them apart: the crate's own way brings its tables into the wasm.
struct Short;

impl Formatter for Short {
    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> Result<()> {
        write!(writer, "{value}")
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> Result<()> {
        write!(writer, "{value}")
    }
}

/// The text of an object. What is not finite is null.
///
/// # Errors
/// If a part of it has no form in JSON.
pub fn text(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Short))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = [0.1, -0.0, 1.0, 1e300, 5e-324, f64::MAX, f64::NAN];
        let words = text(&numbers).unwrap();
        let read: Vec<Option<f64>> = serde_json::from_str(&words).unwrap();
        assert_eq!(read[..6], numbers.map(Some)[..6], "{words}");
        assert_eq!(read[6], None);
        assert_eq!(text(&[0.1f32, f32::MAX]).unwrap(), "[0.1,340282350000000000000000000000000000000]");
    }
}
