//! The catalog as Python data: the one source of the package's functions and classes.

use crate::error::to_python;
use crate::loss::{arguments, as_python};
use lossfn::{CATALOG, Domain, Form};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

/// Everything about every loss, in the order of the catalog.
#[pyfunction]
pub fn catalog(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let entries = CATALOG.iter().map(|entry| {
        let described = about(py, &entry.with_defaults())?;
        described.set_item("family", entry.family)?;
        Ok(described)
    });
    PyList::new(py, entries.collect::<PyResult<Vec<_>>>()?)
}

/// What is said about a loss.
pub fn about<'py>(py: Python<'py>, loss: &lossfn::Loss) -> PyResult<Bound<'py, PyDict>> {
    let about = loss.description();
    let described = PyDict::new(py);
    described.set_item("id", about.id)?;
    described.set_item("task", about.task.name())?;
    described.set_item("form", form_name(loss.form()))?;
    described.set_item("aliases", about.aliases)?;
    described.set_item("summary", about.summary)?;
    described.set_item("prediction", about.prediction_meaning)?;
    described.set_item("link", about.link)?;
    described.set_item("peers", about.peers)?;
    described.set_item("reference", about.reference)?;
    described.set_item("optimum", about.optimum)?;
    described.set_item("limits", about.limits)?;
    described.set_item("prediction_domain", about.prediction.to_string())?;
    described.set_item("target_domain", about.target.to_string())?;
    let components = about.components.iter();
    let components: Vec<_> =
        components.map(|one| (one.name, one.domain.to_string(), one.meaning)).collect();
    described.set_item("components", components)?;
    let parameters = PyList::empty(py);
    for parameter in about.parameters {
        let default = as_python(py, &parameter.range, parameter.default);
        let (name, meaning) = (parameter.name, parameter.meaning);
        parameters.append((name, default, parameter.range.to_string(), meaning))?;
    }
    described.set_item("parameters", parameters)?;
    described.set_item("example", example(loss))?;
    Ok(described)
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Pointwise => "pointwise",
        Form::ClassAxis => "class_axis",
        Form::Joint => "joint",
    }
}

/// The loss that text names: the number of its entry in the catalog, which a formula has not, and the
/// arguments that make it.
#[pyfunction]
pub fn parse<'py>(
    py: Python<'py>,
    text: &Bound<'_, PyString>,
) -> PyResult<(Option<usize>, Vec<Bound<'py, PyAny>>)> {
    let loss: lossfn::Loss = text.to_string_lossy().parse().map_err(|error| to_python(&error))?;
    let index = CATALOG.iter().position(|entry| entry.description.id == loss.id());
    Ok((index, arguments(py, &loss)))
}

/// Numbers of a domain that make a plain example.
fn numbers(domain: Domain) -> [f64; 2] {
    match domain {
        Domain::Real => [2.5, 0.0],
        Domain::Unit | Domain::OpenUnit => [0.75, 0.25],
        Domain::Sign => [1.0, -1.0],
        Domain::NonNegative | Domain::Positive => [2.0, 0.5],
        Domain::LogProbability => [-0.5, -2.0],
    }
}

/// An example for the documentation: prediction, target, and the cost by the definition, which is
/// computed with the standard library and not by the kernels.
fn example(loss: &lossfn::Loss) -> (String, String, f64) {
    let about = loss.description();
    if let Some(kernels) = loss.pointwise_kernels() {
        let predictions = numbers(about.prediction);
        let targets = match about.target {
            Domain::Real => [3.0, -0.5],
            Domain::Unit => [1.0, 0.0],
            Domain::NonNegative | Domain::Positive => [3.0, 1.0],
            other => numbers(other),
        };
        let losses = predictions.iter().zip(targets).map(|(&p, y)| kernels.reference(p, y).value);
        let mean = losses.sum::<f64>() / 2.0;
        return (format!("{predictions:?}"), format!("{targets:?}"), mean);
    }
    if let Some(kernels) = loss.class_kernels() {
        let scores = match about.prediction {
            Domain::LogProbability => [-0.5, -1.5, -1.7],
            _ if about.row_form == lossfn::RowForm::ScoreAndThresholds => [0.5, -1.0, 1.0],
            Domain::Real => [2.0, 0.5, -1.0],
            _ => [0.5, 0.25, 0.25],
        };
        let value = kernels.reference(&scores, &[0.0, 1.0, 0.0], &[0.0; 3]).value;
        return (format!("[{scores:?}]"), "[1]".to_owned(), value);
    }
    let domains = about.components.iter().map(|component| component.domain);
    let mut row: Vec<f64> = domains.map(|domain| numbers(domain)[0]).collect();
    if row.is_empty() {
        row = vec![1.0, 2.0, 3.0];
    }
    let target = match about.target {
        Domain::Real => 1.5,
        Domain::Unit | Domain::OpenUnit => 0.25,
        _ => 1.0,
    };
    let kernels = loss.joint_kernels();
    let value = kernels.map_or(f64::NAN, |kernels| kernels.reference(&row, target, 0).value);
    (format!("[{row:?}]"), format!("[{target:?}]"), value)
}
