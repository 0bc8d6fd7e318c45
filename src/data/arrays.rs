//! Samples in arrays of numpy: an `.npz` with inputs and classes, perhaps for training and for testing apart, or a single `.npy`.

use super::names::{WORDS, Word, word};
use super::{Answers, Dataset, Samples, Values};
use crate::data::csv::MOST_CLASSES;
use crate::error::{self, Error, LoadError};
use crate::formats::numpy;
use crate::formats::zip::Entry;
use crate::model::{Dtype, Network, Scaling, Tensor};
use ndarray::Array2;
use std::sync::Arc;

const FORMAT: &str = "numpy";
/// As many channels an image has, if it is one.
const CHANNELS: [usize; 3] = [1, 3, 4];

/// Where the channels of images are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Last, if that axis has 1, 3 or 4 and the one after the samples has not; else first.
    #[default]
    Guess,
    /// `[n, channels, height, width]`.
    ChannelsFirst,
    /// `[n, height, width, channels]`.
    ChannelsLast,
}

/// What an array is for, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Inputs { test: bool },
    Classes { test: bool },
}

/// The role of an array: `x`, `y` and their synonyms, with `train` or `test` before or behind them.
fn role(name: &str) -> Option<Role> {
    let name = name.to_ascii_lowercase();
    let with = |part: &str| {
        let before = name.strip_prefix(part).map(|rest| rest.trim_start_matches('_'));
        before.or_else(|| name.strip_suffix(part).map(|rest| rest.trim_end_matches('_'))).map(str::to_owned)
    };
    let of = |wanted: Word| {
        let (_, words) = WORDS.iter().find(|(word, _)| *word == wanted)?;
        words.iter().rev().find_map(|part| with(part))
    };
    let (stem, test) = match (of(Word::Training), of(Word::Test)) {
        (Some(stem), _) => (stem, false),
        (None, Some(stem)) => (stem, true),
        (None, None) => (name.clone(), false),
    };
    // numpy's own names for arrays that are given none.
    match (word(&stem), stem.as_str()) {
        (Some(Word::Inputs), _) | (None, "arr_0") => Some(Role::Inputs { test }),
        (Some(Word::Classes), _) | (None, "arr_1") => Some(Role::Classes { test }),
        _ => None,
    }
}

/// Whether an archive has an array of inputs, by its name.
pub fn is_dataset(entries: &[Entry]) -> bool {
    let names = entries.iter().filter_map(|entry| entry.name.strip_suffix(".npy"));
    names.into_iter().any(|name| matches!(role(name), Some(Role::Inputs { .. })))
}

/// Reads the samples of an archive; its arrays may take `cap` bytes, once they are unpacked.
///
/// # Errors
/// [`LoadError`] names the array; [`Error::Data`] if there is not one class for each input.
pub fn read_npz(entries: &[Entry], layout: Layout, cap: u64) -> Result<Dataset, Error> {
    let (Network { tensors, .. }, left_out) = numpy::arrays(entries, cap)?;
    // What samples are made of is not left out.
    if let Some((_, error)) = left_out.iter().find(|(name, _)| role(name).is_some()) {
        return Err(error.clone().into());
    }
    let find = |role_wanted: Role| -> Result<Option<&Tensor>, LoadError> {
        let mut found = tensors.iter().filter(|tensor| role(&tensor.name) == Some(role_wanted));
        let first = found.next();
        match (first, found.next()) {
            (Some(first), Some(second)) => {
                let got = format!("'{}' and '{}'", first.name, second.name);
                Err(malformed("names", "one array of inputs and one of classes, for each part", got))
            }
            _ => Ok(first),
        }
    };
    let part = |test: bool| -> Result<Option<Samples>, Error> {
        let (inputs, classes) = (find(Role::Inputs { test })?, find(Role::Classes { test })?);
        inputs.map(|inputs| samples(inputs, classes, layout)).transpose()
    };
    let (training, test) = (part(false)?, part(true)?);
    if training.is_none() && test.is_none() {
        let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).take(8).collect();
        let expected = "an array x, images, data, features or inputs, perhaps with train or test in its name";
        return Err(malformed("names", expected, format!("{names:?}")).into());
    }
    let unused = tensors.iter().filter(|tensor| role(&tensor.name).is_none());
    let unused = unused.map(|tensor| &tensor.name).chain(left_out.iter().map(|(name, _)| name));
    let ignored = unused.map(|name| format!("array '{name}'")).collect();
    Ok(Dataset { format: "npz", training, test, ignored, ..Dataset::default() }.alike())
}

/// Reads one array as unlabelled samples.
///
/// # Errors
/// [`LoadError`] if it is not sound, or not of two to four dimensions.
pub fn read_npy(bytes: &[u8], layout: Layout, cap: u64) -> Result<Dataset, Error> {
    let weights = numpy::read_npy(bytes, cap)?;
    let training = weights.tensors.first().map(|inputs| samples(inputs, None, layout)).transpose()?;
    Ok(Dataset { format: "npy", training, ..Dataset::default() })
}

/// Samples of an array of inputs and, if there is one, one of classes.
///
/// # Errors
/// [`LoadError`] names the array; [`Error::Data`] if there is no sample.
pub fn samples(inputs: &Tensor, classes: Option<&Tensor>, layout: Layout) -> Result<Samples, Error> {
    let place = format!("array '{}'", inputs.name);
    let (&count, sides) = inputs.shape.split_first().unwrap_or((&0, &[]));
    let channels_last = match (layout, sides) {
        (Layout::ChannelsLast, [_, _, _]) => true,
        (Layout::Guess, [first, _, last]) => CHANNELS.contains(last) && !CHANNELS.contains(first),
        _ => false,
    };
    let shape = match *sides {
        [features] => vec![features],
        [height, width] => vec![1, height, width],
        [height, width, channels] if channels_last => vec![channels, height, width],
        [channels, height, width] => vec![channels, height, width],
        _ => {
            let expected = "[n, features], [n, height, width] or [n, channels, height, width]";
            return Err(malformed(&place, expected, format!("{:?}", inputs.shape)).into());
        }
    };
    let values = match inputs.dtype {
        Dtype::U8 => Values::Bytes(Arc::new(moved(inputs.bytes.clone(), &shape, channels_last))),
        _ => {
            let floats = inputs.values();
            if let Some(bad) = floats.iter().find(|number| !number.is_finite()) {
                return Err(malformed(&place, "finite numbers", bad.to_string()).into());
            }
            Values::of_floats(moved(floats, &shape, channels_last))
        }
    };
    let answers = classes.map_or(Ok(Answers::Classes(Vec::new())), |classes| answers(classes, count))?;
    Ok(Samples::of_answers(shape, values, answers, Scaling::Unit)?)
}

/// From `[n, height, width, channels]` to `[n, channels, height, width]`, where the channels are last; `shape` is that of one sample
/// with the channels first.
fn moved<T: Copy>(values: Vec<T>, shape: &[usize], channels_last: bool) -> Vec<T> {
    let &[channels, height, width] = shape else { return values };
    if !channels_last || channels * height * width == 0 {
        return values;
    }
    let mut planes = Vec::with_capacity(values.len());
    for sample in values.chunks_exact(channels * height * width) {
        for channel in 0..channels {
            planes.extend(sample.iter().skip(channel).step_by(channels));
        }
    }
    planes
}

/// What each of `count` samples is answered with: classes, or numbers if they are floats and no classes.
///
/// # Errors
/// [`LoadError`] names the array, if it is neither.
pub fn answers(array: &Tensor, count: usize) -> Result<Answers, LoadError> {
    let classes = labels(array, count);
    let width = array.len().checked_div(count).unwrap_or(0);
    let fractions = || array.dtype.is_float() && array.values().iter().any(|value| value.fract() != 0.0);
    match classes {
        Err(_) if array.shape.first() == Some(&count) && width > 0 && fractions() => {
            let values = array.values();
            if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
                return Err(malformed(format!("array '{}'", array.name), "finite numbers", bad.to_string()));
            }
            let numbers = Array2::from_shape_vec((count, width), values);
            numbers.map(Answers::Numbers).map_err(|error| malformed(&array.name, "a row a sample", error.to_string()))
        }
        classes => classes.map(Answers::Classes),
    }
}

/// The class of each of `count` samples: one integer each, or a row each that is 1 at the class and 0 elsewhere.
///
/// # Errors
/// [`LoadError`] names the array, if it is neither.
pub fn labels(classes: &Tensor, count: usize) -> Result<Vec<u32>, LoadError> {
    let fault = |expected: &str, got: String| malformed(format!("array '{}'", classes.name), expected, got);
    let values = classes.values();
    match classes.shape[..] {
        [rows] | [rows, 1] if rows == count => values
            .iter()
            .map(|&value| match value {
                value if value >= 0.0 && value.fract() == 0.0 && (value as usize) < MOST_CLASSES => Ok(value as u32),
                other => Err(fault(&format!("classes, whole and below {MOST_CLASSES}"), other.to_string())),
            })
            .collect(),
        [rows, width] if rows == count && width > 1 => values
            .chunks_exact(width)
            .map(|row| {
                let ones = row.iter().filter(|&&value| value == 1.0).count();
                let zeros = row.iter().filter(|&&value| value == 0.0).count();
                let class = row.iter().position(|&value| value == 1.0).filter(|_| (ones, zeros) == (1, width - 1));
                class
                    .map(|class| class as u32)
                    .ok_or_else(|| fault("one 1 a row, and zeros", format!("{ones} and {zeros}")))
            })
            .collect(),
        _ => Err(fault(&format!("[{count}] or [{count}, classes]"), format!("{:?}", classes.shape))),
    }
}

fn malformed(place: impl ToString, expected: impl ToString, got: impl ToString) -> LoadError {
    error::malformed(FORMAT, place, expected, got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;
    use crate::formats::zip;
    use crate::model::{Network, Origin, Source};
    use proptest::prelude::*;

    const CAP: u64 = 1 << 20;

    fn tensor(name: &str, shape: &[usize], dtype: Dtype, numbers: &[f32]) -> Tensor {
        let bytes = match dtype {
            Dtype::U8 => numbers.iter().map(|&number| number as u8).collect(),
            Dtype::I64 => numbers.iter().flat_map(|&number| (number as i64).to_le_bytes()).collect(),
            Dtype::F64 => numbers.iter().flat_map(|&number| f64::from(number).to_le_bytes()).collect(),
            _ => numbers.iter().flat_map(|&number| number.to_le_bytes()).collect(),
        };
        Tensor::new(name.into(), shape.to_vec(), dtype, bytes)
    }

    fn npz(tensors: Vec<Tensor>) -> Vec<u8> {
        let origin = Origin { source: Source::Npz, skeleton: Vec::new() };
        numpy::write_npz(&Network::new(tensors, origin)).unwrap()
    }

    fn read(file: &[u8], layout: Layout) -> Result<Dataset, Error> {
        read_npz(&zip::entries(file)?, layout, CAP)
    }

    #[test]
    fn names_say_what_an_array_is_for() {
        let (training, test) = (false, true);
        for (name, expected) in [
            ("x", Some(Role::Inputs { test: training })),
            ("x_train", Some(Role::Inputs { test: training })),
            ("X_test", Some(Role::Inputs { test })),
            ("train_images", Some(Role::Inputs { test: training })),
            ("test_labels", Some(Role::Classes { test })),
            ("target", Some(Role::Classes { test: training })),
            ("data", Some(Role::Inputs { test: training })),
            ("val_images", None),
            ("conv1.weight", None),
        ] {
            assert_eq!(role(name), expected, "{name}");
        }
    }

    #[test]
    fn reads_both_parts_in_either_layout() {
        let pixels: Vec<f32> = (0..24).map(|value| value as f32).collect();
        let file = npz(vec![
            tensor("x_train", &[2, 2, 2, 3], Dtype::U8, &pixels),
            tensor("y_train", &[2, 1], Dtype::I64, &[3.0, 1.0]),
            tensor("x_test", &[1, 2, 2, 3], Dtype::F64, &pixels[..12]),
            tensor("y_test", &[1, 3], Dtype::F32, &[0.0, 1.0, 0.0]),
            tensor("notes", &[1], Dtype::F32, &[0.0]),
        ]);
        let Dataset { training, test, ignored, .. } = read(&file, Layout::Guess).unwrap();
        let (training, test) = (training.unwrap(), test.unwrap());
        assert_eq!((training.shape.as_slice(), training.labels.as_slice()), (&[3, 2, 2][..], &[3, 1][..]));
        assert_eq!(training.row(0), Row::Bytes(&[0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]));
        assert_eq!((test.row(0), test.label(0)), (training.row(0), Some(1)));
        assert_eq!(ignored, ["array 'notes'"]);
        let first = read(&file, Layout::ChannelsFirst).unwrap().training.unwrap();
        assert_eq!(
            (first.shape.as_slice(), first.row(0)),
            (&[2, 2, 3][..], Row::Bytes(&std::array::from_fn::<u8, 12, _>(|i| i as u8)))
        );
    }

    #[test]
    fn floats_stay_floats_and_one_array_has_no_classes() {
        let file = npz(vec![tensor("data", &[2, 2], Dtype::F32, &[0.5, -1.0, 3.0, 4.0])]);
        let samples = read(&file, Layout::Guess).unwrap().training.unwrap();
        assert_eq!((samples.row(1), samples.labelled()), (Row::Floats(&[3.0, 4.0]), false));
        let npy = zip::entries(&file).unwrap()[0].unpack(CAP).unwrap().into_owned();
        assert_eq!(read_npy(&npy, Layout::Guess, CAP).unwrap().training, Some(samples));
    }

    #[test]
    fn floats_that_are_no_classes_are_numbers_to_answer_with() {
        let x = tensor("x", &[2, 1], Dtype::F32, &[0.5, 1.0]);
        for (shape, numbers) in [(vec![2], vec![0.5, -3.0]), (vec![2, 2], vec![0.5, 1.0, 2.0, 3.0])] {
            let y = tensor("y", &shape, Dtype::F32, &numbers);
            let samples = read(&npz(vec![x.clone(), y]), Layout::Guess).unwrap().training.unwrap();
            assert!(!samples.labelled());
            assert_eq!(samples.selected_targets().unwrap().into_raw_vec_and_offset().0, numbers);
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let x = || tensor("x", &[2, 1], Dtype::F32, &[0.5, 1.0]);
        let y = |shape: &[usize], numbers: &[f32]| tensor("y", shape, Dtype::F32, numbers);
        for (tensors, reason) in [
            (vec![x(), y(&[3], &[0.0; 3])], "array 'y': expected [2] or [2, classes], got [3]"),
            (vec![x(), y(&[2], &[0.5, f32::INFINITY])], "array 'y': expected finite numbers, got inf"),
            (vec![x(), y(&[2], &[-1.0, 1.0])], "got -1"),
            (vec![x(), y(&[2, 2], &[1.0, 1.0, 0.0, 1.0])], "array 'y': expected one 1 a row, and zeros, got 2 and 0"),
            (vec![tensor("x", &[1, 1], Dtype::F32, &[f32::NAN])], "array 'x': expected finite numbers, got NaN"),
            (vec![tensor("x", &[2], Dtype::F32, &[1.0, 2.0])], "expected [n, features]"),
            (vec![tensor("x", &[0, 4], Dtype::F32, &[])], "samples, numbers"),
            (vec![x(), tensor("images", &[1, 1], Dtype::F32, &[1.0])], "got 'x' and 'images'"),
            (vec![tensor("weight", &[1, 1], Dtype::F32, &[1.0])], "expected an array x, images, data"),
        ] {
            let error = read(&npz(tensors), Layout::Guess).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    proptest! {
        #[test]
        fn cut_and_changed_files_are_errors_or_samples(at in 0.0f64..1.0, bit in 0u8..8) {
            let x: Vec<f32> = (0..12).map(|value| value as f32 / 3.0).collect();
            let whole = npz(vec![tensor("x", &[3, 4], Dtype::F32, &x), tensor("y", &[3], Dtype::I64, &[0.0, 1.0, 2.0])]);
            let place = (at * whole.len() as f64) as usize;
            prop_assert!(read(&whole[..place], Layout::Guess).is_err());
            let mut changed = whole.clone();
            changed[place] ^= 1 << bit;
            if let Ok(Dataset { training: Some(samples), .. }) = read(&changed, Layout::Guess) {
                prop_assert_eq!(samples.len() * 4, samples.values.len());
            }
        }
    }
}
