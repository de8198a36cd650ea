use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The square of how far the margin falls short of 1.
    SquaredHinge: "squared_hinge" {
        aliases: ["squared_hinge_loss", "SquaredHinge", "l2_hinge"],
        task: Binary,
        prediction: Real "a raw score: positive for the class +1",
        target: Sign,
        parameters: {},
        optimum: "0 wherever target * prediction >= 1. There is no factor 1/2.",
        limits: "Once differentiable everywhere; the second derivative is 2 below margin 1 and 0 from margin 1 on.",
        peers: "Keras and scikit-learn's LinearSVC agree.",
        reference: "Chang, Hsieh and Lin (2008), Coordinate Descent Method for Large-scale L2-loss Linear Support Vector Machines, JMLR 9.",
        usual: false,
    }
}

impl Pointwise for SquaredHinge {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (N::constant(1.0) - target * prediction).positive_part().square()
    }
}
