use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of a positive number under an inverse Gaussian distribution with the exponential of a predicted score as its mean.
    InverseGaussianLogLink: "inverse_gaussian_log_link" {
        aliases: ["inverse_gaussian_log"],
        task: Counts,
        prediction: Real "the logarithm of the predicted mean",
        target: NonNegative,
        link: "exp(prediction) is the predicted mean.",
        parameters: {},
        optimum: "For targets above 0 lowest where exp(prediction) = target, with slope 0; the loss there is -1 / (2 target). Terms that depend on the target and the shape alone are left out.",
        limits: "Smooth, and not convex: the second derivative is negative where exp(prediction) exceeds twice the target.",
        peers: "scikit-learn's HalfTweedieLoss(power=3) agrees.",
        reference: "Tweedie (1957), Statistical Properties of Inverse Gaussian Distributions, doi:10.1214/aoms/1177706964.",
        usual: false,
    }
}

impl Pointwise for InverseGaussianLogLink {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        of_score(prediction, target)
    }
}

#[inline(always)]
pub(super) fn of_score<N: Number>(p: N, y: N) -> N {
    let inverse = (-p).exp();
    let value = inverse * (-p).times_exp_minus(y, 2.0) * 0.5;
    let slope = -(inverse * (-p).times_exp_minus(y, 1.0));
    let bend = inverse * (-p).times_exp_minus(y, 0.5) * 2.0;
    N::with_derivatives(p, value, slope, bend)
}
