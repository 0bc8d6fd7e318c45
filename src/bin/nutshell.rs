//! The native command line: the same Recipe, the same Events, a progress bar.
fn main() {}
