//! The npm package: three wasm modules, their bindings and their types.

use crate::process::{Outcome, command, filter, run};
use crate::tools::{self, WASM};
use crate::{is_fresh, read, root, target, write};
use std::path::PathBuf;

/// A wasm module: a feature of the crate, which is one of its doors to JavaScript.
struct Module {
    feature: &'static str,
    /// Of its files in pkg/.
    name: &'static str,
    /// The most that it may weigh, gzipped, in bytes.
    budget: usize,
}

/// What compresses, runs and looks at networks comes with the page; what reads the files of other programs, and files of samples, is loaded
/// with the first such file.
const MODULES: [Module; 3] = [
    Module { feature: "engine", name: "nutshell", budget: 350_000 },
    Module { feature: "files", name: "files", budget: 325_000 },
    Module { feature: "samples", name: "samples", budget: 120_000 },
];

/// Builds pkg/ and returns its path.
pub fn build() -> Result<PathBuf, String> {
    tools::wasm_target()?;
    let bindgen = tools::wasm_bindgen("wasm-bindgen")?;
    tools::npm_packages()?;
    for module in &MODULES {
        build_module(module, &bindgen)?;
    }
    Ok(root().join("pkg"))
}

fn build_module(Module { feature, name, .. }: &Module, bindgen: &std::path::Path) -> Outcome {
    // Each has a folder of its own, so that they do not build over each other.
    let folder = target().join("modules").join(feature);
    let features = ["--no-default-features", "--features", feature];
    run(command("cargo", &["build", "--release", "--lib", "--target", WASM])
        .args(features)
        .arg("--target-dir")
        .arg(&folder))?;
    let built = folder.join(WASM).join("release/nutshell.wasm");
    let package = root().join("pkg");
    let wasm = package.join(format!("{name}_bg.wasm"));
    if is_fresh(&wasm, &[&built]) {
        return Ok(());
    }
    // Bound and shrunk beside the target, so that pkg/ never holds half a build.
    let staging = folder.join("pkg");
    run(command(bindgen, &["--target", "web", "--out-name", name, "--out-dir"]).arg(&staging).arg(&built))?;
    let small = staging.join(format!("{name}_bg.opt.wasm"));
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
        .arg(staging.join(format!("{name}_bg.wasm")))
        .arg("-o")
        .arg(&small))?;
    for file in [format!("{name}.js"), format!("{name}.d.ts"), format!("{name}_bg.wasm.d.ts")] {
        write(&package.join(&file), &read(&staging.join(&file))?)?;
    }
    write(&wasm, &read(&small)?)
}

/// The modules' sizes as they travel, held against their budgets.
pub fn check_size() -> Outcome {
    for Module { name, budget, .. } in &MODULES {
        let wasm = read(&root().join(format!("pkg/{name}_bg.wasm")))?;
        let packed = filter(&mut command("gzip", &["-9", "-n", "-c"]), &wasm)?.len();
        println!("{name}_bg.wasm: {} bytes, {packed} gzipped; the budget is {budget}", wasm.len());
        if packed > *budget {
            return Err(format!("{name}_bg.wasm is {} bytes above its budget", packed - budget));
        }
    }
    Ok(())
}
