//! How losses become costs: reductions, denominators, weights, masks, classes, heads, errors.

use half::f16;
use lossfn::losses::binary::{BinaryCrossEntropy, BinaryCrossEntropyWithLogits};
use lossfn::losses::distribution::GaussianNll;
use lossfn::losses::margin::Hinge;
use lossfn::losses::multiclass::{CategoricalCrossEntropy, SoftmaxCrossEntropy};
use lossfn::losses::regression::{AbsoluteError, Huber, LogCosh, SquaredError};
use lossfn::{
    CATALOG, Cost, CostState, Denominator, Domain, Error, Examples, Form, HeadWeight, Heads, Loss,
    NothingValid, Reduction, Results,
};
use lossfn_testkit::points::Rng;
use ndarray::{Array2, Array4, ArrayD, ArrayView2, IxDyn, arr2};

fn squared() -> Cost {
    Cost::new(SquaredError::default())
}

fn softmax() -> Cost {
    Cost::new(SoftmaxCrossEntropy::default())
}

fn is_near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-15 * expected.abs()
}

fn message(error: &Error) -> String {
    error.to_string()
}

#[test]
fn known_values() {
    let huber = Cost::new(Huber::new(1.0).unwrap());
    let (prediction, target) = ([0.0, 1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(huber.value(&prediction, &target).unwrap(), 0.2);

    let categorical = Cost::new(CategoricalCrossEntropy::default());
    let prediction = arr2(&[[0.1, 0.9], [0.9, 0.1]]);
    let target = arr2(&[[0.0, 1.0], [1.0, 0.0]]);
    let value = categorical.value(&prediction, &target).unwrap();
    assert!(is_near(value, 0.105_360_515_657_826_28), "{value}");
    assert_eq!(categorical.value(&prediction, &[1i64, 0]).unwrap(), value);

    let binary = Cost::new(BinaryCrossEntropy::default());
    assert_eq!(binary.value(&[0.5], &[0.0]).unwrap(), std::f64::consts::LN_2);
    let (mut prediction, mut target) = ([0.8; 10], [1.0; 10]);
    (prediction[0], target[0]) = (0.2, 0.0);
    let value = binary.value(&prediction, &target).unwrap();
    assert!(is_near(value, 0.223_143_551_314_209_7), "{value}");
    let value = binary.value(&[0.4, 0.6], &[0.0, 1.0]).unwrap();
    assert!(is_near(value, 0.510_825_623_765_990_7), "{value}");

    let log_cosh = Cost::new(LogCosh::default());
    let value = log_cosh.value(&[1e-4f32], &[0f32]).unwrap();
    assert!((value - 5e-9).abs() < 1e-15, "{value:e}");

    let logits = Cost::new(BinaryCrossEntropyWithLogits::default());
    let mut gradient = [0.0];
    logits.value_and_gradient(&[40.0], &[1.0], &mut gradient).unwrap();
    assert!(is_near(gradient[0], -4.248_354_255_291_589e-18), "{:e}", gradient[0]);
}

#[test]
fn reductions() {
    let (prediction, target) = ([1.0, 2.0, 4.0], [0.0, 0.0, 0.0]);
    let examples = Examples::new(&prediction, &target);
    let mut gradient = [9.0; 3];

    let mean = squared().value_and_gradient_of(&examples, &mut gradient).unwrap();
    assert_eq!((mean, gradient), (7.0, [2.0 / 3.0, 4.0 / 3.0, 8.0 / 3.0]));

    let sum = squared().reduction(Reduction::Sum);
    let mut second = [9.0; 3];
    let value = sum.value_gradient_and_second_of(&examples, &mut gradient, &mut second).unwrap();
    assert_eq!((value, gradient, second), (21.0, [2.0, 4.0, 8.0], [2.0; 3]));

    let none = squared().reduction(Reduction::None);
    let mut losses = [9.0; 3];
    none.losses_of(&examples, &mut losses).unwrap();
    assert_eq!(losses, [1.0, 4.0, 16.0]);
    none.gradient_of(&examples, &mut gradient).unwrap();
    assert_eq!(gradient, [2.0, 4.0, 8.0]);
    assert_eq!(none.value_of(&examples), Err(Error::NoReduction));
    // The losses one by one are the same whatever the reduction.
    squared().losses_of(&examples, &mut losses).unwrap();
    assert_eq!(losses, [1.0, 4.0, 16.0]);
}

#[test]
fn denominators_weights_and_masks() {
    let (prediction, target) = ([1.0, 2.0, 4.0, 8.0], [0.0; 4]);
    let (weights, mask) = ([0.5, 2.0, 1.0, 1.0], [true, true, true, false]);
    let examples = Examples::new(&prediction, &target).weights(&weights).mask(&mask);
    let total = 0.5 + 2.0 * 4.0 + 16.0;
    for (denominator, divisor) in [
        (Denominator::Weights, 3.5),
        (Denominator::Valid, 3.0),
        (Denominator::Examples, 4.0),
        (Denominator::Number(16.0), 16.0),
    ] {
        let cost = squared().denominator(denominator);
        let mut gradient = [9.0; 4];
        let value = cost.value_and_gradient_of(&examples, &mut gradient).unwrap();
        assert_eq!(value, total / divisor, "{denominator}");
        for (slope, expected) in gradient.into_iter().zip([1.0, 8.0, 8.0, 0.0]) {
            assert!(is_near(slope, expected / divisor), "{denominator}: {slope}");
        }
    }
    let mut losses = [9.0; 4];
    squared().losses_of(&examples, &mut losses).unwrap();
    assert_eq!(losses, [0.5, 8.0, 16.0, 0.0]);
    let mut state = CostState::default();
    squared().update(&mut state, &examples).unwrap();
    assert_eq!((state.sum(), state.weights()), (total, 3.5));
    assert_eq!((state.valid(), state.examples()), (3, 4));
    // Masks of numbers count where they are not 0.
    let numbers = Examples::new(&prediction, &target).weights(&weights).mask(&[1u8, 7, 1, 0]);
    assert_eq!(squared().value_of(&numbers), squared().value_of(&examples));
}

/// Softmax cross-entropy of one row, written out.
fn by_hand(
    scores: &[f64],
    target: &[f64],
    class_weights: &[f64],
    smoothing: f64,
    temperature: f64,
) -> f64 {
    let scores: Vec<f64> = scores.iter().map(|score| score / temperature).collect();
    let classes = scores.len() as f64;
    let normaliser = scores.iter().map(|score| score.exp()).sum::<f64>().ln();
    let terms = scores.iter().zip(target).zip(class_weights).map(|((score, y), weight)| {
        (y * (1.0 - smoothing) + smoothing / classes) * weight * (normaliser - score)
    });
    terms.sum()
}

#[test]
fn everything_at_once_is_the_sum_over_examples() {
    everything_at_once(1.0);
}

#[test]
fn everything_at_once_with_a_temperature_is_the_sum_over_examples() {
    everything_at_once(2.5);
}

fn everything_at_once(temperature: f64) {
    const ROWS: usize = 40;
    let (classes, smoothing) = (5, 0.2);
    let mut rng = Rng::named("everything at once");
    let scores = Array2::from_shape_simple_fn((ROWS, classes), || rng.between(-3.0, 3.0));
    let labels: Vec<i64> =
        (0..ROWS).map(|row| if row % 7 == 3 { -100 } else { rng.below(classes) as i64 }).collect();
    let weights: Vec<f64> = (0..ROWS).map(|_| rng.unit()).collect();
    let mask: Vec<bool> = (0..ROWS).map(|_| rng.below(4) > 0).collect();
    let class_weights = [0.5, 1.0, 2.0, 0.0, 3.0];
    let loss = || Cost::new(SoftmaxCrossEntropy::new(smoothing, temperature, 0.0, 0.0).unwrap());
    let with_classes = || loss().class_weights(&class_weights).unwrap();

    let (mut total, mut weight_sum, mut valid) = (0.0, 0.0, 0);
    for row in 0..ROWS {
        if !mask[row] || labels[row] == -100 {
            continue;
        }
        let label = labels[row] as usize;
        let target: Vec<f64> =
            (0..classes).map(|class| f64::from(u8::from(class == label))).collect();
        let scores = scores.row(row).to_vec();
        total += weights[row] * by_hand(&scores, &target, &class_weights, smoothing, temperature);
        weight_sum += weights[row] * class_weights[label];
        valid += 1;
    }
    assert!((10..ROWS - 10).contains(&valid), "the mask is no test: {valid} are valid");

    let examples = Examples::new(&scores, &labels).weights(&weights).mask(&mask);
    for (denominator, divisor) in [
        (Denominator::Weights, weight_sum),
        (Denominator::Valid, valid as f64),
        (Denominator::Examples, ROWS as f64),
        (Denominator::Number(7.0), 7.0),
    ] {
        let cost = with_classes().ignored_class(-100).unwrap().denominator(denominator);
        let mut gradient = Array2::<f64>::zeros((ROWS, classes));
        let value = cost.value_and_gradient_of(&examples, &mut gradient).unwrap();
        assert!((value - total / divisor).abs() < 1e-13, "{denominator}: {value}");
        // The gradient is that of this very number.
        let step = 1e-6;
        for (row, class) in [(0, 0), (1, 4), (2, 3), (3, 1), (5, 2), (8, 0), (10, 0)] {
            let at = |step: f64| {
                let mut moved = scores.clone();
                moved[(row, class)] += step;
                let examples = Examples::new(&moved, &labels).weights(&weights).mask(&mask);
                cost.value_of(&examples).unwrap()
            };
            let slope = (at(step) - at(-step)) / (2.0 * step);
            let found = gradient[(row, class)];
            assert!(
                (found - slope).abs() < 1e-8,
                "{denominator} at {row}, {class}: {found} {slope}"
            );
        }
    }

    // The same with distributions, which have no class to ignore: the mask does it.
    let mut soft = Array2::<f64>::zeros((ROWS, classes));
    let mut mask_all = mask.clone();
    for row in 0..ROWS {
        if labels[row] == -100 {
            mask_all[row] = false;
        } else {
            soft[(row, labels[row] as usize)] = 1.0;
        }
    }
    let examples = Examples::new(&scores, &soft).weights(&weights).mask(&mask_all);
    let value = with_classes().value_of(&examples).unwrap();
    assert!((value - total / weight_sum).abs() < 1e-13, "{value}");
}

#[test]
fn an_ignored_class_may_be_one_of_the_classes() {
    let scores = arr2(&[[1.0, 2.0, 3.0], [0.0, 5.0, 1.0], [2.0, 2.0, 2.0]]);
    let cost = softmax().ignored_class(1).unwrap();
    let mut gradient = Array2::<f64>::ones((3, 3));
    let value = cost.value_and_gradient(&scores, &[2i32, 1, 0], &mut gradient).unwrap();
    let kept = arr2(&[[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]);
    assert_eq!(value, softmax().value(&kept, &[2i32, 0]).unwrap());
    assert_eq!(gradient.row(1).to_vec(), [0.0; 3]);
    assert!(gradient.row(0).iter().all(|slope| *slope != 0.0));
}

#[test]
fn what_is_masked_may_be_anything() {
    let mask = [true, false, false, true];
    for nonsense in [f64::NAN, f64::INFINITY, -7.0, 1e300] {
        // Outside the domain of the prediction and of the target.
        let prediction = [0.25, nonsense, 0.5, 0.5];
        let target = [1.0, 0.0, nonsense, 0.0];
        let cost = Cost::new(BinaryCrossEntropy::default());
        let mut gradient = [9.0; 4];
        let examples = Examples::new(&prediction, &target).mask(&mask);
        let value = cost.value_and_gradient_of(&examples, &mut gradient).unwrap();
        assert_eq!(value, cost.value(&[0.25, 0.5], &[1.0, 0.0]).unwrap());
        assert_eq!(gradient, [-2.0, 0.0, 0.0, 1.0]);
        // Weights of masked examples, too.
        let weights = [1.0, nonsense, -1.0, 1.0];
        let weighted = Examples::new(&prediction, &target).weights(&weights).mask(&mask);
        assert_eq!(cost.value_of(&weighted).unwrap(), value);

        // Labels, scores, and distributions with class weights.
        let mut scores = Array2::<f64>::from_elem((4, 3), 0.5);
        scores.row_mut(1).fill(nonsense);
        let labels = [0.0, 1.0, nonsense, 2.0];
        let weighted = softmax().class_weights(&[1.0, 2.0, 3.0]).unwrap();
        let mut gradient = Array2::<f64>::ones((4, 3));
        let value = weighted
            .value_and_gradient_of(&Examples::new(&scores, &labels).mask(&mask), &mut gradient)
            .unwrap();
        assert!(is_near(value, 3f64.ln()), "{value}");
        assert_eq!(gradient.row(1).sum() + gradient.row(2).sum(), 0.0);
        let mut soft = Array2::<f64>::zeros((4, 3));
        soft.row_mut(2).fill(nonsense);
        (soft[(0, 0)], soft[(3, 2)]) = (1.0, 1.0);
        let value = weighted
            .value_and_gradient_of(&Examples::new(&scores, &soft).mask(&mask), &mut gradient)
            .unwrap();
        assert!(is_near(value, 3f64.ln()), "{value} of distributions with {nonsense}");
        assert_eq!(gradient.row(1).sum() + gradient.row(2).sum(), 0.0);
    }
}

#[test]
fn weight_0_silences_even_an_infinite_loss() {
    let cost = Cost::new(BinaryCrossEntropy::default());
    let (prediction, target, weights) = ([0.0, 0.5], [1.0, 1.0], [0.0, 1.0]);
    let examples = Examples::new(&prediction, &target).weights(&weights);
    let (mut gradient, mut second, mut losses) = ([9.0; 2], [9.0; 2], [9.0; 2]);
    let value = cost.value_gradient_and_second_of(&examples, &mut gradient, &mut second).unwrap();
    assert_eq!((value, gradient, second), (2f64.ln(), [0.0, -2.0], [0.0, 4.0]));
    cost.losses_of(&examples, &mut losses).unwrap();
    assert_eq!(losses, [0.0, 2f64.ln()]);
    // Without the weight it is what it truly is.
    assert_eq!(cost.value(&prediction, &target).unwrap(), f64::INFINITY);

    // A class weight of 0 does the same for an excluded class.
    let scores = arr2(&[[f64::NEG_INFINITY, 0.0], [0.0, 0.0]]);
    let cost = softmax().class_weights(&[0.0, 1.0]).unwrap();
    let mut gradient = Array2::<f64>::ones((2, 2));
    let value = cost.value_and_gradient(&scores, &[0u8, 1], &mut gradient).unwrap();
    assert_eq!((value, gradient), (2f64.ln(), arr2(&[[0.0, 0.0], [0.5, -0.5]])));
}

#[test]
fn nothing_valid() {
    let (prediction, target, mask) = ([1.0, 2.0], [0.0, 0.0], [false, false]);
    let masked = Examples::new(&prediction, &target).mask(&mask);
    let weightless = Examples::new(&prediction, &target).weights(&[0.0, 0.0]);
    let none: [f64; 0] = [];
    let empty = Examples::new(&none, &none);
    for (examples, count) in [(&masked, 2), (&weightless, 2), (&empty, 0)] {
        let cost = squared();
        let mut gradient = vec![9.0; count];
        assert_eq!(cost.value_of(examples), Err(Error::NothingValid));
        assert_eq!(cost.value_and_gradient_of(examples, &mut gradient), Err(Error::NothingValid));
        assert!(gradient.iter().all(|slope| *slope == 9.0), "touched after an error");

        let zero = squared().nothing_valid(NothingValid::Zero);
        assert_eq!(zero.value_and_gradient_of(examples, &mut gradient), Ok(0.0));
        assert!(gradient.iter().all(|slope| *slope == 0.0));
        let nan = squared().nothing_valid(NothingValid::Nan);
        assert!(nan.value_of(examples).unwrap().is_nan());
        // A sum of nothing is 0 and needs no choice.
        assert_eq!(squared().reduction(Reduction::Sum).value_of(examples), Ok(0.0));
    }
    // Dividing by the caller's number does not make nothing into something.
    let cost = squared().denominator(Denominator::Number(5.0));
    assert_eq!(cost.value_of(&masked), Err(Error::NothingValid));
    // But with weights of 0 there are examples, and their mean by that number is 0.
    assert_eq!(cost.value_of(&weightless), Ok(0.0));
}

#[test]
fn a_class_axis_may_be_anywhere() {
    let (n, classes, height, width) = (2, 3, 4, 5);
    let mut rng = Rng::named("class axis");
    let scores =
        Array4::from_shape_simple_fn((n, classes, height, width), || rng.between(-2.0, 2.0));
    let labels =
        ArrayD::from_shape_simple_fn(IxDyn(&[n, height, width]), || rng.below(classes) as i64);
    let soft = Array4::from_shape_simple_fn((n, classes, height, width), || rng.unit());
    let weights = ArrayD::from_shape_simple_fn(IxDyn(&[n, height, width]), || rng.unit());
    let moved = scores.view().permuted_axes([0, 2, 3, 1]).as_standard_layout().to_owned();
    let soft_moved = soft.view().permuted_axes([0, 2, 3, 1]).as_standard_layout().to_owned();
    let last = softmax().class_weights(&[1.0, 2.0, 0.5]).unwrap();
    for axis in [1, -3] {
        let cost = last.clone().class_axis(axis).unwrap();
        let mut gradient = scores.clone();
        let mut expected = moved.clone();
        let examples = Examples::new(&scores, &labels).weights(&weights);
        let examples_moved = Examples::new(&moved, &labels).weights(&weights);
        let value = cost.value_and_gradient_of(&examples, &mut gradient).unwrap();
        let value_moved = last.value_and_gradient_of(&examples_moved, &mut expected).unwrap();
        assert_eq!(value, value_moved);
        assert_eq!(gradient.view().permuted_axes([0, 2, 3, 1]), expected);

        let value = cost.value_and_gradient(&scores, &soft, &mut gradient).unwrap();
        let value_moved = last.value_and_gradient(&moved, &soft_moved, &mut expected).unwrap();
        assert_eq!(value, value_moved);
        assert_eq!(gradient.view().permuted_axes([0, 2, 3, 1]), expected);

        let mut losses = ArrayD::<f64>::zeros(IxDyn(&[n, height, width]));
        cost.losses_of(&examples, &mut losses).unwrap();
        let weighted = &weights * &labels.mapv(|label| [1.0, 2.0, 0.5][label as usize]);
        let mean = last.value_of(&examples_moved).unwrap();
        assert!((losses.sum() / weighted.sum() - mean).abs() < 1e-13);
    }
}

#[test]
fn scores_of_any_size_give_a_number() {
    let big = f32::MAX;
    for row in [
        vec![44.0, 10.0, 22.0, 5.0],
        vec![big, -big, 0.0, 1.0],
        vec![big, big, big, big],
        vec![-big, -big, -big, -big],
        vec![1e38, -3e38, 2e38, 3e38],
    ] {
        for label in 0..4i64 {
            let scores = Array2::from_shape_vec((1, 4), row.clone()).unwrap();
            let mut gradient = Array2::<f32>::zeros((1, 4));
            let value = softmax().value_and_gradient(&scores, &[label], &mut gradient).unwrap();
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let least = f64::from(highest) - f64::from(row[label as usize]);
            assert!(value >= least && value <= least + 4f64.ln() * 1.001, "{row:?}: {value:e}");
            let total: f32 = gradient.iter().sum();
            assert!(gradient.iter().all(|slope| slope.abs() <= 1.0) && total.abs() < 1e-6);
        }
    }
    // More classes than f16 has whole numbers in a row.
    let scores = Array2::<f16>::from_elem((1, 5000), f16::ONE);
    let mut gradient = Array2::from_elem((1, 5000), f16::ZERO);
    let value = softmax().value_and_gradient(&scores, &[4097i64], &mut gradient).unwrap();
    assert!((value - 5000f64.ln()).abs() < 1e-5, "{value}");
    assert!(gradient[(0, 4097)].to_f32() < -0.99 && gradient[(0, 4096)].to_f32() > 0.0);
    assert!(gradient[(0, 4098)].to_f32() > 0.0);
}

#[test]
fn integers_and_truth_values_are_numbers() {
    let cost = Cost::new(AbsoluteError::default());
    let expected = cost.value(&[1.0, 0.0, 3.0], &[0.0, 1.0, 1.0]).unwrap();
    assert_eq!(cost.value(&[1u8, 0, 3], &[0i16, 1, 1]).unwrap(), expected);
    assert_eq!(cost.value(&[1i64, 0, 3], &[false, true, true]).unwrap(), expected);
    let hinge = Cost::new(Hinge::default());
    assert_eq!(hinge.value(&[0.5f32, 0.5], &[1i8, -1]).unwrap(), 1.0);
}

#[test]
fn shape_mismatches_name_both_shapes() {
    let (wide, narrow) = (Array2::<f64>::zeros((2, 3)), Array2::<f64>::zeros((3, 2)));
    let error = squared().value(&wide, &narrow).unwrap_err();
    assert_eq!(
        message(&error),
        "target has shape [3, 2], the shape of the prediction is [2, 3]: nothing is broadcast, so reshape one of them"
    );
    // Nothing broadcasts, not even one number.
    let error = squared().value(&[1.0, 2.0], &[1.0]).unwrap_err();
    assert_eq!(
        message(&error),
        "target has shape [1], the shape of the prediction is [2]: nothing is broadcast, so reshape one of them"
    );
    let mut gradient = [7.0; 2];
    let error = squared().value_and_gradient(&[1.0; 3], &[0.0; 3], &mut gradient).unwrap_err();
    assert_eq!(
        message(&error),
        "gradient has shape [2], the shape of the prediction is [3]: nothing is broadcast, so reshape one of them"
    );
    assert_eq!(gradient, [7.0; 2]);
    let examples = Examples::new(&[1.0; 3], &[0.0; 3]);
    let (mut whole, mut short) = ([7.0; 3], [7.0; 2]);
    let error =
        squared().value_gradient_and_second_of(&examples, &mut whole, &mut short).unwrap_err();
    assert!(message(&error).starts_with("second has shape [2]"), "{error}");
    assert_eq!((whole, short), ([7.0; 3], [7.0; 2]));
    let error = squared().losses_of(&examples, &mut short).unwrap_err();
    assert!(
        message(&error).starts_with("losses has shape [2], the shape of the examples"),
        "{error}"
    );
    for (examples, what) in [
        (
            examples.clone().weights(&[1.0; 4]),
            "weights has shape [4], the shape of the examples is [3]",
        ),
        (examples.mask(&[true; 4]), "mask has shape [4], the shape of the examples is [3]"),
    ] {
        let error = squared().value_of(&examples).unwrap_err();
        assert!(message(&error).starts_with(what), "{error}");
    }
    // One weight for each row, not for each score; labels have one axis less.
    let scores = Array2::<f64>::zeros((4, 3));
    let error = softmax().value(&scores, &[0i64; 3]).unwrap_err();
    assert_eq!(
        message(&error),
        "target has shape [3], the shape of the prediction without its class axis is [4]: nothing is broadcast, so reshape one of them"
    );
    let weights = Array2::<f64>::ones((4, 3));
    let error =
        softmax().value_of(&Examples::new(&scores, &[0i64; 4]).weights(&weights)).unwrap_err();
    assert!(
        message(&error).starts_with("weights has shape [4, 3], the shape of the examples is [4]")
    );
    let error = softmax().class_weights(&[1.0; 2]).unwrap().value(&scores, &[0i64; 4]).unwrap_err();
    assert_eq!(
        message(&error),
        "class_weights has shape [2], the shape of the classes is [3]: nothing is broadcast, so reshape one of them"
    );
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let scores = Array2::<f64>::zeros((4, 3));
    for (labels, text) in [
        ([0.0, 1.0, 3.0, 2.0], "label 3 at position 2 is not a class: there are 3, from 0 to 2"),
        ([0.0, -1.0, 1.0, 2.0], "label -1 at position 1 is not a class: there are 3, from 0 to 2"),
        ([0.5, 1.0, 1.0, 2.0], "label 0.5 at position 0 is not a class: there are 3, from 0 to 2"),
        (
            [0.0, 1.0, 1.0, f64::NAN],
            "label NaN at position 3 is not a class: there are 3, from 0 to 2",
        ),
    ] {
        assert_eq!(message(&softmax().value(&scores, &labels).unwrap_err()), text);
    }
    // Another label than the ignored one is still wrong.
    let ignoring = softmax().ignored_class(-100).unwrap();
    let error = ignoring.value(&scores, &[0i64, -100, -1, 0]).unwrap_err();
    assert!(message(&error).starts_with("label -1 at position 2"), "{error}");

    let binary = Cost::new(BinaryCrossEntropy::default());
    assert_eq!(
        message(&binary.value(&[0.5, 1.5], &[0.0, 1.0]).unwrap_err()),
        "prediction 1.5 at position 1 is outside the domain of binary_cross_entropy: 0 to 1"
    );
    assert_eq!(
        message(&binary.value(&[0.5, 0.5], &[-1.0, 1.0]).unwrap_err()),
        "target -1 at position 0 is outside the domain of binary_cross_entropy: 0 to 1"
    );
    assert_eq!(
        message(&Cost::new(Hinge::default()).value(&[0.5, 0.5], &[-1.0, 0.0]).unwrap_err()),
        "target 0 at position 1 is outside the domain of hinge: -1 or +1"
    );
    let soft = arr2(&[[0.5, 0.5, 0.0], [1.5, -0.5, 0.0], [0.0; 3], [0.0; 3]]);
    assert_eq!(
        message(&softmax().value(&scores, &soft).unwrap_err()),
        "target -0.5 at position 1 is outside the domain of softmax_cross_entropy: 0 or more"
    );
    // Far into the data, beyond the first block and the first thread's part.
    let mut many = vec![0.5f32; 400_000];
    many[399_999] = -0.25;
    let error = binary.value(&many, &vec![0f32; 400_000]).unwrap_err();
    assert!(message(&error).starts_with("prediction -0.25 at position 399999 "), "{error}");

    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let weights = [1.0, weight];
        let examples = Examples::new(&[1.0, 2.0], &[0.0, 0.0]).weights(&weights);
        let text = format!("weight {weight} at position 1 must be a finite number, 0 or more");
        assert_eq!(message(&squared().value_of(&examples).unwrap_err()), text);
        let text =
            format!("class weight {weight} at position 1 must be a finite number, 0 or more");
        assert_eq!(message(&softmax().class_weights(&weights).unwrap_err()), text);
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let reason = "its examples are single predictions, not rows of class scores";
    for (result, setting) in [
        (squared().class_weights(&[1.0]), "class weights"),
        (squared().ignored_class(0), "an ignored class"),
        (squared().class_axis(1), "a class axis"),
    ] {
        let text = format!("squared_error cannot have {setting}: {reason}");
        assert_eq!(message(&result.unwrap_err()), text);
    }
    let scores = Array2::<f64>::zeros((2, 3));
    let error = softmax().ignored_class(1).unwrap().value(&scores, &scores).unwrap_err();
    assert_eq!(
        message(&error),
        "softmax_cross_entropy cannot have an ignored class: the targets are distributions, not \
         labels; use a mask"
    );
    for axis in [2, -3] {
        let error = softmax().class_axis(axis).unwrap().value(&scores, &[0i64; 2]).unwrap_err();
        let text = format!(
            "softmax_cross_entropy needs an axis of classes: the prediction of shape [2, 3] has no \
             axis {axis}"
        );
        assert_eq!(message(&error), text);
    }
    for number in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let cost = squared().denominator(Denominator::Number(number));
        let text = format!("the denominator of the mean is {number}; it must be a number above 0");
        assert_eq!(message(&cost.value(&[1.0], &[0.0]).unwrap_err()), text);
        let mut gradient = [7.0];
        assert!(cost.value_and_gradient(&[1.0], &[0.0], &mut gradient).is_err());
        assert_eq!(gradient, [7.0]);
    }
    let error = squared().reduction(Reduction::None).value(&[1.0], &[0.0]).unwrap_err();
    assert_eq!(
        message(&error),
        "the reduction is 'none', so there is no single value: ask for the losses"
    );
    let error = squared().value_of(&Examples::new(&[1.0], &[0.0]).mask(&[false])).unwrap_err();
    assert_eq!(
        message(&error),
        "nothing to average: no example is valid; choose NaN or 0 for this case if it is meant"
    );
    let error = Huber::new(-1.0).unwrap_err();
    assert_eq!(message(&error), "huber: delta = -1 is outside its range (0, inf)");
    let error = SoftmaxCrossEntropy::new(1.0, 1.0, 0.0, 0.0).unwrap_err();
    assert_eq!(
        message(&error),
        "softmax_cross_entropy: label_smoothing = 1 is outside its range [0, 1)"
    );
    assert!(Huber::new(f64::NAN).is_err() && Huber::new(f64::INFINITY).is_err());
}

#[test]
fn an_error_leaves_the_state_as_it_was() {
    let cost = Cost::new(BinaryCrossEntropy::default());
    let mut state = CostState::default();
    cost.update(&mut state, &Examples::new(&[0.5], &[1.0])).unwrap();
    let before = state.clone();
    assert!(cost.update(&mut state, &Examples::new(&[0.5, 2.0], &[1.0, 1.0])).is_err());
    assert_eq!(state, before);
}

#[test]
fn streaming_gives_the_same_cost() {
    let mut rng = Rng::named("streaming");
    let prediction: Vec<f64> = (0..1000).map(|_| rng.between(-5.0, 5.0)).collect();
    let target: Vec<f64> = (0..1000).map(|_| rng.between(-5.0, 5.0)).collect();
    let mut state = CostState::default();
    for (prediction, target) in prediction.chunks(77).zip(target.chunks(77)) {
        squared().update(&mut state, &Examples::new(prediction, target)).unwrap();
    }
    assert_eq!(squared().value_of_state(&state), squared().value(&prediction, &target));
    // Micro-batches whose gradients are to add up divide by the number of all examples.
    let cost = squared().denominator(Denominator::Number(1000.0));
    let mut whole = vec![0.0; 1000];
    squared().value_and_gradient(&prediction, &target, &mut whole).unwrap();
    let mut parts = vec![0.0; 1000];
    for (at, part) in parts.chunks_mut(100).enumerate() {
        let span = at * 100..(at + 1) * 100;
        cost.value_and_gradient(&prediction[span.clone()], &target[span], part).unwrap();
    }
    assert_eq!(whole, parts);
}

#[test]
fn heads() {
    let log_variance = 0.7;
    let (prediction, target) = ([1.0, 2.0], [0.0, 0.0]);
    let total = |log_variance: f64| {
        let heads = Heads::new().head("fixed", squared(), HeadWeight::Fixed(0.5)).head(
            "learned",
            squared(),
            HeadWeight::Learned { log_variance },
        );
        let examples = Examples::new(&prediction, &target);
        heads.value(&[examples.clone(), examples]).unwrap()
    };
    let value = total(log_variance);
    assert_eq!((value.heads[0].cost, value.heads[0].share), (2.5, 1.25));
    assert_eq!(value.heads[0].log_variance_gradient, None);
    let learned = &value.heads[1];
    assert_eq!((learned.name.as_str(), learned.cost), ("learned", 2.5));
    assert!(is_near(learned.share, (-0.7f64).exp() * 2.5 + 0.35));
    assert_eq!(value.total, value.heads[0].share + learned.share);
    let step = 1e-6;
    let slope =
        (total(log_variance + step).total - total(log_variance - step).total) / (2.0 * step);
    let found = learned.log_variance_gradient.unwrap();
    assert!((found - slope).abs() < 1e-9, "{found}, not {slope}");
    // Weighing least where the variance is the cost times 2.
    let best = total((2.0f64 * 2.5).ln()).heads[1].log_variance_gradient.unwrap();
    assert!(best.abs() < 1e-15, "{best}");

    let heads = Heads::new().head("one", squared(), HeadWeight::Fixed(1.0));
    assert_eq!(heads.heads()[0].name, "one");
    let error = heads.value(&[]).unwrap_err();
    assert_eq!(message(&error), "0 sets of examples for 1 heads");
    // What is wrong with a head's examples comes through.
    assert!(heads.value(&[Examples::new(&[1.0], &[1.0, 2.0])]).is_err());
    assert_eq!(Heads::new().value(&[]).unwrap().total, 0.0);
}

#[test]
fn losses_are_found_by_name() {
    for (name, text) in [
        ("hubr", "there is no loss \"hubr\"; did you mean huber?"),
        ("softmax_crossentropy", "; did you mean softmax_cross_entropy?"),
        ("squared_eror", "; did you mean squared_error?"),
        ("qqqqqqqqqqqq", "there is no loss \"qqqqqqqqqqqq\"; `lossfn list` names all"),
    ] {
        let error = name.parse::<Loss>().unwrap_err();
        assert!(message(&error).ends_with(text), "{error}");
    }
    let error = "cross_entropy_loss".parse::<Loss>().unwrap_err();
    assert!(message(&error).contains("cross_entropy"), "{error}");
    let Error::UnknownLoss { suggestion: Some(nearest), .. } = error else {
        panic!("no suggestion")
    };
    assert_eq!(lossfn::find(nearest).unwrap().description.id, "softmax_cross_entropy");
}

#[test]
fn nan_never_vanishes_from_a_cost() {
    for entry in CATALOG {
        let cost = Cost::new(entry.with_defaults());
        let components = entry.description.components.len();
        let width = match entry.with_defaults().form() {
            Form::Pointwise => 1,
            _ if components > 0 => components,
            _ => 3,
        };
        for count in [1, 65, 5000] {
            for all in [false, true] {
                // Perfect predictions, as far as a loss can be 0 at all, but for one or all of them.
                let mut prediction = vec![1.0; count * width];
                let from = if all { 0 } else { (count - 1) * width };
                prediction[from..].fill(f64::NAN);
                let labels = vec![1i64; count];
                let mut numbers = vec![1.0; count];
                if entry.description.target == Domain::OpenUnit {
                    numbers.fill(0.5);
                }
                let rows = ArrayView2::from_shape((count, width), &prediction).unwrap();
                let value = match cost.loss().form() {
                    Form::Pointwise => cost.value(&prediction, &numbers),
                    Form::ClassAxis => cost.value(rows, &labels),
                    Form::Joint => cost.value(rows, &numbers),
                };
                assert!(value.unwrap().is_nan(), "{} {count} {all}", entry.description.id);
            }
        }
    }
}

#[test]
fn equal_class_weights_change_nothing() {
    let scores = arr2(&[[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]]);
    let target = arr2(&[[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);
    let plain = softmax().value(&scores, &target).unwrap();
    for weight in [1.0, 4.0] {
        let weighted = softmax().class_weights(&[weight; 2]).unwrap();
        let value = weighted.value(&scores, &target).unwrap();
        // The row without target weighs 1, whatever the classes weigh.
        let rows = (2.0 * weight + 1.0) / 3.0;
        assert!((value * rows / weight / plain - 1.0).abs() < 1e-15, "{value} {plain}");
    }
}

#[test]
fn derivatives_keep_what_no_single_factor_can_hold() {
    let mean_over = |number| squared().denominator(Denominator::Number(number));
    let mut gradient = [0f32; 2];
    mean_over(1e-40).value_and_gradient(&[0f32, 1e-10], &[0f32, 0.0], &mut gradient).unwrap();
    assert_eq!(gradient, [0.0, 2e30]);
    mean_over(1e46).value_and_gradient(&[0f32, 1e15], &[0f32, 0.0], &mut gradient).unwrap();
    assert_eq!(gradient, [0.0, 2e-31]);
    let examples = Examples::new(&[0f32, 1e-10], &[0f32, 0.0]).weights(&[1e39; 2]);
    let sum = squared().reduction(Reduction::Sum);
    sum.value_and_gradient_of(&examples, &mut gradient).unwrap();
    assert_eq!(gradient, [0.0, 2e29]);
}

#[test]
fn integers_that_f32_lacks_are_compared_in_f64() {
    let cost = Cost::new("absolute_error".parse::<Loss>().unwrap());
    assert_eq!(cost.value(&[1.7e9f32], &[1_700_000_050i64]).unwrap(), 50.0);
    assert_eq!(cost.value(&[16_777_216f32], &[16_777_217i32]).unwrap(), 1.0);
}

#[test]
fn levels_near_1_keep_their_distance_in_f32() {
    for name in ["quantile(level=0.999)", "expectile(level=0.999)"] {
        let cost = Cost::new(name.parse::<Loss>().unwrap());
        assert_eq!(cost.value(&[1f32], &[0f32]).unwrap() as f32, 0.001, "{name}");
    }
}

#[test]
fn saturated_logits_cost_nothing_on_the_right_side() {
    let cost = Cost::new("binary_cross_entropy_with_logits".parse::<Loss>().unwrap());
    let (infinite, mut gradient) = (f64::INFINITY, [7.0; 2]);
    let value = cost.value_and_gradient(&[infinite, -infinite], &[1.0, 0.0], &mut gradient);
    assert_eq!((value.unwrap(), gradient), (0.0, [0.0, 0.0]));
}

#[test]
fn a_mean_beyond_no_number_is_finite() {
    let cost = Cost::new("absolute_error".parse::<Loss>().unwrap());
    assert_eq!(cost.value(&[1.5e308, 1.5e308], &[0.0, 0.0]).unwrap(), 1.5e308);
}

#[test]
fn nothing_valid_means_the_same_for_the_gradient() {
    let examples = Examples::new(&[1.0, 2.0], &[0.0, 0.0]).mask(&[false, false]);
    for (policy, expected) in [(NothingValid::Nan, f64::NAN), (NothingValid::Zero, 0.0)] {
        let mut gradient = [7.0; 2];
        let cost = squared().nothing_valid(policy);
        let value = cost.value_and_gradient_of(&examples, &mut gradient).unwrap();
        assert_eq!([value, gradient[0], gradient[1]].map(f64::to_bits), [expected.to_bits(); 3]);
    }
}

#[test]
fn half_precision_results_are_rounded_once() {
    // The slope 2 (1 + 2^-11 + 2^-40) / 2 lies just above a tie of f16, and rounds up.
    let slope = 1.0 + 2f64.powi(-11) + 2f64.powi(-40);
    let mut gradient = [half::f16::ZERO];
    squared().value_and_gradient(&[slope / 2.0], &[0.0], &mut gradient).unwrap();
    assert_eq!(gradient[0].to_f64(), 1.0 + 2f64.powi(-10));
    let slope = 1.0 + 2f64.powi(-8) + 2f64.powi(-40);
    let mut gradient = [half::bf16::ZERO];
    squared().value_and_gradient(&[slope / 2.0], &[0.0], &mut gradient).unwrap();
    assert_eq!(gradient[0].to_f64(), 1.0 + 2f64.powi(-7));
}

#[test]
fn a_head_of_weight_0_is_silent() {
    let cost = Cost::new(BinaryCrossEntropy::default());
    let heads = Heads::new().head("silent", cost, HeadWeight::Fixed(0.0));
    let value = heads.value(&[Examples::new(&[0.0], &[1.0])]).unwrap();
    assert_eq!((value.heads[0].cost, value.total), (f64::INFINITY, 0.0));
}

#[test]
fn a_class_beyond_the_whole_numbers_of_f16_is_that_class() {
    let mut scores = Array2::from_elem((2, 5000), half::f16::ZERO);
    scores[(0, 4097)] = half::f16::from_f32(12.0);
    scores[(1, 4096)] = half::f16::from_f32(12.0);
    let mut losses = [0.0; 2];
    softmax().losses_of(&Examples::new(&scores, &[4097i64, 4097]), &mut losses).unwrap();
    let rest = (4999.0 * (-12f64).exp()).ln_1p();
    assert!(
        (losses[0] - rest).abs() < 1e-6 && (losses[1] - rest - 12.0).abs() < 1e-5,
        "{losses:?}"
    );
}

#[test]
fn a_cost_of_ignored_classes_alone_is_what_was_chosen() {
    let scores = ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0]]);
    let examples = Examples::new(&scores, &[-100i64, -100]);
    let cost = || softmax().ignored_class(-100).unwrap();
    for (policy, expected) in
        [(NothingValid::Error, Err(Error::NothingValid)), (NothingValid::Zero, Ok(0.0))]
    {
        let mut gradient = Array2::from_elem((2, 2), 7.0);
        let cost = cost().nothing_valid(policy);
        assert_eq!(cost.value_of(&examples), expected);
        assert_eq!(cost.value_and_gradient_of(&examples, &mut gradient), expected);
        assert!(expected.is_err() || gradient.iter().all(|slope| *slope == 0.0));
    }
    assert!(cost().nothing_valid(NothingValid::Nan).value_of(&examples).unwrap().is_nan());
}

#[test]
fn products_with_second_derivatives_scale_as_gradients_do() {
    // Pointwise: the second derivative times the vector.
    let (prediction, target) = ([0.5f32, -2.0, 3.0], [1.0f32, 0.0, 3.0]);
    let examples =
        Examples::new(&prediction, &target).weights(&[1.0f32, 2.0, 5.0]).mask(&[true, true, false]);
    let mut product = [7.0f32; 3];
    squared().hessian_vector_product_of(&examples, &[1.0f32, 3.0, 1.0], &mut product).unwrap();
    assert_eq!(product, [2.0 / 3.0, 4.0, 0.0]);
    let error =
        squared().hessian_vector_product_of(&examples, &[1.0f32], &mut product).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { what: "vector", .. }), "{error}");

    // Of several predicted numbers no more than the diagonal is known.
    let (rows, vector) = (arr2(&[[0.3, 2.0]]), arr2(&[[1.0, -1.0]]));
    let examples = Examples::new(&rows, &[1.0]);
    let mut product = rows.clone();
    let error = gaussian().hessian_vector_product_of(&examples, &vector, &mut product).unwrap_err();
    assert!(matches!(error, Error::DoesNotApply { loss: "gaussian_nll", .. }), "{error}");

    // Over classes, whatever the axis and however many threads.
    let mut rng = Rng::named("products");
    let scores = Array2::from_shape_simple_fn((50_000, 3), || rng.between(-3.0, 3.0));
    let vector = Array2::from_shape_simple_fn((50_000, 3), || rng.between(-1.0, 1.0));
    let labels: Vec<i64> = (0..50_000).map(|_| rng.below(3) as i64).collect();
    let examples = Examples::new(&scores, &labels);
    let mut product = Array2::<f64>::zeros((50_000, 3));
    softmax().hessian_vector_product_of(&examples, &vector, &mut product).unwrap();
    for row in [0, 1, 777, 49_999] {
        let powers: Vec<f64> = scores.row(row).iter().map(|score| score.exp()).collect();
        let total: f64 = powers.iter().sum();
        let mean: f64 = (0..3).map(|c| powers[c] / total * vector[(row, c)]).sum();
        for class in 0..3 {
            let expected = powers[class] / total * (vector[(row, class)] - mean) / 50_000.0;
            assert!((product[(row, class)] - expected).abs() < 1e-19, "{row}, {class}");
        }
    }
    let (turned, turned_vector) = (scores.t(), vector.t());
    let mut turned_product = Array2::<f64>::zeros((3, 50_000));
    let examples = Examples::new(turned, &labels);
    let cost = softmax().class_axis(0).unwrap();
    cost.hessian_vector_product_of(&examples, turned_vector, &mut turned_product).unwrap();
    assert_eq!(turned_product.t(), product);
}

#[test]
fn a_divergence_has_no_class_weights() {
    let cost = Cost::new("jensen_shannon".parse::<Loss>().unwrap());
    let error = cost.class_weights(&[1.0, 2.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "jensen_shannon cannot have class weights: it is not linear in the target, so no part of it \
         belongs to a class alone"
    );
}

fn gaussian() -> Cost {
    Cost::new(GaussianNll::default())
}

#[test]
fn components_may_lie_along_any_axis() {
    let mut rng = Rng::named("component axis");
    let prediction = Array4::from_shape_simple_fn((2, 2, 3, 5), || 0.5 + rng.unit());
    let target = ArrayD::from_shape_simple_fn(IxDyn(&[2, 3, 5]), || rng.unit());
    let moved = prediction.view().permuted_axes([0, 2, 3, 1]).as_standard_layout().to_owned();
    let mut expected = moved.clone();
    let value = gaussian().value_and_gradient(&moved, &target, &mut expected).unwrap();
    for axis in [1, -3] {
        let cost = gaussian().component_axis(axis).unwrap();
        let mut gradient = prediction.clone();
        assert_eq!(cost.value_and_gradient(&prediction, &target, &mut gradient).unwrap(), value);
        assert_eq!(gradient.view().permuted_axes([0, 2, 3, 1]), expected);
    }
    let error = squared().component_axis(0).unwrap_err();
    let text = "squared_error cannot have a component axis: it is not one of several predicted \
                numbers for each target";
    assert_eq!(message(&error), text);
    let error = gaussian().class_axis(0).unwrap_err();
    let text = "gaussian_nll cannot have a class axis: its examples are not rows of class scores";
    assert_eq!(message(&error), text);
}

#[test]
fn predictions_of_several_numbers_that_do_not_fit_are_refused() {
    let target = [0.0; 2];
    let refusal = |shape: &[usize]| {
        let prediction = ArrayD::<f64>::ones(IxDyn(shape));
        message(&gaussian().value(&prediction, &target).unwrap_err())
    };
    let text = "gaussian_nll takes 2 predicted numbers (mean, variance), and there are 3";
    assert_eq!(refusal(&[2, 3]), text);
    let text = "target has shape [2], the shape of the prediction without its component axis is [3]: \
                nothing is broadcast, so reshape one of them";
    assert_eq!(refusal(&[3, 2]), text);
    let text =
        "gaussian_nll needs an axis of components: the prediction of shape [] has no axis -1";
    assert_eq!(refusal(&[]), text);
    let prediction = arr2(&[[-1.0, 1.0], [-1.0, -2.0]]);
    let error = gaussian().value(&prediction, &target).unwrap_err();
    let text = "variance -2 at position 1 is outside the domain of gaussian_nll: above 0";
    assert_eq!(message(&error), text);
    let masked = Examples::new(&prediction, &target).mask(&[true, false]);
    assert_eq!(gaussian().value_of(&masked), Ok(0.5));
    let rows = Array2::<f64>::zeros((2, 0));
    let quantiles = Cost::new("multi_quantile".parse::<Loss>().unwrap());
    let text = "multi_quantile needs components, and the prediction of shape [2, 0] has none";
    assert_eq!(message(&quantiles.value(&rows, &target).unwrap_err()), text);
}

#[test]
fn results_that_are_larger_than_the_caches_are_those_of_their_parts() {
    let n = (1 << 21) + 777;
    let numbers = |factor: usize, count: usize| {
        (0..count).map(move |at| (at * factor % 1009) as f32 / 100.0 - 5.0).collect::<Vec<_>>()
    };
    for (loss, width) in [("huber", 1), ("laplace_nll", 2)] {
        let cost = Cost::new(loss.parse::<Loss>().unwrap()).reduction(Reduction::Sum);
        // Scales are above 0.
        let mut prediction = numbers(7919, n * width);
        prediction.iter_mut().skip(1).step_by(2).for_each(|x| *x = x.abs() + 0.5);
        let target = numbers(104_729, n);
        let run = |rows: std::ops::Range<usize>| {
            let count = rows.len();
            let (mut gradient, mut second) = (vec![0f32; count * width], vec![0f32; count * width]);
            let state = {
                let shape: &[usize] = if width == 1 { &[count] } else { &[count, width] };
                let prediction = &prediction[rows.start * width..rows.end * width];
                let prediction = ndarray::ArrayViewD::from_shape(shape, prediction).unwrap();
                let [gradient, second] = [&mut gradient, &mut second]
                    .map(|to| ndarray::ArrayViewMutD::from_shape(shape, to).unwrap());
                let results = Results::default().gradient(gradient).second(second);
                cost.compute(&Examples::new(prediction, &target[rows]), results).unwrap()
            };
            (state, gradient, second)
        };
        let whole = run(0..n);
        let (mut state, mut gradient, mut second) = (CostState::default(), vec![], vec![]);
        for start in (0..n).step_by(100_003) {
            let part = run(start..n.min(start + 100_003));
            state.merge(&part.0);
            gradient.extend(part.1);
            second.extend(part.2);
        }
        assert!(whole == (state, gradient, second), "{loss}");
    }
}
