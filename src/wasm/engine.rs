//! The door to what compresses, runs and looks at networks.

pub use super::samples::Samples;
use super::values::{clock, from_js, object, strict_from_js};
use super::{CAP, fault, thrown, to_js};
use crate::bench;
use crate::data;
use crate::formats::{self, Opened};
use crate::model::{self, Model};
use crate::network::{logits, predictions};
use crate::pipeline::{
    self, Checkpoint, CheckpointHeader, Data, Event, Evidence, Observer, Outcome, Recipe, Said, SplitName, measure,
    suited_effort,
};
use crate::views::samples::SamplesReading;
use crate::views::summary::Summary;
use js_sys::{Function, Reflect, Uint8Array};
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
pub struct Network(model::Network, Summary);

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
        to_js(&self.1)
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

    /// The answer for one image: a number (logit) for each class.
    pub fn forward(
        &self,
        image: &[u8],
        #[wasm_bindgen(unchecked_param_type = "Scaling")] scaling: JsValue,
    ) -> Result<Vec<f32>, JsValue> {
        let sample = sample(self.model()?, image, scaling)?;
        Ok(logits(self.model()?, &sample).map_err(thrown)?.into_iter().collect())
    }
}

impl Network {
    /// An opened network of a file of `file_bytes`.
    pub(super) fn new(opened: Opened, file_bytes: usize) -> Result<Network, JsValue> {
        let summary = Summary::new(&opened, file_bytes).map_err(thrown)?;
        let model = opened.into_model().map_err(thrown)?;
        Ok(Network(model::Network::without_tensors(model), summary))
    }

    fn model(&self) -> Result<&Model, JsValue> {
        self.0.runnable().map_err(thrown)
    }
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
    run(&network.0, Evidence::Samples(&data), &recipe, checkpoint, on_event, on_checkpoint)
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
