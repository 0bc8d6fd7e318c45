//! The npm package: wasm, its bindings and their types.

use crate::process::{command, filter, run};
use crate::tools::{self, WASM};
use crate::{is_fresh, read, root, target};
use std::path::PathBuf;

/// The most that the wasm may weigh, gzipped, in bytes.
const BUDGET: usize = 350_000;

/// Builds pkg/ and returns its path.
pub fn build() -> Result<PathBuf, String> {
    tools::wasm_target()?;
    let bindgen = tools::wasm_bindgen("wasm-bindgen")?;
    tools::npm_packages()?;
    run(&mut command("cargo", &["build", "--release", "--lib", "--target", WASM]))?;
    let built = target().join(WASM).join("release/nutshell.wasm");
    let package = root().join("pkg");
    let wasm = package.join("nutshell_bg.wasm");
    if is_fresh(&wasm, &[&built]) {
        return Ok(package);
    }
    // Bound and shrunk beside the target, so that pkg/ never holds half a build.
    let staging = target().join("pkg");
    run(command(bindgen, &["--target", "web", "--out-name", "nutshell", "--out-dir"]).arg(&staging).arg(&built))?;
    let small = staging.join("nutshell_bg.opt.wasm");
    let wasm_opt = root().join("node_modules/binaryen/bin/wasm-opt");
    let features = [
        "--enable-simd",
        "--enable-bulk-memory",
        "--enable-nontrapping-float-to-int",
        "--enable-sign-ext",
        "--enable-mutable-globals",
        "--enable-reference-types",
        "--enable-multivalue",
    ];
    run(command("node", &[])
        .arg(wasm_opt)
        // Neighbours in name are neighbours in kind, which is what gzip looks for.
        .args(["--reorder-functions-by-name", "-O3"])
        // The compiler has inlined what is worth it; more of it makes the file larger and the kernels no faster.
        .args(["--always-inline-max-function-size=0", "--flexible-inline-max-function-size=0"])
        .arg("--one-caller-inline-max-function-size=0")
        .args(features)
        .arg(staging.join("nutshell_bg.wasm"))
        .arg("-o")
        .arg(&small))?;
    for name in ["nutshell.js", "nutshell.d.ts", "nutshell_bg.wasm.d.ts"] {
        crate::write(&package.join(name), &read(&staging.join(name))?)?;
    }
    crate::write(&wasm, &read(&small)?)?;
    Ok(package)
}

/// The wasm's size as it travels, held against its budget.
pub fn check_size() -> Result<(), String> {
    let wasm = read(&root().join("pkg/nutshell_bg.wasm"))?;
    let packed = filter(&mut command("gzip", &["-9", "-n", "-c"]), &wasm)?.len();
    println!("nutshell_bg.wasm: {} bytes, {packed} gzipped; the budget is {BUDGET}", wasm.len());
    if packed <= BUDGET { Ok(()) } else { Err(format!("the wasm is {} bytes above its budget", packed - BUDGET)) }
}
