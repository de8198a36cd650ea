//! Special functions with many digits: by their definitions, series and asymptotic series.

use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;
use std::cell::RefCell;
use std::collections::HashMap;

type Big = FBig<HalfEven, 2>;

/// Where the tail of the normal distribution counts as 0: it is below 2^-2900.
const LAST_OF_NORMAL: f64 = 64.0;

fn number(n: i64, bits: usize) -> Big {
    Big::from(n).with_precision(bits).value()
}

fn with(x: &Big, bits: usize) -> Big {
    x.clone().with_precision(bits).value()
}

pub fn pi(bits: usize) -> Big {
    Big::pi(bits)
}

fn magnitude(x: &Big) -> Big {
    if *x < Big::ZERO { -x } else { x.clone() }
}

/// The exponent of a number that is not 0: 2^e <= |x| < 2^(e + 1).
fn exponent(x: &Big) -> isize {
    let repr = x.repr();
    repr.exponent() + repr.digits() as isize - 1
}

/// Whether adding x to a sum no longer changes it.
fn is_below(x: &Big, sum: &Big, bits: usize) -> bool {
    *x == Big::ZERO || exponent(x) < exponent(sum) - bits as isize - 4
}

/// sin x, by dashu, with as many more digits as x has before the point.
pub fn sin(x: &Big, bits: usize) -> Big {
    if *x == Big::ZERO { x.clone() } else { with(x, bits + exponent(x).max(0) as usize).sin() }
}

pub fn cos(x: &Big, bits: usize) -> Big {
    if *x == Big::ZERO {
        return number(1, bits);
    }
    with(x, bits + exponent(x).max(0) as usize).cos()
}

pub fn atan(x: &Big, bits: usize) -> Big {
    with(x, bits).atan()
}

/// φ(x).
pub fn normal_density(x: &Big, bits: usize) -> Big {
    if magnitude(x) > number(LAST_OF_NORMAL as i64, bits) {
        return number(0, bits);
    }
    let x = with(x, bits + 32);
    (-(&x * &x) >> 1).exp() / (pi(bits + 32) << 1).sqrt()
}

/// Φ(x) - ½ = φ(x) (x + x³/3 + x⁵/15 + ...), for |x| up to 64.
fn normal_from_middle(x: &Big, bits: usize) -> Big {
    if *x == Big::ZERO {
        return number(0, bits);
    }
    let x = with(x, bits);
    let square = &x * &x;
    let (mut term, mut sum, mut k) = (x.clone(), x.clone(), 1);
    while !is_below(&magnitude(&term), &magnitude(&sum), bits) {
        k += 2;
        term = term * &square / number(k, bits);
        sum += &term;
    }
    sum * normal_density(&x, bits)
}

/// Bits beside which Φ(x) keeps those of its tail, or of its difference from ½.
fn with_tail(x: &Big, bits: usize) -> usize {
    if *x == Big::ZERO {
        return bits;
    }
    bits + x.to_f64().value().powi(2) as usize * 3 / 2 + exponent(x).min(0).unsigned_abs() + 64
}

/// Φ(x).
pub fn normal_cdf(x: &Big, bits: usize) -> Big {
    let last = number(LAST_OF_NORMAL as i64, bits);
    if *x > last {
        return number(1, bits);
    }
    if *x < -last {
        return number(0, bits);
    }
    let bits = with_tail(x, bits);
    (number(1, bits) >> 1) + normal_from_middle(x, bits)
}

/// 2 Φ(√2 x) - 1.
pub fn erf(x: &Big, bits: usize) -> Big {
    let scaled = with(x, bits + 32) * number(2, bits + 32).sqrt();
    if magnitude(&scaled) > number(LAST_OF_NORMAL as i64, bits) {
        return number(if *x < Big::ZERO { -1 } else { 1 }, bits);
    }
    let bits = with_tail(&scaled, bits);
    normal_from_middle(&(with(x, bits) * number(2, bits).sqrt()), bits) << 1
}

/// x (2 Φ(x) - 1) + 2 φ(x) - 1/√π.
pub fn normal_crps(x: &Big, bits: usize) -> Big {
    let is_far = magnitude(x) > number(LAST_OF_NORMAL as i64, bits);
    let bits = if is_far { bits } else { with_tail(x, bits) };
    let x = with(&magnitude(x), bits);
    let rest = (normal_density(&x, bits) << 1) - number(1, bits) / pi(bits).sqrt();
    if is_far {
        return x + rest;
    }
    (normal_from_middle(&x, bits) << 1) * x + rest
}

thread_local! {
    static BERNOULLI: RefCell<HashMap<usize, Vec<Big>>> = RefCell::default();
}

/// The Bernoulli numbers B₂, B₄, ... by the tangent numbers, so many that with an argument from half the
/// bits on Stirling's series is exact.
fn bernoulli(bits: usize) -> Vec<Big> {
    BERNOULLI.with_borrow_mut(|known| {
        let numbers = known.entry(bits).or_insert_with(|| {
            let count = bits / 8 + 8;
            let mut tangent = vec![number(1, bits)];
            for k in 1..count {
                tangent.push(&tangent[k - 1] * number(k as i64, bits));
            }
            for k in 1..count {
                for j in k..count {
                    let before = &tangent[j - 1] * number((j - k) as i64, bits);
                    tangent[j] = before + &tangent[j] * number((j - k + 2) as i64, bits);
                }
            }
            let numbers = tangent.into_iter().enumerate().map(|(at, t)| {
                let n = at as i64 + 1;
                let power = number(1, bits) << (2 * n as isize);
                let b = t * number(2 * n, bits) / (&power * (&power - number(1, bits)));
                if n % 2 == 0 { -b } else { b }
            });
            numbers.collect()
        });
        numbers.clone()
    })
}

/// ln Γ (order 0) or its first or second derivative, for x > 0: Stirling's series at x + n, from which
/// the recurrence leads back.
pub fn ln_gamma(order: u32, x: &Big, bits: usize) -> Big {
    // Its roots, which the rounding of what follows would miss.
    if order == 0 && (*x == number(1, bits) || *x == number(2, bits)) {
        return number(0, bits);
    }
    // Rounded up, so that there are not so many tables.
    let bits = (bits + 64).next_multiple_of(256);
    let x = with(x, bits);
    let from = number(bits as i64 / 2 + 1, bits);
    let (mut y, mut factor, mut recurred) = (x, number(1, bits), number(0, bits));
    while y < from {
        match order {
            0 => factor *= &y,
            1 => recurred += number(1, bits) / &y,
            _ => recurred += number(1, bits) / (&y * &y),
        }
        y += number(1, bits);
    }
    let half = number(1, bits) >> 1;
    let inverse = number(1, bits) / &y;
    let square = &inverse * &inverse;
    let mut sum = match order {
        0 => (&y - &half) * y.ln() - &y + ((pi(bits) << 1).ln() >> 1) - factor.ln(),
        1 => y.ln() - (inverse.clone() >> 1) - recurred,
        _ => &inverse + (square.clone() >> 1) + recurred,
    };
    let mut power = if order == 1 { square.clone() } else { inverse.clone() };
    if order == 2 {
        power *= &square;
    }
    for (at, b) in bernoulli(bits).iter().enumerate() {
        let n = 2 * (at as i64 + 1);
        let term = b * &power;
        match order {
            0 => sum += term / number(n * (n - 1), bits),
            1 => sum -= term / number(n, bits),
            _ => sum += term,
        }
        power *= &square;
    }
    sum
}

/// ln I₀ (order 0) or its first or second derivative.
pub fn ln_bessel_i0(order: u32, x: &Big, bits: usize) -> Big {
    if *x == Big::ZERO {
        return if order == 2 { number(1, bits) >> 1 } else { number(0, bits) };
    }
    let is_negative = *x < Big::ZERO;
    // The second derivative is a difference of numbers that agree in twice the digits of x.
    let bits = bits + 64 + 3 * exponent(x).unsigned_abs();
    let x = with(&magnitude(x), bits);
    let is_far = x > number(bits as i64, bits);
    let one = number(1, bits);
    let (ln, ratio);
    if is_far {
        let series = |order: i64| {
            let (mut term, mut sum) = (one.clone(), one.clone());
            let mut k = 1;
            while !is_below(&magnitude(&term), &sum, bits) {
                let odd = (2 * k - 1) * (2 * k - 1) - 4 * order * order;
                term = term * number(odd, bits) / (&x * number(8 * k, bits));
                sum += &term;
                k += 1;
            }
            sum
        };
        let (s0, s1) = (series(0), series(1));
        ln = &x - ((pi(bits) << 1) * &x).ln() / number(2, bits) + s0.ln();
        ratio = s1 / s0;
    } else {
        let quarter = (&x * &x) >> 2;
        // I₀ - 1, and I₁ over x/2.
        let series = |order: i64| {
            let mut term = if order == 0 { quarter.clone() } else { one.clone() };
            let (mut sum, mut k) = (term.clone(), 1);
            while !is_below(&term, &sum, bits) {
                let divisor = if order == 0 { (k + 1) * (k + 1) } else { k * (k + 1) };
                term = term * &quarter / number(divisor, bits);
                sum += &term;
                k += 1;
            }
            sum
        };
        let (s0, s1) = (series(0), series(1));
        ratio = s1 * (x.clone() >> 1) / (&one + &s0);
        ln = s0.ln_1p();
    }
    match order {
        0 => ln,
        1 if is_negative => -ratio,
        1 => ratio,
        _ => one - &ratio / x - &ratio * &ratio,
    }
}
