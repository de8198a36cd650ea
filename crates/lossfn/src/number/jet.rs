//! Value, first and second derivative, carried through a formula together.
//!
//! Everything here must be inlined into the kernels, or they are not widened to vectors. A closure
//! cannot be told to be; those that are called once are, so what is used twice is a function.

use super::{Composite, InUnits, Number, special};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number with its first and second derivative by one variable.
///
/// A derivative that is zero whatever the data is `None`: constants and the target have it. So
/// nothing is multiplied by such a zero (which would turn an infinity into NaN), and the compiler,
/// which sees through the `None` because it does not depend on the data, spends nothing on it.
#[derive(Clone, Copy, Debug)]
pub struct Jet<N> {
    /// The value.
    pub value: N,
    /// The first derivative; `None` is 0.
    pub first: Option<N>,
    /// The second derivative; `None` is 0.
    pub second: Option<N>,
}

impl<N: Number> Jet<N> {
    /// The variable by which the derivatives are taken.
    #[inline(always)]
    pub fn variable(value: N) -> Self {
        Self { value, first: Some(N::constant(1.0)), second: None }
    }

    /// A number that does not depend on the variable.
    #[inline(always)]
    pub fn fixed(value: N) -> Self {
        Self { value, first: None, second: None }
    }

    /// The first derivative as a number.
    #[inline(always)]
    pub fn gradient(self) -> N {
        self.first.unwrap_or_else(|| N::constant(0.0))
    }

    /// The second derivative as a number.
    #[inline(always)]
    pub fn curvature(self) -> N {
        self.second.unwrap_or_else(|| N::constant(0.0))
    }

    /// f(self), given f, f' and f'' at the value; the last two are computed only where needed.
    #[inline(always)]
    fn chain(self, value: N, slope: impl Fn() -> N, bend: impl Fn() -> N) -> Self {
        let Some(first) = self.first else { return Self::fixed(value) };
        let slope = slope();
        Self {
            value,
            first: Some(first * slope),
            second: sum(Some(first * first * bend()), scale(self.second, slope)),
        }
    }

    /// The same for a function that is linear on both sides of its kinks.
    #[inline(always)]
    fn piecewise(self, value: N, slope: N) -> Self {
        Self { value, first: scale(self.first, slope), second: scale(self.second, slope) }
    }

    #[inline(always)]
    fn pick(mask: N::Mask, chosen: Self, otherwise: Self, value: N) -> Self {
        Self {
            value,
            first: either(mask, chosen.first, otherwise.first),
            second: either(mask, chosen.second, otherwise.second),
        }
    }
}

#[inline(always)]
fn either<N: Number>(mask: N::Mask, a: Option<N>, b: Option<N>) -> Option<N> {
    if a.is_none() && b.is_none() {
        return None;
    }
    let (a, b) = (a.unwrap_or(N::constant(0.0)), b.unwrap_or(N::constant(0.0)));
    Some(N::select(mask, a, b))
}

#[inline(always)]
fn divide<N: Number>(a: Option<N>, divisor: N) -> Option<N> {
    Some(a? / divisor)
}

/// x / z, and 0 where x is 0.
#[inline(always)]
fn ratio_or_zero<N: Number>(x: N, z: N) -> N {
    let zero = N::constant(0.0);
    N::select(x.equals(zero), zero, x / z)
}

#[inline(always)]
pub(super) fn sum<N: Number>(a: Option<N>, b: Option<N>) -> Option<N> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (some, None) | (None, some) => some,
    }
}

#[inline(always)]
fn difference<N: Number>(a: Option<N>, b: Option<N>) -> Option<N> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a - b),
        (a, None) => a,
        (None, Some(b)) => Some(-b),
    }
}

#[inline(always)]
fn product<N: Number>(a: Option<N>, b: Option<N>) -> Option<N> {
    Some(a? * b?)
}

#[inline(always)]
pub(super) fn scale<N: Number>(a: Option<N>, factor: N) -> Option<N> {
    Some(a? * factor)
}

impl<N: Number> Add for Jet<N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            first: sum(self.first, other.first),
            second: sum(self.second, other.second),
        }
    }
}

impl<N: Number> Sub for Jet<N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self {
            value: self.value - other.value,
            first: difference(self.first, other.first),
            second: difference(self.second, other.second),
        }
    }
}

impl<N: Number> Mul for Jet<N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let mixed = product(self.first, other.first).map(|both| both * 2.0);
        let ends = sum(scale(self.second, other.value), scale(other.second, self.value));
        Self {
            value: self.value * other.value,
            first: sum(scale(self.first, other.value), scale(other.first, self.value)),
            second: sum(ends, mixed),
        }
    }
}

impl<N: Number> Div for Jet<N> {
    type Output = Self;
    #[inline(always)]
    #[allow(clippy::suspicious_arithmetic_impl, reason = "the quotient rule has a product")]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let first = divide(difference(self.first, scale(other.first, value)), other.value);
        let twice = scale(product(first, other.first), N::constant(2.0));
        let rest = difference(self.second, scale(other.second, value));
        Self { value, first, second: divide(difference(rest, twice), other.value) }
    }
}

impl<N: Number> Neg for Jet<N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        let minus = |a: Option<N>| Some(-a?);
        Self { value: -self.value, first: minus(self.first), second: minus(self.second) }
    }
}

impl<N: Number> Add<f64> for Jet<N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: f64) -> Self {
        Self { value: self.value + other, ..self }
    }
}

impl<N: Number> Sub<f64> for Jet<N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: f64) -> Self {
        Self { value: self.value - other, ..self }
    }
}

impl<N: Number> Mul<f64> for Jet<N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        let by = |a: Option<N>| Some(a? * factor);
        Self { value: self.value * factor, first: by(self.first), second: by(self.second) }
    }
}

impl<N: Number> Div<f64> for Jet<N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, divisor: f64) -> Self {
        let by = |a: Option<N>| Some(a? / divisor);
        Self { value: self.value / divisor, first: by(self.first), second: by(self.second) }
    }
}

impl<N: Number> Number for Jet<N> {
    type Mask = N::Mask;
    const IS_FORMULA: bool = N::IS_FORMULA;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        Self::fixed(N::constant(value))
    }
    #[inline(always)]
    fn parameter(name: &'static str, value: f64) -> Self {
        Self::fixed(N::parameter(name, value))
    }
    #[inline(always)]
    fn derived(value: f64, symbolic: impl FnOnce() -> Self) -> Self {
        Self::fixed(N::derived(value, || symbolic().value))
    }
    #[inline(always)]
    fn less_than(self, other: Self) -> N::Mask {
        self.value.less_than(other.value)
    }
    #[inline(always)]
    fn at_most(self, other: Self) -> N::Mask {
        self.value.at_most(other.value)
    }
    #[inline(always)]
    fn equals(self, other: Self) -> N::Mask {
        self.value.equals(other.value)
    }
    #[inline(always)]
    fn select(mask: N::Mask, chosen: Self, otherwise: Self) -> Self {
        Self::pick(mask, chosen, otherwise, N::select(mask, chosen.value, otherwise.value))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        let value = self.value.max(other.value);
        Self::pick(other.value.less_than(self.value), self, other, value)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        let value = self.value.min(other.value);
        Self::pick(self.value.less_than(other.value), self, other, value)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.piecewise(self.value.abs(), self.value.sign())
    }
    #[inline(always)]
    fn sign(self) -> Self {
        Self::fixed(self.value.sign())
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        let slope = || N::constant(0.5) / root;
        self.chain(root, slope, || -slope() / (self.value * 2.0))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let e = self.value.exp();
        self.chain(e, || e, || e)
    }
    #[inline(always)]
    fn expm1(self) -> Self {
        let e = || self.value.exp();
        self.chain(self.value.expm1(), e, e)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        let slope = || N::constant(1.0) / self.value;
        self.chain(self.value.ln(), slope, || -slope().square())
    }
    #[inline(always)]
    fn ln1p(self) -> Self {
        let slope = || N::constant(1.0) / (self.value + 1.0);
        self.chain(self.value.ln1p(), slope, || -slope().square())
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let tanh = self.value.tanh();
        // 1 - tanh² would lose all digits where tanh is near 1.
        let slope = || sech_squared(self.value);
        self.chain(tanh, slope, || slope() * tanh * -2.0)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let (right, left) = (self.value.sigmoid(), (-self.value).sigmoid());
        // 1 - 2 sigmoid x, exact for small x.
        let balance = || -(self.value * 0.5).tanh();
        self.chain(right, || right * left, || right * left * balance())
    }
    #[inline(always)]
    fn softplus(self) -> Self {
        let right = self.value.sigmoid();
        self.chain(self.value.softplus(), || right, || right * (-self.value).sigmoid())
    }
    #[inline(always)]
    fn ln_cosh(self) -> Self {
        self.chain(self.value.ln_cosh(), || self.value.tanh(), || sech_squared(self.value))
    }
    #[inline(always)]
    fn xlogy(self, y: Self) -> Self {
        let value = self.value.xlogy(y.value);
        // Makes 0 of -0, the wrong side to divide by.
        self.x_times_ln(y, value, || y.value.ln(), y.value + 0.0)
    }
    #[inline(always)]
    fn xlog1py(self, y: Self) -> Self {
        let value = self.value.xlog1py(y.value);
        self.x_times_ln(y, value, || y.value.ln1p(), y.value + 1.0)
    }
    #[inline(always)]
    fn times_exp(self, y: Self) -> Self {
        self.times_exp_rule(y)
    }
    #[inline(always)]
    fn half_square_times_exp(self, y: Self) -> Self {
        self.half_square_times_exp_rule(y)
    }
    #[inline(always)]
    fn composite<C: Composite>(self, y: Self, composite: C) -> Self {
        self.composite_rule(y, composite)
    }
    #[inline(always)]
    fn power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        let (x, e) = (self.value, || symbolic().value);
        if exponent < 0.0 {
            // The exponent less 1 would be rounded, which counts far out.
            let power = x.power(exponent, e);
            let slope = power / x * N::derived(exponent, e);
            let bend = slope / x * N::derived(exponent - 1.0, || e() - 1.0);
            return self.chain(power, || slope, || bend);
        }
        let slope = power_slope(x, exponent, e);
        let bend = power_slope(x, exponent - 1.0, || e() - 1.0);
        let bend = bend * N::derived(exponent, e);
        self.chain(x.power(exponent, e), || slope, || bend)
    }
    #[inline(always)]
    fn abs_power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        let (a, e) = (self.value.abs(), || symbolic().value);
        let slope = power_slope(a, exponent, e) * self.value.sign();
        // At an exponent of 1 the slope jumps and there is no bend.
        let bend = power_slope(a, exponent - 1.0, || e() - 1.0) * N::derived(exponent, e);
        self.chain(a.power(exponent, e), || slope, || bend)
    }
    #[inline(always)]
    fn with_derivatives(x: Self, value: Self, slope: Self, bend: Self) -> Self {
        x.chain(value.value, || slope.value, || bend.value)
    }
    #[inline(always)]
    fn rewritten(value: Self, slopes: Self) -> Self {
        Self { value: value.value, ..slopes }
    }
    #[inline(always)]
    fn in_units(self, scale: Self) -> InUnits<Self> {
        let by_rule = scale.first.is_some() || self.second.is_some();
        let unit = Self { value: self.value / scale.value, ..self };
        InUnits { number: if by_rule { self / scale } else { unit }, scale, by_rule }
    }
    #[inline(always)]
    fn in_square_units(self, scale: Self, by_rule: bool) -> Self {
        if by_rule {
            return self * scale * scale;
        }
        let unit = scale.value;
        let first = self.first.map(|first| first * unit);
        Self { value: self.value * unit * unit, first, second: self.second }
    }
    #[inline(always)]
    fn exp_scaled(self, factor: f64, symbolic: impl Fn() -> Self) -> Self {
        let f = || symbolic().value;
        let e = self.value.exp_scaled(factor, f);
        let slope = e * N::derived(factor, f);
        self.chain(e, || slope, || e * N::derived(factor * factor, || f() * f()))
    }
    #[inline(always)]
    fn power1p_square(self, exponent: f64, offset: f64, symbolic: impl Fn() -> Self) -> Self {
        let value = self.value.power1p_square(exponent, offset, || symbolic().value);
        self.power1p_square_rule(value, exponent, offset, || symbolic().value)
    }
    #[inline(always)]
    fn power1p_square_m1(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        let value = self.value.power1p_square_m1(exponent, || symbolic().value);
        self.power1p_square_rule(value, exponent, 0.0, || symbolic().value)
    }
    #[inline(always)]
    fn ln1p_square(self) -> Self {
        let x = self.value;
        let (small, is_far) = reciprocal_beyond(1024.0, x);
        let one = N::constant(1.0);
        let sum = small.square() + 1.0;
        // 2 (1 - x²) / (1 + x²)²; for 1/x instead of x it is -x^4 of that.
        let bend = (one - small) * (small + 1.0) * 2.0 / sum.square();
        let bend =
            if N::IS_FORMULA { bend } else { N::select(is_far, -(small.square()) * bend, bend) };
        self.chain(x.ln1p_square(), || small * 2.0 / sum, || bend)
    }
    #[inline(always)]
    fn sqrt1p_square_m1(self) -> Self {
        let (sine, cosine) = unit_hypotenuse(self.value);
        let cube = || cosine.square() * cosine;
        self.chain(self.value.sqrt1p_square_m1(), || sine, cube)
    }
    #[inline(always)]
    fn square_share(self) -> Self {
        let x = self.value;
        let (small, is_far) = reciprocal_beyond(1024.0, x);
        let square = small.square();
        let sum = square + 1.0;
        // 2x / (1 + x²)² and (2 - 6x²) / (1 + x²)³; for v = 1/x they are 2v³ / (1 + v²)² and
        // (2v² - 6) v⁴ / (1 + v²)³.
        let near = N::constant(2.0) - square * 6.0;
        let (odd, bend) = if N::IS_FORMULA {
            (x, near)
        } else {
            let far = (square * 2.0 - 6.0) * square.square();
            (N::select(is_far, square * small, small), N::select(is_far, far, near))
        };
        let bend = bend / (sum.square() * sum);
        self.chain(x.square_share(), || odd * 2.0 / sum.square(), || bend)
    }
    #[inline(always)]
    fn atan_square(self) -> Self {
        let x = self.value;
        let (small, is_far) = reciprocal_beyond(1024.0, x);
        let square = small.square();
        let fourth = square.square();
        let sum = fourth + 1.0;
        // 2x / (1 + x⁴) and (2 - 6x⁴) / (1 + x⁴)²; for v = 1/x they are 2v³ / (1 + v⁴) and
        // (2v⁴ - 6) v⁴ / (1 + v⁴)².
        let near = N::constant(2.0) - fourth * 6.0;
        let (odd, bend) = if N::IS_FORMULA {
            (x, near)
        } else {
            let far = (fourth * 2.0 - 6.0) * fourth;
            (N::select(is_far, square * small, small), N::select(is_far, far, near))
        };
        self.chain(x.atan_square(), || odd * 2.0 / sum, || bend / sum.square())
    }
    #[inline(always)]
    fn exp_square(self, factor: f64) -> Self {
        let bell = self.value.exp_square(factor);
        self.bell_rule(bell, bell, factor)
    }
    #[inline(always)]
    fn expm1_square(self, factor: f64) -> Self {
        self.bell_rule(self.value.expm1_square(factor), self.value.exp_square(factor), factor)
    }
    #[inline(always)]
    fn expm1_minus(self) -> Self {
        let slope = || self.value.expm1();
        self.chain(self.value.expm1_minus(), slope, || self.value.exp())
    }
    #[inline(always)]
    fn total(terms: impl IntoIterator<Item = Self>) -> Self {
        let terms: Vec<Self> = terms.into_iter().collect();
        let part = |of: fn(&Self) -> Option<N>| {
            let zero = || N::constant(0.0);
            let any = terms.iter().any(|term| of(term).is_some());
            any.then(|| N::total(terms.iter().map(|term| of(term).unwrap_or_else(zero))))
        };
        Self {
            value: N::total(terms.iter().map(|term| term.value)),
            first: part(|term| term.first),
            second: part(|term| term.second),
        }
    }
    #[inline(always)]
    fn sigmoid_power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        if exponent == 0.0 {
            return Self::fixed(N::constant(1.0));
        }
        let e = || symbolic().value;
        let power = self.value.sigmoid_power(exponent, e);
        let slope = N::derived(exponent, e) * (power * (-self.value).sigmoid());
        let bend = slope * self.value.sigmoid_balance(exponent, e);
        self.chain(power, || slope, || bend)
    }
    #[inline(always)]
    fn sigmoid_balance(self, factor: f64, symbolic: impl Fn() -> Self) -> Self {
        let value = self.value.sigmoid_balance(factor, || symbolic().value);
        let more = || N::derived(factor + 1.0, || symbolic().value + 1.0);
        let slope = -(more() * sigmoid_slope(self.value));
        self.chain(value, || slope, || slope * -(self.value * 0.5).tanh())
    }
    #[inline(always)]
    fn focal(self, gamma: f64, symbolic: impl Fn() -> Self) -> Self {
        if gamma == 0.0 {
            return self.softplus();
        }
        let (x, e) = (self.value, || symbolic().value);
        let factor = || N::derived(gamma, e);
        let (right, left) = (x.sigmoid(), (-x).sigmoid());
        let softplus = x.until_decayed().softplus();
        let power = x.sigmoid_power(gamma, e);
        let slope = power * (factor() * left * softplus + right);
        let bend = {
            // gamma (gamma left - right) softplus + (2 gamma + 1) right, with smaller terms.
            let square = N::derived(gamma * gamma, || e() * e());
            let most = N::derived(2.0 * gamma + 1.0, || e() * 2.0 + 1.0);
            let rest = square * left * softplus + (most - factor() * softplus) * right;
            power * left * rest
        };
        self.chain(x.focal(gamma, e), || slope, || bend)
    }
    #[inline(always)]
    fn poly1(self, epsilon: f64, symbolic: impl Fn() -> Self) -> Self {
        let (x, e) = (self.value, || symbolic().value);
        let (right, left) = (x.sigmoid(), (-x).sigmoid());
        let sum = || N::derived(1.0 + epsilon, || e() + 1.0);
        // 1 + epsilon left, as a sum of positive terms for an epsilon of either sign.
        let slope = if epsilon < 0.0 {
            sum() - N::derived(epsilon, e) * right
        } else {
            N::derived(epsilon, e) * left + 1.0
        };
        // 1 + epsilon (left - right), in the same way; for a larger epsilon it has a zero.
        let far = sum() * left + N::derived(1.0 - epsilon, || N::constant(1.0) - e()) * right;
        let bend = if epsilon <= 1.0 {
            far
        } else {
            let near = N::constant(1.0) - N::derived(epsilon, e) * (x * 0.5).tanh();
            N::select(x.abs().less_than(N::constant(1.0)), near, far)
        };
        let bend = right * (left * bend);
        self.chain(x.poly1(epsilon, e), || right * slope, || bend)
    }
    #[inline(always)]
    fn sigmoid_gap(self, y: Self, exact: Option<f64>) -> Self {
        let slope = sigmoid_slope(self.value);
        let value = self.value.sigmoid_gap(y.value, exact);
        self.chain(value, || slope, || slope * -(self.value * 0.5).tanh())
    }
    #[inline(always)]
    fn sigmoid_gap_power(
        self,
        y: Self,
        exact: Option<f64>,
        exponent: f64,
        symbolic: impl Fn() -> Self,
    ) -> Self {
        if exponent == 0.0 {
            return Self::fixed(N::constant(1.0));
        }
        let (x, y) = (self.value, y.value);
        let power = x.sigmoid_gap_power(y, exact, exponent, || symbolic().value);
        let less = x.sigmoid_gap_power(y, exact, exponent - 1.0, || symbolic().value - 1.0);
        let sign = x.sigmoid_gap(y, exact).sign();
        let slope = sigmoid_slope(x);
        let factor = N::derived(exponent, || symbolic().value);
        let along = sign * less * -(x * 0.5).tanh();
        let bend = if exponent == 1.0 {
            along
        } else {
            let least = x.sigmoid_gap_power(y, exact, exponent - 2.0, || symbolic().value - 2.0);
            let across = N::derived(exponent - 1.0, || symbolic().value - 1.0) * least * slope;
            across + along
        };
        let bend = factor * slope * bend;
        self.chain(power, || factor * (sign * less) * slope, || bend)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        let (sin, cos) = (self.value.sin(), self.value.cos());
        self.chain(sin, || cos, || -sin)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        let (sin, cos) = (self.value.sin(), self.value.cos());
        self.chain(cos, || -sin, || -cos)
    }
    #[inline(always)]
    fn atan(self) -> Self {
        let slope = self.value.inverse1p_square();
        self.chain(self.value.atan(), || slope, || decayed(slope, self.value) * slope * -2.0)
    }
    #[inline(always)]
    fn inverse1p_square(self) -> Self {
        let value = self.value.inverse1p_square();
        let along = decayed(value, self.value);
        // 2 (3 x² - 1) / (1 + x²)³
        let bend = || (along.square() * 3.0 - value.square()) * value * 2.0;
        self.chain(value, || along * value * -2.0, bend)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        let slope = self.value.exp_minus_square() * std::f64::consts::FRAC_2_SQRT_PI;
        self.chain(self.value.erf(), || slope, || decayed(slope, self.value * -2.0))
    }
    #[inline(always)]
    fn exp_minus_square(self) -> Self {
        let (x, e) = (self.value, self.value.exp_minus_square());
        let bend = || decayed(e, x.square() * 4.0 - 2.0);
        self.chain(e, || decayed(e, x * -2.0), bend)
    }
    #[inline(always)]
    fn normal_density(self) -> Self {
        let (x, density) = (self.value, self.value.normal_density());
        let bend = || decayed(density, (x - 1.0) * (x + 1.0));
        self.chain(density, || decayed(density, -x), bend)
    }
    #[inline(always)]
    fn normal_cdf(self) -> Self {
        let density = self.value.normal_density();
        self.chain(self.value.normal_cdf(), || density, || decayed(density, -self.value))
    }
    #[inline(always)]
    fn normal_crps(self) -> Self {
        let slope = || (self.value * std::f64::consts::FRAC_1_SQRT_2).erf();
        self.chain(self.value.normal_crps(), slope, || self.value.normal_density() * 2.0)
    }
    #[inline(always)]
    fn ln_gamma(self) -> Self {
        let x = self.value;
        self.chain(x.ln_gamma(), || x.digamma(), || x.trigamma())
    }
    #[inline(always)]
    fn digamma(self) -> Self {
        let x = self.value;
        self.chain(x.digamma(), || x.trigamma(), || special::polygamma::<2, _>(x))
    }
    #[inline(always)]
    fn trigamma(self) -> Self {
        let x = self.value;
        let slope = || special::polygamma::<2, _>(x);
        self.chain(x.trigamma(), slope, || special::polygamma::<3, _>(x))
    }
    #[inline(always)]
    fn ln_bessel_i0(self) -> Self {
        let x = self.value;
        self.chain(x.ln_bessel_i0(), || x.bessel_ratio(), || x.bessel_ratio_slope())
    }
    #[inline(always)]
    fn bessel_ratio(self) -> Self {
        let x = self.value;
        let (slope, bend, _) = special::bessel_ratio_derivatives(x);
        self.chain(x.bessel_ratio(), || slope, || bend)
    }
    #[inline(always)]
    fn bessel_ratio_slope(self) -> Self {
        let (slope, bend, third) = special::bessel_ratio_derivatives(self.value);
        self.chain(slope, || bend, || third)
    }
    #[inline(always)]
    fn tangent_angle(self) -> Self {
        let atan = self.atan() * 2.0;
        Self { value: self.value.tangent_angle(), ..atan }
    }
    #[inline(always)]
    fn quality_focal(self, y: Self, beta: f64, symbolic: impl Fn() -> Self) -> Self {
        let (x, y, e) = (self.value, y.value, || symbolic().value);
        // Two terms instead of four, both positive.
        let own = N::select(x.less_than(N::constant(0.0)), y, N::constant(1.0) - y);
        let size = x.abs();
        let cross_entropy = (-size).softplus() + size * own;
        let gap = x.sigmoid_gap(y, None);
        let slope = sigmoid_slope(x);
        let less = x.sigmoid_gap_power(y, None, beta - 1.0, || e() - 1.0) * gap.sign();
        let factor = || N::derived(beta, e);
        let first = less * (factor() * slope * cross_entropy + gap.square());
        let along = -(x * 0.5).tanh();
        let more = N::derived(2.0 * beta + 1.0, || e() * 2.0 + 1.0);
        // At beta = 1 the power below 0 has no part in it.
        let bend = if beta == 1.0 {
            less * slope * (along * cross_entropy + more * gap)
        } else {
            let least = x.sigmoid_gap_power(y, None, beta - 2.0, || e() - 2.0);
            let rest = N::derived(beta - 1.0, || e() - 1.0) * slope + gap * along;
            least * slope * (factor() * rest * cross_entropy + more * gap.square())
        };
        self.chain(x.quality_focal(y, beta, e), || first, || bend)
    }
}

/// e x^(e-1); 0 where e is.
#[inline(always)]
fn power_slope<N: Number>(x: N, exponent: f64, symbolic: impl Fn() -> N) -> N {
    if exponent == 0.0 {
        return N::constant(0.0);
    }
    x.power(exponent - 1.0, || symbolic() - 1.0) * N::derived(exponent, &symbolic)
}

/// x / √(1 + x²) and 1 / √(1 + x²), without overflow.
#[inline(always)]
fn unit_hypotenuse<N: Number>(x: N) -> (N, N) {
    let (small, is_far) = reciprocal_beyond(1.0, x);
    let long = N::constant(1.0) / (small.square() + 1.0).sqrt();
    let short = small * long;
    if N::IS_FORMULA {
        return (short, long);
    }
    (N::select(is_far, long * x.sign(), short), N::select(is_far, short.abs(), long))
}

/// x² / (1 + x²) and 1 / (1 + x²), without overflow.
#[inline(always)]
fn unit_hypotenuse_squares<N: Number>(x: N) -> (N, N) {
    let (small, is_far) = reciprocal_beyond(1.0, x);
    let long = N::constant(1.0) / (small.square() + 1.0);
    let short = small.square() * long;
    if N::IS_FORMULA {
        return (short, long);
    }
    (N::select(is_far, long, short), N::select(is_far, short, long))
}

/// x, or 1/x where |x| is above a limit, and which of the two it is; x in a formula.
#[inline(always)]
fn reciprocal_beyond<N: Number>(limit: f64, x: N) -> (N, N::Mask) {
    let is_far = N::constant(limit).less_than(x.abs());
    let small = if N::IS_FORMULA { x } else { N::select(is_far, N::constant(1.0) / x, x) };
    (small, is_far)
}

/// sigmoid(x) sigmoid(-x).
#[inline(always)]
fn sigmoid_slope<N: Number>(x: N) -> N {
    x.sigmoid() * (-x).sigmoid()
}

/// What decays faster than the factor beside it grows: 0 where it is 0, though the factor be infinite.
#[inline(always)]
fn decayed<N: Number>(decaying: N, factor: N) -> N {
    N::select(decaying.equals(N::constant(0.0)), decaying, decaying * factor)
}

/// 1 - tanh²(x), exact for large |x|.
#[inline(always)]
fn sech_squared<N: Number>(x: N) -> N {
    let double = x * 2.0;
    double.sigmoid() * (-double).sigmoid() * 4.0
}

impl<N: Number> Jet<N> {
    /// The derivatives of (1 + x²)^e: 2e s (1 + x²)^(e - 1/2) and 2e (1 + x²)^(e - 1) (c² + (2e - 1) s²)
    /// with s = x / √(1 + x²) and c = 1 / √(1 + x²), which have no terms that cancel or overflow.
    #[inline(always)]
    fn power1p_square_rule(
        self,
        value: N,
        exponent: f64,
        offset: f64,
        symbolic: impl Fn() -> N,
    ) -> Self {
        let x = self.value;
        let (sine, _) = unit_hypotenuse(x);
        let double = N::derived(2.0 * (exponent + offset), || (symbolic() + offset) * 2.0);
        let rest =
            N::derived(2.0 * (exponent + offset) - 1.0, || (symbolic() + offset) * 2.0 - 1.0);
        let less = x.power1p_square(exponent, offset - 1.0, &symbolic);
        let half = x.power1p_square(exponent, offset - 0.5, &symbolic);
        let (sine_square, cosine_square) = unit_hypotenuse_squares(x);
        let bend = || double * less * (cosine_square + rest * sine_square);
        self.chain(value, || double * (sine * half), bend)
    }

    /// The derivatives of e^(f x²), given that: 2f x e^(f x²) and 2f (1 + 2f x²) e^(f x²).
    #[inline(always)]
    fn bell_rule(self, value: N, bell: N, factor: f64) -> Self {
        // Beyond, the exponential is 0, and times the square of a large x would be NaN.
        let limit = N::constant(64.0 / (-factor).sqrt());
        let x = self.value.min(limit).max(-limit);
        let twice = 2.0 * factor;
        let bend = || (x.square() * twice + 1.0) * bell * twice;
        self.chain(value, || x * bell * twice, bend)
    }

    /// x ln(z) where `ln` is ln(z) and `z` has the derivatives of `y`; where x is 0, 0 and with it
    /// every derivative by y.
    #[inline(always)]
    fn x_times_ln(self, y: Self, value: N, ln: impl Fn() -> N, z: N) -> Self {
        let ratio = ratio_or_zero(self.value, z);
        let along_x = self.first.map(|first| first * ln());
        let along_y = y.first.map(|first| first * ratio);
        let bend_x = self.second.map(|second| second * ln());
        let bend_y = y.second.map(|second| second * ratio);
        let mixed = product(self.first, y.first).map(|both| both * 2.0 / z);
        let square = y.first.map(|first| -(first * first * ratio_or_zero(ratio, z)));
        Self {
            value,
            first: sum(along_x, along_y),
            second: sum(sum(bend_x, bend_y), sum(mixed, square)),
        }
    }
}
