use crate::class_axis::{
    ClassAxis, ClassRow, Double, RowGradients, maximum, maximum_except, positive_or_zero,
};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// How far the score of a class falls short of being 1 above the best of the others.
    CrammerSingerHinge: "crammer_singer_hinge" {
        aliases: ["multiclass_hinge", "multiclass_hinge_loss", "categorical_hinge", "CategoricalHinge"],
        task: Multiclass,
        prediction: Real "a raw score of each class",
        target: NonNegative,
        parameters: {},
        optimum: "0 for a class index wherever its score is at least 1 above every other. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c), which is above 0 as soon as two classes have a share.",
        limits: "Where the shortfall is 0 or less the slope is 0, the kink included. Of several best other classes the first has the slope. The second derivative is 0. A row of one class costs nothing.",
        peers: "Optax's multiclass_hinge_loss is the same but for ties, where the best other classes share the slope, and for rounding: it adds 1 to all scores and takes it off again, so that a loss of 0 may come out as -2e-7 in f32. Keras's CategoricalHinge takes the class as a row of 0 and 1 and multiplies its score by 0 before it takes the maximum over all, so that the best other score counts as 0 where it is negative. Weston and Watkins sum over the other classes instead: weston_watkins_hinge.",
        reference: "Crammer and Singer (2001), On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines, Journal of Machine Learning Research 2:265-292.",
        curvature: One,
        row_loss: "sum_c(y_c * max(0, 1 + max_{j != c}(p_j) - p_c))",
        row_gradient: "for each class c whose shortfall is above 0: y_c at the best other class, -y_c at c",
        usual: false,
    }
}

/// The definition for a margin: the expected shortfall against the best of the other classes.
pub(super) fn against_the_best<N: Number>(margin: f64, prediction: &[N], target: &[N]) -> N {
    N::total(prediction.iter().zip(target).enumerate().map(|(class, (&own, &y))| {
        let others = prediction.iter().enumerate().filter(|(other, _)| *other != class);
        let worst = N::largest(others.map(|(_, &p)| p - own + margin));
        y * (if prediction.len() > 1 { worst } else { own * 0.0 }).positive_part()
    }))
}

/// margin - (own - other), rounded once.
#[inline(always)]
pub(super) fn shortfall(margin: f64, own: f64, other: f64) -> f64 {
    let lead = Double::sum(own, -other);
    let short = Double::sum(margin, -lead.high);
    short.high + (short.low - lead.low)
}

/// The kernel for a margin.
#[inline(always)]
pub(super) fn row_against_the_best<T: Real>(
    margin: f64,
    row: &ClassRow<'_, T>,
    gradients: &mut RowGradients<'_, T>,
) -> f64 {
    if row.has_nan() {
        return gradients.nan();
    }
    gradients.fill(T::default());
    let (_, top) = maximum(row.prediction);
    let Some(runner_up) = maximum_except(row.prediction, top) else { return 0.0 };
    let score = |class: usize| row.prediction[class].to_f64();
    let (top_score, runner_up_score) = (score(top), score(runner_up));
    let (mut value, mut to_top, mut to_runner_up) = (0.0, 0.0, 0.0);
    for (class, y) in row.shares() {
        let rival = if class == top { runner_up_score } else { top_score };
        let short = shortfall(margin, score(class), rival);
        if y == 0.0 || short <= 0.0 {
            continue;
        }
        value += y * positive_or_zero(short);
        if class == top {
            to_top -= y;
            to_runner_up += y;
        } else {
            to_top += y;
            if class == runner_up {
                to_runner_up -= y;
            } else if let Some(gradient) = gradients.gradient.as_deref_mut() {
                gradient[class] = T::from_f64(-y);
            }
        }
    }
    if let Some(gradient) = gradients.gradient.as_deref_mut() {
        gradient[top] = T::from_f64(to_top);
        gradient[runner_up] = T::from_f64(to_runner_up);
    }
    value
}

impl ClassAxis for CrammerSingerHinge {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        against_the_best(1.0, prediction, target)
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        row_against_the_best(1.0, row, gradients)
    }
}
