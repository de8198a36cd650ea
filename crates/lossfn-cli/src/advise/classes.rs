//! What probabilities and scores of classes show.

use super::look::{Judged, Kind, Look, Reading, TEMPERATURES};
use super::{Finding, Suited, brief, mean, percent};
use std::fmt::Write;

/// Bins of equal numbers of rows for the calibration error.
const BINS: usize = 15;
/// A prediction is certain above this.
const CERTAIN: f64 = 0.99;

/// Advice from judged rows.
pub fn advice(look: Look, kind: Kind) -> (Vec<Finding>, Vec<Suited>) {
    let (classes, valid) = (look.classes(), look.valid);
    let counts: Vec<u64> =
        (0..classes as u64).map(|class| look.labels.get(&class).copied().unwrap_or(0)).collect();
    let probabilities = matches!(kind, Kind::TwoProbabilities | Kind::Probabilities);
    let reading = if probabilities { look.as_probabilities } else { look.as_scores };
    let Reading { rows, log_loss, impossible } = reading;
    let rows = rows.into_things();
    let balance = balance(&counts, &rows);
    let (confidence, temperature) = confidence(&rows, &log_loss, valid - impossible);
    let calibration = calibration(&rows);
    let certain = certain(&rows);
    let log_mean = log_loss[one()].value() / (valid - impossible).max(1) as f64;
    // Of two classes, the square is that of one of them, as is usual.
    let of_rows = if matches!(kind, Kind::TwoProbabilities | Kind::TwoScores) { 0.5 } else { 1.0 };
    let (brier, _) = mean(rows.iter().map(|row| of_rows * row.brier));
    let mut measured = format!("log loss {}, Brier score {}", brief(log_mean), brief(brier));
    if impossible > 0 {
        measured = format!(
            "log loss infinite by {impossible} rows, without them {}; Brier score {}",
            brief(log_mean),
            brief(brier)
        );
    }
    let scores = Finding {
        about: "scores",
        notable: impossible > 0,
        verdict: if impossible > 0 { "truth held impossible" } else { "finite" }.into(),
        measured,
        statistics: vec![
            ("log_loss", if impossible > 0 { f64::INFINITY } else { log_mean }),
            ("brier", brier),
            ("impossible_rows", impossible as f64),
        ],
    };

    let two = classes == 2 && matches!(kind, Kind::TwoProbabilities | Kind::TwoScores);
    let (plain, focal) = match (two, probabilities) {
        (true, true) => ("binary_cross_entropy", None),
        (true, false) => ("binary_cross_entropy_with_logits", Some("sigmoid_focal")),
        (false, true) => ("categorical_cross_entropy", None),
        (false, false) => ("softmax_cross_entropy", Some("softmax_focal")),
    };
    let mut losses = vec![Suited::new(
        plain,
        &[],
        if impossible > 0 {
            "proper, but infinite where the true class has probability 0: predict scores, or keep \
             probabilities above 0"
        } else {
            "proper: it is least for probabilities that are true"
        },
    )];
    let over =
        confidence.notable && temperature.is_none_or(|t| t > 1.0) && confidence.verdict == OVER;
    if over {
        let why = "takes the edge off over-confidence: no class is to have probability 1";
        losses.push(Suited::new(plain, &[("label_smoothing", 0.1)], why));
        let why = "rows that are right already count for less, which tempers confidence";
        losses.push(focal.and_then(|focal| Suited::new(focal, &[], why)));
    }
    if balance.notable && !over {
        let why = "if the rows that are hard, often those of the rare class, are to count for more; \
                   probabilities are then drawn towards the middle";
        losses.push(focal.and_then(|focal| Suited::new(focal, &[], why)));
    }
    if certain.notable && !two {
        let robust = if probabilities {
            [].as_slice()
        } else {
            ["generalized_cross_entropy", "symmetric_cross_entropy"].as_slice()
        };
        let why = "if the labels are at fault: a wrong one pulls with a bounded force";
        losses.push(robust.iter().find_map(|id| Suited::new(id, &[], why)));
    }
    if impossible > 0 {
        let brier = if two { "brier" } else { "multiclass_brier" };
        if probabilities {
            losses.push(Suited::new(brier, &[], "proper as well, and finite at probability 0"));
        }
    }
    let findings = vec![balance, scores, confidence, calibration, certain];
    (findings, losses.into_iter().flatten().collect())
}

const OVER: &str = "over-confident";

/// The place of temperature 1.
fn one() -> usize {
    (-TEMPERATURES.start()) as usize
}

fn balance(counts: &[u64], rows: &[Judged]) -> Finding {
    let total = counts.iter().sum::<u64>() as f64;
    let share = |class: usize| counts[class] as f64 / total;
    let by_count = |class: &usize| counts[*class];
    let rarest = (0..counts.len()).min_by_key(by_count).unwrap_or(0);
    let most = (0..counts.len()).max_by_key(by_count).unwrap_or(0);
    let (accuracy, _) = mean(rows.iter().map(|row| f64::from(u8::from(row.correct))));
    let notable = share(rarest) < 0.1 * share(most);
    let verdict = match (counts[rarest], notable) {
        (0, _) => "a class does not occur",
        (_, true) => "imbalanced",
        (_, false) => "balanced enough",
    };
    let measured = format!(
        "rarest class {rarest}: {}, largest class {most}: {}; accuracy {}",
        percent(share(rarest)),
        percent(share(most)),
        percent(accuracy)
    );
    let statistics = vec![
        ("rarest_share", share(rarest)),
        ("largest_share", share(most)),
        ("accuracy", accuracy),
    ];
    Finding { about: "balance", notable, verdict: verdict.into(), measured, statistics }
}

/// The finding, and the temperature with the least log loss if it is clearly another than 1.
fn confidence(
    rows: &[Judged],
    log_loss: &[lossfn::ExactSum],
    count: u64,
) -> (Finding, Option<f64>) {
    let n = rows.len() as f64;
    let (confidence, _) = mean(rows.iter().map(|row| row.confidence));
    let (accuracy, _) = mean(rows.iter().map(|row| f64::from(u8::from(row.correct))));
    // What the share of right predictions varies by if the probabilities are true.
    let error =
        rows.iter().map(|row| row.confidence * (1.0 - row.confidence)).sum::<f64>().sqrt() / n;
    let gap = confidence - accuracy;
    let notable = gap.abs() > 3.0 * error && gap.abs() > 0.02;
    let verdict = match (notable, gap > 0.0) {
        (false, _) => "as it should be",
        (true, true) => OVER,
        (true, false) => "under-confident",
    };
    let mut measured = format!(
        "mean confidence {}, accuracy {}, standard error {}",
        percent(confidence),
        percent(accuracy),
        percent(error)
    );
    let mut statistics =
        vec![("mean_confidence", confidence), ("accuracy", accuracy), ("standard_error", error)];
    // The least of a parabola through the best temperature and its neighbours.
    let means: Vec<f64> = log_loss.iter().map(|sum| sum.value() / count.max(1) as f64).collect();
    let best = (0..means.len()).min_by(|&a, &b| means[a].total_cmp(&means[b])).unwrap_or(0);
    let mut power = f64::from(best as i32 + TEMPERATURES.start());
    if best > 0 && best + 1 < means.len() {
        let (a, b, c) = (means[best - 1], means[best], means[best + 1]);
        let bend = a - 2.0 * b + c;
        if bend > 0.0 {
            power += 0.5 * (a - c) / bend;
        }
    }
    let temperature = (power * 0.5).exp2();
    // The likelihood ratio test of temperature 1, at one in a thousand.
    let gain = means[one()] - means[best];
    let clear = count > 0 && best != one() && 2.0 * gain * count as f64 > 10.83;
    if clear && notable {
        let _ = write!(
            measured,
            "; at temperature {} the log loss is {} instead of {}",
            brief(temperature),
            brief(means[best]),
            brief(means[one()])
        );
        statistics.push(("temperature", temperature));
    }
    let finding =
        Finding { about: "confidence", notable, verdict: verdict.into(), measured, statistics };
    (finding, clear.then_some(temperature))
}

fn calibration(rows: &[Judged]) -> Finding {
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let n = rows.len();
    let (mut error, mut chance) = (0.0, 0.0);
    for bin in 0..BINS {
        let part = &rows[bin * n / BINS..(bin + 1) * n / BINS];
        let right = part.iter().filter(|row| row.correct).count() as f64;
        let promised: f64 = part.iter().map(|row| row.confidence).sum();
        let variance: f64 = part.iter().map(|row| row.confidence * (1.0 - row.confidence)).sum();
        error += (right - promised).abs() / n as f64;
        // The mean size of a normal number with that variance.
        chance += (variance * 2.0 / std::f64::consts::PI).sqrt() / n as f64;
    }
    let notable = error > 2.0 * chance && error > 0.02;
    let verdict = match (notable, error > 2.0 * chance) {
        (true, _) => "off",
        (false, true) => "off by little",
        (false, false) => "as good as can be told",
    };
    let measured = format!(
        "expected calibration error {} ({BINS} bins); by chance {}",
        percent(error),
        percent(chance)
    );
    let statistics = vec![("expected_calibration_error", error), ("by_chance", chance)];
    Finding { about: "calibration", notable, verdict: verdict.into(), measured, statistics }
}

/// Rows of which the prediction was certain, and wrong.
fn certain(rows: &[Judged]) -> Finding {
    let certain: Vec<&Judged> = rows.iter().filter(|row| row.confidence > CERTAIN).collect();
    let n = rows.len() as f64;
    let wrong = certain.iter().filter(|row| !row.correct).count() as f64;
    let promised: f64 = certain.iter().map(|row| 1.0 - row.confidence).sum();
    let notable =
        wrong >= 5.0 && wrong > 3.0 * promised && wrong > promised + 3.0 * promised.sqrt();
    let verdict =
        if notable { "wrong labels, or over-confident" } else { "no sign of wrong labels" };
    let mut measured = format!(
        "above 99 % certain: {}; and wrong: {}, expected {}",
        percent(certain.len() as f64 / n),
        percent(wrong / n),
        percent(promised / n)
    );
    if notable {
        measured += "; `lossfn eval --worst 20` shows such rows";
    }
    let statistics = vec![
        ("certain_share", certain.len() as f64 / n),
        ("certain_and_wrong_share", wrong / n),
        ("expected_share", promised / n),
    ];
    Finding { about: "labels", notable, verdict: verdict.into(), measured, statistics }
}
