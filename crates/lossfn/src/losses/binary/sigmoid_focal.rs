use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// Binary cross-entropy of a logit that counts an example the less, the surer and righter the prediction is.
    SigmoidFocal: "sigmoid_focal" {
        aliases: ["sigmoid_focal_loss", "binary_focal", "binary_focal_crossentropy", "BinaryFocalCrossentropy", "BinaryFocalLoss", "focal_loss"],
        task: Binary,
        prediction: Real "a raw score: the logarithm of the odds of the class 1",
        target: Unit,
        link: "sigmoid(prediction) is the probability of the class 1, but the best prediction is drawn towards 0.",
        parameters: {
            alpha = 0.25 in UNIT: "the weight of class 1, where the classes are balanced; class 0 then has 1 - alpha",
            gamma = 2.0 in NON_NEGATIVE: "the power of the probability of the wrong class that multiplies the cross-entropy; 0 leaves it as it is",
            balanced = 1.0 in SWITCH: "whether alpha weighs the classes; without it both have weight 1",
        },
        optimum: "Tends to 0 as the prediction tends to infinity for target 1, to minus infinity for target 0. Natural logarithm.",
        limits: "Smooth everywhere, and not convex for gamma above 0. Exact in both tails: the probability of the wrong class is never 1 less that of the right one. A target in between is a mixture of the two classes, whose losses are weighed by it.",
        peers: "torchvision's sigmoid_focal_loss has these defaults, and a negative alpha for balanced = false; in Optax that is alpha None, in Keras, with from_logits, apply_class_balancing=False, and both have it so by default. For targets in between they take the power of a mixed probability. Keras gives the gradient 0 for a sure and wrong prediction, where it is 1.",
        reference: "Lin, Goyal, Girshick, He and Dollár (2017), Focal Loss for Dense Object Detection, arXiv:1708.02002.",
        usual: false,
    }
}

impl Pointwise for SigmoidFocal {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let other = N::constant(1.0) - target;
        let gamma = || N::parameter("gamma", self.gamma);
        if self.balanced == 0.0 {
            return weighted(target, -prediction, self.gamma, gamma)
                + weighted(other, prediction, self.gamma, gamma);
        }
        let alpha = || N::parameter("alpha", self.alpha);
        let rest = N::derived(1.0 - self.alpha, || N::constant(1.0) - alpha());
        weighted(target * alpha(), -prediction, self.gamma, gamma)
            + weighted(other * rest, prediction, self.gamma, gamma)
    }
}

/// What a class costs with this part of the target; `logit` is that of the other class. A class
/// without weight costs nothing, also where the logit is infinite.
#[inline(always)]
pub(super) fn weighted<N: Number>(weight: N, logit: N, gamma: f64, symbolic: impl Fn() -> N) -> N {
    let whole = weight * logit.focal(gamma, &symbolic);
    if N::IS_FORMULA {
        return whole;
    }
    N::select(weight.equals(N::constant(0.0)), logit.nothing(), whole)
}
