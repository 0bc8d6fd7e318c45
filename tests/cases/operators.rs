//! Graphs of many exporters, run.
