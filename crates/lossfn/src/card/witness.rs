//! What refutes a claim: an inequality between losses at stated points, which anyone can check.

use super::short;

/// A loss at a point, with the factor that it is multiplied by.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The factor.
    pub factor: f64,
    /// The prediction: one number, or a row.
    pub prediction: Vec<f64>,
    /// The target, likewise.
    pub target: Vec<f64>,
}

impl Term {
    pub(super) fn at(factor: f64, prediction: f64, target: f64) -> Self {
        Self { factor, prediction: vec![prediction], target: vec![target] }
    }
}

/// Points at which a claim fails: the sum of the terms and the constant is above 0, or at least 0 where
/// `is_strict` is false, which it could not be if the claim held.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The losses.
    pub terms: Vec<Term>,
    /// What is added to them.
    pub constant: f64,
    /// Whether the sum must be above 0 and not just at least 0.
    pub is_strict: bool,
    /// The same in words.
    pub text: String,
}

impl Witness {
    pub(super) fn new(terms: Vec<Term>, constant: f64, text: String) -> Self {
        Self { terms, constant, is_strict: true, text }
    }

    pub(super) fn or_equal(self) -> Self {
        Self { is_strict: false, ..self }
    }

    /// The sum, by plain arithmetic.
    #[must_use]
    pub fn sum(&self, loss: impl Fn(&[f64], &[f64]) -> f64) -> f64 {
        let term = |term: &Term| term.factor * loss(&term.prediction, &term.target);
        self.terms.iter().map(term).sum::<f64>() + self.constant
    }
}

/// Numbers in few digits, in parentheses if they are several.
pub(super) fn shown(numbers: &[f64]) -> String {
    match numbers {
        [one] => short(*one),
        all => format!("({})", all.iter().map(|x| short(*x)).collect::<Vec<_>>().join(", ")),
    }
}
