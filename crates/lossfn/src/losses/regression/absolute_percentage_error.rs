use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The absolute residual as a fraction of the target.
    AbsolutePercentageError: "absolute_percentage_error" {
        aliases: ["mape", "mean_absolute_percentage_error", "MeanAbsolutePercentageError", "MAPE"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            epsilon = 0.0 in NON_NEGATIVE: "what the absolute target counts as at least, in its unit",
        },
        optimum: "0 at prediction = target, with slope 0. A fraction: 0.1 is ten percent.",
        limits: "Kink at the target, where the slope counts as 0. With epsilon = 0 a target of 0 costs infinity, and 0 if it is predicted exactly. Predictions that are too low cost at most 1, so the best constant lies low.",
        peers: "scikit-learn's mean_absolute_percentage_error is this with epsilon = 2.2e-16; Keras' is 100 times this with epsilon = 1e-7.",
        reference: "Makridakis (1993), Accuracy measures: theoretical and practical concerns, doi:10.1016/0169-2070(93)90079-3.",
        usual: false,
    }
}

impl Pointwise for AbsolutePercentageError {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let epsilon = N::parameter("epsilon", self.epsilon);
        let r = prediction - target;
        let zero = N::constant(0.0);
        let unit = target.abs().max(epsilon);
        // Nothing is no error, of nothing too.
        N::select(r.equals(zero) & unit.equals(zero), zero, r.abs() / unit)
    }
}
