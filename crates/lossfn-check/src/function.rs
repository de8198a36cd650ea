//! The check of a plain function of prediction and target, whose formula is not known: by differences
//! of its values, with estimates of how wrong these are.

use crate::points::Precision;
use crate::report::{Evidence, Finding, FindingKind, Quantity, Report, Severity, shown};
use crate::shape::{Expectation, Grid, minimum, negative, plain};
use lossfn::{Description, Domain, Task, Term, Witness};

/// Halvings of the step of a difference quotient.
const LEVELS: usize = 12;
/// Halvings of the width in which a kink is looked for: a slope that changes gradually changes 16384
/// times less by then.
const ZOOMS: usize = 14;
/// Fewer digits than this are reported.
const ENOUGH_DIGITS: f64 = 8.0;
/// Findings show so many points.
const SHOWN: usize = 3;

/// The numbers that a function is looked at for. Targets that are classes make it a loss of two classes:
/// [`Domain::Sign`] and [`Domain::Unit`]; all others make it one of regression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domains {
    /// What a prediction may be.
    pub prediction: Domain,
    /// What a target may be.
    pub target: Domain,
}

impl Default for Domains {
    fn default() -> Self {
        Self { prediction: Domain::Real, target: Domain::Real }
    }
}

/// Finds what is wrong with a function of prediction and target, and with its gradient by the prediction,
/// if one is given.
///
/// What it is in truth is not known; so kinks, wrong slopes and lost digits are told from its values
/// alone, and only where they stand out from rounding. [`check`](crate::check()) sees more.
///
/// ```
/// use lossfn_check::{Domains, FindingKind, check_function};
///
/// let wrong = |p: f64, y: f64| p - y;
/// let report = check_function(|p, y| (p - y).powi(2), Some(&wrong), Domains::default());
/// assert!(report.of_kind(FindingKind::WrongGradient).next().is_some());
/// ```
#[must_use]
pub fn check_function(
    function: impl Fn(f64, f64) -> f64,
    gradient: Option<&dyn Fn(f64, f64) -> f64>,
    domains: Domains,
) -> Report {
    let is_binary = matches!(domains.target, Domain::Sign | Domain::Unit);
    let description = Description {
        task: if is_binary { Task::Binary } else { Task::Regression },
        prediction: domains.prediction,
        target: domains.target,
        ..Description::own("", "")
    };
    let grid = Grid::new(domains.prediction, domains.target, &function);
    let mut report =
        Report { points: grid.predictions.len() * grid.targets.len(), ..Report::default() };
    let found = &mut report.findings;
    found.extend(undefined(&grid, domains.prediction));
    let is_void = grid.values.iter().flatten().all(|value| !value.is_finite());
    let dependence = if is_void { Vec::new() } else { grid.dependence() };
    let is_constant = !dependence.is_empty();
    found.extend(dependence);
    if !is_void {
        let study = Study { function: &function, prediction: domains.prediction };
        let expectation = Expectation::of(&description);
        if !is_constant {
            found.extend(minimum(&grid.beaten(&expectation), &expectation));
        }
        found.extend(negative(&grid, &description, |p, y| function(p, y) < -1e-12));
        found.extend(study.overflow(&grid));
        found.extend(study.noise(&grid));
        found.extend(study.kinks(&grid));
        if let Some(gradient) = gradient {
            found.extend(study.gradient(&grid, gradient));
        }
        found.extend(study.chord(&grid));
        found.extend(study.growth(&grid));
    }
    report.sort();
    report
}

/// The points of the grid at which the function is no number, or infinite.
fn undefined(grid: &Grid, domain: Domain) -> Vec<Finding> {
    let at = |wanted: fn(f64) -> bool| -> Vec<Evidence> {
        let rows = grid.targets.iter().zip(&grid.values);
        let mut all: Vec<Evidence> = rows
            .flat_map(|(&y, row)| {
                let places = grid.predictions.iter().zip(row);
                places.filter(move |(_, value)| wanted(**value)).map(move |(&p, &v)| plain(p, y, v))
            })
            .collect();
        all.sort_by(|a, b| a.reach().max(1.0).total_cmp(&b.reach().max(1.0)));
        all
    };
    let total = grid.predictions.len() * grid.targets.len();
    let advice = "if such predictions or targets do not occur, say so by the domains; else give the \
                  function a value there";
    let mut findings = Vec::new();
    // At the ends of a domain a loss may be infinite by right.
    let is_end = |p: f64| match domain {
        Domain::Unit | Domain::OpenUnit => p == 0.0 || p == 1.0,
        Domain::NonNegative | Domain::Positive => p == 0.0,
        _ => false,
    };
    let is_open = |e: &Evidence| !is_end(e.prediction[0]) && e.reach() < 100.0;
    for (what, mut evidence, severity) in [
        ("not a number", at(f64::is_nan), Severity::Error),
        ("infinite", at(f64::is_infinite).into_iter().filter(is_open).collect(), Severity::Warning),
    ] {
        if evidence.is_empty() {
            continue;
        }
        let place = if evidence.len() == total { "everywhere" } else { "somewhere" };
        evidence.truncate(SHOWN);
        let message = format!("the loss is {what} {place} inside its domain");
        let finding = Finding::new(FindingKind::Undefined, severity, message);
        findings.push(finding.advice(advice).evidence(evidence));
    }
    findings
}

/// From which sides a slope is taken.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
    Both,
}

/// A derivative by differences, and how wrong it may be.
#[derive(Clone, Copy, Debug)]
struct Slope {
    value: f64,
    error: f64,
}

struct Study<'a> {
    function: &'a dyn Fn(f64, f64) -> f64,
    prediction: Domain,
}

impl Study<'_> {
    fn is_inside(&self, x: f64) -> bool {
        x.is_finite() && self.prediction.contains(x)
    }

    /// The slope by quotients over ever smaller steps, extrapolated to none (Ridders): the error is
    /// that between extrapolations, and no less than what rounding makes of it.
    fn slope(&self, p: f64, y: f64, side: Side) -> Option<Slope> {
        let f = |x: f64| (self.function)(x, y);
        let mut h = 0.125 * p.abs().max(0.0625);
        let reaches = |h: f64| {
            (side == Side::Right || self.is_inside(p - h))
                && (side == Side::Left || self.is_inside(p + h))
        };
        while !reaches(h) {
            h /= 2.0;
            if h < 1e-6 * p.abs().max(1e-6) {
                return None;
            }
        }
        let at = f(p);
        let (factor, mut best): (f64, Option<Slope>) =
            (if side == Side::Both { 4.0 } else { 2.0 }, None);
        let mut before: Vec<f64> = Vec::new();
        for _ in 0..LEVELS {
            let (low, high) = match side {
                Side::Left => (p - h, p),
                Side::Right => (p, p + h),
                Side::Both => (p - h, p + h),
            };
            let (a, b) = (if low == p { at } else { f(low) }, if high == p { at } else { f(high) });
            let rounding = 4.0 * f64::EPSILON * a.abs().max(b.abs()) / (high - low);
            let mut row = vec![(b - a) / (high - low)];
            let mut power = 1.0;
            for (column, &coarse) in before.iter().enumerate() {
                power *= factor;
                let fine = row[column];
                let next = fine + (fine - coarse) / (power - 1.0);
                let error = (next - fine).abs().max((next - coarse).abs()).max(rounding);
                if error.is_finite() && best.is_none_or(|best| error < best.error) {
                    best = Some(Slope { value: next, error });
                }
                row.push(next);
            }
            before = row;
            h /= 2.0;
        }
        best
    }

    /// Where the loss becomes infinite or no number far out, though it has not grown so far.
    fn overflow(&self, grid: &Grid) -> Option<Finding> {
        let mut evidence = Vec::new();
        for &y in &grid.targets {
            for sign in [1.0, -1.0] {
                let way: Vec<(f64, f64)> = (0..17)
                    .map(|k| sign * 10.0 * 2f64.powi(k))
                    .filter(|x| self.is_inside(*x))
                    .map(|x| (x, (self.function)(x, y)))
                    .collect();
                let Some(at) = way.iter().position(|(_, value)| !value.is_finite()) else {
                    continue;
                };
                if at < 2 {
                    continue;
                }
                let log = |k: usize| way[k].1.abs().max(1.0).log10();
                let (last, before) = (log(at - 1), log(at - 2).max(1e-3));
                // What it would be if its logarithm went on growing by the same factor.
                let due = last.max(0.3) * (last / before).clamp(1.0, 8.0);
                if 2.0 * due < 300.0 {
                    evidence.extend([
                        plain(way[at].0, y, way[at].1),
                        plain(way[at - 1].0, y, way[at - 1].1),
                    ]);
                }
            }
        }
        if evidence.is_empty() {
            return None;
        }
        evidence.truncate(SHOWN + 1);
        let message = "the loss is suddenly infinite or not a number far out, where it should still be \
                       an ordinary number: a part of it overflows";
        let advice = "write it so that no part of it grows beyond the result, such as softplus for \
                      ln(1 + exp(x))";
        let finding = Finding::new(FindingKind::Overflow, Severity::Error, message);
        Some(finding.advice(advice).evidence(evidence))
    }

    /// How many digits neighbouring points leave: what a smooth curve does not explain is rounding.
    fn noise(&self, grid: &Grid) -> Option<Finding> {
        let mut worst: Option<(f64, Evidence, f64)> = None;
        for &y in &grid.targets {
            let offsets = (1..10).map(|k| 10f64.powi(-k)).chain([1.0, 3.0, 10.0, 20.0, 30.0]);
            let places = offsets
                .flat_map(|offset| [(y, offset), (y, -offset), (0.0, offset), (0.0, -offset)]);
            for (from, offset) in places {
                let points: Vec<f64> = (-16..=16)
                    .map(|i| from + offset * (1.0 + f64::from(i) * 0.5f64.powi(18)))
                    .collect();
                if !points.iter().all(|p| self.is_inside(*p)) {
                    continue;
                }
                let values: Vec<f64> = points.iter().map(|p| (self.function)(*p, y)).collect();
                let value = values[16];
                let mut third: Vec<f64> = values
                    .windows(4)
                    .map(|v| (v[3] - 3.0 * v[2] + 3.0 * v[1] - v[0]).abs())
                    .collect();
                // Not the largest: a kink is in a few of them alone.
                third.sort_by(f64::total_cmp);
                let noise = third[third.len() * 4 / 5] / 4.0;
                // The prediction itself is rounded.
                let slope = ((values[32] - values[0]) / (points[32] - points[0])).abs();
                let own = 2.0 * slope * f64::EPSILON * points[16].abs();
                if !noise.is_finite() || value == 0.0 || noise <= 4.0 * own {
                    continue;
                }
                let digits = -(noise / value.abs()).log10();
                if digits < ENOUGH_DIGITS
                    && worst.as_ref().is_none_or(|(least, ..)| digits < *least)
                {
                    let digits = digits.max(0.0);
                    let evidence = Evidence { digits: Some(digits), ..plain(points[16], y, value) };
                    worst = Some((digits, evidence, noise / value.abs().max(1.0)));
                }
            }
        }
        let (digits, evidence, error) = worst?;
        let severity = if error > 1e-6 { Severity::Error } else { Severity::Warning };
        let message = format!(
            "about {digits:.0} of 16 digits are right there: from one point to the next the loss jumps \
             to and fro as no curve does"
        );
        let advice = "write it without the difference of numbers that are nearly equal, such as expm1 \
                      for exp(x) - 1";
        let finding = Finding::new(FindingKind::Noise, severity, message);
        Some(finding.advice(advice).evidence(vec![evidence]))
    }

    /// Where the slope or the loss itself changes over however short a distance.
    fn kinks(&self, grid: &Grid) -> Vec<Finding> {
        let (mut kinks, mut jumps): (Vec<[Evidence; 2]>, Vec<[Evidence; 2]>) =
            (Vec::new(), Vec::new());
        for &y in &grid.targets {
            let f = |x: f64| (self.function)(x, y);
            let (low, high, cells) = match self.prediction {
                Domain::Unit | Domain::OpenUnit => (0.0, 1.0, 192),
                Domain::NonNegative | Domain::Positive => (0.0, 12.0, 768),
                _ => (y - 12.0, y + 12.0, 1536),
            };
            // Off the round numbers, so that a kink is inside a cell.
            let width = (high - low) / f64::from(cells);
            let place = |i: i32| low + width * (f64::from(i) + 0.37);
            let values: Vec<f64> = (0..cells).map(|i| f(place(i))).collect();
            let change = |i: usize| (values[i + 1] - 2.0 * values[i] + values[i - 1]).abs();
            let changes: Vec<f64> = (1..values.len() - 1).map(change).collect();
            let peaks = (1..changes.len() - 1).filter(|&i| {
                changes[i] > 1.5 * changes[i - 1].min(changes[i + 1])
                    && changes[i] > 0.0
                    && changes[i] >= changes[i - 1].max(changes[i + 1])
            });
            let mut peaks: Vec<usize> = peaks.collect();
            peaks.sort_by(|&a, &b| changes[b].total_cmp(&changes[a]));
            for &peak in peaks.iter().take(8) {
                self.zoom(y, place(peak as i32 + 1), width, &mut kinks, &mut jumps);
            }
        }
        let place = |pairs: &[[Evidence; 2]]| {
            let mut places: Vec<String> = pairs
                .iter()
                .map(|[a, b]| {
                    let middle = 0.5 * (a.prediction[0] + b.prediction[0]);
                    let rounded = (middle * 1e3).round() / 1e3 + 0.0;
                    format!("prediction {} with target {}", shown(rounded), shown(a.target[0]))
                })
                .collect();
            places.dedup();
            places.truncate(SHOWN);
            places.join("; ")
        };
        let mut findings = Vec::new();
        for (pairs, kind, severity, what) in [
            (&jumps, FindingKind::Jump, Severity::Warning, "the loss jumps near"),
            (&kinks, FindingKind::Kink, Severity::Note, "the slope jumps near"),
        ] {
            if !pairs.is_empty() {
                let message = format!("{what} {}", place(pairs));
                let evidence = pairs[0].to_vec();
                findings.push(Finding::new(kind, severity, message).evidence(evidence));
            }
        }
        findings
    }

    /// Looks closer and closer at where the slope changes most.
    fn zoom(
        &self,
        y: f64,
        from: f64,
        width: f64,
        kinks: &mut Vec<[Evidence; 2]>,
        jumps: &mut Vec<[Evidence; 2]>,
    ) {
        let f = |x: f64| (self.function)(x, y);
        let (mut at, mut width) = (from, width);
        let change = |at: f64, width: f64| {
            let (a, b, c) = (f(at - width), f(at), f(at + width));
            let noise = 8.0 * f64::EPSILON * a.abs().max(b.abs()).max(c.abs()) / width;
            (((c - b) - (b - a)) / width, noise, (c - a).abs())
        };
        let (first, _, first_step) = change(at, width);
        for _ in 0..ZOOMS {
            width /= 2.0;
            let near = [at - width, at, at + width];
            let of = |x: f64| change(x, width).0.abs();
            at = near.into_iter().max_by(|&a, &b| of(a).total_cmp(&of(b))).unwrap_or(at);
        }
        let (last, noise, step) = change(at, width);
        if !last.is_finite() || !self.is_inside(at - width) || !self.is_inside(at + width) {
            return;
        }
        let is_jump = step > 0.3 * first_step && last.abs() > 100.0 * first.abs();
        let slope = |side: f64| {
            let (a, b) = (at + side * width, at + 3.0 * side * width);
            let quantity = Quantity::Gradient { by: 0 };
            Evidence { quantity, ..plain(a, y, (f(b) - f(a)) / (b - a)) }
        };
        let value = |side: f64| plain(at + side * width, y, f(at + side * width));
        if is_jump {
            jumps.push([value(-1.0), value(1.0)]);
        } else if last.abs() > 0.3 * first.abs() && last.abs() > 1e3 * noise && last.abs() > 1e-6 {
            kinks.push([slope(-1.0), slope(1.0)]);
        }
    }

    /// The points at which a given gradient is not the slope.
    fn gradient(&self, grid: &Grid, gradient: &dyn Fn(f64, f64) -> f64) -> Vec<Finding> {
        let (mut wrong, mut undefined) = (Vec::new(), Vec::new());
        for &y in &grid.targets {
            for &p in &grid.predictions {
                let found = gradient(p, y);
                let sides =
                    [Side::Left, Side::Right, Side::Both].map(|side| self.slope(p, y, side));
                let known: Vec<Slope> = sides.into_iter().flatten().collect();
                // Between the slopes on both sides, each as wrong as it may be.
                let slack = |slope: &Slope| 8.0 * slope.error + 1e-6 * slope.value.abs() + 1e-9;
                let low = known.iter().map(|s| s.value - slack(s)).fold(f64::INFINITY, f64::min);
                let high =
                    known.iter().map(|s| s.value + slack(s)).fold(f64::NEG_INFINITY, f64::max);
                let evidence = |truth: Option<f64>| Evidence {
                    quantity: Quantity::Gradient { by: 0 },
                    truth: truth.map(|truth| format!("{truth:.9e}")),
                    ..plain(p, y, found)
                };
                let best = known.iter().min_by(|a, b| a.error.total_cmp(&b.error));
                let is_number = (self.function)(p, y).is_finite();
                if is_number && !found.is_finite() && !known.is_empty() {
                    undefined.push(evidence(best.map(|slope| slope.value)));
                } else if found < low && high.is_finite() || found > high && low.is_finite() {
                    wrong.push(evidence(best.map(|slope| slope.value)));
                }
            }
        }
        let mut findings = Vec::new();
        for (kind, message, mut evidence) in [
            (FindingKind::WrongGradient, "the gradient is not the slope of the loss", wrong),
            (
                FindingKind::UndefinedGradient,
                "the gradient is no number where the loss has a slope",
                undefined,
            ),
        ] {
            evidence.sort_by(|a, b| (a.reach() - 1.0).abs().total_cmp(&(b.reach() - 1.0).abs()));
            let count = evidence.len();
            if count > 0 {
                evidence.truncate(SHOWN);
                let all = grid.targets.len() * grid.predictions.len();
                let message = format!("{message} at {count} of {all} points");
                findings.push(Finding::new(kind, Severity::Error, message).evidence(evidence));
            }
        }
        findings
    }

    /// A chord that lies below the loss.
    fn chord(&self, grid: &Grid) -> Option<Finding> {
        let mut worst: Option<(f64, Witness)> = None;
        for &y in &grid.targets {
            for (i, &a) in grid.predictions.iter().enumerate() {
                for &b in &grid.predictions[i + 1..] {
                    let middle = 0.5 * (a + b);
                    let [low, top, high] = [a, middle, b].map(|p| (self.function)(p, y));
                    let above = top - 0.5 * (low + high);
                    let slack = 1e-9 * low.abs().max(top.abs()).max(high.abs());
                    if above > slack && worst.as_ref().is_none_or(|(most, _)| above > *most) {
                        let term =
                            |factor, p| Term { factor, prediction: vec![p], target: vec![y] };
                        let text = format!(
                            "with target {} the loss is {} at prediction {}, above the chord from {} to {}, \
                             which is {} there",
                            shown(y),
                            shown(top),
                            shown(middle),
                            shown(a),
                            shown(b),
                            shown(0.5 * (low + high))
                        );
                        let terms = vec![term(1.0, middle), term(-0.5, a), term(-0.5, b)];
                        worst =
                            Some((above, Witness { terms, constant: 0.0, is_strict: true, text }));
                    }
                }
            }
        }
        let (_, witness) = worst?;
        let at = |term: &Term| {
            let (p, y) = (term.prediction[0], term.target[0]);
            plain(p, y, (self.function)(p, y))
        };
        let evidence = witness.terms.iter().map(at).collect();
        let message =
            format!("{}: an optimiser may stop at predictions that are not the best", witness.text);
        let finding = Finding::new(FindingKind::NotConvex, Severity::Note, message);
        Some(finding.evidence(evidence).witness(Some(witness)))
    }

    /// Slopes that grow on and on towards an end of the domain.
    fn growth(&self, grid: &Grid) -> Option<Finding> {
        let ways: Vec<Vec<f64>> = match self.prediction {
            Domain::Unit | Domain::OpenUnit => {
                let near = |k: i32| 0.5f64.powi(4 * k);
                vec![(1..7).map(near).collect(), (1..7).map(|k| 1.0 - near(k)).collect()]
            }
            domain => {
                let far = |sign: f64| {
                    (1..13)
                        .map(|k| sign * 10f64.powf(0.5 * f64::from(k)))
                        .filter(|x| domain.contains(*x))
                        .collect()
                };
                vec![far(1.0), far(-1.0)]
            }
        };
        for &y in &grid.targets {
            for way in &ways {
                let slopes: Vec<(f64, Slope)> = way
                    .iter()
                    .filter_map(|&p| Some((p, self.slope(p, y, Side::Both)?)))
                    .take_while(|(_, slope)| slope.error < 1e-3 * slope.value.abs())
                    .collect();
                let sizes: Vec<f64> = slopes.iter().map(|(_, slope)| slope.value.abs()).collect();
                if sizes.len() < 2 || sizes.windows(2).any(|pair| pair[1] < 1.2 * pair[0]) {
                    continue;
                }
                let evidence = [slopes[0], slopes[slopes.len() - 1]].map(|(p, slope)| Evidence {
                    quantity: Quantity::Gradient { by: 0 },
                    precision: Precision::Double,
                    ..plain(p, y, slope.value)
                });
                let message = "the slope grows beyond all bounds: one outlier can outweigh all other \
                               examples";
                let finding =
                    Finding::new(FindingKind::UnboundedInfluence, Severity::Note, message);
                return Some(finding.evidence(evidence.to_vec()));
            }
        }
        None
    }
}
