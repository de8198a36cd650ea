use super::fenchel_young::row_of_tsallis;
use crate::class_axis::{ClassAxis, ClassRow, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// The loss whose probabilities are the Euclidean projection of the scores onto the simplex, which makes those of hopeless classes exactly 0.
    Sparsemax: "sparsemax" {
        aliases: ["sparsemax_loss", "SparsemaxLoss", "multiclass_sparsemax_loss"],
        task: Multiclass,
        prediction: Real "a raw score of each class",
        target: NonNegative,
        link: "sparsemax(prediction)_c = max(0, p_c - t) are the probabilities of the classes, with t such that they sum to 1.",
        parameters: {},
        optimum: "0 for a class index wherever its score is at least 1 above every other. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c); lowest, at (1 - sum(y_c^2)) / 2, where sparsemax(prediction) equals it.",
        limits: "Differentiable everywhere; the second derivative jumps where a class enters or leaves those with a probability, and counts as that of a class outside there. Far from the class the loss grows linearly. For f64 the threshold is computed with twice the digits, so that a small probability is exact.",
        peers: "Optax's multiclass_sparsemax_loss and the entmax package's sparsemax loss agree. A distribution's own term, (sum(y_c^2) - 1) / 2, a constant that would make the least loss 0, is left out, as the entropy of the target is in softmax_cross_entropy. It is fenchel_young(alpha=2). Optax's sparsemax_loss is of two classes: smoothed_hinge(width=2).",
        reference: "Martins and Astudillo (2016), From Softmax to Sparsemax, arXiv:1602.02068.",
        row_loss: "sum_c(y_c * (1/2 - p_c + sum_{j: p_j > t}(p_j^2 - t^2) / 2)), with t such that sum_j(max(0, p_j - t)) = 1",
        row_gradient: "sum(y) * sparsemax(p)_c - y_c",
        usual: false,
    }
}

impl ClassAxis for Sparsemax {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let (zero, one) = (N::constant(0.0), N::constant(1.0));
        // The threshold is the largest of those that the classes down to each one would have.
        let threshold = N::largest(prediction.iter().map(|&least| {
            let down_to = |x: N, p: N| N::select(least.at_most(p), x, zero);
            let total = N::total(prediction.iter().map(|&p| down_to(p, p)));
            let count = N::total(prediction.iter().map(|&p| down_to(one, p)));
            (total - 1.0) / count
        }));
        let squares = prediction
            .iter()
            .map(|&p| N::select(threshold.less_than(p), p.square() - threshold.square(), zero));
        let conjugate = N::total(squares) * 0.5 + 0.5;
        N::total(prediction.iter().zip(target).map(|(&p, &y)| y * (conjugate - p)))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        row_of_tsallis::<T, 1>(2.0, row, gradients)
    }
}
