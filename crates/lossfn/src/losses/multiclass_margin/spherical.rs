use crate::class_axis::{ClassAxis, ClassRow, RowGradients, maximum, sums_except};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// 1 minus the spherical score: the probability of the class divided by the length of the vector of all.
    Spherical: "spherical" {
        aliases: ["spherical_score"],
        task: Multiclass,
        prediction: Unit "the probability of each class",
        target: NonNegative,
        parameters: {},
        optimum: "0 for a class index where every other class has probability 0; at most 1. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c), which is lowest where the prediction is proportional to it.",
        limits: "Only the ratios of the probabilities count. Where all are 0 the score counts as 0, so that the loss is the sum of the target, with slope 0. For a class that is not the true one the second derivative changes its sign where 3 * p_c^2 is the sum of the squares; near there it has few digits.",
        peers: "The spherical score is often given as a gain, p_y / |p|, which is 1 minus this loss.",
        reference: "Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation, doi:10.1198/016214506000001437.",
        row_loss: "sum_c(y_c * (1 - p_c / |p|)), with |p| = sqrt(sum_j(p_j^2))",
        row_gradient: "(sum_j(y_j * p_j) * p_c / |p|^2 - y_c) / |p|",
        usual: false,
    }
}

impl ClassAxis for Spherical {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let zero = N::constant(0.0);
        let square = N::total(prediction.iter().map(|&p| p.square()));
        let length = square.sqrt();
        let loss = |p: N| -N::select(square.equals(zero), zero, p / length) + 1.0;
        N::total(prediction.iter().zip(target).map(|(&p, &y)| y * loss(p)))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        if row.has_nan() {
            return gradients.nan();
        }
        let (highest, top) = maximum(row.prediction);
        let highest = highest.to_f64();
        // Powers of what is scaled so, by a power of two, do not underflow where they count.
        let exponent = if highest > 0.0 { highest.log2().floor().max(-1000.0) } else { 0.0 };
        let scale = 2f64.powi(-exponent as i32);
        let number = |class: usize| row.prediction[class].to_f64() * scale;
        let [rest] = sums_except(row.prediction, top, |p| [p * scale * (p * scale)]);
        let square = rest + number(top) * number(top);
        let length = square.sqrt();
        // The sum of the squares of all but one, for the largest without cancellation.
        let others = |class: usize| {
            let own = number(class);
            if class == top { rest } else { square - own * own }
        };
        let (mut value, mut at_top, mut elsewhere) = (0.0, 0.0, 0.0);
        for (class, y) in row.shares() {
            let p = number(class);
            // 1 - p / length without the cancellation.
            let loss = if square == 0.0 { 1.0 } else { others(class) / (length * (length + p)) };
            value += y * loss;
            *(if class == top { &mut at_top } else { &mut elsewhere }) += y * p;
        }
        if square == 0.0 {
            gradients.fill(T::default());
            return value;
        }
        // What the target has of the other classes, times their probabilities.
        let drawn = |class: usize, own: f64| {
            if class == top { elsewhere } else { at_top + (elsewhere - own) }
        };
        if let Some(gradient) = gradients.gradient.as_deref_mut() {
            let divisor = length * square;
            for (class, gradient) in gradient.iter_mut().enumerate() {
                let (p, y) = (number(class), row.share(class));
                let slope = drawn(class, y * p) * p - y * others(class);
                *gradient = T::from_f64(slope / divisor * scale);
            }
        }
        if let Some(second) = gradients.second.as_deref_mut() {
            let divisor = length * square * square;
            for (class, second) in second.iter_mut().enumerate() {
                let (p, y, others) = (number(class), row.share(class), others(class));
                let bend = 3.0 * y * p * others + drawn(class, y * p) * (others - 2.0 * p * p);
                *second = T::from_f64(bend / divisor * scale * scale);
            }
        }
        value
    }
}
