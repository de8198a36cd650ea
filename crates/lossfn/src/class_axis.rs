//! What losses over a class axis share: a row of scores, its target, and sums and maxima over it.

use crate::kernel::{ClassOutputs, memory};
use crate::number::{Isa, Lane, Number, Real};

/// What is known of the second derivatives of a row's loss, by any two of its scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hessian {
    /// No more than their diagonal.
    Unknown,
    /// By two different scores they are 0.
    Diagonal,
    /// [`ClassAxis::hessian_row`] multiplies by them.
    Full,
}

/// A loss whose example is a row of class scores.
pub trait ClassAxis: Send + Sync + 'static {
    /// The definition over one row, in plain arithmetic: what the kernel is checked against. The
    /// target is a distribution over the classes, smoothed and weighted already.
    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N;

    /// The label smoothing, if the loss has it: the share of the target that is spread evenly.
    fn smoothing(&self) -> Option<f64>;

    /// Whether the loss is the sum over the classes of the target's share times something that does
    /// not depend on the target. Only then can a class have a weight, and a label be smoothed.
    fn is_linear_in_target(&self) -> bool {
        true
    }

    /// What is known of the second derivatives beyond [`RowGradients::second`].
    fn hessian(&self) -> Hessian {
        Hessian::Unknown
    }

    /// The matrix of second derivatives of one row, times a vector: for those with
    /// [`Hessian::Full`]. Must be `#[inline(always)]`.
    #[inline(always)]
    fn hessian_row<T: Real, I: Isa>(
        &self,
        _row: &ClassRow<'_, T>,
        _vector: &[T],
        product: &mut [T],
    ) {
        product.fill(T::from_f64(f64::NAN));
    }

    /// The kernel over many short rows at once, for those losses that have one; `false` if it does not
    /// apply. Must be `#[inline(always)]`.
    #[inline(always)]
    fn short_rows<T: Real, I: Isa>(
        &self,
        _block: &ClassBlock<'_, T>,
        _to: &mut ClassOutputs<'_, T>,
    ) -> bool {
        false
    }

    /// The kernel over one row: returns the loss and fills the derivatives that are wanted.
    /// `scratch` is memory to use, with something in it or nothing. Must be `#[inline(always)]`.
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64;
}

/// The derivatives of one row that are wanted.
pub struct RowGradients<'a, T> {
    /// By each score.
    pub gradient: Option<&'a mut [T]>,
    /// Twice by each score: the diagonal of the second derivative.
    pub second: Option<&'a mut [T]>,
}

impl<T: Real> RowGradients<'_, T> {
    /// Fills everything that is wanted with one number.
    pub fn fill(&mut self, value: T) {
        for part in [&mut self.gradient, &mut self.second] {
            if let Some(part) = part.as_deref_mut() {
                part.fill(value);
            }
        }
    }

    /// Makes NaN of everything that is wanted, and gives the loss that goes with it.
    #[cold]
    pub fn nan(&mut self) -> f64 {
        self.fill(T::from_f64(f64::NAN));
        f64::NAN
    }
}

/// The targets of a block of rows.
#[derive(Clone, Copy, Debug)]
pub enum ClassTargets<'a, T> {
    /// The index of the class of each row; `None` leaves the row out.
    Labels(&'a [Option<usize>]),
    /// A weight for each class of each row.
    Distributions(&'a [T]),
}

/// A block of rows of class scores.
#[derive(Clone, Copy, Debug)]
pub struct ClassBlock<'a, T> {
    /// The number of classes.
    pub classes: usize,
    /// The scores, row after row. There may be more rows, which are only made ready to be read.
    pub prediction: &'a [T],
    /// The targets.
    pub targets: ClassTargets<'a, T>,
    /// A weight for each class.
    pub class_weights: Option<&'a [f64]>,
    /// The label smoothing of the loss.
    pub smoothing: f64,
}

impl<'a, T: Real> ClassBlock<'a, T> {
    /// One row; `None` if it is left out.
    #[inline(always)]
    #[must_use]
    pub fn row(&self, at: usize) -> Option<ClassRow<'a, T>> {
        let span = at * self.classes..(at + 1) * self.classes;
        let target = match self.targets {
            ClassTargets::Labels(labels) => RowTarget::Label(labels[at]?),
            ClassTargets::Distributions(all) => RowTarget::Distribution(&all[span.clone()]),
        };
        let (class_weights, smoothing) = (self.class_weights, self.smoothing);
        let next = span.end..span.end + self.classes;
        let next = self.prediction.get(next).filter(|next| next.len() >= LONG).unwrap_or_default();
        Some(ClassRow {
            prediction: &self.prediction[span],
            next,
            target,
            class_weights,
            smoothing,
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum RowTarget<'a, T> {
    Label(usize),
    Distribution(&'a [T]),
}

/// One row of class scores with its target.
#[derive(Clone, Copy, Debug)]
pub struct ClassRow<'a, T> {
    /// The scores of the classes.
    pub prediction: &'a [T],
    /// Those of the next row, if there is one and rows are long.
    next: &'a [T],
    target: RowTarget<'a, T>,
    class_weights: Option<&'a [f64]>,
    smoothing: f64,
}

impl<T: Real> ClassRow<'_, T> {
    /// e^(x - shift) for each score x, none of which is above `shift`, and their sum, as `sum` has it, but for the
    /// one at `except`.
    #[inline(always)]
    pub fn exp_shifted<I: Isa>(&self, shift: T, except: usize, to: &mut [T]) -> f64 {
        let shift = Lane::<T, I>::new(shift);
        let mut total = 0.0;
        let mut next = self.next.chunks(RUN);
        let runs = self.prediction.chunks(RUN).zip(to.chunks_mut(RUN));
        for (at, (row, to)) in runs.enumerate() {
            // This takes a while, in which the next row can come.
            memory::prefetch(next.next().unwrap_or_default());
            for (to, &x) in to.iter_mut().zip(row) {
                *to = (Lane::<T, I>::new(x) - shift).exp_of_negative().0;
            }
            let left_out = to.get_mut(except.wrapping_sub(at * RUN)).map(std::mem::take);
            total += sum_of_run(to);
            if let Some(x) = left_out {
                to[except - at * RUN] = x;
            }
        }
        total
    }

    /// The share of the target that a class has, smoothed and times the class weight.
    #[inline(always)]
    #[must_use]
    pub fn share(&self, class: usize) -> f64 {
        let weight = self.class_weights.map_or(1.0, |weights| weights[class]);
        let own = match self.target {
            RowTarget::Label(label) if label == class => 1.0,
            RowTarget::Label(_) => 0.0,
            RowTarget::Distribution(target) => target[class].to_f64(),
        };
        let spread = self.smoothing / self.prediction.len() as f64;
        (own * (1.0 - self.smoothing) + spread) * weight
    }

    /// The classes beyond which no share is above 0: the one of a label, or all.
    #[inline(always)]
    #[must_use]
    pub fn classes_with_a_share(&self) -> std::ops::Range<usize> {
        match self.target {
            RowTarget::Label(label) if self.smoothing == 0.0 => label..label + 1,
            _ => 0..self.prediction.len(),
        }
    }

    /// The class that has all of the target, and its share; `None` where several may have.
    #[inline(always)]
    #[must_use]
    pub fn only_class(&self) -> Option<(usize, f64)> {
        match self.target {
            RowTarget::Label(label) if self.smoothing == 0.0 => Some((label, self.share(label))),
            _ => None,
        }
    }

    /// The sum over the classes of the share times a function of the score, and that of the shares. A class
    /// without a share counts nothing, whatever its score.
    #[inline(always)]
    pub fn mean_of(&self, of: impl Fn(f64) -> f64) -> (f64, f64) {
        if let Some((class, share)) = self.only_class() {
            return (
                if share == 0.0 { 0.0 } else { share * of(self.prediction[class].to_f64()) },
                share,
            );
        }
        if let (RowTarget::Label(label), None) = (self.target, self.class_weights) {
            // The same for all but one.
            let [all] = sums(self.prediction, |x| [of(x)]);
            let own = of(self.prediction[label].to_f64());
            let value = own * (1.0 - self.smoothing)
                + all * (self.smoothing / self.prediction.len() as f64);
            return (value, 1.0);
        }
        let mut of_both = (0.0, 0.0);
        for (class, y) in self.shares() {
            if y != 0.0 {
                of_both.0 += y * of(self.prediction[class].to_f64());
                of_both.1 += y;
            }
        }
        of_both
    }

    /// Subtracts from each number of a row the share of its class.
    #[inline(always)]
    pub fn subtract_shares(&self, row: &mut [T]) {
        let less = |x: T, share: f64| T::from_f64(x.to_f64() - share);
        match (self.target, self.class_weights) {
            (RowTarget::Label(label), None) if self.smoothing != 0.0 => {
                let own = less(row[label], self.share(label));
                let spread = self.smoothing / row.len() as f64;
                for x in &mut *row {
                    *x = less(*x, spread);
                }
                row[label] = own;
                return;
            }
            _ => {}
        }
        for (class, y) in self.shares() {
            if y != 0.0 {
                row[class] = less(row[class], y);
            }
        }
    }

    /// Is a score or a share of the target not a number?
    #[inline(always)]
    #[must_use]
    pub fn has_nan(&self) -> bool {
        let any = |row: &[T]| row.iter().fold(false, |any, x| any | x.is_nan());
        any(self.prediction)
            || matches!(self.target, RowTarget::Distribution(target) if any(target))
    }

    /// The classes with their shares of the target. Classes whose share is 0 may be left out.
    #[inline(always)]
    pub fn shares(&self) -> impl Iterator<Item = (usize, f64)> {
        self.classes_with_a_share().map(|class| (class, self.share(class)))
    }
}

/// Accumulators that are independent of each other, so that the compiler can use vectors.
const LANES: usize = 16;
/// So many that a loop over them stays a loop, since of straight code the compiler makes vectors by luck
/// only.
const MANY: usize = 64;

/// Something for each of a run of numbers, aligned as vectors are.
#[repr(align(64))]
struct Many<T>([T; MANY]);

impl<T: Copy> Many<T> {
    /// All of them combined.
    #[inline(always)]
    fn fold(mut self, combine: impl Fn(T, T) -> T) -> T {
        fold(&mut self.0, combine)
    }
}

/// All of so many lanes combined, a power of two of them, half with half.
#[inline(always)]
pub(crate) fn fold<T: Copy, const N: usize>(lanes: &mut [T; N], combine: impl Fn(T, T) -> T) -> T {
    let mut count = N;
    while count > 1 {
        count /= 2;
        let (front, back) = lanes.split_at_mut(count);
        for (front, &back) in front.iter_mut().zip(&*back) {
            *front = combine(*front, back);
        }
    }
    lanes[0]
}

/// Rows that are computed at once, if they are short.
pub const ACROSS: usize = 32;
/// Classes up to which a row is short.
pub const SHORT: usize = 32;
/// Classes from which the processor has to be told of the next row while one is computed.
const LONG: usize = 8 * RUN;

/// Short rows side by side: for each class its numbers of all rows.
#[repr(align(64))]
pub struct Across<T>(pub [[T; ACROSS]; SHORT]);

impl<T: Real> Across<T> {
    /// Nothing yet. Made once for many rows: what is left of others does no harm.
    #[inline(always)]
    #[must_use]
    pub fn new() -> Self {
        Self([[T::default(); ACROSS]; SHORT])
    }

    /// Reads rows, each of `classes` numbers; at most [`ACROSS`] of at most [`SHORT`].
    #[inline(always)]
    pub fn read(&mut self, rows: &[T], classes: usize) {
        for (at, row) in rows.chunks_exact(classes).take(ACROSS).enumerate() {
            for (class, &x) in row.iter().enumerate().take(SHORT) {
                self.0[class][at] = x;
            }
        }
    }

    /// Writes them as rows.
    #[inline(always)]
    pub fn write(&self, rows: &mut [T], classes: usize) {
        for (at, row) in rows.chunks_exact_mut(classes).take(ACROSS).enumerate() {
            for (class, x) in row.iter_mut().enumerate().take(SHORT) {
                *x = self.0[class][at];
            }
        }
    }
}

/// The largest number of a row and its first position. NaN counts as smaller than any number.
#[inline(always)]
pub fn maximum<T: Real>(row: &[T]) -> (T, usize) {
    let lowest = T::from_f64(f64::NEG_INFINITY);
    let mut lanes = Many([lowest; MANY]);
    for run in row.chunks(MANY) {
        for (lane, &x) in lanes.0.iter_mut().zip(run) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    let highest = lanes.fold(|a, b| if b > a { b } else { a });
    (highest, first(row, highest))
}

/// The first position of a number; 0 if it is not there.
#[inline(always)]
#[allow(clippy::needless_bitwise_bool, reason = "without branches this becomes vectors")]
fn first<T: Real>(row: &[T], number: T) -> usize {
    let mut start = 0;
    for run in row.chunks(MANY) {
        // Without an early exit within the run this becomes vectors.
        if run.iter().fold(false, |any, &x| any | (x == number)) {
            return start + run.iter().position(|&x| x == number).unwrap_or(0);
        }
        start += run.len();
    }
    0
}

/// The sum of a row, in f64 beyond short runs, so that long rows of f32 keep their digits.
#[inline(always)]
pub fn sum<T: Real>(row: &[T]) -> f64 {
    let mut total = 0.0;
    for run in row.chunks(RUN) {
        total += sum_of_run(run);
    }
    total
}

/// Numbers that are added up in their own type.
const RUN: usize = 16 * MANY;

#[inline(always)]
fn sum_of_run<T: Real>(run: &[T]) -> f64 {
    let mut lanes = Many([T::default(); MANY]);
    for run in run.chunks(MANY) {
        for (lane, &x) in lanes.0.iter_mut().zip(run) {
            *lane = *lane + x;
        }
    }
    let mut wide = Many([0.0; MANY]);
    for (wide, x) in wide.0.iter_mut().zip(&lanes.0) {
        *wide = x.to_f64();
    }
    wide.fold(|a, b| a + b)
}

/// The first position of the largest number but for that at `except`; `None` if there is no other.
#[inline(always)]
pub fn maximum_except<T: Real>(row: &[T], except: usize) -> Option<usize> {
    let (before, after) = (&row[..except], &row[except + 1..]);
    if before.is_empty() && after.is_empty() {
        return None;
    }
    let ((low, at), (high, beyond)) = (maximum(before), maximum(after));
    let is_before = after.is_empty() || !before.is_empty() && low >= high;
    Some(if is_before { at } else { except + 1 + beyond })
}

/// Sums of functions of the numbers of a row, in f64.
#[inline(always)]
pub fn sums<T: Real, const N: usize>(row: &[T], terms: impl Fn(f64) -> [f64; N]) -> [f64; N] {
    let mut lanes = [[0.0; LANES]; N];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let terms = terms(chunk[lane].to_f64());
            for n in 0..N {
                lanes[n][lane] += terms[n];
            }
        }
    }
    let mut totals = lanes.map(|lanes| lanes.iter().sum::<f64>());
    for x in rest {
        let terms = terms(x.to_f64());
        for n in 0..N {
            totals[n] += terms[n];
        }
    }
    totals
}

/// The same without the number at `except`.
#[inline(always)]
pub fn sums_except<T: Real, const N: usize>(
    row: &[T],
    except: usize,
    terms: impl Fn(f64) -> [f64; N],
) -> [f64; N] {
    let (before, after) = (sums(&row[..except], &terms), sums(&row[except + 1..], &terms));
    std::array::from_fn(|n| before[n] + after[n])
}

/// max(x, 0); 0 for NaN.
#[inline(always)]
pub fn positive_or_zero(x: f64) -> f64 {
    if x > 0.0 { x } else { 0.0 }
}

/// A number as the sum of two, the second far below the first: twice the digits of f64.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Double {
    /// The number, rounded.
    pub high: f64,
    /// What the rounding took away.
    pub low: f64,
}

impl Double {
    /// a + b, exactly. Beyond the largest number it is infinite, with nothing taken away.
    #[inline(always)]
    pub fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let part = high - a;
        let low = (a - (high - part)) + (b - part);
        Self { high, low: if low.is_nan() { 0.0 } else { low } }
    }

    /// a b, exactly where nothing underflows.
    #[inline(always)]
    pub fn product(a: f64, b: f64) -> Self {
        let high = a * b;
        let low = a.mul_add(b, -high);
        Self { high, low: if low.is_nan() { 0.0 } else { low } }
    }

    /// Plus another.
    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        let high = Self::sum(self.high, other.high);
        Self::sum(high.high, high.low + (self.low + other.low))
    }

    /// Times -1.
    #[inline(always)]
    pub fn negated(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }

    /// The nearest f64.
    #[inline(always)]
    pub fn rounded(self) -> f64 {
        self.high + self.low
    }
}
