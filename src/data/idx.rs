//! The IDX format of MNIST, gzipped or not.
