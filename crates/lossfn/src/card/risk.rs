//! What a pointwise loss makes of a distribution of the target: the best constant prediction, whether
//! it is the true probability, whether it is on the side of the more probable class.

use super::pointwise::{Study, ends};
use super::rules::Variable;
use super::witness::{Term, Witness};
use super::{Fact, How, Property, short};
use crate::describe::{Domain, Task};

/// A distribution of targets, as numbers with their shares.
type Targets = Vec<(f64, f64)>;

/// What may be elicited of two classes: a name, and the function of the class's probability.
type Candidate = (&'static str, fn(f64) -> f64);

/// How near to each other two predictions are the same.
const NEAR: f64 = 1e-5;

/// The expected loss of a prediction.
fn risk(study: &Study<'_>, prediction: f64, targets: &Targets) -> f64 {
    targets.iter().map(|&(y, share)| share * study.value(prediction, y)).sum()
}

/// The predictions that are tried first.
fn grid(domain: Domain) -> Vec<f64> {
    let (low, high) = ends(domain);
    let mut grid: Vec<f64> = if high == 1.0 {
        (0..=200).map(|n| f64::from(n) / 200.0).collect()
    } else {
        let near = (-200..=200).map(|n| f64::from(n) / 20.0);
        near.chain([-1e4, -1e3, -100.0, -40.0, -20.0, 20.0, 40.0, 100.0, 1e3, 1e4]).collect()
    };
    grid.retain(|x| *x >= low && *x <= high && !(domain == Domain::Positive && *x <= 0.0));
    grid.sort_by(f64::total_cmp);
    grid
}

/// The prediction with the least expected loss, with that loss; `None` if there is none between the
/// ends of the grid, or several.
fn best(study: &mut Study<'_>, targets: &Targets, grid: &[f64]) -> Option<(f64, f64)> {
    study.points += grid.len();
    let values: Vec<f64> = grid.iter().map(|&x| risk(study, x, targets)).collect();
    let least = (0..grid.len())
        .filter(|&at| values[at].is_finite())
        .min_by(|&a, &b| values[a].total_cmp(&values[b]))?;
    let low = grid[least.saturating_sub(1)];
    let high = grid[(least + 1).min(grid.len() - 1)];
    let x = golden(low, high, |x| risk(study, x, targets));
    let value = risk(study, x, targets).min(values[least]);
    // Another place as good and away from this one: the best is not one prediction.
    let slack = 1e-12 * value.abs().max(1e-3);
    let elsewhere = (0..grid.len()).any(|at| {
        values[at] <= value + slack && (grid[at] - x).abs() > 0.06f64.max(1e-3 * x.abs())
    });
    (!elsewhere).then_some((x, value))
}

/// The least of a function that falls and then rises.
pub(super) fn golden(low: f64, high: f64, function: impl Fn(f64) -> f64) -> f64 {
    let ratio = 0.618_033_988_749_894_9;
    let (mut a, mut b) = (low, high);
    let (mut c, mut d) = (b - ratio * (b - a), a + ratio * (b - a));
    let (mut at_c, mut at_d) = (function(c), function(d));
    for _ in 0..60 {
        if at_c <= at_d {
            (b, d, at_d) = (d, c, at_c);
            c = b - ratio * (b - a);
            at_c = function(c);
        } else {
            (a, c, at_c) = (c, d, at_d);
            d = a + ratio * (b - a);
            at_d = function(d);
        }
    }
    // A kink may lie at an end of the grid's interval, exactly.
    [low, high, (a + b) * 0.5]
        .into_iter()
        .min_by(|a, b| function(*a).total_cmp(&function(*b)))
        .unwrap_or(a)
}

/// The facts that rest on expected losses.
pub(super) fn facts(study: &mut Study<'_>, is_convex: bool) -> Vec<Fact> {
    let d = study.loss.description();
    let mut facts = Vec::new();
    if d.task == Task::Binary && matches!(d.target, Domain::Sign | Domain::Unit) {
        facts.push(elicits_of_two(study));
        facts.extend(proper(study));
        facts.push(calibrated(study, is_convex));
    } else if matches!(d.task, Task::Regression | Task::Counts) {
        facts.push(elicits(study));
    }
    facts
}

fn negative(study: &Study<'_>) -> f64 {
    if study.loss.description().target == Domain::Sign { -1.0 } else { 0.0 }
}

fn two(study: &Study<'_>, share: f64) -> Targets {
    vec![(1.0, share), (negative(study), 1.0 - share)]
}

fn logit(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

/// The functional that the best prediction is, for two classes.
fn elicits_of_two(study: &mut Study<'_>) -> Fact {
    let candidates: [Candidate; 6] = [
        ("the probability of the class 1", |share| share),
        ("the log-odds of the class 1", logit),
        ("half the log-odds of the class 1", |share| 0.5 * logit(share)),
        ("twice the probability of the class 1, less 1", |share| 2.0 * share - 1.0),
        ("the more probable class, as -1 or 1", |share| (share - 0.5).signum()),
        ("the more probable class, as 0 or 1", |share| f64::from(u8::from(share > 0.5))),
    ];
    let grid = grid(study.loss.description().prediction);
    let shares = [0.07, 0.2, 0.36, 0.45, 0.58, 0.71, 0.9];
    let found = shares.map(|share| {
        let targets = two(study, share);
        best(study, &targets, &grid).map(|best| best.0)
    });
    let candidates = candidates.map(|(name, function)| (name.to_owned(), shares.map(function)));
    let fact = elicited(study, &candidates, &found);
    // The best may be at infinity, or on the whole of one side.
    let border = if study.loss.description().prediction == Domain::Unit { 0.5 } else { 0.0 };
    let is_side = shares.iter().all(|&share| {
        let targets = two(study, share);
        let value = |x: &f64| risk(study, *x, &targets);
        let least = grid.iter().map(value).filter(|r| r.is_finite()).fold(f64::INFINITY, f64::min);
        let side = if share > 0.5 { grid[grid.len() - 1] } else { grid[0] };
        let wrong = grid.iter().filter(|x| (**x - border) * (share - 0.5) <= 0.0).map(value);
        risk(study, side, &targets) <= least && wrong.fold(f64::INFINITY, f64::min) > least
    });
    if fact.detail.is_empty() && is_side {
        let how = How::Sampled { points: study.points };
        return Fact::yes(Property::Elicits, how).detail("the more probable class, by its side");
    }
    fact
}
fn elicited<const N: usize>(
    study: &Study<'_>,
    candidates: &[(String, [f64; N])],
    found: &[Option<f64>; N],
) -> Fact {
    let near = |(found, due): (&Option<f64>, &f64)| {
        found.is_some_and(|x| (x - due).abs() <= NEAR * due.abs().max(1.0))
    };
    match candidates.iter().find(|(_, due)| found.iter().zip(due).all(near)) {
        Some((name, _)) => {
            Fact::yes(Property::Elicits, How::Sampled { points: study.points }).detail(name.clone())
        }
        None => Fact::unknown(Property::Elicits),
    }
}

/// The most frequent target.
fn mode(targets: &Targets) -> f64 {
    targets.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(f64::NAN, |(y, _)| *y)
}

/// The functional that the best prediction is, for numbers.
fn elicits(study: &mut Study<'_>) -> Fact {
    let d = study.loss.description();
    // Sums meet no usual level; the most frequent target is another than the middle one.
    let shares = [
        [0.31, 0.08, 0.12, 0.17, 0.09, 0.23],
        [0.13, 0.08, 0.16, 0.19, 0.33, 0.11],
        [0.09, 0.27, 0.11, 0.15, 0.22, 0.16],
        [0.21, 0.12, 0.14, 0.08, 0.16, 0.29],
    ];
    let sets: [[f64; 6]; 4] = match d.target {
        Domain::Real => [
            [-3.1, -1.2, 0.4, 1.3, 2.2, 4.9],
            [-0.4, 0.3, 0.7, 0.9, 1.6, 6.2],
            [-7.3, -5.1, -2.3, -0.6, 0.2, 0.9],
            [1.1, 1.9, 2.3, 3.7, 4.1, 5.3],
        ],
        Domain::Unit => [
            [0.05, 0.12, 0.31, 0.44, 0.72, 0.93],
            [0.11, 0.52, 0.61, 0.77, 0.83, 0.97],
            [0.02, 0.09, 0.14, 0.21, 0.37, 0.41],
            [0.3, 0.37, 0.41, 0.46, 0.51, 0.62],
        ],
        _ => [
            [0.3, 0.7, 1.2, 1.9, 3.1, 4.9],
            [0.1, 0.3, 0.7, 0.9, 1.6, 6.2],
            [0.6, 1.3, 2.3, 5.1, 5.6, 7.3],
            [1.1, 1.9, 2.3, 3.7, 4.1, 5.3],
        ],
    };
    let mut shares = shares.into_iter();
    let sets =
        sets.map(|set| set.into_iter().zip(shares.next().unwrap_or_default()).collect::<Targets>());
    let mean_of = |function: fn(f64) -> f64| {
        sets.each_ref().map(|set| set.iter().map(|&(y, share)| share * function(y)).sum::<f64>())
    };
    let quantile = |level: f64| {
        sets.each_ref().map(|set| {
            let mut passed = 0.0;
            let found = set.iter().find(|(_, share)| {
                passed += share;
                passed >= level
            });
            found.map_or(f64::NAN, |(y, _)| *y)
        })
    };
    let expectile = |level: f64| {
        sets.each_ref().map(|set| {
            golden(-20.0, 20.0, |x| {
                let cost = |&(y, share): &(f64, f64)| {
                    share * (if y > x { level } else { 1.0 - level }) * (y - x) * (y - x)
                };
                set.iter().map(cost).sum()
            })
        })
    };
    let is_positive = matches!(d.target, Domain::NonNegative | Domain::Positive);
    let mut candidates: Vec<(String, [f64; 4])> = Vec::new();
    for (parameter, &value) in d.parameters.iter().zip(study.loss.parameters()) {
        if value > 0.0 && value < 1.0 {
            let name = parameter.name;
            candidates.push((format!("the quantile at {name}"), quantile(value)));
            candidates.push((format!("the expectile at {name}"), expectile(value)));
        }
    }
    candidates.extend([
        ("the mean".to_owned(), mean_of(|y| y)),
        ("the median".to_owned(), quantile(0.5)),
        ("the mode".to_owned(), sets.each_ref().map(mode)),
    ]);
    if is_positive {
        candidates.push(("the logarithm of the mean".into(), mean_of(|y| y).map(f64::ln)));
        candidates.push(("the geometric mean".into(), mean_of(f64::ln).map(f64::exp)));
        let shifted = mean_of(f64::ln_1p).map(f64::exp_m1);
        candidates.push(("the geometric mean of 1 + target, less 1".into(), shifted));
        candidates.push(("the logarithm of the median".into(), quantile(0.5).map(f64::ln)));
        candidates.push(("the harmonic mean".into(), mean_of(|y| 1.0 / y).map(|m| 1.0 / m)));
    }
    let mut grid = grid(d.prediction);
    // The best of a loss with kinks is a target.
    for targets in &sets {
        grid.extend(targets.iter().map(|target| target.0));
    }
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    let found = sets.each_ref().map(|targets| best(study, targets, &grid).map(|best| best.0));
    elicited(study, &candidates, &found)
}

/// How predictions stand for probabilities.
enum Link {
    /// They are probabilities.
    Identity,
    /// sigmoid(factor * prediction) is one.
    Sigmoid(f64),
}

fn link(study: &Study<'_>) -> Option<Link> {
    let d = study.loss.description();
    if d.prediction == Domain::Unit {
        return Some(Link::Identity);
    }
    let inner = d.link?.strip_prefix("sigmoid(")?.split_once("prediction)")?.0.trim();
    Some(Link::Sigmoid(if inner.is_empty() { 1.0 } else { inner.parse().ok()? }))
}

const SHARES: [f64; 9] = [0.03, 0.1, 0.25, 0.4, 0.5, 0.55, 0.7, 0.88, 0.99];

fn risk_terms(study: &Study<'_>, factor: f64, prediction: f64, share: f64) -> [Term; 2] {
    let other = negative(study);
    [Term::at(factor * share, prediction, 1.0), Term::at(factor * (1.0 - share), prediction, other)]
}

fn proper(study: &mut Study<'_>) -> Vec<Fact> {
    let Some(link) = link(study) else { return Vec::new() };
    let mut grid = grid(study.loss.description().prediction);
    grid.retain(|x| x.abs() <= 20.0);
    let mut equal: Option<Witness> = None;
    for share in SHARES {
        let targets = two(study, share);
        let truth = match link {
            Link::Identity => share,
            Link::Sigmoid(factor) => logit(share) / factor,
        };
        let due = risk(study, truth, &targets);
        study.points += grid.len();
        let mut tried = grid.clone();
        tried.extend([truth - 1e-3, truth + 1e-3]);
        tried.extend(best(study, &targets, &grid).map(|best| best.0));
        for other in tried {
            let found = risk(study, other, &targets);
            if !found.is_finite() || (other - truth).abs() < 1e-4 || !(due - found).is_finite() {
                continue;
            }
            let witness = |relation: &str| {
                let terms = risk_terms(study, 1.0, truth, share)
                    .into_iter()
                    .chain(risk_terms(study, -1.0, other, share));
                let text = format!(
                    "where the class 1 has probability {}, prediction {} {relation} than the true {}",
                    short(share),
                    short(other),
                    short(truth)
                );
                Witness::new(terms.collect(), 0.0, text)
            };
            if found < due - 1e-10 * due.abs().max(1e-3) {
                let witness = witness("is better");
                return vec![
                    Fact::no(Property::Proper, witness.clone()),
                    Fact::no(Property::StrictlyProper, witness),
                ];
            }
            if found == due && equal.is_none() && (other - truth).abs() > 1e-2 {
                equal = Some(witness("is no worse").or_equal());
            }
        }
    }
    let sampled = How::Sampled { points: study.points };
    let strictly = match equal {
        Some(witness) => Fact::no(Property::StrictlyProper, witness),
        None => Fact::yes(Property::StrictlyProper, sampled.clone()),
    };
    vec![Fact::yes(Property::Proper, sampled), strictly]
}

fn calibrated(study: &mut Study<'_>, is_convex: bool) -> Fact {
    let property = Property::Calibrated;
    let border = if study.loss.description().prediction == Domain::Unit { 0.5 } else { 0.0 };
    if study.shape == Variable::Margin && is_convex {
        // The slopes on both sides of 0, by differences: a kink there has two.
        let step = 1e-7;
        let at = |x| study.value(x, 1.0);
        let (left, right) = ((at(0.0) - at(-step)) / step, (at(step) - at(0.0)) / step);
        if (left - right).abs() <= 1e-4 * left.abs().max(right.abs()) && right < -1e-4 {
            let reason = "convex in the margin and falling at 0 (Bartlett, Jordan and McAuliffe 2006, doi:10.1198/016214505000000907)";
            return Fact::rule(property, reason);
        }
    }
    let mut grid = grid(study.loss.description().prediction);
    grid.extend([1e-3, -1e-3, border].iter().map(|x| x + border));
    grid.retain(|x| study.loss.description().prediction != Domain::Unit || (0.0..=1.0).contains(x));
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    for share in [0.02, 0.1, 0.25, 0.4, 0.49, 0.51, 0.6, 0.75, 0.9, 0.98] {
        let targets = two(study, share);
        study.points += grid.len();
        let least = |study: &Study<'_>, wanted: &dyn Fn(f64) -> bool| {
            let tried = grid.iter().copied().filter(|x| wanted(*x));
            let known = tried.map(|x| (risk(study, x, &targets), x)).filter(|(r, _)| r.is_finite());
            known.min_by(|a, b| a.0.total_cmp(&b.0))
        };
        let is_right = |x: f64| (x - border) * (share - 0.5) > 0.0;
        let (Some(right), Some(wrong)) = (least(study, &is_right), least(study, &|x| !is_right(x)))
        else {
            continue;
        };
        if wrong.0 <= right.0 {
            let terms = risk_terms(study, 1.0, right.1, share)
                .into_iter()
                .chain(risk_terms(study, -1.0, wrong.1, share));
            let text = format!(
                "where the class 1 has probability {}, prediction {} is as good as any",
                short(share),
                short(wrong.1)
            );
            return Fact::no(property, Witness::new(terms.collect(), 0.0, text).or_equal());
        }
    }
    Fact::yes(property, How::Sampled { points: study.points })
}
