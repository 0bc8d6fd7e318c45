//! The door to the files of other programs: what is in them, their compression without samples, and writing them.

use super::engine::{Network, run};
use super::picture::Picture;
use super::values::{from_js, object};
use super::{CAP, fault, thrown, to_js};
use crate::container::packed;
use crate::data;
use crate::formats::export::{self, WRITERS};
use crate::formats::{self, Opened, READERS, gzip, nut, onnx};
use crate::model::histogram;
use crate::pipeline::{Evidence, Recipe};
use crate::views::summary::Summary;
use crate::views::{self, picture};
use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

/// A model file of any format that is known; the bytes tell which.
#[wasm_bindgen]
pub struct ModelFile {
    /// Its size in bytes, as it is.
    file_bytes: usize,
    opened: Opened,
}

#[wasm_bindgen]
impl ModelFile {
    /// Opens a model file, gzipped or not. Of a `.nut` file of named weights `on_progress` is called with the share that is decoded, 0 to 1.
    pub fn open(
        bytes: Vec<u8>,
        #[wasm_bindgen(unchecked_optional_param_type = "(done: number) => unknown")] on_progress: Option<Function>,
    ) -> Result<ModelFile, JsValue> {
        let file_bytes = bytes.len();
        let plain = gzip::decompress(&bytes, CAP, "model").map_err(thrown)?;
        let mut opened = match on_progress {
            Some(tell) if packed::is_packed(&plain) => read_telling(&plain, &tell)?,
            _ => formats::read(&plain, CAP).map_err(thrown)?,
        };
        // The graph is read from the tensors: it takes the room of the file.
        drop(plain);
        drop(bytes);
        formats::add_model(&mut opened.network, CAP);
        Ok(ModelFile { file_bytes, opened })
    }

    /// What is in it.
    #[wasm_bindgen(unchecked_return_type = "Summary")]
    pub fn summary(&self) -> Result<JsValue, JsValue> {
        to_js(&Summary::new(&self.opened, self.file_bytes).map_err(thrown)?)
    }

    /// Its network; undefined if the graph cannot be run, or there is none.
    pub fn network(&self) -> Result<Option<Network>, JsValue> {
        self.is_network().then(|| Network::new(self.opened.clone(), self.file_bytes)).transpose()
    }

    /// Whether its graph can be run.
    #[wasm_bindgen(getter, js_name = isNetwork)]
    pub fn is_network(&self) -> bool {
        self.opened.network.model.is_some()
    }

    /// Moments of a tensor's numbers.
    #[wasm_bindgen(unchecked_return_type = "Moments")]
    pub fn moments(&self, tensor: usize) -> Result<JsValue, JsValue> {
        to_js(&views::weights::moments(&self.values(tensor)?))
    }

    /// Counts of a tensor's nonzero numbers in equal bins from `low` to `high`.
    pub fn histogram(&self, tensor: usize, low: f32, high: f32, bins: usize) -> Result<Vec<u32>, JsValue> {
        Ok(histogram::nonzero_histogram(&self.values(tensor)?, bins, [low, high]))
    }

    /// A tensor as a picture of at most so many pixels.
    pub fn picture(&self, tensor: usize, width: usize, height: usize) -> Result<Picture, JsValue> {
        let shape = &self.opened.network.tensors.get(tensor).ok_or_else(|| no_tensor(tensor))?.shape;
        Ok(Picture(picture::weights(&self.values(tensor)?, &drawn(shape), [width, height])))
    }

    /// Compresses the tensors without samples. `on_event` is called with each event; a run whose `on_event` returns `false` is cancelled.
    #[wasm_bindgen(unchecked_return_type = "Compressed")]
    pub fn compress(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Target")] target: JsValue,
        #[wasm_bindgen(unchecked_param_type = "(event: RunEvent) => unknown")] on_event: Function,
    ) -> Result<JsValue, JsValue> {
        let recipe = Recipe::of_weights(from_js("target", target)?);
        run(&self.opened.network, Evidence::Weights, &recipe, None, on_event, Function::new_no_args(""))
    }

    /// Names of the forms that it can be written in.
    #[wasm_bindgen(js_name = exportKinds, unchecked_return_type = "ExportKind[]")]
    pub fn export_kinds(&self) -> Vec<String> {
        let suiting = WRITERS.iter().filter(|writer| (writer.suits)(&self.opened.network));
        suiting.map(|writer| writer.name.to_owned()).collect()
    }

    /// The file in another format, in the original's shapes.
    pub fn export(&self, #[wasm_bindgen(unchecked_param_type = "ExportKind")] kind: &str) -> Result<Vec<u8>, JsValue> {
        export::export(&self.opened.network, kind).map_err(thrown)
    }

    /// The network as an ONNX file in its own, compact shapes.
    #[wasm_bindgen(js_name = toCompactOnnx)]
    pub fn to_compact_onnx(&self) -> Result<Vec<u8>, JsValue> {
        onnx::write(self.opened.network.runnable().map_err(thrown)?).map_err(thrown)
    }
}

impl ModelFile {
    fn values(&self, tensor: usize) -> Result<Vec<f32>, JsValue> {
        Ok(self.opened.network.tensors.get(tensor).ok_or_else(|| no_tensor(tensor))?.values())
    }
}

/// Decodes a `.nut` file of named weights, and says how far it is.
fn read_telling(bytes: &[u8], tell: &Function) -> Result<Opened, JsValue> {
    let mut problem = None;
    let opened = nut::read(
        bytes,
        CAP,
        Some(&mut |done| problem = problem.take().or(tell.call1(&JsValue::NULL, &done.into()).err())),
    );
    match problem {
        Some(problem) => Err(problem),
        None => opened.map_err(thrown),
    }
}

/// The shape that a tensor is drawn in. Kernels that are areas, or points, stay as they are; of all else sides of 1 are left out, and kernels
/// are as wide as the last side.
fn drawn(shape: &[usize]) -> Vec<usize> {
    if let &[_, _, height, width] = shape
        && (height > 1) == (width > 1)
    {
        return shape.to_vec();
    }
    let sides: Vec<usize> = shape.iter().copied().filter(|&side| side != 1).collect();
    match sides[..] {
        [outputs, inputs, ref height @ .., width] => vec![outputs, inputs, height.iter().product(), width],
        _ => sides,
    }
}

fn no_tensor(tensor: usize) -> JsValue {
    fault(&format!("there is no tensor {tensor}"))
}

/// A model with the numbers in it that it has in other files. `names` are those of the other files, without folders.
#[wasm_bindgen(js_name = withExternalData)]
pub fn with_external_data(file: &[u8], names: Vec<String>, others: Vec<Uint8Array>) -> Result<Vec<u8>, JsValue> {
    let wanted = formats::other_files(file).map_err(thrown)?;
    let others: Vec<(String, Vec<u8>)> = names.into_iter().zip(others.iter().map(Uint8Array::to_vec)).collect();
    let found = wanted.iter().filter_map(|path| {
        let name = path.rsplit('/').next()?;
        let (_, bytes) = others.iter().find(|(other, _)| other == name)?;
        Some((path.as_str(), bytes.as_slice()))
    });
    formats::joined(file, &found.collect::<Vec<_>>(), CAP).map_err(thrown)
}

/// The formats of model files that are read, each with its name and its title, and what samples are read from.
#[wasm_bindgen(unchecked_return_type = "{ models: [name: string, title: string][], samples: string }")]
pub fn formats() -> Result<JsValue, JsValue> {
    let models: Vec<_> = READERS.iter().map(|reader| (reader.name, reader.title)).collect();
    object([("models", to_js(&models)?), ("samples", data::open::EXPECTED.into())])
}

/// Size of a file once ZIP or gzip have compressed it (DEFLATE), in bytes, without their headers.
#[wasm_bindgen(js_name = zippedBytes)]
pub fn zipped_bytes(file: &[u8]) -> usize {
    export::zipped_bytes(file)
}
