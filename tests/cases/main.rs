//! Cases from the field: files as people have them, and what independent tools say of them. docs/CASES.md is their table.
#![cfg(not(target_arch = "wasm32"))]

// The other tests of the command line use the rest of it.
#[allow(dead_code)]
#[path = "../place/mod.rs"]
mod place;

mod exports;
mod operators;
mod samples;
mod weight_files;
