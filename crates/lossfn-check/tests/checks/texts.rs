//! Losses that are given as text: what is proposed for them can take their place.

use lossfn::Loss;
use lossfn_check::{FindingKind, Report, check};

fn report(text: &str) -> Report {
    check(&text.parse::<Loss>().unwrap_or_else(|error| panic!("{text}: {error}")))
}

#[test]
fn proposals_parse_and_are_sound() {
    for (text, due) in [
        ("ln(1 + exp(-p * y)); y in {-1, 1}", "softplus(-p * y); y in {-1, 1}"),
        (
            "-(y * ln(q) + (1 - y) * ln(1 - q)); q = 1 / (1 + exp(-p)); y in [0, 1]",
            "(1 - y) * softplus(p) + y * softplus(-p); y in [0, 1]",
        ),
        (
            "-y * ln(p) - (1 - y) * ln(1 - p); p in [0, 1]; y in [0, 1]",
            "-(xlogy(y, p) + xlog1py(1 - y, -p)); p in [0, 1]; y in [0, 1]",
        ),
        (
            "d^2 * (sqrt(1 + (r / d)^2) - 1); r = p - y; d = 1.5",
            "d^2 * ((p - y) / d)^2 / (sqrt(((p - y) / d)^2 + 1) + 1); d = 1.5",
        ),
        ("sqrt((p - y)^2)", "abs(p - y)"),
        (
            "max(p, 0) - p * y + ln(1 + exp(-abs(p))); y in [0, 1]",
            "softplus(p) - p * y; y in [0, 1]",
        ),
    ] {
        let report = report(&format!("formula: {text}"));
        let mut proposals = report.findings.iter().filter_map(|finding| finding.proposal.as_ref());
        let proposal = proposals.next().unwrap_or_else(|| panic!("no proposal: {report}"));
        assert_eq!(proposal, due, "{report}");
        let mended = check(&Loss::typed(proposal).expect("a formula"));
        assert!(mended.is_sound(), "{mended}");
    }
}

#[test]
fn domains_are_kept_to() {
    let entropy = "formula: -(xlogy(y, p) + xlogy(1 - y, 1 - p))";
    let anywhere = report(entropy);
    let undefined = anywhere.of_kind(FindingKind::Undefined).next().expect("ln of what is below 0");
    assert!(undefined.evidence[0].found.is_nan(), "{anywhere}");
    let inside = report(&format!("{entropy}; p in [0, 1]; y in [0, 1]"));
    assert!(inside.is_sound(), "{inside}");
}

#[test]
fn whatever_is_typed_gives_a_report() {
    for text in [
        "p * 0",
        "p - p",
        "0 / (p - p)",
        "1 / p",
        "exp(exp(p))",
        "p^0.5",
        "abs(p)^1.5",
        "ln(-abs(p))",
        "where(p < 0, inf, 1)",
        "where(p == y, 0, 1)",
        "p^64",
        "p^-3",
        "1e308 * p",
        "1e-308 * p",
        "sqrt(abs(p - y))",
        "tanh(1e9 * (p - y))",
        "p * y",
        "sin(1 / p)",
    ] {
        let report = report(&format!("formula: {text}"));
        assert!(report.points > 0 && !report.findings.is_empty(), "{text}: {report}");
    }
}
