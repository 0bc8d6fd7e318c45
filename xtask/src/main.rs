//! `cargo xtask start | test | build | bench | dist`: all set-up lives here, and nowhere else.
//!
//! Needs rustup's stable toolchain, Node 20 with npm, and gzip. Everything else is installed when it is first needed,
//! and said.

mod mnist;
mod models;
mod notices;
mod package;
mod page;
mod process;
mod test;
mod tools;

use process::Outcome;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "cargo xtask TASK

  start   build the wasm, prepare the data, serve the page and print its address
  test    everything that is checked: format, lints, native tests, browser tests, types, sizes, the page
  build   the npm package, in pkg/
  bench   the benchmarks, natively and in the browser
  dist    the static site, in dist/; with --single-file also as one file, dist/nutshell.html
";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let option = std::env::args().nth(2).unwrap_or_default();
    let outcome = match task.as_str() {
        "start" => page::start(),
        "test" => test::test(),
        "build" => package::build().map(|directory| println!("The npm package is in {}", directory.display())),
        "bench" => test::bench(),
        "dist" if option == "--single-file" => {
            page::single_file().map(|file| println!("The page in one file is {}", file.display()))
        }
        "dist" => page::dist().map(|directory| println!("The site is in {}", directory.display())),
        _ => Err(format!("unknown task '{task}'\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_owned()
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(path))
}

/// Whether `product` is there and not older than any of `sources`.
fn is_fresh(product: &Path, sources: &[&Path]) -> bool {
    let time = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let Some(made) = time(product) else { return false };
    sources.iter().all(|source| time(source).is_some_and(|changed| changed <= made))
}

/// Reads a file, or says which could not be read.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Writes a file and the folders above it, or says which could not be written.
fn write(path: &Path, bytes: &[u8]) -> Outcome {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
