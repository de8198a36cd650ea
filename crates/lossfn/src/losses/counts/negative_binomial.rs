use crate::number::Number;
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
        optimum: "Lowest at prediction = target, with slope 0. Without `full` the terms that depend on the target and the dispersion alone are left out.",
        limits: "Smooth. For dispersion to 0 it tends to poisson.",
        peers: "The NB2 model of statsmodels and of R's glm.nb, whose theta is 1 / dispersion. None of PyTorch, Keras and Optax has it.",
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
        let is_beyond = || N::constant(f64::INFINITY).at_most(ratio);
        let ln_ratio1p = N::defined(
            || ratio.ln1p(),
            || N::select(is_beyond(), m.ln() + ln_dispersion, ratio.ln1p()),
        );
        // ln(dispersion + 1/mean)
        let large = || (one / ratio).ln1p() + ln_dispersion;
        let small = || ratio.ln1p() - m.ln();
        let ln_rest = N::defined(large, || N::select(ratio.less_than(one), small(), large()));
        let whole_share = || one / (ratio + 1.0);
        let share = N::defined(whole_share, || N::select(is_beyond(), inverse / m, whole_share()));
        let slope = (m - y) / m * share;
        let bend = N::defined(
            || (y / m / m + (y / m * 2.0 - 1.0) * dispersion) * share.square(),
            // Shares first: targets may be as large as numbers are.
            || {
                let relative = y / m * share;
                relative / m * share + (relative * 2.0 - share) * dispersion * share
            },
        );
        let loss = N::with_derivatives(m, ln_ratio1p * inverse + y * ln_rest, slope, bend);
        if self.full == 0.0 {
            return loss;
        }
        loss + counted(y, inverse) - y * ln_dispersion
    }
}

/// The part of the negative log-likelihood that has neither the mean nor a logarithm of the dispersion in it.
#[inline(always)]
pub(super) fn counted<N: Number>(target: N, inverse: N) -> N {
    inverse.ln_gamma() + (target + 1.0).ln_gamma() - (target + inverse).ln_gamma()
}
