use crate::class_axis::{ClassAxis, ClassRow, Hessian, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// The negative log-likelihood of a class under predicted class probabilities.
    CategoricalCrossEntropy: "categorical_cross_entropy" {
        aliases: ["categorical_crossentropy", "CategoricalCrossentropy", "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"],
        task: Multiclass,
        prediction: Unit "the probability of each class",
        target: NonNegative,
        parameters: {
            label_smoothing = 0.0 in BELOW_ONE: "the share of the target that is spread evenly over all classes",
        },
        optimum: "Lowest where the prediction equals the target distribution: 0 for a class index, else the entropy of the target. Natural logarithm.",
        limits: "A class with target 0 adds 0, whatever its probability. A probability of 0 for a class with a target above 0 costs infinity, as it truly does. The probabilities are taken as they are: they are neither clipped nor made to sum to 1.",
        peers: "Keras divides the probabilities by their sum, so that its gradient is another everywhere, and moves them 1e-7 away from 0 and 1. PyTorch's nll_loss takes logarithms of probabilities instead.",
        reference: "Good (1952), Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x; label smoothing: Szegedy et al. (2016), arXiv:1512.00567.",
        row_gradient: "-y_c / p_c, with y_c the smoothed and weighted target",
        known: {
            elicits: yes = "the probabilities of the classes" "because the expected loss is the cross-entropy of the true probabilities",
        },
        usual: true,
    }
}

impl ClassAxis for CategoricalCrossEntropy {
    fn smoothing(&self) -> Option<f64> {
        Some(self.label_smoothing)
    }

    fn hessian(&self) -> Hessian {
        Hessian::Diagonal
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        -N::total(prediction.iter().zip(target).map(|(&p, &y)| y.xlogy(p)))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        if let Some(gradient) = gradients.gradient.as_deref_mut() {
            gradient.fill(T::default());
        }
        if let Some(second) = gradients.second.as_deref_mut() {
            second.fill(T::default());
        }
        let mut value = 0.0;
        for (class, y) in row.shares() {
            if y == 0.0 {
                continue;
            }
            // Makes 0 of -0, the wrong side to divide by.
            let p = row.prediction[class].to_f64() + 0.0;
            value -= y * p.ln();
            if let Some(gradient) = gradients.gradient.as_deref_mut() {
                gradient[class] = T::from_f64(-y / p);
            }
            if let Some(second) = gradients.second.as_deref_mut() {
                second[class] = T::from_f64(y / p / p);
            }
        }
        // -0 would be shown as such.
        value + 0.0
    }
}
