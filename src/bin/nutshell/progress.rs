//! How far a run is, on standard error: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nutshell::pipeline::{Criterion, Event, Probe, StageState};
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// Without a terminal, a training is reported about so many times, and the whole.
const LINES: f64 = 10.0;
/// Of a bar.
const STEPS: f64 = 1000.0;

/// Reports how far a run is.
pub struct Reporter {
    start: Instant,
    /// What accuracies are called.
    word: &'static str,
    bar: Option<ProgressBar>,
    /// How many of a training's lines are written.
    written: usize,
    /// How many of the whole.
    tenths: usize,
}

impl Reporter {
    /// Starts the clock.
    pub fn new(criterion: Criterion) -> Self {
        let style = ProgressStyle::with_template("{prefix:>9} [{bar:30}] {percent:>3} %, {eta} left  {wide_msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
        let bar = io::stderr()
            .is_terminal()
            .then(|| ProgressBar::with_draw_target(Some(STEPS as u64), ProgressDrawTarget::stderr()).with_style(style));
        Reporter { start: Instant::now(), word: criterion.word(), bar, written: 0, tenths: 0 }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Begins something that has a name.
    pub fn begin(&mut self, name: &str) {
        self.written = 0;
        if let Some(bar) = &self.bar {
            bar.set_prefix(name.to_owned());
            bar.set_message("");
        }
    }

    /// So much of everything is done, in any unit.
    pub fn progress(&mut self, done: f64, of: f64) {
        let share = if of > 0.0 { done / of } else { 0.0 };
        if let Some(bar) = &self.bar {
            bar.set_position((STEPS * share) as u64);
            return;
        }
        let due = (share * LINES) as usize;
        if due > self.tenths && share < 1.0 {
            self.tenths = due;
            let left = self.seconds() * (1.0 - share) / share;
            self.line(&format!("{:.0} % done, about {left:.0} s left", 100.0 * share));
        }
    }

    /// So much of a training is done.
    pub fn training(&mut self, name: &str, done: usize, total: usize, note: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(note.to_owned());
            return;
        }
        let due = (done as f64 / total.max(1) as f64 * LINES) as usize;
        if due > self.written {
            self.written = due;
            self.line(&format!("{name}: {done} of {total}, {note}"));
        }
        if done >= total {
            // The next training of the stage.
            self.written = 0;
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
        let name = match event {
            Event::Started { stage } | Event::Training { stage, .. } => stage.meta().name,
            Event::Probed(probe) => probe.stage.meta().name,
            Event::Finished(state) => state.stage.meta().name,
            Event::Progress { .. } | Event::Warned { .. } | Event::Tried { .. } => "",
        };
        match event {
            Event::Started { .. } => self.begin(name),
            Event::Progress { done, of } => self.progress(*done, *of),
            Event::Probed(probe) => match &self.bar {
                Some(bar) => bar.set_message(describe_probe(probe, self.word)),
                None => self.line(&format!("{name}: {}", describe_probe(probe, self.word))),
            },
            Event::Training { done, total, loss, bytes, accuracy, .. } => {
                let bytes = bytes.map_or(String::new(), |bytes| format!(", {bytes} bytes"));
                let word = self.word;
                let accuracy =
                    accuracy.map_or(String::new(), |share| format!(", validation {word} {:.2} %", 100.0 * share));
                self.training(name, *done, *total, &format!("loss {loss:.4}{bytes}{accuracy}"));
            }
            // The report has them all.
            Event::Tried { .. } => {}
            Event::Warned { warning } => self.line(&format!("warning: {warning}")),
            Event::Finished(state) => self.line(&describe_stage(state, self.word)),
        }
    }
}

fn describe_probe(probe: &Probe, word: &str) -> String {
    let Probe { variable, lo, mid, hi, criterion, value, limit, accuracy, samples, accepted, distance, .. } = probe;
    let verdict = if *accepted { "accepted" } else { "refused" };
    let distance = distance.map_or(String::new(), |distance| format!(", the outputs {distance:.4} away"));
    if lo == hi {
        let score = 100.0 * accuracy;
        return format!(
            "{value} {criterion} of {limit}, {word} {score:.2} % on {samples} samples{distance}, {verdict}"
        );
    }
    format!("{variable} {mid:.3e}: {criterion} {value:.4} of {limit} on {samples} samples{distance}, {verdict}")
}

fn describe_stage(state: &StageState, word: &str) -> String {
    let StageState { stage, bytes, ratio, validation, nonzeros, macs, .. } = state;
    format!(
        "{}: {bytes} bytes ({ratio:.1}x), {nonzeros} nonzeros, {macs} MACs, validation {word} {:.2} % of {}",
        stage.meta().name,
        100.0 * validation.accuracy,
        validation.samples
    )
}
