use crate::class_axis::{ClassAxis, ClassRow, Hessian, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// The negative log-likelihood of a class under predicted log-probabilities.
    NegativeLogLikelihood: "negative_log_likelihood" {
        aliases: ["nll_loss", "NLLLoss"],
        task: Multiclass,
        prediction: LogProbability "the logarithm of the probability of each class",
        target: NonNegative,
        parameters: {
            label_smoothing = 0.0 in BELOW_ONE: "the share of the target that is spread evenly over all classes",
        },
        optimum: "0 for a class index whose log-probability is 0, and for a distribution its entropy, where the probabilities are those of the distribution.",
        limits: "Linear in the prediction: only as long as the probabilities sum to 1 is there a lowest loss. A log-probability above 0 makes the loss negative; nothing is clipped or normalised. A class with target 0 adds 0, whatever its log-probability; minus infinity for a class with a target above 0 costs infinity.",
        peers: "PyTorch's nll_loss and MLX's agree. PyTorch's has no label smoothing.",
        reference: "Good (1952), Rational Decisions, doi:10.1111/j.2517-6161.1952.tb00104.x; label smoothing: Szegedy et al. (2016), arXiv:1512.00567.",
        row_gradient: "-y_c, the smoothed and weighted target",
        usual: false,
    }
}

impl ClassAxis for NegativeLogLikelihood {
    fn smoothing(&self) -> Option<f64> {
        Some(self.label_smoothing)
    }

    fn hessian(&self) -> Hessian {
        Hessian::Diagonal
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let zero = N::constant(0.0);
        let terms = prediction.iter().zip(target);
        -N::total(terms.map(|(&p, &y)| N::select(y.equals(zero), zero, y * p)))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        gradients.fill(T::default());
        let mut value = 0.0;
        for (class, y) in row.shares() {
            if y != 0.0 {
                value -= y * row.prediction[class].to_f64();
                if let Some(gradient) = gradients.gradient.as_deref_mut() {
                    gradient[class] = T::from_f64(-y);
                }
            }
        }
        if value.is_nan() {
            return gradients.nan();
        }
        // -0 would be shown as such.
        value + 0.0
    }
}
