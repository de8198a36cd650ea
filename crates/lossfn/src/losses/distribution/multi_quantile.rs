use crate::number::Number;
use crate::{Ensemble, loss};

loss! {
    /// The mean pinball loss of several predicted quantiles, at levels spaced evenly from `low` to `high`.
    MultiQuantile: "multi_quantile" {
        aliases: ["MultiQuantile"],
        task: Distribution,
        prediction: Real "the predicted quantiles, from that at level low to that at level high, in the unit of the target",
        target: Real,
        parameters: {
            low = 0.1 in OPEN_UNIT: "the level of the first predicted quantile",
            high = 0.9 in OPEN_UNIT: "the level of the last predicted quantile",
        },
        optimum: "0 where every predicted quantile is the target, at a kink. Over many targets the best constants are their quantiles at the levels.",
        limits: "The slope by a quantile is -level below the target and 1 - level above, divided by the number of quantiles, and 0 at the kink. The second derivative is 0 everywhere but at the kinks. A single prediction has the level low. Quantiles that cross are not punished.",
        peers: "CatBoost's MultiQuantile takes a list of levels. The mean over the levels of quantile(level).",
        reference: "Koenker and Bassett (1978), Regression Quantiles, doi:10.2307/1913643.",
        usual: false,
    }
}

impl Ensemble for MultiQuantile {
    #[inline(always)]
    fn part<N: Number>(&self, prediction: N, target: N, place: usize, count: usize) -> N {
        let (low, high) = (self.low, self.high);
        let (k, last) = (place as f64, (count.max(2) - 1) as f64);
        let mixture = |first: f64, end: f64| (first * (last - k) + end * k) / last;
        let level = || {
            let (low, high) = (N::parameter("low", low), N::parameter("high", high));
            let last = (N::parameter("K", count as f64) - 1.0).max(N::constant(1.0));
            low + (high - low) * N::parameter("k", k) / last
        };
        // 1 - level from the ends: from a level near 1 that is rounded it would lose digits.
        let rest = mixture(1.0 - low, 1.0 - high);
        pinball(prediction, target, (mixture(low, high), rest), count, level)
    }
}

/// What a quantile costs, divided by the number of quantiles; the level and 1 minus it are given.
#[inline(always)]
pub(super) fn pinball<N: Number>(
    prediction: N,
    target: N,
    (level, rest): (f64, f64),
    count: usize,
    symbolic: impl Fn() -> N,
) -> N {
    let below = (target - prediction).positive_part();
    let above = (prediction - target).positive_part();
    let tilted = N::derived(level, &symbolic) * below
        + N::derived(rest, || N::constant(1.0) - symbolic()) * above;
    tilted / N::parameter("K", count as f64)
}
