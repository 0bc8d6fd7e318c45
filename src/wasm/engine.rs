//! The door to what compresses, runs and looks at networks.

pub use super::samples::Samples;
use super::values::{clock, from_js, object, strict_from_js};
use super::{CAP, fault, thrown, to_js};
use crate::bench;
use crate::data;
use crate::error::Error;
use crate::formats::{self, Opened};
use crate::model::{self, Model, Scaling};
use crate::network::{Inference, logits, predictions};
use crate::pipeline::{
    self, Checkpoint, CheckpointHeader, Data, Event, Evidence, Observer, Outcome, Recipe, Said, SplitName, measure,
    suited_effort,
};
use crate::views::samples::SamplesReading;
use crate::views::summary::Summary;
use js_sys::{Float32Array, Function, Reflect, Uint8Array};
use serde::Deserialize;
use std::cell::RefCell;
use std::ops::{ControlFlow, Range};
use wasm_bindgen::{JsCast, prelude::*};

/// The types of what is passed as plain objects, written by a test (`types.rs`).
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// A checkpoint as its two parts: an object, and bytes.
fn checkpoint_to_js(checkpoint: &Checkpoint) -> Result<JsValue, JsValue> {
    let (header, numbers) = checkpoint.to_parts();
    object([("header", to_js(&header)?), ("numbers", Uint8Array::from(numbers.as_slice()).into())])
}

pub fn checkpoint_from_js(value: &JsValue) -> Result<Checkpoint, JsValue> {
    let header: CheckpointHeader = strict_from_js("checkpoint", Reflect::get(value, &"header".into())?)?;
    let numbers = Reflect::get(value, &"numbers".into())?.dyn_into::<Uint8Array>();
    let numbers = numbers.map_err(|_| fault("checkpoint, numbers: expected a Uint8Array"))?;
    Checkpoint::from_parts(header, &numbers.to_vec()).map_err(thrown)
}

/// How fast this machine runs and trains networks, and multiplies matrices; each speed is measured for about `seconds`.
#[wasm_bindgen(unchecked_return_type = "Rate[]")]
pub fn rates(seconds: f64) -> Result<JsValue, JsValue> {
    let clock = clock()?;
    to_js(&bench::rates(&|| clock.now() / 1000.0, seconds).map_err(thrown)?)
}

/// A seed from the platform's random numbers, for whoever does not want the default.
#[wasm_bindgen(js_name = randomSeed)]
pub fn random_seed() -> Result<u32, JsValue> {
    getrandom::u32().map_err(|error| fault(&error.to_string()))
}

/// The recipe of an effort.
#[wasm_bindgen(unchecked_return_type = "Recipe")]
pub fn recipe(#[wasm_bindgen(unchecked_param_type = "Effort")] effort: JsValue) -> Result<JsValue, JsValue> {
    to_js(&Recipe::new(from_js("effort", effort)?))
}

/// A model file of any kind whose graph can be run.
pub fn open(bytes: Vec<u8>) -> Result<Opened, JsValue> {
    formats::open_runnable(bytes, CAP).map_err(thrown)
}

/// An opened network that can be run. Its tensors are those that it runs with.
#[wasm_bindgen]
pub struct Network {
    network: model::Network,
    summary: Summary,
    /// Made ready to answer, and to give its logits, once it has been asked to.
    answering: RefCell<Option<Inference>>,
    telling: RefCell<Option<Inference>>,
}

#[wasm_bindgen(typescript_custom_section)]
const RUN_OPTIONS: &str = "
/** How numbers are one sample or several: `shape` is that of all of them, `[samples, ...]`, or of one. Bytes are read with a scaling;
 * without one as the numbers 0 to 255. */
export type RunOptions = { shape?: number[], scaling?: Scaling };
";

#[wasm_bindgen]
impl Network {
    /// Opens a model file of any kind whose graph can be run, gzipped or not.
    pub fn open(bytes: Vec<u8>) -> Result<Network, JsValue> {
        let file_bytes = bytes.len();
        Network::new(open(bytes)?, file_bytes)
    }

    /// What it is: its nodes, its layers with histograms and codebooks, its size.
    #[wasm_bindgen(unchecked_return_type = "Summary")]
    pub fn summary(&self) -> Result<JsValue, JsValue> {
        to_js(&self.summary)
    }

    /// Accuracy on the test samples `start` to `end`.
    #[wasm_bindgen(unchecked_return_type = "Accuracy")]
    pub fn evaluate(
        &self,
        samples: &mut Samples,
        start: usize,
        end: usize,
        #[wasm_bindgen(unchecked_param_type = "Scaling")] scaling: JsValue,
    ) -> Result<JsValue, JsValue> {
        evaluate(self.model()?, samples, start..end, scaling, SplitName::Test)
    }

    /// The class that the network answers for each of the samples `start` to `end`.
    pub fn answers(
        &self,
        samples: &mut Samples,
        start: usize,
        end: usize,
        #[wasm_bindgen(unchecked_param_type = "Scaling")] scaling: JsValue,
    ) -> Result<Vec<u32>, JsValue> {
        answers_to(self.model()?, samples, start..end, scaling)
    }

    /// How samples, which are not numbered yet, are to be read for this network; `scaling` is null if nothing says it. Without labels nothing is
    /// tried.
    #[wasm_bindgen(js_name = readingOf, unchecked_return_type = "SamplesReading")]
    pub fn reading_of(
        &self,
        training: &mut Samples,
        test: &mut Samples,
        class_names: Vec<String>,
        #[wasm_bindgen(unchecked_param_type = "Scaling | null")] scaling: JsValue,
    ) -> Result<JsValue, JsValue> {
        let part = |samples: &Samples| match samples.length() {
            0 => Ok(None),
            _ => samples.get(Default::default()).map(Some),
        };
        let dataset = data::Dataset { training: part(training)?, test: part(test)?, class_names, ..Default::default() };
        let said = Said { scaling: from_js("scaling", scaling)?, order: None };
        to_js(&SamplesReading::new(self.model()?, &dataset, &said).map_err(thrown)?)
    }

    /// The effort for this network and so many training samples: the usual one, or `calibrate` if its trainings would take more than a quarter of
    /// an hour.
    #[wasm_bindgen(js_name = suitedEffort, unchecked_return_type = "Effort")]
    pub fn suited_effort(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Effort")] usual: JsValue,
        samples: usize,
    ) -> Result<JsValue, JsValue> {
        to_js(&suited_effort(from_js("effort", usual)?, self.model()?, samples).map_err(thrown)?.0)
    }

    /// The logits for one image: a number for each class, before a softmax, or the sigmoid of one output, that ends the network.
    pub fn forward(
        &self,
        image: &[u8],
        #[wasm_bindgen(unchecked_param_type = "Scaling")] scaling: JsValue,
    ) -> Result<Vec<f32>, JsValue> {
        let sample = sample(self.model()?, image, scaling)?;
        let logits = self.with(&self.telling, Inference::new, |inference| inference.outputs(&sample))?;
        Ok(logits.into_iter().collect())
    }

    /// Runs the network on one sample, or on several one after the other: the answers, as its graph's last operator makes them, sample
    /// by sample.
    pub fn run(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array | Uint8Array")] input: JsValue,
        #[wasm_bindgen(unchecked_param_type = "RunOptions | undefined")] options: JsValue,
    ) -> Result<Vec<f32>, JsValue> {
        self.outputs(&self.answering, Inference::of_answers, input, options)
    }

    /// As `run`, without a softmax, or the sigmoid of one output, at the end.
    pub fn logits(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array | Uint8Array")] input: JsValue,
        #[wasm_bindgen(unchecked_param_type = "RunOptions | undefined")] options: JsValue,
    ) -> Result<Vec<f32>, JsValue> {
        self.outputs(&self.telling, Inference::new, input, options)
    }

    /// How long a run of one sample takes, and each layer, measured for about so many seconds each.
    #[wasm_bindgen(unchecked_return_type = "RunTime")]
    pub fn bench(&self, seconds: f64) -> Result<JsValue, JsValue> {
        let clock = clock()?;
        to_js(&bench::run_time(&|| clock.now() / 1000.0, seconds, self.model()?).map_err(thrown)?)
    }
}

impl Network {
    /// An opened network of a file of `file_bytes`.
    pub(super) fn new(opened: Opened, file_bytes: usize) -> Result<Network, JsValue> {
        let summary = Summary::new(&opened, file_bytes).map_err(thrown)?;
        let model = opened.into_model().map_err(thrown)?;
        let network = model::Network::without_tensors(model);
        Ok(Network { network, summary, answering: RefCell::default(), telling: RefCell::default() })
    }

    fn model(&self) -> Result<&Model, JsValue> {
        self.network.runnable().map_err(thrown)
    }

    /// What is made ready once, and kept.
    fn with<T>(
        &self,
        place: &RefCell<Option<Inference>>,
        make: impl Fn(&Model) -> Result<Inference, Error>,
        work: impl Fn(&mut Inference) -> Result<T, Error>,
    ) -> Result<T, JsValue> {
        let mut place = place.borrow_mut();
        let inference = match &mut *place {
            Some(inference) => inference,
            empty => empty.insert(make(self.model()?).map_err(thrown)?),
        };
        work(inference).map_err(thrown)
    }

    fn outputs(
        &self,
        place: &RefCell<Option<Inference>>,
        make: impl Fn(&Model) -> Result<Inference, Error>,
        input: JsValue,
        options: JsValue,
    ) -> Result<Vec<f32>, JsValue> {
        let options: RunOptions = match options.is_undefined() {
            true => RunOptions::default(),
            false => strict_from_js("options", options)?,
        };
        let shape = &self.model()?.graph.input_shape;
        if let Some(said) = &options.shape
            && !(said.ends_with(shape) && said.len() <= shape.len() + 1)
        {
            return Err(fault(&format!("options, shape: expected {shape:?}, or samples before it; got {said:?}")));
        }
        let count = |got: u32| match &options.shape {
            Some(said) if said.iter().product::<usize>() != got as usize => {
                Err(fault(&format!("input: expected {said:?}; got {got} numbers")))
            }
            _ => Ok(()),
        };
        match input.dyn_into::<Float32Array>() {
            Ok(floats) => {
                count(floats.length())?;
                self.with(place, make, |inference| inference.run(&floats.to_vec()))
            }
            Err(input) => {
                let bytes = input.dyn_into::<Uint8Array>();
                let bytes = bytes.map_err(|_| fault("input: expected a Float32Array or a Uint8Array"))?;
                count(bytes.length())?;
                let bytes = bytes.to_vec();
                let scaling = options.scaling.unwrap_or(Scaling::Raw);
                let samples = data::Samples::new(shape.clone(), bytes, Vec::new(), scaling).map_err(thrown)?;
                let outputs = self.with(place, make, |inference| inference.outputs(&samples))?;
                Ok(outputs.into_iter().collect())
            }
        }
    }
}

/// See `RUN_OPTIONS`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RunOptions {
    shape: Option<Vec<usize>>,
    scaling: Option<Scaling>,
}

/// Accuracy on a range of samples.
pub fn evaluate(
    model: &Model,
    samples: &mut Samples,
    range: Range<usize>,
    scaling: JsValue,
    split: SplitName,
) -> Result<JsValue, JsValue> {
    let samples = samples.get(from_js("scaling", scaling)?)?.range(range.start, range.end);
    to_js(&measure(model, &samples, split).map_err(thrown)?)
}

/// The class that a network answers for each of a range of samples.
pub fn answers_to(
    model: &Model,
    samples: &mut Samples,
    range: Range<usize>,
    scaling: JsValue,
) -> Result<Vec<u32>, JsValue> {
    let samples = samples.get(from_js("scaling", scaling)?)?.range(range.start, range.end);
    let logits = logits(model, &samples).map_err(thrown)?;
    Ok(predictions(&logits).into_iter().map(|class| class as u32).collect())
}

/// One image as a sample of what a network reads.
pub fn sample(model: &Model, image: &[u8], scaling: JsValue) -> Result<data::Samples, JsValue> {
    let shape = model.graph.input_shape.clone();
    data::Samples::new(shape, image.to_vec(), Vec::new(), from_js("scaling", scaling)?).map_err(thrown)
}

/// Compresses a network, and says what it does while it does it.
///
/// `on_event` is called with each event; a run whose `on_event` returns `false` is cancelled. `on_checkpoint` is called
/// with a checkpoint after each stage; with such a one a run of the same recipe goes on from there.
/// No samples in `test`: no test accuracy.
#[wasm_bindgen(unchecked_return_type = "Compressed")]
pub fn compress(
    network: &Network,
    training: &mut Samples,
    test: &mut Samples,
    #[wasm_bindgen(unchecked_param_type = "Recipe")] recipe: JsValue,
    #[wasm_bindgen(unchecked_param_type = "Checkpoint | null | undefined")] checkpoint: JsValue,
    #[wasm_bindgen(unchecked_param_type = "(event: RunEvent) => unknown")] on_event: Function,
    #[wasm_bindgen(unchecked_param_type = "(checkpoint: Checkpoint) => void")] on_checkpoint: Function,
) -> Result<JsValue, JsValue> {
    let recipe: Recipe = strict_from_js("recipe", recipe)?;
    let checkpoint = if checkpoint.is_null_or_undefined() { None } else { Some(checkpoint_from_js(&checkpoint)?) };
    let test = if test.length() == 0 { None } else { Some(test.get(recipe.scaling.clone())?) };
    let data = Data { training: training.get(recipe.scaling.clone())?, test };
    run(&network.network, Evidence::Samples(&data), &recipe, checkpoint, on_event, on_checkpoint)
}

/// A run of any kind.
pub fn run(
    network: &model::Network,
    evidence: Evidence<'_>,
    recipe: &Recipe,
    checkpoint: Option<Checkpoint>,
    on_event: Function,
    on_checkpoint: Function,
) -> Result<JsValue, JsValue> {
    let clock = clock()?;
    let started = clock.now();
    let mut observer = Callbacks { on_event, on_checkpoint, thrown: None };
    let outcome = pipeline::compress(network, evidence, recipe, checkpoint, &mut observer);
    if let Some(error) = observer.thrown {
        return Err(error);
    }
    let Outcome { nut, mut report } = outcome.map_err(thrown)?;
    report.seconds = (clock.now() - started) / 1000.0;
    object([("nut", Uint8Array::from(nut.as_slice()).into()), ("report", to_js(&report)?)])
}

/// Tells JavaScript.
struct Callbacks {
    on_event: Function,
    on_checkpoint: Function,
    /// What a callback threw; it ends the run.
    thrown: Option<JsValue>,
}

impl Observer for Callbacks {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        let answer = to_js(&event).and_then(|event| self.on_event.call1(&JsValue::NULL, &event));
        match answer {
            Ok(answer) if answer == JsValue::FALSE || self.thrown.is_some() => ControlFlow::Break(()),
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => {
                self.thrown = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        let told = checkpoint_to_js(checkpoint).and_then(|object| self.on_checkpoint.call1(&JsValue::NULL, &object));
        if let Err(error) = told {
            self.thrown = Some(error);
        }
    }
}
