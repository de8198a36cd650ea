use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// How far the margin falls short of 1: the loss of the support vector machine.
    Hinge: "hinge" {
        aliases: ["hinge_loss", "HingeLoss", "Hinge", "l1_hinge"],
        task: Binary,
        prediction: Real "a raw score: positive for the class +1",
        target: Sign,
        parameters: {},
        optimum: "0 wherever target * prediction >= 1.",
        limits: "The slope is -target below margin 1 and 0 from margin 1 on, the kink included.",
        peers: "Keras takes targets 0 and 1 for -1 and +1. At the kink the slope of Optax, and of Keras on JAX, is half that below it, and that of scikit-learn's SGDClassifier is that below it. PyTorch's HingeEmbeddingLoss is another loss.",
        reference: "Cortes and Vapnik (1995), Support-vector networks, doi:10.1007/BF00994018.",
        curvature: One,
        usual: true,
    }
}

impl Pointwise for Hinge {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (N::constant(1.0) - target * prediction).positive_part()
    }
}
