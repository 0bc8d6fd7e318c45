//! From samples, one after the other, to a block `[features, n]` with the samples side by side.

use crate::data::{Row, Samples};
use crate::error::DataError;
use crate::kernels::LANES;

/// Writes samples into columns of `block` `[features, width]`, each number through its factor and offset of `affine` (see
/// [`Samples::affine`]), and zeros the columns after them.
pub fn fill(samples: &Samples, indices: &[usize], affine: &[(f32, f32)], width: usize, block: &mut [f32]) {
    let (mut bytes, mut floats): (Vec<&[u8]>, Vec<&[f32]>) = (Vec::new(), Vec::new());
    for &index in indices {
        match samples.row(index) {
            Row::Bytes(row) => bytes.push(row),
            Row::Floats(row) => floats.push(row),
        }
    }
    // All rows are of one kind.
    if floats.is_empty() {
        transpose(&bytes, width, block, |feature, byte| affine[feature].0 * f32::from(byte) + affine[feature].1);
    } else {
        transpose(&floats, width, block, |feature, float| affine[feature].0 * float + affine[feature].1);
    }
}

/// Writes `rows` into columns of `block` `[features, width]`, each number through `map`, which is told its feature, and zeros the columns after them.
pub fn transpose<T: Copy>(rows: &[&[T]], width: usize, block: &mut [f32], map: impl Fn(usize, T) -> f32) {
    // Some columns at a time: they read as many streams, and write whole cache lines.
    for (group, rows) in rows.chunks(2 * LANES).enumerate() {
        for (feature, line) in block.chunks_exact_mut(width).enumerate() {
            let line = &mut line[group * 2 * LANES..][..rows.len()];
            for (to, row) in line.iter_mut().zip(rows) {
                *to = map(feature, row[feature]);
            }
        }
    }
    if rows.len() < width {
        block.chunks_exact_mut(width).for_each(|line| line[rows.len()..].fill(0.0));
    }
}

/// Checks that samples can be the input of a network: their shape, by [`check_shape`], and their scaling.
///
/// # Errors
/// [`DataError`] names both shapes, or both numbers of channels.
pub fn check(samples: &Samples, input: &[usize]) -> Result<(), DataError> {
    check_shape(&samples.shape, input)?;
    samples.check_scaling()
}

/// Checks that samples of one shape can be the input of a network for another: the same shape, but for sides of 1, or a
/// vector with as many elements on either side.
///
/// # Errors
/// [`DataError`] names both shapes.
fn check_shape(samples: &[usize], input: &[usize]) -> Result<(), DataError> {
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
    use crate::data::Values;
    use crate::model::Scaling;
    use std::sync::Arc;

    #[test]
    fn fills_columns_and_zeros_the_rest() {
        let samples = Samples::new(vec![3], (0..60).collect(), Vec::new(), Scaling::Raw).unwrap();
        let mut block = vec![f32::NAN; 3 * 24];
        let indices: Vec<usize> = (1..19).collect();
        fill(&samples, &indices, &samples.affine(), 24, &mut block);
        for feature in 0..3 {
            for column in 0..24 {
                let expected = if column < 18 { (3 * (column + 1) + feature) as f32 } else { 0.0 };
                assert_eq!(block[feature * 24 + column], expected);
            }
        }
    }

    #[test]
    fn each_channel_has_its_own_scaling() {
        let own = Scaling::PerChannel { means: vec![1.0, -2.0], deviations: vec![2.0, 0.5] };
        let floats = Values::Floats(Arc::new(vec![1.0, 3.0, -2.0, 0.0, 5.0, 7.0, 8.0, 9.0]));
        let samples = Samples::of_values(vec![2, 1, 2], floats, Vec::new(), own.clone()).unwrap();
        let mut block = vec![f32::NAN; 4 * 2];
        fill(&samples, &[1, 0], &samples.affine(), 2, &mut block);
        assert_eq!(block, [2.0, 0.0, 3.0, 1.0, 20.0, 0.0, 22.0, 4.0]);
        assert!(check(&samples, &[4]).is_ok());
        let wide = Samples { shape: vec![4], ..samples };
        assert!(check(&wide, &[4]).unwrap_err().to_string().contains("channels of the scaling: expected 4"));
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
