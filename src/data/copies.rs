//! Samples that are nearly the same as others: copies, or augmented pictures on both sides of a split.

use super::{Row, Samples};
use crate::ranking::{key_of, ranked};

/// Numbers that a sample is compared by: means of equal parts of it.
const PARTS: usize = 64;
/// Samples of fewer numbers are alike by nature.
const LEAST_NUMBERS: usize = 16;
/// The most squared distance, as a share of the mean squared distance of samples from their mean.
const NEAR: f64 = 0.003;

/// How many of some samples have one that is nearly the same among others.
///
/// Both are reduced to the means of 64 parts. Sorted by one sum of these, with signs of their own, only those can be near each other whose sums are.
pub fn near_copies(of: &Samples, among: &Samples) -> usize {
    let numbers: usize = of.shape.iter().product();
    if numbers < LEAST_NUMBERS || of.shape != among.shape {
        return 0;
    }
    let (few, many) = (reduced(of), reduced(among));
    let count = many.len().max(1) as f64;
    let parts = few.first().map_or(0, Vec::len);
    let mean: Vec<f64> = (0..parts).map(|part| many.iter().map(|it| it[part]).sum::<f64>() / count).collect();
    let spread: f64 = many.iter().map(|it| distance(it, &mean)).sum::<f64>() / count;
    let near = NEAR * spread;
    // By Cauchy and Schwarz, sums with signs differ by at most this.
    let reach = (near * parts as f64).sqrt();
    let sum = |it: &[f64]| -> f64 {
        it.iter().enumerate().map(|(part, value)| if (part * 0x9e37) & 0x40 == 0 { *value } else { -value }).sum()
    };
    let unordered: Vec<f64> = many.iter().map(|it| sum(it)).collect();
    let order = ranked(many.len(), &|index| key_of(unordered[index]));
    let sums: Vec<(f64, usize)> = order.into_iter().map(|index| (unordered[index], index)).collect();
    let has_copy = |it: &&Vec<f64>| {
        let own = sum(it);
        let first = sums.partition_point(|(sum, _)| *sum < own - reach);
        let near_sums = sums[first..].iter().take_while(|(sum, _)| *sum <= own + reach);
        near_sums.into_iter().any(|&(_, index)| distance(it, &many[index]) <= near)
    };
    few.iter().filter(has_copy).count()
}

fn reduced(samples: &Samples) -> Vec<Vec<f64>> {
    let numbers: usize = samples.shape.iter().product();
    let part = numbers.div_ceil(PARTS);
    let means = |row: &[f32]| {
        row.chunks(part).map(|chunk| chunk.iter().map(|&it| f64::from(it)).sum::<f64>() / chunk.len() as f64).collect()
    };
    let of = |index: usize| match samples.row(index) {
        Row::Bytes(bytes) => means(&bytes.iter().map(|&byte| f32::from(byte)).collect::<Vec<f32>>()),
        Row::Floats(floats) => means(floats),
    };
    (0..samples.len()).map(of).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scaling;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn drawn(count: usize, seed: u64) -> Vec<u8> {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        (0..count * 64).map(|_| rng.random()).collect()
    }

    fn samples(bytes: Vec<u8>) -> Samples {
        Samples::new(vec![1, 8, 8], bytes, Vec::new(), Scaling::Unit).unwrap()
    }

    #[test]
    fn copies_and_what_is_nearly_one_are_found() {
        let training = samples(drawn(300, 1));
        let strangers = drawn(50, 2);
        assert_eq!(near_copies(&samples(strangers.clone()), &training), 0);
        let Row::Bytes(known) = training.row(7) else { panic!() };
        let nearly: Vec<u8> = known.iter().map(|byte| byte.saturating_add(2)).collect();
        assert_eq!(near_copies(&samples([strangers, known.to_vec(), nearly].concat()), &training), 2);
    }

    #[test]
    fn few_numbers_are_alike_by_nature() {
        let points = Samples::new(vec![2], vec![1, 2, 1, 2], Vec::new(), Scaling::Unit).unwrap();
        assert_eq!(near_copies(&points, &points), 0);
    }
}
