use crate::number::{Number, stirling};
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of an over-dispersed count under a predicted mean.
    NegativeBinomial: "negative_binomial" {
        aliases: ["negative_binomial_nll", "nb2_loss"],
        task: Counts,
        prediction: Positive "the predicted mean, in the unit of the target",
        target: NonNegative,
        parameters: {
            dispersion = 1.0 in POSITIVE: "how much the variance exceeds the mean: it is mean + dispersion * mean^2",
            full = 0.0 in SWITCH: "whether the terms that depend on the target alone are added, so that the loss is the whole negative log-likelihood",
        },
        optimum: "For targets above 0 lowest at prediction = target, with slope 0. Without `full` the terms that depend on the target and the dispersion alone are left out.",
        limits: "Smooth. For dispersion to 0 it tends to poisson.",
        peers: "The NB2 model of statsmodels and of R's glm.nb, whose theta is 1 / dispersion. With full=true it is minus log_prob of PyTorch's torch.distributions.NegativeBinomial(1 / dispersion, logits=ln(dispersion * mean)). As a loss none of PyTorch, Keras and Optax has it.",
        reference: "Hilbe (2011), Negative Binomial Regression, doi:10.1017/CBO9780511973420.",
        usual: false,
    }
}

impl Pointwise for NegativeBinomial {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let dispersion = N::parameter("dispersion", self.dispersion);
        let one = N::constant(1.0);
        let inverse = N::derived(1.0 / self.dispersion, || one / dispersion);
        let ln_dispersion = N::derived(self.dispersion.ln(), || dispersion.ln());
        let (m, y) = (prediction, target);
        let ratio = dispersion * m;
        let ln_ratio1p = ratio.ln1p();
        // ln(dispersion + 1/mean)
        let ln_rest = (one / ratio).ln1p() + ln_dispersion;
        let share = one / (ratio + 1.0);
        let (ln_ratio1p, ln_rest, share) = if N::IS_FORMULA {
            (ln_ratio1p, ln_rest, share)
        } else {
            let is_beyond = N::constant(f64::INFINITY).at_most(ratio);
            (
                N::select(is_beyond, m.ln() + ln_dispersion, ln_ratio1p),
                N::select(ratio.less_than(one), ln_ratio1p - m.ln(), ln_rest),
                N::select(is_beyond, inverse / m, share),
            )
        };
        let slope = (m - y) / m * share;
        let bend = if N::IS_FORMULA {
            (y / m / m + (y / m * 2.0 - 1.0) * dispersion) * share.square()
        } else {
            // Shares first: targets may be as large as numbers are.
            let relative = y / m * share;
            relative / m * share + (relative * 2.0 - share) * dispersion * share
        };
        let loss = N::with_derivatives(m, ln_ratio1p * inverse + y * ln_rest, slope, bend);
        if self.full == 0.0 {
            return loss;
        }
        loss + of_target_alone(y, self.dispersion)
    }
}

/// What of the negative log-likelihood depends on the target and the dispersion alone: with
/// r = 1 / dispersion, ln(Γ(target + 1) Γ(r) r^target / Γ(target + r)).
#[inline(always)]
pub(super) fn of_target_alone<N: Number>(target: N, dispersion: f64) -> N {
    let symbol = || N::parameter("dispersion", dispersion);
    let r = N::derived(1.0 / dispersion, || N::constant(1.0) / symbol());
    let factorial = (target + 1.0).ln_gamma();
    if N::IS_FORMULA || dispersion > 1.0 / 16.0 {
        let ln_dispersion = N::derived(dispersion.ln(), || symbol().ln());
        return r.ln_gamma() + factorial - (target + r).ln_gamma() - target * ln_dispersion;
    }
    // Logarithms of large numbers, whose difference is small, by their series.
    let sum = target + r;
    let growth = (sum - 0.5) * (target / r).ln1p() - target;
    factorial - (growth + (stirling(sum) - stirling(r)))
}
