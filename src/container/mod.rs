//! The `.nut` file.
