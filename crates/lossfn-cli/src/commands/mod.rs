//! The commands: each turns its arguments into an [`Answer`].

mod advise;
mod check;
mod describe;
mod emit;
pub mod eval;
mod list;
mod merge;
mod plot;
mod shell;

use crate::args::{Args, Command};
use crate::error::CliError;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

/// What a command prints.
pub enum Answer {
    /// Text, complete.
    Text(String),
    /// The same, of a check that found errors.
    Unsound(String),
    /// What was written to a temporary file because it may be large.
    Spooled(File),
}

impl Answer {
    /// Prints the answer; gives the exit code.
    pub fn print(self, to: &mut dyn Write) -> Result<ExitCode, CliError> {
        let code = ExitCode::from(u8::from(matches!(self, Self::Unsound(_))));
        let written = match self {
            Self::Text(text) | Self::Unsound(text) => to.write_all(text.as_bytes()),
            Self::Spooled(mut file) => io::copy(&mut file, to).map(|_| ()),
        };
        written
            .and_then(|()| to.flush())
            .map(|()| code)
            .map_err(|source| CliError::Write { what: "the answer".into(), source })
    }
}

/// Runs a command.
pub fn run(args: Args) -> Result<Answer, CliError> {
    match args.command {
        Command::Eval(args) => eval::run(&args),
        Command::Advise(args) => advise::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::List(args) => Ok(list::run(&args)),
        Command::Describe(args) => Ok(describe::run(&args)),
        Command::Check(args) => Ok(check::run(&args)),
        Command::Emit(args) => emit::run(&args),
        Command::Explore(args) => crate::explore::run(&args).map(|()| Answer::Text(String::new())),
        Command::Plot(args) => plot::run(&args),
        Command::Completions { shell } => Ok(shell::completions(shell)),
        Command::Man { command } => shell::man(command.as_deref()),
    }
}
