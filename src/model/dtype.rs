//! Types of numbers in files, and how they become 32-bit floats.

use half::{bf16, f16};
use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// The type of a tensor's elements. Little-endian, as in every format that is read. As text it has its name in safetensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, EnumString, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Dtype {
    /// IEEE 754 binary64.
    F64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of a binary32.
    Bf16,
    /// Signed, 64 bits.
    I64,
    /// Signed, 32 bits.
    I32,
    /// Signed, 16 bits.
    I16,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 64 bits.
    U64,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 8 bits.
    U8,
    /// A byte: 0 is false.
    Bool,
}

impl Dtype {
    /// All of them. Their places are their numbers in a `.nut` file.
    pub const ALL: &[Dtype] = Self::VARIANTS;

    /// Bytes of an element.
    pub fn size(self) -> usize {
        match self {
            Dtype::F64 | Dtype::I64 | Dtype::U64 => 8,
            Dtype::F32 | Dtype::I32 | Dtype::U32 => 4,
            Dtype::F16 | Dtype::Bf16 | Dtype::I16 | Dtype::U16 => 2,
            Dtype::I8 | Dtype::U8 | Dtype::Bool => 1,
        }
    }

    /// Its usual name, as numpy has it.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::F64 => "float64",
            Dtype::F32 => "float32",
            Dtype::F16 => "float16",
            Dtype::Bf16 => "bfloat16",
            Dtype::I64 => "int64",
            Dtype::I32 => "int32",
            Dtype::I16 => "int16",
            Dtype::I8 => "int8",
            Dtype::U64 => "uint64",
            Dtype::U32 => "uint32",
            Dtype::U16 => "uint16",
            Dtype::U8 => "uint8",
            Dtype::Bool => "bool",
        }
    }

    /// Whether it is a floating-point type.
    pub fn is_float(self) -> bool {
        matches!(self, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::Bf16)
    }

    /// Elements as 32-bit floats: exact for the narrower types, rounded for the wider ones. What is left over at the end, less
    /// than an element, is left out.
    pub fn to_floats(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], widen: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks::<N>().0.iter().map(|&element| widen(element)).collect()
        }
        match self {
            Dtype::F64 => each(bytes, |element| f64::from_le_bytes(element) as f32),
            Dtype::F32 => each(bytes, f32::from_le_bytes),
            Dtype::F16 => each(bytes, |element| f16::from_le_bytes(element).to_f32()),
            Dtype::Bf16 => each(bytes, |element| bf16::from_le_bytes(element).to_f32()),
            Dtype::I64 => each(bytes, |element| i64::from_le_bytes(element) as f32),
            Dtype::I32 => each(bytes, |element| i32::from_le_bytes(element) as f32),
            Dtype::I16 => each(bytes, |element| f32::from(i16::from_le_bytes(element))),
            Dtype::I8 => each(bytes, |element| f32::from(i8::from_le_bytes(element))),
            Dtype::U64 => each(bytes, |element| u64::from_le_bytes(element) as f32),
            Dtype::U32 => each(bytes, |element| u32::from_le_bytes(element) as f32),
            Dtype::U16 => each(bytes, |element| f32::from(u16::from_le_bytes(element))),
            Dtype::U8 | Dtype::Bool => bytes.iter().map(|&element| f32::from(element)).collect(),
        }
    }

    /// Elements of an integer type in 64 bits; unsigned ones that do not fit wrap.
    pub fn integers(self, bytes: &[u8]) -> impl ExactSizeIterator<Item = i64> {
        let unused = 64 - 8 * self.size() as u32;
        let signed = matches!(self, Dtype::I64 | Dtype::I32 | Dtype::I16 | Dtype::I8);
        bytes.chunks_exact(self.size()).map(move |element| {
            let mut wide = [0; 8];
            wide[..element.len()].copy_from_slice(element);
            let value = i64::from_le_bytes(wide);
            if signed { value << unused >> unused } else { value }
        })
    }

    /// 32-bit floats as elements of a floating-point type, rounded to the nearest, ties to even; `None` for other types.
    pub fn of_floats(self, values: &[f32]) -> Option<Vec<u8>> {
        match self {
            Dtype::F64 => Some(values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect()),
            Dtype::F32 => Some(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Dtype::F16 => Some(values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect()),
            Dtype::Bf16 => Some(values.iter().flat_map(|&value| bf16::from_f32(value).to_le_bytes()).collect()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_and_bfloat_comes_back() {
        let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        for dtype in [Dtype::F16, Dtype::Bf16] {
            let floats = dtype.to_floats(&all);
            let back = dtype.of_floats(&floats).unwrap();
            for ((element, float), back) in all.as_chunks::<2>().0.iter().zip(floats).zip(back.as_chunks::<2>().0) {
                assert!(float.is_nan() || element == back, "{dtype:?} {element:02x?}");
            }
        }
    }

    #[test]
    fn rounding_goes_to_the_nearest_and_to_even() {
        let round = |dtype: Dtype, values: &[f32]| dtype.to_floats(&dtype.of_floats(values).unwrap());
        // 1 + 2^-11 lies half-way between 1 and the next half; 3 x 2^-11 above 1 between two others.
        let ties = [1.0 + 0.5f32.powi(11), 1.0 + 3.0 * 0.5f32.powi(11), 0.5f32.powi(25), 1.5 * 0.5f32.powi(24)];
        assert_eq!(round(Dtype::F16, &ties), [1.0, 1.0 + 0.5f32.powi(9), 0.0, 0.5f32.powi(23)]);
        assert_eq!(round(Dtype::F16, &[65519.0, 65520.0, -1e9]), [65504.0, f32::INFINITY, f32::NEG_INFINITY]);
        let ties = [1.0 + 0.5f32.powi(8), 1.0 + 3.0 * 0.5f32.powi(8), f32::MAX];
        assert_eq!(round(Dtype::Bf16, &ties), [1.0, 1.0 + 0.5f32.powi(6), f32::INFINITY]);
    }

    #[test]
    fn floats_come_back_from_every_wider_or_equal_type() {
        let values = [0.0, -1.5, 3.0e-3, f32::MAX, f32::MIN_POSITIVE];
        for dtype in [Dtype::F64, Dtype::F32] {
            assert_eq!(dtype.to_floats(&dtype.of_floats(&values).unwrap()), values);
        }
        assert_eq!(Dtype::I16.to_floats(&[0xff, 0xff, 1, 0, 9]), [-1.0, 1.0]);
        assert_eq!(Dtype::I8.of_floats(&values), None);
    }
}
