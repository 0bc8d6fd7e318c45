//! `nutshell compress`.

use crate::progress::Reporter;
use crate::recipe::{self, EffortName, Settings};
use crate::{Answer, files};
use clap::Args;
use nutshell::error::LoadError;
use nutshell::formats::Opened;
use nutshell::pipeline::{self, Accuracy, Checkpoint, Effort, Event, Observer, Recipe, Report};
use nutshell::{Error, Model};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Make a network small: a .nut file inside an accuracy tolerance, or inside a byte budget.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The network; - is standard input.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Directory with MNIST's file names: the training file fits and validates, the test file reports.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The .nut file to write; - is standard output.
    #[arg(short, long, value_name = "OUT.nut")]
    output: PathBuf,
    /// A recipe as `nutshell recipe` prints it.
    #[arg(long, value_name = "R.json", conflicts_with = "effort")]
    recipe: Option<PathBuf>,
    /// Without a recipe: how much work to do [default: balanced, or the resumed run's recipe].
    #[arg(long, value_enum)]
    effort: Option<EffortName>,
    #[command(flatten)]
    settings: Settings,
    /// Written after each stage: what is needed to go on from there.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Go on from a checkpoint, with its recipe.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Where to write the whole report as JSON: each stage, each probe, the accuracies.
    #[arg(long, value_name = "REPORT.json")]
    report: Option<PathBuf>,
}

impl Arguments {
    /// The files that are written.
    pub fn outputs(&self) -> Vec<&Path> {
        let optional = [&self.checkpoint, &self.report].into_iter().flatten();
        optional.chain([&self.output]).map(PathBuf::as_path).collect()
    }

    /// Compresses, and answers with the report.
    pub fn run(&self) -> Result<Answer, Error> {
        let model = self.open()?;
        let resume = self.resume.as_deref().map(read_checkpoint).transpose()?;
        let recipe = self.settings.apply(match (&self.recipe, self.effort, &resume) {
            (Some(path), _, _) => recipe::read(path)?,
            (None, Some(effort), _) => effort.recipe(),
            (None, None, Some(checkpoint)) => checkpoint.recipe.clone(),
            (None, None, None) => Recipe::new(Effort::Balanced),
        })?;
        let data = files::data(&self.data)?;
        let mut watcher = Watcher { reporter: Reporter::new(), checkpoint: self.checkpoint.as_deref(), failure: None };
        let outcome = pipeline::compress(&model, &data, &recipe, resume, &mut watcher);
        watcher.reporter.end();
        if let Some(failure) = watcher.failure {
            return Err(failure.into());
        }
        let mut outcome = outcome?;
        outcome.report.seconds = watcher.reporter.seconds();
        files::write(&self.output, &outcome.nut)?;
        if let Some(path) = &self.report {
            let json = serde_json::to_vec_pretty(&outcome.report).expect("every field has a JSON form");
            files::write(path, &json)?;
        }
        Ok(Answer::new(self.describe(&outcome.report), &outcome.report))
    }

    fn open(&self) -> Result<Model, Error> {
        match files::open(&self.model)?.opened {
            Opened::Model(model) => Ok(model),
            Opened::Nut(_) => Err(LoadError::File {
                path: self.model.display().to_string(),
                expected: "a network in floats".into(),
                got: "a .nut file, which is small already".into(),
            }
            .into()),
        }
    }

    fn describe(&self, report: &Report) -> String {
        let Report { file_bytes, baseline_bytes, ratio, before, after, seconds, .. } = report;
        let mut lines = vec![format!(
            "{}: {file_bytes} bytes, {ratio:.1} times smaller than the original's parameters ({baseline_bytes} bytes)",
            self.output.display()
        )];
        lines.push(format!("validation accuracy: {}", compare(&before.validation, &after.validation)));
        if let (Some(before), Some(after)) = (&before.test, &after.test) {
            lines.push(format!("test accuracy: {}", compare(before, after)));
        }
        lines.push(format!("{seconds:.1} seconds"));
        lines.join("\n")
    }
}

fn compare(before: &Accuracy, after: &Accuracy) -> String {
    let (before, samples, after) = (100.0 * before.accuracy, after.samples, 100.0 * after.accuracy);
    format!("{before:.2} % before, {after:.2} % after, on {samples} samples")
}

fn read_checkpoint(path: &Path) -> Result<Checkpoint, Error> {
    Ok(Checkpoint::from_bytes(&files::read(path)?)?)
}

/// Shows what happens, and keeps checkpoints.
struct Watcher<'a> {
    reporter: Reporter,
    checkpoint: Option<&'a Path>,
    /// Why the last checkpoint could not be written: the run then stops at its next event.
    failure: Option<LoadError>,
}

impl Observer for Watcher<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        self.reporter.event(&event);
        if self.failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        if let Some(path) = self.checkpoint {
            self.failure = files::write(path, &checkpoint.to_bytes()).err();
        }
    }
}
