//! Labelled or unlabelled samples, and their splits.

pub mod arrays;
mod columns;
pub mod copies;
pub mod csv;
mod dataset;
mod decimal;
#[cfg(feature = "cli")]
pub mod folder;
pub mod gather;
pub mod header;
pub mod idx;
pub mod moments;
mod names;
pub mod open;
mod options;
pub mod order;
#[cfg(feature = "cli")]
mod picture;
mod recognise;
pub mod resample;
pub mod scalings;
mod split;
pub mod synthetic;
pub mod together;

pub use dataset::Dataset;
pub use options::Options;
pub use recognise::{is_dataset, is_part};

use crate::error::DataError;
use crate::model::Scaling;
use ndarray::{Array2, Axis};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::sync::Arc;

/// The numbers of samples, as their file has them. They are shared, never copied: a clone is cheap.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Pixels, as a rule.
    Bytes(Arc<Vec<u8>>),
    /// Anything else. All are finite.
    Floats(Arc<Vec<f32>>),
}

impl Values {
    /// Numbers that were read as floats; as bytes if each is one, and they are not just zeros and ones.
    pub fn of_floats(floats: Vec<f32>) -> Self {
        let whole = floats.iter().all(|&number| (0.0..=255.0).contains(&number) && number.fract() == 0.0);
        if whole && floats.iter().any(|&number| number > 1.0) {
            return Values::Bytes(Arc::new(floats.into_iter().map(|number| number as u8).collect()));
        }
        Values::Floats(Arc::new(floats))
    }

    /// The same numbers as floats.
    pub fn into_floats(self) -> Self {
        match self {
            Values::Bytes(bytes) => Values::Floats(Arc::new(bytes.iter().map(|&byte| f32::from(byte)).collect())),
            floats => floats,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Bytes(bytes) => bytes.len(),
            Values::Floats(floats) => floats.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What samples are answered with.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// The class of each; empty if they are unlabelled.
    Classes(Vec<u32>),
    /// Numbers, `[samples, outputs]`.
    Numbers(Array2<f32>),
}

/// The numbers of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Row<'a> {
    /// As bytes.
    Bytes(&'a [u8]),
    /// As floats.
    Floats(&'a [f32]),
}

/// Samples of one shape. The numbers are shared, never copied: a clone is cheap.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Shape of one sample: `[channels, height, width]` or `[features]`. The first axis is the channels.
    pub shape: Vec<usize>,
    /// All samples, one after the other: `[n, shape...]`, as they are in the file until a batch needs them.
    pub values: Values,
    /// The class of each sample; empty if they are unlabelled.
    pub labels: Arc<Vec<u32>>,
    /// Numbers that a network is to answer with, `[n, outputs]`, where there are no classes.
    pub targets: Option<Arc<Array2<f32>>>,
    /// How they become the numbers that a network sees.
    pub scaling: Scaling,
    /// Which samples these are, as indices into `values` and `labels`: a split is a selection.
    pub selection: Arc<Vec<u32>>,
}

impl Samples {
    /// All of these samples, with classes as IDX files have them; no labels: unlabelled.
    ///
    /// # Errors
    /// [`DataError`] if the lengths do not fit the shape, or each other.
    pub fn new(shape: Vec<usize>, bytes: Vec<u8>, labels: Vec<u8>, scaling: Scaling) -> Result<Self, DataError> {
        let labels = labels.into_iter().map(u32::from).collect();
        Self::of_values(shape, Values::Bytes(Arc::new(bytes)), labels, scaling)
    }

    /// All of these samples; no labels: unlabelled.
    ///
    /// # Errors
    /// As [`Samples::new`].
    pub fn of_values(shape: Vec<usize>, values: Values, labels: Vec<u32>, scaling: Scaling) -> Result<Self, DataError> {
        let size: usize = shape.iter().product();
        if size == 0 || values.is_empty() || !values.len().is_multiple_of(size) {
            let expected = format!("a positive multiple of the {size} of one sample");
            return Err(DataError::new("numbers", expected, values.len()));
        }
        let count = values.len() / size;
        if !labels.is_empty() && labels.len() != count {
            return Err(DataError::new("labels", count, labels.len()));
        }
        let count = u32::try_from(count)
            .map_err(|_| DataError::new("number of samples", format!("at most {}", u32::MAX), count))?;
        let selection = Arc::new((0..count).collect());
        Ok(Samples { shape, values, labels: Arc::new(labels), targets: None, scaling, selection })
    }

    /// All of these samples, with what they are answered with.
    ///
    /// # Errors
    /// As [`Samples::new`].
    pub fn of_answers(
        shape: Vec<usize>,
        values: Values,
        answers: Answers,
        scaling: Scaling,
    ) -> Result<Self, DataError> {
        match answers {
            Answers::Classes(labels) => Self::of_values(shape, values, labels, scaling),
            Answers::Numbers(numbers) => {
                let samples = Self::of_values(shape, values, Vec::new(), scaling)?;
                if numbers.nrows() != samples.len() {
                    let (expected, got) = (samples.len().to_string(), numbers.nrows().to_string());
                    return Err(DataError { what: "targets", expected, got });
                }
                Ok(Samples { targets: Some(Arc::new(numbers)), ..samples })
            }
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.selection.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.selection.is_empty()
    }

    /// Whether their numbers are bytes.
    pub fn are_bytes(&self) -> bool {
        matches!(self.values, Values::Bytes(_))
    }

    /// Whether each has a class.
    pub fn labelled(&self) -> bool {
        !self.labels.is_empty()
    }

    /// The numbers of sample `index` of this selection, as they are in the file.
    pub fn row(&self, index: usize) -> Row<'_> {
        let size: usize = self.shape.iter().product();
        let start = self.selection[index] as usize * size;
        match &self.values {
            Values::Bytes(bytes) => Row::Bytes(&bytes[start..start + size]),
            Values::Floats(floats) => Row::Floats(&floats[start..start + size]),
        }
    }

    /// Factor and offset for each number of a sample: the network sees `factor * number + offset`.
    pub fn affine(&self) -> Vec<(f32, f32)> {
        self.affine_of(&self.shape)
    }

    /// The same for samples of another shape, with as many channels.
    pub fn affine_of(&self, shape: &[usize]) -> Vec<(f32, f32)> {
        let size: usize = shape.iter().product();
        let of_channel = size / shape.first().copied().unwrap_or(1).max(1);
        let affine = |channel: usize| match &self.values {
            Values::Bytes(_) => self.scaling.affine(channel),
            Values::Floats(_) => self.scaling.affine_of_floats(channel),
        };
        (0..size).map(|place| affine(place / of_channel.max(1))).collect()
    }

    /// That the scaling is one for as many channels as the samples have.
    ///
    /// # Errors
    /// [`DataError`] names both numbers.
    pub fn check_scaling(&self) -> Result<(), DataError> {
        let channels = self.shape.first().copied().unwrap_or(1);
        match self.scaling.channels() {
            Some(known) if known != channels => {
                let expected = format!("{channels}, as the samples of shape {:?} have", self.shape);
                Err(DataError::new("channels of the scaling", expected, known))
            }
            _ => Ok(()),
        }
    }

    /// Class of sample `index` of this selection, if they are labelled.
    pub fn label(&self, index: usize) -> Option<usize> {
        self.labels.get(self.selection[index] as usize).map(|&label| label as usize)
    }

    /// One more than the largest label.
    pub fn classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| label as usize + 1)
    }

    /// How many samples of this selection each class has, up to the largest of all labels; empty if they are unlabelled.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes()];
        for label in (0..self.len()).filter_map(|index| self.label(index)) {
            counts[label] += 1;
        }
        counts
    }

    /// The same samples, each with the class at its place in `labels`.
    ///
    /// # Errors
    /// [`DataError`] if there is not one for each.
    pub fn with_labels(&self, labels: &[usize]) -> Result<Samples, DataError> {
        if labels.len() != self.len() {
            return Err(DataError::new("labels", self.len(), labels.len()));
        }
        let count = self.values.len() / self.shape.iter().product::<usize>();
        let mut all = vec![0; count];
        for (&index, &label) in self.selection.iter().zip(labels) {
            all[index as usize] = label as u32;
        }
        Ok(Samples { labels: Arc::new(all), ..self.clone() })
    }

    /// These samples alone, each with the row at its place in `targets` in place of a class.
    ///
    /// # Errors
    /// [`DataError`] if there is not one for each.
    pub fn with_targets(&self, targets: Array2<f32>) -> Result<Samples, DataError> {
        if targets.nrows() != self.len() {
            let (expected, got) = (self.len().to_string(), targets.nrows().to_string());
            return Err(DataError { what: "targets", expected, got });
        }
        let values = self.own_values(&[]);
        let own = Samples::of_values(self.shape.clone(), values, Vec::new(), self.scaling.clone())?;
        Ok(Samples { targets: Some(Arc::new(targets)), ..own })
    }

    /// The targets of this selection, `[samples, outputs]`, if there are some.
    pub fn selected_targets(&self) -> Option<Array2<f32>> {
        let selection: Vec<usize> = self.selection.iter().map(|&index| index as usize).collect();
        self.targets.as_ref().map(|targets| targets.select(Axis(0), &selection))
    }

    /// The same pictures `[channels, height, width]`, left to right, without what they are answered with; `None` if they are no pictures.
    pub fn mirrored(&self) -> Option<Samples> {
        let [_, _, width] = self.shape[..] else { return None };
        fn turn<T>(values: &mut [T], width: usize) {
            values.chunks_mut(width).for_each(<[T]>::reverse);
        }
        let mut values = self.own_values(&[]);
        match &mut values {
            Values::Bytes(bytes) => turn(&mut Arc::<Vec<u8>>::make_mut(bytes)[..], width),
            Values::Floats(floats) => turn(&mut Arc::<Vec<f32>>::make_mut(floats)[..], width),
        }
        Samples::of_values(self.shape.clone(), values, Vec::new(), self.scaling.clone()).ok()
    }

    /// These samples and others of the same shape and kind, without what they are answered with.
    ///
    /// # Errors
    /// [`DataError`] if they are of another shape.
    pub fn and(&self, others: &Samples) -> Result<Samples, DataError> {
        Samples::of_values(self.shape.clone(), self.own_values(&[others]), Vec::new(), self.scaling.clone())
    }

    /// The numbers of these samples, and of others of the same kind, without those that are not selected.
    fn own_values(&self, others: &[&Samples]) -> Values {
        let (mut bytes, mut floats) = (Vec::new(), Vec::new());
        for samples in [&[self], others].concat() {
            for index in 0..samples.len() {
                match samples.row(index) {
                    Row::Bytes(row) => bytes.extend_from_slice(row),
                    Row::Floats(row) => floats.extend_from_slice(row),
                }
            }
        }
        match &self.values {
            Values::Bytes(_) => Values::Bytes(Arc::new(bytes)),
            Values::Floats(_) => Values::Floats(Arc::new(floats)),
        }
    }

    /// The samples `start..end` of this selection; both are cut to what is there.
    pub fn range(&self, start: usize, end: usize) -> Samples {
        let end = end.min(self.len());
        self.with_selection(self.selection[start.min(end)..end].to_vec())
    }

    fn with_selection(&self, selection: Vec<u32>) -> Samples {
        Samples { selection: Arc::new(selection), ..self.clone() }
    }
}

/// Fisher and Yates' shuffle.
pub fn shuffle<T>(items: &mut [T], rng: &mut Pcg64Mcg) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_mirrored_line_by_line_and_joined() {
        let bytes = vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let pictures = Samples::new(vec![1, 2, 3], bytes, vec![0, 1], Scaling::Unit).unwrap();
        let mirrored = pictures.range(1, 2).mirrored().unwrap();
        assert_eq!(mirrored.row(0), Row::Bytes(&[9, 8, 7, 12, 11, 10]));
        let both = pictures.and(&mirrored).unwrap();
        assert_eq!((both.len(), both.row(2), both.labelled()), (3, mirrored.row(0), false));
        let floats = Values::Floats(Arc::new(vec![0.5, 1.5]));
        let line = Samples::of_values(vec![1, 1, 2], floats.clone(), Vec::new(), Scaling::Unit).unwrap();
        assert_eq!(line.mirrored().unwrap().row(0), Row::Floats(&[1.5, 0.5]));
        assert_eq!(Samples::of_values(vec![2], floats, Vec::new(), Scaling::Unit).unwrap().mirrored(), None);
    }
}
