//! What is added up: a state for each group and loss, and the most costly rows.

use crate::eval::columns::Roles;
use crate::read::{Batch, Values};
use lossfn::{CostState, Scored};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

/// A row of a table, before it is known how many rows the earlier parts have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The rank of the table's name among the names of all tables. It comes first so that costly
    /// rows that tie have the same order here as in a merge, where only names are known.
    pub rank: usize,
    /// The part.
    pub part: usize,
    /// The row within the part.
    pub row: u64,
}

impl Place {
    /// So many rows later.
    pub fn after(self, rows: usize) -> Self {
        Self { row: self.row + rows as u64, ..self }
    }

    /// A number that no other row has.
    pub fn position(self) -> u64 {
        (self.part as u64) << 40 | self.row
    }

    /// What to compare for the order in which rows are given.
    pub fn given_order(self) -> (usize, u64) {
        (self.part, self.row)
    }
}

/// One of the most costly rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CostlyRow<P> {
    /// Which row.
    pub place: P,
    /// Its loss times its weight.
    #[serde(with = "crate::report::number")]
    pub loss: f64,
    /// What was predicted.
    #[serde(with = "crate::report::numbers")]
    pub prediction: Vec<f64>,
    /// The target.
    #[serde(with = "crate::report::numbers")]
    pub target: Vec<f64>,
}

impl<P: Ord> CostlyRow<P> {
    /// Costly rows first, NaN before all; equal ones by place.
    pub fn order(&self, other: &Self) -> Ordering {
        // One NaN and one zero, whatever their signs.
        let size = |loss: f64| if loss.is_nan() { f64::NAN } else { loss + 0.0 };
        let by_size = size(other.loss).total_cmp(&size(self.loss));
        by_size.then_with(|| self.place.cmp(&other.place))
    }
}

/// The rows that cost most, at most `keep` of them.
#[derive(Clone, Debug)]
pub struct Worst {
    keep: usize,
    rows: Vec<CostlyRow<Place>>,
    /// The loss of the least costly of `keep` rows: others need not be looked at.
    threshold: f64,
}

impl Worst {
    fn new(keep: usize) -> Self {
        Self { keep, rows: Vec::new(), threshold: f64::NEG_INFINITY }
    }

    fn is_costly(&self, loss: f64) -> bool {
        let is_less = loss.partial_cmp(&self.threshold) == Some(Ordering::Less);
        self.keep > 0 && (self.rows.len() < self.keep || !is_less)
    }

    fn add(&mut self, row: CostlyRow<Place>) {
        self.rows.push(row);
        // Sorting seldom, and many at a time, costs less than keeping order.
        if self.rows.len() / 2 >= self.keep.max(64) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.rows.sort_by(CostlyRow::order);
        self.rows.truncate(self.keep);
        if self.rows.len() == self.keep {
            self.threshold = self.rows.last().map_or(f64::NEG_INFINITY, |row| row.loss);
        }
    }

    /// The rows, most costly first.
    pub fn into_rows(mut self) -> Vec<CostlyRow<Place>> {
        self.settle();
        self.rows
    }
}

/// A group's key: one text for each column of `--by`.
pub type Key = Vec<String>;

/// A group with a state per loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub key: Key,
    pub states: Vec<CostState>,
}

/// What one worker, and in the end the whole run, has added up.
#[derive(Clone, Debug)]
pub struct Totals {
    /// Number of losses.
    losses: usize,
    groups: HashMap<Key, usize>,
    /// For each group a state per loss.
    states: Vec<CostState>,
    /// For each loss.
    worst: Vec<Worst>,
    /// Rows seen.
    pub rows: u64,
    /// Rows left out because a number is missing.
    pub skipped: u64,
    cache: Option<Cache>,
}

/// The groups of the last batch's dictionaries: most batches of a file share theirs.
#[derive(Clone, Debug)]
struct Cache {
    names: Vec<Arc<Vec<String>>>,
    /// The group of each combination of codes: a table where there are few, else a map.
    table: Vec<Option<usize>>,
    map: HashMap<u128, usize>,
}

impl Cache {
    fn new(names: Vec<Arc<Vec<String>>>) -> Self {
        const TABLE: usize = 1 << 20;
        let size = names.iter().try_fold(1usize, |size, names| size.checked_mul(names.len() + 1));
        let table = vec![None; size.filter(|&size| size <= TABLE).unwrap_or(0)];
        Self { names, table, map: HashMap::new() }
    }

    fn get(&self, combination: u128) -> Option<usize> {
        match self.table.get(combination as usize) {
            Some(group) => *group,
            None => self.map.get(&combination).copied(),
        }
    }

    fn insert(&mut self, combination: u128, group: usize) {
        match self.table.get_mut(combination as usize) {
            Some(place) => *place = Some(group),
            None => {
                self.map.insert(combination, group);
            }
        }
    }
}

impl Totals {
    /// Nothing yet.
    pub fn new(losses: usize, worst: usize) -> Self {
        Self {
            losses,
            groups: HashMap::new(),
            states: Vec::new(),
            worst: vec![Worst::new(worst); losses],
            rows: 0,
            skipped: 0,
            cache: None,
        }
    }

    /// The number of a group; new if need be.
    fn group(&mut self, key: Key) -> usize {
        let next = self.groups.len();
        let group = *self.groups.entry(key).or_insert(next);
        if group == next {
            self.states.resize(self.states.len() + self.losses, CostState::default());
        }
        group
    }

    /// The group of each row; empty if there is only one.
    pub fn groups_of(&mut self, roles: &Roles, batch: &Batch) -> Vec<usize> {
        let keys: Vec<(&[u32], &Arc<Vec<String>>)> = roles
            .by
            .iter()
            .filter_map(|&at| match &batch.columns[at] {
                Values::Keys { codes, names } => Some((codes.as_slice(), names)),
                _ => None,
            })
            .collect();
        if keys.is_empty() {
            self.group(Key::new());
            return Vec::new();
        }
        let same = |cache: &Cache| {
            cache.names.len() == keys.len()
                && cache.names.iter().zip(&keys).all(|(old, (_, new))| Arc::ptr_eq(old, new))
        };
        let cache = self.cache.take().filter(same);
        let mut cache = cache.unwrap_or_else(|| {
            Cache::new(keys.iter().map(|(_, names)| Arc::clone(names)).collect())
        });
        let mut groups = Vec::with_capacity(batch.rows);
        for row in 0..batch.rows {
            let combination = keys.iter().fold(0u128, |all, (codes, names)| {
                all.wrapping_mul(names.len() as u128 + 1).wrapping_add(u128::from(codes[row]))
            });
            let group = cache.get(combination).unwrap_or_else(|| {
                let text = |(codes, names): &(&[u32], &Arc<Vec<String>>)| {
                    names.get(codes[row] as usize).cloned().unwrap_or_default()
                };
                let group = self.group(keys.iter().map(text).collect());
                cache.insert(combination, group);
                group
            });
            groups.push(group);
        }
        self.cache = Some(cache);
        groups
    }

    /// Adds the losses of a run of rows.
    pub fn add(
        &mut self,
        loss: usize,
        scored: &Scored<'_>,
        groups: &[usize],
        row: impl Fn(usize) -> CostlyRow<Place>,
    ) {
        if groups.is_empty() {
            scored.add_to(&mut self.states[loss]);
        } else {
            let groups = &groups[scored.start..scored.start + scored.losses.len()];
            for (at, group) in groups.iter().enumerate() {
                scored.add_one_to(&mut self.states[group * self.losses + loss], at);
            }
        }
        let worst = &mut self.worst[loss];
        if worst.keep == 0 {
            return;
        }
        for at in 0..scored.losses.len() {
            let cost = scored.weighted(at);
            if worst.is_costly(cost) && scored.is_valid(at) {
                worst.add(CostlyRow { loss: cost, ..row(scored.start + at) });
            }
        }
    }

    /// Adds what another worker has.
    pub fn merge(&mut self, other: Self) {
        for (key, from) in other.groups {
            let to = self.group(key);
            for loss in 0..self.losses {
                let state = &other.states[from * self.losses + loss];
                self.states[to * self.losses + loss].merge(state);
            }
        }
        for (worst, other) in self.worst.iter_mut().zip(other.worst) {
            other.rows.into_iter().for_each(|row| worst.add(row));
        }
        self.rows += other.rows;
        self.skipped += other.skipped;
    }

    /// The groups in the order of their keys (numbers as numbers), each with a state per loss; and
    /// for each loss the most costly rows.
    pub fn finish(self) -> (Vec<Group>, Vec<Vec<CostlyRow<Place>>>) {
        let states = |at: usize| self.states[at * self.losses..(at + 1) * self.losses].to_vec();
        let group = |(key, at)| Group { key, states: states(at) };
        let mut groups: Vec<Group> = self.groups.into_iter().map(group).collect();
        groups.sort_by(|a, b| compare_keys(&a.key, &b.key));
        (groups, self.worst.into_iter().map(Worst::into_rows).collect())
    }
}

/// Orders keys column by column: numbers by size, before texts in alphabetical order.
pub fn compare_keys(a: &[String], b: &[String]) -> Ordering {
    let number = |text: &String| text.parse::<f64>().ok();
    for (a, b) in a.iter().zip(b) {
        let order = match (number(a), number(b)) {
            (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}
