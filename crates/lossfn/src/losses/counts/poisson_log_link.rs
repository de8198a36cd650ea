use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The negative log-likelihood of a count under the exponential of a predicted score.
    PoissonLogLink: "poisson_log_link" {
        aliases: ["PoissonNLLLoss", "poisson_nll_loss", "HalfPoissonLoss", "poisson_log", "count_poisson"],
        task: Counts,
        prediction: Real "the logarithm of the predicted mean",
        target: NonNegative,
        link: "exp(prediction) is the predicted mean.",
        parameters: {
            full = 0.0 in SWITCH: "whether the terms that depend on the target alone are added, so that the loss is the whole negative log-likelihood",
        },
        optimum: "For targets above 0 lowest where exp(prediction) = target, with slope 0. Without `full` the term ln(target!) is left out, and the loss may be negative.",
        limits: "Smooth and convex. With target 0 it tends to 0 as the score falls. Overflows to infinity beyond a score of 88 in f32 and 709 in f64, as the true value does.",
        peers: "PyTorch's poisson_nll_loss, whose default is log_input=True, and scikit-learn's HalfPoissonLoss agree; with full=True PyTorch adds Stirling's approximation in place of ln(target!), and only for targets above 1.",
        reference: "Nelder and Wedderburn (1972), Generalized Linear Models, doi:10.2307/2344614.",
        usual: false,
    }
}

impl Pointwise for PoissonLogLink {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let loss = of_score(prediction, target);
        if self.full == 0.0 { loss } else { loss + (target + 1.0).ln_gamma() }
    }

    #[inline(always)]
    fn usual(&self) -> Option<Self> {
        (self.full == 0.0).then_some(Self { full: 0.0 })
    }
}

/// The loss without the terms that depend on the target alone.
#[inline(always)]
pub(super) fn of_score<N: Number>(p: N, y: N) -> N {
    let value = p.exp() - y * p;
    let value = if N::IS_FORMULA {
        value
    } else {
        // Where e^p is infinite, so is the loss, whatever y p is.
        N::select(N::constant(1e4).less_than(p), p.exp(), value)
    };
    N::with_derivatives(p, value, p.exp_minus(y), p.exp())
}
