use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of a positive number under a gamma distribution with the exponential of a predicted score as its mean.
    GammaLogLink: "gamma_log_link" {
        aliases: ["HalfGammaLoss", "gamma_log"],
        task: Counts,
        prediction: Real "the logarithm of the predicted mean",
        target: NonNegative,
        link: "exp(prediction) is the predicted mean.",
        parameters: {},
        optimum: "For targets above 0 lowest where exp(prediction) = target, with slope 0; the loss there is 1 + ln(target). Terms that depend on the target and the shape alone are left out.",
        limits: "Smooth and convex.",
        peers: "scikit-learn's HalfGammaLoss and XGBoost's reg:gamma agree.",
        reference: "Nelder and Wedderburn (1972), Generalized Linear Models, doi:10.2307/2344614.",
        usual: false,
    }
}

impl Pointwise for GammaLogLink {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        of_score(prediction, target)
    }
}

#[inline(always)]
pub(super) fn of_score<N: Number>(p: N, y: N) -> N {
    let rest = y.times_exp(-p);
    N::with_derivatives(p, p + rest, -(-p).times_exp_minus(y, 1.0), rest)
}
