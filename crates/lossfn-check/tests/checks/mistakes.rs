//! Losses that are wrong: each mistake is found, and named.

use crate::own;
use lossfn::Loss;
use lossfn_check::{FindingKind, Report, Severity, assert_sound, check};

fn has(report: &Report, kind: FindingKind, severity: Severity) -> bool {
    report.of_kind(kind).any(|finding| finding.severity == severity)
}

#[test]
fn wrong_derivatives_are_errors() {
    for (loss, quantity) in [
        (own::regression(own::WrongSlope), "gradient"),
        (own::regression(own::WrongSign), "gradient"),
        (own::regression(own::WrongBend), "second"),
        (own::regression(own::OtherSlopes), "gradient"),
        // At 0 the slopes of its parts, 0 by convention, are not those of the whole, which is smooth.
        (own::logits(own::ClampedLogits), "gradient"),
    ] {
        let report = check(&loss);
        let wrong = report.of_kind(FindingKind::WrongGradient).next();
        let wrong = wrong.unwrap_or_else(|| panic!("not found: {report}"));
        assert_eq!(
            (wrong.severity, wrong.evidence[0].quantity.name()),
            (Severity::Error, quantity)
        );
        assert!(!report.is_sound());
    }
}

#[test]
fn a_wrong_composite_is_another_function() {
    let report = check(&own::regression(own::WrongComposite));
    assert!(has(&report, FindingKind::WrongValue, Severity::Error), "{report}");
    let report = check(&own::regression(own::WrongPartials));
    assert!(has(&report, FindingKind::WrongGradient, Severity::Error), "{report}");
    assert!(report.of_kind(FindingKind::WrongValue).next().is_none(), "{report}");
}

#[test]
fn what_is_least_elsewhere_is_found() {
    for (loss, severity) in [
        (own::regression(own::Upside), Severity::Error),
        (own::sign(own::Swapped), Severity::Error),
        (own::regression(own::Shifted), Severity::Warning),
        (own::regression(own::Pole), Severity::Warning),
    ] {
        let report = check(&loss);
        assert!(has(&report, FindingKind::NoMinimumAtTarget, severity), "{report}");
    }
    assert!(has(&check(&own::regression(own::Upside)), FindingKind::Negative, Severity::Warning));
}

#[test]
fn what_is_no_number_is_found() {
    for (loss, word) in [
        (own::regression(own::LogOfReal), "somewhere"),
        (own::regression(own::ZeroOverZero), "somewhere"),
        (own::regression(own::Nowhere), "everywhere"),
    ] {
        let report = check(&loss);
        let undefined = report.of_kind(FindingKind::Undefined).next().expect("found");
        assert_eq!(undefined.severity, Severity::Error, "{report}");
        assert!(undefined.message.contains(word), "{report}");
        assert!(undefined.evidence[0].found.is_nan(), "{report}");
    }
    let report = check(&own::regression(own::Pole));
    assert!(has(&report, FindingKind::Undefined, Severity::Warning), "{report}");
}

#[test]
fn what_depends_on_nothing_is_found() {
    for (loss, prediction, target) in [
        (own::regression(own::Constant), true, true),
        (own::regression(own::HiddenConstant), true, true),
        (own::regression(own::NoTarget), false, true),
        (own::regression(own::NoPrediction), true, false),
        (own::regression(own::Squares), false, false),
    ] {
        let report = check(&loss);
        let found = |kind| has(&report, kind, Severity::Error);
        assert_eq!(
            (found(FindingKind::IgnoresPrediction), found(FindingKind::IgnoresTarget)),
            (prediction, target),
            "{report}"
        );
    }
}

/// The formula itself has the values of its parameters.
#[test]
fn an_unlisted_parameter_is_no_obstacle() {
    let report = check(&own::regression(own::Unlisted));
    assert!(report.is_sound() && report.points > 100, "{report}");
}

#[test]
fn jumps_kinks_and_flat_losses_are_told_apart() {
    let report = check(&own::regression(own::Step));
    assert!(has(&report, FindingKind::Jump, Severity::Warning), "{report}");
    assert!(has(&report, FindingKind::NoGradient, Severity::Warning), "{report}");
    assert!(has(&report, FindingKind::NotConvex, Severity::Note), "{report}");
    let report = check(&own::regression(own::Absolute));
    assert!(has(&report, FindingKind::Kink, Severity::Note), "{report}");
    assert!(report.of_kind(FindingKind::Jump).next().is_none(), "{report}");
    let report = check(&own::regression(own::Dent));
    assert!(has(&report, FindingKind::NotConvex, Severity::Note), "{report}");
    assert!(report.of_kind(FindingKind::UnboundedInfluence).next().is_none(), "{report}");
    let report = check(&own::regression(own::Squares));
    assert!(has(&report, FindingKind::UnboundedInfluence, Severity::Note), "{report}");
}

/// A loss of several predicted numbers, with a wrong rule for the second of them.
#[test]
fn a_wrong_rule_of_a_joint_loss_is_found() {
    let report = check(&own::joint(own::WrongJoint));
    let wrong = report.of_kind(FindingKind::WrongGradient).next().expect("found");
    assert_eq!(wrong.evidence[0].quantity.by(), 1, "{report}");
}

#[test]
fn a_test_helper_panics_with_the_report() {
    assert_sound(&own::regression(own::Squares));
    let panic = std::panic::catch_unwind(|| assert_sound(&own::regression(own::WrongSign)));
    let panic = panic.expect_err("it is wrong");
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.contains("error    wrong gradient"), "{text}");
}

#[test]
fn the_worst_comes_first() {
    let all: [Loss; 3] =
        [own::regression(own::Upside), own::regression(own::Step), own::logits(own::ClampedLogits)];
    for loss in all {
        let report = check(&loss);
        let severities: Vec<Severity> = report.findings.iter().map(|f| f.severity).collect();
        assert!(severities.is_sorted_by(|a, b| a >= b), "{report}");
    }
}
