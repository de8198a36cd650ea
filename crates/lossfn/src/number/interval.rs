//! The instance of [`Number`] that knows where a number lies: interval arithmetic.
//!
//! A new function of [`Number`] takes one line here: [`Interval::growing`] where it grows, its
//! negative where it falls, [`Interval::even`] where it grows on both sides of 0; a function of
//! another shape is the smallest interval over its pieces.

use super::{Mask, Number};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// All numbers from `low` to `high`; an infinite end means that there is no bound.
///
/// What is computed has every result for numbers in the arguments, in exact arithmetic: ends are
/// rounded outwards, and only where they are rounded at all. Where a function is not defined on the
/// whole of its argument, nothing is known and the interval is [`Interval::ANY`].
///
/// A comparison is decided if it holds for all but isolated numbers: x < 1 holds on [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    low: f64,
    high: f64,
}

/// The outcome of comparing intervals: `None` where it differs from number to number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certain(pub Option<bool>);

impl BitAnd for Certain {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(false), _) | (_, Some(false)) => Self(Some(false)),
            (Some(true), Some(true)) => Self(Some(true)),
            _ => Self(None),
        }
    }
}

impl BitOr for Certain {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        !(!self & !other)
    }
}

impl Not for Certain {
    type Output = Self;
    fn not(self) -> Self {
        Self(self.0.map(|truth| !truth))
    }
}

impl Mask for Certain {}

/// How many places the reference functions for f64 may be off.
const PLACES: usize = 8;
/// Below this, what is lost in rounding cannot be told from 0.
const TINY: f64 = 1e-250;

impl Interval {
    /// All numbers.
    pub const ANY: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// From one number to another.
    ///
    /// # Panics
    /// If they are in the wrong order or not numbers.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        assert!(low <= high, "{low} to {high} is no interval");
        Self { low, high }
    }

    /// The lower end.
    #[must_use]
    pub fn low(self) -> f64 {
        self.low
    }

    /// The upper end.
    #[must_use]
    pub fn high(self) -> f64 {
        self.high
    }

    /// Whether a number lies in it; NaN does.
    #[must_use]
    pub fn contains(self, x: f64) -> bool {
        !(x < self.low || x > self.high)
    }

    /// The single number that it is, if it is one.
    #[must_use]
    pub fn point(self) -> Option<f64> {
        (self.low == self.high).then_some(self.low)
    }

    /// The largest magnitude.
    #[must_use]
    pub fn magnitude(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// The smallest interval that has both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// What both have; this one if that is nothing, which rounding alone can bring about.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        if low <= high { Self { low, high } } else { self }
    }

    /// Takes the ends as they come; a NaN stands for no bound, and an overflow for a large number.
    fn ends(low: f64, high: f64) -> Self {
        Self {
            low: if low.is_nan() { f64::NEG_INFINITY } else { low.min(f64::MAX) },
            high: if high.is_nan() { f64::INFINITY } else { high.max(f64::MIN) },
        }
    }

    /// A function that grows and lies within `bounds`, by its values for f64.
    #[must_use]
    pub fn growing(self, function: impl Fn(f64) -> f64, bounds: (f64, f64)) -> Self {
        let (low, high) = (function(self.low), function(self.high));
        // A function that is 0 at 0 is exactly so.
        let exact = |x: f64, value: f64| x == 0.0 && value == 0.0 || value.is_infinite();
        let down = |x, value| if exact(x, value) { value } else { moved(value, -1) };
        let up = |x, value| if exact(x, value) { value } else { moved(value, 1) };
        let ends = Self::ends(down(self.low, low), up(self.high, high));
        Self { low: ends.low.max(bounds.0), high: ends.high.min(bounds.1) }
    }

    /// A function that is the same for x and -x and grows with |x|.
    #[must_use]
    pub fn even(self, function: impl Fn(f64) -> f64, bounds: (f64, f64)) -> Self {
        Number::abs(self).growing(function, bounds)
    }

    /// A function that falls.
    fn falling(self, function: impl Fn(f64) -> f64, bounds: (f64, f64)) -> Self {
        -self.growing(|x| -function(x), (-bounds.1, -bounds.0))
    }
    /// A function that is the same for x and -x and falls with |x|.
    fn even_falling(self, function: impl Fn(f64) -> f64, bounds: (f64, f64)) -> Self {
        Number::abs(self).falling(function, bounds)
    }
    /// A function that falls up to `least` and grows from there.
    fn valley(self, function: impl Fn(f64) -> f64, least: f64) -> Self {
        let part = |low: f64, high: f64| Self { low, high };
        match (self.low < least, self.high > least) {
            (true, true) => part(self.low, least)
                .falling(&function, UNBOUNDED)
                .hull(part(least, self.high).growing(&function, UNBOUNDED)),
            (true, false) => self.falling(function, UNBOUNDED),
            _ => self.growing(function, UNBOUNDED),
        }
    }
    /// A wave of period 2π with its highest point at `crest`.
    fn wave(self, function: impl Fn(f64) -> f64, crest: f64) -> Self {
        use std::f64::consts::{PI, TAU};
        if self.magnitude() > 1e6 || self.high - self.low >= TAU {
            return Self { low: -1.0, high: 1.0 };
        }
        // A little more than the interval, so that rounding misses no crest.
        let holds = |at: f64| {
            let turns = ((self.low - 1e-9 - at) / TAU).ceil();
            at + turns * TAU <= self.high + 1e-9
        };
        let (a, b) = (function(self.low), function(self.high));
        let low = if holds(crest + PI) { -1.0 } else { moved(a.min(b), -1) };
        let high = if holds(crest) { 1.0 } else { moved(a.max(b), 1) };
        Self { low: low.max(-1.0), high: high.min(1.0) }
    }

    /// The smallest interval that has all these combinations of ends.
    fn corners(corners: [(f64, f64); 4]) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (down, up) in corners {
            low = low.min(down);
            high = high.max(up);
        }
        Self::ends(low, high)
    }
}

/// A value moved by some places, away from the truth.
fn moved(value: f64, direction: i32) -> f64 {
    let next = if direction < 0 { f64::next_down } else { f64::next_up };
    (0..PLACES).fold(value, |value, _| next(value))
}

/// A rounded result with the sign of what the rounding left over: its bounds from below and above.
fn bounds(rounded: f64, rest: f64, is_known: bool) -> (f64, f64) {
    if rounded.is_infinite() {
        // The sum or product of finite numbers overflowed.
        return if rounded > 0.0 { (f64::MAX, rounded) } else { (rounded, f64::MIN) };
    }
    let down = !is_known || rest < 0.0;
    let up = !is_known || rest > 0.0;
    (if down { rounded.next_down() } else { rounded }, if up { rounded.next_up() } else { rounded })
}

fn sum(a: f64, b: f64) -> (f64, f64) {
    let rounded = a + b;
    if a.is_infinite() || b.is_infinite() {
        return (rounded, rounded);
    }
    let part = rounded - a;
    let rest = (a - (rounded - part)) + (b - part);
    bounds(rounded, rest, rest.is_finite())
}

fn product(a: f64, b: f64) -> (f64, f64) {
    // Infinite ends stand for no bound: 0 times anything is 0.
    if a == 0.0 || b == 0.0 {
        return (0.0, 0.0);
    }
    let rounded = a * b;
    if a.is_infinite() || b.is_infinite() {
        return (rounded, rounded);
    }
    bounds(rounded, a.mul_add(b, -rounded), rounded.abs() > TINY)
}

fn quotient(a: f64, b: f64) -> (f64, f64) {
    if a == 0.0 {
        return (0.0, 0.0);
    }
    if a.is_infinite() && b.is_infinite() {
        // Other corners have the bounds.
        return (f64::INFINITY, f64::NEG_INFINITY);
    }
    let rounded = a / b;
    if a.is_infinite() || b.is_infinite() {
        return (rounded, rounded);
    }
    let rest = (-rounded).mul_add(b, a) * b.signum();
    bounds(rounded, rest, rounded.abs() > TINY && a.abs() > TINY && rounded.is_finite())
}

impl Add for Interval {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::ends(sum(self.low, other.low).0, sum(self.high, other.high).1)
    }
}

impl Sub for Interval {
    type Output = Self;
    #[allow(clippy::suspicious_arithmetic_impl, reason = "a difference is a sum")]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Interval {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::corners([
            product(self.low, other.low),
            product(self.low, other.high),
            product(self.high, other.low),
            product(self.high, other.high),
        ])
    }
}

impl Div for Interval {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        if other.low == 0.0 && other.high == 0.0 {
            return Self::ANY;
        }
        if self.low == 0.0 && self.high == 0.0 {
            return self;
        }
        if other.low < 0.0 && other.high > 0.0 {
            return Self::ANY;
        }
        // The zero at an end is reached from the other end's side.
        let low = if other.low == 0.0 { 0.0 } else { other.low };
        let high = if other.high == 0.0 { -0.0 } else { other.high };
        Self::corners([
            quotient(self.low, low),
            quotient(self.low, high),
            quotient(self.high, low),
            quotient(self.high, high),
        ])
    }
}

impl Neg for Interval {
    type Output = Self;
    fn neg(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }
}

impl Add<f64> for Interval {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self + Self::constant(other)
    }
}

impl Sub<f64> for Interval {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        self - Self::constant(other)
    }
}

impl Mul<f64> for Interval {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        self * Self::constant(factor)
    }
}

impl Div<f64> for Interval {
    type Output = Self;
    fn div(self, divisor: f64) -> Self {
        self / Self::constant(divisor)
    }
}

const POSITIVE: (f64, f64) = (0.0, f64::INFINITY);
const UNBOUNDED: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// Just above π/2.
const QUARTER_TURN: f64 = 1.570_796_326_794_896_8;
/// Where the gamma function is least.
const LEAST_GAMMA: f64 = 1.461_632_144_968_362_3;

impl Number for Interval {
    type Mask = Certain;

    fn constant(value: f64) -> Self {
        if value.is_nan() { Self::ANY } else { Self { low: value, high: value } }
    }
    fn derived(_value: f64, symbolic: impl FnOnce() -> Self) -> Self {
        symbolic()
    }
    fn less_than(self, other: Self) -> Certain {
        Certain(if self.low >= other.high {
            Some(false)
        } else if self.high <= other.low {
            Some(true)
        } else {
            None
        })
    }
    fn at_most(self, other: Self) -> Certain {
        !other.less_than(self)
    }
    fn equals(self, other: Self) -> Certain {
        Certain(if self.low == other.high && self.high == other.low {
            Some(true)
        } else if self.low >= other.high || self.high <= other.low {
            Some(false)
        } else {
            None
        })
    }
    fn select(mask: Certain, chosen: Self, otherwise: Self) -> Self {
        match mask.0 {
            Some(true) => chosen,
            Some(false) => otherwise,
            None => chosen.hull(otherwise),
        }
    }
    fn abs(self) -> Self {
        if self.low >= 0.0 {
            self
        } else if self.high <= 0.0 {
            -self
        } else {
            Self { low: 0.0, high: self.magnitude() }
        }
    }
    fn sign(self) -> Self {
        let low = if self.low < 0.0 { -1.0 } else { f64::from(u8::from(self.high > 0.0)) };
        let high = if self.high > 0.0 { 1.0 } else { -f64::from(u8::from(self.low < 0.0)) };
        Self { low, high }
    }
    fn max(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.max(other.high) }
    }
    fn min(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.min(other.high) }
    }
    fn square(self) -> Self {
        let Self { low, high } = Number::abs(self);
        Self::ends(product(low, low).0, product(high, high).1)
    }
    fn sqrt(self) -> Self {
        if self.low < 0.0 { Self::ANY } else { self.growing(f64::sqrt, POSITIVE) }
    }
    fn exp(self) -> Self {
        self.growing(f64::exp, POSITIVE)
    }
    fn expm1(self) -> Self {
        self.growing(f64::exp_m1, (-1.0, f64::INFINITY))
    }
    fn ln(self) -> Self {
        if self.low < 0.0 { Self::ANY } else { self.growing(f64::ln, UNBOUNDED) }
    }
    fn ln1p(self) -> Self {
        if self.low < -1.0 { Self::ANY } else { self.growing(f64::ln_1p, UNBOUNDED) }
    }
    fn tanh(self) -> Self {
        self.growing(f64::tanh, (-1.0, 1.0))
    }
    fn sigmoid(self) -> Self {
        self.growing(Number::sigmoid, (0.0, 1.0))
    }
    fn softplus(self) -> Self {
        self.growing(Number::softplus, POSITIVE)
    }
    fn ln_cosh(self) -> Self {
        self.even(Number::ln_cosh, POSITIVE)
    }
    fn xlogy(self, y: Self) -> Self {
        self * y.ln()
    }
    fn xlog1py(self, y: Self) -> Self {
        self * y.ln1p()
    }
    fn times_exp(self, y: Self) -> Self {
        self * y.exp()
    }
    fn half_square_times_exp(self, y: Self) -> Self {
        self.square() * y.exp() / 2.0
    }
    fn with_derivatives(_x: Self, value: Self, _slope: Self, _bend: Self) -> Self {
        value
    }
    fn power(self, exponent: f64, _: impl Fn() -> Self) -> Self {
        let power = |x: f64| x.powf(exponent);
        if self.low < 0.0 {
            Self::ANY
        } else if exponent >= 0.0 {
            self.growing(power, POSITIVE)
        } else {
            self.falling(power, POSITIVE)
        }
    }
    fn abs_power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        Number::abs(self).power(exponent, symbolic)
    }
    fn rewritten(value: Self, slopes: Self) -> Self {
        value.both(slopes)
    }
    fn exp_scaled(self, factor: f64, _: impl Fn() -> Self) -> Self {
        (self * factor).exp()
    }
    fn power1p_square(self, exponent: f64, offset: f64, s: impl Fn() -> Self) -> Self {
        (self.square() + 1.0).power(exponent + offset, s)
    }
    fn power1p_square_m1(self, exponent: f64, s: impl Fn() -> Self) -> Self {
        self.power1p_square(exponent, 0.0, s) - 1.0
    }
    fn ln1p_square(self) -> Self {
        self.even(Number::ln1p_square, POSITIVE)
    }
    fn sqrt1p_square_m1(self) -> Self {
        self.even(Number::sqrt1p_square_m1, POSITIVE)
    }
    fn square_share(self) -> Self {
        self.even(Number::square_share, (0.0, 1.0))
    }
    fn atan_square(self) -> Self {
        self.even(Number::atan_square, (0.0, QUARTER_TURN))
    }
    fn exp_square(self, factor: f64) -> Self {
        (self.square() * factor).exp()
    }
    fn expm1_square(self, factor: f64) -> Self {
        (self.square() * factor).expm1()
    }
    fn expm1_minus(self) -> Self {
        self.valley(Number::expm1_minus, 0.0)
    }
    fn sigmoid_power(self, e: f64, s: impl Fn() -> Self) -> Self {
        self.sigmoid().power(e, s)
    }
    fn sigmoid_balance(self, factor: f64, _: impl Fn() -> Self) -> Self {
        self.falling(|x| x.sigmoid_balance(factor, || factor), UNBOUNDED)
    }
    fn focal(self, gamma: f64, _: impl Fn() -> Self) -> Self {
        self.growing(|x| x.focal(gamma, || gamma), POSITIVE)
    }
    fn poly1(self, epsilon: f64, _: impl Fn() -> Self) -> Self {
        self.growing(|x| x.poly1(epsilon, || epsilon), UNBOUNDED)
    }
    fn tangent_angle(self) -> Self {
        self.growing(Number::tangent_angle, UNBOUNDED)
    }
    fn sigmoid_gap(self, y: Self, _: Option<f64>) -> Self {
        self.sigmoid() - y
    }
    fn sigmoid_gap_power(self, y: Self, exact: Option<f64>, e: f64, s: impl Fn() -> Self) -> Self {
        self.sigmoid_gap(y, exact).abs_power(e, s)
    }
    fn sin(self) -> Self {
        self.wave(f64::sin, std::f64::consts::FRAC_PI_2)
    }
    fn cos(self) -> Self {
        self.wave(f64::cos, 0.0)
    }
    fn atan(self) -> Self {
        self.growing(f64::atan, (-QUARTER_TURN, QUARTER_TURN))
    }
    fn inverse1p_square(self) -> Self {
        self.even_falling(Number::inverse1p_square, (0.0, 1.0))
    }
    fn erf(self) -> Self {
        self.growing(Number::erf, (-1.0, 1.0))
    }
    fn exp_minus_square(self) -> Self {
        self.even_falling(Number::exp_minus_square, (0.0, 1.0))
    }
    fn normal_density(self) -> Self {
        self.even_falling(Number::normal_density, (0.0, 0.4))
    }
    fn normal_cdf(self) -> Self {
        self.growing(Number::normal_cdf, (0.0, 1.0))
    }
    fn normal_crps(self) -> Self {
        self.even(Number::normal_crps, POSITIVE)
    }
    fn ln_gamma(self) -> Self {
        if self.low < 0.0 { Self::ANY } else { self.valley(Number::ln_gamma, LEAST_GAMMA) }
    }
    fn digamma(self) -> Self {
        if self.low < 0.0 { Self::ANY } else { self.growing(Number::digamma, UNBOUNDED) }
    }
    fn trigamma(self) -> Self {
        if self.low < 0.0 { Self::ANY } else { self.falling(Number::trigamma, POSITIVE) }
    }
    fn ln_bessel_i0(self) -> Self {
        self.even(Number::ln_bessel_i0, POSITIVE)
    }
    fn bessel_ratio(self) -> Self {
        self.growing(Number::bessel_ratio, (-1.0, 1.0))
    }
    fn bessel_ratio_slope(self) -> Self {
        self.even_falling(Number::bessel_ratio_slope, (0.0, 0.5))
    }
}
