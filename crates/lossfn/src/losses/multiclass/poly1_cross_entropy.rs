use crate::loss;
use crate::number::{Number, Wide};
use crate::softmax::{MeanOfProbability, OfProbability, Scores};

loss! {
    /// Softmax cross-entropy with another coefficient for its leading term, 1 - probability.
    Poly1CrossEntropy: "poly1_cross_entropy" {
        aliases: ["poly_loss_cross_entropy"],
        task: Multiclass,
        prediction: Real "a raw score of each class: the logarithm of its probability up to a constant",
        target: NonNegative,
        link: "softmax(prediction / temperature) are the probabilities of the classes.",
        parameters: {
            epsilon = 1.0 in FROM_MINUS_ONE: "what is added to the coefficient 1 of the leading term; 0 is softmax cross-entropy",
            label_smoothing = 0.0 in BELOW_ONE: "the share of the target that is spread evenly over all classes",
            temperature = 1.0 in POSITIVE: "what the scores are divided by",
        },
        optimum: "For a class index tends to 0 as that class's score outgrows the others. For a distribution it is lowest where softmax(prediction) equals it only for epsilon = 0. Natural logarithm.",
        limits: "Smooth everywhere and exact in the tails, also for epsilon = -1, where the leading term is gone. With epsilon below -1 it would be negative. A score of minus infinity excludes a class; with a target above 0 that class costs infinity.",
        peers: "Optax's poly_loss_cross_entropy has the default epsilon = 2. With label smoothing both take the mean of 1 - probability over the smoothed label, as here.",
        reference: "Leng et al. (2022), PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions, arXiv:2204.12511.",
        row_gradient: "(a_c - s_c * sum(a_c)) / temperature, with s = softmax(p / temperature) and a_c = -y_c * (1 + epsilon * s_c)",
        usual: false,
    }
}

impl OfProbability for Poly1CrossEntropy {
    #[inline(always)]
    fn scores(&self) -> Scores {
        Scores { temperature: self.temperature, soft_cap: 0.0 }
    }

    #[inline(always)]
    fn terms<W: Wide>(&self, p: W, q: W, surprise: W) -> [W; 4] {
        let slope_at_one = W::new(self.epsilon) + W::new(1.0);
        // -ln p - q is q²/2 + q³/3 + ..., which is all that there is for epsilon = -1.
        let mut series = W::new(0.0);
        let mut power = 18.0;
        while power >= 2.0 {
            series = series * q + W::new(1.0 / power);
            power -= 1.0;
        }
        let beyond = W::pick(q.value() < 0.0625, series * q * q, surprise - q);
        let epsilon = W::new(self.epsilon);
        let own = p * (slope_at_one * p + (W::new(1.0) - epsilon) * q);
        [beyond + slope_at_one * q, -(slope_at_one * p + q), -epsilon * p, own]
    }
}

impl MeanOfProbability for Poly1CrossEntropy {
    fn smoothing(&self) -> f64 {
        self.label_smoothing
    }

    fn definition<N: Number>(&self, log_p: N) -> N {
        let epsilon = N::parameter("epsilon", self.epsilon);
        -(log_p + epsilon * log_p.expm1())
    }
}
