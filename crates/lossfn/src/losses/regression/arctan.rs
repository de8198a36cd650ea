use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// A bounded loss: the inverse tangent of the squared residual.
    Arctan: "arctan" {
        aliases: ["arctan_loss", "ArctanLoss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            scale = 1.0 in POSITIVE scale: "the absolute residual at which half of the largest loss is reached, in the unit of the target",
        },
        optimum: "0 at prediction = target, with slope 0 and second derivative 1. The factor is scale^2 / 2.",
        limits: "Smooth everywhere and not convex. Tends to scale^2 * pi / 4 far away, where the slope falls to 0 as 1 / residual^3.",
        peers: "SciPy's least_squares(loss='arctan') agrees. Ceres' ArctanLoss is twice this, as a function of the squared residual.",
        reference: "Agarwal, Mierle and others, Ceres Solver (2023); SciPy, scipy.optimize.least_squares.",
        curvature: Weight,
        usual: false,
    }
}

impl Pointwise for Arctan {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let scale = N::parameter("scale", self.scale);
        let x = (prediction - target).in_units(scale);
        x.in_their_squares(x.number.atan_square() * 0.5)
    }
}
