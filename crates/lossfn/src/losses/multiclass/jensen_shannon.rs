use crate::class_axis::{ClassAxis, ClassRow, Hessian, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real, Wide, total};

loss! {
    /// The generalised Jensen-Shannon divergence of predicted probabilities and the target distribution.
    JensenShannon: "jensen_shannon" {
        aliases: [],
        task: Multiclass,
        prediction: Unit "the probability of each class",
        target: NonNegative,
        parameters: {
            beta = 0.5 in OPEN_UNIT: "the share of the target in the mixture m = beta * y + (1 - beta) * p, and what the target's divergence from it is multiplied by; that of the prediction by 1 - beta",
        },
        optimum: "0 where the prediction equals the target, and only there. 0.5 is the Jensen-Shannon divergence itself. Natural logarithm.",
        limits: "Never negative, also where probabilities do not sum to 1. At most ln 2 for beta = 0.5 and probabilities that do. Finite where a class with a target has probability 0, but for its slope, which is minus infinity there. Divided by beta it tends to the Kullback-Leibler divergence of the prediction from the target as beta tends to 0, divided by 1 - beta to the reverse one as beta tends to 1. Exact where prediction and target nearly agree. Not linear in the target, so there are neither class weights nor label smoothing.",
        peers: "SciPy's jensenshannon is its square root. TRL's generalised knowledge distillation has the same beta, takes scores, and makes 0 and 1 of it the divergences of the limits.",
        reference: "Lin (1991), Divergence Measures Based on the Shannon Entropy, doi:10.1109/18.61115; the generalised one: Agarwal et al. (2024), On-Policy Distillation of Language Models, arXiv:2306.13649.",
        row_gradient: "(1 - beta) * ln(p_c / m_c), with m_c = beta * y_c + (1 - beta) * p_c",
        usual: false,
    }
}

impl ClassAxis for JensenShannon {
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
        let beta = N::parameter("beta", self.beta);
        let rest = N::derived(1.0 - self.beta, || N::constant(1.0) - beta);
        let terms = prediction.iter().zip(target);
        N::total(terms.map(|(&p, &y)| {
            let m = beta * y + rest * p;
            beta * y.xlogy(y / m) + rest * p.xlogy(p / m)
        }))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        let mixture = Mixture::<T::Wide<I>>::new(self.beta);
        let of = |class: usize| (row.prediction[class].to_f64(), row.share(class));
        let value = total!(T::Wide<I>, row.prediction.len(), |class| mixture.value(of(class)));
        let value = value.value() + 0.0;
        if value.is_nan() {
            return gradients.nan();
        }
        if let Some(gradient) = gradients.gradient.as_deref_mut() {
            for (class, gradient) in gradient.iter_mut().enumerate() {
                *gradient = T::from_f64(mixture.slope(of(class)).value());
            }
        }
        if let Some(second) = gradients.second.as_deref_mut() {
            for (class, second) in second.iter_mut().enumerate() {
                *second = T::from_f64(mixture.bend(of(class)).value());
            }
        }
        value
    }
}

/// The mixture of prediction and target, and what a class adds to the loss.
#[derive(Clone, Copy)]
struct Mixture<W> {
    of_target: W,
    of_prediction: W,
}

impl<W: Wide> Mixture<W> {
    #[inline(always)]
    fn new(beta: f64) -> Self {
        Self { of_target: W::new(beta), of_prediction: W::new(1.0) - W::new(beta) }
    }

    /// The numbers and their mixture, lifted where they are so small that products would be lost.
    #[inline(always)]
    fn lifted(self, (p, y): (f64, f64)) -> (W, W, W, f64) {
        const TINY: f64 = 1e-150;
        const LIFT: f64 = f64::from_bits((1023 + 512) << 52);
        let lift = if p < TINY && y < TINY { LIFT } else { 1.0 };
        // Makes 0 of -0, the wrong side to divide by.
        let (p, y) = (W::new(p * lift + 0.0), W::new(y * lift));
        (p, y, self.of_target * y + self.of_prediction * p, 1.0 / lift)
    }

    /// Both divergences from the mixture, each with what it lacks of the mixture added, so that no
    /// class adds less than 0 and what cancels in the sum is never there.
    #[inline(always)]
    fn value(self, both: (f64, f64)) -> W {
        let (p, y, m, back) = self.lifted(both);
        let of_target = divergence(y, m, self.of_prediction * (y - p));
        let of_prediction = divergence(p, m, self.of_target * (p - y));
        (self.of_target * of_target + self.of_prediction * of_prediction) * W::new(back)
    }

    #[inline(always)]
    fn slope(self, both: (f64, f64)) -> W {
        let (p, y, m, _) = self.lifted(both);
        let off = self.of_target * (p - y) / m;
        let log = W::pick(off.value() < -0.5, (p / m).ln(), off.ln1p());
        // Also where both are 0.
        let alone = -self.of_prediction.ln();
        self.of_prediction * W::pick(y.value() == 0.0, alone, log)
    }

    #[inline(always)]
    fn bend(self, both: (f64, f64)) -> W {
        let (p, y, m, back) = self.lifted(both);
        let ratio = self.of_prediction * self.of_target * (y / m) / p;
        W::pick(y.value() == 0.0, W::new(0.0), ratio) / W::new(back)
    }
}

/// x ln(x / m) - x + m, where `off` is x - m.
#[inline(always)]
fn divergence<W: Wide>(x: W, m: W, off: W) -> W {
    let part = off / m;
    // z²/2 - z³/6 + z⁴/12 - ...
    let mut series = W::new(0.0);
    let mut power = 18.0;
    while power >= 2.0 {
        series = W::new(1.0 / (power * (power - 1.0))) - series * part;
        power -= 1.0;
    }
    let near = series * part * off;
    let far = x * (x / m).ln() - off;
    let result = W::pick(part.value().abs() < 0.0625, near, far);
    W::pick(x.value() == 0.0, m, result)
}
