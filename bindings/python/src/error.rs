//! Errors of the library as Python exceptions.

use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

/// What the library refuses is a `ValueError`; wrong types are told before, by `TypeError`.
pub fn to_python(error: &lossfn::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
