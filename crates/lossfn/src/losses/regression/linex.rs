use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// Linear on one side of the target and exponential on the other: for when overshooting costs more than undershooting, or less.
    Linex: "linex" {
        aliases: ["linex_loss", "LINEX"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            rate = 1.0 in FINITE: "how fast the exponential side grows, per unit of the target; below 0 it is predictions that are too low that cost exponentially, and at 0 the loss vanishes",
        },
        optimum: "0 at prediction = target, with slope 0 and second derivative rate^2. There is no further factor.",
        limits: "Smooth and convex. About (rate * residual)^2 / 2 for small residuals, exact there too; overflows to infinity where rate * residual exceeds 88 in f32 and 709 in f64, as the true value does.",
        peers: "None of the large libraries has it.",
        reference: "Varian (1975), A Bayesian Approach to Real Estate Assessment; Zellner (1986), Bayesian Estimation and Prediction Using Asymmetric Loss Functions, doi:10.1080/01621459.1986.10478289.",
        usual: false,
    }
}

impl Pointwise for Linex {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let rate = N::parameter("rate", self.rate);
        ((prediction - target) * rate).expm1_minus()
    }
}
