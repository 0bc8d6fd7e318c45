//! What a run is to do: the stages in their order, and every number of them.
//!
//! This is the one place that knows the order. A new stage is its room in `stages/`, and here a variant of [`Stage`], its settings in
//! [`Recipe`] and its arm in [`Recipe::apply`].

use crate::container::WriteOptions;
use crate::error::{Error, RecipeError};
use crate::model::Scaling;
use crate::stages::settings::{Effort, Setting, Target};
use crate::stages::{Costs, Meta, StageNetwork, Tools, code, prune, quantize, refine, round, share, structure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The stages, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The network as it was given.
    Original,
    /// Channels and neurons are gone.
    Structure,
    /// Single weights are gone.
    Prune,
    /// Weights share values.
    Share,
    /// The shared values are fixed point.
    Quantize,
    /// Weights are rounded without training.
    Round,
    /// Trained again, with the bits' price.
    Refine,
    /// The file.
    Code,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Stage; 8] = [
        Stage::Original,
        Stage::Structure,
        Stage::Prune,
        Stage::Share,
        Stage::Quantize,
        Stage::Round,
        Stage::Refine,
        Stage::Code,
    ];

    /// Its number in the seeds of its trainings, which stays when stages are added: so do the files of a seed.
    pub fn seed(self) -> u64 {
        match self {
            Stage::Original => 0,
            Stage::Structure => 1,
            Stage::Prune => 2,
            Stage::Share => 3,
            Stage::Quantize => 4,
            Stage::Refine => 5,
            Stage::Code => 6,
            Stage::Round => 7,
        }
    }

    /// What is to be said of it.
    pub fn meta(self) -> Meta {
        match self {
            Stage::Original => Meta { name: "original", sentence: "the original network", settings: &[] },
            Stage::Structure => structure::META,
            Stage::Prune => prune::META,
            Stage::Share => share::META,
            Stage::Quantize => quantize::META,
            Stage::Round => round::META,
            Stage::Refine => refine::META,
            Stage::Code => code::META,
        }
    }
}

/// A stage in words.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StageWords {
    /// Which one.
    pub stage: Stage,
    /// What it does.
    pub sentence: &'static str,
}

impl Stage {
    /// The stage in words.
    pub fn words(self) -> StageWords {
        StageWords { stage: self, sentence: self.meta().sentence }
    }
}

/// Everything that decides the result of a run, apart from the model and the samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Which preset of numbers this recipe started from; decides nothing by itself.
    pub effort: Effort,
    /// What is to be reached.
    pub target: Target,
    /// Seed of every random choice; the same seed gives the same file.
    pub seed: u64,
    /// How the bytes of an image become the numbers that the network sees.
    pub scaling: Scaling,
    /// Which samples validate.
    pub split: Split,
    /// The share of images that trainings mirror left to right, 0 to 1: 0 for digits, 0.5 for most photos.
    #[serde(default)]
    pub mirror: f32,
    /// Targets of every training in the run.
    pub distillation: Distillation,
    /// Removal of channels and neurons.
    pub structure: structure::Settings,
    /// Removal of single weights.
    pub prune: prune::Settings,
    /// Codebooks.
    pub share: share::Settings,
    /// Rounding without training; it takes the place of quantization.
    #[serde(default)]
    pub round: round::Settings,
    /// Training that knows what the code will cost.
    pub refine: refine::Settings,
    /// Lossless coding.
    pub code: code::Settings,
}

/// Which samples validate: they search and select, and are never trained on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Number of samples held out of the training file.
    pub validation: usize,
    /// At most so many of the others are trained on; 0 for all.
    pub training: usize,
    /// 0: the file's last samples, as is the custom with MNIST; else they are drawn, each class in its share.
    pub seed: u64,
}

impl Split {
    /// This split, adapted to so many samples: at most a fifth of them validate; unless their file has an order by custom, as MNIST's has, they are
    /// drawn.
    pub fn for_samples(self, samples: usize, in_order: bool) -> Split {
        let seed = if self.seed == 0 && !in_order { 1 } else { self.seed };
        Split { validation: self.validation.min((samples / 5).max(1)), seed, ..self }
    }
}

/// Targets of training: `weight x softmax(teacher logits / temperature) + (1 - weight) x label`.
/// The teacher is the network as it was given (Hinton et al. 2015).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Distillation {
    /// Share of the teacher in the targets, 0 to 1.
    pub weight: f32,
    /// Above 1 softens the teacher's answers, below 1 sharpens them.
    pub temperature: f32,
}

/// What is set for the whole run, but for its target.
const GENERAL: &[Setting] = &[
    Setting::count("seed", "seed of every random choice: the same seed gives the same file", 0),
    Setting::count("split.validation", "samples held out of the training file to validate", 1),
    Setting::count("split.training", "the most other samples that are trained on; 0 for all", 0),
    Setting::count(
        "split.seed",
        "0 holds out the file's last samples; another number draws them, each class in its share",
        0,
    ),
    Setting::real("mirror", "share of images that trainings mirror left to right: 0 for digits, 0.5 for most photos")
        .at_most(1.0),
    Setting::real("distillation.weight", "share of the original network's answers in what is trained for").at_most(1.0),
    Setting::positive("distillation.temperature", "above 1 softens the original network's answers"),
];

/// The targets that are numbers.
const TARGETS: &[Setting] = &[
    Setting::real("target.tolerance", "percentage points of validation accuracy that may be lost").at_most(100.0),
    Setting::count("target.budget", "bytes on disk, at most", 1),
    Setting::real("target.snr", "signal-to-quantization-noise ratio of the layers, in dB").at_most(200.0),
];

/// A number of a recipe, and where it stands there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "Setting"))]
pub struct RecipeSetting {
    /// Its place in a recipe's JSON, joined by dots.
    pub path: String,
    /// What it means, and its range.
    #[serde(flatten)]
    pub setting: Setting,
}

/// Every number of a recipe, in its order; the targets first, of which a recipe has one.
pub fn settings() -> Vec<RecipeSetting> {
    let general = TARGETS.iter().chain(GENERAL).map(|&setting| RecipeSetting { path: setting.name.into(), setting });
    let of_stage = |stage: Stage| {
        let Meta { name, settings, .. } = stage.meta();
        settings.iter().map(move |&setting| RecipeSetting { path: format!("{name}.{}", setting.name), setting })
    };
    general.chain(Stage::ALL.into_iter().flat_map(of_stage)).collect()
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe::new(Effort::Balanced)
    }
}

impl Recipe {
    /// The recipe of an effort, with a tolerance of 0.3 percentage points and seed 1.
    pub fn new(effort: Effort) -> Self {
        Recipe {
            effort,
            target: Target::Tolerance(0.3),
            seed: 1,
            scaling: Scaling::Unit,
            split: Split { training: if effort == Effort::Quick { 40_000 } else { 0 }, validation: 5_000, seed: 0 },
            mirror: 0.0,
            distillation: Distillation { weight: 0.7, temperature: 1.0 },
            structure: structure::Settings::of(effort),
            prune: prune::Settings::of(effort),
            share: share::Settings::of(effort),
            round: round::Settings::of(effort),
            refine: refine::Settings::of(effort),
            code: code::Settings::of(effort),
        }
    }

    /// The recipe of a run by the weights alone: only its target and `round.trellis` count.
    pub fn of_weights(target: Target) -> Self {
        Recipe { target, ..Recipe::new(Effort::Quick) }
    }

    /// What counts of this recipe in a run by the weights alone, with another target.
    pub fn without_samples(&self, target: Target) -> Self {
        let mut own = Recipe::of_weights(target);
        own.round.trellis = self.round.trellis;
        own
    }

    /// How a run writes its files.
    pub fn write_options(&self) -> WriteOptions {
        WriteOptions { scaling: self.scaling.clone(), ..WriteOptions::default() }
    }

    /// Checks every number against its range.
    ///
    /// # Errors
    /// [`RecipeError::Invalid`] names the first setting that is out of range.
    pub fn check(&self) -> Result<(), RecipeError> {
        if !self.scaling.is_sound() {
            let expected = "finite means, deviations above 0, as many of both".to_owned();
            return Err(RecipeError::Invalid { field: "scaling".into(), expected, got: format!("{:?}", self.scaling) });
        }
        // By way of text, in which a 32-bit 0.1 is 0.1; what is not finite has no number in it, and is refused as NaN.
        let text = serde_json::to_string(self).expect("every setting has a JSON form");
        let values: Value = serde_json::from_str(&text).expect("it was just written");
        for RecipeSetting { path, setting } in settings() {
            let Some(value) = values.pointer(&format!("/{}", path.replace('.', "/"))) else { continue };
            let value = value.as_f64().unwrap_or(f64::NAN);
            if !setting.allows(value) {
                return Err(RecipeError::Invalid { field: path, expected: setting.range(), got: value.to_string() });
            }
        }
        let Recipe { round, .. } = self;
        if round.probes == 0 && !round.locked.is_empty() {
            let (field, got) = ("round.locked".to_owned(), round.locked.join(", "));
            let expected = "none, unless layers are rounded: effort calibrate, or round.probes above 0".to_owned();
            return Err(RecipeError::Invalid { field, expected, got });
        }
        Ok(())
    }

    /// Does what a stage does to a network. `None` if all stages are to be done again, from the original.
    ///
    /// # Errors
    /// Those of [`Tools`].
    pub fn apply(
        &self,
        stage: Stage,
        tools: &mut dyn Tools,
        network: StageNetwork,
    ) -> Result<Option<StageNetwork>, Error> {
        Ok(Some(match (stage, network) {
            (Stage::Structure, StageNetwork::Float(model)) => {
                StageNetwork::Float(structure::run(tools, model, &self.structure)?)
            }
            (Stage::Prune, StageNetwork::Float(model)) => StageNetwork::Float(prune::run(tools, model, &self.prune)?),
            (Stage::Share, StageNetwork::Float(model)) => StageNetwork::Float(share::run(tools, &model, &self.share)?),
            (Stage::Quantize, StageNetwork::Float(model)) => {
                // Where nothing trains it any more, the network keeps its codebooks.
                let grid = (self.refine.rounds > 0).then_some((self.refine.levels, self.refine.unit));
                StageNetwork::Fixed(quantize::run(&model, grid, tools.original().parameter_shapes()))
            }
            (Stage::Round, StageNetwork::Float(model)) => StageNetwork::Fixed(round::run(tools, &model, &self.round)?),
            (Stage::Refine, StageNetwork::Fixed(fixed)) if self.refine.rounds > 0 => {
                return Ok(refine::run(tools, fixed, &self.refine)?.map(StageNetwork::Fixed));
            }
            (Stage::Code, StageNetwork::Fixed(fixed)) => {
                StageNetwork::Fixed(code::run(tools, &fixed, &self.code, self.seed)?)
            }
            (_, network) => network,
        }))
    }

    /// Whether a stage has anything to do.
    pub fn includes(&self, stage: Stage) -> bool {
        match stage {
            Stage::Original => false,
            Stage::Quantize => self.round.probes == 0,
            Stage::Round => self.round.probes > 0,
            Stage::Refine => self.refine.rounds > 0,
            Stage::Structure => self.structure.rounds > 0,
            Stage::Prune => self.prune.rounds > 0,
            Stage::Share => self.share.probes > 0,
            Stage::Code => true,
        }
    }

    /// Estimated seconds of a stage.
    pub fn work(&self, stage: Stage, costs: &Costs) -> f64 {
        match stage {
            Stage::Original | Stage::Quantize => 0.0,
            Stage::Structure => self.structure.work(costs),
            Stage::Prune => self.prune.work(costs),
            Stage::Share => self.share.work(costs),
            Stage::Round => self.round.work(costs),
            Stage::Refine => self.refine.work(costs),
            Stage::Code => self.code.work(costs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EFFORTS: [Effort; 4] = [Effort::Calibrate, Effort::Quick, Effort::Balanced, Effort::Thorough];

    #[test]
    fn every_preset_is_sound_and_survives_json() {
        for effort in EFFORTS {
            let recipe = Recipe::new(effort);
            recipe.check().unwrap();
            let json = serde_json::to_string(&recipe).unwrap();
            assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
        }
    }

    #[test]
    fn the_documented_recipes_are_sound() {
        let json = include_str!("../../docs/recipes/without-retraining.json");
        serde_json::from_str::<Recipe>(json).unwrap().check().unwrap();
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        let mut recipe = Recipe::new(Effort::Quick);
        recipe.target = Target::Tolerance(f64::NAN);
        let error = recipe.check().unwrap_err();
        assert!(error.to_string().starts_with("recipe, target.tolerance: expected 0 to 100"), "{error}");
        recipe.target = Target::Snr(-1.0);
        let error = recipe.check().unwrap_err().to_string();
        assert_eq!(error, "recipe, target.snr: expected 0 to 200, got -1");
    }

    #[test]
    fn layers_are_locked_only_where_layers_are_rounded() {
        let mut recipe = Recipe::new(Effort::Calibrate);
        recipe.round.locked = vec!["conv1".to_owned()];
        recipe.check().unwrap();
        recipe.round.probes = 0;
        let error = recipe.check().unwrap_err().to_string();
        assert!(error.starts_with("recipe, round.locked: expected none, unless"), "{error}");
        // Recipes that were written before there were any.
        let old: round::Settings = serde_json::from_str(r#"{"probes":12,"samples":128}"#).unwrap();
        assert_eq!(old, round::Settings::of(Effort::Calibrate));
    }

    /// Every number of a JSON value with its place.
    fn numbers(value: &Value, place: &str, found: &mut Vec<String>) {
        match value {
            Value::Number(_) => found.push(place.trim_start_matches('.').to_owned()),
            Value::Object(fields) => {
                fields.iter().for_each(|(name, own)| numbers(own, &format!("{place}.{name}"), found))
            }
            _ => {}
        }
    }

    #[test]
    fn every_number_of_a_recipe_is_a_setting_and_the_other_way_round() {
        let mut found = Vec::new();
        numbers(&serde_json::to_value(Recipe::new(Effort::Balanced)).unwrap(), "", &mut found);
        let mut listed: Vec<String> = settings().into_iter().map(|setting| setting.path).collect();
        listed.retain(|path| path != "target.budget" && path != "target.snr");
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
    }
}
