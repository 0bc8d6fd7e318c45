//! The door to files of samples.

use super::{CAP, thrown, to_js};
use crate::data::open::read;
use crate::data::together::{self, File, choose};
use crate::data::{Dataset, Samples, Values};
use crate::data::{Options, is_dataset};
use crate::formats::gzip;
use crate::views::samples::DatasetSummary;
use js_sys::{Float32Array, Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;

/// Whether the bytes of a file, gzipped or not, are samples and no model.
#[wasm_bindgen(js_name = isSamples)]
pub fn is_samples(bytes: &[u8]) -> Result<bool, JsValue> {
    Ok(is_dataset(&gzip::decompress(bytes, CAP, "samples").map_err(thrown)?))
}

/// Which of several files, gzipped or not, that were opened together are samples.
#[wasm_bindgen(js_name = chooseSamples, unchecked_return_type = "SampleChoice[]")]
pub fn choose_samples(names: Vec<String>, files: Vec<Uint8Array>) -> Result<JsValue, JsValue> {
    let plain = unpacked(&files)?;
    to_js(&choose(&named(&names, &plain)))
}

/// What gzip has compressed as it was.
fn unpacked(files: &[Uint8Array]) -> Result<Vec<Vec<u8>>, JsValue> {
    let unpack = |file: &Uint8Array| gzip::decompress(&file.to_vec(), CAP, "samples").map(|plain| plain.into_owned());
    files.iter().map(|file| unpack(file).map_err(thrown)).collect()
}

fn named<'a>(names: &'a [String], files: &'a [Vec<u8>]) -> Vec<File<'a>> {
    names.iter().zip(files).map(|(name, bytes)| File { name, bytes }).collect()
}

/// A file of samples: IDX, npz, npy or CSV, gzipped or not.
#[wasm_bindgen]
pub struct SampleFile(Dataset);

#[wasm_bindgen]
impl SampleFile {
    /// Opens a file; the bytes tell what it is.
    pub fn open(bytes: &[u8]) -> Result<SampleFile, JsValue> {
        read(bytes, &Options { cap: CAP, ..Options::default() }).map(SampleFile).map_err(thrown)
    }

    /// Opens files that belong together: npz, npy or CSV, whose names say what they are for.
    #[wasm_bindgen(js_name = openTogether)]
    pub fn open_together(names: Vec<String>, files: Vec<Uint8Array>) -> Result<SampleFile, JsValue> {
        let plain = unpacked(&files)?;
        let options = Options { cap: CAP, ..Options::default() };
        together::read(&named(&names, &plain), &options).map(SampleFile).map_err(thrown)
    }

    /// Whether it has a part for testing.
    #[wasm_bindgen(getter, js_name = hasTest)]
    pub fn has_test(&self) -> bool {
        self.0.test.is_some()
    }

    /// Where there is no part for testing: a share of all samples becomes it, drawn by `seed`, each class in its share.
    #[wasm_bindgen(js_name = holdOutTest)]
    pub fn hold_out_test(&mut self, share: f64, seed: u32) -> Result<(), JsValue> {
        self.0 = self.0.clone().hold_out_test(share, u64::from(seed)).map_err(thrown)?;
        Ok(())
    }

    /// What is in it.
    #[wasm_bindgen(unchecked_return_type = "SamplesSummary")]
    pub fn summary(&self) -> Result<JsValue, JsValue> {
        to_js(&DatasetSummary::new(&self.0))
    }

    /// The numbers of a part, sample after sample; undefined if there is no such part.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> | undefined")]
    pub fn values(&self, #[wasm_bindgen(unchecked_param_type = "'training' | 'test'")] part: &str) -> JsValue {
        let Some(samples) = self.part(part) else { return JsValue::UNDEFINED };
        let size: usize = samples.shape.iter().product();
        let rows = || samples.selection.iter().enumerate().map(|(to, &from)| (to * size, from as usize * size));
        match &samples.values {
            Values::Bytes(bytes) => {
                let array = Uint8Array::new_with_length((samples.len() * size) as u32);
                rows().for_each(|(to, from)| {
                    array.subarray(to as u32, (to + size) as u32).copy_from(&bytes[from..from + size])
                });
                array.into()
            }
            Values::Floats(floats) => {
                let array = Float32Array::new_with_length((samples.len() * size) as u32);
                rows().for_each(|(to, from)| {
                    array.subarray(to as u32, (to + size) as u32).copy_from(&floats[from..from + size])
                });
                array.into()
            }
        }
    }

    /// The class of each sample of a part; empty if they are unlabelled, or there is no such part.
    pub fn labels(&self, #[wasm_bindgen(unchecked_param_type = "'training' | 'test'")] part: &str) -> Uint32Array {
        let labels: Vec<u32> = self.part(part).map_or_else(Vec::new, |samples| {
            (0..samples.len()).filter_map(|index| samples.label(index)).map(|class| class as u32).collect()
        });
        Uint32Array::from(labels.as_slice())
    }
}

#[wasm_bindgen]
impl SampleFile {
    /// The numbers that the samples of a part are to be answered with, sample after sample; empty if there are none.
    pub fn targets(&self, #[wasm_bindgen(unchecked_param_type = "'training' | 'test'")] part: &str) -> Float32Array {
        let targets = self.part(part).and_then(Samples::selected_targets);
        Float32Array::from(targets.map_or_else(Vec::new, |targets| targets.iter().copied().collect()).as_slice())
    }
}

impl From<Dataset> for SampleFile {
    fn from(dataset: Dataset) -> Self {
        SampleFile(dataset)
    }
}

impl SampleFile {
    fn part(&self, part: &str) -> Option<&Samples> {
        if part == "test" { self.0.test.as_ref() } else { self.0.training.as_ref() }
    }
}
