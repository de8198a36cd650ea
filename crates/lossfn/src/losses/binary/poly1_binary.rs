use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// Binary cross-entropy of a logit plus a multiple of the probability of the wrong class.
    Poly1Binary: "poly1_binary" {
        aliases: ["poly1_binary_cross_entropy", "poly1_sigmoid", "poly1_bce"],
        task: Binary,
        prediction: Real "a raw score: the logarithm of the odds of the class 1",
        target: Unit,
        link: "sigmoid(prediction) is the probability of the class 1, but the best prediction is not, unless epsilon is 0.",
        parameters: {
            epsilon = 1.0 in FROM_MINUS_ONE: "the factor of the probability of the wrong class; 0 leaves the cross-entropy as it is",
        },
        optimum: "Tends to 0 as the prediction tends to infinity for target 1, to minus infinity for target 0. Natural logarithm.",
        limits: "Smooth everywhere, exact in both tails, also for epsilon = -1, where the first order of the loss vanishes. Convex up to epsilon = 1. A target in between is a mixture of the two classes, whose losses are weighed by it.",
        peers: "Optax's poly_loss_cross_entropy is the same over classes; its default is epsilon = 2.",
        reference: "Leng, Tan, Liu, Cubuk, Shi, Cheng and Anguelov (2022), PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions, arXiv:2204.12511.",
        usual: false,
    }
}

impl Pointwise for Poly1Binary {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let other = N::constant(1.0) - target;
        self.term(target, -prediction) + self.term(other, prediction)
    }
}

impl Poly1Binary {
    /// What a class costs with this part of the target; `logit` is that of the other class.
    #[inline(always)]
    fn term<N: Number>(self, weight: N, logit: N) -> N {
        let cost = weight * logit.poly1(self.epsilon, || N::parameter("epsilon", self.epsilon));
        if N::IS_FORMULA {
            return cost;
        }
        let zero = N::constant(0.0);
        N::select(weight.equals(zero), zero, cost)
    }
}
