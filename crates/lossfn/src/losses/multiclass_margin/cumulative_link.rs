use crate::class_axis::{ClassAxis, ClassRow, Double, RowGradients};
use crate::loss;
use crate::number::{Isa, Number, Real};

loss! {
    /// The negative log-likelihood of an ordered class, where the logit of being in a class or one below is its upper threshold minus the score: ordinal regression with proportional odds.
    CumulativeLink: "cumulative_link" {
        aliases: ["ordinal_logistic", "proportional_odds", "cumulative_logit"],
        task: Multiclass,
        prediction: Real "the score, then the thresholds between the classes in increasing order: as many numbers as classes",
        target: NonNegative,
        row_form: ScoreAndThresholds,
        link: "sigmoid(t_(k + 1) - s) - sigmoid(t_k - s) is the probability of class k, with s the score, t_k the thresholds, and infinity below the first and above the last class.",
        parameters: {},
        optimum: "For a class index tends to 0 as its thresholds move away from the score on both sides. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c); lowest where the probabilities equal it, with its entropy. Natural logarithm.",
        limits: "Smooth wherever the thresholds increase, and exact in the tails. Where the two thresholds of a class are equal or cross, that class has no probability: with a target above 0 it costs infinity, with a slope that counts as 0. A row of one number, the score, is one class and costs nothing.",
        peers: "statsmodels' OrderedModel and R's polr fit the same likelihood over the whole data, with increments of the thresholds or the thresholds themselves as parameters. CORAL sums binary cross-entropies over the thresholds instead.",
        reference: "McCullagh (1980), Regression Models for Ordinal Data, doi:10.1111/j.2517-6161.1980.tb01109.x.",
        row_loss: "sum_c(y_c * -ln(sigmoid(t_(c + 1) - s) - sigmoid(t_c - s))), with s = p_0, t_k = p_k, t_0 = -inf and t_K = inf for K classes, counted from 0",
        row_gradient: "with P_c the probability of class c and v_c = sigmoid(t_c - s) * sigmoid(s - t_c): v_c * (y_c / P_c - y_(c - 1) / P_(c - 1)) by t_c, and minus the sum of these by s",
        usual: false,
    }
}

impl ClassAxis for CumulativeLink {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        let zero = N::constant(0.0);
        let score = prediction[0];
        let losses = target.iter().enumerate().map(|(class, &y)| {
            let below = (class > 0).then(|| prediction[class] - score);
            let above = prediction.get(class + 1).map(|&t| t - score);
            // sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - e^(b - a)).
            let mut loss = zero;
            if let Some(a) = above {
                loss = loss + (-a).softplus();
            }
            if let Some(b) = below {
                loss = loss + b.softplus();
            }
            if class > 0 && class + 1 < prediction.len() {
                let gap = prediction[class + 1] - prediction[class];
                loss = loss - (-(-gap).expm1()).positive_part().ln();
            }
            N::select(y.equals(zero), zero, y * loss)
        });
        N::total(losses)
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
        gradients.fill(T::default());
        let number = |at: usize| row.prediction[at].to_f64();
        let last = row.prediction.len() - 1;
        let score = number(0);
        let mut value = 0.0;
        // By the score; and by the upper threshold of the class before, which this one adds to.
        let (mut by_score, mut carried) = ([0.0; 2], (0, [0.0; 2]));
        for (class, y) in row.shares() {
            if y == 0.0 {
                continue;
            }
            let below = (class > 0).then(|| Double::sum(number(class), -score));
            let above = (class < last).then(|| Double::sum(number(class + 1), -score));
            let part = Part::of(below, above);
            value += y * part.value;
            if part.value == f64::INFINITY {
                continue;
            }
            for (total, by) in by_score.iter_mut().zip(part.by_score) {
                *total += y * by;
            }
            let mut put = |at: usize, by: [f64; 2]| {
                if let Some(gradient) = gradients.gradient.as_deref_mut() {
                    gradient[at] = T::from_f64(by[0]);
                }
                if let Some(second) = gradients.second.as_deref_mut() {
                    second[at] = T::from_f64(by[1]);
                }
            };
            if class > 0 {
                let before = if carried.0 == class { carried.1 } else { [0.0; 2] };
                put(class, [0, 1].map(|order| before[order] + y * part.by_below[order]));
            }
            if class < last {
                carried = (class + 1, part.by_above.map(|by| y * by));
                put(class + 1, carried.1);
            }
        }
        for (to, by) in [&mut gradients.gradient, &mut gradients.second].into_iter().zip(by_score) {
            if let Some(to) = to.as_deref_mut() {
                to[0] = T::from_f64(by);
            }
        }
        value
    }
}

/// The loss of a class, with the first two derivatives.
struct Part {
    value: f64,
    by_score: [f64; 2],
    by_below: [f64; 2],
    by_above: [f64; 2],
}

impl Part {
    /// Of a class whose thresholds, minus the score, are these.
    #[inline(always)]
    fn of(below: Option<Double>, above: Option<Double>) -> Self {
        let mut part =
            Self { value: 0.0, by_score: [0.0; 2], by_below: [0.0; 2], by_above: [0.0; 2] };
        if let Some(a) = above {
            let (p, q) = (sigmoid(a), sigmoid(a.negated()));
            part.value += softplus(a.negated());
            part.by_above = [-q, p * q];
            part.by_score = [q, p * q];
        }
        if let Some(b) = below {
            let (p, q) = (sigmoid(b), sigmoid(b.negated()));
            part.value += softplus(b);
            part.by_below = [p, p * q];
            part.by_score = [part.by_score[0] - p, part.by_score[1] + p * q];
        }
        if let (Some(a), Some(b)) = (above, below) {
            let Double { high: gap, low } = a.plus(b.negated());
            if gap <= 0.0 {
                part.value = f64::INFINITY;
                return part;
            }
            // 1 / (e^gap - 1), without overflow, and -ln(1 - e^-gap), whose slope is minus that.
            let odds = (-gap).exp() / -(-gap).exp_m1();
            let log = if gap > 0.5 { (-(-gap).exp()).ln_1p() } else { (-(-gap).exp_m1()).ln() };
            part.value -= log + odds * low;
            let odds = odds - odds * (1.0 + odds) * low;
            let bend = odds * (1.0 + odds);
            part.by_above = [part.by_above[0] - odds, part.by_above[1] + bend];
            part.by_below = [part.by_below[0] + odds, part.by_below[1] + bend];
            // sigmoid(-a) - sigmoid(b), without the cancellation.
            let sum = a.plus(b).rounded();
            part.by_score[0] = if sum <= 0.0 {
                -sigmoid(a.negated()) * sigmoid(b.negated()) * sum.exp_m1()
            } else {
                sigmoid(a) * sigmoid(b) * (-sum).exp_m1()
            };
        }
        part
    }
}

#[inline(always)]
fn sigmoid(x: Double) -> f64 {
    let (p, q) = (Number::sigmoid(x.high), Number::sigmoid(-x.high));
    p + p * q * x.low
}

#[inline(always)]
fn softplus(x: Double) -> f64 {
    Number::softplus(x.high) + Number::sigmoid(x.high) * x.low
}
