//! The special functions of `Number` against values of many digits, with their derivatives, in both
//! precisions, on every instruction set of this machine; and their evaluation with many digits, by
//! which the laws judge losses.

use lossfn::{Description, InstructionSet, Loss, Number, Outputs, Pointwise};
use lossfn_testkit::points::Precision;
use lossfn_testkit::precise::Definition;
use lossfn_testkit::{none_wrong, root, ulps_f32, ulps_f64};
use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    source: String,
    row: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    function: String,
    x: f64,
    value: String,
    first: String,
    second: String,
}

impl Row {
    fn expected(&self) -> [&str; 3] {
        [&self.value, &self.first, &self.second]
    }
}

/// A function as a loss, with what it and its derivatives may be off by in f64 and in f32.
struct Case {
    name: &'static str,
    loss: Loss,
    ceilings: [[u64; 3]; 2],
}

static DESCRIPTION: Description = Description::own("function", "A function of the prediction.");

macro_rules! cases {
    ($($method:ident $double:tt $single:tt;)*) => {{
        vec![$({
            struct Function;
            impl Pointwise for Function {
                #[inline(always)]
                fn loss<N: Number>(&self, prediction: N, _target: N) -> N {
                    prediction.$method()
                }
            }
            let loss = Loss::pointwise(&DESCRIPTION, &[], Function);
            Case { name: stringify!($method), loss, ceilings: [$double, $single] }
        }),*]
    }};
}

fn cases() -> Vec<Case> {
    cases! {
        sin [1, 1, 1] [1, 1, 1];
        cos [1, 1, 1] [1, 1, 1];
        atan [1, 1, 3] [1, 1, 3];
        inverse1p_square [1, 3, 4] [1, 3, 4];
        erf [1, 2, 3] [1, 2, 3];
        exp_minus_square [1, 2, 4] [1, 2, 4];
        normal_density [2, 3, 4] [1, 2, 4];
        normal_cdf [3, 2, 3] [1, 1, 2];
        normal_crps [2, 2, 2] [1, 1, 1];
        ln_gamma [2, 2, 2] [1, 1, 1];
        digamma [2, 2, 4] [1, 1, 4];
        trigamma [2, 4, 4] [1, 4, 4];
        ln_bessel_i0 [2, 3, 3] [1, 1, 1];
    }
}

fn table() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("testdata/functions.toml")).unwrap();
    let table: Table = toml::from_str(&text).unwrap();
    assert!(!table.source.is_empty(), "the values must say where they come from");
    table.row
}

/// Where a function has decayed to a subnormal number, a derivative multiplies its rounding.
fn decayed(x: f64, smallest: f64) -> f64 {
    let factor = 4.0 * x * x;
    if factor < 1e6 { smallest * factor } else { 0.0 }
}

macro_rules! check {
    ($name:ident, $float:ident, $run:ident, $ulps:ident, $place:literal) => {
        /// What is wrong, and the worst distances.
        fn $name(case: &Case, rows: &[&Row], set: InstructionSet, wrong: &mut Vec<String>) -> [u64; 3] {
            let rows: Vec<_> =
                rows.iter().filter(|row| f64::from(row.x as $float) == row.x).collect();
            let prediction: Vec<$float> = rows.iter().map(|row| row.x as $float).collect();
            let zero = vec![0.0; rows.len()];
            let [mut value, mut gradient, mut second] = [zero.clone(), zero.clone(), zero.clone()];
            let to = Outputs::new(&mut value, &mut gradient, &mut second);
            case.loss.pointwise_kernels().unwrap().$run(set, &prediction, &zero, to);
            let mut worst = [0; 3];
            for (at, row) in rows.iter().enumerate() {
                let found = [value[at], gradient[at], second[at]];
                for (order, expected) in row.expected().into_iter().enumerate() {
                    let expected: $float = expected.parse().unwrap();
                    let slack = decayed(row.x, f64::from($float::from_bits(1)));
                    if order > 0 && (f64::from(found[order]) - f64::from(expected)).abs() <= slack {
                        continue;
                    }
                    let distance = $ulps(found[order], expected);
                    worst[order] = worst[order].max(distance);
                    if distance > case.ceilings[$place][order] {
                        wrong.push(format!(
                            "{} {} {}, order {order}, at {:e}: {:e}, not {expected:e} ({distance} ulp)",
                            set.name(), stringify!($float), case.name, row.x, found[order],
                        ));
                    }
                }
            }
            worst
        }
    };
}
check!(check_f64, f64, run_f64, ulps_f64, 0);
check!(check_f32, f32, run_f32, ulps_f32, 1);

#[test]
fn functions_match_values_of_many_digits() {
    let table = table();
    let mut wrong = Vec::new();
    for case in cases() {
        let rows: Vec<&Row> = table.iter().filter(|row| row.function == case.name).collect();
        assert!(rows.len() > 40, "{}: only {} rows", case.name, rows.len());
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let double = check_f64(&case, &rows, set, &mut wrong);
            let single = check_f32(&case, &rows, set, &mut wrong);
            println!("{} {}: f64 {double:?}, f32 {single:?} ulp", set.name(), case.name);
        }
        for row in &rows {
            let jet = case.loss.pointwise_kernels().unwrap().reference(row.x, 0.0);
            let found = [jet.value, jet.gradient(), jet.curvature()];
            for (order, (found, expected)) in found.into_iter().zip(row.expected()).enumerate() {
                let expected: f64 = expected.parse().unwrap();
                let is_near = (found - expected).abs() <= decayed(row.x, f64::from_bits(1));
                let distance = ulps_f64(found, expected);
                if distance > case.ceilings[0][order] && !(order > 0 && is_near) {
                    let (name, x) = (case.name, row.x);
                    wrong.push(format!(
                        "reference {name}, order {order}, at {x:e}: {found:e}, not {expected:e}"
                    ));
                }
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn ends_and_nan() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    // At -infinity, 0 and infinity.
    let expected: [(&str, [f64; 3]); 13] = [
        ("sin", [nan, 0.0, nan]),
        ("cos", [nan, 1.0, nan]),
        ("atan", [-std::f64::consts::FRAC_PI_2, 0.0, std::f64::consts::FRAC_PI_2]),
        ("inverse1p_square", [0.0, 1.0, 0.0]),
        ("erf", [-1.0, 0.0, 1.0]),
        ("exp_minus_square", [0.0, 1.0, 0.0]),
        ("normal_density", [0.0, 0.398_942_280_401_432_7, 0.0]),
        ("normal_cdf", [0.0, 0.5, 1.0]),
        ("normal_crps", [inf, 0.233_694_977_255_109_07, inf]),
        ("ln_gamma", [nan, inf, inf]),
        ("digamma", [nan, -inf, inf]),
        ("trigamma", [nan, inf, 0.0]),
        ("ln_bessel_i0", [inf, 0.0, inf]),
    ];
    for (case, (name, expected)) in cases().iter().zip(expected) {
        assert_eq!(case.name, name);
        let kernels = case.loss.pointwise_kernels().unwrap();
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let (mut value, mut gradient, mut second) = ([0.0; 4], [0.0; 4], [0.0; 4]);
            let to = Outputs::new(&mut value, &mut gradient, &mut second);
            kernels.run_f64(set, &[-inf, 0.0, inf, nan], &[0.0; 4], to);
            for (found, expected) in value.iter().zip(expected) {
                assert!(ulps_f64(*found, expected) <= 1, "{name}: {value:?}");
            }
            for of in [value, gradient, second] {
                assert!(of[3].is_nan(), "{name} of NaN: {of:?}");
            }
            for at in [0, 2] {
                let lost = gradient[at].is_nan() || second[at].is_nan();
                assert!(value[at].is_nan() || !lost, "{name}: {gradient:?} {second:?}");
            }
        }
    }
}

#[test]
fn sine_and_cosine_stay_in_range() {
    let mut points = Vec::new();
    let mut rng = lossfn_testkit::points::Rng::named("sine");
    while points.len() < 4096 {
        let x = f64::from_bits(rng.bits());
        if x.is_finite() {
            points.push(x);
        }
    }
    let zero = vec![0.0; points.len()];
    for case in &cases()[..2] {
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let [mut value, mut gradient, mut second] = [zero.clone(), zero.clone(), zero.clone()];
            let to = Outputs::new(&mut value, &mut gradient, &mut second);
            case.loss.pointwise_kernels().unwrap().run_f64(set, &points, &zero, to);
            for (at, x) in points.iter().enumerate() {
                assert!(value[at].abs() <= 1.0, "{}({x:e}) = {}", case.name, value[at]);
                // sin² + cos² = 1.
                let one = value[at].mul_add(value[at], gradient[at] * gradient[at]);
                assert!((one - 1.0).abs() < 1e-15, "{}({x:e}): {one}", case.name);
            }
        }
    }
}

#[test]
fn many_digits_agree_with_mpmath() {
    let table = table();
    let mut wrong = Vec::new();
    for case in cases() {
        let definition = Definition::new(&case.loss, 1, Precision::Double);
        let rows = table.iter().filter(|row| row.function == case.name);
        // Every third: with many digits a point takes milliseconds.
        for row in rows.step_by(3) {
            let truth = definition.truth(&[row.x], &[0.0], 0);
            for (order, expected) in row.expected().into_iter().enumerate() {
                let span = truth.order(order);
                let expected: f64 = expected.parse().unwrap();
                let (low, high) = (span.low.to_f64(), span.high.to_f64());
                let off = ulps_f64(low, expected).min(ulps_f64(high, expected));
                if off > 1 && !(low <= expected && expected <= high) {
                    let (name, x) = (case.name, row.x);
                    wrong.push(format!(
                        "{name}, order {order}, at {x:e}: {low:e}, not {expected:e}"
                    ));
                }
            }
        }
    }
    none_wrong(&wrong);
}
