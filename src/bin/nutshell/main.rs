//! The native command line: the same Recipe, the same Events, a progress bar.
//!
//! A door: it translates and reports, and decides nothing.

mod bench;
mod completions;
mod compress;
mod convert;
mod dataset;
mod decompress;
mod evaluate;
mod files;
mod inspect;
mod progress;
mod recipe;
mod samples;
mod train;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use nutshell::Error;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Puts a neural network in a nutshell: as small as it can be inside an accuracy tolerance.
///
/// Exit codes: 0 done; 1 bad input, or a target that cannot be reached; 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "nutshell", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object on standard output instead of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Inspect(inspect::Arguments),
    Train(train::Arguments),
    Compress(compress::Arguments),
    Decompress(decompress::Arguments),
    Convert(convert::Arguments),
    Evaluate(evaluate::Arguments),
    Recipe(recipe::Arguments),
    Bench(bench::Arguments),
    Completions(completions::Arguments),
}

impl Command {
    /// The files that it reads, where there may be several.
    fn inputs(&self) -> Vec<&Path> {
        match self {
            Command::Train(arguments) => arguments.inputs(),
            Command::Compress(arguments) => arguments.inputs(),
            Command::Evaluate(arguments) => arguments.inputs(),
            _ => Vec::new(),
        }
    }

    /// The files that it writes.
    fn outputs(&self) -> Vec<&Path> {
        match self {
            Command::Inspect(_) | Command::Recipe(_) | Command::Bench(_) | Command::Completions(_) => Vec::new(),
            Command::Train(arguments) => arguments.outputs(),
            Command::Compress(arguments) => arguments.outputs(),
            Command::Decompress(arguments) => arguments.outputs(),
            Command::Convert(arguments) => arguments.outputs(),
            Command::Evaluate(arguments) => arguments.outputs(),
        }
    }

    fn run(&self) -> Result<Answer, Error> {
        match self {
            Command::Inspect(arguments) => arguments.run(),
            Command::Train(arguments) => arguments.run(),
            Command::Compress(arguments) => arguments.run(),
            Command::Decompress(arguments) => arguments.run(),
            Command::Convert(arguments) => arguments.run(),
            Command::Evaluate(arguments) => arguments.run(),
            Command::Recipe(arguments) => arguments.run(),
            Command::Bench(arguments) => arguments.run(),
            Command::Completions(arguments) => arguments.run(),
        }
    }
}

/// What a command says when it is done.
struct Answer {
    /// For people, without a line end.
    text: String,
    /// For programs: one object.
    json: String,
}

impl Answer {
    fn new(text: String, json: &impl Serialize) -> Self {
        Answer { text, json: serde_json::to_string(json).expect("every answer has a JSON form") }
    }
}

fn main() -> ExitCode {
    let Cli { command, json } = Cli::parse();
    nutshell::parallel::work_on_this_thread();
    let outputs = command.outputs();
    let to_standard = outputs.iter().filter(|path| files::is_standard(path)).count();
    if to_standard + usize::from(json) > 1 {
        usage(ErrorKind::ArgumentConflict, "only one of --json and the files to write can go to standard output");
    }
    if command.inputs().into_iter().filter(|path| files::is_standard(path)).count() > 1 {
        usage(ErrorKind::ArgumentConflict, "only one of the files to read can be standard input");
    }
    if let Command::Compress(arguments) = &command
        && let Some(message) = arguments.misuse()
    {
        usage(ErrorKind::MissingRequiredArgument, message);
    }
    let answer = outputs.into_iter().try_for_each(files::check_place).map_err(Error::from);
    match answer.and_then(|()| command.run()) {
        Ok(answer) => {
            let text = if json { answer.json } else { answer.text };
            // A reader that has seen enough is no fault, and there is nobody left to tell.
            if to_standard > 0 {
                let _ = writeln!(io::stderr(), "{text}");
            } else {
                let _ = writeln!(io::stdout(), "{text}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "nutshell: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends the process as for any other wrong usage.
fn usage(kind: ErrorKind, message: &str) -> ! {
    Cli::command().error(kind, message).exit()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `NUTSHELL_WRITE=1 cargo test --features cli --bin nutshell` writes the document.
    #[test]
    fn the_document_of_the_command_line_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CLI.md");
        let options = clap_markdown::MarkdownOptions::new().show_footer(false).title("The command line".to_owned());
        let text = clap_markdown::help_markdown_custom::<Cli>(&options);
        if std::env::var_os("NUTSHELL_WRITE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(std::fs::read_to_string(&path).unwrap() == text, "docs/CLI.md is old: see the comment of this test");
    }
}
