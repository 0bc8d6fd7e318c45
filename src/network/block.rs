//! From samples, one after the other, to a block `[features, n]` with the samples side by side.

use crate::data::Samples;
use crate::error::DataError;
use crate::kernels::LANES;

/// Writes samples `first..first + count` into columns of `block` `[features, width]`, scaled, and zeros the columns after them.
pub fn fill(samples: &Samples, first: usize, count: usize, width: usize, block: &mut [f32]) {
    let (factor, offset) = samples.scaling.affine();
    let images: Vec<&[u8]> = (first..first + count).map(|index| samples.image(index)).collect();
    transpose(&images, width, block, |byte| factor * f32::from(byte) + offset);
}

/// Writes `rows` into columns of `block` `[features, width]`, each number through `map`, and zeros the columns after them.
pub fn transpose<T: Copy>(rows: &[&[T]], width: usize, block: &mut [f32], map: impl Fn(T) -> f32) {
    // Some columns at a time: they read as many streams, and write whole cache lines.
    for (group, rows) in rows.chunks(2 * LANES).enumerate() {
        for (feature, line) in block.chunks_exact_mut(width).enumerate() {
            let line = &mut line[group * 2 * LANES..][..rows.len()];
            for (to, row) in line.iter_mut().zip(rows) {
                *to = map(row[feature]);
            }
        }
    }
    if rows.len() < width {
        block.chunks_exact_mut(width).for_each(|line| line[rows.len()..].fill(0.0));
    }
}

/// Checks that samples of one shape can be the input of a network for another: the same shape, but for sides of 1, or a
/// vector with as many elements on either side.
///
/// # Errors
/// [`DataError`] names both shapes.
pub fn check_shape(samples: &[usize], input: &[usize]) -> Result<(), DataError> {
    let sides = |shape: &[usize]| shape.iter().copied().filter(|&side| side != 1).collect::<Vec<_>>();
    let elements = |shape: &[usize]| shape.iter().product::<usize>();
    let vector = samples.len() == 1 || input.len() == 1;
    if sides(samples) == sides(input) || (vector && elements(samples) == elements(input)) {
        return Ok(());
    }
    Err(DataError { what: "shape", expected: format!("{input:?}"), got: format!("{samples:?}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scaling;

    #[test]
    fn fills_columns_and_zeros_the_rest() {
        let samples = Samples::new(vec![3], (0..60).collect(), Vec::new(), Scaling::Raw).unwrap();
        let mut block = vec![f32::NAN; 3 * 24];
        fill(&samples, 1, 18, 24, &mut block);
        for feature in 0..3 {
            for column in 0..24 {
                let expected = if column < 18 { (3 * (column + 1) + feature) as f32 } else { 0.0 };
                assert_eq!(block[feature * 24 + column], expected);
            }
        }
    }

    #[test]
    fn shapes_fit_if_they_mean_the_same() {
        for (samples, input) in [(&[1, 28, 28][..], &[784][..]), (&[784], &[1, 28, 28]), (&[28, 28], &[1, 28, 28])] {
            assert!(check_shape(samples, input).is_ok());
        }
        assert!(check_shape(&[28, 28, 3], &[3, 28, 28]).is_err());
        assert!(check_shape(&[1, 28, 28], &[1, 32, 32]).is_err());
    }
}
