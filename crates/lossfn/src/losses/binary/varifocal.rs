use super::binary_cross_entropy_with_logits::term;
use super::sigmoid_focal::weighted;
use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// Cross-entropy with a quality as its target and its weight for positive examples, focal loss for negative ones.
    Varifocal: "varifocal" {
        aliases: ["varifocal_loss", "VarifocalLoss", "vfl"],
        task: Binary,
        prediction: Real "a raw score: the logarithm of the odds of the predicted quality",
        target: Unit,
        link: "sigmoid(prediction) is the predicted quality.",
        parameters: {
            alpha = 0.75 in NON_NEGATIVE: "the weight of negative examples",
            gamma = 2.0 in NON_NEGATIVE: "the power of the predicted quality that multiplies the loss of negative examples",
        },
        optimum: "For a target above 0 lowest at sigmoid(prediction) = target: target times the entropy of the target, which is 0 for target 1. For target 0 tends to 0 as the prediction tends to minus infinity. Natural logarithm.",
        limits: "Smooth in the prediction. A target of exactly 0 is a negative example, and any above it a positive one: in the target there is a jump.",
        peers: "mmdetection's varifocal_loss, with these defaults and iou_weighted, agrees but for rounding; its weights have their gradient, as here.",
        reference: "Zhang, Wang, Dayoub and Sünderhauf (2021), VarifocalNet: An IoU-aware Dense Object Detector, arXiv:2008.13367.",
        usual: false,
    }
}

impl Pointwise for Varifocal {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let (zero, one) = (N::constant(0.0), N::constant(1.0));
        let positive = term(target, -prediction) + term(one - target, prediction);
        let (alpha, gamma) =
            (N::parameter("alpha", self.alpha), || N::parameter("gamma", self.gamma));
        let negative = weighted(alpha, prediction, self.gamma, gamma);
        N::select(target.equals(zero), negative, target * positive)
    }
}
