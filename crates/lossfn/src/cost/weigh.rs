//! What examples weigh: weights, mask, ignored class, class weights.

use super::pass::{Pass, Target};
use super::scored::Scored;
use crate::error::Error;
use crate::kernel::InstructionSet;
use crate::kernel::isa::{self, Work};
use crate::number::Isa;
use std::ops::Range;

/// What the examples of a block weigh.
#[derive(Default)]
pub(super) struct Weighing {
    number: Vec<f64>,
    pub weights: Vec<f64>,
    pub valid: Vec<bool>,
    pub labels: Vec<Option<usize>>,
    class_weights: Vec<f64>,
}

impl Weighing {
    /// These examples with their losses.
    pub fn as_scored<'a>(
        &'a self,
        pass: &Pass<'_, '_>,
        block: &Range<usize>,
        losses: &'a [f64],
    ) -> Scored<'a> {
        let matter = pass.weights_matter();
        Scored {
            start: block.start,
            losses,
            weights: matter.then_some(self.weights.as_slice()),
            valid: matter.then_some(self.valid.as_slice()),
            class_weights: (!self.class_weights.is_empty()).then_some(&self.class_weights),
        }
    }
}

/// Reads numbers as classes, `None` for examples that are not valid, or of the ignored class and so not valid
/// either. Says whether the others are classes.
struct ReadLabels<'a> {
    number: &'a [f64],
    classes: usize,
    /// NaN is equal to none.
    ignored: f64,
    valid: &'a mut [bool],
    to: &'a mut [Option<usize>],
    all_are: &'a mut bool,
}

impl Work for ReadLabels<'_> {
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
    fn run<I: Isa>(self) {
        let Self { number, classes, ignored, valid, to, all_are } = self;
        let mut all = true;
        if valid.is_empty() {
            for (to, &x) in to.iter_mut().zip(number) {
                let (class, is_class) = as_class(x, classes);
                all &= is_class;
                *to = Some(class);
            }
        } else {
            for ((to, &x), valid) in to.iter_mut().zip(number).zip(valid) {
                let (class, is_class) = as_class(x, classes);
                *valid &= x != ignored;
                all &= is_class | !*valid;
                *to = if *valid { Some(class) } else { None };
            }
        }
        *all_are = all;
    }
}

/// A number as a class, and whether it is one.
#[inline(always)]
#[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
fn as_class(x: f64, classes: usize) -> (usize, bool) {
    // The last place of what this is added to is 1, and its fraction then the number itself.
    const TO_INTEGER: f64 = (1u64 << 52) as f64;
    let shifted = x + TO_INTEGER;
    let is_class = (x >= 0.0) & (x < classes as f64) & (shifted - TO_INTEGER == x);
    ((shifted.to_bits() & ((1 << 52) - 1)) as usize, is_class)
}

/// Makes the weights of examples that are not valid 0, and says whether those of the others are right.
struct ReadWeights<'a> {
    weights: &'a mut [f64],
    valid: &'a [bool],
    all_are_right: &'a mut bool,
}

impl Work for ReadWeights<'_> {
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
    fn run<I: Isa>(self) {
        let mut all = true;
        for (weight, &valid) in self.weights.iter_mut().zip(self.valid) {
            all &= is_weight(*weight) | !valid;
            *weight = if valid { *weight } else { 0.0 };
        }
        *self.all_are_right = all;
    }
}

#[inline(always)]
fn is_weight(x: f64) -> bool {
    (0.0..f64::INFINITY).contains(&x)
}

impl Pass<'_, '_> {
    /// Whether the examples can differ in weight.
    pub(super) fn weights_matter(&self) -> bool {
        self.weights.is_some() || self.mask.is_some() || self.cost.ignored_class.is_some()
    }

    /// Weights, validity, labels and class weights of a block.
    pub(super) fn weigh(&self, block: &Range<usize>, to: &mut Weighing) -> Result<(), Error> {
        let n = block.len();
        let Weighing { number, weights, valid, labels, class_weights } = to;
        valid.clear();
        weights.clear();
        labels.clear();
        class_weights.clear();
        if self.weights_matter() {
            valid.resize(n, true);
            weights.resize(n, 1.0);
        }
        if let Some(mask) = &self.mask {
            number.resize(n, 0.0);
            mask.copy(block.start, number);
            if let Some(at) = number.iter().position(|flag| flag.is_nan()) {
                let (value, position) = (f64::NAN, block.start + at);
                return Err(Error::InvalidWeight { what: "mask", value, position });
            }
            for (valid, &flag) in valid.iter_mut().zip(&*number) {
                *valid = flag != 0.0;
            }
        }
        if let Target::Labels(array) = &self.target {
            number.resize(n, 0.0);
            array.copy(block.start, number);
            labels.resize(n, None);
            let (classes, mut all_are) = (self.width, true);
            let ignored = self.cost.ignored_class.map_or(f64::NAN, |class| class as f64);
            let work =
                ReadLabels { number, classes, ignored, valid, to: labels, all_are: &mut all_are };
            isa::run(InstructionSet::in_use(), work);
            if !all_are {
                let is_wrong = |i: &usize| {
                    valid.get(*i).is_none_or(|valid| *valid) && !as_class(number[*i], classes).1
                };
                if let Some(i) = (0..n).find(is_wrong) {
                    let (label, position) = (number[i], block.start + i);
                    return Err(Error::LabelOutOfRange { label, position, classes });
                }
            }
        }
        if let Some(array) = &self.weights {
            array.copy(block.start, weights);
        }
        let mut all_are_right = true;
        let work = ReadWeights { weights, valid, all_are_right: &mut all_are_right };
        isa::run(InstructionSet::in_use(), work);
        if !all_are_right && let Some(i) = (0..n).find(|&i| valid[i] && !is_weight(weights[i])) {
            let (value, position) = (weights[i], block.start + i);
            return Err(Error::InvalidWeight { what: "weight", value, position });
        }
        if let Some(of_class) = &self.cost.class_weights {
            if let Target::Distributions(target) = &self.target {
                number.resize(n * self.width, 0.0);
                target.copy(block.start * self.width, number);
                let domain = self.cost.loss.description().target;
                self.check("target", number, self.width, domain, block.start, valid)?;
                // The mean weight of the classes, so that equal weights change nothing.
                let mean = |row: &[f64]| {
                    let total: f64 = row.iter().sum();
                    let weighted: f64 = row.iter().zip(of_class).map(|(y, w)| y * w).sum();
                    if total == 0.0 { 1.0 } else { weighted / total }
                };
                class_weights.extend(number.chunks(self.width).map(mean));
            } else {
                let weight = |label: &Option<usize>| label.map_or(0.0, |label| of_class[label]);
                class_weights.extend(labels.iter().map(weight));
            }
        }
        Ok(())
    }
}
