//! Which losses suit predictions and their targets, and why.
//!
//! - [`look`]: what is kept of the rows
//! - [`numbers`]: what residuals show
//! - [`counts`]: what predicted rates and counts show
//! - [`classes`]: what probabilities and scores of classes show
//!
//! docs/ADVICE.md says how each statistic is defined and where its threshold comes from.

mod classes;
mod counts;
mod look;
mod numbers;

use crate::error::CliError;
use crate::eval::Question;
use crate::eval::engine::Tables;
use crate::report::{brief as long, json_number, json_text, table_text};
pub use look::{Kind, Look};
use lossfn::Loss;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Rows that count, from which on something can be told.
const ENOUGH: u64 = 30;

/// What was found, and what follows.
pub struct Advice {
    rows: u64,
    skipped: u64,
    valid: u64,
    /// The rows that were drawn at random, if not all were looked at.
    sampled: Option<u64>,
    target: String,
    prediction: String,
    kind: &'static str,
    findings: Vec<Finding>,
    losses: Vec<Suited>,
}

/// Something that was looked at.
pub struct Finding {
    pub about: &'static str,
    /// Whether it has any consequence.
    pub notable: bool,
    /// In few words.
    pub verdict: String,
    /// The sentence with the numbers on which the verdict rests.
    pub measured: String,
    pub statistics: Vec<(&'static str, f64)>,
}

/// A loss that suits.
pub struct Suited {
    pub loss: String,
    pub why: String,
}

impl Suited {
    /// A loss of the catalog with these parameters, if there is such a loss.
    pub fn new(id: &str, parameters: &[(&str, f64)], why: impl Into<String>) -> Option<Self> {
        let entry = lossfn::find(id).ok()?;
        let mut values = entry.with_defaults().parameters().to_vec();
        for (name, value) in parameters {
            let known = entry.description.parameters;
            let at = known.iter().position(|parameter| parameter.name == *name)?;
            values[at] = *value;
        }
        let loss = entry.build(&values).ok()?;
        Some(Self::of(&loss, why))
    }

    /// A loss; defaults need not be named.
    pub fn of(loss: &Loss, why: impl Into<String>) -> Self {
        let defaults = loss.description().parameters.iter().map(|parameter| parameter.default);
        let is_plain = defaults.eq(loss.parameters().iter().copied());
        let loss = if is_plain { loss.id().to_owned() } else { loss.to_string() };
        Self { loss, why: why.into() }
    }
}

/// Looks at the tables.
pub fn advise(tables: &Tables, question: &Question, threads: usize) -> Result<Advice, CliError> {
    advise_on(Look::at(tables, question, threads)?, question)
}

/// What follows from a look at the tables.
pub fn advise_on(look: Look, question: &Question) -> Result<Advice, CliError> {
    if look.valid < ENOUGH {
        let few = look.valid;
        return Err(CliError::message(format!(
            "too few rows count to tell anything: {few}, and {ENOUGH} are needed"
        )));
    }
    let Look { rows, skipped, valid, .. } = look;
    let sampled = Some(look.kept()).filter(|&kept| kept < valid);
    let kind = look.kind();
    let (name, (findings, losses)) = match kind {
        Kind::Numbers => ("numbers", numbers::advice(&look.pairs())),
        Kind::Counts => ("counts", counts::advice(&look.pairs())),
        Kind::TwoProbabilities => {
            ("two classes, predicted probabilities", classes::advice(look, kind))
        }
        Kind::TwoScores => ("two classes, raw scores read as logits", classes::advice(look, kind)),
        Kind::Probabilities => ("classes, predicted probabilities", classes::advice(look, kind)),
        Kind::Scores => ("classes, raw scores read as logits", classes::advice(look, kind)),
    };
    let (target, prediction) = (question.target.clone(), question.prediction.clone());
    Ok(Advice { rows, skipped, valid, sampled, target, prediction, kind: name, findings, losses })
}

impl Advice {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} rows, target {}, prediction {}: {}\n",
            self.rows, self.target, self.prediction, self.kind
        );
        if self.skipped > 0 {
            let _ = writeln!(text, "{} rows skipped: a number is missing", self.skipped);
        }
        if let Some(sampled) = self.sampled {
            let _ = writeln!(text, "The numbers are those of {sampled} rows drawn at random");
        }
        let header = ["looked at", "found", "measured"].map(String::from);
        let row = |finding: &Finding| {
            vec![finding.about.to_owned(), finding.verdict.clone(), finding.measured.clone()]
        };
        text += &table_text(&header, &self.findings.iter().map(row).collect::<Vec<_>>(), &[]);
        if self.losses.is_empty() {
            return text;
        }
        text += "\nLosses that suit\n";
        let header = ["loss", "why"].map(String::from);
        let row = |suited: &Suited| vec![suited.loss.clone(), suited.why.clone()];
        text += &table_text(&header, &self.losses.iter().map(row).collect::<Vec<_>>(), &[]);
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        json_text(&self.value())
    }

    /// The same as a value.
    pub fn value(&self) -> Value {
        let finding = |finding: &Finding| {
            let statistics = finding.statistics.iter();
            let statistics: Map<String, Value> =
                statistics.map(|&(name, x)| (name.to_owned(), json_number(x))).collect();
            json!({
                "about": finding.about, "notable": finding.notable, "found": finding.verdict,
                "measured": finding.measured, "statistics": statistics,
            })
        };
        let suited = |suited: &Suited| json!({"loss": suited.loss, "why": suited.why});
        json!({
            "rows": self.rows, "skipped": self.skipped, "valid": self.valid,
            "sampled": self.sampled, "target": self.target, "prediction": self.prediction,
            "kind": self.kind,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
            "losses": self.losses.iter().map(suited).collect::<Vec<_>>(),
        })
    }
}

/// A number in a sentence: three significant digits.
fn brief(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return long(x);
    }
    let rounded: f64 = format!("{x:.2e}").parse().unwrap_or(x);
    if (1e-4..1e7).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") }
}

/// A share in a sentence.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent > 0.0 && percent < 0.0005 {
        return "below 0.001 %".into();
    }
    let digits = if percent == 0.0 || percent >= 9.95 {
        0
    } else if percent >= 0.095 {
        1
    } else {
        3
    };
    format!("{percent:.digits$} %")
}

/// The quantile of sorted numbers, between neighbours in proportion.
pub fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = level * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let share = place - below as f64;
    if share == 0.0 { sorted[below] } else { sorted[below] * (1.0 - share) + sorted[above] * share }
}

pub fn sorted(numbers: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// 1.4826 times the median distance from the median.
fn robust_sigma(sorted_numbers: &[f64]) -> f64 {
    let median = quantile(sorted_numbers, 0.5);
    let distances = sorted(sorted_numbers.iter().map(|x| (x - median).abs()));
    lossfn::choose::MAD_TO_SIGMA * quantile(&distances, 0.5)
}

/// The mean and its standard error.
fn mean(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (mut sum, mut count) = (0.0, 0.0);
    numbers.clone().for_each(|x| {
        sum += x;
        count += 1.0;
    });
    let mean: f64 = sum / count;
    let squares: f64 = numbers.map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}
