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
    /// The logarithm of a probability, so 0 or less, minus infinity included. What is above, as the
    /// logarithm of a density may be, is taken as it is.
    LogProbability,
    /// Between 0 and 1, both excluded: a proportion.
    OpenUnit,
}

impl Domain {
    /// How domains are written: as intervals, or by their numbers. That of logarithms is not.
    pub(crate) const WRITTEN: [(&str, Self); 6] = [
        ("(-inf, inf)", Self::Real),
        ("[0, inf)", Self::NonNegative),
        ("(0, inf)", Self::Positive),
        ("[0, 1]", Self::Unit),
        ("(0, 1)", Self::OpenUnit),
        ("{-1, 1}", Self::Sign),
    ];

    /// Is this number in the domain? NaN is let through: it comes out as NaN.
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
    pub fn contains<T: crate::number::Real>(self, x: T) -> bool {
        let (zero, one) = (T::default(), T::from_f64(1.0));
        let inside = match self {
            Self::Real | Self::LogProbability => true,
            Self::Unit => (x >= zero) & (x <= one),
            Self::Sign => (x == one) | (x == -one),
            Self::NonNegative => x >= zero,
            Self::Positive => x > zero,
            Self::OpenUnit => (x > zero) & (x < one),
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
            Self::LogProbability => "the logarithm of a probability",
            Self::OpenUnit => "above 0 and below 1",
        })
    }
}

/// From an interval such as `[0, 1]`, or `{-1, 1}`.
impl FromStr for Domain {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let plain = |text: &str| text.replace([' ', '+'], "");
        let known = Self::WRITTEN.iter().find(|(written, _)| plain(written) == plain(text));
        known.map(|(_, domain)| *domain).ok_or_else(|| {
            let choices = "one of (-inf, inf) [0, inf) (0, inf) [0, 1] (0, 1) {-1, 1}";
            Error::UnknownChoice { what: "domain", found: text.to_owned(), choices }
        })
    }
}

/// What the numbers of a row are, for a loss over a class axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowForm {
    /// One for each class.
    Classes,
    /// A score, then the thresholds between the classes, which must increase: as many numbers as
    /// classes.
    ScoreAndThresholds,
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
    /// All numbers but plus infinity.
    pub const BELOW_INFINITY: Self = Self { low_included: true, ..Self::FINITE };
    /// Finite numbers from -1.
    pub const FROM_MINUS_ONE: Self = Self { low: -1.0, ..Self::NON_NEGATIVE };
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
    /// 1 or 2.
    pub const ONE_OR_TWO: Self = Self { high: 2.0, high_included: true, ..Self::COUNT };
    /// From 1 to 2, both included.
    pub const ONE_TO_TWO: Self = Self { high: 2.0, high_included: true, ..Self::AT_LEAST_ONE };
    /// Above 0, up to 1.
    pub const ABOVE_ZERO_TO_ONE: Self = Self { low_included: false, ..Self::UNIT };
    /// Finite numbers up to 0.
    pub const NON_POSITIVE: Self = Self { high: 0.0, high_included: true, ..Self::FINITE };
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

/// Whether data can tell what a parameter should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It cannot: the parameter says what is wanted.
    Setting,
    /// It can: the parameter is a scale of the residuals, in the unit of the target.
    Scale,
    /// It can: the parameter says how heavy the tails of the residuals are.
    Shape,
}

/// What stands in for the second derivative where an optimiser needs one that is never negative:
/// Newton steps, gradient boosting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Curvature {
    /// The second derivative, and 0 where it is negative: itself for a convex loss.
    #[default]
    NonNegative,
    /// Gradient over residual: the weight of iteratively re-weighted least squares, by which the loss
    /// is bounded from above by a parabola. For losses of the residual that outliers pull little on.
    ///
    /// Holland and Welsch (1977), doi:10.1080/03610927708827533.
    Weight,
    /// 1, as boosters take it for losses that are linear between their kinks.
    One,
}

impl Curvature {
    /// What it is, in words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NonNegative => "the second derivative, 0 where that is negative",
            Self::Weight => "gradient / residual, the weight of re-weighted least squares",
            Self::One => "1",
        }
    }

    /// Puts the curvatures in place of the second derivatives. `residual` gives prediction - target
    /// by position.
    pub(crate) fn put<T: crate::number::Real>(
        self,
        residual: impl Fn(usize) -> T,
        gradient: &[T],
        second: &mut [T],
    ) {
        let zero = T::default();
        for (at, (second, &gradient)) in second.iter_mut().zip(gradient).enumerate() {
            let positive = if *second < zero { zero } else { *second };
            let r = residual(at);
            let curvature = match self {
                Self::NonNegative => positive,
                Self::Weight => {
                    if r == zero {
                        positive
                    } else {
                        gradient / r
                    }
                }
                Self::One => T::from_f64(1.0),
            };
            // NaN in, NaN out.
            *second = if gradient.is_nan() { gradient } else { curvature };
        }
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
    /// Whether data can tell what it should be.
    pub role: Role,
    /// What it is, with its unit.
    pub meaning: &'static str,
}

/// One of several numbers that are predicted for one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name: its symbol in the formula.
    pub name: &'static str,
    /// The numbers that it may be.
    pub domain: Domain,
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
    /// For which values of parameters it holds: name, relation (`<`, `<=`, `==`, `!=`, `>=`, `>`) and
    /// limit, all of them. The first fact that holds counts.
    pub conditions: &'static [(&'static str, &'static str, f64)],
    /// Where it comes from.
    pub source: Source,
}

impl Known {
    /// Whether it holds for the parameters of a loss.
    #[must_use]
    pub fn applies(&self, loss: &Loss) -> bool {
        let value = |name: &str| {
            let names = loss.description().parameters.iter().map(|parameter| parameter.name);
            names.zip(loss.parameters()).find(|(known, _)| *known == name).map(|(_, &value)| value)
        };
        self.conditions.iter().all(|&(name, relation, limit)| {
            value(name).is_some_and(|value| match relation {
                "<" => value < limit,
                "<=" => value <= limit,
                "==" => value == limit,
                "!=" => value != limit,
                ">=" => value >= limit,
                ">" => value > limit,
                _ => false,
            })
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
    /// The numbers that a prediction may be. Where there are components each has its own.
    pub prediction: Domain,
    /// What a prediction is, in words.
    pub prediction_meaning: &'static str,
    /// The numbers that make up a prediction, in order, if it has a fixed number of them with
    /// meanings of their own.
    pub components: &'static [Component],
    /// The numbers that a target may be.
    pub target: Domain,
    /// What the numbers of a row are, for a loss over a class axis.
    pub row_form: RowForm,
    /// What turns the prediction into the predicted quantity, if it is a raw score.
    pub link: Option<&'static str>,
    /// The parameters.
    pub parameters: &'static [Parameter],
    /// Names of numbers that follow from the parameters and are computed once, in f64.
    pub prepared: &'static [&'static str],
    /// Value and slope at the optimum; dropped constants and factors.
    pub optimum: &'static str,
    /// Behaviour at the limits and at kinks.
    pub limits: &'static str,
    /// How other libraries differ.
    pub peers: &'static str,
    /// Author, year, title, DOI or arXiv.
    pub reference: &'static str,
    /// The loss of a row, where a formula of one class that stands for all cannot say it.
    pub row_loss: Option<&'static str>,
    /// What stands in for the second derivative where it must not be negative.
    pub curvature: Curvature,
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
            components: &[],
            target: Domain::Real,
            row_form: RowForm::Classes,
            link: None,
            parameters: &[],
            prepared: &[],
            optimum: "",
            limits: "",
            peers: "",
            reference: "",
            row_loss: None,
            curvature: Curvature::NonNegative,
            row_gradient: None,
            known: &[],
            usual: false,
        }
    }

    /// The numbers that one of the predicted numbers may be: that component, that class.
    #[must_use]
    pub fn prediction_domain(&self, place: usize) -> Domain {
        self.components.get(place).map_or(self.prediction, |component| component.domain)
    }

    /// The names of the components, in order.
    #[must_use]
    pub fn component_names(&self) -> Vec<&'static str> {
        self.components.iter().map(|component| component.name).collect()
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
/// The text becomes both the documentation of the struct and its [`Description`]. A parameter that is
/// a scale of the residuals is marked so, `delta = 1.0 in POSITIVE scale: "..."`, and can be chosen
/// from data for it (see [`choose`](crate::choose)); one that says how heavy their tails are, `shape`.
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
    (@role) => { $crate::Role::Setting };
    (@role scale) => { $crate::Role::Scale };
    (@role shape) => { $crate::Role::Shape };
    (@optional) => { None };
    (@optional $value:expr) => { Some($value) };
    (
        #[doc = $summary:literal]
        $name:ident: $id:literal {
            aliases: [$($alias:literal),* $(,)?],
            task: $task:ident,
            prediction: $prediction:ident $prediction_meaning:literal,
            $(components: { $(
                $component:ident: $component_domain:ident $component_meaning:literal
            ),* $(,)? },)?
            target: $target:ident,
            $(row_form: $row_form:ident,)?
            $(link: $link:literal,)?
            parameters: { $(
                $parameter:ident = $default:literal in $range:ident $($role:ident)?: $meaning:literal
            ),* $(,)? },
            $(prepared: { $($prepared:ident = $preparation:expr),* $(,)? },)?
            optimum: $optimum:literal,
            limits: $limits:literal,
            peers: $peers:literal,
            reference: $reference:literal,
            $(curvature: $curvature:ident,)?
            $(row_loss: $row_loss:literal,)?
            $(row_gradient: $row_gradient:literal,)?
            $(known: { $(
                $property:ident: $answer:ident $(($number:expr))? $(= $detail:literal)?
                $(when $($condition:ident $relation:tt $limit:literal),+)? $source:literal
            ),* $(,)? },)?
            usual: $usual:literal $(,)?
        }
    ) => {
        #[doc = $summary]
        ///
        #[doc = concat!("In text: `", $id, "`.")]
        ///
        #[doc = concat!("**Prediction**: ", $prediction_meaning, ".")]
        $($(#[doc = concat!(
            "\n\n**Component** `", stringify!($component), "`: ", $component_meaning, "."
        )])*)?
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
            // What follows from the parameters and takes long to compute.
            $($($prepared: f64,)*)?
        }

        impl $name {
            fn prepare($($parameter: f64),*) -> Self {
                $($(let $prepared = $preparation;)*)?
                Self { $($parameter,)* $($($prepared,)*)? }
            }

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
                Self::prepare($($default),*)
            }
        }

        impl $crate::Described for $name {
            const DESCRIPTION: $crate::Description = $crate::Description {
                aliases: &[$($alias),*],
                task: $crate::Task::$task,
                prediction: $crate::Domain::$prediction,
                prediction_meaning: $prediction_meaning,
                $(components: &[$($crate::Component {
                    name: stringify!($component),
                    domain: $crate::Domain::$component_domain,
                    meaning: $component_meaning,
                }),*],)?
                target: $crate::Domain::$target,
                $(row_form: $crate::RowForm::$row_form,)?
                $(link: Some($link),)?
                parameters: &[$($crate::Parameter {
                    name: stringify!($parameter),
                    default: $default,
                    range: $crate::Range::$range,
                    role: $crate::loss!(@role $($role)?),
                    meaning: $meaning,
                }),*],
                $(prepared: &[$(stringify!($prepared)),*],)?
                optimum: $optimum,
                limits: $limits,
                peers: $peers,
                reference: $reference,
                $(row_loss: Some($row_loss),)?
                $(curvature: $crate::Curvature::$curvature,)?
                $(row_gradient: Some($row_gradient),)?
                $(known: &[$($crate::Known {
                    property: $crate::Property::named(stringify!($property)),
                    answer: $crate::Answer::named(stringify!($answer)),
                    number: $crate::loss!(@optional $($number)?),
                    detail: $crate::loss!(@optional $($detail)?),
                    conditions: &[$($((
                        stringify!($condition), stringify!($relation), $limit as f64
                    )),+)?],
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
                Ok(Self::prepare($({ let $parameter = values.next(); $parameter.unwrap_or($default) }),*))
            }
        }
    };
}
