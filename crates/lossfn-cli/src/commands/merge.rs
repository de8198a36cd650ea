//! `lossfn merge`.

use super::Answer;
use super::eval::expand;
use crate::args::MergeArgs;
use crate::error::CliError;
use crate::eval::state::State;
use crate::report::result_text;

/// Joins states.
pub fn run(args: &MergeArgs) -> Result<Answer, CliError> {
    let paths = expand(&args.states)?;
    let (first, rest) =
        paths.split_first().ok_or_else(|| CliError::message("there is no state to merge"))?;
    let mut state = State::load(first)?;
    for path in rest {
        state.merge(State::load(path)?, path, args.allow_repeats)?;
    }
    let text = result_text(&state, args.output.format, args.save_state.is_some())?;
    if let Some(path) = &args.save_state {
        state.save(path)?;
    }
    Ok(Answer::Text(text))
}
