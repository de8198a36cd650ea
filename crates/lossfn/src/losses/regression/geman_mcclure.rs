use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// A bounded loss: the squared residual over one plus itself.
    GemanMcclure: "geman_mcclure" {
        aliases: ["geman_mcclure_loss", "GemanMcClure", "GemanMcClureLoss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            scale = 1.0 in POSITIVE scale: "the absolute residual at which half of the largest loss is reached, in the unit of the target",
        },
        optimum: "0 at prediction = target, with slope 0 and second derivative 1.",
        limits: "Smooth everywhere and not convex: the second derivative is negative beyond |residual| = scale / sqrt(3). Tends to scale^2 / 2 far away, where the slope falls to 0 as 1 / residual^3.",
        peers: "kornia's geman_mcclure_loss is 4 times barron's form with alpha = -2: 2 r^2 / (r^2 + 4). Here the form of the robust-statistics literature, times scale^2, so that every robust loss begins as residual^2 / 2.",
        reference: "Geman and McClure (1985), Bayesian image analysis: an application to single photon emission tomography, Proceedings of the American Statistical Association.",
        curvature: Weight,
        usual: false,
    }
}

impl Pointwise for GemanMcclure {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let scale = N::parameter("scale", self.scale);
        let x = (prediction - target).in_units(scale);
        x.in_their_squares(x.number.square_share() * 0.5)
    }
}
