//! What residuals show.

use super::{Finding, Suited, brief, mean, percent, quantile, robust_sigma, sorted};
use lossfn::choose::{Fitted, LossRequest};
use std::fmt::Write;

/// The share of a normal distribution beyond three standard deviations.
const NORMAL_BEYOND_3: f64 = 0.0027;
/// (q97.5 - q2.5) / (q75 - q25) of a normal distribution.
const NORMAL_KURTOSIS: f64 = 2.906;

/// Advice from targets and predictions.
pub fn advice(pairs: &[(f64, f64)]) -> (Vec<Finding>, Vec<Suited>) {
    let residuals = sorted(pairs.iter().map(|(y, p)| p - y));
    if residuals.iter().all(|&r| r == 0.0) {
        let finding = Finding {
            about: "residuals",
            notable: true,
            verdict: "all 0".into(),
            measured: "every prediction is its target; is it the same column?".into(),
            statistics: Vec::new(),
        };
        return (vec![finding], Vec::new());
    }
    let sigma = robust_sigma(&residuals);
    let bias = bias(&residuals, sigma);
    let outliers = outliers(&residuals, sigma);
    let (tails, index) = tails(&residuals);
    let skew = skew(&residuals);
    let (spread, power) = spread(pairs);
    let zeros = zeros(pairs);

    let all_positive = pairs.iter().all(|&(y, p)| y > 0.0 && p > 0.0);
    let no_negative = pairs.iter().all(|&(y, p)| y >= 0.0 && p > 0.0);
    let mut losses: Vec<Option<Suited>> = Vec::new();
    let heavy = outliers.notable || tails.notable;
    if zeros.as_ref().is_some_and(|zeros| zeros.notable) && no_negative {
        losses.push(Suited::new(
            "tweedie",
            &[("power", 1.5)],
            "targets that are 0 or positive: a power between 1 and 2 allows for both",
        ));
    }
    if all_positive && spread.notable {
        losses.extend(of_spread(power));
    }
    if heavy {
        losses.push(fitted("huber(delta=auto)", &residuals, "outliers pull with a bounded force"));
        let fades = index.is_some_and(|(index, error)| index + error < 3.0);
        // Where residuals are skewed, it would go to where they are densest: the mode.
        if fades && !skew.notable {
            let why = "for tails as heavy as these: the pull of a far outlier fades";
            let heavy = ["cauchy", "barron"].iter().find_map(|id| {
                let scale = lossfn::find(id).ok()?.description.parameters;
                let scale = scale.iter().find(|p| p.role == lossfn::Role::Scale)?;
                fitted(&format!("{id}({}=auto)", scale.name), &residuals, why)
            });
            losses.push(heavy);
        }
        losses.push(Suited::new(
            "absolute_error",
            &[],
            "if the median is what is wanted; no constant to choose",
        ));
    } else if skew.notable {
        losses.push(Suited::new(
            "squared_error",
            &[],
            "if the mean is what is wanted: with skewed residuals robust losses miss it",
        ));
        losses.push(Suited::new("absolute_error", &[], "if the median is what is wanted"));
    } else {
        let why = if spread.notable {
            "no outliers, tails or skew that call for another; but it listens most where the \
             spread is largest"
        } else {
            "the residuals look normal: nothing to gain from a robust loss"
        };
        losses.push(Suited::new("squared_error", &[], why));
    }
    if heavy && skew.notable {
        losses.push(Suited::new(
            "squared_error",
            &[],
            "if the mean is what is wanted: with skewed residuals robust losses miss it",
        ));
    }
    if spread.notable {
        losses.push(Suited::new(
            "gaussian_nll",
            &[],
            "if the model can predict the spread as well, as it is not even",
        ));
    }
    let mut findings = vec![bias, outliers, tails, skew, spread];
    findings.extend(zeros);
    (findings, losses.into_iter().flatten().collect())
}

/// Losses for positive numbers whose spread grows with the prediction to a power.
fn of_spread(power: Option<f64>) -> [Option<Suited>; 2] {
    // The variance grows with twice the power of the spread.
    let why = |law: &str| format!("all is positive, and the spread grows {law}");
    let law = match power {
        Some(p) if (0.25..0.75).contains(&p) => Suited::new(
            "poisson",
            &[],
            why("like the square root of the prediction, as it assumes"),
        ),
        Some(p) if (0.75..1.25).contains(&p) => {
            Suited::new("gamma", &[], why("like the prediction, as it assumes"))
        }
        Some(p) if (1.25..2.0).contains(&p) => Suited::new(
            "inverse_gaussian",
            &[],
            why("like the prediction to the power 3/2, as it assumes"),
        ),
        _ => None,
    };
    let relative = power.filter(|&p| p >= 0.75).and_then(|_| {
        Suited::new(
            "squared_log_error",
            &[],
            "all is positive, and errors are relative: it compares logarithms",
        )
    });
    [law, relative]
}

/// A loss with its scale chosen from the residuals.
fn fitted(text: &str, residuals: &[f64], why: &str) -> Option<Suited> {
    let request: LossRequest = text.parse().ok()?;
    let Fitted { loss, choices } = request.fit(residuals).ok()?.rounded();
    let choice = choices.first()?;
    Some(Suited::of(&loss, format!("{why}; {} is {}", choice.parameter, choice.reason())))
}

/// The mean against its standard error.
pub fn bias(residuals: &[f64], sigma: f64) -> Finding {
    let (mean, error) = mean(residuals.iter().copied());
    // Below a tenth of the spread it does not matter, however surely it is there.
    let notable = mean.abs() > 3.0 * error && mean.abs() > 0.1 * sigma;
    let verdict = match (notable, mean > 0.0) {
        (false, _) => "none to speak of",
        (true, true) => "predictions are too high",
        (true, false) => "predictions are too low",
    };
    let measured =
        format!("mean {}, standard error {}, sigma {}", brief(mean), brief(error), brief(sigma));
    let statistics = vec![("mean", mean), ("standard_error", error), ("sigma", sigma)];
    Finding { about: "bias", notable, verdict: verdict.into(), measured, statistics }
}

fn outliers(residuals: &[f64], sigma: f64) -> Finding {
    let n = residuals.len() as f64;
    let median = quantile(residuals, 0.5);
    let count = residuals.iter().filter(|&r| (r - median).abs() > 3.0 * sigma).count() as f64;
    let share = count / n;
    if sigma == 0.0 {
        return Finding {
            about: "outliers",
            notable: share > 0.01,
            verdict: "most residuals are the same".into(),
            measured: format!(
                "half of the residuals or more are {}, and {} are not",
                brief(median),
                percent(share)
            ),
            statistics: vec![("share", share), ("sigma", sigma)],
        };
    }
    // Four times the normal's share, and more than chance gives a small table.
    let chance = NORMAL_BEYOND_3 * n;
    let notable = share > 0.01 && count > chance + 3.0 * chance.sqrt() && count >= 5.0;
    let verdict = if notable { "more than normal" } else { "no more than normal" };
    let measured =
        format!("{} beyond 3 sigma = {} (normal: 0.27 %)", percent(share), brief(3.0 * sigma));
    let statistics = vec![("share", share), ("normal", NORMAL_BEYOND_3), ("sigma", sigma)];
    Finding { about: "outliers", notable, verdict: verdict.into(), measured, statistics }
}

/// The finding, and the tail index with its standard error.
fn tails(residuals: &[f64]) -> (Finding, Option<(f64, f64)>) {
    let n = residuals.len() as f64;
    let q = |level| quantile(residuals, level);
    let middle = q(0.75) - q(0.25);
    let kurtosis = (q(0.975) - q(0.025)) / middle;
    // Three standard errors at the normal, of 1.4 / sqrt(n) each; and at least what a uniform mixture
    // of two normals of sigma 1 and 1.5 has.
    let threshold = (NORMAL_KURTOSIS * (1.0 + 4.2 / n.sqrt())).max(3.3);
    let notable = middle > 0.0 && kurtosis > threshold;
    // Hill's estimator over the largest twentieth.
    let median = q(0.5);
    let sizes = sorted(residuals.iter().map(|r| (r - median).abs()));
    let count = sizes.len() / 20;
    let start = sizes[sizes.len() - 1 - count];
    let index = (count >= 20 && start > 0.0).then(|| {
        let logs = sizes[sizes.len() - count..].iter().map(|x| (x / start).ln());
        let index = count as f64 / logs.sum::<f64>();
        (index, index / (count as f64).sqrt())
    });
    let mut measured = format!("middle 95 % over middle half: {} (normal: 2.91)", brief(kurtosis));
    let mut statistics = vec![("quantile_kurtosis", kurtosis), ("normal", NORMAL_KURTOSIS)];
    if let Some((index, error)) = index.filter(|_| notable) {
        let _ = write!(measured, "; tail index {} (below 2: no variance)", brief(index));
        statistics.extend([("tail_index", index), ("tail_index_error", error)]);
    }
    let verdict = match index {
        Some((index, error)) if notable && index + error < 3.0 => "very heavy",
        _ if notable => "heavy",
        _ => "not heavy",
    };
    let finding =
        Finding { about: "tails", notable, verdict: verdict.into(), measured, statistics };
    (finding, index.filter(|_| notable))
}

fn skew(residuals: &[f64]) -> Finding {
    let n = residuals.len() as f64;
    let q = |level| quantile(residuals, level);
    let (low, median, high) = (q(0.1), q(0.5), q(0.9));
    let skew = if high > low { (high + low - 2.0 * median) / (high - low) } else { 0.0 };
    // Three standard errors of 1.3 / sqrt(n), as of a Laplace distribution.
    let notable = skew.abs() > (4.0 / n.sqrt()).max(0.15);
    let verdict = match (notable, skew > 0.0) {
        (false, _) => "none to speak of",
        (true, true) => "long tail of predictions too high",
        (true, false) => "long tail of predictions too low",
    };
    let measured = format!(
        "outer tenths {} below and {} above the median: skewness {}",
        brief(median - low),
        brief(high - median),
        brief(skew)
    );
    let statistics = vec![("quantile_skewness", skew)];
    Finding { about: "skew", notable, verdict: verdict.into(), measured, statistics }
}

/// The finding, and the power of the prediction with which the spread grows.
fn spread(pairs: &[(f64, f64)]) -> (Finding, Option<f64>) {
    let mut pairs = pairs.to_vec();
    pairs.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0)));
    let n = pairs.len() as f64;
    let fifth = pairs.len() / 5;
    let parts: Vec<(f64, f64)> = (0..5)
        .map(|at| {
            let part = &pairs[at * fifth..(at + 1) * fifth];
            let center = quantile(&sorted(part.iter().map(|(_, p)| *p)), 0.5);
            (center, robust_sigma(&sorted(part.iter().map(|(y, p)| p - y))))
        })
        .collect();
    let ((first, low), (last, high)) = (parts[0], parts[4]);
    let ratio = high / low;
    // Three standard errors of the logarithm of a ratio of two MADs, each of a fifth of the rows.
    let threshold = (11.0 / n.sqrt()).max(1.5f64.ln());
    let varies = last > first;
    let notable = varies && ratio.is_finite() && ratio > 0.0 && ratio.ln().abs() > threshold;
    let verdict = match (notable, ratio > 1.0) {
        (false, _) => "even enough",
        (true, true) => "grows with the prediction",
        (true, false) => "shrinks with the prediction",
    };
    let mut measured = if varies {
        format!(
            "sigma {} in the lowest fifth of the predictions, {} in the highest",
            brief(low),
            brief(high)
        )
    } else {
        "the predictions are all about the same".to_owned()
    };
    let mut statistics = vec![("sigma_lowest_fifth", low), ("sigma_highest_fifth", high)];
    let usable = parts.iter().all(|&(center, sigma)| center > 0.0 && sigma > 0.0);
    let power = (notable && usable).then(|| {
        let logs = parts.iter().map(|&(center, sigma)| (center.ln(), sigma.ln()));
        let (x, _) = mean(logs.clone().map(|(x, _)| x));
        let (y, _) = mean(logs.clone().map(|(_, y)| y));
        let covariance: f64 = logs.clone().map(|(a, b)| (a - x) * (b - y)).sum();
        let variance: f64 = logs.map(|(a, _)| (a - x).powi(2)).sum();
        covariance / variance
    });
    if let Some(power) = power {
        let _ = write!(measured, "; as the prediction to the power {power:.2}");
        statistics.push(("power", power));
    }
    (Finding { about: "spread", notable, verdict: verdict.into(), measured, statistics }, power)
}

/// Zeros among targets that are never negative.
fn zeros(pairs: &[(f64, f64)]) -> Option<Finding> {
    if pairs.iter().any(|&(y, _)| y < 0.0) || pairs.iter().all(|&(y, _)| y > 0.0) {
        return None;
    }
    let share = pairs.iter().filter(|&&(y, _)| y == 0.0).count() as f64 / pairs.len() as f64;
    let notable = share > 0.01;
    let verdict = if notable { "more than a number on a line has" } else { "none to speak of" };
    let measured = format!("{} of the targets are 0, and none is negative", percent(share));
    let statistics = vec![("share", share)];
    Some(Finding { about: "zeros", notable, verdict: verdict.into(), measured, statistics })
}
