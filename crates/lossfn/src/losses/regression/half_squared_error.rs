use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// Half the square of the residual: the slope is the residual itself.
    HalfSquaredError: "half_squared_error" {
        aliases: ["l2_loss", "HalfSquaredError", "half_squared_loss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {},
        optimum: "0 at prediction = target, with slope 0. The factor is 1/2; squared_error is twice this.",
        limits: "Smooth everywhere; the second derivative is 1. Grows without bound, and so does its slope.",
        peers: "Optax's l2_loss and scikit-learn's HalfSquaredError agree. PyTorch and Keras have no factor 1/2: squared_error.",
        reference: "Gauss (1809), Theoria motus corporum coelestium, book 2, section 3.",
        usual: false,
    }
}

impl Pointwise for HalfSquaredError {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let r = prediction - target;
        r * (r * 0.5)
    }
}
