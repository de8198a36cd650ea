//! What the losses of margins, projections and scores over classes are to each other.

use lossfn::{Cost, Loss, Reduction};
use lossfn_testkit::points::Rng;
use ndarray::Array2;

fn cost(name: &str) -> Cost {
    Cost::new(name.parse::<Loss>().unwrap()).reduction(Reduction::Sum)
}

fn of_label(name: &str, scores: &[f64], label: i64) -> f64 {
    let scores = Array2::from_shape_vec((1, scores.len()), scores.to_vec()).unwrap();
    cost(name).value(&scores, &[label]).unwrap()
}

fn of_row(name: &str, scores: &[f64], target: &[f64]) -> f64 {
    let row = |row: &[f64]| Array2::from_shape_vec((1, row.len()), row.to_vec()).unwrap();
    cost(name).value(&row(scores), &row(target)).unwrap()
}

fn is_near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-14 * expected.abs().max(1.0)
}

fn random(rng: &mut Rng, classes: usize) -> Vec<f64> {
    (0..classes).map(|_| rng.between(-3.0, 3.0)).collect()
}

fn probabilities(rng: &mut Rng, classes: usize) -> Vec<f64> {
    let shares: Vec<f64> = (0..classes).map(|_| rng.between(0.1, 1.0)).collect();
    let total: f64 = shares.iter().sum();
    shares.iter().map(|share| share / total).collect()
}

#[test]
fn over_two_classes_the_hinges_are_the_hinge_of_the_difference() {
    let mut rng = Rng::named("two classes");
    for _ in 0..100 {
        let scores = random(&mut rng, 2);
        let lead = scores[1] - scores[0];
        let hinge = cost("hinge").value(&[lead], &[1.0]).unwrap();
        let perceptron = cost("perceptron").value(&[lead], &[1.0]).unwrap();
        assert!(is_near(of_label("multiclass_hinge", &scores, 1), hinge));
        assert!(is_near(of_label("weston_watkins_hinge", &scores, 1), hinge));
        assert!(is_near(of_label("multi_margin", &scores, 1), hinge / 2.0));
        let squared = of_label("multi_margin(power=2)", &scores, 1);
        assert!(is_near(squared, hinge * hinge / 2.0));
        assert!(is_near(of_label("multiclass_perceptron", &scores, 1), perceptron));
        let zero_one = cost("zero_one").value(&[lead], &[1.0]).unwrap();
        assert_eq!(of_label("multiclass_zero_one", &scores, 1), zero_one);
    }
}

#[test]
fn known_values() {
    // From the documentation of PyTorch's multi_margin_loss and multilabel_margin_loss.
    assert!(is_near(of_label("multi_margin", &[0.1, 0.2, 0.4, 0.8], 3), 0.325));
    let set = of_row("multilabel_margin", &[0.1, 0.2, 0.4, 0.8], &[1.0, 0.0, 0.0, 1.0]);
    assert!(is_near(set, 0.85), "{set}");
    assert!(is_near(of_label("crammer_singer_hinge", &[1.0, 2.5, 0.0], 0), 2.5));
    assert!(is_near(of_label("weston_watkins_hinge", &[1.0, 2.5, 0.5], 0), 3.0));
    assert!(is_near(of_label("multiclass_brier", &[0.25, 0.5, 0.25], 1), 0.375));
    assert!(is_near(of_label("spherical", &[0.6, 0.8], 0), 0.4));
    assert!(is_near(of_label("ranked_probability_score", &[0.25, 0.5, 0.25], 2), 0.0625 + 0.5625));
}

#[test]
fn sparse_losses_are_0_from_a_lead_of_1_over_alpha_minus_1() {
    for (name, lead) in [("sparsemax", 1.0), ("fenchel_young(1.5)", 2.0), ("entmax(1.25)", 4.0)] {
        assert_eq!(of_label(name, &[0.5, 0.5 + lead, -7.0], 1), 0.0, "{name}");
        assert!(of_label(name, &[0.5, 0.5 + lead * 0.99, -7.0], 1) > 0.0, "{name}");
        assert!(of_label(name, &[0.5, 0.5 + lead, -7.0], 0) > lead / 2.0, "{name}");
    }
}

#[test]
fn fenchel_young_losses_join_softmax_and_sparsemax() {
    let mut rng = Rng::named("fenchel young");
    for classes in [1, 2, 3, 7, 20] {
        let scores = random(&mut rng, classes);
        let target = probabilities(&mut rng, classes);
        for (one, other) in
            [("fenchel_young(1)", "softmax_cross_entropy"), ("fenchel_young(2)", "sparsemax")]
        {
            assert_eq!(of_row(one, &scores, &target), of_row(other, &scores, &target));
        }
        for (near, alpha) in [(1.0 + 1e-9, 1.0), (1.5 + 1e-9, 1.5), (2.0 - 1e-9, 2.0)] {
            let value = |alpha: f64| of_row(&format!("fenchel_young({alpha})"), &scores, &target);
            let off = value(near) - value(alpha);
            assert!(off.abs() < 1e-7 * value(alpha).max(1.0), "{alpha}: {off:e}");
        }
        // Least where the probabilities equal the target, with its entropy.
        let log: Vec<f64> = target.iter().map(|y| y.ln()).collect();
        let shannon: f64 = -target.iter().map(|y| y * y.ln()).sum::<f64>();
        assert!(is_near(of_row("fenchel_young(1)", &log, &target), shannon));
        let gini = (1.0 - target.iter().map(|y| y * y).sum::<f64>()) / 2.0;
        assert!(is_near(of_row("sparsemax", &target, &target), gini));
        let roots: Vec<f64> = target.iter().map(|y| 2.0 * y.sqrt()).collect();
        let tsallis = (1.0 - target.iter().map(|y| y.powf(1.5)).sum::<f64>()) / 0.75;
        assert!(is_near(of_row("fenchel_young(1.5)", &roots, &target), tsallis));
        assert!(of_row("fenchel_young(1.5)", &scores, &target) >= tsallis - 1e-14);
    }
}

#[test]
fn sets_of_classes() {
    let mut rng = Rng::named("sets");
    for classes in [1, 2, 5] {
        let scores = random(&mut rng, classes);
        // A set of one class is that class.
        let mut one_hot = vec![0.0; classes];
        one_hot[classes - 1] = 1.0;
        let label = classes as i64 - 1;
        let margin = of_row("multilabel_margin", &scores, &one_hot);
        assert!(is_near(margin, of_label("multi_margin", &scores, label)));
        assert_eq!(margin, of_label("multilabel_margin", &scores, label));
        // Each class by itself.
        let set: Vec<f64> = (0..classes).map(|_| rng.below(2) as f64).collect();
        let binary = cost("binary_cross_entropy_with_logits").reduction(Reduction::Mean);
        let mean = binary.value(&scores, &set).unwrap();
        assert!(is_near(of_row("multilabel_soft_margin", &scores, &set), mean));
    }
}

#[test]
fn scores_of_probabilities() {
    let mut rng = Rng::named("scores");
    let p = probabilities(&mut rng, 2);
    let rps = of_label("ranked_probability_score", &p, 0);
    assert!(is_near(rps, p[1] * p[1]));
    assert!(is_near(rps, of_label("multiclass_brier", &p, 0) / 2.0));
    assert!(is_near(rps, cost("squared_error").value(&[p[1]], &[0.0]).unwrap()));
    // Strictly proper: the truth is the best forecast of what is drawn from it.
    let truth = probabilities(&mut rng, 4);
    for name in ["multiclass_brier", "spherical", "ranked_probability_score"] {
        let expected = |forecast: &[f64]| -> f64 {
            let each = truth.iter().enumerate();
            each.map(|(label, y)| y * of_label(name, forecast, label as i64)).sum()
        };
        for _ in 0..20 {
            let other = probabilities(&mut rng, 4);
            assert!(expected(&other) > expected(&truth), "{name}");
        }
    }
}

#[test]
fn ties_decide_nothing() {
    assert_eq!(of_label("multiclass_zero_one", &[1.0, 1.0, 0.0], 0), 1.0);
    assert_eq!(of_label("multiclass_zero_one", &[1.0, 1.0, 0.0], 1), 1.0);
    assert_eq!(of_label("multiclass_zero_one", &[1.0, 2.0, 0.0], 1), 0.0);
    assert_eq!(of_label("top_k_error(2)", &[1.0, 1.0, 0.0], 0), 0.0);
    assert_eq!(of_label("top_k_error(2)", &[1.0, 0.0, 0.0], 1), 1.0);
    let mut rng = Rng::named("ties");
    let scores = random(&mut rng, 9);
    let error = |k: i64, label| of_label(&format!("top_k_error({k})"), &scores, label);
    for label in 0..9 {
        assert_eq!(error(1, label), of_label("multiclass_zero_one", &scores, label));
        assert_eq!(error(9, label), 0.0);
    }
    for k in 1..=9 {
        assert_eq!((0..9).map(|label| error(k, label)).sum::<f64>(), (9 - k) as f64);
    }
}

#[test]
fn a_cumulative_link_gives_probabilities() {
    let mut rng = Rng::named("ordinal");
    for classes in [2, 3, 6] {
        let mut row = random(&mut rng, classes);
        row[1..].sort_by(f64::total_cmp);
        let each =
            (0..classes as i64).map(|label| (-of_label("cumulative_link", &row, label)).exp());
        assert!(is_near(each.sum::<f64>(), 1.0), "{row:?}");
    }
    // Of two classes it is the logistic loss of the score beyond the threshold.
    let above = of_label("cumulative_link", &[1.25, 0.5], 1);
    assert!(is_near(above, cost("logistic").value(&[0.75], &[1.0]).unwrap()));
    assert_eq!(of_label("cumulative_link", &[0.0, 1.0, 1.0], 1), f64::INFINITY);
    assert_eq!(of_label("cumulative_link", &[0.0, 1.0, -1.0], 1), f64::INFINITY);
}
