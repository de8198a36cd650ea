use super::top_k_error::{outside_the_top, row_outside_the_top};
use crate::class_axis::{ClassAxis, ClassRow, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// 1 unless the class has the highest score of all: the error rate.
    MulticlassZeroOne: "multiclass_zero_one" {
        aliases: ["zero_one_multiclass", "top_1_error"],
        task: Multiclass,
        prediction: Real "a score of each class, or its probability",
        target: NonNegative,
        parameters: {},
        optimum: "0 for a class index wherever its score is above every other. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c). 1 minus the mean is the accuracy.",
        limits: "A tie for the highest score decides nothing and costs 1, as a score of 0 does in zero_one; so equal scores for all classes are always wrong. The slope and the second derivative are 0: it measures, but cannot be trained with.",
        peers: "Accuracies that compare the position of the maximum give a tie to one of its classes, mostly the first.",
        reference: "Tewari and Bartlett (2007), On the Consistency of Multiclass Classification Methods, Journal of Machine Learning Research 8:1007-1025.",
        curvature: One,
        row_loss: "sum_c(y_c * where(p_c > max_{j != c}(p_j), 0, 1))",
        row_gradient: "0",
        usual: false,
    }
}

impl ClassAxis for MulticlassZeroOne {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        outside_the_top(N::constant(1.0), prediction, target)
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        row_outside_the_top(1.0, row, gradients)
    }
}
