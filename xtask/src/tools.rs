//! What has to be on the machine; what is missing is installed, and said.

use crate::process::{Outcome, command, output, run};
use crate::{is_fresh, read, root, target};
use std::path::PathBuf;

/// The target of the wasm build.
pub const WASM: &str = "wasm32-unknown-unknown";

/// Adds a rustup target or component unless it is there.
fn rustup(kind: &str, name: &str) -> Outcome {
    let listed = output(&mut command("rustup", &[kind, "list", "--installed"]));
    let listed = listed.ok_or("rustup is not there: install Rust with rustup, the stable toolchain")?;
    // Components are listed with their platform: clippy-x86_64-unknown-linux-gnu.
    if listed.lines().any(|line| line == name || line.starts_with(&format!("{name}-"))) {
        return Ok(());
    }
    println!("Installing the Rust {kind} {name}.");
    run(&mut command("rustup", &[kind, "add", name]))
}

/// The compiler's wasm target.
pub fn wasm_target() -> Outcome {
    rustup("target", WASM)
}

/// rustfmt and clippy.
pub fn lints() -> Outcome {
    rustup("component", "rustfmt")?;
    rustup("component", "clippy")
}

/// `wasm-bindgen` or `wasm-bindgen-test-runner`, of exactly the version that the crate is locked to.
pub fn wasm_bindgen(tool: &str) -> Result<PathBuf, String> {
    let version = locked_version("wasm-bindgen")?;
    let own = target().join("tools/bin").join(tool);
    for candidate in [PathBuf::from(tool), own.clone()] {
        let shown = output(&mut command(&candidate, &["--version"])).unwrap_or_default();
        if shown.split_whitespace().any(|word| word == version) {
            return Ok(candidate);
        }
    }
    println!("Installing wasm-bindgen-cli {version} in target/tools; this takes a few minutes, once.");
    let tools = target().join("tools");
    // Without --locked: the tool's own lock file names a version that was withdrawn.
    run(command("cargo", &["install", "wasm-bindgen-cli", "--version", &version, "--root"]).arg(&tools))?;
    Ok(own)
}

/// The version of a crate in Cargo.lock.
fn locked_version(name: &str) -> Result<String, String> {
    let lock = String::from_utf8_lossy(&read(&root().join("Cargo.lock"))?).into_owned();
    let after = lock.split(&format!("name = \"{name}\"\nversion = \"")).nth(1);
    let version = after.and_then(|rest| rest.split('"').next());
    version.map(str::to_owned).ok_or(format!("Cargo.lock does not name {name}"))
}

/// The npm packages of package-lock.json.
pub fn npm_packages() -> Outcome {
    let major = output(&mut command("node", &["--version"]))
        .and_then(|version| version.trim_start_matches('v').split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major < 20) {
        return Err("Node 20 or newer, with npm, is needed".into());
    }
    let root = root();
    if is_fresh(&root.join("node_modules/.package-lock.json"), &[&root.join("package-lock.json")]) {
        return Ok(());
    }
    println!("Installing the npm packages.");
    run(&mut command("npm", &["ci", "--no-audit", "--no-fund"]))
}

/// Chromium and its driver: `(chromium, chromedriver)`.
pub fn chromium() -> Result<(PathBuf, PathBuf), String> {
    installed("Chromium and chromedriver", &["chromium", "chromium-driver", "fonts-dejavu-core"], || {
        Some((find("chromium").or_else(|| find("google-chrome"))?, find("chromedriver")?))
    })
}

/// Firefox.
pub fn firefox() -> Result<PathBuf, String> {
    installed("Firefox", &["firefox-esr", "fonts-dejavu-core"], || find("firefox-esr").or_else(|| find("firefox")))
}

/// What `look` finds; if that is nothing, once Debian's packages are installed.
fn installed<T>(name: &str, packages: &[&str], look: impl Fn() -> Option<T>) -> Result<T, String> {
    if let Some(found) = look() {
        return Ok(found);
    }
    let root = output(&mut command("id", &["-u"])).is_some_and(|id| id.trim() == "0");
    if !root || output(&mut command("apt-get", &["--version"])).is_none() {
        return Err(format!("{name} is needed. On Debian: apt-get install {}", packages.join(" ")));
    }
    println!("Installing {name}.");
    run(&mut command("apt-get", &["update", "-qq"]))?;
    run(command("apt-get", &["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    look().ok_or_else(|| format!("{name} was installed, but is not on the PATH"))
}

fn find(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}
