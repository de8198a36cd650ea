use super::crammer_singer_hinge::{against_the_best, row_against_the_best};
use crate::class_axis::{ClassAxis, ClassRow, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// How far the score of a class is below the best of the others.
    MulticlassPerceptron: "multiclass_perceptron" {
        aliases: ["perceptron_multiclass", "multiclass_perceptron_loss"],
        task: Multiclass,
        prediction: Real "a raw score of each class",
        target: NonNegative,
        parameters: {},
        optimum: "0 for a class index wherever no other score is above that of the class; so equal scores for all classes cost nothing. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c).",
        limits: "Where no other score is above that of the class the slope is 0, a tie included. Of several best other classes the first has the slope. The second derivative is 0. A row of one class costs nothing.",
        peers: "Optax's multiclass_perceptron_loss has the same value; its slope at a tie is what automatic differentiation of a maximum gives.",
        reference: "Crammer and Singer (2003), Ultraconservative Online Algorithms for Multiclass Problems, Journal of Machine Learning Research 3:951-991.",
        curvature: One,
        row_loss: "sum_c(y_c * max(0, max_{j != c}(p_j) - p_c))",
        row_gradient: "for each class c that another is above: y_c at the best other class, -y_c at c",
        usual: false,
    }
}

impl ClassAxis for MulticlassPerceptron {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        against_the_best(0.0, prediction, target)
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        row_against_the_best(0.0, row, gradients)
    }
}
