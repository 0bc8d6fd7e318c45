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

use place::Place;
use std::path::Path;

/// A directory of its own with a case's files.
fn files(case: &str) -> Place {
    fn copy(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                std::fs::create_dir_all(&to).unwrap();
                copy(&entry.path(), &to);
            } else {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let place = Place::empty(&format!("case_{case}"));
    if !case.is_empty() {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/files").join(case), &place.0);
    }
    place
}
