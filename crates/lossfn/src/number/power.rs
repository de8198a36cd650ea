//! Powers, and what is built from them, to the last digits.
//!
//! x^e = exp(e ln x) multiplies every error of the logarithm by the size of the exponent, so the
//! logarithm and its product with e are carried as sums of two numbers.

use super::{Isa, Lane, Number, Real};

/// A number as the sum of two, the second within the rounding of the first.
#[derive(Clone, Copy)]
pub(super) struct Pair<T, I>(pub(super) Lane<T, I>, pub(super) Lane<T, I>);

/// Beyond this 1 + x² is x² to every digit that counts, and x² does not overflow below.
const FAR: f64 = 1_099_511_627_776.0;

impl<T: Real, I: Isa> Lane<T, I> {
    /// The product with what its rounding lost. For magnitudes that can be squared.
    #[inline(always)]
    pub(super) fn product(self, other: Self) -> Pair<T, I> {
        let high = self * other;
        if I::FUSED {
            return Pair(high, self.fused(other, -high));
        }
        let (a, b) = (self.split(), other.split());
        let low = ((a.0 * b.0 - high) + a.0 * b.1 + a.1 * b.0) + a.1 * b.1;
        Pair(high, low)
    }

    /// Two halves of the digits (Veltkamp).
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        let scaled = self * Self::new(T::SPLIT);
        let high = scaled - (scaled - self);
        (high, self - high)
    }

    /// The sum with what its rounding lost (Knuth).
    #[inline(always)]
    pub(super) fn sum(self, other: Self) -> Pair<T, I> {
        let high = self + other;
        let from_other = high - self;
        let low = (self - (high - from_other)) + (other - from_other);
        Pair(high, low)
    }

    /// ln(x + low) for a positive normal x and a low part far below it.
    #[inline(always)]
    pub(super) fn ln_pair(self, low: Self) -> Pair<T, I> {
        let (k, m) = self.0.split_exponent();
        let (k, f) = (Self::new(k), Self::new(m) - 1.0);
        // 2 atanh(s) with s = f / (2 + f); what the division loses is put back.
        let divisor = f.sum(Self::constant(2.0));
        let s = f / divisor.0;
        let product = s.product(divisor.0);
        let lost = ((f - product.0) - product.1 - s * divisor.1) / divisor.0;
        let z = s * s;
        let tail = s * z * z.polynomial(T::LN);
        let main = (k * Self::new(T::LN2_HIGH)).sum(s * 2.0);
        let rest = main.1 + (tail + (lost * 2.0 + (k * Self::new(T::LN2_LOW) + low / self)));
        main.0.sum(rest)
    }

    /// ln(1 + x²).
    #[inline(always)]
    fn ln1p_square_pair(self) -> Pair<T, I> {
        let a = Number::abs(self);
        let far = Self::constant(FAR).0 < a.0;
        let near = Self::pick(far, Self::constant(0.0), a);
        let square = near.product(near);
        let sum = square.0.sum(Self::constant(1.0));
        let low = Self::pick(far, Self::constant(0.0), sum.1 + square.1);
        let Pair(high, low) = Self::pick(far, a, sum.0).ln_pair(low);
        let factor = Self::pick(far, Self::constant(2.0), Self::constant(1.0));
        let infinite = Self::constant(f64::INFINITY);
        let high = Self::pick(a.0 == infinite.0, infinite, high * factor);
        Pair(high, low * factor)
    }

    /// The constant, with what its rounding to this type loses.
    #[inline(always)]
    pub(super) fn constant_pair(value: f64) -> Pair<T, I> {
        let high = T::from_f64(value);
        Pair(Self::new(high), Self::new(T::from_f64(value - high.to_f64())))
    }

    /// e^(factor x).
    #[inline(always)]
    pub(super) fn exp_scaled_lane(self, factor: f64) -> Self {
        let Pair(high, low) = Pair(self, Self::constant(0.0)).times(factor);
        // Beyond this the result is 0 or infinite whatever the low part is.
        let is_far = Self::constant(2000.0).0 < Number::abs(high).0;
        high.exp_with(Self::pick(is_far, Self::constant(0.0), low))
    }

    /// x^exponent for x >= 0.
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
    pub(super) fn power_lane(self, exponent: f64) -> Self {
        let one = Self::constant(1.0);
        let subnormal = self.0 < T::SMALLEST_NORMAL;
        let infinite = Self::constant(f64::INFINITY);
        // Zero, infinity and what is negative or NaN are put in at the end.
        let regular = (self.0 > T::default()) & (self.0 < infinite.0);
        let lifted = Self::pick(subnormal, self * Self::new(T::LIFT.0), self);
        let Pair(high, low) = Self::pick(regular, lifted, one).ln_pair(Self::constant(0.0));
        let lift = Self::pick(subnormal & regular, Self::new(T::LIFT.1), Self::constant(0.0));
        let Pair(high, more) = (lift * Self::new(-T::LN2_HIGH)).sum(high);
        let ln = Pair(high, lift.fused(Self::new(-T::LN2_LOW), more + low));
        let Pair(high, low) = ln.times(exponent);
        let result = high.exp_with(low);
        let at_zero = if exponent > 0.0 { Self::constant(0.0) } else { infinite };
        let at_infinity = if exponent > 0.0 { infinite } else { Self::constant(0.0) };
        let result = Self::pick(self.0 == T::default(), at_zero, result);
        let result = Self::pick(self.0 == infinite.0, at_infinity, result);
        let result = Self::pick(self.0 < T::default(), Self::constant(f64::NAN), result);
        let result = Self::pick(self.0.is_nan(), self, result);
        if exponent == 0.0 { one } else { result }
    }

    /// (1 + x²)^(exponent + offset). A sum of the two might be rounded.
    #[inline(always)]
    pub(super) fn power1p_square_lane(self, exponent: f64, offset: f64) -> Self {
        if exponent + offset == 0.0 {
            return Self::constant(1.0);
        }
        let ln = self.ln1p_square_pair();
        let Pair(high, low) = ln.times(exponent);
        let sum = high.sum(ln.0 * offset);
        let low = sum.1 + (low + ln.1 * offset);
        let is_finite = Number::abs(sum.0).0 < T::from_f64(f64::INFINITY);
        // Where the logarithm is infinite, the power is 0 or that.
        let infinite = Self::constant(if exponent + offset > 0.0 { f64::INFINITY } else { 0.0 });
        let power = Self::pick(is_finite, sum.0.exp_with(low), infinite);
        Self::pick(self.0.is_nan(), self, power)
    }

    /// (1 + x²)^exponent - 1.
    #[inline(always)]
    pub(super) fn power1p_square_m1_lane(self, exponent: f64) -> Self {
        let Pair(high, low) = self.ln1p_square_pair().times(exponent);
        Self::pick(self.0.is_nan(), self, high.expm1_with(low))
    }

    /// ln(1 + x²).
    #[inline(always)]
    pub(super) fn ln1p_square_lane(self) -> Self {
        let Pair(high, low) = self.ln1p_square_pair();
        Self::pick(self.0.is_nan(), self, high + low)
    }

    /// √(1 + x²).
    #[inline(always)]
    fn hypotenuse(self) -> Self {
        let a = Number::abs(self);
        let far = Self::constant(FAR).0 < a.0;
        let root = (a * a + 1.0).sqrt();
        Self::pick(far, a, root)
    }

    /// √(1 + x²) - 1.
    #[inline(always)]
    pub(super) fn sqrt1p_square_m1_lane(self) -> Self {
        let a = Number::abs(self);
        let far = Self::constant(FAR).0 < a.0;
        Self::pick(far, a - 1.0, a * (a / (self.hypotenuse() + 1.0)))
    }

    /// x² / (1 + x²).
    #[inline(always)]
    pub(super) fn square_share_lane(self) -> Self {
        let a = Number::abs(self);
        let far = a.0 > T::from_f64(1.0);
        let small = Self::pick(far, Self::constant(1.0) / a, a);
        let square = small * small;
        Self::pick(far, Self::constant(1.0), square) / (square + 1.0)
    }

    /// factor x², within the range where its exponential is not 0.
    #[inline(always)]
    fn scaled_square(self, factor: f64) -> Pair<T, I> {
        let limit = Self::constant(64.0 / (-factor).sqrt());
        let a = Number::abs(self);
        let a = Self::pick(limit.0 < a.0, limit, a);
        a.product(a).times(factor)
    }

    /// e^(factor x²).
    #[inline(always)]
    pub(super) fn exp_square_lane(self, factor: f64) -> Self {
        let Pair(high, low) = self.scaled_square(factor);
        high.exp_with(low)
    }

    /// e^(factor x²) - 1.
    #[inline(always)]
    pub(super) fn expm1_square_lane(self, factor: f64) -> Self {
        let Pair(high, low) = self.scaled_square(factor);
        high.expm1_with(low)
    }

    /// e^x - 1 - x.
    #[inline(always)]
    pub(super) fn expm1_minus_lane(self) -> Self {
        // Near 0 by the series of a quarter of x, doubled twice: E(2x) = expm1(x)² + 2 E(x).
        let quarter = self * 0.25;
        let series = quarter * quarter * quarter.polynomial(T::EXP);
        let m = series + quarter;
        let half = m.fused(m, series * 2.0);
        let m = m * (m + 2.0);
        let near = m.fused(m, half * 2.0);
        let infinite = Self::constant(f64::INFINITY);
        let beyond = self.expm1() - self;
        let far = Self::pick(self.0 == infinite.0, infinite, beyond);
        Self::pick(Number::abs(self).0 < T::from_f64(1.25), near, far)
    }
}

impl<T: Real, I: Isa> Pair<T, I> {
    /// Times a constant.
    #[inline(always)]
    pub(super) fn times(self, factor: f64) -> Self {
        let Pair(high, low) = Lane::constant_pair(factor);
        let product = self.0.product(high);
        let rest = product.1 + (self.1 * high + self.0 * low);
        // Where the first is infinite, what it lost is not a number.
        let is_finite = Number::abs(product.0).0 < T::from_f64(f64::INFINITY);
        Pair(product.0, Lane::pick(is_finite, rest, Lane::constant(0.0)))
    }
}
