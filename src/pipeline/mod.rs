//! The only place that knows the order of the stages.

mod event;
mod recipe;
mod report;

pub use event::{Accuracy, Event, LayerBits, LayerState, Probe, SplitName, Stage, StageState};
pub use recipe::{Distillation, Effort, Prune, Recipe, Refine, Share, Split, Structure, Target, Training};
pub use report::{Accuracies, Baseline, Report};
