//! A linear layer with its cost, against scores that are computed in full.

use half::{bf16, f16};
use lossfn::losses::binary::BinaryCrossEntropyWithLogits;
use lossfn::losses::multiclass::{CategoricalCrossEntropy, SoftmaxCrossEntropy};
use lossfn::{
    Array, ArrayMut, Cost, Denominator, Error, Examples, LinearCost, LinearResults, Loss,
    NothingValid, Reduction,
};
use ndarray::{Array1, Array2, Axis, arr1, arr2, s};
use rayon::ThreadPoolBuilder;

/// Numbers between -scale and scale that look random.
fn noise(rows: usize, columns: usize, scale: f64) -> Array2<f64> {
    let mut state = (rows * 31 + columns) as u64;
    Array2::from_shape_simple_fn((rows, columns), || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f64 / 8_388_608.0 - 1.0) * scale
    })
}

struct Case {
    hidden: Array2<f64>,
    classifier: Array2<f64>,
    bias: Array1<f64>,
    labels: Vec<i64>,
    weights: Vec<f64>,
}

/// Numbers that every type has, so that only the computing differs.
fn case(n: usize, width: usize, classes: usize) -> Case {
    let narrow = |x: f64| bf16::from_f64(x).to_f64();
    Case {
        hidden: noise(n, width, 1.5).mapv(narrow),
        classifier: noise(classes, width, 1.0).mapv(narrow),
        bias: noise(1, classes, 1.0).row(0).mapv(narrow),
        labels: (0..n).map(|i| if i % 5 == 3 { -100 } else { (i * 37 % classes) as i64 }).collect(),
        weights: (0..n).map(|i| (i % 4) as f64 * 0.5).collect(),
    }
}

fn cost(text: &str) -> Cost {
    Cost::new(text.parse::<Loss>().unwrap()).ignored_class(-100).unwrap()
}

struct Found {
    value: f64,
    losses: Array1<f64>,
    by_hidden: Array2<f64>,
    by_classifier: Array2<f64>,
    by_bias: Array1<f64>,
}

/// By the scores in full, in f64.
fn in_full(cost: &Cost, case: &Case, weighted: bool) -> Found {
    let scores = case.hidden.dot(&case.classifier.t()) + &case.bias;
    let mut examples = Examples::new(&scores, &case.labels);
    if weighted {
        examples = examples.weights(&case.weights);
    }
    let (mut gradient, mut losses) = (scores.clone(), Array1::zeros(case.labels.len()));
    cost.gradient_of(&examples, &mut gradient).unwrap();
    cost.losses_of(&examples, &mut losses).unwrap();
    Found {
        value: cost.value_of(&examples).unwrap_or(f64::NAN),
        losses,
        by_hidden: gradient.dot(&case.classifier),
        by_classifier: gradient.t().dot(&case.hidden),
        by_bias: gradient.sum_axis(Axis(0)),
    }
}

/// With memory for the results in these arrays, whose shapes are those of the case.
fn fused<'a>(
    cost: &Cost,
    [hidden, classifier, bias]: [Array<'a>; 3],
    labels: &'a [i64],
    weights: Option<&'a [f64]>,
    [losses, by_hidden, by_classifier, by_bias]: [ArrayMut<'_>; 4],
) -> Result<f64, Error> {
    let mut examples = Examples::new(hidden, labels);
    if let Some(weights) = weights {
        examples = examples.weights(weights);
    }
    let results = LinearResults::default()
        .losses(losses)
        .hidden_gradient(by_hidden)
        .classifier_gradient(by_classifier)
        .bias_gradient(by_bias);
    let state = LinearCost::new(cost, classifier)?.bias(bias)?.compute(&examples, results)?;
    Ok(cost.value_of_state(&state).unwrap_or(f64::NAN))
}

macro_rules! fused_in {
    ($type:ty, $narrowed:expr, $cost:expr, $case:expr, $weighted:expr) => {{
        let case: &Case = $case;
        let (hidden, classifier) = (case.hidden.mapv($narrowed), case.classifier.mapv($narrowed));
        let bias = case.bias.mapv($narrowed);
        let mut losses = Array1::<f64>::zeros(case.labels.len());
        let (mut by_hidden, mut by_classifier, mut by_bias) =
            (hidden.clone(), classifier.clone(), bias.clone());
        let value = fused(
            $cost,
            [(&hidden).into(), (&classifier).into(), (&bias).into()],
            &case.labels,
            $weighted.then_some(case.weights.as_slice()),
            [
                (&mut losses).into(),
                (&mut by_hidden).into(),
                (&mut by_classifier).into(),
                (&mut by_bias).into(),
            ],
        )
        .unwrap();
        let wide = |x: $type| f64::from(x);
        Found {
            value,
            losses,
            by_hidden: by_hidden.mapv(wide),
            by_classifier: by_classifier.mapv(wide),
            by_bias: by_bias.mapv(wide),
        }
    }};
}

/// Results differ by no more than `digits` of the largest number beside them.
fn assert_near(found: &Found, expected: &Found, computed: f64, written: f64, what: &str) {
    let same = |x: f64, y: f64| x == y || x.is_nan() && y.is_nan();
    let (x, y) = (found.value, expected.value);
    assert!(same(x, y) || (x - y).abs() <= computed * y.abs(), "{what}: value {x} {y}");
    let pairs = [
        ("losses", computed, found.losses.view().into_dyn(), expected.losses.view().into_dyn()),
        (
            "hidden",
            written,
            found.by_hidden.view().into_dyn(),
            expected.by_hidden.view().into_dyn(),
        ),
        (
            "classifier",
            written,
            found.by_classifier.view().into_dyn(),
            expected.by_classifier.view().into_dyn(),
        ),
        ("bias", written, found.by_bias.view().into_dyn(), expected.by_bias.view().into_dyn()),
    ];
    for (which, digits, found, expected) in pairs {
        let largest = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        for (at, (&x, &y)) in found.iter().zip(&expected).enumerate() {
            let near = (x - y).abs() <= digits * largest;
            assert!(near || same(x, y), "{what}: {which} {at}: {x} {y}");
        }
    }
}

fn settings() -> Vec<(String, Cost)> {
    let mut all = Vec::new();
    for text in [
        "softmax_cross_entropy",
        "softmax_cross_entropy(soft_cap=3)",
        "softmax_cross_entropy(z_loss=0.01, temperature=0.7)",
        "softmax_cross_entropy(label_smoothing=0.1)",
        "softmax_cross_entropy(label_smoothing=0.1, temperature=2, z_loss=0.1, soft_cap=4)",
        "softmax_focal",
        "multi_margin",
    ] {
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
            all.push((format!("{text} {reduction}"), cost(text).reduction(reduction)));
        }
        for denominator in [Denominator::Valid, Denominator::Examples, Denominator::Number(7.0)] {
            all.push((format!("{text} {denominator}"), cost(text).denominator(denominator)));
        }
    }
    all
}

#[test]
fn all_settings_as_in_full() {
    let classes = 11;
    let case = case(23, 6, classes);
    for (name, plain) in settings() {
        let of_class: Vec<f64> = (0..classes).map(|c| 0.5 + (c % 3) as f64).collect();
        for cost in [plain.clone(), plain.class_weights(&of_class).unwrap()] {
            for weighted in [false, true] {
                let expected = in_full(&cost, &case, weighted);
                let found = fused_in!(f64, |x| x, &cost, &case, weighted);
                assert_near(&found, &expected, 1e-13, 1e-13, &name);
                let found = fused_in!(f32, |x| x as f32, &cost, &case, weighted);
                assert_near(&found, &expected, 2e-6, 2e-6, &name);
            }
        }
    }
}

#[test]
fn half_precision_is_rounded_once() {
    // So many classes that there are several blocks of examples.
    let case = case(900, 5, 16_500);
    let cost = cost("softmax_cross_entropy");
    let expected = in_full(&cost, &case, true);
    let found = fused_in!(f32, |x| x as f32, &cost, &case, true);
    assert_near(&found, &expected, 1e-5, 1e-5, "f32");
    let found = fused_in!(bf16, bf16::from_f64, &cost, &case, true);
    assert_near(&found, &expected, 1e-5, 1.01 / 256.0, "bf16");
    let small = self::case(50, 8, 30);
    let expected = in_full(&cost, &small, true);
    let found = fused_in!(f16, f16::from_f64, &cost, &small, true);
    assert_near(&found, &expected, 1e-5, 1.01 / 2048.0, "f16");
}

#[test]
fn gradients_are_differences_of_values() {
    let case = case(4, 3, 5);
    let cost = cost("softmax_cross_entropy(soft_cap=5, z_loss=0.1, label_smoothing=0.1)");
    let found = fused_in!(f64, |x| x, &cost, &case, true);
    let value = |hidden: &Array2<f64>, classifier: &Array2<f64>, bias: &Array1<f64>| {
        let examples = Examples::new(hidden, &case.labels).weights(&case.weights);
        let layer = LinearCost::new(&cost, classifier).unwrap().bias(bias).unwrap();
        layer.value_of(&examples).unwrap()
    };
    // Five points, so that the error is of the fourth order.
    let slope = |f: &dyn Fn(f64) -> f64| {
        let h = 1e-3;
        (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
    };
    let Case { hidden, classifier, bias, .. } = &case;
    for (at, &expected) in found.by_hidden.indexed_iter() {
        let moved = |step: f64| {
            let mut hidden = hidden.clone();
            hidden[at] += step;
            value(&hidden, classifier, bias)
        };
        assert!((slope(&moved) - expected).abs() < 1e-10, "hidden {at:?}");
    }
    for (at, &expected) in found.by_classifier.indexed_iter() {
        let moved = |step: f64| {
            let mut classifier = classifier.clone();
            classifier[at] += step;
            value(hidden, &classifier, bias)
        };
        assert!((slope(&moved) - expected).abs() < 1e-10, "classifier {at:?}");
    }
    for (at, &expected) in found.by_bias.indexed_iter() {
        let moved = |step: f64| {
            let mut bias = bias.clone();
            bias[at] += step;
            value(hidden, classifier, &bias)
        };
        assert!((slope(&moved) - expected).abs() < 1e-10, "bias {at}");
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for (n, width, classes) in [(300, 70, 1500), (1100, 300, 40), (3, 2, 5), (900, 1, 16_500)] {
        let case = case(n, width, classes);
        let cost = cost("softmax_cross_entropy");
        let on = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fused_in!(f32, |x| x as f32, &cost, &case, true))
        };
        let one = on(1);
        for threads in [2, 3, 5] {
            let several = on(threads);
            assert_eq!(one.value.to_bits(), several.value.to_bits());
            assert_eq!(one.losses, several.losses);
            assert_eq!(one.by_hidden, several.by_hidden);
            assert_eq!(one.by_classifier, several.by_classifier);
            assert_eq!(one.by_bias, several.by_bias);
        }
    }
}

#[test]
fn any_strides() {
    let case = case(9, 4, 7);
    let cost = cost("softmax_cross_entropy");
    let expected = in_full(&cost, &case, false);
    let turned = |array: &Array2<f64>| array.t().as_standard_layout().into_owned();
    let (hidden, classifier) = (turned(&case.hidden), turned(&case.classifier));
    let mut spread = Array2::zeros((14, 8));
    spread.slice_mut(s![..;-2, ..;-2]).assign(&case.classifier);
    let bias = Array1::from_iter(case.bias.iter().flat_map(|&x| [x, f64::NAN]));
    let mut by_hidden = hidden.clone();
    let mut by_classifier = spread.clone();
    for from_spread in [false, true] {
        let classifier = if from_spread { spread.slice(s![..;-2, ..;-2]) } else { classifier.t() };
        let (mut losses, mut by_bias) = (Array1::zeros(9), Array1::<f32>::zeros(7));
        let value = fused(
            &cost,
            [hidden.t().into(), classifier.into(), bias.slice(s![..;2]).into()],
            &case.labels,
            None,
            [
                (&mut losses).into(),
                by_hidden.view_mut().reversed_axes().into(),
                by_classifier.slice_mut(s![..;-2, ..;-2]).into(),
                (&mut by_bias).into(),
            ],
        );
        let found = Found {
            value: value.unwrap(),
            losses,
            by_hidden: by_hidden.t().to_owned(),
            by_classifier: by_classifier.slice(s![..;-2, ..;-2]).to_owned(),
            by_bias: by_bias.mapv(f64::from),
        };
        assert_near(&found, &expected, 1e-7, 1e-7, "strides");
        // What lies between is not touched.
        assert!(by_classifier.slice(s![0..;2, ..]).iter().all(|&x| x == 0.0));
    }
}

#[test]
fn examples_that_do_not_count_may_be_anything() {
    let mut case = case(8, 3, 4);
    let cost = cost("softmax_cross_entropy");
    let expected = fused_in!(f64, |x| x, &cost, &case, true);
    // Those at 3 are of the ignored class, those at 0 and 4 of weight 0.
    for at in [0, 3, 4] {
        case.hidden.row_mut(at).fill(f64::NAN);
    }
    let found = fused_in!(f64, |x| x, &cost, &case, true);
    assert_eq!(found.value, expected.value);
    assert_eq!(found.by_classifier, expected.by_classifier);
    assert_eq!(found.by_hidden, expected.by_hidden);
    assert_eq!(found.by_hidden.row(3), arr1(&[0.0; 3]));
    assert_eq!(found.losses[3], 0.0);

    let examples = Examples::new(&case.hidden, &case.labels).weights(&case.weights);
    let layer = LinearCost::new(&cost, &case.classifier).unwrap();
    let state = layer.compute(&examples, LinearResults::default()).unwrap();
    assert_eq!((state.examples(), state.valid(), state.weights()), (8, 7, 4.5));
    let mask = [false; 8];
    let sum = LinearCost::new(&cost.reduction(Reduction::Sum), &case.classifier).unwrap();
    let (mut by_hidden, mut by_classifier) = (case.hidden.clone(), case.classifier.clone());
    let examples = Examples::new(&case.hidden, &case.labels).mask(&mask);
    let value = sum.value_and_gradients_of(&examples, &mut by_hidden, &mut by_classifier);
    assert_eq!(value, Ok(0.0));
    assert!(by_hidden.iter().chain(&by_classifier).all(|&x| x == 0.0));
}

#[test]
fn a_mean_of_nothing() {
    let case = case(4, 3, 5);
    let labels = [-100; 4];
    let examples = Examples::new(&case.hidden, &labels);
    let value_with = |policy: NothingValid| {
        let cost = cost("softmax_cross_entropy").nothing_valid(policy);
        let (mut by_hidden, mut by_classifier) = (case.hidden.clone(), case.classifier.clone());
        let layer = LinearCost::new(&cost, &case.classifier).unwrap();
        let value = layer.value_and_gradients_of(&examples, &mut by_hidden, &mut by_classifier);
        (value, by_hidden, by_classifier)
    };
    let (value, by_hidden, by_classifier) = value_with(NothingValid::Error);
    assert_eq!(value, Err(Error::NothingValid));
    assert_eq!((by_hidden, by_classifier), (case.hidden.clone(), case.classifier.clone()));
    let (value, by_hidden, by_classifier) = value_with(NothingValid::Zero);
    assert_eq!(value, Ok(0.0));
    assert!(by_hidden.iter().chain(&by_classifier).all(|&x| x == 0.0));
    let (value, by_hidden, by_classifier) = value_with(NothingValid::Nan);
    assert!(value.unwrap().is_nan());
    assert!(by_hidden.iter().chain(&by_classifier).all(|x| x.is_nan()));
}

#[test]
fn layers_of_no_width_have_scores_of_bias_alone() {
    let (hidden, classifier) = (Array2::<f64>::zeros((2, 0)), Array2::<f64>::zeros((3, 0)));
    let cost = Cost::new(SoftmaxCrossEntropy::default());
    let layer = LinearCost::new(&cost, &classifier).unwrap();
    let (mut by_hidden, mut by_classifier) = (hidden.clone(), classifier.clone());
    let examples = Examples::new(&hidden, &[0, 2]);
    let value = layer.value_and_gradients_of(&examples, &mut by_hidden, &mut by_classifier);
    assert_eq!(value, cost.value(&Array2::<f64>::zeros((2, 3)), &[0, 2]));
    let bias = [0.0, 1.0, 2.0];
    let value = layer.bias(&bias).unwrap().value_of(&examples).unwrap();
    let expected = cost.value(&arr2(&[bias, bias]), &[0, 2]).unwrap();
    assert_eq!(value, expected);
}

#[test]
fn errors_say_what_does_not_fit() {
    let cost = cost("softmax_cross_entropy");
    let (hidden, classifier) = (Array2::<f32>::zeros((4, 3)), Array2::<f32>::zeros((5, 3)));
    let labels = [0; 4];
    let text = |result: Result<f64, Error>| result.unwrap_err().to_string();
    let value = |classifier: &Array2<f32>, examples: &Examples<'_>| {
        text(LinearCost::new(&cost, classifier).unwrap().value_of(examples))
    };
    let narrow = Array2::zeros((5, 2));
    assert_eq!(
        value(&narrow, &Examples::new(&hidden, &labels)),
        "hidden has shape [4, 3], the shape of what the classifier takes is [4, 2]: nothing is \
         broadcast, so reshape one of them"
    );
    assert_eq!(
        value(&classifier, &Examples::new(&[0f32; 3], &labels)),
        "hidden has shape [3]: it must have two axes, (examples, width)"
    );
    let message = value(&classifier, &Examples::new(&hidden, &labels[..3]));
    assert!(message.contains("target has shape [3]") && message.contains("[4]"), "{message}");
    let distributions = Array2::<f32>::zeros((4, 5));
    let message = value(&classifier, &Examples::new(&hidden, &distributions));
    assert!(message.contains("target has shape [4, 5]") && message.contains("[4]"), "{message}");
    let message = value(&classifier, &Examples::new(&hidden, &[0, 1, 2, 5]));
    assert!(message.contains("label 5 at position 3"), "{message}");
    let message = value(&classifier, &Examples::new(&hidden, &labels).weights(&[1., -1., 0., 1.]));
    assert!(message.contains("weight -1 at position 1"), "{message}");
    let message = value(&Array2::zeros((0, 3)), &Examples::new(&hidden, &labels));
    assert!(message.contains("needs classes"), "{message}");

    let layer = LinearCost::new(&cost, &classifier).unwrap();
    let message = layer.clone().bias(&[0.0; 4]).unwrap_err().to_string();
    assert!(message.contains("bias has shape [4]") && message.contains("[5]"), "{message}");
    let message = LinearCost::new(&cost, &[0.0; 4]).unwrap_err().to_string();
    assert!(message.contains("classifier has shape [4]"), "{message}");
    let (mut right, mut wrong) = (classifier.clone(), Array2::<f32>::zeros((3, 5)));
    let examples = Examples::new(&hidden, &labels);
    let message = text(layer.value_and_gradients_of(&examples, &mut wrong, &mut right));
    assert!(message.contains("hidden_gradient has shape [3, 5]"), "{message}");
    let none = cost.clone().reduction(Reduction::None);
    let layer = LinearCost::new(&none, &classifier).unwrap();
    assert_eq!(layer.value_of(&examples), Err(Error::NoReduction));

    let probabilities = Cost::new(CategoricalCrossEntropy::default());
    let message = LinearCost::new(&probabilities, &classifier).unwrap_err().to_string();
    assert!(message.contains("no raw scores"), "{message}");
    let pointwise = Cost::new(BinaryCrossEntropyWithLogits::default());
    let message = LinearCost::new(&pointwise, &classifier).unwrap_err().to_string();
    assert!(message.contains("cannot have a linear layer"), "{message}");

    // As many as memory of no bytes can have.
    let column = Array2::<f32>::zeros((1, 0));
    let (many, most) = (usize::MAX >> 2, usize::MAX >> 2);
    let hidden = column.broadcast((many, 0)).unwrap();
    let classifier = column.broadcast((most, 0)).unwrap();
    let label = arr1(&[0u8]);
    let examples = Examples::new(hidden, label.broadcast(many).unwrap());
    let found = LinearCost::new(&cost, classifier).unwrap().value_of(&examples);
    assert_eq!(found, Err(Error::TooManyScores { examples: many, classes: most }));
}
