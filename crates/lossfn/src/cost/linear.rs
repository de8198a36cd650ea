//! A linear layer and the cost of its scores, which are never there all at once.

use super::pass::{Pass, same_shape};
use super::weigh::Weighing;
use super::{Cost, CostState, Divisor, Examples, Reduction, Results};
use crate::array::{Array, ArrayMut, Kernel};
use crate::describe::Domain;
use crate::error::Error;
use crate::kernel::BLOCK;
use crate::product::product;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, Ix2, arr0, s};
use rayon::prelude::*;
use std::ops::Range;

/// The memory that scores fill at least, in bytes, if there are as many.
const ENOUGH: usize = 32 << 20;
/// The memory that they fill at most, unless one example has more.
const MOST: usize = 256 << 20;
/// Examples from which on matrix products run at full speed.
const ROWS: usize = 512;
/// Classes whose part of the layer is multiplied at a time.
const CLASSES: usize = 512;
/// Elements that a thread computes the cost of at a time.
const GROUP: usize = 16 * BLOCK;
/// Multiplications from which on work is spread over threads.
const PARALLEL: usize = 1 << 18;

/// A linear layer and a [`Cost`] of its scores `hidden · classifierᵀ + bias`, by a loss over a class axis:
/// the last layer of a language model with its cross-entropy. Fused, as the scores of all examples, which
/// are often larger than everything else, are never in memory.
///
/// The classifier has the shape (classes, width). Examples are hidden states of the shape (examples,
/// width), in the place of the prediction, and a label for each; the cost has all that [`Cost`] has.
/// Arrays may be of any element type and strides. All is computed in f32 if hidden states, classifier and
/// bias have half or single precision, else in f64.
///
/// - Time is that of three matrix products, or of one for the value alone. Examples that do not count
///   cost nothing, and may have hidden states that are not finite.
/// - Memory beside that of the caller is a block of scores: 32 MiB, or if those are of less than 512
///   examples, these, but no more than 256 MiB or one example. Besides, there are a few MiB for each thread,
///   some numbers for each example and class, and one more case: a gradient by the classifier that is
///   wanted in f16 or bf16 is added up over blocks in f32, in memory of its own, and rounded once.
/// - Results are the same bits for any number of threads: no sum is cut where threads are. They are not for
///   other examples beside the same ones, or on another instruction set.
///
/// Method: the score matrix in chunks of examples, its gradient in place: Hsu et al. (2024), Liger Kernel,
/// arXiv:2410.10989.
///
/// ```
/// use lossfn::{Cost, Examples, LinearCost, losses::multiclass::SoftmaxCrossEntropy};
/// use ndarray::arr2;
///
/// let cost = Cost::new(SoftmaxCrossEntropy::default()).ignored_class(-100)?;
/// let hidden = arr2(&[[1.0f32, 2.0], [0.5, -1.0], [3.0, 3.0]]);
/// let classifier = arr2(&[[0.1f32, 0.2], [0.0, 0.3], [-0.1, 0.4]]);
/// let labels = [2, 0, -100];
///
/// let (mut by_hidden, mut by_classifier) = (hidden.clone(), classifier.clone());
/// let examples = Examples::new(&hidden, &labels);
/// let value = LinearCost::new(&cost, &classifier)?
///     .value_and_gradients_of(&examples, &mut by_hidden, &mut by_classifier)?;
///
/// let scores = hidden.dot(&classifier.t());
/// assert!((value - cost.value(&scores, &labels)?).abs() < 1e-6);
/// assert_eq!(by_hidden.row(2).to_vec(), [0.0, 0.0]);
/// # Ok::<(), lossfn::Error>(())
/// ```
#[doc(alias = "linear_cross_entropy")]
#[doc(alias = "fused_linear_cross_entropy")]
#[derive(Clone, Debug)]
pub struct LinearCost<'a> {
    cost: Cost,
    classifier: Array<'a>,
    bias: Option<Array<'a>>,
}

/// The results that are wanted of a [`LinearCost`], and the memory that they go to. What has no place is
/// not computed.
#[derive(Debug, Default)]
pub struct LinearResults<'a> {
    losses: Option<ArrayMut<'a>>,
    hidden: Option<ArrayMut<'a>>,
    classifier: Option<ArrayMut<'a>>,
    bias: Option<ArrayMut<'a>>,
}

impl<'a> LinearResults<'a> {
    /// The losses one by one, each times its weight; 0 for examples that do not count.
    #[must_use]
    pub fn losses(self, to: impl Into<ArrayMut<'a>>) -> Self {
        Self { losses: Some(to.into()), ..self }
    }

    /// The derivative of the cost by the hidden states, with their shape.
    #[must_use]
    pub fn hidden_gradient(self, to: impl Into<ArrayMut<'a>>) -> Self {
        Self { hidden: Some(to.into()), ..self }
    }

    /// The derivative of the cost by the classifier, with its shape.
    #[must_use]
    pub fn classifier_gradient(self, to: impl Into<ArrayMut<'a>>) -> Self {
        Self { classifier: Some(to.into()), ..self }
    }

    /// The derivative of the cost by the bias, one number for each class; also where there is no bias,
    /// which then is 0.
    #[must_use]
    pub fn bias_gradient(self, to: impl Into<ArrayMut<'a>>) -> Self {
        Self { bias: Some(to.into()), ..self }
    }

    fn has_derivative(&self) -> bool {
        self.hidden.is_some() || self.classifier.is_some() || self.bias.is_some()
    }

    fn derivatives(&mut self) -> impl Iterator<Item = &mut ArrayMut<'a>> {
        [&mut self.hidden, &mut self.classifier, &mut self.bias].into_iter().flatten()
    }
}

impl<'a> LinearCost<'a> {
    /// A layer of the shape (classes, width), and the cost of its scores. The class axis of the cost does
    /// not matter: scores have it last.
    ///
    /// # Errors
    /// [`Error::NotAMatrix`]; [`Error::DoesNotApply`] unless the loss is one of raw scores over a class axis.
    pub fn new(cost: &Cost, classifier: impl Into<Array<'a>>) -> Result<Self, Error> {
        cost.needs_class_axis("a linear layer")?;
        if cost.loss.description().prediction != Domain::Real {
            return Err(Error::DoesNotApply {
                loss: cost.loss.id(),
                setting: "a linear layer",
                reason: "its predictions are no raw scores, which may be any number",
            });
        }
        let classifier = classifier.into();
        matrix("classifier", &classifier, "(classes, width)")?;
        Ok(Self { cost: Cost { axis: -1, ..cost.clone() }, classifier, bias: None })
    }

    /// Sets what is added to the scores: a number for each class.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`].
    pub fn bias(self, bias: impl Into<Array<'a>>) -> Result<Self, Error> {
        let bias = bias.into();
        same_shape("bias", bias.shape(), "the classes", &self.classifier.shape()[..1])?;
        Ok(Self { bias: Some(bias), ..self })
    }

    /// The cost of examples: hidden states of the shape (examples, width) in the place of the prediction,
    /// and a label for each.
    ///
    /// # Errors
    /// Shapes that do not fit, labels that are no classes, weights that are negative or not finite, nothing
    /// valid, [`Reduction::None`].
    pub fn value_of(&self, examples: &Examples<'_>) -> Result<f64, Error> {
        self.value_with(examples, LinearResults::default())
    }

    /// The cost of examples, and its derivatives by the hidden states and by the classifier, with their
    /// shapes.
    ///
    /// # Errors
    /// As [`LinearCost::value_of`].
    pub fn value_and_gradients_of<'b>(
        &self,
        examples: &Examples<'_>,
        by_hidden: impl Into<ArrayMut<'b>>,
        by_classifier: impl Into<ArrayMut<'b>>,
    ) -> Result<f64, Error> {
        let results = LinearResults::default();
        self.value_with(
            examples,
            results.hidden_gradient(by_hidden).classifier_gradient(by_classifier),
        )
    }

    fn value_with(
        &self,
        examples: &Examples<'_>,
        results: LinearResults<'_>,
    ) -> Result<f64, Error> {
        if self.cost.reduction == Reduction::None {
            return Err(Error::NoReduction);
        }
        self.cost.value_of_state(&self.compute(examples, results)?)
    }

    /// Everything that is wanted of examples. The state stands for the cost: see
    /// [`Cost::value_of_state`]. With [`Reduction::None`] derivatives are those of the sum.
    ///
    /// # Errors
    /// As [`LinearCost::value_of`], except for what concerns the mean where no derivative is wanted.
    pub fn compute(
        &self,
        examples: &Examples<'_>,
        results: LinearResults<'_>,
    ) -> Result<CostState, Error> {
        let bias_is_narrow = self.bias.as_ref().is_none_or(Array::is_narrow);
        if examples.prediction.is_narrow() && self.classifier.is_narrow() && bias_is_narrow {
            self.compute_in::<f32>(examples, results)
        } else {
            self.compute_in::<f64>(examples, results)
        }
    }

    fn compute_in<T: Kernel>(
        &self,
        examples: &Examples<'_>,
        mut results: LinearResults<'_>,
    ) -> Result<CostState, Error> {
        let hidden = &examples.prediction;
        let [n, width] = matrix("hidden", hidden, "(examples, width)")?;
        let [classes, layer_width] = matrix("classifier", &self.classifier, "(classes, width)")?;
        same_shape("hidden", &[n, width], "what the classifier takes", &[n, layer_width])?;
        same_shape("target", examples.target.shape(), "the examples", &[n])?;
        let wanted: [(_, &Option<ArrayMut<'_>>, _, &[usize]); 4] = [
            ("losses", &results.losses, "the examples", &[n]),
            ("hidden_gradient", &results.hidden, "hidden", &[n, width]),
            ("classifier_gradient", &results.classifier, "the classifier", &[classes, width]),
            ("bias_gradient", &results.bias, "the classes", &[classes]),
        ];
        for (what, array, with, expected) in wanted {
            if let Some(array) = array {
                same_shape(what, array.shape(), with, expected)?;
            }
        }

        // What does not depend on the scores is known before there are any: scores of no memory stand
        // for them.
        let no_scores = arr0(T::default());
        // They have positions that can be counted in bytes, as those of memory have.
        let bytes = [n, classes, size_of::<T>()].into_iter().try_fold(1, usize::checked_mul);
        let no_scores = bytes.and_then(|_| no_scores.broadcast((n, classes)));
        let no_scores = no_scores.ok_or(Error::TooManyScores { examples: n, classes })?;
        let whole = Examples {
            prediction: T::array(no_scores),
            target: examples.target.view(),
            weights: examples.weights.as_ref().map(Array::view),
            mask: examples.mask.as_ref().map(Array::view),
        };
        let pass = Pass::new(&self.cost, &whole)?;
        let counted = Counted::new(&pass, n)?;
        let mut divisor = 1.0;
        if self.cost.reduction == Reduction::Mean && results.has_derivative() {
            let mut tally = CostState::default();
            pass.tally(&mut tally)?;
            match self.cost.divisor(&tally)? {
                Divisor::Number(number) => divisor = number,
                Divisor::Fixed(value) => {
                    results.derivatives().for_each(|array| array.fill(value));
                    results.losses.iter_mut().for_each(|array| array.fill(0.0));
                    return Ok(tally);
                }
            }
        }
        let work = counted.rows.len().saturating_mul(width).saturating_mul(classes);
        if work < PARALLEL || rayon::current_num_threads() == 1 {
            return self.in_blocks::<T>(Threads::One, hidden, &counted, divisor, &mut results);
        }
        // All of it there, so that it is handed over once.
        rayon::scope(|_| {
            self.in_blocks::<T>(Threads::Many, hidden, &counted, divisor, &mut results)
        })
    }

    /// Scores, their cost and its gradients, a block of examples after the other.
    fn in_blocks<T: Kernel>(
        &self,
        threads: Threads,
        hidden: &Array<'_>,
        counted: &Counted,
        divisor: f64,
        results: &mut LinearResults<'_>,
    ) -> Result<CostState, Error> {
        let (classes, width) = (self.classifier.shape()[0], hidden.shape()[1]);
        let count = counted.rows.len();
        if count < hidden.shape()[0] {
            let of_examples = [&mut results.hidden, &mut results.losses].into_iter().flatten();
            of_examples.for_each(|array| array.fill(0.0));
        }
        if count == 0 {
            results.derivatives().for_each(|array| array.fill(0.0));
        }
        let at_once = examples_at_once(classes.saturating_mul(size_of::<T>())).min(count);
        let with_gradient = results.has_derivative();
        let bias = self.bias.as_ref().map(|bias| {
            let mut to = vec![T::default(); classes];
            bias.copy(0, &mut to);
            to
        });
        let mut scores = vec![T::default(); at_once * classes];
        let mut states = vec![T::default(); at_once * width];
        let wants_hidden = results.hidden.is_some();
        let mut by_hidden = vec![T::default(); if wants_hidden { at_once * width } else { 0 }];
        let mut losses = vec![0.0; if results.losses.is_some() { at_once } else { 0 }];
        let mut by_bias = vec![0.0; if results.bias.is_some() { classes } else { 0 }];
        let mut by_classifier = Total::<T>::new(results.classifier.as_mut());
        let mut state = counted.left_out.clone();
        for start in (0..count).step_by(at_once.max(1)) {
            let block = start..(start + at_once).min(count);
            let (rows, m) = (&counted.rows[block.clone()], block.len());
            let scores = &mut scores[..m * classes];
            let states = &mut states[..m * width];
            read_rows(threads, hidden, rows, width, states);
            let states = &matrix_of(states, [m, width]);
            let to = matrix_of_mut(scores, [m, classes]);
            self.put_scores(threads, states, bias.as_deref(), to);
            let each = losses.get_mut(..m).unwrap_or_default();
            let divisor = with_gradient.then_some(divisor);
            let costs = self.put_costs(threads, counted, &block, divisor, scores, &mut *each)?;
            state.merge(&costs);
            if let Some(array) = &mut results.losses {
                write_rows(array, rows, 1, each);
            }
            if !with_gradient {
                continue;
            }
            let slopes = &matrix_of(scores, [m, classes]);
            let by_hidden = by_hidden.get_mut(..m * width).unwrap_or_default();
            threads.both(
                || {
                    if wants_hidden {
                        let to = matrix_of_mut(by_hidden, [m, width]);
                        self.put_hidden_gradient(threads, slopes, to);
                    }
                },
                || {
                    if let Some(to) = by_classifier.matrix() {
                        add_classifier_gradient(threads, slopes, states, to, start > 0);
                    }
                    add_bias_gradient(threads, slopes, &mut by_bias);
                },
            );
            if let Some(array) = &mut results.hidden {
                write_rows(array, rows, width, by_hidden);
            }
        }
        by_classifier.finish(threads);
        if let Some(array) = &mut results.bias {
            array.write(0, &by_bias);
        }
        Ok(state)
    }

    /// The scores of hidden states.
    fn put_scores<T: Kernel>(
        &self,
        threads: Threads,
        states: &ArrayView2<'_, T>,
        bias: Option<&[T]>,
        to: ArrayViewMut2<'_, T>,
    ) {
        let width = states.ncols();
        threads.each(tiles(to, [ROWS, CLASSES]), |memory, Tile { rows, columns, mut to }| {
            if let Some(bias) = bias {
                to.assign(&ArrayView1::from(&bias[columns.clone()]));
            }
            let classifier = part(&self.classifier, columns, 0..width, memory);
            product(to, &states.slice(s![rows, ..]), &classifier.t(), bias.is_some());
        });
    }

    /// The cost of scores, and with a divisor its gradient in their place.
    fn put_costs<T: Kernel>(
        &self,
        threads: Threads,
        counted: &Counted,
        block: &Range<usize>,
        divisor: Option<f64>,
        scores: &mut [T],
        losses: &mut [f64],
    ) -> Result<CostState, Error> {
        let classes = self.classifier.shape()[0];
        let rows = (GROUP / classes).max(1);
        let mut states = vec![Ok(CostState::default()); block.len().div_ceil(rows)];
        let mut losses = losses.chunks_mut(rows);
        let groups = scores.chunks_mut(rows * classes).zip(&mut states).enumerate();
        let groups = groups.map(|(at, (scores, state))| {
            let start = block.start + at * rows;
            (start..start + scores.len() / classes, scores, losses.next(), state)
        });
        threads.each(groups.collect(), |memory: &mut Vec<T>, (range, scores, losses, state)| {
            let shape = [range.len(), classes];
            let mut results = Results::default();
            if let Some(losses) = losses {
                results = results.losses(losses);
            }
            let prediction = if divisor.is_some() {
                memory.clear();
                memory.extend_from_slice(scores);
                results = results.gradient(T::array_mut(matrix_of_mut(scores, shape)));
                matrix_of(memory, shape)
            } else {
                matrix_of(scores, shape)
            };
            let mut examples = Examples::new(T::array(prediction), &counted.labels[range.clone()]);
            if let Some(weights) = &counted.weights {
                examples = examples.weights(&weights[range]);
            }
            *state = Pass::new(&self.cost, &examples).and_then(|pass| {
                let mut state = CostState::default();
                pass.run(&mut results, divisor.unwrap_or(1.0), &mut state)?;
                Ok(state)
            });
        });
        let mut sum = CostState::default();
        for state in states {
            sum.merge(&state?);
        }
        Ok(sum)
    }

    fn put_hidden_gradient<T: Kernel>(
        &self,
        threads: Threads,
        slopes: &ArrayView2<'_, T>,
        to: ArrayViewMut2<'_, T>,
    ) {
        let classes = slopes.ncols();
        threads.each(tiles(to, [ROWS / 2, 256]), |memory, Tile { rows, columns, mut to }| {
            for start in (0..classes).step_by(CLASSES) {
                let some = start..(start + CLASSES).min(classes);
                let slopes = slopes.slice(s![rows.clone(), some.clone()]);
                let classifier = part(&self.classifier, some, columns.clone(), memory);
                product(to.view_mut(), &slopes, &classifier, start > 0);
            }
        });
    }
}

fn add_classifier_gradient<T: Kernel>(
    threads: Threads,
    slopes: &ArrayView2<'_, T>,
    states: &ArrayView2<'_, T>,
    to: ArrayViewMut2<'_, T>,
    add: bool,
) {
    threads.each(tiles(to, [CLASSES, 1024]), |(), Tile { rows, columns, to }| {
        let slopes = slopes.slice(s![.., rows]);
        product(to, &slopes.t(), &states.slice(s![.., columns]), add);
    });
}

fn add_bias_gradient<T: Kernel>(threads: Threads, slopes: &ArrayView2<'_, T>, to: &mut [f64]) {
    threads.each(to.chunks_mut(CLASSES).enumerate().collect(), |(), (at, to)| {
        let start = at * CLASSES;
        for row in slopes.slice(s![.., start..start + to.len()]).rows() {
            for (to, slope) in to.iter_mut().zip(row) {
                *to += slope.to_f64();
            }
        }
    });
}

/// Where work is done.
#[derive(Clone, Copy)]
enum Threads {
    /// Here: it is little, or there is no other thread.
    One,
    /// On all of the current pool.
    Many,
}

impl Threads {
    fn each<I: Send, M: Default>(self, items: Vec<I>, work: impl Fn(&mut M, I) + Send + Sync) {
        match self {
            Self::One => {
                let mut memory = M::default();
                for item in items {
                    work(&mut memory, item);
                }
            }
            Self::Many => items.into_par_iter().for_each_init(M::default, work),
        }
    }

    fn both(self, one: impl FnOnce() + Send, other: impl FnOnce() + Send) {
        match self {
            Self::One => {
                one();
                other();
            }
            Self::Many => {
                rayon::join(one, other);
            }
        }
    }
}

/// The examples that the cost depends on, in their order.
struct Counted {
    rows: Vec<usize>,
    labels: Vec<u64>,
    weights: Option<Vec<f64>>,
    /// The others: those that are not valid, or have weight 0.
    left_out: CostState,
}

impl Counted {
    fn new(pass: &Pass<'_, '_>, n: usize) -> Result<Self, Error> {
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        let mut weights = pass.weights.is_some().then(Vec::new);
        let mut left_out = CostState::default();
        let mut weighing = Weighing::default();
        for start in (0..n).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(n);
            pass.weigh(&block, &mut weighing)?;
            for (at, label) in weighing.labels.iter().enumerate() {
                let weight = weighing.weights.get(at).copied().unwrap_or(1.0);
                match label {
                    None => left_out.skip(1),
                    Some(_) if weight == 0.0 => left_out.add(0.0, 0.0, 0.0),
                    Some(label) => {
                        rows.push(start + at);
                        labels.push(*label as u64);
                        if let Some(weights) = &mut weights {
                            weights.push(weight);
                        }
                    }
                }
            }
        }
        Ok(Self { rows, labels, weights, left_out })
    }
}

/// A matrix that is added up over blocks, in the type that is computed in: the caller's memory if it is of
/// that type, else memory that is copied at the end.
struct Total<'t, 'a, T> {
    to: Option<&'t mut ArrayMut<'a>>,
    own: Option<Array2<T>>,
}

impl<'t, 'a, T: Kernel> Total<'t, 'a, T> {
    fn new(mut to: Option<&'t mut ArrayMut<'a>>) -> Self {
        let own = to.as_mut().and_then(|to| {
            let shape = [to.shape()[0], to.shape()[1]];
            T::view_mut(to).is_none().then(|| Array2::from_elem(shape, T::default()))
        });
        Self { to, own }
    }

    fn matrix(&mut self) -> Option<ArrayViewMut2<'_, T>> {
        if let Some(own) = &mut self.own {
            return Some(own.view_mut());
        }
        T::view_mut(self.to.as_mut()?)?.into_dimensionality::<Ix2>().ok()
    }

    fn finish(self, threads: Threads) {
        if let (Some(to), Some(own)) = (self.to, self.own) {
            write_in_parts(threads, to.view_mut(), own.as_slice().unwrap_or_default());
        }
    }
}

/// A part of a matrix to write to, and where it is.
struct Tile<'a, T> {
    rows: Range<usize>,
    columns: Range<usize>,
    to: ArrayViewMut2<'a, T>,
}

/// Cuts a matrix into tiles of this size. That it does not depend on the number of threads makes results
/// the same for any.
fn tiles<T>(matrix: ArrayViewMut2<'_, T>, [rows, columns]: [usize; 2]) -> Vec<Tile<'_, T>> {
    let mut tiles = Vec::new();
    for (rows, band) in cut(matrix, Axis(0), rows) {
        for (columns, to) in cut(band, Axis(1), columns) {
            tiles.push(Tile { rows: rows.clone(), columns, to });
        }
    }
    tiles
}

fn cut<T>(
    matrix: ArrayViewMut2<'_, T>,
    axis: Axis,
    size: usize,
) -> Vec<(Range<usize>, ArrayViewMut2<'_, T>)> {
    let (mut parts, mut rest, mut start) = (Vec::new(), matrix, 0);
    while rest.len_of(axis) > 0 {
        let length = size.min(rest.len_of(axis));
        let (front, back) = rest.split_at(axis, length);
        parts.push((start..start + length, front));
        (rest, start) = (back, start + length);
    }
    parts
}

/// A part of a matrix in the type that is computed in: its own memory where it is of that type.
fn part<'b, T: Kernel>(
    matrix: &'b Array<'_>,
    rows: Range<usize>,
    columns: Range<usize>,
    memory: &'b mut Vec<T>,
) -> ArrayView2<'b, T> {
    let shape = [rows.len(), columns.len()];
    if let Some(view) = T::view(matrix).and_then(|view| view.into_dimensionality::<Ix2>().ok()) {
        return view.slice_move(s![rows, columns]);
    }
    memory.resize(shape[0] * shape[1], T::default());
    matrix.part(rows, columns).copy(0, memory);
    matrix_of(memory, shape)
}

/// How many examples there are scores of at a time, each of that many bytes.
fn examples_at_once(bytes: usize) -> usize {
    let bytes = bytes.max(1);
    (ENOUGH / bytes).max(ROWS.min(MOST / bytes)).max(1)
}

fn matrix_of<T>(slice: &[T], shape: [usize; 2]) -> ArrayView2<'_, T> {
    ArrayView2::from_shape(shape, slice).expect("a slice of that size")
}

fn matrix_of_mut<T>(slice: &mut [T], shape: [usize; 2]) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape(shape, slice).expect("a slice of that size")
}

/// Rows of a matrix, converted.
fn read_rows<T: Kernel>(
    threads: Threads,
    matrix: &Array<'_>,
    rows: &[usize],
    width: usize,
    to: &mut [T],
) {
    let width = width.max(1);
    let run = GROUP.div_ceil(width);
    let runs = to.chunks_mut(run * width).zip(rows.chunks(run)).collect();
    threads.each(runs, |(), (to, rows): (&mut [T], &[usize])| {
        for (to, row) in to.chunks_mut(width).zip(rows) {
            matrix.copy(row * width, to);
        }
    });
}

/// Writes rows of a matrix.
fn write_rows<T: Kernel>(matrix: &mut ArrayMut<'_>, rows: &[usize], width: usize, from: &[T]) {
    if let (Some(first), Some(last)) = (rows.first(), rows.last())
        && last - first + 1 == rows.len()
    {
        return matrix.write(first * width, from);
    }
    for (row, from) in rows.iter().zip(from.chunks(width.max(1))) {
        matrix.write(row * width, from);
    }
}

/// Writes all elements of an array, over threads where it can be cut.
fn write_in_parts<T: Kernel>(threads: Threads, mut to: ArrayMut<'_>, from: &[T]) {
    if from.len() < 2 * GROUP || !to.can_be_split() {
        return to.write(0, from);
    }
    let (front, back) = from.split_at(from.len() / 2);
    let (to_front, to_back) = to.split(front.len());
    threads.both(
        || write_in_parts(threads, to_front, front),
        || write_in_parts(threads, to_back, back),
    );
}

fn matrix(what: &'static str, array: &Array<'_>, axes: &'static str) -> Result<[usize; 2], Error> {
    <[usize; 2]>::try_from(array.shape()).map_err(|_| Error::NotAMatrix {
        what,
        shape: array.shape().to_vec(),
        axes,
    })
}
