use crate::class_axis::{ClassAxis, ClassRow, Hessian, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real, Wide, total};

loss! {
    /// The Kullback-Leibler divergence of predicted log-probabilities from the target distribution.
    KullbackLeibler: "kullback_leibler" {
        aliases: ["kl_div", "KLDivLoss", "kl_divergence", "kl_div_loss", "KLDivergence"],
        task: Multiclass,
        prediction: LogProbability "the logarithm of the probability of each class",
        target: NonNegative,
        parameters: {},
        optimum: "0 where the probabilities are those of the target. It is the negative log-likelihood less the entropy of the target, and has the same gradient. Natural logarithm.",
        limits: "Linear in the prediction: only as long as the probabilities sum to 1 is there a lowest loss; then it is 0 or more. A class with target 0 adds 0, whatever its log-probability; minus infinity for a class with a target above 0 costs infinity. A log-probability above 0 is taken as it is. Not linear in the target, so there are neither class weights nor label smoothing.",
        peers: "PyTorch's kl_div agrees with its sum over the last axis; by default it divides by the number of all elements, by that of examples only with reduction 'batchmean'. For its log_target, and for MLX's kl_div_loss, give the exponential of the target. Optax's kl_divergence agrees. Keras's kl_divergence takes probabilities instead, clipped at 1e-7. PyTorch's is NaN where a logarithm is minus infinity and the target 0, and with log_target, like Optax's kl_divergence_with_log_targets, where the target is 0; both round the target's logarithm first, so that tiny divergences come out as 0.",
        reference: "Kullback and Leibler (1951), On Information and Sufficiency, doi:10.1214/aoms/1177729694.",
        row_gradient: "-y_c",
        usual: false,
    }
}

impl ClassAxis for KullbackLeibler {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn is_linear_in_target(&self) -> bool {
        false
    }

    fn hessian(&self) -> Hessian {
        Hessian::Diagonal
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let zero = N::constant(0.0);
        let terms = prediction.iter().zip(target);
        N::total(terms.map(|(&p, &y)| N::select(y.equals(zero), zero, y * (y.ln() - p))))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        let zero = T::Wide::<I>::new(0.0);
        // The sum may be small beside its terms.
        let value = total!(T::Wide<I>, row.prediction.len(), |class| {
            let (p, y) = (row.prediction[class].to_f64(), row.share(class));
            let y = T::Wide::<I>::new(y);
            let term = y * (y.ln() - T::Wide::<I>::new(p));
            T::Wide::<I>::pick(y.value() == 0.0, zero, term)
        });
        let value = value.value() + 0.0;
        if value.is_nan() {
            return gradients.nan();
        }
        gradients.fill(T::default());
        if let Some(gradient) = gradients.gradient.as_deref_mut() {
            for (class, y) in row.shares() {
                gradient[class] = T::from_f64(0.0 - y);
            }
        }
        value
    }
}
