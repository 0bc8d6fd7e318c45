//! Which samples are held out of others.

use super::{Samples, shuffle};
use crate::error::DataError;
use crate::ranking::ranked;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

impl Samples {
    /// `validation` samples, and before them the rest: `(training, validation)`.
    ///
    /// Seed 0 keeps the file's order and holds out its last samples, as is the custom with MNIST. Another one shuffles, and of
    /// labelled samples holds out each class in its share of all (to the nearest whole sample, by largest remainders).
    ///
    /// # Errors
    /// [`DataError`] if nothing would be left to train on.
    pub fn split(&self, validation: usize, seed: u64) -> Result<(Samples, Samples), DataError> {
        if validation == 0 || validation >= self.len() {
            let expected = format!("1 to {} samples", self.len().saturating_sub(1));
            return Err(DataError::new("validation split", expected, validation));
        }
        let mut order = self.selection.to_vec();
        if seed != 0 {
            shuffle(&mut order, &mut Pcg64Mcg::seed_from_u64(seed));
            if self.labelled() {
                order = self.stratified(order, validation);
            }
        }
        let held_out = order.split_off(order.len() - validation);
        Ok((self.with_selection(order), self.with_selection(held_out)))
    }

    /// At most `most` of these samples: the first, or with a seed other than 0 as [`Samples::split`] draws them.
    ///
    /// # Errors
    /// As [`Samples::split`].
    pub fn at_most(&self, most: usize, seed: u64) -> Result<Samples, DataError> {
        if seed == 0 || most >= self.len() {
            return Ok(self.range(0, most));
        }
        Ok(self.split(most, seed)?.1)
    }

    /// The same indices, the last `count` of them with each class in its share; within both parts they keep their order.
    fn stratified(&self, order: Vec<u32>, count: usize) -> Vec<u32> {
        let mut quotas = quotas(&self.class_counts(), count);
        let (mut rest, mut held_out) = (Vec::with_capacity(order.len()), Vec::with_capacity(count));
        for index in order {
            let quota = &mut quotas[self.labels[index as usize] as usize];
            if *quota > 0 {
                *quota -= 1;
                held_out.push(index);
            } else {
                rest.push(index);
            }
        }
        rest.append(&mut held_out);
        rest
    }
}

/// `count`, at most the sum of `sizes`, shared out in proportion to them: what is left by rounding down goes to the largest remainders.
fn quotas(sizes: &[usize], count: usize) -> Vec<usize> {
    let total = sizes.iter().map(|&size| size as u128).sum::<u128>().max(1);
    let exact: Vec<u128> = sizes.iter().map(|&size| size as u128 * count as u128).collect();
    let mut quotas: Vec<usize> = exact.iter().map(|share| (share / total) as usize).collect();
    let classes = ranked(sizes.len(), &|class| u128::MAX - exact[class] % total);
    let left = count - quotas.iter().sum::<usize>();
    for &class in classes.iter().take(left) {
        quotas[class] += 1;
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scaling;
    use proptest::prelude::*;

    fn samples(labels: &[u8]) -> Samples {
        Samples::new(vec![1], vec![0; labels.len()], labels.to_vec(), Scaling::Unit).unwrap()
    }

    #[test]
    fn seed_zero_keeps_the_order() {
        let (training, validation) = samples(&[0, 0, 0, 1, 1]).split(2, 0).unwrap();
        assert_eq!((training.selection.to_vec(), validation.selection.to_vec()), (vec![0, 1, 2], vec![3, 4]));
        assert_eq!(*samples(&[0, 1, 0]).at_most(2, 0).unwrap().selection, [0, 1]);
    }

    #[test]
    fn each_class_is_held_out_in_its_share() {
        // 60, 30 and 10 of 100; the third class is not there.
        let labels: Vec<u8> = (0..100).map(|index| [0, 0, 0, 0, 0, 0, 1, 1, 1, 3][index % 10]).collect();
        let all = samples(&labels);
        let (training, validation) = all.split(25, 7).unwrap();
        assert_eq!(validation.class_counts(), [15, 8, 0, 2]);
        assert_eq!(training.class_counts(), [45, 22, 0, 8]);
        assert_eq!(training.at_most(15, 7).unwrap().class_counts(), [9, 4, 0, 2]);
        assert_eq!(all.split(25, 7).unwrap(), (training.clone(), validation));
        assert_ne!(all.split(25, 8).unwrap().0.selection, training.selection);
        for count in [0, 100] {
            assert!(all.split(count, 7).is_err());
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_share_is_off_by_one(
            labels in prop::collection::vec(0u8..6, 2..80), part in 0.0..1.0, seed in 1u64..9,
        ) {
            let count = ((part * labels.len() as f64) as usize).clamp(1, labels.len() - 1);
            let all = samples(&labels);
            let (training, validation) = all.split(count, seed).unwrap();
            prop_assert_eq!(validation.len(), count);
            let mut met: Vec<u32> = training.selection.iter().chain(&*validation.selection).copied().collect();
            met.sort_unstable();
            prop_assert_eq!(&met, &*all.selection);
            for (held_out, of) in validation.class_counts().into_iter().zip(all.class_counts()) {
                let exact = of as f64 * count as f64 / labels.len() as f64;
                prop_assert!((held_out as f64 - exact).abs() < 1.0);
            }
        }
    }
}
