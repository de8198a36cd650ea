use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of a positive number under a gamma distribution of predicted mean.
    Gamma: "gamma" {
        aliases: ["gamma_nll", "gamma_deviance_loss"],
        task: Counts,
        prediction: Positive "the predicted mean, in the unit of the target",
        target: NonNegative,
        parameters: {},
        optimum: "For targets above 0 lowest at prediction = target, with slope 0; the loss there is 1 + ln(target). Terms that depend on the target and the shape alone are left out.",
        limits: "Smooth; convex up to twice the target and concave beyond. The relative error counts: target and prediction times a number only add its logarithm.",
        peers: "Half of scikit-learn's mean_gamma_deviance is this minus its least value.",
        reference: "Nelder and Wedderburn (1972), Generalized Linear Models, doi:10.2307/2344614.",
        usual: false,
    }
}

impl Pointwise for Gamma {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        of_mean(prediction, target)
    }
}

#[inline(always)]
pub(super) fn of_mean<N: Number>(m: N, y: N) -> N {
    let slope = (m - y) / m / m;
    let bend = if N::IS_FORMULA {
        (y / m * 2.0 - 1.0) / m / m
    } else {
        // y - m is exact about the zero of the sum; halves, since that may overflow.
        ((y - m) * 0.5 + y * 0.5) / m / m / m * 2.0
    };
    N::with_derivatives(m, m.ln() + y / m, slope, bend)
}
