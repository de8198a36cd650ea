//! Arrays as they come: any element type, any strides, read and written block by block.

use crate::class_axis::ClassBlock;
use crate::cost::{Bulk, ExactSum};
use crate::kernel::{
    ClassKernels, ClassOutputs, InstructionSet, JointKernels, Outputs, PointwiseKernels,
};
use crate::number::Real;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use ndarray::{ArrayView1, ArrayView2, ArrayViewD, ArrayViewMut1, ArrayViewMut2, ArrayViewMutD};
use ndarray::{Axis, Dimension, IxDyn};
use std::ops::Range;

/// A number or truth value as it lies in memory.
trait Element: Copy {
    fn to<T: Real>(self) -> T;

    /// Converts a run; separate because half precision has instructions for whole runs.
    fn widen<T: Real>(from: &[Self], to: &mut [T]) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = from.to();
        }
    }
}

macro_rules! elements {
    ($($type:ty => |$x:ident| $convert:expr;)*) => {
        $(impl Element for $type {
            #[inline(always)]
            fn to<T: Real>(self) -> T {
                let $x = self;
                T::from_f64($convert)
            }
        })*
    };
}
elements! {
    f32 => |x| f64::from(x);
    f64 => |x| x;
    i8 => |x| f64::from(x);
    i16 => |x| f64::from(x);
    i32 => |x| f64::from(x);
    i64 => |x| x as f64;
    u8 => |x| f64::from(x);
    u16 => |x| f64::from(x);
    u32 => |x| f64::from(x);
    u64 => |x| x as f64;
    bool => |x| f64::from(u8::from(x));
    // The upper half of an f32: this way whole runs are widened by vectors.
    bf16 => |x| f64::from(f32::from_bits(u32::from(x.to_bits()) << 16));
}

impl Element for f16 {
    fn to<T: Real>(self) -> T {
        T::from_f64(self.to_f64())
    }

    fn widen<T: Real>(from: &[Self], to: &mut [T]) {
        const RUN: usize = 64;
        let mut wide = [0f32; RUN];
        for (from, to) in from.chunks(RUN).zip(to.chunks_mut(RUN)) {
            let wide = &mut wide[..from.len()];
            from.convert_to_f32_slice(wide);
            f32::widen(wide, to);
        }
    }
}

/// Elements in memory, with or without gaps. What is a plain slice stays one, and the other is out of the way:
/// views of any dimension take time to make and to move, which matters for a handful of examples.
#[derive(Clone, Debug)]
enum View<'a, T> {
    Flat { elements: &'a [T], shape: [usize; 1] },
    Shaped(Box<ArrayViewD<'a, T>>),
}

impl<'a, T> View<'a, T> {
    fn flat(elements: &'a [T]) -> Self {
        Self::Flat { elements, shape: [elements.len()] }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Flat { shape, .. } => shape,
            Self::Shaped(view) => view.shape(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Flat { elements, .. } => elements.len(),
            Self::Shaped(view) => view.len(),
        }
    }

    /// The elements with their shape, whatever they are.
    fn shaped(&self) -> ArrayViewD<'_, T> {
        match self {
            Self::Flat { elements, .. } => ArrayView1::from(*elements).into_dyn(),
            Self::Shaped(view) => view.view(),
        }
    }

    /// The same memory for a shorter time.
    fn view(&self) -> View<'_, T> {
        match self {
            Self::Flat { elements, .. } => View::flat(elements),
            Self::Shaped(view) => View::Shaped(Box::new(view.view())),
        }
    }

    /// The memory, if it has no gaps.
    fn as_slice(&self) -> Option<&[T]> {
        match self {
            Self::Flat { elements, .. } => Some(elements),
            Self::Shaped(view) => view.as_slice(),
        }
    }

    fn move_to_end(&mut self, axis: usize) {
        if let Self::Shaped(view) = self {
            move_to_end(view, axis);
        }
    }
}

/// The same to write.
#[derive(Debug)]
enum ViewMut<'a, T> {
    Flat { elements: &'a mut [T], shape: [usize; 1] },
    Shaped(Box<ArrayViewMutD<'a, T>>),
}

impl<'a, T> ViewMut<'a, T> {
    fn flat(elements: &'a mut [T]) -> Self {
        let shape = [elements.len()];
        Self::Flat { elements, shape }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Flat { shape, .. } => shape,
            Self::Shaped(view) => view.shape(),
        }
    }

    /// The elements with their shape, whatever they are.
    fn shaped(&mut self) -> ArrayViewMutD<'_, T> {
        match self {
            Self::Flat { elements, .. } => ArrayViewMut1::from(&mut **elements).into_dyn(),
            Self::Shaped(view) => view.view_mut(),
        }
    }

    /// The same memory for a shorter time.
    fn view_mut(&mut self) -> ViewMut<'_, T> {
        match self {
            Self::Flat { elements, .. } => ViewMut::flat(elements),
            Self::Shaped(view) => ViewMut::Shaped(Box::new(view.view_mut())),
        }
    }

    fn as_slice_mut(&mut self) -> Option<&mut [T]> {
        match self {
            Self::Flat { elements, .. } => Some(elements),
            Self::Shaped(view) => view.as_slice_mut(),
        }
    }

    fn move_to_end(&mut self, axis: usize) {
        if let Self::Shaped(view) = self {
            move_to_end(view, axis);
        }
    }

    fn is_flat(&self) -> bool {
        match self {
            Self::Flat { .. } => true,
            Self::Shaped(view) => view.is_standard_layout(),
        }
    }

    /// Both parts of memory without gaps; a view with gaps is all in the first.
    fn split(self, at: usize) -> (Self, Self) {
        let elements = match self {
            Self::Flat { elements, .. } => elements,
            Self::Shaped(view) if view.is_standard_layout() => {
                view.into_slice().unwrap_or_default()
            }
            Self::Shaped(view) => return (Self::Shaped(view), Self::flat(&mut [])),
        };
        let (front, back) = elements.split_at_mut(at);
        (Self::flat(front), Self::flat(back))
    }
}

fn move_to_end<S: ndarray::RawData>(view: &mut ndarray::ArrayBase<S, IxDyn>, axis: usize) {
    let last = view.ndim().saturating_sub(1);
    for at in axis..last {
        view.swap_axes(at, at + 1);
    }
}

/// Shape and element type of an array that can be read.
macro_rules! readable {
    ($($variant:ident $type:ty;)*) => {
        /// An array to read: predictions, targets, weights or a mask, with any strides. Its elements are f16,
        /// bf16, f32, f64, integers of 8 to 64 bits with or without a sign, or bool.
        ///
        /// Made by `into` from slices, vectors, arrays of Rust and from `ndarray` arrays and views.
        #[derive(Clone, Debug)]
        pub struct Array<'a>(Elements<'a>);

        #[derive(Clone, Debug)]
        enum Elements<'a> {
            $($variant(View<'a, $type>),)*
        }

        macro_rules! with_view {
            ($array:expr, $view:ident => $body:expr) => {
                match $array { $(Elements::$variant($view) => $body,)* }
            };
        }

        impl Array<'_> {
            /// The same memory for a shorter time.
            pub(crate) fn view(&self) -> Array<'_> {
                Array(match &self.0 { $(Elements::$variant(view) => Elements::$variant(view.view()),)* })
            }

            /// Some rows and columns of a matrix.
            pub(crate) fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Array<'_> {
                match &self.0 { $(Elements::$variant(view) => {
                    let mut part = view.shaped();
                    part.slice_axis_inplace(Axis(0), rows.into());
                    part.slice_axis_inplace(Axis(1), columns.into());
                    part.into()
                })* }
            }
        }

        $(
            impl<'a, D: Dimension> From<ndarray::ArrayView<'a, $type, D>> for Array<'a> {
                fn from(view: ndarray::ArrayView<'a, $type, D>) -> Self {
                    Self(Elements::$variant(View::Shaped(Box::new(view.into_dyn()))))
                }
            }
            impl<'a, D: Dimension> From<&ndarray::ArrayView<'a, $type, D>> for Array<'a> {
                fn from(view: &ndarray::ArrayView<'a, $type, D>) -> Self {
                    Self::from(view.clone())
                }
            }
            impl<'a, D: Dimension> From<&'a ndarray::Array<$type, D>> for Array<'a> {
                fn from(array: &'a ndarray::Array<$type, D>) -> Self {
                    Self::from(array.view())
                }
            }
            impl<'a> From<&'a [$type]> for Array<'a> {
                fn from(slice: &'a [$type]) -> Self {
                    Self(Elements::$variant(View::flat(slice)))
                }
            }
            impl<'a> From<&'a Vec<$type>> for Array<'a> {
                fn from(vector: &'a Vec<$type>) -> Self {
                    Self::from(vector.as_slice())
                }
            }
            impl<'a, const N: usize> From<&'a [$type; N]> for Array<'a> {
                fn from(array: &'a [$type; N]) -> Self {
                    Self::from(array.as_slice())
                }
            }
        )*
    };
}
readable! {
    F16 f16;
    BF16 bf16;
    F32 f32;
    F64 f64;
    I8 i8;
    I16 i16;
    I32 i32;
    I64 i64;
    U8 u8;
    U16 u16;
    U32 u32;
    U64 u64;
    Bool bool;
}

impl Array<'_> {
    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        with_view!(&self.0, view => view.shape())
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        with_view!(&self.0, view => view.len())
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether losses of it are computed in f32: half and single precision.
    pub(crate) fn is_narrow(&self) -> bool {
        matches!(self.0, Elements::F16(_) | Elements::BF16(_) | Elements::F32(_))
    }

    /// Whether it has numbers that f32 does not.
    pub(crate) fn needs_f64(&self) -> bool {
        matches!(
            self.0,
            Elements::F64(_)
                | Elements::I32(_)
                | Elements::I64(_)
                | Elements::U32(_)
                | Elements::U64(_)
        )
    }

    /// The same array with one axis moved to the end.
    pub(crate) fn with_last_axis(mut self, axis: usize) -> Self {
        with_view!(&mut self.0, view => view.move_to_end(axis));
        self
    }

    /// Some of the elements, in the order of the array, as the kernel's type: the array's
    /// own memory where it can be used as it is, else a conversion into `scratch`.
    pub(crate) fn read<'b, T: Kernel>(
        &'b self,
        elements: Range<usize>,
        scratch: &'b mut Vec<T>,
    ) -> &'b [T] {
        if let Some(whole) = T::contiguous(self) {
            return &whole[elements];
        }
        scratch.resize(elements.len(), T::default());
        self.copy(elements.start, scratch);
        scratch
    }

    /// Converts the elements from `start` on.
    pub(crate) fn copy<T: Real>(&self, start: usize, to: &mut [T]) {
        with_view!(&self.0, view => gather(view, start, to));
    }
}

/// The types that kernels compute in.
pub(crate) trait Kernel: Real {
    /// The array's elements as they lie in memory, if they are of this type.
    fn view<'b>(array: &'b Array<'_>) -> Option<ArrayViewD<'b, Self>>;
    /// The same for an array to write.
    fn view_mut<'b>(array: &'b mut ArrayMut<'_>) -> Option<ArrayViewMutD<'b, Self>>;
    /// Elements of this type as an array.
    fn array(view: ArrayView2<'_, Self>) -> Array<'_>;
    /// The same for an array to write.
    fn array_mut(view: ArrayViewMut2<'_, Self>) -> ArrayMut<'_>;
    /// The array's memory, if it holds this type without gaps.
    fn contiguous<'b>(array: &'b Array<'_>) -> Option<&'b [Self]>;
    /// The same for an array to write.
    fn contiguous_mut<'b>(array: &'b mut ArrayMut<'_>) -> Option<&'b mut [Self]>;
    /// Adds numbers to `sum`, some of them not before `bulk` is flushed.
    fn add_to(numbers: &[Self], bulk: &mut Bulk, sum: &mut ExactSum);
    /// Runs the kernel of a pointwise loss for this type.
    fn run_pointwise(
        kernels: &dyn PointwiseKernels,
        set: InstructionSet,
        prediction: &[Self],
        target: &[Self],
        to: Outputs<Self>,
    );
    /// Runs the kernel of a loss over a class axis for this type.
    fn run_rows(
        kernels: &dyn ClassKernels,
        set: InstructionSet,
        block: &ClassBlock<Self>,
        to: ClassOutputs<Self>,
    );
    /// Multiplies by the second derivatives of a loss over a class axis for this type.
    fn run_hessian(
        kernels: &dyn ClassKernels,
        set: InstructionSet,
        block: &ClassBlock<Self>,
        vector: &[Self],
        to: &mut [Self],
    );
    /// Runs the kernel of a loss of several predicted numbers for this type.
    fn run_joint(
        kernels: &dyn JointKernels,
        set: InstructionSet,
        prediction: &[Self],
        target: &[Self],
        to: Outputs<Self>,
    );
}

macro_rules! kernel_type {
    ($type:ident, $variant:ident, $run:ident, $hessian:ident, $add:expr) => {
        impl Kernel for $type {
            fn view<'b>(array: &'b Array<'_>) -> Option<ArrayViewD<'b, Self>> {
                if let Elements::$variant(view) = &array.0 { Some(view.shaped()) } else { None }
            }
            fn view_mut<'b>(array: &'b mut ArrayMut<'_>) -> Option<ArrayViewMutD<'b, Self>> {
                if let ElementsMut::$variant(view) = &mut array.0 {
                    Some(view.shaped())
                } else {
                    None
                }
            }
            fn array(view: ArrayView2<'_, Self>) -> Array<'_> {
                view.into()
            }
            fn array_mut(view: ArrayViewMut2<'_, Self>) -> ArrayMut<'_> {
                view.into()
            }
            fn contiguous<'b>(array: &'b Array<'_>) -> Option<&'b [Self]> {
                if let Elements::$variant(view) = &array.0 { view.as_slice() } else { None }
            }
            fn contiguous_mut<'b>(array: &'b mut ArrayMut<'_>) -> Option<&'b mut [Self]> {
                if let ElementsMut::$variant(view) = &mut array.0 {
                    view.as_slice_mut()
                } else {
                    None
                }
            }
            fn add_to(numbers: &[Self], bulk: &mut Bulk, sum: &mut ExactSum) {
                $add(numbers, bulk, sum);
            }
            fn run_pointwise(
                kernels: &dyn PointwiseKernels,
                set: InstructionSet,
                prediction: &[Self],
                target: &[Self],
                to: Outputs<Self>,
            ) {
                kernels.$run(set, prediction, target, to);
            }
            fn run_rows(
                kernels: &dyn ClassKernels,
                set: InstructionSet,
                block: &ClassBlock<Self>,
                to: ClassOutputs<Self>,
            ) {
                kernels.$run(set, block, to);
            }
            fn run_hessian(
                kernels: &dyn ClassKernels,
                set: InstructionSet,
                block: &ClassBlock<Self>,
                vector: &[Self],
                to: &mut [Self],
            ) {
                kernels.$hessian(set, block, vector, to);
            }
            fn run_joint(
                kernels: &dyn JointKernels,
                set: InstructionSet,
                prediction: &[Self],
                target: &[Self],
                to: Outputs<Self>,
            ) {
                kernels.$run(set, prediction, target, to);
            }
        }
    };
}
kernel_type!(f32, F32, run_f32, hessian_f32, |numbers, bulk: &mut Bulk, sum| bulk
    .add(numbers, sum));
kernel_type!(f64, F64, run_f64, hessian_f64, |numbers, _, sum: &mut ExactSum| sum.extend(numbers));

/// Walks the innermost runs of an array that cover `length` elements from `start` on: calls `run`
/// with the index of all axes but the last, the first position along the last axis, and the length.
fn runs(shape: &[usize], start: usize, length: usize, mut run: impl FnMut(&[usize], usize, usize)) {
    let inner = shape.last().copied().unwrap_or(1);
    let (mut done, mut at) = (0, start);
    let mut index = vec![0; shape.len().saturating_sub(1)];
    while done < length {
        let (mut outer, offset) = (at / inner, at % inner);
        for (index, &size) in index.iter_mut().zip(shape).rev() {
            *index = outer % size;
            outer /= size;
        }
        let count = (inner - offset).min(length - done);
        run(&index, offset, count);
        done += count;
        at += count;
    }
}

fn gather<E: Element, T: Real>(view: &View<'_, E>, start: usize, to: &mut [T]) {
    if let Some(slice) = view.as_slice() {
        return E::widen(&slice[start..start + to.len()], to);
    }
    let View::Shaped(view) = view else { return };
    let mut done = 0;
    runs(view.shape(), start, to.len(), |index, offset, count| {
        let mut row = view.view();
        for &at in index {
            row = row.index_axis_move(Axis(0), at);
        }
        if row.ndim() > 0 {
            row.slice_axis_inplace(Axis(0), (offset..offset + count).into());
        }
        let to = &mut to[done..done + count];
        match row.as_slice() {
            Some(from) => E::widen(from, to),
            None => to.iter_mut().zip(&row).for_each(|(to, from)| *to = from.to()),
        }
        done += count;
    });
}

/// A floating-point element that results are written to.
trait Writable: Copy {
    fn from_real<T: Real>(x: T) -> Self;
}
impl Writable for f32 {
    fn from_real<T: Real>(x: T) -> Self {
        x.to_f64() as f32
    }
}
impl Writable for f64 {
    fn from_real<T: Real>(x: T) -> Self {
        x.to_f64()
    }
}
impl Writable for f16 {
    fn from_real<T: Real>(x: T) -> Self {
        Self::from_f32(rounded_to_odd(x.to_f64()))
    }
}
impl Writable for bf16 {
    fn from_real<T: Real>(x: T) -> Self {
        Self::from_f32(rounded_to_odd(x.to_f64()))
    }
}

/// The number as f32, its last bit set if anything was lost: then rounding it once more, to a half
/// precision, gives what rounding the f64 would.
fn rounded_to_odd(x: f64) -> f32 {
    let near = x as f32;
    let back = f64::from(near);
    if back == x || x.is_nan() {
        return near;
    }
    let towards_zero = near.to_bits() - u32::from(back.abs() > x.abs());
    f32::from_bits(towards_zero | 1)
}

macro_rules! writable {
    ($($variant:ident $type:ty;)*) => {
        /// An array of f16, bf16, f32 or f64 to write losses or gradients to, with any strides.
        #[derive(Debug)]
        pub struct ArrayMut<'a>(ElementsMut<'a>);

        #[derive(Debug)]
        enum ElementsMut<'a> {
            $($variant(ViewMut<'a, $type>),)*
        }

        macro_rules! with_view_mut {
            ($array:expr, $view:ident => $body:expr) => {
                match $array { $(ElementsMut::$variant($view) => $body,)* }
            };
        }

        $(
            impl<'a, D: Dimension> From<ndarray::ArrayViewMut<'a, $type, D>> for ArrayMut<'a> {
                fn from(view: ndarray::ArrayViewMut<'a, $type, D>) -> Self {
                    Self(ElementsMut::$variant(ViewMut::Shaped(Box::new(view.into_dyn()))))
                }
            }
            impl<'a, D: Dimension> From<&'a mut ndarray::Array<$type, D>> for ArrayMut<'a> {
                fn from(array: &'a mut ndarray::Array<$type, D>) -> Self {
                    Self::from(array.view_mut())
                }
            }
            impl<'a> From<&'a mut [$type]> for ArrayMut<'a> {
                fn from(slice: &'a mut [$type]) -> Self {
                    Self(ElementsMut::$variant(ViewMut::flat(slice)))
                }
            }
            impl<'a> From<&'a mut Vec<$type>> for ArrayMut<'a> {
                fn from(vector: &'a mut Vec<$type>) -> Self {
                    Self::from(vector.as_mut_slice())
                }
            }
            impl<'a, const N: usize> From<&'a mut [$type; N]> for ArrayMut<'a> {
                fn from(array: &'a mut [$type; N]) -> Self {
                    Self::from(array.as_mut_slice())
                }
            }
        )*

        impl ArrayMut<'_> {
            /// The same memory for a shorter time.
            pub(crate) fn view_mut(&mut self) -> ArrayMut<'_> {
                ArrayMut(match &mut self.0 {
                    $(ElementsMut::$variant(view) => ElementsMut::$variant(view.view_mut()),)*
                })
            }

            /// Cuts the elements, in order, into those before `at` and the rest, both flat.
            pub(crate) fn split(self, at: usize) -> (Self, Self) {
                match self.0 {
                    $(ElementsMut::$variant(view) => {
                        let (front, back) = view.split(at);
                        (Self(ElementsMut::$variant(front)), Self(ElementsMut::$variant(back)))
                    })*
                }
            }
        }
    };
}
writable! {
    F16 f16;
    BF16 bf16;
    F32 f32;
    F64 f64;
}

impl ArrayMut<'_> {
    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        with_view_mut!(&self.0, view => view.shape())
    }

    /// Moves one axis to the end.
    pub(crate) fn move_to_end(&mut self, axis: usize) {
        with_view_mut!(&mut self.0, view => view.move_to_end(axis));
    }

    /// Whether the memory has no gaps, so that [`ArrayMut::split`] is possible.
    pub(crate) fn can_be_split(&self) -> bool {
        with_view_mut!(&self.0, view => view.is_flat())
    }

    /// Writes the same number everywhere.
    pub(crate) fn fill(&mut self, value: f64) {
        with_view_mut!(&mut self.0, view => match view {
            ViewMut::Flat { elements, .. } => elements.fill(Writable::from_real(value)),
            ViewMut::Shaped(view) => view.fill(Writable::from_real(value)),
        });
    }

    /// Writes the elements from `start` on, in the order of the array.
    pub(crate) fn write<T: Real>(&mut self, start: usize, from: &[T]) {
        with_view_mut!(&mut self.0, view => scatter(view, start, from));
    }
}

fn scatter<E: Writable, T: Real>(view: &mut ViewMut<'_, E>, start: usize, from: &[T]) {
    if let Some(slice) = view.as_slice_mut() {
        for (to, &from) in slice[start..start + from.len()].iter_mut().zip(from) {
            *to = E::from_real(from);
        }
        return;
    }
    let ViewMut::Shaped(view) = view else { return };
    let shape = view.shape().to_vec();
    let mut done = 0;
    runs(&shape, start, from.len(), |index, offset, count| {
        let mut row = view.view_mut();
        for &at in index {
            row = row.index_axis_move(Axis(0), at);
        }
        if row.ndim() > 0 {
            row.slice_axis_inplace(Axis(0), (offset..offset + count).into());
        }
        for (to, &from) in row.iter_mut().zip(&from[done..done + count]) {
            *to = E::from_real(from);
        }
        done += count;
    });
}
