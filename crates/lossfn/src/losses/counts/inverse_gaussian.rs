use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of a positive number under an inverse Gaussian distribution of predicted mean.
    InverseGaussian: "inverse_gaussian" {
        aliases: ["inverse_gaussian_nll", "wald_loss"],
        task: Counts,
        prediction: Positive "the predicted mean, in the unit of the target",
        target: NonNegative,
        parameters: {},
        optimum: "For targets above 0 lowest at prediction = target, with slope 0; the loss there is -1 / (2 target). Terms that depend on the target and the shape alone are left out.",
        limits: "Smooth; convex up to 1.5 times the target and concave beyond.",
        peers: "Half of scikit-learn's mean_tweedie_deviance(power=3) is this minus its least value.",
        reference: "Tweedie (1957), Statistical Properties of Inverse Gaussian Distributions, doi:10.1214/aoms/1177706964.",
        usual: false,
    }
}

impl Pointwise for InverseGaussian {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        of_mean(prediction, target)
    }
}

#[inline(always)]
pub(super) fn of_mean<N: Number>(m: N, y: N) -> N {
    let value = (y / m * 0.5 - 1.0) / m;
    let slope = (m - y) / m / m / m;
    let bend = if N::IS_FORMULA {
        (y / m * 3.0 - 2.0) / m / m / m
    } else {
        // y - m is exact about the zero of the sum; a part of it, since that may overflow.
        ((y - m) * 0.25 + y * 0.125) / m / m / m / m * 8.0
    };
    N::with_derivatives(m, value, slope, bend)
}
