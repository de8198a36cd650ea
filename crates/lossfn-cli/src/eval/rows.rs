//! The rows of a batch in their roles, checked: what the library is given.

use crate::eval::Question;
use crate::eval::columns::Roles;
use crate::eval::totals::Place;
use crate::read::{Batch, Numbers, Values};
use lossfn::{Array, Cost, Domain, Error, Examples, Form, Loss, find};
use ndarray::ArrayView2;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

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
struct Matrix {
    width: usize,
    values: Numbers,
}

impl Matrix {
    fn missing(width: usize, rows: usize) -> Self {
        Self { width, values: Numbers::missing(width * rows) }
    }

    fn row(&self, at: usize) -> Vec<f64> {
        (at * self.width..(at + 1) * self.width).map(|place| self.values.at(place)).collect()
    }

    /// As rows of an array.
    fn rows(&self, count: usize) -> Result<Array<'_>, Fault> {
        let shape = (count, self.width);
        let rows = match &self.values {
            Numbers::F32(values) => ArrayView2::from_shape(shape, values).map(Array::from),
            Numbers::F64(values) => ArrayView2::from_shape(shape, values).map(Array::from),
        };
        rows.map_err(|error| Fault::whole(error.to_string()))
    }
}

/// As an array of one axis.
fn array(numbers: &Numbers) -> Array<'_> {
    match numbers {
        Numbers::F32(values) => Array::from(&values[..]),
        Numbers::F64(values) => Array::from(&values[..]),
    }
}

/// What has been met in any row so far, and must agree with all others: each with the first row
/// that has it.
#[derive(Debug, Default)]
pub struct Seen {
    /// Ways to write the lower one of two classes.
    lower: Mutex<BTreeMap<Lower, Place>>,
    /// Numbers of predicted numbers per row.
    widths: Mutex<BTreeMap<usize, Place>>,
}

/// How a target writes the lower one of two classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lower {
    MinusOne,
    Zero,
    /// A probability of the upper class below 1.
    Fraction,
}

/// Two rows that do not go together.
#[derive(Debug)]
pub struct Conflict {
    /// The row at fault: the one that comes later.
    pub place: Place,
    /// The row that it contradicts.
    pub earlier: Place,
    /// What is wrong, but for the earlier row's place, which belongs between these two.
    pub message: [String; 2],
    /// Whether it is about the target, else about the prediction.
    pub of_target: bool,
}

/// The rows of a batch in their roles.
pub struct Rows<'a> {
    roles: &'a Roles,
    prediction: Matrix,
    target: Matrix,
    weights: Option<&'a Numbers>,
    /// Which rows count; `None` if all do.
    valid: Option<Vec<bool>>,
    /// Rows that were skipped because a number is missing.
    pub skipped: u64,
    /// Number of rows.
    pub count: usize,
}

impl<'a> Rows<'a> {
    /// The rows of a batch, the first of which is at `start`. Finds missing numbers.
    pub fn new(
        question: &Question,
        roles: &'a Roles,
        batch: &'a Batch,
        seen: &Seen,
        start: Place,
    ) -> Result<Self, Fault> {
        let count = batch.rows;
        let mut prediction = numbers(roles, &roles.prediction, batch)?;
        let mut target = numbers(roles, &roles.target, batch)?;
        // Lists that are all missing here are as long as they must be.
        if prediction.width == 0 {
            prediction = Matrix::missing(target.width.max(2), count);
        }
        if target.width == 0 {
            target = Matrix::missing(prediction.width, count);
        }
        let plain = |at: usize| match &batch.columns[at] {
            Values::Numbers(numbers) => Some(numbers),
            _ => None,
        };
        let weights = roles.weights.and_then(plain);
        let mask = roles.mask.and_then(plain);
        let mut valid =
            mask.map(|mask| mask.to_f64().iter().map(|&flag| flag != 0.0).collect::<Vec<_>>());
        let mut skipped = 0;
        let is_valid =
            |valid: &Option<Vec<bool>>, row: usize| valid.as_ref().is_none_or(|valid| valid[row]);
        // This is fast and finds nothing in most batches.
        if prediction.values.has_nan()
            || target.values.has_nan()
            || weights.is_some_and(Numbers::has_nan)
            || mask.is_some_and(Numbers::has_nan)
        {
            for row in 0..count {
                if !is_valid(&valid, row) {
                    continue;
                }
                let missing = |columns: &[usize], numbers: &Matrix| {
                    let start = row * numbers.width;
                    let is_nan = |at: &usize| numbers.values.at(start + at).is_nan();
                    let at = (0..numbers.width).find(is_nan)?;
                    Some(columns.get(at).or(columns.first()).copied())
                };
                let in_one = |column: Option<usize>, values: Option<&Numbers>| {
                    let is_nan = values.is_some_and(|values| values.at(row).is_nan());
                    is_nan.then_some(column)
                };
                let found = in_one(roles.mask, mask)
                    .or_else(|| missing(&roles.prediction, &prediction))
                    .or_else(|| missing(&roles.target, &target))
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
        let rows = Self { roles, prediction, target, weights, valid, skipped, count };
        // Rows that are all missing have no width of their own.
        if let Some(row) = (0..count).find(|&row| rows.is_valid(row)) {
            note(&seen.widths, rows.prediction.width, start.after(row));
        }
        Ok(rows)
    }

    /// Gives the rows, the first of which is at `start`, as the examples of a cost.
    pub fn score(
        &self,
        cost: &Cost,
        seen: &Seen,
        start: Place,
        score: impl FnOnce(&Examples<'_>) -> Result<(), Error>,
    ) -> Result<(), Fault> {
        let description = cost.loss().description();
        let (k, target_width) = (self.prediction.width, self.target.width);
        let form = cost.loss().form();
        let scored = if form == Form::ClassAxis {
            if k < 2 {
                let column = &self.roles.names[self.roles.prediction[0]];
                return Err(Fault::whole(format!(
                    "{} needs a score for each class, and column {column} has one number per row; \
                     name several columns (--prediction 'score_*') or a column of lists",
                    cost.loss()
                )));
            }
            let prediction = self.prediction.rows(self.count)?;
            let examples = if target_width == 1 {
                Examples::new(prediction, array(&self.target.values))
            } else if target_width != k {
                return Err(Fault::whole(format!(
                    "the target has {target_width} numbers per row and the prediction {k}; as a \
                     distribution it has one for each class, as a label it is one column"
                )));
            } else {
                Examples::new(prediction, self.target.rows(self.count)?)
            };
            score(&self.complete(examples))
        } else if form == Form::Joint {
            let names = description.component_names();
            if !names.is_empty() && names.len() != k {
                return Err(Fault::whole(format!(
                    "{} takes {} predicted numbers per row ({}), and there are {k}; name a column for \
                     each, in this order (--prediction 'a,b'), or a column of lists",
                    cost.loss(),
                    names.len(),
                    names.join(", ")
                )));
            }
            if target_width != 1 {
                return Err(Fault::whole(format!(
                    "{} takes one target per row, and there are {target_width}; name one column",
                    cost.loss()
                )));
            }
            let prediction = self.prediction.rows(self.count)?;
            score(&self.complete(Examples::new(prediction, array(&self.target.values))))
        } else {
            self.check_single(cost.loss())?;
            let target = self.binary_target(description.target, seen, start);
            let examples = Examples::new(array(&self.prediction.values), array(&target));
            score(&self.complete(examples))
        };
        scored.map_err(|error| self.fault(&error))
    }

    /// Refuses rows of several numbers on behalf of a loss that takes one.
    fn check_single(&self, loss: &Loss) -> Result<(), Fault> {
        let (k, target_width) = (self.prediction.width, self.target.width);
        if k == 1 && target_width == 1 {
            return Ok(());
        }
        Err(Fault::whole(format!(
            "{loss} compares one prediction with one target, and there are {k} and \
             {target_width} numbers per row; name one column each"
        )))
    }

    /// Calls `each` with row, residual and weight of the rows that count for a loss.
    pub fn residuals(
        &self,
        loss: &Loss,
        mut each: impl FnMut(usize, f64, f64),
    ) -> Result<(), Fault> {
        self.check_single(loss)?;
        for (row, prediction, target) in self.wide().valid_rows() {
            let weight = self.weights.map_or(1.0, |weights| weights.at(row));
            if !(weight >= 0.0 && weight.is_finite()) {
                let error = Error::InvalidWeight { what: "weight", value: weight, position: row };
                return Err(self.fault(&error));
            }
            each(row, prediction[0] - target[0], weight);
        }
        Ok(())
    }

    fn complete<'e>(&'e self, examples: Examples<'e>) -> Examples<'e> {
        let examples = match self.weights {
            Some(weights) => examples.weights(array(weights)),
            None => examples,
        };
        match &self.valid {
            Some(valid) => examples.mask(valid),
            None => examples,
        }
    }

    /// The target in the form that a loss of two classes wants: classes may be written 0 and 1 or
    /// -1 and +1. What is neither is left for the library to refuse.
    fn binary_target(&self, domain: Domain, seen: &Seen, start: Place) -> Cow<'_, Numbers> {
        let target = &self.target.values;
        let (from, to) = match domain {
            Domain::Sign => (0.0, -1.0),
            Domain::Unit => (-1.0, 0.0),
            _ => return Cow::Borrowed(target),
        };
        for lower in [Lower::MinusOne, Lower::Zero, Lower::Fraction] {
            if !target.any(|y| lower.is(y)) {
                continue;
            }
            let first = (0..self.count).find(|&row| lower.is(target.at(row)) && self.is_valid(row));
            if let Some(row) = first {
                note(&seen.lower, lower, start.after(row));
            }
        }
        if target.any(|y| y == from) {
            Cow::Owned(target.replaced(from, to))
        } else {
            Cow::Borrowed(target)
        }
    }

    fn is_valid(&self, row: usize) -> bool {
        self.valid.as_ref().is_none_or(|valid| valid[row])
    }

    /// What the library refused, in the words of the table.
    fn fault(&self, error: &Error) -> Fault {
        let name_at =
            |columns: &[usize], at: usize| columns.get(at).map(|&at| self.roles.names[at].clone());
        let name = |columns: &[usize]| if columns.len() == 1 { name_at(columns, 0) } else { None };
        let (row, column, message) = match error {
            Error::LabelOutOfRange { label, position, classes } => (
                Some(*position),
                name(&self.roles.target),
                format!(
                    "label {label} is not one of the {classes} classes, which are 0 to {}",
                    classes - 1
                ),
            ),
            Error::OutsideDomain { what, value, position, loss, domain } => {
                let (columns, numbers) = if *what == "target" {
                    (&self.roles.target, &self.target)
                } else {
                    (&self.roles.prediction, &self.prediction)
                };
                let hint = match (*what, domain) {
                    ("target", Domain::Sign) => " (or 0 and 1)",
                    ("prediction", Domain::Unit) => {
                        "; for raw scores there are other losses (`lossfn list`)"
                    }
                    _ => "",
                };
                let message = format!("{what} {value}: {loss} takes {domain}{hint}");
                let components = find(loss).map_or(&[][..], |entry| entry.description.components);
                let component = components.iter().position(|component| component.name == *what);
                let equal = || numbers.row(*position).iter().position(|x| x == value);
                let at = component.or_else(equal).unwrap_or(0);
                let column = name(columns).or_else(|| name_at(columns, at));
                (Some(*position), column, message)
            }
            Error::InvalidWeight { what: "weight", value, position } => (
                Some(*position),
                self.roles.weights.map(|at| self.roles.names[at].clone()),
                format!("weight {value} must be a finite number, 0 or more"),
            ),
            Error::ShapeMismatch { what: "class_weights", found, expected, .. } => {
                let message = format!(
                    "--class-weights has {} weights where there are {} classes",
                    found.iter().product::<usize>(),
                    expected.iter().product::<usize>()
                );
                (None, None, message)
            }
            other => (None, None, other.to_string()),
        };
        Fault { row, column, message }
    }

    /// The prediction and target of a row, for people to look at.
    pub fn example(&self, row: usize) -> (Vec<f64>, Vec<f64>) {
        (self.prediction.row(row), self.target.row(row))
    }

    /// The number of predicted numbers per row.
    pub fn width(&self) -> usize {
        self.prediction.width
    }

    /// The number of numbers that a target has.
    pub fn target_width(&self) -> usize {
        self.target.width
    }

    /// The rows with all numbers as f64, to look at one by one.
    pub fn wide(&self) -> Wide<'_> {
        let (prediction, target) = (self.prediction.values.to_f64(), self.target.values.to_f64());
        Wide { rows: self, prediction, target }
    }
}

/// The rows of a batch with all numbers as f64.
pub struct Wide<'a> {
    rows: &'a Rows<'a>,
    prediction: Cow<'a, [f64]>,
    target: Cow<'a, [f64]>,
}

impl Wide<'_> {
    /// The valid rows' predictions and targets.
    pub fn valid(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        self.valid_rows().map(|(_, prediction, target)| (prediction, target))
    }

    /// The same with the rows' numbers.
    pub fn valid_rows(&self) -> impl Iterator<Item = (usize, &[f64], &[f64])> {
        let (width, target_width) = (self.rows.width(), self.rows.target_width());
        (0..self.rows.count).filter(|&row| self.rows.is_valid(row)).map(move |row| {
            let prediction = &self.prediction[row * width..(row + 1) * width];
            (row, prediction, &self.target[row * target_width..(row + 1) * target_width])
        })
    }
}

impl Lower {
    fn is(self, target: f64) -> bool {
        match self {
            Self::MinusOne => target == -1.0,
            Self::Zero => target == 0.0,
            Self::Fraction => 0.0 < target && target < 1.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::MinusOne => "-1",
            Self::Zero => "0",
            Self::Fraction => "a probability",
        }
    }
}

/// Notes that something was met in a row.
fn note<K: Ord>(met: &Mutex<BTreeMap<K, Place>>, what: K, place: Place) {
    let mut met = met.lock().unwrap_or_else(PoisonError::into_inner);
    let first = met.entry(what).or_insert(place);
    if place.given_order() < first.given_order() {
        *first = place;
    }
}

impl Seen {
    /// The first row that contradicts an earlier one.
    pub fn conflict(&self) -> Option<Conflict> {
        let lower = self.lower.lock().unwrap_or_else(PoisonError::into_inner);
        let minus_one = lower.get_key_value(&Lower::MinusOne);
        let others = lower.iter().filter(|(lower, _)| **lower != Lower::MinusOne);
        let other = others.min_by_key(|(_, place)| place.given_order());
        let classes = minus_one.zip(other).map(|(a, b)| {
            let a_first = a.1.given_order() < b.1.given_order();
            let (first, second) = if a_first { (a, b) } else { (b, a) };
            let message = [
                format!("the target is {} here and {} in ", second.0.name(), first.0.name()),
                ": two classes are written 0 and 1, or -1 and +1".into(),
            ];
            Conflict { place: *second.1, earlier: *first.1, message, of_target: true }
        });
        let widths = self.widths.lock().unwrap_or_else(PoisonError::into_inner);
        let mut widths: Vec<_> = widths.iter().collect();
        widths.sort_by_key(|(_, place)| place.given_order());
        let lengths = match widths.as_slice() {
            [first, second, ..] => Some(Conflict {
                place: *second.1,
                earlier: *first.1,
                message: [
                    format!("there are {} predicted numbers here and {} in ", second.0, first.0),
                    String::new(),
                ],
                of_target: false,
            }),
            _ => None,
        };
        classes.into_iter().chain(lengths).min_by_key(|conflict| conflict.place.given_order())
    }
}

/// The numbers of one column, or of several side by side.
fn numbers(roles: &Roles, columns: &[usize], batch: &Batch) -> Result<Matrix, Fault> {
    if let [one] = columns {
        match &batch.columns[*one] {
            Values::Numbers(numbers) => return Ok(Matrix { width: 1, values: numbers.clone() }),
            Values::Lists { width, values } => {
                return Ok(Matrix { width: *width, values: values.clone() });
            }
            Values::Keys { .. } => {}
        }
    }
    let single = |&at: &usize| match &batch.columns[at] {
        Values::Numbers(numbers) => Ok(numbers.clone()),
        _ => Err(Fault {
            row: None,
            column: Some(roles.names[at].clone()),
            message: "a column of lists must be the only one".into(),
        }),
    };
    let columns = columns.iter().map(single).collect::<Result<Vec<_>, _>>()?;
    Ok(Matrix { width: columns.len(), values: Numbers::side_by_side(&columns) })
}
