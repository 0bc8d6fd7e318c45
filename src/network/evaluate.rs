//! The forward pass over many samples, and what it says of a network.

use super::block::Entry;
use super::loss::{Judgement, judge};
use super::plan::logits_of;
use super::run::{Plan, Workspace};
use crate::data::Samples;
use crate::error::{DataError, Error};
use crate::model::{Model, ValueId};
use crate::parallel;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// A network made ready to run, with memory for one sample on each thread.
#[derive(Debug)]
pub struct Inference {
    plan: Plan,
    input_shape: Vec<usize>,
    /// One for each thread; kept from call to call.
    workspaces: Vec<Workspace>,
}

/// How long a step of a run takes.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedStep {
    /// The nodes that it does, in order.
    pub nodes: Vec<usize>,
    /// The kernel that runs.
    pub kernel: &'static str,
    /// Seconds.
    pub seconds: f64,
}

/// What writes a sample, by its number, as the network's input.
type Fill<'a> = dyn Fn(usize, &mut [f32]) + Sync + 'a;

impl Inference {
    /// Makes `model` ready to compute its logits: its answers before a softmax, or the sigmoid of one output, that ends it.
    ///
    /// # Errors
    /// If the model's shapes do not fit.
    pub fn new(model: &Model) -> Result<Self, Error> {
        Self::of_values(model, &[logits_of(&model.graph, &model.shapes()?)])
    }

    /// Makes `model` ready to compute its answers: a softmax at its end is one of its operators here.
    ///
    /// # Errors
    /// As [`Inference::new`].
    pub fn of_answers(model: &Model) -> Result<Self, Error> {
        Self::of_values(model, &[model.graph.output()])
    }

    fn of_values(model: &Model, values: &[ValueId]) -> Result<Self, Error> {
        let (plan, input_shape) = (Plan::new(model, values)?, model.graph.input_shape.clone());
        Ok(Inference { plan, input_shape, workspaces: Vec::new() })
    }

    /// What it was made ready to compute, `[samples, classes]`.
    ///
    /// # Errors
    /// If the samples are not of the network's shape, or memory does not suffice.
    pub fn outputs(&mut self, samples: &Samples) -> Result<Array2<f32>, Error> {
        Ok(self.run_samples(samples)?.pop().unwrap_or_default())
    }

    /// As [`Inference::outputs`], row-major, for samples one after the other as the network sees them.
    ///
    /// # Errors
    /// If the lengths do not fit, or memory does not suffice.
    pub fn run(&mut self, inputs: &[f32]) -> Result<Vec<f32>, Error> {
        let features: usize = self.input_shape.iter().product();
        if inputs.is_empty() || !inputs.len().is_multiple_of(features) {
            let (expected, got) = (format!("a multiple of {features}"), inputs.len().to_string());
            return Err(DataError { what: "numbers of the samples", expected, got }.into());
        }
        let fill = |index: usize, to: &mut [f32]| to.copy_from_slice(&inputs[index * features..][..features]);
        let outputs = self.run_each(inputs.len() / features, &fill)?.pop().unwrap_or_default();
        Ok(outputs.into_raw_vec_and_offset().0)
    }

    /// Seconds of each step of a run of one sample, by `time`, which calls what it is given as often as it likes.
    ///
    /// # Errors
    /// Those of `time`, and if memory does not suffice.
    pub fn time_steps(
        &mut self,
        time: impl FnMut(&mut dyn FnMut()) -> Result<f64, Error>,
    ) -> Result<Vec<TimedStep>, Error> {
        let mut workspace = Workspace::new(&self.plan)?;
        let times = self.plan.time_steps(&mut workspace, time)?;
        let step =
            |((nodes, kernel), seconds): ((&[usize], _), _)| TimedStep { nodes: nodes.to_vec(), kernel, seconds };
        Ok(self.plan.steps().zip(times).map(step).collect())
    }

    /// The values that were asked for, each `[samples, features]`.
    fn run_samples(&mut self, samples: &Samples) -> Result<Vec<Array2<f32>>, Error> {
        let entry = Entry::new(samples, &self.input_shape)?;
        self.run_each(samples.len(), &|index, to| entry.fill(samples, &[index], 1, to))
    }

    /// As [`Inference::run_samples`] for so many samples that `fill` writes.
    fn run_each(&mut self, total: usize, fill: &Fill) -> Result<Vec<Array2<f32>>, Error> {
        let threads = parallel::threads().min(total);
        while self.workspaces.len() < threads {
            self.workspaces.push(Workspace::new(&self.plan)?);
        }
        let lengths: Vec<usize> = self.plan.output_lengths().collect();
        // Each thread takes neighbouring samples; a sample's values do not depend on who computes them.
        struct Job<'a> {
            first: usize,
            end: usize,
            workspace: &'a mut Workspace,
            results: Vec<Vec<f32>>,
        }
        let mut jobs = Vec::new();
        for (index, workspace) in self.workspaces.iter_mut().take(threads).enumerate() {
            let (first, end) = (index * total / threads, (index + 1) * total / threads);
            jobs.push(Job { first, end, workspace, results: vec![Vec::new(); lengths.len()] });
        }
        let plan = &self.plan;
        parallel::for_each(&mut jobs, |job| {
            for index in job.first..job.end {
                fill(index, job.workspace.input());
                plan.run(job.workspace);
                for (result, output) in job.results.iter_mut().zip(plan.outputs(job.workspace)) {
                    result.extend_from_slice(output);
                }
            }
        });
        let mut outputs = Vec::new();
        for (value, &length) in lengths.iter().enumerate() {
            let mut all = Vec::with_capacity(total * length);
            jobs.iter().for_each(|job| all.extend_from_slice(&job.results[value]));
            let shaped = Array2::from_shape_vec((total, length), all).map_err(|_| DataError {
                what: "numbers of an output",
                expected: (total * length).to_string(),
                got: "others".into(),
            })?;
            outputs.push(shaped);
        }
        Ok(outputs)
    }
}

/// The logits `[samples, classes]` of all samples: the network's answers before a softmax that ends it.
///
/// # Errors
/// If the model's shapes do not fit, or the samples are not of its input's shape.
pub fn logits(model: &Model, samples: &Samples) -> Result<Array2<f32>, Error> {
    Inference::new(model)?.outputs(samples)
}

/// The network's answers `[samples, outputs]` to inputs `[samples, features]`; a softmax at its end is one of its operators
/// here.
///
/// # Errors
/// If the model's shapes do not fit, or the inputs are not as many as its input's elements.
pub fn answers(model: &Model, inputs: &Array2<f32>) -> Result<Array2<f32>, Error> {
    let mut inference = Inference::of_answers(model)?;
    let features: usize = model.graph.input_shape.iter().product();
    if inputs.ncols() != features {
        let (expected, got) = (features.to_string(), inputs.ncols().to_string());
        return Err(DataError { what: "numbers of a sample", expected, got }.into());
    }
    let fill = |index: usize, to: &mut [f32]| {
        to.iter_mut().zip(inputs.row(index)).for_each(|(to, from)| *to = *from);
    };
    Ok(inference.run_each(inputs.nrows(), &fill)?.pop().unwrap_or_default())
}

/// Some values inside the network, each `[features, samples]`.
///
/// # Errors
/// As [`logits`], and if a value does not exist.
pub fn activations(model: &Model, values: &[ValueId], samples: &Samples) -> Result<Vec<Array2<f32>>, Error> {
    let values = Inference::of_values(model, values)?.run_samples(samples)?;
    Ok(values.into_iter().map(|value| value.reversed_axes().as_standard_layout().into_owned()).collect())
}

/// `|to - from| / |from|`, Euclidean.
pub fn relative_distance(from: &Array2<f32>, to: &Array2<f32>) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let distance = norm(&mut from.iter().zip(to).map(|(from, to)| f64::from(*to) - f64::from(*from)));
    distance / norm(&mut from.iter().map(|&value| f64::from(value))).max(f64::MIN_POSITIVE)
}

/// How good a network's answers are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Samples that were asked about.
    pub samples: usize,
    /// How many of them were answered with their label; none if they have numbers to answer with.
    pub correct: Option<usize>,
    /// Mean loss: the cross-entropy in nats, or 1 - R2.
    pub loss: f64,
    /// Standard error of `loss`; 0 for one sample.
    pub loss_standard_error: f64,
}

impl Evaluation {
    /// Share of correct answers, in `[0, 1]`; where there are numbers to answer with, R2, which is at most 1.
    pub fn accuracy(&self) -> f64 {
        self.correct.map_or(1.0 - self.loss, |correct| correct as f64 / self.samples as f64)
    }

    /// The evaluation of outputs `[n, outputs]` for samples with labels or targets.
    ///
    /// # Errors
    /// As [`judge`].
    pub fn of_outputs(outputs: &Array2<f32>, samples: &Samples) -> Result<Self, DataError> {
        let Judgement { losses, correct } = judge(outputs, samples)?;
        let samples = losses.len();
        let loss = losses.iter().sum::<f64>() / samples as f64;
        let squares: f64 = losses.iter().map(|value| (value - loss).powi(2)).sum();
        let variance = squares / (samples.max(2) - 1) as f64;
        Ok(Evaluation { samples, correct, loss, loss_standard_error: (variance / samples as f64).sqrt() })
    }
}

/// Runs the network on samples and compares its answers with their labels or targets.
///
/// # Errors
/// As [`logits`] and [`judge`].
pub fn evaluate(model: &Model, samples: &Samples) -> Result<Evaluation, Error> {
    Ok(Evaluation::of_outputs(&logits(model, samples)?, samples)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::{Chain, initialize, lenet5};
    use crate::model::{Node, Op, Scaling};
    use ndarray::array;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn samples(shape: Vec<usize>, count: usize) -> Samples {
        let mut rng = Pcg64Mcg::seed_from_u64(5);
        let bytes = (0..count * shape.iter().product::<usize>()).map(|_| rng.random()).collect();
        let labels = (0..count).map(|i| (i % 3) as u8).collect();
        Samples::new(shape, bytes, labels, Scaling::Unit).unwrap()
    }

    #[test]
    fn a_hand_computed_network() {
        let mut model = Chain::new(vec![2]).linear("a", [2, 2]).relu().linear("b", [2, 2]).build();
        model.parameters[0].values = array![[1.0, -1.0], [0.5, 0.5]].into_dyn();
        model.parameters[1].values = array![0.0, 1.0].into_dyn();
        model.parameters[2].values = array![[2.0, 0.0], [0.0, -1.0]].into_dyn();
        let samples = Samples::new(vec![2], vec![3, 1, 1, 3], vec![0, 1], Scaling::Raw).unwrap();
        assert_eq!(logits(&model, &samples).unwrap(), array![[4.0, -3.0], [0.0, -3.0]]);
        let evaluation = evaluate(&model, &samples).unwrap();
        assert_eq!((evaluation.samples, evaluation.correct), (2, Some(1)));
        let expected = ((1.0 + (-7f64).exp()).ln() + (1.0 + 3f64.exp()).ln()) / 2.0;
        assert!((evaluation.loss - expected).abs() < 1e-9);
        let hidden = activations(&model, &[ValueId(2), ValueId(0)], &samples).unwrap();
        assert_eq!(hidden, [array![[2.0, 0.0], [3.0, 3.0]], array![[3.0, 1.0], [1.0, 3.0]]]);
    }

    #[test]
    fn a_sample_is_answered_alike_alone_and_among_others() {
        let mut model = lenet5([4, 6, 8, 3]);
        initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
        let samples = samples(vec![784], 77);
        let all = logits(&model, &samples).unwrap();
        let mut inference = Inference::new(&model).unwrap();
        for index in [0, 31, 32, 76] {
            let alone = inference.outputs(&samples.range(index, index + 1)).unwrap();
            assert_eq!(alone.row(0), all.row(index));
        }
        assert_eq!(inference.outputs(&samples).unwrap(), all);
    }

    #[test]
    fn a_softmax_at_the_end_is_left_out() {
        let mut model = Chain::new(vec![3]).linear("a", [3, 3]).build();
        initialize(&mut model, &mut Pcg64Mcg::seed_from_u64(1));
        let samples = samples(vec![3], 5);
        let before = logits(&model, &samples).unwrap();
        model.graph.nodes.push(Node { name: "softmax".into(), op: Op::Softmax, inputs: vec![ValueId(1)] });
        assert_eq!(logits(&model, &samples).unwrap(), before);
        let answers = &activations(&model, &[ValueId(2)], &samples).unwrap()[0];
        assert!((answers.column(0).sum() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let model = lenet5([4, 6, 8, 2]);
        let fits = samples(vec![1, 28, 28], 3);
        assert!(matches!(evaluate(&model, &samples(vec![27], 3)), Err(Error::Data(DataError { what: "shape", .. }))));
        // Label 2 has no output.
        assert!(matches!(evaluate(&model, &fits), Err(Error::Data(DataError { what: "label", .. }))));
        assert!(matches!(evaluate(&model, &fits.range(0, 0)), Err(Error::Data(_))));
        let unlabelled = Samples::new(vec![784], vec![0; 784], Vec::new(), Scaling::Unit).unwrap();
        assert!(matches!(evaluate(&model, &unlabelled), Err(Error::Data(DataError { what: "labels", .. }))));
        assert_eq!(logits(&model, &fits.range(0, 0)).unwrap().dim(), (0, 2));
    }
}
