//! Losses as text may ask for them: some parameters as numbers, some to be chosen from data.

use crate::catalog::{CATALOG, Entry, find};
use crate::describe::{Description, Kind, Parameter, Role};
use crate::error::Error;
use crate::loss::Loss;
use std::fmt;
use std::str::FromStr;

/// How a parameter is chosen from residuals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// A scale at which the loss has this asymptotic relative efficiency where residuals are normal: a
    /// constant (1.345 for huber and 0.95) times a robust estimate of the standard deviation, 1.4826
    /// times the median absolute deviation from the median. In text `auto:mad(efficiency=0.95)`.
    Mad {
        /// Between 0 and 1.
        efficiency: f64,
    },
    /// The quantile of this level of the absolute residuals: what scikit-learn's gradient boosting does
    /// with `alpha`. In text `auto:quantile(level=0.9)`.
    Quantile {
        /// Between 0 and 1.
        level: f64,
    },
    /// The value with the largest likelihood, for the distribution of which the loss is the negative
    /// logarithm, about the median of the residuals. In text `auto:likelihood`.
    Likelihood,
}

impl Method {
    /// At 95 % efficiency, as is usual.
    pub const MAD: Self = Self::Mad { efficiency: 0.95 };
    /// At 90 %, scikit-learn's default.
    pub const QUANTILE: Self = Self::Quantile { level: 0.9 };

    /// Reads what comes after `auto`: nothing, `:mad`, `(efficiency=0.9)`, `:quantile(0.8)`...
    fn read(rest: &str) -> Result<Option<Self>, String> {
        const FORMS: &str = "it is auto, auto:mad, auto:quantile or auto:likelihood, if need be with \
                             (efficiency=0.95) or (level=0.9)";
        let unknown = || format!("\"auto{rest}\" is not understood: {FORMS}");
        let (name, argument) = match rest.split_once('(') {
            None => (rest, None),
            Some((name, argument)) => (name, Some(argument.strip_suffix(')').ok_or_else(unknown)?)),
        };
        let setting =
            match argument.map(|argument| argument.split_once('=').unwrap_or(("", argument))) {
                None => None,
                Some((name, value)) => {
                    let value: f64 = value.trim().parse().map_err(|_| unknown())?;
                    if !(value > 0.0 && value < 1.0) {
                        return Err(format!("\"auto{rest}\": {value} is not between 0 and 1"));
                    }
                    Some((name.trim(), value))
                }
            };
        match (name.trim(), setting) {
            ("", None) => Ok(None),
            (":mad", None) => Ok(Some(Self::MAD)),
            (":quantile", None) => Ok(Some(Self::QUANTILE)),
            (":likelihood", None) => Ok(Some(Self::Likelihood)),
            ("" | ":mad", Some(("efficiency", efficiency))) | (":mad", Some(("", efficiency))) => {
                Ok(Some(Self::Mad { efficiency }))
            }
            ("" | ":quantile", Some(("level", level))) | (":quantile", Some(("", level))) => {
                Ok(Some(Self::Quantile { level }))
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mad { efficiency } => write!(f, "auto:mad(efficiency={efficiency})"),
            Self::Quantile { level } => write!(f, "auto:quantile(level={level})"),
            Self::Likelihood => f.write_str("auto:likelihood"),
        }
    }
}

/// A parameter as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// A number.
    Number(f64),
    /// To be chosen; without a method by the one that suits.
    Auto(Option<Method>),
}

/// A loss with its parameters, of which some may be left to be chosen from data.
///
/// ```
/// use lossfn::choose::LossRequest;
///
/// let request: LossRequest = "huber(delta=auto)".parse()?;
/// let residuals = [-2.0, -1.0, 0.0, 1.0, 2.0, 50.0];
/// let fitted = request.fit(&residuals)?;
/// assert_eq!(fitted.rounded().loss.to_string(), "huber(delta=2.991)");
/// assert_eq!(
///     fitted.choices[0].to_string(),
///     "delta = 2.991: 1.345 sigma, sigma = 2.224 by the MAD of 6 residuals; 95 % efficient at the \
///      normal",
/// );
/// # Ok::<(), lossfn::Error>(())
/// ```
#[derive(Clone)]
pub struct LossRequest {
    /// With defaults where something is to be chosen.
    loss: Loss,
    /// For each parameter; none for a formula of one's own, whose text has their values.
    pub(super) settings: Vec<Setting>,
}

impl LossRequest {
    /// Asks for one parameter of a loss to be chosen, with the others as they are.
    ///
    /// # Errors
    /// For losses that are not of the catalog and parameters that it does not have or that are not a
    /// matter of the data.
    pub fn new(loss: &Loss, parameter: &str, method: Option<Method>) -> Result<Self, Error> {
        let entry = find(loss.id())?;
        let parameters = entry.description.parameters;
        let settings = loss.parameters().iter().map(|&value| Setting::Number(value));
        let mut request = Self { loss: loss.clone(), settings: settings.collect() };
        let place = place_of(entry, parameter)?;
        check_role(entry, &parameters[place])?;
        request.settings[place] = Setting::Auto(method);
        Ok(request)
    }

    /// The loss, if nothing is to be chosen.
    ///
    /// # Errors
    /// [`Error::NeedsData`], and parameters outside their range.
    pub fn loss(&self) -> Result<Loss, Error> {
        let number = |setting: &Setting| match *setting {
            Setting::Number(value) => Ok(value),
            Setting::Auto(_) => Err(Error::NeedsData { loss: self.to_string() }),
        };
        let values: Result<Vec<f64>, Error> = self.settings.iter().map(number).collect();
        self.build(&values?)
    }

    /// What is said about the loss.
    #[must_use]
    pub fn description(&self) -> &'static Description {
        self.loss.description()
    }

    /// The loss with these values for what there are settings for.
    pub(super) fn build(&self, values: &[f64]) -> Result<Loss, Error> {
        if self.settings.is_empty() {
            return Ok(self.loss.clone());
        }
        find(self.loss.id())?.build(values)
    }

    /// Whether something is to be chosen.
    #[must_use]
    pub fn needs_data(&self) -> bool {
        self.settings.iter().any(|setting| matches!(setting, Setting::Auto(_)))
    }

    /// The loss with defaults where something is to be chosen.
    ///
    /// # Errors
    /// Parameters outside their range.
    pub fn with_defaults(&self) -> Result<Loss, Error> {
        let parameters = self.description().parameters;
        let value = |(setting, parameter): (&Setting, &Parameter)| match *setting {
            Setting::Number(value) => value,
            Setting::Auto(_) => parameter.default,
        };
        let values: Vec<f64> = self.settings.iter().zip(parameters).map(value).collect();
        self.build(&values)
    }
}

impl fmt::Display for LossRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.needs_data() {
            return self.loss.fmt(f);
        }
        f.write_str(self.loss.id())?;
        let mut separator = '(';
        for (parameter, setting) in self.description().parameters.iter().zip(&self.settings) {
            write!(f, "{separator}{}=", parameter.name)?;
            match setting {
                Setting::Number(value) => f.write_str(&parameter.range.write(*value))?,
                Setting::Auto(None) => f.write_str("auto")?,
                Setting::Auto(Some(method)) => method.fmt(f)?,
            }
            separator = ',';
        }
        f.write_str(")")
    }
}

impl fmt::Debug for LossRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LossRequest({self})")
    }
}

fn place_of(entry: &Entry, name: &str) -> Result<usize, Error> {
    let parameters = entry.description.parameters;
    parameters.iter().position(|parameter| parameter.name == name).ok_or_else(|| {
        Error::UnknownParameter {
            loss: entry.description.id,
            parameter: name.to_owned(),
            parameters: parameters.iter().map(|parameter| parameter.name).collect(),
        }
    })
}

fn check_role(entry: &Entry, parameter: &Parameter) -> Result<(), Error> {
    if parameter.role != Role::Setting {
        return Ok(());
    }
    let open = CATALOG.iter().flat_map(|entry| {
        let d = entry.description;
        let open = d.parameters.iter().filter(|parameter| parameter.role != Role::Setting);
        open.map(move |parameter| format!("{} of {}", parameter.name, d.id))
    });
    let open: Vec<String> = open.collect();
    Err(Error::CannotChoose {
        loss: entry.description.id,
        parameter: parameter.name,
        reason: format!(
            "it says what is wanted, which no data can tell; give a number (auto is for {})",
            open.join(", ")
        ),
    })
}

/// Reads `name`, `name(value, ...)`, `name(parameter=value, ...)` or a mixture of the two, where a
/// value may be `auto`, `auto:mad(efficiency=0.95)`, `auto:quantile(level=0.9)` or
/// `auto:likelihood`. Or `formula: ...`, see [`Loss::typed`].
impl FromStr for LossRequest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(formula) = text.trim_start().strip_prefix("formula:") {
            return Ok(Self { loss: Loss::typed(formula)?, settings: Vec::new() });
        }
        let unreadable = |reason: String| Error::Unreadable { text: text.to_owned(), reason };
        let (name, arguments) = match text.split_once('(') {
            None => (text, None),
            Some((name, rest)) => {
                let inner = rest
                    .trim_end()
                    .strip_suffix(')')
                    .ok_or_else(|| unreadable("the closing parenthesis is missing".into()))?;
                (name, Some(inner.trim()))
            }
        };
        let name = name.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(unreadable("a loss's name has letters, digits and _ only".into()));
        }
        let entry = find(name)?;
        let id = entry.description.id;
        let parameters = entry.description.parameters;
        let mut settings: Vec<Option<Setting>> = vec![None; parameters.len()];
        let arguments = arguments.filter(|inner| !inner.is_empty());
        let arguments = arguments.iter().flat_map(|inner| inner.split(','));
        for (position, argument) in arguments.enumerate() {
            // The name ends at the first =, unless that belongs to auto(efficiency=...).
            let named = argument.split_once('=').filter(|(name, _)| !name.contains('('));
            let (place, value) = if let Some((name, value)) = named {
                (place_of(entry, name.trim())?, value)
            } else if position < parameters.len() {
                (position, argument)
            } else {
                let count = parameters.len();
                let plural = if count == 1 { "" } else { "s" };
                return Err(unreadable(format!("{id} has {count} parameter{plural}, not more")));
            };
            let (value, parameter) = (value.trim(), &parameters[place]);
            let setting = if let Some(rest) = value.strip_prefix("auto") {
                check_role(entry, parameter)?;
                Setting::Auto(Method::read(rest.trim()).map_err(unreadable)?)
            } else {
                let range = &parameter.range;
                let wanted = if range.kind == Kind::Switch { "true or false" } else { "a number" };
                let number = range.read(value);
                Setting::Number(
                    number.ok_or_else(|| unreadable(format!("{value:?} is not {wanted}")))?,
                )
            };
            if settings[place].replace(setting).is_some() {
                return Err(unreadable(format!("{} is given twice", parameter.name)));
            }
        }
        let settings = settings
            .into_iter()
            .zip(parameters)
            .map(|(setting, parameter)| setting.unwrap_or(Setting::Number(parameter.default)))
            .collect();
        let mut request = Self { loss: entry.with_defaults(), settings };
        // Numbers outside their range are refused here, not when there is data.
        request.loss = request.with_defaults()?;
        Ok(request)
    }
}

/// A loss with all its parameters; where one is `auto`, an error says that data is needed.
impl FromStr for Loss {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse::<LossRequest>()?.loss()
    }
}
