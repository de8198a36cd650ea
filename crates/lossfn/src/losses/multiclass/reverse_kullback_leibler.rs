use crate::class_axis::{ClassAxis, ClassRow, Hessian, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real, Wide, total};

loss! {
    /// The Kullback-Leibler divergence of the target distribution from predicted log-probabilities.
    ReverseKullbackLeibler: "reverse_kullback_leibler" {
        aliases: ["reverse_kl"],
        task: Multiclass,
        prediction: LogProbability "the logarithm of the probability of each class",
        target: NonNegative,
        parameters: {},
        optimum: "0 where the probabilities are those of the target. Where they cannot be, it prefers to cover one mode of the target well to covering all of them. Natural logarithm.",
        limits: "A class with target 0 costs infinity unless its log-probability is minus infinity, so a class index, or any target without some class, is of little use. A class with log-probability minus infinity adds 0. As long as the probabilities sum to 1 the loss is 0 or more. Not linear in the target, so there are neither class weights nor label smoothing.",
        peers: "PyTorch has it as kl_div with prediction and target exchanged, where the target is then given as its logarithm.",
        reference: "Kullback and Leibler (1951), On Information and Sufficiency, doi:10.1214/aoms/1177729694; for distillation: Gu et al. (2024), MiniLLM, arXiv:2306.08543.",
        row_gradient: "exp(p_c) * (p_c - ln(y_c) + 1)",
        usual: false,
    }
}

impl ClassAxis for ReverseKullbackLeibler {
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
        let terms = prediction.iter().zip(target);
        N::total(terms.map(|(&p, &y)| p.exp() * (p - y.ln())))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        // The sum may be small beside its terms, and so may a slope.
        let classes = row.prediction.len();
        let value = total!(T::Wide<I>, classes, |class| terms::<T, T::Wide<I>>(row, class)[0]);
        let value = value.value() + 0.0;
        if value.is_nan() {
            return gradients.nan();
        }
        for class in 0..row.prediction.len() {
            let [_, first, twice] = terms::<T, T::Wide<I>>(row, class);
            if let Some(gradient) = gradients.gradient.as_deref_mut() {
                gradient[class] = T::from_f64(first.value());
            }
            if let Some(second) = gradients.second.as_deref_mut() {
                second[class] = T::from_f64(twice.value());
            }
        }
        value
    }
}

/// What a class adds to the loss, with its derivatives.
#[inline(always)]
fn terms<T: Real, W: Wide>(row: &ClassRow<'_, T>, class: usize) -> [W; 3] {
    let (p, y) = (row.prediction[class].to_f64(), row.share(class));
    let (zero, one, infinite) = (W::new(0.0), W::new(1.0), W::new(f64::INFINITY));
    let e = W::new(p).exp();
    let log_ratio = W::new(p) - W::new(y).ln();
    let factors = [log_ratio, log_ratio + one, log_ratio + W::new(2.0)];
    factors.map(|factor| {
        // However small e is, it is not 0.
        let term = W::pick(factor.value() == f64::INFINITY, infinite, e * factor);
        W::pick(p == f64::NEG_INFINITY, zero, term)
    })
}
