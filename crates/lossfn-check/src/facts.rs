//! What a loss's card says, as findings.

use crate::check::DIGITS;
use crate::judge::computed;
use crate::points::{Point, Precision};
use crate::precise::{Definition, Precise};
use crate::report::{Evidence, Finding, FindingKind, Report, Severity};
use crate::shape::plain;
use lossfn::{Answer, InstructionSet, Loss, Property, Term, Witness};

/// Digits of sums of a few numbers.
const BITS: usize = 512;

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
        let (kind, severity, what) = if fact.detail.contains("the loss jumps") {
            (FindingKind::Jump, Severity::Warning, ": an optimiser cannot see a jump")
        } else if fact.detail.contains("the slope jumps") {
            (FindingKind::Kink, Severity::Note, ": the slope there is that of one side, or 0")
        } else {
            (FindingKind::Kink, Severity::Note, "")
        };
        found.push((fact, Finding::new(kind, severity, format!("{}{what}", fact.detail))));
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
    let definition = (!loss.has_class_axis()).then(|| Definition::new(loss, 1, Precision::Double));
    let mut found: Vec<Finding> = found
        .into_iter()
        .filter_map(|(fact, finding)| {
            let (Some(witness), Some(definition)) = (&fact.witness, &definition) else {
                return Some(finding.witness(fact.witness.clone()));
            };
            let finding = finding.evidence(evidence(loss, witness, definition));
            // What rounding alone refutes is true of the loss.
            is_true(witness, definition).then(|| finding.witness(Some(witness.clone())))
        })
        .collect();
    report.findings.append(&mut found);
}

/// Whether a witness holds with many digits.
fn is_true(witness: &Witness, definition: &Definition) -> bool {
    let term = |term: &Term| {
        let [value, ..] = definition.results(&term.prediction, &term.target);
        value[0].times(&Precise::new(term.factor, BITS))
    };
    let start = Precise::new(witness.constant, BITS);
    let sum = witness.terms.iter().map(term).fold(start, |sum, term| sum.plus(&term));
    let zero = Precise::new(0.0, BITS);
    zero.is_less_than(&sum) || !witness.is_strict && !sum.is_less_than(&zero)
}

/// What the loss is at the points of a witness.
fn evidence(loss: &Loss, witness: &Witness, definition: &Definition) -> Vec<Evidence> {
    let mut evidence: Vec<Evidence> = Vec::new();
    for term in &witness.terms {
        let point = Point { prediction: term.prediction.clone(), target: term.target[0] };
        let results = computed(loss, InstructionSet::in_use(), &[point], Precision::Double);
        let [truth, ..] = definition.results(&term.prediction, &term.target);
        let one = Evidence {
            truth: Some(truth[0].text(DIGITS)),
            ..plain(term.prediction[0], term.target[0], results[0][0])
        };
        if !evidence.contains(&one) {
            evidence.push(one);
        }
    }
    evidence
}
