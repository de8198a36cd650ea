use super::crammer_singer_hinge::shortfall;
use crate::class_axis::{ClassAxis, ClassRow, RowGradients, positive_or_zero, sums};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// How far the score of each class of a set falls short of being 1 above each class outside it, summed over the pairs and divided by the number of classes.
    MultilabelMargin: "multilabel_margin" {
        aliases: ["MultiLabelMarginLoss", "multilabel_margin_loss"],
        task: Multiclass,
        prediction: Real "a raw score of each class",
        target: NonNegative,
        parameters: {},
        optimum: "0 wherever every class of the set scores at least 1 above every class outside it; 0, too, for a set of all classes or of none.",
        limits: "The target is a set: a class is in it if its number is not 0. A number other than 1 weighs the pairs of that class. A class index is the set of that class. A pair has slope 0 from a lead of 1 on, the kink included. The second derivative is 0. The loss is not linear in the target: which classes are outside depends on it.",
        peers: "PyTorch's multilabel_margin_loss has the same value, but takes the set as a list of class indices that -1 ends.",
        reference: "Elisseeff and Weston (2001), A Kernel Method for Multi-Labelled Classification, Advances in Neural Information Processing Systems 14; divided by the number of classes as in PyTorch.",
        curvature: One,
        row_loss: "sum_{i in set}(y_i * sum_{j not in set}(max(0, 1 + p_j - p_i))) / K, with K the number of classes and i in the set if y_i > 0",
        row_gradient: "for each i in the set and j outside with 1 + p_j - p_i > 0: y_i / K at j, -y_i / K at i",
        usual: false,
    }
}

impl ClassAxis for MultilabelMargin {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn is_linear_in_target(&self) -> bool {
        false
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let zero = N::constant(0.0);
        let pairs = prediction.iter().zip(target).map(|(&own, &y)| {
            // A class of the set is not beside itself: its own number is not 0.
            let outside = prediction.iter().zip(target).map(|(&other, &share)| {
                let short = (other - own + 1.0).positive_part();
                N::select(share.equals(zero), short, zero)
            });
            y * N::total(outside)
        });
        N::total(pairs) / prediction.len() as f64
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        if row.has_nan() {
            return gradients.nan();
        }
        gradients.fill(T::default());
        let classes = row.prediction.len();
        // Outside the set are the scores that count; a score of minus infinity is never short.
        let lowest = T::from_f64(f64::NEG_INFINITY);
        scratch.resize(row.prediction.len(), T::default());
        for (class, outside) in scratch.iter_mut().enumerate() {
            let is_outside = row.share(class) == 0.0;
            *outside = if is_outside { row.prediction[class] } else { lowest };
        }
        let (outside, mut value) = (&*scratch, 0.0);
        for (class, y) in row.shares() {
            if y == 0.0 {
                continue;
            }
            let own = row.prediction[class].to_f64();
            let is_short = |other: f64| shortfall(1.0, own, other) > 0.0;
            let [short, count] = sums(outside, |other| {
                let short = positive_or_zero(shortfall(1.0, own, other));
                [short, if short > 0.0 { 1.0 } else { 0.0 }]
            });
            value += y * short;
            if let Some(gradient) = gradients.gradient.as_deref_mut() {
                let slope = T::from_f64(y);
                for (gradient, other) in gradient.iter_mut().zip(outside) {
                    let here = if is_short(other.to_f64()) { slope } else { T::default() };
                    *gradient = *gradient + here;
                }
                gradient[class] = T::from_f64(-y * count);
            }
        }
        if let Some(gradient) = gradients.gradient.as_deref_mut() {
            for slope in gradient {
                *slope = T::from_f64(slope.to_f64() / classes as f64);
            }
        }
        value / classes as f64
    }
}
