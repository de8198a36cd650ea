use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The squared hinge that goes on straight below margin -1, so that outliers weigh less.
    ModifiedHuber: "modified_huber" {
        aliases: ["modified_huber_loss", "ModifiedHuber", "quadratically_smoothed_hinge"],
        task: Binary,
        prediction: Real "a raw score: twice the probability of the class +1, less 1",
        target: Sign,
        link: "(prediction + 1) / 2, cut off at 0 and 1, is the probability of the class +1.",
        parameters: {},
        optimum: "0 wherever target * prediction >= 1. There is no factor 1/2.",
        limits: "Once differentiable everywhere: (1 - margin)^2 from margin -1 to 1, -4 margin below. The second derivative is 2 in between, margin -1 included, and 0 outside.",
        peers: "scikit-learn's SGDClassifier(loss='modified_huber') agrees. Optax's sparsemax_loss for binary labels is a quarter of it.",
        reference: "Zhang (2004), Statistical behavior and consistency of classification methods based on convex risk minimization, doi:10.1214/aos/1079120130.",
        usual: false,
    }
}

impl Pointwise for ModifiedHuber {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let margin = target * prediction;
        let near = (N::constant(1.0) - margin).positive_part().square();
        N::select(margin.less_than(N::constant(-1.0)), margin * -4.0, near)
    }
}
