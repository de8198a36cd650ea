//! What is kept of the rows: bounded, and the same on any number of threads.

use crate::error::CliError;
use crate::eval::Question;
use crate::eval::engine::{Tables, survey};
use crate::eval::rows::{Fault, Rows};
use crate::eval::totals::Place;
use lossfn::ExactSum;
use lossfn::choose::Sample;
use std::collections::BTreeMap;

/// Rows that are kept at most.
const KEEP: usize = 1 << 18;

/// Powers of the square root of two that scores are divided by, to see whether they would be better:
/// from 1/4 to 16.
pub const TEMPERATURES: std::ops::RangeInclusive<i32> = -4..=8;

/// What predictions and targets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Numbers,
    Counts,
    TwoProbabilities,
    TwoScores,
    Probabilities,
    Scores,
}

/// A row of class scores.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// The probability of the class that was predicted.
    pub confidence: f64,
    pub correct: bool,
    /// The sum over classes of the squared difference between probability and truth.
    pub brier: f64,
}

/// The rows of one reading of the prediction: as probabilities, or as scores.
#[derive(Clone, Debug)]
pub struct Reading {
    pub rows: Sample<Judged>,
    /// For each temperature the sum of the log loss over all rows.
    pub log_loss: Vec<ExactSum>,
    /// Rows whose true class has probability 0: left out of the sums.
    pub impossible: u64,
}

/// What was seen.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own about all rows")]
pub struct Look {
    pub rows: u64,
    pub skipped: u64,
    pub valid: u64,
    /// Numbers per row of the prediction.
    width: usize,
    pairs: Sample<(f64, f64)>,
    /// Whether so it is in all rows.
    zero_or_one: bool,
    minus_or_plus_one: bool,
    whole: bool,
    unit: bool,
    /// Whether predictions are probabilities that add up to one.
    sums_to_one: bool,
    /// Whether there is a target of 0.
    has_zero: bool,
    pub labels: BTreeMap<u64, u64>,
    pub as_probabilities: Reading,
    pub as_scores: Reading,
}

impl Reading {
    fn new() -> Self {
        let log_loss = vec![ExactSum::default(); TEMPERATURES.count()];
        Self { rows: Sample::new(KEEP), log_loss, impossible: 0 }
    }

    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
        self.log_loss.iter_mut().zip(&other.log_loss).for_each(|(own, other)| own.merge(other));
        self.impossible += other.impossible;
    }

    /// Adds a row of scores (logarithms of probabilities, up to a constant) and its class.
    fn add(&mut self, position: u64, scores: &[f64], label: usize) {
        let first_top =
            (0..scores.len()).fold(0, |top, c| if scores[c] > scores[top] { c } else { top });
        let largest = scores[first_top];
        let total_at = |over: f64| scores.iter().map(|s| ((s - largest) / over).exp()).sum::<f64>();
        let total = total_at(1.0);
        let probability = |class: usize| (scores[class] - largest).exp() / total;
        let square = |class: usize| {
            let truth = if class == label { 1.0 } else { 0.0 };
            (probability(class) - truth).powi(2)
        };
        let judged = Judged {
            confidence: probability(first_top),
            correct: first_top == label,
            brier: (0..scores.len()).map(square).sum(),
        };
        self.rows.add(position, judged);
        if scores[label] == f64::NEG_INFINITY {
            self.impossible += 1;
            return;
        }
        for (sum, power) in self.log_loss.iter_mut().zip(TEMPERATURES) {
            let over = (f64::from(power) * 0.5).exp2();
            sum.add(total_at(over).ln() - (scores[label] - largest) / over);
        }
    }
}

impl Look {
    /// Looks at all rows.
    pub fn at(tables: &Tables, question: &Question, threads: usize) -> Result<Self, CliError> {
        let looks = survey(tables, question, threads, Self::nothing, Self::add)?;
        let mut whole = Self::nothing();
        for look in looks {
            whole.merge(look);
        }
        Ok(whole)
    }

    fn nothing() -> Self {
        Self {
            rows: 0,
            skipped: 0,
            valid: 0,
            width: 0,
            pairs: Sample::new(KEEP),
            zero_or_one: true,
            minus_or_plus_one: true,
            whole: true,
            unit: true,
            sums_to_one: true,
            has_zero: false,
            labels: BTreeMap::new(),
            as_probabilities: Reading::new(),
            as_scores: Reading::new(),
        }
    }

    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.skipped += other.skipped;
        self.valid += other.valid;
        self.width = self.width.max(other.width);
        self.pairs.merge(other.pairs);
        self.zero_or_one &= other.zero_or_one;
        self.minus_or_plus_one &= other.minus_or_plus_one;
        self.whole &= other.whole;
        self.unit &= other.unit;
        self.sums_to_one &= other.sums_to_one;
        self.has_zero |= other.has_zero;
        for (label, count) in other.labels {
            *self.labels.entry(label).or_default() += count;
        }
        self.as_probabilities.merge(other.as_probabilities);
        self.as_scores.merge(other.as_scores);
    }

    fn add(&mut self, rows: &Rows<'_>, start: Place) -> Result<(), Fault> {
        self.rows += rows.count as u64;
        self.skipped += rows.skipped;
        let (width, target_width) = (rows.width(), rows.target_width());
        if target_width != 1 {
            return Err(Fault::whole(format!(
                "the target has {target_width} numbers per row, and advice is given on one: a \
                 number or the label of a class"
            )));
        }
        self.width = width;
        let mut logarithms = vec![0.0; width.max(2)];
        for (row, prediction, target) in rows.wide().valid_rows() {
            self.valid += 1;
            let (position, y) = (start.after(row).position(), target[0]);
            let is_unit = prediction.iter().all(|p| (0.0..=1.0).contains(p));
            self.unit &= is_unit;
            if let [p] = *prediction {
                if !(p - y).is_finite() {
                    return Err(Fault {
                        row: Some(row),
                        column: None,
                        message: format!(
                            "the prediction is {p} and the target {y}: advice needs finite numbers"
                        ),
                    });
                }
                self.pairs.add(position, (y, p));
                self.whole &= y >= 0.0 && y.fract() == 0.0;
                self.has_zero |= y == 0.0;
                self.zero_or_one &= y == 0.0 || y == 1.0;
                self.minus_or_plus_one &= y == -1.0 || y == 1.0;
                if self.zero_or_one || self.minus_or_plus_one {
                    let label = usize::from(y == 1.0);
                    *self.labels.entry(label as u64).or_default() += 1;
                    self.as_scores.add(position, &[0.0, p], label);
                    if self.unit {
                        self.as_probabilities.add(position, &[(1.0 - p).ln(), p.ln()], label);
                    }
                }
                continue;
            }
            if !(y >= 0.0 && y < width as f64 && y.fract() == 0.0) {
                return Err(Fault {
                    row: Some(row),
                    column: None,
                    message: format!(
                        "label {y} is not one of the {width} classes, which are 0 to {}",
                        width - 1
                    ),
                });
            }
            if prediction.iter().any(|score| score.is_infinite()) {
                return Err(Fault {
                    row: Some(row),
                    column: None,
                    message: "a score is infinite: advice needs finite numbers".into(),
                });
            }
            let label = y as usize;
            *self.labels.entry(label as u64).or_default() += 1;
            self.sums_to_one &= is_unit && (prediction.iter().sum::<f64>() - 1.0).abs() < 1e-3;
            self.as_scores.add(position, prediction, label);
            if self.sums_to_one {
                logarithms.iter_mut().zip(prediction).for_each(|(ln, p)| *ln = p.ln());
                self.as_probabilities.add(position, &logarithms, label);
            }
        }
        Ok(())
    }

    /// What predictions and targets are.
    pub fn kind(&self) -> Kind {
        if self.width > 1 {
            if self.sums_to_one { Kind::Probabilities } else { Kind::Scores }
        } else if self.zero_or_one || self.minus_or_plus_one {
            if self.unit { Kind::TwoProbabilities } else { Kind::TwoScores }
        } else if self.whole && self.has_zero {
            // Whole numbers that are all far from 0 are better looked at as numbers.
            Kind::Counts
        } else {
            Kind::Numbers
        }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.width.max(2)
    }

    /// The rows that were kept.
    pub fn kept(&self) -> u64 {
        self.valid.min(KEEP as u64)
    }

    /// Targets and predictions.
    pub fn pairs(self) -> Vec<(f64, f64)> {
        self.pairs.into_things()
    }
}
