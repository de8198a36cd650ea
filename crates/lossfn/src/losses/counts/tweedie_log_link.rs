use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The quasi-likelihood of a number from 0 whose variance grows as a power of the mean, the exponential of a predicted score.
    TweedieLogLink: "tweedie_log_link" {
        aliases: ["HalfTweedieLoss", "tweedie_log"],
        task: Counts,
        prediction: Real "the logarithm of the predicted mean",
        target: NonNegative,
        link: "exp(prediction) is the predicted mean.",
        parameters: {
            power = 1.5 in AT_LEAST_ONE: "the power of the mean that the variance is proportional to: 1 is Poisson, between 1 and 2 a Poisson number of gamma summands, 2 gamma, 3 inverse Gaussian",
        },
        optimum: "Lowest where exp(prediction) = target, with slope 0. Terms that depend on the target alone are left out.",
        limits: "Smooth; convex for powers from 1 to 2. At power 1 it is poisson_log_link, at 2 gamma_log_link, at 3 inverse_gaussian_log_link.",
        peers: "scikit-learn's HalfTweedieLoss(power) agrees, and so do XGBoost's reg:tweedie and LightGBM's tweedie for powers between 1 and 2.",
        reference: "Tweedie (1984), An index which distinguishes between some important exponential families; Jorgensen (1987), Exponential Dispersion Models, doi:10.1111/j.2517-6161.1987.tb01685.x.",
        usual: false,
    }
}

impl Pointwise for TweedieLogLink {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let power = || N::parameter("power", self.power);
        if self.power == 1.0 {
            return prediction.exp() - target * prediction;
        }
        if self.power == 2.0 {
            return prediction + target * (-prediction).exp();
        }
        let (one, two) = (N::constant(1.0), N::constant(2.0));
        let mean = prediction.exp_scaled(2.0 - self.power, || two - power());
        let rest = prediction.exp_scaled(1.0 - self.power, || one - power());
        let two_less = N::derived(2.0 - self.power, || two - power());
        let less_one = N::derived(self.power - 1.0, || power() - 1.0);
        let zero = N::constant(0.0);
        // Without a target its term is nothing, even where the exponential is infinite.
        let of_target = N::select(target.equals(zero), zero, target * rest / less_one);
        mean / two_less + of_target
    }
}
