//! `nutshell evaluate`.

use crate::{Answer, files, recipe};
use clap::{Args, ValueEnum};
use nutshell::Error;
use nutshell::data::Samples;
use nutshell::formats::Opened;
use nutshell::network::{Evaluation, logits, predictions};
use nutshell::pipeline::{Accuracy, SplitName};
use std::path::{Path, PathBuf};

/// Run a network on labelled samples.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The network, in floats or as .nut; - is standard input.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Directory with MNIST's file names.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Which samples.
    #[arg(long, value_enum, default_value_t = Split::Test)]
    split: Split,
    /// The recipe whose validation samples and scaling to use [default: the last 5000 of the training file, 0 to 1]; a
    /// .nut file has a scaling of its own.
    #[arg(long, value_name = "R.json")]
    recipe: Option<PathBuf>,
    /// Where to write the answers: one class a line, in the samples' order.
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

/// Which samples.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Split {
    /// The test file.
    Test,
    /// What a recipe holds out of the training file.
    Validation,
}

impl Arguments {
    /// The files that are written.
    pub fn outputs(&self) -> Vec<&Path> {
        self.predictions.iter().map(PathBuf::as_path).collect()
    }

    /// Runs the network, and answers with its accuracy.
    pub fn run(&self) -> Result<Answer, Error> {
        let recipe = recipe::read_or_usual(self.recipe.as_deref())?;
        let (model, scaling) = match files::network(&self.model)? {
            Opened::Model(model) => (model, recipe.scaling),
            Opened::Nut(nut) => (nut.network.to_model(), nut.scaling),
        };
        let (samples, split) = match self.split {
            Split::Test => (files::test(&self.data)?, SplitName::Test),
            Split::Validation => {
                let training = files::training(&self.data)?;
                (training.split(recipe.split.validation, recipe.split.seed)?.1, SplitName::Validation)
            }
        };
        let samples = Samples { scaling, ..samples };
        let logits = logits(&model, &samples)?;
        let labels: Vec<usize> = (0..samples.len()).filter_map(|index| samples.label(index)).collect();
        let evaluation = Evaluation::of_logits(&logits, &labels)?;
        let Evaluation { samples, correct, loss, .. } = evaluation;
        let accuracy = Accuracy { split, samples, correct, accuracy: evaluation.accuracy(), loss };
        if let Some(path) = &self.predictions {
            let lines: String = predictions(&logits).iter().map(|class| format!("{class}\n")).collect();
            files::write(path, lines.as_bytes())?;
        }
        Ok(Answer::new(describe(&accuracy), &accuracy))
    }
}

/// An accuracy in words, with its samples.
pub fn describe(accuracy: &Accuracy) -> String {
    let Accuracy { split, samples, correct, accuracy, loss } = accuracy;
    let split = match split {
        SplitName::Train => "training",
        SplitName::Validation => "validation",
        SplitName::Test => "test",
    };
    format!("{split} accuracy: {:.2} % ({correct} of {samples} samples), mean loss {loss:.4} nats", 100.0 * accuracy)
}
