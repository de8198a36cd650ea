//! A loss: the trait that formulas implement, and the handle that everything else works with.

use crate::card::{Variable, shape};
use crate::class_axis::{ClassAxis, Hessian};
use crate::describe::{Component, Described, Description, Role};
use crate::error::Error;
use crate::formula::{Latex, Markup, MathMl, Typed, mathml_element, notation};
use crate::kernel::joint::{Any, Fixed};
use crate::kernel::{ClassKernels, JointKernels, PointwiseKernels};
use crate::number::{Formula, Number};
use std::fmt;
use std::sync::Arc;

/// A loss of one prediction and one target, as a formula over any [`Number`].
///
/// Gradient, second derivative, vector kernels and the formula's text follow from this function.
/// Mark it `#[inline(always)]`, and every function that it calls, so that the kernels can be vectorised;
/// a closure that is called twice may not be inlined.
///
/// ```
/// use lossfn::{Cost, Description, Loss, Number, Pointwise};
///
/// struct Quartic;
///
/// impl Pointwise for Quartic {
///     #[inline(always)]
///     fn loss<N: Number>(&self, prediction: N, target: N) -> N {
///         (prediction - target).square().square()
///     }
/// }
///
/// static QUARTIC: Description = Description::own("quartic", "The fourth power of the residual.");
/// let cost = Cost::new(Loss::pointwise(&QUARTIC, &[], Quartic));
/// let mut gradient = [0.0; 2];
/// let value = cost.value_and_gradient(&[1.0, 3.0], &[0.0, 1.0], &mut gradient)?;
/// assert_eq!((value, gradient), (8.5, [2.0, 16.0]));
/// # Ok::<(), lossfn::Error>(())
/// ```
pub trait Pointwise: Send + Sync + 'static {
    /// The loss of one example.
    fn loss<N: Number>(&self, prediction: N, target: N) -> N;

    /// The same loss with those parameters written as constants which switch parts of the formula off, if
    /// they do so: it has a kernel of its own, without those parts. To be inlined always, too.
    #[inline(always)]
    fn usual(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// A loss of several predicted numbers and one target, as a formula over any [`Number`]: how the
/// target is distributed.
///
/// As with [`Pointwise`] everything follows from this function; gradients are by each of the predicted
/// numbers. The description names them, and says what each of them may be.
///
/// ```
/// use lossfn::{Component, Cost, Description, Domain, Joint, Loss, Number};
///
/// struct Interval;
///
/// impl Joint<2> for Interval {
///     #[inline(always)]
///     fn loss<N: Number>(&self, [low, high]: [N; 2], target: N) -> N {
///         (low - target).positive_part() + (target - high).positive_part()
///     }
/// }
///
/// static INTERVAL: Description = Description {
///     components: &[
///         Component { name: "low", domain: Domain::Real, meaning: "the lower end" },
///         Component { name: "high", domain: Domain::Real, meaning: "the upper end" },
///     ],
///     ..Description::own("interval", "How far the target lies outside the predicted interval.")
/// };
/// let cost = Cost::new(Loss::joint(&INTERVAL, &[], Interval)?);
/// let prediction = ndarray::arr2(&[[1.0, 2.0], [1.0, 2.0]]);
/// let mut gradient = prediction.clone();
/// let value = cost.value_and_gradient(&prediction, &[1.5, 4.0], &mut gradient)?;
/// assert_eq!((value, gradient), (1.0, ndarray::arr2(&[[0.0, 0.0], [0.0, -0.5]])));
/// # Ok::<(), lossfn::Error>(())
/// ```
pub trait Joint<const COMPONENTS: usize>: Send + Sync + 'static {
    /// The loss of one example.
    fn loss<N: Number>(&self, prediction: [N; COMPONENTS], target: N) -> N;
}

/// A loss of any number of predicted numbers and one target: the total of what each of them costs,
/// as a formula over any [`Number`].
pub trait Ensemble: Send + Sync + 'static {
    /// What predicted number `place` (from 0) of `count` costs. What follows from the two is computed
    /// by [`Number::derived`], with the symbols `k` and `K` for them.
    fn part<N: Number>(&self, prediction: N, target: N, place: usize, count: usize) -> N;
}

/// The form of the examples of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One predicted number and one target.
    Pointwise,
    /// A row of class scores, and a class or a distribution over the classes.
    ClassAxis,
    /// Several predicted numbers and one target.
    Joint,
}

/// The kernels of a loss, by the form of its examples.
#[derive(Clone)]
pub(crate) enum Kernels {
    Pointwise(Arc<dyn PointwiseKernels>),
    ClassAxis(Arc<dyn ClassKernels>),
    Joint(Arc<dyn JointKernels>),
}

/// A part of what is said about a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub heading: &'static str,
    /// The text.
    pub text: String,
    /// Whether it is a formula.
    pub is_code: bool,
}

/// A loss with its parameters: from the catalog or one's own.
///
/// Its text, as by `to_string`, names the loss and all its parameters and parses back:
///
/// ```
/// use lossfn::Loss;
///
/// let loss: Loss = "huber(delta=1.5)".parse()?;
/// assert_eq!(loss.to_string(), "huber(delta=1.5)");
/// assert_eq!("pinball(0.9)".parse::<Loss>()?.to_string(), "quantile(level=0.9)");
/// # Ok::<(), lossfn::Error>(())
/// ```
#[derive(Clone)]
pub struct Loss {
    description: &'static Description,
    parameters: Vec<f64>,
    pub(crate) kernels: Kernels,
    /// The formula, if the loss was given as text.
    typed: Option<Arc<Typed>>,
}

impl Loss {
    /// A pointwise loss of one's own. `parameters` are the values for those of the description.
    pub fn pointwise(
        description: &'static Description,
        parameters: &[f64],
        loss: impl Pointwise,
    ) -> Self {
        let kernels = Kernels::Pointwise(Arc::new(loss));
        Self { description, parameters: parameters.to_vec(), kernels, typed: None }
    }

    /// A loss over a class axis of one's own.
    pub fn class_axis(
        description: &'static Description,
        parameters: &[f64],
        loss: impl ClassAxis,
    ) -> Self {
        let kernels = Kernels::ClassAxis(Arc::new(loss));
        Self { description, parameters: parameters.to_vec(), kernels, typed: None }
    }

    /// A loss of several predicted numbers and one target of one's own.
    ///
    /// # Errors
    /// [`Error::ComponentCount`] if the description has another number of components.
    pub fn joint<const COMPONENTS: usize>(
        description: &'static Description,
        parameters: &[f64],
        loss: impl Joint<COMPONENTS>,
    ) -> Result<Self, Error> {
        if description.components.len() != COMPONENTS {
            return Err(Error::ComponentCount {
                loss: description.id,
                found: COMPONENTS,
                components: description.component_names(),
            });
        }
        let kernels = Kernels::Joint(Arc::new(Fixed(loss)));
        Ok(Self { description, parameters: parameters.to_vec(), kernels, typed: None })
    }

    /// A loss of any number of predicted numbers and one target of one's own.
    pub fn ensemble(
        description: &'static Description,
        parameters: &[f64],
        loss: impl Ensemble,
    ) -> Self {
        let kernels = Kernels::Joint(Arc::new(Any(loss)));
        Self { description, parameters: parameters.to_vec(), kernels, typed: None }
    }

    /// A pointwise loss that was declared with [`loss!`](crate::loss!).
    pub fn from_pointwise<L: Pointwise + Described>(loss: L) -> Self {
        const { assert!(!L::DESCRIPTION.id.is_empty()) };
        Self::pointwise(description_of::<L>(), &loss.parameters(), loss)
    }

    /// A loss over a class axis that was declared with [`loss!`](crate::loss!).
    pub fn from_class_axis<L: ClassAxis + Described>(loss: L) -> Self {
        Self::class_axis(description_of::<L>(), &loss.parameters(), loss)
    }

    /// A loss of several predicted numbers that was declared with [`loss!`](crate::loss!).
    pub fn from_joint<const COMPONENTS: usize, L: Joint<COMPONENTS> + Described>(loss: L) -> Self {
        const { assert!(L::DESCRIPTION.components.len() == COMPONENTS) };
        let (description, parameters) = (description_of::<L>(), loss.parameters());
        Self {
            description,
            parameters,
            kernels: Kernels::Joint(Arc::new(Fixed(loss))),
            typed: None,
        }
    }

    /// A loss of any number of predicted numbers that was declared with [`loss!`](crate::loss!).
    pub fn from_ensemble<L: Ensemble + Described>(loss: L) -> Self {
        Self::ensemble(description_of::<L>(), &loss.parameters(), loss)
    }

    /// A pointwise loss of one's own by its formula in text: of the prediction, `p`, and the target,
    /// `y`, and of parameters and other names that are defined behind it. What `p` and `y` may be is said
    /// by `p in [0, 1]`; without it they may be any number. As part of a text that names a loss it begins
    /// with `formula:`.
    ///
    /// Operators are `+ - * / ^`, comparisons, `and`, `or`, `not`; functions `where(condition, a, b)`,
    /// `abs`, `max`, `min`, `clip`, `sqrt`, `exp`, `ln`, `tanh`, `sigmoid`, `softplus`, and all others that
    /// formulas are shown with; constants `pi`, `e`, `inf`. A power with a whole number written as its
    /// exponent may have any base, others one of 0 or more.
    ///
    /// ```
    /// use lossfn::{Cost, Loss};
    ///
    /// let loss = Loss::typed("where(abs(r) <= d, r^2 / 2, d * (abs(r) - d / 2)); r = p - y; d = 1.5")?;
    /// assert_eq!(loss.named_parameters(), [("d", 1.5)]);
    /// assert_eq!(Cost::new(loss).value(&[0.0, 5.0], &[1.0, 1.0])?, 2.6875);
    ///
    /// let same: Loss = "formula: where(abs(p - y) <= d, (p - y)^2 / 2, d * (abs(p - y) - d / 2)); d = 1.5"
    ///     .parse()?;
    /// assert_eq!(same, Loss::typed("where(abs(r) <= d, r^2 / 2, d * (abs(r) - d / 2)); r = p - y; d = 1.5")?);
    ///
    /// let error = Loss::typed("abs(p - y").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "cannot read the formula: a comma or a closing parenthesis is missing here\n  abs(p - y\n           ^ column 10",
    /// );
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Formula`] with the character at which the text cannot be read.
    pub fn typed(text: &str) -> Result<Self, Error> {
        Ok(Self::from_typed(Typed::parse(text)?))
    }

    fn from_typed(typed: Typed) -> Self {
        let typed = Arc::new(typed);
        Self {
            description: typed.description(),
            parameters: typed.parameters().map(|(_, value)| value).collect(),
            kernels: Kernels::Pointwise(typed.clone()),
            typed: Some(typed),
        }
    }

    /// The text of a formula that was given as text: what [`Loss::typed`] makes the loss of.
    #[must_use]
    pub fn typed_text(&self) -> Option<String> {
        self.typed.as_ref().map(ToString::to_string)
    }

    /// The names and values of the parameters, in the order of the description, or for a formula that
    /// was given as text in that of their use.
    #[must_use]
    pub fn named_parameters(&self) -> Vec<(&'static str, f64)> {
        if let Some(typed) = &self.typed {
            return typed.parameters().collect();
        }
        let names = self.description.parameters.iter().map(|parameter| parameter.name);
        names.zip(self.parameters.iter().copied()).collect()
    }

    /// The same loss with another value for one parameter.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], [`Error::ParameterOutOfRange`], and [`Error::UnknownLoss`] for a
    /// loss of one's own that is not a formula.
    pub fn with_parameter(&self, name: &str, value: f64) -> Result<Self, Error> {
        let known = self.named_parameters();
        let Some(place) = known.iter().position(|(known, _)| *known == name) else {
            return Err(Error::UnknownParameter {
                loss: self.id(),
                parameter: name.to_owned(),
                parameters: known.into_iter().map(|(name, _)| name).collect(),
            });
        };
        if let Some(typed) = &self.typed {
            return Ok(Self::from_typed(typed.with(known[place].0, value)?));
        }
        let mut values = self.parameters.clone();
        values[place] = value;
        crate::catalog::find(self.id())?.build(&values)
    }

    /// What is said about the loss.
    #[must_use]
    pub fn description(&self) -> &'static Description {
        self.description
    }

    /// The one name of the loss.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.description.id
    }

    /// The values of the parameters, in the order of the description.
    #[must_use]
    pub fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    /// The form of its examples.
    #[must_use]
    pub fn form(&self) -> Form {
        match &self.kernels {
            Kernels::Pointwise(_) => Form::Pointwise,
            Kernels::ClassAxis(_) => Form::ClassAxis,
            Kernels::Joint(_) => Form::Joint,
        }
    }

    /// What of prediction and target it depends on, by its formula.
    ///
    /// ```
    /// use lossfn::{Loss, Variable};
    ///
    /// assert_eq!("huber".parse::<Loss>()?.variable(), Variable::Residual);
    /// assert_eq!("hinge".parse::<Loss>()?.variable(), Variable::Margin);
    /// assert_eq!("poisson".parse::<Loss>()?.variable(), Variable::General);
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    #[must_use]
    pub fn variable(&self) -> Variable {
        match &self.kernels {
            Kernels::Pointwise(kernels) => shape(&kernels.formula(), self.description),
            Kernels::ClassAxis(_) | Kernels::Joint(_) => Variable::General,
        }
    }

    /// Whether products with all its second derivatives are known, not those with the diagonal alone.
    #[must_use]
    pub fn has_hessian(&self) -> bool {
        match &self.kernels {
            Kernels::Pointwise(_) => true,
            Kernels::ClassAxis(kernels) => kernels.hessian() != Hessian::Unknown,
            // The parts of an ensemble do not meet.
            Kernels::Joint(kernels) => kernels.components().is_none(),
        }
    }

    /// Whether an example is a row of class scores.
    #[must_use]
    pub fn has_class_axis(&self) -> bool {
        self.form() == Form::ClassAxis
    }

    /// The formula: the loss, and but for losses over a class axis its gradient and second derivative
    /// (by each component, if there are several). For a
    /// loss whose description has a `row_loss`, that is the definition, and the formula only the
    /// loss of a row of one class.
    #[must_use]
    pub fn formula(&self) -> Formula {
        match &self.kernels {
            Kernels::Pointwise(kernels) => kernels.formula(),
            Kernels::ClassAxis(kernels) => kernels.formula(),
            Kernels::Joint(kernels) => kernels.formula(&self.description.component_names()),
        }
    }

    /// The text of derivatives of an order, one to a line.
    fn derivative(&self, formula: &Formula, order: usize) -> String {
        let components = self.description.components;
        if components.is_empty() {
            return formula.text(order);
        }
        let first = 1 + (order - 1) * components.len();
        let texts = (first..).map(|result| formula.text(result));
        let line =
            |(component, text): (&Component, String)| format!("by {}: {text}", component.name);
        components.iter().zip(texts).map(line).collect::<Vec<_>>().join("\n")
    }

    /// The loss as LaTeX, for math mode: its [`formula`](Self::formula), or the description's
    /// `row_loss`, which may have words behind it.
    ///
    /// ```
    /// use lossfn::Loss;
    ///
    /// let loss: Loss = "hinge".parse()?;
    /// assert_eq!(loss.latex(), r"\max(0, 1 - y p)");
    /// # Ok::<(), lossfn::Error>(())
    /// ```
    #[must_use]
    pub fn latex(&self) -> String {
        self.typeset::<Latex>()
    }

    /// The derivatives of order 1 or 2 as LaTeX, by each component, if there are several. Losses over
    /// a class axis have what their description says of the gradient, if anything; it may be words.
    #[must_use]
    pub fn latex_derivatives(&self, order: usize) -> Vec<(Option<&'static str>, String)> {
        self.typeset_derivatives::<Latex>(order)
    }

    /// The loss as `MathML`, an element `math` for HTML or XML: what [`latex`](Self::latex) is in LaTeX.
    #[must_use]
    pub fn mathml(&self) -> String {
        mathml_element(&self.typeset::<MathMl>())
    }

    /// The derivatives as `MathML`: what [`latex_derivatives`](Self::latex_derivatives) are in LaTeX.
    #[must_use]
    pub fn mathml_derivatives(&self, order: usize) -> Vec<(Option<&'static str>, String)> {
        let derivatives = self.typeset_derivatives::<MathMl>(order).into_iter();
        derivatives.map(|(component, text)| (component, mathml_element(&text))).collect()
    }

    fn typeset<M: Markup>(&self) -> String {
        match self.description.row_loss {
            Some(row_loss) => notation::<M>(row_loss),
            None => self.formula().typeset::<M>(0),
        }
    }

    fn typeset_derivatives<M: Markup>(&self, order: usize) -> Vec<(Option<&'static str>, String)> {
        if !(1..=2).contains(&order) {
            return Vec::new();
        }
        if self.has_class_axis() {
            let gradient = self.description.row_gradient.filter(|_| order == 1);
            return gradient.map(|text| (None, notation::<M>(text))).into_iter().collect();
        }
        let formula = self.formula();
        let components = self.description.components;
        if components.is_empty() {
            return vec![(None, formula.typeset::<M>(order))];
        }
        let first = 1 + (order - 1) * components.len();
        let texts = (first..).map(|result| formula.typeset::<M>(result));
        components.iter().map(|component| Some(component.name)).zip(texts).collect()
    }

    /// What the symbols of the formula are, but for parameters.
    fn symbols(&self) -> String {
        let components = self.description.component_names();
        match self.form() {
            Form::Pointwise => "p is the prediction, y the target.".to_owned(),
            Form::ClassAxis => "p_c is the prediction and y_c the target of class c.".to_owned(),
            Form::Joint if components.is_empty() => {
                "p_k is predicted number k of K, counted from 0, y the target.".to_owned()
            }
            Form::Joint => format!("{} are predicted, y is the target.", components.join(", ")),
        }
    }

    /// The loss, its gradient and its second derivative as formulas in text, where they are known.
    #[must_use]
    pub fn formulas(&self) -> Vec<Section> {
        let (d, formula) = (self.description, self.formula());
        let loss = d.row_loss.map_or_else(|| formula.text(0), str::to_owned);
        let texts = if self.has_class_axis() {
            vec![("loss", loss), ("gradient", d.row_gradient.unwrap_or_default().to_owned())]
        } else {
            let (gradient, second) = (self.derivative(&formula, 1), self.derivative(&formula, 2));
            vec![("loss", loss), ("gradient", gradient), ("second", second)]
        };
        let known = texts.into_iter().filter(|(_, text)| !text.is_empty());
        known.map(|(heading, text)| Section { heading, text, is_code: true }).collect()
    }

    /// Everything that is said about the loss, as headed text, in the order in which people want it.
    /// Front ends only lay it out.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let d = self.description;
        let summary = Section { heading: "summary", text: d.summary.to_owned(), is_code: false };
        let mut sections = vec![summary];
        sections.extend(self.formulas());
        let mut add = |heading, text: String, is_code| {
            if !text.is_empty() {
                sections.push(Section { heading, text, is_code });
            }
        };
        add("symbols", self.symbols(), false);
        if d.components.is_empty() {
            add("prediction", format!("{}: {}", d.prediction_meaning, d.prediction), false);
        } else {
            add("prediction", d.prediction_meaning.to_owned(), false);
        }
        for c in d.components {
            add("component", format!("{}: {}: {}", c.name, c.meaning, c.domain), false);
        }
        let label = if self.has_class_axis() { "a class label, or for each class: " } else { "" };
        add("target", format!("{label}{}", d.target), false);
        add("link", d.link.unwrap_or_default().to_owned(), false);
        for p in d.parameters {
            let default = p.range.write(p.default);
            let auto =
                if p.role == Role::Setting { "" } else { "; auto chooses it from residuals" };
            let text = format!("{} = {default} in {}: {}{auto}", p.name, p.range, p.meaning);
            add("parameter", text, false);
        }
        for (name, value) in self.typed.iter().flat_map(|typed| typed.parameters()) {
            add("parameter", format!("{name} = {value:?}"), false);
        }
        for fact in self.card_over_parameters().facts() {
            add("card", format!("{}: {fact}", fact.property), false);
        }
        add("optimum", d.optimum.to_owned(), false);
        add("curvature", d.curvature.meaning().to_owned(), false);
        add("limits", d.limits.to_owned(), false);
        add("peers", d.peers.to_owned(), false);
        add("reference", d.reference.to_owned(), false);
        add("also named", d.aliases.join(", "), false);
        sections
    }

    /// The kernels of a pointwise loss.
    #[must_use]
    pub fn pointwise_kernels(&self) -> Option<&dyn PointwiseKernels> {
        match &self.kernels {
            Kernels::Pointwise(kernels) => Some(&**kernels),
            _ => None,
        }
    }

    /// The kernels of a loss over a class axis.
    #[must_use]
    pub fn class_kernels(&self) -> Option<&dyn ClassKernels> {
        match &self.kernels {
            Kernels::ClassAxis(kernels) => Some(&**kernels),
            _ => None,
        }
    }

    /// The kernels of a loss of several predicted numbers and one target.
    #[must_use]
    pub fn joint_kernels(&self) -> Option<&dyn JointKernels> {
        match &self.kernels {
            Kernels::Joint(kernels) => Some(&**kernels),
            _ => None,
        }
    }
}

/// The description with a lifetime of its own.
fn description_of<L: Described>() -> &'static Description {
    const { &L::DESCRIPTION }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(typed) = &self.typed {
            return write!(f, "formula: {typed}");
        }
        f.write_str(self.id())?;
        let mut separator = '(';
        for (parameter, value) in self.description.parameters.iter().zip(&self.parameters) {
            write!(f, "{separator}{}={}", parameter.name, parameter.range.write(*value))?;
            separator = ',';
        }
        if separator == ',' { f.write_str(")") } else { Ok(()) }
    }
}

impl fmt::Debug for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loss({self})")
    }
}

/// Losses are equal if they have the same name and parameters, and formulas if they are the same.
impl PartialEq for Loss {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
            && self.parameters == other.parameters
            && self.typed_text() == other.typed_text()
    }
}
