//! Kernels over a class axis against their definition: by jets in random directions, and with many
//! digits where scores are far apart.

use crate::{available, losses};
use lossfn::number::Jet;
use lossfn::{
    ClassBlock, ClassKernels, ClassOutputs, ClassTargets, Cost, Denominator, Description, Domain,
    Error, Examples, Form, Hessian, InstructionSet, Loss, RowForm,
};
use lossfn_testkit::judge::{CEILING, cancellation, distance, underflow};
use lossfn_testkit::none_wrong;
use lossfn_testkit::points::{Precision, Rng, is_default};
use lossfn_testkit::precise::Definition;
use rayon::prelude::*;

/// Around the lengths at which kernels change their stride, and beyond their longest run.
const CLASSES: [usize; 9] = [1, 2, 3, 15, 16, 17, 33, 257, 300];

/// The lengths that a loss is tried with: all, or for other settings than its own a few.
fn lengths(loss: &Loss) -> &'static [usize] {
    if is_default(loss) { &CLASSES } else { &[1, 3, 17] }
}

enum Targets {
    Labels(Vec<Option<usize>>),
    Distributions(Vec<f64>),
}

/// Rows of scores with targets, as a kernel takes them. All numbers are f32 numbers.
struct Rows {
    classes: usize,
    prediction: Vec<f64>,
    targets: Targets,
    class_weights: Option<Vec<f64>>,
    smoothing: f64,
}

impl Rows {
    /// Rows of ordinary scores, or of probabilities.
    fn random(
        kernels: &dyn ClassKernels,
        description: &Description,
        classes: usize,
        rng: &mut Rng,
    ) -> Vec<Self> {
        let rows = 3;
        let labels = (0..rows).map(|row| (row != 1).then(|| rng.below(classes))).collect();
        let mut share = |_| if rng.below(4) == 0 { 0.0 } else { rng.unit() / 8.0 };
        let distributions = (0..rows * classes).map(&mut share).collect();
        let weights: Vec<f64> = (0..classes).map(|_| rng.unit() * 2.0).collect();
        // Where a class has no part of the loss for itself, it has no weight.
        let weights = kernels.is_linear_in_target().then_some(weights);
        let choices = [
            (Targets::Labels(labels), None),
            (Targets::Distributions(distributions), weights.clone()),
            (Targets::Labels((0..rows).map(|_| Some(rng.below(classes))).collect()), weights),
        ];
        let smoothing = kernels.smoothing().unwrap_or(0.0);
        let choices = choices.into_iter().map(|(targets, class_weights)| {
            let inside = |_| rng.inside(description.prediction);
            let mut prediction: Vec<f64> = (0..rows * classes).map(inside).collect();
            if description.row_form == RowForm::ScoreAndThresholds {
                for row in prediction.chunks_mut(classes) {
                    row[1..].sort_by(f64::total_cmp);
                }
            }
            Self { classes, prediction, targets, class_weights, smoothing }
        });
        choices.collect()
    }

    fn rows(&self) -> usize {
        self.prediction.len() / self.classes
    }

    /// The target of a row as a distribution, smoothed and weighted; `None` if it is left out.
    fn distribution(&self, row: usize) -> Option<Vec<f64>> {
        let own = |class: usize| match &self.targets {
            Targets::Labels(labels) => labels[row].map(|label| f64::from(u8::from(label == class))),
            Targets::Distributions(y) => Some(y[row * self.classes + class]),
        };
        let spread = self.smoothing / self.classes as f64;
        let weight = |class: usize| self.class_weights.as_ref().map_or(1.0, |all| all[class]);
        let shares = (0..self.classes).map(|class| {
            own(class).map(|own| (own * (1.0 - self.smoothing) + spread) * weight(class))
        });
        shares.collect()
    }

    /// Value of each row, gradient and second derivative by each score.
    fn run(
        &self,
        kernels: &dyn ClassKernels,
        set: InstructionSet,
        precision: Precision,
    ) -> [Vec<f64>; 3] {
        let mut value = vec![0.0; self.rows()];
        macro_rules! run {
            ($float:ident, $run:ident) => {{
                let narrow = |all: &[f64]| all.iter().map(|&x| x as $float).collect::<Vec<_>>();
                let prediction = narrow(&self.prediction);
                let distributions;
                let targets = match &self.targets {
                    Targets::Labels(labels) => ClassTargets::Labels(labels),
                    Targets::Distributions(y) => {
                        distributions = narrow(y);
                        ClassTargets::Distributions(&distributions)
                    }
                };
                let block = ClassBlock {
                    classes: self.classes,
                    prediction: &prediction,
                    targets,
                    class_weights: self.class_weights.as_deref(),
                    smoothing: self.smoothing,
                };
                let mut gradient: Vec<$float> = vec![0.0; prediction.len()];
                let mut second = gradient.clone();
                let to = ClassOutputs {
                    value: &mut value,
                    gradient: &mut gradient,
                    second: &mut second,
                };
                kernels.$run(set, &block, to);
                let wide = |all: Vec<$float>| all.into_iter().map(f64::from).collect::<Vec<_>>();
                [wide(gradient), wide(second)]
            }};
        }
        let [gradient, second] = match precision {
            Precision::Single => run!(f32, run_f32),
            Precision::Double => run!(f64, run_f64),
        };
        [value, gradient, second]
    }
}

/// What a small parameter divides, as a temperature does, it makes larger, and so its rounding; so does
/// a large one that multiplies, as an exponent does with a logarithm.
fn stretch(loss: &Loss) -> f64 {
    let positive = loss.parameters().iter().filter(|x| **x > 0.0);
    positive.fold(1.0, |stretch: f64, x| stretch.max(*x).max(1.0 / x))
}

fn close(found: f64, expected: f64, scale: f64, epsilon: f64) -> bool {
    (found - expected).abs() <= 32.0 * epsilon * scale.max(expected.abs())
}

/// The definition in f64 and how far its roundings carry: what it changes by where predictions change
/// in the last place. `None` where it leaves the range of f64 on the way, as e^score does.
fn definition(
    kernels: &dyn ClassKernels,
    prediction: &[f64],
    target: &[f64],
    direction: &[f64],
    rng: &mut Rng,
) -> Option<(Jet<f64>, Jet<f64>)> {
    let jet = kernels.reference(prediction, target, direction);
    let is_finite = |jet: &Jet<f64>| {
        jet.value.is_finite() && jet.gradient().is_finite() && jet.curvature().is_finite()
    };
    let mut noise = Jet { value: 0.0, first: Some(0.0), second: Some(0.0) };
    for _ in 0..8 {
        let beside: Vec<f64> =
            prediction.iter().map(|&p| Precision::Double.neighbours(p)[2 * rng.below(2)]).collect();
        let moved = kernels.reference(&beside, target, direction);
        if !is_finite(&moved) {
            return None;
        }
        let wider = |noise: f64, a: f64, b: f64| noise.max((a - b).abs());
        noise = Jet {
            value: wider(noise.value, moved.value, jet.value),
            first: Some(wider(noise.gradient(), moved.gradient(), jet.gradient())),
            second: Some(wider(noise.curvature(), moved.curvature(), jet.curvature())),
        };
    }
    is_finite(&jet).then_some((jet, noise))
}

#[test]
fn gradients_are_the_directional_derivatives_of_the_definition() {
    let mut checked = 0;
    for loss in losses(Form::ClassAxis) {
        let kernels = loss.class_kernels().expect("a loss over classes");
        let description = loss.description();
        let mut rng = Rng::named(loss.id());
        let stretch = stretch(&loss);
        for &classes in lengths(&loss) {
            for rows in Rows::random(kernels, description, classes, &mut rng) {
                for (set, precision) in
                    available().flat_map(|set| [(set, Precision::Single), (set, Precision::Double)])
                {
                    let epsilon = precision.epsilon();
                    let [value, gradient, second] = rows.run(kernels, set, precision);
                    for (row, &value) in value.iter().enumerate() {
                        let span = row * classes..(row + 1) * classes;
                        let prediction = &rows.prediction[span.clone()];
                        let gradient = &gradient[span.clone()];
                        let Some(target) = rows.distribution(row) else {
                            assert!(value == 0.0 && gradient.iter().all(|g| *g == 0.0));
                            continue;
                        };
                        let case = format!(
                            "{} {precision:?} {loss}, {classes} classes, row {row}",
                            set.name()
                        );
                        for _ in 0..3 {
                            let direction: Vec<f64> =
                                (0..classes).map(|_| rng.between(-1.0, 1.0)).collect();
                            let Some((jet, noise)) =
                                definition(kernels, prediction, &target, &direction, &mut rng)
                            else {
                                continue;
                            };
                            // The definition sums exponentials as they are, in f64; the scores
                            // that it subtracts from their logarithm are up to 4.
                            let total: f64 = target.iter().sum();
                            let by_definition =
                                32.0 * f64::EPSILON * 8.0 * stretch * total + noise.value;
                            let off = (value - jet.value).abs();
                            assert!(
                                off <= 32.0 * epsilon * jet.value.abs() + by_definition,
                                "{case}: value {value:e}, not {:e}",
                                jet.value
                            );
                            let terms = || gradient.iter().zip(&direction).map(|(g, d)| g * d);
                            let (slope, scale) =
                                (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
                            // A gradient is itself a difference of shares of the target.
                            let scale = scale + stretch * total;
                            let scale = scale + noise.gradient() / epsilon;
                            assert!(
                                close(slope, jet.gradient(), scale, epsilon),
                                "{case}: slope {slope:e}, not {:e}",
                                jet.gradient()
                            );
                            checked += 1;
                        }
                        // Twice along the axis of one score.
                        let class = rng.below(classes);
                        let mut axis = vec![0.0; classes];
                        axis[class] = 1.0;
                        let Some((jet, noise)) =
                            definition(kernels, prediction, &target, &axis, &mut rng)
                        else {
                            continue;
                        };
                        let found = second[span.start + class];
                        let total: f64 = target.iter().sum();
                        assert!(
                            close(
                                found,
                                jet.curvature(),
                                stretch * stretch * total + noise.curvature() / epsilon,
                                epsilon
                            ),
                            "{case}: second {found:e}, not {:e}",
                            jet.curvature()
                        );
                        assert!(
                            close(
                                gradient[class],
                                jet.gradient(),
                                stretch * total + noise.gradient() / epsilon,
                                epsilon
                            ),
                            "{case}: gradient {:e}, not {:e}",
                            gradient[class],
                            jet.gradient()
                        );
                    }
                }
            }
        }
    }
    crate::enough(checked, 1000);
}

/// Rows at which things go wrong if they do.
fn hard_rows(domain: Domain, precision: Precision) -> Vec<Vec<f64>> {
    let (smallest, normal) = (precision.smallest(), precision.smallest_normal());
    let rows = if domain == Domain::Unit {
        vec![
            vec![1.0],
            vec![smallest, 1.0],
            vec![normal, 1.0 - precision.epsilon()],
            vec![-0.0, 0.25, 0.75],
            vec![0.1, 0.2, 0.7],
            vec![1e-30, 1e-7, 1.0],
        ]
    } else if domain == Domain::LogProbability {
        vec![
            vec![0.0],
            vec![-3.5],
            vec![-0.75, -0.625],
            vec![-40.0, -0.0],
            vec![-1e-30, -87.0, -15.0],
            vec![-300.0, -0.5, -700.0],
            vec![-1e-7, -smallest, -normal],
            vec![-1e4, -1.0, -2.0, -3.0],
        ]
    } else {
        vec![
            vec![0.0],
            vec![-3.5],
            vec![0.0, 0.0],
            vec![40.0, 0.0],
            vec![0.0, -87.0, 15.0],
            vec![300.0, 301.0, -700.0],
            vec![44.0, 10.0, 22.0, 5.0],
            vec![1e-30, smallest, -normal],
            vec![1e4, 9999.0, -1e4],
            vec![2.0, 2.0 - precision.epsilon(), 2.0],
        ]
    };
    let round = |row: Vec<f64>| row.into_iter().map(|x| precision.round(x)).collect();
    rows.into_iter().map(round).collect()
}

#[test]
fn kernels_agree_with_differences_of_the_definition() {
    let results: Vec<(usize, Vec<String>)> = losses(Form::ClassAxis)
        .par_iter()
        .flat_map(|loss| [Precision::Single, Precision::Double].map(|precision| (loss, precision)))
        .map(|(loss, precision)| held_to_the_definition(loss, precision))
        .collect();
    let checked: usize = results.iter().map(|(checked, _)| checked).sum();
    crate::enough(checked, 1000);
    none_wrong(&results.into_iter().flat_map(|(_, wrong)| wrong).collect::<Vec<_>>());
}

fn held_to_the_definition(loss: &Loss, precision: Precision) -> (usize, Vec<String>) {
    let kernels = loss.class_kernels().expect("a loss over classes");
    let (mut checked, mut wrong) = (0, Vec::new());
    // Smoothing rounds the target, which is then another one; it is checked by jets.
    if kernels.smoothing().is_some_and(|smoothing| smoothing != 0.0) {
        return (0, wrong);
    }
    // With many digits a row takes long; other settings get a part of the rows, not all the same.
    let every = if is_default(loss) { 1 } else { 6 };
    let first = Rng::named(&loss.to_string()).below(every);
    let rows = hard_rows(loss.description().prediction, precision);
    for prediction in rows.into_iter().skip(first).step_by(every) {
        let classes = prediction.len();
        let definition = Definition::new(loss, classes, precision);
        let mut targets: Vec<Targets> =
            (0..classes).map(|label| Targets::Labels(vec![Some(label)])).collect();
        let shares = (1..=classes).map(|class| class as f64 / 16.0).collect();
        targets.push(Targets::Distributions(shares));
        for targets in targets {
            let rows = Rows {
                classes,
                prediction: prediction.clone(),
                targets,
                class_weights: None,
                smoothing: 0.0,
            };
            let target = rows.distribution(0).expect("no row is left out");
            let truths: Vec<_> =
                (0..classes).map(|class| definition.truth(&prediction, &target, class)).collect();
            for set in available() {
                let [value, gradient, second] = rows.run(kernels, set, precision);
                // A parameter that divides the scores divides a second derivative twice.
                let small = underflow(loss.parameters(), precision) * stretch(loss) * stretch(loss);
                let mut check = |order: usize, found: f64, class: usize, slack: f64| {
                    let span = truths[class].order(order);
                    let off = distance(found, span, precision);
                    let low = span.low.to_f64();
                    checked += 1;
                    let is_near = (found - low).abs() <= slack.max(small);
                    let is_limit = || {
                        order > 0 && definition.tends_to(found, order, &prediction, &target, class)
                    };
                    if off > CEILING && !is_near && !is_limit() {
                        wrong.push(format!(
                            "{} {precision:?} {loss} at {prediction:?}, {target:?}: \
                             order {order} by {class}: {found:e}, not {low:e} ({off} ulp)",
                            set.name()
                        ));
                    }
                };
                // The kernel sums in f64 and leaves the rounding to the caller.
                let rounded = precision.round(value[0]);
                check(0, rounded, 0, 0.0);
                for class in 0..classes {
                    let slack = cancellation(&target, class, precision);
                    check(1, gradient[class], class, slack);
                    // This is such a difference, too, but one with digits to spare.
                    check(2, second[class], class, slack / 1024.0);
                }
            }
        }
    }
    (checked, wrong)
}

#[test]
fn instruction_sets_agree() {
    for loss in losses(Form::ClassAxis) {
        let kernels = loss.class_kernels().expect("a loss over classes");
        let mut rng = Rng::named(loss.id());
        for &classes in lengths(&loss) {
            for rows in Rows::random(kernels, loss.description(), classes, &mut rng) {
                for precision in [Precision::Single, Precision::Double] {
                    let all: Vec<_> = available()
                        .filter(|set| *set != InstructionSet::Portable)
                        .map(|set| rows.run(kernels, set, precision))
                        .collect();
                    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{loss}: fused sets");
                    let portable = rows.run(kernels, InstructionSet::Portable, precision);
                    for fused in &all {
                        for (a, b) in fused[0].iter().zip(&portable[0]) {
                            let scale = a.abs() * precision.epsilon();
                            assert!(
                                a == b || (a - b).abs() <= 2.0 * scale,
                                "{loss} {precision:?}: {a:e} {b:e}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn nan_comes_out_of_the_row_that_it_went_into_and_of_no_other() {
    for loss in losses(Form::ClassAxis) {
        let kernels = loss.class_kernels().expect("a loss over classes");
        let mut rng = Rng::named(loss.id());
        for &classes in lengths(&loss) {
            let mut all = Rows::random(kernels, loss.description(), classes, &mut rng);
            let mut rows = all.swap_remove(1);
            rows.class_weights = None;
            // A class without a share of the target need not be looked at.
            if let Targets::Distributions(y) = &mut rows.targets {
                y.iter_mut().filter(|y| **y == 0.0).for_each(|y| *y = 1.0 / 16.0);
            }
            for (set, precision) in
                available().flat_map(|set| [(set, Precision::Single), (set, Precision::Double)])
            {
                let before = rows.run(kernels, set, precision);
                for in_target in [false, true] {
                    let at = classes + rng.below(classes);
                    let Targets::Distributions(y) = &mut rows.targets else { unreachable!() };
                    let place = if in_target { &mut y[at] } else { &mut rows.prediction[at] };
                    let kept = std::mem::replace(place, f64::NAN);
                    let after = rows.run(kernels, set, precision);
                    let Targets::Distributions(y) = &mut rows.targets else { unreachable!() };
                    let place = if in_target { &mut y[at] } else { &mut rows.prediction[at] };
                    *place = kept;
                    for order in 0..3 {
                        let width = if order == 0 { 1 } else { classes };
                        for (place, (a, b)) in before[order].iter().zip(&after[order]).enumerate() {
                            let expected = if place / width != 1 {
                                a.to_bits() == b.to_bits()
                            } else if order == 0 || place == at {
                                b.is_nan()
                            } else {
                                // Of the other scores of its row it depends on the loss.
                                b.is_nan() || a.to_bits() == b.to_bits()
                            };
                            assert!(
                                expected,
                                "{} {loss}, {classes} classes, order {order}, {place}, \
                                 NaN at {at}: {a} became {b}",
                                set.name()
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn losses_that_are_linear_in_the_target_have_class_weights_and_no_others() {
    let mut checked = 0;
    for loss in losses(Form::ClassAxis) {
        let kernels = loss.class_kernels().expect("a loss over classes");
        let mut rng = Rng::named(loss.id());
        let domain = loss.description().prediction;
        let prediction: Vec<f64> = (0..4).map(|_| rng.inside(domain)).collect();
        let mut shares = || (0..4).map(|_| rng.unit() + 0.1).collect::<Vec<f64>>();
        let of = |target: &[f64]| kernels.reference(&prediction, target, &[0.0; 4]).value;
        let (mut one, mut other) = (shares(), shares());
        // Sets of classes differ by what is not in them; a divergence may need some of each.
        let (mut in_one, mut in_other) = (one.clone(), other.clone());
        (in_one[0], in_other[1]) = (0.0, 0.0);
        if of(&in_one).is_finite() && of(&in_other).is_finite() {
            (one, other) = (in_one, in_other);
        }
        let both: Vec<f64> = one.iter().zip(&other).map(|(a, b)| 0.5 * a + 2.0 * b).collect();
        if !of(&both).is_finite() {
            continue;
        }
        let off = (of(&both) - (0.5 * of(&one) + 2.0 * of(&other))).abs();
        let is_linear = off <= 1e-12 * (of(&one).abs() + of(&other).abs() + 1.0);
        assert_eq!(is_linear, kernels.is_linear_in_target(), "{loss}: off by {off:e}");
        let weighted = Cost::new(loss.clone()).class_weights(&[1.0; 4]);
        match weighted {
            Ok(_) => assert!(is_linear, "{loss} has class weights"),
            Err(Error::DoesNotApply { .. }) => assert!(!is_linear, "{loss} has no class weights"),
            Err(error) => panic!("{loss}: {error}"),
        }
        assert!(is_linear || kernels.smoothing().is_none(), "{loss} has smoothing");
        checked += 1;
    }
    crate::enough(checked, 20);
}

/// The product against what the gradient changes by along the vector, from the definition with many
/// digits.
#[test]
fn products_with_second_derivatives_are_differences_of_gradients() {
    let results: Vec<(usize, Vec<String>)> =
        losses(Form::ClassAxis).par_iter().map(product_held_to_the_definition).collect();
    let checked: usize = results.iter().map(|(checked, _)| checked).sum();
    crate::enough(checked, 200);
    none_wrong(&results.into_iter().flat_map(|(_, wrong)| wrong).collect::<Vec<_>>());
}

fn product_held_to_the_definition(loss: &Loss) -> (usize, Vec<String>) {
    let kernels = loss.class_kernels().expect("a loss over classes");
    let (mut checked, mut wrong) = (0, Vec::new());
    let domain = loss.description().prediction;
    let mut rng = Rng::named(loss.id());
    for classes in [1usize, 2, 4] {
        let definition = Definition::new(loss, classes, Precision::Double);
        let prediction: Vec<f64> = (0..classes).map(|_| rng.inside(domain)).collect();
        let vector: Vec<f64> = (0..classes).map(|_| rng.between(-1.0, 1.0)).collect();
        let target: Vec<f64> = (0..classes).map(|_| rng.unit() + 0.1).collect();
        let rows = |y: &[f64]| ndarray::Array2::from_shape_vec((1, classes), y.to_vec()).unwrap();
        let cost = Cost::new(loss.clone()).denominator(Denominator::Number(4.0));
        let (p, y, v) = (rows(&prediction), rows(&target), rows(&vector));
        let weights = [2.0];
        let examples = Examples::new(&p, &y).weights(&weights);
        let mut product = rows(&vec![0.0; classes]);
        let result = cost.hessian_vector_product_of(&examples, &v, &mut product);
        if kernels.hessian() == Hessian::Unknown {
            assert!(matches!(result, Err(Error::DoesNotApply { .. })), "{loss}: {result:?}");
            return (0, wrong);
        }
        result.unwrap();
        // Smoothing rounds the target, which is then another one.
        if kernels.smoothing().is_some_and(|smoothing| smoothing != 0.0) {
            continue;
        }
        let products: Vec<f64> = definition
            .product(&prediction, &target, &vector)
            .iter()
            .map(|x| 0.5 * x.to_f64())
            .collect();
        let scale = products.iter().fold(0.0, |scale: f64, x| scale.max(x.abs()));
        for (class, (found, expected)) in product.iter().zip(&products).enumerate() {
            checked += 1;
            let off = (found - expected).abs();
            if expected.is_finite() && off > 8.0 * f64::EPSILON * scale.max(f64::MIN_POSITIVE) {
                wrong.push(format!(
                    "{loss} at {prediction:?}, {target:?} by {vector:?}: {found:e} for class \
                     {class}, not {expected:e}"
                ));
            }
        }
    }
    (checked, wrong)
}

#[test]
fn the_loss_of_a_distribution_is_the_expected_loss_where_it_is_said_to_be() {
    let mut checked = 0;
    for loss in losses(Form::ClassAxis) {
        let kernels = loss.class_kernels().expect("a loss over classes");
        if !kernels.is_linear_in_target() || kernels.smoothing().is_some_and(|s| s != 0.0) {
            continue;
        }
        let mut rng = Rng::named(loss.id());
        for classes in [1, 2, 3, 17, 33] {
            let mut all = Rows::random(kernels, loss.description(), classes, &mut rng);
            let mut rows = all.swap_remove(1);
            rows.class_weights = None;
            let set = InstructionSet::in_use();
            let [value, gradient, _] = rows.run(kernels, set, Precision::Double);
            for row in 0..rows.rows() {
                let span = row * classes..(row + 1) * classes;
                let shares = rows.distribution(row).expect("no row is left out");
                let (mut expected, mut slopes) = (0.0, vec![0.0; classes]);
                for (label, share) in shares.iter().enumerate() {
                    let drawn = Rows {
                        classes,
                        prediction: rows.prediction[span.clone()].to_vec(),
                        targets: Targets::Labels(vec![Some(label)]),
                        class_weights: None,
                        smoothing: 0.0,
                    };
                    let [value, gradient, _] = drawn.run(kernels, set, Precision::Double);
                    expected += share * value[0];
                    for (slope, g) in slopes.iter_mut().zip(gradient) {
                        *slope += share * g;
                    }
                }
                let total: f64 = shares.iter().sum();
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-13 * total.max(b.abs());
                assert!(near(value[row], expected), "{loss}: {} {expected}", value[row]);
                for (&found, &slope) in gradient[span].iter().zip(&slopes) {
                    assert!(near(found, slope), "{loss}: slope {found}, not {slope}");
                }
                checked += 1;
            }
        }
    }
    crate::enough(checked, 100);
}
