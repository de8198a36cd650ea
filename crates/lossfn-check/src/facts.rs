//! What a loss's card says, as findings.

use crate::judge::computed;
use crate::points::{Point, Precision};
use crate::report::{Finding, FindingKind, Report, Severity};
use crate::shape::plain;
use lossfn::{Answer, InstructionSet, Loss, Property, Witness};

/// Adds the lines of the card that one wants to know of before one uses the loss.
pub(crate) fn findings(loss: &Loss, report: &mut Report) {
    // Of a loss that is no number or the same everywhere a card says little, and nothing more.
    let is_void = |finding: &Finding| {
        finding.kind == FindingKind::IgnoresPrediction
            || finding.kind == FindingKind::Undefined && finding.message.contains("everywhere")
    };
    if report.findings.iter().any(is_void) {
        return;
    }
    let no = |property| report.card.get(property).filter(|fact| fact.answer == Answer::No);
    let mut found = Vec::new();
    if let Some(fact) = no(Property::Differentiable) {
        let is_jump = fact.detail.contains("the loss jumps");
        let (kind, severity, what) = if is_jump {
            let what = "an optimiser cannot see a jump";
            (FindingKind::Jump, Severity::Warning, what)
        } else {
            (FindingKind::Kink, Severity::Note, "the slope there is that of one side, or 0")
        };
        found.push((fact, Finding::new(kind, severity, format!("{}: {what}", fact.detail))));
    }
    if let Some(fact) = no(Property::Convex) {
        let message =
            format!("{}: an optimiser may stop at predictions that are not the best", fact.detail);
        found.push((fact, Finding::new(FindingKind::NotConvex, Severity::Note, message)));
    }
    if let Some(fact) = no(Property::Robust) {
        let message = format!("{}: one outlier can outweigh all other examples", fact.detail);
        found.push((fact, Finding::new(FindingKind::UnboundedInfluence, Severity::Note, message)));
    }
    let mut found: Vec<Finding> = found
        .into_iter()
        .map(|(fact, finding)| {
            let evidence = fact.witness.as_ref().map(|witness| evidence(loss, witness));
            let evidence = evidence.unwrap_or_default();
            finding.evidence(evidence).witness(fact.witness.clone())
        })
        .collect();
    report.findings.append(&mut found);
}

/// What the loss is at the points of a witness.
fn evidence(loss: &Loss, witness: &Witness) -> Vec<crate::Evidence> {
    if loss.has_class_axis() {
        return Vec::new();
    }
    let mut evidence: Vec<crate::Evidence> = Vec::new();
    for term in &witness.terms {
        let point = Point { prediction: term.prediction.clone(), target: term.target[0] };
        let results = computed(loss, InstructionSet::in_use(), &[point], Precision::Double);
        let one = plain(term.prediction[0], term.target[0], results[0][0]);
        if !evidence.contains(&one) {
            evidence.push(one);
        }
    }
    evidence
}
