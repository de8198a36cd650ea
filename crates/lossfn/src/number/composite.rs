//! Functions of two numbers with a form and with derivatives of their own.

use super::jet::{scale, sum};
use super::{Isa, Jet, Lane, Number, Real};

/// A function of two numbers of which a better form is known than its definition: one that does not
/// cancel, overflow, or make NaN of an infinity times 0, in its value or in its derivatives.
///
/// The text of a formula shows the definition; [`Number::composite`] computes the better form.
pub trait Composite: Copy {
    /// The function as it is defined.
    fn definition<N: Number>(self, x: N, y: N) -> N;
    /// Its value, in the better form.
    #[inline(always)]
    fn value<N: Number>(self, x: N, y: N) -> N {
        self.definition(x, y)
    }
    /// Its partial derivatives. What is not needed costs nothing: the compiler removes it.
    fn partials<N: Number>(self, x: N, y: N) -> Partials<N>;
}

/// The first and second partial derivatives of a function of two numbers.
#[derive(Clone, Copy, Debug)]
pub struct Partials<N> {
    /// By the first.
    pub x: N,
    /// By the second.
    pub y: N,
    /// Twice by the first.
    pub xx: N,
    /// By both.
    pub xy: N,
    /// Twice by the second.
    pub yy: N,
}

impl<N: Number> Jet<N> {
    #[inline(always)]
    pub(super) fn composite_rule<C: Composite>(self, other: Self, composite: C) -> Self {
        let value = self.value.composite(other.value, composite);
        if self.first.is_none() && other.first.is_none() {
            return Self::fixed(value);
        }
        let d = composite.partials(self.value, other.value);
        let square = |first: Option<N>, bend: N| Some(first? * first? * bend);
        let mixed = match (self.first, other.first) {
            (Some(x), Some(y)) => Some(x * y * d.xy * 2.0),
            _ => None,
        };
        let squares = sum(square(self.first, d.xx), square(other.first, d.yy));
        let bends = sum(scale(self.second, d.x), scale(other.second, d.y));
        Self {
            value,
            first: sum(scale(self.first, d.x), scale(other.first, d.y)),
            second: sum(sum(squares, mixed), bends),
        }
    }

    #[inline(always)]
    pub(super) fn times_exp_rule(self, y: Self) -> Self {
        let value = self.value.times_exp(y.value);
        // e^y alone may overflow where the product does not.
        let by_x = |a: Option<N>| Some(a?.times_exp(y.value));
        let mixed = match (self.first, y.first) {
            (Some(x), Some(y)) => Some(x * y * 2.0),
            _ => None,
        };
        let square = y.first.map(|first| value * first * first);
        Self {
            value,
            first: sum(by_x(self.first), scale(y.first, value)),
            second: sum(sum(by_x(self.second), scale(y.second, value)), sum(by_x(mixed), square)),
        }
    }

    #[inline(always)]
    pub(super) fn half_square_times_exp_rule(self, y: Self) -> Self {
        self.composite_rule(y, HalfSquareTimesExp)
    }
}

/// x² e^y / 2.
#[derive(Clone, Copy)]
struct HalfSquareTimesExp;

impl Composite for HalfSquareTimesExp {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, y: N) -> N {
        x.half_square_times_exp(y)
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, y: N) -> Partials<N> {
        let (value, slope) = (x.half_square_times_exp(y), x.times_exp(y));
        Partials { x: slope, y: value, xx: y.exp(), xy: slope, yy: value }
    }
}

impl<T: Real, I: Isa> Lane<T, I> {
    /// e^(y + ln 2 twos) = (1 + p) f0 f1 f2 f3, far beyond the range in which one factor would do.
    #[inline(always)]
    fn exp_factors(y: Self, twos: f64) -> (Self, [Self; 4]) {
        let reach = T::from_f64(3.0);
        let (lowest, highest) = (T::EXP_LOWEST * reach, T::EXP_HIGHEST * reach);
        let y = Self::pick(y.0 < lowest, Self::new(lowest), y);
        let y = Self::pick(y.0 > highest, Self::new(highest), y);
        let rounding = Self::new(T::ROUNDING);
        let n = y.fused(Self::new(T::LOG2_E), rounding) - rounding;
        let r = n.fused(Self::new(-T::LN2_HIGH), y);
        let r = n.fused(Self::new(-T::LN2_LOW), r);
        let p = (r * r).fused(r.polynomial(T::EXP), r);
        let n = n + twos;
        let half = n.fused(Self::constant(0.5), rounding);
        let rest = n - (half - rounding) + rounding;
        let (a, b, _) = T::split_power_of_two(half.0);
        let (c, d, _) = T::split_power_of_two(rest.0);
        (p, [a, b, c, d].map(Self::new))
    }

    /// See [`Number::times_exp`].
    #[inline(always)]
    pub(super) fn times_exp_lane(self, y: Self) -> Self {
        // Half of the result first: it does not overflow before the result does.
        let (p, [a, b, c, d]) = Self::exp_factors(y, -1.0);
        self * b * c * d * p.fused(a, a) * 2.0
    }

    /// See [`Number::half_square_times_exp`].
    #[inline(always)]
    pub(super) fn half_square_times_exp_lane(self, y: Self) -> Self {
        let (p, [a, b, c, d]) = Self::exp_factors(y, -1.0);
        (self * b * d) * (self * c * p.fused(a, a))
    }
}
