use crate::loss;
use crate::number::{Number, Wide};
use crate::softmax::{MeanOfProbability, OfProbability, Scores};

loss! {
    /// Softmax cross-entropy that fades for classes which are predicted with confidence already.
    SoftmaxFocal: "softmax_focal" {
        aliases: ["categorical_focal_crossentropy", "CategoricalFocalCrossentropy"],
        task: Multiclass,
        prediction: Real "a raw score of each class: the logarithm of its probability up to a constant",
        target: NonNegative,
        link: "softmax(prediction / temperature) are the probabilities of the classes.",
        parameters: {
            gamma = 2.0 in NON_NEGATIVE: "the exponent of 1 - probability, by which the loss of a class is multiplied; 0 is softmax cross-entropy",
            label_smoothing = 0.0 in BELOW_ONE: "the share of the target that is spread evenly over all classes",
            temperature = 1.0 in POSITIVE: "what the scores are divided by",
        },
        optimum: "For a class index tends to 0 as that class's score outgrows the others, as the power 1 + gamma of what the others have. Not a proper loss: for a distribution it is lowest elsewhere than at softmax(prediction) equal to it, at flatter probabilities. Natural logarithm.",
        limits: "Not convex for gamma above 0. Smooth everywhere and exact in the tails. A score of minus infinity excludes a class; with a target above 0 that class costs infinity. Weights of classes, alpha in the paper, are those of the cost.",
        peers: "Keras's CategoricalFocalCrossentropy multiplies by alpha = 0.25 for every class unless told otherwise, and clips probabilities at 1e-7. Its slope is 0 for a sure and wrong prediction.",
        reference: "Lin et al. (2017), Focal Loss for Dense Object Detection, arXiv:1708.02002.",
        row_gradient: "(a_c - s_c * sum(a_c)) / temperature, with s = softmax(p / temperature) and a_c = y_c * (gamma * s_c * (1 - s_c)^(gamma - 1) * ln(s_c) - (1 - s_c)^gamma)",
        usual: false,
    }
}

impl OfProbability for SoftmaxFocal {
    #[inline(always)]
    fn scores(&self) -> Scores {
        Scores { temperature: self.temperature, soft_cap: 0.0 }
    }

    #[inline(always)]
    fn terms<W: Wide>(&self, p: W, q: W, surprise: W) -> [W; 4] {
        let (zero, one, gamma) = (W::new(0.0), W::new(1.0), W::new(self.gamma));
        // What tends to 0 as p does, and to q as p tends to 1.
        let entropy = W::pick(p.value() == 0.0, zero, p * surprise);
        let ratio = W::pick(q.value() == 0.0, one, entropy / q);
        let fade = if self.gamma == 0.0 { one } else { (q.ln() * gamma).exp() };
        let slope = -fade * (gamma * ratio + one);
        let two = W::new(2.0);
        let own = fade * ((gamma * two + one) * p - gamma * ratio * (one - (gamma + one) * p));
        let bend = gamma * fade * (two * p - (one - gamma * p) * ratio) / q;
        [
            fade * surprise,
            slope,
            // It is multiplied by q² or less; far out there is nothing left of that.
            W::pick(q.value() < f64::MIN_POSITIVE, zero, bend),
            own,
        ]
    }
}

impl MeanOfProbability for SoftmaxFocal {
    fn smoothing(&self) -> f64 {
        self.label_smoothing
    }

    fn definition<N: Number>(&self, log_p: N) -> N {
        if self.gamma == 0.0 {
            return -log_p;
        }
        let (zero, gamma) = (N::constant(0.0), N::parameter("gamma", self.gamma));
        let q = -log_p.expm1();
        // A single class has all of the probability.
        N::select(q.equals(zero), zero, -(gamma * q.ln()).exp() * log_p)
    }
}
