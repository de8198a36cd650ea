//! What predicted rates and counts show.

use super::numbers::bias;
use super::{Finding, Suited, brief, percent, robust_sigma, sorted};

/// Advice from counts and predictions.
pub fn advice(pairs: &[(f64, f64)]) -> (Vec<Finding>, Vec<Suited>) {
    let residuals = sorted(pairs.iter().map(|(y, p)| p - y));
    let bias = bias(&residuals, robust_sigma(&residuals));
    let n = pairs.len() as f64;
    let zeros = pairs.iter().filter(|&&(y, _)| y == 0.0).count() as f64 / n;
    let not_rates = pairs.iter().filter(|&&(_, p)| p <= 0.0).count() as f64 / n;
    if not_rates > 0.0 {
        let rates = Finding {
            about: "rates",
            notable: true,
            verdict: "predictions are not all rates".into(),
            measured: format!("{} of the predictions are 0 or less", percent(not_rates)),
            statistics: vec![("share_not_positive", not_rates)],
        };
        let why = "for counts, if the prediction is the logarithm of the rate";
        let losses = [
            Suited::new("poisson_log_link", &[], why),
            Suited::new(
                "squared_error",
                &[],
                "if the mean is wanted and predictions stay as they are",
            ),
        ];
        return (vec![bias, rates], losses.into_iter().flatten().collect());
    }
    let pearson = pairs.iter().map(|(y, rate)| (y - rate).powi(2) / rate).sum::<f64>() / n;
    // Cameron and Trivedi's regression of ((y - rate)^2 - y) / rate on the rate.
    let excess = |&(y, rate): &(f64, f64)| ((y - rate).powi(2) - y) / rate;
    let squares: f64 = pairs.iter().map(|(_, rate)| rate * rate).sum();
    let alpha = pairs.iter().map(|pair| excess(pair) * pair.1).sum::<f64>() / squares;
    let rest: f64 = pairs.iter().map(|pair| (excess(pair) - alpha * pair.1).powi(2)).sum();
    let error = (rest / (n - 1.0) / squares).sqrt();
    let over = pearson > 1.2 && alpha > 3.0 * error;
    let under = pearson < 0.8 && alpha < -3.0 * error;
    let dispersion = Finding {
        about: "dispersion",
        notable: over || under,
        verdict: match (over, under) {
            (true, _) => "more than Poisson",
            (_, true) => "less than Poisson",
            _ => "as of a Poisson distribution",
        }
        .into(),
        measured: format!(
            "variance {} times the rate (Poisson: 1); its excess {} times the squared rate, standard \
             error {}",
            brief(pearson),
            brief(alpha),
            brief(error)
        ),
        statistics: vec![
            ("variance_per_rate", pearson),
            ("alpha", alpha),
            ("standard_error", error),
        ],
    };
    // The zeros that a Poisson, or where there is more dispersion a negative binomial distribution of
    // the same has.
    let expected = |rate: f64| if over { (alpha * rate).ln_1p() / -alpha } else { -rate }.exp();
    let due = pairs.iter().map(|&(_, rate)| expected(rate)).sum::<f64>() / n;
    let inflated = zeros > due + 3.0 * (due * (1.0 - due) / n).sqrt() && zeros > due + 0.02;
    let law = if over { "a negative binomial" } else { "a Poisson" };
    let zero = Finding {
        about: "zeros",
        notable: inflated,
        verdict: if inflated { "too many" } else { "as many as are due" }.into(),
        measured: format!(
            "{} of the counts are 0; {law} distribution has {}",
            percent(zeros),
            percent(due)
        ),
        statistics: vec![("share", zeros), ("expected", due)],
    };
    let mut losses = Vec::new();
    if over {
        let rounded: f64 = format!("{alpha:.2e}").parse().unwrap_or(alpha);
        let why = "counts that vary more than Poisson's, by the square of the rate";
        losses.push(Suited::new("negative_binomial", &[("dispersion", rounded)], why));
        losses.push(Suited::new(
            "poisson",
            &[],
            "still gives the right rates; only what is said of their spread would be too narrow",
        ));
    } else if under {
        let why = "counts that vary less than Poisson's, as scores on a scale do";
        losses.push(Suited::new("squared_error", &[], why));
    } else {
        losses.push(Suited::new("poisson", &[], "counts that vary as Poisson's do"));
    }
    if inflated {
        losses.push(Suited::new(
            "binary_cross_entropy_with_logits",
            &[],
            "for a second model that says whether a count is 0 at all (a hurdle): one rate cannot \
             explain so many zeros",
        ));
    }
    (vec![bias, dispersion, zero], losses.into_iter().flatten().collect())
}
