//! A linear layer and the cost of its scores.

use crate::array::{Input, Output};
use crate::error::to_python;
use crate::loss::{Call, Loss, Optional, buffers};
use crate::threads::detached;
use lossfn::{LinearResults, Reduction};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyTuple};

/// A linear layer and the cost of its scores ``hidden @ classifier.T + bias``, by a loss over a class axis: the
/// last layer of a language model with its cross-entropy. The scores of all examples are never in memory.
///
/// loss: the loss with its settings, such as ``SoftmaxCrossEntropy(soft_cap=30.0, ignored_class=-100)``. All of
/// them hold here, but for ``class_axis``: scores have that last.
///
/// Time is that of three matrix products, or of one for the value alone; examples that are masked, ignored or
/// have weight 0 cost nothing. Memory beside arguments and results is a block of scores, at most 256 MiB (or
/// the scores of one example), and some MiB for each thread; besides, a gradient by a classifier in half
/// precision is added up in float32 and rounded once. All is computed in float32 if hidden states,
/// classifier and bias have half or single precision, else in float64. Results are the same bits for any
/// number of threads.
///
/// >>> import lossfn
/// >>> cost = lossfn.LinearCost(lossfn.SoftmaxCrossEntropy())
/// >>> hidden, classifier = [[1.0, 2.0], [0.5, -1.0]], [[0.1, 0.2], [0.0, 0.3], [-0.1, 0.4]]
/// >>> value, by_hidden, by_classifier = cost.value_and_gradients(hidden, classifier, [2, 0])
/// >>> round(value, 6), by_hidden.shape, by_classifier.shape
/// (0.979021, (2, 2), (3, 2))
#[pyclass(frozen, module = "lossfn", name = "LinearCost", weakref)]
pub struct LinearCost {
    loss: Py<Loss>,
}

/// The arrays of a call.
struct Layer<'py> {
    call: Call<'py>,
    classifier: Input<'py>,
    bias: Option<Input<'py>>,
}

impl<'py> Layer<'py> {
    fn new(
        hidden: &Bound<'py, PyAny>,
        classifier: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        bias: Optional<'_, 'py>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
    ) -> PyResult<Self> {
        Ok(Self {
            call: Call::of("hidden", hidden, target, weights, mask)?,
            classifier: Input::new("classifier", classifier)?,
            bias: bias.map(|bias| Input::new("bias", bias)).transpose()?,
        })
    }

    fn inputs(&self) -> Vec<&Input<'py>> {
        let mut inputs = self.call.inputs();
        inputs.push(&self.classifier);
        inputs.extend(&self.bias);
        inputs
    }

    /// What gradients are by.
    fn parts(&self) -> Vec<&Input<'py>> {
        [&self.call.prediction, &self.classifier].into_iter().chain(&self.bias).collect()
    }

    fn losses(&self, out: Optional<'_, 'py>) -> PyResult<Output<'py>> {
        let hidden = &self.call.prediction;
        // If there are no examples the library says so.
        let shape = &hidden.shape()[..hidden.shape().len().min(1)];
        match out {
            Some(out) => Output::new("out", out, shape, &self.inputs(), &[]),
            None => hidden.result(shape),
        }
    }

    /// The arrays for the gradients: those that a caller gives, or new ones.
    fn gradients(&self, out: Optional<'_, 'py>) -> PyResult<Vec<Output<'py>>> {
        let parts = self.parts();
        let names = &["by hidden", "by classifier", "by bias"][..parts.len()];
        let mut outputs: Vec<Output<'py>> = Vec::new();
        for (given, part) in buffers(names, out)?.into_iter().zip(parts) {
            let output = match given {
                None => part.result(part.shape())?,
                Some(array) => {
                    let others: Vec<&Output<'py>> = outputs.iter().collect();
                    Output::new("out", &array, part.shape(), &self.inputs(), &others)?
                }
            };
            outputs.push(output);
        }
        Ok(outputs)
    }
}

impl LinearCost {
    /// The value, unless the losses are wanted one by one, and all that has an output.
    fn compute<'py>(
        &self,
        py: Python<'py>,
        layer: &Layer<'py>,
        losses: Option<&mut Output<'py>>,
        gradients: &mut [Output<'py>],
    ) -> PyResult<Option<f64>> {
        let cost = &self.loss.get().cost;
        let with_value = losses.is_none();
        let mut results = LinearResults::default();
        if let Some(losses) = losses {
            results = results.losses(losses.view());
        }
        for (at, gradient) in gradients.iter_mut().enumerate() {
            results = match at {
                0 => results.hidden_gradient(gradient.view()),
                1 => results.classifier_gradient(gradient.view()),
                _ => results.bias_gradient(gradient.view()),
            };
        }
        let (examples, classifier) = (layer.call.examples(), layer.classifier.view());
        let bias = layer.bias.as_ref().map(Input::view);
        detached(py, || {
            let mut linear = lossfn::LinearCost::new(cost, classifier)?;
            if let Some(bias) = bias {
                linear = linear.bias(bias)?;
            }
            let state = linear.compute(&examples, results)?;
            with_value.then(|| cost.value_of_state(&state)).transpose()
        })
        .map_err(|error| to_python(&error))
    }

    fn has_losses(&self) -> bool {
        self.loss.get().settings.reduction == Reduction::None
    }
}

#[pymethods]
impl LinearCost {
    #[new]
    fn new(loss: Py<Loss>) -> PyResult<Self> {
        // What the loss cannot do is said here, not at the first call.
        let no_classes = ndarray::Array2::<f64>::zeros((0, 0));
        lossfn::LinearCost::new(&loss.get().cost, &no_classes)
            .map_err(|error| to_python(&error))?;
        Ok(Self { loss })
    }

    /// The cost of examples: a number, or with ``reduction="none"`` the losses one by one.
    ///
    /// hidden: a row for each example, of the shape (examples, width).
    /// classifier: a row for each class, of the shape (classes, width).
    /// target: the label of each example.
    /// bias: for each class a number that is added to its scores.
    /// weights: for each example a number that its loss is multiplied by; the mean divides by their sum.
    /// mask: for each example whether it counts; hidden states of the others may be anything.
    /// out: an array for the losses.
    ///
    /// Raises ``ValueError`` for shapes that do not fit, for labels that are no classes, with their position,
    /// and if no example counts; ``TypeError`` for what is no array of numbers.
    #[pyo3(signature = (hidden, classifier, target, bias=None, *, weights=None, mask=None, out=None))]
    #[allow(clippy::too_many_arguments, reason = "they are named")]
    fn value<'py>(
        &self,
        py: Python<'py>,
        hidden: &Bound<'py, PyAny>,
        classifier: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        bias: Optional<'_, 'py>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let layer = Layer::new(hidden, classifier, target, bias, weights, mask)?;
        if !self.has_losses() {
            if out.is_some() {
                return Err(PyValueError::new_err(
                    "out= is for arrays, and the value is one number: leave it out, or take a loss with \
                     reduction='none'",
                ));
            }
            let value = self.compute(py, &layer, None, &mut [])?;
            return Ok(value.into_pyobject(py)?.into_any());
        }
        let mut losses = layer.losses(out)?;
        self.compute(py, &layer, Some(&mut losses), &mut [])?;
        losses.finish()
    }

    /// As `value`.
    #[pyo3(signature = (hidden, classifier, target, bias=None, *, weights=None, mask=None, out=None))]
    #[allow(clippy::too_many_arguments, reason = "they are named")]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        hidden: &Bound<'py, PyAny>,
        classifier: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        bias: Optional<'_, 'py>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.value(py, hidden, classifier, target, bias, weights, mask, out)
    }

    /// The value, and the derivatives of the cost by hidden states, by classifier and, if there is one, by
    /// bias: a tuple. Each has shape and type of what it is by; without reduction they are those of the sum.
    /// Arguments and errors are those of `value`; out is a tuple of arrays for the derivatives.
    #[pyo3(signature = (hidden, classifier, target, bias=None, *, weights=None, mask=None, out=None))]
    #[allow(clippy::too_many_arguments, reason = "they are named")]
    fn value_and_gradients<'py>(
        &self,
        py: Python<'py>,
        hidden: &Bound<'py, PyAny>,
        classifier: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        bias: Optional<'_, 'py>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let layer = Layer::new(hidden, classifier, target, bias, weights, mask)?;
        let mut gradients = layer.gradients(out)?;
        let mut losses = self.has_losses().then(|| layer.losses(None)).transpose()?;
        let value = self.compute(py, &layer, losses.as_mut(), &mut gradients)?;
        let mut all = Vec::with_capacity(1 + gradients.len());
        all.extend(value.map(|value| PyFloat::new(py, value).into_any()));
        for output in losses.into_iter().chain(gradients) {
            all.push(output.finish()?);
        }
        PyTuple::new(py, all)
    }

    /// The loss.
    #[getter]
    fn loss(&self, py: Python<'_>) -> Py<Loss> {
        self.loss.clone_ref(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        (slf.get_type(), (slf.get().loss(slf.py()),)).into_pyobject(slf.py())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let cost = |one: &Self| one.loss.get().cost.clone();
        other.cast::<Self>().is_ok_and(|other| cost(self) == cost(other.get()))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.loss.bind(py).hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("lossfn.LinearCost({})", self.loss.bind(py).repr()?))
    }
}
