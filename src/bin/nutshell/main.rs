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
mod outputs;
mod preview;
mod progress;
mod recipe;
mod samples;
mod train;
mod units;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};
use nutshell::Error;
use outputs::Output;
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
    /// Replace a file of another kind, where one has the name of a file to write.
    #[arg(long, global = true)]
    force: bool,
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

/// What a command does.
trait Task {
    /// The files that it reads.
    fn inputs(&self) -> Vec<&Path> {
        Vec::new()
    }

    /// The files that it writes.
    fn outputs(&self) -> Vec<Output<'_>> {
        Vec::new()
    }

    /// Checks the names of the files that it writes.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn run(&self) -> Result<Answer, Error>;
}

impl Command {
    fn task(&self) -> &dyn Task {
        match self {
            Command::Inspect(task) => task,
            Command::Train(task) => task,
            Command::Compress(task) => task,
            Command::Decompress(task) => task,
            Command::Convert(task) => task,
            Command::Evaluate(task) => task,
            Command::Recipe(task) => task,
            Command::Bench(task) => task,
            Command::Completions(task) => task,
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
    let Cli { command, json, force } = Cli::try_parse().unwrap_or_else(|mut error| {
        if error.kind() == ErrorKind::UnknownArgument {
            // It would be to give an unknown option as the name of a file.
            error.remove(ContextKind::Suggested);
        }
        error.exit()
    });
    nutshell::parallel::work_on_this_thread();
    let task = command.task();
    let (inputs, outputs) = (task.inputs(), task.outputs());
    let to_standard = outputs.iter().filter(|output| files::is_standard(output.path)).count();
    if to_standard + usize::from(json) > 1 {
        usage(ErrorKind::ArgumentConflict, "only one of --json and the files to write can go to standard output");
    }
    if inputs.iter().filter(|path| files::is_standard(path)).count() > 1 {
        usage(ErrorKind::ArgumentConflict, "only one of the files to read can be standard input");
    }
    if let Command::Compress(arguments) = &command
        && let Some(message) = arguments.misuse()
    {
        usage(ErrorKind::MissingRequiredArgument, message);
    }
    let checked = task.check().and_then(|()| Ok(outputs::check_all(&outputs, &inputs, force)?));
    match checked.and_then(|()| task.run()) {
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
