//! What is added up: a state for each group and loss, and the most costly rows.

use crate::eval::columns::Roles;
use crate::read::{Batch, Values};
use lossfn::{Cost, CostState, Error, Examples};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
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
    groups: HashMap<Key, u32>,
    /// For each loss a state per group.
    states: Vec<Vec<CostState>>,
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
    /// The group of each combination of codes where there are few.
    table: Vec<u32>,
    /// The same where there are too many for a table.
    map: HashMap<u128, u32>,
}

/// A group that is not in the table yet.
const UNKNOWN: u32 = u32::MAX;

impl Cache {
    fn new(names: Vec<Arc<Vec<String>>>) -> Self {
        const TABLE: usize = 1 << 20;
        let size = names.iter().try_fold(1usize, |size, names| size.checked_mul(names.len() + 1));
        let table = vec![UNKNOWN; size.filter(|&size| size <= TABLE).unwrap_or(0)];
        Self { names, table, map: HashMap::new() }
    }
}

impl Totals {
    /// Nothing yet.
    pub fn new(losses: usize, worst: usize) -> Self {
        Self {
            groups: HashMap::new(),
            states: vec![Vec::new(); losses],
            worst: vec![Worst::new(worst); losses],
            rows: 0,
            skipped: 0,
            cache: None,
        }
    }

    /// The number of a group; new if need be.
    fn group(&mut self, key: Key) -> u32 {
        let next = self.groups.len() as u32;
        let group = *self.groups.entry(key).or_insert(next);
        if group == next {
            self.states.iter_mut().for_each(|states| states.push(CostState::default()));
        }
        group
    }

    /// The group of each row; empty if there is only one.
    pub fn groups_of(&mut self, roles: &Roles, batch: &Batch) -> Vec<u32> {
        let keys: Vec<(&[u32], &Arc<Vec<String>>)> = roles
            .by
            .iter()
            .filter_map(|&at| match &batch.columns[at] {
                Values::Keys { codes, names } => Some((&codes[..], names)),
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
        let mut new_group = |row: usize| {
            let text = |(codes, names): &(&[u32], &Arc<Vec<String>>)| {
                names.get(codes[row] as usize).cloned().unwrap_or_default()
            };
            self.group(keys.iter().map(text).collect())
        };
        let groups: Vec<u32> = if cache.table.is_empty() {
            let group = |row: usize| {
                let combination = keys.iter().fold(0u128, |all, (codes, names)| {
                    all.wrapping_mul(names.len() as u128 + 1).wrapping_add(u128::from(codes[row]))
                });
                *cache.map.entry(combination).or_insert_with(|| new_group(row))
            };
            (0..batch.rows).map(group).collect()
        } else {
            let combined = |all: Cow<'_, [u32]>, (codes, names): &(&[u32], &Arc<Vec<String>>)| {
                let count = names.len() as u32 + 1;
                all.iter().zip(*codes).map(|(all, code)| all * count + code).collect()
            };
            let combinations = keys[1..].iter().fold(Cow::Borrowed(keys[0].0), combined);
            let look_up = |table: &[u32], at: u32| *table.get(at as usize).unwrap_or(&UNKNOWN);
            let mut groups: Vec<u32> =
                combinations.iter().map(|&at| look_up(&cache.table, at)).collect();
            if groups.contains(&UNKNOWN) {
                for (row, &at) in combinations.iter().enumerate() {
                    groups[row] = match look_up(&cache.table, at) {
                        UNKNOWN => new_group(row),
                        known => known,
                    };
                    if let Some(place) = cache.table.get_mut(at as usize) {
                        *place = groups[row];
                    }
                }
            }
            groups
        };
        self.cache = Some(cache);
        groups
    }

    /// Adds the losses of rows by a cost; `groups` has the group of each, and is empty if there is only
    /// one.
    pub fn add(
        &mut self,
        loss: usize,
        cost: &Cost,
        rows: &Examples<'_>,
        groups: &[u32],
        row: impl Fn(usize) -> CostlyRow<Place>,
    ) -> Result<(), Error> {
        let (states, worst) = (&mut self.states[loss], &mut self.worst[loss]);
        if groups.is_empty() && worst.keep == 0 {
            return cost.update(&mut states[0], rows);
        }
        cost.for_each_scored(rows, |scored| {
            if groups.is_empty() {
                scored.add_to(&mut states[0]);
            } else {
                scored.add_by_group(states, &groups[scored.start..]);
            }
            if worst.keep == 0 {
                return;
            }
            for at in 0..scored.losses.len() {
                let cost = scored.weighted(at);
                if worst.is_costly(cost) && scored.is_valid(at) {
                    worst.add(CostlyRow { loss: cost, ..row(scored.start + at) });
                }
            }
        })
    }

    /// Adds what another worker has.
    pub fn merge(&mut self, other: Self) {
        for (key, from) in other.groups {
            let to = self.group(key);
            for (states, other) in self.states.iter_mut().zip(&other.states) {
                states[to as usize].merge(&other[from as usize]);
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
        let states =
            |at: u32| self.states.iter().map(|states| states[at as usize].clone()).collect();
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
