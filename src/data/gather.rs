//! Pictures become samples: a folder a class, and perhaps folders for training and for testing above them; or pictures alone, which have no
//! classes. Who has the files, and what decodes them, is of no matter here.

use super::names::{Word, word};
use super::resample::Resample;
use super::{Dataset, Samples, Values};
use crate::error::{Error, LoadError, bad_file, too_large};
use crate::model::Scaling;
use crate::ranking::ranked_texts;
use std::sync::Arc;

/// Files that are not used are listed up to this many.
const MOST_IGNORED: usize = 20;
/// The most files.
pub const MOST_FILES: usize = 1 << 22;
/// The sides, in pixels, that photographs of different sizes get: a little more than most networks for pictures read (224 is usual).
const SIDE: usize = 256;

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// `[channels, height, width]`: 1 channel of grey, or 3 of red, green and blue.
    pub shape: [usize; 3],
    /// In the order of `shape`.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// The same in three equal channels, if it is grey.
    pub fn into_colour(self) -> Picture {
        let [channels, height, width] = self.shape;
        if channels == 3 {
            return self;
        }
        Picture { shape: [3, height, width], pixels: self.pixels.repeat(3) }
    }

    /// The middle square, of [`SIDE`] pixels.
    fn into_square(self) -> Picture {
        let [channels, height, width] = self.shape;
        let resample = Resample::new([height, width], [SIDE; 2]);
        let planes = self.pixels.chunks_exact((height * width).max(1));
        let pixels = planes.flat_map(|plane| resample.apply(plane)).map(|pixel| pixel.round() as u8).collect();
        Picture { shape: [channels, SIDE, SIDE], pixels }
    }

    /// Bytes of its pixels; grey ones may yet become coloured.
    fn room(&self) -> u64 {
        let [_, height, width] = self.shape;
        3 * height as u64 * width as u64
    }
}

/// Red, green and blue apart from each other, of pixels of `depth` bytes, of which they are the first three.
pub fn planes(pixels: &[u8], depth: usize) -> Vec<u8> {
    (0..3).flat_map(|channel| pixels.iter().skip(channel).step_by(depth).copied()).collect()
}

/// A file that may be a picture.
#[derive(Debug, Clone)]
struct File {
    /// Which of those that were given it is.
    number: usize,
    /// The folders that it is in, and its name.
    path: Vec<String>,
}

impl File {
    /// In words.
    fn place(&self) -> String {
        self.path.join("/")
    }

    /// The part that its first folder says, where there are such folders.
    fn part(&self, parted: bool) -> Word {
        if !parted {
            return Word::Training;
        }
        self.path.first().and_then(|folder| part(folder)).unwrap_or(Word::Validation)
    }
}

/// A picture in its place.
#[derive(Debug)]
struct Placed {
    /// For training or for testing.
    part: Word,
    class: Option<String>,
    picture: Picture,
}

/// Files on their way to samples: first their names, then what is in them, one after the other.
#[derive(Debug)]
pub struct Gathering {
    /// Those that are to be read, in the order of their names.
    files: Vec<File>,
    /// Whether there are folders for training and testing.
    parted: bool,
    /// What all of them are in, in words.
    place: String,
    cap: u64,
    /// Bytes of the pixels so far.
    total: u64,
    /// Whether all are squares of [`SIDE`] pixels, because they were not of one size, or there was no room for them.
    squares: bool,
    placed: Vec<Placed>,
    ignored: Vec<String>,
}

impl Gathering {
    /// Begins with the paths of all files, each as its folders and its name. All pixels together may take `cap` bytes.
    ///
    /// # Errors
    /// [`LoadError::File`] if they are too many.
    pub fn new(
        paths: impl Iterator<Item = Vec<String>>,
        place: impl Into<String>,
        cap: u64,
    ) -> Result<Self, LoadError> {
        let place = place.into();
        let all = paths.enumerate().map(|(number, path)| File { number, path });
        let found: Vec<File> = all.filter(|file| !is_hidden(&file.path)).take(MOST_FILES + 1).collect();
        if found.len() > MOST_FILES {
            return Err(bad_file(place, format!("at most {MOST_FILES} files"), "more"));
        }
        // No part of a path has the lowest letter in it.
        let order = ranked_texts(found.len(), &|place| found[place].path.join("\0"));
        let mut files: Vec<File> = order.into_iter().map(|place| found[place].clone()).collect();
        strip(&mut files);
        let parted = files.iter().any(|file| file.path.len() > 1 && part(&file.path[0]).is_some());
        let (files, other): (Vec<File>, Vec<File>) =
            files.into_iter().partition(|file| file.part(parted) != Word::Validation);
        let ignored = other.iter().map(File::place).collect();
        Ok(Gathering { files, parted, place, cap, total: 0, squares: false, placed: Vec::new(), ignored })
    }

    /// How many files are to be read.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Which of the given paths file `index` is: files are to be read in their order here.
    pub fn number(&self, index: usize) -> Option<usize> {
        self.files.get(index).map(|file| file.number)
    }

    /// File `index` in words, without the folders around all files.
    pub fn place(&self, index: usize) -> String {
        self.files.get(index).map_or_else(String::new, File::place)
    }

    /// File `index` is no picture.
    pub fn ignore(&mut self, index: usize) {
        self.ignored.push(self.place(index));
    }

    /// File `index` is a picture. Those of one size stay as they are. As soon as one has another size than the first, or there is no room for photographs
    /// as they are, all become squares: their middle parts, scaled.
    ///
    /// # Errors
    /// [`LoadError::TooLarge`] if there is no room for it.
    pub fn add(&mut self, index: usize, picture: Picture) -> Result<(), LoadError> {
        let Some(file) = self.files.get(index) else { return Ok(()) };
        let folders = &file.path[usize::from(self.parted)..];
        let class = (folders.len() > 1).then(|| folders[0].clone());
        let part = file.part(self.parted);
        let [_, height, width] = picture.shape;
        let first = self.placed.first().map(|first| first.picture.shape);
        let differs = first.is_some_and(|[_, rows, columns]| [rows, columns] != [height, width]);
        let no_room = self.total + picture.room() > self.cap && height.min(width) > SIDE;
        if !self.squares && (differs || no_room) {
            self.squares = true;
            self.total = 0;
            for Placed { picture, .. } in &mut self.placed {
                *picture = std::mem::replace(picture, Picture { shape: [0; 3], pixels: Vec::new() }).into_square();
                self.total += picture.room();
            }
        }
        let picture = if self.squares { picture.into_square() } else { picture };
        self.total += picture.room();
        if self.total > self.cap {
            return Err(too_large("picture", &self.place, self.total, self.cap));
        }
        self.placed.push(Placed { part, class, picture });
        Ok(())
    }

    /// Whether no picture was found so far.
    pub fn found_none(&self) -> bool {
        self.placed.is_empty()
    }

    /// The samples, and what the other files were.
    ///
    /// # Errors
    /// [`LoadError::File`] if there is no picture, or some have a class and some have not.
    pub fn finish(mut self) -> Result<Dataset, Error> {
        let place = self.place;
        if self.placed.is_empty() {
            return Err(bad_file(place, "PNG or JPEG files, in folders of classes or alone", "none").into());
        }
        let class_names = class_names(&self.placed);
        if self.placed.iter().any(|placed| placed.picture.shape[0] == 3) {
            let coloured = |it: Placed| Placed { picture: it.picture.into_colour(), ..it };
            self.placed = self.placed.into_iter().map(coloured).collect();
        }
        let (training, test): (Vec<_>, Vec<_>) =
            self.placed.into_iter().partition(|placed| placed.part == Word::Training);
        let (training, test) = (samples(training, &class_names, &place)?, samples(test, &class_names, &place)?);
        let mut ignored = self.ignored;
        let more = ignored.len().saturating_sub(MOST_IGNORED);
        ignored.truncate(MOST_IGNORED);
        if more > 0 {
            ignored.push(format!("{more} other files"));
        }
        if self.squares {
            ignored.push(format!(
                "what lies outside the middle squares of the pictures, which are scaled to {SIDE} x {SIDE} pixels"
            ));
        }
        Ok(Dataset { format: "pictures", training, test, class_names, ignored, ..Dataset::default() })
    }
}

/// What systems put beside files.
fn is_hidden(path: &[String]) -> bool {
    path.iter().any(|part| part.starts_with('.') || part == "__MACOSX")
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

/// The part that a folder is for, if its name says one.
fn part(folder: &str) -> Option<Word> {
    word(&folder.to_ascii_lowercase()).filter(|word| !matches!(word, Word::Inputs | Word::Classes))
}

/// The folders' names in their order: that of numbers, if all are numbers.
fn class_names(placed: &[Placed]) -> Vec<String> {
    let unordered: Vec<&String> = placed.iter().filter_map(|placed| placed.class.as_ref()).collect();
    let numbers: Option<Vec<u32>> = unordered.iter().map(|name| name.parse().ok()).collect();
    // Numbers of one length are in order as texts; what is written in several ways is told apart behind them.
    let key = |place: usize| match &numbers {
        Some(numbers) => format!("{:010} {}", numbers[place], unordered[place]),
        None => unordered[place].clone(),
    };
    let order = ranked_texts(unordered.len(), &key);
    let mut names: Vec<String> = order.into_iter().map(|place| unordered[place].clone()).collect();
    names.dedup();
    names
}

/// The samples of a part, if it has any: all with a class, or none.
fn samples(placed: Vec<Placed>, class_names: &[String], place: &str) -> Result<Option<Samples>, Error> {
    let Some(first) = placed.first() else { return Ok(None) };
    let (shape, count) = (first.picture.shape.to_vec(), placed.len());
    let (mut pixels, mut labels) = (Vec::with_capacity(count * first.picture.pixels.len()), Vec::new());
    for Placed { class, picture, .. } in placed {
        pixels.extend_from_slice(&picture.pixels);
        let class = class.and_then(|class| class_names.iter().position(|name| *name == class));
        labels.extend(class.map(|class| class as u32));
    }
    if !labels.is_empty() && labels.len() != count {
        return Err(bad_file(place, "pictures in folders of classes, or none of them", "both").into());
    }
    let values = Values::Bytes(Arc::new(pixels));
    Ok(Some(Samples::of_values(shape, values, labels, Scaling::Unit)?))
}
