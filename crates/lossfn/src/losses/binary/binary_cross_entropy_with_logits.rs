use super::binary_cross_entropy::smoothed;
use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of a binary target under the probability sigmoid(prediction).
    BinaryCrossEntropyWithLogits: "binary_cross_entropy_with_logits" {
        aliases: ["bce_with_logits", "BCEWithLogitsLoss", "sigmoid_binary_cross_entropy", "half_binomial_loss", "HalfBinomialLoss"],
        task: Binary,
        prediction: Real "a raw score: the logarithm of the odds of the class 1",
        target: Unit,
        link: "sigmoid(prediction) is the probability of the class 1.",
        parameters: {
            pos_weight = 1.0 in POSITIVE: "the weight of the positive class: multiplies the part of the loss that the target has in class 1",
            label_smoothing = 0.0 in BELOW_ONE: "draws the target towards 1/2: it counts as target * (1 - label_smoothing) + label_smoothing / 2",
        },
        optimum: "Tends to 0 as the prediction tends to infinity for target 1, to minus infinity for target 0; for a target in between, as by smoothing, the entropy of the target. Natural logarithm.",
        limits: "Smooth everywhere and exact in both tails: prediction 40 with target 1 has the slope -4.248e-18, not 0. Never overflows.",
        peers: "Optax, and Keras with from_logits, agree. For target 0 PyTorch's value loses digits of tiny losses (2e-4 of it at logit -7 in f32; 0 in f64 at logit -50, where it is 1.9e-22), and for target 1 its gradient, sigmoid - target, is 0 where the true one is tiny; it has pos_weight but no smoothing. scikit-learn's HalfBinomialLoss has value 0 at logit 50 with target 1, its gradient is right. Keras smooths labels in the same way.",
        reference: "Cox (1958), The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x.",
        usual: true,
    }
}

impl Pointwise for BinaryCrossEntropyWithLogits {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        // Both terms are positive, so nothing cancels; softplus(p) - p y would, for large p y.
        let pos_weight = N::parameter("pos_weight", self.pos_weight);
        let (share, other) = smoothed(target, self.label_smoothing);
        let loss = pos_weight * term(share, -prediction) + term(other, prediction);
        if self.label_smoothing == 0.0 {
            return loss;
        }
        // Smoothing draws the shares towards 1/2, which cancels where scores are near 0: there the
        // slope is a sum of what share and probability exceed 1/2 by.
        let (one, half) = (N::constant(1.0), N::constant(0.5));
        let smoothing = || N::parameter("label_smoothing", self.label_smoothing);
        let kept = N::derived(1.0 - self.label_smoothing, || one - smoothing());
        let excess = (target - half) * kept;
        let weight = pos_weight * share + other;
        let (right, wrong) = ((-prediction).sigmoid(), prediction.sigmoid());
        let slope = other * wrong - pos_weight * share * right;
        let slope = if N::IS_FORMULA {
            slope
        } else {
            let rest = (one - pos_weight) * half - excess * (one + pos_weight);
            let near = (prediction * 0.5).tanh() * half * weight + rest * half;
            N::select(prediction.abs().less_than(one), near, slope)
        };
        N::with_derivatives(prediction, loss, slope, weight * right * wrong)
    }

    #[inline(always)]
    fn usual(&self) -> Option<Self> {
        (self.label_smoothing == 0.0 && self.pos_weight == 1.0)
            .then_some(Self { label_smoothing: 0.0, pos_weight: 1.0 })
    }
}

/// A term without weight is 0, also where the logit is infinite.
#[inline(always)]
pub(super) fn term<N: Number>(weight: N, logit: N) -> N {
    let whole = weight * logit.softplus();
    if N::IS_FORMULA {
        return whole;
    }
    let zero = N::constant(0.0);
    N::select(weight.equals(zero), zero, whole)
}
