//! The page: served while it is worked on, or built as a static site.

use crate::process::{Outcome, command, run};
use crate::{mnist, models, notices, package, read, root, target, write};
use std::path::PathBuf;

fn vite(arguments: &[&str]) -> Outcome {
    run(command("node", &["node_modules/vite/bin/vite.js"]).args(arguments))
}

/// Serves the page until it is stopped.
pub fn start() -> Outcome {
    package::build()?;
    models::prepare()?;
    mnist::prepare()?;
    notices::prepare()?;
    vite(&["--clearScreen", "false"])
}

/// Builds dist/ and returns its path. It works from any folder of any static host.
pub fn dist() -> Result<PathBuf, String> {
    package::build()?;
    models::prepare()?;
    mnist::prepare()?;
    notices::prepare()?;
    vite(&["build"])?;
    Ok(root().join("dist"))
}

/// Builds the site, and beside it the page as one file, whose path it returns.
pub fn single_file() -> Result<PathBuf, String> {
    dist()?;
    // Without the pages and chunks that the site has for others.
    let site = target().join("single-file");
    vite(&["build", "--mode", "single-file", "--emptyOutDir", "--outDir", &site.to_string_lossy()])?;
    let page = root().join("dist/nutshell.html");
    write(&page, &read(&site.join("index.html"))?)?;
    Ok(page)
}
