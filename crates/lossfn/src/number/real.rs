//! f32 and f64: what the two have in common, and the reference instance of [`Number`], f64.

use super::coefficients::Coefficients;
use super::{Double, Isa, Lane, Number, Unfused, Wide};
use std::fmt::{Debug, Display};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A machine floating-point number: f32 or f64, the two types that kernels compute in.
///
/// The constants are what the elementary functions of [`super::Lane`] need; the coefficients come
/// from `xtask/coefficients/coefficients.py`.
pub trait Real:
    Coefficients
    + Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + PartialOrd
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
{
    /// What has digits to spare for this type.
    type Wide<I: Isa>: Wide;

    /// Adding and subtracting this rounds to an integer and leaves it in the low bits.
    const ROUNDING: Self;
    /// 1 / ln 2.
    const LOG2_E: Self;
    /// ln 2, upper part: few bits, so that its product with an exponent is exact.
    const LN2_HIGH: Self;
    /// ln 2, the rest.
    const LN2_LOW: Self;
    /// Below this e^x is 0.
    const EXP_LOWEST: Self;
    /// Above this e^x is infinite.
    const EXP_HIGHEST: Self;
    /// (e^r - 1 - r) / r² for |r| <= ln(2)/2.
    const EXP: &'static [Self];
    /// (2 atanh(s)/s - 2) / s² in powers of s², for arguments of ln in [√½, √2].
    const LN: &'static [Self];
    /// The same, for arguments of ln in [1, 2].
    const LN1P_UNIT: &'static [Self];
    /// ln(cosh x) / x² in powers of x² for |x| <= 1, and (tanh(x) / x - 1) / x² in those for |x| <= 5/8: where a
    /// polynomial is sooner done than a division.
    const LN_COSH: &'static [Self];
    /// See [`Real::LN_COSH`].
    const TANH: &'static [Self];
    /// The smallest normal number.
    const SMALLEST_NORMAL: Self;
    /// A power of two that makes subnormal numbers normal, and its exponent.
    const LIFT: (Self, Self);
    /// 2^n + 1, with n half the number of digits: what takes a number apart in two halves.
    const SPLIT: Self;
    /// √½, from which ln begins to take the mantissa.
    const SQRT_HALF: Self;

    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number as f64: exact.
    fn to_f64(self) -> f64;
    /// Square root.
    fn square_root(self) -> Self;
    /// `self * factor + term`, rounded once.
    fn fused(self, factor: Self, term: Self) -> Self;
    /// 2^(n/2), 2^(n - n/2) and the inverse of the latter, for an integer n that was rounded by
    /// adding [`Real::ROUNDING`]. Two factors, because 2^n alone may not be representable.
    fn split_power_of_two(rounded: Self) -> (Self, Self, Self);
    /// 2^(n + m) and 2^-m, for such an integer n from the lowest exponent of all to 0, with m so that
    /// both are normal.
    fn lifted_power_of_two(rounded: Self) -> (Self, Self);
    /// Exponent k and mantissa m in [√½, √2) of a positive normal number: x = 2^k m.
    fn split_exponent(self) -> (Self, Self);
    /// The magnitude of `self` with the sign of `sign`.
    fn with_sign_of(self, sign: Self) -> Self;
    /// Not a number?
    fn is_nan(self) -> bool;
}

macro_rules! real {
    ($float:ident, $bits:ident, $signed:ident, mantissa: $mantissa:literal, bias: $bias:literal,
     wide: $wide:ty, $(const $name:ident: $value:expr;)*) => {
        impl Real for $float {
            type Wide<I: Isa> = $wide;

            const ROUNDING: Self = 1.5 * (1u64 << $mantissa) as $float;
            const LOG2_E: Self = std::$float::consts::LOG2_E;
            const SMALLEST_NORMAL: Self = $float::MIN_POSITIVE;
            const SQRT_HALF: Self = std::$float::consts::FRAC_1_SQRT_2;
            $(const $name: constant_type!($name, $float) = $value;)*

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $float
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn square_root(self) -> Self {
                self.sqrt()
            }

            #[inline(always)]
            fn fused(self, factor: Self, term: Self) -> Self {
                self.mul_add(factor, term)
            }

            #[inline(always)]
            fn split_power_of_two(rounded: Self) -> (Self, Self, Self) {
                let n = rounded.to_bits().wrapping_sub(Self::ROUNDING.to_bits()) as $signed;
                let power = |n: $signed| {
                    $float::from_bits((n.wrapping_add($bias) as $bits) << $mantissa)
                };
                // The same as n >> 1, by an addition: vectors of 64-bit integers have no
                // arithmetic shift before AVX-512.
                let half = ((n.wrapping_add(2 * $bias + 2) as $bits) >> 1) as $signed - ($bias + 1);
                let rest = n.wrapping_sub(half);
                (power(half), power(rest), power(rest.wrapping_neg()))
            }

            #[inline(always)]
            fn lifted_power_of_two(rounded: Self) -> (Self, Self) {
                const LIFT: $signed = $mantissa + 8;
                let n = rounded.to_bits().wrapping_sub(Self::ROUNDING.to_bits()) as $signed;
                let lifted = (n.wrapping_add($bias + LIFT) as $bits) << $mantissa;
                let back = (($bias - LIFT) as $bits) << $mantissa;
                ($float::from_bits(lifted), $float::from_bits(back))
            }

            #[inline(always)]
            fn split_exponent(self) -> (Self, Self) {
                const ONE: $float = 1.0;
                let shift = Self::SQRT_HALF.to_bits();
                let offset = ONE.to_bits() - shift;
                let lifted = self.to_bits().wrapping_add(offset);
                let mantissa = (lifted & ((1 << $mantissa) - 1)).wrapping_add(shift);
                let k = (lifted >> $mantissa).wrapping_sub($bias);
                let rounded = $float::from_bits(Self::ROUNDING.to_bits().wrapping_add(k));
                (rounded - Self::ROUNDING, $float::from_bits(mantissa))
            }

            #[inline(always)]
            fn with_sign_of(self, sign: Self) -> Self {
                self.copysign(sign)
            }

            #[inline(always)]
            fn is_nan(self) -> bool {
                self != self
            }
        }
    };
}

macro_rules! constant_type {
    (EXP, $float:ident) => { &'static [$float] };
    (LN, $float:ident) => { &'static [$float] };
    (LN1P_UNIT, $float:ident) => { &'static [$float] };
    (LN_COSH, $float:ident) => { &'static [$float] };
    (TANH, $float:ident) => { &'static [$float] };
    (LIFT, $float:ident) => { ($float, $float) };
    ($name:ident, $float:ident) => { $float };
}

real! {
    f32, u32, i32, mantissa: 23, bias: 127, wide: Lane<f64, I>,
    const LN2_HIGH: 0.693_359_4;
    const LN2_LOW: -2.121_944_4e-4;
    const EXP_LOWEST: -105.0;
    const EXP_HIGHEST: 89.0;
    const EXP: &[0.5, 0.166_666_67, 0.041_666_456, 0.008_333_31, 0.001_393_454_1, 0.000_198_919_8];
    const LN: &[0.666_666_7, 0.400_001_26, 0.285_503_98, 0.233_419_43];
    const LN1P_UNIT: &[0.666_666_7, 0.399_996_94, 0.285_930_45, 0.216_950_2, 0.232_836_84];
    const LN_COSH: &[
        0.5, -0.083_332_956, 0.022_216_115, -0.006_708_379_4, 0.002_073_188_3, -0.000_552_359_27,
        8.522_534e-5,
    ];
    const TANH: &[
        -0.333_333_34, 0.133_333_03, -0.053_958_934, 0.021_766_273, -0.008_335_324, 0.002_283_024_4,
    ];
    const LIFT: (33_554_432.0, 25.0);
    const SPLIT: 4097.0;
}

real! {
    f64, u64, i64, mantissa: 52, bias: 1023, wide: Double<I>,
    const LN2_HIGH: 6.931_471_803_691_238e-1;
    const LN2_LOW: 1.908_214_929_270_587_7e-10;
    const EXP_LOWEST: -746.0;
    const EXP_HIGHEST: 710.0;
    const EXP: &[
        0.5, 0.166_666_666_666_666_7, 0.041_666_666_666_666_67, 0.008_333_333_333_325_544,
        0.001_388_888_888_888_332_7, 0.000_198_412_698_768_643_56, 2.480_158_732_700_718_7e-5,
        2.755_725_283_351_691e-6, 2.755_727_181_021_98e-7, 2.510_627_473_357_329_6e-8,
        2.091_544_229_778_011_6e-9,
    ];
    const LN: &[
        0.666_666_666_666_667, 0.399_999_999_998_932_2, 0.285_714_286_288_109_96,
        0.222_222_106_742_385_16, 0.181_829_225_135_159_4, 0.153_306_173_067_433_05,
        0.146_300_313_641_228_6,
    ];
    const LN1P_UNIT: &[
        0.666_666_666_666_666_6, 0.400_000_000_000_160_4, 0.285_714_285_667_248_7,
        0.222_222_227_560_699_6, 0.181_817_875_022_423_2, 0.153_856_240_864_859_36,
        0.133_132_626_019_670_46, 0.120_094_183_811_604, 0.087_583_121_243_323_3,
        0.162_535_855_644_867_42,
    ];
    const LN_COSH: &[];
    const TANH: &[];
    const LIFT: (18_014_398_509_481_984.0, 54.0);
    const SPLIT: 134_217_729.0;
}

/// The reference path: the standard library's functions, and composites in the form that loses no
/// digits. (The standard library does not let f32 have arithmetic with f64 constants, so the plain
/// f32 is `Lane<f32, Unfused>`.)
impl Number for f64 {
    type Mask = bool;

    fn constant(value: f64) -> Self {
        value
    }
    fn less_than(self, other: Self) -> bool {
        self < other
    }
    fn at_most(self, other: Self) -> bool {
        self <= other
    }
    fn equals(self, other: Self) -> bool {
        self == other
    }
    fn select(mask: bool, chosen: Self, otherwise: Self) -> Self {
        if mask { chosen } else { otherwise }
    }
    fn abs(self) -> Self {
        f64::abs(self)
    }
    fn sign(self) -> Self {
        if self > 0.0 {
            1.0
        } else if self < 0.0 {
            -1.0
        } else {
            self
        }
    }
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    fn exp(self) -> Self {
        f64::exp(self)
    }
    fn expm1(self) -> Self {
        self.exp_m1()
    }
    fn ln(self) -> Self {
        f64::ln(self)
    }
    fn ln1p(self) -> Self {
        self.ln_1p()
    }
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
    fn sigmoid(self) -> Self {
        let e = f64::exp(-f64::abs(self));
        let numerator = if self >= 0.0 { 1.0 } else { e };
        numerator / (1.0 + e)
    }
    fn softplus(self) -> Self {
        self.positive_part() + f64::exp(-f64::abs(self)).ln_1p()
    }
    fn ln_cosh(self) -> Self {
        let a = f64::abs(self);
        if a < 1.0 {
            let m = a.exp_m1();
            (m * m / (2.0 * (m + 1.0))).ln_1p()
        } else {
            a - std::f64::consts::LN_2 + f64::exp(-2.0 * a).ln_1p()
        }
    }
    fn xlogy(self, y: Self) -> Self {
        if self == 0.0 { 0.0 } else { self * f64::ln(y) }
    }
    fn xlog1py(self, y: Self) -> Self {
        if self == 0.0 { 0.0 } else { self * y.ln_1p() }
    }
    fn times_exp(self, y: Self) -> Self {
        Lane::<f64, Unfused>::new(self).times_exp_lane(Lane::new(y)).0
    }
    fn half_square_times_exp(self, y: Self) -> Self {
        Lane::<f64, Unfused>::new(self).half_square_times_exp_lane(Lane::new(y)).0
    }
    // Powers are not what a standard library promises digits for; the lanes have them.
    fn power(self, exponent: f64, _symbolic: impl Fn() -> Self) -> Self {
        Lane::<f64, Unfused>::new(self).power_lane(exponent).0
    }
    fn abs_power(self, exponent: f64, symbolic: impl Fn() -> Self) -> Self {
        Number::abs(self).power(exponent, symbolic)
    }
    fn with_derivatives(_x: Self, value: Self, _slope: Self, _bend: Self) -> Self {
        value
    }
    fn rewritten(value: Self, _slopes: Self) -> Self {
        value
    }
    fn exp_scaled(self, factor: f64, _symbolic: impl Fn() -> Self) -> Self {
        Lane::<f64, Unfused>::new(self).exp_scaled_lane(factor).0
    }
    fn power1p_square(self, exponent: f64, offset: f64, _: impl Fn() -> Self) -> Self {
        Lane::<f64, Unfused>::new(self).power1p_square_lane(exponent, offset).0
    }
    fn power1p_square_m1(self, exponent: f64, _symbolic: impl Fn() -> Self) -> Self {
        Lane::<f64, Unfused>::new(self).power1p_square_m1_lane(exponent).0
    }
    fn ln1p_square(self) -> Self {
        Lane::<f64, Unfused>::new(self).ln1p_square_lane().0
    }
    fn sqrt1p_square_m1(self) -> Self {
        Lane::<f64, Unfused>::new(self).sqrt1p_square_m1_lane().0
    }
    fn square_share(self) -> Self {
        Lane::<f64, Unfused>::new(self).square_share_lane().0
    }
    fn atan_square(self) -> Self {
        Number::atan(self * self)
    }
    fn exp_square(self, factor: f64) -> Self {
        Lane::<f64, Unfused>::new(self).exp_square_lane(factor).0
    }
    fn expm1_square(self, factor: f64) -> Self {
        Lane::<f64, Unfused>::new(self).expm1_square_lane(factor).0
    }
    fn expm1_minus(self) -> Self {
        Lane::<f64, Unfused>::new(self).expm1_minus_lane().0
    }
    fn atan(self) -> Self {
        f64::atan(self)
    }
    // What the standard library does not have, or not to the last digit everywhere, is computed as
    // for one lane.
    fn sin(self) -> Self {
        Lane::<f64, Unfused>::new(self).sin().0
    }
    fn cos(self) -> Self {
        Lane::<f64, Unfused>::new(self).cos().0
    }
    fn inverse1p_square(self) -> Self {
        Lane::<f64, Unfused>::new(self).inverse1p_square().0
    }
    fn erf(self) -> Self {
        Lane::<f64, Unfused>::new(self).erf().0
    }
    fn exp_minus_square(self) -> Self {
        Lane::<f64, Unfused>::new(self).exp_minus_square().0
    }
    fn normal_density(self) -> Self {
        Lane::<f64, Unfused>::new(self).normal_density().0
    }
    fn normal_cdf(self) -> Self {
        Lane::<f64, Unfused>::new(self).normal_cdf().0
    }
    fn normal_crps(self) -> Self {
        Lane::<f64, Unfused>::new(self).normal_crps().0
    }
    fn ln_gamma(self) -> Self {
        Lane::<f64, Unfused>::new(self).ln_gamma().0
    }
    fn digamma(self) -> Self {
        Lane::<f64, Unfused>::new(self).digamma().0
    }
    fn trigamma(self) -> Self {
        Lane::<f64, Unfused>::new(self).trigamma().0
    }
    fn ln_bessel_i0(self) -> Self {
        Lane::<f64, Unfused>::new(self).ln_bessel_i0().0
    }
    fn bessel_ratio(self) -> Self {
        Lane::<f64, Unfused>::new(self).bessel_ratio().0
    }
    fn bessel_ratio_slope(self) -> Self {
        Lane::<f64, Unfused>::new(self).bessel_ratio_slope().0
    }
    fn sigmoid_power(self, exponent: f64, _symbolic: impl Fn() -> Self) -> Self {
        Lane::<f64, Unfused>::new(self).sigmoid_power_lane(exponent).0
    }
    fn sigmoid_balance(self, factor: f64, _symbolic: impl Fn() -> Self) -> Self {
        Lane::<f64, Unfused>::new(self).sigmoid_balance_lane(factor).0
    }
    fn focal(self, gamma: f64, _symbolic: impl Fn() -> Self) -> Self {
        Lane::<f64, Unfused>::new(self).focal_lane(gamma).0
    }
    fn poly1(self, epsilon: f64, _symbolic: impl Fn() -> Self) -> Self {
        Lane::<f64, Unfused>::new(self).poly1_lane(epsilon).0
    }
    fn sigmoid_gap(self, y: Self, exact: Option<f64>) -> Self {
        Lane::<f64, Unfused>::new(self)
            .sigmoid_gap_lane(Lane::<f64, Unfused>::new(y).probability(exact))
            .0
    }
    fn sigmoid_gap_power(
        self,
        y: Self,
        exact: Option<f64>,
        exponent: f64,
        _symbolic: impl Fn() -> Self,
    ) -> Self {
        let y = Lane::<f64, Unfused>::new(y).probability(exact);
        Lane::<f64, Unfused>::new(self).sigmoid_gap_power_lane(y, exponent).0
    }
    fn tangent_angle(self) -> Self {
        Lane::<f64, Unfused>::new(self).tangent_angle_lane().0
    }
}
