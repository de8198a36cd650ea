//! Parameters that the data choose: `huber(delta=auto)`.

use crate::error::CliError;
use crate::eval::Question;
use crate::eval::engine::{Tables, survey};
use crate::eval::rows::Fault;
use lossfn::choose::{Basis, Chooser, Fitted, LossRequest};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A parameter that was chosen, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The loss with the number.
    pub loss: String,
    /// The loss as it was asked for.
    pub asked: String,
    pub parameter: String,
    pub value: f64,
    pub method: String,
    /// What the number comes from, by name.
    pub statistics: serde_json::Map<String, serde_json::Value>,
    pub residuals: u64,
    pub reason: String,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.loss.split('(').next().unwrap_or_default();
        write!(f, "{} of {id} = {}: {}", self.parameter, self.value, self.reason)
    }
}

/// Chooses the open parameters of the losses from the residuals of all rows that count, and puts the
/// numbers into the question.
pub fn choose(
    tables: &Tables,
    question: &mut Question,
    requests: &[LossRequest],
    threads: usize,
) -> Result<Vec<Chosen>, CliError> {
    let mut chooser = Chooser::new(requests)?;
    let open = requests.iter().find(|request| request.needs_data());
    let loss = open.map(LossRequest::with_defaults).transpose()?;
    while let (Some(pass), Some(loss)) = (chooser.pass(), &loss) {
        let passes = survey(
            tables,
            question,
            threads,
            || pass.clone(),
            |pass, rows, start| -> Result<(), Fault> {
                rows.residuals(loss, |row, residual, weight| {
                    pass.add(start.after(row).position(), residual, weight);
                })
            },
        )?;
        let mut whole = pass;
        for part in passes {
            whole.merge(part);
        }
        chooser.take(whole);
    }
    // What is typed and read need not have seventeen digits.
    let fitted: Vec<Fitted> = chooser.fitted()?.iter().map(Fitted::rounded).collect();
    question.losses = fitted.iter().map(|fitted| fitted.loss.to_string()).collect();
    let chosen = |(request, fitted): (&LossRequest, &Fitted)| -> Vec<Chosen> {
        let of = |choice: &lossfn::choose::Choice| {
            let (method, statistics) = match choice.basis {
                Basis::Mad { efficiency, constant, sigma } => (
                    "mad",
                    vec![("efficiency", efficiency), ("constant", constant), ("sigma", sigma)],
                ),
                Basis::Quantile { level } => ("quantile", vec![("level", level)]),
                Basis::Likelihood { sampled, .. } => {
                    let sampled = sampled.map(|sampled| ("sampled", sampled as f64));
                    ("likelihood", sampled.into_iter().collect())
                }
            };
            let named = |(name, value): (&str, f64)| (name.to_owned(), serde_json::json!(value));
            Chosen {
                loss: fitted.loss.to_string(),
                asked: request.to_string(),
                parameter: choice.parameter.to_owned(),
                value: choice.value,
                method: method.to_owned(),
                statistics: statistics.into_iter().map(named).collect(),
                residuals: choice.residuals,
                reason: choice.reason(),
            }
        };
        fitted.choices.iter().map(of).collect()
    };
    Ok(requests.iter().zip(&fitted).flat_map(chosen).collect())
}
