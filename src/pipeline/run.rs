//! A run on its way: the samples, the observer, and what the stages are lent.

use super::checkpoint::Checkpoint;
use super::criterion::{Criterion, Judge, Verdict, chance, classifies};
use super::describe::{Facts, describe};
use super::event::{Accuracy, Event, Probe, SplitName, StageState};
use super::progress::Work;
use super::recipe::{Recipe, Stage};
use super::report::{SplitCounts, Splits};
use super::warnings::{at_chance, of_copies, of_samples};
use crate::coding::ParameterBits;
use crate::data::Samples;
use crate::error::{DataError, Error};
use crate::model::{FixedPoint, Model, ParamId};
use crate::network::{
    Augmentation, Evaluation, Inference, IntegerNetwork, Learner, Loader, Look, Loss, Schedule, evaluate, fit, logits,
    one_hot, relative_distance, search_formats, spread,
};
use crate::resources::{Bytes, Objective};
use crate::search::{Step, half_interval};
use crate::stages::expected::Normal;
use crate::stages::round::OF_A_PROBE;
use crate::stages::settings::{Target, Training};
use crate::stages::{Limit, Question, StageNetwork, Tools};
use ndarray::{Array2, Axis, concatenate};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The original's answers are reported after so many.
const ANSWERED: usize = 2_000;
/// The share of a training in which the learning rate rises from zero.
const WARM_UP: f32 = 0.02;
/// Training is reported about so many times in each training.
const REPORTS: u64 = 100;
/// But not more often than after so many samples: what is reported has to be measured.
const LEAST_REPORTED: u64 = 1_500;

/// The least tolerance of the outputs' squared distance, over their squares, in percent.
const LEAST_MOVED: f64 = 0.1;

/// What a probe is judged by where there are few samples.
const OUTPUTS_MOVED: &str = "squared distance of the outputs in percent";

/// Drops are differences of counts of samples: what differs by rounding only is equal.
pub const ROUNDING: f64 = 1e-9;

/// Whoever watches a run.
pub trait Observer {
    /// Something happened. `Break` stops the run with [`Error::Cancelled`].
    fn event(&mut self, event: Event) -> ControlFlow<()>;

    /// A stage is finished; this checkpoint is enough to go on from here.
    fn checkpoint(&mut self, checkpoint: &Checkpoint);
}

/// Watches nothing, and lets the run go on.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Observer for Quiet {
    fn event(&mut self, _event: Event) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn checkpoint(&mut self, _checkpoint: &Checkpoint) {}
}

/// The samples of a run.
#[derive(Debug, Clone)]
pub struct Data {
    /// The recipe's split holds some of them out for validation.
    pub training: Samples,
    /// Samples that are looked at once, at the end, to report.
    pub test: Option<Samples>,
}

/// A run on its way.
pub struct Run<'a> {
    pub recipe: &'a Recipe,
    pub original: &'a Model,
    pub training: Samples,
    pub validation: Samples,
    pub test: Option<Samples>,
    pub criterion: Criterion,
    pub splits: Splits,
    /// What is suspicious about the samples, or the original's answers to them.
    pub warnings: Vec<String>,
    objective: Arc<dyn Objective>,
    /// Targets of training, `[training samples, outputs]`, and how answers are compared with them.
    targets: Arc<Array2<f32>>,
    loss: Loss,
    observer: &'a mut dyn Observer,
    work: Work,
    pub stages: Vec<StageState>,
    pub probes: Vec<Probe>,
    /// Of each layer, once it was tried alone.
    sensitivities: Vec<Option<f64>>,
    /// The original's accuracy on the validation samples, once it has been measured.
    before: Option<Accuracy>,
    /// See [`Tools::caution`].
    pub caution: f64,
    /// How much of the tolerance searches keep clear, in percentage points.
    pub clear: f64,
    /// See [`Tools::expected`].
    pub expected: HashMap<ParamId, Normal>,
    /// The stage that works.
    stage: Stage,
    /// Trainings so far in this stage: each draws its samples in another order.
    trainings: u64,
}

impl<'a> Run<'a> {
    /// Splits the samples and asks the original network for the targets of training.
    pub fn new(
        original: &'a Model,
        data: &Data,
        recipe: &'a Recipe,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        let data = &with_numbers(original, data, recipe)?;
        let scaled = |samples: &Samples| Samples { scaling: recipe.scaling.clone(), ..samples.clone() };
        let criterion = Criterion::of(original, &scaled(&data.training))?;
        // Such as those of a competition, whose answers are to be handed in.
        let untold = criterion == Criterion::Labels && data.test.as_ref().is_some_and(|test| !test.labelled());
        let test = data.test.as_ref().filter(|_| !untold);
        let (training, validation) = scaled(&data.training).split(recipe.split.validation, recipe.split.seed)?;
        let training = match recipe.split.training {
            0 => training,
            most => training.at_most(most, recipe.split.seed)?,
        };
        let splits = Splits {
            training: SplitCounts::of(&training),
            validation: SplitCounts::of(&validation),
            test: test.map(SplitCounts::of),
        };
        let mut warnings = of_samples(&splits, recipe.target);
        if untold {
            warnings.push(
                "the test samples have no labels, and are not used: the accuracy is that of the validation samples"
                    .to_owned(),
            );
        }
        let mut work = Work::new(recipe, original, training.len(), validation.len())?;
        tell(observer, Event::Started { stage: Stage::Original })?;
        tell(observer, work.event())?;
        warnings.extend(of_copies(&training, &validation));
        let before = match criterion {
            Criterion::Labels => Some(measure(original, &validation, SplitName::Validation)?),
            _ => None,
        };
        let suspicion = before.and_then(|before| at_chance(&before, chance(&validation)));
        // Any network would keep a chance: then the labels are left out, and the original's own answers are the criterion.
        let judged = |samples: Samples| match &suspicion {
            Some(_) => Samples { labels: Arc::default(), ..samples },
            None => samples,
        };
        let (training, validation, test) = (judged(training), judged(validation), test.map(scaled).map(judged));
        let (criterion, before) = match &suspicion {
            Some(_) => (Criterion::of(original, &training)?, None),
            None => (criterion, before),
        };
        warnings.extend(suspicion);
        for warning in &warnings {
            tell(observer, Event::Warned { warning: warning.clone() })?;
        }
        let (targets, loss) = targets(original, &training, recipe, criterion, &mut |answered| {
            work.worked(work.costs.forward * answered as f64);
            tell(observer, work.event())
        })?;
        let compared = |samples: Samples| criterion.answered(original, samples);
        Ok(Run {
            recipe,
            original,
            training,
            validation: compared(validation)?,
            test: test.map(compared).transpose()?,
            criterion,
            splits,
            warnings,
            objective: Arc::new(Bytes { options: recipe.write_options() }),
            targets: Arc::new(targets),
            loss,
            observer,
            work,
            stages: Vec::new(),
            probes: Vec::new(),
            sensitivities: vec![None; original.graph.layers().count()],
            before,
            caution: 1.0,
            clear: 0.0,
            expected: HashMap::new(),
            stage: Stage::Original,
            trainings: 0,
        })
    }

    /// Tells the observer.
    pub fn tell(&mut self, event: Event) -> Result<(), Error> {
        tell(self.observer, event)
    }

    /// Says what is suspicious: at once, and in the report.
    pub fn warn(&mut self, warning: String) -> Result<(), Error> {
        self.warnings.push(warning.clone());
        self.tell(Event::Warned { warning })
    }

    /// So many seconds' work is done.
    fn worked_for(&mut self, seconds: f64) -> Result<(), Error> {
        self.work.worked(seconds);
        let event = self.work.event();
        self.tell(event)
    }

    /// Accuracy and loss on all validation samples.
    pub fn validate(&self, model: &Model) -> Result<Accuracy, Error> {
        measure(model, &self.validation, SplitName::Validation)
    }

    /// The same of the original, which is measured once.
    pub fn validate_original(&mut self) -> Result<Accuracy, Error> {
        let before = match self.before {
            Some(before) => before,
            None => self.validate(self.original)?,
        };
        self.before = Some(before);
        Ok(before)
    }

    /// Goes on after a checkpoint.
    pub fn go_on(&mut self, checkpoint: Checkpoint) -> Result<StageNetwork, Error> {
        self.work.skip(self.recipe, checkpoint.stage);
        self.stages = checkpoint.stages;
        self.probes = checkpoint.probes;
        self.caution = checkpoint.caution;
        for state in self.stages.clone() {
            self.tell(Event::Finished(state))?;
        }
        Ok(checkpoint.network)
    }

    /// A stage begins, on a network.
    pub fn start(&mut self, stage: Stage, model: &Model) -> Result<(), Error> {
        self.stage = stage;
        self.trainings = 0;
        self.work.start(self.recipe, stage, model)?;
        self.tell(Event::Started { stage })?;
        self.worked(0)
    }

    /// Describes the network after a stage, and tells the observer; `coded` are its integers and what the coder spends on each parameter, once there are some.
    pub fn finish(
        &mut self,
        stage: Stage,
        model: &Model,
        bytes: usize,
        coded: Option<(&FixedPoint, &[ParameterBits])>,
    ) -> Result<(), Error> {
        let validation = match stage {
            Stage::Original => self.validate_original()?,
            _ => self.validate(model)?,
        };
        let (baseline_bytes, spent) = (self.original.parameter_bytes(), coded.map(|(_, spent)| spent));
        let mut state = describe(model, Facts { stage, baseline_bytes, bytes, validation, coded: spent })?;
        let weights = model.graph.layers().map(|(_, weight, _)| weight.0);
        for (index, (layer, weight)) in state.layers.iter_mut().zip(weights).enumerate() {
            layer.step = coded.map(|(fixed, _)| fixed.parameters[weight].codebook.step());
            layer.sensitivity = self.sensitivities.get(index).copied().flatten().filter(|_| stage == Stage::Round);
        }
        self.stages.push(state.clone());
        self.tell(Event::Finished(state))?;
        self.work.finish();
        self.worked(0)
    }

    /// The search of the largest value whose network keeps the run's tolerance.
    fn search_tolerance(
        &mut self,
        question: &Question<'_>,
        candidate: &dyn Fn(f64) -> Result<Model, Error>,
    ) -> Result<Option<f64>, Error> {
        let before = self.validate_original()?.accuracy;
        let limit = if let Target::Tolerance(points) = self.recipe.target { points - self.clear } else { 0.0 };
        let from = self.compared_outputs()?;
        half_interval(question.interval, question.probes, |step| {
            let (evaluation, distance) = self.look(&candidate(step.mid)?, from.as_ref())?;
            let (accuracy, samples) = (evaluation.accuracy(), evaluation.samples);
            let drop = 100.0 * (before - accuracy);
            // Where one sample counts more than the tolerance, how many answers stay the same says little: then the outputs are held to it as well.
            let few = self.criterion == Criterion::Agreement && limit * (samples as f64) < 100.0;
            let moved = distance.filter(|_| few).map(|distance| 100.0 * distance * distance);
            // The probe tells what decides: the outputs, unless it is the answers that refuse it.
            let (criterion, value, limit) = match moved {
                Some(moved) if drop <= limit + ROUNDING => (OUTPUTS_MOVED, moved, limit.max(LEAST_MOVED)),
                _ => ("drop in percentage points", drop, limit),
            };
            let accepted = value <= limit + ROUNDING;
            let verdict = Verdict { rise: value, standard_error: 0.0, accuracy, samples, accepted };
            self.probed(question.variable, step, criterion, limit, verdict, distance)?;
            self.worked(samples.max(OF_A_PROBE))?;
            Ok(accepted)
        })
    }

    /// The original's outputs on the validation samples, if those are what networks are compared with.
    fn compared_outputs(&self) -> Result<Option<Array2<f32>>, Error> {
        let by_outputs = matches!(self.criterion, Criterion::Agreement | Criterion::Outputs);
        by_outputs.then(|| logits(self.original, &self.validation)).transpose()
    }

    /// What a network answers on the validation samples, and how far its outputs are from others.
    fn look(&self, model: &Model, from: Option<&Array2<f32>>) -> Result<(Evaluation, Option<f64>), Error> {
        let to = logits(model, &self.validation)?;
        Ok((Evaluation::of_outputs(&to, &self.validation)?, from.map(|from| relative_distance(from, &to))))
    }

    /// Keeps a probe, and tells of it.
    fn probed(
        &mut self,
        variable: &str,
        Step { lo, mid, hi }: Step,
        criterion: &str,
        limit: f64,
        Verdict { rise, standard_error, accuracy, samples, accepted }: Verdict,
        distance: Option<f64>,
    ) -> Result<(), Error> {
        let (stage, variable, criterion) = (self.stage, variable.to_owned(), criterion.to_owned());
        let probe = Probe {
            stage,
            variable,
            lo,
            mid,
            hi,
            criterion,
            value: rise,
            limit,
            standard_error,
            accuracy,
            samples,
            accepted,
            distance,
        };
        self.probes.push(probe.clone());
        self.tell(Event::Probed(probe))
    }

    /// Hands out a checkpoint after a finished stage.
    pub fn checkpoint(&mut self, stage: Stage, network: StageNetwork) {
        let checkpoint = Checkpoint {
            recipe: self.recipe.clone(),
            stage,
            network,
            original_shapes: self.original.parameter_shapes(),
            stages: self.stages.clone(),
            probes: self.probes.clone(),
            caution: self.caution,
        };
        self.observer.checkpoint(&checkpoint);
    }
}

impl Tools for Run<'_> {
    fn original(&self) -> &Model {
        self.original
    }

    fn training(&self) -> &Samples {
        &self.training
    }

    fn validation(&self) -> &Samples {
        &self.validation
    }

    fn expected(&self) -> &HashMap<ParamId, Normal> {
        &self.expected
    }

    fn target(&self) -> Target {
        self.recipe.target
    }

    fn objective(&self) -> Arc<dyn Objective> {
        self.objective.clone()
    }

    fn caution(&self) -> f64 {
        self.caution
    }

    fn be_cautious(&mut self, caution: f64) {
        self.caution = caution;
    }

    fn search(
        &mut self,
        question: &Question<'_>,
        reference: &Model,
        candidate: &dyn Fn(f64) -> Result<Model, Error>,
        exempt: &dyn Fn(&Model) -> bool,
    ) -> Result<Option<f64>, Error> {
        let rise = match question.limit {
            Limit::Rise(rise) => rise,
            Limit::Tolerance => return self.search_tolerance(question, candidate),
        };
        let judge = Judge::new(&self.validation, question.samples, reference)?;
        let limit = self.caution * rise;
        half_interval(question.interval, question.probes, |step| {
            let model = candidate(step.mid)?;
            let verdict = judge.judge(&model, limit)?;
            let accepted = verdict.accepted || exempt(&model);
            let verdict = Verdict { accepted, ..verdict };
            self.probed(question.variable, step, "rise of the mean loss", limit, verdict, None)?;
            self.worked(question.samples)?;
            Ok(accepted)
        })
    }

    fn looked(&mut self, variable: &str, at: f64, model: &Model, cost: usize) -> Result<(), Error> {
        let Target::Budget(budget) = self.recipe.target else { return Ok(()) };
        let (evaluation, distance) = self.look(model, self.compared_outputs()?.as_ref())?;
        let (accuracy, samples) = (evaluation.accuracy(), evaluation.samples);
        let verdict = Verdict { rise: cost as f64, standard_error: 0.0, accuracy, samples, accepted: cost <= budget };
        let step = Step { lo: at, mid: at, hi: at };
        self.probed(variable, step, self.objective.unit(), budget as f64, verdict, distance)?;
        self.worked(samples.max(OF_A_PROBE))
    }

    fn tried(&mut self, layer: usize, sensitivity: f64) -> Result<(), Error> {
        if let Some(own) = self.sensitivities.get_mut(layer) {
            *own = Some(sensitivity).filter(|sensitivity| sensitivity.is_finite());
        }
        self.tell(Event::Tried { layer, sensitivity })
    }

    fn worked(&mut self, samples: usize) -> Result<(), Error> {
        self.worked_for(self.work.costs.forward * samples as f64)
    }

    fn train(&mut self, learner: &mut dyn Learner, training: &Training) -> Result<(), Error> {
        let Training { samples, batch, learning_rate, augmentation } = *training;
        let schedule = Schedule { samples: samples as u64, batch, rate: learning_rate, warm_up: WARM_UP, decay: 1.0 };
        self.trainings += 1;
        // Each training of each seed draws its own order and its own maps of the images. It depends on nothing before the
        // stage, so that a run that is resumed there draws the same.
        let own = self.stage.seed() << 32 | self.trainings;
        let seed = self.recipe.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(own);
        let input = learner.model().graph.input_shape.clone();
        let loader = Loader::new(self.training.clone(), &input, self.targets.clone(), seed)?;
        let mut loader = loader.with_loss(self.loss);
        if let Some(changes) = Augmentation::of(augmentation, self.recipe.mirror) {
            loader = loader.with_augmentation(changes);
        }
        let report_every = schedule.steps().div_ceil(REPORTS).max(LEAST_REPORTED / batch as u64).max(1);
        let seconds = self.work.costs.train * batch as f64;
        self.work.needs(seconds * schedule.steps() as f64);
        let (mut loss, mut failure) = (0.0, None);
        let trained = fit(learner, &mut loader, &schedule, 0, &mut |learner, progress| {
            loss += progress.loss;
            let done = progress.step + 1;
            if done % report_every != 0 && done != progress.steps {
                return ControlFlow::Continue(());
            }
            let since = (done - 1) % report_every + 1;
            let loss = std::mem::take(&mut loss) / since as f64;
            let told = learner.look(done as f64 / progress.steps as f64).and_then(|Look { cost, accuracy }| {
                let (done, total) = (done as usize * batch, progress.steps as usize * batch);
                self.tell(Event::Training { stage: self.stage, done, total, loss, bytes: cost, accuracy })?;
                self.worked_for(seconds * since as f64)
            });
            match told {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        failure.map_or(trained, Err)
    }
}

/// Tells the observer, who may end the run.
pub fn tell(observer: &mut dyn Observer, event: Event) -> Result<(), Error> {
    match observer.event(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

/// Accuracy and loss of a model on samples.
pub fn measure(model: &Model, samples: &Samples, split: SplitName) -> Result<Accuracy, Error> {
    Ok(of_split(evaluate(model, samples)?, split))
}

/// The network with integers only and activations of so many bits (2 to 8), in the formats that suit the samples best; `None` if
/// it has an operator that cannot be computed so, or sums for which 32 bits might not do, or if the samples are not bytes.
pub fn integer_network(fixed: &FixedPoint, samples: &Samples, bits: u8) -> Result<Option<IntegerNetwork>, Error> {
    if !samples.are_bytes() {
        return Ok(None);
    }
    let formats = search_formats(fixed, samples, bits);
    match formats.and_then(|formats| IntegerNetwork::new(fixed, &formats, &samples.scaling, bits)) {
        Ok(network) => Ok(Some(network)),
        Err(Error::Graph(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Accuracy and loss of a network of integers on samples.
pub fn measure_integers(network: &IntegerNetwork, samples: &Samples, split: SplitName) -> Result<Accuracy, Error> {
    Ok(of_split(network.evaluate(samples)?, split))
}

/// An evaluation as events and reports have it.
pub fn of_split(evaluation: Evaluation, split: SplitName) -> Accuracy {
    let Evaluation { samples, correct, loss, .. } = evaluation;
    Accuracy { split, samples, correct, accuracy: evaluation.accuracy(), loss }
}

/// What each training sample is to be answered with: `weight x softmax(teacher logits / temperature) + (1 - weight) x label`, without labels the
/// softmax alone; for numbers the same mixture of the teacher's and the sample's own.
fn targets(
    teacher: &Model,
    samples: &Samples,
    recipe: &Recipe,
    criterion: Criterion,
    tell: &mut dyn FnMut(usize) -> Result<(), Error>,
) -> Result<(Array2<f32>, Loss), Error> {
    let distillation = recipe.distillation;
    let mut inference = Inference::new(teacher)?;
    let mut blocks = Vec::new();
    for first in (0..samples.len()).step_by(ANSWERED) {
        let block = samples.range(first, first + ANSWERED);
        blocks.push(inference.outputs(&block)?);
        tell(block.len())?;
    }
    let views: Vec<_> = blocks.iter().map(|block| block.view()).collect();
    let mut soft = concatenate(Axis(0), &views).unwrap_or_default();
    let own = match criterion {
        Criterion::Targets => samples.selected_targets(),
        Criterion::Labels => Some(one_hot(samples, soft.ncols())?),
        _ => None,
    };
    let loss = match criterion {
        Criterion::Targets | Criterion::Outputs => {
            Loss::Squared { spread: spread(own.as_ref().unwrap_or(&soft)) as f32 }
        }
        _ => Loss::CrossEntropy,
    };
    if loss == Loss::CrossEntropy {
        soft /= distillation.temperature;
        soften(&mut soft);
    }
    Ok(match own {
        Some(own) if own.dim() == soft.dim() => (soft * distillation.weight + own * (1.0 - distillation.weight), loss),
        Some(own) => {
            let (expected, got) = (format!("{}, as many as outputs", soft.ncols()), own.ncols().to_string());
            return Err(DataError { what: "numbers to answer with", expected, got }.into());
        }
        None => (soft, loss),
    })
}

/// Logits to probabilities: the softmax of a row, or the sigmoid of one number.
fn soften(logits: &mut Array2<f32>) {
    if logits.ncols() == 1 {
        return logits.mapv_inplace(|logit| 1.0 / (1.0 + (-logit).exp()));
    }
    for mut row in logits.axis_iter_mut(Axis(0)) {
        let highest = row.fold(f32::NEG_INFINITY, |highest, &logit| highest.max(logit));
        row.mapv_inplace(|logit| (logit - highest).exp());
        row /= row.sum();
    }
}

/// Classes 0 and 1 as numbers, for a network whose one output is a number between them: it tells the classes apart at a half, not at 0.
fn with_numbers(original: &Model, data: &Data, recipe: &Recipe) -> Result<Data, Error> {
    let scaled = Samples { scaling: recipe.scaling.clone(), ..data.training.clone() };
    if !data.training.labelled() || data.training.classes() > 2 || classifies(original)? {
        return Ok(data.clone());
    }
    let outputs = logits(original, &scaled)?;
    if outputs.ncols() != 1 {
        return Ok(data.clone());
    }
    let right_at = |limit: f32| {
        let labels = (0..scaled.len()).map(|index| scaled.label(index) == Some(1));
        outputs.iter().zip(labels).filter(|(output, label)| (**output > limit) == *label).count()
    };
    if right_at(0.0) >= right_at(0.5) {
        return Ok(data.clone());
    }
    let numbers = |samples: &Samples| samples.with_targets(one_hot(samples, 1)?);
    Ok(Data { training: numbers(&data.training)?, test: data.test.as_ref().map(numbers).transpose()? })
}
