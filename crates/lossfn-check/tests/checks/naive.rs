//! Formulas by the textbook, which overflow or lose digits, and the stable forms that are proposed.

use crate::own;
use lossfn::{Formula, Loss, Number};
use lossfn_check::{FindingKind, Report, Severity, check, stable_forms};

/// The report, and the proposal for what it finds of a kind.
fn proposal(loss: &Loss, kind: FindingKind) -> (Report, String) {
    let report = check(loss);
    let finding = report.of_kind(kind).next();
    let finding = finding.unwrap_or_else(|| panic!("no {kind}: {report}"));
    let proposal = finding.proposal.clone();
    let proposal = proposal.unwrap_or_else(|| panic!("no proposal: {report}"));
    (report, proposal)
}

#[test]
fn what_overflows_is_an_error_with_a_stable_form() {
    for (loss, due) in [
        (own::sign(own::NaiveSoftplus), "softplus(-p * y)"),
        (own::logits(own::NaiveLogits), "(1 - y) * softplus(p) + y * softplus(-p)"),
        (own::logits(own::LogOfSigmoid), "(1 - y) * softplus(p) + y * softplus(-p)"),
        (own::regression(own::NaiveLogCosh), "ln_cosh(p - y)"),
        (own::regression(own::NaiveTanh), "tanh(p - y)^2"),
    ] {
        let (report, proposal) = proposal(&loss, FindingKind::Overflow);
        assert_eq!(proposal, due);
        assert!(!report.is_sound(), "{report}");
        let gradient = report.of_kind(FindingKind::Overflow).nth(1).expect("that of the gradient");
        assert_eq!(gradient.evidence[0].quantity.name(), "gradient");
    }
}

#[test]
fn what_loses_digits_is_a_warning_with_a_stable_form() {
    for (loss, due) in [
        (own::regression(own::NaivePseudoHuber), "(p - y)^2 / (sqrt((p - y)^2 + 1) + 1)"),
        (own::scaled(), "delta^2 * ((p - y) / delta)^2 / (sqrt(((p - y) / delta)^2 + 1) + 1)"),
        (own::regression(own::NaiveLinex), "expm1(p - y) - (p - y)"),
        (own::regression(own::NaiveWelsch), "-expm1(-0.5 * (p - y)^2)"),
        (own::regression(own::NaiveCauchy), "ln1p((p - y)^2)"),
        (own::regression(own::NaiveCosine), "2 * sin((p - y) / 2)^2"),
        (own::logits(own::ClampedLogits), "softplus(p) - p * y"),
    ] {
        let (report, proposal) = proposal(&loss, FindingKind::LostDigits);
        assert_eq!(proposal, due);
        let finding = report.of_kind(FindingKind::LostDigits).next().expect("as before");
        assert_eq!(finding.severity, Severity::Warning, "{report}");
        assert!(finding.evidence[0].digits.expect("two numbers") < 8.0, "{report}");
    }
}

#[test]
fn holes_are_filled() {
    // 0 ln 0.
    let (_, form) = proposal(&own::probability(own::NaiveEntropy), FindingKind::Undefined);
    assert_eq!(form, "-(xlogy(y, p) + xlog1py(1 - y, -p))");
    // The slope 0 / 0.
    let (_, form) = proposal(&own::regression(own::RootOfSquare), FindingKind::UndefinedGradient);
    assert_eq!(form, "abs(p - y)");
}

#[test]
fn a_stable_form_has_nothing_to_mend() {
    for loss in [
        own::logits(own::StableLogits),
        own::regression(own::Squares),
        own::regression(own::Absolute),
    ] {
        let report = check(&loss);
        let notes = report.of_severity(Severity::Note);
        assert_eq!(report.findings.len(), notes, "{report}");
        assert!(report.findings.iter().all(|finding| finding.proposal.is_none()), "{report}");
    }
}

/// The last of the forms that a formula of p and y takes.
fn last_form(
    formula: impl FnOnce(lossfn::number::Expr, lossfn::number::Expr) -> lossfn::number::Expr,
) -> String {
    use lossfn::number::Expr;
    let formula = Formula::trace(|| [formula(Expr::symbol("p"), Expr::symbol("y"))]);
    stable_forms(&formula).last().map_or_else(|| "none".to_owned(), |form| form.text(0))
}

#[test]
fn forms_are_found_in_any_order_of_their_parts() {
    use lossfn::number::Expr;
    let one = || Expr::constant(1.0);
    assert_eq!(last_form(|p, _| (one() + p.exp()).ln()), "softplus(p)");
    assert_eq!(last_form(|p, y| one() / ((y - p).exp() + 1.0)), "sigmoid(p - y)");
    assert_eq!(last_form(|p, _| p.exp() / (one() + p.exp())), "sigmoid(p)");
    assert_eq!(last_form(|p, y| y + p.exp() - 1.0), "y + expm1(p)");
    assert_eq!(last_form(|p, y| -one() + y + p.exp()), "y + expm1(p)");
    assert_eq!(last_form(|p, y| y - (one() - p.sigmoid()).ln()), "y + softplus(p)");
    assert_eq!(last_form(|p, y| (p.exp() + y.exp()).ln()), "y + softplus(p - y)");
    assert_eq!(last_form(|p, y| p.exp() / (y.exp() + p.exp())), "sigmoid(p - y)");
    assert_eq!(last_form(|p, y| (p * 2.0 + 1.0).ln() * y), "xlog1py(y, 2 * p)");
    assert_eq!(last_form(|p, y| (p * p + y * y).sqrt() - y), "p^2 / (sqrt(p^2 + y^2) + y)");
    // Nothing is done to a number alone, and nothing where there is nothing to do.
    assert_eq!(last_form(|p, _| p.ln() * 2.0), "none");
    assert_eq!(last_form(|p, y| (p - y).square()), "none");
}
