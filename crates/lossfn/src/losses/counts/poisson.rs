use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of a count under a predicted rate.
    Poisson: "poisson" {
        aliases: ["Poisson", "poisson_loss"],
        task: Counts,
        prediction: NonNegative "the predicted rate: the mean of the count",
        target: NonNegative,
        parameters: {
            full = 0.0 in SWITCH: "whether the terms that depend on the target alone are added, so that the loss is the whole negative log-likelihood",
        },
        optimum: "Lowest at prediction = target, with slope 0. Without `full` the term ln(target!) is left out, and the loss there is target - target * ln(target), which may be negative.",
        limits: "Smooth and convex. A term with weight 0 is 0: a rate of 0 with target 0 costs 0, and infinity with a target above 0. Targets need not be whole.",
        peers: "PyTorch's poisson_nll_loss(log_input=False) adds 1e-8 to the rate inside the logarithm, and its full=True adds Stirling's approximation for targets above 1 only. Keras adds 1e-7. Here nothing is added and ln(target!) is exact.",
        reference: "Nelder and Wedderburn (1972), Generalized Linear Models, doi:10.2307/2344614.",
        usual: false,
    }
}

impl Pointwise for Poisson {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let loss = of_mean(prediction, target);
        if self.full == 0.0 { loss } else { loss + (target + 1.0).ln_gamma() }
    }

    #[inline(always)]
    fn usual(&self) -> Option<Self> {
        (self.full == 0.0).then_some(Self { full: 0.0 })
    }
}

/// The loss without the terms that depend on the target alone.
#[inline(always)]
pub(super) fn of_mean<N: Number>(m: N, y: N) -> N {
    let (zero, one) = (N::constant(0.0), N::constant(1.0));
    // Without a target the slope is 1, down to a rate of 0; else -infinity there, also for -0.
    let is_none = y.equals(zero);
    let slope = (m - y) / if N::IS_FORMULA { m } else { m.abs() };
    let slope = N::select(is_none, one, slope);
    let bend = N::select(is_none, zero, y / m / m);
    N::with_derivatives(m, m - y.xlogy(m), slope, bend)
}
