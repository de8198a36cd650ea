use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The absolute residual beyond a tube of half-width `epsilon` in which errors cost nothing: support-vector regression.
    EpsilonInsensitive: "epsilon_insensitive" {
        aliases: ["epsilon_insensitive_loss", "EpsilonHingeLoss", "svr_loss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            epsilon = 0.1 in NON_NEGATIVE: "the absolute residual up to which nothing is lost, in the unit of the target",
        },
        optimum: "0 wherever |residual| <= epsilon, with slope 0.",
        limits: "Kinks at |residual| = epsilon, where the slope counts as 0; the second derivative is 0 elsewhere. At epsilon = 0 it is absolute_error.",
        peers: "scikit-learn's SGDRegressor(loss='epsilon_insensitive') agrees.",
        reference: "Vapnik (1995), The Nature of Statistical Learning Theory, doi:10.1007/978-1-4757-2440-0.",
        usual: false,
    }
}

impl Pointwise for EpsilonInsensitive {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let epsilon = N::parameter("epsilon", self.epsilon);
        ((prediction - target).abs() - epsilon).positive_part()
    }
}
