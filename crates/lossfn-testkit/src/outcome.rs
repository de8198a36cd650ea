//! Kernels against golden values.

use crate::golden::{Row, Target, golden};
use crate::judge::{CEILING, ceiling, is_sum};
use crate::points::Precision;
use crate::precise::Definition;
use crate::{ulps_f32, ulps_f64};
use lossfn::{ClassBlock, ClassOutputs, ClassTargets, InstructionSet, Loss, Outputs};

/// A result of a kernel beside the golden text.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The loss with its parameters.
    pub loss: &'a str,
    /// The example.
    pub row: &'a Row,
    /// value, value alone, gradient or second.
    pub what: &'static str,
    /// What the kernel gave.
    pub found: f64,
    /// What is right.
    pub expected: &'a str,
    /// How far apart they are, in units of the last place.
    pub distance: u64,
    /// What rounding may add beyond the ceiling, as an absolute error.
    slack: f64,
}

impl Outcome<'_> {
    /// The derivative that it is: 0 is the loss.
    #[must_use]
    pub fn order(&self) -> usize {
        match self.what {
            "gradient" => 1,
            "second" => 2,
            _ => 0,
        }
    }

    /// Whether terms cancel here, or numbers are subnormal, so that units of the last place of the
    /// result say nothing.
    #[must_use]
    pub fn is_excused(&self) -> bool {
        let expected: f64 = self.expected.parse().unwrap_or(f64::NAN);
        self.distance > ceiling(self.order()) && (self.found - expected).abs() <= self.slack
    }

    /// Whether it is beyond the ceiling.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.distance > ceiling(self.order()) && !self.is_excused()
    }
}

/// A gradient is inexact where it is a difference of nearly equal numbers: over classes that have a
/// part of the target, softmax minus that part. There the numbers count, not the difference.
fn cancellation(row: &Row, smoothing: f64, class: usize, epsilon: f64) -> f64 {
    let (total, own) = match &row.target {
        Target::Label(label) if *label == class && smoothing == 0.0 => return 0.0,
        Target::Label(label) if *label == class => (1.0, 1.0),
        Target::Label(_) => (1.0, smoothing),
        Target::Number(_) => (0.0, 0.0),
        Target::Distribution(y) => (y.iter().sum(), y[class] + smoothing),
    };
    if own == 0.0 { 0.0 } else { CEILING as f64 * epsilon * f64::max(total, 1.0) }
}

/// A parameter multiplies the rounding of a subnormal number along with the number.
fn underflow(row: &Row, smallest: f64) -> f64 {
    CEILING as f64 * smallest * row.parameters.values().copied().fold(1.0, f64::max)
}

macro_rules! outcomes {
    ($name:ident, $float:ident, $run:ident, $ulps:ident, $smallest:expr) => {
        /// The results for rows of one loss with one set of parameters, in one call.
        #[allow(clippy::too_many_lines, reason = "one part for each form of loss")]
        fn $name<'a>(text: &'a str, rows: &[&'a Row], set: InstructionSet) -> Vec<Outcome<'a>> {
            let loss: Loss = text.parse().unwrap();
            // Where a loss passes through 0 its terms count; see the judge.
            let is_signed = is_sum(&loss) || rows.iter().any(|row| row.value.starts_with('-'));
            let terms = |order, prediction: &[f64], y, by| {
                let definition = Definition::new(&loss, 1, Precision::Double);
                let terms = definition.terms(order, prediction, &[y], by).to_f64();
                CEILING as f64 * f64::from($float::EPSILON) * terms
            };
            let of = |numbers: &[f64]| numbers.iter().map(|&x| x as $float).collect::<Vec<_>>();
            let mut outcomes = Vec::new();
            let mut add = |row: &'a Row, what, found: $float, expected: &'a str, slack: f64| {
                let distance = $ulps(found, expected.parse().unwrap());
                let (found, slack) = (f64::from(found), slack + underflow(row, $smallest));
                outcomes.push(Outcome { loss: text, row, what, found, expected, distance, slack });
            };
            if let Some(kernels) = loss.pointwise_kernels() {
                let all: Vec<f64> = rows.iter().map(|row| row.prediction.as_slice()[0]).collect();
                let target = rows.iter().map(|row| match row.target {
                    Target::Number(y) => y,
                    _ => panic!("{text}: a target that is not a number"),
                });
                let (prediction, target) = (of(&all), of(&target.collect::<Vec<_>>()));
                let zero = vec![0.0; rows.len()];
                let (mut value, mut gradient, mut second) = (zero.clone(), zero.clone(), zero);
                let to = Outputs::new(&mut value, &mut gradient, &mut second);
                kernels.$run(set, &prediction, &target, to);
                let mut alone = vec![0.0; rows.len()];
                let to = Outputs::new(&mut alone, &mut [], &mut []);
                kernels.$run(set, &prediction, &target, to);
                for (at, row) in rows.iter().enumerate() {
                    let sum = if is_signed {
                        terms(0, &all[at..=at], f64::from(target[at]), 0)
                    } else {
                        0.0
                    };
                    add(row, "value", value[at], &row.value, sum);
                    add(row, "value alone", alone[at], &row.value, sum);
                    add(row, "gradient", gradient[at], &row.gradient.as_slice()[0], 0.0);
                    add(row, "second", second[at], &row.second.as_slice()[0], 0.0);
                }
                return outcomes;
            }
            if let Some(kernels) = loss.joint_kernels() {
                for row in rows {
                    let Target::Number(y) = row.target else {
                        panic!("{text}: a target that is not a number");
                    };
                    let prediction = of(row.prediction.as_slice());
                    let zero = vec![0.0; prediction.len()];
                    let (mut value, mut gradient, mut second) = ([0.0], zero.clone(), zero);
                    let to = Outputs::new(&mut value, &mut gradient, &mut second);
                    kernels.$run(set, &prediction, &[y as $float], to);
                    let slack = |order, by| {
                        if order == 0 && !is_signed {
                            return 0.0;
                        }
                        terms(order, row.prediction.as_slice(), y, by)
                    };
                    add(row, "value", value[0], &row.value, slack(0, 0));
                    for by in 0..prediction.len() {
                        let (first, twice) = (slack(1, by), slack(2, by));
                        add(row, "gradient", gradient[by], &row.gradient.as_slice()[by], first);
                        add(row, "second", second[by], &row.second.as_slice()[by], twice);
                    }
                }
                return outcomes;
            }
            let kernels = loss.class_kernels().expect("one of the three");
            for row in rows {
                let prediction = of(row.prediction.as_slice());
                let (label, distribution);
                let targets = match &row.target {
                    Target::Label(class) => {
                        label = [Some(*class)];
                        ClassTargets::Labels(&label)
                    }
                    Target::Distribution(y) => {
                        distribution = of(y);
                        ClassTargets::Distributions(&distribution)
                    }
                    Target::Number(_) => panic!("{text}: a target that is not a class"),
                };
                let classes = prediction.len();
                let block = ClassBlock {
                    classes,
                    prediction: &prediction,
                    targets,
                    class_weights: None,
                    smoothing: kernels.smoothing().unwrap_or(0.0),
                };
                let mut value = [0.0];
                let (mut gradient, mut second) = (vec![0.0; classes], vec![0.0; classes]);
                let to = ClassOutputs {
                    value: &mut value,
                    gradient: &mut gradient,
                    second: &mut second,
                };
                kernels.$run(set, &block, to);
                add(row, "value", value[0] as $float, &row.value, 0.0);
                for class in 0..classes {
                    let smoothing = kernels.smoothing().unwrap_or(0.0);
                    let slack = cancellation(row, smoothing, class, f64::from($float::EPSILON));
                    add(row, "gradient", gradient[class], &row.gradient.as_slice()[class], slack);
                    // This is such a difference, too, but one with digits to spare.
                    let second = second[class];
                    add(row, "second", second, &row.second.as_slice()[class], slack / 1024.0);
                }
            }
            outcomes
        }
    };
}
outcomes!(outcomes_f64, f64, run_f64, ulps_f64, f64::from_bits(1));
outcomes!(outcomes_f32, f32, run_f32, ulps_f32, f64::from(f32::from_bits(1)));

/// Rows grouped by the loss with its parameters.
fn by_parameters<'a>(id: &str, rows: impl Iterator<Item = &'a Row>) -> Vec<(String, Vec<&'a Row>)> {
    let mut groups: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in rows {
        let loss = row.loss(id);
        match groups.iter_mut().find(|(name, _)| *name == loss) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((loss, vec![row])),
        }
    }
    groups
}

/// Calls `each` with every result of a loss for its golden rows, by one instruction set in one
/// precision.
///
/// # Panics
/// If there are no golden values, or they cannot be read.
pub fn for_each_outcome(
    id: &str,
    set: InstructionSet,
    precision: Precision,
    mut each: impl FnMut(&Outcome<'_>),
) {
    let golden = golden(id);
    assert!(!golden.source.is_empty(), "{id}: golden values must say where they come from");
    let in_f32 = precision == Precision::Single;
    let rows = golden.row.iter().filter(|row| !in_f32 || row.fits_f32());
    for (loss, rows) in by_parameters(id, rows) {
        let outcomes = if in_f32 { outcomes_f32 } else { outcomes_f64 };
        outcomes(&loss, &rows, set).iter().for_each(&mut each);
    }
}
