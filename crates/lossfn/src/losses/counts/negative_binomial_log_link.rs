use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of an over-dispersed count under the exponential of a predicted score.
    NegativeBinomialLogLink: "negative_binomial_log_link" {
        aliases: ["negative_binomial_log", "nb2_log"],
        task: Counts,
        prediction: Real "the logarithm of the predicted mean",
        target: NonNegative,
        link: "exp(prediction) is the predicted mean.",
        parameters: {
            dispersion = 1.0 in POSITIVE: "how much the variance exceeds the mean: it is mean + dispersion * mean^2",
            full = 0.0 in SWITCH: "whether the terms that depend on the target alone are added, so that the loss is the whole negative log-likelihood",
        },
        optimum: "For targets above 0 lowest where exp(prediction) = target, with slope 0. Without `full` the terms that depend on the target and the dispersion alone are left out.",
        limits: "Smooth and convex, about linear in both directions: no score overflows. For dispersion to 0 it tends to poisson_log_link.",
        peers: "The NB2 model of statsmodels and of R's glm.nb with the logarithmic link.",
        reference: "Hilbe (2011), Negative Binomial Regression, doi:10.1017/CBO9780511973420.",
        usual: false,
    }
}

impl Pointwise for NegativeBinomialLogLink {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let dispersion = N::parameter("dispersion", self.dispersion);
        let one = N::constant(1.0);
        let inverse = N::derived(1.0 / self.dispersion, || one / dispersion);
        let ln_dispersion = N::derived(self.dispersion.ln(), || dispersion.ln());
        let (p, y) = (prediction, target);
        // Beyond, exponentials overflow.
        let limit = N::constant(60.0);
        let (mean, rest) = (p.exp(), (-p).exp());
        let (up, down) = ((dispersion * mean).ln1p(), (rest * inverse).ln1p());
        let share = one / (dispersion * mean + 1.0);
        let (slope, weight) = (p.exp_minus(y) * share, dispersion * mean * share.square());
        let (value, slope, weight) = if N::IS_FORMULA {
            (up * inverse + y * (down + ln_dispersion), slope, weight)
        } else {
            let (is_high, is_low) = (limit.less_than(p), p.less_than(-limit));
            let upper = N::select(is_high, p + ln_dispersion + down, up);
            let lower = N::select(is_low, -p - ln_dispersion + up, down);
            let of_target = lower + ln_dispersion;
            // High scores and large targets may each overflow, with different signs.
            let (part, parts) = (1.0 / 1_048_576.0, 1_048_576.0);
            let in_parts = (upper * part * inverse + y * part * of_target) * parts;
            let all = dispersion + rest;
            (
                N::select(is_high, in_parts, upper * inverse + y * of_target),
                N::select(is_high, (one - y * rest) / all, slope),
                N::select(is_high, dispersion / all * (rest / all), weight),
            )
        };
        let loss = N::with_derivatives(p, value, slope, weight * (y + inverse));
        if self.full == 0.0 {
            loss
        } else {
            loss + super::negative_binomial::of_target_alone(y, self.dispersion)
        }
    }
}
