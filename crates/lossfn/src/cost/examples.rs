//! What a cost is applied to.

use crate::array::Array;

/// Predictions and targets, with weights and a mask if there are any.
///
/// Nothing broadcasts: shapes must agree, and are checked when a cost is applied.
#[derive(Clone, Debug)]
pub struct Examples<'a> {
    pub(crate) prediction: Array<'a>,
    pub(crate) target: Array<'a>,
    pub(crate) weights: Option<Array<'a>>,
    pub(crate) mask: Option<Array<'a>>,
}

impl<'a> Examples<'a> {
    /// Predictions and targets. For shapes see [`Cost::value`](crate::Cost::value).
    ///
    /// Losses are computed in f32 if the prediction has half or single precision and the target has
    /// no numbers that f32 lacks; otherwise (f64, integers of 32 or 64 bits as targets that are
    /// not labels) in f64.
    pub fn new(prediction: impl Into<Array<'a>>, target: impl Into<Array<'a>>) -> Self {
        Self { prediction: prediction.into(), target: target.into(), weights: None, mask: None }
    }

    /// A weight for each example: a finite number, 0 or more. One per element of the prediction for
    /// pointwise losses, one per row for losses over a class axis or of several predicted numbers.
    #[must_use]
    pub fn weights(self, weights: impl Into<Array<'a>>) -> Self {
        Self { weights: Some(weights.into()), ..self }
    }

    /// Which examples count: those where the mask is true (or not 0). The predictions and targets
    /// of the others may be anything, NaN included. The shape is that of the weights.
    #[must_use]
    pub fn mask(self, mask: impl Into<Array<'a>>) -> Self {
        Self { mask: Some(mask.into()), ..self }
    }
}
