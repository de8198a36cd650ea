//! Cards: what is true of a loss, and how that is known.
//!
//! Nothing here knows a loss by name. What can be computed from the formula is; what cannot is
//! declared with the loss (`known` of [`loss!`](crate::loss!)), and sampling tries to refute it.

mod classes;
mod curve;
mod parameters;
mod pointwise;
mod risk;
mod rules;
mod witness;

pub use rules::Variable;
pub(crate) use rules::shape;
pub use witness::{Term, Witness};

use crate::describe::{Known, Source};
use crate::error::Error;
use crate::loss::Loss;
use rayon::prelude::*;
use std::fmt;
use std::str::FromStr;

macro_rules! properties {
    ($($variant:ident $id:literal $title:literal $doc:literal)*) => {
        /// What a card speaks of. Everything is by the prediction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Property {
            $(#[doc = $doc] $variant,)*
        }

        impl Property {
            /// All properties, in the order in which they are shown.
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

properties! {
    Convex "convex" "convex" "No chord lies below the loss."
    StrictlyConvex "strictly_convex" "strictly convex" "Every chord lies above the loss between its ends."
    StronglyConvex "strongly_convex" "strongly convex" "Convex even after modulus / 2 times the square of the prediction is taken away; the number is the largest such modulus."
    Lipschitz "lipschitz" "Lipschitz" "Two losses differ by at most a constant times the distance of their predictions; the number is the least such constant, for rows by the Euclidean distance."
    Smooth "smooth" "smooth" "The gradient is Lipschitz; the number is its least constant."
    Differentiable "differentiable" "differentiable" "The gradient exists everywhere inside the domain; the kinks are listed."
    TwiceDifferentiable "twice_differentiable" "twice differentiable" "So does the second derivative."
    Bounded "bounded" "bounded" "No prediction costs more than some number, nor less than another; the number is the range between them."
    Symmetric "symmetric" "symmetric" "For regression: exchanging prediction and target leaves the loss as it is. For two classes: what a prediction costs under both adds up to the same for all predictions."
    Clippable "clippable" "clippable" "For each target the loss is least at a finite prediction and falls nowhere beyond it, so that predictions may be cut to a range."
    Robust "robust" "robust" "One example's influence is bounded: the slope is, or the loss itself."
    Redescending "redescending" "redescending" "The influence of an example fades to nothing the worse its prediction is."
    Proper "proper" "proper" "No prediction has a lower expected loss than the true probability, through the link of the loss."
    StrictlyProper "strictly_proper" "strictly proper" "And every other prediction has a higher one."
    Calibrated "calibrated" "calibrated" "Classification-calibrated: no prediction of a class that is not the most probable reaches the lowest expected loss."
    Elicits "elicits" "elicits" "The property of the target's distribution that the best prediction is."
    Minimiser "minimiser" "minimiser" "Where the loss is least for a given target; the number is its value there."
}

impl Property {
    /// The property with this name for programs.
    ///
    /// # Panics
    /// If there is none: at compile time, where a loss is declared.
    #[must_use]
    pub const fn named(id: &str) -> Self {
        let mut at = 0;
        while at < Self::ALL.len() {
            if is_same(Self::ALL[at].id(), id) {
                return Self::ALL[at];
            }
            at += 1;
        }
        panic!("there is no such property")
    }

    /// Whether it is a question of yes or no.
    #[must_use]
    pub fn is_question(self) -> bool {
        !matches!(self, Self::Elicits | Self::Minimiser)
    }
}

/// Comparison of texts at compile time.
const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

impl FromStr for Property {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let named = |property: &&Self| property.id() == text.replace('-', "_");
        Self::ALL.iter().find(named).copied().ok_or_else(|| Error::UnknownChoice {
            what: "property",
            found: text.to_owned(),
            choices: "one that `lossfn describe` shows, such as convex or strictly-convex",
        })
    }
}

/// Whether a loss has a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// That is not known.
    Unknown,
}

impl Answer {
    /// The answer with this name.
    ///
    /// # Panics
    /// If there is none: at compile time, where a loss is declared.
    #[must_use]
    pub const fn named(name: &str) -> Self {
        if is_same(name, "yes") {
            Self::Yes
        } else if is_same(name, "no") {
            Self::No
        } else if is_same(name, "unknown") {
            Self::Unknown
        } else {
            panic!("an answer is yes, no or unknown")
        }
    }

    /// The answer in text: `yes`, `no` or `unknown`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an answer is known.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// It follows from the parts of the formula, or from other answers.
    Rule(String),
    /// Interval arithmetic shows it for all predictions in a range.
    Proved {
        /// The range.
        range: String,
    },
    /// The literature says so.
    Cited(String),
    /// Sampling did not refute it: it is not proved.
    Sampled {
        /// At so many points.
        points: usize,
    },
    /// It is refuted by a witness.
    Refuted,
    /// It is not.
    Open,
}

impl How {
    /// A word for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rule(_) => "rule",
            Self::Proved { .. } => "proved",
            Self::Cited(_) => "cited",
            Self::Sampled { .. } => "sampled",
            Self::Refuted => "refuted",
            Self::Open => "open",
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(text) => write!(f, "by rule: {text}"),
            Self::Proved { range } => write!(f, "proved by interval arithmetic for {range}"),
            Self::Cited(text) => write!(f, "{text}"),
            Self::Sampled { points } => write!(f, "not refuted at {points} points"),
            Self::Refuted => f.write_str("refuted"),
            Self::Open => f.write_str("neither proved nor refuted"),
        }
    }
}

/// One line of a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub property: Property,
    /// Whether the loss has it.
    pub answer: Answer,
    /// The constant, modulus, range or value that belongs to the property.
    pub number: Option<f64>,
    /// More in words: kinks, the functional, what the witness shows.
    pub detail: String,
    /// How the answer is known.
    pub how: How,
    /// What refutes it, where the answer is no.
    pub witness: Option<Witness>,
    /// How the answer changes with the parameters, if it does.
    pub depends: Option<String>,
}

impl Fact {
    fn new(property: Property, answer: Answer, how: How) -> Self {
        let (number, detail, witness, depends) = (None, String::new(), None, None);
        Self { property, answer, number, detail, how, witness, depends }
    }

    fn yes(property: Property, how: How) -> Self {
        Self::new(property, Answer::Yes, how)
    }

    fn rule(property: Property, text: impl Into<String>) -> Self {
        Self::yes(property, How::Rule(text.into()))
    }

    fn unknown(property: Property) -> Self {
        Self::new(property, Answer::Unknown, How::Open)
    }

    fn no(property: Property, witness: Witness) -> Self {
        let detail = witness.text.clone();
        Self { detail, witness: Some(witness), ..Self::new(property, Answer::No, How::Refuted) }
    }

    fn number(self, number: f64) -> Self {
        Self { number: Some(number + 0.0), ..self }
    }

    fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// A line that was declared with the loss.
    fn declared(known: &Known) -> Self {
        let how = match known.source {
            Source::Rule(text) => How::Rule(text.to_owned()),
            Source::Cited(text) => How::Cited(text.to_owned()),
        };
        Self {
            number: known.number,
            detail: known.detail.unwrap_or_default().to_owned(),
            ..Self::new(known.property, known.answer, how)
        }
    }
}

/// A number in few digits.
fn short(x: f64) -> String {
    let rounded = round_to(x, 6);
    if rounded.is_infinite() {
        (if x > 0.0 { "infinity" } else { "-infinity" }).to_owned()
    } else if rounded == 0.0 || (1e-3..1e6).contains(&rounded.abs()) {
        format!("{}", rounded + 0.0)
    } else {
        format!("{rounded:e}")
    }
}

/// A number rounded to so many significant digits.
fn round_to(x: f64, digits: usize) -> f64 {
    format!("{x:.*e}", digits - 1).parse().unwrap_or(x)
}

/// `yes, 1 (kinks at r = 0); proved by interval arithmetic for all residuals`
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = String::new();
        if self.property.is_question() {
            head.push_str(self.answer.name());
            if let Some(number) = self.number {
                head = format!("{head}, {}", short(number));
            }
            if !self.detail.is_empty() {
                head = format!("{head}: {}", self.detail);
            }
        } else if self.answer == Answer::Yes {
            head.push_str(&self.detail);
            if let Some(number) = self.number {
                head = format!("{head}, with value {}", short(number));
            }
        } else {
            head.push_str(self.answer.name());
        }
        f.write_str(&head)?;
        if !matches!(self.how, How::Refuted | How::Open) {
            write!(f, "; {}", self.how)?;
        }
        match &self.depends {
            Some(depends) => write!(f, "; {depends}"),
            None => Ok(()),
        }
    }
}

/// Everything that is known of a loss with its parameters. What does not apply, such as being proper
/// for a loss of regression, is not on its card.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Card {
    facts: Vec<Fact>,
}

impl Card {
    /// The lines, in the order of [`Property::ALL`].
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// What is said about a property.
    #[must_use]
    pub fn get(&self, property: Property) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.property == property)
    }

    /// Whether the loss has a property; unknown where it does not apply.
    #[must_use]
    pub fn answer(&self, property: Property) -> Answer {
        self.get(property).map_or(Answer::Unknown, |fact| fact.answer)
    }

    /// The cards of many losses, on all threads.
    #[must_use]
    pub fn of_all(losses: &[Loss]) -> Vec<Self> {
        losses.par_iter().map(Self::of).collect()
    }

    /// The card of a loss, as by [`Loss::card`].
    pub(crate) fn of(loss: &Loss) -> Self {
        let (mut card, _) = Self::computed(loss);
        let declared = loss.description().known.iter().filter(|known| known.applies(loss));
        for known in declared {
            let declared = Fact::declared(known);
            let Some(own) = card.facts.iter_mut().find(|fact| fact.property == known.property)
            else {
                card.facts.push(declared);
                continue;
            };
            // What is refuted or proved needs no citation; the rest does.
            let is_weak = matches!(own.how, How::Open | How::Sampled { .. });
            if is_weak && (own.answer == known.answer || own.answer == Answer::Unknown) {
                let number = declared.number.or(own.number);
                let witness = own.witness.take();
                *own = Fact { number, witness, ..declared };
            } else if own.number.is_none() && own.answer == known.answer {
                own.number = declared.number;
            }
        }
        rules::complete(&mut card);
        card.facts.sort_by_key(|fact| fact.property);
        card
    }

    /// What follows from the formula alone, and the number of points that were tried.
    fn computed(loss: &Loss) -> (Self, usize) {
        if loss.pointwise_kernels().is_some() {
            pointwise::card(loss)
        } else if loss.class_kernels().is_some() {
            classes::card(loss)
        } else {
            (Self::default(), 0)
        }
    }

    fn put(&mut self, fact: Fact) {
        self.facts.retain(|other| other.property != fact.property);
        self.facts.push(fact);
    }
}

impl Loss {
    /// What is true of the loss at its parameters, and how that is known.
    ///
    /// ```
    /// use lossfn::{Answer, Loss, Property};
    ///
    /// let card = "huber(delta=2)".parse::<Loss>()?.card();
    /// let lipschitz = card.get(Property::Lipschitz).expect("it applies");
    /// assert_eq!((lipschitz.answer, lipschitz.number), (Answer::Yes, Some(2.0)));
    /// assert_eq!(card.answer(Property::StrictlyConvex), Answer::No);
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    #[must_use]
    pub fn card(&self) -> Card {
        Card::of(self)
    }

    /// The card, which also says where an answer is another for other values of a parameter.
    #[must_use]
    pub fn card_over_parameters(&self) -> Card {
        parameters::card(self)
    }

    /// The declared facts that the formula refutes or proves wrong. There are none in the catalog.
    #[must_use]
    pub fn contradictions(&self) -> Vec<String> {
        let (card, _) = Card::computed(self);
        let mut found = Vec::new();
        for known in self.description().known.iter().filter(|known| known.applies(self)) {
            let Some(own) = card.get(known.property) else { continue };
            if own.answer != Answer::Unknown
                && known.answer != Answer::Unknown
                && own.answer != known.answer
            {
                found.push(format!(
                    "{self}: {} is declared {}, but {own}",
                    known.property, known.answer
                ));
            }
            if let (Some(own), Some(known)) = (own.number, known.number)
                && (own - known).abs() > 1e-4 * own.abs().max(known.abs())
            {
                found.push(format!(
                    "{self}: {} is declared {known}, but {own}",
                    card.facts[0].property
                ));
            }
        }
        found
    }
}
