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
            alpha = 1.0 in BELOW_INFINITY: "the shape: 2 is half the squared error, 1 Charbonnier, 0 Cauchy, -2 Geman-McClure, -inf Welsch",
            scale = 1.0 in POSITIVE: "the absolute residual up to which the loss is about quadratic, in the unit of the target",
        },
        optimum: "0 at prediction = target, with slope 0 and second derivative 1 / scale^2: the loss is that of residual / scale, without a unit.",
        limits: "Smooth everywhere. Convex from alpha = 1 on; below, outliers pull less the farther they are, and below 0 the loss is bounded. alpha = 2, 0 and -inf are the limits themselves, not neighbours of them.",
        peers: "The reference implementation of the paper agrees but moves alpha away from 0 and 2 by machine epsilon.",
        reference: "Barron (2019), A General and Adaptive Robust Loss Function, arXiv:1701.03077.",
        usual: false,
    }
}

impl Pointwise for Barron {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
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
        let factor = N::derived(width / self.alpha, || (alpha() - 2.0).abs() / alpha());
        (x / root).power1p_square_m1(self.alpha / 2.0, || alpha() / 2.0) * factor
    }
}
