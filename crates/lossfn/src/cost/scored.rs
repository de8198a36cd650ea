//! The losses of a run of examples, and how they are added up.

use super::CostState;
use crate::kernel::InstructionSet;
use crate::kernel::isa::{self, Work};
use crate::number::Isa;

/// The losses of a run of examples.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// The position of the first of them.
    pub start: usize,
    /// The losses, with class weights but without example weights; 0 for examples that are not
    /// valid.
    pub losses: &'a [f64],
    /// The example weights, 0 for examples that are not valid; without it each is valid and has
    /// weight 1.
    pub weights: Option<&'a [f64]>,
    /// Which examples are valid; without it all are.
    pub valid: Option<&'a [bool]>,
    /// The class weight of each example's target; without it each is 1.
    pub class_weights: Option<&'a [f64]>,
}

/// Multiplies numbers by weights. Where a weight is 0 they become 0, whatever they were.
struct Multiply<'a> {
    weights: &'a [f64],
    to: &'a mut [f64],
}

impl Work for Multiply<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (x, &weight) in self.to.iter_mut().zip(self.weights) {
            *x = if weight == 0.0 { 0.0 } else { weight * *x };
        }
    }
}

impl Scored<'_> {
    /// Adds all of the examples to a state.
    pub fn add_to(&self, state: &mut CostState) {
        let mut scratch = Vec::new();
        self.sum_to(state, &mut scratch);
        self.count_to(state, self.losses.len(), &mut scratch);
    }

    #[inline]
    fn weight(&self, at: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[at])
    }

    #[inline]
    fn class_weight(&self, at: usize) -> f64 {
        self.class_weights.map_or(1.0, |weights| weights[at])
    }

    /// The weight of one of the examples times that of its class.
    #[inline]
    pub(super) fn weight_of_target(&self, at: usize) -> f64 {
        match self.weight(at) {
            // The target of an example that is not valid may be anything, and so its class weight.
            0.0 => 0.0,
            weight => weight * self.class_weight(at),
        }
    }

    /// The loss of one of the examples, by its position in this run, times its weight.
    #[inline]
    #[must_use]
    pub fn weighted(&self, at: usize) -> f64 {
        match self.weight(at) {
            0.0 => 0.0,
            weight => weight * self.losses[at],
        }
    }

    /// Whether one of the examples is valid.
    #[inline]
    #[must_use]
    pub fn is_valid(&self, at: usize) -> bool {
        self.valid.is_none_or(|valid| valid[at])
    }

    /// Adds one of the examples, by its position in this run, to a state.
    #[inline]
    pub fn add_one_to(&self, state: &mut CostState, at: usize) {
        if self.is_valid(at) {
            state.add(self.losses[at], self.weight(at), self.class_weight(at));
        } else {
            state.skip(1);
        }
    }

    /// All losses times their weights.
    pub(super) fn weigh(&self, to: &mut Vec<f64>) {
        to.clear();
        to.extend_from_slice(self.losses);
        if let Some(weights) = self.weights {
            isa::run(InstructionSet::in_use(), Multiply { weights, to });
        }
    }

    /// Adds the losses to a state.
    pub(super) fn sum_to(&self, state: &mut CostState, scratch: &mut Vec<f64>) {
        self.weigh(scratch);
        state.absorb_sum(scratch);
    }

    /// Adds the counts and weights to a state.
    pub(super) fn count_to(&self, state: &mut CostState, examples: usize, scratch: &mut Vec<f64>) {
        if self.weights.is_none() && self.class_weights.is_none() {
            return state.extend_counts(examples, examples, None);
        }
        scratch.clear();
        match (self.weights, self.class_weights) {
            (Some(weights), None) => scratch.extend_from_slice(weights),
            _ => scratch.extend((0..examples).map(|at| self.weight_of_target(at))),
        }
        let is_valid = |valid: &[bool]| valid.iter().filter(|valid| **valid).count();
        state.extend_counts(examples, self.valid.map_or(examples, is_valid), Some(scratch));
    }
}
