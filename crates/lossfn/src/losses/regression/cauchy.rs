use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The logarithm of one plus the squared residual: outliers pull less and less.
    Cauchy: "cauchy" {
        aliases: ["cauchy_loss", "CauchyLoss", "lorentzian", "lorentzian_loss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            scale = 1.0 in POSITIVE scale: "the absolute residual at which the pull is largest, in the unit of the target",
        },
        optimum: "0 at prediction = target, with slope 0 and second derivative 1. The factor is scale^2 / 2.",
        limits: "Smooth everywhere and not convex: the second derivative is negative beyond |residual| = scale. The slope is at most scale / 2 and falls to 0 far away; the loss grows as a logarithm.",
        peers: "SciPy's least_squares(loss='cauchy') and Ceres' CauchyLoss agree up to the factor 1/2. The negative log-likelihood of a Cauchy distribution is this at scale 1 times 2, plus a constant.",
        reference: "Black and Anandan (1996), The Robust Estimation of Multiple Motions, doi:10.1006/cviu.1996.0006.",
        curvature: Weight,
        usual: false,
    }
}

impl Pointwise for Cauchy {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let scale = N::parameter("scale", self.scale);
        let x = (prediction - target).in_units(scale);
        x.in_their_squares(x.number.ln1p_square() * 0.5)
    }
}
