//! Numbers with digits to spare, for what is computed over the classes of a row: a power of a
//! probability, or the logarithm of a quotient near 1, loses those that it does not have.
//!
//! For f32 that is f64. For f64 it is the unevaluated sum of two, [`Double`], whose functions are
//! right to about 65 bits.

use super::power::Pair;
use super::{Isa, Lane, Number, Real};
use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// What ln 2 has beyond its two parts in f64.
const LN2_LOWEST: f64 = 1.161_222_722_936_253_2e-26;

/// A number with more digits than the type that a kernel is for. Free of branches and calls, like
/// [`Lane`], so that loops over it can be widened to vectors.
pub trait Wide:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// Exactly this number.
    fn new(x: f64) -> Self;
    /// The nearest f64.
    fn value(self) -> f64;
    /// e^x.
    fn exp(self) -> Self;
    /// e^x - 1, exact for small x.
    fn expm1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), exact for small x.
    fn ln1p(self) -> Self;

    /// One of two, both of which are computed.
    #[inline(always)]
    fn pick(mask: bool, chosen: Self, otherwise: Self) -> Self {
        if mask { chosen } else { otherwise }
    }

    /// Hyperbolic tangent.
    #[inline(always)]
    fn tanh(self) -> Self {
        let is_negative = self.value() < 0.0;
        let m = (Self::pick(is_negative, self, -self) * Self::new(2.0)).expm1();
        let magnitude = -m / (m + Self::new(2.0));
        Self::pick(is_negative, -magnitude, magnitude)
    }

    /// 1 - tanh²(x).
    #[inline(always)]
    fn sech_squared(self) -> Self {
        let magnitude = Self::pick(self.value() < 0.0, self, -self);
        let e = (magnitude * Self::new(2.0)).exp();
        let half = Self::new(1.0) + e;
        Self::new(4.0) * e / (half * half)
    }
}

/// The total of a number for each class. It is no function of a closure, which LLVM may leave out of
/// line, without the vectors of its caller.
macro_rules! total {
    ($wide:ty, $count:expr, |$at:ident| $each:expr) => {{
        // Sums that are independent of each other, so that the compiler can use vectors.
        const LANES: usize = 8;
        const RUN: usize = 8 * LANES;
        let (count, zero) = ($count, <$wide as $crate::number::Wide>::new(0.0));
        let (mut lanes, mut start) = ([zero; LANES], 0);
        while start < count {
            let length = RUN.min(count - start);
            let mut terms = [zero; RUN];
            for (place, term) in terms[..length].iter_mut().enumerate() {
                let $at = start + place;
                *term = $each;
            }
            for chunk in terms[..length.next_multiple_of(LANES)].as_chunks::<LANES>().0 {
                for (lane, &term) in lanes.iter_mut().zip(chunk) {
                    *lane = *lane + term;
                }
            }
            start += length;
        }
        lanes.into_iter().fold(zero, |sum, lane| sum + lane)
    }};
}
pub(crate) use total;

impl<I: Isa> Wide for Lane<f64, I> {
    #[inline(always)]
    fn new(x: f64) -> Self {
        Self::new(x)
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self.0
    }
    #[inline(always)]
    fn exp(self) -> Self {
        Number::exp(self)
    }
    #[inline(always)]
    fn expm1(self) -> Self {
        Number::expm1(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Number::ln(self)
    }
    #[inline(always)]
    fn ln1p(self) -> Self {
        Number::ln1p(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        Number::tanh(self)
    }
}

/// The sum of two f64, the second below the last place of the first.
#[derive(Clone, Copy, Debug)]
pub struct Double<I> {
    high: f64,
    low: f64,
    isa: PhantomData<I>,
}

impl<I: Isa> Double<I> {
    /// high + low, where low is the smaller. Where high is no finite number, low has no meaning.
    #[inline(always)]
    fn normalised(high: f64, low: f64) -> Self {
        let low = if low.abs() < f64::INFINITY { low } else { 0.0 };
        let sum = high + low;
        let rest = low - (sum - high);
        Self { high: sum, low: if rest.is_nan() { 0.0 } else { rest }, isa: PhantomData }
    }

    /// a + b, exactly.
    #[inline(always)]
    fn sum_of(a: f64, b: f64) -> Self {
        let Pair(sum, lost) = Lane::<f64, I>::new(a).sum(Lane::new(b));
        Self::normalised(sum.0, lost.0)
    }

    /// a b, exactly.
    #[inline(always)]
    fn product_of(a: f64, b: f64) -> Self {
        let Pair(product, lost) = Lane::<f64, I>::new(a).product(Lane::new(b));
        Self::normalised(product.0, lost.0)
    }

    /// Times a power of two, in two factors.
    #[inline(always)]
    fn scaled(self, a: f64, b: f64) -> Self {
        Self { high: self.high * a * b, low: self.low * a * b, isa: PhantomData }
    }

    /// e^x = (1 + m) a b, as m, a, b.
    #[inline(always)]
    fn exp_parts(self) -> (Self, f64, f64) {
        // (e^x - 1 - x - x²/2) / x³
        const SERIES: [f64; 8] = [
            1.0 / 6.0,
            1.0 / 24.0,
            1.0 / 120.0,
            1.0 / 720.0,
            1.0 / 5040.0,
            1.0 / 40320.0,
            1.0 / 362_880.0,
            1.0 / 3_628_800.0,
        ];
        let high = if self.high < f64::EXP_LOWEST { f64::EXP_LOWEST } else { self.high };
        let high = if high > f64::EXP_HIGHEST { f64::EXP_HIGHEST } else { high };
        let low = if high == self.high { self.low } else { 0.0 };
        let rounded = high * f64::LOG2_E + f64::ROUNDING;
        let n = rounded - f64::ROUNDING;
        let r = Self::sum_of(high, -(n * f64::LN2_HIGH));
        let r = r + (Self::new(low) - Self::product_of(n, f64::LN2_LOW));
        // A sixteenth of it, so that a short series will do, and back by four squarings.
        let m = r.scaled(0.0625, 1.0);
        let x = m.high;
        let mut series = 0.0;
        let mut term = SERIES.len();
        while term > 0 {
            term -= 1;
            series = series * x + SERIES[term];
        }
        let mut m = m + ((m * m).scaled(0.5, 1.0) + Self::new(x * x * x * series));
        let mut squarings = 0;
        while squarings < 4 {
            m = m.scaled(2.0, 1.0) + m * m;
            squarings += 1;
        }
        let (a, b, _) = f64::split_power_of_two(rounded);
        (m, a, b)
    }
}

impl<I: Isa> Add for Double<I> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (high, low) = (Self::sum_of(self.high, other.high), Self::sum_of(self.low, other.low));
        let sum = Self::normalised(high.high, high.low + low.high);
        Self::normalised(sum.high, sum.low + low.low)
    }
}

impl<I: Isa> Sub for Double<I> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<I: Isa> Mul for Double<I> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let product = Self::product_of(self.high, other.high);
        let mixed = self.high * other.low + self.low * other.high;
        Self::normalised(product.high, product.low + mixed)
    }
}

impl<I: Isa> Div for Double<I> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - other * Self::new(first);
        Self::normalised(first, rest.high / other.high)
    }
}

impl<I: Isa> Neg for Double<I> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low, isa: PhantomData }
    }
}

impl<I: Isa> Wide for Double<I> {
    #[inline(always)]
    fn new(x: f64) -> Self {
        Self { high: x, low: 0.0, isa: PhantomData }
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self.high + self.low
    }

    #[inline(always)]
    fn exp(self) -> Self {
        let (m, a, b) = self.exp_parts();
        (Self::new(1.0) + m).scaled(a, b)
    }

    #[inline(always)]
    fn expm1(self) -> Self {
        let (m, a, b) = self.exp_parts();
        // The numbers so small that a sixteenth of them would lose digits.
        let tiny = self.high.abs() < 1e-280;
        Self::pick(tiny, self, m.scaled(a, b) + Self::sum_of(a * b, -1.0))
    }

    #[inline(always)]
    fn ln(self) -> Self {
        let special = Number::ln(Lane::<f64, I>::new(self.high)).0;
        let is_special = !special.is_finite();
        let tiny = self.high < f64::SMALLEST_NORMAL * f64::LIFT.0;
        let (lift, lifted) = if tiny { f64::LIFT } else { (1.0, 0.0) };
        let (k, _) = (self.high * lift).split_exponent();
        let (a, b, _) = f64::split_power_of_two(f64::ROUNDING - k);
        let mantissa = self.scaled(lift, 1.0).scaled(a, b);
        let k = k - lifted;
        let low = Self::product_of(k, f64::LN2_LOW) + Self::new(k * LN2_LOWEST);
        let whole = Self::new(k * f64::LN2_HIGH) + low;
        let result = whole + (mantissa - Self::new(1.0)).ln1p();
        Self::pick(is_special, Self::new(special), result)
    }

    /// One step of Newton's method from the logarithm of f64.
    #[inline(always)]
    fn ln1p(self) -> Self {
        let near = Number::ln1p(Lane::<f64, I>::new(self.high)).0;
        let is_special = !near.is_finite();
        let start = Self::new(near);
        let e = start.expm1();
        let off = (self - e) / (e + Self::new(1.0));
        let result = start + (off - (off * off).scaled(0.5, 1.0));
        Self::pick(is_special, start, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Fused, Unfused};

    /// ln(exp x) and the like come back to x far beyond f64.
    fn inverses_meet<I: Isa>() {
        for at in [-700.0, -40.0, -1.5, -0.7, -1e-3, -1e-9, 1e-200, 1e-9, 0.2, 0.9, 13.0, 650.0] {
            let x = Double::<I>::new(at) + Double::new(at * 1.1e-17);
            let off = |found: Double<I>| ((found - x) / x).value().abs();
            let bound = f64::EPSILON / 1000.0;
            assert!(off(x.expm1().ln1p()) < bound || at < -1.0, "{at}: {}", off(x.expm1().ln1p()));
            let absolute = (x.exp().ln() - x).value().abs();
            assert!(absolute < bound * at.abs().max(1.0), "{at}: {absolute}");
        }
        let quotient = Double::<I>::new(1.0) / Double::new(3.0);
        assert!((quotient * Double::new(3.0) - Double::new(1.0)).value().abs() < 1e-31);
        let half_ln_3 = Double::<I>::new(3.0).ln() * Double::new(0.5);
        assert!((half_ln_3.tanh() - Double::new(0.5)).value().abs() < 1e-19);
        assert!((half_ln_3.sech_squared() - Double::new(0.75)).value().abs() < 1e-19);
    }

    #[test]
    fn functions_have_digits_to_spare() {
        inverses_meet::<Fused>();
        inverses_meet::<Unfused>();
    }

    #[test]
    fn what_is_not_finite_comes_out_as_it_should() {
        let new = Double::<Unfused>::new;
        let infinite = f64::INFINITY;
        assert_eq!(new(0.0).ln().value(), -infinite);
        assert_eq!(new(infinite).ln().value(), infinite);
        assert_eq!(new(-infinite).exp().value(), 0.0);
        assert_eq!(new(-infinite).expm1().value(), -1.0);
        assert_eq!(new(-1.0).ln1p().value(), -infinite);
        assert_eq!((new(infinite) + new(1.5)).value(), infinite);
        assert_eq!((new(infinite) * new(-2.0)).value(), -infinite);
        assert_eq!((new(1.0) / new(infinite)).value(), 0.0);
        assert_eq!((new(1e300) / new(1e-300)).value(), infinite);
        assert_eq!((new(0.9) * (new(0.0) / new(3.0)).ln()).value(), -infinite);
        assert_eq!(new(f64::from_bits(1)).ln().value(), f64::from_bits(1).ln());
        for x in [new(f64::NAN), new(f64::NAN).ln(), new(f64::NAN).exp(), new(-2.0).ln()] {
            assert!(x.value().is_nan());
        }
    }
}
