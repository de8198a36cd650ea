use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// A bounded loss: one minus a bell curve of the residual, so that far outliers do not pull at all.
    Welsch: "welsch" {
        aliases: ["welsch_loss", "WelschLoss", "leclerc", "correntropy"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            scale = 1.0 in POSITIVE scale: "the width of the bell, in the unit of the target",
        },
        optimum: "0 at prediction = target, with slope 0 and second derivative 1. The factor is scale^2 / 2.",
        limits: "Smooth everywhere and not convex: the second derivative is negative beyond |residual| = scale / sqrt(2). Tends to scale^2 / 2 far away; the slope falls to 0 faster than any power.",
        peers: "kornia's welsch_loss is 1 - exp(-r^2 / 2), which is this with scale = sqrt(2), as is barron(alpha=-inf).",
        reference: "Dennis and Welsch (1978), Techniques for nonlinear least squares and robust regression, doi:10.1080/03610917808812083.",
        curvature: Weight,
        usual: false,
    }
}

impl Pointwise for Welsch {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let scale = N::parameter("scale", self.scale);
        let x = (prediction - target).in_units(scale);
        x.in_their_squares(-(x.number.expm1_square(-1.0) * 0.5))
    }
}
