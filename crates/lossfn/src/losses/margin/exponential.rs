use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// e^-margin: the loss of boosting by `AdaBoost`, which punishes a wrong side without bound.
    Exponential: "exponential" {
        aliases: ["exponential_loss", "ExponentialLoss", "adaboost"],
        task: Binary,
        prediction: Real "a raw score: half the logarithm of the odds of the class +1",
        target: Sign,
        link: "sigmoid(2 prediction) is the probability of the class +1.",
        parameters: {},
        optimum: "Tends to 0 as the margin tends to infinity; 1 at margin 0.",
        limits: "Smooth everywhere. Overflows to infinity below margin -88.7 in f32 and -709.8 in f64, because the true value does.",
        peers: "scikit-learn's ExponentialLoss takes targets 0 and 1 and gives the same number. Value and slope are NaN there for scores beyond about 710 in magnitude.",
        reference: "Freund and Schapire (1997), A Decision-Theoretic Generalization of On-Line Learning, doi:10.1006/jcss.1997.1504; Friedman, Hastie and Tibshirani (2000), doi:10.1214/aos/1016218223.",
        usual: false,
    }
}

impl Pointwise for Exponential {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (-(target * prediction)).exp()
    }
}
