use crate::number::Number;
use crate::{Pointwise, loss};

loss! {
    /// The absolute residual as a fraction of the mean of the absolute prediction and target.
    SymmetricAbsolutePercentageError: "symmetric_absolute_percentage_error" {
        aliases: ["smape", "sMAPE", "SMAPE"],
        task: Regression,
        prediction: Real "the predicted number, in the unit of the target",
        target: Real,
        parameters: {},
        optimum: "0 at prediction = target, with slope 0. A fraction: 0.1 is ten percent.",
        limits: "From 0 to 2: 2 wherever prediction and target have different signs or one of them is 0, and 0 if both are. Kink at the target, where the slope counts as 0. Not convex.",
        peers: "The form of the M4 competition, there times 100. Others leave out the factor 2, or divide by the sum without absolute values, which may be 0.",
        reference: "Makridakis (1993), Accuracy measures: theoretical and practical concerns, doi:10.1016/0169-2070(93)90079-3.",
        usual: false,
    }
}

impl Pointwise for SymmetricAbsolutePercentageError {
    #[inline(always)]
    fn loss<N: Number>(&self, prediction: N, target: N) -> N {
        let zero = N::constant(0.0);
        let r = prediction - target;
        let fraction = if N::IS_FORMULA {
            r.abs() / (prediction.abs() + target.abs())
        } else {
            let same_sign = zero.less_than(prediction.sign() * target.sign());
            let fraction = relative_difference(prediction.abs(), target.abs());
            N::select(same_sign, fraction.abs(), N::constant(1.0))
        };
        let fraction = N::select(r.equals(zero), zero, fraction * 2.0);
        // NaN has no sign to compare.
        if N::IS_FORMULA { fraction } else { N::select(r.equals(r), fraction, r) }
    }
}

/// (a - b) / (a + b) for numbers from 0: the same for both divided by the larger one, so that nothing
/// overflows. Its slope, written so, does not cancel where b is small.
#[inline(always)]
fn relative_difference<N: Number>(a: N, b: N) -> N {
    let one = N::constant(1.0);
    let b_is_smaller = b.less_than(a);
    let above = one - b / a / (b / a + 1.0) * 2.0;
    let below = a / b / (a / b + 1.0) * 2.0 - 1.0;
    let value = N::select(b_is_smaller, (a - b) / a / (b / a + 1.0), (a - b) / b / (a / b + 1.0));
    N::rewritten(value, N::select(b_is_smaller, above, below))
}
