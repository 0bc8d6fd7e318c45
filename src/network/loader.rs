//! Batches of samples in a seeded order: each epoch is a shuffle of all.

use super::augment::Augmentation;
use super::block::Entry;
use super::loss::{Loss, labels};
use super::trainer::Batch;
use crate::data::{Row, Samples, shuffle};
use crate::error::DataError;
use crate::parallel;
use ndarray::Array2;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::sync::Arc;

/// Fills batches. What is in one depends on the seed and the step alone, so that training can resume anywhere.
#[derive(Debug, Clone)]
pub struct Loader {
    samples: Samples,
    entry: Entry,
    targets: Arc<Array2<f32>>,
    loss: Loss,
    seed: u64,
    augmentation: Option<Augmentation>,
    /// The epoch that `order` is the order of.
    epoch: Option<u64>,
    order: Vec<u32>,
    /// The images of one batch, augmented, `[n, features]`.
    images: Vec<f32>,
}

impl Loader {
    /// `targets` `[samples, classes]` has the distribution that each sample is to be answered with; `input` is the shape that the network reads.
    ///
    /// # Errors
    /// [`DataError`] if there are no samples, if they are not of that shape, or if there is not a row of targets for each.
    pub fn new(samples: Samples, input: &[usize], targets: Arc<Array2<f32>>, seed: u64) -> Result<Self, DataError> {
        if samples.is_empty() {
            return Err(DataError { what: "samples to train on", expected: "at least 1".into(), got: "none".into() });
        }
        if targets.nrows() != samples.len() {
            let (expected, got) = (samples.len().to_string(), targets.nrows().to_string());
            return Err(DataError { what: "rows of targets", expected, got });
        }
        let entry = Entry::new(&samples, input)?;
        let (order, images) = (Vec::new(), Vec::new());
        Ok(Loader {
            samples,
            entry,
            targets,
            loss: Loss::CrossEntropy,
            seed,
            augmentation: None,
            epoch: None,
            order,
            images,
        })
    }

    /// Changes each image anew whenever it is met. Samples that are not images `[channels, height, width]` stay as they are.
    pub fn with_augmentation(mut self, augmentation: Augmentation) -> Self {
        self.augmentation = Some(augmentation);
        self
    }

    /// Compares the answers with the targets by another loss than the cross-entropy.
    pub fn with_loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// The samples that batches are made of.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// Memory for batches of `n` samples.
    pub fn empty_batch(&self, n: usize) -> Batch {
        Batch { loss: self.loss, ..Batch::new(self.entry.shape().iter().product(), self.targets.ncols(), n) }
    }

    /// Fills `batch` with the samples of a step, counted from 0, when each step takes as many as `batch` holds. An epoch may
    /// end and the next begin inside a batch.
    pub fn fill(&mut self, step: u64, batch: &mut Batch) {
        let n = batch.len();
        let empty = self.empty_batch(0);
        let fits = batch.inputs.dim() == (empty.inputs.nrows(), n) && batch.targets.ncols() == empty.targets.ncols();
        if !fits || !batch.inputs.is_standard_layout() {
            *batch = self.empty_batch(n);
        }
        let count = self.samples.len() as u64;
        let first = step * n as u64;
        let mut indices = Vec::with_capacity(n);
        for at in first..first + n as u64 {
            self.set_epoch(at / count);
            indices.push(self.order[(at % count) as usize] as usize);
        }
        for (mut row, &index) in batch.targets.rows_mut().into_iter().zip(&indices) {
            row.assign(&self.targets.row(index));
        }
        let Some(inputs) = batch.inputs.as_slice_mut() else { return };
        match (self.augmentation, <[usize; 3]>::try_from(self.entry.shape())) {
            (Some(augmentation), Ok(shape)) => {
                let features = shape.iter().product();
                self.images.resize(features * n, 0.0);
                let mut jobs: Vec<(u64, usize, &mut [f32])> = Vec::with_capacity(n);
                for ((at, &index), image) in (first..).zip(&indices).zip(self.images.chunks_exact_mut(features)) {
                    jobs.push((at, index, image));
                }
                let (samples, entry, seed) = (&self.samples, &self.entry, self.seed);
                parallel::for_each(&mut jobs, |(at, index, image)| {
                    let sized;
                    let row = match samples.row(*index) {
                        Row::Bytes(row) => {
                            sized = entry.sized(row);
                            Row::Bytes(&sized)
                        }
                        floats => floats,
                    };
                    augmentation.apply(row, shape, mix(seed ^ 1, *at), image);
                });
                let images: Vec<&[f32]> = self.images.chunks_exact(features).collect();
                self.entry.transpose(&images, n, inputs);
            }
            _ => self.entry.fill(&self.samples, &indices, n, inputs),
        }
    }

    fn set_epoch(&mut self, epoch: u64) {
        if self.epoch != Some(epoch) {
            self.epoch = Some(epoch);
            self.order.clear();
            self.order.extend(0..self.samples.len() as u32);
            shuffle(&mut self.order, &mut Pcg64Mcg::seed_from_u64(mix(self.seed, epoch)));
        }
    }
}

/// A seed of its own for each index: SplitMix64 (Steele, Lea and Flood 2014).
fn mix(seed: u64, index: u64) -> u64 {
    let mut state = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Targets `[samples, classes]` that are sure of each sample's label; for one output, its probability of class 1.
///
/// # Errors
/// [`DataError`] if the samples are unlabelled, or a label is not below `classes`.
pub fn one_hot(samples: &Samples, classes: usize) -> Result<Array2<f32>, DataError> {
    let labels = labels(samples)?;
    let mut targets = Array2::zeros((labels.len(), classes));
    if classes == 1 && labels.iter().all(|&label| label < 2) {
        // One output: how probable the second of two classes is.
        targets.column_mut(0).iter_mut().zip(&labels).for_each(|(target, &label)| *target = label as f32);
        return Ok(targets);
    }
    for (mut row, label) in targets.rows_mut().into_iter().zip(labels) {
        let Some(target) = row.get_mut(label) else {
            let expected = format!("below {classes}, the network's outputs");
            return Err(DataError { what: "label", expected, got: label.to_string() });
        };
        *target = 1.0;
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scaling;

    fn loader(seed: u64) -> Loader {
        let bytes = (0..10u8).flat_map(|i| [i; 4]).collect();
        let labels = (0..10).collect();
        let samples = Samples::new(vec![1, 2, 2], bytes, labels, Scaling::Raw).unwrap();
        let targets = Arc::new(one_hot(&samples, 10).unwrap());
        Loader::new(samples, &[1, 2, 2], targets, seed).unwrap()
    }

    #[test]
    fn an_epoch_meets_each_sample_once_with_its_target() {
        let mut loader = loader(3);
        let mut batch = loader.empty_batch(4);
        let mut met = Vec::new();
        for step in 0..5 {
            loader.fill(step, &mut batch);
            for column in 0..4 {
                let value = batch.inputs[(2, column)] as usize;
                assert_eq!(batch.targets[(column, value)], 1.0);
                met.push(value);
            }
        }
        let (mut first, mut second) = (met[..10].to_vec(), met[10..].to_vec());
        assert_ne!(first, second);
        first.sort_unstable();
        second.sort_unstable();
        assert_eq!(first, (0..10).collect::<Vec<_>>());
        assert_eq!(second, first);
    }

    #[test]
    fn a_batch_depends_on_seed_and_step_alone() {
        let augmented = |seed| loader(seed).with_augmentation(Augmentation::default());
        let mut running = augmented(7);
        let mut batch = running.empty_batch(4);
        (0..9).for_each(|step| running.fill(step, &mut batch));
        let mut resumed = Batch::new(0, 0, 4);
        augmented(7).fill(8, &mut resumed);
        assert_eq!(batch, resumed);
        augmented(8).fill(8, &mut resumed);
        assert_ne!(batch, resumed);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let samples = loader(0).samples;
        assert!(one_hot(&samples, 9).is_err());
        let targets = Arc::new(Array2::zeros((9, 10)));
        assert!(Loader::new(samples.clone(), &[4], targets, 0).is_err());
        assert!(Loader::new(samples.range(0, 0), &[4], Arc::new(Array2::zeros((0, 10))), 0).is_err());
    }
}
