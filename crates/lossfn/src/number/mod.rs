//! The abstract number that a loss formula is written over, and its instances.
//!
//! | instance | gives |
//! |---|---|
//! | [`f64`] | the plain value, by the standard library: the reference path |
//! | [`Lane`] | f32 or f64 in branch-free arithmetic that the compiler widens to vectors |
//! | [`Jet`] | value, first and second derivative over any other instance |
//! | [`Interval`] | where a number lies: outwardly rounded bounds |
//! | [`Expr`] | the formula itself, as an expression graph |
#![allow(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "arithmetic whose result is not used is seen by its absence"
)]

mod expr;
mod interval;
mod jet;
mod lane;
mod real;

pub use expr::{Binary, Comparison, Condition, Expr, Formula, Node, Unary};
pub use interval::{Certain, Interval};
pub use jet::Jet;
pub use lane::{Fused, Isa, Lane, Unfused};
pub use real::Real;

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// The outcome of comparing two [`Number`]s.
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {}

impl Mask for bool {}

/// What a loss formula may do with a number.
///
/// Conventions that hold for every instance:
/// - NaN in gives NaN out; `min` and `max` do not lose it. A comparison with NaN is false.
/// - The slope of `abs` at 0 is 0, and so is that of `positive_part`. Where two branches of
///   `max`, `min` or `select` meet, the slope is that of the branch which the comparison picks.
/// - Branch with `if` on parameters and with [`Number::select`] on data: both sides of a `select`
///   are computed, and the side that is not picked may be anything, NaN included.
pub trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// What comparisons give.
    type Mask: Mask;

    /// A number that does not depend on the data.
    fn constant(value: f64) -> Self;

    /// A parameter of the loss: a constant that keeps its name in the formula's text.
    #[inline(always)]
    fn parameter(_name: &'static str, value: f64) -> Self {
        Self::constant(value)
    }

    /// A constant that follows from parameters, computed in f64; `symbolic` is the same as a
    /// formula. Computed in f32 from a rounded parameter, 1 - 0.999 would lose its digits.
    #[inline(always)]
    fn derived(value: f64, _symbolic: impl FnOnce() -> Self) -> Self {
        Self::constant(value)
    }

    /// `self < other`.
    fn less_than(self, other: Self) -> Self::Mask;
    /// `self <= other`.
    fn at_most(self, other: Self) -> Self::Mask;
    /// `self == other`.
    fn equals(self, other: Self) -> Self::Mask;
    /// `chosen` where the mask is true, else `otherwise`.
    fn select(mask: Self::Mask, chosen: Self, otherwise: Self) -> Self;

    /// |x|.
    fn abs(self) -> Self;
    /// -1, 0 or 1: the slope of [`Number::abs`].
    fn sign(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// e^x.
    fn exp(self) -> Self;
    /// e^x - 1, exact for small x.
    fn expm1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), exact for small x.
    fn ln1p(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;

    /// The logistic function 1 / (1 + e^-x).
    fn sigmoid(self) -> Self;
    /// ln(1 + e^x).
    fn softplus(self) -> Self;
    /// ln(cosh x), exact for small x, without overflow for large.
    fn ln_cosh(self) -> Self;
    /// x ln(y), and 0 where x is 0 whatever y is.
    fn xlogy(self, y: Self) -> Self;
    /// x ln(1 + y), and 0 where x is 0 whatever y is.
    fn xlog1py(self, y: Self) -> Self;

    /// x².
    #[inline(always)]
    fn square(self) -> Self {
        self * self
    }

    /// The larger of the two; NaN if either is.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::select(other.less_than(self) | !self.equals(self), self, other)
    }

    /// The smaller of the two; NaN if either is.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self::select(self.less_than(other) | !self.equals(self), self, other)
    }

    /// max(x, 0), with slope 0 at 0.
    #[inline(always)]
    fn positive_part(self) -> Self {
        self.max(Self::constant(0.0))
    }

    /// The sum of many numbers: the classes of a row.
    fn total(terms: impl IntoIterator<Item = Self>) -> Self {
        terms.into_iter().reduce(|sum, term| sum + term).unwrap_or_else(|| Self::constant(0.0))
    }
}
