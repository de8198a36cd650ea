//! What is wrong with a loss, or with a function of Python.

use crate::error::to_python;
use crate::loss::Loss;
use crate::threads::detached;
use lossfn::Domain;
use lossfn_check::{Domains, Report};
use pyo3::prelude::*;
use std::cell::RefCell;

/// A piece of evidence: prediction, target, quantity, precision, found, truth.
type EvidenceParts = (Vec<f64>, Vec<f64>, &'static str, &'static str, f64, Option<String>);
/// A finding: kind, severity, message, evidence, witness, advice, proposal, text.
type FindingParts = (
    &'static str,
    &'static str,
    String,
    Vec<EvidenceParts>,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
);
/// A report: text, summary, whether it is sound, findings.
type ReportParts = (String, String, bool, Vec<FindingParts>);

fn parts(report: &Report) -> ReportParts {
    let findings = report.findings.iter().map(|finding| {
        let evidence = finding.evidence.iter().map(|one| {
            let (prediction, target) = (one.prediction.clone(), one.target.clone());
            let (quantity, precision) = (one.quantity.name(), one.precision.name());
            (prediction, target, quantity, precision, one.found, one.truth.clone())
        });
        (
            finding.kind.id(),
            finding.severity.name(),
            finding.message.clone(),
            evidence.collect(),
            finding.witness.as_ref().map(|witness| witness.text.clone()),
            finding.advice.clone(),
            finding.proposal.clone(),
            finding.to_string(),
        )
    });
    (report.to_string(), report.summary(), report.is_sound(), findings.collect())
}

/// What is wrong with a loss.
#[pyfunction]
pub fn check_loss(py: Python<'_>, loss: &Bound<'_, Loss>) -> ReportParts {
    let loss = loss.get().cost.loss().clone();
    parts(&detached(py, || lossfn_check::check(&loss)))
}

/// What is wrong with a function of a prediction and a target, and with its gradient.
#[pyfunction]
pub fn check_function(
    function: &Bound<'_, PyAny>,
    gradient: Option<&Bound<'_, PyAny>>,
    prediction: &str,
    target: &str,
) -> PyResult<ReportParts> {
    let domain = |text: &str| text.parse::<Domain>().map_err(|error| to_python(&error));
    let domains = Domains { prediction: domain(prediction)?, target: domain(target)? };
    // The first exception ends the check: what comes after it is not looked at.
    let failed = RefCell::new(None);
    let call = |function: &Bound<'_, PyAny>, prediction: f64, target: f64| {
        if failed.borrow().is_some() {
            return f64::NAN;
        }
        let result = function.call1((prediction, target)).and_then(|value| value.extract::<f64>());
        result.unwrap_or_else(|error| {
            let place = format!("at prediction {prediction}, target {target}");
            // Notes came with Python 3.11; without them the error is still the caller's own.
            let _ = error.value(function.py()).call_method1("add_note", (place,));
            failed.replace(Some(error));
            f64::NAN
        })
    };
    let slope = gradient.map(|gradient| |p: f64, y: f64| call(gradient, p, y));
    let slope = slope.as_ref().map(|slope| slope as &dyn Fn(f64, f64) -> f64);
    let report = lossfn_check::check_function(|p, y| call(function, p, y), slope, domains);
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(parts(&report)),
    }
}
