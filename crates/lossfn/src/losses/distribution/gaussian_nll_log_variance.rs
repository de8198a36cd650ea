use super::gaussian_nll::half_ln_tau;
use crate::number::{Composite, Number, Partials};
use crate::{Joint, loss};

loss! {
    /// The negative log-likelihood of a normal distribution whose mean and logarithm of the variance are predicted.
    GaussianNllLogVariance: "gaussian_nll_log_variance" {
        aliases: [],
        task: Distribution,
        prediction: Real "the mean and the log-variance of the target's normal distribution",
        components: {
            mean: Real "the predicted mean, in the unit of the target",
            log_variance: Real "the natural logarithm of the predicted variance",
        },
        target: Real,
        link: "exp(log_variance) is the variance.",
        parameters: {
            full = 0.0 in SWITCH: "whether the constant ln(2 pi) / 2 is included, as in the likelihood itself",
        },
        optimum: "For one target there is no least value: at mean = target it is log_variance / 2, which falls without bound. Over many targets the best constants are their mean and the logarithm of their variance. The factor 1/2 of the likelihood is kept; its constant is dropped unless full.",
        limits: "Smooth; convex in the mean and in the log-variance, each for itself. Nothing overflows that is not itself too large: the variance is never computed.",
        peers: "The same as gaussian_nll at variance = exp(log_variance), where that exists. The regression loss of Kendall and Gal (2017), who drop the constant too.",
        reference: "Kendall and Gal (2017), What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?, arXiv:1703.04977.",
        usual: false,
    }
}

impl Joint<2> for GaussianNllLogVariance {
    #[inline(always)]
    fn loss<N: Number>(&self, [mean, log_variance]: [N; 2], target: N) -> N {
        let loss = (mean - target).composite(log_variance, HalfSquareOverExp);
        if self.full == 0.0 { loss } else { loss + half_ln_tau::<N>() }
    }
}

/// s / 2 + x² e^-s / 2.
#[derive(Clone, Copy)]
struct HalfSquareOverExp;

impl Composite for HalfSquareOverExp {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, s: N) -> N {
        s / 2.0 + x.half_square_times_exp(-s)
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, s: N) -> Partials<N> {
        let slope = x.times_exp(-s);
        let half_square = x.half_square_times_exp(-s);
        Partials {
            x: slope,
            y: N::constant(0.5) - half_square,
            xx: (-s).exp(),
            xy: -slope,
            yy: half_square,
        }
    }
}
