//! Totals as a file: small, versioned, and only merged with its like.

use crate::error::CliError;
use crate::eval::Question;
use crate::eval::engine::{FoundRow, Outcome};
use crate::eval::totals::{CostlyRow, Key, compare_keys};
use lossfn::CostState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

const FORMAT: &str = "lossfn state";
const VERSION: u32 = 1;

/// What has been read: so that nothing is counted twice by mistake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub file: String,
    pub row_groups: Option<Range<usize>>,
}

/// A group with a state per loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub key: Key,
    pub states: Vec<CostState>,
}

/// The state of a cost: what `--save-state` writes and `lossfn merge` joins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    format: String,
    version: u32,
    pub question: Question,
    pub readings: Vec<Reading>,
    pub rows: u64,
    pub skipped: u64,
    pub groups: Vec<Group>,
    /// For each loss the most costly rows.
    pub worst: Vec<Vec<CostlyRow<FoundRow>>>,
}

impl State {
    pub fn new(question: Question, readings: Vec<Reading>, outcome: Outcome) -> Self {
        let Outcome { groups, worst, rows, skipped } = outcome;
        let groups = groups.into_iter().map(|(key, states)| Group { key, states }).collect();
        let format = FORMAT.to_owned();
        Self { format, version: VERSION, question, readings, rows, skipped, groups, worst }
    }

    /// Reads a state.
    pub fn load(path: &Path) -> Result<Self, CliError> {
        let fail = |reason: String| CliError::message(format!("{}: {reason}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
            fail(format!("this is not a state written by --save-state: {error}"))
        })?;
        if value["format"] != FORMAT {
            return Err(fail("this is not a state written by --save-state".into()));
        }
        if value["version"] != VERSION {
            return Err(fail(format!(
                "the state has version {}, and this program reads version {VERSION}; write it anew",
                value["version"]
            )));
        }
        let state: Self = serde_json::from_value(value)
            .map_err(|error| fail(format!("the state is damaged: {error}")))?;
        let losses = state.question.losses.len();
        let fits = state.groups.iter().all(|group| group.states.len() == losses)
            && state.worst.len() == losses;
        if fits { Ok(state) } else { Err(fail("the state is damaged".into())) }
    }

    /// Writes the state: the whole file or nothing.
    pub fn save(&self, path: &Path) -> Result<(), CliError> {
        let fail = |source| CliError::Write { what: path.display().to_string(), source };
        let text = serde_json::to_string(self).map_err(|error| fail(error.into()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file =
            tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(fail)?;
        file.write_all(text.as_bytes()).map_err(fail)?;
        file.persist(path).map_err(|error| fail(error.error))?;
        Ok(())
    }

    /// Joins another state into this one. `name` is the other's file.
    pub fn merge(&mut self, other: Self, name: &Path, allow_repeats: bool) -> Result<(), CliError> {
        if let Some(difference) = difference(&self.question, &other.question)? {
            return Err(CliError::message(format!(
                "{}: the state is of another cost and cannot be joined: {difference}",
                name.display()
            )));
        }
        let repeated =
            other.readings.iter().find(|new| self.readings.iter().any(|old| old.overlaps(new)));
        if let Some(repeated) = repeated
            && !allow_repeats
        {
            return Err(CliError::message(format!(
                "{}: rows of {} would count twice, another state has read them too; use \
                 --allow-repeats if they are different files of the same name",
                name.display(),
                repeated.file
            )));
        }
        self.readings.extend(other.readings);
        self.rows += other.rows;
        self.skipped += other.skipped;
        let mut groups: BTreeMap<Key, Vec<CostState>> =
            self.groups.drain(..).map(|group| (group.key, group.states)).collect();
        for Group { key, states } in other.groups {
            match groups.get_mut(&key) {
                None => {
                    groups.insert(key, states);
                }
                Some(known) => {
                    known.iter_mut().zip(&states).for_each(|(known, state)| known.merge(state));
                }
            }
        }
        self.groups = groups.into_iter().map(|(key, states)| Group { key, states }).collect();
        self.groups.sort_by(|a, b| compare_keys(&a.key, &b.key));
        for (worst, other) in self.worst.iter_mut().zip(other.worst) {
            worst.extend(other);
            worst.sort_by(CostlyRow::order);
            worst.truncate(self.question.worst);
        }
        Ok(())
    }
}

impl Reading {
    fn overlaps(&self, other: &Self) -> bool {
        // Standard input has no name to know it by.
        self.file == other.file
            && self.file != "-"
            && match (&self.row_groups, &other.row_groups) {
                (Some(a), Some(b)) => a.start < b.end && b.start < a.end,
                _ => true,
            }
    }
}

/// The first thing that differs between two questions.
fn difference(a: &Question, b: &Question) -> Result<Option<String>, CliError> {
    if a == b {
        return Ok(None);
    }
    let json = |question: &Question| {
        serde_json::to_value(question).map_err(|error| CliError::message(error.to_string()))
    };
    let (a, b) = (json(a)?, json(b)?);
    let fields = a.as_object().into_iter().flatten();
    Ok(fields
        .filter(|(name, value)| b[name.as_str()] != **value)
        .map(|(name, value)| format!("its {name} is {}, not {value}", b[name.as_str()]))
        .next())
}
