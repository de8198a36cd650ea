//! Losses with their settings, and what is computed of examples.

use crate::array::{Input, Output, numbers};
use crate::catalog::about;
use crate::error::to_python;
use crate::threads::detached;
use lossfn::{CATALOG, Cost, CostState, Denominator, Examples, Form, Range, Reduction, Results};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString, PyTuple};

/// How losses become one number, as Python callers say it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub reduction: Reduction,
    denominator: Denominator,
    nothing_valid: lossfn::NothingValid,
    class_weights: Option<Vec<f64>>,
    ignored_class: Option<i64>,
    axis: isize,
}

/// A setting that may be left out.
pub type Optional<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

impl Settings {
    fn new(
        form: Form,
        reduction: &Bound<'_, PyAny>,
        denominator: &Bound<'_, PyAny>,
        nothing_valid: &Bound<'_, PyAny>,
        class_weights: Optional<'_, '_>,
        ignored_class: Optional<'_, '_>,
        axis: Optional<'_, '_>,
    ) -> PyResult<Self> {
        Ok(Self {
            reduction: choice("reduction", reduction)?,
            denominator: if denominator.is_instance_of::<PyString>() {
                choice("denominator", denominator)?
            } else {
                let value = number_of("denominator", denominator)?;
                if !(value > 0.0 && value.is_finite()) {
                    return Err(to_python(&lossfn::Error::InvalidDenominator { value }));
                }
                Denominator::Number(value)
            },
            nothing_valid: choice("nothing_valid", nothing_valid)?,
            class_weights: class_weights.map(|one| numbers("class_weights", one)).transpose()?,
            ignored_class: ignored_class.map(|one| whole("ignored_class", one)).transpose()?,
            axis: axis.map(|one| whole(axis_name(form), one)).transpose()?.unwrap_or(-1),
        })
    }

    fn cost(&self, loss: lossfn::Loss) -> Result<Cost, lossfn::Error> {
        let form = loss.form();
        let mut cost = Cost::new(loss)
            .reduction(self.reduction)
            .denominator(self.denominator)
            .nothing_valid(self.nothing_valid);
        if let Some(weights) = &self.class_weights {
            cost = cost.class_weights(weights)?;
        }
        if let Some(class) = self.ignored_class {
            cost = cost.ignored_class(class)?;
        }
        match form {
            Form::ClassAxis => cost.class_axis(self.axis),
            Form::Joint => cost.component_axis(self.axis),
            Form::Pointwise if self.axis != -1 => cost.class_axis(self.axis),
            Form::Pointwise => Ok(cost),
        }
    }

    /// Those that are not the default, by the names of the arguments.
    fn changed<'py>(&self, py: Python<'py>, form: Form) -> PyResult<Bound<'py, PyDict>> {
        let changed = PyDict::new(py);
        if self.reduction != Reduction::default() {
            changed.set_item("reduction", self.reduction.to_string())?;
        }
        match self.denominator {
            Denominator::Weights => {}
            Denominator::Number(number) => changed.set_item("denominator", number)?,
            named => changed.set_item("denominator", named.to_string())?,
        }
        if self.nothing_valid != lossfn::NothingValid::default() {
            changed.set_item("nothing_valid", self.nothing_valid.to_string())?;
        }
        if let Some(weights) = &self.class_weights {
            changed.set_item("class_weights", weights.clone())?;
        }
        if let Some(class) = self.ignored_class {
            changed.set_item("ignored_class", class)?;
        }
        if self.axis != -1 {
            changed.set_item(axis_name(form), self.axis)?;
        }
        Ok(changed)
    }
}

/// What callers name the axis of the rows by.
fn axis_name(form: Form) -> &'static str {
    if form == Form::Joint { "component_axis" } else { "class_axis" }
}

fn choice<T>(name: &str, value: &Bound<'_, PyAny>) -> PyResult<T>
where
    T: std::str::FromStr<Err = lossfn::Error>,
{
    let wrong = |_| {
        PyTypeError::new_err(format!("{name} must be a name in quotes, not {}", written(value)))
    };
    let text = value.cast::<PyString>().map_err(wrong)?.to_string_lossy();
    text.parse().map_err(|error| to_python(&error))
}

/// A value in an error: not all of it if it is long.
fn written(value: &Bound<'_, PyAny>) -> String {
    const MOST: usize = 60;
    let text = value.repr().map_or_else(|_| "that".into(), |text| text.to_string_lossy().into());
    let text: String = text;
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain("...".chars()).collect()
}

/// A number that was given for a parameter.
fn number_of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(number.value());
    }
    let wrong = || PyTypeError::new_err(format!("{name} must be a number, not {}", written(value)));
    if value.is_instance_of::<PyString>() {
        return Err(wrong());
    }
    value.extract().map_err(|_| wrong())
}

/// A whole number that was given for a setting.
pub fn whole<T>(name: &str, value: &Bound<'_, PyAny>) -> PyResult<T>
where
    T: for<'a, 'py> FromPyObject<'a, 'py>,
{
    value.extract().map_err(|_| {
        PyTypeError::new_err(format!("{name} must be a whole number, not {}", written(value)))
    })
}

/// A parameter's value as Python has it.
pub fn as_python<'py>(py: Python<'py>, range: &Range, value: f64) -> Bound<'py, PyAny> {
    match range.kind {
        lossfn::Kind::Number => PyFloat::new(py, value).into_any(),
        lossfn::Kind::Whole => PyInt::new(py, value as i64).into_any(),
        lossfn::Kind::Switch => PyBool::new(py, value != 0.0).to_owned().into_any(),
    }
}

/// What makes a loss: the values of its parameters, or the text of its formula, which has them.
pub fn arguments<'py>(py: Python<'py>, loss: &lossfn::Loss) -> Vec<Bound<'py, PyAny>> {
    if let Some(text) = loss.typed_text() {
        return vec![PyString::new(py, &text).into_any()];
    }
    let parameters = loss.description().parameters.iter().zip(loss.parameters());
    parameters.map(|(one, &value)| as_python(py, &one.range, value)).collect()
}

/// The loss with this number in the catalog, with values for its parameters; or by its formula, with
/// names and values of those that are not to have the value that the text gives them.
fn built(which: &Bound<'_, PyAny>, parameters: &Bound<'_, PyTuple>) -> PyResult<lossfn::Loss> {
    if let Ok(text) = which.cast::<PyString>() {
        let mut loss =
            lossfn::Loss::typed(&text.to_string_lossy()).map_err(|error| to_python(&error))?;
        for parameter in parameters.iter() {
            let (name, value): (String, Bound<'_, PyAny>) = parameter.extract()?;
            let value = number_of(&name, &value)?;
            loss = loss.with_parameter(&name, value).map_err(|error| to_python(&error))?;
        }
        return Ok(loss);
    }
    let entry = CATALOG.get(which.extract::<usize>()?);
    let entry = entry.ok_or_else(|| PyIndexError::new_err("there is no such loss"))?;
    let known = entry.description.parameters;
    let named = known.iter().map(|parameter| parameter.name).chain(std::iter::repeat("parameter"));
    let values = parameters.iter().zip(named).map(|(value, name)| number_of(name, &value));
    entry.build(&values.collect::<PyResult<Vec<f64>>>()?).map_err(|error| to_python(&error))
}

/// The examples of a call.
pub struct Call<'py> {
    pub prediction: Input<'py>,
    target: Input<'py>,
    weights: Option<Input<'py>>,
    mask: Option<Input<'py>>,
}

impl<'py> Call<'py> {
    /// Takes the arrays of a call as they are.
    pub fn new(
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
    ) -> PyResult<Self> {
        Self::of("prediction", prediction, target, weights, mask)
    }

    /// The same with another name for what callers call otherwise.
    pub fn of(
        name: &str,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
    ) -> PyResult<Self> {
        Ok(Self {
            prediction: Input::new(name, prediction)?,
            target: Input::new("target", target)?,
            weights: weights.map(|weights| Input::new("weights", weights)).transpose()?,
            mask: mask.map(|mask| Input::new("mask", mask)).transpose()?,
        })
    }

    /// All of its arrays.
    pub fn inputs(&self) -> Vec<&Input<'py>> {
        let optional = [&self.weights, &self.mask].into_iter().flatten();
        [&self.prediction, &self.target].into_iter().chain(optional).collect()
    }

    /// The examples, for the library.
    pub fn examples(&self) -> Examples<'_> {
        let mut examples = Examples::new(self.prediction.view(), self.target.view());
        if let Some(weights) = &self.weights {
            examples = examples.weights(weights.view());
        }
        if let Some(mask) = &self.mask {
            examples = examples.mask(mask.view());
        }
        examples
    }

    /// The shape of the losses one by one. If the axis is wrong the library says so.
    fn losses_shape(&self, form: Form, axis: isize) -> Vec<usize> {
        let mut shape = self.prediction.shape().to_vec();
        let from_start = if axis < 0 { axis + shape.len() as isize } else { axis };
        if form != Form::Pointwise && (0..shape.len() as isize).contains(&from_start) {
            shape.remove(from_start as usize);
        }
        shape
    }
}

/// A derivative that is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Derivative {
    Gradient,
    Second,
    Curvature,
}

impl Derivative {
    fn name(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Second => "second",
            Self::Curvature => "curvature",
        }
    }
}

/// A result as callers expect it: for a number a number, not an array without axes.
fn finished(output: Output<'_>, is_scalar: bool) -> PyResult<Bound<'_, PyAny>> {
    let array = output.finish()?;
    if is_scalar { array.call_method0("item") } else { Ok(array) }
}

/// The cost, or without reduction the losses.
fn value<'py>(
    py: Python<'py>,
    cost: &Cost,
    settings: &Settings,
    call: &Call<'py>,
    out: Optional<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    if settings.reduction != Reduction::None {
        if out.is_some() {
            return Err(PyValueError::new_err(
                "out= is for arrays, and the value is one number: leave it out, or take \
                 reduction='none'",
            ));
        }
        let examples = call.examples();
        let value = detached(py, || cost.value_of(&examples)).map_err(|error| to_python(&error))?;
        return Ok(PyFloat::new(py, value).into_any());
    }
    let mut losses = losses_output(cost, settings, call, out)?;
    let results = Results::default().losses(losses.view()).without_value();
    let examples = call.examples();
    detached(py, || cost.compute(&examples, results)).map_err(|error| to_python(&error))?;
    finished(losses, call.prediction.is_scalar && out.is_none())
}

fn losses_output<'py>(
    cost: &Cost,
    settings: &Settings,
    call: &Call<'py>,
    out: Optional<'_, 'py>,
) -> PyResult<Output<'py>> {
    let shape = call.losses_shape(cost.loss().form(), settings.axis);
    if let Some(out) = out {
        return Output::new("out", out, &shape, &call.inputs(), &[]);
    }
    call.prediction.result(&shape)
}

/// The arrays of a tuple that a caller may give for these results; None stands for one that is not given.
pub fn buffers<'py>(
    names: &[&str],
    out: Optional<'_, 'py>,
) -> PyResult<Vec<Option<Bound<'py, PyAny>>>> {
    let Some(out) = out else { return Ok(vec![None; names.len()]) };
    let wrong =
        || PyTypeError::new_err(format!("out must be a tuple of arrays: {}", names.join(", ")));
    let several = out.cast::<PyTuple>().map_err(|_| wrong())?;
    if several.len() != names.len() {
        return Err(wrong());
    }
    Ok(several.iter().map(|one| (!one.is_none()).then_some(one)).collect())
}

/// The buffers that a caller gives for derivatives: one, or a tuple of as many as there are.
fn outputs<'py>(
    call: &Call<'py>,
    derivatives: &[Derivative],
    out: Optional<'_, 'py>,
) -> PyResult<Vec<Output<'py>>> {
    let names: Vec<_> = derivatives.iter().map(|one| one.name()).collect();
    let given = match out {
        Some(one) if derivatives.len() == 1 => vec![Some(one.clone())],
        several => buffers(&names, several)?,
    };
    let mut outputs: Vec<Output<'py>> = Vec::new();
    for one in given {
        let output = match one {
            None => call.prediction.result(call.prediction.shape())?,
            Some(array) => {
                let others: Vec<&Output<'py>> = outputs.iter().collect();
                Output::new("out", &array, call.prediction.shape(), &call.inputs(), &others)?
            }
        };
        outputs.push(output);
    }
    Ok(outputs)
}

/// A loss with its parameters, and how the losses of many examples become one number.
///
/// Losses are made by their classes, such as `lossfn.Huber(delta=1.5)`, or by `lossfn.loss` from text.
#[pyclass(subclass, frozen, module = "lossfn", name = "Loss", weakref)]
pub struct Loss {
    pub cost: Cost,
    pub settings: Settings,
}

impl Loss {
    fn compute<'py>(
        &self,
        py: Python<'py>,
        call: &Call<'py>,
        derivatives: &[Derivative],
        with_value: bool,
        out: Optional<'_, 'py>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let Self { cost, settings } = self;
        let mut derived = outputs(call, derivatives, out)?;
        let with_losses = with_value && settings.reduction == Reduction::None;
        let losses = with_losses.then(|| losses_output(cost, settings, call, None));
        let mut losses = losses.transpose()?;
        let mut results = Results::default();
        if !with_value || with_losses {
            results = results.without_value();
        }
        for (output, derivative) in derived.iter_mut().zip(derivatives) {
            results = match derivative {
                Derivative::Gradient => results.gradient(output.view()),
                Derivative::Second => results.second(output.view()),
                Derivative::Curvature => results.curvature(output.view()),
            };
        }
        if let Some(losses) = &mut losses {
            results = results.losses(losses.view());
        }
        let examples = call.examples();
        let value = detached(py, || {
            let state = cost.compute(&examples, results)?;
            let has_value = with_value && !with_losses;
            has_value.then(|| cost.value_of_state(&state)).transpose()
        })
        .map_err(|error| to_python(&error))?;
        let is_scalar = call.prediction.is_scalar && out.is_none();
        let mut all = Vec::with_capacity(1 + derived.len());
        all.extend(value.map(|value| PyFloat::new(py, value).into_any()));
        if let Some(losses) = losses {
            all.push(finished(losses, is_scalar)?);
        }
        for output in derived {
            all.push(finished(output, is_scalar)?);
        }
        Ok(all)
    }

    fn one<'py>(
        &self,
        py: Python<'py>,
        call: &Call<'py>,
        derivative: Derivative,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut all = self.compute(py, call, &[derivative], false, out)?;
        Ok(all.remove(0))
    }

    fn several<'py>(
        &self,
        py: Python<'py>,
        call: &Call<'py>,
        derivatives: &[Derivative],
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.compute(py, call, derivatives, true, out)?)
    }

    /// The shape of the losses of examples, one by one.
    pub fn losses_shape(&self, call: &Call<'_>) -> Vec<usize> {
        call.losses_shape(self.cost.loss().form(), self.settings.axis)
    }

    /// The state of examples, for a total over many batches.
    pub fn state_of<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
    ) -> PyResult<CostState> {
        let call = Call::new(prediction, target, weights, mask)?;
        let examples = call.examples();
        detached(py, || self.cost.compute(&examples, Results::default()))
            .map_err(|error| to_python(&error))
    }

    /// The arguments that make a loss like this: parameters and changed settings.
    fn arguments<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Vec<Bound<'py, PyAny>>, Bound<'py, PyDict>)> {
        let loss = self.cost.loss();
        Ok((arguments(py, loss), self.settings.changed(py, loss.form())?))
    }
}

#[pymethods]
impl Loss {
    #[new]
    #[pyo3(signature = (index, parameters, reduction, denominator, nothing_valid, class_weights=None,
        ignored_class=None, axis=None))]
    #[allow(clippy::too_many_arguments, reason = "the classes of the losses name them")]
    fn new(
        index: &Bound<'_, PyAny>,
        parameters: &Bound<'_, PyTuple>,
        reduction: &Bound<'_, PyAny>,
        denominator: &Bound<'_, PyAny>,
        nothing_valid: &Bound<'_, PyAny>,
        class_weights: Optional<'_, '_>,
        ignored_class: Optional<'_, '_>,
        axis: Optional<'_, '_>,
    ) -> PyResult<Self> {
        let loss = built(index, parameters)?;
        let settings = Settings::new(
            loss.form(),
            reduction,
            denominator,
            nothing_valid,
            class_weights,
            ignored_class,
            axis,
        )?;
        let cost = settings.cost(loss).map_err(|error| to_python(&error))?;
        Ok(Self { cost, settings })
    }

    /// The cost of predictions against targets: a number, or with ``reduction="none"`` the losses one
    /// by one.
    ///
    /// prediction, target: arrays of one shape, of which each element is an example. For a loss over a
    /// class axis the target may instead be a label for each row of scores; for a loss of several
    /// predicted numbers it has no axis of them.
    /// weights: for each example a number that its loss is multiplied by; the mean divides by their sum.
    /// mask: for each example whether it counts.
    /// out: an array for the losses.
    ///
    /// Raises ``ValueError`` for shapes that differ, for labels and numbers outside the domain of the
    /// loss, with their position, and if no example counts; ``TypeError`` for what is no array of
    /// numbers.
    #[pyo3(signature = (prediction, target, *, weights=None, mask=None, out=None))]
    fn value<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(prediction, target, weights, mask)?;
        value(py, &self.cost, &self.settings, &call, out)
    }

    /// As `value`.
    #[pyo3(signature = (prediction, target, *, weights=None, mask=None, out=None))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.value(py, prediction, target, weights, mask, out)
    }

    /// The derivative of the cost by each element of the prediction, with its shape; without reduction
    /// that of the sum, so of each loss by itself. Arguments and errors are those of `value`; out is an
    /// array for the gradient.
    #[pyo3(signature = (prediction, target, *, weights=None, mask=None, out=None))]
    fn gradient<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(prediction, target, weights, mask)?;
        self.one(py, &call, Derivative::Gradient, out)
    }

    /// The second derivative of the cost by each element of the prediction, twice by the same one.
    /// Arguments and errors are those of `value`; out is an array for it.
    #[pyo3(signature = (prediction, target, *, weights=None, mask=None, out=None))]
    fn second<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(prediction, target, weights, mask)?;
        self.one(py, &call, Derivative::Second, out)
    }

    /// What an optimiser may use in place of the second derivative: never negative. `curvature_meaning`
    /// says what it is for this loss. Arguments and errors are those of `value`; out is an array for it.
    #[pyo3(signature = (prediction, target, *, weights=None, mask=None, out=None))]
    fn curvature<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(prediction, target, weights, mask)?;
        self.one(py, &call, Derivative::Curvature, out)
    }

    /// `value` and `gradient` in one pass; out is an array for the gradient.
    #[pyo3(signature = (prediction, target, *, weights=None, mask=None, out=None))]
    fn value_and_gradient<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let call = Call::new(prediction, target, weights, mask)?;
        self.several(py, &call, &[Derivative::Gradient], out)
    }

    /// `value`, `gradient` and `second` in one pass; out is a tuple of arrays for the latter two.
    #[pyo3(signature = (prediction, target, *, weights=None, mask=None, out=None))]
    fn value_gradient_and_second<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let call = Call::new(prediction, target, weights, mask)?;
        self.several(py, &call, &[Derivative::Gradient, Derivative::Second], out)
    }

    /// `value`, `gradient` and `curvature` in one pass; out is a tuple of arrays for the latter two.
    #[pyo3(signature = (prediction, target, *, weights=None, mask=None, out=None))]
    fn value_gradient_and_curvature<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let call = Call::new(prediction, target, weights, mask)?;
        self.several(py, &call, &[Derivative::Gradient, Derivative::Curvature], out)
    }

    /// The matrix of the cost's second derivatives, by all elements of the prediction, times `vector`,
    /// which has the shape of the prediction. Raises ``ValueError`` also for a loss over a class axis of
    /// which no more than the diagonal of that matrix is known.
    #[pyo3(signature = (prediction, target, vector, *, weights=None, mask=None, out=None))]
    #[allow(clippy::too_many_arguments, reason = "they are named")]
    fn hessian_vector_product<'py>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        vector: &Bound<'py, PyAny>,
        weights: Optional<'_, 'py>,
        mask: Optional<'_, 'py>,
        out: Optional<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(prediction, target, weights, mask)?;
        let vector = Input::new("vector", vector)?;
        let mut inputs = call.inputs();
        inputs.push(&vector);
        let mut product = match out {
            Some(out) => Output::new("out", out, call.prediction.shape(), &inputs, &[])?,
            None => call.prediction.result(call.prediction.shape())?,
        };
        let results = Results::default().hessian_vector_product(vector.view(), product.view());
        let results = results.without_value();
        let examples = call.examples();
        detached(py, || self.cost.compute(&examples, results))
            .map_err(|error| to_python(&error))?;
        finished(product, call.prediction.is_scalar && out.is_none())
    }

    /// The one name of the loss.
    #[getter]
    fn id(&self) -> &'static str {
        self.cost.loss().id()
    }

    /// The parameters by name.
    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let named = PyDict::new(py);
        let loss = self.cost.loss();
        let ranges = loss.description().parameters.iter().map(|parameter| &parameter.range);
        let ranges = ranges.chain(std::iter::repeat(&Range::FINITE));
        for ((name, value), range) in loss.named_parameters().into_iter().zip(ranges) {
            named.set_item(name, as_python(py, range, value))?;
        }
        Ok(named)
    }

    /// The settings that are not the default, by name: reduction, denominator and so on.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.settings.changed(py, self.cost.loss().form())
    }

    /// How losses become one number: ``mean``, ``sum`` or ``none``.
    #[getter]
    fn reduction(&self) -> String {
        self.settings.reduction.to_string()
    }

    /// The loss as it is named in text: ``huber(delta=1.0)``.
    fn __str__(&self) -> String {
        self.cost.loss().to_string()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let py = slf.py();
        let this = slf.get();
        let (values, settings) = this.arguments(py)?;
        let names = this.cost.loss().description().parameters.iter();
        let names = names.map(|one| format!("{}=", one.name));
        // The text of a formula is no parameter.
        let names = names.chain(std::iter::repeat(String::new()));
        let mut written = Vec::new();
        for (name, value) in names.zip(values) {
            written.push(format!("{name}{}", value.repr()?));
        }
        for (name, value) in settings.iter() {
            written.push(format!("{name}={}", value.repr()?));
        }
        let class = slf.get_type();
        Ok(format!("{}.{}({})", class.module()?, class.qualname()?, written.join(", ")))
    }

    /// For every protocol of pickle, and with what a subclass keeps beside.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let (parameters, settings) = slf.get().arguments(py)?;
        let make = py.import("copyreg")?.getattr("__newobj_ex__")?;
        let arguments = (slf.get_type(), PyTuple::new(py, parameters)?, settings);
        let kept = slf.getattr_opt("__dict__")?;
        (make, arguments, kept).into_pyobject(py)
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> bool {
        let same_class = slf.get_type().is(other.get_type());
        same_class && other.cast::<Self>().is_ok_and(|other| slf.get().cost == other.get().cost)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.cost.loss().id().hash(&mut hasher);
        self.cost.loss().typed_text().hash(&mut hasher);
        // The two zeros are equal.
        let parameters = self.cost.loss().parameters().iter();
        parameters.for_each(|parameter| (parameter + 0.0).to_bits().hash(&mut hasher));
        hasher.finish()
    }

    /// The formula of the loss, as text: p is the prediction, y the target.
    #[getter]
    fn formula(&self) -> String {
        self.section("loss")
    }

    /// The formula of its derivative by the prediction.
    #[getter]
    fn gradient_formula(&self) -> String {
        self.section("gradient")
    }

    /// The formula of its second derivative, where that can be traced.
    #[getter]
    fn second_formula(&self) -> String {
        self.section("second")
    }

    /// The loss, its gradient and its second derivative as code, in ``text``, ``latex``, ``sql``, ``c``, ``cuda``,
    /// ``wgsl``, ``numpy``, ``torch``, ``jax`` or ``triton``.
    ///
    /// Raises ``ValueError`` for another language, and for a loss that it cannot say.
    fn emit(&self, language: &str) -> PyResult<String> {
        let language = language.parse().map_err(|error| to_python(&error))?;
        self.cost.loss().emit(language).map_err(|error| to_python(&error))
    }

    /// What `curvature` is for this loss.
    #[getter]
    fn curvature_meaning(&self) -> &'static str {
        self.cost.loss().description().curvature.meaning()
    }

    /// The formula of the loss as LaTeX.
    fn _latex(&self) -> String {
        self.cost.loss().latex()
    }

    /// What the catalog says of a loss, of this one.
    fn _about<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        about(py, self.cost.loss())
    }

    /// The lines of the card: (name, title, answer, number, detail, how, text).
    fn _facts(&self, py: Python<'_>) -> Vec<FactParts> {
        let card = detached(py, || self.cost.loss().card());
        card.facts()
            .iter()
            .map(|fact| {
                let property = fact.property;
                (
                    property.id(),
                    property.title(),
                    fact.answer.name(),
                    fact.number,
                    fact.detail.clone(),
                    fact.how.name(),
                    fact.to_string(),
                )
            })
            .collect()
    }

    /// Everything that is said about the loss: (heading, text, is a formula).
    fn _sections(&self, py: Python<'_>) -> Vec<(&'static str, String, bool)> {
        let sections = detached(py, || self.cost.loss().sections());
        sections.into_iter().map(|one| (one.heading, one.text, one.is_code)).collect()
    }
}

/// A line of a card, taken apart.
type FactParts =
    (&'static str, &'static str, &'static str, Option<f64>, String, &'static str, String);

impl Loss {
    fn section(&self, heading: &str) -> String {
        let formulas = self.cost.loss().formulas();
        formulas
            .into_iter()
            .find(|one| one.heading == heading)
            .map_or_else(String::new, |one| one.text)
    }
}

/// The cost by a loss of the catalog, by its number there.
///
/// The functions of the losses call this with everything by position, which is quick.
#[pyfunction]
#[pyo3(signature = (index, parameters, prediction, target, weights, mask, out, reduction, denominator,
    nothing_valid, class_weights=None, ignored_class=None, axis=None))]
#[allow(clippy::too_many_arguments, reason = "the functions of the losses name them")]
pub fn value_of<'py>(
    py: Python<'py>,
    index: &Bound<'py, PyAny>,
    parameters: &Bound<'py, PyTuple>,
    prediction: &Bound<'py, PyAny>,
    target: &Bound<'py, PyAny>,
    weights: Optional<'_, 'py>,
    mask: Optional<'_, 'py>,
    out: Optional<'_, 'py>,
    reduction: &Bound<'py, PyAny>,
    denominator: &Bound<'py, PyAny>,
    nothing_valid: &Bound<'py, PyAny>,
    class_weights: Optional<'_, 'py>,
    ignored_class: Optional<'_, 'py>,
    axis: Optional<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let loss = built(index, parameters)?;
    let settings = Settings::new(
        loss.form(),
        reduction,
        denominator,
        nothing_valid,
        class_weights,
        ignored_class,
        axis,
    )?;
    let cost = settings.cost(loss).map_err(|error| to_python(&error))?;
    let call = Call::new(prediction, target, weights, mask)?;
    value(py, &cost, &settings, &call, out)
}
