//! Functions that a language may lack, by those that it has: one definition for all languages.

use crate::number::{Expr, Formula, Number};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, TAU};

/// The definition of a function with the arguments `x` and `y`, if there is one.
pub(super) fn definition(function: &str) -> Option<Formula> {
    let one = |of: fn(Expr) -> Expr| Some(Formula::trace(|| [of(Expr::symbol("x"))]));
    let two = |of: fn(Expr, Expr) -> Expr| {
        Some(Formula::trace(|| [of(Expr::symbol("x"), Expr::symbol("y"))]))
    };
    match function {
        // A comparison with NaN is false, and NaN is to be kept.
        "max" => two(|x, y| N::select(y.less_than(x) | is_nan(x), x, y)),
        "min" => two(|x, y| N::select(x.less_than(y) | is_nan(x), x, y)),
        "positive_part" => one(|x| N::select(x.at_most(zero()), zero(), x)),
        "sign" => one(|x| {
            let below = N::select(x.less_than(zero()), N::constant(-1.0), x);
            N::select(zero().less_than(x), N::constant(1.0), below)
        }),
        "xlogy" => two(|x, y| N::select(x.equals(zero()) & !is_nan(y), zero(), x * y.ln())),
        "xlog1py" => two(|x, y| N::select(x.equals(zero()) & !is_nan(y), zero(), x * y.ln1p())),
        "sigmoid" => one(|x| {
            let small = (-x.abs()).exp();
            let share = N::constant(1.0) / (small + 1.0);
            N::select(x.less_than(zero()), small * share, share)
        }),
        "softplus" => one(|x| x.positive_part() + (-x.abs()).exp().ln1p()),
        "tanh" => one(|x| {
            let small = (x.abs() * -2.0).expm1();
            -x.sign() * small / (small + 2.0)
        }),
        "ln_cosh" => one(|x| {
            let growth = x.abs().expm1();
            let sinh = (growth + growth / (growth + 1.0)) * 0.5;
            let far = x.abs() + (x.abs() * -2.0).exp().ln1p() - LN_2;
            N::select(x.abs().less_than(N::constant(1.0)), sinh.square().ln1p() * 0.5, far)
        }),
        // For languages without either of the two: in f32 the series are exact, in f64 to 1e-14.
        "expm1" => one(|x| {
            let series =
                (2..=13).rev().fold(N::constant(1.0), |sum, k| sum * x / f64::from(k) + 1.0);
            let near = x.abs().less_than(N::constant(0.5));
            N::select(near, x * series, x.exp() - 1.0)
        }),
        "ln1p" => one(|x| {
            let ratio = x / (x + 2.0);
            let square = ratio.square();
            let series = (0..12)
                .rev()
                .fold(zero(), |sum, k| sum * square + N::constant(1.0 / f64::from(2 * k + 1)));
            let near = x.abs().less_than(N::constant(0.5));
            N::select(near, ratio * series * 2.0, (x + 1.0).ln())
        }),
        "inverse1p_square" => one(|x| N::constant(1.0) / (x.square() + 1.0)),
        "exp_minus_square" => one(|x| (-x.square()).exp()),
        "normal_density" => one(|x| (x.square() * -0.5).exp() / TAU.sqrt()),
        "normal_cdf" => one(normal_cdf),
        "normal_crps" => one(|x| {
            let spread = x.normal_density() * 2.0 - 1.0 / std::f64::consts::PI.sqrt();
            x * (x.normal_cdf() * 2.0 - 1.0) + spread
        }),
        "erf" => one(|x| {
            let square = x.square();
            let (mut series, mut factor) = (zero(), 1.0);
            let mut terms = Vec::new();
            for k in 0..14 {
                terms.push(factor / f64::from(2 * k + 1));
                factor /= -f64::from(k + 1);
            }
            for term in terms.into_iter().rev() {
                series = series * square + N::constant(term);
            }
            let near = x.abs().less_than(N::constant(0.75));
            let far = (x / FRAC_1_SQRT_2).normal_cdf() * 2.0 - 1.0;
            N::select(near, x * series * std::f64::consts::FRAC_2_SQRT_PI, far)
        }),
        "ln_gamma" => one(|x| {
            let (z, near) = shifted(x);
            let w = N::constant(1.0) / z.square();
            let stirling = [
                -691.0 / 360_360.0,
                1.0 / 1188.0,
                -1.0 / 1680.0,
                1.0 / 1260.0,
                -1.0 / 360.0,
                1.0 / 12.0,
            ];
            let product = (1..SHIFT).fold(x, |product, k| product * (x + f64::from(k)));
            let low = N::select(near, product.ln(), zero());
            (z - 0.5) * z.ln() - z + TAU.ln() / 2.0 + polynomial(w, &stirling) / z - low
        }),
        "digamma" => one(|x| {
            let (z, near) = shifted(x);
            let w = N::constant(1.0) / z.square();
            let series = [
                691.0 / 32_760.0,
                -1.0 / 132.0,
                1.0 / 240.0,
                -1.0 / 252.0,
                1.0 / 120.0,
                -1.0 / 12.0,
            ];
            let sum = (1..SHIFT)
                .fold(N::constant(1.0) / x, |sum, k| sum + N::constant(1.0) / (x + f64::from(k)));
            let low = N::select(near, sum, zero());
            z.ln() - N::constant(0.5) / z + w * polynomial(w, &series) - low
        }),
        "trigamma" => one(|x| {
            let (z, near) = shifted(x);
            let w = N::constant(1.0) / z.square();
            let series = [
                7.0 / 6.0,
                -691.0 / 2730.0,
                5.0 / 66.0,
                -1.0 / 30.0,
                1.0 / 42.0,
                -1.0 / 30.0,
                1.0 / 6.0,
            ];
            let term = |k: u32| N::constant(1.0) / (x + f64::from(k)).square();
            let sum = (1..SHIFT).fold(term(0), |sum, k| sum + term(k));
            let low = N::select(near, sum, zero());
            (w * polynomial(w, &series) + 1.0) / z + w * 0.5 + low
        }),
        _ => None,
    }
}

type N = Expr;

fn zero() -> N {
    N::constant(0.0)
}

fn is_nan(x: N) -> crate::number::Condition {
    !x.equals(x)
}

/// How far the functions around Γ are moved to where their asymptotic series hold.
const SHIFT: u32 = 10;

fn shifted(x: N) -> (N, crate::number::Condition) {
    let near = x.less_than(N::constant(f64::from(SHIFT)));
    (N::select(near, x + f64::from(SHIFT), x), near)
}

/// Of coefficients from the highest power down.
fn polynomial(x: N, coefficients: &[f64]) -> N {
    let constants = coefficients.iter().map(|&coefficient| N::constant(coefficient));
    constants.reduce(|sum, coefficient| sum * x + coefficient).unwrap_or_else(zero)
}

/// Hart's approximation, as in West (2005), Better approximations to cumulative normal functions.
fn normal_cdf(x: N) -> N {
    const TOP: [f64; 7] = [
        3.526_249_659_989_11e-2,
        0.700_383_064_443_688,
        6.373_962_203_531_65,
        33.912_866_078_383,
        112.079_291_497_871,
        221.213_596_169_931,
        220.206_867_912_376,
    ];
    const BOTTOM: [f64; 8] = [
        8.838_834_764_831_84e-2,
        1.755_667_163_182_64,
        16.064_177_579_207,
        86.780_732_202_946_1,
        296.564_248_779_674,
        637.333_633_378_831,
        793.826_512_519_948,
        440.413_735_824_752,
    ];
    let a = x.abs();
    let near = polynomial(a, &TOP) / polynomial(a, &BOTTOM);
    let fraction = (1..=4).rev().fold(a + 0.65, |rest, k| a + N::constant(f64::from(k)) / rest);
    let far = N::constant(1.0 / TAU.sqrt()) / fraction;
    let small = (a.square() * -0.5).exp();
    let ratio = N::select(a.less_than(N::constant(5.0 * std::f64::consts::SQRT_2)), near, far);
    // Beyond, powers of x may be infinite.
    let tail = N::select(N::constant(38.5).less_than(a), zero(), small * ratio);
    N::select(zero().less_than(x), N::constant(1.0) - tail, tail)
}
