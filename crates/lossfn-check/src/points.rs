//! Where losses are tried: losses with several parameters, and points that are random, spaced and
//! adversarial. Everything is the same on every run and every machine.

use lossfn::{Domain, Entry, Form, Kind, Loss, Range};
use std::collections::HashSet;

/// Random numbers that are the same everywhere (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The numbers that belong to a name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    /// A number from 0 to below 1, of 24 bits, so that f32 has it too.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 40) as f64 / 16_777_216.0
    }

    /// A number from `low` to below `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// A number of either sign whose magnitude is anywhere from 2^-20 to 2^10.
    pub fn spread(&mut self) -> f64 {
        let magnitude = self.between(-20.0, 10.0).exp2();
        f64::from((if self.bits() & 1 == 0 { magnitude } else { -magnitude }) as f32)
    }

    /// A number in a domain, of ordinary size.
    pub fn inside(&mut self, domain: Domain) -> f64 {
        match domain {
            Domain::Real => f64::from(self.between(-4.0, 4.0) as f32),
            // Away from the ends, where derivatives are beyond all bounds.
            Domain::Unit | Domain::OpenUnit => (1.0 + self.unit() * 254.0).floor() / 256.0,
            Domain::Sign => {
                if self.bits() & 1 == 0 {
                    -1.0
                } else {
                    1.0
                }
            }
            Domain::NonNegative => 2.0 * self.unit(),
            Domain::Positive => (1.0 + self.unit() * 511.0).floor() / 256.0,
            Domain::LogProbability => -4.0 * self.unit(),
        }
    }

    /// Puts things in another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for end in (1..things.len()).rev() {
            things.swap(end, self.below(end + 1));
        }
    }
}

/// Values to try for a parameter: the ends where they are finite, what is near them, and some in
/// between.
#[must_use]
pub fn values_in(range: &Range, rng: &mut Rng) -> Vec<f64> {
    if range.kind != Kind::Number {
        return (0..4).map(f64::from).filter(|&value| range.contains(value)).collect();
    }
    let near = 1.0 / 1024.0;
    let low = if range.low_included { range.low } else { range.low.max(-1000.0) + near };
    let high = if range.high_included { range.high } else { range.high.min(1000.0) - near };
    let mut values = vec![low, high];
    // Where the range is wide, most of what matters is near its lower end.
    let from = if range.low.is_finite() { low } else { -2.0 };
    values.extend((0..2).map(|_| f64::from(rng.between(from, high.min(from + 4.0)) as f32)));
    // Tenths are no numbers of f32, and 0.999 loses its distance from 1 there.
    values.extend([0.1, 0.999]);
    values.retain(|&value| range.contains(value));
    values
}

/// A loss of the catalog with its default parameters, and with other values for each of them.
///
/// # Panics
/// If a value inside the range of its parameter is refused.
#[must_use]
pub fn settings(entry: &Entry) -> Vec<Loss> {
    let mut rng = Rng::named(entry.description.id);
    let defaults = entry.with_defaults();
    let mut losses = vec![defaults.clone()];
    for (place, parameter) in entry.description.parameters.iter().enumerate() {
        for value in values_in(&parameter.range, &mut rng) {
            let mut values = defaults.parameters().to_vec();
            values[place] = value;
            losses.push(entry.build(&values).expect("the value is in range"));
        }
    }
    losses
}

/// f32 or f64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    Single,
    /// f64.
    Double,
}

impl Precision {
    /// `f32` or `f64`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "f32",
            Self::Double => "f64",
        }
    }

    /// How many decimal digits a number has.
    #[must_use]
    pub fn digits(self) -> f64 {
        -self.epsilon().log10()
    }

    /// The nearest number of this precision.
    #[must_use]
    pub fn round(self, x: f64) -> f64 {
        match self {
            Self::Single => f64::from(x as f32),
            Self::Double => x,
        }
    }

    /// A number and its neighbours on both sides.
    #[must_use]
    pub fn neighbours(self, x: f64) -> [f64; 3] {
        match self {
            Self::Single => {
                let x = x as f32;
                [x.next_down(), x, x.next_up()].map(f64::from)
            }
            Self::Double => [x.next_down(), x, x.next_up()],
        }
    }

    /// The smallest positive number.
    #[must_use]
    pub fn smallest(self) -> f64 {
        match self {
            Self::Single => f64::from(f32::from_bits(1)),
            Self::Double => f64::from_bits(1),
        }
    }

    /// The smallest positive normal number.
    #[must_use]
    pub fn smallest_normal(self) -> f64 {
        match self {
            Self::Single => f64::from(f32::MIN_POSITIVE),
            Self::Double => f64::MIN_POSITIVE,
        }
    }

    /// The largest finite number.
    #[must_use]
    pub fn largest(self) -> f64 {
        match self {
            Self::Single => f64::from(f32::MAX),
            Self::Double => f64::MAX,
        }
    }

    /// The distance from 1 to the next number.
    #[must_use]
    pub fn epsilon(self) -> f64 {
        match self {
            Self::Single => f64::from(f32::EPSILON),
            Self::Double => f64::EPSILON,
        }
    }
}

/// Numbers of a domain at which things go wrong if they do.
#[must_use]
pub fn hard_numbers(domain: Domain, precision: Precision) -> Vec<f64> {
    let (smallest, normal) = (precision.smallest(), precision.smallest_normal());
    let positive = |numbers: &[f64]| {
        let mut all: Vec<f64> = numbers.iter().map(|&x| precision.round(x)).collect();
        all.extend([-0.0, smallest, normal, normal / 2.0]);
        all
    };
    match domain {
        Domain::Sign => vec![-1.0, 1.0],
        Domain::Unit | Domain::OpenUnit => {
            let mut all = positive(&[0.0, 1e-30, 1e-7, 0.01, 0.25, 0.5, 0.75, 1.0]);
            all.extend([1.0 - precision.epsilon() / 2.0, 1.0 - precision.epsilon()]);
            all
        }
        Domain::LogProbability => {
            let mut all = hard_numbers(Domain::Real, precision);
            all.retain(|x| *x <= 0.0);
            all
        }
        Domain::Real | Domain::NonNegative | Domain::Positive => {
            let mut all = positive(&[
                0.0, 1e-20, 1e-8, 1e-4, 0.01, 0.5, 1.0, 2.5, 10.0, 17.3, 20.0, 37.0, 40.0, 300.0,
                1e4, 1e10, 1e19, 1e30,
            ]);
            // Where exponentials overflow, and where they vanish.
            all.extend(match precision {
                Precision::Single => [87.5, 88.75, 103.5, 105.0],
                Precision::Double => [708.5, 709.875, 744.0, 746.0],
            });
            let largest = precision.largest();
            all.extend([largest, largest / 2.0, precision.round(largest.sqrt())]);
            if domain == Domain::Real {
                all.extend(all.clone().iter().map(|x| -x));
            }
            all
        }
    }
}

/// Whether a loss has its default parameters.
#[must_use]
pub fn is_default(loss: &Loss) -> bool {
    let defaults = loss.description().parameters.iter().map(|parameter| parameter.default);
    defaults.eq(loss.parameters().iter().copied())
}

/// An example of a loss whose target is a number: one predicted number, or several.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What is predicted.
    pub prediction: Vec<f64>,
    /// The target.
    pub target: f64,
}

/// Examples in the domain of a loss whose target is a number, all with as many predicted numbers; of
/// a loss without its default parameters only some.
#[must_use]
pub fn points(loss: &Loss, precision: Precision) -> Vec<Point> {
    some_points(loss, precision, !is_default(loss))
}

/// The same, and all of them.
#[must_use]
pub fn all_points(loss: &Loss, precision: Precision) -> Vec<Point> {
    some_points(loss, precision, false)
}

fn some_points(loss: &Loss, precision: Precision, are_few: bool) -> Vec<Point> {
    if loss.form() == Form::Joint {
        return joint_points(loss, precision, are_few);
    }
    let pairs = pointwise_points(loss, precision, are_few).into_iter();
    pairs.map(|(p, target)| Point { prediction: vec![p], target }).collect()
}

/// The same for a loss of several predicted numbers: each of them anywhere while the others are
/// ordinary, and all of them anywhere.
fn joint_points(loss: &Loss, precision: Precision, are_few: bool) -> Vec<Point> {
    const ANY_NUMBER: usize = 4;
    let description = loss.description();
    let mut rng = Rng::named(description.id);
    let count =
        if description.components.is_empty() { ANY_NUMBER } else { description.components.len() };
    let domain = |place: usize| description.prediction_domain(place);
    let ordinary = |rng: &mut Rng| Point {
        prediction: (0..count).map(|place| rng.inside(domain(place))).collect(),
        target: rng.inside(description.target),
    };
    // With twice the range a point takes many times as long.
    let rarely = if precision == Precision::Double { 2 } else { 1 };
    let every = if are_few { 5 * rarely } else { rarely };
    let mut points = Vec::new();
    let usual: Vec<Point> = (0..2).map(|_| ordinary(&mut rng)).collect();
    for (at, usual) in usual.into_iter().enumerate() {
        // The first of them without a residual.
        let target = if at == 0 { usual.prediction[0] } else { usual.target };
        let usual = Point { target, ..usual };
        for place in 0..count {
            for hard in
                hard_numbers(domain(place), precision).into_iter().skip(at).step_by(2 * every)
            {
                let mut point = usual.clone();
                point.prediction[place] = hard;
                points.push(point);
            }
        }
        for hard in
            hard_numbers(description.target, precision).into_iter().skip(at).step_by(2 * every)
        {
            points.push(Point { target: hard, ..usual.clone() });
        }
    }
    for _ in 0..30 / every {
        points.push(ordinary(&mut rng));
        let spread = (0..count).map(|_| rng.spread()).collect();
        points.push(Point { prediction: spread, target: rng.inside(description.target) });
    }
    let in_domain = |x: f64, domain: Domain| x.is_finite() && domain.contains(x);
    points.retain(|point| {
        let mut places = point.prediction.iter().enumerate();
        places.all(|(place, &p)| in_domain(p, domain(place)))
            && in_domain(point.target, description.target)
    });
    points
}

fn pointwise_points(loss: &Loss, precision: Precision, are_few: bool) -> Vec<(f64, f64)> {
    let description = loss.description();
    let mut rng = Rng::named(description.id);
    let mut points = Vec::new();
    let targets: Vec<f64> = match description.target {
        Domain::Sign => vec![-1.0, 1.0],
        Domain::Unit => vec![0.0, 1.0, 0.5, precision.round(0.1), precision.smallest_normal()],
        Domain::OpenUnit => vec![0.5, precision.round(0.1), precision.smallest_normal()],
        domain => {
            let all = [0.0, 1.0, -1.5, precision.round(1e-3), 12.25];
            all.into_iter().filter(|&y| domain.contains(y)).collect()
        }
    };
    for (place, &target) in targets.iter().enumerate() {
        if place < 2 {
            let hard = hard_numbers(description.prediction, precision);
            points.extend(hard.into_iter().map(|prediction| (prediction, target)));
        }
        // Kinks lie where the residual or the score is one of these, and a step beside them.
        let mut offsets = vec![0.0, 1.0];
        offsets.extend(loss.parameters());
        for offset in offsets.into_iter().flat_map(|offset| [offset, -offset]) {
            let from = if description.target == Domain::Real { target } else { 0.0 };
            let near = precision.neighbours(precision.round(from + offset));
            points.extend(near.map(|prediction| (prediction, target)));
        }
    }
    let largest = precision.largest();
    for target in [largest, -largest] {
        let predictions = [largest, largest / 2.0, 1.0, 0.0, -largest / 2.0, -largest];
        points.extend(predictions.map(|prediction| (prediction, target)));
    }
    for _ in 0..40 {
        let target = rng.inside(description.target);
        points.push((rng.inside(description.prediction), target));
        points.push((rng.spread(), target));
    }
    let in_domain = |x: f64, domain: Domain| x.is_finite() && domain.contains(x);
    points.retain(|&(prediction, target)| {
        in_domain(prediction, description.prediction) && in_domain(target, description.target)
    });
    let mut seen = HashSet::new();
    points.retain(|&(prediction, target)| seen.insert((prediction.to_bits(), target.to_bits())));
    if are_few {
        // With many digits a point takes milliseconds, and there are many settings.
        Rng::named(&loss.to_string()).shuffle(&mut points);
        points.truncate(24);
    }
    points
}
