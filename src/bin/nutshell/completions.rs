//! `nutshell completions`.

use crate::{Answer, Cli, Task};
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};
use nutshell::Error;
use serde_json::json;

/// Print a script that completes the command line in a shell.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Task for Arguments {
    fn run(&self) -> Result<Answer, Error> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "nutshell", &mut script);
        let script = String::from_utf8_lossy(&script).trim_end().to_owned();
        let json = json!({ "shell": self.shell.to_string(), "script": script });
        Ok(Answer::new(script, &json))
    }
}
