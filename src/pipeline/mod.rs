//! The only place that knows the order of the stages.

mod checkpoint;
mod compress;
mod criterion;
mod describe;
mod drawn;
mod event;
mod progress;
mod reading;
mod recipe;
mod report;
mod run;
mod train;
mod warnings;
mod weights;

pub use crate::stages::StageNetwork;
pub use crate::stages::settings::{Effort, Setting, Target, Training};
pub use checkpoint::{Checkpoint, CheckpointHeader};
pub use compress::{Evidence, baselines, compress};
pub use criterion::{Criterion, answered_by, classifies, output_distance};
pub use describe::describe_layers;
pub use drawn::Drawn;
pub use event::{Accuracy, Event, LayerBits, LayerState, Probe, SplitName, StageState};
pub use progress::suited_effort;
pub use reading::{Reading, Readings, Said};
pub use recipe::{Distillation, Recipe, RecipeSetting, Split, Stage, StageWords, settings};
pub use report::{Accuracies, Baseline, Distances, Outcome, Report, SplitCounts, Splits, TensorReport};
pub use run::{Data, Observer, Quiet, integer_network, measure, measure_integers};
pub use train::{TrainRecipe, train};
