//! Whether a result of floating-point arithmetic is as good as it can be.

use crate::points::{Point, Precision};
use crate::precise::{Definition, Precise, Span, Truth};
use lossfn::{Domain, Form, InstructionSet, Loss, Outputs, Task};
use std::collections::HashMap;

/// What kernels may be off by, in units of the last place.
pub const CEILING: u64 = 4;

/// The same for second derivatives, in which more roundings meet.
pub const CEILING_OF_SECOND: u64 = 8;

/// The ceiling of a loss (order 0), gradient (1) or second derivative (2).
#[must_use]
pub fn ceiling(order: usize) -> u64 {
    if order < 2 { CEILING } else { CEILING_OF_SECOND }
}

/// How many representable numbers lie between two f64; NaN is at distance 0 from NaN alone.
#[must_use]
pub fn ulps_f64(a: f64, b: f64) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    let place = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
    };
    place(a).abs_diff(place(b))
}

/// How many representable numbers lie between two f32; NaN is at distance 0 from NaN alone.
#[must_use]
pub fn ulps_f32(a: f32, b: f32) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    let place = |x: f32| {
        let bits = x.to_bits() as i32;
        if bits < 0 { i32::MIN.wrapping_sub(bits) } else { bits }
    };
    u64::from(place(a).abs_diff(place(b)))
}

/// How far from the truth a result is, in units of the last place of its type; 0 for anything
/// between the ends of a kink. Where the truth is beyond all bounds and has no known slope, all
/// that is asked for is a number.
#[must_use]
pub fn distance(found: f64, truth: &Span, precision: Precision) -> u64 {
    let from = |end: &Precise| match precision {
        Precision::Single => ulps_f32(found as f32, end.to_f32()),
        Precision::Double => ulps_f64(found, end.to_f64()),
    };
    let within = truth.low.to_f64() <= found && found <= truth.high.to_f64();
    if within || truth.is_nan() && !found.is_nan() {
        return 0;
    }
    from(&truth.low).min(from(&truth.high))
}

/// What the rounding of a subnormal number may add as an absolute error: a parameter, or its square
/// where it is a scale, multiplies it along with the number.
#[must_use]
pub fn underflow(parameters: &[f64], precision: Precision) -> f64 {
    let factors = parameters.iter().copied().filter(|p| p.is_finite() && *p > 0.0);
    let largest = factors.map(|p| p.max(1.0 / p)).fold(1.0, f64::max);
    CEILING as f64 * precision.smallest() * largest.powi(2)
}

/// From so much below the largest number on, a residual may overflow when it is divided by a scale.
const OVERFLOWING: f64 = 1_048_576.0;

/// Whether a loss is a negative log-likelihood of a number: a sum of terms of both signs.
#[must_use]
pub fn is_sum(loss: &Loss) -> bool {
    matches!(loss.description().task, Task::Counts | Task::Distribution)
}

/// How a result came to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the truth, but for so many units of the last place.
    Exact(u64),
    /// It is the truth but for what subnormal numbers lose.
    Underflow,
    /// The residual is beyond the largest number, and the loss or its slope came out as infinite.
    Overflow,
    /// It is the truth but for what the terms lose that it is a sum of.
    Cancelled,
    /// It is the truth for inputs that differ in the last place.
    Nearby,
    /// The last place of the input decides about turns of an angle, so that any value may be right.
    Turned,
    /// It is none of these.
    Wrong(u64),
}

/// Judges losses and derivatives of one loss whose target is a number.
///
/// The loss and its derivatives must be right but for [`CEILING`], for inputs that are off by at most
/// one in the last place: where a gradient is a small difference of large numbers, or lies beside a
/// kink, or a loss grows fast, the rounding of the residual counts as much as that. A class is never
/// off.
///
/// Where a loss that is negative somewhere passes through 0, the terms of its formula count and not
/// their sum; and so they do for a second derivative beside its change of sign, and for derivatives by
/// one of several predicted numbers, which pass through 0 where no residual does.
#[derive(Debug)]
pub struct Judge<'a> {
    loss: &'a Loss,
    definition: Definition,
    precision: Precision,
    /// Whether the loss is known to be negative somewhere.
    is_signed: bool,
    nearby: HashMap<(Vec<u64>, usize), Truth>,
}

impl<'a> Judge<'a> {
    /// The judge of a loss.
    #[must_use]
    pub fn new(loss: &'a Loss, precision: Precision) -> Self {
        Self {
            loss,
            definition: Definition::new(loss, 1, precision),
            precision,
            is_signed: false,
            nearby: HashMap::new(),
        }
    }

    /// What the loss is at a point, with its derivatives by one of the predicted numbers.
    pub fn truth(&mut self, point: &Point, by: usize) -> Truth {
        let truth = self.definition.truth(&point.prediction, &[point.target], by);
        self.see(&truth);
        truth
    }

    /// Lets the judge know what the loss is somewhere.
    pub fn see(&mut self, truth: &Truth) {
        self.is_signed |= truth.value.low.to_f64() < 0.0;
    }

    /// Whether the loss is of an angle that moves by a radian between neighbouring residuals, so that it
    /// may be anything that it can be.
    fn is_turned(&self, found: f64, order: usize, residual: f64) -> bool {
        let [below, _, above] = self.precision.neighbours(residual);
        let frequency = self.loss.parameters().iter().product::<f64>();
        let largest = frequency.powi(order as i32) * if order == 0 { 2.0 } else { 1.0 };
        // Beyond the largest number nothing is near.
        let step = (above - below) * frequency;
        let is_near = step < 1.0;
        let least = if order == 0 { 0.0 } else { -largest * 1.001 };
        self.definition.is_of_angle() && !is_near && (least..=largest * 1.001).contains(&found)
    }

    /// Whether a derivative is infinite or 0 at a point or beside it, as no quotient shows.
    fn is_limit(
        &self,
        found: f64,
        order: usize,
        prediction: &[f64],
        target: f64,
        by: usize,
    ) -> bool {
        let domain = self.loss.description().prediction_domain(by);
        let [below, at, above] = self.precision.neighbours(prediction[by]);
        let places = if found.is_infinite() { vec![at, below, above] } else { vec![at] };
        places.into_iter().filter(|p| domain.contains(*p) && p.is_finite()).any(|p| {
            let mut row = prediction.to_vec();
            row[by] = p;
            self.definition.tends_to(found, order, &row, &[target], by)
        })
    }

    /// Whether a loss turns from convex to concave beside a point, within a 16th of its distance from 0.
    fn turns_concave_beside(&self, prediction: f64, target: f64) -> bool {
        let domain = self.loss.description().prediction;
        let bend = |p: f64| {
            domain.contains(p).then(|| self.definition.result(2, &[p], &[target], 0).to_f64())
        };
        let sides = [0.9375, 1.0625].map(|share| bend(prediction * share));
        matches!(sides, [Some(a), Some(b)] if a * b < 0.0)
    }

    /// Judges a loss (order 0), gradient (1) or second derivative (2).
    ///
    /// # Panics
    /// If the point is outside the domain of the loss.
    pub fn verdict(
        &mut self,
        order: usize,
        found: f64,
        point: &Point,
        by: usize,
        truth: &Truth,
    ) -> Verdict {
        match self.verdict_here(order, found, point, by, truth) {
            Verdict::Wrong(_) if self.is_nearby(order, found, point, by) => Verdict::Nearby,
            verdict => verdict,
        }
    }

    /// The same for exactly these inputs.
    ///
    /// # Panics
    /// If the point is outside the domain of the loss.
    pub fn verdict_here(
        &mut self,
        order: usize,
        found: f64,
        point: &Point,
        by: usize,
        truth: &Truth,
    ) -> Verdict {
        let Point { prediction, target } = point;
        let target = *target;
        let span = truth.order(order);
        let off = distance(found, span, self.precision);
        if off <= ceiling(order) {
            return Verdict::Exact(off);
        }
        let is_joint = self.loss.form() == Form::Joint;
        let description = self.loss.description();
        let both_real = !is_joint
            && (description.prediction, description.target) == (Domain::Real, Domain::Real);
        let residual = self.precision.round(prediction[0] - target);
        if !is_joint && self.is_turned(found, order, residual) {
            return Verdict::Turned;
        }
        // Of two large numbers the residual is rounded, and a loss can do no more than be right for
        // what it then is.
        if self.definition.is_of_residual() && target != 0.0 && residual.is_finite() {
            let of_residual = self.definition.truth(&[residual], &[0.0], 0);
            if distance(found, of_residual.order(order), self.precision) <= ceiling(order) {
                return Verdict::Nearby;
            }
        }
        if order > 0 && self.is_limit(found, order, prediction, target, by) {
            return Verdict::Exact(0);
        }
        let slack = underflow(self.loss.parameters(), self.precision);
        if [&span.low, &span.high].iter().any(|end| (found - end.to_f64()).abs() <= slack) {
            return Verdict::Underflow;
        }
        let is_sum = is_joint && order > 0
            || order == 0 && (self.is_signed || is_sum(self.loss))
            || order == 2 && !is_joint && self.turns_concave_beside(prediction[0], target);
        if is_sum {
            let terms = self.definition.terms(order, prediction, &[target], by).to_f64();
            let slack = CEILING as f64 * self.precision.epsilon() * terms;
            if [&span.low, &span.high].iter().any(|end| (found - end.to_f64()).abs() <= slack) {
                return Verdict::Cancelled;
            }
        }
        // A slope follows the residual, and so does its sign; where a loss levels off, its slope
        // there has gone to 0. A residual over a scale is beyond all bounds a little earlier.
        let infinite = if order == 0 { f64::INFINITY } else { residual.signum() / 0.0 };
        let is_small = span.magnitude().to_f64() < self.precision.epsilon();
        let levelled = order > 0 && found == 0.0 && (residual.is_infinite() || is_small);
        let beyond = residual.abs() >= self.precision.largest() / OVERFLOWING;
        let escaped = order < 2 && found == infinite;
        if both_real && beyond && (escaped || levelled) {
            return Verdict::Overflow;
        }
        // Exponentials that are subnormal are multiplied by what they were taken of.
        let farthest = prediction.iter().fold(target.abs(), |far, p| far.max(p.abs()));
        let reach = (1.0 + 2.0 * farthest).min(1e3);
        let slack = slack * reach.powi(order as i32);
        if (found - span.low.to_f64()).abs() <= slack {
            return Verdict::Underflow;
        }
        Verdict::Wrong(off)
    }

    /// Whether it is right for inputs that are off by at most one in the last place.
    fn is_nearby(&mut self, order: usize, found: f64, point: &Point, by: usize) -> bool {
        let Point { prediction, target } = point;
        let target = *target;
        let is_joint = self.loss.form() == Form::Joint;
        let description = self.loss.description();
        let (definition, precision) = (&self.definition, self.precision);
        let bits = prediction.iter().chain([&target]).map(|x| x.to_bits()).collect();
        let key = (bits, by);
        let nearby = self.nearby.entry(key).or_insert_with(|| {
            let inside = |x: &f64, domain: Domain| x.is_finite() && domain.contains(*x);
            let is_class = match description.target {
                Domain::Sign => true,
                Domain::Unit => target == 0.0 || target == 1.0,
                _ => false,
            };
            let around = |x: f64, domain: Domain| {
                precision.neighbours(x).into_iter().filter(move |x| inside(x, domain))
            };
            let with = |place: usize, p: f64| {
                let mut row = prediction.clone();
                row[place] = p;
                row
            };
            let targets: Vec<f64> =
                if is_class { vec![target] } else { around(target, description.target).collect() };
            let places = prediction.iter().enumerate();
            let rows: Vec<Vec<f64>> = places
                .flat_map(|(place, &p)| {
                    let domain = description.prediction_domain(place);
                    around(p, domain).map(move |p| with(place, p)).collect::<Vec<_>>()
                })
                .collect();
            // One after the other if there are many, else both together.
            let mut inputs: Vec<(&[f64], f64)> = Vec::new();
            for row in &rows {
                let targets = if is_joint { &[target][..] } else { &targets };
                inputs.extend(targets.iter().map(|&y| (row.as_slice(), y)));
            }
            inputs.extend(targets.iter().filter(|_| is_joint).map(|&y| (&**prediction, y)));
            let truths = inputs.into_iter().map(|(row, y)| definition.truth(row, &[y], by));
            truths.reduce(Truth::joined).expect("the point itself is in the domain")
        });
        distance(found, nearby.order(order), precision) <= ceiling(order)
    }
}

/// What the gradient by one score may be off by, as an absolute error: where a class has a part of
/// the target it is a difference of nearly equal numbers, and the numbers count.
#[must_use]
pub fn cancellation(target: &[f64], class: usize, precision: Precision) -> f64 {
    let total: f64 = target.iter().sum();
    // All of the target in one class: there the difference is had without cancellation.
    if target[class] == 0.0 || target[class] == total {
        return 0.0;
    }
    CEILING as f64 * precision.epsilon() * total.max(1.0)
}

/// What the kernels of a loss whose target is a number give for examples with as many predicted
/// numbers each: values, then gradients and second derivatives by each predicted number, widened to
/// f64. Of a loss over a class axis, nothing.
#[must_use]
pub fn computed(
    loss: &Loss,
    set: InstructionSet,
    points: &[Point],
    precision: Precision,
) -> [Vec<f64>; 3] {
    let prediction: Vec<f64> = points.iter().flat_map(|point| point.prediction.clone()).collect();
    let target: Vec<f64> = points.iter().map(|point| point.target).collect();
    macro_rules! run {
        ($float:ident, $run:ident) => {{
            let narrow = |all: &[f64]| all.iter().map(|&x| x as $float).collect::<Vec<_>>();
            let (prediction, target) = (narrow(&prediction), narrow(&target));
            let zero = |like: &[$float]| vec![0.0; like.len()];
            let mut results = [zero(&target), zero(&prediction), zero(&prediction)];
            let [value, gradient, second] = &mut results;
            let to = Outputs::new(value, gradient, second);
            match (loss.pointwise_kernels(), loss.joint_kernels()) {
                (Some(kernels), _) => kernels.$run(set, &prediction, &target, to),
                (_, Some(kernels)) => kernels.$run(set, &prediction, &target, to),
                _ => {}
            }
            results.map(|result| result.into_iter().map(f64::from).collect())
        }};
    }
    match precision {
        Precision::Single => run!(f32, run_f32),
        Precision::Double => run!(f64, run_f64),
    }
}
