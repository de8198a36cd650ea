//! `lossfn emit`.

use super::Answer;
use crate::args::EmitArgs;
use crate::error::CliError;
use std::fs;

/// Writes a loss in a language.
pub fn run(args: &EmitArgs) -> Result<Answer, CliError> {
    let code = args.loss.emit(args.to)?;
    let Some(path) = &args.output else { return Ok(Answer::Text(code)) };
    fs::write(path, code)
        .map_err(|source| CliError::Write { what: path.display().to_string(), source })?;
    Ok(Answer::Text(String::new()))
}
