use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of a binary target under a predicted probability.
    BinaryCrossEntropy: "binary_cross_entropy" {
        aliases: ["bce", "bce_loss", "BCELoss", "BinaryCrossentropy", "binary_crossentropy", "log_loss"],
        task: Binary,
        prediction: Unit "the probability of the class 1",
        target: Unit,
        parameters: {
            label_smoothing = 0.0 in BELOW_ONE: "draws the target towards 1/2: it counts as target * (1 - label_smoothing) + label_smoothing / 2",
        },
        optimum: "Lowest at prediction = target, smoothed: 0 for 0 or 1, the entropy of the target in between. Natural logarithm; the entropy is not subtracted.",
        limits: "A term with weight 0 is 0, whatever its logarithm: so prediction 0 with target 0, and 1 with 1, cost 0, with slope +1 and -1. Prediction 0 with a target above 0 costs infinity, as it truly does, and so does 1 with a target below 1, and both of them with any smoothing. Nothing is clipped.",
        peers: "PyTorch cuts the logarithms at -100, Keras moves the prediction 1e-7 away from 0 and 1; both then give a finite cost and a wrong gradient where the true cost is infinite, and Keras a cost of 1e-7 where it is 0. Keras smooths labels in the same way; PyTorch does not. PyTorch's slope is capped at 1e12 already. scikit-learn's log_loss clips at one ulp.",
        reference: "Good (1952), Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x.",
        usual: true,
    }
}

impl Pointwise for BinaryCrossEntropy {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let (target, other) = smoothed(target, self.label_smoothing);
        -(target.xlogy(prediction) + other.xlog1py(-prediction))
    }
}

/// The parts of a binary target in class 1 and class 0, after label smoothing. Sums of positive
/// terms, so that nothing cancels.
#[inline(always)]
pub(super) fn smoothed<N: Number>(target: N, label_smoothing: f64) -> (N, N) {
    let other = N::constant(1.0) - target;
    if label_smoothing == 0.0 {
        return (target, other);
    }
    let smoothing = || N::parameter("label_smoothing", label_smoothing);
    let kept = N::derived(1.0 - label_smoothing, || N::constant(1.0) - smoothing());
    let share = N::derived(label_smoothing / 2.0, || smoothing() / 2.0);
    (target * kept + share, other * kept + share)
}
