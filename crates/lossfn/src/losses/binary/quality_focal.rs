use super::sigmoid_focal::weighted;
use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// Focal loss for targets between 0 and 1: cross-entropy times a power of the distance from the target.
    QualityFocal: "quality_focal" {
        aliases: ["quality_focal_loss", "QualityFocalLoss", "qfl"],
        task: Binary,
        prediction: Real "a raw score: the logarithm of the odds of the predicted quality",
        target: Unit,
        link: "sigmoid(prediction) is the predicted quality.",
        parameters: {
            beta = 2.0 in AT_LEAST_ONE: "the power of the distance between the predicted quality and the target",
        },
        optimum: "0 at sigmoid(prediction) = target, which for targets 0 and 1 is at infinity. Natural logarithm.",
        limits: "Exact in both tails and near the target. For beta = 1 there is a kink at the target, where the slope is 0; below beta = 2 the second derivative tends to infinity there. For targets 0 and 1 it is focal loss with gamma = beta and without balancing.",
        peers: "mmdetection's quality_focal_loss agrees, but for the digits that sigmoid - target loses in the tails.",
        reference: "Li, Wang, Wu, Chen, Hu, Li, Tang and Yang (2020), Generalized Focal Loss, arXiv:2006.04388.",
        usual: false,
    }
}

impl Pointwise for QualityFocal {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let (zero, one) = (N::constant(0.0), N::constant(1.0));
        let beta = || N::parameter("beta", self.beta);
        let soft = prediction.quality_focal(target, self.beta, beta);
        // For a class the distance is a probability, which no difference need be taken for.
        let is_one = target.equals(one);
        let wrong = N::select(is_one, -prediction, prediction);
        let of_class = weighted(one, wrong, self.beta, beta);
        N::select(is_one | target.equals(zero), of_class, soft)
    }
}
