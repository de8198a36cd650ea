use crate::class_axis::{ClassAxis, ClassRow, Double, RowGradients, maximum, sums_except};
use crate::loss;
use crate::losses::multiclass::SoftmaxCrossEntropy;
use crate::number::{Isa, Number, Real};

loss! {
    /// The Fenchel-Young loss of the Tsallis entropies: between softmax cross-entropy and sparsemax.
    FenchelYoung: "fenchel_young" {
        aliases: ["entmax", "entmax15_loss", "Entmax15Loss", "entmax_bisect_loss", "EntmaxBisectLoss", "make_fenchel_young_loss"],
        task: Multiclass,
        prediction: Real "a raw score of each class",
        target: NonNegative,
        link: "entmax(prediction)_c = max(0, (alpha - 1) * p_c - t)^(1 / (alpha - 1)) are the probabilities of the classes, with t such that they sum to 1; for alpha = 1 softmax(prediction).",
        parameters: {
            alpha = 1.5 in ONE_TO_TWO: "which entropy: 1 is Shannon's and softmax, 2 is Gini's and sparsemax",
        },
        optimum: "0 for a class index wherever its score is at least 1 / (alpha - 1) above every other; for alpha = 1 the loss tends to 0. For a distribution the loss is the expected one of a class drawn from it, sum(y_c * loss of class c); lowest, at the Tsallis entropy of the distribution, where entmax(prediction) equals it.",
        limits: "Differentiable everywhere. For alpha = 1 it is softmax_cross_entropy. Else classes far below the best have probability 0 exactly; where a class enters those with a probability, the second derivative jumps for alpha = 2 and for smaller alpha is continuous, with infinite slope above 1.5. A probability that is barely above 0 has fewer digits than others, but for alpha = 1.5 and 2.",
        peers: "Optax's make_fenchel_young_loss leaves out the term of the target as here: it is constant, and would make the least loss of a distribution 0. The entmax package's losses take class indices, for which that term is 0, and agree.",
        reference: "Blondel, Martins and Niculae (2020), Learning with Fenchel-Young Losses, arXiv:1901.02324; entmax: Peters, Niculae and Martins (2019), Sparse Sequence-to-Sequence Models, arXiv:1905.05702.",
        row_loss: "sum_c(y_c * (sum_j(q_j * p_j) - p_c + (1 - sum_j(q_j^alpha)) / (alpha * (alpha - 1)))), with q = entmax(p)",
        row_gradient: "sum(y) * entmax(p)_c - y_c",
        usual: false,
    }
}

impl FenchelYoung {
    /// x^exponent for x above 0, and 0 below.
    fn power<N: Number>(x: N, exponent: N, plain: f64) -> N {
        let zero = N::constant(0.0);
        let power = match plain {
            1.0 => x,
            2.0 => x.square(),
            _ => (x.ln() * exponent).exp(),
        };
        N::select(zero.less_than(x), power, zero)
    }
}

impl ClassAxis for FenchelYoung {
    fn smoothing(&self) -> Option<f64> {
        None
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        if self.alpha == 1.0 {
            return SoftmaxCrossEntropy::default().loss(prediction, target);
        }
        let alpha = N::parameter("alpha", self.alpha);
        let beta = N::derived(self.alpha - 1.0, || alpha - 1.0);
        let plain = 1.0 / (self.alpha - 1.0);
        let exponent = N::derived(plain, || N::constant(1.0) / beta);
        let power = |x: N| Self::power(x, exponent, plain);
        let scores: Vec<N> = prediction.iter().map(|&p| p * beta).collect();
        // Newton's method for the threshold, upon the norm of max(0, score - t), which is convex in t
        // and nearly a line: from below it only rises, and each step doubles the digits.
        let mut threshold = N::largest(scores.iter().copied()) - 1.0;
        let zero = N::constant(0.0);
        for _ in 0..13 {
            let powers: Vec<N> = scores.iter().map(|&z| power(z - threshold)).collect();
            let total = N::total(powers.iter().copied());
            let slope = N::total(powers.iter().zip(&scores).map(|(&q, &z)| {
                let u = z - threshold;
                N::select(zero.less_than(u), q / u, zero)
            }));
            let aim = match plain {
                1.0 => N::constant(1.0),
                2.0 => total.sqrt(),
                _ => (total.ln() * (N::constant(1.0) - beta)).exp(),
            };
            threshold = threshold + (total - aim) / slope;
        }
        // sum(q * p) - p_c and the entropy of q, by the threshold: q * p is q * (score) / beta, and
        // the q sum to 1. So the threshold's last digits, and those of its derivatives, make no
        // difference, and what is nothing is exactly that.
        let powers = scores.iter().map(|&z| power(z - threshold) * (z - threshold));
        let spread = (N::total(powers) - 1.0) / alpha;
        let losses = scores
            .iter()
            .zip(target)
            .map(|(&z, &y)| y * (spread + (-(z - threshold) + 1.0) / beta));
        N::total(losses)
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        match self.alpha {
            1.0 => SoftmaxCrossEntropy::default().row::<T, I>(row, scratch, gradients),
            1.5 => row_of_tsallis::<T, 2>(1.5, row, gradients),
            2.0 => row_of_tsallis::<T, 1>(2.0, row, gradients),
            alpha => row_of_tsallis::<T, 0>(alpha, row, gradients),
        }
    }
}

/// The probabilities of a row, as functions of u = 1 + beta (p - highest - shift): q = u^(1 / beta).
/// The power is a constant where it is 1 or 2; 0 stands for any other.
struct Tsallis<const POWER: u8> {
    beta: f64,
    highest: f64,
    shift: Double,
}

impl<const POWER: u8> Tsallis<POWER> {
    /// (1 + x)^(1 / beta), and that divided by 1 + x; 0 where x is -1 or below.
    #[inline(always)]
    fn powers(&self, x: f64) -> [f64; 2] {
        let u = 1.0 + x;
        let [power, root_power] = match POWER {
            1 => [u, 1.0],
            2 => [u * u, u],
            _ => {
                let power = (x.ln_1p() / self.beta).exp();
                [power, power / u]
            }
        };
        if u > 0.0 { [power, root_power] } else { [0.0, 0.0] }
    }

    /// (1 + x)^(1 / beta) - 1.
    #[inline(always)]
    fn power_minus_1(&self, x: f64) -> f64 {
        match POWER {
            1 => x,
            2 => x * (2.0 + x),
            _ => (x.ln_1p() / self.beta).exp_m1(),
        }
    }

    /// (1 - e)^(1 + 1 / beta) - 1 + (1 + 1 / beta) e, which is about e² for small e.
    #[inline(always)]
    fn tail(&self, e: f64) -> f64 {
        match POWER {
            1 => e * e,
            2 => e * e * (3.0 - e),
            _ => {
                let power = 1.0 + 1.0 / self.beta;
                if power * e >= 1.0 {
                    // The last is exactly 1 / beta for e = 1.
                    return (power * (-e).ln_1p()).exp_m1() + power * e;
                }
                let (mut term, mut total) = (power * (power - 1.0) / 2.0 * e * e, 0.0);
                for k in 2..100 {
                    if total + term == total {
                        break;
                    }
                    total += term;
                    term *= (f64::from(k) - power) / f64::from(k + 1) * e;
                }
                total
            }
        }
    }

    /// u - 1 of a score, with twice the digits.
    #[inline(always)]
    fn offset(&self, p: f64) -> Double {
        let x = Double::sum(p, -self.highest).plus(self.shift.negated());
        // Multiplied exactly where beta is 1 or 1/2, and where it is not there is no low part.
        Double { high: x.high * self.beta, low: x.low * self.beta }
    }

    /// u of a score; 0 or less where it has no probability.
    #[inline(always)]
    fn base(&self, p: f64) -> f64 {
        self.offset(p).plus(Double { high: 1.0, low: 0.0 }).rounded()
    }

    /// q, q / u and q u of a score.
    #[inline(always)]
    fn share(&self, p: f64) -> [f64; 3] {
        let u = self.base(p);
        let [power, root_power] = match POWER {
            1 => [u, 1.0],
            2 => [u * u, u],
            _ => self.powers(self.offset(p).rounded()),
        };
        if u > 0.0 { [power, root_power, power * u] } else { [0.0; 3] }
    }

    /// The shift with which the probabilities sum to 1.
    #[inline(always)]
    fn solve<T: Real>(&mut self, scores: &[T], top: usize) {
        let (beta, highest) = (self.beta, self.highest);
        let mut shift = 0.0;
        // Newton's method from below; see the definition of the loss.
        for _ in 0..100 {
            let powers = |p: f64| self.powers(beta * ((p - highest) - shift));
            let [rest, slope] = sums_except(scores, top, powers);
            let [_, top_slope] = self.powers(-beta * shift);
            // What the probabilities sum to, minus 1: that of the top class is left out of the sum,
            // so that a tiny rest keeps its digits.
            let off = self.power_minus_1(-beta * shift) + rest;
            let log = off.ln_1p();
            let step = (beta * log).exp_m1() / beta * ((1.0 - beta) * log).exp();
            let next = shift + step / (slope + top_slope);
            if off <= 0.0 || next <= shift || next.is_nan() {
                break;
            }
            shift = next;
        }
        self.shift.high = shift;
        if POWER == 0 {
            return;
        }
        // One more step, with twice the digits.
        let power = |u: Double| {
            if POWER == 1 {
                return u;
            }
            let square = Double::product(u.high, u.high);
            Double::sum(square.high, square.low + 2.0 * u.high * u.low)
        };
        let (one, x) = (Double { high: 1.0, low: 0.0 }, -beta * shift);
        let mut slope = self.powers(x)[1];
        let mut off = match POWER {
            1 => Double { high: x, low: 0.0 },
            _ => Double::product(x, x).plus(Double { high: 2.0 * x, low: 0.0 }),
        };
        for (class, p) in scores.iter().enumerate() {
            let u = self.offset(p.to_f64()).plus(one);
            if u.high > 0.0 && class != top {
                off = off.plus(power(u));
                slope += if POWER == 1 { 1.0 } else { u.high };
            }
        }
        self.shift = Double::sum(shift, off.rounded() / slope);
    }
}

/// The kernel for alpha above 1. `POWER` is 1 / (alpha - 1) where that is 1 or 2, else 0.
#[inline(always)]
pub(super) fn row_of_tsallis<T: Real, const POWER: u8>(
    alpha: f64,
    row: &ClassRow<'_, T>,
    gradients: &mut RowGradients<'_, T>,
) -> f64 {
    if row.has_nan() {
        return gradients.nan();
    }
    let (highest, top) = maximum(row.prediction);
    let (beta, highest) = (alpha - 1.0, highest.to_f64());
    let mut tsallis = Tsallis::<POWER> { beta, highest, shift: Double::default() };
    tsallis.solve(row.prediction, top);
    let share = |p: f64| tsallis.share(p);
    let [rest, rest_slope, rest_power] = sums_except(row.prediction, top, share);
    let [top_share, top_slope, top_power] = tsallis.share(highest);
    let power = rest_power + top_power;

    let (mut value, mut total, mut at_top) = (0.0, 0.0, 0.0);
    for (class, y) in row.shares() {
        if y == 0.0 {
            continue;
        }
        total += y;
        let loss = if class == top {
            at_top = y;
            rest_power + tsallis.tail(beta * tsallis.shift.rounded())
        } else {
            let p = row.prediction[class].to_f64();
            let [_, _, own] = tsallis.share(p);
            if own > 0.0 {
                power - own + tsallis.tail(-tsallis.offset(p).rounded())
            } else {
                power + 1.0 / beta - tsallis.base(p) * alpha / beta
            }
        };
        value += y * loss / alpha;
    }

    if let Some(second) = gradients.second.as_deref_mut() {
        let slope = rest_slope + top_slope;
        for (second, p) in second.iter_mut().zip(row.prediction) {
            let [_, own, _] = tsallis.share(p.to_f64());
            *second = T::from_f64(total * own * ((slope - own) / slope));
        }
        second[top] = T::from_f64(total * top_slope * (rest_slope / slope));
    }
    if let Some(gradient) = gradients.gradient.as_deref_mut() {
        for (class, (gradient, p)) in gradient.iter_mut().zip(row.prediction).enumerate() {
            let [own, _, _] = tsallis.share(p.to_f64());
            *gradient = T::from_f64(total * own - row.share(class));
        }
        // Near probability 1 without the cancellation.
        let is_elsewhere = at_top == 0.0;
        let slope = if is_elsewhere { total * top_share } else { (total - at_top) - total * rest };
        gradient[top] = T::from_f64(slope);
    }
    if value.is_nan() {
        return gradients.nan();
    }
    value
}
