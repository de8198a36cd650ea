//! Kernels of losses whose target is a number, of one predicted number or several, against the
//! definition, evaluated with many digits.

use crate::{available, losses};
use lossfn::number::Jet;
use lossfn::{Form, InstructionSet, Loss, Number, Outputs, Pointwise};
use lossfn_testkit::catalog;
use lossfn_testkit::judge::{Judge, Verdict, computed, underflow};
use lossfn_testkit::points::{Point, Precision, Rng, is_default, points};
use lossfn_testkit::precise::{Definition, Precise, Truth};
use lossfn_testkit::{none_wrong, ulps_f32, ulps_f64};
use rayon::prelude::*;

const PRECISIONS: [Precision; 2] = [Precision::Single, Precision::Double];

/// The losses that these laws are for.
fn all_losses() -> Vec<Loss> {
    losses(Form::Pointwise).into_iter().chain(losses(Form::Joint)).collect()
}

/// The predicted numbers of many examples, one example after the other, and the targets.
fn flat(points: &[Point]) -> (Vec<f64>, Vec<f64>) {
    let prediction = points.iter().flat_map(|point| point.prediction.iter().copied());
    (prediction.collect(), points.iter().map(|point| point.target).collect())
}

fn run_f64(loss: &Loss, set: InstructionSet, prediction: &[f64], target: &[f64], to: Outputs<f64>) {
    match (loss.pointwise_kernels(), loss.joint_kernels()) {
        (Some(kernels), _) => kernels.run_f64(set, prediction, target, to),
        (_, Some(kernels)) => kernels.run_f64(set, prediction, target, to),
        _ => unreachable!("a loss whose target is a number"),
    }
}

/// What [`computed`] gives, by the plain reference arithmetic.
fn reference(loss: &Loss, points: &[Point]) -> [Vec<f64>; 3] {
    let jet = |point: &Point, by: usize| -> Jet<f64> {
        match (loss.pointwise_kernels(), loss.joint_kernels()) {
            (Some(kernels), _) => kernels.reference(point.prediction[0], point.target),
            (_, Some(kernels)) => kernels.reference(&point.prediction, point.target, by),
            _ => unreachable!("a loss whose target is a number"),
        }
    };
    let by_each = |point: &Point| (0..point.prediction.len()).map(|by| jet(point, by)).collect();
    let jets: Vec<Vec<Jet<f64>>> = points.iter().map(by_each).collect();
    [
        jets.iter().map(|row| row[0].value).collect(),
        jets.iter().flatten().map(|jet| jet.gradient()).collect(),
        jets.iter().flatten().map(|jet| jet.curvature()).collect(),
    ]
}

/// The results of an order beside the numbers of the examples that they belong to: example, predicted
/// number.
fn places(order: usize, points: &[Point]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let width = move |point: &Point| if order == 0 { 1 } else { point.prediction.len() };
    points.iter().enumerate().flat_map(move |(at, point)| (0..width(point)).map(move |by| (at, by)))
}

/// A loss with the precisions that it is tried in: both, or for other settings one of them, since many
/// digits take their time.
fn precisions(loss: &Loss) -> Vec<(&Loss, Precision)> {
    let chosen = Rng::named(&loss.to_string()).below(2);
    let all = PRECISIONS.into_iter().enumerate();
    let tried = all.filter(|(place, _)| is_default(loss) || *place == chosen);
    tried.map(|(_, precision)| (loss, precision)).collect()
}

/// What is wrong with a loss at its points, and a line that says how good it is.
fn held_to_the_definition(loss: &Loss, precision: Precision) -> (Vec<String>, String) {
    let points = points(loss, precision);
    let mut judge = Judge::new(loss, precision);
    let by_each = |point: &Point| {
        let width = point.prediction.len();
        (0..width).map(|by| judge.truth(point, by)).collect()
    };
    let truths: Vec<Vec<Truth>> = points.iter().map(by_each).collect();
    let mut ways: Vec<(&str, [Vec<f64>; 3])> =
        available().map(|set| (set.name(), computed(loss, set, &points, precision))).collect();
    if precision == Precision::Double {
        ways.push(("reference", reference(loss, &points)));
    }
    let mut wrong = Vec::new();
    let (mut worst, mut nearby, mut beside, mut cancelled, mut all) =
        ([0; 3], [0; 3], 0, 0, [0; 3]);
    for (way, results) in &ways {
        for (order, results) in results.iter().enumerate() {
            for (&found, (at, by)) in results.iter().zip(places(order, &points)) {
                let (point, truth) = (&points[at], &truths[at][by]);
                all[order] += 1;
                match judge.verdict(order, found, point, by, truth) {
                    Verdict::Exact(off) => worst[order] = worst[order].max(off),
                    Verdict::Nearby if is_beside_a_kink(loss, point, precision) => beside += 1,
                    Verdict::Nearby => nearby[order] += 1,
                    Verdict::Cancelled => cancelled += 1,
                    Verdict::Underflow | Verdict::Overflow | Verdict::Turned => {}
                    Verdict::Wrong(off) => wrong.push(format!(
                        "{way} {precision:?} {loss}, order {order} by {by} at {point:?}: {found:e}, \
                         not {:e} to {:e} ({off} ulp)",
                        truth.order(order).low.to_f64(),
                        truth.order(order).high.to_f64()
                    )),
                }
            }
        }
    }
    // The allowance for inputs that are off is for the neighbourhood of kinks and of zeros, and for
    // where a loss grows fast, as parameters far out can make it; a formula that lives on it is a
    // bad one. A second derivative may fall as a density does, by the square of the residual.
    for (order, what) in ["losses", "slopes"].into_iter().enumerate() {
        let (nearby, all) = (nearby[order], all[order]);
        if is_default(loss) && nearby * 20 > all {
            wrong.push(format!("{loss}: {nearby} of {all} {what} are right for other inputs only"));
        }
    }
    let ways =
        format!("{nearby:?} nearby, {beside} beside kinks, {cancelled} cancelled of {all:?}");
    (wrong, format!("{loss} {precision:?}: {worst:?} ulp, {ways}"))
}

/// Whether a point is one of those that were put beside where a kink may lie.
fn is_beside_a_kink(loss: &Loss, point: &Point, precision: Precision) -> bool {
    let origins = [point.target, 0.0];
    let parameters = loss.parameters().iter().flat_map(|p| [*p, -p]);
    let mut places = origins.into_iter().flat_map(|from| {
        let at = parameters.clone().chain([0.0, 1.0, -1.0]);
        at.map(move |offset| precision.round(from + offset))
    });
    places.any(|place| precision.neighbours(place).contains(&point.prediction[0]))
}

#[test]
fn kernels_agree_with_differences_of_the_definition() {
    let wrong: Vec<String> = all_losses()
        .par_iter()
        .flat_map(precisions)
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
            let width = points(&loss, Precision::Double)[0].prediction.len();
            let mut caught = 0;
            for at in 0..12 * width {
                let by = at % width;
                let prediction = (0..width).map(|p| rng.inside(description.prediction_domain(p)));
                let prediction = prediction.collect();
                let point = Point { prediction, target: rng.inside(description.target) };
                let truth = judge.truth(&point, by);
                for order in 0..3 {
                    let right = truth.order(order).low.to_f64();
                    // Beside 0 nothing is wrong by a factor.
                    if right.abs() < 1e-3 {
                        continue;
                    }
                    for wrong in [-right, 0.0, right * (1.0 + 1e-9), f64::NAN, f64::INFINITY] {
                        let verdict = judge.verdict(order, wrong, &point, by, &truth);
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
    let checked: usize = all_losses()
        .par_iter()
        .map(|loss| {
            let definition = Definition::new(loss, 1, Precision::Double);
            let ordinary = |x: &f64| *x == 0.0 || (1e-3..50.0).contains(&x.abs());
            let is_ordinary = |point: &&Point| {
                point.prediction.iter().all(ordinary) && ordinary(&point.target)
            };
            let points = points(loss, Precision::Double);
            let points: Vec<&Point> = points.iter().filter(is_ordinary).take(60).collect();
            let mut checked = 0;
            let by_each = |point: &&Point| point.prediction.len();
            let all = points.iter().flat_map(|&p| (0..by_each(&p)).map(move |by| (p, by)));
            for (Point { prediction, target }, by) in all {
                let truth = definition.truth(prediction, &[*target], by);
                for order in 1..3 {
                    let span = truth.order(order);
                    let found = definition.result(order, prediction, &[*target], by);
                    let beyond = |x: &Precise| x.to_f64().is_infinite();
                    if span.is_nan() || beyond(&span.low) {
                        continue;
                    }
                    if definition.tends_to(found.to_f64(), order, prediction, &[*target], by) {
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
                        "{loss}, order {order} by {by} at {prediction:?}, {target}: {} not {} to {}",
                        found.to_f64(),
                        span.low.to_f64(),
                        span.high.to_f64()
                    );
                    checked += 1;
                }
            }
            // Other settings get fewer points.
            let least = if is_default(loss) { 20 } else { 8 };
            assert!(checked > least, "{loss}: only {checked} checked");
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
    for loss in all_losses() {
        for precision in PRECISIONS {
            let points = points(&loss, precision);
            let portable = computed(&loss, InstructionSet::Portable, &points, precision);
            let is_signed = portable[0].iter().any(|loss| *loss < 0.0);
            let all: Vec<_> =
                fused.iter().map(|&set| computed(&loss, set, &points, precision)).collect();
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
                // Where a loss passes through 0 the two are each held to the truth, and to its terms.
                if off > 2 && (fused - portable).abs() > slack && !is_signed {
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
    for loss in all_losses() {
        // Of any number of predicted numbers each has a loss of its own.
        let has_formula_of_all = !loss.description().components.is_empty();
        for precision in PRECISIONS {
            for set in available() {
                let mut points = points(&loss, precision);
                let before = computed(&loss, set, &points, precision);
                let last = points[3].prediction.len() - 1;
                points[3].prediction[last] = f64::NAN;
                points[13].target = f64::NAN;
                let after = computed(&loss, set, &points, precision);
                for (order, (before, after)) in before.iter().zip(&after).enumerate() {
                    let places = places(order, &points);
                    for ((before, after), (at, by)) in before.iter().zip(after).zip(places) {
                        let with_nan = order == 0 || has_formula_of_all || by == last;
                        let nan = at == 13 || at == 3 && with_nan;
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
    for loss in all_losses() {
        let points = points(&loss, Precision::Double);
        let (prediction, target) = flat(&points);
        for set in available() {
            let all = computed(&loss, set, &points, Precision::Double);
            let (mut value, mut gradient) = (vec![0.0; points.len()], vec![0.0; prediction.len()]);
            let to = Outputs::new(&mut value, &mut gradient, &mut []);
            run_f64(&loss, set, &prediction, &target, to);
            let same =
                |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same(&value, &all[0]) && same(&gradient, &all[1]), "{loss} with gradient");
            let to = Outputs::new(&mut value, &mut [], &mut []);
            run_f64(&loss, set, &prediction, &target, to);
            assert!(same(&value, &all[0]), "{loss} without gradient");
        }
    }
}

/// Any number of predicted numbers is a row: its loss is the total of theirs.
#[test]
fn rows_of_any_length_are_totals() {
    let any_number = |loss: &Loss| loss.description().components.is_empty();
    for loss in losses(Form::Joint).into_iter().filter(any_number) {
        let kernels = loss.joint_kernels().expect("several predicted numbers");
        let mut rng = Rng::named(loss.id());
        let description = loss.description();
        for count in [1, 2, 3, 8, 33, 129] {
            let points: Vec<Point> = (0..300)
                .map(|_| Point {
                    prediction: (0..count).map(|_| rng.inside(description.prediction)).collect(),
                    target: rng.inside(description.target),
                })
                .collect();
            for set in available() {
                let [value, gradient, _] = computed(&loss, set, &points, Precision::Double);
                for (at, point) in points.iter().enumerate() {
                    let by = at % count;
                    let jet = kernels.reference(&point.prediction, point.target, by);
                    let near = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b.abs();
                    assert!(near(value[at], jet.value), "{loss} {count}: {}", value[at]);
                    let slope = gradient[at * count + by];
                    assert!(near(slope, jet.gradient()), "{loss} {count}: {slope}");
                }
            }
        }
    }
}
