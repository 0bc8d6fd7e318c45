//! One way to open samples, whatever they are in: what a file is, is told by its bytes, and a folder by what is in it.

use super::arrays;
use super::csv;
#[cfg(feature = "cli")]
use super::folder;
use super::idx;
use super::options::Options;
#[cfg(feature = "cli")]
use super::recognise::is_part;
#[cfg(feature = "cli")]
use super::together;
use super::{Dataset, Samples};
use crate::error::{DataError, Error, LoadError};
#[cfg(feature = "cli")]
use crate::error::{bad_file, too_large};
use crate::formats::{foreign, gzip, is_idx, numpy, reader_of, zip};
#[cfg(feature = "cli")]
use std::fs;
#[cfg(feature = "cli")]
use std::path::{Path, PathBuf};

/// What samples are read from; in the page the browser decodes the pictures.
pub const EXPECTED: &str = "samples as IDX, npz, npy or CSV files, or PNG and JPEG files in a folder or a ZIP archive";

/// Opens a file or a folder.
///
/// # Errors
/// [`LoadError::File`] if it cannot be read or is no data set; else as [`read`].
#[cfg(feature = "cli")]
pub fn open(path: &Path, options: &Options) -> Result<Dataset, Error> {
    let fault = |expected: &str, got: String| bad_file(path.display(), expected, got);
    if path.is_dir() {
        let idx = |split| -> Result<Option<Samples>, Error> {
            Ok(if idx::is_there(path, split)? { Some(idx::load_directory(path, split)?) } else { None })
        };
        let (training, test) = (idx(idx::Split::Train)?, idx(idx::Split::Test)?);
        if training.is_some() || test.is_some() {
            return shaped(Dataset { format: "idx", training, test, ..Dataset::default() }, options);
        }
        let found = match folder::read_directory(path, options.cap)? {
            Some(pictures) => Some(pictures),
            None => parts_of(path, options)?,
        };
        return shaped(found.ok_or_else(|| fault(EXPECTED, "a folder without them".into()))?, options);
    }
    let length = fs::metadata(path).map_err(|error| fault(EXPECTED, error.to_string()))?.len();
    if length > options.cap {
        return Err(too_large("data", path.display(), length, options.cap).into());
    }
    let bytes = fs::read(path).map_err(|error| fault("a readable file", error.to_string()))?;
    let labels = labels_beside(path).map(fs::read).transpose();
    let labels = labels.map_err(|error| fault("readable labels beside it", error.to_string()))?;
    read_with(&bytes, labels.as_deref(), options)
}

/// Reads the tables and arrays of a folder, as far as there are some; of folders in it nothing.
#[cfg(feature = "cli")]
fn parts_of(path: &Path, options: &Options) -> Result<Option<Dataset>, Error> {
    let fault = |path: &Path, error: std::io::Error| bad_file(path.display(), "a readable file", error);
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut paths: Vec<PathBuf> = entries.map_err(|error| fault(path, error))?.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    let (mut files, mut ignored, mut left) = (Vec::new(), Vec::new(), options.cap);
    for path in paths.iter().filter(|path| path.is_file()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let length = fs::metadata(path).map_err(|error| fault(path, error))?.len();
        if name.starts_with('.') {
            continue;
        }
        if length > left {
            return Err(too_large("data", path.display(), length, options.cap).into());
        }
        let bytes = fs::read(path).map_err(|error| fault(path, error))?;
        let plain = gzip::decompress(&bytes, left, "samples")?.into_owned();
        match is_part(&plain) {
            true => {
                left = left.saturating_sub(plain.len() as u64);
                files.push((name, plain));
            }
            false => ignored.push(name),
        }
    }
    if files.is_empty() {
        return Ok(None);
    }
    let files: Vec<together::File> = files.iter().map(|(name, bytes)| together::File { name, bytes }).collect();
    let mut dataset = together::read(&files, options)?;
    dataset.ignored.extend(ignored);
    Ok(Some(dataset))
}

/// Reads the bytes of a file.
///
/// # Errors
/// [`LoadError`] as the format's reader; [`LoadError::UnknownFormat`] if it is none of them; [`DataError`] for a shape of other size.
pub fn read(bytes: &[u8], options: &Options) -> Result<Dataset, Error> {
    read_with(bytes, None, options)
}

fn read_with(bytes: &[u8], idx_labels: Option<&[u8]>, options: &Options) -> Result<Dataset, Error> {
    let cap = options.cap;
    let plain = gzip::decompress(bytes, cap, "samples")?;
    let unknown = |got: String| Error::from(LoadError::UnknownFormat { expected: EXPECTED.into(), got });
    let dataset = if is_idx(&plain) {
        let training = Some(idx::read(&plain, idx_labels, cap)?);
        Dataset { format: "idx", training, ..Dataset::default() }
    } else if plain.starts_with(&numpy::MAGIC) {
        arrays::read_npy(&plain, options.layout, cap)?
    } else if plain.starts_with(&zip::MAGIC) {
        let entries = zip::entries(&plain)?;
        match numpy::is_npz(&entries) {
            true => arrays::read_npz(&entries, options.layout, cap)?,
            false => pictures(&entries, cap)?,
        }
    } else if reader_of(&plain).is_some() {
        return Err(unknown("a model".into()));
    } else if csv::is_csv(&plain) {
        csv::read(&plain, &options.label, options.inputs, cap)?.into()
    } else {
        return Err(unknown(foreign::named(&plain)));
    };
    shaped(dataset, options)
}

#[cfg(feature = "cli")]
fn pictures(entries: &[zip::Entry], cap: u64) -> Result<Dataset, Error> {
    folder::read_archive(entries, cap)
}

/// Without a decoder of pictures there is nothing else that an archive may hold.
#[cfg(not(feature = "cli"))]
fn pictures(_: &[zip::Entry], _: u64) -> Result<Dataset, Error> {
    Err(LoadError::UnknownFormat { expected: EXPECTED.into(), got: "an archive without arrays".into() }.into())
}

/// The file of labels beside a file of images, as MNIST has them: `images-idx3` in its name is `labels-idx1` there.
#[cfg(feature = "cli")]
fn labels_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let labels = name.replacen("images", "labels", 1).replacen("idx3", "idx1", 1);
    let beside = path.with_file_name(&labels);
    (labels != name && beside.is_file()).then_some(beside)
}

/// With the shape that is asked for.
fn shaped(mut dataset: Dataset, options: &Options) -> Result<Dataset, Error> {
    let Some(wanted) = &options.shape else { return Ok(dataset) };
    let reshape = |samples: Samples| {
        let size = |shape: &[usize]| shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        if size(wanted) != size(&samples.shape) {
            let expected = format!("as many numbers as {:?}", samples.shape);
            return Err(DataError::new("shape", expected, format!("{wanted:?}")));
        }
        Ok(Samples { shape: wanted.clone(), ..samples })
    };
    dataset.training = dataset.training.map(reshape).transpose()?;
    dataset.test = dataset.test.map(reshape).transpose()?;
    Ok(dataset)
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::super::csv::LabelColumn;
    use super::super::is_dataset;
    use super::super::picture::tests::png;
    use super::*;
    use proptest::prelude::*;

    /// A file of each format, whose first sample is 0, 1, 2, 3.
    fn files() -> Vec<(&'static str, Vec<u8>)> {
        let idx = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0, 1, 2, 3, 4, 5, 6, 7]].concat();
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }";
        let npy = [&b"\x93NUMPY\x01\x00"[..], &[header.len() as u8, 0], header.as_bytes(), &[0, 1, 2, 3, 4, 5, 6, 7]]
            .concat();
        let zip = |name: &str, bytes: &[u8]| zip::write(&[(name.to_owned(), bytes.to_vec())]).unwrap();
        vec![
            ("idx", idx),
            ("npz", zip("x.npy", &npy)),
            ("npy", npy),
            ("csv", b"a,b,c,d\n0,1,2,3\n4,5,6,7\n".to_vec()),
            ("pictures", zip("a.png", &png(&[0, 1, 2, 3], [1, 2, 2]))),
        ]
    }

    #[test]
    fn each_format_is_told_by_its_bytes() {
        let options = Options { shape: Some(vec![1, 2, 2]), label: LabelColumn::None, ..Options::default() };
        for (format, bytes) in files() {
            let dataset = read(&bytes, &options).unwrap();
            assert_eq!(dataset.format, format);
            let training = dataset.training().unwrap();
            assert_eq!(training.row(0), super::super::Row::Bytes(&[0, 1, 2, 3]), "{format}");
            assert_eq!(is_dataset(&bytes), format != "npy", "{format}");
            let wrong = Options { shape: Some(vec![5]), ..options.clone() };
            assert!(matches!(read(&bytes, &wrong), Err(Error::Data(DataError { what: "shape", .. }))));
        }
        assert!(matches!(read(b"\x08\x07", &options), Err(Error::Load(_))));
        assert!(matches!(read(b"some words", &options), Err(Error::Load(LoadError::UnknownFormat { .. }))));
    }

    #[test]
    fn labels_lie_beside_images() {
        let directory = std::env::temp_dir().join(format!("nutshell-open-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("my-images-idx3-ubyte"), &files()[0].1).unwrap();
        let open = || open(&directory.join("my-images-idx3-ubyte"), &Options::default()).unwrap().training.unwrap();
        assert!(!open().labelled());
        fs::write(directory.join("my-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 2, 1, 0]).unwrap();
        assert_eq!(*open().labels, [1, 0]);
        fs::remove_dir_all(&directory).unwrap();
    }

    proptest! {
        #[test]
        fn cut_and_changed_files_do_not_panic(file in 0usize..5, at in 0.0f64..1.0, bit in 0u8..8, cut in any::<bool>()) {
            let mut bytes = files()[file].1.clone();
            let place = (at * bytes.len() as f64) as usize;
            if cut {
                bytes.truncate(place);
            } else {
                bytes[place] ^= 1 << bit;
            }
            let _ = (is_dataset(&bytes), read(&bytes, &Options { cap: 1 << 16, ..Options::default() }));
        }
    }
}
