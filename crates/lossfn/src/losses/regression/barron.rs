use crate::cost::ExactSum;
use crate::number::Number;
use crate::{Pointwise, loss};
use std::f64::consts::FRAC_1_SQRT_2;

loss! {
    /// The general robust loss: squared, Charbonnier, Cauchy, Geman-McClure and Welsch error as one family in `alpha`.
    Barron: "barron" {
        aliases: ["general_robust_loss", "adaptive_robust_loss", "barron_loss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            alpha = 1.0 in BELOW_INFINITY shape: "the shape: 2 is half the squared error, 1 Charbonnier, 0 Cauchy, -2 Geman-McClure, -inf Welsch",
            scale = 1.0 in POSITIVE scale: "the absolute residual up to which the loss is about quadratic, in the unit of the target",
            normalised = 0.0 in SWITCH: "whether the logarithm of the normalising constant, scale * Z(alpha), is added: the negative log-likelihood, by which alpha and scale can be chosen",
        },
        prepared: { ln_normaliser = if normalised == 0.0 { 0.0 } else { scale.ln() + ln_partition(alpha) } },
        optimum: "0 at prediction = target, with slope 0 and second derivative 1 / scale^2: the loss is that of residual / scale, without a unit. With `normalised` it is ln(scale * Z(alpha)) more.",
        limits: "Smooth everywhere. Convex from alpha = 1 on; below, outliers pull less the farther they are, and below 0 the loss is bounded. alpha = 2, 0 and -inf are the limits themselves, not neighbours of them. Below alpha = 0 there is no distribution to normalise, and a `normalised` loss is infinite.",
        peers: "The reference implementation of the paper agrees but moves alpha away from 0 and 2 by machine epsilon, and takes ln(Z(alpha)) from a spline; here it is integrated.",
        reference: "Barron (2019), A General and Adaptive Robust Loss Function, arXiv:1701.03077.",
        curvature: Weight,
        usual: false,
    }
}

impl Pointwise for Barron {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let loss = self.shape(prediction, target);
        if self.normalised == 0.0 {
            return loss;
        }
        loss + N::constant(self.ln_normaliser)
    }
}

impl Barron {
    #[inline(always)]
    fn shape<N: Number>(&self, prediction: N, target: N) -> N {
        let scale = N::parameter("scale", self.scale);
        let alpha = || N::parameter("alpha", self.alpha);
        let x = (prediction - target) / scale;
        if self.alpha == 2.0 {
            return x * (x * 0.5);
        }
        if self.alpha == 0.0 {
            let half = N::constant(0.5);
            let root = N::derived(FRAC_1_SQRT_2, || half.sqrt());
            return (x * root).ln1p_square();
        }
        if self.alpha == f64::NEG_INFINITY {
            return -x.expm1_square(-0.5);
        }
        let width = (self.alpha - 2.0).abs();
        let root = N::derived(width.sqrt(), || (alpha() - 2.0).abs().sqrt());
        // |alpha - 2| f(x / √|alpha - 2|)
        let z = x.in_units(root);
        let power = z.number.power1p_square_m1(self.alpha / 2.0, || alpha() / 2.0);
        z.in_their_squares(power) / alpha()
    }
}

/// ln Z(alpha): the logarithm of the integral of e^-loss over all residuals at scale 1; infinite
/// below alpha = 0, where the integral is.
///
/// By the trapezoidal rule after the substitution residual = e^t, which for an integrand that decays
/// exponentially on both sides is exact to the last digits.
#[must_use]
pub fn ln_partition(alpha: f64) -> f64 {
    if alpha < 0.0 {
        return f64::INFINITY;
    }
    // The larger alpha, the sharper the edge.
    let step = 1.0 / (16.0 * (alpha / 2.0).clamp(1.0, 64.0));
    let steps = (40.0 / step) as i32;
    let loss = Barron { alpha, scale: 1.0, normalised: 0.0, ln_normaliser: 0.0 };
    let term = |t: f64| (t - loss.shape(t.exp(), 0.0)).exp();
    let mut sum = ExactSum::default();
    (-steps..=steps).for_each(|n| sum.add(term(f64::from(n) * step)));
    (2.0 * step * sum.value()).ln()
}

#[cfg(test)]
mod tests {
    use super::ln_partition;

    /// Where the integral is known: Cauchy, Charbonnier and normal.
    #[test]
    fn the_partition_function_is_known_at_some_shapes() {
        // 2 e K_1(1), by mpmath.
        let charbonnier: f64 = 3.272_306_972_526_516_5;
        let known = [
            (0.0, (std::f64::consts::PI * 2f64.sqrt()).ln()),
            (1.0, charbonnier.ln()),
            (2.0, (2.0 * std::f64::consts::PI).sqrt().ln()),
        ];
        for (alpha, expected) in known {
            let found = ln_partition(alpha);
            assert!((found - expected).abs() < 1e-14, "{alpha}: {found}, not {expected}");
        }
        assert!(ln_partition(-0.5).is_infinite());
    }
}
