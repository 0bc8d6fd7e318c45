//! The half-interval search: pure; it knows an acceptance test, and no network.
