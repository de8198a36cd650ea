use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The square of the residual: large errors dominate, the best constant is the mean.
    SquaredError: "squared_error" {
        aliases: ["mse_loss", "MSELoss", "mse", "mean_squared_error", "MeanSquaredError"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {},
        optimum: "0 at prediction = target, with slope 0. There is no factor 1/2: the gradient is twice the residual.",
        limits: "Smooth everywhere; the second derivative is 2. Grows without bound, and so does its slope: one outlier can carry the whole cost.",
        peers: "PyTorch, Keras and MLX have the same factor. Optax's l2_loss and scikit-learn's HalfSquaredError have the factor 1/2.",
        reference: "Gauss (1809), Theoria motus corporum coelestium, book 2, section 3.",
        usual: true,
    }
}

impl Pointwise for SquaredError {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (prediction - target).square()
    }
}
