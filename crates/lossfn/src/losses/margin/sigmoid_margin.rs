use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The probability that a logistic model gives to the wrong class: a smooth form of `zero_one`.
    SigmoidMargin: "sigmoid_margin" {
        aliases: ["sigmoid_loss", "SigmoidLoss", "smooth_zero_one"],
        task: Binary,
        prediction: Real "a raw score: positive for the class +1",
        target: Sign,
        parameters: {},
        optimum: "Tends to 0 as the margin tends to infinity, to 1 as it tends to minus infinity; 1/2 at margin 0.",
        limits: "Smooth everywhere, and not convex: the second derivative is negative below margin 0. Exact in both tails. The losses of the two classes add up to 1, whatever the score.",
        peers: "The sigmoid loss of learning from positive and unlabelled examples. Also written (1 - tanh(margin)) / 2, for half the score.",
        reference: "Mason, Baxter, Bartlett and Frean (1999), Boosting Algorithms as Gradient Descent, NeurIPS 12; Kiryo, Niu, du Plessis and Sugiyama (2017), arXiv:1703.00593.",
        usual: false,
    }
}

impl Pointwise for SigmoidMargin {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (-(target * prediction)).sigmoid()
    }
}
