//! Special functions of lanes: trigonometric functions, those of the normal distribution, the gamma
//! function's logarithm and its derivatives, Bessel functions.
//!
//! All arithmetic is f64's, branch-free as in [`super::lane`]: an f32 is widened, and needs fewer
//! coefficients and no care for the last digits. Where a function has several regions, all are
//! computed, each for an argument that is moved into its region, and one is picked.

use super::coefficients::{
    ANGLES, CRPS_AT_0, HALF_LN_2PI, INVERSE_SQRT_2PI, INVERSE_SQRT_PI, PI_2, QUARTERS_FIRST,
    QUARTERS_FOURTH, QUARTERS_SCALE, QUARTERS_SECOND, QUARTERS_THIRD, ROOT_OF_DIGAMMA,
};
use super::{Isa, Lane, Number, Real, power};
use std::hint::select_unpredictable;

type Double<I> = Lane<f64, I>;

/// A sum of two, the second far below the last digit of the first.
type Pair<I> = (Double<I>, Double<I>);

#[inline(always)]
fn double<I: Isa>(x: f64) -> Double<I> {
    Lane::new(x)
}

#[inline(always)]
fn widen<T: Real, I: Isa>(x: Lane<T, I>) -> Double<I> {
    Lane::new(x.0.to_f64())
}

#[inline(always)]
fn narrow<T: Real, I: Isa>(x: Double<I>) -> Lane<T, I> {
    Lane::new(T::from_f64(x.0))
}

/// Not by `if`: the compiler would move what only one side needs into a branch.
#[inline(always)]
pub(crate) fn pick<T: Real, I: Isa>(
    mask: bool,
    chosen: Lane<T, I>,
    otherwise: Lane<T, I>,
) -> Lane<T, I> {
    Lane::new(select_unpredictable(mask, chosen.0, otherwise.0))
}

/// The smaller of the two; NaN stays.
#[inline(always)]
fn at_most<I: Isa>(x: Double<I>, limit: f64) -> Double<I> {
    pick(x.0 > limit, double(limit), x)
}

#[inline(always)]
fn with_sign_of<I: Isa>(x: Double<I>, sign: Double<I>) -> Double<I> {
    Lane::new(x.0.with_sign_of(sign.0))
}

/// a + b, and what its rounding lost.
#[inline(always)]
fn sum<I: Isa>(a: Double<I>, b: Double<I>) -> Pair<I> {
    let power::Pair(sum, lost) = a.sum(b);
    (sum, lost)
}

/// The same, if a is not the smaller or is 0.
#[inline(always)]
fn ordered_sum<I: Isa>(a: Double<I>, b: Double<I>) -> Pair<I> {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// a b, and what its rounding lost. Neither may be near the largest number.
#[inline(always)]
fn product<I: Isa>(a: Double<I>, b: Double<I>) -> Pair<I> {
    let power::Pair(product, lost) = a.product(b);
    (product, lost)
}

#[inline(always)]
fn quotient<I: Isa>(x: Double<I>, (over, under): (&'static [f64], &'static [f64])) -> Double<I> {
    x.polynomial(over) / x.polynomial(under)
}

/// (x - centre) / (x + centre), from -1 to 1 for x from 0 to infinity. A polynomial in it is not so
/// much rounded as one in x, and follows a function that falls like 1 / x.
#[inline(always)]
fn mapped<I: Isa>(x: Double<I>, centre: f64) -> Double<I> {
    (x - centre) / (x + centre)
}

// Trigonometric functions.

/// 1.5 * 2^52: adding and subtracting it rounds to an integer, and leaves it in the low bits.
const ROUNDING: f64 = 1.5 * 4_503_599_627_370_496.0;
/// The same for multiples of 4.
const ROUNDING_TO_4: f64 = 4.0 * ROUNDING;
/// The same for multiples of 2^54, for numbers up to 2^105.
const ROUNDING_TO_2_54: f64 = 18_014_398_509_481_984.0 * ROUNDING;

/// x without a multiple of 4: exact for |x| up to 2^53.
#[inline(always)]
fn modulo_4<I: Isa>(x: Double<I>) -> Double<I> {
    x - ((x + ROUNDING_TO_4) - ROUNDING_TO_4)
}

/// sin and cos of the angle that x is off a multiple of π/2, and the number of the multiple in the
/// two lowest bits.
///
/// The reduction of Payne and Hanek: x is multiplied by so many digits of 2/π as matter for its
/// exponent, which come from a table for every sixteen exponents; whole turns are left out.
#[inline(always)]
fn in_quarter<T: Real, I: Isa>(x: Double<I>) -> (Double<I>, Double<I>, u64) {
    let row = (x.0.to_bits() >> 56 & 127) as usize;
    let x = x * double(QUARTERS_SCALE[row]);
    let (first, first_low) = product(x, double(QUARTERS_FIRST[row]));
    let (second, second_low) = product(x, double(QUARTERS_SECOND[row]));
    let (third, third_low) = product(x, double(QUARTERS_THIRD[row]));
    let rest = x.fused(double(QUARTERS_FOURTH[row]), third_low);
    let first = modulo_4(first - ((first + ROUNDING_TO_2_54) - ROUNDING_TO_2_54));
    let (turns, low_1) = sum(first, modulo_4(first_low));
    let (turns, low_2) = sum(turns, modulo_4(second));
    let rounded = turns + ROUNDING;
    let turns = turns - (rounded - ROUNDING);
    // Everything may cancel but for what lies a hundred bits below.
    let (turns, low_3) = sum(turns, second_low);
    let (turns, low_4) = sum(turns, third);
    let (turns, low_5) = sum(turns, low_1);
    let (turns, low_6) = sum(turns, low_2);
    let (turns, low) = ordered_sum(turns, ((low_3 + low_4) + (low_5 + low_6)) + rest);
    let (angle, angle_low) = product(turns, double(PI_2.0));
    let angle_low = turns.fused(double(PI_2.1), low.fused(double(PI_2.0), angle_low));
    let (r, low) = ordered_sum(angle, angle_low);

    let z = r * r;
    let cube = z * r;
    let sine = r + cube.fused(z.polynomial(T::SIN), low * (double(1.0) - z * 0.5));
    let half = z * 0.5;
    let cosine = double(1.0) - half;
    let lost = (double(1.0) - cosine) - half;
    let cosine = cosine + (lost + (z * z).fused(z.polynomial(T::COS), -(r * low)));
    (sine, cosine, rounded.0.to_bits())
}

/// Picks among sin, cos, -sin and -cos by the two lowest bits.
#[inline(always)]
fn in_turn<I: Isa>(quarter: u64, sine: Double<I>, cosine: Double<I>) -> Double<I> {
    let magnitude = pick(quarter & 1 == 0, sine, cosine);
    Lane::new(f64::from_bits(magnitude.0.to_bits() ^ (quarter & 2) << 62))
}

#[inline(always)]
pub(super) fn sin<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let x = widen(x);
    let (sine, cosine, quarter) = in_quarter::<T, I>(x);
    let is_tiny = Number::abs(x).0 < 1e-9;
    narrow(pick(is_tiny, x, in_turn(quarter, sine, cosine)))
}

#[inline(always)]
pub(super) fn cos<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let (sine, cosine, quarter) = in_quarter::<T, I>(widen(x));
    narrow(in_turn(quarter.wrapping_add(1), sine, cosine))
}

/// Picks by the ranges in which 0, ½, 1, 3/2 and infinity are nearest.
#[inline(always)]
fn by_size<I: Isa>(a: Double<I>, values: [f64; 5]) -> Double<I> {
    let value = pick(a.0 < 0.4375, double(values[0]), double(values[1]));
    let value = pick(a.0 >= 0.6875, double(values[2]), value);
    let value = pick(a.0 >= 1.1875, double(values[3]), value);
    pick(a.0 >= 2.4375, double(values[4]), value)
}

/// atan x = atan c + atan((x - c) / (1 + c x)) for the nearest c of 0, ½, 1, 3/2 and infinity.
#[inline(always)]
pub(super) fn atan<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let x = widen(x);
    let a = Number::abs(x);
    let centre = by_size(a, [0.0, 0.5, 1.0, 1.5, 0.0]);
    let angle = by_size(a, ANGLES.map(|(angle, _)| angle));
    let angle_low = by_size(a, ANGLES.map(|(_, low)| low));
    let is_far = a.0 >= 2.4375;
    let over = pick(is_far, double(-1.0), a - centre);
    let under = pick(is_far, a, centre.fused(a, double(1.0)));
    let t = over / under;
    let z = t * t;
    let rest = (t * z).fused(z.polynomial(T::ATAN), angle_low);
    narrow(with_sign_of(angle + (rest + t), x))
}

/// 1 / (1 + x²).
#[inline(always)]
pub(super) fn inverse1p_square<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let a = Number::abs(widen(x));
    let (square, low) = product(at_most(a, 1e20), at_most(a, 1e20));
    let under = square + 1.0;
    // What both roundings lost; from 1 on the square is the larger.
    let larger = pick(a.0 < 1.0, double(1.0), square);
    let smaller = pick(a.0 < 1.0, square, double(1.0));
    let low = low + (smaller - (under - larger));
    let near = double(1.0) / under;
    let near = near - near * (low * near);
    let inverse = double(1.0) / a;
    narrow(pick(a.0 < 1e20, near, inverse * inverse))
}

// The normal distribution.

/// e^-(x² / divisor) for x >= 0, whose square is taken with all its digits.
#[inline(always)]
fn exp_minus_square_over<I: Isa>(x: Double<I>, divisor: f64) -> Double<I> {
    // Beyond, the result is 0.
    let x = at_most(x, 40.0);
    let (square, low) = product(x, x);
    let e = (square / -divisor).exp();
    e - e * (low / divisor)
}

/// e^(a²/2) Φ(-a) for a from 0 to 40, where the last is 0.
#[inline(always)]
fn normal_tail_scaled<T: Real, I: Isa>(a: Double<I>) -> Double<I> {
    mapped(a, 4.0).polynomial(T::TAIL) / (a + 1.0)
}

/// Φ(-a) for a >= 0.
#[inline(always)]
fn normal_tail<T: Real, I: Isa>(a: Double<I>) -> Double<I> {
    exp_minus_square_over(a, 2.0) * normal_tail_scaled::<T, I>(at_most(a, 40.0))
}

#[inline(always)]
pub(super) fn exp_minus_square<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    narrow(exp_minus_square_over(Number::abs(widen(x)), 1.0))
}

#[inline(always)]
pub(super) fn normal_density<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let e = exp_minus_square_over(Number::abs(widen(x)), 2.0);
    narrow(e.fused(double(INVERSE_SQRT_2PI.0), e * INVERSE_SQRT_2PI.1))
}

#[inline(always)]
pub(super) fn normal_cdf<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let x = widen(x);
    let tail = normal_tail::<T, I>(Number::abs(x));
    narrow(pick(x.0 > 0.0, double(1.0) - tail, tail))
}

#[inline(always)]
pub(super) fn erf<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let x = widen(x);
    let a = Number::abs(x);
    let near = x.fused((x * x).polynomial(T::ERF), x);
    let far = double(1.0) - normal_tail::<T, I>(a * std::f64::consts::SQRT_2) * 2.0;
    narrow(pick(a.0 < 1.0, near, with_sign_of(far, x)))
}

#[inline(always)]
pub(super) fn normal_crps<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let a = Number::abs(widen(x));
    let z = a * a;
    let near = z.fused(z.polynomial(T::CRPS), double(CRPS_AT_0.1)) + CRPS_AT_0.0;
    // |x| - 1/√π + 2 (φ(x) - |x| Φ(-|x|)).
    let inside = at_most(a, 40.0);
    let scaled = normal_tail_scaled::<T, I>(inside);
    let tail = inside.fused(-scaled, double(INVERSE_SQRT_2PI.0));
    let twice = exp_minus_square_over(a, 2.0) * tail * 2.0;
    let far = (a - INVERSE_SQRT_PI.0) + (twice - INVERSE_SQRT_PI.1);
    narrow(pick(a.0 < 1.5, near, far))
}

// The gamma function.

/// Where the polynomials begin: below, Γ(x) = Γ(x + 1) / x.
const GAMMA_LOW: f64 = 0.65;
/// Where they end, and the series in 1/x begins.
const GAMMA_HIGH: f64 = 6.0;

#[inline(always)]
pub(super) fn ln_gamma<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let x = widen(x);
    let ln = x.ln();
    let is_low = x.0 < GAMMA_LOW;
    // x - 1 and x - 2, or the same of x + 1.
    let from_1 = pick(is_low, x, x - 1.0);
    let from_2 = pick(is_low, x - 1.0, x - 2.0);
    let raised = pick(is_low, x + 1.0, x);
    let near = from_1 * from_2 * mapped(at_most(raised, GAMMA_HIGH), 2.0).polynomial(T::LN_GAMMA);
    let near = near - pick(is_low, ln, double(0.0));
    let inverse = double(1.0) / x;
    let series =
        inverse.fused((inverse * inverse).polynomial(T::LN_GAMMA_FAR), double(HALF_LN_2PI.0 - 0.5));
    let far = (x - 0.5).fused(ln - 1.0, series);
    narrow(pick(x.0 < GAMMA_HIGH, near, far))
}

#[inline(always)]
pub(super) fn digamma<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let x = widen(x);
    let ln = x.ln();
    let inverse = double(1.0) / x;
    let is_low = x.0 < GAMMA_LOW;
    let raised = pick(is_low, x + 1.0, x);
    let from_root = (raised - ROOT_OF_DIGAMMA.0) - ROOT_OF_DIGAMMA.1;
    let near = from_root / raised * mapped(at_most(raised, GAMMA_HIGH), 2.0).polynomial(T::DIGAMMA);
    let near = near - pick(is_low, inverse, double(0.0));
    let z = inverse * inverse;
    let far = ln - inverse.fused(double(0.5), z * z.polynomial(T::DIGAMMA_FAR));
    let result = pick(x.0 < GAMMA_HIGH, near, far);
    narrow(pick(x.0 < 0.0, double(f64::NAN), result))
}

#[inline(always)]
pub(super) fn trigamma<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let x = widen(x);
    let inverse = double(1.0) / x;
    let z = inverse * inverse;
    let is_low = x.0 < GAMMA_LOW;
    let raised = at_most(pick(is_low, x + 1.0, x), GAMMA_HIGH);
    let near = mapped(raised, 1.5).polynomial(T::TRIGAMMA) / raised;
    let near = near + pick(is_low, z, double(0.0));
    let far = inverse + z.fused(double(0.5), inverse * z * z.polynomial(T::TRIGAMMA_FAR));
    let result = pick(x.0 < GAMMA_HIGH, near, far);
    narrow(pick(x.0 < 0.0, double(f64::NAN), result))
}

#[inline(always)]
fn factorial(n: u32) -> f64 {
    [1.0, 1.0, 2.0, 6.0, 24.0][n as usize]
}

/// x^n, n from 1 to 5.
#[inline(always)]
fn power<N: Number>(x: N, n: u32) -> N {
    let square = x * x;
    match n {
        1 => x,
        2 => square,
        3 => square * x,
        4 => square * square,
        _ => square * square * x,
    }
}

/// B(2j)/(2j)! n (n + 1) ... (n + 2j - 1) for j from 1 to 7.
const fn euler_maclaurin(n: u32) -> [f64; 7] {
    let mut terms = [
        1.0 / 12.0,
        -1.0 / 720.0,
        1.0 / 30_240.0,
        -1.0 / 1_209_600.0,
        1.0 / 47_900_160.0,
        -691.0 / 1_307_674_368_000.0,
        1.0 / 74_724_249_600.0,
    ];
    let (mut j, mut rising, mut next) = (0, n as f64 * (n + 1) as f64, n + 2);
    while j < 7 {
        terms[j] *= rising;
        rising *= next as f64 * (next + 1) as f64;
        next += 2;
        j += 1;
    }
    terms
}

/// The polygamma function ψ of an order from 2 to 4, for x > 0: the derivatives of trigamma.
///
/// (-1)^(n+1) ψ is the sum of n! / (x + k)^(n+1): so many terms one by one, the others by Euler and
/// Maclaurin. All are positive, and nothing cancels.
#[inline(always)]
pub(super) fn polygamma<const ORDER: u32, N: Number>(x: N) -> N {
    const TERMS: u32 = 12;
    const FAR: f64 = 32.0;
    let one = N::constant(1.0);
    let is_far = N::constant(FAR).less_than(x);
    let inverse = one / N::select(is_far, x, x + f64::from(TERMS));
    let z = inverse.square();
    let rest = const { euler_maclaurin(ORDER) };
    let rest = rest.into_iter().rev().fold(N::constant(0.0), |rest, c| rest * z + c);
    // The sum over k >= 0 of 1 / (y + k)^(n+1) is this over n y^n, with y the inverse of `inverse`.
    let series = inverse * (inverse * 0.5 * f64::from(ORDER) + z * rest + 1.0);
    let series = series * power(inverse, ORDER - 1) * factorial(ORDER - 1);
    let mut total = series;
    for k in (0..TERMS).rev() {
        total = total + power(one / (x + f64::from(k)), ORDER + 1) * factorial(ORDER);
    }
    let total = N::select(is_far, series, total);
    if ORDER.is_multiple_of(2) { -total } else { total }
}

// Bessel functions.

/// Where the series in 1/x begins, for ln I₀.
const BESSEL_HIGH: f64 = 12.0;
/// The same for I₁/I₀.
const RATIO_HIGH: f64 = 8.0;
/// The same for its derivative.
const SLOPE_HIGH: f64 = 10.0;

#[inline(always)]
pub(super) fn ln_bessel_i0<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let a = Number::abs(widen(x));
    let is_near = a.0 < BESSEL_HIGH;
    let z = at_most(a, BESSEL_HIGH).square();
    let above_1 = z * z.polynomial(T::BESSEL);
    // One logarithm for both: of I₀, of which the 1 must not round away the rest, or of x.
    let u = pick(is_near, above_1 + 1.0, a);
    let (k, m) = u.0.split_exponent();
    let is_small = k == 0.0;
    let f = pick(is_small, above_1, double(m) - 1.0);
    let lost = pick(is_near, above_1 - (u - 1.0), double(0.0));
    let lost = pick(is_small, double(0.0), lost);
    let ln = Lane::ln_parts(f, double(k), lost / u);
    let inverse = double(1.0) / a;
    let s = inverse.fused(double(2.0 * BESSEL_HIGH), double(-1.0));
    let half_ln = ln.fused(double(0.5), double(HALF_LN_2PI.0));
    let far = a - inverse.fused(-s.polynomial(T::BESSEL_FAR), half_ln);
    narrow(pick(is_near, ln, far))
}

#[inline(always)]
pub(super) fn bessel_ratio<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let x = widen(x);
    let a = Number::abs(x);
    let near = x * quotient(at_most(a, RATIO_HIGH).square(), T::RATIO);
    let inverse = double(1.0) / a;
    let s = inverse.fused(double(2.0 * RATIO_HIGH), double(-1.0));
    let far = double(1.0) - inverse * s.polynomial(T::RATIO_FAR);
    narrow(pick(a.0 < RATIO_HIGH, near, with_sign_of(far, x)))
}

#[inline(always)]
pub(super) fn bessel_ratio_slope<T: Real, I: Isa>(x: Lane<T, I>) -> Lane<T, I> {
    let a = Number::abs(widen(x));
    let near = quotient(at_most(a, SLOPE_HIGH).square(), T::SLOPE);
    let inverse = double(1.0) / a;
    let s = inverse.fused(double(2.0 * SLOPE_HIGH), double(-1.0));
    let far = inverse * inverse * s.polynomial(T::SLOPE_FAR);
    narrow(pick(a.0 < SLOPE_HIGH, near, far))
}

/// I₁(x)/I₀(x) in powers of x, from x³ on.
const RATIO_SERIES: [f64; 7] = [
    -1.0 / 16.0,
    1.0 / 96.0,
    -11.0 / 6144.0,
    19.0 / 61_440.0,
    -473.0 / 8_847_360.0,
    229.0 / 24_772_608.0,
    -101_369.0 / 63_417_876_480.0,
];
/// The same in powers of 1/x, from 1/x on.
const RATIO_FAR_SERIES: [f64; 12] = [
    -1.0 / 2.0,
    -1.0 / 8.0,
    -1.0 / 8.0,
    -25.0 / 128.0,
    -13.0 / 32.0,
    -1073.0 / 1024.0,
    -103.0 / 32.0,
    -375_733.0 / 32_768.0,
    -23_797.0 / 512.0,
    -55_384_775.0 / 262_144.0,
    -2_180_461.0 / 2048.0,
    -24_713_030_909.0 / 4_194_304.0,
];

/// The first three derivatives of I₁/I₀. The last two, which the third and fourth derivative of ln I₀
/// would need, come from its differential equation, where they lose about two digits, and from series
/// for small and for large x.
#[inline(always)]
pub(super) fn bessel_ratio_derivatives<N: Number>(x: N) -> (N, N, N) {
    const NEAR: f64 = 0.125;
    const FAR: f64 = 50.0;
    let (ratio, slope) = (x.bessel_ratio(), x.bessel_ratio_slope());
    let inverse = N::constant(1.0) / x;
    let along = (ratio * inverse - slope) * inverse;
    let bend = along - ratio * slope * 2.0;
    let third = along * inverse * -2.0 - bend * inverse - (slope.square() + ratio * bend) * 2.0;

    let z = x.square();
    let (mut near_bend, mut near_third) = (N::constant(0.0), N::constant(0.0));
    for (k, c) in RATIO_SERIES.into_iter().enumerate().rev() {
        let k = 2.0 * k as f64 + 3.0;
        near_bend = near_bend * z + c * k * (k - 1.0);
        near_third = near_third * z + c * k * (k - 1.0) * (k - 2.0);
    }
    let u = inverse.abs();
    let (mut far_bend, mut far_third) = (N::constant(0.0), N::constant(0.0));
    for (k, c) in RATIO_FAR_SERIES.into_iter().enumerate().rev() {
        let k = k as f64 + 1.0;
        far_bend = far_bend * u + c * k * (k + 1.0);
        far_third = far_third * u + c * k * (k + 1.0) * (k + 2.0);
    }
    let near_bend = near_bend * x;
    let far_bend = far_bend * u.square() * inverse;
    let far_third = -far_third * u.square().square();

    let is_near = x.abs().less_than(N::constant(NEAR));
    let is_far = N::constant(FAR).less_than(x.abs());
    let bend = N::select(is_near, near_bend, N::select(is_far, far_bend, bend));
    let third = N::select(is_near, near_third, N::select(is_far, far_third, third));
    (slope, bend, third)
}

/// ln Γ(x) - (x - 1/2) ln x + x - ln(2 pi) / 2, for large x.
#[inline(always)]
pub(crate) fn stirling<N: Number>(x: N) -> N {
    let inverse = N::constant(1.0) / x;
    let square = inverse.square();
    let tail = square * (1.0 / 1188.0) - 1.0 / 1680.0;
    let rest = tail * square + 1.0 / 1260.0;
    let series = (rest * square - 1.0 / 360.0) * square + 1.0 / 12.0;
    series * inverse
}
