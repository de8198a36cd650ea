use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The squared probability that a logistic model gives to the wrong class: bounded, so that outliers count little.
    Savage: "savage" {
        aliases: ["savage_loss", "SavageLoss"],
        task: Binary,
        prediction: Real "a raw score: the logarithm of the odds of the class +1",
        target: Sign,
        link: "sigmoid(prediction) is the probability of the class +1.",
        parameters: {},
        optimum: "Tends to 0 as the margin tends to infinity, to 1 as it tends to minus infinity; 1/4 at margin 0. There is no factor 4.",
        limits: "Smooth everywhere, and not convex: the second derivative is negative below margin -ln 2. Exact in both tails.",
        peers: "Also written 1 / (1 + e^(2 margin))^2, for a score that is half the logarithm of the odds, or with a factor 4. It is brier of the probability sigmoid(prediction).",
        reference: "Masnadi-Shirazi and Vasconcelos (2008), On the Design of Loss Functions for Classification: theory, robustness to outliers, and SavageBoost, NeurIPS 21.",
        usual: false,
    }
}

impl Pointwise for Savage {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (-(target * prediction)).sigmoid_power(2.0, || N::constant(2.0))
    }
}
