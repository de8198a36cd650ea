//! One pass over examples: block by block, over threads where there is enough to do.

use super::results::{Product, Results};
use super::scored::Scored;
use super::weigh::Weighing;
use super::{Bulk, Cost, CostState, Examples};
use crate::array::{Array, ArrayMut, Kernel};
use crate::class_axis::{ClassBlock, ClassTargets, Hessian};
use crate::describe::Domain;
use crate::error::Error;
use crate::kernel::isa::{self, Work};
use crate::kernel::memory;
use crate::kernel::{BLOCK, ClassOutputs, InstructionSet, Outputs};
use crate::loss::{Form, Kernels};
use crate::number::{Isa, Real};
use std::borrow::Cow;
use std::ops::Range;

/// Elements of the prediction from which work is spread over threads, and which a thread then gets
/// at least.
const PARALLEL: usize = 16 * BLOCK;

/// Examples that are computed and added up at a time where there is no more to do: few enough that the processor
/// works on both at once.
const RUN: usize = 512;
/// A handful of examples.
const FEW: usize = 64;

/// Aligned, or vectors would lie in two lines of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Aligned<T, const N: usize>([T; N]);

/// Where the losses of a pass go.
enum Sink<'a> {
    /// They are added up.
    Total(&'a mut CostState),
    /// Their examples are counted and no more.
    Counts(&'a mut CostState),
    /// They are handed over, a run at a time.
    Each(&'a mut dyn FnMut(Scored<'_>)),
}

pub(super) enum Target<'c, 'a> {
    /// A number for each example.
    Values(&'c Array<'a>),
    /// A class for each example.
    Labels(&'c Array<'a>),
    /// A weight for each class of each example.
    Distributions(Array<'a>),
}

/// A cost and examples that fit together.
pub(super) struct Pass<'c, 'a> {
    pub(super) cost: &'c Cost,
    prediction: Cow<'c, Array<'a>>,
    pub(super) target: Target<'c, 'a>,
    pub(super) weights: Option<&'c Array<'a>>,
    pub(super) mask: Option<&'c Array<'a>>,
    /// The number of examples.
    examples: usize,
    /// Elements of the prediction per example: the number of classes or of components, or 1.
    pub(super) width: usize,
    /// The axis of the classes or components, if there is one.
    axis: Option<usize>,
    /// The shape of the prediction, as it was given.
    whole: &'c [usize],
    /// The shape of the examples.
    shape: Cow<'c, [usize]>,
}

impl<'c, 'a> Pass<'c, 'a> {
    #[inline]
    pub fn new(cost: &'c Cost, examples: &'c Examples<'a>) -> Result<Self, Error> {
        let Examples { prediction, target, weights, mask } = examples;
        let (weights, mask) = (weights.as_ref(), mask.as_ref());
        let whole = prediction.shape();
        // Shapes are compared as they were given, before any axis is moved.
        let form = cost.loss.form();
        let (axis, shape, width) = if form == Form::Pointwise {
            (None, Cow::Borrowed(whole), 1)
        } else {
            let axis = row_axis(cost, whole)?;
            let mut shape = whole.to_vec();
            let width = shape.remove(axis);
            (Some(axis), Cow::Owned(shape), width)
        };
        let target = match axis {
            Some(axis) if form == Form::ClassAxis && target.shape().len() == whole.len() => {
                same_shape("target", target.shape(), "the prediction", whole)?;
                Target::Distributions(target.clone().with_last_axis(axis))
            }
            Some(_) if form == Form::ClassAxis => {
                let rows = "the prediction without its class axis";
                same_shape("target", target.shape(), rows, &shape)?;
                Target::Labels(target)
            }
            Some(_) => {
                let rows = "the prediction without its component axis";
                same_shape("target", target.shape(), rows, &shape)?;
                Target::Values(target)
            }
            None => {
                same_shape("target", target.shape(), "the prediction", whole)?;
                Target::Values(target)
            }
        };
        let prediction = match axis {
            Some(axis) if axis + 1 < whole.len() => {
                Cow::Owned(prediction.clone().with_last_axis(axis))
            }
            _ => Cow::Borrowed(prediction),
        };
        for (what, array) in [("weights", weights), ("mask", mask)] {
            if let Some(array) = array {
                same_shape(what, array.shape(), "the examples", &shape)?;
            }
        }
        if let Some(class_weights) = &cost.class_weights
            && class_weights.len() != width
        {
            return Err(Error::ShapeMismatch {
                what: "class_weights",
                found: vec![class_weights.len()],
                with: "the classes",
                expected: vec![width],
            });
        }
        if cost.ignored_class.is_some() && !matches!(target, Target::Labels(_)) {
            return Err(Error::DoesNotApply {
                loss: cost.loss.id(),
                setting: "an ignored class",
                reason: "the targets are distributions, not labels; use a mask",
            });
        }
        let examples = shape.iter().product();
        Ok(Self { cost, prediction, target, weights, mask, examples, width, axis, whole, shape })
    }

    /// Adds the weights and counts alone: what a mean is divided by.
    pub fn tally(&self, state: &mut CostState) -> Result<(), Error> {
        if !self.weights_matter() && self.cost.class_weights.is_none() {
            state.extend_counts(self.examples, self.examples, None);
            return Ok(());
        }
        self.tally_range(0..self.examples, state)
    }

    fn tally_range(&self, range: Range<usize>, state: &mut CostState) -> Result<(), Error> {
        if let Some(middle) = self.middle(&range) {
            return both(
                state,
                |state| self.tally_range(range.start..middle, state),
                |state| self.tally_range(middle..range.end, state),
            );
        }
        let (mut weighing, mut scratch) = (Weighing::default(), Vec::new());
        for block in self.blocks(range) {
            self.weigh(&block, &mut weighing)?;
            let scored = weighing.as_scored(self, &block, &[]);
            scored.count_to(state, block.len(), &mut scratch);
        }
        Ok(())
    }

    /// Where to cut a range in two, if that is worth it: between blocks, so that all but the last are
    /// whole.
    fn middle(&self, range: &Range<usize>) -> Option<usize> {
        let enough = range.len() >= 2 && range.len() * self.width >= 2 * PARALLEL;
        // Handing work to the only thread that there is would cost, and gain nothing.
        let enough = enough && rayon::current_num_threads() > 1;
        let (half, block) = (range.len() / 2, self.block_examples());
        let half = if half > block { half / block * block } else { half };
        enough.then_some(range.start + half)
    }

    /// Computes what is wanted, derivatives divided by `divisor`, and adds the losses up.
    pub fn run(
        &self,
        wanted: &mut Results<'_, '_>,
        divisor: f64,
        state: &mut CostState,
    ) -> Result<(), Error> {
        self.fit(wanted)?;
        if self.in_f32() {
            self.divide::<f32>(0..self.examples, wanted, divisor, state)
        } else {
            self.divide::<f64>(0..self.examples, wanted, divisor, state)
        }
    }

    /// Where nothing is valid: every derivative that is wanted is this number.
    pub fn fill(&self, wanted: &mut Results<'_, '_>, value: f64) -> Result<(), Error> {
        self.fit(wanted)?;
        let Results { losses, gradient, second, curvature, product, .. } = wanted;
        let product = product.as_mut().map(|product| &mut product.to);
        if let Some(losses) = losses {
            losses.fill(0.0);
        }
        let derivatives = [gradient.as_mut(), second.as_mut(), curvature.as_mut(), product];
        for array in derivatives.into_iter().flatten() {
            array.fill(value);
        }
        Ok(())
    }

    /// Refuses results whose shapes do not fit, and moves the axis of their rows to where the prediction has it.
    fn fit(&self, wanted: &mut Results<'_, '_>) -> Result<(), Error> {
        let Results { losses, gradient, second, curvature, product, .. } = wanted;
        let derivatives = [("gradient", gradient), ("second", second), ("curvature", curvature)];
        for (what, array) in derivatives {
            if let Some(array) = array {
                same_shape(what, array.shape(), "the prediction", self.whole)?;
                self.axis.into_iter().for_each(|axis| array.move_to_end(axis));
            }
        }
        if let Some(Product { vector, to }) = product {
            same_shape("vector", vector.shape(), "the prediction", self.whole)?;
            same_shape("product", to.shape(), "the prediction", self.whole)?;
            if let Some(axis) = self.axis {
                *vector = vector.clone().with_last_axis(axis);
                to.move_to_end(axis);
            }
        }
        if let Some(losses) = losses {
            same_shape("losses", losses.shape(), "the examples", &self.shape)?;
        }
        Ok(())
    }

    /// Calls `each` with the losses of one block after the other.
    pub fn score(&self, each: &mut dyn FnMut(Scored<'_>)) -> Result<(), Error> {
        let (whole, mut sink) = (0..self.examples, Sink::Each(each));
        if self.in_f32() {
            self.sequence::<f32>(whole, &mut Results::default(), 1.0, &mut sink)
        } else {
            self.sequence::<f64>(whole, &mut Results::default(), 1.0, &mut sink)
        }
    }

    fn in_f32(&self) -> bool {
        let target_needs_f64 = match &self.target {
            Target::Values(target) => target.needs_f64(),
            Target::Distributions(target) => target.needs_f64(),
            Target::Labels(_) => false,
        };
        self.prediction.is_narrow() && !target_needs_f64
    }

    /// Halves the work until it is small, each half on a thread that has nothing else to do. The
    /// halves' sums are exact, so it does not matter where they are cut.
    fn divide<T: Kernel>(
        &self,
        range: Range<usize>,
        wanted: &mut Results<'_, '_>,
        divisor: f64,
        state: &mut CostState,
    ) -> Result<(), Error> {
        let middle = self.middle(&range).filter(|_| wanted.can_be_split());
        if let Some(middle) = middle {
            let whole = std::mem::take(wanted);
            let (mut front, mut back) = whole.split(middle - range.start, self.width);
            return both(
                state,
                |state| self.divide::<T>(range.start..middle, &mut front, divisor, state),
                |state| self.divide::<T>(middle..range.end, &mut back, divisor, state),
            );
        }
        let mut sink = if wanted.without_value { Sink::Counts(state) } else { Sink::Total(state) };
        self.sequence::<T>(range, wanted, divisor, &mut sink)
    }

    /// One block after the other.
    fn sequence<T: Kernel>(
        &self,
        range: Range<usize>,
        wanted: &mut Results<'_, '_>,
        divisor: f64,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let origin = range.start;
        let mut buffers = Buffers::<T>::default();
        for block in self.blocks(range) {
            self.block(&block, origin, wanted, divisor, &mut buffers, sink)?;
        }
        if let Sink::Total(state) = sink {
            state.flush(&mut buffers.bulk);
        }
        if self.is_past_caches::<T>() {
            memory::settle();
        }
        Ok(())
    }

    fn block_examples(&self) -> usize {
        (BLOCK / self.width.max(1)).max(1)
    }

    fn blocks(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let (end, step) = (range.end, self.block_examples());
        range.step_by(step).map(move |start| start..(start + step).min(end))
    }

    fn block<T: Kernel>(
        &self,
        block: &Range<usize>,
        origin: usize,
        wanted: &mut Results<'_, '_>,
        divisor: f64,
        buffers: &mut Buffers<T>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let (n, start) = (block.len(), block.start * self.width);
        let elements = n * self.width;
        let Buffers {
            prediction,
            column,
            target,
            value,
            losses,
            weighted,
            gradient,
            second,
            curvature,
            product,
            vector,
            weighing,
            bulk,
        } = buffers;
        self.weigh(block, weighing)?;

        let prediction = self.prediction.read(start..start + elements, prediction);
        let description = self.cost.loss.description();
        let valid = weighing.valid.as_slice();
        self.check_predictions(prediction, column, block.start, valid)?;
        let (numbers, width) = match &self.target {
            Target::Values(array) => (Some(*array), 1),
            Target::Distributions(array) => (Some(array), self.width),
            Target::Labels(_) => (None, 0),
        };
        let of_block = block.start * width..block.end * width;
        let target = numbers.map_or(&[][..], |array| array.read(of_block, target));
        self.check("target", target, width, description.target, block.start, valid)?;

        // Derivatives go straight to the caller's memory where it is of the kernel's type.
        let place = (block.start - origin) * self.width..(block.end - origin) * self.width;
        let Results {
            losses: wanted_losses,
            gradient: in_gradient,
            second: in_second,
            curvature: in_curvature,
            product: in_product,
            ..
        } = wanted;
        let (multiplied_by, in_product) = match in_product {
            None => (None, None),
            Some(Product { vector: array, to }) => {
                (Some(array.read(start..start + elements, vector)), Some(to))
            }
        };
        let full = match &self.cost.loss.kernels {
            Kernels::ClassAxis(kernels) if kernels.hessian() == Hessian::Full => Some(kernels),
            _ => None,
        };
        let diagonal = multiplied_by.is_some() && full.is_none();
        let needs_second = in_curvature.is_some() || diagonal;
        // Second derivatives come with the gradient.
        let needs_gradient = in_second.is_some() || needs_second;
        let mut to_gradient = Place::new(in_gradient.as_mut(), &place, gradient, needs_gradient);
        let mut to_second = Place::new(in_second.as_mut(), &place, second, needs_second);
        let mut to_curvature = Place::new(in_curvature.as_mut(), &place, curvature, false);
        let mut to_product = Place::new(in_product, &place, product, false);
        let mut inputs = Inputs { prediction, target, labels: &weighing.labels };
        if let Some(whole) = T::contiguous(&self.prediction).filter(|_| self.has_class_axis()) {
            inputs.prediction = &whole[start..whole.len().min(start + elements + self.width)];
        }
        if let Sink::Total(state) = sink
            && !self.has_class_axis()
            && !self.weights_matter()
            && wanted_losses.is_none()
            && !needs_second
        {
            weighing.as_scored(self, block, &[]).count_to(state, n, weighted);
            self.stream(&inputs, [&mut to_gradient, &mut to_second], divisor, state, bulk);
            to_gradient.finish();
            to_second.finish();
            return Ok(());
        }
        value.resize(n, T::default());
        losses.resize(n, 0.0);
        let to = Outputs::new(value, &mut *to_gradient.slice, &mut *to_second.slice);
        let hessian = full.zip(multiplied_by).map(|(_, vector)| (vector, &mut *to_product.slice));
        self.run_kernels(&inputs, to, losses, hessian);
        if !to_curvature.slice.is_empty() {
            to_curvature.slice.copy_from_slice(to_second.slice);
            self.put_curvature(&inputs, to_gradient.slice, to_curvature.slice);
        }
        if let Some(vector) = multiplied_by.filter(|_| diagonal) {
            for ((to, &second), &v) in
                to_product.slice.iter_mut().zip(&*to_second.slice).zip(vector)
            {
                *to = second * v;
            }
        }

        let weights = self.weights_matter().then_some(weighing.weights.as_slice());
        for place in [&mut to_gradient, &mut to_second, &mut to_curvature, &mut to_product] {
            rescale(place.slice, self.width, divisor, weights);
        }
        to_gradient.finish();
        to_second.finish();
        to_curvature.finish();
        to_product.finish();
        let computed = Computed { value, losses, weighted, weighing };
        let place = wanted_losses.as_mut().map(|array| (array, block.start - origin));
        self.deliver(block, computed, place, sink);
        Ok(())
    }

    /// Computes a block whose losses are only added up, a run at a time: what has been computed stays close by.
    fn stream<T: Kernel>(
        &self,
        inputs: &Inputs<'_, T>,
        [gradient, second]: [&mut Place<'_, '_, T>; 2],
        divisor: f64,
        state: &mut CostState,
        bulk: &mut Bulk,
    ) {
        // A handful is not worth much memory that has to be cleared.
        let (mut few, mut many);
        let value: &mut [T] = if inputs.target.len() <= FEW {
            few = Aligned([T::default(); FEW]);
            &mut few.0
        } else {
            many = Aligned([T::default(); RUN]);
            &mut many.0
        };
        let factor = T::from_f64(1.0 / divisor);
        let (scale, divisor) =
            if is_factor(factor) { (factor, 1.0) } else { (T::from_f64(1.0), divisor) };
        let is_kept = gradient.is_kept() && second.is_kept();
        let past_caches = is_kept && self.is_past_caches::<T>();
        let step = if past_caches { RUN / self.width } else { value.len() };
        let mut predictions = inputs.prediction.chunks(step * self.width).peekable();
        let mut gradients = gradient.slice.chunks_mut(step * self.width).peekable();
        let mut seconds = second.slice.chunks_mut(step * self.width).peekable();
        let mut targets = inputs.target.chunks(step).peekable();
        let mut scratch = past_caches.then(|| [Aligned([T::default(); RUN]); 2]);
        while let Some(target) = targets.next() {
            let prediction = predictions.next().unwrap_or_default();
            let run = Inputs { prediction, target, labels: &[] };
            let value = &mut value[..target.len()];
            let gradient = gradients.next().unwrap_or_default();
            let second = seconds.next().unwrap_or_default();
            if past_caches {
                for next in [predictions.peek(), targets.peek()].into_iter().flatten() {
                    memory::prefetch(next);
                }
            }
            if let Some([slopes, bends]) = &mut scratch {
                let (slopes, bends) =
                    (&mut slopes.0[..gradient.len()], &mut bends.0[..second.len()]);
                self.run_scaled(
                    &run,
                    Outputs { value, gradient: slopes, second: bends, scale },
                    divisor,
                );
                memory::copy_past_caches(slopes, gradient);
                memory::copy_past_caches(bends, second);
            } else {
                self.run_scaled(&run, Outputs { value, gradient, second, scale }, divisor);
                for next in [gradients.peek(), seconds.peek()].into_iter().flatten() {
                    memory::prefetch(next);
                }
            }
            state.add_values(value, bulk);
        }
    }

    /// Whether there is so much of a derivative that the caches do not hold it.
    fn is_past_caches<T>(&self) -> bool {
        self.examples * self.width * size_of::<T>() >= memory::LARGE && self.width <= RUN
    }

    /// Runs the kernel of the loss over a run, and divides derivatives by what `to.scale` does not.
    fn run_scaled<T: Kernel>(&self, inputs: &Inputs<'_, T>, to: Outputs<'_, T>, divisor: f64) {
        let Outputs { value, gradient, second, scale } = to;
        let to = Outputs { value, gradient: &mut *gradient, second: &mut *second, scale };
        self.run_kernels(inputs, to, &mut [], None);
        rescale(gradient, self.width, divisor, None);
        rescale(second, self.width, divisor, None);
    }

    /// Brings the losses of a block to where they are wanted.
    fn deliver<T: Kernel>(
        &self,
        block: &Range<usize>,
        computed: Computed<'_, T>,
        place: Option<(&mut ArrayMut<'_>, usize)>,
        sink: &mut Sink<'_>,
    ) {
        let Computed { value, losses, weighted, weighing } = computed;
        let (n, none) = (block.len(), weighing.as_scored(self, block, &[]));
        match sink {
            Sink::Counts(state) if place.is_none() => return none.count_to(state, n, weighted),
            Sink::Total(state) if place.is_none() && !self.weights_matter() => {
                none.count_to(state, n, weighted);
                if !self.has_class_axis() {
                    widen(value, losses);
                }
                return state.absorb_sum(losses);
            }
            _ => {}
        }
        if !self.has_class_axis() {
            widen(value, losses);
        }
        if matches!(sink, Sink::Each(_)) {
            for (loss, &valid) in losses.iter_mut().zip(&weighing.valid) {
                if !valid {
                    *loss = 0.0;
                }
            }
        }
        let scored = weighing.as_scored(self, block, losses);
        if let Some((array, start)) = place {
            scored.weigh(weighted);
            array.write(start, weighted);
        }
        match sink {
            Sink::Each(each) => each(scored),
            Sink::Counts(state) => scored.count_to(state, n, weighted),
            Sink::Total(state) => {
                scored.sum_to(state, weighted);
                scored.count_to(state, n, weighted);
            }
        }
    }

    fn has_class_axis(&self) -> bool {
        self.cost.loss.has_class_axis()
    }

    /// Puts curvatures in the place of second derivatives.
    fn put_curvature<T: Kernel>(&self, inputs: &Inputs<'_, T>, gradient: &[T], second: &mut [T]) {
        let residual = |at: usize| match self.axis {
            None => inputs.prediction[at] - inputs.target[at],
            Some(_) => T::default(),
        };
        self.cost.loss.description().curvature.put(residual, gradient, second);
    }

    /// Runs the kernel of the loss over a block; of losses over a class axis the results are in
    /// `losses`, of others in `value`.
    fn run_kernels<T: Kernel>(
        &self,
        inputs: &Inputs<'_, T>,
        to: Outputs<'_, T>,
        losses: &mut [f64],
        hessian: Option<(&[T], &mut [T])>,
    ) {
        let &Inputs { prediction, target, labels } = inputs;
        let set = InstructionSet::in_use();
        match &self.cost.loss.kernels {
            Kernels::Pointwise(kernels) => {
                T::run_pointwise(&**kernels, set, prediction, target, to);
            }
            Kernels::Joint(kernels) => {
                T::run_joint(&**kernels, set, prediction, target, to);
            }
            Kernels::ClassAxis(kernels) => {
                let rows = ClassBlock {
                    classes: self.width,
                    prediction,
                    targets: match &self.target {
                        Target::Labels(_) => ClassTargets::Labels(labels),
                        _ => ClassTargets::Distributions(target),
                    },
                    class_weights: self.cost.class_weights.as_deref(),
                    smoothing: kernels.smoothing().unwrap_or(0.0),
                };
                let to = ClassOutputs { value: losses, gradient: to.gradient, second: to.second };
                T::run_rows(&**kernels, set, &rows, to);
                if let Some((vector, product)) = hessian {
                    T::run_hessian(&**kernels, set, &rows, vector, product);
                }
            }
        }
    }

    /// Refuses predictions outside their domain, or that of their component.
    fn check_predictions<T: Kernel>(
        &self,
        prediction: &[T],
        column: &mut Vec<T>,
        start: usize,
        valid: &[bool],
    ) -> Result<(), Error> {
        let description = self.cost.loss.description();
        if description.components.is_empty() {
            let domain = description.prediction;
            return self.check("prediction", prediction, self.width, domain, start, valid);
        }
        for (place, component) in description.components.iter().enumerate() {
            if component.domain != Domain::Real {
                column.clear();
                column.extend(prediction.iter().skip(place).step_by(self.width));
                self.check(component.name, column, 1, component.domain, start, valid)?;
            }
        }
        Ok(())
    }

    /// Refuses numbers outside a domain, unless their example is not valid. `width` of the numbers
    /// belong to an example.
    pub(super) fn check<T: Kernel>(
        &self,
        what: &'static str,
        numbers: &[T],
        width: usize,
        domain: Domain,
        start: usize,
        valid: &[bool],
    ) -> Result<(), Error> {
        let mut all_inside = true;
        if !matches!(domain, Domain::Real | Domain::LogProbability) {
            let work = Inside { numbers, domain, all: &mut all_inside };
            isa::run(InstructionSet::in_use(), work);
        }
        if all_inside {
            return Ok(());
        }
        let wrong = |&(at, &x): &(usize, &T)| {
            !domain.contains(x) && valid.get(at / width).is_none_or(|valid| *valid)
        };
        match numbers.iter().enumerate().find(wrong) {
            None => Ok(()),
            Some((at, x)) => {
                let (value, position) = (x.to_f64(), start + at / width);
                Err(Error::OutsideDomain {
                    what,
                    value,
                    position,
                    loss: self.cost.loss.id(),
                    domain,
                })
            }
        }
    }
}

/// Derivatives of a block, in the caller's memory or in scratch memory that is copied afterwards.
struct Place<'a, 'b, T> {
    slice: &'a mut [T],
    copy_to: Option<(&'a mut ArrayMut<'b>, usize)>,
    is_scratch: bool,
}

impl<'a, 'b, T: Kernel> Place<'a, 'b, T> {
    fn new(
        array: Option<&'a mut ArrayMut<'b>>,
        at: &Range<usize>,
        scratch: &'a mut Vec<T>,
        also_without: bool,
    ) -> Self {
        let Some(array) = array else {
            scratch.resize(if also_without { at.len() } else { 0 }, T::default());
            return Self { slice: scratch, copy_to: None, is_scratch: true };
        };
        if T::contiguous_mut(array).is_none() {
            scratch.resize(at.len(), T::default());
            return Self { slice: scratch, copy_to: Some((array, at.start)), is_scratch: true };
        }
        let whole = T::contiguous_mut(array).unwrap_or_default();
        Self { slice: &mut whole[at.clone()], copy_to: None, is_scratch: false }
    }

    /// Whether what is written stays there; scratch memory is read again at once.
    fn is_kept(&self) -> bool {
        !self.is_scratch || self.slice.is_empty()
    }

    fn finish(self) {
        if let Some((array, start)) = self.copy_to {
            array.write(start, self.slice);
        }
    }
}

/// Does to derivatives what the cost does to losses. Where an example has weight 0 they become
/// exactly 0, whatever they were.
fn rescale<T: Kernel>(slice: &mut [T], width: usize, divisor: f64, weights: Option<&[f64]>) {
    if slice.is_empty() || weights.is_none() && divisor == 1.0 {
        return;
    }
    isa::run(InstructionSet::in_use(), Rescale { slice, width: width.max(1), divisor, weights });
}

struct Rescale<'a, T> {
    slice: &'a mut [T],
    width: usize,
    divisor: f64,
    weights: Option<&'a [f64]>,
}

impl<T: Real> Work for Rescale<'_, T> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { slice, width, divisor, weights } = self;
        match weights {
            None => scale(slice, 1.0, divisor),
            Some(weights) if width == 1 => {
                let factor = |weight: f64| T::from_f64(weight / divisor);
                if weights.iter().fold(true, |all, &weight| all & is_factor(factor(weight))) {
                    for (x, &weight) in slice.iter_mut().zip(weights) {
                        *x = *x * factor(weight);
                    }
                } else {
                    for (x, &weight) in slice.iter_mut().zip(weights) {
                        scale(std::slice::from_mut(x), weight, divisor);
                    }
                }
            }
            Some(weights) => {
                let rows = slice.chunks_exact_mut(width).zip(weights);
                rows.for_each(|(row, &weight)| scale(row, weight, divisor));
            }
        }
    }
}

/// Can it be represented, with all its digits?
#[inline(always)]
#[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
fn is_factor<T: Real>(factor: T) -> bool {
    (factor >= T::SMALLEST_NORMAL) & (factor < T::from_f64(f64::INFINITY))
}

#[inline(always)]
fn scale<T: Real>(row: &mut [T], weight: f64, divisor: f64) {
    let factor = T::from_f64(weight / divisor);
    if is_factor(factor) {
        for x in row {
            *x = *x * factor;
        }
    } else {
        // One factor cannot be represented; the results may be.
        for x in row {
            let exact = if weight == 0.0 { 0.0 } else { x.to_f64() / divisor * weight };
            *x = T::from_f64(exact);
        }
    }
}

/// Whether all numbers are in a domain.
struct Inside<'a, T> {
    numbers: &'a [T],
    domain: Domain,
    all: &'a mut bool,
}

impl<T: Real> Work for Inside<'_, T> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        // No early exit: this way the compiler can use vectors. And a loop for each domain.
        macro_rules! all_in {
            ($($domain:ident)*) => {
                match self.domain {
                    $(Domain::$domain => self
                        .numbers
                        .iter()
                        .fold(true, |all, &x| all & Domain::$domain.contains(x)),)*
                }
            };
        }
        *self.all = all_in! { Real LogProbability Unit Sign NonNegative Positive OpenUnit };
    }
}

/// The numbers of a block that a kernel reads.
struct Inputs<'a, T> {
    /// Over a class axis the next row may follow.
    prediction: &'a [T],
    target: &'a [T],
    labels: &'a [Option<usize>],
}

/// The losses of a block, in `value` or, over a class axis, in `losses`.
struct Computed<'b, T> {
    value: &'b [T],
    losses: &'b mut Vec<f64>,
    weighted: &'b mut Vec<f64>,
    weighing: &'b Weighing,
}

/// Memory that is used for block after block.
#[derive(Default)]
struct Buffers<T> {
    prediction: Vec<T>,
    /// One of the components of the prediction.
    column: Vec<T>,
    target: Vec<T>,
    value: Vec<T>,
    losses: Vec<f64>,
    weighted: Vec<f64>,
    gradient: Vec<T>,
    second: Vec<T>,
    curvature: Vec<T>,
    product: Vec<T>,
    vector: Vec<T>,
    weighing: Weighing,
    /// Losses that are not yet in the state.
    bulk: Bulk,
}

/// Both halves of some work, at once; of two errors the one that comes first.
fn both(
    state: &mut CostState,
    front: impl FnOnce(&mut CostState) -> Result<(), Error> + Send,
    back: impl FnOnce(&mut CostState) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let mut of_back = CostState::default();
    let (front, back) = rayon::join(|| front(state), || back(&mut of_back));
    state.merge(&of_back);
    front.and(back)
}

fn widen<T: Kernel>(values: &[T], losses: &mut [f64]) {
    for (loss, &value) in losses.iter_mut().zip(values) {
        *loss = value.to_f64();
    }
}

/// The axis of the classes or components.
fn row_axis(cost: &Cost, shape: &[usize]) -> Result<usize, Error> {
    let (loss, axis) = (cost.loss.id(), cost.axis);
    let of = if cost.loss.has_class_axis() { "classes" } else { "components" };
    let dimensions = shape.len() as isize;
    let from_start = if axis < 0 { axis + dimensions } else { axis };
    if !(0..dimensions).contains(&from_start) {
        return Err(Error::NoSuchAxis { loss, of, shape: shape.to_vec(), axis });
    }
    let (found, components) =
        (shape[from_start as usize], cost.loss.description().component_names());
    if !components.is_empty() && components.len() != found {
        return Err(Error::ComponentCount { loss, found, components });
    }
    if found == 0 {
        return Err(Error::EmptyAxis { loss, of, shape: shape.to_vec() });
    }
    Ok(from_start as usize)
}

pub(super) fn same_shape(
    what: &'static str,
    found: &[usize],
    with: &'static str,
    expected: &[usize],
) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::ShapeMismatch { what, found: found.to_vec(), with, expected: expected.to_vec() })
}
