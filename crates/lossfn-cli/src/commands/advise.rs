//! `lossfn advise`.

use super::Answer;
use super::eval::tables;
use crate::advise::advise;
use crate::args::{AdviseArgs, TextFormat};
use crate::error::CliError;
use crate::eval::Question;

/// Says which losses suit predictions and their targets.
pub fn run(args: &AdviseArgs) -> Result<Answer, CliError> {
    let question = Question::of_rows(&args.table, &args.reading);
    let (_, tables, threads) = tables(&args.table, &args.reading, false)?;
    let advice = advise(&tables, &question, threads)?;
    Ok(Answer::Text(match args.format {
        TextFormat::Text => advice.text(),
        TextFormat::Json => advice.json(),
    }))
}
