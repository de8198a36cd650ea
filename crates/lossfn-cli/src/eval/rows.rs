//! The rows of a batch in their roles, checked: what the library is given.

use crate::eval::Question;
use crate::eval::columns::Roles;
use crate::read::{Batch, Values};
use lossfn::{Cost, Domain, Error, Examples, Scored};
use ndarray::{ArrayView1, ArrayView2};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A fault in a row of a batch.
#[derive(Debug)]
pub struct Fault {
    /// The row within the batch; `None` if it is not about one row.
    pub row: Option<usize>,
    /// The column.
    pub column: Option<String>,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl Fault {
    /// A fault that is not about one row.
    pub fn whole(message: String) -> Self {
        Self { row: None, column: None, message }
    }
}

/// Numbers of a batch: one or several for each row.
struct Numbers<'a> {
    width: usize,
    values: Cow<'a, [f64]>,
}

impl Numbers<'_> {
    fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.width..(at + 1) * self.width]
    }
}

/// What has been met in any row so far, and must agree with all others.
#[derive(Debug, Default)]
pub struct Seen {
    /// The target was 0 where a loss wants -1.
    zero: AtomicBool,
    minus_one: AtomicBool,
    /// The number of predicted numbers per row; 0 as long as there is none.
    width: AtomicUsize,
}

/// The rows of a batch in their roles.
pub struct Rows<'a> {
    roles: &'a Roles,
    prediction: Numbers<'a>,
    target: Numbers<'a>,
    /// The weights, if there are any.
    pub weights: Option<&'a [f64]>,
    /// Which rows count; `None` if all do.
    valid: Option<Vec<bool>>,
    /// Rows that were skipped because a number is missing.
    pub skipped: u64,
    /// Number of rows.
    pub count: usize,
}

impl<'a> Rows<'a> {
    /// The rows of a batch. Finds missing numbers.
    pub fn new(question: &Question, roles: &'a Roles, batch: &'a Batch) -> Result<Self, Fault> {
        let count = batch.rows;
        let prediction = numbers(roles, &roles.prediction, batch)?;
        let target = numbers(roles, &roles.target, batch)?;
        let weights = roles.weights.map(|at| plain(&batch.columns[at]));
        let mask = roles.mask.map(|at| plain(&batch.columns[at]));
        let mut valid = mask.map(|mask| mask.iter().map(|&flag| flag != 0.0).collect::<Vec<_>>());
        let mut skipped = 0;
        let is_valid =
            |valid: &Option<Vec<bool>>, row: usize| valid.as_ref().is_none_or(|valid| valid[row]);
        // The sum is not a number if one of its terms is not; this is fast and finds nothing in
        // most batches. Infinities of both signs only cost the search.
        let suspicious = |numbers: &[f64]| numbers.iter().sum::<f64>().is_nan();
        if suspicious(&prediction.values)
            || suspicious(&target.values)
            || weights.is_some_and(suspicious)
            || mask.is_some_and(suspicious)
        {
            for row in 0..count {
                if !is_valid(&valid, row) {
                    continue;
                }
                let missing = |columns: &[usize], values: &[f64]| {
                    let at = values.iter().position(|x| x.is_nan())?;
                    Some(columns.get(at).or(columns.first()).copied())
                };
                let in_one = |column: Option<usize>, values: Option<&[f64]>| {
                    let is_nan = values.is_some_and(|values| values[row].is_nan());
                    is_nan.then_some(column)
                };
                let found = in_one(roles.mask, mask)
                    .or_else(|| missing(&roles.prediction, prediction.row(row)))
                    .or_else(|| missing(&roles.target, target.row(row)))
                    .or_else(|| in_one(roles.weights, weights));
                let Some(column) = found else { continue };
                if !question.skip_nan {
                    return Err(Fault {
                        row: Some(row),
                        column: column.map(|at| roles.names[at].clone()),
                        message: "the number is missing or not a number (NaN); mend the row, \
                                  or use --skip-nan to leave such rows out and count them"
                            .into(),
                    });
                }
                valid.get_or_insert_with(|| vec![true; count])[row] = false;
                skipped += 1;
            }
        }
        Ok(Self { roles, prediction, target, weights, valid, skipped, count })
    }

    /// Calls `each` with the losses of runs of rows.
    pub fn score(
        &self,
        cost: &Cost,
        seen: &Seen,
        each: impl FnMut(Scored<'_>),
    ) -> Result<(), Fault> {
        // Rows that are all missing have no width of their own.
        if !self.valid.as_ref().is_some_and(|valid| !valid.contains(&true)) {
            seen.check_width(self.prediction.width)?;
        }
        let description = cost.loss().description();
        let (k, target_width) = (self.prediction.width, self.target.width);
        let scored = if cost.loss().has_class_axis() {
            if k < 2 {
                let column = &self.roles.names[self.roles.prediction[0]];
                return Err(Fault::whole(format!(
                    "{} needs a score for each class, and column {column} has one number per row; \
                     name several columns (--prediction 'score_*') or a column of lists",
                    cost.loss()
                )));
            }
            let prediction = ArrayView2::from_shape((self.count, k), &self.prediction.values);
            let prediction = prediction.map_err(|error| Fault::whole(error.to_string()))?;
            let examples = if target_width == 1 {
                Examples::new(prediction, &*self.target.values)
            } else {
                let target =
                    ArrayView2::from_shape((self.count, target_width), &self.target.values);
                Examples::new(prediction, target.map_err(|error| Fault::whole(error.to_string()))?)
            };
            cost.for_each_scored(&self.complete(examples), each)
        } else {
            if k != 1 || target_width != 1 {
                return Err(Fault::whole(format!(
                    "{} compares one prediction with one target, and there are {k} and \
                     {target_width} numbers per row; name one column each",
                    cost.loss()
                )));
            }
            let target = self.binary_target(description.target, seen);
            let examples = Examples::new(ArrayView1::from(&*self.prediction.values), &*target);
            cost.for_each_scored(&self.complete(examples), each)
        };
        scored.map_err(|error| self.fault(&error))
    }

    fn complete<'e>(&'e self, examples: Examples<'e>) -> Examples<'e> {
        let examples = match self.weights {
            Some(weights) => examples.weights(weights),
            None => examples,
        };
        match &self.valid {
            Some(valid) => examples.mask(valid),
            None => examples,
        }
    }

    /// The target in the form that a loss of two classes wants: classes may be written 0 and 1 or
    /// -1 and +1. What is neither is left for the library to refuse.
    fn binary_target(&self, domain: Domain, seen: &Seen) -> Cow<'_, [f64]> {
        let (from, to, met) = match domain {
            Domain::Sign => (0.0, -1.0, &seen.zero),
            Domain::Unit => (-1.0, 0.0, &seen.minus_one),
            _ => return Cow::Borrowed(&self.target.values),
        };
        if domain == Domain::Sign && self.target.values.contains(&-1.0) {
            seen.minus_one.store(true, Ordering::Relaxed);
        }
        if !self.target.values.contains(&from) {
            return Cow::Borrowed(&self.target.values);
        }
        met.store(true, Ordering::Relaxed);
        self.target.values.iter().map(|&y| if y == from { to } else { y }).collect()
    }

    /// What the library refused, in the words of the table.
    fn fault(&self, error: &Error) -> Fault {
        let name = |columns: &[usize]| match columns {
            [one] => Some(self.roles.names[*one].clone()),
            _ => None,
        };
        let (row, column, message) = match error {
            Error::LabelOutOfRange { label, position, classes } => (
                Some(*position),
                name(&self.roles.target),
                format!(
                    "label {label} is not a class: there are {classes}, labelled 0 to {}",
                    classes - 1
                ),
            ),
            Error::OutsideDomain { what, value, position, loss, domain } => {
                let columns =
                    if *what == "target" { &self.roles.target } else { &self.roles.prediction };
                let hint = match (*what, domain) {
                    ("target", Domain::Sign) => " (or 0 and 1)",
                    ("prediction", Domain::Unit) => {
                        "; for raw scores there is a loss with logits (`lossfn list`)"
                    }
                    _ => "",
                };
                let message = format!("{what} {value}: {loss} takes {domain}{hint}");
                (Some(*position), name(columns), message)
            }
            Error::InvalidWeight { what: "weight", value, position } => (
                Some(*position),
                self.roles.weights.map(|at| self.roles.names[at].clone()),
                format!("weight {value} must be a finite number, 0 or more"),
            ),
            other => (None, None, other.to_string()),
        };
        Fault { row, column, message }
    }

    /// The prediction and target of a row, for people to look at.
    pub fn example(&self, row: usize) -> (Vec<f64>, Vec<f64>) {
        (self.prediction.row(row).to_vec(), self.target.row(row).to_vec())
    }

    /// The number of predicted numbers per row.
    pub fn width(&self) -> usize {
        self.prediction.width
    }

    /// The valid rows' predictions and targets.
    pub fn valid(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        let is_valid = |row: &usize| self.valid.as_ref().is_none_or(|valid| valid[*row]);
        (0..self.count).filter(is_valid).map(|row| (self.prediction.row(row), self.target.row(row)))
    }
}

impl Seen {
    /// Each row must have as many predicted numbers as the first.
    fn check_width(&self, width: usize) -> Result<(), Fault> {
        let first = self.width.compare_exchange(0, width, Ordering::Relaxed, Ordering::Relaxed);
        match first {
            Err(first) if first != width => Err(Fault {
                row: Some(0),
                column: None,
                message: format!("{width} predicted numbers, where other rows have {first}"),
            }),
            _ => Ok(()),
        }
    }

    /// Two classes must not be written in both ways in one target.
    pub fn check(&self, target: &str) -> Result<(), String> {
        if self.zero.load(Ordering::Relaxed) && self.minus_one.load(Ordering::Relaxed) {
            return Err(format!(
                "column {target} has both 0 and -1: two classes are written 0 and 1, or -1 and +1"
            ));
        }
        Ok(())
    }
}

fn plain(values: &Values) -> &[f64] {
    match values {
        Values::Numbers(numbers) => numbers,
        _ => &[],
    }
}

/// The numbers of one column, or of several side by side.
fn numbers<'a>(roles: &Roles, columns: &[usize], batch: &'a Batch) -> Result<Numbers<'a>, Fault> {
    if let [one] = columns {
        match &batch.columns[*one] {
            Values::Numbers(numbers) => {
                return Ok(Numbers { width: 1, values: Cow::Borrowed(numbers) });
            }
            // No list at all to tell the length: all are missing.
            Values::Lists { width: 0, .. } => {
                return Ok(Numbers { width: 2, values: vec![f64::NAN; 2 * batch.rows].into() });
            }
            Values::Lists { width, values } => {
                return Ok(Numbers { width: *width, values: Cow::Borrowed(values) });
            }
            Values::Keys { .. } => {}
        }
    }
    let mut values = vec![0.0; batch.rows * columns.len()];
    for (n, &at) in columns.iter().enumerate() {
        let Values::Numbers(column) = &batch.columns[at] else {
            return Err(Fault {
                row: None,
                column: Some(roles.names[at].clone()),
                message: "a column of lists must be the only one".into(),
            });
        };
        for (row, &x) in values.chunks_mut(columns.len()).zip(column) {
            row[n] = x;
        }
    }
    Ok(Numbers { width: columns.len(), values: Cow::Owned(values) })
}
