//! One lane of a vector: branch-free arithmetic over f32 or f64.
//!
//! A kernel is a plain loop over lanes. Since every operation here is inlined, free of branches and
//! free of library calls, the compiler widens that loop to the vectors of whatever instruction set
//! the enclosing function was compiled for. The elementary functions are accurate to about one unit
//! in the last place; the golden tests hold every loss to four.

use super::{Number, Real, special};
use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// An instruction set, as far as it changes the arithmetic.
pub trait Isa: Copy + Send + Sync + 'static {
    /// Multiply and add with one rounding, in one instruction.
    const FUSED: bool;
}

/// Instruction sets with fused multiply-add: AVX2 with FMA, AVX-512, NEON.
#[derive(Clone, Copy, Debug)]
pub struct Fused;
impl Isa for Fused {
    const FUSED: bool = true;
}

/// The baseline of every processor.
#[derive(Clone, Copy, Debug)]
pub struct Unfused;
impl Isa for Unfused {
    const FUSED: bool = false;
}

/// A number in a vector kernel. See the module's documentation.
#[derive(Clone, Copy, Debug)]
pub struct Lane<T, I>(pub T, PhantomData<I>);

impl<T: Real, I: Isa> Lane<T, I> {
    /// The lane that holds a number.
    #[inline(always)]
    pub fn new(value: T) -> Self {
        Self(value, PhantomData)
    }

    #[inline(always)]
    pub(super) fn fused(self, factor: Self, term: Self) -> Self {
        if I::FUSED { Self::new(self.0.fused(factor.0, term.0)) } else { self * factor + term }
    }

    /// The polynomial with these coefficients, lowest power first, by Horner's rule.
    #[inline(always)]
    pub(super) fn polynomial(self, coefficients: &'static [T]) -> Self {
        let mut degree = coefficients.len() - 1;
        let mut sum = Self::new(coefficients[degree]);
        while degree > 0 {
            degree -= 1;
            sum = sum.fused(self, Self::new(coefficients[degree]));
        }
        sum
    }

    #[inline(always)]
    pub(super) fn pick(mask: bool, chosen: Self, otherwise: Self) -> Self {
        if mask { chosen } else { otherwise }
    }

    /// e^(x + low) = (1 + p) a b, and less 1 it is (p a + (a - 1/b)) b, as p, a, b, 1/b.
    ///
    /// Cody and Waite's reduction x = n ln 2 + r, then a polynomial for e^r - 1. The rounding to n
    /// is by adding a large number: a conversion to integer would saturate, which has no vector
    /// instruction.
    #[inline(always)]
    fn exp_parts(self, low: Self) -> (Self, Self, Self, Self) {
        // Comparisons are this way round so that NaN stays.
        let x = Self::pick(self.0 < T::EXP_LOWEST, Self::new(T::EXP_LOWEST), self);
        let x = Self::pick(x.0 > T::EXP_HIGHEST, Self::new(T::EXP_HIGHEST), x);
        let (p, rounded) = x.exp_reduced(low);
        let (a, b, inverse_b) = T::split_power_of_two(rounded);
        (p, Self::new(a), Self::new(b), Self::new(inverse_b))
    }

    /// e^(x + low) = 2^n (1 + p), as p and n, rounded by adding [`Real::ROUNDING`].
    #[inline(always)]
    fn exp_reduced(self, low: Self) -> (Self, T) {
        let rounded = self.fused(Self::new(T::LOG2_E), Self::new(T::ROUNDING));
        let n = rounded - Self::new(T::ROUNDING);
        let r = n.fused(Self::new(-T::LN2_HIGH), self);
        let r = n.fused(Self::new(-T::LN2_LOW), r) + low;
        ((r * r).fused(r.polynomial(T::EXP), r), rounded.0)
    }

    /// e^(x + low), for a low part that is small beside 1.
    #[inline(always)]
    pub(super) fn exp_with(self, low: Self) -> Self {
        let (p, a, b, _) = self.exp_parts(low);
        p.fused(a, a) * b
    }

    /// e^(x + low) - 1, for a low part that is small beside x.
    #[inline(always)]
    pub(super) fn expm1_with(self, low: Self) -> Self {
        let (p, a, b, inverse_b) = self.exp_parts(low);
        let result = p.fused(a, a - inverse_b) * b;
        // The sign of zero, and the numbers too small to be squared.
        Self::pick(Number::abs(self).0 < T::SMALLEST_NORMAL, self, result)
    }

    /// ln(1 + f) for f in [√½ - 1, √2 - 1], plus k ln 2, plus a small correction.
    #[inline(always)]
    pub(super) fn ln_parts(f: Self, k: Self, correction: Self) -> Self {
        let s = f / (f + 2.0);
        let z = s * s;
        let rest = z * z.polynomial(T::LN);
        let half_square = f * f * 0.5;
        let low = k.fused(Self::new(T::LN2_LOW), correction);
        let small = s.fused(half_square + rest, low);
        k.fused(Self::new(T::LN2_HIGH), f - (half_square - small))
    }

    /// What ln gives outside the positive finite numbers: -inf at 0, inf at inf, else NaN.
    #[inline(always)]
    fn ln_special(x: Self, regular: Self) -> Self {
        let infinite = Self::constant(f64::INFINITY);
        let result = Self::pick(x.0 < infinite.0, regular, x);
        let result = Self::pick(x.0 < T::default(), Self::constant(f64::NAN), result);
        Self::pick(x.0 == T::default(), -infinite, result)
    }

    /// ln(1 + e) for e in [0, 1], without taking the exponent apart.
    #[inline(always)]
    fn ln1p_unit(self) -> Self {
        let s = self / (self + 2.0);
        let z = s * s;
        self - s * (self - z * z.polynomial(T::LN1P_UNIT))
    }

    /// e^-|x|: in [0, 1].
    #[inline(always)]
    fn exp_minus_abs(self) -> Self {
        (-Number::abs(self)).exp_of_negative()
    }

    /// e^x for x <= 0.
    #[inline(always)]
    pub(crate) fn exp_of_negative(self) -> Self {
        let x = Self::pick(self.0 < T::EXP_LOWEST, Self::new(T::EXP_LOWEST), self);
        let (p, rounded) = x.exp_reduced(Self::constant(-0.0));
        let (power, back) = T::lifted_power_of_two(rounded);
        p.fused(Self::new(power), Self::new(power)) * Self::new(back)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $operator:tt) => {
        impl<T: Real, I: Isa> $trait for Lane<T, I> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self::new(self.0 $operator other.0)
            }
        }
        impl<T: Real, I: Isa> $trait<f64> for Lane<T, I> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                Self::new(self.0 $operator T::from_f64(other))
            }
        }
    };
}
operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl<T: Real, I: Isa> Neg for Lane<T, I> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(-self.0)
    }
}

impl<T: Real, I: Isa> Number for Lane<T, I> {
    type Mask = bool;

    #[inline(always)]
    fn constant(value: f64) -> Self {
        Self::new(T::from_f64(value))
    }
    #[inline(always)]
    fn less_than(self, other: Self) -> bool {
        self.0 < other.0
    }
    #[inline(always)]
    fn at_most(self, other: Self) -> bool {
        self.0 <= other.0
    }
    #[inline(always)]
    fn equals(self, other: Self) -> bool {
        self.0 == other.0
    }
    #[inline(always)]
    fn select(mask: bool, chosen: Self, otherwise: Self) -> Self {
        Self::pick(mask, chosen, otherwise)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self::new(self.0.with_sign_of(T::from_f64(1.0)))
    }
    #[inline(always)]
    fn sign(self) -> Self {
        let negative = Self::pick(self.0 < T::default(), Self::constant(-1.0), self);
        Self::pick(self.0 > T::default(), Self::constant(1.0), negative)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self::new(self.0.square_root())
    }
    #[inline(always)]
    fn exp(self) -> Self {
        // -0 is what leaves every number as it is.
        self.exp_with(Self::constant(-0.0))
    }
    #[inline(always)]
    fn expm1(self) -> Self {
        self.expm1_with(Self::constant(-0.0))
    }
    #[inline(always)]
    fn ln(self) -> Self {
        let subnormal = self.0 < T::SMALLEST_NORMAL;
        let x = Self::pick(subnormal, self * Self::new(T::LIFT.0), self);
        let (k, m) = x.0.split_exponent();
        let k = Self::new(k) - Self::pick(subnormal, Self::new(T::LIFT.1), Self::constant(0.0));
        Self::ln_special(self, Self::ln_parts(Self::new(m) - 1.0, k, Self::constant(0.0)))
    }
    #[inline(always)]
    fn ln1p(self) -> Self {
        let u = self + 1.0;
        let (k, m) = u.0.split_exponent();
        // Near 0 the argument itself is the exact f; elsewhere what 1 + x rounded away is put back.
        let near = k == T::default();
        let lost = self - (u - 1.0);
        let f = Self::pick(near, self, Self::new(m) - 1.0);
        let correction = Self::pick(near, Self::constant(0.0), lost / u);
        let result = Self::ln_special(u, Self::ln_parts(f, Self::new(k), correction));
        Self::pick(Number::abs(self).0 < T::SMALLEST_NORMAL, self, result)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        if !T::TANH.is_empty() {
            let (a, square) = (Number::abs(self), self * self);
            let near = (self * square).fused(square.polynomial(T::TANH), self);
            let e = (self * 2.0).exp_minus_abs();
            let far = (Self::constant(1.0) - e) / (e + 1.0);
            let far = Self::new(far.0.with_sign_of(self.0));
            return Self::pick(a.0 < T::from_f64(0.625), near, far);
        }
        let m = (Number::abs(self) * -2.0).expm1();
        Self::new((-m / (m + 2.0)).0.with_sign_of(self.0))
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let e = self.exp_minus_abs();
        let (one, sum, negative) = (Self::constant(1.0), e + 1.0, self.0 < T::default());
        if !I::FUSED {
            return Self::pick(negative, e, one) / sum;
        }
        // One division for x and -x, which the compiler finds; then what the product is off by.
        let inverse = one / sum;
        let share = e * inverse;
        let share = inverse.fused((-share).fused(sum, e), share);
        Self::pick(negative, share, inverse)
    }
    #[inline(always)]
    fn softplus(self) -> Self {
        self.positive_part() + self.exp_minus_abs().ln1p_unit()
    }
    #[inline(always)]
    fn ln_cosh(self) -> Self {
        let a = Number::abs(self);
        let near = if T::LN_COSH.is_empty() {
            let m = a.expm1();
            (m * m / ((m + 1.0) * 2.0)).ln1p_unit()
        } else {
            let square = a * a;
            square * square.polynomial(T::LN_COSH)
        };
        let tail = (self * 2.0).exp_minus_abs().ln1p_unit() - Self::new(T::LN2_LOW);
        let far = (a - Self::new(T::LN2_HIGH)) + tail;
        Self::pick(a.0 < T::from_f64(1.0), near, far)
    }
    #[inline(always)]
    fn xlogy(self, y: Self) -> Self {
        Self::pick(self.0 == T::default(), Self::constant(0.0), self * y.ln())
    }
    #[inline(always)]
    fn times_exp(self, y: Self) -> Self {
        self.times_exp_lane(y)
    }
    #[inline(always)]
    fn half_square_times_exp(self, y: Self) -> Self {
        self.half_square_times_exp_lane(y)
    }
    #[inline(always)]
    fn xlog1py(self, y: Self) -> Self {
        Self::pick(self.0 == T::default(), Self::constant(0.0), self * y.ln1p())
    }
    #[inline(always)]
    fn power(self, exponent: f64, _symbolic: impl Fn() -> Self) -> Self {
        self.power_lane(exponent)
    }
    #[inline(always)]
    fn abs_power(self, exponent: f64, _symbolic: impl Fn() -> Self) -> Self {
        Number::abs(self).power_lane(exponent)
    }
    #[inline(always)]
    fn with_derivatives(_x: Self, value: Self, _slope: Self, _bend: Self) -> Self {
        value
    }
    #[inline(always)]
    fn rewritten(value: Self, _slopes: Self) -> Self {
        value
    }
    #[inline(always)]
    fn exp_scaled(self, factor: f64, _symbolic: impl Fn() -> Self) -> Self {
        self.exp_scaled_lane(factor)
    }
    #[inline(always)]
    fn power1p_square(self, exponent: f64, offset: f64, _: impl Fn() -> Self) -> Self {
        self.power1p_square_lane(exponent, offset)
    }
    #[inline(always)]
    fn power1p_square_m1(self, exponent: f64, _symbolic: impl Fn() -> Self) -> Self {
        self.power1p_square_m1_lane(exponent)
    }
    #[inline(always)]
    fn ln1p_square(self) -> Self {
        self.ln1p_square_lane()
    }
    #[inline(always)]
    fn sqrt1p_square_m1(self) -> Self {
        self.sqrt1p_square_m1_lane()
    }
    #[inline(always)]
    fn expm1_minus(self) -> Self {
        self.expm1_minus_lane()
    }
    #[inline(always)]
    fn square_share(self) -> Self {
        self.square_share_lane()
    }
    #[inline(always)]
    fn atan_square(self) -> Self {
        (self * self).atan()
    }
    #[inline(always)]
    fn exp_square(self, factor: f64) -> Self {
        self.exp_square_lane(factor)
    }
    #[inline(always)]
    fn expm1_square(self, factor: f64) -> Self {
        self.expm1_square_lane(factor)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        special::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        special::cos(self)
    }
    #[inline(always)]
    fn atan(self) -> Self {
        special::atan(self)
    }
    #[inline(always)]
    fn inverse1p_square(self) -> Self {
        special::inverse1p_square(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        special::erf(self)
    }
    #[inline(always)]
    fn exp_minus_square(self) -> Self {
        special::exp_minus_square(self)
    }
    #[inline(always)]
    fn normal_density(self) -> Self {
        special::normal_density(self)
    }
    #[inline(always)]
    fn normal_cdf(self) -> Self {
        special::normal_cdf(self)
    }
    #[inline(always)]
    fn normal_crps(self) -> Self {
        special::normal_crps(self)
    }
    #[inline(always)]
    fn ln_gamma(self) -> Self {
        special::ln_gamma(self)
    }
    #[inline(always)]
    fn digamma(self) -> Self {
        special::digamma(self)
    }
    #[inline(always)]
    fn trigamma(self) -> Self {
        special::trigamma(self)
    }
    #[inline(always)]
    fn ln_bessel_i0(self) -> Self {
        special::ln_bessel_i0(self)
    }
    #[inline(always)]
    fn bessel_ratio(self) -> Self {
        special::bessel_ratio(self)
    }
    #[inline(always)]
    fn bessel_ratio_slope(self) -> Self {
        special::bessel_ratio_slope(self)
    }
    #[inline(always)]
    fn sigmoid_power(self, exponent: f64, _symbolic: impl Fn() -> Self) -> Self {
        self.sigmoid_power_lane(exponent)
    }
    #[inline(always)]
    fn sigmoid_balance(self, factor: f64, _symbolic: impl Fn() -> Self) -> Self {
        self.sigmoid_balance_lane(factor)
    }
    #[inline(always)]
    fn focal(self, gamma: f64, _symbolic: impl Fn() -> Self) -> Self {
        self.focal_lane(gamma)
    }
    #[inline(always)]
    fn poly1(self, epsilon: f64, _symbolic: impl Fn() -> Self) -> Self {
        self.poly1_lane(epsilon)
    }
    #[inline(always)]
    fn sigmoid_gap(self, y: Self, exact: Option<f64>) -> Self {
        self.sigmoid_gap_lane(y.probability(exact))
    }
    #[inline(always)]
    fn sigmoid_gap_power(
        self,
        y: Self,
        exact: Option<f64>,
        exponent: f64,
        _symbolic: impl Fn() -> Self,
    ) -> Self {
        self.sigmoid_gap_power_lane(y.probability(exact), exponent)
    }
    #[inline(always)]
    fn tangent_angle(self) -> Self {
        self.tangent_angle_lane()
    }
}
