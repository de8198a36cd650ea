//! What has been added up so far.

use super::bulk::Bulk;
use super::exact::ExactSum;
use crate::array::Kernel;
use serde::{Deserialize, Serialize};

/// The sums that a cost is made of: of each example's loss times its weight, rounded once, and of the
/// weights. The sums themselves are exact, so states of parts merge into the state of the whole to the
/// bit, however the examples were spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CostState {
    pub(super) sum: ExactSum,
    pub(super) weights: ExactSum,
    valid: u64,
    examples: u64,
}

impl CostState {
    /// Adds the loss of one valid example. `class_weight` is the class weight of its target, which
    /// `loss` contains already, or 1.
    #[inline]
    pub fn add(&mut self, loss: f64, weight: f64, class_weight: f64) {
        self.examples += 1;
        self.valid += 1;
        if weight != 0.0 {
            self.sum.add(weight * loss);
            self.weights.add(weight * class_weight);
        }
    }

    /// Counts examples that are masked or ignored.
    #[inline]
    pub fn skip(&mut self, examples: u64) {
        self.examples += examples;
    }

    /// Adds many losses, weights multiplied out, and leaves something else in their memory.
    pub(super) fn absorb_sum(&mut self, weighted: &mut [f64]) {
        self.sum.absorb(weighted);
    }

    /// Adds many losses of weight 1, by way of `bulk`, which has to be flushed when all are there.
    pub(super) fn add_values<T: Kernel>(&mut self, losses: &[T], bulk: &mut Bulk) {
        T::add_to(losses, bulk, &mut self.sum);
    }

    /// Adds what is still in `bulk`.
    pub(super) fn flush(&mut self, bulk: &mut Bulk) {
        bulk.flush(&mut self.sum);
    }

    /// Counts many examples. Without `weights` the valid ones weigh 1; what is left in their memory is
    /// something else.
    pub(super) fn extend_counts(
        &mut self,
        examples: usize,
        valid: usize,
        weights: Option<&mut [f64]>,
    ) {
        self.examples += examples as u64;
        self.valid += valid as u64;
        match weights {
            Some(weights) => self.weights.absorb(weights),
            None => self.weights.add(valid as f64),
        }
    }

    /// Adds what another state has.
    pub fn merge(&mut self, other: &Self) {
        self.sum.merge(&other.sum);
        self.weights.merge(&other.weights);
        // States may come from files, and so may counts that no data set has.
        self.valid = self.valid.saturating_add(other.valid);
        self.examples = self.examples.saturating_add(other.examples);
    }

    /// The weighted sum of the losses.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum.value()
    }

    /// The weighted sum of the losses, divided; also where the sum itself is beyond f64.
    pub(super) fn sum_over(&self, divisor: f64) -> f64 {
        match self.sum.value() {
            sum if sum.is_finite() => sum / divisor,
            _ => self.sum.expansion().into_iter().map(|term| term / divisor).sum(),
        }
    }

    /// The sum of the weights of the valid examples.
    #[must_use]
    pub fn weights(&self) -> f64 {
        self.weights.value()
    }

    /// The number of valid examples.
    #[must_use]
    pub fn valid(&self) -> u64 {
        self.valid
    }

    /// The number of all examples.
    #[must_use]
    pub fn examples(&self) -> u64 {
        self.examples
    }
}
