//! Runs and trains a [`Model`](crate::Model).
//!
//! A batch is always split into the same number of shards, whose gradients are summed in order: one, two or eight threads
//! give the same bits. Activations are batch-innermost (see [`kernels`](crate::kernels)).

mod add;
pub mod augment;
mod binary;
mod block;
mod conv;
pub mod evaluate;
pub mod fit;
pub mod integer;
mod linear;
pub mod loader;
mod matmul;
mod moves;
mod normalize;
pub mod optimizer;
mod plan;
mod pool;
mod reduce;
mod relu;
pub mod retrain;
mod softmax;
pub mod trainer;
mod unary;
mod weights;
mod workspace;

pub use augment::Augmentation;
pub use evaluate::{Evaluation, Inference, activations, answers, cross_entropies, evaluate, logits, predictions};
pub use fit::{Learner, Look, Progress, Schedule, fit};
pub use integer::{IntegerNetwork, search_formats};
pub use loader::{Loader, one_hot};
pub use optimizer::Adam;
pub use retrain::Retrain;
pub use trainer::{Batch, Gradients, Trainer};
pub(crate) use unary::value as unary_value;
