use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of the class under a logistic model, in margin form: ln(1 + e^-margin).
    Logistic: "logistic" {
        aliases: ["logistic_loss", "soft_margin_loss", "SoftMarginLoss", "log_loss_margin", "binary_logistic_loss"],
        task: Binary,
        prediction: Real "a raw score: the logarithm of the odds of the class +1",
        target: Sign,
        link: "sigmoid(prediction) is the probability of the class +1.",
        parameters: {},
        optimum: "Tends to 0 as the margin tends to infinity; ln 2 at margin 0. Natural logarithm.",
        limits: "Smooth everywhere; about -margin for very negative margins and e^-margin for large ones, to the last digit and without overflow.",
        peers: "The same number as binary_cross_entropy_with_logits with targets 0 and 1. PyTorch's soft_margin_loss overflows to infinity below margin -89 in f32, with a gradient of NaN.",
        reference: "Cox (1958), The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x.",
        usual: false,
    }
}

impl Pointwise for Logistic {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (-(target * prediction)).softplus()
    }
}
