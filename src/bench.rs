//! How fast this machine trains and runs networks, beside how fast it multiplies matrices.
//!
//! Plain functions of a clock, so that the same code measures natively (`cargo bench`) and in a browser. An operation is a
//! multiplication or an addition, counted as a dense network needs them: a zero weight that a kernel skips counts.

use crate::data::Samples;
use crate::error::{DataError, Error};
use crate::model::presets::{LENET5_WIDTHS, initialize, lenet5};
use crate::model::{Model, Op, Scaling};
use crate::network::{Batch, Inference, TimedStep, Trainer};
use crate::ranking::{key_of, ranked};
use ndarray::Array2;
use ndarray::linalg::general_mat_mul;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

/// One measured speed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Rate {
    /// What was done.
    pub name: String,
    /// Samples (for the matrix product: products) a second.
    pub per_second: f64,
    /// 10^9 operations a second.
    pub gflops: f64,
    /// `gflops` as a share of the matrix product's, measured beside it.
    pub of_sgemm: f64,
}

/// The most numbers of a batch: 1 GiB as bytes.
const MOST: usize = 1 << 30;

/// Widths of a LeNet-5 as small as structure search leaves it.
pub const SMALL_WIDTHS: [usize; 4] = [8, 16, 20, 10];

/// Measures all rates. `now` answers seconds from any start; each rate takes about `seconds`. The matrix product (512 x 512 x 512)
/// comes first. How many threads are used is up to the caller: run this in a pool of one for one.
///
/// # Errors
/// None is expected: those of the network.
pub fn rates(now: &dyn Fn() -> f64, seconds: f64) -> Result<Vec<Rate>, Error> {
    let mut rates = vec![matrix_product(now, seconds)];
    let sgemm = rates[0].gflops;
    let mut add = |name: &str, samples: usize, operations: f64, time: f64| {
        let (per_second, gflops) = (samples as f64 / time, operations / time / 1e9);
        rates.push(Rate { name: name.into(), per_second, gflops, of_sgemm: gflops / sgemm });
    };
    for (label, widths, batch) in [("LeNet-5 20/50/500", LENET5_WIDTHS, 128), ("LeNet-5 8/16/20", SMALL_WIDTHS, 64)] {
        for (density, kind) in [(1.0, "dense"), (0.1, "10 % nonzero")] {
            let model = network(widths, density);
            let time = training(now, seconds, &model, batch)?;
            let operations = training_operations(&model)? * batch as f64;
            add(&format!("train {label}, {kind}, batch {batch}"), batch, operations, time);
        }
        let model = network(widths, 1.0);
        for batch in [1, 128] {
            let time = inference(now, seconds, &model, batch)?;
            add(&format!("run {label}, batch {batch}"), batch, 2.0 * model.macs()? as f64 * batch as f64, time);
        }
    }
    Ok(rates)
}

/// LeNet-5 of these widths with random weights, of which a share is not zero.
pub fn network(widths: [usize; 4], density: f64) -> Model {
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let mut model = lenet5(widths);
    initialize(&mut model, &mut rng);
    for parameter in &mut model.parameters {
        parameter.values.mapv_inplace(|value| if rng.random::<f64>() < density { value } else { 0.0 });
    }
    model
}

/// Operations of the forward pass and of the gradients to weights and data, for one sample. The first layer needs no gradient to its
/// data.
fn training_operations(model: &Model) -> Result<f64, Error> {
    let first = model.graph.nodes.iter().find_map(|node| match &node.op {
        Op::Conv(conv) => Some(model.values(conv.weight).shape().to_vec()),
        _ => None,
    });
    let positions = model.shapes()?[1][1..].iter().product::<usize>();
    let first = first.map_or(0, |shape| shape.iter().product::<usize>() * positions);
    Ok(2.0 * (3.0 * model.macs()? as f64 - first as f64))
}

/// Seconds for the gradients of one batch.
pub fn training(now: &dyn Fn() -> f64, seconds: f64, model: &Model, batch: usize) -> Result<f64, Error> {
    let mut trainer = Trainer::new(model, batch)?;
    let mut rng = Pcg64Mcg::seed_from_u64(2);
    let mut samples = Batch::new(784, 10, batch);
    samples.inputs.mapv_inplace(|_| rng.random());
    samples.targets.column_mut(3).fill(1.0);
    time(now, seconds, &mut || trainer.gradients(model, &samples).map(|_| ()))
}

impl Rate {
    /// One line.
    pub fn describe(&self) -> String {
        let Rate { name, per_second, gflops, of_sgemm } = self;
        format!("{name:50} {per_second:12.0} / s {gflops:8.1} GFLOP/s {:4.0} % of sgemm", 100.0 * of_sgemm)
    }
}

/// Seconds for the logits of one batch, from its bytes.
pub fn inference(now: &dyn Fn() -> f64, seconds: f64, model: &Model, batch: usize) -> Result<f64, Error> {
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    let shape = model.graph.input_shape.clone();
    let size = shape.iter().try_fold(batch, |product, &side| product.checked_mul(side)).filter(|&size| size <= MOST);
    let size = size.ok_or_else(|| DataError {
        what: "numbers of a batch",
        expected: format!("at most {MOST}"),
        got: format!("{batch} times {shape:?}"),
    })?;
    let bytes = (0..size).map(|_| rng.random()).collect();
    let samples = Samples::new(shape, bytes, Vec::new(), Scaling::Unit)?;
    let mut inference = Inference::new(model)?;
    time(now, seconds, &mut || inference.outputs(&samples).map(|_| ()))
}

/// How long one step of a run of one sample takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StepTime {
    /// Name of the first node that it does.
    pub name: String,
    /// Their operators, one after the other.
    pub operators: String,
    /// The kernel that runs.
    pub kernel: &'static str,
    /// Share of the layer's weights that are not zero; nothing for other operators.
    pub density: Option<f64>,
    /// Microseconds.
    pub microseconds: f64,
    /// Share of all steps.
    pub share: f64,
}

impl StepTime {
    /// One line.
    pub fn describe(&self) -> String {
        let StepTime { name, operators, kernel, microseconds, .. } = self;
        let density = self.density.map_or("-".into(), |density| format!("{:.1} %", 100.0 * density));
        let share = format!("{:.1} %", 100.0 * self.share);
        format!("{microseconds:10.2} {share:>6} {density:>8}  {kernel:17} {name}: {operators}")
    }
}

/// How long a network takes for one sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RunTime {
    /// Milliseconds of a run: the median of many.
    pub milliseconds: f64,
    /// What the steps take by themselves, each called again and again.
    pub layers: Vec<StepTime>,
}

/// Measures how long a run of one sample takes, for about `seconds`, and each of its steps, for as long in all.
///
/// # Errors
/// Those of the network.
pub fn run_time(now: &dyn Fn() -> f64, seconds: f64, model: &Model) -> Result<RunTime, Error> {
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    let input: Vec<f32> = (0..model.graph.input_shape.iter().product()).map(|_| rng.random()).collect();
    let mut inference = Inference::of_answers(model)?;
    let mut rounds = Vec::new();
    inference.run(&input)?;
    let begin = now();
    inference.run(&input)?;
    // Clocks of browsers have steps of 0.1 ms.
    let calls = (0.02 / (now() - begin).max(1e-6)).clamp(1.0, 1e6) as usize;
    while rounds.len() < 3 || now() - begin < seconds {
        let start = now();
        for _ in 0..calls {
            inference.run(&input)?;
        }
        rounds.push((now() - start) / calls as f64);
    }
    let median = ranked(rounds.len(), &|round| key_of(rounds[round]))[rounds.len() / 2];
    let count = model.graph.nodes.len().max(1) as f64;
    let steps = inference.time_steps(|work| {
        time(now, seconds / count, &mut || {
            work();
            Ok(())
        })
    })?;
    let all: f64 = steps.iter().map(|step| step.seconds).sum();
    let layer = |TimedStep { nodes, kernel, seconds }: TimedStep| {
        let nodes: Vec<_> = nodes.into_iter().map(|node| &model.graph.nodes[node]).collect();
        let weight = nodes.first().and_then(|node| node.op.layer());
        let density = weight.map(|(weight, _)| {
            let values = model.values(weight);
            values.iter().filter(|value| **value != 0.0).count() as f64 / values.len().max(1) as f64
        });
        let mut operators = String::new();
        for node in &nodes {
            operators.push_str(if operators.is_empty() { "" } else { ", " });
            operators.push_str(node.op.name());
        }
        StepTime {
            name: nodes.first().map(|node| node.name.clone()).unwrap_or_default(),
            operators,
            kernel,
            density,
            microseconds: 1e6 * seconds,
            share: seconds / all,
        }
    };
    let layers = steps.into_iter().map(layer).collect();
    Ok(RunTime { milliseconds: 1e3 * rounds[median], layers })
}

fn matrix_product(now: &dyn Fn() -> f64, seconds: f64) -> Rate {
    const SIDE: usize = 512;
    let a = Array2::from_shape_fn((SIDE, SIDE), |(row, column)| ((row * 7 + column) % 13) as f32 - 6.0);
    let mut product = Array2::zeros((SIDE, SIDE));
    let b = a.clone();
    let time = time(now, seconds, &mut || {
        general_mat_mul(1.0, &a, &b, 0.0, &mut product);
        Ok(())
    });
    let time = time.unwrap_or(f64::INFINITY);
    let gflops = 2.0 * SIDE.pow(3) as f64 / time / 1e9;
    Rate { name: "sgemm 512 x 512 x 512".into(), per_second: 1.0 / time, gflops, of_sgemm: 1.0 }
}

/// Seconds for one call of `work`: the fastest of many short rounds, since other programs can only slow one down.
pub fn time(now: &dyn Fn() -> f64, seconds: f64, work: &mut dyn FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    const ROUNDS: f64 = 100.0;
    // The first call allocates; the second says how many fill a round.
    work()?;
    let begin = now();
    work()?;
    let estimate = (now() - begin).max(1e-6);
    let calls = (seconds / ROUNDS / estimate).clamp(1.0, 1e6) as usize;
    let mut best = f64::INFINITY;
    loop {
        let start = now();
        for _ in 0..calls {
            work()?;
        }
        let end = now();
        best = best.min((end - start) / calls as f64);
        if end - begin >= seconds {
            return Ok(best);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_counted_by_the_clock_that_is_given() {
        // Each look at this clock takes a hundredth of a second.
        let ticks = std::cell::Cell::new(0);
        let now = || {
            ticks.set(ticks.get() + 1);
            f64::from(ticks.get()) * 0.01
        };
        let rates = rates(&now, 0.01).unwrap();
        assert_eq!(rates.len(), 9);
        let train = &rates[1];
        assert!((train.per_second - 128.0 / 0.01).abs() < 1.0);
        // 3 x 2,293,000 less the 288,000 of the first layer, twice.
        assert!((train.gflops - 2.0 * 6_591_000.0 * train.per_second / 1e9).abs() < 1e-6);
    }
}
