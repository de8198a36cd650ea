//! Kernels: a loss over a block of examples, compiled for each instruction set.
//!
//! A pointwise kernel is one (loss, f32 or f64, order, instruction set) and nothing else. Strides,
//! half-precision types, weights, masks, scaling, summing and threads are around it, in `cost`.

pub(crate) mod isa;
pub(crate) mod joint;
pub(crate) mod memory;
pub(crate) mod tape;

pub use isa::InstructionSet;
pub use joint::JointKernels;

use crate::class_axis::{ClassAxis, ClassBlock, Hessian, RowGradients};
use crate::loss::Pointwise;
use crate::number::{Expr, Formula, Isa, Jet, Lane, Real};
use isa::Work;

/// The number of elements that are worked on at a time: they stay in the first-level cache.
pub const BLOCK: usize = 4096;

/// Where a kernel puts its results: one for each example of the block (derivatives: one for each
/// predicted number), or empty if not wanted. The second
/// derivative is only computed together with the gradient; without, `second` is left as it is.
pub struct Outputs<'a, T> {
    /// The losses.
    pub value: &'a mut [T],
    /// Their derivatives by the prediction.
    pub gradient: &'a mut [T],
    /// Their second derivatives by the prediction.
    pub second: &'a mut [T],
    /// What derivatives are multiplied by.
    pub scale: T,
}

impl<'a, T: Real> Outputs<'a, T> {
    /// Derivatives are not scaled.
    pub fn new(value: &'a mut [T], gradient: &'a mut [T], second: &'a mut [T]) -> Self {
        Self { value, gradient, second, scale: T::from_f64(1.0) }
    }
}

/// A derivative as it is handed out. It need not depend on the data; where the loss is NaN, it is to be NaN too.
#[inline(always)]
fn finished<T: Real, I: Isa>(derivative: Lane<T, I>, value: Lane<T, I>, scale: T) -> T {
    if value.0.is_nan() { value.0 } else { derivative.0 * scale }
}

/// A pointwise loss behind a pointer: its compiled kernels and its formula.
pub trait PointwiseKernels: Send + Sync {
    /// Losses and derivatives of a block of f32.
    ///
    /// # Panics
    /// If lengths differ.
    fn run_f32(&self, set: InstructionSet, prediction: &[f32], target: &[f32], to: Outputs<f32>);
    /// Losses and derivatives of a block of f64.
    fn run_f64(&self, set: InstructionSet, prediction: &[f64], target: &[f64], to: Outputs<f64>);
    /// Loss, gradient and second derivative of one example, by the plain reference arithmetic.
    fn reference(&self, prediction: f64, target: f64) -> Jet<f64>;
    /// Loss, gradient and second derivative as formulas of `p` (prediction) and `y` (target).
    fn formula(&self) -> Formula;
}

impl<L: Pointwise> PointwiseKernels for L {
    fn run_f32(&self, set: InstructionSet, prediction: &[f32], target: &[f32], to: Outputs<f32>) {
        run_pointwise(self, set, prediction, target, to);
    }

    fn run_f64(&self, set: InstructionSet, prediction: &[f64], target: &[f64], to: Outputs<f64>) {
        run_pointwise(self, set, prediction, target, to);
    }

    fn reference(&self, prediction: f64, target: f64) -> Jet<f64> {
        self.loss(Jet::variable(prediction), Jet::fixed(target))
    }

    fn formula(&self) -> Formula {
        Formula::trace(|| {
            let (prediction, target) = (Expr::symbol("p"), Expr::symbol("y"));
            let jet = self.loss(Jet::variable(prediction), Jet::fixed(target));
            // The value is traced without derivatives, so that it stays as it is written.
            [self.loss(prediction, target), jet.gradient(), jet.curvature()]
        })
    }
}

fn run_pointwise<T: Real, L: Pointwise>(
    loss: &L,
    set: InstructionSet,
    prediction: &[T],
    target: &[T],
    mut to: Outputs<T>,
) {
    // By reference: to copy what was just written, the processor would wait for all results before it.
    let to = &mut to;
    match (to.gradient.is_empty(), to.second.is_empty()) {
        (true, _) => isa::run(set, Block::<_, _, 0> { loss, prediction, target, to }),
        (false, true) => isa::run(set, Block::<_, _, 1> { loss, prediction, target, to }),
        (false, false) => isa::run(set, Block::<_, _, 2> { loss, prediction, target, to }),
    }
}

struct Block<'a, 'b, T, L, const ORDER: usize> {
    loss: &'a L,
    prediction: &'a [T],
    target: &'a [T],
    to: &'a mut Outputs<'b, T>,
}

impl<T: Real, L: Pointwise, const ORDER: usize> Work for Block<'_, '_, T, L, ORDER> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { loss, prediction, target, to: Outputs { value, gradient, second, scale } } =
            self;
        let usual = loss.usual();
        if let Some(loss) = &usual {
            pointwise_loop::<T, I, L, ORDER>(
                loss, prediction, target, value, gradient, second, *scale,
            );
        } else {
            pointwise_loop::<T, I, L, ORDER>(
                loss, prediction, target, value, gradient, second, *scale,
            );
        }
    }
}

/// The loop that the compiler widens. It has to see that no parameter of the loss is written to: that is why the
/// slices are arguments.
#[inline(always)]
fn pointwise_loop<T: Real, I: Isa, L: Pointwise, const ORDER: usize>(
    loss: &L,
    prediction: &[T],
    target: &[T],
    value: &mut [T],
    gradient: &mut [T],
    second: &mut [T],
    scale: T,
) {
    let n = value.len();
    assert!(prediction.len() == n && target.len() == n, "the driver cuts blocks of equal length");
    assert!(ORDER < 1 || gradient.len() == n, "the driver cuts blocks of equal length");
    assert!(ORDER < 2 || second.len() == n, "the driver cuts blocks of equal length");
    for i in 0..n {
        let (p, y) = (Lane::<T, I>::new(prediction[i]), Lane::<T, I>::new(target[i]));
        if ORDER == 0 {
            value[i] = loss.loss(p, y).0;
        } else {
            let jet = loss.loss(Jet::variable(p), Jet::fixed(y));
            value[i] = jet.value.0;
            gradient[i] = finished(jet.gradient(), jet.value, scale);
            if ORDER == 2 {
                second[i] = finished(jet.curvature(), jet.value, scale);
            }
        }
    }
}

/// A loss over a class axis behind a pointer: its compiled kernels and its definition.
pub trait ClassKernels: Send + Sync {
    /// Losses and derivatives of a block of rows of f32. `value` has one entry per row, `gradient`
    /// and `second` one per score.
    fn run_f32(&self, set: InstructionSet, block: &ClassBlock<f32>, to: ClassOutputs<f32>);
    /// The same for f64.
    fn run_f64(&self, set: InstructionSet, block: &ClassBlock<f64>, to: ClassOutputs<f64>);
    /// The loss of one row by its plain definition, with its derivative along `direction`. The
    /// target is a distribution, smoothed already.
    fn reference(&self, prediction: &[f64], target: &[f64], direction: &[f64]) -> Jet<f64>;
    /// The definition as a formula of `p_c` (prediction) and `y_c` (target), which stand for every
    /// class. What it is where classes meet each other, or have an order, it cannot say: then the
    /// description has the text, and this is the loss of a row of one class.
    fn formula(&self) -> Formula;
    /// The definition over a row with an expression for each class; for [`Formula::trace`].
    fn expression(&self, prediction: &[Expr], target: &[Expr]) -> Expr;
    /// See [`ClassAxis::smoothing`].
    fn smoothing(&self) -> Option<f64>;
    /// See [`ClassAxis::is_linear_in_target`].
    fn is_linear_in_target(&self) -> bool;
    /// See [`ClassAxis::hessian`].
    fn hessian(&self) -> Hessian;
    /// For each row its second derivatives times its part of `vector`, if [`Self::hessian`] is full.
    fn hessian_f32(
        &self,
        set: InstructionSet,
        of: &ClassBlock<f32>,
        vector: &[f32],
        to: &mut [f32],
    );
    /// The same for f64.
    fn hessian_f64(
        &self,
        set: InstructionSet,
        of: &ClassBlock<f64>,
        vector: &[f64],
        to: &mut [f64],
    );
}

/// Where a kernel over a class axis puts its results; empty if not wanted.
pub struct ClassOutputs<'a, T> {
    /// The losses: one for each row.
    pub value: &'a mut [f64],
    /// Their derivatives by each score.
    pub gradient: &'a mut [T],
    /// Their second derivatives by each score.
    pub second: &'a mut [T],
}

impl<L: ClassAxis> ClassKernels for L {
    fn run_f32(&self, set: InstructionSet, block: &ClassBlock<f32>, to: ClassOutputs<f32>) {
        isa::run(set, Rows { loss: self, block, to });
    }

    fn run_f64(&self, set: InstructionSet, block: &ClassBlock<f64>, to: ClassOutputs<f64>) {
        isa::run(set, Rows { loss: self, block, to });
    }

    fn reference(&self, prediction: &[f64], target: &[f64], direction: &[f64]) -> Jet<f64> {
        let prediction: Vec<Jet<f64>> = prediction
            .iter()
            .zip(direction)
            .map(|(&value, &first)| Jet { value, first: Some(first), second: None })
            .collect();
        let target: Vec<Jet<f64>> = target.iter().map(|&y| Jet::fixed(y)).collect();
        self.loss(&prediction, &target)
    }

    fn formula(&self) -> Formula {
        Formula::trace(|| [self.loss(&[Expr::symbol("p_c")], &[Expr::symbol("y_c")])])
    }

    fn expression(&self, prediction: &[Expr], target: &[Expr]) -> Expr {
        self.loss(prediction, target)
    }

    fn smoothing(&self) -> Option<f64> {
        ClassAxis::smoothing(self)
    }

    fn is_linear_in_target(&self) -> bool {
        ClassAxis::is_linear_in_target(self)
    }

    fn hessian(&self) -> Hessian {
        ClassAxis::hessian(self)
    }

    fn hessian_f32(
        &self,
        set: InstructionSet,
        of: &ClassBlock<f32>,
        vector: &[f32],
        to: &mut [f32],
    ) {
        isa::run(set, HessianRows { loss: self, block: of, vector, to });
    }

    fn hessian_f64(
        &self,
        set: InstructionSet,
        of: &ClassBlock<f64>,
        vector: &[f64],
        to: &mut [f64],
    ) {
        isa::run(set, HessianRows { loss: self, block: of, vector, to });
    }
}

struct HessianRows<'a, T, L> {
    loss: &'a L,
    block: &'a ClassBlock<'a, T>,
    vector: &'a [T],
    to: &'a mut [T],
}

impl<T: Real, L: ClassAxis> Work for HessianRows<'_, T, L> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let classes = self.block.classes;
        let rows = self.vector.chunks(classes).zip(self.to.chunks_mut(classes));
        for (at, (vector, product)) in rows.enumerate() {
            match self.block.row(at) {
                Some(row) => self.loss.hessian_row::<T, I>(&row, vector, product),
                None => product.fill(T::default()),
            }
        }
    }
}

struct Rows<'a, 'b, T, L> {
    loss: &'a L,
    block: &'a ClassBlock<'a, T>,
    to: ClassOutputs<'b, T>,
}

impl<T: Real, L: ClassAxis> Work for Rows<'_, '_, T, L> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { loss, block, mut to } = self;
        if loss.short_rows::<T, I>(block, &mut to) {
            return;
        }
        let mut scratch = Vec::new();
        let span = |at: usize| at * block.classes..(at + 1) * block.classes;
        for (at, value) in to.value.iter_mut().enumerate() {
            let part = |all: &'_ mut [T]| -> Option<std::ops::Range<usize>> {
                (!all.is_empty()).then(|| span(at))
            };
            let (in_gradient, in_second) = (part(to.gradient), part(to.second));
            let mut gradients = RowGradients {
                gradient: in_gradient.map(|span| &mut to.gradient[span]),
                second: in_second.map(|span| &mut to.second[span]),
            };
            if let Some(row) = block.row(at) {
                *value = loss.row::<T, I>(&row, &mut scratch, &mut gradients);
            } else {
                *value = 0.0;
                gradients.fill(T::default());
            }
        }
    }
}
