//! Powers of the logistic function, its distance from a probability, and other parts of losses of two
//! classes, to the last digits.
//!
//! What a power would multiply of the error of sigmoid x is avoided by carrying e^-|x|, from which
//! everything here is made, as a sum of two numbers.

use super::power::Pair;
use super::{Isa, Lane, Number, Real};

/// Beyond this products are not taken apart, lest the parts overflow.
const FAR: f64 = 1_152_921_504_606_846_976.0;

/// tan(1/2) as a sum: as much as f32 has, as much as f64 has of the rest, and the rest of that.
const TAN_HALF: [f64; 3] =
    [0.546_302_437_782_287_6, 5.206_150_291_559_893e-8, 1.861_916_896_037_796_7e-24];

impl<T: Real, I: Isa> Lane<T, I> {
    #[inline(always)]
    fn one() -> Self {
        Self::constant(1.0)
    }

    /// e^-|x|. The low part has all digits that the terms of the series up to r² have beyond the
    /// high one: about seven.
    #[inline(always)]
    fn exp_minus_abs_pair(self) -> Pair<T, I> {
        let x = -Number::abs(self);
        let x = Self::pick(x.0 < T::EXP_LOWEST, Self::new(T::EXP_LOWEST), x);
        let rounded = x.fused(Self::new(T::LOG2_E), Self::new(T::ROUNDING));
        let n = rounded - Self::new(T::ROUNDING);
        let part = n.product(Self::new(-T::LN2_LOW));
        let Pair(r, low) = n.fused(Self::new(-T::LN2_HIGH), x).sum(part.0);
        let low = low + part.1;
        let square = r.product(r);
        let cubic = square.0 * r * r.polynomial(&T::EXP[1..]);
        let linear = r.sum(square.0 * 0.5);
        let all = Self::one().sum(linear.0);
        let rest = all.1 + (linear.1 + (low.fused(r, low) + square.1 * 0.5 + cubic));
        let Pair(high, low) = all.0.sum(rest);
        let (a, b, _) = T::split_power_of_two(rounded.0);
        Pair(high * Self::new(a) * Self::new(b), low * Self::new(a) * Self::new(b))
    }

    /// 1 + e.
    #[inline(always)]
    fn one_plus(e: Pair<T, I>) -> Pair<T, I> {
        let Pair(high, low) = Self::one().sum(e.0);
        Pair(high, low + e.1)
    }

    /// e^(exponent * ln).
    #[inline(always)]
    fn exp_times(ln: Pair<T, I>, exponent: f64) -> Self {
        let Pair(high, low) = ln.times(exponent);
        // There the low part makes no difference, and may be NaN.
        let is_far = Self::constant(FAR).0 < Number::abs(ln.0).0;
        let is_far = is_far | (Self::constant(2000.0).0 < Number::abs(high).0);
        high.exp_with(Self::pick(is_far, Self::constant(0.0), low))
    }

    /// sigmoid(x)^exponent = e^(exponent (min(x, 0) - ln(1 + e^-|x|))).
    #[inline(always)]
    pub(super) fn sigmoid_power_lane(self, exponent: f64) -> Self {
        let Pair(sum, low) = Self::one_plus(self.exp_minus_abs_pair());
        let ln = sum.ln_pair(low);
        let negative = Self::pick(self.0 > T::default(), Self::constant(0.0), self);
        let Pair(high, low) = negative.sum(-ln.0);
        let is_far = Self::constant(FAR).0 < Number::abs(self).0;
        let low = Self::pick(is_far, Self::constant(0.0), low - ln.1);
        Self::exp_times(Pair(high, low), exponent)
    }

    /// factor * sigmoid(-x) - sigmoid(x) = -factor * sigmoid(-x) * (e^(x - ln factor) - 1).
    #[inline(always)]
    pub(super) fn sigmoid_balance_lane(self, factor: f64) -> Self {
        let right = self.sigmoid();
        let left = Self::constant(factor) * (-self).sigmoid();
        if factor < f64::MIN_POSITIVE {
            return left - right;
        }
        let Pair(high, low) = Lane::<f64, I>::new(factor).ln_pair(Lane::constant(0.0));
        let zero = T::from_f64(high.0);
        let rest = T::from_f64((high.0 - zero.to_f64()) + low.0);
        let d = (self - Self::new(zero)) - Self::new(rest);
        let near = Number::abs(d).0 < T::from_f64(1.0);
        // Far out expm1 overflows; it is not used there.
        Self::pick(near, -(left * d.expm1()), left - right)
    }

    /// softplus(x) - sigmoid(x): ln(1 + e) - e / (1 + e) with e = e^x is a sum of two positive
    /// terms; for x > 0, with e = e^-x, there is x - tanh(x / 2) to be added.
    #[inline(always)]
    fn softplus_excess(self) -> Self {
        let e = (-Number::abs(self)).exp();
        let s = e / (e + 2.0);
        let series = s * s * s * (s * s).polynomial(T::LN1P_UNIT);
        let rest = e * e / ((e + 1.0) * (e + 2.0)) + series;
        let beyond = self - (self * 0.5).tanh();
        Self::pick(self.0 > T::default(), beyond + rest, Self::pick(self.0.is_nan(), self, rest))
    }

    /// softplus(x) + epsilon * sigmoid(x).
    #[inline(always)]
    pub(super) fn poly1_lane(self, epsilon: f64) -> Self {
        if epsilon < 0.0 {
            let rest = Self::constant(1.0 + epsilon);
            return rest * self.softplus() + Self::constant(-epsilon) * self.softplus_excess();
        }
        self.softplus() + Self::constant(epsilon) * self.sigmoid()
    }

    /// sigmoid(x)^gamma * softplus(x).
    #[inline(always)]
    pub(super) fn focal_lane(self, gamma: f64) -> Self {
        if gamma == 0.0 {
            self.softplus()
        } else {
            self.sigmoid_power_lane(gamma) * self.softplus()
        }
    }

    /// |sigmoid(x) - y| (1 + e^-|x|), that factor, and the sign of sigmoid(x) - y.
    #[inline(always)]
    fn sigmoid_gap_parts(self, y: Pair<T, I>) -> (Pair<T, I>, Pair<T, I>, Self) {
        let e = self.exp_minus_abs_pair();
        let other = Self::one().sum(-y.0);
        let other = Pair(other.0, other.1 - y.1);
        let negative = self.0 < T::default();
        // (1 - y) - y e, or with the classes changed.
        let pick = |a: Pair<T, I>, b: Pair<T, I>| {
            Pair(Self::pick(negative, a.0, b.0), Self::pick(negative, a.1, b.1))
        };
        let (factor, term) = (pick(other, y), pick(y, other));
        let product = factor.0.product(e.0);
        let lost = product.1 + (factor.0 * e.1 + factor.1 * e.0);
        let gap = term.0.sum(-product.0);
        let Pair(high, low) = gap.0.sum(gap.1 + (term.1 - lost));
        let sign = Number::sign(high);
        let gap = Pair(high * sign, low * sign);
        (gap, Self::one_plus(e), Self::pick(negative, -sign, sign))
    }

    /// sigmoid(x) - y, rounded once.
    #[inline(always)]
    pub(super) fn sigmoid_gap_lane(self, y: Pair<T, I>) -> Self {
        let (gap, divisor, sign) = self.sigmoid_gap_parts(y);
        let quotient = gap.0 / divisor.0;
        let product = quotient.product(divisor.0);
        let lost = ((gap.0 - product.0) - product.1 + (gap.1 - quotient * divisor.1)) / divisor.0;
        sign * (quotient + lost)
    }

    /// |sigmoid(x) - y|^exponent.
    #[inline(always)]
    pub(super) fn sigmoid_gap_power_lane(self, y: Pair<T, I>, exponent: f64) -> Self {
        if exponent == 0.0 {
            return Self::one();
        }
        let (gap, divisor, _) = self.sigmoid_gap_parts(y);
        let least = Self::new(T::SMALLEST_NORMAL);
        let small = gap.0.0 < least.0;
        let ln =
            Self::pick(small, least, gap.0).ln_pair(Self::pick(small, Self::constant(0.0), gap.1));
        let ln_divisor = divisor.0.ln_pair(divisor.1);
        let Pair(high, low) = ln.0.sum(-ln_divisor.0);
        let power = Self::exp_times(Pair(high, low + (ln.1 - ln_divisor.1)), exponent);
        let at_zero = Self::constant(if exponent > 0.0 { 0.0 } else { f64::INFINITY });
        Self::pick(gap.0.0 == T::default(), at_zero, power)
    }

    /// 2 atan(x) - 1 = 2 atan((x - t) / (1 + x t)) with t = tan(1/2), for x that are not far from t.
    #[inline(always)]
    pub(super) fn tangent_angle_lane(self) -> Self {
        let [high, middle, low] = TAN_HALF;
        let rounded = T::from_f64(middle);
        let low = T::from_f64((middle - rounded.to_f64()) + low);
        let is_near = (self.0 > T::default()) & (self.0 < T::from_f64(4.0));
        let over = ((self - high) - Self::new(rounded)) - Self::new(low);
        let turned = over / (self * (high + middle) + 1.0);
        let angle = Self::pick(is_near, turned, self).atan() * 2.0;
        Self::pick(is_near, angle, angle - 1.0)
    }

    /// A probability as a pair: with what rounding takes from it, if it is a parameter.
    #[inline(always)]
    pub(super) fn probability(self, exact: Option<f64>) -> Pair<T, I> {
        match exact {
            Some(value) => Self::constant_pair(value),
            None => Pair(self, Self::constant(0.0)),
        }
    }
}
