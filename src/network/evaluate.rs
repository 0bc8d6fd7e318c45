//! The forward pass over many samples, and what it says of a network.

use super::block::Entry;
use super::loss::{Judgement, judge};
use super::plan::{Plan, logits_of};
use super::workspace::Workspace;
use crate::data::Samples;
use crate::error::{DataError, Error};
use crate::kernels::LANES;
use crate::model::{Model, ValueId};
use crate::parallel;
use ndarray::{Array2, s};
use serde::{Deserialize, Serialize};

/// A network made ready to run, with memory for blocks of samples.
#[derive(Debug)]
pub struct Inference {
    plan: Plan,
    input_shape: Vec<usize>,
    /// The most samples of a block.
    block: usize,
    /// One for each thread; they grow to what a call needs.
    workspaces: Vec<Workspace>,
    capacity: usize,
}

/// What writes samples into a block; see [`Inference::run_blocks`].
type Fill<'a> = dyn Fn(usize, usize, usize, &mut [f32]) + Sync + 'a;

/// Floats that the blocks of one thread may take up, unless eight samples need more.
const BLOCK_FLOATS: usize = 4 << 20;

/// The most samples of a block: the activations of small networks then stay in the processor's cache.
const BLOCK: usize = 32;

impl Inference {
    /// Makes `model` ready to compute its logits.
    ///
    /// # Errors
    /// If the model's shapes do not fit.
    pub fn new(model: &Model) -> Result<Self, Error> {
        Self::of_values(model, &[logits_of(&model.graph, &model.shapes()?)])
    }

    fn of_values(model: &Model, values: &[ValueId]) -> Result<Self, Error> {
        let mut plan = Plan::new(model, values, false)?;
        plan.prepare(model);
        let fitting = BLOCK_FLOATS / plan.floats_per_sample().max(1) / LANES * LANES;
        Ok(Inference {
            plan,
            input_shape: model.graph.input_shape.clone(),
            block: fitting.clamp(LANES, BLOCK),
            workspaces: Vec::new(),
            capacity: 0,
        })
    }

    /// The logits `[samples, classes]`: the network's answers before a softmax, or the sigmoid of one output, that ends it.
    ///
    /// # Errors
    /// If the samples are not of the network's shape, or memory does not suffice.
    pub fn logits(&mut self, samples: &Samples) -> Result<Array2<f32>, Error> {
        let mut outputs = self.run(samples)?;
        let logits = outputs.pop().unwrap_or_default();
        Ok(logits.reversed_axes().as_standard_layout().into_owned())
    }

    /// The values that were asked for, each `[features, samples]`.
    fn run(&mut self, samples: &Samples) -> Result<Vec<Array2<f32>>, Error> {
        let entry = Entry::new(samples, &self.input_shape)?;
        let fill = |first: usize, count: usize, n: usize, block: &mut [f32]| {
            let indices: Vec<usize> = (first..first + count).collect();
            entry.fill(samples, &indices, n, block);
        };
        self.run_blocks(samples.len(), &fill)
    }

    /// As [`Inference::run`] for `total` samples, some of which `fill` writes into a block: those from the first on, so many,
    /// as columns of a block of so many.
    fn run_blocks(&mut self, total: usize, fill: &Fill) -> Result<Vec<Array2<f32>>, Error> {
        let features: usize = self.input_shape.iter().product();
        let width = self.block.min(total.next_multiple_of(LANES));
        let blocks = total.div_ceil(self.block);
        let threads = parallel::threads().min(blocks);
        if width > self.capacity {
            self.workspaces.clear();
            self.capacity = width;
        }
        while self.workspaces.len() < threads {
            self.workspaces.push(Workspace::new(&self.plan, self.capacity)?);
        }
        // Each thread takes every so-manieth block; a sample's values do not depend on who computes them.
        struct Job<'a> {
            first: usize,
            workspace: &'a mut Workspace,
            results: Vec<Vec<Vec<f32>>>,
        }
        let jobs = self.workspaces.iter_mut().take(threads).enumerate();
        let mut jobs: Vec<Job> = jobs.map(|(first, workspace)| Job { first, workspace, results: Vec::new() }).collect();
        let (plan, size) = (&self.plan, self.block);
        parallel::for_each(&mut jobs, |job| {
            for index in (job.first..blocks).step_by(threads) {
                let first = index * size;
                let count = size.min(total - first);
                let n = count.next_multiple_of(LANES);
                fill(first, count, n, &mut job.workspace.values[0][..features * n]);
                job.workspace.forward(plan, n);
                let outputs = plan.outputs.iter();
                let values = outputs.map(|&(buffer, length)| job.workspace.values[buffer][..length * n].to_vec());
                job.results.push(values.collect());
            }
        });
        let mut outputs: Vec<Array2<f32>> =
            self.plan.outputs.iter().map(|&(_, length)| Array2::zeros((length, total))).collect();
        for index in 0..blocks {
            let first = index * size;
            let count = size.min(total - first);
            let n = count.next_multiple_of(LANES);
            for (output, values) in outputs.iter_mut().zip(&jobs[index % threads].results[index / threads]) {
                for (mut to, from) in
                    output.slice_mut(s![.., first..first + count]).rows_mut().into_iter().zip(values.chunks_exact(n))
                {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                }
            }
        }
        Ok(outputs)
    }
}

/// The logits `[samples, classes]` of all samples: the network's answers before a softmax that ends it.
///
/// # Errors
/// If the model's shapes do not fit, or the samples are not of its input's shape.
pub fn logits(model: &Model, samples: &Samples) -> Result<Array2<f32>, Error> {
    Inference::new(model)?.logits(samples)
}

/// The network's answers `[samples, outputs]` to inputs `[samples, features]`; a softmax at its end is one of its operators
/// here.
///
/// # Errors
/// If the model's shapes do not fit, or the inputs are not as many as its input's elements.
pub fn answers(model: &Model, inputs: &Array2<f32>) -> Result<Array2<f32>, Error> {
    let mut inference = Inference::of_values(model, &[model.graph.output()])?;
    let features: usize = model.graph.input_shape.iter().product();
    if inputs.ncols() != features {
        let (expected, got) = (features.to_string(), inputs.ncols().to_string());
        return Err(DataError { what: "numbers of a sample", expected, got }.into());
    }
    let inputs = inputs.as_standard_layout();
    let entry = Entry::plain(features);
    let fill = |first: usize, count: usize, n: usize, block: &mut [f32]| {
        let rows = inputs.slice(s![first..first + count, ..]);
        let rows: Vec<&[f32]> = rows.outer_iter().map(|row| row.to_slice().unwrap_or_default()).collect();
        entry.transpose(&rows, n, block);
    };
    let mut outputs = inference.run_blocks(inputs.nrows(), &fill)?;
    Ok(outputs.pop().unwrap_or_default().reversed_axes())
}

/// Some values inside the network, each `[features, samples]`.
///
/// # Errors
/// As [`logits`], and if a value does not exist.
pub fn activations(model: &Model, values: &[ValueId], samples: &Samples) -> Result<Vec<Array2<f32>>, Error> {
    Inference::of_values(model, values)?.run(samples)
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
            let alone = inference.logits(&samples.range(index, index + 1)).unwrap();
            assert_eq!(alone.row(0), all.row(index));
        }
        assert_eq!(inference.logits(&samples).unwrap(), all);
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
