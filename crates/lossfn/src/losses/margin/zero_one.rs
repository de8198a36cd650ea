use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// 1 for an example on the wrong side of the border, 0 for one on the right side: the error rate.
    ZeroOne: "zero_one" {
        aliases: ["zero_one_loss", "ZeroOneLoss", "misclassification", "error_rate"],
        task: Binary,
        prediction: Real "a raw score: positive for the class +1",
        target: Sign,
        parameters: {},
        optimum: "0 wherever target * prediction > 0. A score of exactly 0 decides nothing and costs 1.",
        limits: "The slope and the second derivative are 0: it measures, but cannot be trained with.",
        peers: "scikit-learn's zero_one_loss compares labels; a score of 0 then belongs to whichever class the threshold puts it in.",
        reference: "Bartlett, Jordan and McAuliffe (2006), Convexity, Classification, and Risk Bounds, doi:10.1198/016214505000000907.",
        curvature: One,
        usual: true,
    }
}

impl Pointwise for ZeroOne {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let margin = target * prediction;
        let (zero, one) = (N::constant(0.0), N::constant(1.0));
        // 0 times the margin would be NaN for an infinite one; a NaN itself must stay.
        let right = N::select(zero.less_than(margin), zero, margin);
        N::select(margin.at_most(zero), one, right)
    }
}
