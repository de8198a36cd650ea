//! Cases in which other libraries are wrong, and identities between losses. Each case says which
//! library gives what; the numbers were taken from it in the version that is named.

use half::f16;
use lossfn::{CATALOG, Cost, Error, Loss, NothingValid};
use ndarray::Array2;

/// Value and gradient of one example.
fn at(loss: &str, prediction: f64, target: f64) -> (f64, f64) {
    let cost = Cost::new(loss.parse::<Loss>().unwrap());
    let mut gradient = [0.0];
    let value = cost.value_and_gradient(&[prediction], &[target], &mut gradient).unwrap();
    (value, gradient[0])
}

/// The same in f32.
fn at_f32(loss: &str, prediction: f32, target: f32) -> (f32, f32) {
    let cost = Cost::new(loss.parse::<Loss>().unwrap());
    let (mut value, mut gradient) = ([0f32], [0f32]);
    cost.losses_of(&lossfn::Examples::new(&[prediction], &[target]), &mut value).unwrap();
    cost.value_and_gradient(&[prediction], &[target], &mut gradient).unwrap();
    (value[0], gradient[0])
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 9e-16 * expected.abs(), "{found:e}, not {expected:e}");
}

/// Optax 0.2.8 and Keras 3.15.1 give 0.
#[test]
fn log_cosh_keeps_small_residuals() {
    let value = at_f32("log_cosh", 1e-4, 0.0).0;
    assert!((value - 5e-9).abs() < 1e-15, "{value:e}");
}

/// Keras 3.15.1 (`BinaryFocalCrossentropy` with `from_logits`, on JAX) gives the value 16.1 and the
/// gradient 0 at 40, and 16.1 and -6.2e-21 at -50; in f32 it gives 15.9 and 0 from 20 on.
#[test]
fn sigmoid_focal_has_a_gradient_where_it_is_surely_wrong() {
    let focal = "sigmoid_focal(gamma=2,balanced=false)";
    for (prediction, target) in [(40.0, 0.0), (-50.0, 1.0)] {
        let (value, gradient) = at(focal, prediction, target);
        assert_near(value, prediction.abs());
        assert_near(gradient, prediction.signum());
        let (value, gradient) = at_f32(focal, prediction as f32, target as f32);
        assert!((f64::from(value) - prediction.abs()).abs() < 1e-5);
        assert!((f64::from(gradient) - prediction.signum()).abs() < 1e-6);
    }
    assert_near(at("sigmoid_focal(alpha=0.25)", 40.0, 0.0).1, 0.75);
}

/// Keras 3.15.1 gives 0 for both.
#[test]
fn sigmoid_focal_keeps_what_is_left_where_it_is_surely_right() {
    let (value, gradient) = at("sigmoid_focal(gamma=2,balanced=false)", -40.0, 0.0);
    assert_near(value, 7.667_648_073_721_999e-53);
    assert_near(gradient, 2.300_294_422_116_6e-52);
}

/// Keras 3.15.1 without `from_logits`, given sigmoid(-50) in f32, has the loss 16.1 and the gradient 0.
#[test]
fn binary_cross_entropy_has_a_gradient_where_it_is_surely_wrong() {
    let logits = "binary_cross_entropy_with_logits";
    assert_eq!(at(logits, -50.0, 1.0), (50.0, -1.0));
    assert_eq!(at_f32(logits, -50.0, 1.0), (50.0, -1.0));
    assert_eq!(at_f32(logits, -200.0, 1.0), (200.0, -1.0));
    let (value, gradient) = at(logits, -50.0, 0.0);
    assert_near(value, 1.928_749_847_963_917_8e-22);
    assert_near(gradient, 1.928_749_847_963_917_8e-22);
}

/// Sigmoid minus target, which `PyTorch` computes, is 0. Keras 3.15.1 has the gradient, but the value
/// 4.24835413113866e-18, of which eight digits are right.
#[test]
fn binary_cross_entropy_has_a_gradient_where_it_is_surely_right() {
    let (value, gradient) = at("binary_cross_entropy_with_logits", 40.0, 1.0);
    assert_near(value, 4.248_354_255_291_589e-18);
    assert_near(gradient, -4.248_354_255_291_589e-18);
    assert_eq!(1.0 / (1.0 + (-40f64).exp()) - 1.0, 0.0);
}

/// Optax 0.2.8 gives half the slope on either side: -0.5.
#[test]
fn the_kink_of_hinge_belongs_to_one_side() {
    assert_eq!(at("hinge", 1.0, 1.0).1, 0.0);
}

/// f16 has no 4097. Keras 3.15.1 (`SparseCategoricalCrossentropy` with dtype float16) makes 4096 of
/// it, and 9.484 of the loss.
#[test]
fn a_class_beyond_the_whole_numbers_of_f16_is_found() {
    let mut scores = Array2::from_elem((1, 5000), f16::ZERO);
    scores[[0, 4097]] = f16::from_f32(9.0);
    let cost = Cost::new("softmax_cross_entropy".parse::<Loss>().unwrap());
    let mut gradient = Array2::from_elem((1, 5000), f16::ZERO);
    let value = cost.value_and_gradient(&scores, &[4097i64], &mut gradient).unwrap();
    assert!((value - 0.480_526_574_978_478_4).abs() < 1e-6, "{value}");
    assert!(gradient[[0, 4097]] < f16::ZERO && gradient[[0, 4096]] > f16::ZERO);
}

/// Keras 3.15.1 gives 0 whatever is wanted; the mean of nothing is said here, not guessed.
#[test]
fn a_mean_of_ignored_targets_is_what_was_chosen() {
    let scores = Array2::<f32>::zeros((2, 3));
    let cost = Cost::new("softmax_cross_entropy".parse::<Loss>().unwrap());
    let cost = cost.ignored_class(0).unwrap();
    let value = |cost: &Cost| cost.value(&scores, &[0i64, 0]);
    assert_eq!(value(&cost), Err(Error::NothingValid));
    assert_eq!(value(&cost.clone().nothing_valid(NothingValid::Zero)), Ok(0.0));
    assert!(value(&cost.nothing_valid(NothingValid::Nan)).unwrap().is_nan());
}

/// Keras 3.15.1 gives these numbers, too, to seven digits.
#[test]
fn label_smoothing_draws_the_target_to_the_middle() {
    let (value, gradient) = at("binary_cross_entropy_with_logits(label_smoothing=0.1)", 1.5, 1.0);
    assert!((value - 0.276_413_28).abs() < 1e-8 && (gradient + 0.132_425_52).abs() < 1e-8);
    // All but the whole of the target is drawn to 1/2, where the classes are even.
    let even = at("binary_cross_entropy_with_logits", 1.5, 0.5).0;
    let smoothed = at("binary_cross_entropy_with_logits(1,0.999999999999)", 1.5, 1.0).0;
    assert!((even - smoothed).abs() < 1e-11);
    // Texts without the parameter mean what they meant.
    assert_eq!(
        "bce_with_logits(3)".parse::<Loss>().unwrap(),
        "bce_with_logits(pos_weight=3,label_smoothing=0)".parse().unwrap()
    );
}

/// Two losses give the same number times a factor, at many points with a target of this kind.
#[track_caller]
fn assert_same(a: &str, b: &str, factor: f64, targets: &[f64]) {
    for step in -60..=60 {
        let prediction = f64::from(step) / 7.0;
        for &target in targets {
            let (a, b) = (at(a, prediction, target), at(b, prediction, target));
            let near = |a: f64, b: f64| (a - factor * b).abs() <= 2e-15 * a.abs().max(1e-3);
            assert!(near(a.0, b.0) && near(a.1, b.1), "{prediction}, {target}: {a:?} {b:?}");
        }
    }
}

const UNIT: [f64; 4] = [0.0, 0.25, 0.5, 1.0];
const CLASS: [f64; 2] = [0.0, 1.0];
const SIGN: [f64; 2] = [-1.0, 1.0];

#[test]
fn losses_that_are_special_cases_of_others_agree() {
    let bce = "binary_cross_entropy_with_logits";
    assert_same("sigmoid_focal(gamma=0,balanced=false)", bce, 1.0, &UNIT);
    assert_same("sigmoid_focal(gamma=0,alpha=0.5)", bce, 0.5, &UNIT);
    assert_same("poly1_binary(epsilon=0)", bce, 1.0, &UNIT);
    assert_same("asymmetric(gamma_neg=0,gamma_pos=0,clip=0)", bce, 1.0, &UNIT);
    let focal = "sigmoid_focal(gamma=2,balanced=false)";
    assert_same("asymmetric(gamma_neg=2,gamma_pos=2,clip=0)", focal, 1.0, &UNIT);
    assert_same("quality_focal(beta=2)", focal, 1.0, &CLASS);
    assert_same("varifocal(alpha=3,gamma=0)", bce, 3.0, &[0.0]);
    assert_same("varifocal", bce, 0.25, &[0.25]);
    assert_same("smoothed_hinge(width=2)", "modified_huber", 0.25, &SIGN);
}

#[test]
fn smoothed_hinge_tends_to_hinge() {
    for width in [0.5, 1e-3, 1e-9] {
        let smoothed = format!("smoothed_hinge(width={width})");
        for step in -30..=30 {
            let margin = f64::from(step) / 10.0;
            let off = at("hinge", margin, 1.0).0 - at(&smoothed, margin, 1.0).0;
            assert!((0.0..=width / 2.0 + 1e-15).contains(&off), "{margin}: {off}");
        }
    }
    // In f32 this width is 0.
    assert_eq!(at_f32("smoothed_hinge(width=1e-60)", 1.0, 1.0), (0.0, 0.0));
    assert_eq!(at_f32("smoothed_hinge(width=1e-60)", 0.5, 1.0), (0.5, -1.0));
}

#[test]
fn distance_weighted_tends_to_hinge() {
    for margin in [-2.0, 0.0, 0.5, 1.5, 3.0] {
        let (hinge, far) = (at("hinge", margin, 1.0), at("distance_weighted(q=1e6)", margin, 1.0));
        assert!((hinge.0 - far.0).abs() < 1e-5, "{margin}: {hinge:?} {far:?}");
    }
}

#[test]
fn savage_is_the_brier_score_of_the_probability() {
    for (logit, probability) in [(0.0, 0.5), (3f64.ln(), 0.75), (-(7f64.ln()), 0.125)] {
        let (savage, brier) = (at("savage", logit, 1.0).0, at("brier", probability, 1.0).0);
        assert!((savage - brier).abs() < 1e-15, "{savage} {brier}");
    }
}

/// The two classes of a `sigmoid_margin` share 1 among them.
#[test]
fn sigmoid_margins_of_both_classes_add_up_to_one() {
    for score in [-3.0, -0.5, 0.0, 0.1, 20.0] {
        let (value, other) =
            (at("sigmoid_margin", score, 1.0).0, at("sigmoid_margin", score, -1.0).0);
        assert!((value + other - 1.0).abs() < 1e-15);
    }
}

/// A target of exactly the predicted probability costs nothing, also a hair beside it.
#[test]
fn quality_focal_is_exact_near_its_target() {
    assert_eq!(at("quality_focal", 0.0, 0.5), (0.0, 0.0));
    // sigmoid(x) - 1/2 is x / 4 to first order, and the cross-entropy ln 2.
    let (value, gradient) = at("quality_focal", 1e-9, 0.5);
    let ln2 = std::f64::consts::LN_2;
    assert!((value / (1e-18 / 16.0 * ln2) - 1.0).abs() < 1e-8, "{value:e}");
    assert!((gradient / (2e-9 / 16.0 * ln2) - 1.0).abs() < 1e-8, "{gradient:e}");
}

/// Whoever knows a loss by another library's name finds it.
#[test]
fn names_of_other_libraries_are_known() {
    for name in [
        "sigmoid_focal_loss",
        "BinaryFocalCrossentropy",
        "BCEWithLogitsLoss",
        "brier_score_loss",
        "modified_huber",
        "AsymmetricLoss",
        "VarifocalLoss",
        "QualityFocalLoss",
    ] {
        assert!(name.parse::<Loss>().is_ok(), "{name}");
    }
    assert!(CATALOG.len() > 20);
}
