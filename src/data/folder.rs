//! Pictures in the folders of a disk or of a ZIP archive, as samples: see [`gather`](super::gather) for what the folders say.

use super::gather::{Gathering, MOST_FILES};
use super::{Dataset, header, picture};
use crate::error::{Error, LoadError, bad_file, too_large};
use crate::formats::zip::Entry;
use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Folders in folders that are looked into.
const DEEPEST: usize = 6;

/// Reads a folder of a disk; all pixels together may take `cap` bytes. `None` if there is no picture in it.
///
/// # Errors
/// [`LoadError`] names the file or folder.
pub fn read_directory(directory: &Path, cap: u64) -> Result<Option<Dataset>, Error> {
    let mut files = Vec::new();
    walk(directory, &mut Vec::new(), &mut files)?;
    let paths = files.iter().map(|(path, _)| path.clone());
    let mut gathering = Gathering::new(paths, directory.display().to_string(), cap)?;
    fill(&mut gathering, cap, |number, place| read_file(&files[number].1, place, cap).map(Cow::Owned))?;
    (!gathering.found_none()).then(|| gathering.finish()).transpose()
}

/// Reads an archive, as a folder.
///
/// # Errors
/// As [`read_directory`]; also if there is no picture in it.
pub fn read_archive(entries: &[Entry], cap: u64) -> Result<Dataset, Error> {
    let files: Vec<&Entry> = entries.iter().filter(|entry| !entry.is_folder()).collect();
    let mut gathering = Gathering::new(files.iter().map(|entry| entry.path()), "archive", cap)?;
    fill(&mut gathering, cap, |number, _| files[number].unpack(cap))?;
    gathering.finish()
}

/// Decodes what is a picture; `bytes` reads a file by its number.
fn fill<'a>(
    gathering: &mut Gathering,
    cap: u64,
    bytes: impl Fn(usize, String) -> Result<Cow<'a, [u8]>, LoadError>,
) -> Result<(), LoadError> {
    for index in 0..gathering.len() {
        let Some(number) = gathering.number(index) else { continue };
        let place = gathering.place(index);
        let bytes = bytes(number, place.clone())?;
        if header::is_picture(&bytes) {
            gathering.add(index, picture::read(&bytes, &place, cap)?)?;
        } else {
            gathering.ignore(index);
        }
    }
    Ok(())
}

fn read_file(path: &Path, place: String, cap: u64) -> Result<Vec<u8>, LoadError> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(cap + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > cap {
        return Err(too_large("picture", place, bytes.len(), cap));
    }
    Ok(bytes)
}

/// All files below a folder: the folders that each is in, with its name, and where it is.
fn walk(directory: &Path, path: &mut Vec<String>, files: &mut Vec<(Vec<String>, PathBuf)>) -> Result<(), LoadError> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    for entry in entries.map_err(|error| unreadable(directory, &error))? {
        path.push(entry.file_name().to_string_lossy().into_owned());
        if entry.path().is_dir() && path.len() < DEEPEST {
            walk(&entry.path(), path, files)?;
        } else if entry.path().is_file() {
            files.push((path.clone(), entry.path()));
        }
        path.pop();
        if files.len() > MOST_FILES {
            return Err(bad_file(directory.display(), format!("at most {MOST_FILES} files"), "more"));
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> LoadError {
    bad_file(path.display(), "a readable file", error)
}

#[cfg(test)]
mod tests {
    use super::super::picture::tests::png;
    use super::*;
    use crate::data::Row;
    use crate::formats::zip;

    const CAP: u64 = 1 << 20;

    fn archive(files: &[(&str, Vec<u8>)]) -> Result<Dataset, Error> {
        let files: Vec<_> = files.iter().map(|(name, bytes)| (name.to_string(), bytes.clone())).collect();
        read_archive(&zip::entries(&zip::write(&files).unwrap())?, CAP)
    }

    fn grey(value: u8) -> Vec<u8> {
        png(&[value; 4], [1, 2, 2])
    }

    #[test]
    fn folders_are_classes_and_numbers_come_in_their_order() {
        let all = [("set/10/a.png", grey(1)), ("set/9/b.png", grey(2)), ("set/9/notes.txt", b"9".to_vec())];
        let Dataset { training, test, class_names, ignored, .. } = archive(&all).unwrap();
        let training = training.unwrap();
        assert_eq!((class_names, ignored), (vec!["9".to_owned(), "10".into()], vec!["9/notes.txt".to_owned()]));
        assert_eq!((training.row(0), training.label(0), training.label(1)), (Row::Bytes(&[1; 4]), Some(1), Some(0)));
        assert_eq!((training.shape, test), (vec![1, 2, 2], None));
    }

    #[test]
    fn parts_are_told_by_their_folders() {
        let all = [
            ("Train/cat/a.png", grey(1)),
            ("Train/dog/b.png", png(&[9; 12], [3, 2, 2])),
            ("test/dog/c.png", grey(3)),
            ("val/dog/d.png", grey(4)),
            (".DS_Store", vec![0]),
        ];
        let Dataset { training, test, ignored, .. } = archive(&all).unwrap();
        let (training, test) = (training.unwrap(), test.unwrap());
        assert_eq!((training.shape.as_slice(), training.len(), test.label(0)), (&[3, 2, 2][..], 2, Some(1)));
        assert_eq!((test.row(0), ignored), (Row::Bytes(&[3; 12]), vec!["val/dog/d.png".to_owned()]));
    }

    #[test]
    fn pictures_alone_have_no_classes() {
        let training = archive(&[("b.png", grey(1)), ("a.png", grey(2))]).unwrap().training.unwrap();
        assert!(!training.labelled());
        assert_eq!(training.len(), 2);
    }

    #[test]
    fn photographs_of_different_sizes_become_squares_of_their_middles() {
        let upright: Vec<u8> = [[9u8; 40], [90; 40], [9; 40]].concat();
        let all = [
            ("a/w.png", grey(1)),
            ("a/x.png", png(&[200; 3 * 60], [3, 6, 10])),
            ("b/y.png", png(&upright, [1, 30, 4])),
        ];
        let Dataset { training, ignored, .. } = archive(&all).unwrap();
        let training = training.unwrap();
        assert_eq!((training.shape.as_slice(), training.len()), (&[3, 256, 256][..], 3));
        assert_eq!(
            ignored,
            ["what lies outside the middle squares of the pictures, which are scaled to 256 x 256 pixels"]
        );
        for (index, expected) in [1, 200, 90].into_iter().enumerate() {
            let Row::Bytes(row) = training.row(index) else { panic!("pictures are bytes") };
            // Next to the edge, the picture goes on.
            assert!(row[256 * 40..256 * 200].iter().all(|&pixel| pixel == expected), "{expected}");
        }
        let large: Vec<_> = (0..4).map(|index| (format!("{index}.png"), png(&[7; 260 * 300], [1, 260, 300]))).collect();
        let file = zip::write(&large).unwrap();
        let squares = read_archive(&zip::entries(&file).unwrap(), 900_000).unwrap().training.unwrap();
        assert_eq!((squares.shape.as_slice(), squares.len()), (&[1, 256, 256][..], 4));
    }

    #[test]
    fn what_does_not_go_together_is_an_error() {
        for (files, reason) in [
            (vec![("a/x.png", grey(1)), ("y.png", grey(2))], "or none of them, got both"),
            (vec![("a/x.txt", vec![1])], "expected PNG or JPEG files, in folders of classes or alone, got none"),
            (vec![("a/x.png", grey(1)[..40].to_vec())], "picture file, x.png: expected a sound"),
        ] {
            let error = archive(&files).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        let many: Vec<_> = (0..9).map(|index| (format!("{index}.png"), png(&[7; 400], [1, 20, 20]))).collect();
        let file = zip::write(&many).unwrap();
        let error = read_archive(&zip::entries(&file).unwrap(), 5_000).unwrap_err().to_string();
        assert!(error.contains("more than the limit of 5000"), "{error}");
    }

    #[test]
    fn a_disk_is_read_as_an_archive_is() {
        let directory = std::env::temp_dir().join(format!("nutshell-folder-{}", std::process::id()));
        for (folder, value) in [("yes", 1), ("no", 2)] {
            fs::create_dir_all(directory.join(folder)).unwrap();
            fs::write(directory.join(folder).join("a.png"), grey(value)).unwrap();
        }
        let read = read_directory(&directory, CAP).unwrap().unwrap();
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(read, archive(&[("no/a.png", grey(2)), ("yes/a.png", grey(1))]).unwrap());
        assert_eq!(read.class_names, ["no", "yes"]);
    }
}
