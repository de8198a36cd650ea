//! Products of matrices.

use crate::array::Kernel;
use ndarray::{ArrayView2, ArrayViewMut2};

/// Writes `left` times `right` to a matrix, or adds it to what is there. On this thread alone, so that the
/// result depends on the matrices and on nothing else.
pub(crate) fn product<T: Kernel>(
    mut to: ArrayViewMut2<'_, T>,
    left: &ArrayView2<'_, T>,
    right: &ArrayView2<'_, T>,
    add: bool,
) {
    let ((rows, inner), columns) = (left.dim(), right.ncols());
    assert_eq!((inner, (rows, columns)), (right.nrows(), to.dim()), "shapes of a product");
    let (to_strides, left_strides, right_strides) = (
        <[isize; 2]>::try_from(to.strides()).expect("two axes"),
        <[isize; 2]>::try_from(left.strides()).expect("two axes"),
        <[isize; 2]>::try_from(right.strides()).expect("two axes"),
    );
    let one = T::from_f64(1.0);
    // SAFETY: pointers, shapes and strides are those of views, whose elements are there to be read and,
    // of `to`, to be written by nobody else; the shapes fit. `T` is f32 or f64.
    #[allow(unsafe_code, reason = "the one place where matrices are multiplied")]
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            to.as_mut_ptr(),
            to_strides[1],
            to_strides[0],
            add,
            left.as_ptr(),
            left_strides[1],
            left_strides[0],
            right.as_ptr(),
            right_strides[1],
            right_strides[0],
            one,
            one,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
