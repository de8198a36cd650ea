use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The logarithm of the hyperbolic cosine of the residual: a smooth road from half the square to the absolute value.
    LogCosh: "log_cosh" {
        aliases: ["logcosh", "LogCosh", "log_cosh_loss", "LogCoshLoss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {},
        optimum: "0 at prediction = target, with slope 0 and second derivative 1.",
        limits: "Smooth everywhere. About residual^2 / 2 for small residuals (5e-9 at 1e-4, in f32 too) and |residual| - ln 2 for large ones; never overflows.",
        peers: "Keras computes r + softplus(-2r) - ln 2 and Optax logaddexp(r, -r) - ln 2: in f32 both give 0 or 6e-8 of either sign for |r| up to about 3e-4.",
        reference: "Green (1990), Bayesian reconstructions from emission tomography data using a modified EM algorithm, doi:10.1109/42.52985.",
        usual: false,
    }
}

impl Pointwise for LogCosh {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (prediction - target).ln_cosh()
    }
}
