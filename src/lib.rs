//! Nutshell compresses trained neural networks: it makes the smallest file that keeps the accuracy asked for, or the most accurate file
//! within a byte budget.
//!
//! ```text
//! file bytes -> formats -> Network (tensors, origin, and a Model if the graph can be run)
//!   on samples:          Model -> structure -> prune -> share -> quantize -> FixedPoint -> refine -> code -> .nut bytes
//!   by weights alone:    tensors -> rounding -> code -> .nut bytes
//! .nut bytes -> formats -> Network -> run | export
//! ```
//!
//! The method is that of Frickenstein, Unger and Stechele, "Resource-aware optimization of DNNs for embedded
//! applications", CRV 2019. Only the paper's abstract is public: the details here are our own.
//!
//! Open a model, compress it on samples, and run what the file decodes to:
//!
//! ```
//! use nutshell::data::Samples;
//! use nutshell::model::{Scaling, presets};
//! use nutshell::network::predictions;
//! use nutshell::pipeline::{Data, Effort, Evidence, Quiet, Recipe, Target, compress};
//! use nutshell::{formats, network};
//!
//! # fn main() -> Result<(), nutshell::Error> {
//! let cap = 1 << 20; // the most bytes that a file may take once it is unpacked
//! # let mut made = presets::lenet300([6, 5, 2]);
//! # presets::initialize(&mut made, &mut <rand_pcg::Pcg64Mcg as rand::SeedableRng>::seed_from_u64(1));
//! # let file = formats::onnx::write(&made)?;
//! let network = formats::open(&file, cap)?.network;
//! // 80 images of one channel, bright on the left or on the right.
//! let pixels = (0..80 * 784).map(|at| if (at / 784 % 2 == 0) == (at % 28 < 14) { 255 } else { 0 }).collect();
//! let samples = Samples::new(vec![1, 28, 28], pixels, (0..80).map(|at| at % 2).collect(), Scaling::Unit)?;
//!
//! let mut recipe = Recipe::new(Effort::Quick);
//! recipe.target = Target::Budget(4_000);
//! recipe.split.validation = 20;
//! # for training in [&mut recipe.structure.training, &mut recipe.prune.training, &mut recipe.share.training, &mut recipe.refine.training] {
//! #     training.samples = 640;
//! # }
//! let data = Data { training: samples.clone(), test: None };
//! let outcome = compress(&network, Evidence::Samples(&data), &recipe, None, &mut Quiet)?;
//! assert!(outcome.nut.len() <= 4_000);
//!
//! let decoded = formats::open(&outcome.nut, cap)?.into_model()?;
//! let classes = predictions(&network::logits(&decoded, &samples)?);
//! assert_eq!(classes.len(), 80);
//! # Ok(())
//! # }
//! ```

pub mod bench;
mod circle;
pub mod coding;
pub mod container;
pub mod data;
pub mod error;
pub mod formats;
pub use nutshell_kernels as kernels;
pub mod model;
pub mod network;
pub mod parallel;
pub mod pipeline;
pub mod ranking;
pub mod resources;
pub mod search;
pub mod stages;
pub mod views;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
#[cfg(all(test, not(target_arch = "wasm32")))]
#[path = "wasm/types.rs"]
mod wasm_types;

pub use error::Error;
pub use model::{Model, Network};
