//! A loss that was given as text: its formula, the derivatives that follow from it, and the steps by
//! which blocks of examples are computed.

use super::parse::{Parsed, parse};
use crate::describe::{Description, Domain, Task};
use crate::error::Error;
use crate::kernel::tape::Tape;
use crate::kernel::{InstructionSet, Outputs, PointwiseKernels};
use crate::number::{Expr, Formula, Jet};
use std::fmt;

/// The largest number of parts of the loss, and of each of its derivatives, if they are written out.
const PARTS: [u64; 3] = [2_000, 100_000, 1_000_000];

/// A loss that was given as text.
pub(crate) struct Typed {
    /// The loss alone.
    loss: Formula,
    /// Loss, gradient and second derivative.
    all: Formula,
    /// How they are computed: with no, one and two derivatives.
    tapes: [Tape; 3],
    prediction: Domain,
    target: Domain,
}

impl Typed {
    /// Reads the text of a loss.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Parsed { formula, prediction, target } = parse(text)?;
        Self::new(formula, prediction, target).map_err(|reason| Error::Formula {
            text: text.to_owned(),
            at: 0,
            reason,
        })
    }

    /// The same with another value for a parameter.
    pub fn with(&self, name: &'static str, value: f64) -> Result<Self, Error> {
        let mut loss = self.loss.clone();
        for (known, old) in &mut loss.parameters {
            if *known == name {
                *old = value;
            }
        }
        let reason = || format!("{name} = {value} is no finite number");
        let new = if value.is_finite() {
            Self::new(loss, self.prediction, self.target)
        } else {
            Err(reason())
        };
        new.map_err(|reason| Error::Formula { text: self.to_string(), at: 0, reason })
    }

    fn new(loss: Formula, prediction: Domain, target: Domain) -> Result<Self, String> {
        let size = |formula: &Formula, order: usize| {
            let parts = parts(formula)[formula.results[order]];
            let what = ["the loss", "its gradient", "its second derivative"][order];
            if parts <= PARTS[order] {
                return Ok(());
            }
            Err(format!("{what} has more than {} parts if it is written out", PARTS[order]))
        };
        size(&loss, 0)?;
        let mut missing = None;
        let all = Formula::trace(|| {
            let jets = loss.evaluate(|name| match name {
                "p" => Some(Jet::variable(Expr::symbol("p"))),
                "y" => Some(Jet::fixed(Expr::symbol("y"))),
                _ => None,
            });
            // The loss is traced without derivatives, so that it stays as it is written.
            let plain = loss.evaluate(|name| matches!(name, "p" | "y").then(|| Expr::symbol(name)));
            match jets.and_then(|jets| Ok((plain?[0], jets[0]))) {
                Ok((loss, jet)) => vec![loss, jet.gradient(), jet.curvature()],
                Err(name) => {
                    missing = Some(name);
                    Vec::new()
                }
            }
        });
        if let Some(name) = missing {
            return Err(format!("{name} has no value"));
        }
        size(&all, 1)?;
        size(&all, 2)?;
        let tapes = [0, 1, 2].map(|order| Tape::new(&all, order));
        Ok(Self { loss, all, tapes, prediction, target })
    }

    /// The parameters and their values.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.loss.parameters.iter().copied().filter(|(name, _)| *name != "pi")
    }

    /// What there is to say about it.
    pub fn description(&self) -> &'static Description {
        let place = |domain: Domain| Domain::WRITTEN.iter().position(|(_, known)| *known == domain);
        match (place(self.prediction), place(self.target)) {
            (Some(prediction), Some(target)) => &DESCRIPTIONS[prediction][target],
            _ => &DESCRIPTIONS[0][0],
        }
    }
}

impl Formula {
    /// Reads a formula of `p` and `y`, and of parameters and other names that are defined behind it: the text
    /// of [`Loss::typed`](crate::Loss::typed), which makes a loss of it.
    ///
    /// ```
    /// use lossfn::Formula;
    ///
    /// let formula = Formula::parse("abs(r)^a; r = p - y; a = 1.5")?;
    /// assert_eq!(formula.to_string(), "abs(p - y)^a");
    /// assert_eq!(formula.parameters, [("a", 1.5)]);
    /// let value = formula.evaluate(|name| Some(if name == "p" { 5.0 } else { 1.0 }));
    /// assert_eq!(value, Ok(vec![8.0]));
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Formula`] with the character at which the text cannot be read.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Typed::parse(text)?.loss)
    }
}

/// For each domain of the prediction and of the target, in the order of [`Domain::WRITTEN`].
static DESCRIPTIONS: [[Description; Domain::WRITTEN.len()]; Domain::WRITTEN.len()] = {
    let plain = Description::own("formula", "A loss by its formula.");
    let mut all = [[plain; Domain::WRITTEN.len()]; Domain::WRITTEN.len()];
    let mut prediction = 0;
    while prediction < Domain::WRITTEN.len() {
        let mut target = 0;
        while target < Domain::WRITTEN.len() {
            let domains = (Domain::WRITTEN[prediction].1, Domain::WRITTEN[target].1);
            let task = match domains {
                (_, Domain::Sign) | (Domain::Unit | Domain::OpenUnit, Domain::Unit) => Task::Binary,
                _ => Task::Regression,
            };
            let (prediction_domain, target_domain) = domains;
            all[prediction][target] =
                Description { task, prediction: prediction_domain, target: target_domain, ..plain };
            target += 1;
        }
        prediction += 1;
    }
    all
};

/// For each node how many there are below it if nothing is shared.
fn parts(formula: &Formula) -> Vec<u64> {
    let mut parts: Vec<u64> = Vec::with_capacity(formula.nodes.len());
    for node in &formula.nodes {
        let below = node.operands().into_iter().map(|at| parts[at]);
        parts.push(below.fold(1, u64::saturating_add));
    }
    parts
}

impl PointwiseKernels for Typed {
    fn run_f32(&self, set: InstructionSet, prediction: &[f32], target: &[f32], to: Outputs<f32>) {
        self.tapes[order(&to)].run(set, prediction, target, to);
    }

    fn run_f64(&self, set: InstructionSet, prediction: &[f64], target: &[f64], to: Outputs<f64>) {
        self.tapes[order(&to)].run(set, prediction, target, to);
    }

    fn reference(&self, prediction: f64, target: f64) -> Jet<f64> {
        let (prediction, target) = (Jet::variable(prediction), Jet::fixed(target));
        let values = self.loss.evaluate(|name| Some(if name == "p" { prediction } else { target }));
        // Every other name has a value: `new` saw to that.
        values.map_or_else(|_| Jet::fixed(f64::NAN), |values| values[0])
    }

    fn formula(&self) -> Formula {
        self.all.clone()
    }
}

fn order<T>(to: &Outputs<T>) -> usize {
    match (to.gradient.is_empty(), to.second.is_empty()) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    }
}

/// The text, which parses back.
impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.loss)?;
        for (name, value) in self.parameters() {
            write!(f, "; {name} = {value:?}")?;
        }
        for (name, domain) in [("p", self.prediction), ("y", self.target)] {
            if let Some((text, _)) = Domain::WRITTEN.iter().find(|(_, known)| *known == domain)
                && domain != Domain::Real
            {
                write!(f, "; {name} in {text}")?;
            }
        }
        Ok(())
    }
}
