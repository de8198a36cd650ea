use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The squared difference of ln(1 + x): errors count by their ratio, for positive numbers of many sizes.
    SquaredLogError: "squared_log_error" {
        aliases: ["msle", "mean_squared_logarithmic_error", "MeanSquaredLogarithmicError", "mean_squared_log_error"],
        task: Regression,
        prediction: NonNegative "the predicted number, in the unit of the target",
        target: NonNegative,
        parameters: {},
        optimum: "0 at prediction = target, with slope 0. Natural logarithm, no factor 1/2.",
        limits: "Smooth in the prediction, exact where the two are nearly equal, and not convex: the second derivative is negative where ln((1 + prediction) / (1 + target)) > 1. Predictions that are too low cost more than those too high.",
        peers: "scikit-learn agrees. Keras moves both at least 1e-7 up and takes ln(1 + x), so that small numbers lose digits and its slope is 0 below 1e-7.",
        reference: "Keras documentation; the error of the Kaggle competitions as RMSLE.",
        usual: false,
    }
}

impl Pointwise for SquaredLogError {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let (more, less) = (prediction - target, target - prediction);
        let above = (more / (target + 1.0)).ln1p();
        let below = -(less / (prediction + 1.0)).ln1p();
        let difference = N::select(target.less_than(prediction), above, below);
        // The slope by the prediction is that of its own logarithm.
        N::rewritten(difference, prediction.ln1p()).square()
    }
}
