//! Kernels of losses of several predicted numbers and one target: of a fixed number of them with a
//! formula over all, or of any number with a formula for each.
//!
//! Predictions come row after row. They are worked on in short runs, of which each predicted number
//! is first put into a buffer of its own: so the loop over the rows is one that the compiler widens.

use super::isa::{self, InstructionSet, Work};
use super::{Outputs, finished};
use crate::loss::{Ensemble, Joint};
use crate::number::{Expr, Formula, Isa, Jet, Lane, Number, Real};

/// The number of rows in a run: the buffers stay in the first-level cache.
const RUN: usize = 128;

/// A loss of several predicted numbers and one target behind a pointer: its compiled kernels and its
/// formula.
pub trait JointKernels: Send + Sync {
    /// The number of predicted numbers, if it is fixed.
    fn components(&self) -> Option<usize>;
    /// Losses and derivatives of a block of f32: as many predicted numbers for each target, row
    /// after row, and in the same order derivatives by each of them. The second derivatives are
    /// those twice by the same number.
    ///
    /// # Panics
    /// If lengths do not fit.
    fn run_f32(&self, set: InstructionSet, prediction: &[f32], target: &[f32], to: Outputs<f32>);
    /// The same for f64.
    fn run_f64(&self, set: InstructionSet, prediction: &[f64], target: &[f64], to: Outputs<f64>);
    /// The loss of one example with its derivatives by one of the predicted numbers, by the plain
    /// reference arithmetic.
    ///
    /// # Panics
    /// If there are not so many predicted numbers.
    fn reference(&self, prediction: &[f64], target: f64, by: usize) -> Jet<f64>;
    /// The loss; its derivatives by each predicted number; its second derivatives by each. Of any
    /// number of them one stands for all: `p_k`, number `k` of `K`. The target is `y`.
    fn formula(&self, names: &[&'static str]) -> Formula;
}

/// A loss of a fixed number of predicted numbers.
pub(crate) struct Fixed<L, const K: usize>(pub L);

impl<L: Joint<K>, const K: usize> JointKernels for Fixed<L, K> {
    fn components(&self) -> Option<usize> {
        Some(K)
    }

    fn run_f32(&self, set: InstructionSet, prediction: &[f32], target: &[f32], to: Outputs<f32>) {
        run_fixed(&self.0, set, prediction, target, to);
    }

    fn run_f64(&self, set: InstructionSet, prediction: &[f64], target: &[f64], to: Outputs<f64>) {
        run_fixed(&self.0, set, prediction, target, to);
    }

    fn reference(&self, prediction: &[f64], target: f64, by: usize) -> Jet<f64> {
        let prediction = prediction.try_into().expect("a number for each component");
        self.0.loss(along(prediction, by), Jet::fixed(target))
    }

    fn formula(&self, names: &[&'static str]) -> Formula {
        Formula::trace(|| {
            let names: [&'static str; K] = names.try_into().expect("a name for each component");
            let (prediction, target) = (names.map(Expr::symbol), Expr::symbol("y"));
            let jet = |by| self.0.loss(along(prediction, by), Jet::fixed(target));
            let mut results = vec![self.0.loss(prediction, target)];
            results.extend((0..K).map(|by| jet(by).gradient()));
            results.extend((0..K).map(|by| jet(by).curvature()));
            results
        })
    }
}

/// These numbers, with derivatives by one of them.
#[inline(always)]
fn along<N: Number, const K: usize>(numbers: [N; K], by: usize) -> [Jet<N>; K] {
    let mut jets = numbers.map(Jet::fixed);
    jets[by] = Jet::variable(numbers[by]);
    jets
}

fn run_fixed<T: Real, L: Joint<K>, const K: usize>(
    loss: &L,
    set: InstructionSet,
    prediction: &[T],
    target: &[T],
    to: Outputs<T>,
) {
    let n = target.len();
    let has_derivatives = |part: &[T]| part.is_empty() || part.len() == n * K;
    assert!(
        prediction.len() == n * K && to.value.len() == n,
        "the driver cuts blocks of equal length"
    );
    assert!(
        has_derivatives(to.gradient) && has_derivatives(to.second),
        "the driver cuts blocks of equal length"
    );
    match (to.gradient.is_empty(), to.second.is_empty()) {
        (true, _) => isa::run(set, FixedBlock::<_, _, K, 0> { loss, prediction, target, to }),
        (false, true) => isa::run(set, FixedBlock::<_, _, K, 1> { loss, prediction, target, to }),
        (false, false) => isa::run(set, FixedBlock::<_, _, K, 2> { loss, prediction, target, to }),
    }
}

struct FixedBlock<'a, T, L, const K: usize, const ORDER: usize> {
    loss: &'a L,
    prediction: &'a [T],
    target: &'a [T],
    to: Outputs<'a, T>,
}

impl<T: Real, L: Joint<K>, const K: usize, const ORDER: usize> Work
    for FixedBlock<'_, T, L, K, ORDER>
{
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { loss, prediction, target, to: Outputs { value, gradient, second, scale } } =
            self;
        let mut columns = [[T::default(); RUN]; K];
        let mut slopes = [[T::default(); RUN]; K];
        let mut bends = [[T::default(); RUN]; K];
        for start in (0..target.len()).step_by(RUN) {
            let rows = start..target.len().min(start + RUN);
            let numbers = rows.start * K..rows.end * K;
            for (at, row) in prediction[numbers.clone()].chunks_exact(K).enumerate() {
                for (column, &x) in columns.iter_mut().zip(row) {
                    column[at] = x;
                }
            }
            fixed_loop::<T, I, L, K, ORDER>(
                loss,
                &columns,
                &target[rows.clone()],
                &mut value[rows],
                &mut slopes,
                &mut bends,
                scale,
            );
            if ORDER >= 1 {
                to_rows(&slopes, &mut gradient[numbers.clone()]);
            }
            if ORDER >= 2 {
                to_rows(&bends, &mut second[numbers]);
            }
        }
    }
}

#[inline(always)]
fn to_rows<T: Real, const K: usize>(columns: &[[T; RUN]; K], rows: &mut [T]) {
    for (at, row) in rows.chunks_exact_mut(K).enumerate() {
        for (x, column) in row.iter_mut().zip(columns) {
            *x = column[at];
        }
    }
}

/// The loop that the compiler widens.
#[inline(always)]
fn fixed_loop<T: Real, I: Isa, L: Joint<K>, const K: usize, const ORDER: usize>(
    loss: &L,
    columns: &[[T; RUN]; K],
    target: &[T],
    value: &mut [T],
    slopes: &mut [[T; RUN]; K],
    bends: &mut [[T; RUN]; K],
    scale: T,
) {
    assert!(target.len() <= RUN && value.len() == target.len(), "a run of rows");
    for (i, (value, &y)) in value.iter_mut().zip(target).enumerate() {
        let y = Lane::<T, I>::new(y);
        let mut numbers = [y; K];
        for (number, column) in numbers.iter_mut().zip(columns) {
            *number = Lane::new(column[i]);
        }
        if ORDER == 0 {
            *value = loss.loss(numbers, y).0;
            continue;
        }
        // Written out for the usual numbers: a loop that is left in here keeps the compiler from vectors.
        macro_rules! along_each {
            ($($by:literal)*) => {
                $(if $by < K {
                    let jet = loss.loss(along(numbers, $by), Jet::fixed(y));
                    *value = jet.value.0;
                    slopes[$by][i] = finished(jet.gradient(), jet.value, scale);
                    if ORDER == 2 {
                        bends[$by][i] = finished(jet.curvature(), jet.value, scale);
                    }
                })*
            };
        }
        along_each! { 0 1 2 3 }
        for by in 4..K {
            let jet = loss.loss(along(numbers, by), Jet::fixed(y));
            slopes[by][i] = finished(jet.gradient(), jet.value, scale);
            if ORDER == 2 {
                bends[by][i] = finished(jet.curvature(), jet.value, scale);
            }
        }
    }
}

/// A loss of any number of predicted numbers.
pub(crate) struct Any<L>(pub L);

impl<L: Ensemble> JointKernels for Any<L> {
    fn components(&self) -> Option<usize> {
        None
    }

    fn run_f32(&self, set: InstructionSet, prediction: &[f32], target: &[f32], to: Outputs<f32>) {
        isa::run(set, AnyBlock { loss: &self.0, prediction, target, to });
    }

    fn run_f64(&self, set: InstructionSet, prediction: &[f64], target: &[f64], to: Outputs<f64>) {
        isa::run(set, AnyBlock { loss: &self.0, prediction, target, to });
    }

    fn reference(&self, prediction: &[f64], target: f64, by: usize) -> Jet<f64> {
        let count = prediction.len();
        let part = |at: usize| {
            let p = prediction[at];
            let p = if at == by { Jet::variable(p) } else { Jet::fixed(p) };
            self.0.part(p, Jet::fixed(target), at, count)
        };
        Jet::total((0..count).map(part))
    }

    fn formula(&self, _names: &[&'static str]) -> Formula {
        let mut formula = Formula::trace(|| {
            let (prediction, target) = (Expr::symbol("p_k"), Expr::symbol("y"));
            let part = self.0.part(prediction, target, 0, 1);
            let jet = self.0.part(Jet::variable(prediction), Jet::fixed(target), 0, 1);
            vec![Expr::total([part]), jet.gradient(), jet.curvature()]
        });
        // They stand for every place, of any number.
        formula.parameters.retain(|(name, _)| !matches!(*name, "k" | "K"));
        formula
    }
}

struct AnyBlock<'a, T, L> {
    loss: &'a L,
    prediction: &'a [T],
    target: &'a [T],
    to: Outputs<'a, T>,
}

impl<T: Real, L: Ensemble> Work for AnyBlock<'_, T, L> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { loss, prediction, target, to: Outputs { value, gradient, second, scale } } =
            self;
        let n = target.len();
        let count = prediction.len() / n.max(1);
        assert!(prediction.len() == n * count && value.len() == n, "a row for each target");
        let (mut column, mut parts) = ([T::default(); RUN], [T::default(); RUN]);
        let (mut slopes, mut bends) = ([T::default(); RUN], [T::default(); RUN]);
        for start in (0..n).step_by(RUN) {
            let rows = start..n.min(start + RUN);
            let mut totals = [0.0; RUN];
            for at in 0..count {
                let numbers = || (rows.start * count + at..rows.end * count).step_by(count);
                for (to, from) in column.iter_mut().zip(numbers()) {
                    *to = prediction[from];
                }
                let target = &target[rows.clone()];
                let place = (at, count);
                let outputs = (&mut parts, &mut slopes, &mut bends);
                any_loop::<T, I, L>(loss, &column, target, place, outputs, scale);
                for (total, part) in totals.iter_mut().zip(&parts[..rows.len()]) {
                    *total += part.to_f64();
                }
                for (results, to) in [(&slopes, &mut *gradient), (&bends, &mut *second)] {
                    if !to.is_empty() {
                        for (&x, to_at) in results.iter().zip(numbers()) {
                            to[to_at] = x;
                        }
                    }
                }
            }
            for (value, &total) in value[rows].iter_mut().zip(&totals) {
                *value = T::from_f64(total);
            }
        }
    }
}

/// The loop that the compiler widens.
#[inline(always)]
fn any_loop<T: Real, I: Isa, L: Ensemble>(
    loss: &L,
    column: &[T; RUN],
    target: &[T],
    (at, count): (usize, usize),
    (parts, slopes, bends): (&mut [T; RUN], &mut [T; RUN], &mut [T; RUN]),
    scale: T,
) {
    assert!(target.len() <= RUN, "a run of rows");
    for (i, &y) in target.iter().enumerate() {
        let prediction = Jet::variable(Lane::<T, I>::new(column[i]));
        let jet = loss.part(prediction, Jet::fixed(Lane::new(y)), at, count);
        parts[i] = jet.value.0;
        slopes[i] = finished(jet.gradient(), jet.value, scale);
        bends[i] = finished(jet.curvature(), jet.value, scale);
    }
}
