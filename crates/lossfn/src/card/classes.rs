//! The card of a loss over a class axis: by the rules for its formula, and by sampling its definition
//! along straight lines through the space of scores.

use super::witness::{Term, Witness, shown};
use super::{Card, Fact, How, Property, rules, short};
use crate::describe::{Description, Domain};
use crate::kernel::ClassKernels;
use crate::loss::Loss;
use crate::number::Jet;

/// Random numbers that are the same on every run.
struct Random(u64);

impl Random {
    /// From 0 to below 1.
    fn unit(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Few digits, so that sums of such numbers are exact.
        f64::from((self.0 >> 48) as u32) / 65536.0
    }

    fn direction(&mut self, classes: usize) -> Vec<f64> {
        (0..classes).map(|_| 2.0 * self.unit() - 1.0).collect()
    }
}

/// A straight line through the space of scores.
struct Path {
    from: Vec<f64>,
    direction: Vec<f64>,
    target: Vec<f64>,
}

impl Path {
    fn at(&self, t: f64) -> Vec<f64> {
        self.from.iter().zip(&self.direction).map(|(x, d)| x + t * d).collect()
    }

    fn length(&self) -> f64 {
        self.direction.iter().map(|d| d * d).sum::<f64>().sqrt()
    }
}

struct Study<'a> {
    kernels: &'a dyn ClassKernels,
    d: &'a Description,
    paths: Vec<Path>,
    points: usize,
}

impl Study<'_> {
    fn jet(&self, path: &Path, t: f64) -> Jet<f64> {
        self.kernels.reference(&path.at(t), &path.target, &path.direction)
    }

    fn value(&self, prediction: &[f64], target: &[f64]) -> f64 {
        self.kernels.reference(prediction, target, &vec![0.0; prediction.len()]).value
    }

    fn is_inside(&self, path: &Path, t: f64) -> bool {
        let domain = self.d.prediction;
        path.at(t).into_iter().all(|x| match domain {
            Domain::Unit => (1e-9..=1.0).contains(&x),
            Domain::NonNegative => x >= 0.0,
            Domain::Positive => x > 0.0,
            Domain::OpenUnit => x > 0.0 && x < 1.0,
            Domain::Real | Domain::Sign | Domain::LogProbability => true,
        })
    }

    fn holds(&self, witness: &Witness) -> bool {
        // The plain definition rounds as its largest part does.
        let scale: f64 = witness
            .terms
            .iter()
            .map(|term| {
                let value = self.value(&term.prediction, &term.target).abs();
                let most = term.prediction.iter().map(|x| x.abs()).fold(1.0, f64::max);
                term.factor.abs() * (value + most)
            })
            .sum();
        let sum = witness.sum(|p, y| self.value(p, y));
        sum > 1e-10 * scale || !witness.is_strict && sum.abs() <= 1e-14 * scale
    }
}

fn term(factor: f64, prediction: Vec<f64>, path: &Path) -> Term {
    Term { factor, prediction, target: path.target.clone() }
}

fn paths(d: &Description) -> Vec<Path> {
    let mut random = Random(7);
    let mut paths = Vec::new();
    for classes in [2, 3, 5] {
        let mut targets: Vec<Vec<f64>> = (0..classes.min(3))
            .map(|label| (0..classes).map(|class| f64::from(u8::from(class == label))).collect())
            .collect();
        if d.target == Domain::NonNegative {
            targets.push((0..classes).map(|class| [0.5, 0.25, 0.125, 0.125, 0.0][class]).collect());
        }
        for target in targets {
            let spread = if d.prediction == Domain::Real { 4.0 } else { 0.0 };
            for _ in 0..5 {
                let from = if d.prediction == Domain::Real {
                    (0..classes).map(|_| spread * (random.unit() - 0.5)).collect()
                } else {
                    (0..classes).map(|_| 0.125 + 0.75 * random.unit()).collect()
                };
                let direction = random.direction(classes);
                paths.push(Path { from, direction, target: target.clone() });
            }
            // One score alone, and all together.
            for class in 0..classes {
                let one = |at| f64::from(u8::from(at == class));
                let direction = (0..classes).map(one).collect();
                let from = vec![if spread == 0.0 { 0.5 } else { 0.0 }; classes];
                paths.push(Path { from, direction, target: target.clone() });
            }
            let from = vec![if spread == 0.0 { 0.5 } else { 0.25 }; classes];
            paths.push(Path { from, direction: vec![1.0; classes], target });
        }
    }
    paths
}

const STEPS: [f64; 4] = [1.0 / 64.0, 0.25, 1.0, 8.0];
const PLACES: [f64; 9] = [-16.0, -4.0, -1.0, -0.25, 0.0, 0.25, 1.0, 4.0, 16.0];

/// The card, and the number of points that were tried.
pub(super) fn card(loss: &Loss) -> (Card, usize) {
    let Some(kernels) = loss.class_kernels() else { return (Card::default(), 0) };
    let d = loss.description();
    let formula = kernels.formula();
    let mut study = Study { kernels, d, paths: paths(d), points: 0 };
    let mut card = Card::default();

    let (above, straight, soft) = chords(&mut study);
    let sampled = |study: &Study<'_>| How::Sampled { points: study.points };
    let convex = match above {
        Some(witness) => Fact::no(Property::Convex, witness),
        None if rules::is_convex(&formula, d) => Fact::rule(
            Property::Convex,
            "sums, maxima, log-sum-exp and compositions of convex parts",
        ),
        None => Fact::yes(Property::Convex, sampled(&study)),
    };
    let strictly = match (&convex.witness, &straight) {
        (Some(witness), _) | (None, Some(witness)) => {
            Fact::no(Property::StrictlyConvex, witness.clone())
        }
        _ => Fact::yes(Property::StrictlyConvex, sampled(&study)),
    };
    let strongly = match (&strictly.witness, &soft) {
        (Some(witness), _) | (None, Some(witness)) => {
            Fact::no(Property::StronglyConvex, witness.clone())
        }
        _ => Fact::unknown(Property::StronglyConvex),
    };
    for fact in [convex, strictly, strongly] {
        card.put(fact);
    }
    for (order, property) in
        [(1, Property::Lipschitz), (2, Property::Smooth), (0, Property::Bounded)]
    {
        card.put(grows(&mut study, order, property));
    }
    if rules::is_smooth(&formula, d) {
        for property in [Property::Differentiable, Property::TwiceDifferentiable] {
            card.put(Fact::rule(property, "all parts of the formula are smooth"));
        }
    } else {
        for property in [Property::Differentiable, Property::TwiceDifferentiable] {
            card.put(Fact::unknown(property));
        }
    }
    card.put(rules::robust(&card));
    for fact in proper(&mut study) {
        card.put(fact);
    }
    (card, study.points)
}

/// Witnesses that a chord lies below the loss, on it, or hardly above it.
fn chords(study: &mut Study<'_>) -> (Option<Witness>, Option<Witness>, Option<Witness>) {
    let (mut above, mut straight, mut soft) = (None, None, None);
    let mut worst = 1e-9;
    for path in &study.paths {
        for t in PLACES {
            for step in STEPS {
                if !study.is_inside(path, t - step) || !study.is_inside(path, t + step) {
                    continue;
                }
                let points = [path.at(t - step), path.at(t), path.at(t + step)];
                let values = points.each_ref().map(|point| study.value(point, &path.target));
                study.points += 1;
                // The plain definition rounds as its largest part does.
                let parts = values.iter().chain(&points[0]).chain(&points[2]);
                let scale = parts.map(|x| x.abs()).fold(1.0, f64::max);
                let gap = (values[1] - 0.5 * values[0] - 0.5 * values[2]) / scale;
                if !gap.is_finite() {
                    continue;
                }
                let witness = |text: String, constant: f64| {
                    let [a, b, c] = points.clone();
                    let terms = vec![term(1.0, b, path), term(-0.5, a, path), term(-0.5, c, path)];
                    Witness::new(terms, constant, text)
                };
                let place = || {
                    let (from, to) = (shown(&points[0]), shown(&points[2]));
                    format!("from scores {from} to {to} with target {}", shown(&path.target))
                };
                if gap > 4.0 * worst || gap > worst && above.is_none() {
                    worst = gap;
                    above = Some(witness(
                        format!("{}, halfway it is {}, above the chord", place(), short(values[1])),
                        0.0,
                    ));
                }
                // Along such a line nothing changes, or by equal amounts.
                let is_level = path.direction.iter().all(|d| *d == path.direction[0]);
                // Far out, curves are straight to all digits of f64.
                let is_near = points.iter().flatten().all(|x| x.abs() <= 4.0);
                let is_straight = is_near && gap.abs() <= 1e-15 && (is_level || gap == 0.0);
                if straight.is_none() && is_straight && step >= 0.125 {
                    let found = witness(format!("a straight line {}", place()), 0.0).or_equal();
                    straight = Some(found);
                }
                let length = step * path.length();
                let allowed = 0.5e-5 * length * length;
                if soft.is_none() && gap < 0.0 && -gap * scale < 0.5 * allowed && gap.abs() > 1e-12
                {
                    let text = format!("hardly bent {}", place());
                    soft = Some(witness(text, allowed));
                }
            }
        }
    }
    (above, straight, soft)
}

/// Whether value (order 0), slope (1) or second derivative (2) grows beyond bounds along some line.
fn grows(study: &mut Study<'_>, order: usize, property: Property) -> Fact {
    let is_real = study.d.prediction == Domain::Real;
    let far: Vec<f64> = if is_real {
        vec![8.0, 16.0, 32.0, 64.0, 128.0, 256.0]
    } else {
        (3..12).map(|k| 0.5f64.powi(k)).collect()
    };
    let mut most: f64 = 0.0;
    for path in &study.paths {
        let length = path.length();
        let scale = [1.0, length, length * length][order];
        let size =
            |jet: Jet<f64>| [jet.value, jet.gradient(), jet.curvature()][order].abs() / scale;
        for t in PLACES {
            let found = if study.is_inside(path, t) { size(study.jet(path, t)) } else { f64::NAN };
            if found.is_finite() {
                most = most.max(found);
            }
            study.points += 1;
        }
    }
    for path in &study.paths {
        let length = path.length();
        let scale = [1.0, length, length * length][order];
        let size =
            |jet: Jet<f64>| [jet.value, jet.gradient(), jet.curvature()][order].abs() / scale;
        for sign in [-1.0, 1.0] {
            // Towards the border of the domain, if it has one.
            let ts: Vec<f64> = if is_real {
                far.iter().map(|t| sign * t).collect()
            } else {
                let reach = path.from.iter().zip(&path.direction).filter(|(_, d)| **d * sign < 0.0);
                let reach = reach.map(|(x, d)| x / d.abs()).fold(f64::INFINITY, f64::min);
                if !reach.is_finite() {
                    continue;
                }
                far.iter().map(|share| sign * reach * (1.0 - share)).collect()
            };
            let witness = |t: f64, factor: f64| {
                let h = if is_real { 0.5 } else { far[far.len() - 1] / 64.0 };
                match order {
                    0 => vec![term(factor, path.at(t), path)],
                    1 => {
                        let scale = factor / (2.0 * h);
                        vec![term(scale, path.at(t + h), path), term(-scale, path.at(t - h), path)]
                    }
                    _ => {
                        let scale = factor / (h * h);
                        vec![
                            term(scale, path.at(t + h), path),
                            term(-2.0 * scale, path.at(t), path),
                            term(scale, path.at(t - h), path),
                        ]
                    }
                }
            };
            let inside = |t: &&f64| study.is_inside(path, **t);
            let known: Vec<(f64, f64)> = ts
                .iter()
                .filter(inside)
                .map(|&t| (t, size(study.jet(path, t))))
                .filter(|known| known.1.is_finite())
                .collect();
            let least = if order == 0 { 0.01 } else { 0.2 };
            let does = known.len() >= 4
                && known[known.len() - 4..]
                    .windows(2)
                    .all(|pair| pair[1].1 > (1.0 + least) * pair[0].1 && pair[1].1 > 1e-3)
                && known[known.len() - 1].1 > [1.2, 1.5, 1.5][order] * most;
            if !does {
                continue;
            }
            let ((near, a), (outer, b)) = (known[known.len() - 4], known[known.len() - 1]);
            let sums = [near, outer].map(|t| {
                Witness::new(witness(t, 1.0), 0.0, String::new()).sum(|p, y| study.value(p, y))
            });
            let sign = sums[1].signum();
            let mut terms = witness(outer, sign);
            terms.extend(witness(near, -1.005 * sums[0].signum()));
            let what = ["loss", "slope", "second derivative"][order];
            let text = format!(
                "along {} the {what} is {} at {} and {} at {}, with target {}",
                shown(&path.direction),
                short(a),
                shown(&path.at(near)),
                short(b),
                shown(&path.at(outer)),
                shown(&path.target)
            );
            let witness = Witness::new(terms, 0.0, text);
            if study.holds(&witness) {
                return Fact::no(property, witness);
            }
        }
    }
    let fact = Fact::yes(property, How::Sampled { points: study.points });
    fact.detail(format!("at least {} was seen", short(most)))
}

/// Whether the true probabilities have the least expected loss.
fn proper(study: &mut Study<'_>) -> Vec<Fact> {
    let is_link = study.d.link.is_some_and(|link| link.starts_with("softmax(prediction)"));
    if study.d.prediction != Domain::Unit && !is_link {
        return Vec::new();
    }
    let scores = |q: &[f64]| -> Vec<f64> {
        if is_link { q.iter().map(|q| q.ln()).collect() } else { q.to_vec() }
    };
    let distributions: [&[f64]; 6] = [
        &[0.25, 0.75],
        &[0.5, 0.5],
        &[0.125, 0.25, 0.625],
        &[0.5, 0.375, 0.125],
        &[0.0625, 0.0625, 0.875],
        &[0.4375, 0.25, 0.1875, 0.125],
    ];
    let risk_terms = |factor: f64, scores: &[f64], q: &[f64]| -> Vec<Term> {
        let target =
            |label: usize| (0..q.len()).map(|at| f64::from(u8::from(at == label))).collect();
        q.iter()
            .enumerate()
            .map(|(label, &share)| Term {
                factor: factor * share,
                prediction: scores.to_vec(),
                target: target(label),
            })
            .collect()
    };
    for q in distributions {
        for other in distributions.iter().copied().chain([&[0.28, 0.72][..], &[0.13, 0.24, 0.63]]) {
            if other.len() != q.len() || other == q {
                continue;
            }
            let mut terms = risk_terms(1.0, &scores(q), q);
            terms.extend(risk_terms(-1.0, &scores(other), q));
            let text = format!(
                "where {} are the true probabilities, {} is better",
                shown(q),
                shown(other)
            );
            let witness = Witness::new(terms, 0.0, text);
            study.points += 1;
            if study.holds(&witness) {
                return vec![
                    Fact::no(Property::Proper, witness.clone()),
                    Fact::no(Property::StrictlyProper, witness),
                ];
            }
        }
    }
    let sampled = || How::Sampled { points: study.points };
    vec![Fact::yes(Property::Proper, sampled()), Fact::yes(Property::StrictlyProper, sampled())]
}
