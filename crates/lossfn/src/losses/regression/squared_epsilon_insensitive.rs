use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The square of what the residual exceeds a tube of half-width `epsilon` by.
    SquaredEpsilonInsensitive: "squared_epsilon_insensitive" {
        aliases: ["squared_epsilon_insensitive_loss", "L2EpsilonInsLoss"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {
            epsilon = 0.1 in NON_NEGATIVE: "the absolute residual up to which nothing is lost, in the unit of the target",
        },
        optimum: "0 wherever |residual| <= epsilon, with slope 0. There is no factor 1/2.",
        limits: "Once differentiable everywhere; the second derivative jumps from 0 to 2 at |residual| = epsilon, where it counts as 0. At epsilon = 0 it is squared_error.",
        peers: "scikit-learn's SGDRegressor(loss='squared_epsilon_insensitive') agrees.",
        reference: "Vapnik (1995), The Nature of Statistical Learning Theory, doi:10.1007/978-1-4757-2440-0.",
        usual: false,
    }
}

impl Pointwise for SquaredEpsilonInsensitive {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let epsilon = N::parameter("epsilon", self.epsilon);
        let r = prediction - target;
        if self.epsilon == 0.0 {
            return r.square();
        }
        (r.abs() - epsilon).positive_part().square()
    }
}
