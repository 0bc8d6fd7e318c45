//! The door to pictures as samples, which the browser decodes.

use super::sample_file::SampleFile;
use super::{CAP, fault, thrown};
use crate::data::gather::{Gathering, Picture, planes};
use crate::data::header::{self, Header};
use crate::formats::zip::{self, Spot};
use crate::formats::{gzip, reader_of};
use std::borrow::Cow;
use wasm_bindgen::prelude::*;

/// Files of pictures on their way to samples. Each file, in the order of the numbers from 0 to `length`, is read, looked at by `begin`, and, if it
/// is a picture, decoded by whoever asks and handed to `add`.
#[wasm_bindgen]
pub struct PictureFiles {
    gathering: Gathering,
    archive: Vec<u8>,
    /// Of the archive's files.
    spots: Vec<Spot>,
}

#[wasm_bindgen]
impl PictureFiles {
    /// Files that are elsewhere, by their paths.
    #[wasm_bindgen(constructor)]
    pub fn new(paths: Vec<String>) -> Result<PictureFiles, JsValue> {
        let paths = paths.iter().map(|path| path.split('/').map(str::to_owned).collect());
        let gathering = Gathering::new(paths, "pictures", CAP).map_err(thrown)?;
        Ok(PictureFiles { gathering, archive: Vec::new(), spots: Vec::new() })
    }

    /// The files of a ZIP archive, gzipped or not; undefined if the bytes are something else, or an archive of arrays or weights.
    #[wasm_bindgen(js_name = ofArchive)]
    pub fn of_archive(bytes: Vec<u8>) -> Result<Option<PictureFiles>, JsValue> {
        let archive = match gzip::decompress(&bytes, CAP, "samples").map_err(thrown)? {
            Cow::Owned(plain) => plain,
            Cow::Borrowed(_) => bytes,
        };
        if !archive.starts_with(&zip::MAGIC) || reader_of(&archive).is_some() {
            return Ok(None);
        }
        let mut entries = zip::entries(&archive).map_err(thrown)?;
        entries.retain(|entry| !entry.is_folder());
        let gathering = Gathering::new(entries.iter().map(|entry| entry.path()), "archive", CAP).map_err(thrown)?;
        let spots = entries.iter().map(|entry| entry.spot()).collect();
        Ok(Some(PictureFiles { gathering, archive, spots }))
    }

    /// How many files are to be read.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.gathering.len()
    }

    /// Which of the paths, or of the archive's files, a file is.
    pub fn number(&self, index: usize) -> Option<usize> {
        self.gathering.number(index)
    }

    /// The name of a file, to be said.
    pub fn place(&self, index: usize) -> String {
        self.gathering.place(index)
    }

    /// The bytes of a file of an archive.
    pub fn unpack(&self, index: usize) -> Result<Vec<u8>, JsValue> {
        let spot = self.gathering.number(index).and_then(|number| self.spots.get(number));
        let place = self.gathering.place(index);
        let entry = spot.ok_or_else(|| fault("there is no such file"))?.entry(&self.archive, &place).map_err(thrown)?;
        Ok(entry.unpack(CAP).map_err(thrown)?.into_owned())
    }

    /// Looks at the bytes of a file before it is decoded; undefined if it is no picture.
    pub fn begin(&mut self, index: usize, bytes: &[u8]) -> Result<Option<PictureHeader>, JsValue> {
        if !header::is_picture(bytes) {
            self.gathering.ignore(index);
            return Ok(None);
        }
        let header = header::read(bytes, &self.gathering.place(index), CAP).map_err(thrown)?;
        Ok(Some(PictureHeader(header)))
    }

    /// The pixels of a picture, row by row, each as red, green, blue and one byte more.
    pub fn add(&mut self, index: usize, header: &PictureHeader, pixels: &[u8]) -> Result<(), JsValue> {
        let Header { height, width, grey, .. } = header.0;
        let (height, width) = (height as usize, width as usize);
        if Some(pixels.len()) != height.checked_mul(width).and_then(|area| area.checked_mul(4)) {
            let place = self.gathering.place(index);
            return Err(fault(&format!(
                "picture file, {place}: expected {width} x {height} pixels, got {} bytes",
                pixels.len()
            )));
        }
        let picture = match grey {
            true => Picture { shape: [1, height, width], pixels: pixels.iter().step_by(4).copied().collect() },
            false => Picture { shape: [3, height, width], pixels: planes(pixels, 4) },
        };
        self.gathering.add(index, picture).map_err(thrown)
    }

    /// The samples.
    pub fn finish(self) -> Result<SampleFile, JsValue> {
        self.gathering.finish().map(SampleFile::from).map_err(thrown)
    }
}

/// A picture before it is decoded.
#[wasm_bindgen]
pub struct PictureHeader(Header);

#[wasm_bindgen]
impl PictureHeader {
    /// In pixels, as they are stored.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> u32 {
        self.0.height
    }

    /// In pixels, as they are stored.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// Where the file has Exif, by which a browser would turn it: starts and ends, one after the other.
    #[wasm_bindgen(getter)]
    pub fn exif(&self) -> Vec<usize> {
        self.0.exif.iter().flat_map(|range| [range.start, range.end]).collect()
    }
}
