//! What the reading of samples has to be told.

use super::arrays::Layout;
use super::csv::LabelColumn;

/// What is not told by the data themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Of a table: which column has the class.
    pub label: LabelColumn,
    /// Of arrays: where the channels are.
    pub layout: Layout,
    /// The shape of one sample, in place of the one found, with as many numbers.
    pub shape: Option<Vec<usize>>,
    /// The numbers of one sample that a network reads, where one is known: a table of as many columns has no class.
    pub inputs: Option<usize>,
    /// The most bytes of a file, and of what it holds once it is unpacked.
    pub cap: u64,
}

impl Default for Options {
    /// Nothing is said; 1 GiB.
    fn default() -> Self {
        Options { label: LabelColumn::default(), layout: Layout::default(), shape: None, inputs: None, cap: 1 << 30 }
    }
}
