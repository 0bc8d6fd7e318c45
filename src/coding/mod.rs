//! Lossless coding of symbols, and the baselines to compare it with.
