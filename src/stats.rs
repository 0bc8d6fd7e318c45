//! Histograms, codebook tables and bit budgets: what the viewer draws.
