//! Rounding with error feedback: what rounding one weight of a row does to the layer's output is made up for by the weights of that row that are
//! still to be rounded (Frantar et al. 2023, "GPTQ", after the optimal brain surgeon; with the price of a bit in the decision, as
//! Conzelmann and Bamler 2025, "CERWU").
//!
//! The output's error is `e C e^T` for the errors `e` of a row and the covariance `C` of the layer's inputs. With `U` upper triangular and
//! `U^T U = C^-1`, an error in column `i` is best answered in the columns `j > i` by `-U_ij / U_ii` times it.

use crate::parallel::for_each;
use crate::stages::noise::Rounding;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

/// Added to the variances, relative to their mean, so that inputs that never move do not draw errors.
const RIDGE: f64 = 0.01;
/// Columns that are rounded one by one before their errors go on to all others at once.
const COLUMNS: usize = 64;
/// Rows that are rounded together.
const ROWS: usize = 64;
/// How the numbers of a column become symbols.
pub trait Columns: Sync {
    /// Rows that are rounded together.
    fn rows(&self) -> usize {
        ROWS
    }

    /// Rounds some rows of a column, from the `first` one on, in units of symbols.
    fn round(&self, first: usize, column: usize, weights: &[f32], symbols: &mut [i16]);
}

impl Columns for Rounding {
    fn round(&self, _first: usize, _column: usize, weights: &[f32], symbols: &mut [i16]) {
        weights.iter().zip(symbols).for_each(|(&value, symbol)| *symbol = self.symbol(value));
    }
}

/// Where the errors of the columns go.
#[derive(Debug, Clone)]
pub enum Feedback {
    /// Nowhere.
    None,
    /// To all later columns alike, so that the sum of a row's errors stays near 0: `C = I + strength 1 1^T`. For inputs of which nothing is known but
    /// that they have a mean (as SQuant, Guo et al. 2022).
    Sums {
        /// How much of the errors goes on.
        strength: f64,
    },
    /// As the covariances of the inputs say: for each block of columns, one after the other, `[columns, columns]`.
    Covariances(Vec<Array2<f32>>),
}

impl Feedback {
    /// For blocks of inputs with these covariances, `[inputs, inputs]` each, known from so many `observations` that do not depend on each other.
    ///
    /// Fewer observations than inputs do not tell a covariance: its entries beside the diagonal are shrunk by `d / (d + observations)`, at least 0.05.
    pub fn of_covariances(covariances: &[Array2<f32>], observations: f64) -> Self {
        Feedback::Covariances(covariances.iter().map(|covariance| answers(covariance, observations)).collect())
    }
}

/// The answers `U_ij / U_ii` to an error of each column, `[inputs, inputs]`; 0 for `j <= i`.
fn answers(covariance: &Array2<f32>, observations: f64) -> Array2<f32> {
    let count = covariance.nrows();
    let shrunk = (count as f64 / (count as f64 + observations)).max(0.05);
    let mean = covariance.diag().iter().map(|&variance| f64::from(variance)).sum::<f64>() / count.max(1) as f64;
    let ridge = (RIDGE * mean).max(f64::MIN_POSITIVE);
    // From the last to the first, so that the usual lower factor of it is the upper one that is needed.
    let at = |i: usize, j: usize| {
        let value = f64::from(covariance[[count - 1 - i, count - 1 - j]]);
        if i == j { value + ridge } else { (1.0 - shrunk) * value }
    };
    let mut factor: Vec<f64> = vec![0.0; count * count];
    for i in 0..count {
        let (above, row) = factor.split_at_mut(i * count);
        for j in 0..i {
            let other = &above[j * count..][..count];
            row[j] = (at(i, j) - dot(&row[..j], &other[..j])) / other[j];
        }
        // The ridge keeps the pivots above 0 but for rounding.
        row[i] = (at(i, i) - dot(&row[..i], &row[..i])).max(ridge).sqrt();
    }
    // The inverse of the lower factor, column by column, kept transposed so that what is summed lies side by side.
    let mut inverse: Vec<f64> = vec![0.0; count * count];
    for (j, column) in inverse.chunks_exact_mut(count).enumerate() {
        column[j] = 1.0 / factor[j * count + j];
        for i in j + 1..count {
            let row = &factor[i * count..][..count];
            column[i] = -dot(&row[j..i], &column[j..i]) / row[i];
        }
    }
    // U_ij of the upper one is the inverse's at the places counted from the end: row count-1-i, column count-1-j.
    Array2::from_shape_fn((count, count), |(i, j)| {
        let at = |j: usize| inverse[(count - 1 - j) * count + count - 1 - i];
        if j > i { (at(j) / at(i)) as f32 } else { 0.0 }
    })
}

/// The sum of products, in four sums at a time.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (fours, rest) = a.as_chunks::<4>();
    let (others, last) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (four, other) in fours.iter().zip(others) {
        for lane in 0..4 {
            sums[lane] += four[lane] * other[lane];
        }
    }
    sums.iter().sum::<f64>() + rest.iter().zip(last).map(|(a, b)| a * b).sum::<f64>()
}

/// Rounds `weights`, `[rows, inputs]`, to symbols in the same order, each worth a step. `feedbacks` are those of as many groups of rows, in order.
pub fn round(weights: ArrayView2<f32>, step: f32, feedbacks: &[Feedback], rounding: &impl Columns) -> Vec<i16> {
    struct Job<'a> {
        first: usize,
        rows: ArrayView2<'a, f32>,
        feedback: &'a Feedback,
        symbols: Vec<i16>,
    }
    let group = weights.nrows().div_ceil(feedbacks.len().max(1)).max(1);
    let mut jobs = Vec::new();
    for (index, feedback) in feedbacks.iter().enumerate() {
        let end = ((index + 1) * group).min(weights.nrows());
        for first in (index * group..end).step_by(rounding.rows()) {
            let rows = weights.slice_move(s![first..end.min(first + rounding.rows()), ..]);
            jobs.push(Job { first, rows, feedback, symbols: Vec::new() });
        }
    }
    for_each(&mut jobs, |job| {
        let round = |column: usize, weights: &[f32], symbols: &mut [i16]| {
            rounding.round(job.first, column, weights, symbols);
        };
        job.symbols = round_rows(job.rows.mapv(|weight| weight / step), job.feedback, round);
    });
    jobs.into_iter().flat_map(|job| job.symbols).collect()
}

/// What rounded weights are to be multiplied by, so that the outputs are nearest to those of `weights`, `[rows, inputs]`: `w C q / q C q` over all rows. Where
/// most weights become 0, the others alone make the outputs too small. `covariances` are those of as many groups of rows, in blocks.
pub fn scale(weights: ArrayView2<f32>, step: f32, symbols: &[i16], covariances: &[Vec<Array2<f32>>]) -> f32 {
    let (outputs, inputs) = weights.dim();
    let Ok(rounded) =
        Array2::from_shape_vec((outputs, inputs), symbols.iter().map(|&own| step * f32::from(own)).collect())
    else {
        return 1.0;
    };
    let group = outputs.div_ceil(covariances.len().max(1)).max(1);
    let (mut both, mut own) = (0.0, 0.0);
    for (index, blocks) in covariances.iter().enumerate() {
        let rows = (index * group).min(outputs)..((index + 1) * group).min(outputs);
        let mut first = 0;
        for covariance in blocks {
            let columns = first..first + covariance.nrows();
            let part = s![rows.clone(), columns.clone()];
            let (weights, rounded) = (weights.slice(part), rounded.slice(part));
            let answers = rounded.dot(covariance);
            both += f64::from((&weights * &answers).sum());
            own += f64::from((&rounded * &answers).sum());
            first = columns.end;
        }
    }
    let scale = (both / own) as f32;
    if scale.is_normal() { scale.clamp(0.5, 2.0) } else { 1.0 }
}

/// Rounds some rows, in units of symbols.
fn round_rows(rows: Array2<f32>, feedback: &Feedback, round: impl Fn(usize, &[f32], &mut [i16])) -> Vec<i16> {
    let (count, inputs) = rows.dim();
    let mut symbols = vec![0; count * inputs];
    let mut put = |column: usize, own: &[i16]| {
        own.iter().enumerate().for_each(|(row, &symbol)| symbols[row * inputs + column] = symbol);
    };
    match feedback {
        Feedback::None => round_sums(&rows, 0.0, round, put),
        Feedback::Sums { strength } => round_sums(&rows, *strength, round, put),
        Feedback::Covariances(blocks) => {
            let (mut wanted, mut first) = (rows, 0);
            for answers in blocks {
                let end = first + answers.nrows();
                let put = |column: usize, own: &[i16]| put(first + column, own);
                let round = |column: usize, weights: &[f32], symbols: &mut [i16]| {
                    round(first + column, weights, symbols);
                };
                round_block(wanted.slice_mut(s![.., first..end]), answers, round, put);
                first = end;
            }
        }
    }
    symbols
}

/// Rounds rows so that the sums of their errors stay near 0, if errors have any strength.
fn round_sums(
    rows: &Array2<f32>,
    strength: f64,
    round: impl Fn(usize, &[f32], &mut [i16]),
    mut put: impl FnMut(usize, &[i16]),
) {
    let (count, inputs) = rows.dim();
    let (mut carried, mut wanted, mut symbols) = (vec![0.0; count], vec![0.0; count], vec![0; count]);
    for (column, weights) in rows.columns().into_iter().enumerate() {
        for ((wanted, weight), carried) in wanted.iter_mut().zip(weights).zip(&carried) {
            *wanted = weight + carried;
        }
        round(column, &wanted, &mut symbols);
        put(column, &symbols);
        let share = (strength / (1.0 + strength * (inputs - 1 - column) as f64)) as f32;
        for ((carried, wanted), &symbol) in carried.iter_mut().zip(&wanted).zip(&symbols) {
            *carried += (wanted - f32::from(symbol)) * share;
        }
    }
}

/// Rounds the columns of a block.
fn round_block(
    mut wanted: ArrayViewMut2<f32>,
    answers: &Array2<f32>,
    round: impl Fn(usize, &[f32], &mut [i16]),
    mut put: impl FnMut(usize, &[i16]),
) {
    let (rows, inputs) = wanted.dim();
    let mut symbols = vec![0; rows];
    for first in (0..inputs).step_by(COLUMNS) {
        let end = inputs.min(first + COLUMNS);
        // Column after column, each of which becomes its errors.
        let mut columns: Vec<Vec<f32>> = (first..end).map(|column| wanted.column(column).to_vec()).collect();
        for column in 0..columns.len() {
            let (own, later) = columns[column..].split_at_mut(1);
            let own = &mut own[0];
            round(first + column, own, &mut symbols);
            put(first + column, &symbols);
            own.iter_mut().zip(&symbols).for_each(|(wanted, &symbol)| *wanted -= f32::from(symbol));
            for (later, answer) in later.iter_mut().zip(answers.slice(s![first + column, first + column + 1..end])) {
                later.iter_mut().zip(&*own).for_each(|(later, error)| *later -= error * answer);
            }
        }
        if end < inputs {
            let errors = Array2::from_shape_fn((rows, end - first), |(row, column)| columns[column][row]);
            let answers = answers.slice(s![first..end, end..]);
            general_mat_mul(-1.0, &errors, &answers, 1.0, &mut wanted.slice_mut(s![.., end..]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn uniform(shape: (usize, usize), seed: u64) -> Array2<f32> {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        Array2::from_shape_simple_fn(shape, || rng.random::<f32>() - 0.5)
    }

    /// Covariances of inputs that have much in common.
    fn covariance(inputs: usize) -> Array2<f32> {
        let mixed = uniform((inputs, 3), 5);
        mixed.dot(&mixed.t()) + 0.02 * Array2::<f32>::eye(inputs)
    }

    /// What plain rounding costs, in units of a step, and which symbols it gives.
    fn rounding() -> Rounding {
        Rounding::new(&[-2.0, -1.0, 0.0, 1.0, 2.0], 1.0)
    }

    fn noise(weights: &Array2<f32>, symbols: &[i16], covariance: &Array2<f32>) -> f32 {
        let rounded = Array2::from_shape_vec(weights.dim(), symbols.iter().map(|&s| f32::from(s)).collect()).unwrap();
        let errors = weights - &rounded;
        (&errors.dot(covariance) * &errors).sum()
    }

    #[test]
    fn an_error_is_answered_as_least_squares_would() {
        let covariance = covariance(6);
        let answers = answers(&covariance, f64::INFINITY);
        // The same matrix, as it is shrunk.
        let mean = covariance.diag().sum() / 6.0;
        let full = Array2::from_shape_fn((6, 6), |(i, j)| {
            if i == j { covariance[[i, i]] + RIDGE as f32 * mean } else { 0.95 * covariance[[i, j]] }
        });
        for i in 0..5 {
            // The gradient at the later columns is 0 if they are moved by the answer.
            for j in i + 1..6 {
                let moved: f32 = (i + 1..6).map(|k| -answers[[i, k]] * full[[j, k]]).sum();
                assert!((moved - full[[j, i]]).abs() < 1e-5, "{i} {j}: {moved} {}", full[[j, i]]);
            }
            assert!((0..=i).all(|j| answers[[i, j]] == 0.0));
        }
    }

    #[test]
    fn feedback_makes_less_noise_than_plain_rounding_where_inputs_are_correlated() {
        // More than one block of columns, and more than one of rows.
        let (covariance, weights) = (covariance(150), 6.0 * uniform((40, 150), 8));
        let feedback = Feedback::of_covariances(
            &[covariance.slice(s![..90, ..90]).to_owned(), covariance.slice(s![90.., 90..]).to_owned()],
            1e6,
        );
        let plain = noise(&weights, &round(weights.view(), 1.0, &[Feedback::None], &rounding()), &covariance);
        let fed = noise(&weights, &round(weights.view(), 1.0, &[feedback], &rounding()), &covariance);
        assert!(fed < 0.3 * plain, "{fed} {plain}");
    }

    #[test]
    fn columns_in_blocks_are_rounded_as_one_by_one() {
        let (covariance, weights) = (covariance(130), 6.0 * uniform((3, 130), 9));
        let answers = answers(&covariance, 1e4);
        let rounding = rounding();
        let mut one_by_one = Vec::new();
        for row in weights.outer_iter() {
            let mut wanted = row.to_owned();
            for column in 0..130 {
                let symbol = rounding.symbol(wanted[column]);
                let error = wanted[column] - f32::from(symbol);
                wanted.scaled_add(-error, &answers.row(column));
                one_by_one.push(symbol);
            }
        }
        let symbols = round(weights.view(), 1.0, &[Feedback::Covariances(vec![answers])], &rounding);
        let same = symbols.iter().zip(&one_by_one).filter(|(a, b)| a == b).count();
        // Sums in another order may decide a tie otherwise.
        assert!(same as f32 > 0.99 * symbols.len() as f32, "{same} of {}", symbols.len());
    }

    #[test]
    fn outputs_that_became_smaller_are_made_as_large_again() {
        let (weights, covariance) = (uniform((8, 12), 4), covariance(12));
        // Two groups, in two blocks each.
        let blocks = vec![covariance.slice(s![..6, ..6]).to_owned(), covariance.slice(s![6.., 6..]).to_owned()];
        let symbols: Vec<i16> = weights.iter().map(|weight| (30.0 * weight).round() as i16).collect();
        let times = scale((30.0 * &weights).view(), 1.0, &symbols, &[blocks.clone(), blocks.clone()]);
        assert!((times - 1.0).abs() < 0.01, "{times}");
        let times = scale((45.0 * &weights).view(), 1.0, &symbols, &[blocks.clone(), blocks]);
        assert!((times - 1.5).abs() < 0.02, "{times}");
        assert_eq!(scale(weights.view(), 1.0, &[0; 96], &[vec![covariance]]), 1.0);
    }

    #[test]
    fn sums_of_errors_stay_near_zero() {
        let weights = 4.0 * uniform((20, 300), 3);
        let sums = |feedback: Feedback| {
            let symbols = round(weights.view(), 1.0, &[feedback], &rounding());
            let ones = Array2::ones((300, 300));
            noise(&weights, &symbols, &ones)
        };
        let (plain, fed) = (sums(Feedback::None), sums(Feedback::Sums { strength: 0.5 }));
        assert!(fed < 0.1 * plain, "{fed} {plain}");
    }

    #[test]
    fn groups_of_rows_have_feedbacks_of_their_own() {
        let weights = 5.0 * uniform((4, 9), 2);
        let feedback = Feedback::of_covariances(&[covariance(9)], 100.0);
        let mixed = round(weights.view(), 1.0, &[Feedback::None, feedback.clone()], &rounding());
        assert_eq!(mixed[..18], round(weights.view(), 1.0, &[Feedback::None], &rounding())[..18]);
        assert_eq!(mixed[18..], round(weights.view(), 1.0, &[feedback], &rounding())[18..]);
    }
}
