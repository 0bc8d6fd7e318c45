//! The npm package: the wasm module, its bindings and its types.

use crate::process::{Outcome, command, filter, run};
use crate::tools::{self, WASM};
use crate::{is_fresh, read, root, target, write};
use std::path::PathBuf;

/// The most that the module may weigh, gzipped, in bytes.
const BUDGET: usize = 750_000;

/// Builds pkg/ and returns its path.
pub fn build() -> Result<PathBuf, String> {
    tools::wasm_target()?;
    let bindgen = tools::wasm_bindgen("wasm-bindgen")?;
    tools::npm_packages()?;
    run(&mut command("cargo", &["build", "--profile", "wasm", "--lib", "--target", WASM]))?;
    let built = target().join(WASM).join("wasm/nutshell.wasm");
    let package = root().join("pkg");
    let wasm = package.join("nutshell_bg.wasm");
    if is_fresh(&wasm, &[&built]) {
        return Ok(package);
    }
    // Bound and shrunk beside the target, so that pkg/ never holds half a build.
    let staging = target().join("pkg");
    run(command(&bindgen, &["--target", "web", "--out-dir"]).arg(&staging).arg(&built))?;
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
        .args(["--reorder-functions-by-name", "-O3"])
        // The stack ends at address 0: nothing is read or written there, so that constants can be part of an address.
        .arg("--low-memory-unused")
        // The compiler has inlined what is worth it; more of it makes the file larger and the kernels no faster.
        .args(["--always-inline-max-function-size=0", "--flexible-inline-max-function-size=0"])
        .arg("--one-caller-inline-max-function-size=0")
        .args(features)
        .arg(staging.join("nutshell_bg.wasm"))
        .arg("-o")
        .arg(&small))?;
    for file in ["nutshell.js", "nutshell.d.ts", "nutshell_bg.wasm.d.ts"] {
        write(&package.join(file), &read(&staging.join(file))?)?;
    }
    write(&wasm, &read(&small)?)?;
    Ok(package)
}

/// Holds the size of the module as it travels against its budget.
pub fn check_size() -> Outcome {
    let wasm = read(&root().join("pkg/nutshell_bg.wasm"))?;
    let packed = filter(&mut command("gzip", &["-9", "-n", "-c"]), &wasm)?.len();
    println!("nutshell_bg.wasm: {} bytes, {packed} gzipped; the budget is {BUDGET}", wasm.len());
    match packed.checked_sub(BUDGET + 1) {
        None => Ok(()),
        Some(_) => Err(format!("nutshell_bg.wasm is {} bytes above its budget", packed - BUDGET)),
    }
}
