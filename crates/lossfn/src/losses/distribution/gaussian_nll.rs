use crate::number::{Composite, Number, Partials};
use crate::{Joint, loss};
use std::f64::consts::PI;

loss! {
    /// The negative log-likelihood of a normal distribution whose mean and variance are predicted.
    GaussianNll: "gaussian_nll" {
        aliases: ["gaussian_nll_loss", "GaussianNLLLoss"],
        task: Distribution,
        prediction: Real "the mean and the variance of the target's normal distribution",
        components: {
            mean: Real "the predicted mean, in the unit of the target",
            variance: Positive "the predicted variance, in the square of the target's unit",
        },
        target: Real,
        parameters: {
            full = 0.0 in SWITCH: "whether the constant ln(2 pi) / 2 is included, as in the likelihood itself",
        },
        optimum: "For one target there is no least value: at mean = target it is ln(variance) / 2, which falls without bound as the variance tends to 0. Over many targets the best constants are their mean and their variance. The factor 1/2 of the likelihood is kept; its constant is dropped unless full.",
        limits: "Smooth. Convex in the mean, but not in the variance above twice the squared residual. The variance is taken as it is, however small. Far from the mean the slope by the mean is residual / variance: an overconfident prediction pulls hard.",
        peers: "PyTorch's GaussianNLLLoss agrees where its eps does nothing: it raises variances below eps (1e-6) to eps, and passes on the slope that the loss has there. Its full is false by default too.",
        reference: "Nix and Weigend (1994), Estimating the Mean and Variance of the Target Probability Distribution, doi:10.1109/ICNN.1994.374138.",
        usual: false,
    }
}

impl Joint<2> for GaussianNll {
    #[inline(always)]
    fn loss<N: Number>(&self, [mean, variance]: [N; 2], target: N) -> N {
        let loss = (mean - target).composite(variance, HalfLnPlusSquareOver);
        if self.full == 0.0 { loss } else { loss + half_ln_tau::<N>() }
    }
}

/// ln(2 pi) / 2.
#[inline(always)]
pub(super) fn half_ln_tau<N: Number>() -> N {
    let symbolic = || (N::parameter("pi", PI) * 2.0).ln() / 2.0;
    N::derived(0.918_938_533_204_672_8, symbolic)
}

/// (ln v + x² / v) / 2: divided by v last, so that no derivative is a difference of infinities.
#[derive(Clone, Copy)]
struct HalfLnPlusSquareOver;

impl Composite for HalfLnPlusSquareOver {
    #[inline(always)]
    fn definition<N: Number>(self, x: N, v: N) -> N {
        (v.ln() + x.square() / v) * 0.5
    }
    #[inline(always)]
    fn value<N: Number>(self, x: N, v: N) -> N {
        v.ln() * 0.5 + (x * 0.5) * (x / v)
    }
    #[inline(always)]
    fn partials<N: Number>(self, x: N, v: N) -> Partials<N> {
        let one = N::constant(1.0);
        let ratio = x / v;
        let square = x * ratio;
        Partials {
            x: ratio,
            y: (one - square) * 0.5 / v,
            xx: one / v,
            xy: -(ratio / v),
            yy: (square - 0.5) / v / v,
        }
    }
}
