//! `nutshell evaluate`.

use crate::outputs::{Kind, Output};
use crate::samples::{Purpose, Use};
use crate::{Answer, Task, files, recipe};
use clap::{Args, ValueEnum};
use ndarray::{Array2, ArrayView1};
use nutshell::data::Samples;
use nutshell::error::DataError;
use nutshell::formats::Nut;
use nutshell::model::recognise::usual_scaling;
use nutshell::network::{Evaluation, logits, predictions};
use nutshell::pipeline::{Accuracy, Criterion, SplitName, classifies, output_distance};
use nutshell::{Error, Model};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Run a network on samples, and compare its answers with their labels or with another network's.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The network, in floats or as .nut; - is standard input.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Samples: a folder with MNIST's file names, a file (IDX, npz, npy, CSV), or a folder or ZIP archive of PNG and JPEG files with a folder a class;
    /// - is standard input.
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// Which samples [default: those for testing, or all if none are].
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// The recipe whose validation samples and scaling to use [default: the last 5000 of the training file, 0 to 1]; a
    /// .nut file has a scaling of its own.
    #[arg(long, value_name = "R.json")]
    recipe: Option<PathBuf>,
    /// The network that it was made from: its answers are compared with, instead of labels.
    #[arg(long, value_name = "MODEL")]
    original: Option<PathBuf>,
    /// Where to write the answers: one class a line, in the samples' order; of a network that answers with numbers, these.
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    #[command(flatten)]
    sizes: files::Sizes,
    #[command(flatten)]
    samples: Use,
}

/// Which samples.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Split {
    /// Those for testing.
    Test,
    /// What a recipe holds out of the others.
    Validation,
}

impl Task for Arguments {
    fn inputs(&self) -> Vec<&Path> {
        let optional = [&self.recipe, &self.original].into_iter().flatten();
        optional.chain([&self.model, &self.data]).map(PathBuf::as_path).collect()
    }

    fn outputs(&self) -> Vec<Output<'_>> {
        self.predictions.iter().map(|path| Output { path, kind: Kind::Text }).collect()
    }

    fn run(&self) -> Result<Answer, Error> {
        let mut recipe = recipe::read_or_usual(self.recipe.as_deref())?;
        let mut opened = files::open(&self.model)?.opened;
        let shape = self.samples.shape_for(&opened.network, &self.data)?;
        self.sizes.apply(&mut opened, &shape, &self.model)?;
        let (mut scaling, scaling_is_said) = match &opened.nut {
            Some(Nut::Network(nut)) => (nut.scaling.clone(), true),
            Some(Nut::Tensors(_)) | None => (recipe.scaling.clone(), self.recipe.is_some()),
        };
        let usual = usual_scaling(&opened.network);
        let model = opened.into_model()?;
        let (split, split_is_said) = (&mut recipe.split, self.recipe.is_some());
        let purpose =
            Purpose { model: Some(&model), split, scaling: &mut scaling, split_is_said, scaling_is_said, usual };
        let dataset = self.samples.open(&self.data, purpose)?;
        let (samples, split) = match (self.split, &dataset.test) {
            (Some(Split::Test), _) => (dataset.test()?.clone(), SplitName::Test),
            (None, Some(test)) if test.labelled() || !dataset.labelled() || self.predictions.is_some() => {
                (test.clone(), SplitName::Test)
            }
            (None, _) => (dataset.training()?.clone(), SplitName::All),
            (Some(Split::Validation), _) => {
                (dataset.training()?.split(recipe.split.validation, recipe.split.seed)?.1, SplitName::Validation)
            }
        };
        let samples = Samples { scaling, ..samples };
        let logits = logits(&model, &samples)?;
        let open = |path: &Path| -> Result<_, Error> {
            let mut opened = files::open(path)?.opened;
            self.sizes.apply(&mut opened, &shape, path)?;
            Ok(opened.into_model()?)
        };
        let original = self.original.as_deref().map(open).transpose()?;
        let (criterion, samples, output_distance) = match &original {
            Some(original) => {
                let unlabelled = Samples { labels: Default::default(), targets: None, ..samples };
                let criterion = Criterion::of(original, &unlabelled)?;
                let distance = output_distance(original, &model, &unlabelled)?;
                (criterion, criterion.answered(original, unlabelled)?, Some(distance))
            }
            None if samples.targets.is_some() => (Criterion::Targets, samples, None),
            None => (Criterion::Labels, samples, None),
        };
        if let Some(path) = &self.predictions {
            files::write(path, answers(&model, &logits)?.as_bytes())?;
            if samples.targets.is_none() && !samples.labelled() {
                let answered = Answered { split, samples: samples.len() };
                let text = format!("{} samples without labels were answered, in {}", samples.len(), path.display());
                return Ok(Answer::new(text, &answered));
            }
        }
        if criterion == Criterion::Labels && !samples.labelled() {
            let expected = "one a sample (without any, --predictions FILE writes the answers, and --original MODEL is compared with)";
            return Err(DataError { what: "labels", expected: expected.into(), got: "none".into() }.into());
        }
        let evaluation = Evaluation::of_outputs(&logits, &samples)?;
        let Evaluation { samples, correct, loss, .. } = evaluation;
        let accuracy = Accuracy { split, samples, correct, accuracy: evaluation.accuracy(), loss };
        let Some(output_distance) = output_distance else {
            return Ok(Answer::new(describe(&accuracy, criterion), &accuracy));
        };
        let text = format!(
            "{}\ndistance of the outputs to the original's: {output_distance:.4}",
            describe(&accuracy, criterion)
        );
        Ok(Answer::new(text, &Compared { accuracy, criterion, output_distance }))
    }
}

/// How many samples were answered that nothing is known of.
#[derive(Serialize)]
struct Answered {
    split: SplitName,
    samples: usize,
}

/// How a network compares with its original.
#[derive(Serialize)]
struct Compared {
    #[serde(flatten)]
    accuracy: Accuracy,
    criterion: Criterion,
    output_distance: f64,
}

/// An accuracy in words, with its samples.
pub fn describe(accuracy: &Accuracy, criterion: Criterion) -> String {
    let word = criterion.word();
    let Accuracy { split, samples, correct, accuracy, loss } = accuracy;
    let split = match split {
        SplitName::Train => "training",
        SplitName::Validation => "validation",
        SplitName::Test => "test",
        SplitName::All => "overall",
    };
    match correct {
        Some(correct) => {
            format!(
                "{split} {word}: {:.2} % ({correct} of {samples} samples), mean loss {loss:.4} nats",
                100.0 * accuracy
            )
        }
        None => format!("{split} {word}: {accuracy:.4} on {samples} samples"),
    }
}

/// The network's answers, a line a sample: a class, or the numbers that it answers with.
fn answers(model: &Model, logits: &Array2<f32>) -> Result<String, Error> {
    if classifies(model)? {
        return Ok(predictions(logits).iter().map(|class| format!("{class}\n")).collect());
    }
    let row = |row: ArrayView1<f32>| format!("{}\n", row.iter().map(f32::to_string).collect::<Vec<_>>().join(","));
    Ok(logits.rows().into_iter().map(row).collect())
}
