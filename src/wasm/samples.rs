//! The samples of the engine's door, gathered from parts.

use super::{CAP, fault, thrown};
use crate::data::{self, Answers, Values, idx};
use crate::model::Scaling;
use ndarray::Array2;
use std::sync::Arc;
use wasm_bindgen::prelude::*;

/// Labelled or unlabelled samples, gathered from parts: all of bytes, or all of floats.
#[wasm_bindgen]
pub struct Samples {
    shape: Vec<usize>,
    values: Values,
    pub(super) labels: Vec<u32>,
    /// The network's number of each class, in place of the one that the samples were given with; empty if they are the same.
    numbers: Vec<u32>,
    /// Numbers to answer with, in place of labels, and how many each sample has.
    targets: (Vec<f32>, usize),
    /// The least and the greatest float; what is drawn is scaled by it.
    range: [f32; 2],
}

#[wasm_bindgen]
impl Samples {
    /// No samples.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        let values = Values::Bytes(Arc::default());
        Samples {
            shape: Vec::new(),
            values,
            labels: Vec::new(),
            numbers: Vec::new(),
            targets: (Vec::new(), 0),
            range: [f32::INFINITY, f32::NEG_INFINITY],
        }
    }

    /// Adds the images of an IDX file, gzipped or not.
    #[wasm_bindgen(js_name = addImages)]
    pub fn add_images(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        let (shape, pixels) = idx::read_images(bytes, CAP).map_err(thrown)?;
        self.add_bytes(shape, &pixels)
    }

    /// Adds the labels of an IDX file, gzipped or not.
    #[wasm_bindgen(js_name = addLabels)]
    pub fn add_labels(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        self.labels.extend(idx::read_labels(bytes, CAP).map_err(thrown)?.into_iter().map(u32::from));
        Ok(())
    }

    /// Adds samples of one shape whose numbers are bytes.
    #[wasm_bindgen(js_name = addBytes)]
    pub fn add_bytes(&mut self, shape: Vec<usize>, bytes: &[u8]) -> Result<(), JsValue> {
        self.check(&shape, bytes.len())?;
        match &mut self.values {
            Values::Bytes(before) => Arc::make_mut(before).extend_from_slice(bytes),
            Values::Floats(before) if before.is_empty() => self.values = Values::Bytes(Arc::new(bytes.to_vec())),
            Values::Floats(_) => return Err(fault("samples: expected floats, as those before, got bytes")),
        }
        self.shape = shape;
        Ok(())
    }

    /// Adds samples of one shape whose numbers are floats.
    #[wasm_bindgen(js_name = addFloats)]
    pub fn add_floats(&mut self, shape: Vec<usize>, floats: &[f32]) -> Result<(), JsValue> {
        self.check(&shape, floats.len())?;
        if let Some(bad) = floats.iter().find(|float| !float.is_finite()) {
            return Err(fault(&format!("samples: expected finite numbers, got {bad}")));
        }
        match &mut self.values {
            Values::Floats(before) => Arc::make_mut(before).extend_from_slice(floats),
            Values::Bytes(before) if before.is_empty() => self.values = Values::Floats(Arc::new(floats.to_vec())),
            Values::Bytes(_) => return Err(fault("samples: expected bytes, as those before, got floats")),
        }
        let [low, high] = &mut self.range;
        for &float in floats {
            (*low, *high) = (low.min(float), high.max(float));
        }
        self.shape = shape;
        Ok(())
    }

    /// Adds the classes of samples.
    #[wasm_bindgen(js_name = addClasses)]
    pub fn add_classes(&mut self, classes: &[u32]) {
        self.labels.extend_from_slice(classes);
    }

    /// Adds the numbers that samples are to be answered with, `outputs` for each.
    #[wasm_bindgen(js_name = addTargets)]
    pub fn add_targets(&mut self, outputs: usize, targets: &[f32]) {
        self.targets.0.extend_from_slice(targets);
        self.targets.1 = outputs;
    }

    /// Numbers the classes as a network does: `numbers` has its number at the place of the one that the samples were given with.
    #[wasm_bindgen(js_name = numberClasses)]
    pub fn number_classes(&mut self, numbers: Vec<u32>) {
        self.numbers = numbers;
    }

    /// Forgets all but the last `count` samples, and all but the last `count` labels.
    #[wasm_bindgen(js_name = keepLast)]
    pub fn keep_last(&mut self, count: usize) {
        let numbers = count.saturating_mul(self.size());
        match &mut self.values {
            Values::Bytes(bytes) => keep_last(Arc::make_mut(bytes), numbers),
            Values::Floats(floats) => keep_last(Arc::make_mut(floats), numbers),
        }
        keep_last(&mut self.labels, count);
        keep_last(&mut self.targets.0, count.saturating_mul(self.targets.1));
    }

    /// Number of samples.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.values.len() / self.size()
    }

    /// Shape of one sample: channels, height and width, or features.
    #[wasm_bindgen(getter)]
    pub fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    /// Whether there are labels, or numbers to answer with.
    #[wasm_bindgen(getter)]
    pub fn labelled(&self) -> bool {
        !self.labels.is_empty() || !self.targets.0.is_empty()
    }

    /// Numbers of one sample as pixels, 0 to 255: bytes as they are, floats scaled from the range of all.
    pub fn image(&self, index: usize) -> Option<Vec<u8>> {
        let start = index.checked_mul(self.size())?;
        let place = start..start.checked_add(self.size())?;
        match &self.values {
            Values::Bytes(bytes) => bytes.get(place).map(<[u8]>::to_vec),
            Values::Floats(floats) => {
                let [low, high] = self.range;
                let pixel = |&float: &f32| (255.0 * ((float - low) / (high - low))).round() as u8;
                floats.get(place).map(|row| row.iter().map(pixel).collect())
            }
        }
    }

    /// Class of one sample, if it is known.
    pub fn label(&self, index: usize) -> Option<u32> {
        self.labels.get(index).map(|&label| self.number(label))
    }
}

impl Samples {
    /// The samples as the engine has them; the numbers are shared, not copied.
    pub(super) fn get(&self, scaling: Scaling) -> Result<data::Samples, JsValue> {
        let (targets, outputs) = &self.targets;
        let answers = match targets.is_empty() {
            true => Answers::Classes(self.labels.iter().map(|&label| self.number(label)).collect()),
            false => {
                let rows = targets.len().checked_div(*outputs).unwrap_or(0);
                let numbers = Array2::from_shape_vec((rows, *outputs), targets.clone());
                Answers::Numbers(numbers.map_err(|error| fault(&format!("targets: {error}")))?)
            }
        };
        data::Samples::of_answers(self.shape.clone(), self.values.clone(), answers, scaling).map_err(thrown)
    }

    fn number(&self, label: u32) -> u32 {
        self.numbers.get(label as usize).copied().unwrap_or(label)
    }

    /// How many numbers a sample has, or 1.
    fn size(&self) -> usize {
        self.shape.iter().product::<usize>().max(1)
    }

    /// That so many numbers are samples of this shape, which is that of those before.
    fn check(&self, shape: &[usize], numbers: usize) -> Result<(), JsValue> {
        let size = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side)).filter(|&size| size > 0);
        if size.is_none_or(|size| !numbers.is_multiple_of(size)) {
            return Err(fault(&format!("samples: expected as many numbers as several of {shape:?}, got {numbers}")));
        }
        if !self.values.is_empty() && self.shape != shape {
            return Err(fault(&format!("samples: expected the shape {:?} of those before, got {shape:?}", self.shape)));
        }
        Ok(())
    }
}

fn keep_last<T>(items: &mut Vec<T>, most: usize) {
    let gone = items.len().saturating_sub(most);
    items.drain(..gone);
}
