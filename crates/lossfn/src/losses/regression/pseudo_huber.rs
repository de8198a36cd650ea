use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// A smooth Huber loss: half the squared residual near the target, linear with slope `delta` far away.
    PseudoHuber: "pseudo_huber" {
        aliases: ["charbonnier", "charbonnier_loss", "Charbonnier", "pseudo_huber_loss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            delta = 1.0 in POSITIVE scale: "the absolute residual about which the quadratic part turns into the linear one, in the unit of the target",
        },
        optimum: "0 at prediction = target, with slope 0 and second derivative 1. The constant -delta^2 that makes it 0 there is kept.",
        limits: "Smooth everywhere. About residual^2 / 2 for small residuals and delta * (|residual| - delta) for large ones; the slope stays below delta.",
        peers: "XGBoost's reg:pseudohubererror(huber_slope) agrees. The Charbonnier loss of image restoration, sqrt(residual^2 + epsilon^2), is this over delta = epsilon plus epsilon: it has the same minimiser and 1 / epsilon times the gradient. kornia's charbonnier_loss is sqrt(residual^2 + 1) - 1, the case of delta = 1.",
        reference: "Charbonnier et al. (1994), Two deterministic half-quadratic regularization algorithms for computed imaging, doi:10.1109/ICIP.1994.413553.",
        curvature: Weight,
        usual: false,
    }
}

impl Pointwise for PseudoHuber {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let delta = N::parameter("delta", self.delta);
        let x = (prediction - target).in_units(delta);
        x.in_their_squares(x.number.sqrt1p_square_m1())
    }
}
