//! What stands as evidence is true: it is computed again, in other ways.

use crate::own;
use lossfn::{Cost, Loss};
use lossfn_check::points::Precision;
use lossfn_check::{Evidence, FindingKind, Report, check};

/// The same number, or as near as plain arithmetic gets.
fn is_near(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-14 * a.abs().max(b.abs()) + 1e-300
}

/// Whether a cost of one example gives what was found.
fn is_what_comes_out(loss: &Loss, evidence: &Evidence) -> bool {
    let cost = Cost::new(loss.clone());
    let (p, y) = (evidence.prediction[0], evidence.target[0]);
    let (value, gradient) = match evidence.precision {
        Precision::Double => {
            let mut gradient = [0.0];
            let value = cost.value_and_gradient(&[p], &[y], &mut gradient).expect("one example");
            (value, gradient[0])
        }
        Precision::Single => {
            let mut gradient = [0.0f32];
            let value = cost.value_and_gradient(&[p as f32], &[y as f32], &mut gradient);
            (value.expect("one example"), f64::from(gradient[0]))
        }
    };
    let found = [value, gradient][evidence.quantity.order()];
    found == evidence.found || found.is_nan() && evidence.found.is_nan()
}

/// All evidence on values and gradients against plain arithmetic in a form that keeps digits.
fn confirm(loss: &Loss, kinds: &[FindingKind], truth: impl Fn(f64, f64) -> [f64; 2]) -> Report {
    let report = check(loss);
    let findings = report.findings.iter().filter(|finding| kinds.contains(&finding.kind));
    let evidence = findings.flat_map(|finding| &finding.evidence);
    let mut compared = 0;
    for evidence in evidence.filter(|evidence| evidence.quantity.order() < 2) {
        let due = truth(evidence.prediction[0], evidence.target[0])[evidence.quantity.order()];
        let stated: f64 = evidence.truth.as_ref().expect("it is known").parse().expect("a number");
        assert!(is_near(stated, due), "{evidence}: it is {due:e}");
        assert!(is_what_comes_out(loss, evidence), "{evidence}");
        compared += 1;
    }
    assert!(compared > 0, "{report}");
    report
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

const NUMERIC: [FindingKind; 4] = [
    FindingKind::Overflow,
    FindingKind::LostDigits,
    FindingKind::WrongGradient,
    FindingKind::NotConvex,
];

#[test]
fn truths_are_true() {
    confirm(&own::sign(own::NaiveSoftplus), &NUMERIC, |p, y| {
        [softplus(-p * y), -y * sigmoid(-p * y)]
    });
    confirm(&own::logits(own::NaiveLogits), &NUMERIC, |p, y| {
        // sigmoid(p) - y, without the difference where it is small.
        [y * softplus(-p) + (1.0 - y) * softplus(p), (1.0 - y) * sigmoid(p) - y * sigmoid(-p)]
    });
    confirm(&own::logits(own::ClampedLogits), &NUMERIC, |p, y| {
        [y * softplus(-p) + (1.0 - y) * softplus(p), (1.0 - y) * sigmoid(p) - y * sigmoid(-p)]
    });
    confirm(&own::regression(own::NaivePseudoHuber), &NUMERIC, |p, y| {
        let r = p - y;
        let root = r.hypot(1.0);
        [r * (r / (root + 1.0)), r / root]
    });
    confirm(&own::regression(own::NaiveLogCosh), &NUMERIC, |p, y| {
        let r = (p - y).abs();
        [r + (-2.0 * r).exp().ln_1p() - std::f64::consts::LN_2, (p - y).tanh()]
    });
    confirm(&own::regression(own::WrongSlope), &NUMERIC, |p, y| [(p - y) * (p - y), 2.0 * (p - y)]);
    confirm(&own::regression(own::WrongSign), &NUMERIC, |p, y| [(p - y) * (p - y) / 2.0, p - y]);
}

#[test]
fn witnesses_hold() {
    let dent = |p: f64, y: f64| (p - y).powi(2) / ((p - y).powi(2) + 1.0);
    for (loss, function) in [
        (own::regression(own::Dent), &dent as &dyn Fn(f64, f64) -> f64),
        (own::regression(own::Upside), &|p, y| -(p - y).powi(2)),
        (own::regression(own::Absolute), &|p, y| (p - y).abs()),
        (own::regression(own::Squares), &|p, y| (p - y).powi(2)),
    ] {
        let report = check(&loss);
        let witnesses = report.findings.iter().filter_map(|finding| finding.witness.as_ref());
        let sums: Vec<f64> = witnesses.map(|w| w.sum(|p, y| function(p[0], y[0]))).collect();
        assert!(!sums.is_empty() && sums.iter().all(|sum| *sum > 0.0), "{sums:?}: {report}");
    }
}

/// In f64 this loss has bumps, which are rounding; it is convex, and nothing else is said.
#[test]
fn rounding_refutes_nothing() {
    let report = check(&own::logits(own::NaiveLogits));
    assert!(report.of_kind(FindingKind::NotConvex).next().is_none(), "{report}");
}

/// A proposal is as good as it is said to be: at the points of evidence it has the digits.
#[test]
fn proposals_are_better_where_it_matters() {
    let stable = own::regression(own::NaivePseudoHuber);
    let report = check(&stable);
    let finding = report.of_kind(FindingKind::LostDigits).next().expect("digits are lost");
    assert_eq!(finding.proposal.as_deref(), Some("(p - y)^2 / (sqrt((p - y)^2 + 1) + 1)"));
    for evidence in finding.evidence.iter().filter(|e| e.precision == Precision::Double) {
        let r = evidence.prediction[0] - evidence.target[0];
        let truth: f64 = evidence.truth.as_ref().expect("known").parse().expect("a number");
        assert!(is_near(r * r / ((r * r + 1.0).sqrt() + 1.0), truth), "{evidence}");
        assert!(!is_near((r * r + 1.0).sqrt() - 1.0, truth), "{evidence}");
    }
}
