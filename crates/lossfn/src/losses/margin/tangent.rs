use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The squared distance of twice the angle of the margin from 1: bounded, also for margins that are too large.
    Tangent: "tangent" {
        aliases: ["tangent_loss", "TangentLoss", "tangential"],
        task: Binary,
        prediction: Real "a raw score: tan(probability of the class +1 - 1/2)",
        target: Sign,
        link: "atan(prediction) + 1/2, which is best where it lies from 0 to 1, is the probability of the class +1.",
        parameters: {},
        optimum: "0 at margin tan(1/2), about 0.5463; (pi - 1)^2 as the margin tends to infinity, (pi + 1)^2 as it tends to minus infinity.",
        limits: "Smooth everywhere, and not convex. Exact near its zero. An example that is right by a large margin costs something, too.",
        peers: "Bob's TangentialLoss agrees.",
        reference: "Masnadi-Shirazi, Mahadevan and Vasconcelos (2010), On the Design of Robust Classifiers for Computer Vision, doi:10.1109/CVPR.2010.5540136.",
        usual: false,
    }
}

impl Pointwise for Tangent {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        (target * prediction).tangent_angle().square()
    }
}
