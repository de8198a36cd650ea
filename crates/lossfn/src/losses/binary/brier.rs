use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The squared difference between a predicted probability and a binary target.
    Brier: "brier" {
        aliases: ["brier_score", "brier_score_loss", "BrierScore"],
        task: Binary,
        prediction: Unit "the probability of the class 1",
        target: Unit,
        parameters: {},
        optimum: "0, with slope 0, at prediction = target. Its mean over targets that are 1 with probability q is least at prediction q. There is no factor 1/2.",
        limits: "At most 1. The slope is at most 2, also where the prediction is sure and wrong.",
        peers: "scikit-learn's brier_score_loss agrees for binary targets, whose scores it scales by half by default. Brier's own score sums over both classes and is twice this.",
        reference: "Brier (1950), Verification of Forecasts Expressed in Terms of Probability, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.",
        usual: false,
    }
}

impl Pointwise for Brier {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (prediction - target).square()
    }
}
