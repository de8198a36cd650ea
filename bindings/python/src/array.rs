//! From Python objects to the library's arrays, without copying where that is possible.

use half::{bf16, f16};
use lossfn::{Array, ArrayMut};
use numpy::npyffi::PY_ARRAY_API;
use numpy::{
    Element, PyArrayDescr, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyException, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};
use pyo3::{PyTypeInfo, intern};
use std::ffi::c_int;
use std::ops::Range;

/// The element types that the library computes with.
macro_rules! element_types {
    (read: $($variant:ident $type:ty,)*; write: $($out:ident $out_type:ty,)*) => {
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum ElementType { $($variant,)* }

        /// # Safety
        /// The array has elements of this type, aligned, and strides that are whole elements; nobody
        /// writes to it while the view is in use.
        unsafe fn view<'a>(array: &'a Bound<'_, PyUntypedArray>, of: ElementType) -> Array<'a> {
            match of {
                $(ElementType::$variant => unsafe { typed::<$type>(array).as_array() }.into(),)*
            }
        }

        /// # Safety
        /// As [`view`]; and nobody reads it either.
        unsafe fn view_mut<'a>(
            array: &'a Bound<'_, PyUntypedArray>,
            of: ElementType,
        ) -> Option<ArrayMut<'a>> {
            match of {
                $(ElementType::$out => {
                    Some(unsafe { typed::<$out_type>(array).as_array_mut() }.into())
                })*
                _ => None,
            }
        }
    };
}
element_types! {
    read:
        Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
        F16 f16, Bf16 bf16, F32 f32, F64 f64,;
    write:
        F16 f16, Bf16 bf16, F32 f32, F64 f64,
}

/// An array of zeros.
fn allocate<'py>(
    py: Python<'py>,
    shape: &[usize],
    dtype: Bound<'py, PyArrayDescr>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let mut shape: Vec<isize> = shape.iter().map(|&length| length as isize).collect();
    // SAFETY: the shape has as many numbers as is said, and the call takes the reference to the type.
    // An array, or an error that is set: that memory is short.
    unsafe {
        let array = PY_ARRAY_API.PyArray_Zeros(
            py,
            shape.len() as c_int,
            shape.as_mut_ptr(),
            dtype.into_dtype_ptr(),
            0,
        );
        Ok(Bound::from_owned_ptr_or_err(py, array)?.cast_into_unchecked())
    }
}

/// # Safety
/// The array has elements of this type.
unsafe fn typed<'a, 'py, T: Element>(
    array: &'a Bound<'py, PyUntypedArray>,
) -> &'a Bound<'py, PyArrayDyn<T>> {
    unsafe { array.cast_unchecked::<PyArrayDyn<T>>() }
}

impl ElementType {
    fn of(dtype: &Bound<'_, PyArrayDescr>) -> Option<Self> {
        Some(match (dtype.kind(), dtype.itemsize()) {
            (b'f', 2) if dtype.char() == b'e' => Self::F16,
            (b'f', 4) => Self::F32,
            (b'f', 8) => Self::F64,
            (b'b', 1) => Self::Bool,
            (b'i', 1) => Self::I8,
            (b'i', 2) => Self::I16,
            (b'i', 4) => Self::I32,
            (b'i', 8) => Self::I64,
            (b'u', 1) => Self::U8,
            (b'u', 2) => Self::U16,
            (b'u', 4) => Self::U32,
            (b'u', 8) => Self::U64,
            // NumPy knows it by the package ml_dtypes alone.
            (b'V' | b'f', 2) if is_bfloat16(dtype) => Self::Bf16,
            _ => return None,
        })
    }
}

fn is_bfloat16(dtype: &Bound<'_, PyArrayDescr>) -> bool {
    let name = dtype.typeobj().name().map(|name| name.to_string());
    name.is_ok_and(|name| name == "bfloat16")
}

fn numpy_module(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static NUMPY: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = NUMPY.get_or_try_init(py, || py.import("numpy").map(Bound::unbind))?;
    Ok(module.bind(py))
}

/// An array to read.
pub struct Input<'py> {
    array: Bound<'py, PyUntypedArray>,
    of: ElementType,
    /// Whether the caller gave a number, not an array.
    pub is_scalar: bool,
}

impl<'py> Input<'py> {
    /// The array that a Python object is: a `NumPy` array as it lies in memory; what speaks `DLPack` or is
    /// otherwise an array to `NumPy`, without a copy where they allow it; numbers and lists of them.
    pub fn new(name: &str, object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let is_array = object.cast::<PyUntypedArray>().ok();
        let array = match is_array {
            Some(array) => {
                refuse_masked(name, object)?;
                array.clone()
            }
            None => as_array(name, object)?,
        };
        few_axes(name, &array)?;
        let dtype = array.dtype();
        let Some(of) = ElementType::of(&dtype) else {
            return Err(PyTypeError::new_err(format!(
                "{name} has elements of type {dtype}: it must be float16, bfloat16, float32, float64, an \
                 integer type or bool; convert it, for instance with astype('float64')"
            )));
        };
        let array = if is_ready(&array, &dtype) { array } else { native_copy(&array, &dtype)? };
        Ok(Self { array, of, is_scalar: is_array.is_none() && is_number(object) })
    }

    /// A view of the memory.
    pub fn view(&self) -> Array<'_> {
        // SAFETY: `new` made sure of type, alignment and strides. As with NumPy itself, another thread
        // that writes to the array meanwhile gets results that mean nothing.
        unsafe { view(&self.array, self.of) }
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        self.array.shape()
    }

    /// A new array for a result that belongs to this one: of its type if that is a floating-point
    /// type, else float64.
    pub fn result(&self, shape: &[usize]) -> PyResult<Output<'py>> {
        use ElementType::{Bf16, F16, F32, F64};
        let py = self.array.py();
        let (of, dtype) = match self.of {
            of @ (F16 | Bf16 | F32 | F64) => (of, self.array.dtype()),
            _ => (F64, numpy::dtype::<f64>(py)),
        };
        Ok(Output { array: allocate(py, shape, dtype)?, of, copy_to: None })
    }
}

/// A number of Python or a scalar of `NumPy`.
fn is_number(object: &Bound<'_, PyAny>) -> bool {
    !object.hasattr(intern!(object.py(), "__len__")).unwrap_or(true)
        && !object.hasattr(intern!(object.py(), "__dlpack__")).unwrap_or(true)
}

fn refuse_masked(name: &str, object: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = object.py();
    // The plain type is by far the most frequent, and quick to tell.
    if object.get_type().as_ptr() == PyUntypedArray::type_object_raw(py).cast() {
        return Ok(());
    }
    let masked = numpy_module(py)?.getattr("ma")?.getattr("MaskedArray")?;
    if !object.is_instance(&masked)? {
        return Ok(());
    }
    Err(PyTypeError::new_err(format!(
        "{name} is a masked array: give its data, and mask=~{name}.mask for the examples that count"
    )))
}

/// The most axes that views have.
const AXES: usize = 32;

fn few_axes(name: &str, array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    match array.ndim() {
        0..=AXES => Ok(()),
        axes => Err(PyValueError::new_err(format!(
            "{name} has {axes} axes: at most {AXES} are taken, so reshape it"
        ))),
    }
}

/// The array that an object is to `NumPy`.
fn as_array<'py>(name: &str, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = object.py();
    let numpy = numpy_module(py)?;
    if object.hasattr(intern!(py, "__dlpack__"))? {
        match numpy.call_method1(intern!(py, "from_dlpack"), (object,)) {
            Ok(array) => return Ok(array.cast_into::<PyUntypedArray>()?),
            Err(cause) if !cause.is_instance_of::<PyException>(py) => return Err(cause),
            // It may still be an array to NumPy.
            Err(_) => {}
        }
    }
    match numpy.call_method1(intern!(py, "asarray"), (object,)) {
        Ok(array) => Ok(array.cast_into::<PyUntypedArray>()?),
        // Not what is no Exception, such as KeyboardInterrupt.
        Err(cause) if !cause.is_instance_of::<PyException>(py) => Err(cause),
        Err(cause) => {
            let kind = object.get_type().fully_qualified_name()?;
            let message = format!("{name} is a {kind} that NumPy cannot read: {}", cause.value(py));
            let error = PyTypeError::new_err(message);
            error.set_cause(py, Some(cause));
            Err(error)
        }
    }
}

/// An array of whole numbers, which is not computed with but counts something.
pub fn whole_numbers<'py>(
    name: &str,
    object: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyArrayDyn<i64>>> {
    let input = Input::new(name, object)?;
    let dtype = input.array.dtype();
    if !matches!(dtype.kind(), b'i' | b'u' | b'b') {
        return Err(PyTypeError::new_err(format!(
            "{name} has elements of type {dtype}: it must have whole numbers"
        )));
    }
    let options = PyDict::new(object.py());
    options.set_item("dtype", "int64")?;
    options.set_item("order", "C")?;
    let module = numpy_module(object.py())?;
    if input.of == ElementType::U64 {
        let largest = module.call_method1("max", (&input.array,));
        // Without elements there is none.
        if let Ok(largest) = largest
            && largest.gt(i64::MAX)?
        {
            return Err(PyValueError::new_err(format!("{name} has {largest}: that is too large")));
        }
    }
    let array = module.call_method("asarray", (&input.array,), Some(&options))?;
    Ok(array.cast_into::<PyArrayDyn<i64>>()?)
}

/// A number for each of some things.
pub fn numbers(name: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let input = Input::new(name, object)?;
    if input.shape().len() != 1 {
        return Err(PyValueError::new_err(format!(
            "{name} has shape {:?}: it must have one axis",
            input.shape()
        )));
    }
    let options = PyDict::new(object.py());
    options.set_item("dtype", "float64")?;
    let array =
        numpy_module(object.py())?.call_method("asarray", (&input.array,), Some(&options))?;
    Ok(array.cast_into::<PyArrayDyn<f64>>()?.to_vec()?)
}

/// Whether the memory can be read as it is.
fn is_ready(array: &Bound<'_, PyUntypedArray>, dtype: &Bound<'_, PyArrayDescr>) -> bool {
    let size = dtype.itemsize() as isize;
    array.is_aligned()
        && dtype.is_native_byteorder() != Some(false)
        && array.strides().iter().all(|stride| stride % size == 0)
}

/// A copy in the byte order of this machine, without gaps.
fn native_copy<'py>(
    array: &Bound<'py, PyUntypedArray>,
    dtype: &Bound<'py, PyArrayDescr>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = array.py();
    let native = dtype.call_method1(intern!(py, "newbyteorder"), ("=",))?;
    let options = PyDict::new(py);
    options.set_item("order", "C")?;
    options.set_item("copy", true)?;
    let copy = array.call_method(intern!(py, "astype"), (native,), Some(&options))?;
    Ok(copy.cast_into::<PyUntypedArray>()?)
}

/// An array to write results to.
pub struct Output<'py> {
    array: Bound<'py, PyUntypedArray>,
    of: ElementType,
    /// The array of the caller, where another had to be written to.
    copy_to: Option<Bound<'py, PyUntypedArray>>,
}

impl<'py> Output<'py> {
    /// The array that a caller gives for results. If it shares memory with one of the others, results
    /// are copied to it when they are all there, so that they are as if it did not.
    pub fn new(
        name: &str,
        object: &Bound<'py, PyAny>,
        shape: &[usize],
        inputs: &[&Input<'py>],
        outputs: &[&Output<'py>],
    ) -> PyResult<Self> {
        let py = object.py();
        let array = match object.cast::<PyUntypedArray>() {
            Ok(array) => {
                refuse_masked(name, object)?;
                array.clone()
            }
            Err(_) if object.hasattr(intern!(py, "__dlpack__"))? => numpy_module(py)?
                .call_method1(intern!(py, "from_dlpack"), (object,))?
                .cast_into::<PyUntypedArray>()?,
            Err(_) => {
                let kind = object.get_type().fully_qualified_name()?;
                let message =
                    format!("{name} is a {kind}: it must be an array that can be written to");
                return Err(PyTypeError::new_err(message));
            }
        };
        if array.shape() != shape {
            return Err(PyValueError::new_err(format!(
                "{name} has shape {:?}, the shape of its results is {shape:?}: nothing is broadcast, so \
                 give an array of that shape",
                array.shape()
            )));
        }
        let dtype = array.dtype();
        let of = ElementType::of(&dtype).filter(|of| {
            use ElementType::{Bf16, F16, F32, F64};
            matches!(of, F16 | Bf16 | F32 | F64) && dtype.is_native_byteorder() != Some(false)
        });
        let Some(of) = of else {
            return Err(PyTypeError::new_err(format!(
                "{name} has elements of type {dtype}: results are float16, bfloat16, float32 or float64, \
                 in the byte order of this machine"
            )));
        };
        let flags = array.getattr(intern!(py, "flags"))?;
        if !flags.getattr(intern!(py, "writeable"))?.extract::<bool>()? {
            return Err(PyValueError::new_err(format!(
                "{name} is read-only: give an array that can be written to"
            )));
        }
        if meets_itself(&array) {
            return Err(PyValueError::new_err(format!(
                "{name} has elements that share memory: give an array of its own, not a broadcast view"
            )));
        }
        let place = memory(&array);
        let meets = |other: &Bound<'py, PyUntypedArray>| {
            let other = memory(other);
            place.start < other.end && other.start < place.end
        };
        let mut beside_others = false;
        for other in outputs.iter().map(|one| one.copy_to.as_ref().unwrap_or(&one.array)) {
            if meets(other) {
                beside_others = true;
                if share_memory(&array, other)? {
                    return Err(PyValueError::new_err(format!(
                        "{name} has arrays that share memory: give each result one of its own"
                    )));
                }
            }
        }
        let meets_inputs = inputs.iter().any(|input| meets(&input.array));
        if beside_others || meets_inputs || !is_ready(&array, &dtype) {
            let fresh = allocate(py, array.shape(), dtype)?;
            return Ok(Self { array: fresh, of, copy_to: Some(array) });
        }
        Ok(Self { array, of, copy_to: None })
    }

    /// A view of the memory.
    pub fn view(&mut self) -> ArrayMut<'_> {
        // SAFETY: the memory is this value's own, or `new` made sure that nothing else in the call
        // shares it; type, alignment and strides are checked.
        unsafe { view_mut(&self.array, self.of) }.expect("results have a floating-point type")
    }

    /// The array with the results: the caller's, if there is one.
    pub fn finish(self) -> PyResult<Bound<'py, PyAny>> {
        let Some(to) = self.copy_to else { return Ok(self.array.into_any()) };
        let py = to.py();
        numpy_module(py)?.call_method1(intern!(py, "copyto"), (&to, &self.array))?;
        Ok(to.into_any())
    }
}

/// Whether any element of one array lies where one of another does.
fn share_memory<'py>(
    one: &Bound<'py, PyUntypedArray>,
    other: &Bound<'py, PyUntypedArray>,
) -> PyResult<bool> {
    let py = one.py();
    let options = PyDict::new(py);
    // What is too hard to tell counts as shared.
    options.set_item("max_work", 100_000)?;
    let shared = numpy_module(py)?.call_method("shares_memory", (one, other), Some(&options));
    match shared {
        Ok(shared) => shared.extract(),
        Err(cause) if cause.is_instance_of::<PyException>(py) => Ok(true),
        Err(cause) => Err(cause),
    }
}

/// The addresses between the first and the last byte of an array.
fn memory(array: &Bound<'_, PyUntypedArray>) -> Range<isize> {
    // SAFETY: a live array.
    let data = unsafe { (*array.as_array_ptr()).fields.data } as isize;
    if array.is_empty() {
        return data..data;
    }
    let (mut start, mut end) = (data, data + array.dtype().itemsize() as isize);
    for (&stride, &size) in array.strides().iter().zip(array.shape()) {
        let reach = stride * (size as isize - 1);
        if reach < 0 {
            start += reach;
        } else {
            end += reach;
        }
    }
    start..end
}

/// Whether an element may lie where another does: steps along one axis must lead beyond all that the
/// smaller steps reach.
fn meets_itself(array: &Bound<'_, PyUntypedArray>) -> bool {
    let mut axes: Vec<(usize, usize)> = array
        .strides()
        .iter()
        .zip(array.shape())
        .filter(|&(_, &size)| size > 1)
        .map(|(stride, &size)| (stride.unsigned_abs(), size))
        .collect();
    axes.sort_unstable();
    let mut reach = array.dtype().itemsize();
    for (stride, size) in axes {
        if stride < reach {
            return !array.is_empty();
        }
        reach += stride * (size - 1);
    }
    false
}
