use super::crammer_singer_hinge::shortfall;
use crate::class_axis::{ClassAxis, ClassRow, RowGradients, positive_or_zero, sums_except};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// How far the score of a class falls short of being a margin above each of the others, or the square of that, summed over them and divided by the number of classes.
    MultiMargin: "multi_margin" {
        aliases: ["MultiMarginLoss", "multi_margin_loss"],
        task: Multiclass,
        prediction: Real "a raw score of each class",
        target: NonNegative,
        parameters: {
            power = 1.0 in ONE_OR_TWO: "1 for the shortfall itself, 2 for its square",
            margin = 1.0 in NON_NEGATIVE: "the lead over every other class that costs nothing",
        },
        optimum: "0 for a class index wherever its score is at least the margin above every other. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c).",
        limits: "A pair of classes has slope 0 from a lead of the margin on, the kink included. The second derivative is 0 for power 1; for power 2 it is 2 for each pair short of the margin, divided by the number of classes, and drops to 0 at the margin itself. A row of one class costs nothing.",
        peers: "PyTorch's multi_margin_loss is the same, where the power is called p; its weight of a class is a class weight here. The sum is divided by the number of classes, the true one included, as there. Without the division and with power 1 and margin 1 it is weston_watkins_hinge.",
        reference: "Weston and Watkins (1999), Support Vector Machines for Multi-Class Pattern Recognition, European Symposium on Artificial Neural Networks; the mean and the square as in PyTorch.",
        row_loss: "sum_c(y_c * sum_{j != c}(max(0, margin + p_j - p_c)^power)) / K, with K the number of classes",
        row_gradient: "for each pair of classes j != c with s = margin + p_j - p_c > 0: y_c * power * s^(power - 1) / K at j, and minus that at c",
        usual: false,
    }
}

/// The definition without the division: the expected sum of the shortfalls against the others.
pub(super) fn against_each<N: Number>(
    margin: N,
    squared: bool,
    prediction: &[N],
    target: &[N],
) -> N {
    N::total(prediction.iter().zip(target).enumerate().map(|(class, (&own, &y))| {
        let others = prediction.iter().enumerate().filter(|(other, _)| *other != class);
        y * N::total(others.map(|(_, &p)| {
            let short = (margin + (p - own)).positive_part();
            if squared { short.square() } else { short }
        }))
    }))
}

/// The kernel, with a factor.
#[inline(always)]
pub(super) fn row_against_each<T: Real>(
    margin: f64,
    squared: bool,
    factor: f64,
    row: &ClassRow<'_, T>,
    gradients: &mut RowGradients<'_, T>,
) -> f64 {
    if row.has_nan() {
        return gradients.nan();
    }
    // Loss, slope and second derivative of a pair.
    let pair = move |own: f64, other: f64| {
        let short = positive_or_zero(shortfall(margin, own, other));
        let active = if short > 0.0 { 1.0 } else { 0.0 };
        if squared { [short * short, 2.0 * short, 2.0 * active] } else { [short, active, 0.0] }
    };
    let score = |class: usize| row.prediction[class].to_f64();
    let all = |class: usize| {
        let own = score(class);
        sums_except(row.prediction, class, |other| pair(own, other))
    };
    let mut value = 0.0;
    for (class, y) in row.shares() {
        if y != 0.0 {
            value += y * all(class)[0];
        }
    }
    let only = row.only_class();
    for (order, sign) in [(1, -1.0), (2, 1.0)] {
        let to = if order == 1 { &mut gradients.gradient } else { &mut gradients.second };
        let Some(to) = to.as_deref_mut() else { continue };
        if let Some((class, y)) = only {
            let (own, scale) = (score(class), y * factor);
            for (to, &other) in to.iter_mut().zip(row.prediction) {
                *to = T::from_f64(scale * pair(own, other.to_f64())[order]);
            }
            to[class] = T::from_f64(sign * scale * all(class)[order]);
            continue;
        }
        for (other, to) in to.iter_mut().enumerate() {
            let mut total = 0.0;
            for (class, y) in row.shares() {
                if y != 0.0 {
                    total += y * if class == other {
                        sign * all(class)[order]
                    } else {
                        pair(score(class), score(other))[order]
                    };
                }
            }
            *to = T::from_f64(factor * total);
        }
    }
    factor * value
}

impl ClassAxis for MultiMargin {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let margin = N::parameter("margin", self.margin);
        against_each(margin, self.power == 2.0, prediction, target) / prediction.len() as f64
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        let classes = row.prediction.len() as f64;
        row_against_each(self.margin, self.power == 2.0, 1.0 / classes, row, gradients)
    }
}
