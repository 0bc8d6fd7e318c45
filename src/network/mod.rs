//! Runs and trains a [`Model`](crate::Model).
