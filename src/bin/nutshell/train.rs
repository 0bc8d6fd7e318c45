//! `nutshell train`.

use crate::outputs::{Kind, Output, check_ending};
use crate::progress::Reporter;
use crate::samples::{self, Purpose, Use};
use crate::{Answer, Task, evaluate, files, recipe, units, usage};
use clap::error::ErrorKind;
use clap::{Args, ValueEnum};
use nutshell::data::Samples;
use nutshell::error::DataError;
use nutshell::formats::onnx;
use nutshell::model::presets::{LENET5_WIDTHS, LENET300_WIDTHS, Lenet, VGG_WIDTHS, Vgg};
use nutshell::pipeline::{self, Criterion, TrainRecipe};
use nutshell::{Error, Model};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Train a well-known network, or a relative of it, from scratch.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which network; its input and its classes are those of the samples.
    #[arg(value_enum)]
    preset: Preset,
    /// Samples: a folder with MNIST's file names, a file (IDX, npz, npy, CSV), or a folder or ZIP archive of PNG and JPEG files with a folder a class.
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// The ONNX file to write; - is standard output.
    #[arg(short, long, value_name = "FILE.onnx")]
    output: PathBuf,
    /// Draws the first weights and the order of the samples.
    #[arg(long)]
    seed: Option<u64>,
    /// How often each training sample is seen.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Adam's peak step size.
    #[arg(long, value_name = "X")]
    learning_rate: Option<f32>,
    /// Samples a step.
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// The recipe whose validation samples to hold out, and whose scaling to use [default: the last 5000 of the
    /// training file, 0 to 1].
    #[arg(long, value_name = "R.json")]
    recipe: Option<PathBuf>,
    #[command(flatten)]
    samples: Use,
    /// Outputs of the layers but the last, such as 32,64,256. Of lenet5 the first two are convolutions; of vgg all but the last are, and a maximum
    /// follows every second one.
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    widths: Option<Vec<usize>>,
    /// Strength of random rotations, shears and elastic maps of the images: 0 is none, 1 about 12 degrees, 12 % and 1.5 pixels [default: 0.5].
    #[arg(long, value_name = "X")]
    augmentation: Option<f32>,
    /// Share of the images that are mirrored left to right, 0 to 1: 0 for digits, 0.5 for most photos [default: the recipe's, or 0].
    #[arg(long, value_name = "SHARE", value_parser = units::short_share, allow_negative_numbers = true)]
    mirror: Option<f32>,
    /// Of lenet5: a ReLU after each convolution.
    #[arg(long)]
    relu: bool,
    /// Of lenet5: zeros on each side of what a convolution reads; 2 keeps the size of the image.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u8).range(0..=4))]
    padding: Option<u8>,
}

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Preset {
    /// LeNet-5 as Caffe has it.
    Lenet5,
    /// LeNet-300-100.
    Lenet300,
    /// A small network in the manner of VGG: convolutions 3x3 with ReLU, for photos of about 32 x 32.
    Vgg,
}

impl Task for Arguments {
    fn inputs(&self) -> Vec<&Path> {
        self.recipe.iter().chain([&self.data]).map(PathBuf::as_path).collect()
    }

    fn outputs(&self) -> Vec<Output<'_>> {
        vec![Output { path: &self.output, kind: Kind::Model("onnx") }]
    }

    fn check(&self) -> Result<(), Error> {
        Ok(check_ending(&self.output, &["onnx"], "train writes ONNX, which convert turns into other formats")?)
    }

    fn run(&self) -> Result<Answer, Error> {
        if self.preset != Preset::Lenet5 && (self.relu || self.padding.is_some()) {
            usage(ErrorKind::ArgumentConflict, "--relu and --padding are about the convolutions of lenet5");
        }
        let mut held_out = recipe::read_or_usual(self.recipe.as_deref())?;
        let said = self.recipe.is_some();
        let (split, scaling) = (&mut held_out.split, &mut held_out.scaling);
        let purpose = Purpose { model: None, split, scaling, split_is_said: said, scaling_is_said: said, usual: None };
        let data = samples::data(self.samples.open(&self.data, purpose)?)?;
        let model = self.network(&data.training)?;
        let mut recipe = TrainRecipe {
            scaling: held_out.scaling,
            split: held_out.split,
            mirror: self.mirror.unwrap_or(held_out.mirror),
            ..TrainRecipe::default()
        };
        if let Some(seed) = self.seed {
            recipe.seed = seed;
        }
        if let Some(epochs) = self.epochs {
            let left = data.training.len().saturating_sub(recipe.split.validation);
            recipe.training.samples = epochs.saturating_mul(left);
        }
        if let Some(rate) = self.learning_rate {
            recipe.training.learning_rate = rate;
        }
        if let Some(batch) = self.batch {
            recipe.training.batch = batch;
        }
        if let Some(strength) = self.augmentation {
            recipe.training.augmentation = strength;
        }
        let mut reporter = Reporter::new(Criterion::Labels);
        reporter.begin("train");
        let trained = pipeline::train(model, &data, &recipe, &mut |progress| {
            let (done, steps) = (progress.step as usize + 1, progress.steps as usize);
            reporter.progress(done as f64, steps as f64);
            reporter.training("train", done, steps, &format!("loss {:.4}", progress.loss));
            ControlFlow::Continue(())
        });
        reporter.end();
        let (model, accuracies) = trained?;
        let bytes = onnx::write(&model)?;
        files::write(&self.output, &bytes)?;
        let file = self.output.display().to_string();
        let parameters = model.parameter_count();
        let mut lines = vec![format!("{file}: {} bytes, {parameters} parameters", bytes.len())];
        lines.extend(
            [Some(accuracies.validation), accuracies.test]
                .iter()
                .flatten()
                .map(|accuracy| evaluate::describe(accuracy, Criterion::Labels)),
        );
        let json = json!({
            "file": file,
            "bytes": bytes.len(),
            "parameters": parameters,
            "seed": recipe.seed,
            "scaling": recipe.scaling,
            "validation": accuracies.validation,
            "test": accuracies.test,
            "seconds": reporter.seconds(),
        });
        Ok(Answer::new(lines.join("\n"), &json))
    }
}

impl Arguments {
    /// The network that was asked for, for these samples.
    fn network(&self, samples: &Samples) -> Result<Model, Error> {
        let input_shape = <[usize; 3]>::try_from(samples.shape.as_slice()).map_err(|_| DataError {
            what: "shape",
            expected: "[channels, height, width]".into(),
            got: format!("{:?}", samples.shape),
        })?;
        if !samples.labelled() {
            let (expected, got) = ("one a sample to train on".into(), "none".into());
            return Err(DataError { what: "labels", expected, got }.into());
        }
        let standard = match self.preset {
            Preset::Lenet5 => &LENET5_WIDTHS[..3],
            Preset::Lenet300 => &LENET300_WIDTHS[..2],
            Preset::Vgg => &VGG_WIDTHS,
        };
        let widths = self.widths.as_deref().unwrap_or(standard);
        let convolutions = match self.preset {
            Preset::Lenet5 => 2.min(widths.len()),
            Preset::Lenet300 => 0,
            Preset::Vgg => widths.len().saturating_sub(1),
        };
        let (convolutions, hidden) = widths.split_at(convolutions);
        let linears = hidden.iter().copied().chain([samples.classes()]).collect();
        Ok(match self.preset {
            Preset::Vgg => {
                let blocks = convolutions.chunks(2).map(<[usize]>::to_vec).collect();
                Vgg { input_shape, blocks, linears }.build()?
            }
            Preset::Lenet5 | Preset::Lenet300 => {
                let (convolutions, padding) = (convolutions.to_vec(), self.padding.unwrap_or(0).into());
                Lenet { input_shape, convolutions, padding, relu: self.relu, linears }.build()?
            }
        })
    }
}
