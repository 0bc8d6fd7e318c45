//! Several files of samples that belong together: their names say which of them are for testing, and which hold the classes.

use super::arrays;
use super::csv::{self, LabelColumn};
use super::names::{WORDS, Word, word};
use super::options::Options;
use super::recognise::{is_array, is_dataset};
use super::{Answers, Dataset, Samples};
use crate::error::{Error, bad_file};
use crate::formats::{numpy, zip};
use crate::model::Tensor;
use crate::ranking::ranked_texts;
use serde::Serialize;
use std::sync::Arc;

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Inputs, perhaps with their classes.
    Samples {
        /// Whether they are for testing.
        test: bool,
    },
    /// The classes of inputs in another file.
    Classes {
        /// Whether those are for testing.
        test: bool,
    },
    /// For validation, which is taken from the training samples instead; or how answers are to be handed in.
    Unused,
}

/// Whether a word, or one of the two that it is put together of, such as xtrain and testlabels, says this.
fn says(text: &str, wanted: Word) -> bool {
    if let Some(word) = word(text) {
        return word == wanted;
    }
    let firsts = WORDS.iter().flat_map(|(said, all)| all.iter().map(move |first| (*said, *first)));
    let mut pairs = firsts.filter_map(|(said, first)| Some((said, word(text.strip_prefix(first)?)?)));
    pairs.any(|(first, second)| first == wanted || second == wanted)
}

/// What the words in a file's name say; `None` if they say nothing.
pub fn role(name: &str) -> Option<Role> {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let has = |word| stem.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|text| says(text, word));
    let test = has(Word::Test);
    match () {
        () if has(Word::Validation) || stem.contains("submission") => Some(Role::Unused),
        () if has(Word::Classes) => Some(Role::Classes { test }),
        () if test || has(Word::Training) || has(Word::Inputs) => Some(Role::Samples { test }),
        () => None,
    }
}

/// A file of samples.
#[derive(Debug, Clone)]
pub struct File<'a> {
    /// Its name, without folders.
    pub name: &'a str,
    /// Its bytes, unpacked if they were gzipped.
    pub bytes: &'a [u8],
}

/// Whether a file that was opened with others, or alone, is one of samples. An array may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "SampleChoice"))]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// It is.
    Samples,
    /// It is an array, alone, whose name says that it is one of samples.
    Likely,
    /// It is an array, alone.
    Perhaps,
    /// It is a model, or something else.
    No,
}

/// Which of several files are samples: an array is, if its name says so and another file is one of samples too.
pub fn choose(files: &[File]) -> Vec<Choice> {
    let may_be = |file: &File| is_dataset(file.bytes) || (is_array(file.bytes) && role(file.name).is_some());
    let several = files.iter().filter(|file| may_be(file)).count() > 1;
    let choose = |file: &File| match () {
        () if is_dataset(file.bytes) => Choice::Samples,
        () if !is_array(file.bytes) => Choice::No,
        () if role(file.name).is_some() && several => Choice::Samples,
        () if role(file.name).is_some() => Choice::Likely,
        () if files.len() == 1 => Choice::Perhaps,
        () => Choice::No,
    };
    files.iter().map(choose).collect()
}

/// What a file, or a part of it, gave.
struct Piece<'a> {
    file: &'a File<'a>,
    test: bool,
    content: Content,
}

enum Content {
    /// Samples, and the names of their classes.
    Samples(Samples, Vec<String>),
    /// Inputs without classes.
    Array(Tensor),
    /// Classes without inputs.
    Classes(Tensor),
}

/// Reads files that belong together; a file whose name says nothing has samples for training.
///
/// # Errors
/// [`Error::In`] names the file; [`LoadError::File`] if two files hold the same, classes are without inputs, or the parts do not fit.
pub fn read(files: &[File], options: &Options) -> Result<Dataset, Error> {
    let (mut pieces, mut ignored, mut format, mut label) = (Vec::new(), Vec::new(), "", None);
    let is_test = |role| matches!(role, Role::Samples { test: true } | Role::Classes { test: true });
    let role_of = |file: &File| role(file.name).unwrap_or(Role::Samples { test: false });
    // What is trained with comes first: the rest is to be like it.
    let (first, last): (Vec<_>, Vec<_>) = files.iter().partition(|file| !is_test(role_of(file)));
    for file in first.into_iter().chain(last) {
        let role = role_of(file);
        let test = is_test(role);
        if role == Role::Unused {
            ignored.push(file.name.to_owned());
            continue;
        }
        let dataset = if is_array(file.bytes) {
            let array = numpy::read_npy(file.bytes, options.cap).map_err(|error| inside(file, error.into()))?.tensors;
            let arrays = array.into_iter().map(|array| Tensor { name: file.name.to_owned(), ..array });
            let content = if matches!(role, Role::Classes { .. }) { Content::Classes } else { Content::Array };
            pieces.extend(arrays.map(|array| Piece { file, test, content: content(array) }));
            Dataset { format: "npy", ..Dataset::default() }
        } else {
            let trained = pieces.iter().find_map(|piece: &Piece| match &piece.content {
                Content::Samples(samples, _) if test && !piece.test => Some(samples.shape.as_slice()),
                _ => None,
            });
            one(file, trained, options)?
        };
        format = if format.is_empty() { dataset.format } else { format };
        let Dataset { training, test: held, class_names, ignored: others, label_column, .. } = dataset;
        label = label.or(label_column);
        ignored.extend(others.into_iter().map(|what| format!("{what} of {}", file.name)));
        // A file that has both parts says so itself; else its name does.
        let test_alone = test && held.is_none();
        for (samples, test) in [(training, test_alone), (held, true)] {
            let content = samples.map(|samples| Content::Samples(samples, class_names.clone()));
            pieces.extend(content.map(|content| Piece { file, test, content }));
        }
    }
    let mut training = part(&pieces, false, None, options)?;
    let mut test = part(&pieces, true, training.as_ref().map(|(samples, _)| samples), options)?;
    let class_names = match (&mut training, &mut test) {
        (Some(training), Some(test)) => same_classes(training, test)?,
        (Some((_, names)), None) | (None, Some((_, names))) => names.clone(),
        (None, None) => return Err(misfit("samples", "a file of inputs", "none".into())),
    };
    let [training, test] = [training, test].map(|part| part.map(|(samples, _)| samples));
    Ok(Dataset { format, training, test, class_names, label_column: label, ignored }.alike())
}

/// A table or an archive by itself; `like` is the shape that its samples have to have.
fn one(file: &File, like: Option<&[usize]>, options: &Options) -> Result<Dataset, Error> {
    let cap = options.cap;
    if file.bytes.starts_with(&zip::MAGIC) {
        let read = zip::entries(file.bytes).map_err(Error::from);
        return read
            .and_then(|entries| arrays::read_npz(&entries, options.layout, cap))
            .map_err(|error| inside(file, error));
    }
    let read = |label: &LabelColumn| csv::read(file.bytes, label, options.inputs, cap);
    let fits = |table: &csv::Table| like.is_none_or(|like| table.samples.shape == like);
    let table = match read(&options.label) {
        Ok(table) if fits(&table) => Ok(table),
        // A table to test with may have no classes: then none of its columns is to be taken for them.
        other => read(&LabelColumn::None).ok().filter(|table| like.is_some() && fits(table)).map_or(other, Ok),
    };
    Ok(table.map_err(|error| inside(file, error))?.into())
}

/// Samples, and the names of their classes.
type Named = (Samples, Vec<String>);

/// What the files have for training, or for testing; `like` are the training samples, which those for testing have to be like.
fn part(pieces: &[Piece], test: bool, like: Option<&Samples>, options: &Options) -> Result<Option<Named>, Error> {
    let only = |classes: bool| -> Result<Option<&Piece>, Error> {
        let is_classes = |piece: &Piece| matches!(piece.content, Content::Classes(_));
        let mut found = pieces.iter().filter(|piece| piece.test == test && is_classes(piece) == classes);
        let first = found.next();
        if let (Some(first), Some(second)) = (first, found.next()) {
            let expected = "one file of samples to train with, one to test with, and one of classes for each";
            let got = format!("{} for the same as {}", second.file.name, first.file.name);
            return Err(misfit("samples", expected, got));
        }
        Ok(first)
    };
    let (inputs, classes) = (only(false)?, only(true)?);
    let Some(inputs) = inputs else {
        return match classes {
            None => Ok(None),
            Some(classes) => {
                Err(misfit(classes.file.name, "a file of the inputs that these classes are of", "none".into()))
            }
        };
    };
    let classes = classes.and_then(|piece| match &piece.content {
        Content::Classes(array) => Some(array),
        _ => None,
    });
    let (samples, names) = match &inputs.content {
        Content::Array(array) | Content::Classes(array) => {
            (arrays::samples(array, classes, options.layout)?, Vec::new())
        }
        Content::Samples(samples, names) => match classes {
            None => (samples.clone(), names.clone()),
            Some(classes) if samples.labelled() => {
                let got = format!("classes in {} too", classes.name);
                return Err(misfit(inputs.file.name, "classes in one file", got));
            }
            Some(classes) => {
                let samples = samples.clone();
                let samples = match arrays::answers(classes, samples.len())? {
                    Answers::Classes(labels) => Samples { labels: Arc::new(labels), ..samples },
                    Answers::Numbers(numbers) => Samples { targets: Some(Arc::new(numbers)), ..samples },
                };
                (samples, Vec::new())
            }
        },
    };
    match like.filter(|like| like.shape != samples.shape) {
        None => Ok(Some((samples, names))),
        Some(like) => {
            let expected = format!("samples of the shape {:?}, as those to train with", like.shape);
            Err(misfit(inputs.file.name, &expected, format!("{:?}", samples.shape)))
        }
    }
}

/// Gives both parts one numbering of their classes, where those are words, and returns these.
fn same_classes((training, names): &mut Named, (test, others): &mut Named) -> Result<Vec<String>, Error> {
    if names.is_empty() != others.is_empty() && training.labelled() && test.labelled() {
        let words = |names: &[String]| if names.is_empty() { "numbers" } else { "words" };
        let got = format!("{} to train with and {} to test with", words(names), words(others));
        return Err(misfit("classes", "words or numbers in both files", got));
    }
    let unordered = [names.as_slice(), others].concat();
    let order = ranked_texts(unordered.len(), &|place| unordered[place].clone());
    let mut all: Vec<String> = order.into_iter().map(|place| unordered[place].clone()).collect();
    all.dedup();
    for (samples, own) in [(training, names), (test, others)] {
        let number = |&label: &u32| {
            let place = own.get(label as usize).and_then(|name| all.binary_search(name).ok());
            place.map_or(label, |place| place as u32)
        };
        samples.labels = Arc::new(samples.labels.iter().map(number).collect());
    }
    Ok(all)
}

fn inside(file: &File, error: Error) -> Error {
    Error::In { place: file.name.to_owned(), error: Box::new(error) }
}

fn misfit(place: &str, expected: &str, got: String) -> Error {
    bad_file(place, expected, got).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;

    fn npy(shape: &[usize], bytes: &[u8]) -> Vec<u8> {
        let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({sides}), }}");
        [&b"\x93NUMPY\x01\x00"[..], &[header.len() as u8, 0], header.as_bytes(), bytes].concat()
    }

    fn together(files: &[(&str, &[u8])]) -> Result<Dataset, Error> {
        let files: Vec<File> = files.iter().map(|&(name, bytes)| File { name, bytes }).collect();
        read(&files, &Options::default())
    }

    #[test]
    fn names_say_what_a_file_is_for() {
        let (samples, classes) = (|test| Some(Role::Samples { test }), |test| Some(Role::Classes { test }));
        for (name, expected) in [
            ("train.csv", samples(false)),
            ("test.csv.gz", samples(true)),
            ("x_train.npy", samples(false)),
            ("X-test.npy", samples(true)),
            ("xtest.npy", samples(true)),
            ("ytrain.npy", classes(false)),
            ("y_test.npy", classes(true)),
            ("t10k-labels.npy", classes(true)),
            ("testlabels.npy", classes(true)),
            ("train_images.npy", samples(false)),
            ("x_val.npy", Some(Role::Unused)),
            ("latest.csv", None),
            ("contest_results.csv", None),
            ("weights.npy", None),
            ("fc1.weight.npy", None),
        ] {
            assert_eq!(role(name), expected, "{name}");
        }
    }

    #[test]
    fn an_array_is_samples_if_its_name_and_another_file_say_so() {
        let (array, table) = (npy(&[1, 2], &[1, 2]), b"a,b\n1,2\n".to_vec());
        let model = b"\x08\x07".to_vec();
        let choices = |files: &[(&str, &Vec<u8>)]| {
            choose(&files.iter().map(|&(name, bytes)| File { name, bytes }).collect::<Vec<_>>())
        };
        use Choice::{Likely, No, Perhaps, Samples};
        assert_eq!(choices(&[("x.npy", &array), ("y.npy", &array)]), [Samples, Samples]);
        assert_eq!(choices(&[("train.csv", &table), ("y.npy", &array)]), [Samples, Samples]);
        assert_eq!(choices(&[("x.npy", &array), ("model.onnx", &model)]), [Likely, No]);
        assert_eq!(choices(&[("w.npy", &array)]), [Perhaps]);
        assert_eq!(choices(&[("w.npy", &array), ("v.npy", &array)]), [No, No]);
    }

    #[test]
    fn arrays_are_put_together() {
        let files: [(&str, &[u8]); 4] = [
            ("y_test.npy", &npy(&[1], &[4])),
            ("x_train.npy", &npy(&[2, 2], &[9, 8, 7, 6])),
            ("x_test.npy", &npy(&[1, 2], &[5, 4])),
            ("y_train.npy", &npy(&[2], &[3, 1])),
        ];
        let Dataset { format, training, test, .. } = together(&files).unwrap();
        let (training, test) = (training.unwrap(), test.unwrap());
        assert_eq!((format, training.label(0), training.label(1), test.label(0)), ("npy", Some(3), Some(1), Some(4)));
        assert_eq!((training.row(1), test.row(0)), (Row::Bytes(&[7, 6]), Row::Bytes(&[5, 4])));
        let alone = together(&files[1..2]).unwrap();
        assert!(alone.test.is_none() && !alone.training.unwrap().labelled());
    }

    #[test]
    fn tables_are_put_together_and_their_classes_are_numbered_alike() {
        let train = b"a,b,label\n1,2.5,cat\n3,4,eel\n5,6,cat\n";
        let test = b"a,b,label\n1,2,dog\n3,4,cat\n";
        let Dataset { training, test, class_names, .. } =
            together(&[("train.csv", train), ("test.csv", test)]).unwrap();
        let (training, test) = (training.unwrap(), test.unwrap());
        assert_eq!(class_names, ["cat", "dog", "eel"]);
        assert_eq!((&training.labels[..], &test.labels[..]), (&[0, 2, 0][..], &[1, 0][..]));
        // Whole numbers beside broken ones are floats too.
        assert_eq!((training.row(0), test.row(1)), (Row::Floats(&[1.0, 2.5]), Row::Floats(&[3.0, 4.0])));
    }

    #[test]
    fn a_table_to_test_with_may_have_no_classes() {
        let train = b"a,b,label\n1,2,0\n3,4,1\n5,6,0\n";
        let test = b"a,b\n1,0\n9,0\n9,1\n";
        let Dataset { training, test, .. } = together(&[("train.csv", train), ("test.csv", test)]).unwrap();
        assert_eq!((training.unwrap().labelled(), test.as_ref().unwrap().labelled()), (true, false));
        assert_eq!(test.unwrap().row(1), Row::Bytes(&[9, 0]));
    }

    #[test]
    fn validation_is_left_out() {
        let x = npy(&[2, 2], &[1, 2, 3, 4]);
        let Dataset { ignored, .. } = together(&[("x_val.npy", &x), ("x_train.npy", &x)]).unwrap();
        assert_eq!(ignored, ["x_val.npy"]);
    }

    #[test]
    fn what_does_not_go_together_is_an_error() {
        let (x, wide) = (npy(&[2, 2], &[1, 2, 3, 4]), npy(&[2, 3], &[1, 2, 3, 4, 5, 6]));
        let y = npy(&[3], &[0, 1, 2]);
        let table = b"a,b,label\n1,2,0\n3,4,1\n5,6,0\n";
        let words = b"a,b,label\n1,2,no\n3,4,yes\n5,6,no\n";
        type Files<'a> = &'a [(&'a str, &'a [u8])];
        let cases: [(Files, &str); 8] = [
            (&[("a.npy", &x), ("b.npy", &x)], "got b.npy for the same as a.npy"),
            (&[("train.csv", table), ("a.csv", table)], "got a.csv for the same as train.csv"),
            (&[("x.npy", &x), ("x_test.npy", &wide)], "x_test.npy: expected samples of the shape [2], as those"),
            (&[("y_train.npy", &y)], "y_train.npy: expected a file of the inputs"),
            (&[("x.npy", &x), ("y.npy", &y)], "array 'y.npy': expected [2] or [2, classes], got [3]"),
            (&[("train.csv", table), ("y_train.npy", &y)], "train.csv: expected classes in one file"),
            (&[("train.csv", table), ("test.csv", words)], "got numbers to train with and words to test with"),
            (&[("train.csv", table), ("test.csv", b"a,b,label\n1,x,0\n")], "test.csv: CSV file, line 2"),
        ];
        for (files, reason) in cases {
            let error = together(files).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
