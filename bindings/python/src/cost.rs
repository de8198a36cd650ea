//! A cost that is added up over batches, processes and machines.

use crate::array::whole_numbers;
use crate::error::to_python;
use crate::loss::{Call, Loss, whole};
use crate::threads::detached;
use lossfn::CostState;
use numpy::{PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The cost of examples that come in batches: what has been added up so far.
///
/// The sums are exact: the value is the same to the last bit however the examples are spread over
/// batches, processes and machines, and it is that of one call with all of them.
///
/// >>> import lossfn
/// >>> cost = lossfn.Cost(lossfn.AbsoluteError())
/// >>> cost.update([1.0, 2.0], [0.0, 0.0])
/// >>> other = lossfn.Cost(lossfn.AbsoluteError())
/// >>> other.update([6.0], [0.0])
/// >>> cost.merge(other)
/// >>> cost.value()
/// 3.0
#[pyclass(frozen, module = "lossfn", name = "Cost", weakref)]
pub struct Cost {
    loss: Py<Loss>,
    state: Mutex<CostState>,
}

impl Cost {
    fn state(&self) -> MutexGuard<'_, CostState> {
        // Nothing panics while it is held, and a state is whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Cost {
    /// The cost by a loss with its settings, of no examples yet. `state` is the text that another
    /// cost's `state` gave.
    #[new]
    #[pyo3(signature = (loss, state=None))]
    fn new(loss: Py<Loss>, state: Option<&str>) -> PyResult<Self> {
        let state = match state {
            None => CostState::default(),
            Some(text) => serde_json::from_str(text).map_err(|reason| {
                PyValueError::new_err(format!("state is not the text of a cost's state: {reason}"))
            })?,
        };
        Ok(Self { loss, state: Mutex::new(state) })
    }

    /// Adds examples. Arguments and errors are those of the loss's `value`; after an error the cost is
    /// as it was.
    #[pyo3(signature = (prediction, target, weights=None, *, mask=None))]
    fn update<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
        mask: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let state = self.loss.get().state_of(py, prediction, target, weights, mask)?;
        self.state().merge(&state);
        Ok(())
    }

    /// The costs of the groups that examples belong to, one for each, so that groups come with one pass
    /// over all examples.
    ///
    /// groups: for each example the number of its group, from 0 to below `count`.
    /// Other arguments and errors are those of the loss's `value`.
    ///
    /// >>> import lossfn
    /// >>> loss = lossfn.AbsoluteError()
    /// >>> costs = lossfn.Cost.by_group(loss, [1.0, 2.0, 6.0], [0.0, 0.0, 0.0], [0, 0, 1], 2)
    /// >>> [cost.value() for cost in costs]
    /// [1.5, 6.0]
    #[staticmethod]
    #[pyo3(signature = (loss, prediction, target, groups, count, weights=None, *, mask=None))]
    #[allow(clippy::too_many_arguments, reason = "they are named")]
    fn by_group<'py>(
        py: Python<'py>,
        loss: &Bound<'py, Loss>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        groups: &Bound<'py, PyAny>,
        count: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
        mask: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Self>> {
        let count: i64 = whole("count", count)?;
        let most = i64::from(u32::MAX);
        if !(0..=most).contains(&count) {
            let message = format!("count must be 0 or more, and at most {most}, not {count}");
            return Err(PyValueError::new_err(message));
        }
        let count = count as usize;
        let mut states = Vec::new();
        states.try_reserve_exact(count).map_err(|_| {
            PyMemoryError::new_err(format!("there is no memory for count={count} groups"))
        })?;
        states.resize(count, CostState::default());
        let call = Call::new(prediction, target, weights, mask)?;
        let groups = whole_numbers("groups", groups)?;
        let groups = groups.try_readonly()?;
        let this = loss.get();
        let expected = this.losses_shape(&call);
        if groups.shape() != expected {
            return Err(to_python(&lossfn::Error::ShapeMismatch {
                what: "groups",
                found: groups.shape().to_vec(),
                with: "the examples",
                expected,
            }));
        }
        let groups = groups.as_slice()?;
        let wrong = groups.iter().position(|&g| usize::try_from(g).map_or(true, |g| g >= count));
        if let Some(at) = wrong {
            let group = groups[at];
            return Err(PyValueError::new_err(format!(
                "groups has {group} at position {at}: it must be 0 or more and below count={count}"
            )));
        }
        let examples = call.examples();
        let states = detached(py, || {
            let groups: Vec<u32> = groups.iter().map(|&group| group as u32).collect();
            this.cost.for_each_scored(&examples, |scored| {
                scored.add_by_group(&mut states, &groups[scored.start..]);
            })?;
            Ok(states)
        })
        .map_err(|error| to_python(&error))?;
        let loss = loss.as_unbound();
        let cost = |state| Self { loss: loss.clone_ref(py), state: Mutex::new(state) };
        Ok(states.into_iter().map(cost).collect())
    }

    /// Adds the examples of another cost by an equal loss.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        if self.loss.get().cost != other.loss.get().cost {
            let (mine, theirs) = (self.loss.bind(py).repr()?, other.loss.bind(py).repr()?);
            return Err(PyValueError::new_err(format!(
                "costs by different losses do not add up: {mine} and {theirs}"
            )));
        }
        // A copy: it may be the same cost, and no two locks are held at once.
        let state = other.state().clone();
        self.state().merge(&state);
        Ok(())
    }

    /// The cost of all examples so far.
    ///
    /// Raises ``ValueError`` if none counts (unless the loss says what that is worth), and without a
    /// reduction.
    fn value(&self) -> PyResult<f64> {
        self.loss.get().cost.value_of_state(&self.state()).map_err(|error| to_python(&error))
    }

    /// The loss.
    #[getter]
    fn loss(&self, py: Python<'_>) -> Py<Loss> {
        self.loss.clone_ref(py)
    }

    /// The weighted sum of the losses.
    #[getter]
    fn sum(&self) -> f64 {
        self.state().sum()
    }

    /// The sum of the weights of the examples that count.
    #[getter]
    fn weights(&self) -> f64 {
        self.state().weights()
    }

    /// The number of examples that count: neither masked nor of the ignored class.
    #[getter]
    fn valid(&self) -> u64 {
        self.state().valid()
    }

    /// The number of all examples.
    #[getter]
    fn examples(&self) -> u64 {
        self.state().examples()
    }

    /// What has been added up, exactly, as text: for files and other machines.
    #[getter]
    fn state_text(&self) -> PyResult<String> {
        let state = self.state().clone();
        serde_json::to_string(&state).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, this) = (slf.py(), slf.get());
        (slf.get_type(), (this.loss(py), this.state_text()?)).into_pyobject(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            let state = other.state().clone();
            self.loss.get().cost == other.loss.get().cost && *self.state() == state
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (examples, valid) = (self.examples(), self.valid());
        let value = match self.value() {
            Ok(value) => format!(", value {value:?}"),
            Err(_) => String::new(),
        };
        let loss = self.loss.bind(py).repr()?;
        Ok(format!("<lossfn.Cost of {loss}: {valid} of {examples} examples count{value}>"))
    }
}
