use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The square of the residual as a fraction of the target.
    RelativeSquaredError: "relative_squared_error" {
        aliases: ["squared_percentage_error", "mean_squared_percentage_error", "mspe"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            epsilon = 0.0 in NON_NEGATIVE: "what the absolute target counts as at least, in its unit",
        },
        optimum: "0 at prediction = target, with slope 0. A squared fraction: 0.01 is ten percent.",
        limits: "Smooth in the prediction. With epsilon = 0 a target of 0 costs infinity, and 0 if it is predicted exactly.",
        peers: "The relative squared error of a data set, the sum of squared errors over that of the mean as prediction, is a ratio of two costs and not this: divide the cost of squared_error by the variance of the target.",
        reference: "Park and Stefanski (1998), Relative-error prediction, doi:10.1016/S0167-7152(98)00088-1.",
        usual: false,
    }
}

impl Pointwise for RelativeSquaredError {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let epsilon = N::parameter("epsilon", self.epsilon);
        let r = prediction - target;
        let zero = N::constant(0.0);
        let unit = target.abs().max(epsilon);
        // Nothing is no error, of nothing too.
        N::select(r.equals(zero) & unit.equals(zero), zero, (r / unit).square())
    }
}
