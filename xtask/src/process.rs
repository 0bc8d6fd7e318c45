//! Running other programs.

use crate::root;
use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

/// Nothing, or what went wrong in words.
pub type Outcome = Result<(), String>;

/// A program to be run in the repository's root, without standard input.
pub fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs to the end, printing what is run.
pub fn run(command: &mut Command) -> Outcome {
    println!("$ {}", words(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` failed: {status}", words(command))),
        Err(error) => Err(format!("`{}` could not be started: {error}", words(command))),
    }
}

/// What the program prints, or nothing if it fails or is not there.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Sends `bytes` through a program.
pub fn filter(command: &mut Command, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let name = words(command);
    let fault = |error: std::io::Error| format!("`{name}`: {error}");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(fault)?;
    let mut input = child.stdin.take().expect("standard input is piped");
    let output = std::thread::scope(|scope| {
        // The pipe closes, and the program ends, when the writer is dropped.
        let writer = scope.spawn(move || input.write_all(bytes));
        let output = child.wait_with_output();
        writer.join().expect("writing does not panic").and(output)
    })
    .map_err(fault)?;
    if output.status.success() { Ok(output.stdout) } else { Err(format!("`{name}` failed: {}", output.status)) }
}

fn words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
