//! What every stage of a run needs: the samples, the observer, and the way to train and to probe.

use super::checkpoint::{Checkpoint, StageNetwork};
use super::criterion::{Criterion, Judge, answered_by};
use super::describe::{Facts, describe};
use super::event::{Accuracy, Event, Probe, SplitName, Stage, StageState};
use super::recipe::{Recipe, Training};
use super::report::{SplitCounts, Splits};
use crate::coding::ParameterBits;
use crate::container::{self, Encoded};
use crate::data::Samples;
use crate::error::{DataError, Error};
use crate::model::{FixedPoint, Model};
use crate::network::{
    Augmentation, Evaluation, IntegerNetwork, Learner, Loader, Schedule, evaluate, fit, logits, one_hot, search_formats,
};
use crate::search::{Interval, Step, half_interval};
use ndarray::{Array2, Axis};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The share of a training in which the learning rate rises from zero.
const WARM_UP: f32 = 0.02;
/// Training is reported about so many times in each training.
const REPORTS: u64 = 100;
/// But not more often than after so many samples: what is reported has to be measured.
const LEAST_REPORTED: u64 = 1_500;

/// Whoever watches a run.
pub trait Observer {
    /// Something happened. `Break` stops the run with [`Error::Cancelled`].
    fn event(&mut self, event: Event) -> ControlFlow<()>;

    /// A stage is finished; this checkpoint is enough to go on from here.
    fn checkpoint(&mut self, checkpoint: &Checkpoint);
}

/// The samples of a run.
#[derive(Debug, Clone)]
pub struct Data {
    /// The recipe's split holds some of them out for validation.
    pub training: Samples,
    /// Samples that are looked at once, at the end, to report.
    pub test: Option<Samples>,
}

impl Data {
    /// What a run on these samples is held by: their labels, or without any the answers of the original network. Labels of test
    /// samples alone are not looked at: one measure is reported for both splits.
    pub fn criterion(&self) -> Criterion {
        if self.training.labelled() { Criterion::Labels } else { Criterion::Agreement }
    }
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
    /// Targets of training, `[training samples, classes]`.
    targets: Arc<Array2<f32>>,
    observer: &'a mut dyn Observer,
    pub stages: Vec<StageState>,
    pub probes: Vec<Probe>,
    /// Factor on each rise of the loss that a search allows, and on the first price of a bit: 1, until a first refining
    /// training has cost far more than the tolerance.
    pub caution: f64,
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
        recipe.check()?;
        let criterion = data.criterion();
        if criterion == Criterion::Labels && data.test.as_ref().is_some_and(|test| !test.labelled()) {
            let (expected, got) = ("one a sample, as the training samples have".into(), "none".into());
            return Err(DataError { what: "labels of the test samples", expected, got }.into());
        }
        let scaled = |samples: &Samples| Samples { scaling: recipe.scaling.clone(), ..samples.clone() };
        let (training, validation) = scaled(&data.training).split(recipe.split.validation, recipe.split.seed)?;
        let training = match recipe.split.training {
            0 => training,
            most => training.at_most(most, recipe.split.seed)?,
        };
        let splits = Splits {
            training: SplitCounts::of(&training),
            validation: SplitCounts::of(&validation),
            test: data.test.as_ref().map(SplitCounts::of),
        };
        let targets = targets(original, &training, recipe)?;
        let compared = |samples: Samples| match criterion {
            Criterion::Labels => Ok(samples),
            Criterion::Agreement => answered_by(original, &samples),
        };
        Ok(Run {
            recipe,
            original,
            training,
            validation: compared(validation)?,
            test: data.test.as_ref().map(scaled).map(compared).transpose()?,
            criterion,
            splits,
            targets: Arc::new(targets),
            observer,
            stages: Vec::new(),
            probes: Vec::new(),
            caution: 1.0,
            trainings: 0,
        })
    }

    /// Tells the observer.
    pub fn tell(&mut self, event: Event) -> Result<(), Error> {
        match self.observer.event(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }

    /// Accuracy and loss on all validation samples.
    pub fn validate(&self, model: &Model) -> Result<Accuracy, Error> {
        measure(model, &self.validation, SplitName::Validation)
    }

    /// Describes the network after a stage, and tells the observer.
    pub fn finish(
        &mut self,
        stage: Stage,
        model: &Model,
        bytes: usize,
        coded: Option<&[ParameterBits]>,
    ) -> Result<(), Error> {
        let validation = self.validate(model)?;
        let facts = Facts { stage, baseline_bytes: self.original.parameter_bytes(), bytes, validation, coded };
        let state = describe(model, facts)?;
        self.stages.push(state.clone());
        self.tell(Event::Finished(state))
    }

    /// Describes a fixed-point network by the file that holds it.
    pub fn finish_fixed(&mut self, stage: Stage, fixed: &FixedPoint) -> Result<Encoded, Error> {
        let encoded = container::write(fixed, &self.recipe.write_options())?;
        let coded: Vec<_> = encoded.items.parameters.iter().map(|(_, bits)| *bits).collect();
        self.finish(stage, &fixed.to_model(), encoded.bytes.len(), Some(&coded))?;
        Ok(encoded)
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

    /// Half-interval search of the largest value whose network's loss rises by at most the question's limit, times the
    /// run's caution; each probe is told. `exempt` networks are accepted without looking at their loss: they are still too large for the budget.
    pub fn search(
        &mut self,
        question: &Question<'_>,
        judge: &Judge,
        candidate: impl Fn(f64) -> Result<Model, Error>,
        exempt: impl Fn(&Model) -> bool,
    ) -> Result<f64, Error> {
        let limit = self.caution * question.limit;
        half_interval(question.interval, question.probes, |Step { lo, mid, hi }| {
            let model = candidate(mid)?;
            let verdict = judge.judge(&model, limit)?;
            let accepted = verdict.accepted || exempt(&model);
            let probe = Probe {
                stage: question.stage,
                variable: question.variable.to_owned(),
                lo,
                mid,
                hi,
                criterion: "rise of the mean loss".to_owned(),
                value: verdict.rise,
                limit,
                standard_error: verdict.standard_error,
                accuracy: verdict.accuracy,
                samples: verdict.samples,
                accepted,
            };
            self.probes.push(probe.clone());
            self.tell(Event::Probed(probe))?;
            Ok(accepted)
        })
    }

    /// Trains, and reports about a hundred times; `watch` is called as often, and may steer the learner. It gives the
    /// size of the file and the validation accuracy, where it knows them.
    pub fn train<L: Learner>(
        &mut self,
        stage: Stage,
        learner: &mut L,
        training: &Training,
        mut watch: impl FnMut(&mut L, f64) -> Result<Watched, Error>,
    ) -> Result<(), Error> {
        let Training { samples, batch, learning_rate, augmentation } = *training;
        let schedule = Schedule { samples: samples as u64, batch, rate: learning_rate, warm_up: WARM_UP, decay: 1.0 };
        self.trainings += 1;
        // Each training of each seed draws its own order and its own maps of the images. It depends on nothing before the
        // stage, so that a run that is resumed there draws the same.
        let own = (stage as u64) << 32 | self.trainings;
        let seed = self.recipe.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(own);
        let mut loader = Loader::new(self.training.clone(), self.targets.clone(), seed)?;
        if let Some(changes) = Augmentation::of(augmentation, self.recipe.mirror) {
            loader = loader.with_augmentation(changes);
        }
        let report_every = schedule.steps().div_ceil(REPORTS).max(LEAST_REPORTED / batch as u64).max(1);
        let (mut loss, mut failure) = (0.0, None);
        let trained = fit(learner, &mut loader, &schedule, 0, &mut |learner, progress| {
            loss += progress.loss;
            let done = progress.step + 1;
            if done % report_every != 0 && done != progress.steps {
                return ControlFlow::Continue(());
            }
            let since = (done - 1) % report_every + 1;
            let loss = std::mem::take(&mut loss) / since as f64;
            let told = watch(learner, done as f64 / progress.steps as f64).and_then(|Watched { bytes, accuracy }| {
                let (done, total) = (done as usize * batch, progress.steps as usize * batch);
                self.tell(Event::Training { stage, done, total, loss, bytes, accuracy })
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

    /// A stage begins.
    pub fn start(&mut self, stage: Stage) -> Result<(), Error> {
        self.trainings = 0;
        self.tell(Event::Started { stage })
    }
}

/// What is known in the middle of a training.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watched {
    /// Size of the `.nut` if it were written now.
    pub bytes: Option<usize>,
    /// Validation accuracy, 0 to 1.
    pub accuracy: Option<f64>,
}

/// What a half-interval search is to find.
pub struct Question<'a> {
    /// The stage that asks.
    pub stage: Stage,
    /// Name of the searched scalar.
    pub variable: &'a str,
    /// Where it may lie.
    pub interval: Interval,
    /// How often the interval is halved.
    pub probes: usize,
    /// By how much the mean loss may rise, in nats, if the run need not be cautious.
    pub limit: f64,
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

fn of_split(evaluation: Evaluation, split: SplitName) -> Accuracy {
    let Evaluation { samples, correct, loss, .. } = evaluation;
    Accuracy { split, samples, correct, accuracy: evaluation.accuracy(), loss }
}

/// `weight x softmax(logits / temperature) + (1 - weight) x label` for each training sample; without labels the softmax alone.
fn targets(teacher: &Model, samples: &Samples, recipe: &Recipe) -> Result<Array2<f32>, Error> {
    let distillation = recipe.distillation;
    let teacher_logits = logits(teacher, samples)?;
    let labels = samples.labelled().then(|| one_hot(samples, teacher_logits.ncols())).transpose()?;
    let mut soft = teacher_logits / distillation.temperature;
    for mut row in soft.axis_iter_mut(Axis(0)) {
        let highest = row.fold(f32::NEG_INFINITY, |highest, &logit| highest.max(logit));
        row.mapv_inplace(|logit| (logit - highest).exp());
        row /= row.sum();
    }
    Ok(match labels {
        Some(labels) => soft * distillation.weight + labels * (1.0 - distillation.weight),
        None => soft,
    })
}
