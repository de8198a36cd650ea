use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The quasi-likelihood of a number from 0 whose variance grows as a power of the predicted mean: claims, rainfall, sales.
    Tweedie: "tweedie" {
        aliases: ["tweedie_loss", "tweedie_deviance_loss"],
        task: Counts,
        prediction: Positive "the predicted mean, in the unit of the target",
        target: NonNegative,
        parameters: {
            power = 1.5 in AT_LEAST_ONE: "the power of the mean that the variance is proportional to: 1 is Poisson, between 1 and 2 a Poisson number of gamma summands, 2 gamma, 3 inverse Gaussian",
        },
        optimum: "For targets above 0 lowest at prediction = target, with slope 0. Terms that depend on the target alone are left out, so the loss there is not 0 and at power 1 and 2 not the limit of that of the neighbours; the slopes are.",
        limits: "Smooth. Convex for powers from 1 to 2 as far as the target is not far below the prediction. At power 1 it is poisson, at 2 gamma, at 3 inverse_gaussian.",
        peers: "Half of scikit-learn's mean_tweedie_deviance is this minus its least value.",
        reference: "Tweedie (1984), An index which distinguishes between some important exponential families; Jorgensen (1987), Exponential Dispersion Models, doi:10.1111/j.2517-6161.1987.tb01685.x.",
        usual: false,
    }
}

impl Pointwise for Tweedie {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let power = || N::parameter("power", self.power);
        let (m, y) = (prediction, target);
        if self.power == 1.0 {
            return super::poisson::of_mean(m, y);
        }
        if self.power == 2.0 {
            return super::gamma::of_mean(m, y);
        }
        if self.power == 3.0 {
            return super::inverse_gaussian::of_mean(m, y);
        }
        let (zero, one, two) = (N::constant(0.0), N::constant(1.0), N::constant(2.0));
        let rest = m.power(1.0 - self.power, || one - power());
        let slope = (m - y) / m * rest;
        let slope = if N::IS_FORMULA { slope } else { N::select(m.equals(y), zero, slope) };
        let bend = (y / m * power() - (power() - 1.0)) * rest / m;
        let mean = m.power(2.0 - self.power, || two - power());
        let two_less = N::derived(2.0 - self.power, || two - power());
        let less_one = N::derived(self.power - 1.0, || power() - 1.0);
        // Without a target its term is nothing, even where the power is infinite.
        let is_none = y.equals(zero);
        let sum = mean / two_less + N::select(is_none, zero, y * rest / less_one);
        let value = if N::IS_FORMULA || self.power < 2.0 {
            sum
        } else {
            // Near 0 one factor of the two terms, which alone may be infinite with different signs.
            let in_factors = m.less_than(one) & !is_none;
            N::select(in_factors, (y / less_one + m / two_less) * rest, sum)
        };
        N::with_derivatives(m, value, slope, bend)
    }
}
