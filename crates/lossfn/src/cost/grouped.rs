//! Losses added up by group.

use super::CostState;
use super::exact::{BLOCK, ExactSum, LANES, cuts, largest};
use super::scored::Scored;
use crate::kernel::InstructionSet;
use crate::kernel::isa::{self, Work};
use crate::number::Isa;

/// With fewer examples than this for each state they are added sooner one by one.
const FEW: usize = 4;

impl Scored<'_> {
    /// Adds each of the examples to the state of its group; `groups` has its number for each of this
    /// run. The same as [`Scored::add_one_to`] for each of them, and faster.
    ///
    /// # Panics
    /// If a group has no state, or there are fewer groups than examples.
    pub fn add_by_group(&self, states: &mut [CostState], groups: &[u32]) {
        let groups = &groups[..self.losses.len()];
        if groups.len() < FEW * states.len() {
            for (at, &group) in groups.iter().enumerate() {
                self.add_one_to(&mut states[group as usize], at);
            }
            return;
        }
        if self.weights.is_none() {
            add(self.losses, groups, states, |state| &mut state.sum);
        } else {
            let weighted: Vec<f64> = (0..groups.len()).map(|at| self.weighted(at)).collect();
            add(&weighted, groups, states, |state| &mut state.sum);
        }
        let in_weights = self.weights.is_some() || self.class_weights.is_some();
        if in_weights {
            let weights: Vec<f64> = (0..groups.len()).map(|at| self.weight_of_target(at)).collect();
            add(&weights, groups, states, |state| &mut state.weights);
        }
        let examples = count(groups.iter(), states.len());
        let valid = self.valid.map(|valid| {
            let valid = groups.iter().zip(valid).filter(|(_, valid)| **valid);
            count(valid.map(|(group, _)| group), states.len())
        });
        let valid = valid.as_ref().unwrap_or(&examples);
        for ((state, &examples), &valid) in states.iter_mut().zip(&examples).zip(valid) {
            state.extend_counts(examples, valid, in_weights.then_some(&mut []));
        }
    }
}

/// How often each of so many groups occurs.
fn count<'a>(groups: impl Iterator<Item = &'a u32>, count: usize) -> Vec<usize> {
    let mut counts = vec![0; count];
    groups.for_each(|&group| counts[group as usize] += 1);
    counts
}

/// Adds each number to a sum of the state of its group.
fn add(
    numbers: &[f64],
    groups: &[u32],
    states: &mut [CostState],
    sum: impl Fn(&mut CostState) -> &mut ExactSum,
) {
    let mut sums = vec![[0.0; 2]; states.len()];
    for (numbers, groups) in numbers.chunks(BLOCK).zip(groups.chunks(BLOCK)) {
        let each = || numbers.iter().zip(groups);
        let Some(cuts) = cuts(largest(numbers)) else {
            each().for_each(|(&x, &group)| sum(&mut states[group as usize]).add(x));
            continue;
        };
        let mut all = true;
        let scatter = Scatter { numbers, groups, cuts, sums: &mut sums, all: &mut all };
        isa::run(InstructionSet::in_use(), scatter);
        for (state, sums) in states.iter_mut().zip(&mut sums) {
            for x in std::mem::take(sums) {
                sum(state).add(x);
            }
        }
        if !all {
            let rests = each().map(|(&x, &group)| (cut(x, cuts).1, group));
            rests.for_each(|(rest, group)| sum(&mut states[group as usize]).add(rest));
        }
    }
}

/// The upper bits of a number by two cuts, and what remains.
#[inline(always)]
fn cut(x: f64, [first, second]: [f64; 2]) -> ([f64; 2], f64) {
    let upper = (x + first) - first;
    let rest = x - upper;
    let lower = (rest + second) - second;
    ([upper, lower], rest - lower)
}

/// Cuts the upper bits off twice and adds them to the sums of the groups, without rounding. Tells whether
/// that is all.
struct Scatter<'a> {
    numbers: &'a [f64],
    groups: &'a [u32],
    cuts: [f64; 2],
    sums: &'a mut [[f64; 2]],
    all: &'a mut bool,
}

impl Work for Scatter<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut rests = [0.0; LANES];
        let (chunks, tail) = self.numbers.as_chunks::<LANES>();
        let (groups, tail_groups) = self.groups.as_chunks::<LANES>();
        for (chunk, groups) in chunks.iter().zip(groups) {
            let (mut upper, mut lower) = ([0.0; LANES], [0.0; LANES]);
            for n in 0..LANES {
                let rest;
                ([upper[n], lower[n]], rest) = cut(chunk[n], self.cuts);
                rests[n] += rest.abs();
            }
            for n in 0..LANES {
                let sums = &mut self.sums[groups[n] as usize];
                sums[0] += upper[n];
                sums[1] += lower[n];
            }
        }
        for (&x, &group) in tail.iter().zip(tail_groups) {
            let ([upper, lower], rest) = cut(x, self.cuts);
            let sums = &mut self.sums[group as usize];
            sums[0] += upper;
            sums[1] += lower;
            rests[0] += rest.abs();
        }
        *self.all = rests.into_iter().sum::<f64>() == 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers of a run: of one size, of very different sizes, or whatever there is.
    fn numbers(count: usize) -> impl Strategy<Value = Vec<f64>> {
        let single = (-1e3..1e3f32).prop_map(f64::from);
        let spread = (-1e3..1e3f64, -60i32..60).prop_map(|(x, n)| x * f64::from(n).exp2());
        let finite = any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |x| x.is_finite());
        let any = prop_oneof![
            1 => Just(0.0),
            1 => Just(f64::INFINITY),
            1 => Just(f64::NEG_INFINITY),
            1 => Just(f64::NAN),
            50 => any::<u64>().prop_map(f64::from_bits),
        ];
        let small = prop_oneof![Just(0.0), Just(-0.0), Just(5e-324), Just(-1e-300), Just(2.0)];
        prop_oneof![
            prop::collection::vec(1.0..2.0f64, count),
            prop::collection::vec(single, count),
            prop::collection::vec(spread, count),
            prop::collection::vec(finite, count),
            prop::collection::vec(any, count),
            prop::collection::vec(small, count),
        ]
    }

    /// Losses, weights, which are valid, class weights, groups.
    type Run = (Vec<f64>, Vec<f64>, Vec<bool>, Vec<f64>, Vec<u32>);

    fn run() -> impl Strategy<Value = Run> {
        (0..5000usize).prop_flat_map(|count| {
            let weights = prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.0..9.0], count);
            let valid = prop::collection::vec(prop::bool::weighted(0.9), count);
            let class_weights = prop::collection::vec(0.0..2.0, count);
            let groups = prop::collection::vec(0..200u32, count);
            (numbers(count), weights, valid, class_weights, groups)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn by_group_is_one_by_one(
            (mut losses, mut weights, valid, class_weights, groups) in run(),
            count in prop_oneof![Just(1u32), 2..25u32, Just(200)],
            [weighted, of_classes] in any::<[bool; 2]>(),
        ) {
            if weighted {
                for (at, _) in valid.iter().enumerate().filter(|(_, valid)| !**valid) {
                    (losses[at], weights[at]) = (0.0, 0.0);
                }
            }
            let scored = Scored {
                start: 0,
                losses: &losses,
                weights: weighted.then_some(&weights),
                valid: weighted.then_some(&valid),
                class_weights: of_classes.then_some(&class_weights),
            };
            let groups: Vec<u32> = groups.iter().map(|group| group % count).collect();
            let mut by_group = vec![CostState::default(); count as usize];
            let mut one_by_one = by_group.clone();
            // Twice: states that are not empty.
            for _ in 0..2 {
                scored.add_by_group(&mut by_group, &groups);
                for (at, group) in groups.iter().enumerate() {
                    scored.add_one_to(&mut one_by_one[*group as usize], at);
                }
            }
            prop_assert_eq!(by_group, one_by_one);
        }
    }
}
