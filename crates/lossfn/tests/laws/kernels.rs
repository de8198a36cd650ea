//! Pointwise kernels against the definition, evaluated with many digits.

use crate::{available, losses, none_wrong};
use lossfn::{InstructionSet, Loss, Number, Outputs, Pointwise};
use lossfn_testkit::catalog;
use lossfn_testkit::judge::{Judge, Verdict, underflow};
use lossfn_testkit::points::{Precision, Rng, is_default, points};
use lossfn_testkit::precise::{Definition, Precise, Truth};
use lossfn_testkit::{ulps_f32, ulps_f64};
use rayon::prelude::*;

const PRECISIONS: [Precision; 2] = [Precision::Single, Precision::Double];

/// Value, gradient and second derivative of many examples, widened to f64.
fn kernel(
    loss: &Loss,
    set: InstructionSet,
    points: &[(f64, f64)],
    precision: Precision,
) -> [Vec<f64>; 3] {
    let kernels = loss.pointwise_kernels().expect("a pointwise loss");
    macro_rules! run {
        ($float:ident, $run:ident) => {{
            let prediction: Vec<$float> = points.iter().map(|point| point.0 as $float).collect();
            let target: Vec<$float> = points.iter().map(|point| point.1 as $float).collect();
            let zero: Vec<$float> = vec![0.0; points.len()];
            let mut results = [zero.clone(), zero.clone(), zero];
            let [value, gradient, second] = &mut results;
            kernels.$run(set, &prediction, &target, Outputs { value, gradient, second });
            results.map(|result| result.into_iter().map(f64::from).collect())
        }};
    }
    match precision {
        Precision::Single => run!(f32, run_f32),
        Precision::Double => run!(f64, run_f64),
    }
}

/// The same by the plain reference arithmetic.
fn reference(loss: &Loss, points: &[(f64, f64)]) -> [Vec<f64>; 3] {
    let kernels = loss.pointwise_kernels().expect("a pointwise loss");
    let jets: Vec<_> = points.iter().map(|&(p, y)| kernels.reference(p, y)).collect();
    [
        jets.iter().map(|jet| jet.value).collect(),
        jets.iter().map(|jet| jet.gradient()).collect(),
        jets.iter().map(|jet| jet.curvature()).collect(),
    ]
}

/// What is wrong with a loss at its points, and a line that says how good it is.
fn held_to_the_definition(loss: &Loss, precision: Precision) -> (Vec<String>, String) {
    let points = points(loss, precision);
    let mut judge = Judge::new(loss, precision);
    let truths: Vec<Truth> = points.iter().map(|&(p, y)| judge.truth(p, y)).collect();
    let mut ways: Vec<(&str, [Vec<f64>; 3])> =
        available().map(|set| (set.name(), kernel(loss, set, &points, precision))).collect();
    if precision == Precision::Double {
        ways.push(("reference", reference(loss, &points)));
    }
    let mut wrong = Vec::new();
    let (mut worst, mut nearby, mut beside) = ([0; 3], 0, 0);
    for (way, results) in &ways {
        for (order, results) in results.iter().enumerate() {
            for ((&found, &point), truth) in results.iter().zip(&points).zip(&truths) {
                match judge.verdict(order, found, point, truth) {
                    Verdict::Exact(off) => worst[order] = worst[order].max(off),
                    Verdict::Nearby if is_beside_a_kink(loss, point, precision) => beside += 1,
                    Verdict::Nearby => nearby += 1,
                    Verdict::Underflow | Verdict::Overflow => {}
                    Verdict::Wrong(off) => wrong.push(format!(
                        "{way} {precision:?} {loss}, order {order} at {point:?}: {found:e}, \
                         not {:e} to {:e} ({off} ulp)",
                        truth.order(order).low.to_f64(),
                        truth.order(order).high.to_f64()
                    )),
                }
            }
        }
    }
    let results = 3 * points.len() * ways.len();
    // The allowance for inputs that are off is for the neighbourhood of kinks and of zeros, and for
    // where a loss grows fast, as parameters far out can make it; a formula that lives on it is a
    // bad one.
    if is_default(loss) && nearby * 20 > results {
        wrong
            .push(format!("{loss}: {nearby} of {results} results are right for other inputs only"));
    }
    (
        wrong,
        format!(
            "{loss} {precision:?}: {worst:?} ulp, {nearby} of {results} nearby, and {beside} \
              beside kinks"
        ),
    )
}

/// Whether a point is one of those that were put beside where a kink may lie.
fn is_beside_a_kink(loss: &Loss, (prediction, target): (f64, f64), precision: Precision) -> bool {
    let origins = [target, 0.0];
    let parameters = loss.parameters().iter().flat_map(|p| [*p, -p]);
    let mut places = origins.into_iter().flat_map(|from| {
        let at = parameters.clone().chain([0.0, 1.0, -1.0]);
        at.map(move |offset| precision.round(from + offset))
    });
    places.any(|place| precision.neighbours(place).contains(&prediction))
}

#[test]
fn kernels_agree_with_differences_of_the_definition() {
    let wrong: Vec<String> = losses(false)
        .par_iter()
        .flat_map(|loss| PRECISIONS.map(|precision| (loss, precision)))
        .flat_map_iter(|(loss, precision)| {
            let (wrong, summary) = held_to_the_definition(loss, precision);
            println!("{summary}");
            wrong
        })
        .collect();
    none_wrong(&wrong);
}

/// Cross-entropy in the textbook form, whose terms cancel.
struct Cancelling;

impl Pointwise for Cancelling {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        prediction.softplus() - prediction * target
    }
}

#[test]
fn a_loss_that_cancels_is_caught() {
    static DESCRIPTION: lossfn::Description = lossfn::Description {
        target: lossfn::Domain::Unit,
        ..lossfn::Description::own("cancelling", "softplus(p) - p y.")
    };
    let loss = Loss::pointwise(&DESCRIPTION, &[], Cancelling);
    for precision in PRECISIONS {
        let (wrong, _) = held_to_the_definition(&loss, precision);
        assert!(wrong.iter().any(|line| line.contains("order 0")), "{wrong:?}");
    }
}

#[test]
fn results_that_are_off_are_caught() {
    let entries: Vec<_> = catalog().collect();
    entries.into_par_iter().filter(|entry| !entry.with_defaults().has_class_axis()).for_each(
        |entry| {
            let loss = entry.with_defaults();
            let mut judge = Judge::new(&loss, Precision::Double);
            let mut rng = Rng::named(loss.id());
            let description = loss.description();
            let mut caught = 0;
            for _ in 0..12 {
                let point = (rng.inside(description.prediction), rng.inside(description.target));
                let truth = judge.truth(point.0, point.1);
                for order in 0..3 {
                    let right = truth.order(order).low.to_f64();
                    // Beside 0 nothing is wrong by a factor.
                    if right.abs() < 1e-3 {
                        continue;
                    }
                    for wrong in [-right, 0.0, right * (1.0 + 1e-9), f64::NAN, f64::INFINITY] {
                        let verdict = judge.verdict(order, wrong, point, &truth);
                        assert!(
                            matches!(verdict, Verdict::Wrong(_)),
                            "{loss}, order {order} at {point:?}: {wrong:e} passes for {right:e}"
                        );
                        caught += 1;
                    }
                }
            }
            assert!(caught > 10, "{loss}: only {caught} caught");
        },
    );
}

/// The formulas of gradient and second derivative, as the library prints them, are what differences
/// of the loss say, far beyond f64.
#[test]
fn traced_derivatives_are_the_derivatives() {
    let checked: usize = losses(false)
        .par_iter()
        .map(|loss| {
            let definition = Definition::new(loss, 1, Precision::Double);
            let ordinary = |x: f64| x == 0.0 || (1e-3..50.0).contains(&x.abs());
            let points = points(loss, Precision::Double);
            let points = points.iter().filter(|(p, y)| ordinary(*p) && ordinary(*y)).take(60);
            let mut checked = 0;
            for &(p, y) in points {
                let truth = definition.truth(&[p], &[y], 0);
                for order in 1..3 {
                    let (span, found) = (truth.order(order), definition.result(order, &[p], &[y]));
                    let beyond = |x: &Precise| x.to_f64().is_infinite();
                    if span.is_nan() || beyond(&span.low) {
                        continue;
                    }
                    if definition.tends_to(found.to_f64(), order, &[p], &[y], 0) {
                        continue;
                    }
                    // The quotients themselves are off by about the step, 2^-120; at the end of a
                    // domain, where there is one of them, also where the derivative is 0.
                    let step = Precise::new(1.0, 128).times_power_of_two(-100);
                    let slack = span.magnitude().times_power_of_two(-60).plus(&step);
                    let low = span.low.minus(&slack);
                    let high = span.high.plus(&slack);
                    assert!(
                        !found.is_less_than(&low) && !high.is_less_than(&found),
                        "{loss}, order {order} at {p}, {y}: {} not {} to {}",
                        found.to_f64(),
                        span.low.to_f64(),
                        span.high.to_f64()
                    );
                    checked += 1;
                }
            }
            assert!(checked > 20, "{loss}: only {checked} checked");
            checked
        })
        .sum();
    println!("{checked} traced derivatives checked");
}

#[test]
fn instruction_sets_agree() {
    let sets: Vec<InstructionSet> = available().collect();
    let fused: Vec<InstructionSet> =
        sets.iter().copied().filter(|set| *set != InstructionSet::Portable).collect();
    let mut wrong = Vec::new();
    for loss in losses(false) {
        for precision in PRECISIONS {
            let points = points(&loss, precision);
            let portable = kernel(&loss, InstructionSet::Portable, &points, precision);
            let all: Vec<_> =
                fused.iter().map(|&set| kernel(&loss, set, &points, precision)).collect();
            for pair in all.windows(2) {
                let bits = |results: &[Vec<f64>; 3]| {
                    results.concat().into_iter().map(f64::to_bits).collect::<Vec<_>>()
                };
                assert!(bits(&pair[0]) == bits(&pair[1]), "{loss}: two fused sets differ");
            }
            // Derivatives may cancel; they are held to the truth above, and the loss here.
            let pairs = all.iter().flat_map(|results| results[0].iter().zip(&portable[0]));
            for ((&fused, &portable), point) in pairs.zip(points.iter().cycle()) {
                let off = match precision {
                    Precision::Single => ulps_f32(fused as f32, portable as f32),
                    Precision::Double => ulps_f64(fused, portable),
                };
                let slack = underflow(loss.parameters(), precision);
                if off > 2 && (fused - portable).abs() > slack {
                    wrong.push(format!(
                        "{loss} {precision:?} at {point:?}: {fused:e} and {portable:e}"
                    ));
                }
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn nan_comes_out_where_it_went_in_and_nowhere_else() {
    for loss in losses(false) {
        for precision in PRECISIONS {
            for set in available() {
                let mut points = points(&loss, precision);
                let before = kernel(&loss, set, &points, precision);
                points[3].0 = f64::NAN;
                points[20].1 = f64::NAN;
                let after = kernel(&loss, set, &points, precision);
                for (order, (before, after)) in before.iter().zip(&after).enumerate() {
                    for (at, (before, after)) in before.iter().zip(after).enumerate() {
                        let nan = at == 3 || at == 20;
                        assert!(
                            if nan { after.is_nan() } else { before.to_bits() == after.to_bits() },
                            "{} {loss}, order {order}, {at}: {before} became {after}",
                            set.name()
                        );
                    }
                }
            }
        }
    }
}

/// Which of the results are asked for does not change them.
#[test]
fn each_order_gives_the_same_numbers() {
    for loss in losses(false) {
        let points = points(&loss, Precision::Double);
        let (prediction, target): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let kernels = loss.pointwise_kernels().expect("a pointwise loss");
        for set in available() {
            let all = kernel(&loss, set, &points, Precision::Double);
            let (mut value, mut gradient) = (vec![0.0; points.len()], vec![0.0; points.len()]);
            let to = Outputs { value: &mut value, gradient: &mut gradient, second: &mut [] };
            kernels.run_f64(set, &prediction, &target, to);
            let same =
                |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same(&value, &all[0]) && same(&gradient, &all[1]), "{loss} with gradient");
            let to = Outputs { value: &mut value, gradient: &mut [], second: &mut [] };
            kernels.run_f64(set, &prediction, &target, to);
            assert!(same(&value, &all[0]), "{loss} without gradient");
        }
    }
}
