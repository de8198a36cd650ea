//! Losses of the probabilities softmax(scores): what they have in common.
//!
//! Such a loss is the target's mean of a function f of the probability p of each class. With
//! t = ln p, a = df/dt and b = d²f/dt², all weighted by the target, and their sums A and B over the
//! classes, its derivatives by the scores are, with q = 1 - p,
//!
//! gradient: a q - p (A - a), second: q (b q - a p) + p² (B - b) - p q (A - a).

use crate::class_axis::{ClassAxis, ClassRow, Hessian, RowGradients, maximum};
use crate::number::{Isa, Number, Real, Wide, total};
use std::marker::PhantomData;

/// What becomes of a prediction before the softmax.
#[derive(Clone, Copy, Debug)]
pub struct Scores {
    /// Scores are divided by it.
    pub temperature: f64,
    /// They are kept below it in magnitude before that; 0 if they are not.
    pub soft_cap: f64,
}

impl Scores {
    /// The score as a formula.
    #[inline(always)]
    pub fn score<N: Number>(self, prediction: N) -> N {
        let capped = if self.soft_cap == 0.0 {
            prediction
        } else {
            let cap = N::parameter("soft_cap", self.soft_cap);
            cap * (prediction / cap).tanh()
        };
        if self.temperature == 1.0 {
            capped
        } else {
            capped / N::parameter("temperature", self.temperature)
        }
    }

    /// ln Σ e^score, as a formula.
    pub fn log_normaliser<N: Number>(self, prediction: &[N]) -> N {
        N::total(prediction.iter().map(|&p| self.score(p).exp())).ln()
    }

    /// The target's mean of a function of the logarithm of each probability.
    pub fn mean<N: Number>(self, prediction: &[N], target: &[N], of: impl Fn(N) -> N) -> N {
        let log_normaliser = self.log_normaliser(prediction);
        let terms = prediction.iter().zip(target);
        N::total(terms.map(|(&p, &y)| y * of(self.score(p) - log_normaliser)))
    }

    #[inline(always)]
    fn is_plain(self) -> bool {
        self.temperature == 1.0 && self.soft_cap == 0.0
    }

    #[inline(always)]
    fn capped<W: Wide>(self, prediction: f64) -> W {
        if self.soft_cap == 0.0 {
            return W::new(prediction);
        }
        let cap = W::new(self.soft_cap);
        cap * (W::new(prediction) / cap).tanh()
    }

    #[inline(always)]
    fn cooled<W: Wide>(self, capped: W) -> W {
        if self.temperature == 1.0 { capped } else { capped / W::new(self.temperature) }
    }

    /// First and second derivative of the score by the prediction.
    #[inline(always)]
    fn slopes<W: Wide>(self, prediction: f64) -> [W; 2] {
        let one = W::new(1.0);
        let [first, second] = if self.soft_cap == 0.0 {
            [one, W::new(0.0)]
        } else {
            let cap = W::new(self.soft_cap);
            let x = W::new(prediction) / cap;
            let slope = x.sech_squared();
            [slope, slope * x.tanh() * W::new(-2.0) / cap]
        };
        [self.cooled(first), self.cooled(second)]
    }
}

/// A loss that is the target's mean of a function of the probability of each class, and with
/// [`OfProbability::z_loss`] of the normaliser.
pub trait OfProbability {
    /// What becomes of a prediction before the softmax.
    fn scores(&self) -> Scores;

    /// What the square of the normaliser's logarithm is multiplied by, if it is added.
    #[inline(always)]
    fn z_loss(&self) -> f64 {
        0.0
    }

    /// The function f of p, its derivatives a and b by ln p, and b q - a p, in which much may cancel,
    /// given p, q = 1 - p and -ln p.
    fn terms<W: Wide>(&self, p: W, q: W, surprise: W) -> [W; 4];
}

/// A loss that is such a mean and nothing else: a [`ClassAxis`] by that alone.
pub trait MeanOfProbability: OfProbability + Send + Sync + 'static {
    /// The label smoothing.
    fn smoothing(&self) -> f64;

    /// The function f of ln p, in plain arithmetic.
    fn definition<N: Number>(&self, log_p: N) -> N;
}

impl<L: MeanOfProbability> ClassAxis for L {
    fn smoothing(&self) -> Option<f64> {
        Some(MeanOfProbability::smoothing(self))
    }

    fn hessian(&self) -> Hessian {
        Hessian::Full
    }

    #[inline(always)]
    fn hessian_row<T: Real, I: Isa>(&self, row: &ClassRow<'_, T>, vector: &[T], product: &mut [T]) {
        hessian_row::<T, I, Self>(self, row, vector, product);
    }

    fn loss<N: Number>(&self, prediction: &[N], target: &[N]) -> N {
        self.scores().mean(prediction, target, |log_p| self.definition(log_p))
    }

    #[inline(always)]
    fn row<T: Real, I: Isa>(
        &self,
        row: &ClassRow<'_, T>,
        _scratch: &mut Vec<T>,
        gradients: &mut RowGradients<'_, T>,
    ) -> f64 {
        self::row::<T, I, Self>(self, row, gradients)
    }
}

/// A sum from which one of its terms can be taken again, however small the others are.
#[derive(Clone, Copy)]
struct Sum<W> {
    sum: W,
    /// What rounding took from it.
    rest: W,
}

impl<W: Wide> Sum<W> {
    #[inline(always)]
    fn new() -> Self {
        Self { sum: W::new(0.0), rest: W::new(0.0) }
    }

    #[inline(always)]
    fn plus(self, x: W) -> Self {
        let sum = self.sum + x;
        let part = sum - self.sum;
        Self { sum, rest: self.rest + ((self.sum - (sum - part)) + (x - part)) }
    }

    #[inline(always)]
    fn without(self, x: W) -> W {
        (self.sum - x) + self.rest
    }
}

/// The softmax of a row.
struct Softmax<'a, T, W> {
    row: &'a [T],
    scores: Scores,
    top: usize,
    /// The largest score, before the temperature.
    highest: W,
    /// The sum of e^(score - highest) over all classes but the top one.
    rest: W,
    inverse: W,
    /// ln(1 + rest).
    log_normaliser: W,
    wide: PhantomData<T>,
}

impl<'a, T: Real, W: Wide> Softmax<'a, T, W> {
    #[inline(always)]
    fn new(row: &'a [T], scores: Scores) -> Self {
        let (_, top) = maximum(row);
        let one = W::new(1.0);
        let highest = scores.capped(row[top].to_f64());
        let mut softmax = Self {
            row,
            scores,
            top,
            highest,
            rest: one,
            inverse: one,
            log_normaliser: one,
            wide: PhantomData,
        };
        let rest = total!(W, row.len(), |class| {
            W::pick(class == softmax.top, W::new(0.0), softmax.exponential(class))
        });
        // A single class has no others, and may be NaN all the same.
        let rest = W::pick(highest.value().is_nan(), highest, rest);
        softmax.rest = rest;
        softmax.inverse = one / (rest + one);
        softmax.log_normaliser = rest.ln1p();
        softmax
    }

    /// The score, less the highest.
    #[inline(always)]
    fn below(&self, class: usize) -> W {
        let capped: W = self.scores.capped(self.row[class].to_f64());
        self.scores.cooled(capped - self.highest)
    }

    #[inline(always)]
    fn exponential(&self, class: usize) -> W {
        self.below(class).exp()
    }

    /// The probability of a class and of all others.
    #[inline(always)]
    fn probability(&self, class: usize) -> [W; 2] {
        self.probability_of(class, self.exponential(class))
    }

    #[inline(always)]
    fn probability_of(&self, class: usize, e: W) -> [W; 2] {
        let others = (self.rest - e) + W::new(1.0);
        [e * self.inverse, W::pick(class == self.top, self.rest, others) * self.inverse]
    }

    /// The probability of all classes but two, which may be the same.
    #[inline(always)]
    fn beside(&self, class: usize, e: W, other: usize, e_other: W) -> W {
        let both = W::pick(class == other, e, e + e_other);
        let neither = W::new(1.0) + (self.rest - both);
        let one_is_top = W::pick(class == self.top, self.rest - e_other, self.rest - e);
        let is_top = class == self.top || other == self.top;
        W::pick(is_top, one_is_top, neither) * self.inverse
    }

    /// -ln of the probability of a class.
    #[inline(always)]
    fn surprise(&self, class: usize) -> W {
        self.log_normaliser - self.below(class)
    }
}

/// The sums over the classes that a row's loss and derivatives are made of.
struct Sums<W> {
    value: W,
    slope: Sum<W>,
    bend: Sum<W>,
    /// Of b q - a p.
    own: W,
    /// What the z-loss adds to `gradient` for each unit of p, and to `second` for each of p q.
    pull: W,
    /// And to `second` for each of p².
    spread: W,
}

impl<W: Wide> Sums<W> {
    #[inline(always)]
    fn new<T: Real, L: OfProbability>(
        loss: &L,
        softmax: &Softmax<'_, T, W>,
        row: &ClassRow<'_, T>,
    ) -> Self {
        let zero = W::new(0.0);
        let (mut value, mut share, mut own) = (zero, zero, zero);
        let (mut slope, mut bend) = (Sum::new(), Sum::new());
        for class in row.classes_with_a_share() {
            let y = row.share(class);
            if y != 0.0 {
                let [p, q] = softmax.probability(class);
                let [f, a, b, c] = loss.terms(p, q, softmax.surprise(class));
                let y = W::new(y);
                own = own + y * c;
                value = value + y * f;
                share = share + y;
                slope = slope.plus(y * a);
                bend = bend.plus(y * b);
            }
        }
        let (mut pull, mut spread) = (zero, zero);
        if loss.z_loss() != 0.0 && share.value() != 0.0 {
            let factor = W::new(loss.z_loss()) * share;
            let log_sum = softmax.log_normaliser + softmax.scores.cooled(softmax.highest);
            value = value + factor * log_sum * log_sum;
            spread = factor * W::new(2.0);
            pull = spread * log_sum;
        }
        Self { value, slope, bend, own, pull, spread }
    }
}

/// The kernel over one row.
#[inline(always)]
pub fn row<T: Real, I: Isa, L: OfProbability>(
    loss: &L,
    row: &ClassRow<'_, T>,
    gradients: &mut RowGradients<'_, T>,
) -> f64 {
    let scores = loss.scores();
    let softmax = Softmax::<T, T::Wide<I>>::new(row.prediction, scores);
    let sums = Sums::new(loss, &softmax, row);
    // -0 would be shown as such.
    let value = sums.value.value() + 0.0;
    if gradients.gradient.is_none() && gradients.second.is_none() {
        return value;
    }
    if value.is_nan() {
        return gradients.nan();
    }
    // First as if no class had a part of the target. What a label alone adds to the second derivative
    // by another score is p (b q - a p - (a + b) times the probability of all further classes), with
    // its own a, b, p and q: sums would cancel.
    let shares = row.classes_with_a_share();
    let (is_alone, label) = (shares.len() == 1, shares.start);
    let e_label = softmax.exponential(label);
    let (slope, bend) = (sums.slope.sum, sums.bend.sum);
    for class in 0..row.prediction.len() {
        let e = softmax.exponential(class);
        let [p, q] = softmax.probability_of(class, e);
        let beside = softmax.beside(class, e, label, e_label);
        let by_sums = p * bend - q * slope;
        let from_target = T::Wide::<I>::pick(is_alone, sums.own - beside * (slope + bend), by_sums);
        let twice = p * (from_target + (p * sums.spread + q * sums.pull));
        write(&softmax, class, p * (sums.pull - slope), twice, gradients);
    }
    for class in row.classes_with_a_share() {
        let y = row.share(class);
        if y != 0.0 {
            let y = T::Wide::<I>::new(y);
            let [p, q] = softmax.probability(class);
            let [_, a, b, own] = loss.terms(p, q, softmax.surprise(class));
            let pull = sums.pull - sums.slope.without(y * a);
            let spread = sums.spread + sums.bend.without(y * b);
            let by_score = y * a * q + p * pull;
            let twice = y * own * q + p * (p * spread + q * pull);
            write(&softmax, class, by_score, twice, gradients);
        }
    }
    value
}

/// The derivatives by a prediction, given those by its score.
#[inline(always)]
fn write<T: Real, W: Wide>(
    softmax: &Softmax<'_, T, W>,
    class: usize,
    by_score: W,
    twice: W,
    to: &mut RowGradients<'_, T>,
) {
    let (mut first, mut second) = (by_score, twice);
    if !softmax.scores.is_plain() {
        let [slope, bend] = softmax.scores.slopes::<W>(softmax.row[class].to_f64());
        first = by_score * slope;
        second = twice * slope * slope + by_score * bend;
    }
    if let Some(gradient) = to.gradient.as_deref_mut() {
        gradient[class] = T::from_f64(first.value());
    }
    if let Some(to) = to.second.as_deref_mut() {
        to[class] = T::from_f64(second.value());
    }
}

/// The matrix of second derivatives of one row, times a vector.
#[inline(always)]
pub fn hessian_row<T: Real, I: Isa, L: OfProbability>(
    loss: &L,
    row: &ClassRow<'_, T>,
    vector: &[T],
    product: &mut [T],
) {
    let scores = loss.scores();
    let softmax = Softmax::<T, T::Wide<I>>::new(row.prediction, scores);
    let sums = Sums::new(loss, &softmax, row);
    let nan = sums.value.value().is_nan();
    // Everything relative to the top class, so that it keeps its digits where it has all of the
    // probability.
    let at_top = along(&softmax, softmax.top, vector);
    let mean = total!(T::Wide<I>, row.prediction.len(), |class| {
        softmax.exponential(class) * (along(&softmax, class, vector) - at_top)
    }) * softmax.inverse;
    let mut bent = T::Wide::<I>::new(0.0);
    for class in row.classes_with_a_share() {
        let y = row.share(class);
        if y != 0.0 {
            let [p, q] = softmax.probability(class);
            let [_, _, b, _] = loss.terms(p, q, softmax.surprise(class));
            bent = bent
                + T::Wide::<I>::new(y) * b * ((along(&softmax, class, vector) - at_top) - mean);
        }
    }
    let uniform = sums.spread * (at_top + mean) - bent;
    let pull = sums.pull - sums.slope.sum;
    for class in 0..row.prediction.len() {
        let p = softmax.exponential(class) * softmax.inverse;
        let off = (along(&softmax, class, vector) - at_top) - mean;
        let by_score = p * pull;
        let twice = p * (off * pull + uniform);
        product[class] = through_scores(&softmax, class, by_score, twice, vector[class]);
    }
    for class in row.classes_with_a_share() {
        let y = row.share(class);
        if y != 0.0 {
            let [p, q] = softmax.probability(class);
            let [_, a, b, _] = loss.terms(p, q, softmax.surprise(class));
            let y = T::Wide::<I>::new(y);
            let off = (along(&softmax, class, vector) - at_top) - mean;
            let by_score = y * a * q + p * (sums.pull - sums.slope.without(y * a));
            let twice = y * b * off + p * (off * pull + uniform);
            product[class] = through_scores(&softmax, class, by_score, twice, vector[class]);
        }
    }
    if nan {
        product.fill(T::from_f64(f64::NAN));
    }
}

/// What a class's score changes by if the predictions change by the vector.
#[inline(always)]
fn along<T: Real, W: Wide>(softmax: &Softmax<'_, T, W>, class: usize, vector: &[T]) -> W {
    let v = W::new(vector[class].to_f64());
    if softmax.scores.is_plain() {
        return v;
    }
    let [slope, _] = softmax.scores.slopes::<W>(softmax.row[class].to_f64());
    v * slope
}

/// A product with the second derivatives by the scores, made one by the predictions.
#[inline(always)]
fn through_scores<T: Real, W: Wide>(
    softmax: &Softmax<'_, T, W>,
    class: usize,
    by_score: W,
    twice: W,
    vector: T,
) -> T {
    if softmax.scores.is_plain() {
        return T::from_f64(twice.value());
    }
    let [slope, bend] = softmax.scores.slopes::<W>(softmax.row[class].to_f64());
    T::from_f64((twice * slope + by_score * bend * W::new(vector.to_f64())).value())
}
