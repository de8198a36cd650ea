//! `lossfn eval`.

use super::Answer;
use crate::args::{EvalArgs, Format};
use crate::args::{ReadingArgs, TableArgs};
use crate::error::CliError;
use crate::eval::Question;
use crate::eval::choose::{Chosen, choose};
use crate::eval::engine::{Tables, evaluate, for_each_row};
use crate::eval::state::{Reading, State};
use crate::read::{TextOptions, open};
use crate::report::result_text;
use lossfn::Reduction;
use lossfn::choose::LossRequest;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Evaluates predictions.
pub fn run(args: &EvalArgs) -> Result<Answer, CliError> {
    let asked = Asked::new(args, None)?;
    let say = |note: &str| {
        // Not part of the answer; nobody needs to read it.
        let _ = writeln!(std::io::stderr(), "lossfn: {note}");
    };
    if args.reduction == Reduction::None || args.output.format == Format::Csv {
        // There is no place for it in the answer.
        for chosen in &asked.chosen {
            say(&chosen.to_string());
        }
    }
    if args.reduction == Reduction::None {
        return losses_of_rows(&asked.question, &asked.tables);
    }
    let state = asked.state(args, say)?;
    let text = result_text(&state, args.output.format, args.save_state.is_some())?;
    if let Some(path) = &args.save_state {
        state.save(path)?;
    }
    Ok(Answer::Text(text))
}

/// A question and the tables that answer it, with all parameters chosen.
pub struct Asked {
    question: Question,
    paths: Vec<PathBuf>,
    tables: Tables,
    threads: usize,
    chosen: Vec<Chosen>,
}

impl Asked {
    /// Opens the tables and chooses what the data are to choose. `unwatched` is that of [`Tables`].
    pub fn new(args: &EvalArgs, unwatched: Option<Arc<AtomicBool>>) -> Result<Self, CliError> {
        let mut question = Question::new(args)?;
        question.costs()?;
        let is_open = args.losses.iter().any(LossRequest::needs_data);
        if args.reduction == Reduction::None {
            check_reduction_none(args)?;
        }
        let (paths, mut tables, threads) = tables(&args.table, &args.reading, is_open)?;
        tables.unwatched = unwatched;
        let chosen = if is_open {
            choose(&tables, &mut question, &args.losses, threads)?
        } else {
            Vec::new()
        };
        Ok(Self { question, paths, tables, threads, chosen })
    }

    /// The totals. Where no loss is named `say` is told which are picked and why.
    pub fn state(mut self, args: &EvalArgs, say: impl Fn(&str)) -> Result<State, CliError> {
        let outcome = evaluate(&self.tables, &mut self.question, self.threads, say)?;
        let readings = self.paths.iter().map(|path| reading(path, args)).collect();
        Ok(State::new(self.question, readings, outcome, self.chosen))
    }
}

/// Opens the tables; with the paths that patterns stand for, and the number of threads to use.
/// With `again`, streams are kept so that they can be read several times.
pub fn tables(
    table: &TableArgs,
    reading: &ReadingArgs,
    again: bool,
) -> Result<(Vec<PathBuf>, Tables, usize), CliError> {
    let paths = expand(&table.files)?;
    let ReadingArgs { delimiter, no_header, .. } = *reading;
    let text = TextOptions { delimiter, no_header, keep_streams: again };
    let row_groups = reading.row_groups.clone();
    let tables = Tables { sources: open(&paths, text)?, row_groups, unwatched: None };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok((paths, tables, reading.threads.map_or(processors, usize::from)))
}

fn reading(path: &Path, args: &EvalArgs) -> Reading {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    Reading { file: whole.display().to_string(), row_groups: args.reading.row_groups.clone() }
}

/// The files that patterns stand for.
pub fn expand(files: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut paths = Vec::new();
    for file in files {
        let text = file.to_string_lossy();
        if file.exists() || text == "-" || !text.contains(['*', '?', '[']) {
            paths.push(file.clone());
            continue;
        }
        let matches = glob::glob(&text)
            .map_err(|error| CliError::message(format!("the pattern {text:?}: {error}")))?;
        let before = paths.len();
        for path in matches {
            paths.push(path.map_err(|error| CliError::message(error.to_string()))?);
        }
        if paths.len() == before {
            return Err(CliError::message(format!("no file matches {text:?}")));
        }
    }
    Ok(paths)
}

/// What does not go with `--reduction none`.
fn check_reduction_none(args: &EvalArgs) -> Result<(), CliError> {
    for (name, given) in [
        ("--by", !args.by.is_empty()),
        ("--worst", args.worst > 0),
        ("--save-state", args.save_state.is_some()),
        ("--format json", args.output.format == Format::Json),
    ] {
        if given {
            return Err(CliError::message(format!("{name} does not go with --reduction none")));
        }
    }
    if args.losses.is_empty() {
        return Err(CliError::message("--reduction none needs a --loss"));
    }
    Ok(())
}

/// `--reduction none`: the losses row by row, as CSV, by way of a temporary file so that an error in
/// the last row leaves nothing on standard output.
fn losses_of_rows(question: &Question, tables: &Tables) -> Result<Answer, CliError> {
    let fail = |source| CliError::Write { what: "a temporary file".into(), source };
    let mut spool = csv::Writer::from_writer(tempfile::tempfile().map_err(fail)?);
    let several = tables.sources.len() > 1;
    let mut header: Vec<String> = if several { vec!["file".into()] } else { Vec::new() };
    header.push("row".into());
    header.extend(question.losses.iter().cloned());
    spool.write_record(&header).map_err(|error| fail(error.into()))?;
    for_each_row(tables, question, |file, first, losses| {
        for at in 0..losses.first().map_or(0, Vec::len) {
            let mut fields: Vec<String> = if several { vec![file.to_owned()] } else { Vec::new() };
            fields.push((first + at as u64).to_string());
            // A row that does not count has no loss.
            let text =
                |losses: &Vec<Option<f64>>| losses[at].map_or(String::new(), |x| format!("{x:?}"));
            fields.extend(losses.iter().map(text));
            spool.write_record(&fields).map_err(|error| fail(error.into()))?;
        }
        Ok(())
    })?;
    let mut file = spool.into_inner().map_err(|error| fail(error.into_error()))?;
    file.rewind().map_err(fail)?;
    Ok(Answer::Spooled(file))
}
