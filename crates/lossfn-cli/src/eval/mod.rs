//! Scoring tables: from columns to costs.
//!
//! - [`columns`]: which columns of a table play which role
//! - [`rows`]: the rows of a batch, in those roles, checked
//! - [`totals`]: what is added up, by group
//! - [`engine`]: all parts of all tables, over threads
//! - [`state`]: totals as a file
//! - [`pick`]: the losses that suit the data, when none is named
//! - [`choose`]: parameters that the data choose

pub mod choose;
pub mod columns;
pub mod engine;
pub mod pick;
pub mod rows;
pub mod state;
pub mod totals;

use crate::args::{EvalArgs, ReadingArgs, TableArgs};
use crate::error::CliError;
use lossfn::choose::LossRequest;
use lossfn::{Cost, Denominator, Loss, NothingValid, Reduction};
use serde::{Deserialize, Serialize};

/// Everything that decides what a cost is, but for the rows. States are of the same cost if their
/// questions are equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The losses in text.
    pub losses: Vec<String>,
    pub target: String,
    pub prediction: String,
    pub weights: Option<String>,
    pub mask: Option<String>,
    pub by: Vec<String>,
    pub class_weights: Option<Vec<f64>>,
    pub ignored_class: Option<i64>,
    pub reduction: Reduction,
    pub denominator: Denominator,
    pub nothing_valid: NothingValid,
    pub skip_nan: bool,
    pub worst: usize,
}

impl Question {
    /// With default numbers where a parameter is yet to be chosen.
    pub fn new(args: &EvalArgs) -> Result<Self, CliError> {
        let losses: Result<Vec<Loss>, _> =
            args.losses.iter().map(LossRequest::with_defaults).collect();
        Ok(Self {
            losses: losses?.iter().map(Loss::to_string).collect(),
            weights: args.weights.clone(),
            by: args.by.clone(),
            class_weights: args.class_weights.clone(),
            ignored_class: args.ignored_class,
            reduction: args.reduction,
            denominator: args.denominator,
            nothing_valid: args.nothing_valid,
            worst: args.worst,
            ..Self::of_rows(&args.table, &args.reading)
        })
    }

    /// About the rows themselves, without any loss.
    pub fn of_rows(table: &TableArgs, reading: &ReadingArgs) -> Self {
        Self {
            losses: Vec::new(),
            target: table.target.clone(),
            prediction: table.prediction.clone(),
            weights: None,
            mask: reading.mask.clone(),
            by: Vec::new(),
            class_weights: None,
            ignored_class: None,
            reduction: Reduction::default(),
            denominator: Denominator::default(),
            nothing_valid: NothingValid::default(),
            skip_nan: reading.skip_nan,
            worst: 0,
        }
    }

    /// The costs, one for each loss.
    pub fn costs(&self) -> Result<Vec<Cost>, CliError> {
        let cost = |text: &String| {
            let mut cost = Cost::new(text.parse::<Loss>()?)
                .reduction(self.reduction)
                .denominator(self.denominator)
                .nothing_valid(self.nothing_valid);
            if let Some(weights) = &self.class_weights {
                cost = cost.class_weights(weights)?;
            }
            if let Some(class) = self.ignored_class {
                cost = cost.ignored_class(class)?;
            }
            Ok(cost)
        };
        self.losses.iter().map(cost).collect()
    }
}
