use super::gaussian_nll::half_ln_tau;
use crate::number::{Composite, Number, Partials};
use crate::{Joint, loss};

loss! {
    /// The negative log-likelihood of a log-normal distribution, of which the mean and the standard deviation of the logarithm are predicted.
    LogNormalNll: "log_normal_nll" {
        aliases: ["LogNormalLikelihood"],
        task: Distribution,
        prediction: Real "the mean and the standard deviation of the target's logarithm",
        components: {
            mu: Real "the predicted mean of the target's natural logarithm",
            sigma: Positive "the predicted standard deviation of the target's natural logarithm",
        },
        target: Positive,
        link: "exp(mu) is the median of the target, exp(mu + sigma^2 / 2) its mean.",
        parameters: {},
        optimum: "For one target there is no least value: at mu = ln(target) it falls without bound as sigma tends to 0. Over many targets the best constants are the mean and the standard deviation of their logarithms. Nothing is dropped.",
        limits: "Smooth. Convex in mu, but not in sigma above sqrt(3) times |mu - ln(target)|. Sigma is taken as it is, however small.",
        peers: "Darts' LogNormalLikelihood and torch.distributions.LogNormal(loc, scale) give the same as -log_prob; scipy.stats.lognorm(s=sigma, scale=exp(mu)) as -logpdf.",
        reference: "Galton (1879), The Geometric Mean, in Vital and Social Statistics, doi:10.1098/rspl.1879.0060.",
        usual: false,
    }
}

impl Joint<2> for LogNormalNll {
    #[inline(always)]
    fn loss<N: Number>(&self, [mu, sigma]: [N; 2], target: N) -> N {
        let ln = target.ln();
        (mu - ln).composite(sigma, LnPlusHalfSquare) + ln + half_ln_tau::<N>()
    }
}

/// ln s + (x / s)² / 2.
#[derive(Clone, Copy)]
struct LnPlusHalfSquare;

impl Composite for LnPlusHalfSquare {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, s: N) -> N {
        s.ln() + (x / s).square() / 2.0
    }
    #[inline(always)]
    fn value<N: Number>(self, x: N, s: N) -> N {
        let z = x / s;
        s.ln() + z * 0.5 * z
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, s: N) -> Partials<N> {
        let one = N::constant(1.0);
        let z = x / s;
        Partials {
            x: z / s,
            y: (one - z.square()) / s,
            xx: one / s / s,
            xy: -(z * 2.0 / s / s),
            yy: (z.square() * 3.0 - 1.0) / s / s,
        }
    }
}
