//! A loss: the trait that formulas implement, and the handle that everything else works with.

use crate::class_axis::ClassAxis;
use crate::describe::{Described, Description};
use crate::kernel::{ClassKernels, PointwiseKernels};
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
}

/// The kernels of a loss, by the form of its examples.
#[derive(Clone)]
pub(crate) enum Kernels {
    Pointwise(Arc<dyn PointwiseKernels>),
    ClassAxis(Arc<dyn ClassKernels>),
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
}

impl Loss {
    /// A pointwise loss of one's own. `parameters` are the values for those of the description.
    pub fn pointwise(
        description: &'static Description,
        parameters: &[f64],
        loss: impl Pointwise,
    ) -> Self {
        let kernels = Kernels::Pointwise(Arc::new(loss));
        Self { description, parameters: parameters.to_vec(), kernels }
    }

    /// A loss over a class axis of one's own.
    pub fn class_axis(
        description: &'static Description,
        parameters: &[f64],
        loss: impl ClassAxis,
    ) -> Self {
        let kernels = Kernels::ClassAxis(Arc::new(loss));
        Self { description, parameters: parameters.to_vec(), kernels }
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

    /// Whether an example is a row of class scores.
    #[must_use]
    pub fn has_class_axis(&self) -> bool {
        matches!(self.kernels, Kernels::ClassAxis(_))
    }

    /// The formula: the loss, and for pointwise losses its gradient and second derivative.
    #[must_use]
    pub fn formula(&self) -> Formula {
        match &self.kernels {
            Kernels::Pointwise(kernels) => kernels.formula(),
            Kernels::ClassAxis(kernels) => kernels.formula(),
        }
    }

    /// Everything that is said about the loss, as headed text, in the order in which people want it.
    /// Front ends only lay it out.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let d = self.description;
        let formula = self.formula();
        let mut sections = Vec::new();
        let mut add = |heading, text: String, is_code| {
            if !text.is_empty() {
                sections.push(Section { heading, text, is_code });
            }
        };
        add("summary", d.summary.to_owned(), false);
        add("loss", formula.text(0), true);
        if self.has_class_axis() {
            add("gradient", d.row_gradient.unwrap_or_default().to_owned(), true);
            let symbols = "p_c is the prediction and y_c the target of class c.";
            add("symbols", symbols.to_owned(), false);
        } else {
            add("gradient", formula.text(1), true);
            add("second", formula.text(2), true);
            add("symbols", "p is the prediction, y the target.".to_owned(), false);
        }
        add("prediction", format!("{}: {}", d.prediction_meaning, d.prediction), false);
        let label = if self.has_class_axis() { "a class label, or for each class: " } else { "" };
        add("target", format!("{label}{}", d.target), false);
        add("link", d.link.unwrap_or_default().to_owned(), false);
        for p in d.parameters {
            let default = p.range.write(p.default);
            let text = format!("{} = {default} in {}: {}", p.name, p.range, p.meaning);
            add("parameter", text, false);
        }
        for fact in self.card_over_parameters().facts() {
            add("card", format!("{}: {fact}", fact.property), false);
        }
        add("optimum", d.optimum.to_owned(), false);
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
            Kernels::ClassAxis(_) => None,
        }
    }

    /// The kernels of a loss over a class axis.
    #[must_use]
    pub fn class_kernels(&self) -> Option<&dyn ClassKernels> {
        match &self.kernels {
            Kernels::ClassAxis(kernels) => Some(&**kernels),
            Kernels::Pointwise(_) => None,
        }
    }
}

/// The description with a lifetime of its own.
fn description_of<L: Described>() -> &'static Description {
    const { &L::DESCRIPTION }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// Losses are equal if they have the same name and parameters.
impl PartialEq for Loss {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id() && self.parameters == other.parameters
    }
}
