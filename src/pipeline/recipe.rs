//! What a run is to do: every number of it, with its default, stated here and nowhere else.

use crate::container::WriteOptions;
use crate::model::Scaling;
use serde::{Deserialize, Serialize};

/// Everything that decides the result of a run, apart from the model and the samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub structure: Structure,
    /// Removal of single weights.
    pub prune: Prune,
    /// Codebooks.
    pub share: Share,
    /// Training that knows what the code will cost.
    pub refine: Refine,
    /// Lossless coding.
    pub code: Code,
}

/// How much work a run may do: presets of the numbers in a [`Recipe`], never other code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Seconds in a browser tab.
    Quick,
    /// Minutes in a browser tab.
    Balanced,
    /// As small as we know how to.
    Thorough,
}

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// As small as it can be while validation accuracy drops by at most so many percentage points.
    Tolerance(f64),
    /// As accurate as it can be in at most so many bytes on disk.
    Budget(usize),
}

/// Which samples validate: they search and select, and are never trained on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Number of samples held out of the training file.
    pub validation: usize,
    /// At most so many of the others are trained on; 0 for all.
    pub training: usize,
    /// 0: the file's last samples, as is the custom with MNIST; else they are drawn, each class in its share.
    pub seed: u64,
}

/// Targets of training: `weight x softmax(teacher logits / temperature) + (1 - weight) x label`.
/// The teacher is the network as it was given (Hinton et al. 2015).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distillation {
    /// Share of the teacher in the targets, 0 to 1.
    pub weight: f32,
    /// Above 1 softens the teacher's answers, below 1 sharpens them.
    pub temperature: f32,
}

/// Settings of one training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Samples seen, forward and backward; the only bound on the work.
    pub samples: usize,
    /// Samples a step.
    pub batch: usize,
    /// Adam's peak step size; a cosine takes it to zero.
    pub learning_rate: f32,
    /// Strength of random affine and elastic maps of the images: 0 none, 1 about 12 degrees, 12 % and 1.5 pixels.
    pub augmentation: f32,
}

/// Removal of channels and neurons: the fewest whose activations explain the others within epsilon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// Searches, each followed by a training.
    pub rounds: usize,
    /// Half-interval steps of a search.
    pub probes: usize,
    /// Samples whose activations are looked at.
    pub activation_samples: usize,
    /// Validation samples a probe is judged on.
    pub probe_samples: usize,
    /// A probe is accepted if the mean loss rises by at most this much, in nats.
    pub loss_rise: f64,
    /// With a byte budget the search goes on past `loss_rise`, to this many weights and biases a byte.
    pub parameters_per_byte: f64,
    /// After each search.
    pub training: Training,
}

/// Removal of single weights below one global threshold of saliency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prune {
    /// Searches, each followed by a training.
    pub rounds: usize,
    /// Half-interval steps of a search.
    pub probes: usize,
    /// Validation samples a probe is judged on.
    pub probe_samples: usize,
    /// A probe is accepted if the mean loss rises by at most this much over the round's start, in nats.
    pub loss_rise: f64,
    /// After each search.
    pub training: Training,
}

/// Weight sharing: a codebook a layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The most centroids of a layer beside zero, 1 to 255.
    pub centroids: usize,
    /// Half-interval steps of the search for the price of a bit.
    pub probes: usize,
    /// Validation samples a probe is judged on.
    pub probe_samples: usize,
    /// A probe is accepted if the mean loss rises by at most this much, in nats.
    pub loss_rise: f64,
    /// Fine-tuning of the centroids by their clusters' gradients.
    pub training: Training,
}

/// Quantization-aware training that pays for each bit that the coder will spend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refine {
    /// Trainings: each later one starts again from the integers of the one before. 0 leaves the stage out.
    pub rounds: usize,
    /// Weights are integers from `-levels` to `levels` in units of their layer's step.
    pub levels: i16,
    /// The step of a layer, in root mean squares of its nonzero weights; the nearest power of two is taken.
    pub unit: f32,
    /// Price of a bit at the start, in nats of mean loss; the target steers it from there.
    pub price: f64,
    /// The share of a training after which oscillating weights are frozen, 0 to 1.
    pub freeze_from: f64,
    /// Of each round.
    pub training: Training,
}

/// Lossless coding: the order of hidden units is free, and some orders take fewer bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Symbols that are coded in trials while a good order is searched; the only bound on that work.
    pub trial_symbols: u64,
}

impl Recipe {
    /// How a run writes its files.
    pub fn write_options(&self) -> WriteOptions {
        WriteOptions { scaling: self.scaling.clone(), ..WriteOptions::default() }
    }

    /// The recipe of an effort, with a tolerance of 0.3 percentage points and seed 1.
    pub fn new(effort: Effort) -> Self {
        let training =
            |samples, batch, learning_rate, augmentation| Training { samples, batch, learning_rate, augmentation };
        let base = Recipe {
            effort,
            target: Target::Tolerance(0.3),
            seed: 1,
            scaling: Scaling::Unit,
            split: Split { training: 0, validation: 5_000, seed: 0 },
            mirror: 0.0,
            distillation: Distillation { weight: 0.7, temperature: 1.0 },
            structure: Structure {
                rounds: 2,
                probes: 8,
                activation_samples: 500,
                probe_samples: 1_000,
                loss_rise: 0.05,
                parameters_per_byte: 9.0,
                training: training(110_000, 64, 3e-3, 1.0),
            },
            prune: Prune {
                rounds: 1,
                probes: 6,
                probe_samples: 1_000,
                loss_rise: 0.05,
                training: training(55_000, 64, 2e-3, 1.0),
            },
            share: Share {
                centroids: 15,
                probes: 6,
                probe_samples: 1_000,
                loss_rise: 0.02,
                training: training(10_000, 64, 5e-4, 1.0),
            },
            refine: Refine {
                rounds: 4,
                levels: 5,
                unit: 0.5,
                price: 1e-5,
                freeze_from: 0.7,
                training: training(400_000, 32, 4e-2, 0.4),
            },
            code: Code { trial_symbols: 2_000_000 },
        };
        match effort {
            Effort::Quick => Recipe {
                split: Split { training: 40_000, ..base.split },
                structure: Structure { rounds: 1, training: training(6_000, 32, 2e-3, 0.0), ..base.structure },
                prune: Prune { rounds: 4, loss_rise: 0.08, training: training(8_000, 32, 2e-3, 0.0), ..base.prune },
                share: Share { training: training(2_000, 32, 5e-4, 0.0), ..base.share },
                refine: Refine {
                    rounds: 1,
                    levels: 7,
                    price: 5e-6,
                    training: training(90_000, 32, 2e-2, 0.3),
                    ..base.refine
                },
                ..base
            },
            Effort::Balanced => base,
            Effort::Thorough => Recipe {
                structure: Structure {
                    parameters_per_byte: 14.0,
                    training: training(550_000, 64, 3e-3, 0.4),
                    ..base.structure
                },
                refine: Refine { levels: 4, training: training(1_500_000, 128, 4e-2, 0.4), ..base.refine },
                code: Code { trial_symbols: 20_000_000 },
                ..base
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_sound_and_survives_json() {
        for effort in [Effort::Quick, Effort::Balanced, Effort::Thorough] {
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
    }
}
