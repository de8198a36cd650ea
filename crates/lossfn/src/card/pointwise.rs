//! The card of a pointwise loss: a curve for each target that matters, bounded by interval arithmetic
//! and sampled.

use super::curve::{Curve, Piece, Pieces, Seam, Step, between};
use super::rules::{self, Variable};
use super::witness::{Term, Witness};
use super::{Answer, Card, Fact, How, Property, risk, round_to, short};
use crate::describe::{Domain, Task};
use crate::kernel::PointwiseKernels;
use crate::loss::Loss;
use crate::number::{Formula, Interval, Number};

/// Looks closer are worth so many evaluations for each question.
const EFFORT: usize = 500;
/// Relative to the numbers at hand, less than this is rounding.
const SLACK: f64 = 1e-9;

/// A pointwise loss as it is looked at.
pub(super) struct Study<'a> {
    pub loss: &'a Loss,
    pub kernels: &'a dyn PointwiseKernels,
    pub shape: Variable,
    /// The number of points that have been tried.
    pub points: usize,
}

impl Study<'_> {
    /// The loss by the reference arithmetic.
    pub fn value(&self, prediction: f64, target: f64) -> f64 {
        self.kernels.reference(prediction, target).value
    }

    /// What the variable of a curve is called.
    pub fn variable(&self) -> &'static str {
        match self.shape {
            Variable::Residual => "residual",
            Variable::Margin => "margin",
            Variable::General => "prediction",
        }
    }

    /// All targets that matter.
    pub fn targets(&self) -> Vec<f64> {
        match (self.shape, self.loss.description().target) {
            (Variable::Residual, _) => vec![0.0],
            (Variable::Margin, _) => vec![1.0],
            (_, Domain::Real | Domain::LogProbability) => vec![0.0, 1.0, -1.5, 12.25],
            (_, Domain::OpenUnit) => vec![0.0625, 0.25, 0.75],
            (_, Domain::Unit) => vec![0.0, 0.25, 1.0],
            (_, Domain::Sign) => vec![-1.0, 1.0],
            (_, Domain::NonNegative) => vec![0.0, 0.5, 1.0, 7.0],
            (_, Domain::Positive) => vec![0.25, 1.0, 7.0],
        }
    }

    /// Where, in words: nothing but the variable if it says all.
    fn place(&self, line: &Line, x: f64) -> String {
        match self.shape {
            Variable::General => {
                format!("prediction {} with target {}", short(x), short(line.target))
            }
            _ => format!("{} {}", self.variable(), short(x)),
        }
    }
}

/// The loss as a curve, for one target.
struct Line<'a> {
    target: f64,
    domain: (f64, f64),
    pieces: Pieces<'a>,
    seams: Vec<Seam>,
    samples: Vec<Sample>,
}

#[derive(Clone, Copy)]
struct Sample {
    x: f64,
    value: f64,
    first: f64,
    second: f64,
}

/// How far a claim holds by interval arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reach {
    Whole,
    Between(f64, f64),
    Nowhere,
}

impl Reach {
    fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nowhere, _) | (_, Self::Nowhere) => Self::Nowhere,
            (Self::Whole, other) | (other, Self::Whole) => other,
            (Self::Between(a, b), Self::Between(c, d)) => Self::Between(a.max(c), b.min(d)),
        }
    }
}

/// The numbers of a domain from end to end, and where it is cut.
pub(super) fn ends(domain: Domain) -> (f64, f64) {
    match domain {
        Domain::Real | Domain::LogProbability => (f64::NEG_INFINITY, f64::INFINITY),
        Domain::Unit | Domain::OpenUnit => (0.0, 1.0),
        Domain::Sign => (-1.0, 1.0),
        Domain::NonNegative | Domain::Positive => (0.0, f64::INFINITY),
    }
}

/// Magnitudes at which a line is cut: between them nothing of interest is longer than it is far.
const CUTS: [f64; 21] = [
    1e-100, 1e-12, 1e-6, 1e-3, 0.03, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0,
    1e3, 1e4, 1e6, 1e8, 1e16,
];
/// Magnitudes that are looked at far out.
const FAR: [f64; 16] =
    [10.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 128.0, 256.0, 512.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

impl Line<'_> {
    fn center(&self) -> f64 {
        match self.domain {
            (low, high) if low.is_finite() && high.is_finite() => between(low, high),
            (low, _) if low.is_finite() => low + 1.0,
            _ => 0.0,
        }
    }

    /// How far around the centre a claim holds for all pieces; a kink holds if `at_kinks` says so.
    fn reach(&self, holds: impl Fn(&Piece) -> bool, at_kinks: bool) -> Reach {
        let (mut low, mut high) = self.domain;
        let mut is_whole = true;
        for piece in &self.pieces.all {
            if if piece.is_kink { at_kinks } else { holds(piece) } {
                continue;
            }
            is_whole = false;
            if piece.high <= self.center() {
                low = low.max(piece.high);
            } else if piece.low >= self.center() {
                high = high.min(piece.low);
            } else {
                return Reach::Nowhere;
            }
        }
        let enough = match self.domain {
            (a, b) if a.is_infinite() && b.is_infinite() => low <= -8.0 && high >= 8.0,
            (a, b) if b.is_infinite() => low <= a + 0.01 && high >= a + 8.0,
            (a, b) => high - low > 0.9 * (b - a),
        };
        match (is_whole, enough) {
            (true, _) => Reach::Whole,
            (false, true) => Reach::Between(low, high),
            _ => Reach::Nowhere,
        }
    }

    /// The bounds of a derivative over all pieces, or over those within reach.
    fn bounds(&self, order: usize) -> Interval {
        let pieces = self.pieces.all.iter().filter(|piece| !piece.is_kink);
        pieces
            .map(|piece| piece.bounds.orders[order])
            .reduce(Interval::hull)
            .unwrap_or(Interval::ANY)
    }

    /// Whether nothing is as low as this but from `first` to `last`, from where it rises or stays.
    fn is_only_place(&self, first: f64, last: f64, level: f64) -> bool {
        self.pieces.all.iter().all(|piece| {
            let [value, slope, _] = piece.bounds.orders;
            value.low() > level
                || piece.high >= first && piece.low <= last
                || piece.high <= first && slope.high() <= 0.0
                || piece.low >= last && slope.low() >= 0.0
        })
    }

    fn has_step(&self, order: usize, wanted: &[Step]) -> Option<&Seam> {
        self.seams.iter().find(|seam| wanted.contains(&seam.step(order)))
    }

    fn is_inside(&self, x: f64) -> bool {
        x.is_finite() && x >= self.domain.0 && x <= self.domain.1
    }

    /// Sequences of points that run towards the ends of the domain and towards the seams.
    fn ways_out(&self) -> Vec<Way> {
        let far = [1.0, 4.0, 16.0, 64.0, 256.0, 1e3, 1e4, 1e6, 1e8, 1e12, 1e20, 1e40, 1e75, 1e150];
        let near = |from: f64, sign: f64| -> Vec<f64> {
            let steps = [4, 8, 12, 16, 20, 30, 40, 80, 160, 320, 640, 1000];
            let least = if from == 0.0 { 0.0 } else { from.abs() * 1e-12 };
            let steps = steps.iter().map(|k| 0.5f64.powi(*k)).filter(|step| *step > least);
            steps.map(|step| from + sign * step).collect()
        };
        let (low, high) = self.domain;
        let start = if low.is_finite() { low } else { 0.0 };
        let way = |to: f64, points: Vec<f64>| Way { to, points };
        let mut ways = vec![
            if low.is_finite() {
                way(low, near(low, 1.0))
            } else {
                way(low, far.map(|x| -x).to_vec())
            },
            if high.is_finite() {
                way(high, near(high, -1.0))
            } else {
                way(high, far.map(|x| start + x).to_vec())
            },
        ];
        for seam in self.seams.iter().take(6) {
            ways.extend([way(seam.at, near(seam.at, -1.0)), way(seam.at, near(seam.at, 1.0))]);
        }
        for way in &mut ways {
            way.points.retain(|x| self.is_inside(*x));
        }
        ways
    }
}

/// Points that run towards an end of the domain or a kink.
struct Way {
    to: f64,
    points: Vec<f64>,
}

fn line<'a>(study: &mut Study<'_>, curve: &'a Curve, target: f64) -> Line<'a> {
    let domain = ends(study.loss.description().prediction);
    let mut cuts = vec![domain.0, domain.1];
    let mut extra: Vec<f64> = study.loss.parameters().to_vec();
    extra.extend(study.loss.parameters().iter().map(|x| -x));
    extra.extend([0.0, target]);
    for magnitude in CUTS {
        extra.extend([magnitude, -magnitude]);
        if domain.1 == 1.0 {
            extra.push(1.0 - magnitude);
        }
    }
    extra.retain(|x| x.is_finite() && *x > domain.0 && *x < domain.1);
    cuts.append(&mut extra);
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    let pieces = Pieces::new(curve, &cuts);
    let seams = pieces.seams();

    let mut xs: Vec<f64> = cuts;
    xs.extend((-128..=128).map(|n| f64::from(n) / 16.0));
    xs.extend((1..256).map(|n| f64::from(n) / 256.0));
    for far in FAR {
        xs.extend([far, -far, 1.37 * far, -1.37 * far]);
    }
    for seam in &seams {
        for step in [1e-9, 1e-6, 1e-3] {
            let step = step * seam.at.abs().max(1.0);
            xs.extend([seam.at - step, seam.at + step]);
        }
        xs.push(seam.at);
    }
    xs.retain(|x| x.is_finite() && *x >= domain.0 && *x <= domain.1);
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let samples = xs.into_iter().map(|x| {
        let jet = study.kernels.reference(x, target);
        Sample { x, value: jet.value, first: jet.gradient(), second: jet.curvature() }
    });
    let samples: Vec<Sample> = samples.collect();
    study.points += samples.len();
    Line { target, domain, pieces, seams, samples }
}

/// The card, and the number of points that were tried.
pub(super) fn card(loss: &Loss) -> (Card, usize) {
    let Some(kernels) = loss.pointwise_kernels() else { return (Card::default(), 0) };
    let formula = kernels.formula();
    let shape = rules::shape(&formula, loss.description());
    let mut study = Study { loss, kernels, shape, points: 0 };
    let targets = study.targets();
    let curves: Vec<Curve> = targets.iter().map(|&y| curve(&formula, y)).collect();
    let mut lines: Vec<Line<'_>> =
        targets.iter().zip(&curves).map(|(&y, curve)| line(&mut study, curve, y)).collect();

    let mut card = Card::default();
    let above = lines.iter().find_map(|line| chord(&study, line));
    for fact in [
        convex(&study, &mut lines, &formula, above.as_ref()),
        strictly_convex(&study, &mut lines, above.as_ref()),
        strongly_convex(&study, &mut lines, above.as_ref()),
        lipschitz(&study, &mut lines),
        smooth(&study, &mut lines),
        differentiable(&study, &lines),
        twice_differentiable(&study, &lines),
        bounded(&study, &mut lines),
        clippable(&study, &lines),
        minimiser(&study, &lines),
    ] {
        card.put(fact);
    }
    card.facts.extend(symmetric(&study, &formula));
    if rules::is_smooth(&formula, loss.description()) {
        for property in [Property::Differentiable, Property::TwiceDifferentiable] {
            card.put(Fact::rule(property, "all parts of the formula are smooth"));
        }
    }
    card.put(rules::robust(&card));
    card.facts.extend(redescending(&study, &lines));
    temper(&mut card, &lines);
    let is_convex = card.answer(Property::Convex) == Answer::Yes;
    for fact in risk::facts(&mut study, is_convex) {
        card.put(fact);
    }
    (card, study.points)
}

/// Takes back what cannot be told: how a loss goes on where its numbers overflow before the largest
/// distances, and how smooth one is whose slope seems to jump.
fn temper(card: &mut Card, lines: &[Line<'_>]) {
    // At an end of the domain a loss may truly be infinite.
    let is_beyond = |line: &Line<'_>, sample: &Sample| {
        let is_end = sample.x == line.domain.0 || sample.x == line.domain.1;
        !is_end && sample.x.is_finite() && !sample.value.is_finite()
    };
    let overflows =
        lines.iter().any(|line| line.samples.iter().any(|sample| is_beyond(line, sample)));
    let mut take_back = |property| {
        if card.answer(property) == Answer::Yes {
            card.put(Fact::unknown(property));
        }
    };
    if overflows {
        [Property::Lipschitz, Property::Smooth, Property::Bounded, Property::Robust]
            .into_iter()
            .chain([Property::Redescending, Property::StronglyConvex])
            .for_each(&mut take_back);
    }
    if card.answer(Property::Differentiable) == Answer::No
        && card.answer(Property::Smooth) == Answer::Yes
    {
        card.put(Fact::unknown(Property::Smooth));
    }
}

fn curve(formula: &Formula, target: f64) -> Curve {
    Curve::new(formula, |name| match name {
        "p" => None,
        "y" => Some(target),
        name => Some(formula.parameter(name).unwrap_or(f64::NAN)),
    })
}

/// How a claim that holds so far is known.
fn how(study: &Study<'_>, reach: Reach) -> How {
    let variable = study.variable();
    let mut range = match reach {
        Reach::Nowhere => return How::Sampled { points: study.points },
        Reach::Whole => format!("all {variable}s"),
        Reach::Between(low, high) => {
            format!("{variable}s from {} to {}", short(low), short(high))
        }
    };
    if study.shape == Variable::General {
        let targets: Vec<String> = study.targets().into_iter().map(short).collect();
        range = format!("{range} at the targets {}", targets.join(", "));
    }
    How::Proved { range }
}

/// A chord that lies below the loss by most, relative to the losses; or that touches it, if that is
/// what is wanted.
fn chord(study: &Study<'_>, line: &Line<'_>) -> Option<Witness> {
    const STEPS: [f64; 10] = [
        1.0,
        2.0,
        0.5,
        8.0,
        0.125,
        64.0,
        1.0 / 64.0,
        1.0 / 1024.0,
        1.0 / 16384.0,
        1.0 / 1_048_576.0,
    ];
    let mut worst: Option<(f64, [f64; 3], [f64; 3])> = None;
    // What is near is easier to follow.
    let mut samples: Vec<&Sample> =
        line.samples.iter().filter(|sample| sample.x.abs() <= 2e4).collect();
    samples.sort_by(|a, b| (a.x - line.center()).abs().total_cmp(&(b.x - line.center()).abs()));
    for sample in samples {
        let far = sample.x.abs() / 8.0;
        for step in STEPS.into_iter().chain([far]) {
            let xs = [sample.x - step, sample.x, sample.x + step];
            if step == 0.0 || !line.is_inside(xs[0]) || !line.is_inside(xs[2]) || xs[0] == xs[1] {
                continue;
            }
            let values =
                [study.value(xs[0], line.target), sample.value, study.value(xs[2], line.target)];
            let scale = values.iter().map(|value| value.abs()).fold(f64::MIN_POSITIVE, f64::max);
            let share = (xs[2] - xs[1]) / (xs[2] - xs[0]);
            let gap = (values[1] - share * values[0] - (1.0 - share) * values[2]) / scale;
            let is_worse = worst.is_none_or(|worst| worst.0 < 1e-2 && gap > 4.0 * worst.0);
            if gap > SLACK && is_worse && is_surely_above(line, xs, share) {
                worst = Some((gap, xs, values));
            }
        }
    }
    let (_, xs, values) = worst?;
    Some(chord_witness(study, line, xs, values))
}

/// Whether the curve lies above the chord however what is computed there was rounded: a formula that loses
/// its digits is not to look bent for that.
fn is_surely_above(line: &Line<'_>, xs: [f64; 3], share: f64) -> bool {
    let bounds = |x| line.pieces.curve.see(Interval::constant(x), None).bounds.orders[0];
    let [left, middle, right] = xs.map(bounds);
    // What is infinite needs no such care.
    middle.low() > share * left.high() + (1.0 - share) * right.high()
        || [left, middle, right].iter().any(|bounds| bounds.point().is_some_and(f64::is_infinite))
}

fn chord_witness(study: &Study<'_>, line: &Line<'_>, xs: [f64; 3], values: [f64; 3]) -> Witness {
    let share = (xs[2] - xs[1]) / (xs[2] - xs[0]);
    let on_chord = share * values[0] + (1.0 - share) * values[2];
    let terms = vec![
        Term::at(1.0, xs[1], line.target),
        Term::at(-share, xs[0], line.target),
        Term::at(-(1.0 - share), xs[2], line.target),
    ];
    let relation = if values[1] > on_chord { "above" } else { "and so is" };
    let text = format!(
        "at {} it is {}, {relation} the chord from {} to {}, {}",
        study.place(line, xs[1]),
        short(values[1]),
        short(xs[0]),
        short(xs[2]),
        short(on_chord),
    );
    Witness::new(terms, 0.0, text)
}

fn is_convex_piece(piece: &Piece) -> bool {
    piece.bounds.orders[2].low() >= 0.0
}

fn convex(
    study: &Study<'_>,
    lines: &mut [Line<'_>],
    formula: &Formula,
    above: Option<&Witness>,
) -> Fact {
    let property = Property::Convex;
    if let Some(witness) = above {
        return Fact::no(property, witness.clone());
    }
    if rules::is_convex(formula, study.loss.description()) {
        return Fact::rule(property, "sums, maxima and compositions of convex parts");
    }
    let mut reach = Reach::Whole;
    for line in lines {
        line.pieces.refine(EFFORT, |piece| {
            let second = piece.bounds.orders[2];
            second.low() < 0.0 && second.high() >= 0.0
        });
        let at_seams = line.seams.iter().all(|seam| {
            seam.step(0) == Step::None && matches!(seam.step(1), Step::None | Step::Up)
        });
        reach =
            reach.both(if at_seams { line.reach(is_convex_piece, true) } else { Reach::Nowhere });
    }
    Fact::yes(property, how(study, reach))
}

/// A piece on which the loss is a straight line, and three points of it.
fn straight(line: &Line<'_>) -> Option<[f64; 3]> {
    let found = line.pieces.all.iter().filter_map(|piece| {
        let (low, high) = (piece.low.max(-1e6), piece.high.min(1e6));
        let is_straight = !piece.is_kink
            && piece.bounds.orders[2].point() == Some(0.0)
            && piece.bounds.orders[0].magnitude().is_finite();
        if !is_straight || high - low <= 1e-3 {
            return None;
        }
        // Few binary digits, so that nothing is rounded.
        let middle = round_binary(between(low, high));
        let reach = (middle - low).min(high - middle);
        if reach <= 0.0 {
            return None;
        }
        let step = 0.5f64.powi(1 - reach.log2().floor() as i32);
        let xs = [middle - step, middle, middle + step];
        (xs[0] >= low && xs[2] <= high && xs[0] < middle && middle < xs[2]).then_some(xs)
    });
    found.min_by(|a, b| oddness(a[1] - line.center()).total_cmp(&oddness(b[1] - line.center())))
}

/// How far a number is from the ordinary: neither large nor small.
fn oddness(x: f64) -> f64 {
    x.abs().max(1e-6).ln().abs()
}

/// A number near another, with few binary digits.
fn round_binary(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & !((1 << 42) - 1))
}

fn strictly_convex(study: &Study<'_>, lines: &mut [Line<'_>], above: Option<&Witness>) -> Fact {
    let property = Property::StrictlyConvex;
    if let Some(witness) = above {
        return Fact::no(property, witness.clone());
    }
    for line in &*lines {
        if let Some(xs) = straight(line) {
            let values = xs.map(|x| study.value(x, line.target));
            let mut witness = chord_witness(study, line, xs, values).or_equal();
            witness.text =
                format!("a straight line from {} to {}", study.place(line, xs[0]), short(xs[2]));
            return Fact::no(property, witness);
        }
    }
    let mut reach = Reach::Whole;
    for line in lines {
        let at_seams = line.seams.iter().all(|seam| {
            seam.step(0) == Step::None && matches!(seam.step(1), Step::None | Step::Up)
        });
        // On either side of a seam the curve is analytic: where its second derivative is nowhere
        // negative and somewhere positive, it is 0 at isolated points at most.
        line.pieces.refine(EFFORT, |piece| {
            let second = piece.bounds.orders[2];
            second.low() < 0.0 && second.high() >= 0.0
        });
        let runs = line.pieces.runs();
        let is_bent = runs.iter().all(|run| {
            line.pieces.all[run.clone()].iter().any(|piece| piece.bounds.orders[2].low() > 0.0)
        });
        let here =
            if at_seams && is_bent { line.reach(is_convex_piece, true) } else { Reach::Nowhere };
        reach = reach.both(here);
    }
    Fact::yes(property, how(study, reach))
}

fn strongly_convex(study: &Study<'_>, lines: &mut [Line<'_>], above: Option<&Witness>) -> Fact {
    let property = Property::StronglyConvex;
    if let Some(witness) = above {
        return Fact::no(property, witness.clone());
    }
    // How it usually bends, and where it hardly does.
    let bends = lines.iter().flat_map(|line| {
        let inside = |sample: &&Sample| (sample.x - line.center()).abs() <= 8.0;
        line.samples.iter().filter(inside).map(|sample| sample.second)
    });
    let mut bends: Vec<f64> = bends.filter(|second| second.is_finite()).collect();
    bends.sort_by(f64::total_cmp);
    let Some(&usual) = bends.get(bends.len() / 2) else { return Fact::unknown(property) };
    let limit = 1e-5 * if usual > 0.0 { usual.min(1.0) } else { 1.0 };
    let mut second = f64::INFINITY;
    let mut soft: Vec<(f64, f64, f64)> = Vec::new();
    for line in &*lines {
        for sample in &line.samples {
            if sample.second.is_finite() && sample.value.is_finite() {
                if sample.x.abs() <= 2e8 {
                    second = second.min(sample.second);
                }
                if sample.second < 0.1 * limit {
                    soft.push((sample.x, line.target, sample.second));
                }
            }
        }
    }
    let d = study.loss.description();
    if study.shape == Variable::General && d.target != Domain::Unit {
        for target in [1e8, -1e8, 1e-8, -1e-8] {
            for factor in [0.5, 2.0] {
                let x = factor * target;
                let domain = ends(d.prediction);
                let bend = study.kernels.reference(x, target).curvature();
                let is_inside = d.target.contains(target) && x >= domain.0 && x <= domain.1;
                if is_inside && bend < 0.1 * limit {
                    soft.push((x, target, bend));
                }
            }
        }
    }
    soft.sort_by(|a, b| oddness(a.0).total_cmp(&oddness(b.0)));
    for (x, target, bend) in soft {
        // The longest step over which it hardly bends.
        for step in [1.0, x.abs() / 8.0, 0.125, 1.0 / 1024.0] {
            let xs = [x - step, x, x + step];
            if step == 0.0 || !lines[0].is_inside(xs[0]) || !lines[0].is_inside(xs[2]) {
                continue;
            }
            let (a, b) = (xs[1] - xs[0], xs[2] - xs[1]);
            let share = b / (a + b);
            let allowed = limit * a * b * 0.5;
            let terms = vec![
                Term::at(1.0, xs[1], target),
                Term::at(-share, xs[0], target),
                Term::at(-(1.0 - share), xs[2], target),
            ];
            let mut place = format!("{} {}", study.variable(), short(x));
            if study.shape == Variable::General {
                place = format!("{place} with target {}", short(target));
            }
            let text = if bend == 0.0 {
                format!("the second derivative is 0 at {place}")
            } else {
                format!("the second derivative falls to {} at {place}", short(bend))
            };
            let witness = Witness::new(terms, allowed, text);
            let size = witness
                .terms
                .iter()
                .map(|term| (term.factor * study.value(term.prediction[0], target)).abs());
            // It must not be rounding that makes the difference.
            let noise = 1e-15 * size.sum::<f64>();
            let sum = witness.sum(|p, y| study.value(p[0], y[0]));
            if sum > 0.5 * allowed && noise < 0.1 * allowed {
                return Fact::no(property, witness);
            }
        }
    }
    if !second.is_finite() || second < 0.1 * limit {
        return Fact::unknown(property);
    }
    let mut modulus = f64::INFINITY;
    let mut is_proved = true;
    for line in &mut *lines {
        let goal = second * (1.0 - 1e-4);
        line.pieces.refine(EFFORT, |piece| piece.bounds.orders[2].low() < goal);
        let at_seams = line.seams.iter().all(|seam| {
            seam.step(0) == Step::None && matches!(seam.step(1), Step::None | Step::Up)
        });
        let low = line.bounds(2).low();
        is_proved &= at_seams && low > 0.0;
        modulus = modulus.min(low);
    }
    if is_proved {
        // Between the proved modulus and the sampled one there is nothing but effort.
        let is_sharp = modulus >= second * (1.0 - 1e-4);
        let number = if is_sharp { round_to(second, 6) } else { modulus * (1.0 - 1e-3) };
        let number = if is_sharp { number } else { round_to(number, 3) };
        return Fact::yes(property, how(study, Reach::Whole)).number(number);
    }
    Fact::yes(property, how(study, Reach::Nowhere)).number(round_to(second, 6))
}

/// What shows that steepness (order 1) or bend (order 2) grows beyond bounds along a way.
fn growth(study: &Study<'_>, line: &Line<'_>, order: usize) -> Option<Witness> {
    line.ways_out().iter().find_map(|way| growth_along(study, line, order, way))
}

fn growth_along(study: &Study<'_>, line: &Line<'_>, order: usize, way: &Way) -> Option<Witness> {
    // The quotient of differences over a step that is short beside the distance to the end.
    let quotient = |at: usize| {
        let x = way.points[at];
        let step = if way.to.is_finite() { (way.to - x).abs() / 4.0 } else { x.abs() / 32.0 };
        let (a, b) = (x - step, x + step);
        if !line.is_inside(a) || !line.is_inside(b) || a == x || b == x {
            return None;
        }
        let terms = if order == 1 {
            let scale = 1.0 / (b - a);
            vec![Term::at(scale, b, line.target), Term::at(-scale, a, line.target)]
        } else {
            let (left, right) = (x - a, b - x);
            let scale = 2.0 / (left * right * (left + right));
            vec![
                Term::at(scale * left, b, line.target),
                Term::at(-scale * (left + right), x, line.target),
                Term::at(scale * right, a, line.target),
            ]
        };
        let values: Vec<f64> =
            terms.iter().map(|term| study.value(term.prediction[0], line.target)).collect();
        if values.iter().any(|value| !value.is_finite()) || !scale_is_fine(&terms) {
            return None;
        }
        let sum: f64 = terms.iter().zip(&values).map(|(term, value)| term.factor * value).sum();
        let noise: f64 =
            terms.iter().zip(&values).map(|(term, value)| (term.factor * value).abs()).sum();
        (sum.abs() > 1e-6 * noise).then_some((x, sum, terms))
    };
    let known: Vec<(f64, f64, Vec<Term>)> = (0..way.points.len()).filter_map(quotient).collect();
    // It must grow to the end, and by much.
    let grows = known.len() >= 4
        && known[known.len() - 4..]
            .windows(2)
            .all(|pair| pair[1].1.abs() > 1.2 * pair[0].1.abs() && pair[1].1 * pair[0].1 > 0.0);
    if !grows {
        return None;
    }
    // Few digits of growth are enough to show, and easier to check than astronomic ones.
    let last = known.len() - 1;
    let from = (last - 3).min(known.iter().position(|k| k.1 * known[last].1 > 0.0)?);
    let to = (from + 1..=last).find(|&to| known[to].1.abs() > 8.0 * known[from].1.abs());
    let (near, far) = (&known[from], &known[to.unwrap_or(last)]);
    let sign = far.1.signum();
    let mut terms = far.2.clone();
    for term in &mut terms {
        term.factor *= sign;
    }
    terms.extend(
        near.2.iter().map(|term| Term { factor: -1.1 * sign * term.factor, ..term.clone() }),
    );
    let what = if order == 1 { "slope" } else { "second derivative" };
    let text = format!(
        "the {what} is {} at {} and {} at {}, and grows on",
        short(near.1),
        study.place(line, near.0),
        short(far.1),
        short(far.0)
    );
    Some(Witness::new(terms, 0.0, text))
}

fn scale_is_fine(terms: &[Term]) -> bool {
    terms.iter().all(|term| term.factor.is_finite() && term.factor != 0.0)
}

/// What shows that the loss (order 0), its slope (1) or second derivative (2) jumps at a seam.
fn jump(study: &Study<'_>, line: &Line<'_>, seam: &Seam, order: usize) -> Option<Witness> {
    let k = seam.at;
    let side = |interval: Interval| between(interval.low(), interval.high());
    let (left, right) = (side(seam.left[order]), side(seam.right[order]));
    let what = ["loss", "slope", "second derivative"][order];
    let place = study.place(line, k);
    let text = format!("the {what} jumps from {} to {} at {place}", short(left), short(right));
    let up = (right - left).signum();
    // Quotients of differences on both sides; what is left of the jump must be half of it at least.
    for exponent in [10, 16, 7, 22, 28, 34] {
        let h = 0.5f64.powi(exponent) * k.abs().max(0.5f64.powi(exponent));
        let h = if k == 0.0 { 0.5f64.powi(exponent) } else { h };
        let (a2, a1, b1, b2) = (k - 2.0 * h, k - h, k + h, k + 2.0 * h);
        if !line.is_inside(a2) || !line.is_inside(b2) || a1 == k {
            continue;
        }
        let at = |factor: f64, x: f64| Term::at(up * factor, x, line.target);
        // Steps as they are after rounding.
        let (h1, h2, g1, g2) = (k - a1, a1 - a2, b1 - k, b2 - b1);
        let terms = match order {
            0 => vec![at(1.0, b1), at(-1.0, a1)],
            1 => vec![at(1.0 / g2, b2), at(-1.0 / g2, b1), at(-1.0 / h2, a1), at(1.0 / h2, a2)],
            _ => vec![
                at(1.0 / (g2 * g1), b2),
                at(-1.0 / (g2 * g1) - 1.0 / (g1 * g1), b1),
                at(1.0 / (g1 * g1) - 1.0 / (h1 * h1), k),
                at(1.0 / (h1 * h1) + 1.0 / (h2 * h1), a1),
                at(-1.0 / (h2 * h1), a2),
            ],
        };
        let witness = Witness::new(terms, -0.5 * (right - left).abs(), text.clone());
        if witness.sum(|p, y| study.value(p[0], y[0])) > 0.0 {
            return Some(witness);
        }
    }
    None
}

fn jump_in(study: &Study<'_>, lines: &[Line<'_>], order: usize) -> Option<Witness> {
    lines.iter().find_map(|line| {
        let seam = line.has_step(order, &[Step::Up, Step::Down])?;
        jump(study, line, seam, order)
    })
}

/// What shows that the quotient of differences over a seam grows as they get smaller.
fn steepening(
    study: &Study<'_>,
    line: &Line<'_>,
    seam: &Seam,
    jump: usize,
    order: usize,
) -> Option<Witness> {
    let k = seam.at;
    let quotient = |exponent: i32| {
        let h = 0.5f64.powi(exponent) * k.abs().max(1e-3);
        let (a, b) = (k - h, k + h);
        if !line.is_inside(a) || !line.is_inside(b) {
            return None;
        }
        let (left, right) = (k - a, b - k);
        let terms = if order == 1 {
            vec![
                Term::at(1.0 / (left + right), b, line.target),
                Term::at(-1.0 / (left + right), a, line.target),
            ]
        } else {
            let scale = 2.0 / (left * right * (left + right));
            vec![
                Term::at(scale * left, b, line.target),
                Term::at(-scale * (left + right), k, line.target),
                Term::at(scale * right, a, line.target),
            ]
        };
        let witness = Witness::new(terms, 0.0, String::new());
        let sum = witness.sum(|p, y| study.value(p[0], y[0]));
        Some((sum, witness))
    };
    let (wide, narrow) = (quotient(8)?, quotient(16)?);
    let sign = narrow.0.signum();
    let mut terms = narrow.1.terms;
    terms.extend(wide.1.terms.into_iter().map(|term| Term { factor: -16.0 * term.factor, ..term }));
    for term in &mut terms {
        term.factor *= sign;
    }
    let side = |interval: Interval| short(between(interval.low(), interval.high()));
    let what = ["loss", "slope"][jump];
    let text = format!(
        "the {what} jumps from {} to {} at {}",
        side(seam.left[jump]),
        side(seam.right[jump]),
        study.place(line, k)
    );
    let witness = Witness::new(terms, 0.0, text);
    (witness.sum(|p, y| study.value(p[0], y[0])) > 0.0).then_some(witness)
}

/// The largest magnitude of a derivative, or the range of the loss itself: as sampled, as proved, and
/// for which predictions it is proved.
struct Largest {
    sampled: f64,
    proved: f64,
    reach: Reach,
}

/// The least magnitude in an interval.
fn least(interval: Interval) -> f64 {
    interval.low().max(-interval.high()).max(0.0)
}

fn largest(lines: &mut [Line<'_>], order: usize) -> Largest {
    let mut sampled: f64 = 0.0;
    for line in &*lines {
        for sample in &line.samples {
            let derivative = [sample.value, sample.first, sample.second][order].abs();
            if derivative.is_finite() && sample.value.is_finite() {
                sampled = sampled.max(derivative);
            }
        }
        // At seams the reference picks one side.
        for seam in &line.seams {
            sampled = sampled.max(least(seam.left[order])).max(least(seam.right[order]));
        }
    }
    let goal = sampled * (1.0 + 1e-5);
    for line in &mut *lines {
        line.pieces.refine(EFFORT, |piece| piece.bounds.orders[order].magnitude() > goal);
        // The samples miss the top by a little; look where it may be.
        for piece in line.pieces.all.iter().filter(|piece| !piece.is_kink) {
            let middle = between(piece.low, piece.high);
            if piece.bounds.orders[order].magnitude() > sampled && middle.is_finite() {
                let at = line.pieces.curve.see(Interval::constant(middle), None);
                if at.undecided.is_none() {
                    sampled = sampled.max(least(at.bounds.orders[order]));
                }
            }
        }
    }
    let proved = lines.iter().map(|line| line.bounds(order).magnitude()).fold(0.0, f64::max);
    if proved <= sampled * 1.1 {
        return Largest { sampled, proved, reach: Reach::Whole };
    }
    let limit = sampled * (1.0 + 1e-4);
    let mut reach = Reach::Whole;
    for line in lines {
        let holds = |piece: &Piece| piece.bounds.orders[order].magnitude() <= limit;
        reach = reach.both(line.reach(holds, true));
    }
    if reach == Reach::Nowhere && proved.is_finite() {
        return Largest { sampled, proved, reach: Reach::Whole };
    }
    Largest { sampled, proved: limit, reach }
}

/// An upper bound as it is shown: the sampled largest if that is as good as proved.
fn constant(fact: Fact, Largest { sampled, proved, .. }: &Largest) -> Fact {
    if *proved <= sampled * (1.0 + 2e-4) {
        fact.number(round_to(*sampled, 6))
    } else {
        let number = round_to(proved * (1.0 + 1e-3), 3);
        fact.number(number).detail(format!("at most; at least {}", short(*sampled)))
    }
}

fn lipschitz(study: &Study<'_>, lines: &mut [Line<'_>]) -> Fact {
    let property = Property::Lipschitz;
    for line in &*lines {
        let jump = line.has_step(0, &[Step::Up, Step::Down]);
        if let Some(witness) = jump.and_then(|seam| steepening(study, line, seam, 0, 1)) {
            return Fact::no(property, witness);
        }
    }
    if let Some(witness) = lines.iter().find_map(|line| growth(study, line, 1)) {
        return Fact::no(property, witness);
    }
    let jumps = lines.iter().any(|line| {
        line.has_step(0, &[Step::Up, Step::Down, Step::Unknown]).is_some()
            || line.pieces.is_unclear()
    });
    if let Some(witness) = over_targets(study, 1) {
        return Fact::no(property, witness);
    }
    let largest = largest(lines, 1);
    let reach = if jumps { Reach::Nowhere } else { largest.reach };
    constant(Fact::yes(property, how(study, reach)), &largest)
}

fn smooth(study: &Study<'_>, lines: &mut [Line<'_>]) -> Fact {
    let property = Property::Smooth;
    for line in &*lines {
        for order in [0, 1] {
            let jump = line.has_step(order, &[Step::Up, Step::Down]);
            if let Some(witness) = jump.and_then(|seam| steepening(study, line, seam, order, 2)) {
                return Fact::no(property, witness);
            }
        }
    }
    if let Some(witness) = lines.iter().find_map(|line| growth(study, line, 2)) {
        return Fact::no(property, witness);
    }
    let jumps = lines.iter().any(|line| {
        let unclear = [Step::Up, Step::Down, Step::Unknown];
        line.has_step(0, &unclear).is_some()
            || line.has_step(1, &unclear).is_some()
            || line.pieces.is_unclear()
    });
    if jumps {
        return Fact::unknown(property);
    }
    if let Some(witness) = over_targets(study, 2) {
        return Fact::no(property, witness);
    }
    let largest = largest(lines, 2);
    constant(Fact::yes(property, how(study, largest.reach)), &largest)
}

/// The seams at which something jumps, in words.
fn kinks(study: &Study<'_>, lines: &[Line<'_>], orders: &[usize]) -> String {
    let mut places: Vec<String> = Vec::new();
    for line in lines {
        for seam in &line.seams {
            if orders.iter().any(|&order| matches!(seam.step(order), Step::Up | Step::Down)) {
                let mut place = short(seam.at);
                for (name, value) in study.loss.named_parameters() {
                    if value != 0.0 && seam.at.abs() == value {
                        let sign = if seam.at < 0.0 { "-" } else { "" };
                        place = format!("{place} ({sign}{name})");
                    }
                }
                if study.shape == Variable::General {
                    place = format!("{place} with target {}", short(line.target));
                }
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    match places.len() {
        0 => String::new(),
        1 => format!("kink at {} {}", study.variable(), places[0]),
        _ => format!("kinks at {} {}", study.variable(), places.join(", ")),
    }
}

/// Whether a derivative has bounds on every piece that does not reach an end of the domain.
fn has_derivative(line: &Line<'_>, order: usize) -> bool {
    !line.pieces.is_unclear()
        && line.pieces.all.iter().filter(|piece| !piece.is_kink).all(|piece| {
            let at_end = piece.low == line.domain.0 || piece.high == line.domain.1;
            at_end
                || piece.bounds.orders[order].magnitude().is_finite()
                || piece.low.abs().max(piece.high.abs()) > 1e100
        })
}

fn differentiable(study: &Study<'_>, lines: &[Line<'_>]) -> Fact {
    let property = Property::Differentiable;
    for order in [0, 1] {
        if let Some(witness) = jump_in(study, lines, order) {
            let listed = kinks(study, lines, &[0, 1]);
            let fact = Fact::no(property, witness);
            let detail = format!("{listed}; {}", fact.detail);
            return fact.detail(detail);
        }
    }
    for line in lines {
        // A slope beyond all bounds at a seam.
        for way in line.ways_out().iter().skip(2) {
            if let Some(witness) = growth_along(study, line, 1, way) {
                return Fact::no(property, witness);
            }
        }
    }
    let clear = lines.iter().all(|line| {
        line.seams.iter().all(|seam| seam.step(0) == Step::None && seam.step(1) == Step::None)
    });
    if !clear {
        return Fact::unknown(property);
    }
    let proved = lines.iter().all(|line| has_derivative(line, 1));
    Fact::yes(property, how(study, if proved { Reach::Whole } else { Reach::Nowhere }))
}

fn twice_differentiable(study: &Study<'_>, lines: &[Line<'_>]) -> Fact {
    let property = Property::TwiceDifferentiable;
    for order in 0..3 {
        if let Some(witness) = jump_in(study, lines, order) {
            let listed = kinks(study, lines, &[0, 1, 2]);
            let fact = Fact::no(property, witness);
            let detail = format!("{listed}; {}", fact.detail);
            return fact.detail(detail);
        }
    }
    for line in lines {
        // A second derivative beyond all bounds at a seam.
        let ways = line.ways_out();
        for way in ways.iter().skip(2) {
            if let Some(witness) = growth_along(study, line, 2, way) {
                return Fact::no(property, witness);
            }
        }
    }
    let clear = lines.iter().all(|line| {
        line.seams.iter().all(|seam| (0..3).all(|order| seam.step(order) == Step::None))
    });
    if !clear {
        return Fact::unknown(property);
    }
    let proved = lines.iter().all(|line| has_derivative(line, 2));
    Fact::yes(property, how(study, if proved { Reach::Whole } else { Reach::Nowhere }))
}

fn bounded(study: &Study<'_>, lines: &mut [Line<'_>]) -> Fact {
    let property = Property::Bounded;
    for line in &*lines {
        for way in line.ways_out().iter().take(2) {
            let values = way.points.iter().map(|&x| (x, study.value(x, line.target)));
            let known: Vec<(f64, f64)> =
                values.take_while(|(_, value)| value.is_finite()).collect();
            let last = known.len().saturating_sub(8);
            let grows = known.len() >= 4
                && known[last..].windows(2).all(|pair| {
                    pair[1].1.abs() > pair[0].1.abs() && (pair[1].1 - pair[0].1).abs() > 0.05
                });
            if grows {
                let sign = known[last].1.signum();
                // The first points that show it.
                let rises = |from: usize| {
                    known[from..].windows(2).all(|pair| sign * pair[1].1 > sign * pair[0].1)
                };
                let from = (0..=last).find(|&from| rises(from)).unwrap_or(last);
                let near = known[from];
                let doubled = |known: &&(f64, f64)| sign * known.1 > 2.0 * (sign * near.1).max(0.5);
                let far = *known[from..].iter().find(doubled).unwrap_or(&known[known.len() - 1]);
                let terms =
                    vec![Term::at(sign, far.0, line.target), Term::at(-sign, near.0, line.target)];
                let text = format!(
                    "it is {} at {} and {} at {}, and goes on",
                    short(near.1),
                    study.place(line, near.0),
                    short(far.1),
                    short(far.0)
                );
                return Fact::no(property, Witness::new(terms, 0.0, text));
            }
        }
    }
    if let Some(witness) = over_targets(study, 0) {
        return Fact::no(property, witness);
    }
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for line in &*lines {
        for sample in line.samples.iter().filter(|sample| sample.value.is_finite()) {
            low = low.min(sample.value);
            high = high.max(sample.value);
        }
    }
    let slack = 1e-6 * (high - low);
    let mut reach = Reach::Whole;
    for line in &mut *lines {
        let is_wide = |piece: &Piece| {
            let value = piece.bounds.orders[0];
            value.high() > high + slack || value.low() < low - slack
        };
        line.pieces.refine(EFFORT / 2, is_wide);
        let slack = 100.0 * slack;
        let within = |value: Interval| value.high() <= high + slack && value.low() >= low - slack;
        reach = reach.both(line.reach(|piece| within(piece.bounds.orders[0]), true));
    }
    Fact::yes(property, how(study, reach)).number(round_to(high - low, 6))
}

/// What shows that a target can be chosen for which value (order 0), slope (1) or second derivative (2)
/// is as large as one likes.
fn over_targets(study: &Study<'_>, order: usize) -> Option<Witness> {
    let d = study.loss.description();
    if study.shape != Variable::General || matches!(d.target, Domain::Unit | Domain::Sign) {
        return None;
    }
    let (low, high) = ends(d.prediction);
    let large = [10.0, 1e2, 1e4, 1e8];
    let small = [0.1, 1e-2, 1e-4, 1e-8];
    let mut ways = vec![large.to_vec(), small.to_vec()];
    if d.target == Domain::Real {
        ways.extend([large.map(|y| -y).to_vec(), small.map(|y| -y).to_vec()]);
    }
    let terms = |x: f64, y: f64| {
        let h = x.abs().max(1e-12) / 64.0;
        if x - h < low || x + h > high {
            return None;
        }
        Some(match order {
            0 => vec![Term::at(1.0, x, y)],
            1 => vec![Term::at(0.5 / h, x + h, y), Term::at(-0.5 / h, x - h, y)],
            _ => {
                let scale = 1.0 / (h * h);
                let (a, b) = (Term::at(scale, x + h, y), Term::at(scale, x - h, y));
                vec![a, Term::at(-2.0 * scale, x, y), b]
            }
        })
    };
    ways.into_iter().find_map(|way| {
        let most = way.iter().filter_map(|&y| {
            let xs = [0.25, 0.5, 1.5, 2.0, 4.0].into_iter().flat_map(|k| [k * y, k / y, k]);
            let all = xs.filter_map(|x| {
                let terms = terms(x, y)?;
                let values = terms.iter().map(|t| t.factor * study.value(t.prediction[0], y));
                let values: Vec<f64> = values.collect();
                let sum = values.iter().sum::<f64>().abs();
                let noise = values.iter().map(|value| value.abs()).sum::<f64>();
                (sum > 1e-6 * noise && sum.is_finite()).then_some((sum, x, y, terms))
            });
            all.max_by(|a, b| a.0.total_cmp(&b.0))
        });
        let most: Vec<_> = most.collect();
        let grows = most.len() == way.len()
            && most.windows(2).all(|pair| pair[1].0 > 1.2 * pair[0].0)
            && most[3].0 > 4.0 * most[0].0;
        if !grows {
            return None;
        }
        let signed = |(_, _, _, terms): &(f64, f64, f64, Vec<Term>), factor: f64| {
            let sum = terms.iter().map(|t| t.factor * study.value(t.prediction[0], t.target[0]));
            let factor = factor * sum.sum::<f64>().signum();
            let scaled = terms.iter().map(move |t| Term { factor: factor * t.factor, ..t.clone() });
            scaled.collect::<Vec<_>>()
        };
        let mut terms = signed(&most[3], 1.0);
        terms.extend(signed(&most[0], -2.0));
        let what = ["loss", "slope", "second derivative"][order];
        let [near, far] = [&most[0], &most[3]].map(|(sum, x, y, _)| {
            format!("{} at prediction {} with target {}", short(*sum), short(*x), short(*y))
        });
        let text = format!("the {what} is {near} in magnitude, {far}, and grows on");
        Some(Witness::new(terms, 0.0, text))
    })
}

fn symmetric(study: &Study<'_>, formula: &Formula) -> Option<Fact> {
    let property = Property::Symmetric;
    let d = study.loss.description();
    let two_classes = d.task == Task::Binary;
    if !two_classes && d.prediction != d.target {
        return None;
    }
    if study.shape == Variable::Residual && rules::is_even(formula) {
        return Some(Fact::rule(property, "the residual enters by its magnitude alone"));
    }
    let (low, high) = ends(d.prediction);
    let grid =
        [-9.0, -3.0, -1.25, -0.5, -0.1, 0.0, 0.15, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 7.0, 40.0];
    let inside =
        |x: &&f64| **x >= low && **x <= high && (d.prediction != Domain::Positive || **x > 0.0);
    // At 0 itself a classifier decides nothing.
    let grid: Vec<f64> =
        grid.iter().filter(inside).copied().filter(|x| !two_classes || *x != 0.0).collect();
    let mut points = 0;
    let mut worst: Option<(f64, Witness)> = None;
    for (at, &a) in grid.iter().enumerate() {
        for &b in &grid[..at] {
            let (terms, text): (Vec<Term>, _) = if two_classes {
                let other = if d.target == Domain::Sign { -1.0 } else { 0.0 };
                let both = |factor, p| [Term::at(factor, p, 1.0), Term::at(factor, p, other)];
                let terms = both(1.0, a).into_iter().chain(both(-1.0, b)).collect();
                let sum = |p: f64| short(study.value(p, 1.0) + study.value(p, other));
                let text = format!(
                    "under both classes together prediction {} costs {}, but {} costs {}",
                    short(a),
                    sum(a),
                    short(b),
                    sum(b)
                );

                (terms, text)
            } else {
                let text = format!(
                    "prediction {} with target {} costs {}, the reverse {}",
                    short(a),
                    short(b),
                    short(study.value(a, b)),
                    short(study.value(b, a))
                );
                (vec![Term::at(1.0, a, b), Term::at(-1.0, b, a)], text)
            };
            points += 1;
            let mut witness = Witness::new(terms, 0.0, text);
            let values = witness.terms.iter().map(|t| study.value(t.prediction[0], t.target[0]));
            let values: Vec<f64> = values.collect();
            let scale = values.iter().map(|value| value.abs()).sum::<f64>();
            let sum = witness.sum(|p, y| study.value(p[0], y[0]));
            if !scale.is_finite() || sum.abs() <= SLACK * scale {
                continue;
            }
            if sum < 0.0 {
                for term in &mut witness.terms {
                    term.factor = -term.factor;
                }
            }
            if worst.as_ref().is_none_or(|worst| sum.abs() / scale > 1.5 * worst.0) {
                worst = Some((sum.abs() / scale, witness));
            }
        }
    }
    Some(match worst {
        Some((_, witness)) => Fact::no(property, witness),
        None => Fact::yes(property, How::Sampled { points }),
    })
}

/// Which way the loss goes towards an infinite end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// It rises or stays, outwards.
    Holds,
    Falls,
    /// It falls beyond where it is least, and rises again.
    Dips,
    Unknown,
}

fn tail(study: &Study<'_>, line: &Line<'_>, upper: bool) -> (Tail, Option<Witness>) {
    let pieces = &line.pieces.all;
    let Some(piece) = (if upper { pieces.last() } else { pieces.first() }) else {
        return (Tail::Unknown, None);
    };
    let slope = if upper { piece.bounds.orders[1] } else { -piece.bounds.orders[1] };
    if slope.low() >= 0.0 {
        return (Tail::Holds, None);
    }
    // Two points far out, the outer of which costs less.
    let far: Vec<f64> = [8.0, 16.0, 32.0, 64.0, 1e3, 1e5, 1e7]
        .into_iter()
        .map(|x| if upper { x } else { -x })
        .filter(|x| line.is_inside(*x))
        .collect();
    let values: Vec<f64> = far.iter().map(|&x| study.value(x, line.target)).collect();
    let falls = |pair: &usize| values[*pair] > values[pair + 1];
    let count = far.len().saturating_sub(1);
    // It falls for good only if it does not rise again.
    let goes_on = (0..count).rev().take_while(|&pair| values[pair] >= values[pair + 1]);
    let for_good = goes_on.filter(falls).last();
    let least = line.samples.iter().filter(|sample| sample.value.is_finite());
    let least = least.reduce(|a, b| if b.value < a.value { b } else { a }).map_or(0.0, |s| s.x);
    let is_beyond = |pair: &usize| if upper { far[*pair] > least } else { far[*pair] < least };
    let Some(pair) = for_good.or_else(|| (0..count).filter(falls).find(is_beyond)) else {
        return (Tail::Unknown, None);
    };
    let terms =
        vec![Term::at(1.0, far[pair], line.target), Term::at(-1.0, far[pair + 1], line.target)];
    let text = format!(
        "it falls on from {} at {} to {} at {}",
        short(values[pair]),
        study.place(line, far[pair]),
        short(values[pair + 1]),
        short(far[pair + 1])
    );
    let tail = if for_good.is_some() { Tail::Falls } else { Tail::Dips };
    (tail, Some(Witness::new(terms, 0.0, text)))
}

fn clippable(study: &Study<'_>, lines: &[Line<'_>]) -> Fact {
    let property = Property::Clippable;
    let (low, high) = ends(study.loss.description().prediction);
    if low.is_finite() && high.is_finite() {
        return Fact::rule(property, "predictions have a range already");
    }
    let mut is_proved = true;
    for line in lines {
        for upper in [false, true] {
            if (if upper { high } else { low }).is_finite() {
                continue;
            }
            match tail(study, line, upper) {
                (Tail::Falls | Tail::Dips, Some(witness)) => return Fact::no(property, witness),
                (Tail::Holds, _) => {}
                _ => is_proved = false,
            }
        }
    }
    Fact::yes(property, how(study, if is_proved { Reach::Whole } else { Reach::Nowhere }))
}

fn redescending(study: &Study<'_>, lines: &[Line<'_>]) -> Option<Fact> {
    let property = Property::Redescending;
    let (low, high) = ends(study.loss.description().prediction);
    if low.is_finite() && high.is_finite() {
        return None;
    }
    let mut is_sampled = false;
    for line in lines {
        let most = line.samples.iter().map(|sample| sample.first.abs()).filter(|x| x.is_finite());
        let most = most.fold(0.0, f64::max);
        for upper in [false, true] {
            if (if upper { high } else { low }).is_finite() {
                continue;
            }
            let pieces = &line.pieces.all;
            let piece = if upper { pieces.last() } else { pieces.first() };
            if piece.is_some_and(|piece| piece.bounds.orders[1].point() == Some(0.0)) {
                continue;
            }
            let side = if upper { 1.0 } else { -1.0 };
            let steep = |x: f64| {
                let (a, b) = (side * x, side * x * 1.25);
                let terms = vec![
                    Term::at(1.0 / (b - a), b, line.target),
                    Term::at(-1.0 / (b - a), a, line.target),
                ];
                let witness = Witness::new(terms, 0.0, String::new());
                (witness.sum(|p, y| study.value(p[0], y[0])), witness)
            };
            for (x, outer) in [(1e6, 1e8), (1e4, 1e6), (64.0, 256.0), (16.0, 64.0)] {
                let (near, far) = (steep(x), steep(outer));
                if !near.0.is_finite() || !far.0.is_finite() {
                    continue;
                }
                if near.0 == 0.0 || far.0.abs() <= 0.5 * near.0.abs() {
                    // Far out it fades, but only the largest distances show to what.
                    is_sampled |= far.0.abs() <= 1e-3 * most;
                    break;
                }
                let sign = far.0.signum();
                let mut terms = far.1.terms;
                let near_terms = near.1.terms.into_iter();
                terms.extend(near_terms.map(|term| Term { factor: -0.5 * term.factor, ..term }));
                for term in &mut terms {
                    term.factor *= sign;
                }
                let text = format!(
                    "the slope is {} at {} and still {} at {}",
                    short(near.0),
                    study.place(line, side * 1.125 * x),
                    short(far.0),
                    short(side * 1.125 * outer)
                );
                return Some(Fact::no(property, Witness::new(terms, 0.0, text)));
            }
        }
    }
    let how = if is_sampled {
        How::Sampled { points: study.points }
    } else {
        self::how(study, Reach::Whole)
    };
    Some(Fact::yes(property, how))
}

/// Whether the loss is lower by something to speak of at the second place.
fn sinks(study: &Study<'_>, line: &Line<'_>, near: f64, far: f64) -> bool {
    let (near, far) = (study.value(near, line.target), study.value(far, line.target));
    far < near - 1e-9 * near.abs().max(1.0)
}

fn minimiser(study: &Study<'_>, lines: &[Line<'_>]) -> Fact {
    let property = Property::Minimiser;
    let (mut texts, mut numbers) = (Vec::<String>::new(), Vec::<f64>::new());
    let mut is_proved = true;
    for line in lines {
        let finite = || line.samples.iter().filter(|sample| sample.value.is_finite());
        let Some(best) = finite().map(|sample| sample.value).reduce(f64::min) else {
            return Fact::unknown(property);
        };
        let pieces = line.pieces.all.iter().map(|piece| piece.bounds.orders[0].low());
        let bound = pieces.reduce(f64::min).unwrap_or(f64::NEG_INFINITY);
        let slack = 1e-12 * best.abs().max(1e-12);
        let is_best = |sample: &&Sample| sample.value <= best + slack;
        let places: Vec<f64> = finite().filter(is_best).map(|sample| sample.x).collect();
        let (first, last) = (places[0], places[places.len() - 1]);
        let variable = study.variable();
        let (low, high) = line.domain;
        let falls = |upper| {
            (if upper { high } else { low }).is_infinite()
                && tail(study, line, upper).0 == Tail::Falls
        };
        let within = finite().filter(|sample| sample.x >= first && sample.x <= last).count();
        let is_run = places.len() > 2 && within == places.len() && last - first > 1e-3;
        // A single place between samples is somewhere near the best of them.
        let (mut best, mut place, mut is_between) = (best, first, false);
        if !is_run && places.len() == 1 {
            let at = line.samples.iter().position(|sample| sample.x == first).unwrap_or(0);
            let (a, b) = (at.saturating_sub(1), (at + 1).min(line.samples.len() - 1));
            let ends = (line.samples[a].x, line.samples[b].x);
            let found = risk::golden(ends.0, ends.1, |x| study.value(x, line.target));
            is_between = study.value(found, line.target) < best - slack;
            if is_between {
                (place, best) = (found, study.value(found, line.target));
            }
        }
        let value = if best - bound <= 1e-9 * best.abs().max(1.0) { bound } else { best };
        let is_open = study.loss.description().prediction == Domain::Positive;
        // It may fall without bound towards an end that it does not reach, if slowly.
        let sinks_from = |near, far| sinks(study, line, near, far);
        let sinks = is_open && first < 1e-10 && sinks_from(1e-100, 1e-300)
            || high.is_infinite() && last > 7.0 && falls(true) && sinks_from(1e16, 1e18)
            || low.is_infinite() && first < -7.0 && falls(false) && sinks_from(-1e16, -1e18);
        let value = match value {
            _ if sinks => f64::NEG_INFINITY,
            x if x.abs() < 1e-9 => 0.0,
            x => x,
        };
        let text = if falls(true) && last > 7.0 {
            format!("as the {variable} tends to infinity")
        } else if falls(false) && first < -7.0 {
            format!("as the {variable} tends to -infinity")
        } else if is_open && first < 1e-10 {
            format!("as the {variable} tends to 0")
        } else if study.shape == Variable::General
            && !is_run
            && !is_between
            && places.contains(&line.target)
        {
            format!("{variable} = target")
        } else if !is_run && (places.len() == 1 || last - first <= 1e-4 * last.abs().max(1.0)) {
            let near = if first <= 0.0 && last >= 0.0 || place.abs() < 1e-9 { 0.0 } else { place };
            format!("{variable} {}", short(near))
        } else if last >= 1e8 && high.is_infinite() && first <= -1e8 && low.is_infinite() {
            format!("every {variable}")
        } else if last >= 1e8 && high.is_infinite() {
            let is_near_zero = first.abs() < 1e-90;
            if is_near_zero && study.value(0.0, line.target) > best + slack {
                format!("{variable}s above 0")
            } else {
                format!(
                    "{variable}s from {} on",
                    if is_near_zero { "0".into() } else { short(first) }
                )
            }
        } else if first <= -1e8 && low.is_infinite() {
            format!("{variable}s up to {}", short(last))
        } else if is_run {
            format!("{variable}s from {} to {}", short(first), short(last))
        } else {
            let all: Vec<String> = places.iter().take(4).map(|x| short(*x)).collect();
            format!("{variable}s {}", all.join(", "))
        };
        is_proved &= best - bound <= 1e-6 * best.abs().max(1.0)
            && line.is_only_place(first, last, best + slack);
        texts.push(text);
        numbers.push(value);
    }
    let targets = study.targets();
    let same_text = texts.iter().all(|text| *text == texts[0]);
    let same_number = numbers.iter().all(|x| (x - numbers[0]).abs() <= 1e-9);
    let text = if same_text && same_number {
        texts[0].clone()
    } else {
        let each = texts.iter().zip(&numbers).zip(&targets).map(|((text, number), target)| {
            let number = if same_number { String::new() } else { format!(" ({})", short(*number)) };
            format!("for target {}: {text}{number}", short(*target))
        });
        each.collect::<Vec<_>>().join("; ")
    };
    let fact =
        Fact::yes(property, how(study, if is_proved { Reach::Whole } else { Reach::Nowhere }));
    let fact = fact.detail(text);
    if same_number { fact.number(round_to(numbers[0], 9)) } else { fact }
}
