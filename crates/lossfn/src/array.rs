//! Arrays as they come: any element type, any strides, read and written block by block.

use crate::class_axis::ClassBlock;
use crate::kernel::{
    ClassKernels, ClassOutputs, InstructionSet, JointKernels, Outputs, PointwiseKernels,
};
use crate::number::Real;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use ndarray::{ArrayView1, ArrayView2, ArrayViewD, ArrayViewMut1, ArrayViewMut2, ArrayViewMutD};
use ndarray::{Axis, Dimension, IntoDimension};
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

/// Shape and element type of an array that can be read.
macro_rules! readable {
    ($($variant:ident $type:ty, $doc:literal;)*) => {
        /// An array to read: predictions, targets, weights or a mask, with any strides.
        ///
        /// Made by `into` from slices, vectors, arrays of Rust and from `ndarray` arrays and views.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Array<'a> {
            $(#[doc = $doc] $variant(ArrayViewD<'a, $type>),)*
        }

        macro_rules! with_view {
            ($array:expr, $view:ident => $body:expr) => {
                match $array { $(Array::$variant($view) => $body,)* }
            };
        }

        $(
            impl<'a, D: Dimension> From<ndarray::ArrayView<'a, $type, D>> for Array<'a> {
                fn from(view: ndarray::ArrayView<'a, $type, D>) -> Self {
                    Self::$variant(view.into_dyn())
                }
            }
            impl<'a, D: Dimension> From<&ndarray::ArrayView<'a, $type, D>> for Array<'a> {
                fn from(view: &ndarray::ArrayView<'a, $type, D>) -> Self {
                    Self::from(view.clone())
                }
            }
            impl<'a, D: Dimension> From<&'a ndarray::Array<$type, D>> for Array<'a> {
                fn from(array: &'a ndarray::Array<$type, D>) -> Self {
                    Self::$variant(array.view().into_dyn())
                }
            }
            impl<'a> From<&'a [$type]> for Array<'a> {
                fn from(slice: &'a [$type]) -> Self {
                    Self::$variant(ArrayView1::from(slice).into_dyn())
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
    F16 f16, "Half precision.";
    BF16 bf16, "Brain float.";
    F32 f32, "Single precision.";
    F64 f64, "Double precision.";
    I8 i8, "Signed, 8 bits.";
    I16 i16, "Signed, 16 bits.";
    I32 i32, "Signed, 32 bits.";
    I64 i64, "Signed, 64 bits.";
    U8 u8, "Unsigned, 8 bits.";
    U16 u16, "Unsigned, 16 bits.";
    U32 u32, "Unsigned, 32 bits.";
    U64 u64, "Unsigned, 64 bits.";
    Bool bool, "True and false, as 1 and 0.";
}

impl Array<'_> {
    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        with_view!(self, view => view.shape())
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        with_view!(self, view => view.len())
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether losses of it are computed in f32: half and single precision.
    pub(crate) fn is_narrow(&self) -> bool {
        matches!(self, Self::F16(_) | Self::BF16(_) | Self::F32(_))
    }

    /// Whether it has numbers that f32 does not.
    pub(crate) fn needs_f64(&self) -> bool {
        matches!(self, Self::F64(_) | Self::I32(_) | Self::I64(_) | Self::U32(_) | Self::U64(_))
    }

    /// The same array with one axis moved to the end.
    pub(crate) fn with_last_axis(self, axis: usize) -> Self {
        macro_rules! moved {
            ($($variant:ident)*) => {
                match self { $(Self::$variant(view) => Self::$variant(move_last(view, axis)),)* }
            };
        }
        moved! { F16 BF16 F32 F64 I8 I16 I32 I64 U8 U16 U32 U64 Bool }
    }

    /// The same memory for a shorter time.
    pub(crate) fn view(&self) -> Array<'_> {
        macro_rules! view {
            ($($variant:ident)*) => {
                match self { $(Self::$variant(view) => Array::$variant(view.view()),)* }
            };
        }
        view! { F16 BF16 F32 F64 I8 I16 I32 I64 U8 U16 U32 U64 Bool }
    }

    /// Some rows and columns of a matrix.
    pub(crate) fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Array<'_> {
        macro_rules! part {
            ($($variant:ident)*) => {
                match self { $(Self::$variant(view) => {
                    let mut part = view.view();
                    part.slice_axis_inplace(Axis(0), rows.into());
                    part.slice_axis_inplace(Axis(1), columns.into());
                    Array::$variant(part)
                })* }
            };
        }
        part! { F16 BF16 F32 F64 I8 I16 I32 I64 U8 U16 U32 U64 Bool }
    }

    /// The elements from `start` on, in the order of the array, as the kernel's type: the array's
    /// own memory where it can be used as it is, else a conversion into `scratch`.
    pub(crate) fn read<'b, T: Kernel>(&'b self, start: usize, scratch: &'b mut [T]) -> &'b [T] {
        if let Some(whole) = T::contiguous(self) {
            return &whole[start..start + scratch.len()];
        }
        self.copy(start, scratch);
        scratch
    }

    /// Converts the elements from `start` on.
    pub(crate) fn copy<T: Real>(&self, start: usize, to: &mut [T]) {
        with_view!(self, view => gather(view, start, to));
    }
}

fn move_last<T>(mut view: ArrayViewD<'_, T>, axis: usize) -> ArrayViewD<'_, T> {
    let last = view.ndim().saturating_sub(1);
    for at in axis..last {
        view.swap_axes(at, at + 1);
    }
    view
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
    fn contiguous<'b>(array: &'b Array<'_>) -> Option<&'b [Self]> {
        Self::view(array)?.to_slice()
    }
    /// The same for an array to write.
    fn contiguous_mut<'b>(array: &'b mut ArrayMut<'_>) -> Option<&'b mut [Self]> {
        Self::view_mut(array)?.into_slice()
    }
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
    ($type:ident, $variant:ident, $run:ident, $hessian:ident) => {
        impl Kernel for $type {
            fn view<'b>(array: &'b Array<'_>) -> Option<ArrayViewD<'b, Self>> {
                if let Array::$variant(view) = array { Some(view.view()) } else { None }
            }
            fn view_mut<'b>(array: &'b mut ArrayMut<'_>) -> Option<ArrayViewMutD<'b, Self>> {
                if let ArrayMut::$variant(view) = array { Some(view.view_mut()) } else { None }
            }
            fn array(view: ArrayView2<'_, Self>) -> Array<'_> {
                view.into()
            }
            fn array_mut(view: ArrayViewMut2<'_, Self>) -> ArrayMut<'_> {
                view.into()
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
kernel_type!(f32, F32, run_f32, hessian_f32);
kernel_type!(f64, F64, run_f64, hessian_f64);

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

fn gather<E: Element, T: Real>(view: &ArrayViewD<'_, E>, start: usize, to: &mut [T]) {
    if let Some(slice) = view.as_slice() {
        return E::widen(&slice[start..start + to.len()], to);
    }
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
    ($($variant:ident $type:ty, $doc:literal;)*) => {
        /// An array to write losses or gradients to, with any strides.
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum ArrayMut<'a> {
            $(#[doc = $doc] $variant(ArrayViewMutD<'a, $type>),)*
        }

        macro_rules! with_view_mut {
            ($array:expr, $view:ident => $body:expr) => {
                match $array { $(ArrayMut::$variant($view) => $body,)* }
            };
        }

        $(
            impl<'a, D: Dimension> From<ndarray::ArrayViewMut<'a, $type, D>> for ArrayMut<'a> {
                fn from(view: ndarray::ArrayViewMut<'a, $type, D>) -> Self {
                    Self::$variant(view.into_dyn())
                }
            }
            impl<'a, D: Dimension> From<&'a mut ndarray::Array<$type, D>> for ArrayMut<'a> {
                fn from(array: &'a mut ndarray::Array<$type, D>) -> Self {
                    Self::$variant(array.view_mut().into_dyn())
                }
            }
            impl<'a> From<&'a mut [$type]> for ArrayMut<'a> {
                fn from(slice: &'a mut [$type]) -> Self {
                    Self::$variant(ArrayViewMut1::from(slice).into_dyn())
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
            /// The same array with one axis moved to the end.
            pub(crate) fn with_last_axis(self, axis: usize) -> Self {
                match self {
                    $(Self::$variant(mut view) => {
                        let last = view.ndim().saturating_sub(1);
                        for at in axis..last {
                            view.swap_axes(at, at + 1);
                        }
                        Self::$variant(view)
                    })*
                }
            }

            /// Whether the memory has no gaps, so that [`ArrayMut::split`] is possible.
            pub(crate) fn can_be_split(&self) -> bool {
                match self { $(Self::$variant(view) => view.is_standard_layout(),)* }
            }

            /// The same memory for a shorter time.
            pub(crate) fn view_mut(&mut self) -> ArrayMut<'_> {
                match self { $(Self::$variant(view) => ArrayMut::$variant(view.view_mut()),)* }
            }

            /// Cuts the elements, in order, into those before `at` and the rest, both flat.
            pub(crate) fn split(self, at: usize) -> (Self, Self) {
                match self {
                    $(Self::$variant(view) => {
                        let length = view.len();
                        let flat = view
                            .into_shape_with_order(length.into_dimension())
                            .expect("the caller asked can_be_split");
                        let (front, back) = flat.into_dyn().split_at(Axis(0), at);
                        (Self::$variant(front), Self::$variant(back))
                    })*
                }
            }
        }
    };
}
writable! {
    F16 f16, "Half precision.";
    BF16 bf16, "Brain float.";
    F32 f32, "Single precision.";
    F64 f64, "Double precision.";
}

impl ArrayMut<'_> {
    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        with_view_mut!(self, view => view.shape())
    }

    /// Writes the same number everywhere.
    pub(crate) fn fill(&mut self, value: f64) {
        with_view_mut!(self, view => view.fill(Writable::from_real(value)));
    }

    /// Writes the elements from `start` on, in the order of the array.
    pub(crate) fn write<T: Real>(&mut self, start: usize, from: &[T]) {
        with_view_mut!(self, view => scatter(view, start, from));
    }
}

fn scatter<E: Writable, T: Real>(view: &mut ArrayViewMutD<'_, E>, start: usize, from: &[T]) {
    if let Some(slice) = view.as_slice_mut() {
        for (to, &from) in slice[start..start + from.len()].iter_mut().zip(from) {
            *to = E::from_real(from);
        }
        return;
    }
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
