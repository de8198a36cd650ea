use crate::number::{Composite, Number, Partials};
use crate::{Joint, loss};
use std::f64::consts::LN_2;

loss! {
    /// The negative log-likelihood of a Laplace distribution whose location and scale are predicted.
    LaplaceNll: "laplace_nll" {
        aliases: ["LaplaceLikelihood"],
        task: Distribution,
        prediction: Real "the location and the scale of the target's Laplace distribution",
        components: {
            location: Real "the predicted median, in the unit of the target",
            scale: Positive "the predicted mean absolute deviation, in the unit of the target",
        },
        target: Real,
        parameters: {},
        optimum: "For one target there is no least value: at location = target it is ln(2 scale), which falls without bound as the scale tends to 0. Over many targets the best constants are a median and the mean absolute deviation from it. Nothing is dropped.",
        limits: "The slope by the location is 1 / scale above the target, -1 / scale below, and 0 at the kink between. Convex in the location, but not in the scale above twice the absolute residual. The scale is taken as it is, however small.",
        peers: "Darts' LaplaceLikelihood and torch.distributions.Laplace give the same as -log_prob.",
        reference: "Laplace (1774), Mémoire sur la probabilité des causes par les évènemens.",
        usual: false,
    }
}

impl Joint<2> for LaplaceNll {
    #[inline(always)]
    fn loss<N: Number>(&self, [location, scale]: [N; 2], target: N) -> N {
        (location - target).composite(scale, LnPlusRatio)
    }
}

/// ln(2 b) + |x| / b.
#[derive(Clone, Copy)]
struct LnPlusRatio;

impl Composite for LnPlusRatio {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, b: N) -> N {
        (b * 2.0).ln() + x.abs() / b
    }
    #[inline(always)]
    fn value<N: Number>(self, x: N, b: N) -> N {
        b.ln() + LN_2 + x.abs() / b
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, b: N) -> Partials<N> {
        let one = N::constant(1.0);
        let (ratio, sign) = (x.abs() / b, x.sign());
        Partials {
            x: sign / b,
            y: (one - ratio) / b,
            xx: N::constant(0.0),
            xy: -(sign / b / b),
            yy: (ratio - 0.5) / b / b * 2.0,
        }
    }
}
