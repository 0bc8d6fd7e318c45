//! Pictures in folders: a folder a class, and perhaps folders for training and for testing above them; or pictures alone, which have no
//! classes. The folders are those of a disk or of a ZIP archive.

use super::picture::{self, Picture};
use super::{Dataset, Samples, Scaling, Values};
use crate::error::{Error, LoadError};
use crate::formats::zip::Entry;
use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders above the classes.
const TRAINING: [&str; 2] = ["train", "training"];
const TEST: [&str; 2] = ["test", "testing"];
const OTHER: [&str; 4] = ["val", "valid", "validation", "dev"];
/// Folders in folders that are looked into.
const DEEPEST: usize = 6;
/// The most files.
const MOST_FILES: usize = 1 << 22;
/// Files that are not used are listed up to this many.
const MOST_IGNORED: usize = 20;

/// A file that may be a picture.
struct File<'a> {
    /// The folders that it is in, and its name.
    path: Vec<String>,
    bytes: Source<'a>,
}

enum Source<'a> {
    Disk(PathBuf),
    Archive(&'a Entry<'a>),
}

impl File<'_> {
    fn place(&self) -> String {
        self.path.join("/")
    }

    fn read(&self, cap: u64) -> Result<Cow<'_, [u8]>, LoadError> {
        let path = match &self.bytes {
            Source::Archive(entry) => return entry.unpack(cap),
            Source::Disk(path) => path,
        };
        let mut bytes = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(cap + 1).read_to_end(&mut bytes));
        read.map_err(|error| unreadable(path, &error))?;
        if bytes.len() as u64 > cap {
            return Err(LoadError::TooLarge { format: "picture", place: self.place(), bytes: bytes.len() as u64, cap });
        }
        Ok(Cow::Owned(bytes))
    }
}

/// Reads a folder of a disk; all pixels together may take `cap` bytes.
///
/// # Errors
/// [`LoadError`] names the file or folder; also where pictures are not of one size.
pub fn read_directory(directory: &Path, cap: u64) -> Result<Dataset, Error> {
    let mut files = Vec::new();
    walk(directory, &mut Vec::new(), &mut files)?;
    assemble(files, cap, &directory.display().to_string())
}

/// Reads an archive, as a folder.
///
/// # Errors
/// As [`read_directory`].
pub fn read_archive(entries: &[Entry], cap: u64) -> Result<Dataset, Error> {
    let path = |entry: &Entry| entry.name.split(['/', '\\']).map(str::to_owned).collect::<Vec<_>>();
    let files = entries.iter().filter(|entry| !entry.name.ends_with(['/', '\\']));
    let files = files.map(|entry| File { path: path(entry), bytes: Source::Archive(entry) });
    assemble(files.filter(|file| !is_hidden(file)).collect(), cap, "archive")
}

/// What systems put beside files.
fn is_hidden(file: &File) -> bool {
    file.path.iter().any(|part| part.starts_with('.') || part == "__MACOSX")
}

/// All files below a folder.
fn walk(directory: &Path, path: &mut Vec<String>, files: &mut Vec<File>) -> Result<(), LoadError> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    for entry in entries.map_err(|error| unreadable(directory, &error))? {
        path.push(entry.file_name().to_string_lossy().into_owned());
        let file = File { path: path.clone(), bytes: Source::Disk(entry.path()) };
        if entry.path().is_dir() && path.len() < DEEPEST {
            walk(&entry.path(), path, files)?;
        } else if entry.path().is_file() && !is_hidden(&file) {
            files.push(file);
        }
        path.pop();
        if files.len() > MOST_FILES {
            let (expected, got) = (format!("at most {MOST_FILES} files"), "more".into());
            return Err(LoadError::File { path: directory.display().to_string(), expected, got });
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> LoadError {
    LoadError::File { path: path.display().to_string(), expected: "a readable file".into(), got: error.to_string() }
}

/// Which part a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Training,
    Test,
    Other,
}

/// The folders of these files that say nothing, being around all of them, are taken away.
fn strip(files: &mut [File]) {
    while let Some(first) = files.first().and_then(|file| file.path.first()).cloned() {
        let around = files.iter().all(|file| file.path.len() > 1 && file.path[0] == first);
        if !around || part(&first).is_some() {
            return;
        }
        files.iter_mut().for_each(|file| drop(file.path.remove(0)));
    }
}

fn part(folder: &str) -> Option<Part> {
    let folder = folder.to_lowercase();
    let is_of = |names: &[&str]| names.contains(&folder.as_str());
    match () {
        () if is_of(&TRAINING) => Some(Part::Training),
        () if is_of(&TEST) => Some(Part::Test),
        () if is_of(&OTHER) => Some(Part::Other),
        () => None,
    }
}

/// A picture in its place.
struct Placed {
    part: Part,
    class: Option<String>,
    picture: Picture,
}

/// Reads what is a picture, in the order of the names, and says what the others were.
fn assemble(mut files: Vec<File>, cap: u64, place: &str) -> Result<Dataset, Error> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    strip(&mut files);
    let parted = files.iter().any(|file| file.path.len() > 1 && part(&file.path[0]).is_some());
    let (mut placed, mut ignored): (Vec<Placed>, Vec<String>) = (Vec::new(), Vec::new());
    let mut total = 0;
    for file in &files {
        let part = match parted {
            true => part(&file.path[0]).unwrap_or(Part::Other),
            false => Part::Training,
        };
        let bytes = if part == Part::Other { Cow::Borrowed(&[][..]) } else { file.read(cap)? };
        if !picture::is_picture(&bytes) {
            ignored.push(file.place());
            continue;
        }
        let picture = picture::read(&bytes, &file.place(), cap)?;
        // Grey ones may yet become coloured.
        total += 3 * (picture.pixels.len() / picture.shape[0]) as u64;
        if total > cap {
            return Err(LoadError::TooLarge { format: "picture", place: place.to_owned(), bytes: total, cap }.into());
        }
        let [expected, got] = [placed.first().map_or(&picture, |first| &first.picture), &picture];
        if expected.shape[1..] != got.shape[1..] {
            let expected = format!("pictures of one size (height and width), {:?}", &expected.shape[1..]);
            let got = format!("{:?}", &got.shape[1..]);
            return Err(LoadError::Malformed { format: "picture", place: file.place(), expected, got }.into());
        }
        let folders = &file.path[usize::from(parted)..];
        placed.push(Placed { part, class: (folders.len() > 1).then(|| folders[0].clone()), picture });
    }
    if placed.is_empty() {
        let expected = "PNG or JPEG files, in folders of classes or alone".into();
        return Err(LoadError::File { path: place.to_owned(), expected, got: "none".into() }.into());
    }
    let class_names = class_names(&placed);
    if placed.iter().any(|placed| placed.picture.shape[0] == 3) {
        placed = placed.into_iter().map(|it| Placed { picture: it.picture.into_colour(), ..it }).collect();
    }
    let (training, test): (Vec<_>, Vec<_>) = placed.into_iter().partition(|placed| placed.part == Part::Training);
    let (training, test) = (samples(training, &class_names, place)?, samples(test, &class_names, place)?);
    let more = ignored.len().saturating_sub(MOST_IGNORED);
    ignored.truncate(MOST_IGNORED);
    if more > 0 {
        ignored.push(format!("{more} other files"));
    }
    Ok(Dataset { format: "pictures", training, test, class_names, ignored })
}

/// The folders' names in their order: that of numbers, if all are numbers.
fn class_names(placed: &[Placed]) -> Vec<String> {
    let mut names: Vec<String> = placed.iter().filter_map(|placed| placed.class.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let number = |name: &String| name.parse::<u32>().ok();
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by_key(number);
    }
    names
}

/// The samples of a part, if it has any: all with a class, or none.
fn samples(placed: Vec<Placed>, class_names: &[String], place: &str) -> Result<Option<Samples>, Error> {
    let Some(first) = placed.first() else { return Ok(None) };
    let (shape, count) = (first.picture.shape.to_vec(), placed.len());
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for Placed { class, picture, .. } in placed {
        pixels.extend_from_slice(&picture.pixels);
        let class = class.and_then(|class| class_names.iter().position(|name| *name == class));
        labels.extend(class.map(|class| class as u32));
    }
    if !labels.is_empty() && labels.len() != count {
        let (expected, got) = ("pictures in folders of classes, or none of them".into(), "both".into());
        return Err(LoadError::File { path: place.to_owned(), expected, got }.into());
    }
    let values = Values::Bytes(Arc::new(pixels));
    Ok(Some(Samples::of_values(shape, values, labels, Scaling::Unit)?))
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
    fn what_does_not_go_together_is_an_error() {
        for (files, reason) in [
            (
                vec![("a/x.png", grey(1)), ("b/y.png", png(&[0; 6], [1, 2, 3]))],
                "b/y.png: expected pictures of one size",
            ),
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
        let read = read_directory(&directory, CAP).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(read, archive(&[("no/a.png", grey(2)), ("yes/a.png", grey(1))]).unwrap());
        assert_eq!(read.class_names, ["no", "yes"]);
    }
}
