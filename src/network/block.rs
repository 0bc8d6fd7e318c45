//! From samples, one after the other, to a block `[features, n]` with the samples side by side.

use crate::data::resample::{COLOURS, Resample, scaled_sides};
use crate::data::{Row, Samples};
use crate::error::DataError;
use crate::kernels::LANES;
use std::borrow::Cow;

/// How the numbers of samples become the input of a network: where in a sample each is, and its factor and offset.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The shape of a sample, once it has the size that the network reads.
    shape: Vec<usize>,
    /// How it gets there.
    resample: Option<Resample>,
    /// For each number of the input its place in such a sample, and how it is scaled: the network sees `factor * number + offset`.
    places: Vec<(u32, f32, f32)>,
}

impl Entry {
    /// Samples `[channels, height, width]` enter a network for `[height, width, channels]` with their channels last; others have to be of its
    /// shape, but for sides of 1, or a vector with as many elements on either side. Coloured pictures, bytes of three channels, may have other sides: their
    /// middle part is scaled to the network's.
    ///
    /// # Errors
    /// [`DataError`] names both shapes, or how many channels the scaling and the samples have.
    pub fn new(samples: &Samples, input: &[usize]) -> Result<Self, DataError> {
        samples.check_scaling()?;
        let (shape, resample) = match scaled_sides(samples, input) {
            Some((from, to)) => (vec![COLOURS, to[0], to[1]], Some(Resample::new(from, to))),
            None => (samples.shape.clone(), None),
        };
        let of_sample = samples.affine_of(&shape);
        let scaled = |place: usize| (place as u32, of_sample[place].0, of_sample[place].1);
        let places = match (shape.as_slice(), input) {
            (shape, input) if fits(shape, input) => (0..of_sample.len()).map(scaled).collect(),
            (&[channels, height, width], &[rows, columns, last])
                if [channels, height, width] == [last, rows, columns] =>
            {
                let pixels = height * width;
                (0..pixels * channels).map(|at| scaled(at % channels * pixels + at / channels)).collect()
            }
            (shape, _) => {
                return Err(DataError { what: "shape", expected: format!("{input:?}"), got: format!("{shape:?}") });
            }
        };
        Ok(Entry { shape, resample, places })
    }

    /// The shape of a sample at the size that the network reads.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// For each number of the input its place in a sample of that size.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|&(place, ..)| place as usize)
    }

    /// The bytes of a sample at that size.
    pub fn sized<'a>(&self, row: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(resample) = &self.resample else { return Cow::Borrowed(row) };
        let planes = row.chunks_exact(row.len() / COLOURS);
        planes.flat_map(|plane| resample.apply(plane)).map(|pixel| pixel.round() as u8).collect()
    }

    /// Writes samples into columns of `block` `[features, width]`, and zeros the columns after them.
    pub fn fill(&self, samples: &Samples, indices: &[usize], width: usize, block: &mut [f32]) {
        let (mut bytes, mut floats): (Vec<Cow<[u8]>>, Vec<&[f32]>) = (Vec::new(), Vec::new());
        for &index in indices {
            match samples.row(index) {
                Row::Bytes(row) => bytes.push(self.sized(row)),
                Row::Floats(row) => floats.push(row),
            }
        }
        // All rows are of one kind.
        match floats.is_empty() {
            true => self.transpose(&bytes.iter().map(|row| &row[..]).collect::<Vec<_>>(), width, block),
            false => self.transpose(&floats, width, block),
        }
    }

    /// Writes `rows`, which have that size and are not scaled yet, into columns of `block` `[features, width]`, and zeros the columns after them.
    pub fn transpose<T: Copy + Into<f32>>(&self, rows: &[&[T]], width: usize, block: &mut [f32]) {
        // Some columns at a time: they read as many streams, and write whole cache lines.
        for (group, rows) in rows.chunks(2 * LANES).enumerate() {
            for (line, &(place, factor, offset)) in block.chunks_exact_mut(width).zip(&self.places) {
                let line = &mut line[group * 2 * LANES..][..rows.len()];
                for (to, row) in line.iter_mut().zip(rows) {
                    *to = factor * row[place as usize].into() + offset;
                }
            }
        }
        if rows.len() < width {
            block.chunks_exact_mut(width).for_each(|line| line[rows.len()..].fill(0.0));
        }
    }
}

/// Whether samples of one shape are the input of a network for another as they are.
fn fits(samples: &[usize], input: &[usize]) -> bool {
    let sides = |shape: &[usize]| shape.iter().copied().filter(|&side| side != 1).collect::<Vec<_>>();
    let elements = |shape: &[usize]| shape.iter().product::<usize>();
    let vector = samples.len() == 1 || input.len() == 1;
    sides(samples) == sides(input) || (vector && elements(samples) == elements(input))
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
        Entry::new(&samples, &[3]).unwrap().fill(&samples, &indices, 24, &mut block);
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
        Entry::new(&samples, &[4]).unwrap().fill(&samples, &[1, 0], 2, &mut block);
        assert_eq!(block, [2.0, 0.0, 3.0, 1.0, 20.0, 0.0, 22.0, 4.0]);
        let wide = Samples { shape: vec![4], ..samples };
        assert!(Entry::new(&wide, &[4]).unwrap_err().to_string().contains("channels of the scaling: expected 4"));
    }

    #[test]
    fn channels_come_last_where_the_network_has_them_last() {
        let own = Scaling::PerChannel { means: vec![0.0, 100.0], deviations: vec![1.0, 10.0] };
        let floats = Values::Floats(Arc::new((0..12).map(|value| value as f32).collect()));
        let samples = Samples::of_values(vec![2, 2, 3], floats, Vec::new(), own).unwrap();
        let mut block = vec![f32::NAN; 12];
        Entry::new(&samples, &[2, 3, 2]).unwrap().fill(&samples, &[0], 1, &mut block);
        let last: Vec<f32> = (0..6).flat_map(|pixel| [pixel as f32, (pixel as f32 + 6.0 - 100.0) / 10.0]).collect();
        assert!(block.iter().zip(&last).all(|(got, expected)| (got - expected).abs() < 1e-5), "{block:?}");
        Entry::new(&samples, &[2, 2, 3]).unwrap().fill(&samples, &[0], 1, &mut block);
        assert_eq!(block[..3], [0.0, 1.0, 2.0]);
        assert!(Entry::new(&samples, &[3, 2, 2]).is_err());
    }

    #[test]
    fn coloured_pictures_of_other_sides_are_scaled() {
        let own = Scaling::PerChannel { means: vec![0.0, 0.0, 1.0], deviations: vec![1.0, 0.5, 1.0] };
        let bytes: Vec<u8> = [51, 102, 204].into_iter().flat_map(|byte| [byte; 6 * 8]).collect();
        let samples = Samples::new(vec![3, 6, 8], [bytes.clone(), bytes].concat(), Vec::new(), own).unwrap();
        let mut block = vec![f32::NAN; 3 * 4 * 2];
        let entry = Entry::new(&samples, &[3, 2, 2]).unwrap();
        assert_eq!(entry.shape(), [3, 2, 2]);
        entry.fill(&samples, &[0, 1], 2, &mut block);
        let expected = [[0.2; 8], [0.8; 8], [-0.2; 8]].concat();
        assert!(block.iter().zip(&expected).all(|(got, expected)| (got - expected).abs() < 1e-6), "{block:?}");
        Entry::new(&samples, &[2, 2, 3]).unwrap().fill(&samples, &[0, 1], 2, &mut block);
        assert!((block[2] - 0.8).abs() < 1e-6 && (block[4] + 0.2).abs() < 1e-6, "{block:?}");
        // Not so where it is not known that they are pictures.
        let floats = Samples { values: samples.values.clone().into_floats(), ..samples.clone() };
        assert!(Entry::new(&floats, &[3, 2, 2]).is_err());
        let grey = Samples { scaling: Scaling::Unit, shape: vec![1, 6, 24], ..samples };
        assert!(Entry::new(&grey, &[1, 2, 2]).is_err());
    }

    #[test]
    fn shapes_fit_if_they_mean_the_same() {
        for (samples, input) in [(&[1, 28, 28][..], &[784][..]), (&[784], &[1, 28, 28]), (&[28, 28], &[1, 28, 28])] {
            assert!(fits(samples, input));
        }
        assert!(!fits(&[28, 28, 3], &[3, 28, 28]));
        assert!(!fits(&[1, 28, 28], &[1, 32, 32]));
    }
}
