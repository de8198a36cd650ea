use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The absolute residual with its kink rounded off by a parabola of half-width `beta`.
    SmoothL1: "smooth_l1" {
        aliases: ["smooth_l1_loss", "SmoothL1Loss", "smooth_absolute_error"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            beta = 1.0 in NON_NEGATIVE scale: "the absolute residual at which the quadratic part ends, in the unit of the target; 0 gives the absolute error",
        },
        optimum: "0 at prediction = target, with slope 0.",
        limits: "Once differentiable for beta > 0; the second derivative jumps from 1/beta to 0 at |residual| = beta, where it counts as 0. The slope stays within -1 and +1.",
        peers: "PyTorch and MLX agree. It is huber(delta=beta) / beta; libraries that call Huber's loss smooth L1 differ by that factor.",
        reference: "Girshick (2015), Fast R-CNN, arXiv:1504.08083.",
        curvature: Weight,
        usual: false,
    }
}

impl Pointwise for SmoothL1 {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let r = prediction - target;
        if self.beta == 0.0 {
            return r.abs();
        }
        let beta = N::parameter("beta", self.beta);
        N::select(r.abs().less_than(beta), r * (r / beta) * 0.5, r.abs() - beta * 0.5)
    }
}
