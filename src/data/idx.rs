//! The IDX format of MNIST, gzipped or not.
//!
//! Two zero bytes, one byte for the type (8 is an unsigned byte, the only one that is read), one for the number of
//! dimensions, each dimension as a big-endian `u32`, and then the values, row-major
//! (<http://yann.lecun.com/exdb/mnist/>). The first dimension counts the samples.

use super::Samples;
#[cfg(not(target_arch = "wasm32"))]
use crate::error::bad_file;
use crate::error::{Error, LoadError, malformed, too_large, unsupported};
use crate::formats::gzip;
use crate::model::Scaling;
use std::borrow::Cow;

const FORMAT: &str = "IDX";
const UNSIGNED_BYTE: u8 = 0x08;

/// Shape of one image, and the bytes of all of them: `[n, h, w]` gives the shape `[1, h, w]`, `[n, c, h, w]` gives
/// `[c, h, w]`, and `[n, features]` gives `[features]`. At most `cap` bytes are decompressed.
///
/// # Errors
/// [`LoadError`] if the file is damaged, of another type, larger than `cap`, or empty.
pub fn read_images(bytes: &[u8], cap: u64) -> Result<(Vec<usize>, Vec<u8>), LoadError> {
    let (dimensions, values) = read_array(bytes, cap, "images")?;
    let shape = match dimensions[1..] {
        [features] => vec![features],
        [height, width] => vec![1, height, width],
        [channels, height, width] => vec![channels, height, width],
        _ => return Err(malformed(FORMAT, "images", "number of dimensions 2, 3 or 4", dimensions.len())),
    };
    Ok((shape, values))
}

/// The class of each sample. At most `cap` bytes are decompressed.
///
/// # Errors
/// [`LoadError`] if the file is damaged, of another type, larger than `cap`, or empty.
pub fn read_labels(bytes: &[u8], cap: u64) -> Result<Vec<u8>, LoadError> {
    let (dimensions, values) = read_array(bytes, cap, "labels")?;
    match dimensions.len() {
        1 => Ok(values),
        count => Err(malformed(FORMAT, "labels", "number of dimensions 1", count)),
    }
}

/// Samples from the bytes of an image file and, if there is one, of a label file. At most `cap` bytes are decompressed
/// from each. Pixels are scaled to `[0, 1]`.
///
/// # Errors
/// [`Error::Load`] as [`read_images`] and [`read_labels`]; [`Error::Data`] if there is not one label for each image.
pub fn read(images: &[u8], labels: Option<&[u8]>, cap: u64) -> Result<Samples, Error> {
    let (shape, pixels) = read_images(images, cap)?;
    let classes = labels.map_or(Ok(Vec::new()), |labels| read_labels(labels, cap))?;
    Ok(Samples::new(shape, pixels, classes, Scaling::Unit)?)
}

/// Which of MNIST's two sets of files.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `train-...`: to train and to validate with.
    Train,
    /// `t10k-...`: to report with.
    Test,
}

#[cfg(not(target_arch = "wasm32"))]
impl Split {
    /// What a file's name says, without what stands before it.
    fn stems(self) -> &'static [&'static str] {
        match self {
            Split::Train => &["train"],
            Split::Test => &["t10k", "test"],
        }
    }
}

/// The most bytes that a file of [`load_directory`] may hold: 1 GiB.
#[cfg(not(target_arch = "wasm32"))]
pub const DIRECTORY_CAP: u64 = 1 << 30;

/// Whether a directory has a file of images of this set.
///
/// # Errors
/// [`LoadError::File`] if it has several.
#[cfg(not(target_arch = "wasm32"))]
pub fn is_there(directory: &std::path::Path, split: Split) -> Result<bool, LoadError> {
    Ok(find(directory, split, "images", "idx3-ubyte")?.is_some())
}

/// Images and labels from a directory that has MNIST's file names, such as `train-images-idx3-ubyte`, or EMNIST's, such as
/// `emnist-letters-test-images-idx3-ubyte`; a dot in place of the last hyphen but one and an appended `.gz` are known too. Without a file of
/// labels they are unlabelled.
///
/// # Errors
/// [`LoadError::File`] names what was looked for, or could not be read; else as [`read`].
#[cfg(not(target_arch = "wasm32"))]
pub fn load_directory(directory: &std::path::Path, split: Split) -> Result<Samples, Error> {
    let images = find(directory, split, "images", "idx3-ubyte")?;
    let Some(images) = images else {
        let expected = format!("a file such as {}-images-idx3-ubyte or .gz", split.stems()[0]);
        return Err(bad_file(directory.display(), expected, "none").into());
    };
    let labels = find(directory, split, "labels", "idx1-ubyte")?.map(|path| read_file(&path)).transpose()?;
    read(&read_file(&images)?, labels.as_deref(), DIRECTORY_CAP)
}

/// The file of a set, in one of the usual spellings, with any word before it.
#[cfg(not(target_arch = "wasm32"))]
fn find(
    directory: &std::path::Path,
    split: Split,
    what: &str,
    extension: &str,
) -> Result<Option<std::path::PathBuf>, LoadError> {
    let entries = std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| bad_file(directory.display(), "a readable folder", error))?;
    let is_it = |name: &str| {
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        let stem = plain.strip_suffix(extension).and_then(|stem| stem.strip_suffix(['-', '.']));
        let set = stem.and_then(|stem| stem.strip_suffix(what)?.strip_suffix('-'));
        set.is_some_and(|set| split.stems().iter().any(|stem| set == *stem || set.ends_with(&format!("-{stem}"))))
    };
    let mut found: Vec<std::path::PathBuf> = entries
        .iter()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_it) && entry.path().is_file())
        .map(std::fs::DirEntry::path)
        .collect();
    found.sort();
    // The same file, packed and not.
    found.dedup_by(|packed, plain| packed.to_str().and_then(|path| path.strip_suffix(".gz")) == plain.to_str());
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => {
            let names: Vec<_> =
                found.iter().filter_map(|path| path.file_name()).map(|it| it.to_string_lossy()).collect();
            let expected = format!("one file of {what} for {}; put each set in a folder of its own", split.stems()[0]);
            Err(bad_file(directory.display(), expected, names.join(", ")))
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn read_file(path: &std::path::Path) -> Result<Vec<u8>, LoadError> {
    let length = std::fs::metadata(path).map_err(|error| bad_file(path.display(), "a file", error))?.len();
    if length > DIRECTORY_CAP {
        return Err(too_large(FORMAT, path.display(), length, DIRECTORY_CAP));
    }
    std::fs::read(path).map_err(|error| bad_file(path.display(), "a readable file", error))
}

/// All dimensions and all values. Invariant: there is at least one dimension, none is 0, and their product is the
/// number of values.
fn read_array(bytes: &[u8], cap: u64, place: &str) -> Result<(Vec<usize>, Vec<u8>), LoadError> {
    let plain = gzip::decompress(bytes, cap, place)?;
    let header = match plain.as_ref() {
        [0, 0, UNSIGNED_BYTE, count @ 1..=4, rest @ ..] => rest.split_at_checked(4 * usize::from(*count)),
        [0, 0, kind @ (0x09 | 0x0b..=0x0e), 1..=4, ..] => {
            return Err(unsupported(FORMAT, place, format!("type 0x{kind:02x}"), "0x08, unsigned bytes"));
        }
        other => {
            let first = &other[..other.len().min(4)];
            let expected = "the bytes 00 00 08 and 1 to 4 dimensions";
            return Err(malformed(FORMAT, place, expected, format!("{first:02x?}")));
        }
    };
    let Some((header, values)) = header else {
        return Err(malformed(FORMAT, place, "a header of all dimensions", format!("{} bytes in all", plain.len())));
    };
    let dimensions: Vec<usize> =
        header.chunks_exact(4).map(|side| u32::from_be_bytes([side[0], side[1], side[2], side[3]]) as usize).collect();
    let declared = dimensions.iter().try_fold(1u64, |product, &side| product.checked_mul(side as u64));
    if declared.is_none_or(|declared| declared > cap) {
        return Err(too_large(FORMAT, place, declared.unwrap_or(u64::MAX), cap));
    }
    if dimensions.contains(&0) {
        return Err(malformed(FORMAT, place, "dimensions of at least 1", format!("{dimensions:?}")));
    }
    if declared != Some(values.len() as u64) {
        let expected = format!("the {} values of {dimensions:?}", declared.unwrap_or(0));
        return Err(malformed(FORMAT, place, expected, values.len()));
    }
    let start = plain.len() - values.len();
    Ok((dimensions, values_of(plain, start)))
}

/// The bytes from `start` on; those that were decompressed are not copied once more.
fn values_of(bytes: Cow<[u8]>, start: usize) -> Vec<u8> {
    match bytes {
        Cow::Borrowed(bytes) => bytes[start..].to_vec(),
        Cow::Owned(mut bytes) => {
            bytes.drain(..start);
            bytes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;
    use crate::error::DataError;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn idx(kind: u8, dimensions: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, dimensions.len() as u8];
        dimensions.iter().for_each(|side| bytes.extend(side.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn reads_images_of_two_three_and_four_dimensions() {
        struct Case {
            dimensions: &'static [u32],
            shape: &'static [usize],
        }
        let cases = [
            Case { dimensions: &[2, 12], shape: &[12] },
            Case { dimensions: &[2, 3, 4], shape: &[1, 3, 4] },
            Case { dimensions: &[2, 3, 2, 2], shape: &[3, 2, 2] },
        ];
        let values: Vec<u8> = (0..24).collect();
        for Case { dimensions, shape } in cases {
            let file = idx(8, dimensions, &values);
            assert_eq!(read_images(&file, 24), Ok((shape.to_vec(), values.clone())));
            assert_eq!(read_images(&gzip(&file), 100), Ok((shape.to_vec(), values.clone())));
        }
    }

    #[test]
    fn reads_images_with_and_without_labels() {
        let images = idx(8, &[2, 1, 2], &[1, 2, 3, 4]);
        let samples = read(&images, Some(&gzip(&idx(8, &[2], &[7, 9]))), 100).unwrap();
        assert_eq!((samples.len(), samples.row(1), samples.label(1)), (2, Row::Bytes(&[3, 4]), Some(9)));
        assert_eq!(samples.shape, [1, 1, 2]);
        assert!(!read(&images, None, 100).unwrap().labelled());
        assert_eq!(
            read(&images, Some(&idx(8, &[3], &[0; 3])), 100),
            Err(Error::Data(DataError { what: "labels", expected: "2".into(), got: "3".into() }))
        );
    }

    #[test]
    fn refuses_what_is_not_sound_and_says_why() {
        let cases: [(Vec<u8>, &str); 8] = [
            (vec![], "IDX file, images: expected the bytes 00 00 08 and 1 to 4 dimensions, got []"),
            (
                vec![0, 0, 8, 5],
                "IDX file, images: expected the bytes 00 00 08 and 1 to 4 dimensions, got [00, 00, 08, 05]",
            ),
            (vec![0, 0, 8, 3, 0, 0], "IDX file, images: expected a header of all dimensions, got 6 bytes in all"),
            (
                idx(13, &[1, 1, 1], &[0; 4]),
                "IDX file, images: type 0x0d is not supported; supported: 0x08, unsigned bytes",
            ),
            (idx(8, &[2, 2, 2], &[0; 7]), "IDX file, images: expected the 8 values of [2, 2, 2], got 7"),
            (idx(8, &[2, 0, 2], &[]), "IDX file, images: expected dimensions of at least 1, got [2, 0, 2]"),
            (
                idx(8, &[u32::MAX; 3], &[]),
                "IDX file, images: 18446744073709551615 bytes are more than the limit of 100",
            ),
            (idx(8, &[3], &[1, 2, 3]), "IDX file, images: expected number of dimensions 2, 3 or 4, got 1"),
        ];
        for (bytes, message) in cases {
            assert_eq!(read_images(&bytes, 100).unwrap_err().to_string(), message);
        }
        let error = read_labels(&idx(8, &[1, 1, 1], &[0]), 100).unwrap_err();
        assert_eq!(error.to_string(), "IDX file, labels: expected number of dimensions 1, got 3");
    }

    #[test]
    fn every_truncation_is_an_error() {
        for whole in [idx(8, &[2, 2, 2], &[1; 8]), gzip(&idx(8, &[2, 2, 2], &[1; 8]))] {
            for length in 0..whole.len() {
                assert!(read_images(&whole[..length], 100).is_err(), "{length}");
            }
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn finds_the_usual_file_names_and_names_what_is_missing() {
        let directory = std::env::temp_dir().join(format!("nutshell-idx-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(directory.join(name), bytes).unwrap();
        write("train-images.idx3-ubyte", &idx(8, &[1, 1, 2], &[5, 6]));
        write("train-labels-idx1-ubyte.gz", &gzip(&idx(8, &[1], &[4])));
        let samples = load_directory(&directory, Split::Train).unwrap();
        assert_eq!((samples.row(0), samples.label(0)), (Row::Bytes(&[5, 6]), Some(4)));
        let message = load_directory(&directory, Split::Test).unwrap_err().to_string();
        assert!(message.ends_with("expected a file such as t10k-images-idx3-ubyte or .gz, got none"), "{message}");
        write("emnist-letters-test-images-idx3-ubyte.gz", &gzip(&idx(8, &[1, 1, 2], &[7, 8])));
        assert_eq!(load_directory(&directory, Split::Test).unwrap().row(0), Row::Bytes(&[7, 8]));
        write("emnist-digits-test-images-idx3-ubyte", &idx(8, &[1, 1, 2], &[7, 8]));
        let message = load_directory(&directory, Split::Test).unwrap_err().to_string();
        assert!(message.contains("emnist-digits-test-images-idx3-ubyte, emnist-letters-test"), "{message}");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
