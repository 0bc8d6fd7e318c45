//! How far a run is, on standard error: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nutshell::pipeline::{Criterion, Event, Probe, Stage, StageState, WeightsEvent};
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// Without a terminal, a training is reported about so many times.
const LINES: usize = 10;

/// Reports how far a run is.
pub struct Reporter {
    start: Instant,
    /// What accuracies are called.
    word: &'static str,
    bar: Option<ProgressBar>,
    /// How many of a training's lines are written.
    written: usize,
}

impl Reporter {
    /// Starts the clock.
    pub fn new(criterion: Criterion) -> Self {
        let style = ProgressStyle::with_template("{prefix:>9} [{bar:30}] {percent:>3} %  {wide_msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
        let bar = io::stderr()
            .is_terminal()
            .then(|| ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr()).with_style(style));
        Reporter { start: Instant::now(), word: criterion.word(), bar, written: 0 }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Begins something that has a name.
    pub fn begin(&mut self, name: &str) {
        self.written = 0;
        if let Some(bar) = &self.bar {
            bar.set_length(1);
            bar.set_position(0);
            bar.set_prefix(name.to_owned());
            bar.set_message("");
        }
    }

    /// So much of a training is done.
    pub fn training(&mut self, name: &str, done: usize, total: usize, note: &str) {
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(note.to_owned());
            return;
        }
        let due = (done as f64 / total.max(1) as f64 * LINES as f64) as usize;
        if due > self.written {
            self.written = due;
            self.line(&format!("{name}: {done} of {total}, {note}"));
        }
        if done >= total {
            // The next training of the stage.
            self.written = 0;
        }
    }

    /// What a run without samples does.
    pub fn weights(&mut self, event: WeightsEvent) {
        match event {
            WeightsEvent::Searching { done } => {
                if let Some(bar) = &self.bar {
                    bar.set_prefix("search");
                    bar.set_length(100);
                    bar.set_position((100.0 * done) as u64);
                }
            }
            WeightsEvent::Coding => self.line("coding"),
            WeightsEvent::Checking => self.line("reading the file again"),
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        let text = format!("{:8.1} s  {text}", self.seconds());
        match &self.bar {
            Some(bar) => bar.println(text),
            // Nobody is left to tell that nobody listens.
            None => drop(writeln!(io::stderr(), "{text}")),
        }
    }

    /// Removes the bar.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// What a run says.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Started { stage } => self.begin(name(*stage)),
            Event::Probed(probe) => match &self.bar {
                Some(bar) => bar.set_message(describe_probe(probe)),
                None => self.line(&format!("{}: {}", name(probe.stage), describe_probe(probe))),
            },
            Event::Training { stage, done, total, loss, bytes, accuracy } => {
                let bytes = bytes.map_or(String::new(), |bytes| format!(", {bytes} bytes"));
                let word = self.word;
                let accuracy =
                    accuracy.map_or(String::new(), |share| format!(", validation {word} {:.2} %", 100.0 * share));
                self.training(name(*stage), *done, *total, &format!("loss {loss:.4}{bytes}{accuracy}"));
            }
            Event::Finished(state) => self.line(&describe_stage(state, self.word)),
        }
    }
}

fn describe_probe(probe: &Probe) -> String {
    let Probe { variable, mid, criterion, value, limit, samples, accepted, .. } = probe;
    let verdict = if *accepted { "accepted" } else { "refused" };
    format!("{variable} {mid:.3e}: {criterion} {value:.4} of {limit} on {samples} samples, {verdict}")
}

fn describe_stage(state: &StageState, word: &str) -> String {
    let StageState { stage, bytes, ratio, validation, nonzeros, macs, .. } = state;
    format!(
        "{}: {bytes} bytes ({ratio:.1}x), {nonzeros} nonzeros, {macs} MACs, validation {word} {:.2} % of {}",
        name(*stage),
        100.0 * validation.accuracy,
        validation.samples
    )
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Original => "original",
        Stage::Structure => "structure",
        Stage::Prune => "prune",
        Stage::Share => "share",
        Stage::Quantize => "quantize",
        Stage::Refine => "refine",
        Stage::Code => "code",
    }
}
