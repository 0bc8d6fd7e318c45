//! Labelled or unlabelled samples, and their splits.

pub mod idx;

use crate::error::DataError;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a byte of an image becomes the number that the network sees.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// `byte / 255`, in `[0, 1]`.
    #[default]
    Unit,
    /// `(byte / 255 - mean) / deviation`.
    Standardised {
        /// Of the pixels in `[0, 1]`.
        #[serde(serialize_with = "crate::decimal::number")]
        mean: f32,
        /// Of the pixels in `[0, 1]`; above 0.
        #[serde(serialize_with = "crate::decimal::number")]
        deviation: f32,
    },
    /// The byte itself, 0 to 255.
    Raw,
}

impl Scaling {
    /// The factor and the offset of `factor * byte + offset`.
    pub fn affine(self) -> (f32, f32) {
        match self {
            Scaling::Unit => (1.0 / 255.0, 0.0),
            Scaling::Standardised { mean, deviation } => (1.0 / (255.0 * deviation), -mean / deviation),
            Scaling::Raw => (1.0, 0.0),
        }
    }
}

/// Samples of one shape. The bytes are shared, never copied: a clone is cheap.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Shape of one sample: `[channels, height, width]` or `[features]`.
    pub shape: Vec<usize>,
    /// All samples, one after the other: `[n, shape...]`, as bytes until a batch needs them.
    pub bytes: Arc<Vec<u8>>,
    /// The class of each sample; empty if they are unlabelled.
    pub labels: Arc<Vec<u8>>,
    /// How bytes become numbers.
    pub scaling: Scaling,
    /// Which samples these are, as indices into `bytes` and `labels`: a split is a selection.
    pub selection: Arc<Vec<u32>>,
}

impl Samples {
    /// All of these samples.
    ///
    /// # Errors
    /// [`DataError`] if the lengths do not fit the shape, or each other.
    pub fn new(shape: Vec<usize>, bytes: Vec<u8>, labels: Vec<u8>, scaling: Scaling) -> Result<Self, DataError> {
        let size: usize = shape.iter().product();
        if size == 0 || bytes.is_empty() || !bytes.len().is_multiple_of(size) {
            return Err(DataError {
                what: "bytes",
                expected: format!("a positive multiple of the {size} of one sample"),
                got: bytes.len().to_string(),
            });
        }
        let count = bytes.len() / size;
        if !labels.is_empty() && labels.len() != count {
            return Err(DataError { what: "labels", expected: count.to_string(), got: labels.len().to_string() });
        }
        let count = u32::try_from(count).map_err(|_| DataError {
            what: "number of samples",
            expected: format!("at most {}", u32::MAX),
            got: count.to_string(),
        })?;
        Ok(Samples {
            shape,
            bytes: Arc::new(bytes),
            labels: Arc::new(labels),
            scaling,
            selection: Arc::new((0..count).collect()),
        })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.selection.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.selection.is_empty()
    }

    /// Whether each has a class.
    pub fn labelled(&self) -> bool {
        !self.labels.is_empty()
    }

    /// Bytes of sample `index` of this selection.
    pub fn image(&self, index: usize) -> &[u8] {
        let size: usize = self.shape.iter().product();
        let start = self.selection[index] as usize * size;
        &self.bytes[start..start + size]
    }

    /// Class of sample `index` of this selection, if they are labelled.
    pub fn label(&self, index: usize) -> Option<usize> {
        self.labels.get(self.selection[index] as usize).map(|&label| usize::from(label))
    }

    /// One more than the largest label.
    pub fn classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1)
    }

    /// The samples `start..end` of this selection; both are cut to what is there.
    pub fn range(&self, start: usize, end: usize) -> Samples {
        let end = end.min(self.len());
        self.with_selection(self.selection[start.min(end)..end].to_vec())
    }

    /// The last `validation` samples, and before them the rest: `(training, validation)`.
    /// A seed other than 0 shuffles them first; 0 keeps the file's order, as is the custom with MNIST.
    ///
    /// # Errors
    /// [`DataError`] if nothing would be left to train on.
    pub fn split(&self, validation: usize, seed: u64) -> Result<(Samples, Samples), DataError> {
        if validation == 0 || validation >= self.len() {
            return Err(DataError {
                what: "validation split",
                expected: format!("1 to {} samples", self.len().saturating_sub(1)),
                got: validation.to_string(),
            });
        }
        let mut order = self.selection.to_vec();
        if seed != 0 {
            shuffle(&mut order, &mut Pcg64Mcg::seed_from_u64(seed));
        }
        let held_out = order.split_off(order.len() - validation);
        Ok((self.with_selection(order), self.with_selection(held_out)))
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
