//! The check of functions without a formula.

use lossfn::Domain;
use lossfn_check::{Domains, FindingKind, Report, Severity, check_function};

type Function = fn(f64, f64) -> f64;

const LOGITS: Domains = Domains { prediction: Domain::Real, target: Domain::Unit };
const MARGIN: Domains = Domains { prediction: Domain::Real, target: Domain::Sign };
const PROBABILITY: Domains = Domains { prediction: Domain::Unit, target: Domain::Unit };

fn kinds(report: &Report) -> Vec<FindingKind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn huber(r: f64) -> f64 {
    if r.abs() <= 1.0 { 0.5 * r * r } else { r.abs() - 0.5 }
}

#[test]
fn sound_functions_have_no_more_than_notes() {
    let all: [(&str, Function, Function, Domains, &[FindingKind]); 8] = [
        (
            "squares",
            |p, y| (p - y).powi(2),
            |p, y| 2.0 * (p - y),
            Domains::default(),
            &[FindingKind::UnboundedInfluence],
        ),
        (
            "absolute",
            |p, y| (p - y).abs(),
            |p, y| if p == y { 0.0 } else { (p - y).signum() },
            Domains::default(),
            &[FindingKind::Kink],
        ),
        ("huber", |p, y| huber(p - y), |p, y| (p - y).clamp(-1.0, 1.0), Domains::default(), &[]),
        (
            "quantile",
            |p, y| if y > p { 0.9 * (y - p) } else { 0.1 * (p - y) },
            |p, y| if y > p { -0.9 } else { 0.1 },
            Domains::default(),
            &[FindingKind::Kink],
        ),
        (
            "cauchy",
            |p, y| (p - y).powi(2).ln_1p(),
            |p, y| 2.0 * (p - y) / ((p - y).powi(2) + 1.0),
            Domains::default(),
            &[FindingKind::NotConvex],
        ),
        (
            "cross-entropy of scores",
            |p, y| y * softplus(-p) + (1.0 - y) * softplus(p),
            |p, y| sigmoid(p) - y,
            LOGITS,
            &[],
        ),
        (
            "hinge",
            |p, y| (1.0 - p * y).max(0.0),
            |p, y| if p * y < 1.0 { -y } else { 0.0 },
            MARGIN,
            &[FindingKind::Kink],
        ),
        ("brier", |p, y| (p - y).powi(2), |p, y| 2.0 * (p - y), PROBABILITY, &[]),
    ];
    for (name, function, gradient, domains, due) in all {
        let report = check_function(function, Some(&gradient), domains);
        assert_eq!(kinds(&report), due, "{name}: {report}");
    }
}

#[test]
fn kinks_and_jumps_are_where_they_are() {
    let report = check_function(|p, y| (p - y - 0.3).abs(), None, Domains::default());
    let kink = report.of_kind(FindingKind::Kink).next().expect("a kink");
    let at = |place: usize| kink.evidence[place].prediction[0] - kink.evidence[place].target[0];
    assert!((at(0) - 0.3).abs() < 1e-4 && (at(1) - 0.3).abs() < 1e-4, "{report}");
    assert!((kink.evidence[0].found + 1.0).abs() < 1e-6, "{report}");
    assert!((kink.evidence[1].found - 1.0).abs() < 1e-6, "{report}");

    let step = |p: f64, y: f64| if (p - y).abs() <= 1.0 { 0.0 } else { 2.0 };
    let report = check_function(step, None, Domains::default());
    let jump = report.of_kind(FindingKind::Jump).next().expect("a jump");
    let values: Vec<f64> = jump.evidence.iter().map(|evidence| evidence.found).collect();
    assert!(values.contains(&0.0) && values.contains(&2.0), "{report}");
}

#[test]
fn a_wrong_gradient_is_found_and_a_right_one_is_not() {
    let wrong: [(&str, Function); 4] = [
        ("sign", |p, y| -2.0 * (p - y)),
        ("factor", |p, y| p - y),
        ("far out", |p, y| if p > 5.0 { 10.0 } else { 2.0 * (p - y) }),
        ("a little", |p, y| 2.001 * (p - y)),
    ];
    for (name, gradient) in wrong {
        let report = check_function(|p, y| (p - y).powi(2), Some(&gradient), Domains::default());
        let finding = report.of_kind(FindingKind::WrongGradient).next();
        let finding = finding.unwrap_or_else(|| panic!("{name}: {report}"));
        assert_eq!(finding.severity, Severity::Error);
        for evidence in &finding.evidence {
            let (p, y) = (evidence.prediction[0], evidence.target[0]);
            let stated: f64 = evidence.truth.as_ref().expect("known").parse().expect("a number");
            assert!((stated - 2.0 * (p - y)).abs() <= 1e-6 * (p - y).abs(), "{name}: {evidence}");
            assert_eq!(evidence.found, gradient(p, y));
        }
    }
    let root = |p: f64, y: f64| (p - y).powi(2).sqrt();
    let slope = |p: f64, y: f64| (p - y) / (p - y).powi(2).sqrt();
    let report = check_function(root, Some(&slope), Domains::default());
    assert!(report.of_kind(FindingKind::UndefinedGradient).next().is_some(), "{report}");
    assert!(report.of_kind(FindingKind::WrongGradient).next().is_none(), "{report}");
}

#[test]
fn lost_digits_are_seen_as_noise() {
    let all: [(&str, Function); 4] = [
        ("pseudo-Huber", |p, y| ((p - y).powi(2) + 1.0).sqrt() - 1.0),
        ("Welsch", |p, y| 1.0 - (-(p - y).powi(2)).exp()),
        ("cosine", |p, y| 1.0 - (p - y).cos()),
        ("shifted", |p, y| ((p - y).powi(2) + 1e9) - 1e9),
    ];
    for (name, function) in all {
        let report = check_function(function, None, Domains::default());
        assert!(report.of_kind(FindingKind::Noise).next().is_some(), "{name}: {report}");
    }
}

#[test]
fn overflow_is_told_from_growth() {
    let naive = |p: f64, y: f64| (1.0 + (-p * y).exp()).ln();
    let report = check_function(naive, None, MARGIN);
    assert!(report.of_kind(FindingKind::Overflow).next().is_some(), "{report}");
    let cosh = |p: f64, y: f64| (p - y).cosh().ln();
    let report = check_function(cosh, None, Domains::default());
    assert!(report.of_kind(FindingKind::Overflow).next().is_some(), "{report}");
    let grown: [fn(f64, f64) -> f64; 3] =
        [|p, y| (p - y).abs().exp(), |p, y| (p - y).powi(2).exp(), |p, y| (p - y).powi(100)];
    for function in grown {
        let report = check_function(function, None, Domains::default());
        assert!(report.of_kind(FindingKind::Overflow).next().is_none(), "{report}");
        assert!(report.of_kind(FindingKind::UnboundedInfluence).next().is_some(), "{report}");
    }
}

#[test]
fn what_is_no_loss_is_told() {
    let of =
        |function: fn(f64, f64) -> f64, domains| kinds(&check_function(function, None, domains));
    assert_eq!(of(|_, _| f64::NAN, Domains::default()), [FindingKind::Undefined]);
    assert_eq!(of(|_, _| f64::INFINITY, Domains::default()), [FindingKind::Undefined]);
    assert_eq!(
        of(|_, _| 3.0, Domains::default()),
        [FindingKind::IgnoresPrediction, FindingKind::IgnoresTarget]
    );
    assert!(of(|p, _| p * p, Domains::default()).contains(&FindingKind::IgnoresTarget));
    assert!(of(|p, y| -(p - y).powi(2), Domains::default()).contains(&FindingKind::Negative));
    assert!(
        of(|p, y| (p - y - 1.0).powi(2), Domains::default())
            .contains(&FindingKind::NoMinimumAtTarget)
    );
    assert!(of(|p, y| softplus(p * y), MARGIN).contains(&FindingKind::NoMinimumAtTarget));
    // 0 ln 0.
    let entropy = |p: f64, y: f64| -(y * p.ln() + (1.0 - y) * (1.0 - p).ln());
    let report = check_function(entropy, None, PROBABILITY);
    let undefined = report.of_kind(FindingKind::Undefined).next().expect("at 0 and 1");
    assert_eq!(undefined.severity, Severity::Error, "{report}");
    assert!(undefined.evidence.iter().all(|e| e.found.is_nan()), "{report}");
}

#[test]
fn a_chord_is_a_witness() {
    let tukey = |p: f64, y: f64| {
        let r = (p - y) / 4.0;
        if r.abs() <= 1.0 { 1.0 - (1.0 - r * r).powi(3) } else { 1.0 }
    };
    let report = check_function(tukey, None, Domains::default());
    let finding = report.of_kind(FindingKind::NotConvex).next().expect("it is not");
    let witness = finding.witness.as_ref().expect("a chord");
    assert!(witness.sum(|p, y| tukey(p[0], y[0])) > 0.1, "{report}");
}
