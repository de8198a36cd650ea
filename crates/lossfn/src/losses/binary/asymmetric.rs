use super::sigmoid_focal::weighted;
use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// Focal loss with a power of its own for each class, and negative examples that are easy left out.
    Asymmetric: "asymmetric" {
        aliases: ["asl", "ASL", "asymmetric_loss", "AsymmetricLoss", "AsymmetricLossOptimized"],
        task: Binary,
        prediction: Real "a raw score: the logarithm of the odds of the class 1",
        target: Unit,
        link: "sigmoid(prediction) is the probability of the class 1, but the best prediction is not.",
        parameters: {
            gamma_neg = 4.0 in NON_NEGATIVE: "the power of the probability of class 1 that multiplies the cross-entropy of class 0",
            gamma_pos = 1.0 in NON_NEGATIVE: "the power of the probability of class 0 that multiplies the cross-entropy of class 1",
            clip = 0.05 in BELOW_ONE: "what is taken from the probability of class 1 in the loss of class 0, which is 0 where less than that is left",
        },
        optimum: "Tends to 0 as the prediction tends to infinity for target 1; for target 0 it is 0 wherever sigmoid(prediction) <= clip. Natural logarithm.",
        limits: "Exact in both tails and near the clip. With a clip and gamma_neg = 0 there is a kink at the clip, where the slope is 0. For target 0 the loss is at most -ln(clip). A target in between is a mixture of the two classes, whose losses are weighed by it.",
        peers: "The authors' code clamps the logarithm at 1e-8, which takes the logarithm's slope away for predictions that are sure and wrong, and can take the powers without their gradient.",
        reference: "Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter and Zelnik-Manor (2021), Asymmetric Loss for Multi-Label Classification, arXiv:2009.14119.",
        usual: false,
    }
}

impl Pointwise for Asymmetric {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let other = N::constant(1.0) - target;
        let gamma_pos = || N::parameter("gamma_pos", self.gamma_pos);
        let gamma_neg = || N::parameter("gamma_neg", self.gamma_neg);
        let positive = weighted(target, -prediction, self.gamma_pos, gamma_pos);
        if self.clip == 0.0 {
            return positive + weighted(other, prediction, self.gamma_neg, gamma_neg);
        }
        let (zero, clip) = (N::constant(0.0), N::parameter("clip", self.clip));
        let left = prediction.sigmoid_gap(clip, Some(self.clip));
        // 1 less what is left: near 0 the one form keeps its digits, near 1 the other.
        let is_small = left.less_than(N::constant(0.5));
        let taken = (-prediction).sigmoid() + clip;
        let cross_entropy = -N::select(is_small, (-left).ln1p(), taken.ln());
        let power = prediction.sigmoid_gap_power(clip, Some(self.clip), self.gamma_neg, gamma_neg);
        let has_loss = zero.less_than(left) & !other.equals(zero);
        positive + N::select(has_loss, other * (power * cross_entropy), left.nothing())
    }
}
