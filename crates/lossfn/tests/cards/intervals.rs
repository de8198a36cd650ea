//! Interval arithmetic has what it says it has.

use lossfn::Formula;
use lossfn::number::{Expr, Interval, Jet, Number};
use lossfn_testkit::none_wrong;
use lossfn_testkit::points::{Precision, Rng};
use lossfn_testkit::precise::{Definition, Precise};

/// A number as an exact interval end can be compared with it.
fn is_within(interval: Interval, truth: &Precise) -> bool {
    let end = |x: f64| Precise::new(x, 4096);
    !truth.is_less_than(&end(interval.low())) && !end(interval.high()).is_less_than(truth)
}

#[test]
fn intervals_have_the_losses_of_their_numbers() {
    let mut wrong = Vec::new();
    let mut narrow = 0;
    for loss in crate::losses() {
        let Some(kernels) = loss.pointwise_kernels() else { continue };
        let d = loss.description();
        let formula = kernels.formula();
        let definition = Definition::new(&loss, 1, Precision::Double);
        let mut rng = Rng::named(loss.id());
        for _ in 0..12 {
            let (a, b) = (rng.inside(d.prediction), rng.inside(d.prediction));
            let target = rng.inside(d.target);
            let width = [1.0, 0.01, 1e-9][rng.below(3)];
            let b = a + (b - a) * width;
            let (low, high) = (a.min(b), a.max(b));
            let inside = low + (high - low) * (0.1 + 0.8 * rng.unit());
            let evaluate = |x: Interval| -> Vec<Interval> {
                formula
                    .evaluate(|name| match name {
                        "p" => Some(x),
                        "y" => Some(Interval::constant(target)),
                        _ => None,
                    })
                    .expect("all symbols are known")
            };
            let over = evaluate(Interval::new(low, high));
            for (order, interval) in over.into_iter().enumerate() {
                let truth = definition.result(order, &[inside], &[target], 0);
                if !truth.to_f64().is_nan() && !is_within(interval, &truth) {
                    wrong.push(format!(
                        "{loss}, order {order} from {low} to {high}, target {target}: {interval:?} \
                         has not {:e} of {inside}",
                        truth.to_f64()
                    ));
                }
            }
            let at = evaluate(Interval::constant(inside))[0];
            narrow += usize::from(at.high() - at.low() <= 1e-12 * at.magnitude().max(1e-3));
            let reference = kernels.reference(inside, target).value;
            let slack = 1e-12 * at.magnitude();
            let is_within = at.low() - slack <= reference && reference <= at.high() + slack;
            if !is_within && at.magnitude() < 1e300 {
                wrong.push(format!("{loss} at {inside}, {target}: {reference}, but {at:?}"));
            }
        }
    }
    none_wrong(&wrong);
    assert!(narrow > 300, "only {narrow} are narrow");
}

/// Functions and operations one by one, with many digits, at random intervals.
#[test]
fn every_function_is_rounded_outwards() {
    type Function = fn(Expr) -> Expr;
    type Same = fn(Interval) -> Interval;
    let functions: [(&str, Function, Same); 16] = [
        ("exp", Number::exp, Number::exp),
        ("expm1", Number::expm1, Number::expm1),
        ("ln", Number::ln, Number::ln),
        ("ln1p", Number::ln1p, Number::ln1p),
        ("tanh", Number::tanh, Number::tanh),
        ("sigmoid", Number::sigmoid, Number::sigmoid),
        ("softplus", Number::softplus, Number::softplus),
        ("ln_cosh", Number::ln_cosh, Number::ln_cosh),
        ("sqrt", Number::sqrt, Number::sqrt),
        ("abs", Number::abs, Number::abs),
        ("square", Number::square, Number::square),
        ("third", |x| x / 3.0, |x| x / 3.0),
        ("tenth", |x| x * 0.1, |x| x * 0.1),
        ("more", |x| x + 0.1, |x| x + 0.1),
        ("inverse", |x| Expr::constant(1.0) / x, |x| Interval::constant(1.0) / x),
        ("of itself", |x| x * x - x, |x| x * x - x),
    ];
    for (name, function, same) in functions {
        let formula = Formula::trace(|| [function(Expr::symbol("p"))]);
        let definition = Definition::of(&formula);
        let mut rng = Rng::named(name);
        for _ in 0..200 {
            let x = rng.spread() * [1.0, 1e-3, 30.0][rng.below(3)];
            let x = if matches!(name, "ln" | "sqrt" | "ln1p") { x.abs() } else { x };
            let width = [0.0, 1e-12, 0.5][rng.below(3)] * x.abs();
            let interval = same(Interval::new(x, x + width));
            for inside in [x, x + 0.4 * width, x + width] {
                let truth = definition.result(0, &[inside], &[0.0], 0);
                assert!(
                    truth.to_f64().is_nan() || is_within(interval, &truth),
                    "{name} from {x} by {width}: {interval:?} has not {:e}",
                    truth.to_f64()
                );
            }
        }
    }
}

#[test]
fn infinite_ends_stand_for_no_bound() {
    let from = |low, high| Interval::new(low, high);
    let infinity = f64::INFINITY;
    assert_eq!(Interval::constant(0.0) * Interval::ANY, Interval::constant(0.0));
    assert_eq!(from(1.0, infinity) / from(1.0, infinity), from(0.0, infinity));
    assert_eq!(Interval::constant(1.0) / from(0.0, 2.0), from(0.5, infinity));
    assert_eq!(Interval::constant(1.0) / from(-2.0, 0.0), from(-infinity, -0.5));
    assert_eq!(Interval::constant(1.0) / from(-1.0, 2.0), Interval::ANY);
    assert_eq!(from(-3.0, 2.0).square(), from(0.0, 9.0));
    assert_eq!(from(-infinity, 0.0).sigmoid().low(), 0.0);
    assert_eq!(Interval::constant(1e300) * Interval::constant(1e300), from(f64::MAX, infinity));
    // What is exact stays so.
    assert_eq!(Interval::constant(0.5) + 0.25, Interval::constant(0.75));
    assert!((Interval::constant(0.1) + 0.2).point().is_none());
    let jet = Jet::variable(from(-1.0, 1.0)).square();
    assert_eq!(jet.curvature(), Interval::constant(2.0));
}
