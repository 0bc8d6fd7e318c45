//! `nutshell bench`.

use crate::files::{self, ModelFile};
use crate::{Answer, Task};
use clap::Args;
use nutshell::Error;
use nutshell::bench::{self, Rate, RunTime, StepTime};
use nutshell::formats;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Measure how fast this machine runs and trains networks, or how fast it runs and decodes a given one.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The network, in floats or as .nut [default: LeNet-5 in two sizes]; - is standard input.
    #[arg(value_name = "MODEL")]
    model: Option<PathBuf>,
    /// How long each speed is measured.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    /// Samples that are run in one call, of a given network.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=65536))]
    samples: u32,
}

/// The speeds of LeNet-5.
#[derive(Serialize)]
struct Rates {
    /// Threads that worked.
    threads: usize,
    rates: Vec<Rate>,
}

/// The speeds of a given network.
#[derive(Serialize)]
struct OfModel {
    file: String,
    /// Size of the file.
    bytes: usize,
    threads: usize,
    /// Multiply-accumulates of one sample.
    macs: u64,
    /// A run of one sample: the median of many.
    milliseconds: f64,
    /// Samples that were run in one call.
    samples: usize,
    /// Of one of these.
    milliseconds_of_many: f64,
    /// From the file's bytes to a network in floats: for one file.
    open_milliseconds: f64,
    /// The network's parameters as 32-bit floats in 10^6 bytes, over the seconds that opening takes.
    open_megabytes_per_second: f64,
    /// The steps of a run of one sample.
    layers: Vec<StepTime>,
}

impl Task for Arguments {
    fn run(&self) -> Result<Answer, Error> {
        let start = Instant::now();
        let now = move || start.elapsed().as_secs_f64();
        let seconds = if self.seconds.is_finite() { self.seconds.clamp(0.0, 600.0) } else { 1.0 };
        let threads = nutshell::parallel::threads();
        let Some(path) = &self.model else {
            let rates = Rates { threads, rates: bench::rates(&now, seconds)? };
            return Ok(Answer::new(rates.describe(), &rates));
        };
        let ModelFile { opened, plain, size } = files::open(path)?;
        let open = bench::time(&now, seconds, &mut || formats::open(&plain, files::CAP).map(drop))?;
        let model = opened.into_model()?;
        let samples = self.samples as usize;
        let many = bench::inference(&now, seconds, &model, samples)?;
        let RunTime { milliseconds, layers } = bench::run_time(&now, seconds, &model)?;
        let measured = OfModel {
            file: path.display().to_string(),
            bytes: size,
            threads,
            macs: model.macs()?,
            milliseconds,
            samples,
            milliseconds_of_many: 1e3 * many / samples as f64,
            open_milliseconds: 1e3 * open,
            open_megabytes_per_second: model.parameter_bytes() as f64 / open / 1e6,
            layers,
        };
        Ok(Answer::new(measured.describe(), &measured))
    }
}

impl Rates {
    fn describe(&self) -> String {
        let mut lines = vec![format!("{} thread(s)", self.threads)];
        lines.extend(self.rates.iter().map(Rate::describe));
        lines.join("\n")
    }
}

impl OfModel {
    fn describe(&self) -> String {
        let OfModel { file, bytes, threads, macs, samples, .. } = self;
        let mut lines = vec![
            format!("{file}: {bytes} bytes, {macs} MACs for one sample"),
            format!("one sample: {:.4} ms", self.milliseconds),
            format!("{samples} samples in one call: {:.4} ms each, {threads} thread(s)", self.milliseconds_of_many),
            format!(
                "opening: {:.3} ms, {:.1} MB/s of parameters as 32-bit floats",
                self.open_milliseconds, self.open_megabytes_per_second
            ),
            format!("{:>10} {:>6} {:>8}  {:17} step", "us", "share", "density", "kernel"),
        ];
        lines.extend(self.layers.iter().map(StepTime::describe));
        lines.join("\n")
    }
}
