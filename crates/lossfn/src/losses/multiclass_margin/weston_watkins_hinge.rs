use super::multi_margin::{against_each, row_against_each};
use crate::class_axis::{ClassAxis, ClassRow, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// How far the score of a class falls short of being 1 above each of the others, summed over them.
    WestonWatkinsHinge: "weston_watkins_hinge" {
        aliases: [],
        task: Multiclass,
        prediction: Real "a raw score of each class",
        target: NonNegative,
        parameters: {},
        optimum: "0 for a class index wherever its score is at least 1 above every other. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c), which is above 0 as soon as two classes have a share.",
        limits: "A pair of classes has slope 0 from a lead of 1 on, the kink included. The second derivative is 0. A row of one class costs nothing.",
        peers: "PyTorch's multi_margin_loss divides by the number of classes: multi_margin. Weston and Watkins asked for a lead of 2, which is this loss of half the scores, doubled. Crammer and Singer count the best other class alone: crammer_singer_hinge.",
        reference: "Weston and Watkins (1999), Support Vector Machines for Multi-Class Pattern Recognition, European Symposium on Artificial Neural Networks.",
        curvature: One,
        row_loss: "sum_c(y_c * sum_{j != c}(max(0, 1 + p_j - p_c)))",
        row_gradient: "for each pair of classes j != c with 1 + p_j - p_c > 0: y_c at j, -y_c at c",
        usual: false,
    }
}

impl ClassAxis for WestonWatkinsHinge {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        against_each(N::constant(1.0), false, prediction, target)
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        row_against_each(1.0, false, 1.0, row, gradients)
    }
}
