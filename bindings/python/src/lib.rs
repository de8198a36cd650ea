//! The extension module of the Python package: arrays in, arrays out. What users see of it is in
//! `python/lossfn`.

mod array;
mod catalog;
mod check;
mod cost;
mod error;
mod linear;
mod loss;
mod threads;

use pyo3::prelude::*;

/// What the package lossfn is made of; use that.
#[pymodule]
mod _lossfn {
    #[pymodule_export]
    use crate::catalog::{catalog, parse};
    #[pymodule_export]
    use crate::check::{check_function, check_loss};
    #[pymodule_export]
    use crate::cost::Cost;
    #[pymodule_export]
    use crate::linear::LinearCost;
    #[pymodule_export]
    use crate::loss::{Loss, value_of};
    #[pymodule_export]
    use crate::threads::after_fork_in_child;
}
