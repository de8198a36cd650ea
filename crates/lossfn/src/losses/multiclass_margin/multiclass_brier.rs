use crate::class_axis::{ClassAxis, ClassRow, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// The squared distance of the predicted probabilities from the target distribution, summed over the classes.
    MulticlassBrier: "multiclass_brier" {
        aliases: ["brier_multiclass", "brier_class", "multiclass_quadratic_score"],
        task: Multiclass,
        prediction: Unit "the probability of each class",
        target: NonNegative,
        parameters: {},
        optimum: "0 where the prediction equals the target distribution. A class index is the distribution that is 1 for its class; then the loss is at most 2. Averaged over classes drawn from a distribution it is least at that distribution.",
        limits: "Smooth everywhere: a parabola of each probability. The probabilities are taken as they are: they are not made to sum to 1. The loss is not linear in the target, which is itself the distribution; the expected loss of a class drawn from it is larger by 1 minus the sum of its squares, whatever the prediction.",
        peers: "scikit-learn's brier_score_loss can halve the sum (scale_by_half), and does so for two classes unless told otherwise. Means over the classes as well as the examples, as of a plain squared error, are smaller by the number of classes.",
        reference: "Brier (1950), Verification of Forecasts Expressed in Terms of Probability, Monthly Weather Review 78(1):1-3.",
        row_gradient: "2 * (p_c - y_c)",
        usual: false,
    }
}

impl ClassAxis for MulticlassBrier {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn is_linear_in_target(&self) -> bool {
        false
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        N::total(prediction.iter().zip(target).map(|(&p, &y)| (p - y).square()))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        let off = |class: usize, p: T| p.to_f64() - row.share(class);
        let mut value = 0.0;
        for (class, &p) in row.prediction.iter().enumerate() {
            value += off(class, p) * off(class, p);
        }
        if let Some(gradient) = gradients.gradient.as_deref_mut() {
            for (class, (gradient, &p)) in gradient.iter_mut().zip(row.prediction).enumerate() {
                *gradient = T::from_f64(2.0 * off(class, p));
            }
        }
        if let Some(second) = gradients.second.as_deref_mut() {
            second.fill(T::from_f64(2.0));
        }
        if value.is_nan() {
            return gradients.nan();
        }
        value
    }
}
