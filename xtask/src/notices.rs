//! The licences of the crates that the wasm is made of, as the site serves them.

use crate::process::{Outcome, command, output};
use crate::tools::WASM;
use crate::{is_fresh, root, write};
use std::path::{Path, PathBuf};

/// Writes www/public/licenses-rust.md: each crate with its licence texts.
pub fn prepare() -> Outcome {
    let out = root().join("www/public/licenses-rust.md");
    let lock = root().join("Cargo.lock");
    if is_fresh(&out, &[&lock]) {
        return Ok(());
    }
    let arguments =
        ["tree", "--target", WASM, "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}|{l}"];
    let tree = output(&mut command("cargo", &arguments)).ok_or("`cargo tree` failed")?;
    let mut crates: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    crates.sort_unstable();
    crates.dedup();
    let mut text = String::from("# Licences of the Rust crates\n");
    for line in crates {
        let (package, licence) = line.split_once('|').unwrap_or((line, ""));
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        // A package with a path is our own.
        if words.next().is_some() {
            continue;
        }
        let version = version.trim_start_matches('v');
        text.push_str(&format!("\n## {name} {version} ({licence})\n"));
        let texts = licence_files(&format!("{name}-{version}"));
        if texts.is_empty() {
            println!("{name} {version} has no licence file; its manifest says {licence}");
        }
        for file in texts {
            let content = String::from_utf8_lossy(&crate::read(&file)?).into_owned();
            text.push_str(&format!("\n{}\n", content.trim()));
        }
    }
    write(&out, text.as_bytes())
}

/// The licence files of a crate in cargo's cache, in a fixed order.
fn licence_files(crate_folder: &str) -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let Some(sources) = cargo.or(home).map(|home| home.join("registry/src")) else { return Vec::new() };
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_licence = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        path.is_file() && (name.starts_with("LICENSE") || name.starts_with("LICENCE") || name.starts_with("COPYING"))
    };
    let mut files: Vec<PathBuf> =
        entries(&sources).flat_map(|registry| entries(&registry.join(crate_folder))).filter(is_licence).collect();
    files.sort();
    files
}
