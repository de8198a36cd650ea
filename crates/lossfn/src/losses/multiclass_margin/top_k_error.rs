use crate::class_axis::{ClassAxis, ClassRow, RowGradients, sums_except};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// 1 unless fewer than k other classes score as high as the class: the top-k error.
    TopKError: "top_k_error" {
        aliases: ["top_k"],
        task: Multiclass,
        prediction: Real "a score of each class, or its probability",
        target: NonNegative,
        parameters: {
            k = 5.0 in COUNT: "how many classes are guessed",
        },
        optimum: "0 for a class index wherever it is among the k highest scores. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c). Always 0 with no more than k classes. 1 minus the mean is the top-k accuracy.",
        limits: "A tie is held against the class: it is among the highest k only if fewer than k others score as high or higher. The slope and the second derivative are 0: it measures, but cannot be trained with. With k = 1 it is multiclass_zero_one.",
        peers: "scikit-learn's top_k_accuracy_score, 1 minus this, orders tied classes by their index. TensorFlow's in_top_k counts a class that is tied for the last place as guessed.",
        reference: "Lapin, Hein and Schiele (2015), Top-k Multiclass SVM, arXiv:1511.06683.",
        curvature: One,
        row_loss: "sum_c(y_c * where(sum_{j != c}(where(p_c <= p_j, 1, 0)) < k, 0, 1))",
        row_gradient: "0",
        usual: false,
    }
}

/// The definition: whether so many others score as high.
pub(super) fn outside_the_top<N: Number>(k: N, prediction: &[N], target: &[N]) -> N {
    let (zero, one) = (N::constant(0.0), N::constant(1.0));
    // A comparison loses NaN; this does not.
    let nan = |x: N| N::select(x.equals(x), zero, x);
    let errors = prediction.iter().zip(target).enumerate().map(|(class, (&own, &y))| {
        let others = prediction.iter().enumerate().filter(|(other, _)| *other != class);
        let above = others.map(|(_, &p)| N::select(own.at_most(p), one, zero));
        y * N::select(N::total(above).less_than(k), zero, one) + nan(own)
    });
    N::total(errors)
}

/// The kernel.
#[inline(always)]
pub(super) fn row_outside_the_top<T: Real>(
    k: f64,
    row: &ClassRow<'_, T>,
    gradients: &mut RowGradients<'_, T>,
) -> f64 {
    if row.has_nan() {
        return gradients.nan();
    }
    gradients.fill(T::default());
    let mut value = 0.0;
    for (class, y) in row.shares() {
        let own = row.prediction[class].to_f64();
        let [above] = sums_except(row.prediction, class, |p| [if own <= p { 1.0 } else { 0.0 }]);
        if above >= k {
            value += y;
        }
    }
    value
}

impl ClassAxis for TopKError {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        outside_the_top(N::parameter("k", self.k), prediction, target)
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        row_outside_the_top(self.k, row, gradients)
    }
}
