//! What a pointwise loss is as a function of prediction and target: whether it depends on both, where
//! it is least, whether it is negative.

use crate::check::DIGITS;
use crate::judge::computed;
use crate::points::{Point, Precision};
use crate::precise::{Definition, Precise};
use crate::report::{Evidence, Finding, FindingKind, Quantity, Report, Severity, shown};
use lossfn::{Description, Domain, InstructionSet, Loss, Task};

/// A function of prediction and target at the points of a grid, all finite.
pub(crate) struct Grid {
    pub predictions: Vec<f64>,
    pub targets: Vec<f64>,
    /// For each target the values for all predictions.
    pub values: Vec<Vec<f64>>,
}

/// Numbers of a domain to look at, all of ordinary size.
pub(crate) fn numbers(domain: Domain) -> Vec<f64> {
    match domain {
        Domain::Real => vec![
            -100.0, -20.0, -7.0, -3.0, -2.0, -1.5, -1.0, -0.5, -0.125, 0.0, 0.125, 0.5, 1.0, 1.5,
            2.0, 3.0, 7.0, 20.0, 100.0,
        ],
        Domain::LogProbability => vec![-20.0, -7.0, -3.0, -2.0, -1.0, -0.5, -0.125],
        Domain::Sign => vec![-1.0, 1.0],
        Domain::Unit => vec![0.0, 0.0625, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.9375, 1.0],
        Domain::OpenUnit => vec![0.0625, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.9375],
        Domain::NonNegative => vec![0.0, 0.125, 0.5, 1.0, 1.5, 2.0, 3.0, 7.0, 20.0, 100.0],
        Domain::Positive => vec![0.125, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 7.0, 20.0, 100.0],
    }
}

impl Grid {
    /// The values for ordinary predictions and targets of these domains.
    pub fn new(prediction: Domain, target: Domain, value: impl Fn(f64, f64) -> f64) -> Self {
        let predictions = numbers(prediction);
        // A class or a few numbers, as many as say something.
        let targets: Vec<f64> = match target {
            Domain::Unit => vec![0.0, 1.0, 0.25],
            Domain::Real => vec![0.0, 1.0, -1.5, 7.0],
            domain => numbers(domain).into_iter().step_by(2).collect(),
        };
        let targets = if target == Domain::Sign { vec![-1.0, 1.0] } else { targets };
        let row = |&target: &f64| predictions.iter().map(|&p| value(p, target)).collect();
        let values = targets.iter().map(row).collect();
        Self { predictions, targets, values }
    }

    /// Whether a prediction makes no difference at all.
    pub fn ignores_prediction(&self) -> bool {
        self.predictions.len() > 1
            && self.values.iter().all(|row| row.iter().all(|value| *value == row[0]))
    }

    /// Whether a target makes no difference at all.
    pub fn ignores_target(&self) -> bool {
        let same = |row: &Vec<f64>| row.iter().zip(&self.values[0]).all(|(a, b)| a == b);
        self.values.len() > 1 && self.values.iter().all(same)
    }

    /// The findings on what the function depends on.
    pub fn dependence(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (p, y) = (&self.predictions, &self.targets);
        let evidence = |points: &[(usize, usize)]| {
            let each = points
                .iter()
                .map(|&(p, y)| plain(self.predictions[p], self.targets[y], self.values[y][p]));
            each.collect::<Vec<_>>()
        };
        if self.ignores_prediction() {
            let message = "every prediction costs the same: there is nothing to learn from it";
            let finding = Finding::new(FindingKind::IgnoresPrediction, Severity::Error, message);
            findings.push(finding.evidence(evidence(&[(0, 0), (p.len() - 1, 0)])));
        }
        if self.ignores_target() {
            let message = "every target costs the same: the loss does not say what is right";
            let finding = Finding::new(FindingKind::IgnoresTarget, Severity::Error, message);
            findings.push(finding.evidence(evidence(&[(0, 0), (0, y.len() - 1)])));
        }
        findings
    }

    /// Pairs of points: a prediction that should cost least, or no more, and one that costs less.
    pub fn beaten(&self, description: &Expectation) -> Vec<[(f64, f64, f64); 2]> {
        let mut found = Vec::new();
        for (&target, row) in self.targets.iter().zip(&self.values) {
            let value = |p: f64| {
                let at = self.predictions.iter().position(|known| *known == p)?;
                Some(row[at])
            };
            let mut worst: Option<[(f64, f64, f64); 2]> = None;
            let mut note = |right: f64, other: f64| {
                let (Some(a), Some(b)) = (value(right), value(other)) else { return };
                let slack = if a.is_finite() { 1e-9 * a.abs().max(b.abs()) } else { 0.0 };
                let is_worse = worst.is_none_or(|[_, (_, _, lowest)]| b < lowest);
                if b < a - slack && is_worse {
                    worst = Some([(right, target, a), (other, target, b)]);
                }
            };
            match description {
                Expectation::AtTarget => {
                    for &other in &self.predictions {
                        note(target, other);
                    }
                }
                Expectation::Side { middle, classes } => {
                    let Some(side) = classes.iter().position(|class| *class == target) else {
                        continue;
                    };
                    for &right in &self.predictions {
                        if (right > *middle) == (side == 1) && right != *middle {
                            note(right, 2.0 * middle - right);
                        }
                    }
                }
                Expectation::None => {}
            }
            found.extend(worst);
        }
        found
    }
}

/// Where a loss is expected to be least.
pub(crate) enum Expectation {
    /// Where the prediction is the target.
    AtTarget,
    /// On one side of the middle for one class, on the other for the other; only mirror images are
    /// compared.
    Side { middle: f64, classes: [f64; 2] },
    /// That is not known.
    None,
}

impl Expectation {
    /// What the domains and the task tell.
    pub fn of(description: &Description) -> Self {
        use Domain::{NonNegative, OpenUnit, Positive, Real, Sign, Unit};
        let (prediction, target) = (description.prediction, description.target);
        match (description.task, prediction, target) {
            _ if description.link.is_some() && description.task != Task::Binary => Self::None,
            (Task::Binary, Real, Sign) => Self::Side { middle: 0.0, classes: [-1.0, 1.0] },
            (_, Real, Unit) => Self::Side { middle: 0.0, classes: [0.0, 1.0] },
            (Task::Binary, Unit | OpenUnit, Unit) => {
                Self::Side { middle: 0.5, classes: [0.0, 1.0] }
            }
            (Task::Regression | Task::Counts, a, b)
                if a == b
                    || matches!(
                        (a, b),
                        (Positive, NonNegative) | (Real, Positive | NonNegative)
                    ) =>
            {
                Self::AtTarget
            }
            _ => Self::None,
        }
    }
}

/// A value without its true counterpart.
pub(crate) fn plain(prediction: f64, target: f64, found: f64) -> Evidence {
    Evidence {
        prediction: vec![prediction],
        target: vec![target],
        quantity: Quantity::Loss,
        precision: Precision::Double,
        found,
        truth: None,
        digits: None,
    }
}

/// What is wrong with where a function is least; the numbers of the pairs in `beaten` are right.
pub(crate) fn minimum(
    beaten: &[[(f64, f64, f64); 2]],
    expectation: &Expectation,
) -> Option<Finding> {
    let (right, other) = beaten.first().map(|[right, other]| (*right, *other))?;
    let target = shown(right.1);
    let is_side = matches!(expectation, Expectation::Side { .. });
    let message = if is_side {
        format!(
            "for target {target} the prediction {}, on the side of the other class, costs less than {}",
            shown(other.0),
            shown(right.0)
        )
    } else {
        format!(
            "for target {target} the prediction {} costs less than {target} itself",
            shown(other.0)
        )
    };
    // What a wrong side costs is no matter of taste; where a regression is least may be.
    let severity = if is_side { Severity::Error } else { Severity::Warning };
    let advice = if is_side {
        "look at the signs, and at the order of prediction and target"
    } else {
        "look at the signs; if the prediction is not on the scale of the target but a raw score, name \
         its link in the description"
    };
    let pairs = beaten.iter().take(2).flatten();
    let evidence = pairs.map(|&(p, y, value)| plain(p, y, value)).collect();
    let finding = Finding::new(FindingKind::NoMinimumAtTarget, severity, message);
    Some(finding.advice(advice).evidence(evidence))
}

/// Adds what is found of a pointwise loss.
pub(crate) fn check(loss: &Loss, report: &mut Report) {
    let description = loss.description();
    let run = |p: f64, y: f64| {
        let point = Point { prediction: vec![p], target: y };
        computed(loss, InstructionSet::in_use(), &[point], Precision::Double)
    };
    let grid = Grid::new(description.prediction, description.target, |p, y| run(p, y)[0][0]);
    report.points += grid.predictions.len() * grid.targets.len();
    let dependence = grid.dependence();
    let is_constant = !dependence.is_empty();
    report.findings.extend(dependence);
    let definition = Definition::new(loss, 1, Precision::Double);
    let truth = |p: f64, y: f64| definition.result(0, &[p], &[y], 0);
    let with_truth = |evidence: &mut Evidence| {
        let truth = truth(evidence.prediction[0], evidence.target[0]);
        evidence.truth = Some(truth.text(DIGITS));
    };
    if !is_constant {
        let mut slopes = grid
            .targets
            .iter()
            .flat_map(|&y| grid.predictions.iter().map(move |&p| run(p, y)[1][0]));
        if slopes.all(|slope| slope == 0.0) {
            let message = "the gradient is 0 at all points, though the loss is not constant: an \
                           optimiser gets nowhere";
            let finding = Finding::new(FindingKind::NoGradient, Severity::Warning, message);
            report.findings.push(
                finding
                    .advice("train with a surrogate that has a slope, and use this loss to judge"),
            );
        }
        let expectation = Expectation::of(description);
        let mut beaten = grid.beaten(&expectation);
        // With many digits, so that rounding is no reason.
        beaten.retain(|[(p, y, _), (q, z, _)]| truth(*q, *z).is_less_than(&truth(*p, *y)));
        if let Some(mut finding) = minimum(&beaten, &expectation) {
            finding.evidence.iter_mut().for_each(with_truth);
            if grid.targets.iter().all(|&y| sinks(truth, description.prediction, y)) {
                finding.severity = Severity::Error;
                finding.message = format!("the loss falls without end: {}", finding.message);
            }
            report.findings.push(finding);
        }
    }
    if let Some(mut finding) =
        negative(&grid, description, |p, y| truth(p, y).is_less_than(&Precise::new(0.0, 64)))
    {
        finding.evidence.iter_mut().for_each(with_truth);
        report.findings.push(finding);
    }
}

/// Whether the loss falls farther and farther at an end of the domain.
fn sinks(truth: impl Fn(f64, f64) -> Precise, domain: Domain, target: f64) -> bool {
    let falls = |sign: f64| {
        let [a, b, c] = [1e2, 1e4, 1e6].map(|x| truth(sign * x, target).to_f64());
        c < b && b < a && c < -1.0 && c - b < 2.0 * (b - a)
    };
    match domain {
        Domain::Real => falls(1.0) || falls(-1.0),
        Domain::Positive | Domain::NonNegative => falls(1.0),
        _ => false,
    }
}

/// Whether the loss is below 0 somewhere; `is_true` confirms it.
pub(crate) fn negative(
    grid: &Grid,
    description: &Description,
    is_true: impl Fn(f64, f64) -> bool,
) -> Option<Finding> {
    let mut lowest: Option<(f64, f64, f64)> = None;
    for (&target, row) in grid.targets.iter().zip(&grid.values) {
        for (&prediction, &value) in grid.predictions.iter().zip(row) {
            let is_lower = lowest.is_none_or(|(.., least)| value < least);
            if value < 0.0 && is_lower && is_true(prediction, target) {
                lowest = Some((prediction, target, value));
            }
        }
    }
    let (prediction, target, value) = lowest?;
    let is_likelihood = matches!(description.task, Task::Counts | Task::Distribution);
    let (severity, reason) = if is_likelihood {
        (Severity::Note, "as that of a likelihood may be")
    } else {
        (
            Severity::Warning,
            "which trains as well, but ratios and relative changes of it mean nothing",
        )
    };
    let message = format!("the loss is below 0, {reason}");
    let finding = Finding::new(FindingKind::Negative, severity, message);
    Some(finding.evidence(vec![plain(prediction, target, value)]))
}
