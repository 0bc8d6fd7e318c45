//! What the viewer asks for: a network as a stage left it, or as it would be, in pictures and numbers.

use super::engine::{self, Samples, answers_to, checkpoint_from_js, evaluate, sample};
use super::picture::Picture;
use super::values::{from_js, strict_from_js};
use super::{fault, thrown, to_js};
use crate::formats::Nut;
use crate::model::histogram;
use crate::model::{FixedPoint, Model, ParamId};
use crate::network::Inference;
use crate::pipeline::{self, Recipe, SplitName, Stage, StageNetwork, baselines, integer_network, measure_integers};
use crate::stages::kmeans::Clusterings;
use crate::stages::prune::{cut, path_saliency};
use crate::views::{self, answers, coded, drawing, picture, pruning, rounding, sharing};
use ndarray::ArrayD;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The most centroids of a curve: a codebook of five bits.
const MOST_CENTROIDS: usize = 32;

/// A network to look at: as it was given, as a stage left it, or as it would be.
#[wasm_bindgen]
pub struct View {
    model: Model,
    fixed: Option<FixedPoint>,
    saliency: Option<Rc<Vec<Option<ArrayD<f32>>>>>,
    clusterings: Vec<(usize, Rc<Clusterings>)>,
    costs: Option<coded::Costs>,
    inference: Option<Inference>,
}

#[wasm_bindgen]
impl View {
    /// Opens what [`Network::open`](engine::Network::open) does.
    pub fn open(bytes: Vec<u8>) -> Result<View, JsValue> {
        let mut opened = engine::open(bytes)?;
        let fixed = match opened.nut.take() {
            Some(Nut::Network(nut)) => Some(nut.network),
            Some(Nut::Tensors(_)) | None => None,
        };
        Ok(View::new(opened.into_model().map_err(thrown)?, fixed))
    }

    /// The network of a checkpoint.
    #[wasm_bindgen(js_name = ofCheckpoint)]
    pub fn of_checkpoint(
        #[wasm_bindgen(unchecked_param_type = "Checkpoint")] checkpoint: &JsValue,
    ) -> Result<View, JsValue> {
        Ok(match checkpoint_from_js(checkpoint)?.network {
            StageNetwork::Float(model) => View::new(model, None),
            StageNetwork::Fixed(fixed) => View::new(fixed.to_model(), Some(fixed)),
        })
    }

    /// Moments of a layer's weights.
    #[wasm_bindgen(unchecked_return_type = "Moments")]
    pub fn moments(&self, layer: usize) -> Result<JsValue, JsValue> {
        to_js(&views::weights::moments(&self.values(layer)?))
    }

    /// Counts of a layer's nonzero weights in equal bins from `low` to `high`.
    pub fn histogram(&self, layer: usize, low: f32, high: f32, bins: usize) -> Result<Vec<u32>, JsValue> {
        let values = self.model.values(self.weight(layer)?).as_standard_layout();
        Ok(histogram::nonzero_histogram(values.as_slice().unwrap_or_default(), bins, [low, high]))
    }

    /// A layer's weights as a picture of at most so many pixels.
    pub fn picture(&self, layer: usize, width: usize, height: usize) -> Result<Picture, JsValue> {
        let shape = self.model.values(self.weight(layer)?).shape();
        Ok(Picture(picture::weights(&self.values(layer)?, shape, [width, height])))
    }

    /// A layer about a threshold of saliency; `bins` between `low` and `high`.
    #[wasm_bindgen(unchecked_return_type = "PrunedLayer")]
    pub fn pruning(
        &mut self,
        layer: usize,
        threshold: f64,
        bins: usize,
        low: f32,
        high: f32,
    ) -> Result<JsValue, JsValue> {
        let saliency = self.saliency()?;
        let look = pruning::look(&self.model, &saliency, layer, threshold, bins, [low, high]);
        to_js(&look.ok_or_else(|| no_layer(layer))?)
    }

    /// The network without the weights whose saliency is below the threshold.
    pub fn pruned(&mut self, threshold: f64) -> Result<View, JsValue> {
        let saliency = self.saliency()?;
        Ok(View::new(cut(&self.model, &saliency, threshold), None))
    }

    /// Distortion and bytes of a layer's codebooks of 1, 2, ... values.
    #[wasm_bindgen(unchecked_return_type = "SharingCurve")]
    pub fn sharing(&mut self, layer: usize) -> Result<JsValue, JsValue> {
        let clusterings = self.clusterings(layer)?;
        to_js(&sharing::curve(&clusterings, &self.values(layer)?))
    }

    /// The best codebook of `k` values for a layer: each with its population.
    #[wasm_bindgen(unchecked_return_type = "[number, number][]")]
    pub fn codebook(&mut self, layer: usize, k: usize) -> Result<JsValue, JsValue> {
        let clusterings = self.clusterings(layer)?;
        to_js(&sharing::codebook(&clusterings, k))
    }

    /// Which of `k` values stands for each of a layer's weights, as a picture: a nonzero weight's byte is 2 and the index.
    pub fn indices(&mut self, layer: usize, k: usize, width: usize, height: usize) -> Result<Picture, JsValue> {
        let clusterings = self.clusterings(layer)?;
        let centroids: Vec<f32> = sharing::codebook(&clusterings, k).iter().map(|pair| pair.0).collect();
        let shape = self.model.values(self.weight(layer)?).shape();
        Ok(Picture(picture::indices(&self.values(layer)?, shape, &centroids, [width, height])))
    }

    /// The network with the best codebook of `k` values in each layer.
    pub fn shared(&mut self, k: usize) -> Result<View, JsValue> {
        let mut model = self.model.clone();
        let weights: Vec<ParamId> = self.model.graph.layers().map(|(_, weight, _)| weight).collect();
        for (layer, &id) in weights.iter().enumerate() {
            let clusterings = self.clusterings(layer)?;
            let centroids: Vec<f32> = sharing::codebook(&clusterings, k).iter().map(|pair| pair.0).collect();
            if let Some(values) = model.values_mut(id).as_slice_mut() {
                sharing::share_values(values, &centroids);
            }
        }
        Ok(View::new(model, None))
    }

    /// Values with their populations on the grid of a fixed-point format of `bits` bits.
    #[wasm_bindgen(unchecked_return_type = "FixedPointGrid")]
    pub fn grid(
        &self,
        #[wasm_bindgen(unchecked_param_type = "[number, number][]")] values: JsValue,
        bits: u32,
    ) -> Result<JsValue, JsValue> {
        let values: Vec<(f32, u32)> = from_js("values", values)?;
        to_js(&rounding::grid(&values, bits))
    }

    /// The format of each layer's weights with so many bits, and what rounding to it loses.
    #[wasm_bindgen(unchecked_return_type = "LayerFormat[]")]
    pub fn formats(&self, bits: u32) -> Result<JsValue, JsValue> {
        to_js(&rounding::formats(&self.model, bits))
    }

    /// The network with every parameter rounded to so many bits.
    pub fn rounded(&self, bits: u32) -> View {
        View::new(rounding::round_model(&self.model, bits), None)
    }

    /// What the symbols of a layer cost in three codes; undefined before quantization.
    #[wasm_bindgen(unchecked_return_type = "LayerCode | undefined")]
    pub fn coded(&mut self, layer: usize) -> Result<JsValue, JsValue> {
        let id = self.weight(layer)?;
        match self.costs()? {
            Some((costs, fixed)) => to_js(&costs.layer(&fixed.parameters[id.0], id)),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// The same symbols in other codings, complete with their headers; undefined before quantization.
    #[wasm_bindgen(unchecked_return_type = "Report['baselines'] | undefined")]
    pub fn baselines(&self) -> Result<JsValue, JsValue> {
        self.fixed.as_ref().map_or(Ok(JsValue::UNDEFINED), |fixed| to_js(&baselines(fixed)))
    }

    /// What each weight of a layer costs in the file, as a picture; undefined before quantization.
    #[wasm_bindgen(js_name = costPicture)]
    pub fn cost_picture(&mut self, layer: usize, width: usize, height: usize) -> Result<Option<Picture>, JsValue> {
        let id = self.weight(layer)?;
        let costs = self.costs()?;
        Ok(costs.map(|(costs, fixed)| Picture(costs.picture(&fixed.parameters[id.0], id, [width, height]))))
    }

    /// Accuracy on the samples `start` to `end`, which are called validation samples.
    #[wasm_bindgen(unchecked_return_type = "Accuracy")]
    pub fn evaluate(
        &self,
        samples: &mut Samples,
        start: usize,
        end: usize,
        #[wasm_bindgen(unchecked_param_type = "Scaling")] scaling: JsValue,
    ) -> Result<JsValue, JsValue> {
        evaluate(&self.model, samples, start..end, scaling, SplitName::Validation)
    }

    /// As [`View::evaluate`], with integers only and activations of so many bits (2 to 8), in the formats that suit these samples
    /// best; undefined before quantization, and if the network cannot be computed so.
    #[wasm_bindgen(js_name = evaluateIntegers, unchecked_return_type = "Accuracy | undefined")]
    pub fn evaluate_integers(
        &self,
        samples: &mut Samples,
        start: usize,
        end: usize,
        #[wasm_bindgen(unchecked_param_type = "Scaling")] scaling: JsValue,
        bits: u8,
    ) -> Result<JsValue, JsValue> {
        let Some(fixed) = &self.fixed else { return Ok(JsValue::UNDEFINED) };
        let samples = samples.get(from_js("scaling", scaling)?)?.range(start, end);
        match integer_network(fixed, &samples, bits).map_err(thrown)? {
            Some(network) => to_js(&measure_integers(&network, &samples, SplitName::Validation).map_err(thrown)?),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// The class that the network answers for each of the samples `start` to `end`.
    pub fn answers(
        &self,
        samples: &mut Samples,
        start: usize,
        end: usize,
        #[wasm_bindgen(unchecked_param_type = "Scaling")] scaling: JsValue,
    ) -> Result<Vec<u32>, JsValue> {
        answers_to(&self.model, samples, start..end, scaling)
    }

    /// The probability of each class for one image.
    pub fn classify(
        &mut self,
        image: &[u8],
        #[wasm_bindgen(unchecked_param_type = "Scaling")] scaling: JsValue,
    ) -> Result<Vec<f32>, JsValue> {
        let sample = sample(&self.model, image, scaling)?;
        let inference = match &mut self.inference {
            Some(inference) => inference,
            empty => empty.insert(Inference::new(&self.model).map_err(thrown)?),
        };
        let logits = inference.outputs(&sample).map_err(thrown)?;
        Ok(answers::softmax(&logits.into_iter().collect::<Vec<_>>()))
    }
}

impl View {
    fn new(model: Model, fixed: Option<FixedPoint>) -> Self {
        View { model, fixed, saliency: None, clusterings: Vec::new(), costs: None, inference: None }
    }

    fn weight(&self, layer: usize) -> Result<ParamId, JsValue> {
        let weight = self.model.graph.layers().nth(layer).map(|(_, weight, _)| weight);
        weight.ok_or_else(|| no_layer(layer))
    }

    fn values(&self, layer: usize) -> Result<Vec<f32>, JsValue> {
        Ok(self.model.values(self.weight(layer)?).iter().copied().collect())
    }

    fn saliency(&mut self) -> Result<Rc<Vec<Option<ArrayD<f32>>>>, JsValue> {
        if let Some(saliency) = &self.saliency {
            return Ok(saliency.clone());
        }
        let saliency = Rc::new(path_saliency(&self.model).map_err(thrown)?);
        self.saliency = Some(saliency.clone());
        Ok(saliency)
    }

    fn clusterings(&mut self, layer: usize) -> Result<Rc<Clusterings>, JsValue> {
        if let Some((_, clusterings)) = self.clusterings.iter().find(|(of, _)| *of == layer) {
            return Ok(clusterings.clone());
        }
        let nonzero: Vec<f32> = self.values(layer)?.into_iter().filter(|&value| value != 0.0).collect();
        let clusterings = Rc::new(Clusterings::new(&nonzero, &[], MOST_CENTROIDS));
        self.clusterings.push((layer, clusterings.clone()));
        Ok(clusterings)
    }

    fn costs(&mut self) -> Result<Option<(&coded::Costs, &FixedPoint)>, JsValue> {
        let Some(fixed) = &self.fixed else { return Ok(None) };
        if self.costs.is_none() {
            self.costs = Some(coded::Costs::new(fixed).map_err(thrown)?);
        }
        Ok(self.costs.as_ref().map(|costs| (costs, fixed)))
    }
}

fn no_layer(layer: usize) -> JsValue {
    fault(&format!("there is no layer {layer}"))
}

/// Compares two networks' answers to the first samples, as many as there are answers; without labels the answers before count as such.
#[wasm_bindgen(js_name = compareAnswers, unchecked_return_type = "Comparison")]
pub fn compare_answers(samples: &Samples, before: &[u32], after: &[u32], classes: usize) -> Result<JsValue, JsValue> {
    let labels = match samples.labels.get(..before.len()) {
        Some(labels) => labels,
        None => before,
    };
    to_js(&answers::compare(labels, before, after, classes).map_err(thrown)?)
}

/// A drawing (0 paper, 255 ink) as an image of `side x side` pixels, as MNIST has its digits; undefined without ink.
#[wasm_bindgen(js_name = normaliseDrawing)]
pub fn normalise_drawing(drawing: &[u8], width: usize, height: usize, side: usize) -> Option<Vec<u8>> {
    drawing::normalise(drawing, [width, height], side)
}

/// Throws what is wrong with a recipe: a field that is missing or unknown, or a number out of its range.
#[wasm_bindgen(js_name = checkRecipe)]
pub fn check_recipe(#[wasm_bindgen(unchecked_param_type = "Recipe")] recipe: JsValue) -> Result<(), JsValue> {
    strict_from_js::<Recipe>("recipe", recipe)?.check().map_err(thrown)
}

/// Every number of a recipe, with its range and what it means; each kind of target among them.
#[wasm_bindgen(unchecked_return_type = "Setting[]")]
pub fn settings() -> Result<JsValue, JsValue> {
    to_js(&pipeline::settings())
}

/// The stages in their order: the name of each, and what it does.
#[wasm_bindgen(unchecked_return_type = "StageWords[]")]
pub fn stages() -> Result<JsValue, JsValue> {
    to_js(&Stage::ALL.map(Stage::words))
}
