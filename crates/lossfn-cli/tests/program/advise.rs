//! `lossfn advise`: data of known distributions get the advice that they should.

use crate::common::{Folder, Random, npy, npz, project};
use serde_json::Value;
use std::fmt::Write;

/// Draws from distributions.
struct Draw(Random);

impl Draw {
    fn unit(&mut self) -> f64 {
        // Neither 0 nor 1.
        (self.0.unit() + 1e-12).min(1.0 - 1e-12)
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * self.unit()).cos()
    }

    fn laplace(&mut self) -> f64 {
        let sign = if self.unit() < 0.5 { -1.0 } else { 1.0 };
        -sign * self.unit().ln()
    }

    /// Student's t with two degrees of freedom.
    fn t2(&mut self) -> f64 {
        let u = self.unit();
        (2.0 * u - 1.0) / (2.0 * u * (1.0 - u)).sqrt()
    }

    fn poisson(&mut self, rate: f64) -> f64 {
        let (limit, mut product, mut count) = ((-rate).exp(), self.unit(), 0.0);
        while product > limit {
            product *= self.unit();
            count += 1.0;
        }
        count
    }

    /// The sum of `shape` exponential numbers with this mean.
    fn gamma(&mut self, shape: usize, mean: f64) -> f64 {
        (0..shape).map(|_| -self.unit().ln()).sum::<f64>() * mean / shape as f64
    }
}

/// Targets and predictions by a rule from a random source, as a file.
fn pairs(seed: u64, rows: usize, mut rule: impl FnMut(&mut Draw) -> (f64, f64)) -> Folder {
    let mut draw = Draw(Random(seed));
    let mut text = "y,p\n".to_owned();
    for _ in 0..rows {
        let (y, p) = rule(&mut draw);
        writeln!(text, "{y},{p}").expect("a string takes all");
    }
    Folder::with("t.csv", text)
}

fn advice(folder: &Folder) -> Value {
    folder.run("advise t.csv --target y --prediction p --format json").json()
}

#[track_caller]
fn finding<'a>(advice: &'a Value, about: &str) -> &'a Value {
    let findings = advice["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["about"] == about);
    found.unwrap_or_else(|| panic!("nothing on {about}: {advice}"))
}

/// What has a consequence.
fn notable(advice: &Value) -> Vec<&str> {
    let findings = advice["findings"].as_array().expect("findings").iter();
    let notable = findings.filter(|finding| finding["notable"] == true);
    notable.map(|finding| finding["about"].as_str().expect("a text")).collect()
}

/// The losses that are advised; each must be one that can be asked for.
fn losses(advice: &Value) -> Vec<String> {
    let losses = advice["losses"].as_array().expect("losses").iter();
    let losses: Vec<String> =
        losses.map(|suited| suited["loss"].as_str().expect("a text").to_owned()).collect();
    for loss in &losses {
        Folder::new().run(&format!("describe '{loss}'")).answer();
    }
    losses
}

#[track_caller]
fn statistic(advice: &Value, about: &str, name: &str) -> f64 {
    finding(advice, about)["statistics"][name].as_f64().expect("a number")
}

#[test]
fn normal_residuals_call_for_nothing_robust() {
    for (seed, rows) in [(1, 30), (2, 50), (3, 100), (4, 442), (5, 2000), (6, 20_000), (7, 500)] {
        let folder = pairs(seed, rows, |draw| {
            let p = 100.0 * draw.unit();
            (p + 7.0 * draw.normal(), p)
        });
        let advice = advice(&folder);
        assert_eq!((notable(&advice), &advice["kind"]), (vec![], &"numbers".into()), "{rows}");
        assert_eq!(losses(&advice), ["squared_error"], "{rows}");
    }
}

#[test]
fn heavy_tails_call_for_a_robust_loss_with_its_constant() {
    let folder = pairs(10, 3000, |draw| (5.0 * draw.laplace(), 0.001 * draw.unit()));
    let laplace = advice(&folder);
    assert_eq!(notable(&laplace), ["outliers", "tails"]);
    assert_eq!(finding(&laplace, "tails")["found"], "heavy");
    // The MAD of a Laplace distribution of scale b is b ln 2.
    let huber = losses(&laplace)[0].clone();
    let delta: f64 =
        huber.trim_start_matches("huber(delta=").trim_end_matches(')').parse().unwrap();
    assert!((delta / (1.345 * 1.4826 * 2f64.ln() * 5.0) - 1.0).abs() < 0.06, "{huber}");
    assert_eq!(losses(&laplace)[1], "absolute_error");

    let t2 = advice(&pairs(11, 3000, |draw| (draw.t2(), 0.001 * draw.unit())));
    assert_eq!(notable(&t2), ["outliers", "tails"]);
    assert_eq!(finding(&t2, "tails")["found"], "very heavy");
    assert!((statistic(&t2, "tails", "tail_index") - 2.0).abs() < 0.6);
    assert!(losses(&t2)[0].starts_with("huber(delta=1."), "{:?}", losses(&t2));
    assert!(losses(&t2)[1].starts_with("cauchy(scale="), "{:?}", losses(&t2));

    // One residual in twenty is far off.
    let gross = advice(&pairs(12, 500, |draw| {
        let far = if draw.unit() < 0.05 { 60.0 } else { 1.0 };
        (far * draw.normal(), draw.unit())
    }));
    assert!(notable(&gross).contains(&"outliers"), "{gross}");
    assert!(losses(&gross)[0].starts_with("huber("));
}

#[test]
fn skew_and_spread_are_told_apart() {
    // Log-normal errors of predictions that are medians.
    let log_normal = advice(&pairs(20, 3000, |draw| {
        let p = 1.0 + 20.0 * draw.unit();
        (p * (0.6 * draw.normal()).exp(), p)
    }));
    assert_eq!(finding(&log_normal, "skew")["found"], "long tail of predictions too low");
    assert!(notable(&log_normal).contains(&"spread"));
    assert!((statistic(&log_normal, "spread", "power") - 1.0).abs() < 0.2);
    let advised = losses(&log_normal);
    assert_eq!(advised[..2], ["gamma", "squared_log_error"]);

    let skewed = advice(&pairs(21, 3000, |draw| (-draw.gamma(2, 5.0), draw.unit() - 5.0)));
    assert_eq!(finding(&skewed, "skew")["found"], "long tail of predictions too high");
    assert!(losses(&skewed).contains(&"absolute_error".to_owned()));

    let uneven = advice(&pairs(22, 3000, |draw| {
        let p = draw.unit() * 10.0 - 5.0;
        (p + (p / 3.0).exp() * draw.normal(), p)
    }));
    assert_eq!(finding(&uneven, "spread")["found"], "grows with the prediction");

    let biased = advice(&pairs(23, 1000, |draw| (draw.normal(), 0.5 + 0.01 * draw.unit())));
    assert_eq!(notable(&biased), ["bias"]);
    assert_eq!(finding(&biased, "bias")["found"], "predictions are too high");
}

#[test]
fn counts_are_recognised() {
    let rate = |draw: &mut Draw| 0.5 + 6.0 * draw.unit();
    let poisson = advice(&pairs(30, 3000, |draw| {
        let rate = rate(draw);
        (draw.poisson(rate), rate)
    }));
    assert_eq!((notable(&poisson), &poisson["kind"]), (vec![], &"counts".into()));
    assert!((statistic(&poisson, "dispersion", "variance_per_rate") - 1.0).abs() < 0.1);
    assert_eq!(losses(&poisson), ["poisson"]);

    // Mixed over a gamma distribution of shape 2: alpha = 1/2.
    let negative_binomial = advice(&pairs(31, 5000, |draw| {
        let rate = rate(draw);
        let mixed = draw.gamma(2, rate);
        (draw.poisson(mixed), rate)
    }));
    assert_eq!(notable(&negative_binomial), ["dispersion"]);
    assert!((statistic(&negative_binomial, "dispersion", "alpha") - 0.5).abs() < 0.08);
    let advised = losses(&negative_binomial);
    assert!(advised[0].starts_with("negative_binomial(dispersion=0."), "{advised:?}");

    let inflated = advice(&pairs(32, 3000, |draw| {
        let rate = 2.0 + 6.0 * draw.unit();
        (if draw.unit() < 0.4 { 0.0 } else { draw.poisson(rate) }, 0.6 * rate)
    }));
    assert_eq!(notable(&inflated), ["dispersion", "zeros"]);
    assert_eq!(finding(&inflated, "zeros")["found"], "too many");

    let linear = advice(&pairs(33, 300, |draw| (draw.poisson(3.0), draw.normal())));
    assert!(notable(&linear).contains(&"rates"), "{linear}");

    // Zeros among positive numbers on a line: not counts.
    let zeros = advice(&pairs(34, 1000, |draw| {
        (if draw.unit() < 0.3 { 0.0 } else { draw.gamma(2, 10.0) }, 7.0)
    }));
    assert_eq!(zeros["kind"], "numbers");
    assert!(notable(&zeros).contains(&"zeros"), "{zeros}");
    assert_eq!(losses(&zeros)[0], "tweedie");
}

/// Logits with labels drawn by their probabilities, then made `times` as large.
fn logits(seed: u64, rows: usize, shift: f64, times: f64, noise: f64) -> Folder {
    pairs(seed, rows, |draw| {
        let logit = shift + 2.0 * draw.normal();
        let label = draw.unit() < 1.0 / (1.0 + (-logit).exp());
        let flipped = draw.unit() < noise;
        (f64::from(u8::from(label != flipped)), times * logit)
    })
}

#[test]
fn confidence_is_compared_with_what_is_right() {
    for (seed, rows) in [(40, 100), (41, 1000), (42, 10_000)] {
        let calibrated = advice(&logits(seed, rows, 0.0, 1.0, 0.0));
        assert_eq!(notable(&calibrated), [""; 0], "{calibrated}");
        assert_eq!(calibrated["kind"], "two classes, raw scores read as logits");
        assert_eq!(losses(&calibrated), ["binary_cross_entropy_with_logits"]);
    }
    let over = advice(&logits(43, 4000, 0.0, 3.0, 0.0));
    let notable_of = notable(&over);
    assert!(notable_of.contains(&"confidence") && notable_of.contains(&"calibration"), "{over}");
    assert_eq!(finding(&over, "confidence")["found"], "over-confident");
    assert!((statistic(&over, "confidence", "temperature") - 3.0).abs() < 0.4);
    let under = advice(&logits(44, 4000, 0.0, 0.4, 0.0));
    assert_eq!(finding(&under, "confidence")["found"], "under-confident");
    assert!((statistic(&under, "confidence", "temperature") - 0.4).abs() < 0.06);
    // A tenth of the labels flipped.
    let noisy = advice(&logits(45, 4000, 0.0, 2.0, 0.1));
    assert!(notable(&noisy).contains(&"labels"), "{noisy}");
    let rare = advice(&logits(46, 4000, -6.0, 1.0, 0.0));
    assert_eq!(notable(&rare), ["balance"], "{rare}");
    assert!(statistic(&rare, "balance", "rarest_share") < 0.05);
}

#[test]
fn probabilities_and_signs_are_read_as_such() {
    let folder = pairs(50, 1000, |draw| {
        let p = draw.unit();
        (if draw.unit() < p { 1.0 } else { -1.0 }, p)
    });
    let advised = advice(&folder);
    assert_eq!(advised["kind"], "two classes, predicted probabilities");
    assert_eq!(losses(&advised), ["binary_cross_entropy"]);
    assert_eq!(notable(&advised), [""; 0]);
    // A probability of 0 for what happened.
    let folder = pairs(51, 100, |draw| (f64::from(u8::from(draw.unit() < 0.5)), 0.0));
    let advised = advice(&folder);
    assert!(notable(&advised).contains(&"scores"), "{advised}");
    assert_eq!(finding(&advised, "scores")["statistics"]["log_loss"], "inf");
}

#[test]
fn class_scores_in_several_columns_or_lists() {
    let mut draw = Draw(Random(60));
    let (mut y, mut scores, mut text) = (Vec::new(), Vec::new(), "y,s0,s1,s2\n".to_owned());
    for _ in 0..2000 {
        let row = [draw.normal(), draw.normal(), 1.5 * draw.normal()];
        let total: f64 = row.iter().map(|s| s.exp()).sum();
        let (mut label, mut left) = (0, draw.unit() * total);
        while label < 2 && left > row[label].exp() {
            left -= row[label].exp();
            label += 1;
        }
        y.push(label as f64);
        scores.extend(row.map(|score| 4.0 * score));
        writeln!(text, "{label},{},{},{}", 4.0 * row[0], 4.0 * row[1], 4.0 * row[2]).expect("text");
    }
    let folder = Folder::with("t.csv", text);
    let arrays = [("y", npy("(2000,)", &y)), ("p", npy("(2000, 3)", &scores))];
    folder.write("t.npz", npz(&arrays));
    let columns = folder.run("advise t.csv --target y --prediction 's*' --format json").json();
    let lists = folder.run("advise t.npz --target y --prediction p --format json").json();
    assert_eq!(columns["findings"], lists["findings"]);
    assert_eq!(columns["kind"], "classes, raw scores read as logits");
    assert_eq!(finding(&columns, "confidence")["found"], "over-confident");
    assert!((statistic(&columns, "confidence", "temperature") - 4.0).abs() < 0.5);
    let advised = losses(&columns);
    assert!(advised.contains(&"softmax_cross_entropy".to_owned()), "{advised:?}");
    let smoothed = |loss: &String| loss.contains("label_smoothing=0.1");
    assert!(advised.iter().any(smoothed), "{advised:?}");
}

#[test]
fn a_large_table_is_sampled_the_same_on_any_number_of_threads() {
    let mut random = Random(70);
    let rows = 300_000;
    let y: Vec<f64> = (0..rows).map(|_| random.unit() + random.unit() + random.unit()).collect();
    let folder = Folder::new();
    let shape = format!("({rows},)");
    folder.write("y.npy", npy(&shape, &y));
    folder.write("p.npy", npy(&shape, &vec![1.5; rows]));
    let line = "advise y.npy p.npy --target y --prediction p --format json";
    let one = folder.run(&format!("{line} --threads 1")).answer();
    assert_eq!(folder.run(&format!("{line} --threads 3")).answer(), one);
    let json: Value = serde_json::from_str(&one).expect("JSON");
    assert_eq!((&json["valid"], &json["sampled"]), (&rows.into(), &262_144.into()));
    let text = folder.run("advise y.npy p.npy --target y --prediction p").answer();
    assert!(text.contains("The numbers are those of 262144 rows drawn at random\n"), "{text}");
}

#[test]
fn the_examples_get_advice_in_a_table() {
    for (file, prediction, due) in [
        ("diabetes.csv", "ridge", ["grows with the prediction", "squared_error"]),
        ("breast_cancer.parquet", "score", ["as it should be", "binary_cross_entropy_with_logits"]),
        ("digits.csv", "score_*", ["under-confident", "softmax_cross_entropy"]),
    ] {
        let file = project("examples/data").join(file);
        let line = format!("advise '{}' --target y --prediction {prediction}", file.display());
        let text = Folder::new().run(&line).answer();
        assert!(due.iter().all(|due| text.contains(due)), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    }
}

#[test]
fn what_no_advice_can_be_given_on_is_refused() {
    let folder = Folder::with("few.csv", "y,p\n1,2\n");
    folder.write("header.csv", "y,p\n");
    folder.write("gap.csv", "y,p\n1,2\n1,\n");
    folder.write("text.csv", "y,p\n1,high\n");
    folder.write("infinite.csv", "y,p\n1,2\n1,inf\n");
    folder.write("labels.csv", "y,a,b\n0,1,2\n2,1,2\n");
    folder.write("several.csv", "y,z,a,b\n0,1,1,2\n");
    folder.write("same.csv", format!("y,p\n{}", "1.5,1.5\n".repeat(40)));
    for (line, message) in [
        (
            "few.csv --target y --prediction p",
            "too few rows count to tell anything: 1, and 30 are needed",
        ),
        ("header.csv --target y --prediction p", "header.csv: there are no rows to evaluate"),
        ("few.csv --target z --prediction p", "few.csv: there is no column \"z\"; there are: y, p"),
        (
            "gap.csv --target y --prediction p",
            "gap.csv: row 2, column p: the number is missing or not a number (NaN); mend the row, \
             or use --skip-nan to leave such rows out and count them",
        ),
        ("text.csv --target y --prediction p", "text.csv: row 1, column p: `high` is not a number"),
        (
            "infinite.csv --target y --prediction p",
            "infinite.csv: row 2: the prediction is inf and the target 1: advice needs finite numbers",
        ),
        (
            "labels.csv --target y --prediction a,b",
            "labels.csv: row 2: label 2 is not one of the 2 classes, which are 0 to 1",
        ),
        (
            "several.csv --target y,z --prediction a,b",
            "several.csv: the target has 2 numbers per row, and advice is given on one: a number \
             or the label of a class",
        ),
    ] {
        let refusal = folder.run(&format!("advise {line}")).refusal();
        assert_eq!(refusal, format!("lossfn: {message}\n"));
    }
    let same = folder.run("advise same.csv --target y --prediction p").answer();
    assert!(same.contains("every prediction is its target; is it the same column?"), "{same}");
}
