use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The absolute residual to a power: between the absolute and the squared error, or beyond.
    PowerError: "power_error" {
        aliases: ["lp_loss", "LPDistLoss", "lp_error"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            exponent = 1.5 in AT_LEAST_ONE: "the power of the absolute residual",
        },
        optimum: "0 at prediction = target, with slope 0. No root is taken and there is no factor.",
        limits: "At exponent 1 it is absolute_error. Below 2 the second derivative tends to infinity at the target, where it is given as that; from 2 on it is finite. The slope at the target is 0 for every exponent.",
        peers: "CatBoost's Lq:q=p agrees. A gradient taken through abs(r) ** p by automatic differentiation is NaN at r = 0 for some p in most frameworks.",
        reference: "Forsythe (1972), Robust Estimation of Straight Line Regression Coefficients by Minimizing pth Power Deviations, doi:10.1080/00401706.1972.10488896.",
        usual: false,
    }
}

impl Pointwise for PowerError {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let exponent = || N::parameter("exponent", self.exponent);
        (prediction - target).abs_power(self.exponent, exponent)
    }
}
