//! A constant tensor of a graph: its numbers as they are in the file, and as what is asked for.

use crate::error::LoadError;
use crate::formats::cursor::{malformed, unsupported};
use crate::model::Dtype;
use half::{bf16, f16};
use std::borrow::Cow;

/// A constant.
#[derive(Debug, Clone)]
pub struct Tensor<'a> {
    /// The format of the file, for errors.
    pub format: &'static str,
    /// Its name; may be empty.
    pub name: Cow<'a, str>,
    /// Type of an element, by ONNX's numbers: [`FLOAT`] and the others.
    pub kind: i64,
    /// Its dimensions. Nothing is said about the number of values: [`Tensor::floats`] and [`Tensor::ints`] prove it.
    pub shape: Vec<usize>,
    /// Its values.
    pub numbers: Numbers<'a>,
}

/// The values of a tensor, row-major.
#[derive(Debug, Clone)]
pub enum Numbers<'a> {
    /// In the tensor's own type, little-endian.
    Raw(Cow<'a, [u8]>),
    /// 32-bit floats.
    Floats(Vec<f32>),
    /// 64-bit floats.
    Doubles(Vec<f64>),
    /// Integers and truths; the bits of floats of 16 bits.
    Ints(Vec<i64>),
    /// In another file.
    Elsewhere(Elsewhere<'a>),
}

/// Where numbers are in another file.
#[derive(Debug, Clone, Copy)]
pub struct Elsewhere<'a> {
    /// Path of that file, from the folder of the model; empty if it is not told.
    pub file: &'a str,
    /// Where in it, in bytes.
    pub offset: usize,
    /// Number of bytes; the rest of the file if that is not told.
    pub length: Option<usize>,
}

/// Types of elements (`TensorProto.DataType` in ONNX).
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
pub const UINT4: i64 = 21;
pub const INT4: i64 = 22;

/// Names of the types, by their numbers.
const NAMES: [&str; 24] = [
    "undefined",
    "float",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "int64",
    "string",
    "bool",
    "float16",
    "double",
    "uint32",
    "uint64",
    "complex64",
    "complex128",
    "bfloat16",
    "float8e4m3fn",
    "float8e4m3fnuz",
    "float8e5m2",
    "float8e5m2fnuz",
    "uint4",
    "int4",
    "float4e2m1",
];

/// Name of a type.
pub fn type_name(kind: i64) -> String {
    let known = usize::try_from(kind).ok().and_then(|kind| NAMES.get(kind));
    known.map_or_else(|| format!("type {kind}"), |&name| name.to_owned())
}

/// Whether numbers of a type have a fractional part.
pub fn is_float(kind: i64) -> bool {
    matches!(kind, FLOAT | FLOAT16 | DOUBLE | BFLOAT16)
}

/// The smallest and the largest number of a type of integers, in 64-bit floats; `None` for a type that is not known here.
pub fn range(kind: i64) -> Option<(f64, f64)> {
    match kind {
        UINT8 => Some((0.0, 255.0)),
        INT8 => Some((-128.0, 127.0)),
        UINT16 => Some((0.0, 65535.0)),
        INT16 => Some((-32768.0, 32767.0)),
        INT32 => Some((i32::MIN.into(), i32::MAX.into())),
        UINT32 => Some((0.0, u32::MAX.into())),
        INT64 => Some((i64::MIN as f64, i64::MAX as f64)),
        UINT64 => Some((0.0, u64::MAX as f64)),
        BOOL => Some((0.0, 1.0)),
        _ if is_float(kind) => Some((f64::NEG_INFINITY, f64::INFINITY)),
        _ => None,
    }
}

impl<'a> Tensor<'a> {
    /// A tensor that was computed: of 32-bit floats, of truths, or of integers.
    pub fn computed(format: &'static str, name: Cow<'a, str>, kind: i64, shape: &[usize], numbers: &[f64]) -> Self {
        let (kind, numbers) = if is_float(kind) {
            (FLOAT, Numbers::Floats(numbers.iter().map(|&number| number as f32).collect()))
        } else {
            let kind = if kind == BOOL { BOOL } else { INT64 };
            (kind, Numbers::Ints(numbers.iter().map(|&number| number as i64).collect()))
        };
        Tensor { format, name, kind, shape: shape.to_vec(), numbers }
    }

    /// The values in 64-bit floats, finite or not. Integers of more than 53 bits are rounded.
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

    /// Whether there are any numbers in the file.
    pub fn is_filled(&self) -> bool {
        match &self.numbers {
            Numbers::Raw(raw) => !raw.is_empty(),
            Numbers::Floats(values) => !values.is_empty(),
            Numbers::Doubles(values) => !values.is_empty(),
            Numbers::Ints(values) => !values.is_empty(),
            Numbers::Elsewhere(_) => false,
        }
    }

    fn place(&self) -> String {
        format!("tensor '{}'", self.name)
    }

    fn malformed(&self, expected: impl ToString, got: impl ToString) -> LoadError {
        malformed(self.format, self.place(), expected, got)
    }

    fn is_elsewhere(&self, elsewhere: &Elsewhere) -> LoadError {
        let feature = format!("data in another file ('{}') that was not opened with this one", elsewhere.file);
        self.unsupported(feature, "both files together, or data in the file itself")
    }

    fn unsupported(&self, feature: String, supported: &str) -> LoadError {
        unsupported(self.format, self.place(), feature, supported)
    }

    /// Number of values that the dimensions ask for.
    fn count(&self) -> Result<usize, LoadError> {
        let product = self.shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        product.ok_or_else(|| self.malformed("dimensions whose product fits", format!("{:?}", self.shape)))
    }

    /// The values as 32-bit floats; those of 16 and 64 bits are converted.
    ///
    /// # Errors
    /// [`LoadError`] if the type is another, if they are not as many as the shape asks for, or one is not finite.
    pub fn floats(&self) -> Result<Vec<f32>, LoadError> {
        let values = self.any_floats()?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.malformed("finite numbers", value)),
            None => Ok(values),
        }
    }

    /// As [`Tensor::floats`], finite or not.
    fn any_floats(&self) -> Result<Vec<f32>, LoadError> {
        let Some(dtype) = self.dtype().filter(|dtype| dtype.is_float()) else {
            let supported = "float, float16, double and bfloat16";
            return Err(self.unsupported(format!("{} for weights", type_name(self.kind)), supported));
        };
        let half = |bits: u16| match dtype {
            Dtype::F16 => f16::from_bits(bits).to_f32(),
            _ => bf16::from_bits(bits).to_f32(),
        };
        match &self.numbers {
            Numbers::Raw(raw) => Ok(dtype.to_floats(self.proved(raw, dtype)?)),
            Numbers::Floats(values) => self.stored(values, |&value| value),
            Numbers::Doubles(values) => self.stored(values, |&value| value as f32),
            Numbers::Ints(values) => self.stored(values, |&bits| half(bits as u16)),
            Numbers::Elsewhere(elsewhere) => Err(self.is_elsewhere(elsewhere)),
        }
    }

    /// The values as integers; those of fewer bits, and truths, are converted.
    ///
    /// # Errors
    /// [`LoadError`] if the type is another, or if they are not as many as the shape asks for.
    pub fn ints(&self) -> Result<Vec<i64>, LoadError> {
        if matches!(self.kind, UINT4 | INT4) {
            return self.nibbles();
        }
        let Some(dtype) = self.dtype().filter(|dtype| !dtype.is_float()) else {
            let supported = "integers of 8 to 64 bits, and bool";
            return Err(self.unsupported(format!("{} for integers", type_name(self.kind)), supported));
        };
        match &self.numbers {
            Numbers::Raw(raw) => Ok(dtype.integers(self.proved(raw, dtype)?).collect()),
            Numbers::Ints(values) => self.stored(values, |&value| value),
            Numbers::Floats(_) | Numbers::Doubles(_) => self.stored(&[], |&value| value),
            Numbers::Elsewhere(elsewhere) => Err(self.is_elsewhere(elsewhere)),
        }
    }

    /// Integers of 4 bits: two in a byte, the first in its lower half.
    fn nibbles(&self) -> Result<Vec<i64>, LoadError> {
        let (count, bytes) = (self.count()?, self.bytes(Dtype::U8)?);
        if bytes.len() != count.div_ceil(2) {
            return Err(self.malformed(format!("{count} values of 4 bits"), format!("{} bytes", bytes.len())));
        }
        let halves = bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]).take(count);
        let signed = |half: u8| if self.kind == INT4 && half > 7 { i64::from(half) - 16 } else { half.into() };
        Ok(halves.map(signed).collect())
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
        Ok(match &self.numbers {
            Numbers::Raw(raw) => raw.to_vec(),
            Numbers::Floats(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Numbers::Doubles(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Numbers::Ints(values) => {
                let mut bytes = Vec::with_capacity(values.len() * dtype.size());
                values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()[..dtype.size()]));
                bytes
            }
            Numbers::Elsewhere(elsewhere) => return Err(self.is_elsewhere(elsewhere)),
        })
    }

    /// Raw bytes, once they are proved to be as many as the shape asks for.
    fn proved<'b>(&self, raw: &'b [u8], dtype: Dtype) -> Result<&'b [u8], LoadError> {
        let (count, size) = (self.count()?, dtype.size());
        if count.checked_mul(size) != Some(raw.len()) {
            return Err(self.malformed(format!("{count} values of {size} bytes"), format!("{} bytes", raw.len())));
        }
        Ok(raw)
    }

    /// Values that are stored in another type, once they are proved to be as many as the shape asks for.
    fn stored<S, T>(&self, values: &[S], value: impl Fn(&S) -> T) -> Result<Vec<T>, LoadError> {
        let count = self.count()?;
        if values.len() != count {
            return Err(self.malformed(format!("{count} values"), values.len()));
        }
        Ok(values.iter().map(value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor<'a>(kind: i64, shape: &[usize], numbers: Numbers<'a>) -> Tensor<'a> {
        Tensor { format: "ONNX", name: "t".into(), kind, shape: shape.to_vec(), numbers }
    }

    fn raw(bytes: &[u8]) -> Numbers<'_> {
        Numbers::Raw(bytes.into())
    }

    #[test]
    fn converts_the_other_widths_of_float() {
        assert_eq!(tensor(DOUBLE, &[1], raw(&0.1f64.to_le_bytes())).floats(), Ok(vec![0.1f32]));
        // 1, -2, the largest, the smallest, and the smallest that is not subnormal.
        let half = [0x3c00u16, 0xc000, 0x7bff, 0x0001, 0x0400];
        let bytes: Vec<u8> = half.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let expected = vec![1.0, -2.0, 65504.0, 5.960_464_5e-8, 6.103_515_6e-5];
        assert_eq!(tensor(FLOAT16, &[5], raw(&bytes)).floats(), Ok(expected.clone()));
        let typed = Numbers::Ints(half.iter().map(|&bits| i64::from(bits)).collect());
        assert_eq!(tensor(FLOAT16, &[5], typed).floats(), Ok(expected));
        assert_eq!(tensor(BFLOAT16, &[1], raw(&[0x80, 0x3f])).floats(), Ok(vec![1.0]));
    }

    #[test]
    fn two_integers_of_4_bits_are_in_a_byte() {
        assert_eq!(tensor(INT4, &[3], raw(&[0x8f, 0x07])).ints(), Ok(vec![-1, -8, 7]));
        assert_eq!(tensor(UINT4, &[3], Numbers::Ints(vec![0x8f, 0x07])).numbers(), Ok(vec![15.0, 8.0, 7.0]));
        assert!(tensor(INT4, &[3], raw(&[0x8f])).ints().is_err());
    }

    #[test]
    fn refuses_values_that_do_not_fit_the_shape() {
        let (nan, huge) = (f32::NAN.to_le_bytes(), 1e300f64.to_le_bytes());
        let cases = [
            (tensor(FLOAT, &[2], raw(&[0; 7])), "expected 2 values of 4 bytes, got 7 bytes"),
            (tensor(FLOAT, &[1], raw(&nan)), "expected finite numbers, got NaN"),
            (tensor(DOUBLE, &[1], raw(&huge)), "expected finite numbers, got inf"),
            (
                tensor(FLOAT, &[usize::MAX, usize::MAX], raw(&[])),
                "expected dimensions whose product fits, got [18446744073709551615, 18446744073709551615]",
            ),
            (tensor(FLOAT, &[3], Numbers::Floats(vec![])), "expected 3 values, got 0"),
        ];
        for (tensor, message) in cases {
            assert_eq!(tensor.floats().unwrap_err().to_string(), format!("ONNX file, tensor 't': {message}"));
        }
        let error = tensor(9, &[1], raw(&[0])).floats().unwrap_err().to_string();
        assert!(error.contains("bool for weights is not supported"), "{error}");
    }
}
