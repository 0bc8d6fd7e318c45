//! `TensorProto`: a named array in one of several encodings.

use super::wire::{Span, first_text};
use super::{malformed, unsupported};
use crate::error::LoadError;
use crate::model::Dtype;
use half::{bf16, f16};

/// `TensorProto`.
#[derive(Debug, Default)]
pub struct Tensor<'a> {
    /// Its name; may be empty.
    pub name: &'a str,
    dimensions: Vec<i64>,
    kind: i64,
    raw: Option<&'a [u8]>,
    floats: Vec<f32>,
    ints32: Vec<i64>,
    ints64: Vec<i64>,
    doubles: Vec<f64>,
    external: bool,
    /// Of numbers in another file: keys and values.
    entries: Vec<(&'a str, &'a str)>,
}

/// Numbers in another file (`external_data`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere<'a> {
    /// Path of that file, from the folder of the model.
    pub file: &'a str,
    /// Where in it, in bytes.
    pub offset: usize,
    /// How many bytes; the rest of the file if that is not told.
    pub length: Option<usize>,
}

/// `TensorProto.DataType`.
pub const FLOAT: i64 = 1;
pub const UINT8: i64 = 2;
pub const INT8: i64 = 3;
pub const UINT16: i64 = 4;
pub const INT16: i64 = 5;
pub const INT32: i64 = 6;
pub const INT64: i64 = 7;
pub const BOOL: i64 = 9;
pub const FLOAT16: i64 = 10;
pub const DOUBLE: i64 = 11;
pub const UINT32: i64 = 12;
pub const UINT64: i64 = 13;
pub const BFLOAT16: i64 = 16;

/// Whether numbers of a type have a fractional part.
pub fn is_float(kind: i64) -> bool {
    matches!(kind, FLOAT | FLOAT16 | DOUBLE | BFLOAT16)
}

/// The most dimensions that a tensor may have.
const MAX_DIMENSIONS: usize = 8;

impl<'a> Tensor<'a> {
    /// Parses the message; the values are only borrowed if they are raw bytes, as they mostly are.
    pub fn parse(mut span: Span<'a>) -> Result<Self, LoadError> {
        let mut tensor = Tensor::default();
        while let Some(field) = span.next_field()? {
            match field.number {
                1 => field.append_ints(&mut tensor.dimensions)?,
                2 => tensor.kind = field.int()?,
                3 => return Err(unsupported("tensor", "a segmented tensor", "whole tensors")),
                4 => field.append_floats(&mut tensor.floats)?,
                5 => field.append_ints(&mut tensor.ints32)?,
                // uint64_data is of types that int64_data is not of.
                7 | 11 => field.append_ints(&mut tensor.ints64)?,
                8 => tensor.name = field.text()?,
                9 => tensor.raw = Some(field.span()?.bytes()),
                10 => field.append_doubles(&mut tensor.doubles)?,
                13 => {
                    let (key, value) = (first_text(field.span()?, 1)?, first_text(field.span()?, 2)?);
                    tensor.entries.push((key, value));
                }
                14 => tensor.external = field.int()? == 1,
                _ => {}
            }
        }
        Ok(tensor)
    }

    /// Where its numbers are, if they are in another file.
    ///
    /// # Errors
    /// [`LoadError::Malformed`] if that is not told.
    pub fn elsewhere(&self) -> Result<Option<Elsewhere<'a>>, LoadError> {
        if !self.external {
            return Ok(None);
        }
        let entry = |key: &str| self.entries.iter().find(|(found, _)| *found == key).map(|&(_, value)| value);
        let number = |key: &str| {
            let parse = |value: &str| {
                value.parse::<usize>().map_err(|_| self.malformed("a number", format!("{key} '{value}'")))
            };
            entry(key).map(parse).transpose()
        };
        let file = entry("location").filter(|file| !file.is_empty());
        let file = file.ok_or_else(|| self.malformed("the name of the file that has its numbers", "none".into()))?;
        Ok(Some(Elsewhere { file, offset: number("offset")?.unwrap_or(0), length: number("length")? }))
    }

    fn is_elsewhere(&self) -> LoadError {
        let file = self.entries.iter().find(|(key, _)| *key == "location").map_or("", |&(_, file)| file);
        let feature = format!("data in another file ('{file}') that was not opened with this one");
        unsupported(self.place(), feature, "both files together, or data in the file itself")
    }

    /// A tensor of integers with one dimension.
    pub fn of_ints(ints64: Vec<i64>) -> Self {
        Tensor { dimensions: vec![ints64.len() as i64], kind: INT64, ints64, ..Tensor::default() }
    }

    /// A tensor of numbers with one dimension, or none.
    pub fn of_floats(floats: Vec<f32>, dimensions: Vec<i64>) -> Self {
        Tensor { dimensions, kind: FLOAT, floats, ..Tensor::default() }
    }

    /// A tensor that was computed: of 32-bit floats, of truths, or of integers.
    pub fn of_numbers(name: &'a str, kind: i64, shape: &[usize], numbers: Vec<f64>) -> Self {
        let mut tensor = Tensor { name, kind, ..Tensor::default() };
        tensor.dimensions = shape.iter().map(|&side| side as i64).collect();
        let ints = || numbers.iter().map(|&number| number as i64).collect();
        match kind {
            _ if is_float(kind) => {
                tensor.kind = FLOAT;
                tensor.floats = numbers.iter().map(|&number| number as f32).collect();
            }
            BOOL => tensor.ints32 = ints(),
            _ => {
                tensor.kind = INT64;
                tensor.ints64 = ints();
            }
        }
        tensor
    }

    /// Its type, as in `TensorProto.DataType`.
    pub fn kind(&self) -> i64 {
        self.kind
    }

    /// The values in 64-bit floats, row-major, finite or not. Integers of more than 53 bits are rounded.
    ///
    /// # Errors
    /// As [`Tensor::floats`] and [`Tensor::ints`], which of them it may be.
    pub fn numbers(&self) -> Result<Vec<f64>, LoadError> {
        if is_float(self.kind) {
            Ok(self.any_floats()?.into_iter().map(f64::from).collect())
        } else {
            Ok(self.ints()?.into_iter().map(|value| value as f64).collect())
        }
    }

    fn place(&self) -> String {
        format!("tensor '{}'", self.name)
    }

    fn malformed(&self, expected: &str, got: String) -> LoadError {
        malformed(self.place(), expected, got)
    }

    /// Its dimensions. Nothing is said about the number of values yet: [`Tensor::floats`] and [`Tensor::ints`] prove it.
    pub fn shape(&self) -> Result<Vec<usize>, LoadError> {
        if self.dimensions.len() > MAX_DIMENSIONS {
            let expected = format!("at most {MAX_DIMENSIONS} dimensions");
            return Err(self.malformed(&expected, self.dimensions.len().to_string()));
        }
        self.dimensions
            .iter()
            .map(|&side| usize::try_from(side))
            .collect::<Result<_, _>>()
            .map_err(|_| self.malformed("dimensions of at least 0", format!("{:?}", self.dimensions)))
    }

    /// Number of values that the dimensions ask for.
    fn count(&self) -> Result<usize, LoadError> {
        let shape = self.shape()?;
        shape
            .iter()
            .try_fold(1usize, |product, &side| product.checked_mul(side))
            .ok_or_else(|| self.malformed("dimensions whose product fits", format!("{shape:?}")))
    }

    /// The values as 32-bit floats, row-major; `float`, `float16`, `bfloat16` and `double` are converted.
    ///
    /// # Errors
    /// [`LoadError`] if the type is another, if they are not as many as the shape asks for, or one is not finite.
    pub fn floats(&self) -> Result<Vec<f32>, LoadError> {
        let values = self.any_floats()?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.malformed("finite numbers", value.to_string())),
            None => Ok(values),
        }
    }

    /// As [`Tensor::floats`], finite or not.
    fn any_floats(&self) -> Result<Vec<f32>, LoadError> {
        Ok(match self.kind {
            FLOAT => match self.raw_values::<4>()? {
                Some(raw) => raw.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
                None => self.stored(&self.floats)?.to_vec(),
            },
            DOUBLE => match self.raw_values::<8>()? {
                Some(raw) => raw.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
                None => self.stored(&self.doubles)?.iter().map(|&value| value as f32).collect(),
            },
            FLOAT16 | BFLOAT16 => {
                let widen: fn(u16) -> f32 = match self.kind {
                    FLOAT16 => |bits| f16::from_bits(bits).to_f32(),
                    _ => |bits| bf16::from_bits(bits).to_f32(),
                };
                match self.raw_values::<2>()? {
                    Some(raw) => raw.iter().map(|&bytes| widen(u16::from_le_bytes(bytes))).collect(),
                    None => self.stored(&self.ints32)?.iter().map(|&bits| widen(bits as u16)).collect(),
                }
            }
            other => {
                let supported = "float (1), float16 (10), double (11) and bfloat16 (16)";
                return Err(unsupported(self.place(), format!("data type {other} for weights"), supported));
            }
        })
    }

    /// The values as integers, row-major; those of fewer bits, and truths, are converted.
    ///
    /// # Errors
    /// [`LoadError`] if the type is another, or if they are not as many as the shape asks for.
    pub fn ints(&self) -> Result<Vec<i64>, LoadError> {
        fn of_raw<const N: usize>(raw: &[[u8; N]], widen: fn([u8; N]) -> i64) -> Vec<i64> {
            raw.iter().map(|&bytes| widen(bytes)).collect()
        }
        let raw = match self.kind {
            UINT8 | BOOL => self.raw_values()?.map(|raw| of_raw(raw, |bytes: [u8; 1]| i64::from(bytes[0]))),
            INT8 => self.raw_values()?.map(|raw| of_raw(raw, |bytes| i64::from(i8::from_le_bytes(bytes)))),
            UINT16 => self.raw_values()?.map(|raw| of_raw(raw, |bytes| i64::from(u16::from_le_bytes(bytes)))),
            INT16 => self.raw_values()?.map(|raw| of_raw(raw, |bytes| i64::from(i16::from_le_bytes(bytes)))),
            INT32 => self.raw_values()?.map(|raw| of_raw(raw, |bytes| i64::from(i32::from_le_bytes(bytes)))),
            UINT32 => self.raw_values()?.map(|raw| of_raw(raw, |bytes| i64::from(u32::from_le_bytes(bytes)))),
            INT64 | UINT64 => self.raw_values()?.map(|raw| of_raw(raw, i64::from_le_bytes)),
            other => {
                let supported = "integers of 8 to 64 bits, and bool (9)";
                return Err(unsupported(self.place(), format!("data type {other} for integers"), supported));
            }
        };
        match (raw, self.kind) {
            (Some(raw), _) => Ok(raw),
            (None, INT64 | UINT32 | UINT64) => Ok(self.stored(&self.ints64)?.to_vec()),
            (None, _) => Ok(self.stored(&self.ints32)?.to_vec()),
        }
    }

    /// Its type, if that is one of whole bytes and no text.
    pub fn dtype(&self) -> Option<Dtype> {
        Some(match self.kind {
            FLOAT => Dtype::F32,
            UINT8 => Dtype::U8,
            INT8 => Dtype::I8,
            UINT16 => Dtype::U16,
            INT16 => Dtype::I16,
            INT32 => Dtype::I32,
            INT64 => Dtype::I64,
            BOOL => Dtype::Bool,
            FLOAT16 => Dtype::F16,
            DOUBLE => Dtype::F64,
            UINT32 => Dtype::U32,
            UINT64 => Dtype::U64,
            BFLOAT16 => Dtype::Bf16,
            _ => return None,
        })
    }

    /// The values in their own type, little-endian; whether they are as many as the shape asks for is for the caller to say.
    ///
    /// # Errors
    /// [`LoadError`] if they are in another file.
    pub fn bytes(&self, dtype: Dtype) -> Result<Vec<u8>, LoadError> {
        if self.external {
            return Err(self.is_elsewhere());
        }
        if let Some(raw) = self.raw {
            return Ok(raw.to_vec());
        }
        Ok(match dtype {
            Dtype::F32 => self.floats.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Dtype::F64 => self.doubles.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Dtype::I64 | Dtype::U64 | Dtype::U32 => narrow(&self.ints64, dtype),
            Dtype::F16 | Dtype::Bf16 | Dtype::I32 | Dtype::I16 | Dtype::I8 | Dtype::U16 | Dtype::U8 | Dtype::Bool => {
                narrow(&self.ints32, dtype)
            }
        })
    }

    /// The raw bytes in values of `N` bytes, if the tensor has any.
    fn raw_values<const N: usize>(&self) -> Result<Option<&'a [[u8; N]]>, LoadError> {
        if self.external {
            return Err(self.is_elsewhere());
        }
        let Some(raw) = self.raw else { return Ok(None) };
        let count = self.count()?;
        match raw.as_chunks::<N>() {
            (values, []) if values.len() == count => Ok(Some(values)),
            _ => Err(self.malformed(&format!("{count} values of {N} bytes"), format!("{} bytes", raw.len()))),
        }
    }

    /// The values of a typed field, once they are proved to be as many as the shape asks for.
    fn stored<'b, T>(&self, values: &'b [T]) -> Result<&'b [T], LoadError> {
        let count = self.count()?;
        if values.len() != count {
            return Err(self.malformed(&format!("{count} values"), values.len().to_string()));
        }
        Ok(values)
    }
}

/// The low bytes of integers, as many as the type has.
fn narrow(integers: &[i64], dtype: Dtype) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(integers.len() * dtype.size());
    integers.iter().for_each(|integer| bytes.extend_from_slice(&integer.to_le_bytes()[..dtype.size()]));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor<'a>(kind: i64, dimensions: &[i64], raw: &'a [u8]) -> Tensor<'a> {
        Tensor { name: "t", dimensions: dimensions.to_vec(), kind, raw: Some(raw), ..Tensor::default() }
    }

    #[test]
    fn converts_the_other_widths_of_float() {
        assert_eq!(tensor(DOUBLE, &[1], &0.1f64.to_le_bytes()).floats(), Ok(vec![0.1f32]));
        // 1, -2, the largest, the smallest, and the smallest that is not subnormal.
        let half = [0x3c00u16, 0xc000, 0x7bff, 0x0001, 0x0400];
        let raw: Vec<u8> = half.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let expected = vec![1.0, -2.0, 65504.0, 5.960_464_5e-8, 6.103_515_6e-5];
        assert_eq!(tensor(FLOAT16, &[5], &raw).floats(), Ok(expected.clone()));
        let typed = Tensor {
            kind: FLOAT16,
            dimensions: vec![5],
            ints32: half.iter().map(|&bits| i64::from(bits)).collect(),
            ..Tensor::default()
        };
        assert_eq!(typed.floats(), Ok(expected));
        assert_eq!(tensor(BFLOAT16, &[1], &[0x80, 0x3f]).floats(), Ok(vec![1.0]));
    }

    #[test]
    fn refuses_values_that_do_not_fit_the_shape() {
        let (nan, huge) = (f32::NAN.to_le_bytes(), 1e300f64.to_le_bytes());
        let cases = [
            (tensor(FLOAT, &[2], &[0; 7]), "expected 2 values of 4 bytes, got 7 bytes"),
            (tensor(FLOAT, &[-1], &[]), "expected dimensions of at least 0, got [-1]"),
            (tensor(FLOAT, &[1; 9], &[0; 4]), "expected at most 8 dimensions, got 9"),
            (tensor(FLOAT, &[1], &nan), "expected finite numbers, got NaN"),
            (tensor(DOUBLE, &[1], &huge), "expected finite numbers, got inf"),
            (
                tensor(FLOAT, &[i64::MAX, i64::MAX], &[]),
                "expected dimensions whose product fits, got [9223372036854775807, 9223372036854775807]",
            ),
            (Tensor { name: "t", kind: FLOAT, dimensions: vec![3], ..Tensor::default() }, "expected 3 values, got 0"),
        ];
        for (tensor, message) in cases {
            assert_eq!(tensor.floats().unwrap_err().to_string(), format!("ONNX file, tensor 't': {message}"));
        }
        let error = tensor(9, &[1], &[0]).floats().unwrap_err().to_string();
        assert!(error.contains("data type 9 for weights is not supported"), "{error}");
    }
}
