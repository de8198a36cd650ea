//! `lossfn check`.

use super::Answer;
use super::describe::{card_json, wrap};
use crate::args::{CheckArgs, TextFormat};
use crate::report::{json_number, json_text};
use indicatif::ProgressBar;
use lossfn_check::{Evidence, Finding, Report, Severity, check};
use serde_json::{Value, json};
use std::time::Duration;

/// Checks one loss.
pub fn run(args: &CheckArgs) -> Answer {
    let spinner = ProgressBar::new_spinner().with_message("checking");
    spinner.enable_steady_tick(Duration::from_millis(500));
    let report = check(&args.loss);
    spinner.finish_and_clear();
    let text = match args.format {
        TextFormat::Text => text(&report),
        TextFormat::Json => json(&report),
    };
    if report.is_sound() { Answer::Text(text) } else { Answer::Unsound(text) }
}

fn json(report: &Report) -> String {
    json_text(&json!({
        "loss": report.loss, "sound": report.is_sound(), "points": report.points,
        "errors": report.of_severity(Severity::Error),
        "warnings": report.of_severity(Severity::Warning),
        "notes": report.of_severity(Severity::Note),
        "findings": report.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "card": card_json(&report.card),
    }))
}

fn finding_json(finding: &Finding) -> Value {
    let list = |numbers: &[f64]| numbers.iter().map(|&x| json_number(x)).collect::<Vec<_>>();
    let evidence = |evidence: &Evidence| {
        json!({
            "prediction": list(&evidence.prediction), "target": list(&evidence.target),
            "quantity": evidence.quantity.name(), "by": evidence.quantity.by(),
            "precision": evidence.precision.name(), "found": json_number(evidence.found),
            "truth": evidence.truth, "digits": evidence.digits,
        })
    };
    json!({
        "kind": finding.kind.id(), "severity": finding.severity.name(),
        "message": finding.message, "advice": finding.advice, "proposal": finding.proposal,
        "evidence": finding.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "witness": finding.witness.as_ref().map(|witness| &witness.text),
    })
}

/// Severities on the left, what was found on the right; then the card.
fn text(report: &Report) -> String {
    const LEFT: usize = 9;
    const PROPERTIES: usize = 22;
    const WIDTH: usize = 98;
    let mut out = format!("{}: {}\n", report.loss, report.summary());
    let mut put = |left: &str, width: usize, text: &str| {
        for (n, line) in wrap(text, WIDTH - width).into_iter().enumerate() {
            let left = if n == 0 { left } else { "" };
            out.push_str(format!("{left:width$}{line}").trim_end());
            out.push('\n');
        }
    };
    for finding in &report.findings {
        put("", 0, "");
        put(finding.severity.name(), LEFT, &format!("{}: {}", finding.kind, finding.message));
        for evidence in &finding.evidence {
            put("", LEFT + 2, &evidence.to_string());
        }
        if let Some(advice) = &finding.advice {
            put("", LEFT, advice);
        }
        if let Some(proposal) = &finding.proposal {
            put("", LEFT, &format!("instead: {proposal}"));
        }
    }
    if !report.card.facts().is_empty() {
        put("", 0, "");
        for (n, fact) in report.card.facts().iter().enumerate() {
            let heading = if n == 0 { "card" } else { "" };
            let left = format!("{heading:LEFT$}{}", fact.property.title());
            put(&left, LEFT + PROPERTIES, &fact.to_string());
        }
    }
    out
}
