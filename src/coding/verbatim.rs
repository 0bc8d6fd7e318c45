//! Bytes of numbers as they are: each decision of each byte in a context of its own.
//!
//! The elements' bytes are coded by planes, the highest of each element first: in floats that plane holds signs and most of the
//! exponents, and repeats itself; the lower ones are next to random.

use super::adaptive::Counts;
use super::range::{BitCoder, Kind};
use crate::model::Dtype;

/// Contexts of one byte: a binary tree, whose root is 1.
const TREE: usize = 256;

/// What carries over from one array to the next of the same type.
#[derive(Debug, Clone, Default)]
pub struct VerbatimModel {
    /// By the type's place in [`Dtype::ALL`]; empty until it is needed.
    types: [Vec<Counts>; Dtype::ALL.len()],
}

impl VerbatimModel {
    /// Codes the bytes of whole elements. A decoder passes zeros of the right number in, and gets the bytes back. Stops early when the
    /// coder runs past its end; the caller checks that.
    pub fn code(&mut self, coder: &mut impl BitCoder, dtype: Dtype, bytes: &mut [u8]) {
        let size = dtype.size();
        let contexts = &mut self.types[dtype as usize];
        // The highest plane has one tree, the next one for each byte of the highest, all others one each.
        contexts.resize(TREE * (size + TREE), Counts::default());
        for plane in (0..size).rev() {
            for element in bytes.chunks_exact_mut(size) {
                if coder.overrun() {
                    return;
                }
                let tree = if plane + 2 == size { size + usize::from(element[size - 1]) } else { plane };
                element[plane] = code_byte(coder, &mut contexts[tree * TREE..][..TREE], element[plane]);
            }
        }
    }
}

/// Codes a byte, the highest bit first.
fn code_byte(coder: &mut impl BitCoder, tree: &mut [Counts], byte: u8) -> u8 {
    let mut node = 1;
    for place in (0..8).rev() {
        let bit = tree[node].code(coder, byte >> place & 1 != 0, Kind::Magnitude);
        node = node << 1 | usize::from(bit);
    }
    node as u8
}

#[cfg(test)]
mod tests {
    use super::super::range::{Decoder, Encoder};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decodes_what_was_encoded(
            arrays in prop::collection::vec((0..Dtype::ALL.len(), prop::collection::vec(any::<u8>(), 0..200)), 0..6)
        ) {
            let arrays: Vec<_> = arrays.into_iter().map(|(index, mut bytes)| {
                let dtype = Dtype::ALL[index];
                bytes.truncate(bytes.len() / dtype.size() * dtype.size());
                (dtype, bytes)
            }).collect();
            let (mut encoder, mut model) = (Encoder::default(), VerbatimModel::default());
            for (dtype, bytes) in &arrays {
                model.code(&mut encoder, *dtype, &mut bytes.clone());
            }
            let coded = encoder.finish();
            let (mut decoder, mut model) = (Decoder::new(&coded), VerbatimModel::default());
            for (dtype, bytes) in &arrays {
                let mut read = vec![0; bytes.len()];
                model.code(&mut decoder, *dtype, &mut read);
                prop_assert_eq!(&read, bytes);
            }
            prop_assert!(decoder.complete());
        }
    }

    #[test]
    fn numbers_of_one_size_take_less_than_they_did() {
        let mut bytes: Vec<u8> = (0..5000u32)
            .flat_map(|index| {
                (0.01 + 0.01 * (index.wrapping_mul(2_654_435_761) >> 8) as f32 / 16_777_216.0).to_le_bytes()
            })
            .collect();
        let mut encoder = Encoder::default();
        VerbatimModel::default().code(&mut encoder, Dtype::F32, &mut bytes);
        assert!(encoder.finish().len() < bytes.len() * 4 / 5);
    }
}
