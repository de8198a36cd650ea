use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The absolute residual: every example pulls equally, the best constant is the median.
    AbsoluteError: "absolute_error" {
        aliases: ["l1_loss", "L1Loss", "mae", "mean_absolute_error", "MeanAbsoluteError", "AbsoluteError"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {},
        optimum: "0 at prediction = target, where the loss has a kink.",
        limits: "The slope is -1 below the target, +1 above, and 0 at the kink. The second derivative is 0 everywhere but at the kink.",
        peers: "PyTorch, Keras and scikit-learn agree, but for the kink: there the slope of scikit-learn, and of Keras on JAX, is -1.",
        reference: "Laplace (1774), Mémoire sur la probabilité des causes par les évènements; Koenker (2005), Quantile Regression, doi:10.1017/CBO9780511754098.",
        curvature: One,
        usual: true,
    }
}

impl Pointwise for AbsoluteError {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (prediction - target).abs()
    }
}
