//! `lossfn completions` and `lossfn man`: from the same definitions as the command line itself.

use super::Answer;
use crate::args::Args;
use crate::error::CliError;
use clap::CommandFactory;

/// Completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> Answer {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "lossfn", &mut text);
    Answer::Text(String::from_utf8_lossy(&text).into_owned())
}

/// A manual page.
pub fn man(command: Option<&str>) -> Result<Answer, CliError> {
    let mut program = Args::command();
    program.build();
    let page = match command {
        None => program,
        Some(name) => {
            let known: Vec<_> = program.get_subcommands().map(clap::Command::get_name).collect();
            let unknown =
                || format!("there is no command {name:?}: there are {}", known.join(", "));
            program.find_subcommand(name).ok_or_else(|| CliError::message(unknown()))?.clone()
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|source| CliError::Write { what: "the manual page".into(), source })?;
    Ok(Answer::Text(String::from_utf8_lossy(&text).into_owned()))
}
