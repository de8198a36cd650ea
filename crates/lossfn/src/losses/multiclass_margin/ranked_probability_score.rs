use crate::class_axis::{ClassAxis, ClassRow, Double, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// The squared distance of the predicted cumulative probabilities of ordered classes from those of the target, summed over the borders between classes.
    RankedProbabilityScore: "ranked_probability_score" {
        aliases: ["rps"],
        task: Multiclass,
        prediction: Unit "the probability of each class; the classes are in order",
        target: NonNegative,
        parameters: {},
        optimum: "0 where the prediction equals the target distribution. A class index is the distribution that is 1 for its class; then the loss is at most the number of classes minus 1. Averaged over classes drawn from a distribution it is least at that distribution.",
        limits: "Smooth everywhere: a parabola of each probability. Probability that is far from the class in their order costs more than probability near it. The last cumulative probability, which is 1 for both, is left out, and with it the probability of the last class: the probabilities are taken as they are, not made to sum to 1. The loss is not linear in the target, which is itself the distribution. A row of one class costs nothing.",
        peers: "Some divide by the number of classes minus 1. For two classes it is the squared error of the probability of the first, half of multiclass_brier.",
        reference: "Epstein (1969), A Scoring System for Probability Forecasts of Ranked Categories, Journal of Applied Meteorology 8(6):985-987; Murphy (1971), A Note on the Ranked Probability Score, Journal of Applied Meteorology 10(1):155-156.",
        row_loss: "sum_{k < K - 1}((sum_{j <= k}(p_j - y_j))^2), with K the number of classes, counted from 0",
        row_gradient: "2 * sum_{c <= k < K - 1}(sum_{j <= k}(p_j - y_j))",
        usual: false,
    }
}

impl ClassAxis for RankedProbabilityScore {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn is_linear_in_target(&self) -> bool {
        false
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let mut cumulative = N::constant(0.0);
        let borders = prediction.iter().zip(target).take(prediction.len() - 1).map(|(&p, &y)| {
            cumulative = cumulative + (p - y);
            cumulative.square()
        });
        N::total(borders)
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        if row.has_nan() {
            return gradients.nan();
        }
        let borders = row.prediction.len() - 1;
        // Sums that cancel, such as 1 minus almost 1, keep their digits.
        let step = |class: usize| Double::sum(row.prediction[class].to_f64(), -row.share(class));
        let (mut cumulative, mut ahead) = (Double::default(), Double::default());
        let mut value = 0.0;
        for class in 0..borders {
            cumulative = cumulative.plus(step(class));
            ahead = ahead.plus(cumulative);
            value += cumulative.rounded() * cumulative.rounded();
        }
        if let Some(gradient) = gradients.gradient.as_deref_mut() {
            let mut cumulative = Double::default();
            for (class, gradient) in gradient[..borders].iter_mut().enumerate() {
                *gradient = T::from_f64(2.0 * ahead.rounded());
                cumulative = cumulative.plus(step(class));
                ahead = ahead.plus(cumulative.negated());
            }
            gradient[borders] = T::default();
        }
        if let Some(second) = gradients.second.as_deref_mut() {
            for (class, second) in second.iter_mut().enumerate() {
                *second = T::from_f64(2.0 * (borders - class) as f64);
            }
        }
        value
    }
}
