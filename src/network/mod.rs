//! Runs and trains a [`Model`](crate::Model).
//!
//! A batch is always split into the same number of shards, whose gradients are summed in order: one, two or eight threads
//! give the same bits. In training, activations are batch-innermost; a network that only runs has one sample at a time (see
//! [`kernels`](crate::kernels)).

pub mod augment;
mod block;
pub mod evaluate;
pub mod fit;
mod flow;
pub mod integer;
pub mod loader;
pub mod loss;
pub mod moments;
mod operators;
pub mod optimizer;
mod plan;
pub mod retrain;
mod run;
pub mod trainer;
mod workspace;

pub use augment::Augmentation;
pub use evaluate::{Evaluation, Inference, TimedStep, activations, answers, evaluate, logits, relative_distance};
pub use fit::{Learner, Look, Progress, Schedule, fit};
pub use integer::{IntegerNetwork, search_formats};
pub use loader::{Loader, one_hot};
pub use loss::{Judgement, Loss, cross_entropies, judge, predictions, spread};
pub use moments::{InputMoments, input_moments};
pub(crate) use operators::unary_value;
pub use optimizer::Adam;
pub use retrain::Retrain;
pub use trainer::{Batch, Gradients, Trainer};
