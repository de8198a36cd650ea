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

/// Reads numbers as classes, and says whether all of them are.
struct ReadLabels<'a> {
    number: &'a [f64],
    classes: usize,
    to: &'a mut [Option<usize>],
    all_are: &'a mut bool,
}

impl Work for ReadLabels<'_> {
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
    fn run<I: Isa>(self) {
        // The last place of what this is added to is 1, and its fraction then the number itself.
        const TO_INTEGER: f64 = (1u64 << 52) as f64;
        let classes = self.classes as f64;
        let mut all = true;
        for (to, &x) in self.to.iter_mut().zip(self.number) {
            let shifted = x + TO_INTEGER;
            all &= (x >= 0.0) & (x < classes) & (shifted - TO_INTEGER == x);
            *to = Some((shifted.to_bits() & ((1 << 52) - 1)) as usize);
        }
        *self.all_are = all;
    }
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
            if let Some(ignored) = self.cost.ignored_class {
                for (valid, &label) in valid.iter_mut().zip(&*number) {
                    *valid &= label != ignored as f64;
                }
            }
            let mut all_are = valid.is_empty();
            if all_are {
                labels.resize(n, None);
                let classes = self.width;
                let work = ReadLabels { number, classes, to: labels, all_are: &mut all_are };
                isa::run(InstructionSet::in_use(), work);
            }
            let one_by_one = if all_are { &[][..] } else { &number[..] };
            labels.truncate(n - one_by_one.len());
            for (i, &label) in one_by_one.iter().enumerate() {
                let is_valid = valid.get(i).is_none_or(|valid| *valid);
                let class = label as usize;
                // -0 is 0, and NaN no class.
                let is_class = class as f64 == label && class < self.width;
                if is_valid && !is_class {
                    let (position, classes) = (block.start + i, self.width);
                    return Err(Error::LabelOutOfRange { label, position, classes });
                }
                labels.push(is_valid.then_some(class));
            }
        }
        if let Some(array) = &self.weights {
            array.copy(block.start, weights);
            for (i, (&value, &valid)) in weights.iter().zip(&*valid).enumerate() {
                if valid && !(value >= 0.0 && value.is_finite()) {
                    let position = block.start + i;
                    return Err(Error::InvalidWeight { what: "weight", value, position });
                }
            }
        }
        for (weight, &valid) in weights.iter_mut().zip(&*valid) {
            if !valid {
                *weight = 0.0;
            }
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
