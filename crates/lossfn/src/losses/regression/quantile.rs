use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The absolute residual, tilted: predicting too low costs `level` per unit, too high 1 - `level`; the best constant is that quantile.
    Quantile: "quantile" {
        aliases: ["pinball", "pinball_loss", "quantile_loss", "PinballLoss", "QuantileLoss", "mean_pinball_loss"],
        task: Regression,
        prediction: Real "the predicted quantile, in the unit of the target",
        target: Real,
        parameters: {
            level = 0.5 in UNIT: "the share of targets that should lie below the prediction",
        },
        optimum: "0 at prediction = target, where the loss has a kink. At level 0.5 it is half the absolute error.",
        limits: "The slope is -level below the target, 1 - level above, and 0 at the kink. The second derivative is 0 everywhere but at the kink.",
        peers: "scikit-learn's PinballLoss(quantile) and mean_pinball_loss(alpha) agree but for the kink, where scikit-learn's slope is -level; so does CatBoost's Quantile(alpha).",
        reference: "Koenker and Bassett (1978), Regression Quantiles, doi:10.2307/1913643.",
        curvature: One,
        usual: false,
    }
}

impl Pointwise for Quantile {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let level = N::parameter("level", self.level);
        let above = (prediction - target).positive_part();
        let below = (target - prediction).positive_part();
        // The side that costs nothing is left out: 0 times an infinite residual would be NaN.
        if self.level == 0.0 {
            return above;
        }
        if self.level == 1.0 {
            return below;
        }
        let rest = N::derived(1.0 - self.level, || N::constant(1.0) - level);
        level * below + rest * above
    }
}
