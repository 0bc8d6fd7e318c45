//! Training a network from scratch, so that there is one to compress.

use super::event::SplitName;
use super::recipe::Split;
use super::report::Accuracies;
use super::run::{Data, measure};
use crate::error::{Error, RecipeError};
use crate::model::{Model, Scaling, presets};
use crate::network::{Augmentation, Loader, Progress, Retrain, Schedule, fit, one_hot};
use crate::stages::settings::Training;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The share of a training in which the learning rate rises from zero.
const WARM_UP: f32 = 0.02;
/// Decoupled weight decay: keeps the given network's weights small without a visible cost in accuracy.
const WEIGHT_DECAY: f32 = 0.02;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainRecipe {
    /// Draws the first weights and the order of the samples.
    pub seed: u64,
    /// How what is in the file becomes what the network sees.
    pub scaling: Scaling,
    /// Which samples are held out.
    pub split: Split,
    /// How long, and how fast.
    pub training: Training,
    /// The share of images that are mirrored left to right, 0 to 1.
    pub mirror: f32,
}

impl Default for TrainRecipe {
    fn default() -> Self {
        TrainRecipe {
            seed: 1,
            scaling: Scaling::Unit,
            split: Split { training: 0, validation: 5_000, seed: 0 },
            training: Training { samples: 12 * 55_000, batch: 128, learning_rate: 2e-3, augmentation: 0.5 },
            mirror: 0.0,
        }
    }
}

impl TrainRecipe {
    /// Checks the numbers for a training on so many samples.
    fn check(&self, samples: usize) -> Result<(), RecipeError> {
        let Training { batch, learning_rate, augmentation, .. } = self.training;
        let invalid = |field: &str, expected: String, got: String| {
            Err(RecipeError::Invalid { field: field.into(), expected, got })
        };
        if !(1..=samples).contains(&batch) {
            return invalid("training.batch", format!("1 to {samples}"), batch.to_string());
        }
        if !(learning_rate > 0.0 && learning_rate.is_finite()) {
            return invalid("training.learning_rate", "above 0".into(), learning_rate.to_string());
        }
        if !(augmentation >= 0.0 && augmentation.is_finite()) {
            return invalid("training.augmentation", "0 or more".into(), augmentation.to_string());
        }
        if !(0.0..=1.0).contains(&self.mirror) {
            return invalid("mirror", "0 to 1".into(), self.mirror.to_string());
        }
        Ok(())
    }
}

/// Draws weights for the shapes of `model`, and trains them on the labels.
///
/// # Errors
/// If the model does not run on the samples, there are too few of them, a number of the recipe is out of range, or
/// `observe` breaks off.
pub fn train(
    mut model: Model,
    data: &Data,
    recipe: &TrainRecipe,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<(Model, Accuracies), Error> {
    let scaled =
        |samples: &crate::data::Samples| crate::data::Samples { scaling: recipe.scaling.clone(), ..samples.clone() };
    let (training, validation) = scaled(&data.training).split(recipe.split.validation, recipe.split.seed)?;
    recipe.check(training.len())?;
    presets::initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(recipe.seed));
    let shapes = model.shapes()?;
    let classes: usize = shapes[model.graph.output().0].iter().product();
    let targets = Arc::new(one_hot(&training, classes)?);
    let Training { samples, batch, learning_rate, augmentation } = recipe.training;
    let mut loader = Loader::new(training, &model.graph.input_shape, targets, recipe.seed)?;
    if let Some(changes) = Augmentation::of(augmentation, recipe.mirror) {
        loader = loader.with_augmentation(changes);
    }
    let schedule = Schedule { samples: samples as u64, batch, rate: learning_rate, warm_up: WARM_UP, decay: 1.0 };
    let mut learner = Retrain::new(model).with_weight_decay(WEIGHT_DECAY);
    fit(&mut learner, &mut loader, &schedule, 0, &mut |_, progress| observe(progress))?;
    let model = learner.into_model();
    let validation = measure(&model, &validation, SplitName::Validation)?;
    let test = data.test.as_ref().map(|samples| measure(&model, &scaled(samples), SplitName::Test)).transpose()?;
    Ok((model, Accuracies { validation, test }))
}
