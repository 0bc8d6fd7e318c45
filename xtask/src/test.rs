//! Everything that is checked, with a summary at the end.

use crate::process::{Outcome, command, run};
use crate::tools::{self, WASM};
use crate::{package, page};
use std::time::Instant;

/// One thing that is checked.
struct Step {
    name: &'static str,
    check: fn() -> Outcome,
}

/// The quick ones first.
const STEPS: &[Step] = &[
    Step { name: "format", check: format },
    Step { name: "lints, native", check: lint_native },
    Step { name: "lints, wasm", check: lint_wasm },
    Step { name: "tests, native", check: native },
    Step { name: "tests, browser", check: browser },
    Step { name: "npm package", check: npm_package },
    Step { name: "sizes of the wasm", check: package::check_size },
    Step { name: "the page, without a browser", check: page_parts },
    Step { name: "the page, end to end", check: end_to_end },
];

/// Runs every step, also after one has failed.
pub fn test() -> Outcome {
    tools::lints()?;
    tools::wasm_target()?;
    tools::wasm_bindgen("wasm-bindgen")?;
    tools::npm_packages()?;
    tools::chromium()?;
    tools::firefox()?;
    let results: Vec<(&str, f32, Outcome)> = STEPS
        .iter()
        .map(|step| {
            println!("\n== {}", step.name);
            let start = Instant::now();
            let outcome = (step.check)();
            if let Err(message) = &outcome {
                println!("{message}");
            }
            (step.name, start.elapsed().as_secs_f32(), outcome)
        })
        .collect();
    println!("\n== Summary");
    for (name, seconds, outcome) in &results {
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("{verdict:>6}  {name} ({seconds:.0} s)");
    }
    let failed = results.iter().filter(|(.., outcome)| outcome.is_err()).count();
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} checks failed", results.len())) }
}

fn cargo(arguments: &[&str]) -> Outcome {
    run(&mut command("cargo", arguments))
}

fn format() -> Outcome {
    cargo(&["fmt", "--all", "--check"])
}

fn lint_native() -> Outcome {
    cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
}

fn lint_wasm() -> Outcome {
    cargo(&["clippy", "--quiet", "--lib", "--target", WASM, "--", "-D", "warnings"])
}

fn native() -> Outcome {
    cargo(&["test", "--quiet", "--workspace", "--all-features", "--no-fail-fast"])
}

/// The tests of tests/web*.rs, in headless Chromium.
fn browser() -> Outcome {
    let runner = tools::wasm_bindgen("wasm-bindgen-test-runner")?;
    let (_, driver) = tools::chromium()?;
    run(command("cargo", &["test", "--target", WASM, "--test", "web*"])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env("CHROMEDRIVER", driver)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300"))
}

/// Packs the package, and uses it from a fresh folder in Node.
fn npm_package() -> Outcome {
    package::build()?;
    run(&mut command("node", &["--test", "tests/package/"]))
}

/// The types that JSDoc gives, and the parts that need no browser.
fn page_parts() -> Outcome {
    run(&mut command("node", &["node_modules/typescript/bin/tsc", "--project", "tsconfig.json"]))?;
    run(&mut command("node", &["--test", "tests/page/"]))
}

fn end_to_end() -> Outcome {
    page::single_file()?;
    let (chromium, _) = tools::chromium()?;
    run(command("node", &["--test", "--test-concurrency=2", "tests/e2e/"])
        .env("CHROMIUM", chromium)
        .env("FIREFOX", tools::firefox()?))
}

/// The benchmarks, natively and in headless Chromium.
pub fn bench() -> Outcome {
    println!("Natively:");
    cargo(&["bench", "--quiet", "--bench", "rates"])?;
    package::build()?;
    let (chromium, _) = tools::chromium()?;
    println!("In Chromium:");
    run(command("node", &["benches/browser.js"]).env("CHROMIUM", &chromium))?;
    crate::page::dist()?;
    println!("The page, in Chromium:");
    run(command("node", &["benches/page.js"]).env("CHROMIUM", chromium))
}
