//! What a check found, with its evidence.

use crate::points::Precision;
use lossfn::{Card, Witness};
use std::fmt;

macro_rules! kinds {
    ($($variant:ident $id:literal $title:literal $doc:literal)*) => {
        /// What is wrong, or worth knowing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind {
            $(#[doc = $doc] $variant,)*
        }

        impl FindingKind {
            /// All kinds, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name for programs.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The name for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

kinds! {
    WrongGradient "wrong_gradient" "wrong gradient" "A derivative is not that of the loss, even with many digits."
    WrongValue "wrong_value" "wrong value" "What is computed is another function than the formula."
    UndefinedGradient "undefined_gradient" "undefined gradient" "A derivative is not a number where the loss has a slope."
    Undefined "undefined" "undefined" "The loss is no number somewhere inside its domain."
    Overflow "overflow" "overflow" "The computed loss or derivative is infinite or not a number where the true one is an ordinary number."
    LostDigits "lost_digits" "lost digits" "Rounding leaves fewer than half of the digits."
    Noise "noise" "noise" "Between neighbouring points the loss jumps by more than its digits allow."
    IgnoresPrediction "ignores_prediction" "ignores the prediction" "All predictions cost the same."
    IgnoresTarget "ignores_target" "ignores the target" "All targets cost the same."
    NoGradient "no_gradient" "no gradient" "The gradient is 0 wherever it was looked at, though the loss is not constant."
    NoMinimumAtTarget "no_minimum_at_target" "no minimum at the target" "Another prediction costs less than the right one."
    Negative "negative" "negative" "The loss is below 0 somewhere."
    Jump "jump" "jump" "The loss jumps."
    Kink "kink" "kink" "The slope jumps."
    NotConvex "not_convex" "not convex" "A chord lies below the loss."
    UnboundedInfluence "unbounded_influence" "unbounded influence" "The slope grows beyond all bounds, so that one example can outweigh all others."
    NotLookedAt "not_looked_at" "not looked at" "What this check leaves out for such a loss."
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; often what is wanted.
    Note,
    /// It can hurt, at points that are rare or by little.
    Warning,
    /// It is to be mended.
    Error,
}

impl Severity {
    /// The severity in text: `note`, `warning` or `error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What was computed at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The loss.
    Loss,
    /// Its derivative by predicted number `by`.
    Gradient {
        /// Which of the predicted numbers, from 0.
        by: usize,
    },
    /// The second derivative, likewise.
    Second {
        /// Which of the predicted numbers, from 0.
        by: usize,
    },
}

impl Quantity {
    /// The loss (order 0), its slope (1) or second derivative (2).
    #[must_use]
    pub fn of_order(order: usize, by: usize) -> Self {
        match order {
            0 => Self::Loss,
            1 => Self::Gradient { by },
            _ => Self::Second { by },
        }
    }

    /// 0 for the loss, 1 for its slope, 2 for the second derivative.
    #[must_use]
    pub fn order(self) -> usize {
        match self {
            Self::Loss => 0,
            Self::Gradient { .. } => 1,
            Self::Second { .. } => 2,
        }
    }

    /// Which of the predicted numbers it is by.
    #[must_use]
    pub fn by(self) -> usize {
        match self {
            Self::Loss => 0,
            Self::Gradient { by } | Self::Second { by } => by,
        }
    }

    /// The name in text: `loss`, `gradient` or `second`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["loss", "gradient", "second"][self.order()]
    }
}

/// A number at a point, beside the true one.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// What was predicted: one number, or a row.
    pub prediction: Vec<f64>,
    /// The target, likewise.
    pub target: Vec<f64>,
    /// What was computed.
    pub quantity: Quantity,
    /// The arithmetic that it was computed in.
    pub precision: Precision,
    /// What came out.
    pub found: f64,
    /// What it is in truth, in decimal digits, where that is known: `4.2483542552915890e-18`, `inf`.
    pub truth: Option<String>,
    /// How many decimal digits are right, if both are numbers.
    pub digits: Option<f64>,
}

impl Evidence {
    /// How far out the point is: the largest magnitude of its numbers.
    #[must_use]
    pub fn reach(&self) -> f64 {
        self.prediction.iter().chain(&self.target).fold(0.0, |reach, x| reach.max(x.abs()))
    }
}

/// A number as it is read: in full where that is short.
pub(crate) fn shown(x: f64) -> String {
    let x = x + 0.0;
    if x == 0.0 || !x.is_finite() || (1e-4..1e7).contains(&x.abs()) {
        format!("{x}")
    } else {
        format!("{x:e}")
    }
}

/// One number, or several in parentheses.
fn row(numbers: &[f64]) -> String {
    match numbers {
        [one] => shown(*one),
        all => format!("({})", all.iter().map(|x| shown(*x)).collect::<Vec<_>>().join(", ")),
    }
}

/// `prediction 40, target 0, f64: loss 0, truth 4.2483542552915890e-18, 0 digits right`
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "prediction {}, target {}", row(&self.prediction), row(&self.target))?;
        write!(f, ", {}: {}", self.precision.name(), self.quantity.name())?;
        if self.prediction.len() > 1 && self.quantity.order() > 0 {
            write!(f, " by number {}", self.quantity.by() + 1)?;
        }
        write!(f, " {}", shown(self.found))?;
        if let Some(truth) = &self.truth {
            write!(f, ", truth {truth}")?;
        }
        match self.digits {
            Some(digits) => write!(f, ", {digits:.0} digits right"),
            None => Ok(()),
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, in plain words.
    pub message: String,
    /// Where, with numbers; the worst point first.
    pub evidence: Vec<Evidence>,
    /// An inequality between losses that shows it, for what is a matter of several points.
    pub witness: Option<Witness>,
    /// How to mend it.
    pub advice: Option<String>,
    /// A formula that is the same function and does not have this fault where it was found, as text.
    pub proposal: Option<String>,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, severity: Severity, message: impl Into<String>) -> Self {
        let (evidence, message) = (Vec::new(), message.into());
        Self { kind, severity, message, evidence, witness: None, advice: None, proposal: None }
    }

    pub(crate) fn advice(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    pub(crate) fn evidence(self, evidence: Vec<Evidence>) -> Self {
        Self { evidence, ..self }
    }

    pub(crate) fn witness(self, witness: Option<Witness>) -> Self {
        Self { witness, ..self }
    }
}

/// A heading, then a line for each piece of evidence.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:8} {}: {}", self.severity, self.kind, self.message)?;
        for evidence in &self.evidence {
            writeln!(f, "         {evidence}")?;
        }
        if let Some(advice) = &self.advice {
            writeln!(f, "         {advice}")?;
        }
        match &self.proposal {
            Some(proposal) => writeln!(f, "         instead: {proposal}"),
            None => Ok(()),
        }
    }
}

/// Everything that was found, the worst first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The loss, as text; empty for a function without a name.
    pub loss: String,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The number of points that were looked at.
    pub points: usize,
    /// The loss's card; that of a function without a formula has no lines.
    pub card: Card,
}

impl Report {
    /// Whether there are no errors.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.of_severity(Severity::Error) == 0
    }

    /// How many findings matter so much.
    #[must_use]
    pub fn of_severity(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// The findings of a kind.
    pub fn of_kind(&self, kind: FindingKind) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.kind == kind)
    }

    /// `2 errors, 1 note; 412 points looked at`
    #[must_use]
    pub fn summary(&self) -> String {
        let counted = |severity| {
            let count = self.of_severity(severity);
            let plural = if count == 1 { "" } else { "s" };
            (count > 0).then(|| format!("{count} {severity}{plural}"))
        };
        let all = [Severity::Error, Severity::Warning, Severity::Note];
        let counts: Vec<String> = all.into_iter().filter_map(counted).collect();
        let counts = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
        format!("{counts}; {} points looked at", self.points)
    }

    pub(crate) fn sort(&mut self) {
        self.findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.kind));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.loss.is_empty() { "" } else { ": " };
        writeln!(f, "{}{separator}{}", self.loss, self.summary())?;
        self.findings.iter().try_for_each(|finding| write!(f, "{finding}"))
    }
}
