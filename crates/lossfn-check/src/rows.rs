//! The check of a loss over a class axis: rows of ordinary scores against the definition.

use crate::check::{DIGITS, right_digits};
use crate::judge::cancellation;
use crate::points::{Precision, Rng};
use crate::precise::Definition;
use crate::report::{Evidence, Finding, FindingKind, Quantity, Report, Severity};
use lossfn::{ClassBlock, ClassOutputs, ClassTargets, InstructionSet, Loss, RowForm};

const CLASSES: usize = 3;
const ROWS: usize = 12;
/// What is right but for fewer digits than this in f64 is wrong.
const ENOUGH: f64 = 6.0;

/// Adds what is found.
pub(crate) fn check(loss: &Loss, report: &mut Report) {
    let message = "of a loss over classes, losses and gradients of ordinary rows of 3 scores in f64 are \
                   compared with the definition, and its card; extreme scores are not looked at";
    report.findings.push(Finding::new(FindingKind::NotLookedAt, Severity::Note, message));
    let Some(kernels) = loss.class_kernels() else { return };
    let description = loss.description();
    let definition = Definition::new(loss, CLASSES, Precision::Double);
    let smoothing = kernels.smoothing().unwrap_or(0.0);
    let mut rng = Rng::named(description.id);
    let mut misses: [Vec<Evidence>; 2] = [Vec::new(), Vec::new()];
    for at in 0..ROWS {
        let mut prediction: Vec<f64> =
            (0..CLASSES).map(|_| rng.inside(description.prediction)).collect();
        if description.row_form == RowForm::ScoreAndThresholds {
            prediction[1..].sort_by(f64::total_cmp);
        }
        let label = at % CLASSES;
        let block = ClassBlock {
            classes: CLASSES,
            prediction: &prediction,
            targets: ClassTargets::Labels(&[Some(label)]),
            class_weights: None,
            smoothing,
        };
        let (mut value, mut gradient) = ([0.0], [0.0; CLASSES]);
        let to = ClassOutputs { value: &mut value, gradient: &mut gradient, second: &mut [] };
        kernels.run_f64(InstructionSet::in_use(), &block, to);
        let spread = smoothing / CLASSES as f64;
        let own = |class: usize| f64::from(u8::from(class == label)) * (1.0 - smoothing) + spread;
        let target: Vec<f64> = (0..CLASSES).map(own).collect();
        report.points += 1;
        let truths = (0..CLASSES).map(|by| definition.truth(&prediction, &target, by));
        for (by, truth) in truths.enumerate() {
            for order in [0, 1] {
                let found = if order == 0 { value[0] } else { gradient[by] };
                let span = truth.order(order);
                let within = span.low.to_f64() <= found && found <= span.high.to_f64();
                let slack = cancellation(&target, by, Precision::Double);
                let near = |x: f64| (found - x).abs() <= slack.max(1e-15);
                let digits = right_digits(found, &span.low).max(right_digits(found, &span.high));
                let is_near = near(span.low.to_f64()) || near(span.high.to_f64());
                if (order == 0 && by > 0) || within || span.is_nan() || is_near || digits >= ENOUGH
                {
                    continue;
                }
                misses[order].push(Evidence {
                    prediction: prediction.clone(),
                    target: target.clone(),
                    quantity: Quantity::of_order(order, by),
                    precision: Precision::Double,
                    found,
                    truth: Some(span.low.text(DIGITS)),
                    digits: Some(digits),
                });
            }
        }
    }
    let [values, gradients] = misses;
    let kinds = [
        (FindingKind::WrongValue, "the kernel's loss is not that of the definition", values),
        (
            FindingKind::WrongGradient,
            "the kernel's gradient is not that of the definition",
            gradients,
        ),
    ];
    for (kind, message, mut evidence) in kinds {
        if !evidence.is_empty() {
            evidence.truncate(3);
            report.findings.push(Finding::new(kind, Severity::Error, message).evidence(evidence));
        }
    }
}
