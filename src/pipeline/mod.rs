//! The only place that knows the order of the stages.

mod checkpoint;
mod compress;
mod criterion;
mod describe;
mod event;
mod recipe;
mod report;
mod run;
mod settings;
mod steer;
mod train;
mod train_refined;
mod warnings;
mod weights;

pub use checkpoint::{Checkpoint, CheckpointHeader, StageNetwork};
pub use compress::{Outcome, baselines, compress};
pub use criterion::{Criterion, answered_by, output_distance};
pub use describe::describe_layers;
pub use event::{Accuracy, Event, LayerBits, LayerState, Probe, SplitName, Stage, StageState};
pub use recipe::{Code, Distillation, Effort, Prune, Recipe, Refine, Share, Split, Structure, Target, Training};
pub use report::{Accuracies, Baseline, Distances, Report, SplitCounts, Splits};
pub use run::{Data, Observer, integer_network, measure, measure_integers};
pub use settings::{BUDGET, SETTINGS, Setting, TOLERANCE};
pub use train::{TrainRecipe, train};
pub use weights::{TensorReport, WeightsEvent, WeightsOutcome, WeightsReport, WeightsTarget, compress_weights};
