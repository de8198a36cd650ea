use crate::loss;
use crate::number::{Number, Wide};
use crate::softmax::{MeanOfProbability, OfProbability, Scores};

loss! {
    /// Softmax cross-entropy plus that with label and prediction exchanged, for noisy labels.
    SymmetricCrossEntropy: "symmetric_cross_entropy" {
        aliases: [],
        task: Multiclass,
        prediction: Real "a raw score of each class: the logarithm of its probability up to a constant",
        target: NonNegative,
        link: "softmax(prediction / temperature) are the probabilities of the classes.",
        parameters: {
            alpha = 0.1 in NON_NEGATIVE: "what the cross-entropy is multiplied by",
            beta = 1.0 in NON_NEGATIVE: "what the reverse cross-entropy is multiplied by",
            log_zero = -4.0 in NON_POSITIVE: "what stands for ln 0 in the reverse cross-entropy, A in the paper",
            label_smoothing = 0.0 in BELOW_ONE: "the share of the target that is spread evenly over all classes",
            temperature = 1.0 in POSITIVE: "what the scores are divided by",
        },
        optimum: "For a class index tends to 0 as that class's score outgrows the others. Natural logarithm.",
        limits: "For a class index the reverse cross-entropy is -log_zero * (1 - probability). For a distribution, and with label smoothing, the loss is its mean over the labels; the logarithm of the distribution itself is never taken. Smooth everywhere and exact in the tails. A score of minus infinity excludes a class; with a target above 0 and alpha above 0 that class costs infinity.",
        peers: "The authors' code clips the one-hot label at 1e-4, which is log_zero = -9.21, and the probabilities at 1e-7.",
        reference: "Wang et al. (2019), Symmetric Cross Entropy for Robust Learning with Noisy Labels, arXiv:1908.06112.",
        row_gradient: "(a_c - s_c * sum(a_c)) / temperature, with s = softmax(p / temperature) and a_c = -y_c * (alpha - beta * log_zero * s_c)",
        usual: false,
    }
}

impl OfProbability for SymmetricCrossEntropy {
    #[inline(always)]
    fn scores(&self) -> Scores {
        Scores { temperature: self.temperature, soft_cap: 0.0 }
    }

    #[inline(always)]
    fn terms<W: Wide>(&self, p: W, q: W, surprise: W) -> [W; 4] {
        let (alpha, reverse) = (W::new(self.alpha), W::new(self.beta) * W::new(-self.log_zero));
        let forward = if self.alpha == 0.0 { alpha } else { alpha * surprise };
        let bend = -(reverse * p);
        [forward + reverse * q, bend - alpha, bend, p * (alpha + reverse * (p - q))]
    }
}

impl MeanOfProbability for SymmetricCrossEntropy {
    fn smoothing(&self) -> f64 {
        self.label_smoothing
    }

    fn definition<N: Number>(&self, log_p: N) -> N {
        let (alpha, beta) = (N::parameter("alpha", self.alpha), N::parameter("beta", self.beta));
        let log_zero = N::parameter("log_zero", self.log_zero);
        beta * log_zero * log_p.expm1() - alpha * log_p
    }
}
