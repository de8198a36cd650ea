//! Totals as a file: small, versioned, and only merged with its like.

use crate::error::CliError;
use crate::eval::Question;
use crate::eval::choose::Chosen;
use crate::eval::engine::{FoundRow, Outcome};
use crate::eval::totals::{CostlyRow, Group, Key, compare_keys};
use lossfn::CostState;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
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
    /// Parameters that were chosen from data: the numbers are in the question, and here is why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<Chosen>,
}

impl State {
    pub fn new(
        question: Question,
        readings: Vec<Reading>,
        outcome: Outcome,
        chosen: Vec<Chosen>,
    ) -> Self {
        let Outcome { groups, worst, rows, skipped } = outcome;
        let (format, version) = (FORMAT.to_owned(), VERSION);
        Self { format, version, question, readings, rows, skipped, groups, worst, chosen }
    }

    /// Reads a state.
    pub fn load(path: &Path) -> Result<Self, CliError> {
        let fail = |reason: String| CliError::message(format!("{}: {reason}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => fail("there is no such file".into()),
            _ => fail(error.to_string()),
        })?;
        let value: Value = serde_json::from_str(&text).map_err(|error| {
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
        if let Err(error) = state.question.costs() {
            return Err(fail(format!("the state is damaged: {error}")));
        }
        if state.is_consistent() { Ok(state) } else { Err(fail("the state is damaged".into())) }
    }

    /// Whether the parts of a state agree; so they do as it was written.
    fn is_consistent(&self) -> bool {
        let losses = self.question.losses.len();
        let every_row_once = |loss: usize| {
            let examples = self.groups.iter().map(|group| group.states[loss].examples());
            examples.map(u128::from).sum::<u128>() == u128::from(self.rows)
        };
        let sound = |state: &CostState| state.valid() <= state.examples();
        self.worst.len() == losses
            && self.groups.iter().all(|group| group.states.len() == losses)
            && self.groups.iter().all(|group| group.key.len() == self.question.by.len())
            && self.groups.iter().flat_map(|group| &group.states).all(sound)
            && (0..losses).all(every_row_once)
            && self.skipped <= self.rows
            // More were never read, and sums of them would overflow.
            && self.rows < 1 << 53
    }

    /// Writes the state: the whole file or nothing.
    pub fn save(&self, path: &Path) -> Result<(), CliError> {
        let fail = |source| CliError::Write { what: path.display().to_string(), source };
        let text = serde_json::to_string(self).map_err(|error| fail(error.into()))?;
        write_whole(path, text.as_bytes())
    }

    /// Joins another state into this one. `name` is the other's file.
    pub fn merge(&mut self, other: Self, name: &Path, allow_repeats: bool) -> Result<(), CliError> {
        if let Some(difference) = difference(&self.question, &other.question)? {
            let hint = if self.question.losses == other.question.losses {
                ""
            } else if !self.chosen.is_empty() || !other.chosen.is_empty() {
                "; what auto chooses from one part is not what it chooses from another: let it \
                 choose once, from all of the data or one part, and give that number for each part"
            } else {
                ""
            };
            return Err(CliError::message(format!(
                "{}: this state is of another cost and cannot be joined: {difference}{hint}",
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
        for chosen in other.chosen {
            if !self.chosen.contains(&chosen) {
                self.chosen.push(chosen);
            }
        }
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

/// Writes a file: the whole of it or nothing.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let fail = |source| CliError::Write { what: path.display().to_string(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // As open to others as any file that one writes, unlike what is only temporary.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder.unwrap_or(Path::new("."))).map_err(fail)?;
    file.write_all(content).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
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

/// The first thing that differs between two questions, by the flag that decides it.
fn difference(a: &Question, b: &Question) -> Result<Option<String>, CliError> {
    if a == b {
        return Ok(None);
    }
    let json = |question: &Question| {
        serde_json::to_value(question).map_err(|error| CliError::message(error.to_string()))
    };
    let (a, b) = (json(a)?, json(b)?);
    let mut fields = a.as_object().into_iter().flatten();
    let differs = |(name, value): &(&String, &Value)| b[name.as_str()] != **value;
    Ok(fields.find(differs).map(|(name, value)| {
        let flag = if name == "losses" { "loss".into() } else { name.replace('_', "-") };
        let here = shown(&b[name.as_str()]);
        format!("its --{flag} is {here}, and that of the states before it {}", shown(value))
    }))
}

/// The value of a flag for people.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "not given".into(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "not given".into(),
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
