//! Coding of widths and shapes.

use super::adaptive::Counts;
use super::number::{Number, code_uniform};
use super::range::{BitCoder, Kind};

/// Most weights of a file's network in its original shapes.
pub const MOST_WEIGHTS: u64 = 1 << 31;

/// Probability that a network's original widths are those of the one that its topology is named after: 15 in 16.
const STANDARD: u32 = 61440;

/// Number of weights of all shapes; `None` if it overflows.
pub fn weight_count(shapes: &[Vec<usize>]) -> Option<u64> {
    shapes.iter().try_fold(0u64, |sum, shape| {
        let count = shape.iter().try_fold(1u64, |product, &side| product.checked_mul(side as u64))?;
        sum.checked_add(count)
    })
}

/// Codes the original widths of a chain of layers, and the widths that are left of them, each at least 1 and at most the
/// original. A decoder passes slices of the right length, of any values.
pub fn code_widths(
    coder: &mut impl BitCoder,
    standard: &[usize],
    originals: &[usize],
    widths: &[usize],
) -> (Vec<usize>, Vec<usize>) {
    let mut model = Number::default();
    let is_standard = coder.code(originals == standard, STANDARD, Kind::Head);
    let originals: Vec<usize> = standard
        .iter()
        .zip(originals)
        .map(|(&standard, &original)| {
            if is_standard {
                return standard;
            }
            let less_one = original.saturating_sub(1).min(u32::MAX as usize / 2) as u32;
            (model.code(coder, less_one, Kind::Head) as usize).saturating_add(1)
        })
        .collect();
    let widths = originals
        .iter()
        .zip(widths)
        .map(|(&original, &width)| {
            let count = original.min(u32::MAX as usize) as u32;
            let less_one = width.saturating_sub(1).min(count as usize - 1) as u32;
            code_uniform(coder, less_one, count, Kind::Head) as usize + 1
        })
        .collect();
    (originals, widths)
}

/// Codes the original shapes, each at least as large as `shapes` on every side. Sides that are as long are expected to have
/// been as long in the original: that of a bias follows from its weight, inputs from the outputs before.
/// A decoder passes `shapes` as `originals`.
pub fn code_originals(coder: &mut impl BitCoder, shapes: &[Vec<usize>], originals: &[Vec<usize>]) -> Vec<Vec<usize>> {
    // Of few different sides.
    let mut expected: Vec<(usize, usize)> = Vec::new();
    let mut as_expected = Counts::default();
    let mut more = Number::default();
    let mut code_side = |(&side, &original): (&usize, &usize)| {
        let known = expected.iter().position(|(of, _)| *of == side);
        let guess = known.map_or(side, |at| expected[at].1);
        if as_expected.code(coder, original == guess, Kind::Head) {
            return guess;
        }
        let difference = original.saturating_sub(side).min(u32::MAX as usize / 2) as u32;
        let original = side.saturating_add(more.code(coder, difference, Kind::Head) as usize);
        match known {
            Some(at) => expected[at].1 = original,
            None => expected.push((side, original)),
        }
        original
    };
    shapes
        .iter()
        .zip(originals)
        .map(|(shape, original)| shape.iter().zip(original).map(&mut code_side).collect())
        .collect()
}
