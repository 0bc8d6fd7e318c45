//! Coding of codebooks: each is predicted to be of the kind and format of the one before.

use super::adaptive::Counts;
use super::layout::{Form, Layout};
use super::number::Number;
use super::range::{BitCoder, Kind};
use super::symbols::Bounds;
use crate::model::Codebook;

/// The least fraction bits that a file may have: what is larger than 2^16 units of 2^96 is no 32-bit float any more.
pub const LEAST_FRACTION_BITS: i8 = -96;

/// Most centroids of one sign that a parameter of so many weights may have.
pub fn most_centroids(weights: usize) -> usize {
    weights.max(256)
}

/// What carries over from one codebook to the next.
#[derive(Debug, Clone, Default)]
pub struct CodebookModel {
    free: Counts,
    /// Of matrices, and of vectors.
    formats: [Format; 2],
    lengths: Number,
    gaps: Number,
    far: Number,
}

#[derive(Debug, Clone, Default)]
struct Format {
    same: Counts,
    fraction_bits: i8,
}

impl CodebookModel {
    /// Codes the codebook of a parameter of this layout; a decoder may pass any.
    pub fn code(&mut self, coder: &mut impl BitCoder, layout: &Layout, codebook: &Codebook) -> Codebook {
        let vector = layout.form == Form::Vector;
        let most = most_centroids(layout.rows * layout.row_len());
        let format = &mut self.formats[usize::from(vector)];
        let free = self.free.code(coder, matches!(codebook, Codebook::Free { .. }), Kind::Codebook);
        let wanted = codebook.fraction_bits();
        if !format.same.code(coder, wanted == format.fraction_bits, Kind::Codebook) {
            let step = i32::from(wanted) - i32::from(format.fraction_bits);
            // The step is not 0, and leads to some byte: what no encoder writes wraps.
            let step = self.far.code_signed(coder, if step > 0 { step - 1 } else { step }, Kind::Codebook);
            let step = if step >= 0 { step.wrapping_add(1) } else { step };
            format.fraction_bits = format.fraction_bits.wrapping_add(step as i8);
        }
        let fraction_bits = format.fraction_bits;
        if !free {
            return Codebook::integers(fraction_bits);
        }
        let (positive, negative): (&[u16], &[u16]) = match codebook {
            Codebook::Free { positive, negative, .. } => (positive, negative),
            Codebook::Uniform { .. } => (&[], &[]),
        };
        let positive = self.code_side(coder, positive, most);
        let negative = self.code_side(coder, negative, most);
        Codebook::Free { fraction_bits, positive, negative }
    }

    /// Codes strictly rising centroids by their gaps. A decoder stops at `most` of them, and at the largest that there
    /// can be, so that damaged bytes make a short list.
    fn code_side(&mut self, coder: &mut impl BitCoder, centroids: &[u16], most: usize) -> Vec<u16> {
        let count = self.lengths.code(coder, centroids.len() as u32, Kind::Codebook);
        let mut read: Vec<u16> = Vec::new();
        let mut last = 0u16;
        for index in 0..most.min(count as usize) {
            if coder.overrun() || last == u16::MAX {
                break;
            }
            let gap =
                centroids.get(index).map_or(0, |&centroid| u32::from(centroid.saturating_sub(last)).saturating_sub(1));
            let gap = self.gaps.code(coder, gap, Kind::Codebook);
            last = (u32::from(last).saturating_add(gap).saturating_add(1)).min(u32::from(u16::MAX)) as u16;
            read.push(last);
        }
        read
    }
}

/// The symbols that a codebook knows.
pub fn bounds(codebook: &Codebook) -> Bounds {
    match codebook {
        Codebook::Uniform { .. } => Bounds { positive: i16::MAX as u16, negative: i16::MIN.unsigned_abs() },
        Codebook::Free { positive, negative, .. } => Bounds {
            positive: positive.len().min(i16::MAX as usize) as u16,
            negative: negative.len().min(i16::MIN.unsigned_abs() as usize) as u16,
        },
    }
}
