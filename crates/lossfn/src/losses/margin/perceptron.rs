use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// How far an example lies on the wrong side: max(0, -margin).
    Perceptron: "perceptron" {
        aliases: ["perceptron_loss", "PerceptronLoss"],
        task: Binary,
        prediction: Real "a raw score: positive for the class +1",
        target: Sign,
        parameters: {},
        optimum: "0 wherever target * prediction >= 0, so also for the score 0 everywhere.",
        limits: "The slope is -target for a negative margin and 0 from margin 0 on, the kink included.",
        peers: "scikit-learn's SGDClassifier(loss='perceptron') and Optax's perceptron_loss agree but for the kink, where Optax's slope is half that below it.",
        reference: "Rosenblatt (1958), The perceptron, doi:10.1037/h0042519.",
        curvature: One,
        usual: false,
    }
}

impl Pointwise for Perceptron {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (-(target * prediction)).positive_part()
    }
}
