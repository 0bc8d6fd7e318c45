//! Loops over slices: they know shapes and numbers, nothing above them. Every fast one has a plain twin.
