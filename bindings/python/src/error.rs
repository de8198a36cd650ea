//! Errors of the library as Python exceptions.

use lossfn::Error;
use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

/// What the library refuses is a `ValueError`; wrong types are told before, by `TypeError`.
pub fn to_python(error: &Error) -> PyErr {
    PyValueError::new_err(match error {
        Error::NothingValid => {
            "nothing to average: no example counts; nothing_valid=\"nan\" or \"zero\" says what that is \
             worth"
                .to_owned()
        }
        Error::NoReduction => {
            "the reduction is \"none\", so there is no single value: ask the loss for its values".to_owned()
        }
        Error::UnknownLoss { name, suggestion: None } => {
            format!("there is no loss {name:?}; lossfn.catalog has all")
        }
        _ => error.to_string(),
    })
}
