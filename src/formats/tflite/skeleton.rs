//! A file without the numbers of its tensors, which are kept elsewhere: what is left are the graph and everything that describes it.
//!
//! A skeleton is the number of cuts, for each of them the bytes that were kept since the one before and the bytes that were cut out, each in
//! 32 bits, and then the bytes that were kept.

use super::{FORMAT, malformed, unsupported};
use crate::error::LoadError;
use crate::formats::cursor::Cursor;
use crate::model::{Network, Source};
use crate::ranking::ranked;

/// The file without the bytes at `cuts`, which are places and lengths in any order, and may overlap.
pub fn cut(file: &[u8], cuts: &[(usize, usize)]) -> Vec<u8> {
    let order = ranked(cuts.len(), &|at| (cuts[at].0 as u128) << 64 | cuts[at].1 as u128);
    let (mut table, mut kept, mut at, mut count) = (Vec::new(), Vec::new(), 0, 0u32);
    for (start, length) in order.into_iter().map(|at| cuts[at]) {
        let (start, end) = (start.max(at), start + length);
        if start < end {
            // A FlatBuffer has offsets of 32 bits.
            table.extend_from_slice(&((start - at) as u32).to_le_bytes());
            table.extend_from_slice(&((end - start) as u32).to_le_bytes());
            kept.extend_from_slice(&file[at..start]);
            (at, count) = (end, count + 1);
        }
    }
    [&count.to_le_bytes()[..], &table, &kept, &file[at..]].concat()
}

/// The file of a skeleton, with zeros where numbers were cut out.
///
/// # Errors
/// [`LoadError::Unsupported`] if there is no skeleton; [`LoadError::Malformed`] if it is none of such weights.
pub fn whole(weights: &Network) -> Result<Vec<u8>, LoadError> {
    let skeleton = weights.skeleton(Source::Tflite).unwrap_or_default();
    if skeleton.is_empty() {
        return Err(unsupported("graph", "a .nut file that was written without the graph", "newer ones"));
    }
    let mut cursor = Cursor::new(FORMAT, skeleton, 0)?;
    let count = cursor.u32()? as usize;
    let cuts = cursor.take(count.saturating_mul(8))?.as_chunks::<4>().0.as_chunks::<2>().0;
    let cuts = cuts.iter().map(|cut| cut.map(|bytes| u32::from_le_bytes(bytes) as usize));
    // Of a tensor of 64-bit integers with a scale 32-bit floats are left.
    let most = 2 * weights.bytes() + skeleton.len();
    let mut file = Vec::new();
    for [kept, zeros] in cuts {
        file.extend_from_slice(cursor.take(kept)?);
        if zeros > most.saturating_sub(file.len()) {
            return Err(malformed("skeleton", format!("a file of at most {most} bytes"), "a larger one"));
        }
        file.resize(file.len() + zeros, 0);
    }
    file.extend_from_slice(cursor.take(cursor.left())?);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dtype, Origin, Tensor};

    fn weights(bytes: usize, skeleton: Vec<u8>) -> Network {
        let (name, bytes) = (String::new(), vec![0; bytes]);
        let tensor = Tensor::new(name, vec![bytes.len()], Dtype::U8, bytes);
        Network::new(vec![tensor], Origin { source: Source::Tflite, skeleton })
    }

    #[test]
    fn what_was_cut_out_is_zero() {
        let file: Vec<u8> = (1..=20).collect();
        for cuts in [vec![], vec![(0, 20)], vec![(15, 5), (3, 4)], vec![(3, 4), (5, 4), (5, 4), (0, 0), (9, 1)]] {
            let mut expected = file.clone();
            cuts.iter().for_each(|&(at, length)| expected[at..at + length].fill(0));
            assert_eq!(whole(&weights(10, cut(&file, &cuts))), Ok(expected));
        }
    }

    #[test]
    fn a_skeleton_that_is_none_is_refused() {
        let file: Vec<u8> = (1..=20).collect();
        let sound = cut(&file, &[(3, 4), (10, 5)]);
        for length in 0..20 {
            assert!(whole(&weights(10, sound[..length].to_vec())).is_err(), "{length}");
        }
        let huge = [&1u32.to_le_bytes()[..], &[0; 4], &u32::MAX.to_le_bytes()].concat();
        let error = whole(&weights(10, huge)).unwrap_err().to_string();
        assert_eq!(error, "TFLite file, skeleton: expected a file of at most 32 bytes, got a larger one");
        let error = whole(&weights(10, Vec::new())).unwrap_err().to_string();
        assert!(error.contains("written without the graph is not supported"), "{error}");
    }
}
