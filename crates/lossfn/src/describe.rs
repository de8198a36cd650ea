//! What is said about a loss, once, for every front end.

use crate::card::{Answer, Property};
use crate::error::Error;
use crate::loss::Loss;
use std::fmt;
use std::str::FromStr;

/// What a loss is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// The target is a number.
    Regression,
    /// The target is a count or a positive number, of which a distribution's mean is predicted.
    Counts,
    /// Several numbers are predicted, which say how one target is distributed.
    Distribution,
    /// The target is one of two classes.
    Binary,
    /// The target is one of several classes, or a distribution over them.
    Multiclass,
}

impl Task {
    /// All tasks.
    pub const ALL: [Self; 5] =
        [Self::Regression, Self::Counts, Self::Distribution, Self::Binary, Self::Multiclass];

    /// The name in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Regression => "regression",
            Self::Counts => "counts",
            Self::Distribution => "distribution",
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Task {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|task| task.name() == text).ok_or_else(|| {
            let choices = "regression, counts, distribution, binary or multiclass";
            Error::UnknownChoice { what: "task", found: text.to_owned(), choices }
        })
    }
}

/// The numbers that a prediction or a target may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// Any number.
    Real,
    /// From 0 to 1, both included: a probability.
    Unit,
    /// -1 or +1: the class in margin form.
    Sign,
    /// 0 or more: a count, the weight of a class in a target distribution.
    NonNegative,
    /// Above 0: a rate, a scale.
    Positive,
}

impl Domain {
    /// Is this number in the domain? NaN is let through: it comes out as NaN.
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
    pub fn contains<T: crate::number::Real>(self, x: T) -> bool {
        let (zero, one) = (T::default(), T::from_f64(1.0));
        let inside = match self {
            Self::Real => true,
            Self::Unit => (x >= zero) & (x <= one),
            Self::Sign => (x == one) | (x == -one),
            Self::NonNegative => x >= zero,
            Self::Positive => x > zero,
        };
        inside | x.is_nan()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Real => "any number",
            Self::Unit => "0 to 1",
            Self::Sign => "-1 or +1",
            Self::NonNegative => "0 or more",
            Self::Positive => "above 0",
        })
    }
}

/// Which numbers of a range a parameter may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// All of them.
    Number,
    /// Whole numbers.
    Whole,
    /// 0 and 1, written `false` and `true`.
    Switch,
}

/// The range of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The lower end.
    pub low: f64,
    /// Whether the lower end itself is allowed.
    pub low_included: bool,
    /// The upper end.
    pub high: f64,
    /// Whether the upper end itself is allowed.
    pub high_included: bool,
    /// Which of the numbers between the ends are allowed.
    pub kind: Kind,
}

impl Range {
    /// Finite numbers above 0.
    pub const POSITIVE: Self = Self { low: 0.0, ..Self::FINITE };
    /// All finite numbers.
    pub const FINITE: Self = Self {
        low: f64::NEG_INFINITY,
        low_included: false,
        high: f64::INFINITY,
        high_included: false,
        kind: Kind::Number,
    };
    /// Finite numbers from 1.
    pub const AT_LEAST_ONE: Self = Self { low: 1.0, ..Self::NON_NEGATIVE };
    /// Whole numbers from 1.
    pub const COUNT: Self = Self { kind: Kind::Whole, ..Self::AT_LEAST_ONE };
    /// `false` or `true`.
    pub const SWITCH: Self = Self { kind: Kind::Switch, ..Self::UNIT };
    /// Finite numbers from 0.
    pub const NON_NEGATIVE: Self = Self { low_included: true, ..Self::POSITIVE };
    /// From 0 to 1, both included.
    pub const UNIT: Self =
        Self { low: 0.0, low_included: true, high: 1.0, high_included: true, ..Self::FINITE };
    /// Between 0 and 1, both excluded.
    pub const OPEN_UNIT: Self = Self { low_included: false, high_included: false, ..Self::UNIT };
    /// From 0 to below 1.
    pub const BELOW_ONE: Self = Self { high_included: false, ..Self::UNIT };

    /// Is this number in the range? NaN is not.
    #[must_use]
    pub fn contains(&self, x: f64) -> bool {
        (x > self.low || self.low_included && x == self.low)
            && (x < self.high || self.high_included && x == self.high)
            && (self.kind == Kind::Number || x.fract() == 0.0)
    }

    /// A value as it is written.
    #[must_use]
    pub fn write(&self, value: f64) -> String {
        match self.kind {
            Kind::Number => format!("{value:?}"),
            Kind::Whole => format!("{value}"),
            Kind::Switch => (value != 0.0).to_string(),
        }
    }

    /// The value that is written so; it need not be in the range.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<f64> {
        match text {
            "true" | "True" if self.kind == Kind::Switch => Some(1.0),
            "false" | "False" if self.kind == Kind::Switch => Some(0.0),
            number => number.parse().ok(),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == Kind::Switch {
            return f.write_str("false or true");
        }
        let open = if self.low_included { '[' } else { '(' };
        let close = if self.high_included { ']' } else { ')' };
        let whole = if self.kind == Kind::Whole { "whole numbers in " } else { "" };
        write!(f, "{whole}{open}{}, {}{close}", self.low, self.high)
    }
}

/// A parameter of a loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value where none is given.
    pub default: f64,
    /// The values that it may have.
    pub range: Range,
    /// What it is, with its unit.
    pub meaning: &'static str,
}

/// Where a declared fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A reason: a text that begins with `because`.
    Rule(&'static str),
    /// A reference.
    Cited(&'static str),
}

impl Source {
    /// A source by its text.
    #[must_use]
    pub const fn of(text: &'static str) -> Self {
        let (mut at, because) = (0, b"because ");
        while at < because.len() {
            if at >= text.len() || text.as_bytes()[at] != because[at] {
                return Self::Cited(text);
            }
            at += 1;
        }
        Self::Rule(text)
    }
}

/// A fact that is declared with a loss because it cannot be computed from its formula: a line of its
/// [`Card`](crate::Card). It must not contradict what can.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// What it is about.
    pub property: Property,
    /// Whether the loss has it.
    pub answer: Answer,
    /// The constant that belongs to it.
    pub number: Option<f64>,
    /// More in words, as what is elicited.
    pub detail: Option<&'static str>,
    /// For which values of a parameter it holds: name, relation (`<`, `<=`, `==`, `!=`, `>=`, `>`) and
    /// limit. The first fact that holds counts.
    pub condition: Option<(&'static str, &'static str, f64)>,
    /// Where it comes from.
    pub source: Source,
}

impl Known {
    /// Whether it holds for the parameters of a loss.
    #[must_use]
    pub fn applies(&self, loss: &Loss) -> bool {
        let Some((name, relation, limit)) = self.condition else { return true };
        let names = loss.description().parameters.iter().map(|parameter| parameter.name);
        let values = names.zip(loss.parameters());
        values.into_iter().any(|(known, &value)| {
            known == name
                && match relation {
                    "<" => value < limit,
                    "<=" => value <= limit,
                    "==" => value == limit,
                    "!=" => value != limit,
                    ">=" => value >= limit,
                    ">" => value > limit,
                    _ => false,
                }
        })
    }
}

/// Everything that is said about a loss, in the order in which it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Description {
    /// The one name, in `snake_case`.
    pub id: &'static str,
    /// Names under which other libraries have it.
    pub aliases: &'static [&'static str],
    /// One sentence.
    pub summary: &'static str,
    /// What it is for.
    pub task: Task,
    /// The numbers that a prediction may be.
    pub prediction: Domain,
    /// What a prediction is, in words.
    pub prediction_meaning: &'static str,
    /// The numbers that a target may be.
    pub target: Domain,
    /// What turns the prediction into the predicted quantity, if it is a raw score.
    pub link: Option<&'static str>,
    /// The parameters.
    pub parameters: &'static [Parameter],
    /// Value and slope at the optimum; dropped constants and factors.
    pub optimum: &'static str,
    /// Behaviour at the limits and at kinks.
    pub limits: &'static str,
    /// How other libraries differ.
    pub peers: &'static str,
    /// Author, year, title, DOI or arXiv.
    pub reference: &'static str,
    /// The gradient by one score, where it cannot be traced: losses over a class axis.
    pub row_gradient: Option<&'static str>,
    /// Facts for its card that cannot be computed.
    pub known: &'static [Known],
    /// Whether it is picked for data that suits it when no loss is named.
    pub usual: bool,
}

impl Description {
    /// The description of a loss of one's own over any real prediction and target, to be refined
    /// with struct update syntax.
    #[must_use]
    pub const fn own(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            aliases: &[],
            summary,
            task: Task::Regression,
            prediction: Domain::Real,
            prediction_meaning: "a number",
            target: Domain::Real,
            link: None,
            parameters: &[],
            optimum: "",
            limits: "",
            peers: "",
            reference: "",
            row_gradient: None,
            known: &[],
            usual: false,
        }
    }

    /// Checks values for all parameters, in order.
    ///
    /// # Errors
    /// [`Error::ParameterCount`], or [`Error::ParameterOutOfRange`] for the first that is outside
    /// its range.
    pub fn check(&self, values: &[f64]) -> Result<(), Error> {
        let (found, expected) = (values.len(), self.parameters.len());
        if found != expected {
            return Err(Error::ParameterCount { loss: self.id, found, expected });
        }
        for (parameter, &value) in self.parameters.iter().zip(values) {
            if !parameter.range.contains(value) {
                return Err(Error::ParameterOutOfRange {
                    loss: self.id,
                    parameter: parameter.name,
                    value,
                    range: parameter.range,
                });
            }
        }
        Ok(())
    }
}

/// A loss that says what it is. The [`loss!`](crate::loss) macro writes this.
pub trait Described: Sized {
    /// What is said about it.
    const DESCRIPTION: Description;

    /// The values of its parameters, in the order of the description.
    fn parameters(&self) -> Vec<f64>;

    /// The loss with these values for its parameters, in the order of the description.
    ///
    /// # Errors
    /// [`Error::ParameterOutOfRange`].
    fn with_parameters(values: &[f64]) -> Result<Self, Error>;
}

/// Declares the struct of a loss: its parameters and everything that is said about it.
///
/// The text becomes both the documentation of the struct and its [`Description`].
///
/// `known` is optional and has the facts for the loss's [`Card`](crate::Card) that the formula does not
/// tell; each ends with its source, which is a reason if it begins with `because`:
///
/// ```text
/// known: {
///     lipschitz: yes(1.4142) "Gao and Pavel (2017), arXiv:1704.00805",
///     smooth: no when p == 1 "because the loss has kinks then",
///     elicits: yes = "the most probable class" "because the risk is linear in the scores",
/// },
/// ```
#[macro_export]
macro_rules! loss {
    (@optional) => { None };
    (@optional $value:expr) => { Some($value) };
    (
        #[doc = $summary:literal]
        $name:ident: $id:literal {
            aliases: [$($alias:literal),* $(,)?],
            task: $task:ident,
            prediction: $prediction:ident $prediction_meaning:literal,
            target: $target:ident,
            $(link: $link:literal,)?
            parameters: { $(
                $parameter:ident = $default:literal in $range:ident: $meaning:literal
            ),* $(,)? },
            optimum: $optimum:literal,
            limits: $limits:literal,
            peers: $peers:literal,
            reference: $reference:literal,
            $(row_gradient: $row_gradient:literal,)?
            $(known: { $(
                $property:ident: $answer:ident $(($number:expr))? $(= $detail:literal)?
                $(when $condition:ident $relation:tt $limit:literal)? $source:literal
            ),* $(,)? },)?
            usual: $usual:literal $(,)?
        }
    ) => {
        #[doc = $summary]
        ///
        #[doc = concat!("In text: `", $id, "`.")]
        ///
        #[doc = concat!("**Prediction**: ", $prediction_meaning, ".")]
        $(#[doc = concat!("\n\n**Link**: ", $link)])?
        $(#[doc = concat!(
            "\n\n**Parameter** `", stringify!($parameter), "` = ", stringify!($default), ": ", $meaning,
            "."
        )])*
        #[doc = concat!("\n\n**Optimum**: ", $optimum)]
        #[doc = concat!("\n\n**Limits and kinks**: ", $limits)]
        #[doc = concat!("\n\n**Peers**: ", $peers)]
        #[doc = concat!("\n\n**Reference**: ", $reference)]
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $(#[doc = concat!($meaning, ".")] $parameter: f64,)*
        }

        impl $name {
            /// The loss with these parameters.
            ///
            /// # Errors
            /// `Error::ParameterOutOfRange` where one is outside its range.
            #[allow(clippy::new_without_default, reason = "Default is derived from the description")]
            pub fn new($($parameter: f64),*) -> Result<Self, $crate::Error> {
                <Self as $crate::Described>::with_parameters(&[$($parameter),*])
            }

            $(
                #[doc = concat!($meaning, ".")]
                #[must_use]
                pub fn $parameter(&self) -> f64 {
                    self.$parameter
                }
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($parameter: $default),* }
            }
        }

        impl $crate::Described for $name {
            const DESCRIPTION: $crate::Description = $crate::Description {
                aliases: &[$($alias),*],
                task: $crate::Task::$task,
                prediction: $crate::Domain::$prediction,
                prediction_meaning: $prediction_meaning,
                target: $crate::Domain::$target,
                $(link: Some($link),)?
                parameters: &[$($crate::Parameter {
                    name: stringify!($parameter),
                    default: $default,
                    range: $crate::Range::$range,
                    meaning: $meaning,
                }),*],
                optimum: $optimum,
                limits: $limits,
                peers: $peers,
                reference: $reference,
                $(row_gradient: Some($row_gradient),)?
                $(known: &[$($crate::Known {
                    property: $crate::Property::named(stringify!($property)),
                    answer: $crate::Answer::named(stringify!($answer)),
                    number: $crate::loss!(@optional $($number)?),
                    detail: $crate::loss!(@optional $($detail)?),
                    condition: $crate::loss!(@optional $((
                        stringify!($condition), stringify!($relation), $limit
                    ))?),
                    source: $crate::Source::of($source),
                }),*],)?
                usual: $usual,
                ..$crate::Description::own($id, $summary.trim_ascii())
            };

            fn parameters(&self) -> Vec<f64> {
                vec![$(self.$parameter),*]
            }

            fn with_parameters(values: &[f64]) -> Result<Self, $crate::Error> {
                Self::DESCRIPTION.check(values)?;
                let mut values = values.iter().copied();
                let _ = &mut values;
                Ok(Self { $($parameter: values.next().unwrap_or($default)),* })
            }
        }
    };
}
