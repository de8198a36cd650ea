use crate::class_axis::{ClassAxis, ClassRow, RowGradients, sum};
use crate::loss;
use crate::number::{Isa, Lane, Number, Real};

loss! {
    /// The mean over the classes of the negative log-likelihood of whether each is in a set, under the probability sigmoid(prediction).
    MultilabelSoftMargin: "multilabel_soft_margin" {
        aliases: ["MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss"],
        task: Multiclass,
        prediction: Real "a logit of each class: the logarithm of its odds to be in the set",
        target: Unit,
        link: "sigmoid(prediction) is the probability of each class, which need not sum to 1.",
        parameters: {},
        optimum: "For a set of classes tends to 0 as their scores grow and those of the others fall; for probabilities lowest where sigmoid(prediction) equals them. ln(2) for scores of 0. Natural logarithm.",
        limits: "The target is a set, 1 for its classes and 0 for the others, or a probability for each class. A class index is the set of that class. Smooth everywhere and exact in the tails. The loss is not linear in the target, since a class outside the set has a loss as well.",
        peers: "PyTorch's multilabel_soft_margin_loss agrees; it also takes a weight for each class, which this loss does not: take binary_cross_entropy_with_logits of each class, of which it is the mean, with weights.",
        reference: "Cox (1958), The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x; the mean over classes as in PyTorch.",
        row_loss: "sum_c(y_c * softplus(-p_c) + (1 - y_c) * softplus(p_c)) / K, with K the number of classes",
        row_gradient: "((1 - y_c) * sigmoid(p_c) - y_c * sigmoid(-p_c)) / K",
        usual: false,
    }
}

/// x y, and 0 where x is 0.
#[inline(always)]
fn weighted<N: Number>(x: N, y: N) -> N {
    let zero = N::constant(0.0);
    N::select(x.equals(zero), zero, x * y)
}

impl ClassAxis for MultilabelSoftMargin {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn is_linear_in_target(&self) -> bool {
        false
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let each = prediction
            .iter()
            .zip(target)
            .map(|(&p, &y)| weighted(y, (-p).softplus()) + weighted(-y + 1.0, p.softplus()));
        N::total(each) / prediction.len() as f64
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        let classes = row.prediction.len();
        let share = |class: usize| Lane::<T, I>::new(T::from_f64(row.share(class)));
        let one = Lane::<T, I>::constant(1.0);
        scratch.resize(row.prediction.len(), T::default());
        for (class, (to, &p)) in scratch.iter_mut().zip(row.prediction).enumerate() {
            let (p, y) = (Lane::<T, I>::new(p), share(class));
            *to = (weighted(y, (-p).softplus()) + weighted(one - y, p.softplus())).0;
        }
        if let Some(gradient) = gradients.gradient.as_deref_mut() {
            for (class, (to, &p)) in gradient.iter_mut().zip(row.prediction).enumerate() {
                let (p, y) = (Lane::<T, I>::new(p), share(class));
                *to = (((one - y) * p.sigmoid() - y * (-p).sigmoid()) / classes as f64).0;
            }
        }
        if let Some(second) = gradients.second.as_deref_mut() {
            for (class, (to, &p)) in second.iter_mut().zip(row.prediction).enumerate() {
                let (p, y) = (Lane::<T, I>::new(p), share(class));
                let bend = p.sigmoid() * (-p).sigmoid() / classes as f64;
                // Where the target is NaN, so is this.
                *to = Lane::select(y.equals(y), bend, y).0;
            }
        }
        let value = sum(scratch) / classes as f64;
        if value.is_nan() {
            return gradients.nan();
        }
        value
    }
}
