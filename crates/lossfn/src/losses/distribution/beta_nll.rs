use crate::number::{Composite, Number, Partials, stirling};
use crate::{Joint, loss};

loss! {
    /// The negative log-likelihood of a beta distribution, of which both shapes are predicted, for a target between 0 and 1.
    BetaNll: "beta_nll" {
        aliases: ["BetaLikelihood"],
        task: Distribution,
        prediction: Real "the two shapes of the target's beta distribution",
        components: {
            alpha: Positive "the predicted first shape, which draws the target towards 1",
            beta: Positive "the predicted second shape, which draws the target towards 0",
        },
        target: OpenUnit,
        link: "alpha / (alpha + beta) is the mean of the target; the larger the sum, the narrower its distribution.",
        parameters: {},
        optimum: "For one target there is no least value: with alpha / (alpha + beta) = target it falls without bound as the sum grows. 0 for alpha = beta = 1, the uniform distribution. Nothing is dropped.",
        limits: "Smooth, and convex in both shapes together. A target of exactly 0 or 1 has no density or an infinite one, and is refused. Where the sum of the shapes is large the loss is a small difference of numbers as large as that sum, and so is its error: in f32 shapes of 1e5 leave a digit or two.",
        peers: "Darts' BetaLikelihood, torch.distributions.Beta and scipy.stats.beta give the same as minus the logarithm of the density. Not the weighting beta-NLL of Seitzer et al. (2022), arXiv:2203.09168, which multiplies the normal negative log-likelihood by variance^beta without a gradient through it: that is gaussian_nll with weights.",
        reference: "Ferrari and Cribari-Neto (2004), Beta Regression for Modelling Rates and Proportions, doi:10.1080/0266476042000214501.",
        usual: false,
    }
}

impl Joint<2> for BetaNll {
    #[inline(always)]
    fn loss<N: Number>(&self, [alpha, beta]: [N; 2], target: N) -> N {
        let towards_1 = (N::constant(1.0) - alpha) * target.ln();
        let towards_0 = (N::constant(1.0) - beta) * (-target).ln1p();
        alpha.composite(beta, LnBeta) + (towards_1 + towards_0)
    }
}

/// ln Γ(a) + ln Γ(b) - ln Γ(a + b).
#[derive(Clone, Copy)]
struct LnBeta;

impl Composite for LnBeta {
    #[inline(always)]
    fn definition<N: Number>(self, a: N, b: N) -> N {
        a.ln_gamma() + b.ln_gamma() - (a + b).ln_gamma()
    }
    #[inline(always)]
    fn value<N: Number>(self, a: N, b: N) -> N {
        let (small, large) = (a.min(b), a.max(b));
        let sum = a + b;
        let near = small.ln_gamma() + (large.ln_gamma() - sum.ln_gamma());
        // The two large ones grow faster than their difference, and overflow before it does.
        let correction = stirling(large) - stirling(sum);
        let grown = (large - 0.5) * (small / large).ln1p() + small * (sum.ln() - 1.0);
        let far = small.ln_gamma() - (grown - correction);
        N::select(N::constant(FAR).less_than(large), far, near)
    }
    #[inline(always)]
    fn partials<N: Number>(self, a: N, b: N) -> Partials<N> {
        let (slope, bend) = ((a + b).digamma(), (a + b).trigamma());
        Partials {
            x: a.digamma() - slope,
            y: b.digamma() - slope,
            xx: a.trigamma() - bend,
            xy: -bend,
            yy: b.trigamma() - bend,
        }
    }
}

/// From here on Stirling's series has all digits.
const FAR: f64 = 16.0;
