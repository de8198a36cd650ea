//! From losses to one number: reduction, denominators, weights, masks, classes that are ignored.
//!
//! This is one mechanism for all losses. A [`Cost`] says how; [`Examples`] are what it is applied
//! to; a [`CostState`] is what has been added up so far.

mod bulk;
mod exact;
mod examples;
mod grouped;
mod heads;
mod linear;
mod pass;
mod results;
mod scored;
mod state;
mod weigh;

pub(crate) use bulk::Bulk;
pub use exact::ExactSum;
pub use examples::Examples;
pub use heads::{Head, HeadShare, HeadWeight, Heads, HeadsValue};
pub use linear::{LinearCost, LinearResults};
pub use results::Results;
pub use scored::Scored;
pub use state::CostState;

use crate::array::{Array, ArrayMut};
use crate::error::Error;
use crate::loss::{Form, Loss};
use pass::Pass;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How the losses of the examples become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The weighted sum, divided by the [`Denominator`].
    #[default]
    Mean,
    /// The weighted sum.
    Sum,
    /// They do not: the losses stay one by one.
    None,
}

/// What the mean divides by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denominator {
    /// The sum of the weights of the valid examples: example weight times the class weight of its
    /// target (for a distribution the mean of the class weights under it). Without weights that is the number of valid examples. With it, a weight of 2 is the
    /// same as having the example twice.
    #[default]
    Weights,
    /// The number of valid examples: those neither masked nor of the ignored class.
    Valid,
    /// The number of all examples.
    Examples,
    /// This number: for instance the number of examples in all micro-batches or on all machines.
    Number(f64),
}

impl fmt::Display for Denominator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weights => f.write_str("weights"),
            Self::Valid => f.write_str("valid"),
            Self::Examples => f.write_str("examples"),
            Self::Number(number) => write!(f, "{number:?}"),
        }
    }
}

impl FromStr for Denominator {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown =
            || unknown("denominator", text, "weights, valid, examples or a number above 0");
        match text {
            "weights" => Ok(Self::Weights),
            "valid" => Ok(Self::Valid),
            "examples" => Ok(Self::Examples),
            number => match number.parse() {
                Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(Self::Number(number)),
                _ => Err(unknown()),
            },
        }
    }
}

fn unknown(what: &'static str, found: &str, choices: &'static str) -> Error {
    Error::UnknownChoice { what, found: found.to_owned(), choices }
}

impl FromStr for Reduction {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "mean" => Ok(Self::Mean),
            "sum" => Ok(Self::Sum),
            "none" => Ok(Self::None),
            _ => Err(unknown("reduction", text, "mean, sum or none")),
        }
    }
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Sum => "sum",
            Self::None => "none",
        })
    }
}

impl FromStr for NothingValid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "error" => Ok(Self::Error),
            "nan" => Ok(Self::Nan),
            "zero" => Ok(Self::Zero),
            _ => Err(unknown("policy for nothing valid", text, "error, nan or zero")),
        }
    }
}

impl fmt::Display for NothingValid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Nan => "nan",
            Self::Zero => "zero",
        })
    }
}

/// What a mean is when no example is valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NothingValid {
    /// [`Error::NothingValid`].
    #[default]
    Error,
    /// NaN.
    Nan,
    /// 0.
    Zero,
}

/// A loss, and how the losses of many examples become one number.
///
/// ```
/// use lossfn::{Cost, Denominator, Examples, Loss, Reduction};
///
/// let cost = Cost::new("squared_error".parse::<Loss>()?).denominator(Denominator::Valid);
/// let (prediction, target) = ([1.0f32, 2.0, 9.0], [0.0f32, 0.0, 0.0]);
/// let examples = Examples::new(&prediction, &target)
///     .weights(&[1.0f32, 0.5, 1.0])
///     .mask(&[true, true, false]);
/// let mut gradient = [0.0f32; 3];
/// let value = cost.value_and_gradient_of(&examples, &mut gradient)?;
/// assert_eq!(value, (1.0 + 0.5 * 4.0) / 2.0);
/// assert_eq!(gradient, [1.0, 1.0, 0.0]);
/// # Ok::<(), lossfn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    loss: Loss,
    reduction: Reduction,
    denominator: Denominator,
    nothing_valid: NothingValid,
    class_weights: Option<Vec<f64>>,
    ignored_class: Option<i64>,
    /// The axis of classes, or of several predicted numbers.
    axis: isize,
}

impl Cost {
    /// The mean of a loss over the examples.
    pub fn new(loss: impl Into<Loss>) -> Self {
        Self {
            loss: loss.into(),
            reduction: Reduction::default(),
            denominator: Denominator::default(),
            nothing_valid: NothingValid::default(),
            class_weights: None,
            ignored_class: None,
            axis: -1,
        }
    }

    /// Sets how losses become one number.
    #[must_use]
    pub fn reduction(self, reduction: Reduction) -> Self {
        Self { reduction, ..self }
    }

    /// Sets what the mean divides by.
    #[must_use]
    pub fn denominator(self, denominator: Denominator) -> Self {
        Self { denominator, ..self }
    }

    /// Sets what a mean without valid examples is.
    #[must_use]
    pub fn nothing_valid(self, nothing_valid: NothingValid) -> Self {
        Self { nothing_valid, ..self }
    }

    /// Sets a weight for each class: the part of an example's loss that its target has in that
    /// class is multiplied by it. Only for losses over a class axis that are linear in the target: what
    /// compares the prediction with the whole distribution has no part for each class.
    ///
    /// # Errors
    /// [`Error::InvalidWeight`], [`Error::DoesNotApply`].
    pub fn class_weights(self, weights: &[f64]) -> Result<Self, Error> {
        self.needs_class_axis("class weights")?;
        if self.loss.class_kernels().is_some_and(|kernels| !kernels.is_linear_in_target()) {
            let reason =
                "it is not linear in the target, so no part of it belongs to a class alone";
            return Err(Error::DoesNotApply {
                loss: self.loss.id(),
                setting: "class weights",
                reason,
            });
        }
        let wrong = weights.iter().position(|w| !w.is_finite() || *w < 0.0);
        if let Some(position) = wrong {
            let value = weights[position];
            return Err(Error::InvalidWeight { what: "class weight", value, position });
        }
        Ok(Self { class_weights: Some(weights.to_vec()), ..self })
    }

    /// Leaves out examples whose label is this class; it need not be one of the classes (-100 is
    /// customary). Only for losses over a class axis, with labels as targets.
    ///
    /// # Errors
    /// [`Error::DoesNotApply`].
    pub fn ignored_class(self, class: i64) -> Result<Self, Error> {
        self.needs_class_axis("an ignored class")?;
        Ok(Self { ignored_class: Some(class), ..self })
    }

    /// Sets the axis of the prediction that the classes lie along; negative counts from the end.
    /// The default is the last, -1; images as `(N, C, H, W)` have it at 1.
    ///
    /// # Errors
    /// [`Error::DoesNotApply`].
    pub fn class_axis(self, axis: isize) -> Result<Self, Error> {
        self.needs_class_axis("a class axis")?;
        Ok(Self { axis, ..self })
    }

    /// Sets the axis of the prediction that the several numbers predicted for one target lie along;
    /// negative counts from the end. The default is the last, -1. Only for losses of several predicted
    /// numbers.
    ///
    /// # Errors
    /// [`Error::DoesNotApply`].
    pub fn component_axis(self, axis: isize) -> Result<Self, Error> {
        if self.loss.form() == Form::Joint {
            return Ok(Self { axis, ..self });
        }
        let reason = "it is not one of several predicted numbers for each target";
        Err(Error::DoesNotApply { loss: self.loss.id(), setting: "a component axis", reason })
    }

    fn needs_class_axis(&self, setting: &'static str) -> Result<(), Error> {
        if self.loss.has_class_axis() {
            return Ok(());
        }
        let reason = match self.loss.form() {
            Form::Joint => "its examples are not rows of class scores",
            _ => "its examples are single predictions, not rows of class scores",
        };
        Err(Error::DoesNotApply { loss: self.loss.id(), setting, reason })
    }

    /// The loss.
    #[must_use]
    pub fn loss(&self) -> &Loss {
        &self.loss
    }

    /// The cost of predictions against targets.
    ///
    /// Prediction and target of a pointwise loss have the same shape, of any number of dimensions;
    /// each element is an example. For a loss over a class axis the target has either the shape of
    /// the prediction (distributions) or that shape without the class axis (labels). For a loss of
    /// several predicted numbers the target has the shape of the prediction without their axis.
    ///
    /// # Errors
    /// Shapes that differ, labels, targets or predictions outside their domain, nothing valid,
    /// [`Reduction::None`].
    pub fn value<'a>(
        &self,
        prediction: impl Into<Array<'a>>,
        target: impl Into<Array<'a>>,
    ) -> Result<f64, Error> {
        self.value_of(&Examples::new(prediction, target))
    }

    /// The cost of predictions against targets, and its derivative by each element of the
    /// prediction, written to `gradient`, which has the shape of the prediction.
    ///
    /// # Errors
    /// As [`Cost::value`]. After an error `gradient` may be partly written.
    pub fn value_and_gradient<'a, 'b>(
        &self,
        prediction: impl Into<Array<'a>>,
        target: impl Into<Array<'a>>,
        gradient: impl Into<ArrayMut<'b>>,
    ) -> Result<f64, Error> {
        self.value_and_gradient_of(&Examples::new(prediction, target), gradient)
    }

    /// The cost of examples with weights or a mask. See [`Cost::value`].
    ///
    /// # Errors
    /// As [`Cost::value`].
    pub fn value_of(&self, examples: &Examples<'_>) -> Result<f64, Error> {
        let mut state = CostState::default();
        self.compute_to(&mut state, examples, &mut Results::default())?;
        self.value_of_state(&state)
    }

    /// Cost and gradient of examples with weights or a mask. See [`Cost::value_and_gradient`].
    ///
    /// # Errors
    /// As [`Cost::value_and_gradient`].
    pub fn value_and_gradient_of<'b>(
        &self,
        examples: &Examples<'_>,
        gradient: impl Into<ArrayMut<'b>>,
    ) -> Result<f64, Error> {
        self.value_with(examples, Results::default().gradient(gradient))
    }

    /// The derivative of the cost by each element of the prediction. With [`Reduction::None`], of
    /// the sum: for pointwise losses those are the slopes of the losses one by one.
    ///
    /// # Errors
    /// As [`Cost::value_and_gradient`].
    pub fn gradient_of<'b>(
        &self,
        examples: &Examples<'_>,
        gradient: impl Into<ArrayMut<'b>>,
    ) -> Result<(), Error> {
        let results = Results::default().gradient(gradient).without_value();
        self.compute(examples, results).map(|_| ())
    }

    /// Cost, gradient and second derivative of examples. For losses over a class axis, or
    /// of several predicted numbers, `second` is the diagonal: twice by each score or number.
    ///
    /// # Errors
    /// As [`Cost::value_and_gradient`].
    pub fn value_gradient_and_second_of<'b>(
        &self,
        examples: &Examples<'_>,
        gradient: impl Into<ArrayMut<'b>>,
        second: impl Into<ArrayMut<'b>>,
    ) -> Result<f64, Error> {
        self.value_with(examples, Results::default().gradient(gradient).second(second))
    }

    /// Cost, gradient and curvature of examples: as [`Cost::value_gradient_and_second_of`], with
    /// something in place of the second derivative that is never negative. What, is said by the
    /// loss's [`Description::curvature`](crate::Description::curvature). For Newton steps and
    /// boosters.
    ///
    /// # Errors
    /// As [`Cost::value_and_gradient`].
    pub fn value_gradient_and_curvature_of<'b>(
        &self,
        examples: &Examples<'_>,
        gradient: impl Into<ArrayMut<'b>>,
        curvature: impl Into<ArrayMut<'b>>,
    ) -> Result<f64, Error> {
        self.value_with(examples, Results::default().gradient(gradient).curvature(curvature))
    }

    /// The matrix of the cost's second derivatives by all elements of the prediction, times `vector`.
    /// Both `vector` and `product` have the shape of the prediction. Examples do not meet in that
    /// matrix: for a pointwise loss it is its diagonal. With [`Reduction::None`], of the sum.
    ///
    /// # Errors
    /// [`Error::DoesNotApply`] if no more than the diagonal is known: see [`Loss::has_hessian`]; otherwise as [`Cost::value_and_gradient`].
    ///
    /// ```
    /// use lossfn::{Cost, Examples, losses::multiclass::SoftmaxCrossEntropy};
    ///
    /// let cost = Cost::new(SoftmaxCrossEntropy::default());
    /// let (scores, vector) = (ndarray::arr2(&[[0.0, 0.0]]), ndarray::arr2(&[[1.0, 0.0]]));
    /// let mut product = ndarray::arr2(&[[0.0; 2]]);
    /// let examples = Examples::new(&scores, &[0]);
    /// cost.hessian_vector_product_of(&examples, &vector, &mut product)?;
    /// assert_eq!(product, ndarray::arr2(&[[0.25, -0.25]]));
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    pub fn hessian_vector_product_of<'a, 'b>(
        &self,
        examples: &Examples<'_>,
        vector: impl Into<Array<'a>>,
        product: impl Into<ArrayMut<'b>>,
    ) -> Result<(), Error> {
        let results = Results::default().hessian_vector_product(vector, product).without_value();
        self.compute(examples, results).map(|_| ())
    }

    /// Everything that is wanted of examples, in one pass: losses, gradient, second derivative,
    /// curvature, product with the second derivatives. The state stands for the cost: see
    /// [`Cost::value_of_state`]. With [`Reduction::None`] derivatives are those of the sum.
    ///
    /// # Errors
    /// As [`Cost::value_and_gradient`] and [`Cost::hessian_vector_product_of`].
    pub fn compute(
        &self,
        examples: &Examples<'_>,
        mut results: Results<'_, '_>,
    ) -> Result<CostState, Error> {
        let mut state = CostState::default();
        self.compute_to(&mut state, examples, &mut results)?;
        Ok(state)
    }

    /// The same, added to a state; after an error there may be anything in it.
    fn compute_to(
        &self,
        state: &mut CostState,
        examples: &Examples<'_>,
        results: &mut Results<'_, '_>,
    ) -> Result<(), Error> {
        if results.product.is_some() && !self.loss.has_hessian() {
            return Err(Error::DoesNotApply {
                loss: self.loss.id(),
                setting: "a product with its second derivatives",
                reason: "no more than their diagonal is known",
            });
        }
        let pass = Pass::new(self, examples)?;
        if self.reduction != Reduction::Mean || !results.has_derivative() {
            return pass.run(results, 1.0, state);
        }
        let mut tally = CostState::default();
        pass.tally(&mut tally)?;
        match self.divisor(&tally)? {
            Divisor::Number(divisor) => pass.run(results, divisor, state),
            Divisor::Fixed(value) => {
                state.merge(&tally);
                pass.fill(results, value)
            }
        }
    }

    /// The losses one by one, each times its weight; 0 for examples that are masked or ignored.
    /// `losses` has one entry for each example.
    ///
    /// # Errors
    /// As [`Cost::value`], except for what concerns the mean.
    pub fn losses_of<'b>(
        &self,
        examples: &Examples<'_>,
        losses: impl Into<ArrayMut<'b>>,
    ) -> Result<(), Error> {
        self.compute(examples, Results::default().losses(losses).without_value()).map(|_| ())
    }

    /// Adds the losses of examples to a state: a file in batches, a data set over threads.
    ///
    /// # Errors
    /// As [`Cost::value`], except for what concerns the mean. After an error the state is as it was.
    pub fn update(&self, state: &mut CostState, examples: &Examples<'_>) -> Result<(), Error> {
        state.merge(&self.compute(examples, Results::default())?);
        Ok(())
    }

    /// Calls `each` with the losses of runs of examples, in order: for those who sum by group or
    /// look for the worst.
    ///
    /// # Errors
    /// As [`Cost::update`].
    pub fn for_each_scored(
        &self,
        examples: &Examples<'_>,
        mut each: impl FnMut(Scored<'_>),
    ) -> Result<(), Error> {
        Pass::new(self, examples)?.score(&mut each)
    }

    /// The number that a state stands for.
    ///
    /// # Errors
    /// [`Error::NothingValid`], [`Error::InvalidDenominator`], [`Error::NoReduction`].
    pub fn value_of_state(&self, state: &CostState) -> Result<f64, Error> {
        match self.reduction {
            Reduction::None => Err(Error::NoReduction),
            Reduction::Sum => Ok(state.sum()),
            Reduction::Mean => match self.divisor(state)? {
                Divisor::Number(divisor) => Ok(state.sum_over(divisor)),
                Divisor::Fixed(value) => Ok(value),
            },
        }
    }

    fn divisor(&self, state: &CostState) -> Result<Divisor, Error> {
        let divisor = match self.denominator {
            Denominator::Weights => state.weights(),
            Denominator::Valid => state.valid() as f64,
            Denominator::Examples => state.examples() as f64,
            Denominator::Number(number) => number,
        };
        if state.valid() == 0 || divisor == 0.0 && self.denominator == Denominator::Weights {
            return match self.nothing_valid {
                NothingValid::Error => Err(Error::NothingValid),
                NothingValid::Nan => Ok(Divisor::Fixed(f64::NAN)),
                NothingValid::Zero => Ok(Divisor::Fixed(0.0)),
            };
        }
        // A target that is NaN makes the mean NaN; that is no fault of the denominator.
        let nan_target = divisor.is_nan() && self.denominator == Denominator::Weights;
        if divisor > 0.0 && divisor.is_finite() || nan_target {
            Ok(Divisor::Number(divisor))
        } else {
            Err(Error::InvalidDenominator { value: divisor })
        }
    }

    fn value_with(
        &self,
        examples: &Examples<'_>,
        mut results: Results<'_, '_>,
    ) -> Result<f64, Error> {
        // Without reduction there is no value, and nothing should be computed for it.
        if self.reduction == Reduction::None {
            return Err(Error::NoReduction);
        }
        let mut state = CostState::default();
        self.compute_to(&mut state, examples, &mut results)?;
        self.value_of_state(&state)
    }
}

enum Divisor {
    Number(f64),
    /// There is nothing to divide; the mean is this.
    Fixed(f64),
}
