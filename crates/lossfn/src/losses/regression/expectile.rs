use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The squared residual, tilted: predicting too low weighs `level`, too high 1 - `level`; the best constant is that expectile.
    Expectile: "expectile" {
        aliases: ["expectile_loss", "asymmetric_squared_error"],
        task: Regression,
        prediction: Real "the predicted expectile, in the unit of the target",
        target: Real,
        parameters: {
            level = 0.5 in UNIT: "the weight of predictions that are too low",
        },
        optimum: "0 at prediction = target, with slope 0. There is no factor 1/2; at level 0.5 it is half the squared error.",
        limits: "Once differentiable everywhere; the second derivative jumps from 2 level below the target to 2 (1 - level) above, and counts as the former at the target.",
        peers: "CatBoost's Expectile(alpha) agrees.",
        reference: "Newey and Powell (1987), Asymmetric Least Squares Estimation and Testing, doi:10.2307/1911031.",
        usual: false,
    }
}

impl Pointwise for Expectile {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let level = N::parameter("level", self.level);
        let r = prediction - target;
        let zero = N::constant(0.0);
        let too_high = zero.less_than(r);
        // The side that costs nothing is left out: 0 times an infinite square would be NaN.
        if self.level == 0.0 {
            return r.positive_part().square();
        }
        if self.level == 1.0 {
            return zero.min(r).square();
        }
        // In this order the slope is finite wherever it is so in truth.
        let rest = N::derived(1.0 - self.level, || N::constant(1.0) - level);
        N::select(too_high, rest, level) * r * r
    }
}
