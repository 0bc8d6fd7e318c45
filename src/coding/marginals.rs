//! Counts of one kind of decision along each side of a parameter.

use super::adaptive::Counts;
use super::layout::Layout;
use super::neighbours::Place;

/// How a kind of decision went so far: in all, and by row, kernel, column, channel and tap.
#[derive(Debug, Clone, Default)]
pub struct Marginals {
    all: Counts,
    /// Of the current row.
    row: Counts,
    /// Of the current kernel.
    kernel: Counts,
    columns: Vec<Counts>,
    /// Empty if a channel is a column.
    channels: Vec<Counts>,
    taps: Vec<Counts>,
}

/// Half the imagined decisions that the counts of each side start from, at the probability of all.
#[derive(Debug, Clone, Copy)]
pub struct Strengths {
    /// Those of all, at the prior.
    pub all: u32,
    /// See [`Marginals`].
    pub row: u32,
    /// See [`Marginals`].
    pub kernel: u32,
    /// See [`Marginals`].
    pub column: u32,
    /// See [`Marginals`].
    pub channel: u32,
    /// See [`Marginals`].
    pub tap: u32,
}

/// Log-odds at a place: of all, and by how much each side's differ from that.
#[derive(Debug, Clone, Copy)]
pub struct Odds {
    /// Probability of a 1, over all.
    pub probability: u32,
    /// The same as log-odds.
    pub all: i32,
    /// What the row adds.
    pub row: i32,
    /// What the kernel adds.
    pub kernel: i32,
    /// What the column adds.
    pub column: i32,
    /// What the channel adds.
    pub channel: i32,
    /// What the tap adds.
    pub tap: i32,
}

impl Marginals {
    /// Nothing seen yet.
    pub fn new(layout: &Layout) -> Self {
        let counts = |length: usize| vec![Counts::default(); length];
        Marginals {
            columns: counts(layout.row_len()),
            channels: counts(if layout.taps() > 1 { layout.channels } else { 0 }),
            taps: counts(layout.taps()),
            ..Marginals::default()
        }
    }

    /// Forgets the row before.
    pub fn start_row(&mut self) {
        self.row = Counts::default();
    }

    /// Forgets the kernel before.
    pub fn start_kernel(&mut self) {
        self.kernel = Counts::default();
    }

    /// What is expected at a place.
    pub fn odds(&self, place: &Place, prior: u32, strengths: &Strengths) -> Odds {
        let probability = self.all.probability(prior, strengths.all);
        let all = self.all.odds(prior, strengths.all);
        let beyond = |counts: Counts, strength: u32| counts.odds(probability, strength) - all;
        Odds {
            probability,
            all,
            row: beyond(self.row, strengths.row),
            kernel: beyond(self.kernel, strengths.kernel),
            column: beyond(self.columns[place.column], strengths.column),
            channel: self.channels.get(place.channel).map_or(0, |&counts| beyond(counts, strengths.channel)),
            tap: beyond(self.taps[place.tap], strengths.tap),
        }
    }

    /// Takes a decision at a place into account.
    pub fn record(&mut self, place: &Place, bit: bool) {
        self.all.record(bit);
        self.row.record(bit);
        self.kernel.record(bit);
        self.columns[place.column].record(bit);
        if let Some(counts) = self.channels.get_mut(place.channel) {
            counts.record(bit);
        }
        self.taps[place.tap].record(bit);
    }
}
