use crate::loss;
use crate::number::{Number, Wide};
use crate::softmax::{MeanOfProbability, OfProbability, Scores};

loss! {
    /// Between softmax cross-entropy and the absolute error of the probability, for noisy labels.
    GeneralizedCrossEntropy: "generalized_cross_entropy" {
        aliases: ["categorical_generalized_cross_entropy", "CategoricalGeneralizedCrossEntropy"],
        task: Multiclass,
        prediction: Real "a raw score of each class: the logarithm of its probability up to a constant",
        target: NonNegative,
        link: "softmax(prediction / temperature) are the probabilities of the classes.",
        parameters: {
            q = 0.7 in ABOVE_ZERO_TO_ONE: "the exponent of the probability; towards 0 the loss becomes softmax cross-entropy, 1 is 1 - probability",
            label_smoothing = 0.0 in BELOW_ONE: "the share of the target that is spread evenly over all classes",
            temperature = 1.0 in POSITIVE: "what the scores are divided by",
        },
        optimum: "For a class index tends to 0 as that class's score outgrows the others. For a distribution it is lowest at sharper probabilities than the target's.",
        limits: "At most 1/q for a class index, which is what makes it robust; where a class is nearly excluded its gradient vanishes. Not convex. Exact in the tails and for small q.",
        peers: "The authors' code truncates the loss as well, which is not done here. Keras's CategoricalGeneralizedCrossEntropy takes probabilities and q = 0.5 unless told otherwise; its slope is NaN where a probability underflows.",
        reference: "Zhang and Sabuncu (2018), Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels, arXiv:1805.07836.",
        row_gradient: "(a_c - s_c * sum(a_c)) / temperature, with s = softmax(p / temperature) and a_c = -y_c * s_c^q",
        usual: false,
    }
}

impl OfProbability for GeneralizedCrossEntropy {
    #[inline(always)]
    fn scores(&self) -> Scores {
        Scores { temperature: self.temperature, soft_cap: 0.0 }
    }

    #[inline(always)]
    fn terms<W: Wide>(&self, p: W, complement: W, surprise: W) -> [W; 4] {
        let q = W::new(self.q);
        let log_power = -(q * surprise);
        let power = log_power.exp();
        [-log_power.expm1() / q, -power, -(q * power), power * (p - q * complement)]
    }
}

impl MeanOfProbability for GeneralizedCrossEntropy {
    fn smoothing(&self) -> f64 {
        self.label_smoothing
    }

    fn definition<N: Number>(&self, log_p: N) -> N {
        let q = N::parameter("q", self.q);
        -(q * log_p).expm1() / q
    }
}
