//! All parts of all tables, over threads.

use crate::error::CliError;
use crate::eval::Question;
use crate::eval::columns::Roles;
use crate::eval::pick::pick;
use crate::eval::rows::{Conflict, Fault, Rows, Seen};
use crate::eval::totals::{CostlyRow, Group, Place, Totals};
use crate::read::{Batch, Part, Parts, ReadError, Source, Stop, table_name};
use indicatif::{ProgressBar, ProgressStyle};
use lossfn::Cost;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The tables that are read.
pub struct Tables {
    pub sources: Vec<(PathBuf, Box<dyn Source>)>,
    pub row_groups: Option<Range<usize>>,
    /// Where nobody looks at a terminal: reading shows no progress, and stops when this becomes true.
    pub unwatched: Option<Arc<AtomicBool>>,
}

/// A row that can be found: file and row, counted from 1.
pub type FoundRow = (String, u64);

/// What a run gives.
pub struct Outcome {
    /// For each group a state per loss.
    pub groups: Vec<Group>,
    /// For each loss the most costly rows.
    pub worst: Vec<Vec<CostlyRow<FoundRow>>>,
    pub rows: u64,
    pub skipped: u64,
}

/// What has become of a part.
#[derive(Clone, Copy, Default)]
struct PartRecord {
    table: usize,
    first_row: Option<u64>,
    rows: u64,
}

type NumberedPart = (usize, Box<dyn Part>);

/// The parts of all tables, one after the other, with what became of them.
struct Queue<'a> {
    tables: Vec<(usize, Parts<'a>)>,
    records: Vec<PartRecord>,
    failed: bool,
    stop: Option<Arc<AtomicBool>>,
}

impl Queue<'_> {
    /// The next part with its number, or the table in which there should be one.
    fn next(&mut self) -> Option<Result<NumberedPart, (usize, ReadError)>> {
        while !self.failed {
            let (table, parts) = self.tables.first_mut()?;
            let table = *table;
            if self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                return Some(Err((table, ReadError::Stopped)));
            }
            match parts.next() {
                None => drop(self.tables.remove(0)),
                Some(Err(error)) => return Some(Err((table, error))),
                Some(Ok(part)) => {
                    let first_row = part.first_row();
                    self.records.push(PartRecord { table, first_row, rows: 0 });
                    return Some(Ok((self.records.len() - 1, part)));
                }
            }
        }
        None
    }
}

/// Why a worker stopped: what is wrong, where.
struct Failure {
    part: usize,
    table: usize,
    row: Option<u64>,
    column: Option<String>,
    error: Box<CliError>,
}

impl Failure {
    /// What to compare for the order in which failures stand in the tables.
    fn order(&self) -> (usize, u64) {
        (self.part, self.row.unwrap_or(0))
    }
}

impl Tables {
    /// Which columns of each table are read.
    fn roles(&self, question: &Question) -> Result<Vec<Roles>, CliError> {
        let roles = |(path, source): &(PathBuf, Box<dyn Source>)| {
            Roles::new(question, path, source.as_ref())
        };
        self.sources.iter().map(roles).collect()
    }

    fn queue(&self, roles: &[Roles]) -> Result<Queue<'_>, CliError> {
        let mut tables = Vec::new();
        for (at, (_, source)) in self.sources.iter().enumerate() {
            let requests = &roles[at].requests;
            if let Some(range) = &self.row_groups {
                let count = source.row_groups().ok_or_else(|| {
                    CliError::message(format!(
                        "{}: --row-groups is for Parquet and Arrow files",
                        self.name(at)
                    ))
                })?;
                if range.end > count {
                    return Err(CliError::message(format!(
                        "{}: --row-groups {}..{} is out of range: the row groups are 0..{count}",
                        self.name(at),
                        range.start,
                        range.end
                    )));
                }
            }
            tables.push((at, source.parts(requests, self.row_groups.clone())?));
        }
        let stop = self.unwatched.clone();
        Ok(Queue { tables, records: Vec::new(), failed: false, stop })
    }

    fn progress(&self) -> ProgressBar {
        if self.unwatched.is_some() {
            return ProgressBar::hidden();
        }
        let bytes: Option<u64> = self.sources.iter().map(|(_, source)| source.bytes()).sum();
        let template = match bytes {
            Some(_) => "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{spinner} {bytes}, {bytes_per_sec}",
        };
        let bar = bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// The place of a row as a person finds it.
    fn find(&self, records: &[PartRecord], place: Place) -> FoundRow {
        let record = records[place.part];
        let before = |earlier: &&PartRecord| earlier.table == record.table;
        let first = record.first_row.unwrap_or_else(|| {
            records[..place.part].iter().filter(before).map(|earlier| earlier.rows).sum()
        });
        (self.name(record.table), first + place.row + 1)
    }

    /// For each table the rank of its name.
    fn ranks(&self) -> Vec<usize> {
        let names: Vec<String> = (0..self.sources.len()).map(|table| self.name(table)).collect();
        names.iter().map(|name| names.iter().filter(|other| *other < name).count()).collect()
    }

    fn name(&self, table: usize) -> String {
        table_name(&self.sources[table].0)
    }

    /// The failure as an error that names file, row and column.
    fn report(&self, records: &[PartRecord], failure: Failure) -> CliError {
        let Failure { part, table, row, column, error } = failure;
        let file = self.name(table);
        match (row, column) {
            (Some(row), column) => {
                let (file, row) = self.find(records, Place { rank: 0, part, row });
                CliError::Row { file, row, column, message: error.to_string() }
            }
            (None, Some(column)) => CliError::message(format!("{file}: column {column}: {error}")),
            (None, None) => match *error {
                CliError::Message(message) => CliError::message(format!("{file}: {message}")),
                named => named,
            },
        }
    }

    /// A row that contradicts an earlier one as an error.
    fn report_conflict(
        &self,
        records: &[PartRecord],
        roles: &[Roles],
        found: Conflict,
    ) -> CliError {
        let Conflict { place, earlier, message: [before, after], of_target } = found;
        let (earlier_file, earlier_row) = self.find(records, earlier);
        let message = format!("{before}row {earlier_row} of {earlier_file}{after}");
        let roles = &roles[records[place.part].table];
        let columns = if of_target { &roles.target } else { &roles.prediction };
        let column = (columns.len() == 1).then(|| roles.names[columns[0]].clone());
        let (file, row) = self.find(records, place);
        CliError::Row { file, row, column, message }
    }

    /// The first of all faults: what made a worker stop, or a row that contradicts an earlier one.
    fn check(
        &self,
        records: &[PartRecord],
        roles: &[Roles],
        met: &Seen,
        failure: Option<Failure>,
    ) -> Result<(), CliError> {
        match (failure, met.conflict()) {
            (None, None) => Ok(()),
            (Some(failure), conflict)
                if conflict.as_ref().is_none_or(|c| failure.order() <= c.place.given_order()) =>
            {
                Err(self.report(records, failure))
            }
            (_, Some(conflict)) => Err(self.report_conflict(records, roles, conflict)),
            (Some(failure), None) => Err(self.report(records, failure)),
        }
    }

    /// What is said of tables without a row.
    fn no_rows(&self) -> CliError {
        CliError::message(match self.sources.as_slice() {
            [_] => format!("{}: there are no rows to evaluate", self.name(0)),
            _ => format!("{} and the other files: there are no rows to evaluate", self.name(0)),
        })
    }
}

/// Evaluates a question over tables. Without named losses picks some, and puts them into the
/// question; `say` is told why.
pub fn evaluate(
    tables: &Tables,
    question: &mut Question,
    threads: usize,
    say: impl Fn(&str),
) -> Result<Outcome, CliError> {
    let roles = tables.roles(question)?;
    let queue = Mutex::new(tables.queue(&roles)?);
    let met = Seen::default();
    let progress = tables.progress();
    let ranks = tables.ranks();
    let finish = |totals: Totals, failure: Option<Failure>| {
        progress.finish_and_clear();
        let records = &lock(&queue).records;
        tables.check(records, &roles, &met, failure)?;
        let (rows, skipped) = (totals.rows, totals.skipped);
        if rows == 0 {
            return Err(tables.no_rows());
        }
        let (groups, worst) = totals.finish();
        let found = |row: CostlyRow<Place>| CostlyRow {
            place: tables.find(records, row.place),
            loss: row.loss,
            prediction: row.prediction,
            target: row.target,
        };
        let worst = worst.into_iter().map(|rows| rows.into_iter().map(found).collect()).collect();
        Ok(Outcome { groups, worst, rows, skipped })
    };

    // The first part with rows alone where losses are yet to be picked: by a look at its first batch.
    let mut costs = question.costs()?;
    let mut first = None;
    if costs.is_empty() {
        let mut totals = None;
        // Tables without a row tell nothing.
        while totals.is_none() {
            let mut pick_and_add = |part: usize, from: u64, table: usize, batch: &Batch| {
                let start = Place { rank: ranks[table], part, row: from };
                let rows = Rows::new(question, &roles[table], batch, &met, start)?;
                let totals = match &mut totals {
                    Some(totals) => totals,
                    empty => {
                        let picked = pick(&rows);
                        say(&picked.why);
                        question.losses = picked.losses.iter().map(ToString::to_string).collect();
                        costs =
                            question.costs().map_err(|error| Fault::whole(error.to_string()))?;
                        empty.insert(Totals::new(costs.len(), question.worst))
                    }
                };
                add(totals, &costs, &met, &roles[table], batch, &rows, start)
            };
            match work_on_next(&queue, &progress, &mut pick_and_add) {
                None => break,
                Some(Err(failure)) => return finish(Totals::new(0, 0), Some(failure)),
                Some(Ok(())) => {}
            }
        }
        first = totals;
    }

    let question = &*question;
    let (results, failure) = in_parallel(
        &queue,
        &progress,
        threads,
        || Totals::new(costs.len(), question.worst),
        |totals, part, from, table, batch| {
            let start = Place { rank: ranks[table], part, row: from };
            let rows = Rows::new(question, &roles[table], batch, &met, start)?;
            add(totals, &costs, &met, &roles[table], batch, &rows, start)
        },
    );
    let mut totals = first.unwrap_or_else(|| Totals::new(costs.len(), question.worst));
    for more in results {
        totals.merge(more);
    }
    finish(totals, failure)
}

/// Looks at all rows, over threads: each worker has something of its own from `make`, and `add` is
/// given the rows of every batch with the place of the first. Returns what the workers have, in no
/// order that means anything.
pub fn survey<S: Send>(
    tables: &Tables,
    question: &Question,
    threads: usize,
    make: impl Fn() -> S + Sync,
    add: impl Fn(&mut S, &Rows<'_>, Place) -> Result<(), Fault> + Sync,
) -> Result<Vec<S>, CliError> {
    let roles = tables.roles(question)?;
    let queue = Mutex::new(tables.queue(&roles)?);
    let (met, progress, ranks) = (Seen::default(), tables.progress(), tables.ranks());
    let (found, failure) =
        in_parallel(&queue, &progress, threads, make, |own, part, from, table, batch| {
            let start = Place { rank: ranks[table], part, row: from };
            add(own, &Rows::new(question, &roles[table], batch, &met, start)?, start)
        });
    progress.finish_and_clear();
    let records = &lock(&queue).records;
    tables.check(records, &roles, &met, failure)?;
    if records.iter().all(|record| record.rows == 0) { Err(tables.no_rows()) } else { Ok(found) }
}

/// Works on the parts over threads. Returns what the workers have that saw no fault, and the first
/// fault in the order of the rows, so that it does not depend on threads.
fn in_parallel<S: Send>(
    queue: &Mutex<Queue<'_>>,
    progress: &ProgressBar,
    threads: usize,
    make: impl Fn() -> S + Sync,
    add: impl Fn(&mut S, usize, u64, usize, &Batch) -> Result<(), Fault> + Sync,
) -> (Vec<S>, Option<Failure>) {
    let work = || {
        let mut own = make();
        let mut consume = |part: usize, from: u64, table: usize, batch: &Batch| {
            add(&mut own, part, from, table, batch)
        };
        while let Some(result) = work_on_next(queue, progress, &mut consume) {
            result?;
        }
        Ok(own)
    };
    let results: Vec<Result<S, Failure>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let (mut found, mut failure): (Vec<S>, Option<Failure>) = (Vec::new(), None);
    for result in results {
        match result {
            Ok(own) => found.push(own),
            Err(new) => {
                if failure.as_ref().is_none_or(|old| new.order() < old.order()) {
                    failure = Some(new);
                }
            }
        }
    }
    (found, failure)
}

/// What is done with a batch: its part, its first row within the part, its table.
type Consume<'a> = dyn FnMut(usize, u64, usize, &Batch) -> Result<(), Fault> + 'a;

/// Takes the next part and works on it; `None` when there is none.
fn work_on_next(
    queue: &Mutex<Queue<'_>>,
    progress: &ProgressBar,
    consume: &mut Consume<'_>,
) -> Option<Result<(), Failure>> {
    let (number, part, table) = {
        let mut queue = lock(queue);
        match queue.next()? {
            Ok((number, part)) => (number, part, queue.records[number].table),
            Err((table, error)) => {
                queue.failed = true;
                let part = queue.records.len();
                return Some(Err(Failure {
                    part,
                    table,
                    row: None,
                    column: None,
                    error: Box::new(error.into()),
                }));
            }
        }
    };
    let bytes = part.bytes();
    let mut seen = 0;
    let mut fault = None;
    let read = part.read(&mut |batch| {
        let result = consume(number, seen, table, &batch);
        seen += batch.rows as u64;
        result.map_err(|found| {
            fault = Some((found, seen - batch.rows as u64));
            Stop
        })
    });
    progress.inc(bytes);
    let failure = match (read, fault) {
        (_, Some((Fault { row, column, message }, start))) => Some(Failure {
            part: number,
            table,
            row: row.map(|row| start + row as u64),
            column,
            error: Box::new(CliError::Message(message)),
        }),
        (Ok(rows), None) => {
            lock(queue).records[number].rows = rows;
            None
        }
        (Err(error), None) => {
            let (row, column, error) = match error {
                ReadError::Value { row, column, message } => {
                    (Some(row), Some(column), CliError::Message(message))
                }
                ReadError::Record { row, message } => (Some(row), None, CliError::Message(message)),
                whole => (None, None, whole.into()),
            };
            Some(Failure { part: number, table, row, column, error: Box::new(error) })
        }
    };
    if failure.is_some() {
        lock(queue).failed = true;
    }
    Some(failure.map_or(Ok(()), Err))
}

/// Adds the rows of a batch to totals.
fn add(
    totals: &mut Totals,
    costs: &[Cost],
    met: &Seen,
    roles: &Roles,
    batch: &Batch,
    rows: &Rows<'_>,
    start: Place,
) -> Result<(), Fault> {
    let groups = totals.groups_of(roles, batch);
    for (loss, cost) in costs.iter().enumerate() {
        rows.score(cost, met, start, |examples| {
            totals.add(loss, cost, examples, &groups, |at| {
                let (prediction, target) = rows.example(at);
                let place = start.after(at);
                CostlyRow { place, loss: 0.0, prediction, target }
            })
        })?;
    }
    totals.rows += rows.count as u64;
    totals.skipped += rows.skipped;
    Ok(())
}

/// Calls `each` with the losses of every batch in the order of the rows, on this thread: file, first
/// row, and for each loss the losses of the rows, `None` for a row that does not count.
pub fn for_each_row(
    tables: &Tables,
    question: &Question,
    mut each: impl FnMut(&str, u64, &[Vec<Option<f64>>]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let roles = tables.roles(question)?;
    let costs = question.costs()?;
    let queue = Mutex::new(tables.queue(&roles)?);
    let (met, progress) = (Seen::default(), tables.progress());
    let (mut written, mut count) = (Ok(()), 0);
    let mut consume = |part: usize, from: u64, table: usize, batch: &Batch| {
        let start = Place { rank: 0, part, row: from };
        let rows = Rows::new(question, &roles[table], batch, &met, start)?;
        let mut losses = vec![vec![None; rows.count]; costs.len()];
        for (cost, losses) in costs.iter().zip(&mut losses) {
            rows.score(cost, &met, start, |examples| {
                cost.for_each_scored(examples, |scored| {
                    for at in 0..scored.losses.len() {
                        losses[scored.start + at] =
                            scored.is_valid(at).then(|| scored.weighted(at));
                    }
                })
            })?;
        }
        let (file, first) = tables.find(&lock(&queue).records, start);
        written = each(&file, first, &losses);
        count += rows.count;
        written.as_ref().map_err(|_| Fault::whole(String::new())).copied()
    };
    let mut failure = None;
    while let Some(result) = work_on_next(&queue, &progress, &mut consume) {
        if let Err(found) = result {
            failure = Some(found);
            break;
        }
    }
    progress.finish_and_clear();
    written?;
    tables.check(&lock(&queue).records, &roles, &met, failure)?;
    if count == 0 { Err(tables.no_rows()) } else { Ok(()) }
}

fn lock<'l, 'a>(queue: &'l Mutex<Queue<'a>>) -> MutexGuard<'l, Queue<'a>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
