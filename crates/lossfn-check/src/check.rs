//! The check of a loss whose formula is known.

use crate::judge::{Judge, Verdict, computed};
use crate::points::{Point, Precision, Rng, all_points};
use crate::precise::{Definition, Precise, Span, Truth};
use crate::report::{Evidence, Finding, FindingKind, Quantity, Report, Severity};
use crate::stable::stable_forms;
use crate::{facts, shape};
use lossfn::number::{Jet, Node};
use lossfn::{Domain, Form, Formula, InstructionSet, Loss};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// Numbers up to here are of ordinary size: what goes wrong among them is an error, what goes wrong
/// beyond a warning.
const ORDINARY: f64 = 1e6;
/// So much is plainly wrong, relative to the true number or to 1, whichever is larger.
const PLAINLY_WRONG: f64 = 1e-6;
/// So many points of a kind are judged, the worst ones.
const JUDGED: usize = 3;
/// Numbers farther out, or nearer to 0, are of no use to anybody, and take the most digits.
const FARTHEST: f64 = 1e20;
/// Farther out exponentials take more digits than are computed with.
const IN_FULL: f64 = 700.0;
/// At one of so many points derivatives are held to differences, which take many times as long as the
/// derivatives that the library has.
const PROBED: usize = 6;
/// At so many points a stable form must be the same function.
const COMPARED: usize = 32;
/// A derivative by rule that has fewer digits right than this, computed with many, is another function.
const RULE_DIGITS: f64 = 6.0;
/// A difference that nobody will ever see.
const NOTHING: f64 = 1e-40;
/// So many are shown.
const SHOWN: usize = 3;
/// So many digits are shown of a true number.
pub(crate) const DIGITS: usize = 17;

/// Finds what is wrong with a loss, and what is worth knowing about it.
///
/// Values, gradients and second derivatives, as computed in f32 and f64, are compared with the formula
/// evaluated with many digits and its differences, at points where things go wrong if they do. For
/// what loses digits or overflows a stable form is proposed if one is known and proved better at these
/// points. Kinks, convexity and influence are those of the loss's [card](Loss::card).
///
/// Points are looked at one by one: what holds at all of them is not proved.
///
/// ```
/// use lossfn::{Description, Loss, Number, Pointwise};
/// use lossfn_check::{FindingKind, check};
///
/// struct Textbook;
///
/// impl Pointwise for Textbook {
///     #[inline(always)]
///     fn loss<N: Number>(&self, prediction: N, target: N) -> N {
///         ((-(prediction * target)).exp() + 1.0).ln()
///     }
/// }
///
/// static TEXTBOOK: Description = Description::own("textbook", "Logistic loss by the textbook.");
/// let report = check(&Loss::pointwise(&TEXTBOOK, &[], Textbook));
/// let overflow = report.of_kind(FindingKind::Overflow).next().expect("e^-x overflows");
/// assert_eq!(overflow.proposal.as_deref(), Some("softplus(-p * y)"));
/// ```
#[must_use]
pub fn check(loss: &Loss) -> Report {
    let mut report = Report { loss: loss.to_string(), ..Report::default() };
    let formula = loss.formula();
    match loss.form() {
        Form::ClassAxis => crate::rows::check(loss, &mut report),
        Form::Pointwise | Form::Joint => {
            numbers(loss, &formula, &mut report);
            if loss.form() == Form::Pointwise {
                shape::check(loss, &mut report);
            }
        }
    }
    report.card = loss.card();
    facts::findings(loss, &mut report);
    report.sort();
    report
}

/// Panics with the report if a [`check`] of the loss finds errors: for the tests of losses of one's own.
///
/// ```
/// use lossfn::{Description, Loss, Number, Pointwise};
///
/// /// ln(1 + r²), by the function that keeps the digits of small residuals.
/// struct Cauchy;
///
/// impl Pointwise for Cauchy {
///     #[inline(always)]
///     fn loss<N: Number>(&self, prediction: N, target: N) -> N {
///         (prediction - target).ln1p_square()
///     }
/// }
///
/// static CAUCHY: Description = Description::own("cauchy", "The logarithm of 1 + r².");
/// lossfn_check::assert_sound(&Loss::pointwise(&CAUCHY, &[], Cauchy));
/// ```
///
/// # Panics
/// If there are errors.
#[track_caller]
pub fn assert_sound(loss: &Loss) {
    let report = check(loss);
    assert!(report.is_sound(), "{report}");
}

/// A number that is not what it is in truth.
#[derive(Clone, Debug)]
struct Miss {
    point: Point,
    quantity: Quantity,
    precision: Precision,
    found: f64,
    truth: Precise,
    kind: FindingKind,
    digits: Option<f64>,
}

impl Miss {
    fn reach(&self) -> f64 {
        self.evidence().reach()
    }

    fn evidence(&self) -> Evidence {
        Evidence {
            prediction: self.point.prediction.clone(),
            target: vec![self.point.target],
            quantity: self.quantity,
            precision: self.precision,
            found: self.found,
            truth: Some(self.truth.text(DIGITS)),
            digits: self.digits,
        }
    }

    /// The absolute error, relative to the true number or 1.
    fn error(&self) -> f64 {
        let truth = self.truth.to_f64();
        (self.found - truth).abs() / truth.abs().max(1.0)
    }

    /// How bad it is, as digits that are lost.
    fn loss_of_digits(&self) -> f64 {
        badness(self.found, &self.truth)
    }
}

/// How many decimal digits of a finite number are right, at most 17.
pub(crate) fn right_digits(found: f64, truth: &Precise) -> f64 {
    let error = Precise::new(found, 256).minus(truth).magnitude();
    let relative = match truth.to_f64() {
        0.0 if matches!(truth, Precise::Finite(x) if *x == crate::precise::Big::ZERO) => error,
        _ => error.over(&truth.magnitude()),
    };
    let digits = -relative.to_f64().log10();
    if digits > 0.0 { digits.min(17.0) } else { 0.0 }
}

/// Digits that are lost, and more for what is no number at all.
fn badness(found: f64, truth: &Precise) -> f64 {
    if found.is_finite() { 17.0 - right_digits(found, truth) } else { 20.0 }
}

/// The end of a span that is nearer.
fn nearer(found: f64, span: &Span) -> Precise {
    let off = |end: &Precise| (found - end.to_f64()).abs();
    if off(&span.low) <= off(&span.high) { span.low.clone() } else { span.high.clone() }
}

/// Values and derivatives against many digits.
fn numbers(loss: &Loss, formula: &Formula, report: &mut Report) {
    let mut misses = Vec::new();
    let definition = Definition::new(loss, 1, Precision::Double);
    for precision in [Precision::Double, Precision::Single] {
        let points = due_points(loss, precision);
        report.points += points.len();
        let expected: Vec<[Vec<Precise>; 3]> = points
            .par_iter()
            .map(|point| definition.results(&point.prediction, &[point.target]))
            .collect();
        let computed = computed(loss, InstructionSet::in_use(), &points, precision);
        if precision == Precision::Double {
            undefined(loss, &points, &expected, &computed[0], report);
        }
        misses.extend(judged(loss, &definition, precision, &points, &expected, &computed));
    }
    report.findings.extend(findings(&misses));
    propose(loss, formula, &definition, &misses, &mut report.findings);
}

/// The points at which a loss is no number, or infinite, inside its domain.
fn undefined(
    loss: &Loss,
    points: &[Point],
    expected: &[[Vec<Precise>; 3]],
    values: &[f64],
    report: &mut Report,
) {
    let description = loss.description();
    // At the ends of its domain a loss may be infinite by right, but not no number.
    let is_inside = |x: f64, domain: Domain| match domain {
        Domain::Real | Domain::LogProbability | Domain::Sign => true,
        Domain::Unit | Domain::OpenUnit => x > 0.0 && x < 1.0,
        Domain::NonNegative | Domain::Positive => x > 0.0,
    };
    let is_at_end = |point: &Point| {
        let mut places = point.prediction.iter().enumerate();
        !places.all(|(place, p)| is_inside(*p, description.prediction_domain(place)))
    };
    let places: Vec<usize> =
        (0..points.len()).filter(|&at| reach(&points[at]) <= IN_FULL).collect();
    let advice = "if such predictions or targets do not occur, say so by the domains of the \
                  description; else give the formula a value there";
    for (what, is_so, severity) in [
        ("not a number", f64::is_nan as fn(f64) -> bool, Severity::Error),
        ("infinite", f64::is_infinite, Severity::Warning),
    ] {
        let truth = |at: usize| &expected[at][0][0];
        let is_due = |at: usize| severity == Severity::Error || !is_at_end(&points[at]);
        let found = places.iter().copied();
        let found = found.filter(|&at| is_so(truth(at).to_f64()) && is_due(at));
        let mut found: Vec<usize> = found.collect();
        if found.is_empty() {
            continue;
        }
        let everywhere = if found.len() == places.len() { "everywhere" } else { "somewhere" };
        // What is near 1 says most.
        let order = |at: &usize| remoteness(&points[*at]);
        found.sort_by(|a, b| order(a).total_cmp(&order(b)));
        let evidence = found.into_iter().take(SHOWN).map(|at| Evidence {
            prediction: points[at].prediction.clone(),
            target: vec![points[at].target],
            quantity: Quantity::Loss,
            precision: Precision::Double,
            found: values[at],
            truth: Some(truth(at).text(DIGITS)),
            digits: None,
        });
        let message = format!("the loss is {what} {everywhere} inside its domain");
        let finding = Finding::new(FindingKind::Undefined, severity, message);
        report.findings.push(finding.advice(advice).evidence(evidence.collect()));
    }
}

/// The points that are looked at: of ordinary size, those of f32 and others farther out in f64.
fn due_points(loss: &Loss, precision: Precision) -> Vec<Point> {
    let farthest = if precision == Precision::Double { FARTHEST } else { ORDINARY };
    let is_due = |x: f64| x == 0.0 || (farthest.recip()..farthest).contains(&x.abs());
    let mut seen = HashSet::new();
    let mut all = all_points(loss, precision);
    all.retain_mut(|point| {
        for x in point.prediction.iter_mut().chain([&mut point.target]) {
            // One zero.
            *x += 0.0;
        }
        let numbers = || point.prediction.iter().chain([&point.target]);
        numbers().all(|x| is_due(*x))
            && seen.insert(numbers().map(|x| x.to_bits()).collect::<Vec<_>>())
    });
    all
}

/// How far a point is from 1, to either side: what is near says most.
fn remoteness(point: &Point) -> f64 {
    let sizes = point.prediction.iter().chain([&point.target]).filter(|x| **x != 0.0);
    sizes.map(|x| x.abs().log10().abs()).fold(0.0, f64::max)
}

/// How far out a point is.
fn reach(point: &Point) -> f64 {
    point.prediction.iter().fold(point.target.abs(), |reach, x| reach.max(x.abs()))
}

/// Whether a point is where kinks are most often: at the target, or a parameter away from it or from 0.
fn may_be_kink(loss: &Loss, point: &Point) -> bool {
    let offset = |p: f64| [p.abs(), (p - point.target).abs()];
    let is_known = |x: f64| x == 0.0 || x == 1.0 || loss.parameters().contains(&x);
    point.prediction.iter().any(|p| offset(*p).into_iter().any(is_known))
}

/// What is computed but not true.
fn judged(
    loss: &Loss,
    definition: &Definition,
    precision: Precision,
    points: &[Point],
    expected: &[[Vec<Precise>; 3]],
    computed: &[Vec<f64>; 3],
) -> Vec<Miss> {
    let truth =
        |at: usize, by: usize| definition.truth(&points[at].prediction, &[points[at].target], by);
    // Truths by differences, at some of the points.
    let is_probe = |at: usize| {
        precision == Precision::Double
            && reach(&points[at]) <= ORDINARY
            && (at.is_multiple_of(PROBED) || may_be_kink(loss, &points[at]))
    };
    let truths: HashMap<(usize, usize), Truth> = (0..points.len())
        .into_par_iter()
        .filter(|&at| is_probe(at))
        .flat_map_iter(|at| (0..points[at].prediction.len()).map(move |by| (at, by)))
        .map(|(at, by)| ((at, by), truth(at, by)))
        .collect();
    let mut judge = Judge::new(loss, precision);
    for truths in truths.values() {
        judge.see(truths);
    }
    let half = precision.digits() / 2.0;
    let mut misses = Vec::new();
    for order in 0..3 {
        let mut suspects = Vec::new();
        let mut place = 0;
        for at in 0..points.len() {
            for (by, expected_number) in expected[at][order].iter().enumerate() {
                let found = computed[order][place];
                place += 1;
                if expected[at][0][0].to_f64().is_nan() {
                    continue;
                }
                let span = truths.get(&(at, by)).map_or_else(
                    || Span::of([expected_number.clone()]),
                    |truth| truth.order(order).clone(),
                );
                // A second derivative far out, or its digits in f32, are of little use.
                let is_due = order < 2
                    || reach(&points[at]) <= ORDINARY
                        && (precision == Precision::Double || !found.is_finite());
                if is_due && is_bad(found, &span, precision, half) {
                    suspects.push((badness(found, &nearer(found, &span)), at, by, found));
                }
            }
        }
        // The worst ones, those near 1 first: they are read most easily.
        suspects.sort_by(|a, b| {
            let of = |suspect: &(f64, usize, usize, f64)| {
                (suspect.0.floor(), remoteness(&points[suspect.1]))
            };
            let (a, b) = (of(a), of(b));
            b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1))
        });
        let mut taken = 0;
        for (_, at, by, found) in suspects {
            if taken == JUDGED {
                break;
            }
            let point = &points[at];
            let derived = |order: usize| {
                let by = if order == 0 { 0 } else { by };
                Span::of([expected[at][order][by].clone()])
            };
            let truth = truths.get(&(at, by)).cloned().unwrap_or_else(|| Truth {
                value: derived(0),
                gradient: derived(1),
                second: derived(2),
            });
            let span = truth.order(order);
            // Infinity is no rounding error, and neither is a derivative that is wrong with many digits.
            let derivative = expected[at][order][by].to_f64();
            let is_plain = !found.is_finite() && reach(point) <= ORDINARY
                || is_bad(derivative, span, Precision::Double, RULE_DIGITS);
            // Infinite or 0 may be what no quotient reaches.
            let is_limit = || {
                let target = [point.target];
                order > 0 && definition.tends_to(found, order, &point.prediction, &target, by)
            };
            let mut is_wrong = || {
                let near = right_nearby(loss, definition, precision, point, order, by);
                is_bad(found, &near, precision, half)
                    && matches!(
                        judge.verdict_here(order, found, point, by, &truth),
                        Verdict::Wrong(_)
                    )
            };
            if !(is_plain && !is_limit() || is_wrong()) {
                continue;
            }
            taken += 1;
            let nearest = nearer(found, span);
            let mut miss = Miss {
                point: point.clone(),
                quantity: Quantity::of_order(order, by),
                precision,
                found,
                digits: found.is_finite().then(|| right_digits(found, &nearest)),
                truth: nearest,
                kind: FindingKind::LostDigits,
            };
            miss.kind = kind(loss, &miss, &expected[at][order][by], span);
            misses.push(miss);
        }
    }
    misses
}

/// What is true for inputs that are off by at most one in the last place: rounding of the inputs cannot be
/// held against a loss. A class is never off.
fn right_nearby(
    loss: &Loss,
    definition: &Definition,
    precision: Precision,
    point: &Point,
    order: usize,
    by: usize,
) -> Span {
    let description = loss.description();
    let is_class = matches!(description.target, Domain::Sign)
        || description.target == Domain::Unit && point.target.fract() == 0.0;
    let near = |x: f64, domain: Domain| {
        let all = precision.neighbours(x).into_iter();
        all.filter(move |x| x.is_finite() && domain.contains(*x))
    };
    let at = |prediction: &[f64], target: f64| {
        definition.results(prediction, &[target])[order][by].clone()
    };
    let mut numbers = Vec::new();
    for place in 0..point.prediction.len() {
        for p in near(point.prediction[place], description.prediction_domain(place)) {
            let mut prediction = point.prediction.clone();
            prediction[place] = p;
            numbers.push(at(&prediction, point.target));
        }
    }
    if !is_class {
        let targets = near(point.target, description.target);
        numbers.extend(targets.map(|target| at(&point.prediction, target)));
    }
    numbers.retain(|number| !matches!(number, Precise::Nan));
    Span::of(numbers)
}

/// Whether fewer digits are right than there should be. Between the slopes on both sides of a kink
/// anything will do, and so it will where the truth is beyond all bounds.
fn is_bad(found: f64, span: &Span, precision: Precision, enough: f64) -> bool {
    let (low, high) = (span.low.to_f64(), span.high.to_f64());
    let has_limits = precision.round(low).is_finite() && precision.round(high).is_finite();
    let is_within = low <= found && found <= high;
    // Quotients leave so much of what is 0.
    let is_nothing = (found - low).abs() < NOTHING || (found - high).abs() < NOTHING;
    has_limits && !is_within && !is_nothing && badness(found, &nearer(found, span)) > 17.0 - enough
}

/// What went wrong at a point, where `expected` is what the library derived, with many digits, and the
/// truth is in `span`.
fn kind(loss: &Loss, miss: &Miss, expected: &Precise, span: &Span) -> FindingKind {
    let Miss { point, quantity, found, .. } = miss;
    let (order, by) = (quantity.order(), quantity.by());
    if !found.is_finite() {
        let is_undefined = order > 0 && !expected.to_f64().is_finite();
        return if is_undefined { FindingKind::UndefinedGradient } else { FindingKind::Overflow };
    }
    let wrong = if order == 0 { FindingKind::WrongValue } else { FindingKind::WrongGradient };
    // The derivative that the library has is another function.
    if is_bad(expected.to_f64(), span, Precision::Double, RULE_DIGITS) {
        return wrong;
    }
    // So it is if both types agree on another number: rounding is not the same in both.
    let in_f32 = |x: f64| f64::from(x as f32);
    let narrow = Point {
        prediction: point.prediction.iter().copied().map(in_f32).collect(),
        target: in_f32(point.target),
    };
    let both = [Precision::Single, Precision::Double].map(|precision| {
        let results =
            computed(loss, InstructionSet::in_use(), std::slice::from_ref(&narrow), precision);
        results[order][by]
    });
    let agree = (both[0] - both[1]).abs() <= 1e-3 * both[1].abs();
    let is_ordinary = both[1] != 0.0 && miss.reach() <= ORDINARY && miss.error() > 1e-3;
    if agree && is_ordinary { wrong } else { FindingKind::LostDigits }
}

/// What the misses come to: one finding of each kind and quantity.
fn findings(misses: &[Miss]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut kinds: Vec<FindingKind> = misses.iter().map(|miss| miss.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        for order in 0..3 {
            let these = misses.iter().filter(|m| m.kind == kind && m.quantity.order() == order);
            let mut these: Vec<&Miss> = these.collect();
            if !these.is_empty() {
                findings.push(finding(kind, order, &mut these));
            }
        }
    }
    findings
}

fn finding(kind: FindingKind, order: usize, misses: &mut [&Miss]) -> Finding {
    let name = ["loss", "gradient", "second derivative"][order];
    let in_double = misses.iter().any(|miss| miss.precision == Precision::Double);
    let ordinary = misses.iter().any(|miss| {
        let is_plain = !miss.found.is_finite() || miss.error() > PLAINLY_WRONG;
        miss.precision == Precision::Double && miss.reach() <= ORDINARY && is_plain
    });
    let severity = match kind {
        FindingKind::WrongGradient | FindingKind::WrongValue => Severity::Error,
        _ if !in_double => Severity::Note,
        _ if ordinary && order < 2 => Severity::Error,
        _ if order < 2 || ordinary => Severity::Warning,
        _ => Severity::Note,
    };
    let where_from = if in_double { "" } else { " in f32" };
    let (message, advice) = match kind {
        FindingKind::WrongGradient => (
            format!("the {name} is not the derivative of the loss"),
            "look at the derivatives that are given by hand, and at the slopes of abs, max and \
             where at the point: where two sides meet, the slope is that of the side that is picked",
        ),
        FindingKind::WrongValue => (
            format!("the computed {name} is another function than the formula"),
            "make the value of the composite, or the branch for formulas, the same function",
        ),
        FindingKind::UndefinedGradient => (
            format!("the {name} is no number{where_from} where the loss has one"),
            "0 / 0 or 0 times infinity: write the formula so that its parts have finite slopes there, \
             such as abs(x) for sqrt(x^2)",
        ),
        FindingKind::Overflow => (
            format!(
                "the {name} comes out as infinite or no number{where_from} where in truth it is an ordinary one"
            ),
            "write it so that no part of it grows beyond the result",
        ),
        _ => {
            let right = misses.iter().filter_map(|miss| miss.digits).fold(17.0, f64::min);
            let precision = if in_double { Precision::Double } else { Precision::Single };
            (
                format!(
                    "the {name} has {right:.0} of {:.0} digits right{where_from}, where numbers that nearly cancel leave rounding",
                    precision.digits()
                ),
                "write it without the difference of numbers that are nearly equal",
            )
        }
    };
    // The nearest first: that is how soon it begins; then the worst of each type.
    misses.sort_by(|a, b| {
        let of = |miss: &Miss| {
            (
                miss.precision != Precision::Double,
                -miss.loss_of_digits().floor(),
                remoteness(&miss.point),
            )
        };
        of(a).partial_cmp(&of(b)).unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut evidence: Vec<Evidence> = misses.iter().take(2).map(|miss| miss.evidence()).collect();
    let single = misses.iter().find(|miss| miss.precision == Precision::Single);
    evidence.extend(single.map(|miss| miss.evidence()));
    evidence.dedup();
    evidence.truncate(SHOWN);
    Finding::new(kind, severity, message).advice(advice).evidence(evidence)
}

/// Value and derivatives of a formula by plain arithmetic.
fn evaluated(formula: &Formula, loss: &Loss, point: &Point, by: usize) -> Option<Jet<f64>> {
    let components = loss.description().components;
    let variable = |place: usize| {
        let p = *point.prediction.get(place)?;
        Some(if place == by { Jet::variable(p) } else { Jet::fixed(p) })
    };
    let value = |name: &str| match name {
        "y" => Some(Jet::fixed(point.target)),
        "p" if components.is_empty() => variable(0),
        name => variable(components.iter().position(|component| component.name == name)?),
    };
    formula.evaluate(value).ok()?.first().copied()
}

/// A form of a loss as text: of one that was given as text, so that it can take its place.
fn text(form: &Formula, loss: &Loss) -> String {
    let formula = form.text(0);
    let Some(typed) = loss.typed_text() else { return formula };
    // Behind the formula stand the parameters and the domains.
    let is_used = |part: &&str| match part.split_once(" = ") {
        Some((name, _)) => {
            form.nodes.iter().any(|node| matches!(node, Node::Symbol(known) if *known == name))
        }
        None => true,
    };
    let parts = typed.split("; ").skip(1).filter(is_used);
    std::iter::once(formula.as_str()).chain(parts).collect::<Vec<_>>().join("; ")
}

/// What a stable form is to mend.
struct Due {
    point: Point,
    quantity: Quantity,
    kind: FindingKind,
    /// Unknown where the formula is no number: any other is better.
    truth: Option<Precise>,
    badness: f64,
}

impl Due {
    fn of(miss: &Miss) -> Self {
        Self {
            point: miss.point.clone(),
            quantity: miss.quantity,
            kind: miss.kind,
            truth: Some(miss.truth.clone()),
            badness: miss.loss_of_digits(),
        }
    }

    fn hole(evidence: &Evidence) -> Self {
        let (prediction, target) = (evidence.prediction.clone(), evidence.target[0]);
        Self {
            point: Point { prediction, target },
            quantity: Quantity::Loss,
            kind: FindingKind::Undefined,
            truth: None,
            badness: badness(f64::NAN, &Precise::Nan),
        }
    }

    /// How bad another form is there.
    fn badness_of(&self, form: &Formula, loss: &Loss) -> f64 {
        let jet = evaluated(form, loss, &self.point, self.quantity.by());
        let found = jet.map_or(f64::NAN, |jet| {
            [jet.value, jet.gradient(), jet.curvature()][self.quantity.order()]
        });
        match &self.truth {
            Some(truth) => badness(found, truth),
            None if found.is_finite() => 0.0,
            None => badness(found, &Precise::Nan),
        }
    }
}

/// Puts the text of a stable form beside what it mends.
fn propose(
    loss: &Loss,
    formula: &Formula,
    definition: &Definition,
    misses: &[Miss],
    findings: &mut [Finding],
) {
    let mendable = [
        FindingKind::LostDigits,
        FindingKind::Overflow,
        FindingKind::UndefinedGradient,
        FindingKind::WrongGradient,
    ];
    let misses = misses
        .iter()
        .filter(|miss| miss.precision == Precision::Double && mendable.contains(&miss.kind));
    let mut due: Vec<Due> = misses.map(Due::of).collect();
    for finding in findings.iter().filter(|finding| finding.kind == FindingKind::Undefined) {
        let holes = finding.evidence.iter().filter(|evidence| evidence.found.is_nan());
        due.extend(holes.map(Due::hole));
    }
    if due.is_empty() {
        return;
    }
    let before: f64 = due.iter().map(|due| due.badness).sum();
    let mut forms: Vec<(f64, Formula, Vec<f64>)> = Vec::new();
    for form in stable_forms(formula) {
        let after: Vec<f64> = due.iter().map(|due| due.badness_of(&form, loss)).collect();
        let is_worse = after.iter().zip(&due).any(|(after, due)| *after > due.badness + 0.5);
        let total: f64 = after.iter().sum();
        if !is_worse && total < before - 1.0 {
            forms.push((total, form, after));
        }
    }
    // Of equally good ones the first is nearest to what was written.
    forms.sort_by(|a, b| a.0.round().total_cmp(&b.0.round()));
    let best = forms.into_iter().find(|(_, form, _)| is_same(loss, definition, form));
    let Some((_, form, after)) = best else { return };
    let text = text(&form, loss);
    for finding in findings {
        let helps = due.iter().zip(&after).any(|(due, after)| {
            let is_of = finding.evidence.iter().any(|e| e.quantity == due.quantity);
            due.kind == finding.kind && is_of && *after < due.badness - 1.0
        });
        if helps {
            finding.proposal = Some(text.clone());
        }
    }
}

/// Whether a form is the same function, as far as many digits at many points show.
fn is_same(loss: &Loss, definition: &Definition, form: &Formula) -> bool {
    let other = definition.with_formula(form.clone());
    let points = all_points(loss, Precision::Single);
    let is_ordinary = |point: &&Point| {
        point
            .prediction
            .iter()
            .chain([&point.target])
            .all(|x| x.abs() <= 64.0 && (*x == 0.0 || x.abs() > 1e-6))
    };
    let mut points: Vec<Point> = points.into_iter().filter(|point| is_ordinary(&point)).collect();
    Rng::named(&loss.to_string()).shuffle(&mut points);
    let mut compared = 0;
    for point in points.iter().take(COMPARED) {
        let of = |definition: &Definition| {
            let [value, ..] = definition.results(&point.prediction, &[point.target]);
            value[0].clone()
        };
        let (a, b) = (of(definition), of(&other));
        if !a.to_f64().is_finite() {
            continue;
        }
        // Zeros may come out of a difference of terms that are not.
        let scale = a.magnitude().plus(&Precise::new(1e-60, 256));
        let off = a.minus(&b).magnitude().over(&scale).to_f64();
        if off.is_nan() || off >= 1e-30 {
            return false;
        }
        compared += 1;
    }
    compared >= COMPARED / 4
}
