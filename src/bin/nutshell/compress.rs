//! `nutshell compress`.

use crate::outputs::{Kind, Output, check_ending};
use crate::progress::Reporter;
use crate::recipe::{self, Settings};
use crate::samples::{self, Purpose, Use, say};
use crate::{Answer, Task, dataset, files, units};
use clap::Args;
use nutshell::Error;
use nutshell::data::Samples;
use nutshell::data::synthetic;
use nutshell::error::LoadError;
use nutshell::formats;
use nutshell::model::Network;
use nutshell::model::recognise::usual_scaling;
use nutshell::pipeline::{
    self, Accuracy, Checkpoint, Criterion, Data, Distances, Drawn, Effort, Event, Evidence, Observer, Outcome, Recipe,
    Report, SplitCounts, Splits, Target, suited_effort,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Signal-to-quantization-noise ratio without data and without another target, in dB.
const DEFAULT_SNR: f64 = 30.0;

/// Make a network small: a .nut file inside an accuracy tolerance, or inside a byte budget.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The network; - is standard input.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Samples: a folder with MNIST's file names, a file (IDX, npz, npy, CSV), or a folder or ZIP archive of PNG and JPEG files with a folder a class. Validation samples
    /// are held out of the training samples; test samples, if there are some, report. Without labels the network is held to agree with the
    /// original. Without samples, the weights alone are looked at, of a model of any kind.
    #[arg(long, value_name = "DATA", conflicts_with_all = ["snr", "lossless"])]
    data: Option<PathBuf>,
    /// Without data: the signal-to-quantization-noise ratio to keep, in dB, of the layers in the mean [default: 30].
    #[arg(long, value_name = "DB", value_parser = units::decibels, allow_negative_numbers = true, conflicts_with_all = ["budget", "lossless"])]
    snr: Option<f64>,
    /// Without data: change no weight.
    #[arg(long, conflicts_with = "budget")]
    lossless: bool,
    /// The .nut file to write; - is standard output.
    #[arg(short, long, value_name = "OUT.nut")]
    output: PathBuf,
    /// A recipe as `nutshell recipe` prints it.
    #[arg(long, value_name = "R.json", conflicts_with = "effort", requires = "data")]
    recipe: Option<PathBuf>,
    /// Without a recipe: how much work to do [default: balanced, or calibrate where training would take long; or the resumed run's recipe].
    /// Without data only calibrate: the network is then rounded for pictures that are drawn.
    #[arg(long, value_enum)]
    effort: Option<Effort>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    sizes: files::Sizes,
    #[command(flatten)]
    samples: Use,
    /// Written after each stage: what is needed to go on from there.
    #[arg(long, value_name = "FILE", requires = "data")]
    checkpoint: Option<PathBuf>,
    /// Go on from a checkpoint, with its recipe.
    #[arg(long, value_name = "FILE", requires = "data")]
    resume: Option<PathBuf>,
    /// Where to write the whole report as JSON: each stage, each probe, the accuracies.
    #[arg(long, value_name = "REPORT.json")]
    report: Option<PathBuf>,
}

impl Task for Arguments {
    fn inputs(&self) -> Vec<&Path> {
        let optional = [&self.data, &self.recipe, &self.resume].into_iter().flatten();
        optional.chain([&self.model]).map(PathBuf::as_path).collect()
    }

    fn outputs(&self) -> Vec<Output<'_>> {
        let checkpoint = self.checkpoint.iter().map(|path| Output { path, kind: Kind::Checkpoint });
        let report = self.report.iter().map(|path| Output { path, kind: Kind::Json });
        checkpoint.chain(report).chain([Output { path: &self.output, kind: Kind::Model("nut") }]).collect()
    }

    fn check(&self) -> Result<(), Error> {
        let advice = "compress writes .nut files, which decompress turns into other formats";
        Ok(check_ending(&self.output, &["nut"], advice)?)
    }

    fn run(&self) -> Result<Answer, Error> {
        let resume = self.resume.as_deref().map(read_checkpoint).transpose()?;
        let mut recipe = self.settings.apply(match (&self.recipe, self.effort, &resume) {
            (Some(path), _, _) => recipe::read(path)?,
            (None, Some(effort), _) => Recipe::new(effort),
            (None, None, Some(checkpoint)) => checkpoint.recipe.clone(),
            (None, None, None) => Recipe::new(self.settings.usual_effort()),
        })?;
        let chosen = self.recipe.is_some() || resume.is_some();
        let network = self.open()?;
        let data = match &self.data {
            Some(data) => {
                let (split, scaling) = (&mut recipe.split, &mut recipe.scaling);
                let model = Some(network.runnable()?);
                let usual = usual_scaling(&network);
                let purpose = Purpose { model, split, scaling, split_is_said: chosen, scaling_is_said: chosen, usual };
                Some(samples::data(self.samples.open(data, purpose)?)?)
            }
            None if self.draws() => {
                let input = &network.runnable()?.graph.input_shape;
                let training = synthetic::for_input(input, synthetic::COUNT, recipe.seed, recipe.scaling.clone())?;
                let scaling = self.samples.scaling_of(&training).or_else(|| usual_scaling(&network));
                recipe.scaling = scaling.unwrap_or(recipe.scaling);
                recipe.split = recipe.split.for_samples(training.len(), false);
                say(synthetic::SAID);
                Some(Data { training, test: None })
            }
            None => {
                recipe = recipe.without_samples(self.target_of_weights());
                None
            }
        };
        if let Some(data) = data.as_ref().filter(|_| !chosen && self.effort.is_none()) {
            let (effort, seconds) = suited_effort(recipe.effort, network.runnable()?, data.training.len())?;
            if effort != recipe.effort {
                say(&format!(
                    "training would take about {}, so the weights are rounded without it (--effort calibrate): --effort quick, balanced or thorough train",
                    duration(seconds)
                ));
                let (split, scaling) = (recipe.split, recipe.scaling);
                recipe = Recipe { split, scaling, ..self.settings.apply(Recipe::new(effort))? };
            }
        }
        let (evidence, criterion) = match &data {
            Some(data) => {
                let samples = Samples { scaling: recipe.scaling.clone(), ..data.training.clone() };
                let evidence = if self.draws() { Evidence::Drawn(data) } else { Evidence::Samples(data) };
                (evidence, Criterion::of(network.runnable()?, &samples)?)
            }
            None => (Evidence::Weights, Criterion::Snr),
        };
        let reporter = Reporter::new(criterion);
        let mut watcher = Watcher { reporter, checkpoint: self.checkpoint.as_deref(), failure: None };
        let outcome = pipeline::compress(&network, evidence, &recipe, resume, &mut watcher);
        watcher.reporter.end();
        if let Some(failure) = watcher.failure {
            return Err(failure.into());
        }
        let Outcome { nut, mut report } = outcome?;
        if self.draws() {
            report.warnings.insert(0, synthetic::SAID.to_owned());
        }
        report.seconds = watcher.reporter.seconds();
        files::write(&self.output, &nut)?;
        if let Some(path) = &self.report {
            files::write(path, &serde_json::to_vec_pretty(&report).expect("every field has a JSON form"))?;
        }
        Ok(Answer::new(self.describe(&report), &report))
    }
}

impl Arguments {
    /// What is wrong with the options together, if that is so.
    pub fn misuse(&self) -> Option<&'static str> {
        if self.data.is_some() || self.draws() {
            let said = self.data.is_none() && self.samples.is_given_beside_scaling();
            return said.then_some(
                "what is said of samples wants samples: --data DATA; of drawn ones only --scaling is asked",
            );
        }
        let misused = self.settings.need_data() || self.effort.is_some() || self.samples.is_given();
        misused.then_some(
            "--tolerance, --seed, --mirror, --lock, --effort and what is said of samples want samples: --data DATA, or --effort calibrate",
        )
    }

    /// Whether pictures are drawn, since there are none.
    fn draws(&self) -> bool {
        self.data.is_none() && self.effort == Some(Effort::Calibrate) && !self.lossless && self.snr.is_none()
    }

    fn target_of_weights(&self) -> Target {
        match (self.lossless, self.settings.budget()) {
            (true, _) => Target::Lossless,
            (false, Some(bytes)) => Target::Budget(bytes),
            (false, None) => Target::Snr(self.snr.unwrap_or(DEFAULT_SNR)),
        }
    }

    /// The network; on samples one that can be run, and is not small already.
    fn open(&self) -> Result<Network, Error> {
        if self.data.is_none() && !self.draws() {
            let (bytes, _) = files::model(&self.model)?;
            let opened = formats::read(&bytes, files::CAP).map_err(|error| files::of_file(&self.model, error))?;
            return Ok(opened.network);
        }
        let mut opened = files::open(&self.model)?.opened;
        let sample = match &self.data {
            Some(data) => self.samples.shape_for(&opened.network, data)?,
            None => Vec::new(),
        };
        self.sizes.apply(&mut opened, &sample, &self.model)?;
        if opened.nut.is_none() {
            return Ok(opened.network);
        }
        let small = LoadError::File {
            path: self.model.display().to_string(),
            expected: "a network in floats".into(),
            got: "a .nut file, which is small already".into(),
        };
        Err(small.into())
    }

    fn describe(&self, report: &Report) -> String {
        let Report { file_bytes, baseline_bytes, ratio, criterion, output_distance, seconds, .. } = report;
        let of = if report.before.is_some() { "parameters" } else { "tensors" };
        let decimals = if *ratio < 10.0 { 2 } else { 1 };
        let than = if *ratio < 1.0 {
            format!("{:.2} times as large as", 1.0 / ratio)
        } else {
            format!("{ratio:.decimals$} times smaller than")
        };
        let mut lines = vec![format!(
            "{}: {file_bytes} bytes, {than} the original's {of} ({baseline_bytes} bytes)",
            self.output.display()
        )];
        let word = criterion.word();
        lines.push(match criterion {
            Criterion::Labels => "criterion: the samples' labels".into(),
            Criterion::Agreement => {
                "criterion: agreement with the original's answers, since the samples have no labels".into()
            }
            Criterion::Targets => "criterion: R2 to the samples' numbers".into(),
            Criterion::Outputs => {
                "criterion: R2 to the original's outputs, since the samples have no labels and the answers are no classes".into()
            }
            Criterion::Snr => describe_noise(report),
            Criterion::None => "criterion: none needed, every number is as it was".into(),
        });
        lines.extend(report.drawn.iter().map(describe_drawn));
        lines.extend(report.splits.iter().flat_map(describe_splits));
        if let (Some(before), Some(after)) = (&report.before, &report.after) {
            lines.push(format!("validation {word}: {}", compare(&before.validation, &after.validation)));
            if let (Some(before), Some(after)) = (&before.test, &after.test) {
                lines.push(format!("test {word}: {}", compare(before, after)));
            }
        }
        if let Some(Distances { validation, test }) = output_distance {
            let test = test.map_or(String::new(), |test| format!(", {test:.4} on test samples"));
            lines.push(format!(
                "distance of the outputs to the original's: {validation:.4} on validation samples{test}"
            ));
        }
        lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines.push(format!("{seconds:.1} seconds"));
        lines.join("\n")
    }
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    if seconds < 5400.0 { format!("{:.0} minutes", seconds / 60.0) } else { format!("{:.0} hours", seconds / 3600.0) }
}

fn describe_noise(report: &Report) -> String {
    let (mean, all) = (report.snr.unwrap_or(f64::INFINITY), report.snr_of_all.unwrap_or(f64::INFINITY));
    let rounded = report.tensors.iter().filter(|tensor| tensor.snr.is_some()).count();
    let worst = report.tensors.iter().filter_map(|tensor| tensor.snr).fold(f64::INFINITY, f64::min);
    format!(
        "criterion: no samples; signal-to-quantization-noise ratio {mean:.2} dB (mean noise of {rounded} layers), \
         {all:.2} dB of all weights together, {worst:.2} dB of the worst layer"
    )
}

fn describe_drawn(drawn: &Drawn) -> String {
    let Drawn { pictures, agreement, distance } = drawn;
    let same = agreement
        .map_or(String::new(), |agreement| format!("{:.0} % of the answers are the same, ", 100.0 * agreement));
    format!(
        "on {pictures} drawn pictures {same}the outputs are {distance:.4} of themselves away; on real ones more may change"
    )
}

/// A line for each split.
fn describe_splits(splits: &Splits) -> Vec<String> {
    let line = |name: &str, counts: &SplitCounts| format!("{name}: {}", dataset::describe_counts(counts));
    let Splits { training, validation, test } = splits;
    let test = test.as_ref().map(|test| line("test", test));
    [Some(line("training", training)), Some(line("validation", validation)), test].into_iter().flatten().collect()
}

fn compare(before: &Accuracy, after: &Accuracy) -> String {
    let say = |it: &Accuracy| match it.correct {
        Some(_) => format!("{:.2} %", 100.0 * it.accuracy),
        None => format!("{:.4}", it.accuracy),
    };
    format!("{} before, {} after, on {} samples", say(before), say(after), after.samples)
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
