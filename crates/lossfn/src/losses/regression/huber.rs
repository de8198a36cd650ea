use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// Half the squared error near the target, linear beyond `delta`: outliers pull with a bounded force.
    Huber: "huber" {
        aliases: ["huber_loss", "HuberLoss", "Huber"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            delta = 1.0 in POSITIVE scale: "the absolute residual at which the quadratic part ends, in the unit of the target",
        },
        optimum: "0 at prediction = target, with slope 0. The quadratic part has the factor 1/2; nothing is dropped.",
        limits: "Once differentiable everywhere; the second derivative jumps from 1 to 0 at |residual| = delta, where it counts as 1. For delta to infinity it tends to half the squared error; huber / delta tends to the absolute error for delta to 0.",
        peers: "PyTorch, Keras and scikit-learn agree. So does Optax's value; its slope is delta less what the residual is below it, so that in f32 it is 0 at residual 1e-8. PyTorch's smooth_l1_loss(beta) is huber(delta=beta) / beta.",
        reference: "Huber (1964), Robust Estimation of a Location Parameter, doi:10.1214/aoms/1177703732.",
        curvature: Weight,
        usual: true,
    }
}

impl Pointwise for Huber {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let delta = N::parameter("delta", self.delta);
        let r = prediction - target;
        let linear = delta * (r.abs() - delta * 0.5);
        N::select(r.abs().at_most(delta), r * (r * 0.5), linear)
    }
}
