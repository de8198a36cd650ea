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

mod coefficients;
mod composite;
mod expr;
mod interval;
mod jet;
mod lane;
mod power;
mod real;
mod sigmoid;
mod special;
mod wide;

pub use composite::{Composite, Partials};
pub(crate) use expr::for_each;
pub use expr::{Binary, Comparison, Condition, Expr, Formula, Node, Unary};
pub use interval::{Certain, Interval};
pub use jet::Jet;
pub use lane::{Fused, Isa, Lane, Unfused};
pub use real::Real;
pub(crate) use special::{pick, stirling};
pub(crate) use wide::total;
pub use wide::{Double, Wide};

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// The outcome of comparing two [`Number`]s.
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {}

impl Mask for bool {}

/// A number in units of a scale.
#[derive(Clone, Copy, Debug)]
pub struct InUnits<N> {
    /// The number.
    pub number: N,
    pub(crate) scale: N,
    /// Whether derivatives are those of the quotient. Else they are by the number before it was divided,
    /// so that no factor is multiplied in and divided out again.
    pub(crate) by_rule: bool,
}

impl<N: Number> InUnits<N> {
    /// A function of the number, times the square of the scale.
    #[inline(always)]
    pub fn in_their_squares(&self, function: N) -> N {
        function.in_square_units(self.scale, self.by_rule)
    }
}

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

    /// A parameter of the loss: a constant that keeps its name in the formula's text. So does `pi`.
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
    /// x e^y, without overflow of e^y, and 0 where x is 0 whatever y is.
    fn times_exp(self, y: Self) -> Self;
    /// x² e^y / 2, without overflow of x² or e^y, and 0 where x is 0 whatever y is.
    fn half_square_times_exp(self, y: Self) -> Self;
    /// A function of this and another number that has a form and derivatives of its own.
    #[inline(always)]
    fn composite<C: Composite>(self, y: Self, composite: C) -> Self {
        composite.value(self, y)
    }

    /// Whether it is a formula that people read, or is made of such.
    const IS_FORMULA: bool = false;
    /// x^exponent for x >= 0. The exponent is a number that follows from parameters; `symbolic` is
    /// the same as a formula.
    fn power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self;
    /// |x|^exponent for an exponent of at least 1, which is smooth at 0 where `abs` is not.
    fn abs_power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self;
    /// The same function written in two ways: the value is taken from the first, the derivatives from
    /// the second. For where no single form keeps the digits of both.
    fn rewritten(value: Self, slopes: Self) -> Self;
    /// A function of x whose derivatives are known in a form without cancellation.
    fn with_derivatives(x: Self, value: Self, slope: Self, bend: Self) -> Self;
    /// This number in units of a scale, for a loss that is scale² f(x / scale).
    #[inline(always)]
    fn in_units(self, scale: Self) -> InUnits<Self> {
        InUnits { number: self / scale, scale, by_rule: true }
    }
    /// f(x / scale) times scale²: see [`InUnits::in_their_squares`].
    #[inline(always)]
    fn in_square_units(self, scale: Self, _by_rule: bool) -> Self {
        self * scale * scale
    }
    /// e^(factor x), without the rounding of the product. The factor as in [`Number::power`].
    fn exp_scaled(self, factor: f64, symbolic: impl Fn() -> Self) -> Self;
    /// (1 + x²)^(exponent + offset), without overflow of the square. The exponent as in
    /// [`Number::power`]; the offset is a small number of halves.
    fn power1p_square(self, exponent: f64, offset: f64, symbolic: impl Fn() -> Self) -> Self;
    /// (1 + x²)^exponent - 1, exact for small x. The exponent as in [`Number::power`].
    fn power1p_square_m1(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self;
    /// ln(1 + x²), exact for small x, without overflow for large.
    fn ln1p_square(self) -> Self;
    /// √(1 + x²) - 1, exact for small x, without overflow for large.
    fn sqrt1p_square_m1(self) -> Self;
    /// x² / (1 + x²), without overflow of the square.
    fn square_share(self) -> Self;
    /// The inverse tangent of x², without overflow of the square.
    fn atan_square(self) -> Self;
    /// e^(factor x²) for a factor below 0.
    fn exp_square(self, factor: f64) -> Self;
    /// e^(factor x²) - 1 for a factor below 0, exact for small x.
    fn expm1_square(self, factor: f64) -> Self;
    /// e^x - 1 - x, exact for small x.
    fn expm1_minus(self) -> Self;

    /// sigmoid(x)^exponent, without the rounding of the base. The exponent as in [`Number::power`].
    fn sigmoid_power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self;
    /// factor * sigmoid(-x) - sigmoid(x), exact near its zero. The factor, 0 or more, as in
    /// [`Number::power`].
    fn sigmoid_balance(self, factor: f64, symbolic: impl Fn() -> Self) -> Self;
    /// x, but no more than where e^-x has long been 0: beside that a larger x makes no difference,
    /// but an infinite one times 0 would be NaN.
    #[inline(always)]
    fn until_decayed(self) -> Self {
        self.min(Self::constant(1e4))
    }
    /// sigmoid(x)^gamma softplus(x): what focal loss charges a class whose probability is
    /// sigmoid(-x). gamma, 0 or more, as the exponent in [`Number::power`].
    fn focal(self, gamma: f64, symbolic: impl Fn() -> Self) -> Self;
    /// softplus(x) + epsilon sigmoid(x), exact also where the two nearly cancel. epsilon, -1 or
    /// more, as the exponent in [`Number::power`].
    fn poly1(self, epsilon: f64, symbolic: impl Fn() -> Self) -> Self;
    /// 2 atan(x) - 1, exact near its zero, tan(1/2).
    fn tangent_angle(self) -> Self;
    /// sigmoid(x) - y, exact also where the two are near each other, for a y from 0 to 1 that is a
    /// target or a parameter. `exact` is the value of a parameter, before it was rounded.
    fn sigmoid_gap(self, y: Self, exact: Option<f64>) -> Self;
    /// |sigmoid(x) - y|^exponent. y as in [`Number::sigmoid_gap`], the exponent as in
    /// [`Number::power`].
    fn sigmoid_gap_power(
        self,
        y: Self,
        exact: Option<f64>,
        exponent: f64,
        symbolic: impl Fn() -> Self,
    ) -> Self;
    /// |sigmoid(x) - y|^beta (y softplus(-x) + (1 - y) softplus(x)), for a y between 0 and 1 that is a
    /// target. beta, 1 or more, as the exponent in [`Number::power`].
    #[inline(always)]
    fn quality_focal(self, y: Self, beta: f64, symbolic: impl Fn() -> Self) -> Self {
        let cross_entropy = y * (-self).softplus() + (Self::constant(1.0) - y) * self.softplus();
        self.sigmoid_gap_power(y, None, beta, symbolic) * cross_entropy
    }
    /// Sine, for every finite x: whole turns are left out exactly.
    fn sin(self) -> Self;
    /// Cosine, for every finite x: whole turns are left out exactly.
    fn cos(self) -> Self;
    /// Inverse tangent, in [-π/2, π/2].
    fn atan(self) -> Self;
    /// 1 / (1 + x²), the slope of [`Number::atan`].
    fn inverse1p_square(self) -> Self;
    /// The error function, 2/√π times the integral of e^(-t²) from 0 to x.
    fn erf(self) -> Self;
    /// e^(-x²), to the last digit however large x is.
    fn exp_minus_square(self) -> Self;
    /// The density of the standard normal distribution, φ(x) = e^(-x²/2) / √(2π).
    fn normal_density(self) -> Self;
    /// The distribution function of the standard normal distribution, Φ(x), exact in its lower tail.
    fn normal_cdf(self) -> Self;
    /// The continuous ranked probability score of the standard normal distribution at x,
    /// x (2 Φ(x) - 1) + 2 φ(x) - 1/√π.
    fn normal_crps(self) -> Self;
    /// The logarithm of the gamma function, for x > 0; exact near its roots, 1 and 2. NaN for x < 0.
    fn ln_gamma(self) -> Self;
    /// The derivative of ln Γ, for x > 0; exact near its root. NaN for x < 0.
    fn digamma(self) -> Self;
    /// The second derivative of ln Γ, for x > 0. NaN for x < 0.
    fn trigamma(self) -> Self;
    /// The logarithm of the modified Bessel function I₀, exact for small x, without overflow for
    /// large.
    fn ln_bessel_i0(self) -> Self;
    /// I₁(x) / I₀(x), the derivative of ln I₀: the mean resultant length of a von Mises distribution.
    fn bessel_ratio(self) -> Self;
    /// The derivative of I₁/I₀, which is 1 - A/x - A² with A = I₁(x)/I₀(x), without cancellation.
    fn bessel_ratio_slope(self) -> Self;

    /// e^x - y, exact where x is near 0.
    #[inline(always)]
    fn exp_minus(self, y: Self) -> Self {
        let one = Self::constant(1.0);
        let far = self.exp() - y;
        if Self::IS_FORMULA {
            return far;
        }
        Self::select(self.abs().less_than(one), self.expm1() + (one - y), far)
    }

    /// y e^x - c, exact where x is near 0.
    #[inline(always)]
    fn times_exp_minus(self, y: Self, c: f64) -> Self {
        let one = Self::constant(1.0);
        let far = y.times_exp(self) - c;
        if Self::IS_FORMULA {
            return far;
        }
        Self::select(self.abs().less_than(one), y * self.expm1() + (y - c), far)
    }

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

    /// The largest of some numbers; of equal ones the first has the slope. NaN if one is, and
    /// minus infinity if there is none.
    fn largest(terms: impl DoubleEndedIterator<Item = Self>) -> Self {
        // `max` takes the slope of its argument where the two are equal.
        let largest = terms.rev().reduce(Self::max);
        largest.unwrap_or_else(|| Self::constant(f64::NEG_INFINITY))
    }

    /// 0, but NaN for NaN: what a part that does not count leaves.
    #[inline(always)]
    fn nothing(self) -> Self {
        let zero = Self::constant(0.0);
        self.max(zero).min(zero)
    }

    /// The sum of many numbers: the classes of a row.
    fn total(terms: impl IntoIterator<Item = Self>) -> Self {
        terms.into_iter().reduce(|sum, term| sum + term).unwrap_or_else(|| Self::constant(0.0))
    }
}
