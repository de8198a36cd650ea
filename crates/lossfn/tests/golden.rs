//! Every loss against golden values, in both precisions, on every instruction set of this machine.

use lossfn::{ClassBlock, ClassOutputs, ClassTargets, InstructionSet, Loss, Outputs};
use lossfn_testkit::catalog;
use lossfn_testkit::golden::{Row, Target, golden};
use lossfn_testkit::judge::{CEILING, ceiling, is_sum};
use lossfn_testkit::points::Precision;
use lossfn_testkit::precise::Definition;
use lossfn_testkit::{ulps_f32, ulps_f64};

/// A result of a kernel beside the golden text.
struct Outcome<'a> {
    loss: &'a str,
    row: &'a Row,
    what: &'static str,
    found: f64,
    expected: &'a str,
    distance: u64,
    /// What rounding may add beyond the ceiling, as an absolute error.
    slack: f64,
}

impl Outcome<'_> {
    fn is_wrong(&self) -> bool {
        let expected: f64 = self.expected.parse().unwrap();
        let is_near = (self.found - expected).abs() <= self.slack;
        self.distance > ceiling(usize::from(self.what == "second") * 2) && !is_near
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
                let to =
                    Outputs { value: &mut value, gradient: &mut gradient, second: &mut second };
                kernels.$run(set, &prediction, &target, to);
                let mut alone = vec![0.0; rows.len()];
                let to = Outputs { value: &mut alone, gradient: &mut [], second: &mut [] };
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
                    let to =
                        Outputs { value: &mut value, gradient: &mut gradient, second: &mut second };
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

#[test]
fn every_loss_matches_its_golden_values() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        for entry in catalog() {
            let id = entry.description.id;
            let golden = golden(id);
            assert!(!golden.source.is_empty(), "{id}: golden values must say where they come from");
            for (precision, only_f32) in [("f64", false), ("f32", true)] {
                let rows = golden.row.iter().filter(|row| !only_f32 || row.fits_f32());
                let mut worst = 0;
                for (loss, rows) in by_parameters(id, rows) {
                    let outcomes = if only_f32 { outcomes_f32 } else { outcomes_f64 };
                    for outcome in outcomes(&loss, &rows, set) {
                        checked += 1;
                        worst = worst.max(outcome.distance);
                        if outcome.is_wrong() {
                            wrong.push(format!(
                                "{} {precision} {}: {} at prediction {:?}, target {:?}: \
                                 {:e}, not {} ({} ulp)",
                                set.name(),
                                outcome.loss,
                                outcome.what,
                                outcome.row.prediction.as_slice(),
                                outcome.row.target,
                                outcome.found,
                                outcome.expected,
                                outcome.distance
                            ));
                        }
                    }
                }
                println!("{} {id} {precision}: {worst} ulp", set.name());
            }
        }
    }
    println!("{checked} results checked");
    assert!(checked > 10_000 || lossfn_testkit::is_part_of_catalog(), "only {checked} results");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
