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
        optimum: "For targets above 0 lowest where exp(prediction) = target, with slope 0. Terms that depend on the target alone are left out.",
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
        let (p, y) = (prediction, target);
        if self.power == 1.0 {
            return super::poisson_log_link::of_score(p, y);
        }
        if self.power == 2.0 {
            return super::gamma_log_link::of_score(p, y);
        }
        if self.power == 3.0 {
            return super::inverse_gaussian_log_link::of_score(p, y);
        }
        let (zero, one, two) = (N::constant(0.0), N::constant(1.0), N::constant(2.0));
        let rest = p.exp_scaled(1.0 - self.power, || one - power());
        // Without a target its term is nothing, even where the exponential is infinite.
        let of_target = y * rest;
        let of_target =
            if N::IS_FORMULA { of_target } else { N::select(y.equals(zero), zero, of_target) };
        let mean = p.exp_scaled(2.0 - self.power, || two - power());
        let two_less = N::derived(2.0 - self.power, || two - power());
        let less_one = N::derived(self.power - 1.0, || power() - 1.0);
        let m = p.exp();
        let in_factors = self.power >= 2.0;
        let terms = Terms { p, y, m, rest, mean, of_target, in_factors };
        let value = terms.sum(one / two_less, one / less_one);
        let slope = terms.sum(one, -one);
        // Near a score of 0 this is exact; far out e^p alone would overflow.
        let slope = if N::IS_FORMULA {
            slope
        } else {
            N::select(p.abs().less_than(one), p.exp_minus(y) * rest, slope)
        };
        N::with_derivatives(p, value, slope, terms.sum(two_less, less_one))
    }
}

/// What the loss and its derivatives are sums of.
struct Terms<N> {
    p: N,
    y: N,
    m: N,
    rest: N,
    mean: N,
    of_target: N,
    in_factors: bool,
}

impl<N: Number> Terms<N> {
    #[inline(always)]
    fn sum(&self, of_mean: N, of_y: N) -> N {
        let &Self { p, y, m, rest, mean, of_target, in_factors } = self;
        let sum = mean * of_mean + of_target * of_y;
        if N::IS_FORMULA || !in_factors {
            return sum;
        }
        // Beyond powers of 2 the terms may be infinite with different signs for low scores: there one
        // factor of both is taken out, which for high scores would be 0 times infinite.
        let zero = N::constant(0.0);
        let is_low = p.less_than(zero) & zero.less_than(y);
        N::select(is_low, (m * of_mean + y * of_y) * rest, sum)
    }
}
