//! What holds for the cost of every loss: weights, order, threads, parts, types, memory layouts,
//! and what a cost is least at.

use crate::losses;
use half::{bf16, f16};
use lossfn::{
    Array, ArrayMut, Cost, CostState, Curvature, Denominator, Domain, Examples, Form, Kind, Loss,
    Reduction, RowForm, Task,
};
use lossfn_testkit::catalog;
use lossfn_testkit::judge::is_sum;
use lossfn_testkit::points::{Precision, Rng, settings};
use lossfn_testkit::precise::Definition;
use ndarray::{ArrayD, Axis, IxDyn, Slice};

enum Target {
    Numbers(ArrayD<f32>),
    Labels(ArrayD<i64>),
}

/// Examples: one prediction each, or one row of scores each.
struct Batch {
    prediction: ArrayD<f32>,
    target: Target,
}

impl Batch {
    /// Numbers with few digits, so that every floating-point type has them. For a loss over classes
    /// there are two batches: with labels, and with distributions.
    fn of(loss: &Loss, examples: usize, classes: usize, rng: &mut Rng) -> Vec<Self> {
        let description = loss.description();
        let short = |x: f64| (x * 16.0).round() / 16.0;
        let mut inside = |domain: Domain| match domain {
            Domain::Real | Domain::NonNegative | Domain::LogProbability => {
                short(rng.inside(domain)) as f32
            }
            // Not down to 0.
            Domain::Positive => (short(rng.inside(domain)) + 0.0625) as f32,
            Domain::Unit | Domain::Sign | Domain::OpenUnit => rng.inside(domain) as f32,
        };
        let mut numbers = |shape: &[usize], domain: Domain| {
            ArrayD::from_shape_simple_fn(IxDyn(shape), || inside(domain))
        };
        let components = description.components.len();
        let shape = [examples, if components > 0 { components } else { classes }];
        if loss.form() == Form::Pointwise {
            let prediction = numbers(&[examples], description.prediction);
            let target = Target::Numbers(numbers(&[examples], description.target));
            return vec![Self { prediction, target }];
        }
        if loss.form() == Form::Joint {
            let mut prediction = numbers(&shape, Domain::Real);
            for (place, mut column) in prediction.axis_iter_mut(Axis(1)).enumerate() {
                column.assign(&numbers(&[examples], description.prediction_domain(place)));
            }
            let target = Target::Numbers(numbers(&[examples], description.target));
            return vec![Self { prediction, target }];
        }
        let mut prediction = numbers(&shape, description.prediction);
        if description.row_form == RowForm::ScoreAndThresholds {
            // One threshold in each unit, so that they increase.
            for (at, x) in prediction.indexed_iter_mut().filter(|(at, _)| at[1] > 0) {
                *x = at[1] as f32 - 2.0 + (*x / 2.0).floor() / 8.0;
            }
        }
        let distributions = Target::Numbers(numbers(&shape, description.target));
        let labels = ArrayD::from_shape_simple_fn(IxDyn(&[examples]), || rng.below(classes) as i64);
        vec![
            Self { prediction: prediction.clone(), target: Target::Labels(labels) },
            Self { prediction, target: distributions },
        ]
    }

    fn examples(&self) -> Examples<'_> {
        match &self.target {
            Target::Numbers(target) => Examples::new(&self.prediction, target),
            Target::Labels(target) => Examples::new(&self.prediction, target),
        }
    }

    /// Some of the examples, any of them any number of times.
    fn pick(&self, rows: &[usize]) -> Self {
        let prediction = self.prediction.select(Axis(0), rows);
        let target = match &self.target {
            Target::Numbers(target) => Target::Numbers(target.select(Axis(0), rows)),
            Target::Labels(target) => Target::Labels(target.select(Axis(0), rows)),
        };
        Self { prediction, target }
    }

    fn len(&self) -> usize {
        self.prediction.shape()[0]
    }
}

/// Value and gradient of a mean, as bits.
fn bits(cost: &Cost, examples: &Examples<'_>, shape: &[usize]) -> (u64, ArrayD<u32>) {
    let mut gradient = ArrayD::<f32>::zeros(shape);
    let value = cost.value_and_gradient_of(examples, &mut gradient).unwrap();
    assert_eq!(cost.value_of(examples).unwrap().to_bits(), value.to_bits(), "with gradient");
    (value.to_bits(), gradient.mapv(f32::to_bits))
}

fn for_every_batch(examples: usize, classes: usize, mut law: impl FnMut(&Loss, &Batch, &mut Rng)) {
    let forms = [Form::Pointwise, Form::ClassAxis, Form::Joint];
    for loss in forms.into_iter().flat_map(losses) {
        let mut rng = Rng::named(loss.id());
        for batch in Batch::of(&loss, examples, classes, &mut rng) {
            law(&loss, &batch, &mut rng);
        }
    }
}

#[test]
fn a_weight_is_a_number_of_repetitions() {
    for_every_batch(500, 5, |loss, batch, rng| {
        let cost = Cost::new(loss.clone());
        // Times a power of two a loss is exact, so that the sums must agree to the bit.
        let weights: Vec<f64> = (0..500).map(|_| [0.0, 1.0, 2.0, 4.0][rng.below(4)]).collect();
        let rows: Vec<usize> =
            (0..500).flat_map(|row| std::iter::repeat_n(row, weights[row] as usize)).collect();
        let repeated = batch.pick(&rows);
        let weighted = batch.examples().weights(&weights);
        let shape = batch.prediction.shape();
        let (value, gradient) = bits(&cost, &weighted, shape);
        let (expected, parts) = bits(&cost, &repeated.examples(), repeated.prediction.shape());
        assert_eq!(value, expected, "{loss}");
        for (part, &row) in parts.axis_iter(Axis(0)).zip(&rows) {
            let whole = gradient.index_axis(Axis(0), row);
            for (part, whole) in part.iter().zip(whole) {
                let (part, weight) = (f32::from_bits(*part), weights[row] as f32);
                let (whole, expected) = (f32::from_bits(*whole), part * weight);
                // The weight multiplies the rounding of a subnormal number, too.
                let slack =
                    if part.abs() < f32::MIN_POSITIVE { weight * f32::from_bits(1) } else { 0.0 };
                assert!(
                    whole.to_bits() == expected.to_bits() || (whole - expected).abs() <= slack,
                    "{loss}: {whole:e}, not {expected:e}"
                );
            }
        }
        let sum = cost.reduction(Reduction::Sum);
        let value = |examples: &Examples<'_>| sum.value_of(examples).unwrap().to_bits();
        assert_eq!(value(&weighted), value(&repeated.examples()), "{loss}");
    });
}

#[test]
fn the_order_of_examples_makes_no_difference() {
    // More than two blocks, and not a multiple of one.
    for_every_batch(9001, 3, |loss, batch, rng| {
        let cost = Cost::new(loss.clone());
        let mut order: Vec<usize> = (0..batch.len()).collect();
        rng.shuffle(&mut order);
        let shuffled = batch.pick(&order);
        let shape = batch.prediction.shape();
        let (value, gradient) = bits(&cost, &batch.examples(), shape);
        let (again, moved) = bits(&cost, &shuffled.examples(), shape);
        assert_eq!(value, again, "{loss}");
        assert_eq!(gradient.select(Axis(0), &order), moved, "{loss}");
    });
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    let pools = [1, 2, 3]
        .map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    for entry in catalog() {
        let loss = entry.with_defaults();
        let mut rng = Rng::named(loss.id());
        let is_pointwise = loss.form() == Form::Pointwise;
        let (examples, classes) = if is_pointwise { (300_001, 1) } else { (60_001, 7) };
        for batch in Batch::of(&loss, examples, classes, &mut rng) {
            let cost = Cost::new(loss.clone());
            let shape = batch.prediction.shape();
            let weights: Vec<f32> = (0..batch.len()).map(|_| rng.unit() as f32).collect();
            let examples = batch.examples().weights(&weights);
            let run = |pool: &rayon::ThreadPool| pool.install(|| bits(&cost, &examples, shape));
            let [one, two, three] = pools.each_ref().map(run);
            assert!(one == two && one == three, "{loss}");
        }
    }
}

#[test]
fn parts_merge_to_the_whole() {
    for_every_batch(2000, 4, |loss, batch, rng| {
        let cost = Cost::new(loss.clone());
        let weights: Vec<f64> = (0..batch.len()).map(|_| rng.unit()).collect();
        let mask: Vec<bool> = (0..batch.len()).map(|_| rng.below(8) > 0).collect();
        let mut whole = CostState::default();
        cost.update(&mut whole, &batch.examples().weights(&weights).mask(&mask)).unwrap();
        let mut cuts: Vec<usize> = (0..5).map(|_| rng.below(batch.len())).collect();
        cuts.extend([0, batch.len()]);
        cuts.sort_unstable();
        let mut parts: Vec<CostState> = cuts
            .windows(2)
            .map(|cut| {
                let rows: Vec<usize> = (cut[0]..cut[1]).collect();
                let part = batch.pick(&rows);
                let (weights, mask) = (&weights[cut[0]..cut[1]], &mask[cut[0]..cut[1]]);
                let mut state = CostState::default();
                cost.update(&mut state, &part.examples().weights(weights).mask(mask)).unwrap();
                state
            })
            .collect();
        // One by one, too, as a program does that sums by group.
        let mut one_by_one = CostState::default();
        let all = batch.examples().weights(&weights).mask(&mask);
        let add = |scored: lossfn::Scored<'_>| {
            for at in 0..scored.losses.len() {
                scored.add_one_to(&mut one_by_one, at);
            }
        };
        cost.for_each_scored(&all, add).unwrap();
        assert_eq!(one_by_one, whole, "{loss}");
        for through_text in [false, true] {
            rng.shuffle(&mut parts);
            let mut merged = CostState::default();
            for part in &parts {
                if through_text {
                    let text = serde_json::to_string(part).unwrap();
                    merged.merge(&serde_json::from_str(&text).unwrap());
                } else {
                    merged.merge(part);
                }
            }
            assert_eq!(merged, whole, "{loss}");
            assert_eq!((merged.valid(), merged.examples()), (whole.valid(), whole.examples()));
            for denominator in [Denominator::Weights, Denominator::Valid, Denominator::Examples] {
                let cost = cost.clone().denominator(denominator);
                let value = |state| cost.value_of_state(state).unwrap().to_bits();
                assert_eq!(value(&merged), value(&whole), "{loss} by {denominator}");
            }
        }
    });
}

#[test]
fn element_types_agree() {
    for_every_batch(700, 6, |loss, batch, _| {
        let cost = Cost::new(loss.clone());
        let shape = batch.prediction.shape();
        let (value, gradient) = bits(&cost, &batch.examples(), shape);
        let gradient = gradient.mapv(f32::from_bits);
        macro_rules! halves {
            ($type:ident) => {
                let prediction = batch.prediction.mapv($type::from_f32);
                let mut narrow = ArrayD::from_elem(shape, $type::ZERO);
                let numbers;
                let examples = match &batch.target {
                    Target::Labels(labels) => Examples::new(&prediction, labels),
                    Target::Numbers(target) => {
                        numbers = target.mapv($type::from_f32);
                        assert_eq!(numbers.mapv($type::to_f32), *target, "the inputs are exact");
                        Examples::new(&prediction, &numbers)
                    }
                };
                assert_eq!(
                    prediction.mapv($type::to_f32),
                    batch.prediction,
                    "the inputs are exact"
                );
                let again = cost.value_and_gradient_of(&examples, &mut narrow).unwrap();
                assert_eq!(again.to_bits(), value, "{loss} in {}", stringify!($type));
                assert_eq!(
                    narrow,
                    gradient.mapv($type::from_f32),
                    "{loss} in {}",
                    stringify!($type)
                );
            };
        }
        halves!(f16);
        halves!(bf16);

        let prediction = batch.prediction.mapv(f64::from);
        let numbers;
        let examples = match &batch.target {
            Target::Labels(labels) => Examples::new(&prediction, labels),
            Target::Numbers(target) => {
                numbers = target.mapv(f64::from);
                Examples::new(&prediction, &numbers)
            }
        };
        let (mut narrow, mut wide) = (vec![0f32; batch.len()], vec![0.0; batch.len()]);
        cost.losses_of(&batch.examples(), &mut narrow).unwrap();
        cost.losses_of(&examples, &mut wide).unwrap();
        let is_signed =
            loss.form() != Form::ClassAxis && (is_sum(loss) || wide.iter().any(|loss| *loss < 0.0));
        for (at, (&narrow, &wide)) in narrow.iter().zip(&wide).enumerate() {
            let off = (f64::from(narrow) - wide).abs();
            let small = f64::from(f32::MIN_POSITIVE);
            let epsilon = f64::from(f32::EPSILON);
            // Parameters are rounded, too.
            let rounded = loss.parameters().iter().map(|p| (p - f64::from(*p as f32)).abs());
            let slack: f64 = rounded.filter(|slack| slack.is_finite()).sum();
            // And what a steep loss makes of the rounding of its numbers.
            let reach =
                batch.prediction.index_axis(Axis(0), at).fold(4.0f32, |a, p| a.max(p.abs()));
            let slope = gradient.index_axis(Axis(0), at).fold(0.0f32, |a, g| a.max(g.abs()));
            let slope = f64::from(slope) * batch.len() as f64;
            let slack = slack + 2.0 * epsilon * slope * f64::from(reach);
            let limit = 4.0 * epsilon * wide.abs().max(small) + slack;
            let beyond = wide.abs() > f64::from(f32::MAX) && narrow.is_infinite();
            let is_exact = off <= limit || f64::from(narrow) == wide || beyond;
            // A loss that passes through 0 is the sum of terms, which have the rounding.
            let is_near = || {
                let numbers = batch.prediction.index_axis(Axis(0), at).mapv(f64::from);
                let Target::Numbers(target) = &batch.target else { return false };
                let target = [f64::from(target[[at].as_slice()])];
                let definition = Definition::new(loss, 1, Precision::Single);
                let prediction = numbers.iter().copied().collect::<Vec<_>>();
                let terms = definition.terms(0, &prediction, &target, 0).to_f64();
                is_signed && off <= 4.0 * epsilon * terms
            };
            assert!(is_exact || is_near(), "{loss}: {narrow:e} {wide:e}");
        }
    });
}

/// The same numbers as views see them in larger arrays: with the step of the view, and whether it
/// is transposed.
fn layouts<T: Copy + Default>(array: &ArrayD<T>) -> Vec<(&'static str, ArrayD<T>, isize, bool)> {
    let every = |step: isize, transposed: bool| {
        let source = if transposed { array.t() } else { array.view() };
        let shape: Vec<usize> = source.shape().iter().map(|n| n * step.unsigned_abs()).collect();
        let mut wide = ArrayD::from_elem(shape, T::default());
        wide.slice_each_axis_mut(|_| Slice::new(0, None, step)).assign(&source);
        wide
    };
    vec![
        ("reversed", every(-1, false), -1, false),
        ("strided", every(2, false), 2, false),
        ("reversed and strided", every(-3, false), -3, false),
        ("transposed", every(1, true), 1, true),
        ("transposed, reversed and strided", every(-2, true), -2, true),
    ]
}

#[test]
fn memory_layout_makes_no_difference() {
    fn view<T>(wide: &ArrayD<T>, step: isize, transposed: bool) -> ndarray::ArrayViewD<'_, T> {
        let view = wide.slice_each_axis(|_| Slice::new(0, None, step));
        if transposed { view.reversed_axes() } else { view }
    }
    for_every_batch(4500, 3, |loss, batch, _| {
        let cost = Cost::new(loss.clone());
        // Pointwise examples as a matrix, so that there is something to transpose.
        let square = |array: &ArrayD<f32>| {
            let is_pointwise = loss.form() == Form::Pointwise;
            let shape = if is_pointwise { &[45, 100] } else { array.shape() };
            array.to_shape(shape).unwrap().to_owned()
        };
        let prediction = square(&batch.prediction);
        let expected = bits(&cost, &batch.examples(), batch.prediction.shape());
        let expected = (expected.0, expected.1.to_shape(prediction.shape()).unwrap().to_owned());
        for (at, (name, wide, step, transposed)) in layouts(&prediction).into_iter().enumerate() {
            let prediction: Array<'_> = view(&wide, step, transposed).into();
            let (numbers, labels);
            let target: Array<'_> = match &batch.target {
                Target::Numbers(target) => {
                    numbers = layouts(&square(target)).swap_remove(at).1;
                    view(&numbers, step, transposed).into()
                }
                Target::Labels(target) => {
                    labels = layouts(target).swap_remove(at).1;
                    view(&labels, step, transposed).into()
                }
            };
            let mut out = ArrayD::<f32>::from_elem(wide.shape(), 77.0);
            let to = out.slice_each_axis_mut(|_| Slice::new(0, None, step));
            let to: ArrayMut<'_> = if transposed { to.reversed_axes() } else { to }.into();
            let value = cost.value_and_gradient(prediction, target, to).unwrap();
            assert_eq!(value.to_bits(), expected.0, "{loss}, {name}");
            let found = view(&out, step, transposed).mapv(f32::to_bits);
            assert_eq!(found, expected.1, "{loss}, {name}");
            let untouched = out.iter().filter(|x| **x == 77.0).count();
            assert_eq!(untouched, out.len() - found.len(), "{loss}, {name}: written between");
        }
    });
}

#[test]
fn nan_stays_in_its_example() {
    for_every_batch(300, 4, |loss, batch, _| {
        let cost = Cost::new(loss.clone()).reduction(Reduction::None);
        let run = |batch: &Batch| {
            let mut losses = vec![0f32; batch.len()];
            let mut gradient = ArrayD::<f32>::zeros(batch.prediction.shape());
            cost.losses_of(&batch.examples(), &mut losses).unwrap();
            cost.gradient_of(&batch.examples(), &mut gradient).unwrap();
            (losses, gradient)
        };
        let (losses, gradient) = run(batch);
        let mut broken = batch.pick(&(0..300).collect::<Vec<_>>());
        broken.prediction.index_axis_mut(Axis(0), 7).fill(f32::NAN);
        let (after, slopes) = run(&broken);
        for row in 0..300 {
            let (a, b) = (gradient.index_axis(Axis(0), row), slopes.index_axis(Axis(0), row));
            if row == 7 {
                assert!(after[row].is_nan() && b.iter().any(|x| x.is_nan()), "{loss}");
            } else {
                assert!(after[row].to_bits() == losses[row].to_bits() && a == b, "{loss}: {row}");
            }
        }
        assert!(cost.reduction(Reduction::Mean).value_of(&broken.examples()).unwrap().is_nan());
    });
}

/// The value of a parameter of this name, if there is one.
fn parameter(loss: &Loss, name: &str) -> Option<f64> {
    let at = loss.description().parameters.iter().position(|parameter| parameter.name == name);
    at.map(|at| loss.parameters()[at])
}

/// Whether a loss of the margin still has a slope where the class is as sure as can be. If it falls
/// there, it must fall on; if it rises, because that is too sure, the least before it must be 0.
fn has_no_flat_end(loss: &Loss) -> bool {
    let cost = Cost::new(loss.clone());
    let at = |margin: f64| {
        let mut slope = [0.0];
        let value = cost.value_and_gradient(&[margin], &[1.0], &mut slope).unwrap();
        (value, slope[0])
    };
    let slope = at(1e4).1;
    if slope < 0.0 {
        let falling = [1e4, 1e6, 1e8, 1e10].map(|margin| at(margin).0);
        assert!(falling.is_sorted_by(|a, b| a > b) && falling[3] > 0.0, "{loss}: {falling:?}");
    }
    if slope > 0.0 {
        let best = minimiser(&cost, &[1.0], -1e4, 1e4);
        assert!(at(best).0 < 1e-28, "{loss}: {} at {best}", at(best).0);
    }
    slope != 0.0
}

/// What a perfect prediction is follows from what a prediction and a target are.
#[test]
fn a_perfect_prediction_costs_nothing_and_has_no_slope() {
    for entry in catalog() {
        for loss in settings(entry) {
            let description = loss.description();
            let domains = (description.prediction, description.target);
            // What a smoothed target is costs something, whatever is predicted.
            if domains.1 == Domain::Unit && parameter(&loss, "label_smoothing").unwrap_or(0.0) > 0.0
            {
                continue;
            }
            // Predictions with their targets, and whether the slope there is that of a minimum:
            // at the end of a domain it need not be.
            let (perfect, is_inside): (Vec<(f64, f64)>, bool) = match (description.task, domains) {
                (Task::Regression, _) => {
                    let targets = [0.0, 1.0, -3.5, 1e-30, 1e30].into_iter();
                    let inside =
                        targets.filter(|y| domains.0.contains(*y) && domains.1.contains(*y));
                    (inside.map(|y| (y, y)).collect(), true)
                }
                (Task::Counts, (Domain::Real, _)) => (vec![(0.0, 1.0)], true),
                (Task::Counts, _) => (vec![(1.0, 1.0), (2.5, 2.5)], true),
                (Task::Binary, (Domain::Unit, Domain::Unit)) => {
                    (vec![(0.0, 0.0), (1.0, 1.0)], false)
                }
                // As sure as can be of the right class.
                (Task::Binary, (Domain::Real, Domain::Unit)) => {
                    (vec![(-1e4, 0.0), (1e4, 1.0)], true)
                }
                (Task::Binary, (Domain::Real, Domain::Sign)) => {
                    if has_no_flat_end(&loss) {
                        continue;
                    }
                    (vec![(-1e4, -1.0), (1e4, 1.0)], true)
                }
                // A distance of nothing for what is alike, and a long one for what is not.
                (Task::Binary, (Domain::NonNegative, Domain::Sign)) => {
                    (vec![(0.0, 1.0), (1e4, -1.0)], false)
                }
                (Task::Multiclass, _) => {
                    // What is off by default, such as smoothing or a penalty, costs something.
                    let mut settings = description.parameters.iter().zip(loss.parameters());
                    if settings.all(|(parameter, &x)| parameter.default != 0.0 || x == 0.0) {
                        let sure = match domains.0 {
                            Domain::Unit => [0.0, 1.0],
                            Domain::LogProbability => [f64::NEG_INFINITY, 0.0],
                            _ => [-1e30, 1e30],
                        };
                        let row = match description.row_form {
                            RowForm::ScoreAndThresholds => [0.0, -1e4, 1e4],
                            RowForm::Classes => [sure[0], sure[1], sure[0]],
                        };
                        let prediction = ndarray::arr2(&[row]);
                        let value = Cost::new(loss.clone()).value(&prediction, &[1i64]).unwrap();
                        assert_eq!(value, 0.0, "{loss}");
                    }
                    continue;
                }
                // What is predicted is a distribution: nothing is perfect for one target.
                (Task::Distribution, _) => continue,
                (task, domains) => panic!("{loss}: what is perfect for {task} over {domains:?}?"),
            };
            let (prediction, target): (Vec<f64>, Vec<f64>) = perfect.into_iter().unzip();
            let cost = Cost::new(loss.clone()).reduction(Reduction::Sum);
            let mut gradient = vec![1.0; prediction.len()];
            let value = cost.value_and_gradient(&prediction, &target, &mut gradient).unwrap();
            // What is added by a switch is the same everywhere.
            let added =
                description.parameters.iter().zip(loss.parameters()).any(|(parameter, value)| {
                    parameter.range.kind == Kind::Switch && *value != 0.0
                });
            // A likelihood of counts is not 1.
            let added = added || description.task == Task::Counts;
            assert!(value == 0.0 || added, "{loss}: {value}");
            assert!(
                !is_inside || gradient.iter().all(|slope| *slope == 0.0),
                "{loss}: {gradient:?}"
            );
        }
    }
}

/// The constant prediction that costs least, by the sign of the slope.
fn minimiser(cost: &Cost, target: &[f64], low: f64, high: f64) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        let mut gradient = vec![0.0; target.len()];
        let prediction = vec![middle; target.len()];
        cost.value_and_gradient(&prediction, target, &mut gradient).unwrap();
        let slope: f64 = gradient.iter().sum();
        if slope < 0.0 { low = middle } else { high = middle }
    }
    high
}

#[test]
fn the_best_constant_is_the_functional() {
    let logit = |p: f64| (p / (1.0 - p)).ln();
    let mut checked = 0;
    for loss in losses(Form::Pointwise) {
        let mut rng = Rng::named(loss.id());
        // An odd number of targets has one median, and no level here is a multiple of 1/101.
        let target: Vec<f64> = (0..101).map(|_| rng.inside(loss.description().target)).collect();
        let mut sorted = target.clone();
        sorted.sort_by(f64::total_cmp);
        let mean = target.iter().sum::<f64>() / 101.0;
        let share = target.iter().filter(|y| **y > 0.0).count() as f64 / 101.0;
        let quantile = |level: f64| sorted[((level * 101.0).ceil() as usize).clamp(1, 101) - 1];
        let named = |name| parameter(&loss, name);
        let smoothing = named("label_smoothing").unwrap_or(0.0);
        let smoothed = mean * (1.0 - smoothing) + smoothing / 2.0;
        let positive =
            if named("balanced") == Some(1.0) { named("alpha").unwrap_or(0.5) } else { 0.5 };
        let first = loss.parameters().first().copied();
        let (functional, low, high) = match (loss.id(), first) {
            ("squared_error", _) => (mean, -10.0, 10.0),
            ("binary_cross_entropy", _) => (smoothed, 0.0, 1.0),
            ("brier", _) => (mean, 0.0, 1.0),
            ("binary_cross_entropy_with_logits", _) => {
                let odds = named("pos_weight").unwrap_or(1.0) * smoothed / (1.0 - smoothed);
                (odds.ln(), -40.0, 40.0)
            }
            ("logistic" | "savage", _) => (logit(share), -10.0, 10.0),
            ("exponential", _) => (logit(share) / 2.0, -10.0, 10.0),
            ("modified_huber", _) => (2.0 * share - 1.0, -10.0, 10.0),
            ("tangent", _) => ((share - 0.5).tan(), -10.0, 10.0),
            // Without its power it is cross-entropy of classes with weights.
            ("sigmoid_focal", _) if named("gamma") == Some(0.0) => {
                (logit(mean) + logit(positive), -10.0, 10.0)
            }
            ("poly1_binary", Some(0.0)) => (logit(mean), -10.0, 10.0),
            ("absolute_error", _) => (quantile(0.5), -10.0, 10.0),
            ("quantile", Some(level)) if level > 0.0 && level < 1.0 => {
                (quantile(level), -10.0, 10.0)
            }
            _ => continue,
        };
        let cost = Cost::new(loss.clone());
        let found = minimiser(&cost, &target, low, high);
        assert!((found - functional).abs() < 1e-9, "{loss}: {found}, not {functional}");
        // And it is the least, not the most.
        let at = |constant: f64| cost.value(&vec![constant; 101], &target).unwrap();
        assert!(at(functional) < at(functional + 0.05) && at(functional) < at(functional - 0.05));
        checked += 1;
    }
    crate::enough(checked, 8);
}

/// The curvature is never negative, is the second derivative of a convex smooth loss, and a parabola
/// with the curvature of a weight lies above its loss.
#[test]
fn curvatures_are_never_negative() {
    for_every_batch(300, 4, |loss, batch, _| {
        let cost = Cost::new(loss.clone()).reduction(Reduction::Sum);
        let zeros = ArrayD::<f32>::zeros(batch.prediction.shape());
        let (mut gradient, mut second) = (zeros.clone(), zeros.clone());
        let (mut again, mut curvature) = (zeros.clone(), zeros);
        let examples = batch.examples();
        let value = cost.value_gradient_and_second_of(&examples, &mut gradient, &mut second);
        let same = cost.value_gradient_and_curvature_of(&examples, &mut again, &mut curvature);
        let (value, same) = (value.unwrap(), same.unwrap());
        assert_eq!((value.to_bits(), &gradient), (same.to_bits(), &again), "{loss}");
        assert!(curvature.iter().all(|c| *c >= 0.0), "{loss}: {curvature}");
        match loss.description().curvature {
            Curvature::One => assert!(curvature.iter().all(|c| *c == 1.0), "{loss}"),
            Curvature::NonNegative => {
                assert_eq!(curvature, second.mapv(|second| second.max(0.0)), "{loss}");
            }
            // A loss that grows faster than its square lies above every parabola.
            Curvature::Weight
                if second.iter().zip(&curvature).any(|(s, c)| *s > c * (1.0 + 1e-5)) => {}
            Curvature::Weight => {
                let Target::Numbers(target) = &batch.target else { panic!("{loss}") };
                for (((&p, &y), &g), &c) in
                    batch.prediction.iter().zip(target).zip(&gradient).zip(&curvature)
                {
                    let at = |p: f64| {
                        let cost = Cost::new(loss.clone());
                        cost.value(&[p], &[f64::from(y)]).unwrap()
                    };
                    let [p, g, c] = [p, g, c].map(f64::from);
                    // Where the slope jumps, no parabola lies above.
                    if p == f64::from(y) {
                        continue;
                    }
                    for step in [-3.0, -0.25, 0.25, 3.0] {
                        let bound = at(p) + g * step + 0.5 * c * step * step;
                        let slack = 1e-5 * (1.0 + bound.abs());
                        assert!(at(p + step) <= bound + slack, "{loss} at {p}, {y}, by {step}");
                    }
                }
            }
        }
    });
}

/// The constants of several predicted numbers that cost least: there the slope by each is 0, and a
/// step in any direction costs more.
#[test]
fn the_best_constants_describe_the_sample() {
    let mut checked = 0;
    for loss in losses(Form::Joint) {
        let mut rng = Rng::named(loss.id());
        let description = loss.description();
        let target: Vec<f64> = (0..101).map(|_| rng.inside(description.target)).collect();
        let mut sorted = target.clone();
        sorted.sort_by(f64::total_cmp);
        let mean_of = |f: &dyn Fn(f64) -> f64| target.iter().map(|&y| f(y)).sum::<f64>() / 101.0;
        let mean = mean_of(&|y| y);
        let variance = mean_of(&|y| (y - mean).powi(2));
        let quantile = |level: f64| sorted[((level * 101.0).ceil() as usize).clamp(1, 101) - 1];
        let median = quantile(0.5);
        let best = match (loss.id(), loss.parameters()) {
            ("gaussian_nll", _) => vec![mean, variance],
            ("gaussian_nll_log_variance", _) => vec![mean, variance.ln()],
            ("laplace_nll", _) => vec![median, mean_of(&|y| (y - median).abs())],
            ("log_normal_nll", _) => {
                let centre = mean_of(&f64::ln);
                vec![centre, mean_of(&|y| (y.ln() - centre).powi(2)).sqrt()]
            }
            ("multi_quantile", &[low, high]) => {
                vec![quantile(low), quantile(f64::midpoint(low, high)), quantile(high)]
            }
            ("crps_quantiles", _) => vec![quantile(1.0 / 6.0), quantile(0.5), quantile(5.0 / 6.0)],
            _ => continue,
        };
        let cost = Cost::new(loss.clone());
        let constant =
            |row: &[f64]| ArrayD::from_shape_fn(IxDyn(&[101, row.len()]), |index| row[index[1]]);
        let at = |row: &[f64]| cost.value(&constant(row), &target).unwrap();
        let prediction = constant(&best);
        let mut gradient = prediction.clone();
        let least = cost.value_and_gradient(&prediction, &target, &mut gradient).unwrap();
        for place in 0..best.len() {
            let slope = gradient.index_axis(Axis(1), place).sum();
            // At a kink it may be anything between that of one target more and of one less.
            let kink = if loss.id().contains("quantile") || loss.id().contains("laplace") {
                2.0 / 101.0 / best[1].abs().min(1.0)
            } else {
                1e-12
            };
            assert!(slope.abs() <= kink, "{loss}: slope {slope} by {place} at {best:?}");
            for step in [0.05, -0.05] {
                let mut moved = best.clone();
                moved[place] += step;
                assert!(at(&moved) > least, "{loss} at {moved:?}");
            }
        }
        checked += 1;
    }
    crate::enough(checked, 8);
}
