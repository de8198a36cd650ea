//! Everything that can go wrong.

use crate::describe::{Domain, Range};

/// Why a call was refused. Nothing was computed and no output was touched, unless it says so.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two arrays that belong together have different shapes.
    #[error(
        "{what} has shape {found:?}, the shape of {with} is {expected:?}: nothing is broadcast, so reshape one of them"
    )]
    ShapeMismatch {
        /// Which array.
        what: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The array that it must agree with.
        with: &'static str,
        /// The shape that it must have.
        expected: Vec<usize>,
    },
    /// An array that must have two axes has another number of them.
    #[error("{what} has shape {shape:?}: it must have two axes, {axes}")]
    NotAMatrix {
        /// Which array.
        what: &'static str,
        /// Its shape.
        shape: Vec<usize>,
        /// What its axes are.
        axes: &'static str,
    },
    /// More scores than can be counted.
    #[error("{examples} examples of {classes} classes have more scores than can be counted")]
    TooManyScores {
        /// The number of examples.
        examples: usize,
        /// The number of classes.
        classes: usize,
    },
    /// The prediction needs an axis of classes, or of several predicted numbers, and there is none.
    #[error("{loss} needs an axis of {of}: the prediction of shape {shape:?} has no axis {axis}")]
    NoSuchAxis {
        /// The loss.
        loss: &'static str,
        /// "classes" or "components".
        of: &'static str,
        /// The shape of the prediction.
        shape: Vec<usize>,
        /// The axis that was asked for.
        axis: isize,
    },
    /// The axis of classes, or of several predicted numbers, has length 0.
    #[error("{loss} needs {of}, and the prediction of shape {shape:?} has none")]
    EmptyAxis {
        /// The loss.
        loss: &'static str,
        /// "classes" or "components".
        of: &'static str,
        /// The shape of the prediction.
        shape: Vec<usize>,
    },
    /// The loss takes another number of predicted numbers for each target.
    #[error(
        "{loss} takes {} predicted numbers ({}), and there are {found}",
        components.len(),
        components.join(", ")
    )]
    ComponentCount {
        /// The loss.
        loss: &'static str,
        /// How many there are.
        found: usize,
        /// The names of those that it takes.
        components: Vec<&'static str>,
    },
    /// A class label outside the classes.
    #[error("label {label} at position {position} is not a class: there are {classes}, from 0 to {}", classes.saturating_sub(1))]
    LabelOutOfRange {
        /// The label.
        label: f64,
        /// Which example it belongs to, counted from 0.
        position: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A prediction or target that the loss is not defined for.
    #[error("{what} {value} at position {position} is outside the domain of {loss}: {domain}")]
    OutsideDomain {
        /// "prediction" or the name of that component of it, or "target".
        what: &'static str,
        /// The number.
        value: f64,
        /// Which example it belongs to, counted from 0.
        position: usize,
        /// The loss.
        loss: &'static str,
        /// What it is defined for.
        domain: Domain,
    },
    /// A weight that is negative, infinite or NaN.
    #[error("{what} {value} at position {position} must be a finite number, 0 or more")]
    InvalidWeight {
        /// Which weights.
        what: &'static str,
        /// The number.
        value: f64,
        /// Its position, counted from 0.
        position: usize,
    },
    /// A parameter outside its range.
    #[error("{loss}: {parameter} = {value} is outside its range {range}")]
    ParameterOutOfRange {
        /// The loss.
        loss: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// The value given.
        value: f64,
        /// The values that are allowed.
        range: Range,
    },
    /// Too many or too few values for the parameters of a loss.
    #[error("{loss} has {expected} parameters, and {found} values are given")]
    ParameterCount {
        /// The loss.
        loss: &'static str,
        /// The number of values.
        found: usize,
        /// The number of parameters.
        expected: usize,
    },
    /// The loss has no such parameter.
    #[error("{loss} has no parameter {parameter:?}; {}", known(parameters))]
    UnknownParameter {
        /// The loss.
        loss: &'static str,
        /// The name given.
        parameter: String,
        /// The parameters that it has.
        parameters: Vec<&'static str>,
    },
    /// No loss has this name.
    #[error("there is no loss {name:?}{}", suggest(.suggestion.as_ref()))]
    UnknownLoss {
        /// The name given.
        name: String,
        /// The nearest name that there is.
        suggestion: Option<&'static str>,
    },
    /// Text that does not name a loss.
    #[error("cannot read {text:?} as a loss: {reason} (an example: huber(delta=1.5))")]
    Unreadable {
        /// The text.
        text: String,
        /// Why.
        reason: String,
    },
    /// A formula that cannot be read.
    #[error("cannot read the formula: {reason}\n{}", pointed(text, *at))]
    Formula {
        /// The text.
        text: String,
        /// At which character, counted from 0.
        at: usize,
        /// Why.
        reason: String,
    },
    /// A parameter is to be chosen from data, and there is none here.
    #[error(
        "{loss} is to be chosen from data: give it to `lossfn eval`, or in the library to a \
         LossRequest with residuals; or give a number"
    )]
    NeedsData {
        /// The loss as it was asked for.
        loss: String,
    },
    /// A parameter that cannot be chosen from data, or not from these.
    #[error("{loss}: {parameter} cannot be chosen: {reason}")]
    CannotChoose {
        /// The loss.
        loss: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// Why, and what to do instead.
        reason: String,
    },
    /// A word that is none of those that are known.
    #[error("{found:?} is no {what}: it is {choices}")]
    UnknownChoice {
        /// What the word should be.
        what: &'static str,
        /// The word.
        found: String,
        /// The words that are known.
        choices: &'static str,
    },
    /// All examples are masked, ignored or missing, and the cost was not told what that is worth.
    #[error(
        "nothing to average: no example is valid; choose NaN or 0 for this case if it is meant"
    )]
    NothingValid,
    /// The mean would divide by 0.
    #[error("the denominator of the mean is {value}; it must be a number above 0")]
    InvalidDenominator {
        /// The denominator.
        value: f64,
    },
    /// A setting that this loss cannot have.
    #[error("{loss} cannot have {setting}: {reason}")]
    DoesNotApply {
        /// The loss.
        loss: &'static str,
        /// The setting.
        setting: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A loss cannot be written in a language.
    #[error("{loss} cannot be written in {language}: {reason}")]
    CannotEmit {
        /// The loss.
        loss: &'static str,
        /// The language.
        language: &'static str,
        /// Why, and which languages have it.
        reason: String,
    },
    /// Without reduction there is no single value.
    #[error("the reduction is 'none', so there is no single value: ask for the losses")]
    NoReduction,
    /// The number of sets of examples is not that of the heads.
    #[error("{0}")]
    Heads(String),
}

/// The text about a character, and a caret below that.
fn pointed(text: &str, at: usize) -> String {
    const SIDE: usize = 50;
    // One character for one, so that the caret stays in its place.
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let characters: Vec<char> = text.chars().map(plain).collect();
    let (start, end) = (at.saturating_sub(SIDE), (at + SIDE).min(characters.len()));
    let before = if start > 0 { "..." } else { "" };
    let after = if end < characters.len() { "..." } else { "" };
    let shown: String = characters[start.min(end)..end].iter().collect();
    let gap = " ".repeat(before.len() + at - start);
    format!("  {before}{shown}{after}\n  {gap}^ column {}", at + 1)
}

fn known(parameters: &[&str]) -> String {
    match parameters {
        [] => "it has none".to_owned(),
        [one] => format!("its only parameter is {one}"),
        more => format!("its parameters are {}", more.join(", ")),
    }
}

fn suggest(suggestion: Option<&&'static str>) -> String {
    suggestion.map_or_else(
        || "; `lossfn list` names all".into(),
        |name| format!("; did you mean {name}?"),
    )
}
