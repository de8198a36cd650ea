//! Scoring tables: from columns to costs.
//!
//! - [`columns`]: which columns of a table play which role
//! - [`rows`]: the rows of a batch, in those roles, checked
//! - [`totals`]: what is added up, by group
//! - [`engine`]: all parts of all tables, over threads
//! - [`state`]: totals as a file
//! - [`pick`]: the losses that suit the data, when none is named

pub mod columns;
pub mod engine;
pub mod pick;
pub mod rows;
pub mod state;
pub mod totals;

use crate::args::EvalArgs;
use crate::error::CliError;
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
    pub fn new(args: &EvalArgs) -> Self {
        Self {
            losses: args.losses.iter().map(Loss::to_string).collect(),
            target: args.target.clone(),
            prediction: args.prediction.clone(),
            weights: args.weights.clone(),
            mask: args.mask.clone(),
            by: args.by.clone(),
            class_weights: args.class_weights.clone(),
            ignored_class: args.ignored_class,
            reduction: args.reduction,
            denominator: args.denominator,
            nothing_valid: args.nothing_valid,
            skip_nan: args.skip_nan,
            worst: args.worst,
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
